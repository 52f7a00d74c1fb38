"""Which solid each pixel shows: quadrics seen by a camera, all frames at once.

Within the few pixels that one solid covers, the rays through the pixels are taken as parallel to the ray
through its middle. Then the ray of pixel offset (x, y) meets the quadric where a t² + 2 b t + c = 0, with t
along the ray, a constant, b linear and c quadratic in (x, y); so a solid needs a dozen coefficients a
frame, and a pixel a dozen multiplications.
"""

from dataclasses import dataclass

import numpy as np

from reidlib.data.walkers import exact
from reidlib.data.walkers.solids import Solids

_NOTHING = np.iinfo(np.int64).max
_OUTLINE = np.float32(1000.0)  # metres added to the depth of outline pixels: they never hide a covered centre


@dataclass(frozen=True)
class Window:
    """The detector's box of each of n frames in the picture plane (x/z, y/z), with square pixels."""

    left: np.ndarray  # (n,)
    top: np.ndarray  # (n,)
    scale: np.ndarray  # (n,) pixels per unit of the picture plane
    resolution: tuple[int, int]  # height, width

    def __getitem__(self, frames: slice) -> "Window":
        return Window(self.left[frames], self.top[frames], self.scale[frames], self.resolution)


@dataclass(frozen=True)
class Fragments:
    """The K pixels that a figure covers at least partly, at most one for each pixel of each frame."""

    pixel: np.ndarray  # (K,) index into the flattened (n, H, W)
    solid: np.ndarray  # (K,) index into the flattened (n, P)
    alpha: np.ndarray  # (K,) covered share, (0, 1]
    inside: np.ndarray  # (K,) bool, whether the pixel's centre is covered
    depth: np.ndarray  # (K,) metres from the camera plane
    q: np.ndarray  # (3, K) the surface point in the solid's own coordinates
    cut: np.ndarray  # (K,) int8: the surface is the quadric (0), or the flat end at low (-1) or at high (1)


@dataclass(frozen=True)
class _Screen:
    """Solids in the picture, N = n P of them: pixel places and the coefficients of the rays through a pixel
    offset (x, y).
    """

    x: np.ndarray  # (N,) pixel place of the middle
    y: np.ndarray
    depth: np.ndarray  # (N,) of the middle
    reach: np.ndarray  # (N, 2) half the bounding box, pixels
    root: np.ndarray  # (6, N) (b² - a c) / a² over 1, x, y, x², x y, y²
    centre: np.ndarray  # (3, N) -b / a over 1, x, y: t half way between entering and leaving the quadric
    slab: np.ndarray  # (3, N) t where low <= q3 <= high is entered, over 1, x, y
    thickness: np.ndarray  # (N,) of that slab in t
    step_x: np.ndarray  # (3, N) change of q with x
    step_y: np.ndarray  # (3, N) change of q with y
    along: np.ndarray  # (3, N) change of q with t
    middle: np.ndarray  # (N,) q3 of the middle


def _screen(solids: Solids, window: Window) -> _Screen:
    """Put rays q = (0, 0, middle) + step (x, y) + along t into the solids' quadrics."""
    shape = solids.figure
    low, high = shape.span.T
    middle = 0.5 * (low + high)
    place = solids.origin + middle[:, None] * solids.axes[:, :, 2]
    pitch = place[..., 2] / window.scale[:, None].astype(np.float32)  # metres a pixel, (n, P)
    ray = place / place[..., 2:]
    x, y = ((ray[..., i] - c[:, None]) * window.scale[:, None] for i, c in enumerate((window.left, window.top)))

    # Grow by half a pixel: what is less than half a pixel outside belongs to the blended outline.
    norm = np.sqrt(solids.squares)
    is_ball = low < 0
    sides = np.stack([1 / shape.widest, 1 / shape.widest, is_ball], -1)
    grown = norm + 0.5 * pitch[..., None] * sides
    gradient = solids.axes / (norm * grown)[..., None]  # rows: of q1, q2, q3 in camera axes
    step = gradient[..., :2] * pitch[..., None, None]  # (n, P, 3, 2)
    along = exact.product(gradient, ray[..., None])[..., 0]

    # Polynomials over (1, x, y): q1, q2, q3 at t = 0, and from them a, b and c of the module's equation.
    c0, c1, c2 = shape.quadric.T[:, :, None]
    q1, q2, q3 = np.moveaxis(np.concatenate([np.zeros_like(step[..., :1]), step], -1), -2, 0)
    q3[..., 0] = middle
    w1, w2, w3 = np.moveaxis(along, -1, 0)[..., None]
    square = w1 * w1 + w2 * w2
    a = np.maximum(square - c2 * w3 * w3, 0.02 * (square + w3 * w3))  # a view down a wide cone stays closed
    b = q1 * w1 + q2 * w2 - c2 * q3 * w3
    b[..., :1] -= 0.5 * c1 * w3
    c = _product(q1, q1) + _product(q2, q2) - c2 * _product(q3, q3)
    c[..., :3] -= c1 * q3
    c[..., :1] -= c0

    # low <= q3 <= high between t = (low - q3) / w3 and (high - q3) / w3, or the other way round.
    w3 = np.where(w3 < 0, np.minimum(w3, -1e-3), np.maximum(w3, 1e-3))
    slab = -q3 / w3
    slab[..., 0] += np.where(w3[..., 0] > 0, low, high) / w3[..., 0]

    # Half the extent of the widest cross-section (of the ellipsoid), and of a tube's axis.
    half_axes = (grown / norm * np.stack([shape.widest, shape.widest, is_ball], -1))[..., None] * solids.axes
    reach = np.sqrt((half_axes[..., 0, :2] ** 2 + half_axes[..., 1, :2] ** 2) + half_axes[..., 2, :2] ** 2)
    reach += np.where(is_ball, 0, 0.5)[:, None] * np.abs(solids.axes[..., 2, :2])

    def flat(values: np.ndarray) -> np.ndarray:
        return np.ascontiguousarray(values, np.float32).reshape(-1)

    def columns(values: np.ndarray) -> np.ndarray:
        return np.ascontiguousarray(values.reshape(-1, values.shape[-1]).T, np.float32)

    return _Screen(
        x=flat(x),
        y=flat(y),
        depth=flat(place[..., 2]),
        reach=columns(1.06 * reach / pitch[..., None]).T,
        root=columns((_product(b, b) - a * c) / (a * a)),
        centre=columns(-b / a),
        slab=columns(slab),
        thickness=flat((high - low) / np.abs(w3[..., 0])),
        step_x=columns(step[..., 0]),
        step_y=columns(step[..., 1]),
        along=columns(along),
        middle=flat(np.broadcast_to(middle, pitch.shape)),
    )


def _product(f: np.ndarray, g: np.ndarray) -> np.ndarray:
    """The product, over (1, x, y, x², x y, y²), of two polynomials over (1, x, y)."""
    f0, fx, fy = np.moveaxis(f, -1, 0)
    g0, gx, gy = np.moveaxis(g, -1, 0)
    return np.stack([f0 * g0, f0 * gx + fx * g0, f0 * gy + fy * g0, fx * gx, fx * gy + fy * gx, fy * gy], -1)


def rasterise(solids: Solids, window: Window) -> Fragments:
    """Find the nearest surface at each pixel.

    A pixel whose centre is covered shows the nearest solid that covers its centre; any other one the nearest solid
    that comes within half a pixel.
    """
    see, (height, width) = _screen(solids, window), window.resolution
    n, count = solids.origin.shape[:2]

    # Bounding boxes to their rows; `owner` is the solid of a row. A row's coefficients have its y put in.
    limit = np.array([width, height])
    place = np.stack([see.x, see.y], -1)
    first = np.clip(np.floor(place - see.reach), 0, limit).astype(np.int32)
    size = np.clip(np.ceil(place + see.reach), 0, limit).astype(np.int32) - first
    rows = np.where(size[:, 0] > 0, size[:, 1], 0)
    owner = np.repeat(np.arange(n * count, dtype=np.int32), rows)
    y = np.arange(len(owner), dtype=np.int32) + (first[:, 1] - np.cumsum(rows, dtype=np.int32) + rows)[owner]
    dy = y.astype(np.float32) - (see.y - np.float32(0.5))[owner]
    root, centre, slab = see.root.take(owner, 1), see.centre.take(owner, 1), see.slab.take(owner, 1)
    r0, r1, r2 = root[0] + dy * (root[2] + dy * root[5]), root[1] + dy * root[4], root[3]

    # The part of the row inside the quadric; then its pixels: `line` is the row of a pixel.
    zero = see.x[owner] - np.float32(0.5)  # column of pixel offset 0
    square = r1 * r1 - 4 * r2 * r0
    closed = r2 < -1e-12
    half = np.sqrt(np.maximum(square, 0)) / np.where(closed, -2 * r2, 1)
    axis = zero + np.where(closed, -r1 / np.where(closed, 2 * r2, 1), 0)
    half = np.where(closed, np.where(square > 0, half, -1), width)
    start = np.maximum(np.ceil(axis - half), first[:, 0][owner]).astype(np.int32)
    stop = np.minimum(np.floor(axis + half), (first + size)[:, 0][owner] - 1).astype(np.int32) + 1
    length = np.maximum(stop - start, 0)
    line = np.repeat(np.arange(len(owner), dtype=np.int32), length)
    column = np.arange(len(line), dtype=np.int32) + (start - np.cumsum(length, dtype=np.int32) + length)[line]

    # Where each pixel's ray enters and leaves.
    dx = column.astype(np.float32) - zero[line]
    inner = r0[line] + dx * (r1[line] + dx * r2[line])
    half = np.sqrt(np.maximum(inner, 0))
    between = (centre[0] + dy * centre[2])[line] + dx * centre[1][line]
    enter = (slab[0] + dy * slab[2])[line] + dx * slab[1][line]
    near = between - half
    t = np.maximum(near, enter)
    met = np.flatnonzero((t < np.minimum(between + half, enter + see.thickness[owner][line])) & (inner > 0))
    line, dx, inner, t, column, cut = (v[met] for v in (line, dx, inner, t, column, enter > near))

    # Distance to the outline in pixels, exact for a cylinder seen from the side.
    slope_x = r1[line] + 2 * dx * r2[line]
    slope_y = (root[2] + 2 * dy * root[5])[line] + dx * root[4][line]
    square = slope_x * slope_x + slope_y * slope_y
    curve = np.maximum(-(root[3] + root[5]), 0)[line]
    distance = inner / (np.sqrt(curve * inner + 0.25 * square) + 0.5 * np.sqrt(square))
    solid = owner[line]
    pixel = solid // count * np.int32(height * width) + y[line] * np.int32(width) + column
    inside = distance > 0.5
    depth = see.depth[solid] + t
    if (solids.figure.hole > 0).any():
        rings = np.flatnonzero((solids.figure.hole > 0)[solid % count])
        q = _coordinates(see, solid[rings], dx[rings], dy[line[rings]], t[rings])
        through = rings[np.sqrt(q[0] * q[0] + q[1] * q[1]) < solids.figure.hole[solid[rings] % count]]
        inside[through], distance[through] = False, 0

    # Nearest: the key's upper half is the depth (positive floats order as integers), its lower the number.
    key = np.where(inside, depth, depth + _OUTLINE).view(np.int32).astype(np.int64) << 32
    key += np.arange(len(pixel))
    nearest = np.full(n * height * width, _NOTHING)
    np.minimum.at(nearest, pixel, key)
    alpha = np.bincount(pixel, np.clip(distance, 0, 1), n * height * width)
    shown = np.flatnonzero(alpha > 0)
    best = nearest[shown] & 0xFFFFFFFF
    solid = solid[best]
    side = np.where(see.along[2, solid] > 0, -1, 1)
    return Fragments(
        pixel=shown,
        solid=solid,
        alpha=np.minimum(alpha[shown], 1).astype(np.float32),
        inside=inside[best],
        depth=depth[best],
        q=_coordinates(see, solid, dx[best], dy[line[best]], t[best]),
        cut=(cut[best] * side).astype(np.int8),
    )


def _coordinates(see: _Screen, solid: np.ndarray, dx: np.ndarray, dy: np.ndarray, t: np.ndarray) -> np.ndarray:
    """Where a ray is at t, in the solid's coordinates q (3, K)."""
    q = see.step_x.take(solid, 1) * dx + see.step_y.take(solid, 1) * dy + see.along.take(solid, 1) * t
    q[2] += see.middle[solid]
    return q
