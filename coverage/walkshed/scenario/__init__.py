"""The question a planner asks: a TOML file, read into frozen sections, changed in small steps and written back.

`values` says what one value may be, `sections` and `changes` what the keys are, `faults` puts what is wrong into our
sentences, `checks` looks at the keys together, `model` is the whole.
"""

from walkshed.scenario.changes import Add, Block, Bridge, Change, Close, Forbid, Gate, Move, Open, Require
from walkshed.scenario.checks import SAMPLE, files, has_osm, is_grid
from walkshed.scenario.model import FILE_NAME, Scenario
from walkshed.scenario.sections import (
    OF_ONE_MODEL,
    AreaSection,
    Band,
    DemandSection,
    KindSection,
    MapSection,
    ModelName,
    ReachSection,
    SitingSection,
    StandardSection,
    StreetsSection,
    SupplySection,
)

__all__ = [
    "FILE_NAME",
    "OF_ONE_MODEL",
    "SAMPLE",
    "Add",
    "AreaSection",
    "Band",
    "Block",
    "Bridge",
    "Change",
    "Close",
    "DemandSection",
    "Forbid",
    "Gate",
    "KindSection",
    "MapSection",
    "ModelName",
    "Move",
    "Open",
    "ReachSection",
    "Require",
    "Scenario",
    "SitingSection",
    "StandardSection",
    "StreetsSection",
    "SupplySection",
    "files",
    "has_osm",
    "is_grid",
]
