"""How the city of today stands, for the page: standards, plan targets, winter; all read off the plan's own walks."""

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from walkshed import compliance, targets
from walkshed.publish.page_places import told
from walkshed.publish.panel import LANGS, named
from walkshed.reach import Reach
from walkshed.standards import walking, yardsticks
from walkshed.words import say

if TYPE_CHECKING:
    from walkshed.plan import Plan


def walks_today(plan: "Plan", limit_m: float) -> Reach:
    """Everyone's walk to the nearest open outlet, as the reach of one site that stands for all of them."""
    nearest_m = plan.demand["nearest_m"].to_numpy(dtype=float)
    near = np.flatnonzero(nearest_m <= limit_m)  # NaN, no way there, is not near
    return Reach(
        site_ids=pd.Index(["nearest"]), demand_ids=plan.demand.index, ptr=np.array([0, len(near)], dtype=np.int64),
        demand=near.astype(np.int32), distance_m=nearest_m[near], limit_m=limit_m,
    )  # fmt: skip


def standards_table(plan: "Plan") -> pd.DataFrame:
    """Every unit against every walking standard; see `compliance.table`."""
    longest = compliance.longest_m()
    return compliance.table(plan.demand, list(plan.units.index), walks_today(plan, longest))


def standard_rows(plan: "Plan", table: pd.DataFrame) -> list[dict[str, Any]]:
    """One row per standard: the walk, the share of people within it, the best and the worst unit."""
    labels, rows = plan.units["label"], []
    for key in walking():
        mine = table[(table["standard"] == key) & (table["people"] > 0)]
        if mine.empty:
            continue
        best, worst = mine.iloc[int(mine["share"].argmax())], mine.iloc[int(mine["share"].argmin())]
        rows.append({
            "name": named(*(yardsticks()[key].label(lang) for lang in LANGS)),
            "own": key == plan.standard_id,
            "limit_m": mine["limit_m"].iloc[0],
            "share": mine["served"].sum() / mine["people"].sum(),
            "best": (labels[best["unit"]], best["share"]),
            "worst": (labels[worst["unit"]], worst["share"]),
        })  # fmt: skip
    return rows


def closing(plan: "Plan") -> Any:  # noqa: ANN401 - Markup or None
    """What bringing everyone within the plan's own standard would take; None where the plan's walks cannot tell."""
    problem, key = plan.problem, plan.standard_id
    if problem is None or key not in walking() or problem.reach.limit_m < yardsticks()[key].metres():
        return None
    metres = yardsticks()[key].metres()
    found = compliance.table(
        plan.demand, list(plan.units.index), walks_today(plan, metres), candidates=problem.reach, standards=[key]
    )
    sums = found[["sites_low", "sites_high", "beyond"]].sum()
    walk = [say("page.walk_metres", lang, limit_m=metres) for lang in LANGS]
    values = {"low": int(sums["sites_low"]), "high": int(sums["sites_high"]), "beyond": sums["beyond"]}
    return named(*(say("page.closing", lang, walk=w, **values) for lang, w in zip(LANGS, walk, strict=True)))


def target_rows(plan: "Plan") -> list[dict[str, Any]]:
    """Each target of the service's own plan, its verdict and its sentence."""
    places = plan.candidates.assign(unit=plan.area.unit_of(plan.candidates.geometry))
    settlements = targets.settlements_of(plan.outlets, places)
    verdicts = {True: "met", False: "missed", None: "untold"}
    return [
        {"verdict": verdicts[o.met], "label": told(f"target_{verdicts[o.met]}"),
         "text": named(*(o.sentence(lang) for lang in LANGS)), "source": f"{o.target.document}，{o.target.clause}"}
        for o in targets.outcomes(plan.outlets, plan.units["label"], settlements=settlements)
    ]  # fmt: skip


def season_rows(plan: "Plan") -> list[dict[str, Any]]:
    """The whole city in summer and winter, by walker."""
    found = compliance.seasons(plan.demand, walks_today(plan, compliance.longest_m([])))
    rows = found[found["unit"] == ""].to_dict("records")
    return [
        {**{str(k): v for k, v in row.items()},
         **{part: named(*(say(f"compliance.{row[part]}", lang) for lang in LANGS)) for part in ("walker", "season")}}
        for row in rows
    ]  # fmt: skip
