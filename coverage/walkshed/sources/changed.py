"""Streets and barriers as a scenario changes them: a bridge closed, a footbridge built, a wall opened."""

from collections.abc import Iterable
from dataclasses import dataclass, replace

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
from numpy.typing import NDArray
from pyproj import CRS

from walkshed.contracts import FloatArray, IntArray, refuse
from walkshed.errors import Fault
from walkshed.scenario import Block, Bridge, Change, Gate
from walkshed.sources.city import City
from walkshed.sources.coordinates import to_wgs84
from walkshed.ways import Ways

JOIN_M = 50.0
"""How far an end of a new bridge may be drawn from the street it joins."""

BESIDE_M = 0.01
"""How far a street that is cut ends from the wall that cuts it: what ended on it could be reached from both sides."""

AT_M = 10.0
"""How far a gate may be drawn from the barrier it opens."""


def apply(city: City, changes: Iterable[Change]) -> City:
    """The city with its `block`, `bridge` and `gate` changes, in their order; all others are left to others.

    A block cuts every street it crosses and is a wall from then on; a bridge is a street that joins the nearest one at
    both ends; a gate opens every barrier within `AT_M`.

    Raises
    ------
    InputError
        With every change that rests on nothing: a block that crosses no street and no barrier, an end of a bridge with
        no street within `JOIN_M`, a gate with no barrier near.
    """
    every = list(enumerate(changes, start=1))
    faults: list[Fault] = []
    for number, change in every:
        where = f"[[change]] {number} {change.type}"
        if isinstance(change, Block):
            city = _blocked(city, _on_map(change.line, change.crs, city.area.crs), change.why, where, faults)
        elif isinstance(change, Bridge):
            city = _bridged(city, _on_map(change.line, change.crs, city.area.crs), change.why, where, faults)
        elif isinstance(change, Gate):
            city = _gated(city, _on_map(((change.lon, change.lat),), change.crs, city.area.crs), where, faults)
    refuse(faults)
    return city


def _on_map(points: tuple[tuple[float, float], ...], crs: str, to: CRS) -> FloatArray:
    """Places in a named system as metres; float64 (n, 2)."""
    lon, lat = np.array(points, dtype=float).T
    placed = gpd.GeoSeries(gpd.points_from_xy(*to_wgs84(lon, lat, crs)), crs="EPSG:4326").to_crs(to)
    return np.asarray(shapely.get_coordinates(placed.array))


def _blocked(city: City, xy: FloatArray, why: str, where: str, faults: list[Fault]) -> City:
    """Cut the streets at the line and keep the line as a wall."""
    line = shapely.LineString(xy)
    at = _Steps.of(city.ways)
    crossed = at.tree.query(line, predicate="intersects")
    if not len(crossed) and not shapely.intersects(line, np.asarray(city.barriers.geometry.array)).any():
        faults.append(Fault("barriers.block_nothing", where))
        return city
    wall = gpd.GeoDataFrame({"kind": ["wall"], "name": [why]}, geometry=[line], crs=city.barriers.crs or city.area.crs)
    barriers = gpd.GeoDataFrame(pd.concat([city.barriers, wall], ignore_index=False), crs=city.area.crs)
    return replace(city, ways=_cut(city.ways, at, np.sort(crossed), line), barriers=barriers)


def _bridged(city: City, xy: FloatArray, why: str, where: str, faults: list[Fault]) -> City:
    """Add the line as a street whose ends join the nearest streets at the foot of the perpendicular."""
    ways = city.ways
    joins = []
    for end in (xy[0], xy[-1]):
        at = _Steps.of(ways)
        step = int(at.tree.nearest(shapely.Point(end)))
        foot = np.asarray(shapely.shortest_line(at.lines[step], shapely.Point(end)).coords[0])
        if np.hypot(*(foot - end)) > JOIN_M:
            faults.append(
                Fault("barriers.bridge_end", where, {"far_m": float(np.hypot(*(foot - end))), "within_m": JOIN_M})
            )
            return city
        ways, node = _with_vertex(ways, at, step, foot)
        joins.append((foot, node))
    (first, from_node), (last, to_node) = joins
    inner = xy[1:-1] if len(xy) > 2 else np.empty((0, 2))  # noqa: PLR2004  a line of two ends has no inside
    line = np.vstack([first, *([xy[:1]] if np.hypot(*(first - xy[0])) > 0 else []), inner,
                      *([xy[-1:]] if np.hypot(*(last - xy[-1])) > 0 else []), last])  # fmt: skip
    free = int(ways.node.max()) + 1 + np.arange(len(line) - 2)
    keys = np.concatenate([[from_node], free, [to_node]]).astype(np.int64)
    row = dict.fromkeys(ways.frame, False) | {"name": why, "level": "path", "bridge": True}
    if "length_m" in ways.frame:
        row["length_m"] = np.nan
    frame = pd.concat([ways.frame, pd.DataFrame([row])[list(ways.frame.columns)]], ignore_index=True)
    ptr = np.append(ways.ptr, ways.ptr[-1] + len(line))
    return replace(city, ways=Ways(ways.crs, ptr, np.concatenate([ways.node, keys]), np.vstack([ways.xy, line]), frame))


def _gated(city: City, xy: FloatArray, where: str, faults: list[Fault]) -> City:
    point = shapely.Point(xy[0])
    shapes = np.asarray(city.barriers.geometry.array, dtype=object)
    edges = np.where(shapely.get_dimensions(shapes) == 2, shapely.boundary(shapes), shapes)  # noqa: PLR2004  surfaces
    near = shapely.distance(edges, point) if len(edges) else np.array([np.inf])
    if near.min() > AT_M:
        faults.append(Fault("barriers.gate_nothing", where, {"within_m": AT_M}))
        return city
    foot = shapely.shortest_line(edges[int(near.argmin())], point).coords[0]  # on the barrier, so that it opens it
    here = gpd.GeoSeries([shapely.Point(foot)], crs=city.area.crs)
    return replace(city, gates=here if city.gates is None else pd.concat([city.gates, here], ignore_index=True))


@dataclass(frozen=True, eq=False)
class _Steps:
    """Straight pieces of ways. vertex : int64 (steps,), the first vertex of each."""

    vertex: IntArray
    lines: NDArray[np.object_]
    tree: shapely.STRtree

    @classmethod
    def of(cls, ways: Ways) -> "_Steps":
        last = np.zeros(len(ways.xy), dtype=bool)
        last[ways.ptr[1:] - 1] = True
        vertex = np.flatnonzero(~last)
        lines = np.asarray(shapely.linestrings(np.stack([ways.xy[vertex], ways.xy[vertex + 1]], axis=1)), dtype=object)
        return cls(vertex, lines, shapely.STRtree(lines))


def _cut(ways: Ways, at: _Steps, steps: IntArray, line: shapely.LineString) -> Ways:
    """End a way beside the line that crosses it and begin another on its other side."""
    if not len(steps):
        return ways
    meet = shapely.get_coordinates(shapely.point_on_surface(shapely.intersection(at.lines[steps], line)))
    here, there = ways.xy[at.vertex[steps]], ways.xy[at.vertex[steps] + 1]
    ends = np.stack([_towards(meet, here), _towards(meet, there)], axis=1).reshape(-1, 2)
    before = at.vertex[steps] + 1  # both new vertices go before this one
    node = int(ways.node.max()) + 1 + np.arange(2 * len(steps))
    xy = np.insert(ways.xy, np.repeat(before, 2), ends, axis=0)
    nodes = np.insert(ways.node, np.repeat(before, 2), node)
    begins = before + 2 * np.arange(len(steps)) + 1
    shift = 2 * np.searchsorted(before, ways.ptr, side="left")
    ptr = np.sort(np.concatenate([ways.ptr + shift, begins]))
    way = np.searchsorted(ways.ptr, at.vertex[steps], side="right") - 1
    row = np.sort(np.concatenate([np.arange(len(ways.frame)), way]))
    frame = ways.frame.iloc[row].reset_index(drop=True)
    if "length_m" in frame:
        frame.loc[pd.Series(row).duplicated(keep=False).to_numpy(), "length_m"] = np.nan  # as drawn, now it is in parts
    return Ways(ways.crs, ptr.astype(np.int64), nodes, xy, frame)


def _towards(start: FloatArray, end: FloatArray) -> FloatArray:
    """Places `BESIDE_M` from a start on the way to an end, or half way where that is nearer; float64 (n, 2) each."""
    far_m = np.hypot(*(end - start).T)
    step = np.minimum(BESIDE_M / np.maximum(far_m, BESIDE_M), 0.5)
    return np.asarray(start + (end - start) * step[:, None])


def _with_vertex(ways: Ways, at: _Steps, step: int, foot: FloatArray) -> tuple[Ways, int]:
    """The ways with a vertex at a place on one of their pieces, and its key; an end of the piece serves as it is."""
    first = int(at.vertex[step])
    for vertex in (first, first + 1):
        if (ways.xy[vertex] == foot).all():
            return ways, int(ways.node[vertex])
    node = int(ways.node.max()) + 1
    ptr = ways.ptr + (ways.ptr > first)
    xy, nodes = np.insert(ways.xy, first + 1, foot, axis=0), np.insert(ways.node, first + 1, node)
    return Ways(ways.crs, ptr, nodes, xy, ways.frame), node
