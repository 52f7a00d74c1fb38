"""`street`: a rendered benchmark that follows MARS in identities, cameras, tracklets, labels and protocol.

As in MARS, a person is seen by one to six cameras, several times by most; one tracklet of each person and camera is
a query, so a person whose other cameras saw them only once leaves queries without a match ("usual" set-up), which
returning the queries to the gallery mends ("mixing"). The gallery also holds distractors (identity 0) and, on request, junk (−1).
Attributes carry the columns of MARS's annotation, with motion as skewed as there. Frequencies named MARS_… are counted from
the published split and attribute files.
"""

import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np

from reidlib.data.tracklets import Benchmark, Tracklet, fingerprint
from reidlib.data.walkers.body import Body
from reidlib.data.walkers.cameras import Camera, sample_camera
from reidlib.data.walkers.gait import Gait
from reidlib.data.walkers.packed import Sighting, pack
from reidlib.data.walkers.scene import (
    MOTIONS,
    BoxError,
    Person,
    Scene,
    sample_box_error,
    sample_occluders,
    sample_passer_by,
    sample_person,
)
from reidlib.data.walkers.wardrobe import Outfit, attributes, change_clothes

MARS_CAMERAS_PER_ID = (0.011, 0.345, 0.307, 0.214, 0.086, 0.037)  # one to six
MARS_CAMERA_USE = (0.223, 0.236, 0.165, 0.087, 0.211, 0.078)
MARS_MOTIONS = (0.897, 0.004, 0.009, 0.088, 0.002)
MARS_DISTRACTORS, MARS_JUNK = 0.53, 0.14  # for each gallery tracklet of an identity
MARS_SLIPS = {"target-change": 0.0127, "target-miss": 0.0009, "wrong-target": 0.0015}
MARS_CARRIED_CHANGES = {"hand_bag": 0.036, "shoulder_bag": 0.010, "backpack": 0.009}  # chance in each camera
TRACKLETS_PER_CAMERA = (0.22, 0.38, 0.25, 0.15)  # one to four; MARS has 4.1 on average, with as many single ones
PASSERS_BY = 0.3  # share of tracklets with another person in the box
NUM_FRAMES = (12, 32)


@dataclass(frozen=True)
class World:
    """Who lives in a street, its cameras, and how hard it makes re-identification (each severity: 0 none, 1 default)."""

    seed: int
    same_gait: bool
    same_appearance: bool
    clothes_change: float
    clutter: float
    occlusion: float
    box_error: float

    def rng(self, purpose: str, *numbers: int) -> np.random.Generator:
        """A stream of its own for each purpose, so that changing one setting leaves all other draws as they were."""
        return np.random.default_rng((self.seed, zlib.crc32(purpose.encode()), *numbers))

    def cameras(self) -> list[tuple[Camera, float]]:
        """Six cameras, each with the direction of the path that it watches (degrees)."""
        return [(sample_camera(self.rng("camera", c), self.clutter), self.rng("path", c).uniform(0, 180)) for c in range(6)]

    def person(self, index: int, camera: int) -> Person:
        """Person `index` as camera `camera` meets them: what they carry, and under `clothes_change` wear, differs."""
        person = sample_person(self.rng("person", index))
        outfit, body = person.outfit, person.body
        if self.same_appearance:
            outfit = Outfit()
        rng = self.rng("carried", index, camera)
        for thing, chance in MARS_CARRIED_CHANGES.items():
            if rng.random() < chance and not self.same_appearance:
                outfit = replace(outfit, **{thing: not getattr(outfit, thing)})
        outfit = change_clothes(outfit, self.rng("clothes", index, camera), self.clothes_change)
        if self.same_gait:
            return Person(replace(Body(), gender=body.gender, age=body.age), Gait(), outfit)
        return replace(person, outfit=outfit)


def street(
    seed: int = 0,
    setup: Literal["usual", "mixing"] = "usual",
    *,
    num_ids: int = 250,
    resolution: tuple[int, int] = (64, 32),
    same_gait: bool = False,
    same_appearance: bool = False,
    clothes_change: float = 0.0,
    clutter: float = 1.0,
    occlusion: float = 1.0,
    box_error: float = 1.0,
    junk: bool = False,
    workers: int | None = None,
    progress: bool = True,
) -> Benchmark:
    """Render (or find in the cache) a street and give its benchmark; 60 % of the identities are for training.

    seed draws the people, cameras and tracklets. setup: "usual" (gallery without the queries) or "mixing" (gallery with
    them); both under the cross-camera protocol. same_gait: everybody has one body and one gait. same_appearance: everybody
    wears the same. clothes_change, clutter, occlusion, box_error: severities, 0 is none. junk: keep identity −1 in the
    gallery. workers: rendering processes; the bytes do not depend on it. Raises ValueError for an unknown set-up or too few identities.
    """
    if setup not in ("usual", "mixing"):
        raise ValueError(f'setup={setup!r}: expected "usual" or "mixing"')
    if num_ids < 10:
        raise ValueError(f"num_ids={num_ids}: expected at least 10, six to train and four to search")
    world = World(seed, same_gait, same_appearance, clothes_change, clutter, occlusion, box_error)
    train_ids = round(0.6 * num_ids)
    train = list(_people(world, range(1, train_ids + 1)))
    test = list(_people(world, range(train_ids + 1, num_ids + 1)))
    is_query = _queries(world, test)
    gallery_size = len(test) - sum(is_query)
    crowd = range(num_ids + 1, num_ids + 1 + num_ids)  # people who are nobody's match
    strangers = list(_strangers(world, round(MARS_DISTRACTORS * gallery_size), crowd))
    rejects = list(_rejects(world, round(MARS_JUNK * gallery_size), range(train_ids + 1, num_ids + 1)))
    tracklets, content = pack("street", train + test + strangers + rejects, resolution, workers, progress)
    train, test, strangers, rejects = _cut(tracklets, len(train), len(test), len(strangers), len(rejects))
    query = tuple(t for t, chosen in zip(test, is_query) if chosen)
    gallery = [t for t, chosen in zip(test, is_query) if setup == "mixing" or not chosen]
    gallery += strangers + (rejects if junk else [])
    return Benchmark(tuple(train), query, tuple(gallery), "cross-camera", "street", fingerprint(content, setup, repr(junk)))


def _cut(tracklets: list[Tracklet], *sizes: int) -> Iterator[list[Tracklet]]:
    for size, stop in zip(sizes, np.cumsum(sizes)):
        yield tracklets[stop - size : stop]


def _people(world: World, people: range) -> Iterator[Sighting]:
    """Every sighting of some identities; whoever else is in the picture is one of them."""
    cameras = world.cameras()
    for index in people:
        rng = world.rng("sightings", index)
        count = 1 + rng.choice(6, p=MARS_CAMERAS_PER_ID)
        number = 0
        for camera in sorted(rng.choice(6, count, replace=False, p=MARS_CAMERA_USE)):
            for _ in range(1 + rng.choice(len(TRACKLETS_PER_CAMERA), p=TRACKLETS_PER_CAMERA)):
                number += 1
                yield _sighting(world, cameras, index, int(camera), number, people, index)


def _queries(world: World, test: list[Sighting]) -> list[bool]:
    """One tracklet of each person and camera, drawn."""
    groups: dict[tuple[int, int], list[int]] = {}
    for i, sighting in enumerate(test):
        groups.setdefault((sighting.person_id, sighting.camera_id), []).append(i)
    chosen = {world.rng("query", *group).choice(members) for group, members in groups.items()}
    return [i in chosen for i in range(len(test))]


def _strangers(world: World, count: int, crowd: range) -> Iterator[Sighting]:
    """Distractors: people who are nobody's match, a third of them boxed so badly that little of them is seen."""
    cameras = world.cameras()
    for number in range(1, count + 1):
        rng = world.rng("distractor", number)
        index, camera = int(rng.choice(crowd)), int(rng.choice(6, p=MARS_CAMERA_USE))
        spoil = _spoil(rng) if rng.random() < 1 / 3 else None
        yield _sighting(world, cameras, index, camera, 1000 + number, crowd, 0, spoil)


def _rejects(world: World, count: int, people: range) -> Iterator[Sighting]:
    """Junk: test identities in boxes so bad that they are not counted."""
    cameras = world.cameras()
    for number in range(1, count + 1):
        rng = world.rng("junk", number)
        index, camera = int(rng.choice(people)), int(rng.choice(6, p=MARS_CAMERA_USE))
        yield _sighting(world, cameras, index, camera, 1000 + number, people, -1, _spoil(rng))


def _spoil(rng: np.random.Generator) -> BoxError:
    """A false detection: the person fills a third of the box, or is half outside it."""
    if rng.random() < 0.5:
        return BoxError(scale=float(rng.uniform(0.7, 1.2)), shift_x=float(rng.normal(0, 0.15)), jitter=0.02)
    return BoxError(shift_x=float(rng.choice((-1, 1)) * rng.uniform(0.5, 0.9)), jitter=0.02)


def _sighting(
    world: World,
    cameras: list[tuple[Camera, float]],
    index: int,
    camera: int,
    number: int,
    others: range,
    person_id: int,
    box_error: BoxError | None = None,
) -> Sighting:
    """One tracklet of person `index`; its quality flags and ID-irrelevant attributes follow from the scene."""
    rng = world.rng("scene", index, camera, number)
    place, path = cameras[camera]
    num_frames = int(rng.integers(NUM_FRAMES[0], NUM_FRAMES[1] + 1))
    motion = int(rng.choice(len(MOTIONS), p=MARS_MOTIONS))
    view = (path + rng.choice((0, 180)) + rng.normal(0, 15) if rng.random() < 0.85 else rng.uniform(0, 360)) % 360

    def stranger() -> Person:
        return world.person(int(rng.choice(others)), camera)

    company = (sample_passer_by(rng, stranger(), num_frames),) if rng.random() < PASSERS_BY * world.occlusion else ()
    error = sample_box_error(world.rng("box", index, camera, number), world.box_error)
    scene = Scene(
        person=world.person(index, camera),
        camera=place,
        view=float(view),
        motion=MOTIONS[motion],
        num_frames=num_frames,
        phase=float(rng.random()),
        place=float(rng.random()),
        box_error=box_error or error,
        occluders=sample_occluders(world.rng("occluder", index, camera, number), num_frames, world.occlusion),
        passers_by=company,
        seed=int(rng.integers(1 << 31)),
    )
    slip = rng.choice([*MARS_SLIPS, ""], p=[*MARS_SLIPS.values(), 1 - sum(MARS_SLIPS.values())])
    columns = {"motion": motion, "pose": _pose(view), **_quality(scene), **{flag: int(flag == slip) for flag in MARS_SLIPS}}
    columns |= attributes(scene.person.outfit, scene.person.body)
    scenes = _slip(scene, str(slip), stranger, int(rng.integers(num_frames // 3, 2 * num_frames // 3)))
    annotated = columns if person_id > 0 else {}  # as in MARS, identities only
    return Sighting(person_id, camera + 1, number, scenes, round(view) % 360, attributes=annotated)


def _pose(view: float) -> int:
    """Pose class: 0 front, 1 front side, 2 side, 3 back side, 4 back; MARS's sixth class is for tracklets that turn."""
    return int(np.digitize(min(view, 360 - view), (22.5, 67.5, 112.5, 157.5)))


def _quality(scene: Scene) -> dict[str, int]:
    """The quality flags that a box and what stands before the person give."""
    error = scene.box_error
    return {
        "occlusion": int(bool(scene.occluders)),
        "cut-out": int(error.scale < -0.1 or max(abs(error.shift_x) / 2, abs(error.shift_y)) > 0.1),
        "multi-person": int(bool(scene.passers_by)),
        "background-dominant": int(error.scale > 0.2),
    }


def _slip(scene: Scene, slip: str, stranger: Callable[[], Person], change: int) -> tuple[Scene, ...]:
    """What a tracker's slip makes of a scene: another person from frame `change` on, nobody, or another from the start."""
    if slip == "wrong-target":
        return (replace(scene, person=stranger()),)
    if slip == "target-change":
        rest = {"person": stranger()}
    elif slip == "target-miss":
        rest = {"box_error": replace(scene.box_error, shift_x=1.2)}
    else:
        return (scene,)
    alone = replace(scene, occluders=(), passers_by=())
    return (replace(alone, num_frames=change), replace(alone, num_frames=scene.num_frames - change, **rest))
