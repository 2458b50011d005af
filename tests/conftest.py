"""Small worlds for tests, and the real ones where they are present."""

import os
import shutil
from pathlib import Path

import pytest
from hypothesis import settings

settings.register_profile("walkshed", deadline=None, derandomize="CI" in os.environ)  # what was green stays green there
settings.load_profile("walkshed")

ROOT = Path(__file__).parents[1]


def found_chromium() -> str | None:
    """Path of a Chromium of this machine."""
    return shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")


@pytest.fixture(scope="session")
def real() -> Path:
    """Folder of real streets and census beside the checkout; it may not be part of it."""
    folder = ROOT.parent / "shared" / "real"
    if not folder.is_dir():
        pytest.skip("real test data are not here (../shared/real)")
    return folder


@pytest.fixture(scope="session")
def chromium() -> str:
    """Path of a Chromium; required where WALKSHED_REQUIRE_BROWSER is set."""
    found = found_chromium()
    if found is None:
        if os.environ.get("WALKSHED_REQUIRE_BROWSER"):
            pytest.fail("Chromium is required here (WALKSHED_REQUIRE_BROWSER) and was not found")
        pytest.skip("no Chromium on this machine: install Debian's `chromium` to run the browser tests")
    return found
