"""The leadership page: one file that says in a minute what is proposed, why, and how sure that is; zh and en."""

from collections import Counter
from typing import TYPE_CHECKING, Any

import pandas as pd
from markupsafe import Markup, escape

from walkshed.compliance import MINUTES
from walkshed.publish.map import Drawing, leaflet, ours, templates, tiles, unclosed, web
from walkshed.publish.page_charts import unit_bars
from walkshed.publish.page_places import gap_of, remaining, site_cards, told
from walkshed.publish.page_standards import closing, season_rows, standard_rows, standards_table, target_rows
from walkshed.publish.page_steps import Steps, gain_pictures, site_steps
from walkshed.publish.panel import LANGS, named, panel_values
from walkshed.publish.scene import Scene, in_script
from walkshed.siting.result import CLOSE
from walkshed.standards import CUSTOM_ID, yardsticks
from walkshed.supply import kinds
from walkshed.words import Lang, say

if TYPE_CHECKING:
    from walkshed.plan import Plan


def page_html(plan: "Plan", drawing: Drawing | None = None) -> bytes:
    """Return the whole page, UTF-8. The same plan gives the same bytes; nothing in it is fetched.

    drawing : the plan drawn already, where it was
    """
    drawing = drawing or Drawing.of(plan)
    steps = Steps.of(plan)
    values = {**panel_values(plan, drawing.cells), **_values(plan, steps)}
    drawn = {**_scene(plan, drawing, steps), "words": values["script_words"], "tiles": tiles(plan)}
    script, style = leaflet()
    values |= {
        "p": told, "data": ours(in_script(drawn)), "leaflet_js": ours(script), "leaflet_css": ours(style),
        "map_css": ours(web("map.css")), "page_css": ours(web("page.css")),
        "map_js": ours(unclosed(web("map.js"))), "page_js": ours(unclosed(web("page.js"))),
    }  # fmt: skip
    return templates().get_template("page.html").render(v=values).encode()


def headline(plan: "Plan", lang: Lang) -> str:
    """What is proposed, what it does, and how much better anything else could be, in one sentence."""
    totals = {key: plan.totals[key] for key in ("people", "share_before", "share_after")}
    values = {**totals, "before": plan.totals["served_before"], "after": plan.totals["served_after"]}
    walk = walk_words(plan, lang)
    if not len(plan.sites):
        return say("page.headline_none", lang, walk=walk, **values)
    return say("page.headline", lang, what=_what(plan, lang), walk=walk, **values) + _proof(plan, lang)


def walk_words(plan: "Plan", lang: Lang) -> str:
    """How far is near enough, as the scenario has it: a standard, minutes, or metres."""
    if plan.standard_id != CUSTOM_ID:
        yardstick = yardsticks()[plan.standard_id]
        name = yardstick.zh if lang == "zh" else yardstick.en
        return say("page.walk_standard", lang, standard=name, limit_m=plan.limit_m)
    minutes = getattr(getattr(plan.scenario, "standard", None), "minutes", None)
    if minutes is not None:
        return say("page.walk_minutes", lang, minutes=minutes, limit_m=plan.limit_m)
    return say("page.walk_metres", lang, limit_m=plan.limit_m)


def _what(plan: "Plan", lang: Lang) -> str:
    """How many of which kind."""
    known = kinds()
    count = Counter(plan.sites["offer"])
    parts = [
        say("page.kind_count", lang, n=count[key], kind=known[key].zh if lang == "zh" else known[key].en)
        for key in known if key in count
    ]  # fmt: skip
    return say("page.kind_join", lang).join(parts)


def _proof(plan: "Plan", lang: Lang) -> str:
    """The bound, where it is about people served by a plan of this size; else the engine says it in its own words.

    Over years it is about their end: what as many sites could serve then, chosen for that alone.
    """
    siting = plan.siting
    if plan.years:
        end = plan.years[-1]
        more, year = end.own_bound - end.people, end.year
        if more <= CLOSE * end.people:
            return say("page.proof_year_proven", lang, year=year)
        return say("page.proof_year", lang, year=year, gap=more / max(end.people, 1.0), more=more)
    if siting.measure != "people" or siting.model not in {"max_cover", "capacitated_cover"}:
        return say("page.full_stop", lang)
    if siting.status == "proven":
        return say("page.proof_proven", lang)
    return say("page.proof_open", lang, gap=siting.gap, more=siting.bound - siting.value)


def _values(plan: "Plan", steps: Steps) -> dict[str, Any]:
    gaps, table = gap_of(plan), standards_table(plan)
    return {
        "page_title": f"{plan.title} · {say('page.product', 'zh')} · {say('page.product', 'en')}",
        "headline": named(*(headline(plan, lang) for lang in LANGS)),
        "steps": [_step(steps, number) for number in range(len(steps.times))],
        "bars": Markup(unit_bars(plan.units)),  # noqa: S704 - matplotlib escapes what it writes
        "groups": _groups(plan),
        "cards": site_cards(plan, gaps),
        "years": plan.years,
        "left": plan.totals["people"] - plan.totals["served_after"],
        "remaining": remaining(plan, gaps),
        "standards": standard_rows(plan, table),
        "closing": closing(plan),
        "targets": target_rows(plan),
        "seasons": season_rows(plan),
        "minutes": MINUTES,
        "findings": _findings(plan),
        "findings_ok": sum(finding.grade == "ok" for finding in plan.findings),
        "version_text": ", ".join(f"{name} {number}" for name, number in plan.provenance.get("versions", {}).items()),
        "seed": plan.provenance.get("seed"),
        "has_osm": any("openstreetmap" in str(e.get("licence")).lower() for e in plan.provenance.get("inputs", [])),
    }  # fmt: skip


def _step(steps: Steps, number: int) -> dict[str, Any]:
    """A time: what its button says, and what is true then."""
    now, today = steps.times[number], steps.times[0]
    values = {"people": now.people, "share": now.share}
    if not number:
        return {"label": told("today"), "text": told("step", **values)}
    label = escape(now.year) if now.year else told("with_plan")
    return {"label": label, "text": told("step_more", more=now.people - today.people, built=now.built, **values)}


def _groups(plan: "Plan") -> list[dict[str, Any]]:
    rows = pd.DataFrame(plan.groups).rename_axis("group").reset_index().to_dict("records")
    return [
        {
            **{str(k): v for k, v in row.items()},
            "name": named(*(group_words(str(row["group"]), lang) for lang in LANGS)),
        }
        for row in rows
    ]


def group_words(group: str, lang: Lang) -> str:
    """Name of a population group; its key where we know no other.

    >>> group_words("60p", "en"), group_words("students", "en")
    ('60 and older', 'group students')
    """
    try:
        return say(f"page.group_{group}", lang)
    except KeyError:
        return say("page.group", lang, group=group)


def _findings(plan: "Plan") -> list[dict[str, Any]]:
    """What the trust report says to look at, the worst first."""
    bad = sorted((f for f in plan.findings if f.grade != "ok"), key=lambda f: f.grade != "stop")
    return [
        {"grade": f.grade, "label": told(f"grade_{f.grade}"), "text": named(*(f.text(lang) for lang in LANGS)),
         "advice": named(*(f.advice(lang) for lang in LANGS)) if f.advice("en") else ""}
        for f in bad
    ]  # fmt: skip


def _scene(plan: "Plan", drawing: Drawing, steps: Steps) -> Scene:
    """The map's scene, with what is gained told apart by the time it is."""
    kept = [
        {**level, "images": [image for image in level["images"] if image["state"] != "gained"]}
        for level in drawing.scene["pictures"]["levels"]
    ]
    at = site_steps(plan, steps)
    sites = [{**site, "step": step} for site, step in zip(drawing.scene["sites"], at, strict=True)]
    gains = {"levels": gain_pictures(plan, drawing, steps)}
    return {**drawing.scene, "sites": sites, "pictures": {"levels": kept}, "gains": gains}
