"""Cells of a grid on the ellipsoid: where they are and how large they truly are."""

from typing import Any

import numpy as np
from pyproj import CRS, Geod, Proj, Transformer
from rasterio.windows import Window

from walkshed.contracts import FloatArray, IntArray


def at(transform: Any, col: FloatArray, row: FloatArray) -> tuple[FloatArray, FloatArray]:  # noqa: ANN401 - no types
    """Columns and rows as coordinates; grids are north up, so the two do not mix.

    >>> from affine import Affine
    >>> x, y = at(Affine(100, 0, 5000, 0, -100, 9000), np.array([0.5]), np.array([0.5]))
    >>> x.tolist(), y.tolist()
    ([5050.0], [8950.0])
    """
    return transform.a * col + transform.c, transform.e * row + transform.f


def cell_m2(transform: Any, crs: CRS, rows: IntArray, window: Window) -> FloatArray:  # noqa: ANN401 - affine ships no types
    """True area on the ellipsoid of a cell in each row: between two parallels, or by the projection's areal scale.

    Parameters
    ----------
    rows : (n,)
        Rows of the whole grid.
    window : Window
        Its middle column stands for the row in projected grids, where the scale changes over hundreds of kilometres.

    Examples
    --------
    >>> from affine import Affine
    >>> thirty_seconds = Affine(1 / 120, 0, 0, 0, -1 / 120, 90)
    >>> cell_m2(thirty_seconds, CRS.from_epsg(4326), np.array([0, 5400, 10799]), Window(0, 0, 1, 1)).round().tolist()
    [63.0, 608543.0, 854797.0]
    """
    if crs.is_geographic:
        edges = transform.f + transform.e * np.stack([rows, rows + 1])
        zone = np.abs(np.diff(_zone_m2(np.radians(np.clip(edges, -90, 90)), crs), axis=0)[0])
        return np.asarray(zone * np.radians(abs(transform.a)))
    metre = crs.axis_info[0].unit_conversion_factor
    middle = np.full(len(rows), window.col_off + window.width / 2, dtype=float)
    x, y = at(transform, middle, np.asarray(rows + 0.5))
    lon, lat = Transformer.from_crs(crs, crs.geodetic_crs, always_xy=True).transform(x, y)
    scale = np.asarray(Proj(crs).get_factors(lon, lat).areal_scale)
    return np.asarray(abs(transform.a * transform.e) * metre**2 / scale)


def _zone_m2(phi: FloatArray, crs: CRS) -> FloatArray:
    """Area from the equator to a parallel, per radian of longitude (Snyder 1987, eq. 3-12, times a² / 2)."""
    geod = crs.get_geod() or Geod(ellps="WGS84")
    a, b = geod.a, geod.b
    e2 = 1 - (b / a) ** 2
    sine = np.sin(phi)
    if e2 == 0:
        return np.asarray(a**2 * sine)
    e = np.sqrt(e2)
    return np.asarray(b**2 / 2 * (sine / (1 - e2 * sine**2) + np.arctanh(e * sine) / e))
