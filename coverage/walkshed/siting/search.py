"""The engine: a good choice quickly, a bound on every other choice, and the proof where the two meet."""

import time
from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np

from walkshed.contracts import IntArray
from walkshed.siting import _kernels as kernels
from walkshed.siting.exact import choice_model, minimise, start_of
from walkshed.siting.lagrange import SHORTEST, Prices, first_prices, lagrange, settled
from walkshed.siting.moves import decided_by_rules, first_picks, near_options, refilled, swapped, without_idle
from walkshed.siting.task import Task

SMALL = 4_000  # pairs: HiGHS alone is quicker than anything in front of it
MODEL = 60_000  # pairs: more than this is not worth a branch and bound
ROUNDS = 24
ITERATIONS = 100  # of the bound between two looks at what is decided
SLIGHT = 0.05  # of the gap: a choice better by less does not make longer steps of the prices worth while
AGAIN = 0.1  # step factor to go on with when the choice has improved
QUICK = (400, 0.005, 133)  # kicks before the first look at what is decided, their heat and patience
BRIEF = (400, 0.005, 50)  # before each later one
LONG = (1200, 0.06, 1200)  # once the bound is as good as it gets and too much is open for HiGHS
Clock = Callable[[], float]


@dataclass(frozen=True, eq=False)
class Found:
    """The best choice found and what is known of all others.

    picks : int64, positions in the task, ascending; weight : what they serve; bound : no choice serves more
    stopped : the time limit ended the search
    """

    picks: IntArray
    weight: float
    bound: float
    stopped: bool = False


def clock_for(time_limit_s: float) -> Clock:
    """Seconds left of a limit, each time it is asked."""
    end = time.perf_counter() + time_limit_s
    return lambda: end - time.perf_counter()


def solve(task: Task, *, left_s: Clock, seed: int, slack: float = 1.0, start: IntArray | None = None) -> Found | None:
    """Choose options that serve the most weight under the rules; None if no choice keeps the rules.

    A choice is proven when no other is better by `slack` or more. Work is bounded by counted steps, so the same task
    and seed give the same choice; the clock only guards. `start` is a choice to start from, if it keeps the rules.
    """
    forced = decided_by_rules(task)
    if forced is None:
        return None
    root = task.narrowed(*forced).as_root() if len(forced[0]) + len(forced[1]) else task
    at_root = np.setdiff1d(np.arange(task.options), np.concatenate(forced))
    picks = None if start is None else _start_at(root, at_root, start)
    picks = first_picks(root) if picks is None else picks
    if picks is None:
        return None
    found = _searched(root, swapped(root, picks), left_s, seed, slack)
    return replace(found, picks=np.sort(np.concatenate([forced[0], at_root[found.picks]])))


def _start_at(root: Task, at_root: IntArray, start: IntArray) -> IntArray | None:
    """Positions in the root of a choice to start from, if it is one."""
    here = np.searchsorted(at_root, start[np.isin(start, at_root)])
    return here if len(here) <= root.build and root.rows.kept(here) else None


def _searched(root: Task, picks: IntArray, left_s: Clock, seed: int, slack: float) -> Found:
    best, core = Found(picks, root.worth(picks), root.base + float(root.weight.sum())), root
    if len(root.serves) > SMALL:
        best, core = _narrow(root, best, left_s, seed, slack)
    if best.bound >= best.weight + slack and len(core.serves) <= MODEL:
        best = _finish(core, best, left_s, slack)
    return _settle(root, best, slack)


def _narrow(task: Task, best: Found, left_s: Clock, seed: int, slack: float) -> tuple[Found, Task]:
    """Sharpen the bound and decide options by it, round by round, improving the choice on what is still open."""
    rng = np.random.default_rng(seed)
    core, prices, since = task, first_prices(task, best.picks), best.weight
    effort, again = QUICK, True
    for _ in range(ROUNDS):
        if left_s() < 0:
            return replace(best, stopped=True), core
        prices = lagrange(core, prices, target=best.weight + slack, iterations=ITERATIONS)
        best = replace(best, bound=min(best.bound, max(prices.bound, best.weight + slack - 1)))
        spent = prices.step < SHORTEST
        if best.bound >= best.weight + slack:
            best = _better(core, best, _promising(core, prices))
            if spent and again and len(core.serves) > MODEL:
                effort, again = LONG, False
            best = _kicked(core, best, rng, slack, effort)
            effort = BRIEF
        if best.bound < best.weight + slack:
            break
        inside, out = settled(core, prices, best.weight + slack)
        if len(inside) + len(out):
            core = core.narrowed(inside, out)
            prices = replace(prices, element=prices.element[core.element], bound=np.inf, loss=np.zeros(core.options))
        if not core.options or len(core.serves) <= SMALL:
            break
        if spent:
            if best.weight - since <= SLIGHT * (best.bound - best.weight):
                break
            prices, since = replace(prices, step=AGAIN), best.weight
    return best, core


def _finish(core: Task, best: Found, left_s: Clock, slack: float) -> Found:
    """Let HiGHS decide what is still open."""
    small = core.merged()
    scale = min(1.0, 1e7 / max(1.0, float(small.weight.sum())))  # keeps its absolute tolerances meaningful
    here = small.local(best.picks)
    whole = len(here) + len(small.taken) == len(best.picks) and small.rows.kept(here)
    answer = minimise(
        choice_model(small, scale),
        time_limit_s=left_s(),
        start=start_of(small, here) if whole else None,
        gap=0.99 * slack * scale,
    )
    if answer.x is not None:
        best = _better(small, best, np.flatnonzero(answer.x[: small.options] > 0.5))  # noqa: PLR2004 - rounding
    decided = best.weight + slack - 1  # what was decided before could be no better than this
    bound = small.base - answer.bound / scale if answer.status != "infeasible" else -np.inf
    return replace(best, bound=min(best.bound, max(bound, decided)), stopped=answer.status == "stopped")


def _settle(task: Task, best: Found, slack: float) -> Found:
    """Break ties for the lower option, drop what serves nobody, and close the bound where it is proven."""
    picks = swapped(task, best.picks, rounds=4, settle=True)
    picks = np.sort(without_idle(task, picks))
    weight = task.worth(picks)
    proven = best.bound < weight + slack
    bound = max(weight, np.floor(best.bound + 1e-3) if slack <= 1 else best.bound)
    return Found(picks, weight, weight if proven and slack <= 1 else bound, best.stopped)


def _promising(core: Task, prices: Prices) -> IntArray:
    """What the prices would choose, filled up and improved, if the rules allow."""
    filled = (
        refilled(core, np.sort(prices.liked), prices.liked[:0]) if len(prices.liked) <= core.build else prices.liked
    )
    return swapped(core, filled) if core.rows.kept(filled) else filled[:0]


def _kicked(core: Task, best: Found, rng: np.random.Generator, slack: float, effort: tuple[int, float, int]) -> Found:
    """Drop a few picks, fill up without them, exchange; keep what is hardly worse (threshold accepting).

    One time in three they are dropped anywhere, else from one neighbourhood; filled up in turn greedily and, where no
    rule forbids it, at random: each finds what the others do not.

    effort : kicks at most; how much worse may be kept, of what a pick serves on average, less and less; kicks without
        progress after which it ends
    """
    kicks, heat, patience = effort
    here, stale = core.local(best.picks), 0
    if len(here) + len(core.taken) != len(best.picks) or not len(here):
        return best
    here_weight = top_weight = best.weight
    top, mean = here, best.weight / max(1, len(best.picks))
    for kick in range(kicks):
        if best.bound < best.weight + slack or stale > patience:
            break
        out = _dropped(core, here, rng, local=kick % 3 > 0)
        rest, gone = np.delete(here, out), here[out]
        look = near_options(core, gone)
        if kick % 2 and not len(core.rows.low) and core.options >= len(here) + len(gone):
            new = rng.choice(np.flatnonzero(look) if kick % 3 else core.options, len(gone), replace=False)
            filled = np.union1d(rest, new)
            look |= near_options(core, new)
        else:
            filled = refilled(core, rest, gone, look)
        picks = swapped(core, filled, rounds=1, look=look)
        weight = core.worth(picks)
        if weight >= here_weight - heat * (1 - kick / kicks) * mean and core.rows.kept(picks):
            here, here_weight = picks, weight
        stale = 0 if here_weight > top_weight else stale + 1
        if here_weight > top_weight:
            top, top_weight = here, here_weight
    return _better(core, best, swapped(core, top))


def _dropped(core: Task, here: IntArray, rng: np.random.Generator, *, local: bool) -> IntArray:
    """Positions of two to five picks: any, or neighbours."""
    among = np.arange(len(here))
    if local:
        middle = int(here[rng.integers(len(here))])
        among = np.flatnonzero(kernels.around(core.ptr, core.serves, *core.back, here, middle))
    return rng.choice(among, size=min(len(among), int(rng.integers(2, 6))), replace=False)


def _better(core: Task, best: Found, picks: IntArray) -> Found:
    """Take the picks of a narrowed task if they keep the rules and serve more."""
    if len(picks) > core.build or not core.rows.kept(picks) or core.worth(picks) <= best.weight:
        return best
    return replace(best, picks=np.sort(core.whole(picks)), weight=core.worth(picks))
