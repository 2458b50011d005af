"""Small cities for tests: streets, people and sites in EPSG:4551, made ready to walk."""

from collections.abc import Sequence
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
from shapely import LineString, Point, box

from walkshed.area import Area
from walkshed.ground import Ground, prepare
from walkshed.scenario import Scenario
from walkshed.sources.city import City
from walkshed.ways import Ways
from worlds import CRS

Line = Sequence[tuple[float, float]]


def lines_of(lines: Sequence[Line], **columns: Any) -> gpd.GeoDataFrame:
    return gpd.GeoDataFrame(columns, geometry=[LineString(line) for line in lines], crs=CRS)


def sites_of(sites: dict[str, tuple[float, float]], **columns: Any) -> gpd.GeoDataFrame:
    """Sites by id at (x, y); branches that are open unless said otherwise."""
    given = {"name": list(sites), "kind": "branch", "status": "open", **columns}
    index = pd.Index(list(sites), name="site_id", dtype=object)
    return gpd.GeoDataFrame(given, geometry=[Point(at) for at in sites.values()], index=index, crs=CRS)


def city(
    lines: gpd.GeoDataFrame,
    people: Sequence[tuple[float, float, float]],
    *,
    outlets: gpd.GeoDataFrame | None = None,
    candidates: gpd.GeoDataFrame | None = None,
    barriers: gpd.GeoDataFrame | None = None,
    units: dict[str, tuple[float, float, float, float]] | None = None,
    bridge: Sequence[bool] | None = None,
    **groups: Sequence[float],
) -> City:
    """A city of lines, people as (x, y, how many), sites and boxes as units; everything is one unit by default."""
    held = units or {"all": (-50_000, -50_000, 50_000, 50_000)}
    boxes = gpd.GeoDataFrame(
        {"label": list(held)}, geometry=[box(*b) for b in held.values()], index=list(held), crs=CRS
    )
    area = Area.from_units(boxes, crs=CRS)
    at = gpd.GeoSeries([Point(x, y) for x, y, _ in people], index=[f"d{i}" for i in range(len(people))], crs=CRS)
    columns = {"people": [float(n) for *_, n in people], **{f"people_{g}": list(v) for g, v in groups.items()}}
    demand = gpd.GeoDataFrame({**columns, "unit": area.unit_of(at).to_numpy()}, index=at.index, geometry=at, crs=CRS)
    ways = Ways.from_lines(lines)
    if bridge is not None:
        ways.frame["bridge"] = np.array(bridge)
    none = sites_of({})
    if barriers is None:
        barriers = gpd.GeoDataFrame({"kind": [], "name": []}, geometry=gpd.GeoSeries([], crs=CRS), crs=CRS)
    return City(
        area=area, ways=ways, demand=demand, outlets=none if outlets is None else outlets,
        candidates=none if candidates is None else candidates.assign(status="candidate"),
        places=gpd.GeoDataFrame({"name": [], "rank": []}, geometry=gpd.GeoSeries([], crs=CRS), crs=CRS),
        barriers=barriers,
    )  # fmt: skip


def asks(**sections: Any) -> Scenario:
    """The default question with some sections changed."""
    return Scenario.default().revise(**sections)


def ground(held: City, scenario: Scenario | None = None) -> Ground:
    return prepare(held, scenario or asks())


def barriers_of(lines: Sequence[Any], kind: str | list[str] = "river") -> gpd.GeoDataFrame:
    shapes = [line if hasattr(line, "geom_type") else LineString(line) for line in lines]
    return gpd.GeoDataFrame(
        {"kind": kind if isinstance(kind, list) else [kind] * len(lines), "name": ""}, geometry=shapes, crs=CRS
    )
