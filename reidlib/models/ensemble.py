"""Several networks as one: their features side by side."""

from collections.abc import Mapping, Sequence

import torch
from torch import Tensor, nn

from reidlib.models.network import Network
from reidlib.models.output import ModelOutput
from reidlib.models.registry import create_model


class Ensemble(Network):
    """Networks that see the same clips; what each finds is joined, as it is.

    Their features have comparable scales only where they are trained by the same loss with the same margin.
    members: name and options of each, as for `create_model`, such as [("gaitgl", {}), ("gaitmask", {"drop": 0.5})].
    num_ids, scale: of all members.
    """

    def __init__(self, *, num_ids: int, members: Sequence[tuple[str, Mapping]], scale: str = "paper"):
        super().__init__()
        self.members = nn.ModuleList(create_model(name, num_ids=num_ids, scale=scale, **how) for name, how in members)
        self.inputs = tuple(dict.fromkeys(name for member in self.members for name in member.inputs))

    def forward(self, **inputs: Tensor) -> ModelOutput:
        """inputs: those of the members, of which each gets its own. embedding: the joined features, (B, sum of D)."""
        if unknown := inputs.keys() - {*self.inputs}:
            raise TypeError(f"ensemble got an unexpected keyword argument {sorted(unknown)[0]!r}")
        outputs = [member(**{name: inputs[name] for name in member.inputs}) for member in self.members]
        return ModelOutput(torch.cat([output.embedding.float() for output in outputs], dim=1))

    def for_retrieval(self) -> "Ensemble":
        """A copy in evaluation mode of the members as they are for retrieval."""
        network = Ensemble(num_ids=1, members=())
        network.members.extend(member.for_retrieval() for member in self.members)
        network.inputs = self.inputs
        return network.eval()
