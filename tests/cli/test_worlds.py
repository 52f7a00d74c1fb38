"""Rendering and exporting, called as a user calls them."""

import functools
import importlib

import numpy as np
import pytest
from PIL import Image

from reidlib.cli import worlds
from reidlib.data import Benchmark, casia_b, mars, walkers


def test_render_draws_a_sheet(run, figures, tmp_path):
    command = ("render", "street", "--num-ids", 10, "--resolution", "32x16")
    status, out, _ = run(*command, "--sheet", tmp_path / "new" / "sheet.png")
    assert status == 0
    first, second = out.splitlines()
    assert first.startswith("street, seed 0, content ") and "'train': 29, 'query': 18" in first
    assert second == f"wrote {tmp_path / 'new' / 'sheet.png'}"
    assert np.asarray(Image.open(tmp_path / "new" / "sheet.png").convert("RGB")).std() > 10
    assert run(*command)[1].splitlines() == [first]
    assert run(*command, "--seed", 1)[1] != first + "\n"


@pytest.mark.parametrize("resolution", ["64", "64x", "0x32", "ax2", "64x32x3"])
def test_resolutions_are_height_x_width(refused, resolution):
    reason = refused("render", "street", "--resolution", resolution)
    assert "expected HEIGHTxWIDTH, for instance 128x64" in reason


def test_too_few_people_are_refused(refused, figures):
    assert refused("render", "street", "--num-ids", 9).startswith("reidlib render: num_ids=9: expected at least")


def test_export_writes_what_the_loader_reads(run, figures, tmp_path):
    folder = tmp_path / "street"
    command = ("export", folder, "--num-ids", 10, "--resolution", "32x16")
    status, out, _ = run(*command)
    assert status == 0 and str(folder) in out
    benchmark = mars.load(folder, resolution=(32, 16), junk=True)
    assert benchmark.num_ids == 4 and {t.person_id for t in benchmark.query} <= {5, 6, 7, 8, 9, 10}
    assert min(t.person_id for t in benchmark.gallery) == -1
    assert f"{folder} exists: give a new folder" in run(*command)[2]


@pytest.mark.parametrize("options", [("there",), ("new", "--layout", "casia_b", "--rgb", "there")])
def test_an_existing_folder_is_refused_before_anything_is_rendered(refused, tmp_path, monkeypatch, options):
    for name in ("street", "lab"):
        monkeypatch.setattr(walkers, name, None)  # it would fail to render
    monkeypatch.chdir(tmp_path)
    (tmp_path / "there").mkdir()
    assert refused("export", *options) == "reidlib export: there exists: give a new folder, or remove this one first"


@pytest.mark.parametrize("layout", [layout for layout in worlds.LAYOUTS if layout != "mars"])
def test_every_layout_is_written_and_read_by_the_loader_that_is_named(run, figures, tmp_path, monkeypatch, layout):
    name, _, loader = worlds.LAYOUTS[layout]
    size = ["--num-ids", 10, "--resolution", "32x22"]
    if name in ("lab", "crowd", "yard"):
        monkeypatch.setattr(walkers, name, functools.partial(getattr(walkers, name), num_frames=3, workers=1))
        size[1] = 4
    folder = tmp_path / "data"
    status, out, error = run("export", folder, "--layout", layout, *size)
    assert status == 0, error
    assert f"`{loader}({str(folder)!r})`" in out
    module, function = loader.split(".")
    benchmark = getattr(importlib.import_module(f"reidlib.data.{module}"), function)(folder)
    assert benchmark.train and benchmark.query
    assert name.removesuffix("_splits") in worlds.BENCHMARKS


def test_colour_goes_into_a_folder_of_its_own(run, figures, tmp_path, monkeypatch):
    monkeypatch.setattr(walkers, "lab", functools.partial(walkers.lab, num_frames=3, workers=1))
    folder, rgb = tmp_path / "silhouettes", tmp_path / "rgb"
    options = ("--layout", "casia_b", "--rgb", rgb, "--num-ids", 4, "--resolution", "32x22")
    status, out, _ = run("export", folder, *options)
    assert status == 0 and f"rgb={str(rgb)!r}, cut=False" in out
    benchmark = casia_b.load(folder, rgb=rgb, cut=False, resolution=(32, 22))
    lab = walkers.lab(0, num_ids=4, resolution=(32, 22), progress=False)
    keys = [(t.person_id, t.condition, t.tracklet_id, t.view) for t in lab.train]
    found = {(t.person_id, t.condition, t.tracklet_id, t.view): t for t in benchmark.train}
    assert sorted(keys) == sorted(found)
    assert (found[keys[0]].frames() == lab.train[0].frames()).all()


def test_a_folder_for_colour_is_refused_where_the_layout_has_none(refused, tmp_path):
    refusal = refused("export", tmp_path / "data", "--layout", "oumvlp", "--rgb", tmp_path / "rgb")
    assert refusal.endswith("is for --layout casia_b, whose main folder holds silhouettes")


@pytest.mark.parametrize("benchmark", worlds.BENCHMARKS)
def test_every_benchmark_is_rendered_at_its_own_size_unless_told(run, monkeypatch, benchmark):
    asked = []

    def rendered(seed, **options):
        asked.append((seed, options))
        return Benchmark((), (), (), "all", benchmark, "hash")

    monkeypatch.setattr(walkers, benchmark, rendered)
    assert run("render", benchmark)[1].startswith(f"{benchmark}, seed 0, content hash: ")
    run("render", benchmark, "--seed", 3, "--num-ids", 7, "--resolution", "128x64")
    assert asked == [(0, {}), (3, {"num_ids": 7, "resolution": (128, 64)})]
