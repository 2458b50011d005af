"""今日: who is served today, where, and how far everybody walks."""

from collections.abc import Mapping

import altair as alt
import numpy as np
import pandas as pd
import streamlit as st

from walkshed.plan import Plan
from walkshed.views import scene
from walkshed.views.answers import Answer, answer, script_of
from walkshed.views.desk import Desk, plain
from walkshed.views.mapview import draw
from walkshed.views.waiting import waiting
from walkshed.whatif import mean_walk_m

BAR = "#2b70ae"


def show(desk: Desk) -> None:
    """Headline, map, and the same figures by unit, by group and by distance."""
    with waiting(desk):
        found = answer(desk.scenario, propose=False, with_gaps=False)
    headline(desk, found.plan)
    left, right = st.columns([5, 4], gap="medium")
    with left:
        today_map(desk, found)
    with right:
        units, groups, walks = st.tabs([desk.say("by_unit"), desk.say("by_group"), desk.say("by_distance")])
        with units:
            shares(desk, found.plan.units.set_index("label"), desk.say("unit"), outlets=True)
        with groups:
            shares(desk, found.plan.groups.rename(index=lambda g: group_name(desk, g)), desk.say("group"))
        with walks:
            distances(desk, found.plan)


def headline(desk: Desk, plan: Plan) -> None:
    """The four numbers a planner wants first."""
    totals, walk_m = plan.totals, mean_walk_m(plan.demand)
    open_now = int((plan.outlets["status"] == "open").sum())
    values = [
        ("people", f"{totals['people']:,.0f}"),
        ("served", f"{totals['served_before']:,.0f}"),
        ("share", f"{totals['share_before']:.1%}"),
        ("mean_walk", desk.say("no_way") if np.isnan(walk_m) else desk.say("metres", n=walk_m)),
        ("outlets", f"{open_now:,}"),
    ]
    for column, (key, value) in zip(st.columns(len(values)), values, strict=True):
        column.metric(desk.say(f"head_{key}"), value, help=desk.say(f"head_{key}_help", limit_m=plan.limit_m))
    if totals["off_network"] > 0:
        st.caption(desk.say("off_network", n=totals["off_network"]))


def today_map(desk: Desk, found: Answer) -> None:
    """People by who serves them, and the outlets."""
    layers, legend, note = scene.people(desk, found, ("unserved", "served"))
    dots, kinds = scene.outlets(desk, found)
    picture = scene.scene(desk, layers + dots, legend + kinds, schematic=found.plan.schematic, note=note)
    draw(script_of(found), picture, key="map")


def shares(desk: Desk, table: pd.DataFrame, what: str, *, outlets: bool = False) -> None:
    """Share served as bars in a table one can sort."""
    columns = ["share_before", "served_before", "people", *(["outlets"] if outlets else [])]
    shown = table[columns].sort_values("share_before", kind="stable").rename_axis(what)
    shown["share_before"] = 100 * shown["share_before"]
    st.dataframe(
        shown, width="stretch", height=rows_high(len(shown), 440),
        column_config={
            "share_before": st.column_config.ProgressColumn(
                desk.say("share"), format="%.1f %%", min_value=0.0, max_value=100.0, color=BAR, width=110),
            "served_before": st.column_config.NumberColumn(desk.say("served"), format="localized", width=72),
            "people": st.column_config.NumberColumn(desk.say("people"), format="localized", width=82),
            "outlets": st.column_config.NumberColumn(desk.say("outlets"), width=60),
        },
    )  # fmt: skip


def distances(desk: Desk, plan: Plan) -> None:
    """People by their walk to the nearest outlet, whatever the limit."""
    table = plan.distances.reset_index(drop=True)
    ends = table["up_to_m"]
    before = ends.shift(fill_value=0.0)
    table["walk"] = [
        desk.say("no_way") if pd.isna(end) else desk.say("over", n=start) if end == float("inf")
        else desk.say("from_to", start=start, end=end)
        for start, end in zip(before, ends, strict=True)
    ]  # fmt: skip
    table["within"] = (ends <= plan.limit_m).map({True: desk.say("within"), False: desk.say("beyond")})
    chart = alt.Chart(table).mark_bar().encode(
        x=alt.X("people:Q", title=desk.say("people"), axis=people_axis(desk)),
        y=alt.Y("walk:N", sort=None, title=None, axis=alt.Axis(labelLimit=180)),
        color=alt.Color("within:N", title=None, legend=alt.Legend(orient="bottom"),
                        scale=alt.Scale(domain=[desk.say("within"), desk.say("beyond")], range=[BAR, "#ec7f2b"])),
        tooltip=[alt.Tooltip("walk:N", title=desk.say("walk")),
                 alt.Tooltip("people:Q", title=desk.say("people"), format=",.0f")],
    ).properties(height=400)  # fmt: skip
    st.altair_chart(chart, width="stretch")
    st.caption(desk.say("distance_note", limit_m=plan.limit_m))


def people_axis(desk: Desk) -> alt.Axis:
    """An axis of people as they are read: 50 万, or 500k."""
    number = "format(datum.value / 1e4, ',') + ' 万'" if desk.lang == "zh" else "format(datum.value, '~s')"
    return alt.Axis(labelExpr=f"datum.value == 0 ? '0' : {number}", grid=True)


def rows_high(rows: int, most: int) -> int:
    """Height of a table of so many rows below its head, in pixels.

    >>> rows_high(3, 440), rows_high(50, 440)
    (142, 440)
    """
    return min(most, 35 * (rows + 1) + 2)


def group_name(desk: Desk, group: object) -> str:
    """How people read a group's name; one nobody knows is shown as it is."""
    known = {"60p", "65p", "0_14", "15_59", "60_64"}
    return desk.say(f"group_{group}") if str(group) in known else str(group)


def groups_told(desk: Desk, groups: Mapping[str, float]) -> str:
    """People by group in a line, safe to stand in a sentence."""
    told = (desk.say("group_n", group=group_name(desk, g), n=n) for g, n in groups.items() if g != "all")
    return plain(desk.say("comma").join(told))
