"""What only the whole scenario can tell: files that are not there, keys that contradict each other."""

import tomllib
from collections.abc import Iterable, Iterator
from functools import cache
from itertools import pairwise
from pathlib import Path

from walkshed.errors import Fault
from walkshed.scenario.faults import nearest
from walkshed.scenario.sections import OF_ONE_MODEL, Sections
from walkshed.scenario.values import Section
from walkshed.standards import walking, yardsticks
from walkshed.words import data_dir

SAMPLE = "sample"
"""The streets of a scenario that brings none: the schematic Changchun."""

_OSM = (".pbf", ".osm")
_GRIDS = (".tif", ".tiff")

Found = Iterator[tuple[str, Fault]]
"""The keys it rests on, as `section.key` or `section`, and the fault: a key that cannot be read proves nothing."""


def is_grid(name: str) -> bool:
    """Whether a file is a population grid, by its name.

    >>> is_grid("aspect.TIF"), is_grid("cells.csv")
    (True, False)
    """
    return name.lower().endswith(_GRIDS)


def has_osm(s: Sections) -> bool:
    """Whether the streets come with everything else that OpenStreetMap has: places, land use, buildings."""
    return s.streets.source is not None and s.streets.source.lower().endswith(_OSM)


def files(s: Sections) -> Iterator[tuple[str, str]]:
    """Every file the scenario names: its place in the scenario, and the name as written."""
    named = [
        ("[area] units", s.area.units if s.area else None),
        ("[streets] source", None if s.streets.source == SAMPLE else s.streets.source),
        ("[demand] source", s.demand.source),
        ("[demand] control", s.demand.control),
        ("[demand] weights", None if s.demand.weights in ("osm", "uniform") else s.demand.weights),
        ("[supply] outlets", None if s.supply.outlets == "osm" else s.supply.outlets),
        ("[supply] candidates_file", s.supply.candidates_file),
        ("[reach] source", s.reach.source if s.reach else None),
    ]
    grids = [(f"[demand] groups.{group}", name) for group, names in s.demand.groups.items() for name in names]
    named += [(place, name) for place, name in grids if is_grid(name)]
    yield from ((place, written) for place, written in named if written is not None)


def missing_files(s: Sections, base_dir: Path) -> Iterator[Fault]:
    """A fault for every file that is named and is not there."""
    for place, written in files(s):
        path = base_dir / written
        if not path.exists():
            yield Fault("scenario.missing_file", place, {"file": written, "path": str(path.absolute())})


def contradictions(s: Sections) -> Found:
    """Every pair of keys that cannot both hold, every key that has no meaning without another."""
    if s.streets.source == SAMPLE:
        yield from _sample(s)
    else:
        yield from _streets(s)
        yield from _demand(s)
        yield from _supply(s)
    yield from _kinds(s)
    yield from _standard(s)
    yield from _goal(s)
    yield from _rules(s)
    yield from _years(s)
    yield from _bands(s)


def _sample(s: Sections) -> Found:
    """The schematic city is whole: of its data, only the kinds of candidates are the scenario's to choose."""
    sections = {"area": s.area, "demand": s.demand, "supply": s.supply, "reach": s.reach}
    given = [f"[{name}] {key}" for name, section in sections.items() if section for key in _given(section)]
    given += ["[streets] crs"] if s.streets.crs else []
    for place in given:
        if place != "[supply] candidates":
            yield "streets.source", Fault("scenario.sample_has_its_own", place)


def _given(section: Section) -> list[str]:
    """Keys that stand in the file, in the order of the model."""
    return [key for key in type(section).model_fields if key in section.model_fields_set]


def _streets(s: Sections) -> Found:
    source = (s.streets.source or "").lower()
    if not source and s.reach is None:
        yield "streets.source reach", Fault("scenario.no_streets", "[streets] source")
    if s.streets.scale is not None:
        yield "streets.source", _only_with("[streets] scale", '[streets] source = "sample"')
    if s.streets.crs and source.endswith((*_OSM, ".graphml")):
        yield "streets.source", _only_with("[streets] crs", "[streets] source = ….geojson, .gpkg, .shp")


def _demand(s: Sections) -> Found:
    d = s.demand
    ways = {"source": d.source, "people": d.people, "control": d.control}
    given = [name for name, value in ways.items() if value is not None]
    if not given:
        yield "demand.source demand.people demand.control", Fault("scenario.no_demand", "[demand]")
    for other in ("source", "control"):
        if d.people is not None and ways[other] is not None:
            yield "", Fault("scenario.not_both", "[demand] people", {"other": f"[demand] {other}"})
    for name in ("people", "control"):
        if name in given and s.area is None:
            yield "area", Fault("scenario.needs", f"[demand] {name}", {"other": "[area] units"})
    if d.source is None and given and d.weights == "osm" and not has_osm(s):
        yield "demand.source demand.weights streets.source", Fault("scenario.weights_need_osm", "[demand] weights")
    for name in ("weights", "cell_m"):
        if d.source is not None and name in d.model_fields_set:
            yield "", Fault("scenario.not_both", f"[demand] {name}", {"other": "[demand] source"})
    if d.crs and (d.source is None or is_grid(d.source)):
        yield "demand.source", _only_with("[demand] crs", "[demand] source = ….csv, .gpkg, .geojson")
    yield from _groups(s)
    yield from _grid(s)


def _groups(s: Sections) -> Found:
    d = s.demand
    if d.group_shares and d.people is None:
        yield "demand.people", _only_with("[demand] group_shares", "[demand] people")
    if d.groups and d.people is None and d.source is None:  # a table of control totals has its own: people_<group>
        yield "demand.people demand.source", _only_with("[demand] groups", "[demand] people, source")
    for group in sorted(d.groups.keys() & d.group_shares.keys()):
        where, other = f"[demand] groups.{group}", f"[demand] group_shares.{group}"
        yield "", Fault("scenario.not_both", where, {"other": other})
    for group, names in d.groups.items():
        if any(is_grid(name) != is_grid(d.source or "") for name in names):
            yield "demand.source", Fault("scenario.group_files", f"[demand] groups.{group}")


def _grid(s: Sections) -> Found:
    d = s.demand
    grid = is_grid(d.source or "")
    if grid and d.unit is None:
        yield "demand.unit", Fault("scenario.grid_unit", "[demand] unit", {"file": d.source})
    for name in ("unit", "bands"):
        if not grid and getattr(d, name):
            yield "demand.source", _only_with(f"[demand] {name}", '[demand] source = "….tif"')


def _supply(s: Sections) -> Found:
    supply = s.supply
    if supply.outlets == "osm" and not has_osm(s):
        yield "streets.source", Fault("scenario.needs", "[supply] outlets", {"other": "[streets] source = ….osm.pbf"})
    if supply.candidates is not None and not has_osm(s):
        yield "streets.source", _only_with("[supply] candidates", "[streets] source = ….osm.pbf")
    own = supply.candidates_file is not None or any(change.type == "add" for change in s.change)
    if supply.candidates is None and s.siting.asks and not own and not has_osm(s):
        yield "supply.candidates_file streets.source change", Fault("scenario.no_candidates", "[siting]")
    if supply.outlets_crs and supply.outlets in (None, "osm"):
        yield "supply.outlets", _only_with("[supply] outlets_crs", "[supply] outlets = file")
    if supply.candidates_crs and supply.candidates_file is None:
        yield "supply.candidates_file", _only_with("[supply] candidates_crs", "[supply] candidates_file")


def _kinds(s: Sections) -> Found:
    """Kinds that `data/kinds.toml` does not have, or not as a place where an outlet could go."""
    known = _roles()
    places = [kind for kind, role in known.items() if role != "outlet"]
    named = [
        *(("[supply] candidates", kind, places) for kind in s.supply.candidates or ()),
        *((f"[kinds.{kind}]", kind, list(known)) for kind in s.kinds),
        *(("[siting] kinds", kind, list(known)) for kind in s.siting.kinds),
        *((f"[siting] offers.{place}", kind, list(known)) for place, of in s.siting.offers.items() for kind in of),
        *(("[siting] offers", place, places) for place in s.siting.offers),
        *(("[siting] kind_ceilings", kind, list(known)) for kind in s.siting.kind_ceilings),
        *((f"[[change]] {i} kind", c.kind, list(known)) for i, c in enumerate(s.change, start=1) if c.type == "add"),
    ]
    for where, kind, allowed in named:
        if kind not in allowed:
            rests_on = "change" if where.startswith("[[") else ""  # its number holds only if every change could be read
            yield rests_on, _unknown("scenario.unknown_kind", where, kind, allowed)


@cache
def _roles() -> dict[str, str]:
    kinds = tomllib.loads((data_dir() / "kinds.toml").read_text(encoding="utf-8"))
    return {kind: entry["role"] for kind, entry in kinds.items()}


def _standard(s: Sections) -> Found:
    standard = s.standard
    given = [name for name in ("id", "limit_m", "minutes") if getattr(standard, name) is not None]
    if len(given) > 1:
        other = f"[standard] {given[1]}"
        yield "", Fault("scenario.not_both", f"[standard] {given[0]}", {"other": other})
        return
    known = standard.id is None or standard.id in walking()
    if not known:
        yield "", _unknown_standard(str(standard.id))
    timed = standard.minutes is not None or (known and standard.id and yardsticks()[standard.id].minutes is not None)
    for name in sorted({"walker", "season"} & standard.model_fields_set):
        if known and not timed:
            yield "standard.id standard.minutes", _only_with(f"[standard] {name}", "[standard] minutes")


def _unknown_standard(key: str) -> Fault:
    if key in yardsticks():
        return Fault("standards.not_walking", "[standard] id", {"document": yardsticks()[key].document})
    return _unknown("scenario.unknown_standard", "[standard] id", key, walking())


def _goal(s: Sections) -> Found:
    """Keys that belong to one model only, and goals a model cannot do without."""
    siting, given = s.siting, s.siting.model_fields_set
    for name, models in OF_ONE_MODEL.items():
        if name in given and getattr(siting, name) not in (None, {}) and siting.model not in models:
            yield "siting.model", _only_with(f"[siting] {name}", f"[siting] model = {' / '.join(models)}")
    if siting.year_budgets and not siting.years:
        yield "siting.years", _only_with("[siting] year_budgets", "[siting] years")
    if siting.model == "set_cover" and siting.share is None and siting.share_per_unit is None:
        yield (
            "siting.share siting.share_per_unit",
            Fault("scenario.needs", '[siting] model = "set_cover"', {"other": "[siting] share"}),
        )


def _rules(s: Sections) -> Found:
    siting = s.siting
    for site in sorted(set(siting.required) & set(siting.forbidden)):
        yield "", Fault("scenario.required_forbidden", "[siting] required", {"site": site})
    for unit in sorted(siting.floors.keys() & siting.ceilings.keys()):
        if siting.floors[unit] > siting.ceilings[unit]:
            values = {"floor": siting.floors[unit], "ceiling": siting.ceilings[unit]}
            yield "", Fault("scenario.floor_over_ceiling", f"[siting] floors.{unit}", values)


def _years(s: Sections) -> Found:
    siting = s.siting
    for name, parts, whole in (
        ("years", siting.years, siting.build),
        ("year_budgets", siting.year_budgets, siting.budget),
    ):
        if whole is not None and sum(parts.values()) > whole:
            values = {"sum": sum(parts.values()), "whole": whole}
            yield "", Fault("scenario.years_over_whole", f"[siting] {name}", values)
    for year in sorted(siting.year_budgets.keys() - siting.years.keys()) if siting.years else ():
        yield "siting.years", _not_planned(f"[siting] year_budgets.{year}", year, siting.years)
    due = siting.every_settlement_by
    if siting.years and due is not None and due not in siting.years:
        yield "siting.years", _not_planned("[siting] every_settlement_by", due, siting.years)


def _not_planned(place: str, year: int, years: Iterable[int]) -> Fault:
    return Fault("scenario.not_one_of", place, {"value": year, "bound": ", ".join(map(str, years))})


def _bands(s: Sections) -> Found:
    bands = s.siting.bands
    for i, (near, far) in enumerate(pairwise(bands), start=2):
        if far.up_to_m <= near.up_to_m or far.share > near.share:
            yield "siting.bands", Fault("scenario.bands_order", f"[siting] bands, {i}")
    limit = s.standard.limit_m
    if bands and limit is not None and bands[-1].up_to_m > limit:
        values = {"band": bands[-1].up_to_m, "limit": limit}
        yield "siting.bands", Fault("scenario.band_over_limit", "[siting] bands", values)


def _unknown(key: str, where: str, value: str, allowed: list[str]) -> Fault:
    likeliest = nearest(value, allowed)
    ordered = sorted(allowed, key=lambda name: name != likeliest)  # the one that was meant stands first
    return Fault(key, where, {"value": value, "allowed": ", ".join(ordered)})


def _only_with(place: str, other: str) -> Fault:
    return Fault("scenario.only_with", place, {"other": other})
