"""What the camera does to a clean picture: light, colour, haze, blur, noise, eight bits."""

import numpy as np

from reidlib.data.walkers.cameras import Camera

_LEVELS = 4096


def expose(clean: np.ndarray, camera: Camera, seed: int) -> np.ndarray:
    """Take the picture: `clean` (n, H, W, 3) float32 display values to uint8 (n, 3, H, W). Noise is drawn from `seed` alone."""
    rng = np.random.default_rng(seed)
    n, height, width, _ = clean.shape
    picture = np.ascontiguousarray(clean.transpose(0, 3, 1, 2)).reshape(n, 3, height, width)
    picture = _blur(_blur(picture, camera.blur * height / 64, 2), camera.blur * height / 64, 3)

    # Desaturate, cast and veil are one affine map of colour: matrix @ rgb + haze.
    grey = np.full((3, 3), 1 / 3)
    matrix = np.diag(camera.cast) @ (camera.saturation * np.eye(3) + (1 - camera.saturation) * grey)
    matrix = (camera.gain * (1 - camera.haze) * matrix).astype(np.float32)
    picture = np.matmul(matrix, picture.reshape(n, 3, -1)) + np.float32(camera.haze * 0.68)

    # Sensor noise, mostly in brightness, coarser than a pixel as after a codec; then the tone curve from a table.
    grain = rng.standard_normal((n, height * width), np.float32)
    grain = np.float32(camera.noise / np.hypot(1, 0.6)) * (grain + np.float32(0.6) * np.roll(grain, 1, 1))
    tint = np.float32(0.5) * np.roll(grain, int(rng.integers(1, height * width)), 1)
    grain *= np.float32(0.87)
    picture[:, 0] += grain + tint
    picture[:, 1] += grain
    picture[:, 2] += grain - tint
    picture *= np.float32(_LEVELS - 1)
    index = np.clip(picture, 0, _LEVELS - 1, out=picture).astype(np.int64)
    return tone_curve(camera.gamma).take(index).reshape(n, 3, height, width)


def tone_curve(gamma: float) -> np.ndarray:
    """Eight-bit values (4096,) of display values from 0 to 1 raised to `gamma`, with highlights rolled off softly."""
    x = np.linspace(0, 1, _LEVELS)
    curve = np.where(x < 0.8, x, 0.8 + 0.2 * np.tanh((x - 0.8) / 0.2) / np.tanh(1.0))
    return np.round(255 * curve**gamma).astype(np.uint8)


def _blur(picture: np.ndarray, sigma: float, axis: int) -> np.ndarray:
    """Gaussian blur by `sigma` pixels along an axis of (n, 3, H, W), the border repeated."""
    radius = max(1, int(np.ceil(2.2 * sigma)))
    kernel = np.exp(-0.5 * (np.arange(-radius, radius + 1) / max(sigma, 1e-3)) ** 2)
    kernel = (kernel / kernel.sum()).astype(np.float32)
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
