"""The map: right on its streets, whole with no network, harmless whatever the data say."""

import base64
import io
import re
import tomllib
from collections.abc import Iterator
from pathlib import Path

import geopandas as gpd
import numpy as np
import pytest
import shapely
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image
from playwright.sync_api import Browser, Page

from browser import launched, visit
from publish_world import CRS, X0, Y0, MapWish, Question, TownPlan, town
from walkshed.publish.images import CLASSES, RAMPS, STATES, cell_size_m, cells_of, mercator, pictures
from walkshed.publish.map import leaflet, map_html
from walkshed.publish.scene import core, glyphs
from walkshed.publish.streets import pack
from walkshed.words import data_dir

HOSTILE = "<img src=x onerror=alert(1)>\"'&</script><script>alert(2)</script>{{ 7*7 }}{% endraw %}{% if %}"
INK = """() => [...document.querySelectorAll('.leaflet-streets-pane canvas')]
    .map((c) => c.getContext('2d').getImageData(0, 0, c.width, c.height).data.filter((v, i) => i % 4 === 3 && v).length)
    .reduce((a, b) => a + b, 0)"""
EQUATOR_M = 20_037_508.342789244


@pytest.fixture(scope="module")
def plan() -> TownPlan:
    return town()


@pytest.fixture(scope="module")
def page_file(plan: TownPlan, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("map") / "map.html"
    path.write_bytes(map_html(plan))
    return path


@pytest.fixture(scope="module")
def window(chromium: str) -> Iterator[Browser]:
    with launched(chromium) as browser:
        yield browser


def unpacked(packed: bytes) -> list[list[tuple[int, int]]]:
    """Slow twin of `pack`: what map.js reads, a number at a time."""
    numbers, value, shift = [], 0, 0
    for byte in packed:
        value |= (byte & 127) << shift
        shift += 7
        if byte < 128:
            numbers.append(value)
            value = shift = 0
    signed = iter(numbers)

    def step() -> int:
        number = next(signed)
        return -(number + 1) // 2 if number % 2 else number // 2

    lines, start = [], (0, 0)
    for count in signed:
        start = (start[0] + step(), start[1] + step())
        line = [start]
        for _ in range(count - 1):
            line.append((line[-1][0] + step(), line[-1][1] + step()))
        lines.append(line)
    return lines


whole = st.integers(-(2**31), 2**31)


@given(st.lists(st.lists(st.tuples(whole, whole), min_size=2, max_size=6), max_size=8))
def test_streets_unpack_to_what_was_packed(lines: list[list[tuple[int, int]]]) -> None:
    points = np.array([point for line in lines for point in line], np.int64).reshape(-1, 2)

    assert unpacked(pack(points, np.array([len(line) for line in lines], np.int64))) == lines


def colour_at(plan: TownPlan, at: np.ndarray) -> list[str]:
    """Colours of the overlays at points (metric), read back from the PNGs the way Leaflet stretches them."""
    cells = cells_of(plan.demand)
    found = ["" for _ in at]
    x, y = mercator(cells.crs, at).T
    for picture in pictures(cells, px_per_cell=3):
        image = Image.open(io.BytesIO(base64.b64decode(picture.uri.partition(",")[2])))
        pixels = np.asarray(image.convert("RGBA"))
        corners = [
            (lon * EQUATOR_M / 180, np.arcsinh(np.tan(np.radians(lat))) * 6_378_137) for lat, lon in picture.bounds
        ]
        (west, south), (east, north) = corners
        for i in range(len(at)):
            column, row = (x[i] - west) / (east - west) * image.width, (north - y[i]) / (north - south) * image.height
            if 0 <= column < image.width and 0 <= row < image.height and pixels[int(row), int(column), 3]:
                found[i] += "#" + "".join(f"{v:02x}" for v in pixels[int(row), int(column), :3])
    return found


def test_people_lie_on_their_streets_to_within_a_pixel() -> None:
    plan = town(blocks=120)  # 12 km: the cells are turned by a degree against the Mercator grid
    cells = cells_of(plan.demand)
    corner = plan.demand.geometry[plan.demand.index[[0, 119, -120, -1, 7205]]]
    centres = shapely.get_coordinates(corner.array)
    pixel_m = 100 / 3
    inside = [centres + np.array([dx, dy]) * (50 - pixel_m) for dx in (-1, 1) for dy in (-1, 1)]
    row, column = (
        ((cells.north_m - centres[:, 1]) // 100).astype(int),
        ((centres[:, 0] - cells.west_m) // 100).astype(int),
    )
    code = cells.classes[row, column].astype(int) - 1
    expected = [RAMPS[STATES[c // CLASSES]][c % CLASSES] for c in code]

    for points in [centres, *inside]:
        assert colour_at(plan, points) == expected


def test_a_cell_has_the_colour_of_most_of_its_people() -> None:
    demand = gpd.GeoDataFrame(
        {"people": [10.0, 10, 10], "served_before": [1.0, 0.2, 0], "served_after": [1.0, 0.9, 0.4]},
        geometry=shapely.points([0, 100, 200], [0, 0, 0]), crs=CRS,
    )  # fmt: skip

    states = [STATES[(code - 1) // CLASSES] for code in cells_of(demand).classes[0].astype(int)]

    assert states == ["served", "gained", "unserved"]


def test_nobody_is_lost_where_cells_are_drawn_coarser(plan: TownPlan) -> None:
    fine = cells_of(plan.demand)
    coarse = cells_of(plan.demand, finer=fine, times=4)

    assert coarse.cell_m == 400
    assert coarse.classes.shape == (3, 3)
    assert (coarse.classes > 0).all()


def test_cells_without_people_are_clear(plan: TownPlan) -> None:
    empty = plan.demand.assign(people=plan.demand["people"].where(plan.demand.index != "r0c0", 0.0))

    assert cells_of(empty).classes[-1, 0] == 0
    assert (cells_of(empty).classes > 0).sum() == len(empty) - 1


@pytest.mark.parametrize("points", [0, 1, 2])
def test_demand_of_hardly_any_points_is_drawn(plan: TownPlan, points: int) -> None:
    assert cell_size_m(np.zeros((points, 2))) in {25.0, 100.0}
    if points:
        assert b"drawPlan(" in map_html(town(demand=plan.demand.head(points)))


def test_the_first_view_is_where_people_live_densely() -> None:
    plan = town(blocks=40)
    far = plan.demand.iloc[[0]].set_geometry([shapely.Point(X0 + 150_000, Y0 + 90_000)]).assign(people=200.0)
    spread = town(blocks=40, demand=gpd.GeoDataFrame(np.concatenate([plan.demand, far]), columns=plan.demand.columns,
                                                     geometry="geometry", crs=CRS))  # fmt: skip

    west, south, east, north = core(spread)

    assert X0 <= west < east <= X0 + 4_000
    assert Y0 <= south < north <= Y0 + 4_000


def test_kinds_get_a_sign_each() -> None:
    signs = glyphs(["分馆", "社区分馆", "社区文化书屋", "分馆"])

    assert signs[:3] == ["分", "社", "区"]
    assert signs[3] == "馆"


def test_leaflet_is_the_one_folium_asks_for_and_brings_its_pictures() -> None:
    folium = pytest.importorskip("folium.folium")
    [asked] = [re.search(r"leaflet@([\d.]+)", link)[1] for name, link in folium.Map.default_js if name == "leaflet"]
    script, style = leaflet()

    assert f"Leaflet {asked}," in script
    assert "url(images" not in style
    assert style.count("url(data:image/png;base64,") == 3


def test_the_page_links_to_nothing(page_file: Path) -> None:
    text = page_file.read_text(encoding="utf-8")

    assert not re.search(r"<(script|link|img|iframe)[^>]+(src|href)=", text.replace(leaflet()[0], ""))
    assert not re.search(r"bootstrap|jquery|awesome|cdn\.", text, re.IGNORECASE)


def test_every_word_of_the_page_stands_in_both_languages() -> None:
    words = tomllib.loads((data_dir() / "words" / "map.toml").read_text(encoding="utf-8"))

    assert all(set(texts) == {"zh", "en"} and all(texts.values()) for texts in words.values())


def test_tiles_come_only_on_request(plan: TownPlan) -> None:
    wish = town(scenario=Question(MapWish(tiles="osm", approval="吉S(2026)1号")))

    assert b"tile.openstreetmap.org" not in map_html(plan)
    assert b"tile.openstreetmap.org" in map_html(wish)
    assert "吉S(2026)1号" in map_html(wish).decode()


@pytest.mark.browser
def test_the_map_opens_with_no_network(window: Browser, page_file: Path) -> None:
    def looked_at(page: Page) -> dict[str, int]:
        return {s: page.locator(s).count() for s in (".pin", ".outlet", ".rank", ".tag.unit")}

    seen = visit(window, page_file, looked_at)

    assert (seen.requests, seen.errors, seen.dialogs) == ([], [], [])
    assert seen.result == {".pin": 1, ".outlet": 2, ".rank": 1, ".tag.unit": 2}


@pytest.mark.browser
def test_text_from_data_stays_text(window: Browser, tmp_path: Path) -> None:
    path = tmp_path / "map.html"
    path.write_bytes(map_html(town(hostile=HOSTILE)))

    def open_everything(page: Page) -> list[str]:
        shown = []
        for click in ("[data-site='0']", "[data-gap='0']"):
            page.click(click)
            page.wait_for_timeout(200)
            shown.append(page.locator(".leaflet-popup-content h3").last.inner_text())
        for marker in (".outlet >> nth=0", ".tag.unit >> nth=0"):
            page.click("[data-tool='core']")
            page.wait_for_timeout(500)
            page.locator(marker).dispatch_event("click")
            page.wait_for_timeout(200)
            shown.append(page.locator(".leaflet-popup-content h3").last.inner_text())
        return [*shown, page.locator("h1").inner_text(), page.title()]

    seen = visit(window, path, open_everything)

    assert (seen.requests, seen.errors, seen.dialogs) == ([], [], [])
    assert len(seen.result) == 6
    assert all(HOSTILE in text for text in seen.result)


@pytest.mark.browser
def test_the_legend_is_tied_to_the_layers(window: Browser, page_file: Path) -> None:
    def untick(page: Page) -> tuple[list[int], list[int], list[bool]]:
        layers = [".leaflet-image-layer", ".outlet", ".pin"]
        before = [page.locator(layer).count() for layer in layers]
        for key in ("unserved", "served", "gained", "outlets", "sites"):
            page.locator(f"[data-layer='{key}']").uncheck()
        after = [page.locator(layer).count() for layer in layers]
        page.locator("[data-layer='served']").check()
        return before, after, [page.locator(f"[data-of='{key}']").is_visible() for key in ("unserved", "served")]

    before, after, explained = visit(window, page_file, untick).result

    assert min(before) > 0
    assert after == [0, 0, 0]
    assert explained == [False, True]


@pytest.mark.browser
def test_streets_are_drawn_where_the_network_has_them(window: Browser, page_file: Path) -> None:
    def ink(page: Page) -> int:
        return page.evaluate(INK)

    assert visit(window, page_file, ink).result > 5_000


@pytest.mark.browser
def test_a_switch_turns_the_page_english(window: Browser, page_file: Path) -> None:
    def switch(page: Page) -> list[str]:
        texts = [page.locator("#legend-fold").inner_text(), page.locator(".lead").inner_text()]
        page.click("#lang")
        page.click("[data-site='0']")
        page.wait_for_timeout(300)
        return [
            *texts,
            page.locator("#legend-fold").inner_text(),
            page.locator(".leaflet-popup-content .type").inner_text(),
        ]

    seen = visit(window, page_file, switch)

    assert seen.result == ["图例", "步行 1,000 米内有图书馆服务的人口", "Legend", "Proposed site 1"]


@pytest.mark.browser
def test_a_phone_sees_the_map_and_can_unfold_the_rest(window: Browser, page_file: Path) -> None:
    def unfold(page: Page) -> list[bool]:
        sight = [page.locator(s).is_visible() for s in (".pin", ".big", "#text")]
        page.tap("#more")
        wide = page.evaluate("document.documentElement.scrollWidth <= innerWidth")
        return [*sight, page.locator("#text").is_visible(), wide]

    seen = visit(window, page_file, unfold, size=(390, 844))

    assert seen.result == [True, True, False, True, True]
