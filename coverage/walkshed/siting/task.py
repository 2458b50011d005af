"""The one question the engine answers: which options to take so that the weight of what they serve is greatest."""

from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np

from walkshed.contracts import FloatArray, Index32, IntArray
from walkshed.siting import _kernels as kernels


@dataclass(frozen=True, eq=False)
class Rows:
    """Linear rules, compressed by option: `low <= sum of amounts of the options taken <= high`, amounts >= 0.

    ptr : int64 (options + 1,); rule : int32; amount : float64; low, high : float64 (rules,)
    """

    ptr: IntArray
    rule: Index32
    amount: FloatArray
    low: FloatArray
    high: FloatArray

    @classmethod
    def none(cls, options: int) -> "Rows":
        """No rules at all."""
        empty = np.zeros(0)
        return cls(np.zeros(options + 1, dtype=np.int64), np.zeros(0, dtype=np.int32), empty, empty, empty)

    @classmethod
    def of(cls, options: int, rows: "list[tuple[IntArray, FloatArray, float, float]]") -> "Rows":
        """Build from rules given one by one as (options, amounts, low, high)."""
        if not rows:
            return cls.none(options)
        option = np.concatenate([row[0] for row in rows]).astype(np.int64)
        rule = np.repeat(np.arange(len(rows)), [len(row[0]) for row in rows])
        amount = np.concatenate([row[1] for row in rows]).astype(float)
        order = np.lexsort((rule, option))
        ptr = np.concatenate([[0], np.cumsum(np.bincount(option, minlength=options))]).astype(np.int64)
        low, high = np.array([row[2] for row in rows], float), np.array([row[3] for row in rows], float)
        return cls(ptr, rule[order].astype(np.int32), amount[order], low, high)

    def sums(self, price: FloatArray) -> FloatArray:
        """Each option's amounts at these prices; float64 (options,)."""
        if not len(self.rule):
            return np.zeros(len(self.ptr) - 1)
        return np.bincount(self.option, self.amount * price[self.rule], minlength=len(self.ptr) - 1).astype(float)

    @property
    def option(self) -> IntArray:
        """Option of each entry."""
        return np.repeat(np.arange(len(self.ptr) - 1), np.diff(self.ptr))

    def used(self, picks: IntArray) -> FloatArray:
        """What the picks use of each rule; float64 (rules,)."""
        at = entries(self.ptr, picks)
        return np.bincount(self.rule[at], self.amount[at], minlength=len(self.low)).astype(float)

    def kept(self, picks: IntArray) -> bool:
        """Whether the picks keep every rule."""
        used = self.used(picks)
        return bool((used >= self.low - kernels.SLACK).all() and (used <= self.high + kernels.SLACK).all())

    def take(self, options: IntArray, gone: FloatArray) -> "Rows":
        """Keep some options; `gone` of each rule is used already."""
        at = entries(self.ptr, options)
        ptr = np.concatenate([[0], np.cumsum(np.diff(self.ptr)[options])]).astype(np.int64)
        return Rows(ptr, self.rule[at], self.amount[at], self.low - gone, self.high - gone)


@dataclass(frozen=True, eq=False)
class Task:
    """Options, the elements each serves, what an element weighs, the rules, and how many options may be taken.

    ptr : int64 (options + 1,); serves : int32, elements; weight : float64 (elements,), whole numbers >= 0
    option : int64 (options,), their positions in the first task; taken : positions there that are decided and in
    element : int64 (elements,), their positions in the task this one was narrowed from
    base : weight that `taken` serves; build : how many more may be taken at most
    """

    ptr: IntArray
    serves: Index32
    weight: FloatArray
    rows: Rows
    build: int
    option: IntArray
    taken: IntArray
    element: IntArray
    base: float = 0.0

    @classmethod
    def of(cls, ptr: IntArray, serves: Index32, weight: FloatArray, *, build: int, rows: Rows | None = None) -> "Task":
        """Build a task with nothing decided yet, equal elements merged."""
        k = len(ptr) - 1
        nothing = np.zeros(0, dtype=np.int64)
        rows = Rows.none(k) if rows is None else rows
        return cls(ptr, serves, weight, rows, min(build, k), np.arange(k), nothing, np.arange(len(weight))).merged()

    @cached_property
    def back(self) -> tuple[IntArray, Index32]:
        """Options that serve each element: (ptr, option)."""
        turned: tuple[IntArray, Index32] = kernels.transpose(self.ptr, self.serves, len(self.weight))
        return turned

    @property
    def options(self) -> int:
        """How many options are open."""
        return len(self.ptr) - 1

    def served_by(self, picks: IntArray) -> Index32:
        """Elements the picks serve, once for each pick that does."""
        return self.serves[entries(self.ptr, picks)]

    def worth(self, picks: IntArray) -> float:
        """Weight that `taken` and the picks serve together."""
        return self.base + kernels.union(self.ptr, self.serves, self.weight, picks.astype(np.int64))

    def merged(self) -> "Task":
        """Make one element of all that the same options serve; drop those that none serves or that weigh nothing."""
        keys = np.random.default_rng(0).integers(1, 2**63, self.options, dtype=np.int64)
        count = np.bincount(self.serves, minlength=len(self.weight))
        alive = np.flatnonzero((count > 0) & (self.weight > 0))
        mark = kernels.fingerprints(self.ptr, self.serves, keys, len(self.weight))[alive]
        _, first, group = np.unique(mark, return_index=True, return_inverse=True)
        rename = np.full(len(self.weight), -1, dtype=np.int32)
        rename[alive[np.sort(first)]] = np.arange(len(first), dtype=np.int32)
        weight = np.bincount(group, self.weight[alive], minlength=len(first))[np.argsort(first, kind="stable")]
        ptr, serves = kernels.take(self.ptr, self.serves, np.arange(self.options), rename)
        return replace(self, ptr=ptr, serves=serves, weight=weight.astype(float), element=alive[np.sort(first)])

    def split(self, ptr: IntArray, serves: Index32, weight: FloatArray) -> "Task":
        """The same choice over elements of one's own."""
        return replace(self, ptr=ptr, serves=serves, weight=weight, element=np.arange(len(weight)))

    def narrowed(self, inside: IntArray, out: IntArray) -> "Task":
        """Decide some options; what remains is a smaller task of the same kind."""
        served = np.zeros(len(self.weight), dtype=bool)
        served[self.served_by(inside)] = True
        left = np.setdiff1d(np.arange(self.options), np.concatenate([inside, out]))
        alive = np.zeros(len(self.weight), dtype=bool)
        alive[self.served_by(left)] = True
        alive &= ~served
        rename = np.where(alive, np.cumsum(alive) - 1, -1).astype(np.int32)
        ptr, serves = kernels.take(self.ptr, self.serves, left, rename)
        return Task(
            ptr=ptr,
            serves=serves,
            weight=self.weight[alive],
            rows=self.rows.take(left, self.rows.used(inside)),
            build=min(self.build - len(inside), len(left)),
            option=self.option[left],
            taken=np.concatenate([self.taken, self.option[inside]]),
            element=np.flatnonzero(alive),
            base=self.base + float(self.weight[served].sum()),
        )

    def as_root(self) -> "Task":
        """Count positions from here on; what is taken stays in `base`."""
        nothing = np.zeros(0, dtype=np.int64)
        return replace(self, option=np.arange(self.options), taken=nothing)

    def local(self, picks: IntArray) -> IntArray:
        """Positions here of picks given in the first task's positions; decided ones are left out."""
        at = np.searchsorted(self.option, picks)
        at = np.minimum(at, max(0, self.options - 1))
        return at[self.option[at] == picks] if self.options else at[:0]

    def whole(self, picks: IntArray) -> IntArray:
        """All picks, decided ones first, in the first task's positions."""
        return np.concatenate([self.taken, self.option[picks]])


def entries(ptr: IntArray, rows: IntArray) -> IntArray:
    """Positions of all entries of some rows of a compressed table, row by row."""
    length = ptr[rows + 1] - ptr[rows] if len(rows) else np.zeros(0, dtype=np.int64)
    start = np.cumsum(length) - length
    return np.repeat(ptr[rows] - start if len(rows) else length, length) + np.arange(int(length.sum()))
