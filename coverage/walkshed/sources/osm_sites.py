"""Outlets and candidate places among what an OpenStreetMap file holds."""

from collections.abc import Mapping

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from walkshed.contracts import BoolArray
from walkshed.errors import Fault
from walkshed.sources.osm_raw import Bbox, Kept, name_of
from walkshed.sources.osm_tables import Found, ObjectArray
from walkshed.supply import Kind, kind_finder, merge_near
from walkshed.ways import Ways
from walkshed.words import Lang, say

SAME_M = 150.0  # one place drawn as a point and as an area: a station's two ends are this far apart
SAME_OUTLET_M = 60.0  # two outlets of one kind so close are one
LOCAL_RANK = 4  # places from the quarter down
LISTED = 8  # names in a note
NAMING_M = 500.0  # a street or place farther than this does not help to find a site


def sites(
    found: Found,
    among: Mapping[str, Kind],
    ways: Ways,
    places: gpd.GeoDataFrame,
    *,
    lang: Lang,
    where: str,
    bbox: Bbox | None = None,
) -> tuple[gpd.GeoDataFrame, tuple[Fault, ...]]:
    """All outlets and candidates by kind, areas as a point inside them; and what is to be told of them."""
    rows = pd.concat([found.areas, found.points]) if len(found.areas) else found.points
    kind_of = kind_finder(among)
    kind = np.array([kind_of(tags) for tags in rows["tags"]], dtype=object)
    large = _large_enough(rows, kind, among)
    rows, kind = rows[(kind != "") & large], kind[(kind != "") & large]
    table = gpd.GeoDataFrame(
        {
            "name": [name_of(tags) for tags in rows["tags"]],
            "kind": kind,
            "status": [among[key].status(tags) for key, tags in zip(kind, rows["tags"], strict=True)],
            "address": [_address(tags) for tags in rows["tags"]],
        },
        geometry=rows.geometry.representative_point().array,
        index=rows.index,
        crs=rows.crs,
    )
    table = table[_in_box(table, bbox)].copy()
    table.loc[_shut_in(table, among, found), "status"] = "closed"
    table = merge_near(_named(table, among, ways, places, lang), SAME_M)
    table = _once(table)
    return table, _notes(table, where)


def _in_box(table: gpd.GeoDataFrame, bbox: Bbox | None) -> BoolArray:
    """A park astride the edge is in by its point alone."""
    if bbox is None:
        return np.ones(len(table), dtype=bool)
    inside: BoolArray = table.to_crs("EPSG:4326").within(shapely.box(*bbox)).to_numpy()
    return inside


def _large_enough(rows: gpd.GeoDataFrame, kind: ObjectArray, among: Mapping[str, Kind]) -> BoolArray:
    least = np.array([among[key].min_area_m2 if key else 0.0 for key in kind.tolist()])
    is_area = rows.geometry.geom_type.to_numpy() != "Point"
    enough: BoolArray = ~is_area | (rows.area.to_numpy() >= least)
    return enough


def _shut_in(table: gpd.GeoDataFrame, among: Mapping[str, Kind], found: Found) -> BoolArray:
    """Sites inside areas that keep the public out, such as libraries on a campus."""
    shut = np.zeros(len(table), dtype=bool)
    for key in sorted(set(table["kind"])):
        if among[key].not_public_inside:
            grounds = shapely.STRtree(found.areas_where(*among[key].not_public_inside).geometry.array)
            inside, _ = grounds.query(table.geometry.array, predicate="intersects")
            shut[inside] |= (table["kind"] == key).to_numpy()[inside]
    return shut


def _once(table: gpd.GeoDataFrame) -> gpd.GeoDataFrame:
    """One outlet for one that is drawn twice under two names (省图书馆, 黑龙江省图书馆)."""
    again = table.index.difference(merge_near(table, SAME_OUTLET_M, same_name=False).index)
    return table.drop(again[(table.loc[again, "status"] == "open").to_numpy()])


def _address(tags: Kept) -> str:
    return " ".join(tags[key] for key in ("addr:street", "addr:housenumber") if key in tags)


def _named(
    table: gpd.GeoDataFrame, among: Mapping[str, Kind], ways: Ways, places: gpd.GeoDataFrame, lang: Lang
) -> gpd.GeoDataFrame:
    """Give every site a name a local would find it by: its own, or its kind near the nearest street or place."""
    nameless = (table["name"] == "").to_numpy()
    near = _nearest_names(np.asarray(table.geometry.array[nameless]), ways, places)
    called = [among[key].zh if lang == "zh" else among[key].en for key in table["kind"][nameless]]
    names = table["name"].to_numpy(dtype=object, copy=True)
    names[nameless] = [
        say("osm.near", lang, near=at, kind=kind) if at else say("osm.nameless", lang, kind=kind)
        for at, kind in zip(near, called, strict=True)
    ]
    return table.assign(name=names)


def _nearest_names(points: ObjectArray, ways: Ways, places: gpd.GeoDataFrame) -> list[str]:
    """Name of the nearest named street or place within `NAMING_M` of each point; '' if there is none."""
    row = np.repeat(np.arange(len(ways.frame)), np.diff(ways.ptr))
    has_name = (ways.frame["name"] != "").to_numpy()
    named = has_name[row]
    streets = np.empty(int(has_name.sum()), dtype=object)
    shapely.linestrings(ways.xy[named], indices=(np.cumsum(has_name) - 1)[row[named]], out=streets)
    small = places[places["rank"] >= LOCAL_RANK]  # a district's label stands far from most of it
    names = np.concatenate([ways.frame["name"].to_numpy()[has_name], small["name"].to_numpy()])
    tree = shapely.STRtree(np.concatenate([streets, np.asarray(small.geometry.array)]))
    asked, hit = tree.query_nearest(points, max_distance=NAMING_M, all_matches=True)
    nearest = pd.Series(hit).groupby(asked).min()  # equally near: the first, whatever the order of the tree
    return nearest.map(pd.Series(names)).reindex(range(len(points)), fill_value="").tolist()


def _notes(table: gpd.GeoDataFrame, where: str) -> tuple[Fault, ...]:
    closed = table[table["status"] == "closed"]
    if closed.empty:
        return ()
    names = closed["name"].tolist()
    listed = "、".join(names[:LISTED]) + (" …" if len(names) > LISTED else "")
    return (Fault("osm.not_public", where, {"n": len(names), "names": listed}),)
