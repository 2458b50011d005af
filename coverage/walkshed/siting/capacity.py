"""Capacitated cover: seats limit how many an outlet serves, and the walking limit still applies."""

from dataclasses import dataclass, replace

import numpy as np

from walkshed.contracts import FloatArray, IntArray
from walkshed.reach import Reach
from walkshed.siting import _kernels as kernels
from walkshed.siting.answer import infeasible, siting_of
from walkshed.siting.climb import climb
from walkshed.siting.exact import Model, minimise
from walkshed.siting.goal import Goal
from walkshed.siting.lagrange import best_positive
from walkshed.siting.moves import decided_by_rules, first_picks
from walkshed.siting.problem import Problem, shares
from walkshed.siting.result import Siting
from walkshed.siting.rules import rows_of
from walkshed.siting.search import Clock
from walkshed.siting.task import Rows, Task

MODEL = 30_000  # pairs that HiGHS is asked to decide


def capacitated_cover(problem: Problem, goal: Goal, *, left_s: Clock, seed: int) -> Siting:
    r"""Serve as many people as seats and walks allow (Current and Storbeck 1988).

    .. math:: \max \sum_{ij} s_{ij} f_{ij} \;:\; \sum_j f_{ij} \le w_i,\; \sum_i f_{ij} \le c_j y_j

    People of one place may go to different outlets; outlets that stand have seats too. Where the table is too large to
    be solved as a whole (`MODEL` pairs), sites are chosen one by one and the bound is by prices on people, rules left
    out of it: promised is a plan that keeps the rules and a bound that holds, not a proof.
    """
    del goal, seed  # nothing to set, nothing random
    begun = left_s()
    rows = rows_of(problem.linear, len(problem.options))
    task = _plain(problem, rows)
    first = None if decided_by_rules(task) is None else first_picks(task)
    if first is None:
        return infeasible(problem, model="capacitated_cover", seconds=begun - left_s())
    pairs = _Pairs.of(problem)
    if len(pairs.demand) <= MODEL:
        answer = minimise(_model(problem, pairs, rows, None), time_limit_s=left_s())
        stopped, bound = answer.status == "stopped", -answer.bound
        picks = first if answer.x is None else np.flatnonzero(answer.x[: len(problem.options)] > 0.5)  # noqa: PLR2004
    else:
        picks, bound = _one_by_one(pairs, problem, task)
        picks, stopped = picks if rows.kept(picks) else first, False
    value = assigned(problem, pairs, picks)
    return siting_of(
        problem, picks, model="capacitated_cover", value=value, bound=max(value, bound), stopped=stopped,
        seconds=begun - left_s(),
    )  # fmt: skip


@dataclass(frozen=True, eq=False)
class _Pairs:
    """Pairs of sites and demand, and the seats of each site; options first, then outlets."""

    site: IntArray
    demand: IntArray
    share: FloatArray
    seats: FloatArray

    @classmethod
    def of(cls, problem: Problem) -> "_Pairs":
        k = len(problem.options)
        near, around = problem.reach, problem.outlet_reach
        site = np.concatenate([_sites(near), k + _sites(around)])
        demand = np.concatenate([near.demand, around.demand]).astype(np.int64)
        share = np.concatenate([problem.share, shares(problem.outlets, around, problem.bands)])
        seats = np.concatenate([problem.options["seats"], problem.outlets["seats"]]).astype(float)
        return cls(site, demand, share, np.minimum(seats, float(problem.people.sum())))


def _sites(reach: Reach) -> IntArray:
    return np.repeat(np.arange(len(reach.site_ids)), np.diff(reach.ptr))


def _plain(problem: Problem, rows: Rows) -> Task:
    reach = problem.reach
    task = Task.of(reach.ptr, reach.demand, problem.people, build=problem.build, rows=rows)
    return task.split(reach.ptr, reach.demand, problem.people)


def _model(problem: Problem, pairs: _Pairs, rows: Rows, picks: IntArray | None) -> Model:
    """State it: options, then the flow of each pair; with `picks` the options are fixed and people are assigned."""
    k, n, m = len(problem.options), len(pairs.demand), len(problem.people)
    flow = k + np.arange(n)
    parts: list[tuple[IntArray, FloatArray | float, float, float]] = [
        (flow[at], 1.0, -np.inf, float(problem.people[i])) for i, at in enumerate(_groups(pairs.demand, m))
    ]
    for j, at in enumerate(_groups(pairs.site, len(pairs.seats))):
        if j < k:
            columns = np.append(flow[at], j)
            parts.append((columns, np.append(np.ones(len(at)), -pairs.seats[j]), -np.inf, 0.0))
        else:
            parts.append((flow[at], 1.0, -np.inf, float(pairs.seats[j])))
    order = np.argsort(rows.rule, kind="stable")
    for r, at in enumerate(np.split(order, np.searchsorted(rows.rule[order], np.arange(1, max(1, len(rows.low)))))):
        if len(rows.low):
            parts.append((rows.option[at], rows.amount[at], float(rows.low[r]), float(rows.high[r])))
    parts.append((np.arange(k), 1.0, -np.inf, float(problem.build)))
    model = Model.of([(np.zeros(k), 1.0, True), (-pairs.share, np.inf, False)], parts)
    upper = np.concatenate([np.ones(k), problem.people[pairs.demand]])
    if picks is None:
        return replace(model, upper=upper)
    fixed = np.zeros(len(upper))
    fixed[picks] = 1.0
    upper[:k] = fixed[:k]
    return replace(model, lower=fixed, upper=upper, whole=np.zeros(len(upper), dtype=bool))


def _groups(key: IntArray, n: int) -> list[IntArray]:
    """Positions of each key, from 0 to n - 1."""
    order = np.argsort(key, kind="stable")
    return np.split(order, np.searchsorted(key[order], np.arange(1, n))) if n else []


def assigned(problem: Problem, pairs: _Pairs, picks: IntArray) -> float:
    """People served, with shares, when these options are built and everybody goes where it serves most in all."""
    open_sites = np.concatenate([picks, len(problem.options) + np.arange(len(problem.outlets))])
    at = np.flatnonzero(np.isin(pairs.site, open_sites))
    some = _Pairs(pairs.site[at], pairs.demand[at], pairs.share[at], pairs.seats)
    answer = minimise(_model(problem, some, Rows.none(len(problem.options)), picks), time_limit_s=60.0)
    return -answer.cost


def _one_by_one(pairs: _Pairs, problem: Problem, task: Task) -> tuple[IntArray, float]:
    """Take the option that fills most seats with people not yet placed, again and again; then bound by prices."""
    k, filling = len(problem.options), pairs.seats[: len(problem.options)]
    free, picks = problem.people * (1 - problem.held), np.zeros(0, dtype=np.int64)
    for _ in range(task.build):
        gain = np.minimum(kernels.sums(task.ptr, task.serves, free), filling)
        gain[picks] = -1.0
        order = np.argsort(-gain, kind="stable")[:200]
        new = next((j for j in order.tolist() if gain[j] > 0 and _may(task, picks, j)), -1)
        if new < 0:
            break
        picks = np.append(picks, new)
        mine = task.served_by(picks[-1:])
        free[mine] *= max(0.0, 1 - filling[new] / max(1e-12, float(free[mine].sum())))
    picks = np.sort(picks)
    value = assigned(problem, pairs, picks)

    def evaluate(price: FloatArray) -> tuple[float, FloatArray]:
        profit = pairs.share - price[pairs.demand]
        order = np.lexsort((-profit, pairs.site))
        amount = np.where(profit[order] > 0, problem.people[pairs.demand[order]], 0.0)
        before = np.cumsum(amount) - amount
        first = np.searchsorted(pairs.site[order], np.arange(len(pairs.seats)))
        before -= np.append(before, 0.0)[np.minimum(first, len(before))][pairs.site[order]]
        flow = np.clip(pairs.seats[pairs.site[order]] - before, 0.0, amount)  # each fills up with what pays most
        score = np.bincount(pairs.site[order], flow * profit[order], minlength=len(pairs.seats))
        on = np.concatenate([best_positive(score[:k].astype(float), problem.build), np.arange(k, len(score))])
        used = np.isin(pairs.site[order], on)
        slope = np.bincount(pairs.demand[order][used], flow[used], minlength=len(price)) - problem.people
        return -float(price @ problem.people + score[on].sum()), slope

    best, _ = climb(evaluate, np.full(len(problem.people), 0.5), upper=1.0, target=-value, iterations=200)
    return picks, -best


def _may(task: Task, picks: IntArray, new: int) -> bool:
    """Whether no upper limit is passed."""
    return bool((task.rows.used(np.append(picks, new)) <= task.rows.high + kernels.SLACK).all())
