"""Forward kinematics: from joint angles to the place and orientation of every segment of the body.

Body axes are x to the person's left, y up, z forward, in metres, with the origin on the ground below the
pelvis; a segment's own axes agree with them when the person stands upright.
"""

from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from reidlib.data.walkers import exact
from reidlib.data.walkers.body import Body
from reidlib.data.walkers.gait import Angles, Gait, cadence, posture

SEGMENTS = (
    "pelvis", "chest", "head",
    "thigh_l", "thigh_r", "shank_l", "shank_r", "foot_l", "foot_r",
    "arm_l", "arm_r", "forearm_l", "forearm_r", "hand_l", "hand_r",
    "skirt_l", "skirt_r", "bag", "ground",
)  # fmt: skip
INDEX = {name: i for i, name in enumerate(SEGMENTS)}

JOINTS = (
    "head", "neck",
    "shoulder_l", "shoulder_r", "elbow_l", "elbow_r", "wrist_l", "wrist_r",
    "hip_l", "hip_r", "knee_l", "knee_r", "ankle_l", "ankle_r",
)  # fmt: skip


CONTACTS = (-0.25, 0.55)  # heel and ball, foot lengths before the ankle; the toes bend


@dataclass(frozen=True)
class Lengths:
    """Segment lengths of a body in metres (Winter, 2009, figure 4.1, scaled by the body's factors)."""

    thigh: float
    shank: float
    ankle: float  # height of the ankle above the sole
    foot: float
    trunk: float  # hip joint to shoulder joint
    neck: float  # shoulder joint to chin
    head: float  # chin to crown
    arm: float
    forearm: float
    hand: float
    half_shoulders: float  # between the two shoulder joints, half
    half_hips: float


def lengths(body: Body) -> Lengths:
    """The segment lengths of `body`; whatever the proportions, they add up to its height."""
    h = body.height
    head = 0.130 * h * body.head_scale
    leg = 0.491 * h * body.leg_ratio
    return Lengths(
        thigh=0.499 * leg,
        shank=0.501 * leg,
        ankle=0.039 * h,
        foot=0.152 * h,
        trunk=0.779 * h - leg,
        neck=0.182 * h - head,
        head=head,
        arm=0.180 * h * body.arm_ratio,
        forearm=0.146 * h * body.arm_ratio,
        hand=0.100 * h * body.arm_ratio,
        half_shoulders=0.100 * h * body.shoulder_width,
        half_hips=0.053 * h * body.hip_width,
    )


@dataclass(frozen=True)
class Pose:
    """`rotations` (n, S, 3, 3) turn segment axes into body axes, `origins` (n, S, 3) are the segments'
    upper ends; `joints` (n, J, 3) are in the order of `JOINTS`."""

    rotations: np.ndarray
    origins: np.ndarray
    joints: np.ndarray


def _turned(rotation: np.ndarray, *turns: tuple[int, np.ndarray | float]) -> np.ndarray:
    """The rotations (…, 3, 3) after turns about their own axes: (0 for x, 1 for y or 2 for z, right-handed angles)."""
    angles = np.empty((len(turns), *rotation.shape[:-2], 1))
    for i, (_, angle) in enumerate(turns):
        angles[i, ..., 0] = angle
    cosines, sines = exact.cos_and_sin(angles)
    for (axis, _), c, s in zip(turns, cosines, sines, strict=True):
        j, k = (axis + 1) % 3, (axis + 2) % 3
        before, rotation = rotation, rotation.copy()
        rotation[..., j] = before[..., j] * c + before[..., k] * s
        rotation[..., k] = before[..., k] * c - before[..., j] * s
    return rotation


def _at(rotation: np.ndarray, x: np.ndarray | float, y: float, z: float) -> np.ndarray:
    """The vector (x, y, z) of a segment's axes in body axes, (…, 3)."""
    return rotation[..., 0] * x + rotation[..., 1] * y + rotation[..., 2] * z


def pose(body: Body, gait: Gait, angles: Angles, motion: str) -> Pose:
    """Place the skeleton of `body` in the posture `angles` (n frames), feet on the ground (or the bicycle's
    pedals).

    The pelvis is carried by the lower foot: its height is such that the lowest heel or ball of both feet
    touches the ground (or is `angles.flight` above it).
    """
    n, size = len(angles.lean), lengths(body)
    rotations = np.empty((n, len(SEGMENTS), 3, 3))
    origins = np.zeros((n, len(SEGMENTS), 3))
    upright = np.tile(np.eye(3), (n, 2, 1, 1))
    side = np.array([1.0, -1.0])  # left, right

    def put(name: str, rotation: np.ndarray, origin: np.ndarray) -> None:
        """One segment (n, …), or the left and the right one of that name (n, 2, …)."""
        at = INDEX[name] if name in INDEX else slice(INDEX[f"{name}_l"], INDEX[f"{name}_r"] + 1)
        rotations[:, at] = rotation
        origins[:, at] = origin

    pelvis = _turned(upright[:, 0], (1, angles.pelvis_turn), (2, angles.pelvis_drop), (0, 0.4 * angles.lean))
    centre = np.zeros((n, 3))
    centre[:, 0] = angles.sway
    put("pelvis", pelvis, centre)
    bent = (0, angles.lean + np.deg2rad(gait.stoop))
    chest = _turned(upright[:, 0], (1, angles.shoulder_turn), bent, (2, -0.4 * angles.pelvis_drop))
    lumbar = centre + _at(pelvis, 0, 0.38 * size.trunk, 0)
    put("chest", chest, lumbar)
    neck = lumbar + _at(chest, 0, 0.66 * size.trunk, -0.008)
    nod = _turned(upright[:, 0], (0, np.deg2rad(gait.head_pitch)), (1, 0.3 * angles.shoulder_turn))
    put("head", nod, neck + 0.35 * _at(chest, 0, size.neck, 0) + 0.65 * _at(nod, 0, size.neck, 0.02))

    spread = exact.arctan2(2 * size.half_hips - gait.step_width, 2 * (size.thigh + size.shank))
    hip = centre[:, None] + _at(pelvis[:, None], side[:, None] * size.half_hips, 0, 0)
    outward = _turned(upright, (1, 0.3 * angles.pelvis_turn[:, None] + side * np.deg2rad(0.35 * gait.toe_out)))
    plane = _turned(outward, (2, -side * spread))
    thigh = _turned(plane, (0, -angles.hip))
    knee = hip + _at(thigh, 0, -size.thigh, 0)
    shank = _turned(plane, (0, angles.knee - angles.hip))
    ankle = knee + _at(shank, 0, -size.shank, 0)
    pitch = (0, angles.knee - angles.hip - angles.ankle)
    foot = _turned(outward, (1, side * np.deg2rad(0.65 * gait.toe_out)), pitch)
    put("thigh", thigh, hip)
    put("shank", shank, knee)
    put("foot", foot, ankle)
    put("skirt", _turned(plane, (0, -0.55 * angles.hip)), hip)

    shoulder = lumbar[:, None] + _at(chest[:, None], side[:, None] * size.half_shoulders, 0.60 * size.trunk, 0)
    sideways = np.deg2rad(gait.arm_spread if motion != "riding" else 12.0)
    hang = _turned(upright, (1, 0.5 * angles.shoulder_turn[:, None]), (2, side * sideways))
    swing = 0.6 * angles.lean[:, None] - angles.shoulder
    arm = _turned(hang, (0, swing))
    elbow = shoulder + _at(arm, 0, -size.arm, 0)
    forearm = _turned(hang, (2, -side * (sideways + 0.05)), (0, swing - angles.elbow))
    wrist = elbow + _at(forearm, 0, -size.forearm, 0)
    put("arm", arm, shoulder)
    put("forearm", forearm, elbow)
    put("hand", _turned(forearm, (0, -0.2)), wrist)
    hands = wrist + _at(forearm, 0, -0.6 * size.hand, 0)
    put("bag", _turned(upright[:, 0], (0, -0.3 * angles.shoulder[:, 0])), hands[:, 0])

    if motion == "riding":
        height = np.full(n, 1.03 * (size.thigh + size.shank + size.ankle))
    else:
        soles = [ankle + _at(foot, 0, -size.ankle, z * size.foot) for z in CONTACTS]
        height = angles.flight - np.min([sole[..., 1] for sole in soles], axis=(0, 2))
    origins[:, :, 1] += height[:, None]
    put("ground", np.eye(3), np.zeros(3))
    return Pose(rotations, origins, _joints(rotations, origins, size))


@lru_cache(maxsize=1024)
def ground_speed(body: Body, gait: Gait, motion: str) -> float:
    """Forward speed in metres a second at which the foot on the ground does not slide; 4 on a bicycle, 0
    when standing.
    """
    if motion in ("standing", "riding"):
        return 4.0 if motion == "riding" else 0.0
    motion = "running" if motion == "running" else "walking"
    dt = 120.0 / cadence(gait, motion) / 48
    angles, _ = posture(gait, motion, np.arange(49) * dt, 0.0)
    posed, size = pose(body, gait, angles, motion), lengths(body)
    feet = [INDEX["foot_l"], INDEX["foot_r"]]
    soles = [posed.origins[:, feet] + _at(posed.rotations[:, feet], 0, -size.ankle, z * size.foot) for z in CONTACTS]
    points = np.concatenate(soles, 1)  # (49, 4, 3)
    lowest, frame = np.argmin(points[:-1, :, 1], axis=1), np.arange(48)
    back = (points[frame, lowest, 2] - points[frame + 1, lowest, 2]) / dt
    back = back[angles.flight[:-1] < 0.01]
    return exact.total(back) / len(back)


def _joints(rotations: np.ndarray, origins: np.ndarray, size: Lengths) -> np.ndarray:
    """The joints (n, J, 3) in the order of `JOINTS`: the upper ends of the segments that they begin."""
    begins = [
        "arm_l",
        "arm_r",
        "forearm_l",
        "forearm_r",
        "hand_l",
        "hand_r",
        "thigh_l",
        "thigh_r",
        "shank_l",
        "shank_r",
        "foot_l",
        "foot_r",
    ]
    head, chest = INDEX["head"], INDEX["chest"]
    crown = origins[:, head] + _at(rotations[:, head], 0, 0.5 * size.head, 0)
    neck = origins[:, chest] + _at(rotations[:, chest], 0, 0.64 * size.trunk, 0)
    return np.stack([crown, neck, *(origins[:, INDEX[name]] for name in begins)], axis=1)
