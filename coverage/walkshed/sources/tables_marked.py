"""A copy of a table with what is wrong written beside each row, for its owner to correct."""

import csv
import io
import os
import tempfile
from collections.abc import Iterable
from pathlib import Path

import openpyxl
import pandas as pd

from walkshed.errors import Fault, OutputError
from walkshed.sources.tables_files import RawTable, read_raw
from walkshed.words import Lang, say

_DANGEROUS = ("=", "+", "-", "@", "\t", "\r")  # what spreadsheets take for a formula (OWASP, CSV injection)


def marked_copy(path: Path, out: Path, faults: Iterable[Fault], *, lang: Lang = "zh") -> Path:
    """Write the table back with a column 问题 (problem) that says per row what is wrong with it.

    Text that a spreadsheet would run as a formula is written as text. `.xlsx` or, with any other ending, CSV in UTF-8
    with a mark, for Excel.

    Parameters
    ----------
    path : file
        The table the faults were found in.
    out : file
        Where to; it may not be the table itself. It appears whole or not at all.
    faults : of `read_outlets`
        Those without row numbers, such as a missing column, are written beside the first row.

    Raises
    ------
    OutputError
        If it cannot be written, or would overwrite the table.
    """
    if out.resolve() == path.resolve():
        raise OutputError(Fault("outlets.same_file", out.name))
    raw = read_raw(path)
    table = _marked(raw, list(faults), lang)
    content = _workbook(table) if out.suffix.lower() == ".xlsx" else _text(table)
    try:
        _write_whole(out, content)
    except OSError as error:
        raise OutputError(Fault("outlets.not_written", out.name, {"reason": error.strerror or str(error)})) from None
    return out


def harmless(text: str) -> str:
    """Text that no spreadsheet takes for a formula; numbers stay as they are.

    >>> harmless("=HYPERLINK(1)"), harmless("-12.5"), harmless("书房")
    ("'=HYPERLINK(1)", '-12.5', '书房')
    """
    if not text.startswith(_DANGEROUS):
        return text
    try:
        float(text)
    except ValueError:
        return "'" + text
    return text


def _marked(raw: RawTable, faults: list[Fault], lang: Lang) -> pd.DataFrame:
    told: dict[int, list[str]] = {}
    first = int(raw.rows[0])
    for fault in faults:
        sentence = say(fault.key, lang, **fault.values)
        for row in fault.values.get("every_row") or (first,):  # noqa: PD011 - a Fault's, no DataFrame's
            told.setdefault(int(row), []).append(sentence)
    problems = ["\n".join(told.get(int(row), [])) for row in raw.rows]
    places = {} if raw.points is None else {"x": raw.points.x.astype(str), "y": raw.points.y.astype(str)}
    columns = [*raw.cells.items(), *((name, place) for name, place in places.items() if name not in raw.cells)]
    cells = [[harmless(str(cell)) for cell in column] for _, column in columns] + [[harmless(p) for p in problems]]
    names = [harmless("" if str(name).startswith("_") else str(name)) for name, _ in columns]
    names.append(say("outlets.problem_column", lang))
    return pd.DataFrame(list(zip(*cells, strict=True)), columns=pd.Index(names, dtype=object), dtype=object)


def _text(table: pd.DataFrame) -> bytes:
    lines = io.StringIO(newline="")
    csv.writer(lines).writerows([list(table.columns), *table.to_numpy().tolist()])
    return lines.getvalue().encode("utf-8-sig")


def _workbook(table: pd.DataFrame) -> bytes:
    book = openpyxl.Workbook(write_only=True)
    sheet = book.create_sheet()
    for line in [list(table.columns), *table.to_numpy().tolist()]:
        sheet.append([openpyxl.cell.cell.ILLEGAL_CHARACTERS_RE.sub("", str(cell)) for cell in line])
    content = io.BytesIO()
    book.save(content)
    return content.getvalue()


def _write_whole(out: Path, content: bytes) -> None:
    handle, name = tempfile.mkstemp(dir=out.parent, prefix=f".{out.name}.")
    try:
        with os.fdopen(handle, "wb") as stream:
            stream.write(content)
        Path(name).replace(out)
    except OSError:
        Path(name).unlink(missing_ok=True)
        raise
