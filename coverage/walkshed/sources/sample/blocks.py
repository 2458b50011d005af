"""What a block is used for, the streets inside it, and its few gates."""

from dataclasses import dataclass

import numpy as np
import shapely

from walkshed.contracts import BoolArray, FloatArray, IntArray
from walkshed.sources.sample.arteries import Arteries
from walkshed.sources.sample.land import ORIGIN, Land
from walkshed.sources.sample.shapes import Shapes, dots, links
from walkshed.sources.sample.weave import Weave, halve, thin, weave

USES = ("home", "campus", "market", "industry", "park")
HOME, CAMPUS, MARKET, INDUSTRY, PARK = range(5)
SPACING_M = np.array([[62, 105], [85, 130], [80, 120], [140, 220], [110, 180]], dtype=float)
"""Between inner streets, least and most, by use."""
WALL_M = 28.0  # from the middle of the big street to the first inner one
DENSITY = np.array([1.0, 0.30, 0.18, 0.0, 0.0])
"""People against a block of homes in the same place, by use: ours, no source."""
# Shares of uses and where they lie: by eye, ours.
WORKS_BEARINGS = ((222, 28), (48, 24), (350, 16))  # degrees from east: middle and half width of the works' sectors
CENTRE_KM = 3.0
FRINGE_M2, FRINGE_WORKS = 900_000.0, 0.7  # blocks so large are not yet cut up: mostly works and fields
RIVERSIDE_M = 115.0
NO_GATE = 0.035  # of the compounds have no gate in the data: islands, as OpenStreetMap has them


@dataclass(frozen=True)
class Blocks:
    """Blocks with their inner streets.

    shape : polygons; use : position in `USES`; town : patch; density : people per area, up to a factor.
    inner : lattice, `home` is the block; part : compound of each inner junction.
    gate_from : inner junction; gate_line, gate_at_m : big street it opens on and where along it; gate_xy : (g, 2).
    """

    shape: Shapes
    use: IntArray
    town: IntArray
    density: FloatArray
    inner: Weave
    part: IntArray
    gate_from: IntArray
    gate_line: IntArray
    gate_at_m: FloatArray
    gate_xy: FloatArray


def furnish(arteries: Arteries, land: Land, rng: np.random.Generator) -> Blocks:
    """Give every block a use, inner streets and gates."""
    shape, town = arteries.blocks, arteries.town
    use = _uses(shape, land, rng)
    density = _density(shape, town, use, land, rng)
    low, high = SPACING_M[use].T
    spacing = low + (high - low) * rng.random(len(shape))
    woven = weave(list(shapely.buffer(shape, -WALL_M)), spacing, _angles(shape), rng)
    dry = ~np.asarray(shapely.contains_xy(land.water.buffer(10), *woven.xy.T))
    woven = woven.keep(dry[woven.start] & dry[woven.end])
    centre = shapely.get_coordinates(shapely.centroid(shape))
    woven = halve(woven, centre, rng, share=0.55)
    inner = thin(woven, 0.60, rng)
    part = inner.parts().astype(np.int64)
    gate = _gates(inner, part, shape, spacing, rng)
    line, at, foot = _onto(inner.xy[gate], arteries.line)
    opens = _clear(inner.xy[gate], foot, land) & (np.hypot(*(inner.xy[gate] - foot).T) < 2.5 * WALL_M + 60)
    return Blocks(shape, use, town, density, inner, part, gate[opens], line[opens], at[opens], foot[opens])


def _uses(shape: Shapes, land: Land, rng: np.random.Generator) -> IntArray:
    """Mostly homes; works in the south-west, east and north-east; parks by water and here and there."""
    centre = shapely.get_coordinates(shapely.centroid(shape))
    x, y = ((centre - ORIGIN) / (1_000.0 * land.stretch)).T
    radius, bearing = np.hypot(x, y), np.degrees(np.arctan2(y, x)) % 360
    works = np.logical_or.reduce([np.abs(bearing - middle) < half for middle, half in WORKS_BEARINGS])
    patchy = np.sin(x * 1.1 + 2) + np.sin(y * 1.3) + 0.8 * np.sin((x + y) * 0.7)
    share = {
        CAMPUS: np.full(len(shape), 0.055),
        MARKET: np.where(radius < CENTRE_KM, 0.13, 0.05),
        INDUSTRY: np.where(works, 0.34, 0.07) * np.where(patchy > 0, 1.5, 0.5) * (radius > CENTRE_KM),
        PARK: np.full(len(shape), 0.06),
    }
    up_to = np.cumsum(list(share.values()), axis=0)
    draw = rng.random(len(shape))
    use = np.append(list(share), HOME)[(draw >= up_to).sum(axis=0)]
    use[(shapely.area(shape) > FRINGE_M2) & (draw < FRINGE_WORKS)] = INDUSTRY
    by_river = shapely.distance(shapely.centroid(shape), land.rivers["伊通河"]) < RIVERSIDE_M
    use[by_river | shapely.intersects(shape, shapely.union_all(list(land.lakes.values())))] = PARK
    return np.asarray(use)


def _density(shape: Shapes, town: IntArray, use: IntArray, land: Land, rng: np.random.Generator) -> FloatArray:
    """Highest in the middle, thinning outward, uneven from block to block."""
    centre = shapely.get_coordinates(shapely.centroid(shape))
    radius = np.hypot(*((centre - ORIGIN) / (1_000.0 * land.stretch)).T)
    slope = np.where(town == 0, np.exp(-((radius / 10.5) ** 1.6)) + 0.2, 0.6)
    return DENSITY[use] * slope * np.exp(np.clip(rng.normal(0.0, 0.38, len(shape)), -1.0, 0.7))


def _angles(shape: Shapes) -> FloatArray:
    """Direction of the long side of each block's smallest rectangle, radians."""
    corners = shapely.get_coordinates(shapely.get_exterior_ring(shapely.oriented_envelope(shape))).reshape(-1, 5, 2)
    side = np.diff(corners[:, :3], axis=1)
    long = np.argmax(np.hypot(side[..., 0], side[..., 1]), axis=1)
    step = side[np.arange(len(shape)), long]
    return np.asarray(np.arctan2(step[:, 1], step[:, 0]))


def _gates(inner: Weave, part: IntArray, shape: Shapes, spacing: FloatArray, rng: np.random.Generator) -> IntArray:
    """One to four inner junctions per compound that open on a big street: near the wall, else anywhere."""
    to_wall = shapely.distance(dots(inner.xy), shapely.boundary(shape)[inner.home])
    far = to_wall > WALL_M + spacing[inner.home]
    size = np.bincount(part)
    wanted = np.clip(1 + rng.poisson(size / 9.0), 1, 4)
    wanted[rng.random(len(size)) < NO_GATE] = 0
    order = np.lexsort([rng.random(len(part)), far, part])
    first = np.concatenate([[0], np.cumsum(size)])[:-1]
    rank = np.arange(len(part)) - first[part[order]]
    return np.asarray(order[rank < wanted[part[order]]])


def _onto(xy: FloatArray, line: Shapes) -> tuple[IntArray, FloatArray, FloatArray]:
    """Nearest line of each point, where along it, and the foot."""
    points = dots(xy)
    nearest = shapely.STRtree(line).nearest(points)
    at = shapely.line_locate_point(line[nearest], points)
    return nearest, at, shapely.get_coordinates(shapely.line_interpolate_point(line[nearest], at))


def _clear(xy: FloatArray, foot: FloatArray, land: Land) -> BoolArray:
    """True where the way to the gate crosses neither water nor rails."""
    barriers = shapely.union_all([land.water, *land.railways.values()])
    shapely.prepare(barriers)
    return np.asarray(~shapely.intersects(barriers, links(xy, foot)))
