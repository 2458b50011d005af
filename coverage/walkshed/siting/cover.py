"""Maximal cover: of a plain reach, or of a problem with all its rules."""

from dataclasses import replace

import pandas as pd

from walkshed.contracts import BoolArray, FloatArray, IntArray
from walkshed.errors import Fault, InputError
from walkshed.reach import Reach
from walkshed.siting.answer import infeasible, siting_of
from walkshed.siting.elements import Cover
from walkshed.siting.problem import Problem, problem
from walkshed.siting.result import Siting
from walkshed.siting.rules import Rules
from walkshed.siting.search import Clock, clock_for, solve

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
    >>> import numpy as np
    >>> table = pd.DataFrame({"from_id": ["a", "b", "c"], "to_id": ["X", "X", "Y"], "distance_m": [100.0, 300.0, 50.0]})
    >>> reach = Reach.from_frame(table, demand_ids=["a", "b", "c"], site_ids=["Y", "X"], limit_m=500)
    >>> plan = max_cover(reach, np.array([10.0, 20.0, 25.0]), build=1)
    >>> plan.chosen, plan.people, plan.bound, plan.status
    (('X',), 30.0, 30.0, 'proven')
    """
    if len(people) != len(reach.demand_ids):
        raise InputError(Fault("siting.length", "people", {"found": len(people), "expected": len(reach.demand_ids)}))
    options = pd.DataFrame(index=reach.site_ids)
    question = problem(
        options, reach, pd.DataFrame({"people": people}, index=reach.demand_ids), rules=Rules(build=build)
    )
    if served is not None:
        question = replace(question, held=served.astype(float))
    return cover_of(question, left_s=clock_for(time_limit_s), seed=seed)


def cover_of(question: Problem, *, left_s: Clock, seed: int, start: IntArray | None = None) -> Siting:
    """Serve as many people as possible under the problem's rules; each counts with the best share within reach."""
    begun = left_s()
    cover = Cover.of(question)
    found = solve(cover.task(question), left_s=left_s, seed=seed, slack=cover.grains.slack, start=start)
    if found is None:
        return infeasible(question, model="max_cover", seconds=begun - left_s())
    proven = found.bound < found.weight + max(1.0, cover.grains.slack)
    return siting_of(
        question,
        found.picks,
        model="max_cover",
        better=0.0 if proven else (found.bound - found.weight) * cover.grains.unit,
        stopped=found.stopped,
        seconds=begun - left_s(),
    )
