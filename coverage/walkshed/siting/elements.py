"""Share levels, distance bands and group weights as plain weighted elements, so that one engine serves them all."""

from dataclasses import dataclass

import numpy as np

from walkshed.contracts import FloatArray, Index32, IntArray
from walkshed.reach import Reach
from walkshed.siting.problem import Problem
from walkshed.siting.rules import rows_of
from walkshed.siting.task import Task
from walkshed.siting.weights import Grains

FINEST = 1e-9  # shares closer than this are one level


@dataclass(frozen=True, eq=False)
class Cover:
    """Who is served to which step by which option, and what a step weighs.

    ptr, element : compressed by option; owner : int64 (elements,), their demand; grains : their weights
    """

    ptr: IntArray
    element: Index32
    owner: IntArray
    grains: Grains

    @classmethod
    def of(cls, problem: Problem, people: FloatArray | None = None) -> "Cover":
        """Steps of share that options add for `people` (default: the problem's) to what outlets give."""
        ptr, element, owner, step = levels(problem.reach, problem.share, problem.held)
        return cls(ptr, element, owner, Grains.of((problem.people if people is None else people)[owner] * step))

    def task(self, problem: Problem | None = None, *, merge: bool = True) -> Task:
        """Maximal cover of these elements under the problem's rules, or under none; equal elements merged or not."""
        options = len(self.ptr) - 1
        rows = None if problem is None else rows_of(problem.linear, options)
        build = options if problem is None else problem.build
        task = Task.of(self.ptr, self.element, self.grains.whole, build=build, rows=rows)
        return task if merge else task.split(self.ptr, self.element, self.grains.whole)


def levels(reach: Reach, share: FloatArray, held: FloatArray) -> tuple[IntArray, Index32, IntArray, FloatArray]:
    """Steps of share above what is held: (ptr, element) by option, and for each element its demand and its height.

    A person counts with the best share within reach: being served with share s is serving every step up to s.
    """
    options = len(reach.site_ids)
    gain = share > held[reach.demand] + FINEST
    option = np.repeat(np.arange(options), np.diff(reach.ptr))[gain]
    demand, share = reach.demand[gain].astype(np.int64), share[gain]
    values, level = np.unique(np.rint(share / FINEST), return_inverse=True)
    if len(values) == 0:
        nothing = np.zeros(0, dtype=np.int64)
        return np.zeros(options + 1, np.int64), np.zeros(0, np.int32), nothing, np.zeros(0)
    key, of = np.unique(demand * len(values) + level, return_inverse=True)
    owner, height = key // len(values), values[key % len(values)] * FINEST
    first = np.searchsorted(owner, owner)  # the lowest step of the same demand
    below = np.where(np.arange(len(key)) == first, held[owner], np.roll(height, 1))
    length = of - first[of] + 1
    start = np.cumsum(length) - length
    element = np.repeat(first[of] - start, length) + np.arange(int(length.sum()))
    ptr = np.concatenate([[0], np.cumsum(np.bincount(option, length, minlength=options))]).astype(np.int64)
    return ptr, element.astype(np.int32), owner, height - below
