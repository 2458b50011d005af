"""Shortest-path kernels on compressed arrays, without a word of the domain. Distances are whole nanometres (int64).

Queue: buckets of 2**SHIFT nanometres, filled and emptied in order (Dial 1969); inside a bucket labels are corrected, so
any edge length, zero too, is right. Points hang on junctions as leaves: junction `u` has `leaf_ptr[u]:leaf_ptr[u + 1]`.
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
SHIFT = 34  # buckets of 17 m: near the shortest usual street


def kernel(function: F) -> F:
    """Compile with numba, without the GIL; cached beside the code, in the user's cache folder, or not at all."""
    try:
        compiled: Any = numba.njit(cache=True, nogil=True)(function)
    except RuntimeError:  # numba finds no folder to write to: compile in every process
        compiled = numba.njit(nogil=True)(function)
    return cast("F", compiled)


@kernel
def grown(array: Any, least: int) -> Any:  # noqa: ANN401 - of any item type
    """Return a copy of `array` with room for at least `least` items."""
    bigger = np.empty(max(2 * len(array), least), array.dtype)
    bigger[: len(array)] = array
    return bigger


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
) -> tuple[Ints, Ids, Ints]:
    """For each source, all leaves within `limit` and their distance: (count per source, leaf ids, distances).

    Source `i` starts at junctions `seed_at[seed_ptr[i]:seed_ptr[i + 1]]`; the leaves `direct_*` it touches without any.
    `dist` (junctions) and `best` (leaves) must be all FAR and are left so.
    """
    sources = len(seed_ptr) - 1
    count = np.zeros(sources, np.int64)
    out_leaf, out_nm, total = np.empty(1 << 14, np.int32), np.empty(1 << 14, np.int64), 0
    head = np.full((limit >> SHIFT) + 1, -1, np.int32)
    link, at, nm = np.empty(1 << 12, np.int32), np.empty(1 << 12, np.int32), np.empty(1 << 12, np.int64)
    seen = np.empty(1 << 12, np.int32)
    for i in range(sources):
        used, free, reached = 0, -1, 0
        for s in range(seed_ptr[i], seed_ptr[i + 1]):
            u, d = seed_at[s], seed_nm[s]
            if d <= limit and d < dist[u]:
                if dist[u] == FAR:
                    seen[reached] = u
                    reached += 1
                dist[u] = d
                at[used], nm[used], link[used] = u, d, head[d >> SHIFT]
                head[d >> SHIFT] = used
                used += 1
        for b in range(len(head)):
            k = head[b]
            while k >= 0:
                head[b] = link[k]
                u, d = at[k], nm[k]
                link[k] = free
                free = k
                if d == dist[u]:
                    for e in range(ptr[u], ptr[u + 1]):
                        far = d + adj_nm[e]
                        v = adj[e]
                        if far <= limit and far < dist[v]:
                            if dist[v] == FAR:
                                if reached == len(seen):
                                    seen = grown(seen, 0)
                                seen[reached] = v
                                reached += 1
                            dist[v] = far
                            if free >= 0:
                                k = free
                                free = link[k]
                            else:
                                if used == len(at):
                                    link, at, nm = grown(link, 0), grown(at, 0), grown(nm, 0)
                                k = used
                                used += 1
                            at[k], nm[k], link[k] = v, far, head[far >> SHIFT]
                            head[far >> SHIFT] = k
                k = head[b]
        first = total
        for t in range(direct_ptr[i], direct_ptr[i + 1]):
            leaf, d = direct_leaf[t], direct_nm[t]
            if d <= limit and d < best[leaf]:
                if best[leaf] == FAR:
                    if total == len(out_leaf):
                        out_leaf, out_nm = grown(out_leaf, 0), grown(out_nm, 0)
                    out_leaf[total] = leaf
                    total += 1
                best[leaf] = d
        for t in range(reached):
            u = seen[t]
            d = dist[u]
            dist[u] = FAR
            room = total + leaf_ptr[u + 1] - leaf_ptr[u]
            if room > len(out_leaf):
                out_leaf, out_nm = grown(out_leaf, room), grown(out_nm, room)
            for c in range(leaf_ptr[u], leaf_ptr[u + 1]):
                far = d + leaf_nm[c]
                leaf = leaf_id[c]
                if far <= limit and far < best[leaf]:
                    if best[leaf] == FAR:
                        out_leaf[total] = leaf
                        total += 1
                    best[leaf] = far
        for t in range(first, total):
            out_nm[t] = best[out_leaf[t]]
            best[out_leaf[t]] = FAR
        count[i] = total - first
    return count, out_leaf[:total].copy(), out_nm[:total].copy()


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
