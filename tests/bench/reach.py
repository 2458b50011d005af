"""Reach, nearest and what-if on schematic cities, beside pandana and scipy. `python tests/bench reach`."""

import sys

import geopandas as gpd
import numpy as np
import pandas as pd
from harness import measure, report, table, timed

LIMIT_M, SITES = 1000.0, 1000
WITHIN_M = 999.9  # pairs are counted to here: pandana cuts every street to whole millimetres, up to 11 mm a walk


def rows() -> None:
    """Every tool in a process of its own, ratios against ours."""
    ours = measure("reach.py", "ours", 100_000)
    found = [{"tool": "walkshed, edge-snapped cells", **ours}]
    for tool in ("nodes", "pandana", "scipy_tiles"):
        peer = measure("reach.py", tool, 100_000)
        peer["times_ours"] = peer.get("us_per_site", np.nan) / ours["us_per_site"]
        found.append({"tool": tool, **peer})
    table("Reach: 1,000 sites, 1,000 m, 100,000 junctions; nodes: ours, people on junctions, the shared case", found)
    shared = {row["tool"]: row.get("pairs") for row in found[1:]}
    print(f"\npairs of the shared case, within {WITHIN_M} m: {shared}")
    sizes = [{"junctions": n, **measure("reach.py", "ours", n)} for n in (10_000, 100_000, 500_000, 2_000_000)]
    table("Growth: cost per pair over the size of the city", sizes)
    table(
        "What-if: one outlet more or less",
        [{"junctions": n, **measure("reach.py", "whatif", n)} for n in (100_000, 500_000)],
    )


def city(junctions: int):
    from walkshed.network import WalkNetwork
    from walkshed.sources import sample

    made = sample.build(junctions=junctions)
    return made, WalkNetwork.build(made.ways)


def mainland(network):
    """Junctions of the largest component, where a walk from any leads to any."""
    return np.flatnonzero(network.component == 0)


def mainland_junctions(network, count: int, seed: int = 7):
    """Some of them, the same for every tool."""
    return np.sort(np.random.default_rng(seed).choice(mainland(network), count, replace=False))


def points(network, at, prefix: str) -> gpd.GeoDataFrame:
    return gpd.GeoDataFrame(
        geometry=gpd.points_from_xy(*network.xy[at].T), index=[f"{prefix}{i}" for i in at], crs=network.crs
    )


def ours(junctions: int, *, nodes: bool = False) -> None:
    from walkshed.anchors import anchor
    from walkshed.reach import reach

    made, network = city(junctions)
    at = mainland_junctions(network, SITES)
    sites = anchor(network, points(network, at, "s"))
    demand = anchor(network, points(network, mainland(network), "n") if nodes else made.demand)
    reach(network, demand, sites, limit_m=LIMIT_M)  # compile
    seconds, found = timed(lambda: reach(network, demand, sites, limit_m=LIMIT_M), 7)
    settled = len(
        reach(network, anchor(network, points(network, mainland(network), "n")), sites, limit_m=LIMIT_M).demand
    )
    pairs = int((found.distance_m < WITHIN_M).sum())
    report(us_per_site=seconds / SITES * 1e6, pairs=pairs, junction_pairs=settled,
           ns_per_junction_pair=seconds / settled * 1e9, check=round(float(found.distance_m.sum())))  # fmt: skip


def pandana(junctions: int) -> None:
    import pandana as pdna

    _, network = city(junctions)
    at = mainland_junctions(network, SITES)
    graph = pdna.Network(
        pd.Series(network.xy[:, 0]), pd.Series(network.xy[:, 1]), pd.Series(network.edge_from.astype(np.int64)),
        pd.Series(network.edge_to.astype(np.int64)), pd.DataFrame({"length": network.edge_nm / 1e9}), twoway=True,
    )  # fmt: skip
    seconds, found = timed(lambda: graph.nodes_in_range(at.tolist(), LIMIT_M), 3)
    near = found.iloc[:, 2] < WITHIN_M
    report(us_per_site=seconds / SITES * 1e6, pairs=int(near.sum()), check=round(float(found.iloc[:, 2].sum())))


def scipy_tiles(junctions: int) -> None:
    """scipy's bounded Dijkstra, made local: sites of one tile walk only the streets around it."""
    from scipy.sparse import csr_array
    from scipy.sparse.csgraph import dijkstra
    from scipy.spatial import cKDTree

    _, network = city(junctions)
    at = mainland_junctions(network, SITES)
    graph = csr_array((network.adj_nm / 1e9, network.adj, network.ptr.astype(np.int32)))
    where, tile = cKDTree(network.xy), np.floor(network.xy[at] / LIMIT_M).astype(np.int64)

    def walk() -> tuple[int, float]:
        pairs, total = 0, 0.0
        for corner in np.unique(tile, axis=0):
            mine = at[(tile == corner).all(axis=1)]
            near = np.sort(where.query_ball_point((corner + 0.5) * LIMIT_M, LIMIT_M * 1.7072 + 1))
            away = dijkstra(graph[near][:, near], indices=np.searchsorted(near, mine), limit=LIMIT_M)
            reached = away[away < WITHIN_M]
            pairs, total = pairs + len(reached), total + float(reached.sum())
        return pairs, total

    seconds, (pairs, total) = timed(walk, 3)
    report(us_per_site=seconds / SITES * 1e6, pairs=pairs, check=round(total))


def whatif(junctions: int) -> None:
    from walkshed.anchors import anchor
    from walkshed.nearest import NearestField

    made, network = city(junctions)
    at = mainland_junctions(network, 1020)
    sites = anchor(network, points(network, at, "s"))
    base, extra = sites.take(sites.ids[20:]), [sites.take([i]) for i in sites.ids[:20]]
    people = anchor(network, made.demand)
    fresh, field = timed(lambda: NearestField(network, people, base), 3)
    field.add(extra[0])
    field.remove(extra[0].ids[0])  # compile
    add = [timed(lambda one=one: field.add(one), 1)[0] for one in extra[1:]]
    remove = [timed(lambda one=one: field.remove(one.ids[0]), 1)[0] for one in extra[1:]]
    same = bool(np.array_equal(field.distance_m, NearestField(network, people, base).distance_m, equal_nan=True))
    report(all_ms=fresh * 1e3, add_ms=float(np.median(add)) * 1e3, add_max_ms=max(add) * 1e3,
           remove_ms=float(np.median(remove)) * 1e3, remove_max_ms=max(remove) * 1e3, same_as_fresh=same)  # fmt: skip


if __name__ == "__main__":
    tool, size = sys.argv[1], int(sys.argv[2])
    {"ours": ours, "nodes": lambda n: ours(n, nodes=True), "pandana": pandana, "scipy_tiles": scipy_tiles,
     "whatif": whatif}[tool](size)  # fmt: skip
