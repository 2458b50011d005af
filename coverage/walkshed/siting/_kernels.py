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
    """Sum of `w` over the entries of each row; four sums side by side, as one would wait for itself."""
    total = np.zeros(len(ptr) - 1)
    for j in range(len(ptr) - 1):
        a, b, c, d = 0.0, 0.0, 0.0, 0.0
        end = ptr[j + 1] - 3
        t = ptr[j]
        while t < end:
            a += w[idx[t]]
            b += w[idx[t + 1]]
            c += w[idx[t + 2]]
            d += w[idx[t + 3]]
            t += 4
        while t < ptr[j + 1]:
            a += w[idx[t]]
            t += 1
        total[j] = (a + b) + (c + d)
    return total


@kernel
def union(ptr: IntArray, idx: Index32, w: FloatArray, rows: IntArray) -> float:
    """Sum of `w` over the entries that stand in any of these rows, each counted once."""
    seen, total = np.zeros(len(w), np.bool_), 0.0
    for q in range(len(rows)):
        for t in range(ptr[rows[q]], ptr[rows[q] + 1]):
            if not seen[idx[t]]:
                seen[idx[t]] = True
                total += w[idx[t]]
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
    key = np.full(k, np.inf)
    heap = np.flatnonzero(allowed).astype(np.int32)  # ascending, all keys equal: a heap already
    n = len(heap)
    picks = np.empty(p, np.int32)
    m = 0
    while m < p and n > 0 and key[heap[0]] > 0:
        j = heap[0]
        gain = 0.0
        for t in range(ptr[j], ptr[j + 1]):
            if not served[idx[t]]:
                gain += w[idx[t]]
        key[j] = gain / price[j] if fits(rptr, ridx, ramt, used, low, high, j, -1) else -1.0
        if sift(heap, n, key) > 0 or key[j] <= 0:
            continue
        picks[m] = j
        m += 1
        for t in range(ptr[j], ptr[j + 1]):
            served[idx[t]] = True
        for t in range(rptr[j], rptr[j + 1]):
            used[ridx[t]] += ramt[t]
        key[j] = -1.0
        sift(heap, n, key)
    return picks[:m]


@kernel
def mark(ptr: IntArray, idx: Index32, bptr: IntArray, bidx: Index32, j: int, marked: BoolArray) -> None:
    """Mark every option that serves an element of option `j`, in place."""
    for t in range(ptr[j], ptr[j + 1]):
        for u in range(bptr[idx[t]], bptr[idx[t] + 1]):
            marked[bidx[u]] = True


@kernel
def around(ptr: IntArray, idx: Index32, bptr: IntArray, bidx: Index32, picks: IntArray, j: int) -> BoolArray:
    """Picks with an element that some option beside option `j` serves too: True for each."""
    near, served = np.zeros(len(ptr) - 1, np.bool_), np.zeros(len(bptr) - 1, np.bool_)
    mark(ptr, idx, bptr, bidx, j, near)
    for o in range(len(near)):
        if near[o]:
            for t in range(ptr[o], ptr[o + 1]):
                served[idx[t]] = True
    found = np.zeros(len(picks), np.bool_)
    for r in range(len(picks)):
        for t in range(ptr[picks[r]], ptr[picks[r] + 1]):
            found[r] |= served[idx[t]]
    return found


@kernel
def spend(rptr: IntArray, ridx: Index32, ramt: FloatArray, used: FloatArray, j: int, o: int) -> None:
    """Bring `used` up to date, in place: option `j` comes, option `o` goes (-1: none)."""
    for t in range(rptr[j], rptr[j + 1]):
        used[ridx[t]] += ramt[t]
    if o >= 0:
        for t in range(rptr[o], rptr[o + 1]):
            used[ridx[t]] -= ramt[t]
