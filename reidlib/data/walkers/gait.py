"""How a person moves: periodic joint-angle curves, with the differences that make a gait personal.

The average curves are given by one value every 5 % of the gait cycle (0 %: heel strike of that leg),
rounded from the normal curves of the biomechanics literature: walking after Winter, *Biomechanics and Motor
Control of Human Movement* (4th edition, 2009) and Perry and Burnfield, *Gait Analysis* (2nd edition, 2010);
running after Novacheck, "The biomechanics of running", Gait and Posture 7 (1998). They are evaluated as
Fourier series of `HARMONICS` harmonics, so they are smooth and exactly periodic. Two steps make one cycle:
the period is 120 / cadence seconds.
"""

from dataclasses import dataclass
from functools import lru_cache
from typing import NamedTuple

import numpy as np

from reidlib.data.walkers import exact
from reidlib.data.walkers.body import AVERAGE_HEIGHT, FEMALE, OLD, Body

HARMONICS = 6

# Degrees at 0, 5, ..., 95 % of the cycle, flexion (dorsiflexion) positive; the hip's is the angle between
# the thigh and the vertical.
_WALK = {
    "hip": (24, 23, 20, 15, 9, 3, -3, -9, -14, -18, -19, -16, -8, 3, 13, 20, 24, 26, 26, 25),
    "knee": (4, 9, 14, 16, 14, 11, 8, 6, 5, 7, 13, 25, 41, 55, 62, 60, 50, 34, 16, 4),
    "ankle": (0, -4, -4, 0, 3, 5, 7, 8, 9, 9, 6, -4, -16, -18, -9, -2, 2, 3, 2, 1),
}
_RUN = {
    "hip": (38, 36, 32, 26, 18, 9, 1, -5, -9, -9, -5, 4, 16, 29, 40, 47, 50, 49, 45, 41),
    "knee": (22, 33, 41, 43, 40, 33, 25, 22, 28, 43, 63, 83, 98, 105, 101, 87, 65, 41, 23, 16),
    "ankle": (4, 10, 17, 21, 20, 13, 0, -14, -22, -22, -17, -12, -8, -5, -3, 0, 2, 4, 5, 4),
}


@dataclass(frozen=True)
class Gait:
    """One person's way of moving. Factors multiply the average curve's variation about its mean."""

    cadence: float = 112.0  # steps a minute when walking; two steps are one cycle
    hip_swing: float = 1.0  # factor on the hip's curve: the length of the stride
    knee_swing: float = 1.0  # factor on the knee's curve
    ankle_swing: float = 1.0  # factor on the ankle's curve
    arm_swing: float = 20.0  # degrees, half the range of the shoulder
    arm_asymmetry: float = 0.0  # -1 to 1: the left arm swings by 1 + this, the right by 1 - this
    arm_spread: float = 6.0  # degrees between the arm and the trunk, seen from the front
    elbow: float = 18.0  # degrees of mean elbow flexion
    lean: float = 3.0  # degrees the trunk leans forward
    stoop: float = 4.0  # degrees the upper back is bent further
    head_pitch: float = 2.0  # degrees, positive looks down
    pelvis_turn: float = 5.0  # degrees, half the range about the vertical
    pelvis_drop: float = 4.0  # degrees, half the range about the walking direction
    shoulder_turn: float = 5.0  # degrees, half the range, against the pelvis
    step_width: float = 0.09  # metres between the feet, seen from the front
    toe_out: float = 7.0  # degrees
    sway: float = 0.02  # metres, half the sideways movement of the pelvis
    bounce: float = 1.0  # factor on the height of the flight when running
    asymmetry: float = 0.0  # -1 to 1: the left leg's curves vary by 1 + this, the right's by 1 - this
    knee_timing: float = 0.0  # cycles by which the knee is late
    arm_timing: float = 0.0  # cycles by which the arms are late


# name: standard deviation among people, lowest and highest value
AMONG_PEOPLE = {
    "cadence": (7.0, 80.0, 145.0),
    "hip_swing": (0.10, 0.6, 1.3),
    "knee_swing": (0.08, 0.7, 1.25),
    "ankle_swing": (0.18, 0.4, 1.5),
    "arm_swing": (8.0, 2.0, 42.0),
    "arm_asymmetry": (0.22, -0.8, 0.8),
    "arm_spread": (2.5, 1.0, 16.0),
    "elbow": (8.0, 5.0, 50.0),
    "lean": (2.0, -2.0, 14.0),
    "stoop": (4.0, -2.0, 25.0),
    "head_pitch": (5.0, -8.0, 20.0),
    "pelvis_turn": (1.5, 1.0, 10.0),
    "pelvis_drop": (1.2, 0.5, 9.0),
    "shoulder_turn": (2.0, 0.5, 12.0),
    "step_width": (0.025, 0.02, 0.2),
    "toe_out": (4.0, -4.0, 22.0),
    "sway": (0.008, 0.0, 0.05),
    "bounce": (0.2, 0.4, 1.6),
    "asymmetry": (0.05, -0.2, 0.2),
    "knee_timing": (0.012, -0.03, 0.03),
    "arm_timing": (0.025, -0.08, 0.08),
}
FROM_WALK_TO_WALK = 0.35  # at severity 1, the share of the standard deviation among people


def sample_gait(rng: np.random.Generator, body: Body) -> Gait:
    """Draw a gait; cadence falls with leg length, women take more steps, old people smaller and slower ones."""
    old, woman = body.age == OLD, body.gender == FEMALE
    means = {
        "cadence": 112 + 6 * woman - 12 * old,
        "hip_swing": 0.8 if old else 1.0,
        "knee_swing": 0.85 if old else 1.0,
        "arm_spread": 5 if woman else 8,
        "lean": 6 if old else 3,
        "stoop": 12 if old else 4,
        "head_pitch": 8 if old else 3,
        "pelvis_drop": 5 if woman else 3.5,
        "step_width": 0.07 if woman else 0.10,
        "toe_out": 5 if woman else 9,
    }
    average = vars(Gait()) | means
    drawn = {name: rng.normal(average[name], spread) for name, (spread, _, _) in AMONG_PEOPLE.items()}
    drawn["cadence"] *= (AVERAGE_HEIGHT / body.height) ** 0.5
    return _within_range(drawn)


def vary_gait(gait: Gait, rng: np.random.Generator, severity: float = 1.0) -> Gait:
    """The same person's gait on another walk.

    Every number differs by a normal draw whose standard deviation is `severity` × `FROM_WALK_TO_WALK` of that among
    people, within the range of `sample_gait`; 0 changes nothing. They do not all differ by themselves: pace raises
    cadence and stride together, and fatigue shortens the stride, stills the arms and bends the trunk forward (who is
    fresh does the opposite).

    The share is ours: the numbers of two walks then correlate with 0.89 among people. Elsewhere step length, duration
    and cadence of older people did with 0.83 to 0.90 (Journal of Aging Research 2012, article 954378, table 3); joint
    angles repeat well from day to day seen from the side, and less well from the front (Kadaba et al., "Repeatability
    of kinematic, kinetic, and electromyographic data in normal adult gait", Journal of Orthopaedic Research 7, 1989).
    """
    draws = dict(zip(AMONG_PEOPLE, rng.standard_normal(len(AMONG_PEOPLE))))
    fatigue = rng.standard_normal()
    draws["hip_swing"] = 0.8 * draws["cadence"] - 0.6 * fatigue  # 0.8² + 0.6² = 1: the spread stays what it is
    draws["arm_swing"] = 0.8 * draws["arm_swing"] - 0.6 * fatigue
    draws["lean"] = 0.8 * draws["lean"] + 0.6 * fatigue
    share = severity * FROM_WALK_TO_WALK
    return _within_range(
        {name: getattr(gait, name) + share * spread * draws[name] for name, (spread, _, _) in AMONG_PEOPLE.items()}
    )


def _within_range(numbers: dict[str, float]) -> Gait:
    return Gait(**{name: float(np.clip(numbers[name], low, high)) for name, (_, low, high) in AMONG_PEOPLE.items()})


class Angles(NamedTuple):
    """Posture in radians, flexion positive. Those of limbs are (n, 2), left then right; the others (n,)."""

    hip: np.ndarray
    knee: np.ndarray
    ankle: np.ndarray
    shoulder: np.ndarray
    elbow: np.ndarray
    lean: np.ndarray
    pelvis_turn: np.ndarray
    pelvis_drop: np.ndarray
    shoulder_turn: np.ndarray
    sway: np.ndarray  # metres, the pelvis' shift to the left
    flight: np.ndarray  # metres above the ground of the lower foot


def cadence(gait: Gait, motion: str) -> float:
    """Steps (half turns of the pedals) a minute in a motion: running is faster, riding about one turn a second."""
    return {"running": 1.42 * gait.cadence, "riding": 1.05 * gait.cadence}.get(motion, gait.cadence)


def _series(samples: tuple[float, ...], phase: np.ndarray, swing: float | np.ndarray, delay: float = 0.0) -> np.ndarray:
    """The Fourier series through `samples`, its mean kept and its variation scaled by `swing`, at `phase`
    in cycles.
    """
    (mean, _), *spectrum = _spectrum(samples)
    angle = 2 * np.pi * (phase - delay)
    waves = zip(*exact.cos_and_sin(np.stack([k * angle for k in range(1, HARMONICS + 1)])), spectrum, strict=True)
    return mean + swing * 2 * sum(c * in_phase + s * behind for c, s, (in_phase, behind) in waves)


@lru_cache(maxsize=16)
def _spectrum(samples: tuple[float, ...]) -> list[tuple[float, float]]:
    """Of the harmonics from 0 on, the samples' mean products with cosine and sine."""
    angle = 2 * np.pi * np.arange(len(samples)) / len(samples)
    return [
        tuple(exact.total(wave(k * angle) * samples) / len(samples) for wave in (exact.cos, exact.sin))
        for k in range(HARMONICS + 1)
    ]


def _striding(gait: Gait, phase: np.ndarray, curves: dict, run: float) -> Angles:
    """Walking (`run` 0) or running (`run` 1) at `phase` (n,), in cycles since a heel strike of the right leg."""
    both = np.stack([phase + 0.5, phase], axis=-1)
    side = 1 + gait.asymmetry * np.array([1.0, -1.0])
    arms = 1 + gait.arm_asymmetry * np.array([1.0, -1.0])
    wave = exact.cos(2 * np.pi * phase)
    forward = -exact.cos(2 * np.pi * (both - gait.arm_timing))  # an arm is back when its own heel strikes
    swing = (gait.arm_swing + 12 * run) * arms
    bend = gait.elbow + 55 * run
    degrees = np.deg2rad
    return Angles(
        hip=degrees(_series(curves["hip"], both, gait.hip_swing * side)),
        knee=degrees(np.maximum(_series(curves["knee"], both, gait.knee_swing * side, gait.knee_timing), 0.0)),
        ankle=degrees(_series(curves["ankle"], both, gait.ankle_swing * side)),
        shoulder=degrees(-4.0 + swing * forward),
        elbow=degrees(bend * (1 + 0.35 * forward * np.minimum(1.0, swing / 20))),
        lean=degrees(gait.lean + 6 * run + 0.8 * exact.cos(4 * np.pi * phase)),
        pelvis_turn=degrees(gait.pelvis_turn * wave),
        pelvis_drop=degrees(-gait.pelvis_drop * exact.sin(2 * np.pi * phase)),
        shoulder_turn=degrees(-(gait.shoulder_turn + 4 * run) * wave),
        sway=-gait.sway * exact.sin(2 * np.pi * phase),
        flight=run * 0.02 * gait.bounce * (1 - exact.cos(4 * np.pi * (phase - 0.20))),
    )


def _standing(gait: Gait, times: np.ndarray) -> Angles:
    """Standing at `times` (n,) seconds: weight on both legs, arms hanging, a slow small sway."""
    slow = exact.sin(2 * np.pi * 0.27 * times)
    still = np.zeros_like(times)
    pair = np.stack([slow, -slow], axis=-1)
    degrees = np.deg2rad
    return Angles(
        hip=degrees(2.0 + 3 * gait.asymmetry * pair),
        knee=degrees(4.0 + 0.4 * pair),
        ankle=degrees(2.0 + 0.2 * pair),
        shoulder=degrees(-2.0 + 0.5 * pair + 20 * np.clip(gait.arm_asymmetry, -0.4, 0.4) * np.array([1.0, -1.0])),
        elbow=degrees(0.8 * gait.elbow + 0.5 * pair),
        lean=degrees(0.6 * gait.lean + 0.3 * slow),
        pelvis_turn=still,
        pelvis_drop=degrees(40 * gait.asymmetry) + still,
        shoulder_turn=degrees(0.5 * slow),
        sway=0.15 * gait.sway * slow,
        flight=still,
    )


def _riding(gait: Gait, phase: np.ndarray) -> Angles:
    """Pedalling a bicycle: hip and knee follow the crank, the hands hold the bar."""
    both = np.stack([phase + 0.5, phase], axis=-1)
    still = np.zeros_like(phase)
    degrees = np.deg2rad
    return Angles(
        hip=degrees(48 + 21 * exact.cos(2 * np.pi * both)),
        knee=degrees(72 + 36 * exact.cos(2 * np.pi * (both - 0.07))),
        ankle=degrees(-4 + 9 * exact.cos(2 * np.pi * (both - 0.2))),
        shoulder=degrees(62.0) + np.zeros_like(both),
        elbow=degrees(18.0) + np.zeros_like(both),
        lean=degrees(12 + 2 * gait.lean) + still,
        pelvis_turn=degrees(1.0 * exact.cos(2 * np.pi * phase)),
        pelvis_drop=degrees(-1.5 * exact.sin(2 * np.pi * phase)),
        shoulder_turn=still,
        sway=-0.3 * gait.sway * exact.sin(2 * np.pi * phase),
        flight=still,
    )


def posture(gait: Gait, motion: str, times: np.ndarray, phase: float) -> tuple[Angles, np.ndarray]:
    """Joint angles at `times` (n,) seconds, and the share of walking speed at each (n,), 0 standing to 1
    moving.

    `phase` is the gait phase at time 0, in cycles. "various" walks, stops in the middle of `times` and
    stands.
    """
    turns = phase + times * cadence(gait, motion) / 120.0
    moving = np.ones_like(times)
    if motion == "walking":
        return _striding(gait, turns, _WALK, 0.0), moving
    if motion == "running":
        return _striding(gait, turns, _RUN, 1.0), moving
    if motion == "riding":
        return _riding(gait, turns), moving
    standing = _standing(gait, times)
    if motion == "standing":
        return standing, 0 * moving
    middle = 0.5 * (times[0] + times[-1])
    share = np.clip(0.5 - (times - middle) / 0.5, 0.0, 1.0)  # half a second to stop
    walking = _striding(gait, turns, _WALK, 0.0)
    mixed = (s + (w - s) * (share if w.ndim == 1 else share[:, None]) for w, s in zip(walking, standing, strict=True))
    return Angles(*mixed), share
