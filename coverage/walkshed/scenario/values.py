"""What a single value of a scenario file may be: numbers with their bounds, names, coordinates and their systems."""

import re
from collections.abc import Callable
from typing import Annotated, Any

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field

from walkshed.errors import Fault, InputError

_CRS = re.compile(r"wgs84|gcj02|bd09|epsg:\d{4,6}")
_NAME = re.compile(r"\w[\w+-]*")
_FOLDER = re.compile(r'[^<>:"/\\|?*\x00-\x1f. ](?:[^<>:"/\\|?*\x00-\x1f]{0,78}[^<>:"/\\|?*\x00-\x1f. ])?')


class Section(BaseModel):
    """A table of the file: unknown keys are refused, nothing changes once read."""

    model_config = ConfigDict(frozen=True, extra="forbid")


def _matching(pattern: re.Pattern[str], key: str) -> Callable[[str], str]:
    """A check that the whole text has the form of `pattern`; `key` is the sentence if it has not."""

    def check(value: str) -> str:
        if not pattern.fullmatch(value):
            raise InputError(Fault(key, "", {"value": value}))
        return value

    return check


def _lower(value: Any) -> Any:  # noqa: ANN401  what a file holds is not known before it is checked
    return value.lower() if isinstance(value, str) else value


def _listed(value: Any) -> Any:  # noqa: ANN401
    return value if isinstance(value, list | tuple) else (value,)


# Strict numbers: TOML has types, so "1000" in quotes or `true` is a slip to be told, not read as a number.
Number = Annotated[float, Field(strict=True, allow_inf_nan=False)]
Metres = Annotated[float, Field(strict=True, allow_inf_nan=False, gt=0)]
Money = Annotated[float, Field(strict=True, allow_inf_nan=False, ge=0)]
Share = Annotated[float, Field(strict=True, allow_inf_nan=False, ge=0, le=1)]
Lon = Annotated[float, Field(strict=True, allow_inf_nan=False, ge=-180, le=180)]
Lat = Annotated[float, Field(strict=True, allow_inf_nan=False, ge=-90, le=90)]
Count = Annotated[int, Field(strict=True, ge=0)]
Year = Annotated[int, Field(ge=1900, le=2200)]
Text = Annotated[str, Field(min_length=1)]

Crs = Annotated[str, BeforeValidator(_lower), AfterValidator(_matching(_CRS, "scenario.bad_crs"))]
Name = Annotated[str, AfterValidator(_matching(_NAME, "scenario.bad_name"))]
FolderName = Annotated[str, AfterValidator(_matching(_FOLDER, "scenario.bad_folder_name"))]
Several = Annotated[tuple[Text, ...], BeforeValidator(_listed), Field(min_length=1)]
Bands = Annotated[tuple[Annotated[int, Field(strict=True, ge=1)], ...], BeforeValidator(_listed), Field(min_length=1)]
