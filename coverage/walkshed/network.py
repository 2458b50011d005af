"""Streets as compressed arrays of junctions and edges, and how points attach to them."""

from dataclasses import dataclass, fields
from functools import cached_property
from typing import TYPE_CHECKING

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
from numpy.typing import NDArray
from pyproj import CRS

from walkshed._junctions import both_ways, components, cut, drawn_m, hilbert, nearest_lines
from walkshed.barriers import Barriers
from walkshed.contracts import NM, BoolArray, FloatArray, Index32, IntArray, refuse
from walkshed.errors import Fault
from walkshed.graphs import graph_of, ways_of
from walkshed.ways import LEVELS, Ways

if TYPE_CHECKING:
    import networkx as nx

ISLAND_M = (
    5_000.0  # a component with less street than this is an island: nothing a walking limit could reach lies on it
)


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

    @classmethod
    def from_osmnx(
        cls, graph: "nx.MultiDiGraph | nx.MultiGraph", crs: object = None, *, island_m: float = ISLAND_M
    ) -> "WalkNetwork":
        """Network of an osmnx graph, simplified or not, or of what `to_networkx` gave.

        Edges that are each other's way back become one street; all are walked both ways, with their own `length`.
        crs : metric CRS to work in; None: the graph's own if it is metric, else the one that suits the place

        Raises
        ------
        InputError
            If the graph states no CRS, has no edge, or its nodes have no x and y.

        Examples
        --------
        >>> import networkx as nx
        >>> graph = nx.MultiDiGraph(crs="EPSG:4326")
        >>> graph.add_nodes_from([(1, {"x": 125.30, "y": 43.88}), (2, {"x": 125.31, "y": 43.88})])
        >>> _ = graph.add_edge(1, 2, length=804.0)
        >>> network = WalkNetwork.from_osmnx(graph)
        >>> network.crs.to_epsg(), (network.edge_nm / NM).tolist()
        (4551, [804.0])
        """
        return cls.build(ways_of(graph, crs), island_m=island_m)

    def to_networkx(self) -> "nx.MultiGraph":
        """Graph with the junctions as nodes (`x`, `y` in metres) and the streets as edges, undirected.

        Edges carry `length` (metres), `geometry` (LineString, from `u` to `v` as `edge_from` and `edge_to` have it),
        `name` and `level`; the graph carries `crs`, so that osmnx can draw ``nx.MultiDiGraph(graph)``.

        >>> from shapely import LineString
        >>> street = gpd.GeoDataFrame({"name": ["同志街"]}, geometry=[LineString([(0, 0), (90, 0)])], crs="EPSG:4551")
        >>> graph = WalkNetwork.build(Ways.from_lines(street)).to_networkx()
        >>> [(d["name"], d["length"]) for _, _, d in graph.edges(data=True)]
        [('同志街', 90.0)]
        """
        return graph_of(self.xy, self.edge_from, self.edge_to, self.streets())

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
        point, near, distance_m = nearest_lines(tree, where, max_access_m * (1 + 1e-12))
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
