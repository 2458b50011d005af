"""Yardsticks, seasons and targets: who passes, who is short, and what would close it."""

from dataclasses import replace
from itertools import combinations
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from walkshed import compliance, targets
from walkshed.errors import InputError
from walkshed.reach import Reach


def walks(pairs: dict[tuple[str, str], float], homes: str, sites: list[str], limit_m: float = 1500.0) -> Reach:
    """(home, site) -> metres, as a reach."""
    frame = pd.DataFrame(
        {"from_id": [h for h, _ in pairs], "to_id": [s for _, s in pairs], "distance_m": list(pairs.values())}
    )
    return Reach.from_frame(frame, demand_ids=list(homes), site_ids=sites, limit_m=limit_m)


def homes(**unit_and_people: tuple[str, float]) -> pd.DataFrame:
    unit, people = zip(*unit_and_people.values(), strict=True)
    return pd.DataFrame({"people": people, "unit": unit}, index=list(unit_and_people))


PEOPLE = homes(a=("N", 60.0), b=("N", 40.0), c=("S", 30.0), d=("S", 70.0))
TODAY = walks({("a", "L"): 300.0, ("b", "L"): 500.5, ("c", "L"): 1500.0}, "abcd", ["L"])


def row(table: pd.DataFrame, unit: str, standard: str) -> dict[str, Any]:
    [found] = table[(table["unit"] == unit) & (table["standard"] == standard)].to_dict("records")
    return found


def test_a_unit_is_short_by_whom_the_distance_leaves_out_and_limits_are_inclusive():
    table = compliance.table(PEOPLE, ["N", "S"], TODAY, share=0.9)

    five, ten, fifteen = (row(table, "N", f"gb50180-{minutes}min") for minutes in (5, 10, 15))
    assert (five["served"], five["share"], five["passes"], five["short"]) == (60.0, 0.6, False, pytest.approx(30.0))
    assert ten["served"] == 60.0  # 500.5 m are more than 500
    assert (fifteen["served"], fifteen["passes"], fifteen["short"]) == (100.0, True, 0.0)
    assert row(table, "S", "bengbu-reading-circle")["served"] == 30.0


def test_every_walking_standard_is_in_the_table_and_no_radius_or_drive():
    assert set(compliance.table(PEOPLE, ["N", "S"], TODAY)["standard"]) == set(compliance.walking())


def test_a_unit_nobody_lives_in_passes_and_has_no_share():
    nobody = row(compliance.table(PEOPLE, ["N", "S", "E"], TODAY), "E", "gb50180-15min")

    assert (nobody["people"], nobody["share"], nobody["passes"]) == (0.0, 0.0, True)


def test_what_would_close_the_gap_is_counted_per_unit_and_tells_whom_nothing_reaches():
    options = walks({("c", "X"): 900.0, ("a", "X"): 100.0, ("c", "Y"): 100.0}, "abcd", ["X", "Y"])

    table = compliance.table(PEOPLE, ["N", "S"], TODAY, candidates=options, standards=["gb50180-15min"])

    south = row(table, "S", "gb50180-15min")
    assert (south["sites_low"], south["sites_high"], south["beyond"]) == (1, 1, 70.0)
    assert row(table, "N", "gb50180-15min")["sites_high"] == 0


def test_walks_too_short_of_other_people_or_a_share_over_one_are_all_refused_at_once():
    short = walks({}, "abc", ["L"], limit_m=400.0)

    with pytest.raises(InputError) as refused:
        compliance.table(PEOPLE, ["N", "S"], short, share=1.1)

    keys = [fault.key for fault in refused.value.faults]
    assert keys == ["compliance.share", "compliance.short_walks", "compliance.other_demand"]


@st.composite
def covers(draw: st.DrawFn) -> tuple[Reach, np.ndarray, float]:
    points, sites = draw(st.integers(1, 7)), draw(st.integers(1, 6))
    member = draw(st.lists(st.sets(st.integers(0, points - 1)), min_size=sites, max_size=sites))
    weight = np.array(draw(st.lists(st.integers(0, 9), min_size=points, max_size=points)), dtype=float)
    ids = "abcdefg"[:points]
    pairs = {(ids[p], f"s{j}"): 1.0 for j, inside in enumerate(member) for p in inside}
    return walks(pairs, ids, [f"s{j}" for j in range(sites)]), weight, draw(st.floats(0, 1)) * float(weight.sum())


@given(covers())
def test_the_fewest_sites_lie_between_the_bounds(asked):
    reach, weight, need = asked

    found = compliance.closing(reach, weight, need)

    fewest, beyond = by_trying_everything(reach, weight, need)
    assert found.low <= fewest <= found.high
    assert found.beyond == pytest.approx(beyond)


def by_trying_everything(reach: Reach, weight: np.ndarray, need: float) -> tuple[int, float]:
    """Fewest sites that serve all of the need that can be served, and what cannot."""
    sets = [set(reach.demand[reach.ptr[j] : reach.ptr[j + 1]].tolist()) for j in range(len(reach.site_ids))]
    most = sum(weight[p] for p in set().union(*sets))
    todo = min(need, most)
    for k in range(len(sets) + 1):
        for some in combinations(sets, k):
            if sum(weight[p] for p in set().union(*some)) >= todo * (1 - 1e-12):
                return k, max(0.0, need - most)
    raise AssertionError


def test_winter_takes_service_from_those_at_the_edge():
    people = homes(a=("N", 10.0), b=("N", 20.0), c=("S", 40.0)).assign(people_65p=[1.0, 2.0, 4.0])
    today = walks({("a", "L"): 650.0, ("b", "L"): 700.0, ("c", "L"): 1000.0}, "abc", ["L"])

    table = compliance.seasons(people, today).set_index(["unit", "walker", "season"])

    assert table.loc[("", "adult", "bare"), ["limit_m", "people", "served"]].tolist() == [1116.0, 70.0, 70.0]
    assert table.loc[("", "adult", "ice"), ["limit_m", "served", "dropped"]].tolist() == [972.0, 30.0, 40.0]
    assert table.loc[("", "older", "bare"), ["limit_m", "people", "served"]].tolist() == [720.0, 7.0, 3.0]
    assert table.loc[("N", "older", "ice"), ["limit_m", "served", "dropped"]].tolist() == [657.0, 1.0, 2.0]
    assert compliance.drop_outs(people, today, walker="older").tolist() == [False, True, False]
    assert compliance.drop_outs(people, today, walker="adult").tolist() == [False, False, True]


def test_without_a_group_of_older_people_everybody_walks_as_they_do():
    table = compliance.seasons(PEOPLE, TODAY)

    assert set(table.loc[table["unit"] == "", "people"]) == {200.0}


@given(st.lists(st.floats(0, 1500), min_size=4, max_size=4))
def test_worse_pavement_never_serves_more(distances):
    today = walks(dict(zip([(h, "L") for h in "abcd"], distances, strict=True)), "abcd", ["L"])

    table = compliance.seasons(PEOPLE, today)
    served = table[table["unit"] == ""].pivot_table(index="walker", columns="season", values="served")

    assert (served["bare"] >= served["winter"]).all()
    assert (served["winter"] >= served["ice"]).all()


# ---- targets --------------------------------------------------------------------------------------------------------

UNITS = pd.Series({"N": "北区", "S": "南区"})


def outlets(*rows: dict[str, Any]) -> pd.DataFrame:
    return pd.DataFrame([{"kind": "branch", "status": "open", "unit": "N", **one} for one in rows])


def outcome(found: pd.DataFrame, target: str, **more: Any) -> targets.Outcome:
    everywhere = {key: replace(one, units="") for key, one in targets.known().items()}
    return next(o for o in targets.outcomes(found, UNITS, among=everywhere, **more) if o.target.id == target)


def test_a_city_is_not_held_to_another_city_s_plan():
    changchun = pd.Series({"220102": "南关区", "220103": "宽城区"})

    assert targets.outcomes(outlets({}), UNITS) == ()
    assert len(targets.outcomes(outlets({"unit": "220102"}), changchun)) == len(targets.known())


def test_only_open_rooms_count_towards_thirty():
    rooms = outlets(*[{"kind": "reading_room"}] * 29, {"kind": "reading_room", "status": "planned"})

    missed = outcome(rooms, "reading-rooms-2025")

    assert (missed.found, missed.asked, missed.met, missed.missing) == (29, 30, False, ("南区",))
    assert outcome(outlets(*[{"kind": "reading_room"}] * 30), "reading-rooms-2025").met
    assert "29" in missed.sentence("zh")


def test_years_with_too_few_rooms_are_named():
    opened = ["2021-03-01"] * 3 + ["2022"] * 4 + ["2023"] * 5 + ["2024 年"] * 2 + ["2025"] * 3 + ["1999"]
    rooms = outlets(*({"kind": "reading_room", "opened": when} for when in opened))

    yearly = outcome(rooms, "reading-rooms-yearly")

    assert (yearly.found, yearly.asked, yearly.met, yearly.missing) == (4, 5, False, ("2024 (2)",))


def test_without_opening_years_nothing_is_claimed():
    yearly = outcome(outlets({"kind": "reading_room"}), "reading-rooms-yearly")

    assert yearly.met is None
    assert "opened" in yearly.sentence("en")


def test_settlements_without_an_outlet_are_named_with_their_unit():
    here = outlets({"settlement": "东站街道"}, {"settlement": "", "unit": "S"})
    every = pd.DataFrame({"unit": ["N", "S", "S"], "settlement": ["东站街道", "东站街道", "合隆镇"]})

    reached = outcome(here, "every-settlement", settlements=every)

    assert (reached.found, reached.asked, reached.missing) == (1, 3, ("南区 东站街道", "南区 合隆镇"))
    assert outcome(here, "every-settlement").met is None


def test_settlements_are_read_off_the_tables_of_sites():
    found = targets.settlements_of(outlets({"settlement": "甲"}), outlets({"settlement": "乙"}, {"settlement": "甲"}))

    assert found is not None
    assert found["settlement"].tolist() == ["乙", "甲"]
    assert targets.settlements_of(outlets({})) is None


def test_a_target_without_source_number_or_measure_is_refused():
    cited = {"zh": "x", "en": "x", "by": 2025, "document": "d", "clause": "c", "confidence": "quoted"}

    with pytest.raises(InputError) as refused:
        targets.read({"target": {"a": {**cited, "measure": "count"}, "b": {**cited, "source": "s", "measure": "many"}}})

    assert [f.key for f in refused.value.faults] == ["compliance.uncited", "compliance.no_number", "compliance.measure"]
