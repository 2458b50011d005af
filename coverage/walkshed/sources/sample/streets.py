"""Everything one can walk on, put together as ways that meet in shared junctions."""

from dataclasses import dataclass

import numpy as np
import pandas as pd
import shapely
from pyproj import CRS
from shapely.geometry.base import BaseGeometry

from walkshed.contracts import BoolArray, FloatArray, IntArray
from walkshed.sources.sample.arteries import Arteries
from walkshed.sources.sample.blocks import INDUSTRY, PARK, Blocks
from walkshed.sources.sample.facts import Facts
from walkshed.sources.sample.land import CRS as SAMPLE_CRS
from walkshed.sources.sample.land import ORIGIN, Land
from walkshed.sources.sample.roads import Roads
from walkshed.sources.sample.settlements import Settlements
from walkshed.sources.sample.shapes import Names, Shapes, touching
from walkshed.ways import Ways

GRID_PER_M = 2.0  # big streets end on a half-metre grid
RAMP_M, RAMP_STEPS = 3_000.0, 6
PATHS_IN_COMPOUNDS, PATHS_IN_VILLAGES = 0.22, 0.1  # shares of inner streets that are footpaths


@dataclass(frozen=True)
class _Lines:
    """Ways before they are numbered: vertices in order, a junction's key in each, and what each way is."""

    ptr: IntArray
    key: IntArray
    xy: FloatArray
    name: Names
    level: Names


def assemble(
    facts: Facts, arteries: Arteries, blocks: Blocks, settlements: Settlements, roads: Roads, *, land: Land
) -> Ways:
    """Join big streets, gates, inner streets, country roads and elevated roads into one set of ways."""
    big, corner, gate_key = _big(arteries, blocks)
    base = int(big.key.max()) + 1
    inner = blocks.inner
    path = (blocks.use[inner.home] == PARK)[inner.start] | (_shuffle(inner.start) < PATHS_IN_COMPOUNDS)
    compound = _links(inner.xy, base + np.arange(len(inner.xy)), inner.start, inner.end, path)
    gates = _gates(blocks, base, gate_key)
    base += len(inner.xy)
    village = settlements.inner
    country_key = base + np.arange(len(village.xy))
    rural = _links(village.xy, country_key, village.start, village.end, _shuffle(village.start) < PATHS_IN_VILLAGES)
    base += len(village.xy)
    road_key = np.concatenate([country_key, [corner[tuple(xy)] for xy in _rounded(roads.gate_xy).tolist()]])
    country = _bent(roads, road_key.astype(np.int64), base)
    base = max(base, int(country.key.max(initial=0)) + 1)
    lines = [
        _dry(part, land, bridges=part is big or part is country) for part in (big, compound, gates, rural, country)
    ]
    lines += _elevated(facts, corner, land, base)  # passes over everything
    return _ways(lines, land)


def _rounded(xy: FloatArray) -> IntArray:
    return np.round(xy * GRID_PER_M).astype(np.int64)


def _big(arteries: Arteries, blocks: Blocks) -> tuple[_Lines, dict[tuple[int, int], int], IntArray]:
    """Big streets with the feet of gates put in as vertices; keys of their corners and of the gates."""
    xy, way = shapely.get_coordinates(arteries.line, return_index=True)
    step = np.concatenate([[0.0], np.hypot(*np.diff(xy, axis=0).T)])
    run = np.cumsum(step)
    first = np.searchsorted(way, np.arange(len(arteries.line)))
    at = run - run[first][way]
    whole = _rounded(xy)
    _, key = np.unique(whole[:, 0] * (1 << 32) + whole[:, 1], return_inverse=True)
    gate_key = key.max() + 1 + np.arange(len(blocks.gate_line))
    corner = dict(zip(map(tuple, whole.tolist()), key.tolist(), strict=True))
    all_way = np.concatenate([way, blocks.gate_line])
    order = np.lexsort([np.concatenate([at, blocks.gate_at_m]), all_way])
    ptr = np.concatenate([[0], np.cumsum(np.bincount(all_way, minlength=len(arteries.line)))])
    every_xy = np.concatenate([xy, blocks.gate_xy])[order]
    every_key = np.concatenate([key, gate_key])[order]
    return _Lines(ptr, every_key, every_xy, arteries.name, arteries.level), corner, gate_key


def _links(xy: FloatArray, key: IntArray, start: IntArray, end: IntArray, path: BoolArray) -> _Lines:
    """A way per link of a lattice."""
    ends = np.column_stack([start, end]).ravel()
    level = np.where(path, "path", "street").astype(object)
    ptr = 2 * np.arange(len(start) + 1)
    return _Lines(ptr, key[ends], xy[ends], np.full(len(start), "", object), level)


def _gates(blocks: Blocks, base: int, gate_key: IntArray) -> _Lines:
    n = len(gate_key)
    key = np.column_stack([base + blocks.gate_from, gate_key]).ravel()
    xy = np.stack([blocks.inner.xy[blocks.gate_from], blocks.gate_xy], axis=1).reshape(-1, 2)
    works = blocks.use[blocks.inner.home[blocks.gate_from]] == INDUSTRY
    level = np.where(works, "street", "path").astype(object)
    return _Lines(2 * np.arange(n + 1), key, xy, np.full(n, "", object), level)


def _bent(roads: Roads, hub_key: IntArray, base: int) -> _Lines:
    """Country roads: hubs at the ends, vertices of their own in between."""
    xy, way = shapely.get_coordinates(roads.line, return_index=True)
    ptr = np.concatenate([[0], np.cumsum(np.bincount(way, minlength=len(roads.line)))])
    key = base + np.arange(len(xy))
    key[ptr[:-1]] = hub_key[roads.start]
    key[ptr[1:] - 1] = hub_key[roads.end]
    return _Lines(ptr, key, xy, np.full(len(roads.line), "", object), roads.level)


def _elevated(facts: Facts, corner: dict[tuple[int, int], int], land: Land, base: int) -> list[_Lines]:
    """Elevated roads: they pass over everything and join the streets below only at ramps, every three kilometres."""
    names = facts.words("elevated")
    ends = np.array(list(corner))
    found = []
    for k, (name, (x0, y0, x1, y1)) in enumerate(
        zip(names, [(4.2, -9, 3.6, 8), (-4.6, -8, -5.2, 7), (-9, -4.4, 2.5, -4.6)], strict=True)
    ):
        start, stop = (ORIGIN + np.array(p) * 1_000 * land.stretch for p in ((x0, y0), (x1, y1)))
        n = int(np.hypot(*(stop - start)) / (RAMP_M / RAMP_STEPS))
        if n < RAMP_STEPS:
            continue
        xy = start + np.linspace(0, 1, n)[:, None] * (stop - start)
        xy[:, 0] += 120 * np.sin(np.arange(n) / 3.0)
        key = base + 1_000 * k + np.arange(n)
        for ramp in range(0, n, RAMP_STEPS):
            near = ends[np.argmin(((ends / GRID_PER_M - xy[ramp]) ** 2).sum(axis=1))]
            xy[ramp], key[ramp] = near / GRID_PER_M, corner[tuple(near.tolist())]
        found.append(_Lines(np.array([0, n]), key, xy, np.array([name], object), np.array(["major"], object)))
    return found


def _dry(lines: _Lines, land: Land, *, bridges: bool) -> _Lines:
    """Without ways that would cross a river unbridged, or any lake."""
    shape = _shapes(lines)
    barriers: list[BaseGeometry] = [] if bridges else [*land.rivers.values(), *land.railways.values()]
    keep = ~touching(shape, [*land.lakes.values(), *barriers])
    count = np.diff(lines.ptr)
    vertex = np.repeat(keep, count)
    ptr = np.concatenate([[0], np.cumsum(count[keep])])
    return _Lines(ptr, lines.key[vertex], lines.xy[vertex], lines.name[keep], lines.level[keep])


def _shapes(lines: _Lines) -> Shapes:
    way = np.repeat(np.arange(len(lines.ptr) - 1), np.diff(lines.ptr))
    return np.asarray(shapely.linestrings(lines.xy, indices=way), dtype=object)


def _ways(lines: list[_Lines], land: Land) -> Ways:
    count = np.concatenate([np.diff(part.ptr) for part in lines])
    xy = np.concatenate([part.xy for part in lines])
    _, node = np.unique(np.concatenate([part.key for part in lines]), return_inverse=True)
    way = np.repeat(np.arange(len(count)), count)
    over = touching(
        np.asarray(shapely.linestrings(xy, indices=way), dtype=object), [*land.rivers.values(), *land.railways.values()]
    )
    frame = pd.DataFrame(
        {
            "name": np.concatenate([part.name for part in lines]).astype(str).astype(object),
            "level": np.concatenate([part.level for part in lines]).astype(str).astype(object),
            "bridge": over,
            "tunnel": False,
        }
    )
    ptr = np.concatenate([[0], np.cumsum(count)]).astype(np.int64)
    return Ways(CRS.from_user_input(SAMPLE_CRS), ptr, node.astype(np.int64).ravel(), xy, frame)


def _shuffle(ids: IntArray) -> FloatArray:
    """A number in [0, 1) per id, the same every time: a golden-ratio sequence."""
    return np.asarray((ids * 0.6180339887498949) % 1.0)
