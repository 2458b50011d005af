"""Population grids in the forms they are published in."""

from pathlib import Path
from typing import Any

import geopandas as gpd
import numpy as np
import pytest
import rasterio
import shapely
from affine import Affine
from hypothesis import given
from hypothesis import strategies as st
from pyproj import CRS, Geod, Transformer
from rasterio.windows import Window

from walkshed.area import Area
from walkshed.errors import InputError, MissingInputError
from walkshed.sources import grids
from walkshed.sources.grid_cells import cell_m2
from walkshed.sources.grids import read_grid

SECONDS_3 = 1 / 1200
WEST, NORTH = 125.30, 43.90
PLATE = Affine(SECONDS_3, 0, WEST, 0, -SECONDS_3, NORTH)  # ASPECT and WorldPop: 3 seconds, about 100 m


def area_of(*boxes: shapely.Polygon, crs: Any = 4326) -> Area:
    ids = [chr(97 + i) for i in range(len(boxes))]
    return Area.from_units(gpd.GeoDataFrame({"label": ids}, geometry=list(boxes), index=ids, crs=crs))


def cells(rows: slice, cols: slice, transform: Affine = PLATE) -> shapely.Polygon:
    """A box around some cells of the grid."""
    west, east = (transform.a * col + transform.c for col in (cols.start, cols.stop))
    north, south = (transform.e * row + transform.f for row in (rows.start, rows.stop))
    return shapely.box(west, south, east, north)


def write(path: Path, *bands: Any, transform: Affine = PLATE, crs: Any = "EPSG:4326", **profile: Any) -> Path:
    layers = np.stack([np.asarray(band, dtype="float32") for band in bands])
    shape = {"count": len(layers), "height": layers.shape[1], "width": layers.shape[2]}
    with rasterio.open(
        path, "w", driver="GTiff", dtype="float32", transform=transform, crs=crs, **shape, **profile
    ) as file:
        file.write(layers)
    return path


def keys(error: Any) -> list[str]:
    return sorted(fault.key for fault in error.value.faults)


ALL = area_of(cells(slice(0, 20), slice(0, 30)))


def test_worldpop_has_persons_per_cell_and_a_nodata_value(tmp_path):
    people = np.full((20, 30), -99999.0)
    people[3, 4], people[10, 20], people[11, 20] = 12.5, 3.25, 0
    demand, notes = read_grid(write(tmp_path / "chn_ppp_2020.tif", people, nodata=-99999), ALL, unit="per_cell")

    assert demand["people"].to_dict() == {"g3_4": 12.5, "g10_20": 3.25}
    assert demand["unit"].tolist() == ["a", "a"]
    lon, lat = demand.to_crs(4326).geometry.iloc[0].coords[0]
    assert (lon, lat) == pytest.approx((WEST + 4.5 * SECONDS_3, NORTH - 3.5 * SECONDS_3), abs=1e-9)
    assert (notes[0].key, notes[0].values["cells"], notes[0].values["people"]) == ("grids.read", 2, 16)


def test_aspect_has_persons_per_hectare_by_age_and_cells_have_their_true_area(tmp_path):
    bands = [np.full((20, 30), density) for density in (10.0, 60.0, 8.0, 22.0)]
    path = write(tmp_path / "aspect.tif", *bands, nodata=np.nan)
    demand, _ = read_grid(path, ALL, unit="per_hectare", bands={"0_14": [1], "15_59": [2], "60p": [3, 4]})

    corner = cells(slice(7, 8), slice(9, 10))
    hectares = abs(Geod(ellps="WGS84").geometry_area_perimeter(corner)[0]) / 10_000
    row = demand.loc["g7_9"]
    assert hectares == pytest.approx(0.62, abs=0.01)
    assert row["people"] == pytest.approx(100 * hectares, rel=1e-6)
    assert row[["people_0_14", "people_15_59", "people_60p"]].tolist() == pytest.approx(
        [10 * hectares, 60 * hectares, 30 * hectares], rel=1e-6
    )


def test_a_band_may_hold_all_people_and_others_some_of_them(tmp_path):
    path = write(tmp_path / "p.tif", np.full((20, 30), 5.0), np.full((20, 30), 2.0))
    demand, _ = read_grid(path, ALL, unit="per_cell", bands={"people": [1], "old": [2]})
    assert demand[["people", "people_old"]].iloc[0].tolist() == [5, 2]


def test_further_files_are_groups(tmp_path):
    path = write(tmp_path / "all.tif", np.full((20, 30), 5.0))
    parts = [write(tmp_path / f"{age}.tif", np.full((20, 30), n)) for age, n in ((60, 0.5), (65, 1.5))]
    demand, _ = read_grid(path, ALL, unit="per_cell", files={"60p": parts})
    assert demand[["people", "people_60p"]].iloc[0].tolist() == [5, 2]


def test_ghs_pop_is_in_mollweide(tmp_path):
    mollweide = CRS.from_user_input("ESRI:54009")
    x, y = Transformer.from_crs(4326, mollweide, always_xy=True).transform(WEST, NORTH)
    here = Affine(100, 0, round(x, -2), 0, -100, round(y, -2))
    path = write(tmp_path / "ghs.tif", np.full((40, 40), 7.0), transform=here, crs=mollweide.to_wkt())
    area = area_of(cells(slice(10, 20), slice(5, 25), here), crs=mollweide)

    per_cell, _ = read_grid(path, area, unit="per_cell")
    per_hectare, _ = read_grid(path, area, unit="per_hectare")

    assert len(per_cell) == 200
    assert per_cell["people"].sum() == 1400
    assert np.allclose(per_hectare["people"], 7.0, rtol=1e-3)  # an equal-area projection: 100 m cells are a hectare


def test_mercator_cells_are_smaller_than_they_say(tmp_path):
    x, y = Transformer.from_crs(4326, 3857, always_xy=True).transform(WEST, NORTH)
    here = Affine(100, 0, x, 0, -100, y)
    path = write(tmp_path / "m.tif", np.full((20, 30), 10.0), transform=here, crs="EPSG:3857")
    demand, _ = read_grid(path, area_of(cells(slice(0, 20), slice(0, 30), here), crs=3857), unit="per_hectare")
    assert demand["people"].iloc[0] == pytest.approx(10 * np.cos(np.radians(NORTH)) ** 2, rel=0.01)


@given(st.floats(-89, 89), st.sampled_from([SECONDS_3, 0.01, 0.25]))
def test_the_area_of_a_geographic_cell_is_that_of_its_polygon(north, size):
    transform = Affine(size, 0, 10, 0, -size, north)
    [found] = cell_m2(transform, CRS.from_epsg(4326), np.array([0]), Window(0, 0, 1, 1))
    steps = np.linspace(10, 10 + size, 200)  # a parallel is no geodesic: many short ones follow it
    lon = np.concatenate([steps, steps[::-1]])
    lat = np.concatenate([np.full(200, north), np.full(200, north - size)])
    assert found == pytest.approx(abs(Geod(ellps="WGS84").polygon_area_perimeter(lon, lat)[0]), rel=1e-5)


def test_only_cells_whose_centres_lie_in_a_unit_count_and_belong_to_it(tmp_path):
    path = write(tmp_path / "p.tif", np.ones((20, 30)))
    area = area_of(cells(slice(0, 10), slice(0, 5)), cells(slice(0, 10), slice(5, 12)))
    demand, _ = read_grid(path, area, unit="per_cell")
    assert demand.groupby("unit").size().to_dict() == {"a": 50, "b": 70}


def test_blocks_change_nothing(tmp_path, monkeypatch):
    rng = np.random.default_rng(1)
    people = rng.gamma(0.3, 10, (150, 170))
    area = area_of(shapely.Point(WEST + 0.06, NORTH - 0.06).buffer(0.05))
    tiled = write(tmp_path / "t.tif", people, tiled=True, blockxsize=16, blockysize=32)
    striped = write(tmp_path / "s.tif", people)
    whole, _ = read_grid(striped, area, unit="per_cell")
    monkeypatch.setattr(grids, "BLOCK", 16)
    small, _ = read_grid(tiled, area, unit="per_cell")
    assert small.sort_index().equals(whole.sort_index())


def test_cells_keep_their_ids_whatever_the_area(tmp_path):
    path = write(tmp_path / "p.tif", np.arange(600.0).reshape(20, 30))
    part, _ = read_grid(path, area_of(cells(slice(5, 8), slice(7, 9))), unit="per_cell")
    whole, _ = read_grid(path, ALL, unit="per_cell")
    assert part["people"].to_dict() == whole["people"].loc[part.index].to_dict()
    assert part.loc["g5_7", "people"] == 5 * 30 + 7


def test_all_that_is_wrong_with_a_grid_is_told_at_once(tmp_path):
    path = write(
        tmp_path / "p.tif", np.ones((20, 30)), np.ones((20, 30)), transform=Affine(1, 0.1, 0, 0.1, -1, 0), crs=None
    )
    with pytest.raises(InputError) as error:
        read_grid(path, ALL, unit=None)
    assert keys(error) == ["grids.no_unit", "grids.rotated", "grids.which_band", "table.no_crs"]


def test_bands_that_are_not_there_and_grids_that_differ_are_refused(tmp_path):
    path = write(tmp_path / "p.tif", np.ones((20, 30)))
    other = write(tmp_path / "q.tif", np.ones((20, 31)))
    with pytest.raises(InputError) as error:
        read_grid(path, ALL, unit="per_cell", bands={"people": [1], "old": [4]}, files={"young": [other]})
    assert keys(error) == ["grids.differ", "grids.no_band"]


def test_negative_people_without_a_nodata_value_are_refused(tmp_path):
    people = np.ones((20, 30))
    people[0, :3] = -9999
    with pytest.raises(InputError) as error:
        read_grid(write(tmp_path / "p.tif", people), ALL, unit="per_cell")
    assert keys(error) == ["grids.negative"]


def test_a_group_larger_than_the_people_is_refused(tmp_path):
    path = write(tmp_path / "p.tif", np.ones((20, 30)), np.full((20, 30), 2.0))
    with pytest.raises(InputError) as error:
        read_grid(path, ALL, unit="per_cell", bands={"people": [1], "old": [2]})
    assert keys(error) == ["grids.group_over_total"]


def test_a_grid_elsewhere_or_empty_is_refused(tmp_path):
    path = write(tmp_path / "p.tif", np.zeros((20, 30)))
    for area, key in ((area_of(shapely.box(10, 50, 10.1, 50.1)), "vector.outside"), (ALL, "grids.empty")):
        with pytest.raises(InputError) as error:
            read_grid(path, area, unit="per_cell")
        assert keys(error) == [key]


def test_missing_broken_and_disguised_files_are_refused(tmp_path):
    with pytest.raises(MissingInputError):
        read_grid(tmp_path / "none.tif", ALL, unit="per_cell")
    whole = write(tmp_path / "p.tif", np.ones((20, 30))).read_bytes()
    (tmp_path / "half.tif").write_bytes(whole[: len(whole) // 2])
    (tmp_path / "link.tif").write_text('<VRTDataset rasterXSize="1" rasterYSize="1"></VRTDataset>')
    for name in ("half.tif", "link.tif"):
        with pytest.raises(InputError) as error:
            read_grid(tmp_path / name, ALL, unit="per_cell")
        assert keys(error) == ["vector.unreadable"]
        assert str(tmp_path) not in str(error.value)
