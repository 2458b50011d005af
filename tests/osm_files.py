"""Small OpenStreetMap files, written for tests."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import osmium
from osmium.osm import mutable

WEST, SOUTH = 125.30, 43.88  # corner of the test town, in Changchun
STEP = 0.001  # degrees between grid positions: about 80 m east, 111 m north


def lonlat(x: float, y: float) -> tuple[float, float]:
    """Degrees of a position in the town's grid."""
    return WEST + STEP * x, SOUTH + STEP * y


def write_osm(
    path: Path,
    nodes: Mapping[int, tuple[float, float]],
    ways: Sequence[tuple[int, Sequence[int], Mapping[str, str]]] = (),
    *,
    relations: Sequence[tuple[int, Sequence[tuple[str, int, str]], Mapping[str, str]]] = (),
    tagged: Mapping[int, Mapping[str, str]] | None = None,
) -> Path:
    """Write nodes (positions in the town's grid), ways (id, nodes, tags) and relations (id, members, tags)."""
    with osmium.SimpleWriter(str(path), overwrite=True) as writer:
        for key, (x, y) in sorted(nodes.items()):
            writer.add_node(mutable.Node(id=key, version=1, location=lonlat(x, y), tags=(tagged or {}).get(key, {})))
        for key, refs, tags in ways:
            writer.add_way(mutable.Way(id=key, version=1, nodes=list(refs), tags=dict(tags)))
        for key, members, tags in relations:
            writer.add_relation(mutable.Relation(id=key, version=1, members=list(members), tags=dict(tags)))
    return path


def square(first: int, x: float, y: float, size: float) -> dict[int, tuple[float, float]]:
    """Four nodes of a square, numbered from `first`."""
    return {first: (x, y), first + 1: (x + size, y), first + 2: (x + size, y + size), first + 3: (x, y + size)}


def ring(first: int) -> list[int]:
    """The closed way around the square that starts at node `first`."""
    return [first, first + 1, first + 2, first + 3, first]


def town(
    folder: Path,
    *,
    extra: Sequence[tuple[int, Sequence[int], Mapping[str, str]]] = (),
    nodes: Mapping[int, tuple[float, float]] | None = None,
    **more: Any,
) -> Path:
    """Write a file of one street, 同志街, so that it can be read, and whatever the test is about."""
    base = {1: (0.0, 0.0), 2: (10.0, 0.0)}
    street = (1, [1, 2], {"highway": "residential", "name": "同志街"})
    return write_osm(folder / "town.osm.pbf", base | dict(nodes or {}), [street, *extra], **more)
