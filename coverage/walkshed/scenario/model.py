"""The question, whole: a TOML file becomes a frozen Scenario, and a Scenario a TOML file."""

import re
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Self

from pydantic import PrivateAttr, ValidationError, model_validator

from walkshed.contracts import refuse
from walkshed.errors import Fault, InputError, MissingInputError
from walkshed.scenario.checks import SAMPLE, contradictions, missing_files
from walkshed.scenario.faults import translate
from walkshed.scenario.origin import Origin
from walkshed.scenario.sections import Sections
from walkshed.standards import CUSTOM_ID, DEFAULT_ID, limit_m, yardsticks

FILE_NAME = "scenario.toml"
"""What the scenario file of a folder is called."""


class Scenario(Sections):
    """One question to the planner: a city, its people and outlets, a standard, what to propose, and what is changed.

    Read one from a file, or build one from sections; either way it holds together, and files that are named exist
    (`read`, `of` and `revise` look for them). Sections left out have the values of `sections.py`.
    """

    _origin: Origin = PrivateAttr(default_factory=Origin)

    @model_validator(mode="after")
    def _holds_together(self) -> Self:
        refuse(fault for _, fault in contradictions(self))
        return self

    @classmethod
    def default(cls) -> "Scenario":
        """The schematic Changchun, and where five more rooms would serve most people.

        Five is the upper end of the plan's own 3-5 reading rooms a year (长春市图书馆 2021-2025).

        >>> scenario = Scenario.default()
        >>> scenario.name, scenario.schematic, scenario.standard_id, scenario.limit_m
        ('changchun-schematic', True, 'gb50180-15min', 1000.0)
        """
        return cls.of(
            {
                "name": "changchun-schematic",
                "title": "长春（示意数据）",
                "seed": 2020,
                "streets": {"source": SAMPLE},
                "standard": {"id": DEFAULT_ID},
                "siting": {"model": "max_cover", "build": 5},
            }
        )

    @classmethod
    def read(cls, path: str | Path) -> "Scenario":
        """Read a scenario file, or the `scenario.toml` of a folder.

        Raises
        ------
        MissingInputError
            If it is not there, or only files it names are not.
        InputError
            With every fault of the file: syntax, unknown keys, values, contradictions, missing files.
        """
        path = Path(path)
        file = path / FILE_NAME if path.is_dir() else path
        try:
            content = file.read_bytes()
        except OSError:
            raise MissingInputError(Fault("scenario.unreadable", str(path), {"path": str(file.absolute())})) from None
        try:
            text = content.decode("utf-8-sig")  # Windows editors put a mark in front
        except UnicodeDecodeError as error:
            line = content[: error.start].count(b"\n") + 1
            raise InputError(Fault("scenario.encoding", file.name, {"line": line})) from None
        return cls.parse(text, base_dir=file.parent, where=file.name)

    @classmethod
    def parse(cls, text: str, *, base_dir: str | Path = ".", where: str = FILE_NAME) -> "Scenario":
        r"""Read a scenario from TOML text; the files it names are looked for in `base_dir`.

        >>> Scenario.parse('name = "x"\n[streets]\nscal = 1\n[siting]\nbuild = "5"')
        Traceback (most recent call last):
        ...
        walkshed.errors.InputError: scenario.toml [streets] scal: this key is not known; did you mean scale? ...
        scenario.toml [siting] build: '5' is not a whole number. ...
        """
        try:
            data = tomllib.loads(text)
        except tomllib.TOMLDecodeError as error:
            raise InputError(_syntax_fault(text, str(error), where)) from None
        data.setdefault("name", Path(where).stem)
        return cls.of(data, base_dir=base_dir, where=where, text=text)

    @classmethod
    def of(
        cls, data: Mapping[str, Any], *, base_dir: str | Path = ".", where: str = "scenario", text: str = ""
    ) -> "Scenario":
        """Build a scenario from plain data, as `tomllib` gives it; all faults at once."""
        data = _with_sample(data)
        sections, faults, doubtful = _sections(data)
        missing = list(missing_files(sections, Path(base_dir)))
        faults += [f for about, f in contradictions(sections) if not doubtful & _keys(about)]
        if faults or missing:
            error = InputError if faults else MissingInputError
            raise error([Fault(f.key, f"{where} {f.where}", f.values) for f in (*faults, *missing)])
        scenario = cls.model_validate(data)
        scenario._origin = Origin(Path(base_dir), text)  # noqa: SLF001  its own, and frozen from here on
        return scenario

    def revise(self, **sections: Mapping[str, Any] | object) -> "Scenario":
        """The same question with some keys changed; None takes a key back to its default. Checked as a file is.

        >>> Scenario.default().revise(siting={"build": 7}, standard={"id": None, "limit_m": 800.0}).limit_m
        800.0
        """
        data = self._plain()
        for name, new in sections.items():
            old = data.get(name)
            merged = {**old, **new} if isinstance(old, Mapping) and isinstance(new, Mapping) else new
            data[name] = _without_none(merged) if isinstance(merged, Mapping) else merged
        return Scenario.of(_without_none(data), base_dir=self.base_dir, text=self._origin.text)

    def to_toml(self) -> str:
        """The scenario as a file, comments of the file it was read from kept.

        >>> Scenario.parse(Scenario.default().to_toml()) == Scenario.default()
        True
        """
        return self._origin.written(self._plain())

    @property
    def base_dir(self) -> Path:
        """The folder that file names are relative to."""
        return self._origin.base_dir

    def path(self, written: str) -> Path:
        """Where a file is that the scenario names."""
        return self.base_dir / written

    @property
    def schematic(self) -> bool:
        """Whether the city is the made-up one; said on everything that comes out."""
        return self.streets.source == SAMPLE

    @property
    def standard_id(self) -> str:
        """The standard the plan is held against, `custom` where the scenario gives its own metres or minutes."""
        own = self.standard.limit_m is not None or self.standard.minutes is not None
        return CUSTOM_ID if own else self.standard.id or DEFAULT_ID

    @property
    def limit_m(self) -> float:
        """How far is near enough, metres; inclusive.

        >>> Scenario.default().revise(standard={"id": None, "minutes": 15, "walker": "older", "season": "ice"}).limit_m
        657.0
        """
        s = self.standard
        if s.limit_m is not None:
            return s.limit_m
        if s.minutes is not None:
            return limit_m(s.minutes, s.walker, s.season)
        return yardsticks()[self.standard_id].metres(s.walker, s.season)

    def _plain(self) -> dict[str, Any]:
        """What was given, as TOML can hold it."""
        return self.model_dump(mode="json", exclude_unset=True, exclude_none=True)


def _with_sample(data: Mapping[str, Any]) -> dict[str, Any]:
    """A scenario that brings nothing of its own city is about the schematic one."""
    own = {"area", "streets", "demand", "supply", "reach"} & data.keys()
    return dict(data) if own else {**data, "streets": {"source": SAMPLE}}


def _sections(data: Mapping[str, Any]) -> tuple[Sections, list[Fault], set[str]]:
    """The sections as far as they can be read, what is wrong with the rest, and the keys that cannot be relied on."""
    try:
        return Sections.model_validate(data), [], set()
    except ValidationError as error:
        details = error.errors()
    faults = translate(details, Sections)
    wrong = {_wrong_key(e["loc"], missing=e["type"] == "missing") for e in details}
    sound = {key: _sound(value, {loc[1:] for loc in wrong if loc[0] == key}) for key, value in data.items()}
    sound = {"name": "unnamed", **_without_none(sound)}
    doubtful = {"change" if loc[0] == "change" else ".".join(map(str, loc)) for loc in wrong}
    doubtful |= {f"{f.where[1:].split(']')[0]}.{f.values['meant']}" for f in faults if "meant" in f.values}
    return Sections.model_validate(sound), faults, doubtful


def _wrong_key(loc: tuple[int | str, ...], *, missing: bool) -> tuple[int | str, ...]:
    """The section, or the key in it, that has to go for the rest to be read; what lacks a key goes whole."""
    return loc[: max(1, min(2, len(loc) - missing))]


def _keys(about: str) -> set[str]:
    """Keys a contradiction rests on, and the sections they stand in.

    >>> sorted(_keys("streets.source reach"))
    ['reach', 'streets', 'streets.source']
    """
    return {part for key in about.split() for part in (key, key.split(".")[0])}


def _sound(value: Any, wrong: set[tuple[int | str, ...]]) -> Any:  # noqa: ANN401  plain data is of any kind
    """A section without its wrong keys; None if it is wrong as a whole."""
    if () in wrong:
        return None
    if isinstance(value, Mapping):
        return {key: held for key, held in value.items() if (key,) not in wrong}
    if isinstance(value, list):
        return [held for i, held in enumerate(value) if (i,) not in wrong]
    return value


def _without_none(data: Mapping[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in data.items() if value is not None}


def _syntax_fault(text: str, reason: str, where: str) -> Fault:
    """Where TOML cannot be read on, with the line itself: it says more than a parser's reason."""
    lines = text.splitlines() or [""]
    found = re.search(r"line (\d+), column (\d+)", reason)
    line, column = (int(found[1]), int(found[2])) if found else (len(lines), len(lines[-1]) + 1)
    values = {"line": line, "column": column, "text": lines[min(line, len(lines)) - 1].strip()[:80]}
    return Fault("scenario.syntax", where, values)
