"""What all networks have in common: they say what they look at, and give a copy of themselves for retrieval."""

import copy
from typing import Self

from torch import nn


class Network(nn.Module):
    """A network that is called with tensors by keyword and answers with a `ModelOutput`.

    inputs: what it has to be called with, names of fields of `reidlib.data.batches.ClipBatch` ("frames", "masks",
    "silhouettes", "next_frames") or of rendered ground truth ("parts", "flow", "joints"). optional_inputs: what it can
    use beside, if a run asks for it. Batches are made of exactly these, in training and in testing.
    training_only: submodules that only training needs, such as classifiers; they may be called None afterwards, or be
    empty where they are containers. supervised: names of the features, each with its logits, that the baseline's losses
    are taken of.
    """

    inputs: tuple[str, ...] = ("frames",)
    optional_inputs: tuple[str, ...] = ()
    training_only: tuple[str, ...] = ()
    supervised: tuple[str, ...] = ("global",)

    def for_retrieval(self) -> Self:
        """A copy in evaluation mode without what only training needs."""
        network = copy.deepcopy(self).eval()
        for path in self.training_only:
            place, _, name = path.rpartition(".")
            module = network.get_submodule(path) if getattr(network.get_submodule(place), name) is not None else None
            if isinstance(module, nn.ModuleDict):
                module.clear()
            else:
                setattr(network.get_submodule(place), name, None)
        return network
