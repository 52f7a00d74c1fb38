"""How far a predicted optical flow is from the true one."""

from dataclasses import dataclass

import numpy as np

from reidlib.evaluation.arrays import flow_at, mean, same_shape, shaped, silhouettes


@dataclass(frozen=True)
class EndPointError:
    """End-point errors in pixels; means are over valid frames, NaN if none is."""

    error: float
    zero_error: float  # of predicting that nothing moves, on the same pixels
    frame_error: np.ndarray  # (N,) float64: mean over the frame's valid pixels, NaN where there is none
    frame_zero_error: np.ndarray  # (N,) float64, the same
    valid: np.ndarray  # (N,) bool: the frame has a valid pixel
    counts: dict[str, int]  # frames, valid (frames), pixels (valid ones of all frames)


def end_point_error(predicted, truth, valid=None) -> EndPointError:
    """The mean distance in pixels between the end points of predicted and true flow vectors.

    predicted, truth: (N, 2, H, W), x and y in pixels; valid: (N, H, W) or (N, 1, H, W) booleans, the pixels that count,
    all if None; NumPy or torch. Every frame weighs the same, however many of its pixels are valid.

    Raises ValueError on empty arrays, shapes that differ, or flow that is not finite at a valid pixel.

    >>> scores = end_point_error([[[[3.0, 0.0]], [[4.0, 1.0]]]], [[[[0.0, 0.0]], [[0.0, 1.0]]]])
    >>> scores.error, scores.zero_error
    (2.5, 0.5)
    """
    true = shaped("truth", truth, "(N, 2, H, W)")
    everywhere = np.ones((len(true), *true.shape[2:]), dtype=bool)
    chosen = everywhere if valid is None else silhouettes("valid", valid)
    same_shape(("valid", "a component of truth"), chosen, everywhere)
    predicted, true = flow_at("predicted", predicted, chosen), flow_at("truth", true, chosen)

    pixels = chosen.sum(axis=(1, 2))
    error, zero_error = (
        np.where(pixels > 0, np.hypot(x, y).sum(axis=(1, 2)) / np.maximum(pixels, 1), np.nan)
        for x, y in (np.moveaxis(predicted - true, 1, 0), np.moveaxis(true, 1, 0))
    )
    return EndPointError(
        error=mean(error[pixels > 0]),
        zero_error=mean(zero_error[pixels > 0]),
        frame_error=error,
        frame_zero_error=zero_error,
        valid=pixels > 0,
        counts={"frames": len(true), "valid": int((pixels > 0).sum()), "pixels": int(pixels.sum())},
    )
