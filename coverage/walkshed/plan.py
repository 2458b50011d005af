"""The conductor, who does no arithmetic: a Scenario becomes a Plan."""

import platform
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from importlib.metadata import version
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd

from walkshed import service, siting
from walkshed.area import Area
from walkshed.contracts import FloatArray, Progress
from walkshed.errors import Fault
from walkshed.gaps import find_gaps
from walkshed.ground import Ground, prepare
from walkshed.network import WalkNetwork
from walkshed.scenario import Scenario
from walkshed.siting import Siting
from walkshed.sources.city import City
from walkshed.sources.load import load
from walkshed.supply import Kind, kinds


@dataclass(frozen=True, eq=False)
class Plan:
    """A question and everything that answers it; what is published is read off here and nowhere else.

    demand : as the city's, with `nearest_m` (NaN: no way), `off_network`, `served_before`, `served_after` (0 to 1)
    sites : the proposed, in order: index site ids; `name, kind, unit, order, people_gained`
    gaps : see `gaps.find_gaps`; what is left out today
    units, groups, distances, totals : see `service`
    timings : seconds of each step; the one thing that differs from run to run
    """

    scenario: Scenario
    area: Area
    network: WalkNetwork
    demand: gpd.GeoDataFrame
    outlets: gpd.GeoDataFrame
    candidates: gpd.GeoDataFrame
    sites: gpd.GeoDataFrame
    gaps: gpd.GeoDataFrame
    units: pd.DataFrame
    groups: pd.DataFrame
    distances: pd.DataFrame
    totals: dict[str, float]
    siting: Siting
    places: gpd.GeoDataFrame
    barriers: gpd.GeoDataFrame
    schematic: bool
    notes: tuple[Fault, ...]
    provenance: dict[str, Any]
    timings: dict[str, float] = field(default_factory=dict)

    @property
    def name(self) -> str:
        """What the scenario is called in files."""
        return self.scenario.name

    @property
    def title(self) -> str:
        """What people call the scenario."""
        return self.scenario.title or self.scenario.name

    @property
    def limit_m(self) -> float:
        """The walking limit, inclusive."""
        return self.scenario.limit_m

    @property
    def standard_id(self) -> str:
        """The standard the plan is held against."""
        return self.scenario.standard_id


def run(scenario: Scenario, *, progress: Progress | None = None) -> Plan:
    """Answer a scenario from its files: load, walk, find the gaps, propose.

    Raises
    ------
    InputError
        With every fault of the scenario's files.
    InfeasibleError
        If no plan keeps the scenario's rules.
    """
    clock = _Clock(progress)
    with clock.step("load"):
        city = load(scenario, progress=progress)
    with clock.step("network"):
        ground = prepare(city, scenario)
    return answer(ground, scenario, clock=clock)


def answer(ground: Ground, scenario: Scenario, *, clock: "_Clock | None" = None) -> Plan:
    """Answer a scenario on ground that is prepared already: what the app does when a control moves."""
    clock = clock or _Clock(None)
    city, known = ground.city, kinds_of(scenario)
    open_now = city.outlets[city.outlets["status"] == "open"]
    with clock.step("reach"):
        served = _served_by(ground, open_now, scenario, known)
        nearest_m = ground.nearest(open_now).distance_m
    with clock.step("siting"):
        siting_, sites, after = _propose(ground, scenario, known, served, clock.progress)
    demand = city.demand.assign(
        nearest_m=nearest_m, off_network=ground.people.at.off_network, served_before=served, served_after=after
    )
    with clock.step("gaps"):
        unserved = demand["people"].to_numpy() * (1.0 - served)
        gaps = find_gaps(
            demand, unserved, area=city.area, network=ground.network, places=city.places, limit_m=scenario.limit_m
        )
    outlets = _with_unit(city, city.outlets)
    return Plan(
        scenario=scenario, area=city.area, network=ground.network, demand=demand, outlets=outlets,
        candidates=city.candidates, sites=sites, gaps=gaps,
        units=service.by_unit(demand, city.area.units, outlets[outlets["status"] == "open"]),
        groups=service.by_group(demand), distances=service.distances(demand), totals=service.totals(demand),
        siting=siting_, places=city.places, barriers=city.barriers, schematic=city.schematic, notes=city.notes,
        provenance=_provenance(city, scenario), timings=clock.seconds,
    )  # fmt: skip


def kinds_of(scenario: Scenario) -> dict[str, Kind]:
    """Kinds with the scenario's own figures in place of the table's."""
    known = kinds()
    own = {key: section.model_dump(exclude_none=True) for key, section in scenario.kinds.items()}
    return {key: replace(kind, **own.get(key, {})) for key, kind in known.items()}


def _served_by(ground: Ground, sites: pd.DataFrame, scenario: Scenario, known: dict[str, Kind]) -> FloatArray:
    limit, _ = service.terms(sites, kinds=known, limit_m=scenario.limit_m)
    walks = ground.walks(sites, float(limit.max(initial=scenario.limit_m)))
    return service.level(walks, sites, kinds=known, limit_m=scenario.limit_m)


def _propose(
    ground: Ground, scenario: Scenario, known: dict[str, Kind], served: FloatArray, progress: Progress | None
) -> tuple[Siting, gpd.GeoDataFrame, FloatArray]:
    """The proposal, its sites as a table in order, and the service everyone has with them."""
    city, ask = ground.city, scenario.siting
    walks = ground.walks(city.candidates, scenario.limit_m, progress)
    people = city.demand["people"].to_numpy()
    found = siting.max_cover(
        walks, people, build=ask.build or 0, served=served > 0, time_limit_s=ask.time_limit_s, seed=scenario.seed
    )
    sites = _with_unit(city, city.candidates.loc[list(found.chosen)])
    sites = sites.assign(order=range(1, len(sites) + 1), people_gained=list(found.people_gained))
    after = service.level(walks.take(sites.index), sites, kinds=known, limit_m=scenario.limit_m)
    return found, sites, np.maximum(served, after)


def _with_unit(city: City, sites: gpd.GeoDataFrame) -> gpd.GeoDataFrame:
    return sites.assign(unit=city.area.unit_of(sites.geometry)) if len(sites) else sites.assign(unit="")


def _provenance(city: City, scenario: Scenario) -> dict[str, Any]:
    """What the answer rests on: files, libraries whose version can change a number, the seed."""
    inputs = [{"name": i.name, "sha256": i.sha256, "licence": i.licence} for i in city.inputs]
    libraries = ("walkshed", "geopandas", "highspy", "numba", "numpy", "osmium", "pandas", "pyproj", "scipy", "shapely")
    versions = {"python": platform.python_version(), **{name: version(name) for name in libraries}}
    return {"inputs": inputs, "versions": versions, "seed": scenario.seed}


class _Clock:
    """Seconds of each step for run.json; passes the word on to whoever shows progress."""

    def __init__(self, progress: Progress | None) -> None:
        self.progress = progress
        self.seconds: dict[str, float] = {}

    @contextmanager
    def step(self, name: str) -> Iterator[None]:
        if self.progress:
            self.progress(name, 0.0)
        start = time.perf_counter()
        yield
        self.seconds[name] = round(time.perf_counter() - start, 3)
        if self.progress:
            self.progress(name, 1.0)
