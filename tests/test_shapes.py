"""Isodistance shapes: streets to the nanometre, land that never shrinks when a street is added."""

import geopandas as gpd
import networkx as nx
import numpy as np
import pandas as pd
import pytest
import shapely
from shapely import LineString

from reference import split_graph
from walkshed.anchors import anchor
from walkshed.contracts import NM
from walkshed.errors import InputError
from walkshed.nearest import nearest
from walkshed.network import WalkNetwork
from walkshed.shapes import isodistance, reached_streets
from walkshed.ways import Ways
from worlds import CRS, lattice, lattice_lines, places

SITES = places(["L", "M", "N"], [(130, 0), (410, 230), (260, 505)])


def crooked(seed: int, streets: int = 12) -> WalkNetwork:
    """A lattice with diagonals, dead ends, bends, stated lengths and a loop, told by a seed."""
    rng = np.random.default_rng(seed)
    ends = rng.integers(0, 6, (streets, 2, 2)) * 100.0
    extra = [LineString([a, (a + b) / 2 + rng.integers(1, 40, 2), b]) for a, b in ends if (a != b).any()]
    loop = LineString([(500, 500), (560, 500), (560, 560), (500, 500)])
    stub = LineString([(0, 0), (-270, 0)])
    lines = pd.concat([lattice_lines(), gpd.GeoDataFrame(geometry=[*extra, loop, stub], crs=CRS)], ignore_index=True)
    drawn = lines.length * np.where(rng.random(len(lines)) < 0.3, 1.5, 1.0)
    return WalkNetwork.build(Ways.from_lines(lines.assign(length_m=drawn)))


def slow_length_m(network: WalkNetwork, sites: gpd.GeoDataFrame, limit_m: float) -> float:
    """Metres of street within a walk of any of the sites: edge by edge, from its ends and from the feet on it."""
    graph = split_graph(network, sites)
    away = nx.multi_source_dijkstra_path_length(graph, {str(i) for i in sites.index}, weight="length")
    at = network.attach(sites.geometry)
    total = 0.0
    for edge, (a, b, nm) in enumerate(zip(network.edge_from, network.edge_to, network.edge_nm, strict=True)):
        length = nm / NM
        sources = [(0.0, away.get(("junction", int(a)), np.inf)), (length, away.get(("junction", int(b)), np.inf))]
        sources += [(at.from_nm[k] / NM, at.access_nm[k] / NM) for k in range(len(sites)) if at.edge[k] == edge]
        reached = sorted((max(0.0, x - limit_m + d), min(length, x + limit_m - d)) for x, d in sources if d < limit_m)
        upto = 0.0
        for start, end in reached:
            total += max(0.0, end - max(start, upto))
            upto = max(upto, end)
    return total


def along(network: WalkNetwork, seed: int, count: int = 300) -> gpd.GeoDataFrame:
    """Points on the streets."""
    rng = np.random.default_rng(seed)
    at = shapely.line_interpolate_point(rng.choice(network.lines, count), rng.random(count), normalized=True)
    return gpd.GeoDataFrame(geometry=at, index=[f"p{i}" for i in range(count)], crs=CRS)


# ---- streets --------------------------------------------------------------------------------------------------------


def test_streets_are_cut_where_the_limit_is_met() -> None:
    site = places(["L"], [(200, 30)])  # on the street x = 200

    [row] = reached_streets(lattice(), site, 150).to_dict("records")

    # down 30 m to the corner, then 100 m either way and the last 20 m on and up; up 70 m, then 80 m each way
    assert row["length_m"] == 30 + 2 * (100 + 20 + 20) + 70 + 3 * 80
    assert row["geometry"].bounds == (80.0, 0.0, 320.0, 180.0)
    assert row["geometry"].length == pytest.approx(row["length_m"])


def test_the_way_to_the_street_is_walked_too() -> None:
    street = WalkNetwork.build(Ways.from_lines(gpd.GeoDataFrame(geometry=[LineString([(0, 0), (900, 0)])], crs=CRS)))
    site = places(["L"], [(400, 60)])

    assert reached_streets(street, site, [60.001, 100])["length_m"].tolist() == pytest.approx([0.002, 80])
    assert reached_streets(street, site, 60).empty


def test_a_site_off_the_network_has_no_shape() -> None:
    sites = places(["far", "L"], [(9000, 0), (130, 0)])

    assert reached_streets(lattice(), sites, 100)["site_id"].tolist() == ["L"]
    assert reached_streets(lattice(), sites.loc[["far"]], 100).empty
    assert isodistance(lattice(), sites.loc[["far"]], [100, 200], split="nearest", rings=True).empty


def test_both_ends_may_reach_one_street_without_meeting() -> None:
    ring = LineString([(0, 0), (100, 0), (100, 100), (0, 100), (0, 0)])
    spur = LineString([(0, 0), (-50, 0)])
    network = WalkNetwork.build(Ways.from_lines(gpd.GeoDataFrame(geometry=[ring, spur], crs=CRS)))
    site = places(["L"], [(-50, 0)])

    [row] = reached_streets(network, site, 200).to_dict("records")

    assert row["length_m"] == 50 + 2 * 150  # 100 m of the loop's far side are left
    assert shapely.line_merge(row["geometry"]).length == pytest.approx(350)
    assert not row["geometry"].intersects(shapely.Point(60, 100))
    assert reached_streets(network, site, 250)["length_m"].tolist() == [450]


@pytest.mark.parametrize("seed", range(6))
@pytest.mark.parametrize("limit_m", [40.0, 333.3, 700.0])
def test_lengths_are_the_slow_twins(seed: int, limit_m: float) -> None:
    network = lattice() if seed == 0 else crooked(seed, streets=5 * seed)
    whole = reached_streets(network, SITES, limit_m, split="dissolve")
    one_by_one = reached_streets(network, SITES, limit_m)

    alone = [slow_length_m(network, SITES.loc[[site]], limit_m) for site in SITES.index]
    assert whole["length_m"].tolist() == pytest.approx([slow_length_m(network, SITES, limit_m)])
    assert one_by_one["length_m"].tolist() == pytest.approx(alone)


@pytest.mark.parametrize("seed", range(5))
def test_a_point_of_a_street_is_in_the_shape_if_the_table_says_so(seed: int) -> None:
    network = crooked(seed)
    points = along(network, seed)
    limit_m = 260.0
    table = nearest(network, points, SITES)

    [whole] = reached_streets(network, SITES, limit_m, split="dissolve").geometry
    inside = shapely.distance(whole, points.geometry.array) < 1e-6
    sure = (table["nearest_m"] - limit_m).abs() > 1e-3
    crossing = shapely.distance(shapely.MultiPoint(network.xy), points.geometry.array) < 1  # other streets pass there

    assert (inside == (table["nearest_m"] <= limit_m))[sure & ~crossing].mean() > 0.98  # bridges cross without joining


@pytest.mark.parametrize("seed", range(5))
def test_each_street_goes_to_the_site_that_is_nearest_along_it(seed: int) -> None:
    network = lattice() if seed == 0 else crooked(seed)
    points = along(network, seed)
    table = nearest(network, points, SITES)

    split = reached_streets(network, SITES, 5000, split="nearest").set_index("site_id").geometry
    found = pd.DataFrame({site: shapely.distance(split[site], points.geometry.array) for site in SITES.index})

    own = found.to_numpy()[range(len(points)), SITES.index.get_indexer(table["nearest_id"])]
    assert (own < 1e-6).all()
    assert split.length.sum() == pytest.approx(shapely.length(network.lines).sum())


@pytest.mark.parametrize("split", ["overlap", "dissolve", "nearest"])
def test_rings_add_up_to_the_whole_and_do_not_overlap(split) -> None:
    network = crooked(3)
    limits = [100, 250, 251, 600]

    rings = reached_streets(network, SITES, limits, split=split, rings=True)
    whole = reached_streets(network, SITES, 600, split=split)

    assert rings["length_m"].sum() == pytest.approx(whole["length_m"].sum())
    first = rings[rings["site_id"] == "L"] if split != "dissolve" else rings
    assert first["from_m"].tolist() == [0, 100, 250, 251]
    assert first["up_to_m"].tolist() == limits


def test_splits_share_the_dissolved_streets_out() -> None:
    network = crooked(4)

    split, whole = (reached_streets(network, SITES, 400, split=s)["length_m"].sum() for s in ("nearest", "dissolve"))

    assert split == pytest.approx(whole)


def test_permuting_sites_permutes_shapes() -> None:
    network = crooked(5)
    there = reached_streets(network, SITES, [200, 400]).set_index(["site_id", "up_to_m"])["length_m"]
    back = reached_streets(network, SITES[::-1], [200, 400]).set_index(["site_id", "up_to_m"])["length_m"]

    assert back[there.index].tolist() == there.tolist()


def test_streets_equally_near_go_to_the_first_site() -> None:
    line = gpd.GeoDataFrame(geometry=[LineString([(0, 0), (100, 0)]), LineString([(100, 0), (200, 0)])], crs=CRS)
    network = WalkNetwork.build(Ways.from_lines(line))
    twins = places(["b", "a"], [(50, 0), (50, 0)])

    found = reached_streets(network, twins, 500, split="nearest")

    assert found[["site_id", "length_m"]].to_numpy().tolist() == [["b", 200.0]]


# ---- land -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("seed", range(5))
def test_a_street_more_never_makes_a_shape_smaller(seed: int) -> None:
    rng = np.random.default_rng(seed)
    site = places(["L"], [(130, 0)])  # no street below leads past it
    ends = rng.integers(0, 6, (8, 2, 2)) * 100.0
    new = [LineString(pair) for pair in ends if (pair[0] != pair[1]).all()]
    poor, rich = lattice_lines(), pd.concat([lattice_lines(), gpd.GeoDataFrame(geometry=new, crs=CRS)])
    before, after = (WalkNetwork.build(Ways.from_lines(lines)) for lines in (poor, rich))

    streets = [reached_streets(n, site, 330).geometry.iloc[0] for n in (before, after)]
    land = [isodistance(n, site, 330).geometry.iloc[0] for n in (before, after)]

    assert streets[0].difference(streets[1].buffer(1e-6)).is_empty
    assert land[0].difference(land[1].buffer(0.5)).is_empty  # round ends are drawn to within 1 % of the width
    assert streets[1].length > streets[0].length


def test_land_is_what_lies_beside_the_streets() -> None:
    network = crooked(1)
    [streets] = reached_streets(network, SITES, 300, split="dissolve").geometry
    [land] = isodistance(network, SITES, 300, split="dissolve", width_m=30).geometry
    rng = np.random.default_rng(0)
    points = shapely.points(rng.uniform(-300, 600, (2000, 2)))
    away = shapely.distance(streets, points)

    assert shapely.contains(land, points[away < 29]).all()
    outside = shapely.Polygon(land.geoms[0].exterior) if len(land.geoms) == 1 else land.convex_hull
    assert not shapely.contains(land, points[(away > 30.01) & ~shapely.contains(outside, points)]).any()


def test_small_holes_are_filled_and_large_ones_are_not() -> None:
    site = places(["L"], [(130, 0)])
    wide = WalkNetwork.build(Ways.from_lines(lattice_lines(side=2, block_m=250.0)))

    [filled] = isodistance(lattice(), site, 5000, width_m=10).geometry  # yards of 80 m x 80 m
    [open_] = isodistance(wide, site, 5000, width_m=10).geometry  # of 230 m x 230 m

    assert shapely.get_num_interior_rings(shapely.get_parts(filled)).sum() == 0
    assert shapely.get_num_interior_rings(shapely.get_parts(open_)).sum() == 4


@pytest.mark.parametrize("rings", [False, True])
def test_land_split_by_nearest_is_disjoint_and_whole(rings: bool) -> None:  # noqa: FBT001 - both ways are asked
    network = crooked(2)
    limits = [150, 400]

    split = isodistance(network, SITES, limits, split="nearest", rings=rings)
    whole = isodistance(network, SITES, limits, split="dissolve", rings=rings)

    for limit in limits:
        mine = split[split["up_to_m"] == limit].geometry
        [land] = whole[whole["up_to_m"] == limit].geometry
        assert mine.area.sum() == pytest.approx(land.area, rel=1e-6)
        assert mine.union_all().symmetric_difference(land).area < 1e-3
    assert set(split["site_id"]) == set(SITES.index)


def test_rings_of_land_are_disjoint_and_make_the_whole() -> None:
    network = crooked(2)

    rings = isodistance(network, SITES, [150, 300, 450], rings=True)
    whole = isodistance(network, SITES, 450).set_index("site_id")

    assert rings.groupby("site_id")["area_km2"].sum().tolist() == pytest.approx(whole["area_km2"].tolist())
    assert rings.geometry.is_valid.all()


def test_one_site_alone_owns_all_the_land_there_is() -> None:
    network = lattice()

    mine, whole = (isodistance(network, SITES[:1], 300, split=split) for split in ("nearest", "dissolve"))

    assert mine["area_km2"].tolist() == pytest.approx(whole["area_km2"].tolist())


def test_what_anchor_made_serves_as_well_as_a_table() -> None:
    network = lattice()

    by_anchor = reached_streets(network, anchor(network, SITES), 200)

    assert by_anchor["length_m"].tolist() == reached_streets(network, SITES, 200)["length_m"].tolist()


@pytest.mark.parametrize("limits", [[], [0], [-1, 5], [200, 100], [100, 100], [np.inf], [np.nan]])
def test_limits_ascend_from_above_nothing(limits: list[float]) -> None:
    with pytest.raises(InputError, match="ascending"):
        reached_streets(lattice(), SITES, limits)


def test_an_unknown_split_and_bad_limits_are_told_together() -> None:
    with pytest.raises(InputError) as caught:
        isodistance(lattice(), SITES, 0, split="concave")  # type: ignore[arg-type]

    assert [fault.key for fault in caught.value.faults] == ["shapes.limits", "shapes.split"]


def test_lengths_are_whole_nanometres() -> None:
    found = reached_streets(crooked(1), SITES, [123.456789], split="nearest")["length_m"] * NM

    assert found.tolist() == pytest.approx(found.round().tolist(), abs=1e-3)
