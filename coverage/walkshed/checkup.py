"""A look at a scenario without planning: what its data are worth, and how the city of today stands."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from walkshed import compliance, service, trust
from walkshed.contracts import Progress
from walkshed.errors import InputError
from walkshed.ground import Ground, prepare
from walkshed.plan import kinds_of
from walkshed.scenario import Scenario
from walkshed.sources.load import load
from walkshed.targets import Outcome, outcomes, settlements_of
from walkshed.trust import Finding


@dataclass(frozen=True, eq=False)
class Checkup:
    """What was found.

    findings : the trust report; only these where the data could not be read at all, the tables are then None
    units : labels by unit id
    standards, seasons : see `compliance`
    targets : see `targets`
    """

    scenario: Scenario
    findings: tuple[Finding, ...]
    units: pd.Series | None = None
    standards: pd.DataFrame | None = None
    seasons: pd.DataFrame | None = None
    targets: tuple[Outcome, ...] = ()

    @property
    def grade(self) -> trust.Grade:
        """The worst of the findings."""
        return trust.worst(self.findings)

    def record(self) -> dict[str, Any]:
        """All of it as plain data, for JSON."""
        held = [
            {"id": o.target.id, "found": o.found, "asked": o.asked, "met": o.met, "missing": list(o.missing),
             "zh": o.sentence("zh"), "en": o.sentence("en"), "source": f"{o.target.document}, {o.target.clause}"}
            for o in self.targets
        ]  # fmt: skip
        tables = {"standards": self.standards, "seasons": self.seasons}
        return {
            "name": self.scenario.name, "schematic": self.scenario.schematic, "grade": self.grade,
            "findings": [finding.record() for finding in self.findings],
            "units": {} if self.units is None else self.units.astype(str).to_dict(),
            **{name: [] if table is None else _rows(table) for name, table in tables.items()},
            "targets": held,
        }  # fmt: skip


def checkup(scenario: Scenario, *, share: float = 1.0, progress: Progress | None = None) -> Checkup:
    """Read a scenario's files and look at them.

    share : of each unit's people that must be within a standard's walk

    Data that cannot be read become findings to stop for, so that the report names them beside nothing else.
    """
    tell = progress or (lambda _step, _share: None)
    try:
        tell("load", 0.0)
        city = load(scenario, progress=progress)
    except InputError as error:
        return Checkup(scenario, tuple(Finding.of_fault(fault) for fault in error.faults))
    tell("network", 0.0)
    return look(prepare(city, scenario), scenario, share=share, progress=progress)


def look(ground: Ground, scenario: Scenario, *, share: float = 1.0, progress: Progress | None = None) -> Checkup:
    """The same on ground that is prepared already."""
    tell, city, known = progress or (lambda _step, _share: None), ground.city, kinds_of(scenario)
    units = city.area.units
    outlets = city.outlets.assign(unit=city.area.unit_of(city.outlets.geometry))
    candidates = city.candidates.assign(unit=city.area.unit_of(city.candidates.geometry))
    now = outlets[outlets["status"] == "open"]
    limit, _ = service.terms(now, kinds=known, limit_m=scenario.limit_m)
    longest = compliance.longest_m()
    tell("reach", 0.0)
    walks = ground.walks(now, max(longest, scenario.limit_m, float(np.max(limit, initial=0.0))))
    tell("trust", 0.5)
    served = service.level(walks, now, kinds=known, limit_m=scenario.limit_m)
    options = ground.walks(candidates, longest, progress) if len(candidates) else None
    return Checkup(
        scenario,
        trust.check(ground, scenario, served=served),
        units["label"],
        compliance.table(city.demand, list(units.index), walks, candidates=options, share=share),
        compliance.seasons(city.demand, walks),
        outcomes(outlets, units["label"], settlements=settlements_of(outlets, candidates)),
    )


def _rows(table: pd.DataFrame) -> list[dict[str, Any]]:
    """Rows of a table as JSON has them."""
    return [
        {str(k): v.item() if isinstance(v, np.generic) else v for k, v in row.items()}
        for row in table.to_dict("records")
    ]
