import importlib.util
import os
import socket
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest
import torch
from torch.func import functional_call

from reidlib.training import distributed
from reidlib.training.distributed import gather, share_of_batch

ROOT = Path(__file__).resolve().parents[2]
SCRIPT = Path(__file__).with_name("two_process_run.py")


def script_module():
    spec = importlib.util.spec_from_file_location("two_process_run", SCRIPT)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def launch(*arguments: Path) -> None:
    """The script in two CPU processes of one thread each (`accelerate launch` starts only one on CPUs)."""
    command = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc_per_node=2", SCRIPT]
    environment = os.environ | {"PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1", "ACCELERATE_USE_CPU": "1"}
    done = subprocess.run([*command, *arguments], env=environment, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr


def reference() -> tuple[dict, dict]:
    """Weights and history of one process that runs batch normalisation on each half of a batch by itself."""
    script = script_module()
    model, objective, options = script.build()
    statistics = [{name: b.clone() for name, b in model.named_buffers()} for _ in range(2)]
    history = {}
    for i, batch in enumerate(script.batches()):
        outputs = [
            functional_call(model, (dict(model.named_parameters()), buffers), (half,))
            for buffers, half in zip(statistics, batch["x"].chunk(2))
        ]
        feature, logits = (torch.cat(parts) for parts in zip(*outputs))
        losses = objective.losses(feature, logits, batch["labels"])
        terms = losses["network"]
        network = terms["identity"] + terms["triplet"] + 0.1 * terms["center"]
        adam, sgd = options["optimisers"]["network"], options["optimisers"]["centers"]
        network_gradients = torch.autograd.grad(network, list(model.parameters()), retain_graph=True)
        center_gradients = torch.autograd.grad(losses["centers"]["center"], list(objective.parameters()))
        for p, gradient in zip([*model.parameters(), *objective.parameters()], network_gradients + center_gradients):
            p.grad = gradient
        adam.param_groups[0]["lr"] = 0.05 if i < 4 else 0.005
        adam.step()
        sgd.step()
        for group, values in losses.items():
            for term, value in values.items():
                history.setdefault(f"{group}/{term}", []).append(value.item())
    state = {**model.state_dict(), **objective.state_dict()}
    for name in statistics[0]:
        state[name] = torch.stack([half[name].double() for half in statistics]).mean(0)
    return state, history


def test_two_processes_match_one_that_normalises_each_half_of_a_batch(tmp_path):
    launch(tmp_path / "weights", tmp_path / "run.pt")
    state, history = reference()
    for process in range(2):
        found = torch.load(tmp_path / f"weights.{process}")
        assert found["state"].keys() == state.keys()
        for name, value in state.items():
            torch.testing.assert_close(found["state"][name].double(), value.double(), rtol=1e-9, atol=1e-11, msg=name)
        assert found["history"].keys() == history.keys()
        for term, values in history.items():
            assert found["history"][term] == pytest.approx(values, rel=1e-6), term
    contents = torch.load(tmp_path / "run.pt", weights_only=True)
    assert len(contents["random_states"]) == 2


def test_one_process_gathers_itself():
    x = torch.rand(3, requires_grad=True)
    assert gather(x) is x
    assert distributed.gather_objects("a") == ["a"]


@dataclass(frozen=True)
class Batch:
    frames: torch.Tensor
    conditions: tuple[str, ...]
    attributes: dict[str, torch.Tensor]
    masks: torch.Tensor | None = None


def test_every_process_takes_its_share_of_everything(monkeypatch):
    batch = Batch(torch.arange(12).view(6, 2), tuple("abcdef"), {"hat": torch.arange(6)})
    monkeypatch.setattr(distributed, "num_processes", lambda: 3)
    shares = []
    for rank in range(3):
        monkeypatch.setattr(torch.distributed, "get_rank", lambda rank=rank: rank)
        shares.append(share_of_batch(batch, torch.device("cpu")))
    assert torch.equal(torch.cat([share.frames for share in shares]), batch.frames)
    assert [share.conditions for share in shares] == [("a", "b"), ("c", "d"), ("e", "f")]
    assert shares[2].attributes["hat"].tolist() == [4, 5]
    assert shares[0].masks is None
    monkeypatch.setattr(distributed, "num_processes", lambda: 4)
    with pytest.raises(ValueError, match="a batch of 6 cannot be shared by 4 processes"):
        share_of_batch(batch, torch.device("cpu"))


def test_one_process_moves_batches_of_any_kind():
    device = torch.device("meta")
    moved = share_of_batch([{"x": torch.ones(2)}, (torch.ones(3), None, 5)], device)
    assert moved[0]["x"].device == moved[1][0].device == device
    assert moved[1][1:] == (None, 5)


def test_a_destroyed_group_is_gone_with_its_threads():
    """Threads of a group that outlives its destruction may abort the process at exit."""
    code = (
        "import weakref, torch\n"
        "from torch import nn\n"
        "import reidlib.training.distributed\n"
        "torch.distributed.init_process_group('gloo')\n"
        "group = weakref.ref(torch.distributed.group.WORLD)\n"
        "layer = nn.Linear(2, 2)\n"
        "layer(torch.ones(1, 2)).sum().backward()\n"
        "torch.optim.Adam(layer.parameters()).step()\n"
        "torch.distributed.destroy_process_group()\n"
        "assert group() is None\n"
    )
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = str(server.getsockname()[1])
    one = {"WORLD_SIZE": "1", "RANK": "0", "MASTER_ADDR": "127.0.0.1", "MASTER_PORT": port}
    process = subprocess.run([sys.executable, "-c", code], env=os.environ | one, capture_output=True, text=True)
    assert process.returncode == 0, process.stderr
