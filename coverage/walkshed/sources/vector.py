"""Vector files of any format GDAL reads, and plain tables of points: read whole, their CRS stated or refused."""

from collections.abc import Iterable
from pathlib import Path

import geopandas as gpd
import pandas as pd
import pyogrio

from walkshed.contracts import refuse
from walkshed.errors import Fault, InputError


def read_vector(path: Path, *, crs: str | None = None, columns: Iterable[str] = ()) -> gpd.GeoDataFrame:
    """Read one layer of a vector file.

    crs : what it is in, where the file does not say; a file that says is believed
    columns : must be there

    Raises
    ------
    InputError
        If it cannot be read, is empty, carries no CRS and none is given, or lacks a column.
    """
    try:
        frame = gpd.read_file(path)
    except (pyogrio.errors.DataSourceError, pyogrio.errors.DataLayerError, UnicodeDecodeError, ValueError) as error:
        raise InputError(Fault("vector.unreadable", path.name, {"reason": _first_line(error)})) from None
    if not isinstance(frame, gpd.GeoDataFrame):
        raise InputError(Fault("vector.no_geometry", path.name))
    if frame.crs is None and crs is not None:
        frame = frame.set_crs(crs)
    faults = [Fault("table.no_rows", path.name)] if frame.empty else []
    faults += [Fault("table.no_crs", path.name)] if frame.crs is None else []
    found = ", ".join(str(c) for c in frame.columns if c != frame.geometry.name)
    faults += [
        Fault("table.missing_column", path.name, {"column": c, "found": found})
        for c in columns
        if not frame.empty and c not in frame
    ]
    refuse(faults)
    return frame


def read_points(path: Path, *, crs: str | None) -> gpd.GeoDataFrame:
    """Read a CSV of points with columns `lon` and `lat` (or `x` and `y`) in a stated CRS.

    Raises
    ------
    InputError
        If it is not UTF-8 or GB18030 text, lacks the columns, or nobody says what CRS it is in.
    """
    table = read_csv(path)
    pair = next((p for p in (("lon", "lat"), ("x", "y")) if set(p) <= set(table)), None)
    found = ", ".join(map(str, table.columns))
    faults = [] if pair else [Fault("table.missing_column", path.name, {"column": "lon, lat", "found": found})]
    faults += [] if crs else [Fault("table.no_crs", path.name)]
    faults += [Fault("table.no_rows", path.name)] if table.empty else []
    refuse(faults)
    x, y = (pd.to_numeric(table[c], errors="coerce") for c in pair or ())
    bad = x.isna() | y.isna()
    if bad.any():
        rows = ", ".join(map(str, (bad.to_numpy().nonzero()[0] + 2)[:12]))
        example = str(table.loc[bad, list(pair or ())].iloc[0].tolist())
        refuse([Fault("table.not_number", path.name, {"column": "lon, lat", "rows": rows, "example": example})])
    return gpd.GeoDataFrame(table, geometry=gpd.points_from_xy(x, y), crs=crs)


def read_csv(path: Path) -> pd.DataFrame:
    """Read a CSV in UTF-8, with or without a mark, or GB18030: tried strictly in that order.

    Raises
    ------
    InputError
        If it is in neither, or is no table.
    """
    content = path.read_bytes()
    for encoding in ("utf-8-sig", "gb18030"):
        try:
            content.decode(encoding)
        except UnicodeDecodeError:
            continue
        try:
            return pd.read_csv(path, encoding=encoding)
        except (pd.errors.ParserError, pd.errors.EmptyDataError) as error:
            raise InputError(Fault("vector.unreadable", path.name, {"reason": _first_line(error)})) from None
    raise InputError(Fault("vector.encoding", path.name))


def _first_line(error: Exception) -> str:
    return (str(error).splitlines() or [type(error).__name__])[0][:200]
