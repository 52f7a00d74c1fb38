import numpy as np
import pytest

from reidlib.data.walkers.body import Body, sample_body
from reidlib.data.walkers.gait import Gait, posture, sample_gait
from reidlib.data.walkers.skeleton import CONTACTS, INDEX, JOINTS, ground_speed, lengths, pose


def _posed(body, gait, motion, frames=50, fps=50.0, phase=0.0):
    return pose(body, gait, posture(gait, motion, np.arange(frames) / fps, phase)[0], motion)


def _soles(body, posed):
    """Heel and ball of both feet, (n, 4, 3)."""
    size, points = lengths(body), []
    for side in "lr":
        foot = INDEX[f"foot_{side}"]
        for z in CONTACTS:
            points.append(posed.origins[:, foot] + posed.rotations[:, foot] @ np.array([0, -size.ankle, z * size.foot]))
    return np.stack(points, 1)


def test_lengths_add_up_to_the_height():
    rng = np.random.default_rng(0)
    for body in (sample_body(rng) for _ in range(20)):
        size = lengths(body)
        total = size.ankle + size.shank + size.thigh + size.trunk + size.neck + size.head
        assert total == pytest.approx(body.height, rel=1e-6)
    # Winter (2009), figure 4.1: hip at 0.530, knee at 0.285, shoulder at 0.818 of the height.
    size = lengths(Body(height=1.0))
    assert size.ankle + size.shank == pytest.approx(0.285, abs=0.002)
    assert size.ankle + size.shank + size.thigh == pytest.approx(0.530, abs=0.001)
    assert size.ankle + size.shank + size.thigh + size.trunk == pytest.approx(0.818, abs=0.001)


@pytest.mark.parametrize("motion", ["walking", "standing"])
def test_the_lower_foot_is_on_the_ground(motion):
    rng = np.random.default_rng(1)
    for _ in range(5):
        body = sample_body(rng)
        soles = _soles(body, _posed(body, sample_gait(rng, body), motion))[..., 1]
        np.testing.assert_allclose(soles.min(1), 0, atol=1e-9)


def test_running_leaves_the_ground_and_walking_is_slower():
    body = Body()
    assert _soles(body, _posed(body, Gait(), "running"))[..., 1].min(1).max() > 0.02
    speeds = [ground_speed(body, Gait(), motion) for motion in ("standing", "walking", "running")]
    assert speeds[0] == 0
    assert 1.1 < speeds[1] < 1.6
    assert 2.2 < speeds[2] < 5.0


def test_speed_is_step_length_times_steps():
    body, gait = Body(), Gait(cadence=120.0)
    joints = _posed(body, gait, "walking", frames=100, fps=100.0).joints
    step = np.abs(joints[:, -1, 2] - joints[:, -2, 2]).max()
    assert 0.37 < step / body.height < 0.47  # an adult's step is about 0.41 of the height
    assert ground_speed(body, gait, "walking") == pytest.approx(2 * step, rel=0.12)  # two steps a second
    assert ground_speed(body, Gait(cadence=120.0, hip_swing=1.2), "walking") > ground_speed(body, gait, "walking")


def test_rotations_are_rotations_and_bones_keep_their_length():
    body = Body()
    posed = _posed(body, Gait(), "walking")
    identity = posed.rotations @ posed.rotations.transpose(0, 1, 3, 2)
    np.testing.assert_allclose(identity, np.broadcast_to(np.eye(3), identity.shape), atol=1e-9)
    np.testing.assert_allclose(np.linalg.det(posed.rotations), 1, atol=1e-9)
    joint = {name: posed.joints[:, i] for i, name in enumerate(JOINTS)}
    size = lengths(body)
    for upper, lower, length in (
        ("hip", "knee", size.thigh),
        ("knee", "ankle", size.shank),
        ("shoulder", "elbow", size.arm),
        ("elbow", "wrist", size.forearm),
    ):
        for side in "lr":
            np.testing.assert_allclose(
                np.linalg.norm(joint[f"{upper}_{side}"] - joint[f"{lower}_{side}"], axis=1), length, rtol=1e-9
            )


def test_knees_bend_forward_and_left_is_left():
    posed = _posed(Body(), Gait(), "walking")
    joint = {name: posed.joints[:, i] for i, name in enumerate(JOINTS)}
    assert (joint["hip_l"][:, 0] > joint["hip_r"][:, 0]).all()
    for side in "lr":
        middle = 0.5 * (joint[f"hip_{side}"] + joint[f"ankle_{side}"])
        assert (joint[f"knee_{side}"][:, 2] > middle[:, 2] - 1e-6).all()


def test_the_pelvis_is_highest_when_the_legs_pass():
    """An inverted pendulum: the trunk rises and falls twice a cycle, by a few centimetres, highest in mid-stance."""
    gait = Gait(cadence=120.0)
    posed = _posed(Body(), gait, "walking", frames=100, fps=100.0)  # one cycle
    height = posed.origins[:, INDEX["pelvis"], 1]
    spectrum = np.abs(np.fft.rfft(height - height.mean()))
    assert spectrum.argmax() == 2
    assert 0.02 < np.ptp(height) < 0.09
    apart = np.abs(posed.joints[:, -1, 2] - posed.joints[:, -2, 2])
    assert apart[height.argmax()] < 0.35 * apart.max()
