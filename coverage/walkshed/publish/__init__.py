"""What people read: a plan as a map, tables and JSON, written all at once or not at all."""

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING

from walkshed.publish.files import put
from walkshed.publish.map import map_html
from walkshed.publish.record import plan_json, run_json
from walkshed.publish.tables import geopackage, sites_csv, units_csv

if TYPE_CHECKING:
    from walkshed.plan import Plan

__all__ = ["render", "write"]


def render(plan: "Plan") -> dict[str, bytes]:
    """Return every file of a plan by its name, without touching the disk."""
    with ThreadPoolExecutor(1) as helper:  # the GeoPackage is GDAL's work, done beside ours
        package = helper.submit(geopackage, plan)
        page = map_html(plan)
        tables = package.result()
    return {
        "map.html": page,
        "plan.json": plan_json(plan),
        "run.json": run_json(plan),
        "sites.csv": sites_csv(plan),
        "units.csv": units_csv(plan),
        "plan.gpkg": tables,
    }


def write(plan: "Plan", folder: Path | str) -> list[Path]:
    """Write `map.html, plan.json, run.json, sites.csv, units.csv, plan.gpkg` into `folder`; other files there stay.

    Raises
    ------
    OutputError
        If they cannot all be written; then none is, and what was there is as it was.
    """
    return put(Path(folder), render(plan))
