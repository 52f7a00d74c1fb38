"""A person as solids: body and outfit become tapered elliptical tubes and ellipsoids fixed to the skeleton's segments.

A solid is the part between two planes of a quadric: in its own coordinates q (q3 along its axis) the points with
q1² + q2² <= c0 + c1 q3 + c2 q3² and low <= q3 <= high. A tube's squared radius runs through three given radii, so that calves
bulge, waists narrow and a skirt's hem is a flat cut; an ellipsoid has c = (1, 0, -1).
"""

from dataclasses import dataclass
from functools import lru_cache
from math import sqrt

import numpy as np

from reidlib.data.walkers.body import FEMALE, Body
from reidlib.data.walkers.skeleton import INDEX, Lengths, lengths
from reidlib.data.walkers.wardrobe import Colour, Outfit

HEAD, TORSO, ARMS, UPPER_LEGS, LOWER_LEGS, FEET, CARRIED = range(1, 8)
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
    part: np.ndarray  # (P,) label of the part map
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


class _Builder:
    """Collects solids; `girth` widens what is added until it is changed."""

    def __init__(self) -> None:
        self.rows: list[tuple] = []

    def _add(self, segment, part, cloth, origin, step, a, b, quadric, span, widest, hole) -> None:
        x, y, z = (float(v) for v in step)
        length = sqrt(x * x + y * y + z * z)
        if abs(x) < 0.9 * length:  # q1 sideways, made square to the axis; q2 forward for what hangs down
            side = np.array([y * y + z * z, -x * y, -x * z]) / (length * sqrt(y * y + z * z))
        else:
            side = np.array([-x * z, -y * z, x * x + y * y]) / (length * sqrt(x * x + y * y))
        s1, s2, s3 = side
        fore = np.array([y * s3 - z * s2, z * s1 - x * s3, x * s2 - y * s1]) / length
        axes = np.stack([a * side, b * fore, (x, y, z)])
        texture = TEXTURES.index(cloth.texture)
        self.rows.append(
            (
                INDEX[segment],
                part,
                origin,
                axes,
                quadric,
                span,
                widest,
                hole,
                cloth.rgb,
                cloth.second,
                texture,
                cloth.folds,
            )
        )

    def tube(self, segment, part, cloth, top, bottom, a, b, radii=(1, 1, 1), hole=0.0) -> None:
        """From `top` to `bottom`, half widths `a` sideways and `b` fore and aft, times `radii` at top, middle, bottom."""
        r0, r1, r2 = (r * r for r in radii)
        c2 = 2 * (r0 + r2 - 2 * r1)
        step = np.subtract(bottom, top)
        self._add(segment, part, cloth, top, step, a, b, (r0, r2 - r0 - c2, c2), (0, 1), max(radii), hole)

    def ball(self, segment, part, cloth, centre, a, b, c, low=-1.0, high=1.0) -> None:
        """An ellipsoid of half axes `a` sideways, `b` fore and aft, `c` up; kept between `low` (top) and `high`."""
        self._add(segment, part, cloth, centre, (0, -c, 0), a, b, (1, 0, -1), (low, high), 1.0, 0.0)

    def figure(self) -> Figure:
        columns = [np.array(column) for column in zip(*self.rows, strict=True)]
        whole = [columns[0], columns[1].astype(np.uint8)]
        real = [column.astype(np.float32) for column in columns[2:10]]
        return Figure(*whole, *real, columns[10], columns[11].astype(np.float32))


@lru_cache(maxsize=512)
def figure(body: Body, outfit: Outfit, riding: bool = False) -> Figure:
    """The solids of `body` dressed in `outfit`, on a bicycle if `riding`."""
    size, build = lengths(body), _Builder()
    _head(build, body, outfit, size)
    _trunk(build, body, outfit, size)
    for side, sign in (("l", 1.0), ("r", -1.0)):
        _arm(build, body, outfit, size, side)
        _leg(build, body, outfit, size, side, sign)
    if outfit.skirt or outfit.coat:
        _skirts(build, body, outfit, size)
    _carried(build, body, outfit, size)
    if riding:
        _bicycle(build, size)
    return build.figure()


def _head(build: _Builder, body: Body, outfit: Outfit, size: Lengths) -> None:
    k = size.head / 0.224
    skin, hair = Cloth(outfit.skin_rgb, "face", (0.16, 0.11, 0.09)), Cloth(outfit.hair_rgb, folds=0.6)
    build.ball("head", HEAD, skin, (0, 0.112 * k, 0.008 * k), 0.074 * k, 0.092 * k, 0.114 * k)
    build.ball("head", HEAD, Cloth(outfit.skin_rgb), (0, 0.045 * k, 0.04 * k), 0.05 * k, 0.055 * k, 0.05 * k)
    neck = 0.053 * (0.92 if body.gender == FEMALE else 1.05) * body.limb_girth * body.height / 1.72
    build.tube(
        "head",
        HEAD,
        Cloth(outfit.skin_rgb),
        (0, 0.06 * k, -0.012),
        (0, -0.9 * size.neck, -0.015),
        neck,
        neck,
        (0.95, 1, 1.2),
    )
    build.ball("head", HEAD, hair, (0, 0.149 * k, -0.014 * k), 0.081 * k, 0.099 * k, 0.087 * k)
    if outfit.long_hair:
        build.tube(
            "head",
            HEAD,
            hair,
            (0, 0.15 * k, -0.045 * k),
            (0, -0.15 * k, -0.075 * k),
            0.085 * k,
            0.055 * k,
            (0.9, 1.05, 0.85),
        )
    else:
        build.ball("head", HEAD, hair, (0, 0.09 * k, -0.04 * k), 0.072 * k, 0.062 * k, 0.075 * k)
    if outfit.hat:
        felt = Cloth(outfit.hat_rgb, folds=0.1)
        build.ball("head", HEAD, felt, (0, 0.155 * k, -0.008 * k), 0.092 * k, 0.108 * k, 0.098 * k, high=0.25)
        build.tube(
            "head", HEAD, felt, (0, 0.158 * k, 0.06 * k), (0, 0.140 * k, 0.062 * k), 0.08 * k, 0.125 * k
        )


def _trunk(build: _Builder, body: Body, outfit: Outfit, size: Lengths) -> None:
    k, woman = body.height / 1.72, body.gender == FEMALE
    g = k * body.trunk_girth * outfit.top_padding
    shoulders = size.half_shoulders
    if outfit.coat:
        top = Cloth(outfit.coat_rgb, "open", outfit.top_rgb, folds=0.7)
        g *= 1.09
    else:
        top = Cloth(outfit.top_rgb, outfit.top_pattern, outfit.top_second, folds=0.8)
    whole = top.texture in (
        "stripes",
        "plaid",
        "open",
    )  # the others are on the chest alone; above a block, its colour goes on
    yoke = top if whole else Cloth(outfit.top_second if top.texture == "blocks" else top.rgb, folds=0.8)
    lower = top if whole else Cloth(top.rgb, folds=0.8)
    hips = Cloth(outfit.bottom_rgb, outfit.bottom_pattern, outfit.bottom_second, folds=0.5)
    waist = (0.90 if woman else 1.0) + 0.5 * body.belly
    t = size.trunk
    width = 0.5 * (shoulders + 0.5 * 0.172 * g) + 0.012 * k  # the rib cage below the armpits
    # Chest, from the collar down to the waist; the shoulders' slope; the breast.
    build.tube(
        "chest",
        TORSO,
        top,
        (0, 0.60 * t, 0),
        (0, -0.06 * t, 0),
        width * 1.09,
        0.108 * g,
        (0.94, 1.06, 0.90 * waist),
    )
    build.ball("chest", TORSO, yoke, (0, 0.570 * t, -0.006), shoulders + 0.03 * k, 0.080 * g, 0.062 * k)
    build.tube(
        "chest",
        TORSO,
        yoke,
        (0, 0.72 * t, -0.012),
        (0, 0.58 * t, -0.006),
        0.062 * k,
        0.062 * g,
        (0.9, 1.2, 1.9),
    )
    if woman:
        build.ball("chest", TORSO, top, (0, 0.37 * t, 0.058 * g), 0.118 * g, 0.078 * g, 0.075 * k)
    # Abdomen under the shirt's hem, then the seat in the trousers' cloth.
    seat = 0.162 * k * body.hip_width * (0.6 + 0.4 * body.trunk_girth)
    depth = max(0.112 * g * (1 + 0.6 * body.belly), 0.124 * k)
    build.tube(
        "pelvis",
        TORSO,
        lower,
        (0, 0.46 * t, 0),
        (0, -0.04 * k, -0.006),
        seat * 1.05,
        depth,
        (0.86 * waist, 0.95 * waist, 1.02),
    )
    build.tube(
        "pelvis",
        UPPER_LEGS,
        hips,
        (0, 0.04 * k, -0.004),
        (0, -0.095 * k, -0.008),
        seat,
        0.118 * k,
        (0.95, 1.02, 0.86),
    )
    if body.belly > 0:
        build.ball(
            "pelvis",
            TORSO,
            lower,
            (0, 0.24 * t, 0.03 * g),
            0.12 * g,
            (0.09 + 0.09 * body.belly) * g,
            0.12 * k,
        )


def _arm(build: _Builder, body: Body, outfit: Outfit, size: Lengths, side: str) -> None:
    m = body.limb_girth * body.height / 1.72
    skin = Cloth(outfit.skin_rgb)
    if outfit.coat:
        cloth = Cloth(outfit.coat_rgb, folds=0.7)
    else:
        texture = outfit.top_pattern if outfit.top_pattern in ("stripes", "plaid") else "plain"
        cloth = Cloth(outfit.top_rgb, texture, outfit.top_second, folds=0.7)
    thick = m * outfit.top_padding * (1.16 if outfit.coat else 1.08)
    build.ball(f"arm_{side}", ARMS, cloth, (0, -0.030, 0), 0.054 * thick, 0.058 * thick, 0.068 * thick)
    if outfit.short_sleeves:
        build.tube(
            f"arm_{side}",
            ARMS,
            cloth,
            (0, 0, 0),
            (0, -0.62 * size.arm, 0),
            0.052 * thick,
            0.056 * thick,
            (0.8, 1, 1.04),
        )
        build.tube(
            f"arm_{side}", ARMS, skin, (0, 0, 0), (0, -size.arm, 0), 0.042 * m, 0.046 * m, (1.1, 1, 0.84)
        )
        build.ball(f"forearm_{side}", ARMS, skin, (0, 0, 0), 0.037 * m, 0.039 * m, 0.037 * m)
        build.tube(
            f"forearm_{side}",
            ARMS,
            skin,
            (0, 0, 0),
            (0, -size.forearm, 0),
            0.038 * m,
            0.039 * m,
            (0.94, 1.0, 0.66),
        )
    else:
        build.tube(
            f"arm_{side}",
            ARMS,
            cloth,
            (0, 0, 0),
            (0, -size.arm, 0),
            0.051 * thick,
            0.055 * thick,
            (0.8, 1, 0.86),
        )
        build.ball(f"forearm_{side}", ARMS, cloth, (0, 0, 0), 0.045 * thick, 0.048 * thick, 0.045 * thick)
        build.tube(
            f"forearm_{side}",
            ARMS,
            cloth,
            (0, 0, 0),
            (0, -0.96 * size.forearm, 0),
            0.045 * thick,
            0.048 * thick,
            (1, 0.95, 0.78),
        )
    build.ball(
        f"hand_{side}", ARMS, skin, (0, -0.45 * size.hand, 0.006), 0.024 * m, 0.040 * m, 0.52 * size.hand
    )


def _leg(build: _Builder, body: Body, outfit: Outfit, size: Lengths, side: str, sign: float) -> None:
    m = body.limb_girth * body.height / 1.72
    skin = Cloth(outfit.skin_rgb)
    cloth = Cloth(outfit.bottom_rgb, outfit.bottom_pattern, outfit.bottom_second, folds=0.6)
    bare_shank = outfit.skirt or outfit.short_bottoms
    thick = m * outfit.bottom_padding * 1.05
    thigh = skin if outfit.skirt else cloth
    inner = (-0.006 * sign, 0.02, 0)
    if outfit.short_bottoms and not outfit.skirt:
        build.tube(
            f"thigh_{side}",
            UPPER_LEGS,
            skin,
            (0, 0, 0),
            (0, -size.thigh, 0),
            0.074 * m,
            0.08 * m,
            (1.05, 0.92, 0.74),
        )
        build.tube(
            f"thigh_{side}",
            UPPER_LEGS,
            cloth,
            inner,
            (0, -0.80 * size.thigh, 0),
            0.088 * thick,
            0.095 * thick,
            (1, 0.95, 0.93),
        )
    else:
        build.tube(
            f"thigh_{side}",
            UPPER_LEGS,
            thigh,
            inner,
            (0, -size.thigh, 0),
            0.083 * thick,
            0.09 * thick,
            (1.02, 0.93, 0.70),
        )
    if bare_shank:
        build.ball(f"shank_{side}", LOWER_LEGS, skin, (0, 0, 0.004), 0.053 * m, 0.057 * m, 0.058 * m)
        build.tube(
            f"shank_{side}",
            LOWER_LEGS,
            skin,
            (0, 0, 0),
            (0, -size.shank - 0.01, -0.006),
            0.052 * m,
            0.056 * m,
            (0.94, 0.98, 0.62),
        )
    else:
        build.ball(
            f"shank_{side}", LOWER_LEGS, cloth, (0, 0, 0.004), 0.058 * thick, 0.063 * thick, 0.062 * thick
        )
        build.tube(
            f"shank_{side}",
            LOWER_LEGS,
            cloth,
            (0, 0, 0),
            (0, -0.97 * size.shank, -0.004),
            0.058 * thick,
            0.062 * thick,
            (1, 0.96, 0.86),
        )
    # A shoe: a last with a flat sole, and the instep rising to the ankle.
    shoe, k = Cloth(outfit.shoe_rgb, "sole", (0.6, 0.59, 0.57)), body.height / 1.72
    a, foot = size.ankle, size.foot
    build.tube(
        f"foot_{side}",
        FEET,
        shoe,
        (0, -0.25 * a, 0.20 * foot),
        (0, -a, 0.225 * foot),
        0.047 * k,
        0.5 * foot,
        (0.72, 0.93, 1.0),
    )
    build.ball(
        f"foot_{side}",
        FEET,
        Cloth(outfit.shoe_rgb),
        (0, -0.15 * a, 0.03 * foot),
        0.043 * k,
        0.30 * foot,
        0.8 * a,
    )


def _skirts(build: _Builder, body: Body, outfit: Outfit, size: Lengths) -> None:
    """A skirt or a coat's tails: one cone on the pelvis and one that follows each thigh half way, all with a flat hem."""
    k, hip = body.height / 1.72, body.hip_width
    leg = size.thigh + 0.45 * size.shank
    pieces = []
    if outfit.skirt:
        cloth = Cloth(outfit.bottom_rgb, outfit.bottom_pattern, outfit.bottom_second, folds=1.0)
        pieces.append(
            (
                cloth,
                0.62 * size.thigh if outfit.short_bottoms else leg,
                1.0,
                1.25 if outfit.short_bottoms else 1.5,
            )
        )
    if outfit.coat:
        cloth = Cloth(outfit.coat_rgb, "open", outfit.bottom_rgb, folds=1.0)
        pieces.append(
            (
                cloth,
                0.10 + (size.thigh - 0.05) * outfit.coat,
                1.12 * outfit.top_padding,
                1.2 + 0.15 * outfit.coat,
            )
        )
    for cloth, drop, girth, flare in pieces:
        a, b = 0.158 * k * hip * girth, 0.122 * k * girth
        build.tube(
            "pelvis",
            UPPER_LEGS,
            cloth,
            (0, 0.11 * k, 0),
            (0, -0.97 * drop, 0),
            a,
            b,
            (0.93, 0.5 + 0.5 * flare + 0.06, flare),
        )
        for side, sign in (("l", 1.0), ("r", -1.0)):
            inward = -0.45 * sign * size.half_hips
            build.tube(
                f"skirt_{side}", UPPER_LEGS, cloth, (inward, 0.03, 0), (0.8 * inward, -drop, 0), 0.86 * a, b,
                (0.95, 0.5 + 0.5 * flare, 0.97 * flare),
            )  # fmt: skip


def _carried(build: _Builder, body: Body, outfit: Outfit, size: Lengths) -> None:
    k, t = body.height / 1.72, size.trunk
    g = k * body.trunk_girth * outfit.top_padding * (1.09 if outfit.coat else 1.0)
    front, back = 0.112 * g, -0.115 * g
    if outfit.backpack:
        cloth = Cloth(outfit.backpack_rgb, folds=0.4)
        build.tube(
            "chest",
            CARRIED,
            cloth,
            (0, 0.60 * t, back - 0.055),
            (0, -0.10 * t, back - 0.075),
            0.135 * k,
            0.095,
            (0.82, 1.06, 1.0),
        )
        build.tube(
            "chest",
            CARRIED,
            cloth,
            (0, 0.24 * t, back - 0.13),
            (0, -0.06 * t, back - 0.14),
            0.105 * k,
            0.07,
            (0.9, 1.0, 0.95),
        )
        for sign in (1.0, -1.0):
            x = 0.55 * size.half_shoulders * sign
            build.tube("chest", CARRIED, cloth, (x, 0.70 * t, 0.0), (1.1 * x, 0.36 * t, front), 0.026, 0.022)
            build.tube(
                "chest", CARRIED, cloth, (1.1 * x, 0.36 * t, front), (1.6 * x, 0.12 * t, 0.03), 0.022, 0.022
            )
            build.tube("chest", CARRIED, cloth, (x, 0.70 * t, 0.02), (x, 0.55 * t, back), 0.026, 0.022)
    if outfit.shoulder_bag:
        cloth = Cloth(outfit.shoulder_bag_rgb, folds=0.3)
        x = -(0.175 * k * body.hip_width + 0.045)
        build.tube(
            "pelvis",
            CARRIED,
            cloth,
            (x, 0.14 * k, 0.0),
            (x - 0.01, -0.15 * k, 0.0),
            0.055,
            0.15 * k,
            (0.86, 1, 1.0),
        )
        shoulder = 0.5 * size.half_shoulders
        for z in (front, back):
            build.tube(
                "chest",
                CARRIED,
                cloth,
                (shoulder, 0.69 * t, 0.2 * z),
                (0.1 * x, 0.30 * t, z * 1.1),
                0.022,
                0.020,
            )
            build.tube(
                "chest", CARRIED, cloth, (0.1 * x, 0.30 * t, z * 1.1), (x, -0.16 * t, 0.35 * z), 0.022, 0.020
            )
    if outfit.hand_bag:
        cloth = Cloth(outfit.hand_bag_rgb, folds=0.3)
        build.tube("bag", CARRIED, cloth, (0, -0.09, 0), (0, -0.36 * k, 0), 0.055, 0.16 * k, (0.88, 1, 1.02))
        for z in (0.07, -0.07):
            build.tube("bag", CARRIED, cloth, (0, 0.02, 0), (0, -0.11, z), 0.014, 0.014)


def _bicycle(build: _Builder, size: Lengths) -> None:
    """A bicycle under the rider: two ring wheels and a diamond frame."""
    tyre, paint = Cloth((0.10, 0.10, 0.10)), Cloth((0.22, 0.24, 0.28))
    seat = 1.03 * (size.thigh + size.shank + size.ankle) - 0.12
    for z in (-0.44, 0.62):
        build.tube("ground", CARRIED, tyre, (-0.018, 0.335, z), (0.018, 0.335, z), 0.335, 0.335, hole=0.9)
    crank, saddle, bar = (0, 0.30, 0.05), (0, seat, -0.12), (0, seat + 0.10, 0.42)
    rods = ((crank, saddle), ((0, seat - 0.06, -0.1), (0, seat, 0.38)), (crank, (0, seat - 0.05, 0.4)), (bar, (0, 0.335, 0.62)),
            (crank, (0, 0.335, -0.44)), ((0, seat - 0.08, -0.1), (0, 0.335, -0.44)), ((-0.24, bar[1], 0.40), (0.24, bar[1], 0.40)))  # fmt: skip
    for start, end in rods:
        build.tube("ground", CARRIED, paint, start, end, 0.02, 0.02)
    build.ball("ground", CARRIED, tyre, (0, seat + 0.02, -0.12), 0.07, 0.13, 0.035)
