"""The nearest site is the nearest by the streets, and stays so while sites come and go."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from test_reach import small_town, spot
from walkshed.anchors import anchor
from walkshed.nearest import NearestField, nearest
from walkshed.network import WalkNetwork
from walkshed.reach import reach
from worlds import lattice, places


def test_the_nearest_by_street_not_by_air() -> None:
    homes, sites = places(["h", "far"], [(0, 0), (-9000, 0)]), places(["L", "M"], [(300, 0), (150, 150)])

    found = nearest(lattice(), homes, sites)

    assert found.loc["h"].tolist() == [300.0, "L"]
    assert np.isnan(found.loc["far", "nearest_m"])
    assert found.loc["far", "nearest_id"] is None


def test_of_two_equally_near_the_first_counts() -> None:
    sites = places(["z", "a"], [(0, 200), (200, 0)])

    assert nearest(lattice(), places(["h"], [(0, 0)]), sites)["nearest_id"].tolist() == ["z"]


def test_closing_a_site_that_is_not_open_is_refused() -> None:
    town = lattice()
    field = NearestField(town, anchor(town, places(["h"], [(0, 0)])), anchor(town, places(["L"], [(0, 0)])))

    with pytest.raises(KeyError):
        field.remove("M")


@settings(max_examples=150, deadline=None)
@given(small_town(), st.lists(spot, min_size=1, max_size=8), st.lists(spot, min_size=2, max_size=5), st.data())
def test_adding_and_removing_gives_what_a_fresh_start_gives(town: WalkNetwork, homes, libraries, data) -> None:
    people = anchor(town, places([f"h{i}" for i in range(len(homes))], homes), max_access_m=60)
    sites = places([f"L{i}" for i in range(len(libraries))], libraries)
    open_now = data.draw(st.lists(st.sampled_from(list(sites.index)), min_size=1, unique=True))
    field = NearestField(town, people, anchor(town, sites.iloc[:0], max_access_m=60))
    for site in sites.index:
        field.add(anchor(town, sites.loc[[site]], max_access_m=60))

    for site in sites.index.difference(open_now):
        field.remove(site)

    fresh = reach(town, people, anchor(town, sites.loc[open_now], max_access_m=60), limit_m=1e7).to_scipy().toarray()
    fresh[fresh == 0] = np.inf
    exact = reach(town, people, anchor(town, sites.loc[open_now], max_access_m=60), limit_m=1e7).to_frame()
    slow = exact.groupby("from_id")["distance_m"].min().reindex(people.ids).to_numpy()
    np.testing.assert_array_equal(field.distance_m, slow)
