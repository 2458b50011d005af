"""`walkshed compare`: two scenarios, or two folders of results, side by side."""

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console
from rich.table import Table
from rich.text import Text

from walkshed.cli.terminal import HELP, SPOKEN, Chosen, commands, progress_bar, readable, shown
from walkshed.errors import Fault, InputError
from walkshed.words import Lang, say

if TYPE_CHECKING:
    from walkshed.plan import Plan
    from walkshed.publish.compare import Comparison


@commands.command("compare", help=say("compare.about", HELP))
def compare_command(  # noqa: D103  its help is its sentence
    a: Annotated[Path, typer.Argument(help=say("compare.option_a", HELP))],
    b: Annotated[Path, typer.Argument(help=say("compare.option_a", HELP))],
    *,
    out: Annotated[Path | None, typer.Option("--out", help=say("compare.option_out", HELP))] = None,
    as_json: Annotated[bool, typer.Option("--json", help=say("compare.option_json", HELP))] = False,
    anyway: Annotated[bool, typer.Option("--anyway", help=say("cli.option_anyway", HELP))] = False,
    lang: Chosen = SPOKEN,
) -> None:
    with readable(lang.value):
        from walkshed.publish import compare  # noqa: PLC0415  seconds to import: not for --help

        if _is_scenario(a) and _is_scenario(b):
            first, second = (_planned(path, lang.value, anyway=anyway, quiet=as_json) for path in (a, b))
            found = compare.compare_plans(first, second)
            _map(first, second, found, out)
        elif out is not None:
            raise InputError(Fault("compare.no_map", "--out"))
        else:
            found = compare.compare_records(compare.read_record(a), compare.read_record(b))
        if as_json:
            text = json.dumps(found.record(), ensure_ascii=False, indent=1, allow_nan=False)
            sys.stdout.buffer.write(text.encode() + b"\n")
            sys.stdout.buffer.flush()
        else:
            report(found, out, lang.value)


def report(found: "Comparison", out: Path | None, lang: Lang) -> None:
    """Print who gains and loses, unit by unit, what differs, and what became of each site."""
    console = Console(highlight=False, markup=False, emoji=False, soft_wrap=True)
    names = {side: shown(record["title"]) for side, record in (("a", found.a), ("b", found.b))}
    console.print(Text(say("compare.title", lang, **names), style="bold"))
    if found.a["schematic"] or found.b["schematic"]:
        console.print(Text(say("cli.schematic", lang), style="bold yellow"))
    console.print(found.served(lang))
    _head(console, "differs", lang)
    for line in found.difference(lang) or [say("compare.same", lang)]:
        console.print(f"- {shown(line)}")
    _head(console, "sites", lang)
    console.print(say("compare.kept", lang, n=len(found.kept)))
    for moved in found.moved:
        console.print(f"- {shown(moved.sentence(lang))}")
    for row in found.new:
        console.print(f"- {shown(say('compare.new', lang, order=row['order'], name=row['name']))}")
    _head(console, "units", lang)
    console.print(_units(found, lang))
    if out is not None:
        console.print("\n" + say("compare.written", lang, path=shown(str(out))))


def _head(console: Console, key: str, lang: Lang) -> None:
    console.print(Text(f"\n{say(f'compare.{key}', lang)}", style="bold"))


def _units(found: "Comparison", lang: Lang) -> Table:
    table = Table(box=None, padding=(0, 2, 0, 0))
    counted = [("gain", "gains"), ("lose", "loses")] if found.gain is not None else []
    table.add_column(say("compare.unit", lang))
    for key in ("side_a", "side_b", "change", *(word for _, word in counted)):
        table.add_column(say(f"compare.{key}", lang), justify="right")
    for row in found.units.to_dict("records"):
        figures = [f"{row['served_a']:,.0f}", f"{row['served_b']:,.0f}", f"{row['change']:+,.0f}"]
        table.add_row(Text(shown(row["label"])), *figures, *(f"{row[column]:,.0f}" for column, _ in counted))
    return table


def _is_scenario(path: Path) -> bool:
    """Whether it is a scenario rather than results: what was planned is read, what was asked is planned."""
    return path.suffix == ".toml" or (path / "scenario.toml").is_file()


def _planned(path: Path, lang: Lang, *, anyway: bool, quiet: bool) -> "Plan":
    from walkshed import plan as planning  # noqa: PLC0415  see above
    from walkshed.scenario import Scenario  # noqa: PLC0415

    question = Scenario.read(path)
    with progress_bar(lang, wanted=not quiet) as progress:
        return planning.run(question, progress=progress, anyway=anyway)


def _map(a: "Plan", b: "Plan", found: "Comparison", out: Path | None) -> None:
    if out is not None:
        from walkshed.publish.files import put  # noqa: PLC0415
        from walkshed.publish.page_compare import compare_html  # noqa: PLC0415

        put(out.absolute().parent, {out.name: compare_html(a, b, found)})
