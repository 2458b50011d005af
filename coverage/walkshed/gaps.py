"""Who is left out, and where they live together."""

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
from numpy.typing import NDArray
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from walkshed.area import Area
from walkshed.contracts import FloatArray, IntArray
from walkshed.network import WalkNetwork

GRAIN_M = 100.0
"""Side of the squares gaps are made of: the usual population cell."""

NEAR_NAME_M = 1_500.0  # a place or street farther than this would name a gap wrongly


def find_gaps(
    demand: gpd.GeoDataFrame,
    unserved: FloatArray,
    *,
    area: Area,
    network: WalkNetwork,
    places: gpd.GeoDataFrame,
    limit_m: float,
    grain_m: float = GRAIN_M,
) -> gpd.GeoDataFrame:
    """Group unserved people where they live together: squares that touch, in one unit, no wider than two limits.

    What is wider is halved across its longer side at the median person, until a site in its middle could serve it.

    Parameters
    ----------
    demand : points with `unit` and `nearest_m`, in the area's CRS
    unserved : float64 (demand,); people of each point without service
    places : points with `name`, to call a gap by
    limit_m : the walking limit

    Returns
    -------
    GeoDataFrame
        Index `g1`, `g2`, … by people, most first; `name`, `unit`, `people`, `area_km2`, `nearest_m` (mean walk of its
        people to the nearest outlet, over those who have a way; NaN if nobody has), `near` (street in its middle);
        disjoint polygons. The people add up to all the unserved.

    Examples
    --------
    >>> from shapely import LineString, Point, box
    >>> from walkshed.ways import Ways
    >>> town = gpd.GeoDataFrame({"label": ["东区"]}, index=["e"], geometry=[box(0, 0, 900, 900)], crs="EPSG:4551")
    >>> street = gpd.GeoDataFrame(geometry=[LineString([(0, 50), (900, 50)])], crs="EPSG:4551")
    >>> at = [Point(10, 60), Point(90, 60), Point(800, 60)]
    >>> homes = gpd.GeoDataFrame({"unit": "e", "nearest_m": [600.0, 700.0, 9.0]}, geometry=at, crs="EPSG:4551")
    >>> nowhere = gpd.GeoDataFrame({"name": []}, geometry=gpd.GeoSeries([], crs="EPSG:4551"))
    >>> gaps = find_gaps(
    ...     homes, np.array([30.0, 10.0, 0.0]), area=Area(town), network=WalkNetwork.build(Ways.from_lines(street)),
    ...     places=nowhere, limit_m=300,
    ... )
    >>> gaps[["unit", "people", "nearest_m"]].to_dict("index")
    {'g1': {'unit': 'e', 'people': 40.0, 'nearest_m': 625.0}}
    """
    left = np.flatnonzero(unserved > 0)
    xy = shapely.get_coordinates(demand.geometry.array[left])
    homes = demand.iloc[left][["unit", "nearest_m"]].assign(x=xy[:, 0], y=xy[:, 1], people=unserved[left])
    homes[["col", "row"]] = np.floor(xy / grain_m).astype(np.int64)
    squares = _squares(homes)
    squares["gap"] = _halved(squares, _touching(squares), widest=max(2 * limit_m / grain_m, 2.0))
    homes = homes.merge(squares[["col", "row", "gap"]], on=["col", "row"], how="left")
    table = _sums(homes).join(squares.groupby("gap")["unit"].first())
    table["geometry"] = _outlines(squares, grain_m, area)
    table = table.sort_values(["people", "x", "y"], ascending=[False, True, True])
    table.index = pd.Index([f"g{i}" for i in range(1, len(table) + 1)], name="gap_id")
    gaps = gpd.GeoDataFrame(table, geometry="geometry", crs=area.crs)
    middle = gpd.GeoSeries(gpd.points_from_xy(gaps["x"], gaps["y"]), index=gaps.index, crs=area.crs)
    gaps["near"] = nearest_street(network, middle)
    gaps["name"] = _names(middle, places, gaps["near"], gaps["unit"].map(area.units["label"]))
    gaps["area_km2"] = gaps.area / 1e6
    return gaps[["name", "unit", "people", "area_km2", "nearest_m", "near", "geometry"]]


def nearest_street(network: WalkNetwork, points: gpd.GeoSeries) -> pd.Series:
    """Name of the nearest street that has one, index-aligned; '' where none is near."""
    named = np.flatnonzero((network.edge_name > 0) & ~network.on_island)
    lines = gpd.GeoSeries(network.lines[named])
    return _nearest_name(points, lines, np.array(network.names, dtype=object)[network.edge_name[named]])


def _squares(homes: pd.DataFrame) -> pd.DataFrame:
    """One row per square with somebody in it: `col`, `row`, `people` and the `unit` most of them belong to."""
    by_unit = pd.DataFrame(homes.groupby(["col", "row", "unit"])["people"].sum()).reset_index()
    order = np.lexsort((by_unit["unit"], -by_unit["people"], by_unit["row"], by_unit["col"]))
    first = by_unit.iloc[order]
    total = by_unit.groupby(["col", "row"])["people"].sum()
    squares = first.drop_duplicates(["col", "row"]).reset_index(drop=True)
    return squares.assign(people=total.to_numpy())


def _touching(squares: pd.DataFrame) -> IntArray:
    """Label of each square: those that touch, corners too, and lie in one unit have the same."""
    unit = pd.Categorical(squares["unit"]).codes
    col, row = (squares[c].to_numpy() - squares[c].min() + 1 for c in ("col", "row"))
    width = int(row.max(initial=0)) + 2
    key = col * width + row  # ascending: squares are sorted by column, then row
    pairs = []
    for step in (1, width - 1, width, width + 1):
        at = np.searchsorted(key, key + step)
        at[at == len(key)] = 0
        touch = np.flatnonzero((key[at] == key + step) & (unit[at] == unit))
        pairs.append((touch, at[touch]))
    a, b = (np.concatenate(ends) for ends in zip(*pairs, strict=True))
    graph = coo_array((np.ones(len(a), np.int8), (a, b)), shape=(len(key), len(key)))
    label = connected_components(graph, directed=False)[1]
    return np.asarray(label, dtype=np.int64)


def _halved(squares: pd.DataFrame, label: IntArray, *, widest: float) -> IntArray:
    """Halve every group wider than `widest` squares across its longer side, at the median person, until none is."""
    at = squares[["col", "row"]].to_numpy()
    people = squares["people"].to_numpy()
    while True:
        low, high = (_by_label(f, at, label, fill) for f, fill in ((np.minimum, 2**62), (np.maximum, -(2**62))))
        extent = high - low + 1
        wide = np.flatnonzero((extent.max(axis=1) > widest)[label])
        if not len(wide):
            return label
        along = at[wide, extent.argmax(axis=1)[label[wide]]]
        order = np.lexsort((along, label[wide]))
        group, along, wide = label[wide][order], along[order], wide[order]
        beyond = along > _median_of(group, along, people[wide])[group]
        label = label.copy()
        label[wide[beyond]] += label.max() + 1
        label = np.unique(label, return_inverse=True)[1]


def _by_label(function: np.ufunc, values: IntArray, label: IntArray, fill: int) -> IntArray:
    result = np.full((label.max(initial=-1) + 1, values.shape[1]), fill, np.int64)
    function.at(result, label, values)
    return result


def _median_of(group: IntArray, along: IntArray, people: FloatArray) -> IntArray:
    """Where along its side each group has half its people; below the far end, so that both halves have somebody."""
    upto = np.cumsum(people)
    first = np.flatnonzero(np.diff(group, prepend=-1))
    before = np.concatenate([[0.0], upto[first[1:] - 1]])
    last = np.append(first[1:], len(group)) - 1
    middle = np.searchsorted(upto, (before + upto[last]) / 2)
    median = np.full(group.max() + 1, 0, np.int64)
    median[group[first]] = np.minimum(along[np.clip(middle, first, last)], along[last] - 1)
    return median


def _sums(homes: pd.DataFrame) -> pd.DataFrame:
    """Per gap: people, the point in the middle of them, and their mean walk."""
    weighed = (
        homes[["x", "y", "nearest_m"]]
        .mul(homes["people"], axis=0)
        .assign(
            people=homes["people"], with_way=homes["people"].where(homes["nearest_m"].notna(), 0.0), gap=homes["gap"]
        )
    )
    total = weighed.groupby("gap").sum()
    total["nearest_m"] = total["nearest_m"].where(total["with_way"] > 0) / total["with_way"].where(
        total["with_way"] > 0
    )
    total[["x", "y"]] = total[["x", "y"]].div(total["people"], axis=0)
    return total.drop(columns="with_way")


def _outlines(squares: pd.DataFrame, grain_m: float, area: Area) -> gpd.GeoSeries:
    """Outline of each gap; squares share edges only, so the union of a gap is a coverage union."""
    x, y = (squares[c].to_numpy() * grain_m for c in ("col", "row"))
    boxes = gpd.GeoDataFrame(squares[["gap"]], geometry=shapely.box(x, y, x + grain_m, y + grain_m), crs=area.crs)
    return boxes.dissolve("gap", method="coverage").geometry if len(boxes) else boxes.geometry


def _names(middle: gpd.GeoSeries, places: gpd.GeoDataFrame, near: pd.Series, unit: pd.Series) -> pd.Series:
    """What a local would call each gap: the nearest named place, else street, else unit; told apart by street."""
    named = places[places["name"].fillna("") != ""]
    place = _nearest_name(middle, named.geometry.reset_index(drop=True), named["name"].to_numpy(dtype=object))
    name = place.where(place != "", near.where(near != "", unit))
    again = name.duplicated(keep=False) & (near != "") & (near != name)
    return name.where(~again, name + "（" + near + "）")


def _nearest_name(points: gpd.GeoSeries, shapes: gpd.GeoSeries, names: NDArray[np.object_]) -> pd.Series:
    found = np.full(len(points), "", dtype=object)
    if len(shapes) and len(points):
        point, shape = shapely.STRtree(shapes.array).query_nearest(points.array, max_distance=NEAR_NAME_M)
        found[point[::-1]] = names[shape[::-1]]
    return pd.Series(found, index=points.index, dtype=object)
