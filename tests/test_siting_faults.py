"""Every bad question is refused with an error that names the rule."""

import pytest

from reference_siting import random_world
from walkshed import siting
from walkshed.errors import InfeasibleError, InputError
from walkshed.siting import Goal, Rules, Year


def refusal(**changes: object) -> list[tuple[str, str]]:
    """Faults of a question with some options' columns and rules changed."""
    world = random_world(1)
    rules = {key: value for key, value in changes.items() if key in Rules.__dataclass_fields__}
    columns = {key: value for key, value in changes.items() if key in world.options}
    question = world.problem()
    options = question.options.assign(**columns)
    with pytest.raises(InputError) as refused:
        siting.problem(options, question.reach, question.demand, rules=Rules(**rules), bands=changes.get("bands", ()))
    assert all(fault.text("zh") and fault.text("en") for fault in refused.value.faults)
    return [(fault.where, fault.key.removeprefix("siting.")) for fault in refused.value.faults]


@pytest.mark.parametrize(
    ("changes", "where", "key"),
    [
        ({"build": 99}, "build", "more_than_candidates"),
        ({"build": -1}, "build", "negative"),
        ({"floors": {"nowhere": 1}}, "floors.nowhere", "floor_without_candidate"),
        ({"cost": -1.0}, "candidates", "negative_cost"),
        ({"require": ("poption0",), "forbid": ("poption0",)}, "require", "required_and_forbidden"),
        ({"seats": 0.0}, "candidates", "no_seats"),
        ({"budget": 1.0, "cost": 2.0}, "budget", "budget_below"),
        ({"share": 1.5}, "candidates", "share_range"),
        ({"limit_m": 5000.0}, "candidates", "limit_range"),
        ({"require": ("no such place",)}, "require", "unknown"),
        ({"spacing_m": 100.0, "x": float("nan")}, "spacing_m", "no_coordinates"),
        ({"every_settlement": True, "settlement": ""}, "every_settlement", "no_settlements"),
        ({"bands": ((500.0, 0.5), (400.0, 1.0))}, "bands", "bands"),
    ],
)
def test_a_bad_question_is_refused_by_the_name_of_its_rule(changes, where, key):
    assert (where, key) in refusal(**changes)


def test_all_faults_are_named_at_once():
    assert len(refusal(build=99, cost=-1.0, floors={"nowhere": 1}, budget=-5.0)) >= 4


def test_no_candidates_is_refused():
    question = random_world(1).problem()
    with pytest.raises(InputError, match="no candidate places"):
        siting.problem(question.options.iloc[:0], question.reach, question.demand, rules=Rules(build=0))


def test_a_group_weight_for_nobody_is_refused():
    question = random_world(1).problem()
    with pytest.raises(InputError, match="group_weights: unknown: children"):
        siting.problem(
            question.options, question.reach, question.demand, rules=Rules(), group_weights={"children": 2.0}
        )


@pytest.mark.parametrize("goal", [Goal("set_cover", serve=1.2), Goal("p_center", percentile=-0.1), Goal(second=2.0)])
def test_a_goal_out_of_range_is_refused(goal):
    with pytest.raises(InputError, match="must be between 0 and 1"):
        siting.solve(random_world(1).problem(), goal)


def test_years_that_do_not_ascend_are_refused():
    with pytest.raises(InputError, match="years must ascend"):
        siting.phases(random_world(1).problem(), [Year(2027, 1), Year(2026, 1)])


def test_an_infeasible_answer_can_be_raised_as_an_error():
    question = random_world(1).problem().with_rules(build=0, budget=None, require=("poption0",))

    with pytest.raises(InfeasibleError, match="poption0 is required"):
        siting.solve(question).checked()


def test_every_answer_has_a_sentence_in_both_languages():
    question = random_world(2).problem()
    models = ["max_cover", "set_cover", "p_median", "p_center", "fair_cover", "capacitated_cover", "backup_cover"]

    plans = [siting.solve(question, Goal(model)) for model in models]

    assert all(len(plan.sentence("zh")) > 10 and len(plan.sentence("en")) > 10 for plan in plans)
