"""Records: what is written is read, and what is committed is consistent."""

import json
from dataclasses import asdict, fields, replace
from functools import cache
from pathlib import Path

import numpy as np
import pytest
from torch import nn

from reidlib.data.walkers import RENDERER
from reidlib.evaluation import retrieval_scores
from reidlib.experiments import Part, Row, Run, execute, records, rows_of, train
from reidlib.experiments.evaluations.retrieval import entry_of_retrieval
from reidlib.experiments.records import FIGURES, Record, config_hash, read_record, read_records, write_record
from reidlib.models.pretrained import save_weights, weights_digest


@pytest.mark.parametrize(
    ("ranks", "collapsed"),
    [
        ([425, 425, 421, 0, 437, 3], True),
        ([[97, 96], [97, 43], [97, 97]], True),
        ([1, 2, 400, 1, 1], False),
        (np.random.default_rng(0).permutation(400).tolist(), False),  # by chance
        ([3, 3, 3, 4], False),  # in a small gallery
    ],
)
def test_ranks_tell_a_collapsed_network(record, ranks, collapsed):
    assert not record.collapsed
    found = replace(record, queries={"usual": {"first_match_rank": ranks}})
    assert found.collapsed == collapsed
    assert not replace(found, notes={"tied": 0.1}).collapsed and replace(found, notes={"tied": 0.9}).collapsed
    assert not replace(record, queries={"frames": {"PSNR": [20.1, None]}}).collapsed  # nothing was ranked


@pytest.fixture
def record():
    """A record of three queries: one found at rank 1, one at rank 2, one without a match."""
    distances = [[0.1, 0.2, 0.3]] * 3
    query_ids = np.array([5, 6, 7])
    scores = retrieval_scores(distances, query_ids, [5, 6, 0], [1, 1, 1], [2, 2, 2])
    summary, queries = entry_of_retrieval(scores, query_ids)
    run = Run("chance", "street")
    return Record(
        paper="baseline",
        config=json.loads(json.dumps(asdict(run))),  # JSON has no tuples
        config_hash=run.hash,
        seed=3,
        data={"name": "street", "fingerprint": "0123456789abcdef"},
        scores={"usual": summary},
        queries={"usual": queries},
        seconds={"data": 1.0, "training": 90.0, "evaluation": 30.0},
        peak_memory_mib=100,
        environment=records.environment(),
    )


def check(record: Record) -> None:
    """What holds for every record: its hash is its configuration's, its scores are those of its queries."""
    run = Run(**record.config)
    assert record.config_hash == run.hash and record.data.get("weights", {}) == run.weights
    wanted = {*record.config.get("conditions", ())} or {*record.config["setups"]}
    if not {"retrieval", "cross-view"}.intersection(run.evaluations):
        wanted = set()  # nothing is ranked
    if "pseudo-labels" in run.evaluations:  # whose cases are attributes
        check_pseudo_labels(record.scores, record.queries)
    else:
        assert wanted <= set(record.queries) <= set(record.scores)
    for setup in record.queries.keys() & record.scores.keys():
        scores = record.scores[setup]
        if "protocol" not in scores:  # attributes, masks: no retrieval
            continue
        if scores["protocol"] == "cross-view":
            check_cross_view(scores, record.queries[setup])
            continue
        queries, counts = record.queries[setup], scores["counts"]
        precision = [p for p in queries["average_precision"] if p is not None]
        first = np.array(queries["first_match_rank"])
        assert len(first) == len(queries["person_id"]) == len(queries["average_precision"]) == counts["queries"]
        assert len(precision) == (first > 0).sum() == counts["valid"]
        assert scores["mAP"] == pytest.approx(np.mean(precision), abs=1e-5)
        for k in (1, 5, 10, 20):
            assert scores[f"rank-{k}"] == pytest.approx(np.mean(first[first > 0] <= k), abs=1e-6)
    assert all(seconds >= 0 for seconds in record.seconds.values())


def check_pseudo_labels(scores: dict, cases: dict) -> None:
    """The accuracy of averaged labels is that of the cases, a mean over what the columns mean."""
    found = []
    for case in cases.values():
        code, mean = np.array(case["code"]), np.array(case["mean"])
        found.append(((mean > 0.5) == code)[code >= 0].mean())
    assert scores["averaged"]["accuracy"] == pytest.approx(np.mean(found), abs=1e-3)


def check_cross_view(scores: dict, queries: dict) -> None:
    """The scores are the means over pairs of views, the probes' views being those of the gallery."""
    ranks, views = np.array(queries["first_match_rank"]), np.array(queries["view"])
    matrix = np.array([(ranks[views == view] == 1).mean(axis=0) for view in np.unique(views)])
    assert len(ranks) == len(queries["person_id"]) == scores["counts"]["queries"]
    assert scores["including"] == pytest.approx(matrix.mean(), abs=1e-6)
    assert scores["excluding"] == pytest.approx(matrix[~np.eye(len(matrix), dtype=bool)].mean(), abs=1e-6)


@cache
def _by_hash(paper: str) -> dict[str, list[Row]]:
    rows = {}
    for row in (row for scale in ("mini", "paper") for row in rows_of(paper, scale)):
        rows.setdefault(row.run.hash, []).append(row)
    return rows


def strays(figures) -> list[str]:
    """Records whose configuration is that of no row of today's code, or whose seed the row does not take."""
    found = []
    for path in sorted([*figures.glob("*/records/*.json"), *figures.glob("*/records/renderer-*/*.json")]):
        record = read_record(path)
        place = records.record_path(record.paper, record.config_hash, record.seed, figures)
        former = place.parent / f"renderer-{record.renderer}" / place.name
        assert path in (place, former) and (path == place or record.renderer < RENDERER)
        fits = [row for row in _by_hash(record.paper).get(record.config_hash, ()) if record.seed in row.all_seeds]
        if not fits or json.dumps(asdict(Run(**record.config))) != json.dumps(asdict(fits[0].run)):
            found.append(path.name)
    return found


def test_hand_computed_scores(record):
    assert record.scores["usual"] == {
        "rank-1": 0.5, "rank-5": 1.0, "rank-10": 1.0, "rank-20": 1.0, "mAP": 0.75, "mINP": 0.75,
        "protocol": "cross-camera",
        "counts": {"queries": 3, "valid": 2, "gallery": 3, "distractors": 1, "junk": 0},
    }  # fmt: skip
    assert record.queries["usual"] == {
        "person_id": [5, 6, 7],
        "average_precision": [1.0, 0.5, None],
        "first_match_rank": [1, 2, 0],
    }
    assert record.minutes == 2


def test_round_trip(record, tmp_path):
    path = write_record(record, tmp_path)
    assert path == tmp_path / "baseline" / "records" / f"{record.config_hash}-s3.json"
    assert read_record(path) == record
    assert read_records("baseline", tmp_path) == [record]
    assert read_records("asanet", tmp_path) == []


def test_writing_is_all_or_nothing(record, tmp_path, monkeypatch):
    path = write_record(record, tmp_path)
    before = path.read_bytes()

    def fail(*arguments):
        raise OSError("the disk is full")

    with monkeypatch.context() as patch:
        patch.setattr(records.os, "replace", fail)
        with pytest.raises(OSError, match="full"):
            write_record(replace(record, peak_memory_mib=7), tmp_path)
    assert path.read_bytes() == before
    assert read_records("baseline", tmp_path) == [record]
    write_record(replace(record, peak_memory_mib=7), tmp_path)
    assert [p.name for p in path.parent.glob("*.json")] == [path.name]
    assert read_record(path).peak_memory_mib == 7


def test_numbers_that_are_not_finite_are_refused(record, tmp_path):
    with pytest.raises(ValueError, match="not JSON compliant"):
        write_record(replace(record, peak_memory_mib=float("nan")), tmp_path)
    assert read_records("baseline", tmp_path) == []


@pytest.mark.parametrize("text", ["", "{", "null", "[1]", '{"paper": "baseline"}', "<<<<<<< HEAD\n{}"])
def test_what_is_no_record_is_named_with_the_way_out(tmp_path, text):
    path = tmp_path / "x.json"
    path.write_text(text)
    with pytest.raises(ValueError, match="x.json is not a record.*restore it with git, or delete it"):
        read_record(path)


def test_the_hash_does_not_depend_on_order_and_survives_json():
    config = asdict(Run("agw", "street", data_options={"num_ids": 10, "clutter": 0.5}, setups=("usual", "mixing")))
    digest = config_hash(config)
    assert len(digest) == 12 and set(digest) <= set("0123456789abcdef")
    turned = {key: config[key] for key in reversed(config)} | {"data_options": {"clutter": 0.5, "num_ids": 10}}
    assert list(turned) != list(config)
    assert config_hash(turned) == digest
    assert config_hash(json.loads(json.dumps(config))) == digest


def test_the_hash_changes_with_every_field():
    run = Run("agw", "street", "baseline/agw")
    other = {str: "other", int: 99, float: 0.123, bool: True, dict: {"a": 1}, tuple: ("mixing",), type(None): {}}
    values = {f.name: other[type(getattr(run, f.name))] for f in fields(run)}
    values |= {"parts": (run,), "training": "baseline/gaitset", "conditions": ("nm",)}
    changed = [replace(run, **{name: value}) for name, value in values.items()]
    digests = {r.hash for r in changed} | {run.hash}
    assert len(digests) == len(fields(run)) + 1


def test_the_hash_is_of_what_differs_from_the_defaults():
    run = Run("agw", "street", setups=("usual", "mixing"), iterations=5)
    assert run.hash == config_hash({"model": "agw", "data": "street", "setups": ["usual", "mixing"], "iterations": 5})
    assert Run(**json.loads(json.dumps(asdict(run)))).hash == run.hash


def test_the_hash_is_of_what_differs_in_the_parts():
    part = Run("agw", "street", iterations=5)
    run = Run("agw", "street", parts=(part,))
    of_part = {"model": "agw", "data": "street", "iterations": 5}
    assert run.hash == config_hash({"model": "agw", "data": "street", "parts": [of_part]})
    frozen = Run("agw", "street", parts=(Part(part, into="backbone", frozen=True),))
    of_part |= {"into": "backbone", "frozen": True}
    assert frozen.hash == config_hash({"model": "agw", "data": "street", "parts": [of_part]})
    config = json.loads(json.dumps(asdict(run)))
    del config["parts"][0]["run"]["draw"]  # a field that was added later
    assert Run(**config).hash == run.hash


@pytest.mark.usefixtures("own_weights")
def test_the_hash_changes_with_the_weights_that_a_run_or_its_part_starts_from():
    run = Run("agw", "street", model_options={"weights": "walkers"})
    runs = run, Run("agw", "street", parts=(run,)), Run("agw", "street")
    hashes, digests = [[run.hash for run in runs]], [""]
    for _ in range(2):
        save_weights(nn.Linear(2, 2), "walkers", {})
        hashes.append([run.hash for run in runs])
        digests.append(weights_digest("walkers"))
        assert [run.weights for run in runs] == [{"walkers": digests[-1]}] * 2 + [{}]
    started, part, plain = (set(found) for found in zip(*hashes))
    assert (len(started), len(part), len(plain), len(set(digests))) == (3, 3, 1, 3)
    assert run.hash == config_hash(
        {"model": "agw", "data": "street", "model_options": {"weights": f"walkers {digests[-1]}"}}
    )


@pytest.mark.usefixtures("own_weights")
def test_a_record_of_former_weights_is_found(record):
    run = Run("agw", "street", model_options={"weights": "walkers"})
    save_weights(nn.Linear(2, 2), "walkers", {})
    config = json.loads(json.dumps(asdict(run)))
    record = replace(record, config=config, config_hash=run.hash, data=record.data | {"weights": run.weights})
    check(record)
    with pytest.raises(AssertionError):
        check(replace(record, data={"name": "street"}))
    save_weights(nn.Linear(2, 2), "walkers", {})
    with pytest.raises(AssertionError):
        check(record)


def test_older_words_stay_in_the_hash():
    gait = Run("gaitset", "lab", "gaitmask", evaluation="cross-view", conditions=("nm", "cl"))
    older = {"training": "training", "evaluation": "cross-view", "setups": ["nm", "cl"]}
    assert gait.hash == config_hash({"model": "gaitset", "data": "lab", **older})


@pytest.mark.usefixtures("own_weights")
def test_no_configuration_has_changed_its_hash():
    """`hashes.json` holds those of all rows, without the digests of weights: records are called after them."""
    known = json.loads((Path(__file__).parent / "hashes.json").read_text())
    for paper, scales in known.items():
        for scale, rows in scales.items():
            found = {
                f"{row.table} | {row.label} | {next(iter(row.columns), '')}": row.run.hash
                for row in rows_of(paper, scale)
            }
            assert {name: found.get(name) for name in rows} == rows


def test_the_environment_names_what_decides_a_number():
    environment = records.environment()
    assert {"python", "torch", "numpy", "processor", "commit"} <= environment.keys()
    assert all(isinstance(value, str | int) and value for value in environment.values())
    assert {"instruction set", "device", "threads", "precision"} <= environment.keys()
    assert environment["precision"] == "float32" and records.environment("bf16")["precision"] in ("bfloat16", "float32")
    assert "+" not in environment["torch"]


@pytest.mark.parametrize(
    "change",
    [
        lambda r: r | {"config_hash": "0" * 12},
        lambda r: r | {"config": r["config"] | {"iterations": 1}},
        lambda r: r | {"scores": {"usual": r["scores"]["usual"] | {"mAP": 0.76}}},
        lambda r: r | {"scores": {"usual": r["scores"]["usual"] | {"rank-1": 0.6}}},
        lambda r: r | {"queries": {"usual": r["queries"]["usual"] | {"first_match_rank": [1, 1, 0]}}},
    ],
)
def test_an_inconsistent_record_is_found(record, change):
    check(record)
    with pytest.raises(AssertionError):
        check(Record(**change(asdict(record))))


def test_a_record_of_no_row_is_found(record, tmp_path):
    row = rows_of("baseline")[0]
    record = replace(record, config=asdict(row.run), config_hash=row.run.hash)
    write_record(record, tmp_path)
    assert strays(tmp_path) == []
    write_record(replace(record, config_hash="0" * 12), tmp_path)
    write_record(replace(record, seed=row.seeds), tmp_path)
    write_record(replace(record, seed=2, config=record.config | {"num_frames": 4}), tmp_path)
    assert strays(tmp_path) == sorted(
        ["000000000000-s3.json", f"{row.run.hash}-s2.json", f"{row.run.hash}-s{row.seeds}.json"]
    )


def test_committed_records():
    for path in FIGURES.glob("*/records/**/*.json"):
        check(read_record(path))
    assert strays(FIGURES) == []


def test_a_measured_record_is_consistent(tiny_row, new_cache, tmp_path):
    new_cache()
    resources = train.Resources(progress=False)
    execute.reproduce("baseline", [tiny_row(seeds=1)], resources=resources, figures=tmp_path)
    [record] = read_records("baseline", tmp_path)
    check(record)
