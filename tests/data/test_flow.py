"""The true flow: rendered once, the same numbers as when it is rendered on demand, and nothing else changed."""

import numpy as np
import pytest

from reidlib.data.flow import pack_flow
from reidlib.data.walkers import packed
from reidlib.data.walkers.packed import Sighting
from reidlib.data.walkers.scene import Scene

SIZE = (32, 16)


pytestmark = pytest.mark.usefixtures("cache")


@pytest.fixture
def tracklets():
    """One of one scene and one of two."""
    scenes = tuple(Scene(num_frames=n, seed=n, view=90) for n in (5, 6, 7))
    sightings = [Sighting(1, 1, 1, scenes[:1]), Sighting(2, 1, 1, scenes[1:])]
    return packed.pack("test", sightings, SIZE, workers=1, progress=False)[0]


@pytest.mark.parametrize("kind", ["flow", "fixed_flow"])
def test_what_is_packed_is_what_is_rendered(tracklets, kind):
    for one, other in zip(tracklets, pack_flow(tracklets, kind, workers=1, progress=False)):
        found = other.truth(kind, [4, 0, 2])
        assert found.shape == (3, 2, *SIZE) and found.dtype == np.float32
        assert (found == one.truth(kind, [4, 0, 2])).all() and np.abs(found).max() > 0.1
        assert len(other) == len(one) and other.person_id == one.person_id
        for what in ("frames", "masks"):
            assert (getattr(other, what)([1, 3]) == getattr(one, what)([1, 3])).all()
        assert (other.truth("parts", [1]) == one.truth("parts", [1])).all()


def test_each_kind_is_rendered_once(tracklets, cache, monkeypatch):
    first = pack_flow(tracklets, workers=1, progress=False)
    monkeypatch.setattr(packed, "render", None)  # nothing can be rendered now
    again = pack_flow(tracklets, workers=1, progress=False)
    assert all((a.truth("flow") == b.truth("flow")).all() for a, b in zip(first, again))
    assert len(list((cache / "flow").glob("*.npy"))) == 1
    with pytest.raises(TypeError):
        pack_flow(tracklets, "fixed_flow", workers=1, progress=False)


def test_recorded_tracklets_have_none(make_tracklet):
    with pytest.raises(KeyError, match="tracklet 3 of person 7 is not rendered: no flow"):
        pack_flow([make_tracklet(7, 1, tracklet_id=3)])
