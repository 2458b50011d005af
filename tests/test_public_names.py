"""What `import walkshed as ws` offers, and what it costs."""

import importlib
import subprocess
import sys
from types import FunctionType, ModuleType

import pytest

import walkshed as ws

RESULTS = (ws.siting.Siting, ws.siting.Phase, ws.siting.Phases, ws.siting.Priced, ws.siting.Why, ws.siting.Problem)
"""What functions give back: shown where they are given."""

HEAVY = ("write", "Plan")
"""Shown by `run`, and by a good many tests: a doctest of writing all files would take as long as they do."""


def ran(code: str) -> str:
    return subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.strip()


@pytest.mark.parametrize("name", ws.__all__)
def test_every_public_name_is_there_and_says_what_it_is_for(name: str) -> None:
    assert getattr(ws, name).__doc__
    assert name in dir(ws)


def offered() -> list[tuple[str, object, str]]:
    """Every public function and class: its name, itself, and what its package's docstring shows."""
    found = []
    for name in ws.__all__:
        held = getattr(ws, name)
        if not isinstance(held, ModuleType):
            found.append((name, held, ""))
            continue
        own = [k for k, v in vars(held).items() if isinstance(v, FunctionType) and v.__module__ == held.__name__]
        names = getattr(held, "__all__", [k for k in own if not k.startswith("_")])
        found += [(f"{name}.{one}", getattr(held, one), held.__doc__ or "") for one in names]
    return found


@pytest.mark.parametrize(("name", "held", "package"), [pytest.param(*one, id=one[0]) for one in offered()])
def test_every_public_function_shows_itself_at_work(name: str, held: object, package: str) -> None:
    own = [held, *(vars(held).values() if isinstance(held, type) else ())]
    shown = any(">>>" in (getattr(getattr(one, "__func__", one), "__doc__", "") or "") for one in own)
    result = isinstance(held, type) and issubclass(held, RESULTS)

    assert shown or result or name in HEAVY or f"{name.rpartition('.')[2]}(" in package.partition(">>>")[2]


def test_the_names_are_about_twenty() -> None:
    assert 15 <= len(ws.__all__) <= 25


def test_importing_loads_nothing_heavy() -> None:
    heavy = "{'numpy', 'pandas', 'geopandas', 'numba', 'pydantic', 'osmnx', 'matplotlib', 'streamlit', 'folium'}"

    assert ran(f"import sys, walkshed; print(sorted({heavy} & set(sys.modules)))") == "[]"


def test_the_whole_interface_needs_no_screen_and_no_osmnx() -> None:
    late = "{'osmnx', 'matplotlib', 'streamlit'}"

    code = f"import sys, walkshed as ws; [getattr(ws, n) for n in ws.__all__]; print(sorted({late} & set(sys.modules)))"
    assert ran(code) == "[]"


@pytest.mark.parametrize("name", ["reach", "nearest"])
@pytest.mark.parametrize(
    "first", ["import walkshed.{0}", "from walkshed.{0} import {0}", "from walkshed import siting"]
)
def test_a_function_keeps_its_name_whatever_is_imported_first(name: str, first: str) -> None:
    code = f"{first.format(name)}\nimport walkshed as ws\nprint(type(ws.{name}).__name__)"

    assert ran(code) == "function"


def test_modules_of_the_same_name_can_still_be_imported() -> None:
    assert isinstance(importlib.import_module("walkshed.reach"), ModuleType)
    assert isinstance(ws.reach, FunctionType)
    assert ws.reach is importlib.import_module("walkshed.reach").reach


def test_a_name_that_is_not_offered_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="'walkshed' has no attribute 'isochrone'"):
        ws.isochrone  # noqa: B018 - asking is the test


def test_star_brings_what_is_public() -> None:
    assert (
        ran("from walkshed import *; print(callable(run), callable(reach), access.__name__)")
        == "True True walkshed.access"
    )
