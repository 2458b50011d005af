"""The closest site for everyone, without a limit; kept true while sites open and close."""

import geopandas as gpd
import numpy as np
import pandas as pd

from walkshed._kernels import FAR, UNTOUCHED
from walkshed._spread import forget_owner, lower_leaves, nearest_leaves, rim_of, spread_nearest
from walkshed.anchors import Anchored, anchor, pointers
from walkshed.contracts import NM, FloatArray, Index32, IntArray
from walkshed.network import WalkNetwork


class NearestField:
    """For every junction and every demand point the nearest site; a site more or less changes only what it must.

    Of sites equally near, the one that joined first counts. A site more or less costs what lies around it.

    >>> from shapely import LineString, Point
    >>> from walkshed.ways import Ways
    >>> street = gpd.GeoDataFrame(geometry=[LineString([(0, 0), (900, 0)])], crs="EPSG:4551")
    >>> network = WalkNetwork.build(Ways.from_lines(street))
    >>> home = gpd.GeoDataFrame(index=["h"], geometry=[Point(800, 0)], crs="EPSG:4551")
    >>> sites = gpd.GeoDataFrame(index=["L", "M"], geometry=[Point(0, 0), Point(900, 0)], crs="EPSG:4551")
    >>> field = NearestField(network, anchor(network, home), anchor(network, sites))
    >>> field.distance_m
    array([100.])
    >>> field.remove("M")
    >>> field.distance_m
    array([800.])
    """

    def __init__(self, network: WalkNetwork, people: Anchored, places: Anchored) -> None:
        self._network, self._people = network, people
        self._longest_nm = int(network.edge_nm.max(initial=0))
        self._dist_nm = np.full(len(network.xy), FAR, np.int64)
        self._owner = np.full(len(network.xy), -1, np.int32)
        self._leaf_nm = np.full(len(people.ids), FAR, np.int64)
        self._leaf_owner = np.full(len(people.ids), -1, np.int32)
        self._chains = np.full((3, len(network.xy)), UNTOUCHED, np.int32)
        self._ids: list[object] = []
        self._number: dict[object, int] = {}  # of each open site, as `owner` has it
        self._seed_at, self._seed_owner = np.empty(0, np.int32), np.empty(0, np.int32)
        self._seed_nm = np.empty(0, np.int64)
        self._direct_leaf, self._direct_owner = np.empty(0, np.int32), np.empty(0, np.int32)
        self._direct_nm = np.empty(0, np.int64)
        self.add(places)

    @property
    def distance_m(self) -> FloatArray:
        """Metres from each demand point to its nearest site; NaN where there is no way. float64 (demand,)."""
        return np.where(self._leaf_nm < FAR, self._leaf_nm / NM, np.nan)

    @property
    def nearest_id(self) -> pd.Series:
        """Id of the nearest site, by demand id; None where there is no way."""
        ids = np.array([*self._ids, None], dtype=object)
        return pd.Series(ids[self._leaf_owner], index=self._people.ids, dtype=object, name="nearest_id")

    def add(self, places: Anchored) -> None:
        """Open sites, each under a new id."""
        first = len(self._ids)
        ends, away_nm = places.ends
        self._number |= {site: first + k for k, site in enumerate(places.ids)}
        self._ids += list(places.ids)
        site, side = np.nonzero(ends >= 0)
        at, nm, by = ends[site, side], away_nm[site, side], (first + site).astype(np.int32)
        self._seed_at, self._seed_nm = np.concatenate([self._seed_at, at]), np.concatenate([self._seed_nm, nm])
        self._seed_owner = np.concatenate([self._seed_owner, by])
        changed = self._spread(at, nm, by)
        ptr, leaf, nm = self._people.on_the_streets_of(places)
        owner = np.repeat(np.arange(first, len(self._ids), dtype=np.int32), np.diff(ptr))
        self._direct_leaf = np.concatenate([self._direct_leaf, leaf])
        self._direct_nm = np.concatenate([self._direct_nm, nm])
        self._direct_owner = np.concatenate([self._direct_owner, owner])
        self._refresh(changed, leaf)

    def remove(self, site: object) -> None:
        """Close a site.

        Raises
        ------
        KeyError
            If it is not open.
        """
        who, net = self._number.pop(site), self._network
        mine = self._seed_owner == who
        at = self._seed_at[mine]
        self._seed_at, self._seed_nm, self._seed_owner = (
            values[~mine] for values in (self._seed_at, self._seed_nm, self._seed_owner)
        )
        holes = forget_owner(net.ptr, net.adj, at, np.int32(who), self._dist_nm, self._owner, self._chains[2])
        rim = rim_of(net.ptr, net.adj, net.adj_nm, holes, self._dist_nm, self._owner)
        inside = self._owner[self._seed_at] < 0  # other sites whose own junctions this one had held
        at = np.concatenate([rim[0], self._seed_at[inside]])
        nm = np.concatenate([rim[1], self._seed_nm[inside]])
        self._spread(at, nm, np.concatenate([rim[2], self._seed_owner[inside]]))
        gone = self._direct_owner == who
        touched = self._direct_leaf[gone]
        self._direct_leaf, self._direct_nm, self._direct_owner = (
            values[~gone] for values in (self._direct_leaf, self._direct_nm, self._direct_owner)
        )
        self._refresh(holes, touched)

    def _spread(self, at: Index32, away_nm: IntArray, owner: Index32) -> Index32:
        net = self._network
        longest = max(self._longest_nm, int(away_nm.max(initial=0)))
        changed: Index32 = spread_nearest(
            net.ptr, net.adj, net.adj_nm, at, away_nm, owner, longest, self._dist_nm, self._owner, self._chains
        )
        return changed

    def _refresh(self, junctions: Index32, leaves: Index32) -> None:
        """Bring demand near changed junctions, and the given demand, up to date."""
        leaf_ptr, leaf_id, _ = self._people.leaves
        first, length = leaf_ptr[junctions], leaf_ptr[junctions + 1] - leaf_ptr[junctions]
        ptr = pointers(length)
        hanging = leaf_id[np.repeat(first - ptr[:-1], length) + np.arange(ptr[-1])]
        stale = np.concatenate([hanging, leaves])
        nearest_leaves(stale, *self._people.ends, self._dist_nm, self._owner, self._leaf_nm, self._leaf_owner)
        lower_leaves(self._direct_leaf, self._direct_nm, self._direct_owner, self._leaf_nm, self._leaf_owner)


def nearest(
    network: WalkNetwork,
    demand: gpd.GeoDataFrame | Anchored,
    sites: gpd.GeoDataFrame | Anchored,
    *,
    max_access_m: float = 500.0,
) -> pd.DataFrame:
    """Walk from all sites at once to everyone, however far.

    Returns
    -------
    DataFrame
        Indexed as `demand`: `nearest_m` (NaN where there is no way), `nearest_id` (None where there is no way).

    Raises
    ------
    InputError
        If points are in another CRS than the network.

    Examples
    --------
    >>> from shapely import LineString, Point
    >>> from walkshed.ways import Ways
    >>> street = gpd.GeoDataFrame(geometry=[LineString([(0, 0), (900, 0)])], crs="EPSG:4551")
    >>> network = WalkNetwork.build(Ways.from_lines(street))
    >>> homes = gpd.GeoDataFrame(index=["h", "far"], geometry=[Point(300, 20), Point(300, 9000)], crs="EPSG:4551")
    >>> sites = gpd.GeoDataFrame(index=["L", "M"], geometry=[Point(0, 0), Point(900, 0)], crs="EPSG:4551")
    >>> nearest(network, homes, sites).to_dict("list")
    {'nearest_m': [320.0, nan], 'nearest_id': ['L', None]}
    """
    people = demand if isinstance(demand, Anchored) else anchor(network, demand, max_access_m=max_access_m)
    places = sites if isinstance(sites, Anchored) else anchor(network, sites, max_access_m=max_access_m)
    field = NearestField(network, people, places)
    return pd.DataFrame({"nearest_m": field.distance_m, "nearest_id": field.nearest_id}, index=people.ids)
