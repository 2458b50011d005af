"""One streaming pass over an OpenStreetMap file: what the planner needs of it, as it stands there, in WGS-84."""

from array import array
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import osmium
from numpy.typing import NDArray
from osmium.osm import Area, Location, Node, NodeRefList, Way
from osmium.osm.types import OSMEntity

from walkshed.contracts import BoolArray, FloatArray, IntArray
from walkshed.errors import Fault, InputError, MissingInputError
from walkshed.tags import Tags
from walkshed.walkable import walk_filter

Bbox = tuple[float, float, float, float]
"""West, south, east, north in degrees of WGS-84."""

Kept = Mapping[str, str]
"""Tags of an object that were kept."""

_NOWHERE = 2**31 - 1  # what osmium gives for the coordinates of a node the file does not hold
_DEGREE = 1e7  # OpenStreetMap stores coordinates as whole 1e-7 degrees
_FEW = 3


@dataclass(frozen=True)
class Wanted:
    """What to read besides streets.

    Attributes
    ----------
    keys : points and areas with any of these tags
    keep : the tags to keep of them
    line : tells of a way whether it is wanted as a line; '' if not
    """

    keys: frozenset[str]
    keep: tuple[str, ...]
    line: Callable[[Tags], str]


@dataclass(frozen=True)
class Lines:
    """Polylines: line `i` has the vertices `ptr[i]:ptr[i + 1]`.

    Attributes
    ----------
    ptr : int64 (lines + 1,)
    node : int64 (vertices,), OpenStreetMap node ids
    lonlat : float64 (vertices, 2), degrees
    tags : what was kept of the object that each line is part of
    found : how many objects there were, in the bounding box or not
    extent : bounding box of all of them; None if none has coordinates
    """

    ptr: IntArray
    node: IntArray
    lonlat: FloatArray
    tags: tuple[Kept, ...]
    found: int
    extent: Bbox | None


@dataclass(frozen=True)
class Point:
    """A tagged node; `key` is `n` and its id."""

    key: str
    tags: Kept
    lon: float
    lat: float


@dataclass(frozen=True)
class Shape:
    """An area; `key` is `w` or `r` and the id of the way or relation, `wkb` its MultiPolygon in hexadecimal WKB."""

    key: str
    tags: Kept
    wkb: str


@dataclass(frozen=True)
class Raw:
    """What one pass found."""

    streets: Lines
    lines: Lines
    points: tuple[Point, ...]
    shapes: tuple[Shape, ...]


def scan(path: Path, *, bbox: Bbox | None = None, wanted: Wanted | None = None) -> Raw:
    """Read the streets that can be walked, and what else is `wanted`.

    Lines that an extract cuts are split where nodes are missing. With `bbox`, what does not touch it is left out;
    lines that do are kept whole. Areas are closed ways and multipolygon relations; those that an extract cuts cannot
    be closed and are missing.

    Raises
    ------
    InputError
        If the file cannot be read through to its end as OpenStreetMap data.
    MissingInputError
        If there is no such file.
    """
    if not path.is_file():
        raise MissingInputError(Fault("osm.missing", path.name))
    sieve = _Sieve(bbox, wanted)
    keys = osmium.filter.KeyFilter(*sorted(walk_filter().keys | (wanted.keys if wanted else frozenset())))
    try:
        for thing in osmium.FileProcessor(path).with_areas(keys).with_filter(keys):
            sieve.take(thing)
    except RuntimeError as error:  # osmium's word for everything that is wrong with a file
        raise InputError(Fault("osm.unreadable", path.name, {"problem": str(error)})) from None
    sieve.streets.extend(sieve.plazas)  # last, so that the order does not depend on what else was wanted
    return Raw(sieve.streets.lines(bbox), sieve.lines.lines(bbox), tuple(sieve.points), tuple(sieve.shapes))


class _Gathered:
    """Lines while they are being gathered."""

    def __init__(self) -> None:
        self.node, self.x, self.y = array("q"), array("i"), array("i")
        self.size = array("q")
        self.tags: list[Kept] = []

    def add(self, nodes: NodeRefList, tags: Kept) -> None:
        node, x, y = self.node.append, self.x.append, self.y.append
        for ref in nodes:
            location = ref.location
            node(ref.ref)
            x(location.x)  # not .lon, which refuses nodes that an extract left out
            y(location.y)
        self.size.append(len(nodes))
        self.tags.append(tags)

    def extend(self, other: "_Gathered") -> None:
        for mine, more in ((self.node, other.node), (self.x, other.x), (self.y, other.y), (self.size, other.size)):
            mine.extend(more)
        self.tags.extend(other.tags)

    def lines(self, bbox: Bbox | None) -> Lines:
        node = np.frombuffer(self.node, np.int64)
        xy = np.column_stack([np.frombuffer(self.x, np.int32), np.frombuffer(self.y, np.int32)])
        there = xy[:, 0] != _NOWHERE
        extent = (*xy[there].min(0) / _DEGREE, *xy[there].max(0) / _DEGREE) if there.any() else None
        start, end, row = _runs(np.frombuffer(self.size, np.int64), there)
        if bbox is not None and len(start):
            inside = _touches(xy, start, end, bbox)
            start, end, row = start[inside], end[inside], row[inside]
        ptr = np.concatenate([[0], np.cumsum(end - start)]).astype(np.int64)
        vertex = np.arange(ptr[-1]) + np.repeat(start - ptr[:-1], end - start)
        tags = tuple(self.tags[i] for i in row.tolist())
        return Lines(ptr, node[vertex], xy[vertex] / _DEGREE, tags, len(self.tags), extent)


@dataclass(frozen=True)
class _Sieve:
    """Sorts what streams by into streets, other lines, points and shapes."""

    bbox: Bbox | None
    wanted: Wanted | None
    streets: _Gathered = field(default_factory=_Gathered)
    plazas: _Gathered = field(default_factory=_Gathered)
    lines: _Gathered = field(default_factory=_Gathered)
    points: list[Point] = field(default_factory=list)
    shapes: list[Shape] = field(default_factory=list)
    level: Callable[[Tags], str] = field(default_factory=lambda: walk_filter().leveller())
    factory: Any = field(default_factory=osmium.geom.WKBFactory)

    def take(self, thing: OSMEntity) -> None:
        if isinstance(thing, Area):
            self._area(thing)
        elif isinstance(thing, Way):
            self._way(thing)
        elif isinstance(thing, Node) and self.wanted is not None and self._near(thing.location):
            self.points.append(Point(f"n{thing.id}", self._kept(thing), thing.location.lon, thing.location.lat))

    def _way(self, way: Way) -> None:
        if "building" in way.tags and "highway" not in way.tags:
            return  # most ways of a city are buildings: they come back as areas
        if level := self.level(way.tags):
            self.streets.add(way.nodes, _street(way.tags, level))
        if self.wanted is not None and self.wanted.line(way.tags):
            self.lines.add(way.nodes, self._kept(way))

    def _area(self, area: Area) -> None:
        if not area.from_way() and (level := self.level(area.tags)):  # a plaza with holes: walk all its outlines
            for ring in _rings(area):
                self.plazas.add(ring, _street(area.tags, level))
        if self.wanted is None:
            return
        if self.bbox and "building" in area.tags and not self._near(_corner(area)):  # so small that one corner tells
            return
        key = f"{'w' if area.from_way() else 'r'}{area.orig_id()}"
        self.shapes.append(Shape(key, self._kept(area), self.factory.create_multipolygon(area)))

    def _kept(self, thing: Node | Way | Area) -> Kept:
        """The tags to keep. Listing tags costs more each than looking one up: list where there are few."""
        tags, keep = thing.tags, self.wanted.keep if self.wanted is not None else ()
        if len(tags) <= _FEW:
            return dict(tags)
        return {key: value for key in keep if (value := tags.get(key)) is not None}

    def _near(self, location: Location) -> bool:
        if not location.valid():
            return False
        if self.bbox is None:
            return True
        west, south, east, north = self.bbox
        return bool(west <= location.lon <= east and south <= location.lat <= north)


def _street(tags: Tags, level: str) -> Kept:
    """The few tags of a street that are kept: there are many streets."""
    crossing = {key: "yes" for key in ("bridge", "tunnel") if (tags.get(key) or "no") != "no"}
    return {"name": name_of(tags), "level": level, **crossing}


def name_of(tags: Tags) -> str:
    """The name on the spot; '' if there is none.

    >>> name_of({"name:zh": "图书馆", "name:en": "Library"}), name_of({"amenity": "library"})
    ('图书馆', '')
    """
    return next((tags[key].strip() for key in ("name", "name:zh", "official_name", "name:en") if key in tags), "")


def _rings(area: Area) -> Iterator[NodeRefList]:
    for outer in area.outer_rings():
        yield outer
        yield from area.inner_rings(outer)


def _corner(area: Area) -> Location:
    return next(iter(area.outer_rings()))[0].location


def _runs(size: NDArray[np.int64], there: BoolArray) -> tuple[IntArray, IntArray, IntArray]:
    """Start, end (one past) and row of each unbroken run of at least two vertices that are there."""
    row = np.repeat(np.arange(len(size)), size)
    first = np.zeros(len(row), dtype=bool)
    first[(np.cumsum(size) - size)[size > 0]] = True
    before = np.concatenate([[False], there[:-1]])
    starts = np.flatnonzero(there & (first | ~before))
    after = np.concatenate([there[1:], [False]])
    last = np.concatenate([first[1:], [True]])
    ends = np.flatnonzero(there & (last | ~after)) + 1
    long = ends - starts > 1
    return starts[long], ends[long], row[starts[long]]


def _touches(xy: NDArray[np.int32], start: IntArray, end: IntArray, bbox: Bbox) -> BoolArray:
    """Whether the bounds of each run meet the box."""
    pairs = np.column_stack([start, end]).ravel()
    padded = np.concatenate([xy, xy[-1:]])  # reduceat needs every boundary to be a position
    low, high = np.minimum.reduceat(padded, pairs)[::2], np.maximum.reduceat(padded, pairs)[::2]
    west, south, east, north = (side * _DEGREE for side in bbox)
    return (high[:, 0] >= west) & (low[:, 0] <= east) & (high[:, 1] >= south) & (low[:, 1] <= north)
