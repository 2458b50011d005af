"""The command line: `walkshed plan` and `walkshed app`; every number it prints is the plan's own."""

import locale
import os
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.console import Console
from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn
from rich.table import Table
from rich.text import Text

from walkshed.errors import Fault, InputError, OutputError, WalkshedError
from walkshed.words import Lang, say

if TYPE_CHECKING:
    from walkshed.plan import Plan

WRONG, STOPPED = 2, 130  # exit codes: the user can mend it; ended by the user (128 + SIGINT)
SHOWN = 5  # rows of each list: a screen holds them


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


@commands.command("plan", help=say("cli.plan", HELP))
def plan_command(  # noqa: D103  its help is its sentence
    scenario: Annotated[Path | None, typer.Argument(help=say("cli.option_scenario", HELP))] = None,
    out: Annotated[Path | None, typer.Option("--out", help=say("cli.option_out", HELP))] = None,
    *,
    quiet: Annotated[bool, typer.Option("--quiet", help=say("cli.option_quiet", HELP))] = False,
    as_json: Annotated[bool, typer.Option("--json", help=say("cli.option_json", HELP))] = False,
    lang: Chosen = SPOKEN,
) -> None:
    with _readable(lang.value):
        from walkshed.scenario import Scenario  # noqa: PLC0415  not for --help

        question = Scenario.default() if scenario is None else Scenario.read(scenario)
        folder = out if out is not None else Path("out") / question.name
        _refuse_folder(folder.absolute())

        from walkshed import plan as planning  # noqa: PLC0415  seconds to import: not to refuse a scenario
        from walkshed import publish  # noqa: PLC0415

        with _progress(lang.value, wanted=not quiet) as progress:
            answer = planning.run(question, progress=progress)
            progress("write", 0.0)
            written = publish.write(answer, folder)
        if as_json:
            sys.stdout.buffer.write((folder / "plan.json").read_bytes())
            sys.stdout.buffer.flush()
        elif not quiet:
            summary(answer, folder, [path.name for path in written], lang.value)


@commands.command("app", help=say("cli.app", HELP))
def app_command(  # noqa: D103  its help is its sentence
    *, port: Annotated[int, typer.Option("--port", min=1, max=65535, help=say("cli.option_port", HELP))] = 8501,
    lang: Chosen = SPOKEN,
) -> None:  # fmt: skip
    with _readable(lang.value):
        page = next((p for p in _pages() if p.is_file()), None)
        if page is None:
            raise InputError(Fault("cli.no_app", "walkshed app"))
        options = ["--server.port", str(port), "--server.address", "localhost", "--browser.gatherUsageStats", "false"]
        run = subprocess.run([sys.executable, "-m", "streamlit", "run", str(page), *options], check=False)  # noqa: S603  our own page
    raise typer.Exit(run.returncode)


def main() -> None:
    """Run the command line; what a terminal cannot show is replaced, never a crash."""
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="replace")
    commands()


def _pages() -> tuple[Path, Path]:
    """Where the app's page is: in a checkout, or beside this file in an installed package."""
    return Path(__file__).parents[2] / "app.py", Path(__file__).with_name("app.py")


def _refuse_folder(folder: Path) -> None:
    """Say before the long work, not after it, that nothing can be written there."""
    nearest = next(place for place in (folder, *folder.parents) if place.exists())
    if not nearest.is_dir():
        raise OutputError(Fault("publish.not_a_folder", str(nearest)))
    if not os.access(nearest, os.W_OK):
        raise OutputError(Fault("publish.not_writable", str(nearest)))


@contextmanager
def _readable(lang: Lang) -> Iterator[None]:
    """End with sentences and an exit code, never a traceback, on whatever a user can cause."""
    try:
        yield
    except WalkshedError as error:
        _say_faults(error.faults, lang)
        raise typer.Exit(WRONG) from None
    except KeyboardInterrupt:
        sys.stderr.write(f"\n{say('cli.stopped', lang)}\n")
        raise typer.Exit(STOPPED) from None
    except BrokenPipeError:  # whoever read us has seen enough, as `head` does
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    except MemoryError:
        _say_faults((Fault("cli.memory", "walkshed"),), lang)
        raise typer.Exit(WRONG) from None
    except OSError as error:
        reason = {"reason": error.strerror or str(error)}
        _say_faults((Fault("cli.machine", str(error.filename or "walkshed"), reason),), lang)
        raise typer.Exit(WRONG) from None


def _say_faults(faults: tuple[Fault, ...], lang: Lang) -> None:
    head = say("cli.fault", lang) if len(faults) == 1 else say("cli.faults", lang, n=len(faults))
    lines = [head, *(f"  - {shown(fault.text(lang))}" for fault in faults)]
    sys.stderr.write("\n".join(lines) + "\n")


@contextmanager
def _progress(lang: Lang, *, wanted: bool) -> Iterator[Callable[[str, float], None]]:
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


def summary(plan: "Plan", folder: Path, names: list[str], lang: Lang) -> None:
    """Print what a planner wants to know first: people, gaps, proposals, how sure, and where the files are."""
    console = Console(highlight=False, markup=False, emoji=False, soft_wrap=True)
    console.print(Text(shown(plan.title), style="bold"))
    if plan.schematic:
        console.print(Text(say("cli.schematic", lang), style="bold yellow"))
    console.print(say("cli.limit", lang, limit_m=plan.limit_m, standard=_standard(plan.standard_id, lang)))
    console.print(_people(plan, lang))
    if plan.gaps.empty:
        console.print(say("cli.no_gaps", lang))
    else:
        _list(console, say("cli.gaps", lang, n=len(plan.gaps)), _gaps(plan, lang), len(plan.gaps), lang)
    if not plan.sites.empty:
        _list(console, say("cli.sites", lang, n=len(plan.sites)), _sites(plan, lang), len(plan.sites), lang)
        console.print(shown(plan.siting.sentence(lang)))
    if plan.notes:
        _notes(console, plan, lang)
    console.print("\n" + say("cli.files", lang, folder=shown(str(folder)), names=" ".join(names)))


def _people(plan: "Plan", lang: Lang) -> Table:
    totals, table = plan.totals, _grid("left", "right", "right", "right")
    more = say("cli.more", lang, people=totals["served_after"] - totals["served_before"])
    table.add_row(say("cli.people", lang), f"{totals['people']:,.0f}")
    table.add_row(say("cli.before", lang), f"{totals['served_before']:,.0f}", f"{totals['share_before']:.1%}")
    if not plan.sites.empty:
        table.add_row(say("cli.after", lang), f"{totals['served_after']:,.0f}", f"{totals['share_after']:.1%}", more)
    if totals["off_network"] > 0:
        table.add_row(say("cli.off_network", lang), f"{totals['off_network']:,.0f}")
    return table


def _gaps(plan: "Plan", lang: Lang) -> list[tuple[str, ...]]:
    return [
        (
            f"{i}.",
            shown(gap["name"]),
            shown(_unit(plan, gap["unit"])),
            say("cli.gap_people", lang, people=gap["people"]),
            say("cli.nearest", lang, metres=gap["nearest_m"]) if gap["nearest_m"] >= 0 else say("cli.no_way", lang),
        )
        for i, gap in enumerate(plan.gaps.head(SHOWN).to_dict("records"), start=1)
    ]


def _sites(plan: "Plan", lang: Lang) -> list[tuple[str, ...]]:
    from walkshed.supply import label  # noqa: PLC0415  not for --help

    return [
        (
            f"{site['order']}.",
            shown(site["name"]),
            f"{label(site['kind'], lang)} · {shown(_unit(plan, site['unit']))}",
            say("cli.gained", lang, people=site["people_gained"]),
        )
        for site in plan.sites.head(SHOWN).to_dict("records")
    ]


def _list(console: Console, head: str, rows: Sequence[tuple[str, ...]], count: int, lang: Lang) -> None:
    console.print(Text(f"\n{head}", style="bold"))
    table = _grid("right", "left", "left", "right", "left")
    for row in rows:
        table.add_row(*map(Text, row))
    console.print(table)
    _rest(console, count - len(rows), lang)


def _notes(console: Console, plan: "Plan", lang: Lang) -> None:
    """Sentences, a line each: the terminal breaks them where it likes."""
    console.print(Text(f"\n{say('cli.notes', lang)}", style="bold"))
    for note in plan.notes[:SHOWN]:
        console.print(f"- {shown(note.text(lang))}")
    _rest(console, len(plan.notes) - SHOWN, lang)


def _rest(console: Console, count: int, lang: Lang) -> None:
    if count > 0:
        console.print("  " + say("cli.and_more", lang, n=count, file="plan.json"))


def _grid(*justify: Any) -> Table:  # noqa: ANN401  rich's own words
    table = Table.grid(padding=(0, 2, 0, 0))
    for side in justify:
        table.add_column(justify=side, overflow="fold")
    return table


def _unit(plan: "Plan", unit: object) -> str:
    return str(plan.units["label"].get(unit, unit))


def _standard(standard_id: str, lang: Lang) -> str:
    from walkshed.standards import CUSTOM_ID, yardsticks  # noqa: PLC0415  not for --help

    return say("cli.own_limit", lang) if standard_id == CUSTOM_ID else yardsticks()[standard_id].label(lang)


def shown(text: object) -> str:
    r"""Text of someone's data as a terminal may show it: nothing in it can move the cursor or colour the screen.

    >>> shown("a\x1b[31mb\n长春")
    'a [31mb 长春'
    """
    return "".join(c if c.isprintable() else " " for c in str(text))
