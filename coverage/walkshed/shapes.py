"""How far one walks, for the eye: reached streets and the land around them. Nobody is counted by a shape."""

from collections.abc import Sequence
from dataclasses import replace
from itertools import pairwise
from typing import Literal, get_args

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
from numpy.typing import NDArray
from scipy.spatial import Voronoi

from walkshed._stretches import Sources, Stretches
from walkshed.anchors import Anchored, anchor, pointers
from walkshed.contracts import NM, FloatArray, IntArray, refuse
from walkshed.errors import Fault
from walkshed.network import Attachment, WalkNetwork
from walkshed.reach import reach

Split = Literal["overlap", "dissolve", "nearest"]
"""`overlap`: a shape for each site; `dissolve`: one for all; `nearest`: what each site is the nearest to, disjoint."""

HOLE_M2 = 10_000.0  # smaller holes are yards inside a block: one 100 m population cell


def reached_streets(
    network: WalkNetwork,
    sites: gpd.GeoDataFrame | Anchored,
    limits_m: float | Sequence[float],
    *,
    split: Split = "overlap",
    rings: bool = False,
) -> gpd.GeoDataFrame:
    """Streets within a walk of the sites, cut where the limit is met, to the nanometre along the street.

    The walk starts with the site's own way to its street, as in `reach`. A street more never takes one away, unless it
    comes so near a site that the site attaches to it instead.

    Parameters
    ----------
    sites : points in the network's CRS, or what `anchor` made of them
    limits_m : one or more limits, ascending; inclusive
    split : see `Split`; of sites equally near the first counts
    rings : from limit to limit; otherwise each limit from the door on

    Returns
    -------
    GeoDataFrame
        By site, then limit: `site_id` (not where dissolved), `from_m` (exclusive; 0 with no rings), `up_to_m`,
        `length_m` (of street, as the network has it), MultiLineString. What is empty is absent.

    Raises
    ------
    InputError
        Limits that do not ascend from above 0; a split that is not known.

    Examples
    --------
    >>> from walkshed.ways import Ways
    >>> street = gpd.GeoDataFrame(geometry=[shapely.LineString([(0, 0), (900, 0)])], crs="EPSG:4551")
    >>> site = gpd.GeoDataFrame(index=["L"], geometry=[shapely.Point(200, 100)], crs="EPSG:4551")
    >>> network = WalkNetwork.build(Ways.from_lines(street))
    >>> print(reached_streets(network, site, [200, 500])[["site_id", "up_to_m", "length_m"]].to_string(index=False))
    site_id  up_to_m  length_m
          L    200.0     200.0
          L    500.0     600.0
    """
    found = _streets(network, sites, _checked(limits_m, split), split, rings=rings)
    return found.drop(columns="site_id") if split == "dissolve" else found


def isodistance(
    network: WalkNetwork,
    sites: gpd.GeoDataFrame | Anchored,
    limits_m: float | Sequence[float],
    *,
    split: Split = "overlap",
    rings: bool = False,
    width_m: float = 50.0,
) -> gpd.GeoDataFrame:
    """Land along the streets within a walk of the sites: everything `width_m` from a reached street.

    A street more never makes the land smaller, as it would a concave hull (but for round ends, drawn to within 1 % of
    the width). Holes below `HOLE_M2` are filled. With `split` `nearest`, land is the site's whose street is nearest.

    Parameters
    ----------
    width_m : metres to either side and beyond the end; 50 m is half a population cell
    sites, limits_m, split, rings : as in `reached_streets`

    Returns
    -------
    GeoDataFrame
        As `reached_streets` gives, with `area_km2`, and Polygons or MultiPolygons.

    Raises
    ------
    InputError
        As `reached_streets` does.

    Examples
    --------
    >>> from walkshed.ways import Ways
    >>> street = gpd.GeoDataFrame(geometry=[shapely.LineString([(0, 0), (900, 0)])], crs="EPSG:4551")
    >>> site = gpd.GeoDataFrame(index=["L"], geometry=[shapely.Point(400, 0)], crs="EPSG:4551")
    >>> isodistance(WalkNetwork.build(Ways.from_lines(street)), site, 200).total_bounds.tolist()
    [150.0, -50.0, 650.0, 50.0]
    """
    limits = _checked(limits_m, split)
    table = _streets(network, sites, limits, split, rings=rings)
    whole = _streets(network, sites, limits, "overlap" if split == "overlap" else "dissolve", rings=False)
    grown = _filled(_beside(np.asarray(whole.geometry.array), width_m))
    land = pd.Series(grown, index=pd.MultiIndex.from_frame(whole[["site_id", "up_to_m"]]), dtype=object)
    owner = table["site_id"] if split == "overlap" else ""
    shapes = _at(land, owner, table["up_to_m"])
    if split == "nearest":
        shapes = shapely.intersection(shapes, _territories(table, width_m))
    if rings:
        shapes = shapely.difference(shapes, _at(land, owner, table["from_m"]))
    found = table.set_geometry(gpd.GeoSeries(shapes, index=table.index, crs=network.crs))
    found.insert(len(found.columns) - 1, "area_km2", found.area / 1e6)
    return found.drop(columns="site_id") if split == "dissolve" else found


def _checked(limits_m: float | Sequence[float], split: str) -> list[float]:
    limits = [float(limit) for limit in np.atleast_1d(np.asarray(limits_m, dtype=float))]
    ascend = bool(limits) and limits[0] > 0 and np.isfinite(limits[-1]) and all(a < b for a, b in pairwise(limits))
    known = get_args(Split)
    faults = [] if ascend else [Fault("shapes.limits", "limits_m", {"found": ", ".join(f"{m:g}" for m in limits)})]
    if split not in known:
        faults.append(Fault("shapes.split", "isodistance", {"split": split, "known": ", ".join(known)}))
    refuse(faults)
    return limits


def _streets(
    network: WalkNetwork, sites: gpd.GeoDataFrame | Anchored, limits_m: list[float], split: Split, *, rings: bool
) -> gpd.GeoDataFrame:
    """As `reached_streets`, with a `site_id` of '' where dissolved."""
    places = sites if isinstance(sites, Anchored) else anchor(network, sites)
    sources = _sources(network, places, limits_m[-1], split)
    upto = [sources.within(int(limit * NM)).union() for limit in limits_m]
    starts = [0.0] * len(limits_m)
    if rings:
        upto = [upto[0], *(outer.minus(inner) for inner, outer in pairwise(upto))]
        starts = [0.0, *limits_m[:-1]]
    ids = pd.Index([""]) if split == "dissolve" else places.ids
    found = [
        _rows(network, part, ids).assign(from_m=start, up_to_m=end)
        for part, start, end in zip(upto, starts, limits_m, strict=True)
    ]
    table = pd.concat(found).sort_values(["site", "up_to_m"], ignore_index=True)
    columns = ["site_id", "from_m", "up_to_m", "length_m", "geometry"]
    return gpd.GeoDataFrame(table[columns], geometry="geometry", crs=network.crs)


def _rows(network: WalkNetwork, part: Stretches, ids: pd.Index) -> pd.DataFrame:
    """One row per site with a stretch: its position, id, metres and lines."""
    site, row = np.unique(part.group, return_inverse=True)
    metres = np.bincount(row, part.end_nm - part.start_nm, minlength=len(site)) / NM
    lines = shapely.multilinestrings(part.lines(network), indices=row) if len(row) else np.empty(0, dtype=object)
    return pd.DataFrame({"site": site, "site_id": ids.to_numpy()[site], "length_m": metres, "geometry": lines})


def _sources(network: WalkNetwork, places: Anchored, limit_m: float, split: Split) -> Sources:
    """Every way onto every edge: by the junctions at its ends, or at the foot of a site that stands on it."""
    walks = reach(network, _junctions(network), places, limit_m=limit_m)
    site = np.repeat(np.arange(len(places.ids)), np.diff(walks.ptr))
    junction, away_nm = walks.demand.astype(np.int64), np.rint(walks.distance_m * NM).astype(np.int64)
    if split != "overlap":
        order = np.lexsort((site, away_nm, junction))
        first = order[np.flatnonzero(np.diff(junction[order], prepend=-1))]
        site, junction, away_nm = site[first], junction[first], away_nm[first]
    walk, edge, at_nm = _edges_at(network, junction)
    feet = np.flatnonzero(places.at.edge >= 0)
    at_foot = places.at.take(feet)
    edges = np.concatenate([edge, at_foot.edge]).astype(np.int64)
    sources = Sources(
        site=np.concatenate([site[walk], feet]),
        edge=edges,
        at_nm=np.concatenate([at_nm, at_foot.from_nm]),
        away_nm=np.concatenate([away_nm[walk], at_foot.access_nm]),
        low_nm=np.zeros(len(edges), np.int64),
        high_nm=network.edge_nm[edges],
    )
    if split == "dissolve":
        return replace(sources, site=np.zeros_like(sources.site))
    return sources.nearest() if split == "nearest" else sources


def _edges_at(network: WalkNetwork, junction: IntArray) -> tuple[IntArray, IntArray, IntArray]:
    """Every edge that begins or ends at each junction: (position in `junction`, edge, nanometres along it)."""
    ends = np.concatenate([network.edge_from, network.edge_to])
    order = np.argsort(ends, kind="stable")
    ptr = pointers(np.bincount(ends, minlength=len(network.xy)))
    degree = np.diff(ptr)[junction]
    walk = np.repeat(np.arange(len(junction)), degree)
    end = order[np.repeat(ptr[junction] - np.cumsum(degree) + degree, degree) + np.arange(len(walk))]
    edge = end % len(network.edge_nm)
    return walk, edge, np.where(end >= len(network.edge_nm), network.edge_nm[edge], 0)


def _junctions(network: WalkNetwork) -> Anchored:
    """Every junction as a point that stands at an end of one of its streets."""
    m, n = len(network.edge_nm), len(network.xy)
    edge, at_end = np.zeros(n, np.int64), np.zeros(n, dtype=bool)
    for ends, side in ((network.edge_from, False), (network.edge_to, True)):
        edge[ends], at_end[ends] = np.arange(m), side
    long_nm = network.edge_nm[edge]
    from_nm = np.where(at_end, long_nm, 0)
    at = Attachment(edge.astype(np.int32), from_nm, long_nm - from_nm, np.zeros(n, np.int64))
    return Anchored(network, pd.RangeIndex(n), at)


def _at(land: pd.Series, owner: pd.Series | str, limit_m: pd.Series) -> NDArray[np.object_]:
    """Land of each row's owner within each row's limit; empty where there is none."""
    wanted = pd.MultiIndex.from_frame(pd.DataFrame({"site_id": owner, "up_to_m": limit_m}))
    at = land.index.get_indexer(wanted)
    known = np.array([*land, shapely.Polygon()], dtype=object)
    return known[at]  # -1 is the empty one


def _beside(lines: NDArray[np.object_], width_m: float) -> NDArray[np.object_]:
    """Land within a width of each MultiLineString: its parts one by one, then united; that takes a quarter the time."""
    parts, row = shapely.get_parts(lines, return_index=True)
    strips = np.split(shapely.buffer(parts, width_m), np.flatnonzero(np.diff(row)) + 1)
    land = np.empty(len(lines), dtype=object)
    land[:] = [shapely.union_all(own) for own in strips] if len(lines) else []
    return land


def _filled(land: NDArray[np.object_]) -> NDArray[np.object_]:
    """MultiPolygons without their small holes."""
    if not len(land):
        return land
    parts, row = shapely.get_parts(land, return_index=True)
    rings, part = shapely.get_rings(parts, return_index=True)
    keep = (np.diff(part, prepend=-1) != 0) | (shapely.area(shapely.polygons(rings)) >= HOLE_M2)
    solid = shapely.multipolygons(shapely.polygons(rings[keep], indices=part[keep]), indices=row)
    broken = ~shapely.is_valid(solid)  # land that stood inside a filled hole
    solid[broken] = shapely.make_valid(solid[broken], method="structure")
    return np.asarray(solid, dtype=object)


def _territories(streets: gpd.GeoDataFrame, width_m: float) -> NDArray[np.object_]:
    """For each row the land nearer to its site's streets than to any other's: Voronoi cells of points along them."""
    if streets.empty:
        return np.empty(0, dtype=object)
    parts, row = shapely.get_parts(streets.geometry.array, return_index=True)
    xy, part = shapely.get_coordinates(shapely.segmentize(parts, width_m), return_index=True)
    pair = np.flatnonzero(part[:-1] == part[1:])
    middle, first = np.unique(np.round((xy[pair] + xy[pair + 1]) / 2, 3), axis=0, return_index=True)
    site = streets["site_id"].to_numpy()[row[part[pair[first]]]]
    everywhere = streets.total_bounds + np.array([-2, -2, 2, 2]) * width_m
    own = gpd.GeoDataFrame({"site_id": site}, geometry=_cells(middle, everywhere)).dissolve("site_id").geometry
    return np.asarray(own.loc[streets["site_id"]].array, dtype=object)


def _cells(xy: FloatArray, within: FloatArray) -> NDArray[np.object_]:
    """Voronoi cell of each point, closed by corners far outside `within`."""
    west, south, east, north = within
    far = 10 * np.hypot(east - west, north - south)
    corners = np.array([(x, y) for x in (west - far, east + far) for y in (south - far, north + far)])
    found = Voronoi(np.concatenate([xy, corners]))
    regions = [found.regions[found.point_region[i]] for i in range(len(xy))]
    cell = np.repeat(np.arange(len(xy)), [len(region) for region in regions])
    vertex = found.vertices[np.concatenate(regions)]
    angle = np.arctan2(*(vertex - xy[cell]).T[::-1])  # a cell is convex: its vertices stand around the point in order
    order = np.lexsort((angle, cell))
    return np.asarray(shapely.polygons(shapely.linearrings(vertex[order], indices=cell[order])), dtype=object)
