"""Why no plan keeps the rules: the smallest set of rules that contradict each other, and what would have to give."""

from itertools import combinations

import numpy as np

from walkshed.errors import Fault
from walkshed.siting.exact import Model, minimise
from walkshed.siting.problem import Problem
from walkshed.siting.rules import Rule

ONCE = "once"  # the key of rules that are no one's wish: what is built in one year is not built in another
LISTED = 12  # rules of one kind that are named one by one
EACH_S = 5.0  # for one of these small questions


def contradiction(problem: Problem) -> tuple[Fault, ...]:
    """Name the smallest set of kinds of rules that no plan keeps, each rule in it, and the least that must give.

    Empty if there is a plan that keeps all rules.
    """
    return among([*problem.linear, count_rule(problem)], len(problem.options))


def among(rules: list[Rule], options: int) -> tuple[Fault, ...]:
    """Name the contradiction in a list of rules over so many options; rules `once` are never in doubt and not told."""
    kinds = sorted({rule.key for rule in rules} - {ONCE})
    for size in range(1, len(kinds) + 1):
        for some in combinations(kinds, size):
            those = [rule for rule in rules if rule.key in (*some, ONCE)]
            if not feasible(those, options):
                return _told(_thinned(those, options), rules, options)
    return ()


def count_rule(problem: Problem) -> Rule:
    """The number of sites as a rule like the others."""
    every = np.arange(len(problem.options))
    return Rule("build", "", every, np.ones(len(every)), high=float(problem.build))


def feasible(rules: list[Rule], options: int) -> bool:
    """Whether some choice keeps all these rules; a question too hard for its time limit counts as yes."""
    return minimise(_model(rules, options, ()), time_limit_s=EACH_S).status != "infeasible"


def _model(rules: list[Rule], options: int, elastic: tuple[str, ...]) -> Model:
    """Rules as a model; those of the kinds `elastic` may be broken, at a cost of 1 for each unit."""
    soft = [at for at, rule in enumerate(rules) if rule.key in elastic]
    rows = []
    for at, rule in enumerate(rules):
        columns, amounts = rule.options, rule.amount
        if rule.key in elastic:
            columns = np.append(columns, options + soft.index(at))
            amounts = np.append(amounts, -1.0 if np.isfinite(rule.high) else 1.0)
        rows.append((columns, amounts, rule.low, rule.high))
    return Model.of([(np.zeros(options), 1.0, True), (np.ones(len(soft)), np.inf, False)], rows)


def _thinned(rules: list[Rule], options: int) -> list[Rule]:
    """Leave out every rule the contradiction does not need (deletion filter, Chinneck and Dravnieks 1991)."""
    kept = list(rules)
    if sum(rule.key != ONCE for rule in rules) <= 10 * LISTED:
        for rule in [rule for rule in rules if rule.key != ONCE]:
            without = [r for r in kept if r is not rule]
            if not feasible(without, options):
                kept = without
    return kept


def _told(core: list[Rule], rules: list[Rule], options: int) -> tuple[Fault, ...]:
    """Say the rules of a contradiction, then for each kind the least that must give for the rest to hold."""
    said: list[Fault] = []
    kinds = list(dict.fromkeys(rule.key for rule in core if rule.key != ONCE))
    for key in kinds:
        same = [rule for rule in core if rule.key == key]
        said += [rule.fault() for rule in same[:LISTED]]
        if len(same) > LISTED:
            said.append(Fault("siting.and_more", key, {"n": len(same) - LISTED}))
    return (*said, *(fault for key in kinds for fault in _relaxed(key, rules, options)))


def _relaxed(key: str, rules: list[Rule], options: int) -> list[Fault]:
    """The least by which rules of one kind must give so that all others can hold."""
    answer = minimise(_model(rules, options, (key,)), time_limit_s=EACH_S)
    if answer.x is None:
        return []
    soft = [rule for rule in rules if rule.key == key]
    given = {soft[at]: float(answer.x[options + at]) for at in range(len(soft)) if answer.x[options + at] > 1e-6}  # noqa: PLR2004 - rounding
    if key in ("build", "budget"):
        [(rule, more)] = given.items()
        return [Fault(f"siting.relax_{key}", key, {"needed": rule.high + more, "allowed": rule.high})]
    names = ", ".join(rule.name for rule in given)
    kind = key if key in ("year", "year_budget") else "others"
    return [Fault(f"siting.relax_{kind}", key, {"rule": key, "names": names, "n": sum(given.values())})]
