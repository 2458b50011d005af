"""The workbook: numbers are numbers, sheets are what people look for, nothing in a cell is run."""

import io
import zipfile
from typing import Any

import openpyxl
import pytest

from publish_world import TownPlan, town
from walkshed.publish.workbook import report_xlsx

HOSTILE = '=HYPERLINK("http://x","y")\x07\u202e' + "长" * 40_000


@pytest.fixture(scope="module")
def plan() -> TownPlan:
    return town()


@pytest.fixture(scope="module")
def book(plan: TownPlan) -> Any:
    return openpyxl.load_workbook(io.BytesIO(report_xlsx(plan)))


def test_the_sheets_people_look_for_are_there_with_their_heads_frozen(book: Any) -> None:
    assert book.sheetnames == [
        "概要 Summary", "区县 Units", "建议馆点 Sites", "缺口 Gaps", "对照标准 Standards", "方法与来源 Method",
    ]  # fmt: skip
    assert {sheet.freeze_panes for sheet in book} == {"A2"}
    assert all("\n" in cell.value for sheet in book for cell in sheet[1])


def test_numbers_are_numbers_and_add_up(book: Any, plan: TownPlan) -> None:
    head, *rows = book["区县 Units"].iter_rows()
    column = {cell.value.split("\n")[1]: i for i, cell in enumerate(head)}
    people = [row[column["People"]].value for row in rows]
    units = len(plan.units)

    assert sum(people[:units]) == people[units] == plan.totals["people"]
    share = rows[0][column["Share today"]]
    assert (share.value, share.number_format) == (plan.units["share_before"].iloc[0], "0.0%")
    assert rows[0][column["People"]].number_format == "#,##0"


def test_the_summary_is_the_plan_s(book: Any, plan: TownPlan) -> None:
    said = {row[0].value.split(" ")[0]: row[1] for row in book["概要 Summary"].iter_rows(min_row=2)}

    assert said["新增后可达人口"].value == plan.totals["served_after"]
    assert said["现状占比"].number_format == "0.0%"
    assert "示意数据" in said["数据"].value


def test_the_same_plan_gives_the_same_bytes_without_a_clock(plan: TownPlan) -> None:
    packed = report_xlsx(plan)

    assert packed == report_xlsx(plan)
    with zipfile.ZipFile(io.BytesIO(packed)) as held:
        assert {entry.date_time for entry in held.infolist()} == {(1980, 1, 1, 0, 0, 0)}
        assert b"1980-01-01T00:00:00Z" in held.read("docProps/core.xml")


def test_no_cell_is_a_formula_whatever_the_names_say() -> None:
    hostile = town()
    sites = hostile.sites.assign(name=HOSTILE)
    gaps = hostile.gaps.assign(name="＝1+1", near="@x")
    packed = report_xlsx(town(sites=sites, gaps=gaps, title="+1"))

    cells = [c for sheet in openpyxl.load_workbook(io.BytesIO(packed)) for row in sheet.iter_rows() for c in row]

    assert "f" not in {cell.data_type for cell in cells}
    texts = [cell.value for cell in cells if isinstance(cell.value, str)]
    assert not [text for text in texts if text[0] in "=+-@＝＋－＠"]
    assert max(map(len, texts)) < 3_000


def test_a_plan_without_proposals_or_gaps_has_a_workbook_too(plan: TownPlan) -> None:
    nothing = town(sites=plan.sites.head(0), gaps=plan.gaps.head(0))

    book = openpyxl.load_workbook(io.BytesIO(report_xlsx(nothing)))

    assert book["建议馆点 Sites"].max_row == 1
