"""The conductor, who does no arithmetic: a Scenario becomes a Plan."""

import platform
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from functools import cached_property
from importlib.metadata import version
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd

from walkshed import service, trust
from walkshed.area import Area
from walkshed.contracts import FloatArray, Progress
from walkshed.errors import Fault
from walkshed.gaps import find_gaps
from walkshed.ground import Ground, prepare
from walkshed.network import WalkNetwork
from walkshed.question import ask, goal_of, years_of
from walkshed.scenario import Scenario
from walkshed.siting import Phase, Problem, Siting, Why, explain, phases, solve
from walkshed.sources.city import City
from walkshed.sources.load import load
from walkshed.supply import Kind, kinds
from walkshed.trust import Finding
from walkshed.whatif import changed


@dataclass(frozen=True, eq=False)
class Plan:
    """A question and everything that answers it; what is published is read off here and nowhere else.

    demand : as the city's, with `nearest_m` (NaN: no way), `off_network`, `served_before`, `served_after` (0 to 1)
    sites : the proposed, in order: index site ids; `name, kind, unit, order, people_gained`
    gaps : see `gaps.find_gaps`; what is left out today
    units, groups, distances, totals : see `service`
    problem : the question as the siting engine was asked it; None where nothing was
    years : a nested plan's years; none where the scenario asks for no years
    findings : the trust report, as far as it was made: what the answer rests on
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
    problem: Problem | None = None
    years: tuple[Phase, ...] = ()
    findings: tuple[Finding, ...] = ()
    timings: dict[str, float] = field(default_factory=dict)

    @cached_property
    def why(self) -> tuple[Why, ...]:
        """Reasons for each site of a maximal cover, worked out when first asked for; over years, at their end."""
        if self.problem is None or self.siting.model not in {"max_cover", "phases"}:
            return ()
        problem = self.problem.with_rules(build=len(self.siting.chosen)) if self.years else self.problem
        return tuple(explain(problem, self.siting, option) for option in self.siting.chosen)

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


def run(scenario: Scenario, *, progress: Progress | None = None, anyway: bool = False) -> Plan:
    """Answer a scenario from its files: load, look at what they are worth, walk, find the gaps, propose.

    anyway : plan even on data that the trust report says to stop for; a note on the plan then says so

    Raises
    ------
    InputError
        With every fault of the scenario's files; with every finding of the trust report to stop for.
    InfeasibleError
        If no plan keeps the scenario's rules.

    Examples
    --------
    >>> plan = run(Scenario.default().revise(streets={"scale": 0.01}, siting={"build": 2}))  # a hundredth of the city
    >>> len(plan.sites), plan.siting.status, plan.siting.people <= plan.siting.bound
    (2, 'proven', True)
    >>> round(float(plan.units["people"].sum() - plan.demand["people"].sum()))
    0
    """
    clock = _Clock(progress)
    with clock.step("load"):
        city = load(scenario, progress=progress)
    with clock.step("network"):
        ground = prepare(city, scenario)
    with clock.step("trust"):
        findings = trust.check(ground, scenario) if ground.given is None else ()  # what lies behind them is not ours
        trust.refuse_stops(findings, anyway=anyway)
    return answer(ground, scenario, findings=findings, anyway=anyway, clock=clock)


def answer(
    ground: Ground,
    scenario: Scenario,
    *,
    findings: tuple[Finding, ...] = (),
    anyway: bool = False,
    clock: "_Clock | None" = None,
    with_gaps: bool = True,
) -> Plan:
    """Answer a scenario on ground that is prepared already: what the app does when a control moves.

    findings : of `trust.check` on this ground; the one about the answer itself is added
    with_gaps : False leaves the gaps out, most of the time an answer takes where nothing is proposed
    """
    clock = clock or _Clock(None)
    ground = changed(ground, scenario)
    city, known = ground.city, kinds_of(scenario)
    open_now = city.outlets[city.outlets["status"] == "open"]
    with clock.step("reach"):
        served = _served_by(ground, open_now, scenario, known)
        nearest_m = ground.nearest_m(open_now)
    findings = (*findings, trust.area_served(ground, scenario, served))
    stamped = trust.refuse_stops(findings, anyway=anyway)
    with clock.step("siting"):
        proposal = _propose(ground, scenario, known, _with_unit(city, open_now), clock.progress)
        built = proposal.sites.assign(kind=proposal.sites["offer"])
        after = np.maximum(served, _served_by(ground, built, scenario, known)) if len(built) else served
    demand = city.demand.assign(
        nearest_m=nearest_m, off_network=ground.off_network, served_before=served, served_after=after
    )
    with clock.step("gaps"):
        unserved = demand["people"].to_numpy() * (1.0 - served) * with_gaps
        gaps = find_gaps(
            demand, unserved, area=city.area, network=ground.network, places=city.places, limit_m=scenario.limit_m
        )
    outlets = _with_unit(city, city.outlets)
    return Plan(
        scenario=scenario, area=city.area, network=ground.network, demand=demand, outlets=outlets,
        candidates=city.candidates, sites=proposal.sites, gaps=gaps,
        units=service.by_unit(demand, city.area.units, outlets[outlets["status"] == "open"]),
        groups=service.by_group(demand), distances=service.distances(demand), totals=service.totals(demand),
        siting=proposal.siting, problem=proposal.problem, years=proposal.years, places=city.places,
        barriers=city.barriers, schematic=city.schematic, notes=(*city.notes, *stamped),
        findings=findings,
        provenance=_provenance(city, scenario), timings=clock.seconds,
    )  # fmt: skip


def kinds_of(scenario: Scenario) -> dict[str, Kind]:
    """Kinds with the scenario's own figures in place of the table's."""
    known = kinds()
    own = {key: section.model_dump(exclude_none=True) for key, section in scenario.kinds.items()}
    return {key: replace(kind, **own.get(key, {})) for key, kind in known.items()}


def _served_by(ground: Ground, sites: gpd.GeoDataFrame, scenario: Scenario, known: dict[str, Kind]) -> FloatArray:
    """Service everyone has from the given sites, each by its kind's own limit and share."""
    limit, _ = service.terms(sites, kinds=known, limit_m=scenario.limit_m)
    walks = ground.walks(sites, float(limit.max(initial=scenario.limit_m)))
    bands = tuple((band.up_to_m, band.share) for band in scenario.siting.bands)
    return service.level(walks, sites, kinds=known, limit_m=scenario.limit_m, bands=bands)


@dataclass(frozen=True, eq=False)
class _Proposal:
    siting: Siting
    sites: gpd.GeoDataFrame
    problem: Problem | None = None
    years: tuple[Phase, ...] = ()


def _propose(
    ground: Ground, scenario: Scenario, known: dict[str, Kind], outlets: gpd.GeoDataFrame, progress: Progress | None
) -> _Proposal:
    """Put the question to the engine and bring its answer back as sites on the map, in order."""
    if not scenario.siting.asks:
        return _Proposal(Siting.nothing_asked(), _sites(ground.city, [], []))
    limit_s, seed = scenario.siting.time_limit_s, scenario.seed
    stated = ask(ground, scenario, known, outlets, progress)
    goal, years = goal_of(scenario, ground.city.area.units.index), years_of(scenario)
    if years and goal.model == "max_cover":
        over = phases(stated, years, time_limit_s=limit_s, seed=seed)
        found, by_year = over.whole.checked(), over.years
        of = {option: phase.year for phase in by_year for option in phase.built}
    else:
        found, by_year, of = solve(stated, goal, time_limit_s=limit_s, seed=seed).checked(), (), {}
    options = stated.options.loc[list(found.chosen)]
    sites = _sites(ground.city, options["place"].tolist(), options["kind"].tolist())
    sites["people_gained"] = list(found.people_gained)
    sites["year"] = [of.get(option, 0) for option in found.chosen]
    return _Proposal(found, sites, stated, by_year)


def _sites(city: City, place: Sequence[str], offer: Sequence[str]) -> gpd.GeoDataFrame:
    """Chosen places as a table: `kind` is the place's, `offer` what is built there."""
    sites = _with_unit(city, city.candidates.loc[list(place)])
    return sites.assign(
        offer=list(offer), order=np.arange(1, len(sites) + 1), people_gained=np.zeros(len(sites)), year=0
    ).rename_axis("site_id")


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
