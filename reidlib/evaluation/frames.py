"""How well frames are predicted, beside repeating the last frame, which is hard to beat where little moves."""

from dataclasses import dataclass

import numpy as np
from scipy.ndimage import gaussian_filter

from reidlib.evaluation.arrays import fractions, mean, same_shape, silhouettes

MAX_PSNR = 100.0  # dB: what identical frames get, whose ratio is infinite, and the most that any frame gets
_RADIUS = 5  # pixels: the window of SSIM has 11 × 11


@dataclass(frozen=True)
class FrameScores:
    """Scores of predicted frames, values in [0, 1] if not said otherwise; each is a mean over frames."""

    psnr: float  # dB, from 0 to MAX_PSNR
    ssim: float  # in [-1, 1]
    mse: float  # mean squared error
    foreground_error: float | None  # mean absolute error inside the foreground, over valid frames; None if not asked
    frame_psnr: np.ndarray  # (N,) float64, as are the next two
    frame_ssim: np.ndarray
    frame_mse: np.ndarray
    frame_foreground_error: np.ndarray | None  # (N,) float64, NaN where the frame has no foreground
    counts: dict[str, int]  # frames; empty: frames without foreground (if asked)
    repeated: "FrameScores | None" = None  # the same for repeating the last frame


def frame_scores(predicted, target, last=None, foreground=None) -> FrameScores:
    """PSNR and SSIM of predicted frames, and their mean absolute error inside the foreground.

    predicted, target: (N, 3, H, W) in [0, 1]; last: the same, the last frame that was seen before each target, scored
    against the target as if it were the prediction; foreground: (N, H, W) or (N, 1, H, W), booleans or 0 and 1; NumPy
    or torch. H and W are at least 11.
    psnr: −10 log10 of the frame's mean squared error, at most `MAX_PSNR`. ssim: mean over the three channels and all
    places where the window lies inside the image; an 11 × 11 Gaussian window with a standard deviation of 1.5 pixels,
    K1 = 0.01, K2 = 0.03, L = 1. Frames without foreground are left out of foreground_error and counted.
    Source of SSIM: Wang et al., "Image Quality Assessment: From Error Visibility to Structural Similarity", 2004.

    Raises ValueError on empty or small images, other values, and shapes that differ.

    >>> black, grey = np.zeros((1, 3, 16, 16)), np.full((1, 3, 16, 16), 0.1)
    >>> scores = frame_scores(grey, black, last=black)
    >>> round(scores.psnr, 6), scores.repeated.psnr, scores.repeated.ssim
    (20.0, 100.0, 1.0)
    """
    target = fractions("target", target, "(N, 3, H, W)")
    if min(target.shape[2:]) < 2 * _RADIUS + 1:
        raise ValueError(f"target must be at least 11 × 11 pixels, the window of SSIM; its shape is {target.shape}")
    if foreground is not None:
        foreground = silhouettes("foreground", foreground)
        same_shape(("foreground", "a channel of target"), foreground, target[:, 0])
    repeated = None if last is None else _scores("last", last, target, foreground)
    return _scores("predicted", predicted, target, foreground, repeated)


def _scores(
    name: str, images, target: np.ndarray, foreground: np.ndarray | None, repeated: FrameScores | None = None
) -> FrameScores:
    images = fractions(name, images, "(N, 3, H, W)")
    same_shape((name, "target"), images, target)
    mse = ((images - target) ** 2).mean(axis=(1, 2, 3))
    psnr = -10 * np.log10(np.maximum(mse, 10 ** (-MAX_PSNR / 10)))
    ssim = _ssim(images, target)
    counts, error, mean_error = {"frames": len(target)}, None, None
    if foreground is not None:
        pixels = foreground.sum(axis=(1, 2))
        total = (np.abs(images - target).mean(axis=1) * foreground).sum(axis=(1, 2))
        error = np.where(pixels > 0, total / np.maximum(pixels, 1), np.nan)
        mean_error, counts["empty"] = mean(error[pixels > 0]), int((pixels == 0).sum())
    return FrameScores(
        psnr=float(psnr.mean()),
        ssim=float(ssim.mean()),
        mse=float(mse.mean()),
        foreground_error=mean_error,
        frame_psnr=psnr,
        frame_ssim=ssim,
        frame_mse=mse,
        frame_foreground_error=error,
        counts=counts,
        repeated=repeated,
    )


def _ssim(x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """Structural similarity (N,) of images (N, C, H, W) in [0, 1]; equation 13 of Wang et al."""

    def smooth(values: np.ndarray) -> np.ndarray:
        filtered = gaussian_filter(values, 1.5, radius=_RADIUS, axes=(2, 3))
        return filtered[:, :, _RADIUS:-_RADIUS, _RADIUS:-_RADIUS]

    c1, c2 = 0.01**2, 0.03**2
    mean_x, mean_y = smooth(x), smooth(y)
    variance_x, variance_y = smooth(x * x) - mean_x**2, smooth(y * y) - mean_y**2
    covariance = smooth(x * y) - mean_x * mean_y
    similarity = (2 * mean_x * mean_y + c1) * (2 * covariance + c2)
    similarity /= (mean_x**2 + mean_y**2 + c1) * (variance_x + variance_y + c2)
    return similarity.mean(axis=(1, 2, 3))
