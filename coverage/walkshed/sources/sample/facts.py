"""The figures the schematic city is built from: public facts carried in `data/changchun/`, each with its source."""

from dataclasses import dataclass
from functools import cache
from io import BytesIO

import numpy as np
import pandas as pd

from walkshed.contracts import FloatArray, IntArray
from walkshed.sources.city import InputFile
from walkshed.words import data_dir

FILES = {
    "population_2020.csv": "MIT (leiii/census, 7th national census)",
    "units.csv": "facts compiled from public sources, named per column and row",
    "settlements_2023.csv": "WTFPL (modood/Administrative-divisions-of-China)",
    "libraries.csv": "facts compiled from public reports, named per row",
    "names.csv": "CC0-1.0 (made up for walkshed)",
}
"""What is read, under which licence."""

CORE = ("220102", "220103", "220104", "220105", "220106")
ZONES = ("220171", "220172", "220173", "220174")  # counted apart by the census, without a polygon of their own
GROUPS = ("0_14", "15_59", "60p")
RURAL_OF_ZONES = {"220102": 199_874, "220103": 2_436, "220104": 4_873}
"""Rural people of the zones by the district that holds them; as `units.csv`, note: an assumption (equal weights)."""


@dataclass(frozen=True)
class Facts:
    """Tables of the city, their people already scaled.

    units : index adcode; `label, seat_lon, seat_lat, inner_lon, inner_lat, area_km2, bbox, control, people, urban`.
    ages : index control group; one column per age group, people.
    settlements : `name, kind, unit`.
    libraries : `name_zh, kind, district, address, floor_area_m2, opened` as published.
    names : `use, name`: parts of made-up names, and a few real street names.
    scale : people and land against the real thing.
    """

    units: pd.DataFrame
    ages: pd.DataFrame
    settlements: pd.DataFrame
    libraries: pd.DataFrame
    names: pd.DataFrame
    scale: float

    def words(self, use: str) -> list[str]:
        """Name parts for one use.

        >>> read(1.0).words("ring")[0]
        '二环路'
        """
        return [str(n) for n in self.names.loc[self.names["use"] == use, "name"]]


@cache
def _bytes(name: str) -> bytes:
    return (data_dir() / "changchun" / name).read_bytes()


def _table(name: str) -> pd.DataFrame:
    return pd.read_csv(BytesIO(_bytes(name)), dtype={"adcode": str, "admin_parent": str, "stat_parent": str})


def inputs() -> tuple[InputFile, ...]:
    """The files behind the schematic city, as provenance."""
    return tuple(InputFile.of(f"changchun/{name}", _bytes(name), licence=text) for name, text in FILES.items())


def read(scale: float) -> Facts:
    """Read the facts; people times `scale`, whole, exact census figures at 1.

    A control total belongs to a *group of units*: the census counts four development zones apart from the districts
    that hold them, so only the sum of the core (5 districts + 4 zones) is known. Within it people go by
    `pop_2020_admin_estimate`, an assumption its own column explains.

    >>> facts = read(1.0)
    >>> int(facts.units["people"].sum()), int(facts.ages.loc["core"].sum())
    (9066906, 5019477)
    """
    census = _table("population_2020.csv").set_index("adcode")
    census = census.drop(index="220100")  # the city's own row is the sum of the others
    census["60p"] = census["age_60_64"] + census["age_65p"]
    control = pd.Series(census.index, census.index).where(~census.index.isin([*CORE, *ZONES]), "core")
    ages = census[["age_0_14", "age_15_59", "60p"]].groupby(control).sum().set_axis(list(GROUPS), axis=1)
    ages = _scaled(ages, scale)
    units = _units(_table("units.csv").set_index("adcode"), census, ages, scale)
    settlements = _table("settlements_2023.csv")[["name_zh", "type", "admin_parent"]]
    return Facts(
        units=units,
        ages=ages,
        settlements=settlements.set_axis(["name", "kind", "unit"], axis=1),
        libraries=_table("libraries.csv"),
        names=_table("names.csv"),
        scale=scale,
    )


def _units(table: pd.DataFrame, census: pd.DataFrame, ages: pd.DataFrame, scale: float) -> pd.DataFrame:
    """One row per unit with its whole people and the part of them that lives in town."""
    core = table.index.isin(CORE)
    people = census["pop_2020"].reindex(table.index).to_numpy(dtype=float)
    people[core] = table.loc[core, "pop_2020_admin_estimate"]
    rural = census["rural"].reindex(table.index).to_numpy(dtype=float)
    rural += table.index.map(lambda u: RURAL_OF_ZONES.get(u, 0)).to_numpy(dtype=float)
    control = np.where(core, "core", table.index.to_numpy())
    whole = np.zeros(len(table), dtype=np.int64)
    for group in ages.index:
        inside = control == group
        whole[inside] = apportion(people[inside], int(ages.loc[group].sum()))
    bbox = table["bbox_wgs84"].str.split().map(lambda four: [float(v) for v in four])
    return pd.DataFrame(
        {
            "label": table["name_zh"],
            "seat_lon": table["seat_lon_wgs84"],
            "seat_lat": table["seat_lat_wgs84"],
            "inner_lon": table["inner_point_lon"],
            "inner_lat": table["inner_point_lat"],
            "area_km2": table["area_km2_datav"],
            "bbox": bbox,
            "control": control,
            "people": whole,
            "urban": whole - np.round(rural * scale).astype(np.int64),
        },
        index=table.index,
    )


def _scaled(ages: pd.DataFrame, scale: float) -> pd.DataFrame:
    total = round(float(ages.to_numpy().sum()) * scale)
    whole = apportion(ages.to_numpy(dtype=float).ravel(), total).reshape(ages.shape)
    return pd.DataFrame(whole, index=ages.index, columns=ages.columns)


def apportion(weights: FloatArray, total: int) -> IntArray:
    """Share `total` whole people by weight: largest remainders (Hamilton), ties to the first.

    >>> apportion(np.array([1.0, 1.0, 1.0]), 100).tolist()
    [34, 33, 33]
    """
    if not len(weights):
        return np.zeros(0, dtype=np.int64)
    quota = weights / weights.sum() * total
    whole: IntArray = np.floor(quota).astype(np.int64)
    short = total - int(whole.sum())
    order = np.argsort(-(quota - whole), kind="stable")
    np.add.at(whole, np.resize(order, max(short, 0)), 1)
    return whole
