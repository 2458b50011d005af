"""A scenario's files become a City, whatever form they are in."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import cast

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
from pyproj import CRS
from shapely import Polygon

from walkshed.area import Area, metric_crs
from walkshed.contracts import Progress, refuse
from walkshed.demand import Weights, clip_demand, from_table, scale_to_totals, spread
from walkshed.errors import Fault
from walkshed.scenario import Scenario, files, has_osm, is_grid
from walkshed.sources import osm, sample
from walkshed.sources.city import City, InputFile
from walkshed.sources.grids import read_grid
from walkshed.sources.od import read_od
from walkshed.sources.streets import from_lines, read_graphml, read_lines
from walkshed.sources.tables import read_outlets
from walkshed.sources.vector import read_csv, read_points, read_vector
from walkshed.supply import kinds, merge_near
from walkshed.ways import Ways

HOMES = ("apartments", "residential", "house", "dormitory", "terrace", "detached", "semidetached_house", "bungalow")
"""Values of OpenStreetMap's `building` that people live in."""

SAME_SITE_M = 30.0  # a library is often both a point and a building

UNSTATED = "not stated"

STREETS: dict[str, Callable[..., tuple[Ways, tuple[Fault, ...]]]] = {".graphml": read_graphml}
"""Who reads streets from files of an ending, from a path, the metric CRS and `bbox` by name; the rest are lines."""


def load(scenario: Scenario, *, progress: Progress | None = None) -> City:
    """Read everything a scenario names.

    Raises
    ------
    InputError
        With every fault of the file at fault.
    """
    if scenario.schematic:
        scale, only = scenario.streets.scale, scenario.supply.candidates
        city = sample.build(seed=scenario.seed) if scale is None else sample.build(seed=scenario.seed, scale=scale)
        kept = city.candidates if only is None else city.candidates[city.candidates["kind"].isin(only)]
        return replace(city, candidates=kept)
    tell = progress or (lambda _step, _share: None)
    return _Files(scenario).city(tell)


@dataclass(frozen=True)
class _Files:
    """The files of one scenario, each read once, when first asked for."""

    scenario: Scenario

    def city(self, tell: Progress) -> City:
        """Everything, in the order in which one part needs the other."""
        ways, told = self.ways
        tell("streets", 1.0)
        demand, notes = self.demand
        tell("people", 1.0)
        extract = self.extract
        return City(
            area=self.area, ways=ways, demand=demand, outlets=self.outlets, candidates=self.candidates,
            places=nothing(self.crs, "name", "rank") if extract is None else extract.places,
            barriers=nothing(self.crs, "kind", "name") if extract is None else extract.barriers,
            gates=None if extract is None else extract.gates.geometry,
            distances=self.distances, inputs=self.inputs, notes=(*told, *notes),
        )  # fmt: skip

    @cached_property
    def crs(self) -> CRS:
        """The metric CRS of the whole analysis: the scenario's, else the one that suits the clip, or the units."""
        section = self.scenario.area
        if section is not None and section.crs is not None:
            return CRS.from_user_input(section.crs)
        if section is not None and section.clip is not None:
            return metric_crs(gpd.GeoSeries([shapely.box(*section.clip)], crs="EPSG:4326"))
        return metric_crs(self.given if self.units is None else self.units)

    @cached_property
    def units(self) -> gpd.GeoDataFrame | None:
        """Units as their file has them, indexed by their ids; None where the scenario names none."""
        section = self.scenario.area
        if section is None:
            return None
        frame = read_vector(self._path(section.units), crs=section.units_crs, columns=(section.id, section.label))
        return frame.set_index(frame[section.id].astype(str).rename("unit"))

    @cached_property
    def whole(self) -> Area:
        """All units of the file, or one unit that holds all the demand."""
        if self.units is None or self.scenario.area is None:
            return Area.around(self.given.geometry, crs=self.crs)
        return Area.from_units(self.units, label=self.scenario.area.label, crs=self.crs)

    @cached_property
    def area(self) -> Area:
        """The units that the streets reach into: the study area."""
        touched = self.whole.units[self.whole.units.intersects(self.clip)]
        where = self.scenario.area.units if self.scenario.area else "demand"
        refuse([Fault("vector.clip_outside", where)] if touched.empty else [])
        return Area(touched)

    @cached_property
    def clip(self) -> Polygon:
        """Where streets are known: the box they fill and a walk to it, inside the scenario's own clip."""
        xy = self.ways[0].xy
        if not len(xy):
            own = self._own_clip
            return own if own is not None else shapely.box(*gpd.GeoDataFrame(self.units).to_crs(self.crs).total_bounds)
        filled: Polygon = shapely.box(*xy.min(axis=0), *xy.max(axis=0)).buffer(self.scenario.standard.max_access_m)
        return filled if self._own_clip is None else cast("Polygon", filled.intersection(self._own_clip))

    @cached_property
    def _own_clip(self) -> Polygon | None:
        """The scenario's clip in metres."""
        if self._clip is None:
            return None
        corners = shapely.segmentize(shapely.box(*self._clip), 0.01)  # degrees: a straight side is none in metres
        [own] = gpd.GeoSeries([corners], crs="EPSG:4326").to_crs(self.crs)
        return Polygon(own)

    @property
    def _clip(self) -> tuple[float, float, float, float] | None:
        return None if self.scenario.area is None else self.scenario.area.clip

    @cached_property
    def extract(self) -> osm.OsmExtract | None:
        """The OpenStreetMap extract, where the streets come from one."""
        if not has_osm(self.scenario):
            return None
        return osm.read(self._streets, self.crs, bbox=self._clip)

    @cached_property
    def ways(self) -> tuple[Ways, tuple[Fault, ...]]:
        """Streets, and what there is to tell of them."""
        if self.extract is not None:
            return self.extract.ways, self.extract.notes
        if self.scenario.streets.source is None:
            return Ways.none(self.crs), ()  # distances come from elsewhere
        path, stated = self._streets, self.scenario.streets.crs
        if stated is not None:
            return from_lines(read_vector(path, crs=stated), self.crs, bbox=self._clip, where=path.name)
        return STREETS.get(path.suffix.lower(), read_lines)(path, self.crs, bbox=self._clip)

    @property
    def distances(self) -> pd.DataFrame | None:
        """Distances from elsewhere, where the scenario brings them."""
        section = self.scenario.reach
        return None if section is None else read_od(self._path(section.source), self.scenario)

    @property
    def _streets(self) -> Path:
        return self._path(self.scenario.streets.source or "")

    @cached_property
    def given(self) -> gpd.GeoDataFrame:
        """People at places, as their file has them."""
        section = self.scenario.demand
        path = self._path(section.source or "")
        if path.suffix.lower() == ".csv":
            frame = read_points(path, crs=section.crs)
        else:
            frame = read_vector(path, crs=section.crs)
        named = [column for columns in section.groups.values() for column in columns]
        refuse(_missing(path.name, frame, named))
        groups = {f"people_{g}": frame[list(columns)].sum(axis=1) for g, columns in section.groups.items()}
        return frame.assign(**groups)

    @cached_property
    def demand(self) -> tuple[gpd.GeoDataFrame, tuple[Fault, ...]]:
        """Who lives where, and what there is to tell of it."""
        section = self.scenario.demand
        if section.source is None:
            return spread(self.whole, self._totals(), cell_m=section.cell_m, weights=self._weights(), clip=self.clip)
        if is_grid(section.source):
            bands = {group: list(of) for group, of in section.bands.items()} or None
            further = {group: [self._path(name) for name in of] for group, of in section.groups.items()} or None
            path = self._path(section.source)
            people, notes = read_grid(path, self.whole, unit=section.unit, bands=bands, files=further)
        else:
            people, notes = from_table(self.given, self.whole, where=section.source)
        if section.control is not None:
            people, more = scale_to_totals(people, self.whole, read_csv(self._path(section.control)).set_index("group"))
            notes = (*notes, *more)
        if self._own_clip is None:
            return people, notes  # who lives far from all streets is off the network, and is reported
        kept, outside = clip_demand(people, self._own_clip)
        return kept, (*notes, *outside)

    def _totals(self) -> pd.DataFrame:
        """Control totals: a column of the units, or a table of groups of units."""
        section, units = self.scenario.demand, self.units
        if section.control is not None:
            return read_csv(self._path(section.control)).set_index("group")
        if units is None or section.people is None:
            raise AssertionError  # the scenario was refused before
        several = [*section.groups.values(), *section.group_shares.values()]
        wanted = [section.people, *(column for columns in several for column in columns)]
        refuse(_missing(self.scenario.area.units if self.scenario.area else "units", units, wanted))
        numbers = pd.DataFrame(units)[wanted].apply(pd.to_numeric, errors="coerce")
        table = pd.DataFrame({"people": numbers[section.people]})
        for group, columns in section.groups.items():
            table[f"people_{group}"] = numbers[list(columns)].sum(axis=1, skipna=False)
        for group, columns in section.group_shares.items():
            table[f"people_{group}"] = (numbers[list(columns)].sum(axis=1, skipna=False) * table["people"]).round()
        return table

    def _weights(self) -> Weights | None:
        """What tells where in a unit people live."""
        wanted = self.scenario.demand.weights
        if wanted == "uniform":
            return None
        extent = gpd.GeoSeries([self.clip], crs=self.crs)
        if wanted != "osm" or self.extract is None:
            return Weights(land=read_vector(self._path(wanted)).geometry, extent=extent)
        buildings = self.extract.buildings
        homes = buildings.assign(residential=buildings["use"].isin(HOMES))
        barriers = self.extract.barriers
        water = barriers.geometry[barriers["kind"].isin(["river", "lake"]) & (barriers.geom_type != "LineString")]
        return Weights(land=self.extract.residential.geometry, buildings=homes, water=water, extent=extent)

    @cached_property
    def outlets(self) -> gpd.GeoDataFrame:
        """Outlets of today and planned ones."""
        wanted = self.scenario.supply.outlets
        if wanted is None:
            return nothing(self.crs, "name", "kind", "status")
        if wanted == "osm" and self.extract is not None:
            sites = self.extract.sites
            found = sites[sites["status"].isin(["open", "planned"])]  # what is closed to the public is in the notes
        else:
            found = self._table(wanted, self.scenario.supply.outlets_crs)
        return merge_near(found, SAME_SITE_M)

    @cached_property
    def candidates(self) -> gpd.GeoDataFrame:
        """Places where an outlet could go: of the extract, of the scenario's own file, or both."""
        supply = self.scenario.supply
        found = []
        if supply.candidates_file is not None:
            own = self._table(supply.candidates_file, supply.candidates_crs).assign(status="candidate")
            found.append(_renamed(own, self.outlets.index))
        if self.extract is not None:
            sites = self.extract.sites[self.extract.sites["status"] == "candidate"]
            found.append(sites if supply.candidates is None else sites[sites["kind"].isin(supply.candidates)])
        if not found:
            return nothing(self.crs, "name", "kind", "status")
        return gpd.GeoDataFrame(pd.concat(found), crs=self.crs)

    def _table(self, written: str, crs: str | None) -> gpd.GeoDataFrame:
        return read_outlets(self._path(written), crs=crs, kinds=kinds(), area=self.whole, streets=self.ways[0])

    @property
    def inputs(self) -> tuple[InputFile, ...]:
        """Every file that was named, by its content."""
        licence = osm.LICENCE if has_osm(self.scenario) else UNSTATED
        named = dict.fromkeys(written for _, written in files(self.scenario))
        return tuple(
            InputFile.of(
                Path(written).name,
                self._path(written).read_bytes(),
                licence=licence if written == self.scenario.streets.source else UNSTATED,
            )
            for written in named
        )

    def _path(self, written: str) -> Path:
        return self.scenario.path(written)


def _missing(where: str, table: gpd.GeoDataFrame, wanted: Iterable[str]) -> Iterator[Fault]:
    """A fault for every column that is not there."""
    found = ", ".join(str(c) for c in table.columns if c != table.geometry.name)
    yield from (Fault("table.missing_column", where, {"column": c, "found": found}) for c in wanted if c not in table)


def _renamed(candidates: gpd.GeoDataFrame, taken: pd.Index) -> gpd.GeoDataFrame:
    """Candidates whose ids differ from those of outlets: two tables without ids both count from s1."""
    again = candidates.index.isin(taken)
    return candidates.set_axis(candidates.index.where(~again, "c:" + candidates.index.astype(str)))


def nothing(crs: CRS, *columns: str) -> gpd.GeoDataFrame:
    """A table of points with the given columns and no rows."""
    empty = {column: np.empty(0, dtype=object) for column in columns}
    return gpd.GeoDataFrame(empty, geometry=gpd.GeoSeries([], crs=crs), crs=crs)
