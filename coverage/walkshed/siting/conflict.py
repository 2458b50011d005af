"""Why no plan keeps the rules: the smallest set of rules that contradict each other, and what would have to give."""

from itertools import combinations, pairwise

import numpy as np

from walkshed.contracts import IntArray
from walkshed.errors import Fault
from walkshed.siting.exact import Model, minimise
from walkshed.siting.problem import Problem
from walkshed.siting.rules import Rule
from walkshed.siting.search import Clock, clock_for
from walkshed.siting.task import Rows

ONCE = "once"  # the key of rules that are no one's wish: what is built in one year is not built in another
LISTED = 12  # rules of one kind that are named one by one
EACH_S, ALL_S = 5.0, 20.0  # for one of these small questions, and for all of them


def contradiction(problem: Problem) -> tuple[Fault, ...]:
    """Name the smallest set of kinds of rules that no plan keeps, each rule in it, and the least that must give.

    Empty if there is a plan that keeps all rules.
    """
    return among([*problem.linear, count_rule(problem)], len(problem.options))


def among(rules: list[Rule], options: int) -> tuple[Fault, ...]:
    """Name the contradiction in a list of rules over so many options; rules `once` are never in doubt and not told."""
    left_s = clock_for(ALL_S)
    kinds = sorted({rule.key for rule in rules} - {ONCE}, key=lambda key: (key == "place", key))  # wishes first
    for size in range(1, len(kinds) + 1):
        for some in combinations(kinds, size):
            those = [rule for rule in rules if rule.key in (*some, ONCE)]
            if not feasible(those, options, left_s):
                return _told(_thinned(those, options, left_s), rules, options, left_s)
    return ()


def count_rule(problem: Problem) -> Rule:
    """The number of sites as a rule like the others."""
    every = np.arange(len(problem.options))
    return Rule("build", "", every, np.ones(len(every)), high=float(problem.build))


def feasible(rules: list[Rule], options: int, left_s: Clock) -> bool:
    """Whether some choice keeps all these rules; a question too hard for its time limit counts as yes."""
    return minimise(_model(rules, options, ()), time_limit_s=min(EACH_S, left_s())).status != "infeasible"


def _model(rules: list[Rule], options: int, elastic: tuple[str, ...]) -> Model:
    """Rules as a model; those of the kinds `elastic` may be broken, at a cost of 1 for each unit, the first columns.

    Options that stand in the same rules with the same amounts are one column that counts them: many thousand options
    of a city are then as many columns as there are units.
    """
    soft = np.array([at for at, rule in enumerate(rules) if rule.key in elastic], dtype=np.int64)
    slack = np.array([-1.0 if np.isfinite(rules[at].high) else 1.0 for at in soft.tolist()])
    table = Rows.of(options, [(rule.options, rule.amount, rule.low, rule.high) for rule in rules])
    group = _alike(table)
    many = np.bincount(group).astype(float)
    entry, one = np.unique(table.rule.astype(np.int64) * len(many) + group[table.option], return_index=True)
    rule, column = np.divmod(entry, len(many))
    order = np.argsort(np.concatenate([rule, soft]), kind="stable")
    return Model(
        cost=np.repeat([1.0, 0.0], [len(soft), len(many)]),
        lower=np.zeros(len(soft) + len(many)),
        upper=np.concatenate([np.full(len(soft), np.inf), many]),
        whole=np.repeat([False, True], [len(soft), len(many)]),
        ptr=np.concatenate([[0], np.cumsum(np.bincount(np.concatenate([rule, soft]), minlength=len(rules)))]),
        column=np.concatenate([column + len(soft), np.arange(len(soft))])[order],
        amount=np.concatenate([table.amount[one], slack])[order],
        low=table.low,
        high=table.high,
    )


def _alike(table: Rows) -> IntArray:
    """Group of each option: options of one group stand in the same rules with the same amounts."""
    said = [table.rule[a:b].tobytes() + table.amount[a:b].tobytes() for a, b in pairwise(table.ptr.tolist())]
    return np.unique(np.array(said, dtype=object), return_inverse=True)[1].astype(np.int64)


def _thinned(rules: list[Rule], options: int, left_s: Clock) -> list[Rule]:
    """Leave out every rule the contradiction does not need (deletion filter, Chinneck and Dravnieks 1991)."""
    kept = list(rules)
    if sum(rule.key != ONCE for rule in rules) <= 10 * LISTED:
        for rule in [rule for rule in rules if rule.key != ONCE]:
            without = [r for r in kept if r is not rule]
            if not feasible(without, options, left_s):
                kept = without
    return kept


def _told(core: list[Rule], rules: list[Rule], options: int, left_s: Clock) -> tuple[Fault, ...]:
    """Say the rules of a contradiction, then for each kind the least that must give for the rest to hold."""
    said: list[Fault] = []
    kinds = list(dict.fromkeys(rule.key for rule in core if rule.key != ONCE))
    for key in kinds:
        same = [rule for rule in core if rule.key == key]
        said += [rule.fault() for rule in same[:LISTED]]
        if len(same) > LISTED:
            said.append(Fault("siting.and_more", key, {"n": len(same) - LISTED}))
    return (*said, *(fault for key in kinds for fault in _relaxed(key, rules, options, left_s)))


def _relaxed(key: str, rules: list[Rule], options: int, left_s: Clock) -> list[Fault]:
    """The least by which rules of one kind must give so that all others can hold."""
    answer = minimise(_model(rules, options, (key,)), time_limit_s=min(EACH_S, left_s()))
    if answer.x is None:
        return []
    soft = [rule for rule in rules if rule.key == key]
    given = {soft[at]: float(answer.x[at]) for at in range(len(soft)) if answer.x[at] > 1e-6}  # noqa: PLR2004 - rounding
    if key in ("build", "budget"):
        [(rule, more)] = given.items()
        return [Fault(f"siting.relax_{key}", key, {"needed": rule.high + more, "allowed": rule.high})]
    names = ", ".join(rule.name for rule in given)
    kind = key if key in ("year", "year_budget") else "others"
    return [Fault(f"siting.relax_{kind}", key, {"rule": key, "names": names, "n": sum(given.values())})]
