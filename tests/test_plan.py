"""The main job end to end, on a city in files small enough to count by hand."""

import json
from pathlib import Path

import pytest

from small_city import SCENARIO, SIDE, at, write
from walkshed import plan, publish
from walkshed.errors import InfeasibleError, InputError
from walkshed.plan import Plan
from walkshed.scenario import Scenario


def run(folder: Path, scenario: str = SCENARIO, **options: str) -> Plan:
    return plan.run(Scenario.read(write(folder, scenario=scenario, **options)))


def within(col: int, row: int, limit: int) -> int:
    """Crossings at most `limit` blocks from one, along the streets."""
    return sum(abs(c - col) + abs(r - row) <= limit for c in range(SIDE + 1) for r in range(SIDE + 1))


def test_everything_is_what_one_counts_by_hand(tmp_path) -> None:
    made = run(tmp_path)

    assert made.totals["people"] == 1210
    assert made.totals["served_before"] == 10 * within(0, 0, 3)
    assert made.sites["name"].tolist() == ["中心商场"]
    assert made.sites["people_gained"].tolist() == [10.0 * within(5, 5, 3)]
    assert made.totals["served_after"] == made.siting.people == made.siting.bound == 10 * (10 + 25)
    assert made.gaps["people"].sum() == 1210 - 100
    assert made.units["outlets"].to_dict() == {"w": 1, "e": 0}
    assert made.groups.loc["60p", "served_before"] == 20


def test_the_record_and_the_plan_say_the_same(tmp_path) -> None:
    made = run(tmp_path)
    publish.write(made, tmp_path / "out")

    record = json.loads((tmp_path / "out" / "plan.json").read_text(encoding="utf-8"))

    assert record["totals"]["served_after"] == made.totals["served_after"]
    assert {u["id"]: u["people"] for u in record["units"]} == made.units["people"].to_dict()
    assert sum(u["served_after"] for u in record["units"]) == record["totals"]["served_after"]
    assert {i["name"] for i in record["provenance"]["inputs"]} == {
        "units.geojson", "streets.geojson", "cells.csv", "outlets.csv", "candidates.csv"
    }  # fmt: skip


def test_the_same_question_gives_the_same_bytes(tmp_path) -> None:
    made = [publish.render(run(tmp_path)) for _ in range(2)]

    same = {name for name in made[0] if made[0][name] == made[1][name]}

    assert same >= {"plan.json", "map.html", "sites.csv", "units.csv", "plan.gpkg"}


def test_a_closed_outlet_serves_nobody(tmp_path) -> None:
    library = at(0, 0)
    closed = f"名称,类型,经度,纬度,status\n老图书馆,library,{library.x},{library.y},closed\n"

    assert run(tmp_path, outlets=closed).totals["served_before"] == 0


def test_half_a_service_counts_half(tmp_path) -> None:
    made = run(tmp_path, SCENARIO + "[kinds.library]\nshare = 0.5\n")

    assert made.totals["served_before"] == 0.5 * 10 * within(0, 0, 3)
    assert made.problem is not None
    assert made.problem.held.max() == 0.5


def test_a_kind_s_own_limit_holds_for_it_alone(tmp_path) -> None:
    made = run(tmp_path, SCENARIO + "[kinds.library]\nlimit_m = 150\n[kinds.reading_room]\nlimit_m = 450\n")

    assert made.totals["served_before"] == 10 * within(0, 0, 1)
    assert made.sites["people_gained"].tolist() == [10.0 * within(5, 5, 4)]


def test_distance_bands_hold_for_what_stands_and_for_what_is_built(tmp_path) -> None:
    bands = "bands = [{ up_to_m = 150, share = 1.0 }, { up_to_m = 350, share = 0.5 }]\n"

    made = run(tmp_path, SCENARIO + bands)

    assert made.totals["served_before"] == 10 * (3 + 0.5 * (within(0, 0, 3) - 3))
    assert made.siting.people == made.totals["served_after"]


@pytest.mark.parametrize(
    "model", ["set_cover", "p_median", "p_center", "fair_cover", "capacitated_cover", "backup_cover"]
)
def test_every_model_answers_from_the_scenario_file(tmp_path, model) -> None:
    extra = f'model = "{model}"\n' + {"set_cover": "share = 0.3\n", "capacitated_cover": "capacity = 100\n"}.get(
        model, ""
    )

    made = run(tmp_path, SCENARIO.replace("build = 1", "build = 2") + extra)

    assert made.siting.status == "proven"
    assert len(made.sites) >= 1
    assert made.totals["served_after"] >= made.totals["served_before"]


def test_years_are_nested_and_each_knows_its_price(tmp_path) -> None:
    made = run(tmp_path, SCENARIO.replace("build = 1", "years = { 2026 = 1, 2027 = 1 }"))

    assert [year.year for year in made.years] == [2026, 2027]
    assert sorted(made.sites["year"]) == [2026, 2027]
    assert made.years[1].people == made.totals["served_after"]


def test_rules_that_contradict_each_other_are_an_answer(tmp_path) -> None:
    with pytest.raises(InfeasibleError) as caught:
        run(tmp_path, SCENARIO + "floors = { e = 1, w = 1 }\n")

    assert "floor" in caught.value.text("en")


def test_a_file_with_nothing_in_the_area_is_refused(tmp_path) -> None:
    far = "clip = [10.0, 50.0, 10.1, 50.1]\n[streets]"

    with pytest.raises(InputError):
        run(tmp_path, SCENARIO.replace("[streets]", far))


def test_every_site_can_say_why(tmp_path) -> None:
    [why] = run(tmp_path).why

    assert why.gained == 250.0
    assert why.verdict == "firm"


def test_a_place_that_is_required_is_explained_by_what_it_costs(tmp_path) -> None:
    made = plan.run(Scenario.read(write(tmp_path, scenario=SCENARIO + 'required = ["c:s1"]\n')))

    [why] = made.why
    assert why.loss == -180  # 中心商场 would serve 250, 近处公园 serves 70
    assert "180 more" in why.sentence("en")


def test_distances_from_elsewhere_stand_in_for_streets(tmp_path) -> None:
    file = write(
        tmp_path, scenario=SCENARIO.replace('[streets]\nsource = "streets.geojson"', '[reach]\nsource = "od.csv"')
    )
    (tmp_path / "od.csv").write_text("from_id,to_id,distance_m\nd1,s1,10\nd2,s1,350\nd3,s1,351\nd9,c:s1,5\nd1,c:s1,5\n")

    made = plan.run(Scenario.read(file))

    assert made.totals["served_before"] == 20
    assert made.totals["served_after"] == 30
    assert made.sites["name"].tolist() == ["近处公园"]
    assert made.demand["nearest_m"].notna().sum() == 3
    assert publish.render(made)["map.html"]


def test_a_table_of_distances_with_unknown_ids_is_refused_with_its_rows(tmp_path) -> None:
    file = write(tmp_path, scenario=SCENARIO + '[reach]\nsource = "od.csv"\n')
    (tmp_path / "od.csv").write_text("from_id,to_id,distance_m\nd1,s1,10\nzz,s1,-3\n")

    with pytest.raises(InputError, match=r"from_id is no demand point \(rows 2\)") as caught:
        plan.run(Scenario.read(file))

    assert len(caught.value.faults) == 2
