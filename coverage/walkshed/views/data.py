"""数据: where everything comes from, what it is worth, outlets of one's own, and other cities of the workspace."""

import pandas as pd
import streamlit as st

from walkshed.scenario import Scenario
from walkshed.trust import worst
from walkshed.views.answers import Answer, answer
from walkshed.views.data_outlets import own_outlets
from walkshed.views.desk import Desk, doing, note, plain
from walkshed.views.desk import show as open_saved
from walkshed.views.waiting import waiting

SIGNS = {"ok": "✓", "look": "!", "stop": "✕"}


def show(desk: Desk) -> None:
    """Sources and the report side by side with the table of outlets and the cities."""
    with waiting(desk):
        found = answer(desk.scenario, propose=False, with_gaps=False)
    trust, outlets, sources, cities = st.tabs(
        [desk.say(f"data_{k}") for k in ("trust", "outlets", "sources", "cities")]
    )
    with trust:
        report(desk, found)
    with outlets:
        own_outlets(desk, found)
    with sources:
        inputs(desk, found)
    with cities:
        switch(desk)


def report(desk: Desk, found: Answer) -> None:
    """What the data are worth: every finding with its grade and what to do about it."""
    plan = found.plan
    findings = plan.findings
    if not findings:
        st.info(desk.say("trust_none"))
        return
    grade = worst(findings)
    {"ok": st.success, "look": st.warning, "stop": st.error}[grade](desk.say(f"trust_{grade}"))
    order = {"stop": 0, "look": 1, "ok": 2}
    ranked = sorted(findings, key=lambda f: order[f.grade])
    table = pd.DataFrame(
        {
            "grade": [f"{SIGNS[f.grade]} {desk.say(f'grade_{f.grade}')}" for f in ranked],
            "found": [f.text(desk.lang) for f in ranked],
            "do": [f.advice(desk.lang) for f in ranked],
        }
    )
    st.table(
        table.rename(columns={c: desk.say(f"trust_column_{c}") for c in table}).set_index(
            desk.say("trust_column_grade")
        )
    )


def inputs(desk: Desk, found: Answer) -> None:
    """Files the answer rests on, their licences, and what there is to tell of them."""
    plan = found.plan
    table = pd.DataFrame(plan.provenance["inputs"], columns=["name", "licence", "sha256"])
    table["sha256"] = table["sha256"].str[:16]
    if table.empty:
        st.info(desk.say("inputs_none"))
    else:
        st.dataframe(
            table, hide_index=True, width="stretch",
            column_config={
                "name": st.column_config.TextColumn(desk.say("file")),
                "licence": st.column_config.TextColumn(desk.say("licence")),
                "sha256": st.column_config.TextColumn("SHA-256"),
            },
        )  # fmt: skip
    for told in plan.notes:
        st.caption(plain(told.text(desk.lang)))
    versions = ", ".join(f"{name} {number}" for name, number in plan.provenance["versions"].items())
    st.caption(desk.say("versions_are", versions=plain(versions), seed=plan.provenance["seed"]))


def switch(desk: Desk) -> None:
    """Open the scenario of a folder of the workspace: a city that somebody fetched or brought."""
    cities = desk.space.cities()
    st.caption(desk.say("cities_help", folder=plain(desk.space.folder.absolute())))
    if not cities:
        st.info(desk.say("cities_none"))
        return
    city = st.selectbox(desk.say("city"), cities)

    def turn() -> None:
        scenario = Scenario.read(desk.space.folder / city)
        why = note(desk.say("why_city", name=city))
        open_saved(desk.space.create(scenario, name=scenario.title or city, note=why, folder=city))

    st.button(desk.say("city_open"), on_click=doing(turn), type="primary")
