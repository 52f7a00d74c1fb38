# ruff: noqa: NPY002

import os
import random

import numpy as np
import pytest
import torch

from reidlib.training.checkpoints import (
    CheckpointError,
    load_checkpoint,
    random_states,
    restore_random_states,
    save_checkpoint,
)


@pytest.fixture
def path(tmp_path):
    path = tmp_path / "run" / "checkpoint.pt"
    save_checkpoint(path, {"weights": {"w": torch.arange(1000.0)}, "history": {"a/b": [1.0, 2.5]}})
    return path


def test_what_is_written_is_read(path):
    contents = load_checkpoint(path)
    assert torch.equal(contents["weights"]["w"], torch.arange(1000.0))
    assert contents["history"] == {"a/b": [1.0, 2.5]}
    assert os.listdir(path.parent) == ["checkpoint.pt"]


def test_random_states_survive_the_file(path):
    def draw():
        return random.random(), np.random.rand(3).tolist(), torch.rand(3).tolist(), torch.randn(2).tolist()

    np.random.randn()  # leaves the second normal value of the pair in the generator
    save_checkpoint(path, {"states": random_states()})
    drawn = draw(), np.random.randn()
    restore_random_states(load_checkpoint(path)["states"])
    assert (draw(), np.random.randn()) == drawn


@pytest.mark.parametrize("kept", [0, 10, 0.5, 0.99])
def test_a_truncated_file_is_named_with_the_way_out(path, kept):
    content = path.read_bytes()
    path.write_bytes(content[: int(kept * len(content) if kept < 1 else kept)])
    with pytest.raises(CheckpointError, match=r"checkpoint\.pt is truncated or no checkpoint .*delete it"):
        load_checkpoint(path)


def test_a_flipped_bit_in_the_weights_is_noticed(path):
    content = bytearray(path.read_bytes())
    position = bytes(content).find(torch.arange(500.0, 510.0).numpy().tobytes())
    assert position > 0
    content[position] ^= 1
    path.write_bytes(bytes(content))
    with pytest.raises(CheckpointError, match=r"checkpoint\.pt .*delete it"):
        load_checkpoint(path)


def test_a_file_of_somebody_else_is_refused(path):
    torch.save({"state_dict": {}}, path)
    with pytest.raises(CheckpointError, match=r"checkpoint\.pt was not written by this package"):
        load_checkpoint(path)


def test_code_in_a_checkpoint_is_not_run(path, tmp_path):
    class Attack:
        def __reduce__(self):
            return os.mkdir, (str(tmp_path / "attacked"),)

    torch.save({"format": "reidlib checkpoint 1", "x": Attack()}, path)
    with pytest.raises(CheckpointError, match="delete it"):
        load_checkpoint(path)
    assert not (tmp_path / "attacked").exists()


def test_an_interrupted_write_leaves_the_former_checkpoint(path, monkeypatch):
    def crash(contents, file):
        file.write(b"half of a checkpoint")
        raise KeyboardInterrupt

    monkeypatch.setattr(torch, "save", crash)
    with pytest.raises(KeyboardInterrupt):
        save_checkpoint(path, {"history": {}})
    assert load_checkpoint(path)["history"] == {"a/b": [1.0, 2.5]}
