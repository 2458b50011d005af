"""The leadership page: its sentence is true, its map moves in time, nothing is fetched, nothing of the data is run."""

import io
import re
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import openpyxl
import pandas as pd
import pytest
from playwright.sync_api import Browser, Page

import small_city
from browser import launched, visit
from publish_world import MapWish, Proof, Question, town
from walkshed import plan as planning
from walkshed.plan import Plan
from walkshed.publish.page import headline, page_html
from walkshed.publish.page_charts import unit_bars
from walkshed.publish.page_places import gap_of, remaining, site_cards
from walkshed.publish.page_standards import season_rows, standard_rows, standards_table
from walkshed.publish.page_steps import Steps, site_steps
from walkshed.publish.workbook import report_xlsx
from walkshed.scenario import Scenario

HOSTILE = "<img src=x onerror=alert(1)>\"'&</script><script>alert(2)</script>{{ 7*7 }}$x^2$\u202e" + "长" * 10_000


@pytest.fixture(scope="module")
def window(chromium: str) -> Iterator[Browser]:
    with launched(chromium) as browser:
        yield browser


@pytest.fixture(scope="module")
def scenario(tmp_path_factory: pytest.TempPathFactory) -> Scenario:
    return Scenario.read(small_city.write(tmp_path_factory.mktemp("city")))


@pytest.fixture(scope="module")
def plan(scenario: Scenario) -> Plan:
    return planning.run(scenario)


@pytest.fixture(scope="module")
def yearly(scenario: Scenario) -> Plan:
    return planning.run(scenario.revise(siting={"build": None, "years": {"2026": 1, "2027": 1}}))


@pytest.fixture(scope="module")
def yearly_file(yearly: Plan, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("page") / "page.html"
    path.write_bytes(page_html(yearly))
    return path


def test_the_headline_says_what_is_built_and_what_it_does(plan: Plan) -> None:
    before, after = plan.totals["served_before"], plan.totals["served_after"]

    said = headline(plan, "zh")

    assert said.startswith("新增 1 个城市阅书房，步行 350 米内可达人口由")
    assert f"由 {before:,.0f} 人" in said
    assert f"提高到 {after:,.0f} 人" in said
    assert said.endswith("；已证明同规模方案中没有更好的。")


def test_an_open_bound_is_told_as_what_could_still_be_gained() -> None:
    proof = Proof(status="gap", value=1000.0, people=1000.0, bound=1001.0, gap=0.001)

    assert headline(town(siting=proof), "zh").endswith("；任何同规模方案至多再多 0.10%（1 人）。")
    assert headline(town(siting=proof), "en").endswith("more than another 0.10% (1 people).")


def test_a_plan_that_proposes_nothing_says_how_things_stand() -> None:
    nothing = town(sites=town().sites.iloc[:0])

    assert headline(nothing, "zh").startswith("现状：")
    assert b"data-step" not in page_html(nothing).split(b"<script")[0]


def test_every_year_shows_what_is_built_by_then(yearly: Plan) -> None:
    steps = Steps.of(yearly)

    assert [step.year for step in steps.times] == [0, 2026, 2027]
    assert [step.built for step in steps.times] == [0, 1, 2]
    assert [step.people for step in steps.times[1:]] == [phase.people for phase in yearly.years]
    assert steps.times[0].people == yearly.totals["served_before"]
    assert steps.times[-1].people == yearly.totals["served_after"]
    assert site_steps(yearly, steps) == [1, 2]


def test_people_gain_at_the_first_time_a_site_reaches_them(yearly: Plan) -> None:
    steps, demand = Steps.of(yearly), yearly.demand
    gains = (demand["served_after"] > demand["served_before"]).to_numpy()

    assert ((steps.first > 0) == gains).all()
    for number in (1, 2):
        people = demand["people"][steps.first == number].sum()
        assert people == steps.times[number].people - steps.times[number - 1].people


def test_people_of_a_gap_are_those_it_was_made_of(plan: Plan) -> None:
    gaps = gap_of(plan)
    unserved = plan.demand["people"] * (1 - plan.demand["served_before"])

    inside = unserved.groupby(gaps).sum().drop(-1, errors="ignore")

    assert inside.tolist() == plan.gaps["people"].tolist()


def test_the_workbook_gives_the_card_s_reason(plan: Plan) -> None:
    [card] = site_cards(plan, gap_of(plan))
    book = openpyxl.load_workbook(io.BytesIO(report_xlsx(plan)))
    cells = [str(cell.value) for page in book for row in page for cell in row if cell.value]

    assert [text for text in cells if "按顺序新增" in text and text in str(card["why"])]


def test_a_card_tells_which_gaps_it_fills_and_why_here(plan: Plan) -> None:
    [card] = site_cards(plan, gap_of(plan))
    said = str(card["why"])

    assert "中心商场" in said
    assert plan.siting.chosen[0] not in said
    filled = [float(n) for text in card["fills"] for n in re.findall(r"中的 (\d+) 人", str(text))]
    assert 0 < sum(filled) <= plan.sites["people_gained"].iloc[0]


def test_what_remains_is_counted_after_the_plan_and_its_fix_is_the_best_place_left(plan: Plan) -> None:
    rows = remaining(plan, gap_of(plan))
    left = plan.totals["people"] - plan.totals["served_after"]

    assert sum(row["left"] for row in rows) == left
    reach, problem = plan.problem.reach, plan.problem
    without = (plan.demand["people"] * (1 - plan.demand["served_after"])).to_numpy()
    for row in rows:
        mine = gap_of(plan) == row["number"] - 1
        best = max(
            sum(without[d] for d in reach.demand[reach.ptr[j] : reach.ptr[j + 1]] if mine[d])
            for j in range(len(problem.options))
        )
        assert (f"{best:,.0f} 人" in str(row["fix"])) == (best > 0)


def test_standards_are_read_off_walks_to_the_nearest_outlet(plan: Plan) -> None:
    rows = {row["limit_m"]: row for row in standard_rows(plan, standards_table(plan))}
    demand = plan.demand

    for limit_m, row in rows.items():
        assert row["share"] == demand["people"][demand["nearest_m"] <= limit_m].sum() / demand["people"].sum()
    assert {row["limit_m"] for row in season_rows(plan)} == {1116, 1039, 972, 720, 687, 657}


def test_bars_carry_their_words_as_text_and_the_same_table_gives_the_same_bars() -> None:
    units = pd.DataFrame({"label": ["南关区", "$x$ & <b>"], "share_before": [0.2, 0.0], "share_after": [0.35, 0.0]})

    svg = unit_bars(units)

    assert ">南关区</text>" in svg
    assert ">$x$ &amp; &lt;b&gt;</text>" in svg
    assert ">20.0 → 35.0 %</text>" in svg
    assert svg == unit_bars(units)


def test_over_years_the_headline_bounds_what_is_there_at_their_end(yearly: Plan) -> None:
    end = yearly.years[-1]
    loose = replace(yearly, years=(*yearly.years[:-1], replace(end, own_bound=end.people * 1.02)))

    assert end.own_bound == end.people
    assert headline(yearly, "zh").endswith("；已证明到 2027 年末，同规模方案中没有更好的。")
    assert headline(loose, "en").endswith(f"another 2.00% ({end.people * 0.02:,.0f} people).")


def test_over_years_every_site_says_why(yearly: Plan) -> None:
    cards = site_cards(yearly, gap_of(yearly))

    assert [card["verdict"] for card in cards] == [why.verdict for why in yearly.why]
    assert all(card["why"] for card in cards)
    assert [why.gained for why in yearly.why] == list(yearly.siting.people_gained)


def test_a_plan_over_years_never_takes_people_years_for_people(yearly: Plan) -> None:
    said = yearly.siting.sentence("en")

    assert f"serves {yearly.siting.people:,.0f} people when all are built" in said
    assert f"added up: {sum(year.people for year in yearly.years):,.0f}" in said


def test_the_same_plan_gives_the_same_page(plan: Plan) -> None:
    assert page_html(plan) == page_html(plan)


def test_a_map_without_an_approval_number_says_it_is_for_internal_use() -> None:
    without, given = (
        page_html(town(scenario=Question(MapWish(approval=a)))).decode() for a in (None, "吉S(2026)001号")
    )

    assert "内部使用" in without.split("<main>")[0]
    assert "地图管理条例" in without
    assert "审图号：吉S(2026)001号" in given.split("<main>")[0]
    assert "地图管理条例" not in given


def test_openstreetmap_is_credited_where_it_is_used() -> None:
    bare = town()
    own = replace(bare, provenance={**bare.provenance, "inputs": [{"name": "a", "sha256": "0", "licence": "CC0"}]})

    assert b"\xc2\xa9 OpenStreetMap contributors" in page_html(bare)
    assert b"OpenStreetMap" not in page_html(own).split(b"<script")[0]


@pytest.mark.browser
@pytest.mark.parametrize(("size", "hash_"), [((390, 844), ""), ((1920, 1080), "#en")])
def test_it_opens_with_no_network_and_fits_its_window(
    window: Browser, yearly_file: Path, size: tuple[int, int], hash_: str
) -> None:
    wide = "() => [document.documentElement.scrollWidth, document.querySelectorAll('.leaflet-people-pane img').length]"

    seen = visit(window, yearly_file, lambda page: page.evaluate(wide), size=size, hash_=hash_)

    assert seen.requests == []
    assert seen.errors == []
    assert seen.result[0] == size[0]
    assert seen.result[1] > 0


def at_each_time(page: Page) -> list[tuple[int, list[str]]]:
    """Pins in sight and the sentence said, at every time in turn."""
    found = []
    for button in page.locator("[data-step]").all():
        button.click()
        pins = page.evaluate("() => [...document.querySelectorAll('.pin')].filter((p) => p.offsetParent).length")
        found.append((pins, page.locator("[data-reading]:not([hidden]) .zh").all_inner_texts()))
    return found


@pytest.mark.browser
def test_years_come_one_after_the_other(window: Browser, yearly_file: Path, yearly: Plan) -> None:
    seen = visit(window, yearly_file, at_each_time)

    assert seen.errors == []
    assert [pins for pins, _ in seen.result] == [0, 1, 2]
    said = [f"{step.people:,.0f} 人" for step in Steps.of(yearly).times]
    assert all(len(texts) == 1 and people in texts[0] for (_, texts), people in zip(seen.result, said, strict=True))


@pytest.mark.browser
def test_nothing_in_the_data_is_run(window: Browser, tmp_path: Path) -> None:
    path = tmp_path / "page.html"
    path.write_bytes(page_html(town(hostile=HOSTILE)))

    seen = visit(window, path, lambda page: page.evaluate("document.querySelectorAll('img[src=x]').length"))

    assert seen.dialogs == []
    assert seen.errors == []
    assert seen.result == 0


@pytest.mark.browser
def test_on_paper_the_units_share_the_headline_s_sheet_and_go_back_after_it(window: Browser, yearly_file: Path) -> None:
    first_two = "[...document.querySelectorAll('main > section')].slice(0, 2).map((part) => part.id)"
    events = [f"dispatchEvent(new Event('{name}print'))" for name in ("before", "after")]
    turn = f"() => {{ const found = [{first_two}]; " + "".join(f"{e}; found.push({first_two}); " for e in events)

    seen = visit(window, yearly_file, lambda page: page.evaluate(turn + "return found; }"))

    assert seen.errors == []
    assert seen.result == [["map-part", "units-part"], ["units-part", "map-part"], ["map-part", "units-part"]]
