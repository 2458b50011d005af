"""Array kernels of the p-median: nearest and second pick of everybody, and the exchange of one pick for another.

Tables as in `_kernels`; `back, who, far` is the table the other way round: options of each element, and their distance.
"""

import numpy as np

from walkshed._kernels import kernel
from walkshed.contracts import FloatArray, Index32, IntArray
from walkshed.siting._kernels import fits, spend

EASE = 1e-9  # of the whole sum: an exchange that saves less is rounding


@kernel
def two_nearest(
    ptr: IntArray, idx: Index32, away: FloatArray, base: FloatArray, picks: IntArray,
    first: IntArray, d1: FloatArray, d2: FloatArray,
) -> None:  # fmt: skip
    """Slot of the nearest pick of each element (-1: the base), its distance and that of the second, in place."""
    first[:] = -1
    d1[:] = base
    d2[:] = base
    for r in range(len(picks)):
        for t in range(ptr[picks[r]], ptr[picks[r] + 1]):
            i, x = idx[t], away[t]
            if x < d1[i]:
                d2[i] = d1[i]
                d1[i] = x
                first[i] = r
            elif x < d2[i]:
                d2[i] = x


@kernel
def cheaper(
    ptr: IntArray, idx: Index32, away: FloatArray, w: FloatArray, price: FloatArray
) -> tuple[IntArray, Index32, FloatArray]:
    """Only the pairs whose weighted distance is below the price of their element: (ptr, idx, away)."""
    few = np.zeros(len(ptr), np.int64)
    for j in range(len(ptr) - 1):
        few[j + 1] = few[j]
        for t in range(ptr[j], ptr[j + 1]):
            few[j + 1] += away[t] * w[idx[t]] < price[idx[t]]
    at, far, n = np.empty(few[-1], np.int32), np.empty(few[-1]), 0
    for t in range(ptr[-1]):
        if away[t] * w[idx[t]] < price[idx[t]]:
            at[n], far[n] = idx[t], away[t]
            n += 1
    return few, at, far


@kernel
def unpaid(ptr: IntArray, idx: Index32, pay: FloatArray, lam: FloatArray, rows: IntArray) -> FloatArray:
    """1 for each element, less 1 for each of the rows whose pay is below the element's price: a supergradient."""
    rest = np.ones(len(lam))
    for j in rows:
        for t in range(ptr[j], ptr[j + 1]):
            if lam[idx[t]] > pay[t]:
                rest[idx[t]] -= 1.0
    return rest


@kernel
def _count(
    back: IntArray, who: Index32, far: FloatArray, amount: float, first: IntArray, d1: FloatArray, d2: FloatArray,
    gain: FloatArray, loss: FloatArray, extra: FloatArray, i: int,
) -> None:  # fmt: skip
    """Add what element `i` of this weight says for each exchange, in place; a negative weight takes it back.

    An exchange of slot r for option j saves `gain[j] - loss[r] + extra[j, r]` (Resende and Werneck 2007).
    """
    r = first[i]
    if r >= 0:
        loss[r] += amount * (d2[i] - d1[i])
    for t in range(back[i], back[i + 1]):
        j, x = who[t], far[t]
        if x < d1[i]:
            gain[j] += amount * (d1[i] - x)
            if r >= 0:
                extra[j, r] += amount * (d2[i] - d1[i])
        elif x < d2[i] and r >= 0:
            extra[j, r] += amount * (d2[i] - x)


@kernel
def _look(
    back: IntArray, who: Index32, far: FloatArray, base: FloatArray, slot: IntArray, first: IntArray, d1: FloatArray,
    d2: FloatArray, i: int,
) -> None:  # fmt: skip
    """Find nearest and second pick of element `i` anew, in place."""
    first[i], d1[i], d2[i] = -1, base[i], base[i]
    for t in range(back[i], back[i + 1]):
        r, x = slot[who[t]], far[t]
        if r >= 0 and x < d1[i]:
            first[i], d2[i], d1[i] = r, d1[i], x
        elif r >= 0 and x < d2[i]:
            d2[i] = x


@kernel
def _best(
    rptr: IntArray, ridx: Index32, ramt: FloatArray, used: FloatArray, low: FloatArray, high: FloatArray,
    picks: IntArray, slot: IntArray, gain: FloatArray, loss: FloatArray, extra: FloatArray, least: float,
) -> tuple[int, int]:  # fmt: skip
    """The exchange that saves most and keeps the rules: option in, slot out; (-1, -1) if none saves enough."""
    into, out = -1, -1
    for j in range(len(gain)):
        if slot[j] >= 0:
            continue
        for r in range(len(picks)):
            saved = gain[j] - loss[r] + extra[j, r]
            if saved > least and fits(rptr, ridx, ramt, used, low, high, j, picks[r]):
                least, into, out = saved, j, r
    return into, out


@kernel
def interchange(
    ptr: IntArray, idx: Index32, away: FloatArray, back: IntArray, who: Index32, far: FloatArray, w: FloatArray,
    base: FloatArray, rptr: IntArray, ridx: Index32, ramt: FloatArray, used: FloatArray, low: FloatArray,
    high: FloatArray, start: IntArray,
) -> IntArray:  # fmt: skip
    """Make the best exchange until none shortens the sum; only elements it touches are counted anew. `used` changes."""
    k, n, m = len(ptr) - 1, len(start), len(w)
    picks = start.copy()
    slot, stamp = np.full(k, -1), np.zeros(m, np.int64)
    slot[picks] = np.arange(n)
    first, d1, d2 = np.empty(m, np.int64), np.empty(m), np.empty(m)
    gain, loss, extra = np.zeros(k), np.zeros(n), np.zeros((k, n))
    enough = 0.0
    for i in range(m):
        _look(back, who, far, base, slot, first, d1, d2, i)
        _count(back, who, far, w[i], first, d1, d2, gain, loss, extra, i)
        enough += EASE * w[i] * base[i]
    for step in range(1, 50 * k + 1):
        into, out = _best(rptr, ridx, ramt, used, low, high, picks, slot, gain, loss, extra, enough)
        if into < 0:
            break
        gone = picks[out]
        spend(rptr, ridx, ramt, used, into, gone)
        picks[out], slot[gone], slot[into] = into, -1, out
        for j in (gone, into):
            for t in range(ptr[j], ptr[j + 1]):
                i = idx[t]
                if away[t] <= d2[i] and stamp[i] < step:
                    stamp[i] = step
                    _count(back, who, far, -w[i], first, d1, d2, gain, loss, extra, i)
                    _look(back, who, far, base, slot, first, d1, d2, i)
                    _count(back, who, far, w[i], first, d1, d2, gain, loss, extra, i)
    return picks
