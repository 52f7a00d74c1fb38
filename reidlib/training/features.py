"""From tracklets to features: a trained network applied to test batches."""

from collections.abc import Iterable
from typing import Any, Literal

import torch
from torch import Tensor, nn
from tqdm.auto import tqdm

from reidlib.training.distributed import start_processes


@torch.no_grad()
def extract_features(
    model: nn.Module,
    batches: Iterable[Any],
    *,
    precision: Literal["bf16", "no"] = "bf16",
    progress: bool = True,
) -> Tensor:
    """One embedding for each of N tracklets: float32 (N, D) on the CPU, in the order of the tracklets.

    batches: those of `reidlib.data.batches.test_batches`. Where a tracklet has several clips ("dense"
    sampling), its embedding is the mean of theirs. The network is run in evaluation mode, under bfloat16
    autocast with precision="bf16", and left in the mode it was in. ValueError if a tracklet has no clip.
    """
    device = start_processes().device
    training = model.training
    model.to(device).eval()
    embeddings, positions = [], []
    for batch in tqdm(batches, desc="features", disable=not progress):
        batch = batch.to(device)
        with torch.autocast(device.type, torch.bfloat16, enabled=precision == "bf16"):
            output = model(frames=batch.frames, masks=batch.masks, silhouettes=batch.silhouettes)
        embeddings.append(output.embedding.float())
        positions.append(batch.tracklets)
    model.train(training)
    return _mean_by_tracklet(torch.cat(embeddings), torch.cat(positions)).cpu()


def _mean_by_tracklet(embeddings: Tensor, positions: Tensor) -> Tensor:
    """Embeddings of clips (n, D) and their tracklets' numbers (n,) -> the mean of each tracklet (N, D)."""
    counts = positions.bincount()
    if not counts.all():
        raise ValueError(f"no clip of tracklet {counts.eq(0).nonzero()[0].item()} among {len(counts)}")
    sums = embeddings.new_zeros(len(counts), embeddings.shape[1]).index_add_(0, positions, embeddings)
    return sums / counts[:, None]
