"""Rendering into the cache: once, all or nothing, and never the wrong thing."""

import json
import pickle
from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest

from reidlib.data.walkers import packed, render
from reidlib.data.walkers.compose import empty_place
from reidlib.data.walkers.packed import Sighting, pack
from reidlib.data.walkers.scene import Scene
from reidlib.data.walkers.skeleton import JOINTS

SIZE = (32, 16)


@pytest.fixture(autouse=True)
def cache(tmp_path, monkeypatch):
    monkeypatch.setenv("REIDLIB_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache" / "walkers"


@pytest.fixture
def sightings():
    """Three sightings; the last has two scenes."""
    scenes = [Scene(num_frames=n, seed=n, view=30 * n) for n in (2, 3, 4, 5)]
    return [
        Sighting(1, 2, 3, (scenes[0],), view=60, condition="nm", attributes={"hat": 1}),
        Sighting(0, 1, 1001, (scenes[1],)),
        Sighting(7, 6, 1, (scenes[2], scenes[3])),
    ]


@pytest.fixture
def fake(monkeypatch):
    """A renderer that fills frames with the scene's seed and counts its calls; `fail_at` makes one call fail."""
    state = SimpleNamespace(calls=0, fail_at=None)

    def fake_render(scene, resolution, truth):
        state.calls += 1
        if state.calls == state.fail_at:
            raise RuntimeError("the lights went out")
        n, (height, width) = scene.num_frames, resolution
        return SimpleNamespace(
            frames=np.full((n, 3, height, width), scene.seed, np.uint8),
            parts=np.full((n, height, width), scene.seed % 8, np.uint8),
            joints=np.full((n, 14, 3), scene.seed, np.float32),
            box=np.full((n, 3), scene.seed, np.float32),
        )

    monkeypatch.setattr(packed, "render", fake_render)
    return state


def run(sightings, resolution=SIZE, name="test", workers=1):
    return pack(name, sightings, resolution, workers=workers, progress=False)


def folders(cache):
    return [path for path in cache.iterdir() if path.is_dir()]


def test_tracklets_show_what_the_scenes_render(sightings):
    tracklets, _ = run(sightings)
    assert [len(t) for t in tracklets] == [2, 3, 9]
    for tracklet, sighting in zip(tracklets, sightings):
        rendered = [
            render(scene, SIZE, truth=("parts", "joints", "box", "flow", "fixed_flow")) for scene in sighting.scenes
        ]
        kinds = ("frames", "parts", "joints", "flow", "box", "fixed_flow")
        frames, parts, joints, flow, box, fixed = (
            np.concatenate([getattr(r, kind) for r in rendered]) for kind in kinds
        )
        assert np.array_equal(tracklet.frames(), frames)
        assert np.array_equal(tracklet.masks()[:, 0], parts > 0)
        assert np.array_equal(tracklet.truth("parts"), parts)
        assert np.array_equal(tracklet.truth("joints"), joints) and joints.shape[1:] == (len(JOINTS), 3)
        last = len(tracklet) - 1
        assert np.array_equal(tracklet.truth("flow", [last, 0]), flow[[last, 0]])
        assert flow.shape == (len(tracklet), 2, *SIZE)
        assert np.array_equal(tracklet.truth("fixed_flow", [last, 0]), fixed[[last, 0]])
        assert np.array_equal(tracklet.truth("box"), box) and box.shape == (len(tracklet), 3)
        empty = np.concatenate([empty_place(scene, SIZE) for scene in sighting.scenes])
        assert np.array_equal(tracklet.truth("empty", [last, 0]), empty[[last, 0]])


def test_labels_are_those_of_the_sightings(sightings, fake):
    first, second, third = run(sightings)[0]
    assert (first.person_id, first.camera_id, first.tracklet_id, first.view, first.condition) == (1, 2, 3, 60, "nm")
    assert first.attributes == {"hat": 1}
    assert (second.person_id, third.person_id, third.camera_id) == (0, 7, 6)


def test_the_second_call_renders_nothing(sightings, fake):
    first, content = run(sightings)
    assert fake.calls == 4
    fake.fail_at = 5
    again, same = run(sightings)
    assert same == content
    assert all(np.array_equal(a.frames(), b.frames()) for a, b in zip(first, again))


def test_labels_do_not_decide_what_is_rendered(sightings, fake):
    run(sightings)
    relabelled = [replace(s, person_id=5, attributes={}) for s in sightings]
    assert [t.person_id for t in run(relabelled)[0]] == [5, 5, 5]
    assert fake.calls == 4


@pytest.mark.parametrize("what", ["scene", "order", "resolution", "name", "source"])
def test_whatever_decides_the_bytes_has_a_folder_of_its_own(sightings, fake, cache, what, monkeypatch, tmp_path):
    run(sightings)
    options = {}
    if what == "scene":
        sightings[0] = replace(sightings[0], scenes=(replace(sightings[0].scenes[0], phase=0.25),))
    elif what == "order":
        sightings = sightings[::-1]
    elif what == "source":
        (tmp_path / "renderer.py").write_text("another renderer")
        monkeypatch.setattr(packed, "__file__", str(tmp_path / "packed.py"))
    else:
        options = {"resolution": (16, 8)} if what == "resolution" else {"name": "other"}
    run(sightings, **options)
    assert fake.calls == 8
    assert len(folders(cache)) == 2


def test_the_hash_is_that_of_frames_and_part_maps(sightings, fake, tmp_path, monkeypatch):
    contents = []
    for seed in (2, 2, 10):  # 10 has the part maps of 2, but other frames
        monkeypatch.setenv("REIDLIB_CACHE", str(tmp_path / str(len(contents))))
        scene = replace(sightings[0].scenes[0], seed=seed)
        contents.append(run([replace(sightings[0], scenes=(scene,))])[1])
    assert contents[0] == contents[1] != contents[2]


@pytest.mark.parametrize("fail_at", [1, 3])
def test_a_rendering_that_fails_leaves_nothing_and_can_be_repeated(sightings, fake, cache, fail_at, monkeypatch):
    monkeypatch.setattr(packed, "CHUNK", 1)
    fake.fail_at = fail_at
    with pytest.raises(RuntimeError, match="the lights went out"):
        run(sightings)
    assert folders(cache) == []
    fake.fail_at = None
    tracklets, _ = run(sightings)
    assert [t.frames()[-1].max() for t in tracklets] == [2, 3, 5]


def test_what_a_killed_rendering_left_is_cleared_away(sightings, fake, cache):
    run(sightings)
    [folder] = folders(cache)
    left = folder.with_suffix(".part")
    folder.rename(left)  # as if it had been killed before the renaming
    (left / "frames.npy").write_bytes(b"half")
    assert run(sightings)[0][0].frames().max() == 2
    assert fake.calls == 8
    assert folders(cache) == [folder]


def test_chunks_do_not_show(sightings, fake, monkeypatch, tmp_path):
    many = [replace(sightings[i % 3], tracklet_id=i) for i in range(20)]
    tracklets, _ = run(many)
    for i, tracklet in enumerate(tracklets):
        assert tracklet.frames()[:, 0, 0, 0].tolist() == [s.seed for s in many[i].scenes for _ in range(s.num_frames)]
    [folder] = folders(tmp_path / "cache" / "walkers")
    assert json.loads((folder / "content.json").read_text())["frames"] == sum(map(len, tracklets))


def test_tracklets_travel_to_loader_workers_by_the_names_of_their_files(sightings):
    tracklet = run(sightings)[0][2]
    data = pickle.dumps(tracklet)
    assert len(data) < 20_000
    copy = pickle.loads(data)
    assert np.array_equal(copy.frames(), tracklet.frames())
    assert np.array_equal(copy.truth("flow", [1]), tracklet.truth("flow", [1]))
