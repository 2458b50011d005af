"""What the map shows, as plain values for the page's script: places, outlines, markers, pictures, streets."""

import json
from typing import TYPE_CHECKING, Any

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
from scipy.ndimage import binary_dilation, label

from walkshed.contracts import FloatArray
from walkshed.publish.images import CLASSES, RAMPS, STATES, Cells, cells_of, degrees, mercator, pictures
from walkshed.publish.streets import backdrop
from walkshed.supply import kinds

if TYPE_CHECKING:
    from walkshed.plan import Plan

Scene = dict[str, Any]

DRAWN_GAPS = 150  # outlined and numbered; cells without service show everywhere
HOLE_M2 = 100_000.0  # smaller holes of a gap are not drawn
DRAWN_PLACES = 2_500
COARSE = 4  # cells of the overview are so many cells wide
OVERVIEW_ZOOM = 9.5  # up to here single cells are smaller than a pixel


def scene(plan: "Plan", cells: Cells) -> Scene:
    """Return everything `map.js` draws."""
    return {
        "limit_m": round(plan.limit_m),
        "view": view(plan),
        "extent": _corners(plan.area.units.total_bounds, plan),
        "pictures": _pictures(plan, cells),
        "streets": backdrop(plan.network, np.array(shapely.box(*core(plan)).centroid.coords[0])),
        "barriers": _barriers(plan),
        "units": _units(plan),
        "gaps": _gaps(plan),
        "kinds": _kinds(plan),
        "outlets": _outlets(plan),
        "sites": _sites(plan),
        "places": _places(plan),
    }


def in_script(value: object) -> str:
    r"""Return `value` as JSON that can stand inside a script element: nothing in it can end the element.

    >>> in_script({"name": "</script>&"})
    '{"name":"\\u003c/script\\u003e\\u0026"}'
    """
    text = json.dumps(value, ensure_ascii=False, sort_keys=True, separators=(",", ":"), allow_nan=False)
    for sign in "&<>\u2028\u2029":
        text = text.replace(sign, f"\\u{ord(sign):04x}")
    return text


def core(plan: "Plan") -> tuple[float, float, float, float]:
    """Box (metric) around the largest place where people live densely: what a reader wants to see first.

    The densest square kilometres that hold half of all people, joined where they touch; of these the most populous
    cluster, without the outermost percent of its people on each side.
    """
    xy, people = shapely.get_coordinates(plan.demand.geometry.array), plan.demand["people"].to_numpy(dtype=float)
    column, row = ((xy - xy.min(axis=0)) // 1_000.0).astype(np.int64).T
    grid = np.zeros((row.max() + 1, column.max() + 1))
    np.add.at(grid, (row, column), people)
    ranked = np.sort(grid, axis=None)[::-1]
    least = ranked[min(int(np.searchsorted(np.cumsum(ranked), people.sum() / 2)), ranked.size - 1)]
    cluster, found = label(binary_dilation(grid >= least), structure=np.ones((3, 3)))
    sizes = np.bincount(cluster.ravel(), grid.ravel(), found + 1)
    inside = cluster[row, column] == 1 + int(np.argmax(sizes[1:]))
    x, y = (_middle(xy[inside, axis], people[inside]) for axis in (0, 1))
    return float(x[0]), float(y[0]), float(x[1]), float(y[1])


def view(plan: "Plan") -> list[list[float]]:
    """Corners of the first view, [[south, west], [north, east]]: the core and the proposals near it."""
    west, south, east, north = core(plan)
    box = shapely.box(west, south, east, north)
    near = plan.sites.geometry[plan.sites.distance(box) <= max(east - west, north - south) / 4]
    return _corners(shapely.total_bounds([box, *near]), plan)


def _middle(values: FloatArray, people: FloatArray) -> FloatArray:
    order = np.argsort(values, kind="stable")
    total = np.cumsum(people[order])
    return np.asarray(values[order][np.searchsorted(total, np.array([0.01, 0.99]) * total[-1])], dtype=float)


def _corners(bounds: FloatArray, plan: "Plan") -> list[list[float]]:
    west, south, east, north = bounds
    corners = mercator(plan.area.crs, np.array([[west, south], [east, north]]))
    return [degrees(*corner) for corner in corners.tolist()]


def _pictures(plan: "Plan", cells: Cells) -> Scene:
    coarse = cells_of(plan.demand, finer=cells, times=COARSE)
    fine = {"from": OVERVIEW_ZOOM, "to": 99, "images": _images(pictures(cells, px_per_cell=3))}
    return {"levels": [{"from": 0, "to": OVERVIEW_ZOOM, "images": _images(pictures(coarse, px_per_cell=2))}, fine]}


def _images(drawn: Any) -> list[Scene]:  # noqa: ANN401 - see pictures
    return [{"state": p.state, "uri": p.uri, "bounds": p.bounds} for p in drawn]


def density_legend(cells: Cells) -> dict[str, list[str]]:
    """Colours of the density classes in use, by state, light to dense."""
    return {state: list(RAMPS[state][: min(len(cells.breaks) + 1, CLASSES)]) for state in STATES}


def _shapes(geometries: gpd.GeoSeries, tolerance_m: float, digits: int = 5) -> list[Scene]:
    """GeoJSON geometries in degrees, simplified to `tolerance_m`."""
    simple = geometries.simplify(tolerance_m).to_crs("EPSG:4326")
    rounded = shapely.set_precision(simple.array, 10.0**-digits, mode="pointwise")
    return [json.loads(text) for text in shapely.to_geojson(rounded)]


def _points(frame: gpd.GeoDataFrame) -> list[list[float]]:
    where = frame.geometry.to_crs("EPSG:4326")
    return np.stack([where.y, where.x], axis=1).round(6).tolist() if len(frame) else []


def _columns(frame: pd.DataFrame, columns: dict[str, int | None]) -> list[Scene]:
    """Rows as dictionaries: the columns there are, rounded to so many decimals (None: text), without empty values."""
    rows = pd.DataFrame(frame[[c for c in columns if c in frame]]).to_dict("records")
    return [{str(k): _cell(v, columns[str(k)]) for k, v in row.items() if pd.notna(v) and v != ""} for row in rows]


def _cell(value: Any, decimals: int | None) -> object:  # noqa: ANN401 - a table's cell
    return str(value) if decimals is None else round(float(value), decimals) if decimals else round(float(value))


def _merged(frame: gpd.GeoDataFrame, rows: list[Scene]) -> list[Scene]:
    return [{**row, "at": at} for row, at in zip(rows, _points(frame), strict=True)]


def _labelled(plan: "Plan", frame: gpd.GeoDataFrame) -> gpd.GeoDataFrame:
    """Unit ids become the names people know."""
    return frame.assign(unit=frame["unit"].map(plan.units["label"])) if "unit" in frame else frame


def _units(plan: "Plan") -> list[Scene]:
    outlines = plan.area.units.geometry
    figures = _columns(plan.units.loc[outlines.index], {"label": None, "people": 0, "outlets": 0,
                                                       "share_before": 4, "share_after": 4})  # fmt: skip
    anchors = gpd.GeoDataFrame(geometry=outlines.representative_point())
    tolerance_m = max(2.0, float(np.ptp(outlines.total_bounds[[0, 2]])) / 4_000)
    located = _merged(anchors, figures)
    return [{**row, "shape": shape} for row, shape in zip(located, _shapes(outlines, tolerance_m), strict=True)]


def _gaps(plan: "Plan") -> list[Scene]:
    gaps = _labelled(plan, plan.gaps.head(DRAWN_GAPS))
    rows = _columns(gaps, {"name": None, "unit": None, "people": 0, "area_km2": 2, "nearest_m": 0, "near": None})
    anchors = gpd.GeoDataFrame(geometry=gaps.geometry.representative_point())
    shapes = _shapes(gaps.geometry.map(_filled), 30.0)
    return [{**row, "shape": shape} for row, shape in zip(_merged(anchors, rows), shapes, strict=True)]


def _filled(shape: shapely.Geometry) -> shapely.Geometry:
    """Without the small holes: squares and yards nobody lives on; an outline should read as one."""
    parts = [
        shapely.Polygon(part.exterior, [ring for ring in part.interiors if shapely.Polygon(ring).area >= HOLE_M2])
        for part in shapely.get_parts(shape)
    ]
    return shapely.MultiPolygon(parts)


def _sites(plan: "Plan") -> list[Scene]:
    sites = _labelled(plan, plan.sites.sort_values("order", kind="stable"))
    return _merged(sites, _columns(sites, {"order": 0, "name": None, "kind": None, "unit": None, "people_gained": 0}))


def _outlets(plan: "Plan") -> list[Scene]:
    outlets = _labelled(plan, outlets_shown(plan))
    text = dict.fromkeys(("name", "kind", "unit", "status", "settlement", "address"))
    return _merged(outlets, _columns(outlets, {**text, "seats": 0}))


def outlets_shown(plan: "Plan") -> gpd.GeoDataFrame:
    """Outlets that lend books or are going to; closed ones stay in the tables."""
    return plan.outlets[plan.outlets["status"].isin(["open", "planned"])]


def kinds_shown(plan: "Plan") -> list[str]:
    """Kinds of outlets on this map, in the order of `data/kinds.toml`."""
    there = set(outlets_shown(plan)["kind"])
    return [key for key in kinds() if key in there]


def glyphs(names: list[str]) -> list[str]:
    """One character for each kind, its own: the first of its Chinese name that no other has taken.

    >>> glyphs(["城市阅书房", "城区总馆", "市图书馆"])
    ['城', '区', '市']
    """
    taken: list[str] = []
    for name in names:
        taken.append(next((sign for sign in name if sign not in taken), name[0]))
    return taken


def _kinds(plan: "Plan") -> Scene:
    shown, known = kinds_shown(plan), kinds()
    signs = dict(zip(shown, glyphs([known[key].zh for key in shown]), strict=True))
    wanted = [*shown, *sorted(set(plan.sites["kind"]) - set(shown))]
    return {
        key: {"zh": known[key].zh, "en": known[key].en, "colour": known[key].colour, "glyph": signs.get(key, "")}
        for key in wanted
    }


def _barriers(plan: "Plan") -> list[Scene]:
    barriers = plan.barriers[plan.barriers["kind"].isin(["river", "lake", "railway"])]
    return [
        {"kind": kind, "shape": shape}
        for kind, shape in zip(barriers["kind"], _shapes(barriers.geometry, 8.0), strict=True)
    ]


def _places(plan: "Plan") -> list[Scene]:
    places = plan.places.sort_values("rank", kind="stable").head(DRAWN_PLACES)
    return _merged(places, _columns(places, {"name": None, "rank": 0}))
