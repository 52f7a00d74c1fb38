"""`yard`: a rendered benchmark that follows CASIA-E's recordings and the protocol that HID takes from them.

Three scenes, in each of which cameras at two heights look from thirteen directions: "scene1" is plain, "scene2" full of
things and "scene3" as full and moving, so that something may get in the way. People walk as they are ("nm"), with a bag
("bg") or in other clothes ("cl"). As in HID, an identity has a few sequences out of all this, about ten, and one of
them is the gallery. Here it is the one that CASIA-E's protocol would put there too: a "nm" walk in "scene1"; queries
come from the other scenes. So the same partition holds in both layouts.
"""

import functools
from collections.abc import Iterator
from dataclasses import dataclass, field, replace

from reidlib.data import casia_e
from reidlib.data.tracklets import Benchmark
from reidlib.data.walkers.cameras import Camera, sample_camera
from reidlib.data.walkers.packed import Sighting
from reidlib.data.walkers.scene import sample_occluders
from reidlib.data.walkers.worlds.walks import NUM_FRAMES, WalkWorld, need_people, render_walks

TRAIN_SHARE = 500 / 1005  # HID's
VIEWS = range(0, 181, 15)
SCENES = ("scene1", "scene2", "scene3")
CLUTTER = {"scene1": 0.2, "scene2": 1.0, "scene3": 1.0}  # shares of the severity
ELEVATIONS = {"H": (20, 28), "L": (3, 8)}  # degrees; the range for the camera height
NUM_WALKS = (6, 14)  # of an identity, both inclusive; HID has ten on average


@dataclass(frozen=True)
class Yard(WalkWorld):
    """The world of three scenes, each with cameras at two heights; those of one height share light and distance."""

    name: str = field(default="yard", init=False)
    gait_variation: float = 0.5
    clothes_change: float = 0.5
    occlusion: float = 0.25
    box_error: float = 0.1

    @functools.cached_property
    def cameras(self) -> dict[tuple[str, str], Camera]:
        """The camera of each height and scene."""
        return {(height, scene): self._camera(height, scene) for height in ELEVATIONS for scene in SCENES}

    def _camera(self, height: str, scene: str) -> Camera:
        rng = self.rng(f"camera {height} {scene}")
        camera = sample_camera(rng, self.clutter * CLUTTER[scene], self.light)
        return replace(camera, elevation=float(rng.uniform(*ELEVATIONS[height])))


def yard(
    seed: int = 0,
    *,
    num_ids: int = 400,
    num_frames: int = NUM_FRAMES,
    resolution: tuple[int, int] = (64, 44),
    silhouette_size: tuple[int, int] = (32, 22),
    workers: int | None = None,
    progress: bool = True,
    **settings: bool | float,
) -> Benchmark:
    """Render (or find in the cache) a yard and give its benchmark: 6 to 14 tracklets a subject.

    The first 500 of 1005 subjects, or their share, are trained on: by default 199 of 400. Each of the others has one
    tracklet in the gallery and 5 to 13 queries, scored by `reidlib.evaluation.retrieval_scores` under the protocol
    "all". A tracklet's condition names height, scene and condition as CASIA-E's folders do ("H-scene2-bg"); its view is
    0, 15, …, 180 degrees, its camera_id the place of the view, from 1; its tracklet_id numbers the subject's walks from
    1, the gallery's or, in training, the one like it. `export.casia_e` keeps all this; `export.hid` drops condition and
    view, as HID does.

    The arguments are those of `reidlib.data.walkers.lab`, and one more: occlusion, the severity of things in the way,
    in scene3 alone (0.25). By default alike=0, clutter=1, and what varies from walk to walk is milder
    (gait_variation=clothes_change=0.5), because each view is seen but once.

    Raises ValueError for fewer than four identities, a negative severity or a share beyond 0 to 1.
    """
    need_people(num_ids)
    world = Yard(seed, **settings)
    num_train = round(TRAIN_SHARE * num_ids)
    sightings = list(_sightings(world, num_ids, num_train, num_frames))
    train = range(1, num_train + 1)
    return render_walks("yard", sightings, train, casia_e.in_gallery, resolution, silhouette_size, workers, progress)


def _sightings(world: Yard, num_ids: int, num_train: int, num_frames: int) -> Iterator[Sighting]:
    for index in range(1, num_ids + 1):
        rng = world.rng("sightings", index)
        others = SCENES if index <= num_train else SCENES[1:]  # in testing, scene1 is the gallery's
        for number in range(1, rng.integers(NUM_WALKS[0], NUM_WALKS[1] + 1) + 1):
            height, view = str(rng.choice(casia_e.HEIGHTS)), int(rng.choice(VIEWS))
            scene = "scene1" if number == 1 else str(rng.choice(others))
            condition = "nm" if number == 1 else str(rng.choice(casia_e.CONDITIONS))
            severity = world.occlusion if scene == "scene3" else 0.0
            yield from world.walk(
                index,
                str(number),
                f"{height}-{scene}-{condition}",
                number,
                [(VIEWS.index(view) + 1, view, world.cameras[height, scene])],
                num_frames,
                sample_occluders(world.rng("occluder", index, number), num_frames, severity),
            )
