"""The workbook: every table of a plan as one .xlsx, Chinese first, with real numbers and no formulas."""

import zipfile
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from io import BytesIO
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from openpyxl import Workbook
from openpyxl.cell.cell import ILLEGAL_CHARACTERS_RE, Cell
from openpyxl.styles import Alignment, Font, PatternFill
from openpyxl.utils import get_column_letter
from openpyxl.worksheet.worksheet import Worksheet

from walkshed.publish.page import group_words, headline
from walkshed.publish.page_places import gap_of, reason
from walkshed.publish.page_standards import standards_table
from walkshed.publish.panel import LANGS
from walkshed.publish.record import lonlat
from walkshed.publish.tables import harmless
from walkshed.standards import yardsticks
from walkshed.supply import label
from walkshed.words import say

if TYPE_CHECKING:
    from walkshed.plan import Plan

Rows = list[list[Any]]

TIMELESS = datetime(1980, 1, 1, tzinfo=UTC).replace(
    tzinfo=None
)  # the earliest a zip knows; ours tell nothing of the clock
LONGEST = 2_000  # signs of a cell: more is no text to read, and Excel ends at 32,767
PEOPLE, SHARE, METRES, DEGREES, DECIMAL = "#,##0", "0.0%", "#,##0", "0.000000", "#,##0.00"
FORMATS = {
    "people": PEOPLE, "served_before": PEOPLE, "served_after": PEOPLE, "gained": PEOPLE, "people_gained": PEOPLE,
    "left": PEOPLE, "served": PEOPLE, "short": PEOPLE, "share_before": SHARE, "share_after": SHARE, "share": SHARE,
    "limit_m": METRES, "nearest_m": METRES, "area_km2": DECIMAL, "lon": DEGREES, "lat": DEGREES,
}  # fmt: skip
WIDTHS = {"label": 16, "name": 30, "unit": 14, "near": 26, "why": 60, "why_en": 60, "standard": 44, "kind": 18,
          "offer": 18, "id": 12, "item": 30, "value": 90}  # fmt: skip
HEAD = PatternFill("solid", fgColor="E8EDF3")


@dataclass(frozen=True)
class Sheet:
    """A sheet to be: its words are `workbook.<key>`; `columns` are keys too; `formats` of single cells by row."""

    key: str
    columns: tuple[str, ...]
    rows: Rows
    formats: tuple[str, ...] = ()


def report_xlsx(plan: "Plan") -> bytes:
    """Return the workbook: summary, units, sites, gaps, standards, method. The same plan gives the same bytes."""
    book = Workbook()
    book.remove(book["Sheet"])
    book.properties.creator = book.properties.title = "walkshed"
    for sheet in (_summary(plan), _units(plan), _sites(plan), _gaps(plan), _standards(plan), _method(plan)):
        _fill(book.create_sheet("{} {}".format(*(say(f"workbook.{sheet.key}", lang) for lang in LANGS))), sheet)
    file = BytesIO()
    book.save(file)
    return _timeless(file.getvalue())


def _both(key: str) -> str:
    """A column's head, Chinese above English."""
    return "\n".join(say(f"workbook.{key}", lang) for lang in LANGS)


def _fill(page: Worksheet, sheet: Sheet) -> None:
    page.freeze_panes = "A2"
    page.append([_both(column) for column in sheet.columns])
    page.row_dimensions[1].height = 32
    for cell in page[1]:
        cell.font, cell.fill, cell.alignment = Font(bold=True), HEAD, Alignment(wrap_text=True, vertical="center")
    for row in sheet.rows:
        page.append([_plain(value) for value in row])
    for number, column in enumerate(sheet.columns, start=1):
        page.column_dimensions[get_column_letter(number)].width = WIDTHS.get(column, 14)
        form, wrap = FORMATS.get(column), WIDTHS.get(column, 0) >= WIDTHS["standard"]
        if form or wrap:  # dressing a cell costs more than filling it
            for (cell,) in page.iter_rows(min_row=2, min_col=number, max_col=number):
                _dress(cell, form, wrap=wrap)
    for row_number, form in enumerate(sheet.formats, start=2):
        page.cell(row_number, len(sheet.columns)).number_format = form or "General"


def _dress(cell: Cell, form: str | None, *, wrap: bool) -> None:
    if form and cell.data_type == "n":
        cell.number_format = form
    if wrap:
        cell.alignment = Alignment(wrap_text=True, vertical="top", horizontal="left")


def _plain(value: Any) -> object:  # noqa: ANN401 - a table's cell
    """A value as a cell may hold it: numbers as numbers, no formula, no sign that the file cannot carry."""
    if value is None or (isinstance(value, float) and not np.isfinite(value)):
        return None
    if isinstance(value, np.generic):
        return value.item()
    return value if isinstance(value, (int, float)) else harmless(ILLEGAL_CHARACTERS_RE.sub("", str(value))[:LONGEST])


def _timeless(packed: bytes) -> bytes:
    """Give every member of the archive, and the document's own dates, the same time."""
    file = BytesIO()
    with zipfile.ZipFile(BytesIO(packed)) as old, zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as new:
        for name in old.namelist():
            content = old.read(name)
            if name == "docProps/core.xml":
                content = _undated(content)
            new.writestr(zipfile.ZipInfo(name, TIMELESS.timetuple()[:6]), content, zipfile.ZIP_DEFLATED)
    return file.getvalue()


def _undated(core: bytes) -> bytes:
    """Take out the time of saving, which openpyxl writes whatever it is given."""
    text = core.decode()
    for tag in ("created", "modified"):
        start = text.index(">", text.index(f"<dcterms:{tag}")) + 1
        text = text[:start] + TIMELESS.strftime("%Y-%m-%dT%H:%M:%SZ") + text[text.index("</", start) :]
    return text.encode()


def _summary(plan: "Plan") -> Sheet:
    totals, siting = plan.totals, plan.siting
    approval = getattr(getattr(plan.scenario, "map", None), "approval", None)
    rows: list[tuple[str, object, str]] = [
        ("title", plan.title, ""),
        *(("headline", headline(plan, lang), "") for lang in LANGS),
        ("limit_m", plan.limit_m, METRES),
        ("people", totals["people"], PEOPLE),
        ("served_before", totals["served_before"], PEOPLE),
        ("share_before", totals["share_before"], SHARE),
        ("served_after", totals["served_after"], PEOPLE),
        ("share_after", totals["share_after"], SHARE),
        ("gained", totals["served_after"] - totals["served_before"], PEOPLE),
        ("left", totals["people"] - totals["served_after"], PEOPLE),
        ("off_network", totals["off_network"], PEOPLE),
        *((("bound", siting.bound, "#,##0.######"), ("gap", siting.gap, "0.00%")) if len(plan.sites) else ()),
        *(("proof", siting.sentence(lang), "") for lang in LANGS),
        ("approval", approval or " / ".join(say("workbook.internal", lang) for lang in LANGS), ""),
    ]
    if plan.schematic:
        rows.append(("data", " / ".join(say("workbook.schematic", lang) for lang in LANGS), ""))
    named = [[_both(key).replace("\n", " "), value] for key, value, _ in rows]
    return Sheet("summary", ("item", "value"), named, tuple(form for _, _, form in rows))


def _units(plan: "Plan") -> Sheet:
    columns = (
        "id",
        "label",
        "people",
        "served_before",
        "served_after",
        "gained",
        "share_before",
        "share_after",
        "outlets",
    )
    table = pd.DataFrame(plan.units).rename_axis("id").reset_index()
    table["gained"] = table["served_after"] - table["served_before"]
    rows = table[list(columns)].to_numpy(dtype=object).tolist()
    whole = {**plan.totals, "gained": plan.totals["served_after"] - plan.totals["served_before"]}
    total = ["", _both("total").replace("\n", " "), *(whole[c] for c in columns[2:8]), int(table["outlets"].sum())]
    groups = pd.DataFrame(plan.groups).rename_axis("id").reset_index()
    groups["label"] = [" ".join(group_words(str(group), lang) for lang in LANGS) for group in groups["id"]]
    groups = groups.assign(gained=groups["served_after"] - groups["served_before"], outlets=None)
    return Sheet("units", columns, [*rows, total, *groups[list(columns)].to_numpy(dtype=object).tolist()])


def _sites(plan: "Plan") -> Sheet:
    where, labels = lonlat(plan.sites), plan.units["label"]
    reasons: Sequence[Any] = plan.why or [None] * len(plan.sites)
    rows = [
        [row["order"], row["name"], label(row["kind"]), label(row["offer"]), labels.get(row["unit"], row["unit"]),
         row["year"] or None, row["people_gained"], point.x, point.y,
         *(reason(plan, why, lang).strip() if why else None for lang in LANGS), row["site_id"]]
        for row, point, why in zip(_records(plan.sites, "site_id"), where, reasons, strict=True)
    ]  # fmt: skip
    columns = ("order", "name", "kind", "offer", "unit", "year", "people_gained", "lon", "lat", "why", "why_en", "id")
    return Sheet("sites", columns, rows)


def _gaps(plan: "Plan") -> Sheet:
    where, labels, gaps = lonlat(plan.gaps), plan.units["label"], gap_of(plan)
    without = (plan.demand["people"] * (1.0 - plan.demand["served_after"])).to_numpy(dtype=float)
    left = np.bincount(gaps[gaps >= 0], without[gaps >= 0], minlength=len(plan.gaps))
    rows = [
        [number, row["name"], labels.get(row["unit"], row["unit"]), row["people"], left[number - 1], row["area_km2"],
         row["nearest_m"], row["near"], point.x, point.y]
        for number, (row, point) in enumerate(zip(_records(plan.gaps, "gap_id"), where, strict=True), start=1)
    ]  # fmt: skip
    return Sheet(
        "gaps", ("order", "name", "unit", "people", "left", "area_km2", "nearest_m", "near", "lon", "lat"), rows
    )


def _standards(plan: "Plan") -> Sheet:
    table, labels = standards_table(plan), plan.units["label"]
    rows = [
        [yardsticks()[row["standard"]].label("zh"), row["limit_m"], labels[row["unit"]],
         row["people"], row["served"], row["share"], row["short"]]
        for row in table.to_dict("records")
    ]  # fmt: skip
    return Sheet("compliance", ("standard", "limit_m", "unit", "people", "served", "share", "short"), rows)


def _method(plan: "Plan") -> Sheet:
    found = plan.provenance
    rows: Rows = [["distance", say("workbook.distance_text", lang)] for lang in LANGS]
    rows += [["model", plan.siting.model], ["standard", plan.standard_id], ["seed", found.get("seed")]]
    rows += [["input", f"{e['name']} · {e['licence']} · sha256 {e['sha256']}"] for e in found.get("inputs", [])]
    rows += [["version", f"{name} {number}"] for name, number in found.get("versions", {}).items()]
    rows += [["note", note.text(lang)] for note in plan.notes for lang in LANGS]
    return Sheet("method", ("item", "value"), [[_both(key).replace("\n", " "), value] for key, value in rows])


def _records(frame: pd.DataFrame, index: str) -> Iterable[dict[Any, Any]]:
    return pd.DataFrame(frame).rename_axis(index).reset_index().to_dict("records")
