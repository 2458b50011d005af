"""Names a local would recognise, with their rank: what gaps are called after."""

import geopandas as gpd
import numpy as np
import shapely
from numpy.typing import ArrayLike

from walkshed.sources.sample.facts import Facts
from walkshed.sources.sample.land import CRS, ORIGIN, Land
from walkshed.sources.sample.settlements import Settlements
from walkshed.sources.sample.shapes import dots

CITY, SEAT, TOWN, TOWNSHIP, VILLAGE, ESTATE = range(6)


def name_places(facts: Facts, land: Land, settlements: Settlements, candidates: gpd.GeoDataFrame) -> gpd.GeoDataFrame:
    """Points with `name` and `rank`: 0 city, 1 seat, 2 street or town, 3 township, 4 village, 5 estate."""
    named = settlements.named
    village = ~settlements.is_town.astype(bool)
    estates = candidates[candidates["kind"] == "residential"]
    parts: list[tuple[ArrayLike, ArrayLike, ArrayLike]] = [
        (["长春市"], [CITY], ORIGIN[None]),
        (facts.units["label"], np.full(len(facts.units), SEAT), land.seats),
        (named["name"], np.where(named["kind"].isin(["街道", "镇"]), TOWN, TOWNSHIP), named[["x", "y"]].to_numpy()),
        (
            settlements.name[village],
            np.full(village.sum(), VILLAGE),
            shapely.get_coordinates(shapely.centroid(settlements.shape[village])),
        ),
        (estates["name"], np.full(len(estates), ESTATE), shapely.get_coordinates(estates.geometry.array)),
    ]
    name, rank, xy = (np.concatenate([np.asarray(part[k]) for part in parts]) for k in range(3))
    return gpd.GeoDataFrame({"name": name, "rank": rank.astype(np.int64)}, geometry=dots(xy), crs=CRS)
