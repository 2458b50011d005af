"""Answers kept while controls move: a city is prepared once, a question answered once, whoever asks."""

import hashlib
import json
from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import streamlit as st

from walkshed import plan as planning
from walkshed.ground import Ground, prepare
from walkshed.plan import Plan
from walkshed.publish.images import Cells
from walkshed.scenario import Scenario, files
from walkshed.sources.city import City
from walkshed.sources.load import load
from walkshed.trust import Finding, check
from walkshed.views.kept import Kept
from walkshed.views.mapview import city_script
from walkshed.views.people import Canvas, canvases, painted
from walkshed.views.shapes import degrees_of

Thing = TypeVar("Thing")
Spots = tuple[list[list[float]], list[list[float]]]

CITIES, PLANS, WORKERS = 2, 16, 2  # kept at once, for everybody: a city of ten million is about half a gigabyte
EXTRAS, PACKS = 6 * PLANS, 4  # explanations and the like, a few hundred kB at most; all files of a plan, many MB
ON_THE_GROUND = ("block", "bridge", "gate")  # changes that make another network
OF_THE_CITY = ("area", "streets", "demand", "supply", "reach")


@dataclass(frozen=True, eq=False)
class Answer:
    """A plan, the ground it stands on, and `key`, which says whether two answers are the same."""

    key: str
    ground: Ground
    plan: Plan


def ground_of(scenario: Scenario) -> Ground:
    """The city of a scenario, prepared: the same object for every scenario about the same files.

    Raises
    ------
    InputError
        With every fault of the scenario's files.
    """
    shelves = _shelves()

    def make() -> Ground:  # a bridge that is closed reads no file again
        return prepare(shelves.files.get(files_key(scenario), lambda: load(scenario)), scenario)

    return shelves.cities.get(city_key(scenario), make)


def findings_of(scenario: Scenario) -> tuple[Finding, ...]:
    """What the city's data are worth, as `walkshed check` says; beside the city only kinds it has not matter."""
    ground = ground_of(scenario)
    tables = (ground.city.outlets, ground.city.candidates)
    there = {kind for table in tables for kind in table["kind"].unique()}
    key = _digest([city_key(scenario), sorted(set(scenario.kinds) - there)])
    return _shelves().findings.get(key, lambda: check(ground, scenario) if ground.given is None else ())


def answer(scenario: Scenario, *, propose: bool = True, with_gaps: bool = True) -> Answer:
    """Answer a scenario; without `propose` only what holds before anything is built, quicker still without the gaps.

    Raises
    ------
    InputError, InfeasibleError
        As `plan.run` does.
    """
    return later(scenario, propose=propose, with_gaps=with_gaps).result()


def later(scenario: Scenario, *, propose: bool = True, with_gaps: bool = True) -> "Future[Answer]":
    """The answer to be, worked out behind the page."""
    question = scenario if propose else unproposed(scenario)
    key = _digest([city_key(question), question.model_dump_json(), with_gaps])

    def make() -> Answer:
        ground, findings = ground_of(question), findings_of(question)
        plan = planning.answer(ground, question, findings=findings, anyway=True, with_gaps=with_gaps)
        return Answer(key, ground, plan)  # serious findings are stamped on it, as `--anyway` does

    return _shelves().answers.later(key, make)


def answered(scenario: Scenario) -> bool:
    """Whether the city of a scenario is prepared already, so that an answer is a matter of a second."""
    return city_key(scenario) in _shelves().cities


def settle() -> None:
    """Wait until no answer is being worked out any more."""
    _shelves().answers.settle()


def serious(scenario: Scenario) -> int:
    """How many findings say not to plan on a city that is prepared."""
    return sum(finding.grade == "stop" for finding in findings_of(scenario))


def unproposed(scenario: Scenario) -> Scenario:
    """The same question with nothing to propose; what falls with distance stays.

    >>> unproposed(Scenario.default()).siting.asks
    False
    """
    bands = [band.model_dump() for band in scenario.siting.bands]
    plain = scenario.revise(siting=None)
    return plain.revise(siting={"bands": bands}) if bands else plain


def city_key(scenario: Scenario) -> str:
    """What the prepared city depends on: its files, and what the scenario changes about streets and barriers."""
    lines = [c.model_dump(mode="json") for c in scenario.change if c.type in ON_THE_GROUND]
    return _digest([files_key(scenario), lines])


def files_key(scenario: Scenario) -> str:
    """What the city as it is read depends on: the scenario's data sections, and the files as they are on disk now."""
    sections = {name: getattr(scenario, name) for name in OF_THE_CITY}
    plain = {name: section.model_dump(mode="json") if section else None for name, section in sections.items()}
    places = [scenario.path(written).absolute() for _, written in files(scenario)]
    found = [(str(p), p.stat().st_size, p.stat().st_mtime_ns) for p in places if p.exists()]
    return _digest([plain, scenario.seed, scenario.standard.max_access_m, found])


def script_of(found: Answer) -> bytes:
    """The city's part of the map; drawn once for each city."""
    script: bytes = _shelves().extras.get(
        city_key(found.plan.scenario), lambda: city_script(found.plan, found.ground.city.candidates)
    )
    return script


def people_of(found: Answer) -> tuple[list[dict[str, Any]], Cells]:
    """People as pictures for the map, finer and coarser, and the classes they are drawn in."""
    city = city_key(found.plan.scenario)
    laid: tuple[Canvas, Canvas] = _shelves().canvases.get(city, lambda: canvases(found.plan.demand))
    return _shelves().people.get(found.key, lambda: painted(found.plan.demand, laid))


def spots_of(found: Answer) -> Spots:
    """Where outlets and candidates stand, [lat, lon] in their tables' order; the same however far people walk."""
    plan = found.plan
    key = _digest([city_key(plan.scenario), [c.model_dump(mode="json") for c in plan.scenario.change]])
    return _shelves().spots.get(key, lambda: (degrees_of(plan.outlets.geometry), degrees_of(plan.candidates.geometry)))


def _digest(parts: Any) -> str:  # noqa: ANN401  plain data of any kind
    return hashlib.sha256(json.dumps(parts, sort_keys=True, ensure_ascii=False).encode()).hexdigest()[:24]


@dataclass(frozen=True)
class _Shelves:
    files: Kept[City]
    cities: Kept[Ground]
    findings: Kept[tuple[Finding, ...]]
    answers: Kept[Answer]
    extras: Kept[Any]
    packs: Kept[Any]
    canvases: Kept[tuple[Canvas, Canvas]]
    people: Kept[tuple[list[dict[str, Any]], Cells]]
    spots: Kept[Spots]


@st.cache_resource(show_spinner=False)
def _shelves() -> _Shelves:
    return _Shelves(
        Kept(CITIES),
        Kept(CITIES),
        Kept(PLANS),
        Kept(PLANS, WORKERS),
        Kept(EXTRAS),
        Kept(PACKS),
        Kept(CITIES),
        Kept(PLANS),
        Kept(PLANS),
    )


def extra(found: Answer, what: str, make: Callable[[], Thing], *, heavy: bool = False) -> Thing:
    """Something worked out from an answer, kept with it; of what is `heavy` only the last few."""
    shelf = _shelves().packs if heavy else _shelves().extras
    kept: Thing = shelf.get(f"{found.key} {what}", make)
    return kept


def workspace_folder(given: str | None) -> Path:
    """Where saved work lies: what the environment says, or `walkshed-workspace` in the folder the app was started in.

    >>> workspace_folder(None).name
    'walkshed-workspace'
    """
    return Path(given) if given else Path("walkshed-workspace")
