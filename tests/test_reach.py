"""Walks follow streets, limits are kept to the metre, and a slow twin agrees."""

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import shapely
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from shapely import LineString

from reference import reach_frame
from walkshed.errors import InputError
from walkshed.network import WalkNetwork
from walkshed.reach import Reach, reach
from walkshed.ways import Ways
from worlds import CRS, lattice, lattice_lines, places


def test_walks_follow_streets_not_crows() -> None:
    home, library = places(["h"], [(0, 0)]), places(["L"], [(200, 100)])

    [row] = reach(lattice(), home, library, limit_m=1000).to_frame().to_dict("records")

    assert row == {"from_id": "h", "to_id": "L", "distance_m": 300.0}


def test_points_join_at_the_foot_of_the_perpendicular_not_at_a_junction() -> None:
    home, library = places(["h"], [(30, 20)]), places(["L"], [(170, -10)])

    [row] = reach(lattice(), home, library, limit_m=1000).to_frame().to_dict("records")

    assert row["distance_m"] == 20 + 140 + 10


def test_two_points_on_one_street_walk_along_it() -> None:
    home, library = places(["h"], [(10, 0)]), places(["L"], [(90, 5)])

    assert reach(lattice(), home, library, limit_m=1000).distance_m.tolist() == [85.0]


def test_the_limit_is_inclusive_to_the_metre() -> None:
    homes, library = places(["in", "out"], [(300, 200), (301, 200)]), places(["L"], [(0, 0)])

    within = reach(lattice(), homes, library, limit_m=500)

    assert within.to_frame()["from_id"].tolist() == ["in"]
    assert reach(lattice(), homes, library, limit_m=501).to_frame()["from_id"].tolist() == ["in", "out"]


def test_a_bridge_crosses_without_joining() -> None:
    street = LineString([(0, 0), (100, 0), (200, 0)])
    over = LineString([(100, -100), (100, 100)])  # no vertex where it passes over the street
    apart = WalkNetwork.build(Ways.from_lines(gpd.GeoDataFrame(geometry=[street, over], crs=CRS)), island_m=0)

    found = reach(apart, places(["h"], [(0, 1)]), places(["L"], [(100, 90)]), limit_m=10_000)

    assert found.to_frame().empty


def test_nobody_attaches_to_an_island() -> None:
    town = lattice_lines()
    island = gpd.GeoDataFrame({"name": ["岛"]}, geometry=[LineString([(600, 0), (700, 0)])], crs=CRS)
    network = WalkNetwork.build(Ways.from_lines(pd.concat([town, island], ignore_index=True)))

    at = network.attach(places(["h"], [(610, 0)]).geometry, max_access_m=200)

    assert at.access_nm.tolist() == [110 * 10**9]
    assert not network.on_island[at.edge].any()


def test_far_from_any_street_is_off_the_network() -> None:
    homes = places(["near", "far"], [(-500, 0), (-501, 0)])

    at = lattice().attach(homes.geometry, max_access_m=500)

    assert at.off_network.tolist() == [False, True]
    assert reach(lattice(), homes, places(["L"], [(0, 0)]), limit_m=9_999).to_frame()["from_id"].tolist() == ["near"]


def test_rows_come_in_the_order_of_the_sites() -> None:
    homes = places(list("abc"), [(0, 0), (500, 500), (250, 0)])
    sites = places(["z", "a", "m"], [(500, 500), (0, 0), (200, 0)])

    found = reach(lattice(), homes, sites, limit_m=100)

    assert found.to_frame()["to_id"].tolist() == ["z", "a", "m"]
    assert found.take(["m", "z"]).to_frame()[["from_id", "to_id"]].to_numpy().tolist() == [["c", "m"], ["b", "z"]]


def test_a_shorter_limit_is_a_filter() -> None:
    homes = places([f"h{i}" for i in range(30)], [(17 * i, 13 * i) for i in range(30)])
    sites = places(["L", "M"], [(0, 0), (400, 300)])
    long, short = (reach(lattice(), homes, sites, limit_m=limit) for limit in (600, 250))

    pd.testing.assert_frame_equal(long.within(250).to_frame(), short.to_frame())


def test_no_sites_reach_nobody() -> None:
    none = places(["L"], [(0, 0)]).iloc[:0]

    assert reach(lattice(), places(["h"], [(0, 0)]), none, limit_m=500).to_frame().empty


def test_points_in_another_crs_are_refused() -> None:
    with pytest.raises(InputError, match="EPSG:4326"):
        lattice().attach(places(["h"], [(0, 0)]).to_crs("EPSG:4326").geometry)


def test_distances_from_elsewhere_name_every_bad_row() -> None:
    table = pd.DataFrame(
        {"from_id": ["h", "h", "x", "h"], "to_id": ["L", "L", "L", "Y"], "distance_m": [1.0, 2.0, np.nan, -1.0]}
    )

    with pytest.raises(InputError) as caught:
        Reach.from_frame(table, demand_ids=["h"], site_ids=["L"], limit_m=100)

    assert {fault.key: fault.values["rows"] for fault in caught.value.faults} == {  # noqa: PD011 - no table
        "reach.unknown_demand": "3",
        "reach.unknown_site": "4",
        "reach.twice": "1, 2",
        "reach.no_distance": "3",
        "reach.negative": "4",
    }


def test_a_table_goes_out_and_comes_back() -> None:
    homes = places([f"h{i}" for i in range(9)], [(50 * i, 40 * i) for i in range(9)])
    sites = places(["L", "M"], [(0, 0), (400, 300)])
    found = reach(lattice(), homes, sites, limit_m=700)

    back = Reach.from_frame(found.to_frame(), demand_ids=homes.index, site_ids=sites.index, limit_m=700)

    pd.testing.assert_frame_equal(back.to_frame(), found.to_frame())
    assert found.to_scipy().shape == (2, 9)


coordinate = st.integers(0, 12).map(lambda n: n * 50.0)
corner = st.tuples(coordinate, coordinate)
spot = st.tuples(st.floats(-40, 640, width=32), st.floats(-40, 640, width=32))


@st.composite
def small_town(draw: st.DrawFn) -> WalkNetwork:
    """Random lines between crossings: dead ends, loops, parallel streets, pieces apart."""
    lines = draw(st.lists(st.lists(corner, min_size=2, max_size=4), min_size=1, max_size=9))
    shapes = [LineString(line) for line in lines if len(set(line)) > 1]
    streets = gpd.GeoDataFrame(geometry=shapes or [LineString([(0, 0), (600, 600)])], crs=CRS)
    return WalkNetwork.build(Ways.from_lines(streets), island_m=draw(st.sampled_from([0, 150, 400])))


@settings(max_examples=400, deadline=None)
@given(
    small_town(), st.lists(spot, min_size=1, max_size=6), st.lists(spot, min_size=1, max_size=4), st.integers(0, 1500)
)
def test_the_kernel_agrees_with_networkx_on_split_edges(town, homes, libraries, limit_m) -> None:
    demand = places([f"h{i}" for i in range(len(homes))], homes)
    sites = places([f"L{i}" for i in range(len(libraries))], libraries)
    assume(not _undecided(town, demand) and not _undecided(town, sites))  # either street is right; the twin may differ

    fast = reach(town, demand, sites, limit_m=limit_m, max_access_m=60).to_frame()
    slow = reach_frame(town, demand, sites, limit_m=limit_m, max_access_m=60)

    both = fast.merge(slow, on=["from_id", "to_id"], how="outer", suffixes=("", "_slow"))
    edge_of_limit = (both[["distance_m", "distance_m_slow"]].max(axis=1) - limit_m).abs() < 1e-6
    both = both[~edge_of_limit | both.notna().all(axis=1)]
    assert both.notna().all(axis=None)
    assert np.abs(both["distance_m"] - both["distance_m_slow"]).max() < 1e-6 if len(both) else True


def _undecided(town: WalkNetwork, table: gpd.GeoDataFrame) -> bool:
    """Whether a point is as near to two feet that lie apart, or just at the access limit."""
    lines = town.lines[~town.on_island]
    for point in table.geometry:
        away = shapely.distance(lines, point)
        near = lines[away < away.min() + 1e-6]
        feet = shapely.get_coordinates(shapely.line_interpolate_point(near, shapely.line_locate_point(near, point)))
        if abs(away.min() - 60) < 1e-6 or np.ptp(feet, axis=0).max() > 1e-6:
            return True
    return False
