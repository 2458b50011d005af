"""Nearest-owner kernels on compressed arrays: spread from seeds, and mend what an owner leaves. See `_kernels`."""

import numpy as np

from walkshed._kernels import APART, FAR, SHIFT, UNTOUCHED, Ids, Ints, kernel, put_in, take_first, take_out


@kernel
def spread_nearest(
    ptr: Ints,
    adj: Ids,
    adj_nm: Ints,
    seed_at: Ids,
    seed_nm: Ints,
    seed_owner: Ids,
    longest: int,
    dist: Ints,
    owner: Ids,
    chains: Ids,
) -> Ids:
    """Lower `dist` and `owner` (junctions) to what the seeds give, touching nothing they do not better.

    Of two equal distances the lower owner wins. `longest` bounds every seed and edge. Returns the junctions that
    changed, each once. `chains` (3, junctions) is scratch whose second row must be all UNTOUCHED and is left so.
    """
    buckets = 1
    while buckets < (longest >> SHIFT) + 2:
        buckets *= 2
    mask = buckets - 1
    head = np.full(buckets, -1, np.int32)
    after, before, changed = chains[0], chains[1], chains[2]
    live, n = 0, 0
    for s in range(len(seed_at)):
        u, d, who = seed_at[s], seed_nm[s], seed_owner[s]
        if d < dist[u] or (d == dist[u] and who < owner[u]):
            if before[u] == UNTOUCHED:
                changed[n] = u
                n += 1
                live += 1
            else:
                take_out(head, (dist[u] >> SHIFT) & mask, after, before, u)
            dist[u], owner[u] = d, who
            put_in(head, (d >> SHIFT) & mask, after, before, u)
    b = 0
    while live > 0:
        if head[b & mask] < 0:
            b += 1
            continue
        u = take_first(head, b & mask, after, before)
        live -= 1
        d, who = dist[u], owner[u]
        for e in range(ptr[u], ptr[u + 1]):
            far = d + adj_nm[e]
            v = adj[e]
            if far < dist[v] or (far == dist[v] and who < owner[v]):
                if before[v] > APART:
                    take_out(head, (dist[v] >> SHIFT) & mask, after, before, v)
                else:
                    live += 1
                    if before[v] == UNTOUCHED:
                        changed[n] = v
                        n += 1
                dist[v], owner[v] = far, who
                put_in(head, (far >> SHIFT) & mask, after, before, v)
    for t in range(n):
        before[changed[t]] = UNTOUCHED
    found: Ids = changed[:n].copy()
    return found


@kernel
def forget_owner(ptr: Ints, adj: Ids, seed_at: Ids, who: np.int32, dist: Ints, owner: Ids, stack: Ids) -> Ids:
    """Set every junction `who` owns to FAR; return those junctions, to be filled again from around them.

    What one owner holds hangs together from its seeds on, so a walk over its own junctions finds all of them.
    `stack` (junctions) is scratch.
    """
    n, done = 0, 0
    for s in range(len(seed_at)):
        u = seed_at[s]
        if owner[u] == who:
            owner[u], dist[u] = -1, FAR
            stack[n] = u
            n += 1
    while done < n:
        u = stack[done]
        done += 1
        for e in range(ptr[u], ptr[u + 1]):
            v = adj[e]
            if owner[v] == who:
                owner[v], dist[v] = -1, FAR
                stack[n] = v
                n += 1
    return stack[:n].copy()


@kernel
def rim_of(ptr: Ints, adj: Ids, adj_nm: Ints, holes: Ids, dist: Ints, owner: Ids) -> tuple[Ids, Ints, Ids]:
    """Seeds that fill `holes` again from the junctions around them: (junction, distance, owner) of each way in."""
    room = 0
    for t in range(len(holes)):
        room += ptr[holes[t] + 1] - ptr[holes[t]]
    at, nm, by, n = np.empty(room, np.int32), np.empty(room, np.int64), np.empty(room, np.int32), 0
    for t in range(len(holes)):
        u = holes[t]
        for e in range(ptr[u], ptr[u + 1]):
            v = adj[e]
            if owner[v] >= 0:
                at[n], nm[n], by[n] = u, dist[v] + adj_nm[e], owner[v]
                n += 1
    return at[:n].copy(), nm[:n].copy(), by[:n].copy()


@kernel
def nearest_leaves(
    leaves: Ids, arm_at: Ids, arm_nm: Ints, dist: Ints, owner: Ids, leaf_nm: Ints, leaf_owner: Ids
) -> None:
    """Distance and owner of the given leaves by their arms to two junctions, written in place."""
    for t in range(len(leaves)):
        c = leaves[t]
        d, who = FAR, np.int32(-1)
        for side in range(2):
            u = arm_at[c, side]
            if u >= 0 and owner[u] >= 0:
                far = dist[u] + arm_nm[c, side]
                if far < d or (far == d and owner[u] < who):
                    d, who = far, owner[u]
        leaf_nm[c], leaf_owner[c] = d, who


@kernel
def lower_leaves(direct_leaf: Ids, direct_nm: Ints, direct_owner: Ids, leaf_nm: Ints, leaf_owner: Ids) -> None:
    """Lower the leaves that an owner touches without passing a junction, in place."""
    for t in range(len(direct_leaf)):
        c, d, who = direct_leaf[t], direct_nm[t], direct_owner[t]
        if d < leaf_nm[c] or (d == leaf_nm[c] and who < leaf_owner[c]):
            leaf_nm[c], leaf_owner[c] = d, who
