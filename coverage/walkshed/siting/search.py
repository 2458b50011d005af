"""The engine: a good choice quickly, a bound on every other choice, and the proof where the two meet."""

import time
from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np

from walkshed.contracts import BoolArray, FloatArray, IntArray
from walkshed.siting import _kernels as kernels
from walkshed.siting.exact import choice_model, minimise, rules_model, start_of
from walkshed.siting.lagrange import SHORTEST, Prices, first_prices, lagrange, settled
from walkshed.siting.task import Task

SMALL = 4_000  # pairs: HiGHS alone is quicker than anything in front of it
MODEL = 60_000  # pairs: more than this is not worth a branch and bound
ROUNDS = 24
ITERATIONS = 100  # of the bound between two looks at what is decided
AGAIN = 0.1  # step factor to go on with when the choice has improved
KICKS = 400  # between two looks
HEAT = 0.005  # of what a pick serves on average: so much worse is still kept, less and less
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


def decided_by_rules(task: Task) -> tuple[IntArray, IntArray] | None:
    """Options that the rules alone put in or rule out; None if they contradict each other at sight."""
    rows, inside, out = task.rows, np.zeros(task.options, dtype=bool), np.zeros(task.options, dtype=bool)
    option = rows.option
    while True:
        before = inside.sum() + out.sum()
        used = np.bincount(rows.rule, rows.amount * inside[option], minlength=len(rows.low))
        is_open = ~inside[option] & ~out[option]
        out[option[is_open & (used[rows.rule] + rows.amount > rows.high[rows.rule] + kernels.SLACK)]] = True
        is_open &= ~out[option]
        most = used + np.bincount(rows.rule, rows.amount * is_open, minlength=len(rows.low))
        if (most < rows.low - kernels.SLACK).any() or (used > rows.high + kernels.SLACK).any():
            return None
        needed = rows.low[rows.rule] > most[rows.rule] - rows.amount + kernels.SLACK
        inside[option[is_open & needed & (rows.amount > 0)]] = True
        if inside.sum() > task.build:
            return None
        if inside.sum() + out.sum() == before:
            return np.flatnonzero(inside), np.flatnonzero(out)


def _narrow(task: Task, best: Found, left_s: Clock, seed: int, slack: float) -> tuple[Found, Task]:
    """Sharpen the bound and decide options by it, round by round, improving the choice on what is still open."""
    rng = np.random.default_rng(seed)
    core, prices, since = task, first_prices(task, best.picks), best.weight
    for _ in range(ROUNDS):
        if left_s() < 0:
            return replace(best, stopped=True), core
        prices = lagrange(core, prices, target=best.weight + slack, iterations=ITERATIONS)
        best = replace(best, bound=min(best.bound, max(prices.bound, best.weight + slack - 1)))
        if best.bound >= best.weight + slack:
            best = _better(core, best, _promising(core, prices))
            best = _kicked(core, best, rng, slack)
        if best.bound < best.weight + slack:
            break
        inside, out = settled(core, prices, best.weight + slack)
        if len(inside) + len(out):
            core = core.narrowed(inside, out)
            prices = replace(prices, element=prices.element[core.element], bound=np.inf, loss=np.zeros(core.options))
        if not core.options or len(core.serves) <= SMALL:
            break
        if prices.step < SHORTEST:
            if best.weight == since:
                break
            prices, since = replace(prices, step=AGAIN), best.weight  # a better choice makes longer steps worth while
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


def first_picks(task: Task) -> IntArray | None:
    """Choose greedily, lower limits first; where that fails let HiGHS find any choice that keeps the rules."""
    if task.build < 0 or (task.rows.high < -kernels.SLACK).any():
        return None
    tried = [greedy_picks(task, price) for price in _price_lists(task)]
    kept = [picks for picks in tried if task.rows.kept(picks)]
    if kept:
        return max(kept, key=task.worth)
    gain = kernels.sums(task.ptr, task.serves, task.weight)
    answer = minimise(rules_model(task, -gain / max(1.0, gain.max(initial=0.0))), time_limit_s=20.0, relative=0.01)
    return None if answer.x is None else np.flatnonzero(answer.x > 0.5)  # noqa: PLR2004 - rounding


def _price_lists(task: Task) -> list[FloatArray]:
    """What an option is taken to cost while choosing greedily: nothing, and its share of every budget."""
    rows = task.rows
    lists = [np.ones(task.options)]
    uneven = np.bincount(rows.rule, rows.amount != 1.0, minlength=len(rows.low)) > 0
    if uneven.any():
        share = np.where(uneven & (rows.high > 0) & np.isfinite(rows.high), 1.0 / np.maximum(rows.high, 1e-9), 0.0)
        lists.append(np.maximum(rows.sums(share), 1e-9))
    return lists


def greedy_picks(task: Task, price: FloatArray) -> IntArray:
    """Take what serves most new weight per price; rules with a lower limit are filled first, the smallest first."""
    rows, picks = task.rows, np.zeros(0, dtype=np.int64)
    served, used = np.zeros(len(task.weight), dtype=bool), np.zeros(len(rows.low))
    size = np.bincount(rows.rule, minlength=len(rows.low))
    for rule in [*np.argsort(size, kind="stable")[np.sort(size) > 0].tolist(), -1]:
        if rule >= 0 and rows.low[rule] <= 0:
            continue
        allowed = np.ones(task.options, dtype=bool)
        if rule >= 0:
            allowed[:] = False
            allowed[rows.option[rows.rule == rule]] = True
        allowed[picks] = False
        need = task.build if rule < 0 else int(max(0, np.ceil(rows.low[rule] - used[rule] - kernels.SLACK)))
        new = kernels.greedy(
            task.ptr, task.serves, task.weight, price, rows.ptr, rows.rule, rows.amount, used, rows.low, rows.high,
            served, allowed, min(need, task.build - len(picks)),
        )  # fmt: skip
        picks = np.concatenate([picks, new]).astype(np.int64)
    return picks


def swapped(
    task: Task, picks: IntArray, *, rounds: int = 3, settle: bool = False, look: BoolArray | None = None
) -> IntArray:
    """Exchange and add options while that serves more, beginning with those in `look` (default: all)."""
    rows = task.rows
    first = np.ones(task.options, dtype=bool) if look is None else look.copy()
    new: IntArray = kernels.swap(
        task.ptr, task.serves, task.weight, *task.back, rows.ptr, rows.rule, rows.amount, rows.used(picks), rows.low,
        rows.high, picks.astype(np.int32), task.build, first, rounds, settle,
    ).astype(np.int64)  # fmt: skip
    return new


def _promising(core: Task, prices: Prices) -> IntArray:
    """What the prices would choose, filled up and improved, if the rules allow."""
    filled = (
        _refilled(core, np.sort(prices.liked), prices.liked[:0]) if len(prices.liked) <= core.build else prices.liked
    )
    return swapped(core, filled) if core.rows.kept(filled) else filled[:0]


def _kicked(core: Task, best: Found, rng: np.random.Generator, slack: float, kicks: int = KICKS) -> Found:
    """Drop a few picks at random, fill up without them, exchange; keep what is hardly worse (threshold accepting).

    Filled up in turn greedily and, where no rule forbids it, at random: each finds what the other does not.
    """
    here, stale = core.local(best.picks), 0
    if len(here) + len(core.taken) != len(best.picks) or not len(here):
        return best
    here_weight = top_weight = best.weight
    top, mean = here, best.weight / max(1, len(best.picks))
    for kick in range(kicks):
        if best.bound < best.weight + slack or stale > kicks // 3:
            break
        out = rng.choice(len(here), size=min(len(here), int(rng.integers(2, 6))), replace=False)
        rest, gone = np.delete(here, out), here[out]
        look = task_near(core, gone)
        if kick % 2 and not len(core.rows.low) and core.options >= len(here) + len(gone):
            new = rng.choice(core.options, len(gone), replace=False)
            filled = np.union1d(rest, new)
            look |= task_near(core, new)
        else:
            filled = _refilled(core, rest, gone, look)
        picks = swapped(core, filled, rounds=1, look=look)
        weight = core.worth(picks)
        if weight >= here_weight - HEAT * (1 - kick / kicks) * mean and core.rows.kept(picks):
            here, here_weight = picks, weight
        stale = 0 if here_weight > top_weight else stale + 1
        if here_weight > top_weight:
            top, top_weight = here, here_weight
    return _better(core, best, swapped(core, top))


def task_near(task: Task, options: IntArray) -> BoolArray:
    """True for options that share an element with one of these."""
    near = np.zeros(task.options, dtype=bool)
    for option in options.tolist():
        kernels.mark(task.ptr, task.serves, *task.back, option, near)
    return near


def _refilled(core: Task, picks: IntArray, banned: IntArray, among: BoolArray | None = None) -> IntArray:
    """Fill up to the number allowed, without some options."""
    rows, served = core.rows, np.zeros(len(core.weight), dtype=bool)
    allowed = np.ones(core.options, dtype=bool) if among is None else among.copy()
    served[core.served_by(picks)] = True
    allowed[picks] = allowed[banned] = False
    new = kernels.greedy(
        core.ptr, core.serves, core.weight, np.ones(core.options), rows.ptr, rows.rule, rows.amount, rows.used(picks),
        rows.low, rows.high, served, allowed, core.build - len(picks),
    )  # fmt: skip
    return np.concatenate([picks, new]).astype(np.int64)


def _better(core: Task, best: Found, picks: IntArray) -> Found:
    """Take the picks of a narrowed task if they keep the rules and serve more."""
    if len(picks) > core.build or not core.rows.kept(picks) or core.worth(picks) <= best.weight:
        return best
    return replace(best, picks=np.sort(core.whole(picks)), weight=core.worth(picks))


def without_idle(task: Task, picks: IntArray) -> IntArray:
    """Drop picks that serve nobody but for others, the last first, as far as the rules allow."""
    for pick in picks[::-1].tolist():
        rest = picks[picks != pick]
        if task.worth(rest) == task.worth(picks) and task.rows.kept(rest):
            picks = rest
    return picks


def in_order(task: Task, picks: IntArray) -> tuple[IntArray, FloatArray]:
    """Picks in greedy order with the weight each adds; those that add nothing last."""
    alone = task.narrowed(np.zeros(0, dtype=np.int64), np.setdiff1d(np.arange(task.options), picks))
    free = replace(alone, rows=alone.rows.none(alone.options), build=alone.options)
    first = greedy_picks(free, np.ones(free.options))
    order = free.option[np.concatenate([first, np.setdiff1d(np.arange(free.options), first)])]
    served = np.zeros(len(task.weight), dtype=bool)
    gains = np.zeros(len(order))
    for at, option in enumerate(order.tolist()):
        new = task.serves[task.ptr[option] : task.ptr[option + 1]]
        gains[at] = task.weight[new[~served[new]]].sum()
        served[new] = True
    return order, gains
