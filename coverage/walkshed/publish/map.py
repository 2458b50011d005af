"""The map: one HTML file that opens with no network at all, Chinese first, with an English switch."""

import base64
import re
from functools import cache
from importlib import resources
from typing import TYPE_CHECKING

import folium
import jinja2
from branca.element import Element, Figure, MacroElement
from markupsafe import Markup, escape

from walkshed.publish.images import cells_of
from walkshed.publish.panel import panel_values
from walkshed.publish.scene import in_script, scene
from walkshed.words import data_dir

if TYPE_CHECKING:
    from walkshed.plan import Plan

_TILES = {
    "osm": ("https://tile.openstreetmap.org/{z}/{x}/{y}.png", "© OpenStreetMap contributors"),
    "tianditu": (
        "https://t0.tianditu.gov.cn/vec_w/wmts?SERVICE=WMTS&REQUEST=GetTile&VERSION=1.0.0&LAYER=vec&STYLE=default"
        "&TILEMATRIXSET=w&FORMAT=tiles&TILEMATRIX={z}&TILEROW={y}&TILECOL={x}&tk={key}",
        "天地图",
    ),
}
"""Base maps, drawn only where a scenario asks for one. Tianditu wants a key: the page takes it from `?tk=` in its address."""


def map_html(plan: "Plan") -> bytes:
    """Return the whole page, UTF-8. The same plan gives the same bytes.

    Nothing in it is fetched: Leaflet, its style, every picture and every street are inside. All text that comes from
    data is escaped by the templates, or set as text by the script; none of it is ever read as HTML.
    """
    cells = cells_of(plan.demand)
    drawn = scene(plan, cells)
    values = panel_values(plan, cells)
    drawn["words"], drawn["tiles"] = values["script_words"], _tiles(plan)
    page = _Page("page", {**values, "data": Markup(in_script(drawn))})
    figure = Figure()
    figure.header.add_child(Element(_fixed(_head(str(values["page_title"])))), name="leaflet")
    leaf = folium.Map(
        tiles=None, location=_middle(drawn["view"]), zoom_start=11, zoom_control=False, zoom_snap=0.5,
        attribution_control=False, max_zoom=18, min_zoom=6, wheel_px_per_zoom_level=90, prefer_canvas=True,
    )  # fmt: skip
    leaf.default_js, leaf.default_css = [], []  # links to servers elsewhere
    leaf._id, leaf.global_switches._id, page._id = "walkshed", "switches", "page"  # noqa: SLF001 - random otherwise
    leaf._children.clear()  # noqa: SLF001 - only the switches, which Map renders itself
    figure.add_child(leaf, name="map")
    leaf.add_child(page, name="page")
    figure._id = "figure"  # noqa: SLF001
    return str(figure.render()).encode()


class _Page(MacroElement):
    """Everything around and on the map that folium has no part for: panel, legend, layers, pop-ups without jQuery."""

    def __init__(self, name: str, values: dict[str, object]) -> None:
        super().__init__()
        self._name = name
        self._template = _templates().get_template("macros.html")
        self.values = values
        self.css, self.js = Markup(web("map.css")), Markup(_unclosed(web("map.js")))


@cache
def _templates() -> jinja2.Environment:
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
    return _unclosed(re.sub(r"//# sourceMappingURL=\S+", "", script)), style


def _head(title: str) -> str:
    script, style = leaflet()
    return f'<meta charset="utf-8"><title>{escape(title)}</title>\n<style>{style}</style>\n<script>{script}</script>'


def _fixed(text: str) -> str:
    """Keep a template from reading what is no template."""
    return "{% raw %}" + text + "{% endraw %}"


def _unclosed(script: str) -> str:
    """Keep a script from ending the element it stands in."""
    return script.replace("</script", "<\\/script")


def _middle(corners: list[list[float]]) -> list[float]:
    return [(corners[0][axis] + corners[1][axis]) / 2 for axis in (0, 1)]


def _tiles(plan: "Plan") -> dict[str, str] | None:
    asked = getattr(getattr(plan.scenario, "map", None), "tiles", None)
    return {"url": _TILES[asked][0], "credit": _TILES[asked][1]} if asked else None
