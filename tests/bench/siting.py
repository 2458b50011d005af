"""Where to build, on schematic cities made at run time, beside PySAL spopt with HiGHS. `python tests/bench siting`."""

import sys
import time

import geopandas as gpd
import numpy as np
import pandas as pd
from harness import measure, report, table, timed

CITY = {5_000: 10_000, 10_000: 20_000, 50_000: 100_000, 250_000: 500_000}  # junctions of the city for so many cells
LIMIT_M = 1000.0
TABLE = [
    ("max_cover", 1_000, 50_000, 30), ("max_cover", 1_000, 5_000, 30), ("max_cover", 10_000, 50_000, 30),
    ("max_cover", 10_000, 250_000, 100), ("max_cover", 50_000, 250_000, 30), ("max_cover", 50_000, 250_000, 100),
    ("max_cover", 50_000, 50_000, 100), ("set_cover", 50_000, 250_000, 0), ("p_median", 1_000, 10_000, 30),
]  # fmt: skip
PEER, PEER_S = [(1_000, 50_000, 30), (1_000, 5_000, 30)], 1800


def rows() -> None:
    """Ours on the whole table; spopt where it can build its model at all; then the schematic Changchun."""
    found = [
        {"model": model, "candidates": k, "cells": m, "sites": p, **measure("siting.py", model, k, m, p)}
        for model, k, m, p in TABLE
    ]
    table("Siting: our engine, alone", found)
    table("The same optimum by spopt with HiGHS", [row for k, m, p in PEER for row in _beside_spopt(k, m, p)])
    table("Schematic Changchun", [measure("siting.py", "changchun", 0, 0, 0)])


def _beside_spopt(k: int, m: int, p: int) -> list[dict[str, object]]:
    """Ours and spopt's row, a process each; where spopt runs over its time the ratio is a lower bound, and says so."""
    ours, peer = measure("siting.py", "max_cover", k, m, p), measure("siting.py", "spopt", k, m, p, timeout_s=PEER_S)
    done = "seconds" in peer
    ratio = (peer["seconds"] if done else PEER_S - 60) / ours["seconds"]  # a minute at most goes into making the city
    peer |= {
        "times_ours": f"{'' if done else 'over '}{ratio:,.0f}",
        "same": done and abs(peer["value"] - ours["value"]) < 0.5,
    }
    asked = {"candidates": k, "cells": m, "sites": p}
    return [{"tool": "walkshed", **asked, **ours}, {"tool": "spopt", **asked, **peer}]


def reached(k: int, m: int):
    """Candidates on junctions, cells with people, and who reaches whom: (reach, people)."""
    from walkshed.anchors import anchor
    from walkshed.network import WalkNetwork
    from walkshed.reach import reach
    from walkshed.sources import sample

    made = sample.build(junctions=CITY[m])
    network = WalkNetwork.build(made.ways)
    rng = np.random.default_rng(7)
    cells = made.demand.iloc[np.sort(rng.choice(len(made.demand), min(m, len(made.demand)), replace=False))]
    there = np.flatnonzero(network.component == 0)
    at = np.sort(rng.choice(there, min(k, len(there)), replace=False))
    sites = gpd.GeoDataFrame(
        geometry=gpd.points_from_xy(*network.xy[at].T), index=[f"s{i}" for i in at], crs=network.crs
    )
    found = reach(network, anchor(network, cells), anchor(network, sites), limit_m=LIMIT_M)
    return found, np.rint(cells["people"].to_numpy(dtype=float))


def everywhere(k: int, m: int):
    """Every candidate reaches every demand point, over the ground: the table p-median is usually asked on."""
    from walkshed.reach import Reach

    rng = np.random.default_rng(4)
    sites, homes = rng.uniform(0, 20_000, (k, 2)), rng.normal(10_000, 4_000, (m, 2))
    away_m = np.rint(np.hypot(*(sites[:, None] - homes[None]).transpose(2, 0, 1)) * 1.3)
    ptr, demand = np.arange(k + 1, dtype=np.int64) * m, np.tile(np.arange(m, dtype=np.int32), k)
    ids = pd.RangeIndex(k).astype(str), pd.RangeIndex(m).astype(str)
    return Reach(*ids, ptr, demand, away_m.ravel(), float(away_m.max())), np.rint(rng.gamma(1.1, 60, m)) + 1


def question(reach, people, build: int | None):
    from walkshed import siting

    demand = pd.DataFrame({"people": people}, index=reach.demand_ids)
    return siting.problem(pd.DataFrame(index=reach.site_ids), reach, demand, rules=siting.Rules(build=build))


def model(name: str, k: int, m: int, p: int) -> None:
    """One model once, compiled beforehand on a small question that takes the same way."""
    from walkshed import siting

    reach, people = everywhere(k, m) if name == "p_median" else reached(k, m)
    goal = siting.Goal(name)
    some = everywhere(120, 5_000) if name == "p_median" else reached(200, 5_000)
    siting.solve(question(*some, 5 if p else None), goal, time_limit_s=5)
    asked = question(reach, people, p or None)
    start, cpu = time.perf_counter(), time.process_time()
    plan = siting.solve(asked, goal, time_limit_s=60)
    report(
        seconds=time.perf_counter() - start, cpu_s=time.process_time() - cpu, pairs=len(reach.demand),
        value=plan.value, bound=plan.bound, gap_pct=100 * plan.gap, status=plan.status, built=len(plan.chosen),
    )  # fmt: skip


def spopt(k: int, m: int, p: int) -> None:
    """The same question to spopt: a dense table, its model by PuLP, solved by HiGHS."""
    import pulp
    from spopt.locate import MCLP

    reach, people = reached(k, m)
    away_m = np.full((m, k), 1e9)
    away_m[reach.demand, np.repeat(np.arange(k), np.diff(reach.ptr))] = reach.distance_m
    start = time.perf_counter()
    asked = MCLP.from_cost_matrix(away_m, people, service_radius=LIMIT_M, p_facilities=p)
    solved = asked.solve(pulp.HiGHS(msg=False, threads=1), results=False)
    report(seconds=time.perf_counter() - start, value=float(pulp.value(solved.problem.objective)))


def changchun() -> None:
    """Five sites, five years and an override on the schematic city of the first run."""
    from walkshed import plan, siting
    from walkshed.scenario import Scenario

    asked = plan.run(Scenario.default()).problem.with_rules(build=5)
    loose, years = asked.with_rules(build=None), [siting.Year(2026 + t, 4) for t in range(5)]
    first, _ = timed(lambda: siting.solve(asked), 1)
    seconds, found = timed(lambda: siting.solve(asked))
    again, other = timed(lambda: siting.price(asked, found, forbid=[found.chosen[0]]).plan)
    nested, plans = timed(lambda: siting.phases(loose, years).whole, 1)
    report(
        five_sites_s=seconds, first_s=first, status=found.status_text(), override_s=again, other=other.status_text(),
        five_years_s=nested, nested=plans.status_text(), options=len(asked.options), pairs=len(asked.reach.demand),
    )  # fmt: skip


if __name__ == "__main__":
    what, k, m, p = sys.argv[1], *map(int, sys.argv[2:5])
    if what == "spopt":
        spopt(k, m, p)
    elif what == "changchun":
        changchun()
    else:
        model(what, k, m, p)
