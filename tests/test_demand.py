# ruff: noqa: PD011 - a Fault has values, it is no DataFrame
"""People are spread, scaled and read without losing one of them."""

from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st

from reference_demand import apportioned
from walkshed.area import Area
from walkshed.demand import Weights, apportion, clip_demand, from_table, scale_to_totals, spread
from walkshed.errors import InputError
from walkshed.lattice import curve_order, cut, diffuse, share_groups

CRS = "EPSG:4551"
X = 500_000.0
weights_lists = st.lists(st.integers(0, 1000), min_size=1, max_size=20)


def box(west, south, east, north) -> shapely.Polygon:
    return shapely.box(X + west, south, X + east, north)


def town(**units: shapely.Polygon) -> Area:
    frame = gpd.GeoDataFrame({"label": list(units)}, geometry=list(units.values()), index=list(units), crs=CRS)
    return Area.from_units(frame, crs=CRS)


def layer(*shapes: shapely.Polygon) -> gpd.GeoSeries:
    return gpd.GeoSeries(list(shapes), crs=CRS)


def totals(people, **columns: list[int]) -> pd.DataFrame:
    return pd.DataFrame({"people": people.values(), **columns}, index=list(people))


def keys(error) -> list[str]:
    return sorted(fault.key for fault in error.value.faults)


def note_keys(notes) -> list[str]:
    return [fault.key for fault in notes]


@given(st.integers(0, 10_000), weights_lists)
def test_apportion_is_the_method_of_largest_remainders(total, weights) -> None:
    assert apportion(total, weights).tolist() == apportioned(total, weights)


@given(
    st.lists(st.tuples(st.integers(0, 5), st.floats(0, 1e6)), min_size=1), st.lists(st.integers(0, 10**7), min_size=6)
)
def test_both_roundings_keep_every_total_and_stay_within_one_person(rows, people) -> None:
    group, weight = np.array([g for g, _ in rows]), np.array([w for _, w in rows])
    for method in (apportion, diffuse):
        shared = method(people, weight, group)
        for g in np.unique(group):
            mine = group == g
            weights = weight[mine] if weight[mine].sum() > 0 else np.ones(mine.sum())
            assert shared[mine].sum() == people[g]
            assert np.abs(shared[mine] - people[g] * (weights / weights.sum())).max() < 1.01


@given(st.lists(st.integers(0, 50), min_size=2, max_size=30), st.data())
def test_age_bands_add_up_in_every_cell_and_in_all(people, data) -> None:
    total = sum(people)
    young = data.draw(st.integers(0, total))
    old = data.draw(st.integers(0, total - young))
    bands = np.array([[total, young, old, total - young - old]])

    shared = share_groups(np.array(people), bands, np.zeros(len(people), dtype=int))

    assert shared.sum(axis=1).tolist() == people
    assert shared.sum(axis=0).tolist() == bands[0, 1:].tolist()
    assert (shared >= 0).all()


@given(st.lists(st.integers(0, 50), min_size=2, max_size=30), st.data())
def test_groups_that_overlap_never_exceed_the_people_of_a_cell(people, data) -> None:
    sizes = [data.draw(st.integers(0, sum(people))) for _ in range(3)]
    shared = share_groups(np.array(people), np.array([[sum(people), *sizes]]), np.zeros(len(people), dtype=int))

    assert shared.sum(axis=0).tolist() == sizes
    assert (shared <= np.array(people)[:, None]).all()


def test_thin_places_are_not_emptied_in_favour_of_the_first() -> None:
    people = diffuse(100, np.ones(1000))
    assert people.reshape(10, 100).sum(axis=1).tolist() == [10] * 10


@settings(max_examples=30)
@given(
    st.lists(st.tuples(*[st.integers(-4000, 4000).map(lambda n: n / 8)] * 4), min_size=1, max_size=5),
    st.sampled_from([50.0, 100.0, 130.0]),
)
def test_cutting_along_the_lattice_keeps_every_square_metre_in_its_cell(corners, cell_m) -> None:
    shapes = np.array([shapely.box(min(a, c), min(b, d), max(a, c), max(b, d)) for a, b, c, d in corners])
    table = cut(shapes, cell_m).table()

    cells = shapely.box(*(np.stack([table.col, table.row, table.col + 1, table.row + 1]) * cell_m))
    truth = shapely.area(shapely.intersection(shapes[table["part"].to_numpy(dtype=int)], cells))
    assert np.allclose(table["area_m2"], truth, atol=1e-6)
    assert np.allclose(
        np.bincount(table["part"].astype(int), table["area_m2"], len(shapes)), shapely.area(shapes), atol=1e-6
    )


def test_a_ring_is_cut_without_its_hole() -> None:
    table = cut(np.array([box(0, 0, 300, 300).difference(box(100, 100, 200, 200))]), 100.0).table()
    assert len(table) == 8
    assert (1, 5001) not in set(zip(table.row, table.col, strict=True))


def test_the_curve_visits_every_cell_of_a_block_before_the_next() -> None:
    row, col = (a.ravel() for a in np.mgrid[0:4, 0:4])
    order = curve_order(row, col)
    assert {(r, c) for r, c in zip(row[order][:4], col[order][:4], strict=True)} == {(0, 0), (0, 1), (1, 0), (1, 1)}


def test_people_live_on_residential_land_only() -> None:
    area = town(a=box(0, 0, 1000, 1000))
    demand, notes = spread(area, totals({"a": 600}), weights=Weights(land=layer(box(100, 100, 200, 400))))

    assert demand["people"].to_dict() == {"c1_5001": 200, "c2_5001": 200, "c3_5001": 200}
    assert (demand.geometry.x - X).tolist() == [150, 150, 150]
    assert notes == ()


def test_land_mapped_twice_counts_once() -> None:
    plots = layer(box(0, 0, 100, 100), box(0, 0, 100, 100), box(100, 0, 200, 100))
    demand, _ = spread(town(a=box(0, 0, 300, 100)), totals({"a": 10}), weights=Weights(land=plots))
    assert demand["people"].tolist() == [5, 5]


def test_floor_area_is_footprint_times_levels_and_six_where_unknown() -> None:
    homes = gpd.GeoDataFrame(
        {"levels": ["18", None, "many"]},
        geometry=[box(0, 0, 10, 10), box(110, 0, 120, 10), box(210, 0, 220, 10)],
        crs=CRS,
    )
    demand, _ = spread(town(a=box(0, 0, 300, 100)), totals({"a": 500}), weights=Weights(buildings=homes))
    assert demand["people"].tolist() == [300, 100, 100]


def test_land_without_mapped_buildings_counts_as_one_and_a_half_floors() -> None:
    parcels = layer(box(0, 0, 100, 100), box(100, 0, 200, 100))
    homes = gpd.GeoDataFrame({"levels": [5]}, geometry=[box(10, 10, 40, 40)], crs=CRS)  # 4,500 m2 of floor
    weights = Weights(land=parcels, buildings=homes)

    demand, _ = spread(town(a=box(0, 0, 200, 100)), totals({"a": 195}), weights=weights)

    assert demand["people"].tolist() == [45, 150]


def test_buildings_off_residential_land_count_only_where_they_are_homes() -> None:
    homes = gpd.GeoDataFrame(
        {"levels": [1, 1, 1], "residential": [None, True, False]},
        geometry=[box(0, 0, 50, 50), box(100, 0, 150, 50), box(200, 0, 250, 50)],
        crs=CRS,
    )
    weights = Weights(land=layer(box(0, 0, 60, 60)), buildings=homes)
    demand, _ = spread(town(a=box(0, 0, 300, 100)), totals({"a": 2}), weights=weights)
    assert demand.index.tolist() == ["c0_5000", "c0_5001"]


def test_a_unit_without_homes_is_filled_evenly_over_its_dry_land_and_says_so() -> None:
    weights = Weights(land=layer(box(0, 0, 100, 100)), water=layer(box(300, 0, 400, 100)))
    area = town(a=box(0, 0, 200, 100), b=box(200, 0, 500, 100))
    demand, notes = spread(area, totals({"a": 10, "b": 20}), weights=weights)

    assert demand["people"].to_dict() == {"c0_5000": 10, "c0_5002": 10, "c0_5004": 10}
    assert [(n.key, n.where) for n in notes] == [("demand.no_homes", "b")]


def test_a_unit_cut_by_the_extract_gives_its_share_by_area_where_homes_outside_are_unknown() -> None:
    area = town(a=box(0, 0, 1000, 100))
    demand, notes = spread(
        area, totals({"a": 1000}), weights=Weights(land=layer(box(0, 0, 100, 100))), clip=box(0, 0, 250, 100)
    )
    assert demand["people"].to_dict() == {"c0_5000": 250}
    assert note_keys(notes) == ["demand.cut_by_area"]
    assert notes[0].values == {"share": 0.25, "people": 250, "of": 1000}


def test_a_unit_cut_by_the_extract_gives_its_share_by_homes_where_they_are_known() -> None:
    homes = Weights(land=layer(box(0, 0, 100, 100), box(900, 0, 1000, 100)), extent=layer(box(0, 0, 1000, 100)))
    demand, notes = spread(town(a=box(0, 0, 1000, 100)), totals({"a": 1000}), weights=homes, clip=box(0, 0, 250, 100))
    assert demand["people"].sum() == 500
    assert note_keys(notes) == ["demand.cut_by_weights"]


def test_homes_known_a_little_beyond_the_cut_are_joined_with_area() -> None:
    homes = Weights(land=layer(box(0, 0, 100, 100), box(400, 0, 500, 100)), extent=layer(box(0, 0, 500, 100)))
    demand, notes = spread(town(a=box(0, 0, 1000, 100)), totals({"a": 1000}), weights=homes, clip=box(0, 0, 250, 100))
    assert demand["people"].sum() == 250  # half the area is known, and half its homes are inside
    assert note_keys(notes) == ["demand.cut_by_both"]


def test_a_unit_wholly_outside_is_told_and_not_counted() -> None:
    area = town(a=box(0, 0, 100, 100), b=box(500, 0, 600, 100), c=box(0, 100, 100, 200))
    demand, notes = spread(area, totals({"a": 7, "b": 9}), clip=box(0, 0, 100, 200))
    assert demand["people"].sum() == 7
    assert [(n.key, n.values["units"]) for n in notes] == [("demand.outside", "b"), ("demand.no_total", "c")]


def test_a_control_total_belongs_to_a_group_of_units() -> None:
    area = town(a=box(0, 0, 100, 100), b=box(100, 0, 400, 100), c=box(400, 0, 500, 100))
    table = pd.DataFrame({"people": [400, 5], "units": ["a; b", ["c"]]}, index=["core", "rest"])
    demand, _ = spread(area, table)
    assert demand.groupby("unit")["people"].sum().to_dict() == {"a": 100, "b": 300, "c": 5}


def test_a_cell_that_two_units_share_has_a_point_for_each() -> None:
    area = town(a=box(0, 0, 50, 100), b=box(50, 0, 100, 100))
    demand, _ = spread(area, totals({"a": 3, "b": 4}))
    assert demand["people"].to_dict() == {"c0_5000": 3, "c0_5000-b": 4}


def test_groups_are_conserved_and_stay_below_the_people() -> None:
    area = town(a=box(0, 0, 700, 700))
    table = totals({"a": 131}, people_old=[29], people_women=[66])
    demand, _ = spread(area, table)
    assert demand[["people", "people_old", "people_women"]].sum().tolist() == [131, 29, 66]
    assert (demand[["people_old", "people_women"]].to_numpy() <= demand[["people"]].to_numpy()).all()
    assert (demand["people"] > 0).all()


def test_cells_keep_their_ids_and_people_when_a_far_unit_is_added() -> None:
    near, far = box(0, 0, 300, 300), box(5000, 0, 5300, 300)
    alone, _ = spread(town(a=near), totals({"a": 50}))
    together, _ = spread(town(b=far, a=near), totals({"b": 70, "a": 50}))
    assert together[together["unit"] == "a"]["people"].to_dict() == alone["people"].to_dict()


def test_all_faults_of_control_totals_are_told_at_once() -> None:
    table = totals({"a": -1, "x": 5}, people_old=[0, 6])
    with pytest.raises(InputError) as error:
        spread(town(a=box(0, 0, 1, 1)), table)
    assert keys(error) == ["demand.unknown_unit", "table.negative"]

    with pytest.raises(InputError) as error:
        spread(town(a=box(0, 0, 1, 1)), pd.DataFrame({"people": [1, 2], "people_o": [2, 1], "units": ["a", "a"]}))
    assert keys(error) == ["demand.unit_twice", "table.group_over_total"]


def test_a_clip_in_the_wrong_place_is_refused() -> None:
    with pytest.raises(InputError) as error:
        spread(town(a=box(0, 0, 100, 100)), totals({"a": 5}), clip=shapely.box(126, 45, 127, 46))
    assert keys(error) == ["demand.nobody_inside"]


@settings(max_examples=30)
@given(st.data())
def test_spreading_conserves_people_whatever_the_land(data) -> None:
    side = st.integers(0, 900)
    plots = [box(x, y, x + 90, y + 70) for x, y in data.draw(st.lists(st.tuples(side, side), max_size=4))]
    people = {"a": data.draw(st.integers(1, 5000)), "b": data.draw(st.integers(0, 5000))}
    area = town(a=box(0, 0, 470, 1000), b=box(470, 0, 1000, 1000))
    land = gpd.GeoSeries(plots, crs=CRS)

    demand, _ = spread(
        area, totals(people), weights=Weights(land=land), cell_m=data.draw(st.sampled_from([70.0, 300.0]))
    )

    assert demand.groupby("unit")["people"].sum().reindex(["a", "b"]).fillna(0).to_dict() == people


def cells(xy, people, **columns: Any) -> gpd.GeoDataFrame:
    points = gpd.points_from_xy([X + x for x, _ in xy], [y for _, y in xy], crs=CRS)
    return gpd.GeoDataFrame({"people": people, **columns}, geometry=points)


def test_given_points_keep_their_ids_people_and_groups() -> None:
    frame = cells([(10, 10), (60, 10)], ["5", "2.5"], id=["p", "q"], people_old=[1, 0])
    demand, notes = from_table(frame.to_crs(4326), town(a=box(0, 0, 50, 50), b=box(50, 0, 100, 50)))
    assert demand.drop(columns="geometry").to_dict("index") == {
        "p": {"people": 5.0, "people_old": 1.0, "unit": "a"},
        "q": {"people": 2.5, "people_old": 0.0, "unit": "b"},
    }
    assert notes == ()


def test_polygons_become_a_point_inside_them() -> None:
    crescent = box(0, 0, 90, 90).difference(box(10, 10, 90, 90))
    frame = gpd.GeoDataFrame({"people": [5]}, geometry=[crescent], crs=CRS)
    demand, _ = from_table(frame, town(a=box(0, 0, 100, 100)))
    assert crescent.contains(demand.geometry.iloc[0])


def test_all_faults_of_given_demand_are_told_at_once() -> None:
    frame = cells([(0, 0)] * 4, [-1, 5, np.nan, 3], id=["p", "p", "q", "r"], people_old=[0, 6, 0, "few"])
    frame.loc[3, "geometry"] = shapely.LineString([(0, 0), (1, 1)])
    with pytest.raises(InputError) as error:
        from_table(frame.set_crs(None, allow_override=True), town(a=box(0, 0, 50, 50)))
    assert keys(error) == [
        "table.duplicate", "table.geometry_type", "table.group_over_total", "table.negative", "table.no_crs",
        "table.not_number", "table.not_number",
    ]  # fmt: skip


def test_swapped_longitude_and_latitude_are_refused() -> None:
    frame = gpd.GeoDataFrame({"people": [5]}, geometry=gpd.points_from_xy([43.9], [125.3]), crs=4326)
    with pytest.raises(InputError) as error:
        from_table(frame, town(a=box(0, 0, 50, 50)))
    assert keys(error) == ["demand.not_on_earth"]


def test_points_far_outside_are_left_out_and_counted() -> None:
    demand, notes = from_table(cells([(10, 10), (5000, 10)], [5, 2]), town(a=box(0, 0, 50, 50)))
    assert demand["people"].tolist() == [5]
    assert notes[0].values == {"rows": 1, "people": 2, "of": 7}

    with pytest.raises(InputError) as error:
        from_table(cells([(5000, 10)], [2]), town(a=box(0, 0, 50, 50)))
    assert keys(error) == ["demand.all_outside"]


def test_clipping_says_how_many_people_are_left_outside() -> None:
    demand, _ = from_table(cells([(10, 10), (40, 10)], [5, 2]), town(a=box(0, 0, 50, 50)))
    kept, notes = clip_demand(demand, box(0, 0, 20, 20))
    assert kept["people"].tolist() == [5]
    assert notes[0].values == {"people": 2, "of": 7}


def given_demand(area, xy, people, **columns: Any) -> gpd.GeoDataFrame:
    return from_table(cells(xy, people, **columns), area, margin_m=1e6)[0]


def test_scaling_meets_the_total_of_every_group_of_units_in_proportion() -> None:
    area = town(a=box(0, 0, 50, 50), b=box(50, 0, 100, 50), c=box(100, 0, 150, 50))
    demand = given_demand(area, [(10, 10), (60, 10), (110, 10)], [1, 3, 10], people_old=[1, 0, 5])
    table = pd.DataFrame({"people": [8, 5], "units": ["a b", "c"]}, index=["core", "rest"])

    scaled, notes = scale_to_totals(demand, area, table)

    assert scaled["people"].tolist() == [2, 6, 5]
    assert scaled["people_old"].tolist() == [2, 0, 2.5]
    assert [n.values["factor"] for n in notes] == [2, 0.5]


def test_scaling_tells_what_no_control_group_holds_and_totals_with_nobody() -> None:
    area = town(a=box(0, 0, 50, 50), b=box(50, 0, 100, 50), c=box(100, 0, 150, 50))
    demand = given_demand(area, [(10, 10), (60, 10)], [1, 3])
    scaled, notes = scale_to_totals(demand, area, totals({"a": 2, "c": 9}))
    assert scaled["people"].tolist() == [2]
    assert note_keys(notes) == ["demand.scaled", "demand.nobody_to_scale", "demand.no_control"]
    assert [n.values["people"] for n in notes[1:]] == [9, 3]


@settings(max_examples=30)
@given(st.lists(st.tuples(st.floats(1, 100), st.floats(0, 1)), min_size=1, max_size=12), st.floats(0, 1), st.booleans())
def test_raked_groups_meet_their_totals_below_the_people(rows, share, bands) -> None:
    area = town(a=box(0, 0, 5000, 50))
    people, old = np.array([p for p, _ in rows]), np.array([p * s for p, s in rows])
    demand = given_demand(area, [(10, 10)] * len(rows), people, people_old=old, people_young=people - old)
    total = 1000
    target = {"people_old": [round(total * share)]}
    if bands:
        target["people_young"] = [total - round(total * share)]

    scaled, _ = scale_to_totals(demand, area, totals({"a": total}, **target))

    assert scaled["people"].sum() == pytest.approx(total)
    assert scaled["people_old"].sum() == pytest.approx(target["people_old"][0], abs=0.5)
    assert (scaled["people_old"] <= scaled["people"] * (1 + 1e-9)).all()
    if bands:
        assert np.allclose(scaled["people_old"] + scaled["people_young"], scaled["people"])


def test_changchun_fifteen_census_units_control_eleven_districts(real) -> None:
    census = gpd.read_file(real / "changchun/census_units_2020_wgs84.geojson")
    districts = gpd.read_file(real / "changchun/units_11_wgs84.geojson")
    districts = districts.set_index(districts["adcode"].astype(str))
    area = Area.from_units(districts, label="name")
    outer = census[
        census["code"].astype(str).isin(districts.index)
        & ~census["name"].isin(["南关区", "宽城区", "朝阳区", "二道区", "绿园区"])
    ]
    core = [code for code in districts.index if code not in set(outer["code"].astype(str))]
    rows = [
        {"id": code, "people": p, "units": [code]}
        for code, p in zip(outer["code"].astype(str), outer["pop2020"], strict=True)
    ]
    rows.append({"id": "core", "people": 9_066_906 - outer["pop2020"].sum(), "units": core})
    table = pd.DataFrame(rows).set_index("id")

    demand, notes = spread(area, table, cell_m=1000.0)

    assert demand["people"].sum() == 9_066_906
    assert demand[demand["unit"].isin(core)]["people"].sum() == 5_019_477
    assert notes == ()
