"""Fetching a city: what comes of services that answer, and of those that misbehave. Nothing leaves the loopback."""

import email.utils
import hashlib
import json
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import geopandas as gpd
import pandas as pd
import pytest
from shapely import box
from typer.testing import CliRunner

from osm_files import WEST, lonlat, ring, square, town
from servers import (
    Behaviour,
    breaks_off,
    drips,
    drips_headers,
    gives,
    hangs,
    moves_in_circles,
    moves_to,
    page,
    refuses,
    serving,
)
from walkshed import cli, plan
from walkshed.errors import InputError, OutputError, UnavailableError
from walkshed.scenario import Scenario
from walkshed.sources.fetch import fetch
from walkshed.sources.fetch_http import Client, Patience
from walkshed.sources.fetch_osm import query, tiles

HASTE = Patience(connect_s=0.5, whole_s=0.7, tries=3, wait_s=0.01, longest_s=5.0, pause_s=0.0)


class Sleeps(list[float]):
    """Notes how long it was to wait, and waits not at all."""

    def __call__(self, seconds: float) -> None:
        self.append(seconds)


def asked(folder: Path, *script: Behaviour, sleeps: Sleeps | None = None, patience: Patience = HASTE) -> Any:
    with serving(*script) as (url, _):
        return Client(folder, patience=patience, sleep=sleeps if sleeps is not None else Sleeps()).json(url, {"q": "x"})


DATA = {"elements": [1, 2, 3]}


@pytest.mark.parametrize("packed", [False, True])
def test_an_answer_is_read_and_kept(tmp_path: Path, packed: Any):
    with serving(gives(DATA, packed=packed)) as (url, heard):
        client = Client(tmp_path, patience=HASTE)

        assert client.json(url, {"q": "长春"}) == DATA
        assert Client(tmp_path).json(url, {"q": "长春"}) == DATA

    assert heard == [{"q": "长春"}]


@pytest.mark.parametrize("status", [429, 502, 503, 504])
def test_a_busy_service_is_asked_again_after_it_said_to(tmp_path: Path, status: int):
    sleeps = Sleeps()

    assert asked(tmp_path, refuses(status, Retry_After="3"), refuses(status), gives(DATA), sleeps=sleeps) == DATA
    assert [s for s in sleeps if s] == [3.0, 0.02]  # the second time it did not say


def test_a_date_to_come_back_at_is_understood(tmp_path: Path):
    later, sleeps = email.utils.format_datetime(datetime.now(UTC) + timedelta(seconds=4), usegmt=True), Sleeps()

    asked(tmp_path, refuses(429, Retry_After=later), gives(DATA), sleeps=sleeps)

    assert 2.0 < max(sleeps) <= 4.0


def test_a_service_that_wants_us_away_for_long_is_not_waited_for(tmp_path: Path):
    with pytest.raises(UnavailableError, match="3,600 seconds"):
        asked(tmp_path, refuses(429, Retry_After="3600"))


ENDS = {
    "always busy": (refuses(504), "504"),
    "refused": (refuses(403), "403"),
    "truncated": (breaks_off(DATA), "cut short|not whole"),
    "truncated, length untold": (breaks_off(DATA, length=False), "cut short"),
    "a page": (page, "text/html"),
    "a drip": (drips, "did not finish"),
    "dripping headers": (drips_headers, "did not finish"),
    "silence": (hangs, "not whole|did not finish"),
    "a circle": (moves_in_circles, "302|not whole"),
}


@pytest.mark.parametrize("name", ENDS)
def test_misbehaviour_ends_in_one_clear_error_in_bounded_time(tmp_path: Path, name: str):
    behaviour, told = ENDS[name]
    start = time.monotonic()

    with pytest.raises(UnavailableError, match=told) as ended:
        asked(tmp_path, behaviour)

    assert time.monotonic() - start < HASTE.tries * (HASTE.whole_s + HASTE.connect_s) + 2
    assert len(ended.value.faults) == 1
    assert "127.0.0.1:" not in ended.value.text("zh").split("：", 1)[1]  # no fault inside another
    assert "127.0.0.1" in ended.value.faults[0].where
    assert list(tmp_path.iterdir()) == []  # nothing that came in part is kept


@pytest.mark.parametrize("name", ["truncated", "truncated, length untold", "a drip", "silence"])
def test_one_bad_answer_is_no_end(tmp_path: Path, name: str):
    assert asked(tmp_path, ENDS[name][0], gives(DATA)) == DATA


def test_a_redirect_is_followed(tmp_path: Path):
    with serving(gives(DATA)) as (there, heard):
        assert asked(tmp_path, moves_to(there)) == DATA
        assert heard == [{"q": "x"}]


def test_an_answer_without_end_is_not_taken(tmp_path: Path):
    with pytest.raises(UnavailableError, match="larger"):
        asked(tmp_path, gives(["x" * 5000], packed=True), patience=Patience(bytes=1000))


def test_nobody_there_is_one_clear_error(tmp_path: Path):
    with serving(gives(DATA)) as (url, _):
        pass

    with pytest.raises(UnavailableError, match="refused"):
        Client(tmp_path, patience=HASTE, sleep=Sleeps()).json(url, {})


@pytest.mark.parametrize("url", ["file:///etc/hosts", "-", "http://", "http://[", "http://a b/", "http://x:99999/"])
def test_an_address_that_is_none_is_refused(tmp_path: Path, url: str):
    with pytest.raises(UnavailableError, match="no address"):
        Client(tmp_path).json(url, {})


# ---- a whole city ---------------------------------------------------------------------------------------------------

NODES = {1: (0.0, 0.0), 2: (10.0, 0.0), 3: (10.0, 10.0), **square(20, 4.0, 1.0, 3.0), **square(40, -1.0, -1.0, 12.0)}
WAYS = [
    (1, [1, 2], {"highway": "residential", "name": "同志街"}),
    (2, [2, 3], {"highway": "footway"}),
    (3, ring(20), {"landuse": "residential", "name": "一小区"}),
    (4, ring(40), {}),
]
TAGGED = {2: {"amenity": "library", "name": "一书房"}, 1: {"shop": "mall", "name": "一商场"}}
BORDER = {"boundary": "administrative", "admin_level": "6", "name": "甲区", "type": "boundary"}


def elements(**border: str) -> list[dict[str, Any]]:
    """The town as Overpass tells it."""
    at = {key: lonlat(*xy) for key, xy in NODES.items()}
    nodes = [{"type": "node", "id": k, "lon": x, "lat": y, "tags": TAGGED.get(k, {})} for k, (x, y) in at.items()]
    ways = [{"type": "way", "id": k, "nodes": refs, "tags": tags} for k, refs, tags in WAYS]
    member = [{"type": "way", "ref": 4, "role": "outer"}]
    return [*nodes, *ways, {"type": "relation", "id": 9, "members": member, "tags": {**BORDER, **border}}]


OUTLINE = box(*lonlat(-1.0, -1.0), *lonlat(11.0, 11.0))
OUTLINED = json.loads(gpd.GeoSeries([OUTLINE]).to_json())["features"][0]["geometry"]
PLACES = [{"display_name": "长春市, 中国", "geojson": OUTLINED}]


def overpass(**border: str) -> dict[str, Any]:
    return {"osm3s": {"timestamp_osm_base": "2025-11-01T00:00:00Z"}, "elements": elements(**border)}


def quick(folder: Path) -> Client:
    return Client(folder, patience=HASTE, sleep=Sleeps())


def fetched(out: Path, *script: Behaviour, **more: Any) -> Any:
    with serving(gives(PLACES)) as (nominatim, _), serving(*script) as (url, _):
        return fetch("长春市", out, overpass_url=url, nominatim_url=nominatim, client=quick, **more)


def test_a_city_is_fetched_into_a_folder_that_a_plan_runs_on(tmp_path: Path):
    made = fetched(tmp_path / "cc", refuses(429, Retry_After="1"), gives(overpass(population="1234")))

    assert (made.units, made.outlets, made.candidates, made.people) == (1, 1, 2, "told")
    answer = plan.run(Scenario.read(tmp_path / "cc").revise(siting={"build": 1}), anyway=True)
    assert answer.totals["people"] == 1234.0
    assert answer.units["label"].tolist() == ["甲区"]
    assert answer.outlets["name"].tolist() == ["一书房"]


def test_the_manifest_holds_every_file_with_its_content_licence_and_date(tmp_path: Path):
    made = fetched(tmp_path / "cc", gives(overpass()))

    told = json.loads((tmp_path / "cc" / "manifest.json").read_text(encoding="utf-8"))
    assert told["date_of_data"] == "2025-11-01T00:00:00Z"
    assert {f["name"] for f in told["files"]} == set(made.files) - {"manifest.json"}
    for file in told["files"]:
        assert file["sha256"] == hashlib.sha256((tmp_path / "cc" / file["name"]).read_bytes()).hexdigest()
        assert "ODbL" in file["licence"]
    assert {p.name for p in (tmp_path / "cc").iterdir()} == set(made.files)


def test_people_nobody_tells_of_are_a_placeholder_that_every_title_says(tmp_path: Path):
    made = fetched(tmp_path / "cc", gives(overpass()))

    assert made.people == "placeholder"
    assert "占位" in Scenario.read(tmp_path / "cc").title


def test_a_download_that_ends_early_leaves_no_folder_and_is_taken_up_again(tmp_path: Path):
    with serving(gives(PLACES)) as (nominatim, places_asked), serving(refuses(504)) as (url, _):
        with pytest.raises(UnavailableError):
            fetch("长春市", tmp_path / "cc", overpass_url=url, nominatim_url=nominatim, client=quick)
        assert not (tmp_path / "cc").exists()
        with serving(gives(overpass())) as (better, _):
            fetch("长春市", tmp_path / "cc", overpass_url=better, nominatim_url=nominatim, client=quick)
        assert len(places_asked) == 1  # the boundary was kept

    assert [p.name for p in tmp_path.iterdir()] == ["cc"]


def test_what_overpass_says_of_its_own_failure_is_believed(tmp_path: Path):
    cut = {**overpass(), "remark": "runtime error: Query timed out"}

    with pytest.raises(UnavailableError, match="timed out"):
        fetched(tmp_path / "cc", gives(cut))


def test_an_object_that_is_none_is_one_clear_error(tmp_path: Path):
    with pytest.raises(UnavailableError, match="not whole"):
        fetched(tmp_path / "cc", gives({"elements": [{"type": "node", "id": 1}]}))


@pytest.mark.parametrize(
    ("places", "told"), [([], "no such place"), ([{"geojson": {"type": "Point"}}], "only as a point")]
)
def test_a_place_that_is_unknown_or_has_no_outline_is_said_so(tmp_path: Path, places: Any, told: str):
    with serving(gives(places)) as (url, _), pytest.raises(InputError, match=told):
        fetch("无", tmp_path / "x", nominatim_url=url, overpass_url=url, client=quick)


def test_a_folder_with_something_in_it_is_left_alone(tmp_path: Path):
    (tmp_path / "mine.txt").write_text("x")

    with pytest.raises(OutputError, match="not overwritten"):
        fetch("长春市", tmp_path)


def test_an_extract_with_units_of_ones_own_asks_nobody(tmp_path: Path):
    pbf = town(tmp_path, nodes=square(20, 4.0, 1.0, 3.0), extra=[(3, ring(20), {"landuse": "residential"})])
    units = gpd.GeoDataFrame({"编号": ["a"], "名称": ["南关"], "人口": ["500"]}, geometry=[OUTLINE], crs="EPSG:4326")
    units.to_file(tmp_path / "units.geojson")

    made = fetch("x", tmp_path / "cc", pbf=pbf, units=tmp_path / "units.geojson", overpass_url="-", nominatim_url="-")

    assert made.people == "given"
    held = gpd.read_file(tmp_path / "cc" / "units.geojson")
    assert held[["id", "name", "people"]].to_numpy().tolist() == [["a", "南关", 500.0]]


def test_tables_of_sites_open_in_a_spreadsheet_and_can_be_read_back(tmp_path: Path):
    fetched(tmp_path / "cc", gives(overpass()))

    table = pd.read_csv(tmp_path / "cc" / "outlets.csv")
    assert table.loc[0, ["name", "status"]].tolist() == ["一书房", "open"]
    assert table.loc[0, "lon"] == pytest.approx(WEST + 0.01)
    assert (tmp_path / "cc" / "outlets.csv").read_bytes().startswith(b"\xef\xbb\xbf")


def test_tiles_cover_the_outline_and_nothing_far():
    held = tiles(box(125.3, 43.8, 125.5, 43.9).union(box(125.9, 43.8, 125.95, 43.9)))

    assert len(held) == 3
    assert query(held[0]).startswith("[out:json]")
    assert 'nwr["landuse"="residential"]' in query(held[0])


def test_the_command_ends_with_a_sentence_where_nothing_answers(tmp_path: Path):
    with serving(page) as (url, _):
        line = ["fetch", "长春市", "--out", str(tmp_path / "cc"), "--nominatim-url", url, "--overpass-url", url]
        ended = CliRunner().invoke(cli.commands, [*line, "--lang", "zh"])

    assert ended.exit_code == 2
    assert "代理" in ended.stderr
    assert not (tmp_path / "cc").exists()


def test_harbin_from_its_extract_alone(real: Path, tmp_path: Path):
    made = fetch("哈尔滨", tmp_path / "hb", pbf=real / "harbin" / "harbin.osm.pbf")

    assert (made.people, made.outlets) == ("placeholder", 4)
    assert made.candidates > 2000
    assert Scenario.read(tmp_path / "hb").name == "哈尔滨"
