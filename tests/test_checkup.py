"""`walkshed check`: everything in one report, and an exit code that says whether to go on."""

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from small_city import SCENARIO, write
from walkshed import cli

WRONG = "名称,类型,经度,纬度\n甲,branch,120.1,30.2\n"

SAMPLE = '[streets]\nsource = "sample"\nscale = 0.02\n'


def checked(folder: Path, text: str, *options: str) -> tuple[int, str]:
    (folder / "town.toml").write_text(text, encoding="utf-8")
    ended = CliRunner().invoke(cli.commands, ["check", str(folder / "town.toml"), *options])
    assert ended.exception is None or isinstance(ended.exception, SystemExit), ended.output
    return ended.exit_code, ended.stdout


def test_a_city_is_looked_at_against_standards_seasons_and_targets(tmp_path: Path) -> None:
    code, text = checked(tmp_path, SAMPLE, "--json")

    told = json.loads(text)
    assert (code, told["grade"], told["schematic"]) == (0, "look", True)
    assert {row["standard"] for row in told["standards"]} >= {"gb50180-15min", "gb50180-5min"}
    assert {row["season"] for row in told["seasons"]} == {"bare", "winter", "ice"}
    assert len(told["targets"]) == 4
    assert all(row["sites_low"] <= row["sites_high"] for row in told["standards"])


@pytest.mark.parametrize(("lang", "said"), [("zh", "数据可信度"), ("en", "trust report")])
def test_the_report_is_read_in_either_language(tmp_path: Path, lang: str, said: str) -> None:
    _, text = checked(tmp_path, SAMPLE, "--lang", lang, "--share", "0.5")

    assert said in text
    assert "50%" in text


def test_data_that_cannot_be_read_are_findings_to_stop_for(tmp_path: Path) -> None:
    (tmp_path / "roads.geojson").write_text("{}")
    (tmp_path / "people.csv").write_text("people\n3\n")

    code, text = checked(
        tmp_path, '[streets]\nsource = "roads.geojson"\n[demand]\nsource = "people.csv"\n', "--lang", "en"
    )

    assert code == 1
    assert "stop  people.csv" in text or "stop  roads.geojson" in text


def test_a_table_with_faults_is_written_back_with_the_problem_beside_each_row(tmp_path: Path) -> None:
    write(tmp_path, outlets=WRONG)

    code, _ = checked(tmp_path, SCENARIO, "--lang", "zh", "--marked", str(tmp_path / "marked.csv"))

    header, row = (tmp_path / "marked.csv").read_text(encoding="utf-8-sig").splitlines()
    assert (code, header) == (1, "名称,类型,经度,纬度,问题")
    assert "研究范围之外" in row
