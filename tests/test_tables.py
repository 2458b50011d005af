"""Tables of outlets as people have them, and what they are told about them."""

import csv
import io
import zipfile
from pathlib import Path
from typing import Any, NamedTuple

import geopandas as gpd
import numpy as np
import openpyxl
import pytest
import shapely
from pyproj import Transformer

from walkshed.area import Area
from walkshed.errors import Fault, InputError, MissingInputError, OutputError
from walkshed.sources import tables_files
from walkshed.sources.coordinates import gcj02_to_bd09, wgs84_to_gcj02
from walkshed.sources.tables import read_outlets
from walkshed.sources.tables_files import read_raw
from walkshed.sources.tables_marked import marked_copy


class Kind(NamedTuple):
    zh: str
    en: str


KINDS = {"reading_room": Kind("城市阅书房", "city reading room"), "park": Kind("公园", "park")}
HEADER = "名称,类型,经度,纬度\n"
TWO = HEADER + "玉鸟,城市阅书房,125.31,43.88\n南湖,公园,125.30,43.86\n"


@pytest.fixture(scope="module")
def area() -> Area:
    box = gpd.GeoDataFrame({"label": ["A"]}, geometry=[shapely.box(125.2, 43.8, 125.4, 43.95)], index=["a"], crs=4326)
    return Area.from_units(box)


@pytest.fixture
def table(tmp_path) -> Any:
    def write(content: str | bytes, name: str = "outlets.csv") -> Path:
        path = tmp_path / name
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return path

    return write


def workbook(path: Path, *lines: list[Any], title: str = "Sheet") -> Path:
    book = openpyxl.Workbook()
    sheet = book.active
    sheet.title = title
    for line in lines:
        sheet.append(line)
    book.save(path)
    return path


def read(path: Path, area: Area, **options: Any) -> gpd.GeoDataFrame:
    return read_outlets(path, **{"crs": "wgs84", "kinds": KINDS, "area": area} | options)


def faults(path: Path, area: Area, **options: Any) -> dict[str, str]:
    """Rows by the sentence that names them."""
    with pytest.raises(InputError) as error:
        read(path, area, **options)
    return {f.key.split(".")[1]: f.values.get("rows", "") for f in error.value.faults}


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gb18030"])
def test_chinese_text_is_read_in_three_encodings(encoding, table, area):
    path = table(TWO.encode(encoding))
    sites = read(path, area)
    assert sites["name"].tolist() == ["玉鸟", "南湖"]
    assert read_raw(path).form == encoding


@pytest.mark.parametrize("content", ["名称".encode("utf-16"), b"\xff\xff\xff", TWO.encode("gb18030") + b"\xff"])
def test_other_encodings_are_refused(content, table, area):
    assert list(faults(table(content), area)) == ["encoding"]


@pytest.mark.parametrize(
    "header",
    ["名称,类型,经度,纬度", "name,kind,lon,lat", "馆名,类别,经度（°）,纬度（°）", " Name ,TYPE,Longitude,Ｌatitude"],
)
def test_headers_in_both_languages_and_many_forms(header, table, area):
    sites = read(table(f"{header}\n玉鸟,City Reading Room,125.31,43.88\n"), area)
    assert sites[["name", "kind", "status", "unit"]].to_dict("records") == [
        {"name": "玉鸟", "kind": "reading_room", "status": "open", "unit": "a"}
    ]


def test_a_title_above_the_header_is_passed_over_and_rows_count_as_the_spreadsheet_shows(table, area):
    path = table("长春市网点一览表,,,\n,,,\n" + HEADER + "甲,公园,125.31,43.88\n,,,\n,公园,125.35,43.88\n")
    assert faults(path, area) == {"missing_value": "6"}


def test_everything_a_table_may_tell_is_kept(table, area):
    header = "编号,名称,类型,经度,纬度,状态,地址,座位,面积（㎡）,开放时间,街道,备注"
    text = header + "\nL7,甲,公园,125.31,43.88,规划,人民大街1号,４０,120.5,8:00-18:00,南湖街道,x\n"
    site = read(table(text), area).iloc[0]
    assert site.name == "L7"
    assert site[["status", "address", "hours", "settlement"]].tolist() == [
        "planned",
        "人民大街1号",
        "8:00-18:00",
        "南湖街道",
    ]
    assert site[["seats", "floor_m2"]].tolist() == [40.0, 120.5]
    assert "备注" not in site


def test_one_column_may_hold_both_coordinates(table, area):
    one = read(table('名称,类型,经纬度\n甲,公园,"125.31，43.88"\n'), area)
    two = read(table(HEADER + "甲,公园,125.31,43.88\n"), area)
    assert one.geometry.iloc[0] == two.geometry.iloc[0]


@pytest.mark.parametrize("crs", ["wgs84", "gcj02", "bd09", "epsg:4551"])
def test_declared_coordinates_land_where_the_place_is(crs, table, area):
    lon, lat = 125.3184, 43.8846
    gcj02 = wgs84_to_gcj02(lon, lat)
    east, north = Transformer.from_crs(4326, 4551, always_xy=True).transform(lon, lat)
    x, y = {"wgs84": (lon, lat), "gcj02": gcj02, "bd09": gcj02_to_bd09(*gcj02), "epsg:4551": (east, north)}[crs]
    site = read(table(HEADER + f"甲,公园,{float(x)!r},{float(y)!r}\n"), area, crs=crs)
    assert site.geometry.iloc[0].distance(shapely.Point(east, north)) < 0.01


def test_every_fault_is_told_at_once_with_its_rows(table, area):
    rows = [
        "编号,名称,类型,经度,纬度,座位,状态",
        "1,甲,公园,43.88,125.31,,",  # swapped
        "2,,公园,125.32,43.88,,",  # no name
        "3,乙,亭子,125.33,43.88,,",  # unknown kind
        "4,丙,公园,126.9,43.88,,",  # outside
        "5,丁,公园,abc,43.88,,",  # not a number
        "6,戊,公园,125.35,43.88,,",  # the next one is 16 m away
        "6,己,公园,125.3502,43.88,-3,歇业",
    ]
    assert faults(table("\n".join(rows)), area) == {
        "swapped": "2", "missing_value": "3", "unknown_kind": "4", "outside": "5", "not_number": "6",
        "near_duplicate": "7, 8", "duplicate_id": "7, 8", "negative": "8", "unknown_status": "8",
    }  # fmt: skip


def test_all_not_numbers_are_told_by_column(table, area):
    path = table("名称,类型,经度,纬度,座位\n甲,公园,东,nan,inf\n")
    with pytest.raises(InputError) as error:
        read(path, area)
    assert sorted(f.values["column"] for f in error.value.faults) == ["lat", "lon", "seats"]


def test_two_kinds_under_one_roof_are_no_duplicates(table, area):
    sites = read(table(HEADER + "甲,公园,125.31,43.88\n甲书房,城市阅书房,125.31,43.88\n"), area)
    assert len(sites) == 2


@pytest.mark.parametrize(("step", "near"), [(29.9, True), (30.1, False)])
def test_duplicates_are_told_within_thirty_metres(step, near, table, area):
    east, north = Transformer.from_crs(4326, 4551, always_xy=True).transform(125.31, 43.88)
    path = table(HEADER + f"甲,公园,{east},{north}\n乙,公园,{east + step},{north}\n")
    if near:
        assert faults(path, area, crs="epsg:4551") == {"near_duplicate": "2, 3"}
    else:
        assert len(read(path, area, crs="epsg:4551")) == 2


def test_a_header_is_held_to_what_is_needed(table, area):
    assert list(faults(table("备注,x1\n1,2\n"), area)) == ["no_header"]
    assert list(faults(table("名称,地址\n甲,乙\n"), area)) == ["missing_column"]
    assert list(faults(table("名称,name,类型,经度,纬度\n甲,乙,公园,125.31,43.88\n"), area)) == ["column_twice"]
    assert list(faults(table(HEADER), area)) == ["no_rows"]


def test_a_workbook_reads_like_the_text_table(tmp_path, table, area):
    sheet = workbook(
        tmp_path / "o.xlsx",
        ["名称", "类型", "经度", "纬度"],
        ["玉鸟", "城市阅书房", 125.31, 43.88],
        ["南湖", "公园", "125.30", 43.86],
    )
    assert read(sheet, area).equals(read(table(TWO), area))


def test_the_sheet_with_a_header_is_the_one(tmp_path, area):
    book = openpyxl.load_workbook(workbook(tmp_path / "o.xlsx", ["说明"], title="说明"))
    sheet = book.create_sheet("网点")
    sheet.append(["名称", "类型", "经度", "纬度"])
    sheet.append(["甲", "公园", 125.31, 43.88])
    book.save(tmp_path / "o.xlsx")
    assert read(tmp_path / "o.xlsx", area)["name"].tolist() == ["甲"]


@pytest.mark.parametrize("suffix", ["geojson", "gpkg"])
def test_vector_files_bring_their_places(suffix, tmp_path, area):
    frame = gpd.GeoDataFrame(
        {"名称": ["甲"], "类型": ["公园"], "座位": [40]}, geometry=[shapely.Point(125.31, 43.88)], crs=4326
    )
    frame.to_file(tmp_path / f"o.{suffix}")
    sites = read(tmp_path / f"o.{suffix}", area, crs=None)
    assert sites.to_crs(4326).geometry.iloc[0].distance(shapely.Point(125.31, 43.88)) < 1e-7
    assert sites[["name", "kind", "seats"]].to_numpy().tolist() == [["甲", "park", 40.0]]


def street_town() -> gpd.GeoSeries:
    rng = np.random.default_rng(3)
    east, north = Transformer.from_crs(4326, 4551, always_xy=True).transform(125.3, 43.87)
    steps = np.cumsum(rng.uniform(120, 380, 25)) - 3000
    lines = [shapely.LineString([(east + s, north - 3000), (east + s, north + 3000)]) for s in steps]
    lines += [shapely.LineString([(east - 3000, north + s), (east + 3000, north + s)]) for s in steps]
    return gpd.GeoSeries(lines, crs=4551)


def outlets_on(streets: gpd.GeoSeries) -> tuple[Any, Any]:
    on = shapely.line_interpolate_point(streets.to_numpy(), np.linspace(0.2, 0.8, len(streets)), normalized=True)
    xy = shapely.get_coordinates(on)
    lon, lat = Transformer.from_crs(4551, 4326, always_xy=True).transform(xy[:, 0], xy[:, 1])
    return lon, lat


def test_undeclared_coordinates_are_diagnosed_and_refused(table, area):
    streets = street_town()
    lon, lat = wgs84_to_gcj02(*outlets_on(streets))
    path = table(HEADER + "".join(f"n{i},公园,{x},{y}\n" for i, (x, y) in enumerate(zip(lon, lat, strict=True))))

    with pytest.raises(InputError) as error:
        read(path, area, crs=None, streets=streets)

    assert [f.key for f in error.value.faults] == [
        "outlets.crs_missing",
        *["coordinates.reading"] * 3,
        "coordinates.fits",
    ]
    assert error.value.faults[-1].values["crs"] == "gcj02"
    assert "outlets_crs" in error.value.text("zh")


def test_undeclared_coordinates_without_streets_are_refused(table, area):
    assert list(faults(table(TWO), area, crs=None)) == ["crs_unknown_streets"]


def test_a_geojson_that_the_streets_contradict_is_refused(tmp_path, area):
    streets = street_town()
    lon, lat = wgs84_to_gcj02(*outlets_on(streets))
    names = [f"n{i}" for i in range(len(lon))]
    gpd.GeoDataFrame({"name": names, "kind": "park"}, geometry=shapely.points(lon, lat), crs=4326).to_file(
        tmp_path / "o.geojson"
    )
    assert "crs_contradicted" in faults(tmp_path / "o.geojson", area, crs=None, streets=streets)


def test_an_unknown_system_is_one_fault_among_the_others(table, area):
    assert set(faults(table(HEADER + ",公园,125.31,43.88\n"), area, crs="mars")) == {"unknown_crs", "missing_value"}


def test_hostile_and_odd_files_are_refused_clearly(tmp_path, table, area, monkeypatch):
    with pytest.raises(MissingInputError):
        read(tmp_path / "none.csv", area)
    with pytest.raises(MissingInputError):
        read(tmp_path, area)
    assert list(faults(table(TWO, "o.xls"), area)) == ["format"]
    assert list(faults(table(b"PK not a zip", "o.xlsx"), area)) == ["unreadable"]
    assert list(faults(table("{", "o.geojson"), area)) == ["unreadable"]
    monkeypatch.setattr(tables_files, "MAX_BYTES", 10)
    assert list(faults(table(TWO), area)) == ["too_large"]


def test_a_zip_bomb_is_never_unpacked(tmp_path, area, monkeypatch):
    path = workbook(tmp_path / "o.xlsx", ["名称", "类型", "经度", "纬度"], ["甲", "公园", 125.31, 43.88])
    monkeypatch.setattr(tables_files, "MAX_UNZIPPED", 2**20)
    with zipfile.ZipFile(path, "a", zipfile.ZIP_DEFLATED) as parts:
        parts.writestr("xl/media/x.xml", b" " * 2**21)
    assert path.stat().st_size < 2**16
    assert list(faults(path, area)) == ["too_large"]


def test_entities_in_a_workbook_are_refused(tmp_path, area):
    path = workbook(tmp_path / "o.xlsx", ["名称", "类型", "经度", "纬度"], ["甲", "公园", 125.31, 43.88])
    with zipfile.ZipFile(path, "a") as parts:
        parts.writestr("xl/evil.xml", '<!DOCTYPE a [<!ENTITY b "bb">]><a>&b;</a>')
    assert list(faults(path, area)) == ["hostile"]


def test_rows_without_end_are_refused(table, area, monkeypatch):
    monkeypatch.setattr(tables_files, "MAX_ROWS", 50)
    assert list(faults(table(HEADER + "甲,公园,125.31,43.88\n" * 60), area)) == ["too_large"]


def test_the_marked_copy_says_per_row_what_is_wrong_and_runs_no_formula(tmp_path, table, area):
    path = table(HEADER + "=1+1,公园,125.31,43.88\n@甲,亭子,125.33,43.88\n乙,公园,-12.5,43.88\n")
    with pytest.raises(InputError) as error:
        read(path, area)

    out = marked_copy(path, tmp_path / "marked.csv", error.value.faults)

    assert out.read_bytes().startswith(b"\xef\xbb\xbf")
    header, *rows = list(csv.reader(io.StringIO(out.read_text(encoding="utf-8-sig"), newline="")))
    assert header == ["名称", "类型", "经度", "纬度", "问题"]
    assert [row[0] for row in rows] == ["'=1+1", "'@甲", "乙"]
    assert rows[2][2] == "-12.5"
    assert [bool(row[4]) for row in rows] == [False, True, True]
    assert "类型无法识别" in rows[1][4]


def test_the_marked_workbook_holds_text_only(tmp_path, table, area):
    path = table(HEADER + "=cmd(),亭子,125.31,43.88\n")
    with pytest.raises(InputError) as error:
        read(path, area)
    out = marked_copy(path, tmp_path / "marked.xlsx", error.value.faults, lang="en")
    sheet = openpyxl.load_workbook(out).active
    assert {cell.data_type for line in sheet.iter_rows() for cell in line} == {"s"}
    assert sheet["A2"].value == "'=cmd()"
    assert sheet["E1"].value == "problem"


def test_the_marked_copy_never_replaces_the_table(tmp_path, table, area):
    path = table(TWO)
    with pytest.raises(OutputError):
        marked_copy(path, path, [])
    with pytest.raises(OutputError):
        marked_copy(path, tmp_path / "no/such/folder.csv", [Fault("outlets.no_header", "x", {"rows": 20})])
    assert path.read_text() == TWO
