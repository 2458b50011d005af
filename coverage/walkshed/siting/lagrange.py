"""How good a plan could be at most: prices for elements and rules, and the bound they prove.

Relaxed are "an element is served only if an option that serves it is taken" and every rule; kept is "at most so many
options". At the best prices the bound is that of the linear program (Geoffrion 1974).
"""

from dataclasses import dataclass, replace

import numpy as np

from walkshed.contracts import FloatArray, IntArray
from walkshed.siting import _kernels as kernels
from walkshed.siting import _kernels_prices as pricing
from walkshed.siting.exact import RulesProgram
from walkshed.siting.task import Task

MEMORY = 0.05  # weight of the newest subgradient in the direction (Crowder 1976)
PATIENCE = 15  # iterations without progress before the step is shortened
HALF = 0.5  # of an option: more of it is nearer to all than to nothing
KEPT = 60_000  # entries of rules: more are given prices, not kept at every step
SHORTEST = 1e-4  # step factor at which nothing more is to be had


@dataclass(frozen=True, eq=False)
class Prices:
    """Prices at which the bound is lowest so far.

    element : float64 (elements,); rule : float64 (rules,); bound : no choice is worth more; step : factor of the next
    liked : options the prices take; loss : float64 (options,), how much the bound falls at least where one of these is
    left out or another is put in
    """

    element: FloatArray
    rule: FloatArray
    bound: float
    step: float
    liked: IntArray
    loss: FloatArray


@dataclass(frozen=True, eq=False)
class _Taken:
    """What is taken at some prices: options, how much of each, what they are worth, and `loss` as in `Prices`."""

    options: IntArray
    part: FloatArray
    worth: float
    loss: FloatArray


def first_prices(task: Task, picks: IntArray) -> Prices:
    """Prices to start from: dear where no pick serves, half where one does, free where more do."""
    count = np.bincount(task.served_by(picks), minlength=len(task.weight))
    element = np.where(count == 0, 1.0, np.where(count == 1, 0.5, 0.0)) * task.weight
    nothing = np.zeros(0, dtype=np.int64)
    return Prices(element, np.zeros(len(task.rows.low)), np.inf, 0.5, nothing, np.zeros(task.options))


def lagrange(task: Task, prices: Prices, *, target: float, iterations: int) -> Prices:
    """Lower the bound by averaged subgradients with Polyak's step towards `target`; stop below `target`.

    Held and Karp 1971; Fisher 1981; direction averaged after Crowder 1976. Few rules are kept by a small linear program
    at every step; many are given prices of their own.
    """
    rows, best, step = task.rows, prices, prices.step
    lam, mu = prices.element.copy(), prices.rule.copy()
    left = float((task.weight - lam).sum())
    d, e = np.zeros_like(lam), np.zeros_like(mu)
    scale = max(1.0, len(task.serves) / max(1, task.options))  # a rule's price is of an option's size, not an element's
    kept = RulesProgram(task) if 0 < len(rows.rule) <= KEPT else None
    stuck = 0
    for _ in range(iterations):
        score = kernels.sums(task.ptr, task.serves, lam)
        limit = np.where((mu > 0) | ((mu == 0) & np.isfinite(rows.high)), rows.high, rows.low)
        taken = _best_kept(task, kept, score) if kept else _best_priced(task, score - rows.sums(mu))
        value = task.base + left + taken.worth + float(mu @ np.where(mu == 0, 0.0, limit))
        stuck = 0 if value < best.bound - 1e-5 * abs(best.bound) else stuck + 1
        if value < best.bound:
            best = Prices(lam.copy(), mu.copy(), value, step, taken.options[taken.part > HALF], taken.loss)
        if best.bound < target or step < SHORTEST:
            break
        if stuck > PATIENCE:
            step, stuck = step * 0.66, 0
            lam[:], mu[:], d[:], e[:] = best.element, best.rule, 0.0, 0.0
            left = float((task.weight - lam).sum())
            continue
        length = pricing.slope(
            task.ptr, task.serves, task.weight, rows.ptr, rows.rule, rows.amount, lam, taken.options, taken.part,
            d, e, limit, MEMORY, 0.0 if kept else scale,
        )  # fmt: skip
        if length == 0:
            break
        pace = step * max(value - target, 1.0) / length
        left = pricing.walk(task.weight, lam, d, pace)
        if not kept:
            mu += pace * scale * scale * e
            mu[((mu > 0) & np.isinf(rows.high)) | ((mu < 0) & np.isinf(rows.low))] = 0.0
    return replace(best, step=step)


def _best_priced(task: Task, score: FloatArray) -> _Taken:
    """Take what is worth most by number alone. What is out replaces the weakest that is in, and the other way round."""
    top = best_positive(score, task.build)
    inside = np.zeros(task.options, dtype=bool)
    inside[top] = True
    full = len(top) == task.build
    weakest = float(score[top].min()) if full and len(top) else 0.0
    runner_up = max(0.0, float(score[~inside].max())) if full and not inside.all() else 0.0
    return _Taken(top, np.ones(len(top)), float(score[top].sum()), np.where(inside, score - runner_up, weakest - score))


def _best_kept(task: Task, kept: RulesProgram, score: FloatArray) -> _Taken:
    """Take what is worth most under the rules, in parts if need be.

    The worth is reckoned from the prices of the rules, at which it bounds every choice whatever the solver rounds.
    """
    rows = task.rows
    part, mu, count = kept.best(score)
    mu[((mu > 0) & np.isinf(rows.high)) | ((mu < 0) & np.isinf(rows.low))] = 0.0
    reduced = score - rows.sums(mu) - count
    limit = np.where(mu > 0, rows.high, rows.low)
    worth = count * task.build + float(mu @ np.where(mu == 0, 0.0, limit)) + float(np.maximum(reduced, 0).sum())
    options = np.flatnonzero(part > 0)
    loss = np.where(part > HALF, reduced, -reduced)
    return _Taken(options, part[options], worth, np.where((part > 0) & (part < 1), 0.0, np.maximum(loss, 0.0)))


def best_positive(score: FloatArray, build: int) -> IntArray:
    """The at most `build` options worth most, as far as they are worth anything; of equals any."""
    top = (
        np.argpartition(-score, build - 1)[:build] if 0 < build < len(score) else np.arange(len(score) if build else 0)
    )
    return top[score[top] > 0].astype(np.int64)


def settled(task: Task, prices: Prices, target: float) -> tuple[IntArray, IntArray]:
    """Options that are in, and those that are out, of every choice worth `target` or more (reduced-cost fixing)."""
    inside = np.zeros(task.options, dtype=bool)
    inside[prices.liked] = True
    sure = prices.bound - prices.loss < target
    return np.flatnonzero(sure & inside), np.flatnonzero(sure & ~inside)
