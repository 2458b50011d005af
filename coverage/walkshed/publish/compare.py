"""Two plans side by side: who gains, who loses, what differs in data and rules, and why sites moved."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd
from pyproj import Geod

from walkshed.errors import Fault, InputError, MissingInputError
from walkshed.publish.record import Record, plan_record
from walkshed.siting.price import price
from walkshed.whatif import compare as compare_demand
from walkshed.words import Lang, say

if TYPE_CHECKING:
    from walkshed.plan import Plan

NEAR_M = 3_000.0  # a site of the other plan so near counts as moved, not as another one
SPHEROID = Geod(ellps="WGS84")


@dataclass(frozen=True)
class Moved:
    """A site of A that B does not build.

    to : name of the nearest site that only B builds, if one is near; metres : how far that is
    loss : people B would serve fewer if it kept the site; None where that cannot be told
    candidate : whether B could build there at all; None where that cannot be told
    """

    order: int
    name: str
    to: str | None = None
    metres: float = 0.0
    loss: float | None = None
    candidate: bool | None = None

    def sentence(self, lang: Lang = "en") -> str:
        """What became of it, and why.

        >>> Moved(7, "park", to="mall", metres=420.0, loss=35.0, candidate=True).sentence()
        "A's site 7, park, moved to mall (420 m away): keeping it under B's terms would serve 35 fewer"
        """
        key = "compare.moved" if self.to is not None else "compare.gone"
        said = say(key, lang, order=self.order, name=self.name, to=self.to, metres=self.metres)
        if self.candidate is False:
            return said + say("compare.no_candidate", lang)
        return said if self.loss is None else said + say("compare.keeping", lang, loss=self.loss)


@dataclass(frozen=True, eq=False)
class Comparison:
    """From plan A to plan B.

    units : DataFrame, index unit id: label, served_a, served_b, change; gain, lose where people are the same
    differs : what is not the same, as (sentence key, values): inputs by their fingerprints, settings by their keys
    kept : ids of sites both build; moved : those only A builds; new : those only B builds, as plan.json has them
    gain, lose : people, None where only the results are known
    """

    a: Record
    b: Record
    units: pd.DataFrame
    differs: tuple[tuple[str, dict[str, Any]], ...]
    kept: tuple[str, ...]
    moved: tuple[Moved, ...]
    new: tuple[Record, ...]
    gain: float | None = None
    lose: float | None = None

    def served(self, lang: Lang) -> str:
        """People served in each, in a sentence or two."""
        a, b = self.a["totals"], self.b["totals"]
        said = say("compare.served", lang, a=a["served_after"], b=b["served_after"], share_a=a["share_after"],
                   share_b=b["share_after"], change=b["served_after"] - a["served_after"])  # fmt: skip
        return said if self.gain is None else said + " " + say("compare.exact", lang, gain=self.gain, lose=self.lose)

    def difference(self, lang: Lang) -> list[str]:
        """What differs, a sentence each."""
        return [say(key, lang, **values) for key, values in self.differs]

    def record(self) -> Record:
        """The comparison as plain values, for JSON."""
        units = self.units.round(3).rename_axis("id").reset_index().to_dict("records")
        return {
            "a": {"name": self.a["name"], "title": self.a["title"], "totals": self.a["totals"]},
            "b": {"name": self.b["name"], "title": self.b["title"], "totals": self.b["totals"]},
            "gain": self.gain, "lose": self.lose, "units": units,
            "differs": [{"zh": z, "en": e} for z, e in zip(self.difference("zh"), self.difference("en"), strict=True)],
            "sites": {"kept": list(self.kept), "moved": [vars(one) for one in self.moved], "new": list(self.new)},
        }  # fmt: skip


def read_record(path: Path) -> Record:
    """Read a plan's own record from its folder, or from `plan.json` itself.

    Raises
    ------
    MissingInputError
        If it is not there.
    InputError
        If it is no plan.
    """
    file = path / "plan.json" if path.is_dir() else path
    try:
        found: Record = json.loads(file.read_text(encoding="utf-8"))
        _ = found["totals"]["served_after"], found["units"], found["sites"], found["provenance"]["inputs"]
    except OSError:
        raise MissingInputError(Fault("compare.unreadable", str(path))) from None
    except (ValueError, KeyError, TypeError) as error:
        raise InputError(Fault("compare.not_json", str(path), {"reason": str(error)})) from None
    return found


def compare_records(a: Record, b: Record) -> Comparison:
    """Compare two plans by their records."""
    of_a, of_b = (pd.DataFrame(r["units"]).set_index("id") for r in (a, b))
    every = of_a.index.union(of_b.index, sort=False)
    units = pd.DataFrame({
        "label": of_b["label"].reindex(every).fillna(of_a["label"]),
        "served_a": of_a["served_after"].reindex(every, fill_value=0.0),
        "served_b": of_b["served_after"].reindex(every, fill_value=0.0),
    })  # fmt: skip
    here, there = ({row["id"]: row for row in r["sites"]} for r in (a, b))
    new = tuple(row for key, row in there.items() if key not in here)
    return Comparison(
        a=a, b=b, units=units.assign(change=units["served_b"] - units["served_a"]),
        differs=(*_inputs(a, b), *_settings(_told(a), _told(b))),
        kept=tuple(key for key in here if key in there),
        moved=tuple(_moved(row, new) for key, row in here.items() if key not in there), new=new,
    )  # fmt: skip


def compare_plans(a: "Plan", b: "Plan") -> Comparison:
    """Compare two plans whole: people one by one, the scenarios key by key, and what keeping A's sites would cost B.

    Raises
    ------
    InputError
        If they are not about the same people.
    """
    found = compare_records(plan_record(a), plan_record(b))
    exact = compare_demand(a.demand, b.demand, b.area.units)
    settings = _settings(*(_flat(plan.scenario.model_dump(mode="json", exclude_defaults=True)) for plan in (a, b)))
    sites = {row["id"]: row for row in found.a["sites"]}
    gone = [key for key in sites if key not in set(found.kept)]
    moved = tuple(_priced(one, key, b) for one, key in zip(found.moved, gone, strict=True))
    return Comparison(
        a=found.a, b=found.b, units=found.units.join(exact.units[["gain", "lose"]]), kept=found.kept, moved=moved,
        differs=(*_inputs(found.a, found.b), *settings), new=found.new, gain=exact.gain, lose=exact.lose,
    )  # fmt: skip


def _priced(moved: Moved, place: str, b: "Plan") -> Moved:
    """Add what keeping a site would cost B: exact for a maximal cover in one step, the only model that has prices."""
    if b.problem is None:
        return moved
    candidate = bool((b.problem.options["place"] == place).any())
    loss = None
    if candidate and b.siting.model == "max_cover" and not b.years and place not in b.problem.rules.forbid:
        loss = price(b.problem, b.siting, require=[place], seed=b.scenario.seed).loss
    return Moved(moved.order, moved.name, moved.to, moved.metres, loss, candidate)


def _moved(row: Record, new: tuple[Record, ...]) -> Moved:
    """The nearest site that only the other plan builds, if one is near."""
    away = [(SPHEROID.inv(row["lon"], row["lat"], other["lon"], other["lat"])[2], other) for other in new]
    metres, to = min(away, key=lambda pair: pair[0], default=(0.0, None))
    if to is None or metres > NEAR_M:
        return Moved(row["order"], row["name"])
    return Moved(row["order"], row["name"], to["name"], round(metres, 1))


def _inputs(a: Record, b: Record) -> list[tuple[str, dict[str, Any]]]:
    """Input files that are not the same, by name and fingerprint."""
    here, there = ({e["name"]: str(e["sha256"]) for e in r["provenance"]["inputs"]} for r in (a, b))
    found: list[tuple[str, dict[str, Any]]] = []
    for name in sorted({*here, *there}):
        if name not in there:
            found.append(("compare.input_only_a", {"name": name}))
        elif name not in here:
            found.append(("compare.input_only_b", {"name": name}))
        elif here[name] != there[name]:
            found.append(("compare.input_changed", {"name": name, "a": here[name][:12], "b": there[name][:12]}))
    return found


def _told(record: Record) -> dict[str, str]:
    """Settings as far as a record tells them."""
    return _flat({"standard": record["standard"], "siting": {"model": record["siting"]["model"]},
                  "seed": record["provenance"].get("seed")})  # fmt: skip


def _flat(data: Mapping[str, Any], before: str = "") -> dict[str, str]:
    """Nested keys with their values as text.

    >>> _flat({"siting": {"build": 5}, "seed": 1})
    {'siting.build': '5', 'seed': '1'}
    """
    found: dict[str, str] = {}
    for key, value in data.items():
        found |= _flat(value, f"{before}{key}.") if isinstance(value, Mapping) else {f"{before}{key}": str(value)}
    return found


def _settings(a: Mapping[str, str], b: Mapping[str, str]) -> list[tuple[str, dict[str, Any]]]:
    """Settings that are not the same; what a plan is called is none."""
    keys = [key for key in dict.fromkeys([*a, *b]) if key not in {"name", "title"} and a.get(key) != b.get(key)]
    return [("compare.setting", {"name": key, "a": a.get(key, "–"), "b": b.get(key, "–")}) for key in keys]
