"""`crowd`: a rendered benchmark that follows OU-MVLP in views, sequences, partition and protocol.

Many people, two sequences each. Seven cameras stand every 15 degrees over a quarter of a circle; a person walks past
them and back again, and so is seen from fourteen views, the seven of one way at once. There are no conditions: clothes
stay the same and nobody carries a bag. OU-MVLP publishes silhouettes alone; here are colour frames as well. There, many
subjects lack some sequences; here everything is complete.
"""

import functools
from collections.abc import Iterator
from dataclasses import dataclass, field, replace

from reidlib.data import oumvlp
from reidlib.data.tracklets import Benchmark
from reidlib.data.walkers.cameras import Camera, sample_camera
from reidlib.data.walkers.packed import Sighting
from reidlib.data.walkers.worlds.walks import NUM_FRAMES, WalkWorld, need_people, render_walks


@dataclass(frozen=True)
class Crowd(WalkWorld):
    """The world of a walkway under seven cameras, high up and at some distance."""

    name: str = field(default="crowd", init=False)
    clothes_change: float = field(default=0.0, init=False)
    clutter: float = 0.0
    occlusion: float = field(default=0.0, init=False)
    box_error: float = 0.1
    light: float = 0.5

    @functools.cached_property
    def cameras(self) -> list[tuple[int, int, Camera]]:
        """camera_id, view and camera of all fourteen views; a view and the one 180 degrees on share a camera."""
        return [(place, view, self._camera(view % 180)) for place, view in enumerate(oumvlp.VIEWS, start=1)]

    def _camera(self, azimuth: int) -> Camera:
        rng = self.rng("camera", azimuth)
        camera = sample_camera(rng, self.clutter, self.light)
        return replace(camera, elevation=float(rng.uniform(14, 18)), distance=float(rng.uniform(8, 10)))


def crowd(
    seed: int = 0,
    *,
    num_ids: int = 200,
    num_frames: int = NUM_FRAMES,
    resolution: tuple[int, int] = (64, 44),
    silhouette_size: tuple[int, int] = (32, 22),
    workers: int | None = None,
    progress: bool = True,
    **settings: bool | float,
) -> Benchmark:
    """Render (or find in the cache) a crowd and give its benchmark: 28 tracklets a subject.

    As in OU-MVLP, subjects of odd number are trained on and those of even number tested (of an odd number of subjects
    the last is tested, too). Sequence 0 is the query and sequence 1 the gallery, scored for each pair of views
    (`reidlib.evaluation.cross_view_accuracy`). By default that is 100 and 100 subjects: 2800 tracklets to train on,
    1400 queries, 1400 in the gallery. A tracklet's condition is "nm", its tracklet_id the sequence (0 or 1), its view
    0, 15, …, 90 or 180, 195, …, 270 degrees, its camera_id the place of the view among these, from 1.

    The arguments are those of `reidlib.data.walkers.lab`, but for clothes_change; by default alike=0, light=0.5.

    Raises ValueError for fewer than four identities, a negative severity or a share beyond 0 to 1.
    """
    need_people(num_ids)
    world = Crowd(seed, **settings)
    sightings = list(_sightings(world, num_ids, num_frames))
    train = range(1, num_ids, 2)
    return render_walks("crowd", sightings, train, oumvlp.in_gallery, resolution, silhouette_size, workers, progress)


def _sightings(world: Crowd, num_ids: int, num_frames: int) -> Iterator[Sighting]:
    half = len(world.cameras) // 2
    for index in range(1, num_ids + 1):
        for number in (0, 1):
            yield from world.walk(index, f"forth-{number}", "nm", number, world.cameras[:half], num_frames)
            yield from world.walk(index, f"back-{number}", "nm", number, world.cameras[half:], num_frames)
