"""The plan as JSON, CSV and GeoPackage."""

import csv
import io
import json
from pathlib import Path

import geopandas as gpd
import numpy as np
import pyogrio
import pytest

from publish_world import TownPlan, town
from walkshed import plan as planning
from walkshed import publish
from walkshed.errors import OutputError
from walkshed.publish import tables
from walkshed.publish.map import map_html
from walkshed.publish.record import plan_json
from walkshed.publish.tables import geopackage, sites_csv, units_csv
from walkshed.scenario import Scenario


@pytest.fixture(scope="module")
def plan() -> TownPlan:
    return town()


def rows(content: bytes) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(content.decode("utf-8-sig"), newline="")))


def test_the_record_has_exactly_the_keys_promised(plan: TownPlan) -> None:
    record = json.loads(plan_json(plan))

    promised = {"name", "schematic", "standard", "totals", "units", "gaps", "sites", "siting", "provenance"}
    assert promised <= set(record)
    assert set(record) - promised == {"title", "groups", "distances", "notes", "years", "findings"}
    assert set(record["standard"]) == {"id", "limit_m"}
    assert set(record["totals"]) == {
        "people", "served_before", "served_after", "share_before", "share_after", "off_network"}  # fmt: skip
    assert set(record["units"][0]) == {
        "id", "label", "people", "served_before", "served_after", "share_before", "share_after", "outlets"}  # fmt: skip
    assert set(record["gaps"][0]) == {
        "id", "name", "unit", "people", "area_km2", "nearest_m", "near", "lon", "lat"}  # fmt: skip
    assert set(record["sites"][0]) == {
        "id", "name", "kind", "offer", "unit", "lon", "lat", "order", "year", "people_gained",
    }  # fmt: skip
    assert set(record["siting"]) == {"model", "status", "people", "bound", "gap"}
    assert set(record["provenance"]) == {"inputs", "versions", "seed"}


def test_keys_are_sorted_and_the_same_plan_gives_the_same_bytes(plan: TownPlan) -> None:
    first, second = publish.render(plan), publish.render(town())

    assert {name for name in first if first[name] != second[name]} <= {"run.json"}
    record = json.loads(first["plan.json"])
    assert list(record) == sorted(record)


def test_what_is_not_known_is_null_and_never_a_number(plan: TownPlan) -> None:
    record = json.loads(plan_json(town(gaps=plan.gaps.assign(nearest_m=np.nan))))

    assert record["gaps"][0]["nearest_m"] is None


def test_places_are_in_degrees_to_six_decimals(plan: TownPlan) -> None:
    [site] = json.loads(plan_json(plan))["sites"]

    back = gpd.GeoSeries.from_xy([site["lon"]], [site["lat"]], crs="EPSG:4326").to_crs(plan.sites.crs)
    assert back.distance(plan.sites.geometry.iloc[0]).iloc[0] < 0.12
    assert site["lon"] == round(site["lon"], 6)


def test_tables_open_in_a_spreadsheet_with_their_chinese(plan: TownPlan) -> None:
    content = units_csv(plan)

    assert content.startswith(b"\xef\xbb\xbf")
    assert [row["label"] for row in rows(content)] == ["西区", "东区"]
    assert {row["data"] for row in rows(content)} == {"schematic 示意数据"}


def test_real_data_are_not_called_schematic() -> None:
    assert "data" not in rows(units_csv(town(schematic=False)))[0]


@pytest.mark.parametrize("start", ["=", "+", "-", "@", "\t", "\r"])
def test_a_name_that_begins_like_a_formula_is_text(plan: TownPlan, start: str) -> None:
    hostile = town(sites=plan.sites.assign(name=start + "HYPERLINK()"))

    [row] = rows(sites_csv(hostile))

    assert row["name"] == f"'{start}HYPERLINK()"
    assert float(row["people_gained"]) == pytest.approx(plan.sites["people_gained"].iloc[0])


def test_the_geopackage_has_all_layers_in_degrees(plan: TownPlan, tmp_path: Path) -> None:
    path = tmp_path / "plan.gpkg"
    path.write_bytes(geopackage(plan))

    there = {str(name) for name, _ in pyogrio.list_layers(path)}
    assert there == {"demand", "outlets", "sites", "gaps", "units", "layer_styles"}
    demand = gpd.read_file(path, layer="demand")
    assert {"demand_id", "people", "unit", "nearest_m", "served_before", "served_after"} <= set(demand.columns)
    assert demand.crs.to_epsg() == 4326
    assert demand["people"].sum() == pytest.approx(plan.demand["people"].sum())
    assert demand["nearest_m"].isna().sum() == plan.demand["nearest_m"].isna().sum() > 0
    units = gpd.read_file(path, layer="units")
    assert units["served_after"].sum() == pytest.approx(plan.totals["served_after"])


def test_a_plan_without_sites_or_gaps_is_written_too(plan: TownPlan, tmp_path: Path) -> None:
    nothing = town(sites=plan.sites.head(0), gaps=plan.gaps.head(0), outlets=plan.outlets.head(0))

    paths = publish.write(nothing, tmp_path / "out")

    assert {p.name for p in paths} == set(publish.render(plan))
    assert json.loads((tmp_path / "out" / "plan.json").read_bytes())["sites"] == []
    assert len(gpd.read_file(tmp_path / "out" / "plan.gpkg", layer="sites")) == 0


def test_rows_lost_on_a_full_temporary_disk_are_noticed(plan: TownPlan, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tables.pyogrio, "read_info", lambda *_, **__: {"features": 0})

    with pytest.raises(OutputError, match="the temporary folder cannot hold"):
        geopackage(plan)


def test_the_plan_is_not_changed_by_being_published() -> None:
    plan, same = town(), town()

    publish.render(plan)

    for name in ("demand", "outlets", "sites", "gaps", "units"):
        assert getattr(plan, name).equals(getattr(same, name)), name


def test_a_real_plan_is_published_whole(tmp_path: Path) -> None:
    question = tmp_path / "small.toml"
    question.write_text(
        'name = "small"\n[streets]\nsource = "sample"\nscale = 0.03\n[siting]\nbuild = 3\n', encoding="utf-8"
    )
    answer = planning.run(Scenario.read(question))

    publish.write(answer, tmp_path / "out")

    record = json.loads((tmp_path / "out" / "plan.json").read_bytes())
    assert record["schematic"] is True
    assert [site["order"] for site in record["sites"]] == [1, 2, 3]
    for total in ("people", "served_before", "served_after"):
        assert sum(unit[total] for unit in record["units"]) == pytest.approx(record["totals"][total])
    page = (tmp_path / "out" / "map.html").read_text(encoding="utf-8")
    assert "示意数据" in page
    assert len(page) < 5_000_000


def test_a_closed_outlet_is_not_on_the_map(plan: TownPlan) -> None:
    closed = plan.outlets.assign(status=["open", "closed"], name=["still here", "gone for good"])

    page = map_html(town(outlets=closed)).decode()

    assert "still here" in page
    assert "gone for good" not in page
