"""Everything that can be wrong with a siting question, found at once and named by its rule."""

from collections.abc import Mapping

import numpy as np
import pandas as pd

from walkshed.contracts import groups_of, row_numbers
from walkshed.errors import Fault
from walkshed.reach import Reach
from walkshed.siting.rules import Rules

NAMED = 5  # ids cited in a fault, at most


def faults(
    options: pd.DataFrame,
    demand: pd.DataFrame,
    reaches: Mapping[str, Reach | None],
    outlets: pd.DataFrame | None,
    counts: tuple[Mapping[str, float], tuple[tuple[float, float], ...]],
) -> list[Fault]:
    """Faults in what is given, before options are filled in."""
    found = [Fault("siting.no_candidates", "candidates")] if not len(options) else []
    if options.index.has_duplicates:
        found.append(Fault("siting.twice", "candidates", {"ids": cited(options.index[options.index.duplicated()])}))
    if (outlets is None) != (reaches["outlets"] is None):
        found.append(Fault("siting.outlets_without_reach", "outlets"))
    for where, reach in reaches.items():
        if reach is not None and not demand.index.astype(str).equals(reach.demand_ids.astype(str)):
            found.append(Fault("siting.other_demand", where))
    return [*found, *_people_faults(demand, counts[0]), *_band_faults(counts[1])]


def _people_faults(demand: pd.DataFrame, weights: Mapping[str, float]) -> list[Fault]:
    if "people" not in demand:
        return [Fault("siting.not_people", "demand")]
    people = demand["people"].to_numpy(dtype=float)
    found = [] if np.isfinite(people).all() and (people >= 0).all() else [Fault("siting.not_people", "demand")]
    groups = groups_of(demand)
    for group, weight in sorted(weights.items()):
        if group not in groups:
            values = {"ids": group, "known": ", ".join(groups)}
            found.append(Fault("siting.unknown", "group_weights", values))
        if not (np.isfinite(weight) and weight >= 0):
            found.append(Fault("siting.negative", f"group_weights.{group}", {"value": weight}))
    return found


def _band_faults(bands: tuple[tuple[float, float], ...]) -> list[Fault]:
    upto, part = [b[0] for b in bands], [b[1] for b in bands]
    good = upto == sorted(set(upto)) and part == sorted(part, reverse=True) and all(0 <= p <= 1 for p in part)
    return [] if good and all(u > 0 for u in upto) else [Fault("siting.bands", "bands")]


def option_faults(table: pd.DataFrame, reach: Reach) -> list[Fault]:
    """Faults in the values of options."""
    number = {name: table[name].to_numpy(dtype=float) for name in ("cost", "share", "limit_m", "seats")}
    wrong = {
        "siting.negative_cost": ~(np.isfinite(number["cost"]) & (number["cost"] >= 0)),
        "siting.share_range": ~((number["share"] > 0) & (number["share"] <= 1)),
        "siting.limit_range": ~((number["limit_m"] > 0) & (number["limit_m"] <= reach.limit_m)),
        "siting.no_seats": ~(number["seats"] > 0),
    }
    found = [
        Fault(key, "candidates", {"rows": row_numbers(bad), "ids": cited(table.index[bad]), "limit_m": reach.limit_m})
        for key, bad in wrong.items()
        if bad.any()
    ]
    known = reach.site_ids.astype(str)
    lost = table.index[~(table.index.isin(known) | table["place"].isin(known).to_numpy())]
    return [*found, *([Fault("siting.not_in_reach", "candidates", {"ids": cited(lost)})] if len(lost) else [])]


def rule_faults(rules: Rules, table: pd.DataFrame) -> list[Fault]:
    """Faults of the rules themselves, and against the options."""
    places = table["place"].nunique()
    found = []
    for name in ("build", "budget", "spacing_m"):
        value = getattr(rules, name)
        if value is not None and not (np.isfinite(value) and value >= 0):
            found.append(Fault("siting.negative", name, {"value": value}))
    if rules.build is not None and rules.build > places > 0:
        found.append(Fault("siting.more_than_candidates", "build", {"build": rules.build, "candidates": places}))
    cheapest = float(table["cost"].min()) if len(table) else 0.0
    if rules.budget is not None and 0 <= rules.budget < cheapest:
        found.append(Fault("siting.budget_below", "budget", {"budget": rules.budget, "cheapest": cheapest}))
    both = sorted(set(rules.require) & set(rules.forbid))
    if both:
        found.append(Fault("siting.required_and_forbidden", "require", {"ids": cited(both)}))
    if rules.spacing_m > 0 and table[["x", "y"]].isna().to_numpy().any():
        found.append(Fault("siting.no_coordinates", "spacing_m"))
    if (rules.every_settlement or rules.settlements_by is not None) and (table["settlement"] == "").all():
        found.append(Fault("siting.no_settlements", "every_settlement"))
    return [*found, *_name_faults(rules, table)]


def _name_faults(rules: Rules, table: pd.DataFrame) -> list[Fault]:
    """Names in the rules that no option has, and numbers per name below 0."""
    found = []
    for key in ("require", "forbid"):
        lost = [i for i in getattr(rules, key) if i not in table.index and not (table["place"] == i).any()]
        if lost:
            found.append(Fault("siting.unknown", key, {"ids": cited(lost), "known": cited(table.index)}))
    for key, column in (("floors", "unit"), ("ceilings", "unit"), ("kinds", "kind")):
        limits, known = getattr(rules, key), set(table[column].unique())
        for name, number in sorted(limits.items()):
            if number < 0:
                found.append(Fault("siting.negative", f"{key}.{name}", {"value": number}))
            if name not in known and key == "floors" and number > 0:
                found.append(Fault("siting.floor_without_candidate", f"floors.{name}", {"name": name, "n": number}))
    return found


def cited(ids: object) -> str:
    """The first few ids, as people cite them."""
    listed = [str(i) for i in ids]  # type: ignore[attr-defined]
    return ", ".join(listed[:NAMED]) + (f" … ({len(listed)})" if len(listed) > NAMED else "")
