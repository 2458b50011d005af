"""The page around every view: what is open, the six views, what went wrong; a traceback never reaches it."""

import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import streamlit as st

from walkshed.errors import WalkshedError
from walkshed.publish.map import web
from walkshed.views import data, gaps, handover, propose, scenarios, today
from walkshed.views.answers import answered, serious
from walkshed.views.controls import counted, sidebar, speak
from walkshed.views.desk import VIEWS, Desk, doing, lang, note, open_desk, plain, show
from walkshed.words import say

SHOW: dict[str, Callable[[Desk], None]] = {
    "today": today.show,
    "gaps": gaps.show,
    "propose": propose.show,
    "scenarios": scenarios.show,
    "data": data.show,
    "handover": handover.show,
}


def main() -> None:
    """Draw the page: once for every change somebody makes."""
    st.set_page_config(page_title=say("app.title", lang()), layout="wide", initial_sidebar_state="expanded")
    st.html(f"<style>{web('app.css')}{web('app_zh.css') if lang() == 'zh' else ''}</style>")
    with shielded():
        if not admitted():
            return
        desk = opened()
        if desk is None:
            return
        with st.sidebar:
            kinds_here = sidebar(desk)
        notices(desk)
        view = navigation(desk)
        alarm = st.container()
        with shielded():
            SHOW[view](desk)
        if answered(desk.scenario):
            with kinds_here, shielded():
                counted(desk)
            if stops := serious(desk.scenario):
                alarm.error(desk.say("stops", n=stops))


def opened() -> Desk | None:
    """What is open; where nothing can be, the page still says whose it is, in either language."""
    try:
        return open_desk()
    except WalkshedError as error:
        head, switch = st.columns([5, 1], vertical_alignment="center")
        head.subheader(say("app.title", lang()))
        switch.button(say("app.other_language", lang()), on_click=speak(lang()), width="stretch", type="tertiary")
        trouble(error)
        return None


@contextmanager
def shielded() -> Iterator[None]:
    """Say what went wrong in sentences; what nobody foresaw goes to the log, not to the page."""
    try:
        yield
    except WalkshedError as error:
        trouble(error)
    except Exception:
        logging.getLogger("walkshed").exception("a view failed")
        st.error(say("app.broken", lang()))


def admitted() -> bool:
    """Whether whoever looks may: everybody, unless Streamlit's secrets ask for a sign-in (`[auth]`, see README)."""
    if st.user.get("is_logged_in", True):
        return True
    st.subheader(say("app.title", lang()))
    st.markdown(say("app.sign_in_why", lang()))
    if st.button(say("app.sign_in", lang()), type="primary"):
        st.login()
    return False


def trouble(error: WalkshedError) -> None:
    """Show every fault of an error, a line each."""
    faults = [fault.text(lang()) for fault in error.faults]
    head = say("app.cannot", lang()) if len(faults) > 1 else ""
    st.error("\n\n".join([head, *(f"- {plain(text)}" if head else plain(text) for text in faults)]).strip())


def navigation(desk: Desk) -> str:
    """The six views side by side; the one that is open stands in the address."""
    asked = st.query_params.get("view", VIEWS[0])
    st.session_state["view"] = asked if asked in VIEWS else VIEWS[0]

    def chosen() -> None:
        st.query_params["view"] = st.session_state["view"]

    return st.segmented_control(
        desk.say("views"), VIEWS, key="view", format_func=lambda v: desk.say(f"view_{v}"), on_change=chosen,
        label_visibility="collapsed", required=True, width="stretch",
    ) or VIEWS[0]  # fmt: skip


def notices(desk: Desk) -> None:
    """What went wrong with the last change, and what somebody else has done to the scenario meanwhile."""
    error = st.session_state.pop("trouble", None)
    if error is not None:
        trouble(error)
    if desk.saved is None:
        return
    now = desk.space.get(desk.saved.id)
    refused = st.session_state.get("conflict")
    if refused is None and now.revision == desk.saved.revision:
        return
    with st.container(border=True):
        values = {
            "who": now.note.who or desk.say("somebody"),
            "why": now.note.why,
            "saved": now.note.saved[:16].replace("T", " "),
        }
        st.warning(plain(desk.say("conflict" if refused else "changed_elsewhere", **values)))
        left, right, _ = st.columns([1, 1, 2])
        left.button(desk.say("see_latest"), on_click=doing(lambda: _latest(desk)), width="stretch")
        if refused:
            right.button(
                desk.say("branch_mine"), on_click=doing(lambda: _branch(desk)), width="stretch", type="primary"
            )


def _latest(desk: Desk) -> None:
    st.session_state.pop("conflict", None)
    if desk.saved:
        show(desk.space.get(desk.saved.id))


def _branch(desk: Desk) -> None:
    _, scenario, why = st.session_state.pop("conflict")
    if desk.saved:
        show(desk.space.branch(desk.saved, name=desk.saved.name, note=note(why), scenario=scenario))
