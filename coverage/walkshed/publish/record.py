"""The plan as one JSON document: what was asked, what came out, what it rests on; how long it took stands apart."""

import json
import sys
from typing import TYPE_CHECKING, Any

import geopandas as gpd
import numpy as np
import pandas as pd

if TYPE_CHECKING:
    from walkshed.plan import Plan

Record = dict[str, Any]

DIGITS = {"people": 3, "served_before": 3, "served_after": 3, "people_gained": 3, "off_network": 3, "bound": 3,
          "share_before": 6, "share_after": 6, "gap": 8, "area_km2": 4, "nearest_m": 1, "lon": 6, "lat": 6}  # fmt: skip
"""Decimals kept, by the name of a value: a thousandth of a person, 0.1 m, 0.1 m in degrees."""


def plan_json(plan: "Plan") -> bytes:
    """Return the plan as UTF-8 JSON with sorted keys and no clock: the same input and seed give the same bytes."""
    return _dump(plan_record(plan))


def run_json(plan: "Plan") -> bytes:
    """Return timings and peak memory of the run, which differ from run to run and so have a file of their own."""
    return _dump({"name": plan.name, "peak_memory_mb": peak_memory_mb(), "timings_s": getattr(plan, "timings", {})})


def peak_memory_mb() -> int | None:
    """Return the most memory this process has held at a time, in MB; None where the system does not say (Windows)."""
    if sys.platform == "win32":
        return None
    import resource  # noqa: PLC0415 - Windows has no such module

    most = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return round(most / (1024**2 if sys.platform == "darwin" else 1024))  # bytes there, kilobytes elsewhere


def plan_record(plan: "Plan") -> Record:
    """Return everything `plan.json` holds, as plain values."""
    units, siting = plan.units, plan.siting
    return {
        "name": plan.name,
        "title": plan.title,
        "schematic": bool(plan.schematic),
        "standard": {"id": plan.standard_id, "limit_m": _number("limit_m", plan.limit_m)},
        "totals": {key: _number(key, value) for key, value in plan.totals.items()},
        "units": _rows(units[[c for c in _UNIT if c in units]].rename_axis("id")),
        "groups": _rows(plan.groups.rename_axis("id")),
        "distances": _rows(plan.distances, keep_index=False),
        "gaps": _rows(_located(plan.gaps, _GAP)),
        "sites": _rows(_located(plan.sites, _SITE)),
        "siting": {key: _number(key, getattr(siting, key)) for key in ("model", "status", "people", "bound", "gap")},
        "years": [_plain("", vars(year)) for year in plan.years],
        "findings": [finding.record() for finding in plan.findings],
        "notes": [{"where": n.where, "zh": n.text("zh"), "en": n.text("en")} for n in plan.notes],
        "provenance": _plain("", plan.provenance),
    }


_UNIT = ["label", "people", "served_before", "served_after", "share_before", "share_after", "outlets"]
_GAP = ["name", "unit", "people", "area_km2", "nearest_m", "near"]
_SITE = ["name", "kind", "offer", "unit", "settlement", "order", "year", "people_gained"]


def lonlat(frame: gpd.GeoDataFrame) -> gpd.GeoSeries:
    """Return one WGS-84 point per row, index-aligned: the point itself, or one that lies inside the polygon.

    >>> from shapely import Point
    >>> lonlat(gpd.GeoDataFrame(geometry=[Point(500_000, 0)], crs="EPSG:4551")).iloc[0].wkt
    'POINT (126 0)'
    """
    inside = frame.geometry if (frame.geom_type == "Point").all() else frame.geometry.representative_point()
    return inside.to_crs("EPSG:4326")


def _located(frame: gpd.GeoDataFrame, columns: list[str]) -> pd.DataFrame:
    table = pd.DataFrame(frame[[c for c in columns if c in frame]]).rename_axis("id")
    where = lonlat(frame)
    return table.assign(lon=where.x.to_numpy(), lat=where.y.to_numpy())


def _rows(table: pd.DataFrame, *, keep_index: bool = True) -> list[Record]:
    flat = table.reset_index() if keep_index else table
    return [{str(k): _number(str(k), v) for k, v in row.items()} for row in flat.to_dict("records")]


def _plain(key: str, value: object) -> object:
    """Return `value` as JSON knows it, numpy scalars and tuples included."""
    if isinstance(value, dict):
        return {str(k): _plain(str(k), v) for k, v in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(key, item) for item in value]
    return _number(key, value)


def _number(key: str, value: Any) -> object:  # noqa: ANN401 - whatever a table's cell holds
    """Round by the value's name; what is not there (NaN, None) is null, never a number."""
    if isinstance(value, (bool, np.bool_)):
        return bool(value)
    if isinstance(value, (int, np.integer)):
        return int(value)
    if isinstance(value, (float, np.floating)):
        return round(float(value), DIGITS.get(key, 6)) + 0.0 if np.isfinite(value) else None
    return None if value is None or value is pd.NA else str(value)


def _dump(record: Record) -> bytes:
    text = json.dumps(record, ensure_ascii=False, sort_keys=True, indent=1, allow_nan=False)
    return (text + "\n").encode()
