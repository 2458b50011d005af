"""Population grids (GeoTIFF): only the blocks over the area are read, and cells become people at points."""

import warnings
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import geopandas as gpd
import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
import rasterio
import shapely
from affine import Affine
from pyproj import CRS, Transformer
from rasterio.errors import NotGeoreferencedWarning, RasterioError, WindowError
from rasterio.features import rasterize
from rasterio.windows import Window

from walkshed.area import Area
from walkshed.contracts import BoolArray, FloatArray, IntArray, check_demand, refuse
from walkshed.errors import Fault, InputError, MissingInputError
from walkshed.lattice import GeometryArray
from walkshed.sources.grid_cells import at, cell_m2

Unit = Literal["per_cell", "per_hectare"]

BLOCK = 1024
"""Rows and columns read at a time, at most (rounded to whole blocks of the file)."""

CACHE_MB = 64  # GDAL keeps read blocks; its default is 5 % of all memory, and we never come back to one

SIDE_M = 1000.0  # a side of a unit is cut to this before it is bent into another CRS

ROUNDING = 1e-3  # by how much a group may exceed the people in a grid of 32-bit numbers; more is a fault

Sources = dict[str, list[tuple[Path, int]]]


def read_grid(
    path: Path,
    area: Area,
    *,
    unit: Unit | None,
    bands: Mapping[str, Sequence[int]] | None = None,
    files: Mapping[str, Sequence[Path]] | None = None,
) -> tuple[gpd.GeoDataFrame, tuple[Fault, ...]]:
    """Read a grid of people where the area is: a point at the centre of every cell that somebody lives in.

    A cell counts where its centre lies in a unit. Cells without data, and those nobody lives in, are left out.

    Parameters
    ----------
    path : file
        GeoTIFF in any CRS, north up.
    unit : 'per_cell' or 'per_hectare'
        What its values are. Persons per hectare are multiplied by each cell's true area on the ellipsoid.
    bands : {group: bands}, optional
        Bands (from 1) added up to `people_<group>`, or to `people` itself. Left out: the one band of the file.
    files : {group: files}, optional
        Further grids on the same cells, their first bands added up, likewise.

    Without `people` among them, people are the sum of all bands named.

    Returns
    -------
    demand, notes
        Index `g<row>_<col>` of the file; `people`, `people_<group>`, `unit`. The note tells cells and people read.

    Raises
    ------
    InputError
        With every fault: no unit, unreadable, no CRS, rotated, bands that are not there, grids that differ, negative
        values without a nodata value, nothing in the area.
    """
    with ExitStack() as stack:
        stack.enter_context(rasterio.Env(GDAL_CACHEMAX=CACHE_MB))
        named = [path, *(f for group in (files or {}).values() for f in group)]
        grids = {p: stack.enter_context(_opened(p)) for p in dict.fromkeys(named)}
        first = grids[path]
        sources = _sources(path, first.count, bands, files)
        refuse([*_unit_faults(unit, path), *_grid_faults(grids, path), *_band_faults(sources, grids)])
        window = _window(first, area)
        if window is None:
            raise InputError(Fault("vector.outside", path.name))
        system = CRS.from_wkt(first.crs.to_wkt())
        to_metres = Transformer.from_crs(system, area.crs, always_xy=True)
        reading = _Reading(grids, sources, first, _in_grid(area, system), to_metres, unit)
        parts = [reading.people(block) for block in _blocks(first, window)]
    cells = _Cells.joined(parts, list(sources))
    return _demand(cells, area, path)


@dataclass(frozen=True)
class _Cells:
    """Inhabited cells: row and column in the file, centre in the area's CRS, unit, and people per column."""

    row: IntArray
    col: IntArray
    xy: FloatArray
    unit: IntArray
    people: dict[str, FloatArray]
    negative: int = 0

    @classmethod
    def joined(cls, parts: Sequence["_Cells"], columns: Sequence[str]) -> "_Cells":
        """All blocks in one."""
        row, col, xy, unit = (
            np.concatenate([getattr(p, name) for p in parts]) for name in ("row", "col", "xy", "unit")
        )
        people = {c: np.concatenate([p.people[c] for p in parts]) for c in columns}
        return cls(row, col, xy, unit, people, sum(p.negative for p in parts))


@contextmanager
def _opened(path: Path) -> Iterator[Any]:
    """A GeoTIFF and nothing else: other drivers would follow links inside the file to other files and addresses."""
    if not path.is_file():
        raise MissingInputError(Fault("grids.missing", str(path.name)))
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", NotGeoreferencedWarning)  # a fault says so, in words
            grid = rasterio.open(path.resolve(), driver="GTiff")
        with grid:
            yield grid
    except RasterioError as error:
        reason = (str(error).splitlines() or [""])[0].replace(str(path.resolve()), path.name)[:200]
        raise InputError(Fault("vector.unreadable", path.name, {"reason": reason})) from None


def _sources(
    path: Path, count: int, bands: Mapping[str, Sequence[int]] | None, files: Mapping[str, Sequence[Path]] | None
) -> Sources:
    """The bands that add up to each column; `people` first."""
    named: Sources = {group: [(path, int(b)) for b in of] for group, of in (bands or {}).items()}
    for group, paths in (files or {}).items():
        named.setdefault(group, []).extend((p, 1) for p in paths)
    if "people" not in named and (files or not named):
        named["people"] = [(path, 1)] if count == 1 else []  # several bands, and nobody says which: refused
    people = named.pop("people", list(dict.fromkeys(source for of in named.values() for source in of)))
    return {"people": people} | {f"people_{group}": of for group, of in named.items()}


def _unit_faults(unit: Unit | None, path: Path) -> list[Fault]:
    return [] if unit in ("per_cell", "per_hectare") else [Fault("grids.no_unit", path.name)]


def _grid_faults(grids: Mapping[Path, Any], path: Path) -> list[Fault]:
    first, faults = grids[path], []
    if first.crs is None:
        faults.append(Fault("table.no_crs", path.name))
    if first.transform.b or first.transform.d:
        faults.append(Fault("grids.rotated", path.name))
    for other, grid in grids.items():
        same = grid.shape == first.shape and grid.crs == first.crs
        if not (same and grid.transform.almost_equals(first.transform, precision=1e-9)):
            faults.append(Fault("grids.differ", other.name, {"other": path.name}))
    return faults


def _band_faults(sources: Sources, grids: Mapping[Path, Any]) -> list[Fault]:
    faults = []
    if not sources["people"]:
        path, grid = next(iter(grids.items()))
        told = "; ".join(f"{i}: {text or '?'}" for i, text in zip(grid.indexes, grid.descriptions, strict=True))
        faults.append(Fault("grids.which_band", path.name, {"count": grid.count, "bands": told[:300]}))
    for path, band in dict.fromkeys(source for of in sources.values() for source in of):
        if not 1 <= band <= grids[path].count:
            faults.append(Fault("grids.no_band", path.name, {"band": band, "count": grids[path].count}))
    return faults


def _window(grid: Any, area: Area) -> Window | None:  # noqa: ANN401 - rasterio ships no types
    """The cells of the grid around the area; None if there are none."""
    there = Transformer.from_crs(area.crs, CRS.from_wkt(grid.crs.to_wkt()), always_xy=True)
    left, bottom, right, top = area.units.total_bounds.tolist()
    west, south, east, north = there.transform_bounds(left, bottom, right, top, densify_pts=51)
    cols, rows = at(~grid.transform, np.array([west, east]), np.array([north, south]))
    col, row = int(np.floor(min(cols))) - 1, int(np.floor(min(rows))) - 1
    wide, high = int(np.ceil(max(cols))) + 1 - col, int(np.ceil(max(rows))) + 1 - row
    try:
        return Window(col, row, wide, high).intersection(Window(0, 0, grid.width, grid.height))
    except WindowError:
        return None


def _blocks(grid: Any, window: Window) -> Iterator[Window]:  # noqa: ANN401 - rasterio ships no types
    """The window in pieces that end where the file's blocks do, so that none is read twice."""
    high, wide = (size if size >= BLOCK else BLOCK // size * size for size in grid.block_shapes[0])
    for top in range(window.row_off // high * high, window.row_off + window.height, high):
        for left in range(window.col_off // wide * wide, window.col_off + window.width, wide):
            yield Window(left, top, wide, high).intersection(window)


@dataclass(frozen=True)
class _Reading:
    """What is read from which open grids, for which units."""

    grids: Mapping[Path, Any]
    sources: Sources
    grid: Any
    units: GeometryArray  # in the grid's CRS
    to_metres: Transformer
    unit: Unit | None

    def people(self, window: Window) -> _Cells:
        """The inhabited cells of one window whose centres lie in a unit."""
        wanted = dict.fromkeys(source for of in self.sources.values() for source in of)
        read = {
            (path, band): self.grids[path].read(band, window=window, masked=True, out_dtype="float64").filled(0.0)
            for path, band in wanted
        }
        values = {column: np.nan_to_num(sum(read[s] for s in of), nan=0.0) for column, of in self.sources.items()}
        owner = self._owner(window)
        row, col = np.nonzero((values["people"] > 0) & (owner >= 0))
        x, y = at(self.grid.transform, col + window.col_off + 0.5, row + window.row_off + 0.5)
        hectares = np.ones(window.height)
        if self.unit == "per_hectare":
            rows = np.arange(window.height) + window.row_off
            hectares = cell_m2(self.grid.transform, CRS.from_wkt(self.grid.crs.to_wkt()), rows, window) / 10_000.0
        return _Cells(
            row + window.row_off,
            col + window.col_off,
            np.column_stack(self.to_metres.transform(x, y)).reshape(-1, 2),
            owner[row, col],
            {c: layer[row, col] * hectares[row] for c, layer in values.items()},
            sum(int((layer < 0).sum()) for layer in read.values()),
        )

    def _owner(self, window: Window) -> IntArray:
        """Position of the unit that the centre of each cell lies in, the first where they overlap; -1 for none."""
        whole, shape = self.grid.transform, (window.height, window.width)
        x, y = at(
            whole, window.col_off + np.array([0.0, window.width]), window.row_off + np.array([0.0, window.height])
        )
        touched = np.flatnonzero(shapely.intersects(shapely.box(x.min(), y.min(), x.max(), y.max()), self.units))
        if not len(touched):
            return np.full(shape, -1)
        drawn = [(self.units[u], int(u)) for u in touched[::-1]]
        here = Affine(whole.a, 0.0, float(x[0]), 0.0, whole.e, float(y[0]))
        return np.asarray(rasterize(drawn, out_shape=shape, transform=here, fill=-1, dtype="int32"))


def _in_grid(area: Area, system: CRS) -> GeometryArray:
    """Units in the grid's CRS; sides straight in metres stay so to the centimetre."""
    units = gpd.GeoSeries(shapely.segmentize(area.units.geometry.array, SIDE_M), crs=area.crs)
    return np.asarray(units.to_crs(system).array, dtype=object)


def _demand(cells: _Cells, area: Area, path: Path) -> tuple[gpd.GeoDataFrame, tuple[Fault, ...]]:
    faults = [Fault("grids.negative", path.name, {"cells": cells.negative})] if cells.negative else []
    if not len(cells.row):
        faults.append(Fault("grids.empty", path.name))
    total = cells.people["people"]
    people = {c: _capped(layer, total) for c, layer in cells.people.items()}
    for column, layer in people.items():
        if (over := int((layer > total).sum())) > 0:
            faults.append(Fault("grids.group_over_total", path.name, {"column": column, "cells": over}))
    refuse(faults)
    row, col = (pc.cast(pa.array(number), pa.string()) for number in (cells.row, cells.col))
    ids = pc.binary_join_element_wise(pc.binary_join_element_wise("g", row, ""), col, "_")  # millions of f-strings wait
    points = gpd.GeoSeries(shapely.points(cells.xy), index=pd.Index(ids.to_pandas(), name="demand_id"), crs=area.crs)
    frame = gpd.GeoDataFrame(people, index=points.index, geometry=points)
    demand = frame.assign(unit=area.units.index.to_numpy()[cells.unit])
    note = Fault("grids.read", path.name, {"cells": len(demand), "people": round(float(total.sum()))})
    return check_demand(demand, path.name), (note,)


def _capped(layer: FloatArray, total: FloatArray) -> FloatArray:
    """A group at most the people, where rounding alone takes it above."""
    close: BoolArray = layer <= total * (1 + ROUNDING)
    return np.where(close, np.minimum(layer, total), layer)
