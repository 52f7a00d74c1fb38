"""`pair`: a rendered benchmark that follows iLIDS-VID and PRID-2011: two cameras, a tracklet of each person under each.

Half of the persons are trained on; of the others, the tracklets under camera 1 are the queries and those under camera 2
the gallery, and all pairs count. Ten random halvings, `two_cameras.drawn_splits`, belong to one world; scores are means
over them. iLIDS-VID has 300 persons, as many as here by default, PRID-2011 178 who take part.

Both cameras watch travellers, but from other sides and heights and in other light: camera 1 from low down, people come
towards it and walk away, in bright warm light; camera 2 from high up, they cross its picture, in dim cold light. As in
iLIDS-VID, the background is busy and people and things are often in the way; PRID-2011 is rather
`pair(clutter=0.4, occlusion=0.1)`. The real ones have no attributes; these carry those of `street`, MARS's columns.
"""

from dataclasses import dataclass, field, replace

import numpy as np

from reidlib.data.tracklets import Benchmark
from reidlib.data.two_cameras import drawn_splits, split_benchmark
from reidlib.data.walkers.cameras import Camera, blend, sample_camera
from reidlib.data.walkers.wardrobe import Wardrobe
from reidlib.data.walkers.worlds import outdoors
from reidlib.data.walkers.worlds.outdoors import Outdoors, passage
from reidlib.data.walkers.worlds.wardrobes import PAIR


@dataclass(frozen=True)
class Pair(Outdoors):
    """The world of two cameras. camera_gap: how far apart their sides, heights and light are, 0 (no gap) to 1; their
    light differs by camera_gap × light."""

    name: str = field(default="pair ", init=False)
    alike: float = 0.25
    clutter: float = 1.3
    wardrobe: Wardrobe = field(default=PAIR, init=False)

    camera_gap: float = 1.0

    camera_use = (0.5, 0.5)

    def __post_init__(self) -> None:
        super().__post_init__()
        if not 0 <= self.camera_gap <= 1:
            raise ValueError(f"camera_gap={self.camera_gap}: expected 0 to 1")

    def camera(self, number: int) -> Camera:
        """Low, bright and warm, or high, dim and cold."""
        side, rng = self.camera_gap * (1, -1)[number], self.rng("place", number)
        camera = sample_camera(self.rng("camera", number), self.clutter, self.camera_gap * self.light)
        bright = self.light * side
        cast = np.exp(bright * np.array([0.09, 0.0, -0.09]))
        return replace(
            camera,
            elevation=float(14 - 10 * side + rng.uniform(-1, 1)),
            distance=float(9 - 3 * side + rng.uniform(-1, 1)),
            gain=float(np.exp(0.08 + 0.2 * bright)),
            cast=tuple(float(c) for c in cast),
            saturation=blend(0.85, 0.85 + 0.15 * side, self.light),
        )

    def path(self, number: int) -> float:
        """Towards camera 1, across the picture of camera 2."""
        return 45.0 - 40.0 * self.camera_gap * (1, -1)[number]


def pair(seed: int = 0, split: int = 0, **options) -> Benchmark:
    """One of the ten benchmarks of `pair_splits(seed, **options)`.

    Raises ValueError for a split that is not 0 to 9, or as `pair_splits`.
    """
    splits = pair_splits(seed, **options)
    if not 0 <= split < len(splits):
        raise ValueError(f"split={split}: expected 0 to {len(splits) - 1}, the number of one of the splits")
    return splits[split]


def pair_splits(
    seed: int = 0,
    *,
    num_ids: int = 300,
    resolution: tuple[int, int] = (64, 32),
    workers: int | None = None,
    progress: bool = True,
    **settings: bool | float,
) -> list[Benchmark]:
    """Render (or find in the cache) two cameras' tracklets and give the ten benchmarks, of the same tracklets.

    seed draws the people, cameras and tracklets. num_ids: persons; each has two tracklets of 10 to 20 frames.
    resolution, workers and settings: as `street`; by default alike=0.25, clutter=1.3. One more is camera_gap (1): how
    far apart the cameras' sides, heights and light are, 0 to 1; their light differs by camera_gap × light. A
    fingerprint covers frames, part maps and all labels.

    Raises ValueError for fewer than four identities, a negative severity, or a gap or share beyond 0 to 1.
    """
    if num_ids < 4:
        raise ValueError(f"num_ids={num_ids}: expected at least 4, two to train and two to search")
    world = Pair(seed, **settings)
    people = range(1, num_ids + 1)
    parts = [[passage(world, person, camera, 1, people, person) for person in people] for camera in (0, 1)]
    tracklets, content = outdoors.render_parts("pair", parts, resolution, workers, progress)
    cameras = tuple({t.person_id: t for t in part} for part in tracklets)
    halvings = drawn_splits(people)
    splits = [split_benchmark(cameras, halvings, number, "pair") for number in range(len(halvings))]
    return [outdoors.benchmark(b.name, content, b.train, b.query, b.gallery, b.protocol) for b in splits]
