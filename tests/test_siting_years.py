"""Years, overrides, explanations, the curve and robustness, on worlds small enough to try everything."""

from dataclasses import replace
from itertools import product

import numpy as np
import pandas as pd
import pytest

import reference_siting as twin
from walkshed import siting
from walkshed.errors import InputError
from walkshed.reach import Reach
from walkshed.siting import Siting, Year
from walkshed.siting.robust import at_speed


def small_worlds(upto: int, most: int = 4) -> list[tuple[int, twin.World]]:
    """Worlds with few options, numbered."""
    worlds = [(seed, twin.random_world(seed)) for seed in range(upto)]
    return [(seed, world) for seed, world in worlds if len(world.options) <= most]


def best_order(world: twin.World, years: list[Year]) -> float | None:
    """Most people-years over every way to spread every allowed choice over the years."""
    best = None
    for choice in world.choices():
        for when in product(range(len(years)), repeat=len(choice)):
            built = [[j for j, at in zip(choice, when, strict=True) if at == t] for t in range(len(years))]
            cost = [sum(world.records[j]["cost"] for j in some) for some in built]
            if any(len(some) > year.build for some, year in zip(built, years, strict=True)):
                continue
            if any(year.budget is not None and c > year.budget for c, year in zip(cost, years, strict=True)):
                continue
            so_far = [tuple(j for some in built[: t + 1] for j in some) for t in range(len(years))]
            value = sum(float(world.people @ world.served(c)) for c in so_far)
            best = value if best is None else max(best, value)
    return best


def test_no_order_of_any_choice_serves_more_people_years():
    for seed, world in small_worlds(120):
        rng = np.random.default_rng(seed)
        loose = replace(world, rules=replace(world.rules, build=None))
        budgets = [float(rng.integers(0, 6)) if rng.random() < 0.3 else None for _ in range(2)]
        years = [Year(2026 + t, int(rng.integers(0, 3)), budgets[t]) for t in range(2)]

        plan = siting.phases(loose.problem(), years)

        best = best_order(loose, years)
        if best is None:
            assert plan.whole.status == "infeasible", seed
            continue
        assert plan.whole.value == pytest.approx(best, abs=1e-4), seed
        assert plan.whole.status == "proven", seed
        assert all(len(phase.built) <= year.build for phase, year in zip(plan.years, years, strict=True)), seed
        assert all(phase.people <= phase.own_bound + 1e-9 for phase in plan.years), seed


def solved(world: twin.World) -> Siting:
    return siting.solve(world.problem())


def test_more_to_build_never_serves_fewer_and_the_curve_says_so():
    for seed, world in small_worlds(60):
        table = siting.curve(world.problem(), range(world.options["place"].nunique() + 1))

        known = table.dropna()
        assert known["people"].is_monotonic_increasing, seed
        assert (known["bound"] >= known["people"] - 1e-9).all(), seed


def test_an_override_never_helps_and_is_priced_as_solving_anew_would():
    for seed, world in small_worlds(60):
        plan = solved(world)
        for site in plan.chosen:
            priced = siting.price(world.problem(), plan, forbid=[site])
            rules = replace(world.rules, forbid=(*world.rules.forbid, site))
            anew = solved(replace(world, rules=rules))

            assert priced.plan.status == anew.status, seed
            assert anew.status == "infeasible" or priced.plan.people == pytest.approx(anew.people, abs=1e-5), seed
            assert anew.status == "infeasible" or priced.loss >= -1e-5, seed


def test_permuting_options_and_demand_changes_nothing_of_the_value():
    for seed, world in small_worlds(80, most=6):
        rng = np.random.default_rng(seed)
        j, i = rng.permutation(len(world.options)), rng.permutation(len(world.demand))
        demand = world.demand.iloc[i].set_axis(world.demand.index)
        other = replace(
            world,
            options=world.options.iloc[j],
            distance_m=world.distance_m[np.ix_(j, i)],
            demand=demand,
            outlet_m=world.outlet_m[:, i],
        )

        assert solved(other).people == pytest.approx(solved(world).people, abs=1e-6), seed


def test_the_same_question_and_seed_give_the_same_plan():
    world = twin.random_world(3)

    assert solved(world) == solved(world)


def test_why_a_site_is_chosen_adds_up():
    world = plain_world()
    plan = solved(world)

    why = siting.explain(world.problem(), plan, "poption0")

    assert plan.chosen == ("poption0",)
    assert (why.gained, why.only_it, why.groups["all"]) == (30.0, 30.0, 30.0)
    assert (why.walk_before_m, why.walk_after_m) == (None, pytest.approx(200.0))
    assert (why.next_best, why.switch_costs, why.loss, why.verdict) == ("poption1", 10.0, 10.0, "firm")
    assert "poption1" in why.sentence("zh")


def test_a_site_with_a_twin_is_interchangeable():
    world = plain_world()
    world = replace(world, distance_m=np.array([[100.0, 200.0], [200.0, 100.0]]))

    assert siting.explain(world.problem(), solved(world), "poption0").verdict == "interchangeable"


def plain_world() -> twin.World:
    """Two options, two homes: the first reaches 10 + 20 people, the second only the 20."""
    world = next(w for _, w in small_worlds(99) if len(w.options) == 2)
    options = world.options.assign(share=1.0, limit_m=1000.0, place=["a", "b"], unit="u0", kind="room")
    demand = world.demand.iloc[[0, 0]].assign(people=[10.0, 20.0], people_60p=[1.0, 2.0]).set_axis(["d0", "d1"])
    return replace(
        world,
        options=options,
        demand=demand,
        distance_m=np.array([[400.0, 100.0], [np.inf, 100.0]]),
        outlets=world.outlets.iloc[:0],
        outlet_m=np.zeros((0, 2)),
        rules=siting.Rules(build=1),
        weights={},
        bands=(),
    )


def test_a_site_nobody_can_replace_holds_under_any_noise():
    table = siting.robustness(plain_world().problem(), runs=8, people=0.05, slower=0.05, missing=0.0)

    assert table.loc["poption0"].to_dict() == {"chosen": 1.0, "holds": True}


def test_who_walks_faster_reaches_as_with_a_longer_limit():
    world = plain_world()
    shy = replace(world, distance_m=np.array([[400.0, 100.0], [np.inf, 1050.0]]))
    wide = Reach(pd.Index(["a", "b"]), pd.Index(["d0", "d1"]), np.array([0, 2, 3]), np.array([0, 1, 1], dtype=np.int32),
                 np.array([400.0, 100.0, 1050.0]), 1100.0)  # fmt: skip
    nobody = replace(wide, site_ids=pd.Index([]), ptr=np.zeros(1, dtype=np.int64), demand=wide.demand[:0],
                     distance_m=wide.distance_m[:0])  # fmt: skip

    same, faster = at_speed(shy.problem(), 1.0), at_speed(shy.problem(), 1.1, (wide, nobody))

    assert len(same.reach.demand) == 2
    assert faster.reach.distance_m.tolist() == pytest.approx([400 / 1.1, 100 / 1.1, 1050 / 1.1])


def test_who_walks_slower_loses_outlets_too():
    world = next(w for _, w in small_worlds(99) if w.held.any() and not w.bands)
    question = world.problem()

    assert (at_speed(question, 1.0).held == question.held).all()
    assert at_speed(question, 1e-6).held.sum() == 0.0


def test_walking_faster_than_is_known_is_refused():
    with pytest.raises(InputError, match="needs to know who lives within 1,100 m; 0 m are known"):
        siting.robustness(plain_world().problem(), faster=0.1)


def test_a_contradiction_names_its_rules_and_what_would_have_to_give():
    world = plain_world()
    world = replace(world, rules=siting.Rules(build=1, require=("a", "b"), ceilings={"u0": 5}))

    plan = solved(world)

    assert plan.status == "infeasible"
    assert [fault.key for fault in plan.conflict] == [
        "siting.rule_require",
        "siting.rule_require",
        "siting.rule_build",
        "siting.relax_others",
        "siting.relax_build",
    ]
    assert "2 sites are needed for the other rules; 1 are allowed" in plan.sentence()
    assert "其余规则需要 2 处" in plan.sentence("zh")


@pytest.mark.parametrize(
    ("years", "told"),
    [
        ([Year(2026, 1), Year(2027, 0)], ["rule_require", "rule_require", "rule_year", "rule_year", "relax_year"]),
        (
            [Year(2026, 2, 1.0), Year(2027, 2, 0.0)],
            ["rule_require", "rule_require", "rule_year_budget", "rule_year_budget", "relax_year_budget"],
        ),
    ],
)
def test_a_contradiction_over_years_names_what_the_years_allow(years, told):
    world = plain_world()
    options = world.options.assign(cost=1.0)
    world = replace(world, options=options, rules=siting.Rules(require=("a", "b")))

    plan = siting.phases(world.problem(), years).whole

    keys = [fault.key.removeprefix("siting.") for fault in plan.conflict]
    assert plan.status == "infeasible"
    assert [key for key in keys if key != "relax_others"] == told
    assert "2026" in plan.sentence()
    assert "2026" in plan.sentence("zh")
