"""One thing the trust report found: how it is graded, what was measured, where to look, and what to do."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import cache
from typing import Any, Literal

import numpy as np
from pyproj import CRS, Transformer

from walkshed.contracts import FloatArray
from walkshed.errors import Fault
from walkshed.words import Lang, say

Grade = Literal["ok", "look", "stop"]

GRADES: tuple[Grade, ...] = ("ok", "look", "stop")
"""How bad a finding is: nothing to do, look at it, do not plan on this."""

SHOWN = 20  # rows and places told of each finding: enough to see what is wrong


@dataclass(frozen=True)
class Finding:
    """What was looked at and how it stands; the sentences are `data/words/trust.toml`.

    Attributes
    ----------
    key : the sentence that says what was found; `<key>_do` says what to do about it
    grade : ok, look or stop
    values : the numbers in the sentence
    rows : ids concerned, at most `SHOWN`
    places : longitude and latitude (WGS-84) to look at, at most `SHOWN`
    where : the file concerned, where it is one
    """

    key: str
    grade: Grade
    values: Mapping[str, Any] = field(default_factory=dict)
    rows: tuple[str, ...] = ()
    places: tuple[tuple[float, float], ...] = ()
    where: str = ""

    @classmethod
    def of_fault(cls, fault: Fault) -> "Finding":
        """Something that kept the data from being read at all; its own sentence says what to do."""
        return cls(fault.key, "stop", fault.values, where=fault.where)

    def text(self, lang: Lang = "en") -> str:
        """What was found.

        >>> Finding("trust.empty_units", "look", {"n": 2, "names": "A, B"}).text()
        'units without any people: A, B.'
        """
        place = f"{self.where}{'：' if lang == 'zh' else ': '}" if self.where else ""
        key = f"{self.key}_none" if self.values.get("n") == 0 and "names" in self.values else self.key
        values = dict(self.values)
        if "kind" in values:
            values["kind"] = say(f"trust.kind_{values['kind']}", lang)
        if "names" in values and lang == "zh":
            values["names"] = values["names"].replace(", ", "、")
        return place + say(key, lang, **values)

    def advice(self, lang: Lang = "en") -> str:
        """What to do about it; '' where there is nothing to do or the finding itself says it."""
        todo = f"{self.key}_do"
        return "" if self.grade == "ok" or not self.key.startswith("trust.") else say(todo, lang)

    def record(self) -> dict[str, Any]:
        """The finding as plain data, for JSON."""
        return {
            "key": self.key, "grade": self.grade, "where": self.where,
            "zh": self.text("zh"), "en": self.text("en"), "do_zh": self.advice("zh"), "do_en": self.advice("en"),
            "values": {name: _plain(value) for name, value in self.values.items()},
            "rows": list(self.rows), "places": [list(place) for place in self.places],
        }  # fmt: skip


def graded(value: float, look: float, stop: float = np.inf) -> Grade:
    """Grade of a number that should be small: `look` above the first bound, `stop` above the second.

    >>> [graded(x, 0.1, 0.5) for x in (0.1, 0.2, 0.6)]
    ['ok', 'look', 'stop']
    """
    return "stop" if value > stop else "look" if value > look else "ok"


def worst(findings: Iterable[Finding]) -> Grade:
    """The worst grade of all; ok where there are none.

    >>> worst([Finding("trust.a", "look"), Finding("trust.b", "ok")])
    'look'
    """
    return max((finding.grade for finding in findings), key=GRADES.index, default="ok")


def lonlat(xy: FloatArray, crs: CRS) -> tuple[tuple[float, float], ...]:
    """The first places of (n, 2) metres as degrees of WGS-84, to a decimetre."""
    if not len(xy):
        return ()
    lon, lat = _to_degrees(crs).transform(xy[:SHOWN, 0], xy[:SHOWN, 1])
    return tuple((round(float(x), 6), round(float(y), 6)) for x, y in zip(lon, lat, strict=True))


def listed(ids: Iterable[object]) -> tuple[str, ...]:
    """The first ids, as text."""
    return tuple(str(one) for _, one in zip(range(SHOWN), ids, strict=False))


def named(names: Iterable[object]) -> str:
    """The first few names in one line."""
    every = [str(name) for name in names]
    return ", ".join(every[:SHOWN]) + (" …" if len(every) > SHOWN else "")


@cache
def _to_degrees(crs: CRS) -> Transformer:
    """Made once: looking up a transformation takes longer than the rest of a finding."""
    return Transformer.from_crs(crs, "EPSG:4326", always_xy=True)


def _plain(value: object) -> object:
    """A value as JSON has it."""
    if isinstance(value, np.generic):
        value = value.item()
    return None if isinstance(value, float) and not np.isfinite(value) else value
