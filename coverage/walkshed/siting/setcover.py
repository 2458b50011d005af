"""Set cover: the fewest sites, or the least money, that serve a share of the people."""

from dataclasses import dataclass, replace

import numpy as np

from walkshed.contracts import BoolArray, FloatArray, IntArray
from walkshed.errors import Fault
from walkshed.siting import _kernels as kernels
from walkshed.siting import _kernels_prices as pricing
from walkshed.siting.answer import infeasible, siting_of
from walkshed.siting.climb import climb
from walkshed.siting.elements import Cover
from walkshed.siting.exact import Model, choice_model, minimise, start_of
from walkshed.siting.goal import Goal
from walkshed.siting.lagrange import first_prices, lagrange
from walkshed.siting.moves import decided_by_rules, greedy_picks, swapped
from walkshed.siting.problem import Problem
from walkshed.siting.result import Siting
from walkshed.siting.search import Clock
from walkshed.siting.task import Task

MODEL = 150_000  # pairs that HiGHS is asked to decide
EASY = 20_000  # pairs that HiGHS decides in a moment
EVERY = 50  # iterations of the bound between two covers guided by its prices


@dataclass(frozen=True, eq=False)
class Target:
    """People to serve. name : unit, or '' for all; elements : theirs; need : grains beyond what is held."""

    name: str
    elements: IntArray
    need: float


def set_cover(problem: Problem, goal: Goal, *, left_s: Clock, seed: int) -> Siting:
    r"""Reach the target shares with the fewest sites or least money (Toregas et al. 1971; Daskin and Owen 1999).

    .. math:: \min \sum_j c_j y_j \;:\; z_i \le \sum_{j \in N_i} y_j,\; \sum_{i \in u} w_i z_i \ge \alpha_u W_u
    """
    del seed  # what is random below has its own
    begun = left_s()
    cover = Cover.of(problem)
    task = cover.task(problem)
    cost = problem.options["cost"].to_numpy(dtype=float) if goal.least == "money" else np.ones(task.options)
    measure = goal.least
    plain = task.split(cover.ptr, cover.element, cover.grains.whole)
    targets = _targets(problem, cover, goal)
    if decided_by_rules(task) is None:
        return infeasible(problem, model="set_cover", measure=measure, seconds=begun - left_s())
    picks, bound, stopped = _decide((plain, task), cost, targets, goal, left_s)
    if picks is None:
        none = infeasible(problem, model="set_cover", measure=measure, seconds=begun - left_s())
        return none if none.conflict else replace(none, conflict=_out_of_reach(problem, cover, targets))
    return siting_of(
        problem, picks, model="set_cover", measure=measure, value=float(cost[picks].sum()),
        bound=min(bound, float(cost[picks].sum())), stopped=stopped, seconds=begun - left_s(),
    )  # fmt: skip


def _targets(problem: Problem, cover: Cover, goal: Goal) -> list[Target]:
    """What must be served: a share of those that outlets and all options together could serve."""
    held = problem.people * problem.held / cover.grains.unit
    found = []
    for name, share in [("", goal.serve), *sorted(goal.serve_units.items())]:
        inside = np.ones(len(held), dtype=bool) if not name else problem.demand["unit"].to_numpy() == name
        elements = np.flatnonzero(inside[cover.owner])
        already, most = float(held[inside].sum()), float(cover.grains.whole[elements].sum())
        need = share * (already + most) - already
        need = most if share >= 1 else need  # every one of them, whatever rounding says
        if need > 0:
            found.append(Target(name, elements, need * (1 - 1e-12)))
    return found


def _decide(
    both: tuple[Task, Task], cost: FloatArray, targets: list[Target], goal: Goal, left_s: Clock
) -> tuple[IntArray | None, float, bool]:
    """Picks, a bound on their cost, and whether the clock ended it; of the two tasks the second has elements merged."""
    plain, merged = both
    full, sites = goal.serve >= 1, goal.least == "sites"
    task = merged if full else plain
    large, bound = len(task.serves) > MODEL, 0.0
    lone = len(targets) == 1 and not targets[0].name and not len(merged.rows.low)
    few, known = None, 0.0
    if len(task.serves) > EASY and sites and lone and not full:
        few, known, _ = _by_number(merged, targets[0].need)
        few = few if few is not None and len(few) <= task.build else None
        if few is not None and (large or known >= len(few)):
            return few, known, False
    first, bound = priced_cover(task, cost) if large and full else (_greedy(plain, cost, targets), known)
    first = first if few is None else few
    if large and first is not None:
        return first, float(np.ceil(bound - 1e-6)) if sites else bound, False
    start = None if first is None else start_of(task, first)
    model = _model(task, cost, None if full else targets)
    answer = minimise(model, time_limit_s=left_s(), start=start, gap=0.999 if sites else 0.0)
    stopped = answer.status == "stopped"
    if answer.x is None:
        return (first, bound, stopped) if stopped and first is not None else (None, np.inf, stopped)
    least = float(np.ceil(answer.bound - 1e-6)) if sites else answer.bound
    return np.flatnonzero(answer.x[: task.options] > 0.5), max(bound, least), stopped  # noqa: PLR2004 - rounding


def _model(task: Task, cost: FloatArray, targets: list[Target] | None) -> Model:
    """State the cover with its targets as rows; None: every element must be served."""
    model = choice_model(task)
    k, m = task.options, len(task.weight)
    price = np.concatenate([cost, np.zeros(m)])
    if targets is None:
        lower = np.concatenate([np.zeros(k), np.ones(m)])
        return replace(model, cost=price, lower=lower)
    scale = max(1.0, float(task.weight.max(initial=1.0)))
    rows = [(k + t.elements, task.weight[t.elements] / scale, t.need / scale, np.inf) for t in targets]
    return replace(model, cost=price).and_rows(Model.of([(price, 1.0, False)], rows))


def _greedy(task: Task, cost: FloatArray, targets: list[Target]) -> IntArray | None:
    """Take what serves most per cost until every target is met, drop what is not needed; None if rules then fail."""
    order = greedy_picks(replace(task, build=task.options), np.maximum(cost, 1e-9))
    served = np.zeros(len(task.weight), dtype=bool)
    picks: list[int] = []
    for pick in order.tolist():
        if _met(served, task, targets):
            break
        served[task.serves[task.ptr[pick] : task.ptr[pick + 1]]] = True
        picks.append(pick)
    chosen = np.sort(np.array(picks, dtype=np.int64))
    good = _met(served, task, targets) and len(chosen) <= task.build and task.rows.kept(chosen)
    return chosen if good else None


def _met(served: BoolArray, task: Task, targets: list[Target]) -> bool:
    return all(float(task.weight[t.elements][served[t.elements]].sum()) >= t.need for t in targets)


def priced_cover(task: Task, cost: FloatArray, iterations: int = 600) -> tuple[IntArray | None, float]:
    """Serve every element: a bound by prices, and covers guided by them (Caprara, Fischetti and Toth 1999).

    Rules are left out of the bound, which holds with them all the more, and covers that break one are passed over.
    """
    best: IntArray | None = None
    least, seen = np.inf, 0

    def cover(prices: FloatArray) -> None:
        nonlocal best, least
        picks = pricing.thrifty(task.ptr, task.serves, cost, prices).astype(np.int64)
        spent = float(cost[picks].sum())
        if spent < least and len(picks) <= task.build and task.rows.kept(np.sort(picks)):
            best, least = np.sort(picks), spent

    def evaluate(prices: FloatArray) -> tuple[float, FloatArray]:
        nonlocal seen
        reduced = cost - kernels.sums(task.ptr, task.serves, prices)
        taken = np.flatnonzero(reduced < 0)
        seen += 1
        if seen % EVERY == 0:
            cover(prices)
        slope = 1.0 - pricing.counts(task.ptr, task.serves, taken, len(prices))
        return float(prices.sum() + reduced[taken].sum()), slope

    cover(np.zeros(len(task.weight)))
    size = np.diff(task.ptr)
    rate = np.full(len(task.weight), np.inf)
    np.minimum.at(rate, task.serves, np.repeat(cost / np.maximum(size, 1), size))
    bound, prices = climb(
        evaluate,
        rate,
        upper=np.inf,
        target=float(cost.sum() if best is None else least),
        iterations=iterations,
        memory=0.1,
    )
    cover(prices)
    return best, bound


def _by_number(task: Task, need: float) -> tuple[IntArray | None, float, bool]:
    """Find few sites whose cover meets the need, and prices that prove how few cannot.

    At given prices the bound on what p sites serve is known for every p at once: scores added up, the best first.
    """
    order = greedy_picks(task, np.ones(task.options))
    low, high, best = 0, len(order) + 1, None
    while high - low > 1:
        middle = (low + high) // 2
        picks = swapped(replace(task, build=middle), order[:middle], rounds=1)
        if task.worth(picks) >= need and task.rows.kept(picks):
            high, best = middle, picks
        else:
            low = middle
    if best is None:
        return None, np.inf, False
    fewer = replace(task, build=max(1, high - 1))
    prices = lagrange(fewer, first_prices(fewer, best), target=need, iterations=600)
    left = task.base + float((task.weight - prices.element).sum())
    score = np.sort(kernels.sums(task.ptr, task.serves, prices.element))[::-1]
    most = left + np.concatenate([[0.0], np.cumsum(score)])
    return best, float(np.argmax(most >= need)), False


def _out_of_reach(problem: Problem, cover: Cover, targets: list[Target]) -> tuple[Fault, ...]:
    """Say which targets were asked for under which number of sites."""
    asked = [
        Fault("siting.rule_serve" if t.name else "siting.rule_serve_all", "serve",
              {"name": t.name, "n": t.need * cover.grains.unit})
        for t in targets
    ]  # fmt: skip
    return (*asked, Fault("siting.rule_build", "build", {"name": "", "n": problem.build}))
