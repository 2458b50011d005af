"""What would be if: changes, places, gaps and comparisons, on a city small enough to count by hand."""

from typing import Any

import pytest
from shapely import Point

from small_city import SCENARIO, SIDE, at, write
from walkshed import plan
from walkshed.errors import InputError
from walkshed.ground import Ground, prepare
from walkshed.plan import Plan, answer, kinds_of
from walkshed.scenario import Scenario
from walkshed.sources.load import load
from walkshed.whatif import changed, compare, gap_card, mean_walk_m, try_place


@pytest.fixture(scope="module")
def asked(tmp_path_factory: pytest.TempPathFactory) -> Scenario:
    return Scenario.read(write(tmp_path_factory.mktemp("city"), scenario=SCENARIO))


@pytest.fixture(scope="module")
def ground(asked: Scenario) -> Ground:
    return prepare(load(asked), asked)


def with_(asked: Scenario, *changes: dict[str, Any]) -> Scenario:
    return asked.revise(change=[{"why": "试", **change} for change in changes])


def answered(ground: Ground, asked: Scenario, *changes: dict[str, Any]) -> Plan:
    return answer(ground, with_(asked, *changes))


def within(col: int, row: int, limit: int) -> int:
    """Crossings at most `limit` blocks from one, along the streets."""
    return sum(abs(c - col) + abs(r - row) <= limit for c in range(SIDE + 1) for r in range(SIDE + 1))


def where(col: int, row: int) -> dict[str, Any]:
    return {"lon": at(col, row).x, "lat": at(col, row).y, "crs": "wgs84"}


def first(ground: Ground) -> str:
    return str(ground.city.outlets.index[0])


def test_a_question_that_changes_no_site_stands_on_the_very_same_ground(ground, asked) -> None:
    assert changed(ground, asked) is ground


def test_closing_the_only_outlet_leaves_nobody_served(ground, asked) -> None:
    assert answered(ground, asked, {"type": "close", "site": first(ground)}).totals["served_before"] == 0


def test_what_was_closed_can_be_opened_again(ground, asked) -> None:
    site = {"site": first(ground)}

    made = answered(ground, asked, {"type": "close", **site}, {"type": "open", **site})

    assert made.totals == answered(ground, asked).totals


def test_a_moved_outlet_serves_those_around_its_new_place(ground, asked) -> None:
    made = answered(ground, asked, {"type": "move", "site": first(ground), **where(5, 5)})

    assert made.totals["served_before"] == 10 * within(5, 5, 3)


def test_an_added_outlet_serves_beside_the_others_only_if_it_is_open(ground, asked) -> None:
    new = {"type": "add", "site": "new", "name": "新馆", "kind": "library", **where(8, 8)}

    planned, opened = (answered(ground, asked, {**new, "status": s}) for s in ("planned", "open"))

    assert planned.totals["served_before"] == 10 * within(0, 0, 3)
    assert opened.totals["served_before"] == 10 * (within(0, 0, 3) + within(8, 8, 3))
    assert {"new"} == set(planned.outlets.index) - set(ground.city.outlets.index)


def test_an_added_candidate_can_be_chosen(ground, asked) -> None:
    new = {"type": "add", "site": "new", "name": "新址", "kind": "mall", "status": "candidate", **where(5, 5)}

    made = answered(ground, asked, new, {"type": "require", "site": "new"})

    assert made.sites.index.tolist() == ["new"]


def test_changes_never_touch_the_ground_they_are_laid_on(ground, asked) -> None:
    before = ground.city.outlets.copy()

    answered(ground, asked, {"type": "move", "site": first(ground), **where(5, 5)})

    assert ground.city.outlets.equals(before)


def test_a_kind_whose_share_is_none_is_switched_off(ground, asked) -> None:
    off = asked.revise(kinds={ground.city.outlets["kind"].iloc[0]: {"share": 0.0}})

    made = answer(ground, off)

    assert (made.totals["served_before"], made.units["outlets"].sum()) == (0, 0)
    assert made.demand["nearest_m"].isna().all()


def test_every_wrong_change_is_told_at_once(ground, asked) -> None:
    new = {"type": "add", "site": first(ground), "name": "n", "kind": "library", "crs": "wgs84"}

    with pytest.raises(InputError) as caught:
        answered(ground, asked, {"type": "close", "site": "no"}, {**new, "lon": 10.0, "lat": 50.0})

    assert [fault.key for fault in caught.value.faults] == ["whatif.unknown", "whatif.twice", "whatif.outside"]


def test_a_file_of_the_same_changes_gives_the_same_numbers(ground, asked, tmp_path) -> None:
    wanted = with_(asked, {"type": "move", "site": first(ground), **where(5, 5)})
    folder = write(tmp_path, scenario=wanted.to_toml())

    assert plan.run(Scenario.read(folder)).totals == answer(ground, wanted).totals


def test_a_place_tried_out_serves_what_an_added_outlet_there_does(ground, asked) -> None:
    today = answer(ground, asked)
    spot = ground.city.area.units.geometry.iloc[0]
    here = answered(ground, asked, {"type": "add", "site": "n", "name": "n", "kind": "library", "status": "open", **where(2, 1)})  # fmt: skip  # noqa: E501

    tried = try_place(ground, today.demand, _point(ground, 2, 1), kinds_of(asked)["library"], asked)

    assert spot is not None
    assert tried.people == 10 * within(2, 1, 3)
    assert tried.more == here.totals["served_before"] - today.totals["served_before"]
    assert tried.groups["60p"] == pytest.approx(
        here.groups.loc["60p", "served_before"] - today.groups.loc["60p", "served_before"]
    )
    assert tried.access_m == pytest.approx(0, abs=0.1)


def test_a_place_far_from_any_street_serves_nobody(ground, asked) -> None:
    far = Point(ground.city.area.units.total_bounds[0] - 5_000, ground.city.area.units.total_bounds[1])

    tried = try_place(ground, answer(ground, asked).demand, far, kinds_of(asked)["library"], asked)

    assert (tried.people, tried.foot) == (0, None)


def _point(ground: Ground, col: int, row: int) -> Point:
    import geopandas as gpd  # noqa: PLC0415  one line's worth

    return gpd.GeoSeries([at(col, row)], crs="EPSG:4326").to_crs(ground.city.area.crs).iloc[0]


def test_a_gap_s_card_counts_its_people_and_names_the_site_that_serves_most_of_them(ground, asked) -> None:
    made = answer(ground, asked)
    gap = made.gaps.iloc[0]

    card = gap_card(ground, made.demand, gap.geometry, asked)

    assert card.groups["all"] == pytest.approx(gap["people"])
    assert card.best in ground.city.candidates.index
    assert 0 < card.best_people <= gap["people"]
    assert card.nearest.index.tolist() == [first(ground)]


def test_comparing_counts_who_gains_and_who_loses(ground, asked) -> None:
    a = answer(ground, asked)
    b = answered(ground, asked, {"type": "move", "site": first(ground), **where(5, 5)})

    found = compare(a.demand, b.demand, a.units, when="served_before")

    assert (found.gain, found.lose) == (10 * within(5, 5, 3), 10 * within(0, 0, 3))
    assert found.units["gain"].sum() == found.gain
    assert found.units["served_b"].sum() == b.totals["served_before"]


def test_answers_about_other_people_are_not_compared(ground, asked) -> None:
    a = answer(ground, asked)

    with pytest.raises(InputError):
        compare(a.demand, a.demand.iloc[1:], a.units)


def test_the_mean_walk_counts_people_not_places(ground, asked) -> None:
    made = answer(ground, asked)

    each = [abs(c) + abs(r) for c in range(SIDE + 1) for r in range(SIDE + 1)]
    block_m = made.demand["nearest_m"].max() / max(each)
    assert mean_walk_m(made.demand) == pytest.approx(block_m * sum(each) / len(each), rel=1e-3)


def test_where_no_way_leads_to_an_outlet_there_is_no_mean_walk(ground, asked) -> None:
    made = answered(ground, asked, {"type": "close", "site": first(ground)})

    assert mean_walk_m(made.demand) != mean_walk_m(made.demand)
