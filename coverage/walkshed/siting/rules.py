"""The rules a plan must keep, in the words of a scenario file, and the same as linear rows."""

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
import pandas as pd
from scipy.spatial import cKDTree

from walkshed.contracts import FloatArray, IntArray
from walkshed.errors import Fault
from walkshed.siting.task import Rows


@dataclass(frozen=True)
class Rules:
    """What a plan must keep to; names are those of the scenario file's `[siting]`.

    Attributes
    ----------
    build : at most so many new sites; None: any number
    budget : at most so much money for the `cost` of new sites; None: any
    floors, ceilings : at least, at most so many new sites per unit
    kinds : at most so many new sites of a kind
    require, forbid : ids of places, or of single options
    spacing_m : no two new sites closer than this, in a straight line
    every_settlement : each street, town or township of a candidate that has no outlet gets one
    settlements_by : the same, by the end of this year (for plans over years)
    """

    build: int | None = None
    budget: float | None = None
    floors: Mapping[str, int] = field(default_factory=dict)
    ceilings: Mapping[str, int] = field(default_factory=dict)
    kinds: Mapping[str, int] = field(default_factory=dict)
    require: tuple[str, ...] = ()
    forbid: tuple[str, ...] = ()
    spacing_m: float = 0.0
    every_settlement: bool = False
    settlements_by: int | None = None


@dataclass(frozen=True, eq=False)
class Rule:
    """One rule as a row: `low <= sum of amounts over the options taken <= high`.

    key : which rule, such as `floor`; name : of the unit, place or settlement it is about
    """

    key: str
    name: str
    options: IntArray
    amount: FloatArray
    low: float = -np.inf
    high: float = np.inf

    def fault(self) -> Fault:
        """Say the rule."""
        bound = self.low if np.isfinite(self.low) else self.high
        return Fault(f"siting.rule_{self.key}", self.key, {"name": self.name, "n": bound})


def linear(rules: Rules, table: pd.DataFrame, settled: frozenset[str]) -> list[Rule]:
    """Every rule but the number of sites as rows over the options.

    Parameters
    ----------
    table : one row per option: `place, kind, unit, settlement, cost, x, y`
    settled : settlements that have an outlet
    """
    return [
        *_money(rules, table),
        *_counts("floor", table["unit"], rules.floors, lower=True),
        *_counts("ceiling", table["unit"], rules.ceilings, lower=False),
        *_counts("kind", table["kind"], rules.kinds, lower=False),
        *_one_per_place(table),
        *_named("require", rules.require, table),
        *_named("forbid", rules.forbid, table),
        *_spaced(rules.spacing_m, table),
        *_settlements(rules, table, settled),
    ]


def rows_of(rules: list[Rule], options: int) -> Rows:
    """Rules as one compressed table by option."""
    return Rows.of(options, [(rule.options, rule.amount, rule.low, rule.high) for rule in rules])


def _ones(options: IntArray) -> FloatArray:
    return np.ones(len(options))


def _money(rules: Rules, table: pd.DataFrame) -> list[Rule]:
    if rules.budget is None:
        return []
    return [Rule("budget", "", np.arange(len(table)), table["cost"].to_numpy(dtype=float), high=rules.budget)]


def _counts(key: str, column: "pd.Series[str]", limits: Mapping[str, int], *, lower: bool) -> list[Rule]:
    found = []
    for name, number in sorted(limits.items()):
        options = np.flatnonzero(column.to_numpy() == name)
        side = {"low": float(number)} if lower else {"high": float(number)}
        found.append(Rule(key, str(name), options, _ones(options), **side))
    return found


def _one_per_place(table: pd.DataFrame) -> list[Rule]:
    if table["place"].is_unique:
        return []
    names, place = np.unique(table["place"].to_numpy(dtype=object), return_inverse=True)
    order = np.argsort(place, kind="stable")
    groups = np.split(order, np.cumsum(np.bincount(place))[:-1])
    return [Rule("place", str(n), g, _ones(g), high=1.0) for n, g in zip(names, groups, strict=True) if len(g) > 1]


def _named(key: str, ids: tuple[str, ...], table: pd.DataFrame) -> list[Rule]:
    found: list[Rule] = []
    for name in ids:
        options = np.flatnonzero((table.index == name) | (table["place"] == name).to_numpy())
        side = {"low": 1.0} if key == "require" else {"high": 0.0}
        found.append(Rule(key, name, options, _ones(options), **side))
    return found


def _spaced(spacing_m: float, table: pd.DataFrame) -> list[Rule]:
    """Return a row for each pair of options at different places that are too close."""
    if spacing_m <= 0:
        return []
    xy, place = table[["x", "y"]].to_numpy(dtype=float), table["place"].to_numpy()
    pairs = cKDTree(xy).query_pairs(np.nextafter(spacing_m, 0), output_type="ndarray")
    pairs = pairs[place[pairs[:, 0]] != place[pairs[:, 1]]]
    pairs = pairs[np.lexsort((pairs[:, 1], pairs[:, 0]))].astype(np.int64)
    ids = table.index.to_numpy()
    return [Rule("spacing", f"{ids[a]}, {ids[b]}", np.array([a, b]), np.ones(2), high=1.0) for a, b in pairs.tolist()]


def _settlements(rules: Rules, table: pd.DataFrame, settled: frozenset[str]) -> list[Rule]:
    """Return a row for each settlement without an outlet that has a candidate."""
    if not rules.every_settlement and rules.settlements_by is None:
        return []
    names = sorted({str(s) for s in table["settlement"]} - settled - {""})
    groups = {name: np.flatnonzero(table["settlement"].to_numpy() == name) for name in names}
    return [Rule("settlement", name, options, _ones(options), low=1.0) for name, options in groups.items()]
