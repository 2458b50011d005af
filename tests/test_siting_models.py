"""Every other model against its twin that tries every choice, with all rules mixed."""

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest

import reference_siting as twin
from walkshed import siting
from walkshed.siting import Goal, Rules, Siting, fair, median, setcover

Best = float | None


def _check(seed: int, plan: Siting, best: Best, *, fewer_is_better: bool) -> None:
    if best is None:
        assert plan.status == "infeasible", seed
        assert plan.conflict, seed
        return
    assert plan.value == pytest.approx(best, abs=2e-3), seed
    assert plan.status == "proven", (seed, plan)
    assert plan.bound <= plan.value if fewer_is_better else plan.bound >= plan.value, seed


def _each(goal: Goal, best: Callable[[twin.World], Best], *, fewer_is_better: bool = False, upto: int = 60) -> None:
    for seed in range(upto):
        world = twin.random_world(seed)

        plan = siting.solve(world.problem(), goal)

        _check(seed, plan, best(world), fewer_is_better=fewer_is_better)
        at = tuple(int(i) for i in world.options.index.get_indexer(list(plan.chosen)))
        assert plan.status == "infeasible" or world.allowed(at), seed


@pytest.mark.parametrize("serve", [1.0, 0.7])
def test_no_cheaper_choice_serves_the_share(serve):
    def fewest(world: twin.World) -> Best:
        return twin.least_cost(world, serve, {}, np.ones(len(world.options)))

    _each(Goal("set_cover", serve=serve), fewest, fewer_is_better=True)


def test_sites_counted_by_prices_are_as_few_as_trying_every_choice_finds(monkeypatch):
    monkeypatch.setattr(setcover, "EASY", -1)  # the way of large tables, on small ones
    for seed in range(60):
        world = twin.random_world(seed)
        world = replace(world, rules=Rules(build=world.rules.build))

        plan = siting.solve(world.problem(), Goal("set_cover", serve=0.7))

        _check(seed, plan, twin.least_cost(world, 0.7, {}, np.ones(len(world.options))), fewer_is_better=True)


def test_no_less_money_serves_the_share_of_every_unit():
    for seed in range(40):
        world = twin.random_world(seed)
        world = replace(world, rules=replace(world.rules, build=None))
        units = dict.fromkeys(set(world.demand["unit"]), 0.8)

        plan = siting.solve(world.problem(), Goal("set_cover", serve=0.5, serve_units=units, least="money"))

        best = twin.least_cost(world, 0.5, units, world.options["cost"].to_numpy())
        _check(seed, plan, best, fewer_is_better=True)


def test_no_choice_has_a_shorter_mean_walk():
    _each(Goal("p_median", beyond_m=1500.0), lambda world: twin.mean_walk(world, 1500.0), fewer_is_better=True)


def test_interchange_on_long_tables_ends_at_the_shortest_mean_walk_and_its_bound_is_never_above_it(monkeypatch):
    monkeypatch.setattr(median, "JOINT", -1)  # the way of large tables, on small ones
    missed = 0
    for seed in range(60):
        world = twin.random_world(seed)
        best = twin.mean_walk(world, 1500.0)

        plan = siting.solve(world.problem(), Goal("p_median", beyond_m=1500.0))

        at = tuple(int(i) for i in world.options.index.get_indexer(list(plan.chosen)))
        assert (plan.status == "infeasible") == (best is None), seed
        if best is not None:
            assert world.allowed(at), seed
            assert plan.bound <= best + 1e-6 <= plan.value + 2e-6, seed
            missed += plan.value > best + 1e-6
    assert missed <= 6


@pytest.mark.parametrize("percentile", [1.0, 0.6])
def test_no_choice_has_a_shorter_worst_walk(percentile):
    goal = Goal("p_center", percentile=percentile)
    _each(goal, lambda world: twin.worst_walk(world, percentile), fewer_is_better=True, upto=60)


@pytest.mark.parametrize("pairs", [fair.MODEL, -1])  # decided at once, and by cuts as large tables are
def test_no_choice_is_fairer(monkeypatch, pairs):
    monkeypatch.setattr(fair, "MODEL", pairs)
    for seed in range(40):
        world = twin.random_world(seed)
        best = twin.fairest(world)

        plan = siting.solve(world.problem(), Goal("fair_cover"))

        _check(seed, plan, best and (best[0] if len(best) > 1 else 1.0), fewer_is_better=False)
        if best is not None:
            assert plan.people == pytest.approx(best[-1], abs=1e-3), seed


def test_no_choice_seats_more():
    _each(Goal("capacitated_cover"), twin.most_seated, upto=40)


def test_no_choice_backs_up_more():
    _each(Goal("backup_cover", second=0.4), lambda world: twin.best_backed(world, 0.4))
