"""Arithmetic and worlds that are the same on every processor.

A lesser processor is imitated: a second process uses the code of numpy, BLAS, libm and OpenCV that an old one would.
"""

import hashlib
import json
import os
import platform
import subprocess
import sys
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pytest

from reidlib.data import walkers
from reidlib.data.masks import EXTRACTED, QUALITIES, with_masks, with_silhouettes
from reidlib.data.walkers import exact
from reidlib.data.walkers.cameras import Camera, sample_camera
from reidlib.data.walkers.compose import TRUTH, empty_place, later_frames, render
from reidlib.data.walkers.plaza import plaza
from reidlib.data.walkers.scene import (
    MOTIONS,
    OCCLUDERS,
    BoxError,
    Occluder,
    Scene,
    sample_box_error,
    sample_passer_by,
    sample_person,
)
from reidlib.data.walkers.wardrobe import PATTERNS
from reidlib.data.walkers.worlds import outdoors, walks

ANGLES = np.linspace(-40, 40, 20_001)


@pytest.mark.parametrize("name", ["sin", "cos", "exp", "tanh"])
def test_functions_are_those_of_numpy_but_for_the_last_digits(name):
    ours, theirs = getattr(exact, name), getattr(np, name)
    x = ANGLES if name in ("sin", "cos") else ANGLES / 8
    np.testing.assert_allclose(ours(x), theirs(x), rtol=2e-15, atol=1e-14)
    single = x.astype(np.float32)
    assert ours(single).dtype == np.float32
    np.testing.assert_allclose(ours(single), theirs(single.astype(float)), rtol=1e-6, atol=1e-5)
    assert ours(0.5) == pytest.approx(theirs(0.5), rel=1e-15)
    assert np.array_equal(exact.cos_and_sin(x), [exact.cos(x), exact.sin(x)])


def test_the_angle_of_a_point():
    x, y = (grid.ravel() for grid in np.meshgrid(np.linspace(-3, 3, 101), np.linspace(-2, 2, 101)))
    np.testing.assert_allclose(exact.arctan2(y, x), np.arctan2(y, x), atol=2e-15)
    single = exact.arctan2(y.astype(np.float32), x.astype(np.float32))
    assert single.dtype == np.float32
    np.testing.assert_allclose(single, np.arctan2(y.astype(np.float32), x.astype(np.float32)), atol=1e-6)
    assert exact.arctan2(0.0, 0.0) == 0 and exact.arctan2(0.0, -1.0) == np.pi


def test_powers():
    base = np.concatenate([[0.0, 1.0], np.geomspace(1e-6, 1e3, 1001)])
    for exponent in (0.7, 1.0, 1.3):
        np.testing.assert_allclose(exact.power(base, exponent), base**exponent, rtol=1e-14)
    assert exact.power(0.0, 1.3) == 0 and exact.power(1.0, 0.7) == 1


def test_products_are_those_of_matrices_that_broadcast():
    rng = np.random.default_rng(0)
    for left, right in (((5, 3, 3), (5, 3, 3)), ((2, 5, 3), (3, 4)), ((7, 3), (5, 3, 3))):
        a, b = rng.normal(size=left), rng.normal(size=right)
        np.testing.assert_allclose(exact.product(a, b), a @ b, atol=1e-14)
    assert exact.total(np.arange(12.0).reshape(3, 4)) == 66


@pytest.mark.parametrize(("count", "sigma"), [(64, 3.0), (65, 3.0), (40, 0.6)])
def test_the_blur_is_the_one_that_the_spectrum_defines(count, sigma):
    values = np.random.default_rng(1).standard_normal(count)
    spectrum = np.fft.fft(values) * np.exp(-2 * (np.pi * sigma * np.fft.fftfreq(count)) ** 2)
    np.testing.assert_allclose(exact.blur_matrix(count, sigma) @ values, np.fft.ifft(spectrum).real, atol=1e-5)


def test_products_with_the_blur_are_the_same_in_any_order():
    """Even where every value is as large as the promise allows."""
    rng = np.random.default_rng(2)
    matrix = exact.blur_matrix(300, 0.6)
    values = exact.on_grid(rng.uniform(-16, 16, 300))
    terms = matrix[7] * values
    sums = {float(np.cumsum(terms[rng.permutation(300)])[-1]) for _ in range(200)} | {float(matrix[7] @ values)}
    assert len(sums) == 1
    shaken = (matrix[7] * 1.000001) * values
    assert len({float(np.cumsum(shaken[rng.permutation(300)])[-1]) for _ in range(200)}) > 1


def test_settling_rounds_every_float_and_nothing_else():
    @dataclass(frozen=True)
    class Thing:
        number: float
        count: int
        name: str
        inside: tuple

    thing = Thing(np.float64(0.1), 3, "pole", (1 / 3, True, Thing(-2.5, 0, "", ())))
    settled = exact.settled(thing)
    assert (settled.number * 2**24).is_integer() and abs(settled.number - 0.1) <= 2**-25
    assert settled.inside[0] == exact.on_grid(np.array(1 / 3)) != 1 / 3
    assert settled.inside[1] is True and settled.inside[2] == thing.inside[2]
    assert (settled.count, settled.name) == (3, "pole")
    assert exact.settled(settled) == settled


def test_a_last_digit_of_a_scene_does_not_show():
    rng = np.random.default_rng(5)
    scene = Scene(sample_person(rng), sample_camera(rng), view=37.1, num_frames=2, phase=0.3)
    nearly = replace(scene, view=np.nextafter(37.1, 38), camera=replace(scene.camera, gain=scene.camera.gain + 1e-16))
    assert np.array_equal(render(scene).frames, render(nearly).frames)


def _varied_scenes():
    """Every pattern, motion, occluder and carried thing, company before and behind, under three cameras."""
    rng = np.random.default_rng(11)
    cameras = [Camera(gamma=1.2, haze=0.1, saturation=0.8, noise=0.03), sample_camera(rng), sample_camera(rng)]
    for number in range(12):
        person = sample_person(rng)
        bits = [bool(number >> i & 1) for i in range(5)]
        cloth = dict(top_pattern=PATTERNS[number % 5], bottom_pattern=PATTERNS[number // 2 % 3], skirt=bits[1])
        things = dict(zip(("backpack", "shoulder_bag", "hand_bag", "hat", "long_hair"), bits))
        lengths = dict(short_sleeves=bits[2], short_bottoms=bits[0], coat=0.7 * (number % 4 == 3), boots=bits[3])
        company = sample_passer_by(rng, sample_person(rng), 3)
        yield Scene(
            replace(person, outfit=replace(person.outfit, **cloth, **things, **lengths)),
            cameras[number % 3],
            view=float(rng.uniform(0, 360)),
            motion=MOTIONS[number % 5],
            num_frames=3,
            phase=float(rng.random()),
            place=float(rng.random()),
            box_error=sample_box_error(rng) if number % 2 else BoxError(),
            occluders=(Occluder(OCCLUDERS[number % 6], 1, 2, 0.5, -0.2, 0.6, 0.5, number),),
            passers_by=(company,) * (number % 3),
            seed=number,
        )


def _scenes_of_worlds():
    """A few frames of a few scenes of each benchmark, as its own plan draws them."""
    planned = []

    def plan(name, sightings, resolution, workers, progress):
        planned.append(([scene for sighting in sightings for scene in sighting.scenes], resolution))
        raise InterruptedError

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(walks, "pack", plan)
        patch.setattr(outdoors, "pack", plan)
        for name, num_ids in (("street", 10), ("campus", 10), ("pair", 4), ("lab", 4), ("crowd", 4), ("stills", 10)):
            with pytest.raises(InterruptedError):
                getattr(walkers, name)(1, num_ids=num_ids)
            scenes, resolution = planned.pop()
            for scene in scenes[:: len(scenes) // 2]:
                yield replace(scene, num_frames=min(scene.num_frames, 3)), resolution


def drawn(cache: str) -> dict[str, str]:
    """Hashes of all that is drawn: of frames and all their truth, empty places, a video, masks and silhouettes.

    The float32 pictures before noise and rounding ("clean") are the sharpest test: a last bit seldom shows in eight.
    """
    os.environ["REIDLIB_CACHE"] = cache
    hashes = {}

    def add(name: str, *arrays: np.ndarray) -> None:
        before = hashes.get(name, "").encode()
        hashes[name] = hashlib.sha256(before + b"".join(np.ascontiguousarray(a).tobytes() for a in arrays)).hexdigest()

    for kind, scenes in (
        ("varied", ((scene, (64, 32)) for scene in _varied_scenes())),
        ("worlds", _scenes_of_worlds()),
    ):
        for scene, resolution in scenes:
            rendered = render(scene, resolution, TRUTH)
            for name in ("frames", *TRUTH):
                add(f"{kind}: {name}", getattr(rendered, name))
    add("empty places", empty_place(scene, resolution))
    add("later frames", *(later_frames(scene, (64, 32), ahead) for scene in _varied_scenes() for ahead in (1, 2)))
    video = plaza(num_people=2, passes=1, fps=3.0, resolution=(60, 80))
    add("plaza", video.frames, video.labels)

    yard = walkers.yard(1, num_ids=4, num_frames=2, workers=1, progress=False)
    hashes["yard: fingerprint"] = yard.fingerprint
    everybody = (*yard.train, *yard.query, *yard.gallery)
    add("yard: silhouettes", *(t.silhouettes() for t in everybody))
    for quality in (*QUALITIES, EXTRACTED):
        other = with_masks(yard, quality, progress=False)
        add(f"yard: masks {quality}", *(t.masks() for t in (*other.train, *other.query, *other.gallery)))
    still = with_silhouettes(yard, EXTRACTED, progress=False)
    add("yard: silhouettes extracted", *(t.silhouettes() for t in (*still.train, *still.query, *still.gallery)))
    return hashes


def _dispatched() -> list[str]:
    """The processor's features beyond the least for which numpy is built."""
    from numpy._core._multiarray_umath import __cpu_dispatch__, __cpu_features__

    return [name for name in __cpu_dispatch__ if __cpu_features__[name]]


def _told(cache: str) -> None:
    print(json.dumps([_dispatched(), drawn(cache)]))


def test_a_lesser_processor_draws_the_same(tmp_path, monkeypatch):
    monkeypatch.setenv("LOKY_MAX_CPU_COUNT", "1")  # no further processes
    intel = platform.machine() in ("x86_64", "AMD64")
    least = {
        "NPY_DISABLE_CPU_FEATURES": " ".join(_dispatched()),
        "OPENBLAS_CORETYPE": "Nehalem" if intel else "ARMV8",
        "GLIBC_TUNABLES": "glibc.cpu.hwcaps=-AVX,-AVX2,-FMA,-FMA4",
        "OPENCV_CPU_DISABLE": "AVX,AVX2,FP16,AVX512_SKX" if intel else "",
    }
    code = "import sys; sys.path.insert(0, sys.argv[1]); import test_exact; test_exact._told(sys.argv[2])"
    process = subprocess.Popen(
        [sys.executable, "-W", "ignore", "-c", code, str(Path(__file__).parent), str(tmp_path / "there")],
        stdout=subprocess.PIPE,
        text=True,
        env=os.environ | least,
    )
    monkeypatch.setenv("REIDLIB_CACHE", "")  # `drawn` sets it; this restores it afterwards
    here = drawn(str(tmp_path / "here"))
    output, _ = process.communicate()
    assert process.returncode == 0
    features, there = json.loads(output)
    assert features == []
    assert there == here
    assert len(set(here.values())) == len(here)
