"""The map as a picture for slides: 16:9 at 300 dots per inch, with legend, scale and numbered proposals."""

import warnings
from io import BytesIO
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import shapely

from walkshed.contracts import FloatArray
from walkshed.publish.images import CLASSES, RAMPS, STATES, Cells, cells_of
from walkshed.publish.panel import licences
from walkshed.publish.scene import core, kinds_shown, outlets_shown
from walkshed.supply import kinds
from walkshed.ways import LEVELS
from walkshed.words import Lang, say

if TYPE_CHECKING:
    from walkshed.plan import Plan

Axes = Any  # matplotlib is imported where it draws: half a second, and not for every command

SIZE_IN, DPI = (10.0, 5.625), 300
MAP = (0.0, 0.035, 0.745, 0.875)  # left, bottom, width, height of the figure
LISTED, NAME = 10, 15  # sites in the list; signs of a name
NEW, INK, SOFT, STAMP = "#7a1fa2", "#22262b", "#5f6770", "#b3261e"
FONTS = (
    "Noto Sans CJK SC", "Noto Sans SC", "Source Han Sans SC", "Source Han Sans CN", "Microsoft YaHei", "PingFang SC",
    "SimHei", "Heiti SC", "Noto Sans CJK JP", "Source Han Sans", "WenQuanYi Micro Hei", "WenQuanYi Zen Hei",
)  # fmt: skip
"""Fonts with Chinese glyphs, the best first. matplotlib knows of a collection only the first, which is the Japanese."""


def map_png(plan: "Plan", cells: Cells | None = None, *, font: str | None = "") -> bytes:
    """Return the picture.

    cells : people on their grid, where they were put there already
    font : a font with Chinese glyphs; None: there is none, and labels are English; '': the best of this machine
    """
    from matplotlib import rc_context  # noqa: PLC0415
    from matplotlib.backends.backend_agg import FigureCanvasAgg  # noqa: PLC0415
    from matplotlib.figure import Figure  # noqa: PLC0415

    family = chinese_font() if font == "" else font
    lang: Lang = "zh" if family else "en"
    family_and_size = rc_context({"font.family": [*([family] if family else []), "DejaVu Sans"], "font.size": 7.6,
                                  "text.parse_math": False})  # fmt: skip
    with family_and_size, warnings.catch_warnings():
        warnings.simplefilter("ignore")  # signs that no font here has are drawn as boxes
        figure = Figure(figsize=SIZE_IN, dpi=DPI, facecolor="white")
        axes = figure.add_axes(MAP)
        _ground(axes, plan, cells or cells_of(plan.demand))
        _marks(axes, plan, lang)
        _panel(figure.add_axes((0.755, 0.035, 0.235, 0.875)), plan, lang)
        _frame(figure, plan, lang)
        file = BytesIO()
        FigureCanvasAgg(figure).print_png(
            file, metadata={"Software": None}, pil_kwargs={"compress_level": 4, "dpi": (DPI, DPI)}
        )  # type: ignore[no-untyped-call]
    return file.getvalue()


def chinese_font() -> str | None:
    """The best font with Chinese glyphs that is installed; None where there is none."""
    from matplotlib import font_manager  # noqa: PLC0415

    there = {font.name for font in font_manager.fontManager.ttflist}
    return next((name for name in FONTS if name in there), None)


def _ground(axes: Axes, plan: "Plan", cells: Cells) -> None:
    """People by class, streets, water, railways and unit borders, in the metric CRS."""
    from matplotlib.collections import LineCollection, PolyCollection  # noqa: PLC0415

    west, south, east, north = _view(plan)
    axes.set(xlim=(west, east), ylim=(south, north), xticks=[], yticks=[], facecolor="#f7f6f1")
    for spine in axes.spines.values():
        spine.set_visible(False)
    barriers = plan.barriers.clip_by_rect(west, south, east, north)
    water = barriers[plan.barriers["kind"].isin(["river", "lake"])]
    axes.add_collection(PolyCollection(_rings(water), facecolor="#cfe0e8", edgecolor="#cfe0e8", linewidth=0.8))
    rows, columns = cells.classes.shape
    extent = (cells.west_m, cells.west_m + columns * cells.cell_m, cells.north_m - rows * cells.cell_m, cells.north_m)
    axes.imshow(_colours(cells), extent=extent, interpolation="nearest", aspect="auto", zorder=1.5)
    axes.set(xlim=(west, east), ylim=(south, north))
    major = np.flatnonzero(plan.network.edge_level == LEVELS.index("major"))
    at = plan.network.xy[plan.network.edge_from[major]]
    seen = major[(at[:, 0] > west) & (at[:, 0] < east) & (at[:, 1] > south) & (at[:, 1] < north)]
    streets = _lines(plan.network.lines[seen])
    axes.add_collection(LineCollection(streets, colors="#605c56", alpha=0.45, linewidths=0.35, zorder=2))
    rails = _lines(barriers[plan.barriers["kind"] == "railway"].array)
    axes.add_collection(LineCollection(rails, colors="#8a8378", linewidths=0.9, linestyles=(0, (4, 2)), zorder=2.1))
    borders = _lines(plan.area.units.clip_by_rect(west, south, east, north).boundary.array)
    axes.add_collection(LineCollection(borders, colors="#5c6067", linewidths=0.6, zorder=2.2))


def _view(plan: "Plan") -> tuple[float, float, float, float]:
    """The core and the proposals near it, in the proportions of the map's part of the picture."""
    west, south, east, north = core(plan)
    near = plan.sites.geometry[plan.sites.distance(shapely.box(west, south, east, north)) <= max(east - west, north - south) / 4]  # fmt: skip  # noqa: E501
    west, south, east, north = shapely.total_bounds([shapely.box(west, south, east, north), *near])
    wide = MAP[2] * SIZE_IN[0] / (MAP[3] * SIZE_IN[1])
    height = 1.06 * max(north - south, (east - west) / wide, 500.0)
    x, y = (west + east) / 2, (south + north) / 2
    return x - height * wide / 2, y - height / 2, x + height * wide / 2, y + height / 2


def _colours(cells: Cells) -> FloatArray:
    """Classes as colours, (rows, columns, 4)."""
    from matplotlib.colors import to_rgba  # noqa: PLC0415

    table = [(0.0, 0.0, 0.0, 0.0), *(to_rgba(colour, 0.9) for state in STATES for colour in RAMPS[state][:CLASSES])]
    return np.asarray(np.array(table, dtype=np.float32)[cells.classes])


def _lines(shapes: Any) -> list[FloatArray]:  # noqa: ANN401 - an array of geometries
    parts = shapely.get_parts(shapely.get_parts(shapes))
    parts = parts[~shapely.is_empty(parts)]
    return [shapely.get_coordinates(line) for line in parts]


def _rings(shapes: Any) -> list[FloatArray]:  # noqa: ANN401 - a series of geometries
    parts = shapely.get_parts(shapes.array)
    return [shapely.get_coordinates(part.exterior if part.geom_type == "Polygon" else part) for part in parts]


def _marks(axes: Axes, plan: "Plan", lang: Lang) -> None:
    """Outlets, proposals and unit names."""
    known, outlets = kinds(), outlets_shown(plan)
    for kind in kinds_shown(plan):
        mine = outlets.geometry[outlets["kind"] == kind]
        axes.scatter(mine.x, mine.y, s=9, color=known[kind].colour, edgecolors="white", linewidths=0.4, zorder=3)
    halo = {"boxstyle": "round,pad=0.15", "facecolor": "white", "edgecolor": "none", "alpha": 0.65}
    (west, east), (south, north) = axes.get_xlim(), axes.get_ylim()
    inside = plan.area.units.clip_by_rect(west, south, east, north)
    for label, shape in zip(plan.area.units["label"], inside, strict=True):
        if not shape.is_empty and shape.area > (east - west) * (north - south) / 60 and drawable(label, lang):
            at = shape.representative_point()
            axes.text(
                at.x,
                at.y,
                _short(label),
                ha="center",
                va="center",
                color="#4a4e55",
                bbox=halo,
                zorder=3.5,
                clip_on=True,
            )
    for order, at in zip(plan.sites["order"], plan.sites.geometry, strict=True):
        axes.scatter(at.x, at.y, s=110, color=NEW, edgecolors="white", linewidths=1.0, zorder=4)
        axes.text(
            at.x,
            at.y,
            str(order),
            ha="center",
            va="center_baseline",
            color="white",
            weight="bold",
            zorder=5,
            clip_on=True,
        )
    _scale(axes, lang)


def _scale(axes: Axes, lang: Lang) -> None:
    from mpl_toolkits.axes_grid1.anchored_artists import AnchoredSizeBar  # type: ignore[import-untyped]  # noqa: PLC0415

    width = axes.get_xlim()[1] - axes.get_xlim()[0]
    metres = max(m * 10**power for power in range(1, 6) for m in (1, 2, 5) if m * 10**power <= width / 6)
    words = say("picture.kilometres", lang, km=metres / 1000)
    axes.add_artist(
        AnchoredSizeBar(
            axes.transData,
            metres,
            words,
            "lower left",
            sep=3,
            pad=0.5,
            size_vertical=width / 900,
            borderpad=0.8,
            frameon=False,
        )
    )


def _panel(axes: Axes, plan: "Plan", lang: Lang) -> None:
    """Legend above, the list of proposals below."""
    from matplotlib.lines import Line2D  # noqa: PLC0415
    from matplotlib.patches import Patch  # noqa: PLC0415

    axes.set_axis_off()
    states = [state for state in ("served", "gained", "unserved") if state != "gained" or len(plan.sites)]
    handles: list[Any] = [Patch(color=RAMPS[state][-2], label=say(f"map.layer_{state}", lang)) for state in states]
    dot = {"marker": "o", "linestyle": "", "markeredgecolor": "white"}
    if len(plan.sites):
        handles.append(Line2D([], [], color=NEW, markersize=8, label=say("map.layer_sites", lang), **dot))  # type: ignore[arg-type]
    for key in kinds_shown(plan):
        kind = kinds()[key]
        name = kind.zh if lang == "zh" else kind.en
        handles.append(Line2D([], [], color=kind.colour, markersize=5, label=name, **dot))  # type: ignore[arg-type]
    axes.legend(handles=handles, loc="upper left", frameon=False, borderaxespad=0, labelspacing=0.55, handlelength=1.2)
    top = 0.93 - 0.0335 * len(handles)
    for number, row in enumerate(pd.DataFrame(plan.sites).head(LISTED).to_dict("records")):
        name = (
            _short(row["name"])
            if row["name"] and drawable(row["name"], lang)
            else say("picture.site", lang, order=row["order"])
        )
        y = top - 0.06 * number
        axes.text(0.0, y, f"{row['order']}", color=NEW, weight="bold", size=8)
        axes.text(0.07, y, name, size=7.4)
        axes.text(0.07, y - 0.025, say("picture.gained", lang, people=row["people_gained"]), size=6, color=NEW)
    if len(plan.sites) > LISTED:
        axes.text(0.07, top - 0.06 * LISTED, say("picture.and_more", lang, n=len(plan.sites) - LISTED), size=6)


def _frame(figure: Any, plan: "Plan", lang: Lang) -> None:  # noqa: ANN401 - a Figure
    """Title, what must stand on a map, and what it rests on."""
    totals = plan.totals
    head = f"{_short(plan.title, 24)}{'：' if lang == 'zh' else ': '}" if drawable(plan.title, lang) else ""
    values = {"n": len(plan.sites), "limit_m": plan.limit_m,
              "before": totals["share_before"], "after": totals["share_after"]}  # fmt: skip
    figure.text(
        0.012,
        0.942,
        head + say("picture.title" if len(plan.sites) else "picture.title_none", lang, **values),
        size=13,
        weight="bold",
        color=INK,
    )
    approval = getattr(getattr(plan.scenario, "map", None), "approval", None)
    mark = say("map.approval", lang, number=_short(approval, 40)) if approval else say("map.internal", lang)
    figure.text(0.988, 0.915, mark, size=6.5, color=SOFT, ha="right")
    notes = [] if lang == "zh" else [say("picture.no_font", lang)]
    figure.text(0.012, 0.012, _short(" · ".join([*notes, *licences(plan)]), 220), size=4.8, color=SOFT)
    if plan.schematic:
        box = {"boxstyle": "round,pad=0.3", "facecolor": "white", "edgecolor": STAMP, "linewidth": 1.2}
        figure.text(0.02, 0.88, say("map.schematic", lang), size=10, weight="bold", color=STAMP, bbox=box, va="top")


def drawable(text: object, lang: Lang) -> bool:
    """Whether the fonts at hand have the signs of a text: without a Chinese font only Latin ones.

    >>> drawable("南关区", "zh"), drawable("南关区", "en"), drawable("Nanguan", "en")
    (True, False, True)
    """
    return lang == "zh" or str(text).isascii()


def _short(text: object, most: int = NAME) -> str:
    """A text on one line, of printable signs, cut where it is too long."""
    plain = " ".join("".join(sign if sign.isprintable() else " " for sign in str(text)).split())
    return plain if len(plain) <= most else plain[: most - 1] + "…"
