"""The static street that a camera looks at: ground, what stands behind, and things in between.

Drawn once for a camera as a strip far wider than a person and periodic sideways, from which each frame of
each tracklet is cut; tracklets lie at random places of it, so that the background tells nothing about the
identity.
"""

from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from reidlib.data.walkers import exact
from reidlib.data.walkers.cameras import EYE, Camera
from reidlib.data.walkers.props import prop
from reidlib.data.walkers.raster import Window

WIDTH, HALF_HEIGHT = 14.0, 2.2  # metres of the strip at the person's distance

_GROUNDS = np.array(
    [(0.50, 0.49, 0.47), (0.43, 0.43, 0.43), (0.55, 0.52, 0.47), (0.36, 0.36, 0.37), (0.48, 0.45, 0.43)]
)
_WALLS = np.array([(0.56, 0.53, 0.49), (0.46, 0.44, 0.43), (0.52, 0.44, 0.39), (0.62, 0.60, 0.57), (0.40, 0.41, 0.43)])


@dataclass(frozen=True)
class Backdrop:
    """`picture` (h, w, 4) float32 in [0, 1], the fourth channel unused (a pixel is then one 16-byte item to
    copy); `scale` pixels per unit of the picture plane; row 0 is at -`half` of it."""

    picture: np.ndarray
    scale: float
    half: float


@lru_cache(maxsize=32)
def backdrop(camera: Camera, height: int) -> Backdrop:
    """The strip of `camera` for crops `height` pixels high, before light and sensor."""
    rng = np.random.default_rng([camera.scene_seed, 1])
    scale = height * camera.distance / 1.9
    half = HALF_HEIGHT / camera.distance
    rows, columns = round(2 * half * scale), round(WIDTH / camera.distance * scale)
    v = (np.arange(rows) + 0.5) / scale - half
    sin, cos = exact.sin(np.deg2rad(camera.elevation)), exact.cos(np.deg2rad(camera.elevation))
    eye = EYE + camera.distance * sin  # metres above the ground
    fall = cos * v + sin
    away = np.minimum(eye * (cos - sin * v) / np.maximum(fall, 1e-3), 1e3) - camera.distance * cos

    busy = min(camera.clutter, 1.5)
    behind = rng.uniform(2.0, 7.0)
    picture = _ground(rng, away, columns, busy)
    reach = (camera.distance * cos + behind) / (cos - sin * v)  # depth of the wall along the rays of each row
    level = eye - reach * fall  # metres above the ground on the wall
    across = np.arange(columns) / scale * (camera.distance + behind)
    is_wall = level > 0
    period = columns / scale * (camera.distance + behind)
    wall = (_greenery if rng.random() < 0.3 else _facade)(rng, across, level[is_wall], period, busy)
    picture[is_wall] = wall
    foot = exact.exp(-np.maximum(away - behind, behind - away) / 0.25)[:, None, None]
    picture *= 1 - 0.25 * foot * (~is_wall)[:, None, None]
    for _ in range(rng.poisson(5 * camera.clutter)):
        _place(rng, picture, camera, away, scale, rng.uniform(0.9, behind))
    grey = (picture[..., :1] + picture[..., 1:2] + picture[..., 2:]) / 3
    picture = grey * 0.45 + 0.55 * picture  # far streets are greyish
    picture = _smooth(picture, 0.009 * height)
    picture = np.pad(np.clip(picture, 0, 1), ((0, 0), (0, 0), (0, 1))).astype(np.float32)
    return Backdrop(picture, scale, half)


def crop(camera: Camera, window: Window, drift: np.ndarray, zoom: np.ndarray, place: float) -> np.ndarray:
    """Cut the boxes (n, H, W, 3) out of the camera's strip. `drift` (n,) moves the cut sideways in the
    strip, `zoom` (n,) is how much larger a box is there than half way, and the surroundings smaller in it, `place`
    in [0, 1) is where the tracklet lies."""
    strip, (height, width) = backdrop(camera.place, window.resolution[0]), window.resolution
    rows, columns = strip.picture.shape[:2]
    u, v = _places(camera, window, zoom)
    x = np.mod((u + drift[:, None]) * strip.scale + place * columns - 0.5, columns)
    y = np.clip((v + strip.half) * strip.scale - 0.5, 0, rows - 1.001)
    x0, y0 = x.astype(np.int32), y.astype(np.int32)
    fx, fy = (x - x0).astype(np.float32)[:, None, :, None], (y - y0).astype(np.float32)[:, :, None, None]
    pixels = strip.picture.view(np.complex128).ravel()
    left, right = (x0 % columns)[:, None, :], ((x0 + 1) % columns)[:, None, :]
    upper = (y0 * columns)[:, :, None]
    rows = []
    for start in (upper, upper + columns):
        one, other = (
            pixels.take(start + at).view(np.float32).reshape(len(u), height, width, 4) for at in (left, right)
        )
        other -= one
        other *= fx
        one += other
        rows.append(one)
    rows[1] -= rows[0]
    rows[1] *= fy
    return np.ascontiguousarray((rows[0] + rows[1])[..., :3])


def flow(camera: Camera, window: Window, drift: np.ndarray, zoom: np.ndarray) -> np.ndarray:
    """Where the street's pixels are in the next frame: x, y pixels (n - 1, 2, H, W) for n boxes cut as `crop` does."""
    height, width = window.resolution
    u, v = _places(camera, window, zoom)
    horizon = _horizon(camera)
    next_u = (u[:-1] + (drift[:-1] - drift[1:])[:, None]) / zoom[1:, None]
    next_v = horizon + (v[:-1] - horizon) / zoom[1:, None]
    out = np.empty((len(u) - 1, 2, height, width), np.float32)
    x = (next_u - window.left[1:, None]) * window.scale[1:, None] - 0.5
    y = (next_v - window.top[1:, None]) * window.scale[1:, None] - 0.5
    out[:, 0], out[:, 1] = (x - np.arange(width))[:, None, :], (y - np.arange(height))[:, :, None]
    return out


def placed(camera: Camera, window: Window, drift: np.ndarray, zoom: np.ndarray) -> Window:
    """Where boxes that are cut as `crop` does lie in the camera's own picture, the strip, which stands still."""
    horizon = _horizon(camera)
    return Window(
        window.left * zoom + drift, horizon + (window.top - horizon) * zoom, window.scale / zoom, window.resolution
    )


def looking(camera: Camera, place: Window, drift: np.ndarray, zoom: np.ndarray) -> Window:
    """The boxes for `crop` that show these places of the camera's picture: the inverse of `placed`."""
    horizon = _horizon(camera)
    return Window(
        (place.left - drift) / zoom, horizon + (place.top - horizon) / zoom, place.scale * zoom, place.resolution
    )


def _horizon(camera: Camera) -> float:
    """Height y/z of the horizon in the picture plane."""
    elevation = np.deg2rad(camera.elevation)
    return -float(exact.sin(elevation) / exact.cos(elevation))


def _places(camera: Camera, window: Window, zoom: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Picture-plane places u (n, W) and v (n, H) of the strip that the boxes' pixels show, before the drift."""
    height, width = window.resolution
    u = window.left[:, None] + (np.arange(width) + 0.5) / window.scale[:, None]
    v = window.top[:, None] + (np.arange(height) + 0.5) / window.scale[:, None]
    return u * zoom[:, None], _horizon(camera) + (v - _horizon(camera)) * zoom[:, None]


def _noise(rng: np.random.Generator, rows: int, columns: int, height: float, width: float) -> np.ndarray:
    """Smooth noise (rows, columns) of unit variance, grains of `height` x `width` pixels, periodic."""
    noise = exact.on_grid(exact.blur_matrix(rows, height) @ exact.normal(rng, (rows, columns)))
    noise = noise @ exact.blur_matrix(columns, width)
    mean = exact.total(noise) / noise.size
    return noise / (np.sqrt(exact.total((noise - mean) ** 2) / noise.size) + 1e-9)


def _smooth(picture: np.ndarray, sigma: float) -> np.ndarray:
    """Gaussian blur by `sigma` pixels, periodic sideways, mirrored at the upper and lower edge."""
    rows, columns = picture.shape[:2]
    down = exact.blur_matrix(2 * rows, sigma)[:rows]
    down = down[:, :rows] + down[:, : rows - 1 : -1]  # of the picture and its mirror image below it
    picture = exact.on_grid(np.moveaxis(picture, -1, 0))
    return np.moveaxis(exact.on_grid(down @ picture) @ exact.blur_matrix(columns, sigma), 0, -1)


def _ground(rng: np.random.Generator, away: np.ndarray, columns: int, busy: float) -> np.ndarray:
    """Pavement in bands (flags, kerb, road) by distance, with stains and grain."""
    rows = len(away)
    base = _GROUNDS[rng.integers(len(_GROUNDS))] * rng.uniform(0.8, 1.15)
    picture = np.broadcast_to(base, (rows, columns, 3)).copy()
    kerb = rng.uniform(0.8, 3.0)
    road = _GROUNDS[3] * rng.uniform(0.8, 1.2)
    picture[away > kerb] = base + min(busy, 1) * (road - base)
    bright = (
        1 + 0.18 * busy * ((away > kerb - 0.15) & (away <= kerb)) - 0.25 * busy * ((away > kerb) & (away < kerb + 0.08))
    )
    flags = rng.uniform(0.5, 1.1)
    bright -= 0.10 * busy * ((np.mod(away, flags) < 0.06) & (away < kerb) & (away > -4))
    stains = 0.035 * _noise(rng, rows, columns, 2.0, 14.0) + 0.03 * _noise(rng, rows, columns, 0.6, 1.2)
    return picture * (bright[:, None] + busy * stains)[..., None]


def _cells(rng: np.random.Generator, x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """A random number in [0, 1) for each pair of cell indices x (w,), y (h,): (h, w)."""
    table = rng.random((41, 43))
    return table[y[:, None] % 41, x[None] % 43]


def _facade(rng, across: np.ndarray, level: np.ndarray, period: float, busy: float) -> np.ndarray:
    """A house front (len(level), len(across), 3): windows in storeys, a plinth, courses of stone or brick."""
    base = _WALLS[rng.integers(len(_WALLS))] * rng.uniform(0.75, 1.1)
    count = int(np.clip(round(period / rng.uniform(1.4, 3.2)), 3, 30))
    x = across / period * count
    storey = rng.uniform(2.4, 3.4)
    y = (level - rng.uniform(-0.6, 1.0)) / storey
    cx, cy = np.floor(x).astype(int), np.floor(y).astype(int)
    fx, fy = x - cx, y - cy
    luck = _cells(rng, cx, cy)
    margin = rng.uniform(0.12, 0.26)
    frame = (np.abs(fx - 0.5) < 0.5 - margin)[None] & ((fy > 0.22) & (fy < 0.84))[:, None] & (luck < 0.85)
    pane = (np.abs(fx - 0.5) < 0.45 - margin)[None] & ((fy > 0.26) & (fy < 0.80))[:, None] & frame
    sash = (np.abs(fx - 0.5) < 0.02)[None] & pane
    wall = np.broadcast_to(base, (*frame.shape, 3)) * (1 + 0.04 * busy * _noise(rng, *frame.shape, 3, 8))[..., None]
    courses = rng.uniform(0.12, 0.4)
    wall = wall * (1 - 0.07 * busy * (np.mod(level, courses) < 0.03))[:, None, None]
    light = 0.12 + 0.28 * _cells(rng, cx, cy) ** 2 + 0.08 * fy[:, None]
    glass = light[..., None] * np.array((0.92, 1.0, 1.08))
    wall = np.where(frame[..., None], wall + busy * 0.5 * (0.72 - wall), wall)
    wall = np.where((pane & ~sash)[..., None], wall + min(busy, 1) * (glass - wall), wall)
    plinth = (level < rng.uniform(0.2, 0.7))[:, None, None]
    return wall * (1 - 0.22 * busy * plinth)


def _greenery(rng, across: np.ndarray, level: np.ndarray, period: float, busy: float) -> np.ndarray:
    """A hedge with trees and gaps of light behind it."""
    rows, columns = len(level), len(across)
    green = np.array((0.25, 0.29, 0.20)) * rng.uniform(0.8, 1.25)
    leaves = 0.22 * _noise(rng, rows, columns, 1.2, 1.4) + 0.22 * _noise(rng, rows, columns, 4, 6)
    gaps = np.clip(_noise(rng, rows, columns, 5, 8) + 0.5 * (level[:, None] - 2.0), 0, 1)
    hedge = green * (1 + busy * leaves)[..., None]
    return hedge + 0.5 * busy * gaps[..., None] * (np.array((0.70, 0.72, 0.73)) - hedge)


def _place(rng, picture: np.ndarray, camera: Camera, away: np.ndarray, scale: float, distance: float) -> None:
    """Paint one thing that stands `distance` metres behind the person into the strip."""
    kind = str(rng.choice(("car", "bush", "tree", "pole", "bin", "bench"), p=(0.3, 0.2, 0.15, 0.2, 0.08, 0.07)))
    height, width = {
        "car": (1.4, 3.8), "bush": (0.9, 1.6), "tree": (4.0, 2.6),
        "pole": (4.0, 0.12), "bin": (0.9, 0.5), "bench": (0.7, 1.5),
    }[kind]  # fmt: skip
    pixels = scale / (camera.distance + distance)
    h, w = (
        max(3, int(height * pixels * rng.uniform(0.9, 1.1))),
        max(2, int(width * pixels * rng.uniform(0.9, 1.1))),
    )
    foot = int(np.argmin(np.abs(away - distance)))
    thing = prop(kind, h, w, rng)[max(0, h - foot) :]
    columns = (int(rng.integers(picture.shape[1])) + np.arange(w)) % picture.shape[1]
    rows = np.arange(foot - len(thing), foot)
    patch = picture[rows[:, None], columns[None]]
    alpha = thing[..., 3:]
    picture[rows[:, None], columns[None]] = patch + alpha * (thing[..., :3] - patch)
    under = slice(foot, min(foot + max(1, h // 14), len(picture)))
    picture[under][:, columns] *= 0.75
