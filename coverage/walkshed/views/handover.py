"""导出: everything for the director in one file: the map, the numbers, and the scenario that gives them again."""

import io
import zipfile
from collections.abc import Mapping

import streamlit as st

from walkshed import publish
from walkshed.scenario import FILE_NAME
from walkshed.views.answers import Answer, answer, extra
from walkshed.views.desk import Desk, plain
from walkshed.views.waiting import waiting

DATE = (1980, 1, 1, 0, 0, 0)  # the earliest a zip knows: the same plan gives the same bytes
TOLD = {
    "page.html", "map.html", "map.png", "report.xlsx", "plan.json", "run.json", "sites.csv", "units.csv", "plan.gpkg",
    FILE_NAME,
}  # fmt: skip


def show(desk: Desk) -> None:
    """What is in it, and one button; made when asked for, as it takes a while."""
    with waiting(desk):
        found = answer(desk.scenario)
    plan = found.plan
    left, right = st.columns([2, 3], gap="medium")
    with left:
        st.subheader(plain(desk.name))
        totals = plan.totals
        values = {"n": len(plan.sites), "before": totals["share_before"], "after": totals["share_after"]}
        st.markdown(desk.say("handover_told", limit_m=plan.limit_m, **values))
        if plan.schematic:
            st.warning(desk.say("schematic_long"))
        if st.button(desk.say("make_it"), type="primary", width="stretch", icon=":material/archive:"):
            st.session_state["made"] = found.key
    if st.session_state.get("made") != found.key:
        right.info(desk.say("handover_first"))
        return
    with right, waiting(desk, "packing"):
        files = extra(found, "files", lambda: contents(found), heavy=True)
    packed = extra(found, "zip", lambda: zipped(files), heavy=True)
    with left:
        st.download_button(
            desk.say("download_zip", size=len(packed) / 2**20), packed, file_name=f"{plan.name}.zip",
            mime="application/zip", width="stretch", type="primary", icon=":material/download:",
        )  # fmt: skip
    with right:
        _listed(desk, files)


def contents(found: Answer) -> dict[str, bytes]:
    """Every file of the plan by its name, and the scenario itself."""
    return {**publish.render(found.plan), FILE_NAME: found.plan.scenario.to_toml().encode()}


def zipped(files: Mapping[str, bytes]) -> bytes:
    """All files in one zip; no clock in it.

    >>> zipped({"a": b"1"}) == zipped({"a": b"1"})
    True
    """
    held = io.BytesIO()
    with zipfile.ZipFile(held, "w", zipfile.ZIP_DEFLATED) as parts:
        for name, content in sorted(files.items()):
            parts.writestr(zipfile.ZipInfo(name, DATE), content, zipfile.ZIP_DEFLATED)
    return held.getvalue()


def size_told(size: int) -> str:
    """Return how large a file is.

    >>> size_told(1), size_told(1_044_480), size_told(19_501_056)
    ('1 kB', '1,020 kB', '18.6 MB')
    """
    return f"{size / 2**20:.1f} MB" if size >= 2**20 else f"{max(1, round(size / 1024)):,} kB"


def _listed(desk: Desk, files: Mapping[str, bytes]) -> None:
    """Each file, what it is for, and itself alone."""
    for number, (name, content) in enumerate(sorted(files.items())):
        what, one = st.columns([3, 1], vertical_alignment="center")
        known = desk.say(f"file_{name.replace('.', '_')}") if name in TOLD else ""
        what.markdown(f"**{plain(name)}** · {size_told(len(content))}  \n:gray[{plain(known)}]")
        one.download_button(desk.say("download"), content, file_name=name, key=f"file-{number}", width="stretch",
                            help=desk.say("download_one", name=name))  # fmt: skip
