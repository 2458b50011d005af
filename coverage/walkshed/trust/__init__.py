"""What the data are worth: every finding graded ok, look or stop, with its numbers, its places and what to do."""

from collections.abc import Iterator
from dataclasses import replace

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from walkshed.contracts import FloatArray
from walkshed.errors import Fault, InputError
from walkshed.ground import Ground
from walkshed.network import Attachment
from walkshed.scenario import Scenario
from walkshed.supply import kinds
from walkshed.trust.finding import GRADES, Finding, Grade, graded, listed, lonlat, named, worst
from walkshed.trust.streets import Edges, far_people, islands, streets

__all__ = ["GRADES", "Finding", "Grade", "check", "refuse_stops", "worst"]

DETOUR = 1.3  # a walk is this much longer than the crow flies (DOMAIN.md §1; circuity of dense grids 1.2-1.4)
CELL_M = 100.0  # the usual population cell: a served person stands for one
FACTOR = (0.25, 10.0)  # how far a grid may be off its control total, as |factor - 1| or |1 / factor - 1|, look and stop
LOST = (0.0, 0.05)  # of the control totals, nowhere to be put


def check(ground: Ground, scenario: Scenario, *, served: FloatArray | None = None) -> tuple[Finding, ...]:
    """Look at streets, people, outlets and, with `served`, at the answer.

    Parameters
    ----------
    served : float64 (demand,), optional
        Share of full service each demand point has today, 0 to 1.
    """
    city, network, access_m = ground.city, ground.network, scenario.standard.max_access_m
    found = [
        islands(network, city.demand, ground.people.at, access_m),
        *streets(Edges.of(city.ways), network, city.barriers),
        far_people(city.demand, ground.people.at, network, access_m),
        _closed_in(ground, access_m),
        *_people(ground, scenario),
        *_supply(ground, scenario),
    ]
    if served is not None:
        found.append(area_served(ground, scenario, served))
    return tuple(found)


def refuse_stops(findings: tuple[Finding, ...], *, anyway: bool) -> tuple[Fault, ...]:
    """Refuse to plan on what a finding says not to, or say on everything that comes out that it was done anyway.

    Returns
    -------
    tuple of Fault
        Notes for the plan: one that stamps it, where `stop` findings were overruled.

    Raises
    ------
    InputError
        With every `stop` finding, unless `anyway`.
    """
    stops = [finding for finding in findings if finding.grade == "stop"]
    if not stops:
        return ()
    if anyway:
        return (Fault("trust.anyway", "walkshed", {"n": len(stops)}),)
    raise InputError(
        [Fault(f.key, "walkshed check", dict(f.values)) for f in stops] + [Fault("trust.stopped", "--anyway")]
    )


def area_served(ground: Ground, scenario: Scenario, served: FloatArray) -> Finding:
    """Hold the land of served people against what so many outlets can serve at all.

    Within a walk of d metres lies at most a circle of d; with the usual detour one of d / 1.3. Land is counted in
    squares of 100 m that have somebody served in them.
    """
    city = ground.city
    now = city.outlets[city.outlets["status"] == "open"]
    xy = shapely.get_coordinates(city.demand.geometry.array[served > 0])
    km2 = len(np.unique(np.floor(xy / CELL_M), axis=0)) * CELL_M**2 / 1e6
    circle = float(np.pi * (_limits_m(now, scenario) ** 2).sum() / 1e6)
    usual = circle / DETOUR**2
    values = {"km2": km2, "n": len(now), "usual_km2": usual, "most_km2": circle, "limit_m": scenario.limit_m}
    return Finding("trust.area_served", graded(km2, usual, circle), values)


def _limits_m(sites: pd.DataFrame, scenario: Scenario) -> FloatArray:
    """Walking limit of each site: its kind's own, else the scenario's."""
    own = {key: kind.limit_m for key, kind in kinds().items()}
    own |= {key: section.limit_m for key, section in scenario.kinds.items() if section.limit_m is not None}
    limits = [own.get(kind) for kind in sites["kind"]]
    return np.array([scenario.limit_m if metres is None else metres for metres in limits], dtype=float)


def _people(ground: Ground, scenario: Scenario) -> Iterator[Finding]:
    city = ground.city
    scaled = [(note.where, note.values) for note in city.notes if note.key == "demand.scaled"]  # noqa: PD011
    for name, values in sorted(scaled, key=lambda found: -_off(found[1]["factor"])):
        yield Finding("trust.control", graded(_off(values["factor"]), *FACTOR), {**values, "name": name})
    lost = [(note.where, note.values) for note in city.notes if note.key == "demand.nobody_to_scale"]  # noqa: PD011
    if lost:
        people, total = sum(values["people"] for _, values in lost), float(city.demand["people"].sum())
        told = {"people": people, "names": named(name for name, _ in lost)}
        yield Finding("trust.control_lost", graded(people / max(total + people, 1.0), *LOST), told)
    if not scaled and not lost:
        given = scenario.demand.source is not None
        key, grade = ("trust.no_control", "look") if given else ("trust.control_kept", "ok")
        yield Finding(key, "look" if grade == "look" else "ok", {"people": float(city.demand["people"].sum())})
    people = city.demand.groupby("unit")["people"].sum().reindex(city.area.units.index, fill_value=0.0)
    empty = people.index[people <= 0]
    labels = city.area.units["label"]
    yield Finding("trust.empty_units", "look" if len(empty) else "ok", {"n": len(empty), "names": named(labels[empty])}, listed(empty))  # fmt: skip  # noqa: E501


def _closed_in(ground: Ground, max_access_m: float) -> Finding:
    """Whom walls, tracks or water keep from every street near: where gates or bridges are missing from the data."""
    city, free = ground.city, replace(ground.network, barriers=None)

    def held(points: gpd.GeoDataFrame, at: Attachment) -> gpd.GeoDataFrame:
        off = points[at.off_network]
        return off[~free.attach(off.geometry, max_access_m=max_access_m).off_network]

    homes = held(city.demand, ground.people.at).sort_values("people", ascending=False, kind="stable")
    sites = [held(city.outlets, ground.outlets.at), held(city.candidates, ground.candidates.at)]
    names = [name for of in sites for name in of["name"]]
    people, everyone = float(homes["people"].sum()), max(float(city.demand["people"].sum()), 1.0)
    xy = np.concatenate([shapely.get_coordinates(of.geometry.array) for of in (*sites, homes)])
    told = {"n": len(xy), "people": people, "share": people / everyone, "within_m": max_access_m}
    values = {**told, "sites": len(names), "names": named(names) or "–"}
    return Finding("trust.closed_in", graded(len(xy), 0), values, listed(homes.index), lonlat(xy, city.area.crs))


def _off(factor: float) -> float:
    """How far a factor is from 1, either way."""
    return max(factor, 1.0 / factor if factor > 0 else np.inf) - 1.0


def _supply(ground: Ground, scenario: Scenario) -> Iterator[Finding]:
    city = ground.city
    if city.outlets.empty:
        yield Finding("trust.no_outlets", "look")
    for name, sites, at in (("outlets", city.outlets, ground.outlets.at), ("candidates", city.candidates, ground.candidates.at)):  # fmt: skip  # noqa: E501
        if sites.empty:
            continue
        off = sites[at.off_network]
        grade: Grade = "ok" if off.empty else "stop" if len(off) == len(sites) else "look"
        values = {
            "n": len(off),
            "of": len(sites),
            "within_m": scenario.standard.max_access_m,
            "names": named(off["name"]),
        }
        places = lonlat(shapely.get_coordinates(off.geometry.array), city.area.crs)
        yield Finding(f"trust.off_network_{name}", grade, values, listed(off.index), places)
    asked = dict.fromkeys([*(scenario.supply.candidates or ()), *scenario.kinds])
    there = set(pd.concat([city.outlets["kind"], city.candidates["kind"]]))
    never = [kind for kind in asked if kind not in there]
    yield Finding(
        "trust.unused_kinds", "look" if never else "ok", {"n": len(never), "names": named(never)}, listed(never)
    )
