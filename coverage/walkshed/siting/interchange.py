"""p-median on long tables of distances: one site exchanged for another, prices for a bound, kicks out of dead ends."""

from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np

from walkshed.contracts import FloatArray, Index32, IntArray
from walkshed.siting import _kernels_median as kernels
from walkshed.siting import _kernels_prices as pricing
from walkshed.siting.climb import Evaluate, climb
from walkshed.siting.lagrange import best_positive
from walkshed.siting.moves import first_picks
from walkshed.siting.search import Clock
from walkshed.siting.task import Rows, Task

ROUNDS, ITERATIONS = 5, 200  # of prices, between two looks at what they like
LATITUDE = 1.4  # prices may grow this much in a round: pairs dearer than that are left out of it
NEAR = 1.8  # kicks look at pairs up to so many times the price: the others are hardly ever a nearest or second
KICKS, KICKED = 100, (0.15, 0.35)  # how many, and what part of the sites each replaces
MET = 1 - 1e-9  # of the least sum: a bound this near is a proof


@dataclass(frozen=True, eq=False)
class Walks:
    """Who walks how far to which option, compressed by option, and how far without any.

    ptr : int64 (options + 1,); demand : int32, away_m : float64 (pairs,); people, base_m : float64 (demand,)
    """

    ptr: IntArray
    demand: Index32
    away_m: FloatArray
    people: FloatArray
    base_m: FloatArray
    rows: Rows
    build: int

    @property
    def options(self) -> int:
        """How many there are."""
        return len(self.ptr) - 1

    def nearest(self, picks: IntArray) -> tuple[FloatArray, FloatArray]:
        """Walks to the nearest and to the second of these picks; float64 (demand,)."""
        m = len(self.base_m)
        first, near, second = np.empty(m, dtype=np.int64), np.empty(m), np.empty(m)
        kernels.two_nearest(self.ptr, self.demand, self.away_m, self.base_m, picks, first, near, second)
        return near, second

    def total(self, picks: IntArray) -> float:
        """Sum of everybody's walk, in person-metres."""
        return float(self.people @ self.nearest(picks)[0])

    @cached_property
    def back(self) -> tuple[IntArray, Index32, FloatArray]:
        """Options of each demand point, and how far they are: (ptr, option, distance)."""
        order = np.argsort(self.demand, kind="stable")
        ptr = np.concatenate([[0], np.cumsum(np.bincount(self.demand, minlength=len(self.people)))]).astype(np.int64)
        option = np.repeat(np.arange(self.options, dtype=np.int32), np.diff(self.ptr))
        return ptr, option[order], self.away_m[order]

    @cached_property
    def pay(self) -> FloatArray:
        """Person-metres of each pair."""
        return self.away_m * self.people[self.demand]

    def exchanged(self, picks: IntArray) -> IntArray:
        """Exchange sites one by one while that shortens the sum and keeps the rules."""
        rows = self.rows
        new: IntArray = kernels.interchange(
            self.ptr, self.demand, self.away_m, *self.back, self.people, self.base_m, rows.ptr, rows.rule, rows.amount,
            rows.used(picks), rows.low, rows.high, picks,
        )  # fmt: skip
        return new

    def cheaper_than(self, prices: FloatArray) -> "Walks":
        """Only the pairs whose person-metres are below the price of their demand point."""
        ptr, demand, away_m = kernels.cheaper(self.ptr, self.demand, self.away_m, self.people, prices)
        return replace(self, ptr=ptr, demand=demand, away_m=away_m)

    def bound(self) -> Evaluate:
        """The least sum at given prices, and where it rises (Cornuejols, Fisher and Nemhauser 1977)."""
        pay = self.pay

        def evaluate(lam: FloatArray) -> tuple[float, FloatArray]:
            score = pricing.savings(self.ptr, self.demand, pay, lam)
            top = best_positive(score, self.build)
            return float(lam.sum() - score[top].sum()), kernels.unpaid(self.ptr, self.demand, pay, lam, top)

        return evaluate

    def liked(self, lam: FloatArray) -> IntArray:
        """The options that prices would build."""
        score = pricing.savings(self.ptr, self.demand, self.pay, lam)
        return np.sort(best_positive(score, self.build))


def interchanged(walks: Walks, *, left_s: Clock, seed: int) -> tuple[IntArray, float, bool] | None:
    """Picks, the least sum of walks any choice could have, in person-metres, and whether the clock ended the search.

    Rules are left out of the bound, which still holds; None if no choice keeps them.
    """
    start = _start(walks)
    if start is None:
        return None
    best, lam, bound = _priced(walks, start, left_s)
    if bound < walks.total(best) * MET:
        best = _kicked(walks, best, lam, left_s, np.random.default_rng(seed))
    return np.sort(best), bound, left_s() <= 0


def _start(walks: Walks) -> IntArray | None:
    """Options spread over the list, or what the rules allow."""
    k, rows = walks.options, walks.rows
    spread = np.unique(np.linspace(0, k - 1, max(1, walks.build)).astype(np.int64))
    if walks.build > 0 and rows.kept(spread):
        return spread
    picks = first_picks(Task.of(walks.ptr, walks.demand, walks.people, build=walks.build, rows=rows))
    if picks is None:
        return None
    for j in np.setdiff1d(np.arange(k), picks).tolist():
        if len(picks) < walks.build and rows.kept(np.append(picks, j)):
            picks = np.append(picks, j)
    return picks


def _priced(walks: Walks, picks: IntArray, left_s: Clock) -> tuple[IntArray, FloatArray, float]:
    """Raise the bound in rounds, and try what its prices would build: the better picks, the prices, the bound.

    Prices climb, and sites are exchanged, on the pairs that prices can make worth anything, a small part of the table;
    the bound and the walks are reckoned on all.
    """
    ceiling, whole = walks.base_m * walks.people, walks.bound()
    best = walks.cheaper_than(LATITUDE * walks.people * walks.nearest(picks)[1]).exchanged(picks)
    near, second = walks.nearest(best)
    lam, least, bound = np.minimum(ceiling, walks.people * (second + near) / 2), walks.total(best), -np.inf
    for _ in range(ROUNDS):
        most = np.minimum(ceiling, LATITUDE * lam)
        some = walks.cheaper_than(most)
        _, lam = climb(some.bound(), lam, upper=most, target=least, iterations=ITERATIONS)
        bound, liked = max(bound, whole(lam)[0]), walks.liked(lam)
        if walks.rows.kept(liked):
            other = some.exchanged(liked)
            best = other if walks.total(other) < least else best
            least = walks.total(best)
        if bound >= least * MET or left_s() <= 0:
            break
    return best, lam, bound


def _kicked(walks: Walks, picks: IntArray, lam: FloatArray, left_s: Clock, rng: np.random.Generator) -> IntArray:
    """Replace some sites by others at random, exchange, keep what is better (Lourenço, Martin and Stützle 2003)."""
    near, best, least = walks.cheaper_than(NEAR * lam), picks, walks.total(picks)
    for _ in range(KICKS):
        others = np.setdiff1d(np.arange(walks.options), best)
        low, high = (max(1, round(part * len(best))) for part in KICKED)
        many = min(int(rng.integers(low, high + 1)), len(best), len(others))
        if many == 0 or left_s() <= 0:
            break
        kicked = best.copy()
        kicked[rng.choice(len(best), many, replace=False)] = rng.choice(others, many, replace=False)
        if not walks.rows.kept(kicked):
            continue
        kicked = near.exchanged(kicked)
        total = walks.total(kicked)
        best, least = (kicked, total) if total < least else (best, least)
    return best
