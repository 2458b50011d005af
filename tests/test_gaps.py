"""Gaps are disjoint, compact, ranked, and hold every unserved person."""

import geopandas as gpd
import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from shapely import box

from walkshed.area import Area
from walkshed.gaps import find_gaps
from worlds import CRS, lattice, places

UNITS = Area.from_units(
    gpd.GeoDataFrame({"label": ["西区", "东区"]}, geometry=[box(0, 0, 5000, 9999), box(5000, 0, 9999, 9999)],
                     index=["w", "e"], crs=CRS), crs=CRS)  # fmt: skip
TOWN = lattice(side=20, block_m=500)


def gaps_of(xy, people, limit_m=1000.0, named=()):
    homes = places([f"h{i}" for i in range(len(xy))], xy, people=np.array(people, dtype=float), nearest_m=1500.0)
    homes["unit"] = UNITS.unit_of(homes.geometry)
    names = places([n for n, _ in named], [at for _, at in named], name=[n for n, _ in named], rank=4)
    return find_gaps(homes, homes["people"].to_numpy(), area=UNITS, network=TOWN, places=names, limit_m=limit_m)


def test_squares_that_touch_are_one_gap_and_the_largest_comes_first() -> None:
    gaps = gaps_of([(150, 150), (250, 250), (950, 950)], [10, 20, 40])

    assert gaps["people"].to_dict() == {"g1": 40.0, "g2": 30.0}
    assert gaps["area_km2"].round(3).to_dict() == {"g1": 0.01, "g2": 0.02}


def test_a_gap_never_spans_two_units() -> None:
    gaps = gaps_of([(4950, 150), (5050, 150)], [10, 20])

    assert gaps["unit"].tolist() == ["e", "w"]


def test_a_long_settlement_is_halved_at_the_median_person() -> None:
    gaps = gaps_of([(50 + 100 * i, 150) for i in range(30)], [1.0] * 30)

    assert gaps["people"].tolist() == [15.0, 15.0]


def test_a_gap_is_called_by_the_place_a_local_knows_and_told_apart_by_street() -> None:
    gaps = gaps_of([(150, 550), (950, 950), (4000, 4000)], [30, 20, 10], named=[("小村", (500, 700))])

    assert gaps["name"].tolist() == ["小村（1 街）", "小村（2 街）", "8 街"]


def test_nobody_left_out_gives_no_gap() -> None:
    homes = places(["h"], [(1, 1)], people=[3.0], nearest_m=1.0, unit="w")

    none = find_gaps(homes, np.zeros(1), area=UNITS, network=TOWN, places=places([], [], name=[], rank=[]), limit_m=500)

    assert len(none) == 0


@settings(max_examples=60, deadline=None)
@given(
    st.lists(
        st.tuples(st.integers(0, 80), st.integers(0, 80), st.integers(0, 50)), min_size=1, max_size=80, unique=True
    )
)
def test_gaps_are_disjoint_compact_and_lose_nobody(cells) -> None:
    xy = [(x * 100 + 50, y * 100 + 50) for x, y, _ in cells]
    people = [float(p) for *_, p in cells]

    gaps = gaps_of(xy, people)

    assert gaps["people"].sum() == sum(people)
    assert gaps.union_all().area == gaps.area.sum() if len(gaps) else True
    assert (gaps.bounds.assign(w=lambda b: b.maxx - b.minx, h=lambda b: b.maxy - b.miny)[["w", "h"]] <= 2000).all(
        axis=None
    )
    assert gaps["people"].is_monotonic_decreasing
