"""OpenStreetMap extracts (.osm.pbf): streets, outlets, candidate places, homes, names and barriers, in one pass."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import geopandas as gpd
import numpy as np
import pandas as pd
from pyproj import CRS, Transformer

from walkshed.contracts import FloatArray, check_metric
from walkshed.errors import Fault, InputError
from walkshed.sources import osm_sites, osm_tables
from walkshed.sources.osm_raw import Bbox, Lines, scan
from walkshed.supply import Kind, kinds
from walkshed.ways import Ways
from walkshed.words import Lang

LICENCE = "ODbL 1.0, © OpenStreetMap contributors"


@dataclass(frozen=True)
class OsmExtract:
    """What the planner takes from an extract; every table in one metric CRS.

    Tables are indexed by `n`, `w` or `r` and the OpenStreetMap id; lines that are barriers by `l` and a number.

    Attributes
    ----------
    ways : streets that can be walked; bridges and tunnels cross others without joining, as only shared nodes join
    sites : Points; `name`, `kind`, `status` (an outlet the public cannot use is `closed`), `address`
    residential : Polygons of residential land; `name`
    buildings : Polygons; `use` (value of the tag `building`), `levels` (NaN where untagged)
    places : Points; `name`, `rank` 0 city, 1 district, 2 town, 3 suburb, 4 quarter, 5 village or estate
    barriers : LineStrings and Polygons; `kind` (river, railway, motorway, wall), `name`
    gates : Points; `kind` (gate, entrance), `name`, `access`
    boundaries : Polygons of administrative relations that the extract holds whole; `name`, `admin_level`, `code`
    notes : what is to be told, though it is no fault
    """

    ways: Ways
    sites: gpd.GeoDataFrame
    residential: gpd.GeoDataFrame
    buildings: gpd.GeoDataFrame
    places: gpd.GeoDataFrame
    barriers: gpd.GeoDataFrame
    gates: gpd.GeoDataFrame
    boundaries: gpd.GeoDataFrame
    notes: tuple[Fault, ...]


def read(
    path: Path, crs: object, *, bbox: Bbox | None = None, among: Mapping[str, Kind] | None = None, lang: Lang = "zh"
) -> OsmExtract:
    """Read everything the planner takes from an extract.

    `bbox` in degrees of WGS-84 leaves out what does not touch it. `among` are the kinds of sites to look for (default:
    all). `lang` is the language of the names given to what has none, such as “学府路附近公园”.

    Raises
    ------
    InputError
        If `crs` is not metric, the file is broken or of another format, or no street that can be walked lies in it or
        in `bbox`.
    MissingInputError
        If there is no such file.

    Examples
    --------
    >>> import tempfile
    >>> osm = '<osm version="0.6"><node id="1" lat="43.88" lon="125.30"/><node id="2" lat="43.88" lon="125.31"/>'
    >>> osm += '<way id="9"><nd ref="1"/><nd ref="2"/><tag k="highway" v="footway"/></way></osm>'
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     _ = (Path(folder) / "town.osm").write_text(osm)
    ...     read(Path(folder) / "town.osm", "EPSG:4551").ways.frame[["level"]].to_dict("records")
    [{'level': 'path'}]
    """
    metric = check_metric(crs, "crs")
    among = kinds() if among is None else among
    raw = scan(path, bbox=bbox, wanted=osm_tables.wanted(among))
    ways = _ways(raw.streets, metric, bbox, path.name)
    found = osm_tables.Found.project(raw, metric, bbox)
    places = osm_tables.places(found)
    sites, notes = osm_sites.sites(found, among, ways, places, lang=lang, where=path.name, bbox=bbox)
    return OsmExtract(
        ways=ways,
        sites=sites,
        residential=osm_tables.residential(found),
        buildings=osm_tables.buildings(found),
        places=places,
        barriers=osm_tables.barriers(found),
        gates=osm_tables.gates(found),
        boundaries=osm_tables.boundaries(found),
        notes=notes,
    )


def read_ways(path: Path, crs: object, *, bbox: Bbox | None = None) -> Ways:
    """Read the streets alone: what `read` gives as `ways`, in a fraction of the time.

    Raises
    ------
    InputError, MissingInputError
        As `read` does.
    """
    metric = check_metric(crs, "crs")
    return _ways(scan(path, bbox=bbox).streets, metric, bbox, path.name)


def _ways(streets: Lines, crs: CRS, bbox: Bbox | None, where: str) -> Ways:
    if not len(streets.node):
        raise InputError(_no_streets(streets, bbox, where))
    frame = pd.DataFrame(
        {
            "name": [tags["name"] for tags in streets.tags],
            "level": [tags["level"] for tags in streets.tags],
            "bridge": ["bridge" in tags for tags in streets.tags],
            "tunnel": ["tunnel" in tags for tags in streets.tags],
        }
    )
    return Ways(crs, streets.ptr, streets.node, project(streets.lonlat, crs), frame)


def project(lonlat: FloatArray, crs: CRS) -> FloatArray:
    """Degrees of WGS-84 to metres of `crs`; float64 (n, 2) both.

    >>> project(np.array([[126.0, 0.0]]), CRS("EPSG:4551")).round(3).tolist()
    [[500000.0, 0.0]]
    """
    to_metres = Transformer.from_crs("EPSG:4326", crs, always_xy=True)
    return np.column_stack(to_metres.transform(lonlat[:, 0], lonlat[:, 1]))


def _no_streets(streets: Lines, bbox: Bbox | None, where: str) -> Fault:
    if not streets.found:
        return Fault("osm.no_streets", where)
    if streets.extent is None or bbox is None:
        return Fault("osm.no_locations", where, {"ways": streets.found})
    area, found = (", ".join(f"{side:.3f}" for side in box) for box in (bbox, streets.extent))
    return Fault("osm.none_in_area", where, {"area": area, "found": found})
