"""The first metres: whom a barrier keeps from the nearest street, what lets them through, and what changes it."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import geopandas as gpd
import numpy as np
import pytest
import shapely
from hypothesis import given
from hypothesis import strategies as st
from shapely import LineString, Point, box

from cities import asks, barriers_of, city, ground, lines_of, sites_of
from small_city import at, write
from walkshed import plan
from walkshed.barriers import Barriers
from walkshed.contracts import NM
from walkshed.errors import InputError
from walkshed.ground import prepare
from walkshed.network import Attachment
from walkshed.reach import reach
from walkshed.scenario import Block, Bridge, Gate, Scenario
from walkshed.sources import changed
from walkshed.sources.load import load
from worlds import CRS

BANKS = lines_of([[(0.0, 0.0), (3000.0, 0.0)], [(0.0, 100.0), (3000.0, 100.0)], [(3000.0, 0.0), (3000.0, 100.0)]])
RIVER = [(-500.0, 20.0), (2900.0, 20.0)]  # nearer to the south bank's street


def attached(home: tuple[float, float], barriers: gpd.GeoDataFrame | None, *gates: tuple[float, float]) -> Attachment:
    held = city(BANKS, [(*home, 1.0)], barriers=barriers)
    opened = gpd.GeoSeries([Point(at) for at in gates], crs=CRS) if gates else None
    return ground(replace(held, gates=opened)).people.at


def access_m(at: Attachment) -> float:
    return float(at.access_nm[0] / NM)


def test_the_nearest_street_is_taken_where_nothing_is_in_between():
    assert access_m(attached((500.0, 40.0), None)) == 40.0
    assert access_m(attached((500.0, 10.0), barriers_of([RIVER]))) == 10.0


def test_nobody_crosses_a_river_to_the_nearest_street():
    assert access_m(attached((500.0, 40.0), barriers_of([RIVER]))) == 60.0


def test_a_wide_river_is_its_banks_and_a_home_drawn_in_it_may_leave():
    river = barriers_of([box(-500, 15, 4000, 25)])

    assert access_m(attached((500.0, 40.0), river)) == 60.0
    assert access_m(attached((500.0, 20.0), river)) == 20.0


def test_who_reaches_no_street_within_the_limit_is_off_the_network():
    walls = barriers_of([box(450, 30, 550, 60).exterior], "wall")

    assert attached((500.0, 40.0), walls).off_network.all()


def test_a_compound_is_left_through_its_gate_and_the_walk_leads_by_it():
    walls = barriers_of([box(450, 30, 550, 60).exterior], "wall")

    at = attached((500.0, 40.0), walls, (530.0, 30.0))

    assert access_m(at) == pytest.approx(np.hypot(30.0, 10.0) + 30.0)
    assert at.from_nm[0] / NM == pytest.approx(530.0)  # the street is met where the gate leads, not beside the home


def test_a_gate_in_the_way_lets_straight_through():
    assert access_m(attached((500.0, 40.0), barriers_of([RIVER]), (500.0, 20.0))) == 40.0


def test_a_leg_through_a_corner_of_a_wall_crosses_it():
    corner = barriers_of([[(400.0, 20.0), (500.0, 20.0), (600.0, 25.0)]], "wall")

    assert access_m(attached((500.0, 40.0), corner)) == 60.0


TRACKS = barriers_of([[(-500.0, y), (4000.0, y)] for y in (30.0, 35.0, 45.0)], "railway")


def between_the_tracks(kind: str, tracks: gpd.GeoDataFrame = TRACKS) -> Attachment:
    held = city(BANKS, [(500.0, 40.0, 1.0)], barriers=tracks, candidates=sites_of({"s": (500.0, 40.0)}, kind=kind))
    return ground(held).candidates.at


def test_a_station_is_left_over_or_under_its_own_tracks_and_nothing_else_is():
    assert access_m(between_the_tracks("station")) == 40.0
    assert between_the_tracks("park").off_network.all()


def test_a_station_has_no_way_through_a_river():
    walled = barriers_of([[(-500.0, 30.0), (4000.0, 30.0)], [(-500.0, 50.0), (4000.0, 50.0)]], ["river", "railway"])

    assert access_m(between_the_tracks("station", walled)) == 60.0


def test_homes_beside_a_station_are_held_back_by_its_tracks():
    station = sites_of({"s": (500.0, 40.0)}, kind="station")
    held = city(BANKS, [(505.0, 40.0, 1.0)], barriers=TRACKS, candidates=station)

    assert ground(held).people.at.off_network.all()


def test_a_street_on_the_barrier_itself_can_be_reached():
    quay = barriers_of([[(-100.0, 0.0), (3100.0, 0.0)]])

    assert access_m(attached((500.0, 40.0), quay)) == 40.0


PLACE = st.tuples(st.integers(0, 40), st.integers(0, 40)).map(lambda p: (p[0] * 10.0 + 0.3, p[1] * 10.0 + 0.7))

# No end of a wall lies on the way from a home to a street: to just touch a wall is to cross it or not, as one likes.
END = st.tuples(st.integers(0, 40), st.integers(0, 40)).map(lambda p: (p[0] * 10.0 + 0.41, p[1] * 10.0 + 0.83))


@given(st.lists(PLACE, min_size=1, max_size=8), st.lists(st.tuples(END, END), min_size=1, max_size=5))
def test_points_attach_as_trying_every_street_says(homes, walls):
    streets = [[(i * 100.0, 0.0), (i * 100.0, 400.0)] for i in range(5)] + [[(0.0, 0.0), (400.0, 400.0)]]
    lines = lines_of([*streets, [(0.0, 0.0), (0.0, 9000.0)]])
    walls = [w for w in walls if w[0] != w[1]] or [((0.1, 0.1), (0.2, 0.9))]
    held = city(lines, [(*at, 1.0) for at in homes], barriers=barriers_of([list(w) for w in walls], "wall"))

    found = ground(held, asks(streets={"island_m": 1.0})).people.at

    network = ground(held, asks(streets={"island_m": 1.0})).network
    for i, home in enumerate(homes):
        expected = nearest_free(home, network.lines[~network.on_island], walls)
        assert (found.edge[i] < 0) == (expected is None)
        assert expected is None or found.access_nm[i] / NM == pytest.approx(expected, abs=1e-6)


def nearest_free(home: tuple[float, float], lines: Any, walls: Any, limit_m: float = 500.0) -> float | None:
    """Distance to the nearest of all streets whose perpendicular crosses no wall; None: there is none."""
    legs = [shapely.shortest_line(Point(home), line) for line in lines]
    free = [leg.length for leg in legs if not any(crosses(leg, LineString(wall)) for wall in walls)]
    return min((m for m in free if m <= limit_m), default=None)


def crosses(leg: LineString, wall: LineString) -> bool:
    return leg.length > 0 and leg.crosses(wall)


def test_points_away_from_barriers_stay_where_they_were():
    held = city(BANKS, [(float(x), 40.0, 1.0) for x in range(50)], barriers=barriers_of([[(-50.0, 9.0), (-40.0, 9.0)]]))

    assert (ground(held).people.at.access_nm == 40 * NM).all()


def test_barriers_that_are_none_keep_nobody():
    assert not Barriers.of(barriers_of([]))
    assert Barriers.of(barriers_of([])).crossed(np.zeros((2, 2)), np.ones((2, 2))).tolist() == [False, False]


# ---- changes --------------------------------------------------------------------------------------------------------

WHERE = {"crs": "epsg:4551", "why": "试"}


def walk_m(held: Any, site: tuple[float, float]) -> float:
    """Walk from the first home to a site; inf where there is no way."""
    at = ground(held, asks(streets={"island_m": 1.0}))
    place = gpd.GeoDataFrame(geometry=[Point(site)], index=["L"], crs=CRS)
    table = reach(at.network, held.demand, place, limit_m=1e5)
    return float(table.distance_m[0]) if len(table.distance_m) else float("inf")


def line(*points: tuple[float, float]) -> Any:
    return tuple((x / 100, y / 100) for x, y in points)  # inside the bounds of degrees


@pytest.fixture
def hundredths(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(changed, "_on_map", lambda points, _crs, _to: np.array(points, dtype=float) * 100)


@pytest.mark.usefixtures("hundredths")
def test_a_block_cuts_the_street_it_crosses():
    held = city(BANKS, [(100.0, 0.0, 1.0)])

    blocked = changed.apply(held, [Block(line=line((1500.0, -10.0), (1500.0, 10.0)), **WHERE)])

    assert walk_m(held, (2000.0, 0.0)) == 1900.0
    assert walk_m(blocked, (2000.0, 0.0)) == float("inf")
    assert walk_m(blocked, (1400.0, 0.0)) == 1300.0
    assert blocked.barriers["kind"].tolist() == ["wall"]
    assert len(held.ways.frame) == 3  # what was given is as it was


@pytest.mark.usefixtures("hundredths")
def test_a_new_bridge_joins_the_streets_at_both_ends():
    held = city(BANKS, [(100.0, 0.0, 1.0)])

    bridged = changed.apply(held, [Bridge(line=line((500.0, 0.0), (500.0, 100.0)), **WHERE)])

    assert walk_m(held, (100.0, 100.0)) == 2900.0 + 100.0 + 2900.0
    assert walk_m(bridged, (100.0, 100.0)) == 400.0 + 100.0 + 400.0


@pytest.mark.usefixtures("hundredths")
def test_a_bridge_drawn_a_little_short_is_drawn_to_the_street():
    bridged = changed.apply(city(BANKS, [(100.0, 0.0, 1.0)]), [Bridge(line=line((500.0, 9.0), (500.0, 80.0)), **WHERE)])

    assert walk_m(bridged, (100.0, 100.0)) == pytest.approx(900.0)


@pytest.mark.usefixtures("hundredths")
def test_changes_hold_in_their_order():
    held = city(BANKS, [(100.0, 0.0, 1.0)])
    bridge = Bridge(line=line((500.0, 0.0), (500.0, 100.0)), **WHERE)
    block = Block(line=line((400.0, 50.0), (600.0, 50.0)), **WHERE)

    assert walk_m(changed.apply(held, [bridge, block]), (100.0, 100.0)) == 5900.0
    with pytest.raises(InputError, match="blocks nothing"):
        changed.apply(held, [block, bridge])


@pytest.mark.usefixtures("hundredths")
def test_a_gate_opens_the_wall_it_stands_in():
    held = city(BANKS, [(500.0, 40.0, 1.0)], barriers=barriers_of([RIVER]))

    opened = changed.apply(held, [Gate(lon=5.0, lat=0.22, **WHERE)])

    assert access_m(ground(held).people.at) == 60.0
    assert access_m(ground(opened).people.at) == 40.0


@pytest.mark.usefixtures("hundredths")
def test_changes_that_rest_on_nothing_are_told_all_at_once():
    wrong = [
        Gate(lon=1.0, lat=9.0, **WHERE),
        Bridge(line=line((500.0, 0.0), (500.0, 5000.0)), **WHERE),
        Block(line=line((500.0, 40.0), (600.0, 40.0)), **WHERE),
    ]

    with pytest.raises(InputError) as refused:
        changed.apply(city(BANKS, [(0.0, 0.0, 1.0)]), wrong)

    assert [f.key for f in refused.value.faults] == [
        "barriers.gate_nothing",
        "barriers.bridge_end",
        "barriers.block_nothing",
    ]


def test_a_change_is_placed_in_its_own_coordinate_system():
    there = changed._on_map(((125.3249031, 43.8870041),), "gcj02", CRS)
    here = changed._on_map(((125.3184, 43.8846),), "wgs84", CRS)

    assert np.hypot(*(there - here)[0]) < 0.02


def test_a_blocked_street_and_a_bridge_beside_it_change_what_a_plan_counts(tmp_path: Path):
    """The library stands on a corner with two streets; people at every crossing, 10 each."""
    scenario = Scenario.read(write(tmp_path)).revise(siting=None)
    corner, north = at(0, 0), at(0, 1)
    across = [(p.x, p.y) for p in (at(-0.2, 0.3), at(0.3, -0.2))]
    said = {"crs": "wgs84", "why": "试"}
    block = {"type": "block", "line": across, **said}
    bridge = {"type": "bridge", "line": [(corner.x, corner.y), (north.x, north.y)], **said}

    free, shut, bridged = (plan.run(scenario.revise(change=of), anyway=True) for of in ([], [block], [block, bridge]))

    assert free.totals["served_before"] == 100  # ten crossings within three blocks
    assert shut.totals["served_before"] == 0  # not even who lives at the corner: nothing leads on from there
    assert bridged.totals["served_before"] == 80  # (2, 0) and (3, 0) are too far by the one way that is left
    assert plan.answer(prepare(load(scenario), shut.scenario), shut.scenario).totals == shut.totals
