"""Runs on a street of ten people: what is missing is measured, once, and killed runs go on."""

import functools
import json
import os
import signal
import socket
import subprocess
import sys
import time
from dataclasses import asdict, replace
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from safetensors import safe_open

from reidlib.data.walkers import RENDERER
from reidlib.experiments import Part, Row, Run, execute, features, rows_of, train
from reidlib.experiments.records import FIGURES, Record, read_record, read_records, records_of
from reidlib.experiments.sources import open_benchmark
from reidlib.models import create_model
from reidlib.models.pretrained import weights_digest
from reidlib.training import CheckpointError

ROOT = Path(__file__).resolve().parents[2]
QUIET = train.Resources(progress=False)
STREET = {"num_ids": 10, "workers": 1}
SCRIPT = Path(__file__).with_name("reproduce_tiny.py")


@pytest.fixture(autouse=True)
def one_thread():
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


def reproduce(rows, figures, **options):
    return execute.reproduce("baseline", rows, resources=QUIET, figures=figures, **options)


def outcome(record):
    """What must be equal whenever a run is repeated."""
    return {name: getattr(record, name) for name in ("config", "config_hash", "seed", "data", "scores", "queries")}


def from_json(record):
    """A record as it is when it has been written and read."""
    return Record(**json.loads(json.dumps(asdict(record))))


@pytest.fixture
def starts(monkeypatch):
    """The first batch that each training asked for; checkpoints are written after every iteration."""
    starts, train_batches = [], train.train_batches

    def spy(*arguments, start, **options):
        starts.append(start)
        return train_batches(*arguments, start=start, **options)

    monkeypatch.setattr(train, "train_batches", spy)
    monkeypatch.setattr(train, "fit", functools.partial(train.fit, checkpoint_every=1))
    return starts


def test_what_is_missing_is_measured_and_nothing_twice(tiny_row, new_cache, tmp_path):
    cache, row, figures = new_cache(), tiny_row(), tmp_path / "figures"
    reported = []
    assert reproduce([row], figures, seeds=1, report=lambda row, record: reported.append(record.seed)) == 1
    first = read_records("baseline", figures)
    assert [record.seed for record in first] == reported == [0]
    assert reproduce([row, row], figures) == 1
    assert [record.seed for record in records_of("baseline", row, figures)] == [0, 1]
    assert read_records("baseline", figures)[0] == first[0]
    assert reproduce([row], figures) == 0
    assert not list(cache.glob("runs/*.pt"))


def test_runs_are_taken_seed_by_seed_and_world_by_world(tiny_row, new_cache, tmp_path):
    new_cache()
    row = tiny_row(seeds=2)
    other = row.run.in_world(alike=0.0)
    rows = [row, replace(row, run=other), replace(row, run=replace(row.run, iterations=1))]
    reported = []
    reproduce(rows, tmp_path, report=lambda row, record: reported.append((record.seed, record.config["data_options"])))
    same, twin = row.run.data_options, other.data_options
    assert reported == [(seed, world) for seed in (0, 1) for world in (twin, same, same)]


def test_a_row_s_seeds_start_where_it_says(tiny_row, new_cache, tmp_path):
    new_cache()
    row = replace(tiny_row(seeds=2), first_seed=1)
    assert list(row.all_seeds) == [1, 2]
    reported = []
    assert reproduce([row], tmp_path, seeds=1, report=lambda row, record: reported.append(record.seed)) == 1
    assert reported == [record.seed for record in records_of("baseline", row, tmp_path)] == [1]
    assert records_of("baseline", replace(row, first_seed=0, seeds=1), tmp_path) == []
    assert reproduce([replace(row, seeds=1), tiny_row(seeds=2)], tmp_path) == 1  # seed 0 of the other row


def test_a_backbone_becomes_weights_only_beside_the_package_s_own_records(
    tiny_row, new_cache, tmp_path, own_weights, monkeypatch
):
    new_cache()
    row = replace(tiny_row(seeds=2), keep_backbone="walkers")
    row = replace(row, run=replace(row.run, model="pretraining", training="pretraining/identities", num_frames=1))
    assert reproduce([row], tmp_path / "elsewhere", seeds=1) == 1 and not own_weights.exists()
    monkeypatch.setattr(execute, "FIGURES", tmp_path)
    assert reproduce([row], tmp_path) == 2
    [path] = own_weights.iterdir()
    with safe_open(path, "pt") as file:
        known = json.loads(file.metadata()["reidlib"])
    [record, _] = read_records("baseline", tmp_path)
    assert (known["config_hash"], known["seed"]) == (row.run.hash, 0)
    assert (known["data"], known["scores"]) == (record.data, record.scores) and known["environment"]["commit"]
    digest = weights_digest("walkers")
    path.unlink()
    assert reproduce([row], tmp_path) == 1 and weights_digest("walkers") == digest
    started = tiny_row(seeds=1, model_options={"weights": "walkers"})
    assert reproduce([started], tmp_path) == 1
    assert records_of("baseline", started, tmp_path)[0].data["weights"] == {"walkers": digest}


def test_a_run_that_rows_share_is_the_first_one_s(tiny_row, new_cache, tmp_path):
    new_cache()
    rows = [tiny_row(seeds=1, keep_features=True), tiny_row(seeds=2)]
    reported = []
    assert reproduce(rows, tmp_path, report=lambda row, record: reported.append((row, record.seed))) == 2
    assert reported == [(rows[0], 0), (rows[1], 1)]
    assert len(list(tmp_path.glob("baseline/features/*"))) == 1


def test_a_record_holds_what_was_run(tiny_row, new_cache, tmp_path):
    new_cache()
    row = tiny_row(seeds=1)
    reproduce([row], tmp_path)
    [record] = records_of("baseline", row, tmp_path)
    assert record.config["data_options"] == dict(row.run.data_options)
    assert record.config == json.loads(json.dumps(asdict(row.run)))  # JSON has no tuples
    assert (record.paper, record.config_hash, record.seed) == ("baseline", row.run.hash, 0)
    benchmark = open_benchmark("street", 0, {}, row.run.data_options, progress=False)
    assert record.data == {"name": "street", "fingerprint": benchmark.fingerprint, "renderer": RENDERER}
    usual, mixing = record.scores["usual"]["counts"], record.scores["mixing"]["counts"]
    assert usual["queries"] == len(benchmark.query) and usual["gallery"] == len(benchmark.gallery)
    assert mixing["gallery"] == usual["gallery"] + usual["queries"]
    assert mixing["valid"] == usual["queries"] >= usual["valid"]
    assert usual["junk"] > 0 and usual["distractors"] > 0
    assert record.queries["usual"]["person_id"] == [t.person_id for t in benchmark.query]
    assert set(record.seconds) == {"data", "training", "parts", "evaluation"} and record.peak_memory_mib > 50
    assert record.environment["torch"] == torch.__version__.split("+")[0]


def test_a_retrained_run_equals_its_record_exactly(tiny_row, new_cache, tmp_path):
    row = tiny_row(seeds=2)
    for name in ("one", "other"):
        new_cache(name)
        reproduce([row], tmp_path / name / "figures")
    one, other = (read_records("baseline", tmp_path / name / "figures") for name in ("one", "other"))
    assert [outcome(record) for record in one] == [outcome(record) for record in other]
    assert one[0].queries != one[1].queries  # the seeds do differ
    assert one[0].data["fingerprint"] != one[1].data["fingerprint"]


def test_fresh_measures_again(tiny_row, new_cache, tmp_path):
    new_cache()
    row = tiny_row(seeds=1)
    reproduce([row], tmp_path)
    [path] = (tmp_path / "baseline" / "records").iterdir()
    before = read_record(path)
    os.utime(path, (0, 0))
    assert reproduce([row], tmp_path, fresh=True) == 1
    assert path.stat().st_mtime > 0
    assert outcome(read_record(path)) == outcome(before)


def interrupt(monkeypatch, row, figures, after: int) -> None:
    """Start a run that ends, as by a failing machine, after some iterations."""
    with monkeypatch.context() as patch:
        train_batches = train.train_batches
        patch.setattr(train, "train_batches", lambda *a, **o: [b for b, _ in zip(train_batches(*a, **o), range(after))])
        with pytest.raises(ValueError, match=f"batches end after {after}"):
            reproduce([row], figures)


def test_an_interrupted_run_goes_on_unless_it_shall_be_fresh(tiny_row, new_cache, tmp_path, monkeypatch, starts):
    new_cache()
    row = tiny_row(seeds=1)
    for fresh in (False, True):
        figures = tmp_path / f"figures {fresh}"
        interrupt(monkeypatch, row, figures, after=2)
        assert reproduce([row], figures, fresh=fresh) == 1
    assert starts == [0, 2, 0, 0]


def test_a_checkpoint_of_other_data_is_not_taken_up(tiny_row, new_cache, tmp_path, monkeypatch, starts):
    cache = new_cache()
    row = tiny_row(seeds=1)
    interrupt(monkeypatch, row, tmp_path, after=2)
    other = open_benchmark("street", 1, {}, row.run.data_options, progress=False)
    monkeypatch.setattr(execute, "open_benchmark", lambda *arguments: other)
    reproduce([row], tmp_path)
    assert starts == [0, 0]
    assert len(list(cache.glob("runs/*.pt"))) == 1  # the first run's


def test_a_damaged_checkpoint_is_named(tiny_row, new_cache, tmp_path, monkeypatch, starts):
    cache = new_cache()
    row = tiny_row(seeds=1)
    interrupt(monkeypatch, row, tmp_path, after=1)
    [checkpoint] = cache.glob("runs/*.pt")
    checkpoint.write_bytes(checkpoint.read_bytes()[:1000])
    with pytest.raises(CheckpointError, match="truncated or no checkpoint.*delete it"):
        reproduce([row], tmp_path)


def start_script(figures: Path, iterations: int | str, *files: Path, **environment: str) -> subprocess.Popen:
    command = [sys.executable, SCRIPT, figures, str(iterations), *files]
    environment = os.environ | {"PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1"} | environment
    return subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def test_a_killed_run_ends_as_if_it_had_not_been_killed(tiny_row, new_cache, tmp_path, starts):
    iterations = 40
    row = tiny_row(seeds=1, iterations=iterations)
    cache = new_cache("killed")
    process = start_script(tmp_path / "killed figures", iterations)
    give_up = time.monotonic() + 300
    while not list(cache.glob("runs/*.pt")):
        assert process.poll() is None and time.monotonic() < give_up
        time.sleep(0.001)
    process.send_signal(signal.SIGKILL)
    assert process.wait() == -signal.SIGKILL
    process.communicate()
    assert not read_records("baseline", tmp_path / "killed figures")
    assert reproduce([row], tmp_path / "killed figures") == 1
    new_cache("whole")
    assert reproduce([row], tmp_path / "whole figures") == 1
    assert 0 < starts[0] < iterations and starts[1:] == [0]
    [killed], [whole] = (read_records("baseline", tmp_path / f"{name} figures") for name in ("killed", "whole"))
    assert outcome(killed) == outcome(whole)


def test_two_processes_share_the_work(tiny_row, new_cache, tmp_path):
    new_cache()
    figures, its_start, our_start = (tmp_path / name for name in ("figures", "its start", "our start"))
    process = start_script(figures, "20,21", its_start, our_start)
    while not its_start.exists():
        assert process.poll() is None
        time.sleep(0.01)
    our_start.touch()
    ours = []
    done = reproduce(
        [tiny_row(iterations=n) for n in (20, 21)], figures, report=lambda row, record: ours.append(record)
    )
    out, errors = process.communicate(timeout=300)
    assert process.returncode == 0, errors
    *its, last = out.splitlines()
    assert len(ours) == done and last == f"done {len(its)}"
    assert len(ours) + len(its) == 4 and ours and its
    records = read_records("baseline", figures)
    assert len(records) == 4
    assert all(record in records for record in map(from_json, ours))


def test_processes_that_train_together_measure_every_run_together(new_cache, tmp_path):
    cache = new_cache()
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = str(server.getsockname()[1])
    together = {"ACCELERATE_USE_CPU": "1", "WORLD_SIZE": "2", "MASTER_ADDR": "127.0.0.1", "MASTER_PORT": port}
    processes = [start_script(tmp_path, 2, RANK=rank, LOCAL_RANK=rank, **together) for rank in "01"]
    outputs = [process.communicate(timeout=300) for process in processes]
    assert [process.returncode for process in processes] == [0, 0], outputs
    assert [out for out, _ in outputs] == ["measured 0\nmeasured 1\ndone 2\n", "done 2\n"]
    assert [record.seed for record in read_records("baseline", tmp_path)] == [0, 1]
    assert not list(cache.glob("runs/*.pt"))


def test_a_run_starts_from_its_parts_which_are_trained_once(tiny_row, new_cache, tmp_path, monkeypatch, starts):
    part = tiny_row(seeds=1).run
    whole = replace(part, parts=(part,), learning_rate=0.0, iterations=1)
    rows = [Row("street", "whole", whole, 1), Row("street", "part", part, 1)]
    monkeypatch.setattr(execute, "rows_of", lambda paper, scale: rows)
    measured, measure = [], execute.measure
    monkeypatch.setattr(
        execute, "measure", lambda network, *rest: measured.append(network.state_dict()) or measure(network, *rest)
    )
    for name, order in (("whole first", rows), ("part first", rows[::-1])):
        cache = new_cache(name)
        reproduce(order, tmp_path / name)
        assert [path.suffixes[-2:] for path in cache.glob("runs/*.pt")] == [[".weights", ".pt"]]
    assert len(starts) == 2 + 2  # the part's and the whole's, in either order
    of_whole, of_part, part_again, whole_again = measured
    for name, value in of_part.items():
        assert torch.equal(value, part_again[name]) and torch.equal(of_whole[name], whole_again[name])
        if "running" not in name and "num_batches" not in name:  # at rate 0 batch statistics alone go on
            assert torch.equal(value, of_whole[name])
    for name in ("whole first", "part first"):
        records = {record.config["learning_rate"]: record for record in read_records("baseline", tmp_path / name)}
        assert records[0.0].config["parts"] == [json.loads(json.dumps(asdict(Part(part))))]
        assert Run(**records[0.0].config).hash == whole.hash != part.hash
        assert records[0.0].seconds["parts"] == records[part.learning_rate].seconds["training"] > 0
        assert records[0.0].minutes > (records[0.0].seconds["training"] + records[0.0].seconds["evaluation"]) / 60


def test_a_part_of_a_seed_of_its_own_is_trained_once_for_all(tiny_row, new_cache, tmp_path, starts):
    new_cache()
    part = tiny_row().run
    options = {"learning_rate": 0.0, "iterations": 1, "flip": 0.0, "crop": 0.0}
    whole = replace(part, parts=(Part(part, seed=5),), **options)
    assert whole.hash != replace(part, parts=(part,), **options).hash
    reproduce([Row("street", "whole", whole, 2)], tmp_path)
    assert starts == [0, 0, 0]  # the part once, and the whole under two seeds
    street = [open_benchmark("street", seed, {}, part.data_options, progress=False) for seed in (0, 1, 5)]
    networks = [train.train(whole, seed, street[seed], QUIET).model for seed in (0, 1)]
    alone = train.train(part, 5, street[2], QUIET).model
    for name, value in alone.named_parameters():
        if "classifier" not in name:
            assert all(torch.equal(value, dict(network.named_parameters())[name]) for network in networks)
    [record, _] = read_records("baseline", tmp_path)
    assert Run(**record.config) == whole


def test_a_run_without_training_only_joins_its_parts(tiny_row, new_cache, tmp_path, monkeypatch, starts):
    part = tiny_row(seeds=1).run
    whole = replace(part, parts=(part,), training="", iterations=0, learning_rate=0.0)
    rows = [Row("street", "whole", whole, 1), Row("street", "part", part, 1)]
    monkeypatch.setattr(execute, "rows_of", lambda paper, scale: rows)
    new_cache()
    reproduce(rows[::-1], tmp_path)
    records = {record.config["training"]: record for record in read_records("baseline", tmp_path)}
    joined, alone = records[""], records[part.training]
    assert len(starts) == 1 and joined.seconds["training"] == 0
    assert joined.scores == alone.scores and joined.queries == alone.queries


def test_search_variants_of_one_network_embed_once(tiny_row, new_cache, tmp_path, monkeypatch):
    new_cache()
    plain = tiny_row(seeds=1).run
    refined = replace(plain.of_parts(plain), rerank={"k1": 5, "k2": 2})
    other = replace(plain.of_parts(plain), metric="euclidean")
    rows = [Row("street", str(number), run, 1) for number, run in enumerate((plain, refined, other))]
    monkeypatch.setattr(execute, "rows_of", lambda paper, scale: rows)
    monkeypatch.setattr(features, "_EMBEDDED", {})
    embedded, extract = [], features.extract_features
    monkeypatch.setattr(features, "extract_features", lambda *a, **o: embedded.append(a) or extract(*a, **o))
    reproduce(rows, tmp_path)
    assert len(embedded) == 2  # queries and gallery
    scores = [json.dumps(record.scores) for record in read_records("baseline", tmp_path)]
    assert len(set(scores)) == 3


def test_fresh_trains_the_parts_again(tiny_row, new_cache, tmp_path, monkeypatch, starts):
    part = tiny_row(seeds=1).run
    whole = replace(part, parts=(part,), training="", iterations=0, learning_rate=0.0)
    rows = [Row("street", "whole", whole, 1)]
    monkeypatch.setattr(execute, "rows_of", lambda paper, scale: rows)
    cache = new_cache()
    reproduce(rows, tmp_path)
    assert reproduce(rows, tmp_path, fresh=False) == 0 and len(starts) == 1
    for file in (*cache.glob("runs/*.pt"), *tmp_path.glob("baseline/records/*")):
        os.utime(file, (0, 0))
    assert reproduce(rows, tmp_path, fresh=True) == 1
    assert len(starts) == 2


def test_draws_differ_on_the_same_data(tiny_row, new_cache):
    new_cache()
    runs = [tiny_row(seeds=1, draw=draw).run for draw in (0, 1)]
    benchmark = open_benchmark("street", 0, {}, runs[0].data_options, progress=False)
    one, other, again = (
        train.train(run, 0, benchmark, QUIET).model.for_retrieval().state_dict() for run in (*runs, runs[1])
    )
    assert not all(torch.equal(value, one[name]) for name, value in other.items())
    assert all(torch.equal(value, again[name]) for name, value in other.items())


def test_a_network_may_be_tested_on_other_data(tiny_row, new_cache, tmp_path):
    new_cache()
    here = tiny_row(seeds=1).run
    there = replace(here, test_data="street", test_data_options=STREET | {"num_ids": 12})
    reproduce([Row("street", "here", here, 1), Row("street", "there", there, 1)], tmp_path)
    records = {record.config["test_data"]: record for record in read_records("baseline", tmp_path)}
    home = open_benchmark("street", 0, {}, STREET, progress=False)
    away = open_benchmark("street", 0, {}, there.test_data_options, progress=False)
    assert records["street"].data["fingerprint"] == away.fingerprint != home.fingerprint
    assert records["street"].data["trained on"] == {"name": "street", "fingerprint": home.fingerprint}
    assert records["street"].scores["usual"]["counts"]["queries"] == len(away.query)
    assert records[""].scores["usual"]["counts"]["queries"] == len(home.query) and "trained on" not in records[""].data
    assert records[""].watched == records["street"].watched  # the training was the same


def test_costs_and_what_was_watched_are_recorded(tiny_row, new_cache, tmp_path):
    new_cache()
    row = tiny_row(seeds=1)
    reproduce([row], tmp_path)
    [record] = read_records("baseline", tmp_path)
    network = create_model("agw", scale="mini", num_ids=1).for_retrieval()
    assert record.costs["parameters"] == sum(p.numel() for p in network.parameters())
    assert record.costs["milliseconds"] > 0
    first = 2 * 16 * 3 * 9 * 32 * 16  # of two frames: 16 filters of 3 x 3 x 3 at each of 32 x 16 positions
    assert record.costs["multiply-adds"] > 10 * first
    assert record.watched.keys() == {"global triplet active", "global triplet distance"}
    assert 0 <= record.watched["global triplet active"] <= 1 and record.watched["global triplet distance"] > 0
    assert record.environment["precision"] in ("bfloat16", "float32") and record.environment["threads"] == 1
    assert 0 <= record.notes["tied"] < 0.5 and not record.collapsed


def test_a_record_of_a_former_world_counts_until_it_shall_be_fresh(tiny_row, new_cache, tmp_path):
    new_cache()
    row = tiny_row(seeds=1)
    reproduce([row], tmp_path)
    [path] = tmp_path.glob("baseline/records/*.json")
    former = path.parent / "renderer-1" / path.name
    former.parent.mkdir()
    content = json.loads(path.read_text())
    content["data"]["renderer"] = 1
    former.write_text(json.dumps(content))
    path.unlink()
    assert reproduce([row], tmp_path) == 0 and not path.exists()
    assert [record.renderer for record in records_of("baseline", row, tmp_path)] == [1]
    assert reproduce([row], tmp_path, fresh=True) == 1 and former.exists()
    assert [record.renderer for record in records_of("baseline", row, tmp_path)] == [RENDERER]


def test_a_world_that_is_drawn_differently_is_said_so_once(tiny_row, new_cache, tmp_path):
    new_cache()
    row, other = tiny_row(seeds=1), tiny_row(seeds=1, draw=1)
    reproduce([row], tmp_path)
    [path] = tmp_path.glob("baseline/records/*.json")
    content = json.loads(path.read_text())
    content["data"]["fingerprint"] = "of another machine"
    path.write_text(json.dumps(content))
    with pytest.warns(UserWarning, match="this machine draws street of seed 0 differently.*--fresh") as said:
        reproduce([row, other], tmp_path)
    assert len(said) == 1


def test_features_and_pictures_of_a_run(tiny_row, new_cache, tmp_path):
    new_cache()
    row = tiny_row(seeds=2, keep_features=True)
    reproduce([row], tmp_path / "figures", seeds=1, pictures=tmp_path / "pictures")
    reproduce([row], tmp_path / "figures")
    kept = tmp_path / "figures" / "baseline" / "features"
    assert [path.name for path in kept.iterdir()] == [f"{row.run.hash}-s0.npz"]
    record = records_of("baseline", row, tmp_path / "figures")[0]
    scores = features.load_features(kept / f"{row.run.hash}-s0.npz").scores("cross-camera")
    assert scores.mean_ap == pytest.approx(record.scores["usual"]["mAP"], abs=0.02)  # kept as float16
    assert scores.counts == record.scores["usual"]["counts"]
    pictures = sorted((tmp_path / "pictures").rglob("*.png"))
    assert {path.parent.name for path in pictures} == {f"{row.run.hash}-s0"}
    assert len(pictures) == 4
    assert np.asarray(Image.open(pictures[0])).std() > 10


def test_networks_without_training_are_measured_too(tiny_row, new_cache, tmp_path):
    new_cache()
    rows = [tiny_row(seeds=1, model=m, training="", masks=m != "chance") for m in ("chance", "mean_silhouette")]
    assert reproduce(rows, tmp_path) == 2
    for record in read_records("baseline", tmp_path):
        assert record.seconds["training"] == 0


def test_unknown_papers_are_refused():
    with pytest.raises(ValueError, match="no paper is called 'basline'; known: baseline"):
        execute.reproduce("basline", rows_of("basline"))


def test_the_default_folder_is_the_repository_s():
    assert FIGURES == ROOT / "figures"
