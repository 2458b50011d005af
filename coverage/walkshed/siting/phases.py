"""Plans over years: what is built stays, and the order has its price."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from walkshed.contracts import IntArray, refuse
from walkshed.errors import Fault
from walkshed.siting.answer import infeasible, ordered, served_share, siting_of
from walkshed.siting.conflict import ONCE, among, count_rule
from walkshed.siting.cover import TIME_LIMIT_S, cover_of
from walkshed.siting.elements import Cover
from walkshed.siting.moves import swapped
from walkshed.siting.problem import Problem
from walkshed.siting.result import Siting
from walkshed.siting.rules import Rule, rows_of
from walkshed.siting.search import Clock, Found, clock_for, solve
from walkshed.siting.task import Task

JOINT = 400_000  # pairs of all years together: more are exchanged jointly, but bounded year by year


@dataclass(frozen=True)
class Year:
    """What may be built in one year. build : sites at most; budget : money at most, None: any."""

    year: int
    build: int
    budget: float | None = None


@dataclass(frozen=True)
class Phase:
    """One year of a nested plan.

    built : ids built this year, in the order that gains most first; people : served at its end by all built so far
    own_best, own_bound : people served if all sites so far were chosen for this year alone, and its bound
    price : people this year gives up for the order, `own_best - people`
    """

    year: int
    built: tuple[str, ...]
    people: float
    own_best: float
    own_bound: float

    @property
    def price(self) -> float:
        """People this year gives up so that what is built can stay."""
        return max(0.0, self.own_best - self.people)


@dataclass(frozen=True)
class Phases:
    """A nested plan. whole : the plan at its end, its value and bound in people-years; years : one after the other."""

    whole: Siting
    years: tuple[Phase, ...]


def phases(problem: Problem, years: Sequence[Year], *, time_limit_s: float = TIME_LIMIT_S, seed: int = 0) -> Phases:
    """Build over years so that people-years are most: people served at the end of each year, added up.

    The problem's rules hold at the end of the last year, `settlements_by` at the end of its year, `build` and `budget`
    of the rules over all years, and each year its own. What is built stays.

    Raises
    ------
    InputError
        Years that do not ascend, or a negative number.
    """
    refuse(_faults(years))
    left_s = clock_for(time_limit_s)
    total = sum(year.build for year in years)
    allowed = total if problem.rules.build is None else min(total, problem.rules.build)
    end = replace(problem, rules=replace(problem.rules, build=allowed))
    own = [_own(end, years, at, clock_for(max(1.0, time_limit_s / (2 * len(years)))), seed) for at in range(len(years))]
    when = _schedule(end, years, own, left_s, seed)
    if when is None:
        conflict = among(_rules(end, years), len(end.options) * len(years))
        return Phases(infeasible(end, model="phases", conflict=conflict, seconds=time_limit_s - left_s()), ())
    told, served = [], []
    for at, year in enumerate(years):
        now = np.flatnonzero((when.at >= 0) & (when.at <= at))
        order, _ = ordered(end, now)
        served.append(float(end.people @ served_share(end, now)))
        new = tuple(end.options.index[[j for j in order.tolist() if when.at[j] == at]])
        best, bound = max(own[at].people, served[-1]), max(own[at].bound, served[-1])
        told.append(Phase(year.year, new, served[-1], best, bound))
    value = sum(served)
    bound = max(value, min(when.bound, sum(phase.own_bound for phase in told)))
    picks = np.flatnonzero(when.at >= 0)
    whole = siting_of(
        end, picks, model="phases", value=value, bound=bound, stopped=when.stopped, seconds=time_limit_s - left_s()
    )
    chosen = tuple(i for phase in told for i in phase.built)
    gains = dict(zip(whole.chosen, whole.people_gained, strict=True))
    return Phases(replace(whole, chosen=chosen, people_gained=tuple(gains[i] for i in chosen)), tuple(told))


def _faults(years: Sequence[Year]) -> list[Fault]:
    numbers = [year.year for year in years]
    found = [] if years and numbers == sorted(set(numbers)) else [Fault("siting.years", "years")]
    for year in years:
        found += [
            Fault("siting.negative", f"years.{year.year}", {"value": v})
            for v in (year.build, year.budget or 0)
            if v < 0
        ]
    return found


def _own(problem: Problem, years: Sequence[Year], at: int, left_s: Clock, seed: int) -> Siting:
    """The best plan for the end of one year alone: rules that wait for the end do not bind it."""
    last = at == len(years) - 1
    due = problem.rules.settlements_by is not None and problem.rules.settlements_by <= years[at].year
    money = [year.budget for year in years[: at + 1]]
    budget = None if None in money else float(sum(m for m in money if m is not None))
    if problem.rules.budget is not None:
        budget = problem.rules.budget if budget is None else min(budget, problem.rules.budget)
    rules = replace(
        problem.rules,
        build=min(sum(year.build for year in years[: at + 1]), problem.build),
        budget=budget,
        floors=problem.rules.floors if last else {},
        require=problem.rules.require if last else (),
        every_settlement=problem.rules.every_settlement and last,
        settlements_by=problem.rules.settlements_by if due else None,
    )
    plan = cover_of(replace(problem, rules=rules), left_s=left_s, seed=seed)
    return plan if plan.status != "infeasible" else replace(plan, people=0.0, bound=float(problem.people.sum()))


@dataclass(frozen=True, eq=False)
class _Schedule:
    """at : int64 (options,), the position of the year an option is built in, -1 never; bound : people-years."""

    at: IntArray
    bound: float
    stopped: bool


def _schedule(
    problem: Problem, years: Sequence[Year], own: Sequence[Siting], left_s: Clock, seed: int
) -> _Schedule | None:
    """Weigh all years jointly: an option built in year t serves the elements of t and of every later year."""
    cover = Cover.of(problem)
    task = _joint(problem, cover, years)
    before, unit = float(problem.people @ problem.held) * len(years), cover.grains.unit
    most = (sum(plan.bound for plan in own) - before) / unit
    start = None if own[-1].status == "infeasible" else _in_turn(problem, own[-1], years)
    if len(task.serves) > JOINT and start is not None and task.rows.kept(start):
        picks = swapped(task, start)
        found: Found | None = Found(picks, task.worth(picks), most)
    else:
        found = solve(task, left_s=left_s, seed=seed, slack=cover.grains.slack, start=start)
    if found is None:
        return None
    k = len(problem.options)
    at = np.full(k, -1)
    at[found.picks % k] = found.picks // k
    return _Schedule(at, before + found.bound * unit, found.stopped)


def _joint(problem: Problem, cover: Cover, years: Sequence[Year]) -> Task:
    """Options and elements of every year; option `t * k + j` builds `j` in year t."""
    k, m, n = len(problem.options), len(cover.owner), len(years)
    pairs = np.repeat(np.arange(k), np.diff(cover.ptr))
    option = np.concatenate([np.tile(pairs + t * k, n - t) for t in range(n)])
    element = np.concatenate([cover.element + later * m for t in range(n) for later in range(t, n)])
    order = np.argsort(option, kind="stable")
    ptr = np.concatenate([[0], np.cumsum(np.bincount(option, minlength=n * k))]).astype(np.int64)
    weight = np.tile(cover.grains.whole, n)
    rows = rows_of([rule for rule in _rules(problem, years) if rule.key != "build"], n * k)
    return Task.of(ptr, element[order].astype(np.int32), weight, build=problem.build, rows=rows)


def _rules(problem: Problem, years: Sequence[Year]) -> list[Rule]:
    """Every rule over the options of all years, those of the years and the number of sites, if it binds, among them."""
    k, n = len(problem.options), len(years)
    every = np.arange(k)
    rules = [_over_years(rule, k, _due(rule, problem, years)) for rule in problem.linear]
    if problem.build < sum(year.build for year in years):
        rules.append(_over_years(count_rule(problem), k, n))
    rules += [Rule(ONCE, "", np.array([t * k + j for t in range(n)]), np.ones(n), high=1.0) for j in range(k)]
    cost = problem.options["cost"].to_numpy(dtype=float)
    for t, year in enumerate(years):  # a year not used up does not carry over
        rules.append(Rule("year", str(year.year), every + t * k, np.ones(k), high=float(year.build)))
        if year.budget is not None:
            rules.append(Rule("year_budget", str(year.year), every + t * k, cost, high=year.budget))
    return rules


def _due(rule: Rule, problem: Problem, years: Sequence[Year]) -> int:
    """How many years count for a rule: all, but for settlements those until their year."""
    by = problem.rules.settlements_by
    if rule.key != "settlement" or by is None:
        return len(years)
    return sum(year.year <= by for year in years)


def _over_years(rule: Rule, k: int, due: int) -> Rule:
    options = np.concatenate([rule.options + t * k for t in range(due)]) if due else rule.options[:0]
    return replace(rule, options=options.astype(np.int64), amount=np.tile(rule.amount, due))


def _in_turn(problem: Problem, plan: Siting, years: Sequence[Year]) -> IntArray:
    """The best plan for the end, what gains most first: a start that is often hard to better."""
    order = problem.at(plan.chosen)
    year = np.repeat(np.arange(len(years)), [year.build for year in years])[: len(order)]
    return np.sort(order[: len(year)] + year * len(problem.options))
