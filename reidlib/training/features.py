"""From tracklets to features: a trained network applied to test batches."""

from collections.abc import Iterable, Iterator, Sequence

import torch
from torch import Tensor
from tqdm.auto import tqdm

from reidlib.data.batches import ClipBatch
from reidlib.models import ModelOutput, Network
from reidlib.training.distributed import start_processes
from reidlib.training.precision import Precision, autocast


def extract_features(
    model: Network,
    batches: Iterable[ClipBatch],
    *,
    inputs: Sequence[str] | None = None,
    precision: Precision = "bf16",
    progress: bool = True,
) -> Tensor:
    """One embedding for each of N tracklets: float32 (N, D) on the CPU, in the order of the tracklets.

    batches: those of `reidlib.data.batches.evaluation_batches`. Where a tracklet has several clips ("dense" sampling),
    its embedding is the mean of theirs. The other arguments are those of `outputs`. ValueError if a tracklet has no
    clip.
    """
    found = [
        (output.embedding.float(), batch.tracklets)
        for batch, output in outputs(
            model, batches, inputs=inputs, precision=precision, progress=progress, description="features"
        )
    ]
    embeddings, positions = (torch.cat(values) for values in zip(*found))
    return _mean_by_tracklet(embeddings, positions).cpu()


@torch.no_grad()
def outputs(
    model: Network,
    batches: Iterable[ClipBatch],
    *,
    inputs: Sequence[str] | None = None,
    precision: Precision = "bf16",
    progress: bool = True,
    description: str = "evaluation",
) -> Iterator[tuple[ClipBatch, ModelOutput]]:
    """What a network answers to each batch, on the network's device, beside the batch.

    inputs: fields of the batch that it is called with, by default those that it declares. precision: "bf16" where the
    device computes it natively, or "no". The network is run in evaluation mode and left in the modes it was in.
    """
    device = start_processes().device
    modes = {module: module.training for module in model.modules()}
    model.to(device).eval()
    try:
        for batch in tqdm(batches, desc=description, disable=not progress, leave=False):
            batch = batch.to(device)
            with autocast(precision, device):
                output = model(**batch.inputs(model.inputs if inputs is None else inputs))
            yield batch, output
    finally:
        for module, mode in modes.items():
            module.training = mode


def _mean_by_tracklet(embeddings: Tensor, positions: Tensor) -> Tensor:
    """Embeddings of clips (n, D) and their tracklets' numbers (n,) -> the mean of each tracklet (N, D)."""
    counts = positions.bincount()
    if not counts.all():
        raise ValueError(f"no clip of tracklet {counts.eq(0).nonzero()[0].item()} among {len(counts)}")
    sums = embeddings.new_zeros(len(counts), embeddings.shape[1]).index_add_(0, positions, embeddings)
    return sums / counts[:, None]
