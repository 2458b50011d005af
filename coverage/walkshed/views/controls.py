"""The left side of the page: the scenario that is open, how far is near enough, and which kinds of outlets count."""

from collections.abc import Callable
from typing import Any

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from walkshed.standards import CUSTOM_ID, DEFAULT_ID, walking, yardsticks
from walkshed.supply import kinds, label
from walkshed.views.answers import ground_of
from walkshed.views.desk import Desk, commit, doing, note, plain, revised, show
from walkshed.words import Lang

WAYS = ("standard", "metres", "minutes")
WALKERS, SEASONS = ("adult", "older"), ("bare", "winter", "ice")
METRES, MINUTES = (200, 3_000, 50), (3, 45, 1)


def sidebar(desk: Desk) -> DeltaGenerator:
    """Draw it all; returns where the kinds go, which are known once the city is read."""
    head, switch = st.columns([5, 3], vertical_alignment="center")
    head.markdown(f"**{desk.say('title')}**")
    switch.button(desk.say("other_language"), on_click=speak(desk.lang), width="stretch", type="tertiary")
    opened(desk)
    steps(desk)
    st.divider()
    near_enough(desk)
    kinds_here = st.container()
    if desk.scenario.schematic:
        st.caption(desk.say("schematic_long"))
    if st.user.get("is_logged_in"):
        st.button(desk.say("sign_out", who=note("").who), on_click=st.logout, width="stretch", type="tertiary")
    return kinds_here


def speak(lang: Lang) -> Callable[[], None]:
    """What the button does that says the same in the other language."""
    other = "en" if lang == "zh" else "zh"

    def turn() -> None:
        st.query_params["lang"] = other

    return turn


def opened(desk: Desk) -> None:
    """Choose what is open: the city as it comes, or a saved scenario."""
    saved = {s.id: s for s in desk.space.scenarios()}
    if desk.saved:
        saved.setdefault(desk.saved.id, desk.saved)
    st.session_state["open"] = desk.saved.id if desk.saved else 0

    def turn() -> None:
        chosen = st.session_state["open"]
        st.session_state.pop("conflict", None)
        show(desk.space.get(chosen) if chosen else None)

    st.selectbox(
        desk.say("scenario"), [0, *saved], key="open", on_change=doing(turn),
        format_func=lambda i: saved[i].name if i else desk.say("as_it_comes"),
    )  # fmt: skip


def steps(desk: Desk) -> None:
    """Undo and redo, and what the last change was."""
    saved = desk.saved
    back, forward = st.columns(2)
    back.button(
        desk.say("undo"), disabled=not (saved and saved.can_undo), width="stretch", icon=":material/undo:",
        on_click=doing(lambda: show(desk.space.undo(saved)) if saved else None),
    )  # fmt: skip
    forward.button(
        desk.say("redo"), disabled=not (saved and saved.can_redo), width="stretch", icon=":material/redo:",
        on_click=doing(lambda: show(desk.space.redo(saved)) if saved else None),
    )  # fmt: skip
    if saved:
        st.caption(desk.say("last_change", why=plain(saved.note.why), version=saved.version))
    else:
        st.caption(desk.say("nothing_changed"))


def near_enough(desk: Desk) -> None:
    """The walking limit: of a standard, in metres, or in minutes for a walker and a season."""
    own = desk.scenario.standard
    way = "metres" if own.limit_m is not None else "minutes" if own.minutes is not None else "standard"
    st.session_state["way"] = way
    st.segmented_control(
        desk.say("near_enough"), WAYS, key="way", format_func=lambda w: desk.say(f"way_{w}"), required=True,
        on_change=doing(lambda: _standard(desk, _start(desk, st.session_state["way"]))), width="stretch",
    )  # fmt: skip
    if way == "standard":
        _yardstick(desk)
    elif way == "metres":
        low, high, step = METRES
        _slider(desk, "limit_m", "metres", low, max(high, int(own.limit_m or 0)), step)
    else:
        low, high, step = MINUTES
        _slider(desk, "minutes", "minutes", low, max(high, int(own.minutes or 0)), step)
    if way == "minutes" or (way == "standard" and yardsticks()[desk.scenario.standard_id].minutes is not None):
        _pace(desk)
    st.caption(desk.say("limit_is", limit_m=desk.scenario.limit_m))


def _start(desk: Desk, way: str) -> dict[str, Any]:
    """Where a way of saying it starts: at the limit that holds, as near as its control can say it."""
    if way == "metres":
        low, high, step = METRES
        return {"limit_m": float(min(max(round(desk.scenario.limit_m / step) * step, low), high))}
    return {"minutes": 15.0} if way == "minutes" else {"id": DEFAULT_ID}


def _standard(desk: Desk, new: dict[str, Any]) -> None:
    keep = (
        {"max_access_m": desk.scenario.standard.max_access_m}
        if "max_access_m" in desk.scenario.standard.model_fields_set
        else {}
    )
    said = desk.scenario.revise(standard=None).revise(standard={**keep, **new})
    why = desk.say("why_limit", before=desk.scenario.limit_m, after=said.limit_m)
    if said.standard_id not in (desk.scenario.standard_id, CUSTOM_ID):
        why = desk.say("why_standard", name=_short(desk, said.standard_id), after=said.limit_m)
    commit(desk, said, why)


def _short(desk: Desk, standard: str) -> str:
    found = yardsticks()[standard]
    return found.zh if desk.lang == "zh" else found.en


def _yardstick(desk: Desk) -> None:
    st.session_state["yardstick"] = desk.scenario.standard_id
    st.selectbox(
        desk.say("way_standard"), walking(), key="yardstick", format_func=lambda k: _short(desk, k),
        help=plain(yardsticks()[desk.scenario.standard_id].label(desk.lang)), label_visibility="collapsed",
        on_change=doing(lambda: _standard(desk, {"id": st.session_state["yardstick"]})),
    )  # fmt: skip


def _slider(desk: Desk, field: str, key: str, low: int, high: int, step: int) -> None:  # noqa: PLR0917
    st.session_state[key] = int(getattr(desk.scenario.standard, field))
    pace = {n: getattr(desk.scenario.standard, n) for n in ("walker", "season")} if field == "minutes" else {}
    st.slider(
        desk.say(f"way_{key}"), low, high, step=step, key=key, label_visibility="collapsed",
        format=desk.say(f"format_{key}"),
        on_change=doing(lambda: _standard(desk, {field: float(st.session_state[key]), **pace})),
    )  # fmt: skip


def _pace(desk: Desk) -> None:
    """Who walks and on what: the same minutes are fewer metres for older people and on ice."""
    own = desk.scenario.standard
    say = {"id": own.id} if own.minutes is None else {"minutes": own.minutes}

    def turn() -> None:
        _standard(desk, {**say, "walker": st.session_state["walker"], "season": st.session_state["season"]})

    left, right = st.columns(2)
    for column, key, options in ((left, "walker", WALKERS), (right, "season", SEASONS)):
        st.session_state[key] = getattr(own, key)
        column.selectbox(
            desk.say(key), options, key=key, format_func=lambda o, k=key: desk.say(f"{k}_{o}"), on_change=doing(turn)
        )


def counted(desk: Desk) -> None:
    """Which kinds of outlets count; one that is switched off serves nobody."""
    there = set(ground_of(desk.scenario).city.outlets["kind"])
    shown = [key for key in kinds() if key in there]
    off = {key for key, section in desk.scenario.kinds.items() if section.share == 0.0}
    st.session_state["kinds"] = [key for key in shown if key not in off]

    def turn() -> None:
        on = set(st.session_state["kinds"] or ())
        own = {key: s.model_dump(exclude_unset=True, exclude_none=True) for key, s in desk.scenario.kinds.items()}
        for key in shown:
            entry = {k: v for k, v in own.get(key, {}).items() if not (k == "share" and v == 0.0)}
            own[key] = entry if key in on else {**entry, "share": 0.0}
        names = desk.say("and_so").join(label(key, desk.lang) for key in shown if key in on) or desk.say("none")
        revised(desk, desk.say("why_kinds", names=names), kinds={key: entry or None for key, entry in own.items()})

    st.pills(
        desk.say("kinds"), shown, key="kinds", selection_mode="multi", format_func=lambda k: label(k, desk.lang),
        help=desk.say("kinds_help"), on_change=doing(turn),
    )  # fmt: skip
