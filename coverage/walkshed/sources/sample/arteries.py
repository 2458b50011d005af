"""The big streets of the core and of the unit seats: warped grids, rings and radials, and the blocks between them."""

from dataclasses import dataclass

import numpy as np
import pandas as pd
import shapely
from shapely.geometry.base import BaseGeometry

from walkshed.contracts import BoolArray, FloatArray, IntArray
from walkshed.sources.sample.facts import CORE, Facts
from walkshed.sources.sample.land import ORIGIN, STATION_KM, Land
from walkshed.sources.sample.shapes import Names, Shapes, dots, links
from walkshed.sources.sample.weave import blobs

RINGS_KM = (2.7, 5.0, 7.6, 10.4)
RADIAL_BEARINGS = (25, 68, 128, 160, 207, 333)  # degrees from east, counterclockwise
BANK_M = 125.0  # a road along either bank of the river, so far from its middle
BRIDGE_EVERY_M = 1_100.0
MISSING = 0.14  # of the pieces of minor streets
SHORT_M, LEAST_RING_M, LEAST_BLOCK_M2 = 40.0, 900.0, 6_000.0  # less is not drawn
CROSSING_EVERY_M = 2_200.0  # over or under the railway
SEAT_PEOPLE_PER_KM2 = 9_000.0
SEAT_SHARE = 0.62  # of a unit's townspeople live in its seat, the others in its towns: ours, no source


@dataclass(frozen=True)
class Strokes:
    """Straight pieces of street with what they are: `line` (k,), `name`, `level`, `rank` (0 most important)."""

    line: Shapes
    name: Names
    level: Names
    rank: IntArray

    def take(self, rows: BoolArray) -> "Strokes":
        """Some of the strokes."""
        return Strokes(self.line[rows], self.name[rows], self.level[rows], self.rank[rows])


@dataclass(frozen=True)
class Arteries:
    """Big streets cut at their crossings, and the blocks between them.

    line : LineStrings that share exact end points; name, level; blocks : polygons, whole, `town` (patch) of each.
    patches : built-up polygons, core first, then a seat per outer unit, in the order of `towns` (unit ids).
    """

    line: Shapes
    name: Names
    level: Names
    blocks: Shapes
    town: IntArray
    patches: list[BaseGeometry]
    towns: list[str]


def lay_out(facts: Facts, land: Land, rng: np.random.Generator) -> Arteries:
    """Draw the big streets of all built-up patches and cut them at their crossings."""
    towns, patches = _patches(facts, land, rng)
    names = [f"{part}{end}" for end in ("大街", "路") for part in facts.words("street")]
    strokes = [_core_grid(land, patches[0], names, rng), *_rings(facts, land), *_radials(facts, land), *_banks(land)]
    strokes += [_seat_grid(patch, names, rng) for patch in patches[1:]]
    every = _join(strokes)
    built = shapely.union_all(patches)
    shapely.prepare(built)
    every = every.take(shapely.contains(built, shapely.centroid(every.line)))
    dry = ~shapely.intersects(every.line, shapely.union_all([lake.buffer(40) for lake in land.lakes.values()]))
    every = every.take(dry)
    for line in land.rivers.values():
        every = every.take(crossings(every.line, every.rank, line, BRIDGE_EVERY_M))
    for line in land.railways.values():
        every = every.take(crossings(every.line, every.rank, line, CROSSING_EVERY_M))
    return _cut(every, land, patches, towns)


def crossings(line: Shapes, rank: IntArray, barrier: shapely.LineString, every_m: float) -> BoolArray:
    """True for lines that do not cross the barrier, and for those chosen to: the more important first, never two near.

    rank : 0 crosses before 1.
    """
    shapely.prepare(barrier)
    across = np.flatnonzero(shapely.intersects(line, barrier))
    keep = np.ones(len(line), dtype=bool)
    keep[across] = False
    at = shapely.line_locate_point(barrier, shapely.centroid(shapely.intersection(line[across], barrier)))
    taken: list[float] = []
    for k in np.lexsort([at, rank[across]]):  # a few hundred at most
        if all(abs(at[k] - other) >= every_m for other in taken):
            taken.append(float(at[k]))
            keep[across[k]] = True
    return keep


def _patches(facts: Facts, land: Land, rng: np.random.Generator) -> tuple[list[str], list[BaseGeometry]]:
    outer = [unit for unit in facts.units.index if unit not in CORE]
    rows = facts.units.index.get_indexer(pd.Index(outer))
    people = facts.units["urban"].to_numpy()[rows] * SEAT_SHARE
    radius = np.maximum(np.sqrt(people / SEAT_PEOPLE_PER_KM2 / np.pi) * 1_000.0, 250.0)
    home = land.area.units.geometry.to_numpy()[rows]
    round_ones = np.array(blobs(land.seats[rows], radius, rng, wobble=0.15))
    return ["core", *outer], [land.core, *shapely.intersection(round_ones, home)]


def _strokes(xy: FloatArray, name: object, level: str, rank: int) -> Strokes:
    """Pieces between successive points of one line."""
    line = links(xy[:-1], xy[1:])
    n = len(line)
    return Strokes(line, np.full(n, name, object), np.full(n, level, object), np.full(n, rank))


def _join(parts: list[Strokes]) -> Strokes:
    return Strokes(*(np.concatenate([getattr(p, f) for p in parts]) for f in ("line", "name", "level", "rank")))


def _grid_lines(reach_m: float, rng: np.random.Generator, low_m: float = 330.0, high_m: float = 600.0) -> FloatArray:
    """Positions of parallel streets either side of 0."""
    n = int(reach_m / low_m) + 2
    east, west = np.cumsum(rng.uniform(low_m, high_m, n)), np.cumsum(rng.uniform(low_m, high_m, n))
    lines = np.concatenate([-west[::-1], [0.0], east])
    return np.asarray(lines[np.abs(lines) <= reach_m])


def _grid(xs: FloatArray, ys: FloatArray, xy: FloatArray, names: list[str], rng: np.random.Generator) -> Strokes:
    """Strokes of a bent grid; `xy` (columns, rows, 2).

    Every third street is a major one, and crosses barriers before others; some pieces of the others are missing.
    """
    kept = []
    for axis, lines in ((0, xs), (1, ys)):
        rows = xy if axis == 0 else xy.swapaxes(0, 1)
        ordinal = np.arange(len(lines)) - int(np.argmin(np.abs(lines)))
        major = ordinal % 3 == 0
        piece = links(rows[:, :-1], rows[:, 1:])
        there = major[:, None] | (rng.random(piece.shape) > MISSING)
        street = np.array([names[(2 * k + axis) % len(names)] for k in range(len(lines))], dtype=object)
        level = np.where(major, "major", "street").astype(object)
        k = np.nonzero(there)[0]  # which street each piece belongs to
        kept.append(Strokes(piece[there], street[k], level[k], np.where(major, 1, 2)[k]))
    return _join(kept)


def _core_grid(land: Land, core: BaseGeometry, names: list[str], rng: np.random.Generator) -> Strokes:
    """The grid of the core: straight along 人民大街, tilted north of the railway and in the west, uneven elsewhere."""
    west, south, east, north = core.bounds
    reach = float(np.abs([west - ORIGIN[0], east - ORIGIN[0], south - ORIGIN[1], north - ORIGIN[1]]).max()) * 1.4
    xs, ys = _grid_lines(reach, rng), _grid_lines(reach, rng)
    x, y = np.meshgrid(xs, ys, indexing="ij")
    bump = 1 - np.exp(-((x / 1_500) ** 2))
    station = land.place(STATION_KM)[1] - ORIGIN[1]
    beyond = np.maximum(y - station, 0.0)
    out = np.maximum(-x - 4_500 * land.stretch, 0.0)
    bent_x = x + bump * (230 * np.sin(y / 2_100 + 1) + 160 * np.sin(x / 1_700 + y / 3_000)) + 0.28 * beyond
    bent_y = y + 200 * np.sin(x / 2_300) + 150 * np.sin(y / 1_900 + x / 2_700 + 1) - 0.35 * out
    xy = _snap(ORIGIN + np.stack([bent_x, bent_y], axis=-1), land)
    grid = _grid(xs, ys, xy, names, rng)
    avenue = shapely.LineString(xy[int(np.argmin(np.abs(xs)))])
    on_avenue = shapely.distance(shapely.centroid(grid.line), avenue) < 1.0
    grid.name[on_avenue] = "人民大街"
    grid.level[on_avenue] = "major"
    return grid.take(shapely.length(grid.line) > SHORT_M)


def _snap(xy: FloatArray, land: Land) -> FloatArray:
    """Pull grid corners that come near a ring, a radial or a bank road onto it: no slivers between the two."""
    lines = [*_ring_lines(land), *_radial_lines(land), *_bank_lines(land)]
    points = dots(xy.reshape(-1, 2))
    moved = xy.reshape(-1, 2).copy()
    for line, within in [(line, 150.0) for line in lines]:
        shapely.prepare(line)
        near = shapely.dwithin(points, line, within)
        foot = shapely.line_interpolate_point(line, shapely.line_locate_point(line, points[near]))
        moved[near] = shapely.get_coordinates(foot)
    return moved.reshape(xy.shape)


def _ring_lines(land: Land) -> list[shapely.LineString]:
    angle = np.linspace(0, 2 * np.pi, 180)
    c, s = np.cos(angle), np.sin(angle)
    shape = np.column_stack([np.sign(c) * np.abs(c) ** 0.8, np.sign(s) * np.abs(s) ** 0.8])
    shape *= (0.93 + 0.03 * np.sin(3 * angle))[:, None]
    radii = [r * 1_000.0 * land.stretch for r in RINGS_KM]
    return [shapely.LineString(ORIGIN + shape * r) for r in radii if r > LEAST_RING_M]


def _rings(facts: Facts, land: Land) -> list[Strokes]:
    names = ["", *facts.words("ring")]
    lines = _ring_lines(land)
    skip = len(RINGS_KM) - len(lines)
    return [
        _strokes(shapely.get_coordinates(line), names[k + skip] or "环城路", "major", 0) for k, line in enumerate(lines)
    ]


def _radial_lines(land: Land) -> list[shapely.LineString]:
    angle = np.radians(RADIAL_BEARINGS)
    step = np.arange(0, 17_000 * land.stretch, 400.0)[1:]
    inner = RINGS_KM[0] * 1_000.0 * land.stretch
    along = step[step > inner * 0.97]
    if len(along) <= 1:
        return []
    along = np.concatenate([[inner * 0.9], along])
    return [shapely.LineString(ORIGIN + np.outer(along, [np.cos(a), np.sin(a)])) for a in angle]


def _radials(facts: Facts, land: Land) -> list[Strokes]:
    names = facts.words("radial")
    lines = _radial_lines(land)
    return [_strokes(shapely.get_coordinates(line), names[k % len(names)], "major", 0) for k, line in enumerate(lines)]


def _bank_lines(land: Land) -> list[shapely.LineString]:
    near = land.rivers["伊通河"].intersection(land.core.buffer(500))
    river = max(shapely.get_parts(near), key=shapely.length, default=shapely.LineString())
    if river.length < BRIDGE_EVERY_M:
        return []
    return [part for side in (-BANK_M, BANK_M) for part in shapely.get_parts(river.offset_curve(side))]


def _banks(land: Land) -> list[Strokes]:
    return [_strokes(shapely.get_coordinates(line), "伊通河沿岸路", "street", 2) for line in _bank_lines(land)]


def _seat_grid(patch: BaseGeometry, names: list[str], rng: np.random.Generator) -> Strokes:
    middle = np.array(patch.centroid.coords[0])
    reach = float(np.hypot(*(np.array(patch.bounds[2:]) - patch.bounds[:2]))) / 2 + 100
    xs, ys = _grid_lines(reach, rng, 300.0, 520.0), _grid_lines(reach, rng, 300.0, 520.0)
    x, y = np.meshgrid(xs, ys, indexing="ij")
    x, y = x + 60 * np.sin(y / 700), y + 60 * np.sin(x / 800 + 1)
    turn = rng.uniform(-0.5, 0.5)
    c, s = np.cos(turn), np.sin(turn)
    return _grid(xs, ys, middle + np.stack([x * c - y * s, x * s + y * c], axis=-1), names[::-1], rng)


def _cut(every: Strokes, land: Land, patches: list[BaseGeometry], towns: list[str]) -> Arteries:
    """Cut strokes at their crossings (on a half-metre grid, so that ends meet exactly); blocks lie between the streets.

    Rivers and railways bound blocks too, but are no streets.
    """
    merged = shapely.line_merge(shapely.union_all(every.line, grid_size=0.5))
    line = shapely.get_parts(merged)
    line = line[shapely.length(line) > 1.0]
    from_stroke = shapely.STRtree(every.line).nearest(shapely.line_interpolate_point(line, 0.5, normalized=True))
    walls = [part.intersection(patch) for part in [*land.rivers.values(), *land.railways.values()] for patch in patches]
    rims = [patch.boundary for patch in patches]
    faces = shapely.get_parts(shapely.polygonize([shapely.union_all([*line, *walls, *rims], grid_size=0.5)]))
    faces = faces[shapely.area(faces) > LEAST_BLOCK_M2]
    inside = shapely.STRtree(patches).query(shapely.point_on_surface(faces), predicate="within")
    return Arteries(
        line=line,
        name=every.name[from_stroke],
        level=every.level[from_stroke],
        blocks=faces[inside[0]],
        town=inside[1],
        patches=patches,
        towns=towns,
    )
