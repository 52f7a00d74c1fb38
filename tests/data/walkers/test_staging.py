"""The detector's box: what moves with the frames."""

from dataclasses import replace

import numpy as np
import pytest

from reidlib.data.walkers.scene import BoxError, Scene
from reidlib.data.walkers.staging import detector_box, subject

TIGHT = Scene(motion="standing", num_frames=60, fps=12.5)


def shifts(scene):
    """By how much the box lies right and below of where it would without an error (n, 2), in its own sides."""
    boxes = [detector_box(s, subject(s), (64, 32)) for s in (replace(scene, box_error=BoxError()), scene)]
    middles = [np.stack([b.left + 16 / b.scale, b.top + 32 / b.scale], -1) for b in boxes]
    return (middles[1] - middles[0]) / np.stack([32 / boxes[1].scale, 64 / boxes[1].scale], -1)


def test_a_drifting_box_slides_slowly_over_the_person():
    drift, jitter = (
        np.array([shifts(replace(TIGHT, box_error=error, seed=seed)) for seed in range(40)])
        for error in (BoxError(drift=0.02), BoxError(jitter=0.02))
    )
    assert np.std(drift, axis=(0, 1)) == pytest.approx(0.02, rel=0.2)
    assert np.std(jitter, axis=(0, 1)) == pytest.approx(0.02, rel=0.2)
    step = [np.std(np.diff(shift, axis=1)) for shift in (drift, jitter)]
    assert step[0] < 0.3 * 0.02 and step[1] > 1.2 * 0.02
    assert np.ptp(drift, axis=1).min() > 0.02  # within five seconds the box has moved in every tracklet


def test_the_drift_is_of_time_whatever_the_frames_a_second():
    slow, fast = (
        shifts(replace(TIGHT, fps=fps, num_frames=n, box_error=BoxError(drift=0.02), seed=3))
        for fps, n in ((10.0, 20), (20.0, 40))
    )
    np.testing.assert_allclose(slow[:20], fast[:40:2], atol=1e-9)
