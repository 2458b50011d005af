"""The first metres of a walk: nobody crosses a river, a railway, a motorway or a wall to reach the nearest street."""

from dataclasses import dataclass, fields, replace
from functools import cached_property

import geopandas as gpd
import numpy as np
import shapely
from numpy.typing import NDArray
from scipy.spatial import cKDTree

from walkshed.contracts import BoolArray, FloatArray, IntArray

GATE_M = 5.0  # half of a wide gate, and how well it is drawn: within this of an opening a barrier is open
STATION_M = 1.0  # a leg begins at a station, not beside it: what is left of rounding
FIRST_M = 50.0  # the first circle in which another street is looked for


@dataclass(frozen=True, eq=False)
class Legs:
    """Where points were led, each at most once, ascending.

    point, line : int64 (n,), positions; access_m : float64 (n,), the walk to the line
    origin : float64 (n, 2), from where the line is met: the point itself, or the gate it leaves by
    """

    point: IntArray
    line: IntArray
    access_m: FloatArray
    origin: FloatArray

    @classmethod
    def nearest(cls, point: IntArray, line: IntArray, access_m: FloatArray, origin: FloatArray) -> "Legs":
        """The shortest for each point; of equals the first line."""
        order = np.lexsort((line, access_m, point))
        order = order[np.flatnonzero(np.diff(point[order], prepend=-1))]
        return cls(point[order], line[order], access_m[order], origin[order])

    def join(self, other: "Legs") -> "Legs":
        """These and others, of other points."""
        both = ((getattr(self, f.name), getattr(other, f.name)) for f in fields(self))
        return Legs.nearest(*(np.concatenate(pair) for pair in both))

    def of(self, points: IntArray) -> "Legs":
        """The same legs under other numbers of points."""
        return replace(self, point=points[self.point])


@dataclass(frozen=True, eq=False)
class Barriers:
    """Barriers as straight pieces, and the openings in them.

    start, end : float64 (pieces, 2); area : int64 (pieces,), the polygon a piece bounds, -1 for a line
    areas : polygons, such as wide rivers: who is inside one may leave it
    gates : float64 (gates, 2)
    track : bool (pieces,), pieces of railways; stations : float64 (stations, 2), whose buildings bridge them
    """

    start: FloatArray
    end: FloatArray
    area: IntArray
    areas: NDArray[np.object_]
    gates: FloatArray
    track: BoolArray
    stations: FloatArray

    @classmethod
    def of(
        cls, table: gpd.GeoDataFrame, gates: gpd.GeoSeries | None = None, stations: gpd.GeoSeries | None = None
    ) -> "Barriers":
        """Take lines and polygons apart; openings within `GATE_M` of a gate are cut out of them.

        table : of each barrier its `kind`, where it is known; stations : points that lie among the tracks and are left
        over or under them

        >>> wall = gpd.GeoDataFrame(geometry=[shapely.LineString([(0, 0), (100, 0)])], crs="EPSG:4551")
        >>> gate = gpd.GeoSeries([shapely.Point(50, 0)], crs="EPSG:4551")
        >>> legs = np.array([[20.0, -9.0], [50.0, -9.0]]), np.array([[20.0, 9.0], [50.0, 9.0]])
        >>> Barriers.of(wall).crossed(*legs).tolist(), Barriers.of(wall, gate).crossed(*legs).tolist()
        ([True, True], [True, False])
        """
        given = np.asarray(table.geometry.array, dtype=object)
        shapes, row = shapely.get_parts(given, return_index=True)
        shapes, row = shapes[~shapely.is_empty(shapes)], row[~shapely.is_empty(shapes)]
        polygon = shapely.get_dimensions(shapes) == 2  # noqa: PLR2004  surfaces
        areas, single = shapes[polygon], shapely.get_dimensions(shapes) == 1
        lines = np.concatenate([shapes[single], shapely.boundary(areas)])
        railway = (table["kind"] == "railway").to_numpy() if "kind" in table else np.zeros(len(table), dtype=bool)
        track = railway[np.concatenate([row[single], row[polygon]])]
        owner = np.concatenate([np.full(len(lines) - len(areas), -1), np.arange(len(areas))]).astype(np.int64)
        through = np.empty(0, dtype=object) if gates is None else np.asarray(gates.array, dtype=object)
        lines = _opened(lines, through)
        parts, line = shapely.get_parts(lines, return_index=True)
        xy, part = shapely.get_coordinates(parts, return_index=True)
        first = np.flatnonzero(part[1:] == part[:-1])
        of = line[part[first]]
        at = np.empty((0, 2)) if stations is None else shapely.get_coordinates(np.asarray(stations.array))
        return cls(xy[first], xy[first + 1], owner[of], areas, shapely.get_coordinates(through), track[of], at)

    def __bool__(self) -> bool:
        return len(self.start) > 0

    def crossed(self, start: FloatArray, end: FloatArray) -> BoolArray:
        """Whether each leg crosses a barrier; a leg that only ends on one does not. float64 (legs, 2) each.

        A leg that starts inside a polygon is not held back by it: homes drawn in a river stand on its bank. One that
        starts at a station is not held back by tracks.
        """
        found = np.zeros(len(start), dtype=bool)
        if not len(start) or not self:
            return found
        leg, piece = self._tree.query(_lines(start, end))
        p, q, r, s = start[leg], end[leg], self.start[piece], self.end[piece]
        beside = (_side(p, q, r) >= 0) != (_side(p, q, s) >= 0)  # half-open: a corner of a barrier counts once
        across = beside & (_side(r, s, p) * _side(r, s, q) < 0)
        leg, piece = leg[across], piece[across]
        held = ~self._inside(start, leg, self.area[piece]) & ~(self.track[piece] & self._at_station(start)[leg])
        found[leg[held]] = True
        return found

    @cached_property
    def _tree(self) -> shapely.STRtree:
        return shapely.STRtree(_lines(self.start, self.end))

    def _inside(self, start: FloatArray, leg: IntArray, area: IntArray) -> BoolArray:
        """Whether the start of each leg lies inside the polygon it crosses the edge of."""
        inside = np.zeros(len(leg), dtype=bool)
        edge = np.flatnonzero(area >= 0)
        inside[edge] = shapely.contains_xy(self.areas[area[edge]], start[leg[edge], 0], start[leg[edge], 1])
        return inside

    def _at_station(self, start: FloatArray) -> BoolArray:
        """Whether each leg starts at a station."""
        if not len(self.stations):
            return np.zeros(len(start), dtype=bool)
        far_m, _ = self._platforms.query(start, distance_upper_bound=STATION_M)
        return np.asarray(np.isfinite(far_m))

    @cached_property
    def _platforms(self) -> cKDTree:
        return cKDTree(self.stations)

    def lead(
        self, points: FloatArray, lines: NDArray[np.object_], tree: shapely.STRtree, *, max_access_m: float
    ) -> Legs:
        """The nearest line each point reaches without crossing a barrier, directly or through one gate.

        Points that reach none within `max_access_m` are missing. Of lines equally near, the first counts.

        points : float64 (points, 2); lines : those of `tree`, in its order
        """
        found = self._directly(points, lines, tree, max_access_m)
        left = np.setdiff1d(np.arange(len(points)), found.point)
        if not len(left) or not len(self.gates):
            return found
        return found.join(self._through_gates(points[left], lines, tree, max_access_m).of(left))

    def _directly(
        self, points: FloatArray, lines: NDArray[np.object_], tree: shapely.STRtree, max_access_m: float
    ) -> Legs:
        """In growing circles, so that most points look at a few lines only."""
        left, radius_m = np.arange(len(points)), min(FIRST_M, max_access_m)
        nobody = np.empty(0, np.int64)
        found = Legs(nobody, nobody, np.empty(0), np.empty((0, 2)))
        while len(left):
            at = np.asarray(shapely.points(points[left]), dtype=object)
            point, line = tree.query(at, predicate="dwithin", distance=radius_m * (1 + 1e-12))
            legs = shapely.get_coordinates(shapely.shortest_line(at[point], lines[line])).reshape(-1, 2, 2)
            free = ~self.crossed(legs[:, 0], legs[:, 1])
            point, line, legs = point[free], line[free], legs[free]
            new = Legs.nearest(point, line, np.hypot(*(legs[:, 1] - legs[:, 0]).T), legs[:, 0])
            found = found.join(new.of(left))
            left = np.delete(left, new.point)
            if radius_m >= max_access_m:
                break
            radius_m = min(2 * radius_m, max_access_m)
        return found

    def _through_gates(
        self, points: FloatArray, lines: NDArray[np.object_], tree: shapely.STRtree, max_access_m: float
    ) -> Legs:
        """To a gate that is in sight, and from there to the line it reaches."""
        beyond = self._directly(self.gates, lines, tree, max_access_m)
        if not len(beyond.point):
            return beyond
        gates = self.gates[beyond.point]
        at = np.asarray(shapely.points(points), dtype=object)
        point, gate = shapely.STRtree(np.asarray(shapely.points(gates), dtype=object)).query(
            at, predicate="dwithin", distance=max_access_m
        )
        access_m = np.hypot(*(gates[gate] - points[point]).T) + beyond.access_m[gate]
        good = (access_m <= max_access_m) & ~self.crossed(points[point], gates[gate])
        point, gate, access_m = point[good], gate[good], access_m[good]
        return Legs.nearest(point, beyond.line[gate], access_m, gates[gate])


def _opened(lines: NDArray[np.object_], gates: NDArray[np.object_]) -> NDArray[np.object_]:
    """Lines with a gap at every gate that is on them."""
    if not len(gates) or not len(lines):
        return lines
    line, gate = shapely.STRtree(gates).query(lines, predicate="dwithin", distance=GATE_M)
    opened = lines.copy()
    for one in np.unique(line):  # walls with gates are few
        gaps = shapely.union_all(shapely.buffer(gates[gate[line == one]], GATE_M))
        opened[one] = shapely.difference(lines[one], gaps)
    return opened


def _lines(start: FloatArray, end: FloatArray) -> NDArray[np.object_]:
    return np.asarray(shapely.linestrings(np.stack([start, end], axis=1)), dtype=object)


def _side(a: FloatArray, b: FloatArray, c: FloatArray) -> FloatArray:
    """Which side of the line ab the point c is on: 1, -1 or 0."""
    ab, ac = b - a, c - a
    return np.asarray(np.sign(ab[:, 0] * ac[:, 1] - ab[:, 1] * ac[:, 0]))
