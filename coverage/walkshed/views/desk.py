"""What one browser has open: the workspace, a scenario, a language; and the one way it changes anything."""

import os
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, cast

import streamlit as st

from walkshed.errors import WalkshedError
from walkshed.scenario import Scenario, files
from walkshed.views.answers import workspace_folder
from walkshed.words import Lang, say
from walkshed.workspace import ConflictError, Note, Saved, Workspace

VIEWS = ("today", "gaps", "propose", "scenarios", "data", "handover")


@dataclass(frozen=True)
class Desk:
    """What is open. saved : None while nothing has been changed: then it is the schematic city as it comes."""

    space: Workspace
    saved: Saved | None
    scenario: Scenario
    lang: Lang

    def say(self, key: str, **values: object) -> str:
        """Return the app's sentence `key` in this browser's language."""
        return say(f"app.{key}", self.lang, **values)

    @property
    def folder(self) -> str:
        """Where the files lie that the open scenario names: inside the workspace as told there, else the whole path."""
        base, top = self.scenario.base_dir.absolute(), self.space.folder.absolute()
        if not list(files(self.scenario)):
            return ""
        return str(base.relative_to(top)) if base.is_relative_to(top) else str(base)

    @property
    def name(self) -> str:
        """What people call what is open."""
        return self.saved.name if self.saved else self.scenario.title or self.scenario.name


def open_desk() -> Desk:
    """Bring together what the address, the session and the workspace say.

    Raises
    ------
    WorkspaceError
        If the workspace cannot be used.
    """
    space = Workspace.open(workspace_folder(os.environ.get("WALKSHED_WORKSPACE")))
    asked = st.query_params.get("s", "")
    saved = cast("Saved | None", st.session_state.get("saved"))
    if asked.isdecimal() and (saved is None or saved.id != int(asked)):
        saved = _found(space, int(asked))
    elif not asked:
        saved = None
    st.session_state["saved"] = saved
    return Desk(space, saved, space.scenario(saved) if saved else start(), lang())


def _found(space: Workspace, number: int) -> Saved | None:
    try:
        return space.get(number)
    except WalkshedError as error:
        st.session_state["trouble"] = error
        st.query_params.pop("s", None)
        return None


def start() -> Scenario:
    """What is open before anything is: the schematic city. `WALKSHED_START` names another scenario."""
    given = os.environ.get("WALKSHED_START")
    return Scenario.read(given) if given else Scenario.default()


def lang() -> Lang:
    """Chinese unless the address says otherwise."""
    return "en" if st.query_params.get("lang") == "en" else "zh"


def note(why: str) -> Note:
    """Say why, who (where somebody signed in) and when."""
    who = str(st.user.get("name") or st.user.get("email") or "") if st.user.get("is_logged_in") else ""
    return Note(why, who, datetime.now(UTC).astimezone().isoformat(timespec="seconds"))


def commit(desk: Desk, scenario: Scenario, why: str) -> None:
    """Save a change; only what is saved is shown. A change of nothing saves nothing."""
    if scenario == desk.scenario:
        return
    if desk.saved is None:
        name = say("app.draft_name", desk.lang, title=desk.scenario.title or desk.scenario.name)
        first = note(say("app.as_it_comes", desk.lang))  # there to be gone back to
        made = desk.space.create(desk.scenario, name=name, note=first, folder=desk.folder, draft=True)
        show(desk.space.save(made, scenario, note=note(why)))
        return
    try:
        show(desk.space.save(desk.saved, scenario, note=note(why)))
    except ConflictError as error:
        st.session_state["conflict"] = (error, scenario, why)


def show(saved: Saved | None) -> None:
    """Open a saved scenario in this browser; None opens the city as it comes."""
    st.session_state["saved"] = saved
    if saved is None:
        st.query_params.pop("s", None)
    else:
        st.query_params["s"] = str(saved.id)


def doing(act: Callable[[], None]) -> Callable[[], None]:
    """Wrap what a control does: what goes wrong is told on the page, never thrown at it."""

    def guarded() -> None:
        try:
            act()
        except WalkshedError as error:
            st.session_state["trouble"] = error

    return guarded


def revised(desk: Desk, why: str, **sections: Any) -> None:  # noqa: ANN401  as `Scenario.revise`
    """Change keys of the open scenario and save it."""
    commit(desk, desk.scenario.revise(**sections), why)


def plain(text: object) -> str:
    r"""Text of somebody's data for a place that reads Markdown: nothing in it is a link, a picture or a heading.

    >>> plain("![x](http://a) 一*")
    '\\!\\[x\\]\\(http\\:\\/\\/a\\) 一\\*'
    """
    return "".join("\\" + c if c.isascii() and not c.isalnum() and not c.isspace() else c for c in str(text))
