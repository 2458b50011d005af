"""Street lines in Geofabrik's schema, plain lines, and osmnx graphs become ways."""

from typing import Any

import geopandas as gpd
import networkx as nx
import numpy as np
import pytest
import shapely
from shapely import LineString, MultiLineString, Point

from walkshed.errors import InputError, MissingInputError
from walkshed.graphs import ways_of
from walkshed.network import WalkNetwork
from walkshed.sources.streets import from_lines, read_graphml, read_lines

CRS_M = "EPSG:4551"


def lines(geometries, crs="EPSG:4326", **columns: Any):
    return gpd.GeoDataFrame(columns, geometry=geometries, crs=crs)


def at(x, y):
    return 125.30 + x / 1000, 43.88 + y / 1000


def keys(caught):
    return [fault.key for fault in caught.value.faults]


EAST = LineString([at(0, 0), at(1, 0), at(2, 0)])
NORTH = LineString([at(1, -1), at(1, 0), at(1, 1)])


def test_lines_join_where_they_share_a_vertex():
    ways, _ = from_lines(lines([EAST, NORTH], fclass=["residential"] * 2, layer=[0, 0]), CRS_M)

    assert len(WalkNetwork.build(ways, island_m=0).xy) == 5


def test_a_bridge_over_a_shared_inner_vertex_does_not_join():
    ways, _ = from_lines(lines([EAST, NORTH], fclass=["residential"] * 2, layer=[0, 1], bridge=["F", "T"]), CRS_M)

    assert len(WalkNetwork.build(ways, island_m=0).xy) == 4
    assert ways.frame["bridge"].tolist() == [False, True]


def test_a_bridge_joins_the_street_it_ends_at():
    on = LineString([at(2, 0), at(3, 0)])

    ways, _ = from_lines(lines([EAST, on], fclass=["residential"] * 2, layer=[0, 1], bridge=["F", "T"]), CRS_M)

    assert len(np.unique(ways.node)) == 4


def test_stairs_that_end_on_a_bridge_join_it():
    stairs = LineString([at(1, 0), at(1.5, 0.5)])

    ways, _ = from_lines(lines([EAST, stairs], fclass=["footway", "steps"], layer=[1, 0], bridge=["T", "F"]), CRS_M)

    assert len(np.unique(ways.node)) == 4


def test_classes_that_cannot_be_walked_are_left_out():
    table = lines(
        [EAST, NORTH, EAST], fclass=["motorway", "track_grade3", "trunk"], name=["京哈高速", None, "人民大街"]
    )

    ways, told = from_lines(table, CRS_M)

    assert ways.frame[["name", "level"]].to_numpy().tolist() == [["", "path"], ["人民大街", "major"]]
    assert told == ()


def test_lines_without_a_class_are_all_taken_and_that_is_told():
    ways, told = from_lines(lines([EAST, NORTH]), CRS_M)

    assert ways.frame["level"].tolist() == ["street", "street"]
    assert [(fault.key, fault.values) for fault in told] == [("streets.no_class", {"n": 2})]


def test_lines_of_several_parts_are_taken_apart():
    ways, _ = from_lines(lines([MultiLineString([EAST, NORTH])], name=["同志街"]), CRS_M)

    assert ways.ptr.tolist() == [0, 3, 6]
    assert ways.frame["name"].tolist() == ["同志街"] * 2


def test_a_box_keeps_the_lines_that_touch_it():
    far = LineString([at(50, 50), at(51, 50)])

    ways, _ = from_lines(lines([EAST, far], fclass=["service"] * 2), CRS_M, bbox=(*at(-1, -1), *at(1, 1)))

    assert len(ways.frame) == 1


@pytest.mark.parametrize(
    ("table", "bbox", "key"),
    [
        (lines([], fclass=[]), None, "table.no_rows"),
        (lines([EAST], crs=None, fclass=["service"]), None, "table.no_crs"),
        (lines([EAST, Point(1, 2)], fclass=["service"] * 2), None, "streets.not_lines"),
        (lines([EAST], fclass=["motorway"]), None, "streets.none_walkable"),
        (lines([EAST], fclass=["service"]), (43.0, 125.0, 44.0, 126.0), "osm.none_in_area"),
    ],
)
def test_lines_that_are_no_streets_are_refused(table, bbox, key):
    with pytest.raises(InputError) as caught:
        from_lines(table, CRS_M, bbox=bbox)

    assert keys(caught) == [key]


@pytest.mark.parametrize("suffix", [".geojson", ".gpkg", ".shp"])
def test_lines_read_from_a_file_are_those_written(tmp_path, suffix):
    table = lines([EAST, NORTH], fclass=["residential", "footway"], name=["同志街", "小路"], layer=[0, 0])
    path = tmp_path / f"roads{suffix}"
    table.to_file(path, **({"encoding": "utf-8"} if suffix == ".shp" else {}))

    ways, _ = read_lines(path, CRS_M)

    assert ways.frame["name"].tolist() == ["同志街", "小路"]
    assert len(WalkNetwork.build(ways, island_m=0).xy) == 5


def test_a_file_that_is_no_map_is_refused(tmp_path):
    path = tmp_path / "roads.geojson"
    path.write_text("{", encoding="utf-8")

    with pytest.raises(InputError) as caught:
        read_lines(path, CRS_M)

    assert keys(caught) == ["streets.unreadable"]


def test_a_missing_file_is_named(tmp_path):
    for read in (read_lines, read_graphml):
        with pytest.raises(MissingInputError, match="roads"):
            read(tmp_path / "roads.gpkg", CRS_M)


def test_the_roads_of_changchun_become_ways(real):
    ways, told = read_lines(real / "changchun" / "osm_roads_core_wgs84.geojson", CRS_M)

    drawn_m = [LineString(part).length for part in np.split(ways.xy, ways.ptr[1:-1])]
    assert len(ways.frame) == 1_253
    assert sum(drawn_m) == pytest.approx(641_000, rel=0.01)
    assert (ways.frame["bridge"].sum(), ways.frame["tunnel"].sum()) == (113, 22)
    assert told == ()


def graph(*, crs="EPSG:4326"):
    """A street of two directed edges, drawn with a bend, and a one-way motorway."""
    town = nx.MultiDiGraph(crs=crs) if crs else nx.MultiDiGraph()
    for node, (x, y) in {10: (0, 0), 20: (2, 0), 30: (2, 2)}.items():
        town.add_node(node, x=at(x, y)[0], y=at(x, y)[1])
    bend = LineString([at(0, 0), at(1, 1), at(2, 0)])
    town.add_edge(10, 20, osmid=1, highway="residential", name="同志街", length=250.0, geometry=bend)
    town.add_edge(20, 10, osmid=1, highway="residential", name="同志街", length=250.0, geometry=shapely.reverse(bend))
    town.add_edge(20, 30, osmid=2, highway=["motorway", "trunk"], length=300.0, bridge="yes")
    return town


def test_edges_that_are_each_other_s_way_back_are_one_street():
    ways = ways_of(graph(), CRS_M)

    assert ways.ptr.tolist() == [0, 3, 5]
    assert ways.frame["length_m"].tolist() == [250.0, 300.0]
    assert ways.frame["name"].tolist() == ["同志街", ""]
    assert ways.node[[0, 2, 3]].tolist() == [0, 1, 1]


def test_a_graph_is_taken_as_it_is_and_its_lengths_are_kept():
    network = WalkNetwork.build(ways_of(graph(), CRS_M), island_m=0)

    assert sorted((network.edge_nm / 1e9).tolist()) == [250.0, 300.0]
    assert network.component.tolist() == [0, 0, 0]


def test_two_streets_between_the_same_corners_stay_two():
    town = graph()
    town.add_edge(10, 20, osmid=3, highway="footway", length=160.0)

    assert sorted(ways_of(town, CRS_M).frame["length_m"]) == [160.0, 250.0, 300.0]


def test_a_graph_that_lacks_what_it_needs_is_refused_with_all_faults():
    bare = nx.MultiDiGraph()
    bare.add_node(1)

    with pytest.raises(InputError) as caught:
        ways_of(bare, CRS_M)

    assert keys(caught) == ["table.no_crs", "streets.no_edges", "streets.no_xy"]


@pytest.mark.filterwarnings("default")  # osmnx and what it imports warn on their own account
def test_a_graph_saved_by_osmnx_reads_back_the_same(tmp_path):
    import osmnx  # noqa: PLC0415 - slow

    path = tmp_path / "town.graphml"
    osmnx.save_graphml(graph(), path)
    (tmp_path / "junk.graphml").write_text("<graphml>", encoding="utf-8")

    (read, _), given = read_graphml(path, CRS_M), ways_of(graph(), CRS_M)

    assert np.allclose(read.xy, given.xy, rtol=0, atol=1e-6)
    assert read.node.tolist() == given.node.tolist()
    assert read.frame.equals(given.frame)
    with pytest.raises(InputError) as caught:
        read_graphml(tmp_path / "junk.graphml", CRS_M)
    assert keys(caught) == ["streets.not_graph"]
