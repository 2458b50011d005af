"""Where to build: provable plans under a library's real rules."""

from walkshed.siting.cover import max_cover
from walkshed.siting.curve import curve
from walkshed.siting.explain import Why, explain
from walkshed.siting.goal import Goal
from walkshed.siting.phases import Phase, Phases, Year, phases
from walkshed.siting.price import Priced, price
from walkshed.siting.problem import Problem, problem
from walkshed.siting.result import Siting
from walkshed.siting.robust import robustness
from walkshed.siting.rules import Rules
from walkshed.siting.solve import solve

__all__ = [
    "Goal", "Phase", "Phases", "Priced", "Problem", "Rules", "Siting", "Why", "Year",
    "curve", "explain", "max_cover", "phases", "price", "problem", "robustness", "solve",
]  # fmt: skip
