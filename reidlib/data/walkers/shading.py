"""The colour of a fragment: its cloth's texture under a directional light and a bright sky."""

import numpy as np

from reidlib.data.walkers import exact
from reidlib.data.walkers.cameras import Camera, light_direction
from reidlib.data.walkers.raster import Fragments
from reidlib.data.walkers.solids import TEXTURES, Figure, Solids

_KIND = {name: i for i, name in enumerate(TEXTURES)}


def shade(fragments: Fragments, solids: Solids, camera: Camera) -> np.ndarray:
    """Display colours (K, 3) of the fragments of `solids`, before the camera changes them."""
    shape, count = solids.figure, len(solids.figure.segment)
    solid = fragments.solid
    kind = solid % count
    q = fragments.q
    length2 = solids.squares
    gradients = (solids.axes / length2[..., None]).reshape(-1, 9).T.copy()  # of q1, q2, q3

    # Outward normal: the quadric's gradient, or the axis on a flat end.
    flat = fragments.cut != 0
    slope = q.copy()
    slope[2] = np.where(flat, fragments.cut, -0.5 * shape.quadric[kind, 1] - shape.quadric[kind, 2] * q[2])
    slope[:2] *= ~flat
    g = gradients.take(solid, 1).reshape(3, 3, -1)
    normal = slope[0] * g[0] + slope[1] * g[1] + slope[2] * g[2]
    x, y, z = normal
    normal /= np.sqrt(x * x + y * y + z * z) + np.float32(1e-9)

    along = q[2] * np.sqrt(length2[..., 2]).ravel()[solid]  # metres down the solid
    azimuth = exact.arctan2(q[0], q[1])  # 0 in front, positive to the left
    rgb = shape.rgb[kind] + _texture(shape, kind, q, along, azimuth)[:, None] * (shape.second[kind] - shape.rgb[kind])

    lx, ly, lz = light_direction(camera)
    sun = np.maximum(x * lx + y * ly + z * lz, 0)
    tilt = np.deg2rad(camera.elevation)
    up = -np.float32(exact.cos(tilt)) * y - np.float32(exact.sin(tilt)) * z
    light = (1 - camera.contrast) * (0.86 + 0.24 * up) + camera.contrast * (0.45 + 0.85 * sun)
    # What lies deeper than the body's middle is darker: a far leg, an arm behind the trunk.
    middle = solids.origin[:, 0, 2].repeat(count)[solid]
    light *= 1 - 0.22 * np.clip((fragments.depth - middle) / 0.25 + 0.1, 0, 1) - 0.35 * (fragments.cut > 0)
    light *= 0.82 + 0.18 * np.maximum(-z, 0)
    seam = 1.7 * kind.astype(np.float32)
    wrinkle = exact.sin(3 * azimuth + 23 * along + seam) * exact.sin(5 * azimuth - 31 * along + seam)
    light *= 1 + 0.08 * shape.folds[kind] * wrinkle
    return rgb * light[:, None]


def _texture(shape: Figure, kind: np.ndarray, q: np.ndarray, along: np.ndarray, azimuth: np.ndarray) -> np.ndarray:
    """Share of the second colour (K,) in [0, 1]."""
    texture = shape.texture[kind]
    share = np.zeros(len(kind), np.float32)
    for name in ("stripes", "plaid", "logo", "blocks", "open", "face", "sole"):
        where = np.flatnonzero(texture == _KIND[name])
        if not len(where):
            continue
        x, y, z, down, turn = *q[:, where], along[where], azimuth[where]
        if name == "stripes":
            value = _edge(exact.sin(2 * np.pi * down / 0.085))
        elif name == "plaid":
            value = 0.5 * _edge(exact.sin(2 * np.pi * down / 0.11)) + 0.5 * _edge(exact.sin(6 * turn))
        elif name == "logo":
            value = (y > 0) & (np.abs(x) < 0.5) & (np.abs(z - 0.42) < 0.16)
        elif name == "blocks":
            value = z < 0.42
        elif name == "open":
            value = np.abs(turn) < 0.34
        elif name == "face":
            eyes = (np.abs(z + 0.02) < 0.10) & (np.abs(np.abs(turn) - 0.40) < 0.20)
            mouth = (np.abs(z - 0.62) < 0.06) & (np.abs(turn) < 0.3)
            value = 0.4 * eyes + 0.25 * mouth
        else:
            value = z > 0.72
        share[where] = value
    return share


def _edge(wave: np.ndarray) -> np.ndarray:
    """A sine wave made nearly square."""
    return 0.5 + 0.5 * exact.tanh(3 * wave)
