"""The map: one HTML file that opens with no network at all, Chinese first, with an English switch."""

import base64
import re
from dataclasses import dataclass
from functools import cache
from importlib import resources
from typing import TYPE_CHECKING, Self

import folium
import jinja2
from branca.element import Element, Figure
from markupsafe import Markup

from walkshed.publish.images import Cells, cells_of
from walkshed.publish.panel import panel_values
from walkshed.publish.scene import Scene, in_script, scene
from walkshed.words import data_dir

if TYPE_CHECKING:
    from walkshed.plan import Plan

_TIANDITU = (
    "https://t0.tianditu.gov.cn/vec_w/wmts?SERVICE=WMTS&REQUEST=GetTile&VERSION=1.0.0&LAYER=vec&STYLE=default"
    "&TILEMATRIXSET=w&FORMAT=tiles&TILEMATRIX={z}&TILEROW={y}&TILECOL={x}&tk={key}"
)
_TILES = {
    "osm": ("https://tile.openstreetmap.org/{z}/{x}/{y}.png", "© OpenStreetMap contributors"),
    "tianditu": (_TIANDITU, "天地图"),
}
"""Base maps, drawn only where a scenario asks. Tianditu wants a key: the page takes it from `?tk=` in its address."""


@dataclass(frozen=True, eq=False)
class Drawing:
    """A plan drawn once for everything that shows a map: people on their grid, and the scene for `map.js`."""

    cells: Cells
    scene: Scene

    @classmethod
    def of(cls, plan: "Plan") -> Self:
        """Draw a plan."""
        cells = cells_of(plan.demand)
        return cls(cells, scene(plan, cells))


def map_html(plan: "Plan", drawing: Drawing | None = None) -> bytes:
    """Return the whole page, UTF-8. The same plan gives the same bytes.

    drawing : the plan drawn already, where it was

    Nothing in it is fetched: Leaflet, its style, every picture and every street are inside. All text that comes from
    data is escaped by the templates, or set as text by the script; none of it is ever read as HTML.
    """
    drawing = drawing or Drawing.of(plan)
    values = panel_values(plan, drawing.cells)
    drawn = {**drawing.scene, "words": values["script_words"], "tiles": tiles(plan)}
    parts = templates().get_template("macros.html").module
    figure, leaf = Figure(), _map(drawn["view"])
    figure._id = "figure"  # noqa: SLF001 - random otherwise
    figure.add_child(leaf, name="map")
    leaf.render()  # type: ignore[no-untyped-call]  # puts its own parts into the figure; ours come after them
    values |= {"leaflet_js": ours(leaflet()[0]), "leaflet_css": ours(leaflet()[1]), "css": ours(web("map.css"))}
    figure.header.add_child(_Text(parts.header(values)), name="page")  # type: ignore[attr-defined]
    figure.html.add_child(_Text(parts.html({**values, "data": ours(in_script(drawn))})), name="page")  # type: ignore[attr-defined]
    figure.script.add_child(_Text(unclosed(web("map.js")) + f"\ndrawPlan({leaf.get_name()});"), name="page")
    return str(figure.render()).encode()


class _Text(Element):
    """Finished text for a part of the page. Branca's own parts read theirs as templates, names from data included."""

    _template = jinja2.Template("{{ this.text }}")

    def __init__(self, text: str) -> None:
        super().__init__()
        self.text = text


def _map(corners: list[list[float]]) -> folium.Map:
    leaf = folium.Map(
        tiles=None, location=[(corners[0][axis] + corners[1][axis]) / 2 for axis in (0, 1)], zoom_start=11,
        zoom_control=False, zoom_snap=0.5, attribution_control=False, max_zoom=18, min_zoom=6,
        wheel_px_per_zoom_level=90, prefer_canvas=True,
    )  # fmt: skip
    leaf.default_js, leaf.default_css = [], []  # links to servers elsewhere
    leaf._id = leaf.global_switches._id = "walkshed"  # noqa: SLF001 - random otherwise
    leaf._children.clear()  # noqa: SLF001 - only the switches, which Map renders itself
    return leaf


@cache
def templates() -> jinja2.Environment:
    """Templates of `data/web/`, every value escaped."""
    return jinja2.Environment(
        autoescape=True, undefined=jinja2.StrictUndefined, trim_blocks=True, lstrip_blocks=True,
        loader=jinja2.FunctionLoader(web),
    )  # fmt: skip


@cache
def web(name: str) -> str:
    """Text of a file of `data/web/`."""
    return (data_dir() / "web" / name).read_text(encoding="utf-8")


@cache
def leaflet() -> tuple[str, str]:
    """Leaflet's script and style, of the PyPI package XStatic-Leaflet, its pictures inside the style."""
    folder = resources.files("xstatic.pkg.leaflet") / "data"

    def inside(found: re.Match[str]) -> str:
        picture = base64.b64encode((folder / "images" / found[1]).read_bytes()).decode()
        return f"url(data:image/png;base64,{picture})"

    style = re.sub(r"url\(images/([\w.-]+)\)", inside, (folder / "leaflet.css").read_text(encoding="utf-8"))
    script = (folder / "leaflet.js").read_text(encoding="utf-8")
    return unclosed(re.sub(r"//# sourceMappingURL=\S+", "", script)), style


def ours(text: str) -> Markup:
    """Mark text as safe to stand in the page: our own files, and JSON with every sign that could end it coded."""
    return Markup(text)  # noqa: S704 - see above


def unclosed(script: str) -> str:
    """Keep a script from ending the element it stands in."""
    return script.replace("</script", "<\\/script")


def tiles(plan: "Plan") -> dict[str, str] | None:
    """Base map the scenario asks for, if any."""
    asked = getattr(getattr(plan.scenario, "map", None), "tiles", None)
    return {"url": _TILES[asked][0], "credit": _TILES[asked][1]} if asked else None
