"""选址: ask for new sites under rules, and get a plan that says how sure it is and can be argued with."""

import time
from concurrent.futures import Future

import pandas as pd
import streamlit as st

from walkshed.errors import InfeasibleError
from walkshed.plan import Plan
from walkshed.supply import label
from walkshed.views import scene
from walkshed.views.answers import Answer, later, script_of
from walkshed.views.desk import Desk, plain
from walkshed.views.mapview import draw
from walkshed.views.propose_form import asked
from walkshed.views.propose_more import more
from walkshed.views.propose_rules import relaxed
from walkshed.views.propose_site import card
from walkshed.views.today import rows_high

MAP, LOOK_S, AT_ONCE_S = 330, 0.5, 1.5


def show(desk: Desk) -> None:
    """What is asked on the left, what comes out on the right."""
    left, right = st.columns([3, 8], gap="medium")
    with left:
        asked(desk)
    with right:
        if not desk.scenario.siting.asks:
            st.info(desk.say("ask_nothing"))
            return
        coming = later(desk.scenario)
        if not _soon(coming):
            if st.session_state.get("stopped") == id(coming):
                st.warning(desk.say("stopped"))
            else:
                _running(desk, coming)
            return
        try:
            found = coming.result()
        except InfeasibleError as error:
            relaxed(desk, error)
            return
        told(desk, found)


def _soon(coming: "Future[Answer]") -> bool:
    """Whether the answer is there, or comes at once; a progress bar that flashes by helps nobody."""
    end = time.monotonic() + AT_ONCE_S
    while not coming.done() and time.monotonic() < end:
        time.sleep(0.02)
    return coming.done()


def _running(desk: Desk, coming: "Future[Answer]") -> None:
    """Progress and a stop button while the answer is worked out; whatever happens, the page stays one's own."""
    began = st.session_state.setdefault(f"began-{id(coming)}", time.monotonic())
    limit_s = desk.scenario.siting.time_limit_s

    @st.fragment(run_every=LOOK_S)
    def look() -> None:
        if coming.done():
            st.rerun()
        gone = time.monotonic() - began
        st.progress(min(gone / (limit_s + gone), 0.99), desk.say("running", gone=gone, limit=limit_s))

        def stop() -> None:
            st.session_state["stopped"] = id(coming)

        if st.button(desk.say("stop"), icon=":material/stop_circle:", on_click=stop):
            st.rerun()

    look()


def told(desk: Desk, found: Answer) -> None:
    """The answer: how many more people, how sure that is, where, and what else one may want to know."""
    plan = found.plan
    totals = plan.totals
    values = [
        ("prop_before", totals["served_before"], f"{totals['share_before']:.1%}"),
        ("prop_after", totals["served_after"], f"{totals['share_after']:.1%}"),
        ("prop_more", totals["served_after"] - totals["served_before"], desk.say("sites_n", n=len(plan.sites))),
    ]
    for column, (key, value, under) in zip(st.columns(3), values, strict=True):
        column.metric(desk.say(key), f"{value:,.0f}", under, delta_color="off", delta_arrow="off")
    st.markdown(f"**{plain(plan.siting.status_text(desk.lang))}** · {plain(plan.siting.sentence(desk.lang))}")
    for note in plan.siting.notes:
        st.caption(plain(note.text(desk.lang)))
    left, right = st.columns([1, 1], gap="small")
    with right:
        chosen = listed(desk, plan)
    with left:
        _map(desk, found, chosen)
    if chosen is not None:
        card(desk, found, chosen)
    more(desk, found)


def listed(desk: Desk, plan: Plan) -> str | None:
    """Proposed sites in building order; returns the id of the one that is chosen."""
    columns = ["order", "name", "people_gained", *(["year"] if plan.years else []), "unit"]
    table = pd.DataFrame(plan.sites).assign(
        unit=plan.sites["unit"].map(plan.units["label"]),
        name=[n or label(k, desk.lang) for n, k in zip(plan.sites["name"], plan.sites["kind"], strict=True)],
        people_gained=plan.sites["people_gained"].round().astype("Int64"),
    )
    picked = st.dataframe(
        table[columns], hide_index=True, width="stretch", height=rows_high(len(table), MAP),
        on_select="rerun", selection_mode="single-row",
        key=f"sites-{desk.saved.revision if desk.saved else 0}",
        column_config={
            "order": st.column_config.NumberColumn(desk.say("rank"), width=30),
            "name": st.column_config.TextColumn(desk.say("place"), width=112),
            "unit": st.column_config.TextColumn(desk.say("unit"), width=60),
            "people_gained": st.column_config.NumberColumn(desk.say("gained"), format="localized", width=62),
            "year": st.column_config.NumberColumn(desk.say("year"), format="%d", width=45),
        },
    )  # fmt: skip
    rows = picked["selection"]["rows"]
    if not rows:
        st.caption(desk.say("sites_choose"))
    return str(plan.sites.index[rows[0]]) if rows and rows[0] < len(plan.sites) else None


def _map(desk: Desk, found: Answer, chosen: str | None) -> None:
    plan = found.plan
    layers, legend, note = scene.people(desk, found)
    dots, kinds = scene.outlets(desk, found)
    pins, one = scene.sites(desk, plan)
    focus = None
    if chosen is None and not plan.sites.empty:
        focus = {"token": f"sites-{found.key}", "bounds": scene.around(plan.sites.geometry, plan.limit_m)}
    elif chosen is not None:
        focus = {"token": f"site-{chosen}", "bounds": scene.around(plan.sites.loc[[chosen]].geometry, plan.limit_m)}
    picture = scene.scene(
        desk, [*layers, *dots, *pins], [*one, *legend, *kinds], schematic=plan.schematic, note=note, focus=focus
    )
    draw(script_of(found), picture, key="map", height=MAP)
