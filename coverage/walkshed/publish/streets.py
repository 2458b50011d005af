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
from walkshed.publish.images import mercator
from walkshed.ways import LEVELS

if TYPE_CHECKING:
    from walkshed.network import WalkNetwork

UNIT = 2.0  # Web Mercator metres; 1.4 m on the ground at Changchun, a pixel at the closest zoom
BUDGET_BYTES = 1_900_000  # of the page's 5 MB, before base64 makes it a third more


def backdrop(network: "WalkNetwork", centre_xy: FloatArray) -> dict[str, Any]:
    """Return all streets for `map.js`: by level, base64 of the numbers described above.

    Where a city has more than fits, the streets farthest from `centre_xy` (metric CRS) are left out, footpaths first.
    """
    away_m = np.hypot(*(network.xy[network.edge_from] - centre_xy).T)
    at = np.rint(mercator(network.crs, network.xy) / UNIT).astype(np.int64)
    left, levels = BUDGET_BYTES, {}
    for number, level in enumerate(LEVELS):
        mine = network.edge_level == number
        packed = _packed(network, at, mine)
        if len(packed) > left:
            nearest_m = np.quantile(away_m[mine], left / len(packed))
            packed = _packed(network, at, mine & (away_m < nearest_m))
        left = max(0, left - len(packed))
        levels[level] = base64.b64encode(packed).decode()
    return {"unit": UNIT, "levels": levels}


def _packed(network: "WalkNetwork", at: IntArray, wanted: BoolArray) -> bytes:
    """Pack the edges wanted: the straight ones from their junctions (`at`), the others from their simplified shapes."""
    vertices = np.diff(network.shape_ptr)
    straight, bent = wanted & (vertices == 2), wanted & (vertices > 2)  # noqa: PLR2004 - two ends and nothing between
    ends = np.stack([at[network.edge_from[straight]], at[network.edge_to[straight]]], axis=1).reshape(-1, 2)
    shape = np.rint(mercator(network.crs, network.shape_xy[np.repeat(bent, vertices)]) / UNIT)
    lines = shapely.linestrings(shape, indices=np.repeat(np.arange(bent.sum()), vertices[bent]))
    simple, line = shapely.get_coordinates(shapely.simplify(lines, 1.0, preserve_topology=False), return_index=True)
    points = np.concatenate([ends, simple.astype(np.int64)])
    return pack(points, np.concatenate([np.full(straight.sum(), 2), np.bincount(line, minlength=bent.sum())]))


def pack(points: IntArray, counts: IntArray) -> bytes:
    """Pack lines of whole-number points (k, 2), `counts` of them each, in the form described above.

    >>> list(pack(np.array([[3, 0], [3, -2], [4, 0], [4, 1], [5, 1]]), np.array([2, 3])))
    [2, 6, 0, 0, 3, 3, 2, 0, 0, 2, 2, 0]
    """
    if not len(points):
        return b""
    first = np.cumsum(counts) - counts
    steps = np.diff(points, axis=0, prepend=points[:1])
    steps[first] = np.diff(points[first], axis=0, prepend=np.zeros((1, 2), np.int64))
    zigzag = np.where(steps < 0, -2 * steps - 1, 2 * steps).ravel()
    return _varints(np.insert(zigzag, 2 * first, counts))


def _varints(numbers: IntArray) -> bytes:
    """Seven bits a byte, the lowest first; the eighth bit says that more follow."""
    shifted = numbers[:, None] >> (7 * np.arange(5))
    more = shifted[:, 1:] > 0
    used = np.concatenate([np.ones((len(numbers), 1), bool), more], axis=1)
    with_flag = (shifted & 0x7F) | np.pad(more, ((0, 0), (0, 1))) * 0x80
    return bytes(with_flag[used].astype(np.uint8))
