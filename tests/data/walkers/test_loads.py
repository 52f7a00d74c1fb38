"""What bags and clothes do to a gait: signs and sides."""

from dataclasses import replace

import numpy as np
import pytest

from reidlib.data.walkers.body import Body
from reidlib.data.walkers.gait import Gait, posture, sample_gait
from reidlib.data.walkers.loads import gait_under_load
from reidlib.data.walkers.wardrobe import Outfit

GAITS = [Gait(), *(sample_gait(np.random.default_rng(seed), Body()) for seed in range(20))]


def arms(gait):
    """Ranges (2,) of the left and the right shoulder over a cycle, radians."""
    times = np.arange(100) / 100 * 120 / gait.cadence
    return np.ptp(posture(gait, "walking", times, 0.0)[0].shoulder, axis=0)


@pytest.mark.parametrize("gait", GAITS[:5])
def test_who_carries_nothing_walks_as_before(gait):
    assert gait_under_load(gait, Outfit()) == gait
    assert gait_under_load(gait, Outfit(skirt=True, short_bottoms=True)) == gait
    assert gait_under_load(gait, Outfit(hat=True, boots=True, short_sleeves=False)) == gait


def test_a_backpack_leans_the_trunk_forward_and_damps_both_arms():
    for gait in GAITS:
        loaded = gait_under_load(gait, Outfit(backpack=True))
        assert loaded.lean > gait.lean and loaded.hip_swing < gait.hip_swing
        assert loaded.pelvis_turn < gait.pelvis_turn and loaded.shoulder_turn < gait.shoulder_turn
        assert loaded.arm_asymmetry == gait.arm_asymmetry
        np.testing.assert_allclose(arms(loaded) / arms(gait), 0.8)


@pytest.mark.parametrize(("bag", "left", "right"), [("shoulder_bag", 1, 0.6), ("hand_bag", 0.2, 1)])
def test_a_bag_on_one_side_damps_that_arm_alone(bag, left, right):
    for gait in GAITS:
        loaded = gait_under_load(gait, Outfit(**{bag: True}))
        np.testing.assert_allclose(arms(loaded) / arms(gait), (left, right))
        assert replace(loaded, arm_swing=0, arm_asymmetry=0) == replace(gait, arm_swing=0, arm_asymmetry=0)


def test_long_clothes_shorten_the_stride_the_more_the_longer():
    strides = [gait_under_load(Gait(), Outfit(coat=length)).hip_swing for length in (0.0, 0.3, 1.0)]
    assert strides[0] == Gait().hip_swing > strides[1] > strides[2] > 0.9 * strides[0]
    skirt = gait_under_load(Gait(), Outfit(skirt=True))
    assert replace(skirt, hip_swing=Gait().hip_swing) == Gait() and 0.9 < skirt.hip_swing < 1
    both = gait_under_load(Gait(), Outfit(skirt=True, coat=1.0, backpack=True))
    assert both.hip_swing < min(skirt.hip_swing, strides[2])
