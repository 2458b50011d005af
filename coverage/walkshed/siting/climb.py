"""Prices for the models that are no plain cover: one deflected subgradient climb over any Lagrangian bound."""

from collections.abc import Callable

import numpy as np

from walkshed.contracts import FloatArray
from walkshed.siting import _kernels_prices as pricing

Evaluate = Callable[[FloatArray], tuple[float, FloatArray]]


def climb(
    evaluate: Evaluate,
    start: FloatArray,
    *,
    upper: FloatArray | float,
    target: float,
    iterations: int,
    memory: float = 0.2,
) -> tuple[float, FloatArray]:
    """Raise a concave bound over prices in [0, upper] towards `target`; returns the best bound and its prices.

    `evaluate` gives the bound at some prices and a supergradient there. Polyak's step on an averaged direction (Held
    and Karp 1971; Crowder 1976). A bound at or above `target` ends the climb.
    """
    prices, direction = start.copy(), np.zeros_like(start)
    ceiling = np.broadcast_to(np.asarray(upper, dtype=float), prices.shape).copy()
    best, kept, step, stuck = -np.inf, start, 0.5, 0
    for _ in range(iterations):
        value, slope = evaluate(prices)
        stuck = 0 if value > best + 1e-5 * abs(best) else stuck + 1
        if value > best:
            best, kept = value, prices.copy()
        if best >= target or step < 1e-3:  # noqa: PLR2004 - shortest step
            break
        if stuck > 15:  # noqa: PLR2004 - patience
            step, stuck, prices = step * 0.66, 0, kept.copy()
            direction[:] = 0
            continue
        length = pricing.turn(prices, direction, slope, ceiling, memory)
        if length == 0:
            break
        pricing.walk(ceiling, prices, direction, step * max(target - value, 1e-6 * abs(target)) / length)
    return best, kept
