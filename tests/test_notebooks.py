"""How notebooks are run and kept, and the hygiene of those that are kept; that they run, and that their checked cells
give the stored output, is nbval's part."""

import ast
import base64
import functools
import json
from io import BytesIO
from pathlib import Path

import nbformat
import numpy as np
import pytest
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_output
from PIL import Image

from reidlib import notebooks
from reidlib.cli import main
from reidlib.notebooks import WIDGET, NotebookError, normalised, run_notebooks, write

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


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_is_kept_without_times_widgets_and_progress_bars(path):
    notebook = nbformat.read(path, as_version=4)
    assert notebook == normalised(notebook), "run `python -m reidlib notebooks --save`"


def test_holds_no_private_paths(notebook):
    text = json.dumps(notebook)
    assert "/home/" not in text and "/root/" not in text and "/tmp/" not in text


def test_no_table_shows_that_a_number_is_missing_as_nan(notebook):
    pages = ["".join(o.get("data", {}).get("text/html", "")) for cell in code_cells(notebook) for o in cell["outputs"]]
    assert not [page for page in pages if ">nan<" in page.lower()]


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


def stream(text, name="stdout"):
    return new_output("stream", name=name, text=text)


def shown(**data):
    return new_output("display_data", {kind.replace("_", "/"): value for kind, value in data.items()})


def bar(text="rendering:   0%|          | 0/9 [00:00<?]"):
    return new_output("display_data", {WIDGET: {"model_id": "a1"}, "text/plain": text})


def kept(*outputs):
    """What is kept of the outputs of a notebook's only cell."""
    cell = new_code_cell("1", execution_count=1, outputs=list(outputs))
    return normalised(new_notebook(cells=[cell])).cells[0].outputs


def test_normalised_notebooks_hold_results_alone():
    cells = [
        new_markdown_cell("# One", id="f00"),
        new_code_cell(
            "x",
            id="b4r",
            execution_count=1,
            metadata={"execution": {"iopub.status.busy": "2026-01-01"}, "tags": ["nbval-check-output"]},
            outputs=[bar(), stream("a"), stream("b\n"), bar(), stream("c\n"), shown(text_plain="<Figure>")],
        ),
    ]
    state = {"kernelspec": {"name": "mine", "display_name": "Mine"}, "widgets": {}}
    state["language_info"] = {"name": "python", "version": "3.12.1"}
    before = new_notebook(cells=cells, metadata=state)
    after = normalised(before)
    assert before.cells[1].id == "b4r"  # the notebook itself is as it was
    assert [cell.id for cell in after.cells] == ["cell-00", "cell-01"]
    assert after.cells[1].metadata == {"tags": ["nbval-check-output"]} and after.cells[1].execution_count == 1
    printed, figure = after.cells[1].outputs
    assert printed.text == "ab\nc\n" and figure.data == {"text/plain": "<Figure>"}
    assert after.metadata.keys() == {"kernelspec", "language_info"} and "3.12.1" not in str(after.metadata)
    assert normalised(after) == after
    nbformat.validate(after)


def test_progress_bars_that_are_printed_are_left_out():
    pieces = ["\r  0%|      | 0/3 [00:00<?, ?it/s]", "\r100%|██████| 3/3 [00:01<00:00]", "\n"]
    assert kept(*(stream(piece, "stderr") for piece in pieces)) == []
    count = stream("\r12it [00:03,  4.0it/s]\n", "stderr")
    assert kept(stream("one\n"), count, stream("two, at 50% | 1:00\n")) == [stream("one\ntwo, at 50% | 1:00\n")]
    assert kept(stream("careful\n", "stderr"), stream("x\n")) == [stream("careful\n", "stderr"), stream("x\n")]


def test_names_that_are_drawn_anew_are_the_same_each_time():
    def table(name, address):
        html = f'<style>#T_{name}_row0 {{}}</style><table id="T_{name}"><td id="T_{name}_row0">'
        return shown(text_html=html, text_plain=f"<Styler at {address}>")

    assert kept(table("0a1f2", "0x7f0000aa1234")) == kept(table("99b42", "0x7e1234567890"))
    [first] = kept(table("0a1f2", "0x7f0000aa1234"))
    assert "#T_00_0_row0" in first.data["text/html"] and kept(first) == [first]


def test_a_notebook_is_written_only_if_it_differs(tmp_path):
    def notebook(level, text="a"):
        file = BytesIO()
        Image.fromarray(np.full((8, 8), level, np.uint8)).save(file, "png")
        picture = shown(image_png=base64.b64encode(file.getvalue()).decode())
        return normalised(new_notebook(cells=[new_code_cell("1", outputs=[stream(text), picture])]))

    path = tmp_path / "new" / "00_one.ipynb"
    assert write(notebook(100), path)
    first = path.read_bytes()
    assert not write(notebook(100), path)
    assert not write(notebook(103), path)  # a picture that shows the same
    assert path.read_bytes() == first
    assert write(notebook(100, "b"), path) and path.read_bytes() != first
    assert write(notebook(140), path)


@pytest.fixture
def folders(tmp_path):
    """A folder of two notebooks, and one for their executed copies."""
    for name, source in (("01_second", "print(6 * 7)"), ("00_first", "import this\nopen('here', 'w').close()")):
        (tmp_path / "notebooks").mkdir(exist_ok=True)
        nbformat.write(new_notebook(cells=[new_code_cell(source)]), tmp_path / "notebooks" / f"{name}.ipynb")
    return tmp_path / "notebooks", tmp_path / "build"


def test_notebooks_run_in_reading_order_and_leave_the_folder_alone(folders, capsys):
    folder, executed = folders
    before = {path: path.read_bytes() for path in folder.glob("*.ipynb")}
    run_notebooks(folder=folder, executed=executed)
    first, second = capsys.readouterr().out.splitlines()
    assert first.startswith("[1/2] 00_first: ") and second.startswith("[2/2] 01_second: ") and second.endswith(" s")
    assert {path: path.read_bytes() for path in folder.glob("*.ipynb")} == before
    assert (folder / "here").exists()  # cells run where their notebook lies
    assert nbformat.read(executed / "01_second.ipynb", 4).cells[0].outputs[0].text == "42\n"


def test_saved_notebooks_are_written_once(folders, capsys):
    folder, executed = folders
    for said in (", rewritten", ""):
        run_notebooks(["01_second"], save=True, folder=folder, executed=executed)
        assert capsys.readouterr().out.strip().partition(" s")[2] == said
    saved = nbformat.read(folder / "01_second.ipynb", 4)
    assert saved == normalised(saved) and saved.cells[0].outputs[0].text == "42\n"
    assert not executed.exists()


def test_a_failure_names_notebook_cell_and_error(folders):
    folder, executed = folders
    cells = [new_markdown_cell("# One"), new_code_cell("1"), new_code_cell("{}['missing']"), new_code_cell("2")]
    nbformat.write(new_notebook(cells=cells), folder / "00_first.ipynb")
    with pytest.raises(NotebookError, match="00_first.ipynb, cell 2: KeyError: 'missing'"):
        run_notebooks(save=True, folder=folder, executed=executed)
    assert "KeyError" in (executed / "00_first.ipynb").read_text()
    assert "KeyError" not in (folder / "00_first.ipynb").read_text()
    with pytest.raises(ValueError, match="no notebook is called 99_none; known: 00_first, 01_second"):
        run_notebooks(["99_none"], folder=folder, executed=executed)


def test_the_verb_ends_with_the_first_that_fails(folders, monkeypatch, capsys):
    folder, executed = folders
    nbformat.write(new_notebook(cells=[new_code_cell("1 / 0")]), folder / "00_first.ipynb")
    here = functools.partial(run_notebooks, folder=folder, executed=executed)
    monkeypatch.setattr(notebooks, "run_notebooks", here)
    assert main(["notebooks"]) == 1
    out, error = capsys.readouterr()
    assert out == "[1/2] 00_first failed\n" and not (executed / "01_second.ipynb").exists()
    assert error.startswith("reidlib notebooks: 00_first.ipynb, cell 0: ZeroDivisionError: division by zero")
    assert main(["notebooks", "--save", "01_second"]) == 0
    assert nbformat.read(folder / "01_second.ipynb", 4).cells[0].outputs[0].text == "42\n"
    assert main(["notebooks", "99_none"]) == 2
