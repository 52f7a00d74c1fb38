"""The numbers of parts on footage, of a network that knows nothing, in a video made by hand."""

import importlib.util
import sys
from pathlib import Path

import numpy as np
import pytest
import torch

from reidlib.data import ArrayFrames, Tracklet
from reidlib.data.footage import write_video
from reidlib.experiments import Run
from reidlib.experiments.networks import KeptNetwork
from reidlib.models import ModelOutput, Network, create_model

SCRIPT = Path(__file__).with_name("parts_on_footage.py")
RUN = Run("parsing", "", evaluation="segments", num_frames=4, next_frames=1, windows="fixed", precision="no")


@pytest.fixture
def script():
    spec = importlib.util.spec_from_file_location("parts_on_footage", SCRIPT)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture
def block(tmp_path):
    """The video of a red upright block that moves to the right over frames 10 to 59 of 80."""
    floor = np.random.default_rng(0).integers(95, 106, (12, 25)).repeat(8, 0).repeat(8, 1)
    frames = np.broadcast_to(floor, (80, 3, 96, 200)).astype(np.uint8)
    for number in range(10, 60):
        frames[number, :, 30:78, 3 * number - 10 : 3 * number + 6] = np.array([200, 30, 30])[:, None, None]
    return write_video(tmp_path / "block.avi", frames, 10)


def test_a_network_that_knows_nothing_is_scored_beside_the_ellipse(script, block):
    torch.manual_seed(0)
    network = create_model("parsing", scale="mini").for_retrieval()
    kept = KeptNetwork(network, RUN, "sshsp", 0, {}, {script.MERGED: {"foreground IoU": 0.7}})
    found = script.scores(kept, {"block": [block]})
    assert found["block"]["tracklets"] == 1 and found["rendered people"] == 0.7
    assert 0 <= found["block"]["network"] < 1 and 0.2 < found["block"]["ellipse"] < 1


class Bright(Network):
    """Two segments: where the frame is dark, and where it is bright."""

    def forward(self, frames):
        grey = frames.mean(2, keepdim=True)
        return ModelOutput(torch.zeros(len(frames), 1), visuals={"segments": torch.cat([0.5 - grey, grey - 0.5], 2)})


def test_masks_are_the_truth(script):
    """The person is in four columns of ten, and bright in five of them."""
    masks = np.zeros((4, 20, 10), np.uint8)
    masks[..., 2:6] = 1
    frames = np.zeros((4, 3, 20, 10), np.uint8)
    frames[..., 2:7] = 255
    iou = script.foreground_iou(Bright(), RUN, [Tracklet(-1, 1, ArrayFrames(frames, masks))])
    assert iou == pytest.approx(4 / 5)


def test_without_recordings_nothing_is_measured(script, monkeypatch, tmp_path):
    monkeypatch.setattr(sys, "argv", [SCRIPT.name, "--shared", str(tmp_path)])
    with pytest.raises(SystemExit, match="the recordings are not here: say where with --shared DIR"):
        script.main()
    (tmp_path / "data" / "footage").mkdir(parents=True)
    monkeypatch.setattr(sys, "argv", [SCRIPT.name, "sshsp/1/nobody", "--shared", str(tmp_path)])
    with pytest.raises(SystemExit, match="sshsp has no row 'nobody'.*nothing was measured"):
        script.main()
