"""方案, two side by side: who gains, who loses, by unit and on the map."""

from dataclasses import dataclass
from typing import Any

import geopandas as gpd
import shapely
import streamlit as st

from walkshed.publish.images import RAMPS, cells_of, pictures
from walkshed.scenario import Scenario
from walkshed.views import scene
from walkshed.views.answers import Answer, answer, files_key, people_of, script_of
from walkshed.views.desk import Desk, start
from walkshed.views.mapview import draw
from walkshed.views.today import rows_high
from walkshed.views.waiting import waiting
from walkshed.whatif import Difference, compare

MAP, WIDE_M = 380, 30_000.0
WHEN = ("served_before", "served_after")
STATES = {"lose": "unserved", "gain": "gained"}  # orange and purple


@dataclass(frozen=True)
class _Side:
    name: str
    scenario: Scenario


def compared(desk: Desk) -> None:
    """Choose two, then what differs."""
    sides = {0: _Side(desk.say("as_it_comes"), start())}
    sides |= {s.id: _Side(s.name, desk.space.scenario(s)) for s in desk.space.scenarios()}
    ids = list(sides)
    now = desk.saved.id if desk.saved and desk.saved.id in sides else 0
    one, two, three = st.columns([3, 3, 3])
    a = one.selectbox(desk.say("compare_a"), ids, format_func=lambda i: sides[i].name, key="compare_a")
    b = two.selectbox(
        desk.say("compare_b"), ids, format_func=lambda i: sides[i].name, index=ids.index(now), key=f"compare_b-{now}"
    )
    when = three.selectbox(desk.say("compare_when"), WHEN, format_func=lambda w: desk.say(f"compare_{w}"), key="when")
    if a == b:
        st.info(desk.say("compare_same"))
        return
    if files_key(sides[a].scenario) != files_key(sides[b].scenario):
        st.warning(desk.say("compare_other_city"))
        return
    with waiting(desk):
        first, second = (answer(sides[i].scenario, propose=when == "served_after", with_gaps=False) for i in (a, b))
        found = compare(first.plan.demand, second.plan.demand, first.plan.units, when=when)
    _told(desk, found, first, second, when)


def _told(desk: Desk, found: Difference, first: Answer, second: Answer, when: str) -> None:
    a, b = (x.plan.totals[when] for x in (first, second))
    rate = "share_" + when.removeprefix("served_")
    values = [
        (desk.say("compare_a"), f"{a:,.0f}", f"{first.plan.totals[rate]:.1%}"),
        (desk.say("compare_b"), f"{b:,.0f}", f"{second.plan.totals[rate]:.1%}"),
        (desk.say("compare_gain"), f"{found.gain:,.0f}", None),
        (desk.say("compare_lose"), f"{found.lose:,.0f}", None),
    ]
    for column, (name, value, under) in zip(st.columns(4), values, strict=True):
        column.metric(name, value, under, delta_color="off", delta_arrow="off", height="stretch")
    left, right = st.columns([3, 2], gap="medium")
    with left:
        _map(desk, found, second)
    with right:
        columns = ["share_a", "share_b", "gain", "lose"]
        table = found.units.set_index("label").rename_axis(desk.say("unit"))[columns]
        table[columns[:2]] *= 100
        names = {c: desk.say(f"compare_{c}") for c in columns[:2]} | {
            c: desk.say(f"compare_who_{c}") for c in columns[2:]
        }
        shares = {c: st.column_config.NumberColumn(names[c], format="%.1f %%", width=66) for c in columns[:2]}
        people = {c: st.column_config.NumberColumn(names[c], format="localized", width=56) for c in columns[2:]}
        st.dataframe(table, width="stretch", height=rows_high(len(table), MAP), column_config={**shares, **people})


def _map(desk: Desk, found: Difference, of: Answer) -> None:
    layers, legend = [], []
    for key, state in STATES.items():
        images = _changed(found, of, key, state)
        if images:
            layers.append({"key": key, "draw": "images", "items": images})
            legend.append({"key": key, "colours": list(RAMPS[state]), "text": desk.say(f"compare_{key}")})
    dots, kinds = scene.outlets(desk, of)
    pins, one = scene.sites(desk, of.plan)
    picture = scene.scene(
        desk, [*layers, *dots, *pins], [*legend, *one, *kinds], schematic=of.plan.schematic,
        note="" if layers else desk.say("compare_no_one"), focus=_where(found, of),
    )  # fmt: skip
    draw(script_of(of), picture, key="map", height=MAP)


def _where(found: Difference, of: Answer) -> dict[str, Any] | None:
    """Where something changes, for the map to look at; a change all over the city leaves it where it is."""
    demand = found.demand
    some = demand[(demand["served_a"] != demand["served_b"]) & (demand["people"] > 0)]
    if some.empty:
        return None
    box = shapely.box(*some.total_bounds)
    if max(box.bounds[2] - box.bounds[0], box.bounds[3] - box.bounds[1]) > WIDE_M:
        return None
    bounds = scene.around(gpd.GeoSeries([box], crs=demand.crs))
    return {"token": f"compare-{of.key}-{bounds}", "bounds": bounds}


def _changed(found: Difference, of: Answer, key: str, state: str) -> list[dict[str, Any]]:
    """Pictures of those who gain or lose, in the classes and squares of the answer's own."""
    demand = found.demand
    rises = (demand["served_b"] - demand["served_a"]) * (1.0 if key == "gain" else -1.0)
    some = demand[(rises > 0) & (demand["people"] > 0)]
    if some.empty:
        return []
    part = some.assign(
        people=some["people"] * rises[some.index], served_before=0.0, served_after=float(state == "gained")
    )
    drawn = pictures(cells_of(part, finer=people_of(of)[1]), px_per_cell=2)
    return [{"uri": p.uri, "bounds": p.bounds} for p in drawn if p.state == state]
