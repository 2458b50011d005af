"""What every command shares: the language, progress, faults as sentences, text a terminal may show."""

import locale
import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn

from walkshed.errors import Fault, OutputError, WalkshedError
from walkshed.words import Lang, say

WRONG, STOPPED = 2, 130  # exit codes: the user can mend it; ended by the user (128 + SIGINT)


LONGEST = 1_000  # signs of one text of someone's data that are shown


class Language(StrEnum):
    """Languages of everything printed."""

    zh = "zh"
    en = "en"


def system_language() -> Lang:
    """Chinese where the locale says so (in the order POSIX looks), else English."""
    said = next((os.environ[name] for name in ("LC_ALL", "LC_MESSAGES", "LANG") if os.environ.get(name)), None)
    known = said if said is not None else (locale.getlocale()[0] or "")
    return "zh" if known.lower().startswith(("zh", "chinese")) else "en"


HELP: Lang = system_language()
SPOKEN = Language(HELP)
commands = typer.Typer(
    add_completion=False,
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    help=say("cli.about", HELP),
)
Chosen = Annotated[Language, typer.Option("--lang", help=say("cli.option_lang", HELP))]


def refuse_folder(folder: Path) -> None:
    """Say before the long work, not after it, that nothing can be written there."""
    nearest = next(place for place in (folder, *folder.parents) if place.exists())
    if not nearest.is_dir():
        raise OutputError(Fault("publish.not_a_folder", str(nearest)))
    if not os.access(nearest, os.W_OK):
        raise OutputError(Fault("publish.not_writable", str(nearest)))


@contextmanager
def readable(lang: Lang) -> Iterator[None]:
    """End with sentences and an exit code, never a traceback, on whatever a user can cause."""
    try:
        yield
    except WalkshedError as error:
        say_faults(error.faults, lang)
        raise typer.Exit(WRONG) from None
    except KeyboardInterrupt:
        sys.stderr.write(f"\n{say('cli.stopped', lang)}\n")
        raise typer.Exit(STOPPED) from None
    except BrokenPipeError:  # whoever read us has seen enough, as `head` does
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    except MemoryError:
        say_faults((Fault("cli.memory", "walkshed"),), lang)
        raise typer.Exit(WRONG) from None
    except OSError as error:
        reason = {"reason": error.strerror or str(error)}
        say_faults((Fault("cli.machine", str(error.filename or "walkshed"), reason),), lang)
        raise typer.Exit(WRONG) from None


def say_faults(faults: tuple[Fault, ...], lang: Lang) -> None:
    """Say on standard error all that is wrong, a line each."""
    head = say("cli.fault", lang) if len(faults) == 1 else say("cli.faults", lang, n=len(faults))
    lines = [head, *(f"  - {shown(fault.text(lang))}" for fault in faults)]
    sys.stderr.write("\n".join(lines) + "\n")


@contextmanager
def progress_bar(lang: Lang, *, wanted: bool) -> Iterator[Callable[[str, float], None]]:
    """A bar on standard error while a terminal looks; it leaves nothing behind."""
    console = Console(stderr=True)
    bar = Progress(
        TextColumn("{task.description}"), BarColumn(), TaskProgressColumn(),
        console=console, transient=True, disable=not (wanted and console.is_terminal),
    )  # fmt: skip
    with bar:
        task = bar.add_task("", total=1.0)
        yield lambda step, done: bar.update(task, description=_step(step, lang), completed=done)


def _step(step: str, lang: Lang) -> str:
    try:
        return say(f"cli.step_{step}", lang)
    except KeyError:
        return step


def shown(text: object) -> str:
    r"""Text of someone's data as a terminal may show it: it moves no cursor, colours no screen and fills no screen.

    >>> shown("a\x1b[31mb\n长春"), len(shown("a" * 10_000)) == LONGEST
    ('a [31mb 长春', True)
    """
    plain = "".join(c if c.isprintable() else " " for c in str(text))
    return plain if len(plain) <= LONGEST else plain[: LONGEST - 1] + "…"
