"""Networks that are kept: what is written is read, and finds what the record says."""

import json
from dataclasses import replace

import pytest
import torch
from safetensors.torch import save_file

from reidlib.experiments import FIGURES, Row, execute, load_network, networks, read_network, records, rows_of
from reidlib.experiments.evaluations import measure
from reidlib.experiments.networks import LARGEST, network_path, row_network, write_network
from reidlib.experiments.sources import open_benchmark
from reidlib.experiments.train import Resources, train

QUIET = Resources(progress=False)


@pytest.fixture
def kept(tiny_row, new_cache, tmp_path, monkeypatch):
    """A row of the baseline whose network was kept, and the folder of its figures."""
    new_cache()
    row = replace(tiny_row(seeds=2), keep_network=True)
    monkeypatch.setattr(networks, "rows_of", lambda paper: [row])
    execute.reproduce("baseline", [row], resources=QUIET, figures=tmp_path)
    return row, tmp_path


def test_the_network_of_seed_0_is_kept_and_finds_the_record_s_scores(kept):
    row, figures = kept
    assert [path.name for path in figures.glob("baseline/networks/*")] == [f"{row.run.hash}-s0.safetensors"]
    record = records.records_of("baseline", row, figures)[0]
    found = read_network(network_path("baseline", row.run, figures))
    assert found.run == row.run and (found.paper, found.seed) == ("baseline", 0)
    assert found.data == record.data and found.scores == record.scores
    network = load_network("baseline", "street", "tiny", figures)
    assert not network.training and network.classifier is None
    street = open_benchmark("street", 0, {}, row.run.data_options, progress=False)
    scores = measure(network, street, row.run, progress=False).scores
    for setup in ("usual", "mixing"):
        assert scores[setup]["counts"] == record.scores[setup]["counts"]
        assert scores[setup]["mAP"] == pytest.approx(record.scores[setup]["mAP"], abs=0.01)  # half precision


def test_the_weights_are_those_of_training_in_half_precision(kept):
    row, figures = kept
    street = open_benchmark("street", 0, {}, row.run.data_options, progress=False)
    trained = train(row.run, 0, street, QUIET).model.for_retrieval().state_dict()
    found = load_network("baseline", "street", "tiny", figures).state_dict()
    assert found.keys() == trained.keys()
    assert all(torch.equal(value, trained[name].half().to(value.dtype)) for name, value in found.items())


def test_a_network_that_is_missing_is_trained_though_there_is_a_record(kept):
    row, figures = kept
    path = network_path("baseline", row.run, figures)
    path.unlink()
    with pytest.raises(FileNotFoundError, match="table street, 'tiny' is not kept.*street / tiny"):
        load_network("baseline", "street", "tiny", figures)
    assert execute.reproduce("baseline", [row], resources=QUIET, figures=figures) == 1
    assert path.exists()
    assert execute.reproduce("baseline", [row], resources=QUIET, figures=figures) == 0


def test_a_row_that_shares_its_run_with_one_that_keeps_the_network_keeps_it_too(tiny_row, new_cache, tmp_path):
    new_cache()
    row = tiny_row(seeds=1)
    keeping = Row("other table", "the same", row.run, 1, keep_network=True)
    execute.reproduce("baseline", [row, keeping], resources=QUIET, figures=tmp_path)
    assert network_path("baseline", row.run, tmp_path).exists()


def test_what_is_no_network_is_named_with_the_way_out(tmp_path, kept):
    row, figures = kept
    path = tmp_path / "x.safetensors"
    with pytest.raises(FileNotFoundError, match=r"x.safetensors: there is no such file.*reidlib reproduce"):
        read_network(path)
    save_file({"w": torch.zeros(2)}, path)
    with pytest.raises(ValueError, match=r"x.safetensors is no network of this package.*restore it with git"):
        read_network(path)
    path.write_bytes(network_path("baseline", row.run, figures).read_bytes()[:1000])
    with pytest.raises(ValueError, match=r"x.safetensors is no network of this package"):
        read_network(path)
    with pytest.raises(ValueError, match="no row 'huge' in a table 'street'; networks are kept of street / tiny"):
        row_network("baseline", "street", "huge", figures)


def test_a_network_too_large_for_a_repository_is_refused(kept, tmp_path):
    row, figures = kept
    record = records.records_of("baseline", row, figures)[0]
    large = torch.nn.Linear(1100, 1000)
    with pytest.raises(ValueError, match=f"agw takes 22.* bytes, .* may have {LARGEST}"):
        write_network(large, row.run, record, tmp_path / "elsewhere")
    assert not list((tmp_path / "elsewhere").rglob("*.*"))


@pytest.mark.parametrize("paper", ["baseline", "seqmasks"])
def test_committed_networks_are_those_of_the_rows_and_of_their_records(paper):
    kept = {row.run.hash: row for row in rows_of(paper) if row.keep_network}
    files = sorted((FIGURES / paper / "networks").glob("*"))
    measured = {digest for digest, row in kept.items() if records.record_path(paper, digest, 0).exists()}
    assert measured == {path.name.split("-")[0] for path in files}
    for path in files:
        found = read_network(path)
        row = kept[found.run.hash]
        record = records.read_record(records.record_path(paper, row.run.hash, 0))
        assert path.stat().st_size <= LARGEST and found.data == record.data
        assert json.loads(json.dumps(found.scores)) == record.scores
