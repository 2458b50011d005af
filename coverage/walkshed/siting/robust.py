"""How firmly a plan stands: the same question under seeded noise, and how often each option is chosen."""

from dataclasses import replace

import numpy as np
import pandas as pd

from walkshed.contracts import BoolArray, FloatArray
from walkshed.reach import Reach
from walkshed.siting.cover import cover_of
from walkshed.siting.problem import Problem
from walkshed.siting.search import clock_for


def robustness(
    problem: Problem,
    *,
    runs: int = 20,
    people: float = 0.1,
    slower: float = 0.1,
    missing: float = 0.1,
    time_limit_s: float = 120.0,
    seed: int = 0,
) -> pd.DataFrame:
    """Ask the question again and again with people, walking speed and candidates a little different.

    Parameters
    ----------
    people : standard deviation of a factor on each demand point's people (log-normal, mean 1)
    slower : everybody walks up to this share slower in a run; never faster, as nothing beyond the limit is known
    missing : share of candidates that cannot be had in a run; required ones always can

    Returns
    -------
    DataFrame, index option id, options chosen in any run, most often chosen first: chosen (share of the runs in which
    it could be had), holds (True: chosen in every one of these).
    """
    rng = np.random.default_rng(seed)
    k = len(problem.options)
    times, possible = np.zeros(k), np.zeros(k)
    left_s = clock_for(time_limit_s)
    required = list(problem.rules.require)
    keep = problem.options.index.isin(required) | problem.options["place"].isin(required).to_numpy()
    for _ in range(runs):
        noisy, there = _shaken(problem, rng, (people, slower, missing), keep)
        plan = cover_of(noisy, left_s=lambda: max(left_s(), 1.0), seed=seed)
        times[problem.at(plan.chosen)] += 1
        possible += there
    share = np.divide(times, possible, out=np.zeros(k), where=possible > 0)
    table = pd.DataFrame({"chosen": share, "holds": (times == possible) & (possible > 0)}, index=problem.options.index)
    return table[times > 0].sort_values("chosen", ascending=False, kind="stable")


def _shaken(
    problem: Problem, rng: np.random.Generator, noise: tuple[float, float, float], keep: BoolArray
) -> tuple[Problem, BoolArray]:
    """One question like the given one, and which options can be had in it."""
    people, slower, missing = noise
    factor = np.exp(rng.normal(-people * people / 2, people, len(problem.people)))
    speed = 1.0 - slower * rng.random()
    there = (rng.random(len(problem.options)) >= missing) | keep
    limit_m = problem.options["limit_m"].to_numpy(dtype=float) * speed
    reach = _kept(problem.reach, np.repeat(np.where(there, limit_m, -1.0), np.diff(problem.reach.ptr)))
    gone = tuple(problem.options.index[~there])
    rules = replace(problem.rules, forbid=(*problem.rules.forbid, *gone))
    return replace(problem, people=problem.people * factor, reach=reach, rules=rules), there


def _kept(reach: Reach, limit_m: FloatArray) -> Reach:
    """Pairs within a limit of their own."""
    keep = reach.distance_m <= limit_m
    ptr = np.concatenate([[0], np.cumsum(keep)])[reach.ptr].astype(np.int64)
    return replace(reach, ptr=ptr, demand=reach.demand[keep], distance_m=reach.distance_m[keep])
