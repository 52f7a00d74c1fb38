"""How SS-HSP is trained, in two stages: Equations 6 to 8, then identification and triplet loss.

Wu and Liu, "Self-supervised human semantic parsing for video-based person re-identification" (JUSTC 2022), sections 3.4
and 4.1.
"""

from collections.abc import Callable, Mapping, Sequence
from functools import partial

import torch
from torch import Tensor, nn

from reidlib.data.batches import ClipBatch
from reidlib.experiments import Plan, Setting, register_training
from reidlib.losses import batch_hard_triplets, identity_loss
from reidlib.losses.parsing import (
    balance_loss,
    concentration_loss,
    map_divergence,
    photometric_loss,
    prior_loss,
    reconstruction_loss,
    squared_difference,
)
from reidlib.losses.splines import ThinPlateSpline
from reidlib.models import Network
from reidlib.models.parsing import SIZE, Pair, Segmentation
from reidlib.models.part_motion import Parts, back_warp, positions
from reidlib.models.perceptual import downscaled
from reidlib.training import gather, multistep

MARGIN = 0.3  # of the triplet loss, as in Hermans et al.; the paper gives none
EPOCHS = {"parsing": (120, (40, 80)), "whole": (400, (150, 300))}  # at paper scale: how many, and after which lr falls
COLOURS = 0.3  # largest change of brightness, contrast and saturation
PAPER_TERMS = ("reconstruction", "equivariance", "concentration")  # λ1, λ2, λ3 = 1
# What it takes beside, at mini scale, and how much each counts; see the table "what it takes".
ADDED_TERMS = {"photometric": 30.0, "prior": 1.0, "balance": 3.0}


def parsing_losses(
    model: Network,
    batch: ClipBatch,
    terms: Sequence[str],
    maps: Callable[[Tensor], Sequence[Tensor]] | None = None,
    anchored: bool = True,
) -> dict[str, dict[str, Tensor]]:
    """Stage 1: those of the paper's terms and ours that are named.

    Of every pair, either frame may be the one that is to be foreseen. A pair window is the box of one of its frames, so
    that this one has the person in its middle; if it were always the first, the network could give frames like those of
    a test, which nothing has to explain, other maps than those that explain the next.

    maps: of the network that judges reconstructions, None to compare pixels alone. anchored: whether the prior says
    which part is above which.
    """
    boxed, other = batch.frames.flatten(0, 1), batch.next_frames[:, :, 0].flatten(0, 1)
    turned = torch.randint(2, (len(boxed), 1, 1, 1), device=boxed.device).bool()
    frames, following = torch.where(turned, other, boxed), torch.where(turned, boxed, other)
    pair = model.pair(frames, following)
    found = {}
    if "reconstruction" in terms:
        found["reconstruction"] = reconstruction_loss(pair.predicted, following, maps or (lambda image: [image]))
    if "equivariance" in terms:
        found["equivariance"] = equivariance_loss(model.segmentation, frames, pair.now)
    if "concentration" in terms:
        found["concentration"] = concentration_loss(pair.now.maps, positions(*SIZE, pair.now.maps))
    if "photometric" in terms:
        found["photometric"] = photometric_loss(pair.then.maps, _errors(frames, following, pair))
    if "prior" in terms:
        prior = body_prior(model.segmentation.num_parts, anchored).to(frames.device)
        found["prior"] = prior_loss(torch.where(turned, pair.then.maps, pair.now.maps), prior)
    if "balance" in terms:
        found["balance"] = balance_loss(pair.now.maps)
    foreground = 1 - pair.now.maps[:, -1].detach().mean()
    return {"network": found, "watched": {"foreground": foreground}}


def equivariance_loss(segmentation: Segmentation, frames: Tensor, found: Parts) -> Tensor:
    """Equation 7: parts of I_t against those of Î_t = T_s(T_c(I_t)), a deformed frame in other colours.

    The deformed frame shows at z what the frame shows at T(z). So its maps are the frame's, read at T(z); and its
    shifts ê and affines Â, which the paper compares with T_s(e) and T_s(A), are carried back, T(ê) and T'(ê) Â, where
    a thin-plate spline needs no inverse. Gradients reach both sides. Positions whose T(z) is outside do not count.
    """
    height, width = SIZE
    z = positions(height, width, found.maps)
    spline = ThinPlateSpline.draw(len(frames), width / height, frames.device)
    there = spline.points(z.flatten(1).mT.expand(len(frames), -1, -1)).mT.unflatten(2, SIZE)
    inside = (there.abs() <= torch.tensor([width / height, 1.0], device=z.device)[:, None, None]).all(1, keepdim=True)
    deformed = segmentation(back_warp(recoloured(downscaled(frames, SIZE)), there))
    with torch.autocast(frames.device.type, enabled=False):
        carried = spline.jacobian(deformed.shifts) @ deformed.affines
        return (
            map_divergence(deformed.maps, back_warp(found.maps, there), inside.float())
            + squared_difference(carried, found.affines)
            + squared_difference(spline.points(deformed.shifts), found.shifts)
        )


def recoloured(frames: Tensor) -> Tensor:
    """T_c: frames (N, 3, H, W) in [0, 1] in another brightness, contrast and saturation each, drawn from torch's global
    generator."""
    brightness, contrast, saturation = (
        1 + COLOURS * (2 * torch.rand(3, len(frames), 1, 1, 1, device=frames.device) - 1)
    ).unbind(0)
    grey = frames.mean(1, keepdim=True)
    frames = grey + saturation * (frames - grey)
    mean = frames.mean((1, 2, 3), keepdim=True)
    return (brightness * (mean + contrast * (frames - mean))).clamp(0, 1)


def body_prior(num_parts: int, anchored: bool = True) -> Tensor:
    """Where people are in their boxes: (K + 1, h, w) of probabilities, the background last.

    A Gaussian ellipse in the middle of the frame; anchored: its K parts lie one above another, with soft borders,
    otherwise each has an equal share everywhere.
    """
    x, y = positions(*SIZE, torch.zeros(()))
    person = 0.9 * torch.exp(-0.5 * ((x / 0.2) ** 2 + (y / 0.75) ** 4))
    rows = torch.linspace(-0.8, 0.8, num_parts)[:, None, None]
    shares = (-0.5 * ((y - rows) / 0.15) ** 2).softmax(0) if anchored else torch.full_like(person, 1 / num_parts)
    return torch.cat([person * shares * torch.ones(num_parts, 1, 1), 1 - person[None]])


def _errors(frames: Tensor, following: Tensor, pair: Pair) -> Tensor:
    """How far the pixel that each part's flow fetches, and that of no flow, is from the next frame's: the mean absolute
    difference of colours, (N, K + 1, h, w)."""
    source, target = downscaled(frames, SIZE), downscaled(following, SIZE)
    count = pair.flows.shape[1]
    moved = back_warp(source.repeat_interleave(count, 0), pair.flows.flatten(0, 1)).unflatten(0, (-1, count))
    fetched = torch.cat([moved, source[:, None]], 1)
    return (fetched - target[:, None]).abs().mean(2)


@register_training("sshsp/parsing")
def parsing_training(setting: Setting) -> Plan:
    """Stage 1. Adam with weight decay 5e-4; at paper scale lr falls to a tenth after 40 and 80 of 120 epochs.

    training_options of the run: {"terms": those of `parsing_losses`, by default all; "weights": {term: how much it
    counts}, in place of `ADDED_TERMS` or 1; "anchored": as there}. The network that judges reconstructions is the part
    "perceptual" beside it; without one, pixels are compared. ValueError for an unknown term.
    """
    options = dict(setting.run.training_options)
    terms = tuple(options.pop("terms", (*PAPER_TERMS, *ADDED_TERMS)))
    weights = {**ADDED_TERMS, **options.pop("weights", {})}
    if unknown := {*terms, *weights} - {*PAPER_TERMS, *ADDED_TERMS}:
        raise ValueError(f"terms={sorted(unknown)}: expected some of {(*PAPER_TERMS, *ADDED_TERMS)}")
    judge = setting.beside.get("perceptual")
    objective = partial(parsing_losses, terms=terms, maps=judge.maps if judge else None, **options)
    return _plan(setting, "parsing", objective, {"network": {t: weight for t, weight in weights.items() if t in terms}})


def whole_losses(model: Network, batch: ClipBatch, terms: Sequence[str]) -> dict[str, dict[str, Tensor]]:
    """Stage 2: the identification loss with label smoothing, its mean over the features that have one, and the
    batch-hard triplet loss of all features joined; λ4 = λ5 = 1."""
    output = model(**batch.inputs(model.inputs))
    triplets = batch_hard_triplets(gather(output.embedding), gather(batch.labels), MARGIN)
    found = {}
    if "identity" in terms:
        losses = [identity_loss(logits, batch.labels) for logits in output.logits.values()]
        found["identity"] = torch.stack(losses).mean()
    if "triplet" in terms:
        found["triplet"] = triplets.loss
    return {"network": found, "watched": triplets.watched("triplet")}


@register_training("sshsp")
def whole_training(setting: Setting) -> Plan:
    """Stage 2. Adam with weight decay 5e-4; at paper scale lr falls to a tenth after 150 and 300 of 400 epochs.

    training_options of the run: {"terms": "identity" and "triplet", both by default}.
    """
    terms = tuple(setting.run.training_options.get("terms", ("identity", "triplet")))
    return _plan(setting, "whole", partial(whole_losses, terms=terms), {})


def _plan(setting: Setting, stage: str, objective: Callable, weights: Mapping[str, Mapping[str, float]]) -> Plan:
    """Adam's β1 is 0.9, which is all of "Nesterov momentum of 0.9" that it has."""
    parameters: list[nn.Parameter] = [p for p in setting.model.parameters() if p.requires_grad]
    epochs, drops = EPOCHS[stage]
    published = multistep([setting.run.iterations * drop // epochs for drop in drops])
    optimiser = torch.optim.Adam(parameters, lr=setting.run.learning_rate, weight_decay=5e-4)
    return Plan(objective, {"network": optimiser}, {"network": setting.schedule(published)}, weights)
