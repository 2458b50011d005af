"""Tables people open: CSV for a spreadsheet, GeoPackage for a GIS."""

import errno
import os
import sqlite3
import tempfile
from collections.abc import Iterable
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import geopandas as gpd
import numpy as np
import pandas as pd
import pyogrio

from walkshed.errors import Fault, OutputError
from walkshed.publish.record import DIGITS, lonlat
from walkshed.publish.styles import add_styles
from walkshed.words import say

if TYPE_CHECKING:
    from collections.abc import Iterator

    from walkshed.plan import Plan

_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")  # a spreadsheet runs a cell that begins so
_TIMELESS = "1970-01-01T00:00:00.000Z"  # GeoPackage wants a date of last change; ours depends on the input alone


def sites_csv(plan: "Plan") -> bytes:
    """Return the proposed sites, in building order, as CSV a spreadsheet opens with its Chinese intact."""
    sites, where = plan.sites, lonlat(plan.sites)
    table = pd.DataFrame(sites.drop(columns="geometry")).assign(lon=where.x, lat=where.y)
    first = [c for c in ("order", "name", "kind", "unit", "people_gained", "lon", "lat") if c in table]
    return _csv(table[first].rename_axis("id").reset_index(), schematic=plan.schematic)


def units_csv(plan: "Plan") -> bytes:
    """Return people served before and after, per unit."""
    return _csv(plan.units.drop(columns="geometry", errors="ignore").rename_axis("id").reset_index(),
                schematic=plan.schematic)  # fmt: skip


def harmless(cell: object) -> object:
    """Return a text cell so that no spreadsheet takes it for a formula; anything else as it is.

    >>> harmless("=HYPERLINK(1)"), harmless("南关区"), harmless(-3)
    ("'=HYPERLINK(1)", '南关区', -3)
    """
    return f"'{cell}" if isinstance(cell, str) and cell.startswith(_FORMULA) else cell


def geopackage(plan: "Plan") -> bytes:
    """Return a GeoPackage, WGS-84: layers demand, outlets, sites, gaps and units, and a style of each for QGIS.

    It is made in the machine's temporary folder and read back: the one writer that knows what to do when a disk is full
    (`files.put`) then writes it with the rest.

    Raises
    ------
    OutputError
        If the temporary folder cannot hold it.
    """
    note = say("publish.schematic_note", "zh") if plan.schematic else ""
    with _fixed_date():
        return _packed((name, frame, note) for name, frame in layers(plan).items())


def layers(plan: "Plan") -> dict[str, gpd.GeoDataFrame]:
    """Return the tables of a plan as GIS files hold them, WGS-84: demand, outlets, sites, gaps, units."""
    demand = plan.demand
    columns = [c for c in ("people", "unit", "nearest_m", "served_before", "served_after") if c in demand]
    groups = [c for c in demand.columns if str(c).startswith("people_")]
    units = plan.area.units.join(pd.DataFrame(plan.units).drop(columns=["label", "geometry"], errors="ignore"))
    found = {
        "demand": demand[[*columns, *groups, "geometry"]].rename_axis("demand_id"),
        "outlets": plan.outlets.rename_axis("site_id"),
        "sites": plan.sites.rename_axis("site_id"),
        "gaps": plan.gaps.rename_axis("gap_id"),
        "units": units.rename_axis("unit_id"),
    }
    return {name: _writable(frame) for name, frame in found.items()}


def _packed(layers: Iterable[tuple[str, gpd.GeoDataFrame, str]]) -> bytes:
    """Write the layers to one file, count them again (a full disk may drop rows in silence), and return its bytes."""
    with tempfile.TemporaryDirectory(prefix="walkshed-") as folder:
        path = Path(folder) / "plan.gpkg"
        try:
            for name, frame, note in layers:
                kind = "Point" if name in {"demand", "outlets", "sites"} else "MultiPolygon"
                pyogrio.write_dataframe(
                    frame, path, layer=name, driver="GPKG", geometry_type=kind, append=path.exists(),
                    promote_to_multi=kind == "MultiPolygon", layer_options={"DESCRIPTION": note}, use_arrow=True,
                )  # fmt: skip
                _check_count(path, name, len(frame))
            add_styles(path)
            return path.read_bytes()
        except (OSError, sqlite3.Error, pyogrio.errors.DataSourceError, pyogrio.errors.DataLayerError) as error:
            raise OutputError(Fault("publish.no_temporary", str(Path(folder).parent), {"reason": error})) from error


def _check_count(path: Path, layer: str, expected: int) -> None:
    if pyogrio.read_info(path, layer=layer)["features"] != expected:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


@contextmanager
def _fixed_date() -> "Iterator[None]":
    before = pyogrio.get_gdal_config_option("OGR_CURRENT_DATE")
    pyogrio.set_gdal_config_options({"OGR_CURRENT_DATE": _TIMELESS})
    try:
        yield
    finally:
        pyogrio.set_gdal_config_options({"OGR_CURRENT_DATE": before})


def _writable(frame: gpd.GeoDataFrame) -> gpd.GeoDataFrame:
    """Ids as a column, numbers rounded as in plan.json, everything else that is no plain value as text."""
    flat = frame.reset_index().to_crs("EPSG:4326")
    for column in flat.columns.drop("geometry"):
        values = flat[column]
        if pd.api.types.is_float_dtype(values):
            flat[column] = values.round(DIGITS.get(str(column), 6))
        elif not (pd.api.types.is_integer_dtype(values) or pd.api.types.is_bool_dtype(values)):
            flat[column] = values.astype("string").astype(object).where(values.notna(), None)
    return flat


def _csv(table: pd.DataFrame, *, schematic: bool) -> bytes:
    rounded = table.copy()
    for column in table.columns:
        if pd.api.types.is_float_dtype(table[column]):
            rounded[column] = table[column].round(DIGITS.get(str(column), 6))
        elif not pd.api.types.is_numeric_dtype(table[column]):
            rounded[column] = table[column].map(harmless)
    if schematic:
        rounded["data"] = np.full(len(rounded), "schematic 示意数据")
    return ("\ufeff" + rounded.to_csv(index=False, lineterminator="\r\n")).encode()
