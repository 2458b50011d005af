"""p-median: the shortest mean walk; p-center: the shortest worst walk, of everybody or of a share of the people."""

from dataclasses import replace

import numpy as np

from walkshed.contracts import FloatArray, Index32, IntArray
from walkshed.errors import Fault
from walkshed.siting import _kernels_prices as pricing
from walkshed.siting.answer import infeasible, siting_of
from walkshed.siting.climb import Evaluate, climb
from walkshed.siting.elements import levels
from walkshed.siting.explain import nearest_m
from walkshed.siting.goal import Goal
from walkshed.siting.lagrange import best_positive
from walkshed.siting.moves import first_picks
from walkshed.siting.problem import Problem
from walkshed.siting.result import Siting
from walkshed.siting.rules import rows_of
from walkshed.siting.search import Clock, solve
from walkshed.siting.task import Rows, Task
from walkshed.siting.weights import Grains

JOINT = 12_000_000  # pairs of options and steps of distance: more are not weighed as a cover
ROUNDS, ITERATIONS = 5, 200  # of prices, between two looks at what they like
LATITUDE = 1.4  # prices may grow this much in a round: pairs dearer than that are left out of it
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
    found = _decided(problem, base, away, left_s, seed)
    if found is None:
        return infeasible(problem, model="p_median", measure="metres", seconds=begun - left_s())
    picks, most, stopped = found
    value = float(problem.people @ _walks(problem, base, away, picks)) / total
    bound = (float(problem.people @ base) - most) / total
    return siting_of(
        problem, picks, model="p_median", measure="metres", value=value, bound=min(value, max(0.0, bound)),
        stopped=stopped, seconds=begun - left_s(),
    )  # fmt: skip


def _decided(
    problem: Problem, base: FloatArray, away: FloatArray, left_s: Clock, seed: int
) -> tuple[IntArray, float, bool] | None:
    """Picks, the most that any choice shortens the sum of walks by, and whether the clock ended it."""
    if _expanded(problem) > JOINT:
        return _interchanged(problem, base, away)
    top = float(base.max(initial=0.0))
    saved = np.rint((top - away) / ROUND_M) * ROUND_M
    ptr, element, owner, step = levels(problem.reach, saved, np.rint((top - base) / ROUND_M) * ROUND_M)
    grains = Grains.of(problem.people[owner] * step)
    rows = rows_of(problem.linear, len(problem.options))
    task = Task.of(ptr, element, grains.whole, build=problem.build, rows=rows)
    found = solve(task, left_s=left_s, seed=seed, slack=grains.slack)
    if found is None:
        return None
    if found.bound < found.weight + max(1.0, grains.slack):  # proven, to the millimetre
        return found.picks, float(problem.people @ (base - _walks(problem, base, away, found.picks))), found.stopped
    return found.picks, found.bound * grains.unit + float(problem.people.sum()) * ROUND_M, found.stopped


def _expanded(problem: Problem) -> float:
    """How many pairs of options and steps a table of distances has."""
    count = np.bincount(problem.reach.demand, minlength=len(problem.people)).astype(float)
    return float((count * (count + 1) / 2).sum())


def _walks(problem: Problem, base: FloatArray, away: FloatArray, picks: IntArray) -> FloatArray:
    """Walk of each demand point with these picks."""
    walk = base.copy()
    for pick in picks.tolist():
        row = slice(problem.reach.ptr[pick], problem.reach.ptr[pick + 1])
        np.minimum.at(walk, problem.reach.demand[row], away[row])
    return walk


def _interchanged(problem: Problem, base: FloatArray, away: FloatArray) -> tuple[IntArray, float, bool] | None:
    """Interchange from a spread start and from what prices like; rules are left out of the bound, which still holds.

    Prices climb on the pairs they can make worth anything, a small part of the table; the bound is reckoned on all.
    """
    reach, people, rows = problem.reach, problem.people, rows_of(problem.linear, len(problem.options))
    picks = _start(problem, rows)
    if picks is None:
        return None
    best = _exchanged(problem, base, away, picks)
    least = float(people @ _walks(problem, base, away, best))
    pay, ceiling, option = (
        away * people[reach.demand],
        base * people,
        np.repeat(np.arange(len(problem.options)), np.diff(reach.ptr)),
    )
    _, second, walk = _slots(problem, base, away, best)
    lam, bound = np.minimum(ceiling, people * (0.5 * second + 0.5 * walk)), -np.inf
    for _ in range(ROUNDS):
        near = pay < LATITUDE * lam[reach.demand]
        ptr = np.concatenate([[0], np.cumsum(np.bincount(option[near], minlength=len(problem.options)))])
        some = (ptr.astype(np.int64), reach.demand[near], pay[near])
        most = np.minimum(ceiling, LATITUDE * lam)
        _, lam = climb(_price_walk(*some, problem.build), lam, upper=most, target=least, iterations=ITERATIONS)
        bound = max(bound, _price_walk(reach.ptr, reach.demand, pay, problem.build)(lam)[0])
        score = pricing.savings(*some, lam)
        liked = np.sort(best_positive(score, problem.build))
        if rows.kept(liked):
            other = _exchanged(problem, base, away, liked)
            walked = float(people @ _walks(problem, base, away, other))
            best, least = (other, walked) if walked < least else (best, least)
        if bound >= least * (1 - 1e-9):
            break
    return np.sort(best), float(people @ base) - bound, False


def _price_walk(ptr: IntArray, demand: Index32, pay: FloatArray, build: int) -> Evaluate:
    """Bound on the sum of walks at given prices, and where it rises (Cornuejols, Fisher and Nemhauser 1977)."""

    def evaluate(lam: FloatArray) -> tuple[float, FloatArray]:
        score = pricing.savings(ptr, demand, pay, lam)
        top = best_positive(score, build)
        slope = np.ones(len(lam))
        for j in top.tolist():
            row = slice(ptr[j], ptr[j + 1])
            slope[demand[row]] -= lam[demand[row]] > pay[row]
        return float(lam.sum() - score[top].sum()), slope

    return evaluate


def _start(problem: Problem, rows: Rows) -> IntArray | None:
    """Options spread over the list, or what the rules allow."""
    spread = np.unique(np.linspace(0, len(problem.options) - 1, max(1, problem.build)).astype(np.int64))
    if problem.build > 0 and rows.kept(spread):
        return spread
    reach = problem.reach
    picks = first_picks(Task.of(reach.ptr, reach.demand, problem.people, build=problem.build, rows=rows))
    if picks is None:
        return None
    spare = np.setdiff1d(np.arange(len(problem.options)), picks)[: problem.build - len(picks)]
    filled = np.concatenate([picks, spare])
    return filled if rows.kept(filled) else picks


def _slots(
    problem: Problem, base: FloatArray, away: FloatArray, picks: IntArray
) -> tuple[IntArray, FloatArray, FloatArray]:
    """Nearest pick of each demand point, and the walks to the second and to the nearest."""
    m = len(base)
    first, near, second = np.empty(m, dtype=np.int64), np.empty(m), np.empty(m)
    pricing.two_nearest(problem.reach.ptr, problem.reach.demand, away, base, picks, first, near, second)
    return first, second, near


def _exchanged(problem: Problem, base: FloatArray, away: FloatArray, picks: IntArray) -> IntArray:
    rows = rows_of(problem.linear, len(problem.options))
    new: IntArray = pricing.interchange(
        problem.reach.ptr, problem.reach.demand, away, problem.people, base, rows.ptr, rows.rule, rows.amount,
        rows.used(picks), rows.low, rows.high, picks, 50,
    )  # fmt: skip
    return new


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
