"""How well a soft mask finds the person: overlap, average precision of the pixels, and the pointing game."""

from dataclasses import dataclass

import numpy as np
import torch
from scipy.stats import rankdata
from torch.nn import functional

from reidlib.evaluation.arrays import fractions, mean, one_channel, silhouettes


@dataclass(frozen=True)
class MaskScores:
    """Scores of soft masks, fractions in [0, 1]; means are over valid frames, NaN if none is."""

    iou: float  # intersection over union at the threshold
    average_precision: float  # of the pixels ranked by the mask
    pointing: float  # does the mask's highest value fall on the person?
    chance: float  # share of the pixels that are foreground: what a mask that knows nothing scores
    frame_iou: np.ndarray  # (N,) float64, as are the next three; NaN where the frame is not valid
    frame_average_precision: np.ndarray
    frame_pointing: np.ndarray
    frame_chance: np.ndarray
    valid: np.ndarray  # (N,) bool: the frame has foreground and background
    counts: dict[str, int]  # frames, valid; empty and full: frames without foreground and without background


def mask_scores(masks, truth, threshold: float = 0.5) -> MaskScores:
    """Scores of masks against true silhouettes, frame by frame.

    masks: (N, H, W) or (N, 1, H, W) in [0, 1], how much each pixel belongs to the person; truth: the same with
    booleans, or 0 and 1; NumPy or torch. Masks coarser than the truth are brought to its size by bilinear
    interpolation between the centres of their cells, as attention maps usually are. Nothing but foreground, or none,
    leaves a frame out.
    iou: of the pixels with at least `threshold`. average_precision: Σ (R_n − R_{n−1}) P_n over the mask's distinct
    values from the highest down, as scikit-learn's average_precision_score; equal values count together. pointing: 1
    if the highest value lies on the person, 0 if not; where several pixels share it, the share of them that do.
    chance: exactly what a mask of ones gets in all three , whatever the threshold. A mask of uniform random numbers has
    the same expected pointing, a lower expected iou, and an expected average precision that is higher by less than
    the n-th harmonic number over n for n pixels (0.004 for 64 × 32).

    Raises ValueError on empty arrays, other values or shapes, a mask finer than the truth, or a threshold that is not
    in (0, 1].
    Source of the pointing game: Zhang et al., "Top-down Neural Attention by Excitation Backprop", IJCV 2018.

    >>> scores = mask_scores([[[0.9, 0.8], [0.6, 0.1]]], [[[1, 0], [1, 0]]])
    >>> round(scores.iou, 3), round(scores.average_precision, 3), scores.pointing, scores.chance
    (0.667, 0.833, 1.0, 0.5)
    """
    if not 0 < threshold <= 1:
        raise ValueError(f"threshold must lie in (0, 1]; it is {threshold}")
    truth = silhouettes("truth", truth)
    masks = _as_large(fractions("masks", one_channel(masks), "(N, H, W)"), truth.shape)
    truth, masks = (maps.reshape(len(maps), -1) for maps in (truth, masks))
    share = truth.mean(axis=1)
    valid = (share > 0) & (share < 1)

    said = masks >= threshold
    scores = {
        "iou": (said & truth).sum(axis=1) / np.maximum((said | truth).sum(axis=1), 1),
        "average_precision": np.array([_average_precision(*pair) for pair in zip(masks, truth)]),
        "pointing": np.array([person[mask == mask.max()].mean() for mask, person in zip(masks, truth)]),
        "chance": share,
    }
    scores = {name: np.where(valid, values, np.nan) for name, values in scores.items()}
    return MaskScores(
        **{name: mean(values[valid]) for name, values in scores.items()},
        **{f"frame_{name}": values for name, values in scores.items()},
        valid=valid,
        counts={
            "frames": len(truth),
            "valid": int(valid.sum()),
            "empty": int((share == 0).sum()),
            "full": int((share == 1).sum()),
        },
    )


def best_iou(masks, truth) -> tuple[np.ndarray, float]:
    """Intersection over union at the best threshold: of every frame, (N,), NaN where it has no foreground or nothing
    else, and the one threshold whose mean over frames is the highest.

    masks and truth as in `mask_scores`. Tried are 49 quantiles of all values of the masks, from 2 to 98 %, so that it
    does not matter how a mask is scaled.
    """
    truth = silhouettes("truth", truth)
    masks = _as_large(fractions("masks", one_channel(masks), "(N, H, W)"), truth.shape)
    truth, masks = (maps.reshape(len(maps), -1) for maps in (truth, masks))
    valid = truth.any(axis=1) & ~truth.all(axis=1)
    best = np.full(len(masks), np.nan), float("nan")
    for threshold in np.unique(np.quantile(masks, np.linspace(0.02, 0.98, 49))):
        said = masks >= threshold
        iou = (said & truth).sum(axis=1) / np.maximum((said | truth).sum(axis=1), 1)
        if valid.any() and not iou[valid].mean() <= np.nan_to_num(best[0][valid], nan=-1.0).mean():
            best = np.where(valid, iou, np.nan), float(threshold)
    return best


def preference(ranks, chosen) -> np.ndarray:
    """Whether masks prefer some pixels to others: the mean of the ranks that `ranks_among` gives, at the chosen pixels
    among those that have one. 0.5 is no preference, whatever the share of the pixels that is chosen.

    ranks: (N, H, W); chosen: (N, H, W) booleans. Gives (N,) float64, NaN where no pixel or every pixel is chosen.

    >>> ranks = ranks_among([[[0.9, 0.8], [0.6, 0.1]]], [[[1, 1], [1, 1]]])
    >>> preference(ranks, [[[1, 1], [0, 0]]]).tolist()
    [0.75]
    """
    among = np.isfinite(ranks)
    chosen = silhouettes("chosen", chosen) & among
    count = chosen.sum(axis=(1, 2))
    some = (count > 0) & (count < among.sum(axis=(1, 2)))
    total = np.where(chosen, ranks, 0.0).sum(axis=(1, 2))
    return np.divide(total, count, out=np.full(len(ranks), np.nan), where=some)


def ranks_among(masks, among) -> np.ndarray:
    """The ranks of the masks' values at the pixels `among` of a frame, from 0 (the lowest) to 1, their mean being 0.5.
    Equal values share their mean rank, so that nothing depends on the scale of a mask.

    masks: as in `mask_scores`; among: (N, H, W) booleans. Gives (N, H, W) float64, NaN at all other pixels.
    """
    among = silhouettes("among", among)
    masks = _as_large(fractions("masks", one_channel(masks), "(N, H, W)"), among.shape)
    values = np.where(among, masks, np.nan).reshape(len(masks), -1)
    ranks = (rankdata(values, axis=1, nan_policy="omit") - 0.5) / np.isfinite(values).sum(axis=1, keepdims=True)
    return ranks.reshape(among.shape)


def _as_large(masks: np.ndarray, shape: tuple[int, ...]) -> np.ndarray:
    """Masks (N, h, w) in the size of the truth (N, H, W)."""
    if len(masks) != shape[0] or masks.shape[1] > shape[1] or masks.shape[2] > shape[2]:
        raise ValueError(
            f"masks must be one for each frame of truth, and not finer; the shapes are {masks.shape} and {shape}"
        )
    if masks.shape == shape:
        return masks
    return functional.interpolate(torch.from_numpy(masks)[:, None], shape[1:], mode="bilinear")[:, 0].numpy()


def _average_precision(scores: np.ndarray, relevant: np.ndarray) -> float:
    """Area under the precision-recall curve as a step function; scores and relevant (n,)."""
    order = np.argsort(-scores)
    ends = np.flatnonzero(np.diff(scores[order], append=-1))  # the last pixel of each group of equal scores
    found = np.cumsum(relevant[order])[ends]
    return float((np.diff(found, prepend=0) * found / (ends + 1)).sum() / max(found[-1], 1))
