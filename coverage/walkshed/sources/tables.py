"""Tables of outlets as people have them: read in any form, every fault at once, never a coordinate system guessed."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
from pyproj import CRS, Transformer

from walkshed.area import Area
from walkshed.contracts import BoolArray, FloatArray, check_sites, refuse
from walkshed.errors import Fault
from walkshed.sources.coordinates import SYSTEMS, is_known, to_wgs84
from walkshed.sources.diagnosis import Streets, diagnose
from walkshed.sources.tables_files import RawTable, field_of, names_of, plain, read_raw, status_of

NEAR_M = 30.0
"""Two rows of one kind or name nearer than this are one outlet written twice."""

MARGIN_M = 2000.0
"""How far outside the area an outlet may lie: it serves people inside; farther is a slip."""

SHOWN = 12  # row numbers in a sentence; the fault carries them all
NUMBERS = ("seats", "floor_m2", "cost")
TEXTS = ("address", "opened", "hours", "settlement")


class Labelled(Protocol):
    """What a kind must tell: how people read it."""

    @property
    def zh(self) -> str:
        """In Chinese."""

    @property
    def en(self) -> str:
        """In English."""


def read_outlets(
    path: Path,
    *,
    crs: str | None,
    kinds: Mapping[str, Labelled],
    area: Area,
    streets: Streets | None = None,
    margin_m: float = MARGIN_M,
) -> gpd.GeoDataFrame:
    """Read a table of outlets or candidates.

    Parameters
    ----------
    path : .csv, .txt, .tsv, .xlsx, .geojson or .gpkg
        Chinese or English headers (`data/headers.toml`); UTF-8 or GB18030 text. Needed: name, kind, and lon, lat or a
        point geometry.
    crs : 'wgs84', 'gcj02', 'bd09', 'epsg:...' or None
        What its coordinates are in. None: taken from a GeoPackage or a projected file; everything else is laid on the
        streets under each reading, the result told, and the table refused.
    kinds : {key: kind}
        Kinds by key; their Chinese and English labels are read as well.
    streets : Ways or lines in a metric CRS, optional
        What to lay undeclared coordinates on.

    Returns
    -------
    sites : GeoDataFrame in the area's CRS
        Index: the table's ids, or `s1`, `s2`, ...; `name, kind, status, unit`, and those of `address, seats, floor_m2,
        opened, hours, cost, settlement` that the table has. Status is `open` where nothing is said.

    Raises
    ------
    InputError
        With every fault, each with the row numbers a spreadsheet shows.
    """
    raw = read_raw(path)
    table = _Table.of(raw, path.name)
    faults = [*table.faults, *_text_faults(table, kinds)]
    lon, lat, number_faults = _coordinates(table)
    faults += number_faults
    stated, crs_faults = _stated_crs(raw, crs, (lon, lat), streets, path.name)
    faults += crs_faults
    swapped = np.abs(lat) > 90 if _degrees(stated) else np.zeros(len(lat), dtype=bool)  # noqa: PLR2004 - the pole
    xy = np.full((len(lon), 2), np.nan)
    if stated is not None:
        xy = _projected(lon, lat, stated, area)
        outside = np.isfinite(lon) & np.isfinite(lat) & ~_inside(xy, area, margin_m)
        swapped |= outside & _inside(_projected(lat, lon, stated, area), area, margin_m)
        faults += table.fault("outlets.outside", outside & ~swapped, _pairs(lon, lat))
        faults += table.fault("outlets.near_duplicate", _twins(table, xy, kinds), table.text("name"), distance_m=NEAR_M)
    faults += table.fault("outlets.swapped", swapped, _pairs(lon, lat))
    refuse(faults)
    return _sites(table, xy, kinds, area, path.name)


@dataclass(frozen=True)
class _Table:
    """Columns by our names, and what is wrong with the header."""

    raw: RawTable
    columns: dict[str, int]
    where: str
    faults: list[Fault]

    @classmethod
    def of(cls, raw: RawTable, where: str) -> "_Table":
        """Name the columns; tell those that are missing or there twice."""
        headers = [str(header) for header in raw.cells.columns]
        found: dict[str, list[int]] = {}
        for place, header in enumerate(headers):
            if (field := field_of(header)) is not None:
                found.setdefault(field, []).append(place)
        faults = [
            Fault("outlets.column_twice", where, {"column": field, "found": ", ".join(headers[p] for p in places)})
            for field, places in found.items()
            if len(places) > 1
        ]
        placed = raw.points is not None or "lonlat" in found
        for field in ("name", "kind", *(() if placed else ("lon", "lat"))):
            if field not in found:
                told = {"column": field, "names": ", ".join(names_of(field)), "found": ", ".join(headers)}
                faults.append(Fault("outlets.missing_column", where, told))
        return cls(raw, {field: places[0] for field, places in found.items()}, where, faults)

    def text(self, field: str) -> pd.Series:
        """A column of ours as text, '' where there is none."""
        if field not in self.columns:
            return pd.Series([""] * len(self.raw.cells), dtype=object)
        return self.raw.cells.iloc[:, self.columns[field]]

    def fault(self, key: str, bad: BoolArray, examples: pd.Series, **values: object) -> list[Fault]:
        """At most one fault for all bad rows, with their numbers."""
        if not bad.any():
            return []
        rows = self.raw.rows[bad].tolist()
        shown = ", ".join(map(str, rows[:SHOWN])) + (f" … ({len(rows)})" if len(rows) > SHOWN else "")
        example = str(examples.iloc[int(np.argmax(bad))])[:60]
        return [Fault(key, self.where, {"rows": shown, "every_row": tuple(rows), "example": example, **values})]


def _text_faults(table: _Table, kinds: Mapping[str, Labelled]) -> Iterator[Fault]:
    for field in ("name", "kind"):
        if field in table.columns:
            text = table.text(field)
            yield from table.fault("outlets.missing_value", (text == "").to_numpy(), text, column=field)
    kind, status, ids = table.text("kind"), table.text("status"), table.text("id")
    unknown = (kind != "") & kind.map(_kind_finder(kinds)).isna()
    allowed = ", ".join(f"{key} {k.zh}" for key, k in kinds.items())
    yield from table.fault("outlets.unknown_kind", unknown.to_numpy(), kind, allowed=allowed)
    odd = (status != "") & status.map(status_of).isna()
    yield from table.fault("outlets.unknown_status", odd.to_numpy(), status)
    if "id" in table.columns:
        yield from table.fault("outlets.missing_value", (ids == "").to_numpy(), ids, column="id")
        yield from table.fault("outlets.duplicate_id", (ids.duplicated(keep=False) & (ids != "")).to_numpy(), ids)
    for field in NUMBERS:
        text = table.text(field)
        value = _numbers(text)
        yield from table.fault("outlets.not_number", ((text != "") & value.isna()).to_numpy(), text, column=field)
        yield from table.fault("outlets.negative", (value < 0).to_numpy(), text, column=field)


def _kind_finder(kinds: Mapping[str, Labelled]) -> Callable[[str], str | None]:
    names = {plain(name): key for key, kind in reversed(list(kinds.items())) for name in (kind.en, kind.zh, key)}
    return lambda text: names.get(plain(text))


def _numbers(text: pd.Series) -> pd.Series:
    """Finite numbers, NaN for anything else; full-width digits are digits."""
    value = pd.to_numeric(text.str.normalize("NFKC").replace("", None), errors="coerce").astype(float)
    return value.where(np.isfinite(value))


def _coordinates(table: _Table) -> tuple[FloatArray, FloatArray, list[Fault]]:
    """Longitude and latitude (or x and y) as written, NaN where they are not numbers."""
    if table.raw.points is not None and not {"lon", "lat"} <= set(table.columns):
        points = table.raw.points
        empty = (points.isna() | points.is_empty).to_numpy()
        x, y = (np.where(empty, np.nan, values.to_numpy(dtype=float)) for values in (points.x, points.y))
        return x, y, table.fault("outlets.no_point", empty, table.text("name"))
    texts = {"lon": table.text("lon"), "lat": table.text("lat")}
    if not {"lon", "lat"} <= set(table.columns) and "lonlat" in table.columns:
        pair = table.text("lonlat").str.normalize("NFKC").str.split(r"[,\s、;]+", n=1, regex=True)
        texts = {"lon": pair.str[0].fillna(""), "lat": pair.str[1].fillna("")}
    values, faults = {}, []
    for field, text in texts.items():
        values[field] = _numbers(text)
        if field in table.columns or "lonlat" in table.columns:
            faults += table.fault("outlets.not_number", values[field].isna().to_numpy(), text, column=field)
    return values["lon"].to_numpy(), values["lat"].to_numpy(), faults


def _degrees(crs: str | None) -> bool:
    return crs is None or plain(crs) in SYSTEMS or CRS.from_user_input(crs).is_geographic


def _stated_crs(
    raw: RawTable, crs: str | None, lonlat: tuple[FloatArray, FloatArray], streets: Streets | None, where: str
) -> tuple[str | None, list[Fault]]:
    """The system to read the coordinates in; or, where nobody says, what the streets say."""
    if crs is not None:
        return (crs, []) if is_known(crs) else (None, [Fault("coordinates.unknown_crs", where, {"crs": crs[:60]})])
    claimed = None if raw.crs is None else raw.crs.to_epsg() or 4326
    if raw.crs is not None and (raw.form == "gpkg" or not raw.crs.is_geographic):
        return f"epsg:{claimed}" if raw.crs.to_epsg() else raw.crs.to_wkt(), []
    if streets is None:
        return ("wgs84", []) if claimed else (None, [Fault("outlets.crs_unknown_streets", where)])
    found = diagnose(*lonlat, streets)
    if claimed and found.best in ("wgs84", None):  # GeoJSON is WGS-84 by RFC 7946, until the streets say otherwise
        return "wgs84", []
    key = "outlets.crs_contradicted" if claimed else "outlets.crs_missing"
    return None, [Fault(key, where), *found.told(where)]


def _projected(lon: FloatArray, lat: FloatArray, crs: str, area: Area) -> FloatArray:
    """Places in the area's CRS, NaN where they are nowhere on earth."""
    if _degrees(crs):
        lat = np.where(np.abs(lat) <= 90, lat, np.nan)  # noqa: PLR2004 - the pole
    east, north = to_wgs84(lon, lat, crs)
    to_metres = Transformer.from_crs("EPSG:4326", area.crs, always_xy=True)
    xy = np.column_stack(to_metres.transform(east, north)).astype(float)
    return np.where(np.isfinite(xy).all(axis=1)[:, None], xy, np.nan)


def _inside(xy: FloatArray, area: Area, margin_m: float) -> BoolArray:
    inside = np.zeros(len(xy), dtype=bool)
    known = np.flatnonzero(np.isfinite(xy).all(axis=1))
    tree = shapely.STRtree(np.asarray(area.units.geometry.array, dtype=object))
    inside[known[tree.query(shapely.points(xy[known]), predicate="dwithin", distance=margin_m)[0]]] = True
    return inside


def _twins(table: _Table, xy: FloatArray, kinds: Mapping[str, Labelled]) -> BoolArray:
    """Rows with another of the same kind or name within `NEAR_M`."""
    known = np.flatnonzero(np.isfinite(xy).all(axis=1))
    points = np.asarray(shapely.points(xy[known]), dtype=object)
    first, second = known[shapely.STRtree(points).query(points, predicate="dwithin", distance=NEAR_M)]
    kind, name = (
        column.to_numpy(dtype=object) for column in (table.text("kind").map(_kind_finder(kinds)), table.text("name"))
    )
    alike = (first != second) & ((kind[first] == kind[second]) | ((name[first] == name[second]) & (name[first] != "")))
    twins = np.zeros(len(xy), dtype=bool)
    twins[first[alike]] = True
    return twins


def _pairs(lon: FloatArray, lat: FloatArray) -> pd.Series:
    return pd.Series([f"{x:.10g}, {y:.10g}" for x, y in zip(lon, lat, strict=True)], dtype=object)


def _sites(table: _Table, xy: FloatArray, kinds: Mapping[str, Labelled], area: Area, where: str) -> gpd.GeoDataFrame:
    ids = (
        table.text("id") if "id" in table.columns else pd.Series([f"s{i}" for i in range(1, len(xy) + 1)], dtype=object)
    )
    columns = {
        "name": table.text("name"),
        "kind": table.text("kind").map(_kind_finder(kinds)),
        "status": table.text("status").map(lambda text: status_of(text) or "open"),
    }
    columns |= {field: table.text(field) for field in TEXTS if field in table.columns}
    columns |= {field: _numbers(table.text(field)) for field in NUMBERS if field in table.columns}
    frame = pd.DataFrame({field: column.to_numpy() for field, column in columns.items()})
    points = gpd.GeoSeries(shapely.points(xy), index=pd.Index(ids, name="site_id", dtype=object), crs=area.crs)
    sites = gpd.GeoDataFrame(frame.set_axis(points.index), geometry=points)
    return check_sites(sites.assign(unit=area.unit_of(points)), kinds, where)
