"""A small baseline whose records lie in a folder of the test's own, and commands called as a user calls them."""

import pytest

from reidlib.cli import main
from reidlib.experiments import Paper, Row, Run, evaluations, papers, trainings
from reidlib.models import registry
from reidlib.papers import load
from reidlib.papers.baseline import training  # noqa: F401 (registers the trainings of the baselines)

STREET = {"data": "street", "data_options": {"num_ids": 10, "workers": 1}, "num_frames": 2}


@pytest.fixture
def run(capsys):
    """`run(*arguments)`: exit status, standard output and standard error of a command."""

    def called(*arguments):
        try:
            status = main([str(argument) for argument in arguments])
        except SystemExit as end:
            status = end.code
        return status, *capsys.readouterr()

    return called


@pytest.fixture
def refused(run):
    """`refused(*arguments)`: what a command says that must end with status 2 and a line that says why."""

    def called(*arguments):
        status, out, error = run(*arguments)
        assert (status, out) == (2, "")
        assert "Traceback" not in error
        usage, _, reason = error.strip().rpartition("\n")
        assert not usage or usage.startswith("usage:")
        assert reason.startswith("reidlib")
        return reason

    return called


@pytest.fixture(scope="session")
def rendered(tmp_path_factory):
    return tmp_path_factory.mktemp("rendered")


@pytest.fixture
def cache(tmp_path, monkeypatch, rendered):
    """An empty cache folder, but for the worlds that an earlier test has rendered."""
    folder = tmp_path / "cache"
    folder.mkdir()
    (folder / "walkers").symlink_to(rendered)
    monkeypatch.setenv("REIDLIB_CACHE", str(folder))
    return folder


@pytest.fixture
def baseline(cache, monkeypatch):
    """`baseline(rows)`: take these as the baseline's rows, at any scale."""

    def replaced(rows):
        monkeypatch.setattr(
            "reidlib.papers.load", lambda name: Paper(name, lambda scale: rows) if name == "baseline" else load(name)
        )

    return replaced


@pytest.fixture
def figures(tmp_path, baseline):
    """The folder of records of a baseline with two quick rows on a street of ten people and one on recorded data."""
    baseline(
        [
            Row("street", "chance", Run("chance", **STREET), seeds=2),
            Row("street", "colour", Run("colour_histogram", **STREET), seeds=1),
            Row("edges", "chance", Run("chance", "mars_edges"), seeds=1),
        ]
    )
    folder = tmp_path / "figures"
    folder.mkdir()
    return folder


@pytest.fixture(autouse=True)
def forgotten():
    """What files of the user's own register is forgotten after each test."""
    yield
    papers._ROWS.clear()
    papers._ADDED.clear()
    evaluations._ADDED.clear()
    for name in registry.own_models():
        del registry._NETWORKS[name]
    for name, known in [*trainings._TRAININGS.items()]:
        if not known.function.__module__.startswith("reidlib."):
            del trainings._TRAININGS[name]
