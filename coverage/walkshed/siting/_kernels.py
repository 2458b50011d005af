"""Array kernels of the siting engine: lazy greedy, swaps and the Lagrangian bound of weighted cover under linear rules.

No domain words here: options are rows of a compressed table (`ptr`, `idx`) of elements with weights `w`; rules are a
second table (`rptr`, `ridx`, `ramt`) of what each option uses of each rule, with limits `low` and `high`. Weights are
whole numbers held as float64: sums are exact and do not depend on their order. Twins: tests/reference_siting.py.
"""

import numpy as np

from walkshed._kernels import kernel
from walkshed.contracts import BoolArray, FloatArray, Index32, IntArray

SLACK = 1e-9  # a rule may be passed by rounding, not by more


@kernel
def transpose(ptr: IntArray, idx: Index32, columns: int) -> tuple[IntArray, Index32]:
    """Turn a compressed table over: for each column its rows, ascending."""
    back = np.zeros(columns + 1, np.int64)
    for t in range(len(idx)):
        back[idx[t] + 1] += 1
    for i in range(columns):
        back[i + 1] += back[i]
    at = back[:-1].copy()
    rows = np.empty(len(idx), np.int32)
    for j in range(len(ptr) - 1):
        for t in range(ptr[j], ptr[j + 1]):
            rows[at[idx[t]]] = j
            at[idx[t]] += 1
    return back, rows


@kernel
def fingerprints(ptr: IntArray, idx: Index32, keys: IntArray, columns: int) -> IntArray:
    """Sum of the rows' random 64-bit keys for each column: equal sets of rows, equal sums."""
    total = np.zeros(columns, np.int64)
    for j in range(len(ptr) - 1):
        for t in range(ptr[j], ptr[j + 1]):
            total[idx[t]] += keys[j]
    return total


@kernel
def take(ptr: IntArray, idx: Index32, rows: IntArray, rename: Index32) -> tuple[IntArray, Index32]:
    """Keep some rows, and of their entries those with a new name (>= 0)."""
    new = np.zeros(len(rows) + 1, np.int64)
    for q in range(len(rows)):
        n = 0
        for t in range(ptr[rows[q]], ptr[rows[q] + 1]):
            n += rename[idx[t]] >= 0
        new[q + 1] = new[q] + n
    out = np.empty(new[-1], np.int32)
    at = 0
    for q in range(len(rows)):
        for t in range(ptr[rows[q]], ptr[rows[q] + 1]):
            if rename[idx[t]] >= 0:
                out[at] = rename[idx[t]]
                at += 1
    return new, out


@kernel
def sums(ptr: IntArray, idx: Index32, w: FloatArray) -> FloatArray:
    """Sum of `w` over the entries of each row."""
    total = np.zeros(len(ptr) - 1)
    for j in range(len(ptr) - 1):
        a = 0.0
        for t in range(ptr[j], ptr[j + 1]):
            a += w[idx[t]]
        total[j] = a
    return total


@kernel
def fits(
    rptr: IntArray, ridx: Index32, ramt: FloatArray, used: FloatArray, low: FloatArray, high: FloatArray, j: int, o: int
) -> bool:
    """Whether all rules hold when option `j` comes and option `o` goes (-1: none goes, and lower limits may wait)."""
    for t in range(rptr[j], rptr[j + 1]):
        now = used[ridx[t]] + ramt[t]
        if o >= 0 and now > high[ridx[t]] + SLACK:
            for u in range(rptr[o], rptr[o + 1]):
                if ridx[u] == ridx[t]:
                    now -= ramt[u]
        if now > high[ridx[t]] + SLACK:
            return False
    if o >= 0:
        for u in range(rptr[o], rptr[o + 1]):
            now = used[ridx[u]] - ramt[u]
            if now < low[ridx[u]] - SLACK:
                for t in range(rptr[j], rptr[j + 1]):
                    if ridx[u] == ridx[t]:
                        now += ramt[t]
                if now < low[ridx[u]] - SLACK:
                    return False
    return True


@kernel
def sift(heap: Index32, n: int, key: FloatArray) -> int:
    """Let the top of a max-heap sink to its place; of equal keys the lower option goes first. Returns the place."""
    top = heap[0]
    i = 0
    while True:
        c = 2 * i + 1
        if c >= n:
            break
        if c + 1 < n:
            a, b = heap[c + 1], heap[c]
            if key[a] > key[b] or (key[a] == key[b] and a < b):
                c += 1
        a = heap[c]
        if not (key[a] > key[top] or (key[a] == key[top] and a < top)):
            break
        heap[i] = a
        i = c
    heap[i] = top
    return i


@kernel
def greedy(
    ptr: IntArray, idx: Index32, w: FloatArray, price: FloatArray,
    rptr: IntArray, ridx: Index32, ramt: FloatArray, used: FloatArray, low: FloatArray, high: FloatArray,
    served: BoolArray, allowed: BoolArray, p: int,
) -> Index32:  # fmt: skip
    """Take the option with the most new weight per price while one fits, lazily (Minoux 1978; CELF).

    `served` and `used` are brought up to date in place. Stops at `p` picks or when nothing more is gained.
    """
    k = len(ptr) - 1
    key = np.where(allowed, np.inf, -1.0)
    heap = np.empty(k, np.int32)
    n = 0
    for wanted in (True, False):  # allowed options first, each kind ascending: a heap already
        for j in range(k):
            if allowed[j] == wanted:
                heap[n] = j
                n += 1
    picks = np.empty(p, np.int32)
    m = 0
    while m < p and k > 0 and key[heap[0]] > 0:
        j = heap[0]
        gain = 0.0
        for t in range(ptr[j], ptr[j + 1]):
            if not served[idx[t]]:
                gain += w[idx[t]]
        key[j] = gain / price[j] if fits(rptr, ridx, ramt, used, low, high, j, -1) else -1.0
        if sift(heap, k, key) > 0 or key[j] <= 0:
            continue
        picks[m] = j
        m += 1
        for t in range(ptr[j], ptr[j + 1]):
            served[idx[t]] = True
        for t in range(rptr[j], rptr[j + 1]):
            used[ridx[t]] += ramt[t]
        key[j] = -1.0
        sift(heap, k, key)
    return picks[:m]


@kernel
def _enter(
    ptr: IntArray, idx: Index32, w: FloatArray, count: Index32, slot: IntArray, loss: FloatArray, j: int, r: int
) -> float:
    """Put option `j` into slot `r`; returns the weight it newly serves."""
    gain = 0.0
    for t in range(ptr[j], ptr[j + 1]):
        i = idx[t]
        if count[i] == 0:
            gain += w[i]
        elif count[i] == 1:
            loss[slot[i]] -= w[i]
        count[i] += 1
        slot[i] += r
    loss[r] = gain
    return gain


@kernel
def _leave(
    ptr: IntArray, idx: Index32, w: FloatArray, count: Index32, slot: IntArray, loss: FloatArray, j: int, r: int
) -> None:
    """Take option `j` out of slot `r`. `slot` sums the slots that serve an element: the slot itself where one does."""
    for t in range(ptr[j], ptr[j + 1]):
        i = idx[t]
        count[i] -= 1
        slot[i] -= r
        if count[i] == 1:
            loss[slot[i]] += w[i]
    loss[r] = 0.0


@kernel
def mark(ptr: IntArray, idx: Index32, bptr: IntArray, bidx: Index32, j: int, marked: BoolArray) -> None:
    """Mark every option that serves an element of option `j`, in place."""
    for t in range(ptr[j], ptr[j + 1]):
        for u in range(bptr[idx[t]], bptr[idx[t] + 1]):
            marked[bidx[u]] = True


@kernel
def swap(
    ptr: IntArray, idx: Index32, w: FloatArray, bptr: IntArray, bidx: Index32,
    rptr: IntArray, ridx: Index32, ramt: FloatArray, used: FloatArray, low: FloatArray, high: FloatArray,
    start: Index32, p: int, look: BoolArray, rounds: int, settle: bool,  # noqa: FBT001 - kernels take no keywords
) -> Index32:  # fmt: skip
    """Exchange one option for another, or add one, while that serves more (Teitz and Bart 1968; first improvement).

    Options in `look` are tried, and after an exchange those that share an element with it (`bptr`, `bidx`: the table
    turned over); then, up to `rounds` times in all, every option. With `settle`, exchanges at equal weight for a lower
    option are made too. `look` and `used` are changed in place.
    """
    k, n = len(ptr) - 1, len(start)
    picks = np.empty(max(p, n), np.int32)
    count, slot = np.zeros(len(w), np.int32), np.zeros(len(w), np.int64)
    loss, extra = np.zeros(len(picks)), np.zeros(len(picks))
    inside = np.zeros(k, np.bool_)
    for r in range(n):
        picks[r] = start[r]
        inside[start[r]] = True
        _enter(ptr, idx, w, count, slot, loss, start[r], r)
    since, j, moved = 0, -1, False
    while True:
        if since >= k:
            rounds -= 1
            if not moved or rounds <= 0:
                break
            look[:] = True
            since, moved = 0, False
        j = (j + 1) % k
        since += 1
        if inside[j] or not look[j]:
            continue
        look[j] = False
        gain = 0.0
        for t in range(ptr[j], ptr[j + 1]):
            i = idx[t]
            if count[i] == 0:
                gain += w[i]
            elif count[i] == 1:
                extra[slot[i]] += w[i]
        best, out = 0.0, -1
        if n < p and gain > 0 and fits(rptr, ridx, ramt, used, low, high, j, -1):
            best, out = gain, n
        for r in range(n):
            better = gain - loss[r] + extra[r]
            extra[r] = 0.0
            lower = settle and out < 0 and better == 0 and j < picks[r]
            if (better > best or lower) and fits(rptr, ridx, ramt, used, low, high, j, picks[r]):
                best, out = better, r
        if out < 0:
            continue
        if out == n:
            n += 1
        else:
            o = picks[out]
            inside[o] = False
            _leave(ptr, idx, w, count, slot, loss, o, out)
            for t in range(rptr[o], rptr[o + 1]):
                used[ridx[t]] -= ramt[t]
            mark(ptr, idx, bptr, bidx, o, look)
        picks[out] = j
        inside[j] = True
        _enter(ptr, idx, w, count, slot, loss, j, out)
        for t in range(rptr[j], rptr[j + 1]):
            used[ridx[t]] += ramt[t]
        mark(ptr, idx, bptr, bidx, j, look)
        since, moved = 0, True
    return picks[:n]
