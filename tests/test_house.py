"""The house stands as it was meant to: names, sizes, words, and what a wheel carries."""

import ast
import re
import string
import subprocess
import sys
import tomllib
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PACKAGE = ROOT / "coverage" / "walkshed"
MODULES = sorted(PACKAGE.rglob("*.py"))
WORDS = {
    f"{file.stem}.{name}": texts
    for file in sorted((ROOT / "data" / "words").glob("*.toml"))
    for name, texts in tomllib.loads(file.read_text(encoding="utf-8")).items()
}
TOP = {"pyproject.toml", "app.py", "coverage", "data", "notebooks", "tests", "README.md", "LICENSE", "Makefile", "constraints.txt"}  # fmt: skip  # noqa: E501


def tracked() -> list[Path]:
    """Files of the repository, or a skip where this is no checkout."""
    asked = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, check=False)  # noqa: S607
    if asked.returncode:
        pytest.skip("not a git checkout: no list of its files")
    return [path for name in asked.stdout.split("\0") if name and (path := ROOT / name).is_file()]


def named(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


# ---- the folder coverage/ and the import name `coverage` ------------------------------------------------------------


def test_the_folder_coverage_is_a_bare_source_root() -> None:
    held = {path.name for path in (ROOT / "coverage").iterdir()} - {"__pycache__"}

    assert held == {"walkshed"}


@pytest.mark.parametrize("code", ["import numba", "import coverage; coverage.Coverage", "import walkshed.cli"])
def test_imports_work_from_the_root_in_a_fresh_interpreter(code: str) -> None:
    ended = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=False)

    assert ended.returncode == 0, ended.stderr


def test_coverage_py_runs_from_the_root() -> None:
    line = [sys.executable, "-m", "coverage", "--version"]

    assert "Coverage.py" in subprocess.run(line, cwd=ROOT, capture_output=True, text=True, check=True).stdout


def test_coverage_is_never_a_name_of_ours() -> None:
    clashes = [
        f"{named(path)}:{node.lineno}"
        for path in MODULES
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if "coverage" in (getattr(node, "id", ""), getattr(node, "arg", ""), getattr(node, "name", ""))
    ]

    assert clashes == []


# ---- top level, sizes, addresses ------------------------------------------------------------------------------------


def test_the_top_level_holds_what_it_should() -> None:
    held = {path.relative_to(ROOT).parts[0] for path in tracked()}

    assert {name for name in held if not name.startswith(".")} - TOP == set()


def test_every_module_is_one_room() -> None:
    lines = {named(path): len(path.read_text(encoding="utf-8").splitlines()) for path in [*MODULES, ROOT / "app.py"] if path.is_file()}  # fmt: skip  # noqa: E501

    assert {name: count for name, count in lines.items() if count > 300} == {}


def test_every_module_opens_with_what_it_is_for() -> None:
    silent = [named(path) for path in MODULES if not ast.get_docstring(ast.parse(path.read_text(encoding="utf-8")))]

    assert silent == []


def test_no_registry_and_no_path_of_a_machine_is_named() -> None:
    hosts = [".".join(parts) for parts in (("pypi", "org"), ("pythonhosted", "org"), ("test", "pypi", "org"))]
    told = re.compile("|".join([r"(?<![\w.])/(?:work|root|farm|home/\w+|Users/\w+)/", *map(re.escape, hosts)]))
    found = []
    for path in tracked():
        try:
            text = path.read_text(encoding="utf-8")
        except UnicodeDecodeError:
            continue
        found += [f"{named(path)}: {match[0]}" for match in told.finditer(text)]

    assert found == []


# ---- words ----------------------------------------------------------------------------------------------------------


def slots(text: str) -> set[str]:
    """Names a sentence asks for."""
    return {re.split(r"[.\[]", field)[0] for _, field, _, _ in string.Formatter().parse(text) if field is not None}


@pytest.mark.parametrize("key", sorted(WORDS))
def test_every_sentence_is_in_both_languages_with_the_same_slots(key: str) -> None:
    texts = WORDS[key]

    assert set(texts) == {"zh", "en"}
    assert slots(texts["zh"]) == slots(texts["en"])
    assert all(text.strip() for text in texts.values())


def calls() -> Iterator[tuple[str, ast.Call]]:
    """Every call of Fault(…) and say(…) with its place."""
    for path in MODULES:
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and getattr(node.func, "id", "") in {"Fault", "say"} and node.args:
                yield f"{named(path)}:{node.lineno}", node


def patterns(key: ast.expr) -> list[str]:
    """What a key given as text, as an f-string or as one of two can be; nothing for a variable."""
    if isinstance(key, ast.IfExp):
        return [*patterns(key.body), *patterns(key.orelse)]
    if isinstance(key, ast.Constant):
        return [re.escape(str(key.value))]
    if isinstance(key, ast.JoinedStr):
        return ["".join(re.escape(p.value) if isinstance(p, ast.Constant) else r"\w+" for p in key.values)]  # type: ignore[arg-type]
    return []


def test_every_sentence_that_is_said_exists() -> None:
    unknown = [
        f"{place} {pattern}"
        for place, call in calls()
        for pattern in patterns(call.args[0])
        if not any(re.fullmatch(pattern, key) for key in WORDS)
    ]

    assert unknown == []


def test_every_sentence_gets_the_values_it_asks_for() -> None:
    short = []
    for place, call in calls():
        key, given = call.args[0], given_names(call)
        texts = WORDS.get(str(key.value)) if isinstance(key, ast.Constant) else None
        if texts and given is not None and (missing := slots(texts["en"]) - given):
            short.append(f"{place} {ast.unparse(key)} lacks {sorted(missing)}")

    assert short == []


def given_names(call: ast.Call) -> set[str] | None:
    """Names of the values a call hands over; None where the source does not show them."""
    if getattr(call.func, "id", "") == "say":
        names = [keyword.arg for keyword in call.keywords]
        return None if None in names else {str(name) for name in names} - {"lang"}
    values = [*call.args[2:3], *(keyword.value for keyword in call.keywords if keyword.arg == "values")]
    if not values:
        return set()
    [held] = values
    if isinstance(held, ast.Dict) and all(isinstance(name, ast.Constant) for name in held.keys):
        return {str(name.value) for name in held.keys if isinstance(name, ast.Constant)}
    return None


def test_the_scan_of_words_sees_what_is_missing() -> None:
    [call] = [
        n for n in ast.walk(ast.parse('Fault("a.b" if x else f"a.{y}", "w", {"c": 1})')) if isinstance(n, ast.Call)
    ]

    assert patterns(call.args[0]) == [r"a\.b", r"a\.\w+"]
    assert given_names(call) == {"c"}
    assert slots("{rows:,.0f} of {table[x]} {{no}}") == {"rows", "table"}


# ---- the wheel ------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Iterator[zipfile.ZipFile]:
    """The wheel of this tree, built without a network."""
    pytest.importorskip("hatchling", reason="hatchling (test extra) builds the wheel")
    folder = tmp_path_factory.mktemp("wheel")
    line = [sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "--no-build-isolation", "--no-index", "-w", str(folder), str(ROOT)]  # fmt: skip  # noqa: E501
    ended = subprocess.run(line, capture_output=True, text=True, check=False)
    assert ended.returncode == 0, ended.stderr
    [built] = folder.glob("*.whl")
    with zipfile.ZipFile(built) as held:
        yield held


def test_a_wheel_carries_the_data_it_needs(wheel: zipfile.ZipFile) -> None:
    needed = {f"walkshed/{named(path)}" for path in tracked() if named(path).startswith("data/")}

    assert needed - set(wheel.namelist()) == set()
    assert {"walkshed/data/words/scenario.toml", "walkshed/data/kinds.toml", "walkshed/py.typed"} <= set(
        wheel.namelist()
    )


def test_a_wheel_brings_no_folder_called_coverage(wheel: zipfile.ZipFile) -> None:
    tops = {name.split("/")[0] for name in wheel.namelist()}

    assert {top for top in tops if not top.endswith(".dist-info")} == {"walkshed"}
