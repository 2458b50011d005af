"""An installed wheel does the main job from an empty folder, and writes nothing where it is installed."""

import json
import os
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]

pytestmark = pytest.mark.heavy


def test_a_read_only_install_plans_from_an_empty_folder(tmp_path: Path) -> None:
    pytest.importorskip("hatchling", reason="hatchling (test extra) builds the wheel")
    build = [sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "--no-build-isolation", "--no-index"]
    subprocess.run([*build, "-w", str(tmp_path), str(ROOT)], check=True, capture_output=True)
    [wheel] = tmp_path.glob("*.whl")
    site, empty, home = (tmp_path / name for name in ("site", "empty", "home"))
    zipfile.ZipFile(wheel).extractall(site)
    empty.mkdir()
    for folder in [site / "walkshed", *(p for p in (site / "walkshed").rglob("*") if p.is_dir())]:
        (folder / "__pycache__").write_text("")  # a file where a folder would be: root, too, can write no cache here
        folder.chmod(0o555)
    before = sorted(str(p) for p in site.rglob("*"))
    (empty / "town.toml").write_text('name = "town"\n[streets]\nsource = "sample"\nscale = 0.02\n[siting]\nbuild = 2\n')
    lean = {k: v for k, v in os.environ.items() if k not in ("NUMBA_CACHE_DIR", "XDG_CACHE_HOME")}
    env = {**lean, "PYTHONPATH": str(site), "HOME": str(home), "PYTHONDONTWRITEBYTECODE": "1"}

    done = subprocess.run(
        [sys.executable, "-m", "walkshed", "plan", "town.toml", "--json"],
        cwd=empty, env=env, capture_output=True, text=True, check=False,
    )  # fmt: skip

    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["totals"]["people"] > 0
    assert {p.name for p in (empty / "out" / "town").iterdir()} >= {"map.html", "plan.json", "plan.gpkg"}
    assert sorted(str(p) for p in site.rglob("*")) == before
    assert list(home.rglob("*.nbi")), "the kernels' cache falls back to the user's own folder"
