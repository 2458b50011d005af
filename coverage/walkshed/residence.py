"""Where people can live: residential land and floor area as polygons with a weight per square metre."""

from dataclasses import dataclass

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
from pyproj import CRS

from walkshed.contracts import BoolArray, FloatArray, IntArray, refuse
from walkshed.errors import Fault
from walkshed.lattice import GeometryArray

DEFAULT_LEVELS = 6.0
"""Storeys of a building that does not say: the usual walk-up (GB 50096-2011 §6.4.1 asks for lifts from the seventh)."""

PLOT_RATIO = 1.5
"""Floor area per m2 of residential land whose buildings are not mapped (GB 50180-2018 table 4.0.2, multi-storey blocks
in climate zone I: 1.1 to 1.7; from memory)."""

MAPPED_SHARE = 0.05
"""Land less built over than this has no mapped buildings to speak of (the same table allows 20 to 35 %)."""

HIGHEST = 200  # storeys: more is a slip of the pen, and counts as unknown


@dataclass(frozen=True)
class Weights:
    """What tells where in a unit people live. All in any CRS, but with one.

    land : GeoSeries of residential polygons.
    buildings : GeoDataFrame of footprints; optional `levels` (storeys) and `residential` (bool).
    water : GeoSeries of polygons where nobody lives; used only where a unit has no residential land at all.
    extent : GeoSeries of the polygons within which `land` and `buildings` are complete; left out: only inside the clip.

    Land alone weighs by its area, buildings alone by floor area (footprint x levels). With both, buildings count on
    residential land or where `residential` is true, and land without mapped buildings as `PLOT_RATIO` floors.
    """

    land: gpd.GeoSeries | None = None
    buildings: gpd.GeoDataFrame | None = None
    water: gpd.GeoSeries | None = None
    extent: gpd.GeoSeries | None = None

    def told(self) -> bool:
        """Whether there is anything to weigh by."""
        return any(layer is not None and len(layer) > 0 for layer in (self.land, self.buildings))


@dataclass(frozen=True)
class Weighted:
    """Polygons and what a square metre of each weighs."""

    shapes: GeometryArray
    per_m2: FloatArray

    def within(self, zones: GeometryArray) -> tuple["Weighted", IntArray]:
        """Cut by zones: the pieces, and the zone each lies in."""
        which, zone, shapes = overlay(self.shapes, zones)
        return Weighted(shapes, self.per_m2[which]), zone

    def sums(self, zone: IntArray, count: int) -> FloatArray:
        """Weight per zone."""
        weight = np.bincount(zone, shapely.area(self.shapes) * self.per_m2, minlength=count)
        return weight.astype(np.float64)


def weigh(weights: Weights, crs: CRS) -> Weighted:
    """Turn residential land and buildings into weighted polygons in `crs`; overlapping land counts once.

    Raises
    ------
    InputError
        If a layer has no CRS.
    """
    layers = {"land": weights.land, "buildings": weights.buildings, "water": weights.water, "extent": weights.extent}
    refuse(Fault("table.no_crs", name) for name, layer in layers.items() if layer is not None and layer.crs is None)
    land = polygons(weights.land, crs)
    if weights.buildings is None or weights.buildings.empty:
        whole = _parts(shapely.union_all(land))
        return Weighted(whole, np.ones(len(whole)))
    homes, floors, flagged = _buildings(weights.buildings, crs)
    if not len(land):
        return Weighted(homes, floors)
    mapped, on_land = _mapped(land, homes)
    rest = shapely.union_all(land[~mapped])
    if mapped.any():
        rest = shapely.difference(rest, shapely.union_all(land[mapped]))
    empty_land = _parts(rest)
    live = on_land | flagged
    return Weighted(
        np.concatenate([empty_land, homes[live]]),
        np.concatenate([np.full(len(empty_land), PLOT_RATIO), floors[live]]),
    )


def polygons(layer: gpd.GeoSeries | gpd.GeoDataFrame | None, crs: CRS) -> GeometryArray:
    """Valid polygons of a layer in `crs`; what is not a polygon is left out.

    >>> line = shapely.LineString([(0, 0), (1, 1)])
    >>> len(polygons(gpd.GeoSeries([line, line.buffer(1)], crs="EPSG:4551"), CRS.from_epsg(4551)))
    1
    """
    if layer is None or not len(layer):
        return np.empty(0, dtype=object)
    shapes = np.asarray(layer.geometry.to_crs(crs).array, dtype=object)
    shapes = shapes[np.isin(shapely.get_type_id(shapes), (3, 6)) & ~shapely.is_empty(shapes)]
    broken = ~shapely.is_valid(shapes)
    shapes[broken] = shapely.make_valid(shapes[broken], method="structure", keep_collapsed=False)
    return shapes


def overlay(shapes: GeometryArray, zones: GeometryArray) -> tuple[IntArray, IntArray, GeometryArray]:
    """Every piece of a shape in a zone: position of the shape, position of the zone, the piece; no empty ones.

    >>> shape, zone, piece = overlay(np.array([shapely.box(0, 0, 4, 1)]), np.array([shapely.box(1, 0, 2, 1)]))
    >>> shape.tolist(), zone.tolist(), piece[0].area
    ([0], [0], 1.0)
    """
    zones = np.asarray(zones, dtype=object)
    pair = shapely.STRtree(shapes).query(zones, predicate="intersects")
    zone, shape = pair[:, np.lexsort((pair[0], pair[1]))]
    pieces = shapes[shape]
    shapely.prepare(zones)
    cross = ~shapely.contains_properly(zones[zone], pieces)
    pieces[cross] = shapely.intersection(pieces[cross], zones[zone[cross]])
    keep = shapely.area(pieces) > 0
    return shape[keep], zone[keep], pieces[keep]


def _parts(shape: shapely.Geometry) -> GeometryArray:
    parts = shapely.get_parts(shape)
    return parts[shapely.area(parts) > 0]


def _buildings(buildings: gpd.GeoDataFrame, crs: CRS) -> tuple[GeometryArray, FloatArray, BoolArray]:
    """Footprints, floors (`DEFAULT_LEVELS` where unknown) and whether each is marked as residential."""
    kept = buildings[buildings.geometry.geom_type.isin(["Polygon", "MultiPolygon"]) & ~buildings.geometry.is_empty]
    levels = pd.Series(np.nan, index=kept.index)
    if "levels" in kept:
        levels = pd.to_numeric(kept["levels"], errors="coerce")
    floors = levels.where((levels > 0) & (levels <= HIGHEST)).fillna(DEFAULT_LEVELS).to_numpy(dtype=float)
    flagged = (
        kept["residential"].fillna(0).astype(bool).to_numpy()
        if "residential" in kept
        else np.zeros(len(kept), dtype=bool)
    )
    return polygons(kept.geometry, crs), np.asarray(floors, dtype=np.float64), np.asarray(flagged, dtype=np.bool_)


def _mapped(land: GeometryArray, homes: GeometryArray) -> tuple[BoolArray, BoolArray]:
    """Whether each parcel has its buildings mapped; whether each building stands on such a parcel."""
    home, parcel = shapely.STRtree(land).query(shapely.point_on_surface(homes), predicate="intersects")
    built = np.bincount(parcel, shapely.area(homes)[home], minlength=len(land))
    mapped = built >= MAPPED_SHARE * shapely.area(land)
    on_land = np.zeros(len(homes), dtype=bool)
    on_land[home[mapped[parcel]]] = True
    return mapped, on_land
