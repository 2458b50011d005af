"""Outlets of today and places where one could go: real where facts name them, else made up and said to be."""

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
from pyproj import Transformer
from scipy.spatial import cKDTree

from walkshed.contracts import FloatArray, IntArray
from walkshed.sources.sample.arteries import Arteries
from walkshed.sources.sample.blocks import HOME, MARKET, PARK, Blocks
from walkshed.sources.sample.facts import CORE, Facts
from walkshed.sources.sample.land import CRS, ORIGIN, Land
from walkshed.sources.sample.settlements import Settlements
from walkshed.words import say

ROOMS, BRANCHES, SELF_SERVICE, STOPS = 37, 40, 60, 15  # rooms late 2025; stops 2020 (libraries.csv); others ours
OUTSIDE_CORE = {"reading_room": 4, "branch": 16, "self_service": 12, "bookmobile": 5}
CANDIDATES = {"residential": 5_200, "park": 420, "school": 900, "mall": 260, "community": 900}
LINES_KM = [  # metro lines, by eye: schematic
    [(445.2, 4872), (445.2, 4864.3), (445.3, 4856), (445.5, 4848)],
    [(434, 4862), (440, 4861), (446, 4861.5), (452, 4861), (456, 4863)],
    [(441, 4868), (442.5, 4861), (444, 4856), (449, 4853.5), (456, 4850.5)],
    [(449.5, 4871), (449.3, 4864), (449.6, 4857), (446, 4853)],
    [(436, 4852), (440, 4856), (445, 4858.5), (451, 4858.8), (455, 4858)],
]
STATION_EVERY_M = 1_150.0


def outlets(
    facts: Facts, land: Land, blocks: Blocks, settlements: Settlements, demand: gpd.GeoDataFrame,
    rng: np.random.Generator,
) -> gpd.GeoDataFrame:  # fmt: skip
    """Outlets open today, by kind; index `site_id`."""
    spots = _spots(blocks, settlements, demand)
    core = np.isin(spots.unit, CORE)
    rows = [_central(facts), *_unit_libraries(facts, land)]
    rooms = list(facts.libraries.loc[facts.libraries["kind"].str.startswith("城市阅书房"), "name_zh"])
    totals = {"reading_room": ROOMS, "branch": BRANCHES, "self_service": SELF_SERVICE, "bookmobile": STOPS}
    for kind, total in totals.items():
        total = max(round(total * facts.scale), 2)
        outer = min(round(OUTSIDE_CORE[kind] * facts.scale), total - 1)
        apart = 1_000.0 if kind == "reading_room" else 600.0
        at = np.concatenate([
            _picked(spots, core, total - outer, apart, rng), _picked(spots, ~core, outer, apart, rng)
        ])  # fmt: skip
        near = _nearest_name(spots.xy[at], spots.unit[at], settlements)
        real = rooms if kind == "reading_room" else []
        for k, (xy, name) in enumerate(zip(spots.xy[at], near, strict=True)):
            label = (
                say("sample.real_name", "zh", name=real[k])
                if k < len(real)
                else say(f"sample.{kind}", "zh", place=name)
            )
            rows.append({"name": label, "kind": kind, "x": xy[0], "y": xy[1]})
    frame = pd.DataFrame(rows)
    frame["name"] = _numbered(frame["name"])
    return _sites(frame, "o", "open", land, settlements)


def candidates(
    facts: Facts, land: Land, arteries: Arteries, blocks: Blocks, settlements: Settlements,
    demand: gpd.GeoDataFrame, rng: np.random.Generator,
) -> gpd.GeoDataFrame:  # fmt: skip
    """Places where an outlet could go, by kind; index `site_id`."""
    spots = _spots(blocks, settlements, demand)
    rows = [_stations(land, arteries)]
    for kind, total in CANDIDATES.items():
        n = max(round(total * facts.scale), 3)
        use = {"park": [PARK], "mall": [MARKET]}.get(kind, [HOME])
        allowed = np.isin(spots.use, use) | ((spots.use < 0) & (kind in {"residential", "school", "community"}))
        weight = allowed * (1.0 if kind in {"park", "mall"} else spots.people + 1.0)
        n = min(n, int((weight > 0).sum()))
        at = rng.choice(len(weight), n, replace=False, p=weight / weight.sum()) if n else np.zeros(0, np.int64)
        rows.append(pd.DataFrame({"kind": kind, "x": spots.xy[at, 0], "y": spots.xy[at, 1]}))
    rows.append(_offices(settlements))
    frame = pd.concat(rows, ignore_index=True)
    units = land.area.unit_of(gpd.GeoSeries(gpd.points_from_xy(frame["x"], frame["y"]), crs=CRS)).to_numpy()
    near = _nearest_name(frame[["x", "y"]].to_numpy(), units, settlements)
    estate = facts.words("estate")
    pick = rng.integers(0, len(estate), len(frame))
    frame["name"] = _numbered(
        pd.Series([
            say(f"sample.{kind}", "zh", place=place, estate=estate[k])
            for kind, place, k in zip(frame["kind"], near, pick, strict=True)
        ])
    )  # fmt: skip
    return _sites(frame, "c", "candidate", land, settlements)


class _Spots:
    """Junctions where a building's door could be: `xy`, `unit`, `use` (-1 in the country), `people` nearby."""

    def __init__(self, blocks: Blocks, settlements: Settlements, demand: gpd.GeoDataFrame) -> None:
        self.xy: FloatArray = np.concatenate([blocks.inner.xy, settlements.inner.xy])
        self.use: IntArray = np.concatenate([blocks.use[blocks.inner.home], np.full(len(settlements.inner.xy), -1)])
        cells = shapely.get_coordinates(demand.geometry.array)
        away, near = cKDTree(cells).query(self.xy)
        self.unit = demand["unit"].to_numpy()[near]
        self.people: FloatArray = np.where(away < 120.0, demand["people"].to_numpy()[near], 0.0)


def _spots(blocks: Blocks, settlements: Settlements, demand: gpd.GeoDataFrame) -> _Spots:
    return _Spots(blocks, settlements, demand)


def _picked(spots: _Spots, allowed: FloatArray, n: int, apart_m: float, rng: np.random.Generator) -> IntArray:
    """`n` spots where people live, no two nearer than `apart_m` while that can be had."""
    weight = np.where(allowed & (spots.people > 0), spots.people, 0.0)
    order = np.argsort(-np.log(np.maximum(rng.random(len(weight)), 1e-12)) / np.maximum(weight, 1e-9))
    order = order[: max(60 * n, 200)]
    order = order[weight[order] > 0]
    taken: list[int] = []
    for k in order:
        if len(taken) == n:
            break
        if not taken or np.hypot(*(spots.xy[taken] - spots.xy[k]).T).min() >= apart_m:
            taken.append(int(k))
    rest = [int(k) for k in order if int(k) not in set(taken)]
    return np.array((taken + rest)[:n], dtype=np.int64)


def _central(facts: Facts) -> dict[str, object]:
    row = facts.libraries[facts.libraries["kind"] == "municipal central library"].iloc[0]
    to_metric = Transformer.from_crs("EPSG:4326", CRS, always_xy=True)
    real = np.array(to_metric.transform(row["lon_wgs84"], row["lat_wgs84"]))
    x, y = ORIGIN + (real - ORIGIN) * np.sqrt(facts.scale)
    return {"name": row["name_zh"], "kind": "central", "x": x, "y": y, "address": row["address"]}


def _unit_libraries(facts: Facts, land: Land) -> list[dict[str, object]]:
    """One per unit, at its seat; names as published."""
    kinds = ["district library", "county library", "district or county library"]
    named = facts.libraries[facts.libraries["kind"].isin(kinds)].set_index("district")["name_zh"]
    return [
        {"name": say("sample.real_name", "zh", name=named[label]), "kind": "unit_library", "x": xy[0], "y": xy[1]}
        for label, xy in zip(facts.units["label"], land.seats, strict=True)
    ]


def _stations(land: Land, arteries: Arteries) -> pd.DataFrame:
    """Metro stations: corners of big streets along the schematic lines."""
    corners = np.unique(shapely.get_coordinates(shapely.get_point(arteries.line, 0)), axis=0)
    lines = [shapely.LineString(land.place(km)) for km in LINES_KM]
    stops = np.concatenate([
        shapely.get_coordinates(line.interpolate(np.arange(0, line.length, STATION_EVERY_M))) for line in lines
    ])  # fmt: skip
    near = np.unique(cKDTree(corners).query(stops)[1])
    return pd.DataFrame({"kind": "metro", "x": corners[near, 0], "y": corners[near, 1]})


def _offices(settlements: Settlements) -> pd.DataFrame:
    """The office of every street, town and township; a street office is a community's neighbour."""
    named = settlements.named
    return pd.DataFrame({"kind": "township", "x": named["x"].to_numpy(), "y": named["y"].to_numpy()})


def _nearest_name(xy: FloatArray, unit: FloatArray, settlements: Settlements) -> FloatArray:
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
    points = gpd.GeoSeries(gpd.points_from_xy(frame["x"], frame["y"]), crs=CRS)
    unit = land.area.unit_of(points).to_numpy()
    ids = [f"{prefix}{k:05d}" for k in range(1, len(frame) + 1)]
    columns = {
        "name": frame["name"].to_numpy(),
        "kind": frame["kind"].to_numpy(),
        "status": status,
        "unit": unit,
        "settlement": _nearest_name(frame[["x", "y"]].to_numpy(), unit, settlements),
    }
    if "address" in frame:
        columns["address"] = frame["address"].fillna("").to_numpy()
    return gpd.GeoDataFrame(columns, geometry=points.array, index=pd.Index(ids, name="site_id"), crs=CRS)
