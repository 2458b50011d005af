"""People as pictures: population cells by density and by who serves them, laid exactly on the Web Mercator map."""

import base64
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from io import BytesIO

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
from affine import Affine
from numpy.typing import NDArray
from PIL import Image
from pyproj import CRS, Transformer
from rasterio.enums import Resampling
from rasterio.warp import reproject
from scipy.spatial import cKDTree

from walkshed.contracts import FloatArray, IntArray

STATES = ("unserved", "gained", "served")
"""What becomes of a cell: nobody serves it, the proposals do, it was served before."""

RAMPS = {
    "unserved": ("#fbd3a4", "#f8ac62", "#ec7f2b", "#c85509", "#8a3303"),
    "gained": ("#e6c9ee", "#cf9bdb", "#b068c4", "#8a35a3", "#5c1075"),
    "served": ("#c5daee", "#95bfe0", "#5d99cc", "#2b70ae", "#0b4478"),
}
"""Light to dense. Orange, purple and blue are told apart with every common colour blindness."""

CLASSES = 5
MERCATOR = CRS.from_epsg(3857)
BLOCK_PX = 1024
Grid8 = NDArray[np.uint8]


@dataclass(frozen=True)
class Cells:
    """Demand on a square grid in the metric CRS: `classes` (rows, columns; north first), 0 empty, else see `code`.

    cell_m : edge of a cell; west_m, north_m : outer corner of the grid; breaks : upper bounds of the density classes,
    people per hectare, the last being open.
    """

    crs: CRS
    classes: Grid8
    cell_m: float
    west_m: float
    north_m: float
    breaks: tuple[float, ...]


def cell_size_m(xy: FloatArray) -> float:
    """Edge of the grid that points stand on: the usual distance to the nearest other, between 25 m and 1 km.

    >>> cell_size_m(np.array([[50.0, 50], [150, 50], [150, 150], [950, 950]]))
    100.0
    """
    if len(xy) < 2:  # noqa: PLR2004 - one point has no neighbour
        return 100.0
    distance_m = cKDTree(xy).query(xy[:: max(1, len(xy) // 5_000)], k=2)[0][:, 1]
    return float(np.clip(np.round(np.median(distance_m), 3), 25.0, 1_000.0))


def density_breaks(people: FloatArray, per_ha: FloatArray) -> tuple[float, ...]:
    """Upper bounds of all density classes but the last: round numbers near the 10, 35, 65 and 90 % marks of people.

    >>> density_breaks(np.ones(100), np.arange(1.0, 101))
    (10.0, 40.0, 60.0, 90.0)
    """
    order = np.argsort(per_ha, kind="stable")
    total = np.cumsum(people[order])
    if not len(total) or total[-1] <= 0:
        return ()
    marks = per_ha[order][np.searchsorted(total, np.array([0.1, 0.35, 0.65, 0.9]) * total[-1])]
    power = 10.0 ** np.floor(np.log10(np.maximum(marks, 1e-9)))
    return tuple(sorted({float(value) for value in np.round(marks / power) * power}))


def cells_of(demand: gpd.GeoDataFrame, *, finer: Cells | None = None, times: int = 1) -> Cells:
    """Put demand on its grid. A cell's colour is that of most of its people; its density counts people where they live.

    finer, times : the same people already drawn, to be drawn again in the same classes, so many times coarser.
    """
    xy, people = shapely.get_coordinates(demand.geometry.array), demand["people"].to_numpy(dtype=float)
    own_m = finer.cell_m if finer else cell_size_m(xy)
    size_m = own_m * times
    before, after = (demand[c].to_numpy(dtype=float) for c in ("served_before", "served_after"))
    west_m, south_m = xy.min(axis=0) - own_m / 2
    column, row = (((xy - (west_m, south_m)) / size_m) // 1).astype(np.int64).T
    shape = int(row.max()) + 1, int(column.max()) + 1
    key = (shape[0] - 1 - row) * shape[1] + column
    used, cell = np.unique(key, return_inverse=True)
    shares = np.stack([people * (1 - after), people * (after - before), people * before])
    of_state = np.stack([np.bincount(cell, share, len(used)) for share in shares])
    total = of_state.sum(axis=0)
    homes = np.bincount(cell, people > 0, len(used)) if size_m > own_m else np.ones(len(used))
    per_ha = total / np.maximum(homes, 1) / (own_m**2 / 10_000)
    limits = finer.breaks if finer else density_breaks(total, per_ha)
    code = 1 + of_state.argmax(axis=0) * CLASSES + np.searchsorted(limits, per_ha, side="left")
    classes = np.zeros(shape, np.uint8)
    classes.flat[used] = np.where(total > 0, code, 0)
    return Cells(CRS.from_user_input(demand.crs), classes, size_m, west_m, south_m + shape[0] * size_m, limits)


@dataclass(frozen=True)
class Picture:
    """One image overlay: `state`, a PNG as a data URI, and its corners as [[south, west], [north, east]] in degrees."""

    state: str
    uri: str
    bounds: list[list[float]]


def pictures(cells: Cells, *, px_per_cell: float) -> list[Picture]:
    """Draw cells as PNG overlays in Web Mercator, in blocks where there are people, transparent elsewhere.

    Leaflet stretches an image linearly in Web Mercator, so that is the projection the pixels must be in.
    """
    px_m = _mercator_px_m(cells, px_per_cell)
    return [picture for col, row in _blocks(cells, px_m) for picture in _draw(cells, px_m, col, row)]


def mercator(crs: CRS, xy: FloatArray) -> FloatArray:
    """Project metric coordinates (k, 2) to Web Mercator (EPSG:3857)."""
    return np.stack(_to_mercator(crs).transform(xy[:, 0], xy[:, 1]), axis=1)


@cache
def _to_mercator(crs: CRS) -> Transformer:
    return Transformer.from_crs(crs, MERCATOR, always_xy=True)  # a third of a second each time


def degrees(x: float, y: float) -> list[float]:
    """Return [lat, lon] of a Web Mercator point.

    >>> degrees(0.0, 0.0)
    [0.0, 0.0]
    """
    radius = 6_378_137.0
    lat = np.degrees(np.arctan(np.sinh(y / radius)))
    return [round(float(lat), 8), round(float(np.degrees(x / radius)), 8)]


def _centres(cells: Cells) -> FloatArray:
    row, column = np.nonzero(cells.classes)
    return np.stack([cells.west_m + (column + 0.5) * cells.cell_m, cells.north_m - (row + 0.5) * cells.cell_m], axis=1)


def _mercator_px_m(cells: Cells, px_per_cell: float) -> float:
    """Edge of a pixel in Web Mercator metres, which are longer than real ones away from the equator."""
    rows, columns = cells.classes.shape
    x, y = cells.west_m + columns * cells.cell_m / 2, cells.north_m - rows * cells.cell_m / 2
    step = mercator(cells.crs, np.array([[x, y], [x, y + cells.cell_m]]))
    return float(np.hypot(*(step[1] - step[0]))) / px_per_cell


def _blocks(cells: Cells, px_m: float) -> Iterator[tuple[int, int]]:
    """Blocks of pixels that hold a cell, or a part of one."""
    side_m, reach_m = px_m * BLOCK_PX, cells.cell_m * 1.5
    offsets = np.array([(-reach_m, -reach_m), (-reach_m, reach_m), (reach_m, -reach_m), (reach_m, reach_m)])
    near = np.floor((mercator(cells.crs, _centres(cells))[:, None] + offsets) / side_m).astype(np.int64)
    for code in pd.unique(np.sort(near[..., 0] * 2**32 + near[..., 1] + 2**31, axis=None)):
        yield int(code) >> 32, (int(code) & 0xFFFFFFFF) - 2**31


def _draw(cells: Cells, px_m: float, col: int, row: int) -> Iterator[Picture]:
    side = px_m * BLOCK_PX
    west, north = col * side, (row + 1) * side
    block: Grid8 = np.zeros((BLOCK_PX, BLOCK_PX), np.uint8)
    reproject(
        cells.classes, block,
        src_crs=cells.crs, src_transform=Affine(cells.cell_m, 0, cells.west_m, 0, -cells.cell_m, cells.north_m),
        dst_crs=MERCATOR, dst_transform=Affine(px_m, 0, west, 0, -px_m, north), resampling=Resampling.nearest,
    )  # fmt: skip
    for number, state in enumerate(STATES):
        mine = block - np.uint8(number * CLASSES)
        mine[(block <= number * CLASSES) | (block > (number + 1) * CLASSES)] = 0
        rows, columns = np.flatnonzero(mine.any(axis=1)), np.flatnonzero(mine.any(axis=0))
        if len(rows):
            top, bottom, left, right = rows[0], rows[-1] + 1, columns[0], columns[-1] + 1
            south_west = degrees(west + left * px_m, north - bottom * px_m)
            north_east = degrees(west + right * px_m, north - top * px_m)
            yield Picture(state, png_uri(mine[top:bottom, left:right], RAMPS[state]), [south_west, north_east])


def png_uri(classes: Grid8, ramp: tuple[str, ...]) -> str:
    """Return classes (0 transparent, 1 the first colour, ...) as a PNG with a palette, in a data URI."""
    colours: IntArray = np.array([int(colour[i : i + 2], 16) for colour in ("#000000", *ramp) for i in (1, 3, 5)])
    image = Image.fromarray(np.ascontiguousarray(classes))
    image.putpalette(colours.tolist())
    file = BytesIO()
    image.save(file, "PNG", transparency=0, bits=4)
    return "data:image/png;base64," + base64.b64encode(file.getvalue()).decode()
