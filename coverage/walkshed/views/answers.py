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
from walkshed.publish.images import Cells, cells_of
from walkshed.publish.images import pictures as drawn
from walkshed.publish.scene import COARSE, OVERVIEW_ZOOM
from walkshed.scenario import Scenario, files
from walkshed.sources.load import load
from walkshed.views.kept import Kept
from walkshed.views.mapview import city_script

Thing = TypeVar("Thing")

CITIES, PLANS, WORKERS = 2, 16, 2  # kept at once, for everybody: a city of ten million is about half a gigabyte
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
    return _shelves().grounds.get(city_key(scenario), lambda: prepare(load(scenario), scenario))


def answer(scenario: Scenario, *, propose: bool = True) -> Answer:
    """Answer a scenario; without `propose` only what holds before anything is built, which is quicker.

    Raises
    ------
    InputError, InfeasibleError
        As `plan.run` does.
    """
    return later(scenario, propose=propose).result()


def later(scenario: Scenario, *, propose: bool = True) -> "Future[Answer]":
    """The answer to be, worked out behind the page."""
    question = scenario if propose else unproposed(scenario)
    key = _digest([city_key(question), question.model_dump_json()])

    def make() -> Answer:
        ground = ground_of(question)
        return Answer(key, ground, planning.answer(ground, question))

    return _shelves().answers.later(key, make)


def answered(scenario: Scenario) -> bool:
    """Whether the city of a scenario is prepared already, so that an answer is a matter of a second."""
    return city_key(scenario) in _shelves().grounds


def unproposed(scenario: Scenario) -> Scenario:
    """The same question with nothing to propose; what falls with distance stays.

    >>> unproposed(Scenario.default()).siting.asks
    False
    """
    bands = [band.model_dump() for band in scenario.siting.bands]
    plain = scenario.revise(siting=None)
    return plain.revise(siting={"bands": bands}) if bands else plain


def city_key(scenario: Scenario) -> str:
    """What the prepared city depends on: the scenario's data sections, and the files as they are on the disk now."""
    sections = {name: getattr(scenario, name) for name in OF_THE_CITY}
    plain = {name: section.model_dump(mode="json") if section else None for name, section in sections.items()}
    places = [scenario.path(written).absolute() for _, written in files(scenario)]
    found = [(str(p), p.stat().st_size, p.stat().st_mtime_ns) for p in places if p.exists()]
    lines = [c.model_dump(mode="json") for c in scenario.change if c.type in ("block", "bridge", "gate")]
    return _digest([plain, scenario.seed, scenario.standard.max_access_m, found, lines])


def script_of(found: Answer) -> bytes:
    """The city's part of the map; drawn once for each city."""
    script: bytes = _shelves().extras.get(city_key(found.plan.scenario), lambda: city_script(found.plan))
    return script


def people_of(found: Answer) -> tuple[list[dict[str, Any]], Cells]:
    """People as pictures for the map, finer and coarser, and the classes they are drawn in."""
    return extra(found, "people", lambda: _people(found.plan))


def _digest(parts: Any) -> str:  # noqa: ANN401  plain data of any kind
    return hashlib.sha256(json.dumps(parts, sort_keys=True, ensure_ascii=False).encode()).hexdigest()[:24]


@dataclass(frozen=True)
class _Shelves:
    grounds: Kept[Ground]
    answers: Kept[Answer]
    extras: Kept[Any]


@st.cache_resource(show_spinner=False)
def _shelves() -> _Shelves:
    return _Shelves(Kept(CITIES), Kept(PLANS, WORKERS), Kept(2 * PLANS))


def extra(found: Answer, what: str, make: Callable[[], Thing]) -> Thing:
    """Something worked out from an answer, kept with it."""
    kept: Thing = _shelves().extras.get(f"{found.key} {what}", make)
    return kept


def _people(plan: Plan) -> tuple[list[dict[str, Any]], Cells]:
    fine = cells_of(plan.demand)
    coarse = cells_of(plan.demand, finer=fine, times=COARSE)
    levels = [(0, OVERVIEW_ZOOM, coarse, 2), (OVERVIEW_ZOOM, 99, fine, 2)]
    return [
        {"state": p.state, "uri": p.uri, "bounds": p.bounds, "from": low, "to": high}
        for low, high, cells, px in levels
        for p in drawn(cells, px_per_cell=px)
    ], fine


def workspace_folder(given: str | None) -> Path:
    """Where saved work lies: what the environment says, or `walkshed-workspace` in the folder the app was started in.

    >>> workspace_folder(None).name
    'walkshed-workspace'
    """
    return Path(given) if given else Path("walkshed-workspace")
