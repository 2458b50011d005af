"""Coordinates of three systems, and telling by the streets which one a table is in."""

from pathlib import Path
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import shapely
from hypothesis import given
from hypothesis import strategies as st
from pyproj import Geod, Transformer

from walkshed.contracts import FloatArray
from walkshed.errors import InputError
from walkshed.sources.coordinates import (
    SYSTEMS,
    bd09_to_gcj02,
    gcj02_to_bd09,
    gcj02_to_wgs84,
    is_known,
    to_wgs84,
    wgs84_to_gcj02,
)
from walkshed.sources.diagnosis import diagnose, gather
from walkshed.ways import Ways

in_china = st.tuples(st.floats(73.5, 134.0), st.floats(3.0, 53.5))
CENTRE = (125.3184, 43.8846)


def written_in(system: str, lon: Any, lat: Any) -> tuple[FloatArray, FloatArray]:
    """WGS-84 as a table in another system would have it."""
    if system == "wgs84":
        return np.asarray(lon, dtype=float), np.asarray(lat, dtype=float)
    shifted = wgs84_to_gcj02(lon, lat)
    return shifted if system == "gcj02" else gcj02_to_bd09(*shifted)


def metres(one: Any, other: Any) -> float:
    return float(Geod(ellps="WGS84").inv(*one, *other)[2])


def test_the_shifts_at_the_centre_of_changchun_are_587_and_1386_metres():
    gcj02 = wgs84_to_gcj02(*CENTRE)
    assert metres(CENTRE, gcj02) == pytest.approx(587, abs=1)
    assert metres(CENTRE, gcj02_to_bd09(*gcj02)) == pytest.approx(1386, abs=1)


@given(in_china)
def test_every_shift_is_undone_to_a_billionth_of_a_degree(place):
    there = wgs84_to_gcj02(*place)
    assert np.allclose(gcj02_to_wgs84(*there), place, rtol=0, atol=1e-9)
    assert np.allclose(bd09_to_gcj02(*gcj02_to_bd09(*there)), there, rtol=0, atol=1e-9)


@given(st.lists(in_china, min_size=1, max_size=5), st.sampled_from(SYSTEMS))
def test_a_table_in_any_system_comes_back_to_where_it_was(places, system):
    lon, lat = np.array(places).T
    assert np.allclose(to_wgs84(*written_in(system, lon, lat), system), (lon, lat), rtol=0, atol=1e-8)


def test_nothing_shifts_where_gcj02_is_not_applied():
    assert wgs84_to_gcj02(13.4, 52.5) == (13.4, 52.5)
    assert gcj02_to_bd09(13.4, 52.5) == (13.4, 52.5)


def test_projected_coordinates_come_by_their_epsg_code():
    x, y = Transformer.from_crs(4326, 4551, always_xy=True).transform(*CENTRE)
    assert np.allclose(to_wgs84(x, y, "epsg:4551"), CENTRE, atol=1e-7)


def test_an_unknown_system_is_refused():
    assert not is_known("mars")
    with pytest.raises(InputError, match="'mars' is not known"):
        to_wgs84(1, 2, "mars")


@pytest.fixture(scope="module")
def stations(real: Path) -> pd.DataFrame:
    return pd.read_csv(real / "changchun/metro_stations_wgs84.csv")


@pytest.fixture(scope="module")
def rails_and_roads(real: Path) -> gpd.GeoSeries:
    files = ("osm_rail_wgs84.geojson", "osm_roads_core_wgs84.geojson")
    return pd.concat([gpd.read_file(real / "changchun" / f).geometry for f in files]).to_crs(4551)


@pytest.mark.parametrize("system", SYSTEMS)
def test_the_stations_of_changchun_are_told_right_whole_and_never_wrong_in_tens(system, stations, rails_and_roads):
    lon, lat = written_in(system, stations["lng_wgs"], stations["lat_wgs"])
    evidence = gather(lon, lat, rails_and_roads)
    rng = np.random.default_rng(2020)

    tens = [evidence.take(rng.choice(len(lon), 10, replace=False)).verdict().best for _ in range(200)]

    assert evidence.verdict().best == system
    assert set(tens) <= {system, None}
    assert tens.count(system) >= 70


@pytest.mark.parametrize("system", SYSTEMS)
def test_swapped_columns_are_seen_and_do_not_hide_the_system(system, stations, rails_and_roads):
    lon, lat = written_in(system, stations["lng_wgs"], stations["lat_wgs"])
    found = diagnose(lat, lon, rails_and_roads)
    assert (found.best, found.swapped) == (system, True)


def test_the_offsets_show_what_it_was_judged_by(stations, rails_and_roads):
    found = diagnose(*written_in("gcj02", stations["lng_wgs"], stations["lat_wgs"]), rails_and_roads)
    offset = {reading.crs: reading.offset_m for reading in found.readings}
    assert offset["gcj02"] < 40
    assert offset["wgs84"] > 300
    assert offset["bd09"] > 300
    told = found.told("stations.csv")
    assert [fault.key.split(".")[1] for fault in told] == ["reading", "reading", "reading", "fits"]
    assert 'Write "gcj02"' in told[-1].text("en")


def grid_of_streets(*, block_m: float, count: int, seed: int) -> gpd.GeoSeries:
    """Streets of a made-up town at the centre of Changchun, their spacing uneven as streets are."""
    east, north = Transformer.from_crs(4326, 4551, always_xy=True).transform(*CENTRE)
    rng = np.random.default_rng(seed)
    steps = np.cumsum(rng.uniform(0.5, 1.5, count)) * block_m
    steps = steps - steps.mean()
    half = steps.max()
    lines = [shapely.LineString([(east + s, north - half), (east + s, north + half)]) for s in steps]
    lines += [shapely.LineString([(east - half, north + s), (east + half, north + s)]) for s in steps]
    return gpd.GeoSeries(lines, crs=4551)


def degrees(points: Any) -> tuple[FloatArray, FloatArray]:
    xy = shapely.get_coordinates(points)
    lon, lat = Transformer.from_crs(4551, 4326, always_xy=True).transform(xy[:, 0], xy[:, 1])
    return lon, lat


@pytest.mark.parametrize("seed", range(2))
def test_tables_laid_out_by_chance_are_never_told(seed):
    streets = grid_of_streets(block_m=250, count=25, seed=seed)
    rng = np.random.default_rng(seed)
    west, south, east, north = streets.total_bounds
    points = shapely.points(rng.uniform(west, east, 2000), rng.uniform(south, north, 2000))
    evidence = gather(*degrees(points[:90]), streets)
    tens = [evidence.take(rng.choice(90, 12, replace=False)).verdict().best for _ in range(50)]
    assert tens == [None] * 50


@pytest.mark.parametrize("system", SYSTEMS)
def test_outlets_beside_streets_are_told_though_none_stands_on_one(system):
    streets = grid_of_streets(block_m=250, count=25, seed=1)
    rng = np.random.default_rng(7)
    on = shapely.line_interpolate_point(
        streets.to_numpy()[rng.integers(0, 50, 60)], rng.uniform(0.2, 0.8, 60), normalized=True
    )
    beside = shapely.points(shapely.get_coordinates(on) + rng.choice([-1, 1], (60, 2)) * rng.uniform(15, 40, (60, 2)))
    assert diagnose(*written_in(system, *degrees(beside)), streets).best == system


def test_three_points_are_too_few_to_tell():
    streets = grid_of_streets(block_m=250, count=25, seed=1)
    on = shapely.line_interpolate_point(streets.to_numpy()[[3, 11, 40]], 0.4, normalized=True)
    found = diagnose(*degrees(on), streets)
    assert found.best is None
    assert found.told("few.csv")[-1].key == "coordinates.undecided"


def test_points_far_from_every_street_have_nothing_to_say():
    found = diagnose(np.array([116.4, np.nan]), np.array([39.9, 43.9]), grid_of_streets(block_m=250, count=9, seed=1))
    assert (found.best, found.points) == (None, 0)


def test_ways_serve_as_well_as_lines():
    streets = grid_of_streets(block_m=250, count=25, seed=1)
    ways = Ways.from_lines(gpd.GeoDataFrame(geometry=streets))
    on = shapely.line_interpolate_point(streets.to_numpy(), np.linspace(0.1, 0.9, 50), normalized=True)
    place = written_in("bd09", *degrees(on))
    assert diagnose(*place, ways) == diagnose(*place, streets)
