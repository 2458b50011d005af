"""Control totals: census people per group of units, which every map of people must add up to."""

import re
from dataclasses import dataclass

import geopandas as gpd
import numpy as np
import pandas as pd

from walkshed.area import Area
from walkshed.contracts import FloatArray, IntArray, groups_of, number_faults, refuse, row_faults
from walkshed.errors import Fault

_SEPARATORS = re.compile(r"[\s,;，；、|]+")

ROUNDS = 1000  # of raking; it settles in a few unless seeds and totals contradict each other
SEED = 1e-6  # of a cell's people: lets a group appear where the grid has none but the census has some


@dataclass(frozen=True)
class Control:
    """Whole people and members of groups, per control group; and the control group of every unit of the area.

    names : of the control groups; labels : for sentences; groups : names of the people_<group> columns.
    totals : (control groups, 1 + groups); of_unit : (units,), -1 where a unit belongs to none.
    """

    names: tuple[str, ...]
    labels: tuple[str, ...]
    groups: tuple[str, ...]
    totals: IntArray
    of_unit: IntArray


def control_of(area: Area, totals: pd.DataFrame) -> Control:
    """Read a table of control totals against the units of an area.

    Parameters
    ----------
    totals : DataFrame
        Index: id of the control group, or, without a column `units`, of the unit itself. Columns: `people`, optional
        `people_<group>`, optional `units` (a list of unit ids, or text with spaces, commas or semicolons between them).

    Raises
    ------
    InputError
        With every fault: numbers, groups over people, unknown units, units claimed twice.
    """
    groups = groups_of(totals)
    numbers = ["people", *(f"people_{g}" for g in groups)]
    if "people" not in totals:
        found = ", ".join(map(str, totals.columns))
        refuse([Fault("table.missing_column", "totals", {"column": "people", "found": found})])
    faults = [Fault("table.no_rows", "totals")] if totals.empty else []
    faults += [fault for column in numbers for fault in number_faults(totals, column, "totals")]
    if not faults:
        for column in numbers[1:]:
            over = (totals[column] > totals["people"]).to_numpy()
            faults += row_faults("table.group_over_total", totals, over, column, "totals")
    listed = _units_listed(totals)
    faults += _unit_faults(listed, area)
    refuse(faults)
    owner = pd.Series(np.repeat(np.arange(len(listed)), [len(ids) for ids in listed]), [u for x in listed for u in x])
    of_unit = owner.reindex(area.units.index).fillna(-1).to_numpy(dtype=np.int64)
    names = area.units["label"].reindex(totals.index.astype(str)).fillna("").tolist()
    labels = tuple(name or str(key) for name, key in zip(names, totals.index, strict=True))
    people = np.rint(totals[numbers].to_numpy(dtype=float)).astype(np.int64)
    return Control(tuple(totals.index.astype(str)), labels, tuple(groups), people, np.asarray(of_unit, dtype=np.int64))


def scale_to_totals(
    demand: gpd.GeoDataFrame, area: Area, totals: pd.DataFrame
) -> tuple[gpd.GeoDataFrame, tuple[Fault, ...]]:
    """Scale people in proportion so that each control group of units adds up to its total; keeps where they are.

    Group columns of the totals are met too (raked: Deming and Stephan 1940), never above a cell's people; group columns
    that only the demand has keep their share of the people. The demand must hold *whole* units: clip afterwards.

    Returns
    -------
    demand, notes
        Notes tell the factor of every control group, people in no control group (dropped), and totals with nobody to
        scale (lost).

    Raises
    ------
    InputError
        As `control_of`.
    """
    control = control_of(area, totals)
    owner = control.of_unit[area.units.index.get_indexer(demand["unit"])]
    kept, owner = demand[owner >= 0].copy(), owner[owner >= 0]
    before = kept["people"].to_numpy(dtype=float)
    sums = np.bincount(owner, before, minlength=len(control.names))
    wanted = control.totals[:, 0].astype(float)
    factor = np.divide(wanted, sums, out=np.zeros_like(sums), where=sums > 0)
    kept["people"] = before * factor[owner]
    for group in set(groups_of(kept)) - set(control.groups):
        kept[f"people_{group}"] = kept[f"people_{group}"] * factor[owner]
    if control.groups:
        kept[[f"people_{g}" for g in control.groups]] = _raked(kept, before, owner, control)
    notes = [
        Fault("demand.scaled", label, {"grid": round(s), "total": round(w), "factor": f})
        for label, s, w, f in zip(control.labels, sums, wanted, factor, strict=True)
        if s > 0
    ]
    notes += [
        Fault("demand.nobody_to_scale", label, {"people": round(w)})
        for label, s, w in zip(control.labels, sums, wanted, strict=True)
        if s <= 0 < w
    ]
    if dropped := float(demand["people"].sum()) - float(before.sum()):
        notes.append(Fault("demand.no_control", "demand", {"people": round(dropped)}))
    return kept[kept["people"] > 0], tuple(notes)


def _raked(kept: gpd.GeoDataFrame, before: FloatArray, owner: IntArray, control: Control) -> FloatArray:
    """Members of each control group of people per cell: rows never above the people, sums as the totals say."""
    people = kept["people"].to_numpy(dtype=float)
    share = np.array([_share(kept, f"people_{g}", before) for g in control.groups]).T
    raked = np.zeros_like(share)
    for c, totals in enumerate(control.totals.astype(float)):
        mine = owner == c
        if not mine.any():
            continue
        if np.isclose(totals[1:].sum(), totals[0]):  # bands: one table of all of them
            raked[mine] = rake(share[mine] * people[mine, None], people[mine], totals[1:])
        else:  # each against everybody else
            for g, total in enumerate(totals[1:]):
                pair = np.stack([share[mine, g], 1 - share[mine, g]], axis=1) * people[mine, None]
                raked[mine, g] = rake(pair, people[mine], np.array([total, totals[0] - total]))[:, 0]
    return raked


def _share(kept: gpd.GeoDataFrame, column: str, before: FloatArray) -> FloatArray:
    """Share of a group in each cell; without the column, or where nobody lives, everybody alike."""
    if column not in kept:
        return np.full(len(kept), 0.5)
    members: FloatArray = kept[column].to_numpy(dtype=float)
    return np.asarray(np.divide(members, before, out=np.full(len(kept), 0.5), where=before > 0))


def rake(seed: FloatArray, rows: FloatArray, columns: FloatArray) -> FloatArray:
    """Fit a table to its row and column sums, in proportion (iterative proportional fitting, Deming and Stephan 1940).

    >>> rake(np.ones((2, 2)), np.array([3.0, 1.0]), np.array([2.0, 2.0])).tolist()
    [[1.5, 1.5], [0.5, 0.5]]
    """
    table = np.maximum(seed, SEED * np.maximum(rows, SEED)[:, None])
    for _ in range(ROUNDS):
        sums = table.sum(axis=0)
        table = table * np.divide(columns, sums, out=np.zeros_like(sums), where=sums > 0)
        sums = table.sum(axis=1)
        table = table * np.divide(rows, sums, out=np.zeros_like(sums), where=sums > 0)[:, None]
        if np.allclose(table.sum(axis=0), columns, rtol=1e-9, atol=1e-6):
            break
    return table


def _units_listed(totals: pd.DataFrame) -> list[list[str]]:
    """Unit ids of each row."""
    if "units" not in totals:
        return [[str(key)] for key in totals.index]
    split = totals["units"].map(lambda u: [p for p in _SEPARATORS.split(u) if p] if isinstance(u, str) else list(u))
    return [[str(unit) for unit in units] for units in split]


def _unit_faults(listed: list[list[str]], area: Area) -> list[Fault]:
    every = pd.Series([unit for units in listed for unit in units], dtype=object)
    unknown = [u for u in every.unique() if u not in area.units.index]
    twice = every[every.duplicated()].unique().tolist()
    there = ", ".join(map(str, area.units.index[:20]))
    return [
        *([Fault("demand.unknown_unit", "totals", {"units": ", ".join(unknown), "known": there})] if unknown else []),
        *([Fault("demand.unit_twice", "totals", {"units": ", ".join(twice)})] if twice else []),
    ]
