"""What a person wears: a small, skewed wardrobe, so that different people look alike.

Attributes use the columns and codes of the MARS annotation by Chen et al.. Its two colour columns and age
have documented codes; for the others we read 1 as what most of its pedestrians show: top length 0 long
sleeves, 1 short; bottom length 0 long, 1 short; bottom type 0 skirt or dress, 1 trousers; hair 0 short, 1
long; carried things and hat 0 no, 1 yes.
"""

from dataclasses import dataclass, replace

import numpy as np

from reidlib.data.walkers.body import FEMALE, OLD, Body

Colour = tuple[float, float, float]

TOP_COLOURS = ("black", "purple", "green", "blue", "gray", "white", "yellow", "red", "complex")
BOTTOM_COLOURS = (
    "white",
    "purple",
    "black",
    "green",
    "dark gray",
    "pink",
    "yellow",
    "blue",
    "brown",
    "complex",
)
PATTERNS = ("plain", "stripes", "plaid", "logo", "blocks")


@dataclass(frozen=True)
class Dye:
    """One cloth of a palette: its attribute code, display colour, and how often it is worn (any positive weight)."""

    code: int
    rgb: Colour
    weight: float
    pattern: str = "plain"
    second: Colour = (0.85, 0.84, 0.82)  # the pattern's other colour


LEATHERS = (
    (0.12, 0.12, 0.13),
    (0.28, 0.20, 0.14),
    (0.42, 0.40, 0.38),
    (0.20, 0.25, 0.36),
    (0.52, 0.22, 0.20),
)
SHOES = ((0.12, 0.12, 0.12), (0.80, 0.80, 0.78), (0.36, 0.27, 0.20), (0.42, 0.42, 0.44))
COATS = (
    Dye(0, (0.13, 0.13, 0.15), 0.35),
    Dye(4, (0.30, 0.30, 0.32), 0.2),
    Dye(4, (0.48, 0.47, 0.46), 0.15),
    Dye(3, (0.20, 0.24, 0.36), 0.2),
    Dye(2, (0.25, 0.29, 0.22), 0.1),
)


@dataclass(frozen=True)
class Wardrobe:
    """What a population wears: palettes, shoes and leathers the commonest first, and how often each thing is worn."""

    tops: tuple[Dye, ...]
    bottoms: tuple[Dye, ...]
    overcoats: tuple[Dye, ...] = COATS
    shoes: tuple[Colour, Colour, Colour, Colour] = SHOES
    leathers: tuple[Colour, Colour, Colour, Colour, Colour] = LEATHERS
    short_sleeves: float = 0.7
    short_bottoms: float = 0.45
    skirts: float = 0.35  # among women
    coats: float = 0.06
    backpack: float = 0.25
    shoulder_bag: float = 0.22
    hand_bag: float = 0.15
    hat: float = 0.07
    long_hair: float = 0.75  # among women
    boots: float = 0.0


@dataclass(frozen=True)
class Outfit:
    """Clothes, hair, skin and carried things of one person on one day. Colours are display values in [0, 1]."""

    top_color: int = 4
    top_rgb: Colour = (0.45, 0.46, 0.47)
    top_pattern: str = "plain"
    top_second: Colour = (0.85, 0.84, 0.82)
    short_sleeves: bool = True
    coat: float = 0.0  # length of an open coat below the waist: 0 none, 1 to the knee
    coat_color: int = 0  # the top's colour to whoever sees the coat
    coat_rgb: Colour = (0.2, 0.2, 0.22)
    bottom_color: int = 7
    bottom_rgb: Colour = (0.22, 0.27, 0.38)
    bottom_pattern: str = "plain"
    bottom_second: Colour = (0.7, 0.7, 0.7)
    skirt: bool = False
    short_bottoms: bool = False
    shoe_rgb: Colour = (0.15, 0.14, 0.14)
    boots: bool = False  # up to below the knee, over the trousers
    long_hair: bool = False
    hair_rgb: Colour = (0.10, 0.08, 0.07)
    skin_rgb: Colour = (0.76, 0.58, 0.47)
    hat: bool = False
    hat_rgb: Colour = (0.25, 0.25, 0.28)
    backpack: bool = False
    backpack_rgb: Colour = (0.15, 0.16, 0.2)
    shoulder_bag: bool = False
    shoulder_bag_rgb: Colour = (0.3, 0.2, 0.14)
    hand_bag: bool = False
    hand_bag_rgb: Colour = (0.5, 0.42, 0.3)
    top_padding: float = 1.0  # factor on the girth of trunk and arms (thick clothes)
    bottom_padding: float = 1.0  # factor on the girth of the legs


CLOTHES = (  # of an `Outfit`, what is cut and dyed: top, coat and bottoms
    *("top_color", "top_rgb", "top_pattern", "top_second", "short_sleeves", "coat", "coat_color", "coat_rgb"),
    *("bottom_color", "bottom_rgb", "bottom_pattern", "bottom_second", "skirt", "short_bottoms"),
)

STREET = Wardrobe(
    tops=(
        Dye(5, (0.84, 0.84, 0.82), 0.22),
        Dye(0, (0.11, 0.11, 0.12), 0.17),
        Dye(4, (0.47, 0.47, 0.48), 0.10),
        Dye(3, (0.20, 0.30, 0.50), 0.08),
        Dye(3, (0.52, 0.63, 0.76), 0.04),
        Dye(7, (0.66, 0.17, 0.18), 0.08),
        Dye(7, (0.80, 0.47, 0.50), 0.03),
        Dye(2, (0.24, 0.40, 0.28), 0.08),
        Dye(6, (0.80, 0.70, 0.34), 0.06),
        Dye(1, (0.40, 0.27, 0.46), 0.04),
        Dye(8, (0.82, 0.81, 0.78), 0.04, "stripes", (0.18, 0.22, 0.36)),
        Dye(8, (0.58, 0.22, 0.22), 0.03, "plaid", (0.16, 0.16, 0.20)),
        Dye(8, (0.16, 0.17, 0.22), 0.03, "logo", (0.82, 0.72, 0.40)),
        Dye(8, (0.80, 0.80, 0.78), 0.02, "blocks", (0.25, 0.36, 0.55)),
    ),
    bottoms=(
        Dye(2, (0.11, 0.11, 0.12), 0.36),
        Dye(7, (0.20, 0.26, 0.39), 0.20),
        Dye(4, (0.30, 0.30, 0.31), 0.15),
        Dye(8, (0.46, 0.38, 0.28), 0.10),
        Dye(0, (0.80, 0.79, 0.76), 0.06),
        Dye(5, (0.76, 0.50, 0.54), 0.03),
        Dye(3, (0.28, 0.33, 0.24), 0.03),
        Dye(6, (0.76, 0.66, 0.40), 0.01),
        Dye(1, (0.36, 0.27, 0.42), 0.01),
        Dye(9, (0.56, 0.56, 0.58), 0.05, "plaid", (0.22, 0.22, 0.30)),
    ),
)

SKINS = ((0.80, 0.63, 0.52), (0.75, 0.57, 0.45), (0.66, 0.48, 0.37), (0.47, 0.33, 0.25))
HAIRS = ((0.07, 0.06, 0.06), (0.13, 0.10, 0.08), (0.26, 0.18, 0.12), (0.45, 0.34, 0.22))


def _vary(rng: np.random.Generator, rgb: Colour, amount: float = 0.025) -> Colour:
    """The colour of one piece of that cloth: a slightly different tone and brightness."""
    varied = np.asarray(rgb) * np.exp(rng.normal(0.0, amount)) + rng.normal(0.0, amount / 3, 3)
    return tuple(float(c) for c in np.clip(varied, 0.03, 0.95))


def _pick(rng: np.random.Generator, colours: tuple[Colour, ...], chances: tuple[float, ...] | None = None) -> Colour:
    return colours[int(rng.choice(len(colours), p=chances))]


def _pick_dye(rng: np.random.Generator, palette: tuple[Dye, ...]) -> Dye:
    weights = np.array([dye.weight for dye in palette])
    return palette[int(rng.choice(len(palette), p=weights / weights.sum()))]


def sample_outfit(rng: np.random.Generator, body: Body, wardrobe: Wardrobe = STREET) -> Outfit:
    """Draw clothes for `body` (skirts and long hair depend on its gender) from `wardrobe`."""
    woman = body.gender == FEMALE
    top, bottom, over = (_pick_dye(rng, palette) for palette in (wardrobe.tops, wardrobe.bottoms, wardrobe.overcoats))
    hair = (0.62, 0.61, 0.60) if body.age == OLD else _pick(rng, HAIRS, (0.5, 0.3, 0.15, 0.05))
    chance = rng.random(9)
    coat = float(rng.uniform(0.25, 1.0)) if chance[0] < wardrobe.coats else 0.0
    return Outfit(
        top_color=top.code,
        top_rgb=_vary(rng, top.rgb),
        top_pattern=top.pattern,
        top_second=top.second,
        short_sleeves=bool(chance[1] < wardrobe.short_sleeves) and not coat,
        coat=coat,
        coat_color=over.code,
        coat_rgb=_vary(rng, over.rgb),
        bottom_color=bottom.code,
        bottom_rgb=_vary(rng, bottom.rgb),
        bottom_pattern=bottom.pattern,
        bottom_second=bottom.second,
        skirt=woman and bool(chance[2] < wardrobe.skirts),
        short_bottoms=bool(chance[3] < wardrobe.short_bottoms) and not coat,
        shoe_rgb=_vary(rng, _pick(rng, wardrobe.shoes, (0.45, 0.3, 0.15, 0.1))),
        long_hair=bool(chance[4] < (wardrobe.long_hair if woman else 0.02)),
        hair_rgb=_vary(rng, hair),
        skin_rgb=_vary(rng, _pick(rng, SKINS, (0.4, 0.35, 0.17, 0.08))),
        hat=bool(chance[5] < wardrobe.hat),
        hat_rgb=_vary(rng, _pick(rng, wardrobe.leathers + wardrobe.shoes)),
        backpack=bool(chance[6] < wardrobe.backpack),
        backpack_rgb=_vary(rng, _pick(rng, wardrobe.leathers, (0.4, 0.1, 0.2, 0.2, 0.1))),
        shoulder_bag=bool(chance[7] < wardrobe.shoulder_bag),
        shoulder_bag_rgb=_vary(rng, _pick(rng, wardrobe.leathers, (0.4, 0.3, 0.1, 0.1, 0.1))),
        hand_bag=bool(chance[8] < wardrobe.hand_bag),
        hand_bag_rgb=_vary(rng, _pick(rng, wardrobe.leathers + wardrobe.shoes)),
        boots=bool(rng.random() < wardrobe.boots),
    )


def change_clothes(
    outfit: Outfit, rng: np.random.Generator, severity: float = 1.0, wardrobe: Wardrobe = STREET
) -> Outfit:
    """The same person (skin, hair) in other clothes of `wardrobe`, as CASIA-B's "CL" walks in a coat.

    At severity 1 the top is new, 60 % put on a coat, half change their trousers, and cloth is up to a
    quarter thicker; these chances and thicknesses scale with `severity` (0 returns the outfit as it is).
    Carried things stay.
    """
    if severity <= 0:
        return outfit
    top, bottom, over = (_pick_dye(rng, palette) for palette in (wardrobe.tops, wardrobe.bottoms, wardrobe.overcoats))
    new_top, new_bottom, coat = rng.random(3)
    padding = 1.0 + 0.25 * severity * rng.random(2)
    if new_top < severity:
        outfit = replace(
            outfit,
            top_color=top.code,
            top_rgb=_vary(rng, top.rgb),
            top_pattern=top.pattern,
            top_second=top.second,
            short_sleeves=False,
        )
    if new_bottom < 0.5 * severity:
        outfit = replace(
            outfit,
            bottom_color=bottom.code,
            bottom_rgb=_vary(rng, bottom.rgb),
            bottom_pattern=bottom.pattern,
            bottom_second=bottom.second,
            short_bottoms=False,
        )
    if coat < 0.6 * severity:
        outfit = replace(
            outfit,
            coat=float(rng.uniform(0.4, 1.0)),
            coat_color=over.code,
            coat_rgb=_vary(rng, over.rgb),
            short_sleeves=False,
        )
    return replace(outfit, top_padding=float(padding[0]), bottom_padding=float(padding[1]))


def dress_alike(outfit: Outfit, other: Outfit, body: Body) -> Outfit:
    """The same person (skin, hair, hat, shoes, carried things) in the top, coat and bottoms of `other`; a man wears
    trousers in place of a skirt."""
    worn = {name: getattr(other, name) for name in CLOTHES}
    return replace(outfit, **worn | {"skirt": other.skirt and body.gender == FEMALE})


def attributes(outfit: Outfit, body: Body) -> dict[str, int]:
    """The ID-relevant columns of MARS's attribute file for a person who wears `outfit`."""
    return {
        "top color": outfit.coat_color if outfit.coat else outfit.top_color,
        "bottom color": outfit.bottom_color,
        "age": body.age,
        "top length": int(outfit.short_sleeves),
        "bottom length": int(outfit.short_bottoms),
        "shoulder bag": int(outfit.shoulder_bag),
        "backpack": int(outfit.backpack),
        "hat": int(outfit.hat),
        "hand bag": int(outfit.hand_bag),
        "hair": int(outfit.long_hair),
        "gender": body.gender,
        "bottom type": int(not outfit.skirt),
    }
