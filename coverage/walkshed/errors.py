"""What a user can get wrong, said once, all of it, in both languages."""

from dataclasses import dataclass, field
from typing import Any

from walkshed.words import Lang, say


@dataclass(frozen=True)
class Fault:
    """One thing wrong: which sentence of `data/words/` says it, where it is, and the values that fill it.

    Every sentence says what was found, what was expected and what to do.

    >>> print(Fault("table.negative", where="cells.csv", values={"column": "people", "rows": "3, 7"}))
    cells.csv: people is negative (rows 3, 7). Give 0 or more.
    """

    key: str
    where: str
    values: dict[str, Any] = field(default_factory=dict)

    def text(self, lang: Lang = "en") -> str:
        """Return the fault in one language, its place first."""
        return f"{self.where}{'：' if lang == 'zh' else ': '}{say(self.key, lang, **self.values)}"

    def __str__(self) -> str:
        return self.text()


class WalkshedError(Exception):
    """Base of everything walkshed raises on purpose. Carries every fault found, never only the first.

    >>> error = InputError([Fault("table.negative", "cells.csv", {"column": "people", "rows": "3, 7"})])
    >>> isinstance(error, ValueError), len(error.faults)
    (True, 1)
    """

    def __init__(self, faults: "Fault | list[Fault]") -> None:
        self.faults: tuple[Fault, ...] = (faults,) if isinstance(faults, Fault) else tuple(faults)
        super().__init__(self.text())

    def text(self, lang: Lang = "en") -> str:
        """Return all faults in one language, a line each."""
        return "\n".join(fault.text(lang) for fault in self.faults)


class InputError(WalkshedError, ValueError):
    """Something given is not as it must be: a scenario, a table, a map, an argument."""


class MissingInputError(InputError, FileNotFoundError):
    """A file that is named is not there or cannot be read."""

    def __str__(self) -> str:  # FileNotFoundError would look for errno
        return self.text()


class OutputError(WalkshedError, OSError):
    """Results could not be written; nothing was."""

    def __str__(self) -> str:  # OSError would look for errno
        return self.text()


class InfeasibleError(WalkshedError, ValueError):
    """No plan keeps all the rules; the faults name the smallest set of rules that contradict each other."""


class UnavailableError(WalkshedError, ConnectionError):
    """A service on the network did not give what was asked for, after polite retries."""

    def __str__(self) -> str:  # ConnectionError is an OSError: it would look for errno
        return self.text()
