"""The scenario file: read whole, refused whole, written back as it was."""

import tomllib
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from walkshed.errors import InputError, MissingInputError
from walkshed.scenario import Scenario, SitingSection
from walkshed.scenario.sections import Sections

HARBIN = """\
# my own city
name  = "harbin"
title = "哈尔滨中心城区"   # as on the map
[area]
units = "units.geojson"
id    = "code"
clip  = [126.506, 45.658, 126.772, 45.831]
[streets]
source = "harbin.osm.pbf"
[demand]
people  = "pop2020"
weights = "osm"
cell_m  = 100
[supply]
outlets    = "osm"
candidates = ["park", "residential", "school"]
[standard]
limit_m = 1000
[siting]
model = "max_cover"
build = 5
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with the files the Harbin scenario names, empty: only their presence is looked at."""
    for name in ("units.geojson", "harbin.osm.pbf"):
        (tmp_path / name).touch()
    (tmp_path / "harbin.toml").write_text(HARBIN, encoding="utf-8")
    return tmp_path


def faults_of(text: str, folder: Path = Path("nowhere")) -> dict[str, str]:
    """Keys of the sentences by place."""
    with pytest.raises(InputError) as caught:
        Scenario.parse(text, base_dir=folder, where="s.toml")
    assert all(fault.text("zh") and fault.text("en") for fault in caught.value.faults)
    return {f.where.removeprefix("s.toml").strip(): f.key for f in reversed(caught.value.faults)}  # first one wins


def test_a_file_is_read_as_it_was_written(folder: Path) -> None:
    scenario = Scenario.read(folder / "harbin.toml")

    assert (scenario.name, scenario.title, scenario.seed) == ("harbin", "哈尔滨中心城区", 2020)
    assert scenario.area is not None
    assert scenario.area.clip == (126.506, 45.658, 126.772, 45.831)
    assert (scenario.limit_m, scenario.standard_id) == (1000.0, "custom")
    assert not scenario.schematic


def test_names_of_files_are_relative_to_the_scenario_and_kept_as_written(folder: Path) -> None:
    scenario = Scenario.read(folder / "harbin.toml")

    assert scenario.streets.source == "harbin.osm.pbf"
    assert scenario.path("harbin.osm.pbf") == folder / "harbin.osm.pbf"


def test_a_folder_is_read_by_its_scenario_toml(folder: Path) -> None:
    (folder / "harbin.toml").rename(folder / "scenario.toml")

    assert Scenario.read(folder).name == "harbin"


def test_a_file_without_a_name_is_called_after_itself(tmp_path: Path) -> None:
    (tmp_path / "spring.toml").write_text("[siting]\nbuild = 3\n", encoding="utf-8")

    scenario = Scenario.read(tmp_path / "spring.toml")

    assert (scenario.name, scenario.schematic, scenario.siting.build) == ("spring", True, 3)


def test_the_mark_of_windows_editors_does_no_harm(tmp_path: Path) -> None:
    (tmp_path / "a.toml").write_bytes(b'\xef\xbb\xbfname = "b"\r\n')

    assert Scenario.read(tmp_path / "a.toml").name == "b"


def test_comments_survive_a_change(folder: Path) -> None:
    written = Scenario.read(folder / "harbin.toml").revise(siting={"build": 7}).to_toml()

    assert "# my own city" in written
    assert "# as on the map" in written
    assert tomllib.loads(written)["siting"]["build"] == 7
    assert tomllib.loads(written.replace("build = 7", "build = 5")) == tomllib.loads(HARBIN)


def test_a_key_taken_back_leaves_the_file(folder: Path) -> None:
    written = Scenario.read(folder / "harbin.toml").revise(siting={"build": None}, title=None).to_toml()

    assert "build" not in tomllib.loads(written)["siting"]
    assert "title" not in tomllib.loads(written)


def test_a_revision_is_checked_like_a_file(folder: Path) -> None:
    scenario = Scenario.read(folder / "harbin.toml")

    with pytest.raises(InputError, match="not a whole number"):
        scenario.revise(siting={"build": 2.5})


def test_a_scenario_built_in_python_is_checked_too() -> None:
    with pytest.raises(ValueError, match="required and forbidden"):
        Scenario(name="x", streets={"source": "sample"}, siting=SitingSection(required=("a",), forbidden=("a",)))  # type: ignore[arg-type]


def test_nothing_changes_once_read() -> None:
    with pytest.raises(ValueError, match="frozen"):
        Scenario.default().siting.build = 7  # type: ignore[misc]


CHANGES = """
[[change]]
type = "close"
site = "r1"
why = "the lease ends"
[[change]]
type = "add"
site = "new"
name = "净月书房"
kind = "library"
lon = 125.4
lat = 43.8
crs = "GCJ02"
why = "offered by the park"
[[change]]
type = "block"
line = [[125.3, 43.8], [125.31, 43.8]]
crs = "wgs84"
why = "bridge closed until 2027"
"""


def test_changes_stay_in_order_and_come_back() -> None:
    scenario = Scenario.parse(f'name = "x"\n{CHANGES}')

    assert [change.type for change in scenario.change] == ["close", "add", "block"]
    assert scenario.change[1].crs == "gcj02"  # type: ignore[union-attr]
    assert Scenario.parse(scenario.to_toml()) == scenario


def test_typed_coordinates_say_what_they_are_in() -> None:
    text = CHANGES.replace('crs = "GCJ02"\n', "")

    assert faults_of(f'name = "x"\n{text}') == {"[[change]] 2 crs": "scenario.missing_key"}


def test_every_fault_is_named_at_once_with_its_place(folder: Path) -> None:
    text = HARBIN.replace("candidates", "candidats").replace("build = 5", 'build = "5"')
    text = text.replace("limit_m = 1000", "limit_m = -1").replace("units.geojson", "gone.geojson")

    assert faults_of(text, folder) == {
        "[supply] candidats": "scenario.unknown_key_near",
        "[standard] limit_m": "scenario.must_exceed",
        "[siting] build": "scenario.not_whole",
        "[area] units": "scenario.missing_file",
    }


def test_a_misspelt_key_is_not_also_called_missing() -> None:
    assert faults_of('name = "x"\n[streets]\nsorce = "sample"') == {"[streets] sorce": "scenario.unknown_key_near"} | {
        "[demand]": "scenario.no_demand"
    }


def test_syntax_is_faulted_by_line() -> None:
    with pytest.raises(InputError, match=r"s\.toml: line 3, column \d+ is not valid TOML: build = = 5"):
        Scenario.parse('name = "x"\n[siting]\nbuild = = 5\n', where="s.toml")


def test_an_unfinished_file_is_faulted_at_its_end() -> None:
    with pytest.raises(InputError, match="line 2, column"):
        Scenario.parse('name = "x"\ntitle = """', where="s.toml")


def test_a_file_in_another_encoding_is_faulted_by_line(tmp_path: Path) -> None:
    (tmp_path / "s.toml").write_bytes('name = "x"\ntitle = "长春"\n'.encode("gb18030"))

    with pytest.raises(InputError, match="line 2 is not UTF-8"):
        Scenario.read(tmp_path / "s.toml")


def test_a_missing_scenario_is_a_missing_file(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match="looked for"):
        Scenario.read(tmp_path / "none.toml")


def test_missing_files_alone_are_a_missing_input(tmp_path: Path) -> None:
    with pytest.raises(MissingInputError) as caught:
        Scenario.parse(HARBIN, base_dir=tmp_path)

    assert [fault.values["file"] for fault in caught.value.faults] == ["units.geojson", "harbin.osm.pbf"]


SAMPLE = 'name = "x"\n[streets]\nsource = "sample"\n'


@pytest.mark.parametrize(
    ("text", "place", "key"),
    [
        ('name = "a/b"', "name", "scenario.bad_folder_name"),
        ('name = "x"\nseed = true', "seed", "scenario.not_whole"),
        ('name = "x"\nstreets = 3', "streets", "scenario.not_table"),
        ('name = "x"\nseed = -1', "seed", "scenario.at_least"),
        ('name = "x"\ncolour = 1', "colour", "scenario.unknown_key"),
        (SAMPLE + "[standard]\nlimit_m = nan", "[standard] limit_m", "scenario.not_number"),
        (SAMPLE + '[standard]\nid = "gb50180-15mn"', "[standard] id", "scenario.unknown_standard"),
        (SAMPLE + '[standard]\nid = "land2008-small"', "[standard] id", "standards.not_walking"),
        (SAMPLE + "[standard]\nlimit_m = 500\nminutes = 5", "[standard] limit_m", "scenario.not_both"),
        (SAMPLE + '[standard]\nlimit_m = 500\nseason = "ice"', "[standard] season", "scenario.only_with"),
        (SAMPLE + '[demand]\nsource = "cells.csv"', "[demand] source", "scenario.sample_has_its_own"),
        (SAMPLE + '[supply]\ncandidates = ["prak"]', "[supply] candidates", "scenario.unknown_kind"),
        (SAMPLE + "[kinds.prak]\nshare = 1", "[kinds.prak]", "scenario.unknown_kind"),
        (SAMPLE + "[kinds.park]\nshare = 1.5", "[kinds.park] share", "scenario.at_most"),
        (SAMPLE + '[siting]\nmodel = "max"', "[siting] model", "scenario.not_one_of"),
        (SAMPLE + '[siting]\nmodel = "set_cover"', '[siting] model = "set_cover"', "scenario.needs"),
        (SAMPLE + "[siting]\nshare = 0.5", "[siting] share", "scenario.only_with"),
        (SAMPLE + "[siting]\nbudget = -1", "[siting] budget", "scenario.at_least"),
        (SAMPLE + "[siting]\nbuild = 3\nyears = { 2026 = 4 }", "[siting] years", "scenario.years_over_whole"),
        (SAMPLE + "[siting]\nyears = { soon = 4 }", "[siting] years.soon", "scenario.not_whole"),
        (SAMPLE + "[siting]\nfloors = { a = 2 }\nceilings = { a = 1 }", "[siting] floors.a", "scenario.floor_over_ceiling"),  # noqa: E501
        (SAMPLE + "[siting]\nbands = [{ up_to_m = 500 }]", "[siting] bands.share, 1", "scenario.missing_key"),
        (
            SAMPLE + "[siting]\nbands = [{ up_to_m = 500, share = 0.6 }, { up_to_m = 900, share = 1 }]",
            "[siting] bands, 2",
            "scenario.bands_order",
        ),
        (
            SAMPLE + "[standard]\nlimit_m = 800\n[siting]\nbands = [{ up_to_m = 900, share = 1 }]",
            "[siting] bands",
            "scenario.band_over_limit",
        ),
        ('name = "x"\n[supply]\noutlets = "osm"', "[streets] source", "scenario.no_streets"),
        ('name = "x"\n[area]\nunits = "u"\nclip = [1, 2]', "[area] clip, 3", "scenario.missing_key"),
        ('name = "x"\n[[change]]\nwhy = "so"', "[[change]] 1", "scenario.no_tag"),
        ('name = "x"\n[[change]]\ntype = "clos"', "[[change]] 1", "scenario.not_one_of"),
    ],
)  # fmt: skip
def test_each_slip_has_its_sentence(text: str, place: str, key: str) -> None:
    assert faults_of(text)[place] == key


@pytest.mark.parametrize(
    ("changed", "place", "key"),
    [
        ({"demand": {"people": "p", "source": "cells.csv"}}, "[demand] people", "scenario.not_both"),
        ({"demand": {"source": "pop.tif"}}, "[demand] unit", "scenario.grid_unit"),
        ({"demand": {"source": "cells.csv", "unit": "per_cell"}}, "[demand] unit", "scenario.only_with"),
        ({"demand": {"people": "p"}, "area": None}, "[demand] people", "scenario.needs"),
        ({"demand": {"source": "cells.csv", "weights": "uniform"}}, "[demand] weights", "scenario.not_both"),
        ({"streets": {"source": "roads.shp"}}, "[demand] weights", "scenario.weights_need_osm"),
        ({"streets": {"source": "roads.shp"}}, "[supply] outlets", "scenario.needs"),
        ({"streets": {"source": "roads.shp"}, "supply": {}}, "[siting]", "scenario.no_candidates"),
        ({"supply": {"outlets": "osm", "outlets_crs": "wgs84"}}, "[supply] outlets_crs", "scenario.only_with"),
    ],
)
def test_keys_that_contradict_each_other_are_refused(changed: dict[str, Any], place: str, key: str) -> None:
    data = {k: v for k, v in {**tomllib.loads(HARBIN), **changed}.items() if v is not None}

    with pytest.raises(InputError) as caught:
        Scenario.of(data, where="s")

    assert (f"s {place}", key) in [(fault.where, fault.key) for fault in caught.value.faults]


def test_no_english_of_the_library_reaches_a_chinese_reader() -> None:
    with pytest.raises(InputError) as caught:
        Scenario.parse('name = 3\nseed = "x"\narea = 1\n[siting]\nmodel = "q"\nrequired = 3\n[[change]]\n')

    assert len(caught.value.faults) == 8  # those six, and neither streets nor people
    for library_words in ("Input", "should", "valid", "required"):
        assert library_words not in caught.value.text("zh").replace("[siting] required", "")


# ---- whatever can be written can be read back ---------------------------------------------------------------------

texts = st.text(st.characters(codec="utf-8", exclude_categories=("Cs",)), min_size=1, max_size=12)
metres = st.floats(1, 1e5).map(lambda x: round(x, 3))
sites = st.lists(texts, max_size=3, unique=True)
changes = st.one_of(
    st.fixed_dictionaries(
        {"type": st.sampled_from(["open", "close", "require", "forbid"]), "site": texts, "why": texts}
    ),
    st.fixed_dictionaries(
        {"type": st.just("move"), "site": texts, "why": texts, "crs": st.sampled_from(["wgs84", "bd09", "epsg:4490"])}
        | {"lon": st.floats(-180, 180), "lat": st.floats(-90, 90)}
    ),
    st.fixed_dictionaries(
        {"type": st.just("bridge"), "why": texts, "crs": st.just("wgs84")}
        | {"line": st.lists(st.tuples(st.floats(-180, 180), st.floats(-90, 90)).map(list), min_size=2, max_size=3)}
    ),
)
scenarios = st.fixed_dictionaries(
    {"name": st.just("made-up")},
    optional={
        "title": texts,
        "seed": st.integers(0, 2**31),
        "standard": st.fixed_dictionaries({"limit_m": metres}, optional={"max_access_m": metres}),
        "siting": st.fixed_dictionaries(
            {},
            optional={
                "build": st.integers(100, 200),
                "budget": st.floats(0, 1e9),
                "years": st.dictionaries(st.integers(2020, 2040).map(str), st.integers(0, 4), max_size=4),
                "required": sites,
                "group_weights": st.dictionaries(st.sampled_from(["0-14", "60p", "老年"]), st.floats(0, 5)),
                "floors": st.dictionaries(texts, st.integers(0, 3), max_size=3),
                "bands": st.just([{"up_to_m": 0.5, "share": 1.0}, {"up_to_m": 1.0, "share": 0.6}]),
            },
        ),
        "kinds": st.dictionaries(
            st.sampled_from(["park", "school"]), st.fixed_dictionaries({"share": st.floats(0, 1)})
        ),
        "change": st.lists(changes, max_size=4),
    },
).map(lambda data: {**data, "streets": {"source": "sample"}})


@given(scenarios)
@settings(max_examples=150, deadline=None)
def test_a_scenario_written_is_the_scenario_read(data: dict[str, Any]) -> None:
    scenario = Scenario.of(data)

    again = Scenario.parse(scenario.to_toml())

    assert again == scenario
    assert Scenario.parse(again.to_toml()) == scenario


@given(st.dictionaries(st.sampled_from(sorted(Sections.model_fields)), st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(), st.floats(), texts),
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(texts, inner, max_size=3)),
    max_leaves=6,
)))  # fmt: skip
@settings(max_examples=300, deadline=None)
def test_whatever_stands_in_a_file_is_read_or_refused_in_both_languages(data: dict[str, Any]) -> None:
    with suppress(InputError):
        Scenario.of({"name": "x", **data})
        return
    refusal = refused(data)
    assert refusal.text("zh")
    assert refusal.text("en")


def refused(data: dict[str, Any]) -> InputError:
    with pytest.raises(InputError) as caught:
        Scenario.of({"name": "x", **data})
    return caught.value
