"""Streets as compressed arrays of junctions and edges, and how points attach to them."""

from dataclasses import dataclass, fields
from functools import cached_property

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
from numpy.typing import NDArray
from pyproj import CRS

from walkshed._junctions import both_ways, components, cut, drawn_m, hilbert
from walkshed.barriers import Barriers
from walkshed.contracts import NM, BoolArray, FloatArray, Index32, IntArray, check_metric, refuse
from walkshed.errors import Fault

LEVELS = ("major", "street", "path")
"""How prominent a street is when drawn."""

ISLAND_M = (
    5_000.0  # a component with less street than this is an island: nothing a walking limit could reach lies on it
)


@dataclass(frozen=True)
class Ways:
    """Streets as they come from a source, before they are cut at junctions; walkable both ways.

    Attributes
    ----------
    crs : metric CRS of `xy`
    ptr : int64 (ways + 1,); way `i` has the vertices `ptr[i]:ptr[i + 1]`, at least two
    node : int64 (vertices,); equal keys are one place where walkers can turn (for OpenStreetMap: node ids)
    xy : float64 (vertices, 2), metres
    frame : one row per way: `name` ('' if none), `level` (one of `LEVELS`), optional `length_m`
        that stands in for the drawn length
    """

    crs: CRS
    ptr: IntArray
    node: IntArray
    xy: FloatArray
    frame: pd.DataFrame

    @classmethod
    def none(cls, crs: CRS) -> "Ways":
        """No streets at all: where distances come from elsewhere."""
        frame = pd.DataFrame({"name": np.empty(0, dtype=object), "level": np.empty(0, dtype=object)})
        return cls(crs, np.zeros(1, np.int64), np.empty(0, np.int64), np.empty((0, 2)), frame)

    @classmethod
    def from_lines(cls, lines: gpd.GeoDataFrame, *, where: str = "streets") -> "Ways":
        """Read LineStrings that join where they share an exact vertex (as lines cut from OpenStreetMap do).

        lines : metric CRS; optional columns `name`, `level`, `length_m`.

        Raises
        ------
        InputError
            If there is no line, no metric CRS, or a geometry that is not a LineString.
        """
        crs = check_metric(lines.crs, where)
        refuse(_line_faults(lines, where))
        xy, way = shapely.get_coordinates(lines.geometry.array, return_index=True)
        _, node = np.unique(xy, axis=0, return_inverse=True)
        ptr = np.concatenate([[0], np.cumsum(np.bincount(way, minlength=len(lines)))]).astype(np.int64)
        frame = pd.DataFrame(
            {
                "name": lines["name"].fillna("").astype(str).to_numpy() if "name" in lines else "",
                "level": lines["level"].to_numpy() if "level" in lines else "street",
            },
            index=range(len(lines)),
        )
        if "length_m" in lines:
            frame["length_m"] = lines["length_m"].to_numpy(dtype=float)
        return cls(crs, ptr, node.astype(np.int64).ravel(), xy, frame)


@dataclass(frozen=True)
class Attachment:
    """Where points meet the network: at the foot of the perpendicular on their street.

    Attributes
    ----------
    edge : int32 (points,); -1 where the point is off the network
    from_nm, to_nm : int64; along the street from the foot to either end
    access_nm : int64; from the point to the foot
    """

    edge: Index32
    from_nm: IntArray
    to_nm: IntArray
    access_nm: IntArray

    @property
    def off_network(self) -> BoolArray:
        """True for points with no street within the access limit."""
        return self.edge < 0

    def take(self, at: IntArray) -> "Attachment":
        """Points by position."""
        return Attachment(*(getattr(self, f.name)[at] for f in fields(self)))

    def join(self, other: "Attachment") -> "Attachment":
        """These points and then others."""
        return Attachment(*(np.concatenate([getattr(self, f.name), getattr(other, f.name)]) for f in fields(self)))


@dataclass(frozen=True, eq=False)
class WalkNetwork:
    """Junctions, edges and their shapes; symmetric; sorted along a Hilbert curve, so neighbours are near in memory.

    Attributes
    ----------
    xy : float64 (junctions, 2)
    edge_from, edge_to : int32 (edges,); edge_nm : int64 (edges,)
    shape_ptr, shape_xy : vertices of edge `e` are `shape_xy[shape_ptr[e]:shape_ptr[e + 1]]`
    ptr, adj, adj_nm : neighbours of junction `u` are `adj[ptr[u]:ptr[u + 1]]`, both ways
    component : int32 (junctions,); 0 is the largest by length of street
    component_m : float64 (components,); metres of street in each
    edge_name : int32 (edges,) into `names`, where 0 is no name
    edge_level : int8 (edges,) into `LEVELS`
    island_m : components with less street than this, other than the largest, are islands
    barriers : what nobody crosses on the way to the nearest street; None: nothing
    """

    crs: CRS
    xy: FloatArray
    edge_from: Index32
    edge_to: Index32
    edge_nm: IntArray
    shape_ptr: IntArray
    shape_xy: FloatArray
    ptr: IntArray
    adj: Index32
    adj_nm: IntArray
    component: Index32
    component_m: FloatArray
    edge_name: Index32
    names: tuple[str, ...]
    edge_level: NDArray[np.int8]
    island_m: float
    barriers: Barriers | None = None

    @classmethod
    def build(cls, ways: Ways, *, island_m: float = ISLAND_M) -> "WalkNetwork":
        """Cut ways at junctions and number the junctions along a Hilbert curve.

        >>> from shapely import LineString
        >>> cross = [LineString([(0, 0), (100, 0), (200, 0)]), LineString([(100, 0), (100, 50)])]
        >>> network = WalkNetwork.build(Ways.from_lines(gpd.GeoDataFrame(geometry=cross, crs="EPSG:4551")))
        >>> len(network.xy), sorted((network.edge_nm // NM).tolist())
        (4, [50, 100, 100])
        """
        start, end, way = cut(ways.ptr, ways.node)
        keys, ends = np.unique(np.concatenate([ways.node[start], ways.node[end]]), return_inverse=True)
        at = np.zeros(len(keys), np.int64)
        at[ends] = np.concatenate([start, end])
        rank, xy = hilbert(ways.xy[at])
        a, b = rank[ends[: len(start)]], rank[ends[len(start) :]]
        order = np.lexsort((np.maximum(a, b), np.minimum(a, b)))
        a, b, start, end, way = a[order], b[order], start[order], end[order], way[order]
        shape_ptr = np.concatenate([[0], np.cumsum(end - start + 1)]).astype(np.int64)
        shape = np.repeat(start - shape_ptr[:-1], end - start + 1) + np.arange(shape_ptr[-1])
        shape_xy = ways.xy[shape]
        edge_nm = np.rint(drawn_m(shape_xy, shape_ptr) * _stretch(ways)[way] * NM).astype(np.int64)
        ptr, adj, adj_nm = both_ways(len(xy), a, b, edge_nm)
        component, component_m = components(ptr, adj, a, edge_nm)
        names, name = np.unique(np.append("", ways.frame["name"].to_numpy(dtype=str)), return_inverse=True)
        level = pd.Categorical(ways.frame["level"], categories=list(LEVELS)).codes
        return cls(
            crs=ways.crs, xy=xy, edge_from=a.astype(np.int32), edge_to=b.astype(np.int32), edge_nm=edge_nm,
            shape_ptr=shape_ptr, shape_xy=shape_xy, ptr=ptr, adj=adj, adj_nm=adj_nm,
            component=component, component_m=component_m, edge_name=name[1:][way].astype(np.int32),
            names=tuple(names.tolist()), edge_level=np.asarray(level)[way].astype(np.int8), island_m=island_m,
        )  # fmt: skip

    @cached_property
    def lines(self) -> NDArray[np.object_]:
        """Shapes of all edges as shapely LineStrings, in edge order."""
        edge = np.repeat(np.arange(len(self.edge_nm)), np.diff(self.shape_ptr))
        return np.asarray(shapely.linestrings(self.shape_xy, indices=edge), dtype=object)

    @cached_property
    def on_island(self) -> BoolArray:
        """True for edges of islands; nothing attaches to them."""
        island = self.component_m < self.island_m
        island[:1] = False
        return island[self.component[self.edge_from]]

    @cached_property
    def _tree(self) -> tuple[IntArray, shapely.STRtree]:
        mainland = np.flatnonzero(~self.on_island)
        return mainland, shapely.STRtree(self.lines[mainland])

    def attach(self, points: gpd.GeoSeries, *, max_access_m: float = 500.0) -> Attachment:
        """Attach points to the nearest street at the foot of the perpendicular, never to an island.

        A point farther than `max_access_m` (inclusive) from any street is off the network, and so is one that reaches
        none without crossing a barrier; through a gate the way to the street leads by the gate. Of streets at the very
        same distance, the first in the network's own order is taken.
        """
        check_same_crs(points.crs, self.crs, "points")
        where = np.asarray(points.array)
        mainland, tree = self._tree
        (point, near), distance_m = tree.query_nearest(
            where, max_distance=max_access_m * (1 + 1e-12), return_distance=True, all_matches=True
        )
        first = np.lexsort((near, point))
        first = first[np.flatnonzero(np.diff(point[first], prepend=-1))]
        point, near, distance_m = point[first], near[first], distance_m[first]
        origin = where[point]
        if self.barriers:
            point, near, distance_m, origin = self._around(point, near, distance_m, origin, max_access_m)
        edge = mainland[near]
        drawn_m = shapely.length(self.lines[edge])
        along_m = shapely.line_locate_point(self.lines[edge], origin)
        share = np.divide(along_m, drawn_m, out=np.zeros_like(drawn_m), where=drawn_m > 0)
        from_nm = np.rint(share * self.edge_nm[edge]).astype(np.int64)
        return Attachment(
            edge=_scatter(len(points), point, edge, -1).astype(np.int32),
            from_nm=_scatter(len(points), point, from_nm),
            to_nm=_scatter(len(points), point, self.edge_nm[edge] - from_nm),
            access_nm=_scatter(len(points), point, np.rint(distance_m * NM).astype(np.int64)),
        )

    def _around(
        self, point: IntArray, near: IntArray, distance_m: FloatArray, origin: NDArray[np.object_], max_access_m: float
    ) -> tuple[IntArray, IntArray, FloatArray, NDArray[np.object_]]:
        """Lead points whose way to the nearest street crosses a barrier to another; `origin` is where feet are from."""
        if self.barriers is None:
            return point, near, distance_m, origin
        mainland, tree = self._tree
        legs = shapely.get_coordinates(shapely.shortest_line(origin, self.lines[mainland[near]])).reshape(-1, 2, 2)
        held = self.barriers.crossed(legs[:, 0], legs[:, 1])
        if not held.any():
            return point, near, distance_m, origin
        led = self.barriers.lead(legs[held, 0], self.lines[mainland], tree, max_access_m=max_access_m)
        free = ~held
        return (
            np.concatenate([point[free], point[held][led.point]]),
            np.concatenate([near[free], led.line]),
            np.concatenate([distance_m[free], led.access_m]),
            np.concatenate([origin[free], shapely.points(led.origin)]),
        )

    def streets(self) -> gpd.GeoDataFrame:
        """One row per edge: `name`, `level`, `length_m`, `component`, geometry."""
        return gpd.GeoDataFrame(
            {
                "name": np.array(self.names, dtype=object)[self.edge_name],
                "level": np.array(LEVELS, dtype=object)[self.edge_level],
                "length_m": self.edge_nm / NM,
                "component": self.component[self.edge_from],
            },
            geometry=self.lines,
            crs=self.crs,
        )


def check_same_crs(found: object, expected: CRS, where: str) -> None:
    """Refuse points in another CRS than the network's."""
    if found is None:
        refuse([Fault("table.no_crs", where)])
    if CRS.from_user_input(found) != expected:
        names = {"found": CRS.from_user_input(found).to_string(), "expected": expected.to_string()}
        refuse([Fault("table.other_crs", where, names)])


def _line_faults(lines: gpd.GeoDataFrame, where: str) -> list[Fault]:
    if lines.empty:
        return [Fault("table.no_rows", where)]
    wrong = lines.geometry.geom_type != "LineString"
    if wrong.any():
        bad = ", ".join(map(str, (np.flatnonzero(wrong) + 1)[:12]))
        example = lines.geometry.geom_type[wrong].iloc[0]
        return [Fault("table.geometry_type", where, {"expected": "LineString", "rows": bad, "example": example})]
    return []


def _stretch(ways: Ways) -> FloatArray:
    """How much longer a way says it is than it is drawn; 1 where it says nothing."""
    stretch = np.ones(len(ways.ptr) - 1)
    if "length_m" in ways.frame:
        drawn, stated = drawn_m(ways.xy, ways.ptr), ways.frame["length_m"].to_numpy(dtype=float)
        np.divide(stated, drawn, out=stretch, where=(drawn > 0) & np.isfinite(stated))
    return stretch


def _scatter(n: int, at: IntArray, values: IntArray, missing: int = 0) -> IntArray:
    full = np.full(n, missing, np.int64)
    full[at] = values
    return full
