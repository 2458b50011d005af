"""Where the next room stops paying: people against number of sites, or money, each with its bound."""

from collections.abc import Sequence
from typing import Literal

import numpy as np
import pandas as pd

from walkshed.siting.cover import cover_of
from walkshed.siting.problem import Problem
from walkshed.siting.search import clock_for


def curve(
    problem: Problem,
    steps: Sequence[float],
    *,
    by: Literal["build", "budget"] = "build",
    time_limit_s: float = 120.0,
    seed: int = 0,
) -> pd.DataFrame:
    """Best plan for each number of sites (or budget), all other rules kept.

    Returns
    -------
    DataFrame, index `by` ascending: people, bound, next (people the step adds to the one before), status, chosen.
    A step that contradicts another rule has status `infeasible` and no numbers.
    """
    rows, start, best = [], None, float(problem.people @ problem.held)
    left_s = clock_for(time_limit_s)
    for step in sorted(set(steps)):
        amount = int(step) if by == "build" else float(step)
        question = problem.with_rules(**{by: amount})
        plan = cover_of(question, left_s=lambda: max(left_s(), 1.0), seed=seed, start=start)
        if plan.status != "infeasible":
            start = np.sort(problem.at(plan.chosen))
        rows.append((step, plan.people, plan.bound, plan.people - best, plan.status, plan.chosen))
        best = plan.people
    table = pd.DataFrame(rows, columns=[by, "people", "bound", "next", "status", "chosen"]).set_index(by)
    table.loc[table["status"] == "infeasible", ["people", "bound", "next"]] = np.nan
    return table
