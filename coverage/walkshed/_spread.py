"""Nearest-owner kernels on compressed arrays: spread from seeds, and mend what an owner leaves. See `_kernels`."""

import numpy as np

from walkshed._kernels import FAR, SHIFT, Ids, Ints, grown, kernel


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
    changed: Ids,
) -> tuple[Ids, int]:
    """Lower `dist` and `owner` (junctions) to what the seeds give, touching nothing they do not better.

    Of two equal distances the lower owner wins. `longest` bounds every seed and edge. Junctions that changed go to
    `changed` (grown as needed, returned with their count; a junction may stand there twice).
    """
    buckets = 1
    while buckets < (longest >> SHIFT) + 2:
        buckets *= 2
    head = np.full(buckets, -1, np.int32)
    room = max(1 << 12, 2 * len(seed_at))
    link, at, nm, by = (
        np.empty(room, np.int32),
        np.empty(room, np.int32),
        np.empty(room, np.int64),
        np.empty(room, np.int32),
    )
    used, free, live, n = 0, -1, 0, 0
    for s in range(len(seed_at)):
        u, d, who = seed_at[s], seed_nm[s], seed_owner[s]
        if d < dist[u] or (d == dist[u] and who < owner[u]):
            dist[u], owner[u] = d, who
            if n == len(changed):
                changed = grown(changed, 1 << 10)
            changed[n] = u
            n += 1
            slot = (d >> SHIFT) & (buckets - 1)
            at[used], nm[used], by[used], link[used] = u, d, who, head[slot]
            head[slot] = used
            used += 1
            live += 1
    b = 0
    while live > 0:
        k = head[b & (buckets - 1)]
        if k < 0:
            b += 1
            continue
        head[b & (buckets - 1)] = link[k]
        u, d, who = at[k], nm[k], by[k]
        link[k] = free
        free = k
        live -= 1
        if d != dist[u] or who != owner[u]:
            continue
        for e in range(ptr[u], ptr[u + 1]):
            far = d + adj_nm[e]
            v = adj[e]
            if far < dist[v] or (far == dist[v] and who < owner[v]):
                dist[v], owner[v] = far, who
                if n == len(changed):
                    changed = grown(changed, 1 << 10)
                changed[n] = v
                n += 1
                if free >= 0:
                    k = free
                    free = link[k]
                else:
                    if used == len(at):
                        link, at, nm, by = grown(link, 0), grown(at, 0), grown(nm, 0), grown(by, 0)
                    k = used
                    used += 1
                slot = (far >> SHIFT) & (buckets - 1)
                at[k], nm[k], by[k], link[k] = v, far, who, head[slot]
                head[slot] = k
                live += 1
    return changed, n


@kernel
def forget_owner(ptr: Ints, adj: Ids, seed_at: Ids, who: np.int32, dist: Ints, owner: Ids) -> Ids:
    """Set every junction `who` owns to FAR; return those junctions, to be filled again from around them.

    What one owner holds hangs together from its seeds on, so a walk over its own junctions finds all of them.
    """
    stack = np.empty(1 << 12, np.int32)
    n = 0
    for s in range(len(seed_at)):
        u = seed_at[s]
        if owner[u] == who:
            owner[u], dist[u] = -1, FAR
            if n == len(stack):
                stack = grown(stack, 0)
            stack[n] = u
            n += 1
    done = 0
    while done < n:
        u = stack[done]
        done += 1
        for e in range(ptr[u], ptr[u + 1]):
            v = adj[e]
            if owner[v] == who:
                owner[v], dist[v] = -1, FAR
                if n == len(stack):
                    stack = grown(stack, 0)
                stack[n] = v
                n += 1
    return stack[:n].copy()


@kernel
def rim_of(ptr: Ints, adj: Ids, adj_nm: Ints, holes: Ids, dist: Ints, owner: Ids) -> tuple[Ids, Ints, Ids]:
    """Seeds that fill `holes` again from the junctions around them: (junction, distance, owner) of each way in."""
    at, nm, by, n = np.empty(1 << 10, np.int32), np.empty(1 << 10, np.int64), np.empty(1 << 10, np.int32), 0
    for t in range(len(holes)):
        u = holes[t]
        for e in range(ptr[u], ptr[u + 1]):
            v = adj[e]
            if owner[v] >= 0:
                if n == len(at):
                    at, nm, by = grown(at, 0), grown(nm, 0), grown(by, 0)
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
