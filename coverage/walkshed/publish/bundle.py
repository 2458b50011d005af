"""The same layers in other forms, and everything in one archive."""

import zipfile
from collections.abc import Mapping
from io import BytesIO
from typing import TYPE_CHECKING

from walkshed.publish.tables import layers

if TYPE_CHECKING:
    from walkshed.plan import Plan

EARLIEST = (1980, 1, 1, 0, 0, 0)  # what a zip can say; ours say nothing of the clock


def geojson_files(plan: "Plan") -> dict[str, bytes]:
    """Return a GeoJSON file (RFC 7946: WGS-84) of each layer, by its name."""
    return {
        f"{name}.geojson": frame.to_json(drop_id=True, ensure_ascii=False, separators=(",", ":")).encode()
        for name, frame in layers(plan).items()
    }


def parquet_files(plan: "Plan") -> dict[str, bytes]:
    """Return a GeoParquet file of each layer, by its name."""
    found = {}
    for name, frame in layers(plan).items():
        file = BytesIO()
        frame.to_parquet(file, index=False)
        found[f"{name}.parquet"] = file.getvalue()
    return found


def zip_of(files: Mapping[str, bytes]) -> bytes:
    """Return one archive of `files`, in the order of their names. The same files give the same bytes.

    >>> import io, zipfile
    >>> zipfile.ZipFile(io.BytesIO(zip_of({"b": b"2", "a": b"1"}))).namelist()
    ['a', 'b']
    """
    file = BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        for name in sorted(files):
            archive.writestr(zipfile.ZipInfo(name, EARLIEST), files[name], zipfile.ZIP_DEFLATED)
    return file.getvalue()
