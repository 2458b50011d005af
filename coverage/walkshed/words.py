"""Everything the planner says, in Chinese and English: sentences live in `data/words/*.toml`, never in the code."""

import tomllib
from functools import cache
from importlib import resources
from importlib.resources.abc import Traversable
from pathlib import Path
from typing import Literal

Lang = Literal["zh", "en"]


@cache
def data_dir() -> Traversable:
    """Folder `data/`: inside the package when installed from a wheel, beside `coverage/` in a checkout.

    >>> (data_dir() / "words").is_dir()
    True
    """
    inside = resources.files("walkshed") / "data"
    return inside if inside.is_dir() else Path(__file__).parents[2] / "data"


@cache
def _sentences() -> dict[str, dict[str, str]]:
    """All sentences by key `<file>.<table>`, e.g. `table.negative` of `data/words/table.toml`."""
    found: dict[str, dict[str, str]] = {}
    for file in sorted((data_dir() / "words").iterdir(), key=lambda f: f.name):
        if file.name.endswith(".toml"):
            topic = file.name.removesuffix(".toml")
            for name, texts in tomllib.loads(file.read_text(encoding="utf-8")).items():
                found[f"{topic}.{name}"] = texts
    return found


def say(key: str, lang: Lang = "en", **values: object) -> str:
    """Return the sentence `key` in one language, its `{names}` filled in.

    Raises
    ------
    KeyError
        If no such sentence, language or value exists: a mistake of ours, not of the user.

    Examples
    --------
    >>> say("words.people", "zh", n=1234567)
    '1,234,567 人'
    >>> say("words.people", "en", n=1234567)
    '1,234,567 people'
    """
    return _sentences()[key][lang].format(**values)
