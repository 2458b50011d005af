"""Points in their place on a network: found once, walked from often."""

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property

import geopandas as gpd
import numpy as np
import pandas as pd

from walkshed.contracts import Index32, IntArray
from walkshed.network import Attachment, WalkNetwork

Leaves = tuple[IntArray, Index32, IntArray]


@dataclass(frozen=True, eq=False)
class Anchored:
    """Points by id, where they meet the network, and what a walk from or to them needs, worked out once."""

    network: WalkNetwork
    ids: pd.Index
    at: Attachment

    @cached_property
    def ends(self) -> tuple[Index32, IntArray]:
        """Both ends of each point's street and how far they are: int32 and int64 (points, 2); -1 off the network."""
        edge = self.at.edge
        ends = np.stack([self.network.edge_from[edge], self.network.edge_to[edge]], axis=1)
        ends[edge < 0] = -1
        away_nm = np.stack([self.at.from_nm, self.at.to_nm], axis=1) + self.at.access_nm[:, None]
        return ends.astype(np.int32), away_nm

    @cached_property
    def leaves(self) -> Leaves:
        """The points as leaves of the junctions at both ends of their street: (leaf_ptr, leaf_id, leaf_nm)."""
        ends, away_nm = self.ends
        leaf, side = np.nonzero(ends >= 0)
        junction = ends[leaf, side]
        order = np.argsort(junction, kind="stable")
        ptr = pointers(np.bincount(junction, minlength=len(self.network.xy)))
        return ptr, leaf[order].astype(np.int32), away_nm[leaf, side][order]

    @cached_property
    def _by_street(self) -> tuple[IntArray, Index32]:
        order = np.argsort(self.at.edge, kind="stable")
        return order, self.at.edge[order]

    def on_the_streets_of(self, places: "Anchored") -> Leaves:
        """Points of this table that share a street with a place walk along it: (ptr by place, point, distance)."""
        order, street = self._by_street
        first = np.searchsorted(street, places.at.edge, "left")
        length = np.where(places.at.edge >= 0, np.searchsorted(street, places.at.edge, "right") - first, 0)
        ptr = pointers(length)
        point = order[np.repeat(first - ptr[:-1], length) + np.arange(ptr[-1])]
        place = np.repeat(np.arange(len(length)), length)
        along_nm = np.abs(places.at.from_nm[place] - self.at.from_nm[point])
        return ptr, point.astype(np.int32), along_nm + places.at.access_nm[place] + self.at.access_nm[point]

    def take(self, ids: Iterable[object]) -> "Anchored":
        """Some of the points, in the order given.

        Raises
        ------
        KeyError
            If an id is not among them.
        """
        wanted = pd.Index(list(ids))
        at = self.ids.get_indexer(wanted)
        if (at < 0).any():
            raise KeyError(wanted[at < 0].tolist())
        return Anchored(self.network, wanted, self.at.take(at))

    def join(self, other: "Anchored") -> "Anchored":
        """These points and then others; ids must differ."""
        return Anchored(self.network, self.ids.append(other.ids), self.at.join(other.at))


def anchor(network: WalkNetwork, points: gpd.GeoDataFrame, *, max_access_m: float = 500.0) -> Anchored:
    """Attach a table of points to the network once, to hand it to `reach` and `nearest` many times."""
    return Anchored(network, points.index, network.attach(points.geometry, max_access_m=max_access_m))


def pointers(length: IntArray) -> IntArray:
    """Where each row of `length` items starts, and where the last one ends.

    >>> pointers(np.array([2, 0, 1])).tolist()
    [0, 2, 2, 3]
    """
    return np.concatenate([[0], np.cumsum(length)]).astype(np.int64)
