"""`stills`: rendered single images that follow Market-1501 in their protocol and PETA in their labels.

Half of the persons are trained on, half are searched. A person passes two to six of six cameras (4.5 on average, as
Market-1501's 3368 queries of 750 persons have it), and each passage gives two to six images (4 there), half a second
apart, each of which is a tracklet of one frame. Of the test persons, one image under each camera, drawn, is a query and
the others are in the gallery, with distractors (identity 0) and, on request, junk (−1), as many an image as there.
The protocol is cross-camera; there is no other set-up.

Everybody's images carry the columns of PETA that the renderer shows, `annotations.PETA_RENDERED`, coded 0 and 1;
`annotations.PETA_TO_MARS` says what they mean in `street`'s columns. For PETA's protocol, recognising attributes, the
gallery is not needed: training images and queries are of different persons. (PETA mixes persons between its parts.)

People, palette, wardrobe, cameras and light (a summer's noon, from low down, in bold colours; the sixth camera is an
old one) are others than in every other benchmark.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from reidlib.data.tracklets import Benchmark, FrameSource, Tracklet
from reidlib.data.walkers.cameras import Camera, blend, sample_camera
from reidlib.data.walkers.packed import Sighting
from reidlib.data.walkers.scene import Scene
from reidlib.data.walkers.wardrobe import Outfit, Wardrobe
from reidlib.data.walkers.worlds import outdoors
from reidlib.data.walkers.worlds.annotations import peta_columns
from reidlib.data.walkers.worlds.outdoors import Outdoors, passage
from reidlib.data.walkers.worlds.wardrobes import STILLS, STILLS_UNIFORM

MARKET_DISTRACTORS, MARKET_JUNK = 0.21, 0.29  # 2793 and 3819 for the 13 120 gallery images of identities
CAMERAS_PER_ID = (0.05, 0.17, 0.28, 0.25, 0.25)  # two to six


@dataclass(frozen=True)
class Stills(Outdoors):
    """The world of six cameras that take a picture now and then."""

    name: str = field(default="stills ", init=False)
    wardrobe: Wardrobe = field(default=STILLS, init=False)
    uniform: Outfit = field(default=STILLS_UNIFORM, init=False)

    camera_use = (1 / 6,) * 6
    num_frames = (2, 6)
    fps = 2.0
    false_boxes = 0.8

    def camera(self, number: int) -> Camera:
        """A sharp camera at eye level in high, hard sun; the last one blurs, is noisy and pale."""
        rng = self.rng("noon", number)
        old = number == len(self.camera_use) - 1
        return replace(
            sample_camera(self.rng("camera", number), self.clutter, self.light),
            elevation=float(rng.uniform(1, 9)),
            distance=float(rng.uniform(4, 8)),
            light_elevation=float(rng.uniform(60, 80)),
            contrast=float(rng.uniform(0.45, 0.75)),
            gain=blend(1.3, rng.uniform(1.15, 1.45), self.light),
            saturation=blend(1.1, 0.7 if old else rng.uniform(1.0, 1.25), self.light),
            haze=blend(0.0, 0.08 if old else 0.0, self.light),
            blur=blend(0.4, 1.1 if old else rng.uniform(0.3, 0.5), self.light),
            noise=blend(0.006, 0.02 if old else 0.006, self.light),
        )

    def annotate(self, scene: Scene, scenes: Sequence[Scene], slip: str) -> dict[str, int]:
        """PETA's columns."""
        return peta_columns(scene.person)


@dataclass(frozen=True)
class OneFrame:
    """Frame number `index` of a tracklet as a source of its own, see `FrameSource`."""

    source: FrameSource
    index: int

    def __len__(self) -> int:
        return 1

    def frames(self, indices: Sequence[int]) -> np.ndarray:
        """RGB frames, uint8 (n, 3, H, W)."""
        return self.source.frames(self.index + np.asarray(indices))

    def masks(self, indices: Sequence[int]) -> np.ndarray | None:
        """Silhouettes, uint8 (n, 1, H, W) of 0 and 1."""
        return self.source.masks(self.index + np.asarray(indices))

    def truth(self, name: str, indices: Sequence[int]) -> np.ndarray:
        """Ground truth by name; flow is to the next image of the passage."""
        return self.source.truth(name, self.index + np.asarray(indices))


def stills(
    seed: int = 0,
    *,
    num_ids: int = 300,
    resolution: tuple[int, int] = (64, 32),
    junk: bool = False,
    workers: int | None = None,
    progress: bool = True,
    **settings: bool | float,
) -> Benchmark:
    """Render (or find in the cache) single images and give their benchmark, under the cross-camera protocol.

    seed draws the people, cameras and images. num_ids: persons; 300 give about 2800 images to train on, 650 queries and
    a gallery of 2300, without junk. resolution, junk, workers and settings: as `street`, an image's tracklet being the
    passage that it was taken of; by default nobody dresses as others do. A tracklet_id counts a person's images under a
    camera, from 1, the query's. The fingerprint covers frames, part maps and all labels.

    Raises ValueError for fewer than ten identities, a negative severity or a share beyond 0 to 1.
    """
    if num_ids < 10:
        raise ValueError(f"num_ids={num_ids}: expected at least 10, five to train and five to search")
    world = Stills(seed, **settings)
    half = num_ids // 2
    trained, tested, crowd = range(1, half + 1), range(half + 1, num_ids + 1), range(num_ids + 1, 2 * num_ids + 1)
    train, test = list(_sightings(world, trained)), list(_sightings(world, tested))
    passages = len(test) * (1 - 1 / np.mean(world.num_frames))  # whose images are all in the gallery
    distractors = list(outdoors.distractors(world, round(MARKET_DISTRACTORS * passages), crowd))
    rejects = list(outdoors.junk(world, round(MARKET_JUNK * passages), tested))

    parts = (train, test, distractors, rejects)
    rendered, content = outdoors.render_parts("stills", parts, resolution, workers, progress)
    train, test, distractors, rejects = (_images(world, part) for part in rendered)
    query = [t for t in test if t.tracklet_id == 1]
    gallery = [t for t in test if t.tracklet_id > 1] + distractors + (rejects if junk else [])
    return outdoors.benchmark("stills", content, train, query, gallery)


def _sightings(world: Stills, people: range) -> Iterator[Sighting]:
    """Every passage of some persons: one under each camera that sees them."""
    for index in people:
        rng = world.rng("sightings", index)
        count = 2 + rng.choice(len(CAMERAS_PER_ID), p=CAMERAS_PER_ID)
        for camera in sorted(rng.choice(6, count, replace=False).tolist()):
            yield passage(world, index, camera, 1, people, index)


def _images(world: Stills, passages: Sequence[Tracklet]) -> list[Tracklet]:
    """The images of the passages, in a drawn order, numbered from 1 for each person and camera."""
    taken: dict[tuple[int, int], int] = {}
    images = []
    for passed in passages:
        key = passed.person_id, passed.camera_id
        order = world.rng("order", passed.person_id + 1, passed.camera_id, passed.tracklet_id).permutation(len(passed))
        for frame in order.tolist():
            taken[key] = taken.get(key, 0) + 1
            images.append(replace(passed, source=OneFrame(passed.source, frame), tracklet_id=taken[key]))
    return images
