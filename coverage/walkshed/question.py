"""A scenario's `[siting]` in the terms of the siting engine: options, rules and goal, on prepared ground."""

from collections.abc import Mapping

import pandas as pd

from walkshed.contracts import Progress
from walkshed.ground import Ground
from walkshed.scenario import Scenario
from walkshed.siting import Goal, Problem, Rules, Year, problem
from walkshed.supply import Kind

FAR_MODELS = ("p_median", "p_center")
"""Models about walks as such: they look beyond the walking limit."""


def ask(
    ground: Ground,
    scenario: Scenario,
    kinds: Mapping[str, Kind],
    outlets: pd.DataFrame,
    progress: Progress | None = None,
) -> Problem:
    """State the question: every place with every kind it may take, whom each reaches, and the rules.

    outlets : those that are open, with `unit`

    Raises
    ------
    InputError
        With every fault of the rules.
    """
    asked = scenario.siting
    options = options_of(ground, scenario, kinds)
    standing = _described(outlets, kinds, scenario.limit_m, capacity=asked.capacity)
    reach_m = horizon_m(scenario)
    if asked.model in FAR_MODELS:
        options, standing = options.assign(limit_m=reach_m), standing.assign(limit_m=reach_m)
    reach_m = max([reach_m, *options["limit_m"], *standing["limit_m"]])
    return problem(
        options,
        ground.candidate_walks(reach_m, progress),
        ground.city.demand,
        rules=rules_of(scenario),
        outlets=standing,
        outlet_reach=ground.walks(outlets, reach_m),
        group_weights=asked.group_weights,
        bands=tuple((band.up_to_m, band.share) for band in asked.bands),
    )


def options_of(ground: Ground, scenario: Scenario, kinds: Mapping[str, Kind]) -> pd.DataFrame:
    """Every candidate place with every kind of outlet that may go there; index: the place, or `place/kind`."""
    asked, places = scenario.siting, ground.city.candidates
    places = places.assign(unit=ground.city.area.unit_of(places.geometry))
    offered = [asked.offers.get(kind, asked.kinds) for kind in places["kind"]]
    each = places.loc[places.index.repeat([len(several) for several in offered])]
    options = _described(
        each.assign(kind=[kind for several in offered for kind in several]),
        kinds, scenario.limit_m, capacity=asked.capacity,
    )  # fmt: skip
    one_each = all(len(several) == 1 for several in offered)
    ids = options["place"] if one_each else options["place"] + "/" + options["kind"]
    return options.set_index(pd.Index(ids.astype(str), name="option_id"))


def rules_of(scenario: Scenario) -> Rules:
    """The rules of `[siting]`, and of changes that require or forbid a place."""
    asked = scenario.siting
    wanted = {tag: [change.site for change in scenario.change if change.type == tag] for tag in ("require", "forbid")}
    return Rules(
        build=sum(asked.years.values()) if asked.years and asked.build is None else asked.build,
        budget=asked.budget,
        floors=asked.floors,
        ceilings=asked.ceilings,
        kinds=asked.kind_ceilings,
        require=(*asked.required, *wanted["require"]),
        forbid=(*asked.forbidden, *wanted["forbid"]),
        spacing_m=asked.min_spacing_m or 0.0,
        every_settlement=asked.every_settlement_by is not None and not asked.years,
        settlements_by=asked.every_settlement_by if asked.years else None,
    )


def goal_of(scenario: Scenario, units: pd.Index) -> Goal:
    """What the plan is to achieve."""
    asked = scenario.siting
    per_unit = {} if asked.share_per_unit is None else dict.fromkeys(units.astype(str), asked.share_per_unit)
    return Goal(
        model=asked.model,
        serve=1.0 if asked.share is None else asked.share,
        serve_units=per_unit,
        least=asked.least,
        percentile=asked.percentile / 100.0,
        second=asked.second,
        beyond_m=horizon_m(scenario) if asked.model in FAR_MODELS else None,
    )


def years_of(scenario: Scenario) -> list[Year]:
    """Years in their order, with what may be built and spent in each."""
    asked = scenario.siting
    return [Year(year, asked.years[year], asked.year_budgets.get(year)) for year in sorted(asked.years)]


def horizon_m(scenario: Scenario) -> float:
    """How far walks are looked at: the limit, and three times it where the model is about walks as such."""
    if scenario.siting.model not in FAR_MODELS:
        return scenario.limit_m
    return scenario.siting.horizon_m or 3 * scenario.limit_m


def _described(
    sites: pd.DataFrame, kinds: Mapping[str, Kind], limit_m: float, *, capacity: float | None
) -> pd.DataFrame:
    """Sites as the engine wants them: their kind's figures, the site's own where it has them."""
    of = [kinds[kind] for kind in sites["kind"]]
    table = pd.DataFrame(
        {
            "place": sites.index.astype(str),
            "kind": sites["kind"].to_numpy(),
            "unit": sites["unit"].to_numpy(),
            "settlement": sites["settlement"].fillna("").to_numpy() if "settlement" in sites else "",
            "cost": [k.cost for k in of],
            "share": [k.share for k in of],
            "limit_m": [limit_m if k.limit_m is None else k.limit_m for k in of],
            "seats": capacity,
            "x": sites.geometry.x.to_numpy(),
            "y": sites.geometry.y.to_numpy(),
        },
        index=sites.index,
    )
    for own, column in (("cost", "cost"), ("capacity", "seats")):
        if own in sites:
            table[column] = pd.to_numeric(sites[own]).fillna(table[column])
    return table
