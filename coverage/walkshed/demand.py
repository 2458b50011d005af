"""Who lives where: control totals spread over cells, or points as given; never a person lost without a word."""

from collections.abc import Sequence
from dataclasses import dataclass

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from walkshed.area import Area
from walkshed.contracts import FloatArray, IntArray, check_demand, groups_of, number_faults, refuse, row_faults
from walkshed.control import Control, control_of, scale_to_totals
from walkshed.errors import Fault
from walkshed.lattice import GeometryArray, apportion, curve_order, cut, diffuse, share_groups
from walkshed.residence import Weights, polygons, weigh

__all__ = ["Weights", "apportion", "clip_demand", "from_table", "scale_to_totals", "spread"]

MARGIN_M = 500.0
"""How far outside every unit a given point may lie and still belong to the nearest: boundaries are simplified."""

Demand = tuple[gpd.GeoDataFrame, tuple[Fault, ...]]


def spread(
    area: Area,
    totals: pd.DataFrame,
    *,
    cell_m: float = 100.0,
    weights: Weights | None = None,
    clip: shapely.Polygon | shapely.MultiPolygon | None = None,
) -> Demand:
    """Spread control totals over square cells, by residential land, floor area, or evenly; to the person.

    Dasymetric mapping (Wright 1936; Mennis 2003). Only what lies inside `clip` counts: a control group that it cuts
    keeps the share of its people inside, by weights as far as they are known (`weights.extent`), by area beyond. A
    unit without any residential land gets the mean weight of its control group over its land, water left out.

    Parameters
    ----------
    totals : DataFrame
        `people`, `people_<group>` and `units` per control group: see `control.control_of`.
    cell_m : float
        Side of a cell in metres. Cells are the same wherever the area ends: multiples of `cell_m` in the area's CRS.
    clip : polygon in the area's CRS, optional
        Where streets and places are known, such as the box of an extract.

    Returns
    -------
    demand, notes
        Points at cell centres (index `c<row>_<col>`; `people`, `people_<group>`, `unit`), whole people, no empty cells;
        and what there is to tell: units cut, units without residential land, units outside.

    Raises
    ------
    InputError
        With every fault of `totals`; if nobody lives inside.

    Examples
    --------
    >>> units = gpd.GeoDataFrame({"label": ["A"]}, geometry=[shapely.box(0, 0, 200, 100)], index=["a"], crs="EPSG:4551")
    >>> demand, notes = spread(Area.from_units(units, crs=4551), pd.DataFrame({"people": [11]}, index=["a"]))
    >>> demand["people"].to_dict()
    {'c0_0': 5.0, 'c0_1': 6.0}
    """
    control = control_of(area, totals)
    owner = control.of_unit
    layer = _layer(weights if weights is not None else Weights(), area, owner, clip)
    inside, notes = _people_inside(control, layer, area)
    pieces = cut(layer.shapes, cell_m)
    table = pieces.table().assign(unit=layer.unit[pieces.part], weight=pieces.area_m2 * layer.per_m2[pieces.part])
    cells = table[owner[table["unit"]] >= 0].groupby(["row", "col", "unit"], as_index=False)["weight"].sum()
    cells = cells.iloc[curve_order(cells["row"].to_numpy(), cells["col"].to_numpy())].reset_index(drop=True)
    group = owner[cells["unit"].to_numpy()]
    people = diffuse(inside[:, 0], cells["weight"], group)
    members = share_groups(people, inside, group)
    named = pd.DataFrame(members.astype(float), columns=[f"people_{g}" for g in control.groups])
    everyone = pd.concat([cells, named], axis=1).assign(people=people.astype(float))
    living = everyone[people > 0]
    if living.empty:
        refuse([Fault("demand.nobody_inside", "demand")])
    return _points(living, area, cell_m, control.groups), tuple(notes)


def from_table(
    frame: gpd.GeoDataFrame,
    area: Area,
    *,
    id_column: str | None = None,
    where: str = "demand",
    margin_m: float = MARGIN_M,
) -> Demand:
    """Take demand as given: points, or polygons (grids, hexagons) that become a point inside each.

    Parameters
    ----------
    frame : GeoDataFrame in any CRS
        Column `people`, any `people_<group>`; text that reads as numbers is read.
    id_column : str, optional
        Column of ids; left out: `demand_id` or `id` if there is one, else `d1`, `d2`, ... by row.
    margin_m : float
        Points farther than this outside every unit are left out, and the notes say how many people that is.

    Raises
    ------
    InputError
        With every fault: no CRS, missing or negative or unreadable numbers, groups over people, repeated ids, other
        geometries, nothing inside the area (longitude and latitude swapped?).

    Examples
    --------
    >>> homes = gpd.GeoDataFrame({"people": ["3", "4"]}, geometry=gpd.points_from_xy([0, 9], [0, 9]), crs="EPSG:4551")
    >>> from_table(homes, Area.around(homes.geometry, crs=4551))[0]["people"].to_dict()
    {'d1': 3.0, 'd2': 4.0}
    """
    columns = ["people", *(f"people_{g}" for g in groups_of(frame))]
    ids = _ids(frame, id_column)
    refuse(_table_faults(frame, columns, ids, where))
    shapes = frame.geometry.to_crs(area.crs)
    points = gpd.GeoSeries(shapely.point_on_surface(shapes.array), index=pd.Index(ids, name="demand_id"), crs=area.crs)
    numbers = {c: pd.to_numeric(frame[c]).to_numpy(dtype=float) for c in columns}
    demand = gpd.GeoDataFrame(numbers, index=points.index, geometry=points)
    demand = demand[demand["people"] > 0]
    kept, notes = _near(demand, area, margin_m, where)
    return check_demand(kept.assign(unit=area.unit_of(kept.geometry)), where), notes


def clip_demand(demand: gpd.GeoDataFrame, clip: shapely.Polygon | shapely.MultiPolygon) -> Demand:
    """Keep the demand inside a polygon of the same CRS; the note says how many people are left outside."""
    inside = shapely.intersects(clip, np.asarray(demand.geometry.array, dtype=object))
    outside = float(demand["people"].to_numpy()[~inside].sum())
    if not inside.any():
        refuse([Fault("demand.nobody_inside", "demand")])
    note = Fault("demand.clipped", "demand", {"people": round(outside), "of": round(float(demand["people"].sum()))})
    return demand[inside].copy(), (note,) if outside else ()


@dataclass(frozen=True)
class _Layer:
    """Weighted pieces inside the clip by unit, and what each unit weighs and measures: inside, known, in all."""

    shapes: GeometryArray
    per_m2: FloatArray
    unit: IntArray
    weight_in: FloatArray
    weight_known: FloatArray
    m2_in: FloatArray
    m2_known: FloatArray
    m2_all: FloatArray
    bare: IntArray  # units that would have had residential land, but have none


def _layer(given: Weights, area: Area, owner: IntArray, clip: shapely.Polygon | shapely.MultiPolygon | None) -> _Layer:
    units = np.asarray(area.units.geometry.array, dtype=object)
    told = weigh(given, area.crs)
    reach = shapely.union_all(polygons(given.extent, area.crs)) if given.extent is not None else clip
    known = units if reach is None else shapely.intersection(units, reach)
    inside = known if clip is None else shapely.intersection(known, clip)
    known_pieces, known_unit = told.within(known)
    beyond = clip is not None and given.extent is not None
    pieces, unit = told.within(inside) if beyond else (known_pieces, known_unit)
    weight_in, weight_known = pieces.sums(unit, len(units)), known_pieces.sums(known_unit, len(units))
    m2_in, m2_known = shapely.area(inside), shapely.area(known)
    bare = np.flatnonzero((weight_known <= 0) & (m2_in > 0))
    mean = _mean_weight(weight_known, m2_known, owner)[bare]
    land = _dry(inside[bare], polygons(given.water, area.crs))
    weight_in[bare], weight_known[bare] = m2_in[bare] * mean, m2_known[bare] * mean
    return _Layer(
        shapes=np.concatenate([pieces.shapes, land]),
        per_m2=np.concatenate([pieces.per_m2, mean * m2_in[bare] / shapely.area(land)]),  # dry land takes all of it
        unit=np.concatenate([unit, bare]),
        weight_in=weight_in,
        weight_known=weight_known,
        m2_in=m2_in,
        m2_known=m2_known,
        m2_all=shapely.area(units),
        bare=bare if given.told() else bare[:0],
    )


def _mean_weight(weight: FloatArray, m2: FloatArray, owner: IntArray) -> FloatArray:
    """Mean weight per m2 over the settled units of each unit's control group; 1 where none is settled."""
    settled, count = weight > 0, int(owner.max(initial=-1)) + 2
    sums = np.bincount(owner[settled] + 1, weight[settled], minlength=count)
    land = np.bincount(owner[settled] + 1, m2[settled], minlength=count)
    return np.divide(sums, land, out=np.ones(count), where=land > 0)[owner + 1]


def _dry(land: GeometryArray, water: GeometryArray) -> GeometryArray:
    """Land less water; all of it where nothing else would be left."""
    if not len(land) or not len(water):
        return land
    near = shapely.union_all(water[np.unique(shapely.STRtree(water).query(land, predicate="intersects")[1])])
    dry = shapely.difference(land, near)
    return np.where(shapely.area(dry) > 0, dry, land)


def _people_inside(control: Control, layer: _Layer, area: Area) -> tuple[IntArray, list[Fault]]:
    """Whole people and members of groups inside, (control groups, 1 + groups); and what the cuts did."""
    count, member = len(control.names), control.of_unit >= 0
    columns = (layer.weight_in, layer.weight_known, layer.m2_known, layer.m2_all)
    weight_in, weight_known, m2_known, m2_all = (
        np.bincount(control.of_unit[member], column[member], minlength=count) for column in columns
    )
    by_weight = np.divide(weight_in, weight_known, out=np.zeros(count), where=weight_known > 0)
    by_area = np.divide(m2_known, m2_all, out=np.zeros(count), where=m2_all > 0)
    share = np.where(by_weight * by_area > 1 - 1e-9, 1.0, by_weight * by_area)
    group = np.repeat(np.arange(count), 2)
    people = apportion(control.totals[:, 0], np.stack([share, 1 - share], axis=1).ravel(), group)
    members = share_groups(people, control.totals, group)
    inside = np.column_stack([people, members])[::2]
    notes = []
    for c in np.flatnonzero((share > 0) & (share < 1)):
        how = "area" if by_weight[c] > 1 - 1e-9 else "weights" if by_area[c] > 1 - 1e-9 else "both"
        values = {"share": float(share[c]), "people": int(inside[c, 0]), "of": int(control.totals[c, 0])}
        notes.append(Fault(f"demand.cut_by_{how}", control.labels[c], values))
    if outside := [control.labels[c] for c in np.flatnonzero(share <= 0)]:
        lost = int(control.totals[share <= 0, 0].sum())
        notes.append(Fault("demand.outside", "demand", {"units": ", ".join(outside), "people": lost}))
    notes += [
        Fault("demand.no_homes", area.units["label"].iloc[u], {"km2": float(layer.m2_in[u]) / 1e6})
        for u in layer.bare[member[layer.bare]]
    ]
    if untold := area.units["label"][~member & (layer.m2_in > 0)].tolist():
        notes.append(Fault("demand.no_total", "demand", {"units": ", ".join(untold)}))
    return inside, notes


def _points(living: pd.DataFrame, area: Area, cell_m: float, groups: Sequence[str]) -> gpd.GeoDataFrame:
    """Cells as points at their centres; a cell that units share has one point for each."""
    unit = area.units.index.to_numpy()[living["unit"]]
    ids = "c" + living["row"].astype(str) + "_" + living["col"].astype(str)
    ids = ids.where(~living.duplicated(["row", "col"]), ids + "-" + unit)
    centres = gpd.points_from_xy((living["col"] + 0.5) * cell_m, (living["row"] + 0.5) * cell_m, crs=area.crs)
    columns = living[["people", *(f"people_{g}" for g in groups)]].assign(unit=unit)
    return check_demand(gpd.GeoDataFrame(columns.set_axis(pd.Index(ids, name="demand_id")), geometry=centres))


def _ids(frame: gpd.GeoDataFrame, id_column: str | None) -> list[str]:
    found = [c for c in (id_column, "demand_id", "id") if c is not None and c in frame]
    return frame[found[0]].astype(str).tolist() if found else [f"d{i}" for i in range(1, len(frame) + 1)]


def _table_faults(frame: gpd.GeoDataFrame, columns: list[str], ids: list[str], where: str) -> list[Fault]:
    if frame.empty:
        return [Fault("table.no_rows", where)]
    faults = [Fault("table.no_crs", where)] if frame.crs is None else []
    if "people" not in frame:
        found = ", ".join(map(str, frame.columns))
        faults.append(Fault("table.missing_column", where, {"column": "people", "found": found}))
    numbers = {c: pd.to_numeric(frame[c], errors="coerce") for c in columns if c in frame}
    for column, values in numbers.items():
        bad = number_faults(frame, column, where)  # the text that is no number, as it was written
        faults += bad or number_faults(pd.DataFrame({column: values}), column, where)
        if column != "people" and "people" in numbers:
            over = (values > numbers["people"] * (1 + 1e-9) + 1e-9).to_numpy()
            faults += row_faults("table.group_over_total", frame, over, column, where)
    faults += row_faults(
        "table.duplicate", pd.DataFrame({"id": ids}), pd.Series(ids).duplicated(keep=False).to_numpy(), "id", where
    )
    shapes = frame.geometry
    empty = (shapes.isna() | shapes.is_empty).to_numpy()
    faults += row_faults("table.empty_geometry", frame, empty, "geometry", where)
    odd = ~empty & ~shapes.geom_type.isin(["Point", "Polygon", "MultiPolygon"]).to_numpy()
    faults += row_faults("table.geometry_type", frame, odd, "geometry", where, expected="Point / Polygon")
    if frame.crs is not None and frame.crs.is_geographic:
        bounds = shapely.bounds(shapes.array)
        off = ~empty & ((np.abs(bounds[:, [0, 2]]) > 360).any(axis=1) | (np.abs(bounds[:, [1, 3]]) > 90).any(axis=1))  # noqa: PLR2004
        faults += row_faults("demand.not_on_earth", frame, off, "geometry", where)
    return faults


def _near(demand: gpd.GeoDataFrame, area: Area, margin_m: float, where: str) -> Demand:
    """Leave out what lies farther than `margin_m` from every unit."""
    shapes = np.asarray(demand.geometry.array, dtype=object)
    tree = shapely.STRtree(np.asarray(area.units.geometry.array, dtype=object))
    near = np.zeros(len(demand), dtype=bool)
    near[tree.query(shapes, predicate="dwithin", distance=margin_m)[0]] = True
    if not near.any():
        refuse([Fault("demand.all_outside", where, {"rows": len(demand)})])
    people = demand["people"].to_numpy()
    values = {"rows": int((~near).sum()), "people": round(float(people[~near].sum())), "of": round(float(people.sum()))}
    return demand[near], () if near.all() else (Fault("demand.left_out", where, values),)
