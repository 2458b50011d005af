"""How well people can get at what there is: nearest walk, what is within reach, seats shared among those who come.

Every measure reads the pairs of a `Reach` and nothing else: its limit is the catchment, and what it does not hold
cannot be walked. Results are indexed by demand id, in the reach's order.
"""

from collections.abc import Callable, Sequence

import numpy as np
import pandas as pd

from walkshed.contracts import FloatArray, Index32, IntArray, number_faults, refuse, row_numbers
from walkshed.errors import Fault
from walkshed.reach import Reach

Decay = Callable[[FloatArray], FloatArray]
"""What a walk of so many metres is worth, for an array of walks; 0 or more, usually 1 at the door."""

ZONE_WEIGHTS = (1.0, 0.68, 0.22)  # Luo & Qi 2009: three zones of ten minutes each, slower of their two declines


def flat(distance_m: FloatArray) -> FloatArray:
    """Every walk within the limit is worth the same.

    >>> flat(np.array([0.0, 999.0])).tolist()
    [1.0, 1.0]
    """
    return np.ones_like(distance_m)


def zones(steps: Sequence[tuple[float, float]]) -> Decay:
    """Worth falls in steps: (up to m, inclusive; weight) ascending; nothing beyond the last.

    >>> zones([(300, 1.0), (500, 0.6)])(np.array([300.0, 301.0, 501.0])).tolist()
    [1.0, 0.6, 0.0]
    """
    ends = np.array([end for end, _ in steps], dtype=float)
    weights = np.array([*(weight for _, weight in steps), 0.0])
    if not len(ends) or (np.diff(ends) <= 0).any():
        refuse([Fault("access.zones", "zones", {"ends": ", ".join(f"{end:g}" for end in ends)})])
    return lambda distance_m: np.asarray(weights[np.searchsorted(ends, distance_m, side="left")])


def gaussian(limit_m: float) -> Decay:
    r"""Worth falls along a Gaussian that is 1 at the door and 0 at the limit (Dai 2010, equation 2).

    .. math:: g(d) = \frac{e^{-\frac{1}{2}(d/d_0)^2} - e^{-1/2}}{1 - e^{-1/2}}, \quad d \le d_0

    >>> gaussian(1000.0)(np.array([0.0, 500.0, 1000.0])).round(4).tolist()
    [1.0, 0.7014, 0.0]
    """
    end = np.exp(-0.5)

    def weigh(distance_m: FloatArray) -> FloatArray:
        bell = (np.exp(-0.5 * (distance_m / limit_m) ** 2) - end) / (1.0 - end)
        return np.where(distance_m <= limit_m, bell, 0.0)

    return weigh


def nearest_m(reach: Reach) -> pd.Series:
    """Walk to the nearest site in metres; NaN where none is within the limit.

    Returns
    -------
    Series of float64, index demand id. `walkshed.nearest.nearest` is the same without a limit.

    Examples
    --------
    >>> pairs = pd.DataFrame({"from_id": ["h", "h"], "to_id": ["L", "M"], "distance_m": [300.0, 200.0]})
    >>> near = Reach.from_frame(pairs, demand_ids=["h", "i"], site_ids=["L", "M"], limit_m=500)
    >>> nearest_m(near).to_dict()
    {'h': 200.0, 'i': nan}
    """
    walk = np.full(len(reach.demand_ids), np.inf)
    np.minimum.at(walk, reach.demand, reach.distance_m)
    walk[np.isinf(walk)] = np.nan
    return _series(reach, walk, "nearest_m")


def opportunities(reach: Reach, worth: pd.Series | None = None, *, decay: Decay = flat) -> pd.Series:
    r"""Count what is within reach: sites, or what each is worth (seats, books, floor).

    Cumulative opportunities (Wachs & Kumagai 1973, doi:10.1016/0038-0121(73)90041-4); with a decay, Hansen's potential
    (1959, doi:10.1080/01944365908978307).

    .. math:: A_i = \sum_{j:\, d_{ij} \le d_0} S_j\, g(d_{ij})

    Parameters
    ----------
    worth : what each site offers, >= 0, by site id; None: each counts 1

    Raises
    ------
    InputError
        Sites without a finite worth of 0 or more; a decay that gives no weights.

    Examples
    --------
    >>> pairs = pd.DataFrame({"from_id": ["h", "h"], "to_id": ["L", "M"], "distance_m": [300.0, 200.0]})
    >>> near = Reach.from_frame(pairs, demand_ids=["h", "i"], site_ids=["L", "M"], limit_m=500)
    >>> opportunities(near, pd.Series({"L": 40, "M": 60})).to_dict()
    {'h': 100.0, 'i': 0.0}
    """
    faults, offered = _aligned(reach.site_ids, worth, "worth")
    weights = _weights(reach, decay, faults)
    return _series(reach, _sum_by(reach.demand, weights * offered[_sites(reach)], len(reach.demand_ids)), "access")


def two_step(reach: Reach, people: pd.Series, seats: pd.Series) -> pd.Series:
    """Seats per person, where all within the limit share a site alike: two-step floating catchment area, 2SFCA.

    Radke & Mu 2000 (doi:10.1080/10824000009480538); Luo & Wang 2003 (doi:10.1068/b29120). `catchment` with no decay.

    >>> pairs = pd.DataFrame({"from_id": ["h", "i", "i"], "to_id": ["L", "L", "M"], "distance_m": [300.0, 400.0, 0.0]})
    >>> near = Reach.from_frame(pairs, demand_ids=["h", "i"], site_ids=["L", "M"], limit_m=500)
    >>> two_step(near, pd.Series({"h": 10, "i": 30}), pd.Series({"L": 40, "M": 60})).to_dict()
    {'h': 1.0, 'i': 3.0}
    """
    return catchment(reach, people, seats, decay=flat)


def enhanced_two_step(
    reach: Reach, people: pd.Series, seats: pd.Series, *, steps: Sequence[tuple[float, float]] | None = None
) -> pd.Series:
    """Seats per person, where nearer people use a site more: enhanced 2SFCA, in zones.

    Luo & Qi 2009 (doi:10.1016/j.healthplace.2009.06.002). `steps` are (up to m, weight) as in `zones`; None: thirds of
    the limit with their weights 1, 0.68 and 0.22.

    >>> pairs = pd.DataFrame({"from_id": ["h", "i"], "to_id": ["L", "L"], "distance_m": [100.0, 300.0]})
    >>> near = Reach.from_frame(pairs, demand_ids=["h", "i"], site_ids=["L"], limit_m=600)
    >>> enhanced_two_step(near, pd.Series({"h": 10, "i": 25}), pd.Series({"L": 27})).round(3).to_dict()
    {'h': 1.0, 'i': 0.68}
    """
    if steps is None:
        ends = [reach.limit_m * part / len(ZONE_WEIGHTS) for part in range(1, len(ZONE_WEIGHTS))]
        steps = list(zip([*ends, reach.limit_m], ZONE_WEIGHTS, strict=True))
    return catchment(reach, people, seats, decay=zones(steps))


def gaussian_two_step(reach: Reach, people: pd.Series, seats: pd.Series) -> pd.Series:
    """Seats per person, where use falls smoothly to nothing at the limit: Gaussian 2SFCA.

    Dai 2010 (doi:10.1016/j.healthplace.2010.06.012), with the reach's limit as the catchment.

    >>> pairs = pd.DataFrame({"from_id": ["h", "i"], "to_id": ["L", "L"], "distance_m": [0.0, 500.0]})
    >>> near = Reach.from_frame(pairs, demand_ids=["h", "i"], site_ids=["L"], limit_m=500)
    >>> gaussian_two_step(near, pd.Series({"h": 10, "i": 30}), pd.Series({"L": 40})).to_dict()
    {'h': 4.0, 'i': 0.0}
    """
    return catchment(reach, people, seats, decay=gaussian(reach.limit_m))


def catchment(reach: Reach, people: pd.Series, seats: pd.Series, *, decay: Decay) -> pd.Series:
    r"""Seats per person under any decay: generalised 2SFCA (Wang 2012, doi:10.1080/00045608.2012.657146).

    .. math:: R_j = \frac{S_j}{\sum_k P_k\, g(d_{kj})}, \qquad A_i = \sum_j R_j\, g(d_{ij})

    People times their seats add up to the seats of all sites that somebody can use; a site that nobody can use is
    nobody's, and adds nothing.

    Parameters
    ----------
    people : those who share, >= 0, by demand id; a group's column counts that group alone
    seats : what a site has to share, >= 0, by site id
    decay : weights >= 0 for walks in metres

    Raises
    ------
    InputError
        With every fault: ids without a number, numbers that are not finite or negative, a decay that gives no weights.

    Examples
    --------
    >>> pairs = pd.DataFrame({"from_id": ["h", "i"], "to_id": ["L", "L"], "distance_m": [0.0, 400.0]})
    >>> near = Reach.from_frame(pairs, demand_ids=["h", "i"], site_ids=["L"], limit_m=500)
    >>> catchment(near, pd.Series({"h": 10, "i": 20}), pd.Series({"L": 40}), decay=lambda m: 1 - m / 800).to_dict()
    {'h': 2.0, 'i': 1.0}
    """
    faults, persons = _aligned(reach.demand_ids, people, "people")
    more, offered = _aligned(reach.site_ids, seats, "seats")
    weights = _weights(reach, decay, [*faults, *more])
    site = _sites(reach)
    sharing = _sum_by(site, weights * persons[reach.demand], len(reach.site_ids))
    each = np.divide(offered, sharing, out=np.zeros_like(offered), where=sharing > 0)
    return _series(reach, _sum_by(reach.demand, weights * each[site], len(reach.demand_ids)), "access")


def _aligned(ids: pd.Index, values: pd.Series | None, where: str) -> tuple[list[Fault], FloatArray]:
    """Faults, or the values in the order of the ids; every id has one finite value of 0 or more."""
    if values is None:
        return [], np.ones(len(ids))
    twice = values.index.duplicated(keep=False)
    if twice.any():
        example = {"column": "id", "rows": row_numbers(twice), "example": values.index[twice][0]}
        return [Fault("table.duplicate", where, example)], np.ones(len(ids))
    lost = ids[~ids.isin(values.index)]
    if len(lost):
        return [Fault("access.no_value", where, {"n": len(lost), "ids": ", ".join(map(str, lost[:5]))})], np.ones(
            len(ids)
        )
    found = values.loc[ids]
    faults = number_faults(found.to_frame(where), where, where)
    return faults, np.ones(len(ids)) if faults else found.to_numpy(dtype=float)


def _weights(reach: Reach, decay: Decay, faults: list[Fault]) -> FloatArray:
    """What each pair's walk is worth; refuses what was wrong before, and a decay that gives no weights."""
    weights = np.asarray(decay(reach.distance_m), dtype=float)
    if weights.shape != reach.distance_m.shape:
        refuse([*faults, Fault("access.decay_shape", "decay", {"given": len(reach.distance_m), "found": weights.size})])
    bad = ~(np.isfinite(weights) & (weights >= 0))
    if bad.any():
        first = int(np.argmax(bad))
        values = {"distance_m": reach.distance_m[first], "weight": weights[first]}
        refuse([*faults, Fault("access.decay_weight", "decay", values)])
    refuse(faults)
    return weights


def _sites(reach: Reach) -> IntArray:
    """Position of each pair's site."""
    return np.repeat(np.arange(len(reach.site_ids)), np.diff(reach.ptr))


def _sum_by(key: IntArray | Index32, values: FloatArray, count: int) -> FloatArray:
    return np.bincount(key, values, minlength=count).astype(float)


def _series(reach: Reach, values: FloatArray, name: str) -> pd.Series:
    return pd.Series(values, index=reach.demand_ids, name=name)
