"""The questions one can ask of candidates within reach, each as its textbook states it."""

import numpy as np

from walkshed.contracts import BoolArray, FloatArray, refuse
from walkshed.errors import Fault
from walkshed.reach import Reach
from walkshed.siting.result import Siting, status_of
from walkshed.siting.search import clock_for, in_order, solve
from walkshed.siting.task import Task
from walkshed.siting.weights import Grains

TIME_LIMIT_S = 60.0


def max_cover(
    reach: Reach,
    people: FloatArray,
    *,
    build: int,
    served: BoolArray | None = None,
    time_limit_s: float = TIME_LIMIT_S,
    seed: int = 0,
) -> Siting:
    r"""Serve as many people as possible with at most `build` new sites; outlets that stand are kept.

    Maximal covering location problem (Church and ReVelle 1974):

    .. math:: \max \sum_i w_i z_i \;:\; z_i \le \sum_{j \in N_i} y_j,\; \sum_j y_j \le p

    Fewer are built, and a note says so, where a further site would have no one left to serve. Of equals the site
    earlier in `reach` is taken.

    Parameters
    ----------
    reach : candidates and the demand each reaches
    people : float64 (demand,), in the order of `reach.demand_ids`
    served : True for demand that outlets serve already

    Raises
    ------
    InputError
        No candidates, more sites than candidates, or people of another length, negative or missing.

    Examples
    --------
    >>> import pandas as pd
    >>> table = pd.DataFrame({"from_id": ["a", "b", "c"], "to_id": ["X", "X", "Y"], "distance_m": [100.0, 300.0, 50.0]})
    >>> reach = Reach.from_frame(table, demand_ids=["a", "b", "c"], site_ids=["Y", "X"], limit_m=500)
    >>> plan = max_cover(reach, np.array([10.0, 20.0, 25.0]), build=1)
    >>> plan.chosen, plan.people, plan.bound, plan.status
    (('X',), 30.0, 30.0, 'proven')
    """
    left_s = clock_for(time_limit_s)
    refuse(_faults(reach, people, build))
    before = np.zeros(len(people), dtype=bool) if served is None else served
    grains = Grains.of(np.where(before, 0.0, people))
    task = Task.of(reach.ptr, reach.demand, grains.whole, build=build)
    found = solve(task, left_s=left_s, seed=seed, slack=grains.slack)
    if found is None:
        raise AssertionError  # nothing but a number was asked for, and building nothing keeps to it
    order, gains = in_order(task, found.picks)
    already = float(people[before].sum())
    value, bound = already + found.weight * grains.unit, already + found.bound * grains.unit
    notes = (
        (Fault("siting.built_fewer", "build", {"built": len(order), "allowed": build}),) if len(order) < build else ()
    )
    return Siting(
        model="max_cover",
        chosen=tuple(str(i) for i in reach.site_ids[order]),
        people_gained=tuple((gains * grains.unit).tolist()),
        people=value,
        people_before=already,
        value=value,
        bound=bound,
        status=status_of(value, bound, stopped=found.stopped),
        notes=notes,
        seconds=time_limit_s - left_s(),
    )


def _faults(reach: Reach, people: FloatArray, build: int) -> list[Fault]:
    """Everything wrong with a question."""
    candidates, faults = len(reach.site_ids), []
    if candidates == 0:
        faults.append(Fault("siting.no_candidates", "candidates"))
    elif build > candidates:
        faults.append(Fault("siting.more_than_candidates", "build", {"build": build, "candidates": candidates}))
    if build < 0:
        faults.append(Fault("siting.negative", "build", {"value": build}))
    if len(people) != len(reach.demand_ids):
        faults.append(Fault("siting.length", "people", {"found": len(people), "expected": len(reach.demand_ids)}))
    elif not np.isfinite(people).all() or (people < 0).any():
        faults.append(Fault("siting.not_people", "people"))
    return faults
