"""Who lives where: whole people in 100 m cells, whose sums are the census, per control group and age group."""

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from walkshed.contracts import FloatArray, IntArray
from walkshed.sources.sample.arteries import SEAT_SHARE
from walkshed.sources.sample.blocks import Blocks
from walkshed.sources.sample.facts import GROUPS, Facts, apportion
from walkshed.sources.sample.land import CRS, ORIGIN, Land
from walkshed.sources.sample.settlements import TOWN_SHARE_OF_RURAL, Settlements
from walkshed.sources.sample.shapes import Names, Shapes, dots

CELL_M = 100.0
EMPTY = 0.08  # of the cells: a school yard, a square, a shop; nobody lives there
SEAT, TOWN, VILLAGE = range(3)


def populate(
    facts: Facts, blocks: Blocks, settlements: Settlements, land: Land, rng: np.random.Generator
) -> gpd.GeoDataFrame:
    """Fill the control totals into cells: by land use and density in town, by settlement in the country.

    Returns
    -------
    GeoDataFrame
        Cell middles; index `demand_id` (column and row of the cell, 100 m each); `people`, `people_<group>`, `unit`.
    """
    cells = _cells(blocks, settlements, land, rng)
    unit = facts.units.index.get_indexer(pd.Index(land.unit_at(_middles(cells))))
    whole = np.zeros(len(cells), dtype=np.int64)
    units = facts.units[["people", "urban", "control"]].to_numpy()
    for u, (people, urban, control) in enumerate(units):
        inside = np.flatnonzero(unit == u)
        quota = _class_totals(people, urban, core=control == "core")
        weight = _fill(cells["weight"].to_numpy()[inside], cells["kind"].to_numpy()[inside], quota)
        whole[inside] = apportion(weight, int(people))
    lived_in = whole > 0
    cells, unit, whole = cells[lived_in], unit[lived_in], whole[lived_in]
    group = _ages(cells, whole, facts.units["control"].to_numpy()[unit], facts=facts, land=land, rng=rng)
    ids = cells["column"].astype(str) + "-" + cells["row"].astype(str)
    columns = {"people": whole.astype(float)}
    columns |= {f"people_{name}": group[:, k].astype(float) for k, name in enumerate(GROUPS)}
    columns["unit"] = facts.units.index.to_numpy()[unit]
    return gpd.GeoDataFrame(columns, geometry=dots(_middles(cells)), index=pd.Index(ids, name="demand_id"), crs=CRS)


def _middles(cells: pd.DataFrame) -> FloatArray:
    return np.asarray((cells[["column", "row"]].to_numpy() + 0.5) * CELL_M)


def _class_totals(people: int, urban: int, *, core: bool) -> FloatArray:
    """People of a unit in its built-up patch, its country towns and its villages."""
    rural = people - urban
    if core:
        return np.array([urban, rural * TOWN_SHARE_OF_RURAL, rural * (1 - TOWN_SHARE_OF_RURAL)])
    return np.array([urban * SEAT_SHARE, urban * (1 - SEAT_SHARE), rural])


def _fill(weight: FloatArray, kind: IntArray, quota: FloatArray) -> FloatArray:
    """Weights that give each class its quota, where it has cells at all."""
    total = np.bincount(kind, weights=weight, minlength=len(quota))
    share = np.divide(quota, total, out=np.zeros(len(quota)), where=total > 0)
    return np.asarray(weight * share[kind])


def _cells(blocks: Blocks, settlements: Settlements, land: Land, rng: np.random.Generator) -> pd.DataFrame:
    """Cells whose middle lies in a place people live: `column, row, weight, kind`, each once."""
    lived = np.flatnonzero(blocks.density > 0)
    town = _covered(shapely.buffer(blocks.shape[lived], -15.0))
    town["weight"] = blocks.density[lived][town["home"]]
    town["kind"] = SEAT
    rural = _covered(settlements.shape)
    area = shapely.area(settlements.shape)
    rural["weight"] = (settlements.people / area)[rural["home"]]
    rural["kind"] = np.where(settlements.is_town[rural["home"]], TOWN, VILLAGE)
    cells = pd.concat([town, rural], ignore_index=True).drop_duplicates(["column", "row"], ignore_index=True)
    cells["weight"] *= np.exp(np.clip(rng.normal(0, 0.3, len(cells)), -0.7, 0.6))
    dry = ~shapely.intersects_xy(land.water, *_middles(cells).T)
    built = rng.random(len(cells)) > EMPTY
    return cells[dry & built].reset_index(drop=True)


def _covered(shapes: Shapes) -> pd.DataFrame:
    """Cells of the 100 m grid whose middle lies in each polygon: `column, row, home`."""
    shapely.prepare(shapes)
    bounds = np.nan_to_num(shapely.bounds(shapes))
    low = np.floor(bounds[:, :2] / CELL_M).astype(np.int64)
    wide, high = (np.ceil(bounds[:, 2:] / CELL_M).astype(np.int64) - low).T
    count = wide * high
    home = np.repeat(np.arange(len(shapes)), count)
    place = np.arange(len(home)) - np.repeat(np.cumsum(count) - count, count)
    column, row = low[home, 0] + place % wide[home], low[home, 1] + place // wide[home]
    inside = shapely.contains_xy(shapes[home], (column + 0.5) * CELL_M, (row + 0.5) * CELL_M)
    return pd.DataFrame({"column": column[inside], "row": row[inside], "home": home[inside]})


def _ages(
    cells: pd.DataFrame, whole: IntArray, control: Names, *, facts: Facts, land: Land, rng: np.random.Generator
) -> IntArray:
    """Whole people per cell and age group; rows sum to the cell, columns to the census of the control group.

    Old centres and villages are older, new estates younger: a tilt of ours, fitted to the totals (iterative
    proportional fitting, Deming and Stephan 1940), then rounded so that both margins hold.
    """
    xy = _middles(cells)
    near = np.exp(-np.hypot(*(xy - ORIGIN).T) / (5_000.0 * land.stretch))
    patchy = 0.12 * np.sin(xy[:, 0] / 1_900.0) * np.sin(xy[:, 1] / 1_700.0) + rng.normal(0, 0.05, len(xy))
    tilt = np.column_stack([1 - 0.15 * near - patchy, np.ones(len(xy)), 1 + 0.35 * near + 1.5 * patchy])
    found = np.zeros((len(cells), len(GROUPS)), dtype=np.int64)
    for name in facts.ages.index:
        rows = np.flatnonzero(control == name)
        target = facts.ages.loc[name].to_numpy(dtype=float)
        found[rows] = _rounded(_fitted(np.maximum(tilt[rows], 0.2) * target, whole[rows], target), whole[rows], target)
    return found


def _fitted(start: FloatArray, rows: IntArray, columns: FloatArray) -> FloatArray:
    table = start
    for _ in range(40):
        table = table * (columns / table.sum(axis=0))
        table = table * (rows / table.sum(axis=1))[:, None]
    return table


def _rounded(table: FloatArray, rows: IntArray, columns: FloatArray) -> IntArray:
    """Whole numbers near `table` whose rows and columns sum exactly.

    Rounded down first; the people then missing per row are given groups from a list that holds each group as often
    as its column is short, evenly mixed.
    """
    low = np.floor(table * (1 - 1e-12)).astype(np.int64)
    short = rows - low.sum(axis=1)
    lack = columns.astype(np.int64) - low.sum(axis=0)
    while (lack < 0).any():  # a column already too full after fitting's last digits: give one person back
        over, under = int(np.argmin(lack)), int(np.argmax(lack))
        row = int(np.argmax(low[:, over]))
        low[row, over] -= 1
        low[row, under] += 1
        lack[over] += 1
        lack[under] -= 1
    turn = np.concatenate([(np.arange(n) + 0.5) / n if n else [] for n in lack])
    label = np.repeat(np.arange(len(lack)), lack)[np.argsort(turn, kind="stable")]
    np.add.at(low, (np.repeat(np.arange(len(rows)), short), label), 1)
    return low
