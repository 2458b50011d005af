"""方案, the shelf: what has been changed and why, older versions, names, copies, and scenario files in and out."""

from functools import partial

import pandas as pd
import streamlit as st

from walkshed.errors import Fault, InputError
from walkshed.scenario import Scenario, files
from walkshed.views.desk import Desk, commit, doing, note, plain, show
from walkshed.views.today import rows_high

FILE_MAX = 200_000  # bytes of a scenario file: real ones have a few thousand


def history(desk: Desk) -> None:
    """Changes of the scenario, each with its why, and all versions of it."""
    left, right = st.columns(2, gap="medium")
    with left:
        st.subheader(desk.say("changes"))
        changes = desk.scenario.change
        if not changes:
            st.info(desk.say("changes_none"))
        for number, change in enumerate(changes):
            line, act = st.columns([4, 1], vertical_alignment="center")
            what = desk.say(f"change_{change.type}")
            where = getattr(change, "name", "") or getattr(change, "site", "")
            line.markdown(f"{number + 1}. **{what}** {plain(where)}  \n:gray[{plain(change.why)}]")
            act.button(
                desk.say("drop"), key=f"drop-{number}", help=desk.say("drop_change"), width="stretch",
                on_click=doing(partial(_drop, desk, number)),
            )  # fmt: skip
    with right:
        st.subheader(desk.say("versions"))
        versions(desk)


def _drop(desk: Desk, number: int) -> None:
    kept = [c.model_dump(mode="json", exclude_unset=True, exclude_none=True) for c in desk.scenario.change]
    gone = kept.pop(number)
    commit(desk, desk.scenario.revise(change=kept or None), desk.say("why_drop", why=gone["why"]))


def versions(desk: Desk) -> None:
    """Every version, the newest first; any can be made the one that holds."""
    if desk.saved is None:
        st.info(desk.say("nothing_changed"))
        return
    saved = desk.saved
    rows = desk.space.history(saved.id)
    table = pd.DataFrame(
        {
            "number": [v.number for v in rows],
            "now": ["●" if v.number == saved.version else "" for v in rows],
            "why": [v.note.why for v in rows],
            "who": [v.note.who for v in rows],
            "saved": [v.note.saved[:16].replace("T", " ") for v in rows],
        }
    )
    st.dataframe(
        table, hide_index=True, width="stretch", height=rows_high(len(table), 260),
        column_config={
            "number": st.column_config.NumberColumn(desk.say("version"), width=58),
            "now": st.column_config.TextColumn("", width=20),
            "why": st.column_config.TextColumn(desk.say("why")),
            "who": st.column_config.TextColumn(desk.say("who"), width=60),
            "saved": st.column_config.TextColumn(desk.say("when"), width=120),
        },
    )  # fmt: skip
    others = [v.number for v in rows if v.number != saved.version]
    if others:
        pick, act = st.columns([2, 1], vertical_alignment="bottom")
        number = pick.selectbox(desk.say("version"), others, key=f"version-{saved.id}-{saved.revision}")
        act.button(desk.say("back_to"), width="stretch",
                   on_click=doing(lambda: show(desk.space.back_to(saved, number))))  # fmt: skip


def shelf(desk: Desk) -> None:
    """Name, copy, put away; scenario files in and out."""
    left, right = st.columns(2, gap="medium")
    with left:
        st.subheader(desk.say("this_scenario"))
        _named(desk)
        st.subheader(desk.say("put_away"))
        _archived(desk)
    with right:
        st.subheader(desk.say("file_out"))
        st.caption(desk.say("file_out_help"))
        st.download_button(
            desk.say("download_toml"), desk.scenario.to_toml().encode(), file_name="scenario.toml",
            mime="application/toml", width="stretch", icon=":material/download:",
        )  # fmt: skip
        st.subheader(desk.say("file_in"))
        _imported(desk)


def _named(desk: Desk) -> None:
    saved = desk.saved
    key = f"name-{saved.id if saved else 0}-{saved.revision if saved else 0}"
    name = st.text_input(desk.say("name"), value=desk.name, key=key, max_chars=80)

    def rename() -> None:
        if saved:
            show(desk.space.rename(saved, name))
        else:
            show(desk.space.create(desk.scenario, name=name, note=note(desk.say("why_saved")), folder=desk.folder))

    def copy() -> None:
        title = name if saved is None or name != saved.name else desk.say("copy_of", name=name)
        made = (
            desk.space.branch(saved, name=title, note=note(desk.say("why_copied", name=saved.name)))
            if saved
            else desk.space.create(desk.scenario, name=title, note=note(desk.say("why_saved")), folder=desk.folder)
        )
        show(made)

    one, two, three = st.columns(3)
    one.button(desk.say("save_name"), on_click=doing(rename), width="stretch", type="primary")
    two.button(desk.say("duplicate"), on_click=doing(copy), width="stretch")
    three.button(desk.say("archive"), on_click=doing(lambda: _archive(desk)), disabled=saved is None, width="stretch")


def _archive(desk: Desk) -> None:
    if desk.saved:
        desk.space.archive(desk.saved)
        show(None)


def _archived(desk: Desk) -> None:
    away = desk.space.scenarios(archived=True)
    if not away:
        st.caption(desk.say("put_away_none"))
        return
    pick, act = st.columns([2, 1], vertical_alignment="bottom")
    names = {s.id: s for s in away}
    chosen = pick.selectbox(desk.say("put_away"), list(names), format_func=lambda i: names[i].name,
                            label_visibility="collapsed")  # fmt: skip
    act.button(
        desk.say("take_out"), width="stretch",
        on_click=doing(lambda: show(desk.space.archive(names[chosen], archived=False))),
    )  # fmt: skip


def _imported(desk: Desk) -> None:
    given = st.file_uploader(desk.say("file_in"), type=["toml"], key="file_in", label_visibility="collapsed")
    if given is None:
        return
    scenario = read_file(given.getvalue(), given.name, desk)
    st.caption(desk.say("file_read", name=plain(scenario.title or scenario.name)))

    def take() -> None:
        folder = desk.folder if list(files(scenario)) else ""
        show(desk.space.create(scenario, name=scenario.title or scenario.name, folder=folder,
                               note=note(desk.say("why_imported", name=given.name))))  # fmt: skip

    st.button(desk.say("open_file"), on_click=doing(take), type="primary", width="stretch")


def read_file(content: bytes, name: str, desk: Desk) -> Scenario:
    """Read a scenario file that somebody uploads; it may name no file outside the folder of its city.

    Raises
    ------
    InputError
        With every fault of the file.
    """
    if len(content) > FILE_MAX:
        raise InputError(Fault("app.file_too_large", name, {"size": len(content), "largest": FILE_MAX}))
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content[: error.start].count(b"\n") + 1
        raise InputError(Fault("scenario.encoding", name, {"line": line})) from None
    base = desk.scenario.base_dir
    scenario = Scenario.parse(text, base_dir=base, where=name)
    written = [file for _, file in files(scenario)]
    outside = [file for file in written if not scenario.path(file).resolve().is_relative_to(base.resolve())]
    if outside:
        raise InputError([Fault("app.file_outside", name, {"file": file}) for file in outside])
    return scenario
