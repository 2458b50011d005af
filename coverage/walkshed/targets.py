"""What the service's own plan sets itself, and whether the outlets of today meet it."""

import re
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any, Literal, get_args

import pandas as pd

from walkshed.contracts import refuse
from walkshed.errors import Fault
from walkshed.words import Lang, data_dir, say

Measure = Literal["count", "yearly", "settlements"]

LISTED = 12  # names of what is missing in a sentence; the outcome has them all

_CITED = ("zh", "en", "document", "clause", "source", "confidence", "by")
_NUMBERS: Mapping[str, tuple[str, ...]] = {"count": ("at_least",), "yearly": ("at_least", "since"), "settlements": ()}


@dataclass(frozen=True)
class Target:
    """A target as its document has it; see `data/targets.toml`. No kinds: any outlet counts.

    units : how the ids of the units begin that set it themselves; '' is everywhere
    """

    id: str
    zh: str
    en: str
    measure: Measure
    by: int
    document: str
    clause: str
    source: str
    confidence: str
    units: str = ""
    kinds: tuple[str, ...] = ()
    at_least: int = 0
    since: int = 0


@dataclass(frozen=True)
class Outcome:
    """How a target stands.

    found, asked : outlets, years or settlements; met : None where the outlets cannot tell
    missing : what is lacking: units without one, years with too few, settlements, or the column that would tell
    """

    target: Target
    found: int
    asked: int
    met: bool | None
    missing: tuple[str, ...] = ()

    def sentence(self, lang: Lang = "en") -> str:
        """The outcome as one says it."""
        name = self.target.zh if lang == "zh" else self.target.en
        key = "untold" if self.met is None else "met" if self.met else "missed"
        more = " …" if len(self.missing) > LISTED else ""
        missing = ("、" if lang == "zh" else ", ").join(self.missing[:LISTED]) + more
        return say(f"compliance.{key}", lang, name=name, found=self.found, asked=self.asked, missing=missing)


@cache
def known() -> Mapping[str, Target]:
    """All targets of `data/targets.toml` by id.

    >>> known()["reading-rooms-2025"].at_least
    30
    """
    return read(tomllib.loads((data_dir() / "targets.toml").read_text(encoding="utf-8")))


def read(tables: Mapping[str, Any]) -> dict[str, Target]:
    """Targets of the parsed file, in its order.

    Raises
    ------
    InputError
        Naming every target without a source or another part of its citation, of no known measure, or without its
        number.
    """
    entries = tables.get("target", {})
    refuse(fault for key, entry in entries.items() for fault in _faults(key, entry))
    return {key: Target(id=key, **{**entry, "kinds": tuple(entry.get("kinds", ()))}) for key, entry in entries.items()}


def outcomes(
    outlets: pd.DataFrame,
    units: pd.Series,
    *,
    settlements: pd.DataFrame | None = None,
    among: Mapping[str, Target] | None = None,
) -> tuple[Outcome, ...]:
    """Hold the open outlets against every target that these units set themselves.

    Parameters
    ----------
    outlets : `kind, status, unit`; `opened` (text that begins with a year, or holds one) and `settlement` where known
    units : labels by unit id
    settlements : `unit, settlement` of every street, town and township there is; None: targets about them stay open
    among : default all of `data/targets.toml`
    """
    now = outlets[outlets["status"] == "open"]
    here = units.index.astype(str)
    judges = {"count": _count, "yearly": _yearly}
    found = []
    for target in (known() if among is None else among).values():
        if not here.str.startswith(target.units).all():
            continue  # another city's promise
        mine = now[now["kind"].isin(target.kinds)] if target.kinds else now
        if target.measure == "settlements":
            found.append(_settlements(target, mine, units, settlements))
        else:
            found.append(judges[target.measure](target, mine, units))
    return tuple(found)


def _count(target: Target, mine: pd.DataFrame, units: pd.Series) -> Outcome:
    """Enough of them; if not, the units that have none come first to mind."""
    met = len(mine) >= target.at_least
    without = units[~units.index.isin(mine["unit"])]
    return Outcome(target, len(mine), target.at_least, met, () if met else tuple(without.astype(str)))


def _yearly(target: Target, mine: pd.DataFrame, units: pd.Series) -> Outcome:  # noqa: ARG001  judges are called alike
    years = range(target.since, target.by + 1)
    if "opened" not in mine or (len(mine) and mine["opened"].map(_year).isna().all()):
        return Outcome(target, 0, len(years), None, ("opened",))
    opened = mine["opened"].map(_year).value_counts()
    short = [year for year in years if opened.get(year, 0) < target.at_least]
    named = tuple(f"{year} ({int(opened.get(year, 0))})" for year in short)
    return Outcome(target, len(years) - len(short), len(years), not short, named)


def _settlements(target: Target, mine: pd.DataFrame, units: pd.Series, settlements: pd.DataFrame | None) -> Outcome:
    if settlements is None or settlements.empty or "settlement" not in mine:
        return Outcome(target, 0, 0, None, ("settlement",))
    every = _pairs(settlements)
    having = set(_pairs(mine))
    lacking = [pair for pair in every if pair not in having]
    label = units.astype(str).to_dict()
    named = tuple(f"{label.get(unit, unit)} {name}" for unit, name in lacking)
    return Outcome(target, len(every) - len(lacking), len(every), not lacking, named)


def settlements_of(*sites: pd.DataFrame) -> pd.DataFrame | None:
    """Streets, towns and townships that sites lie in, as far as their tables say: `unit, settlement`."""
    told = [table[["unit", "settlement"]] for table in sites if {"unit", "settlement"} <= set(table.columns)]
    every = [pair for table in told for pair in _pairs(table)]
    return pd.DataFrame(sorted(set(every)), columns=["unit", "settlement"]) if every else None


def _pairs(table: pd.DataFrame) -> Sequence[tuple[str, str]]:
    """Unit and settlement, each once, those without a name left out."""
    named = table[table["settlement"].fillna("").astype(str) != ""]
    return list(dict.fromkeys(zip(named["unit"].astype(str), named["settlement"].astype(str), strict=True)))


def _year(text: object) -> int | None:
    """Year in a date as people write it.

    >>> _year("2024-05-01"), _year("建于 1992 年"), _year("")
    (2024, 1992, None)
    """
    found = re.search(r"(?<!\d)(1[89]\d\d|20\d\d)(?!\d)", str(text))
    return int(found[1]) if found else None


def _faults(key: str, entry: Mapping[str, Any]) -> list[Fault]:
    where = f"targets.toml [target.{key}]"
    faults = [Fault("compliance.uncited", where, {"part": part}) for part in _CITED if not entry.get(part)]
    measure = str(entry.get("measure"))
    if measure not in _NUMBERS:
        allowed = ", ".join(get_args(Measure))
        return [*faults, Fault("compliance.measure", where, {"measure": measure, "allowed": allowed})]
    return [*faults, *(Fault("compliance.no_number", where, {"part": p}) for p in _NUMBERS[measure] if p not in entry)]
