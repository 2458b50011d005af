"""Slow twins of the demand module: plain loops and fractions that can be checked by eye."""

from fractions import Fraction


def apportioned(total: int, weights: list[int]) -> list[int]:
    """Largest remainders in exact fractions; ties to the first."""
    parts = sum(weights)
    if parts == 0:
        return apportioned(total, [1] * len(weights))
    ideal = [Fraction(total * w, parts) for w in weights]
    people = [int(share) for share in ideal]
    by_remainder = sorted(range(len(weights)), key=lambda i: (people[i] - ideal[i], i))
    for i in by_remainder[: total - sum(people)]:
        people[i] += 1
    return people
