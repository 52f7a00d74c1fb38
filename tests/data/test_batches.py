"""Batches: who is in them, what is in them, and that they depend on seed and number alone."""

from collections import Counter

import numpy as np
import pytest
import torch

from reidlib.data.batches import evaluation_batches, train_batches
from reidlib.data.clips import evenly_spaced
from reidlib.data.silhouettes import pack
from reidlib.data.transforms import Chain


@pytest.fixture
def tracklets(make_tracklet):
    """Seven identities (not 1 to 7) with one to three tracklets, between distractors and junk."""
    people = [
        make_tracklet(
            person,
            camera,
            length=3 + camera,
            tracklet_id=camera,
            view=90 * camera,
            condition=f"c{camera}",
            attributes={"hat": person % 2, "age": camera},
        )
        for number, person in enumerate((3, 5, 8, 13, 21, 34, 55))
        for camera in range(1, 2 + number % 3)
    ]
    return [make_tracklet(0, 1), *people, make_tracklet(-1, 2)]


SETTINGS = {"ids_per_batch": 3, "clips_per_id": 2, "num_frames": 4, "iterations": 6, "seed": 0}


def equal(one, other):
    """Whether two batches hold the same bytes."""
    names = ("frames", "masks", "next_frames", "tracklets", "person_ids", "camera_ids", "views", "labels")
    same = all(torch.equal(getattr(one, name), getattr(other, name)) for name in names)
    same = same and one.conditions == other.conditions
    for name in ("attributes", "truth"):
        ours, theirs = getattr(one, name), getattr(other, name)
        same = same and ours.keys() == theirs.keys() and all(torch.equal(ours[k], theirs[k]) for k in ours)
    return same


def everything(tracklets, **changes):
    """Batches with all fields."""
    extras = {"transform": Chain(), "masks": True, "next_frames": True, "truth": ("parts",)}
    return list(train_batches(tracklets, **SETTINGS | extras | changes))


def test_a_batch_holds_p_identities_with_k_clips_each(tracklets):
    batches = list(train_batches(tracklets, **SETTINGS))
    assert len(batches) == len(train_batches(tracklets, **SETTINGS)) == 6
    for batch in batches:
        assert len(batch) == 6
        people = batch.person_ids.tolist()
        assert people == sorted(people, key=people.index)  # the clips of an identity stand together
        assert list(Counter(people).values()) == [2, 2, 2]
        assert min(people) > 0
        for clip, position in enumerate(batch.tracklets.tolist()):
            chosen = tracklets[position]
            assert people[clip] == chosen.person_id
            assert batch.labels[clip] == [3, 5, 8, 13, 21, 34, 55].index(chosen.person_id)
            assert batch.camera_ids[clip] == chosen.camera_id
            assert batch.views[clip] == chosen.view
            assert batch.conditions[clip] == chosen.condition
            assert batch.attributes["hat"][clip] == chosen.attributes["hat"]


def test_every_identity_comes_once_before_any_comes_again(tracklets):
    batches = list(train_batches(tracklets, **SETTINGS | {"ids_per_batch": 2, "iterations": 30}))
    for start in range(0, 30, 3):  # three batches of two leave out one of the seven
        seen = [person for batch in batches[start : start + 3] for person in set(batch.person_ids.tolist())]
        assert len(set(seen)) == 6
    everybody = Counter(p for batch in batches for p in set(batch.person_ids.tolist()))
    assert len(everybody) == 7


def test_clips_of_an_identity_come_from_different_tracklets_where_there_are_enough(tracklets):
    owned = Counter(t.person_id for t in tracklets)
    for clips_per_id in (2, 3, 5):
        for batch in train_batches(tracklets, **SETTINGS | {"clips_per_id": clips_per_id}):
            used = Counter(batch.tracklets.tolist())
            for position, count in used.items():
                available = owned[tracklets[position].person_id]
                assert count <= -(-clips_per_id // available)


def test_pixels_are_scaled_and_belong_to_their_tracklets(tracklets):
    batches = train_batches(tracklets, **SETTINGS, sampling="even", masks=True, truth=("parts",))
    for batch in batches:
        assert batch.frames.shape == (6, 4, 3, 16, 8)
        assert batch.frames.dtype == torch.float32
        assert batch.masks.shape == (6, 4, 1, 16, 8)
        for clip, position in enumerate(batch.tracklets.tolist()):
            chosen = tracklets[position]
            indices = evenly_spaced(len(chosen), 4)
            expected = torch.from_numpy(chosen.frames(indices)) / 255
            assert torch.equal(batch.frames[clip], expected)
            assert torch.equal(batch.masks[clip], torch.from_numpy(chosen.masks(indices)).float())
            assert torch.equal(batch.truth["parts"][clip], torch.from_numpy(chosen.truth("parts", indices)))


def test_next_frames_are_true_successors(tracklets):
    batches = train_batches(tracklets, **SETTINGS | {"iterations": 20}, next_frames=True)
    for batch in batches:
        for clip, position in enumerate(batch.tracklets.tolist()):
            whole = (torch.from_numpy(tracklets[position].frames()) / 255).flatten(1)
            shown = torch.cdist(batch.frames[clip].flatten(1), whole).argmin(dim=1)
            follows = torch.cdist(batch.next_frames[clip].flatten(1), whole).argmin(dim=1)
            assert torch.equal(follows, shown + 1)


def test_what_is_not_asked_for_is_none(tracklets):
    batch = next(iter(train_batches(tracklets, **SETTINGS)))
    assert batch.masks is batch.next_frames is batch.silhouettes is None
    assert batch.truth == {}


def test_batches_do_not_depend_on_workers(tracklets):
    ours, theirs = everything(tracklets), everything(tracklets, workers=2)
    assert len(ours) == len(theirs) == 6
    assert all(map(equal, ours, theirs))


def test_a_run_resumes_at_any_batch(tracklets):
    whole = everything(tracklets)
    for start in (1, 4):
        rest = everything(tracklets, start=start)
        assert len(rest) == 6 - start
        assert all(map(equal, rest, whole[start:]))


def test_batches_differ_by_number_and_seed(tracklets):
    ours, theirs = everything(tracklets), everything(tracklets, seed=1)
    assert not any(map(equal, ours, theirs))
    assert not any(map(equal, ours[1:], ours))


@pytest.mark.parametrize("workers", [0, 1])
def test_the_global_random_state_is_left_alone(tracklets, workers):
    torch.manual_seed(0)
    np.random.seed(0)  # noqa: NPY002
    before = torch.get_rng_state(), np.random.get_state()[1].copy()  # noqa: NPY002
    everything(tracklets, workers=workers)
    assert torch.equal(torch.get_rng_state(), before[0])
    assert (np.random.get_state()[1] == before[1]).all()  # noqa: NPY002


def test_every_batch_draws_its_clips_anew(make_tracklet):
    tracklets = [make_tracklet(person, 1, length=40) for person in (1, 2)]
    settings = SETTINGS | {"ids_per_batch": 2, "clips_per_id": 1, "iterations": 10}
    clips = {b.frames[b.person_ids == 1].numpy().tobytes() for b in train_batches(tracklets, **settings)}
    assert len(clips) == 10


def test_too_few_identities_are_refused(tracklets):
    with pytest.raises(ValueError, match="ids_per_batch=8: there are only 7 identities"):
        train_batches(tracklets, **SETTINGS | {"ids_per_batch": 8})


def test_evaluation_batches_give_every_tracklet_once(tracklets):
    batches = list(evaluation_batches(tracklets, num_frames=4, batch_size=4))
    assert [len(batch) for batch in batches] == [4, 4, 4, 3]
    positions = torch.cat([batch.tracklets for batch in batches])
    assert positions.tolist() == list(range(len(tracklets)))
    people = torch.cat([batch.person_ids for batch in batches]).tolist()
    assert people == [t.person_id for t in tracklets]  # distractors and junk included
    assert batches[0].labels is None
    assert batches[0].attributes["age"].tolist()[:2] == [-1, 1]  # a distractor is not annotated
    frames = torch.cat([batch.frames for batch in batches])
    for clip, tracklet in zip(frames, tracklets):
        expected = torch.from_numpy(tracklet.frames(evenly_spaced(len(tracklet), 4))) / 255
        assert torch.equal(clip, expected)


def test_dense_batches_show_every_frame_of_every_tracklet(make_tracklet):
    tracklets = [make_tracklet(1, 1, length=7), make_tracklet(2, 1, length=2), make_tracklet(3, 2, length=4)]
    batches = list(evaluation_batches(tracklets, num_frames=3, batch_size=2, sampling="dense"))
    positions = torch.cat([batch.tracklets for batch in batches])
    assert positions.tolist() == [0, 0, 0, 1, 2, 2]
    frames = (torch.cat([batch.frames for batch in batches]) * 255).round().byte()
    for position, tracklet in enumerate(tracklets):
        shown = {frame.numpy().tobytes() for frame in frames[positions == position].flatten(0, 1)}
        assert shown == {frame.tobytes() for frame in tracklet.frames()}


def test_evaluation_batches_refuse_other_sampling(tracklets):
    with pytest.raises(ValueError, match="expected 'even' or 'dense'"):
        evaluation_batches(tracklets, num_frames=4, batch_size=5, sampling="random")


def test_a_batch_moves_to_a_device_with_all_that_is_in_it(tracklets):
    batch = everything(tracklets)[0].to("meta")
    tensors = [batch.frames, batch.masks, batch.labels, batch.attributes["hat"], batch.truth["parts"]]
    assert {tensor.device.type for tensor in tensors} == {"meta"}
    assert isinstance(batch.conditions, tuple)
    assert batch.silhouettes is None


@pytest.fixture
def walks(make_walk):
    """Four identities with two walks each, their silhouettes packed."""
    tracklets = [make_walk(p, v, "nm", 1, length=6 + p) for p in (1, 2, 3, 4) for v in (0, 90)]
    return pack(tracklets, "walks", workers=1, progress=False)


def starts(clip, tracklet):
    """The frames that a run of consecutive silhouettes may start at; it goes round at the end."""
    whole = torch.from_numpy(tracklet.silhouettes()).float()
    n = len(tracklet)
    return [s for s in range(n) if torch.equal(clip, whole[(s + torch.arange(len(clip))) % n])]


@pytest.mark.parametrize("num_frames", [0, 3])
@pytest.mark.parametrize("count", [5, 12])
def test_silhouettes_are_consecutive_and_the_tracklets_own(walks, num_frames, count):
    settings = SETTINGS | {"num_frames": num_frames, "iterations": 10}
    seen = set()
    for batch in train_batches(walks, **settings, silhouettes=count):
        assert batch.silhouettes.shape == (6, count, 64, 44)
        assert (batch.frames is None) == (num_frames == 0)
        assert len(batch) == len(batch.labels) == 6
        for clip, position in zip(batch.silhouettes, batch.tracklets.tolist()):
            possible = starts(clip, walks[position])
            assert possible
            seen |= set(possible)
    assert (len(seen) > 3) == (count == 5)  # one longer than the tracklet starts at frame 0
    with pytest.raises(ValueError, match="silhouettes are not transformed"):
        train_batches(walks, **settings | {"num_frames": 0}, silhouettes=count, transform=Chain())


def test_silhouettes_do_not_depend_on_workers_and_leave_frames_as_they_are(walks):
    one, two = (list(train_batches(walks, **SETTINGS, silhouettes=5, workers=w)) for w in (0, 2))
    without = list(train_batches(walks, **SETTINGS, sampling="even"))
    even = list(train_batches(walks, **SETTINGS, sampling="even", silhouettes=4))
    assert all(torch.equal(a.silhouettes, b.silhouettes) and equal_frames(a, b) for a, b in zip(one, two))
    assert without[0].silhouettes is None
    assert equal_frames(without[0].to("cpu"), even[0].to("cpu"))


def equal_frames(one, other):
    shared = sorted(set(one.tracklets.tolist()) & set(other.tracklets.tolist()))
    places = [[batch.tracklets.tolist().index(position) for position in shared] for batch in (one, other)]
    return bool(shared) and torch.equal(one.frames[places[0]], other.frames[places[1]])


def test_test_silhouettes(walks):
    even = next(iter(evaluation_batches(walks, num_frames=2, batch_size=8, silhouettes=5)))
    for clip, tracklet in zip(even.silhouettes, walks):
        assert (len(tracklet) - 5) // 2 in starts(clip, tracklet)
    [gait] = evaluation_batches(walks[:2], num_frames=0, batch_size=99, sampling="dense", silhouettes=4)
    assert gait.frames is None
    assert gait.tracklets.tolist() == [0, 0, 1, 1]  # seven frames in two windows
    assert [0 in starts(gait.silhouettes[0], walks[0]), 3 in starts(gait.silhouettes[1], walks[0])] == [True, True]
    [both] = evaluation_batches(walks[:1], num_frames=4, batch_size=99, sampling="dense", silhouettes=2)
    assert both.frames.shape[:2] == (2, 4)
    assert [0 in starts(both.silhouettes[0], walks[0]), 3 in starts(both.silhouettes[1], walks[0])] == [True, True]


def test_silhouettes_must_be_there_and_something_must_be_asked_for(tracklets):
    with pytest.raises(ValueError, match=r"person \d+ has none that are aligned; .*silhouettes\.pack"):
        next(iter(train_batches(tracklets, **SETTINGS, silhouettes=4)))
    for make in (
        lambda: train_batches(tracklets, **SETTINGS | {"num_frames": 0}),
        lambda: evaluation_batches(tracklets, num_frames=0, batch_size=2),
    ):
        with pytest.raises(ValueError, match="num_frames=0, silhouettes=0: expected one or more"):
            make()
