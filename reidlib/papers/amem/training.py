"""How AMEM and its auxiliaries are trained: Equations 1 to 7.

Li, Yu, Hu, "Appearance and Motion Enhancement for Video-Based Person Re-Identification" (AAAI 2020).
"""

from collections.abc import Mapping
from typing import Literal

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from reidlib.data.batches import ClipBatch
from reidlib.experiments import Plan, Setting, register_training
from reidlib.losses import batch_hard_triplets, identity_loss
from reidlib.models import Network
from reidlib.models.texture import Discriminator, discriminator_loss
from reidlib.training import gather, multistep

MARGIN = 0.2  # k
LAMBDAS = {"appearance": 0.1, "motion": 10.0}  # λ_A and λ_M
ROUNDS = 3  # c
TARGETS = ("next", "current", "shuffled")


def attribute_loss(scores: Mapping[str, Tensor], codes: Mapping[str, Tensor]) -> Tensor:
    """Equations 1 and 2, and with pseudo-labels Equation 3: the binary cross-entropy of each attribute, a mean over the
    batch, summed over attributes and so over their groups; cross-entropy where an attribute has several codes.

    scores: {name: (B, 1), or (B, n) of n codes}; codes: {name: (B,)}, -1 where it is not known, which is left out.
    """
    total = torch.zeros((), device=next(iter(scores.values())).device)
    for name, values in scores.items():
        known = codes[name] >= 0
        values, code = values.float()[known], codes[name][known]
        if len(code) and values.shape[1] == 1:
            total = total + F.binary_cross_entropy_with_logits(values[:, 0], code.float())
        elif len(code):
            total = total + F.cross_entropy(values, code)
    return total


def squared_error(made: Tensor, true: Tensor) -> Tensor:
    """The first terms of Equations 4 and 5, which the text calls mean squared errors: (B, c, …) -> the mean over clips
    and pixels, summed over the c frames."""
    return (made.float() - true.float()).square().transpose(0, 1).flatten(1).mean(1).sum()


def fooling_loss(discriminator: nn.Module, made: Tensor) -> Tensor:
    """The adversarial term of Equations 4 and 5 for who makes the images (N, 3, H, W), in the form that does not
    saturate: the mean of -log D, whose gradient points where that of log(1 - D) does."""
    return F.softplus(-discriminator(made).float()).mean()


class Adversary(nn.Module):
    """The discriminator of an objective, whose parameters an optimiser of its own trains."""

    def __init__(self, scale: str):
        super().__init__()
        self.discriminator = Discriminator(scale)

    def terms(self, made: Tensor, real: Tensor) -> tuple[Tensor, dict[str, Tensor], dict[str, Tensor]]:
        """Images (N, 3, H, W) -> the term of who made them, the discriminator's group of terms, and what is watched:
        how much made images differ from one another, 1 being as much as real ones do, and 0 a collapse."""
        own = {"discriminator": discriminator_loss(self.discriminator, real, made)}
        variation = made.detach().float().std(0).mean() / real.float().std(0).mean().clamp(min=1e-6)
        return fooling_loss(self.discriminator, made), own, {"variation of pictures": variation}


def without_gradient(*groups: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Terms as they are watched: a record keeps what is watched, and nothing else of the losses."""
    return {name: value.detach() for group in groups for name, value in group.items()}


class TextureObjective(Adversary):
    """Equation 4: squared error and adversarial term of reconstructed images. All terms are watched."""

    def forward(self, model: Network, batch: ClipBatch) -> dict[str, dict[str, Tensor]]:
        made = model(frames=batch.frames).visuals["reconstruction"]
        fooling, own, watched = self.terms(made.flatten(0, 1), batch.frames.flatten(0, 1))
        pixels = squared_error(made.flatten(0, 1)[:, None], batch.frames.flatten(0, 1)[:, None])
        terms = {"pixels": pixels, "adversarial": fooling}
        return {"network": terms, "adversary": own, "watched": watched | without_gradient(terms, own)}


class Objective(nn.Module):
    """Equations 5 to 7: identity and triplet loss, and those of the branches that the network has.

    rounds: c, how many frames are foreseen. adversarial: whether Equation 5 has its adversarial term. target: what the
    frames are compared with, "next" for those that follow, "current" for the frame itself every time, "shuffled" for
    frames of the clip in random order, one after the other. Frames that follow are the clip's own, as in the paper, or
    those that the batch brings (`Run.next_frames`). All terms of Equation 5 are watched.
    """

    def __init__(
        self,
        scale: str,
        rounds: int = ROUNDS,
        adversarial: bool = True,
        target: Literal["next", "current", "shuffled"] = "next",
    ):
        super().__init__()
        if target not in TARGETS or rounds < 1:
            raise ValueError(f"target={target!r}, rounds={rounds}: expected one of {TARGETS}, and one round or more")
        self.rounds, self.target = rounds, target
        self.adversary = Adversary(scale) if adversarial else None

    def forward(self, model: Network, batch: ClipBatch) -> dict[str, dict[str, Tensor]]:
        """The terms of the network and of the discriminator, if there is one."""
        foresight = getattr(model, "foresight", None)
        if foresight is None:
            output = model(frames=batch.frames)
        else:
            maps = model.maps(batch.frames)
            output = model.describe(maps)
        feature, everyone = output.features["global"], gather(batch.labels)
        triplets = batch_hard_triplets(gather(feature), everyone, MARGIN)
        terms = {
            "identity": identity_loss(output.logits["global"], batch.labels, smoothing=0.0),
            "triplet": triplets.loss,
        }
        watched = triplets.watched("triplet")
        if output.attributes:
            terms["attributes"] = attribute_loss(output.attributes, batch.attributes)
        if foresight is None:
            return {"network": terms, "watched": watched}
        start, true = self.start_and_targets(batch)
        made, textures = foresight(start, maps["motion"], self.rounds)
        of_motion = {
            "pixels": squared_error(made, true),
            "textures": squared_error(textures, foresight.textures(true)),
        }
        if self.adversary is None:
            return {"network": terms | of_motion, "watched": watched | without_gradient(of_motion)}
        of_motion["adversarial"], own, seen = self.adversary.terms(made.flatten(0, 1), true.flatten(0, 1))
        watched |= seen | without_gradient(of_motion, own)
        return {"network": terms | of_motion, "adversary": own, "watched": watched}

    def start_and_targets(self, batch: ClipBatch) -> tuple[Tensor, Tensor]:
        """A random frame I^t of each clip, (B, 3, H, W), and the c frames that are to be foreseen, (B, c, 3, H, W).

        0 < t < T - c, as the paper writes it, counts frames from 1: the clip's last frame is never foreseen. ValueError
        for clips that are too short.
        """
        frames, c = batch.frames, self.rounds
        count, time = frames.shape[:2]
        if time < c + 2:
            raise ValueError(f"clips of {time} frames: foreseeing {c} needs {c + 2}")
        rows = torch.arange(count, device=frames.device)
        start = torch.randint(time - c - 1, (count,), device=frames.device)
        if self.target == "shuffled":
            order = torch.rand(count, time, device=frames.device).argsort(1)
            frames = frames[rows[:, None], order]
        current = frames[rows, start]
        if self.target == "current":
            return current, current[:, None].expand(-1, c, -1, -1, -1)
        if batch.next_frames is not None:
            return current, batch.next_frames[rows, start][:, :c]
        following = start[:, None] + torch.arange(1, c + 1, device=frames.device)
        return current, frames[rows[:, None], following]


@register_training("amem")
def training(setting: Setting) -> Plan:
    """Equations 6 and 7 by Adam with weight decay 5e-4, for AMEM and for any network with a "global" feature.

    training_options of the run, beside the arguments of `Objective`: "lambdas", λ_A and λ_M; "texture", the weight of
    the texture term in Equation 5; "weight", that of its adversarial term.
    """
    options = dict(setting.run.training_options)
    of_appearance, of_motion = options.pop("lambdas", tuple(LAMBDAS.values()))
    texture, adversarial = options.pop("texture", 1.0), options.pop("weight", 1.0)
    objective = Objective(setting.run.scale, **options)
    model = setting.model
    weights = {"attributes": of_appearance} if getattr(model, "attributes", None) is not None else {}
    if getattr(model, "foresight", None) is None:
        objective.adversary = None
    else:
        weights |= {"pixels": of_motion, "textures": of_motion * texture}
        weights |= {"adversarial": of_motion * adversarial} if objective.adversary else {}
    return _plan(setting, objective, weights)


@register_training("amem/textures")
def textures(setting: Setting) -> Plan:
    """Equation 4: the texture autoencoder against its discriminator. training_options: "weight", as in `training`."""
    weight = setting.run.training_options.get("weight", 1.0)
    return _plan(setting, TextureObjective(setting.run.scale), {"adversarial": weight})


def attribute_objective(model: Network, batch: ClipBatch) -> dict[str, dict[str, Tensor]]:
    """Equations 1 and 2 on images or clips."""
    return {"network": {"attributes": attribute_loss(model(frames=batch.frames).attributes, batch.attributes)}}


@register_training("amem/attributes")
def attributes(setting: Setting) -> Plan:
    """Equations 1 and 2: the attribute recognition model."""
    return _plan(setting, attribute_objective, {})


def _plan(setting: Setting, objective, weights: Mapping[str, float]) -> Plan:
    """Adam for the network, its rate a fifth after each third of the training, the paper's 60 epochs of an unknown
    number, which is 180 here; DCGAN's Adam for a discriminator."""
    run = setting.run
    parameters = [p for p in setting.model.parameters() if p.requires_grad]
    published = multistep((run.iterations // 3, run.iterations * 2 // 3), gamma=0.2)
    optimisers = {"network": torch.optim.Adam(parameters, lr=run.learning_rate, weight_decay=5e-4)}
    if isinstance(objective, nn.Module) and (adversary := list(objective.parameters())):
        optimisers["adversary"] = torch.optim.Adam(adversary, lr=2e-4, betas=(0.5, 0.999))
    return Plan(objective, optimisers, {"network": setting.schedule(published)}, {"network": weights})
