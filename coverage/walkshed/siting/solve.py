"""One door for every model."""

from collections.abc import Callable

from walkshed.contracts import refuse
from walkshed.errors import Fault
from walkshed.siting.backup import backup_cover
from walkshed.siting.capacity import capacitated_cover
from walkshed.siting.cover import TIME_LIMIT_S, cover_of
from walkshed.siting.fair import fair_cover
from walkshed.siting.goal import Goal
from walkshed.siting.median import p_center, p_median
from walkshed.siting.problem import Problem
from walkshed.siting.result import Siting
from walkshed.siting.search import Clock, clock_for
from walkshed.siting.setcover import set_cover

MAX_COVER = Goal()

Model = Callable[..., Siting]
"""Called with the problem and the goal, and by name `left_s`, a clock of seconds left, and `seed`."""


def max_cover(problem: Problem, goal: Goal, *, left_s: Clock, seed: int) -> Siting:
    """The maximal cover as one model among the others; its goal has no numbers."""
    del goal
    return cover_of(problem, left_s=left_s, seed=seed)


MODELS: dict[str, Model] = {
    "max_cover": max_cover,
    "set_cover": set_cover,
    "p_median": p_median,
    "p_center": p_center,
    "fair_cover": fair_cover,
    "capacitated_cover": capacitated_cover,
    "backup_cover": backup_cover,
}
"""Who answers which `ModelName`."""


def solve(problem: Problem, goal: Goal = MAX_COVER, *, time_limit_s: float = TIME_LIMIT_S, seed: int = 0) -> Siting:
    """Answer a siting question with the model the goal names.

    The same problem, goal and seed give the same answer; only a time limit that is met can change it, and the status
    says so.

    Raises
    ------
    InputError
        A goal out of range.
    """
    refuse(_faults(problem, goal))
    return MODELS[goal.model](problem, goal, left_s=clock_for(time_limit_s), seed=seed)


def _faults(problem: Problem, goal: Goal) -> list[Fault]:
    units = set(problem.demand["unit"].unique().astype(str)) if "unit" in problem.demand else set()
    shares = {"serve": goal.serve, "percentile": goal.percentile, "second": goal.second}
    shares |= {f"serve_units.{unit}": share for unit, share in goal.serve_units.items()}
    found = [Fault("siting.share_target", k, {"value": v}) for k, v in shares.items() if not 0 <= v <= 1]
    lost = sorted(set(goal.serve_units) - units)
    if lost:
        known = ", ".join(sorted(units)[:12])
        found.append(Fault("siting.unknown", "serve_units", {"ids": ", ".join(lost), "known": known}))
    if goal.model == "fair_cover" and not units:
        found.append(Fault("siting.no_units", "fair_cover"))
    if goal.beyond_m is not None and not goal.beyond_m >= problem.reach.limit_m:
        found.append(Fault("siting.beyond", "beyond_m", {"value": goal.beyond_m, "limit_m": problem.reach.limit_m}))
    return found
