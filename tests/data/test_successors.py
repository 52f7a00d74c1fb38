"""Successors in fixed windows: rendered once, the same bytes as when rendered on demand, refused where unknown."""

import os
import pickle
from dataclasses import replace

import numpy as np
import pytest
import torch

from reidlib.data.batches import evaluation_batches, train_batches
from reidlib.data.clips import read_clip
from reidlib.data.successors import pack_successors, recut
from reidlib.data.walkers import compose, exact, packed
from reidlib.data.walkers.packed import Sighting
from reidlib.data.walkers.scene import Scene

SIZE = (32, 16)


pytestmark = pytest.mark.usefixtures("cache")


@pytest.fixture
def tracklets():
    """One of one scene, one of two, and one more of the first person, all of them walking to the left or right."""
    scenes = [Scene(num_frames=n, seed=n, view=90 + 180 * (n % 2), place=0.1 * n) for n in (6, 7, 8, 9)]
    sightings = [Sighting(1, 1, 1, scenes[:1]), Sighting(2, 1, 1, scenes[1:3]), Sighting(1, 2, 1, scenes[3:])]
    sightings = [replace(sighting, scenes=tuple(sighting.scenes)) for sighting in sightings]
    return packed.pack("test", sightings, SIZE, workers=1, progress=False)[0]


def pack(tracklets, count=2, time_step=3):
    return pack_successors(tracklets, count, time_step, workers=1, progress=False)


def test_what_is_packed_is_what_is_rendered(tracklets):
    for one, other in zip(tracklets, pack(tracklets)):
        indices = [len(one) - 1, 0, 3]
        found = other.later(indices, 2, 3)
        assert found.shape == (3, 2, 3, *SIZE) and found.dtype == np.uint8
        assert (found == one.later(indices, 2, 3)).all()
        clip = read_clip(other, np.array(indices), next_frames=2, time_step=3, windows="fixed")
        assert (clip.next_frames == found).all() and (clip.frames == one.frames(indices)).all()
        with pytest.raises(ValueError, match="count=1, time_step=3: expected 2 and 3"):
            other.later(indices, 1, 3)


def test_every_scene_has_its_own_successors_and_its_last_frame_for_those_that_are_missing(tracklets):
    found = tracklets[1].later(np.arange(15), 2, 3)
    scenes = [Scene(num_frames=n, seed=n, view=90 + 180 * (n % 2), place=0.1 * n) for n in (7, 8)]
    for number, ahead in enumerate((3, 6)):
        rendered = np.concatenate([compose.later_frames(scene, SIZE, ahead) for scene in scenes])
        assert (found[:, number] == rendered).all()


def test_they_are_rendered_once(tracklets, cache, monkeypatch):
    first = pack(tracklets)
    [file] = (cache / "successors").glob("*.npy")
    monkeypatch.setattr(packed, "later_frames", None)  # nothing can be rendered now
    again = pack(tracklets)
    assert all((a.later([0], 2, 3) == b.later([0], 2, 3)).all() for a, b in zip(first, again))
    assert [one.person_id for one in again] == [1, 2, 1] and os.listdir(cache / "successors").count(file.name) == 1
    for other in ((tracklets, 1, 3), (tracklets, 2, 1), (tracklets[::-1], 2, 3)):
        with pytest.raises(TypeError):
            pack(*other)


def test_they_travel_to_loader_workers_by_the_name_of_their_file(tracklets):
    one = pack(tracklets)[1]
    data = pickle.dumps(one)
    assert len(data) < 20_000
    assert (pickle.loads(data).later([2], 2, 3) == one.later([2], 2, 3)).all()


def test_batches_hold_them_and_the_street_stands_still(tracklets):
    options = {"num_frames": 3, "next_frames": 1, "time_step": 2}
    [fixed] = evaluation_batches(tracklets, batch_size=3, windows="fixed", **options)
    [tracked] = evaluation_batches(tracklets, batch_size=3, **options)
    assert torch.equal(fixed.frames, tracked.frames) and fixed.next_frames.shape == tracked.next_frames.shape
    edge = (..., slice(0, SIZE[0] // 2), slice(0, 3))  # beside the person, above the shadow
    moved = [(batch.next_frames[:, :, 0] - batch.frames)[edge].abs().median() for batch in (fixed, tracked)]
    assert moved[0] < 0.5 * moved[1]
    for number, tracklet in enumerate(tracklets):
        indices = (2 * np.arange(3) + 1) * (len(tracklet) - 2) // 6
        expected = torch.from_numpy(tracklet.later(indices, 1, 2)) / 255
        assert torch.equal(fixed.next_frames[number], expected)
    training = {"ids_per_batch": 2, "clips_per_id": 1, "iterations": 2, "seed": 0, "windows": "fixed"}
    for batch in train_batches(tracklets, **training, **options):
        assert batch.next_frames.shape == (2, 3, 1, 3, *SIZE) and batch.labels.tolist() in ([0, 1], [1, 0])


def test_recorded_data_are_refused_and_so_is_nonsense(tracklets, make_tracklet):
    recorded = make_tracklet(7, 1, tracklet_id=3)
    with pytest.raises(ValueError, match="tracklet 3 of person 7.*recorded data have tracked boxes only"):
        evaluation_batches([*tracklets, recorded], num_frames=1, batch_size=1, next_frames=1, windows="fixed")
    with pytest.raises(ValueError, match="tracklet 3 of person 7.*tracked boxes only"):
        read_clip(recorded, np.array([0]), next_frames=1, windows="fixed")
    with pytest.raises(ValueError, match="next_frames=0.*ask for these"):
        evaluation_batches(tracklets, num_frames=1, batch_size=1, windows="fixed")
    with pytest.raises(ValueError, match="windows='still': expected 'tracked' or 'fixed'"):
        read_clip(recorded, np.array([0]), next_frames=1, windows="still")
    with pytest.raises(ValueError, match="windows='still': expected 'tracked' or 'fixed'"):
        evaluation_batches(tracklets, num_frames=1, batch_size=1, next_frames=1, windows="still")


def test_a_map_is_cut_with_another_box_by_hand():
    labels = np.zeros((3, 4, 4), np.uint8)
    labels[:, 1, 2], labels[:, 3, 3] = 5, 7
    own = np.array([[10.0, 20.0, 4.0]] * 3)
    other = np.array([[11.0, 20.0, 4.0], [10.0, 21.0, 4.0], [10.0, 20.0, 2.0]])  # right, down, half as large
    right, down, near = recut(labels, own, other)
    assert right.tolist() == [[0, 0, 0, 0], [0, 5, 0, 0], [0, 0, 0, 0], [0, 0, 7, 0]]
    assert down.tolist() == [[0, 0, 5, 0], [0, 0, 0, 0], [0, 0, 0, 7], [0, 0, 0, 0]]
    assert near.tolist() == [[0, 0, 5, 5], [0, 0, 5, 5], [0, 0, 0, 0], [0, 0, 0, 0]]
    assert (recut(labels, own, own) == labels).all()
    again = recut(recut(labels, 2 * own, 2 * other)[:2], 2 * other[:2], 2 * own[:2])  # pixels of another size
    assert (again[:, :3] == labels[:2, :3]).all()


def test_people_are_where_they_are_in_fixed_windows(tracklets):
    """As they are in the picture that is rendered with the earlier frame's box."""
    [one], size = [t for t in tracklets if len(t) == 6], (32, 16)
    scene = exact.settled(one.later.scenes[0])
    for ahead in (1, 3):
        canvas = compose._Canvas(scene, size, ahead=ahead)
        canvas.paint_everybody()
        true = canvas.parts[:-ahead] > 0
        parts, box = one.truth("parts"), one.truth("box")
        found = recut(parts[ahead:], box[ahead:], box[:-ahead]) > 0
        still = parts[ahead:] > 0
        overlap, without = ((maps & true).sum() / (maps | true).sum() for maps in (found, still))
        assert overlap > 0.85 and overlap > without + 0.1
