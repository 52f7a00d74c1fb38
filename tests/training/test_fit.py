import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
import torch
from torch import nn

from reidlib.training import CheckpointError, fit, multistep

ROOT = Path(__file__).resolve().parents[2]


class Point(nn.Module):
    """A network that is one number."""

    def __init__(self, value: float = 0.0):
        super().__init__()
        self.value = nn.Parameter(torch.tensor(value))

    def forward(self):
        return self.value


def numbers(start: int = 0):
    """Batch i is the number i."""
    return (torch.tensor(float(i)) for i in range(start, 10**9))


def squares(model, batch):
    return {"point": {"square": (model() - batch) ** 2}}


def sgd(module: nn.Module, lr: float = 0.1) -> torch.optim.SGD:
    return torch.optim.SGD(module.parameters(), lr=lr)


def run(model, objective=squares, batches=numbers, iterations=5, optimisers=None, **options):
    optimisers = optimisers or {"point": sgd(model)}
    options = {"precision": "no", "progress": False, **options}
    return fit(model, objective, batches, iterations=iterations, optimisers=optimisers, **options)


def test_hand_computed_steps_and_history():
    model = Point()
    result = run(model, iterations=3)
    # x ← x - 0.2 (x - i): 0, then 0.2, then 0.2 - 0.2 (0.2 - 2) = 0.56
    assert model.value.item() == pytest.approx(0.56)
    assert result.history == {"point/square": pytest.approx([0, 1, 1.8**2])}
    assert result.iterations == 3
    assert result.seconds > 0


def test_schedules_scale_the_initial_learning_rate_and_weights_the_terms():
    model = Point()
    run(model, iterations=3, schedules={"point": multistep([2])}, weights={"point": {"square": 2.0}})
    # steps of 0.4 (x - i), the last one a tenth of that: 0, 0.4, 0.4 - 0.04 (0.4 - 2) = 0.464
    assert model.value.item() == pytest.approx(0.464)


class SaddleObjective(nn.Module):
    """f(x, y) = (x - 1)²/2 + 2xy - (y - 3)²/2; the network lowers f over x, an adversary of ours raises it
    over y.

    Both gradients vanish at x = -1, y = 1 only.
    """

    def __init__(self):
        super().__init__()
        self.adversary = Point(0.5)

    def forward(self, model, batch):
        x, y = model(), self.adversary()
        value = (x - 1) ** 2 / 2 + 2 * x * y - (y - 3) ** 2 / 2
        return {"network": {"value": value}, "adversary": {"minus value": -value}}


def test_an_adversary_reaches_the_saddle_point():
    model, objective = Point(3.0), SaddleObjective()
    optimisers = {"network": sgd(model), "adversary": sgd(objective)}
    run(model, objective, iterations=300, optimisers=optimisers)
    assert model.value.item() == pytest.approx(-1, abs=1e-4)
    assert objective.adversary.value.item() == pytest.approx(1, abs=1e-4)


def test_all_gradients_are_taken_before_any_step_and_each_over_its_own_parameters():
    model, objective = Point(3.0), SaddleObjective()
    optimisers = {"network": sgd(model), "adversary": sgd(objective)}
    run(model, objective, iterations=1, optimisers=optimisers)
    assert model.value.item() == pytest.approx(3.0 - 0.1 * (3.0 - 1 + 2 * 0.5))
    assert objective.adversary.value.item() == pytest.approx(0.5 + 0.1 * (2 * 3.0 - (0.5 - 3)))


@pytest.mark.parametrize(
    ("precision", "native", "dtype"),
    [("bf16", True, torch.bfloat16), ("bf16", False, torch.float32), ("no", True, torch.float32)],
)
def test_precision_decides_what_matrix_products_are_computed_in(precision, native, dtype, monkeypatch):
    monkeypatch.setattr("reidlib.training.precision.computes_bfloat16", lambda device: native)
    seen = []

    def objective(model, batch):
        out = model(batch)
        seen.append(out.dtype)
        return {"network": {"mean": out.float().mean()}}

    model = nn.Linear(4, 4)
    batches = lambda start: [torch.rand(2, 4)] * 2  # noqa: E731
    run(model, objective, batches, 2, {"network": sgd(model)}, precision=precision)
    assert seen == [dtype] * 2
    assert model.weight.dtype == torch.float32


def test_a_frozen_module_keeps_its_normalisation_and_drops_nothing():
    frozen = nn.Sequential(nn.BatchNorm1d(2), nn.Dropout(0.5)).requires_grad_(False)
    model = nn.Sequential(frozen, nn.BatchNorm1d(2))
    batches = lambda start: [torch.rand(8, 2) + 5] * 20  # noqa: E731
    run(model, lambda m, b: {"n": {"l": m(b).sum()}}, batches, 20, {"n": sgd(model[1])})
    assert not frozen[0].running_mean.any() and frozen[0].num_batches_tracked == 0 and not frozen[1].training
    assert model[1].running_mean.min() > 1 and model.training


def test_watched_terms_are_recorded_and_have_no_say():
    models = [nn.Linear(2, 1) for _ in range(2)]
    models[1].load_state_dict(models[0].state_dict())
    batches = lambda start: [torch.ones(4, 2)] * 3  # noqa: E731
    for model, watched in zip(models, (False, True)):

        def objective(model, batch, watched=watched):
            out = model(batch).mean()
            return {"n": {"l": out}} | ({"watched": {"out": -5 * out}} if watched else {})

        result = run(model, objective, batches, 3, {"n": sgd(model)})
    assert result.history["watched/out"] == pytest.approx([-5 * value for value in result.history["n/l"]])
    assert torch.equal(models[0].weight, models[1].weight)


def test_the_network_is_trained_in_training_mode():
    model = nn.Sequential(nn.BatchNorm1d(2)).eval()
    batches = lambda start: [torch.rand(8, 2) + 5] * 200  # noqa: E731
    run(model, lambda m, b: {"n": {"l": m(b).sum()}}, batches, 200, {"n": sgd(model)})
    assert model[0].running_mean.min() > 4.9


def test_what_does_not_fit_together_is_refused():
    model, other = Point(), Point()
    with pytest.raises(ValueError, match=r"groups \['point'\], the optimisers are \['network'\]"):
        run(model, optimisers={"network": sgd(model)})
    with pytest.raises(ValueError, match="neither model nor objective"):
        run(model, optimisers={"point": sgd(other)})
    with pytest.raises(ValueError, match="parameters of another optimiser"):
        run(model, optimisers={"point": sgd(model), "again": sgd(model)})
    with pytest.raises(ValueError, match=r"weights for \['point/cube'\].*\['point/square'\]"):
        run(model, weights={"point": {"cube": 2.0}})
    with pytest.raises(ValueError, match=r"schedules for \['centers'\]"):
        run(model, schedules={"centers": multistep([1])})
    with pytest.raises(ValueError, match="precision='fp16'"):
        run(model, precision="fp16")
    with pytest.raises(ValueError, match="batches end after 3 of 5"):
        run(model, batches=lambda start: [torch.tensor(1.0)] * 3)


def test_a_loss_that_is_not_finite_is_named_with_its_iteration_and_not_saved(tmp_path):
    def objective(model, batch):
        broken = torch.where(batch == 13, torch.nan, batch)
        return {"point": {"fine": model() ** 2, "broken": broken * model()}}

    path = tmp_path / "run.pt"
    with pytest.raises(FloatingPointError, match="point/broken is nan in iteration 13"):
        run(Point(), objective, iterations=20, checkpoint=path, checkpoint_every=7)
    assert run(Point(), objective, iterations=7, checkpoint=path).iterations == 7


def test_a_checkpoint_is_taken_up_where_it_ended(tmp_path):
    whole, first, second = Point(), Point(), Point()
    expected = run(whole, iterations=8)
    run(first, iterations=5, checkpoint=tmp_path / "run.pt", checkpoint_every=2)
    result = run(second, iterations=8, checkpoint=tmp_path / "run.pt")
    assert second.value.item() == whole.value.item()
    assert result.history == expected.history
    again = Point()
    assert run(again, batches=None, iterations=8, checkpoint=tmp_path / "run.pt").history == expected.history
    assert again.value.item() == whole.value.item()


def test_a_checkpoint_of_another_run_is_refused(tmp_path):
    path = tmp_path / "run.pt"
    run(Point(), checkpoint=path)
    model = nn.Linear(1, 1)
    with pytest.raises(CheckpointError, match=r"run\.pt belongs to another network.*delete it"):
        run(model, optimisers={"point": sgd(model)}, checkpoint=path)
    objective, model = SaddleObjective(), Point()
    with pytest.raises(CheckpointError, match=r"run\.pt belongs to another network"):
        run(model, objective, optimisers={"network": sgd(model), "adversary": sgd(objective)}, checkpoint=path)
    with pytest.raises(CheckpointError, match=r"has 5 iterations, more than the 3 asked for"):
        run(Point(), iterations=3, checkpoint=path)


def test_the_bar_shows_the_terms(capfd):
    run(Point(), iterations=30, progress=True)
    shown = capfd.readouterr().err
    assert "30/30" in shown
    assert "point/square=" in shown


def start_killable(checkpoint: Path, weights: Path) -> subprocess.Popen:
    script = Path(__file__).with_name("killable_run.py")
    environment = os.environ | {"OMP_NUM_THREADS": "1", "PYTHONPATH": str(ROOT)}
    return subprocess.Popen([sys.executable, script, checkpoint, weights], env=environment)


def test_a_run_killed_at_random_moments_ends_with_the_weights_of_an_uninterrupted_one(tmp_path):
    uninterrupted = start_killable(tmp_path / "whole.pt", tmp_path / "whole-weights.pt")
    checkpoint, weights = tmp_path / "killed.pt", tmp_path / "killed-weights.pt"
    seed = int(time.time())
    print(f"moments drawn by random.Random({seed})")  # shown when the test fails
    moments = random.Random(seed)
    for _ in range(3):
        before = checkpoint.stat().st_mtime_ns if checkpoint.exists() else 0
        process = start_killable(checkpoint, weights)
        while process.poll() is None and (not checkpoint.exists() or checkpoint.stat().st_mtime_ns == before):
            time.sleep(0.002)
        time.sleep(moments.uniform(0, 0.2))
        process.send_signal(signal.SIGKILL)
        assert process.wait() == -signal.SIGKILL, "the run was over before it was killed"
    assert not weights.exists()
    assert start_killable(checkpoint, weights).wait() == 0
    assert uninterrupted.wait() == 0
    whole, killed = torch.load(tmp_path / "whole-weights.pt"), torch.load(weights)
    assert whole.keys() == killed.keys()
    for name, value in whole.items():
        assert torch.equal(value, killed[name]), name
