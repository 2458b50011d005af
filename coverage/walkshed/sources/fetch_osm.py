"""What to ask OpenStreetMap's services for, and their answers as an extract that everything else can read."""

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import osmium
import shapely
from osmium.osm import mutable

from walkshed.errors import Fault, InputError, UnavailableError
from walkshed.sources.fetch_http import Client
from walkshed.sources.osm_raw import Bbox
from walkshed.sources.osm_tables import wanted
from walkshed.supply import kinds
from walkshed.walkable import walk_filter

NOMINATIM = "https://nominatim.openstreetmap.org/search"
OVERPASS = "https://overpass-api.de/api/interpreter"

TILE_DEG = 0.2  # about 16 x 22 km at Changchun: an answer of some tens of megabytes in a dense city
TIMEOUT_S = 180  # what we let Overpass work on one tile

_NARROW = {  # keys of which only some values are read
    "landuse": '["landuse"="residential"]', "natural": '["natural"="water"]',
    "boundary": '["boundary"="administrative"]["admin_level"~"^[5-8]$"]',
}  # fmt: skip


def boundary_of(client: Client, place: str, *, url: str = NOMINATIM) -> tuple[shapely.Geometry, str, str]:
    """Outline of a place in degrees, what the service calls it, and its licence.

    Raises
    ------
    UnavailableError
        If the service does not answer.
    InputError
        If it knows no such place, or only as a point.
    """
    query = {"q": place, "format": "jsonv2", "polygon_geojson": "1", "limit": "10", "accept-language": "zh,en"}
    found = client.json(url, query, fault_of=lambda answer: "" if isinstance(answer, list) else str(answer))
    for one in found:
        shape = _outline(one)
        if shape is not None:
            return shape, str(one.get("display_name", place)), str(one.get("licence", ""))
    raise InputError(Fault("fetch.no_outline" if found else "fetch.unknown_place", place))


def _outline(found: Any) -> shapely.Geometry | None:  # noqa: ANN401  JSON is of any kind
    told = found.get("geojson") if isinstance(found, dict) else None
    if not isinstance(told, dict) or told.get("type") not in ("Polygon", "MultiPolygon"):
        return None
    try:
        shape = shapely.geometry.shape(told)
    except (ValueError, TypeError, KeyError, IndexError, shapely.errors.ShapelyError):
        return None
    shape = shapely.make_valid(shape)
    return shape if shape.area > 0 else None


def tiles(outline: shapely.Geometry, side: float = TILE_DEG) -> list[Bbox]:
    """Squares of `side` degrees, on a grid of their own so that a second run asks the same, that touch an outline.

    >>> tiles(shapely.box(125.3, 43.8, 125.5, 43.9))
    [(125.2, 43.8, 125.4, 44.0), (125.4, 43.8, 125.6, 44.0)]
    """
    west, south, east, north = (round(float(edge) / side, 9) for edge in shapely.bounds(outline))
    columns, rows = range(int(np.floor(west)), int(np.ceil(east))), range(int(np.floor(south)), int(np.ceil(north)))
    every = [tuple(round(edge * side, 6) for edge in (c, r, c + 1, r + 1)) for c in columns for r in rows]
    shapely.prepare(outline)
    return [(w, s, e, n) for w, s, e, n in every if shapely.intersects(outline, shapely.box(w, s, e, n))]


def query(bbox: Bbox) -> str:
    """Everything the planner reads from an extract, inside a box, in Overpass QL."""
    west, south, east, north = bbox
    keys = sorted((wanted(kinds()).keys | walk_filter().keys) - {"name"})  # a name alone would bring everything
    asked = "".join("nwr" + _NARROW.get(key, f'["{key}"]') + ";" for key in keys)
    return f"[out:json][timeout:{TIMEOUT_S}][bbox:{south},{west},{north},{east}];({asked});(._;>;);out body qt;"


def answers(client: Client, boxes: Iterable[Bbox], *, url: str = OVERPASS) -> Iterator[Any]:
    """Overpass's answers, one box after the other.

    Raises
    ------
    UnavailableError
        If one does not come whole; those before it are kept for the next run.
    """
    for box in boxes:
        yield client.json(url, {"data": query(box)}, fault_of=_remark)


def _remark(answer: Any) -> str:  # noqa: ANN401  JSON is of any kind
    """What Overpass says went wrong: an answer that was cut short looks like any other but for this."""
    if not isinstance(answer, dict) or not isinstance(answer.get("elements"), list):
        return "no elements"
    return str(answer.get("remark", ""))


def write_extract(path: Path, found: Iterable[Any], where: str) -> str:
    """Write answers as one .osm.pbf, each object once, nodes first; returns the date of the data, '' if not told.

    Raises
    ------
    UnavailableError
        If an object has not the form of one.
    """
    kept: dict[str, dict[int, Any]] = {"node": {}, "way": {}, "relation": {}}
    dates = set()
    for answer in found:
        dates.add(str(answer.get("osm3s", {}).get("timestamp_osm_base", "")))
        for one in answer["elements"]:
            if one.get("type") in kept:
                kept[one["type"]].setdefault(int(one["id"]), one)
    make = {"node": _node, "way": _way, "relation": _relation}
    add = {"node": "add_node", "way": "add_way", "relation": "add_relation"}
    try:
        with osmium.SimpleWriter(str(path), overwrite=True) as writer:
            for kind, objects in kept.items():
                for _, one in sorted(objects.items()):
                    getattr(writer, add[kind])(make[kind](one))
    except (KeyError, TypeError, ValueError) as error:
        raise UnavailableError(Fault("fetch.broken", where, {"reason": f"{type(error).__name__}: {error}"})) from None
    return min(dates - {""}, default="")


def _node(one: Any) -> mutable.Node:  # noqa: ANN401  JSON is of any kind
    at = (float(one["lon"]), float(one["lat"]))
    return mutable.Node(id=int(one["id"]), version=1, location=at, tags=_tags(one))


def _way(one: Any) -> mutable.Way:  # noqa: ANN401
    return mutable.Way(id=int(one["id"]), version=1, nodes=[int(n) for n in one.get("nodes", ())], tags=_tags(one))


def _relation(one: Any) -> mutable.Relation:  # noqa: ANN401
    letter = {"node": "n", "way": "w", "relation": "r"}
    members = [(letter[m["type"]], int(m["ref"]), str(m.get("role", ""))) for m in one.get("members", ())]
    return mutable.Relation(id=int(one["id"]), version=1, members=members, tags=_tags(one))


def _tags(one: Any) -> dict[str, str]:  # noqa: ANN401
    return {str(key): str(value) for key, value in one.get("tags", {}).items()}


def told_people(path: Path) -> dict[str, float]:
    """People that boundaries say live in them (tag `population`), by key `r<id>`."""
    told = {}
    for relation in osmium.FileProcessor(path, osmium.osm.RELATION):
        people = (relation.tags.get("population") or "").replace(",", "").replace(" ", "")
        if relation.tags.get("boundary") == "administrative" and people.isdecimal():
            told[f"r{relation.id}"] = float(people)
    return told
