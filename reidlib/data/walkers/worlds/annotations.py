"""What annotations other than MARS's would say of a rendered person: Duke's columns and PETA's.

Duke's file documents no codes. We read them so: 1 is yes, long hems for "top" (a coat to the thigh), light for "shoes",
a woman for "gender"; "bag" is the shoulder bag; colours stand in the order in which Lin, Zheng, Zheng, Wu, Hu, Yan,
Yang, "Improving person re-identification by attribute and identity learning" (Pattern Recognition 2019) list those of
DukeMTMC-reID, and then "complex", for the file's frequencies fit them (black first, with more than half of the tops;
blue trousers, green ones the rarest colour).
"""

from collections.abc import Mapping

import numpy as np

from reidlib.data.walkers.body import FEMALE
from reidlib.data.walkers.scene import Person
from reidlib.data.walkers.wardrobe import HAIRS, Colour
from reidlib.data.walkers.worlds.wardrobes import STILLS, STILLS_SHOES

DUKE_TOP_COLOURS = ("black", "white", "red", "purple", "gray", "blue", "green", "brown", "complex")
DUKE_BOTTOM_COLOURS = ("black", "white", "red", "gray", "blue", "green", "brown", "complex")
LONG_COAT = 0.6  # `Outfit.coat` from which on a top is long
LIGHT_SHOE = 0.55  # mean display value

PETA_COLOURS = ("Black", "Blue", "Brown", "Green", "Grey", "Orange", "Pink", "Purple", "Red", "White", "Yellow")
PETA_AGES = ("Less15", "Less30", "Less45", "Larger60")  # of young, teenager, adult and old
PETA_PATTERNS = {"stripes": "ThickStripes", "plaid": "Plaid", "logo": "Logo"}
_GREY_HAIR = (0.62, 0.61, 0.60)
_BOTTOMS = ("Black", "Blue", "Brown", "Green", "Grey", "Pink", "Red", "White")

PETA_RENDERED = (  # the columns of PETA that `stills` shows
    *(f"personal{name}" for name in (*PETA_AGES, "Male", "Female")),
    *(f"hair{name}" for name in ("Short", "Long", "Black", "Brown", "Grey")),
    *(f"upperBody{name}" for name in (*PETA_COLOURS, "ShortSleeve", "LongSleeve", "Jacket", *PETA_PATTERNS.values())),
    *(f"lowerBody{name}" for name in (*_BOTTOMS, "Trousers", "Jeans", "Shorts", "ShortSkirt", "LongSkirt", "Plaid")),
    *(f"footwear{name}" for name in ("Shoes", "Boots", *STILLS_SHOES)),
    *(f"accessory{name}" for name in ("Hat", "Nothing")),
    *(f"carrying{name}" for name in ("Backpack", "MessengerBag", "Other", "Nothing")),
)

PETA_TO_MARS: Mapping[str, Mapping[str, int]] = {  # column of PETA -> what it says in the columns of MARS and `street`
    "personalLess15": {"age": 0},
    "personalLess30": {"age": 1},
    "personalLess45": {"age": 2},
    "personalLarger60": {"age": 3},
    "personalMale": {"gender": 0},
    "personalFemale": {"gender": 1},
    "hairShort": {"hair": 0},
    "hairLong": {"hair": 1},
    "upperBodyBlack": {"top color": 0},
    "upperBodyPurple": {"top color": 1},
    "upperBodyGreen": {"top color": 2},
    "upperBodyBlue": {"top color": 3},
    "upperBodyGrey": {"top color": 4},
    "upperBodyWhite": {"top color": 5},
    "upperBodyYellow": {"top color": 6},
    "upperBodyRed": {"top color": 7},
    "upperBodyPink": {"top color": 7},  # the nearest that MARS has
    "upperBodyThickStripes": {"top color": 8},
    "upperBodyPlaid": {"top color": 8},
    "upperBodyLogo": {"top color": 8},
    "upperBodyLongSleeve": {"top length": 0},
    "upperBodyShortSleeve": {"top length": 1},
    "lowerBodyWhite": {"bottom color": 0},
    "lowerBodyBlack": {"bottom color": 2},
    "lowerBodyGreen": {"bottom color": 3},
    "lowerBodyGrey": {"bottom color": 4},
    "lowerBodyPink": {"bottom color": 5},
    "lowerBodyBlue": {"bottom color": 7},
    "lowerBodyBrown": {"bottom color": 8},
    "lowerBodyPlaid": {"bottom color": 9},
    "lowerBodyTrousers": {"bottom type": 1, "bottom length": 0},
    "lowerBodyJeans": {"bottom type": 1, "bottom length": 0},
    "lowerBodyShorts": {"bottom type": 1, "bottom length": 1},
    "lowerBodyLongSkirt": {"bottom type": 0, "bottom length": 0},
    "lowerBodyShortSkirt": {"bottom type": 0, "bottom length": 1},
    "accessoryHat": {"hat": 1},
    "accessoryNothing": {"hat": 0},
    "carryingBackpack": {"backpack": 1},
    "carryingMessengerBag": {"shoulder bag": 1},
    "carryingOther": {"hand bag": 1},
    "carryingNothing": {"backpack": 0, "shoulder bag": 0, "hand bag": 0},
}


def duke_columns(person: Person) -> dict[str, int]:
    """The identity's columns of Duke's attribute file for somebody dressed from `wardrobes.CAMPUS`."""
    outfit = person.outfit
    return {
        "backpack": int(outfit.backpack),
        "bag": int(outfit.shoulder_bag),
        "handbag": int(outfit.hand_bag),
        "boots": int(outfit.boots),
        "gender": person.body.gender,
        "hat": int(outfit.hat),
        "shoes": int(sum(outfit.shoe_rgb) / 3 > LIGHT_SHOE),
        "top": int(outfit.coat >= LONG_COAT),
        "bottom color": outfit.bottom_color,
        "top color": outfit.coat_color if outfit.coat else outfit.top_color,
    }


def peta_columns(person: Person) -> dict[str, int]:
    """The columns of `PETA_RENDERED`, of 0 and 1, for somebody dressed from `wardrobes.STILLS`.

    As in PETA, trousers of denim are jeans and no trousers, and whoever wears or carries none of what the columns list
    has "Nothing". A hand bag counts as carrying something other.
    """
    outfit, body = person.outfit, person.body
    bags = {"Backpack": outfit.backpack, "MessengerBag": outfit.shoulder_bag, "Other": outfit.hand_bag}
    true = {
        f"personal{PETA_AGES[body.age]}",
        f"personal{'Female' if body.gender == FEMALE else 'Male'}",
        f"hair{'Long' if outfit.long_hair else 'Short'}",
        f"hair{('Black', 'Black', 'Brown', 'Brown', 'Grey')[_nearest(outfit.hair_rgb, (*HAIRS, _GREY_HAIR))]}",
        f"upperBody{PETA_COLOURS[outfit.coat_color if outfit.coat else outfit.top_color]}",
        f"upperBody{'Short' if outfit.short_sleeves else 'Long'}Sleeve",
        "upperBodyJacket" if outfit.coat else f"upperBody{PETA_PATTERNS.get(outfit.top_pattern)}",
        f"lowerBody{PETA_COLOURS[outfit.bottom_color]}",
        f"lowerBody{PETA_PATTERNS.get(outfit.bottom_pattern)}",
        f"lowerBody{_bottom(person)}",
        "footwearBoots" if outfit.boots else "footwearShoes",
        f"footwear{STILLS_SHOES[_nearest(outfit.shoe_rgb, STILLS.shoes)]}",
        "accessoryHat" if outfit.hat else "accessoryNothing",
        *(f"carrying{bag}" for bag, carried in bags.items() if carried),
        *(() if any(bags.values()) else ("carryingNothing",)),
    }
    return {name: int(name in true) for name in PETA_RENDERED}


def _bottom(person: Person) -> str:
    outfit = person.outfit
    if outfit.skirt:
        return "ShortSkirt" if outfit.short_bottoms else "LongSkirt"
    if outfit.short_bottoms:
        return "Shorts"
    return "Jeans" if PETA_COLOURS[outfit.bottom_color] == "Blue" else "Trousers"


def _nearest(rgb: Colour, palette: tuple[Colour, ...]) -> int:
    return int(((np.array(palette) - rgb) ** 2).sum(1).argmin())
