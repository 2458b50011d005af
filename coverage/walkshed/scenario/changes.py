"""What a scenario changes about the city of today: small, tagged, ordered, each with its why."""

from typing import Annotated, Any, Literal

from pydantic import Field

from walkshed.scenario.values import Count, Crs, Lat, Lon, Money, Section, Text


class _Change(Section):
    why: Text  # a change nobody can explain is not a plan

    def model_post_init(self, context: Any, /) -> None:  # noqa: ANN401, ARG002  pydantic's own signature
        """Count the tag as given, so that it is written to the file even where Python code left it out."""
        self.__pydantic_fields_set__.add("type")


class Open(_Change):
    """A site that is planned or closed is open."""

    type: Literal["open"] = "open"
    site: Text


class Close(_Change):
    """A site is closed."""

    type: Literal["close"] = "close"
    site: Text


class Move(_Change):
    """A site stands elsewhere. The coordinate system must be said: 587 m lie between two that are used in China."""

    type: Literal["move"] = "move"
    site: Text
    lon: Lon
    lat: Lat
    crs: Crs


class Add(_Change):
    """A site of one's own: an outlet (open or planned) or a candidate."""

    type: Literal["add"] = "add"
    site: Text  # its new id
    name: Text
    kind: Text
    lon: Lon
    lat: Lat
    crs: Crs
    status: Literal["open", "planned", "candidate"] = "planned"
    seats: Count | None = None
    cost: Money | None = None


class Require(_Change):
    """A candidate that must be chosen."""

    type: Literal["require"] = "require"
    site: Text


class Forbid(_Change):
    """A candidate that may not be chosen."""

    type: Literal["forbid"] = "forbid"
    site: Text


class Block(_Change):
    """Nobody crosses this line: a closed bridge, a new wall."""

    type: Literal["block"] = "block"
    line: Annotated[tuple[tuple[Lon, Lat], ...], Field(min_length=2)]
    crs: Crs


class Bridge(_Change):
    """One can walk along this line, joined to the streets at both ends: a new footbridge, an underpass, a gate."""

    type: Literal["bridge"] = "bridge"
    line: Annotated[tuple[tuple[Lon, Lat], ...], Field(min_length=2)]
    crs: Crs


class Gate(_Change):
    """A barrier is open at this point."""

    type: Literal["gate"] = "gate"
    lon: Lon
    lat: Lat
    crs: Crs


Change = Annotated[Open | Close | Move | Add | Require | Forbid | Block | Bridge | Gate, Field(discriminator="type")]
