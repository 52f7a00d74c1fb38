"""`campus`: a rendered benchmark that follows DukeMTMC-VideoReID, with another look than `street`'s.

As there, a person has one tracklet under each camera that sees them. Of a hundred persons 39 are trained on, 39 are
searched, and 22, whom one camera alone sees, match no query and are nothing but distractors. One tracklet of each test
person, drawn, is a query; the gallery holds the other tracklets, those of the distractors and, in the set-up "mixing",
which is what is commonly reported, the queries. (There: 702, 702 and 408 persons, 8 cameras, 2196 tracklets to train
on, 702 queries, a gallery of 1934, or 2636 with the queries.) Identities, the distractors too, carry the columns of
Duke's annotation, with motion and pose as skewed as there; how we read its codes, `annotations` says. Frequencies named
DUKE_… are counted from that annotation.

It is winter: coats, boots, backpacks, long sleeves, dark colours, a low sun, and cameras that look down from buildings.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import Literal

import numpy as np

from reidlib.data.tracklets import Benchmark
from reidlib.data.walkers.cameras import Camera, blend, sample_camera
from reidlib.data.walkers.packed import Sighting
from reidlib.data.walkers.scene import Person
from reidlib.data.walkers.wardrobe import Outfit, Wardrobe
from reidlib.data.walkers.worlds import outdoors
from reidlib.data.walkers.worlds.annotations import duke_columns
from reidlib.data.walkers.worlds.outdoors import Outdoors, passage
from reidlib.data.walkers.worlds.wardrobes import CAMPUS, CAMPUS_UNIFORM

DUKE_PEOPLE = (702, 702, 408)  # trained on, searched, seen by one camera only
DUKE_CAMERAS_PER_ID = (0.0, 0.258, 0.360, 0.355, 0.026, 0.001)  # one to six, of the persons who are not distractors
DUKE_CAMERA_USE = (0.173, 0.163, 0.081, 0.067, 0.090, 0.150, 0.094, 0.182)  # share of tracklets
DUKE_MOTIONS = (0.980, 0.004, 0.004, 0.009, 0.003)  # in the order of MOTIONS
DUKE_POSES = (0.043, 0.256, 0.290, 0.363, 0.048)  # of the five classes of people who do not turn
DUKE_SLIPS = {"target-change": 0.0017, "target-miss": 0.0, "wrong-target": 0.0002}
DUKE_CARRIED_CHANGES = {"hand_bag": 0.0018, "shoulder_bag": 0.0016, "backpack": 0.0016}  # chance under each camera
DUKE_OCCLUSION, DUKE_COMPANY = 0.178, 0.099  # share of tracklets with something, somebody in the way
_POSE_BORDERS = (0.0, 22.5, 67.5, 112.5, 157.5, 180.0)  # degrees


@dataclass(frozen=True)
class Campus(Outdoors):
    """The world of a campus in winter: eight cameras high on buildings."""

    name: str = field(default="campus ", init=False)
    alike: float = 0.8
    occlusion: float = DUKE_OCCLUSION / 0.33
    box_error: float = 0.5
    light: float = 2.0
    wardrobe: Wardrobe = field(default=CAMPUS, init=False)
    uniform: Outfit = field(default=CAMPUS_UNIFORM, init=False)

    camera_use = DUKE_CAMERA_USE
    motions = DUKE_MOTIONS
    slips = DUKE_SLIPS
    carried_changes = DUKE_CARRIED_CHANGES
    passers_by = 0.33 * DUKE_COMPANY / DUKE_OCCLUSION  # `sample_occluders` puts something into a third of the tracklets

    def camera(self, number: int) -> Camera:
        """A camera that looks down from afar, in the warm light and hard shade of a low sun."""
        rng = self.rng("winter light", number)
        warm = 0.07 + self.light * rng.uniform(-0.05, 0.05)
        cast = np.exp(warm * np.array([1.0, 0.1, -1.1]) + self.light * rng.normal(0.0, 0.04, 3))
        return replace(
            sample_camera(self.rng("camera", number), self.clutter, self.light),
            elevation=float(rng.uniform(16, 34)),
            distance=float(rng.uniform(10, 18)),
            light_elevation=float(rng.uniform(10, 26)),
            contrast=float(rng.uniform(0.5, 0.8)),
            gain=float(np.exp(rng.normal(0.35, 0.3 * self.light))),
            cast=tuple(float(c) for c in cast),
            saturation=blend(0.825, rng.uniform(0.55, 1.1), self.light),
            haze=blend(0.06, rng.uniform(0.0, 0.12), self.light),
            blur=blend(0.8, rng.uniform(0.5, 1.1), self.light),
        )

    def view(self, rng: np.random.Generator, camera: int) -> float:
        """A direction (degrees) of a pose as common as in Duke, left or right, whatever the camera."""
        pose = int(rng.choice(len(DUKE_POSES), p=DUKE_POSES))
        view = rng.uniform(*_POSE_BORDERS[pose : pose + 2])
        return float((view if rng.random() < 0.5 else 360 - view) % 360)

    def identity_columns(self, person: Person) -> dict[str, int]:
        """The identity's columns of Duke's annotation."""
        return duke_columns(person)


def campus(
    seed: int = 0,
    setup: Literal["mixing", "usual"] = "mixing",
    *,
    num_ids: int = 650,
    resolution: tuple[int, int] = (64, 32),
    workers: int | None = None,
    progress: bool = True,
    **settings: bool | float,
) -> Benchmark:
    """Render (or find in the cache) a campus and give its benchmark, under the cross-camera protocol.

    seed draws the people, cameras and tracklets. setup: "mixing" (gallery with the queries) or "usual" (without).
    num_ids: all persons; 650 are 252 to train on, 252 to search and 146 distractors, in about 1700 tracklets of 10 to
    20 frames. resolution, workers and settings: as `street`; by default alike=0.8 and light=2, the boxes are better
    than there (box_error=0.5), as Duke's are, and things are in the way as often as its annotators found them. The
    fingerprint covers frames, part maps and all labels.

    Raises ValueError for an unknown set-up, fewer than ten identities, a negative severity or a share beyond 0 to 1.
    """
    if setup not in ("mixing", "usual"):
        raise ValueError(f'setup={setup!r}: expected "mixing" or "usual"')
    if num_ids < 10:
        raise ValueError(f"num_ids={num_ids}: expected at least 10, to train on, to search and as distractors")
    world = Campus(seed, **settings)
    half = round(DUKE_PEOPLE[0] / sum(DUKE_PEOPLE) * num_ids)
    trained, tested, strangers = range(1, half + 1), range(half + 1, 2 * half + 1), range(2 * half + 1, num_ids + 1)
    parts = _numbered(list(_sightings(world, people, people is strangers)) for people in (trained, tested, strangers))
    (train, test, alone), content = outdoors.render_parts("campus", parts, resolution, workers, progress)
    query = []
    for person in tested:
        seen = [t for t in test if t.person_id == person]
        query.append(seen[world.rng("query", person).integers(len(seen))])
    gallery = [*test, *alone] if setup == "mixing" else [*(t for t in test if t not in query), *alone]
    return outdoors.benchmark("campus", content, train, query, gallery)


def _sightings(world: Campus, people: range, once: bool) -> Iterator[Sighting]:
    """The sightings of some persons: one under each camera that sees them, or under a single one if `once`."""
    for index in people:
        rng = world.rng("sightings", index)
        count = 1 if once else 1 + rng.choice(len(DUKE_CAMERAS_PER_ID), p=DUKE_CAMERAS_PER_ID)
        for camera in sorted(rng.choice(len(DUKE_CAMERA_USE), count, replace=False, p=DUKE_CAMERA_USE).tolist()):
            yield passage(world, index, camera, 1, people, index)


def _numbered(parts: Iterable[Sequence[Sighting]]) -> list[list[Sighting]]:
    """The same sightings with tracklet numbers that run through all persons, as Duke's folders do."""
    number, numbered = 0, []
    for part in parts:
        numbered.append([replace(s, tracklet_id=number + i) for i, s in enumerate(part, start=1)])
        number += len(part)
    return numbered
