"""Why this site: whom it gains, who would take its place, and how much the plan hangs on it."""

from dataclasses import dataclass
from typing import Literal

import numpy as np

from walkshed.contracts import FloatArray, IntArray, groups_of
from walkshed.siting import _kernels as kernels
from walkshed.siting.answer import served_share
from walkshed.siting.elements import Cover
from walkshed.siting.price import price
from walkshed.siting.problem import Problem
from walkshed.siting.result import Siting
from walkshed.words import Lang, say

Verdict = Literal["firm", "interchangeable", "weak"]
SLIGHT = 0.05  # of what a site of this plan gains on average: losing less makes no difference worth the name
LITTLE = 0.25  # of the same: a site that alone serves fewer is weak


@dataclass(frozen=True)
class Why:
    """Reasons for one site of a plan.

    Attributes
    ----------
    gained : people it adds to the sites before it; only_it : people who have no other outlet or site as good
    groups : of `only_it`, by group; `all` is everybody
    walk_before_m, walk_after_m : mean walk of the people it gains to the nearest outlet or other site within reach, and
        to it; `walk_before_m` is None where none of them had any
    next_best, switch_costs : the option that would best take its place, all else kept, and the people that would cost
    without, loss : people served by the best plan without it, and how many fewer that is
    verdict : `firm`: the plan loses without it; `interchangeable`: another plan does as well; `weak`: few need it
    """

    site: str
    gained: float
    only_it: float
    groups: dict[str, float]
    walk_before_m: float | None
    walk_after_m: float
    next_best: str | None
    switch_costs: float
    without: float
    loss: float
    verdict: Verdict

    def sentence(self, lang: Lang = "en") -> str:
        """Say it in a sentence or two."""
        values = {name: getattr(self, name) for name in ("site", "gained", "only_it", "loss", "switch_costs")}
        told = f"siting.verdict_{self.verdict}" if self.loss >= 0 else "siting.why_required"
        said = say("siting.why", lang, **values) + say(told, lang, **{**values, "more": -self.loss})
        if self.next_best is not None:
            said += say("siting.why_next", lang, next_best=self.next_best, **values)
        return said


def explain(problem: Problem, plan: Siting, site: str, *, time_limit_s: float = 60.0, seed: int = 0) -> Why:
    """Explain one site of a maximal cover; the verdict comes from solving again without it.

    Raises
    ------
    KeyError
        If the site is not in the plan.
    """
    if site not in plan.chosen:
        raise KeyError(site)
    at = problem.at(plan.chosen)
    me = at[plan.chosen.index(site)]
    others = np.sort(at[at != me])
    alone = served_share(problem, np.sort(at)) - served_share(problem, others)
    groups = {g: float(alone @ problem.demand[f"people_{g}"].to_numpy(dtype=float)) for g in groups_of(problem.demand)}
    groups["all"] = float(alone @ problem.demand["people"].to_numpy(dtype=float))
    before, after = _walks(problem, others, int(me), alone)
    other, costs = _next_best(problem, others, int(me))
    own = (site, problem.options.at[site, "place"])
    free = problem.with_rules(require=tuple(name for name in problem.rules.require if name not in own))
    without = price(free, plan, forbid=[site], time_limit_s=time_limit_s, seed=seed)
    only_it = float(alone @ problem.people)
    mean = (plan.people - plan.people_before) / max(1, len(plan.chosen))
    verdict: Verdict = "firm"
    if only_it < LITTLE * mean:
        verdict = "weak"
    elif without.loss < SLIGHT * mean:
        verdict = "interchangeable"
    return Why(
        site=site,
        gained=plan.people_gained[plan.chosen.index(site)],
        only_it=only_it,
        groups=groups,
        walk_before_m=before,
        walk_after_m=after,
        next_best=other,
        switch_costs=costs,
        without=without.plan.people,
        loss=without.loss,
        verdict=verdict,
    )


def nearest_m(problem: Problem, picks: IntArray) -> FloatArray:
    """Walk to the nearest outlet or pick within reach; float64 (demand,), inf where there is none."""
    walk = np.full(len(problem.people), np.inf)
    np.minimum.at(walk, problem.outlet_reach.demand, problem.outlet_reach.distance_m)
    for pick in picks.tolist():
        row = slice(problem.reach.ptr[pick], problem.reach.ptr[pick + 1])
        np.minimum.at(walk, problem.reach.demand[row], problem.reach.distance_m[row])
    return walk


def _walks(problem: Problem, others: IntArray, me: int, alone: FloatArray) -> tuple[float | None, float]:
    """Mean walk of those a site gains, before and after."""
    before, to_me = nearest_m(problem, others), nearest_m(problem, np.append(others, me))
    weight = problem.people * (alone > 0)
    had = np.isfinite(before) & (weight > 0)
    was = float(np.average(before[had], weights=weight[had])) if had.any() else None
    now = weight > 0
    return was, float(np.average(to_me[now], weights=weight[now])) if now.any() else 0.0


def _next_best(problem: Problem, others: IntArray, me: int) -> tuple[str | None, float]:
    """Find the option that loses least in this one's place, under the rules, and what that costs."""
    cover = Cover.of(problem)
    task = cover.task(problem)
    served = np.zeros(len(task.weight), dtype=bool)
    served[task.served_by(others)] = True
    gain = kernels.sums(task.ptr, task.serves, np.where(served, 0.0, task.weight))
    mine = gain[me]
    gain[others] = gain[me] = -1.0
    for option in np.argsort(-gain, kind="stable").tolist():
        if gain[option] < 0:
            break
        if task.rows.kept(np.append(others, option)):
            return str(problem.options.index[option]), float((mine - gain[option]) * cover.grains.unit)
    return None, float(mine * cover.grains.unit)
