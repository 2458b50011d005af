"""Spreadsheets, text tables and vector files as one thing: rows of text under headers, each with its row number."""

import csv
import io
import re
import tomllib
import unicodedata
import zipfile
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import geopandas as gpd
import openpyxl
import pandas as pd
import pyogrio
import shapely
from openpyxl.utils.exceptions import InvalidFileException
from pyproj import CRS

from walkshed.contracts import IntArray
from walkshed.errors import Fault, InputError, MissingInputError
from walkshed.words import data_dir

ENCODINGS = ("utf-8-sig", "utf-8", "gb18030")
"""Tried in this order, strictly: text that is valid UTF-8 is never anything else in practice."""

MAX_BYTES = 64 * 2**20
MAX_UNZIPPED = 512 * 2**20
MAX_ROWS = 200_000
MAX_COLUMNS = 256
HEADER_ROWS = 20  # titles and remarks may stand above the header, but not more of them
MANY_HEADERS = 2  # a row that names this many known columns is the header

_TEXT, _SHEETS, _VECTOR = (".csv", ".txt", ".tsv"), (".xlsx", ".xlsm"), (".geojson", ".json", ".gpkg", ".shp")


@dataclass(frozen=True)
class RawTable:
    """A table as its file has it: text, '' where empty.

    cells : DataFrame of text, columns named as in the file
    rows : (n,) row numbers as the program that people open it with shows them; features count from 1
    points : places of vector files, None for tables; crs : what such a file says it is in
    form : encoding of text, or the file's format
    """

    cells: pd.DataFrame
    rows: IntArray
    form: str
    points: gpd.GeoSeries | None = None
    crs: CRS | None = None


def read_raw(path: Path) -> RawTable:
    """Read a table of any known form, with limits on its size; whatever is odd about the file is refused.

    Raises
    ------
    InputError
        If it is missing, of another form, too large, hostile, not decodable, or without a header.
    """
    suffix = path.suffix.lower()
    if not path.is_file():
        raise MissingInputError(Fault("outlets.missing_file", path.name))
    if suffix not in _TEXT + _SHEETS + _VECTOR:
        raise InputError(Fault("outlets.format", path.name, {"suffix": suffix or "?"}))
    if (size := path.stat().st_size) > MAX_BYTES:
        raise _too_large(path, f"{size / 2**20:,.0f} MB", f"{MAX_BYTES / 2**20:,.0f} MB")
    if suffix in _VECTOR:
        return _vector(path)
    form, lines = _text_rows(path) if suffix in _TEXT else ("xlsx", _sheet_rows(path))
    return _table(path, lines, form)


def field_of(header: str) -> str | None:
    """Which of our columns a header means; None if it is not known.

    >>> field_of("面积（㎡）"), field_of("Opening-Hours"), field_of("ＬＯＮ"), field_of("备注")
    ('floor_m2', 'hours', 'lon', None)
    """
    return _synonyms("columns").get(plain(header))


def status_of(text: str) -> str | None:
    """Which status a word means.

    >>> status_of("已开放"), status_of("Planned"), status_of("?")
    ('open', 'planned', None)
    """
    return _synonyms("status").get(plain(text))


def names_of(field: str) -> list[str]:
    """What people call a column of ours."""
    names: list[str] = _headers()["columns"][field]
    return names


def plain(text: str) -> str:
    """A word without case, width, brackets, spaces, hyphens and underscores.

    >>> plain(" 经度 (GCJ-02)"), plain("Floor_M2")
    ('经度', 'floorm2')
    """
    half = unicodedata.normalize("NFKC", text).casefold()
    return re.sub(r"[\s_\-:*]+", "", re.sub(r"[(\[{].*?[)\]}]", "", half))


@cache
def _headers() -> dict[str, dict[str, list[str]]]:
    return tomllib.loads((data_dir() / "headers.toml").read_text(encoding="utf-8"))


@cache
def _synonyms(section: str) -> dict[str, str]:
    return {plain(word): field for field, words in _headers()[section].items() for word in words}


def _text_rows(path: Path) -> tuple[str, Iterator[list[str]]]:
    content = path.read_bytes()
    for encoding in ENCODINGS[0 if content.startswith(b"\xef\xbb\xbf") else 1 :]:
        try:
            text = content.decode(encoding)
        except UnicodeDecodeError:
            continue
        if "\0" in text:  # UTF-16, or no text at all: GB18030 takes it for letters
            break
        head = text[:10_000]
        delimiter = max(",;\t", key=head.count)
        return encoding, csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=False)
    raise InputError(Fault("outlets.encoding", path.name))


def _sheet_rows(path: Path) -> Iterator[list[str]]:
    """Rows of the first sheet with a header; of the first sheet if none has."""
    _refuse_bombs(path)
    try:
        book = openpyxl.load_workbook(path, read_only=True, data_only=True, keep_links=False)
        sheets = [[[_written(c) for c in row] for row in _bounded(path, sheet)] for sheet in book.worksheets]
        book.close()
    except (InvalidFileException, zipfile.BadZipFile, KeyError, ValueError, TypeError, SyntaxError, OSError) as error:
        reason = (str(error).splitlines() or [""])[0][:120] or type(error).__name__
        raise InputError(Fault("vector.unreadable", path.name, {"reason": reason})) from None
    return iter(next((s for s in sheets if _header_row(s) is not None), sheets[0] if sheets else []))


def _bounded(path: Path, sheet: Any) -> Iterator[tuple[Any, ...]]:  # noqa: ANN401 - openpyxl ships no types
    sheet.reset_dimensions()  # what a file claims of its size may be a lie
    for number, row in enumerate(sheet.iter_rows(values_only=True, max_col=MAX_COLUMNS)):
        if number > MAX_ROWS:
            raise _too_large(path, f"> {MAX_ROWS:,}", f"{MAX_ROWS:,}")
        yield row


def _refuse_bombs(path: Path) -> None:
    """Look at the parts of a workbook before any is unpacked whole."""
    try:
        with zipfile.ZipFile(path) as parts:
            if (size := sum(part.file_size for part in parts.infolist())) > MAX_UNZIPPED:
                raise _too_large(path, f"{size / 2**20:,.0f} MB", f"{MAX_UNZIPPED / 2**20:,.0f} MB")
            for part in parts.infolist():
                if part.filename.endswith((".xml", ".rels")):
                    with parts.open(part) as stream:
                        if b"<!DOCTYPE" in (head := stream.read(4096)) or b"<!ENTITY" in head:
                            raise InputError(Fault("outlets.hostile", path.name, {"reason": "DOCTYPE"}))
    except (zipfile.BadZipFile, NotImplementedError, RuntimeError) as error:  # not a zip, odd methods, encrypted
        raise InputError(Fault("vector.unreadable", path.name, {"reason": str(error)[:120]})) from None


def _written(cell: object) -> str:
    """A cell as text: whole numbers without .0, dates as 2024-05-01."""
    if cell is None:
        return ""
    if isinstance(cell, float) and cell.is_integer():
        return str(int(cell))
    if isinstance(cell, pd.Timestamp) or hasattr(cell, "isoformat"):
        return str(cell.isoformat()).removesuffix("T00:00:00")
    return str(cell)


def _header_row(lines: list[list[str]]) -> int | None:
    for number, line in enumerate(lines[:HEADER_ROWS]):
        if len({field_of(cell) for cell in line} - {None}) >= MANY_HEADERS:
            return number
    return None


def _table(path: Path, lines: Iterable[list[str]], form: str) -> RawTable:
    try:
        every = list(_limited(path, lines))
    except csv.Error as error:
        raise InputError(Fault("vector.unreadable", path.name, {"reason": str(error)[:120]})) from None
    head = _header_row(every)
    if head is None:
        raise InputError(Fault("outlets.no_header", path.name, {"rows": HEADER_ROWS}))
    names = [cell.strip() for cell in every[head]]
    width = len(names)
    filled = [(n, line) for n, line in enumerate(every) if n > head and any(cell.strip() for cell in line)]
    cells = [[cell.strip() for cell in line[:width]] + [""] * (width - len(line)) for _, line in filled]
    columns = [name or f"_{i}" for i, name in enumerate(names)]
    if not cells:
        raise InputError(Fault("table.no_rows", path.name))
    frame = pd.DataFrame(cells, columns=columns, dtype=object)
    return RawTable(frame, pd.Index([n + 1 for n, _ in filled]).to_numpy(dtype="int64"), form)


def _limited(path: Path, lines: Iterable[list[str]]) -> Iterator[list[str]]:
    for number, line in enumerate(lines):
        if number > MAX_ROWS or len(line) > MAX_COLUMNS:
            raise _too_large(path, f"{number:,} x {len(line):,}", f"{MAX_ROWS:,} x {MAX_COLUMNS}")
        yield line


def _vector(path: Path) -> RawTable:
    try:
        layer = pyogrio.list_layers(path)[0][0]
        frame = gpd.read_file(path, layer=layer)
    except (pyogrio.errors.DataSourceError, pyogrio.errors.DataLayerError, IndexError, ValueError) as error:
        reason = (str(error).splitlines() or [""])[0].replace(str(path), path.name)[:200]
        raise InputError(Fault("vector.unreadable", path.name, {"reason": reason})) from None
    if not isinstance(frame, gpd.GeoDataFrame):
        raise InputError(Fault("vector.no_geometry", path.name))
    if frame.empty:
        raise InputError(Fault("table.no_rows", path.name))
    if len(frame) > MAX_ROWS:
        raise _too_large(path, f"{len(frame):,}", f"{MAX_ROWS:,}")
    plain_cells = frame.drop(columns=frame.geometry.name)
    cells = plain_cells.astype(object).where(plain_cells.notna(), "").map(_written).map(str.strip)
    points = gpd.GeoSeries(shapely.point_on_surface(frame.geometry.array), crs=frame.crs)
    rows = pd.RangeIndex(1, len(frame) + 1).to_numpy(dtype="int64")
    return RawTable(cells.reset_index(drop=True), rows, path.suffix[1:].lower(), points, frame.crs)


def _too_large(path: Path, found: str, limit: str) -> InputError:
    return InputError(Fault("outlets.too_large", path.name, {"found": found, "limit": limit}))
