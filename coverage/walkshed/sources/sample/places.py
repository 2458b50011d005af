"""Names a local would recognise, with their rank: what gaps are called after."""

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from walkshed.sources.sample.facts import Facts
from walkshed.sources.sample.land import CRS, ORIGIN, Land
from walkshed.sources.sample.settlements import Settlements

CITY, SEAT, TOWN, TOWNSHIP, VILLAGE, ESTATE = range(6)


def name_places(facts: Facts, land: Land, settlements: Settlements, candidates: gpd.GeoDataFrame) -> gpd.GeoDataFrame:
    """Points with `name` and `rank`: 0 city, 1 seat, 2 street or town, 3 township, 4 village, 5 estate."""
    named = settlements.named
    village = ~settlements.is_town.astype(bool)
    estates = candidates[candidates["kind"] == "residential"]
    parts = [
        (["长春市"], [CITY], ORIGIN[None]),
        (facts.units["label"], np.full(len(facts.units), SEAT), land.seats),
        (named["name"], np.where(named["kind"].isin(["街道", "镇"]), TOWN, TOWNSHIP), named[["x", "y"]].to_numpy()),
        (settlements.name[village], np.full(village.sum(), VILLAGE), _middles(settlements.shape[village])),
        (estates["name"], np.full(len(estates), ESTATE), shapely.get_coordinates(estates.geometry.array)),
    ]
    frame = pd.concat([pd.DataFrame({"name": list(n), "rank": list(r)}) for n, r, _ in parts], ignore_index=True)
    xy = np.concatenate([np.asarray(p) for _, _, p in parts])
    return gpd.GeoDataFrame(frame, geometry=shapely.points(xy), crs=CRS)


def _middles(shapes: object) -> object:
    return shapely.get_coordinates(shapely.centroid(shapes))
