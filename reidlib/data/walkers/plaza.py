"""A whole scene before one fixed camera: people cross a plaza, some at the same time, and everybody comes back later.

The same bodies, clothes, street and camera as in the tracklets of the rendered benchmarks, but in full frames, so that
what finds and follows people in a video can be tried against exact truth.
"""

from dataclasses import dataclass

import numpy as np

from reidlib.data.walkers import background, exact
from reidlib.data.walkers.cameras import Camera, person_to_ground
from reidlib.data.walkers.effects import expose
from reidlib.data.walkers.gait import posture
from reidlib.data.walkers.raster import Window, rasterise
from reidlib.data.walkers.scene import Person, sample_person
from reidlib.data.walkers.shading import shade
from reidlib.data.walkers.skeleton import ground_speed, pose
from reidlib.data.walkers.staging import Actor, to_camera, to_pixels

CAMERA = Camera(scene_seed=7, clutter=0.7, distance=10.0, elevation=11.0, gain=1.1, noise=0.008, blur=0.35)
_TALL = 0.4  # height of a person of 1.75 m in the middle of the plaza, as a share of the picture's
_BLOCK = 32  # frames painted at once


@dataclass(frozen=True)
class Plaza:
    """A rendered video and its truth.

    frames: uint8 (n, 3, H, W). labels: uint8 (n, H, W), the number of the pass whose person is seen there, from 1, or
    0; a pass is one person's way across the picture. person_ids: (passes,) who it is, from 1. fps: frames a second.
    """

    frames: np.ndarray
    labels: np.ndarray
    person_ids: np.ndarray
    fps: float

    def boxes(self, min_pixels: int = 1) -> np.ndarray:
        """The tight box of whatever is seen of each pass in each frame, float (N, 6).

        Columns: frame from 0, pass from 1, left, top, width, height in pixels. min_pixels: fewer are left out.
        """
        rows = []
        for number in range(1, len(self.person_ids) + 1):
            seen = self.labels == number
            for frame in np.flatnonzero(seen.sum((1, 2)) >= min_pixels):
                y, x = seen[frame].nonzero()
                rows.append((frame, number, x.min(), y.min(), np.ptp(x) + 1, np.ptp(y) + 1))
        return np.array(sorted(rows), dtype=float)

    def person_in(self, numbers: np.ndarray, boxes: np.ndarray) -> int:
        """The person to whom most of what is seen of people in these boxes belongs, 0 if nobody is seen.

        numbers: (n,) frames from 0; boxes: (n, 4) left, top, width, height in pixels.
        """
        pixels = np.zeros(len(self.person_ids) + 1)
        for number, (left, top, width, height) in zip(numbers, np.round(boxes).astype(int).clip(0)):
            window = self.labels[number, top : top + height, left : left + width]
            pixels += np.bincount(window.ravel(), minlength=len(pixels))
        return int(self.person_ids[pixels[1:].argmax()]) if pixels[1:].any() else 0


def plaza(
    seed: int = 0,
    num_people: int = 5,
    passes: int = 2,
    gap: float = 1.8,
    fps: float = 12.5,
    resolution: tuple[int, int] = (240, 320),
    camera: Camera = CAMERA,
) -> Plaza:
    """Render `num_people` people, each of whom crosses the plaza `passes` times, in other directions and depths.

    gap: mean seconds between one person's coming and the next one's; below five, people meet in the picture. In every
    round everybody comes once, in an order, and at a distance from the camera, that `seed` draws, as it does the
    people. The first is in the picture when the video begins. The same arguments give the same bytes.
    ValueError if there is no person or no pass, or more than 255 passes.
    """
    if not 1 <= num_people * passes <= 255 or num_people < 1:
        raise ValueError(f"num_people={num_people}, passes={passes}: expected 1 to 255 passes in all")
    rng = np.random.default_rng([seed, 8])
    people = [exact.settled(sample_person(rng)) for _ in range(num_people)]
    camera = exact.settled(camera)
    order = np.concatenate([rng.permutation(num_people) for _ in range(passes)])
    times = np.arange(len(order)) * gap + rng.uniform(-0.3, 0.3, len(order)) * gap
    height, width = resolution
    scale = _TALL * height / 1.75 * camera.distance
    corner = (-0.5 * width / scale, -0.5 * height / scale)
    actors = []
    for number, start in zip(order, times):
        view, depth, phase = rng.choice((90, 270)) + rng.uniform(-18, 18), rng.uniform(-1.6, 1.2), rng.random()
        way = exact.settled((float(start), view, depth, phase))
        actors.append(_walk(people[number], *way, fps, corner, camera))
    count = max(actor.first + actor.count for actor in actors)
    frames, labels = np.empty((count, 3, *resolution), np.uint8), np.zeros((count, *resolution), np.uint8)
    for first in range(0, count, _BLOCK):
        block = slice(first, min(first + _BLOCK, count))
        window = Window(*(np.full(block.stop - first, value) for value in (*corner, scale)), resolution)
        still = np.zeros(block.stop - first)
        picture = background.crop(camera, window, still, still + 1, place=0.3)
        _paint(picture, labels[block], actors, first, window, camera)
        frames[block] = expose(picture, camera, seed * 100_003 + first)
    return Plaza(frames, labels, order + 1, fps)


def _walk(
    person: Person,
    start: float,
    view: float,
    depth: float,
    phase: float,
    fps: float,
    corner: tuple[float, float],
    camera: Camera,
) -> Actor:
    """A person who comes in from one side at `start` seconds, half way at 0 or before, and walks out on the other.

    depth: metres nearer to the camera than the middle of the plaza, half way.
    """
    forward = person_to_ground(view)[:, 2]
    speed = ground_speed(person.body, person.gait, "walking")
    reach = (-corner[0] * (camera.distance + 1) + 0.6) / abs(forward[0])  # metres from the middle to outside
    seconds = 2 * reach / speed
    skipped = reach / speed if start <= 0 else 0.0
    first, count = max(round(start * fps), 0), max(int((seconds - skipped) * fps), 1)
    times = skipped + np.arange(count + 1) / fps
    angles, _ = posture(person.gait, "walking", times, phase)
    place = (times * speed - reach)[:, None] * forward * [1, 0, 1] + [0, 0, depth]
    posed = pose(person.body, person.gait, angles, "walking")
    return Actor(person, posed, view, first, place, "walking", np.full(count + 1, speed), False)


def _paint(
    picture: np.ndarray, labels: np.ndarray, actors: list[Actor], first: int, window: Window, camera: Camera
) -> None:
    """Shadows, then people from the farthest to the nearest, frame by frame, into `picture` and `labels`."""
    here = []
    for number, actor in enumerate(actors, start=1):
        begin, end = max(actor.first, first), min(actor.first + actor.count, first + len(picture))
        if begin < end:
            where, own = slice(begin - first, end - first), slice(begin - actor.first, end - actor.first)
            here.append((exact.total(actor.place[own, 2]) / (end - begin), number, actor, where, own))
            _shadow(picture[where], actor, own, window[where], camera)
    for _, number, actor, where, own in sorted(here, key=lambda entry: entry[:2]):
        solids = actor.solids(camera)[own]
        fragments = rasterise(solids, window[where])
        pixels = picture[where].reshape(-1, 3)
        colour = shade(fragments, solids, camera)
        pixels[fragments.pixel] += fragments.alpha[:, None] * (colour - pixels[fragments.pixel])
        labels[where].reshape(-1)[fragments.pixel[fragments.inside]] = number


def _shadow(picture: np.ndarray, actor: Actor, own: slice, window: Window, camera: Camera) -> None:
    """Darken the ground from the feet away from the light: soft spots, fainter the farther they lie."""
    height, width = window.resolution
    away = np.deg2rad(camera.light_azimuth)
    steps = np.array([0.0, 0.3, 0.6, 0.9])
    spots = actor.place[own][:, None] - steps[:, None] * [exact.sin(away), 0, exact.cos(away)]
    x, y = (axis[..., None] for axis in to_pixels(window, to_camera(camera, spots)))
    across = 0.2 * window.scale[0] / camera.distance
    deep = across * exact.sin(np.deg2rad(camera.elevation)) + 1
    columns = exact.exp(-(((np.arange(width) + 0.5 - x) / across) ** 2))
    rows = exact.exp(-(((np.arange(height) + 0.5 - y) / deep) ** 2))
    strength = 0.6 * camera.contrast * (1 - 0.5 * steps)
    dark = exact.product(np.swapaxes(strength[:, None] * rows, 1, 2), columns)
    picture *= (1 - np.minimum(dark, 0.5))[..., None].astype(np.float32)
