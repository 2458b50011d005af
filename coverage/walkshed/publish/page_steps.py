"""Before, after and the years between: what the page's map shows at each time."""

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
import shapely

from walkshed.contracts import FloatArray, IntArray
from walkshed.publish.images import CLASSES, STATES, Cells, cells_of, pictures
from walkshed.publish.map import Drawing
from walkshed.publish.scene import COARSE, OVERVIEW_ZOOM, Scene
from walkshed.siting.answer import served_share

if TYPE_CHECKING:
    from walkshed.plan import Plan

UNSERVED, GAINED = (STATES.index(state) for state in ("unserved", "gained"))


@dataclass(frozen=True)
class Step:
    """A time the page can show. year : 0 where a plan is not over years; built : sites so far; people : served then."""

    year: int
    built: int
    people: float
    share: float


@dataclass(frozen=True, eq=False)
class Steps:
    """All times, today first, and for each demand point the first at which it gains; int64 (demand,), 0 where never."""

    times: tuple[Step, ...]
    first: IntArray

    @classmethod
    def of(cls, plan: "Plan") -> "Steps":
        """Times of a plan: today and the end, or today and every year."""
        people = plan.demand["people"].to_numpy(dtype=float)
        before = plan.demand["served_before"].to_numpy(dtype=float)
        at_end = [level for _, _, level in _levels(plan)]
        first = np.zeros(len(people), np.int64)
        for number in range(len(at_end), 0, -1):
            first[at_end[number - 1] > before + 1e-9] = number
        ends = [(0, 0, before), *_levels(plan)]
        total = max(float(people.sum()), 1.0)
        served = [float(people @ level) for _, _, level in ends]
        times = [Step(year, built, s, s / total) for (year, built, _), s in zip(ends, served, strict=True)]
        return cls(tuple(times), first)


def _levels(plan: "Plan") -> list[tuple[int, int, FloatArray]]:
    """Year, sites built by its end, and everyone's service then."""
    before, after = (plan.demand[f"served_{when}"].to_numpy(dtype=float) for when in ("before", "after"))
    if not len(plan.sites):
        return []
    if not plan.years or plan.problem is None:
        return [(0, len(plan.sites), after)]
    found, built = [], 0
    for phase in plan.years:
        built += len(phase.built)
        picks = plan.problem.at(plan.siting.chosen[:built])
        level = after if phase is plan.years[-1] else np.maximum(before, served_share(plan.problem, picks))
        found.append((phase.year, built, level))
    return found


def site_steps(plan: "Plan", steps: Steps) -> list[int]:
    """The time at which each proposed site, in building order, is there."""
    built = np.array([step.built for step in steps.times])
    return [int(step) for step in np.searchsorted(built, np.arange(1, len(plan.sites) + 1))]


def gain_pictures(plan: "Plan", drawing: Drawing, steps: Steps) -> list[Scene]:
    """Cells that gain, by the time they do, as people without service (before it) and as gained (from it on)."""
    coarse = cells_of(plan.demand, finer=drawing.cells, times=COARSE)
    levels = [(0, OVERVIEW_ZOOM, coarse, 2), (OVERVIEW_ZOOM, 99, drawing.cells, 3)]
    return [{"from": start, "to": end, "images": _images(plan, cells, steps, px)} for start, end, cells, px in levels]


def _images(plan: "Plan", cells: Cells, steps: Steps, px_per_cell: int) -> list[Scene]:
    gained = (cells.classes > GAINED * CLASSES) & (cells.classes <= (GAINED + 1) * CLASSES)
    first = _first_of_cells(plan, cells, steps)
    found = []
    for number in range(1, len(steps.times)):
        mine = np.where(gained & (first == number), cells.classes, 0).astype(np.uint8)
        unserved = np.where(mine > 0, mine - np.uint8((GAINED - UNSERVED) * CLASSES), 0).astype(np.uint8)
        for classes in (mine, unserved):
            drawn = pictures(replace(cells, classes=classes), px_per_cell=px_per_cell)
            found += [{"step": number, "state": p.state, "uri": p.uri, "bounds": p.bounds} for p in drawn]
    return found


def _first_of_cells(plan: "Plan", cells: Cells, steps: Steps) -> IntArray:
    """The first time anyone in a cell gains; int64 (rows, columns), the last time where nobody does."""
    xy = shapely.get_coordinates(plan.demand.geometry.array)
    rows = ((cells.north_m - xy[:, 1]) // cells.cell_m).astype(np.int64).clip(0, cells.classes.shape[0] - 1)
    columns = ((xy[:, 0] - cells.west_m) // cells.cell_m).astype(np.int64).clip(0, cells.classes.shape[1] - 1)
    first = np.full(cells.classes.shape, len(steps.times) - 1, np.int64)
    gains = steps.first > 0
    np.minimum.at(first, (rows[gains], columns[gains]), steps.first[gains])
    return first
