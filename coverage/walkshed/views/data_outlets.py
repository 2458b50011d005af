"""数据, outlets of one's own: a table is checked, every fault told with its row, and used once it has none."""

import re
import tempfile
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import geopandas as gpd
import pandas as pd
import streamlit as st

from walkshed.errors import Fault, InputError
from walkshed.publish.record import lonlat
from walkshed.sources.tables import read_outlets
from walkshed.sources.tables_marked import marked_copy
from walkshed.supply import kinds, label
from walkshed.views.answers import Answer
from walkshed.views.desk import Desk, commit, doing, plain
from walkshed.views.today import rows_high
from walkshed.views.upload import label_of, stored

SYSTEMS = ("", "wgs84", "gcj02", "bd09", "epsg:4490", "epsg:4551")
AS_CHANGES = 300  # outlets that are laid on a city as changes; a city of one's own names a file instead
SHOWN = 12
AS_STORED = re.compile(r"^outlets\.\w+")  # the name an upload is checked under
COLUMNS = (
    "name",
    "kind",
    "status",
    "unit",
    "lon",
    "lat",
    "address",
    "seats",
    "floor_m2",
    "cost",
    "opened",
    "hours",
    "settlement",
)


@dataclass(frozen=True)
class Checked:
    """What came of a table: its outlets, or its faults and a copy that says them row by row."""

    sites: gpd.GeoDataFrame | None
    faults: tuple[Fault, ...] = ()
    copy: bytes = b""
    suffix: str = ".csv"


def own_outlets(desk: Desk, found: Answer) -> None:
    """Upload, diagnosis, corrected copy, use."""
    left, right = st.columns([2, 3], gap="medium")
    with left:
        given = st.file_uploader(
            desk.say("upload"),
            type=["csv", "txt", "tsv", "xlsx", "geojson", "json", "gpkg"],
            help=desk.say("upload_help"),
        )
        crs = st.selectbox(
            desk.say("crs"), SYSTEMS, format_func=lambda c: desk.say(f"crs_{c.replace(':', '_') or 'ask'}")
        )
        st.caption(desk.say("crs_help"))
    with right:
        if given is None:
            st.info(desk.say("upload_none"))
            return
        content, name = given.getvalue(), label_of(given.name)
        checked = checked_table(content, name, crs or None, found, desk)
        if checked.sites is None:
            _faulty(desk, checked, name)
        else:
            _usable(desk, checked.sites, found.plan.units["label"], content, (name, crs))


def checked_table(content: bytes, name: str, crs: str | None, found: Answer, desk: Desk) -> Checked:
    """Read an uploaded table as the check of the command line does."""
    city = found.ground.city
    with tempfile.TemporaryDirectory(prefix="walkshed-") as folder:
        path = stored(content, name, Path(folder))
        try:
            return Checked(read_outlets(path, crs=crs, kinds=kinds(), area=city.area, streets=city.ways))
        except InputError as error:
            out = path.with_stem("corrected").with_suffix(".xlsx" if path.suffix == ".xlsx" else ".csv")
            try:
                copy = marked_copy(path, out, error.faults, lang=desk.lang).read_bytes()
            except InputError:  # a file that is no table has no rows to write beside
                copy = b""
            return Checked(None, error.faults, copy, out.suffix)


def _faulty(desk: Desk, checked: Checked, name: str) -> None:
    st.error(desk.say("upload_faults", n=len(checked.faults)))
    for fault in checked.faults[:SHOWN]:
        where = AS_STORED.sub(lambda _: name, fault.where)
        st.markdown(f"- {plain(replace(fault, where=where).text(desk.lang))}")
    if len(checked.faults) > SHOWN:
        st.caption(desk.say("and_more", n=len(checked.faults) - SHOWN))
    if any(fault.key.startswith("outlets.crs") for fault in checked.faults):
        st.info(desk.say("upload_choose_crs"))
    if checked.copy:
        stem = Path(name).stem or "outlets"
        st.download_button(
            desk.say("download_marked"), checked.copy, file_name=f"{stem}-{desk.say('marked')}{checked.suffix}",
            icon=":material/download:",
        )  # fmt: skip


def _usable(
    desk: Desk, sites: gpd.GeoDataFrame, labels: "pd.Series[str]", content: bytes, told: tuple[str, str]
) -> None:
    st.success(desk.say("upload_good", n=len(sites)))
    where = lonlat(sites)
    table = pd.DataFrame(sites.drop(columns="geometry")).assign(lon=where.x.round(6), lat=where.y.round(6))
    table["kind"] = [label(kind, desk.lang) for kind in table["kind"]]
    table["unit"] = table["unit"].map(labels)
    table["status"] = [desk.say(f"status_{status}") for status in table["status"]]
    st.dataframe(
        table.dropna(axis="columns", how="all").reindex(columns=[c for c in COLUMNS if c in table]),
        hide_index=True,
        width="stretch",
        height=rows_high(len(table), 240),
        column_config={c: desk.say(f"column_{c}") for c in COLUMNS},
    )
    if not desk.scenario.schematic:
        st.button(desk.say("upload_use"), type="primary", on_click=doing(lambda: _into_city(desk, content, told)))
    elif len(sites) > AS_CHANGES:
        st.warning(desk.say("upload_many", n=len(sites), most=AS_CHANGES))
    else:
        st.caption(desk.say("upload_schematic"))
        st.button(desk.say("upload_add"), type="primary", on_click=doing(lambda: _as_changes(desk, sites, told[0])))


def _into_city(desk: Desk, content: bytes, told: tuple[str, str]) -> None:
    """Put the table beside the city's files, under a name of its own, and let the scenario name it."""
    name, crs = told
    folder = desk.scenario.base_dir
    number = next(n for n in range(1, 1000) if not list(folder.glob(f"outlets-{n}.*")))
    path = stored(content, name, folder, f"outlets-{number}")
    commit(
        desk,
        desk.scenario.revise(supply={"outlets": path.name, "outlets_crs": crs or None}),
        desk.say("why_outlets", name=name),
    )


def _as_changes(desk: Desk, sites: gpd.GeoDataFrame, name: str) -> None:
    """Lay outlets on the schematic city as changes: its own table cannot be taken away."""
    where = lonlat(sites)
    old = [c.model_dump(mode="json", exclude_unset=True, exclude_none=True) for c in desk.scenario.change]
    tag = f"u{1 + sum(c.type == 'add' for c in desk.scenario.change)}"
    new: list[dict[str, Any]] = [
        {"type": "add", "site": f"{tag}-{site}", "name": row["name"] or label(row["kind"], desk.lang),
         "kind": row["kind"], "status": row["status"] if row["status"] in ("open", "planned") else "planned",
         "lon": round(float(point.x), 6), "lat": round(float(point.y), 6), "crs": "wgs84",
         "why": desk.say("why_outlets", name=name)}
        for (site, row), point in zip(sites.iterrows(), where, strict=True)
    ]  # fmt: skip
    commit(desk, desk.scenario.revise(change=[*old, *new]), desk.say("why_outlets", name=name))
