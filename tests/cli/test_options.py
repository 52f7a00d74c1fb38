"""Files of the user's own: run first, twice without harm, and blamed by file and line."""

import sys

import pytest

from reidlib.cli.options import run_files
from reidlib.experiments import Row, Run, add_rows, rows_of
from reidlib.experiments.evaluations import find_evaluation
from reidlib.experiments.trainings import find_training
from reidlib.models.registry import own_models

EVERYTHING = """
import helper_of_mine
from reidlib.experiments import Measured, Paper, Plan, Row, Run
from reidlib.experiments import add_rows, register_evaluation, register_paper, register_training
from reidlib.models import Network, register

@register("mine")
class Mine(Network):
    def __init__(self, *, num_ids=0, scale="paper"):
        super().__init__()

@register_training("mine")
def training(setting):
    return Plan(None, {})

class Pictures:
    def measure(self, network, benchmark, run, progress=True):
        return Measured({})
    def columns(self, run):
        return {}

register_evaluation("pictures", Pictures())
register_paper(Paper("my paper", lambda scale: []))
for paper in ("baseline", "my paper"):
    run = Run("mine", "street", "mine", setups=["usual"])
    add_rows(paper, [Row("mine", "mine", run, columns={"mAP": ("usual", "mAP")})])
"""


@pytest.fixture
def file(tmp_path, monkeypatch):
    """`file(text)`: a file of the user's own, beside one that it may import."""
    monkeypatch.setattr(sys, "path", [*sys.path])
    (tmp_path / "helper_of_mine.py").write_text("")

    def written(text):
        path = tmp_path / "mine.py"
        path.write_text(text)
        return path

    return written


def test_a_file_adds_all_that_can_be_added_and_may_be_run_twice(run, file):
    path = file(EVERYTHING)
    for _ in range(2):
        run_files([path])
        assert own_models().count("mine") == 1
        assert find_training("mine").recorded_as == "mine" and find_evaluation("pictures")
        assert [row.label for row in rows_of("my paper")] == ["mine"]
        assert [row.label for row in rows_of("baseline") if row.table == "mine"] == ["mine"]
    assert "mine" in run("tables", "my paper", "--with", path, "--with", path)[1]
    assert run("claims", "my paper", "--with", path)[1] == "my paper: no claims are written yet\n"


def test_another_row_of_the_same_cells_is_refused_and_none_is_added():
    row = Row("mine", "mine", Run("agw", "street"))
    add_rows("baseline", [row, row])
    add_rows("baseline", [Row("mine", "mine", Run("agw", "mars"), columns={"MARS mAP": ("usual", "mAP")})])
    before = rows_of("baseline")
    assert len([r for r in before if r.table == "mine"]) == 2
    fresh = Row("mine", "another", Run("agw", "street"))
    for other in (
        Row("mine", "mine", Run("agw", "campus")),
        Row("mine", "mine", Run("agw", "street"), columns={"mAP": ("mixing", "mAP")}),
        Row("street", "AGW baseline", Run("agw", "street")),
    ):
        with pytest.raises(ValueError, match=f"table {other.table} has a row '{other.label}' already"):
            add_rows("baseline", [fresh, other])
        assert rows_of("baseline") == before
    with pytest.raises(ValueError, match="table mine has a row 'another' already"):
        add_rows("baseline", [fresh, Row("mine", "another", Run("agw", "campus"))])


def test_another_network_training_or_evaluation_of_a_name_is_refused(file, tmp_path):
    run_files([file(EVERYTHING)])
    other = tmp_path / "other.py"
    for line in ("@register('mine')", "@register_training('mine')", "register_evaluation('pictures', Pictures())"):
        assert line.replace("'", '"') in EVERYTHING
    for start, reason in (
        ("", "a network is called 'mine' already"),
        ("@register_tr", "a training is called 'mine'"),
        ("class Pict", "an evaluation is called 'pictures'"),
    ):
        imports, _, rest = EVERYTHING.partition("\n\n")
        other.write_text(imports + "\n\n" + rest[rest.index(start) :])
        with pytest.raises(ValueError, match=reason):
            run_files([other])


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("x = 1\n1 / 0\n", "mine.py, line 2: ZeroDivisionError: division by zero"),
        ("x = 1\n\ndef f(:\n", "mine.py, line 3: SyntaxError: invalid syntax"),
        ("def f():\n    raise KeyError('k')\n\nf()\n", "mine.py, line 2: KeyError: 'k'"),
        ("import absent_of_mine\n", "mine.py, line 1: ModuleNotFoundError: No module named 'absent_of_mine'"),
        (
            "from reidlib.experiments import *\nrow = Row('a', 'b', Run('c', 'd'))\nadd_rows('none', [row])\n",
            "mine.py, line 3: ValueError: no paper is called 'none'",
        ),
        (
            "from reidlib.models import register\n\n@register('mine')\ndef network():\n    pass\n",
            "mine.py, line 3: TypeError: ",
        ),
    ],
)
@pytest.mark.parametrize("verb", ["reproduce", "tables", "claims", "embed", "search"])
def test_errors_name_file_and_line(refused, file, tmp_path, verb, text, reason):
    more = {
        "embed": ("--network", "mine", "--data", "street", "--out", tmp_path / "x.npz"),
        "search": ("video.avi", "--out", tmp_path / "found"),
    }.get(verb, ("baseline",))
    assert f"{tmp_path}/{reason}" in refused(verb, *more, "--with", file(text))


def test_files_must_be_there_and_be_python(refused, tmp_path):
    (tmp_path / "mine.txt").write_text("")
    for name in ("absent.py", "mine.txt", "."):
        reason = refused("tables", "--with", tmp_path / name)
        assert reason.endswith("expected a Python file that exists and ends in .py")
