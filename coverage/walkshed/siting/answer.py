"""Put an answer together: ids instead of positions, people instead of grains, notes, and how sure it is."""

from dataclasses import replace

import numpy as np

from walkshed.contracts import FloatArray, IntArray
from walkshed.errors import Fault
from walkshed.siting.conflict import contradiction
from walkshed.siting.elements import Cover
from walkshed.siting.moves import in_order
from walkshed.siting.problem import Problem
from walkshed.siting.result import Measure, Siting, status_of
from walkshed.siting.task import entries


def served_share(problem: Problem, picks: IntArray) -> FloatArray:
    """Share of full service each demand point has with these options built; float64 (demand,)."""
    at = entries(problem.reach.ptr, picks)
    share = problem.held.copy()
    np.maximum.at(share, problem.reach.demand[at], problem.share[at])
    return share


def ordered(problem: Problem, picks: IntArray) -> tuple[IntArray, FloatArray]:
    """Picks in the order that gains most people first, and the people each adds."""
    sites = np.sort(picks)  # only their rows are read, however long the table is
    few = replace(problem, options=problem.options.iloc[sites], reach=problem.reach.take(problem.options.index[sites]))
    cover = Cover.of(few)
    order, gains = in_order(cover.task(), np.arange(len(sites)))
    return sites[order], gains * cover.grains.unit


def siting_of(
    problem: Problem,
    picks: IntArray,
    *,
    model: str,
    measure: Measure = "people",
    value: float | None = None,
    bound: float | None = None,
    better: float = 0.0,
    stopped: bool = False,
    seconds: float = 0.0,
) -> Siting:
    """Say which options are built and what that achieves.

    `value` is the people served where nothing else is given; then `better` is by how much another plan may be better.
    """
    order, gains = ordered(problem, picks)
    before = float(problem.people @ problem.held)
    people = float(problem.people @ served_share(problem, picks))
    value, bound = people if value is None else value, people + better if bound is None else bound
    return Siting(
        model=model,
        chosen=tuple(problem.options.index[order]),
        people_gained=tuple(gains.tolist()),
        people=people,
        people_before=before,
        value=value,
        bound=bound,
        status=status_of(value, bound, stopped=stopped),
        measure=measure,
        notes=_notes(problem, len(order)) if measure == "people" else (),
        seconds=seconds,
    )


def infeasible(
    problem: Problem,
    *,
    model: str,
    measure: Measure = "people",
    conflict: tuple[Fault, ...] | None = None,
    seconds: float = 0.0,
) -> Siting:
    """Say that no plan keeps the rules, and which of them contradict each other; `conflict` where that is known."""
    before = float(problem.people @ problem.held)
    return Siting(
        model=model,
        chosen=(),
        people_gained=(),
        people=before,
        people_before=before,
        value=float("nan"),
        bound=float("nan"),
        status="infeasible",
        measure=measure,
        conflict=contradiction(problem) if conflict is None else conflict,
        seconds=seconds,
    )


def _notes(problem: Problem, built: int) -> tuple[Fault, ...]:
    allowed = problem.rules.build
    if allowed is None or built >= allowed:
        return ()
    return (Fault("siting.built_fewer", "build", {"built": built, "allowed": allowed}),)
