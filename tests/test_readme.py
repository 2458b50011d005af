"""What README.md says is there: pictures, commands, files, names, and the example scenario."""

import ast
import re
from pathlib import Path

import pytest
import typer
from PIL import Image

import walkshed as ws
from walkshed.cli import commands
from walkshed.scenario import Scenario

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text(encoding="utf-8")
PICTURES = re.findall(r"!\[[^]]+\]\((tests/pictures/\w+\.png)\)", README)


def block(kind: str) -> str:
    """The first block of code of a kind."""
    return re.findall(rf"```{kind}\n(.*?)```", README, flags=re.DOTALL)[0]


def test_map_page_and_app_are_shown() -> None:
    assert sorted(Path(name).stem for name in PICTURES) == ["app", "map", "page"]


@pytest.mark.parametrize("name", PICTURES)
def test_a_picture_is_small_and_big_enough_to_read(name: str) -> None:
    assert (ROOT / name).stat().st_size <= 300_000
    with Image.open(ROOT / name) as picture:
        assert picture.format == "PNG"
        assert min(picture.size) >= 600


def test_every_command_it_names_is_one() -> None:
    made = (ROOT / "Makefile").read_text(encoding="utf-8")

    assert set(re.findall(r"`walkshed (\w+)", README)) == set(typer.main.get_command(commands).commands)
    assert set(re.findall(r"`make (\w+)", README)) <= set(re.findall(r"^(\w[\w-]*):", made, flags=re.MULTILINE))


def test_every_place_it_names_is_there() -> None:
    inside = {"siting/", "sources/", "scenario/"}
    named = re.findall(r"`((?:data|tests|coverage|siting|sources|scenario)/[\w/.]*)`", README)

    missing = [n for n in named if not (ROOT / n).exists() and not (ROOT / "coverage" / "walkshed" / n).exists()]
    assert missing == []
    assert inside & set(named)


def test_the_rooms_it_draws_are_the_rooms_there_are() -> None:
    rooms = {path.name for top in ("coverage/walkshed", "tests") for path in (ROOT / top).rglob("*.py")}

    assert set(re.findall(r"\b(\w+\.py)\b", README)) - rooms == {"coverage.py"}  # the tool of that name


def test_the_python_it_shows_uses_names_there_are() -> None:
    tree = ast.parse(block("python"))
    used = {n.attr for n in ast.walk(tree) if isinstance(n, ast.Attribute) and ast.unparse(n.value) == "ws"}

    assert used <= set(ws.__all__)
    assert hasattr(ws.WalkNetwork, "from_osmnx")
    assert hasattr(ws.access, "two_step")
    assert hasattr(ws.fairness, "gini")


def test_the_scenario_it_shows_is_one(tmp_path: Path) -> None:
    for name in ("units.geojson", "harbin.osm.pbf"):
        (tmp_path / name).touch()

    shown = Scenario.parse(block("toml"), base_dir=tmp_path)

    assert shown.limit_m == 1000.0
    assert shown.change[0].why == "the lease ends in 2026"
