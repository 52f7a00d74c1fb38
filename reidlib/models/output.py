"""What every network returns."""

from dataclasses import dataclass, field

from torch import Tensor


@dataclass
class ModelOutput:
    """The result of one forward pass over B clips.

    embedding: (B, D), what retrieval compares. features: {name: (B, d), or (B, P, d) for P strips}, what metric losses
    work on. logits: {name: (B, n)}, what classification losses work on. attributes: {name: (B, n) scores of an
    attribute's n codes, the highest of which is predicted, or (B, 1) for one of two, predicted where it is above 0}.
    visuals: {name: tensor}, only to be looked at (masks, part maps, flows, predicted frames).
    """

    embedding: Tensor
    features: dict[str, Tensor] = field(default_factory=dict)
    logits: dict[str, Tensor] = field(default_factory=dict)
    visuals: dict[str, Tensor] = field(default_factory=dict)
    attributes: dict[str, Tensor] = field(default_factory=dict)
