"""What people read: a plan as a page, a map, tables and JSON, written all at once or not at all."""

from pathlib import Path
from typing import TYPE_CHECKING

from walkshed.publish.bundle import geojson_files, parquet_files, zip_of
from walkshed.publish.files import put
from walkshed.publish.map import Drawing, map_html
from walkshed.publish.page import page_html
from walkshed.publish.picture import map_png
from walkshed.publish.record import plan_json, run_json
from walkshed.publish.tables import geopackage, sites_csv, units_csv
from walkshed.publish.workbook import report_xlsx

if TYPE_CHECKING:
    from walkshed.plan import Plan

__all__ = ["render", "write"]


def render(plan: "Plan") -> dict[str, bytes]:
    """Return every file of a plan by its name, without touching the disk."""
    drawing = Drawing.of(plan)
    return {  # one after the other: rasterio and pyogrio both silence warnings in a way that threads undo
        "page.html": page_html(plan, drawing),
        "map.html": map_html(plan, drawing),
        "map.png": map_png(plan, drawing.cells),
        "report.xlsx": report_xlsx(plan),
        "plan.json": plan_json(plan),
        "run.json": run_json(plan),
        "sites.csv": sites_csv(plan),
        "units.csv": units_csv(plan),
        "plan.gpkg": geopackage(plan),
    }


def write(
    plan: "Plan", folder: Path | str, *, geojson: bool = False, parquet: bool = False, zipped: bool = False
) -> list[Path]:
    """Write all of `render` into `folder`; other files there stay.

    geojson, parquet : every layer as a file of its own too
    zipped : everything in one `plan.zip` too

    Raises
    ------
    OutputError
        If they cannot all be written; then none is, and what was there is as it was.
    """
    files = render(plan)
    files |= geojson_files(plan) if geojson else {}
    files |= parquet_files(plan) if parquet else {}
    return put(Path(folder), {**files, "plan.zip": zip_of(files)} if zipped else files)
