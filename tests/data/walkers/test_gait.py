from dataclasses import asdict, fields

import numpy as np
import pytest

from reidlib.data.walkers.body import Body, sample_body
from reidlib.data.walkers.gait import (
    AMONG_PEOPLE,
    FROM_WALK_TO_WALK,
    Gait,
    cadence,
    posture,
    sample_gait,
    vary_gait,
)


@pytest.mark.parametrize("motion", ["walking", "running", "riding"])
def test_the_period_is_the_cadence_s(motion):
    rng = np.random.default_rng(0)
    for _ in range(5):
        gait = sample_gait(rng, sample_body(rng))
        period = 120.0 / cadence(gait, motion)  # two steps are a cycle
        times = np.linspace(0, 2, 60)
        now, later = posture(gait, motion, times, 0.3)[0], posture(gait, motion, times + period, 0.3)[0]
        for curve, again in zip(now, later, strict=True):
            np.testing.assert_allclose(curve, again, atol=1e-9)
        # The period is the smallest one: the hip's dominating frequency is one a cycle.
        dense = posture(gait, motion, np.arange(512) * period / 64, 0.0)[0].hip[:, 0]
        assert np.argmax(np.abs(np.fft.rfft(dense - dense.mean()))) == 8


def test_half_a_cycle_later_the_sides_are_swapped():
    times = np.linspace(0, 1, 20)
    for motion in ("walking", "running", "riding"):
        now, half = posture(Gait(), motion, times, 0.1)[0], posture(Gait(), motion, times, 0.6)[0]
        for name in ("hip", "knee", "ankle", "shoulder", "elbow"):
            np.testing.assert_allclose(getattr(now, name), getattr(half, name)[:, ::-1], atol=1e-9)
        np.testing.assert_allclose(now.pelvis_turn, -half.pelvis_turn, atol=1e-9)


def test_an_asymmetric_gait_is_not_symmetric():
    gait = Gait(asymmetry=0.1)
    now, half = (posture(gait, "walking", np.linspace(0, 1, 20), phase)[0].knee for phase in (0.1, 0.6))
    assert np.abs(now - half[:, ::-1]).max() > np.deg2rad(3)


def test_normal_walking_has_the_textbook_s_ranges():
    """Perry and Burnfield (2010): the knee bends about 60 degrees in swing at 70-75 % of the cycle and
    about 20 when loaded; the thigh goes from 25 degrees forward to 20 back; the ankle is most plantarflexed
    about toe-off, at 60-65 %."""
    phase = np.arange(200) / 200
    angles, moving = posture(Gait(cadence=120.0), "walking", phase, 0.0)
    hip, knee, ankle = (
        np.rad2deg(getattr(angles, name)[:, 1]) for name in ("hip", "knee", "ankle")
    )  # right: phase 0 is its heel strike
    assert 57 < knee.max() < 67
    assert 0.68 < phase[knee.argmax()] < 0.78
    assert 12 < knee[:60].max() < 24
    assert 0.08 < phase[knee[:60].argmax()] < 0.22
    assert 22 < hip.max() < 30
    assert -22 < hip.min() < -15
    assert 0.45 < phase[hip.argmin()] < 0.57
    assert -24 < ankle.min() < -14
    assert 0.58 < phase[ankle.argmin()] < 0.70
    assert (moving == 1).all()


def test_the_arm_is_back_when_its_own_heel_strikes():
    shoulder = posture(Gait(), "walking", np.zeros(1), 0.0)[0].shoulder[0]
    assert shoulder[1] < 0 < shoulder[0]  # right heel strike: right arm back, left arm forward


def test_various_walks_then_stands():
    times = np.arange(50) / 12.5
    angles, moving = posture(Gait(), "various", times, 0.0)
    assert moving[0] == 1
    assert moving[-1] == 0
    assert (np.diff(moving) <= 0).all()
    assert np.ptp(angles.hip[:20, 0]) > np.deg2rad(20)
    assert np.ptp(angles.hip[-15:, 0]) < np.deg2rad(2)


def test_standing_hardly_moves():
    angles, moving = posture(Gait(), "standing", np.arange(50) / 12.5, 0.0)
    assert (moving == 0).all()
    for curve in angles:
        assert np.ptp(curve, axis=0).max() < np.deg2rad(2)


def test_sampled_gaits_differ_and_repeat():
    gaits = [sample_gait(np.random.default_rng(i), Body()) for i in range(20)]
    assert len(set(gaits)) == 20
    assert gaits[3] == sample_gait(np.random.default_rng(3), Body())
    assert all(80 <= gait.cadence <= 145 for gait in gaits)


def numbers(gaits):
    """{name: values (n,)} of some gaits."""
    gaits = list(gaits)
    return {field.name: np.array([getattr(gait, field.name) for gait in gaits]) for field in fields(Gait)}


def test_people_differ_by_what_the_table_says():
    sampled = numbers(sample_gait(np.random.default_rng(seed), Body()) for seed in range(600))
    assert sampled.keys() == AMONG_PEOPLE.keys()
    for name, (spread, low, high) in AMONG_PEOPLE.items():
        assert low <= sampled[name].min() and sampled[name].max() <= high
        assert np.std(sampled[name]) == pytest.approx(spread, rel=0.15), name  # clipping takes little away


def test_without_severity_a_gait_does_not_vary():
    for seed in range(20):
        rng = np.random.default_rng(seed)
        gait = sample_gait(rng, sample_body(rng))
        assert vary_gait(gait, rng, 0.0) == gait


def test_every_number_varies_about_its_own_by_a_share_of_what_it_varies_by_among_people():
    varied = numbers(vary_gait(Gait(), np.random.default_rng(seed), 0.5) for seed in range(900))
    for name, (spread, _, _) in AMONG_PEOPLE.items():
        change, expected = varied[name] - getattr(Gait(), name), 0.5 * FROM_WALK_TO_WALK * spread
        assert abs(change.mean()) < 4 * expected / 30, name  # four standard errors
        assert np.std(change) == pytest.approx(expected, rel=0.1), name


def test_pace_and_fatigue_go_through_several_numbers():
    varied = numbers(vary_gait(Gait(), np.random.default_rng(seed), 0.5) for seed in range(900))

    def correlation(one, other):
        return np.corrcoef(varied[one], varied[other])[0, 1]

    assert correlation("cadence", "hip_swing") == pytest.approx(0.8, abs=0.06)  # pace
    assert correlation("arm_swing", "hip_swing") == pytest.approx(0.36, abs=0.12)  # fatigue
    assert correlation("lean", "hip_swing") == pytest.approx(-0.36, abs=0.12)
    assert abs(correlation("cadence", "lean")) < 0.12 and abs(correlation("knee_swing", "toe_out")) < 0.12


def test_however_much_a_gait_varies_it_stays_somebody_s():
    for seed in range(50):
        for name, value in asdict(vary_gait(Gait(), np.random.default_rng(seed), 20.0)).items():
            assert AMONG_PEOPLE[name][1] <= value <= AMONG_PEOPLE[name][2]
