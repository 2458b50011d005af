"""Conditions on OpenStreetMap tags, as the tables in `data/` write them."""

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Protocol


class Tags(Protocol):
    """Tags of an object: a dict, or the list of an osmium object that is still in the file's buffer."""

    def __contains__(self, key: str, /) -> bool: ...

    def __getitem__(self, key: str, /) -> str: ...

    def get(self, key: str, /) -> str | None:
        """Value of a key, or None."""


@dataclass(frozen=True)
class Condition:
    """Tags that must all be there: per key the allowed values, or a pattern, or anything at all.

    In TOML: `{ amenity = "library", name = "~阅书房|书吧", access = ["yes", "public"], building = "*" }`. A text is one
    value, a list several, `*` any value, `~` a regular expression searched for in the value.

    >>> reading_room = Condition.parse({"amenity": "library", "name": "~阅书房|书吧"})
    >>> reading_room.met({"amenity": "library", "name": "玉鸟阅书房"}), reading_room.met({"amenity": "library"})
    (True, False)
    """

    values: tuple[tuple[str, frozenset[str]], ...]
    patterns: tuple[tuple[str, re.Pattern[str]], ...]
    present: tuple[str, ...]

    @classmethod
    def parse(cls, table: object) -> "Condition":
        """Read a TOML table.

        Raises
        ------
        ValueError
            If it is not a table of texts or lists of texts, is empty, or holds a broken pattern; says which.
        """
        if not isinstance(table, Mapping) or not table:
            raise ValueError(f"{table!r}")
        values, patterns, present = [], [], []
        for key, wanted in table.items():
            if wanted == "*":
                present.append(key)
            elif isinstance(wanted, str) and wanted.startswith("~"):
                patterns.append((key, _pattern(wanted)))
            else:
                values.append((key, _texts(key, wanted)))
        return cls(tuple(values), tuple(patterns), tuple(present))

    @property
    def keys(self) -> frozenset[str]:
        """Tag keys it looks at.

        >>> sorted(Condition.parse({"amenity": "library", "name": "*"}).keys)
        ['amenity', 'name']
        """
        return frozenset([*(k for k, _ in self.values), *(k for k, _ in self.patterns), *self.present])

    @property
    def teller(self) -> str:
        """The key that says most about what an object is; names and owners say least.

        >>> Condition.parse({"amenity": "library", "access": "private", "name": "~书房"}).teller
        'amenity'
        """
        return min(self.keys, key=lambda key: (key.startswith(("name", "operator", "access")), key))

    def met(self, tags: Tags) -> bool:
        """Whether these tags fulfil it."""
        for key, allowed in self.values:  # plain loops: this runs for every object of a city, and most fail at once
            if tags.get(key) not in allowed:
                return False
        for key in self.present:
            if key not in tags:
                return False
        return all(pattern.search(tags.get(key) or "") for key, pattern in self.patterns)


def any_met(conditions: Iterable[Condition], tags: Tags) -> bool:
    """Whether at least one of the conditions holds.

    >>> any_met([], {"amenity": "library"})
    False
    """
    return any(condition.met(tags) for condition in conditions)


def chooser(keys: Iterable[str], choose: Callable[[Tags], str]) -> Callable[[Tags], str]:
    """`choose`, remembered by the values of the `keys` it looks at: a city's thousands of ways have few combinations.

    >>> short = chooser(["highway"], lambda tags: tags.get("highway", "?")[:4])
    >>> short({"highway": "footway", "name": "中山路"})
    'foot'
    """
    names = tuple(sorted(set(keys)))
    known: dict[tuple[str | None, ...], str] = {}

    def remembered(tags: Tags) -> str:
        seen = tuple([tags.get(name) for name in names])
        if seen not in known:
            known[seen] = choose(tags)
        return known[seen]

    return remembered


def _pattern(wanted: str) -> re.Pattern[str]:
    try:
        return re.compile(wanted[1:])
    except re.error as error:
        raise ValueError(f"{wanted!r} ({error})") from None


def _texts(key: str, wanted: object) -> frozenset[str]:
    texts = [wanted] if isinstance(wanted, str) else wanted
    if not isinstance(texts, list) or not texts or not all(isinstance(text, str) for text in texts):
        raise ValueError(f"{key} = {wanted!r}")
    return frozenset(texts)
