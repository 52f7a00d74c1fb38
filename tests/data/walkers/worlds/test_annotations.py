"""What annotations say against what is worn."""

from dataclasses import replace

import numpy as np
import pytest

import reidlib
from reidlib.data import peta
from reidlib.data.attributes import DUKE, MARS
from reidlib.data.walkers.body import ADULT, FEMALE, OLD, Body
from reidlib.data.walkers.scene import Person, sample_person
from reidlib.data.walkers.wardrobe import Outfit, attributes
from reidlib.data.walkers.worlds.annotations import (
    DUKE_BOTTOM_COLOURS,
    DUKE_TOP_COLOURS,
    PETA_COLOURS,
    PETA_RENDERED,
    PETA_TO_MARS,
    duke_columns,
    peta_columns,
)
from reidlib.data.walkers.worlds.wardrobes import CAMPUS, CAMPUS_UNIFORM, STILLS, STILLS_UNIFORM


def crowd(wardrobe, count=300):
    return [sample_person(np.random.default_rng(i), wardrobe) for i in range(count)]


def true(columns):
    return {name for name, code in columns.items() if code}


def test_dukes_columns_say_what_is_worn():
    person = Person(
        Body(gender=FEMALE),
        outfit=Outfit(top_color=2, bottom_color=4, boots=True, hat=True, hand_bag=True, shoe_rgb=(0.8, 0.8, 0.7)),
    )
    assert duke_columns(person) == {
        "backpack": 0, "bag": 0, "handbag": 1, "boots": 1, "gender": 1, "hat": 1, "shoes": 1, "top": 0,
        "bottom color": 4, "top color": 2,
    }  # fmt: skip
    short, long = (replace(person, outfit=replace(person.outfit, coat=c, coat_color=7)) for c in (0.3, 0.9))
    assert [duke_columns(p)["top"] for p in (short, long)] == [0, 1]
    assert duke_columns(short)["top color"] == 7  # the coat is the top that is seen
    assert list(duke_columns(person)) == [a.name for a in DUKE.id_relevant]
    assert duke_columns(Person(outfit=CAMPUS_UNIFORM))["bottom color"] == DUKE_BOTTOM_COLOURS.index("blue")


@pytest.mark.parametrize("palette", [CAMPUS.tops, CAMPUS.overcoats, CAMPUS.bottoms])
def test_dyes_look_like_the_colours_of_dukes_codes(palette):
    names = DUKE_BOTTOM_COLOURS if palette is CAMPUS.bottoms else DUKE_TOP_COLOURS
    for dye in palette:
        assert names[dye.code] in (plain_name(dye.rgb), "complex"), dye


@pytest.mark.parametrize("palette", [STILLS.tops, STILLS.overcoats, STILLS.bottoms])
def test_dyes_look_like_the_colours_of_petas_names(palette):
    american = {"gray": "grey"}
    for dye in palette:
        name = plain_name(dye.rgb)
        assert PETA_COLOURS[dye.code].lower() == american.get(name, name), dye


def plain_name(rgb):
    """A colour's name by hue, saturation and brightness."""
    high, low = max(rgb), min(rgb)
    if high < 0.22 and high - low < 0.06:
        return "black"
    if high - low < 0.08:
        return "white" if low > 0.75 else "gray"
    red, green, blue = rgb
    if blue == high and red > 1.2 * green:
        return "purple"
    if blue == high:
        return "blue"
    if green == high:
        return "green"
    if blue > green:
        return "pink" if low > 0.4 else "red"
    if green < 0.3 * red or (green < 0.4 * red and high < 0.6 and blue > 0.9 * green):
        return "red"
    if high > 0.75:
        return "yellow" if green > 0.75 * red else "orange"
    return "green" if green > 0.95 * red else "brown"


def test_petas_columns_say_what_is_worn():
    worn = Outfit(
        top_color=PETA_COLOURS.index("Red"), bottom_color=PETA_COLOURS.index("Black"), skirt=True, short_bottoms=True,
        boots=True, long_hair=True, shoulder_bag=True, top_pattern="plaid", shoe_rgb=(0.43, 0.27, 0.14),
    )  # fmt: skip
    assert true(peta_columns(Person(Body(gender=FEMALE, age=ADULT), outfit=worn))) == {
        "personalLess45", "personalFemale", "hairLong", "hairBlack", "upperBodyRed", "upperBodyPlaid",
        "upperBodyShortSleeve", "lowerBodyBlack", "lowerBodyShortSkirt", "footwearBoots", "footwearBrown",
        "accessoryNothing", "carryingMessengerBag",
    }  # fmt: skip
    coat = Outfit(
        short_sleeves=False, coat=0.5, coat_color=PETA_COLOURS.index("Brown"), top_pattern="logo",
        bottom_color=PETA_COLOURS.index("Blue"), hat=True, hair_rgb=(0.6, 0.6, 0.6), shoe_rgb=(0.9, 0.9, 0.9),
    )  # fmt: skip
    assert true(peta_columns(Person(Body(age=OLD), outfit=coat))) == {
        "personalLarger60", "personalMale", "hairShort", "hairGrey", "upperBodyBrown", "upperBodyJacket",
        "upperBodyLongSleeve", "lowerBodyBlue", "lowerBodyJeans", "footwearShoes", "footwearWhite", "accessoryHat",
        "carryingNothing",
    }  # fmt: skip
    assert {"upperBodyGrey", "lowerBodyBlue"} <= true(peta_columns(Person(outfit=STILLS_UNIFORM)))


def test_every_rendered_column_of_peta_varies():
    codes = np.array([list(peta_columns(person).values()) for person in crowd(STILLS)])
    rare = [name for name, share in zip(PETA_RENDERED, codes.mean(0)) if not 0.002 < share < 0.998]
    assert rare == []


def test_rendered_columns_are_petas():
    assert len(set(PETA_RENDERED)) == len(PETA_RENDERED)
    groups = {peta.group(name) for name in PETA_RENDERED}
    assert groups == set(peta.GROUPS.values())
    if reidlib.shared_folder() is None:
        pytest.skip("needs the real labels (REIDLIB_SHARED)")
    labels = peta.read_labels(reidlib.shared_folder() / "data" / "pedestrian_labels" / "PETA.mat")
    assert set(PETA_RENDERED) <= set(labels.names)


def test_the_map_to_mars_stays_within_both_schemas():
    sizes = {a.name: a.num_codes for a in MARS.id_relevant}
    assert PETA_TO_MARS.keys() <= set(PETA_RENDERED)
    for meaning in PETA_TO_MARS.values():
        assert meaning and all(0 <= code < sizes[name] for name, code in meaning.items())
    assert {name for meaning in PETA_TO_MARS.values() for name in meaning} == sizes.keys()


def test_the_map_to_mars_says_what_the_street_would_of_the_same_person():
    """But for colours, whose codes are the wardrobes' own; they are compared by name."""
    for person in crowd(STILLS):
        said = {}
        for name in true(peta_columns(person)) & PETA_TO_MARS.keys():
            if "color" not in "".join(PETA_TO_MARS[name]):
                said |= PETA_TO_MARS[name]
        expected = attributes(person.outfit, person.body)
        assert said.items() <= expected.items()
        assert said.keys() >= {"age", "gender", "hair", "top length", "bottom length", "bottom type"}
    for name, meaning in PETA_TO_MARS.items():
        for column, code in meaning.items():
            if "color" in column and name not in ("upperBodyPink",) and not name.endswith(("s", "d", "o")):
                named = MARS.attributes[[a.name for a in MARS.attributes].index(column)].meanings[code]
                assert named.split()[-1].replace("gray", "grey") == name.split("Body")[1].lower()
