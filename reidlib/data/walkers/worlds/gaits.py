"""How rendered people walk in each frame, a ground truth that nothing has to be rendered for: the scenes know it."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from reidlib.data.tracklets import Tracklet, WithTruth
from reidlib.data.walkers.gait import cadence, posture
from reidlib.data.walkers.packed import RenderedLater
from reidlib.data.walkers.scene import Person, Scene
from reidlib.data.walkers.skeleton import lengths

NUMBERS = ("cadence", "stride length", "sine of phase", "cosine of phase")  # of the truth "gait", in its order


def with_gaits(tracklets: Sequence[Tracklet]) -> list[Tracklet]:
    """The tracklets with one more ground truth, "gait": float64 (n, 4), `NUMBERS` of each frame.

    Cadence in steps a minute; stride length in metres, see `stride_length`; the phase of the gait cycle since a heel
    strike of the right foot. NaN where nobody walks: in scenes of people who stand, run, ride or stop. ValueError for
    tracklets whose scenes are not known, such as recorded ones.
    """
    gaits = [np.concatenate([_gait(scene) for scene in _scenes(t)]) for t in tracklets]
    return [replace(t, source=WithTruth(t.source, "gait", gait)) for t, gait in zip(tracklets, gaits)]


def _scenes(tracklet: Tracklet) -> tuple[Scene, ...]:
    if not isinstance(tracklet.later, RenderedLater):
        raise ValueError(
            f"tracklet {tracklet.tracklet_id} of person {tracklet.person_id} does not say how its person walks; take "
            "one of a rendered world, without packed successors"
        )
    return tracklet.later.scenes


def _gait(scene: Scene) -> np.ndarray:
    """The numbers (n, 4) of a scene's frames."""
    found = np.full((scene.num_frames, len(NUMBERS)), np.nan)
    if scene.motion == "walking":
        steps = cadence(scene.person.gait, scene.motion)
        turns = scene.phase + np.arange(scene.num_frames) / scene.fps * steps / 120
        found[:, :2] = steps, stride_length(scene.person)
        found[:, 2:] = np.stack([np.sin(2 * np.pi * turns), np.cos(2 * np.pi * turns)], axis=1)
    return found


def stride_length(person: Person) -> float:
    """How far a walker comes with two steps, in metres, if the legs are held straight: twice the way of a foot from
    behind the body to before it. `ground_speed`, by which the street moves, knows how the feet roll, but is next to
    nothing for one walker in sixty, whose two legs differ."""
    times = np.arange(48) / 48 * 120 / cadence(person.gait, "walking")  # of one cycle
    hip, size = posture(person.gait, "walking", times, 0.0)[0].hip, lengths(person.body)
    return float(2 * (size.thigh + size.shank) * np.ptp(np.sin(hip), axis=0).mean())
