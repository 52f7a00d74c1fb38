"""A person's solids: the body of a `Body` in the clothes of an `Outfit`. Sizes are metres of a body 1.72 m
tall.
"""

from functools import lru_cache

from reidlib.data.walkers.belongings import add_bags, add_bicycle
from reidlib.data.walkers.body import AVERAGE_HEIGHT, FEMALE, Body
from reidlib.data.walkers.skeleton import Lengths, lengths
from reidlib.data.walkers.solids import (
    ARMS,
    FEET,
    HEAD,
    HIPS,
    LOWER_LEGS,
    TORSO,
    UPPER_LEGS,
    Builder,
    Cloth,
    Figure,
)
from reidlib.data.walkers.wardrobe import Outfit


@lru_cache(maxsize=512)
def figure(body: Body, outfit: Outfit, riding: bool = False) -> Figure:
    """The solids of `body` dressed in `outfit`, on a bicycle if `riding`."""
    size, build = lengths(body), Builder()
    _head(build, body, outfit, size)
    _trunk(build, body, outfit, size)
    for side, sign in (("l", 1.0), ("r", -1.0)):
        _arm(build, body, outfit, size, side)
        _leg(build, body, outfit, size, side, sign)
    if outfit.skirt:
        _skirt(build, body, outfit, size)
    if outfit.coat:
        _coat_tails(build, body, outfit, size)
    add_bags(build, body, outfit, size)
    if riding:
        add_bicycle(build, size)
    return build.figure()


def _top(outfit: Outfit) -> Cloth:
    if outfit.coat:
        return Cloth(outfit.coat_rgb, "open", outfit.top_rgb, folds=0.7)
    return Cloth(outfit.top_rgb, outfit.top_pattern, outfit.top_second, folds=0.8)


def _bottom(outfit: Outfit, folds: float) -> Cloth:
    return Cloth(outfit.bottom_rgb, outfit.bottom_pattern, outfit.bottom_second, folds)


def _head(build: Builder, body: Body, outfit: Outfit, size: Lengths) -> None:
    k = size.head / 0.224
    skin = build.on("head", HEAD, Cloth(outfit.skin_rgb))
    face = build.on("head", HEAD, Cloth(outfit.skin_rgb, "face", (0.16, 0.11, 0.09)))
    hair = build.on("head", HEAD, Cloth(outfit.hair_rgb, folds=0.6))
    face.ball((0, 0.112 * k, 0.008 * k), 0.074 * k, 0.092 * k, 0.114 * k)
    skin.ball((0, 0.045 * k, 0.04 * k), 0.05 * k, 0.055 * k, 0.05 * k)  # jaw
    neck = 0.053 * (0.92 if body.gender == FEMALE else 1.05) * body.limb_girth * body.height / AVERAGE_HEIGHT
    skin.tube((0, 0.06 * k, -0.012), (0, -0.9 * size.neck, -0.015), neck, neck, (0.95, 1, 1.2))
    hair.ball((0, 0.149 * k, -0.014 * k), 0.081 * k, 0.099 * k, 0.087 * k)
    if outfit.long_hair:
        radii = (0.9, 1.05, 0.85)
        hair.tube((0, 0.15 * k, -0.045 * k), (0, -0.15 * k, -0.075 * k), 0.085 * k, 0.055 * k, radii)
    else:
        hair.ball((0, 0.09 * k, -0.04 * k), 0.072 * k, 0.062 * k, 0.075 * k)
    if outfit.hat:
        felt = build.on("head", HEAD, Cloth(outfit.hat_rgb, folds=0.1))
        felt.ball((0, 0.155 * k, -0.008 * k), 0.092 * k, 0.108 * k, 0.098 * k, high=0.25)
        felt.tube((0, 0.158 * k, 0.06 * k), (0, 0.140 * k, 0.062 * k), 0.08 * k, 0.125 * k)  # peak


def _trunk(build: Builder, body: Body, outfit: Outfit, size: Lengths) -> None:
    k, t, woman = body.height / AVERAGE_HEIGHT, size.trunk, body.gender == FEMALE
    g = k * body.trunk_girth * outfit.top_padding * (1.09 if outfit.coat else 1.0)
    waist = (0.90 if woman else 1.0) + 0.5 * body.belly
    # Logos and blocks are on the chest alone; the second colour of blocks goes on above, the first below.
    top = _top(outfit)
    everywhere = top.texture in ("stripes", "plaid", "open")
    yoke = top if everywhere else Cloth(top.second if top.texture == "blocks" else top.rgb, folds=0.8)
    lower = top if everywhere else Cloth(top.rgb, folds=0.8)

    chest = build.on("chest", TORSO, top)
    ribs = 0.545 * size.half_shoulders + 0.047 * g + 0.013 * k
    chest.tube((0, 0.60 * t, 0), (0, -0.06 * t, 0), ribs, 0.108 * g, (0.94, 1.06, 0.90 * waist))
    if woman:
        chest.ball((0, 0.36 * t, 0.030 * g), 0.128 * g, 0.098 * g, 0.105 * k)
    shoulders = build.on("chest", TORSO, yoke)
    shoulders.ball((0, 0.570 * t, -0.006), size.half_shoulders + 0.03 * k, 0.080 * g, 0.062 * k)
    shoulders.tube((0, 0.72 * t, -0.012), (0, 0.58 * t, -0.006), 0.062 * k, 0.062 * g, (0.9, 1.2, 1.9))  # collar

    # The abdomen ends in the shirt's hem, over the seat in the cloth of the trousers.
    seat = 0.162 * k * body.hip_width * (0.6 + 0.4 * body.trunk_girth)
    depth = max(0.112 * g * (1 + 0.6 * body.belly), 0.128 * k)
    shirt = build.on("pelvis", TORSO, lower)
    radii = (0.86 * waist, 0.95 * waist, 1.05)
    shirt.tube((0, 0.46 * t, 0), (0, -0.04 * k, -0.006), 1.05 * seat, depth, radii)
    if body.belly > 0:
        shirt.ball((0, 0.24 * t, 0.03 * g), 0.12 * g, (0.09 + 0.09 * body.belly) * g, 0.12 * k)
    hips = build.on("pelvis", HIPS, _bottom(outfit, 0.5))
    hips.tube((0, 0.04 * k, -0.004), (0, -0.095 * k, -0.008), seat, 0.118 * k, (0.90, 1.0, 0.86))


def _arm(build: Builder, body: Body, outfit: Outfit, size: Lengths, side: str) -> None:
    m = body.limb_girth * body.height / AVERAGE_HEIGHT
    thick = m * outfit.top_padding * (1.16 if outfit.coat else 1.08)
    if outfit.coat:
        cloth = Cloth(outfit.coat_rgb, folds=0.7)
    else:
        texture = outfit.top_pattern if outfit.top_pattern in ("stripes", "plaid") else "plain"
        cloth = Cloth(outfit.top_rgb, texture, outfit.top_second, folds=0.7)
    skin = Cloth(outfit.skin_rgb)
    upper = build.on(f"arm_{side}", ARMS[side], cloth)
    upper.ball((0, -0.030, 0), 0.054 * thick, 0.058 * thick, 0.068 * thick)
    if outfit.short_sleeves:
        upper.tube((0, 0, 0), (0, -0.62 * size.arm, 0), 0.052 * thick, 0.056 * thick, (0.8, 1, 1.04))
        build.on(f"arm_{side}", ARMS[side], skin).tube(
            (0, 0, 0), (0, -size.arm, 0), 0.042 * m, 0.046 * m, (1.1, 1, 0.84)
        )
        lower = build.on(f"forearm_{side}", ARMS[side], skin)
        lower.ball((0, 0, 0), 0.037 * m, 0.039 * m, 0.037 * m)
        lower.tube((0, 0, 0), (0, -size.forearm, 0), 0.038 * m, 0.039 * m, (0.94, 1.0, 0.66))
    else:
        upper.tube((0, 0, 0), (0, -size.arm, 0), 0.051 * thick, 0.055 * thick, (0.8, 1, 0.86))
        lower = build.on(f"forearm_{side}", ARMS[side], cloth)
        lower.ball((0, 0, 0), 0.045 * thick, 0.048 * thick, 0.045 * thick)
        lower.tube((0, 0, 0), (0, -0.96 * size.forearm, 0), 0.045 * thick, 0.048 * thick, (1, 0.95, 0.78))
    hand = build.on(f"hand_{side}", ARMS[side], skin)
    hand.ball((0, -0.45 * size.hand, 0.006), 0.024 * m, 0.040 * m, 0.52 * size.hand)


def _leg(build: Builder, body: Body, outfit: Outfit, size: Lengths, side: str, sign: float) -> None:
    k = body.height / AVERAGE_HEIGHT
    m = body.limb_girth * k
    thick = 1.05 * m * outfit.bottom_padding
    skin, cloth = Cloth(outfit.skin_rgb), _bottom(outfit, 0.6)
    bare_thigh, bare_shank = outfit.skirt, outfit.skirt or outfit.short_bottoms
    inner = (-0.006 * sign, -0.03, 0)
    thigh = build.on(f"thigh_{side}", UPPER_LEGS[side], skin if bare_thigh else cloth)
    shank = build.on(f"shank_{side}", LOWER_LEGS[side], skin if bare_shank else cloth)
    if bare_shank:
        bare = build.on(f"thigh_{side}", UPPER_LEGS[side], skin)
        bare.tube((0, 0, 0), (0, -size.thigh, 0), 0.074 * m, 0.08 * m, (1.05, 0.92, 0.74))
        if not bare_thigh:  # shorts
            thigh.tube(inner, (0, -0.80 * size.thigh, 0), 0.088 * thick, 0.095 * thick, (1, 0.95, 0.93))
        shank.ball((0, 0, 0.004), 0.053 * m, 0.057 * m, 0.058 * m)
        shank.tube((0, 0, 0), (0, -size.shank - 0.01, -0.006), 0.052 * m, 0.056 * m, (0.94, 0.98, 0.62))
    else:
        thigh.tube(inner, (0, -size.thigh, 0), 0.083 * thick, 0.09 * thick, (1.02, 0.93, 0.70))
        shank.ball((0, 0, 0.004), 0.058 * thick, 0.063 * thick, 0.062 * thick)
        shank.tube((0, 0, 0), (0, -0.97 * size.shank, -0.004), 0.058 * thick, 0.062 * thick, (1, 0.96, 0.86))
    if outfit.boots:
        shaft = build.on(f"shank_{side}", LOWER_LEGS[side], Cloth(outfit.shoe_rgb, folds=0.5))
        shaft.tube(
            (0, -0.22 * size.shank, 0), (0, -size.shank - 0.01, -0.004), 0.068 * thick, 0.071 * thick, (1, 0.94, 0.76)
        )
    # A shoe: a last with a flat sole, and the instep rising to the ankle.
    a, foot = size.ankle, size.foot
    last = build.on(f"foot_{side}", FEET[side], Cloth(outfit.shoe_rgb, "sole", (0.6, 0.59, 0.57)))
    last.tube((0, -0.25 * a, 0.20 * foot), (0, -a, 0.225 * foot), 0.047 * k, 0.5 * foot, (0.72, 0.93, 1.0))
    instep = build.on(f"foot_{side}", FEET[side], Cloth(outfit.shoe_rgb))
    instep.ball((0, -0.15 * a, 0.03 * foot), 0.043 * k, 0.30 * foot, 0.8 * a)


def _skirt(build: Builder, body: Body, outfit: Outfit, size: Lengths) -> None:
    drop = 0.62 * size.thigh if outfit.short_bottoms else size.thigh + 0.45 * size.shank
    _hang(build, body, size, _bottom(outfit, 1.0), drop, 1.0, 1.25 if outfit.short_bottoms else 1.5)


def _coat_tails(build: Builder, body: Body, outfit: Outfit, size: Lengths) -> None:
    cloth = Cloth(outfit.coat_rgb, "open", outfit.bottom_rgb, folds=1.0)
    drop = 0.10 + (size.thigh - 0.05) * outfit.coat
    _hang(build, body, size, cloth, drop, 1.12 * outfit.top_padding, 1.2 + 0.15 * outfit.coat)


def _hang(build: Builder, body: Body, size: Lengths, cloth: Cloth, drop: float, girth: float, flare: float) -> None:
    """Cloth hanging from the hips: a cone on the pelvis and one that follows each thigh half way, with flat hems."""
    k = body.height / AVERAGE_HEIGHT
    a, b, half = 0.158 * k * body.hip_width * girth, 0.122 * k * girth, 0.5 + 0.5 * flare
    middle = build.on("pelvis", HIPS, cloth)
    middle.tube((0, 0.11 * k, 0), (0, -0.97 * drop, 0), a, b, (0.93, half + 0.06, flare))
    for side, sign in (("l", 1.0), ("r", -1.0)):
        x = -0.45 * sign * size.half_hips
        half_skirt = build.on(f"skirt_{side}", UPPER_LEGS[side], cloth)
        half_skirt.tube((x, 0.03, 0), (0.8 * x, -drop, 0), 0.86 * a, b, (0.95, half, 0.97 * flare))
