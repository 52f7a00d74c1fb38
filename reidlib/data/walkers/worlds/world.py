"""What all rendered benchmarks start from: a population drawn from a seed, and how hard re-identification is made."""

import zlib
from dataclasses import dataclass, field, replace

import numpy as np

from reidlib.data.walkers.body import Body
from reidlib.data.walkers.gait import Gait
from reidlib.data.walkers.scene import Person, sample_person
from reidlib.data.walkers.wardrobe import STREET, Outfit, Wardrobe


@dataclass(frozen=True)
class World:
    """Who lives in a benchmark, and how hard it makes re-identification.

    seed, name: two worlds of other seeds or names share nobody and nothing; `street`, the first, has the empty name.
    same_gait: everybody has one body and one gait, but for what gender and age change. same_appearance: everybody wears
    and carries the same. Severities, 0 is none: clothes_change, clutter (of the background), occlusion (things and
    people in the way), box_error (of the detector). wardrobe: what people wear. uniform: what everybody wears under
    same_appearance.

    Raises ValueError for a negative severity.
    """

    seed: int
    name: str
    same_gait: bool = False
    same_appearance: bool = False
    clothes_change: float = 0.0
    clutter: float = 1.0
    occlusion: float = 1.0
    box_error: float = 1.0
    wardrobe: Wardrobe = STREET
    uniform: Outfit = field(default_factory=Outfit)

    def __post_init__(self) -> None:
        if min(self.clothes_change, self.clutter, self.occlusion, self.box_error) < 0:
            raise ValueError(
                f"clothes_change={self.clothes_change}, clutter={self.clutter}, occlusion={self.occlusion}, "
                f"box_error={self.box_error}: expected severities from 0 on"
            )

    def rng(self, purpose: str, *numbers: int) -> np.random.Generator:
        """A stream of its own for each purpose, so that changing one setting leaves all other draws as they were."""
        return np.random.default_rng((self.seed, zlib.crc32(f"{self.name}{purpose}".encode()), *numbers))

    def identity(self, index: int) -> Person:
        """Person `index`: body, gait, and the clothes and belongings of an ordinary day."""
        person = sample_person(self.rng("person", index), self.wardrobe)
        if self.same_gait:
            body = replace(Body(), gender=person.body.gender, age=person.body.age)
            person = replace(person, body=body, gait=Gait())
        return replace(person, outfit=self.uniform) if self.same_appearance else person
