"""Charts of the page: SVG with text as text, drawn by matplotlib."""

import re
import warnings
from io import StringIO

import pandas as pd

from walkshed.publish.images import RAMPS

WIDTH_PT, ROW_PT, HEAD_PT = 400.0, 21.0, 20.0
LABEL = 11  # signs of a unit's name; the table beside the chart has it whole
FONT_PT = 10.5
BLUE, PURPLE, TRACK, SOFT = RAMPS["served"][-2], RAMPS["gained"][-2], "#eef0ec", "#5f6770"


def unit_bars(units: pd.DataFrame) -> str:
    """Return a bar for each unit, share served before and what is gained, as an SVG element without a size of its own.

    units : `label, share_before, share_after`

    >>> table = pd.DataFrame({"label": ["<East>"], "share_before": [0.25], "share_after": [0.5]})
    >>> svg = unit_bars(table)
    >>> svg[:18], "&lt;East&gt;" in svg, "25.0 → 50.0 %" in svg
    ('<svg class="chart"', True, True)
    """
    from matplotlib import rc_context  # noqa: PLC0415 - half a second to import: only where something is drawn
    from matplotlib.backends.backend_svg import FigureCanvasSVG  # noqa: PLC0415
    from matplotlib.figure import Figure  # noqa: PLC0415

    height = HEAD_PT + ROW_PT * max(1, len(units))
    before, after = units["share_before"].to_numpy(dtype=float), units["share_after"].to_numpy(dtype=float)
    text_as_text = rc_context({"svg.fonttype": "none", "svg.hashsalt": "walkshed", "font.size": FONT_PT})
    with text_as_text, warnings.catch_warnings():
        warnings.simplefilter("ignore")  # glyphs that a font here lacks: the reader's browser brings the font
        figure = Figure(figsize=(WIDTH_PT / 72, height / 72))
        axes = figure.add_axes((0.2, 0.0, 0.52, 1 - HEAD_PT / height))
        rows = range(len(units))
        axes.barh(rows, before, color=BLUE, height=0.62)
        axes.barh(rows, after - before, left=before, color=PURPLE, height=0.62)
        _frame(axes, top=max([0.05, *after.tolist()]), rows=len(units))
        for row, (label, was, now) in enumerate(zip(units["label"], before, after, strict=True)):
            figures = f"{was * 100:.1f} → {now * 100:.1f} %" if now > was else f"{was * 100:.1f} %"
            _beside(axes, -0.02, row, _short(str(label)), "right")
            _beside(axes, 1.02, row, figures, "left", color=PURPLE if now > was else SOFT)
        file = StringIO()
        FigureCanvasSVG(figure).print_svg(file, metadata={"Date": None, "Creator": None})  # type: ignore[no-untyped-call]
    return _inline(file.getvalue())


def _frame(axes, *, top: float, rows: int) -> None:  # type: ignore[no-untyped-def]  # noqa: ANN001 - matplotlib's Axes
    """Only what helps to read off a share: a line and a figure at round shares, above the bars."""
    from matplotlib.ticker import MaxNLocator, PercentFormatter  # noqa: PLC0415

    axes.set_xlim(0, top)
    axes.set_ylim(rows - 0.5, -0.5)
    axes.set_frame_on(False)
    axes.set_yticks([])
    axes.xaxis.set_major_locator(MaxNLocator(4, steps=[1, 2, 5, 10]))
    axes.xaxis.set_major_formatter(PercentFormatter(1.0, decimals=0, symbol=" %"))
    axes.tick_params(axis="x", top=True, labeltop=True, bottom=False, labelbottom=False, length=0, labelcolor=SOFT,
                     labelsize=FONT_PT - 1.5, pad=2)  # fmt: skip
    axes.grid(axis="x", color=TRACK, linewidth=1.0)
    axes.set_axisbelow(True)


def _beside(axes, x: float, row: int, text: str, side: str, *, color: str = "#22262b") -> None:  # type: ignore[no-untyped-def]  # noqa: ANN001
    axes.text(x, row, text, transform=axes.get_yaxis_transform(), ha=side, va="center", color=color, parse_math=False)


def _short(label: str) -> str:
    """A name on one line that XML can hold, not longer than its column."""
    plain = " ".join("".join(sign if sign.isprintable() else " " for sign in label).split())
    return plain if len(plain) <= LABEL else plain[: LABEL - 1] + "…"


def _inline(svg: str) -> str:
    """The element alone, as wide as the page lets it be; its style must not reach beyond it."""
    element = svg[svg.index("<svg") :]
    opening, _, rest = element.partition(">")
    box = re.search(r'viewBox="[^"]+"', opening)
    spaces = 'xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink"'
    scoped = rest.replace("*{", "svg.chart *{").rstrip()
    return f'<svg class="chart" {box[0] if box else ""} {spaces} role="img">{scoped}'
