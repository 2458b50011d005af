"""Saved scenarios and their history: one SQLite file, every change committed before anybody sees it.

`values` says what is saved, `file` opens the database and refuses what is not ours, `space` reads and writes.
"""

from walkshed.workspace.file import FILE_NAME, SCHEMA
from walkshed.workspace.space import Workspace
from walkshed.workspace.values import ConflictError, Note, Saved, Version, WorkspaceError

__all__ = ["FILE_NAME", "SCHEMA", "ConflictError", "Note", "Saved", "Version", "Workspace", "WorkspaceError"]
