"""`walkshed check`: what a scenario's data are worth; `walkshed fetch`: data of a city from OpenStreetMap."""

import json
import sys
from collections.abc import Hashable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.console import Console
from rich.table import Table
from rich.text import Text

from walkshed.cli.terminal import HELP, SPOKEN, Chosen, commands, progress_bar, readable, refuse_folder, shown
from walkshed.words import Lang, say

if TYPE_CHECKING:
    from walkshed.checkup import Checkup

UNTRUSTED = 1  # exit code: there are findings to stop for
STYLES = {"ok": "green", "look": "yellow", "stop": "bold red"}


@commands.command("check", help=say("cli.check", HELP))
def check_command(  # noqa: D103  its help is its sentence
    scenario: Annotated[Path | None, typer.Argument(help=say("cli.option_scenario", HELP))] = None,
    *,
    share: Annotated[float, typer.Option("--share", min=0, max=1, help=say("cli.option_share", HELP))] = 1.0,
    as_json: Annotated[bool, typer.Option("--json", help=say("cli.option_check_json", HELP))] = False,
    marked: Annotated[Path | None, typer.Option("--marked", help=say("cli.option_marked", HELP))] = None,
    lang: Chosen = SPOKEN,
) -> None:
    with readable(lang.value):
        from walkshed.scenario import Scenario  # noqa: PLC0415  not for --help

        question = Scenario.default() if scenario is None else Scenario.read(scenario)

        from walkshed.checkup import checkup  # noqa: PLC0415  seconds to import: not to refuse a scenario

        with progress_bar(lang.value, wanted=not as_json) as progress:
            found = checkup(question, share=share, progress=progress)
        if as_json:
            text = json.dumps(found.record(), ensure_ascii=False, indent=1, allow_nan=False)
            sys.stdout.buffer.write(text.encode() + b"\n")
            sys.stdout.buffer.flush()
        else:
            report(found, share, lang.value)
        if marked is not None:
            _mark(found, marked, lang.value)
    if found.grade == "stop":
        raise typer.Exit(UNTRUSTED)


def _mark(found: "Checkup", out: Path, lang: Lang) -> None:
    """Write the table of outlets back with what is wrong beside each row, if anything is."""
    from walkshed.errors import Fault  # noqa: PLC0415  as above
    from walkshed.sources.tables_marked import marked_copy  # noqa: PLC0415

    table = found.scenario.path(found.scenario.supply.outlets or "")
    faults = [Fault(f.key, f.where, dict(f.values)) for f in found.findings if f.where and f.where == table.name]
    if faults:
        marked_copy(table, out, faults, lang=lang)
        typer.echo(say("cli.marked", lang, file=str(out)), err=True)


def report(found: "Checkup", share: float, lang: Lang) -> None:
    """Print the trust report, worst first, and how the city stands against standards, seasons and targets."""
    console = Console(highlight=False, markup=False, emoji=False, soft_wrap=True)
    counts = {grade: sum(f.grade == grade for f in found.findings) for grade in STYLES}
    console.print(Text(say("trust.title", lang, **counts), style="bold"))
    if found.scenario.schematic:
        console.print(Text(say("cli.schematic", lang), style="bold yellow"))
    for grade in reversed(STYLES):
        for finding in (f for f in found.findings if f.grade == grade):
            label = Text(say(f"trust.grade_{grade}", lang), style=STYLES[grade])
            console.print(Text.assemble(label, "  ", shown(finding.text(lang))))
            if advice := finding.advice(lang):
                console.print(f"      {advice}")
    _standards(console, found, share, lang)
    _seasons(console, found, lang)
    if found.targets:
        console.print(Text(f"\n{say('compliance.title_targets', lang)}", style="bold"))
        for outcome in found.targets:
            console.print(f"- {shown(outcome.sentence(lang))}")


def _standards(console: Console, found: "Checkup", share: float, lang: Lang) -> None:
    """Every unit against the scenario's standard; all standards are in the JSON."""
    if found.standards is None or found.units is None:
        return
    from walkshed.standards import CUSTOM_ID, DEFAULT_ID, yardsticks  # noqa: PLC0415  not for --help

    key = DEFAULT_ID if found.scenario.standard_id == CUSTOM_ID else found.scenario.standard_id
    console.print(Text(f"\n{say('compliance.title_standards', lang, asked=share)}", style="bold"))
    console.print(yardsticks()[key].label(lang))
    table = Table.grid(padding=(0, 2, 0, 0))
    for row in found.standards[found.standards["standard"] == key].to_dict("records"):
        name = shown(found.units[row["unit"]])
        table.add_row(name, f"{row['people']:,.0f}", f"{row['share']:.1%}", _verdict(row, lang))
    console.print(table)


def _verdict(row: Mapping[Hashable, Any], lang: Lang) -> str:
    if row["passes"]:
        return say("compliance.passes", lang)
    parts = [say("compliance.short", lang, people=row["short"])]
    if "sites_low" in row:
        low, high = int(row["sites_low"]), int(row["sites_high"])
        parts.append(say("compliance.sites" if low < high else "compliance.sites_exact", lang, low=low, high=high))
        parts += [say("compliance.beyond", lang, people=row["beyond"])] if row["beyond"] > 0 else []
    return ("，" if lang == "zh" else ", ").join(parts)


def _seasons(console: Console, found: "Checkup", lang: Lang) -> None:
    if found.seasons is None:
        return
    from walkshed.compliance import MINUTES  # noqa: PLC0415  not for --help

    console.print(Text(f"\n{say('compliance.title_seasons', lang, minutes=MINUTES)}", style="bold"))
    table = Table.grid(padding=(0, 2, 0, 0))
    for row in found.seasons[found.seasons["unit"] == ""].to_dict("records"):
        walker, season = (say(f"compliance.{row[part]}", lang) for part in ("walker", "season"))
        dropped = say("compliance.dropped", lang, people=row["dropped"]) if row["dropped"] > 0 else ""
        table.add_row(
            walker, season, f"{row['limit_m']:,.0f} m", f"{row['served']:,.0f}", f"{row['share']:.1%}", dropped
        )
    console.print(table)


@commands.command("fetch", help=say("cli.fetch", HELP))
def fetch_command(  # noqa: D103  its help is its sentence
    place: Annotated[str, typer.Argument(help=say("cli.option_place", HELP))],
    *,
    out: Annotated[Path, typer.Option("--out", help=say("cli.option_fetch_out", HELP))],
    pbf: Annotated[Path | None, typer.Option("--pbf", help=say("cli.option_pbf", HELP))] = None,
    units: Annotated[Path | None, typer.Option("--units", help=say("cli.option_units", HELP))] = None,
    overpass: Annotated[str, typer.Option("--overpass-url", help=say("cli.option_overpass", HELP))] = "",
    nominatim: Annotated[str, typer.Option("--nominatim-url", help=say("cli.option_nominatim", HELP))] = "",
    lang: Chosen = SPOKEN,
) -> None:
    with readable(lang.value):
        refuse_folder(out.absolute().parent)

        from walkshed.sources.fetch import NOMINATIM, OVERPASS, fetch  # noqa: PLC0415  seconds to import

        with progress_bar(lang.value, wanted=True) as progress:
            made = fetch(
                place, out, pbf=pbf, units=units, progress=progress,
                overpass_url=overpass or OVERPASS, nominatim_url=nominatim or NOMINATIM,
            )  # fmt: skip
        counts = {"units": made.units, "outlets": made.outlets, "candidates": made.candidates}
        sys.stdout.write(say("fetch.written", lang.value, folder=shown(made.folder), **counts) + "\n")
        sys.stdout.write(say(f"fetch.people_{made.people}", lang.value) + "\n")
