"""Two plans compared: gains and losses are people's own, differences are named, a moved site has its price."""

import json
from dataclasses import replace
from pathlib import Path

import pytest
from typer.testing import CliRunner

import small_city
from browser import launched, visit
from walkshed import plan as planning
from walkshed.cli import commands
from walkshed.errors import InputError, MissingInputError
from walkshed.plan import Plan
from walkshed.publish.compare import compare_plans, compare_records, read_record
from walkshed.publish.page_compare import compare_html
from walkshed.publish.record import plan_json, plan_record
from walkshed.scenario import Scenario


@pytest.fixture(scope="module")
def scenario(tmp_path_factory: pytest.TempPathFactory) -> Scenario:
    return Scenario.read(small_city.write(tmp_path_factory.mktemp("city")))


@pytest.fixture(scope="module")
def a(scenario: Scenario) -> Plan:
    return planning.run(scenario)


@pytest.fixture(scope="module")
def b(scenario: Scenario, a: Plan) -> Plan:
    return planning.run(scenario.revise(siting={"forbidden": [a.sites.index[0]]}))


def test_a_plan_does_not_differ_from_itself(a: Plan) -> None:
    found = compare_plans(a, a)

    assert (found.gain, found.lose, found.differs, found.moved, found.new) == (0, 0, (), (), ())
    assert found.kept == tuple(a.sites.index)
    assert (found.units["change"] == 0).all()


def test_who_gains_and_who_loses_are_counted_one_by_one(a: Plan, b: Plan) -> None:
    people, was, now = a.demand["people"], a.demand["served_after"], b.demand["served_after"]

    found = compare_plans(a, b)

    assert found.gain == (people * (now - was).clip(lower=0)).sum() > 0
    assert found.lose == (people * (was - now).clip(lower=0)).sum() > 0
    assert found.units["change"].sum() == found.gain - found.lose
    assert (found.units["gain"] - found.units["lose"]).tolist() == found.units["change"].tolist()


def test_it_turns_round(a: Plan, b: Plan) -> None:
    there, back = compare_plans(a, b), compare_plans(b, a)

    assert (there.gain, there.lose) == (back.lose, back.gain)


def test_what_differs_is_named_by_its_key(a: Plan, b: Plan) -> None:
    [said] = compare_plans(a, b).difference("en")

    assert said == f"siting.forbidden: – → ['{a.sites.index[0]}']"


def test_data_are_told_apart_by_their_fingerprints(a: Plan) -> None:
    one = plan_record(a)
    first, *rest = one["provenance"]["inputs"]
    inputs = [{**first, "sha256": "f" * 64}, *rest[1:]]
    other = {**one, "provenance": {**one["provenance"], "inputs": inputs}}

    keys = {key for key, _ in compare_records(one, other).differs}

    assert keys == {"compare.input_changed", "compare.input_only_a"}


def test_a_site_that_moved_says_what_keeping_it_would_cost(scenario: Scenario, a: Plan) -> None:
    lonely = planning.run(scenario.revise(siting={"required": ["c3"] if "c3" in a.candidates.index else [a.candidates.index[-1]]}))  # fmt: skip  # noqa: E501

    [moved] = compare_plans(lonely, a).moved

    assert moved.loss == a.totals["served_after"] - lonely.totals["served_after"]
    assert moved.candidate is True
    assert moved.to == "中心商场"
    assert f"{moved.loss:,.0f} 人" in moved.sentence("zh")


def test_folders_of_results_are_compared_by_what_they_tell(a: Plan, b: Plan, tmp_path: Path) -> None:
    for name, plan in (("a", a), ("b", b)):
        (tmp_path / name).mkdir()
        (tmp_path / name / "plan.json").write_bytes(plan_json(plan))

    found = compare_records(*(read_record(tmp_path / name) for name in ("a", "b")))

    assert found.gain is None
    assert found.units["change"].sum() == b.totals["served_after"] - a.totals["served_after"]
    assert [moved.name for moved in found.moved] == a.sites["name"].tolist()
    assert json.loads(json.dumps(found.record()))["sites"]["new"][0]["name"] == b.sites["name"].iloc[0]


def test_what_is_no_plan_is_refused(tmp_path: Path) -> None:
    (tmp_path / "plan.json").write_text("[]")

    with pytest.raises(InputError, match="cannot be read"):
        read_record(tmp_path)
    with pytest.raises(MissingInputError, match="no scenario file"):
        read_record(tmp_path / "nowhere")


def test_other_people_are_refused(a: Plan) -> None:
    with pytest.raises(InputError, match="compare"):
        compare_plans(a, replace(a, demand=a.demand.assign(people=1.0)))


def test_plans_of_one_title_are_told_apart_by_their_names(a: Plan, b: Plan) -> None:
    other = replace(b, scenario=b.scenario.revise(name="small-b"))

    said = compare_html(a, other, compare_plans(a, other)).decode()

    assert "甲：小城 (small)" in said
    assert "乙：小城 (small-b)" in said


@pytest.mark.browser
def test_the_map_says_what_its_colours_mean_and_fetches_nothing(
    chromium: str, a: Plan, b: Plan, tmp_path: Path
) -> None:
    path = tmp_path / "compare.html"
    hostile = replace(b, units=b.units.assign(label="<img src=x onerror=alert(1)>"))
    path.write_bytes(compare_html(a, hostile, compare_plans(a, hostile)))
    legend = "() => [...document.querySelectorAll('#legend .zh')].map((e) => e.textContent)"

    with launched(chromium) as window:
        seen = visit(window, path, lambda page: page.evaluate(legend))

    assert {"由甲到乙失去服务", "由甲到乙得到服务", "两个方案都服务"} <= set(seen.result)
    assert (seen.requests, seen.errors, seen.dialogs) == ([], [], [])


def test_the_command_compares_folders_and_refuses_a_map_of_them(a: Plan, b: Plan, tmp_path: Path) -> None:
    for name, plan in (("a", a), ("b", b)):
        (tmp_path / name).mkdir()
        (tmp_path / name / "plan.json").write_bytes(plan_json(plan))
    line = ["compare", str(tmp_path / "a"), str(tmp_path / "b"), "--lang", "zh"]

    told, as_json, refused = (CliRunner().invoke(commands, [*line, *more]) for more in ([], ["--json"], ["--out", "x"]))

    assert f"乙减甲 {b.totals['served_after'] - a.totals['served_after']:+,.0f}" in told.stdout
    assert json.loads(as_json.stdout)["sites"]["new"][0]["id"] == b.sites.index[0]
    assert (refused.exit_code, "两个方案文件" in refused.stderr) == (2, True)
