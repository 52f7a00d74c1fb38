import hashlib
import os
import subprocess
import sys
from dataclasses import replace

import numpy as np
import pytest

from reidlib.data.walkers.cameras import Camera, sample_camera
from reidlib.data.walkers.compose import empty_place, later_frames, render
from reidlib.data.walkers.gait import Gait
from reidlib.data.walkers.scene import (
    PARTS,
    BoxError,
    Occluder,
    PasserBy,
    Person,
    Scene,
    sample_box_error,
    sample_occluders,
    sample_passer_by,
    sample_person,
)
from reidlib.data.walkers.skeleton import JOINTS, ground_speed
from reidlib.data.walkers.wardrobe import Outfit, change_clothes

HEAD, TORSO, ARMS, UPPER_LEGS, LOWER_LEGS, FEET, CARRIED = 1, 2, (3, 4), (5, 6), (7, 8), (9, 10), 11
BIG = (128, 64)


def _busy_scene(seed=0, num_frames=6):
    """A scene with everything in it."""
    rng = np.random.default_rng(seed)
    return Scene(
        sample_person(rng),
        sample_camera(rng),
        view=float(rng.uniform(0, 360)),
        num_frames=num_frames,
        phase=float(rng.random()),
        place=float(rng.random()),
        box_error=sample_box_error(rng),
        occluders=sample_occluders(rng, num_frames, 3.0),
        passers_by=(sample_passer_by(rng, sample_person(rng), num_frames),),
        seed=seed,
    )


def test_shapes_and_kinds():
    rendered = render(_busy_scene(), (48, 20), ("parts", "joints", "flow", "clean"))
    assert rendered.frames.shape == (6, 3, 48, 20)
    assert rendered.frames.dtype == np.uint8
    assert rendered.parts.shape == (6, 48, 20)
    assert rendered.parts.dtype == np.uint8
    assert rendered.parts.max() < len(PARTS)
    assert rendered.joints.shape == (6, len(JOINTS), 3)
    assert set(np.unique(rendered.joints[..., 2])) <= {0, 1}
    assert rendered.flow.shape == (6, 2, 48, 20)
    assert rendered.clean.shape == (6, 3, 48, 20)
    plain = render(_busy_scene(), (48, 20), ())
    assert plain.parts is None
    assert plain.joints is None
    assert plain.flow is None
    assert plain.clean is None
    np.testing.assert_array_equal(plain.frames, rendered.frames)
    with pytest.raises(ValueError, match=r"depth.*parts, joints"):
        render(Scene(), truth=("depth",))


def test_the_same_scene_gives_the_same_bytes_in_another_process_with_more_threads():
    here = hashlib.sha256(render(_busy_scene(3)).frames.tobytes()).hexdigest()
    code = (
        "import hashlib, sys; sys.path.insert(0, sys.argv[1])\n"
        "from test_compose import _busy_scene, render\n"
        "render(_busy_scene(4))\n"  # other work before must not matter
        "print(hashlib.sha256(render(_busy_scene(3)).frames.tobytes()).hexdigest())"
    )
    folder = __file__.rsplit("/", 1)[0]
    threads = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), "4")
    command = [sys.executable, "-c", code, folder]
    there = subprocess.run(command, capture_output=True, text=True, check=True, env=os.environ | threads).stdout.strip()
    assert here == there
    assert here != hashlib.sha256(render(replace(_busy_scene(3), seed=99)).frames.tobytes()).hexdigest()


def _plaid(seed):
    person = sample_person(np.random.default_rng(seed))
    cloth = dict(top_pattern="plaid", bottom_pattern="plaid", top_second=(0.9, 0.9, 0.9), bottom_second=(0.1, 0.1, 0.1))
    return replace(person, outfit=replace(person.outfit, **cloth, skirt=False, coat=0.0))


def _sample(picture, x, y):
    """Bilinear values (c, k) of picture (c, H, W) at pixel centres x, y (k,) given as array indices."""
    x0, y0 = np.floor(x).astype(int), np.floor(y).astype(int)
    fx, fy = x - x0, y - y0
    top = picture[:, y0, x0] * (1 - fx) + picture[:, y0, x0 + 1] * fx
    bottom = picture[:, y0 + 1, x0] * (1 - fx) + picture[:, y0 + 1, x0 + 1] * fx
    return top * (1 - fy) + bottom * fy


def _warp_error(rendered, sign):
    """Mean difference of frame t from frame t + 1 at x + sign * flow, on body pixels that land on the same
    part; the number of them.
    """
    errors = []
    _, height, width = rendered.parts.shape
    for t in range(len(rendered.parts) - 1):
        y, x = np.nonzero(rendered.parts[t])
        to_x, to_y = x + sign * rendered.flow[t, 0, y, x], y + sign * rendered.flow[t, 1, y, x]
        inside = (to_x > 0) & (to_x < width - 1) & (to_y > 0) & (to_y < height - 1)
        x, y, to_x, to_y = x[inside], y[inside], to_x[inside], to_y[inside]
        x0, y0 = to_x.astype(int), to_y.astype(int)
        corners = np.stack([rendered.parts[t + 1, y0 + i, x0 + j] for i in (0, 1) for j in (0, 1)])
        same = (corners == rendered.parts[t, y, x]).all(0)
        warped = _sample(rendered.clean[t + 1], to_x[same], to_y[same])
        errors.append(np.abs(warped - rendered.clean[t, :, y[same], x[same]].T).mean(0))
    errors = np.concatenate(errors)
    return errors.mean(), len(errors)


@pytest.mark.parametrize(
    ("view", "motion", "seed"),
    [(0.0, "walking", 0), (90.0, "walking", 1), (90.0, "running", 2), (200.0, "walking", 3)],
)
def test_warping_the_next_frame_back_gives_this_frame(view, motion, seed):
    """In even light, so that a turning limb keeps its brightness; in plaid, so that a wrong flow shows."""
    camera = Camera(contrast=0.0)
    scene = Scene(_plaid(seed), camera, view, motion, num_frames=4, fps=25.0, phase=0.2 * seed)
    rendered = render(scene, (256, 128), ("parts", "flow", "clean"))
    error, count = _warp_error(rendered, 1)
    none, _ = _warp_error(rendered, 0)
    opposite, _ = _warp_error(rendered, -1)
    assert count > 8000
    assert error < 0.016
    assert error < 0.62 * none
    assert error < 0.45 * opposite


def test_flow_at_a_joint_is_the_joint_s_movement():
    """Independent of the rasteriser: a surface point near a joint's centre moves nearly as the joint does."""
    for view in (0.0, 90.0, 225.0):
        scene = Scene(Person(), Camera(), view, num_frames=5, fps=25.0, box_error=BoxError(jitter=0.01), seed=2)
        rendered = render(scene, (256, 128), ("joints", "flow"))
        for t in range(4):
            x, y, visible = rendered.joints[t].T
            seen = visible > 0
            moved = (rendered.joints[t + 1] - rendered.joints[t])[seen, :2]
            flow = rendered.flow[t][:, y[seen].astype(int), x[seen].astype(int)].T
            # The surface of a limb 8 pixels thick that turns by 0.2 rad moves 1.6 pixels more than its axis.
            error, length = np.linalg.norm(flow - moved, axis=1), np.linalg.norm(moved, axis=1)
            assert np.median(error) < 0.8
            assert error.max() < 4.5
            assert length.max() > 4.5


def test_standing_before_a_fixed_box_has_hardly_any_flow():
    rendered = render(Scene(motion="standing", num_frames=6), truth=("parts", "flow"))
    assert np.abs(rendered.flow).max() < 0.1  # a slow sway
    walking = render(Scene(motion="walking", num_frames=6), truth=("parts", "flow"))
    assert np.abs(walking.flow[:, :, 44:]).max() > 2


def test_background_flow_warps_the_street():
    rendered = render(Scene(view=90.0, num_frames=4, fps=25.0), BIG, ("parts", "flow", "clean"))
    for t in range(3):
        y, x = np.nonzero((rendered.parts[t] == 0) & (np.arange(128) < 64)[:, None])
        to_x, to_y = x + rendered.flow[t, 0, y, x], y + rendered.flow[t, 1, y, x]
        assert to_x.mean() - x.mean() > 0.5  # it walks left, the street moves right
        kept = (to_x >= 0) & (to_x < 62) & (to_y >= 0) & (to_y < 126)
        x, y, to_x, to_y = x[kept], y[kept], to_x[kept], to_y[kept]
        free = (
            sum(rendered.parts[t + 1, to_y.astype(int) + i, to_x.astype(int) + j] for i in (0, 1) for j in (0, 1)) == 0
        )
        error = np.abs(
            _sample(rendered.clean[t + 1], to_x[free], to_y[free]) - rendered.clean[t, :, y[free], x[free]].T
        ).mean(0)
        assert np.quantile(error, 0.9) < 0.02  # the rest is the person's soft outline


def test_silhouette_is_the_union_of_the_parts():
    for seed in range(4):
        rendered = render(_busy_scene(seed))
        union = np.zeros(rendered.parts.shape, bool)
        for part in range(1, len(PARTS)):
            union |= np.isin(rendered.parts, part)
        np.testing.assert_array_equal(rendered.silhouettes, union)
        assert set(np.unique(rendered.silhouettes)) <= {0, 1}


def test_visible_joints_lie_inside_the_silhouette():
    count = 0
    for seed in range(12):
        rendered = render(_busy_scene(seed), BIG, ("parts", "joints"))
        frame, joint = np.nonzero(rendered.joints[..., 2])
        x, y = rendered.joints[frame, joint, :2].astype(int).T
        assert (x >= 0).all()
        assert (x < 64).all()
        assert (y >= 0).all()
        assert (y < 128).all()
        assert (rendered.silhouettes[frame, y, x] == 1).all()
        count += len(frame)
    assert count > 300


def test_an_unhidden_person_s_near_side_is_visible():
    rendered = render(Scene(view=90.0, num_frames=12, fps=12.0), BIG, ("parts", "joints"))
    seen = dict(zip(JOINTS, rendered.joints[..., 2].mean(0), strict=True))
    for name in ("head", "neck", "shoulder_l", "elbow_l", "hip_l", "knee_l", "ankle_l"):
        assert seen[name] > 0.85, name
    assert seen["shoulder_r"] < 0.2
    assert seen["hip_r"] < 0.2
    label = {"head": HEAD, "knee_l": (5, 7), "elbow_l": 3, "ankle_l": (7, 9)}
    for name, parts in label.items():
        x, y, visible = rendered.joints[:, JOINTS.index(name)].T
        at = rendered.parts[np.arange(12), y.astype(int), x.astype(int)][visible > 0]
        assert np.isin(at, parts).mean() > 0.8, name


def test_joints_move_with_the_gait_s_period():
    gait = Gait(cadence=120.0)  # one cycle a second
    scene = Scene(Person(gait=gait), view=90.0, num_frames=49, fps=24.0)
    joints = render(scene, (64, 32), ("joints",)).joints[..., :2]
    np.testing.assert_allclose(joints[:25], joints[24:], atol=1e-3)
    ankle = joints[:48, JOINTS.index("ankle_l"), 0]
    assert np.abs(np.fft.rfft(ankle - ankle.mean())).argmax() == 2  # cycles in two seconds


def test_clothes_change_no_joint():
    rng = np.random.default_rng(0)
    for seed in range(3):
        scene = _busy_scene(seed)
        other = replace(scene.person, outfit=change_clothes(scene.person.outfit, rng))
        other = replace(other, outfit=replace(other.outfit, backpack=True, coat=0.9, hat=True))
        before, after = (render(replace(scene, person=p), BIG, ("parts", "joints")) for p in (scene.person, other))
        np.testing.assert_array_equal(before.joints[..., :2], after.joints[..., :2])
        assert (before.parts != after.parts).any()
        assert (before.frames != after.frames).mean() > 0.05


def _dressed(view=180.0, **clothes):
    scene = Scene(Person(outfit=replace(Outfit(), **clothes)), Camera(contrast=0.3), view, num_frames=4)
    return render(scene, BIG, ("parts", "clean"))


def _colour(rendered, part):
    return rendered.clean.transpose(0, 2, 3, 1)[np.isin(rendered.parts, part)].mean(0)


@pytest.mark.parametrize(
    ("thing", "view"), [("backpack", 180.0), ("backpack", 90.0), ("shoulder_bag", 270.0), ("hand_bag", 90.0)]
)
def test_carried_things_are_seen_and_labelled(thing, view):
    without, carrying = _dressed(view), _dressed(view, **{thing: True})
    assert not (without.parts == CARRIED).any()
    assert (carrying.parts == CARRIED).sum((1, 2)).min() > 60
    assert carrying.silhouettes.sum() >= without.silhouettes.sum()


def test_colours_are_where_they_are_worn():
    red, blue = (0.7, 0.1, 0.1), (0.1, 0.15, 0.6)
    rendered = _dressed(top_rgb=red, bottom_rgb=blue)
    top, legs = _colour(rendered, TORSO), _colour(rendered, LOWER_LEGS)
    assert top[0] > 3 * top[1]
    assert top[0] > 3 * top[2]
    assert legs[2] > 2 * legs[0]
    assert legs[2] > 2 * legs[1]


def test_lengths_of_sleeves_and_trousers_show_skin():
    skin = (0.9, 0.6, 0.2)
    long = _dressed(90.0, short_sleeves=False, short_bottoms=False, skin_rgb=skin)
    short = _dressed(90.0, short_sleeves=True, short_bottoms=True, skin_rgb=skin)
    for part in (ARMS, LOWER_LEGS):
        warm = [_colour(r, part)[0] - _colour(r, part)[2] for r in (long, short)]
        assert warm[1] > warm[0] + 0.15


def test_hat_hair_skirt_and_coat_show():
    plain = _dressed(90.0)
    hat = _dressed(90.0, hat=True, hat_rgb=(0.1, 0.7, 0.1))
    assert _colour(hat, HEAD)[1] > _colour(plain, HEAD)[1] + 0.05
    assert (_dressed(90.0, long_hair=True).parts == HEAD).sum() > 1.1 * (plain.parts == HEAD).sum()
    skirt = _dressed(90.0, skirt=True, short_bottoms=True)
    assert np.isin(skirt.parts, UPPER_LEGS).sum() > 1.1 * np.isin(plain.parts, UPPER_LEGS).sum()
    coat = _dressed(180.0, coat=1.0, coat_rgb=(0.6, 0.1, 0.1), short_sleeves=False)
    for part in (TORSO, ARMS, UPPER_LEGS):
        assert _colour(coat, part)[0] > 2 * _colour(coat, part)[2]


@pytest.mark.parametrize("name", ["stripes", "plaid", "logo", "blocks"])
def test_patterns_show(name):
    plain, patterned = (
        _dressed(0.0, top_rgb=(0.1, 0.1, 0.1), top_second=(0.9, 0.9, 0.9), top_pattern=p) for p in ("plain", name)
    )
    spread = [r.clean.mean(1)[r.parts == TORSO].std() for r in (plain, patterned)]
    assert spread[1] > 2 * spread[0]


@pytest.mark.parametrize(("view", "side"), [(0.0, 1), (180.0, -1)])
def test_left_and_right_are_the_persons_own(view, side):
    rendered = render(Scene(view=view, num_frames=8, motion="standing"), BIG)
    column = {part: np.nonzero(rendered.parts == part)[2].mean() for part in range(3, 11)}
    for left in (3, 5, 7, 9):
        assert side * (column[left] - column[left + 1]) > 3  # who faces the camera has the left on the picture's right
    top = np.isin(rendered.parts, UPPER_LEGS).any((0, 2)).argmax()
    halves = [(rendered.parts[:, top : top + 4] == part).sum() for part in UPPER_LEGS]  # of the hips
    assert 0.8 < halves[0] / halves[1] < 1.25 and min(halves) > 50


def test_the_near_side_is_seen_and_the_far_side_hidden():
    for view, near in ((90.0, 0), (270.0, 1)):
        seen = np.bincount(render(Scene(view=view, num_frames=12), BIG).parts.ravel(), minlength=len(PARTS))
        for left in (3, 5):
            assert seen[left + near] > 1.2 * seen[left + 1 - near]


def test_parts_are_in_their_places():
    rendered = render(Scene(view=0.0, num_frames=4), BIG)
    rows = [np.nonzero(np.isin(rendered.parts, part))[1].mean() for part in (HEAD, TORSO, UPPER_LEGS, LOWER_LEGS, FEET)]
    assert rows == sorted(rows)
    assert 0.02 < rendered.silhouettes[:, :64].mean() < rendered.silhouettes.mean() * 2 < 0.9
    head = np.ptp(np.nonzero((rendered.parts == HEAD).any((0, 2)))[0])
    body = np.ptp(np.nonzero((rendered.parts > 0).any((0, 2)))[0])
    assert 0.12 < head / body < 0.21  # head and neck


def test_an_occluder_hides_and_is_not_the_person():
    scene = Scene(num_frames=8, occluders=(Occluder("wall", 2, 5, 0.0, 0.0, 1.5, 1.5),))
    rendered = render(scene, truth=("parts", "joints"))
    hidden = rendered.silhouettes.sum((1, 2))
    assert (hidden[2:6] == 0).all()
    assert (hidden[[0, 1, 6, 7]] > 200).all()
    assert (rendered.joints[2:6, :, 2] == 0).all()
    assert rendered.joints[:2, :, 2].any()
    low = render(replace(scene, occluders=(Occluder("car", 0, 7, 0.0, 0.0, 3.0, 0.4),)))
    assert (low.parts[:, 50:] > 0).sum() < 0.6 * (render(replace(scene, occluders=())).parts[:, 50:] > 0).sum()
    pole = render(replace(scene, occluders=(Occluder("pole", 0, 7, -0.6, 0.6, 0.2, 1.5),)), truth=("clean",)).clean
    free = render(replace(scene, occluders=()), truth=("clean",)).clean
    where = np.array(
        [np.nonzero(np.abs(p - f).max((0, 1)) > 0.05)[0].mean() for p, f in zip(pole[1:7], free[1:7], strict=True)]
    )
    assert (np.diff(where) > 0).all()  # it crosses from left to right


def test_passers_by_before_hide_and_behind_are_hidden():
    alone = Scene(num_frames=4, view=0.0)
    other = Person(outfit=Outfit(top_rgb=(0.9, 0.1, 0.1)))
    scene = [replace(alone, passers_by=(PasserBy(other, 0, 3, 0.05, 0.05, nearer, 0.0),)) for nearer in (-1.0, 1.0)]
    before, behind, front = (render(s, BIG, ("parts", "clean")) for s in (alone, *scene))
    np.testing.assert_array_equal(before.parts, behind.parts)
    assert (behind.clean != before.clean).any()
    assert front.silhouettes.sum() < 0.5 * before.silhouettes.sum()


def test_box_errors_move_the_box():
    scene = Scene(num_frames=6)
    exact, right, down, loose = (
        render(replace(scene, box_error=error), BIG, ("parts", "joints"))
        for error in (BoxError(), BoxError(shift_x=0.2), BoxError(shift_y=0.2), BoxError(scale=0.2))
    )
    np.testing.assert_allclose((exact.joints - right.joints)[..., 0], 0.2 * 64, atol=1e-3)
    np.testing.assert_allclose((exact.joints - down.joints)[..., 1], 0.2 * 128, atol=1e-3)
    assert not (down.parts[:, 30:] == HEAD).any()  # the head is cut off
    spread = [np.ptp(r.joints[..., 1]) for r in (exact, loose)]
    assert spread[1] == pytest.approx(spread[0] / np.exp(0.2), rel=1e-3)
    jitter = render(replace(scene, motion="standing", box_error=BoxError(jitter=0.02)), BIG, ("joints",)).joints
    assert 0.3 < np.std(jitter[:, 0, 1]) < 8


@pytest.mark.parametrize("motion", ["walking", "standing", "running", "riding", "various"])
@pytest.mark.parametrize("view", [0.0, 90.0, 180.0])
def test_every_motion_from_every_side_fits_the_box(motion, view):
    rendered = render(Scene(motion=motion, view=view, num_frames=16, fps=10.0), truth=("parts", "joints"))
    assert (rendered.joints[..., 1] > 0).all()
    assert (rendered.joints[..., 1] < 64).all()
    covered = rendered.silhouettes.mean((1, 2))
    assert (covered > 0.1).all()
    assert (covered < 0.75).all()
    assert ((rendered.parts == CARRIED).any()) == (motion == "riding")


def test_an_empty_place_is_what_is_seen_beside_the_person_under_other_noise():
    scene = replace(_busy_scene(3), passers_by=(), occluders=())
    rendered, empty = render(scene, BIG), empty_place(scene, BIG)
    assert empty.shape == rendered.frames.shape and empty.dtype == np.uint8
    away = np.zeros(BIG, bool)
    away[: BIG[0] // 2] = True  # shadows lie below
    differs = np.abs(rendered.frames.astype(int) - empty).mean(1)
    for difference, silhouette in zip(differs, rendered.silhouettes):
        near = np.zeros(BIG, bool)
        rows, columns = silhouette.nonzero()
        for dy in range(-6, 7):
            for dx in range(-6, 7):
                near[np.clip(rows + dy, 0, BIG[0] - 1), np.clip(columns + dx, 0, BIG[1] - 1)] = True
        assert 0 < difference[away & ~near].mean() < 0.3 * difference[silhouette > 0].mean()
    assert np.array_equal(empty, empty_place(scene, BIG))


def test_an_empty_place_has_the_things_in_it():
    scene = replace(_busy_scene(), passers_by=(), occluders=(Occluder("pole", 0, 5, 0.0, 0.0, 0.3, 1.0, 1),))
    without = empty_place(replace(scene, occluders=()), BIG)
    assert np.abs(empty_place(scene, BIG).astype(int) - without)[..., 24:40].mean() > 10


def _seen_through(picture, offset, ratio):
    """Picture (3, H, W) with the point p from its centre moved to (p + offset) * ratio; NaN from outside."""
    height, width = picture.shape[1:]
    x = (np.arange(width) + 0.5 - width / 2) / ratio - offset[0] + width / 2 - 0.5
    y = (np.arange(height) + 0.5 - height / 2) / ratio - offset[1] + height / 2 - 0.5
    x, y = (a.ravel() for a in np.meshgrid(x, y))
    inside = (x > 0) & (x < width - 1.001) & (y > 0) & (y < height - 1.001)
    out = np.full((3, height * width), np.nan)
    out[:, inside] = _sample(picture, x[inside], y[inside])
    return out.reshape(picture.shape)


@pytest.mark.parametrize(("view", "jitter"), [(90.0, 0.0), (270.0, 0.0), (20.0, 0.0), (130.0, 0.03)])
def test_what_stands_still_moves_against_the_box(view, jitter):
    scene = Scene(view=view, num_frames=8, camera=Camera(noise=0.0), box_error=BoxError(jitter=jitter))
    box, empty = render(scene, BIG, ("box",)).box, empty_place(scene, BIG).astype(float)
    assert box.dtype == np.float32 and box[0, 2] == BIG[0]
    for t in range(7):
        shift, before, after = box[t + 1, :2] - box[t, :2], box[t, 2] / BIG[0], BIG[0] / box[t + 1, 2]
        moved = _seen_through(empty[t], -shift / before, before * after)
        known = ~np.isnan(moved)
        assert known.mean() > 0.5
        error, still = (np.abs(p - empty[t + 1])[known].mean() for p in (moved, empty[t]))
        assert error < 0.35 * still and error < 1.5


def test_a_box_goes_as_the_person_walks():
    scene = Scene(view=90.0, num_frames=9)
    steps = np.diff(render(scene, BIG, ("box",)).box, axis=0)
    metres = ground_speed(scene.person.body, scene.person.gait, "walking") / scene.fps
    tall = scene.person.body.height * 1.05  # of the box, about
    np.testing.assert_allclose(-steps[:, 0] * tall / BIG[0], metres, rtol=0.2)
    np.testing.assert_allclose(steps[:, 1:], 0, atol=1e-3)
    height = {view: render(replace(scene, view=view), BIG, ("box",)).box[:, 2] for view in (0.0, 180.0)}
    assert (np.diff(height[0.0]) > 0).all() and (np.diff(height[180.0]) < 0).all()  # who comes near grows
    standing = render(replace(scene, motion="standing"), BIG, ("box",)).box
    np.testing.assert_allclose(np.diff(standing, axis=0), 0, atol=0.1)  # a slow sway


@pytest.mark.parametrize("view", [0.0, 60.0, 90.0, 180.0])
@pytest.mark.parametrize("ahead", [1, 3])
def test_in_a_fixed_window_the_street_stands_still_and_the_person_walks(view, ahead):
    scene = Scene(view=view, num_frames=8, camera=Camera(noise=0.0))
    rendered, later = render(scene, BIG, ("parts", "box")), later_frames(scene, BIG, ahead)
    empty = empty_place(scene, BIG)
    assert later.shape == rendered.frames.shape and later.dtype == np.uint8
    upper = slice(0, BIG[0] // 2)  # shadows lie below
    for t in range(8):
        then = min(t + ahead, 7)
        shift, before, after = rendered.box[then, :2] - rendered.box[t, :2], rendered.box[t, 2], rendered.box[then, 2]
        expected = _seen_through(rendered.frames[then].astype(float), shift * BIG[0] / after, after / before)
        known = ~np.isnan(expected)
        assert np.abs(later[t] - expected)[known].mean() < 3  # the same picture, through the other box
        differs = np.abs(later[t].astype(int) - empty[t]).max(0)[upper]
        away = np.abs(np.arange(BIG[1]) + 0.5 - BIG[1] / 2 - shift[0] * BIG[0] / before) > 0.2 * BIG[0]
        assert not away.any() or np.median(differs[:, away]) == 0


def test_things_and_others_are_seen_through_a_fixed_window_as_through_their_own():
    scene = _busy_scene(num_frames=8)
    things = (Occluder("bin", 2, 6, -0.6, 0.6, 0.5, 0.4, 1), Occluder("pole", 0, 7, 0.3, 0.3, 0.2, 1.5, 2))
    camera, error = replace(scene.camera, noise=0.0), BoxError(scale=0.3)
    scene = replace(scene, camera=camera, occluders=things, motion="walking", view=80.0, box_error=error)
    rendered, later = render(scene, BIG, ("box",)), later_frames(scene, BIG, 1)
    for t in range(7):
        shift, before, after = rendered.box[t + 1, :2] - rendered.box[t, :2], *rendered.box[[t, t + 1], 2]
        expected = _seen_through(rendered.frames[t + 1].astype(float), shift * BIG[0] / after, after / before)
        known = ~np.isnan(expected)
        assert known.mean() > 0.7 and np.abs(later[t] - expected)[known].mean() < 5
        assert np.abs(later[t].astype(float) - rendered.frames[t + 1])[known].mean() > 8


@pytest.mark.parametrize("view", [0.0, 60.0, 90.0])
def test_flow_in_a_fixed_window_leaves_the_street_where_it_is(view):
    scene = Scene(view=view, num_frames=5, box_error=BoxError(jitter=0.02))
    rendered = render(scene, BIG, ("parts", "box", "flow", "fixed_flow"))
    moving = rendered.fixed_flow.transpose(0, 2, 3, 1)
    assert np.abs(moving[rendered.parts == 0]).max() < 1e-4
    y, x = np.mgrid[: BIG[0], : BIG[1]] + 0.5
    for t in range(4):  # where the flow leads in the next crop, carried by the boxes into this one
        (cx, cy, h), (nx, ny, nh) = rendered.box[t], rendered.box[t + 1]
        to_x = ((x + rendered.flow[t, 0] - BIG[1] / 2) * nh / BIG[0] + nx - cx) * BIG[0] / h + BIG[1] / 2
        to_y = ((y + rendered.flow[t, 1] - BIG[0] / 2) * nh / BIG[0] + ny - cy) * BIG[0] / h + BIG[0] / 2
        np.testing.assert_allclose(rendered.fixed_flow[t], np.stack([to_x - x, to_y - y]), atol=1e-3)
