"""What every source delivers to the plan: one city, whole, in one metric coordinate reference system."""

import hashlib
from dataclasses import dataclass
from typing import Self

import geopandas as gpd
import pandas as pd

from walkshed.area import Area
from walkshed.errors import Fault
from walkshed.supply import kinds
from walkshed.ways import Ways


@dataclass(frozen=True)
class InputFile:
    """A file the answer rests on: its name without folders, the SHA-256 of its bytes (hex), its licence.

    >>> InputFile.of("empty.csv", b"", licence="CC0-1.0").sha256[:8]
    'e3b0c442'
    """

    name: str
    sha256: str
    licence: str

    @classmethod
    def of(cls, name: str, content: bytes, *, licence: str) -> Self:
        """Describe a file by its content."""
        return cls(name, hashlib.sha256(content).hexdigest(), licence)


@dataclass(frozen=True)
class City:
    """Everything the plan needs to know of a place; every table in the area's metric CRS.

    area : units, index: unit ids.
    ways : streets and paths as drawn, junctions told by vertex identity.
    demand : Points, index `demand_id`; `people`, optional `people_<group>`, `unit`.
    outlets : Points, index `site_id`; `name, kind, status` (open or planned), optional `address, seats, floor_m2,
        opened, cost, unit, settlement`.
    candidates : as outlets, `status` candidate.
    places : Points; `name`, `rank`: int, 0 city, 1 district seat, 2 town or street office, 3 township, 4 village,
        5 estate; names for gaps.
    barriers : lines and polygons; `kind`: river, lake, railway, motorway or wall; `name`.
    gates : Points where barriers are open, such as gates of compounds; None: none are known.
    schematic : whether the place is made up; said on every map, page and table.
    distances : `from_id` (demand), `to_id` (site), `distance_m` found elsewhere, in place of walks on the ways.
    inputs : the files it was read from.
    notes : things to tell the reader that are not errors.
    """

    area: Area
    ways: Ways
    demand: gpd.GeoDataFrame
    outlets: gpd.GeoDataFrame
    candidates: gpd.GeoDataFrame
    places: gpd.GeoDataFrame
    barriers: gpd.GeoDataFrame
    schematic: bool = False
    distances: pd.DataFrame | None = None
    gates: gpd.GeoSeries | None = None
    inputs: tuple[InputFile, ...] = ()
    notes: tuple[Fault, ...] = ()

    @property
    def stations(self) -> gpd.GeoSeries:
        """Outlets and candidates in stations, which are left over or under the tracks they lie among."""
        within = [key for key, kind in kinds().items() if kind.in_station]
        both = (self.outlets, self.candidates)
        return gpd.GeoSeries(pd.concat([sites.geometry[sites["kind"].isin(within)] for sites in both]))
