"""`street`: a rendered benchmark that follows MARS in identities, cameras, tracklets, labels and protocol.

As in MARS, a person is seen by one to six cameras, several times by most; of whoever is seen by two or more, one
tracklet under each camera is a query. So a person whose other cameras saw them only once leaves a query without a match
("usual" set-up), which returning the queries to the gallery mends ("mixing"). The gallery also holds distractors
(identity 0) and, on request, junk (−1). Identities carry the columns of MARS's annotation, with motion as skewed as
there; the quality flags say what the scene holds, so occlusion and company are more frequent than MARS's annotators
found them. Frequencies named MARS_… are counted from the published split and attribute files.
"""

import functools
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np

from reidlib.data.tracklets import Benchmark, Tracklet, fingerprint
from reidlib.data.walkers.cameras import Camera, sample_camera
from reidlib.data.walkers.packed import Sighting, pack
from reidlib.data.walkers.scene import (
    MOTIONS,
    BoxError,
    Person,
    Scene,
    sample_box_error,
    sample_occluders,
    sample_passer_by,
)
from reidlib.data.walkers.wardrobe import attributes, change_clothes
from reidlib.data.walkers.worlds.world import World

MARS_CAMERAS_PER_ID = (0.011, 0.345, 0.307, 0.214, 0.086, 0.037)  # one to six
MARS_CAMERA_USE = (0.223, 0.236, 0.165, 0.087, 0.211, 0.078)  # share of tracklets
MARS_MOTIONS = (0.897, 0.004, 0.009, 0.088, 0.002)  # in the order of MOTIONS
MARS_DISTRACTORS, MARS_JUNK = 0.53, 0.14  # for each gallery tracklet of an identity
MARS_SLIPS = {"target-change": 0.0127, "target-miss": 0.0009, "wrong-target": 0.0015}
MARS_CARRIED_CHANGES = {"hand_bag": 0.036, "shoulder_bag": 0.010, "backpack": 0.009}  # chance under each camera
TRACKLETS_PER_CAMERA = (0.22, 0.38, 0.25, 0.15)  # one to four; MARS has 4.1 on average, a fifth of them single
PASSERS_BY = 0.3  # share of tracklets with another person in the box
NUM_FRAMES = (12, 32)  # of a tracklet, both inclusive
FIRST_UNKNOWN = 1001  # tracklet numbers of distractors and junk start here, above those of identities


@dataclass(frozen=True)
class Street(World):
    """The world of a street: six cameras, under each of which people carry, and may wear, something else."""

    @functools.cached_property
    def cameras(self) -> list[tuple[Camera, float]]:
        """Six cameras, each with the direction of the path that it watches (degrees)."""
        return [
            (sample_camera(self.rng("camera", c), self.clutter), self.rng("path", c).uniform(0, 180)) for c in range(6)
        ]

    def person(self, index: int, camera: int) -> Person:
        """Person `index` as camera `camera` meets them: what they carry, and under `clothes_change` wear, differs."""
        person = self.identity(index)
        if self.same_appearance:
            return person
        rng, outfit = self.rng("carried", index, camera), person.outfit
        for thing, chance in MARS_CARRIED_CHANGES.items():
            if rng.random() < chance:
                outfit = replace(outfit, **{thing: not getattr(outfit, thing)})
        return replace(person, outfit=change_clothes(outfit, self.rng("clothes", index, camera), self.clothes_change))


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
    them); both under the cross-camera protocol. resolution: (height, width) in pixels. same_gait: everybody has one
    body and one gait, but for what gender and age change. same_appearance: everybody wears and carries the same.
    Severities, 0 is none: clothes_change (other clothes under each camera), clutter (of the background), occlusion
    (things and people in the way), box_error (of the detector). junk: keep identity −1 in the gallery. workers:
    rendering processes; the bytes do not depend on it. The fingerprint covers frames, part maps and all labels.

    Raises ValueError for an unknown set-up, fewer than ten identities or a negative severity.
    """
    if setup not in ("usual", "mixing"):
        raise ValueError(f'setup={setup!r}: expected "usual" or "mixing"')
    if num_ids < 10:
        raise ValueError(f"num_ids={num_ids}: expected at least 10, six to train and four to search")
    world = Street(seed, "", same_gait, same_appearance, clothes_change, clutter, occlusion, box_error)
    last_train = round(0.6 * num_ids)
    train_people, test_people = range(1, last_train + 1), range(last_train + 1, num_ids + 1)
    crowd = range(num_ids + 1, 2 * num_ids + 1)  # people who are nobody's match
    train, test = list(_sightings(world, train_people)), list(_sightings(world, test_people))
    is_query = _queries(world, test)
    gallery_size = len(test) - sum(is_query)
    distractors = list(_distractors(world, round(MARS_DISTRACTORS * gallery_size), crowd))
    rejects = list(_rejects(world, round(MARS_JUNK * gallery_size), test_people))

    parts = (train, test, distractors, rejects)
    tracklets, content = pack("street", [s for part in parts for s in part], resolution, workers, progress)
    train, test, distractors, rejects = _split(tracklets, [len(part) for part in parts])
    query = [t for t, chosen in zip(test, is_query) if chosen]
    gallery = [t for t, chosen in zip(test, is_query) if setup == "mixing" or not chosen]
    gallery += distractors + (rejects if junk else [])
    labels = [
        [(t.person_id, t.camera_id, t.tracklet_id, t.view, t.attributes) for t in part]
        for part in (train, query, gallery)
    ]
    digest = fingerprint(content, repr(labels))
    return Benchmark(tuple(train), tuple(query), tuple(gallery), "cross-camera", "street", digest)


def _split(tracklets: list[Tracklet], sizes: Sequence[int]) -> Iterator[list[Tracklet]]:
    for size, stop in zip(sizes, np.cumsum(sizes)):
        yield tracklets[stop - size : stop]


def _sightings(world: Street, people: range) -> Iterator[Sighting]:
    """Every sighting of some identities; whoever else is in the picture is one of them."""
    for index in people:
        rng = world.rng("sightings", index)
        count = 1 + rng.choice(6, p=MARS_CAMERAS_PER_ID)
        number = 0
        for camera in sorted(rng.choice(6, count, replace=False, p=MARS_CAMERA_USE).tolist()):
            for _ in range(1 + rng.choice(len(TRACKLETS_PER_CAMERA), p=TRACKLETS_PER_CAMERA)):
                number += 1
                yield _sighting(world, index, camera, number, people, index)


def _queries(world: Street, test: list[Sighting]) -> list[bool]:
    """Whether each sighting is a query: one, drawn, of each person and camera, where two cameras or more see them."""
    groups: dict[tuple[int, int], list[int]] = {}
    for i, sighting in enumerate(test):
        groups.setdefault((sighting.person_id, sighting.camera_id), []).append(i)
    seen_by = [person for person, _ in groups]
    chosen = {
        int(world.rng("query", person, camera).choice(members))
        for (person, camera), members in groups.items()
        if seen_by.count(person) > 1
    }
    return [i in chosen for i in range(len(test))]


def _distractors(world: Street, count: int, crowd: range) -> Iterator[Sighting]:
    """People who are nobody's match, a third of them boxed so badly that little of them is seen."""
    for number in range(FIRST_UNKNOWN, FIRST_UNKNOWN + count):
        rng = world.rng("distractor", number)
        index, camera = int(rng.choice(crowd)), int(rng.choice(6, p=MARS_CAMERA_USE))
        yield _sighting(world, index, camera, number, crowd, 0, _false_box(rng) if rng.random() < 1 / 3 else None)


def _rejects(world: Street, count: int, people: range) -> Iterator[Sighting]:
    """Junk: identities in boxes so bad that they are not counted."""
    for number in range(FIRST_UNKNOWN, FIRST_UNKNOWN + count):
        rng = world.rng("junk", number)
        index, camera = int(rng.choice(people)), int(rng.choice(6, p=MARS_CAMERA_USE))
        yield _sighting(world, index, camera, number, people, -1, _false_box(rng))


def _false_box(rng: np.random.Generator) -> BoxError:
    """A false detection: the person fills half to a third of the box's height, or is half outside it."""
    if rng.random() < 0.5:
        return BoxError(scale=float(rng.uniform(0.7, 1.2)), shift_x=float(rng.normal(0, 0.15)), jitter=0.02)
    return BoxError(shift_x=float(rng.choice((-1, 1)) * rng.uniform(0.5, 0.9)), jitter=0.02)


def _sighting(
    world: Street, index: int, camera: int, number: int, people: range, person_id: int, box: BoxError | None = None
) -> Sighting:
    """One tracklet of person `index`; whoever else appears in it is another one of `people`.

    camera: 0 to 5. number: its tracklet_id. box: instead of a drawn error.
    """
    key = (index, camera, number)
    rng = world.rng("scene", *key)
    place, path = world.cameras[camera]
    num_frames = int(rng.integers(NUM_FRAMES[0], NUM_FRAMES[1] + 1))
    motion = int(rng.choice(len(MOTIONS), p=MARS_MOTIONS))
    along = path + rng.choice((0, 180)) + rng.normal(0, 15)
    view = float((along if rng.random() < 0.85 else rng.uniform(0, 360)) % 360)
    scene = Scene(
        person=world.person(index, camera),
        camera=place,
        view=view,
        motion=MOTIONS[motion],
        num_frames=num_frames,
        phase=float(rng.random()),
        place=float(rng.random()),
        box_error=box or sample_box_error(world.rng("box", *key), world.box_error),
        occluders=sample_occluders(world.rng("occluder", *key), num_frames, world.occlusion),
        seed=int(rng.integers(1 << 31)),
    )
    rng = world.rng("company", *key)
    if rng.random() < PASSERS_BY * world.occlusion:
        company = sample_passer_by(rng, world.person(_other(rng, people, index), camera), num_frames)
        scene = replace(scene, passers_by=(company,))
    rng = world.rng("slip", *key)
    slip = str(rng.choice([*MARS_SLIPS, ""], p=[*MARS_SLIPS.values(), 1 - sum(MARS_SLIPS.values())]))
    scenes = _slip(scene, slip, world.person(_other(rng, people, index), camera), rng) if slip else (scene,)
    columns = {
        "motion": motion,
        "pose": _pose(view),
        **_quality(scenes),
        **{kind: int(kind == slip) for kind in MARS_SLIPS},
        **attributes(scene.person.outfit, scene.person.body),
    }
    annotated = columns if person_id > 0 else {}  # as in MARS, identities only
    return Sighting(person_id, camera + 1, number, scenes, round(view) % 360, attributes=annotated)


def _other(rng: np.random.Generator, people: range, index: int) -> int:
    """One of the people, but not `index`."""
    return people[(people.index(index) + int(rng.integers(1, len(people)))) % len(people)]


def _slip(scene: Scene, slip: str, other: Person, rng: np.random.Generator) -> tuple[Scene, ...]:
    """What a tracker's slip makes of a scene.

    "wrong-target": `other` from the start; "target-change": `other` from a frame in the middle third on; "target-miss":
    an empty box from there on. A scene that is cut has nothing else in the way.
    """
    if slip == "wrong-target":
        return (replace(scene, person=other),)
    change = {"person": other}
    if slip == "target-miss":
        change = {"box_error": replace(scene.box_error, shift_x=1.2)}
    count = int(rng.integers(scene.num_frames // 3, 2 * scene.num_frames // 3 + 1))
    first = replace(scene, num_frames=count, occluders=(), passers_by=())
    return first, replace(first, num_frames=scene.num_frames - count, seed=scene.seed + 1, **change)


def _pose(view: float) -> int:
    """Pose class: 0 front, 1 front side, 2 side, 3 back side, 4 back; MARS's sixth class is for tracklets that turn."""
    return int(np.digitize(min(view, 360 - view), (22.5, 67.5, 112.5, 157.5)))


def _quality(scenes: Sequence[Scene]) -> dict[str, int]:
    """The quality flags that the boxes give, and whatever stands before the person."""
    boxes = [scene.box_error for scene in scenes]
    return {
        "occlusion": int(any(scene.occluders for scene in scenes)),
        "cut-out": int(any(b.scale < -0.1 or abs(b.shift_x) > 0.2 or abs(b.shift_y) > 0.1 for b in boxes)),
        "multi-person": int(any(scene.passers_by for scene in scenes)),
        "background-dominant": int(any(b.scale > 0.2 for b in boxes)),
    }
