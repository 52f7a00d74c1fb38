"""OU-MVLP's loader, on exports in its layout."""

import shutil

import pytest

from reidlib.data import Benchmark, export, oumvlp
from reidlib.data.silhouettes import align

SETTINGS = {"workers": 1, "progress": False}


@pytest.fixture
def crowd(make_walk):
    """One training and two test subjects, fourteen views, two sequences each."""
    walks = [make_walk(p, v, "nm", n, length=2) for p in (1, 2, 4) for v in oumvlp.VIEWS for n in (0, 1)]
    tested = walks[28:]
    return Benchmark(tuple(walks[:28]), tuple(tested[::2]), tuple(tested[1::2]), "all", "crowd", "f")


@pytest.fixture
def root(tmp_path, crowd):
    export.oumvlp(crowd, tmp_path / "oumvlp", progress=False)
    return tmp_path / "oumvlp"


def by_key(tracklets):
    found = {(t.person_id, t.view, t.tracklet_id): t for t in tracklets}
    assert len(found) == len(tracklets)
    return found


def test_round_trip(root, crowd):
    loaded = oumvlp.load(root, size=(32, 22), **SETTINGS)
    for part in ("train", "query", "gallery"):
        ours, theirs = by_key(getattr(crowd, part)), by_key(getattr(loaded, part))
        assert ours.keys() == theirs.keys()
        for key, walk in ours.items():
            assert (theirs[key].silhouettes() == align(walk.masks()[:, 0], (32, 22))).all()
    assert {t.tracklet_id for t in loaded.query} == {0}
    assert {t.tracklet_id for t in loaded.gallery} == {1}
    assert (loaded.protocol, loaded.num_ids) == ("all", 1)


def test_layout(root):
    assert (root / "Silhouette_270-01/00004/0002.png").is_file()
    assert len(list(root.iterdir())) == 28 + 1


def test_fourteen_views_and_the_official_partition():
    assert len(oumvlp.VIEWS) == 14
    train, test = oumvlp.official_partition()
    assert (len(train), len(test)) == (5153, 5154)
    assert (train[0], train[-1], test[0], test[-1]) == ("00001", "10305", "00002", "10307")
    assert not set(train) & set(test)


def test_without_a_partition_the_official_one_is_used(root):
    (root / "OUMVLP.json").unlink()
    shutil.rmtree(root / "Silhouette_000-00/00002")
    with pytest.warns(UserWarning, match="have no") as reports:
        loaded = oumvlp.load(root, **SETTINGS)
    texts = [str(report.message) for report in reports]
    assert "10304 of the partition's 10307 subjects have no folder (00003, 00005, 00006, 00007, 00008, …)" in texts[0]
    assert "1 of 84 walks have no silhouettes (subjects 00002; the first is Silhouette_000-00/00002)" in texts[1]
    assert {t.person_id for t in loaded.train} == {1}
    assert len(loaded.query) == 27
    assert len(loaded.gallery) == 28


SPOILERS = {
    "nothing": (
        shutil.rmtree,
        r"oumvlp: expected the folders Silhouette_000-00 to Silhouette_270-01; get it from .*osaka",
    ),
    "garbage": (lambda r: (r / "OUMVLP.json").write_text("[]"), r"OUMVLP\.json: expected .*TRAIN_SET.*OpenGait"),
    "twice": (
        lambda r: (r / "OUMVLP.json").write_text('{"TRAIN_SET": ["1", "01"], "TEST_SET": []}'),
        r"OUMVLP\.json: expected each person once, found 1 again",
    ),
}


@pytest.mark.parametrize("name", SPOILERS)
def test_bad_input_is_refused_by_name(root, name):
    spoil, message = SPOILERS[name]
    partition = root / "OUMVLP.json" if name != "nothing" else shutil.copy(root / "OUMVLP.json", root.parent / "p.json")
    spoil(root)
    with pytest.raises((FileNotFoundError, ValueError), match=message):
        oumvlp.load(root, partition, **SETTINGS)


def test_what_is_no_walk_of_oumvlp_is_not_written(tmp_path, crowd, make_walk):
    for extra in (make_walk(9, 105, "nm", 0), make_walk(9, 90, "nm", 2), make_walk(9, 90, "nm", 1)):
        broken = Benchmark(crowd.train, (*crowd.query, extra), crowd.gallery, "all", "", "")
        with pytest.raises(ValueError, match=rf"person 9, view {extra.view}, {extra.tracklet_id}: expected a walk"):
            export.oumvlp(broken, tmp_path / "out", progress=False)
    assert not (tmp_path / "out").exists()
