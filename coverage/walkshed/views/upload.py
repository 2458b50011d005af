"""Files people bring: known by their content, never by their name, and refused before they can do harm."""

from pathlib import Path

from walkshed.errors import Fault, InputError

UPLOAD_MAX = 25 * 2**20  # bytes; as in .streamlit/config.toml, which is not always in force

_SIGNS = ((b"PK\x03\x04", ".xlsx"), (b"SQLite format 3\x00", ".gpkg"))
_BINARY = 1024  # bytes looked at to tell text from something else


def suffix_of(content: bytes, name: str) -> str:
    r"""Ending a file should have, by what is in it; the name it came with is not believed.

    Raises
    ------
    InputError
        If it is empty, too large, or none of the forms a table may have.

    Examples
    --------
    >>> suffix_of(b"PK\x03\x04...", "outlets.csv"), suffix_of(b' {"type": 1}', "x.exe"), suffix_of(b"a,b", "a.xlsx")
    ('.xlsx', '.geojson', '.csv')
    """
    if not content:
        raise InputError(Fault("app.upload_empty", label_of(name)))
    if len(content) > UPLOAD_MAX:
        values = {"size": len(content) / 2**20, "largest": UPLOAD_MAX / 2**20}
        raise InputError(Fault("app.upload_too_large", label_of(name), values))
    for sign, suffix in _SIGNS:
        if content.startswith(sign):
            return suffix
    if b"\x00" in content[:_BINARY]:
        raise InputError(Fault("app.upload_form", label_of(name)))
    start = content.removeprefix(b"\xef\xbb\xbf").lstrip()[:1]
    return ".geojson" if start == b"{" else ".csv"


def stored(content: bytes, name: str, folder: Path, stem: str = "outlets") -> Path:
    """Write an upload into a folder under a name of our own, with the ending its content has.

    Raises
    ------
    InputError
        As `suffix_of` does.
    """
    path = folder / f"{stem}{suffix_of(content, name)}"
    folder.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
    return path


def label_of(name: str) -> str:
    r"""Name of an upload as it may be shown: its last part, no control characters, not too long.

    >>> label_of("../../etc/pass\nwd"), label_of("C:\\x\\馆点.csv")
    ('pass wd', '馆点.csv')
    """
    last = name.replace("\\", "/").rsplit("/", 1)[-1]
    return "".join(c if c.isprintable() else " " for c in last)[:80] or "?"
