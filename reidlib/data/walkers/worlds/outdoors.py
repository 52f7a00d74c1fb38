"""What the outdoor benchmarks share: people who pass cameras, what gets in the way, and what a tracker makes of it."""

import functools
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import ClassVar, Literal

import numpy as np

from reidlib.data.tracklets import Benchmark, Tracklet, fingerprint
from reidlib.data.walkers.cameras import Camera, other_light, sample_camera
from reidlib.data.walkers.packed import RENDERER, Sighting, pack
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

SLIPS = ("target-change", "target-miss", "wrong-target")
FIRST_UNKNOWN = 1001  # tracklet numbers of distractors and junk start here, above those of identities


@dataclass(frozen=True)
class Outdoors(World):
    """The world of an outdoor benchmark; each says how often what happens there."""

    camera_use: ClassVar[tuple[float, ...]]  # share of the sightings that each camera has
    motions: ClassVar[tuple[float, ...]] = (1.0, 0.0, 0.0, 0.0, 0.0)  # in the order of MOTIONS
    slips: ClassVar[Mapping[str, float]] = dict.fromkeys(SLIPS, 0.0)  # chance in a tracklet
    carried_changes: ClassVar[Mapping[str, float]] = {}  # chance under each camera that a thing is there or not there
    passers_by: ClassVar[float] = 0.3  # share of tracklets with another person in the box
    num_frames: ClassVar[tuple[int, int]] = (10, 20)  # of a tracklet, both inclusive
    fps: ClassVar[float] = 12.5
    false_boxes: ClassVar[float] = 1 / 3  # share of the distractors who are boxed so badly that little of them is seen

    @functools.cached_property
    def cameras(self) -> list[tuple[Camera, float]]:
        """The cameras, each with the direction of the path that it watches (degrees)."""
        return [(self.camera(c), self.path(c)) for c in range(len(self.camera_use))]

    def camera(self, number: int) -> Camera:
        """Camera `number`, from 0."""
        return sample_camera(self.rng("camera", number), self.clutter, self.light)

    def path(self, number: int) -> float:
        """The direction (degrees) in which most people pass camera `number`, or come back."""
        return self.rng("path", number).uniform(0, 180)

    def view(self, rng: np.random.Generator, camera: int) -> float:
        """The azimuth, in degrees, from which `camera` sees a person: most keep to the path."""
        along = self.cameras[camera][1] + rng.choice((0, 180)) + rng.normal(0, 15)
        return float((along if rng.random() < 0.85 else rng.uniform(0, 360)) % 360)

    def person(self, index: int, camera: int, number: int | None = None) -> Person:
        """Person `index` as camera `camera` meets them: what they carry, and under `clothes_change` wear, differs.

        number: of the tracklet that follows them, which is a walk of its own.
        """
        person = self.identity(index)
        walk = self.rng("gait", index, camera, number) if number is not None else None
        if self.same_appearance:
            return self.dressed(person, person.outfit, walk)
        rng, outfit = self.rng("carried", index, camera), person.outfit
        for thing, chance in self.carried_changes.items():
            if rng.random() < chance:
                outfit = replace(outfit, **{thing: not getattr(outfit, thing)})
        clothes = self.rng("clothes", index, camera)
        return self.dressed(person, change_clothes(outfit, clothes, self.clothes_change, self.wardrobe), walk)

    def identity_columns(self, person: Person) -> dict[str, int]:
        """What the annotation says of a person."""
        return attributes(person.outfit, person.body)

    def annotate(self, scene: Scene, scenes: Sequence[Scene], slip: str) -> dict[str, int]:
        """The attributes of a tracklet: of `scene`, of which `slip` made `scenes`."""
        return {
            "motion": MOTIONS.index(scene.motion),
            "pose": pose_class(scene.view),
            **_quality(scenes),
            **{kind: int(kind == slip) for kind in SLIPS},
            **self.identity_columns(scene.person),
        }


def passage(
    world: Outdoors, index: int, camera: int, number: int, people: range, person_id: int, box: BoxError | None = None
) -> Sighting:
    """One tracklet of person `index`; whoever else appears in it is another one of `people`.

    camera: from 0. number: its tracklet_id. person_id: its label; attributes are given above 0 only, to identities.
    box: instead of a drawn error.
    """
    key = (index, camera, number)
    rng = world.rng("scene", *key)
    num_frames = int(rng.integers(world.num_frames[0], world.num_frames[1] + 1))
    motion = MOTIONS[int(rng.choice(len(MOTIONS), p=world.motions))]
    scene = Scene(
        person=world.person(index, camera, number),
        camera=other_light(world.cameras[camera][0], world.rng("light", *key), world.light),
        view=world.view(rng, camera),
        motion=motion,
        num_frames=num_frames,
        fps=world.fps,
        phase=float(rng.random()),
        place=float(rng.random()),
        box_error=box or sample_box_error(world.rng("box", *key), world.box_error),
        occluders=sample_occluders(world.rng("occluder", *key), num_frames, world.occlusion),
        seed=int(rng.integers(1 << 31)),
    )
    rng = world.rng("company", *key)
    if rng.random() < world.passers_by * world.occlusion:
        company = sample_passer_by(rng, world.person(_other(rng, people, index), camera), num_frames)
        scene = replace(scene, passers_by=(company,))
    rng = world.rng("slip", *key)
    slip = str(rng.choice([*world.slips, ""], p=[*world.slips.values(), 1 - sum(world.slips.values())]))
    scenes = _slip(scene, slip, world.person(_other(rng, people, index), camera, number), rng) if slip else (scene,)
    annotated = world.annotate(scene, scenes, slip) if person_id > 0 else {}
    return Sighting(person_id, camera + 1, number, scenes, round(scene.view) % 360, attributes=annotated)


def distractors(world: Outdoors, count: int, crowd: range) -> Iterator[Sighting]:
    """Sightings (identity 0) of a crowd who are nobody's match, some of them in false boxes."""
    for number in range(FIRST_UNKNOWN, FIRST_UNKNOWN + count):
        rng = world.rng("distractor", number)
        index, camera = int(rng.choice(crowd)), int(rng.choice(len(world.camera_use), p=world.camera_use))
        box = _false_box(rng) if rng.random() < world.false_boxes else None
        yield passage(world, index, camera, number, crowd, 0, box)


def junk(world: Outdoors, count: int, people: range) -> Iterator[Sighting]:
    """Sightings (identity −1) of identities in boxes so bad that they are not counted."""
    for number in range(FIRST_UNKNOWN, FIRST_UNKNOWN + count):
        rng = world.rng("junk", number)
        index, camera = int(rng.choice(people)), int(rng.choice(len(world.camera_use), p=world.camera_use))
        yield passage(world, index, camera, number, people, -1, _false_box(rng))


def render_parts(
    name: str, parts: Sequence[Sequence[Sighting]], resolution: tuple[int, int], workers: int | None, progress: bool
) -> tuple[list[list[Tracklet]], str]:
    """The tracklets of each part of a benchmark, all rendered at once, and the hash of their content; see `pack`."""
    tracklets, content = pack(name, [s for part in parts for s in part], resolution, workers, progress)
    stops = np.cumsum([len(part) for part in parts]).tolist()
    return [tracklets[stop - len(part) : stop] for part, stop in zip(parts, stops)], content


def benchmark(
    name: str,
    content: str,
    train: Sequence[Tracklet],
    query: Sequence[Tracklet],
    gallery: Sequence[Tracklet],
    protocol: Literal["cross-camera", "all"] = "cross-camera",
) -> Benchmark:
    """The benchmark of these parts; its fingerprint covers the content's hash and all labels."""
    labels = [
        [(t.person_id, t.camera_id, t.tracklet_id, t.view, t.attributes) for t in part]
        for part in (train, query, gallery)
    ]
    digest = fingerprint(content, repr(labels))
    return Benchmark(tuple(train), tuple(query), tuple(gallery), protocol, name, digest, RENDERER)


def pose_class(view: float) -> int:
    """Pose class: 0 front, 1 front side, 2 side, 3 back side, 4 back; the annotations' sixth is for who turns."""
    return int(np.digitize(min(view, 360 - view), (22.5, 67.5, 112.5, 157.5)))


def _false_box(rng: np.random.Generator) -> BoxError:
    """A false detection: the person fills half to a third of the box's height, or is half outside it."""
    if rng.random() < 0.5:
        return BoxError(scale=float(rng.uniform(0.7, 1.2)), shift_x=float(rng.normal(0, 0.15)), jitter=0.02)
    return BoxError(shift_x=float(rng.choice((-1, 1)) * rng.uniform(0.5, 0.9)), jitter=0.02)


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


def _quality(scenes: Sequence[Scene]) -> dict[str, int]:
    """The quality flags that the boxes give, and whatever stands before the person."""
    boxes = [scene.box_error for scene in scenes]
    return {
        "occlusion": int(any(scene.occluders for scene in scenes)),
        "cut-out": int(any(b.scale < -0.1 or abs(b.shift_x) > 0.2 or abs(b.shift_y) > 0.1 for b in boxes)),
        "multi-person": int(any(scene.passers_by for scene in scenes)),
        "background-dominant": int(any(b.scale > 0.2 for b in boxes)),
    }
