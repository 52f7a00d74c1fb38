"""Render a `Scene`: street, persons, occluders and camera, with the exact truth about every frame."""

from dataclasses import dataclass

import numpy as np

from reidlib.data.walkers import background, exact
from reidlib.data.walkers.cameras import person_to_ground
from reidlib.data.walkers.effects import expose
from reidlib.data.walkers.props import prop
from reidlib.data.walkers.raster import Fragments, rasterise
from reidlib.data.walkers.scene import Occluder, Scene
from reidlib.data.walkers.shading import shade
from reidlib.data.walkers.solids import Solids
from reidlib.data.walkers.staging import Actor, detector_box, passer_by, subject, to_camera, to_pixels

TRUTH = ("parts", "joints", "box", "flow", "fixed_flow", "clean")
_BLOCK = 40_000  # pixels rendered at once: their arrays stay in the processor's cache
_FLESH = np.array([0.16, 0.24] + [0.13] * 2 + [0.10] * 4 + [0.2] * 2 + [0.12] * 4)  # metres before each of JOINTS


@dataclass(frozen=True)
class Rendered:
    """The frames of a scene and what was asked for of their truth; the rest is None.

    Pixel places run from 0 at the left (upper) edge to the width (height): pixel i covers i to i + 1.
    """

    frames: np.ndarray  # (n, 3, H, W) uint8
    parts: np.ndarray | None = None  # (n, H, W) uint8, labels of `scene.PARTS`; what an occluder covers is 0
    joints: np.ndarray | None = None  # (n, J, 3) float32: x, y in pixels, 1 if visible; as in `skeleton.JOINTS`
    box: np.ndarray | None = None  # (n, 3) float32: the box in the camera's fixed picture, see `FrameSource.truth`
    flow: np.ndarray | None = None  # (n, 2, H, W) float32: x, y pixels to the same surface point in the next frame
    fixed_flow: np.ndarray | None = None  # the same where the next frame is cut with this frame's box
    clean: np.ndarray | None = None  # (n, 3, H, W) float32 in about [0, 1], before blur, noise and colour changes

    @property
    def silhouettes(self) -> np.ndarray:
        """(n, H, W) uint8 in {0, 1}: everything visible that belongs to the person."""
        return (self.parts > 0).astype(np.uint8)


def render(scene: Scene, resolution: tuple[int, int] = (64, 32), truth: tuple[str, ...] = ("parts",)) -> Rendered:
    """Render all frames of `scene` at `resolution` (height, width), with the kinds of `truth` named in
    `TRUTH`.

    The same scene gives the same bytes in any process and on any processor; its floats are rounded to multiples of
    2^-24 before it is drawn. Raises ValueError for an unknown kind of truth.
    """
    if unknown := set(truth) - set(TRUTH):
        raise ValueError(f"unknown truth {sorted(unknown)}; choose from {', '.join(TRUTH)}")
    scene = exact.settled(scene)
    canvas = _Canvas(scene, resolution, flow="flow" in truth or "fixed_flow" in truth)
    canvas.paint_everybody()
    canvas.occlude()
    return Rendered(
        frames=expose(canvas.picture, scene.camera, scene.seed),
        parts=canvas.parts if "parts" in truth else None,
        joints=canvas.joints() if "joints" in truth else None,
        box=canvas.box() if "box" in truth else None,
        flow=canvas.flow if "flow" in truth else None,
        fixed_flow=canvas.fixed_flow() if "fixed_flow" in truth else None,
        clean=canvas.picture.transpose(0, 3, 1, 2).copy() if "clean" in truth else None,
    )


def empty_place(scene: Scene, resolution: tuple[int, int] = (64, 32)) -> np.ndarray:
    """What the boxes of `scene` show with nobody there, uint8 (n, 3, H, W): the street and the occluders, under noise
    of its own, as a camera knows its background."""
    scene = exact.settled(scene)
    canvas = _Canvas(scene, resolution)
    canvas.occlude()
    return expose(canvas.picture, scene.camera, scene.seed + 2**32)  # scenes draw their seeds below


def later_frames(scene: Scene, resolution: tuple[int, int] = (64, 32), ahead: int = 1) -> np.ndarray:
    """For each frame of `scene`, the frame `ahead` later cut with the box of the first of the two, uint8
    (n, 3, H, W), under noise of its own: the street stands still and the person moves on.

    The last frame stands for those after the end.
    """
    scene = exact.settled(scene)
    canvas = _Canvas(scene, resolution, ahead=ahead)
    canvas.paint_everybody()
    canvas.occlude()
    return expose(canvas.picture, scene.camera, scene.seed + (1 + ahead) * 2**32)


class _Canvas:
    """The picture while it is painted from back to front, and the truth that each layer of paint changes."""

    def __init__(self, scene: Scene, resolution: tuple[int, int], flow: bool = False, ahead: int = 0) -> None:
        """ahead: show, in each frame's box, the frame that is so much later; the last one stands for those after."""
        self.scene, self.resolution = scene, resolution
        n = scene.num_frames
        self.subject = subject(scene)
        self.boxes = self.window = detector_box(scene, self.subject, resolution)
        self.shown = np.minimum(np.arange(n) + ahead, n - 1)  # frame that each picture shows
        self.parts = np.zeros((n, *resolution), np.uint8)
        self.depth = np.full((n, *resolution), np.inf, np.float32)  # of the nearest surface, metres
        # The crop follows the person: the street moves against the walk and shrinks as the person comes near. In the
        # camera's own picture, the box moves and grows as a person does who walks a straight line on the ground.
        forward = person_to_ground(scene.view)[:, 2]
        way = np.concatenate([[0.0], np.cumsum(self.subject.speed[:-1])]) / scene.fps
        zoom = 1 / np.clip(1 - forward[2] * (way - exact.total(way) / len(way)) / scene.camera.distance, 0.6, 1.6)
        drift = forward[0] * way / scene.camera.distance * zoom
        self.place = background.placed(scene.camera, self.boxes, drift, zoom)
        if ahead:
            self.window = background.looking(scene.camera, self.place[:n], drift[self.shown], zoom[self.shown])
        self.picture = background.crop(scene.camera, self.window[:n], drift[self.shown], zoom[self.shown], scene.place)
        self.flow = background.flow(scene.camera, self.window, drift, zoom) if flow else None

    def paint_everybody(self) -> None:
        """Paint the subject with its shadow and those who pass by, from the farthest to the nearest."""
        others = sorted((p for p in self.scene.passers_by if p.first < self.scene.num_frames), key=lambda p: p.nearer)
        for other in (p for p in others if p.nearer < 0):
            self.paint(passer_by(self.scene, other))
        self.shadow()
        self.paint(self.subject)
        for other in (p for p in others if p.nearer >= 0):
            self.paint(passer_by(self.scene, other))

    def paint(self, actor: Actor) -> None:
        """Paint a person over what is there."""
        solids = actor.solids(self.scene.camera)
        height, width = self.resolution
        block = max(1, _BLOCK // (height * width))
        begin, end = np.searchsorted(self.shown, (actor.first, actor.first + actor.count))
        for start in range(begin, end, block):
            frames = slice(start, min(start + block, end))
            posed = solids[self.shown[frames] - actor.first]
            fragments = rasterise(posed, self.window[frames])
            colour = shade(fragments, posed, self.scene.camera)
            picture = self.picture[frames].reshape(-1, 3)
            under = picture[fragments.pixel]
            picture[fragments.pixel] = under + fragments.alpha[:, None] * (colour - under)
            covered = fragments.pixel[fragments.inside]
            label = 0
            if actor.is_subject:
                solid = fragments.solid[fragments.inside] % len(solids.figure.part)
                is_right = fragments.q[0, fragments.inside] <= 0
                label = solids.figure.part.ravel()[2 * solid + is_right]
            self.parts[frames].reshape(-1)[covered] = label
            self.depth[frames].reshape(-1)[covered] = fragments.depth[fragments.inside]
            if self.flow is not None:
                self._move(fragments, solids, actor.first, frames)

    def _move(self, fragments: Fragments, solids: Solids, first: int, frames: slice) -> None:
        """Exact flow: the surface point in the axes of its solid, carried to the solid's place in the next frame."""
        height, width = self.resolution
        keep, window = fragments.inside, self.window
        row, column = fragments.pixel[keep] // width % height, fragments.pixel[keep] % width
        depth = fragments.depth[keep].astype(float)
        frame, solid = np.divmod(fragments.solid[keep], len(solids.figure.part))
        at, now = frame + frames.start, frame + frames.start - first  # index into the scene's frames and the solids'
        u, v = (
            (column + 0.5) / window.scale[at] + window.left[at],
            (row + 0.5) / window.scale[at] + window.top[at],
        )
        axes = solids.axes[now, solid]
        point = np.stack([u * depth, v * depth, depth], -1) - solids.origin[now, solid]
        own = exact.product(axes, point[..., None]) / exact.product(axes**2, np.ones((3, 1)))
        moved = solids.origin[now + 1, solid] + (own * solids.axes[now + 1, solid]).sum(-2)
        x = (moved[:, 0] / moved[:, 2] - window.left[at + 1]) * window.scale[at + 1]
        y = (moved[:, 1] / moved[:, 2] - window.top[at + 1]) * window.scale[at + 1]
        self.flow[at, 0, row, column] = x - column - 0.5
        self.flow[at, 1, row, column] = y - row - 0.5

    def shadow(self) -> None:
        """Darken the ground under the subject's feet, and more widely under the body on the side away from
        the light.
        """
        camera, n = self.scene.camera, self.scene.num_frames
        height, width = self.resolution
        begin = int(0.55 * height)
        feet = exact.product(self.subject.pose.joints[self.shown, -2:], person_to_ground(self.scene.view).T)
        spots = np.concatenate([feet, 0.5 * (feet[:, :1] + feet[:, 1:])], 1) * [1, 0, 1]
        light = np.deg2rad(camera.light_azimuth)
        spots[:, 2] -= 0.22 * np.array([exact.sin(light), 0, exact.cos(light)])
        spots = to_camera(camera, spots)
        x, y = to_pixels(self.window[:n], spots)
        wide = np.array([0.13, 0.13, 0.42]) * self.window.scale[:n, None] / spots[..., 2]
        deep = wide * max(exact.sin(np.deg2rad(camera.elevation)), 0.12) + 0.15
        lifted = np.maximum(feet[..., 1] - 0.08, 0)
        strength = np.concatenate([0.5 * exact.exp(-lifted / 0.06), np.full((n, 1), 0.30)], 1)
        across = ((np.arange(width) + 0.5 - x[..., None]) / wide[..., None]).astype(np.float32)
        down = ((np.arange(begin, height) + 0.5 - y[..., None]) / deep[..., None]).astype(np.float32)
        faint = strength[..., None].astype(np.float32) * exact.exp(-down * down)
        dark = exact.product(np.swapaxes(faint, 1, 2), exact.exp(-across * across))
        self.picture[:, begin:] *= (1 - np.minimum(dark, 0.75))[..., None]

    def occlude(self) -> None:
        """Paint the things before everybody."""
        for occluder in (o for o in self.scene.occluders if o.first < self.scene.num_frames):
            self._occlude(occluder)

    def _occlude(self, occluder: Occluder) -> None:
        """Paint a thing before everybody, its foot on the lower edge of the box of the frame that is shown."""
        height, width = self.resolution
        first, last = occluder.first, min(occluder.last, self.scene.num_frames - 1)
        frames = slice(*np.searchsorted(self.shown, (first, last + 1)))
        shown = self.shown[frames]
        window, boxes = self.window[frames], self.boxes[shown]
        ratio = (boxes.scale / window.scale)[:, None]  # from the picture's pixels to the box's
        column = (np.arange(width) + 0.5) * ratio + ((window.left - boxes.left) * boxes.scale)[:, None] - 0.5
        row = (np.arange(height) + 0.5) * ratio + ((window.top - boxes.top) * boxes.scale)[:, None] - 0.5
        h, w = max(2, round(occluder.height * height)), max(2, round(occluder.width * width))
        thing = prop(occluder.kind, h, w, np.random.default_rng(occluder.seed))[:height]
        thing[..., :3] *= thing[..., 3:]
        y0 = np.clip(np.rint(row).astype(np.int32) - height + len(thing) + 1, 0, len(thing) + 1)
        upper = int((y0 > 0).any(0).argmax())
        thing = np.pad(thing, ((1, 1), (1, 1), (0, 0)))
        share = (np.arange(first, last + 2) - first) / max(occluder.last - first, 1)
        left = (0.5 + occluder.x_first + share * (occluder.x_last - occluder.x_first)) * width - 0.5 * w
        x = np.clip(column - left[shown - first, None] + 1, 0, w + 0.999)
        x0 = x.astype(np.int32)[:, None]
        part = (x[:, None] - x0).astype(np.float32)[..., None]
        y0 = y0[:, upper:, None]
        piece = thing[y0, x0] * (1 - part) + thing[y0, x0 + 1] * part
        where = (frames, slice(upper, height))
        below = self.picture[where]
        below *= 1 - piece[..., 3:]
        below += piece[..., :3]
        hidden = piece[..., 3] > 0.5
        self.parts[where][hidden] = 0
        self.depth[where][hidden] = 0
        if self.flow is not None:
            moving = np.broadcast_to(np.diff(left)[:, None, None], hidden.shape)
            self.flow[:, 0][where][hidden] = moving[hidden]
            self.flow[:, 1][where][hidden] = 0

    def box(self) -> np.ndarray:
        """The boxes in the camera's picture (n, 3): centre and height in pixels of the first one's crop, float32."""
        n, (height, width) = self.scene.num_frames, self.resolution
        size = self.place.scale[0] / self.place.scale[:n]  # pixels of the first crop for a pixel of each
        x = self.place.left[:n] * self.place.scale[0] + 0.5 * width * size
        y = self.place.top[:n] * self.place.scale[0] + 0.5 * height * size
        return np.stack([x, y, height * size], -1).astype(np.float32)

    def fixed_flow(self) -> np.ndarray:
        """The flow (n, 2, H, W) to where the next frame shows the point if it is cut with this frame's box."""
        place, (height, width) = self.place, self.resolution
        ratio = place.scale[:-1] / place.scale[1:] - 1
        x = np.diff(place.left) * place.scale[:-1] + ratio * (np.arange(width) + 0.5)[:, None]
        y = np.diff(place.top) * place.scale[:-1] + ratio * (np.arange(height) + 0.5)[:, None]
        flow = (ratio + 1)[:, None, None, None] * self.flow
        flow[:, 0] += x.T[:, None]
        flow[:, 1] += y.T[:, :, None]
        return flow.astype(np.float32)

    def joints(self) -> np.ndarray:
        """Joints in pixels (n, J, 3); visible where the nearest surface is the subject's, and no deeper
        flesh than the joint's own lies between."""
        n, (height, width) = self.scene.num_frames, self.resolution
        at = self.subject.joints(self.scene.camera)[:n]
        x, y = to_pixels(self.window[:n], at)
        inside = (x >= 0) & (x < width) & (y >= 0) & (y < height)
        where = (
            np.arange(n)[:, None],
            np.where(inside, y, 0).astype(int),
            np.where(inside, x, 0).astype(int),
        )
        visible = inside & (self.parts[where] > 0) & (at[..., 2] - self.depth[where] < _FLESH)
        return np.stack([x, y, visible], -1).astype(np.float32)
