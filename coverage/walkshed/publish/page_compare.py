"""The map of a comparison: who gains, who loses and who keeps service from one plan to the other; one HTML file."""

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
from markupsafe import Markup

from walkshed.publish.compare import Comparison
from walkshed.publish.map import Drawing, leaflet, ours, templates, tiles, unclosed, web
from walkshed.publish.panel import LANGS, both, named, panel_values
from walkshed.publish.scene import in_script, view
from walkshed.words import say

if TYPE_CHECKING:
    from walkshed.plan import Plan

RENAMED = ("layer_unserved", "layer_gained", "layer_served", "layer_sites")


def compare_html(a: "Plan", b: "Plan", found: Comparison) -> bytes:
    """Return the page, UTF-8: the map of B with people coloured by what changes for them, and what `found` says.

    People whom neither plan serves are not drawn: the map is about what changes.
    """
    was, now = (plan.demand["served_after"].to_numpy(dtype=float) for plan in (a, b))
    touched = b.demand["people"].where(np.maximum(was, now) > 0, 0.0)
    drawn_as = replace(  # today's gaps would only hide what changes
        b, gaps=b.gaps.head(0),
        demand=b.demand.assign(people=touched, served_before=np.minimum(was, now), served_after=now),
    )  # fmt: skip
    drawing = Drawing.of(drawn_as)
    values = panel_values(drawn_as, drawing.cells)
    values["t"] = lambda key, **more: _word(key) if key in RENAMED else both(key, **more)
    scene = {**drawing.scene, "view": view(b), "words": values["script_words"], "tiles": tiles(b)}
    script, style = leaflet()
    values |= {
        "c": _word, "found": found, "title_a": _title(a, b), "title_b": _title(b, a),
        "schematic": a.schematic or b.schematic,
        "served": named(*(found.served(lang) for lang in LANGS)),
        "differs": [named(zh, en) for zh, en in zip(found.difference("zh"), found.difference("en"), strict=True)],
        "site_lines": [named(*(one.sentence(lang) for lang in LANGS)) for one in found.moved]
        + [_word("new", order=row["order"], name=row["name"]) for row in found.new],
        "rows": found.units.to_dict("records"), "data": ours(in_script(scene)),
        "leaflet_js": ours(script), "leaflet_css": ours(style), "map_css": ours(web("map.css")),
        "page_css": ours(web("page.css")), "map_js": ours(unclosed(web("map.js"))),
    }  # fmt: skip
    return templates().get_template("page_compare.html").render(v=values).encode()


def _title(plan: "Plan", other: "Plan") -> str:
    """What a plan is called; with its name where both have one title."""
    return plan.title if plan.title != other.title else f"{plan.title} ({plan.name})"


def _word(key: str, **values: object) -> Markup:
    """Return the sentence `compare.<key>` in both languages, escaped."""
    return named(*(say(f"compare.{key}", lang, **values) for lang in LANGS))
