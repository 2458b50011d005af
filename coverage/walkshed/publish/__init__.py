"""What people read: a plan as a page, a map, tables and JSON, written all at once or not at all."""

from concurrent.futures import ThreadPoolExecutor
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
    with ThreadPoolExecutor(2) as helper:  # GDAL and the solver work outside Python, so beside the drawing
        reasons, package = helper.submit(lambda: plan.why), helper.submit(geopackage, plan)
        drawing = Drawing.of(plan)
        reasons.result()
        pages = {"page.html": page_html(plan, drawing), "map.html": map_html(plan, drawing)}
        picture = map_png(plan, drawing.cells)
        tables = package.result()
    return {
        **pages,
        "map.png": picture,
        "report.xlsx": report_xlsx(plan),
        "plan.json": plan_json(plan),
        "run.json": run_json(plan),
        "sites.csv": sites_csv(plan),
        "units.csv": units_csv(plan),
        "plan.gpkg": tables,
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
