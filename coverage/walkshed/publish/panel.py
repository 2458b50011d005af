"""What the map page says beside the map: headline, proof, proposals, gaps, units, legend, sources; zh and en."""

from typing import TYPE_CHECKING, Any

import pandas as pd
from markupsafe import Markup

from walkshed.publish.images import Cells
from walkshed.publish.scene import density_legend, kinds_shown, outlets_shown
from walkshed.sources.load import UNSTATED
from walkshed.supply import kinds
from walkshed.words import Lang, say

if TYPE_CHECKING:
    from walkshed.plan import Plan

LISTED_GAPS = 12
LANGS: tuple[Lang, Lang] = ("zh", "en")

_SCRIPT_WORDS = (
    "people", "new_site", "kind", "unit", "gained", "gap", "area", "nearest", "no_way", "near", "status", "planned",
    "settlement", "address", "seats", "before", "after", "outlets", "metres", "unnamed",
)  # fmt: skip


def panel_values(plan: "Plan", cells: Cells) -> dict[str, Any]:
    """Return what the page's template fills in."""
    return {
        "t": both,
        "named": named,
        "page_title": f"{plan.title or plan.name} · {say('map.product', 'zh')} · {say('map.product', 'en')}",
        "title": plan.title or plan.name,
        "schematic": plan.schematic,
        "approval": getattr(getattr(plan.scenario, "map", None), "approval", None),
        "limit_m": plan.limit_m,
        "totals": plan.totals,
        "proof": named(*(plan.siting.sentence(lang) for lang in LANGS)),
        "sites": _sites(plan),
        "gaps": _gaps(plan),
        "gap_count": len(plan.gaps),
        "units": pd.DataFrame(plan.units).to_dict("records"),
        "kinds": _kinds(plan),
        "ramps": density_legend(cells),
        "breaks": [f"{mark:g}" for mark in cells.breaks],
        "barriers": sorted(set(plan.barriers["kind"]) & {"river", "lake", "railway"}),
        "notes": [named(*(note.text(lang) for lang in LANGS)) for note in plan.notes],
        "licences": licences(plan),
        "inputs": plan.provenance.get("inputs", []),
        "tiles": getattr(getattr(plan.scenario, "map", None), "tiles", None),
        "script_words": {lang: {word: say(f"map.{word}", lang) for word in _SCRIPT_WORDS} for lang in LANGS},
    }


def named(zh: str, en: str) -> Markup:
    """Return both texts, escaped, of which the page shows one.

    >>> str(named("<甲>", "A"))
    '<span class="zh" lang="zh-Hans">&lt;甲&gt;</span><span class="en" lang="en">A</span>'
    """
    return Markup('<span class="zh" lang="zh-Hans">{}</span><span class="en" lang="en">{}</span>').format(zh, en)


def both(key: str, **values: object) -> Markup:
    """Return the sentence `map.<key>` in both languages, escaped."""
    return named(*(say(f"map.{key}", lang, **values) for lang in LANGS))


def licences(plan: "Plan") -> list[str]:
    """Return the licences that inputs state, each once, in the order they come."""
    found = (str(entry.get("licence") or "") for entry in plan.provenance.get("inputs", []))
    return list(dict.fromkeys(licence for licence in found if licence not in ("", UNSTATED)))


def _sites(plan: "Plan") -> list[dict[str, Any]]:
    sites = plan.sites.sort_values("order", kind="stable")
    labels, known = plan.units["label"], kinds()
    return [
        {"order": row["order"], "name": row["name"] or named(known[row["kind"]].zh, known[row["kind"]].en),
         "unit": labels.get(row["unit"], row["unit"]), "people": row["people_gained"]}
        for row in pd.DataFrame(sites).to_dict("records")
    ]  # fmt: skip


def _gaps(plan: "Plan") -> list[dict[str, Any]]:
    labels = plan.units["label"]
    return [
        {"name": row["name"] or both("unnamed"), "unit": labels.get(row["unit"], row["unit"]), "people": row["people"]}
        for row in pd.DataFrame(plan.gaps.head(LISTED_GAPS)).to_dict("records")
    ]


def _kinds(plan: "Plan") -> list[dict[str, Any]]:
    counts = outlets_shown(plan)["kind"].value_counts()
    shown = [kinds()[key] for key in kinds_shown(plan)]
    return [{"key": k.key, "name": named(k.zh, k.en), "colour": k.colour, "count": int(counts[k.key])} for k in shown]
