"""Parts of the app without a page: uploads that would do harm, files handed over, what is kept, words, the map."""

import ast
import base64
import gc
import io
import re
import threading
import weakref
import zipfile
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from pyproj import CRS

from small_city import SCENARIO, at, write
from walkshed import plan, publish
from walkshed.errors import Fault, InputError
from walkshed.publish.images import CLASSES, STATES, Cells, mercator
from walkshed.publish.record import plan_record
from walkshed.scenario import Scenario
from walkshed.views.answers import PLANS, Answer, answer, city_key, files_key, people_of, unproposed
from walkshed.views.data_outlets import checked_table
from walkshed.views.desk import Desk, plain
from walkshed.views.handover import contents, zipped
from walkshed.views.kept import Kept
from walkshed.views.mapview import city_script
from walkshed.views.people import canvases, painted
from walkshed.views.scenarios_shelf import FILE_MAX, read_file
from walkshed.views.upload import UPLOAD_MAX, label_of, stored, suffix_of
from walkshed.words import _sentences
from walkshed.workspace import Workspace

VIEWS = Path(__file__).parents[1] / "coverage" / "walkshed" / "views"


@pytest.fixture(scope="module")
def desk(tmp_path_factory: pytest.TempPathFactory) -> Desk:
    folder = tmp_path_factory.mktemp("space")
    (folder / "town").mkdir()
    return Desk(Workspace.open(folder), None, Scenario.read(write(folder / "town", scenario=SCENARIO)), "en")


@pytest.fixture(scope="module")
def found(desk: Desk) -> Answer:
    return answer(desk.scenario)


# ---- answers ----


def test_an_answer_of_the_app_is_the_command_line_s(found: Answer, desk: Desk) -> None:
    assert plan_record(found.plan) == plan_record(plan.run(desk.scenario))


def test_without_a_proposal_everything_of_today_is_the_same(found: Answer, desk: Desk) -> None:
    today = answer(desk.scenario, propose=False).plan

    assert today.sites.empty
    assert today.totals["served_before"] == found.plan.totals["served_before"]
    assert today.gaps["people"].tolist() == found.plan.gaps["people"].tolist()


def test_what_falls_with_distance_stays_where_nothing_is_proposed() -> None:
    bands = [{"up_to_m": 500.0, "share": 1.0}, {"up_to_m": 900.0, "share": 0.5}]

    assert len(unproposed(Scenario.default().revise(siting={"bands": bands})).siting.bands) == 2


def test_the_same_answer_is_worked_out_once_for_everybody(desk: Desk, found: Answer) -> None:
    assert answer(Scenario.read(desk.scenario.base_dir)) is found


def test_a_changed_file_is_another_city(desk: Desk, found: Answer) -> None:
    cells = desk.scenario.path("cells.csv")
    text = cells.read_text(encoding="utf-8")
    cells.write_text(text.replace(",10,2", ",20,2"), encoding="utf-8")

    assert answer(desk.scenario).plan.totals["people"] == 2 * found.plan.totals["people"]
    cells.write_text(text, encoding="utf-8")


def cut(scenario: Scenario) -> Scenario:
    """Nobody crosses a line right of the library any more."""
    line = [(at(0.5, -0.5).x, at(0.5, -0.5).y), (at(0.5, 8.5).x, at(0.5, 8.5).y)]
    return scenario.revise(change=[{"type": "block", "line": line, "crs": "wgs84", "why": "the bridge is closed"}])


def test_a_bridge_that_is_closed_is_another_ground_and_the_command_line_s_numbers(found: Answer, desk: Desk) -> None:
    scenario = cut(desk.scenario)

    closed = answer(scenario)

    assert closed.ground is not found.ground
    assert plan_record(closed.plan) == plan_record(plan.run(scenario))
    assert closed.plan.totals["served_before"] < found.plan.totals["served_before"]
    assert answer(desk.scenario).ground is not closed.ground


@pytest.mark.parametrize(
    "change",
    [
        {"type": "block", "line": [(125.0, 43.0), (125.1, 43.0)]},
        {"type": "bridge", "line": [(125.0, 43.0), (125.1, 43.0)]},
        {"type": "gate", "lon": 125.0, "lat": 43.0},
    ],
)
def test_whatever_changes_streets_or_barriers_is_another_city_of_the_same_files(change: dict[str, object]) -> None:
    plain = Scenario.default()
    first, second = (plain.revise(change=[{**change, "crs": crs, "why": "w"}]) for crs in ("wgs84", "gcj02"))

    assert len({city_key(plain), city_key(first), city_key(second)}) == 3
    assert len({files_key(plain), files_key(first), files_key(second)}) == 1


@pytest.mark.parametrize(
    "sections",
    [{"seed": 7}, {"streets": {"island_m": 5.0}}, {"streets": {"scale": 0.5}}, {"standard": {"max_access_m": 99.0}}],
)
def test_whatever_the_city_is_read_with_is_another_city(sections: dict[str, object]) -> None:
    assert city_key(Scenario.default().revise(**sections)) != city_key(Scenario.default())


def test_what_is_only_asked_of_a_city_leaves_it_as_it_is() -> None:
    close = [{"type": "close", "site": "s1", "why": "w"}]
    other = Scenario.default().revise(standard={"id": "gb50180-5min"}, siting={"build": 9}, change=close, title="t")

    assert city_key(other) == city_key(Scenario.default())


def test_a_kind_the_city_does_not_have_is_found_though_the_city_is_known(found: Answer, desk: Desk) -> None:
    scenario = desk.scenario.revise(kinds={"metro": {"limit_m": 500.0}})

    assert plan_record(answer(scenario).plan) == plan_record(plan.run(scenario))


def test_many_who_ask_at_once_wait_for_one_maker() -> None:
    kept: Kept[int] = Kept(4)
    made, start = [], threading.Barrier(8)

    def ask() -> None:
        start.wait()
        kept.get("k", lambda: made.append(1) or len(made))

    threads = [threading.Thread(target=ask) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert made == [1]


def test_what_failed_may_be_asked_for_again() -> None:
    kept: Kept[int] = Kept(1)
    with pytest.raises(ZeroDivisionError):
        kept.get("k", lambda: 1 // 0)

    assert "k" not in kept
    assert kept.get("k", lambda: 7) == 7


# ---- uploads ----


def test_an_upload_is_known_by_its_content() -> None:
    with pytest.raises(InputError):
        suffix_of(b"", "a.csv")
    with pytest.raises(InputError):
        suffix_of(b"\x7fELF\x00\x00", "outlets.csv")
    with pytest.raises(InputError):
        suffix_of(b"a" * (UPLOAD_MAX + 1), "outlets.csv")


@pytest.mark.parametrize("name", ["../../evil.csv", "/etc/passwd", "..\\x.csv", "con\x00.csv", "a" * 500])
def test_no_name_of_an_upload_leads_out_of_its_folder(tmp_path: Path, name: str) -> None:
    path = stored(b"a,b\n", name, tmp_path / "in")

    assert path == tmp_path / "in" / "outlets.csv"
    assert [p.name for p in tmp_path.rglob("*") if p.is_file()] == ["outlets.csv"]
    assert len(label_of(name)) <= 80


def bomb() -> bytes:
    """A workbook whose sheet unpacks to more than the largest that is read."""
    held = io.BytesIO()
    with zipfile.ZipFile(held, "w", zipfile.ZIP_DEFLATED) as parts, parts.open("xl/sheet1.xml", "w") as sheet:
        for _ in range(520):
            sheet.write(b"\0" * 2**20)
    return held.getvalue()


@pytest.mark.parametrize("content", [bomb(), b"PK\x03\x04rubbish", b"\x00\x01binary", b"just a line\n"])
def test_a_table_that_would_do_harm_or_is_none_is_refused_in_sentences(
    found: Answer, desk: Desk, content: bytes
) -> None:
    faults: tuple[Fault, ...] = ()
    try:
        faults = checked_table(content, "outlets.csv", "wgs84", found, desk).faults
    except InputError as error:
        faults = error.faults

    assert faults
    assert all(fault.text(lang) for fault in faults for lang in ("zh", "en"))


def test_a_table_with_faults_comes_back_with_them_beside_its_rows_and_no_formula(found: Answer, desk: Desk) -> None:
    here = at(3, 3)
    rows = f"名称,类型,经度,纬度\n=cmd|calc,library,{here.x},{here.y}\n书房,unknown,{here.x},{here.y}\n"

    checked = checked_table(rows.encode(), "outlets.csv", "wgs84", found, desk)

    assert checked.sites is None
    assert b"'=cmd|calc" in checked.copy
    assert b"unknown" in checked.copy


def test_a_table_without_faults_gives_its_outlets(found: Answer, desk: Desk) -> None:
    here = at(3, 3)

    checked = checked_table(
        f"名称,类型,经度,纬度\n书房,library,{here.x},{here.y}\n".encode(), "a.csv", "wgs84", found, desk
    )

    assert checked.sites is not None
    assert checked.sites["name"].tolist() == ["书房"]


@pytest.mark.parametrize(
    ("content", "key"),
    [
        (b"\xff\xfe\x00", "scenario.encoding"),
        (b"name = ", "scenario.syntax"),
        (b"#" * (FILE_MAX + 1), "app.file_too_large"),
    ],
)
def test_a_scenario_file_that_cannot_be_read_is_refused(desk: Desk, content: bytes, key: str) -> None:
    with pytest.raises(InputError) as caught:
        read_file(content, "x.toml", desk)

    assert [fault.key for fault in caught.value.faults] == [key]


def test_a_scenario_file_may_not_reach_outside_the_folder_of_its_city(desk: Desk) -> None:
    secret = desk.space.folder.parent / "secret.csv"
    secret.write_text("lon,lat,people\n", encoding="utf-8")
    text = SCENARIO.replace('"cells.csv"', '"../../secret.csv"')

    with pytest.raises(InputError) as caught:
        read_file(text.encode(), "x.toml", desk)

    assert [fault.key for fault in caught.value.faults] == ["app.file_outside"]


def test_a_scenario_file_comes_back_as_it_went(desk: Desk) -> None:
    assert read_file(desk.scenario.to_toml().encode(), "x.toml", desk) == desk.scenario


@pytest.mark.parametrize("text", ["![x](http://a/b.png)", "[a](javascript:1)", "# h", "<b>", "$x$", ":red[x]", "`c`"])
def test_text_from_data_is_never_markdown(text: str) -> None:
    assert re.search(r"(?<!\\)[!\[\]()#<>$:`]", plain(text)) is None


# ---- handing over ----


def test_the_zip_holds_every_file_and_the_scenario_that_gives_the_same_numbers(found: Answer, desk: Desk, tmp_path: Path) -> None:  # fmt: skip  # noqa: E501
    packed = zipped(contents(found))

    with zipfile.ZipFile(io.BytesIO(packed)) as parts:
        assert set(parts.namelist()) == {*publish.render(found.plan), "scenario.toml"}
        text = parts.read("scenario.toml").decode()
        told = parts.read("plan.json")
    again = plan.run(Scenario.parse(text, base_dir=desk.scenario.base_dir))
    assert publish.render(again)["plan.json"] == told


# ---- the map ----


def test_the_map_s_script_fetches_nothing_and_ends_no_element(found: Answer) -> None:
    script = city_script(found.plan, found.ground.city.candidates).decode()

    assert "</script" not in script
    assert set(re.findall(r"https?://[\w.]+", script)) <= {
        "http://www.w3.org",
        "https://leafletjs.com",
        "http://leafletjs.com",
    }


def test_the_middle_of_every_square_shows_its_class(found: Answer) -> None:
    items, cells = painted(found.plan.demand, canvases(found.plan.demand))
    row, column = np.nonzero(cells.classes)
    xy = np.stack([cells.west_m + (column + 0.5) * cells.cell_m, cells.north_m - (row + 0.5) * cells.cell_m], axis=1)
    shown = np.zeros(len(xy), int)
    for item in (i for i in items if i["to"] == 99):
        image = np.asarray(Image.open(io.BytesIO(base64.b64decode(item["uri"].split(",")[1]))))
        (south, west), (north, east) = item["bounds"]
        low, high = (mercator_of(lat, lon) for lat, lon in ((south, west), (north, east)))
        at = (mercator(cells.crs, xy) - low) / (high - low) * image.shape[::-1]
        inside = ((at >= 0) & (at < image.shape[::-1])).all(axis=1)
        value = image[image.shape[0] - 1 - at[inside, 1].astype(int), at[inside, 0].astype(int)]
        shown[inside] = np.where(value > 0, value + STATES.index(item["state"]) * CLASSES, shown[inside])

    assert shown.tolist() == cells.classes[row, column].tolist()


def mercator_of(lat: float, lon: float) -> np.ndarray:
    return mercator(CRS.from_epsg(4326), np.array([[lon, lat]]))[0]


# ---- words ----


def said() -> list[str]:
    """Patterns of every sentence the views ask for."""
    found = []
    for path in sorted(VIEWS.glob("*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and getattr(node.func, "attr", "") == "say" and node.args:
                for key in (
                    [node.args[0].body, node.args[0].orelse] if isinstance(node.args[0], ast.IfExp) else node.args[:1]
                ):
                    if isinstance(key, ast.Constant):
                        found.append(re.escape(str(key.value)))
                    elif isinstance(key, ast.JoinedStr):
                        found.append(
                            "".join(re.escape(p.value) if isinstance(p, ast.Constant) else r"\w+" for p in key.values)
                        )
    return found


def test_every_sentence_of_the_views_exists() -> None:
    known = [key.removeprefix("app.") for key in _sentences() if key.startswith("app.")]

    assert [p for p in said() if not any(re.fullmatch(p, key) for key in known)] == []


def test_no_sentence_of_the_app_is_left_unsaid() -> None:
    patterns = said()
    elsewhere = "\n".join(path.read_text(encoding="utf-8") for path in VIEWS.glob("*.py"))
    known = [key.removeprefix("app.") for key in _sentences() if key.startswith("app.")]

    unsaid = [k for k in known if not any(re.fullmatch(p, k) for p in patterns) and f'"{k}"' not in elsewhere]
    assert [k for k in unsaid if f'"app.{k}"' not in elsewhere] == []


# ---- memory; last, as it makes the server let go of the answers above ----


def test_of_many_answers_only_the_last_ones_keep_their_pictures(desk: Desk) -> None:
    def cells_at(limit_m: float) -> "weakref.ref[Cells]":
        question = desk.scenario.revise(standard=None).revise(standard={"limit_m": limit_m})
        return weakref.ref(people_of(answer(question, propose=False, with_gaps=False))[1])

    first = cells_at(300.0)
    assert first() is not None

    for more in range(PLANS + 1):
        cells_at(310.0 + 10 * more)
    gc.collect()

    assert first() is None
