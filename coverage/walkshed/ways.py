"""Streets as sources give them, before a network is made of them."""

from dataclasses import dataclass

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
from pyproj import CRS

from walkshed.contracts import FloatArray, IntArray, check_metric, refuse
from walkshed.errors import Fault

LEVELS = ("major", "street", "path")
"""How prominent a street is when drawn."""


@dataclass(frozen=True)
class Ways:
    """Streets as they come from a source, before they are cut at junctions; walkable both ways.

    Attributes
    ----------
    crs : metric CRS of `xy`
    ptr : int64 (ways + 1,); way `i` has the vertices `ptr[i]:ptr[i + 1]`, at least two
    node : int64 (vertices,); equal keys are one place where walkers can turn (for OpenStreetMap: node ids)
    xy : float64 (vertices, 2), metres
    frame : one row per way: `name` ('' if none), `level` (one of `LEVELS`), optional `length_m`
        that stands in for the drawn length
    """

    crs: CRS
    ptr: IntArray
    node: IntArray
    xy: FloatArray
    frame: pd.DataFrame

    @classmethod
    def none(cls, crs: CRS) -> "Ways":
        """No streets at all: where distances come from elsewhere."""
        frame = pd.DataFrame({"name": np.empty(0, dtype=object), "level": np.empty(0, dtype=object)})
        return cls(crs, np.zeros(1, np.int64), np.empty(0, np.int64), np.empty((0, 2)), frame)

    @classmethod
    def from_lines(cls, lines: gpd.GeoDataFrame, *, where: str = "streets") -> "Ways":
        """Read LineStrings that join where they share an exact vertex (as lines cut from OpenStreetMap do).

        lines : metric CRS; optional columns `name`, `level`, `length_m`.

        Raises
        ------
        InputError
            If there is no line, no metric CRS, or a geometry that is not a LineString.

        Examples
        --------
        >>> from shapely import LineString
        >>> cross = [LineString([(0, 0), (50, 0), (90, 0)]), LineString([(50, 0), (50, 9)])]
        >>> Ways.from_lines(gpd.GeoDataFrame(geometry=cross, crs="EPSG:4551")).node.tolist()
        [0, 1, 3, 1, 2]
        """
        crs = check_metric(lines.crs, where)
        refuse(_line_faults(lines, where))
        xy, way = shapely.get_coordinates(lines.geometry.array, return_index=True)
        _, node = np.unique(xy, axis=0, return_inverse=True)
        ptr = np.concatenate([[0], np.cumsum(np.bincount(way, minlength=len(lines)))]).astype(np.int64)
        frame = pd.DataFrame(
            {
                "name": lines["name"].fillna("").astype(str).to_numpy() if "name" in lines else "",
                "level": lines["level"].to_numpy() if "level" in lines else "street",
            },
            index=range(len(lines)),
        )
        if "length_m" in lines:
            frame["length_m"] = lines["length_m"].to_numpy(dtype=float)
        return cls(crs, ptr, node.astype(np.int64).ravel(), xy, frame)


def _line_faults(lines: gpd.GeoDataFrame, where: str) -> list[Fault]:
    if lines.empty:
        return [Fault("table.no_rows", where)]
    wrong = lines.geometry.geom_type != "LineString"
    if wrong.any():
        bad = ", ".join(map(str, (np.flatnonzero(wrong) + 1)[:12]))
        example = lines.geometry.geom_type[wrong].iloc[0]
        return [Fault("table.geometry_type", where, {"expected": "LineString", "rows": bad, "example": example})]
    return []
