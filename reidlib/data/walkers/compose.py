"""Render a `Scene`: street, persons, occluders and camera, with the exact truth about every frame."""

from dataclasses import dataclass

import numpy as np

from reidlib.data.walkers import background
from reidlib.data.walkers.cameras import EYE, Camera, ground_to_camera, person_to_ground
from reidlib.data.walkers.effects import expose
from reidlib.data.walkers.figure import figure
from reidlib.data.walkers.gait import posture
from reidlib.data.walkers.props import prop
from reidlib.data.walkers.raster import Fragments, Solids, Window, rasterise
from reidlib.data.walkers.scene import Occluder, Person, Scene
from reidlib.data.walkers.shading import shade
from reidlib.data.walkers.skeleton import Pose, ground_speed, lengths, pose

TRUTH = ("parts", "joints", "flow", "clean")
_BLOCK = 40_000  # pixels rendered at once: their arrays stay in the processor's cache


@dataclass(frozen=True)
class Rendered:
    """The frames of a scene and what was asked for of their truth; the rest is None.

    Pixel places run from 0 at the left (upper) edge to the width (height): pixel i covers i to i + 1.
    """

    frames: np.ndarray  # (n, 3, H, W) uint8
    parts: np.ndarray | None = None  # (n, H, W) uint8, labels of `scene.PARTS`; what an occluder covers is 0
    joints: np.ndarray | None = (
        None  # (n, J, 3) float32: x, y in pixels, 1 if visible; in the order of `skeleton.JOINTS`
    )
    flow: np.ndarray | None = (
        None  # (n, 2, H, W) float32: x, y pixels to the same surface point in the next frame
    )
    clean: np.ndarray | None = (
        None  # (n, 3, H, W) float32 in about [0, 1], before blur, noise and colour changes
    )

    @property
    def silhouettes(self) -> np.ndarray:
        """(n, H, W) uint8 in {0, 1}: everything visible that belongs to the person."""
        return (self.parts > 0).astype(np.uint8)


def render(
    scene: Scene, resolution: tuple[int, int] = (64, 32), truth: tuple[str, ...] = ("parts",)
) -> Rendered:
    """Render all frames of `scene` at `resolution` (height, width), with the kinds of `truth` named in `TRUTH`.

    The same scene gives the same bytes in any process. Raises ValueError for an unknown kind of truth.
    """
    if unknown := set(truth) - set(TRUTH):
        raise ValueError(f"unknown truth {sorted(unknown)}; choose from {', '.join(TRUTH)}")
    canvas = _Canvas(scene, resolution, flow="flow" in truth)
    for walker in canvas.walkers(behind=True):
        canvas.paint(walker)
    canvas.shadow()
    canvas.paint(canvas.person)
    for walker in canvas.walkers(behind=False):
        canvas.paint(walker)
    for occluder in scene.occluders:
        canvas.occlude(occluder)
    return Rendered(
        frames=expose(canvas.picture, scene.camera, scene.seed),
        parts=canvas.parts if "parts" in truth else None,
        joints=canvas.joints() if "joints" in truth else None,
        flow=canvas.flow if "flow" in truth else None,
        clean=canvas.picture.transpose(0, 3, 1, 2).copy() if "clean" in truth else None,
    )


@dataclass(frozen=True)
class _Walker:
    """A person on the ground: posed in frames `first` ... and one more, standing at `offset` (frames + 1, 3) ground metres."""

    person: Person
    pose: Pose
    view: float
    first: int
    offset: np.ndarray
    motion: str
    speed: np.ndarray  # (frames + 1,) metres a second
    is_subject: bool

    @property
    def count(self) -> int:
        return len(self.offset) - 1


def _walker(
    scene: Scene,
    person: Person,
    view: float,
    motion: str,
    phase: float,
    first: int,
    offset: np.ndarray,
    subject: bool,
) -> _Walker:
    times = (first + np.arange(len(offset))) / scene.fps
    angles, moving = posture(person.gait, motion, times, phase)
    posed = pose(person.body, person.gait, angles, motion)
    speed = moving * ground_speed(person.body, person.gait, motion)
    return _Walker(person, posed, view, first, offset, motion, speed, subject)


def _to_camera(camera: Camera, points: np.ndarray) -> np.ndarray:
    """Points (..., 3) on the ground's axes, below the subject's pelvis at the origin, in camera axes."""
    return (points - [0, EYE, 0]) @ ground_to_camera(camera).T + [0, 0, camera.distance]


def _window(scene: Scene, walker: _Walker, resolution: tuple[int, int]) -> Window:
    """The detector's box in each frame and one more: fixed size and height, following the pelvis, with its errors."""
    height, width = resolution
    size = lengths(walker.person.body)
    joints = walker.pose.joints @ person_to_ground(walker.view).T
    crown, soles = joints[:, 0] + [0, 0.55 * size.head, 0], joints[:, -2:] - [0, size.ankle, 0]
    ends = _to_camera(scene.camera, np.concatenate([crown[:, None], soles], 1))
    v = ends[..., 1] / ends[..., 2]
    upper, lower = v.min(), v.max()
    if walker.motion == "riding":
        lower = max(lower, _to_camera(scene.camera, np.zeros(3))[1] / scene.camera.distance)
    hips = _to_camera(scene.camera, joints[:, 8:10].mean(1))
    rng = np.random.default_rng([scene.seed, 2])
    error = scene.box_error
    jitter = error.jitter * rng.standard_normal((3, len(v)))
    tall = 1.08 * (lower - upper) * np.exp(error.scale + jitter[0])
    u = hips[:, 0] / hips[:, 2] + (error.shift_x + jitter[1]) * tall * width / height
    middle = 0.5 * (upper + lower) + (error.shift_y + jitter[2]) * tall
    return Window(u - 0.5 * tall * width / height, middle - 0.5 * tall, height / tall, (height, width))


class _Canvas:
    """The picture while it is painted from back to front, and the truth that each layer of paint changes."""

    def __init__(self, scene: Scene, resolution: tuple[int, int], flow: bool) -> None:
        self.scene, self.resolution = scene, resolution
        n = scene.num_frames
        self.person = _walker(
            scene, scene.person, scene.view, scene.motion, scene.phase, 0, np.zeros((n + 1, 3)), True
        )
        self.window = _window(scene, self.person, resolution)
        self.parts = np.zeros((n, *resolution), np.uint8)
        self.depth = np.full((n, *resolution), np.inf, np.float32)
        velocity = person_to_ground(scene.view)[:, 2]
        way = np.concatenate([[0.0], np.cumsum(self.person.speed[:-1])]) / scene.fps
        drift = velocity[0] * way / scene.camera.distance
        zoom = np.clip(1 - velocity[2] * (way - way.mean()) / scene.camera.distance, 0.6, 1.6)
        self.picture = background.crop(scene.camera, self.window[:n], drift[:n], zoom[:n], scene.place)
        self.flow = self._background_flow(drift, zoom) if flow else None

    def walkers(self, behind: bool) -> list[_Walker]:
        """The passers-by behind the person (or before), the farthest first."""
        chosen = [
            p for p in self.scene.passers_by if (p.nearer < 0) == behind and p.first < self.scene.num_frames
        ]
        found = []
        for p in sorted(chosen, key=lambda p: p.nearer):
            last = min(p.last, self.scene.num_frames - 1)
            share = (np.arange(p.first, last + 2) - p.first) / max(p.last - p.first, 1)
            offset = np.zeros((len(share), 3))
            offset[:, 0] = p.x_first + share * (p.x_last - p.x_first)
            offset[:, 2] = p.nearer
            found.append(_walker(self.scene, p.person, p.view, p.motion, p.phase, p.first, offset, False))
        return found

    def _solids(self, walker: _Walker) -> Solids:
        shape = figure(walker.person.body, walker.person.outfit, walker.motion == "riding")
        turn = ground_to_camera(self.scene.camera) @ person_to_ground(walker.view)
        rotation = (turn @ walker.pose.rotations)[:, shape.segment]
        at = walker.pose.origins @ person_to_ground(walker.view).T + walker.offset[:, None]
        at = _to_camera(self.scene.camera, at)[:, shape.segment]
        origin = at + np.einsum("npij,pj->npi", rotation, shape.origin)
        axes = np.einsum("npij,pkj->npki", rotation, shape.axes)
        return Solids(origin.astype(np.float32), axes.astype(np.float32), shape)

    def paint(self, walker: _Walker) -> None:
        """Paint a person over what is there."""
        solids = self._solids(walker)
        height, width = self.resolution
        block = max(1, _BLOCK // (height * width))
        for start in range(0, walker.count, block):
            stop = min(start + block, walker.count)
            frames = slice(walker.first + start, walker.first + stop)
            fragments = rasterise(solids[start:stop], self.window[frames])
            colour = shade(fragments, solids[start:stop], self.scene.camera)
            picture = self.picture[frames].reshape(-1, 3)
            under = picture[fragments.pixel]
            picture[fragments.pixel] = under + fragments.alpha[:, None] * (colour - under)
            covered = fragments.pixel[fragments.inside]
            kind = fragments.solid[fragments.inside] % len(solids.figure.part)
            self.parts[frames].reshape(-1)[covered] = solids.figure.part[kind] if walker.is_subject else 0
            self.depth[frames].reshape(-1)[covered] = fragments.depth[fragments.inside]
            if self.flow is not None:
                self._person_flow(fragments, solids, start, frames)

    def _person_flow(self, fragments: Fragments, solids: Solids, start: int, frames: slice) -> None:
        """Exact flow: the surface point in the axes of its solid, carried to the solid's place in the next frame."""
        height, width = self.resolution
        keep = fragments.inside
        pixel, depth = fragments.pixel[keep], fragments.depth[keep].astype(float)
        frame, kind = np.divmod(fragments.solid[keep], len(solids.figure.part))
        x, y = pixel % width + 0.5, pixel // width % height + 0.5
        here, window = frame + frames.start, self.window
        u, v = window.left[here] + x / window.scale[here], window.top[here] + y / window.scale[here]
        point = np.stack([u * depth, v * depth, depth], -1)
        now, then = frame + start, frame + start + 1
        axes = solids.axes[now, kind]
        own = np.einsum("kij,kj->ki", axes, point - solids.origin[now, kind]) / (axes**2).sum(-1)
        moved = solids.origin[then, kind] + np.einsum("ki,kij->kj", own, solids.axes[then, kind])
        x1 = (moved[:, 0] / moved[:, 2] - window.left[here + 1]) * window.scale[here + 1]
        y1 = (moved[:, 1] / moved[:, 2] - window.top[here + 1]) * window.scale[here + 1]
        row = pixel // width % height
        self.flow[here, 0, row, pixel % width] = x1 - x
        self.flow[here, 1, row, pixel % width] = y1 - y

    def _background_flow(self, drift: np.ndarray, zoom: np.ndarray) -> np.ndarray:
        n, window = self.scene.num_frames, self.window
        height, width = self.resolution
        horizon = -np.tan(np.deg2rad(self.scene.camera.elevation))
        u, v = background.backdrop_places(window, zoom, horizon)
        u1 = (u[:-1] + (drift[:-1] - drift[1:])[:, None]) / zoom[1:, None]
        v1 = horizon + (v[:-1] - horizon) / zoom[1:, None]
        x1 = (u1 - window.left[1:, None]) * window.scale[1:, None] - 0.5 - np.arange(width)
        y1 = (v1 - window.top[1:, None]) * window.scale[1:, None] - 0.5 - np.arange(height)
        flow = np.empty((n, 2, height, width), np.float32)
        flow[:, 0], flow[:, 1] = x1[:, None, :], y1[:, :, None]
        return flow

    def shadow(self) -> None:
        """Darken the ground under the person's feet and around."""
        walker, window = self.person, self.window
        camera = self.scene.camera
        height, width = self.resolution
        n, begin = walker.count, int(0.55 * height)
        ground = walker.pose.joints[:n, -2:] @ person_to_ground(walker.view).T
        lifted = np.maximum(ground[..., 1] - 0.08, 0)
        spots = np.concatenate([ground, ground.mean(1, keepdims=True)], 1) * [1, 0, 1]
        light = np.deg2rad(camera.light_azimuth)
        spots[:, 2] -= 0.22 * np.array([np.sin(light), 0, np.cos(light)])
        at = _to_camera(camera, spots)
        x = (at[..., 0] / at[..., 2] - window.left[:n, None]) * window.scale[:n, None]
        y = (at[..., 1] / at[..., 2] - window.top[:n, None]) * window.scale[:n, None]
        metre = window.scale[:n, None] / at[..., 2]
        wide = np.array([0.13, 0.13, 0.42]) * metre
        deep = wide * max(np.sin(np.deg2rad(camera.elevation)), 0.12) + 0.15
        strength = np.concatenate([0.5 * np.exp(-lifted / 0.06), np.full((n, 1), 0.30)], 1)
        gx = np.exp(-(((np.arange(width) + 0.5 - x[..., None]) / wide[..., None]) ** 2))
        gy = strength[..., None] * np.exp(
            -(((np.arange(begin, height) + 0.5 - y[..., None]) / deep[..., None]) ** 2)
        )
        dark = np.einsum("nsh,nsw->nhw", gy, gx)
        self.picture[:, begin:] *= (1 - np.minimum(dark, 0.75))[..., None].astype(np.float32)

    def occlude(self, occluder: Occluder) -> None:
        """Paint a thing before everybody."""
        height, width = self.resolution
        first, last = occluder.first, min(occluder.last, self.scene.num_frames - 1)
        if first > last:
            return
        h, w = max(2, round(occluder.height * height)), max(2, round(occluder.width * width))
        thing = prop(occluder.kind, h, w, np.random.default_rng(occluder.seed))[: height + 1]
        thing[..., :3] *= thing[..., 3:]
        thing = np.pad(thing, ((0, 0), (1, 1), (0, 0)))
        rows = min(len(thing), height)
        share = (np.arange(first, last + 2) - first) / max(occluder.last - first, 1)
        left = (0.5 + occluder.x_first + share * (occluder.x_last - occluder.x_first)) * width - 0.5 * w
        x = np.clip(np.arange(width) - left[:-1, None] + 1, 0, w + 0.999)
        x0 = x.astype(np.int32)
        part = (x - x0).astype(np.float32)[None, ..., None]
        piece = (thing[:rows][:, x0] * (1 - part) + thing[:rows][:, x0 + 1] * part).transpose(1, 0, 2, 3)
        frames = slice(first, last + 1)
        below = self.picture[frames, height - rows :]
        below *= 1 - piece[..., 3:]
        below += piece[..., :3]
        hidden = piece[..., 3] > 0.5
        self.parts[frames, height - rows :][hidden] = 0
        self.depth[frames, height - rows :][hidden] = 0
        if self.flow is not None:
            speed = np.diff(left).astype(np.float32)[:, None, None]
            for axis, value in enumerate((speed, np.zeros_like(speed))):
                lower = self.flow[frames, axis, height - rows :]
                lower[hidden] = np.broadcast_to(value, hidden.shape)[hidden]

    def joints(self) -> np.ndarray:
        """Joints in pixels (n, J, 3); visible where the person's surface before the joint is the joint's own flesh or cloth."""
        n, (height, width) = self.scene.num_frames, self.resolution
        at = _to_camera(self.scene.camera, self.person.pose.joints[:n] @ person_to_ground(self.scene.view).T)
        window = self.window
        x = (at[..., 0] / at[..., 2] - window.left[:n, None]) * window.scale[:n, None]
        y = (at[..., 1] / at[..., 2] - window.top[:n, None]) * window.scale[:n, None]
        column, row = np.floor(x).astype(int), np.floor(y).astype(int)
        inside = (column >= 0) & (column < width) & (row >= 0) & (row < height)
        frame = np.arange(n)[:, None]
        column, row = np.clip(column, 0, width - 1), np.clip(row, 0, height - 1)
        near = at[..., 2] - self.depth[frame, row, column]
        flesh = np.array(
            [0.16, 0.24] + [0.13] * 2 + [0.10] * 4 + [0.2] * 2 + [0.12] * 4
        )  # metres, in the order of JOINTS
        visible = inside & (self.parts[frame, row, column] > 0) & (near < flesh)
        return np.stack([x, y, visible], -1).astype(np.float32)
