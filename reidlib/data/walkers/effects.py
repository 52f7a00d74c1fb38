"""What the camera does to a clean picture: light, colour, haze, blur, noise, eight bits."""

from functools import lru_cache

import numpy as np

from reidlib.data.walkers import exact
from reidlib.data.walkers.cameras import Camera

VEIL = 0.68  # grey of the haze
_LEVELS = 4096
# In standard deviations. Beyond, the last bits of numpy's normal numbers differ between processors (see `exact`).
_FAR = 3.65


def expose(clean: np.ndarray, camera: Camera, seed: int) -> np.ndarray:
    """Take the picture: `clean` (n, H, W, 3) float32 display values to uint8 (n, 3, H, W). Noise is drawn
    from `seed` alone.
    """
    rng = np.random.default_rng(seed)
    n, height, width, _ = clean.shape
    picture = np.ascontiguousarray(clean.transpose(0, 3, 1, 2))
    picture = _blur(_blur(picture, camera.blur * height / 64, 2), camera.blur * height / 64, 3)

    # Desaturate, then cast, exposure and veil; in steps of the tone curve's table.
    grey = (1 - camera.saturation) / 3 * (picture[:, 0] + picture[:, 1] + picture[:, 2])
    picture *= np.float32(camera.saturation)
    picture += grey[:, None]
    steps = _LEVELS - 1
    picture *= (steps * camera.gain * (1 - camera.haze) * np.array(camera.cast, np.float32))[:, None, None]
    picture += np.float32(steps * camera.haze * VEIL)

    # Sensor noise, mostly in brightness and coarser than a pixel as after a codec.
    grain = rng.standard_normal((n, height * width), np.float32)
    np.clip(grain, -_FAR, _FAR, out=grain)
    grain += np.float32(0.6) * np.roll(grain, 1, 1)
    grain *= np.float32(steps * camera.noise / np.sqrt(1.36))
    tint = np.float32(0.5) * np.roll(grain, int(rng.integers(1, height * width)), 1)
    for channel, noise in enumerate((grain + tint, grain, grain - tint)):
        picture[:, channel] += noise.reshape(n, height, width)
    index = np.clip(picture, 0, steps, out=picture).astype(np.int64)
    return tone_curve(camera.gamma).take(index)


@lru_cache(maxsize=64)
def tone_curve(gamma: float) -> np.ndarray:
    """Eight-bit values (4096,) of display values from 0 to 1 raised to `gamma`, with highlights rolled off softly."""
    x = np.linspace(0, 1, _LEVELS)
    curve = np.where(x < 0.8, x, 0.8 + 0.2 * exact.tanh((x - 0.8) / 0.2) / exact.tanh(1.0))
    return np.round(255 * exact.power(curve, gamma)).astype(np.uint8)


def _blur(picture: np.ndarray, sigma: float, axis: int) -> np.ndarray:
    """Gaussian blur by `sigma` pixels along an axis of (n, 3, H, W), the border repeated."""
    radius = max(1, int(np.ceil(2.2 * sigma)))
    kernel = exact.exp(-0.5 * (np.arange(-radius, radius + 1) / max(sigma, 1e-3)) ** 2)
    kernel = (kernel / exact.total(kernel)).astype(np.float32)
    length = picture.shape[axis]
    pad = [(0, 0)] * 4
    pad[axis] = (radius, radius)
    padded = np.pad(picture, pad, mode="edge")

    def shifted(by: int) -> np.ndarray:
        piece = [slice(None)] * 4
        piece[axis] = slice(radius + by, radius + by + length)
        return padded[tuple(piece)]

    out = kernel[radius] * picture
    for by in range(1, radius + 1):
        both = shifted(by) + shifted(-by)
        both *= kernel[radius + by]
        out += both
    return out
