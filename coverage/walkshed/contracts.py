"""The tables that flow through the house, what each promises, and one place that holds them to it."""

from collections.abc import Callable, Iterable

import geopandas as gpd
import numpy as np
import pandas as pd
import pandera.pandas as pa
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

Progress = Callable[[str, float], None]
"""Told what is being done and the share of it that is done, 0 to 1."""

# A check's `error` is the sentence of data/words/ that tells of it; pandera's own checks are named in _SENTENCES.
_SENTENCES = {
    "column_in_dataframe": "table.missing_column",
    "not_nullable": "table.empty_value",
    "field_uniqueness": "table.duplicate",
}
_NUMBER = (
    pa.Check(lambda s: np.isfinite(_numbers(s)), error="table.not_number", ignore_na=False),
    pa.Check(lambda s: ~(_numbers(s) < 0), error="table.negative", ignore_na=False),
)


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
    numbers = {
        c: pa.Column(checks=list(_NUMBER), nullable=True)
        for c in ("people", *(f"people_{g}" for g in groups_of(demand)))
    }
    faults = _faults({**numbers, "unit": pa.Column()}, demand, where) + _map_faults(demand, where)
    if not faults:
        faults = over_faults(demand, where)
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
    columns = {"name": pa.Column(), "kind": _one_of(kinds), "status": _one_of(STATUSES)}
    refuse(_faults(columns, sites, where) + _map_faults(sites, where))
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


def number_faults(frame: pd.DataFrame, column: str, where: str) -> list[Fault]:
    """Faults of a column that must hold finite numbers >= 0."""
    return _faults({column: pa.Column(checks=list(_NUMBER), nullable=True)}, frame, where, ids=False)


def over_faults(frame: pd.DataFrame, where: str) -> list[Fault]:
    """Faults of groups that have more people than there are."""
    people = frame["people"].to_numpy(dtype=float)
    columns = {f"people_{g}": frame[f"people_{g}"].to_numpy(dtype=float) for g in groups_of(frame)}
    checks = {c: values > people * (1 + 1e-9) + 1e-9 for c, values in columns.items()}
    return [f for c, bad in checks.items() for f in row_faults("table.group_over_total", frame, bad, c, where)]


def row_faults(key: str, frame: pd.DataFrame, bad: BoolArray, column: str, where: str, **values: object) -> list[Fault]:
    """At most one fault, for all bad rows of a column."""
    if not bad.any():
        return []
    cells = frame[column] if column in frame else frame.index.to_series()
    example = str(cells.iloc[int(np.argmax(bad))])[:60]
    return [Fault(key, where, {"column": column, "rows": row_numbers(bad), "example": example, **values})]


def row_numbers(mask: BoolArray, limit: int = 12) -> str:
    """Rows (counted from 1, the header apart) where `mask` is true, as people cite them.

    >>> row_numbers(np.array([True, False, True]))
    '1, 3'
    """
    rows = (np.flatnonzero(mask) + 1).tolist()
    more = f" … ({len(rows)})" if len(rows) > limit else ""
    return ", ".join(map(str, rows[:limit])) + more


def refuse(faults: Iterable[Fault]) -> None:
    """Raise `InputError` with all faults, if there are any."""
    if found := list(faults):
        raise InputError(found)


def _numbers(column: pd.Series) -> pd.Series:
    return pd.to_numeric(column, errors="coerce").astype(float)


def _one_of(allowed: Iterable[str]) -> pa.Column:
    """A column of a closed list; the list is kept as a statistic, to be told to whoever strays from it."""
    known = list(allowed)
    return pa.Column(checks=pa.Check(lambda s: s.isin(known), error="table.not_one_of"), metadata={"allowed": known})


def _faults(columns: dict[str, pa.Column], frame: pd.DataFrame, where: str, *, ids: bool = True) -> list[Fault]:
    """Everything pandera finds, one fault for all rows of a column that fail one check."""
    table = pd.DataFrame({c: frame[c].to_numpy() for c in columns if c in frame})
    checked = {**columns, "id": pa.Column(unique=True, report_duplicates="all")} if ids else columns
    try:
        pa.DataFrameSchema(checked).validate(table.assign(id=frame.index) if ids else table, lazy=True)
    except pa.errors.SchemaErrors as error:
        cases = error.failure_cases
    else:
        return []
    faults = []
    for (check, column), rows in cases.groupby(["check", "column"], sort=False, dropna=False):
        if check == "column_in_dataframe":
            found = ", ".join(map(str, frame.columns))
            faults += [
                Fault("table.missing_column", where, {"column": c, "found": found}) for c in rows["failure_case"]
            ]
            continue
        bad = np.zeros(len(frame), dtype=bool)
        bad[rows["index"].to_numpy(dtype=int)] = True
        allowed = ", ".join((checked[column].metadata or {}).get("allowed", []))
        faults += row_faults(_SENTENCES.get(check, check), frame, bad, column, where, allowed=allowed)
    return faults


def _map_faults(frame: gpd.GeoDataFrame, where: str) -> list[Fault]:
    """A metric CRS and a point in every row."""
    empty = (frame.geometry.isna() | frame.geometry.is_empty).to_numpy()
    wrong = ~empty & (frame.geometry.geom_type != "Point").to_numpy()
    return [
        *_crs_faults(frame.crs, where),
        *row_faults("table.empty_geometry", frame, empty, "geometry", where),
        *row_faults("table.geometry_type", frame, wrong, "geometry", where, expected="Point"),
    ]


def _crs_faults(crs: object, where: str) -> list[Fault]:
    if crs is None:
        return [Fault("table.no_crs", where)]
    parsed = CRS.from_user_input(crs)
    if not parsed.is_projected or any(axis.unit_name != "metre" for axis in parsed.axis_info[:2]):
        return [Fault("table.not_metric", where, {"crs": parsed.to_string()})]
    return []
