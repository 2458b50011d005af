"""Streets that are not an OpenStreetMap extract: lines (Geofabrik's schema or any other) and osmnx graphs."""

from pathlib import Path

import geopandas as gpd
import numpy as np
import pandas as pd
import pyogrio
import shapely
from numpy.typing import NDArray
from pyproj import CRS, Transformer

from walkshed.contracts import BoolArray, FloatArray, IntArray, check_metric, refuse, row_numbers
from walkshed.errors import Fault, InputError, MissingInputError
from walkshed.graphs import ways_of
from walkshed.sources.osm_raw import Bbox
from walkshed.walkable import walk_filter
from walkshed.ways import Ways

_YES = ("T", "t", "1", "yes", "true", "True")


def read_lines(path: Path, crs: object, *, bbox: Bbox | None = None) -> tuple[Ways, tuple[Fault, ...]]:
    """Read a file of street lines (.geojson, .shp, .gpkg, ...); also what is to be told of it.

    With Geofabrik's column `fclass` the walk filter applies; without it every line is taken as walkable, and that is
    told. Lines join where they share an exact vertex. Where inner vertices of lines of different `layer` fall on one
    point, one passes over the other: they do not join.

    `bbox` in degrees of WGS-84 leaves out lines that do not touch it.

    Raises
    ------
    InputError
        If the file is not one of lines, states no CRS, is empty, or no line of it can be walked or lies in `bbox`.
    MissingInputError
        If there is no such file.
    """
    return from_lines(_lines_of(path), crs, bbox=bbox, where=path.name)


def from_lines(
    lines: gpd.GeoDataFrame, crs: object, *, bbox: Bbox | None = None, where: str = "streets"
) -> tuple[Ways, tuple[Fault, ...]]:
    """Streets from a table of lines, as `read_lines` takes them.

    >>> road = shapely.LineString([(125.30, 43.88), (125.31, 43.88)])
    >>> table = gpd.GeoDataFrame({"fclass": ["footway"], "name": ["同志街"]}, geometry=[road], crs="EPSG:4326")
    >>> ways, told = from_lines(table, "EPSG:4551")
    >>> ways.frame[["name", "level"]].to_dict("records"), told
    ([{'name': '同志街', 'level': 'path'}], ())
    """
    metric = check_metric(crs, "crs")
    refuse(_faults(lines, where))
    told = () if "fclass" in lines else (Fault("streets.no_class", where, {"n": len(lines)}),)
    parts = lines.explode(ignore_index=True)
    level = _levels(parts)
    if not (level != "").any():
        raise InputError(Fault("streets.none_walkable", where, {"n": len(lines)}))
    inside = _inside(parts, bbox)
    if not (inside & (level != "")).any():
        raise InputError(_none_in_area(parts, bbox, where))
    kept = inside & (level != "")
    return _ways(parts[kept], level[kept], metric), told


def _lines_of(path: Path) -> gpd.GeoDataFrame:
    if not path.is_file():
        raise MissingInputError(Fault("streets.missing", path.name))
    try:
        found = pyogrio.read_dataframe(path)
    except (pyogrio.errors.DataSourceError, pyogrio.errors.DataLayerError, UnicodeDecodeError, ValueError) as error:
        raise InputError(Fault("streets.unreadable", path.name, {"problem": str(error).splitlines()[0]})) from None
    if not isinstance(found, gpd.GeoDataFrame):
        raise InputError(Fault("streets.not_lines", path.name, {"rows": "1", "example": "-"}))
    return found


def _faults(lines: gpd.GeoDataFrame, where: str) -> list[Fault]:
    if lines.empty:
        return [Fault("table.no_rows", where)]
    kinds = lines.geometry.geom_type
    wrong = ~kinds.isin(["LineString", "MultiLineString"]).to_numpy()
    faults = [Fault("table.no_crs", where)] if lines.crs is None else []
    if wrong.any():
        example = str(kinds.iloc[int(np.argmax(wrong))])
        faults += [Fault("streets.not_lines", where, {"rows": row_numbers(wrong), "example": example})]
    return faults


def _levels(lines: gpd.GeoDataFrame) -> NDArray[np.object_]:
    """Level of each line; '' where it cannot be walked."""
    if "fclass" not in lines:
        return np.full(len(lines), "street", dtype=object)
    level = {fclass: walk_filter().level_of_class(str(fclass)) for fclass in lines["fclass"].unique()}
    found: NDArray[np.object_] = lines["fclass"].map(level).to_numpy(dtype=object)
    return found


def _inside(lines: gpd.GeoDataFrame, bbox: Bbox | None) -> BoolArray:
    if bbox is None:
        return np.ones(len(lines), dtype=bool)
    west, south, east, north = lines.to_crs("EPSG:4326").bounds.to_numpy().T
    met: BoolArray = (east >= bbox[0]) & (west <= bbox[2]) & (north >= bbox[1]) & (south <= bbox[3])
    return met


def _none_in_area(lines: gpd.GeoDataFrame, bbox: Bbox | None, where: str) -> Fault:
    extent = lines.to_crs("EPSG:4326").total_bounds
    area, found = (", ".join(f"{side:.3f}" for side in box) for box in (bbox or extent, extent))
    return Fault("osm.none_in_area", where, {"area": area, "found": found})


def _ways(lines: gpd.GeoDataFrame, level: NDArray[np.object_], crs: CRS) -> Ways:
    xy, row = shapely.get_coordinates(lines.geometry.array, return_index=True)
    ptr = np.concatenate([[0], np.cumsum(np.bincount(row, minlength=len(lines)))]).astype(np.int64)
    layer = pd.to_numeric(_column(lines, "layer", 0), errors="coerce").fillna(0).to_numpy(dtype=np.int64)
    frame = pd.DataFrame(
        {
            "name": _column(lines, "name", "").fillna("").astype(str).str.strip().to_numpy(dtype=object),
            "level": level,
            "bridge": _column(lines, "bridge", "F").astype(str).isin(_YES).to_numpy(),
            "tunnel": _column(lines, "tunnel", "F").astype(str).isin(_YES).to_numpy(),
        }
    )
    return Ways(crs, ptr, _joins(xy, ptr, layer[row]), _project(xy, lines.crs, crs), frame)


def _column(lines: gpd.GeoDataFrame, name: str, default: object) -> pd.Series:
    return lines[name] if name in lines else pd.Series(default, index=lines.index)


def _joins(xy: FloatArray, ptr: IntArray, layer: IntArray) -> IntArray:
    """Key of the place of each vertex: lines join there, except inner vertices of different layers.

    Compared before projecting: what is one point in the file must stay one point. A line that ends at a point (stairs
    up to a bridge) joins all layers there, since nothing else than a join would make lines end in one point.
    """
    _, place = np.unique(xy, axis=0, return_inverse=True)
    place = place.ravel()
    is_end = np.zeros(len(xy), dtype=bool)
    is_end[ptr[:-1]] = is_end[ptr[1:] - 1] = True
    ends_here = np.bincount(place, weights=is_end) > 0
    apart = np.where(ends_here[place], 0, layer)
    _, key = np.unique(np.column_stack([place, apart]), axis=0, return_inverse=True)
    return key.ravel().astype(np.int64)


def _project(xy: FloatArray, source: object, target: CRS) -> FloatArray:
    to_metres = Transformer.from_crs(source, target, always_xy=True)
    return np.column_stack(to_metres.transform(xy[:, 0], xy[:, 1]))


def read_graphml(path: Path, crs: object, *, bbox: Bbox | None = None) -> tuple[Ways, tuple[Fault, ...]]:
    """Read a graph that osmnx saved, as it is: no walk filter on top, and whole whatever `bbox` is.

    Raises
    ------
    InputError
        If it is not an osmnx graph, states no CRS, or has no edge.
    MissingInputError
        If there is no such file.
    """
    del bbox  # what lies beyond still leads back in
    if not path.is_file():
        raise MissingInputError(Fault("streets.missing", path.name))
    import osmnx  # noqa: PLC0415 - takes 7 s to import, and only this needs it

    try:
        graph = osmnx.load_graphml(path)
    except Exception as error:  # noqa: BLE001 - XML, networkx and conversions of values each fail in their own ways
        raise InputError(
            Fault("streets.not_graph", path.name, {"problem": f"{type(error).__name__}: {error}"})
        ) from None
    return ways_of(graph, crs, where=path.name), ()
