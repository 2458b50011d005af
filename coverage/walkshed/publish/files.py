"""Files on the disk: all of a plan's files appear together, or none does and what was there stays."""

import errno
import os
import shutil
import tempfile
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path

from walkshed.errors import Fault, OutputError

_REASONS = {
    errno.ENOSPC: "publish.disk_full",
    errno.EDQUOT: "publish.disk_full",
    errno.EFBIG: "publish.disk_full",
    errno.EACCES: "publish.not_writable",
    errno.EPERM: "publish.not_writable",
    errno.EROFS: "publish.not_writable",
    errno.EEXIST: "publish.not_a_folder",
    errno.ENOTDIR: "publish.not_a_folder",
    errno.EISDIR: "publish.folder_in_the_way",
    errno.ENAMETOOLONG: "publish.name_too_long",
}


def put(folder: Path, files: Mapping[str, bytes]) -> list[Path]:
    """Write `files` (name: content) into `folder`, which is made where missing; other files in it are left alone.

    Everything is first written, and forced to the disk, in a hidden folder beside its place; only then are the files
    moved in one by one, the ones they replace being kept until the last has arrived.

    Raises
    ------
    OutputError
        If the disk is full, the folder cannot be written, or is no folder. Then nothing has changed.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as top:
    ...     [path.name for path in put(Path(top) / "out" / "town", {"plan.json": b"{}"})]
    ['plan.json']
    """
    folder = Path(folder)
    made = _missing_parents(folder)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        staging = Path(tempfile.mkdtemp(prefix=".walkshed-", dir=folder))
        try:
            _write_all(staging, files)
            _swap(folder, staging, list(files))
        finally:
            shutil.rmtree(staging, ignore_errors=True)
    except OSError as error:
        _remove_empty(made)
        raise OutputError(_fault(error, folder)) from error
    return [folder / name for name in files]


def _missing_parents(folder: Path) -> list[Path]:
    """Folders that will have to be made, the deepest first; removed again if nothing could be written."""
    missing = []
    with suppress(OSError):
        for place in (folder, *folder.parents):
            if place.exists():
                break
            missing.append(place)
    return missing


def _remove_empty(folders: list[Path]) -> None:
    for folder in folders:
        with suppress(OSError):
            folder.rmdir()


def _write_all(staging: Path, files: Mapping[str, bytes]) -> None:
    for name, content in files.items():
        with (staging / name).open("wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())  # a full disk may show only now


def _swap(folder: Path, staging: Path, names: list[str]) -> None:
    """Move the new files in; if one cannot be, put every old one back."""
    kept = staging / "before"
    kept.mkdir()
    try:
        for name in names:
            target = folder / name
            if target.is_dir():
                raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR), str(target))
            if target.exists():
                target.replace(kept / name)
            (staging / name).replace(target)
    except OSError:
        for name in names:
            if (kept / name).exists():
                (kept / name).replace(folder / name)
            elif not (staging / name).exists():
                (folder / name).unlink()
        raise


def _fault(error: OSError, folder: Path) -> Fault:
    key = _REASONS.get(error.errno or 0, "publish.not_written")
    return Fault(key, str(error.filename or folder) if key == "publish.folder_in_the_way" else str(folder), {
        "reason": error.strerror or str(error)
    })  # fmt: skip
