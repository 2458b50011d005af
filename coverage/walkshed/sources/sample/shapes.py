"""Arrays of geometries, and the few questions asked of them everywhere."""

from collections.abc import Sequence

import numpy as np
import shapely
from numpy.typing import NDArray
from shapely.geometry.base import BaseGeometry

from walkshed.contracts import BoolArray, FloatArray

Shapes = NDArray[np.object_]
"""Geometries."""
Names = NDArray[np.object_]
"""Texts."""


def dots(xy: FloatArray) -> Shapes:
    """Points from coordinates (n, 2)."""
    return np.atleast_1d(np.asarray(shapely.points(xy), dtype=object))


def links(start: FloatArray, end: FloatArray) -> Shapes:
    """Straight lines between two sets of coordinates (n, 2)."""
    return np.atleast_1d(np.asarray(shapely.linestrings(np.stack([start, end], axis=-2)), dtype=object))


def pieces(line: BaseGeometry) -> Shapes:
    """The straight pieces of a line.

    >>> len(pieces(shapely.LineString([(0, 0), (1, 0), (1, 1)])))
    2
    """
    xy = shapely.get_coordinates(line)
    return links(xy[:-1], xy[1:])


def touching(shapes: Shapes, walls: Sequence[BaseGeometry]) -> BoolArray:
    """True for shapes that touch any wall. Long lines are taken apart first: most shapes are near none of it.

    >>> two = links(np.array([[0.0, 0], [5, 5]]), np.array([[2.0, 0], [6, 6]]))
    >>> touching(two, [shapely.LineString([(1, -1), (1, 1)])])
    array([ True, False])
    """
    found = np.zeros(len(shapes), dtype=bool)
    parts = [piece for wall in walls for piece in (pieces(wall) if wall.geom_type == "LineString" else [wall])]
    found[shapely.STRtree(parts).query(shapes, predicate="intersects")[0]] = True
    return found
