"""A made-up town with every attribute a plan has, for what publishes plans: streets a lattice, people in cells."""

from dataclasses import dataclass, replace
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
from shapely import LineString, Point, box

from walkshed.area import Area
from walkshed.errors import Fault
from walkshed.network import WalkNetwork
from walkshed.ways import Ways

CRS = "EPSG:4551"
X0, Y0 = 445_000.0, 4_861_000.0  # Changchun


@dataclass(frozen=True)
class Proof:
    """What the map and the record read of a siting."""

    model: str = "max_cover"
    status: str = "optimal"
    people: float = 0.0
    bound: float = 0.0
    gap: float = 0.0
    value: float = 0.0
    measure: str = "people"
    chosen: tuple[str, ...] = ("c1",)

    def sentence(self, lang: str) -> str:
        return {"zh": "任何同规模方案至多再多 0 人。", "en": "No plan of this size serves anyone more."}[lang]


@dataclass(frozen=True)
class MapWish:
    tiles: str | None = None
    approval: str | None = None


@dataclass(frozen=True)
class Question:
    map: MapWish = MapWish()


@dataclass(frozen=True)
class TownPlan:
    """As `walkshed.plan.Plan`, by attribute name."""

    scenario: Any
    schematic: bool
    area: Area
    network: WalkNetwork
    demand: gpd.GeoDataFrame
    outlets: gpd.GeoDataFrame
    candidates: gpd.GeoDataFrame
    sites: gpd.GeoDataFrame
    gaps: gpd.GeoDataFrame
    units: pd.DataFrame
    groups: pd.DataFrame
    distances: pd.DataFrame
    totals: dict[str, float]
    siting: Proof
    places: gpd.GeoDataFrame
    barriers: gpd.GeoDataFrame
    notes: tuple[Fault, ...]
    provenance: dict[str, Any]
    limit_m: float
    standard_id: str
    title: str
    name: str
    problem: Any = None
    years: tuple[Any, ...] = ()
    findings: tuple[Any, ...] = ()
    why: tuple[Any, ...] = ()


def town(*, blocks: int = 12, schematic: bool = True, hostile: str = "", **changes: object) -> TownPlan:
    """Plan of a square town of `blocks` x `blocks` cells of 100 m; `hostile` becomes part of every name in it."""
    side = blocks * 100.0
    demand = _demand(blocks)
    halves = [box(X0, Y0, X0 + side / 2, Y0 + side), box(X0 + side / 2, Y0, X0 + side, Y0 + side)]
    labels = {"label": ["西区" + hostile, "东区" + hostile]}
    units = gpd.GeoDataFrame(labels, index=["W", "E"], crs=CRS, geometry=halves)
    totals = _totals(demand)
    outlets = {"L1": ("总馆" + hostile, "central", 0.25, 0.3), "L2": ("阅书房" + hostile, "reading_room", 0.2, 0.7)}
    chosen = {"c1": ("公园" + hostile, "park", 0.6, 0.4)}
    candidates = {**chosen, "c2": ("商场" + hostile, "mall", 0.9, 0.9)}
    streets = {"name": "streets" + hostile, "sha256": "0" * 64, "licence": "ODbL-1.0 © OpenStreetMap contributors"}
    plan = TownPlan(
        scenario=Question(),
        schematic=schematic,
        area=Area(units),
        network=WalkNetwork.build(_ways(blocks)),
        demand=demand,
        outlets=_sites(outlets, side, "open"),
        candidates=_sites(candidates, side, "candidate"),
        sites=_sites(chosen, side, "candidate").assign(
            order=[1], people_gained=[_gained(demand)], offer="reading_room", year=0
        ),
        gaps=_gaps(demand, hostile),
        units=_units(demand, units),
        groups=_groups(demand),
        distances=pd.DataFrame({"up_to_m": [500.0, 1000.0], "people": [1000.0, 2000.0]}),
        totals=totals,
        siting=Proof(people=totals["served_after"], bound=totals["served_after"]),
        places=_places(side, hostile),
        barriers=_barriers(side),
        notes=(Fault("table.no_rows", "places.csv"),),
        provenance={"inputs": [streets], "versions": {"walkshed": "0.1.0"}, "seed": 2020},
        limit_m=1000.0,
        standard_id="gb50180-15min",
        title="小城" + hostile,
        name="town",
    )
    return replace(plan, **changes)


def _places(side: float, hostile: str) -> gpd.GeoDataFrame:
    where = [Point(X0 + side / 2, Y0 + side / 2), Point(X0 + side * 0.9, Y0 + side * 0.8)]
    return gpd.GeoDataFrame({"name": ["小城" + hostile, "东村"], "rank": [0, 4]}, crs=CRS, geometry=where)


def _barriers(side: float) -> gpd.GeoDataFrame:
    river = box(X0 + side * 0.7, Y0, X0 + side * 0.73, Y0 + side)
    railway = LineString([(X0, Y0 + side * 0.55), (X0 + side, Y0 + side * 0.6)])
    table = {"kind": ["river", "railway"], "name": ["伊通河", ""]}
    return gpd.GeoDataFrame(table, crs=CRS, geometry=[river, railway])


def _ways(blocks: int) -> Ways:
    ticks = np.arange(blocks + 1) * 100.0
    along = [LineString([(X0 + x, Y0 + y) for x in ticks]) for y in ticks]
    across = [LineString([(X0 + x, Y0 + y) for y in ticks]) for x in ticks]
    level = ["major" if i % 6 == 0 else "street" for i in range(blocks + 1)]
    lines = gpd.GeoDataFrame({"name": "", "level": [*level, *level]}, geometry=[*along, *across], crs=CRS)
    return Ways.from_lines(lines)


def _demand(blocks: int) -> gpd.GeoDataFrame:
    column, row = (a.ravel() for a in np.meshgrid(np.arange(blocks), np.arange(blocks)))
    people = 10.0 + 7 * ((column * 3 + row * 5) % 11)
    before = (column < blocks * 0.45).astype(float)
    after = np.maximum(before, (column < blocks * 0.8) & (row < blocks * 0.7))
    return gpd.GeoDataFrame(
        {"people": people, "people_60p": people / 5, "unit": np.where(column < blocks / 2, "W", "E"),
         "nearest_m": np.where(column == blocks - 1, np.nan, 100.0 * column), "off_network": False,
         "served_before": before, "served_after": after},
        index=pd.Index([f"r{r}c{c}" for r, c in zip(row, column, strict=True)], name="demand_id"),
        geometry=shapely.points(X0 + 100 * column + 50, Y0 + 100 * row + 50), crs=CRS,
    )  # fmt: skip


def _sites(at: dict[str, tuple[str, str, float, float]], side: float, status: str) -> gpd.GeoDataFrame:
    names, kinds, x, y = zip(*at.values(), strict=True)
    unit = ["W" if share < 0.5 else "E" for share in x]
    points = shapely.points(X0 + np.array(x) * side, Y0 + np.array(y) * side)
    table = {"name": names, "kind": kinds, "status": status, "unit": unit}
    return gpd.GeoDataFrame(table, index=pd.Index(list(at), name="site_id"), geometry=points, crs=CRS)


def _gained(demand: gpd.GeoDataFrame) -> float:
    return float((demand["people"] * (demand["served_after"] - demand["served_before"])).sum())


def _gaps(demand: gpd.GeoDataFrame, hostile: str) -> gpd.GeoDataFrame:
    left = demand[demand["served_after"] == 0]
    people = float(left["people"].sum())
    return gpd.GeoDataFrame(
        {"name": ["东村" + hostile], "unit": ["E"], "people": [people], "area_km2": [len(left) / 100],
         "nearest_m": [1234.56], "near": ["东村" + hostile]},
        index=["gap-1"], geometry=[shapely.union_all(left.geometry.buffer(50, cap_style="square").array)], crs=CRS,
    )  # fmt: skip


def _units(demand: gpd.GeoDataFrame, units: gpd.GeoDataFrame) -> pd.DataFrame:
    table = _served(demand, demand["unit"]).loc[units.index]
    table.insert(0, "label", units["label"])
    return table.assign(outlets=[2, 0])


def _groups(demand: gpd.GeoDataFrame) -> pd.DataFrame:
    old = demand.assign(people=demand["people_60p"])
    return _served(old, pd.Series("60p", index=old.index))


def _served(demand: gpd.GeoDataFrame, by: pd.Series) -> pd.DataFrame:
    table = pd.DataFrame(
        {"people": demand["people"], **{c: demand["people"] * demand[c] for c in ("served_before", "served_after")}}
    ).groupby(by).sum()  # fmt: skip
    return table.assign(share_before=table["served_before"] / table["people"],
                        share_after=table["served_after"] / table["people"])  # fmt: skip


def _totals(demand: gpd.GeoDataFrame) -> dict[str, float]:
    row = _served(demand, pd.Series("all", index=demand.index)).iloc[0]
    return {**{str(k): float(v) for k, v in row.items()}, "off_network": 0.0}
