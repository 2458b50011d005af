"""Slow twins of the siting models: try every choice."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import chain, combinations
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.optimize import linprog

from walkshed.reach import Reach
from walkshed.siting.problem import Problem, problem
from walkshed.siting.rules import Rules

LIMIT_M = 1000.0
FloatArray = NDArray[np.float64]


def choices(options: int, most: int) -> Iterator[tuple[int, ...]]:
    """Every set of at most so many options."""
    return chain.from_iterable(combinations(range(options), n) for n in range(min(most, options) + 1))


def best_cover(reached: NDArray[np.bool_], people: FloatArray, build: int) -> float:
    """Most people that any choice serves; `reached` is options x demand."""
    return max(float(people[reached[list(c)].any(axis=0)].sum()) for c in choices(len(reached), build))


@dataclass(frozen=True)
class World:
    """A tiny question with all its rules, as plain tables."""

    options: pd.DataFrame  # place, kind, unit, settlement, cost, share, limit_m, seats, x, y
    distance_m: FloatArray  # options x demand, inf where there is no way
    demand: pd.DataFrame  # people, people_60p, unit
    outlets: pd.DataFrame
    outlet_m: FloatArray
    rules: Rules
    weights: dict[str, float]
    bands: tuple[tuple[float, float], ...]

    @property
    def people(self) -> FloatArray:
        """People as they count."""
        extra = sum(((w - 1) * self.demand[f"people_{g}"].to_numpy() for g, w in self.weights.items()), np.zeros(1))
        return self.demand["people"].to_numpy(dtype=float) + extra

    def shares(self, table: pd.DataFrame, away_m: FloatArray) -> FloatArray:
        """Share of service in each pair of sites and demand."""
        part = np.zeros(away_m.shape)
        for upto, share in reversed(self.bands or ((np.inf, 1.0),)):
            part[away_m <= upto] = share
        inside = away_m <= table["limit_m"].to_numpy()[:, None]
        return np.where(inside & np.isfinite(away_m), part * table["share"].to_numpy()[:, None], 0.0)

    @cached_property
    def option_share(self) -> FloatArray:
        return self.shares(self.options, self.distance_m)

    @cached_property
    def held(self) -> FloatArray:
        return self.shares(self.outlets, self.outlet_m).max(axis=0, initial=0.0)

    def served(self, choice: tuple[int, ...]) -> FloatArray:
        """Share of service of each demand point."""
        return np.maximum(self.held, self.option_share[list(choice)].max(axis=0, initial=0.0))

    @cached_property
    def records(self) -> list[dict[str, Any]]:
        return self.options.assign(id=self.options.index).to_dict("records")

    def allowed(self, choice: tuple[int, ...]) -> bool:
        """Whether a choice keeps every rule, read off the rule's own words."""
        rules, taken = self.rules, [self.records[j] for j in choice]
        names = {t["id"] for t in taken} | {t["place"] for t in taken}
        count = {key: Counter(t[key] for t in taken) for key in ("unit", "kind", "place", "settlement")}
        return (
            (rules.build is None or len(choice) <= rules.build)
            and (rules.budget is None or sum(t["cost"] for t in taken) <= rules.budget + 1e-9)
            and all(count["unit"][unit] >= n for unit, n in rules.floors.items())
            and all(count["unit"][unit] <= n for unit, n in rules.ceilings.items())
            and all(count["kind"][kind] <= n for kind, n in rules.kinds.items())
            and set(rules.require) <= names
            and not set(rules.forbid) & names
            and max(count["place"].values(), default=0) <= 1
            and all(
                np.hypot(a["x"] - b["x"], a["y"] - b["y"]) >= rules.spacing_m
                for a, b in combinations(taken, 2)
                if a["place"] != b["place"]
            )
            and (not rules.every_settlement or self.unsettled <= set(count["settlement"]))
        )

    @cached_property
    def unsettled(self) -> set[str]:
        return set(self.options["settlement"]) - set(self.outlets["settlement"]) - {""}

    def choices(self) -> Iterator[tuple[int, ...]]:
        """Every choice that keeps the rules."""
        return filter(self.allowed, choices(len(self.options), len(self.options)))

    def problem(self) -> Problem:
        """The same question for the engine."""
        return problem(
            self.options, _reach(self.options.index, self.distance_m), self.demand, rules=self.rules,
            outlets=self.outlets, outlet_reach=_reach(self.outlets.index, self.outlet_m),
            group_weights=self.weights, bands=self.bands,
        )  # fmt: skip


def _reach(ids: pd.Index, away_m: FloatArray) -> Reach:
    site, demand = np.nonzero(away_m <= LIMIT_M)
    ptr = np.searchsorted(site, np.arange(len(ids) + 1)).astype(np.int64)
    names = pd.Index([f"d{i}" for i in range(away_m.shape[1])])
    return Reach(ids, names, ptr, demand.astype(np.int32), away_m[site, demand], LIMIT_M)


def random_world(seed: int) -> World:
    """A small instance with any of the rules, or none."""
    rng = np.random.default_rng(seed)
    k, m, e = int(rng.integers(1, 7)), int(rng.integers(1, 10)), int(rng.integers(0, 3))
    maybe = lambda chance: rng.random() < chance  # noqa: E731
    mixed = maybe(0.6)

    def sites(n: int, prefix: str) -> pd.DataFrame:
        places = [f"{prefix}{int(p)}" for p in (rng.integers(0, max(1, n), n) if mixed else np.arange(n))]
        at = {p: rng.uniform(0, 1000, 2) for p in places}
        return pd.DataFrame(
            {
                "place": places,
                "kind": rng.choice(["room", "box"], n),
                "unit": [f"u{int(p[1:]) % 2}" for p in places],
                "settlement": [f"t{int(p[1:]) % 3}" for p in places],
                "cost": rng.integers(0, 5, n).astype(float),
                "share": rng.choice([1.0, 0.5, 0.6], n) if mixed else 1.0,
                "limit_m": rng.choice([500.0, 1000.0], n) if mixed else LIMIT_M,
                "seats": rng.integers(1, 12, n).astype(float),
                "x": [at[p][0] for p in places],
                "y": [at[p][1] for p in places],
            },
            index=[f"{prefix}option{j}" for j in range(n)],
        )

    options, outlets = sites(k, "p"), sites(e, "q")
    xy = rng.uniform(0, 1000, (m, 2))

    def away(table: pd.DataFrame) -> FloatArray:
        return np.hypot(*(table[c].to_numpy()[:, None] - xy[None, :, n] for n, c in enumerate("xy")))

    spread = float(rng.choice([0.6, 1.0, 2.0]))
    people = rng.integers(0, 9, m).astype(float) if maybe(0.7) else np.round(rng.uniform(0, 9, m), 3)
    demand = pd.DataFrame(
        {"people": people, "people_60p": np.floor(people / 3), "unit": rng.choice(["u0", "u1"], m)},
        index=[f"d{i}" for i in range(m)],
    )
    units, places = sorted(set(options["unit"])), sorted(set(options["place"]))
    rules = Rules(
        build=int(rng.integers(0, len(places) + 1)) if maybe(0.7) else None,
        budget=float(options["cost"].min() + rng.integers(0, 8)) if maybe(0.4) else None,
        floors={str(rng.choice(units)): int(rng.integers(0, 3))} if maybe(0.3) else {},
        ceilings={str(rng.choice(units)): int(rng.integers(0, 3))} if maybe(0.3) else {},
        kinds={"box": int(rng.integers(0, 2))} if maybe(0.2) else {},
        require=(str(rng.choice(places)),) if maybe(0.2) else (),
        spacing_m=float(rng.choice([200.0, 500.0])) if maybe(0.3) else 0.0,
        every_settlement=bool(maybe(0.15)),
    )
    banned = str(rng.choice(options.index))
    if maybe(0.2) and not rules.require:
        rules = replace(rules, forbid=(banned,))
    return World(
        options, away(options) * spread, demand, outlets, away(outlets) * spread, rules,
        {"60p": 1.5} if maybe(0.3) else {}, ((300.0, 1.0), (1000.0, 0.6)) if maybe(0.3) else (),
    )  # fmt: skip


def inside(world: World) -> tuple[FloatArray, FloatArray]:
    """Distances of options and of outlets, inf beyond their own limits."""
    within = lambda t, d: np.where(d <= t["limit_m"].to_numpy()[:, None], d, np.inf)  # noqa: E731
    return within(world.options, world.distance_m), within(world.outlets, world.outlet_m)


def walks(world: World, choice: tuple[int, ...]) -> FloatArray:
    """Walk of each demand point to the nearest outlet or chosen option."""
    options, outlets = inside(world)
    return np.minimum(options[list(choice)].min(axis=0, initial=np.inf), outlets.min(axis=0, initial=np.inf))


def least_cost(world: World, serve: float, serve_units: dict[str, float], cost: FloatArray) -> float | None:
    """Cheapest choice that serves the shares of those that can be served; None if none does."""
    unit, most = world.demand["unit"].to_numpy(), world.served(tuple(range(len(world.options))))
    parts = [(np.ones(len(unit), dtype=bool), serve), *((unit == u, s) for u, s in serve_units.items())]

    def enough(choice: tuple[int, ...]) -> bool:
        people = world.people * world.served(choice)
        return all(people[p].sum() >= s * (world.people * most)[p].sum() - 1e-5 for p, s in parts)

    return min((float(cost[list(c)].sum()) for c in world.choices() if enough(c)), default=None)


def mean_walk(world: World, beyond_m: float) -> float | None:
    """Shortest mean walk."""
    people = world.people
    walked = (float(people @ np.minimum(walks(world, c), beyond_m)) for c in world.choices())
    return min((w / max(people.sum(), 1e-12) for w in walked), default=None)


def worst_walk(world: World, percentile: float) -> float | None:
    """Shortest walk within which the share of those that can be reached at all is served."""
    people = world.people
    need = percentile * people[np.isfinite(walks(world, tuple(range(len(world.options)))))].sum() - 1e-5
    best = None
    for choice in world.choices():
        walk = walks(world, choice)
        radii = [r for r in {0.0, *walk[np.isfinite(walk)]} if people[walk <= r].sum() >= need]
        best = min([best, *radii] if best is not None else radii, default=best)
    return best


def fairest(world: World) -> tuple[float, ...] | None:
    """Largest vector of unit shares, worst first, then the total."""
    unit, people = world.demand["unit"].to_numpy(), world.people
    real = [u for u in sorted(set(unit)) if people[unit == u].sum() > 0]

    def vector(choice: tuple[int, ...]) -> tuple[float, ...]:
        served = people * world.served(choice)
        shares = sorted(served[unit == u].sum() / people[unit == u].sum() for u in real)
        return (*(round(s, 6) for s in shares), float(served.sum()))

    return max(map(vector, world.choices()), default=None)


def most_seated(world: World) -> float | None:
    """Most people served where seats limit it, by linear programming for each choice."""
    options, outlets = inside(world)
    away = np.vstack([options, outlets])
    share = np.vstack([world.option_share, world.shares(world.outlets, world.outlet_m)])
    seats = np.concatenate([world.options["seats"], world.outlets["seats"]])

    def seated(choice: tuple[int, ...]) -> float:
        open_sites = [*choice, *range(len(world.options), len(seats))]
        site, demand = np.nonzero(np.isfinite(away[open_sites]))
        if not len(site):
            return 0.0
        limits = np.vstack(
            [site == s for s in range(len(open_sites))] + [demand == i for i in range(len(world.people))]
        )
        high = np.concatenate([seats[open_sites], world.people])
        return -float(linprog(-share[open_sites][site, demand], A_ub=limits.astype(float), b_ub=high).fun)

    return max(map(seated, world.choices()), default=None)


def best_backed(world: World, second: float) -> float | None:
    """Most people with a first outlet within reach, and a second one in part."""
    options, outlets = inside(world)
    count = lambda c: np.isfinite(options[list(c)]).sum(axis=0) + np.isfinite(outlets).sum(axis=0)  # noqa: E731
    return max(
        (float(world.people @ np.array([0, 1, 1 + second])[np.minimum(2, count(c))]) for c in world.choices()),
        default=None,
    )
