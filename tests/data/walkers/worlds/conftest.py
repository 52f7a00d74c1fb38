"""Plans of the rendered worlds: everything but the pictures."""

import functools

import pytest

from reidlib.data import Tracklet
from reidlib.data.walkers.worlds import outdoors, walks


@functools.cache
def _plan(world, *arguments, **options):
    def pack(name, sightings, resolution, workers, progress):
        labels = ("person_id", "camera_id", "tracklet_id", "view", "condition", "attributes")
        found = [Tracklet(source=_Planned(s), **{label: getattr(s, label) for label in labels}) for s in sightings]
        return found, repr([s.scenes for s in sightings])

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(walks, "pack", pack)
        patch.setattr(outdoors, "pack", pack)
        patch.setattr(walks.silhouettes, "pack", lambda tracklets, *_: tracklets)
        return world(*arguments, **options)


class _Planned:
    """What stands for a tracklet's frames: the scenes they would be rendered of."""

    def __init__(self, sighting):
        self.scenes, self._length = sighting.scenes, sighting.num_frames

    def __len__(self):
        return self._length


@pytest.fixture
def plan():
    """`plan(lab, seed, **options)`: the benchmark with its scenes as `tracklet.source.scenes`, nothing rendered."""
    return _plan


def _every(*benchmarks):
    found = (t for b in benchmarks for part in (b.train, b.query, b.gallery) for t in part)
    return list({id(t): t for t in found}.values())


@pytest.fixture
def every():
    """`every(benchmark, …)`: all tracklets, once."""
    return _every


@pytest.fixture
def scenes():
    """`scenes(benchmark)`: {(person, camera, number): scenes} of all tracklets of a plan."""

    def found(benchmark):
        sources = {(t.person_id, t.camera_id, t.tracklet_id): t.source for t in _every(benchmark)}
        return {key: getattr(source, "source", source).scenes for key, source in sources.items()}  # a still has its own

    return found
