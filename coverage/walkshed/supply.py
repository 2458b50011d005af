"""What lends books today and where it could: kinds of sites, and tables of sites brought into order."""

import re
import tomllib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, Literal

import geopandas as gpd
import numpy as np
import shapely

from walkshed.contracts import BoolArray, IntArray, check_metric, refuse
from walkshed.errors import Fault, InputError, MissingInputError
from walkshed.tags import Condition, any_met
from walkshed.words import Lang, data_dir

Role = Literal["outlet", "candidate", "both"]


@dataclass(frozen=True)
class Kind:
    """A kind of site: how it is named, drawn, recognised in OpenStreetMap, and what it counts for.

    Attributes
    ----------
    key : how tables and scenarios name it
    zh, en : how people read it
    colour : `#rrggbb`
    role : `outlet` lends books, `candidate` is a place where an outlet could go, `both` may be either
    osm : any of these conditions makes an OpenStreetMap object one of this kind
    not_public : any of these makes it one that is closed to the public
    not_public_inside : so does lying inside an area that meets any of these
    share : part of a resident's need that one such outlet meets, 0 to 1
    limit_m : walking limit of this kind; None is the scenario's
    cost : of building one, in the user's unit; 1.0 is one ordinary reading room
    seats : of an ordinary one; None is unknown
    min_area_m2 : smaller areas in OpenStreetMap are passed over
    in_station : lies among the tracks of a railway, and is left over or under them
    """

    key: str
    zh: str
    en: str
    colour: str
    role: Role
    osm: tuple[Condition, ...] = ()
    not_public: tuple[Condition, ...] = ()
    not_public_inside: tuple[Condition, ...] = ()
    share: float = 1.0
    limit_m: float | None = None
    cost: float = 1.0
    seats: int | None = None
    min_area_m2: float = 0.0
    in_station: bool = False

    def status(self, tags: Mapping[str, str]) -> str:
        """Status of an OpenStreetMap object of this kind: only an outlet's own kind makes it an outlet.

        >>> kinds()["library"].status({"amenity": "library", "access": "private"})
        'closed'
        >>> kinds()["library"].status({"amenity": "library"}), kinds()["bookshop"].status({"shop": "books"})
        ('open', 'candidate')
        """
        if any_met(self.not_public, tags):
            return "closed"
        return "open" if self.role == "outlet" else "candidate"


def kinds(path: Path | None = None) -> dict[str, Kind]:
    """All kinds by key, in the order of the file: `data/kinds.toml`, or a file of the same form.

    Raises
    ------
    InputError
        With every fault of the file.

    Examples
    --------
    >>> kinds()["reading_room"].zh, kinds()["park"].role
    ('城市阅书房', 'candidate')
    """
    return dict(_own_kinds()) if path is None else _read(path.name, _text(path))


def label(kind: str, lang: Lang = "zh") -> str:
    """How people read a kind.

    >>> label("park", "zh"), label("park", "en")
    ('公园', 'park')
    """
    found = _own_kinds()[kind]
    return found.zh if lang == "zh" else found.en


def kind_finder(among: Mapping[str, Kind]) -> Callable[[Mapping[str, str]], str]:
    """A function that gives the key of the first kind describing an OpenStreetMap object; '' if none does.

    >>> kind_of = kind_finder(kinds())
    >>> kind_of({"amenity": "library", "name": "玉鸟阅书房"}), kind_of({"amenity": "bench"})
    ('reading_room', '')
    """
    by_key: dict[str, list[tuple[int, str, Condition]]] = {}  # few objects have a key that any kind looks at
    for rank, kind in enumerate(among.values()):
        for condition in kind.osm:
            by_key.setdefault(condition.teller, []).append((rank, kind.key, condition))

    def kind_of(tags: Mapping[str, str]) -> str:
        asked = (row for key in tags if key in by_key for row in by_key[key])
        return min(((rank, key) for rank, key, condition in asked if condition.met(tags)), default=(0, ""))[1]

    return kind_of


def merge_near(sites: gpd.GeoDataFrame, distance_m: float, *, same_name: bool = True) -> gpd.GeoDataFrame:
    """Sites without those that repeat an earlier one: same kind (and name), at most `distance_m` away.

    The same library is often a point and a building, or comes from two lists. Rows are taken in order, so put the
    ones to keep first; a site that was dropped drops nothing itself, so a long row of sites is thinned, not swallowed.

    >>> xy = gpd.points_from_xy([0, 40, 80, 500], [0, 0, 0, 0])
    >>> sites = gpd.GeoDataFrame({"name": "书房", "kind": "branch"}, index=list("abcd"), geometry=xy, crs="EPSG:4551")
    >>> merge_near(sites, 50).index.tolist()
    ['a', 'c', 'd']
    """
    check_metric(sites.crs, "sites")
    first, second = shapely.STRtree(sites.geometry.array).query(
        sites.geometry.array, predicate="dwithin", distance=distance_m
    )
    alike = (first < second) & _equal(sites, "kind", first, second)
    if same_name:
        alike &= _equal(sites, "name", first, second)
    keep = np.ones(len(sites), dtype=bool)
    order = np.lexsort((second[alike], first[alike]))
    for earlier, later in zip(first[alike][order].tolist(), second[alike][order].tolist(), strict=True):
        keep[later] &= not keep[earlier]
    return sites[keep]


def _equal(sites: gpd.GeoDataFrame, column: str, first: IntArray, second: IntArray) -> BoolArray:
    values = sites[column].to_numpy(dtype=object)
    same: BoolArray = values[first] == values[second]
    return same


@cache
def _own_kinds() -> dict[str, Kind]:
    return _read("kinds.toml", (data_dir() / "kinds.toml").read_text(encoding="utf-8"))


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise MissingInputError(Fault("kinds.not_toml", path.name, {"problem": error})) from None


def _read(where: str, text: str) -> dict[str, Kind]:
    try:
        table = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise InputError(Fault("kinds.not_toml", where, {"problem": error})) from None
    refuse(fault for key, fields in table.items() for fault in _kind_faults(f"{where} [{key}]", fields))
    if not table:
        raise InputError(Fault("kinds.none", where))
    return {key: _kind(key, fields) for key, fields in table.items()}


def _kind(key: str, fields: dict[str, Any]) -> Kind:
    conditions = {name: tuple(map(Condition.parse, fields.get(name, ()))) for name in _CONDITIONS}
    return Kind(key=key, **{**fields, **conditions})


def _number(low: float, high: float = float("inf")) -> Callable[[Any], bool]:
    return lambda value: isinstance(value, int | float) and not isinstance(value, bool) and low <= value <= high


def _text_given(value: object) -> bool:
    return isinstance(value, str) and bool(value.strip())


_FIELDS: dict[str, tuple[str, Callable[[Any], bool]]] = {
    "zh": ("“…”", _text_given),
    "en": ("“…”", _text_given),
    "colour": ("#rrggbb", lambda value: isinstance(value, str) and re.fullmatch("#[0-9a-f]{6}", value) is not None),
    "role": ("outlet | candidate | both", lambda value: value in ("outlet", "candidate", "both")),
    "osm": ("[{ … }]", lambda value: isinstance(value, list)),
    "not_public": ("[{ … }]", lambda value: isinstance(value, list)),
    "not_public_inside": ("[{ … }]", lambda value: isinstance(value, list)),
    "share": ("0 … 1", _number(0, 1)),
    "limit_m": ("≥ 1", _number(1)),
    "cost": ("≥ 0", _number(0)),
    "seats": ("≥ 0", lambda value: _number(0)(value) and isinstance(value, int)),
    "min_area_m2": ("≥ 0", _number(0)),
    "in_station": ("true | false", lambda value: isinstance(value, bool)),
}
_CONDITIONS = ("osm", "not_public", "not_public_inside")
_REQUIRED = ("zh", "en", "colour", "role")


def _kind_faults(where: str, fields: object) -> Iterator[Fault]:
    if not isinstance(fields, dict):
        yield Fault("kinds.not_table", where, {"found": repr(fields)})
        return
    for name in _REQUIRED:
        if name not in fields:
            yield Fault("kinds.missing", where, {"field": name, "expected": _FIELDS[name][0]})
    for name, value in fields.items():
        if name not in _FIELDS:
            yield Fault("kinds.unknown_field", where, {"field": name, "allowed": ", ".join(_FIELDS)})
        elif not _FIELDS[name][1](value):
            yield Fault("kinds.wrong", where, {"field": name, "found": repr(value), "expected": _FIELDS[name][0]})
        elif name in _CONDITIONS:
            yield from _condition_faults(where, name, value)


def _condition_faults(where: str, name: str, conditions: list[object]) -> Iterator[Fault]:
    for condition in conditions:
        try:
            Condition.parse(condition)
        except ValueError as error:
            yield Fault("kinds.condition", where, {"field": name, "found": str(error)})
