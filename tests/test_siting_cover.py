"""Maximal cover: hand-worked, against trying everything, and by its properties."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from reference_siting import best_cover
from walkshed import siting
from walkshed.errors import InputError
from walkshed.reach import Reach


def reach_of(reached: np.ndarray) -> Reach:
    """A reach where everything reached is 100 m away."""
    site, demand = np.nonzero(reached)
    ptr = np.concatenate([[0], np.cumsum(reached.sum(axis=1))]).astype(np.int64)
    ids = [f"s{j}" for j in range(len(reached))], [f"d{i}" for i in range(reached.shape[1])]
    return Reach(pd.Index(ids[0]), pd.Index(ids[1]), ptr, demand.astype(np.int32), np.full(len(site), 100.0), 1000.0)


@st.composite
def worlds(draw):
    """A few options, a few demand points, a number to build."""
    k, m = draw(st.integers(1, 7)), draw(st.integers(1, 12))
    rng = np.random.default_rng(draw(st.integers(0, 2**32)))
    people = rng.integers(0, 9, m).astype(float) if draw(st.booleans()) else rng.uniform(0, 9, m)
    return rng.random((k, m)) < draw(st.sampled_from([0.2, 0.4, 0.7])), people, draw(st.integers(0, k))


@given(worlds())
@settings(max_examples=120, deadline=None)
def test_no_choice_serves_more_than_the_one_called_proven(world):
    reached, people, build = world

    plan = siting.max_cover(reach_of(reached), people, build=build)

    assert plan.status == "proven"
    assert plan.people == pytest.approx(best_cover(reached, people, build), abs=1e-4)
    assert plan.bound >= plan.people


def test_a_site_with_no_one_left_to_serve_is_not_built():
    reached = np.array([[1, 1, 0], [1, 0, 0], [0, 1, 0]], dtype=bool)

    plan = siting.max_cover(reach_of(reached), np.array([5.0, 6.0, 7.0]), build=3)

    assert plan.chosen == ("s0",)
    assert [note.key for note in plan.notes] == ["siting.built_fewer"]


def test_of_equal_sites_the_earlier_is_taken():
    reached = np.array([[0, 1], [1, 0], [1, 0]], dtype=bool)

    assert siting.max_cover(reach_of(reached), np.array([5.0, 5.0]), build=1).chosen == ("s0",)


def test_people_that_outlets_serve_are_counted_once():
    reached = np.array([[1, 1, 0], [0, 0, 1]], dtype=bool)

    served = np.array([True, True, False])
    plan = siting.max_cover(reach_of(reached), np.array([50.0, 40.0, 3.0]), build=1, served=served)

    assert (plan.chosen, plan.people_before, plan.people) == (("s1",), 90.0, 93.0)


def test_every_fault_of_a_question_is_named_at_once():
    with pytest.raises(InputError) as refused:
        siting.max_cover(reach_of(np.ones((2, 3), dtype=bool)), np.array([1.0, -1.0, 2.0]), build=3)

    assert [fault.key for fault in refused.value.faults] == ["siting.not_people", "siting.more_than_candidates"]
