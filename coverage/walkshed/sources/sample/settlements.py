"""Where the 231 streets, towns and townships lie, and the villages between them."""

from dataclasses import dataclass

import numpy as np
import pandas as pd
import shapely
from scipy.spatial import cKDTree
from shapely.geometry.base import BaseGeometry

from walkshed.contracts import BoolArray, FloatArray
from walkshed.sources.sample.arteries import SEAT_SHARE, Arteries
from walkshed.sources.sample.facts import CORE, Facts
from walkshed.sources.sample.land import Land
from walkshed.sources.sample.shapes import Names, Shapes, dots
from walkshed.sources.sample.weave import Weave, blobs, thin, weave

IN_SEAT = 6  # so many street offices of an outer unit lie in its seat, the others are towns of their own
TOWN_PEOPLE_PER_KM2, VILLAGE_PEOPLE_PER_KM2 = 4_500.0, 4_000.0
PEOPLE_PER_VILLAGE = 1_100.0
TOWN_SHARE_OF_RURAL = 0.35  # in the core's districts: country towns against villages


@dataclass(frozen=True)
class Settlements:
    """Named places and the countryside.

    named : `name` (as the state writes it), `short` (without the ending), `kind`, `unit`, `x, y`, `urban` (in a patch).
    shape : polygons of towns, then of villages; people : wanted in each, before totals are met; is_town : bool.
    unit : unit id of each; name : of each.
    inner : their streets, `home` into `shape`.
    """

    named: pd.DataFrame
    shape: Shapes
    people: FloatArray
    is_town: BoolArray
    unit: Names
    name: Names
    inner: Weave


def settle(facts: Facts, land: Land, arteries: Arteries, homes: FloatArray, rng: np.random.Generator) -> Settlements:
    """Place every named settlement in its unit, and villages where there is room.

    homes : (n, 2) middles of residential blocks, where street offices are put.
    """
    named = _named(facts, rng)
    units = land.area.units.geometry
    open_land = _open_land(land, arteries)
    home_unit = land.unit_at(homes)
    towns, villages = [], []
    for unit, seat in zip(facts.units.index, land.seats, strict=True):
        inside = (named["unit"] == unit).to_numpy()
        urban = np.flatnonzero(inside & named["urban"].to_numpy())
        around = homes[home_unit == unit]
        named.loc[urban, ["x", "y"]] = _centres(around if len(around) else seat[None], len(urban), rng)
        rural = np.flatnonzero(inside & ~named["urban"].to_numpy())
        room = units[unit].buffer(-900 * land.stretch).intersection(open_land)
        room = room if not room.is_empty else units[unit]
        sample = _sample(room, 60 * max(len(rural), 4), rng)
        named.loc[rural, ["x", "y"]] = _centres(sample, len(rural), rng)
        towns.append(_towns(named.loc[rural], facts.units.loc[unit], rng))
        taken = shapely.union_all(dots(named.loc[rural, ["x", "y"]].to_numpy())).buffer(1_100.0)
        villages.append(_villages(room.difference(taken), facts.units.loc[unit], facts, rng))
    table = pd.concat([*towns, *villages], ignore_index=True)
    table = table[~_crowded(table)].reset_index(drop=True)
    shape = np.array(blobs(table[["x", "y"]].to_numpy(), table["radius"].to_numpy(), rng), dtype=object)
    spacing = np.where(table["town"], rng.uniform(95, 140, len(table)), rng.uniform(120, 160, len(table)))
    inner = thin(weave(list(shape), spacing, rng.uniform(0, np.pi / 2, len(table)), rng), 0.45, rng)
    people, is_town, unit_id, name = (table[c].to_numpy() for c in ("people", "town", "unit", "name"))
    return Settlements(named, shape, people, is_town, unit_id, name, inner)


def _named(facts: Facts, rng: np.random.Generator) -> pd.DataFrame:
    """The settlements of each unit; a small land has only some of its country towns."""
    named = facts.settlements.reset_index(drop=True)
    street = (named["kind"] == "街道").to_numpy()
    core = named["unit"].isin(CORE).to_numpy()
    rank = named[street].groupby("unit").cumcount().reindex(named.index, fill_value=99).to_numpy()
    seat_town = (named["name"] == "农安镇").to_numpy()  # the one seat that is a town
    urban = seat_town | (street & (core | (rank < IN_SEAT)))
    share = min(1.0, 5.0 * facts.scale)
    keep = urban | (rng.random(len(named)) < share)
    named = named[keep].reset_index(drop=True)
    short = named["name"].str.replace(r"(街道|镇|民族乡|[^族]族乡|乡)$", "", regex=True)
    return named.assign(short=short, urban=urban[keep], x=0.0, y=0.0)


def _open_land(land: Land, arteries: Arteries) -> BaseGeometry:
    """Where country towns and villages may lie: off the built-up patches, the water and the rails."""
    patches = shapely.union_all(arteries.patches).buffer(700.0)
    wet = land.water.buffer(500.0)
    rails = shapely.union_all(list(land.railways.values())).buffer(450.0)
    whole: BaseGeometry = land.area.units.union_all()
    return whole.difference(shapely.union_all([patches, wet, rails]))


def _sample(room: BaseGeometry, n: int, rng: np.random.Generator) -> FloatArray:
    """`n` or so random points of a region."""
    shapely.prepare(room)
    low, high = np.array(room.bounds[:2]), np.array(room.bounds[2:])
    tries = int(n * max(np.prod(high - low) / max(room.area, 1.0), 1.0) * 1.3) + 20
    xy = rng.uniform(low, high, (tries, 2))
    xy = xy[shapely.contains_xy(room, *xy.T)]
    return xy if len(xy) else np.array([room.representative_point().coords[0]])


def _centres(points: FloatArray, n: int, rng: np.random.Generator) -> FloatArray:
    """`n` well-spread points among the given ones: middles of clusters (Lloyd 1982), each moved to the next point."""
    if n == 0:
        return np.zeros((0, 2))
    middle = points[rng.choice(len(points), min(n, len(points)), replace=False)]
    for _ in range(12):
        mine = cKDTree(middle).query(points)[1]
        count = np.bincount(mine, minlength=len(middle))
        total = np.column_stack([np.bincount(mine, weights=axis, minlength=len(middle)) for axis in points.T])
        middle = np.where(count[:, None] > 0, total / np.maximum(count, 1)[:, None], middle)
    return np.asarray(np.resize(points[cKDTree(points).query(middle)[1]], (n, 2)))


def _towns(named: pd.DataFrame, unit: pd.Series, rng: np.random.Generator) -> pd.DataFrame:
    """Country towns share the people the seat does not have; a 镇 is larger than a 乡."""
    size = np.where(named["kind"].isin(["镇", "街道"]), 1.0, 0.45) * np.exp(rng.normal(0, 0.5, len(named)))
    rural = unit["people"] - unit["urban"]
    whole = rural * TOWN_SHARE_OF_RURAL if unit["control"] == "core" else unit["urban"] * (1 - SEAT_SHARE)
    people = size / max(size.sum(), 1e-9) * whole
    radius = np.clip(np.sqrt(people / TOWN_PEOPLE_PER_KM2 / np.pi) * 1_000.0, 260.0, 2_500.0)
    return pd.DataFrame(
        {"x": named["x"], "y": named["y"], "name": named["name"], "people": people, "radius": radius}
    ).assign(town=True, unit=str(unit.name))


def _villages(room: BaseGeometry, unit: pd.Series, facts: Facts, rng: np.random.Generator) -> pd.DataFrame:
    """Villages on a loose grid, one per `PEOPLE_PER_VILLAGE` or so."""
    rural = float(unit["people"] - unit["urban"])
    whole = rural * (1 - TOWN_SHARE_OF_RURAL) if unit["control"] == "core" else rural
    n = max(round(whole / PEOPLE_PER_VILLAGE), 1)
    step = float(np.sqrt(max(room.area, 1.0) / n))
    west, south, east, north = room.bounds if not room.is_empty else (0.0, 0.0, 0.0, 0.0)
    grid = np.stack(np.meshgrid(np.arange(west, east, step), np.arange(south, north, step)), axis=-1).reshape(-1, 2)
    grid = grid + rng.uniform(-0.42, 0.42, grid.shape) * step
    grid = grid[shapely.contains_xy(room, *grid.T)] if len(grid) else np.zeros((0, 2))
    people = PEOPLE_PER_VILLAGE * np.exp(rng.normal(0, 0.45, len(grid)))
    radius = np.clip(np.sqrt(people / VILLAGE_PEOPLE_PER_KM2 / np.pi) * 1_000.0, 170.0, 600.0)
    parts = [facts.words(use) for use in ("village", "family", "ending")]
    name = ["".join(chosen) for chosen in zip(*(rng.choice(part, len(grid)) for part in parts), strict=True)]
    return pd.DataFrame({"x": grid[:, 0], "y": grid[:, 1], "name": name, "people": people, "radius": radius}).assign(
        town=False, unit=str(unit.name)
    )


def _crowded(table: pd.DataFrame) -> BoolArray:
    """Villages that would overlap a settlement before them in the table."""
    tree = shapely.STRtree(dots(table[["x", "y"]].to_numpy()))
    reach = 1.3 * table["radius"].to_numpy()
    a, b = tree.query(dots(table[["x", "y"]].to_numpy()), predicate="dwithin", distance=reach + 330.0)
    over = (b < a) & ~table["town"].to_numpy()[a]
    crowded = np.zeros(len(table), dtype=bool)
    crowded[a[over]] = True
    return crowded
