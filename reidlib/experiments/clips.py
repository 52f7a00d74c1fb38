"""What the clips of a run hold: what its network declares, and what the run asks for beside."""

from collections.abc import Iterator, Sequence

from torch.utils.data import DataLoader

from reidlib.data import Tracklet
from reidlib.data.batches import PIXELS, ClipBatch, evaluation_batches
from reidlib.experiments.run import Run
from reidlib.models import ModelOutput, Network
from reidlib.training import outputs

TEST_CLIPS = 32  # clips in a batch of evaluation


def inputs_of(network: Network, run: Run) -> tuple[str, ...]:
    """The fields of a batch that the run's network is called with: all that it needs, and what it can use if the run
    gives it. ValueError for masks that it does not look at."""
    given = {"masks": run.masks, "silhouettes": run.silhouettes > 0}
    names = (*network.inputs, *(name for name in network.optional_inputs if given.get(name, True)))
    if run.masks and "masks" not in names:
        raise ValueError(f"masks=True, but {run.model} does not look at masks; leave them out")
    return tuple(dict.fromkeys(names))


def clip_content(network: Network, run: Run) -> dict:
    """What `train_batches` and `evaluation_batches` are asked for: the network's inputs, and successors and ground
    truth that the run's objective or evaluation needs."""
    names = inputs_of(network, run)
    truth = tuple(dict.fromkeys((*(name for name in names if name not in PIXELS), *run.truth)))
    of_frames = {"frames", "masks", "next_frames"}.intersection(names) or truth or run.next_frames
    return {
        "num_frames": run.num_frames if of_frames else 0,
        "masks": "masks" in names,
        "silhouettes": run.silhouettes if "silhouettes" in names else 0,
        "next_frames": run.next_frames,
        "time_step": run.time_step,
        "truth": truth,
        "windows": run.windows,
    }


def batches_of(tracklets: Sequence[Tracklet], network: Network, run: Run, **more) -> DataLoader:
    """Every tracklet once, in clips as the run asks for them in testing; more: further arguments of
    `evaluation_batches`, in place of the run's. Successors that the network does not look at stay in tracked boxes,
    which all data have."""
    options = {"batch_size": TEST_CLIPS, "sampling": run.test_sampling} | clip_content(network, run)
    if "next_frames" not in inputs_of(network, run):
        options["windows"] = "tracked"
    return evaluation_batches(tracklets, **options | more)


def answers(
    network: Network, tracklets: Sequence[Tracklet], run: Run, progress: bool = True, **more
) -> Iterator[tuple[ClipBatch, ModelOutput]]:
    """What the network answers to every batch of `batches_of`, beside the batch; its successors are cut as the run
    says."""
    return outputs(
        network,
        batches_of(tracklets, network, run, **{"windows": run.windows} | more),
        inputs=inputs_of(network, run),
        precision=run.precision,
        progress=progress,
    )
