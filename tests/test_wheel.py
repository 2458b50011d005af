"""An installed wheel does the main job and opens the app from an empty folder; it writes nothing where it stands."""

import json
import os
import socket
import subprocess
import sys
import time
import urllib.request
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
TOWN = 'name = "town"\n[streets]\nsource = "sample"\nscale = 0.02\n[siting]\nbuild = 2\n'
LOOK = """
import sys
from streamlit.testing.v1 import AppTest
page = AppTest.from_file(sys.argv[1], default_timeout=120).run()
print([error.value for error in page.error], [metric.value for metric in page.metric])
"""

pytestmark = pytest.mark.heavy


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel, unpacked where nothing can be written."""
    pytest.importorskip("hatchling", reason="hatchling (test extra) builds the wheel")
    folder = tmp_path_factory.mktemp("wheel")
    build = [sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "--no-build-isolation", "--no-index"]
    subprocess.run([*build, "-w", str(folder), str(ROOT)], check=True, capture_output=True)
    [wheel] = folder.glob("*.whl")
    zipfile.ZipFile(wheel).extractall(folder / "site")
    for path in [folder / "site" / "walkshed", *(folder / "site" / "walkshed").rglob("*")]:
        if path.is_dir():
            (path / "__pycache__").write_text("")  # a file where a folder would be: root, too, can write no cache here
            path.chmod(0o555)
    return folder / "site"


@pytest.fixture
def empty(tmp_path: Path) -> Path:
    """A folder with nothing but a scenario."""
    (tmp_path / "empty").mkdir()
    (tmp_path / "empty" / "town.toml").write_text(TOWN)
    return tmp_path / "empty"


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A home of its own; kernels are compiled into it once."""
    return tmp_path_factory.mktemp("home")


def clean(site: Path, home: Path) -> dict[str, str]:
    lean = {k: v for k, v in os.environ.items() if k not in ("NUMBA_CACHE_DIR", "XDG_CACHE_HOME")}
    return {**lean, "PYTHONPATH": str(site), "HOME": str(home), "PYTHONDONTWRITEBYTECODE": "1"}


def files(site: Path) -> list[str]:
    return sorted(str(path) for path in site.rglob("*"))


def test_a_read_only_install_plans_from_an_empty_folder(site: Path, empty: Path, home: Path) -> None:
    before = files(site)

    done = subprocess.run(
        [sys.executable, "-m", "walkshed", "plan", "town.toml", "--json"],
        cwd=empty, env=clean(site, home), capture_output=True, text=True, check=False,
    )  # fmt: skip

    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["totals"]["people"] > 0
    assert {p.name for p in (empty / "out" / "town").iterdir()} >= {"map.html", "plan.json", "plan.gpkg"}
    assert files(site) == before
    assert list(home.rglob("*.nbi")), "the kernels' cache falls back to the user's own folder"


def test_a_read_only_install_opens_the_app_from_an_empty_folder(site: Path, empty: Path, home: Path) -> None:
    before, env = files(site), {**clean(site, home), "WALKSHED_START": str(empty / "town.toml")}

    page = str(site / "walkshed" / "app.py")
    done = subprocess.run([sys.executable, "-c", LOOK, page], cwd=empty, env=env, capture_output=True, text=True, check=False)  # fmt: skip  # noqa: E501

    assert done.stdout.startswith("[] ['"), done.stdout + done.stderr
    assert (empty / "walkshed-workspace" / "workspace.db").is_file()
    assert files(site) == before


def test_a_read_only_install_serves_the_app_to_this_machine_only(site: Path, empty: Path, home: Path) -> None:
    with socket.socket() as free:
        free.bind(("localhost", 0))
        port = free.getsockname()[1]
    line = [sys.executable, "-m", "walkshed", "app", "--port", str(port)]
    quiet = {"stdin": subprocess.DEVNULL, "stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    env = clean(site, home)
    with subprocess.Popen(line, cwd=empty, env=env, **quiet) as server:
        try:
            assert answers("localhost", port, tries=300)
            assert not answers("127.0.0.2", port, tries=1)  # would answer if it listened on every address
        finally:
            server.terminate()
        server.wait(timeout=30)
    assert not answers("localhost", port, tries=1)  # no server is left behind


def answers(host: str, port: int, *, tries: int) -> bool:
    for _ in range(tries):
        try:
            with urllib.request.urlopen(f"http://{host}:{port}/_stcore/health", timeout=1) as page:
                return page.status == 200
        except OSError:
            time.sleep(0.1)
    return False
