"""Where to build: provable plans under a library's real rules.

A question is a `problem`: options, whom each reaches, the people, and `Rules`. `solve` answers it with the model a
`Goal` names, `phases` over `Year`s; `explain`, `price`, `curve` and `robustness` ask about the answer.

>>> import pandas as pd
>>> from walkshed.reach import Reach
>>> table = pd.DataFrame({"from_id": ["a", "b", "c"], "to_id": ["X", "X", "Y"], "distance_m": [100.0, 300.0, 50.0]})
>>> reach = Reach.from_frame(table, demand_ids=["a", "b", "c"], site_ids=["X", "Y"], limit_m=500)
>>> people = pd.DataFrame({"people": [10.0, 20.0, 25.0], "unit": "u"}, index=["a", "b", "c"])
>>> places = pd.DataFrame({"place": ["X", "Y"], "unit": "u", "kind": "reading_room", "cost": 1.0}, index=["X", "Y"])
>>> question = problem(places, reach, people, rules=Rules(build=1))
>>> plan = solve(question, Goal())
>>> plan.chosen, plan.people, plan.bound
(('X',), 30.0, 30.0)
>>> why = explain(question, plan, "X")
>>> why.next_best, why.switch_costs, price(question, plan, forbid=["X"]).loss
('Y', 5.0, 5.0)
>>> curve(question, [1, 2])["people"].to_dict()
{1: 30.0, 2: 55.0}
>>> [year.people for year in phases(question.with_rules(build=None), [Year(2026, 1), Year(2027, 1)]).years]
[30.0, 55.0]
>>> "X" in robustness(question, runs=3, missing=0.0).index
True
"""

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
