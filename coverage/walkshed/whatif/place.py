"""One place looked at: whom an outlet there would serve, and what stands in and around a gap."""

from dataclasses import dataclass

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from walkshed import service
from walkshed.anchors import Anchored, anchor
from walkshed.contracts import BoolArray, FloatArray, groups_of
from walkshed.gaps import GRAIN_M
from walkshed.ground import Ground
from walkshed.reach import Reach, reach
from walkshed.scenario import Scenario
from walkshed.supply import Kind

NEAREST = 3  # outlets named on a gap's card
FAR_M = 20_000.0  # farther outlets are not looked for


@dataclass(frozen=True)
class Place:
    """An outlet tried out at a place.

    people : within its limit; more : of these, newly served (people times what they gain); groups : newly served
    walk_m : mean walk of those within the limit; NaN where there are none
    foot : where it meets the street, (x, y) in the metric CRS; None off the network; access_m : how far that is
    street : its name, '' where it has none
    """

    kind: str
    people: float
    more: float
    groups: dict[str, float]
    walk_m: float
    foot: tuple[float, float] | None
    access_m: float
    street: str
    unit: str


@dataclass(frozen=True, eq=False)
class GapCard:
    """What there is to know of a gap.

    groups : its people without service, by group; `all` is everybody
    nearest : the closest outlets to its middle, DataFrame, index site id: name, kind, distance_m
    inside : candidate places in it, DataFrame, index site id: name, kind, people (of the gap it would newly serve)
    best : the candidate, inside or near, that serves most of the gap's people; None where none serves any
    """

    groups: dict[str, float]
    nearest: pd.DataFrame
    inside: pd.DataFrame
    best: str | None
    best_people: float


def mean_walk_m(demand: pd.DataFrame) -> float:
    """Mean walk to the nearest outlet over people who have a way there; NaN where nobody has.

    >>> mean_walk_m(pd.DataFrame({"people": [10.0, 30.0, 5.0], "nearest_m": [100.0, 300.0, float("nan")]}))
    250.0
    """
    known = demand["nearest_m"].notna().to_numpy()
    people = demand["people"].to_numpy(dtype=float)[known]
    total = people.sum()
    return float(people @ demand["nearest_m"].to_numpy(dtype=float)[known] / total) if total > 0 else float("nan")


def try_place(ground: Ground, demand: gpd.GeoDataFrame, point: shapely.Point, kind: Kind, scenario: Scenario) -> Place:
    """Try an outlet of a kind at a point of the metric CRS; it goes to the nearest street, as any site does.

    Walks are along the streets; where a city's distances come from elsewhere there are none for a new place.

    demand : the answer's, with `served_before`
    """
    spot = gpd.GeoDataFrame({"kind": [kind.key]}, index=["?"], geometry=[point], crs=ground.city.area.crs)
    placed = anchor(ground.network, spot, max_access_m=scenario.standard.max_access_m)
    limit_m = scenario.limit_m if kind.limit_m is None else kind.limit_m
    walks = reach(ground.network, ground.people, placed, limit_m=limit_m)
    bands = tuple((band.up_to_m, band.share) for band in scenario.siting.bands)
    level = service.level(walks, spot, kinds={kind.key: kind}, limit_m=scenario.limit_m, bands=bands)
    gain = np.maximum(level - demand["served_before"].to_numpy(), 0.0)
    people = demand["people"].to_numpy(dtype=float)
    within = people[walks.demand]
    foot, access_m, street = _foot(ground, placed, point)
    return Place(
        kind=kind.key,
        people=float(within.sum()),
        more=float(people @ gain),
        groups={g: float(demand[f"people_{g}"].to_numpy(dtype=float) @ gain) for g in groups_of(demand)},
        walk_m=float(np.average(walks.distance_m, weights=within)) if within.sum() > 0 else float("nan"),
        foot=foot,
        access_m=access_m,
        street=street,
        unit=str(ground.city.area.unit_of(spot.geometry).iloc[0]),
    )


def gap_card(ground: Ground, demand: gpd.GeoDataFrame, gap: shapely.Polygon, scenario: Scenario) -> GapCard:
    """Look at a gap of an answer.

    demand : the answer's, with `served_before`; gap : its polygon in the metric CRS
    """
    xy = shapely.get_coordinates(demand.geometry.array)
    here = _inside(gap, xy)
    without = np.where(here, 1.0 - demand["served_before"].to_numpy(), 0.0)
    of_each = demand["people"].to_numpy(dtype=float) * without
    groups = {g: float(demand[f"people_{g}"].to_numpy(dtype=float) @ without) for g in groups_of(demand)}
    west, south, east, north = gap.buffer(scenario.limit_m, cap_style="square").bounds
    around = ground.city.candidates.cx[west:east, south:north]
    near = around[around.dwithin(gap, scenario.limit_m)]
    gained = _gained(ground.walks(near, scenario.limit_m), of_each)
    inside = near[near.intersects(gap)]
    table = pd.DataFrame(inside[["name", "kind"]]).assign(people=gained.loc[inside.index])
    best = str(gained.idxmax()) if len(gained) and gained.max() > 0 else None
    return GapCard(
        groups={**groups, "all": float(of_each.sum())},
        nearest=_nearest(ground, demand.index, xy, of_each),
        inside=table.sort_values("people", ascending=False, kind="stable"),
        best=best,
        best_people=float(gained.max()) if best else 0.0,
    )


def _inside(gap: shapely.Polygon, xy: FloatArray) -> BoolArray:
    """Points whose square of the gaps' grain lies in a gap."""
    middle = (np.floor(xy / GRAIN_M) + 0.5) * GRAIN_M
    west, south, east, north = gap.bounds
    found = (middle[:, 0] > west) & (middle[:, 0] < east) & (middle[:, 1] > south) & (middle[:, 1] < north)
    found[found] = shapely.contains_xy(gap, middle[found, 0], middle[found, 1])
    return found


def _gained(walks: Reach, of_each: FloatArray) -> "pd.Series[float]":
    site = np.repeat(np.arange(len(walks.site_ids)), np.diff(walks.ptr))
    return pd.Series(
        np.bincount(site, of_each[walks.demand], minlength=len(walks.site_ids)), index=walks.site_ids, dtype=float
    )


def _nearest(ground: Ground, ids: pd.Index, xy: FloatArray, of_each: FloatArray) -> pd.DataFrame:
    """The closest open outlets on foot from the home that lies in the middle of a gap's people."""
    open_now = ground.city.outlets[ground.city.outlets["status"] == "open"]
    empty = pd.DataFrame({"name": [], "kind": [], "distance_m": []})
    if not of_each.sum() > 0 or open_now.empty:
        return empty
    middle = np.average(xy, axis=0, weights=of_each)
    homes = np.flatnonzero(of_each > 0)
    home = homes[np.argmin(np.hypot(*(xy[homes] - middle).T))]
    if ground.given is not None:
        known = ground.walks(open_now, FAR_M)
        pairs = known.to_frame()
        frame = pairs[pairs["from_id"] == ids[home]].set_index("to_id")["distance_m"]
        return pd.DataFrame(open_now[["name", "kind"]]).join(frame, how="inner").nsmallest(NEAREST, "distance_m")
    close = open_now.assign(away=open_now.distance(shapely.Point(xy[home]))).nsmallest(4 * NEAREST, "away")
    walks = reach(ground.network, ground.people.take(ids[[home]]), ground.on_network(close), limit_m=FAR_M)
    frame = walks.to_frame().set_index("to_id")["distance_m"]
    table = pd.DataFrame(close[["name", "kind"]]).join(frame, how="inner")
    return table.nsmallest(NEAREST, "distance_m")


def _foot(ground: Ground, placed: Anchored, point: shapely.Point) -> tuple[tuple[float, float] | None, float, str]:
    """Where a point meets the network, how far that is, and the street's name."""
    edge = int(placed.at.edge[0])
    if edge < 0:
        return None, float("nan"), ""
    network = ground.network
    line = network.lines[[edge]][0]
    foot = line.interpolate(line.project(point))
    return (float(foot.x), float(foot.y)), float(foot.distance(point)), str(network.names[network.edge_name[edge]])
