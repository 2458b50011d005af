"""How evenly something is spread over people: between units, between groups, and over everybody.

`value` is what one person of a demand point has, 0 or more and better the more there is: service from 0 to 1, or a
measure of `walkshed.access`. `people` says how many persons that is; a group's column asks about the group alone.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

import numpy as np
import pandas as pd

from walkshed.contracts import FloatArray, IntArray, groups_of, number_faults, refuse, row_faults
from walkshed.errors import Fault

TOP, BOTTOM = 0.1, 0.4  # Palma 2011: the middle half holds a steady share, so the ends tell


@dataclass(frozen=True)
class Theil:
    """Inequality taken apart: `total = between + within`, in nats; 0 is equal, ln(people) is one has all.

    between : what would be left if everybody had the mean of their group; within : what the groups hold inside
    """

    total: float
    between: float
    within: float


@dataclass(frozen=True)
class Interval:
    """A figure, and where it lies in `level` of the runs when people are known only so well."""

    value: float
    low: float
    high: float
    level: float


def shares(demand: pd.DataFrame, value: pd.Series, *, between: Literal["units", "groups"] = "units") -> pd.DataFrame:
    """How much of what there is each unit or group has, beside how many people live in it.

    Parameters
    ----------
    demand : index demand id; `people`, and `unit` or `people_<group>`
    value : what one person of each demand point has, by demand id

    Returns
    -------
    DataFrame
        Index units (sorted) or groups (as the columns stand; they may overlap): `people`, `mean` (what a person has
        there; of service from 0 to 1 the share served), `share_of_people`, `share_of_value`, `ratio` of the two (1 is
        a fair share; NaN where nobody lives or nobody has anything).

    Raises
    ------
    InputError
        With every fault: ids without a number, no groups, nobody.

    Examples
    --------
    >>> town = pd.DataFrame({"people": [30, 10], "people_60p": [5, 5], "unit": ["A", "B"]}, index=["h", "i"])
    >>> shares(town, pd.Series({"h": 1.0, "i": 0.0}))[["mean", "share_of_people", "ratio"]].loc["A"].tolist()
    [1.0, 0.75, 1.3333333333333333]
    >>> shares(town, pd.Series({"h": 1.0, "i": 0.0}), between="groups").loc["60p", "mean"]
    np.float64(0.5)
    """
    known = {"units": _by_unit, "groups": _by_group}
    if between not in known:
        refuse([Fault("fairness.between", "shares", {"between": between, "known": ", ".join(known)})])
    each, people = _checked(value, demand["people"])
    table = known[between](demand.loc[value.index], each, people)
    return _with_ratio(table, people.sum(), (people * each).sum())


def lorenz(value: pd.Series, people: pd.Series) -> pd.DataFrame:
    """What the poorest share of people holds of all there is (Lorenz 1905, doi:10.2307/2276207).

    Returns
    -------
    DataFrame
        `share_of_people`, `share_of_value`, both from 0 to 1 and ascending; one row for each level of `value` and one
        for the origin. `share_of_value` is NaN where nobody has anything.

    Examples
    --------
    >>> lorenz(pd.Series([3.0, 1.0]), pd.Series([1, 1])).to_numpy().tolist()
    [[0.0, 0.0], [0.5, 0.25], [1.0, 1.0]]
    """
    person, held = _curve(*_checked(value, people))
    return pd.DataFrame({"share_of_people": person, "share_of_value": held})


def gini(value: pd.Series, people: pd.Series) -> float:
    r"""Gini coefficient: 0 if all have the same, towards 1 if one has all; NaN if nobody has anything.

    Twice the area between the Lorenz curve and the diagonal (Gini 1912), everybody weighing the same:

    .. math:: G = 1 - \sum_k (p_k - p_{k-1})(L_k + L_{k-1})

    >>> gini(pd.Series([0.0, 1.0]), pd.Series([75, 25]))
    0.75
    """
    person, held = _curve(*_checked(value, people))
    return float(1.0 - np.diff(person) @ (held[1:] + held[:-1]))


def palma(value: pd.Series, people: pd.Series) -> float:
    """What the best-off 10 % of people hold, over what the worst-off 40 % hold (Palma 2011; 0.25 is equal).

    Doi 10.1111/j.1467-7660.2011.01694.x. People of one level are divided where 10 % or 40 % cuts through them. Infinite
    where the worst-off 40 % hold nothing, which is common for service; NaN where nobody has anything.

    >>> palma(pd.Series([1.0, 2.0, 4.0]), pd.Series([40, 50, 10]))
    1.0
    """
    person, held = _curve(*_checked(value, people))
    low, high = np.interp([BOTTOM, 1.0 - TOP], person, held)
    if np.isnan(low):
        return float("nan")
    return float((1.0 - high) / low) if low > 0 else float("inf")


def theil(value: pd.Series, people: pd.Series, groups: pd.Series | None = None) -> Theil:
    r"""Theil's T (1967), and what of it lies between and within groups (Shorrocks 1980, doi:10.2307/1913126).

    .. math:: T = \sum_i \frac{P_i v_i}{V} \ln\frac{v_i}{\bar v}
        = \sum_g s_g \ln\frac{\bar v_g}{\bar v} + \sum_g s_g T_g

    with `s_g` the share of all there is that group `g` holds, and 0 ln 0 = 0. NaN if nobody has anything.

    Parameters
    ----------
    groups : group of each demand point (such as its unit), by demand id; None: one group, nothing between

    Examples
    --------
    >>> found = theil(pd.Series([1.0, 1.0, 2.0]), pd.Series([1, 1, 2]), pd.Series(["A", "A", "B"]))
    >>> found.within, found.total == found.between
    (0.0, True)
    """
    each, persons = _checked(value, people)
    group = np.zeros(len(each), dtype=np.int64)
    if groups is not None:
        _same_ids(value, groups, "groups")
        group = _codes(groups.loc[value.index], "groups")
    some = persons > 0
    each, persons, group = each[some], persons[some], group[some]
    held = each * persons
    with np.errstate(invalid="ignore", divide="ignore"):
        mean = held.sum() / persons.sum()
        of_group = np.bincount(group, held) / np.bincount(group, persons)
        share = held / held.sum()
        between = np.sum(share * _log(of_group[group] / mean))
        within = np.sum(share * _log(each / of_group[group]))
        total = np.sum(share * _log(each / mean))
    return Theil(float(total), float(between), float(within))


def confidence(
    measure: Callable[[pd.Series], float],
    people: pd.Series,
    *,
    noise: float = 0.1,
    together: pd.Series | None = None,
    runs: int = 200,
    level: float = 0.9,
    seed: int = 0,
) -> Interval:
    """How much a figure moves when people are known only so well: a parametric bootstrap, percentile interval.

    In each run everybody is counted anew: people times a log-normal factor of mean 1. What depends on people, seats per
    person too, may be worked out inside `measure`.

    Parameters
    ----------
    measure : a figure for given people, such as ``lambda people: gini(served, people)``
    noise : standard deviation of the factor's logarithm; 0.1 is about 10 %
    together : points that err together share one factor, such as the unit of each (a wrong control total moves all of
        them); None: each errs alone, which largely cancels out over many points
    level : share of the runs inside the interval; runs in which the figure is NaN make it NaN

    Raises
    ------
    InputError
        People that are no numbers; no runs, or a level or noise out of range.

    Examples
    --------
    >>> served, people = pd.Series([1.0, 0.0]), pd.Series([10, 10])
    >>> found = confidence(lambda people: gini(served, people), people, noise=0.2, seed=1)
    >>> found.value, found.low < 0.5 < found.high
    (0.5, True)
    """
    refuse(_noise_faults(noise, runs, level))
    _checked(people, people)
    member = np.arange(len(people))
    if together is not None:
        _same_ids(people, together, "together")
        member = _codes(together.loc[people.index], "together")
    rng = np.random.default_rng(seed)
    found = []
    for _ in range(runs):
        factor = np.exp(rng.normal(-noise * noise / 2, noise, member.max() + 1))
        found.append(measure(people * factor[member]))
    low, high = np.quantile(found, [(1 - level) / 2, (1 + level) / 2])
    return Interval(float(measure(people)), float(low), float(high), level)


def _checked(value: pd.Series, people: pd.Series) -> tuple[FloatArray, FloatArray]:
    """Both as numbers in the order of `value`; there must be somebody."""
    _same_ids(value, people, "people")
    each, persons = _numbers(value, "value"), _numbers(people.loc[value.index], "people")
    refuse([Fault("fairness.no_people", "people")] if not persons.sum() > 0 else [])
    return each, persons


def _numbers(column: pd.Series, name: str) -> FloatArray:
    """Finite numbers of 0 or more; the contract, which takes long, is asked only where it is broken."""
    found = pd.to_numeric(column, errors="coerce").to_numpy(dtype=float)
    if not (found >= 0).all() or np.isinf(found).any():
        refuse(number_faults(column.to_frame(name), name, name))
    return found


def _same_ids(value: pd.Series, other: pd.Series, where: str) -> None:
    """Series are matched by id: each must have the same, once."""
    strange = value.index.symmetric_difference(other.index)
    twice = value.index[value.index.duplicated()].append(other.index[other.index.duplicated()])
    lost = strange.append(twice)
    refuse([Fault("fairness.other_ids", where, {"ids": ", ".join(map(str, lost[:5]))})] if len(lost) else [])


def _curve(each: FloatArray, persons: FloatArray) -> tuple[FloatArray, FloatArray]:
    """The Lorenz curve: shares of people and of what they hold, from the origin on, one point per level."""
    levels, at = np.unique(each, return_inverse=True)
    count = np.bincount(at, persons, minlength=len(levels))
    levels, count = levels[count > 0], count[count > 0]
    person, held = (np.concatenate([[0.0], np.cumsum(part)]) for part in (count, count * levels))
    with np.errstate(invalid="ignore"):
        return person / person[-1], held / held[-1]


def _log(ratio: FloatArray) -> FloatArray:
    """Logarithm where there is anything; 0 where there is not, since nothing weighs nothing."""
    return np.log(ratio, out=np.zeros_like(ratio), where=~(ratio == 0) & ~np.isnan(ratio))


def _by_unit(demand: pd.DataFrame, each: FloatArray, people: FloatArray) -> pd.DataFrame:
    unit = _codes(demand["unit"], "unit")
    names = np.unique(demand["unit"].to_numpy(dtype=object))
    return pd.DataFrame(
        {"people": np.bincount(unit, people), "held": np.bincount(unit, people * each)},
        index=pd.Index(names, name="unit"),
    )


def _by_group(demand: pd.DataFrame, each: FloatArray, people: FloatArray) -> pd.DataFrame:  # noqa: ARG001 - as _by_unit
    known = groups_of(demand)
    refuse([] if known else [Fault("fairness.no_groups", "demand", {"found": ", ".join(map(str, demand))})])
    columns = [f"people_{g}" for g in known]
    members = np.column_stack([_numbers(demand[c], c) for c in columns])
    return pd.DataFrame({"people": members.sum(axis=0), "held": each @ members}, index=pd.Index(known, name="group"))


def _codes(label: pd.Series, where: str) -> IntArray:
    """Each label as a number, in their sorted order."""
    refuse(row_faults("table.empty_value", label.to_frame(where), label.isna().to_numpy(), where, where))
    return np.unique(label.to_numpy(dtype=object), return_inverse=True)[1].astype(np.int64)


def _with_ratio(table: pd.DataFrame, people: float, held: float) -> pd.DataFrame:
    some = table["people"].where(table["people"] > 0)
    share = some / people
    value = table["held"] / (held if held > 0 else np.nan)
    return pd.DataFrame(
        {
            "people": table["people"],
            "mean": table["held"] / some,
            "share_of_people": table["people"] / people,
            "share_of_value": value,
            "ratio": value / share,
        }
    )


def _noise_faults(noise: float, runs: int, level: float) -> list[Fault]:
    checks = {"noise": (noise, 0 <= noise < np.inf), "runs": (runs, runs >= 1), "level": (level, 0 < level < 1)}
    return [
        Fault(f"fairness.{name}", "confidence", {"value": value}) for name, (value, fine) in checks.items() if not fine
    ]
