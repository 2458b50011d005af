"""What a planner wants to know first of a plan: people, gaps, proposals, how sure, and where the files are."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rich.console import Console
from rich.table import Table
from rich.text import Text

from walkshed.cli.terminal import shown
from walkshed.words import Lang, say

if TYPE_CHECKING:
    from walkshed.plan import Plan

SHOWN = 5  # rows of each list: a screen holds them


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
