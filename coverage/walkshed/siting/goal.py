"""What a plan is to achieve: the model, and the few numbers some models need."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from walkshed.scenario import ModelName


@dataclass(frozen=True)
class Goal:
    """What to achieve; names are those of the scenario file's `[siting]`.

    Attributes
    ----------
    model : which question
    serve, serve_units : set_cover: share of people to serve, in all and per unit, of those that can be served at all
    least : set_cover: fewest `sites` or least `money`
    percentile : p_center: share of people whose worst walk counts, of those that can be served at all
    second : backup_cover: what a second outlet within reach is worth, 0 to 1 of the first
    beyond_m : p_median: the walk counted for people with nothing in reach; None: the reach's limit
    """

    model: ModelName = "max_cover"
    serve: float = 1.0
    serve_units: Mapping[str, float] = field(default_factory=dict)
    least: Literal["sites", "money"] = "sites"
    percentile: float = 1.0
    second: float = 0.5
    beyond_m: float | None = None
