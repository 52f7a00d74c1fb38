"""The gait of every frame, as the scenes have it, and stride lengths by hand."""

import math
from dataclasses import replace

import numpy as np
import pytest

from reidlib.data import walkers
from reidlib.data.walkers.body import Body
from reidlib.data.walkers.gait import Gait
from reidlib.data.walkers.scene import Person
from reidlib.data.walkers.skeleton import lengths
from reidlib.data.walkers.worlds.gaits import NUMBERS, stride_length, with_gaits


@pytest.fixture
def street(new_cache):
    new_cache()
    return walkers.street(0, num_ids=10, workers=1, progress=False)


def test_every_frame_has_the_gait_of_its_scene(street):
    everybody = street.everybody
    assert len(NUMBERS) == 4
    walking = 0
    for tracklet, plain in zip(with_gaits(everybody), everybody):
        gait = tracklet.truth("gait")
        assert gait.shape == (len(plain), 4) and (tracklet.frames([2, 0]) == plain.frames([2, 0])).all()
        assert (tracklet.masks([1]) == plain.masks([1])).all()
        assert (tracklet.truth("box", [1]) == plain.truth("box", [1])).all()
        first = plain.later.scenes[0]
        if first.motion != "walking":
            assert np.isnan(gait[: first.num_frames]).all()
            continue
        walking += 1
        assert (gait[: first.num_frames, 0] == first.person.gait.cadence).all()
        phase = np.arctan2(gait[:, 2], gait[:, 3]) / (2 * math.pi)
        assert (phase[0] - first.phase) % 1 == pytest.approx(0, abs=1e-9) or phase[0] % 1 == pytest.approx(first.phase)
        step = (phase[1] - phase[0]) % 1  # two steps are a cycle; 12.5 frames a second
        assert step == pytest.approx(first.person.gait.cadence / 120 / 12.5)
        assert (tracklet.truth("gait", [3, 1]) == gait[[3, 1]]).all()
    assert walking > 0.8 * len(everybody)


def test_a_stride_is_the_swing_of_both_feet():
    """The hip swings from -19 to 26 degrees by the normal curve, its series being within a degree of it."""
    person = Person()
    size = lengths(Body())
    leg = size.thigh + size.shank
    expected = 2 * leg * (math.sin(math.radians(26)) + math.sin(math.radians(19)))
    assert stride_length(person) == pytest.approx(expected, rel=0.03)
    small = replace(person, body=replace(Body(), height=0.8 * Body().height))
    assert stride_length(small) == pytest.approx(0.8 * stride_length(person))
    shorter = stride_length(replace(person, gait=Gait(hip_swing=0.8)))
    assert 0.75 < shorter / stride_length(person) < 0.85
    assert stride_length(replace(person, gait=Gait(cadence=90.0))) == pytest.approx(stride_length(person))
    assert stride_length(replace(person, gait=Gait(asymmetry=0.15))) == pytest.approx(stride_length(person), rel=0.01)


def test_recorded_people_are_refused(street):
    with pytest.raises(ValueError, match="does not say how its person walks"):
        with_gaits([replace(street.query[0], later=None)])
