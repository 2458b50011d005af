"""Files appear together or not at all, and say clearly why not."""

import errno
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from walkshed.errors import OutputError
from walkshed.publish import files


@contextmanager
def disk_with_room_for(size: int) -> Iterator[None]:
    """Let no file grow beyond `size`: what a full disk does, without one (Python turns the signal into an error)."""
    resource = pytest.importorskip("resource", reason="only POSIX can limit the size of files")
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


def contents(folder: Path) -> dict[str, bytes]:
    return {str(p.relative_to(folder)): p.read_bytes() for p in sorted(folder.rglob("*")) if p.is_file()}


def test_new_files_replace_old_ones_and_leave_others_alone(tmp_path: Path) -> None:
    (tmp_path / "plan.json").write_bytes(b"old")
    (tmp_path / "mine.txt").write_bytes(b"mine")

    paths = files.put(tmp_path, {"plan.json": b"new", "map.html": b"map"})

    assert paths == [tmp_path / "plan.json", tmp_path / "map.html"]
    assert contents(tmp_path) == {"map.html": b"map", "mine.txt": b"mine", "plan.json": b"new"}


def test_a_full_disk_changes_nothing(tmp_path: Path) -> None:
    (tmp_path / "small.txt").write_bytes(b"old")

    with pytest.raises(OutputError, match=r"the disk is full .*nothing was written"), disk_with_room_for(1000):
        files.put(tmp_path, {"small.txt": b"new", "large.bin": b"x" * 5000})

    assert contents(tmp_path) == {"small.txt": b"old"}


def test_a_full_disk_leaves_no_new_folder(tmp_path: Path) -> None:
    with pytest.raises(OutputError), disk_with_room_for(1000):
        files.put(tmp_path / "out" / "town", {"large.bin": b"x" * 5000})

    assert list(tmp_path.iterdir()) == []


def test_a_move_that_fails_halfway_puts_everything_back(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("a", "b"):
        (tmp_path / name).write_bytes(b"old")
    move = Path.replace

    def third_time_unlucky(self: Path, target: Path) -> Path:
        if self.name == "b" and self.parent != tmp_path and self.parent.name != "before":
            raise OSError(errno.EACCES, os.strerror(errno.EACCES), str(target))
        return move(self, target)

    monkeypatch.setattr(Path, "replace", third_time_unlucky)
    with pytest.raises(OutputError, match="cannot be written to"):
        files.put(tmp_path, {"new": b"new", "a": b"new", "b": b"new"})

    assert contents(tmp_path) == {"a": b"old", "b": b"old"}


def test_a_file_where_the_folder_should_be_is_said(tmp_path: Path) -> None:
    (tmp_path / "out").write_bytes(b"mine")

    for folder in (tmp_path / "out", tmp_path / "out" / "town"):
        with pytest.raises(OutputError, match="is a file and not a folder"):
            files.put(folder, {"plan.json": b"{}"})

    assert contents(tmp_path) == {"out": b"mine"}


def test_a_folder_where_a_file_should_be_is_said(tmp_path: Path) -> None:
    (tmp_path / "map.html").mkdir()

    with pytest.raises(OutputError, match="a folder stands where a file is to be written"):
        files.put(tmp_path, {"plan.json": b"{}", "map.html": b""})

    assert [p.name for p in tmp_path.iterdir()] == ["map.html"]


def test_a_folder_that_cannot_be_written_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refused(**_: object) -> str:  # root may write anywhere, so the refusal is acted
        raise OSError(errno.EROFS, os.strerror(errno.EROFS))

    monkeypatch.setattr(files.tempfile, "mkdtemp", refused)
    with pytest.raises(OutputError, match="this folder cannot be written to") as caught:
        files.put(tmp_path / "out", {"plan.json": b"{}"})

    assert "没有写入此文件夹的权限" in caught.value.text("zh")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.skipif(os.name == "nt" or not hasattr(os, "geteuid") or os.geteuid() == 0, reason="root writes anywhere")
def test_a_read_only_folder_is_refused(tmp_path: Path) -> None:
    tmp_path.chmod(0o500)

    with pytest.raises(OutputError, match="this folder cannot be written to"):
        files.put(tmp_path, {"plan.json": b"{}"})
