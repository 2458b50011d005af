"""A city of OpenStreetMap as a folder that a plan runs on: fetched from its services or taken from an extract."""

import hashlib
import json
import re
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from walkshed.area import metric_crs
from walkshed.contracts import FloatArray, Progress
from walkshed.errors import Fault, InputError, MissingInputError, OutputError
from walkshed.scenario import Scenario
from walkshed.sources import osm
from walkshed.sources.fetch_http import Client
from walkshed.sources.fetch_osm import NOMINATIM, OVERPASS, answers, boundary_of, tiles, told_people, write_extract
from walkshed.sources.osm_raw import scan
from walkshed.sources.vector import read_vector
from walkshed.words import say

__all__ = ["NOMINATIM", "OVERPASS", "Fetched", "fetch"]

EXTRACT, SCENARIO, MANIFEST = "city.osm.pbf", "scenario.toml", "manifest.json"

PEOPLE_PER_KM2 = 10_000.0
"""Placeholder where nobody says how many live there: 100 m2 of built land each (GB 50137-2011, 65-115 m2)."""

UNIT_LEVEL = 6  # admin_level of counties and districts in China
MOSTLY = 0.5  # share of a unit that must lie inside the boundary: neighbours only touch it

_IDS = ("id", "code", "adcode", "编号", "代码")
_LABELS = ("name", "label", "名称", "name_zh")
_PEOPLE = ("people", "population", "pop2020", "pop", "人口", "常住人口")


@dataclass(frozen=True)
class Fetched:
    """What was written. people : 'given', 'told' by OpenStreetMap, or a 'placeholder' that is to be replaced."""

    folder: Path
    files: tuple[str, ...]
    units: int
    outlets: int
    candidates: int
    people: str


def fetch(
    place: str,
    out: Path,
    *,
    pbf: Path | None = None,
    units: Path | None = None,
    overpass_url: str = OVERPASS,
    nominatim_url: str = NOMINATIM,
    progress: Progress | None = None,
    client: Callable[[Path], Client] = Client,
) -> Fetched:
    """Write a folder for a place; the folder appears whole or not at all.

    Answers of the services are kept beside it until then, so a run that was ended goes on where it stood.

    Parameters
    ----------
    place : as one would search for it; with `pbf`, the name of a boundary in the extract
    out : the folder; it may not exist yet, or must be empty
    pbf : an extract, in place of the services: nothing is asked of anybody then
    units : file of polygons of the units, in place of OpenStreetMap's counties and districts

    Raises
    ------
    UnavailableError
        If a service does not answer, or not whole.
    InputError
        If the place is unknown, or a file is not as it must be.
    OutputError
        If something stands in the folder's place.
    """
    if out.exists() and (not out.is_dir() or any(out.iterdir())):
        raise OutputError(Fault("fetch.exists", str(out)))
    tell = progress or (lambda _step, _share: None)
    work = out.with_name(f".{out.name}.fetching")
    made = work / "made"
    shutil.rmtree(made, ignore_errors=True)
    made.mkdir(parents=True)
    if pbf is None:
        source = _from_services(place, made, client(work / "answers"), (nominatim_url, overpass_url), tell)
    else:
        source = _from_extract(pbf, made)
    fetched = _Folder(place, made, source, units).write(out)
    if out.exists():
        out.rmdir()
    made.replace(out)
    shutil.rmtree(work, ignore_errors=True)
    return fetched


@dataclass(frozen=True)
class _Source:
    """Where an extract comes from. outline : of the place, in degrees; None: to be found in the extract."""

    outline: shapely.Geometry | None
    origin: tuple[str, ...]
    date: str


def _from_services(place: str, made: Path, client: Client, urls: tuple[str, str], tell: Progress) -> _Source:
    nominatim, overpass = urls
    tell("boundary", 0.0)
    outline, called, _ = boundary_of(client, place, url=nominatim)
    boxes = tiles(outline)
    found = []
    for done, answer in enumerate(answers(client, boxes, url=overpass), start=1):
        found.append(answer)
        tell("download", done / len(boxes))
    date = write_extract(made / EXTRACT, found, overpass)
    return _Source(outline, (f"{called}: {nominatim}", overpass), date)


def _from_extract(pbf: Path, made: Path) -> _Source:
    if not pbf.is_file():
        raise MissingInputError(Fault("osm.missing", pbf.name))
    shutil.copyfile(pbf, made / EXTRACT)
    return _Source(None, (pbf.name,), "")


@dataclass(frozen=True)
class _Folder:
    """The folder while it is made."""

    place: str
    made: Path
    source: _Source
    units_file: Path | None

    def write(self, out: Path) -> Fetched:
        """Write every file, and the manifest last."""
        raw = scan(self.made / EXTRACT).streets.extent
        if raw is None:
            raise InputError(Fault("osm.no_streets", EXTRACT))
        box = gpd.GeoSeries([shapely.box(*raw)], crs="EPSG:4326")
        shape = box if self.source.outline is None else gpd.GeoSeries([self.source.outline], crs="EPSG:4326")
        crs = metric_crs(shape)
        extract = osm.read(self.made / EXTRACT, crs)
        outline = self._outline(extract, shape.to_crs(crs).iloc[0])
        units, how = self._people(self._units(extract, outline), extract)
        boundary = gpd.GeoDataFrame({"name": [self.place]}, geometry=[outline], crs=crs)
        inside = shapely.box(*shapely.bounds(shapely.union_all(units.geometry.array)))
        sites = extract.sites[extract.sites.intersects(inside)]
        outlets, candidates = (sites[sites["status"].isin(s)] for s in (["open", "planned"], ["candidate"]))
        self._vector("boundary.geojson", boundary)
        self._vector("units.geojson", units)
        self._vector("places.geojson", extract.places[extract.places.intersects(inside)])
        self._vector("barriers.geojson", extract.barriers[extract.barriers.intersects(inside)])
        self._table("outlets.csv", outlets)
        self._table("candidates.csv", candidates)
        self._scenario(units, how, out)
        names = self._manifest()
        Scenario.read(self.made)
        return Fetched(out, names, len(units), len(outlets), len(candidates), how)

    def _outline(self, extract: osm.OsmExtract, otherwise: shapely.Geometry) -> shapely.Geometry:
        """The place's own boundary, where the extract has it and nobody else said."""
        if self.source.outline is not None:
            return otherwise
        found = extract.boundaries[extract.boundaries["name"] == self.place].sort_values("admin_level")
        return otherwise if found.empty else found.geometry.iloc[0]

    def _units(self, extract: osm.OsmExtract, outline: shapely.Geometry) -> gpd.GeoDataFrame:
        """Polygons with `id` and `name`: the file's, else OpenStreetMap's counties, else the place as one."""
        if self.units_file is not None:
            return _named(read_vector(self.units_file).to_crs(extract.sites.crs))
        level = extract.boundaries[extract.boundaries["admin_level"] == UNIT_LEVEL]
        mostly = shapely.area(shapely.intersection(level.geometry.array, outline)) > MOSTLY * level.area.to_numpy()
        units = level[mostly]
        if units.empty:
            return gpd.GeoDataFrame({"id": ["all"], "name": [self.place]}, geometry=[outline], crs=extract.sites.crs)
        ids = units["code"].where((units["code"] != "") & ~units["code"].duplicated(keep=False), units.index)
        return units.assign(id=ids, osm=units.index).reset_index(drop=True)[["id", "name", "osm", "geometry"]]

    def _people(self, units: gpd.GeoDataFrame, extract: osm.OsmExtract) -> tuple[gpd.GeoDataFrame, str]:
        """Units with `people`, and how they are known."""
        numbers = {c: pd.to_numeric(units[c], errors="coerce") for c in _PEOPLE if c in units}
        given = next((c for c, column in numbers.items() if column.notna().all()), None)
        if given is not None:
            return _slim(units, numbers[given].to_numpy(dtype=float)), "given"
        if "osm" in units:
            told = units["osm"].map(told_people(self.made / EXTRACT))
            if told.notna().all():
                return _slim(units, told.to_numpy(dtype=float)), "told"
        homes = shapely.union_all(extract.residential.geometry.array)
        km2 = shapely.area(shapely.intersection(units.geometry.array, homes)) / 1e6
        return _slim(units, np.maximum(np.round(km2 * PEOPLE_PER_KM2), 1.0)), "placeholder"

    def _vector(self, name: str, table: gpd.GeoDataFrame) -> None:
        text = table.to_crs("EPSG:4326").to_json(drop_id=True, ensure_ascii=False, to_wgs84=False)
        (self.made / name).write_text(text, encoding="utf-8")

    def _table(self, name: str, sites: gpd.GeoDataFrame) -> None:
        """Sites as people edit them: UTF-8 with a mark, for Excel."""
        at = sites.to_crs("EPSG:4326").geometry
        columns = [c for c in ("name", "kind", "status", "address") if c in sites]
        table = pd.DataFrame(sites[columns]).assign(lon=at.x.round(7), lat=at.y.round(7)).rename_axis("id")
        table.to_csv(self.made / name, encoding="utf-8-sig")

    def _scenario(self, units: gpd.GeoDataFrame, how: str, out: Path) -> None:
        name = re.sub(r'[<>:"/\\|?*\x00-\x1f.]+', "-", self.place).strip(" -")[:60] or out.name
        title = self.place + (f"（{say('fetch.placeholder', 'zh')}）" if how == "placeholder" else "")
        west, south, east, north = (round(float(edge), 6) for edge in units.to_crs("EPSG:4326").total_bounds)
        lines = [
            f"# {say(f'fetch.people_{how}', 'zh')}", f"# {say(f'fetch.people_{how}', 'en')}",
            f"name = {_quoted(name)}", f"title = {_quoted(title)}", "",
            "[area]", 'units = "units.geojson"', 'id = "id"', 'label = "name"',
            f"clip = [{west}, {south}, {east}, {north}]", "",
            "[streets]", f"source = {_quoted(EXTRACT)}", "",
            "[demand]", 'people = "people"', "",
            "[supply]", f"# {say('fetch.outlets', 'zh')}", f"# {say('fetch.outlets', 'en')}",
            '# outlets = "outlets.csv"', '# outlets_crs = "wgs84"', 'outlets = "osm"', "",
            "[siting]", 'model = "max_cover"', "build = 5", "",
        ]  # fmt: skip
        (self.made / SCENARIO).write_text("\n".join(lines), encoding="utf-8")

    def _manifest(self) -> tuple[str, ...]:
        """Say of every file what it is from, under which licence, and its SHA-256."""
        files = sorted(path for path in self.made.iterdir() if path.name != MANIFEST)
        own = str(self.units_file.name) if self.units_file is not None else ""
        told = [
            {"name": path.name, "sha256": hashlib.sha256(path.read_bytes()).hexdigest(),
             "source": own if own and path.name == "units.geojson" else "; ".join(self.source.origin),
             "licence": "not stated" if own and path.name == "units.geojson" else osm.LICENCE}
            for path in files
        ]  # fmt: skip
        text: dict[str, Any] = {"place": self.place, "date_of_data": self.source.date, "files": told}
        (self.made / MANIFEST).write_text(json.dumps(text, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")
        return (*(path.name for path in files), MANIFEST)


def _quoted(text: str) -> str:
    """A text as TOML has it: its strings are JSON's."""
    return json.dumps(text, ensure_ascii=False)


def _named(units: gpd.GeoDataFrame) -> gpd.GeoDataFrame:
    """Units of a file with `id` and `name`, under whatever header it has them."""
    ids = next((c for c in _IDS if c in units and not units[c].duplicated().any()), None)
    label = next((c for c in _LABELS if c in units), ids)
    numbers = [str(i) for i in range(1, len(units) + 1)]
    named = units.assign(id=numbers if ids is None else units[ids].astype(str))
    return named.assign(name=named["id"] if label is None else units[label].astype(str)).reset_index(drop=True)


def _slim(units: gpd.GeoDataFrame, people: FloatArray) -> gpd.GeoDataFrame:
    return units[["id", "name", "geometry"]].assign(people=people)
