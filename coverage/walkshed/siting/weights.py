"""People as whole numbers: sums are exact in any order, and a bound can be rounded down to a proof."""

from dataclasses import dataclass

import numpy as np

from walkshed.contracts import FloatArray

GRAIN = 1e-6  # of a person: finer differences are rounded away
COARSE = 1e8  # more grains than this in all are not told apart one by one
FINE = 1e-7  # of the total: a plan is proven when no other serves more by this share


@dataclass(frozen=True, eq=False)
class Grains:
    """Weights as whole numbers of a common unit.

    whole : float64, whole numbers >= 0; unit : people in one; slack : how much better counts as better, in units
    """

    whole: FloatArray
    unit: float
    slack: float

    @classmethod
    def of(cls, people: FloatArray) -> "Grains":
        """Find the largest unit, at least a millionth of a person, that counts all weights.

        >>> Grains.of(np.array([3.0, 4.5])).unit, Grains.of(np.array([20.0, 30.0])).whole.tolist()
        (1.5, [2.0, 3.0])
        """
        fine = np.rint(people / GRAIN)
        common = int(np.gcd.reduce(fine.astype(np.int64))) if len(fine) else 0
        common = max(1, common)
        whole = fine / common
        total = float(whole.sum())
        return cls(whole, common * GRAIN, 1.0 if total <= COARSE else max(1.0, FINE * total))
