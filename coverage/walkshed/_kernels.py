"""Shortest-path kernels on compressed arrays, without a word of the domain. Distances are whole nanometres (int64).

Queue: buckets of 2**SHIFT nanometres, emptied in order (Dial 1969); inside a bucket labels are corrected, so any edge
length, zero too, is right. A bucket is a chain through `after` and `before`, by junction, so that a junction whose
distance falls is taken out and put in again: the queue never grows. Arrays that grow inside a hot loop make numba
count references there, which was measured to cost ten times the walk itself.
Points hang on junctions as leaves: junction `u` has `leaf_ptr[u]:leaf_ptr[u + 1]`.
No floats: no NaN and no infinity can enter.
"""

from collections.abc import Callable
from typing import Any, TypeVar, cast

import numba
import numpy as np
from numpy.typing import NDArray

Ints = NDArray[np.int64]
Ids = NDArray[np.int32]
Floats = NDArray[np.float64]
F = TypeVar("F", bound=Callable[..., Any])

FAR = np.int64(2**62)  # stands for "not reached" inside the kernels and never leaves them
APART, UNTOUCHED = -2, -3  # in `before`: in no bucket any more, and never in one yet
SHIFT = 34  # buckets of 17 m: near the shortest usual street


def kernel(function: F) -> F:
    """Compile with numba, without the GIL; cached beside the code, in the user's cache folder, or not at all."""
    try:
        compiled: Any = numba.njit(cache=True, nogil=True)(function)
    except RuntimeError:  # numba finds no folder to write to: compile in every process
        compiled = numba.njit(nogil=True)(function)
    return cast("F", compiled)


@kernel
def put_in(head: Ids, slot: int, after: Ids, before: Ids, u: int) -> None:
    """Put junction `u` first in the chain of a bucket."""
    first = head[slot]
    after[u], before[u] = first, -1
    if first >= 0:
        before[first] = u
    head[slot] = u


@kernel
def take_out(head: Ids, slot: int, after: Ids, before: Ids, u: int) -> None:
    """Take junction `u` out of the chain of its bucket and mark it as in none (`before` is APART)."""
    last, rest = before[u], after[u]
    if last >= 0:
        after[last] = rest
    else:
        head[slot] = rest
    if rest >= 0:
        before[rest] = last
    before[u] = APART


@kernel
def take_first(head: Ids, slot: int, after: Ids, before: Ids) -> np.int32:
    """Take out the first junction of a bucket that is not empty."""
    u: np.int32 = head[slot]
    rest = after[u]
    head[slot] = rest
    if rest >= 0:
        before[rest] = -1
    before[u] = APART
    return u


@kernel
def settle(
    ptr: Ints,
    adj: Ids,
    adj_nm: Ints,
    seed_at: Ids,
    seed_nm: Ints,
    limit: int,
    dist: Ints,
    head: Ids,
    after: Ids,
    before: Ids,
    seen: Ids,
) -> int:
    """Walk from the seeds to all junctions within `limit`: their distance in `dist`, themselves in `seen`; how many."""
    reached = 0
    for s in range(len(seed_at)):
        u, d = seed_at[s], seed_nm[s]
        if d <= limit and d < dist[u]:
            if dist[u] == FAR:
                seen[reached] = u
                reached += 1
            else:
                take_out(head, dist[u] >> SHIFT, after, before, u)
            dist[u] = d
            put_in(head, d >> SHIFT, after, before, u)
    for b in range(len(head)):
        while head[b] >= 0:
            u = take_first(head, b, after, before)
            d = dist[u]
            for e in range(ptr[u], ptr[u + 1]):
                far = d + adj_nm[e]
                v = adj[e]
                was = dist[v]
                if far <= limit and far < was:
                    if was == FAR:
                        seen[reached] = v
                        reached += 1
                    elif before[v] != APART:
                        take_out(head, was >> SHIFT, after, before, v)
                    dist[v] = far
                    put_in(head, far >> SHIFT, after, before, v)
    return reached


@kernel
def gather(
    seen: Ids,
    direct_leaf: Ids,
    direct_nm: Ints,
    leaf_ptr: Ints,
    leaf_id: Ids,
    leaf_nm: Ints,
    limit: int,
    dist: Ints,
    best: Ints,
    out_leaf: Ids,
    out_nm: Ints,
) -> int:
    """Write the leaves within `limit` of a walk and their distances; how many. Sets `dist` and `best` back to FAR."""
    n = 0
    for t in range(len(direct_leaf)):
        leaf, d = direct_leaf[t], direct_nm[t]
        if d <= limit and d < best[leaf]:
            if best[leaf] == FAR:
                out_leaf[n] = leaf
                n += 1
            best[leaf] = d
    for t in range(len(seen)):
        u = seen[t]
        d = dist[u]
        dist[u] = FAR
        for c in range(leaf_ptr[u], leaf_ptr[u + 1]):
            far = d + leaf_nm[c]
            leaf = leaf_id[c]
            if far <= limit and far < best[leaf]:
                if best[leaf] == FAR:
                    out_leaf[n] = leaf
                    n += 1
                best[leaf] = far
    for t in range(n):
        out_nm[t] = best[out_leaf[t]]
        best[out_leaf[t]] = FAR
    return n


@kernel
def rows_within(
    ptr: Ints,
    adj: Ids,
    adj_nm: Ints,
    seed_ptr: Ints,
    seed_at: Ids,
    seed_nm: Ints,
    direct_ptr: Ints,
    direct_leaf: Ids,
    direct_nm: Ints,
    leaf_ptr: Ints,
    leaf_id: Ids,
    leaf_nm: Ints,
    limit: int,
    dist: Ints,
    best: Ints,
    chains: Ids,
) -> tuple[Ints, Ids, Ints]:
    """For each source, all leaves within `limit` and their distance: (count per source, leaf ids, distances).

    Source `i` starts at junctions `seed_at[seed_ptr[i]:seed_ptr[i + 1]]`; the leaves `direct_*` it touches without any.
    `dist` (junctions) and `best` (leaves) must be all FAR and are left so; `chains` (3, junctions) is scratch.
    """
    sources = len(seed_ptr) - 1
    count = np.zeros(sources, np.int64)
    out_leaf, out_nm, total = np.empty(1 << 14, np.int32), np.empty(1 << 14, np.int64), 0
    head = np.full((limit >> SHIFT) + 1, -1, np.int32)
    after, before, seen = chains[0], chains[1], chains[2]
    for i in range(sources):
        seeds, direct = slice(seed_ptr[i], seed_ptr[i + 1]), slice(direct_ptr[i], direct_ptr[i + 1])
        reached = settle(ptr, adj, adj_nm, seed_at[seeds], seed_nm[seeds], limit, dist, head, after, before, seen)
        room = total + direct_ptr[i + 1] - direct_ptr[i]
        for t in range(reached):
            room += leaf_ptr[seen[t] + 1] - leaf_ptr[seen[t]]
        if room > len(out_leaf):
            out_leaf, out_nm = grown(out_leaf, room), grown(out_nm, room)
        count[i] = gather(
            seen[:reached], direct_leaf[direct], direct_nm[direct], leaf_ptr, leaf_id, leaf_nm, limit, dist, best,
            out_leaf[total:], out_nm[total:],
        )  # fmt: skip
        total += count[i]
    return count, out_leaf[:total].copy(), out_nm[:total].copy()


@kernel
def grown(array: Any, least: int) -> Any:  # noqa: ANN401 - of any item type
    """Return a copy of `array` with room for at least `least` items."""
    bigger = np.empty(max(2 * len(array), least), array.dtype)
    bigger[: len(array)] = array
    return bigger


@kernel
def place_rows(counts: Ints, order: Ints, leaf: Ids, nm: Ints, ptr: Ints, out_leaf: Ids, out_m: Floats) -> None:
    """Copy rows found in `order` to where `ptr` wants them, distances as metres."""
    k = 0
    for t in range(len(order)):
        to = ptr[order[t]]
        for j in range(counts[t]):
            out_leaf[to + j] = leaf[k + j]
            out_m[to + j] = nm[k + j] / 1e9
        k += counts[t]
