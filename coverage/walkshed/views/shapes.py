"""Geometries as the map's script wants them: degrees, simplified, rounded."""

import json
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from typing import Any, TypeVar

import geopandas as gpd
import numpy as np
import shapely
from pyproj import CRS

from walkshed.whatif.changes import on_map

Thing = TypeVar("Thing")

HOLE_M2 = 100_000.0  # smaller holes of a gap are not drawn


def steadily(work: Callable[[], Thing]) -> Thing:
    """Work out something with coordinates in the one thread that is kept for it.

    PROJ makes itself ready anew in every thread, a fifth of a second, and Streamlit draws each page in one of its own.

    >>> steadily(lambda: 1 + 1)
    2
    """
    return _thread().submit(work).result()


@cache
def _thread() -> ThreadPoolExecutor:
    return ThreadPoolExecutor(1, "walkshed-proj")


def shapes(geometries: gpd.GeoSeries, tolerance_m: float, digits: int = 5) -> list[dict[str, Any]]:
    """GeoJSON geometries in WGS-84, simplified to `tolerance_m`.

    >>> from shapely import LineString
    >>> shapes(gpd.GeoSeries([LineString([(500000, 0), (500000, 10), (500000, 20)])], crs="EPSG:4551"), 1.0)
    [{'type': 'LineString', 'coordinates': [[126.0, 0.0], [126.0, 0.00018]]}]
    """
    simple = steadily(lambda: geometries.simplify(tolerance_m).to_crs("EPSG:4326"))
    rounded = shapely.set_precision(simple.array, 10.0**-digits, mode="pointwise")
    return [json.loads(text) for text in shapely.to_geojson(rounded)]


def filled(geometries: gpd.GeoSeries) -> gpd.GeoSeries:
    """Polygons without their small holes: squares nobody lives on; an outline should read as one."""
    parts, owner = shapely.get_parts(geometries.array, return_index=True)
    whole = np.array([_filled(part) for part in parts], dtype=object)
    return gpd.GeoSeries(
        [shapely.MultiPolygon(list(whole[owner == i])) for i in range(len(geometries))],
        index=geometries.index, crs=geometries.crs,
    )  # fmt: skip


def _filled(part: shapely.Polygon) -> shapely.Polygon:
    return shapely.Polygon(part.exterior, [r for r in part.interiors if shapely.Polygon(r).area >= HOLE_M2])


def degrees_of(points: gpd.GeoSeries) -> list[list[float]]:
    """[lat, lon] of points, as Leaflet wants them."""
    where = steadily(lambda: points.to_crs("EPSG:4326"))
    return np.stack([where.y, where.x], axis=1).round(6).tolist() if len(points) else []


def metric(at: tuple[float, float], to: CRS) -> shapely.Point:
    """A place of the map, (lat, lon), in the metric CRS."""
    return steadily(lambda: on_map(at[1], at[0], "wgs84", to))
