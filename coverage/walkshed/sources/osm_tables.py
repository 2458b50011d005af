"""What a pass over an OpenStreetMap file found, sorted into the planner's tables."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
from numpy.typing import NDArray
from pyproj import CRS

from walkshed.contracts import BoolArray
from walkshed.sources.osm_raw import Bbox, Kept, Raw, Wanted, name_of
from walkshed.supply import Kind
from walkshed.tags import Condition, Tags, any_met, chooser

ObjectArray = NDArray[np.object_]

PLACE_RANKS = {
    "city": 0, "municipality": 0, "district": 1, "borough": 1, "county": 1, "town": 2, "township": 2, "suburb": 3,
    "quarter": 4, "neighbourhood": 4, "village": 5, "hamlet": 5, "isolated_dwelling": 5,
}  # fmt: skip
"""Rank of a `place`: 0 a city, 5 a village or an estate."""

POND_M2 = 10_000.0  # smaller water is walked around without noticing

_BARRIERS = (
    ("river", Condition.parse({"waterway": ["river", "canal"]})),
    ("railway", Condition.parse({"railway": ["rail", "light_rail", "narrow_gauge", "preserved"]})),
    ("motorway", Condition.parse({"highway": ["motorway", "motorway_link"]})),
    ("motorway", Condition.parse({"motorroad": "yes", "highway": "*"})),
    ("wall", Condition.parse({"barrier": ["wall", "city_wall", "fence", "retaining_wall"]})),
)
_BARRIER_KEYS = ("waterway", "railway", "highway", "barrier", "motorroad", "tunnel", "bridge")
_WATER = (Condition.parse({"natural": "water"}), Condition.parse({"waterway": "riverbank"}))
_GATES = ("gate", "lift_gate", "swing_gate", "sliding_gate", "entrance", "sally_port", "kissing_gate")
_CODES = ("division_code", "ref:GB", "gb_code", "ref")
_KEEP = (
    "name", "name:zh", "official_name", "name:en", "landuse", "building", "building:levels", "place", "barrier",
    "entrance", "access", "boundary", "admin_level", "natural", "addr:street", "addr:housenumber", *_CODES,
    *_BARRIER_KEYS,
)  # fmt: skip


def wanted(among: Mapping[str, Kind]) -> Wanted:
    """What to look for in the file so that the tables here can be made."""
    conditions = [c for kind in among.values() for c in (*kind.osm, *kind.not_public_inside)]
    tellers = {condition.teller for condition in conditions}
    refusals = [c for kind in among.values() for c in kind.not_public]
    asked = {key for c in (*conditions, *refusals) for key in c.keys}
    keys = {"landuse", "building", "place", "barrier", "entrance", "boundary", "natural", "waterway", "railway"}
    return Wanted(frozenset(keys | tellers), tuple(sorted({*_KEEP, *asked})), chooser(_BARRIER_KEYS, barrier))


def barrier(tags: Tags) -> str:
    """What keeps walkers from crossing a way: river, railway, motorway or wall; '' if nothing, or one can pass it.

    One passes over what is in a tunnel and under what is on a bridge.

    >>> barrier({"railway": "rail"}), barrier({"railway": "rail", "tunnel": "yes"})
    ('railway', '')
    >>> barrier({"highway": "motorway", "bridge": "viaduct"})
    ''
    """
    if any((tags.get(key) or "no") != "no" for key in ("tunnel", "bridge")):
        return ""
    return next((kind for kind, condition in _BARRIERS if condition.met(tags)), "")


@dataclass(frozen=True)
class Found:
    """Points, areas and lines of a file in the metric CRS, each with its tags; indexed by key."""

    points: gpd.GeoDataFrame
    areas: gpd.GeoDataFrame
    lines: gpd.GeoDataFrame

    @classmethod
    def project(cls, raw: Raw, crs: CRS, bbox: Bbox | None) -> "Found":
        """Project what was found; areas outside `bbox` are left out."""
        at = gpd.points_from_xy([p.lon for p in raw.points], [p.lat for p in raw.points])
        shapes: ObjectArray = shapely.from_wkb(np.array([shape.wkb for shape in raw.shapes], dtype=object))
        inside = _meets(shapes, bbox)
        areas = [shape for shape, there in zip(raw.shapes, inside, strict=True) if there]
        row = np.repeat(np.arange(len(raw.lines.tags)), np.diff(raw.lines.ptr))
        lines = np.empty(len(raw.lines.tags), dtype=object)
        shapely.linestrings(raw.lines.lonlat, indices=row, out=lines)
        return cls(
            _table([p.key for p in raw.points], [p.tags for p in raw.points], at, crs),
            _table([a.key for a in areas], [a.tags for a in areas], shapes[inside], crs),
            _table([f"l{i}" for i in range(len(lines))], list(raw.lines.tags), lines, crs),
        )

    def areas_where(self, *conditions: Condition) -> gpd.GeoDataFrame:
        """Areas that meet any of the conditions."""
        return self.areas[_met(self.areas, *conditions)]


def _table(keys: list[str], tags: list[Kept], geometry: object, crs: CRS) -> gpd.GeoDataFrame:
    columns = {"tags": pd.Series(tags, index=keys, dtype=object)}
    frame = gpd.GeoDataFrame(columns, geometry=gpd.GeoSeries(geometry, index=keys, crs="EPSG:4326"))
    return frame.to_crs(crs)


def _meets(shapes: ObjectArray, bbox: Bbox | None) -> BoolArray:
    west, south, east, north = shapely.bounds(shapes).reshape(-1, 4).T
    if bbox is None:
        return np.ones(len(west), dtype=bool)
    return (east >= bbox[0]) & (west <= bbox[2]) & (north >= bbox[1]) & (south <= bbox[3])


def _met(frame: gpd.GeoDataFrame, *conditions: Condition) -> BoolArray:
    return np.array([any_met(conditions, tags) for tags in frame["tags"]], dtype=bool)


def _names(frame: gpd.GeoDataFrame) -> list[str]:
    return [name_of(tags) for tags in frame["tags"]]


def _tag(frame: gpd.GeoDataFrame, key: str) -> list[str]:
    return [tags.get(key, "") for tags in frame["tags"]]


def _tag_mask(frame: gpd.GeoDataFrame, key: str, wanted: Callable[[str], bool]) -> BoolArray:
    return np.array([wanted(value) for value in _tag(frame, key)], dtype=bool)


def _with(frame: gpd.GeoDataFrame, **columns: object) -> gpd.GeoDataFrame:
    """The geometries of a table under new columns."""
    return gpd.GeoDataFrame(columns, geometry=frame.geometry.array, index=frame.index, crs=frame.crs)


def residential(found: Found) -> gpd.GeoDataFrame:
    """Polygons of residential land; `name`."""
    land = found.areas_where(Condition.parse({"landuse": "residential"}))
    return _with(land, name=_names(land))


def buildings(found: Found) -> gpd.GeoDataFrame:
    """Polygons of buildings; `use` and `levels` (NaN where it is not tagged, or not as a number)."""
    built = found.areas[_tag_mask(found.areas, "building", lambda use: use not in ("", "no"))]
    levels = pd.to_numeric(pd.Series(_tag(built, "building:levels"), dtype=object), errors="coerce")
    return _with(built, use=_tag(built, "building"), levels=levels.to_numpy(dtype=float))


def places(found: Found) -> gpd.GeoDataFrame:
    """Named places and named residential land as Points; `name`, `rank`."""
    rows = pd.concat([found.points, found.areas]) if len(found.areas) else found.points
    estate = np.array(_tag(rows, "landuse"), dtype=object) == "residential"
    rank = np.array([PLACE_RANKS.get(place, -1) for place in _tag(rows, "place")], dtype=np.int64)
    rank[(rank < 0) & estate] = max(PLACE_RANKS.values())
    name = np.array(_names(rows), dtype=object)
    kept = (rank >= 0) & (name != "")
    inside = rows[kept].set_geometry(rows[kept].geometry.representative_point())
    return _with(inside, name=name[kept], rank=rank[kept])


def barriers(found: Found) -> gpd.GeoDataFrame:
    """Rivers, railways, motorways and walls as lines, wide water as polygons; `kind`, `name`."""
    water = found.areas_where(*_WATER)
    water = water[water.area >= POND_M2]
    both = pd.concat([found.lines, water]) if len(water) else found.lines
    kind = [barrier(tags) for tags in found.lines["tags"]] + ["river"] * len(water)
    return _with(both, kind=kind, name=_names(both))


def gates(found: Found) -> gpd.GeoDataFrame:
    """Gates of compounds and entrances of buildings as Points; `kind`, `name`, `access`."""
    gate = _tag_mask(found.points, "barrier", lambda value: value in _GATES)
    entrance = _tag_mask(found.points, "entrance", lambda value: value not in ("", "no"))
    through = found.points[gate | entrance]
    kind = np.where(gate[gate | entrance], "gate", "entrance")
    return _with(through, kind=kind, name=_names(through), access=_tag(through, "access"))


def boundaries(found: Found) -> gpd.GeoDataFrame:
    """Administrative polygons; `name`, `admin_level` (4 province, 5 city, 6 district or county, 8 street), `code`."""
    admin = found.areas_where(Condition.parse({"boundary": "administrative", "admin_level": "*"}))
    admin = admin[_tag_mask(admin, "admin_level", str.isdecimal)]
    code = [next((tags[key] for key in _CODES if key in tags), "") for tags in admin["tags"]]
    return _with(admin, name=_names(admin), admin_level=[int(x) for x in _tag(admin, "admin_level")], code=code)
