"""选址, what is asked: how many, for how much, when, of which kinds, and under which rules."""

from typing import Any, get_args

import pandas as pd
import streamlit as st

from walkshed.scenario import OF_ONE_MODEL, ModelName
from walkshed.supply import kinds, label
from walkshed.views.answers import answered, ground_of
from walkshed.views.desk import Desk, doing, revised

MODELS = get_args(ModelName)
BUILD_MAX, YEARS_MAX = 200, 10
FIRST_YEAR = 2026


def asked(desk: Desk) -> None:
    """A form: nothing is computed before it is sent."""
    own = desk.scenario.siting
    tag = f"{desk.saved.id if desk.saved else 0}-{desk.saved.revision if desk.saved else 0}"
    model = st.selectbox(
        desk.say("model"), MODELS, index=MODELS.index(own.model), key=f"model-{tag}",
        format_func=lambda m: desk.say(f"model_{m}"), help=desk.say(f"model_{own.model}_help"),
    )  # fmt: skip
    with st.form(f"ask-{tag}", border=False):
        given: dict[str, Any] = {"model": model}
        one, two = st.columns(2)
        given["build"] = one.number_input(
            desk.say("build"), 0, BUILD_MAX, value=own.build, placeholder=desk.say("free")
        )
        given["budget"] = two.number_input(
            desk.say("budget"), 0.0, value=own.budget, placeholder=desk.say("free"), help=desk.say("budget_help")
        )
        given |= _of_the_model(desk, model)
        with st.expander(desk.say("rules")):
            given |= _rules(desk)
        with st.expander(desk.say("rules_units")):
            given |= _per_unit(desk)
        if model in OF_ONE_MODEL["years"]:
            with st.expander(desk.say("rules_years")):
                given |= _years(desk)
        with st.expander(desk.say("rules_sites"), expanded=bool(own.required or own.forbidden)):
            given |= _sites(desk)
        sent = st.form_submit_button(desk.say("propose_it"), type="primary", width="stretch", icon=":material/search:")
    if sent:
        st.session_state.pop("stopped", None)
        doing(lambda: _commit(desk, given))()
        st.rerun()


def _commit(desk: Desk, given: dict[str, Any]) -> None:
    """Only what was said is written: a rule that is empty is no rule, and what another model asks for goes."""
    said = {**{key: None for key, models in OF_ONE_MODEL.items() if given["model"] not in models}, **given}
    new = {key: None if value in (None, {}, [], ()) else value for key, value in said.items()}
    if new["years"]:
        new["build"] = None  # the years say how many
    else:
        new["year_budgets"] = None
    how_many = sum(new["years"].values()) if new["years"] else new["build"]
    why = desk.say("why_ask", model=desk.say(f"model_{new['model']}"), n="–" if how_many is None else how_many)
    revised(desk, why, siting=new)


def _of_the_model(desk: Desk, model: str) -> dict[str, Any]:
    """The one number some models need."""
    own = desk.scenario.siting
    if model == "set_cover":
        share = st.number_input(desk.say("share_goal"), 1.0, 100.0, value=100 * (own.share or 0.5), step=1.0)
        return {"share": round(share / 100, 4)}
    if model == "p_center":
        return {"percentile": st.number_input(desk.say("percentile"), 1.0, 100.0, value=own.percentile, step=1.0)}
    if model == "capacitated_cover":
        return {"capacity": st.number_input(desk.say("capacity"), 1.0, value=own.capacity or 20_000.0, step=1_000.0)}
    if model == "backup_cover":
        return {"second": st.slider(desk.say("second"), 0.0, 1.0, value=own.second, step=0.05)}
    return {}


def _rules(desk: Desk) -> dict[str, Any]:
    own = desk.scenario.siting
    offers = [key for key, kind in kinds().items() if kind.role != "candidate"]
    built = st.multiselect(
        desk.say("built_kinds"),
        offers,
        default=list(own.kinds),
        format_func=lambda k: label(k, desk.lang),
        placeholder=desk.say("choose"),
    )
    spacing = st.number_input(
        desk.say("spacing"), 0.0, value=own.min_spacing_m or 0.0, step=100.0, help=desk.say("spacing_help")
    )
    older = st.number_input(
        desk.say("weight_60p"), 0.0, 10.0, value=float(own.group_weights.get("60p", 1.0)), step=0.1,
        help=desk.say("weight_help"),
    )  # fmt: skip
    limit_s = st.number_input(desk.say("time_limit"), 1.0, 600.0, value=own.time_limit_s, step=5.0)
    weights = {k: v for k, v in own.group_weights.items() if k != "60p"} | ({"60p": older} if older != 1.0 else {})
    return {
        "kinds": built or None,
        "min_spacing_m": spacing or None,
        "group_weights": weights,
        "time_limit_s": limit_s,
    }


def _per_unit(desk: Desk) -> dict[str, Any]:
    """At least and at most so many per unit."""
    own = desk.scenario.siting
    if not answered(desk.scenario):
        st.caption(desk.say("known_later"))
        return {"floors": dict(own.floors), "ceilings": dict(own.ceilings)}
    labels = ground_of(desk.scenario).city.area.units["label"]
    table = pd.DataFrame(
        {
            "label": labels,
            "floor": [own.floors.get(unit) for unit in labels.index],
            "ceiling": [own.ceilings.get(unit) for unit in labels.index],
        },
        index=labels.index,
    ).astype({"floor": "Int64", "ceiling": "Int64"})  # fmt: skip
    edited = st.data_editor(
        table, hide_index=True, disabled=["label"], width="stretch", height=230,
        column_config={
            "label": st.column_config.TextColumn(desk.say("unit")),
            "floor": st.column_config.NumberColumn(desk.say("at_least"), min_value=0, step=1),
            "ceiling": st.column_config.NumberColumn(desk.say("at_most"), min_value=0, step=1),
        },
    )  # fmt: skip
    return {f"{name}s": {str(u): int(n) for u, n in edited[name].dropna().items()} for name in ("floor", "ceiling")}


def _years(desk: Desk) -> dict[str, Any]:
    """How many in which year; what is built stays."""
    own = desk.scenario.siting
    table = pd.DataFrame({"year": list(own.years), "n": list(own.years.values())}, dtype="Int64")
    edited = st.data_editor(
        table, hide_index=True, num_rows="dynamic", width="stretch", height=180,
        column_config={
            "year": st.column_config.NumberColumn(desk.say("year"), min_value=1900, max_value=2200, format="%d"),
            "n": st.column_config.NumberColumn(desk.say("build"), min_value=0, step=1),
        },
    ).dropna()  # fmt: skip
    st.caption(desk.say("years_help"))
    return {"years": {int(y): int(n) for y, n in zip(edited["year"], edited["n"], strict=True)}}


def _sites(desk: Desk) -> dict[str, Any]:
    """Required and forbidden places, by name; by clicking in the view of scenarios."""
    own = desk.scenario.siting
    if not answered(desk.scenario):
        st.caption(desk.say("known_later"))
        return {"required": list(own.required), "forbidden": list(own.forbidden)}
    table = ground_of(desk.scenario).city.candidates
    added = [c.site for c in desk.scenario.change if c.type == "add" and c.status == "candidate"]
    names = {
        str(i): str(n or label(k, desk.lang)) for i, n, k in zip(table.index, table["name"], table["kind"], strict=True)
    }
    names |= {site: "" for site in [*added, *own.required, *own.forbidden] if site not in names}
    given = {
        key: st.multiselect(desk.say(key), list(names), default=list(getattr(own, key)),
                            format_func=lambda i: desk.say("named_with", name=names[i], n=i),
                            placeholder=desk.say("choose"))
        for key in ("required", "forbidden")
    }  # fmt: skip
    st.caption(desk.say("sites_by_click"))
    return given
