"""Streets as a backdrop: every street of a city in about a megabyte, drawn by the browser and so crisp at any zoom.

An image of the streets blurs as soon as one zooms in, and GeoJSON of a whole city is tens of megabytes. Instead each
line is a run of whole numbers: how many points, then steps from point to point in units of `UNIT` Web Mercator
metres. Small numbers take one byte (variable-length integers, zigzag for the sign), and the network is sorted along a
Hilbert curve, so steps from line to line are small too.
"""

import base64
from typing import TYPE_CHECKING, Any

import numpy as np
import shapely

from walkshed.contracts import BoolArray, FloatArray, IntArray
from walkshed.network import LEVELS
from walkshed.publish.images import mercator

if TYPE_CHECKING:
    from walkshed.network import WalkNetwork

UNIT = 2.0  # Web Mercator metres; 1.4 m on the ground at Changchun, a pixel at the closest zoom
BUDGET_BYTES = 1_900_000  # of the page's 5 MB, before base64 makes it a third more


def backdrop(network: "WalkNetwork", centre_xy: FloatArray) -> dict[str, Any]:
    """Return all streets for `map.js`: by level, base64 of the numbers described above.

    Where a city has more than fits, the streets farthest from `centre_xy` (metric CRS) are left out, footpaths first.
    """
    xy = mercator(network.crs, network.shape_xy)
    lines = shapely.simplify(
        shapely.linestrings(np.rint(xy / UNIT), indices=np.repeat(np.arange(len(network.edge_nm)), np.diff(network.shape_ptr))),
        1.0,
        preserve_topology=False,
    )  # fmt: skip
    away_m = np.hypot(*(network.shape_xy[network.shape_ptr[:-1]] - centre_xy).T)
    left, levels = BUDGET_BYTES, {}
    for number, level in enumerate(LEVELS):
        mine = network.edge_level == number
        packed = pack(lines[mine])
        if len(packed) > left:
            nearest = np.quantile(away_m[mine], left / len(packed))
            packed = pack(lines[mine & (away_m < nearest)])
        left = max(0, left - len(packed))
        levels[level] = base64.b64encode(packed).decode()
    return {"unit": UNIT, "levels": levels}


def pack(lines: FloatArray) -> bytes:
    """Pack lines with whole-number coordinates: per line its number of points, the step to its first, the steps within.

    >>> from shapely import LineString
    >>> list(pack(np.array([LineString([(3, 0), (3, -2)]), LineString([(4, 0), (4, 1), (5, 1)])])))
    [2, 6, 0, 0, 3, 3, 2, 0, 0, 2, 2, 0]
    """
    xy, line = shapely.get_coordinates(lines, return_index=True)
    if not len(xy):
        return b""
    points = xy.astype(np.int64)
    first: BoolArray = np.diff(line, prepend=-1) > 0
    starts = points[first]
    steps = np.diff(points, axis=0, prepend=points[:1])
    steps[first] = np.diff(starts, axis=0, prepend=np.zeros((1, 2), np.int64))
    zigzag = np.where(steps < 0, -2 * steps - 1, 2 * steps).ravel()
    counts = np.diff(np.append(np.flatnonzero(first), len(points)))
    return _varints(np.insert(zigzag, 2 * np.flatnonzero(first), counts))


def _varints(numbers: IntArray) -> bytes:
    """Seven bits a byte, the lowest first; the eighth bit says that more follow."""
    shifted = numbers[:, None] >> (7 * np.arange(5))
    more = shifted[:, 1:] > 0
    used = np.concatenate([np.ones((len(numbers), 1), bool), more], axis=1)
    with_flag = (shifted & 0x7F) | np.pad(more, ((0, 0), (0, 1))) * 0x80
    return with_flag[used].astype(np.uint8).tobytes()
