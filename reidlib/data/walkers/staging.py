"""Who stands where: persons posed in front of the camera, and the detector's box around the subject."""

from dataclasses import dataclass

import numpy as np

from reidlib.data.walkers import exact
from reidlib.data.walkers.cameras import EYE, Camera, ground_to_camera, person_to_ground
from reidlib.data.walkers.figure import figure
from reidlib.data.walkers.gait import posture
from reidlib.data.walkers.raster import Window
from reidlib.data.walkers.scene import PasserBy, Person, Scene
from reidlib.data.walkers.skeleton import JOINTS, Pose, ground_speed, lengths, pose
from reidlib.data.walkers.solids import Solids


@dataclass(frozen=True)
class Actor:
    """A person posed in `count` frames from `first` on and, to know where everything goes, in one frame more."""

    person: Person
    pose: Pose  # count + 1 frames
    view: float
    first: int
    place: np.ndarray  # (count + 1, 3) metres on the ground's axes, the subject at the origin
    motion: str
    speed: np.ndarray  # (count + 1,) metres a second
    is_subject: bool

    @property
    def count(self) -> int:
        return len(self.place) - 1

    def joints(self, camera: Camera) -> np.ndarray:
        """Joints (count + 1, J, 3) in camera axes."""
        turn = person_to_ground(self.view)
        return to_camera(camera, exact.product(self.pose.joints, turn.T) + self.place[:, None])

    def solids(self, camera: Camera) -> Solids:
        """The person's solids in camera axes, count + 1 frames."""
        shape = figure(self.person.body, self.person.outfit, self.motion == "riding")
        turn = person_to_ground(self.view)
        turned = exact.product(exact.product(ground_to_camera(camera), turn), self.pose.rotations)
        back = np.swapaxes(turned, -1, -2)[:, shape.segment]  # a row of vectors times this turns them into camera axes
        place = to_camera(camera, exact.product(self.pose.origins, turn.T) + self.place[:, None])[:, shape.segment]
        origin = place + exact.product(shape.origin[:, None], back)[..., 0, :]
        axes = exact.product(shape.axes, back)
        return Solids(origin.astype(np.float32), np.ascontiguousarray(axes, np.float32), shape)


def to_camera(camera: Camera, points: np.ndarray) -> np.ndarray:
    """Points (..., 3) on the ground's axes, with the subject at the origin, in camera axes."""
    turned = exact.product(points - [0, EYE, 0], ground_to_camera(camera).T)
    turned[..., 2] += camera.distance
    return turned


def to_pixels(window: Window, points: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Pixel x and y (n, k) of points (n, k, 3) in camera axes, in the boxes of n frames."""
    x = (points[..., 0] / points[..., 2] - window.left[:, None]) * window.scale[:, None]
    y = (points[..., 1] / points[..., 2] - window.top[:, None]) * window.scale[:, None]
    return x, y


def subject(scene: Scene) -> Actor:
    """The person whom the tracklet follows."""
    place = np.zeros((scene.num_frames + 1, 3))
    return _actor(scene, scene.person, scene.view, scene.motion, scene.phase, 0, place, True)


def passer_by(scene: Scene, other: PasserBy) -> Actor:
    """Somebody else in the picture, as long as the tracklet lasts."""
    last = min(other.last, scene.num_frames - 1)
    share = (np.arange(other.first, last + 2) - other.first) / max(other.last - other.first, 1)
    place = np.zeros((len(share), 3))
    place[:, 0] = other.x_first + share * (other.x_last - other.x_first)
    place[:, 2] = other.nearer
    return _actor(scene, other.person, other.view, other.motion, other.phase, other.first, place, False)


def _actor(
    scene: Scene,
    person: Person,
    view: float,
    motion: str,
    phase: float,
    first: int,
    place: np.ndarray,
    is_subject: bool,
) -> Actor:
    times = (first + np.arange(len(place))) / scene.fps
    angles, moving = posture(person.gait, motion, times, phase)
    speed = moving * ground_speed(person.body, person.gait, motion)
    posed = pose(person.body, person.gait, angles, motion)
    return Actor(person, posed, view, first, place, motion, speed, is_subject)


def detector_box(scene: Scene, actor: Actor, resolution: tuple[int, int]) -> Window:
    """The box in each of the subject's frames: of one size and height, following the pelvis, with the
    scene's errors.

    It follows from the skeleton alone, so that clothes do not move it.
    """
    height, width = resolution
    size, camera, error = lengths(actor.person.body), scene.camera, scene.box_error
    joints = exact.product(actor.pose.joints, person_to_ground(actor.view).T)
    ends = [joints[:, 0] + [0, 0.55 * size.head, 0], *(joints[:, j] - [0, size.ankle, 0] for j in (-2, -1))]
    if actor.motion == "riding":
        ends.append(np.zeros_like(ends[0]))
    ends = to_camera(camera, np.stack(ends, 1))
    v = ends[..., 1] / ends[..., 2]
    hips = to_camera(camera, 0.5 * (joints[:, JOINTS.index("hip_l")] + joints[:, JOINTS.index("hip_r")]))

    moving = error.jitter * exact.normal(np.random.default_rng([scene.seed, 2]), (3, len(v)))
    moving += error.drift * _drift(np.random.default_rng([scene.seed, 3]), np.arange(len(v)) / scene.fps)
    tall = 1.08 * np.ptp(v) * exact.exp(error.scale + moving[0])
    wide = tall * width / height
    u = hips[:, 0] / hips[:, 2] + (error.shift_x + moving[1]) * wide
    middle = 0.5 * (v.min() + v.max()) + (error.shift_y + moving[2]) * tall
    return Window(u - 0.5 * wide, middle - 0.5 * tall, height / tall, resolution)


def _drift(rng: np.random.Generator, times: np.ndarray) -> np.ndarray:
    """Slow errors (3, n) of a box at `times` (n,) seconds: sums of two sines with periods of 2.5 to 6 and 1.2 to 2.5
    seconds and drawn phases; the standard deviation over phases is 1."""
    rate = rng.uniform([1 / 6, 1 / 2.5], [1 / 2.5, 1 / 1.2], (3, 2))
    turns = rate[..., None] * times + rng.random((3, 2, 1))
    return np.sqrt(2.0) * (0.8 * exact.sin(2 * np.pi * turns[:, 0]) + 0.6 * exact.sin(2 * np.pi * turns[:, 1]))
