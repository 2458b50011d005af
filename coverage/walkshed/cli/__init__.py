"""The command line: `walkshed plan`, `check`, `fetch` and `app`; every number it prints is the plan's own."""

import sys
from pathlib import Path
from typing import Annotated

import typer

from walkshed.cli import compare as _compare  # noqa: F401  its command is added by importing it
from walkshed.cli import data as _data  # noqa: F401  its commands are added by importing it
from walkshed.cli.summary import summary
from walkshed.cli.terminal import (
    HELP,
    SPOKEN,
    Chosen,
    commands,
    progress_bar,
    readable,
    refuse_folder,
    system_language,
)  # fmt: skip
from walkshed.errors import Fault, InputError
from walkshed.words import say

__all__ = ["commands", "main", "system_language"]


@commands.command("plan", help=say("cli.plan", HELP))
def plan_command(
    scenario: Annotated[Path | None, typer.Argument(help=say("cli.option_scenario", HELP))] = None,
    out: Annotated[Path | None, typer.Option("--out", help=say("cli.option_out", HELP))] = None,
    *,
    quiet: Annotated[bool, typer.Option("--quiet", help=say("cli.option_quiet", HELP))] = False,
    as_json: Annotated[bool, typer.Option("--json", help=say("cli.option_json", HELP))] = False,
    anyway: Annotated[bool, typer.Option("--anyway", help=say("cli.option_anyway", HELP))] = False,
    geojson: Annotated[bool, typer.Option("--geojson", help=say("publish.option_geojson", HELP))] = False,
    parquet: Annotated[bool, typer.Option("--parquet", help=say("publish.option_parquet", HELP))] = False,
    zipped: Annotated[bool, typer.Option("--zip", help=say("publish.option_zip", HELP))] = False,
    lang: Chosen = SPOKEN,
) -> None:
    with readable(lang.value):
        from walkshed.scenario import Scenario  # noqa: PLC0415  not for --help

        question = Scenario.default() if scenario is None else Scenario.read(scenario)
        folder = out if out is not None else Path("out") / question.name
        refuse_folder(folder.absolute())

        from walkshed import plan as planning  # noqa: PLC0415  seconds to import: not to refuse a scenario
        from walkshed import publish  # noqa: PLC0415

        with progress_bar(lang.value, wanted=not quiet) as progress:
            answer = planning.run(question, progress=progress, anyway=anyway)
            progress("write", 0.0)
            written = publish.write(answer, folder, geojson=geojson, parquet=parquet, zipped=zipped)
        if as_json:
            sys.stdout.buffer.write((folder / "plan.json").read_bytes())
            sys.stdout.buffer.flush()
        elif not quiet:
            summary(answer, folder, [path.name for path in written], lang.value)


@commands.command("app", help=say("cli.app", HELP))
def app_command(
    *, port: Annotated[int, typer.Option("--port", min=1, max=65535, help=say("cli.option_port", HELP))] = 8501,
    lang: Chosen = SPOKEN,
) -> None:  # fmt: skip
    with readable(lang.value):
        page = next((p for p in _pages() if p.is_file()), None)
        if page is None:
            raise InputError(Fault("cli.no_app", "walkshed app"))
        from streamlit.web.cli import main as streamlit  # noqa: PLC0415  seconds to import

        options = ["--server.port", str(port), "--server.address", "localhost", "--browser.gatherUsageStats", "false"]
        streamlit(["run", str(page), *options], standalone_mode=False)  # in this process: who ends it ends the server


def main() -> None:
    """Run the command line; what a terminal cannot show is replaced, never a crash."""
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="replace")
    commands()


def _pages() -> tuple[Path, Path]:
    """Where the app's page is: in a checkout, or in an installed package."""
    return Path(__file__).parents[3] / "app.py", Path(__file__).parents[1] / "app.py"
