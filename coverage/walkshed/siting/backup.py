"""Backup cover: a first outlet within reach counts fully, a second one in part."""

import numpy as np

from walkshed.contracts import FloatArray, IntArray
from walkshed.siting import _kernels as kernels
from walkshed.siting.answer import infeasible, siting_of
from walkshed.siting.climb import climb
from walkshed.siting.exact import Model, minimise, rules_model
from walkshed.siting.goal import Goal
from walkshed.siting.lagrange import best_positive
from walkshed.siting.moves import decided_by_rules, first_picks
from walkshed.siting.problem import Problem
from walkshed.siting.result import Siting
from walkshed.siting.rules import rows_of
from walkshed.siting.search import Clock
from walkshed.siting.task import Task

MODEL = 40_000  # pairs that HiGHS is asked to decide


def backup_cover(problem: Problem, goal: Goal, *, left_s: Clock, seed: int) -> Siting:
    r"""Serve people once, and again by a second outlet worth `second` of the first (Hogan and ReVelle 1986).

    .. math:: \max \sum_i w_i (z_i + \beta u_i) \;:\; z_i + u_i \le e_i + \sum_{j \in N_i} y_j

    with e_i the outlets that reach i already. Shares of service are left aside: within reach is within reach.
    `value` and `bound` are in people, those with a second outlet counted `second` more. Tables of more than `MODEL`
    pairs that prices alone do not prove are left with a plan that keeps the rules and a bound that holds.
    """
    del seed  # nothing here is random
    begun = left_s()
    reach, rows = problem.reach, rows_of(problem.linear, len(problem.options))
    task = Task.of(reach.ptr, reach.demand, problem.people, build=problem.build, rows=rows)
    task = task.split(reach.ptr, reach.demand, problem.people)  # nothing merged: people differ in what holds them
    held = np.minimum(2, np.bincount(problem.outlet_reach.demand, minlength=len(problem.people)))
    worth = np.array([0.0, 1.0, 1.0 + goal.second])
    first = None if decided_by_rules(task) is None else first_picks(task)
    if first is None:
        return infeasible(problem, model="backup_cover", seconds=begun - left_s())
    picks = _exchanged(task, held, worth, first)
    bound, stopped = _bound(task, held, worth, picks), False
    value = _value(task, held, worth, picks)
    if value < bound * (1 - 1e-9) and len(task.serves) <= MODEL:
        answer = minimise(_model(task, held, goal.second), time_limit_s=left_s())
        stopped = answer.status == "stopped"
        bound = min(bound, float(problem.people @ worth[held]) - answer.bound)
        if answer.x is not None and float(problem.people @ worth[held]) - answer.cost > value:
            picks = np.flatnonzero(answer.x[: task.options] > 0.5)  # noqa: PLR2004 - rounding
            value = _value(task, held, worth, picks)
    return siting_of(
        problem, picks, model="backup_cover", value=value, bound=max(value, bound), stopped=stopped,
        seconds=begun - left_s(),
    )  # fmt: skip


def _count(task: Task, held: IntArray, picks: IntArray) -> IntArray:
    return np.asarray(held + np.bincount(task.served_by(picks), minlength=len(held)))


def _value(task: Task, held: IntArray, worth: FloatArray, picks: IntArray) -> float:
    return float(task.weight @ worth[np.minimum(2, _count(task, held, picks))])


def _exchanged(task: Task, held: IntArray, worth: FloatArray, picks: IntArray, rounds: int = 6) -> IntArray:
    """Take each pick out in turn and put the best option that the rules allow in its place; add while that gains."""
    step = np.append(np.diff(worth), 0.0)  # what one more is worth to those with 0, 1, 2 within reach
    for _ in range(rounds):
        before = picks
        for pick in [*picks.tolist(), *[-1] * (task.build - len(picks))]:
            rest = picks[picks != pick]
            gain = kernels.sums(task.ptr, task.serves, task.weight * step[np.minimum(2, _count(task, held, rest))])
            gain[rest] = -1.0
            if pick >= 0:
                gain[pick] += 1e-9 * max(1.0, gain[pick])  # of equals the one that is there stays
            order = np.argsort(-gain, kind="stable")[:50]
            fitting = (j for j in order.tolist() if gain[j] > 0 and task.rows.kept(np.append(rest, j)))
            new = next(fitting, pick)
            picks = np.sort(np.append(rest, new)) if new >= 0 else rest
        if np.array_equal(before, picks):
            break
    return picks


def _bound(task: Task, held: IntArray, worth: FloatArray, picks: IntArray) -> float:
    """Most that any choice is worth: prices on "no more than the options within reach", rules left out."""
    one = np.where(held < 1, worth[1], 0.0) * task.weight
    two = np.where(held < 2, worth[2] - worth[1], 0.0) * task.weight  # noqa: PLR2004 - a second outlet
    base = float(task.weight @ worth[held])

    def evaluate(lam: FloatArray) -> tuple[float, FloatArray]:
        score = kernels.sums(task.ptr, task.serves, lam)
        top = best_positive(score, task.build)
        wanted = (one > lam).astype(float) + (two > lam)
        value = base + np.maximum(one - lam, 0).sum() + np.maximum(two - lam, 0).sum() + score[top].sum()
        return -float(value), wanted - np.bincount(task.served_by(top), minlength=len(lam))

    target = _value(task, held, worth, picks)
    ceiling = np.maximum(one, two)
    best, _ = climb(evaluate, ceiling * 0.5, upper=ceiling, target=-target, iterations=400)
    return -best


def _model(task: Task, held: IntArray, second: float) -> Model:
    """State it for HiGHS: options, then first and second service of each element."""
    k, m = task.options, len(task.weight)
    cost = np.concatenate([np.zeros(k), -task.weight, -task.weight * second])
    ptr, who = kernels.transpose(task.ptr, task.serves, m)
    rows = []
    for i in range(m):
        near = who[ptr[i] : ptr[i + 1]].astype(np.int64)
        columns = np.concatenate([near, [k + i, k + m + i]]).astype(np.int64)
        rows.append((columns, np.concatenate([-np.ones(len(near)), [1.0, 1.0]]), -np.inf, 0.0))
    cover = Model.of([(np.zeros(k), 1.0, True), (cost[k:], 1.0, False)], rows)
    upper = np.concatenate([np.ones(k), (held < 1).astype(float), (held < 2).astype(float)])  # noqa: PLR2004 - as above
    full = cover.and_rows(rules_model(task, cost))
    return Model(cost, full.lower, upper, full.whole, full.ptr, full.column, full.amount, full.low, full.high)
