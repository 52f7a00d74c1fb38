from functools import partial

import numpy as np
import pytest
import torch
from torch import nn

from reidlib.data import ArrayFrames, Tracklet
from reidlib.data.batches import evaluation_batches, train_batches
from reidlib.models import ModelOutput, Network, create_model
from reidlib.training import extract_features, fit


def grey_tracklets(lengths: list[int]) -> list[Tracklet]:
    """Tracklet i has pixels of the grey value 10 i + (number of the frame); two tracklets an identity."""
    tracklets = []
    for i, length in enumerate(lengths):
        values = (10 * i + np.arange(length)).astype(np.uint8)
        frames = np.broadcast_to(values[:, None, None, None], (length, 3, 16, 8))
        tracklets.append(Tracklet(i // 2 + 1, i % 2 + 1, ArrayFrames(np.ascontiguousarray(frames))))
    return tracklets


class MeanGrey(Network):
    """The mean grey value of a clip and its square; a shift of 1 in training mode, to notice that mode."""

    def forward(self, frames):
        mean = 255 * frames.mean((1, 2, 3, 4)) + self.training
        return ModelOutput(torch.stack([mean, mean**2], 1))


def test_one_embedding_a_tracklet_in_order():
    tracklets = grey_tracklets([4, 4, 4, 4, 4])
    batches = evaluation_batches(tracklets, num_frames=4, batch_size=2)
    features = extract_features(MeanGrey().train(), batches, precision="no", progress=False)
    means = torch.tensor([1.5, 11.5, 21.5, 31.5, 41.5])
    torch.testing.assert_close(features, torch.stack([means, means**2], 1))


def test_dense_windows_are_averaged_as_embeddings_even_across_batches():
    tracklets = grey_tracklets([8, 4])  # windows of two frames: means 0.5, 2.5, 4.5, 6.5 and 10.5, 12.5
    batches = evaluation_batches(tracklets, num_frames=2, batch_size=3, sampling="dense")
    features = extract_features(MeanGrey(), batches, precision="no", progress=False)
    squares = [np.mean(np.square([0.5, 2.5, 4.5, 6.5])), np.mean(np.square([10.5, 12.5]))]
    expected = torch.tensor([[3.5, squares[0]], [11.5, squares[1]]], dtype=torch.float32)
    torch.testing.assert_close(features, expected)


def test_the_network_keeps_its_mode_and_gives_float32_without_gradient():
    model = create_model("agw", num_ids=2, scale="mini").train()
    batches = list(evaluation_batches(grey_tracklets([3, 3]), num_frames=2, batch_size=1))
    features = extract_features(model, batches, progress=False)
    assert model.training
    assert features.dtype == torch.float32
    assert not features.requires_grad
    features /= features.norm(dim=1, keepdim=True)  # an ordinary tensor, free to be changed
    assert features.shape == (2, 128)
    exact = extract_features(model, batches, precision="no", progress=False)
    assert torch.cosine_similarity(features, exact).min() > 0.99


def test_a_tracklet_without_a_clip_is_named():
    batches = list(evaluation_batches(grey_tracklets([2, 2, 2]), num_frames=2, batch_size=1))
    with pytest.raises(ValueError, match="no clip of tracklet 1 among 3"):
        extract_features(MeanGrey(), [batches[0], batches[2]], progress=False)


def test_fit_takes_the_loader_of_the_data_room():
    torch.manual_seed(0)
    tracklets = grey_tracklets([6] * 8)
    model = create_model("agw", num_ids=4, scale="mini")
    loader = partial(train_batches, tracklets, ids_per_batch=4, clips_per_id=2, num_frames=2, iterations=30, seed=0)

    def objective(model, batch):
        return {
            "network": {"identity": nn.functional.cross_entropy(model(batch.frames).logits["global"], batch.labels)}
        }

    optimiser = torch.optim.Adam([p for p in model.parameters() if p.requires_grad], lr=3e-3)
    result = fit(model, objective, loader, iterations=30, optimisers={"network": optimiser}, progress=False)
    losses = result.history["network/identity"]
    assert losses[0] == pytest.approx(np.log(4), abs=0.1)
    assert losses[-1] < 0.2
