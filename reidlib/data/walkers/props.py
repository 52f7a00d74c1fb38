"""Pictures of street things with transparency: for the background, and as occluders before a person."""

import numpy as np

from reidlib.data.walkers import exact

KINDS = ("pole", "bench", "car", "bush", "bin", "wall", "tree")
_GREYS = [(0.42, 0.42, 0.43), (0.20, 0.21, 0.23), (0.62, 0.61, 0.59)]
_MUTED = np.array([*_GREYS, (0.40, 0.17, 0.16), (0.20, 0.26, 0.36), (0.30, 0.30, 0.26)])


def prop(kind: str, height: int, width: int, rng: np.random.Generator) -> np.ndarray:
    """Draw a thing of `KINDS` that fills `height` x `width` pixels: float32 (height, width, 4), colours and
    alpha in [0, 1].
    """
    fine = 2
    y, x = (np.mgrid[: height * fine, : width * fine] + 0.5) / np.array([height, width])[:, None, None] / fine
    rgb, alpha = _DRAW[kind](x, y, rng, width / height)
    rgb = np.clip(rgb * (1 + 0.03 * exact.normal(rng, x.shape)[..., None]), 0, 1)
    picture = np.concatenate([rgb * alpha[..., None], alpha[..., None]], -1)
    picture = picture[::2] + picture[1::2]
    picture = 0.25 * (picture[:, ::2] + picture[:, 1::2])
    picture[..., :3] /= np.maximum(picture[..., 3:], 1e-6)
    return picture.astype(np.float32)


def _paint(rng: np.random.Generator) -> np.ndarray:
    return _MUTED[rng.integers(len(_MUTED))] * rng.uniform(0.85, 1.15)


def _solid(shape: tuple[int, ...], rgb: np.ndarray) -> np.ndarray:
    return np.broadcast_to(rgb, (*shape, 3)).astype(float)


def _pole(x, y, rng, aspect):
    shade = 0.7 + 0.5 * exact.sin(np.pi * np.clip(x, 0, 1)) * (1 - 0.4 * x)
    return _solid(x.shape, _paint(rng)) * shade[..., None], np.ones_like(x)


def _wall(x, y, rng, aspect):
    joint = (np.mod(y * 22, 1) < 0.12) | (np.mod(x * 6 + 0.5 * (np.floor(y * 22) % 2), 1) < 0.05)
    base = np.array((0.50, 0.44, 0.39)) * rng.uniform(0.75, 1.15)
    return _solid(x.shape, base) * (1 - 0.14 * joint)[..., None], np.ones_like(x)


def _bin(x, y, rng, aspect):
    shade = 0.65 + 0.5 * exact.sin(np.pi * x) * (1 - 0.3 * x) - 0.25 * (np.abs(y - 0.16) < 0.03)
    alpha = (np.abs(x - 0.5) < 0.42 + 0.08 * (y < 0.16)).astype(float)
    return _solid(x.shape, _paint(rng) * 0.8) * shade[..., None], alpha


def _bench(x, y, rng, aspect):
    slats = (np.mod(y / 0.13, 1) < 0.72) & (y < 0.66)
    legs = (np.abs(np.abs(x - 0.5) - 0.38) < 0.025) & (y > 0.1)
    wood = np.array((0.36, 0.27, 0.19)) * rng.uniform(0.8, 1.3)
    rgb = np.where(legs[..., None], 0.16, wood * (1.1 - 0.5 * y)[..., None])
    return rgb, (slats | legs).astype(float)


def _car(x, y, rng, aspect):
    paint = _paint(rng)
    roof = 1 - 0.46 * exact.power(np.clip((np.abs(x - 0.5 - 0.02) - 0.16) / 0.20, 0, 1), 1.3)
    cabin = y > 1 - roof
    body = (y > 0.46) & (np.abs(x - 0.5) < 0.5 - 0.05 * np.clip((0.62 - y) / 0.16, 0, 1))
    glass = (y > 0.08 + (1 - roof)) & (y < 0.42) & (np.abs(x - 0.5) < 0.31) & (np.abs(x - 0.52) > 0.012)
    wheel = np.minimum(*(np.sqrt(((x - at) * aspect) ** 2 + (y - 0.83) ** 2) for at in (0.2, 0.8)))
    ground = y < 0.9
    shade = 1.15 - 0.55 * y + 0.12 * (np.abs(y - 0.5) < 0.03)
    rgb = _solid(x.shape, paint) * shade[..., None]
    rgb = np.where(glass[..., None], np.array((0.20, 0.23, 0.26)) * (1.2 - y)[..., None], rgb)
    rgb = np.where((wheel < 0.17)[..., None], np.where((wheel < 0.09)[..., None], 0.40, 0.08), rgb)
    return rgb, (((cabin | body) & ground) | (wheel < 0.17)).astype(float)


def _leaves(x, y, rng, aspect, centre, radii):
    """A lumpy mass of leaves around `centre`: brightness (H, W) and whether a place is inside."""
    lumps = np.full(x.shape, -1.0)
    light = np.zeros_like(x)
    for _ in range(26):
        angle, far = rng.uniform(0, 2 * np.pi), np.sqrt(rng.random()) * 0.75
        cx, cy = centre[0] + radii[0] * far * exact.cos(angle), centre[1] + radii[1] * far * exact.sin(angle)
        size = rng.uniform(0.2, 0.36)
        near = 1 - ((x - cx) / (radii[0] * size * 1.3)) ** 2 - ((y - cy) / (radii[1] * size * 1.3)) ** 2
        better = near > np.maximum(lumps, 0)
        light = np.where(better, rng.uniform(0.6, 1.05) + 0.25 * (cy - y) / radii[1] / size, light)
        lumps = np.maximum(lumps, near)
    return light * (1 + 0.16 * exact.normal(rng, x.shape)), lumps > 0


def _bush(x, y, rng, aspect):
    green = np.array((0.23, 0.29, 0.17)) * rng.uniform(0.75, 1.25)
    light, inside = _leaves(x, y, rng, aspect, (0.5, 0.55), (0.55, 0.6))
    return green * np.clip(light, 0.25, 1.4)[..., None], inside.astype(float)


def _tree(x, y, rng, aspect):
    green = np.array((0.24, 0.29, 0.18)) * rng.uniform(0.75, 1.2)
    light, inside = _leaves(x, y, rng, aspect, (0.5, 0.30), (0.5, 0.32))
    trunk = np.abs(x - 0.5) < 0.045 + 0.03 * y
    bark = np.array((0.27, 0.22, 0.18)) * (0.8 + 0.4 * (x > 0.5))[..., None]
    rgb = np.where(inside[..., None], green * np.clip(light, 0.25, 1.4)[..., None], bark)
    return rgb, (inside | (trunk & (y > 0.3))).astype(float)


_DRAW = {
    "pole": _pole,
    "bench": _bench,
    "car": _car,
    "bush": _bush,
    "bin": _bin,
    "wall": _wall,
    "tree": _tree,
}
