"""Scenarios in a workspace: read, saved, undone, branched; whoever writes second is told and overwrites nothing.

A scenario has versions; `undo` and `redo` move along them. Each write names the revision it was made on, and stands in
one transaction: a process that is killed loses at most the change in flight.
"""

import sqlite3
from dataclasses import dataclass
from pathlib import Path

from walkshed.errors import Fault
from walkshed.scenario import Scenario
from walkshed.workspace.file import FILE_NAME, prepare, reading, writing
from walkshed.workspace.values import ConflictError, Note, Saved, Version, WorkspaceError

NAME_MAX = 80

_SAVED = """
SELECT s.id, s.name, s.folder, s.draft, s.archived, s.revision, v.number, v.toml, v.why, v.who, v.saved,
    v.parent IS NOT NULL,
    EXISTS (SELECT 1 FROM version n WHERE n.scenario = s.id AND n.parent = s.at)
FROM scenario s JOIN version v ON v.scenario = s.id AND v.number = s.at
"""
_STEPS = {
    "undo": "SELECT parent FROM version WHERE scenario = ? AND number = ?",
    "redo": "SELECT max(number) FROM version WHERE scenario = ? AND parent = ?",
    "back_to": "SELECT number FROM version WHERE scenario = ? AND number = ?",
}


@dataclass(frozen=True)
class Workspace:
    """A folder with saved scenarios and, beside them, folders of cities. Made by `Workspace.open`.

    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     space = Workspace.open(Path(folder))
    ...     mine = space.create(Scenario.default(), name="今天", note=Note("start"))
    ...     mine = space.save(mine, Scenario.default().revise(siting={"build": 7}), note=Note("two more"))
    ...     space.scenario(mine).siting.build, space.scenario(space.undo(mine)).siting.build
    (7, 5)
    """

    folder: Path

    @classmethod
    def open(cls, folder: Path) -> "Workspace":
        """Open the workspace of a folder, or make one there.

        Raises
        ------
        WorkspaceError
            If the folder cannot be written, or the file is damaged, somebody else's, or of a newer walkshed: then it
            is left untouched.
        """
        space = cls(Path(folder))
        prepare(space.file)
        return space

    @property
    def file(self) -> Path:
        """The database."""
        return self.folder / FILE_NAME

    def scenario(self, saved: Saved) -> Scenario:
        """Read a saved scenario; its files are looked for in its folder."""
        return Scenario.parse(saved.toml, base_dir=self.folder / saved.folder, where=saved.name)

    def cities(self) -> list[str]:
        """Folders of the workspace that hold a scenario file, by name."""
        return sorted(path.parent.name for path in self.folder.glob("*/scenario.toml"))

    def scenarios(self, *, archived: bool = False) -> list[Saved]:
        """Saved scenarios, the latest change first; archived ones only where asked for."""
        with reading(self.file) as db:
            rows = db.execute(f"{_SAVED} WHERE s.archived = ? ORDER BY v.saved DESC, s.id DESC", (int(archived),))
            return [_saved(row) for row in rows]

    def get(self, scenario_id: int) -> Saved:
        """Return one scenario as it is now.

        Raises
        ------
        WorkspaceError
            If there is none of this number.
        """
        with reading(self.file) as db:
            return self._one(db, scenario_id)

    def history(self, scenario_id: int) -> list[Version]:
        """Every version of a scenario, the newest first."""
        query = "SELECT number, parent, toml, why, who, saved FROM version WHERE scenario = ? ORDER BY number DESC"
        with reading(self.file) as db:
            rows = db.execute(query, (scenario_id,))
            return [Version(number, parent, toml, Note(*note)) for number, parent, toml, *note in rows]

    def create(self, scenario: Scenario, *, name: str, note: Note, folder: str = "", draft: bool = False) -> Saved:
        """Save a scenario for the first time; a name that is taken gets a number."""
        with writing(self.file) as db:
            made = db.execute(
                "INSERT INTO scenario (name, folder, draft, at) VALUES (?, ?, ?, 1)",
                (_free(db, name), folder, int(draft)),
            ).lastrowid
            _add(db, (int(made or 0), 1, None), scenario, note)
            return self._one(db, int(made or 0))

    def save(self, saved: Saved, scenario: Scenario, *, note: Note) -> Saved:
        """Save a change as a new version.

        Raises
        ------
        ConflictError
            If the scenario is no longer as `saved` has it.
        """
        with writing(self.file) as db:
            self._unchanged(db, saved)
            [number] = db.execute("SELECT 1 + max(number) FROM version WHERE scenario = ?", (saved.id,)).fetchone()
            _add(db, (saved.id, number, saved.version), scenario, note)
            return self._touch(db, saved.id, at=number)

    def undo(self, saved: Saved) -> Saved:
        """Go back one version; with nothing to undo it stays as it is."""
        return self._go(saved, "undo", saved.version)

    def redo(self, saved: Saved) -> Saved:
        """Go forward to the latest version made on this one."""
        return self._go(saved, "redo", saved.version)

    def back_to(self, saved: Saved, number: int) -> Saved:
        """Make an older (or newer) version the one that holds."""
        return self._go(saved, "back_to", number)

    def rename(self, saved: Saved, name: str) -> Saved:
        """Give a scenario a name; a draft is none from then on."""
        with writing(self.file) as db:
            self._unchanged(db, saved)
            free = saved.name if name.strip() == saved.name else _free(db, name)
            return self._touch(db, saved.id, name=free, draft=0)

    def archive(self, saved: Saved, *, archived: bool = True) -> Saved:
        """Put a scenario away, or take it out again; nothing is ever deleted."""
        with writing(self.file) as db:
            self._unchanged(db, saved)
            return self._touch(db, saved.id, archived=int(archived))

    def branch(self, saved: Saved, *, name: str, note: Note, scenario: Scenario | None = None) -> Saved:
        """Copy a scenario under another name, or save a change that came second as one of its own."""
        return self.create(scenario or self.scenario(saved), name=name, note=note, folder=saved.folder)

    def _go(self, saved: Saved, step: str, number: int) -> Saved:
        with writing(self.file) as db:
            self._unchanged(db, saved)
            found = db.execute(_STEPS[step], (saved.id, number)).fetchone()
            return self._touch(db, saved.id, at=found[0]) if found and found[0] is not None else saved

    def _touch(self, db: sqlite3.Connection, scenario_id: int, **new: object) -> Saved:
        columns = "".join(f"{column} = ?, " for column in new)  # names are this module's own
        query = f"UPDATE scenario SET {columns}revision = revision + 1 WHERE id = ?"  # noqa: S608
        db.execute(query, (*new.values(), scenario_id))
        return self._one(db, scenario_id)

    def _unchanged(self, db: sqlite3.Connection, saved: Saved) -> None:
        now = self._one(db, saved.id)
        if now.revision != saved.revision:
            values = {"who": now.note.who or "?", "saved": now.note.saved, "why": now.note.why}
            raise ConflictError(Fault("workspace.conflict", saved.name, values))

    def _one(self, db: sqlite3.Connection, scenario_id: int) -> Saved:
        row = db.execute(f"{_SAVED} WHERE s.id = ?", (scenario_id,)).fetchone()
        if row is None:
            raise WorkspaceError(Fault("workspace.unknown", str(self.folder), {"id": scenario_id}))
        return _saved(row)


def _add(db: sqlite3.Connection, place: tuple[int, int, int | None], scenario: Scenario, note: Note) -> None:
    row = (*place, scenario.to_toml(), note.why, note.who, note.saved)
    db.execute("INSERT INTO version VALUES (?, ?, ?, ?, ?, ?, ?)", row)


def _free(db: sqlite3.Connection, name: str) -> str:
    """Return the name, cut to what a list can show, with a number where it is taken."""
    wanted = " ".join(name.split())[:NAME_MAX] or "scenario"
    taken = {row[0] for row in db.execute("SELECT name FROM scenario")}
    numbered = (f"{wanted} ({n})" for n in range(2, len(taken) + 3))
    return wanted if wanted not in taken else next(n for n in numbered if n not in taken)


def _saved(row: tuple[object, ...]) -> Saved:
    number, name, folder, draft, archived, revision, version, toml, why, who, saved, undo, redo = row
    note = Note(str(why), str(who), str(saved))
    return Saved(
        int(str(number)), str(name), str(folder), bool(draft), bool(archived), int(str(revision)), int(str(version)),
        str(toml), note, bool(undo), bool(redo),
    )  # fmt: skip
