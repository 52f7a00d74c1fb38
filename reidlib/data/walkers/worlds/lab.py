"""`lab`: a rendered benchmark that follows CASIA-B in views, conditions, walks, partition and protocol.

Every subject walks ten times through a plain room, under eleven cameras at once: six times as usual ("nm"), twice with
a bag ("bg"), twice in other clothes ("cl"). Which bag and which clothes is the subject's for both walks. The walks of
"nm" are all in the same clothes, so that appearance alone answers them; by how much it fails under "cl" follows from
`clothes_change`.
"""

import functools
from collections.abc import Iterator
from dataclasses import dataclass, field, replace

from reidlib.data import casia_b
from reidlib.data.tracklets import Benchmark
from reidlib.data.walkers.cameras import Camera, sample_camera
from reidlib.data.walkers.packed import Sighting
from reidlib.data.walkers.worlds.walks import NUM_FRAMES, WalkWorld, need_people, render_walks

TRAIN_SHARE = 74 / 124


@dataclass(frozen=True)
class Lab(WalkWorld):
    """The world of a room with a camera every 18 degrees, all on stands of one kind."""

    name: str = field(default="lab", init=False)
    alike: float = 0.8
    clothes_change: float = 0.75
    clutter: float = 0.0
    occlusion: float = field(default=0.0, init=False)
    box_error: float = 0.1

    @functools.cached_property
    def cameras(self) -> list[tuple[int, int, Camera]]:
        """camera_id, view and camera of all eleven."""
        return [(place, view, self._camera(view)) for place, view in enumerate(casia_b.VIEWS, start=1)]

    def _camera(self, view: int) -> Camera:
        rng = self.rng("camera", view)
        camera = sample_camera(rng, self.clutter, self.light)
        return replace(camera, elevation=float(rng.uniform(4, 8)), distance=float(rng.uniform(6, 8)))


def lab(
    seed: int = 0,
    *,
    num_ids: int = 62,
    num_frames: int = NUM_FRAMES,
    resolution: tuple[int, int] = (64, 44),
    silhouette_size: tuple[int, int] = (32, 22),
    workers: int | None = None,
    progress: bool = True,
    **settings: bool | float,
) -> Benchmark:
    """Render (or find in the cache) a gait laboratory and give its benchmark: 110 tracklets a subject.

    The first 74 of 124 subjects, or their share, are trained on. Of the others, "nm" 1 to 4 are the gallery, and "nm" 5
    and 6, "bg" and "cl" the queries, scored for each condition and each pair of views
    (`reidlib.evaluation.cross_view_accuracy`). By default that is half of CASIA-B: 37 and 25 subjects, 4070 tracklets
    to train on, 1100 in the gallery and 550 queries of each condition. A tracklet's condition is "nm", "bg" or "cl",
    its tracklet_id the number of the walk among these, its view 0, 18, …, 180 degrees, its camera_id the place of the
    view, from 1. Colour frames, masks and aligned silhouettes go together frame by frame.

    seed draws people, cameras and walks. num_frames: of a walk, at 10 a second. resolution: (height, width) of frames
    and masks. silhouette_size: (h, w) of the aligned silhouettes, 64 × 44 at paper scale. workers: processes; the
    bytes do not depend on it.

    settings: twins and severities. Twins: same_gait (everybody has one gait, in a body of their own), same_body
    (everybody has one body, but for what gender and age change, and a gait of their own), same_appearance (everybody
    wears the same, also under "bg" and "cl"). alike: the share of the people, 0 to 1, whose top and bottoms about seven
    others wear as well, but for "cl" (0.8).

    Severities, 0 is none: gait_variation (from walk to walk of a person; 1), clothes_change (at 1, a "cl" walk has a
    new top, six of ten walkers put on a coat, half change their trousers, and cloth is up to a quarter thicker; 0.75),
    clutter (of the background; 0), box_error (0.1, as people are cut out by background subtraction), light (how much
    light, colour and sensor differ between cameras; 1).

    Raises ValueError for fewer than four identities, a negative severity or a share beyond 0 to 1.
    """
    need_people(num_ids)
    world = Lab(seed, **settings)
    sightings = list(_sightings(world, num_ids, num_frames))
    train = range(1, round(TRAIN_SHARE * num_ids) + 1)
    return render_walks("lab", sightings, train, casia_b.in_gallery, resolution, silhouette_size, workers, progress)


def _sightings(world: Lab, num_ids: int, num_frames: int) -> Iterator[Sighting]:
    for index in range(1, num_ids + 1):
        for condition, count in casia_b.CONDITIONS.items():
            for number in range(1, count + 1):
                yield from world.walk(index, f"{condition}-{number}", condition, number, world.cameras, num_frames)
