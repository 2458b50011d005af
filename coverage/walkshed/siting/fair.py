"""Fair cover: raise the worst-served unit first, then the next, then the total."""

from dataclasses import dataclass, replace

import numpy as np

from walkshed.contracts import FloatArray, IntArray
from walkshed.siting.answer import infeasible, served_share, siting_of
from walkshed.siting.elements import Cover
from walkshed.siting.exact import Model, choice_model, minimise, start_of
from walkshed.siting.fair_cuts import Shares, by_cuts
from walkshed.siting.goal import Goal
from walkshed.siting.moves import decided_by_rules, first_picks
from walkshed.siting.problem import Problem
from walkshed.siting.result import Siting
from walkshed.siting.search import Clock, solve
from walkshed.siting.task import Task

MODEL = 40_000  # pairs that HiGHS is asked to decide
ROUNDS = 12  # of weighing the units anew
SAME = 1e-7  # shares closer than this are equal


@dataclass(frozen=True, eq=False)
class Units:
    """of : int64 (elements,), the unit of each; held, all : float64 (units,), people served already and in all."""

    of: IntArray
    held: FloatArray
    all: FloatArray


def fair_cover(problem: Problem, goal: Goal, *, left_s: Clock, seed: int) -> Siting:
    """Make the vector of units' served shares, worst first, as large as can be in that order, then the total.

    Lexicographic maximin by sums of the k smallest (Ogryczak and Sliwinski 2006). Units without people do not count.
    `value` and `bound` are the share served in the worst unit. Small tables (`MODEL` pairs) are decided and proven.
    Larger ones start from a weighing of the units and are decided by cuts (`fair_cuts`): a few sites as a rule are,
    many may end with a bound above the worst share; units after the worst are then as the best plan met has them.
    """
    del goal, seed  # nothing to set; what is random below has its own seed
    begun = left_s()
    cover = Cover.of(problem)
    units = _units(problem, cover)
    root = cover.task(problem)
    first = None if decided_by_rules(root) is None else first_picks(root)
    if first is None:
        return infeasible(problem, model="fair_cover", measure="share", seconds=begun - left_s())
    if len(cover.element) <= MODEL:
        picks, bound, stopped = _exact(cover.task(problem, merge=False), units, cover, first, left_s)
    else:
        weighed, most, stopped = _weighed(problem, cover, units, first, left_s)
        picks, bound, stopped = by_cuts(_shares(cover, units, root), weighed, most, left_s)
    value = float(shares_of(problem, picks, units)[0])
    return siting_of(
        problem, picks, model="fair_cover", measure="share", value=value, bound=max(value, bound), stopped=stopped,
        seconds=begun - left_s(),
    )  # fmt: skip


def shares_of(problem: Problem, picks: IntArray, units: Units) -> FloatArray:
    """Served share of each unit that has people, worst first."""
    names = np.unique(problem.demand["unit"].to_numpy(dtype=object), return_inverse=True)[1]
    served = np.bincount(names, problem.people * served_share(problem, picks), minlength=int(names.max()) + 1)
    everybody = np.bincount(names, problem.people, minlength=len(served))
    return np.asarray(np.sort(served[everybody > 0] / units.all))


def _shares(cover: Cover, units: Units, task: Task) -> Shares:
    option = np.repeat(np.arange(task.options), np.diff(cover.ptr))
    people = cover.grains.whole * cover.grains.unit
    unit = np.maximum(units.of, 0)  # elements of a unit without people weigh nothing wherever they stand
    return Shares(option, cover.element.astype(np.int64), unit, people, units.held, units.all, task)


def _units(problem: Problem, cover: Cover) -> Units:
    names = np.unique(problem.demand["unit"].to_numpy(dtype=object), return_inverse=True)[1]
    everybody = np.bincount(names, problem.people)
    real = np.where(everybody > 0, np.cumsum(everybody > 0) - 1, -1)
    held = np.bincount(names, problem.people * problem.held)
    there = everybody > 0
    return Units(real[names][cover.owner], held[there].astype(float), everybody[there].astype(float))


def _exact(task: Task, units: Units, cover: Cover, first: IntArray, left_s: Clock) -> tuple[IntArray, float, bool]:
    """Maximise the sum of the k smallest shares for k = 1, 2, ..., keeping the earlier ones; then the total."""
    n = len(units.all)
    base, width = choice_model(task), task.options + len(task.weight)
    model, x, worst, stopped = _with_shares(base, task, units, cover), start_of(task, first), 1.0, False
    point: FloatArray | None = None
    for k in range(1, n + 2):
        cost = _goal_cost(model, width, n, k, task)
        answer = minimise(replace(model, cost=cost), time_limit_s=left_s(), start=point)
        stopped |= answer.status != "optimal"
        if k == 1:
            worst = -answer.bound
        if answer.x is None:
            break
        x, point = answer.x, answer.x
        if stopped:
            break
        if k <= n:
            least = float(cost @ answer.x)
            used = np.flatnonzero(cost)
            model = model.and_rows(Model.of([(cost, 1.0, False)], [(used, cost[used], -np.inf, least + SAME)]))
    return np.flatnonzero(x[: task.options] > 0.5), worst, stopped  # noqa: PLR2004 - rounding


def _goal_cost(model: Model, width: int, n: int, k: int, task: Task) -> FloatArray:
    """Cost of stage k: minus the sum of the k smallest shares, k r_k - sum of d_uk; after the last, of the total."""
    cost = np.zeros(len(model.cost))
    if k > n:
        cost[task.options : width] = -task.weight / max(1.0, float(task.weight.sum()))
        return cost
    cost[width + (k - 1)] = -float(k)
    cost[width + n + (k - 1) * n + np.arange(n)] = 1.0
    return cost


def _with_shares(base: Model, task: Task, units: Units, cover: Cover) -> Model:
    """Add, for each k, a level r_k and the shortfalls d_uk >= r_k - share of u."""
    n, width = len(units.all), len(base.cost)
    part = task.weight * cover.grains.unit / units.all[units.of[task.element]]
    rows = []
    for unit in range(n):
        elements = np.flatnonzero(units.of[task.element] == unit)
        for k in range(n):
            columns = np.concatenate([task.options + elements, [width + n + k * n + unit, width + k]]).astype(np.int64)
            amounts = np.concatenate([part[elements], [1.0, -1.0]])
            rows.append((columns, amounts, -float(units.held[unit] / units.all[unit]), np.inf))
    extra = n + n * n
    wide = replace(
        base,
        cost=np.concatenate([base.cost, np.zeros(extra)]),
        lower=np.concatenate([base.lower, np.zeros(extra)]),
        upper=np.concatenate([base.upper, np.ones(extra)]),
        whole=np.concatenate([base.whole, np.zeros(extra, dtype=bool)]),
    )
    return wide.and_rows(Model.of([(wide.cost, 1.0, False)], rows))


def _weighed(
    problem: Problem, cover: Cover, units: Units, first: IntArray, left_s: Clock
) -> tuple[IntArray, float, bool]:
    """Cover with units weighed, the worse served the more: each weighing bounds the worst share, as an average does."""
    n = len(units.all)
    weigh, best, bound, stopped = np.full(n, 1.0 / n), first, 1.0, False
    for _ in range(ROUNDS):
        worth = cover.grains.whole * cover.grains.unit * (weigh / units.all)[units.of]
        scaled = replace(cover, grains=replace(cover.grains, whole=np.rint(worth * 1e9)))
        task = scaled.task(problem)
        found = solve(task, left_s=left_s, seed=0, slack=1e6, start=best)
        if found is None:
            break
        already = float(weigh @ (units.held / units.all))
        bound = min(bound, already + (found.bound + len(worth) / 2) / 1e9)
        best = max((best, found.picks), key=lambda picks: tuple(shares_of(problem, picks, units)))
        names = np.unique(problem.demand["unit"].to_numpy(dtype=object), return_inverse=True)[1]
        served = np.bincount(names, problem.people * served_share(problem, found.picks))
        everybody = np.bincount(names, problem.people)
        share = served[everybody > 0] / units.all
        weigh = weigh * np.exp(-4.0 * (share - share.min()))
        weigh /= weigh.sum()
        if left_s() < 0:
            stopped = True
            break
    return best, bound, stopped
