"""Stretches of edges, from so far to so far along them, exact to the nanometre: union, difference, drawing."""

from dataclasses import dataclass, fields, replace
from typing import Self

import numpy as np
import pandas as pd
import shapely
from numpy.typing import NDArray

from walkshed.contracts import BoolArray, FloatArray, IntArray
from walkshed.network import WalkNetwork

NEVER = np.int64(2**62)  # stands for "none before" and never leaves this file


@dataclass(frozen=True, eq=False)
class _Table:
    """Arrays of one length, taken together."""

    def take(self, at: IntArray | BoolArray) -> Self:
        """Rows by position or mask."""
        return replace(self, **{f.name: getattr(self, f.name)[at] for f in fields(self)})


@dataclass(frozen=True, eq=False)
class Stretches(_Table):
    """Pieces of edges, each of some group. All int64; 0 <= start_nm < end_nm <= the edge's length."""

    group: IntArray
    edge: IntArray
    start_nm: IntArray
    end_nm: IntArray

    def union(self) -> "Stretches":
        """The same ground, each bit once per group: what overlaps or touches becomes one. Sorted."""
        mine = self.take(np.lexsort((self.start_nm, self.edge, self.group)))
        key = _runs(mine.group, mine.edge)
        upto = pd.Series(mine.end_nm).groupby(key).cummax().to_numpy()
        fresh = np.flatnonzero((np.diff(key, prepend=-1) != 0) | (mine.start_nm > np.append(-1, upto[:-1])[: len(key)]))
        last = np.append(fresh[1:], len(key))[: len(fresh)] - 1
        return replace(mine.take(fresh), end_nm=upto[last])

    def minus(self, inner: "Stretches") -> "Stretches":
        """What is left without `inner`. Both are unions, and `inner` lies inside this one."""
        group, edge = np.append(self.group, inner.group), np.append(self.edge, inner.edge)
        starts, ends = np.append(self.start_nm, inner.end_nm), np.append(self.end_nm, inner.start_nm)
        by_start, by_end = np.lexsort((starts, edge, group)), np.lexsort((ends, edge, group))
        left = Stretches(group[by_start], edge[by_start], starts[by_start], ends[by_end])
        return left.take(left.start_nm < left.end_nm)  # ways in and out alternate, so the n-th of each belong together

    def lines(self, network: WalkNetwork) -> NDArray[np.object_]:
        """Draw each as a LineString: the part of the edge's shape that is its share of the edge's length."""
        whole, n = network.lines[self.edge], len(self.edge)
        drawn_m, long_nm = shapely.length(whole), np.maximum(network.edge_nm[self.edge], 1)
        ends_m = np.stack([self.start_nm, self.end_nm], axis=1) / long_nm[:, None] * drawn_m[:, None]
        tips = shapely.line_interpolate_point(whole[:, None], ends_m)
        count = np.diff(network.shape_ptr)[self.edge]
        piece = np.repeat(np.arange(n), count)
        vertex = np.arange(len(piece)) - np.repeat(np.cumsum(count) - count - network.shape_ptr[self.edge], count)
        along_m = _along(network)[vertex]
        inside = (along_m > ends_m[piece, 0]) & (along_m < ends_m[piece, 1])
        first, last = (shapely.get_coordinates(tips[:, side]) for side in (0, 1))
        xy = np.concatenate([first, network.shape_xy[vertex[inside]], last])
        owner = np.concatenate([np.arange(n), piece[inside], np.arange(n)])
        order = np.argsort(owner, kind="stable")  # of each: the first tip, the vertices as they run, the last tip
        return np.asarray(shapely.linestrings(xy[order], indices=owner[order]), dtype=object)


@dataclass(frozen=True, eq=False)
class Sources(_Table):
    """Where walks come onto an edge: at `at_nm` along it, after `away_nm`, from `site`. All int64.

    low_nm, high_nm : the part of the edge a source is asked about
    """

    site: IntArray
    edge: IntArray
    at_nm: IntArray
    away_nm: IntArray
    low_nm: IntArray
    high_nm: IntArray

    def within(self, limit_nm: int) -> Stretches:
        """What is reached, by site; a bit that is reached from several sides stands there several times."""
        left = limit_nm - self.away_nm
        start, end = np.maximum(self.at_nm - left, self.low_nm), np.minimum(self.at_nm + left, self.high_nm)
        return Stretches(self.site, self.edge, start, end).take((left >= 0) & (start < end))

    def nearest(self) -> "Sources":
        """Give each bit of an edge to the source nearest along it; equally near, to the earlier site's."""
        mine = self.take(np.lexsort((self.site, self.away_nm, self.at_nm, self.edge)))
        mine = mine.take(_opens(mine.edge, mine.at_nm))  # at one place the nearest will do
        mine = mine.take(~mine._bettered())  # noqa: SLF001 - its own
        halfway = (mine.at_nm[:-1] + mine.at_nm[1:] + mine.away_nm[1:] - mine.away_nm[:-1]) // 2
        same = mine.edge[:-1] == mine.edge[1:]
        low, high = mine.low_nm.copy(), mine.high_nm.copy()
        low[1:][same] = high[:-1][same] = halfway[same]
        return replace(mine, low_nm=low, high_nm=high)

    def _bettered(self) -> BoolArray:
        """True where another source is nearer to a source's very place, or as near and of an earlier site."""
        many = self.site.max(initial=0) + 1  # walks and then sites decide: one number for both
        key = _runs(self.edge, self.edge)
        ahead = (self.away_nm - self.at_nm) * many + self.site
        back = (self.away_nm + self.at_nm) * many + self.site
        found: BoolArray = (_least_before(ahead, key) < ahead) | (_least_before(back[::-1], key[::-1])[::-1] < back)
        return found


def _runs(first: IntArray, second: IntArray) -> IntArray:
    """Number of the run each row of a sorted table belongs to: rows alike in both columns."""
    return np.cumsum(_opens(first, second))


def _opens(first: IntArray, second: IntArray) -> BoolArray:
    """True at the first row of every run."""
    opens: BoolArray = (np.diff(first, prepend=-1) != 0) | (np.diff(second, prepend=-1) != 0)
    return opens


def _least_before(values: IntArray, key: IntArray) -> IntArray:
    """Least of the values before each one in its run; NEVER for the first."""
    least = pd.Series(values).groupby(key, sort=False).cummin().to_numpy()
    before = np.append(NEVER, least[:-1])[: len(values)]
    before[np.diff(key, prepend=-1) != 0] = NEVER
    return before


def _along(network: WalkNetwork) -> FloatArray:
    """Metres drawn from the start of its edge to each vertex of the shapes."""
    step = np.hypot(*np.diff(network.shape_xy, axis=0, prepend=network.shape_xy[:1]).T)
    run: FloatArray = np.cumsum(step)
    return run - np.repeat(run[network.shape_ptr[:-1]], np.diff(network.shape_ptr))
