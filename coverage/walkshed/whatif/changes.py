"""A scenario's changes laid on prepared ground: sites opened, closed, moved and added, everything else as it was."""

from collections.abc import Iterable, Mapping
from dataclasses import replace

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
from pyproj import CRS

from walkshed.anchors import Anchored, anchor
from walkshed.area import Area
from walkshed.contracts import refuse
from walkshed.errors import Fault
from walkshed.ground import Ground
from walkshed.scenario import Add, Close, Move, Open, Scenario
from walkshed.sources.coordinates import to_wgs84
from walkshed.supply import kinds

MARGIN_M = 2_000.0
"""How far outside the area a site may be put: it serves people inside; farther is a slip. As for tables of outlets."""

SiteChange = Open | Close | Move | Add


def changed(ground: Ground, scenario: Scenario) -> Ground:
    """The city as the scenario changes it; the very same ground where it changes no site.

    Changes hold in their order. `open` and `close` are for outlets, `move` for outlets and candidates, `add` makes
    either. Outlets of a kind whose share the scenario sets to 0 are switched off: they count as closed. Only what was
    moved or added is put on the network anew.

    Raises
    ------
    InputError
        With every change that names an unknown site, repeats an id, or puts a site outside the area.
    """
    sites = tuple(c for c in scenario.change if isinstance(c, SiteChange))
    off = [key for key, section in scenario.kinds.items() if section.share == 0.0]
    if not sites and not (off and ground.city.outlets["kind"].isin(off).any()):
        return ground
    refuse(_faults(ground, sites))
    city = ground.city
    put = _put(sites, city.area)
    outlets = _table(city.outlets, sites, put, of=("open", "planned"))
    outlets.loc[outlets["kind"].isin(off), "status"] = "closed"
    candidates = _table(city.candidates, sites, put, of=("candidate",))
    return replace(
        ground,
        city=replace(city, outlets=outlets, candidates=candidates),
        outlets=_anchored(ground, ground.outlets, outlets, put, scenario),
        candidates=_anchored(ground, ground.candidates, candidates, put, scenario),
    )


def on_map(lon: float, lat: float, crs: str, to: CRS) -> shapely.Point:
    """A point given in a named system, in the metric CRS."""
    x, y = to_wgs84([lon], [lat], crs)
    point: shapely.Point = gpd.GeoSeries(gpd.points_from_xy(x, y), crs="EPSG:4326").to_crs(to).iloc[0]
    return point


def _put(changes: Iterable[SiteChange], area: Area) -> dict[str, shapely.Point]:
    """Where sites that were moved or added stand in the end."""
    return {c.site: on_map(c.lon, c.lat, c.crs, area.crs) for c in changes if isinstance(c, Move | Add)}


def _table(
    table: gpd.GeoDataFrame, changes: Iterable[SiteChange], put: Mapping[str, shapely.Point], *, of: tuple[str, ...]
) -> gpd.GeoDataFrame:
    """One table of sites after all changes; `of` are the statuses that are added to it."""
    changes = list(changes)
    new = [c for c in changes if isinstance(c, Add) and c.status in of]
    rows = {c.site: {"name": c.name, "kind": c.kind, "status": c.status, "seats": c.seats, "cost": c.cost} for c in new}
    made = gpd.GeoDataFrame(
        pd.DataFrame.from_dict(rows, orient="index", columns=["name", "kind", "status", "seats", "cost"], dtype=object),
        geometry=[put[c.site] for c in new], crs=table.crs,
    )  # fmt: skip
    made = made.drop(columns=[c for c in ("seats", "cost") if c not in table and made[c].isna().all()])
    whole = gpd.GeoDataFrame(pd.concat([table.astype(object), made.astype(object)]) if new else table.copy())
    whole = whole.set_geometry("geometry", crs=table.crs).rename_axis(table.index.name)
    moved = [site for site in put if site in whole.index]
    whole.loc[moved, "geometry"] = gpd.GeoSeries([put[site] for site in moved], index=moved, crs=table.crs)
    for change in changes:
        if isinstance(change, Open | Close) and change.site in whole.index:
            whole.loc[change.site, "status"] = "open" if isinstance(change, Open) else "closed"
    return whole


def _anchored(
    ground: Ground, before: Anchored, table: gpd.GeoDataFrame, put: Mapping[str, shapely.Point], scenario: Scenario
) -> Anchored:
    """Places on the network: known ones kept, those that were put somewhere found anew."""
    fresh = table[table.index.isin(list(put))]
    if fresh.empty:
        return before
    kept = before.take(before.ids[~before.ids.isin(fresh.index)])
    return kept.join(anchor(ground.network, fresh, max_access_m=scenario.standard.max_access_m)).take(table.index)


def _faults(ground: Ground, changes: tuple[SiteChange, ...]) -> list[Fault]:
    outlets, candidates = set(ground.city.outlets.index), set(ground.city.candidates.index)
    inside = ground.city.area.units.union_all().buffer(MARGIN_M) if changes else None
    found = []
    for number, change in enumerate(changes, start=1):
        where = f"[[change]] {change.type} {number}"
        values = {"site": change.site}
        if isinstance(change, Add):
            if change.site in outlets | candidates:
                found.append(Fault("whatif.twice", where, values))
            if change.kind not in kinds():
                found.append(Fault("whatif.kind", where, {"kind": change.kind, "known": ", ".join(kinds())}))
            (candidates if change.status == "candidate" else outlets).add(change.site)
        elif change.site not in (outlets | candidates if isinstance(change, Move) else outlets):
            found.append(Fault("whatif.unknown", where, values))
        if isinstance(change, Move | Add) and ground.given is not None:
            found.append(Fault("whatif.given", where, values))
        elif isinstance(change, Move | Add):
            point = on_map(change.lon, change.lat, change.crs, ground.city.area.crs)
            if not (np.isfinite([point.x, point.y]).all() and shapely.intersects(inside, point)):
                found.append(Fault("whatif.outside", where, {**values, "lon": change.lon, "lat": change.lat}))
    return found
