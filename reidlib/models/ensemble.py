"""Several networks as one: their features side by side."""

from collections.abc import Mapping, Sequence

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from reidlib.models.output import ModelOutput
from reidlib.models.registry import create_model


class Ensemble(nn.Module):
    """Networks that see the same clips; what each finds is brought to unit length and joined.

    members: name and options of each, as for `create_model`, such as [("gaitgl", {}), ("gaitmask", {"drop": 0.5})].
    num_ids, scale: of all members.
    """

    def __init__(self, *, num_ids: int, members: Sequence[tuple[str, Mapping]], scale: str = "paper"):
        super().__init__()
        self.members = nn.ModuleList(create_model(name, num_ids=num_ids, scale=scale, **how) for name, how in members)

    def forward(self, **inputs: Tensor | None) -> ModelOutput:
        """inputs: those of the members. embedding: the joined features, (B, sum of D), of unit length in all."""
        embeddings = [F.normalize(member(**inputs).embedding.float()) for member in self.members]
        return ModelOutput(torch.cat(embeddings, dim=1) / len(embeddings) ** 0.5)

    def for_retrieval(self) -> "Ensemble":
        """A copy in evaluation mode of the members as they are for retrieval."""
        network = Ensemble(num_ids=1, members=())
        network.members.extend(member.for_retrieval() for member in self.members)
        return network.eval()
