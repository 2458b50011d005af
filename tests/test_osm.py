"""OpenStreetMap extracts become streets; what is no such extract is refused."""

import numpy as np
import pytest
from pyproj import CRS

from osm_files import lonlat, ring, square, town, write_osm
from walkshed.errors import InputError, MissingInputError
from walkshed.network import WalkNetwork
from walkshed.sources import osm
from walkshed.walkable import walk_filter

CRS_M = "EPSG:4551"
CROSS = {1: (0, 0), 2: (1, 0), 3: (2, 0), 4: (1, -1), 5: (1, 1)}
STREET = {"highway": "residential"}


def keys(faults):
    return [fault.key for fault in faults]


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
