"""Every verb of the command line, called as a user calls it."""

import functools
import importlib
import json
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from reidlib import cli
from reidlib.cli import main
from reidlib.data import Benchmark, casia_b, mars, walkers
from reidlib.experiments import Row, Run
from reidlib.experiments.records import read_records
from reidlib.papers import baseline, runs, tables

ROOT = Path(__file__).resolve().parents[1]
KEYS = ["paper", "table", "row", "column", "reported", "measured", "low", "high", "seeds"]


@pytest.fixture(scope="module")
def rendered(tmp_path_factory):
    return tmp_path_factory.mktemp("rendered")


@pytest.fixture
def figures(tmp_path, monkeypatch, rendered):
    """The folder of records of a baseline with two quick rows on a street of ten people and one on recorded data."""
    cache, folder = tmp_path / "cache", tmp_path / "figures"
    cache.mkdir()
    (cache / "walkers").symlink_to(rendered)
    monkeypatch.setenv("REIDLIB_CACHE", str(cache))
    street = {"data": "street", "data_options": {"num_ids": 10, "workers": 1}, "num_frames": 2}
    rows = [
        Row("street", "chance", Run("chance", **street), seeds=2),
        Row("street", "colour", Run("colour_histogram", **street), seeds=1),
        Row("edges", "chance", Run("chance", "mars_edges"), seeds=1),
    ]
    monkeypatch.setattr(baseline, "rows", lambda scale: rows)
    monkeypatch.setattr(runs, "reproduce", functools.partial(runs.reproduce, figures=folder, progress=False))
    monkeypatch.setattr("reidlib.papers.table", functools.partial(tables.table, figures=folder))
    return folder


def run(capsys, *arguments):
    """Exit status, standard output and standard error of a command."""
    try:
        status = main([str(argument) for argument in arguments])
    except SystemExit as end:
        status = end.code
    return status, *capsys.readouterr()


def refused(capsys, *arguments):
    """What a command says that must end with status 2 and a line that says why."""
    status, out, error = run(capsys, *arguments)
    assert (status, out) == (2, "")
    assert "Traceback" not in error
    usage, _, reason = error.strip().rpartition("\n")
    assert not usage or usage.startswith("usage:")
    assert reason.startswith("reidlib")
    return reason


def test_reproduce_measures_what_is_missing_and_tables_show_it(figures, capsys, tmp_path):
    status, out, error = run(capsys, "reproduce", "baseline", "--seeds", 1, "--table", "street")
    assert (status, error) == (0, "")
    first, second, last = out.splitlines()
    assert first.startswith("street · chance · seed 0: usual rank-1 ") and " mAP " in first
    assert second.startswith("street · colour · seed 0: ")
    assert last == "2 runs measured; everything asked for has a record"

    status, out, _ = run(capsys, "reproduce", "baseline", "--pictures", tmp_path / "pictures")
    assert status == 0
    assert "left out what needs recorded data: say where they lie with --data mars_edges=DIR" in out
    assert "1 runs measured" in out
    assert len(list((tmp_path / "pictures").rglob("query-*.png"))) == 4
    records = {(r.config["model"], r.seed): r for r in read_records("baseline", figures)}
    assert records.keys() == {("chance", 0), ("chance", 1), ("colour_histogram", 0)}

    status, out, _ = run(capsys, "tables", "--json")
    assert status == 0
    cells = [json.loads(line, parse_constant=pytest.fail) for line in out.splitlines()]
    assert all(list(cell) == KEYS for cell in cells)
    found = {(cell["table"], cell["row"], cell["column"]): cell for cell in cells}
    assert len(found) == len(cells) == 3 * 5
    rows = (("street", "chance"), ("street", "colour"), ("edges", "chance"))
    chance, colour, edges = (found[name, row, "mAP"] for name, row in rows)
    values = [100 * records["chance", seed].scores["usual"]["mAP"] for seed in (0, 1)]
    assert chance["measured"] == pytest.approx(np.mean(values)) and chance["seeds"] == 2
    assert chance["low"] < chance["measured"] < chance["high"] and chance["reported"] is None
    assert (colour["low"], colour["high"], colour["seeds"]) == (None, None, 1)
    assert colour["measured"] == pytest.approx(100 * records["colour_histogram", 0].scores["usual"]["mAP"])
    assert (edges["measured"], edges["low"], edges["high"], edges["seeds"]) == (None, None, None, 0)

    status, out, _ = run(capsys, "tables", "baseline")
    assert status == 0 and "baseline, street" in out and "baseline, edges" in out
    assert f"{np.mean(values):.1f}" in out


def test_fresh_and_rows_choose_what_is_measured(figures, capsys):
    assert run(capsys, "reproduce", "baseline", "--rows", "colour")[0] == 0
    [path] = figures.glob("baseline/records/*.json")
    written = path.stat().st_mtime_ns
    assert "0 runs measured" in run(capsys, "reproduce", "baseline", "--rows", "colour")[1]
    assert path.stat().st_mtime_ns == written
    assert "1 runs measured" in run(capsys, "reproduce", "baseline", "--rows", "colour", "--fresh")[1]
    assert path.stat().st_mtime_ns > written
    assert run(capsys, "reproduce", "baseline", "--table", "edges")[1].endswith("nothing to measure\n")


def test_names_that_are_unknown_list_the_known_ones(figures, capsys):
    assert "no paper is called 'x'; known: baseline" in refused(capsys, "reproduce", "x")
    assert "no paper is called 'x'; known: baseline" in refused(capsys, "tables", "x")
    reason = refused(capsys, "reproduce", "baseline", "--table", "V")
    assert reason == "reidlib reproduce: baseline has no table ['V']; known: ['edges', 'street']"
    reason = refused(capsys, "reproduce", "baseline", "--rows", "colour", "x")
    assert reason == "reidlib reproduce: baseline has no row ['x']; known: ['chance', 'colour']"
    reason = refused(capsys, "reproduce", "baseline", "--data", "street=.")
    assert reason == "reidlib reproduce: baseline has no data ['street']; known: ['mars_edges']"
    assert "invalid choice: 'sing'" in refused(capsys, "sing")
    assert "invalid choice: 'town'" in refused(capsys, "render", "town")


def test_data_must_be_a_folder_that_holds_them(figures, capsys, tmp_path):
    command = ("reproduce", "baseline", "--table", "edges", "--data")
    assert "there is no folder /no/such" in refused(capsys, *command, "mars_edges=/no/such")
    assert "expected NAME=DIR" in refused(capsys, *command, "mars_edges")
    status, _, error = run(capsys, *command, f"mars_edges={tmp_path}")
    assert status == 2 and error.startswith("reidlib reproduce:") and f"{tmp_path}/bbox_train: expected images" in error


def test_pictures_of_people_stay_out_of_the_repository(figures, capsys):
    for folder in (ROOT / "figures" / "lists", ROOT / "notebooks" / ".." / "lists"):
        assert "lies in the repository" in refused(capsys, "reproduce", "baseline", "--pictures", folder)
        assert not folder.exists()


@pytest.mark.parametrize("number", ["0", "-1", "two"])
def test_numbers_start_at_one(capsys, number):
    assert "expected a whole number from 1 on" in refused(capsys, "reproduce", "baseline", f"--seeds={number}")
    assert "expected a whole number from 1 on" in refused(capsys, "render", "street", f"--num-ids={number}")


def test_render_draws_a_sheet(figures, capsys, tmp_path):
    command = ("render", "street", "--num-ids", 10, "--resolution", "32x16")
    status, out, _ = run(capsys, *command, "--sheet", tmp_path / "new" / "sheet.png")
    assert status == 0
    first, second = out.splitlines()
    assert first.startswith("street, seed 0, content ") and "'query': 12" in first
    assert second == f"wrote {tmp_path / 'new' / 'sheet.png'}"
    assert np.asarray(Image.open(tmp_path / "new" / "sheet.png").convert("RGB")).std() > 10
    assert run(capsys, *command)[1].splitlines() == [first]
    assert run(capsys, *command, "--seed", 1)[1] != first + "\n"


@pytest.mark.parametrize("resolution", ["64", "64x", "0x32", "ax2", "64x32x3"])
def test_resolutions_are_height_x_width(capsys, resolution):
    reason = refused(capsys, "render", "street", "--resolution", resolution)
    assert "expected HEIGHTxWIDTH, for instance 128x64" in reason


def test_too_few_people_are_refused(figures, capsys):
    assert refused(capsys, "render", "street", "--num-ids", 9).startswith(
        "reidlib render: num_ids=9: expected at least"
    )


def test_export_writes_what_the_loader_reads(figures, capsys, tmp_path):
    folder = tmp_path / "street"
    command = ("export", folder, "--num-ids", 10, "--resolution", "32x16")
    status, out, _ = run(capsys, *command)
    assert status == 0 and str(folder) in out
    benchmark = mars.load(folder, resolution=(32, 16), junk=True)
    assert benchmark.num_ids == 6 and {t.person_id for t in benchmark.query} == {7, 8, 9, 10}
    assert min(t.person_id for t in benchmark.gallery) == -1
    assert f"{folder} exists: give a new folder" in run(capsys, *command)[2]


@pytest.mark.parametrize("options", [("there",), ("new", "--layout", "casia_b", "--rgb", "there")])
def test_an_existing_folder_is_refused_before_anything_is_rendered(capsys, tmp_path, monkeypatch, options):
    for name in ("street", "lab"):
        monkeypatch.setattr(walkers, name, None)  # it would fail to render
    monkeypatch.chdir(tmp_path)
    (tmp_path / "there").mkdir()
    assert (
        refused(capsys, "export", *options)
        == "reidlib export: there exists: give a new folder, or remove this one first"
    )


@pytest.mark.parametrize("layout", [layout for layout in cli.LAYOUTS if layout != "mars"])
def test_every_layout_is_written_and_read_by_the_loader_that_is_named(figures, capsys, tmp_path, monkeypatch, layout):
    name, _, loader = cli.LAYOUTS[layout]
    size = ["--num-ids", 10, "--resolution", "32x22"]
    if name in ("lab", "crowd", "yard"):
        monkeypatch.setattr(walkers, name, functools.partial(getattr(walkers, name), num_frames=3, workers=1))
        size[1] = 4
    folder = tmp_path / "data"
    status, out, error = run(capsys, "export", folder, "--layout", layout, *size)
    assert status == 0, error
    assert f"`{loader}({str(folder)!r})`" in out
    module, function = loader.split(".")
    benchmark = getattr(importlib.import_module(f"reidlib.data.{module}"), function)(folder)
    assert benchmark.train and benchmark.query
    assert name.removesuffix("_splits") in cli.BENCHMARKS


def test_colour_goes_into_a_folder_of_its_own(figures, capsys, tmp_path, monkeypatch):
    monkeypatch.setattr(walkers, "lab", functools.partial(walkers.lab, num_frames=3, workers=1))
    folder, rgb = tmp_path / "silhouettes", tmp_path / "rgb"
    options = ("--layout", "casia_b", "--rgb", rgb, "--num-ids", 4, "--resolution", "32x22")
    status, out, _ = run(capsys, "export", folder, *options)
    assert status == 0 and f"rgb={str(rgb)!r}, cut=False" in out
    benchmark = casia_b.load(folder, rgb=rgb, cut=False, resolution=(32, 22))
    lab = walkers.lab(0, num_ids=4, resolution=(32, 22), progress=False)
    keys = [(t.person_id, t.condition, t.tracklet_id, t.view) for t in lab.train]
    found = {(t.person_id, t.condition, t.tracklet_id, t.view): t for t in benchmark.train}
    assert sorted(keys) == sorted(found)
    assert (found[keys[0]].frames() == lab.train[0].frames()).all()


def test_a_folder_for_colour_is_refused_where_the_layout_has_none(capsys, tmp_path):
    refusal = refused(capsys, "export", tmp_path / "data", "--layout", "oumvlp", "--rgb", tmp_path / "rgb")
    assert refusal.endswith("is for --layout casia_b, whose main folder holds silhouettes")


@pytest.mark.parametrize("benchmark", cli.BENCHMARKS)
def test_every_benchmark_is_rendered_at_its_own_size_unless_told(capsys, monkeypatch, benchmark):
    asked = []

    def rendered(seed, **options):
        asked.append((seed, options))
        return Benchmark((), (), (), "all", benchmark, "hash")

    monkeypatch.setattr(walkers, benchmark, rendered)
    assert run(capsys, "render", benchmark)[1].startswith(f"{benchmark}, seed 0, content hash: ")
    run(capsys, "render", benchmark, "--seed", 3, "--num-ids", 7, "--resolution", "128x64")
    assert asked == [(0, {}), (3, {"num_ids": 7, "resolution": (128, 64)})]


@pytest.fixture
def features(tmp_path):
    """A file of features: query 1 finds its match second, behind a distractor; query 2 at once."""

    def angles(*degrees):
        return np.stack([np.cos(np.deg2rad(degrees)), np.sin(np.deg2rad(degrees))], 1)

    path = tmp_path / "features.npz"
    np.savez(
        path,
        query_features=angles(0, 90),
        query_ids=[1, 2],
        query_cameras=[1, 1],
        gallery_features=angles(5, 10, 20, 30, 80),
        gallery_ids=[1, -1, 0, 1, 2],
        gallery_cameras=[1, 2, 2, 2, 2],
    )
    return path


def test_evaluate_scores_features(features, capsys):
    status, out, error = run(capsys, "evaluate", features)
    assert (status, error) == (0, "")
    assert json.loads(out) == {
        "rank-1": 50.0, "rank-5": 100.0, "rank-10": 100.0, "rank-20": 100.0, "mAP": 75.0, "mINP": 75.0,
        "protocol": "cross-camera", "average precision": "step",
        "queries": 2, "valid": 2, "gallery": 5, "distractors": 1, "junk": 1,
    }  # fmt: skip
    options = ("--protocol", "all", "--average-precision", "trapezoid")
    found = json.loads(run(capsys, "evaluate", features, *options)[1])
    # query 1 at ranks 1 and 3: ((1 + 1) + (1/2 + 2/3)) / 4; query 2 at rank 1
    assert found["mAP"] == round(100 * (19 / 24 + 1) / 2, 2) and found["rank-1"] == 100
    assert (found["protocol"], found["average precision"]) == ("all", "trapezoid")
    assert json.loads(run(capsys, "evaluate", features, "--metric", "euclidean")[1])["mAP"] == 75


def test_evaluate_re_ranks(tmp_path, capsys):
    rng = np.random.default_rng(0)
    arrays = {}
    for side, n in (("query", 9), ("gallery", 60)):
        arrays |= {f"{side}_{what}": rng.integers(1, 5, n) for what in ("ids", "cameras")}
        arrays[f"{side}_features"] = rng.normal(size=(n, 8))
    np.savez(tmp_path / "x.npz", **arrays)
    plain, reranked = (json.loads(run(capsys, "evaluate", tmp_path / "x.npz", *o)[1]) for o in ((), ("--rerank",)))
    assert plain["valid"] == reranked["valid"] > 0 and plain["mAP"] != reranked["mAP"]


def test_evaluate_refuses_what_does_not_fit(features, capsys, tmp_path):
    assert "nowhere.npz cannot be read as .npz" in refused(capsys, "evaluate", tmp_path / "nowhere.npz")
    arrays = dict(np.load(features))
    np.savez(tmp_path / "one.npz", **arrays | {"gallery_cameras": [1] * 5})
    assert "none of 2 queries has a true match" in refused(capsys, "evaluate", tmp_path / "one.npz")
    np.savez(tmp_path / "nan.npz", **arrays | {"gallery_features": arrays["gallery_features"] * np.nan})
    assert "not finite" in refused(capsys, "evaluate", tmp_path / "nan.npz")
    np.savez(tmp_path / "wide.npz", **arrays | {"gallery_features": np.ones((5, 3))})
    assert "differ in feature shape" in refused(capsys, "evaluate", tmp_path / "wide.npz")


def test_interruption_is_no_traceback(monkeypatch, capsys):
    def interrupt(*arguments, **options):
        raise KeyboardInterrupt

    monkeypatch.setattr("reidlib.data.walkers.street", interrupt)
    status, _, error = run(capsys, "render", "street")
    assert status == 130 and error.startswith("\nstopped")


def test_help_needs_no_heavy_import():
    code = (
        "import sys\nfrom reidlib.cli import main\n"
        "try: main(['--help'])\nexcept SystemExit: sys.exit('torch' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0
    for verb in ("reproduce", "tables", "render", "export", "evaluate", "notebooks", "report"):
        assert re.search(rf"^    {verb}\s", done.stdout, re.MULTILINE)
    module = subprocess.run([sys.executable, "-m", "reidlib", "sing"], cwd=ROOT, capture_output=True, text=True)
    assert module.returncode == 2 and "invalid choice: 'sing'" in module.stderr
