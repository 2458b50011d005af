"""Which ways can be walked, and how prominent each is: the table `data/walk_filter.toml`, ready to use."""

import tomllib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache

from walkshed.tags import Condition, Tags, chooser
from walkshed.words import data_dir


@dataclass(frozen=True)
class _Row:
    when: Condition
    unless: Condition | None
    level: str

    def holds(self, tags: Tags) -> bool:
        return self.when.met(tags) and not (self.unless is not None and self.unless.met(tags))


@dataclass(frozen=True)
class WalkFilter:
    """The walk filter: rows that describe walkable ways, rows that refuse some of them, Geofabrik's class names."""

    ways: tuple[_Row, ...]
    refused: tuple[_Row, ...]
    geofabrik: Mapping[str, str]

    @property
    def keys(self) -> frozenset[str]:
        """Tag keys that make an object worth a look: those of the rows that describe ways."""
        return frozenset(key for row in self.ways for key in row.when.keys)

    def level(self, tags: Tags) -> str:
        """`major`, `street` or `path`; '' if it cannot be walked.

        >>> rules = walk_filter()
        >>> rules.level({"highway": "service", "access": "private"})
        'path'
        >>> rules.level({"highway": "motorway"}), rules.level({"highway": "footway", "foot": "no"})
        ('', '')
        """
        described = next((row.level for row in self.ways if row.when.met(tags)), "")
        return "" if any(row.holds(tags) for row in self.refused) else described

    def leveller(self) -> Callable[[Tags], str]:
        """`level`, remembered by the tags that matter."""
        rows = [*self.ways, *self.refused]
        looked_at = {key for row in rows for part in (row.when, row.unless) if part for key in part.keys}
        return chooser(looked_at, self.level)

    def level_of_class(self, fclass: str) -> str:
        """Level of a line of Geofabrik's `fclass`; '' if it cannot be walked.

        >>> walk_filter().level_of_class("track_grade2"), walk_filter().level_of_class("motorway_link")
        ('path', '')
        """
        return self.level({"highway": self.geofabrik.get(fclass, fclass)})


@cache
def walk_filter() -> WalkFilter:
    """The filter of `data/walk_filter.toml`."""
    table = tomllib.loads((data_dir() / "walk_filter.toml").read_text(encoding="utf-8"))
    return WalkFilter(
        ways=tuple(_row(row) for row in table["way"]),
        refused=tuple(_row(row) for row in table["refused"]),
        geofabrik=table["geofabrik"],
    )


def _row(table: Mapping[str, object]) -> _Row:
    unless = Condition.parse(table["unless"]) if "unless" in table else None
    return _Row(Condition.parse(table["when"]), unless, str(table.get("level", "")))
