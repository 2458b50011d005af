"""OpenStreetMap extracts become streets, sites, homes, places and barriers."""

from typing import Any

import numpy as np
import pytest
import shapely
from pyproj import CRS

from osm_files import lonlat, ring, square, write_osm
from walkshed.errors import InputError, MissingInputError
from walkshed.network import WalkNetwork
from walkshed.sources import osm
from walkshed.sources.osm_walk import walk_filter

CRS_M = "EPSG:4551"
CROSS = {1: (0, 0), 2: (1, 0), 3: (2, 0), 4: (1, -1), 5: (1, 1)}
STREET = {"highway": "residential"}


def keys(faults):
    return [fault.key for fault in faults]


def town(path, *, extra=(), nodes=None, **more: Any):
    """One street, so that the file can be read, and whatever the test is about."""
    base = {1: (0, 0), 2: (10, 0)}
    street = (1, [1, 2], {"highway": "residential", "name": "同志街"})
    return write_osm(path / "town.osm.pbf", base | (nodes or {}), [street, *extra], **more)


def test_streets_that_share_a_node_join_there(tmp_path):
    path = write_osm(tmp_path / "a.osm.pbf", CROSS, [(1, [1, 2, 3], STREET), (2, [4, 2, 5], STREET)])

    ways = osm.read_ways(path, CRS_M)

    assert ways.node.tolist() == [1, 2, 3, 4, 2, 5]
    assert len(WalkNetwork.build(ways, island_m=0).xy) == 5


def test_a_bridge_crosses_a_street_without_joining_it(tmp_path):
    nodes = CROSS | {6: (1, 0)}  # same place as node 2, up on the bridge
    bridge = {"highway": "footway", "bridge": "yes", "layer": "1"}
    path = write_osm(tmp_path / "a.osm.pbf", nodes, [(1, [1, 2, 3], STREET), (2, [4, 6, 5], bridge)])

    ways = osm.read_ways(path, CRS_M)
    network = WalkNetwork.build(ways, island_m=0)

    assert ways.frame["bridge"].tolist() == [False, True]
    assert network.component[network.edge_from].tolist() in ([0, 1], [1, 0])


@pytest.mark.parametrize(
    ("tags", "level"),
    [
        ({"highway": "service", "access": "private"}, "path"),
        ({"highway": "residential", "access": "private"}, "street"),
        ({"highway": "footway", "access": "private"}, "path"),
        ({"highway": "cycleway"}, "path"),
        ({"highway": "steps"}, "path"),
        ({"highway": "corridor", "indoor": "yes"}, "path"),
        ({"highway": "pedestrian", "area": "yes"}, "street"),
        ({"railway": "platform"}, "path"),
        ({"place": "square"}, "path"),
        ({"area:highway": "pedestrian"}, "path"),
        ({"highway": "trunk", "bridge": "yes"}, "major"),
        ({"highway": "motorway", "foot": "designated"}, "major"),
        ({"highway": "footway", "access": "no", "foot": "yes"}, "path"),
        ({"highway": "motorway"}, ""),
        ({"highway": "motorway_link"}, ""),
        ({"highway": "trunk", "motorroad": "yes"}, ""),
        ({"highway": "trunk_link", "bridge": "viaduct"}, ""),
        ({"highway": "residential", "foot": "no"}, ""),
        ({"highway": "residential", "access": "no"}, ""),
        ({"highway": "construction", "construction": "residential"}, ""),
        ({"highway": "proposed"}, ""),
        ({"highway": "footway", "abandoned": "yes"}, ""),
        ({"area:highway": "primary"}, ""),
        ({"waterway": "river"}, ""),
    ],
)
def test_the_walk_filter_keeps_what_is_walked(tags, level):
    assert walk_filter().level(tags) == level
    assert walk_filter().leveller()(tags) == level


def test_every_row_of_the_walk_filter_says_why():
    import tomllib  # noqa: PLC0415

    from walkshed.words import data_dir  # noqa: PLC0415

    table = tomllib.loads((data_dir() / "walk_filter.toml").read_text(encoding="utf-8"))

    assert all(row["reason"] for row in [*table["way"], *table["refused"]])
    assert {row["level"] for row in table["way"]} == {"major", "street", "path"}


def test_what_cannot_be_walked_is_no_way(tmp_path):
    path = town(tmp_path, extra=[(2, [1, 2], {"highway": "motorway"}), (3, [1, 2], {"highway": "service"})])

    assert osm.read_ways(path, CRS_M).frame["level"].tolist() == ["street", "path"]


def test_a_plaza_with_a_hole_is_walked_along_its_outlines(tmp_path):
    nodes = square(10, 0, 0, 4) | square(20, 1, 1, 2)
    plaza = (
        7,
        [("w", 2, "outer"), ("w", 3, "inner")],
        {"type": "multipolygon", "highway": "pedestrian", "name": "广场"},
    )
    path = town(tmp_path, nodes=nodes, extra=[(2, ring(10), {}), (3, ring(20), {})], relations=[plaza])

    ways = osm.read_ways(path, CRS_M)

    assert ways.frame["name"].tolist() == ["同志街", "广场", "广场"]
    assert [set(part.tolist()) for part in np.split(ways.node, ways.ptr[1:-1])[1:]] == [
        {10, 11, 12, 13},
        {20, 21, 22, 23},
    ]


def test_a_way_cut_by_the_extract_goes_on_where_its_nodes_are(tmp_path):
    path = write_osm(
        tmp_path / "a.osm.pbf", {1: (0, 0), 2: (1, 0), 4: (3, 0), 5: (4, 0)}, [(1, [1, 2, 3, 4, 5], STREET)]
    )

    ways = osm.read_ways(path, CRS_M)

    assert np.split(ways.node, ways.ptr[1:-1])[0].tolist() == [1, 2]
    assert ways.node.tolist() == [1, 2, 4, 5]


def test_coordinates_come_out_in_metres_of_the_crs_given(tmp_path):
    ways = osm.read_ways(town(tmp_path), CRS_M)

    length_m = float(np.hypot(*np.diff(ways.xy, axis=0)[0]))
    assert ways.crs == CRS(CRS_M)
    assert length_m == pytest.approx(804, abs=2)  # 0.01 degrees of longitude at 43.88 N: 111,320 m x cos(lat) / 100


def test_a_box_keeps_whole_the_streets_that_touch_it(tmp_path):
    nodes = {5: (20, 5), 6: (30, 5)}
    path = town(tmp_path, nodes=nodes, extra=[(2, [5, 6], STREET)])

    ways = osm.read_ways(path, CRS_M, bbox=(*lonlat(4, -1), *lonlat(6, 1)))

    assert ways.node.tolist() == [1, 2]


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
    assert keys(extract.notes) == ["osm.not_public"]


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


def test_streets_read_alone_are_those_of_the_whole_extract(tmp_path):
    nodes = square(10, 0, 0, 4)
    plaza = (7, [("w", 2, "outer")], {"type": "multipolygon", "place": "square"})
    path = town(tmp_path, nodes=nodes, extra=[(2, ring(10), {}), (3, [10, 2], STREET)], relations=[plaza])

    alone, whole = osm.read_ways(path, CRS_M), osm.read(path, CRS_M).ways

    assert alone.node.tolist() == whole.node.tolist()
    assert alone.frame.equals(whole.frame)


def test_a_file_that_is_cut_short_is_refused(tmp_path):
    nodes = {i: (i % 100 / 7, i % 37 / 3) for i in range(1, 30_000)}
    path = write_osm(tmp_path / "a.osm.pbf", nodes, [(1, [1, 2], STREET)])
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])

    with pytest.raises(InputError) as caught:
        osm.read(path, CRS_M)

    assert keys(caught.value.faults) == ["osm.unreadable"]


@pytest.mark.parametrize("content", [b"", b"hello world" * 1000, b"<osm>"])
def test_a_file_of_another_format_is_refused(tmp_path, content):
    path = tmp_path / "a.osm.pbf"
    path.write_bytes(content)

    with pytest.raises(InputError) as caught:
        osm.read_ways(path, CRS_M)

    assert keys(caught.value.faults) == ["osm.unreadable"]


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(MissingInputError, match=r"nowhere\.osm\.pbf"):
        osm.read_ways(tmp_path / "nowhere.osm.pbf", CRS_M)


def test_a_file_without_streets_is_refused(tmp_path):
    path = write_osm(tmp_path / "a.osm.pbf", CROSS, [(1, [1, 2], {"waterway": "river"})])

    with pytest.raises(InputError) as caught:
        osm.read(path, CRS_M)

    assert keys(caught.value.faults) == ["osm.no_streets"]


def test_streets_without_coordinates_are_refused(tmp_path):
    path = write_osm(tmp_path / "a.osm.pbf", {}, [(1, [1, 2], STREET)])

    with pytest.raises(InputError) as caught:
        osm.read_ways(path, CRS_M)

    assert keys(caught.value.faults) == ["osm.no_locations"]


def test_streets_elsewhere_are_refused_with_the_place_where_they_are(tmp_path):
    with pytest.raises(InputError, match=r"125\.300, 43\.880, 125\.310, 43\.880") as caught:
        osm.read(town(tmp_path), CRS_M, bbox=(43.0, 125.0, 44.0, 126.0))  # longitude and latitude swapped

    assert keys(caught.value.faults) == ["osm.none_in_area"]


def test_degrees_are_no_metric_crs(tmp_path):
    with pytest.raises(InputError, match="not in metres"):
        osm.read_ways(town(tmp_path), "EPSG:4326")


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
