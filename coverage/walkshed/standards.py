"""The yardsticks a plan is held against, each with its source, and how far people walk in so many minutes."""

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any, Literal, get_args

from walkshed.contracts import refuse
from walkshed.errors import Fault, InputError
from walkshed.words import Lang, data_dir

Walker = Literal["adult", "older"]
Season = Literal["bare", "winter", "ice"]
Mode = Literal["walk", "radius", "car"]

DEFAULT_ID = "gb50180-15min"
"""The standard of a scenario that names none: the 15-minute life circle of GB 50180-2018."""

CUSTOM_ID = "custom"
"""The standard of a scenario that gives its own metres or minutes."""

_CITED = ("zh", "en", "mode", "document", "clause", "year", "source", "confidence")


@dataclass(frozen=True)
class Yardstick:
    """A standard as its document has it: metres or minutes, never both.

    mode : "walk" is a walking distance; "radius" (as the crow flies) and "car" are not and do not serve as one.
    source : where the figure was read; `confidence` says how sure that is.
    """

    id: str
    zh: str
    en: str
    mode: Mode
    limit_m: float | None
    minutes: float | None
    document: str
    clause: str
    year: int
    source: str
    confidence: str

    def metres(self, walker: Walker = "adult", season: Season = "bare") -> float:
        """Walking limit in metres; walker and season tell only where the standard is in minutes.

        Raises
        ------
        InputError
            If it is no walking standard.

        Examples
        --------
        >>> yardsticks()["gb50180-15min"].metres()
        1000.0
        >>> yardsticks()["wenzhou-reading-room"].metres("older", "ice")
        657.0
        >>> yardsticks()["land2008-small"].metres()
        Traceback (most recent call last):
        ...
        walkshed.errors.InputError: land2008-small: this standard is no walking distance ...
        """
        if self.mode != "walk":
            raise InputError(Fault("standards.not_walking", self.id, {"document": self.document}))
        return self.limit_m if self.limit_m is not None else limit_m(self.minutes or 0.0, walker, season)

    def label(self, lang: Lang) -> str:
        """Name, document and clause, as one cites it.

        >>> yardsticks()["gb50180-10min"].label("en")
        '10-minute life circle (GB 50180-2018 城市居住区规划设计标准, table 3.0.4)'
        """
        if lang == "zh":
            return f"{self.zh}（{self.document}，{self.clause}）"
        return f"{self.en} ({self.document}, {self.clause})"


@cache
def yardsticks() -> Mapping[str, Yardstick]:
    """All standards of `data/standards.toml` by id.

    >>> sorted(yardsticks())[:2]
    ['bengbu-reading-circle', 'gb50180-10min']
    """
    return read(_file())


def walking() -> list[str]:
    """Ids of the standards a walk can be held against.

    >>> "gb50180-15min" in walking(), "ifla2010-car" in walking()
    (True, False)
    """
    return [key for key, yardstick in yardsticks().items() if yardstick.mode == "walk"]


def read(tables: Mapping[str, Any]) -> dict[str, Yardstick]:
    """Standards of the parsed file `tables`, in its order.

    Raises
    ------
    InputError
        Naming every standard without a source or another part of its citation, without exactly one of `limit_m` and
        `minutes`, or of no known mode.
    """
    found = tables.get("standard", {})
    refuse(fault for key, entry in found.items() for fault in _faults(key, entry))
    return {key: _yardstick(key, entry) for key, entry in found.items()}


def limit_m(minutes: float, walker: Walker = "adult", season: Season = "bare") -> float:
    """How far one walks in so many minutes, to the whole metre: paces are not known better than that.

    >>> [limit_m(15, "adult", season) for season in ("bare", "winter", "ice")]
    [1116.0, 1039.0, 972.0]
    >>> [limit_m(15, "older", season) for season in ("bare", "ice")]
    [720.0, 657.0]
    """
    tables = _file()
    pace = tables["walker"][walker]["pace_min_per_km"] + tables["season"][season]["extra_min_per_km"]
    return float(round(minutes / pace * 1000))


@cache
def _file() -> Mapping[str, Any]:
    return tomllib.loads((data_dir() / "standards.toml").read_text(encoding="utf-8"))


def _faults(key: str, entry: Mapping[str, Any]) -> list[Fault]:
    where = f"standards.toml [standard.{key}]"
    faults = [Fault("standards.uncited", where, {"part": part}) for part in _CITED if not entry.get(part)]
    if entry.get("mode", "walk") not in get_args(Mode):
        faults += [Fault("standards.mode", where, {"mode": entry["mode"], "allowed": ", ".join(get_args(Mode))})]
    if ("limit_m" in entry) == ("minutes" in entry):
        faults += [Fault("standards.one_measure", where)]
    return faults


def _yardstick(key: str, entry: Mapping[str, Any]) -> Yardstick:
    cited = {part: entry[part] for part in _CITED}
    limit, minutes = (float(entry[name]) if name in entry else None for name in ("limit_m", "minutes"))
    return Yardstick(id=key, limit_m=limit, minutes=minutes, **cited)
