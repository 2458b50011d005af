"""Who can walk to a library, who cannot, and where to build next.

The river, from what is known of a city to what people read::

    sources ─▶ area ─▶ network, demand, supply ─▶ reach ─▶ gaps, fairness ─▶ siting ─▶ plan ─▶ publish ─▶ cli, views

Tables in, tables out: GeoDataFrames in one metric CRS, ids in the index, metres and people. A whole question is a
`Scenario`; `run` answers it with a `Plan`, and `write` makes files of that. Each step can be had alone::

    network = ws.WalkNetwork.build(ways)                                  # ways: ws.read_osm(...).ways, or ws.Ways
    walks = ws.reach(network, demand, outlets, limit_m=1000)              # who can walk where
    seats = ws.access.two_step(walks, demand["people"], outlets["seats"]) # seats per person
    ws.fairness.gini(seats, demand["people"])                             # and how evenly they are spread
    ws.isodistance(network, outlets, 1000)                                # for the eye

>>> import walkshed as ws
>>> ws.yardsticks()[ws.Scenario.default().standard_id].metres()
1000.0

Names are looked up when they are used, so that importing costs nothing. Modules of several measures go by their own
name: `access`, `fairness`, `siting`.
"""

import sys
from importlib import import_module
from types import ModuleType
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from walkshed import access, fairness, siting
    from walkshed.area import Area
    from walkshed.errors import WalkshedError
    from walkshed.gaps import find_gaps
    from walkshed.nearest import nearest
    from walkshed.network import WalkNetwork
    from walkshed.plan import Plan, run
    from walkshed.publish import write
    from walkshed.reach import Reach, reach
    from walkshed.scenario import Scenario
    from walkshed.shapes import isodistance, reached_streets
    from walkshed.siting import max_cover
    from walkshed.sources.osm import read as read_osm
    from walkshed.standards import yardsticks
    from walkshed.supply import kinds
    from walkshed.ways import Ways

__all__ = [
    "Area", "Plan", "Reach", "Scenario", "WalkNetwork", "WalkshedError", "Ways", "access", "fairness", "find_gaps",
    "isodistance", "kinds", "max_cover", "nearest", "reach", "reached_streets", "read_osm", "run", "siting", "write",
    "yardsticks",
]  # fmt: skip

_HOMES = {
    "Area": "area", "Plan": "plan", "Reach": "reach", "Scenario": "scenario", "WalkNetwork": "network",
    "WalkshedError": "errors", "Ways": "ways", "find_gaps": "gaps", "isodistance": "shapes",
    "kinds": "supply", "max_cover": "siting", "nearest": "nearest", "reach": "reach", "reached_streets": "shapes",
    "read_osm": "sources.osm", "run": "plan", "write": "publish", "yardsticks": "standards",
}  # fmt: skip
_OTHERWISE = {"read_osm": "read"}  # what a name is called at home


if not TYPE_CHECKING:  # type checkers are to know the names above and no others

    def __getattr__(name: str) -> object:
        if name not in __all__:
            raise AttributeError(f"module 'walkshed' has no attribute {name!r}")
        if name not in _HOMES:
            return import_module(f"walkshed.{name}")
        return getattr(import_module(f"walkshed.{_HOMES[name]}"), _OTHERWISE.get(name, name))


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})


class _Package(ModuleType):
    """Importing a module sets it on its package; `reach` and `nearest` are to stay the functions of that name."""

    def __setattr__(self, name: str, value: object) -> None:
        if not (name in _HOMES and isinstance(value, ModuleType)):
            super().__setattr__(name, value)


sys.modules[__name__].__class__ = _Package
