"""Array work behind a network: where ways meet, how long the pieces are, what hangs together. Knows no street."""

import os
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import shapely
from geopandas import GeoSeries
from numpy.typing import NDArray
from scipy.sparse import csr_array
from scipy.sparse.csgraph import connected_components

from walkshed.contracts import NM, FloatArray, Index32, IntArray

ASKED = 8_192  # points a thread looks up at a time


def cut(ptr: IntArray, node: IntArray) -> tuple[IntArray, IntArray, IntArray]:
    """First vertex, last vertex and line of each piece: lines cut where a key occurs twice, and at their ends."""
    _, inverse, count = np.unique(node, return_inverse=True, return_counts=True)
    junction = count[inverse] > 1
    junction[ptr[:-1]] = True
    junction[ptr[1:] - 1] = True
    at = np.flatnonzero(junction)
    line = np.searchsorted(ptr, at, side="right") - 1
    same = line[1:] == line[:-1]
    return at[:-1][same], at[1:][same], line[:-1][same]


def drawn_m(xy: FloatArray, ptr: IntArray) -> FloatArray:
    """Length of each line with the vertices `ptr[i]:ptr[i + 1]`; each summed on its own, so no error carries along."""
    step = np.hypot(*np.diff(xy, axis=0, append=xy[-1:]).T)
    step[ptr[1:] - 1] = 0.0  # from the last vertex of a line to the first of the next is no way
    return np.add.reduceat(step, ptr[:-1]) if len(ptr) > 1 else np.empty(0)


def both_ways(n: int, a: IntArray, b: IntArray, edge_nm: IntArray) -> tuple[IntArray, Index32, IntArray]:
    """Compressed adjacency of `n` junctions; a loop leads nowhere new and is left out."""
    real = a != b
    source, target = np.concatenate([a[real], b[real]]), np.concatenate([b[real], a[real]])
    order = np.lexsort((target, source))
    ptr = np.concatenate([[0], np.cumsum(np.bincount(source, minlength=n))]).astype(np.int64)
    return ptr, target[order].astype(np.int32), np.concatenate([edge_nm[real]] * 2)[order]


def components(ptr: IntArray, adj: Index32, a: IntArray, edge_nm: IntArray) -> tuple[Index32, FloatArray]:
    """Component of each junction, 0 the one with most street; metres of street of each component."""
    n = len(ptr) - 1
    matrix = csr_array((np.ones(len(adj), np.int8), adj, ptr.astype(np.int32)), shape=(n, n))
    count, found = connected_components(matrix, directed=False)
    label = np.asarray(found, dtype=np.int64)
    length_m = np.bincount(label[a], edge_nm / NM, minlength=count).astype(np.float64)
    order = np.argsort(-length_m, kind="stable")
    rank = np.empty(count, np.int32)
    rank[order] = np.arange(count, dtype=np.int32)
    return rank[label], np.asarray(length_m[order], dtype=np.float64)


def hilbert(xy: FloatArray) -> tuple[IntArray, FloatArray]:
    """Rank of each point along a Hilbert curve (Hilbert 1891), and the points in that order."""
    if not len(xy):
        return np.empty(0, np.int64), xy
    along = GeoSeries(shapely.points(xy)).hilbert_distance(level=16).to_numpy()
    order = np.lexsort((xy[:, 1], xy[:, 0], along))
    rank = np.empty(len(xy), np.int64)
    rank[order] = np.arange(len(xy))
    return rank, xy[order]


def nearest_lines(
    tree: shapely.STRtree, points: NDArray[np.object_], farthest_m: float
) -> tuple[IntArray, IntArray, FloatArray]:
    """For each point all lines at the least distance: (point, line, metres); on all cores, GEOS lets go of Python."""

    def ask(first: int) -> tuple[IntArray, IntArray, FloatArray]:
        (point, line), distance_m = tree.query_nearest(
            points[first : first + ASKED], max_distance=farthest_m, return_distance=True, all_matches=True
        )
        return point + first, line, distance_m

    with ThreadPoolExecutor(os.cpu_count()) as pool:
        found = [ask(0), *pool.map(ask, range(ASKED, len(points), ASKED))]  # the first alone: it builds the tree
    point, line, distance_m = (np.concatenate(column) for column in zip(*found, strict=True))
    return point, line, distance_m
