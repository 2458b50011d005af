"""Access: nearest walk, opportunities, seats shared among those who come."""

from collections.abc import Callable
from functools import partial

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import reference_access as slow
from walkshed.access import (
    catchment,
    enhanced_two_step,
    flat,
    gaussian,
    gaussian_two_step,
    nearest_m,
    opportunities,
    two_step,
    zones,
)
from walkshed.errors import InputError
from walkshed.reach import Reach

LIMIT_M = 1000.0


def table(rows: list[tuple[str, str, float]], demand: str = "hij", sites: str = "LM") -> Reach:
    pairs = pd.DataFrame(rows, columns=["from_id", "to_id", "distance_m"])
    return Reach.from_frame(pairs, demand_ids=list(demand), site_ids=list(sites), limit_m=LIMIT_M)


@st.composite
def towns(draw: st.DrawFn) -> tuple[Reach, pd.Series, pd.Series]:
    """Any pairs at all, people and seats whole, some nobody and some without a seat."""
    homes = [f"h{i}" for i in range(draw(st.integers(1, 6)))]
    sites = [f"s{i}" for i in range(draw(st.integers(1, 4)))]
    walks = st.one_of(st.none(), st.integers(0, 1000), st.just(1000), st.just(500))
    found = {(h, s): draw(walks) for h in homes for s in sites}
    pairs = pd.DataFrame(
        [(h, s, float(d)) for (h, s), d in found.items() if d is not None],
        columns=["from_id", "to_id", "distance_m"],
    ).astype({"distance_m": float})
    reach = Reach.from_frame(pairs, demand_ids=homes, site_ids=sites, limit_m=LIMIT_M)
    people = pd.Series([float(draw(st.integers(0, 50))) for _ in homes], index=homes)
    seats = pd.Series([float(draw(st.integers(0, 50))) for _ in sites], index=sites)
    return reach, people, seats


def linear(distance_m: np.ndarray) -> np.ndarray:
    return 1 - distance_m / 2000


MEASURES: dict[str, tuple[Callable[..., pd.Series], Callable[[float], float]]] = {
    "two_step": (two_step, lambda _: 1.0),
    "enhanced_two_step": (
        partial(enhanced_two_step, steps=[(250, 1.0), (500, 0.42), (1000, 0.09)]),
        lambda d: 1.0 if d <= 250 else 0.42 if d <= 500 else 0.09,
    ),
    "gaussian_two_step": (
        gaussian_two_step,
        lambda d: (np.exp(-0.5 * (d / LIMIT_M) ** 2) - np.exp(-0.5)) / (1 - np.exp(-0.5)),
    ),
    "catchment": (partial(catchment, decay=linear), lambda d: 1 - d / 2000),
}


def test_seats_are_shared_among_all_who_can_come() -> None:
    near = table([("h", "L", 100), ("i", "L", 900), ("i", "M", 1000)])
    people, seats = pd.Series({"h": 10.0, "i": 30.0, "j": 5.0}), pd.Series({"L": 20.0, "M": 15.0})

    # L: 20 seats for 40 people; M: 15 seats for 30; j reaches nothing
    assert two_step(near, people, seats).to_dict() == {"h": 0.5, "i": 0.5 + 0.5, "j": 0.0}


def test_near_people_count_for_more_in_zones() -> None:
    near = table([("h", "L", 200), ("i", "L", 600)])
    people, seats = pd.Series({"h": 10.0, "i": 10.0, "j": 0.0}), pd.Series({"L": 15.0, "M": 9.0})

    # L: 15 / (10 x 1 + 10 x 0.5) = 1
    found = enhanced_two_step(near, people, seats, steps=[(500, 1.0), (1000, 0.5)])

    assert found.to_dict() == {"h": 1.0, "i": 0.5, "j": 0.0}


def test_zones_are_thirds_of_the_limit_unless_said() -> None:
    near = table([("h", "L", 333), ("i", "L", 334), ("j", "L", 1000)])
    people, seats = pd.Series(1.0, index=list("hij")), pd.Series({"L": 1.9, "M": 0.0})

    assert enhanced_two_step(near, people, seats).round(9).to_dict() == {"h": 1.0, "i": 0.68, "j": 0.22}


def test_a_gaussian_walk_is_worth_nothing_at_the_limit() -> None:
    near = table([("h", "L", 0), ("i", "L", 1000)])

    found = gaussian_two_step(near, pd.Series(4.0, index=list("hij")), pd.Series(8.0, index=list("LM")))

    assert found.to_dict() == {"h": 2.0, "i": 0.0, "j": 0.0}


def test_a_site_only_an_empty_house_can_reach_is_nobodys() -> None:
    near = table([("h", "L", 0)])

    found = two_step(near, pd.Series(0.0, index=list("hij")), pd.Series(8.0, index=list("LM")))

    assert found.to_dict() == {"h": 0.0, "i": 0.0, "j": 0.0}


@pytest.mark.parametrize("name", MEASURES)
@given(town=towns())
@settings(max_examples=40)
def test_every_measure_is_its_slow_twin(name: str, town: tuple[Reach, pd.Series, pd.Series]) -> None:
    reach, people, seats = town
    fast, weight = MEASURES[name]

    expected = slow.catchment(reach.to_frame(), people.to_dict(), seats.to_dict(), weight)

    assert fast(reach, people, seats).to_dict() == pytest.approx(expected, abs=1e-12)


@given(town=towns(), order=st.randoms(use_true_random=False))
def test_people_times_their_seats_are_the_seats_somebody_can_use(
    town: tuple[Reach, pd.Series, pd.Series], order
) -> None:
    reach, people, seats = town
    pairs = reach.to_frame()
    usable = pairs.loc[pairs["from_id"].map(people) > 0, "to_id"].unique()

    found = catchment(reach, people.sample(frac=1, random_state=order.randint(0, 99)), seats, decay=linear)

    assert (found * people).sum() == pytest.approx(seats[usable].sum())


@given(town=towns())
def test_splitting_a_home_changes_nobodys_seats(town: tuple[Reach, pd.Series, pd.Series]) -> None:
    reach, people, seats = town
    first = str(people.index[0])
    pairs = reach.to_frame()
    twin = pairs[pairs["from_id"] == first].assign(from_id="twin")
    halves = Reach.from_frame(
        pd.concat([pairs, twin]),
        demand_ids=[*reach.demand_ids, "twin"],
        site_ids=reach.site_ids,
        limit_m=LIMIT_M,
    )
    half = people.copy()
    half[first] /= 2
    half["twin"] = half[first]

    found = gaussian_two_step(halves, half, seats)

    assert found.drop("twin").to_dict() == pytest.approx(gaussian_two_step(reach, people, seats).to_dict())
    assert found["twin"] == found[first]


def test_opportunities_count_sites_or_what_they_offer() -> None:
    near = table([("h", "L", 100), ("h", "M", 800), ("i", "M", 500)])

    assert opportunities(near).to_dict() == {"h": 2.0, "i": 1.0, "j": 0.0}
    assert opportunities(near, pd.Series({"M": 60, "L": 40, "other": 7})).to_dict() == {"h": 100.0, "i": 60.0, "j": 0.0}
    assert opportunities(near, decay=zones([(500, 1.0)])).to_dict() == {"h": 1.0, "i": 1.0, "j": 0.0}


def test_the_nearest_walk_is_missing_where_there_is_none() -> None:
    near = table([("h", "L", 100), ("h", "M", 80), ("i", "L", 0)])

    pd.testing.assert_series_equal(
        nearest_m(near), pd.Series([80.0, 0.0, np.nan], index=list("hij"), name="nearest_m"), check_index_type=False
    )


def test_everything_wrong_is_said_at_once() -> None:
    near = table([("h", "L", 100)])

    with pytest.raises(InputError) as caught:
        catchment(near, pd.Series({"h": 1.0}), pd.Series({"L": -1.0, "M": np.nan}), decay=lambda d: d * np.nan)

    assert [fault.key for fault in caught.value.faults] == [
        "access.no_value",
        "table.not_number",
        "table.negative",
        "access.decay_weight",
    ]


def test_a_decay_that_is_no_array_function_is_refused() -> None:
    near = table([("h", "L", 100), ("i", "L", 200)])

    with pytest.raises(InputError, match="2 walks and returned 1 weights"):
        opportunities(near, decay=lambda _: np.ones(1))


def test_a_site_told_twice_is_refused() -> None:
    with pytest.raises(InputError, match="more than once"):
        opportunities(table([("h", "L", 1)]), pd.Series([1, 2, 3], index=["L", "L", "M"]))


@pytest.mark.parametrize("steps", [[], [(500, 1.0), (500, 0.5)], [(500, 1.0), (300, 0.5)]])
def test_zones_ascend(steps: list[tuple[float, float]]) -> None:
    with pytest.raises(InputError, match="must ascend"):
        zones(steps)


def test_pysal_access_gives_the_same_numbers() -> None:
    fca = pytest.importorskip("access.fca", reason="PySAL `access` is not installed: nothing to compare with")
    weights = pytest.importorskip("access.weights", reason="PySAL `access` is not installed: nothing to compare with")
    rng = np.random.default_rng(7)
    homes, sites = [f"h{i}" for i in range(400)], [f"s{i}" for i in range(40)]
    every = pd.MultiIndex.from_product([homes, sites], names=["from_id", "to_id"]).to_frame(index=False)
    pairs = every.assign(distance_m=rng.integers(0, 3000, len(every)).astype(float))
    reach = Reach.from_frame(pairs, demand_ids=homes, site_ids=sites, limit_m=LIMIT_M)
    people = pd.Series(rng.integers(1, 900, len(homes)).astype(float), index=homes, name="people")
    seats = pd.Series(rng.integers(0, 200, len(sites)).astype(float), index=sites, name="seats")
    peer = partial(
        fca.two_stage_fca,
        people.to_frame().rename_axis("id").reset_index(),
        seats.to_frame(),
        pairs.rename(columns={"from_id": "origin", "to_id": "dest", "distance_m": "cost"}),
        max_cost=LIMIT_M,
        demand_index="id",
        demand_name="people",
        supply_name="seats",
    )
    steps = {333.0: 1.0, 666.0: 0.68, 1000.0: 0.22}
    dai = gaussian(LIMIT_M)
    asked = {
        "2SFCA": (two_step(reach, people, seats), peer()),
        "E2SFCA": (
            enhanced_two_step(reach, people, seats, steps=list(steps.items())),
            peer(weight_fn=weights.step_fn(steps)),
        ),
        "Gaussian": (
            gaussian_two_step(reach, people, seats),
            peer(weight_fn=lambda d: float(dai(np.array([d]))[0])),
        ),
        "generalised": (
            catchment(reach, people, seats, decay=lambda d: np.exp(-d * d / (2 * 400.0**2))),
            peer(weight_fn=weights.gaussian(400.0)),
        ),
    }

    for ours, theirs in asked.values():
        np.testing.assert_allclose(ours[theirs.index], theirs, rtol=1e-12)
        assert (ours.drop(theirs.index) == 0).all()


def test_flat_is_worth_one_everywhere() -> None:
    assert flat(np.array([0.0, 999.0])).tolist() == [1.0, 1.0]
