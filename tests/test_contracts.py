"""A table that breaks its promises is refused, once, with everything that is wrong with it."""

import numpy as np
import pytest

from walkshed.contracts import check_demand, check_sites, number_faults
from walkshed.errors import InputError
from worlds import places


def faults_of(call) -> dict[str, str]:
    with pytest.raises(InputError) as caught:
        call()
    return {f"{f.key} {f.values.get('column', '')}".strip(): f.values.get("rows", "") for f in caught.value.faults}


def test_every_fault_of_a_demand_table_is_told_with_its_rows() -> None:
    bad = places(["a", "b", "a", "d"], [(0, 0)] * 4, people=[1.0, -2.0, np.nan, 3.0], people_60p=[0.0, 0.0, 0.0, 9.0])

    assert faults_of(lambda: check_demand(bad)) == {
        "table.missing_column unit": "",
        "table.negative people": "2",
        "table.not_number people": "3",
        "table.duplicate id": "1, 3",
    }


def test_a_group_larger_than_all_people_is_refused() -> None:
    bad = places(["a", "b"], [(0, 0)] * 2, people=[1.0, 3.0], people_60p=[1.0, 4.0], unit="u")

    assert faults_of(lambda: check_demand(bad)) == {"table.group_over_total people_60p": "2"}


def test_a_kind_nobody_knows_is_refused_with_those_that_are() -> None:
    bad = places(["a", "b"], [(0, 0)] * 2, name="x", kind=["park", "pub"], status="open")

    with pytest.raises(InputError, match=r"kind is not known \(rows 2, such as pub\). Use one of: park, school\."):
        check_sites(bad, ["park", "school"])


def test_text_that_is_no_number_and_infinities_are_told_apart_from_negatives() -> None:
    bad = places(["a", "b", "c"], [(0, 0)] * 3, people=["7", "many", "-1"])

    assert {f.key: f.values["rows"] for f in number_faults(bad, "people", "x")} == {
        "table.not_number": "2",
        "table.negative": "3",
    }


def test_a_table_without_crs_or_with_degrees_is_refused() -> None:
    homes = places(["a"], [(0, 0)], people=1.0, unit="u")

    assert "table.no_crs" in faults_of(lambda: check_demand(homes.set_crs(None, allow_override=True)))
    assert "table.not_metric" in faults_of(lambda: check_demand(homes.set_crs("EPSG:4326", allow_override=True)))
