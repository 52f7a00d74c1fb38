"""The description of one tracklet before it is rendered: who, how, before which camera, what disturbs it.

`reidlib.data.walkers.render(scene)` (in `compose.py`) turns a `Scene` into frames and their exact ground
truth. A scene is plain frozen data and the renderer draws nothing at random but from `Scene.seed`, so the
same scene gives the same bytes anywhere.
"""

from dataclasses import dataclass, field

import numpy as np

from reidlib.data.walkers.body import Body, sample_body
from reidlib.data.walkers.cameras import Camera
from reidlib.data.walkers.gait import Gait, sample_gait
from reidlib.data.walkers.wardrobe import STREET, Outfit, Wardrobe, sample_outfit

# The classes of MARS's motion column and the labels of the part map, by code.
MOTIONS = ("walking", "standing", "running", "riding", "various")
PARTS = ("background", "head", "torso", "left arm", "right arm", "left upper leg", "right upper leg")
PARTS += ("left lower leg", "right lower leg", "left foot", "right foot", "carried")  # left is the person's own left
MERGED_PARTS = ("background", "head", "torso", "arms", "upper legs", "lower legs", "feet", "carried")
OCCLUDERS = ("pole", "bench", "car", "bush", "bin", "wall")

_MERGED = np.array([0, 1, 2, 3, 3, 4, 4, 5, 5, 6, 6, 7], np.uint8)
_MIRRORED = np.array([0, 1, 2, 4, 3, 6, 5, 8, 7, 10, 9, 11], np.uint8)


def merge_sides(parts: np.ndarray) -> np.ndarray:
    """Part maps, integers (…) that number `PARTS`, with left and right together: uint8 (…) that number
    `MERGED_PARTS`."""
    return _MERGED[parts]


def mirror_sides(parts: np.ndarray) -> np.ndarray:
    """Part maps, integers (…) that number `PARTS`, with left and right exchanged, as a mirror image needs it: uint8."""
    return _MIRRORED[parts]


@dataclass(frozen=True)
class Person:
    """A person. Body and gait (how it moves) are the identity under any clothes; the outfit is the day's."""

    body: Body = field(default_factory=Body)
    gait: Gait = field(default_factory=Gait)
    outfit: Outfit = field(default_factory=Outfit)


@dataclass(frozen=True)
class BoxError:
    """What the detector's box does wrong; shares of the box's height (scale) or of its own side (shift).

    The first three hold for the whole tracklet. `jitter` is the standard deviation of a small error of each frame,
    `drift` that of an error that changes slowly, within seconds, so that the box slides over the person; both move
    scale and place. All zero is a tight box that follows the person's centre.
    """

    scale: float = 0.0  # log of the factor on the box's side: positive shows more background
    shift_x: float = 0.0  # positive moves the box right
    shift_y: float = 0.0  # positive moves the box down: the head is cut off
    jitter: float = 0.0
    drift: float = 0.0


@dataclass(frozen=True)
class Occluder:
    """A thing before the person during frames `first` to `last` (both inclusive), moving through the box.

    `x_first` and `x_last` are its centre in the first and last of these frames, in box widths from the
    box's centre (0.5: its right edge); `width` and `height` are shares of the box, its foot stands on the
    box's lower edge or just below.
    """

    kind: str
    first: int
    last: int
    x_first: float
    x_last: float
    width: float
    height: float
    seed: int = 0


@dataclass(frozen=True)
class PasserBy:
    """Another person in the box during frames `first` to `last` (both inclusive).

    `x_first` and `x_last` are the distances from the person, in metres to the image's right; `nearer` is
    metres nearer to the camera than the person (negative: behind, so that the person covers them).
    """

    person: Person
    first: int
    last: int
    x_first: float
    x_last: float
    nearer: float
    view: float
    motion: str = "walking"
    phase: float = 0.0


@dataclass(frozen=True)
class Scene:
    """One tracklet, completely.

    `view` is the azimuth of the camera seen from the person in degrees: 0 the person faces the camera, 90
    it shows its left side and walks to the image's left, 180 it walks away, 270 it walks to the image's
    right. `phase` is the gait phase of frame 0 in cycles. `place` in [0, 1) is where in the camera's
    picture the tracklet lies. Raises ValueError for values that cannot be rendered.
    """

    person: Person = field(default_factory=Person)
    camera: Camera = field(default_factory=Camera)
    view: float = 90.0
    motion: str = "walking"
    num_frames: int = 16
    fps: float = 12.5
    phase: float = 0.0
    place: float = 0.0
    box_error: BoxError = field(default_factory=BoxError)
    occluders: tuple[Occluder, ...] = ()
    passers_by: tuple[PasserBy, ...] = ()
    seed: int = 0

    def __post_init__(self) -> None:
        if self.num_frames < 1:
            raise ValueError(f"Scene.num_frames is {self.num_frames}; a tracklet needs at least one frame")
        for motion in (self.motion, *(p.motion for p in self.passers_by)):
            if motion not in MOTIONS:
                raise ValueError(f"unknown motion {motion!r}; choose one of {', '.join(MOTIONS)}")
        for occluder in self.occluders:
            if occluder.kind not in OCCLUDERS:
                raise ValueError(f"unknown occluder {occluder.kind!r}; choose one of {', '.join(OCCLUDERS)}")


def sample_person(rng: np.random.Generator, wardrobe: Wardrobe = STREET) -> Person:
    """Draw a person: body, gait, then clothes from `wardrobe`."""
    body = sample_body(rng)
    gait = sample_gait(rng, body)
    return Person(body, gait, sample_outfit(rng, body, wardrobe))


def sample_box_error(rng: np.random.Generator, severity: float = 1.0) -> BoxError:
    """Draw the box error of one tracklet; everything scales with `severity` (0: a perfect box). One
    tracklet in eight is badly cut, as a detector's false scale does."""
    spread = severity * (2.6 if rng.random() < 0.12 else 1.0)
    return BoxError(
        scale=float(spread * rng.normal(0.03, 0.06)),
        shift_x=float(spread * rng.normal(0.0, 0.05)),
        shift_y=float(spread * rng.normal(0.0, 0.03)),
        jitter=float(severity * rng.uniform(0.004, 0.014)),
        drift=float(severity * rng.uniform(0.005, 0.025)),
    )


def _interval(rng: np.random.Generator, num_frames: int, low: float, high: float) -> tuple[int, int]:
    """First and last frame of a contiguous piece that takes `low` to `high` of the tracklet."""
    length = max(1, round(num_frames * rng.uniform(low, high)))
    first = int(rng.integers(0, num_frames - length + 1))
    return first, first + length - 1


def sample_occluders(rng: np.random.Generator, num_frames: int, severity: float = 1.0) -> tuple[Occluder, ...]:
    """Draw the occluders of one tracklet. At severity 1 a third of the tracklets has one; the chance scales
    with it (at most 1). A pole crosses the box; low things (bench, car, bush, bin) hide the legs; a wall's
    edge hides one side."""
    if rng.random() >= min(1.0, 0.33 * severity):
        return ()
    kind = str(rng.choice(OCCLUDERS, p=(0.3, 0.15, 0.2, 0.15, 0.1, 0.1)))
    width, height = {
        "pole": (rng.uniform(0.08, 0.2), 1.6),
        "bench": (rng.uniform(0.9, 1.6), rng.uniform(0.22, 0.34)),
        "car": (rng.uniform(2.0, 3.0), rng.uniform(0.3, 0.5)),
        "bush": (rng.uniform(0.6, 1.4), rng.uniform(0.25, 0.5)),
        "bin": (rng.uniform(0.6, 0.9), rng.uniform(0.3, 0.45)),
        "wall": (rng.uniform(0.8, 1.2), 1.6),
    }[kind]
    first, last = _interval(rng, num_frames, 0.25, 0.8)
    reach = (0.5 + width / 2) * (1 if rng.random() < 0.5 else -1)
    enters, leaves = (1.0, -1.0) if kind == "pole" else (1.0, rng.uniform(0.35 if kind == "wall" else -0.2, 0.75))
    if rng.random() < 0.5:
        enters, leaves = leaves, enters
    x_first, x_last = float(reach * enters), float(reach * leaves)
    seed = int(rng.integers(1 << 31))
    return (Occluder(kind, first, last, x_first, x_last, float(width), float(height), seed),)


def sample_passer_by(rng: np.random.Generator, person: Person, num_frames: int) -> PasserBy:
    """Draw how `person` passes through somebody else's tracklet: half of them all along (walking beside),
    the others across.
    """
    nearer = float(rng.choice((-1.0, 1.0), p=(0.7, 0.3)) * rng.uniform(0.4, 1.6))
    side = 1.0 if rng.random() < 0.5 else -1.0
    if rng.random() < 0.5:
        first, last = 0, num_frames - 1
        x_first, x_last = (side * rng.uniform(0.3, 0.55) for _ in range(2))
        view = float(rng.uniform(0, 360))
    else:
        first, last = _interval(rng, num_frames, 0.3, 0.9)
        x_first, x_last = side * rng.uniform(0.7, 0.9), -side * rng.uniform(0.7, 0.9)
        view = float((90 if side > 0 else 270) + rng.normal(0, 20))
    return PasserBy(person, first, last, float(x_first), float(x_last), nearer, view, phase=float(rng.random()))
