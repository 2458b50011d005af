"""HiGHS without a layer in between: arrays in, its own status and bound out, its time limit held."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import highspy
import numpy as np

from walkshed.contracts import BoolArray, FloatArray, IntArray
from walkshed.siting.task import Task, entries

INFINITE = highspy.kHighsInf


@dataclass(frozen=True, eq=False)
class Model:
    """Minimise `cost @ x` over `low <= rows @ x <= high` and `lower <= x <= upper`, some x whole.

    ptr : int64 (rows + 1,); column : int; amount : float64 - the rows, compressed
    """

    cost: FloatArray
    lower: FloatArray
    upper: FloatArray
    whole: BoolArray
    ptr: IntArray
    column: IntArray
    amount: FloatArray
    low: FloatArray
    high: FloatArray

    @classmethod
    def of(
        cls,
        columns: list[tuple[FloatArray, float, bool]],
        rows: Sequence[tuple[IntArray, FloatArray | float, float, float]],
    ) -> "Model":
        """Build from blocks of columns from 0 up, (cost, upper, whole), and rows (columns, amounts, low, high)."""
        cost = np.concatenate([np.asarray(c, dtype=float) for c, _, _ in columns])
        upper = np.concatenate([np.full(len(c), u) for c, u, _ in columns])
        whole = np.concatenate([np.full(len(c), w) for c, _, w in columns])
        ptr = np.concatenate([[0], np.cumsum([len(r[0]) for r in rows])]).astype(np.int64)
        column = np.concatenate([r[0] for r in rows]) if rows else np.zeros(0, dtype=np.int64)
        amount = np.concatenate([_each(r[1], len(r[0])) for r in rows]) if rows else np.zeros(0)
        low, high = np.array([r[2] for r in rows], dtype=float), np.array([r[3] for r in rows], dtype=float)
        return cls(cost, np.zeros(len(cost)), upper, whole, ptr, column, amount, low, high)

    def and_rows(self, other: "Model") -> "Model":
        """Add the rows of another model over the same columns."""
        return Model(
            self.cost, self.lower, self.upper, self.whole,
            np.concatenate([self.ptr, self.ptr[-1] + other.ptr[1:]]),
            np.concatenate([self.column, other.column]), np.concatenate([self.amount, other.amount]),
            np.concatenate([self.low, other.low]), np.concatenate([self.high, other.high]),
        )  # fmt: skip


def _each(amount: FloatArray | float, n: int) -> FloatArray:
    return amount if isinstance(amount, np.ndarray) else np.full(n, amount)


@dataclass(frozen=True, eq=False)
class Answer:
    """What HiGHS found. x : float64 (columns,) or None; cost : of x; bound : no x costs less.

    status : 'optimal', 'infeasible' or 'stopped' (a limit was met; `bound` still holds)
    """

    status: str
    x: FloatArray | None
    cost: float
    bound: float


def minimise(
    model: Model,
    *,
    time_limit_s: float,
    start: FloatArray | None = None,
    gap: float = 0.0,
    relative: float = 0.0,
    nodes: int | None = None,
    presolve: bool = True,
) -> Answer:
    """Solve a model with HiGHS, on one thread, so that the same model always gives the same answer.

    Parameters
    ----------
    time_limit_s : wall time after which it stops and hands over what it has
    start : a feasible x to start from
    gap, relative : stop when cost and bound are this close
    nodes : of the tree, after which it stops: a limit that is the same on every machine
    presolve : False where many columns compete in few rows: to compare them all takes longer than to solve
    """
    h = highspy.Highs()  # type: ignore[no-untyped-call]
    options = {
        "output_flag": False,
        "threads": 1,
        "random_seed": 0,
        "presolve": "choose" if presolve else "off",
        "mip_allow_restart": False,  # the start is good and the core small: restarts cost four times what they save
        "mip_rel_gap": relative,
        "mip_abs_gap": max(gap, 1e-9),
        "time_limit": max(0.05, time_limit_s),
    }
    for name, value in options.items():
        h.setOptionValue(name, value)
    if nodes is not None:
        h.setOptionValue("mip_max_nodes", nodes)
    h.passModel(_to_highs(model))
    if start is not None:
        solution = highspy.HighsSolution()
        solution.col_value = start.tolist()
        h.setSolution(solution)
    h.run()
    return _answer(h, mixed=bool(model.whole.any()))


def _to_highs(model: Model) -> highspy.HighsLp:
    lp = highspy.HighsLp()
    lp.num_col_, lp.num_row_ = len(model.cost), len(model.low)
    lp.col_cost_, lp.col_lower_, lp.col_upper_ = model.cost, model.lower, np.minimum(model.upper, INFINITE)
    lp.row_lower_, lp.row_upper_ = np.maximum(model.low, -INFINITE), np.minimum(model.high, INFINITE)
    lp.a_matrix_.format_ = highspy.MatrixFormat.kRowwise
    lp.a_matrix_.start_, lp.a_matrix_.index_ = model.ptr.astype(np.int32), model.column.astype(np.int32)
    lp.a_matrix_.value_ = model.amount.astype(float)
    if model.whole.any():
        kinds = (highspy.HighsVarType.kContinuous, highspy.HighsVarType.kInteger)
        lp.integrality_ = [kinds[int(w)] for w in model.whole]
    return lp


def _answer(h: highspy.Highs, *, mixed: bool) -> Answer:
    """Read status, point and bound; a point counts only if HiGHS calls it feasible."""
    info, status = h.getInfo(), h.getModelStatus()
    feasible = info.primal_solution_status == 2  # noqa: PLR2004 - kSolutionStatusFeasible
    x = np.array(h.getSolution().col_value) if feasible else None
    cost = float(info.objective_function_value) if feasible else np.inf
    if status in (highspy.HighsModelStatus.kInfeasible, highspy.HighsModelStatus.kUnboundedOrInfeasible):
        return Answer("infeasible", None, np.inf, np.inf)
    if status in (highspy.HighsModelStatus.kOptimal, highspy.HighsModelStatus.kModelEmpty):
        return Answer("optimal", x, cost, float(info.mip_dual_bound) if mixed else cost)
    return Answer("stopped", x, cost, float(info.mip_dual_bound) if mixed else -np.inf)


def choice_model(task: Task, scale: float = 1.0) -> Model:
    r"""Say a task as a model: options first, then elements; its cost is minus the weight served, times `scale`.

    .. math:: \max \sum_i w_i z_i : z_i \le \sum_{j \in N_i} y_j, \sum_j y_j \le p, low \le Ay \le high
    """
    k, m = task.options, len(task.weight)
    back, who = task.back
    n = np.diff(back)
    ptr = np.concatenate([[0], np.cumsum(n + 1)]).astype(np.int64)
    column, amount = np.empty(ptr[-1], dtype=np.int64), np.full(ptr[-1], -1.0)
    column[ptr[1:] - 1], amount[ptr[1:] - 1] = k + np.arange(m), 1.0
    rest = np.ones(ptr[-1], dtype=bool)
    rest[ptr[1:] - 1] = False
    column[rest] = who
    cost, upper = np.concatenate([np.zeros(k), -task.weight * scale]), np.ones(k + m)
    whole = np.arange(k + m) < k
    cover = Model(cost, np.zeros(k + m), upper, whole, ptr, column, amount, np.full(m, -np.inf), np.zeros(m))
    return cover.and_rows(rules_model(task, cost))


def rules_model(task: Task, cost: FloatArray) -> Model:
    """The rules of a task alone, as rows over its options (and, behind them, whatever else `cost` prices)."""
    rows, k = task.rows, task.options
    order = np.argsort(rows.rule, kind="stable")
    sizes = np.bincount(rows.rule, minlength=len(rows.low))
    return Model(
        cost=cost,
        lower=np.zeros(len(cost)),
        upper=np.ones(len(cost)),
        whole=np.arange(len(cost)) < k,
        ptr=np.concatenate([[0], np.cumsum(np.concatenate([sizes, [k]]))]).astype(np.int64),
        column=np.concatenate([rows.option[order], np.arange(k)]),
        amount=np.concatenate([rows.amount[order], np.ones(k)]),
        low=np.concatenate([rows.low, [-np.inf]]),
        high=np.concatenate([rows.high, [float(task.build)]]),
    )


def start_of(task: Task, picks: IntArray) -> FloatArray:
    """The picks as a point of `choice_model`."""
    x = np.zeros(task.options + len(task.weight))
    x[picks] = 1.0
    x[task.options + task.serves[entries(task.ptr, picks)]] = 1.0
    return x


class RulesProgram:
    """The linear program "most worth under the rules", kept open so that new worths start from the last answer."""

    def __init__(self, task: Task) -> None:
        self._options, self._rules = task.options, len(task.rows.low)
        self._highs = highspy.Highs()  # type: ignore[no-untyped-call]
        self._highs.setOptionValue("output_flag", False)
        self._highs.setOptionValue("threads", 1)
        self._highs.setOptionValue("presolve", "off")  # the last basis is the better start
        self._highs.setOptionValue("solver", "simplex")
        model = rules_model(task, np.zeros(task.options))
        self._highs.passModel(_to_highs(replace(model, whole=np.zeros(task.options, dtype=bool))))

    def best(self, score: FloatArray) -> tuple[FloatArray, FloatArray, float]:
        """Part of each option taken, prices of the rules, and the price of one more option."""
        scale = max(1e-9, float(np.abs(score).max(initial=0.0)))
        columns = np.arange(self._options, dtype=np.int32)
        self._highs.changeColsCost(self._options, columns, -score / scale)
        self._highs.run()
        solution = self._highs.getSolution()
        part, dual = np.array(solution.col_value), -np.array(solution.row_dual) * scale
        return np.clip(part, 0.0, 1.0), dual[: self._rules], max(0.0, float(dual[self._rules]))
