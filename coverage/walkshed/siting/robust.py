"""How firmly a plan stands: the same question under seeded noise, and how often each option is chosen."""

from dataclasses import replace

import numpy as np
import pandas as pd

from walkshed.contracts import BoolArray, refuse
from walkshed.errors import Fault
from walkshed.reach import Reach
from walkshed.siting.cover import cover_of
from walkshed.siting.problem import Problem, held_by, own_reach
from walkshed.siting.search import clock_for


def robustness(
    problem: Problem,
    *,
    runs: int = 20,
    people: float = 0.1,
    slower: float = 0.1,
    faster: float = 0.0,
    missing: float = 0.1,
    wider: tuple[Reach, Reach] | None = None,
    time_limit_s: float = 120.0,
    seed: int = 0,
) -> pd.DataFrame:
    """Ask the question again and again with people, walking speed and candidates a little different.

    Parameters
    ----------
    people : standard deviation of a factor on each demand point's people (log-normal, mean 1)
    slower, faster : everybody walks up to this share slower, up to that share faster in a run, to outlets as to new
        sites. A problem knows nothing beyond its limit, so faster needs `wider`
    missing : share of candidates that cannot be had in a run; required ones always can
    wider : whom the candidates reach, and whom the outlets, up to the limit times `1 + faster` at least

    Returns
    -------
    DataFrame, index option id, options chosen in any run, most often chosen first: chosen (share of the runs in which
    it could be had), holds (True: chosen in every one of these).

    Raises
    ------
    InputError
        A share below 0, one of `slower` and `missing` not below 1, or `faster` without reaches that are wide enough.
    """
    noise = {"people": people, "slower": slower, "faster": faster, "missing": missing}
    refuse(_faults(problem, noise, wider))
    rng = np.random.default_rng(seed)
    k = len(problem.options)
    times, possible = np.zeros(k), np.zeros(k)
    left_s = clock_for(time_limit_s)
    required = list(problem.rules.require)
    keep = problem.options.index.isin(required) | problem.options["place"].isin(required).to_numpy()
    for _ in range(runs):
        noisy, there = _shaken(problem, rng, noise, keep, wider)
        plan = cover_of(noisy, left_s=lambda: max(left_s(), 1.0), seed=seed)
        times[problem.at(plan.chosen)] += 1
        possible += there
    share = np.divide(times, possible, out=np.zeros(k), where=possible > 0)
    table = pd.DataFrame({"chosen": share, "holds": (times == possible) & (possible > 0)}, index=problem.options.index)
    return table[times > 0].sort_values("chosen", ascending=False, kind="stable")


def _faults(problem: Problem, noise: dict[str, float], wider: tuple[Reach, Reach] | None) -> list[Fault]:
    found = [Fault("siting.negative", name, {"value": v}) for name, v in noise.items() if not v >= 0]
    found += [Fault("siting.noise", name, {"value": noise[name]}) for name in ("slower", "missing") if noise[name] >= 1]
    known_m = min(reach.limit_m for reach in wider) if wider else 0.0
    limits_m = [*problem.options["limit_m"], *problem.outlets["limit_m"]]
    needed_m = max(limits_m) * (1.0 + noise["faster"])
    if noise["faster"] > 0 and known_m < needed_m * (1 - 1e-9):
        found.append(Fault("siting.not_wide", "wider", {"found": known_m, "needed": needed_m}))
    return found


def _shaken(
    problem: Problem,
    rng: np.random.Generator,
    noise: dict[str, float],
    keep: BoolArray,
    wider: tuple[Reach, Reach] | None,
) -> tuple[Problem, BoolArray]:
    """One question like the given one, and which options can be had in it."""
    factor = np.exp(rng.normal(-(noise["people"] ** 2) / 2, noise["people"], len(problem.people)))
    noisy = at_speed(problem, rng.uniform(1.0 - noise["slower"], 1.0 + noise["faster"]), wider)
    there = (rng.random(len(problem.options)) >= noise["missing"]) | keep
    rules = replace(problem.rules, forbid=(*problem.rules.forbid, *problem.options.index[~there]))
    return replace(noisy, people=problem.people * factor, rules=rules), there


def at_speed(problem: Problem, speed: float, wider: tuple[Reach, Reach] | None = None) -> Problem:
    """The same question where everybody walks `speed` times as fast; above 1, people come from `wider`."""
    near, around = wider or (problem.reach, problem.outlet_reach)
    near = own_reach(problem.options, replace(near, distance_m=near.distance_m / speed))
    if not len(problem.outlets):  # what is held was given, not reckoned from outlets
        return replace(problem, reach=near)
    around = own_reach(problem.outlets, replace(around, distance_m=around.distance_m / speed))
    held = held_by(problem.outlets, around, problem.bands)
    return replace(problem, reach=near, outlet_reach=around, held=held)
