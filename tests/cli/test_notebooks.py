"""The notebooks' verb, on notebooks of two lines."""

import nbformat

from reidlib.cli import main, notebooks


def notebook(path, source):
    cell = nbformat.v4.new_code_cell(source)
    nbformat.write(nbformat.v4.new_notebook(cells=[cell]), path)


def test_notebooks_are_run_in_place_in_order_until_one_fails(tmp_path, monkeypatch, capfd):
    monkeypatch.setattr(notebooks, "FOLDER", tmp_path / "notebooks")
    folder = tmp_path / "notebooks"
    folder.mkdir()
    notebook(folder / "00_sum.ipynb", "print(40 + 2)")
    notebook(folder / "01_wrong.ipynb", "1 / 0")
    notebook(folder / "02_never.ipynb", "print('never')")
    assert main(["notebooks"]) == 1
    out, error = capfd.readouterr()
    assert out.splitlines()[:2] == ["[1/3] 00_sum.ipynb", "[2/3] 01_wrong.ipynb"]
    assert "[3/3]" not in out and "ZeroDivisionError" in error
    first, _, last = (nbformat.read(path, as_version=4).cells[0] for path in sorted(folder.glob("*.ipynb")))
    assert first.outputs[0].text == "42\n" and first.execution_count == 1
    assert last.outputs == []
    assert main(["notebooks", "03_none"]) == 2
    known = "known: 00_sum, 01_wrong, 02_never"
    assert capfd.readouterr().err == f"reidlib notebooks: no notebook is called 03_none; {known}\n"
