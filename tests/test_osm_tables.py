"""Sites, homes, places, gates, barriers and boundaries of an OpenStreetMap extract."""

import numpy as np
import pytest
import shapely

from osm_files import lonlat, ring, square, town
from walkshed.network import WalkNetwork
from walkshed.sources import osm

CRS_M = "EPSG:4551"


def test_a_multipolygon_park_is_one_candidate_inside_its_ground(tmp_path):
    nodes = square(10, 1, 1, 4) | square(20, 2, 2, 2)
    park = (7, [("w", 2, "outer"), ("w", 3, "inner")], {"type": "multipolygon", "leisure": "park", "name": "南湖公园"})
    path = town(tmp_path, nodes=nodes, extra=[(2, ring(10), {}), (3, ring(20), {})], relations=[park])

    sites = osm.read(path, CRS_M).sites

    assert sites[["name", "kind", "status"]].to_dict("index") == {
        "r7": {"name": "南湖公园", "kind": "park", "status": "candidate"}
    }
    lon, lat = shapely.get_coordinates(sites.to_crs("EPSG:4326").geometry.array)[0]
    hole = shapely.box(*lonlat(2, 2), *lonlat(4, 4))
    assert shapely.box(*lonlat(1, 1), *lonlat(5, 5)).contains(shapely.Point(lon, lat))
    assert not hole.contains(shapely.Point(lon, lat))


def test_a_pocket_park_has_no_room_for_an_outlet(tmp_path):
    path = town(tmp_path, nodes=square(10, 1, 1, 0.5), extra=[(2, ring(10), {"leisure": "park"})])  # 40 m x 55 m

    assert osm.read(path, CRS_M).sites.empty


@pytest.mark.parametrize(("lang", "name"), [("zh", "同志街附近公园"), ("en", "park near 同志街")])
def test_a_nameless_park_is_named_after_the_street_beside_it(tmp_path, lang, name):
    path = town(tmp_path, nodes=square(10, 1, 1, 2), extra=[(2, ring(10), {"leisure": "park"})])

    assert osm.read(path, CRS_M, lang=lang).sites["name"].tolist() == [name]


def test_a_nameless_park_far_from_any_name_still_has_one(tmp_path):
    path = town(tmp_path, nodes=square(10, 1, 50, 2), extra=[(2, ring(10), {"leisure": "park"})])

    assert osm.read(path, CRS_M).sites["name"].tolist() == ["未命名公园"]


def test_a_library_drawn_as_point_and_building_is_one_outlet(tmp_path):
    library = {"amenity": "library", "name": "南关区图书馆"}
    path = town(
        tmp_path,
        nodes=square(10, 1, 1, 0.4) | {30: (1.2, 1.2)},
        extra=[(2, ring(10), library | {"building": "yes"})],
        tagged={30: library},
    )

    sites = osm.read(path, CRS_M).sites

    assert sites[["kind", "status"]].to_dict("index") == {"w2": {"kind": "unit_library", "status": "open"}}


def test_a_library_on_a_campus_is_closed_to_the_public_and_that_is_told(tmp_path):
    path = town(
        tmp_path,
        nodes=square(10, 1, 1, 4) | {30: (3, 3), 31: (8, 3)},
        extra=[(2, ring(10), {"amenity": "university", "name": "吉林大学"})],
        tagged={30: {"amenity": "library", "name": "图书馆"}, 31: {"amenity": "library", "name": "图书馆"}},
    )

    extract = osm.read(path, CRS_M)

    assert extract.sites["status"].to_dict() == {"n30": "closed", "n31": "open"}
    assert [note.key for note in extract.notes] == ["osm.not_public"]


def test_homes_places_gates_and_barriers_come_from_the_same_file(tmp_path):
    nodes = (
        square(10, 1, 1, 2)
        | square(20, 4, 1, 0.2)
        | {30: (1, 5), 31: (9, 5), 32: (1, 6), 33: (9, 6), 40: (2, 1), 41: (5, 5)}
    )
    path = town(
        tmp_path,
        nodes=nodes,
        extra=[
            (2, ring(10), {"landuse": "residential", "name": "富豪花园"}),
            (3, ring(20), {"building": "apartments", "building:levels": "18"}),
            (4, [30, 31], {"waterway": "river", "name": "伊通河"}),
            (5, [32, 33], {"railway": "rail"}),
            (6, [32, 33], {"railway": "subway", "tunnel": "yes"}),
        ],
        tagged={40: {"barrier": "gate", "access": "private"}, 41: {"place": "suburb", "name": "永昌"}},
    )

    extract = osm.read(path, CRS_M)

    assert extract.residential["name"].to_dict() == {"w2": "富豪花园"}
    assert extract.buildings[["use", "levels"]].to_dict("index") == {"w3": {"use": "apartments", "levels": 18.0}}
    assert extract.barriers[["kind", "name"]].to_numpy().tolist() == [["river", "伊通河"], ["railway", ""]]
    assert extract.places[["name", "rank"]].to_dict("index") == {
        "n41": {"name": "永昌", "rank": 3},
        "w2": {"name": "富豪花园", "rank": 5},
    }
    assert extract.gates[["kind", "access"]].to_dict("index") == {"n40": {"kind": "gate", "access": "private"}}
    assert not extract.places.geometry.isna().any()


def test_an_administrative_relation_is_a_boundary_with_its_code(tmp_path):
    tags = {
        "type": "boundary",
        "boundary": "administrative",
        "admin_level": "8",
        "name": "永昌街道",
        "ref:GB": "220104001",
    }
    relation = (7, [("w", 2, "outer")], tags)
    path = town(tmp_path, nodes=square(10, 0, 0, 4), extra=[(2, ring(10), {})], relations=[relation])

    found = osm.read(path, CRS_M).boundaries

    assert found.drop(columns="geometry").to_dict("index") == {
        "r7": {"name": "永昌街道", "admin_level": 8, "code": "220104001"}
    }


@pytest.fixture(scope="module")
def harbin(real):
    return osm.read(real / "harbin" / "harbin.osm.pbf", CRS_M)


def test_harbin_has_the_streets_it_is_known_to_have(harbin, real):
    ways = harbin.ways
    lengths_m = np.hypot(*np.diff(ways.xy, axis=0).T)
    within = np.ones(len(ways.node) - 1, dtype=bool)
    within[ways.ptr[1:-1] - 1] = False

    assert 9_900 <= len(ways.frame) <= 10_300  # 10,083 highways, less what is refused, plus plazas and platforms
    assert (ways.frame["level"] == "path").sum() >= 1_797
    assert 2_000_000 < lengths_m[within].sum() < 5_000_000
    assert len(WalkNetwork.build(ways).xy) > 10_000


def test_harbin_has_fifteen_libraries_of_which_few_are_for_everyone(harbin):
    libraries = harbin.sites[
        harbin.sites["kind"].isin(["library", "central", "branch", "unit_library", "reading_room"])
    ]

    assert len(libraries) == 14  # 15 amenity=library; the provincial one is there twice, under two names
    assert sorted(libraries["name"][libraries["status"] == "open"]) == [
        "哈尔滨市图书馆",
        "哈尔滨市图书馆太阳岛分馆",
        "永和街附近图书馆",
        "黑龙江省图书馆",
    ]


def test_harbin_has_candidates_homes_and_barriers(harbin):
    counts = harbin.sites["kind"].value_counts()

    assert 1_500 < counts["residential"] <= 1_648
    assert 150 < counts["park"] <= 581
    assert 200 < counts["school"] <= 222
    assert len(harbin.residential) > 1_600
    assert "松花江" in set(harbin.barriers["name"][harbin.barriers["kind"] == "river"])
    assert (harbin.sites["name"] != "").all()
    assert not harbin.sites.index.has_duplicates
