"""What a workspace hands out, and what can go wrong with it."""

from dataclasses import dataclass

from walkshed.errors import WalkshedError


class WorkspaceError(WalkshedError, OSError):
    """The workspace cannot be used; what is in it is as it was."""

    def __str__(self) -> str:  # OSError would look for errno
        return self.text()


class ConflictError(WalkshedError, RuntimeError):
    """Somebody else changed the scenario in the meantime; nothing was written."""


@dataclass(frozen=True)
class Note:
    """What is written down with a change: why, by whom, and when (ISO 8601; the clock is the caller's)."""

    why: str
    who: str = ""
    saved: str = ""


@dataclass(frozen=True)
class Saved:
    """A scenario as it is saved.

    folder : the folder its files are named from, relative to the workspace ('' where it names none)
    draft : nobody has given it a name yet
    revision : changes with every write; `version` is the one of its versions that holds
    """

    id: int
    name: str
    folder: str
    draft: bool
    archived: bool
    revision: int
    version: int
    toml: str
    note: Note
    can_undo: bool
    can_redo: bool


@dataclass(frozen=True)
class Version:
    """One version of a scenario, as its history lists it."""

    number: int
    parent: int | None
    toml: str
    note: Note
