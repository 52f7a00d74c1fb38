"""`street`: a rendered benchmark that follows MARS in identities, cameras, tracklets, labels and protocol.

As in MARS, a person is seen by one to six cameras, several times by most; of whoever is seen by two or more, one
tracklet under each camera is a query. So a person whose other cameras saw them only once leaves a query without a match
("usual" set-up), which returning the queries to the gallery mends ("mixing"). The gallery also holds distractors
(identity 0) and, on request, junk (−1). Identities carry the columns of MARS's annotation, with motion as skewed as
there; the quality flags say what the scene holds, so occlusion and company are more frequent than MARS's annotators
found them. Frequencies named MARS_… are counted from the published split and attribute files.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Literal

from reidlib.data.tracklets import Benchmark
from reidlib.data.walkers.packed import Sighting
from reidlib.data.walkers.worlds import outdoors
from reidlib.data.walkers.worlds.outdoors import Outdoors, passage

MARS_CAMERAS_PER_ID = (0.011, 0.345, 0.307, 0.214, 0.086, 0.037)  # one to six
MARS_CAMERA_USE = (0.223, 0.236, 0.165, 0.087, 0.211, 0.078)  # share of tracklets
MARS_MOTIONS = (0.897, 0.004, 0.009, 0.088, 0.002)  # in the order of MOTIONS
MARS_DISTRACTORS, MARS_JUNK = 0.53, 0.14  # for each gallery tracklet of an identity
MARS_SLIPS = {"target-change": 0.0127, "target-miss": 0.0009, "wrong-target": 0.0015}
MARS_CARRIED_CHANGES = {"hand_bag": 0.036, "shoulder_bag": 0.010, "backpack": 0.009}  # chance under each camera
TRAIN_SHARE = 150 / 400
TRACKLETS_PER_CAMERA = (0.22, 0.38, 0.25, 0.15)  # one to four; MARS has 4.1 on average, a fifth of them single


@dataclass(frozen=True)
class Street(Outdoors):
    """The world of a street: six cameras, under each of which people carry, and may wear, something else."""

    name: str = field(default="", init=False)
    alike: float = 0.5
    occlusion: float = 1.5
    light: float = 1.5

    camera_use = MARS_CAMERA_USE
    motions = MARS_MOTIONS
    slips = MARS_SLIPS
    carried_changes = MARS_CARRIED_CHANGES


def street(
    seed: int = 0,
    setup: Literal["usual", "mixing"] = "usual",
    *,
    num_ids: int = 400,
    resolution: tuple[int, int] = (64, 32),
    junk: bool = False,
    workers: int | None = None,
    progress: bool = True,
    **settings: bool | float,
) -> Benchmark:
    """Render (or find in the cache) a street and give its benchmark; 150 of 400 identities, or their share, train.

    seed draws the people, cameras and tracklets. setup: "usual" (gallery without the queries) or "mixing" (gallery with
    them); both under the cross-camera protocol. resolution: (height, width) in pixels. junk: keep identity −1 in the
    gallery. workers: rendering processes; the bytes do not depend on it. The fingerprint covers frames, part maps and
    all labels.

    settings: twins and severities. Twins: same_gait (everybody has one gait, in a body of their own), same_body
    (everybody has one body, but for what gender and age change, and a gait of their own), same_appearance (everybody
    wears and carries the same). alike: the share of the people, 0 to 1, whose top, coat and bottoms about seven others
    wear as well (0.5).

    Severities, 0 is none and 1 the default unless said: gait_variation (from tracklet to tracklet of a person),
    clothes_change (other clothes under each camera; 0), clutter (of the background), occlusion (things and people in
    the way; 1.5), box_error (of the detector), light (how much light, colour and sensor differ between cameras, and
    light a little between tracklets; 1.5).

    Raises ValueError for an unknown set-up, fewer than ten identities, a negative severity or a share beyond 0 to 1,
    and TypeError for an unknown setting.
    """
    if setup not in ("usual", "mixing"):
        raise ValueError(f'setup={setup!r}: expected "usual" or "mixing"')
    if num_ids < 10:
        raise ValueError(f"num_ids={num_ids}: expected at least 10, four to train and six to search")
    world = Street(seed, **settings)
    last_train = round(TRAIN_SHARE * num_ids)
    train_people, test_people = range(1, last_train + 1), range(last_train + 1, num_ids + 1)
    crowd = range(num_ids + 1, 2 * num_ids + 1)  # people who are nobody's match
    train, test = list(_sightings(world, train_people)), list(_sightings(world, test_people))
    is_query = _queries(world, test)
    gallery_size = len(test) - sum(is_query)
    distractors = list(outdoors.distractors(world, round(MARS_DISTRACTORS * gallery_size), crowd))
    rejects = list(outdoors.junk(world, round(MARS_JUNK * gallery_size), test_people))

    parts = (train, test, distractors, rejects)
    (train, test, distractors, rejects), content = outdoors.render_parts("street", parts, resolution, workers, progress)
    query = [t for t, chosen in zip(test, is_query) if chosen]
    gallery = [t for t, chosen in zip(test, is_query) if setup == "mixing" or not chosen]
    gallery += distractors + (rejects if junk else [])
    return outdoors.benchmark("street", content, train, query, gallery)


def _sightings(world: Street, people: range) -> Iterator[Sighting]:
    """Every sighting of some identities; whoever else is in the picture is one of them."""
    for index in people:
        rng = world.rng("sightings", index)
        count = 1 + rng.choice(6, p=MARS_CAMERAS_PER_ID)
        number = 0
        for camera in sorted(rng.choice(6, count, replace=False, p=MARS_CAMERA_USE).tolist()):
            for _ in range(1 + rng.choice(len(TRACKLETS_PER_CAMERA), p=TRACKLETS_PER_CAMERA)):
                number += 1
                yield passage(world, index, camera, number, people, index)


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
