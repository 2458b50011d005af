"""Outlets of today and places where one could go: real where facts name them, else made up and said to be."""

from dataclasses import dataclass

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
from pyproj import Transformer
from scipy.spatial import cKDTree

from walkshed.contracts import BoolArray, FloatArray, IntArray
from walkshed.sources.sample.arteries import Arteries
from walkshed.sources.sample.blocks import HOME, MARKET, PARK, Blocks
from walkshed.sources.sample.facts import CORE, Facts
from walkshed.sources.sample.land import CRS, Land
from walkshed.sources.sample.settlements import Settlements
from walkshed.sources.sample.shapes import Names, dots
from walkshed.words import say

# Rooms: late 2025, stops: 2020 (both libraries.csv and the reports it names); branches and self-service: ours.
TODAY = {"reading_room": 37, "branch": 40, "self_service": 60, "bookmobile": 15}
OUTSIDE_CORE = {"reading_room": 4, "branch": 16, "self_service": 12, "bookmobile": 5}
CANDIDATES = {"residential": 5_200, "park": 420, "school": 900, "mall": 260, "community": 900}
LINES_KM: list[list[tuple[float, float]]] = [  # metro lines, by eye: schematic
    [(445.2, 4872), (445.2, 4864.3), (445.3, 4856), (445.5, 4848)],
    [(434, 4862), (440, 4861), (446, 4861.5), (452, 4861), (456, 4863)],
    [(441, 4868), (442.5, 4861), (444, 4856), (449, 4853.5), (456, 4850.5)],
    [(449.5, 4871), (449.3, 4864), (449.6, 4857), (446, 4853)],
    [(436, 4852), (440, 4856), (445, 4858.5), (451, 4858.8), (455, 4858)],
]
STATION_EVERY_M, AT_HOME_M = 1_150.0, 120.0
TIEBEI_KM = (445.0, 4867.0)  # north of the railway: all that is known of that branch


@dataclass(frozen=True)
class Spots:
    """Places a door could be.

    xy : (n, 2); unit : unit ids; use : of the block, -1 in the country; people : in the cell it lies in.
    street : whether it is on a big street or in the country; others lie inside a compound.
    """

    xy: FloatArray
    unit: Names
    use: IntArray
    people: FloatArray
    street: BoolArray


def spots(blocks: Blocks, settlements: Settlements, demand: gpd.GeoDataFrame) -> Spots:
    """Inner junctions of compounds, their gates, and junctions of towns and villages."""
    country = len(settlements.inner.xy)
    xy = np.concatenate([blocks.inner.xy, blocks.gate_xy, settlements.inner.xy])
    of_block = blocks.use[blocks.inner.home]
    use = np.concatenate([of_block, of_block[blocks.gate_from], np.full(country, -1)])
    away, near = cKDTree(shapely.get_coordinates(demand.geometry.array)).query(xy)
    return Spots(
        xy=xy,
        unit=demand["unit"].to_numpy()[near],
        use=use,
        people=np.where(away < AT_HOME_M, demand["people"].to_numpy()[near], 0.0),
        street=np.arange(len(xy)) >= len(blocks.inner.xy),
    )


def outlets(
    facts: Facts, land: Land, settlements: Settlements, doors: Spots, rng: np.random.Generator
) -> gpd.GeoDataFrame:
    """Outlets open today, by kind, on streets where people live; index `site_id`."""
    known = _published(facts, land, settlements)
    known[["x", "y"]] = doors.xy[cKDTree(doors.xy).query(known[["x", "y"]].to_numpy())[1]]
    core = np.isin(doors.unit, CORE)
    parts = [known]
    rooms = _rooms_without_place(facts)
    for kind, whole in TODAY.items():
        total = max(round(whole * facts.scale) - int((known["kind"] == kind).sum()), 1)
        outer = min(round(OUTSIDE_CORE[kind] * facts.scale), total - 1)
        apart = 1_000.0 if kind == "reading_room" else 600.0
        at: IntArray = np.concatenate(
            [_picked(doors, core, total - outer, apart, rng), _picked(doors, ~core, outer, apart, rng)]
        )
        near = _nearest_name(doors.xy[at], doors.unit[at], settlements)
        name = [say(f"sample.{kind}", "zh", place=place) for place in near]
        if kind == "reading_room":
            real = [say("sample.real_name", "zh", name=room) for room in rooms][: len(name)]
            name = [*real, *name[len(real) :]]
        parts.append(pd.DataFrame({"name": name, "kind": kind, "x": doors.xy[at, 0], "y": doors.xy[at, 1]}))
    frame = pd.concat(parts, ignore_index=True)
    return _sites(frame.assign(name=_numbered(frame["name"])), "o", "open", land, settlements)


def candidates(
    facts: Facts, land: Land, arteries: Arteries, settlements: Settlements, doors: Spots, *, rng: np.random.Generator
) -> gpd.GeoDataFrame:
    """Places where an outlet could go, by kind; index `site_id`."""
    parts = [_stations(land, arteries)]
    for kind, whole in CANDIDATES.items():
        use = {"park": PARK, "mall": MARKET}.get(kind, HOME)
        allowed = (doors.use == use) | ((doors.use < 0) & (use == HOME))
        weight = allowed * (doors.people + 1.0 if use == HOME else 1.0)
        if kind == "mall":
            weight = weight * doors.street
        n = min(max(round(whole * facts.scale), 3), int((weight > 0).sum()))
        at = rng.choice(len(weight), n, replace=False, p=weight / max(weight.sum(), 1.0)) if n else np.zeros(0, int)
        parts.append(pd.DataFrame({"kind": kind, "x": doors.xy[at, 0], "y": doors.xy[at, 1]}))
    parts.append(settlements.named[["x", "y"]].assign(kind="township"))
    frame = pd.concat(parts, ignore_index=True)
    xy = frame[["x", "y"]].to_numpy()
    near = _nearest_name(xy, land.unit_at(xy), settlements)
    estate = facts.words("estate")
    pick = rng.integers(0, len(estate), len(frame))
    name = [
        say(f"sample.{kind}", "zh", place=place, estate=estate[k])
        for kind, place, k in zip(frame["kind"], near, pick, strict=True)
    ]
    return _sites(frame.assign(name=_numbered(pd.Series(name))), "c", "candidate", land, settlements)


def _picked(doors: Spots, allowed: BoolArray, n: int, apart_m: float, rng: np.random.Generator) -> IntArray:
    """`n` doors on streets, likelier where more people live, no two nearer than `apart_m` while that can be had."""
    weight = np.where(allowed & doors.street, doors.people, 0.0)
    draw = -np.log(np.maximum(rng.random(len(weight)), 1e-12)) / np.maximum(weight, 1e-9)
    order = np.argsort(draw)[: max(60 * n, 200)]
    order = order[weight[order] > 0]
    taken: list[int] = []
    for k in order.tolist():
        if len(taken) < n and (not taken or np.hypot(*(doors.xy[taken] - doors.xy[k]).T).min() >= apart_m):
            taken.append(k)
    rest = order[~np.isin(order, taken)].tolist()
    return np.array([*taken, *rest][:n], dtype=np.int64)


def _published(facts: Facts, land: Land, settlements: Settlements) -> pd.DataFrame:
    """The centre, the library of every unit, and the branches and the room whose whereabouts are published."""
    table = facts.libraries.set_index("name_zh")
    to_metric = Transformer.from_crs("EPSG:4326", CRS, always_xy=True)
    rows = []
    for name, kind in (("长春市图书馆(总馆)", "central"), ("二道区图书馆分馆(东北亚艺术中心)", "branch")):
        x, y = to_metric.transform(table.loc[name, "lon_wgs84"], table.loc[name, "lat_wgs84"])
        rows.append((name, kind, *land.place((x / 1_000.0, y / 1_000.0)), table.loc[name, "address"]))
    rows.append(("长春市图书馆铁北分馆", "branch", *land.place(TIEBEI_KM), ""))
    kinds = ["district library", "county library", "district or county library"]
    by_unit = table[table["kind"].isin(kinds)].reset_index().set_index("district")
    for label, seat in zip(facts.units["label"], land.seats, strict=True):
        address = by_unit.loc[label, "address"]
        rows.append((by_unit.loc[label, "name_zh"], "unit_library", *seat, "" if pd.isna(address) else address))
    for room_name, room in _rooms(facts)[_rooms(facts)["address"].notna()].iterrows():
        town = settlements.named[[place in room["address"] for place in settlements.named["name"]]]
        rows += [(str(room_name), "reading_room", x, y, room["address"]) for x, y in town[["x", "y"]].to_numpy()[:1]]
    frame = pd.DataFrame(rows, columns=["name", "kind", "x", "y", "address"])
    return frame.assign(name=[say("sample.real_name", "zh", name=name) for name in frame["name"]])


def _rooms(facts: Facts) -> pd.DataFrame:
    return facts.libraries[facts.libraries["kind"].str.startswith("城市阅书房")].set_index("name_zh")


def _rooms_without_place(facts: Facts) -> list[str]:
    rooms = _rooms(facts)
    return [str(name) for name in rooms.index[rooms["address"].isna()]]


def _stations(land: Land, arteries: Arteries) -> pd.DataFrame:
    """Metro stations: corners of big streets along the schematic lines."""
    corners = np.unique(shapely.get_coordinates(shapely.get_point(arteries.line, 0)), axis=0)
    lines = [shapely.LineString(land.place(km)) for km in LINES_KM]
    stops = np.concatenate([
        shapely.get_coordinates(line.interpolate(np.arange(0, line.length, STATION_EVERY_M))) for line in lines
    ])  # fmt: skip
    near = np.unique(cKDTree(corners).query(stops)[1])
    return pd.DataFrame({"kind": "metro", "x": corners[near, 0], "y": corners[near, 1]})


def _nearest_name(xy: FloatArray, unit: Names, settlements: Settlements) -> Names:
    """Name of the nearest street, town or township of the same unit."""
    named = settlements.named
    found = np.full(len(xy), "", dtype=object)
    for code in sorted(set(unit)):
        mine, there = np.flatnonzero(unit == code), named[named["unit"] == code]
        at = cKDTree(there[["x", "y"]].to_numpy()).query(xy[mine])[1]
        found[mine] = there["name"].to_numpy()[at]
    return found


def _numbered(names: pd.Series) -> pd.Series:
    """Tell equal names apart: the second becomes `… 2`."""
    count = names.groupby(names).cumcount()
    return names.where(count == 0, names + " " + (count + 1).astype(str))


def _sites(frame: pd.DataFrame, prefix: str, status: str, land: Land, settlements: Settlements) -> gpd.GeoDataFrame:
    xy = frame[["x", "y"]].to_numpy()
    unit = land.unit_at(xy)
    ids = [f"{prefix}{k:05d}" for k in range(1, len(frame) + 1)]
    columns = {
        "name": frame["name"].to_numpy(),
        "kind": frame["kind"].to_numpy(),
        "status": status,
        "unit": unit,
        "settlement": _nearest_name(xy, unit, settlements),
    }
    if "address" in frame:
        columns["address"] = frame["address"].fillna("").astype(str).to_numpy()
    return gpd.GeoDataFrame(columns, geometry=dots(xy), index=pd.Index(ids, name="site_id"), crs=CRS)
