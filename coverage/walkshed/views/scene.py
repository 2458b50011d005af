"""What the app's map shows over a city, as plain values for its script: people, outlets, gaps, proposals, a pin."""

from collections.abc import Collection
from typing import TYPE_CHECKING, Any

import geopandas as gpd
import numpy as np
import pandas as pd

from walkshed.publish.images import RAMPS, STATES
from walkshed.publish.scene import density_legend, glyphs, kinds_shown
from walkshed.supply import kinds, label
from walkshed.views.answers import Answer, extra, people_of, spots_of
from walkshed.views.desk import Desk
from walkshed.views.shapes import degrees_of, filled, shapes, steadily

if TYPE_CHECKING:
    from walkshed.plan import Plan

Item = dict[str, Any]
Layer = dict[str, Any]

DRAWN_GAPS = 150
GREY = "#6b6f76"


def scene(desk: Desk, layers: list[Layer], legend: list[Item], *, focus: Item | None = None, schematic: bool = False,
          aim: bool = False, note: str = "") -> Item:  # fmt: skip
    """Put layers together. focus : `bounds` to look at and a `token` that says whether that has been done already."""
    return {
        "layers": layers,
        "legend": legend,
        "label": desk.say("map_label"),
        "title": desk.say("legend"),
        "stamp": desk.say("schematic") if schematic else "",
        "focus": focus,
        "aim": aim,
        "note": note,
    }


def people(desk: Desk, found: Answer, states: tuple[str, ...] = STATES) -> tuple[list[Layer], list[Item], str]:
    """People as pictures, their legend, and the sentence on its classes."""
    pictures, cells = people_of(found)
    there = [state for state in states if any(p["state"] == state for p in pictures)]
    layers = [{"key": s, "draw": "images", "items": [p for p in pictures if p["state"] == s]} for s in there]
    ramps = density_legend(cells)
    legend = [{"key": s, "colours": ramps[s], "text": desk.say(f"legend_{s}")} for s in there]
    marks = " / ".join(f"{mark:g}" for mark in cells.breaks)
    return layers, legend, desk.say("legend_density", marks=marks) if marks else ""


def outlets(desk: Desk, found: Answer) -> tuple[list[Layer], list[Item]]:
    """Outlets of today by kind; planned and closed ones told apart."""
    return extra(found, f"outlets {desk.lang}", lambda: _outlets(desk, found))


def _outlets(desk: Desk, found: Answer) -> tuple[list[Layer], list[Item]]:
    plan = found.plan
    table, known, shown = plan.outlets, kinds(), kinds_shown(plan)
    signs = dict(zip(shown, glyphs([known[key].zh for key in shown]), strict=True))
    labels = plan.units["label"]
    items = [
        {"at": at, "glyph": signs.get(row["kind"], ""), "colour": known[row["kind"]].colour, "status": row["status"],
         "tip": [str(row["name"] or label(row["kind"], desk.lang)),
                 " · ".join(filter(None, [label(row["kind"], desk.lang), str(labels.get(row["unit"], "")),
                                         desk.say(f"status_{row['status']}") if row["status"] != "open" else ""]))],
         "kind": row["kind"]}
        for row, at in zip(pd.DataFrame(table).to_dict("records"), spots_of(found)[0], strict=True)
    ]  # fmt: skip
    layers = [{"key": f"outlets:{k}", "draw": "outlets", "items": [i for i in items if i["kind"] == k]} for k in shown]
    legend = [
        {"key": f"outlets:{k}", "shape": "round", "colour": known[k].colour, "text": label(k, desk.lang)} for k in shown
    ]
    return layers, legend


def gaps(desk: Desk, found: Answer, table: gpd.GeoDataFrame, chosen: str | None) -> tuple[list[Layer], Item]:
    """Gaps as outlines, numbered as the list numbers them; `rank` is the column of numbers."""
    drawn = table.head(DRAWN_GAPS) if chosen is None or chosen in table.index[:DRAWN_GAPS] else pd.concat(
        [table.head(DRAWN_GAPS), table.loc[[chosen]]])  # fmt: skip
    drawn = drawn.iloc[::-1]  # the largest on top
    outlines, at = extra(found, f"gaps {' '.join(map(str, drawn.index))}", lambda: _outlined(drawn))
    labels = found.plan.units["label"]
    rows: list[tuple[Any, Item]] = list(zip(drawn.index, pd.DataFrame(drawn).to_dict("records"), strict=True))  # type: ignore[arg-type]
    items = [
        {"shape": shape, "chosen": key == chosen,
         "tip": [f"{row['rank']}. {row['name']}", _counted(desk, row, labels)]}
        for (key, row), shape in zip(rows, outlines, strict=True)
    ]  # fmt: skip
    ranks = [
        {"at": where, "text": str(row["rank"]), "from": _from_zoom(row["rank"]), "above": 500}
        for (_, row), where in zip(rows, at, strict=True)
    ]
    layers = [{"key": "gaps", "draw": "gaps", "items": items}, {"key": "gaps", "draw": "ranks", "items": ranks}]
    return layers, {"key": "gaps", "shape": "dash", "text": desk.say("legend_gaps")}


def _outlined(gaps: gpd.GeoDataFrame) -> tuple[list[Item], list[list[float]]]:
    """Shapes of gaps, and where their numbers stand."""
    return shapes(filled(gaps.geometry), 30.0), degrees_of(gpd.GeoSeries(gaps.representative_point()))


def _counted(desk: Desk, gap: Item, labels: "pd.Series[str]") -> str:
    return desk.say("people_in", n=gap["people"], unit=labels.get(gap["unit"], ""))


def _from_zoom(rank: int) -> float:
    return next((zoom for last, zoom in ((10, 10.0), (25, 12.0), (60, 13.0)) if rank <= last), 14.0)


def sites(desk: Desk, plan: "Plan") -> tuple[list[Layer], list[Item]]:
    """Proposed sites, numbered in building order."""
    if plan.sites.empty:
        return [], []
    items = [
        {"at": at, "text": str(row["order"]), "above": 2000,
         "tip": [str(row["name"] or label(row["kind"], desk.lang)), desk.say("gains", n=row["people_gained"])]}
        for row, at in zip(pd.DataFrame(plan.sites).to_dict("records"), degrees_of(plan.sites.geometry), strict=True)
    ]  # fmt: skip
    legend = {"key": "sites", "shape": "round", "colour": RAMPS["gained"][3], "text": desk.say("legend_sites")}
    return [{"key": "sites", "draw": "sites", "items": items}], [legend]


def places(desk: Desk, found: Answer, ids: Collection[str] | None = None, *, colours: dict[str, str] | None = None
           ) -> tuple[list[Layer], list[Item]]:  # fmt: skip
    """Candidate places as small dots: some by their ids, or all, which the map knows already and shows close up.

    colours : of some of them, by id
    """
    marked, whole = colours or {}, found.plan.candidates
    layers: list[Layer] = []
    if ids is None:
        ids = [*extra(found, "places of its own", lambda: _own_places(found)), *marked]
        layers = [{"key": "places", "draw": "candidates", "lang": int(desk.lang == "en"),
                   "hide": sorted(map(str, ids)), "items": []}]  # fmt: skip
    at = np.unique(whole.index.get_indexer(pd.Index(list(ids), dtype=object)))
    at = at[at >= 0]
    where = spots_of(found)[1]
    items: list[Item] = [
        {"at": where[n], "colour": marked.get(str(key), GREY), "radius": 7 if key in marked else 4,
         "tip": [str(name or label(kind, desk.lang)), label(kind, desk.lang)]}
        for n, key, name, kind in zip(
            at, whole.index[at], whole["name"].iloc[at], whole["kind"].iloc[at], strict=True)
    ]  # fmt: skip
    legend: Item = {"key": "places", "shape": "round", "colour": GREY, "text": desk.say("legend_places")}
    return [*layers, {"key": "places", "draw": "places", "items": items}], [legend]


def _own_places(found: Answer) -> list[str]:
    """Candidates that the scenario added or moved: the map knows them not at all, or elsewhere."""
    whole, known = found.plan.candidates.index, found.ground.city.candidates.index
    moved = {change.site for change in found.plan.scenario.change if change.type == "move"}
    return [*whole.difference(known), *moved.intersection(whole)]


def around(geometry: gpd.GeoSeries, margin_m: float = 300.0) -> list[list[float]]:
    """Corners [[south, west], [north, east]] around geometries, for the map to look at."""
    box = steadily(lambda: gpd.GeoSeries(geometry.buffer(margin_m)).to_crs("EPSG:4326").total_bounds)
    west, south, east, north = (round(float(side), 6) for side in box)
    return [[south, west], [north, east]]
