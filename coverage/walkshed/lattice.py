"""Square cells over the area, and whole people put into them so that not one is lost."""

from dataclasses import dataclass

import numpy as np
import pandas as pd
import shapely
from numpy.typing import ArrayLike, NDArray

from walkshed.contracts import FloatArray, IntArray

GeometryArray = NDArray[np.object_]

_ROOM = 2**62  # total x weights must stay below this to be exact in 64 bits
_FINE = 2**40  # parts a group's weights are counted in: one person in 10^12


def apportion(totals: ArrayLike, weights: ArrayLike, group: ArrayLike | None = None) -> IntArray:
    """Share whole people by weights, to the person: the method of largest remainders (Hamilton), per group.

    For a few large shares. Equal remainders go to the first in order; a group whose weights are all zero shares evenly.

    Parameters
    ----------
    totals : (groups,) or a number
        People of each group, >= 0, rounded to whole people.
    weights : (n,)
        Weights >= 0.
    group : (n,) of int, optional
        Position in `totals` that each weight belongs to; one group if left out.

    Examples
    --------
    >>> apportion(10, [1, 1, 1]).tolist()
    [4, 3, 3]
    >>> apportion([5, 7], [1, 2, 0, 0], group=[0, 0, 1, 1]).tolist()
    [2, 3, 4, 3]
    """
    whole, parts, owner, out_of = _exact(totals, weights, group)
    people, rest = np.divmod(whole[owner] * parts, out_of[owner])
    left = whole - _sums(people, owner, len(whole))
    order = np.lexsort((np.arange(len(rest)), -rest, owner))  # largest remainder first, within each group
    first = np.searchsorted(owner[order], np.arange(len(whole)))
    rank = np.arange(len(order)) - first[owner[order]]
    people[order[rank < left[owner[order]]]] += 1
    return people


def diffuse(totals: ArrayLike, weights: ArrayLike, group: ArrayLike | None = None) -> IntArray:
    """Share whole people by weights over many small cells, to the person, by carrying each rounding to the next cell.

    Largest remainders would empty every cell below a common threshold; this keeps the sum over neighbours right to one
    person wherever one looks along the order of the cells. Every share is its exact value rounded down or up.
    Parameters as in `apportion`.

    >>> diffuse(3, [1] * 6).tolist()
    [0, 1, 0, 1, 0, 1]
    """
    whole, parts, owner, out_of = _exact(totals, weights, group)
    order = np.argsort(owner, kind="stable")
    ranked = owner[order]
    first = np.searchsorted(ranked, np.arange(len(whole)))
    run = np.cumsum(parts[order])
    before = np.concatenate([[0], run])[first]  # what earlier groups sum to
    steps = whole[ranked] * (run - before[ranked]) // out_of[ranked]
    previous = np.concatenate([[0], steps])[:-1]
    previous[first[first < len(ranked)]] = 0
    shared = np.empty(len(steps), np.int64)
    shared[order] = steps - previous
    return shared


def share_groups(people: IntArray, totals: IntArray, owner: IntArray) -> IntArray:
    """Whole members of each group per cell: sums kept, never more than the cell's people.

    Where the groups of an owner add up to its people (age bands), they do so in every one of its cells.

    Parameters
    ----------
    people : (n,)
        Whole people per cell; their sums per owner are `totals[:, 0]`.
    totals : (owners, 1 + groups)
        People, and then members of each group, of each owner.
    owner : (n,)
        Owner of each cell.

    Examples
    --------
    >>> share_groups(np.array([3, 1, 2]), np.array([[6, 2, 4]]), np.array([0, 0, 0])).tolist()
    [[1, 2], [0, 1], [1, 1]]
    """
    shared = np.zeros((len(people), totals.shape[1] - 1), dtype=np.int64)
    bands = (totals[:, 1:].sum(axis=1) == totals[:, 0])[owner]
    left = people.copy()
    for g in range(shared.shape[1]):
        base = np.where(bands, left, people)  # a share of whole people, rounded up, is at most those people
        shared[:, g] = diffuse(totals[:, 1 + g], base, owner)
        left = np.maximum(left - shared[:, g], 0)
    return shared


@dataclass(frozen=True)
class Pieces:
    """Polygons cut along the lattice: which polygon (part), cell row and column, and the square metres there."""

    part: IntArray
    row: IntArray
    col: IntArray
    area_m2: FloatArray

    def table(self) -> pd.DataFrame:
        """One row per piece."""
        return pd.DataFrame({"part": self.part, "row": self.row, "col": self.col, "area_m2": self.area_m2})


def cut(polygons: GeometryArray, cell_m: float) -> Pieces:
    """Cut polygons into the square cells of a lattice that is the same everywhere in one CRS (multiples of `cell_m`).

    Halving box by box: cells wholly inside are never cut, so the cost follows the outlines and not the land.

    >>> table = cut(np.array([shapely.box(50, 0, 150, 100)]), 100.0).table()
    >>> table[["row", "col", "area_m2"]].to_numpy().tolist()
    [[0.0, 0.0, 5000.0], [0.0, 1.0, 5000.0]]
    """
    shapes, part = shapely.get_parts(polygons, return_index=True)
    keep = shapely.area(shapes) > 0
    shapes, part = shapes[keep], part[keep].astype(np.int64)
    box = _cells_of(shapes, cell_m)
    found: list[tuple[IntArray, IntArray, IntArray, FloatArray]] = []
    while len(shapes):
        width, height = box[:, 2] - box[:, 0], box[:, 3] - box[:, 1]
        area = shapely.area(shapes)
        one = (width == 1) & (height == 1)
        full = ~one & (area >= width * height * cell_m**2 * (1 - 1e-9))
        found += [(part[one], box[one, 1], box[one, 0], area[one]), _every_cell(part[full], box[full], cell_m)]
        rest = ~one & ~full
        shapes, part, box = _halves(shapes[rest], part[rest], box[rest], cell_m)
    columns = [np.concatenate(c) for c in zip(*found, strict=True)] if found else [np.empty(0, np.int64)] * 4
    order = np.lexsort((columns[2], columns[1], columns[0]))
    return Pieces(columns[0][order], columns[1][order], columns[2][order], columns[3][order].astype(float))


def curve_order(row: IntArray, col: IntArray) -> IntArray:
    """Order of cells along Morton's curve: neighbours in the plane stay near each other in the order.

    >>> curve_order(np.array([0, 0, 1, 1]), np.array([0, 1, 0, 1])).tolist()
    [0, 1, 2, 3]
    """
    if not len(row):
        return np.empty(0, dtype=np.int64)
    key = _spaced(col - col.min()) | (_spaced(row - row.min()) << np.uint64(1))
    return np.argsort(key, kind="stable")


def _exact(
    totals: ArrayLike, weights: ArrayLike, group: ArrayLike | None
) -> tuple[IntArray, IntArray, IntArray, IntArray]:
    """Whole totals, weights as whole parts, their groups, and the parts per group: rounding is then exact."""
    whole = np.rint(np.atleast_1d(np.asarray(totals, dtype=float))).astype(np.int64)
    given = np.asarray(weights)
    owner = np.zeros(len(given), np.int64) if group is None else np.asarray(group, dtype=np.int64)
    weight = np.asarray(given, dtype=float)
    sums = np.bincount(owner, weight, minlength=len(whole))
    parts = np.asarray(given)
    if parts.dtype.kind not in "iu" or float(whole.max(initial=1)) * sums.max(initial=1.0) >= _ROOM:
        fine = min(_FINE, _ROOM // max(int(whole.max(initial=1)), 1))
        with np.errstate(divide="ignore", invalid="ignore"):
            parts = np.nan_to_num(weight / sums[owner] * fine)
    parts = np.rint(parts).astype(np.int64)
    parts[sums[owner] <= 0] = 1
    return whole, parts, owner, np.maximum(_sums(parts, owner, len(whole)), 1)


def _sums(values: IntArray, owner: IntArray, count: int) -> IntArray:
    total = np.zeros(count, dtype=np.int64)
    np.add.at(total, owner, values)
    return total


def _cells_of(shapes: GeometryArray, cell_m: float) -> IntArray:
    """First column and row, and the column and row after the last, of the cells each shape touches: (n, 4)."""
    bounds = shapely.bounds(shapes) / cell_m
    low = np.floor(bounds[:, :2])
    return np.hstack([low, np.maximum(np.ceil(bounds[:, 2:]), low + 1)]).astype(np.int64)


def _every_cell(part: IntArray, box: IntArray, cell_m: float) -> tuple[IntArray, IntArray, IntArray, FloatArray]:
    """All cells of full boxes."""
    width, size = box[:, 2] - box[:, 0], (box[:, 2] - box[:, 0]) * (box[:, 3] - box[:, 1])
    which = np.repeat(np.arange(len(box)), size)
    step = np.arange(len(which)) - np.repeat(np.cumsum(size) - size, size)
    row, col = box[which, 1] + step // width[which], box[which, 0] + step % width[which]
    return part[which], row, col, np.full(len(which), cell_m**2)


def _halves(
    shapes: GeometryArray, part: IntArray, box: IntArray, cell_m: float
) -> tuple[GeometryArray, IntArray, IntArray]:
    """Cut every shape in two along a line of the lattice, across its longer side."""
    upright = (box[:, 2] - box[:, 0]) >= (box[:, 3] - box[:, 1])
    low, high = box.copy(), box.copy()
    middle = np.where(upright, (box[:, 0] + box[:, 2]) // 2, (box[:, 1] + box[:, 3]) // 2)
    low[upright, 2] = high[upright, 0] = middle[upright]
    low[~upright, 3] = high[~upright, 1] = middle[~upright]
    boxes = np.vstack([low, high])
    cutters = shapely.box(*(boxes.T * cell_m))
    pieces = shapely.intersection(np.concatenate([shapes, shapes]), cutters)
    parts = np.concatenate([part, part])
    keep = shapely.area(pieces) > 0
    pieces, parts, boxes = pieces[keep], parts[keep], boxes[keep]
    mixed = shapely.get_type_id(pieces) == shapely.GeometryType.GEOMETRYCOLLECTION
    pieces[mixed] = shapely.buffer(pieces[mixed], 0)  # drops the stray lines and points of a touch
    touched = _cells_of(pieces, cell_m)
    tight = np.hstack([np.maximum(boxes[:, :2], touched[:, :2]), np.minimum(boxes[:, 2:], touched[:, 2:])])
    tight[:, 2:] = np.maximum(tight[:, 2:], tight[:, :2] + 1)
    return pieces, parts, tight


def _spaced(values: IntArray) -> NDArray[np.uint64]:
    """The low 32 bits of each value, a zero bit between any two."""
    bits = values.astype(np.uint64)
    masks = (0x0000FFFF0000FFFF, 0x00FF00FF00FF00FF, 0x0F0F0F0F0F0F0F0F, 0x3333333333333333, 0x5555555555555555)
    for shift, mask in zip((16, 8, 4, 2, 1), masks, strict=True):
        bits = (bits | (bits << np.uint64(shift))) & np.uint64(mask)
    return bits
