"""Folders of silhouettes, and the official partitions of the gait data sets."""

import numpy as np
import pytest
from PIL import Image

import reidlib
from reidlib.data import Benchmark, casia_e, gait, oumvlp, validation_split

SHARED = reidlib.shared_folder()
real = pytest.mark.skipif(SHARED is None, reason="needs the folder of real metadata (REIDLIB_SHARED)")


def test_silhouettes_are_read_in_order_and_by_a_threshold(tmp_path):
    values = {1: 0, 2: 127, 10: 128, 11: 255}
    for number, value in values.items():
        Image.new("L", (4 + number, 8), value).save(tmp_path / f"{number}.png")  # of different sizes
    masks = gait.read_masks(tmp_path)
    assert [mask.shape for mask in masks] == [(8, 5), (8, 6), (8, 14), (8, 15)]
    assert [mask.all() for mask in masks] == [mask.any() for mask in masks] == [False, False, True, True]


def test_a_broken_silhouette_is_replaced_by_the_nearest_with_a_warning(tmp_path):
    for number in range(4):
        Image.fromarray(np.full((8, 8), 255 * (number > 1), np.uint8)).save(tmp_path / f"{number}.png")
    (tmp_path / "3.png").write_bytes(b"\x89PNG")
    with pytest.warns(UserWarning, match=r"3\.png .*expected a readable image"):
        assert [mask.any() for mask in gait.read_masks(tmp_path)] == [False, False, True, True]


def test_subjects_of_a_partition_may_have_any_names(tmp_path):
    (tmp_path / "p.json").write_text('{"TRAIN_SET": ["01", "p_a"], "TEST_SET": ["03", "Anna "]}')
    assert gait.read_partition(tmp_path / "p.json", "") == (["01", "p_a"], ["03", "Anna"])


@real
@pytest.mark.parametrize(
    ("name", "train", "test"), [("CASIA-B", 74, 50), ("CASIA-E", 200, 814), ("HID", 500, 505), ("OUMVLP", 5153, 5154)]
)
def test_the_official_partitions_hold_what_was_published(name, train, test):
    path = SHARED / "data" / "gait_partitions" / f"{name}.json"
    parts = gait.read_partition(path, "")
    bogus = {"HID": ["probe"]}.get(name, [])  # a folder's name
    assert [name for part in parts for name in part if not name.isdecimal()] == bogus
    assert [len(part) for part in parts] == [len(set(part)) for part in parts] == [train, test + len(bogus)]


@real
def test_the_built_in_partitions_are_the_official_ones():
    folder = SHARED / "data" / "gait_partitions"
    assert tuple(map(sorted, gait.read_partition(folder / "OUMVLP.json", ""))) == oumvlp.official_partition()
    assert gait.read_partition(folder / "CASIA-E.json", "") == casia_e.usual_partition()


def walks_of(make_walk, people, labels):
    return tuple(make_walk(person, view, *label) for person in people for view in (0, 90) for label in labels)


def test_a_validation_split_asks_what_the_whole_asks(make_walk):
    gallery, queries, others = [("nm", 1), ("nm", 2)], [("nm", 3), ("cl", 1)], [("fast", 1)]
    train = walks_of(make_walk, range(1, 7), gallery + queries + others)
    whole = Benchmark(
        train, walks_of(make_walk, (8, 9), queries), walks_of(make_walk, (8, 9), gallery), "all", "x", "f"
    )
    split = gait.gait_validation_split(whole, fraction=1 / 3, seed=1)
    held_out = sorted({t.person_id for t in split.query})
    labels = [(t.person_id, t.view, t.condition, t.tracklet_id) for t in (*split.gallery, *split.query)]
    assert labels[:8] == [(person, view, *label) for person in held_out for view in (0, 90) for label in gallery]
    assert labels[8:] == [(person, view, *label) for person in held_out for view in (0, 90) for label in queries]
    assert split.train == tuple(t for t in train if t.person_id not in held_out) and len(split.train) == 4 * 10
    assert held_out == sorted({t.person_id for t in validation_split(whole, 1 / 3, 1).query})  # the same people
    assert (split.protocol, split.name) == ("all", "x validation")


def test_a_validation_split_needs_training_walks_labelled_like_the_tests(make_walk):
    whole = Benchmark(
        walks_of(make_walk, range(1, 7), [("train", 1), ("train", 2)]),
        walks_of(make_walk, (8, 9), [("probe", 1)]),
        walks_of(make_walk, (8, 9), [("gallery", 1)]),
        "all",
        "HID",
        "f",
    )
    with pytest.raises(ValueError, match="HID: expected training walks labelled like .* found 0 and 0"):
        gait.gait_validation_split(whole)
