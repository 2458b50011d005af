"""Fairness: shares between units and groups, inequality over people, and how firm its figures are."""

import math

import numpy as np
import pandas as pd
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

import reference_access as slow
from walkshed.errors import InputError
from walkshed.fairness import confidence, gini, lorenz, palma, shares, theil

FEW = settings(max_examples=40)  # tables are slow to make, and small ones show what there is to show
HOMES = [f"h{i}" for i in range(8)]


@st.composite
def towns(draw: st.DrawFn) -> tuple[pd.Series, pd.Series, pd.Series]:
    """What each of a few homes has, how many live there, and which unit they are in; somebody has something."""
    n = draw(st.integers(1, 8))
    index = HOMES[:n]
    value = pd.Series([float(draw(st.integers(0, 20))) for _ in index], index=index)
    people = pd.Series([draw(st.integers(0, 9)) for _ in index], index=index)
    unit = pd.Series([draw(st.sampled_from("ABC")) for _ in index], index=index)
    assume((value * people).sum() > 0)
    return value, people, unit


# ---- worked by hand -------------------------------------------------------------------------------------------------


def test_one_in_four_has_all() -> None:
    value, people = pd.Series({"h": 0.0, "i": 2.0}), pd.Series({"h": 30, "i": 10})

    assert gini(value, people) == 0.75
    assert theil(value, people).total == pytest.approx(math.log(4))
    assert palma(value, people) == math.inf
    assert lorenz(value, people).to_numpy().tolist() == [[0, 0], [0.75, 0], [1, 1]]


def test_all_have_the_same() -> None:
    value, people = pd.Series({"h": 3.0, "i": 3.0}), pd.Series({"h": 30, "i": 10})

    assert gini(value, people) == 0
    assert theil(value, people).total == 0
    assert palma(value, people) == pytest.approx(0.25)


def test_nothing_to_share_out_has_no_inequality() -> None:
    value, people = pd.Series({"h": 0.0}), pd.Series({"h": 30})

    found = theil(value, people, pd.Series({"h": "A"}))

    assert all(map(math.isnan, [gini(value, people), palma(value, people), found.total, found.between, found.within]))


def test_what_empty_homes_could_have_counts_for_nothing() -> None:
    value, people = pd.Series({"h": 1.0, "i": 2.0, "j": 99.0}), pd.Series({"h": 1, "i": 1, "j": 0})
    unit = pd.Series({"h": "A", "i": "B", "j": "C"})

    assert gini(value, people) == gini(value[:2], people[:2])
    assert theil(value, people, unit) == theil(value[:2], people[:2], unit[:2])
    assert len(lorenz(value, people)) == 3


def test_shares_stand_beside_people() -> None:
    town = pd.DataFrame({"people": [30.0, 10.0, 40.0], "unit": ["B", "A", "B"]}, index=["h", "i", "j"])

    table = shares(town, pd.Series({"j": 0.5, "h": 0.0, "i": 1.0}))

    # A: 10 of 10 served; B: 20 of 70
    assert table.index.tolist() == ["A", "B"]
    assert table["mean"].tolist() == pytest.approx([1.0, 20 / 70])
    assert table["share_of_people"].tolist() == pytest.approx([10 / 80, 70 / 80])
    assert table["share_of_value"].tolist() == pytest.approx([1 / 3, 2 / 3])
    assert table["ratio"].tolist() == pytest.approx([8 / 3, 16 / 21])


def test_groups_may_overlap_and_be_empty() -> None:
    town = pd.DataFrame({"people": [30, 10], "people_60p": [5, 10], "people_0_14": [0, 0]}, index=["h", "i"])

    table = shares(town, pd.Series({"h": 1.0, "i": 0.0}), between="groups")

    assert table.index.tolist() == ["60p", "0_14"]
    assert table.loc["60p", ["people", "mean"]].tolist() == pytest.approx([15, 1 / 3])
    assert math.isnan(table.loc["0_14", "mean"])
    assert math.isnan(table.loc["0_14", "ratio"])


# ---- slow twins -----------------------------------------------------------------------------------------------------


@FEW
@given(towns())
def test_gini_and_theil_are_their_slow_twins(town: tuple[pd.Series, pd.Series, pd.Series]) -> None:
    value, people, _ = town

    assert gini(value, people) == pytest.approx(slow.gini(value, people), abs=1e-12)
    assert theil(value, people).total == pytest.approx(slow.theil(value, people), abs=1e-12)


@FEW
@given(towns())
def test_palma_is_its_slow_twin(town: tuple[pd.Series, pd.Series, pd.Series]) -> None:
    value, people, _ = town
    tens = people * 10
    assume(sum(sorted(slow.persons(value, tens))[: 4 * int(tens.sum()) // 10]) > 0)

    assert palma(value, tens) == pytest.approx(slow.palma(value, tens))


def test_pysal_inequality_gives_the_same_numbers() -> None:
    peer = pytest.importorskip("inequality", reason="PySAL `inequality` is not installed: nothing to compare with")
    rng = np.random.default_rng(3)
    value, unit = pd.Series(rng.random(300) + 0.01), pd.Series(rng.choice(list("ABCD"), 300))
    one = pd.Series(1, index=value.index)

    found, theirs = theil(value, one, unit), peer.theil.TheilD(value.to_numpy(), unit.to_numpy())

    assert gini(value, one) == pytest.approx(peer.gini.Gini(value.to_numpy()).g)
    assert found.total == pytest.approx(float(theirs.T))
    assert found.between == pytest.approx(float(np.ravel(theirs.bg)[0]))


# ---- properties -----------------------------------------------------------------------------------------------------


@FEW
@given(towns())
def test_between_and_within_add_up(town: tuple[pd.Series, pd.Series, pd.Series]) -> None:
    found = theil(*town)

    assert found.between + found.within == pytest.approx(found.total, abs=1e-12)
    assert min(found.between, found.within) >= -1e-12


@FEW
@given(town=towns(), factor=st.floats(0.001, 1000), crowd=st.floats(0.001, 1000))
def test_neither_the_unit_of_what_is_held_nor_the_number_of_people_matters(
    town: tuple[pd.Series, pd.Series, pd.Series], factor: float, crowd: float
) -> None:
    value, people, _ = town

    assert gini(value * factor, people * crowd) == pytest.approx(gini(value, people), abs=1e-9)
    assert palma(value * factor, people * crowd) == pytest.approx(palma(value, people), nan_ok=True)
    assert theil(value * factor, people * crowd).total == pytest.approx(theil(value, people).total, abs=1e-9)


@FEW
@given(towns())
def test_giving_from_those_with_more_to_those_with_less_makes_it_fairer(
    town: tuple[pd.Series, pd.Series, pd.Series],
) -> None:
    value, people, _ = town
    there = people[people > 0].index
    rich, poor = value[there].idxmax(), value[there].idxmin()
    assume(value[rich] > value[poor])
    part = (value[rich] - value[poor]) / 2 * min(people[rich], people[poor])
    after = value.copy()
    after[rich] -= part / people[rich]
    after[poor] += part / people[poor]

    assert gini(after, people) < gini(value, people)
    assert theil(after, people).total < theil(value, people).total


@FEW
@given(town=towns(), order=st.permutations(HOMES))
def test_the_order_of_rows_does_not_matter(town: tuple[pd.Series, pd.Series, pd.Series], order: list[str]) -> None:
    value, people, unit = town
    shuffled = [home for home in order if home in value.index]

    assert gini(value[shuffled], people) == pytest.approx(gini(value, people), abs=1e-12)
    found = theil(value, people[shuffled], unit[shuffled])
    assert (found.total, found.between) == pytest.approx((theil(*town).total, theil(*town).between), abs=1e-12)


@FEW
@given(towns())
def test_the_lorenz_curve_rises_below_the_diagonal(town: tuple[pd.Series, pd.Series, pd.Series]) -> None:
    curve = lorenz(*town[:2])
    slope = np.diff(curve["share_of_value"]) / np.diff(curve["share_of_people"])

    assert curve.iloc[[0, -1]].to_numpy() == pytest.approx(np.array([[0, 0], [1, 1]]))
    assert (np.diff(slope) > 0).all()
    assert (curve["share_of_value"] <= curve["share_of_people"] + 1e-12).all()


@FEW
@given(towns())
def test_shares_of_units_add_up_to_all(town: tuple[pd.Series, pd.Series, pd.Series]) -> None:
    value, people, unit = town

    table = shares(pd.DataFrame({"people": people, "unit": unit}), value)

    assert table[["share_of_people", "share_of_value"]].sum().tolist() == pytest.approx([1, 1])
    assert (table["people"] * table["mean"]).sum() == pytest.approx((value * people).sum())


# ---- how firm -------------------------------------------------------------------------------------------------------

SERVED = pd.Series(np.arange(200) % 4 == 0, dtype=float)
PEOPLE = pd.Series(np.full(200, 50.0))
UNIT = pd.Series(np.where(np.arange(200) % 4 == 0, "A", "B"))


def test_the_same_seed_gives_the_same_interval_and_another_another() -> None:
    ask = [confidence(lambda p: gini(SERVED, p), PEOPLE, seed=seed, runs=50) for seed in (1, 1, 2)]

    assert ask[0] == ask[1] != ask[2]


def test_no_noise_leaves_no_doubt() -> None:
    found = confidence(lambda p: gini(SERVED, p), PEOPLE, noise=0.0, runs=5)

    assert found.low == found.value == found.high == 0.75


def test_errors_that_go_together_are_wider_than_errors_that_cancel_out() -> None:
    alone = confidence(lambda p: gini(SERVED, p), PEOPLE, runs=100)
    together = confidence(lambda p: gini(SERVED, p), PEOPLE, together=UNIT, runs=100)

    assert alone.low < alone.value < alone.high
    assert together.high - together.low > 3 * (alone.high - alone.low)


def test_noise_neither_adds_nor_takes_people_on_average() -> None:
    total = confidence(lambda p: float(p.sum()), PEOPLE, noise=0.5, runs=400, level=0.5)

    assert total.low < PEOPLE.sum() < total.high


def test_more_level_is_a_wider_interval_around_a_narrower() -> None:
    narrow, wide = (confidence(lambda p: gini(SERVED, p), PEOPLE, runs=100, level=level) for level in (0.5, 0.95))

    assert wide.low < narrow.low < narrow.high < wide.high


# ---- what is refused ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("value", "people", "key"),
    [
        ({"h": 1.0}, {"i": 1}, "fairness.other_ids"),
        ({"h": -1.0}, {"h": 1}, "table.negative"),
        ({"h": math.nan}, {"h": 1}, "table.not_number"),
        ({"h": 1.0}, {"h": 0}, "fairness.no_people"),
    ],
)
def test_what_cannot_be_compared_is_refused(value: dict[str, float], people: dict[str, int], key: str) -> None:
    with pytest.raises(InputError) as caught:
        gini(pd.Series(value), pd.Series(people))

    assert [fault.key for fault in caught.value.faults] == [key]


def test_a_point_without_a_unit_is_refused() -> None:
    town = pd.DataFrame({"people": [1], "unit": [None]}, index=["h"])

    with pytest.raises(InputError, match="unit is empty"):
        shares(town, pd.Series({"h": 1.0}))


def test_comparing_groups_needs_groups() -> None:
    town = pd.DataFrame({"people": [1], "unit": ["A"]}, index=["h"])

    with pytest.raises(InputError, match="people_<group>; there are people, unit"):
        shares(town, pd.Series({"h": 1.0}), between="groups")


def test_comparing_streets_is_not_known() -> None:
    with pytest.raises(InputError, match="units, groups"):
        shares(pd.DataFrame({"people": [1]}, index=["h"]), pd.Series({"h": 1.0}), between="streets")  # type: ignore[arg-type]


def test_all_odd_questions_about_confidence_are_refused_at_once() -> None:
    with pytest.raises(InputError) as caught:
        confidence(lambda p: float(p.sum()), PEOPLE, noise=-1, runs=0, level=1.0)

    assert [fault.key for fault in caught.value.faults] == ["fairness.noise", "fairness.runs", "fairness.level"]
