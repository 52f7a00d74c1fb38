from dataclasses import replace

import numpy as np
import pytest

from reidlib.data.walkers.cameras import (
    Camera,
    blend,
    ground_to_camera,
    light_direction,
    other_light,
    person_to_ground,
    sample_camera,
)


def from_person(camera, view):
    """From a person's axes to the camera's."""
    return ground_to_camera(camera) @ person_to_ground(view)


def test_views():
    level = Camera(elevation=0.0)
    left, up, forward = np.eye(3)
    to_camera = [0, 0, -1]
    np.testing.assert_allclose(from_person(level, 0) @ forward, to_camera, atol=1e-9)  # it faces the camera
    np.testing.assert_allclose(from_person(level, 0) @ left, [1, 0, 0], atol=1e-9)  # its left is at the picture's right
    np.testing.assert_allclose(from_person(level, 90) @ left, to_camera, atol=1e-9)  # it shows its left side
    np.testing.assert_allclose(from_person(level, 90) @ forward, [-1, 0, 0], atol=1e-9)  # and walks to the left
    np.testing.assert_allclose(from_person(level, 180) @ forward, [0, 0, 1], atol=1e-9)  # it walks away
    np.testing.assert_allclose(from_person(level, 123) @ up, [0, -1, 0], atol=1e-9)


def test_from_above_heads_are_nearer():
    turn = from_person(Camera(elevation=30.0), 77)
    np.testing.assert_allclose(turn @ turn.T, np.eye(3), atol=1e-9)
    assert np.linalg.det(turn) > 0  # no mirror image
    np.testing.assert_allclose(turn @ [0, 1, 0], [0, -np.cos(np.pi / 6), -0.5], atol=1e-9)


def test_light_from_behind_the_camera_comes_towards_the_scene():
    assert light_direction(Camera(light_azimuth=0.0, light_elevation=10.0, elevation=0.0))[2] < -0.9
    assert light_direction(Camera(light_azimuth=90.0, light_elevation=10.0, elevation=0.0))[0] > 0.9


def test_severity_scales_what_a_camera_changes():
    calm = [sample_camera(np.random.default_rng(i), severity=0.0) for i in range(20)]
    harsh = [sample_camera(np.random.default_rng(i), severity=1.0) for i in range(20)]
    assert {(c.gain, c.gamma, c.cast, c.saturation, c.haze) for c in calm} == {(1.0, 1.0, (1.0, 1.0, 1.0), 1.0, 0.0)}
    assert np.std([c.gain for c in harsh]) > 0.05
    assert len({c.scene_seed for c in harsh}) == 20
    assert min(sample_camera(np.random.default_rng(i), severity=4.0).saturation for i in range(20)) == 0.0


def test_severity_blends_what_all_have_into_what_each_has():
    assert [blend(0.4, 0.5, severity) for severity in (0.0, 0.5, 1.0)] == pytest.approx([0.4, 0.45, 0.5])
    assert blend(0.4, 0.1, 3.0) == 0.0


def test_another_day_s_light_changes_exposure_and_balance_a_little_and_nothing_else():
    camera = Camera(gain=1.2, cast=(1.1, 1.0, 0.9))
    assert other_light(camera, np.random.default_rng(0), 0.0) == camera
    days = [other_light(camera, np.random.default_rng(seed)) for seed in range(300)]
    assert {replace(day, gain=1.2, cast=camera.cast) for day in days} == {camera}
    assert np.std(np.log([day.gain / 1.2 for day in days])) == pytest.approx(0.06, rel=0.15)
    tint = np.log([np.divide(day.cast, camera.cast) for day in days])
    np.testing.assert_allclose(tint.sum(axis=1), 0, atol=1e-9)
    assert 0.005 < tint.std() < 0.02
