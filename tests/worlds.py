"""Little towns to test in, all in EPSG:4551 and whole metres."""

from collections.abc import Sequence
from typing import Any

import geopandas as gpd
import numpy as np
from shapely import LineString, points

from walkshed.network import WalkNetwork
from walkshed.ways import Ways

CRS = "EPSG:4551"


def lattice_lines(side: int = 5, block_m: float = 100.0) -> gpd.GeoDataFrame:
    """`side` x `side` blocks of streets, each street one line with a vertex at every crossing."""
    at = np.arange(side + 1) * block_m
    across = [LineString([(x, y) for x in at]) for y in at]
    along = [LineString([(x, y) for y in at]) for x in at]
    names = [f"{i} 街" for i in range(side + 1)] + [f"{i} 路" for i in range(side + 1)]
    return gpd.GeoDataFrame({"name": names}, geometry=across + along, crs=CRS)


def lattice(side: int = 5, block_m: float = 100.0) -> WalkNetwork:
    return WalkNetwork.build(Ways.from_lines(lattice_lines(side, block_m)))


def places(ids: Sequence[str], xy: Sequence[tuple[float, float]], **columns: Any) -> gpd.GeoDataFrame:
    """A table of points with any columns."""
    return gpd.GeoDataFrame(
        columns, geometry=points(np.array(xy, dtype=float).reshape(-1, 2)), index=list(ids), crs=CRS
    )
