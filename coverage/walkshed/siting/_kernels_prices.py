"""Array kernels that work with prices: directions of the Lagrangian bounds, covers guided by them.

Tables as in `_kernels`.
"""

import numpy as np

from walkshed._kernels import kernel
from walkshed.contracts import FloatArray, Index32, IntArray
from walkshed.siting._kernels import sift


@kernel
def slope(
    ptr: IntArray, idx: Index32, w: FloatArray, rptr: IntArray, ridx: Index32, ramt: FloatArray,
    lam: FloatArray, top: IntArray, part: FloatArray, d: FloatArray, e: FloatArray, limit: FloatArray, memory: float,
    scale: float,
) -> float:  # fmt: skip
    """Average the newest subgradient of the Lagrangian bound into `d` (elements) and `e` (rules), in place.

    `top` are the options that the prices take, `part` how much of each.
    Returns the squared length of the direction, where prices may still follow it.
    """
    d *= 1 - memory
    e *= 1 - memory
    for q in range(len(top)):
        for t in range(ptr[top[q]], ptr[top[q] + 1]):
            d[idx[t]] -= memory * part[q]
        for t in range(rptr[top[q]], rptr[top[q] + 1]):
            e[ridx[t]] += memory * part[q] * ramt[t]
    length = 0.0
    for i in range(len(w)):
        if w[i] > lam[i]:
            d[i] += memory
        if not ((lam[i] <= 0 and d[i] < 0) or (lam[i] >= w[i] and d[i] > 0)):
            length += d[i] * d[i]
    for r in range(len(e)):
        e[r] -= memory * limit[r]
        length += (e[r] * scale) ** 2
    return length


@kernel
def walk(w: FloatArray, lam: FloatArray, d: FloatArray, step: float) -> float:
    """Move the prices along `d`, each within 0 and its weight, in place; returns the weight left above the prices."""
    left = 0.0
    for i in range(len(w)):
        lam[i] = min(max(lam[i] + step * d[i], 0.0), w[i])
        left += w[i] - lam[i]
    return left


@kernel
def turn(prices: FloatArray, d: FloatArray, new: FloatArray, upper: FloatArray, memory: float) -> float:
    """Average a supergradient into the direction `d`, in place; returns its squared length where prices may follow."""
    length = 0.0
    for i in range(len(d)):
        d[i] = (1 - memory) * d[i] + memory * new[i]
        if not ((prices[i] <= 0 and d[i] < 0) or (prices[i] >= upper[i] and d[i] > 0)):
            length += d[i] * d[i]
    return length


@kernel
def counts(ptr: IntArray, idx: Index32, rows: IntArray, columns: int) -> FloatArray:
    """How often each column stands in the given rows."""
    total = np.zeros(columns)
    for q in range(len(rows)):
        for t in range(ptr[rows[q]], ptr[rows[q] + 1]):
            total[idx[t]] += 1
    return total


@kernel
def thrifty(ptr: IntArray, idx: Index32, cost: FloatArray, lam: FloatArray) -> Index32:
    """Serve every element that can be, taking what costs least, less its prices, per new element; drop spare picks.

    Lazy: what an option costs per new element only grows (Caprara, Fischetti and Toth 1999).
    """
    k = len(ptr) - 1
    count = np.zeros(len(lam), np.int32)
    key = np.full(k, np.inf)
    heap = np.arange(k).astype(np.int32)
    picks = np.empty(k, np.int32)
    m = 0
    while k > 0 and key[heap[0]] != -np.inf:
        j = heap[0]
        new, extra = 0, cost[j]
        for t in range(ptr[j], ptr[j + 1]):
            if count[idx[t]] == 0:
                new += 1
                extra -= lam[idx[t]]
        key[j] = -np.inf if new == 0 else (-extra / new if extra > 0 else -extra * new)
        if sift(heap, k, key) > 0 or new == 0:
            continue
        picks[m] = j
        m += 1
        for t in range(ptr[j], ptr[j + 1]):
            count[idx[t]] += 1
        key[j] = -np.inf
        sift(heap, k, key)
    kept = np.ones(m, np.bool_)
    for q in range(m - 1, -1, -1):
        spare = True
        for t in range(ptr[picks[q]], ptr[picks[q] + 1]):
            spare = spare and count[idx[t]] > 1
        if spare:
            kept[q] = False
            for t in range(ptr[picks[q]], ptr[picks[q] + 1]):
                count[idx[t]] -= 1
    return picks[:m][kept]


@kernel
def savings(ptr: IntArray, idx: Index32, pay: FloatArray, lam: FloatArray) -> FloatArray:
    """Sum over each row of what the price of an element exceeds the pair's own pay by."""
    total = np.zeros(len(ptr) - 1)
    for j in range(len(ptr) - 1):
        a = 0.0
        for t in range(ptr[j], ptr[j + 1]):
            if lam[idx[t]] > pay[t]:
                a += lam[idx[t]] - pay[t]
        total[j] = a
    return total
