"""Who is served today or would be: for everyone the best service within reach, summed by unit and by group."""

from collections.abc import Mapping

import geopandas as gpd
import numpy as np
import pandas as pd

from walkshed.contracts import FloatArray, groups_of
from walkshed.reach import Reach
from walkshed.supply import Kind

Bands = tuple[tuple[float, float], ...]

BANDS_M = (250, 500, 750, 1000, 1250, 1500, 2000, 3000, 5000, 10_000)
"""Upper ends of the walks that are told apart, inclusive."""


def level(
    reach: Reach, sites: pd.DataFrame, *, kinds: Mapping[str, Kind], limit_m: float, bands: Bands = ()
) -> FloatArray:
    """Best share of full service each demand point has within reach, 0 to 1; float64 (demand,).

    Each site counts up to its kind's own limit, or `limit_m`, with its kind's share; a person counts once, at best.

    sites : index as `reach.site_ids`; `kind`
    bands : (up to m, share) ascending, inclusive: service that falls with distance; none beyond the last
    """
    limit, share = terms(sites, kinds=kinds, limit_m=limit_m)
    of = np.repeat(np.arange(len(sites)), np.diff(reach.ptr))
    within = reach.distance_m <= limit[of]
    best = np.zeros(len(reach.demand_ids))
    part = share[of[within]]
    if bands:
        upto, worth = (np.array(column, dtype=float) for column in zip(*bands, strict=True))
        part = part * np.append(worth, 0.0)[np.searchsorted(upto, reach.distance_m[within])]
    np.maximum.at(best, reach.demand[within], part)
    return best


def terms(sites: pd.DataFrame, *, kinds: Mapping[str, Kind], limit_m: float) -> tuple[FloatArray, FloatArray]:
    """Walking limit and share of full service of each site, float64 (sites,): its kind's own, else `limit_m`.

    >>> from walkshed.supply import kinds
    >>> [values.tolist() for values in terms(pd.DataFrame({"kind": ["branch"]}), kinds=kinds(), limit_m=800.0)]
    [[800.0], [1.0]]
    """
    own = [kinds[kind].limit_m for kind in sites["kind"]]
    limit = np.array([limit_m if own_m is None else own_m for own_m in own], dtype=float)
    return limit, np.array([kinds[kind].share for kind in sites["kind"]], dtype=float)


def by_unit(demand: gpd.GeoDataFrame, units: pd.DataFrame, outlets: pd.DataFrame) -> pd.DataFrame:
    """People served before and after, per unit: `label, people, served_*, share_*, outlets`; index: unit ids."""
    table = _served(demand, demand["people"], demand["unit"]).reindex(units.index, fill_value=0.0)
    table.insert(0, "label", units["label"])
    count = outlets["unit"].value_counts().reindex(units.index, fill_value=0)
    return _with_shares(table).assign(outlets=count.astype(int)).rename_axis("unit")


def by_group(demand: gpd.GeoDataFrame) -> pd.DataFrame:
    """People served before and after, per population group: `people, served_*, share_*`; index: group names."""
    everyone = pd.Series(0, index=demand.index)
    rows = {group: _served(demand, demand[f"people_{group}"], everyone).iloc[0] for group in groups_of(demand)}
    table = pd.DataFrame.from_dict(rows, orient="index", columns=["people", "served_before", "served_after"])
    return _with_shares(table.astype(float)).rename_axis("group")


def totals(demand: gpd.GeoDataFrame) -> dict[str, float]:
    """People in all, served before and after, the shares, and people off the network."""
    all_of_them = _served(demand, demand["people"], pd.Series(0, index=demand.index))
    found = {str(key): float(value) for key, value in _with_shares(all_of_them).iloc[0].items()}
    return {**found, "off_network": float(demand["people"].to_numpy()[demand["off_network"].to_numpy()].sum())}


def distances(demand: gpd.GeoDataFrame) -> pd.DataFrame:
    """People by how far their nearest outlet is: `up_to_m` (inclusive; inf: farther; NaN: no way there), `people`."""
    ends = [*BANDS_M, np.inf]
    band = np.searchsorted(ends, demand["nearest_m"].to_numpy())  # NaN sorts behind everything
    people = np.bincount(band, demand["people"], minlength=len(ends) + 1)
    return pd.DataFrame({"up_to_m": [*ends, np.nan], "people": people})


def _served(demand: pd.DataFrame, people: pd.Series, by: pd.Series) -> pd.DataFrame:
    counts = {"people": people, **{f"served_{when}": people * demand[f"served_{when}"] for when in ("before", "after")}}
    return pd.DataFrame(counts).groupby(by.to_numpy()).sum()


def _with_shares(table: pd.DataFrame) -> pd.DataFrame:
    """Shares of people; 0 where nobody lives."""
    people = table["people"].where(table["people"] > 0, 1.0)
    return table.assign(**{f"share_{when}": table[f"served_{when}"] / people for when in ("before", "after")})
