"""Coordinates typed or scraped in China: WGS-84, GCJ-02 (Gaode, Tencent), BD-09 (Baidu), from one to another."""

import numpy as np
from numpy.typing import ArrayLike
from pyproj import CRS, Transformer
from pyproj.exceptions import CRSError

from walkshed.contracts import BoolArray, FloatArray, refuse
from walkshed.errors import Fault

LonLat = tuple[FloatArray, FloatArray]

SYSTEMS = ("wgs84", "gcj02", "bd09")
"""The three systems that look alike in a table."""

# Krasovsky 1940, which GCJ-02 is computed on, and the box outside which it is not applied (the published algorithm).
_A, _EE = 6378245.0, 0.00669342162296594323
_WEST, _SOUTH, _EAST, _NORTH = 72.004, 0.8293, 137.8347, 55.8271
_BAIDU = np.pi * 3000.0 / 180.0
_ROUNDS = 10  # the shift changes by less than 1 % of itself from place to place: each round gains two digits


def wgs84_to_gcj02(lon: ArrayLike, lat: ArrayLike) -> LonLat:
    """Shift WGS-84 to GCJ-02; outside the box where GCJ-02 is applied, nothing changes.

    >>> [f"{value[()]:.7f}" for value in wgs84_to_gcj02(125.3184, 43.8846)]
    ['125.3249031', '43.8870041']
    """
    lon, lat = np.asarray(lon, dtype=float), np.asarray(lat, dtype=float)
    x, y = lon - 105.0, lat - 35.0
    root = np.sqrt(np.abs(x))
    wave = 20 * np.sin(6 * np.pi * x) + 20 * np.sin(2 * np.pi * x)
    north = -100 + 2 * x + 3 * y + 0.2 * y**2 + 0.1 * x * y + 0.2 * root
    north += (wave + 20 * np.sin(np.pi * y) + 40 * np.sin(np.pi * y / 3)) * 2 / 3
    north += (160 * np.sin(np.pi * y / 12) + 320 * np.sin(np.pi * y / 30)) * 2 / 3
    east = 300 + x + 2 * y + 0.1 * x**2 + 0.1 * x * y + 0.1 * root
    east += (wave + 20 * np.sin(np.pi * x) + 40 * np.sin(np.pi * x / 3)) * 2 / 3
    east += (150 * np.sin(np.pi * x / 12) + 300 * np.sin(np.pi * x / 30)) * 2 / 3
    phi = np.radians(lat)
    m = 1 - _EE * np.sin(phi) ** 2
    d_lat = np.degrees(north * m * np.sqrt(m) / (_A * (1 - _EE)))
    d_lon = np.degrees(east * np.sqrt(m) / (_A * np.cos(phi)))
    shifted = in_gcj02(lon, lat)
    return np.where(shifted, lon + d_lon, lon), np.where(shifted, lat + d_lat, lat)


def gcj02_to_bd09(lon: ArrayLike, lat: ArrayLike) -> LonLat:
    """Shift GCJ-02 to Baidu's BD-09; outside the box where GCJ-02 is applied, nothing changes.

    >>> [f"{value[()]:.7f}" for value in gcj02_to_bd09(125.3249031, 43.8870041)]
    ['125.3314771', '43.8927331']
    """
    lon, lat = np.asarray(lon, dtype=float), np.asarray(lat, dtype=float)
    radius = np.hypot(lon, lat) + 0.00002 * np.sin(lat * _BAIDU)
    angle = np.arctan2(lat, lon) + 0.000003 * np.cos(lon * _BAIDU)
    shifted = in_gcj02(lon, lat)
    return (
        np.where(shifted, radius * np.cos(angle) + 0.0065, lon),
        np.where(shifted, radius * np.sin(angle) + 0.006, lat),
    )


def gcj02_to_wgs84(lon: ArrayLike, lat: ArrayLike) -> LonLat:
    """Undo `wgs84_to_gcj02` by iteration, to better than 1e-9 degrees.

    >>> [f"{value[()]:.6f}" for value in gcj02_to_wgs84(125.3249031, 43.8870041)]
    ['125.318400', '43.884600']
    """
    lon, lat = np.asarray(lon, dtype=float), np.asarray(lat, dtype=float)
    guess_lon, guess_lat = lon.copy(), lat.copy()
    for _ in range(_ROUNDS):
        there_lon, there_lat = wgs84_to_gcj02(guess_lon, guess_lat)
        guess_lon, guess_lat = guess_lon + lon - there_lon, guess_lat + lat - there_lat
    return guess_lon, guess_lat


def bd09_to_gcj02(lon: ArrayLike, lat: ArrayLike) -> LonLat:
    """Undo `gcj02_to_bd09` by iteration, to better than 1e-9 degrees."""
    lon, lat = np.asarray(lon, dtype=float), np.asarray(lat, dtype=float)
    guess_lon, guess_lat = lon.copy(), lat.copy()
    for _ in range(_ROUNDS):
        there_lon, there_lat = gcj02_to_bd09(guess_lon, guess_lat)
        guess_lon, guess_lat = guess_lon + lon - there_lon, guess_lat + lat - there_lat
    return guess_lon, guess_lat


def in_gcj02(lon: ArrayLike, lat: ArrayLike) -> BoolArray:
    """Whether GCJ-02 is applied there: its published box around China."""
    lon, lat = np.asarray(lon, dtype=float), np.asarray(lat, dtype=float)
    return np.asarray((lon >= _WEST) & (lon <= _EAST) & (lat >= _SOUTH) & (lat <= _NORTH))


def to_wgs84(lon: ArrayLike, lat: ArrayLike, crs: str) -> LonLat:
    """Turn coordinates of a named system into WGS-84 longitude and latitude.

    Parameters
    ----------
    lon, lat : (n,)
        Longitude and latitude, or x (east) and y (north) of a projected system.
    crs : str
        `wgs84`, `gcj02`, `bd09` or `epsg:<code>`.

    Raises
    ------
    InputError
        If the system is not known.

    Examples
    --------
    >>> [f"{value[()]:.4f}" for value in to_wgs84(125.3314771, 43.8927331, "bd09")]
    ['125.3184', '43.8846']
    """
    name = crs.strip().lower().replace("-", "")
    lon, lat = np.asarray(lon, dtype=float), np.asarray(lat, dtype=float)
    if name == "wgs84":
        return lon, lat
    if name == "gcj02":
        return gcj02_to_wgs84(lon, lat)
    if name == "bd09":
        return gcj02_to_wgs84(*bd09_to_gcj02(lon, lat))
    return _from_epsg(lon, lat, crs)


def is_known(crs: str) -> bool:
    """Whether `to_wgs84` knows a system.

    >>> is_known("GCJ-02"), is_known("epsg:4551"), is_known("mars")
    (True, True, False)
    """
    if crs.strip().lower().replace("-", "") in SYSTEMS:
        return True
    try:
        CRS.from_user_input(crs)
    except CRSError:
        return False
    return True


def _from_epsg(lon: FloatArray, lat: FloatArray, crs: str) -> LonLat:
    refuse([] if is_known(crs) else [Fault("coordinates.unknown_crs", "crs", {"crs": crs[:60]})])
    east, north = Transformer.from_crs(CRS.from_user_input(crs), "EPSG:4326", always_xy=True).transform(lon, lat)
    return np.asarray(east, dtype=float), np.asarray(north, dtype=float)
