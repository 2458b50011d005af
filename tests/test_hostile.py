"""A city whose every name would do harm, through every output: nothing is run, nothing is lost, nothing breaks."""

import csv
import io
import json
import sqlite3
import zipfile
from collections.abc import Iterator
from pathlib import Path

import geopandas as gpd
import openpyxl
import pandas as pd
import pytest
from PIL import Image
from playwright.sync_api import Browser
from typer.testing import CliRunner

import small_city
from browser import launched, visit
from walkshed import plan as planning
from walkshed import publish
from walkshed.cli import commands
from walkshed.plan import Plan
from walkshed.publish.compare import compare_plans
from walkshed.publish.page_compare import compare_html
from walkshed.scenario import Scenario

SHORT = (
    '=HYPERLINK("javascript:alert(0)")<img src=x onerror=alert(1)>\'&</script><script>alert(2)</script>'
    "{{ 7*7 }}${7*7}$x^2$\u202egnp.\u2066`"
)
NASTY = SHORT + "长" * 10_000
STARTS = ("=", "+", "-", "@", "\t", "\r")  # what a spreadsheet takes for a formula


def quoted(text: str) -> str:
    return '"' + text.replace('"', '""') + '"'


@pytest.fixture(scope="module")
def file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Scenario file of a small city with nasty names of units, streets, outlets, places and the plan itself."""
    folder = tmp_path_factory.mktemp("city")
    scenario = small_city.write(folder)
    for table, column in (("units", "name"), ("streets", "name")):
        frame = gpd.read_file(folder / f"{table}.geojson")
        frame.assign(**{column: [f"{NASTY}{i}" for i in range(len(frame))]}).to_file(folder / f"{table}.geojson")
    for table in ("outlets", "candidates"):
        rows = pd.read_csv(folder / f"{table}.csv", encoding="utf-8-sig")
        rows["名称"] = [f"{NASTY}{table}{i}" for i in range(len(rows))]
        rows.to_csv(folder / f"{table}.csv", index=False, quoting=csv.QUOTE_ALL)
    text = scenario.read_text(encoding="utf-8").replace('title = "小城"', f"title = {json.dumps(NASTY)}")
    scenario.write_text(text, encoding="utf-8")
    return scenario


@pytest.fixture(scope="module")
def plan(file: Path) -> Plan:
    return planning.run(Scenario.read(file))


@pytest.fixture(scope="module")
def folder(plan: Plan, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Every file there is."""
    out = tmp_path_factory.mktemp("out")
    publish.write(plan, out, geojson=True, parquet=True, zipped=True)
    other = planning.run(plan.scenario.revise(siting={"forbidden": [plan.sites.index[0]]}))
    (out / "compare.html").write_bytes(compare_html(plan, other, compare_plans(plan, other)))
    return out


@pytest.fixture(scope="module")
def window(chromium: str) -> Iterator[Browser]:
    with launched(chromium) as browser:
        yield browser


def test_every_kind_of_file_is_looked_at_here(folder: Path) -> None:
    kinds = {path.suffix for path in folder.iterdir()}

    assert kinds == {".html", ".xlsx", ".csv", ".gpkg", ".geojson", ".parquet", ".png", ".json", ".zip"}


@pytest.mark.browser
@pytest.mark.parametrize("name", ["map", "page", "compare"])
@pytest.mark.parametrize("hash_", ["", "#en"])
def test_a_page_runs_nothing_of_the_data_and_keeps_its_width(
    window: Browser, folder: Path, name: str, hash_: str
) -> None:
    inside = "[document.scripts.length, document.querySelectorAll('[onerror], [src=x]').length]"
    press_all = "document.querySelectorAll('button').forEach((one) => one.id === 'print' || one.click())"
    wide = "document.documentElement.scrollWidth"
    ask = f"() => {{ const was = {inside}; {press_all}; return [...was, ...{inside}, {wide}]; }}"

    seen = visit(window, folder / f"{name}.html", lambda page: page.evaluate(ask), size=(1280, 800), hash_=hash_)

    assert (seen.requests, seen.errors, seen.dialogs) == ([], [], [])
    assert seen.result[0] == seen.result[2]
    assert (seen.result[1], seen.result[3], seen.result[4]) == (0, 0, 1280)


def test_a_workbook_holds_no_formula_and_no_link(folder: Path) -> None:
    book = openpyxl.load_workbook(folder / "report.xlsx")
    cells = [cell for sheet in book for row in sheet.iter_rows() for cell in row if cell.value is not None]

    assert [cell.coordinate for cell in cells if cell.data_type == "f" or cell.hyperlink] == []
    assert any(SHORT[:40] in str(cell.value) for cell in cells)
    assert max(len(str(cell.value)) for cell in cells) < 32_767  # what a cell of Excel can hold


def test_a_table_for_excel_starts_no_formula(folder: Path) -> None:
    tables = list(folder.glob("*.csv"))

    assert len(tables) == 2
    for table in tables:
        rows = list(csv.reader(io.StringIO(table.read_text(encoding="utf-8-sig"))))
        assert len({len(row) for row in rows}) == 1
        fields = [field for row in rows for field in row if field.startswith(STARTS)]
        assert [field for field in fields if not field.lstrip("+-").replace(".", "").isdigit()] == []
        assert any(SHORT in field for row in rows for field in row)


def test_layers_bring_the_names_back_as_they_were(folder: Path, plan: Plan) -> None:
    given = plan.outlets["name"].tolist()

    assert gpd.read_file(folder / "plan.gpkg", layer="outlets")["name"].tolist() == given
    assert gpd.read_parquet(folder / "outlets.parquet")["name"].tolist() == given
    features = json.loads((folder / "outlets.geojson").read_text(encoding="utf-8"))["features"]
    assert [feature["properties"]["name"] for feature in features] == given
    assert given[0].startswith(SHORT)
    with sqlite3.connect(folder / "plan.gpkg") as base:
        assert base.execute("PRAGMA integrity_check").fetchone() == ("ok",)


def test_the_record_holds_the_names_and_the_picture_is_one(folder: Path) -> None:
    record = json.loads((folder / "plan.json").read_text(encoding="utf-8"))

    assert record["title"] == NASTY
    assert record["sites"][0]["name"].startswith(SHORT)
    with Image.open(folder / "map.png") as picture:
        picture.load()
        assert picture.format == "PNG"
    with zipfile.ZipFile(folder / "plan.zip") as archive:
        assert archive.testzip() is None
        assert sorted(archive.namelist()) == sorted({p.name for p in folder.iterdir()} - {"plan.zip", "compare.html"})


@pytest.mark.parametrize("lang", ["zh", "en"])
def test_the_terminal_turns_no_text_round_and_stays_short(file: Path, tmp_path: Path, lang: str) -> None:
    told = CliRunner().invoke(commands, ["plan", str(file), "--lang", lang, "--out", str(tmp_path)])

    assert told.exit_code == 0
    assert not {"\u202e", "\u2066", "\x1b"} & set(told.stdout)
    assert len(told.stdout) < 60_000
