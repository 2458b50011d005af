"""Where a scenario was read from, so that writing it keeps the comments people put there."""

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import tomlkit
from tomlkit.container import Container
from tomlkit.exceptions import TOMLKitError
from tomlkit.items import AbstractTable


@dataclass(frozen=True)
class Origin:
    """Folder that names are relative to, and the text as it stood; two scenarios that differ only here are equal."""

    base_dir: Path = field(default=Path(), compare=False)
    text: str = field(default="", compare=False)

    def written(self, data: Mapping[str, Any]) -> str:
        r"""TOML text of `data`: the text as it stood where it says the same, comments included.

        >>> print(Origin(text="# mine\nname = 'a' # so\nseed = 1\n").written({"name": "a", "seed": 2}))
        # mine
        name = 'a' # so
        seed = 2
        <BLANKLINE>
        """
        try:
            document = tomlkit.parse(self.text)
            _update(document, data)
            text = tomlkit.dumps(document)
            if tomllib.loads(text) == data:
                return text
        except (TOMLKitError, tomllib.TOMLDecodeError):
            pass  # an odd layout: then from scratch, without its comments
        return tomlkit.dumps(data)


def _update(table: Container | AbstractTable, data: Mapping[str, Any]) -> None:
    """Bring `table` to hold `data`, touching only what differs."""
    for key in [key for key in table if key not in data]:
        del table[key]
    for key, value in data.items():
        old = table.get(key)
        if isinstance(value, Mapping) and isinstance(old, AbstractTable):
            _update(old, value)
        elif old is None or tomlkit.item(old).unwrap() != value:
            table[key] = value
