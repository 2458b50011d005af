"""Whether streets hang together: islands, dead ends, missing junctions, barriers crossed without a bridge."""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

import geopandas as gpd
import numpy as np
import shapely
from numpy.typing import NDArray

from walkshed._junctions import cut, nearest_lines
from walkshed.contracts import NM, BoolArray, FloatArray, IntArray
from walkshed.network import Attachment, WalkNetwork
from walkshed.trust.finding import Finding, graded, listed, lonlat
from walkshed.ways import Ways

FAR_M = 300.0
"""People farther than this from any street live where streets are not mapped: the 5-minute circle of GB 50180-2018."""

NEAR_MISS_M = 3.0  # half a lane: a street that ends so near another was meant to join it (ours)

# Shares above which to look, and to stop (ours: OpenStreetMap extracts of Chinese cities stay well below the second).
ISLANDS = (0.03, 0.30)  # of all street, on islands
STRANDED = (0.01, 0.20)  # of people, on islands
NEAR_MISSES = 0.01  # of dead ends
CROSSINGS = (0.0, 0.5)  # crossings without a junction, of junctions
SEVERING = ("river", "railway")  # a city that none of its streets crosses these in lacks its bridges
FAR = (0.02, 0.25)  # of people, farther than FAR_M


@dataclass(frozen=True, eq=False)
class Edges:
    """Pieces of ways between junctions, with what a crossing depends on.

    a, b : int64 (edges,), numbers of the places at both ends; way : int64 (edges,)
    """

    ways: Ways
    lines: NDArray[np.object_]
    a: IntArray
    b: IntArray
    way: IntArray

    @classmethod
    def of(cls, ways: Ways) -> "Edges":
        """Cut ways as the network does."""
        start, end, way = cut(ways.ptr, ways.node)
        length = end - start + 1
        first = np.cumsum(length) - length
        vertex = np.repeat(start - first, length) + np.arange(int(length.sum()))
        lines = shapely.linestrings(ways.xy[vertex], indices=np.repeat(np.arange(len(start)), length))
        _, ends = np.unique(np.concatenate([ways.node[start], ways.node[end]]), return_inverse=True)
        return cls(ways, np.asarray(lines, dtype=object), ends[: len(start)], ends[len(start) :], way)

    @cached_property
    def raised(self) -> BoolArray:
        """True for bridges and tunnels: what crosses them does not meet them."""
        frame, raised = self.ways.frame, np.zeros(len(self.ways.frame), dtype=bool)
        for column in ("bridge", "tunnel"):
            if column in frame:
                raised |= frame[column].to_numpy(dtype=bool)
        return np.asarray(raised[self.way])

    @cached_property
    def tree(self) -> shapely.STRtree:
        """All lines, to be asked."""
        return shapely.STRtree(self.lines)

    @cached_property
    def degree(self) -> IntArray:
        """Pieces that end at each place; a loop counts twice."""
        return np.bincount(np.concatenate([self.a, self.b]))

    @cached_property
    def crossings(self) -> FloatArray:
        """Places where two pieces on the ground cross or touch without a common vertex; float64 (n, 2)."""
        ground = np.flatnonzero(~self.raised)
        xy, piece = shapely.get_coordinates(self.lines[ground], return_index=True)
        first = np.flatnonzero(piece[1:] == piece[:-1])
        p, q, piece = xy[first], xy[first + 1], piece[first]
        tree = shapely.STRtree(np.asarray(shapely.linestrings(np.stack([p, q], axis=1))))
        one, other = tree.query(tree.geometries)
        apart = piece[one] < piece[other]
        one, other = one[apart], other[apart]
        meet = _segments_meet(p[one], q[one], p[other], q[other])
        one, other = one[meet], other[meet]
        pair = piece[one] * len(ground) + piece[other]
        once = np.unique(pair, return_index=True)[1]
        return _meeting_points(p[one[once]], q[one[once]], p[other[once]], q[other[once]])

    @cached_property
    def dead_ends(self) -> FloatArray:
        """Places where one piece ends and nothing else does; float64 (n, 2)."""
        return self._ends()[0]

    @cached_property
    def near_misses(self) -> FloatArray:
        """Dead ends within `NEAR_MISS_M` of a street they neither join nor come from; float64 (n, 2)."""
        xy, piece, far = self._ends()
        end, line = self.tree.query(shapely.points(xy), predicate="dwithin", distance=NEAR_MISS_M)
        own = (line == piece[end]) | (self.a[line] == far[end]) | (self.b[line] == far[end])
        end, line = end[~own & ~self.raised[line]], line[~own & ~self.raised[line]]
        return np.asarray(xy[np.unique(end)])

    def _ends(self) -> tuple[FloatArray, IntArray, IntArray]:
        """Place, piece and the place at the other end of every dead end."""
        tips = []
        for here, there, at in ((self.a, self.b, 0), (self.b, self.a, -1)):
            piece = np.flatnonzero(self.degree[here] == 1)
            tips.append((shapely.get_coordinates(shapely.get_point(self.lines[piece], at)), piece, there[piece]))
        xy, piece, far = (np.concatenate(part) for part in zip(*tips, strict=True))
        return xy, piece, far


def streets(edges: Edges, network: WalkNetwork, barriers: gpd.GeoDataFrame) -> Iterator[Finding]:
    """Findings about streets alone."""
    crs, junctions = network.crs, int((edges.degree > 2).sum())  # noqa: PLR2004  a place two pieces share is a bend
    ends, misses = len(edges.dead_ends), len(edges.near_misses)
    yield Finding(
        "trust.dead_ends",
        graded(misses, NEAR_MISSES * max(ends, 1)),
        {"n": ends, "share": ends / max(len(edges.degree), 1), "misses": misses, "within_m": NEAR_MISS_M},
        places=lonlat(edges.near_misses, crs),
    )
    crossings = len(edges.crossings)
    yield Finding(
        "trust.crossings",
        graded(crossings / max(junctions, 1), *CROSSINGS),
        {"n": crossings, "junctions": junctions},
        places=lonlat(edges.crossings, crs),
    )
    yield from _over_barriers(edges, barriers)


def islands(network: WalkNetwork, people: gpd.GeoDataFrame, at: Attachment, max_access_m: float) -> Finding:
    """Components that nothing attaches to, and whose nearest street is on one."""
    lost = network.on_island
    count = len(np.unique(network.component[network.edge_from[lost]]))
    total_m = float(network.edge_nm.sum()) / NM
    share = float(network.edge_nm[lost].sum()) / NM / max(total_m, 1.0)
    stranded = _stranded(network, people, at, max_access_m)
    everyone = people["people"].to_numpy(dtype=float)
    off, of = float(everyone[stranded].sum()), max(float(everyone.sum()), 1.0)
    grade = max(graded(share, *ISLANDS), graded(off / of, *STRANDED), key=("ok", "look", "stop").index)
    first = np.flatnonzero(stranded)[np.argsort(-everyone[stranded], kind="stable")]
    values = {"n": count, "km": share * total_m / 1000, "share": share, "people": off, "people_share": off / of}
    places = lonlat(shapely.get_coordinates(people.geometry.array[first[:50]]), network.crs)
    return Finding("trust.islands", grade, values, listed(people.index[first]), places)


def far_people(people: gpd.GeoDataFrame, at: Attachment, network: WalkNetwork, max_access_m: float) -> Finding:
    """People farther than `FAR_M` from any street: where streets are not mapped, or people are laid where none live."""
    within_m = min(FAR_M, max_access_m)
    far = at.off_network | (at.access_nm > within_m * NM)
    everyone = people["people"].to_numpy(dtype=float)
    lost, of = float(everyone[far].sum()), max(float(everyone.sum()), 1.0)
    first = np.flatnonzero(far)[np.argsort(-everyone[far], kind="stable")]
    values = {"people": lost, "share": lost / of, "within_m": within_m, "off": float(everyone[at.off_network].sum())}
    places = lonlat(shapely.get_coordinates(people.geometry.array[first[:50]]), network.crs)
    return Finding("trust.far", graded(lost / of, *FAR), values, listed(people.index[first]), places)


def _stranded(network: WalkNetwork, people: gpd.GeoDataFrame, at: Attachment, max_access_m: float) -> BoolArray:
    """True for people nearer to a street of an island than to any they can use."""
    found = np.zeros(len(people), dtype=bool)
    island = np.flatnonzero(network.on_island)
    if not len(island) or people.empty:
        return found
    tree = shapely.STRtree(network.lines[island])
    point, _, distance_m = nearest_lines(tree, np.asarray(people.geometry.array), max_access_m)
    own_m = np.where(at.off_network, np.inf, at.access_nm / NM)
    found[point] = distance_m < own_m[point] - 1e-6
    return found


def _over_barriers(edges: Edges, barriers: gpd.GeoDataFrame) -> Iterator[Finding]:
    """How often streets cross each kind of barrier, on bridges and without one."""
    if barriers.empty:
        yield Finding("trust.no_barriers", "look")
        return
    shapes = np.asarray(barriers.geometry.array)
    barrier, edge = edges.tree.query(shapes, predicate="intersects")  # prepared, which `crosses` would not be
    through = shapely.crosses(edges.lines[edge], shapes[barrier])
    barrier, edge = barrier[through], edge[through]
    kind = barriers["kind"].to_numpy(dtype=object)[barrier]
    for name in sorted(set(barriers["kind"])):
        over = np.unique(edge[kind == name])
        bare = over[~edges.raised[over]]
        severed = len(over) == 0 and name in SEVERING
        middle = shapely.get_coordinates(shapely.line_interpolate_point(edges.lines[bare], 0.5, normalized=True))
        values = {"kind": name, "n": len(over) - len(bare), "bare": len(bare)}
        yield Finding(
            "trust.bridges", "look" if severed or len(bare) else "ok", values, places=lonlat(middle, edges.ways.crs)
        )


def _segments_meet(p: FloatArray, q: FloatArray, r: FloatArray, s: FloatArray) -> BoolArray:
    """Whether segments pq and rs have one point in common that is no end of both; float64 (n, 2) each."""
    sides = [_side(p, q, r), _side(p, q, s), _side(r, s, p), _side(r, s, q)]
    straddle = (sides[0] * sides[1] <= 0) & (sides[2] * sides[3] <= 0)
    parallel = (sides[0] == 0) & (sides[1] == 0)
    joined = np.zeros(len(p), dtype=bool)
    for end in (p, q):
        for other in (r, s):
            joined |= (end == other).all(axis=1)
    return np.asarray(straddle & ~parallel & ~joined)


def _side(a: FloatArray, b: FloatArray, c: FloatArray) -> FloatArray:
    """Which side of the line ab the point c is on: 1, -1 or 0."""
    ab, ac = b - a, c - a
    return np.asarray(np.sign(ab[:, 0] * ac[:, 1] - ab[:, 1] * ac[:, 0]))


def _meeting_points(p: FloatArray, q: FloatArray, r: FloatArray, s: FloatArray) -> FloatArray:
    """Where lines pq and rs meet; float64 (n, 2)."""
    d, e, gap = q - p, s - r, r - p
    across = d[:, 0] * e[:, 1] - d[:, 1] * e[:, 0]
    along = (gap[:, 0] * e[:, 1] - gap[:, 1] * e[:, 0]) / across
    return np.asarray(p + along[:, None] * d)
