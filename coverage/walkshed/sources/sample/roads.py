"""Country roads: every town and village is tied to the next, and to the big streets of the built-up patches."""

from dataclasses import dataclass

import numpy as np
import shapely
from scipy.sparse import coo_array
from scipy.sparse.csgraph import minimum_spanning_tree
from scipy.spatial import Delaunay, cKDTree

from walkshed.contracts import BoolArray, FloatArray, IntArray
from walkshed.sources.sample.arteries import Arteries, crossings
from walkshed.sources.sample.land import Land
from walkshed.sources.sample.settlements import Settlements
from walkshed.sources.sample.shapes import Names, Shapes, dots, links, touching

BENDS = 3  # vertices between two settlements
BRIDGE_M = 700.0  # bridges and crossings in the country lie at least so far apart
ALONG_M = 500.0  # a link that lies in the river's bed for longer than a bridge would
EXTRA_SHARE = 0.22  # of the short links that are not needed to tie the land together


@dataclass(frozen=True)
class Roads:
    """Country roads as bent lines between hubs.

    start, end : hubs; below `n_inner` a junction of the settlements' streets, above it a big street's end point.
    line : LineStrings; level : how prominent; n_inner : number of junctions of the settlements.
    gate_xy : end points of big streets in use.
    """

    start: IntArray
    end: IntArray
    line: Shapes
    level: Names
    n_inner: int
    gate_xy: FloatArray


def tie(settlements: Settlements, arteries: Arteries, land: Land, rng: np.random.Generator) -> Roads:
    """Join hubs by a minimum spanning tree of their triangulation and some more of its short links.

    Crossing a river or railway counts as a detour, so the tree seeks few bridges; those left are kept apart as
    in the core.
    """
    hub, is_town = _hubs(settlements)
    gate_xy, gate_patch = _gateways(arteries)
    inner = settlements.inner
    xy = np.concatenate([inner.xy[hub], gate_xy])
    node = np.concatenate([hub, len(inner.xy) + np.arange(len(gate_xy))])
    patch = np.concatenate([np.full(len(hub), -1), gate_patch])
    a, b = _triangulated(xy)
    outside = ~((patch[a] >= 0) & (patch[a] == patch[b]))
    a, b = a[outside], b[outside]
    line = links(xy[a], xy[b])
    clear = _open(line, arteries, land)
    a, b, line = a[clear], b[clear], line[clear]
    barriers = [*land.rivers.values(), *land.railways.values()]
    crossed = np.sum([touching(line, [wall]) for wall in barriers], axis=0)
    chosen = _choose(xy, a, b, crossed, rng)
    a, b, line, crossed = a[chosen], b[chosen], line[chosen], crossed[chosen]
    bent = np.where(crossed > 0, line, _bend(xy[a], xy[b], rng))
    still = np.sum([touching(bent, [wall]) for wall in barriers], axis=0) > crossed
    bent[still] = line[still]
    equal = np.zeros(len(bent), dtype=np.int64)
    keep = np.logical_and.reduce([crossings(bent, equal, wall, BRIDGE_M) for wall in barriers])

    town = np.concatenate([is_town, np.ones(len(gate_xy), dtype=bool)])
    level = np.where(town[a] | town[b], "major", "street").astype(object)
    return Roads(node[a[keep]], node[b[keep]], bent[keep], level[keep], len(inner.xy), gate_xy)


def _hubs(settlements: Settlements) -> tuple[IntArray, BoolArray]:
    """The junction nearest the middle of each settlement that has streets, and whether it is a town."""
    inner = settlements.inner
    middle = shapely.get_coordinates(shapely.centroid(settlements.shape))
    away = np.hypot(*(inner.xy - middle[inner.home]).T)
    order = np.lexsort([away, inner.home])
    first = np.unique(inner.home[order], return_index=True)[1]
    hub = order[first]
    return hub, settlements.is_town[inner.home[hub]].astype(bool)


def _gateways(arteries: Arteries) -> tuple[FloatArray, IntArray]:
    """End points of big streets near the rim of each patch, spread round it."""
    ends = np.unique(shapely.get_coordinates(shapely.get_point(arteries.line, 0)), axis=0)
    xy, owner = [], []
    for k, patch in enumerate(arteries.patches):
        middle = np.array(patch.centroid.coords[0])
        near = ends[shapely.dwithin(dots(ends), patch, 1.0)]
        if not len(near):
            continue
        offset = near - middle
        sectors = int(np.clip(patch.length / 2_500.0, 4, 40))
        sector = ((np.arctan2(offset[:, 1], offset[:, 0]) + np.pi) / (2 * np.pi) * sectors).astype(int)
        order = np.lexsort([-np.hypot(*offset.T), sector])
        pick = order[np.unique(sector[order], return_index=True)[1]]
        xy.append(near[pick])
        owner.append(np.full(len(pick), k))
    return np.concatenate(xy), np.concatenate(owner)


def _triangulated(xy: FloatArray) -> tuple[IntArray, IntArray]:
    sides = Delaunay(xy).simplices[:, [[0, 1], [1, 2], [2, 0]]].reshape(-1, 2)
    pairs = np.unique(np.sort(sides, axis=1), axis=0)
    return pairs[:, 0], pairs[:, 1]


def _open(line: Shapes, arteries: Arteries, land: Land) -> BoolArray:
    """Links that run through no built-up patch, no lake and not along a river."""
    inside = shapely.union_all([patch.buffer(-350) for patch in arteries.patches])
    lakes = shapely.union_all([lake.buffer(60) for lake in land.lakes.values()])
    closed = shapely.union_all([inside, lakes])
    shapely.prepare(closed)
    free: BoolArray = ~shapely.intersects(line, closed)
    rivers = list(land.rivers.values())
    near = np.flatnonzero(touching(line, rivers))
    wet = shapely.length(shapely.intersection(line[near], shapely.union_all(rivers).buffer(60))) > ALONG_M
    free[near[wet]] = False
    return free


def _choose(xy: FloatArray, a: IntArray, b: IntArray, crossed: IntArray, rng: np.random.Generator) -> BoolArray:
    """Minimum spanning tree, and some of the links that are short for where they are."""
    length = np.hypot(*(xy[a] - xy[b]).T)
    weight = length + 2_000.0 * crossed
    tree = minimum_spanning_tree(coo_array((weight, (a, b)), shape=(len(xy), len(xy))).tocsr()).tocoo()
    n = len(xy)
    row, col = (c.astype(np.int64) for c in tree.coords)
    needed = np.isin(a.astype(np.int64) * n + b, np.minimum(row, col) * n + np.maximum(row, col))
    near = cKDTree(xy).query(xy, k=min(4, n))[0][:, -1]
    short = (length < 1.5 * np.maximum(near[a], near[b])) & (crossed <= 1)
    chosen: BoolArray = needed | (short & (rng.random(len(a)) < EXTRA_SHARE))
    return chosen


def _bend(start: FloatArray, end: FloatArray, rng: np.random.Generator) -> Shapes:
    """Lines with `BENDS` vertices pushed aside."""
    share = np.linspace(0, 1, BENDS + 2)[None, :, None]
    path = start[:, None] * (1 - share) + end[:, None] * share
    step = end - start
    side = np.column_stack([-step[:, 1], step[:, 0]])
    push = rng.normal(0, 0.055, (len(start), BENDS + 2))
    push[:, [0, -1]] = 0.0
    return np.asarray(shapely.linestrings(path + push[..., None] * side[:, None]))
