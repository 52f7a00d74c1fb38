"""The notebooks' hygiene; that they run, and that their checked cells give the stored output, is nbval's part."""

import ast
import json
from pathlib import Path

import pytest

NOTEBOOKS = sorted((Path(__file__).parents[1] / "notebooks").glob("*.ipynb"))


def code_cells(notebook: dict) -> list[dict]:
    return [cell for cell in notebook["cells"] if cell["cell_type"] == "code"]


@pytest.fixture(params=NOTEBOOKS, ids=lambda path: path.stem)
def notebook(request) -> dict:
    return json.loads(request.param.read_text())


def test_there_are_notebooks():
    assert {"00_tour", "01_walkers", "02_evaluation", "10_seqmasks", "70_footage"} <= {path.stem for path in NOTEBOOKS}


def test_executed_once_in_order_without_errors(notebook):
    cells = code_cells(notebook)
    assert [cell["execution_count"] for cell in cells] == list(range(1, len(cells) + 1))
    assert not [output for cell in cells for output in cell["outputs"] if output["output_type"] == "error"]


def test_checked_cells_have_an_output_to_check(notebook):
    checked = [cell for cell in code_cells(notebook) if "nbval-check-output" in cell["metadata"].get("tags", [])]
    assert len(checked) >= 3
    assert all(cell["outputs"] for cell in checked)


def test_holds_no_widget_state_and_no_private_paths(notebook):
    assert "widgets" not in notebook["metadata"]
    text = json.dumps(notebook)
    assert "/home/" not in text and "/root/" not in text and "/tmp/" not in text


def test_begins_as_agreed(notebook):
    first, imports = notebook["cells"][:2]
    assert "".join(first["source"]).startswith("# ") and "runtime here" in "".join(first["source"])
    assert all(
        line.startswith(("import ", "from ", ")", "    ")) for line in "".join(imports["source"]).split("\n") if line
    )


def test_functions_are_short_and_imports_stand_first(notebook):
    for cell in code_cells(notebook)[1:]:
        lines = "".join(cell["source"]).split("\n")
        assert not [line for line in lines if line.startswith(("import ", "from ", "%", "!"))]
        functions = [node for node in ast.walk(ast.parse("\n".join(lines))) if isinstance(node, ast.FunctionDef)]
        assert all(function.end_lineno - function.lineno <= 10 for function in functions)


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_is_under_a_megabyte(path):
    assert path.stat().st_size < 1_000_000
