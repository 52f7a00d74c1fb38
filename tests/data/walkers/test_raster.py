import numpy as np
import pytest

from reidlib.data.walkers.raster import Window, rasterise
from reidlib.data.walkers.solids import Builder, Cloth, Solids

SCALE = 400.0  # pixels per unit of the picture plane


def _solids(build, origin, rotation=None):
    figure = build.figure()
    rotation = np.eye(3) if rotation is None else rotation
    place = figure.origin @ rotation.T + origin
    axes = figure.axes @ rotation.T
    return Solids(place[None].astype(np.float32), axes[None].astype(np.float32), figure)


def _window(height=64, width=64, n=1):
    corner = np.full(n, -0.5 * width / SCALE), np.full(n, -0.5 * height / SCALE)
    return Window(*corner, np.full(n, SCALE), (height, width))


def _oracle(solids, window):
    """Depth (H, W) of the nearest surface along each pixel's true perspective ray, inf where there is none;
    in float64.
    """
    height, width = window.resolution
    y, x = np.mgrid[:height, :width] + 0.5
    ray = np.stack([window.left[0] + x / SCALE, window.top[0] + y / SCALE, np.ones_like(x)], -1)
    best = np.full((height, width), np.inf)
    shape = solids.figure
    for p in range(len(shape.segment)):
        step = solids.axes[0, p].astype(float)
        inverse = step / (step**2).sum(1, keepdims=True)
        start, along = inverse @ -solids.origin[0, p].astype(float), ray @ inverse.T
        c0, c1, c2 = shape.quadric[p].astype(float)
        a = along[..., 0] ** 2 + along[..., 1] ** 2 - c2 * along[..., 2] ** 2
        b = along[..., 0] * start[0] + along[..., 1] * start[1] - along[..., 2] * (c2 * start[2] + c1 / 2)
        c = start[0] ** 2 + start[1] ** 2 - c0 - c1 * start[2] - c2 * start[2] ** 2
        root = np.sqrt(np.where(b * b > a * c, b * b - a * c, np.nan))
        ends = np.sort((shape.span[p].astype(float) - start[2])[None, None] / along[..., 2:], -1)
        near, far = np.maximum((-b - root) / a, ends[..., 0]), np.minimum((-b + root) / a, ends[..., 1])
        best = np.where((near < far) & (near < best), near, best)
    return best


def _rotation(rng):
    q, _ = np.linalg.qr(rng.standard_normal((3, 3)))
    return q * np.sign(np.linalg.det(q))


@pytest.mark.parametrize("seed", range(6))
def test_depth_and_coverage_agree_with_true_rays(seed):
    rng = np.random.default_rng(seed)
    build = Builder()
    build.on("pelvis", 2, Cloth((1, 0, 0))).tube((0, 0.2, 0), (0.05, -0.25, 0.02), 0.12, 0.08, (1, 1.15, 0.7))
    build.on("pelvis", 1, Cloth((0, 1, 0))).ball((0.1, 0.15, 0.1), 0.1, 0.14, 0.07)
    build.on("pelvis", 1, Cloth((0, 1, 0))).ball((-0.2, 0.0, 0.1), 0.08, 0.1, 0.1, high=0.3)
    solids, window = _solids(build, [0.03, -0.05, 4.0], _rotation(rng)), _window()
    fragments = rasterise(solids, window)
    depth = np.full(64 * 64, np.inf)
    depth[fragments.pixel[fragments.inside]] = fragments.depth[fragments.inside]
    truth = _oracle(solids, window).ravel()
    both = np.isfinite(depth) & np.isfinite(truth)
    assert both.sum() > 300
    assert (np.isfinite(depth) != np.isfinite(truth)).sum() < 0.08 * both.sum()  # a few pixels of the outline
    error = np.abs(depth[both] - truth[both])
    assert np.median(error) < 0.01
    assert np.quantile(error, 0.95) < 0.04


def test_a_ball_s_area_is_its_disc_s():
    build = Builder()
    build.on("pelvis", 1, Cloth((1, 1, 1))).ball((0, 0, 0), 0.2, 0.2, 0.2)
    fragments = rasterise(_solids(build, [0, 0, 4.0]), _window())
    radius = 0.2 / 4.0 * SCALE
    assert fragments.inside.sum() == pytest.approx(np.pi * radius**2, rel=0.02)
    assert fragments.alpha.sum() == pytest.approx(np.pi * radius**2, rel=0.02)  # blending adds no weight
    assert fragments.depth.min() == pytest.approx(3.8, abs=0.01)


def test_the_nearer_solid_wins_and_the_hem_is_flat():
    build = Builder()
    build.on("pelvis", 4, Cloth((1, 0, 0))).tube((0, -0.3, 0), (0, 0.1, 0), 0.2, 0.2)  # camera axes: y down
    build.on("pelvis", 5, Cloth((0, 0, 1))).tube((0, -0.3, 0), (0, 0.3, 0), 0.1, 0.1)
    fragments = rasterise(_solids(build, [0, 0, 4.0]), _window())
    image = np.zeros((64, 64), int)
    image.reshape(-1)[fragments.pixel[fragments.inside]] = np.array([4, 5])[fragments.solid[fragments.inside]]
    row = image[32]
    assert set(row[row > 0]) == {4}
    assert (row > 0).sum() == pytest.approx(40, abs=1)
    below = image[48]
    assert set(below[below > 0]) == {5}
    assert (below > 0).sum() == pytest.approx(20, abs=1)
    bottoms = [np.flatnonzero(image[:, column] == 4).max() for column in (14, 18, 22)]
    assert np.ptp(bottoms) <= 1  # a rounded end would rise by many pixels towards the side


def test_a_wheel_is_open():
    build = Builder()
    build.on("ground", 7, Cloth((0, 0, 0))).tube((0, 0, -0.02), (0, 0, 0.02), 0.25, 0.25, hole=0.9)
    fragments = rasterise(_solids(build, [0, 0, 4.0]), _window())
    image = np.zeros((64, 64), bool)
    image.reshape(-1)[fragments.pixel[fragments.inside]] = True
    assert not image[32, 32]
    assert image[32].sum() == pytest.approx(2 * 0.1 * 25, abs=3)


def test_frames_do_not_mix():
    build = Builder()
    build.on("pelvis", 1, Cloth((1, 1, 1))).ball((0, 0, 0), 0.1, 0.1, 0.1)
    one = _solids(build, [0, 0, 4.0])
    places = np.array([[-0.1, 0, 4.0], [0.1, 0.05, 4.0], [9.0, 0, 4.0]], np.float32)  # the last is out of the picture
    three = Solids(places[:, None], np.repeat(one.axes, 3, 0), one.figure)
    fragments = rasterise(three, _window(n=3))
    frame, inside = fragments.pixel // 4096, fragments.inside
    centres = [np.mean(fragments.pixel[inside & (frame == i)] % 64) + 0.5 for i in (0, 1)]
    np.testing.assert_allclose(centres, [22, 42], atol=0.2)
    assert (frame < 2).all()
    assert (fragments.solid == frame).all()
