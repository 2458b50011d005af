"""The trust report: what it finds, how it grades, and what it stops."""

import json
from dataclasses import replace
from typing import Any

import geopandas as gpd
import numpy as np
import pytest
import shapely
from hypothesis import given
from hypothesis import strategies as st

from cities import asks, barriers_of, city, ground, lines_of, sites_of
from test_house import WORDS
from walkshed import trust
from walkshed.errors import Fault, InputError
from walkshed.trust.finding import Finding, graded
from walkshed.trust.streets import Edges, _segments_meet
from worlds import lattice_lines

TOWN = lattice_lines(side=10, block_m=100.0)  # 22 km of street: no island
HOMES = [(50.0, 0.0, 10.0), (450.0, 300.0, 30.0)]


def found(held, key: str, served=None, **sections: Any) -> Finding:
    scenario = asks(**sections)
    report = trust.check(ground(held, scenario), scenario, served=served)
    return next(finding for finding in report if finding.key == f"trust.{key}")


def test_a_sound_town_has_nothing_to_stop_for():
    held = city(TOWN, HOMES, outlets=sites_of({"L": (0.0, 0.0)}))

    report = trust.check(ground(held), asks(), served=np.array([1.0, 1.0]))

    assert {finding.key for finding in report if finding.grade != "ok"} == {"trust.no_barriers"}
    assert trust.refuse_stops(report, anyway=False) == ()


def test_people_whose_nearest_street_is_on_an_island_are_counted():
    lines = lines_of([*[g.coords for g in TOWN.geometry], [(450.0, 310.0), (460.0, 310.0)]])  # 10 m beside a crossing
    homes = [(50.0, 0.0, 70.0), (455.0, 312.0, 30.0)]

    islands = found(city(lines, homes), "islands")

    assert (islands.values["n"], islands.values["people"], islands.grade) == (1, 30.0, "stop")
    assert islands.rows == ("d1",)


def test_a_dead_end_that_all_but_joins_a_street_is_told_with_its_place():
    lines = lines_of([*[g.coords for g in TOWN.geometry], [(550.0, 40.0), (550.0, 98.0)], [(0.0, 0.0), (-90.0, 0.0)]])

    ends = found(city(lines, HOMES), "dead_ends")

    assert (ends.values["n"], ends.values["misses"], ends.grade) == (3, 1, "look")
    assert len(ends.places) == 1


CROSSED = [[(0, 0), (100, 0)], [(50, -50), (50, 50)]]


@pytest.mark.parametrize(
    ("lines", "crossings"),
    [
        (CROSSED, 1),
        ([[(0, 0), (50, 0), (100, 0)], [(50, -50), (50, 0), (50, 50)]], 0),  # a junction
        ([[(0, 0), (50, 0), (100, 0)], [(50, -50), (50, 50)]], 1),  # only one of them has a vertex there
        ([[(0, 0), (100, 0)], [(100, 0), (100, 50)]], 0),  # end to end
        ([[(0, 0), (100, 0)], [(0, 10), (100, 10)]], 0),  # side by side
        ([[(0, 0), (100, 0)], [(200, 0), (300, 0)]], 0),  # in one line
    ],
)
def test_streets_that_cross_without_a_junction_are_found(lines, crossings):
    edges = Edges.of(city(lines_of(lines), HOMES).ways)

    assert len(edges.crossings) == crossings
    assert crossings == 0 or edges.crossings.tolist() == [[50.0, 0.0]]


def test_a_bridge_crosses_without_a_junction_and_that_is_right():
    assert len(Edges.of(city(lines_of(CROSSED), HOMES, bridge=[False, True]).ways).crossings) == 0


SMALL = st.integers(0, 4).map(float)


@given(st.lists(st.tuples(SMALL, SMALL), min_size=4, max_size=4, unique=True))
def test_segments_meet_where_shapely_says_so(ends):
    p, q, r, s = (np.array([end]) for end in ends)
    one, other = shapely.LineString([ends[0], ends[1]]), shapely.LineString([ends[2], ends[3]])
    common = shapely.intersection(one, other)

    assert bool(_segments_meet(p, q, r, s)[0]) == (
        common.geom_type == "Point" and not common.is_empty and not _in_line(ends)
    )


def _in_line(ends) -> bool:
    """All four in one line: they can touch only at an end, where nothing crosses."""
    (ax, ay), (bx, by), *rest = ends
    return all((bx - ax) * (y - ay) == (by - ay) * (x - ax) for x, y in rest)


def test_streets_over_a_river_are_told_apart_by_bridges():
    lines = lines_of([[(0, 0), (0, 100)], [(50, 0), (50, 100)], [(90, 0), (90, 100)], [(0, 0), (50, 0), (90, 0)]])
    river = barriers_of([[(-10.0, 50.0), (200.0, 50.0)]])

    bridges = found(city(lines, HOMES, barriers=river, bridge=[True, False, True, False]), "bridges")

    assert (bridges.values["n"], bridges.values["bare"], bridges.grade) == (2, 1, "look")
    assert "rivers 2 times" in bridges.text("en")


def test_a_river_nobody_crosses_is_worth_a_look():
    river = barriers_of([[(-900.0, -900.0), (900.0, -900.0)]])

    assert found(city(TOWN, HOMES, barriers=river), "bridges").grade == "look"


def test_people_far_from_streets_are_counted_at_300_metres():
    homes = [(0.0, -300.0, 97.0), (0.0, -300.1, 3.0)]

    far = found(city(TOWN, homes), "far")

    assert (far.values["people"], far.values["share"], far.grade) == (3.0, 0.03, "look")
    assert far.rows == ("d1",)


def test_who_is_closed_in_by_walls_without_a_gate_is_told_apart_from_who_has_no_street():
    wall = barriers_of([shapely.box(420, 320, 480, 380).exterior], "wall")
    homes = [(450.0, 350.0, 30.0), (450.0, 5000.0, 7.0), (50.0, 0.0, 63.0)]
    held = city(TOWN, homes, barriers=wall, candidates=sites_of({"court": (455.0, 350.0)}))

    shut = found(held, "closed_in")
    open_ = found(replace(held, gates=gpd.GeoSeries([shapely.Point(420, 350)], crs=held.demand.crs)), "closed_in")

    assert (shut.grade, shut.values["people"], shut.values["share"], shut.values["names"]) == ("look", 30, 0.3, "court")
    assert shut.rows == ("d0",)
    assert (open_.grade, open_.text("zh")[:5]) == ("ok", "附近有街道")


def test_people_who_live_nowhere_near_streets_stop_the_plan():
    assert found(city(TOWN, [(0.0, 0.0, 50.0), (9000.0, 9000.0, 50.0)]), "far").grade == "stop"


@pytest.mark.parametrize(
    ("factor", "grade"), [(1.2, "ok"), (1.3, "look"), (0.7, "look"), (12.0, "stop"), (0.05, "stop")]
)
def test_a_grid_is_held_against_its_control_totals(factor, grade):
    held = city(TOWN, HOMES)
    note = Fault("demand.scaled", "高新", {"grid": 100, "total": round(100 * factor), "factor": factor})

    assert found(replace(held, notes=(note,)), "control").grade == grade


def test_units_without_people_are_named():
    held = city(TOWN, HOMES, units={"A": (-100, -100, 1100, 1100), "B": (5000, 5000, 6000, 6000)})

    empty = found(held, "empty_units")

    assert (empty.grade, empty.rows) == ("look", ("B",))


def test_outlets_off_the_network_are_named_and_stop_only_if_all_are():
    far = {"L": (0.0, 0.0), "M": (9000.0, 0.0)}

    assert found(city(TOWN, HOMES, outlets=sites_of(far)), "off_network_outlets").rows == ("M",)
    assert found(city(TOWN, HOMES, outlets=sites_of(far)), "off_network_outlets").grade == "look"
    assert found(city(TOWN, HOMES, outlets=sites_of({"M": far["M"]})), "off_network_outlets").grade == "stop"


def test_a_kind_that_is_asked_for_and_nowhere_there_is_named():
    held = city(TOWN, HOMES, outlets=sites_of({"L": (0.0, 0.0)}))

    unused = found(held, "unused_kinds", kinds={"branch": {"share": 0.5}, "cabinet": {"share": 0.1}})

    assert (unused.grade, unused.rows) == ("look", ("cabinet",))


@pytest.mark.parametrize(("side", "grade"), [(13, "ok"), (17, "look"), (18, "stop")])
def test_no_outlet_serves_more_land_than_a_circle(side, grade):
    at = [(100.0 * i + 50, 100.0 * j + 50, 1.0) for i in range(side) for j in range(side)]
    held = city(TOWN, at, outlets=sites_of({"L": (0.0, 0.0)}))  # pi km2 at most, 1.86 with the usual detour

    area = found(held, "area_served", served=np.ones(len(at)))

    assert (area.values["km2"], area.grade) == (pytest.approx(side**2 / 100), grade)


def test_a_stop_ends_the_plan_unless_told_otherwise_and_then_it_is_stamped():
    report = (Finding("trust.crossings", "stop", {"n": 5, "junctions": 1}),)

    with pytest.raises(InputError, match="cross on the ground"):
        trust.refuse_stops(report, anyway=False)
    [stamp] = trust.refuse_stops(report, anyway=True)
    assert "--anyway" in stamp.text("en")
    assert "--anyway" in stamp.text("zh")


def test_every_finding_can_be_read_in_both_languages_and_as_json():
    river = barriers_of([[(50.0, -50.0), (50.0, 950.0)]])
    held = city(TOWN, HOMES, outlets=sites_of({"L": (0.0, 0.0)}), barriers=river)

    for finding in trust.check(ground(held), asks(), served=np.zeros(2)):
        assert json.loads(json.dumps(finding.record(), allow_nan=False))["zh"]
        assert (finding.advice("en") == "") == (finding.grade == "ok")
        assert f"{finding.key}_do" in WORDS or finding.key == "trust.control_kept"


def test_grades_begin_above_their_bounds():
    assert [graded(x, 1.0, 2.0) for x in (1.0, 1.1, 2.0, 2.1)] == ["ok", "look", "look", "stop"]


def test_the_worst_finding_grades_the_report():
    assert trust.worst([Finding("a", "ok"), Finding("b", "stop"), Finding("c", "look")]) == "stop"
    assert trust.worst([]) == "ok"
