"""Kinds of sites: the table, its faults, what it makes of OpenStreetMap tags, and sites that repeat each other."""

from itertools import combinations

import geopandas as gpd
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from walkshed.errors import InputError
from walkshed.supply import kind_finder, kinds, label, merge_near

OUTLETS = {
    "central", "unit_library", "branch", "demonstration", "community_branch", "reading_room", "self_service", "cabinet",
    "book_house", "delivery_point", "bookmobile", "metro_library", "bookshop", "library",
}  # fmt: skip
CANDIDATES = {"park", "residential", "school", "mall", "station", "community", "township", "metro"}
EYES = {  # Machado, Oliveira and Fernandes 2009, severity 1.0, linear RGB
    "normal": np.eye(3),
    "deuteranope": np.array(
        [[0.367322, 0.860646, -0.227968], [0.280085, 0.672501, 0.047413], [-0.01182, 0.04294, 0.968881]]
    ),
    "protanope": np.array(
        [[0.152286, 1.052583, -0.204868], [0.114503, 0.786281, 0.099216], [-0.003882, -0.048116, 1.051998]]
    ),
}  # fmt: skip


def faulty(tmp_path, text):
    path = tmp_path / "kinds.toml"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(InputError) as caught:
        kinds(path)
    return [(fault.key, fault.where) for fault in caught.value.faults]


def lab(colour, eye):
    """CIE L*a*b* (D65) of a colour as an eye sees it."""
    rgb = np.array([int(colour[i : i + 2], 16) for i in (1, 3, 5)]) / 255
    linear = np.where(rgb <= 0.04045, rgb / 12.92, ((rgb + 0.055) / 1.055) ** 2.4)
    seen = np.clip(EYES[eye] @ linear, 0, 1)
    to_xyz = np.array([[0.4124, 0.3576, 0.1805], [0.2126, 0.7152, 0.0722], [0.0193, 0.1192, 0.9505]])
    x, y, z = (np.cbrt(v) if v > 0.008856 else 7.787 * v + 16 / 116 for v in to_xyz @ seen / [0.9505, 1, 1.089])
    return np.array([116 * y - 16, 500 * (x - y), 200 * (y - z)])


def test_every_kind_of_the_service_is_there():
    found = kinds()

    assert {key for key, kind in found.items() if kind.role in ("outlet", "both")} >= OUTLETS
    assert {key for key, kind in found.items() if kind.role in ("candidate", "both")} >= CANDIDATES


def test_a_full_service_and_the_scenario_s_limit_are_the_default():
    assert {(kind.share, kind.limit_m) for kind in kinds().values()} == {(1.0, None)}


@pytest.mark.parametrize("eye", sorted(EYES))
def test_colours_stay_apart_for_every_eye(eye):
    seen = {key: lab(kind.colour, eye) for key, kind in kinds().items()}

    nearest = min((float(np.linalg.norm(seen[a] - seen[b])), a, b) for a, b in combinations(seen, 2))

    assert nearest[0] >= 17, nearest


def test_kinds_are_read_in_both_languages():
    assert (label("reading_room", "zh"), label("reading_room", "en")) == ("城市阅书房", "urban reading room")


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("长春市图书馆", "central"),
        ("长春市图书馆（新馆）", "central"),
        ("榆树市图书馆", "unit_library"),
        ("南关区图书馆", "unit_library"),
        ("农安县图书馆", "unit_library"),
        ("长春市图书馆铁北分馆", "branch"),
        ("长春市少年儿童图书馆", "branch"),
        ("永昌社区分馆", "community_branch"),
        ("净月示范分馆", "demonstration"),
        ("玉鸟阅书房", "reading_room"),
        ("街区24小时自助图书馆", "self_service"),
        ("智能借阅柜", "cabinet"),
        ("阳光文化书屋", "book_house"),
        ("地铁图书馆（解放大路站）", "metro_library"),
        ("汽车流动图书馆", "bookmobile"),
        ("吉林省图书馆", "library"),
        ("", "library"),
    ],
)
def test_a_library_is_ranked_by_its_name(name, kind):
    tags = {"amenity": "library"} | ({"name": name} if name else {})

    assert kind_finder(kinds())(tags) == kind


@pytest.mark.parametrize(
    ("tags", "kind"),
    [
        ({"leisure": "park"}, "park"),
        ({"landuse": "residential", "name": "富豪花园"}, "residential"),
        ({"amenity": "school"}, "school"),
        ({"shop": "mall"}, "mall"),
        ({"railway": "station", "station": "subway"}, "station"),
        ({"railway": "station", "name": "长春站"}, "station"),
        ({"railway": "station"}, ""),
        ({"amenity": "community_centre"}, "community"),
        ({"office": "government", "name": "永昌社区居委会"}, "community"),
        ({"amenity": "townhall", "name": "永昌街道"}, "township"),
        ({"amenity": "townhall", "name": "长春市人民政府"}, ""),
        ({"shop": "books"}, "bookshop"),
        ({"amenity": "bench"}, ""),
        ({}, ""),
    ],
)
def test_places_are_recognised_by_their_tags(tags, kind):
    assert kind_finder(kinds())(tags) == kind


def test_a_faulty_table_is_refused_with_all_its_faults(tmp_path):
    text = """
    loose = 3
    [park]
    zh = "公园"
    colour = "green"
    role = "candidate"
    share = 1.5
    osm = [{ leisure = 3 }, { name = "~(" }, {}]
    size = 4
    [school]
    zh = "学校"
    en = " "
    colour = "#00ff00"
    role = "place"
    cost = -1
    seats = 2.5
    limit_m = true
    """

    assert faulty(tmp_path, text) == [
        ("kinds.not_table", "kinds.toml [loose]"),
        ("kinds.missing", "kinds.toml [park]"),
        ("kinds.wrong", "kinds.toml [park]"),
        ("kinds.wrong", "kinds.toml [park]"),
        *[("kinds.condition", "kinds.toml [park]")] * 3,
        ("kinds.unknown_field", "kinds.toml [park]"),
        *[("kinds.wrong", "kinds.toml [school]")] * 5,
    ]


@pytest.mark.parametrize(("text", "key"), [("[park", "kinds.not_toml"), ("", "kinds.none")])
def test_a_table_that_is_none_is_refused(tmp_path, text, key):
    assert [found for found, _ in faulty(tmp_path, text)] == [key]


def test_every_fault_can_be_said_in_both_languages(tmp_path):
    path = tmp_path / "kinds.toml"
    path.write_text('a = 1\n[b]\nzh = ""\nosm = [1]\nx = 2\n', encoding="utf-8")

    with pytest.raises(InputError) as caught:
        kinds(path)

    assert all("{" not in fault.text(lang).replace("{ ", "") for fault in caught.value.faults for lang in ("zh", "en"))


def row_of_sites(metres, names=None, kind="branch"):
    at = gpd.points_from_xy(metres, [0] * len(metres))
    table = {"name": names or ["书房"] * len(metres), "kind": [kind] * len(metres)}
    return gpd.GeoDataFrame(table, index=[f"s{i}" for i in range(len(metres))], geometry=at, crs="EPSG:4551")


def test_sites_exactly_at_the_distance_are_one():
    assert merge_near(row_of_sites([0, 50, 101]), 50).index.tolist() == ["s0", "s2"]


def test_sites_of_other_names_stay_unless_told():
    sites = row_of_sites([0, 10], ["省图书馆", "吉林省图书馆"])

    assert len(merge_near(sites, 50)) == 2
    assert len(merge_near(sites, 50, same_name=False)) == 1


def test_sites_in_degrees_are_refused():
    with pytest.raises(InputError, match="not in metres"):
        merge_near(row_of_sites([0, 10]).to_crs("EPSG:4326"), 50)


@given(st.lists(st.integers(0, 300), max_size=30), st.integers(1, 100))
def test_thinned_sites_are_apart_and_each_dropped_one_is_near_an_earlier_kept_one(metres, distance):
    sites = row_of_sites(metres)

    kept = merge_near(sites, distance)

    at = dict(zip(sites.index, metres, strict=True))
    order = {key: i for i, key in enumerate(sites.index)}
    assert all(abs(at[a] - at[b]) > distance for a, b in combinations(kept.index, 2))
    assert all(
        any(abs(at[key] - at[k]) <= distance and order[k] < order[key] for k in kept.index)
        for key in sites.index.difference(kept.index)
    )
