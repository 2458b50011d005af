"""People as pictures, drawn again in a moment when who is served changes: where every pixel lies is known by then.

Same squares, classes and colours as the pictures of `publish.images`; there each picture is warped from the metric grid
to Web Mercator, here that is worked out once per city.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import geopandas as gpd
import numpy as np
from numpy.typing import NDArray
from pyproj import CRS, Transformer

from walkshed.contracts import FloatArray, IntArray
from walkshed.publish.images import CLASSES, MERCATOR, RAMPS, STATES, Cells, Grid8, cells_of, degrees, mercator, png_uri
from walkshed.publish.scene import COARSE, OVERVIEW_ZOOM

BLOCK_PX = 1024
PX_PER_CELL = 2.0


@dataclass(frozen=True, eq=False)
class Canvas:
    """Pixels of a city: `col, row` in a grid of `px_m` Web Mercator metres (north is up), and the cell each lies in.

    Sorted by block; block `b` is `ptr[b]:ptr[b + 1]`, its corner pixel `corner[b]`.
    """

    cells: Cells
    px_m: float
    col: IntArray
    row: IntArray
    cell: IntArray
    ptr: IntArray
    corner: IntArray


def canvases(demand: gpd.GeoDataFrame) -> tuple[Canvas, Canvas]:
    """Where every pixel lies, for the city's own squares and for coarser ones of the overview."""
    fine = cells_of(demand)
    return canvas(fine), canvas(cells_of(demand, finer=fine, times=COARSE))


def canvas(cells: Cells) -> Canvas:
    """Lay out the pixels of a grid of cells: each goes to the cell its middle lies in."""
    middle = _middles(cells)
    x, y = middle.mean(axis=0)
    here = mercator(cells.crs, np.array([[x, y], [x, y + cells.cell_m]]))
    px_m = float(np.hypot(*(here[1] - here[0]))) / PX_PER_CELL
    around = np.arange(-int(PX_PER_CELL) - 1, int(PX_PER_CELL) + 2)
    offsets = np.stack(np.meshgrid(around, around), axis=-1).reshape(-1, 2)
    near = np.floor(mercator(cells.crs, middle) / px_m).astype(np.int64)
    code = np.unique((near[:, None] + offsets)[..., 0] * 2**32 + (near[:, None] + offsets)[..., 1] + 2**31)
    col, row = code >> 32, (code & 0xFFFFFFFF) - 2**31
    cell = _cell_at(cells, (col + 0.5) * px_m, (row + 0.5) * px_m)
    kept = cell >= 0
    col, row, cell = col[kept], row[kept], cell[kept]
    block = (col // BLOCK_PX) * 2**32 + (row // BLOCK_PX) + 2**31
    order = np.argsort(block, kind="stable")
    first = np.flatnonzero(np.diff(block[order], prepend=-(2**62)))
    corner = np.stack([col[order][first] // BLOCK_PX, row[order][first] // BLOCK_PX], axis=1) * BLOCK_PX
    return Canvas(cells, px_m, col[order], row[order], cell[order], np.append(first, len(order)), corner)


def painted(demand: gpd.GeoDataFrame, both: tuple[Canvas, Canvas]) -> tuple[list[dict[str, Any]], Cells]:
    """Pictures for the map's script: state, PNG, corners and the zooms they are for; and the classes they show."""
    fine = cells_of(demand, finer=both[0].cells)
    coarse = cells_of(demand, finer=both[0].cells, times=COARSE)
    levels = ((0.0, OVERVIEW_ZOOM, both[1], coarse), (OVERVIEW_ZOOM, 99.0, both[0], fine))
    items = [{**item, "from": low, "to": high} for low, high, laid, cells in levels for item in _pictures(laid, cells)]
    return items, fine


def _pictures(laid: Canvas, cells: Cells) -> Iterator[dict[str, Any]]:
    code = cells.classes.ravel()[laid.cell]
    for number in range(len(laid.corner)):
        part = slice(laid.ptr[number], laid.ptr[number + 1])
        col, row = laid.col[part], laid.row[part]
        west, south, east, north = col.min(), row.min(), col.max() + 1, row.max() + 1
        block: Grid8 = np.zeros((north - south, east - west), np.uint8)
        block[north - 1 - row, col - west] = code[part]
        box = [degrees(west * laid.px_m, south * laid.px_m), degrees(east * laid.px_m, north * laid.px_m)]
        for at, state in enumerate(STATES):
            mine = np.where((block > at * CLASSES) & (block <= (at + 1) * CLASSES), block - np.uint8(at * CLASSES), 0)
            if mine.any():
                yield {"state": state, "uri": png_uri(mine.astype(np.uint8), RAMPS[state]), "bounds": box}


def _middles(cells: Cells) -> FloatArray:
    row, column = np.nonzero(cells.classes)
    return np.stack([cells.west_m + (column + 0.5) * cells.cell_m, cells.north_m - (row + 0.5) * cells.cell_m], axis=1)


def _cell_at(cells: Cells, x: NDArray[np.floating], y: NDArray[np.floating]) -> IntArray:
    """Cell, as a position in the flat grid, at Web Mercator points; -1 where nobody lives."""
    east, north = Transformer.from_crs(MERCATOR, CRS.from_user_input(cells.crs), always_xy=True).transform(x, y)
    rows, columns = cells.classes.shape
    column = np.floor((east - cells.west_m) / cells.cell_m).astype(np.int64)
    row = np.floor((cells.north_m - north) / cells.cell_m).astype(np.int64)
    inside = (column >= 0) & (column < columns) & (row >= 0) & (row < rows)
    flat = np.where(inside, row * columns + column, 0)
    return np.where(inside & (cells.classes.ravel()[flat] > 0), flat, -1)
