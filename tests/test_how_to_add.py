"""README, "How to add": a copy of the house gets a kind, a standard, a model and a source, and plans with all four."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any, get_args

import geopandas as gpd
import pytest

import small_city
from walkshed.scenario import ModelName
from walkshed.siting.solve import MODELS

ROOT = Path(__file__).parents[1]

KIND = """
[tea_house]
zh = "茶馆书角"
en = "tea house with books"
colour = "#00ff00"
role = "outlet"
share = 0.5
"""
STANDARD = """
[standard.our-own]
zh = "本市标准"
en = "our own"
mode = "walk"
limit_m = 350
document = "本市图书馆服务规范"
clause = "3.1"
year = 2026
source = "made up for this test"
confidence = "from memory"
"""
MODEL = """
import numpy as np

from walkshed.siting.answer import siting_of

def by_name(problem, goal, *, left_s, seed):
    picks = np.argsort(problem.options["place"].to_numpy(dtype=str))[: problem.build]
    held = float(problem.people.sum())
    return siting_of(problem, picks, model="by_name", value=held, bound=held, stopped=False, seconds=0.0)
"""
SOURCE = """
import geopandas as gpd
import shapely

from walkshed.sources.streets import from_lines

def read_wkt(path, crs, *, bbox=None):
    lines = shapely.from_wkt(path.read_text(encoding="utf-8").splitlines())
    return from_lines(gpd.GeoDataFrame(geometry=lines, crs="EPSG:4326"), crs, bbox=bbox, where=path.name)
"""
LINES = {  # file: what stands there, what stands there then
    "coverage/walkshed/scenario/sections.py": ('"backup_cover"]', '"backup_cover", "by_name"]'),
    "coverage/walkshed/siting/solve.py": (
        "MODELS: dict[str, Model] = {",
        'MODELS: dict[str, Model] = {"by_name": by_name,',
    ),
    "coverage/walkshed/sources/load.py": ("read_graphml}", 'read_graphml, ".wkt": read_wkt}'),
}
IMPORTS = {
    "coverage/walkshed/siting/solve.py": "from walkshed.siting.by_name import by_name\n",
    "coverage/walkshed/sources/load.py": "from walkshed.sources.wkt import read_wkt\n",
}


def add(house: Path, name: str, text: str) -> None:
    with (house / name).open("a", encoding="utf-8") as file:
        file.write(text)


def change(house: Path, name: str, old: str, new: str) -> None:
    text = (house / name).read_text(encoding="utf-8")
    assert text.count(old) == 1, name
    (house / name).write_text(text.replace(old, new), encoding="utf-8")


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the house with one of each added, just as README has it."""
    top = tmp_path_factory.mktemp("house")
    shutil.copytree(ROOT / "coverage", top / "coverage", ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copytree(ROOT / "data", top / "data")
    add(top, "data/kinds.toml", KIND)
    add(top, "data/standards.toml", STANDARD)
    add(top, "coverage/walkshed/siting/by_name.py", MODEL)
    add(top, "coverage/walkshed/sources/wkt.py", SOURCE)
    for name, (old, new) in LINES.items():
        change(top, name, old, new)
    for name, line in IMPORTS.items():
        change(top, name, "from walkshed.errors import Fault\n", "from walkshed.errors import Fault\n" + line)
    return top


@pytest.fixture(scope="module")
def answer(house: Path) -> dict[str, Any]:
    """What the changed house plans for a small city that asks for all of it."""
    city = house / "city"
    city.mkdir()
    home = small_city.at(5, 4)
    file = small_city.write(city, outlets=f"名称,类型,经度,纬度\n老茶馆,茶馆书角,{home.x},{home.y}\n")
    lines = gpd.read_file(city / "streets.geojson").geometry
    (city / "streets.wkt").write_text("\n".join(lines.to_wkt()), encoding="utf-8")
    text = file.read_text(encoding="utf-8").replace("streets.geojson", "streets.wkt")
    text = text.replace("limit_m = 350", 'id = "our-own"').replace("build = 1", 'build = 2\nmodel = "by_name"')
    file.write_text(text, encoding="utf-8")
    code = "from walkshed.cli import main; main()"
    line = [sys.executable, "-c", code, "plan", str(file), "--json", "--out", str(house / "out"), "--anyway"]
    paths = {"PYTHONPATH": str(house / "coverage"), "NUMBA_DISABLE_JIT": "1", "PYTHONDONTWRITEBYTECODE": "1"}
    done = subprocess.run(line, capture_output=True, text=True, env={**os.environ, **paths}, check=False)
    assert done.returncode == 0, done.stderr
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def test_a_kind_is_an_entry_of_kinds_toml(answer: dict[str, Any], house: Path) -> None:
    assert answer["totals"]["served_before"] > 0
    assert answer["totals"]["served_before"] % 5 == 0
    assert answer["totals"]["share_before"] < 0.3  # half a service for those near it
    assert "茶馆书角" in (house / "out" / "map.html").read_text(encoding="utf-8")


def test_a_standard_is_an_entry_of_standards_toml(answer: dict[str, Any], house: Path) -> None:
    assert answer["standard"] == {"id": "our-own", "limit_m": 350.0}
    assert "本市标准" in (house / "out" / "page.html").read_text(encoding="utf-8")


def test_a_model_is_a_module_a_name_and_a_row(answer: dict[str, Any]) -> None:
    assert answer["siting"]["model"] == "by_name"
    assert [site["id"] for site in answer["sites"]] == sorted(site["id"] for site in answer["sites"])


def test_a_source_of_streets_is_a_module_and_a_row(answer: dict[str, Any]) -> None:
    assert "streets.wkt" in [entry["name"] for entry in answer["provenance"]["inputs"]]


def test_every_model_has_one_name_and_one_that_answers() -> None:
    assert sorted(MODELS) == sorted(get_args(ModelName))
