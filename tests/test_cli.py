"""The command line: what it prints, where it writes, and how it ends."""

import errno
import json
import os
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import geopandas as gpd
import pandas as pd
import pytest
from shapely import Point
from typer.testing import CliRunner, Result

from walkshed import cli, plan, publish
from walkshed.errors import Fault, InputError, OutputError

SITES = {"name": ["净月公园", "[red]x"], "kind": ["park", "school"], "unit": ["u", "u"], "order": [1, 2]}
GAPS = {"name": ["二道沟", "north"], "unit": ["u", "u"], "people": [1234.4, 9.0], "nearest_m": [2345.6, float("nan")]}


def a_plan(**changed: Any) -> Any:
    """As much of a plan as is printed."""
    at = [Point(0, 0), Point(1, 1)]
    totals = {"people": 10_000.0, "served_before": 1_000.0, "served_after": 2_500.0, "off_network": 7.0}
    held = {
        "title": "长春",
        "schematic": False,
        "limit_m": 1000.0,
        "standard_id": "gb50180-15min",
        "totals": totals | {"share_before": 0.1, "share_after": 0.25},
        "units": pd.DataFrame({"label": ["南关区"]}, index=["u"]),
        "gaps": gpd.GeoDataFrame(GAPS, geometry=at),
        "sites": gpd.GeoDataFrame({**SITES, "people_gained": [900.0, 600.0]}, geometry=at),
        "siting": SimpleNamespace(sentence=lambda lang: {"zh": "已证明最优。", "en": "Proven best."}[lang]),
        "notes": (),
    }
    return SimpleNamespace(**held | changed)


@pytest.fixture
def walkshed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    """Run `walkshed` in an empty folder, with a given outcome in place of the computation."""
    monkeypatch.chdir(tmp_path)

    def run(*arguments: str, outcome: Any = None, writing: Any = None) -> Result:
        def answer(_scenario: Any, *, progress: Any = None, anyway: bool = False) -> Any:
            progress("reach", 0.5)
            if isinstance(outcome, BaseException):
                raise outcome
            return outcome or a_plan()

        def write(_plan: Any, folder: Path, **_formats: bool) -> list[Path]:
            if isinstance(writing, BaseException):
                raise writing
            folder.mkdir(parents=True)
            (folder / "plan.json").write_bytes('{"name": "长春"}\n'.encode())
            return [folder / "map.html", folder / "plan.json"]

        monkeypatch.setattr(plan, "run", answer)
        monkeypatch.setattr(publish, "write", write)
        return CliRunner().invoke(cli.commands, arguments)

    return run


def test_a_plan_is_summed_up_in_chinese(walkshed: Any) -> None:
    ended = walkshed("plan", "--lang", "zh")

    assert ended.exit_code == 0
    for said in ("今日可达", "1,000", "10.0%", "2,500", "25.0%", "+1,500", "净月公园", "公园 · 南关区", "+900 人"):
        assert said in ended.stdout
    for said in ("二道沟", "1,234 人", "最近网点 2,346 米", "没有路可达任何网点", "已证明最优。", "十五分钟生活圈"):
        assert said in ended.stdout


def test_a_plan_is_summed_up_in_english(walkshed: Any) -> None:
    ended = walkshed("plan", "--lang", "en")

    for said in ("served today", "nearest outlet 2,346 m", "no way to any outlet", "park · ", "Proven best."):
        assert said in ended.stdout
    assert "results in out" in ended.stdout


def test_schematic_data_are_called_so(walkshed: Any) -> None:
    assert "示意数据" not in walkshed("plan", "--out", "a", "--lang", "en").stdout
    assert "示意数据" in walkshed("plan", "--out", "b", "--lang", "en", outcome=a_plan(schematic=True)).stdout
    assert "示意数据" in walkshed("plan", "--out", "c", "--lang", "zh", outcome=a_plan(schematic=True)).stdout


def test_names_of_data_cannot_steer_the_terminal(walkshed: Any) -> None:
    ended = walkshed("plan", outcome=a_plan(title="a\x1b[2Jb", notes=(Fault("table.no_rows", "\x1b[31mx.csv"),)))

    assert "\x1b" not in ended.stdout
    assert "a [2Jb" in ended.stdout
    assert "[red]x" in ended.stdout  # nor is it markup


def test_nothing_to_build_and_no_gap_is_said_plainly(walkshed: Any) -> None:
    none = a_plan().sites.iloc[:0]

    ended = walkshed("plan", "--lang", "en", outcome=a_plan(sites=none, gaps=none))

    assert "There are no gaps." in ended.stdout
    assert "proposed sites" not in ended.stdout


def test_results_go_to_out_and_the_name(walkshed: Any, tmp_path: Path) -> None:
    walkshed("plan")

    assert (tmp_path / "out" / "changchun-schematic" / "plan.json").is_file()


def test_results_go_where_one_says(walkshed: Any, tmp_path: Path) -> None:
    walkshed("plan", "--out", "mine/here")

    assert (tmp_path / "mine" / "here" / "plan.json").is_file()


def test_json_prints_the_file_and_nothing_else(walkshed: Any) -> None:
    assert walkshed("plan", "--json").stdout_bytes == '{"name": "长春"}\n'.encode()


def test_quiet_says_nothing(walkshed: Any) -> None:
    ended = walkshed("plan", "--quiet")

    assert (ended.exit_code, ended.stdout, ended.stderr) == (0, "", "")


def test_all_faults_of_a_scenario_stand_on_stderr(walkshed: Any, tmp_path: Path) -> None:
    (tmp_path / "s.toml").write_text("seed = -1\n[streets]\nsource = 3\n[siting]\nbuilt = 1\n", encoding="utf-8")

    ended = walkshed("plan", "s.toml", "--lang", "en")

    assert (ended.exit_code, ended.stdout) == (2, "")
    assert "4 faults found; no results were written:" in ended.stderr
    assert "s.toml [siting] built: this key is not known; did you mean build?" in ended.stderr


@pytest.mark.parametrize(
    ("raised", "said"),
    [
        (InputError(Fault("table.no_rows", "cells.csv")), "cells.csv: there are no rows"),
        (OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), "big.tif"), "big.tif: the system says: No space left"),
        (MemoryError(), "not enough memory"),
    ],
)
def test_what_a_user_can_mend_ends_with_a_sentence(walkshed: Any, raised: BaseException, said: str) -> None:
    ended = walkshed("plan", "--lang", "en", outcome=raised)

    assert (ended.exit_code, ended.stdout) == (2, "")
    assert said in ended.stderr
    assert "Traceback" not in ended.stderr


def test_a_full_disk_ends_with_a_sentence(walkshed: Any) -> None:
    ended = walkshed("plan", "--lang", "en", writing=OutputError(Fault("publish.disk_full", "out", {"reason": ""})))

    assert ended.exit_code == 2
    assert "out: the disk is full" in ended.stderr


def test_an_interrupt_ends_with_130(walkshed: Any) -> None:
    ended = walkshed("plan", "--lang", "en", outcome=KeyboardInterrupt())

    assert ended.exit_code == 130
    assert "Stopped" in ended.stderr


def test_a_folder_that_cannot_be_is_refused_before_the_long_work(walkshed: Any, tmp_path: Path) -> None:
    (tmp_path / "taken").touch()

    ended = walkshed("plan", "--lang", "en", "--out", "taken/here", outcome=AssertionError("was computed"))

    assert ended.exit_code == 2
    assert "is a file and not a folder" in ended.stderr


def test_a_read_only_folder_is_refused_before_the_long_work(
    walkshed: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(os, "access", lambda path, _mode: Path(path) != tmp_path)  # root may write anywhere

    ended = walkshed("plan", "--lang", "en", outcome=AssertionError("was computed"))

    assert ended.exit_code == 2
    assert "this folder cannot be written to" in ended.stderr


def test_our_own_mistakes_are_not_hidden(walkshed: Any) -> None:
    assert isinstance(walkshed("plan", outcome=ZeroDivisionError()).exception, ZeroDivisionError)


def test_the_app_without_its_page_says_so(walkshed: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cli, "_pages", lambda: (tmp_path / "none.py", tmp_path / "no.py"))

    ended = walkshed("app", "--lang", "zh")

    assert ended.exit_code == 2
    assert "app.py" in ended.stderr


@pytest.mark.parametrize(
    ("environment", "expected"),
    [
        ({"LANG": "zh_CN.UTF-8"}, "zh"),
        ({"LANG": "zh_CN.UTF-8", "LC_ALL": "en_GB.UTF-8"}, "en"),
        ({"LANG": "de_DE.UTF-8", "LC_MESSAGES": "zh_TW"}, "zh"),
        ({"LANG": "C"}, "en"),
    ],
)
def test_the_language_is_the_systems(
    environment: dict[str, str], expected: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("LC_ALL", "LC_MESSAGES", "LANG"):
        monkeypatch.delenv(name, raising=False)
    for name, value in environment.items():
        monkeypatch.setenv(name, value)

    assert cli.system_language() == expected


def test_a_small_city_goes_from_a_file_to_files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    text = 'title = "小城"\n[streets]\nsource = "sample"\nscale = 0.02\n[siting]\nbuild = 2\n'
    (tmp_path / "town.toml").write_text(text, encoding="utf-8")

    ended = CliRunner().invoke(cli.commands, ["plan", "town.toml", "--json", "--lang", "zh"])

    assert ended.exit_code == 0, ended.output
    told = json.loads(ended.stdout)
    assert ended.stdout_bytes == (tmp_path / "out" / "town" / "plan.json").read_bytes()
    assert (told["name"], told["title"], told["schematic"], len(told["sites"])) == ("town", "小城", True, 2)
    assert told["totals"]["served_before"] < told["totals"]["served_after"] <= told["totals"]["people"]


def run_apart(*arguments: str, cwd: Path, **environment: str) -> subprocess.CompletedProcess[str]:
    """`python -m walkshed` in a process of its own."""
    line = [sys.executable, "-m", "walkshed", *arguments]
    return subprocess.run(line, cwd=cwd, capture_output=True, text=True, check=False, encoding="utf-8",
                          env={**os.environ, **environment})  # fmt: skip


def test_help_comes_within_a_second_of_processor_time(tmp_path: Path) -> None:
    before = os.times()
    ended = run_apart("--help", cwd=tmp_path, LC_ALL="C.UTF-8")
    after = os.times()
    spent = after.children_user - before.children_user + after.children_system - before.children_system

    assert ended.returncode == 0
    assert "where to build next" in ended.stdout
    assert spent < 1.0


def test_help_imports_nothing_heavy(tmp_path: Path) -> None:
    code = "import sys, walkshed.cli; print(sorted({'pandas', 'numpy', 'numba', 'folium'} & set(sys.modules)))"
    ended = subprocess.run([sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True, check=True)

    assert ended.stdout.strip() == "[]"


def test_a_terminal_that_knows_no_chinese_still_gets_its_faults(tmp_path: Path) -> None:
    ended = run_apart("plan", "none.toml", "--lang", "zh", cwd=tmp_path, PYTHONIOENCODING="ascii", PYTHONUTF8="0")

    assert ended.returncode == 2
    assert "none.toml" in ended.stderr
    assert "Traceback" not in ended.stderr
    assert list(tmp_path.iterdir()) == []
