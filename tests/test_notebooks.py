"""Notebooks run from top to bottom, hold no outputs and define nothing."""

import ast
import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

FOLDER = Path(__file__).parents[1] / "notebooks"
NOTEBOOKS = sorted(FOLDER.glob("*.ipynb"))
NAMES = ["01_first_look", "02_your_own_city", "03_gaps", "04_where_and_how_sure", "05_fairness", "06_year_by_year"]
SCALE = ("SCALE = 0.1 ", "SCALE = 0.02 ")  # a small town shows that they run


def cells(path: Path, kind: str) -> list[str]:
    held = json.loads(path.read_text(encoding="utf-8"))["cells"]
    return ["".join(cell["source"]) for cell in held if cell["cell_type"] == kind]


def test_the_notebooks_are_those_that_were_promised() -> None:
    assert [path.stem for path in NOTEBOOKS] == NAMES


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_a_notebook_holds_no_outputs_and_names_no_kernel_of_a_machine(path: Path) -> None:
    held = json.loads(path.read_text(encoding="utf-8"))

    assert [c["id"] for c in held["cells"] if c.get("outputs") or c.get("execution_count")] == []
    assert held["metadata"] == {"language_info": {"name": "python"}}
    assert path.stat().st_size < 50_000


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_a_notebook_narrates_and_defines_nothing(path: Path) -> None:
    defined = [
        ast.unparse(node)
        for source in cells(path, "code")
        for node in ast.walk(ast.parse(source))
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef | ast.Lambda)
    ]

    assert defined == []
    assert len(cells(path, "markdown")) >= len(cells(path, "code")) / 2


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_a_notebook_speaks_both_languages(path: Path) -> None:
    title = cells(path, "markdown")[0].splitlines()[0]

    assert "·" in title
    assert any("\u4e00" <= letter <= "\u9fff" for letter in title)
    assert any("a" <= letter <= "z" for letter in title)


@pytest.fixture(scope="module")
def kernel(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    """One kernel for all notebooks, in an empty folder: half of a notebook's time is imports. Emptied before each."""
    for needed in ("nbclient", "nbformat", "ipykernel", "matplotlib"):
        pytest.importorskip(needed, reason=f"{needed} (test extra) is needed to run notebooks")
    jupyter_client = pytest.importorskip("jupyter_client", reason="jupyter_client comes with nbclient (test extra)")
    folder = tmp_path_factory.mktemp("notebooks")
    manager = jupyter_client.KernelManager(kernel_name="python3")
    manager.start_kernel(cwd=str(folder), env={**os.environ, "MPLBACKEND": "agg"})
    yield manager
    manager.shutdown_kernel(now=True)
    assert list(folder.iterdir()) == []


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_a_notebook_runs(path: Path, kernel: Any) -> None:
    import nbclient  # noqa: PLC0415 - the fixture skips where it is missing
    import nbformat  # noqa: PLC0415

    text = path.read_text(encoding="utf-8")
    assert text.count(SCALE[0]) == 1
    notebook = nbformat.reads(text.replace(*SCALE), as_version=4)
    notebook.cells.insert(0, nbformat.v4.new_code_cell("%reset -f"))

    client = nbclient.NotebookClient(notebook, timeout=120, km=kernel)
    try:
        client.execute()  # raises with the cell and its traceback
    finally:
        client.kc.stop_channels()

    assert all(cell.get("execution_count") for cell in notebook.cells if cell.cell_type == "code")
