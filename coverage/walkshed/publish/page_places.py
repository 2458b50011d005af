"""Places on the page: a card for each proposed site, and the gaps that remain with the smallest fix of each."""

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import shapely
from markupsafe import Markup

from walkshed.contracts import FloatArray, IntArray
from walkshed.gaps import GRAIN_M
from walkshed.publish.panel import LANGS, both, named
from walkshed.supply import kinds
from walkshed.words import Lang, say

if TYPE_CHECKING:
    from walkshed.plan import Plan
    from walkshed.siting import Why

LISTED = 12  # gaps told of
FILLED = 2  # gaps named on a site's card
ONE = 0.5  # fewer people than this are a matter of rounding


def told(key: str, **values: object) -> Markup:
    """Return the sentence `page.<key>` in both languages, escaped."""
    return named(*(say(f"page.{key}", lang, **values) for lang in LANGS))


def gap_of(plan: "Plan") -> IntArray:
    """Position in `plan.gaps` of the gap each demand point lies in; int64 (demand,), -1 in none.

    A gap is made of squares of `GRAIN_M`; a point belongs to its square, even on the edge of it.
    """
    at = np.floor(shapely.get_coordinates(plan.demand.geometry.array) / GRAIN_M).astype(np.int64)
    _, first, square = np.unique(at[:, 0] * 2**32 + at[:, 1], return_index=True, return_inverse=True)
    gap, inside = shapely.STRtree(np.asarray(shapely.points((at[first] + 0.5) * GRAIN_M))).query(
        plan.gaps.geometry.array, predicate="contains"
    )
    of_square = np.full(len(first), -1, np.int64)
    of_square[inside[::-1]] = gap[::-1]
    return np.asarray(of_square[square])


def place_name(plan: "Plan", place: str, lang: Lang) -> str:
    """Name of a candidate place; its kind where it has none."""
    if place not in plan.candidates.index:
        return place
    kind = kinds()[str(plan.candidates["kind"].loc[place])]
    return str(plan.candidates["name"].loc[place] or (kind.zh if lang == "zh" else kind.en))


def site_cards(plan: "Plan", gaps: IntArray) -> list[dict[str, Any]]:
    """Return what each card says, in building order."""
    known, labels = kinds(), plan.units["label"]
    why = dict(zip(plan.siting.chosen, plan.why, strict=True)) if plan.why else {}
    option = list(plan.siting.chosen) or list(plan.sites.index)
    fills = _fills(plan, gaps)
    cards = []
    for number, row in enumerate(pd.DataFrame(plan.sites).to_dict("records")):
        place, offer = known[row["kind"]], known[row["offer"]]
        reasons = why.get(option[number])
        cards.append({
            "order": row["order"],
            "year": row["year"],
            "name": row["name"] or named(place.zh, place.en),
            "unit": labels.get(row["unit"], row["unit"]),
            "built_as": named(*(
                say("page.built_as", lang, place=_label(place, lang), offer=_label(offer, lang)) for lang in LANGS
            )),
            "people": row["people_gained"],
            "why": named(*(reason(plan, reasons, lang) for lang in LANGS)) if reasons else None,
            "verdict": reasons.verdict if reasons else None,
            "fills": fills[number] if fills else [],
        })  # fmt: skip
    return cards


def _label(kind: Any, lang: Lang) -> str:  # noqa: ANN401 - a Kind
    return str(kind.zh if lang == "zh" else kind.en)


def reason(plan: "Plan", reasons: "Why", lang: Lang) -> str:
    """The engine's own sentence, with names people know in place of ids."""

    def name(option: str) -> str:
        if plan.problem is not None and option in plan.problem.options.index:
            option = str(plan.problem.options["place"].loc[option])
        return place_name(plan, option, lang)

    instead = None if reasons.next_best is None else name(reasons.next_best)
    return replace(reasons, site=name(reasons.site), next_best=instead).sentence(lang)


def _fills(plan: "Plan", gaps: IntArray) -> list[list[Markup]]:
    """For each site the gaps whose people it newly serves, the largest part first; people count at their first site."""
    if plan.problem is None:
        return []
    left = _people(plan) * (_served(plan, "after") - _served(plan, "before"))
    reach, found = plan.problem.reach, []
    for at in plan.problem.at(plan.siting.chosen).tolist():
        members = reach.demand[reach.ptr[at] : reach.ptr[at + 1]]
        mine = members[gaps[members] >= 0]
        by_gap = np.bincount(gaps[mine], left[mine], minlength=len(plan.gaps))
        left[members] = 0.0
        most = [gap for gap in np.argsort(-by_gap, kind="stable")[:FILLED].tolist() if by_gap[gap] > ONE]
        found.append([
            told("fills", number=gap + 1, name=plan.gaps["name"].iloc[gap] or say("map.unnamed"), people=by_gap[gap])
            for gap in most
        ])  # fmt: skip
    return found


def remaining(plan: "Plan", gaps: IntArray) -> list[dict[str, Any]]:
    """Gaps with the most people left out once everything proposed is built: people, and the smallest fix."""
    inside = gaps >= 0
    without = _people(plan) * (1.0 - _served(plan, "after"))
    left = np.bincount(gaps[inside], without[inside], minlength=len(plan.gaps))
    most = [gap for gap in np.argsort(-left, kind="stable")[:LISTED].tolist() if left[gap] > ONE]
    fixes = _fixes(plan, gaps, most)
    rows = pd.DataFrame(plan.gaps).to_dict("records")
    labels = plan.units["label"]
    return [
        {"number": gap + 1, "name": rows[gap]["name"] or both("unnamed"), "left": left[gap],
         "unit": labels.get(rows[gap]["unit"], rows[gap]["unit"]), "fix": _fix(plan, fix, float(left[gap]))}
        for gap, fix in zip(most, fixes, strict=True)
    ]  # fmt: skip


def _fixes(plan: "Plan", gaps: IntArray, most: list[int]) -> list[tuple[str, float]]:
    """For each of `most` the place that would serve most of the people left, and how many; '' where none would."""
    problem = plan.problem
    if problem is None or not most:
        return [("", 0.0) for _ in most]
    rank = np.full(len(plan.gaps) + 1, -1, np.int64)
    rank[most] = np.arange(len(most))
    of_pair = rank[gaps][problem.reach.demand]
    pair = np.flatnonzero(of_pair >= 0)
    member = problem.reach.demand[pair]
    gain = _people(plan)[member] * np.maximum(problem.share[pair] - _served(plan, "after")[member], 0.0)
    option = np.repeat(np.arange(len(problem.options)), np.diff(problem.reach.ptr))[pair]
    size = len(problem.options), len(most)
    worth = np.bincount(option * size[1] + of_pair[pair], gain, minlength=size[0] * size[1]).reshape(size)
    best = worth.argmax(axis=0)
    people = worth[best, np.arange(len(most))]
    places = problem.options["place"].to_numpy()[best]
    return [(str(p) if n > ONE else "", float(n)) for p, n in zip(places, people, strict=True)]


def _fix(plan: "Plan", fix: tuple[str, float], left: float) -> Markup:
    place, people = fix
    if not place:
        return told("fix_none")
    share = min(1.0, people / left)
    return named(*(
        say("page.fix_one", lang, name=place_name(plan, place, lang), people=people, share=share) for lang in LANGS
    ))  # fmt: skip


def _people(plan: "Plan") -> FloatArray:
    return np.asarray(plan.demand["people"], dtype=float)


def _served(plan: "Plan", when: str) -> FloatArray:
    return np.asarray(plan.demand[f"served_{when}"], dtype=float)
