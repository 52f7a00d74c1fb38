"""What the rendered gait benchmarks share: people who walk past cameras as they are, with a bag, or in other clothes.

A walk is seen by one camera or by several at once. It lasts 12 frames at 10 a second, 1.2 s, as long as the 30 frames
at 25 a second that gait networks are trained on: a little more than the cycle of an average walker.
"""

from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass, field, replace

from reidlib.data import silhouettes
from reidlib.data.gait import divide
from reidlib.data.tracklets import Benchmark, Tracklet, fingerprint, outline
from reidlib.data.walkers.cameras import Camera
from reidlib.data.walkers.packed import RENDERER, Sighting, pack
from reidlib.data.walkers.scene import Occluder, Person, Scene, sample_box_error
from reidlib.data.walkers.wardrobe import STREET, Wardrobe, change_clothes
from reidlib.data.walkers.worlds.world import World

NUM_FRAMES = 12
FPS = 10.0
BAGS = ("backpack", "shoulder_bag", "hand_bag")
EMPTY_HANDED = replace(STREET, coats=0.0, backpack=0.0, shoulder_bag=0.0, hand_bag=0.0, hat=0.0)
HEADING = 2.0  # degrees, standard deviation of a walk's direction about the path


@dataclass(frozen=True)
class WalkWorld(World):
    """A world whose people walk under the conditions of CASIA-B: "nm", "bg" with a bag and "cl" in other clothes.

    Nobody has a bag or a coat of their own. A person has one bag and one change of clothes, whatever the walk. Where
    everybody looks alike, everybody has the same bag and changes into the same clothes.
    """

    wardrobe: Wardrobe = field(default=EMPTY_HANDED, init=False)

    def walker(self, index: int, condition: str, walk: str) -> Person:
        """Person `index` under a condition on the walk of that name: gait differs from walk to walk."""
        person = self.identity(index)
        owner = 0 if self.same_appearance else index
        outfit = person.outfit
        if condition == "bg":
            outfit = replace(outfit, **{str(self.rng("bag", owner).choice(BAGS)): True})
        elif condition == "cl":
            outfit = change_clothes(outfit, self.rng("clothes", owner), self.clothes_change, self.wardrobe)
        return self.dressed(person, outfit, self.rng(f"gait {walk}", index))

    def walk(
        self,
        index: int,
        name: str,
        condition: str,
        number: int,
        seen_by: Sequence[tuple[int, int, Camera]],
        num_frames: int,
        occluders: tuple[Occluder, ...] = (),
    ) -> Iterator[Sighting]:
        """The tracklets of one walk of person `index`, one for each camera that sees it, all at once.

        name: no other walk of the person is called so. condition: the tracklets', whose last word ("nm", "bg", "cl")
        says how the person is dressed. number: their tracklet_id. seen_by: camera_id, view in degrees (but for a small
        error of the walk) and camera, for each.
        """
        person = self.walker(index, condition.split("-")[-1], name)
        rng = self.rng(f"walk {name}", index)
        phase, heading = float(rng.random()), float(rng.normal(0.0, HEADING))
        for camera_id, view, camera in seen_by:
            rng = self.rng(f"box {name}", index, view)
            scene = Scene(
                person=person,
                camera=camera,
                view=view + heading,
                num_frames=num_frames,
                fps=FPS,
                phase=phase,
                place=float(rng.random()),
                box_error=sample_box_error(rng, self.box_error),
                occluders=occluders,
                seed=int(rng.integers(1 << 31)),
            )
            yield Sighting(index, camera_id, number, (scene,), view, condition)


def need_people(num_ids: int) -> None:
    """ValueError for fewer identities than a benchmark needs."""
    if num_ids < 4:
        raise ValueError(f"num_ids={num_ids}: expected at least 4, two to train and two to search")


def render_walks(
    name: str,
    sightings: Sequence[Sighting],
    train: Collection[int],
    in_gallery: Callable[[Tracklet], bool],
    resolution: tuple[int, int],
    silhouette_size: tuple[int, int],
    workers: int | None,
    progress: bool,
) -> Benchmark:
    """The benchmark of these sightings under the protocol "all", every tracklet with its aligned silhouettes.

    train: the identities to train on; of the others, what is `in_gallery` is gallery and the rest queries. Other
    arguments are those of `lab`. The fingerprint covers frames, part maps, the silhouettes' size and all labels.
    """
    tracklets, content = pack(name, sightings, resolution, workers, progress)
    tracklets = silhouettes.pack(tracklets, content, silhouette_size, workers, progress)
    benchmark = divide(tracklets, train, in_gallery, name, content)
    labels = [outline(part) for part in (benchmark.train, benchmark.query, benchmark.gallery)]
    digest = fingerprint(content, repr(silhouette_size), *labels)
    return replace(benchmark, fingerprint=digest, renderer=RENDERER)
