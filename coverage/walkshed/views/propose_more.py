"""选址, around the answer: what one more site would bring, how firmly the plan stands, and the years one by one."""

import altair as alt
import pandas as pd
import streamlit as st

from walkshed.plan import Plan
from walkshed.siting import Problem, curve, robustness
from walkshed.views.answers import Answer, extra
from walkshed.views.desk import Desk
from walkshed.views.today import people_axis
from walkshed.views.waiting import waiting

STEPS, RUNS = 8, 20


def more(desk: Desk, found: Answer) -> None:
    """Behind a click each: they solve the question again and again."""
    plan = found.plan
    if plan.years:
        with st.expander(desk.say("by_year"), expanded=True):
            _years(desk, plan)
    problem = plan.problem
    if problem is None or plan.siting.model != "max_cover" or plan.years:
        return
    with st.expander(desk.say("curve")):
        if st.toggle(desk.say("curve_it"), key=f"curve-{found.key}", help=desk.say("curve_help")):
            with waiting(desk, "solving"):
                table = extra(found, "curve", lambda: curve(problem, steps_of(problem), seed=plan.scenario.seed))
            _curve(desk, table)
    with st.expander(desk.say("robust")):
        if st.toggle(desk.say("robust_it"), key=f"robust-{found.key}", help=desk.say("robust_help", runs=RUNS)):
            with waiting(desk, "solving"):
                table = extra(found, "robust", lambda: robustness(problem, runs=RUNS, seed=plan.scenario.seed))
            _robust(desk, plan, table)


def steps_of(problem: Problem) -> list[int]:
    """Numbers of sites around the one that was asked for, up to twice as many."""
    most = min(max(2 * problem.build, STEPS), int(problem.options["place"].nunique()))
    return sorted({round(1 + i * (most - 1) / (STEPS - 1)) for i in range(STEPS)} | {problem.build} - {0})


def _curve(desk: Desk, table: pd.DataFrame) -> None:
    shown = table.dropna(subset=["people"]).reset_index()
    base = alt.Chart(shown).encode(
        x=alt.X("build:Q", title=desk.say("build"), axis=alt.Axis(tickMinStep=1, format="d"))
    )
    people = alt.Y("people:Q", title=desk.say("served"), scale=alt.Scale(zero=False), axis=people_axis(desk))
    line = base.mark_line(color="#5c1075", point=True).encode(
        y=people,
        tooltip=[alt.Tooltip("build:Q", title=desk.say("build")),
                 alt.Tooltip("people:Q", title=desk.say("served"), format=",.0f"),
                 alt.Tooltip("next:Q", title=desk.say("next_step"), format=",.0f")],
    )  # fmt: skip
    bound = base.mark_line(color="#6b6f76", strokeDash=[4, 4]).encode(y=alt.Y("bound:Q"))
    st.altair_chart(line + bound, width="stretch", height=240)
    st.caption(desk.say("curve_note"))


def _robust(desk: Desk, plan: Plan, table: pd.DataFrame) -> None:
    names = plan.candidates["name"]
    shown = table.assign(
        name=[names.get(str(i).split("/")[0], str(i)) for i in table.index],
        here=[str(i) in plan.siting.chosen for i in table.index],
    )
    st.dataframe(
        shown[["name", "here", "chosen"]], hide_index=True, width="stretch", height=240,
        column_config={
            "name": st.column_config.TextColumn(desk.say("place")),
            "here": st.column_config.CheckboxColumn(desk.say("in_plan")),
            "chosen": st.column_config.ProgressColumn(
                desk.say("how_often"), min_value=0.0, max_value=1.0, format="percent"),
        },
    )  # fmt: skip


def _years(desk: Desk, plan: Plan) -> None:
    table = pd.DataFrame(
        {
            "year": [phase.year for phase in plan.years],
            "built": [len(phase.built) for phase in plan.years],
            "people": [phase.people for phase in plan.years],
            "price": [phase.price for phase in plan.years],
        }
    )
    st.dataframe(
        table, hide_index=True, width="stretch",
        column_config={
            "year": st.column_config.NumberColumn(desk.say("year"), format="%d"),
            "built": st.column_config.NumberColumn(desk.say("build")),
            "people": st.column_config.NumberColumn(desk.say("served"), format="localized"),
            "price": st.column_config.NumberColumn(
                desk.say("order_price"), format="localized", help=desk.say("order_help")),
        },
    )  # fmt: skip
