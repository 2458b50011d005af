"""The sections of a scenario file, each a frozen model; what a key may hold is said here and nowhere else."""

from typing import Annotated, Literal

from pydantic import Field

from walkshed.scenario.changes import Change
from walkshed.scenario.values import (
    Bands,
    Count,
    Crs,
    FolderName,
    Lat,
    Lon,
    Metres,
    Money,
    Name,
    Number,
    Section,
    Several,
    Share,
    Text,
    Year,
)
from walkshed.standards import Season, Walker

ModelName = Literal["max_cover", "set_cover", "p_median", "p_center", "fair_cover", "capacitated_cover", "backup_cover"]
"""Questions the siting engine answers; `siting.solve.MODELS` has who answers which."""

OF_ONE_MODEL: dict[str, tuple[str, ...]] = {
    "share": ("set_cover",),
    "share_per_unit": ("set_cover",),
    "least": ("set_cover",),
    "percentile": ("p_center",),
    "capacity": ("capacitated_cover",),
    "second": ("backup_cover",),
    "horizon_m": ("p_median", "p_center"),
    "years": ("max_cover",),
}
"""Keys of `[siting]` that only some models know."""


class AreaSection(Section):
    """`[area]`: the study area. Left out: one unit, the extent of the demand."""

    units: Text  # file of polygons
    id: Text = "id"  # its column of unit ids
    label: Text = "name"  # its column of names people know
    clip: tuple[Lon, Lat, Lon, Lat] | None = None  # west, south, east, north in WGS-84
    crs: Crs | None = None  # the metric CRS to compute in; None: the one that suits the place
    units_crs: Crs | None = None  # what the file is in, where it does not say


class StreetsSection(Section):
    """`[streets]`: what people walk on."""

    source: Text | None = None  # .osm.pbf, lines in Geofabrik's schema, .graphml of osmnx; or "sample"
    crs: Crs | None = None  # what the file is in, where it does not say
    island_m: Metres | None = None  # components with less street are islands; None: the network's own default
    scale: Annotated[Number, Field(gt=0, le=100)] | None = None  # of the sample: 1 is all of Changchun


class DemandSection(Section):
    """`[demand]`: people, from control totals spread by weights or from a table or grid that has them at places."""

    people: Text | None = None  # column of the units: control totals
    control: Text | None = None  # table of control totals per group of units: group, units, people, people_<group>
    weights: Text = "osm"  # "osm" (residential land and buildings), "uniform", or a file of land use
    source: Text | None = None  # people at places: .csv, .gpkg, .geojson, or a grid (.tif)
    crs: Crs | None = None  # what the source is in, where it does not say
    unit: Literal["per_cell", "per_hectare"] | None = None  # of a grid
    cell_m: Metres = 100.0
    groups: dict[Name, Several] = Field(default_factory=dict)  # group -> columns (or further grids) of people, added up
    group_shares: dict[Name, Several] = Field(default_factory=dict)  # group -> columns of shares 0-1, added up
    bands: dict[Name, Bands] = Field(default_factory=dict)  # group, or "people", -> bands of the grid from 1, added up


class SupplySection(Section):
    """`[supply]`: outlets of today and places where one could be."""

    outlets: Text | None = None  # "osm" (from the extract) or a table; None: none are there yet
    outlets_crs: Crs | None = None  # wgs84, gcj02, bd09, epsg:...; never guessed
    candidates: tuple[Text, ...] | None = None  # kinds of places; None: every kind that can take an outlet
    candidates_file: Text | None = None  # places of one's own
    candidates_crs: Crs | None = None


class StandardSection(Section):
    """`[standard]`: how far is near enough. One of `id`, `limit_m`, `minutes`; none: GB 50180-2018, 15 minutes."""

    id: Text | None = None  # of data/standards.toml
    limit_m: Metres | None = None
    minutes: Annotated[Number, Field(gt=0, le=240)] | None = None
    walker: Walker = "adult"  # tells where the standard is in minutes
    season: Season = "bare"  # same
    max_access_m: Metres = 500.0  # farther from any street counts as off the network


class Band(Section):
    """One step of full service falling with distance."""

    up_to_m: Metres
    share: Share


class SitingSection(Section):
    """`[siting]`: what to propose, under which rules."""

    model: ModelName = "max_cover"
    build: Count | None = None  # how many; None: as many as the other rules allow
    budget: Money | None = None  # in the unit of the kinds' cost
    years: dict[Year, Count] = Field(default_factory=dict)  # year -> how many
    year_budgets: dict[Year, Money] = Field(default_factory=dict)
    floors: dict[Text, Count] = Field(default_factory=dict)  # unit -> at least so many new sites
    ceilings: dict[Text, Count] = Field(default_factory=dict)  # unit -> at most
    required: tuple[Text, ...] = ()  # candidate ids that must be chosen
    forbidden: tuple[Text, ...] = ()  # candidate ids that may not
    min_spacing_m: Metres | None = None  # between new sites, and to open ones
    every_settlement_by: Year | None = None  # every street, town and township has an outlet by then
    group_weights: dict[Name, Annotated[Number, Field(ge=0)]] = Field(default_factory=dict)  # 60p = 1.5
    bands: tuple[Band, ...] = ()  # none: full service up to the limit
    share: Share | None = None  # set_cover: of people to be served
    share_per_unit: Share | None = None  # set_cover: of people in every unit
    percentile: Annotated[Number, Field(gt=0, le=100)] = 100.0  # p_center: the walk that counts as worst
    capacity: Annotated[Number, Field(gt=0)] | None = (
        None  # capacitated_cover: people per outlet without its own figure
    )
    kinds: tuple[Text, ...] = ("reading_room",)  # what may be built at any place; costs and shares are the kind's
    offers: dict[Text, tuple[Text, ...]] = Field(default_factory=dict)  # kind of place -> what may be built there
    kind_ceilings: dict[Text, Count] = Field(default_factory=dict)  # kind -> at most so many
    least: Literal["sites", "money"] = "sites"  # set_cover: what there is to be least of
    second: Share = 0.5  # backup_cover: what a second outlet within reach is worth
    horizon_m: Metres | None = None  # p_median, p_center: farther walks count as this far; None: three limits
    time_limit_s: Annotated[Number, Field(gt=0)] = 60.0  # per model solved

    @property
    def asks(self) -> bool:
        """Whether anything is to be proposed.

        >>> SitingSection().asks, SitingSection(build=5).asks
        (False, True)
        """
        goals = (self.build, self.budget, self.years, self.year_budgets, self.share, self.share_per_unit)
        return any(goals) or bool(self.floors) or bool(self.required)


class ReachSection(Section):
    """`[reach]`: distances from elsewhere, in place of ours."""

    source: Text  # .csv or .parquet with from_id, to_id, distance_m (or minutes)


class MapSection(Section):
    """`[map]`: what a published map must and may carry."""

    approval: Text | None = None  # 审图号, printed on every map
    tiles: Literal["osm", "tianditu"] | None = None  # only on request: a map opens with no network


class KindSection(Section):
    """`[kinds.<key>]`: this scenario's own figures for a kind of `data/kinds.toml`."""

    share: Share | None = None  # of full service
    limit_m: Metres | None = None
    cost: Money | None = None


class Sections(Section):
    """All of a scenario file, each key checked by itself; `checks` looks at them together."""

    name: FolderName
    title: str = ""  # empty: the name
    seed: Count = 2020
    area: AreaSection | None = None
    streets: StreetsSection = StreetsSection()
    demand: DemandSection = DemandSection()
    supply: SupplySection = SupplySection()
    standard: StandardSection = StandardSection()
    siting: SitingSection = SitingSection()
    reach: ReachSection | None = None
    map: MapSection = MapSection()
    kinds: dict[Text, KindSection] = Field(default_factory=dict)
    change: tuple[Change, ...] = ()
