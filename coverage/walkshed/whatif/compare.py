"""Two answers about one city side by side: who gains, who loses, and where."""

from dataclasses import dataclass

import geopandas as gpd
import numpy as np
import pandas as pd

from walkshed.contracts import refuse
from walkshed.errors import Fault

WHEN = ("served_before", "served_after")


@dataclass(frozen=True, eq=False)
class Difference:
    """From one answer to another.

    gain, lose : people newly served, people no longer served; each >= 0
    units : DataFrame, index unit id: label, people, served_a, served_b, share_a, share_b, gain, lose
    demand : points with `people`, `served_a`, `served_b`
    """

    gain: float
    lose: float
    units: pd.DataFrame
    demand: gpd.GeoDataFrame


def compare(a: gpd.GeoDataFrame, b: gpd.GeoDataFrame, units: pd.DataFrame, *, when: str = "served_after") -> Difference:
    """Compare the service of two answers' demand, with their proposals (`served_after`) or without (`served_before`).

    Raises
    ------
    InputError
        If they are not about the same people.
    """
    same = a.index.equals(b.index) and np.array_equal(a["people"].to_numpy(), b["people"].to_numpy())
    refuse([] if same else [Fault("whatif.other_city", "compare")])
    people = a["people"].to_numpy(dtype=float)
    was, now = a[when].to_numpy(dtype=float), b[when].to_numpy(dtype=float)
    counts = pd.DataFrame(
        {
            "people": people,
            "served_a": people * was,
            "served_b": people * now,
            "gain": people * np.maximum(now - was, 0.0),
            "lose": people * np.maximum(was - now, 0.0),
        }
    )
    table = counts.groupby(a["unit"].to_numpy()).sum().reindex(units.index, fill_value=0.0)
    base = table["people"].where(table["people"] > 0, 1.0)
    table.insert(0, "label", units["label"])
    table = table.assign(share_a=table["served_a"] / base, share_b=table["served_b"] / base).rename_axis("unit")
    demand = a[["people", "geometry"]].assign(served_a=was, served_b=now)
    return Difference(float(counts["gain"].sum()), float(counts["lose"].sum()), table, demand)
