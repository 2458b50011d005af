"""The map inside the app: a city drawn once and kept by the browser, and a scene on it that changes with every answer.

streamlit-folium passes folium's script links to the browser; here that is one file of our own, served by this very
server: Leaflet, how to draw, and the city. So nothing is fetched from elsewhere, and what a change sends is the scene.
"""

import base64
import hashlib
from collections.abc import Callable
from functools import lru_cache
from itertools import count
from typing import TYPE_CHECKING, Any

import folium
import geopandas as gpd
import numpy as np
import shapely
import streamlit as st
from branca.element import MacroElement
from folium.template import Template
from streamlit.runtime import exists, get_instance
from streamlit_folium import st_folium

from walkshed.publish.images import degrees, mercator
from walkshed.publish.map import leaflet, web
from walkshed.publish.scene import core, in_script
from walkshed.publish.streets import backdrop
from walkshed.supply import kinds
from walkshed.views.shapes import degrees_of, shapes
from walkshed.words import say

if TYPE_CHECKING:
    from walkshed.plan import Plan

Item = dict[str, Any]
At = tuple[float, float]
Clicked = Callable[[At, bool], None]

HEIGHT = 470
DRAWN_PLACES = 2_500
CLICKS = ("last_clicked", "last_object_clicked")
UP = "../.."  # the map's frame stands two folders down, whatever the proxy in front


class _Base(MacroElement):
    """The city's part of the map's script."""

    _name = "Base"
    _template = Template(
        "{% macro script(this, kwargs) %}walkshedBase({{ this._parent.get_name() }}, WALKSHED_CITY);{% endmacro %}"
    )


class _Scene(folium.FeatureGroup):
    """Everything that changes, as the one group streamlit-folium takes off and puts on again."""

    _template = Template(
        "{% macro script(this, kwargs) %}"
        "var {{ this.get_name() }} = walkshedScene({{ this._parent.get_name() }}, {{ this.data }});{% endmacro %}"
    )

    def __init__(self, scene: Item) -> None:
        super().__init__()
        self._name = "FeatureGroup"
        self.data = in_script(scene)

    def render(self, **_: Any) -> str:  # noqa: ANN401  folium's
        """Put nothing into the page: there folium would read names from data as a template."""
        return ""


def draw(script: bytes, scene: Item, *, key: str, height: int = HEIGHT, clicked: Clicked | None = None) -> None:
    """Draw a scene on its city. Panning and zooming tell nothing, so they rerun nothing.

    script : see `city_script`; clicked : told of a click before the page is drawn again: (lat, lon), and whether it
    was on a thing of the map
    """
    city = _digest(script)
    leaf = folium.Map(
        tiles=None, location=[0, 0], zoom_start=11, zoom_snap=0.5, attribution_control=False, max_zoom=18, min_zoom=6,
        wheel_px_per_zoom_level=90, prefer_canvas=True,
    )  # fmt: skip
    leaf.default_js = [("walkshed", _served(script, key))]
    leaf.default_css = [("leaflet", _uri(leaflet()[1], "text/css"))]
    leaf.add_child(_Base())  # type: ignore[no-untyped-call]  # branca's own
    told = f"{key}-{city}"

    def heard() -> None:
        at, thing = _news(st.session_state.get(told) or {}, f"seen-{key}")
        if at is not None and clicked is not None:
            clicked(at, thing)

    st_folium(
        leaf, key=told, height=height, width=None, returned_objects=list(CLICKS), on_change=heard,
        feature_group_to_add=_Scene({**scene, "layers": _lent(scene["layers"], key)}),
    )  # fmt: skip


@lru_cache(maxsize=8)
def _digest(script: bytes) -> str:
    return hashlib.sha256(script).hexdigest()[:12]


def _lent(layers: list[Item], key: str) -> list[Item]:
    """The layers with their pictures as files of this server: the browser fetches one it knows already never again."""
    if not exists():
        return layers
    files, numbers = get_instance().media_file_mgr, count()

    def lent(item: Item) -> Item:
        picture = base64.b64decode(item["uri"].partition(",")[2])
        address = files.add(picture, "image/png", f"walkshed-{key}-{next(numbers)}")
        return {**item, "uri": f"{UP}{address}"}

    return [
        {**layer, "items": [lent(item) for item in layer["items"]]} if layer["draw"] == "images" else layer
        for layer in layers
    ]


def _news(told: dict[str, Any], seen: str) -> tuple[At | None, bool]:
    """What was clicked since the last time: a thing on the map goes before the ground below it."""
    before = st.session_state.get(seen, {})
    now = {name: told.get(name) for name in CLICKS}
    st.session_state[seen] = now
    for name in reversed(CLICKS):
        at = now[name]
        if at and at != before.get(name):
            return (float(at["lat"]), float(at["lng"])), name == "last_object_clicked"
    return None, False


def city_script(plan: "Plan", candidates: gpd.GeoDataFrame) -> bytes:
    """Leaflet, our drawing code and one city, as the one script file of the map.

    candidates : as the city has them before any change; thousands of places are not sent with every answer
    """
    known = {key: [kind.zh, kind.en] for key, kind in kinds().items()}
    spots = zip(candidates.index, candidates["name"], candidates["kind"], degrees_of(candidates.geometry), strict=True)
    rows = [{"id": str(i), "name": str(name or ""), "kind": known[kind], "at": at} for i, name, kind, at in spots]
    drawn = in_script({**_city(plan), "candidates": rows})
    return "\n".join([leaflet()[0], web("app_map.js"), f"var WALKSHED_CITY = {drawn};"]).encode()


def _city(plan: "Plan") -> Item:
    west, south, east, north = core(plan)
    middle = shapely.box(west, south, east, north).centroid
    units = gpd.GeoDataFrame({"label": plan.area.units["label"]}, geometry=plan.area.units.geometry)
    inside = degrees_of(gpd.GeoSeries(units.representative_point()))
    places = plan.places.sort_values("rank", kind="stable").head(DRAWN_PLACES)
    barriers = plan.barriers[plan.barriers["kind"].isin(["river", "lake", "railway"])]
    widest_m = float(np.ptp(units.total_bounds[[0, 2]]))
    outlines = shapes(units.geometry, max(2.0, widest_m / 4_000))
    return {
        "id": _city_id(plan),
        "css": web("app_map.css"),
        "home": f"{say('app.home', 'zh')} · {say('app.home', 'en')}",
        "view": _corners(plan, (west, south, east, north)),
        "extent": _corners(plan, units.total_bounds),
        "streets": backdrop(plan.network, np.array([middle.x, middle.y])),
        "units": [
            {"label": str(label), "at": at, "shape": shape}
            for label, at, shape in zip(units["label"], inside, outlines, strict=True)
        ],
        "barriers": [
            {"kind": kind, "shape": shape}
            for kind, shape in zip(barriers["kind"], shapes(barriers.geometry, 8.0), strict=True)
        ],
        "places": [
            {"name": str(name or ""), "rank": int(rank), "at": at}
            for name, rank, at in zip(places["name"], places["rank"], degrees_of(places.geometry), strict=True)
        ],
    }  # fmt: skip


def _city_id(plan: "Plan") -> str:
    """Whether it is the same city as last time, so that the map may look where it looked before."""
    return hashlib.sha256(f"{plan.provenance['inputs']} {len(plan.demand)}".encode()).hexdigest()[:12]


def _corners(plan: "Plan", bounds: Any) -> list[list[float]]:  # noqa: ANN401  four numbers, however held
    west, south, east, north = bounds
    return [degrees(*corner) for corner in mercator(plan.area.crs, np.array([[west, south], [east, north]])).tolist()]


def _served(script: bytes, key: str) -> str:
    """Address of the script on this server; inside the data where there is no server (in tests)."""
    if not exists():
        return _uri("", "text/javascript")
    address = get_instance().media_file_mgr.add(script, "text/javascript", f"walkshed-{key}")
    return f"{UP}{address}"


def _uri(text: str, kind: str) -> str:
    return f"data:{kind};base64,{base64.b64encode(text.encode()).decode()}"
