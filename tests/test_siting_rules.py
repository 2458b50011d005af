"""All rules mixed, against trying every choice; what contradicts is named."""

import pytest

from reference_siting import random_world
from walkshed.siting.cover import cover_of
from walkshed.siting.search import clock_for


@pytest.mark.parametrize("hundred", range(4))
def test_no_choice_under_any_mix_of_rules_serves_more(hundred):
    for seed in range(100 * hundred, 100 * hundred + 100):
        world = random_world(seed)
        allowed = list(world.choices())

        plan = cover_of(world.problem(), left_s=clock_for(60), seed=0)

        if not allowed:
            assert plan.status == "infeasible", seed
            assert plan.conflict, seed
            continue
        at = tuple(int(i) for i in world.options.index.get_indexer(list(plan.chosen)))
        best = max(float(world.people @ world.served(choice)) for choice in allowed)
        assert plan.status == "proven", seed
        assert world.allowed(at), seed
        assert plan.people == pytest.approx(float(world.people @ world.served(at))), seed
        assert plan.people == pytest.approx(best, abs=1e-5), seed
        assert plan.bound >= plan.people, seed
        assert sum(plan.people_gained) == pytest.approx(plan.people - plan.people_before, abs=1e-5), seed
