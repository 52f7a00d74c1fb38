"""A street of ten people and runs on it that take less than a second."""

from dataclasses import replace

import pytest

from reidlib.cli import main
from reidlib.data import walkers
from reidlib.data.batches import train_batches
from reidlib.experiments import Row, Run, papers, train
from reidlib.experiments.records import records_of
from reidlib.models import pretrained

STREET = {"num_ids": 10, "workers": 1}


@pytest.fixture(scope="session")
def rendered(tmp_path_factory):
    """A cache folder in which the street of seeds 0 and 1 is rendered."""
    cache = tmp_path_factory.mktemp("rendered")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("REIDLIB_CACHE", str(cache))
        for seed in (0, 1):
            walkers.street(seed, progress=False, **STREET)
    return cache


@pytest.fixture
def new_cache(rendered, tmp_path, monkeypatch):
    """`new_cache(name)`: use an empty cache, but for the rendered streets; gives its folder."""

    def make(name: str = "cache"):
        folder = tmp_path / name
        folder.mkdir()
        (folder / "walkers").symlink_to(rendered / "walkers")
        monkeypatch.setenv("REIDLIB_CACHE", str(folder))
        return folder

    return make


@pytest.fixture
def tiny_row():
    """`tiny_row(**changes)`: a row whose run trains the baseline for three iterations of four clips of two frames."""

    def make(seeds: int = 2, keep_features: bool = False, **changes):
        settings = {
            "model": "agw",
            "training": "baseline/agw",
            "data": "street",
            "data_options": STREET,
            "setups": ("usual", "mixing"),
            "iterations": 3,
            "learning_rate": 1e-3,
            "ids_per_batch": 2,
            "clips_per_id": 2,
            "num_frames": 2,
        }
        return Row("street", "tiny", Run(**settings | changes), seeds, keep_features)

    return make


@pytest.fixture
def differing():
    """`differing(one, other)`: names of the fields in which two runs differ."""
    return lambda one, other: {name for name in vars(one) if getattr(one, name) != getattr(other, name)}


@pytest.fixture
def without_workers(monkeypatch):
    """Runs read their batches themselves, at paper scale too."""
    monkeypatch.setattr(train, "train_batches", lambda *a, **options: train_batches(*a, **options | {"workers": 0}))


@pytest.fixture
def reproduced(tmp_path, monkeypatch, without_workers):
    """`reproduced(paper, row, roots)`: the record that `python -m reidlib reproduce PAPER --scale paper` makes of this
    row alone, in an empty cache, with these folders of recorded data."""

    def command(paper, row, roots):
        monkeypatch.setenv("REIDLIB_CACHE", str(tmp_path / "cache"))
        monkeypatch.setitem(papers._ADDED, paper, replace(papers.find_paper(paper), rows=lambda scale: [row]))
        figures = tmp_path / "figures"
        folders = [f"--data={name}={folder}" for name, folder in roots.items()]
        assert main(["reproduce", paper, "--scale", "paper", "--figures", str(figures), *folders]) == 0
        [record] = records_of(paper, row, figures)
        return record

    return command


@pytest.fixture
def own_weights(tmp_path, monkeypatch):
    """An empty folder in place of that of the package's own weights."""
    monkeypatch.setattr(pretrained, "FOLDER", tmp_path / "weights")
    return tmp_path / "weights"
