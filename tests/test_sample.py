"""The schematic Changchun: exact where facts are, hard where the real city is, the same from the same seed."""

import hashlib

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import shapely

from walkshed import supply
from walkshed.contracts import check_demand, check_sites, groups_of
from walkshed.errors import InputError
from walkshed.network import WalkNetwork
from walkshed.sources import sample
from walkshed.sources.city import City
from walkshed.sources.sample import facts, land
from walkshed.sources.sample.people import _rounded
from walkshed.sources.sample.shapes import dots, links

CITY_PEOPLE, CORE_PEOPLE = 9_066_906, 5_019_477  # 7th census; 5 districts and 4 zones
OUTER = {
    "220112": 335_723,
    "220113": 613_836,
    "220122": 763_983,
    "220182": 836_098,
    "220183": 635_476,
    "220184": 862_313,
}


@pytest.fixture(scope="module")
def town() -> City:
    return sample.build(junctions=10_000)


@pytest.fixture(scope="module")
def changchun() -> City:
    return sample.build()


@pytest.fixture(scope="module")
def walks(changchun: City) -> WalkNetwork:
    return WalkNetwork.build(changchun.ways)


@pytest.fixture(scope="module")
def lines(changchun: City) -> np.ndarray:
    return shapes(changchun)


def shapes(city: City) -> np.ndarray:
    way = np.repeat(np.arange(len(city.ways.frame)), np.diff(city.ways.ptr))
    return np.asarray(shapely.linestrings(city.ways.xy, indices=way))


def digest(city: City) -> str:
    seen = hashlib.sha256()
    for frame in (city.area.units, city.demand, city.outlets, city.candidates, city.places, city.barriers):
        seen.update(frame.to_wkb().to_csv().encode())
    seen.update(city.ways.frame.to_csv().encode())
    for array in (city.ways.ptr, city.ways.node, city.ways.xy):
        seen.update(array.tobytes())
    return seen.hexdigest()


def test_the_same_seed_gives_the_same_bytes_and_another_seed_another_city() -> None:
    first, again, other = (digest(sample.build(junctions=1_000, seed=seed)) for seed in (7, 7, 8))
    assert first == again
    assert first != other


def test_people_add_up_to_the_census_in_every_control_group(changchun: City) -> None:
    people = changchun.demand.groupby("unit")["people"].sum()
    assert people.sum() == CITY_PEOPLE
    assert people[list(facts.CORE)].sum() == CORE_PEOPLE
    assert people[list(OUTER)].to_dict() == OUTER


def test_age_groups_add_up_to_the_census_in_every_control_group(changchun: City) -> None:
    census = pd.read_csv(facts.data_dir() / "changchun" / "population_2020.csv", dtype={"adcode": str})
    census = census[census["adcode"] != "220100"].set_index("adcode")
    census["60p"] = census["age_60_64"] + census["age_65p"]
    control = census.index.where(census.index.isin(list(OUTER)), "core")
    expected = census[["age_0_14", "age_15_59", "60p"]].groupby(control).sum()
    cells = changchun.demand
    found = (
        cells[[f"people_{g}" for g in facts.GROUPS]]
        .groupby(cells["unit"].where(cells["unit"].isin(OUTER), "core"))
        .sum()
    )
    assert found.to_numpy().tolist() == expected.loc[found.index].to_numpy().tolist()


def test_every_cell_holds_whole_people_whose_groups_add_up(changchun: City) -> None:
    cells = check_demand(changchun.demand)
    groups = cells[[f"people_{g}" for g in groups_of(cells)]].to_numpy()
    assert (groups >= 0).all()
    assert (groups.sum(axis=1) == cells["people"]).all()
    assert (cells["people"] == cells["people"].round()).all()
    assert cells["people"].min() >= 1


def test_groups_differ_between_places_and_not_only_between_units(changchun: City) -> None:
    core = changchun.demand[changchun.demand["unit"].isin(facts.CORE)]
    near = core.distance(shapely.Point(land.ORIGIN)) < 4_000
    old = core["people_60p"].groupby(near).sum() / core["people"].groupby(near).sum()
    assert old[True] > 1.1 * old[False]


def test_nobody_lives_in_water(changchun: City) -> None:
    water = changchun.barriers[changchun.barriers["kind"].isin(["river", "lake"])]
    wet = shapely.STRtree(changchun.demand.geometry.array).query(water.geometry.array, predicate="intersects")[1]
    assert len(wet) == 0


def test_cells_lie_in_their_unit_and_once_on_the_hundred_metre_grid(changchun: City) -> None:
    assert (changchun.area.unit_of(changchun.demand.geometry) == changchun.demand["unit"]).mean() > 0.9999
    xy = shapely.get_coordinates(changchun.demand.geometry.array)
    assert (xy % 100 == 50).all()
    assert len(np.unique(xy, axis=0)) == len(xy)
    assert 100_000 <= len(xy) <= 200_000


@pytest.mark.parametrize("name", ["伊通河", "饮马河"])
def test_streets_cross_a_river_only_at_bridges(changchun: City, lines: np.ndarray, name: str) -> None:
    river = land.survey(facts.read(1.0)).rivers[name]
    shapely.prepare(river)
    crossing = shapely.intersects(river, lines)
    assert crossing.any()
    assert changchun.ways.frame["bridge"].to_numpy()[crossing].all()


def test_bridges_in_the_core_lie_about_every_kilometre(changchun: City, lines: np.ndarray) -> None:
    ground = land.survey(facts.read(1.0))
    river = ground.rivers["伊通河"]
    at_grade = (changchun.ways.frame["level"] != "path") & ~changchun.ways.frame["name"].str.endswith("快速路")
    across = lines[at_grade & shapely.intersects(river, lines) & shapely.within(lines, ground.core)]
    at = np.unique(
        np.round(shapely.line_locate_point(river, shapely.centroid(shapely.intersection(across, river))), -1)
    )
    inside = shapely.intersection(river, ground.core).length
    assert 12 <= len(at) <= 24
    assert 1_000 <= inside / len(at) <= 2_000
    assert np.diff(np.sort(at)).min() > 900


def test_the_railway_has_few_crossings_north_of_the_station(lines: np.ndarray) -> None:
    rail = land.survey(facts.read(1.0)).railways["京哈铁路"].intersection(shapely.Point(land.ORIGIN).buffer(9_000))
    assert 3 <= shapely.intersects(rail, lines).sum() <= 16


def test_elevated_roads_cross_streets_without_joining_them(changchun: City, lines: np.ndarray) -> None:
    ways = changchun.ways
    [k] = np.flatnonzero(ways.frame["name"] == "东部快速路")
    under = np.flatnonzero(shapely.crosses(lines[k], lines))
    keys = set(ways.node[ways.ptr[k] : ways.ptr[k + 1]].tolist())
    joined = [i for i in under if keys & set(ways.node[ways.ptr[i] : ways.ptr[i + 1]].tolist())]
    assert len(under) > 30
    assert len(joined) < len(under) / 4
    assert ways.frame["name"].tolist().count("东部快速路") == 1


def test_one_piece_of_streets_holds_nearly_all_and_islands_are_left(walks: WalkNetwork) -> None:
    on_main = (walks.component == 0).mean()
    assert 0.95 <= on_main <= 0.99
    assert len(walks.component_m) > 100
    assert 100_000 <= len(walks.xy) <= 200_000


def test_dead_ends_are_as_common_as_in_openstreetmap(walks: WalkNetwork) -> None:
    ends = (np.diff(walks.ptr) == 1).mean()
    assert 0.05 <= ends <= 0.25


def test_nearly_nobody_is_off_the_network(town: City) -> None:
    off = WalkNetwork.build(town.ways).attach(town.demand.geometry).off_network
    assert town.demand["people"].to_numpy()[off].sum() < 0.001 * town.demand["people"].sum()


def test_units_have_their_published_areas_nearly_and_hold_their_seats(changchun: City) -> None:
    units, table = changchun.area.units, facts.read(1.0).units
    km2 = units.area / 1e6
    outer = list(OUTER)
    assert (km2[outer] / table.loc[outer, "area_km2"]).between(0.95, 1.05).all()
    assert 0.9 <= km2[list(facts.CORE)].sum() / table.loc[list(facts.CORE), "area_km2"].sum() <= 1.1
    assert units.contains(
        gpd.GeoSeries(dots(land.survey(facts.read(1.0)).seats), index=units.index, crs=units.crs)
    ).all()
    overlap = shapely.area(units.geometry.array).sum() - units.union_all().area
    assert overlap < 1e6


def test_all_231_settlements_lie_in_their_unit(changchun: City) -> None:
    offices = changchun.candidates[changchun.candidates["kind"] == "township"]
    told = facts.read(1.0).settlements.groupby("unit")["name"].nunique()
    assert len(offices) == 231
    assert offices.groupby("unit")["settlement"].nunique().to_dict() == told.to_dict()


def test_outlets_of_today_are_as_many_as_reported(changchun: City) -> None:
    outlets = check_sites(changchun.outlets, supply.kinds())
    count = outlets["kind"].value_counts().to_dict()
    assert count == {
        "self_service": 60, "branch": 40, "reading_room": 37, "bookmobile": 15, "unit_library": 11, "central": 1,
    }  # fmt: skip
    assert set(outlets["status"]) == {"open"}
    seats = outlets[outlets["kind"] == "unit_library"]
    assert sorted(seats["unit"]) == sorted(changchun.area.units.index)


def test_candidates_are_thousands_of_every_kind_with_their_settlement(changchun: City) -> None:
    candidates = check_sites(changchun.candidates, supply.kinds())
    assert 5_000 <= len(candidates) <= 20_000
    assert set(candidates["kind"]) == {"residential", "park", "metro", "school", "mall", "community", "township"}
    assert (candidates["settlement"] != "").all()
    assert candidates["name"].is_unique


def test_made_up_names_say_so(changchun: City) -> None:
    assert changchun.schematic
    for sites in (changchun.outlets, changchun.candidates):
        assert sites["name"].str.contains("示意").all()
    assert "示意" in changchun.notes[0].text("zh")


def test_inputs_carry_their_hashes_and_licences(town: City) -> None:
    assert len(town.inputs) == len(facts.FILES)
    for file in town.inputs:
        content = (facts.data_dir() / file.name).read_bytes()
        assert file.sha256 == hashlib.sha256(content).hexdigest()
        assert file.licence


@pytest.mark.parametrize("junctions", [1_000, 10_000, 30_000])
def test_a_smaller_town_has_that_many_junctions_and_people_in_proportion(junctions: int) -> None:
    city = sample.build(junctions=junctions)
    found = len(WalkNetwork.build(city.ways).xy)
    assert found == pytest.approx(junctions, rel=0.15)
    assert city.demand["people"].sum() == pytest.approx(CITY_PEOPLE * junctions / sample.FULL_JUNCTIONS, abs=1)
    assert len(city.area.units) == 11
    assert set(city.candidates["kind"]) >= {"residential", "park", "metro", "school", "community", "township"}


def test_scale_and_junctions_are_two_words_for_one_thing() -> None:
    a, b = sample.build(scale=1_130 / sample.FULL_JUNCTIONS), sample.build(junctions=1_130)
    assert digest(a) == digest(b)


def test_a_town_out_of_range_is_refused_with_the_range() -> None:
    with pytest.raises(InputError, match=r"1,000 and 4,000,000"):
        sample.build(junctions=10)


def test_rounding_keeps_rows_and_columns() -> None:
    rng = np.random.default_rng(1)
    whole = rng.integers(0, 9, (50, 3))
    table = whole + rng.uniform(-0.4, 0.4, whole.shape)
    rows, columns = whole.sum(axis=1), whole.sum(axis=0).astype(float)
    for _ in range(50):
        table = np.maximum(table, 0) * (columns / np.maximum(table, 0).sum(axis=0))
        table *= (rows / np.maximum(table.sum(axis=1), 1e-9))[:, None]
    found = _rounded(table, rows, columns)
    assert found.sum(axis=1).tolist() == rows.tolist()
    assert found.sum(axis=0).tolist() == columns.tolist()
    assert np.abs(found - table).max() <= 3


def test_links_join_two_ends() -> None:
    assert shapely.length(links(np.array([[0.0, 0.0]]), np.array([[3.0, 4.0]]))).tolist() == [5.0]
