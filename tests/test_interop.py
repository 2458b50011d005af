"""Networks and reach rows to other tools and back."""

from pathlib import Path

import geopandas as gpd
import networkx as nx
import numpy as np
import pandas as pd
import pytest
from pandas.testing import assert_frame_equal
from scipy.sparse import coo_array
from shapely import LineString

from walkshed.errors import InputError, MissingInputError
from walkshed.network import WalkNetwork
from walkshed.reach import Reach, reach
from walkshed.ways import Ways
from worlds import CRS, lattice, lattice_lines, places

HOMES = places(["h", "i", "far"], [(0, 0), (220, 100), (9000, 0)])
SITES = places(["L", "M"], [(200, 100), (500, 500)])


def crooked() -> WalkNetwork:
    """Two streets between the same places, a loop, a stated length."""
    more = [LineString([(0, 0), (40, 60), (100, 0)]), LineString([(500, 500), (560, 500), (560, 560), (500, 500)])]
    lines = pd.concat([lattice_lines(), gpd.GeoDataFrame({"length_m": [300, 200]}, geometry=more, crs=CRS)])
    return WalkNetwork.build(Ways.from_lines(lines))


def same_reach(one: Reach, other: Reach) -> bool:
    assert_frame_equal(one.to_frame(), other.to_frame())
    return (
        one.limit_m == other.limit_m and one.demand_ids.equals(other.demand_ids) and one.site_ids.equals(other.site_ids)
    )


def test_a_network_survives_networkx() -> None:
    network = crooked()

    back = WalkNetwork.from_osmnx(network.to_networkx())

    assert back.crs == network.crs
    assert sorted(back.edge_nm.tolist()) == sorted(network.edge_nm.tolist())
    assert back.names == network.names
    assert sorted(back.edge_level.tolist()) == sorted(network.edge_level.tolist())
    assert same_reach(reach(back, HOMES, SITES, limit_m=900), reach(network, HOMES, SITES, limit_m=900))


def test_networkx_walks_as_far_as_we_do() -> None:
    network = crooked()
    graph = network.to_networkx()
    corners = places([str(u) for u in range(len(network.xy))], network.xy)

    ours = reach(network, corners, corners[:1], limit_m=5000).to_frame().set_index("from_id")["distance_m"]
    theirs = nx.single_source_dijkstra_path_length(graph, 0, weight="length")

    assert ours.to_dict() == pytest.approx({str(u): d for u, d in theirs.items()})


def test_geometry_runs_from_one_end_to_the_other() -> None:
    graph = crooked().to_networkx()

    for u, v, data in graph.edges(data=True):
        ends = {data["geometry"].coords[0], data["geometry"].coords[-1]}
        assert ends == {(graph.nodes[n]["x"], graph.nodes[n]["y"]) for n in (u, v)}


def test_osmnx_takes_the_graph() -> None:
    osmnx = pytest.importorskip("osmnx", reason="osmnx is not installed: nothing to hand the graph to")

    nodes, edges = osmnx.graph_to_gdfs(nx.MultiDiGraph(lattice().to_networkx()))

    assert (len(nodes), len(edges)) == (36, 2 * 60)
    assert edges.crs == CRS


def test_a_graph_in_degrees_gets_the_crs_of_its_place() -> None:
    graph = nx.MultiDiGraph(crs="EPSG:4326")
    graph.add_nodes_from([(1, {"x": 13.40, "y": 52.52}), (2, {"x": 13.41, "y": 52.52})])
    graph.add_edge(1, 2, length=678.0)

    assert WalkNetwork.from_osmnx(graph).crs.to_epsg() == 32633
    assert WalkNetwork.from_osmnx(graph, "EPSG:25833").crs.to_epsg() == 25833


@pytest.mark.parametrize(
    ("graph", "key"),
    [
        (nx.MultiDiGraph(), "table.no_crs"),
        (nx.MultiDiGraph(crs="EPSG:4326"), "streets.no_edges"),
        (nx.MultiDiGraph([(1, 2)], crs="EPSG:4326"), "streets.no_xy"),
    ],
)
def test_what_is_no_street_graph_is_refused(graph: nx.MultiDiGraph, key: str) -> None:
    with pytest.raises(InputError) as caught:
        WalkNetwork.from_osmnx(graph)

    assert key in [fault.key for fault in caught.value.faults]


def test_reach_survives_a_sparse_array_with_walks_of_nothing() -> None:
    walks = reach(lattice(), places(["L", "i"], [(200, 100), (220, 100)]), SITES, limit_m=500)
    assert 0.0 in walks.distance_m

    for array in (walks.to_scipy(), walks.to_scipy().tocoo(), walks.to_scipy().tocsc()):
        back = Reach.from_scipy(array, demand_ids=walks.demand_ids, site_ids=walks.site_ids, limit_m=500)
        assert same_reach(back, walks)


def test_a_sparse_array_the_wrong_way_round_is_refused() -> None:
    walks = reach(lattice(), HOMES, SITES, limit_m=500)

    with pytest.raises(InputError, match="3 x 2, but there are 2 sites and 3 demand points"):
        Reach.from_scipy(walks.to_scipy().T, demand_ids=HOMES.index, site_ids=SITES.index, limit_m=500)


def test_a_pair_stored_twice_is_refused() -> None:
    twice = coo_array(([1.0, 2.0], ([0, 0], [0, 0])), shape=(1, 1))

    with pytest.raises(InputError, match="more than once"):
        Reach.from_scipy(twice, demand_ids=["h"], site_ids=["L"], limit_m=500)


def test_reach_survives_parquet_with_ids_in_no_pair(tmp_path: Path) -> None:
    walks = reach(lattice(), HOMES, SITES, limit_m=333.5)
    walks.to_parquet(tmp_path / "walks.parquet")

    back = Reach.from_parquet(tmp_path / "walks.parquet")

    assert same_reach(back, walks)
    assert list(pd.read_parquet(tmp_path / "walks.parquet")) == ["from_id", "to_id", "distance_m"]


def test_numbers_may_be_ids(tmp_path: Path) -> None:
    numbered = reach(lattice(), HOMES.set_axis([7, 8, 9]), SITES.set_axis(np.array([1, 2])), limit_m=800)
    numbered.to_parquet(str(tmp_path / "walks.parquet"))

    assert same_reach(Reach.from_parquet(str(tmp_path / "walks.parquet")), numbered)


def test_the_same_reach_is_the_same_file(tmp_path: Path) -> None:
    walks = reach(lattice(), HOMES, SITES, limit_m=500)
    for name in ("a", "b"):
        walks.to_parquet(tmp_path / name)

    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes()


def test_other_files_are_refused(tmp_path: Path) -> None:
    pd.DataFrame({"from_id": ["h"]}).to_parquet(tmp_path / "table.parquet")
    (tmp_path / "text.parquet").write_text("from_id,to_id", encoding="utf-8")

    for name in ("table.parquet", "text.parquet"):
        with pytest.raises(InputError, match=f"{name}: this Parquet file is no reach"):
            Reach.from_parquet(tmp_path / name)
    with pytest.raises(MissingInputError, match=r"nothing.parquet: there is no such file"):
        Reach.from_parquet(tmp_path / "nothing.parquet")
