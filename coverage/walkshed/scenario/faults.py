"""What pydantic found wrong, said in our sentences, with the place in the file and the nearest key that exists."""

import difflib
import typing
from collections.abc import Iterable, Mapping
from typing import Any

from pydantic import BaseModel
from pydantic_core import ErrorDetails

from walkshed.errors import Fault, WalkshedError

Loc = tuple[int | str, ...]

# pydantic's error types -> our sentence, and the name of the bound in its context
_SENTENCES: Mapping[str, tuple[str, str]] = {
    "missing": ("missing_key", ""),
    "string_type": ("not_text", ""),
    "string_too_short": ("empty_text", ""),
    "float_type": ("not_number", ""),
    "finite_number": ("not_number", ""),
    "int_type": ("not_whole", ""),
    "int_from_float": ("not_whole", ""),
    "int_parsing": ("not_whole", ""),
    "tuple_type": ("not_list", ""),
    "too_short": ("too_few", "min_length"),
    "too_long": ("too_many", "max_length"),
    "dict_type": ("not_table", ""),
    "model_type": ("not_table", ""),
    "model_attributes_type": ("not_table", ""),
    "greater_than": ("must_exceed", "gt"),
    "greater_than_equal": ("at_least", "ge"),
    "less_than_equal": ("at_most", "le"),
    "literal_error": ("not_one_of", "expected"),
    "union_tag_invalid": ("not_one_of", "expected_tags"),
    "union_tag_not_found": ("no_tag", ""),
}


def place(loc: Loc) -> str:
    """Where a key stands, as one would point to it in the file.

    >>> place(("supply", "candidats")), place(("change", 0, "close", "site")), place(("seed",))
    ('[supply] candidats', '[[change]] 1 site', 'seed')
    >>> place(("siting", "years", "20x6", "[key]")), place(("area", "clip", 1)), place(("kinds", "room", "share"))
    ('[siting] years.20x6', '[area] clip, 2', '[kinds.room] share')
    """
    head, rest = str(loc[0]), [part for part in loc[1:] if part != "[key]"]
    if head == "change" and rest:
        head, rest = f"[[change]] {int(rest[0]) + 1}", rest[2:]  # after the number stands the tag
    elif head == "kinds" and rest:
        head, rest = f"[kinds.{rest[0]}]", rest[1:]
    elif rest:
        head = f"[{head}]"
    keys = ".".join(part for part in rest if isinstance(part, str))
    numbers = "".join(f", {part + 1}" for part in rest if isinstance(part, int))
    return f"{head} {keys}{numbers}".strip()


def nearest(word: str, known: Iterable[str]) -> str | None:
    """The known word that `word` was probably meant to be.

    >>> nearest("candidats", ["outlets", "candidates"]), nearest("colour", ["outlets"])
    ('candidates', None)
    """
    lowered = {k.lower(): k for k in known}
    found = difflib.get_close_matches(word.lower(), lowered, n=1, cutoff=0.6)
    return lowered[found[0]] if found else None


def translate(errors: Iterable[ErrorDetails], model: type[BaseModel]) -> list[Fault]:
    """Our faults for what pydantic found in a file that `model` describes; the place is within the file."""
    return [fault for error in errors for fault in _translated(error, model)]


def _translated(error: ErrorDetails, model: type[BaseModel]) -> list[Fault]:
    loc, kind, context = error["loc"], error["type"], error.get("ctx", {})
    ours = context.get("error")
    if isinstance(ours, WalkshedError):
        return [Fault(fault.key, fault.where or place(loc), fault.values) for fault in ours.faults]
    if kind == "extra_forbidden":
        return [_unknown(loc, model)]
    if kind not in _SENTENCES:
        return [Fault("scenario.not_valid", place(loc), {"value": _shown(error["input"])})]
    name, bound = _SENTENCES[kind]
    limit = context.get(bound, "")
    allowed = str(limit).replace("'", "").replace(" or ", ", ")  # 'a', 'b' or 'c'
    if isinstance(limit, float) and limit.is_integer():
        allowed = str(int(limit))
    value = error["input"].get("type") if kind == "union_tag_invalid" else error["input"]
    return [Fault(f"scenario.{name}", place(loc), {"value": _shown(value), "bound": allowed})]


def _unknown(loc: Loc, model: type[BaseModel]) -> Fault:
    word = str(loc[-1])
    known = list(_model_at(loc[:-1], model).model_fields)
    meant = nearest(word, known)
    if meant is None:
        return Fault("scenario.unknown_key", place(loc), {"known": ", ".join(known)})
    return Fault("scenario.unknown_key_near", place(loc), {"meant": meant})


def _model_at(loc: Loc, model: type[BaseModel]) -> type[BaseModel]:
    """The model that holds the keys at `loc`."""
    for part in loc:
        if isinstance(part, str) and part in model.model_fields:
            models = list(_models(model.model_fields[part].annotation))
            model = models[0] if models else model
            choices = {m.model_fields["type"].default: m for m in models if "type" in m.model_fields}
        elif isinstance(part, str) and part in choices:
            model = choices[part]
    return model


def _models(annotation: Any) -> Iterable[type[BaseModel]]:  # noqa: ANN401  annotations are of any kind
    """All models inside an annotation such as `tuple[Annotated[A | B, ...], ...]`."""
    if typing.get_origin(annotation) is None:
        if isinstance(annotation, type) and issubclass(annotation, BaseModel):
            yield annotation
    else:
        for part in typing.get_args(annotation):
            yield from _models(part)


def _shown(value: object) -> str:
    """A value as the file has it, short."""
    text = str(value).lower() if isinstance(value, bool) else repr(value) if isinstance(value, str) else str(value)
    return text if len(text) <= 60 else f"{text[:57]}..."  # noqa: PLR2004  a line of a terminal holds it
