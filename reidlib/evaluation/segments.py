"""Segments of the body that were found without labels: do they agree with the true ones, and do they last?"""

from dataclasses import dataclass

import numpy as np
from scipy.optimize import linear_sum_assignment

from reidlib.evaluation.arrays import codes, flow_at, mean, same_shape, silhouettes


@dataclass(frozen=True)
class SegmentScores:
    """Agreement of P found segments with T true classes, fractions in [0, 1]."""

    mean_iou: float  # over the true classes that occur in the set
    pixel_accuracy: float
    iou: np.ndarray  # (T,) float64, over the whole set; 0 if nothing was matched, NaN where the class does not occur
    matching: np.ndarray  # (P,) int64: the true class that each found segment stands for; -1: none
    frame_iou: np.ndarray  # (N,) float64: mean over the true classes that occur in the frame
    frame_accuracy: np.ndarray  # (N,) float64: share of the frame's pixels
    counts: dict[str, int]  # frames, classes (true ones that occur), matched (found segments that stand for one)


def segment_scores(predicted, truth, num_predicted: int, num_true: int) -> SegmentScores:
    """Intersection over union after the best one-to-one matching of found segments to true classes.

    predicted: (N, H, W) integers from 0 to num_predicted − 1, whose numbers mean nothing; truth: (N, H, W) integers
    from 0 to num_true − 1; background, where there is one, is a class like the others; NumPy or torch.
    One matching serves the whole set: the one with the highest sum of IoU, computed from the set's confusion matrix
    (Hungarian method). So mean_iou is the best that any naming of the segments gets. Other work maximises the pixels in
    agreement instead, where large classes decide. True classes without a segment have an IoU of 0, pixels of segments
    without a class are wrong.

    Raises ValueError on empty arrays, shapes that differ and labels out of range.

    >>> scores = segment_scores([[[2, 2, 0, 1]]], [[[0, 0, 1, 1]]], num_predicted=3, num_true=2)
    >>> scores.iou.tolist(), scores.mean_iou, scores.pixel_accuracy, scores.matching.tolist()
    ([1.0, 0.5], 0.75, 0.75, [1, -1, 0])
    """
    predicted = codes("predicted", predicted, "(N, H, W)", num_predicted)
    truth = codes("truth", truth, "(N, H, W)", num_true)
    same_shape(("predicted", "truth"), predicted, truth)
    frames, cells = len(truth), num_predicted * num_true
    cell = np.arange(frames)[:, None, None] * cells + predicted * num_true + truth
    confusion = np.bincount(cell.ravel(), minlength=frames * cells).reshape(frames, num_predicted, num_true)

    found, true = linear_sum_assignment(_pairwise_iou(confusion.sum(axis=0)), maximize=True)
    overlap = confusion.sum(axis=0)[found, true] > 0  # a pair that shares no pixel is no match
    found, true = found[overlap], true[overlap]
    matching = np.full(num_predicted, -1)
    matching[found] = true

    def class_iou(counts: np.ndarray) -> np.ndarray:  # (…, P, T) -> (…, T)
        iou = np.zeros((*counts.shape[:-2], num_true))
        iou[..., true] = _pairwise_iou(counts)[..., found, true]
        return np.where(counts.sum(axis=-2) > 0, iou, np.nan)

    iou = class_iou(confusion.sum(axis=0))
    frame_accuracy = confusion[:, found, true].sum(axis=1) / truth[0].size
    return SegmentScores(
        mean_iou=float(np.nanmean(iou)),
        pixel_accuracy=float(frame_accuracy.mean()),
        iou=iou,
        matching=matching,
        frame_iou=np.nanmean(class_iou(confusion), axis=1),
        frame_accuracy=frame_accuracy,
        counts={"frames": frames, "classes": int((~np.isnan(iou)).sum()), "matched": len(found)},
    )


@dataclass(frozen=True)
class TemporalConsistency:
    """How long labels last, fractions in [0, 1]; the mean is over pairs with a pixel to follow, NaN without one."""

    consistency: float
    pair_consistency: np.ndarray  # (N,) float64, NaN where no pixel of the pair could be followed
    counts: dict[str, int]  # pairs, valid (pairs); followed and outside: pixels, the latter leave the image


def temporal_consistency(labels_now, labels_next, flow, valid=None) -> TemporalConsistency:
    """The share of pixels whose label is still the same at the place that the flow takes them to in the next frame.

    labels_now, labels_next: (N, H, W) integers, at least 0; flow: (N, 2, H, W), x and y in pixels from each pixel of
    the first frame to the same point in the next; valid: (N, H, W) booleans, the pixels to follow (those of the person,
    say), all if None; NumPy or torch. The label in the next frame is that of the nearest pixel (halves go to the right
    and down); pixels that leave the image are left out and counted. A labelling that says the same everywhere is
    perfectly consistent, so this says something only beside a score such as `segment_scores`.

    Raises ValueError on empty arrays, shapes that differ, labels below 0, or flow that is not finite at a valid pixel.

    >>> flow = [[[[1, 1, 1]], [[0, 0, 0]]]]  # one to the right
    >>> temporal_consistency([[[4, 5, 6]]], [[[9, 4, 9]]], flow).consistency
    0.5
    """
    now = codes("labels_now", labels_now, "(N, H, W)", np.inf)
    after = codes("labels_next", labels_next, "(N, H, W)", np.inf)
    same_shape(("labels_now", "labels_next"), now, after)
    valid = np.ones(now.shape, dtype=bool) if valid is None else silhouettes("valid", valid)
    same_shape(("labels_now", "valid"), now, valid)
    flow = flow_at("flow", flow, valid)

    pair, row, column = np.nonzero(valid)
    x, y = np.floor(np.stack([column, row]) + flow[pair, :, row, column].T + 0.5)
    inside = (x >= 0) & (x < now.shape[2]) & (y >= 0) & (y < now.shape[1])
    pair, row, column, x, y = pair[inside], row[inside], column[inside], x[inside].astype(int), y[inside].astype(int)
    same = now[pair, row, column] == after[pair, y, x]
    followed = np.bincount(pair, minlength=len(now))
    kept = np.bincount(pair, weights=same, minlength=len(now))
    shares = np.where(followed > 0, kept / np.maximum(followed, 1), np.nan)
    return TemporalConsistency(
        consistency=mean(shares[followed > 0]),
        pair_consistency=shares,
        counts={
            "pairs": len(now),
            "valid": int((followed > 0).sum()),
            "followed": int(inside.sum()),
            "outside": int((~inside).sum()),
        },
    )


def _pairwise_iou(confusion: np.ndarray) -> np.ndarray:
    """IoU of each found segment with each true class, (…, P, T), from their counts of pixels; 0 if both are empty."""
    union = confusion.sum(axis=-1, keepdims=True) + confusion.sum(axis=-2, keepdims=True) - confusion
    return confusion / np.maximum(union, 1)
