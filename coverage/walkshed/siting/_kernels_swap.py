"""Array kernels of the exchange: one option for another, or one more, while that serves more.

Tables as in `_kernels`.
"""

import numpy as np

from walkshed._kernels import kernel
from walkshed.contracts import BoolArray, FloatArray, Index32, IntArray
from walkshed.siting._kernels import fits, mark, spend

NOBODY, SEVERAL = -1, -2  # in place of the one slot that serves an element


@kernel
def _enter(
    ptr: IntArray, idx: Index32, w: FloatArray, count: Index32, slot: Index32, sole: Index32, loss: FloatArray,
    j: int, r: int,
) -> None:  # fmt: skip
    """Put option `j` into slot `r`.

    `count` counts the slots that serve an element and `slot` sums them; `sole` is the slot that alone serves it, NOBODY
    where none does, SEVERAL where more do; `loss` is what each slot alone serves.
    """
    gain = 0.0
    for t in range(ptr[j], ptr[j + 1]):
        i = idx[t]
        if count[i] == 0:
            gain += w[i]
            sole[i] = r
        elif count[i] == 1:
            loss[slot[i]] -= w[i]
            sole[i] = SEVERAL
        count[i] += 1
        slot[i] += r
    loss[r] = gain


@kernel
def _leave(
    ptr: IntArray, idx: Index32, w: FloatArray, count: Index32, slot: Index32, sole: Index32, loss: FloatArray,
    j: int, r: int,
) -> None:  # fmt: skip
    """Take option `j` out of slot `r`; tables as in `_enter`."""
    for t in range(ptr[j], ptr[j + 1]):
        i = idx[t]
        count[i] -= 1
        slot[i] -= r
        if count[i] == 1:
            loss[slot[i]] += w[i]
            sole[i] = slot[i]
        elif count[i] == 0:
            sole[i] = NOBODY
    loss[r] = 0.0


@kernel
def _weigh(
    ptr: IntArray, idx: Index32, w: FloatArray, sole: Index32, loss: FloatArray, least: float, j: int,
    extra: FloatArray, touched: Index32,
) -> tuple[float, float, int]:  # fmt: skip
    """What option `j` newly serves, and what it would leave of each slot's loss, in `extra`.

    Returns what it newly serves, the most that an exchange for it can gain, and how many slots are in `touched`;
    `least` is the smallest loss of all. Most options are passed over at this: nothing is asked of every slot.
    """
    gain, m = 0.0, 0
    for t in range(ptr[j], ptr[j + 1]):
        i = idx[t]
        s = sole[i]
        if s == NOBODY:
            gain += w[i]
        elif s >= 0:
            if extra[s] == 0:
                touched[m] = s
                m += 1
            extra[s] += w[i]
    most = -least
    for q in range(m):
        most = max(most, extra[touched[q]] - loss[touched[q]])
    return gain, gain + most, m


@kernel
def _best_slot(
    rptr: IntArray, ridx: Index32, ramt: FloatArray, used: FloatArray, low: FloatArray, high: FloatArray,
    picks: Index32, n: int, p: int, loss: FloatArray, extra: FloatArray, gain: float, j: int,
    settle: bool,  # noqa: FBT001 - kernels take no keywords
) -> int:  # fmt: skip
    """Slot that option `j` best takes under the rules: `n` for a new one, -1 for none. See `swap` for `settle`."""
    best, out = 0.0, -1
    if n < p and gain > 0 and fits(rptr, ridx, ramt, used, low, high, j, -1):
        best, out = gain, n
    for r in range(n):
        better = gain - loss[r] + extra[r]
        lower = settle and out < 0 and better == 0 and j < picks[r]
        if (better > best or lower) and fits(rptr, ridx, ramt, used, low, high, j, int(picks[r])):
            best, out = better, r
    return out


@kernel
def _seat(
    ptr: IntArray, idx: Index32, w: FloatArray, start: Index32, size: int
) -> tuple[Index32, Index32, Index32, Index32, FloatArray]:
    """Put the options of `start` into slots: (picks, count, slot, sole, loss), tables as in `_enter`."""
    picks, loss = np.empty(size, np.int32), np.zeros(size)
    count, slot = np.zeros(len(w), np.int32), np.zeros(len(w), np.int32)
    sole = np.full(len(w), NOBODY, np.int32)
    for r in range(len(start)):
        picks[r] = start[r]
        _enter(ptr, idx, w, count, slot, sole, loss, int(start[r]), r)
    return picks, count, slot, sole, loss


@kernel
def swap(
    ptr: IntArray, idx: Index32, w: FloatArray, bptr: IntArray, bidx: Index32,
    rptr: IntArray, ridx: Index32, ramt: FloatArray, used: FloatArray, low: FloatArray, high: FloatArray,
    start: Index32, p: int, look: BoolArray, rounds: int, settle: bool,  # noqa: FBT001 - kernels take no keywords
) -> Index32:  # fmt: skip
    """Exchange one option for another, or add one, while that serves more (Teitz and Bart 1968; first improvement).

    Options in `look` are tried, and after an exchange those beside it (`bptr`, `bidx`: the table turned over); then, up
    to `rounds` times in all, every option. With `settle`, exchanges at equal weight for a lower option are made too.
    `look` and `used` are changed in place.
    """
    k, n = len(ptr) - 1, len(start)
    picks, count, slot, sole, loss = _seat(ptr, idx, w, start, max(p, n))
    extra, touched = np.zeros(len(picks)), np.empty(len(picks), np.int32)
    look[start] = False
    least = loss[:n].min() if n else np.inf
    since, j, moved = 0, -1, False
    while True:
        if since >= k:
            if not moved or rounds <= 1:
                break
            look[:] = True
            look[picks[:n]] = False
            rounds, since, moved = rounds - 1, 0, False
        j = j + 1 if j + 1 < k else 0
        since += 1
        if not look[j]:
            continue
        look[j] = False
        gain, most, m = _weigh(ptr, idx, w, sole, loss, least, j, extra, touched)
        out = -1
        if most > 0 or (settle and most == 0) or (n < p and gain > 0):
            out = _best_slot(rptr, ridx, ramt, used, low, high, picks, n, p, loss, extra, gain, j, settle)
        for q in range(m):
            extra[touched[q]] = 0.0
        if out < 0:
            continue
        o = picks[out] if out < n else -1
        spend(rptr, ridx, ramt, used, j, o)
        if o >= 0:
            _leave(ptr, idx, w, count, slot, sole, loss, o, out)
            mark(ptr, idx, bptr, bidx, o, look)
        n = max(n, out + 1)
        picks[out] = j
        _enter(ptr, idx, w, count, slot, sole, loss, j, out)
        mark(ptr, idx, bptr, bidx, j, look)
        look[picks[:n]] = False
        least = loss[:n].min()
        since, moved = 0, True
    return picks[:n]
