"""The study area: its units (县/区) and the one metric coordinate reference system everything is computed in."""

from dataclasses import dataclass

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
from pyproj import CRS

from walkshed.contracts import check_metric
from walkshed.errors import Fault, InputError

CHINA = (73.5, 18.0, 135.1, 53.6)  # where the CGCS2000 3-degree zones are in legal use (EPSG area of use, rounded)


@dataclass(frozen=True)
class Area:
    """Units as polygons in one metric CRS.

    units : GeoDataFrame, index: unit ids (text); `label`: name people know; geometry: (Multi)Polygon.

    >>> from shapely import Point, box
    >>> west = gpd.GeoSeries([box(125.2, 43.8, 125.3, 43.9)], index=["w"], crs="EPSG:4326")
    >>> area = Area.from_units(gpd.GeoDataFrame({"label": ["西区"]}, index=["w"], geometry=west))
    >>> area.crs.to_epsg(), area.unit_of(gpd.GeoSeries([Point(444_000, 4_860_000)], crs=area.crs)).tolist()
    (4551, ['w'])
    """

    units: gpd.GeoDataFrame

    @property
    def crs(self) -> CRS:
        """The metric CRS of the whole analysis."""
        return CRS.from_user_input(self.units.crs)

    @classmethod
    def from_units(cls, units: gpd.GeoDataFrame, *, label: str = "label", crs: object = None) -> "Area":
        """Project units to `crs`, or to the metric CRS that suits where they are.

        Raises
        ------
        InputError
            If the units have no CRS, no rows, broken geometries or repeated ids.
        """
        faults = [Fault("table.no_crs", "units")] if units.crs is None else []
        faults += [Fault("table.no_rows", "units")] if units.empty else []
        if not faults and not (shapely.area(units.geometry.array) > 0).all():
            faults += [Fault("area.not_polygons", "units")]
        if units.index.has_duplicates:
            twice = ", ".join(map(str, units.index[units.index.duplicated()].unique()[:5]))
            faults += [Fault("area.duplicate_units", "units", {"ids": twice})]
        if faults:
            raise InputError(faults)
        metric = check_metric(crs, "area.crs") if crs is not None else metric_crs(units)
        shapes = shapely.make_valid(units.to_crs(metric).geometry.array, method="structure", keep_collapsed=False)
        mixed = shapely.get_type_id(shapes) == shapely.GeometryType.GEOMETRYCOLLECTION
        shapes[mixed] = shapely.buffer(shapes[mixed], 0)  # clipped boundaries come with stray lines: only land counts
        valid = gpd.GeoSeries(shapes, index=units.index.astype(str), crs=metric)
        named = units[label].astype(str).set_axis(valid.index)  # aligned by id, as GeoDataFrame aligns geometries
        return cls(gpd.GeoDataFrame({"label": named}, geometry=valid, crs=metric))

    @classmethod
    def around(cls, points: gpd.GeoSeries, *, label: str = "all", crs: object = None) -> "Area":
        """One unit that holds all points: where a scenario names no units."""
        hull = shapely.box(*points.total_bounds).buffer(1e-9)
        one = gpd.GeoDataFrame({"label": [label]}, geometry=[hull], index=["all"], crs=points.crs)
        return cls.from_units(one, crs=crs)

    def unit_of(self, points: gpd.GeoSeries) -> pd.Series:
        """Unit id of each point, index-aligned; a point outside every unit gets the nearest unit's.

        Boundary data are simplified, so a point just outside belongs to its neighbour; callers drop what is far away.
        """
        xy = shapely.get_coordinates(points.array)
        tree = shapely.STRtree(self.units.geometry.array)
        point, unit = tree.query(shapely.points(xy), predicate="intersects")
        found = np.full(len(points), -1)
        found[point[::-1]] = unit[::-1]  # a point on a shared border goes to the first unit
        lost = np.flatnonzero(found < 0)
        if len(lost):
            found[lost] = tree.nearest(shapely.points(xy[lost]))
        return pd.Series(self.units.index.to_numpy()[found], index=points.index, name="unit", dtype=object)


def metric_crs(frame: gpd.GeoDataFrame | gpd.GeoSeries) -> CRS:
    """The metric CRS for a place: CGCS2000 3-degree zones in China, else the UTM zone of its centre.

    A 3-degree zone is chosen by the centre, so a city astride a zone border stays in one piece (Changchun: EPSG:4551,
    central meridian 126°E; UTM would split it).

    >>> from shapely import Point
    >>> metric_crs(gpd.GeoSeries([Point(125.32, 43.88)], crs="EPSG:4326")).to_epsg()
    4551
    >>> metric_crs(gpd.GeoSeries([Point(13.4, 52.5)], crs="EPSG:4326")).to_epsg()
    32633
    """
    west, south, east, north = frame.to_crs("EPSG:4326").total_bounds
    lon, lat = (west + east) / 2, (south + north) / 2
    if CHINA[0] <= lon <= CHINA[2] and CHINA[1] <= lat <= CHINA[3]:
        return CRS.from_epsg(4534 + int(np.clip(round((lon - 75) / 3), 0, 20)))
    return CRS.from_epsg((32600 if lat >= 0 else 32700) + int(np.clip((lon + 180) // 6 + 1, 1, 60)))
