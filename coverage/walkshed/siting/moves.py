"""Single steps of the search: choose greedily, exchange, fill up, drop what is idle, put in order."""

from dataclasses import replace

import numpy as np

from walkshed.contracts import BoolArray, FloatArray, IntArray
from walkshed.siting import _kernels as kernels
from walkshed.siting import _kernels_swap as swapping
from walkshed.siting.exact import minimise, rules_model
from walkshed.siting.task import Task


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
    new: IntArray = swapping.swap(
        task.ptr, task.serves, task.weight, *task.back, rows.ptr, rows.rule, rows.amount, rows.used(picks), rows.low,
        rows.high, picks.astype(np.int32), task.build, first, rounds, settle,
    ).astype(np.int64)  # fmt: skip
    return new


def near_options(task: Task, options: IntArray) -> BoolArray:
    """True for options that share an element with one of these."""
    near = np.zeros(task.options, dtype=bool)
    for option in options.tolist():
        kernels.mark(task.ptr, task.serves, *task.back, option, near)
    return near


def refilled(core: Task, picks: IntArray, banned: IntArray, among: BoolArray | None = None) -> IntArray:
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
