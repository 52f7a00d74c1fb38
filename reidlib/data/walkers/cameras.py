"""The camera of a tracklet: where it stands, what its light and its sensor do to a picture."""

from dataclasses import dataclass, replace

import numpy as np

from reidlib.data.walkers import exact

EYE = 0.9  # metres above the ground of the point of the person that the camera is turned to


@dataclass(frozen=True)
class Camera:
    """One fixed camera. Everything here is shared by all tracklets that it sees.

    Colours are display values in [0, 1]. The focal length follows from `distance` and the detector's box,
    because a crop is resized to the box; what remains of it is the strength of the perspective.
    """

    scene_seed: int = 0  # draws the static background; the same seed is the same place
    clutter: float = 1.0  # how busy the background is: 0 plain ground and wall, 1 a street
    elevation: float = 12.0  # degrees above the horizontal, seen from the person
    distance: float = 8.0  # metres to the person
    light_azimuth: float = 40.0  # degrees, where the light comes from relative to the camera (0: from behind it)
    light_elevation: float = 50.0  # degrees
    contrast: float = 0.5  # share of direct light, 0 overcast, 1 hard sun
    gain: float = 1.0  # exposure
    gamma: float = 1.0  # exponent applied to the picture
    cast: tuple[float, float, float] = (1.0, 1.0, 1.0)  # factor on red, green and blue
    saturation: float = 1.0  # 0 grey, 1 as it is
    haze: float = 0.0  # share of grey veil, 0 to 1
    blur: float = 0.6  # standard deviation of the optical blur, in pixels of a picture 64 high
    noise: float = 0.02  # standard deviation of the sensor noise, display values

    @property
    def place(self) -> "Camera":
        """The camera where it stands, under an average light: what its static background is drawn from."""
        return Camera(self.scene_seed, self.clutter, self.elevation, self.distance)


def sample_camera(rng: np.random.Generator, clutter: float = 1.0, severity: float = 1.0) -> Camera:
    """Draw a camera: `clutter` scales the background, `severity` what light, colour and sensor change (0: nothing)."""
    tint = rng.normal(0.0, 0.03, 3) * severity
    return Camera(
        scene_seed=int(rng.integers(1 << 31)),
        clutter=clutter,
        elevation=float(rng.uniform(4, 24)),
        distance=float(rng.uniform(5, 12)),
        light_azimuth=float(rng.uniform(-150, 150)),
        light_elevation=float(rng.uniform(30, 70)),
        contrast=float(rng.uniform(0.25, 0.65)),
        gain=float(np.exp(rng.normal(0.12, 0.16) * severity)),
        gamma=float(np.exp(rng.normal(0.0, 0.14) * severity)),
        cast=tuple(float(c) for c in np.exp(tint - tint.mean())),
        saturation=blend(1.0, 1.0 - rng.uniform(0.0, 0.35), severity),
        haze=float(severity * rng.uniform(0.0, 0.16)),
        blur=float(0.35 + severity * rng.uniform(0.0, 0.45)),
        noise=float(0.004 + severity * rng.uniform(0.0, 0.014)),
    )


def blend(common: float, own: float, severity: float) -> float:
    """`common` at severity 0, `own` at 1, and on from there; never below 0."""
    return float(max(0.0, common + severity * (own - common)))


def other_light(camera: Camera, rng: np.random.Generator, severity: float = 1.0) -> Camera:
    """The same camera at another hour or on another day: exposure differs by 6 %, the colours' balance by 1.5 %
    (standard deviations at severity 1; 0 changes nothing)."""
    gain = camera.gain * np.exp(severity * rng.normal(0.0, 0.06))
    tint = severity * rng.normal(0.0, 0.015, 3)
    cast = camera.cast * np.exp(tint - tint.mean())
    return replace(camera, gain=float(gain), cast=tuple(float(c) for c in cast))


def person_to_ground(view: float) -> np.ndarray:
    """Rotation (3, 3) from a person's axes (x left, y up, z forward) to the ground's: x to the picture's right, y up, z
    towards the camera.

    `view` is the azimuth of the camera seen from the person, degrees: 0 in front, 90 to the left.
    """
    c, s = exact.cos(np.deg2rad(view)), exact.sin(np.deg2rad(view))
    return np.array([[c, 0.0, -s], [0.0, 1.0, 0.0], [s, 0.0, c]])


def ground_to_camera(camera: Camera) -> np.ndarray:
    """Rotation (3, 3) from the ground's axes (x right, y up, z towards the camera) to the camera's."""
    c, s = exact.cos(np.deg2rad(camera.elevation)), exact.sin(np.deg2rad(camera.elevation))
    return np.array([[1.0, 0.0, 0.0], [0.0, -c, s], [0.0, -s, -c]])


def light_direction(camera: Camera) -> np.ndarray:
    """Unit vector (3,) towards the light in camera axes, float32."""
    azimuth, elevation = np.deg2rad(camera.light_azimuth), np.deg2rad(camera.light_elevation)
    level, height = exact.cos(elevation), exact.sin(elevation)
    ground = np.array([exact.sin(azimuth) * level, height, exact.cos(azimuth) * level])
    return exact.product(ground_to_camera(camera), ground[:, None])[:, 0].astype(np.float32)
