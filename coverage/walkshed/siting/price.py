"""What it costs to insist: force, forbid or move a site, and see the new plan and the loss."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from walkshed.contracts import BoolArray
from walkshed.siting.cover import cover_of
from walkshed.siting.problem import Problem
from walkshed.siting.result import Siting
from walkshed.siting.search import clock_for


@dataclass(frozen=True)
class Priced:
    """The best plan that keeps to an insistence. loss : people it serves fewer than the plan it was compared with."""

    plan: Siting
    loss: float


def price(
    problem: Problem,
    plan: Siting,
    *,
    require: Sequence[str] = (),
    forbid: Sequence[str] = (),
    time_limit_s: float = 60.0,
    seed: int = 0,
) -> Priced:
    """Price an override of a maximal cover: places or options to force and to forbid; to move a site, do both.

    Starts from `plan`, so little is computed twice.

    Raises
    ------
    InputError
        An unknown id, or one both forced and forbidden.
    """
    rules = problem.rules
    other = problem.with_rules(require=(*rules.require, *require), forbid=(*rules.forbid, *forbid))
    taken = problem.options.loc[list(plan.chosen)]
    at = problem.at(plan.chosen)[~_named(taken, forbid)]
    forced = np.flatnonzero(_named(problem.options, require))
    forced = np.array([j for j in forced.tolist() if j not in set(at.tolist())], dtype=np.int64)
    room = max(0, other.build - len(forced))
    start = np.sort(np.concatenate([at[:room], forced]).astype(np.int64))
    new = cover_of(other, left_s=clock_for(time_limit_s), seed=seed, start=start)
    return Priced(new, plan.people - new.people)


def _named(table: pd.DataFrame, names: Sequence[str]) -> BoolArray:
    """True for options that are named, or whose place is."""
    return np.asarray(table.index.isin(list(names)) | table["place"].isin(list(names)).to_numpy())
