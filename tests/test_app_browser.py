"""A planner's day in a real browser, with no network: look, change, propose, drop a pin, restart, find, hand over."""

import io
import os
import socket
import subprocess
import sys
import time
import urllib.request
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from small_city import SCENARIO, write
from walkshed import plan
from walkshed.scenario import Scenario
from walkshed.workspace import Workspace

pytestmark = pytest.mark.browser

ROOT = Path(__file__).parents[1]
WAIT_MS = 90_000


@contextmanager
def served(space: Path, start: Path) -> Iterator[str]:
    """The app on a free port of this machine."""
    with socket.socket() as free:
        free.bind(("localhost", 0))
        port = free.getsockname()[1]
    where = {**os.environ, "WALKSHED_WORKSPACE": str(space), "WALKSHED_START": str(start)}
    line = [sys.executable, "-m", "streamlit", "run", str(ROOT / "app.py"), "--server.port", str(port)]
    with subprocess.Popen(line, cwd=ROOT, env=where, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as server:
        address = f"http://localhost:{port}"
        for _ in range(200):
            try:
                urllib.request.urlopen(f"{address}/_stcore/health", timeout=1)  # noqa: S310  our own server
                break
            except OSError:
                time.sleep(0.1)
        try:
            yield address
        finally:
            server.kill()  # as hard as a crash


class Reader:
    """A page, and everything it asked for beyond this machine."""

    def __init__(self, browser, address: str) -> None:
        self.address, self.strangers, self.errors, self.told = address, [], [], 0
        self.context = browser.new_context(viewport={"width": 1280, "height": 720}, accept_downloads=True)
        self.page = self.context.new_page()
        self.page.set_default_timeout(WAIT_MS)
        self.page.route("**/*", self._route)
        self.page.on("websocket", lambda socket: socket.on("framesent", self._told))
        self.page.on("pageerror", lambda error: self.errors.append(str(error)))

    def _route(self, route) -> None:
        if route.request.url.startswith((self.address, "data:", "blob:", "file:")):
            route.continue_()
        else:
            self.strangers.append(route.request.url)
            route.abort()

    def _told(self, _frame) -> None:
        self.told += 1

    def open(self, query: str) -> None:
        self.page.goto(f"{self.address}/?lang=en&{query}")
        self.settle()

    def settle(self) -> None:
        self.page.wait_for_timeout(400)
        self.page.wait_for_function(
            "!document.querySelector('[data-testid=stSpinner]') && !document.querySelector('[data-testid=stProgress]')"
            " && document.querySelector('[data-testid=stApp]')?.dataset.testScriptState === 'notRunning'"
        )

    def metric(self, label: str) -> str:
        box = self.page.locator('[data-testid="stMetric"]', has_text=label).first
        return box.locator('[data-testid="stMetricValue"]').inner_text()

    @property
    def map(self):
        return self.page.frame_locator('iframe[title*="st_folium"]')

    @property
    def frame(self):
        return next(f for f in self.page.frames if "st_folium" in f.url)

    def view(self) -> dict:
        return self.frame.evaluate(
            "({zoom: map.getZoom(), at: map.getCenter(), layers: Object.keys(map._layers).length})"
        )


def test_a_planner_s_day(chromium: str, tmp_path: Path) -> None:
    playwright = pytest.importorskip("playwright.sync_api")
    (tmp_path / "city").mkdir()
    start = write(tmp_path / "city", scenario=SCENARIO)
    space = Workspace(tmp_path / "space")
    with playwright.sync_playwright() as player:
        browser = player.chromium.launch(executable_path=chromium, args=["--no-sandbox", "--disable-gpu"])
        with served(space.folder, start) as address:
            reader = Reader(browser, address)
            looks_around(reader, space, start)
            drops_a_pin(reader, space)
            tells_a_click_at_once(reader)
            draws_only_what_changed(reader)
            drops_a_pin_without_a_mouse(reader)
            clicks_a_candidate(reader)
            moves_it_by_a_click(reader, space)
            reader.open(f"s={space.scenarios()[0].id}")
            number = reader.metric("Served")
        with served(space.folder, start) as address:  # the server was killed in between
            reader = Reader(browser, address)
            reader.open(f"s={space.scenarios()[0].id}")
            assert reader.metric("Served") == number
            hands_over(reader, tmp_path, space)
        browser.close()


def looks_around(reader: Reader, space: Workspace, start: Path) -> None:
    """Open, move the map, change the limit: the number is the plan's, the map stays where it was."""
    reader.open("view=today")
    made = plan.run(Scenario.read(start))
    assert reader.metric("Served") == f"{made.totals['served_before']:,.0f}"
    told = reader.told
    reader.map.locator(".leaflet-control-zoom-in").click()
    reader.map.locator(".leaflet-container").press("ArrowRight")  # pans
    reader.page.wait_for_timeout(900)
    assert reader.told == told  # the server hears nothing of it, so nothing is run or drawn again
    before = reader.view()
    reader.frame.evaluate("map.walkshedMark = 1")
    slider = reader.page.get_by_role("slider").first
    slider.focus()
    slider.press("ArrowRight")
    reader.page.wait_for_timeout(500)
    reader.settle()
    wider = plan.run(Scenario.read(start).revise(standard={"limit_m": 400.0}))
    assert reader.metric("Served") == f"{wider.totals['served_before']:,.0f}"
    assert space.scenario(space.scenarios()[0]).limit_m == 400
    assert {k: reader.view()[k] for k in ("zoom", "at")} == {k: before[k] for k in ("zoom", "at")}
    assert before["layers"] > 0
    assert reader.frame.evaluate("map.walkshedMark") == 1  # the map itself was not made anew


def drops_a_pin(reader: Reader, space: Workspace) -> None:
    """Drop a pin on the map, see whom it would serve, add it."""
    reader.page.get_by_role("radio", name="Scenarios").or_(
        reader.page.get_by_role("button", name="Scenarios")
    ).first.click()
    reader.settle()
    box = reader.map.locator(".leaflet-container")
    box.wait_for()
    reader.page.wait_for_timeout(800)
    size = box.bounding_box()
    box.click(position={"x": size["width"] * 0.45, "y": size["height"] * 0.55})
    reader.page.get_by_text("Of these, newly served").wait_for()
    reader.settle()
    served, more = int(space_number(reader.metric("People within reach"))), int(space_number(reader.metric("Of these")))
    assert served >= more >= 0
    reader.page.get_by_role("button", name="Add as open").click()
    reader.page.wait_for_timeout(500)
    reader.settle()
    assert [c.type for c in space.scenario(space.scenarios()[0]).change] == ["add"]


def tells_a_click_at_once(reader: Reader) -> None:
    """The component would wait a quarter of a second before it tells the page."""
    told_ms = reader.frame.evaluate(
        """() => new Promise((done) => {
            const began = performance.now(), post = Streamlit.setComponentValue;
            const box = map.getContainer(), at = box.getBoundingClientRect();
            const where = {bubbles: true, clientX: at.x + at.width * 0.5, clientY: at.y + at.height * 0.6};
            let times = 0, first = 0;
            Streamlit.setComponentValue = (v) => { first = first || performance.now() - began; times++; post(v); };
            box.dispatchEvent(new MouseEvent("click", where));
            setTimeout(() => { Streamlit.setComponentValue = post; done([first, times]); }, 900);
        })"""
    )
    reader.settle()
    assert 0 < told_ms[0] < 200
    assert told_ms[1] == 1  # and the component tells it no second time


def draws_only_what_changed(reader: Reader) -> None:
    """Another pin leaves pictures and outlets as they stand; pictures are files the browser keeps."""
    marks = (
        "[...document.querySelectorAll('img.leaflet-image-layer, .outlet')]"
        ".map((e) => ({was: e.dataset.was, src: e.src || ''}))"
    )
    reader.frame.evaluate(
        "document.querySelectorAll('img.leaflet-image-layer, .outlet').forEach((e) => { e.dataset.was = 'here' })"
    )
    before = reader.metric("People within reach")
    box = reader.map.locator(".leaflet-container")
    size = box.bounding_box()
    box.click(position={"x": size["width"] * 0.55, "y": size["height"] * 0.45})
    reader.page.wait_for_timeout(300)
    reader.settle()
    left = reader.frame.evaluate(marks)
    assert before
    assert left
    assert {row["was"] for row in left} == {"here"}
    assert {row["src"].startswith(reader.address) for row in left if row["src"]} == {True}


def drops_a_pin_without_a_mouse(reader: Reader) -> None:
    """Enter on the map is a click on its middle; the map is one stop of the Tab key, not one for every outlet."""
    reader.frame.evaluate("map.panBy([60, 40], {animate: false})")
    middle = reader.frame.evaluate("map.getCenter()")
    reader.map.locator(".leaflet-container").focus()
    reader.page.keyboard.press("Enter")
    reader.page.wait_for_timeout(300)
    reader.settle()
    told = reader.frame.evaluate("__GLOBAL_DATA__.previous_data.last_clicked")
    assert told == middle
    assert reader.frame.evaluate("document.querySelectorAll('.leaflet-marker-pane [tabindex]').length") == 0


def clicks_a_candidate(reader: Reader) -> None:
    """A candidate's dot is shown close up, tells its name, and a click on it brings its card."""
    at = reader.frame.evaluate(
        "(() => { const c = map.walkshedCity.candidates[1]; map.setView(c.at, 16, {animate: false});"
        " const p = map.latLngToContainerPoint(c.at); return [p.x, p.y] })()"
    )
    reader.page.wait_for_timeout(600)
    reader.map.locator(".leaflet-container").click(position={"x": at[0], "y": at[1]})
    reader.page.get_by_role("button", name="Require").wait_for()


def moves_it_by_a_click(reader: Reader, space: Workspace) -> None:
    """Where the map is clicked is where it goes, once somebody says so."""
    reader.page.get_by_text("Move", exact=True).click()
    reader.page.get_by_text("Click the map where it should stand").click()
    reader.settle()
    reader.frame.evaluate("map.setZoom(17, {animate: false})")
    reader.page.wait_for_timeout(400)
    box = reader.map.locator(".leaflet-container")
    size = box.bounding_box()
    box.click(position={"x": size["width"] * 0.4, "y": size["height"] * 0.7})
    reader.settle()
    told = reader.frame.evaluate("__GLOBAL_DATA__.previous_data.last_clicked")
    assert [c.type for c in space.scenario(space.scenarios()[0]).change] == ["add"]  # nothing yet
    reader.page.get_by_role("button", name="Move it there").click()
    reader.page.wait_for_timeout(500)
    reader.settle()
    [_, change] = space.scenario(space.scenarios()[0]).change
    assert (change.type, change.lat, change.lon) == ("move", round(told["lat"], 6), round(told["lng"], 6))


def space_number(text: str) -> str:
    return text.replace(",", "")


def hands_over(reader: Reader, folder: Path, space: Workspace) -> None:
    """Propose, make the files, open the exported map: its numbers are those of its scenario; nothing is fetched."""
    reader.open(f"s={space.scenarios()[0].id}&view=propose")
    reader.page.get_by_text("With the proposals").wait_for()
    after = reader.metric("With the proposals")
    reader.open(f"s={space.scenarios()[0].id}&view=handover")
    reader.page.get_by_role("button", name="Make the files").click()
    link = reader.page.get_by_role("button", name="Download all")
    link.wait_for()
    with reader.page.expect_download() as coming:
        link.click()
    packed = Path(coming.value.path()).read_bytes()
    with zipfile.ZipFile(io.BytesIO(packed)) as parts:
        parts.extractall(folder / "out")
    made = plan.run(
        Scenario.parse((folder / "out" / "scenario.toml").read_text(encoding="utf-8"), base_dir=folder / "city")
    )
    assert after == f"{made.totals['served_after']:,.0f}"
    reader.page.goto((folder / "out" / "map.html").as_uri())
    assert reader.page.locator(".leaflet-container").count() == 1
    assert reader.strangers == []
    assert reader.errors == []
