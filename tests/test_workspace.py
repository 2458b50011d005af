"""Saved scenarios: nothing is lost, nothing is overwritten, nothing foreign is touched."""

import os
import random
import signal
import sqlite3
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from walkshed.scenario import Scenario
from walkshed.workspace import SCHEMA, ConflictError, Note, Saved, Workspace, WorkspaceError

START = Scenario.default()
WRITER = """
import os, sys
from pathlib import Path
from walkshed.scenario import Scenario
from walkshed.workspace import Note, Workspace
space = Workspace(Path(sys.argv[1]))
versions = [Scenario.default().revise(siting={"build": build}) for build in range(1, 5)]
for _ in sys.stdin:  # a line asks for a child that saves until it is killed: importing takes longer than all the saving
    if (child := os.fork()) == 0:
        saved = space.scenarios()[0]
        while True:
            scenario = versions[saved.version % 4]
            saved = space.save(saved, scenario, note=Note(str(scenario.siting.build)))
            os.write(1, f"{os.getpid()} {saved.version}\\n".encode())
    os.waitpid(child, 0)
    os.write(1, b"killed 0\\n")
"""


@pytest.fixture
def space(tmp_path: Path) -> Workspace:
    return Workspace.open(tmp_path / "space")


def build(count: int) -> Scenario:
    return START.revise(siting={"build": count})


def saved_with(space: Workspace, *counts: int) -> Saved:
    saved = space.create(build(counts[0]), name="方案", note=Note("first"))
    for count in counts[1:]:
        saved = space.save(saved, build(count), note=Note(f"build {count}"))
    return saved


def test_what_is_saved_is_found_by_another_process_of_walkshed(space: Workspace) -> None:
    saved_with(space, 1, 2)

    [found] = Workspace.open(space.folder).scenarios()

    assert (found.name, found.version, found.note.why) == ("方案", 2, "build 2")
    assert space.scenario(found) == build(2)


def test_undo_and_redo_walk_along_the_versions(space: Workspace) -> None:
    saved = saved_with(space, 1, 2, 3)

    once = space.undo(saved)
    twice = space.undo(once)
    again = space.redo(twice)

    assert [space.scenario(s).siting.build for s in (once, twice, again)] == [2, 1, 2]
    assert (twice.can_undo, twice.can_redo) == (False, True)
    assert space.undo(space.undo(again)).version == 1  # nothing comes before the first


def test_a_change_after_undo_keeps_the_undone_version_in_the_history(space: Workspace) -> None:
    saved = space.save(space.undo(saved_with(space, 1, 2)), build(9), note=Note("other way"))

    assert [(v.number, v.parent) for v in space.history(saved.id)] == [(3, 1), (2, 1), (1, None)]
    assert not saved.can_redo
    assert space.scenario(space.back_to(saved, 2)) == build(2)


def test_the_second_of_two_planners_is_told_and_can_branch(space: Workspace) -> None:
    mine = theirs = saved_with(space, 1)
    space.save(theirs, build(2), note=Note("theirs", who="李"))

    with pytest.raises(ConflictError, match="李"):
        space.save(mine, build(3), note=Note("mine"))
    branch = space.branch(mine, name=mine.name, note=Note("mine"), scenario=build(3))

    assert space.scenario(space.get(mine.id)) == build(2)
    assert (branch.name, space.scenario(branch)) == ("方案 (2)", build(3))


@pytest.mark.parametrize("act", ["undo", "redo", "archive"])
def test_every_other_write_is_refused_to_the_second_as_well(space: Workspace, act: str) -> None:
    old = saved_with(space, 1, 2)
    space.rename(old, "新名")

    with pytest.raises(ConflictError):
        getattr(space, act)(old)


def test_of_many_writers_at_once_each_change_is_written_or_refused(space: Workspace) -> None:
    saved = saved_with(space, 1)

    def write(count: int) -> int:
        now, written = saved, 0
        for _ in range(10):
            try:
                now = space.save(now, build(count), note=Note(str(count)))
                written += 1
            except ConflictError:
                now = space.get(saved.id)
        return written

    with ThreadPoolExecutor(4) as pool:
        written = sum(pool.map(write, range(1, 5)))

    assert len(space.history(saved.id)) == 1 + written
    assert space.get(saved.id).revision == 1 + written


def test_archived_scenarios_are_put_away_and_can_be_taken_out(space: Workspace) -> None:
    saved = space.archive(saved_with(space, 1))

    assert (space.scenarios(), len(space.scenarios(archived=True))) == ([], 1)
    space.archive(saved, archived=False)
    assert len(space.scenarios()) == 1


def test_a_name_is_kept_short_and_on_one_line(space: Workspace) -> None:
    assert space.create(START, name="a\n" + "b" * 200, note=Note("")).name == "a " + "b" * 78
    assert space.create(START, name=" \n", note=Note("")).name == "scenario"


def test_a_saved_scenario_finds_the_files_of_its_city(space: Workspace) -> None:
    (space.folder / "town").mkdir()
    (space.folder / "town" / "scenario.toml").write_text("", encoding="utf-8")
    (space.folder / "town" / "streets.gpkg").touch()
    (space.folder / "town" / "people.csv").touch()
    text = 'name = "t"\n[streets]\nsource = "streets.gpkg"\n[demand]\nsource = "people.csv"\n'
    scenario = Scenario.parse(text, base_dir=space.folder / "town")

    saved = space.create(scenario, name="t", note=Note(""), folder="town")

    assert space.cities() == ["town"]
    assert space.scenario(space.get(saved.id)).path("streets.gpkg").is_file()


# ---- files that are not ours ----


def refused(folder: Path) -> str:
    """Why a workspace is refused; its file must be as it was."""
    file = folder / "workspace.db"
    before = file.read_bytes()
    with pytest.raises(WorkspaceError) as caught:
        Workspace.open(folder)
    assert file.read_bytes() == before
    return caught.value.faults[0].key


def altered(space: Workspace, statement: str) -> Path:
    with sqlite3.connect(space.file) as db:
        db.execute(statement)
    db.close()
    return space.folder


def test_a_newer_database_is_refused_and_left_untouched(space: Workspace) -> None:
    saved_with(space, 1)

    assert refused(altered(space, f"PRAGMA user_version = {SCHEMA + 1}")) == "workspace.newer"


def test_a_database_of_another_program_is_refused_and_left_untouched(space: Workspace) -> None:
    assert refused(altered(space, "PRAGMA application_id = 7")) == "workspace.foreign"


@pytest.mark.parametrize("content", [b"not a database at all" * 100, b"SQLite format 3\0" + b"\xff" * 5000])
def test_a_damaged_file_is_refused_and_left_untouched(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "workspace.db").write_bytes(content)

    assert refused(tmp_path) == "workspace.damaged"


def test_a_page_that_was_overwritten_is_noticed(space: Workspace) -> None:
    saved_with(space, *range(1, 40))
    content = bytearray(space.file.read_bytes())
    content[4096:8192] = b"\x55" * 4096
    space.file.write_bytes(content)

    assert refused(space.folder) == "workspace.damaged"


def test_an_empty_file_is_what_a_kill_at_the_very_start_leaves_and_is_used(tmp_path: Path) -> None:
    (tmp_path / "workspace.db").touch()

    assert Workspace.open(tmp_path).scenarios() == []


def test_a_folder_that_cannot_be_made_is_said(tmp_path: Path) -> None:
    (tmp_path / "file").touch()

    with pytest.raises(WorkspaceError) as caught:
        Workspace.open(tmp_path / "file" / "space")
    assert caught.value.faults[0].key == "workspace.not_written"


# ---- kill -9 ----


def killed_while_saving(writer: "subprocess.Popen[str]", chance: random.Random) -> int:
    """Let a process save as fast as it can, kill it at some moment; the last version it said was saved."""
    assert writer.stdin
    assert writer.stdout
    writer.stdin.write("go\n")
    writer.stdin.flush()
    pid, shown = writer.stdout.readline().split()
    time.sleep(chance.uniform(0, 0.03))
    os.kill(int(pid), signal.SIGKILL)
    for line in iter(writer.stdout.readline, "killed 0\n"):
        shown = line.split()[1]
    return int(shown)


def survives(folder: Path, kills: int) -> None:
    space, chance = Workspace.open(folder), random.Random(2020)  # noqa: S311  moments, not secrets
    saved_with(space, 1)
    line = [sys.executable, "-c", WRITER, str(folder)]
    with subprocess.Popen(line, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as writer:
        for _ in range(kills):
            shown = killed_while_saving(writer, chance)
            [found] = Workspace.open(folder).scenarios()
            numbers = [version.number for version in space.history(found.id)]
            assert found.version in (shown, shown + 1)  # at most the change in flight
            assert numbers == list(range(found.version, 0, -1))
            assert str(space.scenario(found).siting.build) == found.note.why
        assert writer.stdin
        writer.stdin.close()


def test_a_kill_during_saving_loses_nothing_that_was_shown(tmp_path: Path) -> None:
    survives(tmp_path, kills=20)


@pytest.mark.heavy
def test_a_hundred_kills_during_saving_lose_nothing_that_was_shown(tmp_path: Path) -> None:
    survives(tmp_path, kills=100)
