"""The database of a workspace: made, opened, and refused untouched where it is damaged, foreign or newer."""

import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from walkshed.errors import Fault
from walkshed.workspace.values import WorkspaceError

FILE_NAME = "workspace.db"
APPLICATION_ID = 0x77616C6B  # "walk": the file says whose it is
SCHEMA = 1
BUSY_S = 15.0  # how long a writer waits for another

_TABLES = (
    """CREATE TABLE scenario (
    id INTEGER PRIMARY KEY, name TEXT NOT NULL, folder TEXT NOT NULL, draft INTEGER NOT NULL,
    archived INTEGER NOT NULL DEFAULT 0, at INTEGER NOT NULL, revision INTEGER NOT NULL DEFAULT 1)""",
    """CREATE TABLE version (
    scenario INTEGER NOT NULL REFERENCES scenario (id), number INTEGER NOT NULL, parent INTEGER, toml TEXT NOT NULL,
    why TEXT NOT NULL, who TEXT NOT NULL, saved TEXT NOT NULL, PRIMARY KEY (scenario, number))""",
)


def prepare(file: Path) -> None:
    """Make the database where there is none; leave one that cannot be used as it is.

    Raises
    ------
    WorkspaceError
        If it cannot be made, is damaged, somebody else's, or of a newer walkshed.
    """
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        if not _inspected(file):
            _create(file)
    except sqlite3.Error as error:
        raise told(file, error, "not_written") from error
    except WorkspaceError:
        raise
    except OSError as error:
        raise fault(file, "not_written", reason=error.strerror or str(error)) from error


def fault(file: Path, key: str, **values: object) -> WorkspaceError:
    """Return what is wrong with the file, to be raised."""
    return WorkspaceError(Fault(f"workspace.{key}", str(file), values))


def told(file: Path, error: sqlite3.Error, otherwise: str) -> WorkspaceError:
    """Return what SQLite says: the file itself is at fault, or something `otherwise`, a full disk or a lock."""
    name = getattr(error, "sqlite_errorname", "")
    broken = name.startswith("SQLITE_CORRUPT") or name == "SQLITE_NOTADB"
    return fault(file, "damaged" if broken else otherwise, reason=str(error))


@contextmanager
def connected(file: Path) -> Iterator[sqlite3.Connection]:
    """A connection for one thing: nothing is shared between threads, nothing stays open."""
    with closing(sqlite3.connect(file, timeout=BUSY_S, isolation_level=None)) as db:
        db.execute("PRAGMA foreign_keys = ON")
        db.execute("PRAGMA synchronous = FULL")  # what was shown survives a power cut too
        yield db


@contextmanager
def reading(file: Path) -> Iterator[sqlite3.Connection]:
    """A connection to read with.

    Raises
    ------
    WorkspaceError
        If the file cannot be read.
    """
    try:
        with connected(file) as db:
            yield db
    except sqlite3.Error as error:
        raise told(file, error, "not_read") from error


@contextmanager
def writing(file: Path) -> Iterator[sqlite3.Connection]:
    """One transaction, all or nothing, that nobody else writes in between.

    Raises
    ------
    WorkspaceError
        If it could not be written; then nothing was.
    """
    try:
        with connected(file) as db:
            db.execute("BEGIN IMMEDIATE")
            try:
                yield db
            except BaseException:
                db.execute("ROLLBACK")
                raise
            db.execute("COMMIT")
    except sqlite3.Error as error:
        raise told(file, error, "not_written") from error


def _inspected(file: Path) -> bool:
    """Whether the file is a workspace of ours; looked at without a way to write."""
    if not file.exists() or file.stat().st_size == 0:
        return False
    with closing(sqlite3.connect(f"{file.absolute().as_uri()}?mode=ro", uri=True, timeout=BUSY_S)) as db:
        [owner], [schema] = (db.execute(f"PRAGMA {key}").fetchone() for key in ("application_id", "user_version"))
        [tables] = db.execute("SELECT count(*) FROM sqlite_master").fetchone()
        if owner == 0 and tables == 0:
            return False  # killed while it was being made
        if owner != APPLICATION_ID:
            raise fault(file, "foreign")
        if schema > SCHEMA:
            raise fault(file, "newer", found=schema, known=SCHEMA)
        [checked] = db.execute("PRAGMA quick_check(1)").fetchone()
        if checked != "ok":
            raise fault(file, "damaged", reason=checked)
    return True


def _create(file: Path) -> None:
    with connected(file) as db:
        db.execute("PRAGMA journal_mode = WAL")
        db.execute("BEGIN IMMEDIATE")
        if not db.execute("SELECT count(*) FROM sqlite_master").fetchone()[0]:  # else another process was first
            for statement in _TABLES:
                db.execute(statement)
            db.execute(f"PRAGMA application_id = {APPLICATION_ID}")
            db.execute(f"PRAGMA user_version = {SCHEMA}")
        db.execute("COMMIT")
