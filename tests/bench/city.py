"""The whole main job on the schematic Changchun: first run with compilation, and again. `python tests/bench city`."""

import os
import sys
import tempfile

from harness import measure, report, table, timed


def rows() -> None:
    """Twice in a fresh cache folder: the first run compiles, the second finds what it compiled."""
    with tempfile.TemporaryDirectory() as cache:
        os.environ["NUMBA_CACHE_DIR"] = cache
        found = [{"run": which, **measure("city.py", "run")} for which in ("first", "second")]
        del os.environ["NUMBA_CACHE_DIR"]
    table("Schematic Changchun, from nothing to all files", found)


def run() -> None:
    with tempfile.TemporaryDirectory() as folder:

        def everything() -> object:
            from walkshed import plan, publish
            from walkshed.scenario import Scenario

            made = plan.run(Scenario.default())
            publish.write(made, folder)
            return made

        seconds, made = timed(everything, 1)
    report(seconds=seconds, **made.timings, people=made.totals["served_after"])


if __name__ == "__main__":
    {"run": run}[sys.argv[1]]()
