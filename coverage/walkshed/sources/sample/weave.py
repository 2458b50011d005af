"""Small street lattices inside polygons: compounds, parks, towns and villages are all woven here."""

from dataclasses import dataclass

import numpy as np
import shapely
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components, minimum_spanning_tree
from shapely.geometry.base import BaseGeometry

from walkshed.contracts import BoolArray, FloatArray, Index32, IntArray


@dataclass(frozen=True)
class Weave:
    """Junctions and links between them.

    xy : (n, 2), metres; home : (n,) polygon each lies in; start, end : (m,) links as positions.
    """

    xy: FloatArray
    home: IntArray
    start: IntArray
    end: IntArray

    def parts(self) -> Index32:
        """Connected component of each junction."""
        found: Index32 = connected_components(_graph(np.ones(len(self.start)), self), directed=False)[1]
        return found

    def keep(self, links: BoolArray) -> "Weave":
        """The same junctions with some of the links, less junctions that lose their last one."""
        start, end = self.start[links], self.end[links]
        used = np.zeros(len(self.xy), dtype=bool)
        used[start] = used[end] = True
        new = np.cumsum(used) - 1
        return Weave(self.xy[used], self.home[used], new[start], new[end])


def weave(polygons: list[BaseGeometry], spacing_m: FloatArray, angle: FloatArray, rng: np.random.Generator) -> Weave:
    """Turn a square lattice by `angle` (radians) in each polygon, and shake it a little.

    Links leave no polygon. A polygon too small for a lattice gets none.
    """
    shapes = np.asarray(polygons, dtype=object)
    shapely.prepare(shapes)
    bounds = shapely.bounds(shapes)
    bounds = np.where(np.isfinite(bounds), bounds, 0.0)
    middle = (bounds[:, :2] + bounds[:, 2:]) / 2
    half = np.ceil(np.hypot(*(bounds[:, 2:] - bounds[:, :2]).T) / 2 / spacing_m).astype(np.int64)
    side = 2 * half + 1
    count = side**2
    home = np.repeat(np.arange(len(shapes)), count)
    place = np.arange(len(home)) - np.repeat(np.cumsum(count) - count, count)
    column, row = place % side[home] - half[home], place // side[home] - half[home]
    local = np.column_stack([column, row]) + rng.uniform(-0.13, 0.13, (len(home), 2))
    cos, sin = np.cos(angle)[home], np.sin(angle)[home]
    turned = np.column_stack([local[:, 0] * cos - local[:, 1] * sin, local[:, 0] * sin + local[:, 1] * cos])
    xy = middle[home] + turned * spacing_m[home, None]
    inside = shapely.contains_xy(shapes[home], *xy.T)
    right = inside & (column < half[home]) & np.append(inside[1:], False)
    above = np.minimum(np.arange(len(home)) + side[home], len(home) - 1)
    up = inside & (row < half[home]) & inside[above]
    start = np.concatenate([np.flatnonzero(right), np.flatnonzero(up)])
    end = np.concatenate([np.flatnonzero(right) + 1, above[up]])
    clear = shapely.contains_xy(shapes[home[start]], *((xy[start] + xy[end]) / 2).T)
    return Weave(xy, home, start, end).keep(clear)


def thin(woven: Weave, share: float, rng: np.random.Generator) -> Weave:
    """Drop links at random but keep every part in one piece: loops open, dead ends appear.

    share : of the links that are not needed to hold a part together, those that stay.
    """
    weight = rng.uniform(1.0, 2.0, len(woven.start))
    tree = minimum_spanning_tree(_graph(weight, woven)).tocoo()
    order = _pair(tree.coords[0], tree.coords[1], len(woven.xy))
    needed = np.isin(_pair(woven.start, woven.end, len(woven.xy)), order)
    return woven.keep(needed | (rng.random(len(woven.start)) < share))


def halve(woven: Weave, centre: FloatArray, rng: np.random.Generator, *, share: float) -> Weave:
    """Wall some polygons off into two compounds: links across a line through the middle go."""
    turn = rng.choice([0.0, np.pi / 2], len(centre)) + rng.normal(0, 0.1, len(centre))
    walled = rng.random(len(centre)) < share
    offset = woven.xy - centre[woven.home]
    side = offset[:, 0] * np.cos(turn[woven.home]) + offset[:, 1] * np.sin(turn[woven.home]) > 0
    cut = walled[woven.home[woven.start]] & (side[woven.start] != side[woven.end])
    return woven.keep(~cut)


def blobs(
    centre: FloatArray, radius_m: FloatArray, rng: np.random.Generator, *, wobble: float = 0.25
) -> list[shapely.Polygon]:
    """Round-ish polygons: outlines of towns and villages."""
    steps = 14
    angle = np.linspace(0, 2 * np.pi, steps, endpoint=False)
    reach = radius_m[:, None] * (1 + rng.uniform(-wobble, wobble, (len(centre), steps)))
    ring = np.stack([np.cos(angle) * reach, np.sin(angle) * reach], axis=-1) + centre[:, None]
    return list(np.atleast_1d(np.asarray(shapely.polygons(ring), dtype=object)))


def _graph(weight: FloatArray, woven: Weave) -> coo_array:
    n = len(woven.xy)
    return coo_array((weight, (woven.start, woven.end)), shape=(n, n)).tocsr()


def _pair(a: IntArray, b: IntArray, n: int) -> IntArray:
    return np.minimum(a, b).astype(np.int64) * n + np.maximum(a, b)
