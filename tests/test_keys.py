"""No key of a scenario is accepted and ignored: each is read by what answers the scenario, or refused."""

import sys
from dataclasses import fields
from pathlib import Path
from typing import Any, get_args

import geopandas as gpd
import numpy as np
import pytest
from shapely import box

from osm_files import lonlat, ring, square, town
from small_city import SCENARIO, write
from test_grids import write as write_grid
from walkshed import plan
from walkshed.errors import InputError
from walkshed.publish.map import tiles
from walkshed.question import horizon_m
from walkshed.scenario import Scenario, sections
from walkshed.scenario.changes import Change
from walkshed.scenario.values import Section
from walkshed.sources.load import load
from walkshed.supply import Kind

ONLY_CHECKS = ("walkshed.scenario.checks", "walkshed.scenario.faults", "walkshed.scenario.origin")
SAID_ONLY = {"why", "type"}  # of a change: for whoever reads the list of changes

SECTIONS = [model for model in vars(sections).values() if isinstance(model, type) and issubclass(model, Section)]
CHANGES = list(get_args(get_args(Change)[0]))
WRAPPED = {sections.KindSection, Section}  # a kind's figures are taken whole: a test of their own


def every_key() -> set[tuple[str, str]]:
    models = [model for model in (*SECTIONS, *CHANGES) if model not in WRAPPED]
    every = {(m.__name__, key) for m in models for key in m.model_fields if key not in SAID_ONLY}
    return every - {("MapSection", "approval")}  # held by the tests of what is published


@pytest.fixture
def read(monkeypatch: pytest.MonkeyPatch) -> set[tuple[str, str]]:
    """Keys that something other than the checks of scenarios reads."""
    seen: set[tuple[str, str]] = set()
    plain = Section.__getattribute__

    def noted(self: Section, name: str) -> Any:
        caller = sys._getframe(1).f_globals.get("__name__", "")
        if caller.startswith("walkshed") and caller not in ONLY_CHECKS:
            seen.update((model.__name__, name) for model in type(self).__mro__)
        return plain(self, name)

    monkeypatch.setattr(Section, "__getattribute__", noted)
    return seen


MORE = """
bands = [{ up_to_m = 300, share = 1.0 }]
[map]
approval = "审图号"
tiles = "osm"
[kinds.library]
share = 0.9
"""
CHANGED = """
[[change]]
type = "add"
why = "试"
site = "new"
name = "新"
kind = "branch"
lon = 125.3
lat = 43.9
crs = "wgs84"
[[change]]
type = "move"
why = "试"
site = "new"
lon = 125.301
lat = 43.9
crs = "wgs84"
[[change]]
type = "open"
why = "试"
site = "new"
[[change]]
type = "close"
why = "试"
site = "new"
[[change]]
type = "require"
why = "试"
site = "c:s1"
[[change]]
type = "forbid"
why = "试"
site = "s3"
"""


def barred(file: Path) -> str:
    """A street of the town blocked, opened beside, and a gate in the block."""
    west, south, *_ = gpd.read_file(file.parent / "streets.geojson").total_bounds
    x, y, step = west + 0.0004, south, 0.0002
    line = f"[[{x}, {y - step}], [{x}, {y + step}]]"
    over = f"[[{west}, {y}], [{west + 0.001}, {y}]]"
    said = 'why = "试"\ncrs = "wgs84"\n'
    return (
        f'[[change]]\ntype = "block"\nline = {line}\n{said}[[change]]\ntype = "bridge"\nline = {over}\n{said}'
        f'[[change]]\ntype = "gate"\nlon = {x}\nlat = {y}\n{said}'
    )


def extract(folder: Path) -> Scenario:
    """A town of OpenStreetMap whose people are spread from a column of the units."""
    pbf = town(folder, nodes=square(20, 4.0, 1.0, 3.0), extra=[(3, ring(20), {"landuse": "residential"})])
    shape = box(*lonlat(-1.0, -1.0), *lonlat(11.0, 11.0))
    units = gpd.GeoDataFrame({"id": ["a"], "name": ["甲"], "pop": [500]}, geometry=[shape], crs="EPSG:4326")
    units.to_file(folder / "osm_units.geojson")
    return Scenario.of(
        {"name": "x", "area": {"units": "osm_units.geojson"}, "streets": {"source": pbf.name},
         "demand": {"people": "pop"}, "supply": {"outlets": "osm"}},
        base_dir=folder,
    )  # fmt: skip


def gridded(scenario: Scenario, folder: Path) -> Scenario:
    """The same with its people in a grid, and one group in another."""
    people = np.full((20, 20), 2.0)
    for name in ("all.tif", "old.tif"):
        write_grid(folder / name, people if name == "all.tif" else people / 2)
    return scenario.revise(
        demand={"people": None, "source": "all.tif", "unit": "per_cell", "groups": {"60p": ["old.tif"]}}
    )


def test_every_key_is_read_by_what_answers_the_scenario(tmp_path: Path, read: set[tuple[str, str]]):
    file = write(tmp_path, scenario=SCENARIO + MORE)
    file.write_text(SCENARIO + MORE + CHANGED + barred(file), encoding="utf-8")
    made = plan.run(Scenario.read(file), anyway=True)
    assert tiles(made)
    assert (made.name, made.title) == ("small", "小城")
    of_osm = extract(tmp_path)
    load(of_osm)
    load(gridded(of_osm, tmp_path))
    load(Scenario.read(file))
    load(Scenario.default().revise(streets={"scale": 0.02}))
    (tmp_path / "od.csv").write_text("from_id,to_id,distance_m\n")
    elsewhere = Scenario.read(file).revise(reach={"source": "od.csv"}, standard={"limit_m": None, "minutes": 5})
    assert elsewhere.limit_m == 5 * 60 * 1.24
    assert load(elsewhere).distances is not None
    horizon_m(Scenario.default().revise(siting={"model": "p_median"}))

    assert sorted(every_key() - read) == []


def test_the_figures_of_a_kind_are_all_the_kind_has_and_are_taken():
    own = {"share": 0.25, "limit_m": 123.0, "cost": 7.0}
    assert set(sections.KindSection.model_fields) == set(own) <= {f.name for f in fields(Kind)}

    kind = plan.kinds_of(Scenario.default().revise(kinds={"branch": own}))["branch"]

    assert (kind.share, kind.limit_m, kind.cost) == (0.25, 123.0, 7.0)


def test_grids_are_groups_of_a_grid(tmp_path: Path):
    demand = load(gridded(extract(tmp_path), tmp_path)).demand

    assert demand["people_60p"].sum() == demand["people"].sum() / 2 > 0


def test_a_group_of_a_column_that_is_not_there_is_refused(tmp_path: Path):
    file = write(tmp_path, scenario=SCENARIO.replace("[supply]", 'groups = { old = ["nix"] }\n[supply]'))

    with pytest.raises(InputError, match="nix"):
        load(Scenario.read(file))


def test_the_schematic_city_offers_the_kinds_of_places_that_are_asked_for():
    city = load(Scenario.default().revise(streets={"scale": 0.02}, supply={"candidates": ["park"]}))

    assert set(city.candidates["kind"]) == {"park"}


OSM = {"streets": {"source": "x.osm.pbf"}}
LINES = {"streets": {"source": "x.shp"}, "supply": {"candidates_file": "c.csv"}}
SAMPLE = {"streets": {"source": "sample"}}


@pytest.mark.parametrize(
    ("changed", "place"),
    [
        ({"streets": {"source": "x.osm.pbf", "walk": "w.toml"}}, "[streets] walk"),
        ({"kinds": {"park": {"seats": 3}}}, "[kinds.park] seats"),
        ({"streets": {"source": "x.osm.pbf", "crs": "wgs84"}}, "[streets] crs"),
        ({"streets": {"source": "x.osm.pbf", "scale": 0.5}}, "[streets] scale"),
        ({"demand": {"source": "p.csv", "cell_m": 50.0}}, "[demand] cell_m"),
        ({"demand": {"source": "p.tif", "unit": "per_cell", "crs": "wgs84"}}, "[demand] crs"),
        ({"demand": {"people": "p", "crs": "wgs84"}}, "[demand] crs"),
        ({"demand": {"people": "p", "bands": {"old": 2}}}, "[demand] bands"),
        ({"demand": {"source": "p.csv", "group_shares": {"old": "s"}}}, "[demand] group_shares"),
        ({"demand": {"control": "c.csv", "groups": {"old": "s"}}}, "[demand] groups"),
        ({"demand": {"source": "p.csv", "groups": {"old": "o.tif"}}}, "[demand] groups.old"),
        ({"demand": {"source": "p.tif", "unit": "per_cell", "groups": {"old": "col"}}}, "[demand] groups.old"),
        ({**LINES, "supply": {"candidates_file": "c.csv", "candidates": ["park"]}}, "[supply] candidates"),
        ({**SAMPLE, "demand": {"cell_m": 50.0}}, "[demand] cell_m"),
        ({**SAMPLE, "supply": {"outlets_crs": "wgs84"}}, "[supply] outlets_crs"),
        ({**SAMPLE, "reach": {"source": "od.csv"}}, "[reach] source"),
        ({"siting": {"model": "max_cover", "second": 0.1}}, "[siting] second"),
        ({"siting": {"model": "max_cover", "least": "money"}}, "[siting] least"),
        ({"siting": {"model": "max_cover", "horizon_m": 3000.0}}, "[siting] horizon_m"),
        ({"siting": {"model": "p_median", "years": {"2026": 3}}}, "[siting] years"),
        ({"siting": {"year_budgets": {"2026": 3.0}}}, "[siting] year_budgets"),
        ({"siting": {"years": {"2026": 3}, "year_budgets": {"2027": 3.0}}}, "[siting] year_budgets.2027"),
        ({"siting": {"kinds": ["prak"]}}, "[siting] kinds"),
        ({"siting": {"offers": {"park": ["prak"]}}}, "[siting] offers.park"),
        ({"siting": {"offers": {"prak": ["branch"]}}}, "[siting] offers"),
        ({"siting": {"kind_ceilings": {"prak": 1}}}, "[siting] kind_ceilings"),
    ],
)
def test_a_key_that_would_be_ignored_is_refused(changed: dict[str, Any], place: str):
    base = {"name": "x", "area": {"units": "u"}, "demand": {"people": "p"}, "supply": {"outlets": "osm"}, **OSM}
    whole = {"name": "x"} if changed.get("streets") == SAMPLE["streets"] else base

    with pytest.raises(InputError) as refused:
        Scenario.of({**whole, **changed}, where="s")

    assert f"s {place}" in [fault.where for fault in refused.value.faults]
