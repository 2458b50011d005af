"""How a city stands against its yardsticks: standards per unit and what would close the gap, seasons, plan targets."""

import heapq
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import get_args

import numpy as np
import pandas as pd

from walkshed.contracts import BoolArray, FloatArray, IntArray, groups_of, refuse
from walkshed.errors import Fault
from walkshed.reach import Reach
from walkshed.standards import Season, Walker, limit_m, walking, yardsticks

SEASONS: tuple[Season, ...] = get_args(Season)
WALKERS: tuple[Walker, ...] = get_args(Walker)
OLDER = ("65p", "60p", "65", "60", "65_plus", "60_plus")
"""Names a group of older people goes by, the one that is wanted first."""

MINUTES = 15.0  # the life circle of GB 50180-2018 that the plan is held against


@dataclass(frozen=True)
class Closing:
    """How many more sites bring enough people within reach: not fewer than `low`, `high` are enough.

    beyond : people still missing whom no candidate reaches; the numbers then hold for all the others
    """

    low: int
    high: int
    beyond: float


def longest_m(standards: Iterable[str] | None = None, *, minutes: float = MINUTES) -> float:
    """The longest walk that `table` and `seasons` ask about: how far to compute walks.

    >>> longest_m()
    1500.0
    """
    metres = [yardsticks()[key].metres() for key in (walking() if standards is None else standards)]
    return max([*metres, *(limit_m(minutes, walker, season) for walker in WALKERS for season in SEASONS)])


def table(
    demand: pd.DataFrame,
    units: Sequence[str],
    walks: Reach,
    *,
    candidates: Reach | None = None,
    standards: Iterable[str] | None = None,
    share: float = 1.0,
) -> pd.DataFrame:
    """Hold every unit against every walking standard.

    Served is who has any open outlet within the standard's distance (inclusive); kinds are not told apart, as the
    standards do not.

    Parameters
    ----------
    demand : `people`, `unit`
    units : ids of all units, with people or without
    walks : open outlets and whom they reach, at least as far as the longest standard
    candidates : the same for places where an outlet could go; without it no numbers of sites
    standards : ids of `data/standards.toml`; None: all walking standards
    share : of the people of a unit that must be served to pass

    Returns
    -------
    DataFrame
        One row per unit and standard: `unit, standard, limit_m, people, served, share, passes, short` (people missing
        to pass) and, with candidates, `sites_low, sites_high, beyond` (see `Closing`); 0 where it passes.

    Raises
    ------
    InputError
        If the walks are too short, of other demand, or the share is none.
    """
    keys = list(walking() if standards is None else standards)
    limits = {key: yardsticks()[key].metres() for key in keys}
    refuse(_faults(demand, max(limits.values(), default=0.0), [w for w in (walks, candidates) if w is not None], share))
    people, unit = demand["people"].to_numpy(dtype=float), pd.Index(units).get_indexer(pd.Index(demand["unit"]))
    living = _Living(people, unit, len(units))
    parts = {metres: _at(living, metres, walks, candidates, share) for metres in set(limits.values())}
    rows = [
        parts[metres].assign(unit=list(units), standard=key, limit_m=metres).reset_index(drop=True)
        for key, metres in limits.items()
    ]
    first = ["unit", "standard", "limit_m"]
    whole = pd.concat(rows, ignore_index=True)
    return whole[[*first, *(column for column in whole if column not in first)]]


def seasons(demand: pd.DataFrame, walks: Reach, *, minutes: float = MINUTES, older: str | None = None) -> pd.DataFrame:
    """Who is served in summer, winter and on ice, by walker: the same minutes take one less far.

    Older walkers are the people of the group `older` (default: the first of `OLDER` there is; without one, everybody).

    Returns
    -------
    DataFrame
        One row per unit (first `''`, all of them), walker and season: `unit, walker, season, limit_m, people, served,
        share, dropped` (served on bare pavement, but not then).
    """
    refuse(_faults(demand, longest_m([], minutes=minutes), [walks], 1.0))
    group = next((g for g in ([older] if older else OLDER) if g in groups_of(demand)), None)
    columns = {"adult": "people", "older": "people" if group is None else f"people_{group}"}
    unit = demand["unit"].to_numpy(dtype=object)
    nearest_m = _nearest_m(walks)
    rows = []
    for walker in WALKERS:
        everyone = demand[columns[walker]].to_numpy(dtype=float)
        bare = nearest_m <= limit_m(minutes, walker, "bare")
        for season in SEASONS:
            metres = limit_m(minutes, walker, season)
            near = nearest_m <= metres
            counts = {"people": everyone, "served": everyone * near, "dropped": everyone * (bare & ~near)}
            by_unit = pd.DataFrame(counts).groupby(unit, sort=True).sum()
            whole = pd.concat([pd.DataFrame([by_unit.sum()], index=[""]), by_unit]).rename_axis("unit").reset_index()
            rows.append(whole.assign(walker=walker, season=season, limit_m=metres))
    found = pd.concat(rows, ignore_index=True)
    found["share"] = _share(found["served"].to_numpy(), found["people"].to_numpy())
    return found[["unit", "walker", "season", "limit_m", "people", "served", "share", "dropped"]]


def drop_outs(demand: pd.DataFrame, walks: Reach, *, walker: Walker, minutes: float = MINUTES) -> BoolArray:
    """True for demand that is served on bare pavement and not on ice; bool (demand,)."""
    nearest_m = _nearest_m(walks)
    refuse(_faults(demand, limit_m(minutes, walker, "bare"), [walks], 1.0))
    return np.asarray((nearest_m <= limit_m(minutes, walker)) & (nearest_m > limit_m(minutes, walker, "ice")))


def closing(reach: Reach, weight: FloatArray, need: float) -> Closing:
    """How many sites bring `need` of the weight within reach.

    The lower bound is the better of two. Sites cannot serve more than they reach, so the largest k must make up the
    need. And each point served costs at least its share of the largest site that serves it (a dual solution of the
    covering LP), so the cheapest points that make up the need must be paid for. The upper bound is greedy.

    Parameters
    ----------
    reach : candidates and the demand each reaches
    weight : float64 (demand,), people still missing at each point

    Examples
    --------
    >>> pairs = pd.DataFrame({"from_id": ["a", "b", "c"], "to_id": ["X", "X", "Y"], "distance_m": 1.0})
    >>> reach = Reach.from_frame(pairs, demand_ids=["a", "b", "c", "d"], site_ids=["X", "Y"], limit_m=500)
    >>> closing(reach, np.array([5.0, 5.0, 3.0, 2.0]), need=15.0)
    Closing(low=2, high=2, beyond=2.0)
    """
    ptr, member, value = _alive(reach, weight)
    site = np.repeat(np.arange(len(ptr) - 1), np.diff(ptr))
    worth = np.bincount(site, value[member], minlength=len(ptr) - 1).astype(float)
    largest = np.zeros(len(value))
    np.maximum.at(largest, member, worth[site])
    reached = float(value[largest > 0].sum())
    beyond = max(0.0, need - reached)
    todo = min(need, reached)
    if todo <= 0:
        return Closing(0, 0, beyond)
    high = len(_greedy(ptr, member, value, worth, todo))
    low = max(_fewest(worth, todo), _paid(value, largest, todo))
    return Closing(min(low, high), high, beyond)


@dataclass(frozen=True, eq=False)
class _Living:
    """People of each demand point, the position of its unit (-1: none), and how many units there are."""

    people: FloatArray
    unit: IntArray
    units: int

    def sums(self, only: BoolArray) -> FloatArray:
        """People per unit, of some of the points."""
        there = only & (self.unit >= 0)
        return np.bincount(self.unit[there], self.people[there], minlength=self.units).astype(float)


def _at(living: _Living, metres: float, walks: Reach, candidates: Reach | None, share: float) -> pd.DataFrame:
    """One row per unit, at one distance."""
    near = _nearest_m(walks) <= metres
    everyone, served = living.sums(np.ones_like(near)), living.sums(near)
    short = np.maximum(share * everyone - served, 0.0)
    short[short <= 1e-9 * everyone] = 0.0  # a share of a sum is not exact
    found = pd.DataFrame({"people": everyone, "served": served, "share": _share(served, everyone)})
    found = found.assign(passes=short == 0, short=short)
    if candidates is None:
        return found
    within = candidates.within(metres)
    closings = [
        closing(within, np.where((living.unit == u) & ~near, living.people, 0.0), short[u]) for u in range(living.units)
    ]
    return found.assign(
        sites_low=[c.low for c in closings], sites_high=[c.high for c in closings], beyond=[c.beyond for c in closings]
    )


def _nearest_m(walks: Reach) -> FloatArray:
    """Walk to the nearest site within the limit; inf where there is none. Stays inside: never told."""
    nearest_m = np.full(len(walks.demand_ids), np.inf)
    np.minimum.at(nearest_m, walks.demand, walks.distance_m)
    return nearest_m


def _alive(reach: Reach, weight: FloatArray) -> tuple[IntArray, IntArray, FloatArray]:
    """Pairs of demand with weight only, renumbered: pointers by site, members, weights."""
    kept = np.flatnonzero(weight > 0)
    rename = np.full(len(weight), -1, dtype=np.int64)
    rename[kept] = np.arange(len(kept))
    member = rename[reach.demand]
    ptr = np.concatenate([[0], np.cumsum(member >= 0)])[reach.ptr]
    ptr = np.concatenate([[0], ptr[1:][np.diff(ptr) > 0]])  # sites that reach nobody who counts are left out
    return ptr.astype(np.int64), member[member >= 0], weight[kept]


def _greedy(ptr: IntArray, member: IntArray, value: FloatArray, worth: FloatArray, need: float) -> list[int]:
    """Sites taken by what they add, until the need is met; lazily, as what a site adds never grows (Minoux 1978)."""
    left, picks, got = value.copy(), [], 0.0
    heap = [(-w, j) for j, w in enumerate(worth.tolist())]
    heapq.heapify(heap)
    while got < need * (1 - 1e-12) and heap:
        claimed, site = heapq.heappop(heap)
        mine = member[ptr[site] : ptr[site + 1]]
        adds = float(left[mine].sum())
        if adds < -claimed:
            if adds > 0:
                heapq.heappush(heap, (-adds, site))
            continue
        left[mine] = 0.0
        got += adds
        picks.append(site)
    return picks


def _fewest(worth: FloatArray, need: float) -> int:
    """Fewest sites whose own worth makes up the need."""
    return int(np.searchsorted(np.cumsum(-np.sort(-worth)), need * (1 - 1e-12))) + 1


def _paid(value: FloatArray, largest: FloatArray, need: float) -> int:
    """Sites that the cheapest points making up the need must pay for, a point its share of its largest site."""
    order = np.argsort(-largest, kind="stable")
    order = order[largest[order] > 0]
    upto = np.cumsum(value[order])
    take = np.minimum(value[order], np.maximum(need - (upto - value[order]), 0.0))
    return int(np.ceil(float((take / largest[order]).sum()) - 1e-9))


def _share(part: FloatArray, whole: FloatArray) -> FloatArray:
    return np.divide(part, whole, out=np.zeros(len(whole)), where=whole > 0)


def _faults(demand: pd.DataFrame, needed_m: float, walks: list[Reach], share: float) -> list[Fault]:
    faults = [] if 0 <= share <= 1 else [Fault("compliance.share", "share", {"value": share})]
    for table_ in walks:
        if table_.limit_m < needed_m:
            faults.append(Fault("compliance.short_walks", "walks", {"found": table_.limit_m, "needed": needed_m}))
        if len(table_.demand_ids) != len(demand) or not (table_.demand_ids == demand.index).all():
            sizes = {"found": len(table_.demand_ids), "expected": len(demand)}
            faults.append(Fault("compliance.other_demand", "walks", sizes))
    return faults
