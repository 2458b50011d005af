"""p-median: the shortest mean walk; p-center: the shortest worst walk, of everybody or of a share of the people."""

from dataclasses import replace

import numpy as np

from walkshed.contracts import IntArray
from walkshed.errors import Fault
from walkshed.siting.answer import infeasible, siting_of
from walkshed.siting.elements import levels
from walkshed.siting.explain import nearest_m
from walkshed.siting.goal import Goal
from walkshed.siting.interchange import Walks, interchanged
from walkshed.siting.problem import Problem
from walkshed.siting.result import Siting
from walkshed.siting.rules import rows_of
from walkshed.siting.search import Clock, solve
from walkshed.siting.task import Task
from walkshed.siting.weights import Grains

JOINT = 12_000_000  # pairs of options and steps of distance: more are not weighed as a cover
ROUND_M = 0.001  # distances are told apart to the millimetre


def p_median(problem: Problem, goal: Goal, *, left_s: Clock, seed: int) -> Siting:
    r"""Make the mean walk to the nearest outlet or new site shortest (Hakimi 1964).

    Whoever has nothing within reach counts with `beyond_m`, so no site can be left out of the sum unnoticed. A walk
    shortened by d is a cover of d steps: short tables are solved as one, with all rules; long ones by interchange and
    a Lagrangian bound.
    """
    begun = left_s()
    beyond_m = problem.reach.limit_m if goal.beyond_m is None else goal.beyond_m
    none = np.zeros(0, dtype=np.int64)
    base = np.minimum(nearest_m(problem, none), beyond_m)
    away = np.minimum(problem.reach.distance_m, beyond_m)
    total = max(float(problem.people.sum()), 1e-12)
    rows = rows_of(problem.linear, len(problem.options))
    walks = Walks(problem.reach.ptr, problem.reach.demand, away, problem.people, base, rows, problem.build)
    found = _decided(problem, walks, left_s, seed)
    if found is None:
        return infeasible(problem, model="p_median", measure="metres", seconds=begun - left_s())
    picks, least, stopped = found
    value, bound = walks.total(picks) / total, least / total
    return siting_of(
        problem, picks, model="p_median", measure="metres", value=value, bound=min(value, max(0.0, bound)),
        stopped=stopped, seconds=begun - left_s(),
    )  # fmt: skip


def _decided(problem: Problem, walks: Walks, left_s: Clock, seed: int) -> tuple[IntArray, float, bool] | None:
    """Picks, the least sum of walks any choice could have, and whether the clock ended it."""
    if _expanded(problem) > JOINT:
        return interchanged(walks, left_s=left_s, seed=seed)
    base, top = walks.base_m, float(walks.base_m.max(initial=0.0))
    saved = np.rint((top - walks.away_m) / ROUND_M) * ROUND_M
    ptr, element, owner, step = levels(problem.reach, saved, np.rint((top - base) / ROUND_M) * ROUND_M)
    grains = Grains.of(problem.people[owner] * step)
    task = Task.of(ptr, element, grains.whole, build=problem.build, rows=walks.rows)
    found = solve(task, left_s=left_s, seed=seed, slack=grains.slack)
    if found is None:
        return None
    if found.bound < found.weight + max(1.0, grains.slack):  # proven, to the millimetre
        return found.picks, walks.total(found.picks), found.stopped
    most = found.bound * grains.unit + float(problem.people.sum()) * ROUND_M
    return found.picks, float(problem.people @ base) - most, found.stopped


def _expanded(problem: Problem) -> float:
    """How many pairs of options and steps a table of distances has."""
    count = np.bincount(problem.reach.demand, minlength=len(problem.people)).astype(float)
    return float((count * (count + 1) / 2).sum())


def p_center(problem: Problem, goal: Goal, *, left_s: Clock, seed: int) -> Siting:
    """Make the worst walk shortest (Hakimi 1964), of a share of the people where `percentile` is below 1.

    Counted are those whom an outlet or an option reaches at all. Halves the list of distances; for each, a maximal
    cover within that distance says whether enough people can be served (Minieka 1970).
    """
    begun = left_s()
    near = nearest_m(problem, np.arange(len(problem.options)))
    need = goal.percentile * float(problem.people[np.isfinite(near)].sum()) - 1e-6
    walks = np.unique(np.concatenate([[0.0], problem.reach.distance_m, problem.outlet_reach.distance_m]))
    low, high, proven, best, stopped = -1, len(walks), -1, None, False
    while high - low > 1:
        middle = len(walks) - 1 if best is None else (low + high) // 2  # the longest first: can it be done at all
        found, most, ended = _within(problem, float(walks[middle]), need, left_s, seed)
        stopped |= ended
        if found is not None:
            high, best = middle, found
            continue
        low = middle
        proven = max(proven, middle) if most < need else proven
    if best is None:
        none = infeasible(problem, model="p_center", measure="metres", seconds=begun - left_s())
        asked = Fault("siting.rule_serve_all", "percentile", {"name": "", "n": need})
        rule = Fault("siting.rule_build", "build", {"name": "", "n": problem.build})
        gives = Fault("siting.relax_serve", "percentile", {"most": most})
        return none if none.conflict else replace(none, conflict=(asked, rule, gives))
    bound = float(walks[min(proven + 1, high)])
    return siting_of(
        problem, best, model="p_center", measure="metres", value=float(walks[high]), bound=bound,
        stopped=stopped, seconds=begun - left_s(),
    )  # fmt: skip


def _within(
    problem: Problem, radius_m: float, need: float, left_s: Clock, seed: int
) -> tuple[IntArray | None, float, bool]:
    """Picks that serve enough people within a radius, if any were found, and the most that any could."""
    reach = problem.reach.within(radius_m)
    held = nearest_m(problem, np.zeros(0, dtype=np.int64)) <= radius_m
    grains = Grains.of(np.where(held, 0.0, problem.people))
    rows = rows_of(problem.linear, len(problem.options))
    task = Task.of(reach.ptr, reach.demand, grains.whole, build=problem.build, rows=rows)
    found = solve(task, left_s=left_s, seed=seed, slack=grains.slack)
    already = float(problem.people[held].sum())
    if found is None:
        return None, -np.inf, False
    enough = already + found.weight * grains.unit >= need
    most = already + found.bound * grains.unit
    return (found.picks if enough else None), most, found.stopped
