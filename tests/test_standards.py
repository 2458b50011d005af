"""Yardsticks and walkers: cited, and as the sources have them."""

import tomllib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from walkshed.errors import InputError
from walkshed.standards import limit_m, read, walking, yardsticks

ENTRY = """
[standard.mine]
zh = "我的"
en = "mine"
mode = "walk"
limit_m = 400
document = "D"
clause = "1"
year = 2020
source = "S"
confidence = "verified"
"""


@pytest.mark.parametrize(
    ("minutes", "walker", "season", "metres"),
    [
        (15, "adult", "bare", 1116),
        (15, "adult", "winter", 1039),
        (15, "adult", "ice", 972),
        (15, "older", "bare", 720),
        (15, "older", "ice", 657),
    ],
)
def test_minutes_become_the_metres_of_the_facts(minutes: float, walker: str, season: str, metres: float) -> None:
    assert limit_m(minutes, walker, season) == metres  # type: ignore[arg-type]


@given(st.floats(1, 120), st.floats(1, 120))
def test_more_minutes_never_mean_fewer_metres(a: float, b: float) -> None:
    assert limit_m(min(a, b)) <= limit_m(max(a, b))


@pytest.mark.parametrize("part", ["source", "document", "clause", "year", "confidence", "zh"])
def test_a_standard_without_its_citation_is_refused(part: str) -> None:
    entry = "\n".join(line for line in ENTRY.splitlines() if not line.startswith(f"{part} "))

    with pytest.raises(InputError, match=rf"\[standard.mine\]: {part} is missing"):
        read(tomllib.loads(entry))


def test_a_standard_in_metres_and_minutes_is_refused() -> None:
    with pytest.raises(InputError, match="exactly one"):
        read(tomllib.loads(ENTRY + "minutes = 15\n"))


def test_a_standard_of_unknown_mode_is_refused() -> None:
    with pytest.raises(InputError, match="mode is boat"):
        read(tomllib.loads(ENTRY.replace('"walk"', '"boat"')))


def test_life_circles_have_the_metres_of_their_code() -> None:
    circles = {key: yardsticks()[f"gb50180-{key}"].metres() for key in ("15min", "10min", "5min")}

    assert circles == {"15min": 1000, "10min": 500, "5min": 300}


def test_service_radii_and_drives_are_no_walks() -> None:
    assert set(yardsticks()) - set(walking()) == {"land2008-large", "land2008-medium", "land2008-small", "ifla2010-car"}
    with pytest.raises(InputError, match="no walking distance"):
        yardsticks()["ifla2010-car"].metres()
