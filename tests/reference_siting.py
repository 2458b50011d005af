"""Slow twins of the siting models: try every choice."""

from collections.abc import Iterator
from itertools import chain, combinations

import numpy as np
from numpy.typing import NDArray

FloatArray = NDArray[np.float64]


def choices(options: int, most: int) -> Iterator[tuple[int, ...]]:
    """Every set of at most so many options."""
    return chain.from_iterable(combinations(range(options), n) for n in range(min(most, options) + 1))


def best_cover(reached: NDArray[np.bool_], people: FloatArray, build: int) -> float:
    """Most people that any choice serves; `reached` is options x demand."""
    return max(float(people[reached[list(c)].any(axis=0)].sum()) for c in choices(len(reached), build))
