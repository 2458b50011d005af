"""A city made ready to walk: its network, everyone and every site in place on it, and all walks any question needs."""

from dataclasses import dataclass, replace
from functools import cached_property

import geopandas as gpd
import numpy as np
import pandas as pd

from walkshed.anchors import Anchored, anchor
from walkshed.barriers import Barriers
from walkshed.contracts import BoolArray, FloatArray, Progress
from walkshed.nearest import NearestField
from walkshed.network import ISLAND_M, WalkNetwork
from walkshed.reach import Reach, reach
from walkshed.scenario import Scenario
from walkshed.sources.changed import apply
from walkshed.sources.city import City


@dataclass(frozen=True, eq=False)
class Ground:
    """What stays the same while questions change.

    people, outlets, candidates : the city's demand and sites on the network, in their tables' order
    given : distances from elsewhere, which then stand in for walks on the network
    """

    city: City
    network: WalkNetwork
    people: Anchored
    outlets: Anchored
    candidates: Anchored
    given: Reach | None = None

    def walks(self, sites: pd.DataFrame, limit_m: float, progress: Progress | None = None) -> Reach:
        """Everyone within `limit_m` of each of the given outlets or candidates."""
        if self.given is not None:
            return self.given.take(sites.index).within(limit_m)
        return reach(self.network, self.people, self.on_network(sites), limit_m=limit_m, progress=progress)

    def candidate_walks(self, limit_m: float, progress: Progress | None = None) -> Reach:
        """Everyone within `limit_m` of each candidate; the last such table is kept, as most questions share it."""
        kept = self._kept.get("candidates")
        if kept is None or kept.limit_m != limit_m:
            kept = self.walks(self.city.candidates, limit_m, progress)
            self._kept["candidates"] = kept
        return kept

    @cached_property
    def _kept(self) -> dict[str, Reach]:
        return {}

    def nearest(self, sites: pd.DataFrame) -> NearestField:
        """The nearest of the given outlets for everyone, to be asked what changes when one comes or goes."""
        return NearestField(self.network, self.people, self.on_network(sites))

    def nearest_m(self, sites: pd.DataFrame) -> FloatArray:
        """Metres from everyone to the nearest of the given outlets; NaN where there is no way."""
        if self.given is None:
            return self.nearest(sites).distance_m
        walks = self.given.take(sites.index)
        least = np.full(len(walks.demand_ids), np.inf)
        np.minimum.at(least, walks.demand, walks.distance_m)
        return np.where(np.isfinite(least), least, np.nan)

    @property
    def off_network(self) -> BoolArray:
        """True for demand that no street is near; nobody, where distances come from elsewhere."""
        return self.people.at.off_network & (self.given is None)

    def on_network(self, sites: pd.DataFrame) -> Anchored:
        """Places on the network of some of the city's sites."""
        return self._sites.take(sites.index)

    @cached_property
    def _sites(self) -> Anchored:
        return self.outlets.join(self.candidates)


def prepare(city: City, scenario: Scenario) -> Ground:
    """Build the network, as the scenario changes streets and barriers, and put everyone and every site on it."""
    city = apply(city, scenario.change)
    island_m = scenario.streets.island_m
    network = WalkNetwork.build(city.ways, island_m=ISLAND_M if island_m is None else island_m)
    network = replace(network, barriers=Barriers.of(city.barriers, city.gates, city.stations))

    def on(points: gpd.GeoDataFrame) -> Anchored:
        return anchor(network, points, max_access_m=scenario.standard.max_access_m)

    outlets, candidates = on(city.outlets), on(city.candidates)
    return Ground(city, network, on(city.demand), outlets, candidates, _given(city, outlets.ids.append(candidates.ids)))


def _given(city: City, sites: pd.Index) -> Reach | None:
    """The table of distances a city brings along, held against its demand and sites."""
    if city.distances is None:
        return None
    return Reach.from_frame(city.distances, demand_ids=city.demand.index, site_ids=sites, limit_m=np.inf)
