"""Fair cover on large tables: a small model of units, tightened wherever it promises more than its sites serve.

What sites serve in a unit has falling returns, so what a set S serves, plus what each further site would add to S,
bounds what any set serves (Nemhauser and Wolsey 1981). Such cuts are added for the sites the model likes until what it
promises is what they serve. A few sites for many units need few cuts; many sites need more than there is time for, and
what is left then is a bound.
"""

from dataclasses import dataclass, replace
from functools import cached_property
from typing import Literal

import numpy as np

from walkshed.contracts import BoolArray, FloatArray, IntArray
from walkshed.siting.exact import Model, minimise, rules_model
from walkshed.siting.search import Clock
from walkshed.siting.task import Task

CUTS = 60  # looks at what the model promises, for each question put to it
NODES = 100  # of the tree of HiGHS, for each stage after the worst unit
NEAR = 1e-3  # shares this close: the next question is whether there is anything in between
SAME = 1e-6  # shares closer than this are equal: what HiGHS calls feasible
Verdict = Literal["reached", "impossible", "open"]


@dataclass(frozen=True, eq=False)
class Shares:
    """What options serve of each unit.

    option, element : int64 (pairs,); unit : int64 (elements,)
    weight : float64 (elements,), people; held, everybody : float64 (units,), people served already and in all
    """

    option: IntArray
    element: IntArray
    unit: IntArray
    weight: FloatArray
    held: FloatArray
    everybody: FloatArray
    task: Task

    @cached_property
    def rules(self) -> Model:
        """The rules over the options."""
        return rules_model(self.task, np.zeros(self.task.options))

    def served(self, picks: IntArray) -> BoolArray:
        """Which elements these picks serve."""
        there = np.zeros(len(self.weight), dtype=bool)
        there[self.element[np.isin(self.option, picks)]] = True
        return there

    def of(self, picks: IntArray) -> FloatArray:
        """Served share of each unit; float64 (units,)."""
        there = self.served(picks)
        more = np.bincount(self.unit[there], self.weight[there], minlength=len(self.held))
        return np.asarray((self.held + more) / self.everybody)

    def worst(self, picks: IntArray) -> float:
        """Share of the unit served worst."""
        return float(self.of(picks).min())

    def cut(self, picks: IntArray) -> "Cut":
        """What no choice exceeds in any unit, from what these picks serve."""
        n = len(self.held)
        new = ~self.served(picks)[self.element]
        key = self.option[new] * n + self.unit[self.element[new]]
        pair, where = np.unique(key, return_inverse=True)
        option, unit = np.divmod(pair, n)
        gain = np.bincount(where, self.weight[self.element[new]]) / self.everybody[unit]
        return Cut(option, unit, gain, self.of(picks))


@dataclass(frozen=True, eq=False)
class Cut:
    """No choice serves more of a unit than `base` and the gains of its options.

    option, unit, gain : one for each option and unit it reaches; base : float64 (units,); shares of the unit
    """

    option: IntArray
    unit: IntArray
    gain: FloatArray
    base: FloatArray

    def at_least(self, share: float) -> list[tuple[IntArray, FloatArray, float, float]]:
        """Rows: every unit gets this share. No option counts for more than is missing, which makes the rows tight."""
        rows = []
        for unit in np.flatnonzero(self.base < share).tolist():
            here, missing = self.unit == unit, share - self.base[unit]
            rows.append((self.option[here], np.minimum(self.gain[here] / missing, 1.0), 1.0, np.inf))
        return rows

    def below(self, first: int) -> list[tuple[IntArray, FloatArray, float, float]]:
        """Rows: columns from `first` on, one for each unit, are no more than it can have."""
        rows = []
        for unit in range(len(self.base)):
            here = self.unit == unit
            amounts = np.append(self.gain[here], -1.0)
            rows.append((np.append(self.option[here], first + unit), amounts, -float(self.base[unit]), np.inf))
        return rows


def by_cuts(shares: Shares, picks: IntArray, bound: float, left_s: Clock) -> tuple[IntArray, float, bool]:
    """Better picks, the most the worst unit's share can be, and whether the clock ended it.

    `picks` and `bound` are what is known so far. Once the worst share is proven come the stages of
    `fair.fair_cover`: the sum of the k smallest shares for k = 2, 3, ..., then the total.
    """
    cuts = [shares.cut(np.zeros(0, dtype=np.int64)), shares.cut(picks)]
    picks, bound, stopped = _worst(shares, cuts, picks, bound, left_s)
    if bound <= shares.worst(picks):
        picks = _stages(shares, cuts, picks, left_s)
    return picks, bound, stopped


def _worst(
    shares: Shares, cuts: list[Cut], best: IntArray, bound: float, left_s: Clock
) -> tuple[IntArray, float, bool]:
    """Ask for shares between what is reached and what is possible, until nothing is in between; `cuts` grows."""
    low, high, hopeful = shares.worst(best), bound, bound
    share = low + SAME  # perhaps it is as good as can be
    while hopeful > low + SAME and left_s() > 0:
        met, verdict = _reaching(shares, cuts, share, left_s)
        best = best if met is None or shares.worst(met) <= low else met
        low = shares.worst(best)
        hopeful = hopeful if verdict == "reached" else share
        high = share if verdict == "impossible" else high
        share = (low + hopeful) / 2 if hopeful - low > NEAR else low + SAME
    return best, low if high <= low + SAME else high, left_s() <= 0


def _reaching(shares: Shares, cuts: list[Cut], share: float, left_s: Clock) -> tuple[IntArray | None, Verdict]:
    """Look for picks that serve this share of every unit: the best met, and whether there are any."""
    best: IntArray | None = None
    for _ in range(CUTS):
        rows = [row for cut in cuts for row in cut.at_least(share)]
        asked = shares.rules.and_rows(Model.of([(shares.rules.cost, 1.0, False)], rows))
        answer = minimise(asked, time_limit_s=left_s(), presolve=False)
        if answer.x is None:
            return best, "impossible" if answer.status == "infeasible" else "open"
        picks = np.flatnonzero(answer.x > 0.5)  # noqa: PLR2004 - rounding
        best = picks if best is None else max(best, picks, key=shares.worst)
        if shares.worst(picks) >= share - SAME / 2:
            return picks, "reached"
        cuts.append(shares.cut(picks))
    return best, "open"


def _stages(shares: Shares, cuts: list[Cut], best: IntArray, left_s: Clock) -> IntArray:
    """Raise the sums of the smallest shares one after the other, then the total, while each can be settled."""
    n, k = len(shares.held), shares.task.options
    model = _staged(shares)
    rows = [row for cut in cuts for row in (*cut.below(k), *cut.at_least(shares.worst(best) - SAME))]
    model = model.and_rows(Model.of([(model.cost, 1.0, False)], rows))
    for stage in range(2, n + 2):
        cost, settled = _cost(shares, stage), False
        for _ in range(CUTS):
            answer = minimise(
                replace(model, cost=cost), time_limit_s=left_s(), gap=SAME / 2, nodes=NODES, presolve=False
            )
            if answer.x is not None:
                picks = np.flatnonzero(answer.x[:k] > 0.5)  # noqa: PLR2004 - rounding
                best = max(best, picks, key=lambda some: _rank(shares, some))
                model = model.and_rows(Model.of([(cost, 1.0, False)], shares.cut(picks).below(k)))
            settled = -answer.bound <= _value(shares, best, stage) + SAME * stage
            if settled or answer.status != "optimal":
                break
        if not settled:
            break
        used = np.flatnonzero(cost)
        kept = [(used, cost[used], -np.inf, SAME - _value(shares, best, stage))]
        model = model.and_rows(Model.of([(cost, 1.0, False)], kept))
    return best


def _rank(shares: Shares, picks: IntArray) -> tuple[float, ...]:
    """Shares, worst first, to the last figure that counts, then the total."""
    share = shares.of(picks)
    return (*np.round(np.sort(share), 6).tolist(), float(share @ shares.everybody))


def _value(shares: Shares, picks: IntArray, stage: int) -> float:
    """What the picks reach in this stage: the sum of the smallest shares, or at last the share of everybody."""
    share = shares.of(picks)
    if stage > len(share):
        return float(share @ shares.everybody / shares.everybody.sum())
    return float(np.sort(share)[:stage].sum())


def _cost(shares: Shares, stage: int) -> FloatArray:
    """Minus what `_value` says: k times the level less the shortfalls, after the last stage the share of everybody."""
    k, n = shares.task.options, len(shares.held)
    cost = np.zeros(k + 2 * n + n * n)
    if stage > n:
        cost[k : k + n] = -shares.everybody / shares.everybody.sum()
        return cost
    cost[k + n + stage - 1] = -float(stage)
    cost[k + 2 * n + (stage - 1) * n + np.arange(n)] = 1.0
    return cost


def _staged(shares: Shares) -> Model:
    """Options under the rules, shares of units, and for each stage a level r_k and shortfalls d_uk >= r_k - share u."""
    k, n = shares.task.options, len(shares.held)
    model = rules_model(shares.task, np.zeros(k + 2 * n + n * n))
    stage, unit = np.divmod(np.arange(n * n), n)
    column = np.stack([k + unit, k + n + stage, k + 2 * n + np.arange(n * n)], axis=1).ravel()
    links = replace(
        model, ptr=np.arange(0, 3 * n * n + 1, 3), column=column, amount=np.tile([1.0, -1.0, 1.0], n * n),
        low=np.zeros(n * n), high=np.full(n * n, np.inf),
    )  # fmt: skip
    return model.and_rows(links)
