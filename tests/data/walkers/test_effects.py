import numpy as np
import pytest

from reidlib.data.walkers.cameras import Camera
from reidlib.data.walkers.effects import expose, tone_curve

PLAIN = dict(blur=0.0, noise=0.0)


def _picture(seed=0):
    return np.random.default_rng(seed).uniform(0.1, 0.7, (2, 16, 8, 3)).astype(np.float32)


def test_a_perfect_camera_only_rounds():
    clean = _picture()
    got = expose(clean, Camera(**PLAIN), 0)
    assert got.shape == (2, 3, 16, 8)
    assert got.dtype == np.uint8
    np.testing.assert_allclose(got, 255 * clean.transpose(0, 3, 1, 2), atol=0.6)


def test_gain_cast_haze_and_saturation():
    clean = _picture()
    grey = clean.transpose(0, 3, 1, 2).mean(1)
    dark = expose(clean, Camera(gain=0.5, **PLAIN), 0)
    np.testing.assert_allclose(dark, 127.5 * clean.transpose(0, 3, 1, 2), atol=0.6)
    cast = expose(clean, Camera(cast=(1.0, 0.5, 1.0), **PLAIN), 0)
    np.testing.assert_allclose(cast[:, 1], 127.5 * clean[..., 1], atol=0.6)
    none = expose(clean, Camera(saturation=0.0, **PLAIN), 0)
    np.testing.assert_allclose(none, np.repeat(255 * grey[:, None], 3, 1), atol=0.6)
    veiled = expose(clean, Camera(haze=0.5, **PLAIN), 0)
    assert veiled.std() == pytest.approx(0.5 * 255 * clean.std(), rel=0.02)


def test_the_tone_curve_rises_and_gamma_bends_it():
    for gamma in (0.7, 1.0, 1.5):
        curve = tone_curve(gamma).astype(int)
        assert (np.diff(curve) >= 0).all()
        assert curve[0] == 0
        assert curve[-1] == 255
    assert tone_curve(1.5)[2048] < tone_curve(1.0)[2048] < tone_curve(0.7)[2048]


def test_blur_keeps_the_mean_and_smooths():
    clean = _picture()
    sharp, soft = (expose(clean, Camera(blur=blur, noise=0.0), 0).astype(float) for blur in (0.0, 6.0))
    assert soft.mean() == pytest.approx(sharp.mean(), rel=0.03)
    assert soft.std() < 0.7 * sharp.std()


def test_noise_has_its_strength_and_its_seed():
    flat = np.full((4, 64, 32, 3), 0.5, np.float32)
    one, again, other = (expose(flat, Camera(blur=0.0, noise=0.02), seed) for seed in (1, 1, 2))
    assert (one == again).all()
    assert (one != other).mean() > 0.5
    assert one.astype(float).std() / 255 == pytest.approx(0.02, rel=0.25)
