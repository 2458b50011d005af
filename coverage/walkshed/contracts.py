"""The tables that flow through the house, what each promises, and one place that holds them to it."""

from collections.abc import Callable, Iterable

import geopandas as gpd
import numpy as np
import pandas as pd
from numpy.typing import NDArray
from pyproj import CRS

from walkshed.errors import Fault, InputError

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]
Index32 = NDArray[np.int32]
BoolArray = NDArray[np.bool_]

NM = 1_000_000_000
"""Nanometres in a metre. Lengths are whole nanometres: sums do not depend on their order, and limits are exact."""

STATUSES = ("open", "planned", "candidate", "closed")
"""What a site can be."""


def groups_of(demand: pd.DataFrame) -> list[str]:
    """Names of the population groups a demand table carries: `people_60p` gives `60p`.

    >>> groups_of(pd.DataFrame({"people": [3], "people_60p": [1]}))
    ['60p']
    """
    return [str(c).removeprefix("people_") for c in demand.columns if str(c).startswith("people_")]


def check_demand(demand: gpd.GeoDataFrame, where: str = "demand") -> gpd.GeoDataFrame:
    """Hold a demand table to its contract and return it.

    Points in a metric CRS; index: unique ids; `people` >= 0; any `people_<group>` between 0 and `people`; `unit`: text.

    Raises
    ------
    InputError
        With every fault in the table.
    """
    faults = [*_frame_faults(demand, ("people", "unit"), "Point", where)]
    if "people" in demand:
        for column in ("people", *(f"people_{g}" for g in groups_of(demand))):
            faults += number_faults(demand, column, where)
        if not faults:
            for group in groups_of(demand):
                over = demand[f"people_{group}"].to_numpy() > demand["people"].to_numpy() * (1 + 1e-9) + 1e-9
                faults += row_faults("table.group_over_total", demand, over, f"people_{group}", where)
    refuse(faults)
    return demand


def check_sites(sites: gpd.GeoDataFrame, kinds: Iterable[str], where: str = "sites") -> gpd.GeoDataFrame:
    """Hold a table of outlets or candidates to its contract and return it.

    Points in a metric CRS; index: unique ids; `name`: text; `kind`: one of `kinds`; `status`: one of `STATUSES`.

    Raises
    ------
    InputError
        With every fault in the table.
    """
    faults = [*_frame_faults(sites, ("name", "kind", "status"), "Point", where)]
    for column, allowed in (("kind", list(kinds)), ("status", list(STATUSES))):
        if column in sites:
            unknown = ~sites[column].isin(allowed).to_numpy()
            faults += row_faults("table.not_one_of", sites, unknown, column, where, allowed=", ".join(allowed))
    refuse(faults)
    return sites


def check_metric(crs: object, where: str) -> CRS:
    """Return `crs` if its unit is the metre; refuse anything else, and nothing at all.

    >>> check_metric("EPSG:4551", "streets").to_epsg()
    4551
    >>> check_metric("EPSG:4326", "streets")
    Traceback (most recent call last):
    ...
    walkshed.errors.InputError: streets: its coordinate reference system EPSG:4326 is not in metres. ...
    """
    refuse(_crs_faults(crs, where))
    return CRS.from_user_input(crs)


def row_numbers(mask: BoolArray, limit: int = 12) -> str:
    """Rows (counted from 1, the header apart) where `mask` is true, as people cite them.

    >>> row_numbers(np.array([True, False, True]))
    '1, 3'
    """
    rows = (np.flatnonzero(mask) + 1).tolist()
    more = f" … ({len(rows)})" if len(rows) > limit else ""
    return ", ".join(map(str, rows[:limit])) + more


def _frame_faults(frame: gpd.GeoDataFrame, columns: Iterable[str], geometry: str, where: str) -> Iterable[Fault]:
    found = ", ".join(map(str, frame.columns))
    yield from _crs_faults(frame.crs, where)
    for column in columns:
        if column not in frame:
            yield Fault("table.missing_column", where, {"column": column, "found": found})
        else:
            yield from row_faults("table.empty_value", frame, frame[column].isna().to_numpy(), column, where)
    yield from row_faults("table.duplicate", frame, frame.index.duplicated(keep=False), "id", where)
    empty = (frame.geometry.isna() | frame.geometry.is_empty).to_numpy()
    yield from row_faults("table.empty_geometry", frame, empty, "geometry", where)
    wrong = ~empty & (frame.geometry.geom_type != geometry).to_numpy()
    yield from row_faults("table.geometry_type", frame, wrong, "geometry", where, expected=geometry)


def number_faults(frame: pd.DataFrame, column: str, where: str) -> list[Fault]:
    """Faults of a column that must hold finite numbers >= 0."""
    if not pd.api.types.is_numeric_dtype(frame[column]):
        text = pd.to_numeric(frame[column], errors="coerce").isna().to_numpy()
        return row_faults("table.not_number", frame, text, column, where)
    values = frame[column].to_numpy(dtype=float)
    return [
        *row_faults("table.not_number", frame, ~np.isfinite(values), column, where),
        *row_faults("table.negative", frame, values < 0, column, where),
    ]


def row_faults(
    key: str, frame: pd.DataFrame, bad: BoolArray, column: str, where: str, **values: object
) -> list[Fault]:
    """At most one fault, for all bad rows of a column."""
    if not bad.any():
        return []
    cells = frame[column] if column in frame else frame.index.to_series()
    example = str(cells.iloc[int(np.argmax(bad))])[:60]
    return [Fault(key, where, {"column": column, "rows": row_numbers(bad), "example": example, **values})]


def _crs_faults(crs: object, where: str) -> list[Fault]:
    if crs is None:
        return [Fault("table.no_crs", where)]
    parsed = CRS.from_user_input(crs)
    if not parsed.is_projected or any(axis.unit_name != "metre" for axis in parsed.axis_info[:2]):
        return [Fault("table.not_metric", where, {"crs": parsed.to_string()})]
    return []


def refuse(faults: Iterable[Fault]) -> None:
    """Raise `InputError` with all faults, if there are any."""
    if found := list(faults):
        raise InputError(found)


Progress = Callable[[str, float], None]
"""Told what is being done and the share of it that is done, 0 to 1."""
