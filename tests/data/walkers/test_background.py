import numpy as np
import pytest

from reidlib.data.walkers.background import backdrop, crop
from reidlib.data.walkers.cameras import Camera
from reidlib.data.walkers.props import KINDS, prop
from reidlib.data.walkers.raster import Window


def _window(n, height=64):
    tall = 2.0 / 8.0
    return Window(np.full(n, -0.25 * tall), np.full(n, -0.5 * tall), np.full(n, height / tall), (height, height // 2))


def test_a_place_is_one_picture_and_places_differ():
    pictures = [backdrop(Camera(scene_seed=seed), 64).picture for seed in (1, 2)]
    assert pictures[0].min() >= 0
    assert pictures[0].max() <= 1
    assert np.abs(pictures[0] - pictures[1]).mean() > 0.03
    fresh = backdrop.__wrapped__(Camera(scene_seed=1), 64).picture
    np.testing.assert_array_equal(fresh, pictures[0])


def test_clutter_makes_it_busy():
    def detail(clutter):
        found = [backdrop(Camera(scene_seed=s, clutter=clutter), 64).picture[..., :3] for s in range(8)]
        return np.mean([np.abs(np.diff(picture, axis=1)).mean() for picture in found])

    assert detail(0.0) < 0.2 * detail(1.0)


def test_streets_are_not_gaudy():
    for seed in range(8):
        picture = backdrop(Camera(scene_seed=seed), 64).picture[..., :3]
        assert np.ptp(picture, axis=-1).mean() < 0.12


def test_drift_moves_the_cut_and_the_strip_closes():
    camera, still = Camera(scene_seed=3), np.ones(2)
    strip = backdrop(camera, 64)
    step = 4 / strip.scale  # picture plane, whole pixels of the strip
    pixel = strip.scale / _window(2).scale[0]
    cut = crop(camera, _window(2), np.array([0.0, step]), still, 0.2)
    assert cut.shape == (2, 64, 32, 3)
    assert np.abs(cut[0] - cut[1]).mean() > 0.002
    if pixel == pytest.approx(1.0, rel=1e-6):
        np.testing.assert_allclose(cut[0][:, 4:], cut[1][:, :-4], atol=1e-5)
    around = strip.picture.shape[1] / strip.scale
    closed = crop(camera, _window(2), np.array([0.0, around]), still, 0.2)
    np.testing.assert_allclose(closed[0], closed[1], atol=2e-3)


@pytest.mark.parametrize("kind", KINDS)
def test_props_fill_their_box(kind):
    picture = prop(kind, 40, 30, np.random.default_rng(0))
    assert picture.shape == (40, 30, 4)
    assert picture.min() >= 0
    assert picture.max() <= 1
    alpha = picture[..., 3] > 0.5
    assert alpha.mean() > 0.2
    assert alpha[-4:].any()
    np.testing.assert_array_equal(picture, prop(kind, 40, 30, np.random.default_rng(0)))
