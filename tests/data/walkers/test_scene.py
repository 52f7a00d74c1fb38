import numpy as np
import pytest

from reidlib.data.walkers.scene import (
    MERGED_PARTS,
    OCCLUDERS,
    PARTS,
    BoxError,
    Occluder,
    PasserBy,
    Scene,
    merge_sides,
    mirror_sides,
    sample_box_error,
    sample_occluders,
    sample_passer_by,
    sample_person,
)


def test_what_cannot_be_rendered_is_refused():
    with pytest.raises(ValueError, match="at least one frame"):
        Scene(num_frames=0)
    with pytest.raises(ValueError, match=r"flying.*walking"):
        Scene(motion="flying")
    with pytest.raises(ValueError, match=r"cloud.*pole"):
        Scene(occluders=(Occluder("cloud", 0, 1, 0, 0, 1, 1),))


def test_severity_zero_disturbs_nothing():
    rng = np.random.default_rng(0)
    assert sample_box_error(rng, 0.0) == BoxError()
    usual, twice = (sample_box_error(np.random.default_rng(1), severity) for severity in (1.0, 2.0))
    assert twice.drift == 2 * usual.drift > 0
    assert all(sample_occluders(rng, 20, 0.0) == () for _ in range(50))


def test_occluders_come_as_often_as_said_and_stay_in_one_piece():
    drawn = [sample_occluders(np.random.default_rng(i), 20) for i in range(600)]
    assert np.mean([len(d) for d in drawn]) == pytest.approx(0.33, abs=0.06)
    present = [o for d in drawn for o in d]
    assert {o.kind for o in present} == set(OCCLUDERS)
    assert all(0 <= o.first <= o.last < 20 for o in present)
    assert all(len(sample_occluders(np.random.default_rng(i), 20, 3.1)) == 1 for i in range(50))


def test_passers_by_are_there_during_the_tracklet():
    for i in range(100):
        rng = np.random.default_rng(i)
        passer = sample_passer_by(rng, sample_person(rng), 15)
        assert isinstance(passer, PasserBy)
        assert 0 <= passer.first <= passer.last < 15
        assert 0.3 < abs(passer.nearer) < 1.7


def test_the_same_seed_draws_the_same_person():
    one, two = (sample_person(np.random.default_rng(5)) for _ in range(2))
    assert one == two != sample_person(np.random.default_rng(6))


def test_merged_and_mirrored_parts_are_those_of_the_names():
    def merged(name):
        limb = name.removeprefix("left ").removeprefix("right ")
        return limb if limb == name else {"foot": "feet"}.get(limb, f"{limb}s")

    def mirrored(name):
        return name.replace("left", "!").replace("right", "left").replace("!", "right")

    codes = np.arange(len(PARTS)).reshape(3, 4)
    assert [MERGED_PARTS[i] for i in merge_sides(codes).ravel()] == [merged(name) for name in PARTS]
    assert [PARTS[i] for i in mirror_sides(codes).ravel()] == [mirrored(name) for name in PARTS]
    assert merge_sides(codes).dtype == mirror_sides(codes).dtype == np.uint8 and merge_sides(codes).shape == (3, 4)
