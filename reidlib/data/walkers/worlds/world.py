"""What all rendered benchmarks start from: a population drawn from a seed, and how hard re-identification is made."""

import zlib
from dataclasses import dataclass, field, replace

import numpy as np

from reidlib.data.walkers.body import FEMALE, Body
from reidlib.data.walkers.gait import Gait, vary_gait
from reidlib.data.walkers.loads import gait_under_load
from reidlib.data.walkers.scene import Person, sample_person
from reidlib.data.walkers.wardrobe import STREET, Outfit, Wardrobe, dress_alike, sample_outfit

WEARERS = 8  # on average, of an outfit that several people wear


@dataclass(frozen=True)
class World:
    """Who lives in a benchmark, and how hard it makes re-identification.

    seed, name: two worlds of other seeds or names share nobody and nothing; `street`, the first, has the empty name.
    Twins, who then tell nobody apart: same_gait (everybody has the gait `Gait()`, in a body of their own; how it varies
    from walk to walk, and what loads do to it, stays), same_body (everybody has the proportions `Body()`, with gender,
    age and gait of their own; gender and age still choose skirts and hair), same_appearance (everybody wears and
    carries the same). alike: the share of the people, 0 to 1, who wear top, coat and bottoms that some others wear as
    well, about `WEARERS` of them each; shoes, hair, hat, skin and bags stay their own. It is without effect under
    same_appearance.

    Severities, 0 is none: gait_variation (from walk to walk, see `vary_gait`), clothes_change, clutter (of the
    background), occlusion (things and people in the way), box_error (of the detector), light (how much light, colour
    and sensor differ between cameras, and light from sighting to sighting outdoors). A benchmark's own world says its
    defaults, and what cannot be set there. wardrobe: what people wear. uniform: what everybody wears under
    same_appearance.

    Raises ValueError for a negative severity or a share beyond 0 to 1.
    """

    seed: int
    name: str
    same_gait: bool = False
    same_body: bool = False
    same_appearance: bool = False
    alike: float = 0.0
    gait_variation: float = 1.0
    clothes_change: float = 0.0
    clutter: float = 1.0
    occlusion: float = 1.0
    box_error: float = 1.0
    light: float = 1.0
    wardrobe: Wardrobe = field(default=STREET, init=False)
    uniform: Outfit = field(default_factory=Outfit, init=False)

    def __post_init__(self) -> None:
        names = ("gait_variation", "clothes_change", "clutter", "occlusion", "box_error", "light")
        if negative := [f"{name}={getattr(self, name)}" for name in names if getattr(self, name) < 0]:
            raise ValueError(f"{', '.join(negative)}: expected severities from 0 on")
        if not 0 <= self.alike <= 1:
            raise ValueError(f"alike={self.alike}: expected a share of the people, 0 to 1")

    def rng(self, purpose: str, *numbers: int) -> np.random.Generator:
        """A stream of its own for each purpose, so that changing one setting leaves all other draws as they were."""
        return np.random.default_rng((self.seed, zlib.crc32(f"{self.name}{purpose}".encode()), *numbers))

    def identity(self, index: int) -> Person:
        """Person `index`: body, gait, and the clothes and belongings of an ordinary day."""
        person = sample_person(self.rng("person", index), self.wardrobe)
        body, gait, outfit = person.body, person.gait, self._outfit(index, person)
        if self.same_gait:
            gait = Gait()
        if self.same_body:
            body = replace(Body(), gender=body.gender, age=body.age)
        return Person(body, gait, outfit)

    def _outfit(self, index: int, person: Person) -> Outfit:
        if self.same_appearance:
            return self.uniform
        if self.rng("alike", index).random() >= self.alike:
            return person.outfit
        group = (index - 1) // round(WEARERS / self.alike)  # neighbours, so that they are mostly of the same part
        shared = sample_outfit(self.rng("shared outfit", group), Body(gender=FEMALE), self.wardrobe)
        return dress_alike(person.outfit, shared, person.body)

    def dressed(self, person: Person, outfit: Outfit, walk: np.random.Generator | None = None) -> Person:
        """A person in `outfit`, who walks as its weight lets them; `walk` draws how that walk differs from others."""
        gait = vary_gait(person.gait, walk, self.gait_variation) if walk else person.gait
        return replace(person, outfit=outfit, gait=gait_under_load(gait, outfit))
