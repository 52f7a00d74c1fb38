"""The solids that a person is made of: tapered elliptical tubes and ellipsoids.

A solid is the part between two planes of a quadric. In its own coordinates q, with q3 along its axis, it is
the points where q1² + q2² <= c0 + c1 q3 + c2 q3² and low <= q3 <= high. A tube's squared radius runs
through three given radii, so that calves bulge, waists narrow and a skirt's hem is a flat cut; an ellipsoid
has c = (1, 0, -1).
"""

from dataclasses import dataclass
from math import sqrt

import numpy as np

from reidlib.data.walkers.skeleton import INDEX
from reidlib.data.walkers.wardrobe import Colour

# Labels of the part map, numbers of `scene.PARTS`: of a solid's left and right half, which differ at the hips alone.
HEAD, TORSO, CARRIED = (1, 1), (2, 2), (11, 11)
ARMS, UPPER_LEGS, LOWER_LEGS, FEET = ({"l": (n, n), "r": (n + 1, n + 1)} for n in (3, 5, 7, 9))
HIPS = (5, 6)
Label = tuple[int, int]
Triple = tuple[float, float, float]
TEXTURES = ("plain", "stripes", "plaid", "logo", "blocks", "open", "face", "sole")


@dataclass(frozen=True)
class Cloth:
    """The surface of a solid: colour, a texture of `TEXTURES` with its second colour, and how strongly it folds."""

    rgb: Colour
    texture: str = "plain"
    second: Colour = (0.5, 0.5, 0.5)
    folds: float = 0.0


@dataclass(frozen=True)
class Figure:
    """The P solids of a person as arrays, each in the axes of its segment."""

    segment: np.ndarray  # (P,) index into SEGMENTS
    part: np.ndarray  # (P, 2) uint8, label of the part map on the solid's left (q1 > 0) and on its right
    origin: np.ndarray  # (P, 3) where q = 0, metres
    axes: np.ndarray  # (P, 3, 3) rows are the steps of q1, q2, q3, orthogonal, metres
    quadric: np.ndarray  # (P, 3) c0, c1, c2
    span: np.ndarray  # (P, 2) low, high
    widest: np.ndarray  # (P,) largest radius in units of q1
    hole: np.ndarray  # (P,) radius of the opening along the axis, in units of q1: wheels are rings
    rgb: np.ndarray  # (P, 3)
    second: np.ndarray  # (P, 3)
    texture: np.ndarray  # (P,) index into TEXTURES
    folds: np.ndarray  # (P,)


@dataclass(frozen=True)
class Solids:
    """The P solids of a figure in n frames, in camera axes (x right, y down, z away), metres."""

    origin: np.ndarray  # (n, P, 3) where q = 0
    axes: np.ndarray  # (n, P, 3, 3), rows are the steps of q1, q2, q3
    figure: Figure

    @property
    def squares(self) -> np.ndarray:
        """Squared lengths of the axes (n, P, 3)."""
        x, y, z = np.moveaxis(self.axes, -1, 0)
        return x * x + y * y + z * z

    def __getitem__(self, frames: slice) -> "Solids":
        return Solids(self.origin[frames], self.axes[frames], self.figure)


class Builder:
    """Collects solids; `on` says where the following ones belong."""

    def __init__(self) -> None:
        self.rows: list[tuple] = []

    def on(self, segment: str, part: Label, cloth: Cloth) -> "Place":
        """Where to add tubes and balls of one cloth that move with `segment`; `part` labels their left and right."""
        return Place(self, segment, part, cloth)

    def figure(self) -> Figure:
        """All solids that were added."""
        segment, part, *real = (np.array(column) for column in zip(*self.rows, strict=True))
        texture = real.pop(8)
        *real, folds = (column.astype(np.float32) for column in real)
        return Figure(segment, part.astype(np.uint8), *real, texture, folds)


@dataclass(frozen=True)
class Place:
    """Adds solids of one cloth to one segment. Points are (left, up, forward) in metres from the segment's
    upper end.
    """

    builder: Builder
    segment: str
    part: Label
    cloth: Cloth

    def tube(self, top: Triple, bottom: Triple, a: float, b: float, radii: Triple = (1, 1, 1), hole: float = 0) -> None:
        """From `top` to `bottom`, half widths `a` sideways and `b` fore and aft times `radii` at top,
        middle, bottom.
        """
        r0, r1, r2 = (r * r for r in radii)
        c2 = 2 * (r0 + r2 - 2 * r1)
        step = tuple(y - x for x, y in zip(top, bottom, strict=True))
        self._add(top, step, a, b, (r0, r2 - r0 - c2, c2), (0, 1), max(radii), hole)

    def ball(self, centre: Triple, a: float, b: float, c: float, high: float = 1.0) -> None:
        """Half axes `a` sideways, `b` fore and aft, `c` up; cut flat at `high`, from -1 at the top to 1 (whole)."""
        self._add(centre, (0.0, -c, 0.0), a, b, (1, 0, -1), (-1, high), 1.0, 0.0)

    def _add(
        self,
        origin: Triple,
        step: Triple,
        a: float,
        b: float,
        quadric: Triple,
        span: tuple[float, float],
        widest: float,
        hole: float,
    ) -> None:
        x, y, z = step
        length = sqrt(x * x + y * y + z * z)
        # q1 sideways, made square to the axis; q2 is then forward for what hangs down.
        if abs(x) < 0.9 * length:
            side = np.array([y * y + z * z, -x * y, -x * z]) / (length * sqrt(y * y + z * z))
        else:
            side = np.array([-x * z, -y * z, x * x + y * y]) / (length * sqrt(x * x + y * y))
        s1, s2, s3 = side
        fore = np.array([y * s3 - z * s2, z * s1 - x * s3, x * s2 - y * s1]) / length
        axes = np.stack([a * side, b * fore, step])
        cloth = self.cloth
        surface = (cloth.rgb, cloth.second, TEXTURES.index(cloth.texture), cloth.folds)
        place = (INDEX[self.segment], self.part, origin, axes)
        self.builder.rows.append((*place, quadric, span, widest, hole, *surface))
