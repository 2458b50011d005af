"""A siting question as one value: options, whom each reaches, people, what outlets serve already, and the rules."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
import pandas as pd

from walkshed.contracts import FloatArray, IntArray, groups_of, refuse
from walkshed.reach import Reach
from walkshed.siting import checks
from walkshed.siting.rules import Rule, Rules, linear
from walkshed.siting.task import entries

Bands = tuple[tuple[float, float], ...]


@dataclass(frozen=True, eq=False)
class Problem:
    """What can be built where, for whom, and under which rules. Made by `problem`.

    Attributes
    ----------
    options : DataFrame, index option id; place, kind, unit, settlement, cost, share, limit_m, seats, x, y
    reach : rows in the order of the options, each within its own limit
    demand : DataFrame, index demand id; people, people_<group>, unit
    people : float64 (demand,), as they count: with the weights of groups
    held : float64 (demand,), the share of full service that outlets give already, 0 to 1
    outlets, outlet_reach : outlets that stand, as options are given
    bands : (up to m, share) ascending; beyond the last band nothing; none: full service up to the limit
    """

    options: pd.DataFrame
    reach: Reach
    demand: pd.DataFrame
    people: FloatArray
    held: FloatArray
    outlets: pd.DataFrame
    outlet_reach: Reach
    rules: Rules
    bands: Bands = ()

    @cached_property
    def linear(self) -> list[Rule]:
        """All rules but the number of sites, as rows."""
        return linear(self.rules, self.options, self.settled)

    @property
    def settled(self) -> frozenset[str]:
        """Settlements that have an outlet."""
        return frozenset(str(s) for s in self.outlets["settlement"]) - {""}

    @cached_property
    def build(self) -> int:
        """Most new sites there can be."""
        places = self.options["place"].nunique()
        return places if self.rules.build is None else min(self.rules.build, places)

    @cached_property
    def share(self) -> FloatArray:
        """Share of full service in each pair of `reach`: the kind's share times the band's."""
        return shares(self.options, self.reach, self.bands)

    def at(self, ids: Sequence[str]) -> IntArray:
        """Positions of options, in the order of the ids."""
        return np.asarray(self.options.index.get_indexer(pd.Index(ids)), dtype=np.int64)

    def with_rules(self, **changes: object) -> "Problem":
        """The same question under other rules.

        Raises
        ------
        InputError
            As `problem` does.
        """
        new = replace(self, rules=replace(self.rules, **changes))  # type: ignore[arg-type]
        refuse(checks.rule_faults(new.rules, new.options))
        return new


def problem(
    options: pd.DataFrame,
    reach: Reach,
    demand: pd.DataFrame,
    *,
    rules: Rules,
    outlets: pd.DataFrame | None = None,
    outlet_reach: Reach | None = None,
    group_weights: Mapping[str, float] | None = None,
    bands: Bands = (),
) -> Problem:
    """State a siting question, every part of it checked.

    Parameters
    ----------
    options : index: option ids. Columns, all optional: `place` (default: the id), `kind`, `unit`, `settlement` (''),
        `cost` (1), `share` of full service in 0 to 1 (1), `limit_m` (the reach's), `seats` (people it can serve),
        `x`, `y` in metres (NaN). Of one place one option is taken at most. Of equals the earlier option is taken.
    reach : whom each option (or its place) reaches; `site_ids` hold the ids of options or of places
    demand : index: demand ids, those of `reach`; `people`; optional `people_<group>`, `unit`
    outlets, outlet_reach : outlets that stand, described as the options are; they stay, and cost nothing
    group_weights : how much a member of a group counts, such as {"60p": 1.5}; everybody else counts 1
    bands : distance bands (up to m, share of full service), such as ((500, 1.0), (1000, 0.6)); limits are inclusive

    Raises
    ------
    InputError
        With every fault: no candidates, more sites than candidates, a floor on a unit with no candidate, a negative
        cost, a place both required and forbidden, capacity 0, a budget below the cheapest option, unknown ids ...
    """
    weights = dict(group_weights or {})
    at_outlets = reach.take([]) if outlet_reach is None else outlet_reach
    table = _filled(options, reach.limit_m)
    refuse(
        [
            *checks.faults(options, demand, {"candidates": reach, "outlets": outlet_reach}, outlets, (weights, bands)),
            *checks.option_faults(table, reach),
            *checks.rule_faults(rules, table),
        ]
    )
    standing = _filled(pd.DataFrame(index=at_outlets.site_ids) if outlets is None else outlets, at_outlets.limit_m)
    near, around = own_reach(table, reach), own_reach(standing, at_outlets)
    people = demand["people"].to_numpy(dtype=float)
    for group in groups_of(demand):
        people = people + (weights.get(group, 1.0) - 1.0) * demand[f"people_{group}"].to_numpy(dtype=float)
    held = held_by(standing, around, bands)
    return Problem(table, near, demand, people, held, standing, around, rules, tuple(bands))


def held_by(outlets: pd.DataFrame, reach: Reach, bands: Bands) -> FloatArray:
    """Share of full service that outlets give each demand point; float64 (demand,)."""
    held = np.zeros(len(reach.demand_ids))
    np.maximum.at(held, reach.demand, shares(outlets, reach, bands))
    return held


def shares(table: pd.DataFrame, reach: Reach, bands: Bands) -> FloatArray:
    """Share of full service in each pair: the option's times that of the distance band."""
    share = np.repeat(table["share"].to_numpy(dtype=float), np.diff(reach.ptr))
    if not bands:
        return share
    upto, part = np.array([b[0] for b in bands], dtype=float), np.array([*(b[1] for b in bands), 0.0])
    return np.asarray(share * part[np.searchsorted(upto, reach.distance_m, side="left")])


def _filled(given: pd.DataFrame, limit_m: float) -> pd.DataFrame:
    """Options with every column there, ids as text."""
    ids = given.index.astype(str)
    defaults: dict[str, object] = {
        "place": ids, "kind": "", "unit": "", "settlement": "", "cost": 1.0, "share": 1.0, "limit_m": limit_m,
        "seats": np.inf, "x": np.nan, "y": np.nan,
    }  # fmt: skip
    columns = {name: given[name].to_numpy() if name in given else value for name, value in defaults.items()}
    table = pd.DataFrame(columns, index=ids)
    text = ["place", "kind", "unit", "settlement"]
    table[text] = table[text].fillna("").astype(str)
    table["limit_m"] = table["limit_m"].astype(float).fillna(limit_m)
    table["seats"] = table["seats"].astype(float).fillna(np.inf)
    return table


def own_reach(table: pd.DataFrame, reach: Reach) -> Reach:
    """Rows of each option, or of its place, within the option's own limit (inclusive)."""
    site_ids = reach.site_ids.astype(str)
    own = site_ids.get_indexer(table.index)
    rows = np.where(own >= 0, own, site_ids.get_indexer(pd.Index(table["place"])))
    pairs = entries(reach.ptr, rows)
    option = np.repeat(np.arange(len(rows)), np.diff(reach.ptr)[rows])
    keep = reach.distance_m[pairs] <= table["limit_m"].to_numpy()[option]
    ptr = np.concatenate([[0], np.cumsum(np.bincount(option[keep], minlength=len(rows)))]).astype(np.int64)
    pairs = pairs[keep]
    return replace(reach, site_ids=table.index, ptr=ptr, demand=reach.demand[pairs], distance_m=reach.distance_m[pairs])
