"""The same layers in other forms: nothing is lost, the archive has it all, QGIS finds its styles."""

import io
import sqlite3
import zipfile
from pathlib import Path
from xml.etree import ElementTree as ET

import geopandas as gpd
import pytest

from publish_world import TownPlan, town
from walkshed import publish
from walkshed.publish.bundle import geojson_files, parquet_files
from walkshed.publish.tables import geopackage, layers

LAYERS = {"demand", "outlets", "sites", "gaps", "units"}


@pytest.fixture(scope="module")
def plan() -> TownPlan:
    return town(hostile="<b>=1")


def test_every_form_holds_the_same_rows(plan: TownPlan) -> None:
    geojson, parquet = geojson_files(plan), parquet_files(plan)

    for name, frame in layers(plan).items():
        for read in (gpd.read_file(io.BytesIO(geojson[f"{name}.geojson"])), gpd.read_parquet(io.BytesIO(parquet[f"{name}.parquet"]))):  # fmt: skip  # noqa: E501
            assert len(read) == len(frame)
            assert read.crs.to_epsg() == 4326
            assert read.geometry.geom_equals_exact(frame.geometry.reset_index(drop=True), 1e-9).all()
    assert {Path(name).stem for name in geojson} == LAYERS


def test_the_archive_holds_what_is_written_beside_it(plan: TownPlan, tmp_path: Path) -> None:
    paths = publish.write(plan, tmp_path, geojson=True, zipped=True)

    with zipfile.ZipFile(tmp_path / "plan.zip") as archive:
        assert {*archive.namelist(), "plan.zip"} == {path.name for path in paths}
        assert archive.read("sites.geojson") == (tmp_path / "sites.geojson").read_bytes()
        assert {entry.date_time for entry in archive.infolist()} == {(1980, 1, 1, 0, 0, 0)}


def test_each_layer_has_a_style_of_its_own(plan: TownPlan, tmp_path: Path) -> None:
    (tmp_path / "plan.gpkg").write_bytes(geopackage(plan))

    with sqlite3.connect(tmp_path / "plan.gpkg") as base:
        rows = base.execute(
            "SELECT f_table_name, f_geometry_column, styleQML, useAsDefault FROM layer_styles"
        ).fetchall()
        geometry = dict(base.execute("SELECT table_name, column_name FROM gpkg_geometry_columns").fetchall())
    base.close()

    assert {name: column for name, column, _, _ in rows} == geometry
    assert all(default for *_, default in rows)
    assert {ET.fromstring(qml).find("renderer-v2").get("type") for _, _, qml, _ in rows} == {"singleSymbol"}  # noqa: S314 - our own
    assert geopackage(plan) == (tmp_path / "plan.gpkg").read_bytes()
