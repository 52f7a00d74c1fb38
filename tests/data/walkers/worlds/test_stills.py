"""`stills` follows Market-1501 in its protocol and counts."""

from collections import Counter, defaultdict

import numpy as np
import pytest

from reidlib.data.walkers import stills
from reidlib.data.walkers.worlds.annotations import PETA_RENDERED, peta_columns


def key(tracklet):
    return tracklet.person_id, tracklet.camera_id, tracklet.tracklet_id


def test_images_identities_and_queries(plan, every):
    benchmark = plan(stills, 0, num_ids=100, junk=True)
    assert {t.person_id for t in benchmark.train} == set(range(1, 51)) and benchmark.num_ids == 50
    assert {t.person_id for t in benchmark.query} == set(range(51, 101))
    assert {t.person_id for t in benchmark.gallery} == set(range(51, 101)) | {0, -1}
    assert {len(t) for t in every(benchmark)} == {1}
    assert len({key(t) for t in every(benchmark)}) == len(every(benchmark))
    images = Counter((t.person_id, t.camera_id) for t in every(benchmark) if t.person_id > 0)
    assert set(images.values()) == {2, 3, 4, 5, 6} and {c for _, c in images} == set(range(1, 7))
    queries = Counter((t.person_id, t.camera_id) for t in benchmark.query)
    assert queries == {pair: 1 for pair in images if pair[0] > 50}  # one under each camera
    assert (benchmark.protocol, benchmark.name) == ("cross-camera", "stills")


def test_counts_are_in_the_proportions_of_market1501(plan):
    benchmark = plan(stills, 0, junk=True)
    ids = np.array([t.person_id for t in benchmark.gallery])
    assert len(benchmark.query) / 150 == pytest.approx(3368 / 750, abs=0.3)
    assert len(benchmark.train) / 150 == pytest.approx(12936 / 751, abs=2.5)
    assert (ids == 0).sum() / (ids > 0).sum() == pytest.approx(2793 / 13120, abs=0.03)
    assert (ids == -1).sum() / (ids > 0).sum() == pytest.approx(3819 / 13120, abs=0.03)


def test_every_query_has_a_match_under_another_camera(plan):
    benchmark = plan(stills, 0, num_ids=100)
    cameras = defaultdict(set)
    for t in benchmark.gallery:
        cameras[t.person_id].add(t.camera_id)
    assert all(cameras[q.person_id] - {q.camera_id} for q in benchmark.query)


def test_junk_is_kept_on_request(plan):
    kept, left = plan(stills, 0, num_ids=40, junk=True), plan(stills, 0, num_ids=40)
    assert [key(t) for t in left.gallery] == [key(t) for t in kept.gallery if t.person_id >= 0]
    assert min(t.person_id for t in left.gallery) == 0 and kept.fingerprint != left.fingerprint


def test_the_images_of_a_passage_are_its_frames_each_once(plan, every):
    frames = defaultdict(list)
    for t in every(plan(stills, 0, num_ids=40, junk=True)):
        frames[t.source.source].append(t.source.index)
    assert all(sorted(found) == list(range(len(passage))) for passage, found in frames.items())
    assert any(found != sorted(found) for found in frames.values())


def test_attributes_are_columns_of_peta_that_say_what_is_worn(plan, every):
    for t in every(plan(stills, 0, num_ids=40)):
        if t.person_id > 0:
            assert tuple(t.attributes) == PETA_RENDERED
            assert t.attributes == peta_columns(t.source.source.scenes[0].person)
        else:
            assert t.attributes == {}


def test_an_image_is_a_frame_of_its_rendered_passage(tmp_path, monkeypatch):
    monkeypatch.setenv("REIDLIB_CACHE", str(tmp_path))
    benchmark = stills(0, num_ids=10, resolution=(32, 16), workers=1, progress=False)
    image = benchmark.train[0]
    passage, frame = image.source.source, image.source.index
    assert (image.frames()[0] == passage.frames([frame])[0]).all()
    assert (image.masks()[0] == passage.masks([frame])[0]).all()
    for truth in ("parts", "joints", "flow"):
        assert (image.truth(truth)[0] == passage.truth(truth, [frame])[0]).all()
    others = [t for t in benchmark.train if t.source.source is passage]
    assert len({t.frames().tobytes() for t in others}) == len(passage)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"num_ids": 9}, "num_ids=9: expected at least 10"),
        ({"occlusion": -1.0}, "occlusion=-1.0.*severities from 0 on"),
    ],
)
def test_bad_arguments(plan, options, message):
    with pytest.raises(ValueError, match=message):
        plan(stills, 0, **options)
