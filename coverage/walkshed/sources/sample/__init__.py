"""A schematic Changchun, built from public facts and a seed: as hard as the real city, and no map of it.

The story: `facts` → `land` (units, river, rails) → `arteries` (big streets) → `blocks` (inner streets, gates) →
`settlements`, `roads` (the country) → `streets` (all of it as ways) → `people` → `supply`, `places`.
"""

import numpy as np
import shapely

from walkshed.errors import Fault, InputError
from walkshed.sources.city import City
from walkshed.sources.sample import arteries, blocks, facts, land, people, places, roads, settlements, streets, supply

FULL_JUNCTIONS = 113_000
"""Junctions of the default, to which `junctions` is compared."""
LEAST, MOST = 1_000, 4_000_000


def build(*, junctions: int | None = None, scale: float | None = None, seed: int = 2020) -> City:
    """Build the schematic city.

    Parameters
    ----------
    junctions : about how many street junctions; None for the real size. The land grows and shrinks about its middle,
        blocks and densities stay, and people, outlets and candidates go with the land: half the junctions, half the
        people. Below a fifth of the real size only some of the country towns are there.
    scale : the same as a share of the real size; give one of the two.
    seed : same seed, same city, to the byte.

    Raises
    ------
    InputError
        If `junctions` is outside 1,000 to 4,000,000.

    Examples
    --------
    >>> city = build(junctions=3_000)
    >>> city.schematic, city.area.crs.to_epsg(), len(city.area.units)
    (True, 4551, 11)
    """
    if scale is not None and junctions is None:
        junctions = round(scale * FULL_JUNCTIONS)
    if junctions is not None and not LEAST <= junctions <= MOST:
        raise InputError(Fault("sample.junctions", "junctions", {"found": junctions, "least": LEAST, "most": MOST}))
    known = facts.read(1.0 if junctions is None else junctions / FULL_JUNCTIONS)
    chance = [np.random.default_rng([seed, chapter]) for chapter in range(7)]
    ground = land.survey(known)
    big = arteries.lay_out(known, ground, chance[0])
    quarters = blocks.furnish(big, ground, chance[1])
    homes = shapely.get_coordinates(shapely.centroid(quarters.shape[quarters.use == blocks.HOME]))
    country = settlements.settle(known, ground, big, homes, chance[2])
    ties = roads.tie(country, big, ground, chance[3])
    demand = people.populate(known, quarters, country, ground, chance[4])
    doors = supply.spots(quarters, country, demand)
    candidates = supply.candidates(known, ground, big, country, doors, rng=chance[5])
    return City(
        area=ground.area,
        ways=streets.assemble(known, big, quarters, country, ties, land=ground),
        demand=demand,
        outlets=supply.outlets(known, ground, country, doors, chance[6]),
        candidates=candidates,
        places=places.name_places(known, ground, country, candidates),
        barriers=ground.barriers(),
        schematic=True,
        inputs=facts.inputs(),
        notes=(Fault("sample.schematic", "sample"),),
    )
