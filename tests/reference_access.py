"""Slow twins of access and fairness: one pair, one person, one square at a time."""

import itertools
import math
from collections.abc import Callable, Mapping, Sequence

import pandas as pd


def catchment(
    pairs: pd.DataFrame,
    people: Mapping[str, float],
    seats: Mapping[str, float],
    decay: Callable[[float], float],
) -> dict[str, float]:
    """Generalised two-step floating catchment area, step by step."""
    sharing = dict.fromkeys(seats, 0.0)
    for pair in pairs.itertuples():
        sharing[pair.to_id] += people[pair.from_id] * decay(pair.distance_m)
    found = dict.fromkeys(people, 0.0)
    for pair in pairs.itertuples():
        if sharing[pair.to_id] > 0:
            found[pair.from_id] += seats[pair.to_id] / sharing[pair.to_id] * decay(pair.distance_m)
    return found


def persons(value: Sequence[float], people: Sequence[int]) -> list[float]:
    """Everybody by himself."""
    return [v for v, n in zip(value, people, strict=True) for _ in range(n)]


def gini(value: Sequence[float], people: Sequence[int]) -> float:
    """Mean difference between any two, over twice the mean."""
    everyone = persons(value, people)
    n, total = len(everyone), sum(everyone)
    return sum(abs(a - b) for a, b in itertools.product(everyone, repeat=2)) / (2 * n * total)


def theil(value: Sequence[float], people: Sequence[int]) -> float:
    everyone = persons(value, people)
    mean = sum(everyone) / len(everyone)
    return sum(v / mean * math.log(v / mean) for v in everyone if v > 0) / len(everyone)


def palma(value: Sequence[float], people: Sequence[int]) -> float:
    """For numbers of people that 10 divides."""
    everyone = sorted(persons(value, people))
    tenth = len(everyone) // 10
    return sum(everyone[-tenth:]) / sum(everyone[: 4 * tenth])
