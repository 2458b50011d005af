"""A city in files, as a user would bring it: 10 x 10 blocks of 100 m, people at every crossing, one library."""

from pathlib import Path

import geopandas as gpd
import pandas as pd
from shapely import LineString, Point, box

METRIC, X0, Y0, SIDE = "EPSG:4551", 445_000.0, 4_861_000.0, 10

SCENARIO = """
name = "small"
title = "小城"
[area]
units = "units.geojson"
id = "code"
label = "name"
[streets]
source = "streets.geojson"
[demand]
source = "cells.csv"
crs = "EPSG:4326"
[supply]
outlets = "outlets.csv"
outlets_crs = "wgs84"
candidates_file = "candidates.csv"
candidates_crs = "wgs84"
[standard]
limit_m = 350
[siting]
build = 1
"""


def at(col: float, row: float) -> Point:
    """A place by its crossing, in WGS-84."""
    return gpd.GeoSeries([Point(X0 + 100 * col, Y0 + 100 * row)], crs=METRIC).to_crs("EPSG:4326").iloc[0]


def write(folder: Path, *, scenario: str = SCENARIO, outlets: str | None = None) -> Path:
    """Write all files; return the scenario file."""
    crossings = [(c, r) for r in range(SIDE + 1) for c in range(SIDE + 1)]
    ends = [[(0, i), (SIDE, i)] for i in range(SIDE + 1)] + [[(i, 0), (i, SIDE)] for i in range(SIDE + 1)]
    lines = []
    for (c0, r0), (c1, r1) in ends:
        steps = [(c0 + (c1 - c0) * k / SIDE, r0 + (r1 - r0) * k / SIDE) for k in range(SIDE + 1)]
        lines.append(LineString([(X0 + 100 * c, Y0 + 100 * r) for c, r in steps]))
    streets = gpd.GeoDataFrame(
        {"name": [f"{i} 路" for i in range(len(lines))], "fclass": "residential"}, geometry=lines, crs=METRIC
    )
    streets.to_crs("EPSG:4326").to_file(folder / "streets.geojson", COORDINATE_PRECISION=12)
    half = X0 + 50 * SIDE
    shapes = [box(X0 - 99, Y0 - 99, half, Y0 + 1099), box(half, Y0 - 99, X0 + 1099, Y0 + 1099)]
    units = gpd.GeoDataFrame({"code": ["w", "e"], "name": ["西区", "东区"]}, geometry=shapes, crs=METRIC)
    units.to_crs("EPSG:4326").to_file(folder / "units.geojson")
    homes = [at(c, r) for c, r in crossings]
    cells = pd.DataFrame({"lon": [p.x for p in homes], "lat": [p.y for p in homes], "people": 10, "people_60p": 2})
    cells.to_csv(folder / "cells.csv", index=False)
    library, places = at(0, 0), {"近处公园": at(1, 1), "中心商场": at(5, 5), "角落学校": at(10, 10)}
    (folder / "outlets.csv").write_text(
        outlets or f"名称,类型,经度,纬度\n老图书馆,library,{library.x},{library.y}\n", encoding="utf-8-sig"
    )
    kinds = ["park", "mall", "school"]
    rows = [f"{name},{kind},{p.x},{p.y}" for (name, p), kind in zip(places.items(), kinds, strict=True)]
    (folder / "candidates.csv").write_text("\n".join(["名称,类型,经度,纬度", *rows]) + "\n", encoding="utf-8")
    file = folder / "scenario.toml"
    file.write_text(scenario, encoding="utf-8")
    return file
