"""Each measurement in a process of its own: seconds, peak memory, and what it found, as one line of JSON."""

import json
import resource
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent


def measure(script: str, *arguments: object, timeout_s: float = 900) -> dict[str, Any]:
    """Run `script` with arguments in a fresh process; its last line is its result. A peer that fails says why."""
    command = [sys.executable, str(HERE / script), *map(str, arguments)]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=timeout_s, check=False)
    except subprocess.TimeoutExpired:
        return {"error": f"over {timeout_s:.0f} s"}
    lines = [line[line.index('{"') :] for line in done.stdout.splitlines() if '{"' in line]
    if done.returncode or not lines:
        return {"error": (done.stderr.strip().splitlines() or ["no output"])[-1][:160]}
    result: dict[str, Any] = json.loads(lines[-1])
    return result


def timed(call: Callable[[], Any], repeats: int = 3) -> tuple[float, Any]:
    """Median seconds of some calls, and what the last gave."""
    seconds, found = [], None
    for _ in range(repeats):
        start = time.perf_counter()
        found = call()
        seconds.append(time.perf_counter() - start)
    return statistics.median(seconds), found


def report(**found: Any) -> None:
    """End a measuring process: print what it found, with the peak memory of the process in MB."""
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(json.dumps({"found": 1, **found, "peak_mb": round(peak)}), flush=True)


def table(title: str, rows: list[dict[str, Any]]) -> None:
    """Print rows as a table that reads in a terminal and in Markdown."""
    columns = list(dict.fromkeys(key for row in rows for key in row if key != "found"))
    cells = [[_text(row.get(column, "")) for column in columns] for row in rows]
    widths = [max(len(c), *(len(row[i]) for row in cells)) for i, c in enumerate(columns)]
    print(f"\n{title}\n")
    for row in [columns, ["-" * w for w in widths], *cells]:
        print("| " + " | ".join(cell.ljust(w) for cell, w in zip(row, widths, strict=True)) + " |", flush=True)


def _text(value: object) -> str:
    return f"{value:,.4g}" if isinstance(value, float) else str(value)
