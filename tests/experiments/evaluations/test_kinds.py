"""Attributes, masks, segments, flow, frames and gaits of networks that are given the truth, or nothing at all."""

from dataclasses import dataclass, replace

import numpy as np
import pytest
import torch

from reidlib.data import walkers
from reidlib.data.tracklets import ArrayFrames, Benchmark, Tracklet
from reidlib.data.walkers.scene import merge_sides
from reidlib.data.walkers.worlds.gaits import with_gaits
from reidlib.experiments import Run
from reidlib.experiments.clips import batches_of
from reidlib.experiments.evaluations import columns_of, measure
from reidlib.models import ModelOutput, Network


@pytest.fixture
def street(new_cache):
    """The first queries of a street of ten people."""
    new_cache()
    whole = walkers.street(0, num_ids=10, workers=1, progress=False)
    return replace(whole, query=whole.query[:6])


def answering(*inputs, **answers):
    """A network that looks at `inputs`; answers: functions from them to attributes or visuals."""

    class Oracle(Network):
        def forward(self, **given):
            found = {name: answer(given) for name, answer in answers.items()}
            attributes = found.pop("attributes", {})
            return ModelOutput(torch.zeros(len(next(iter(given.values()))), 1), attributes=attributes, visuals=found)

    network = Oracle()
    network.inputs = inputs
    return network


def run(kind, **options):
    return Run("oracle", "street", evaluation=kind, num_frames=3, **options)


def test_true_masks_are_found_and_ones_score_chance(street):
    def true(given):
        return (given["parts"] > 0).float()[:, :, None]

    best = measure(answering("parts", mask=true), street, run("masks"), False)
    scores = best.scores["mask"]
    assert (scores["IoU"], scores["average precision"], scores["pointing"]) == (1, 1, 1)
    all_ones = answering("frames", mask=lambda g: torch.ones_like(g["frames"][:, :, :1]))
    ones = measure(all_ones, street, run("masks"), False)
    assert ones.scores["mask"]["IoU"] == ones.scores["mask"]["chance"] == scores["chance"] < 0.7
    first = street.query[0]
    shares = [(first.truth("parts", [len(first) * k // 6]) > 0).mean() for k in (1, 3, 5)]
    assert ones.cases["mask"]["chance"][0] == pytest.approx(np.mean(shares[:3]), abs=1e-4)
    assert len(ones.cases["mask"]["IoU"]) == len(street.query)


def test_every_mask_has_its_group_beside_one_that_knows_nothing(street):
    def true(given):
        return (given["parts"] > 0).float()[:, :, None]

    network = answering("parts", **{"mask one": true, "mask other": lambda g: 1 - true(g), "maskless": true})
    found = measure(network, street, run("masks"), False)
    assert found.scores.keys() == {"mask one", "mask other", "centred Gaussian"}
    assert found.cases.keys() == {"mask one", "mask other"}
    assert found.scores["mask one"]["best IoU"] == 1 > found.scores["mask other"]["best IoU"]
    prior = found.scores["centred Gaussian"]
    assert prior["chance"] + 0.1 < prior["average precision"] < 1 and prior["best IoU"] > prior["chance"]


def test_true_segments_under_other_numbers_are_found(street):
    def renamed(given):
        return torch.nn.functional.one_hot((given["parts"].long() + 3) % 12, 12).permute(0, 1, 4, 2, 3).float()

    def merged(given):
        together = torch.from_numpy(merge_sides(given["parts"].cpu().numpy())).long()
        return torch.nn.functional.one_hot(together, 8).permute(0, 1, 4, 2, 3).float()

    def flickering(given):
        labels = given["parts"].long()
        background = 12 + torch.arange(labels.shape[1])[:, None, None] % 2
        labels = torch.where(labels == 0, background, labels)
        return torch.nn.functional.one_hot(labels, 14).permute(0, 1, 4, 2, 3).float()

    network = answering("parts", segments=renamed)
    found = measure(network, street, run("segments"), False).scores
    scores, together = found["segments"], found["segments, sides merged"]
    assert (scores["mean IoU"], scores["pixel accuracy"], scores["IoU of left foot"]) == (1, 1, 1)
    assert together["IoU of torso"] == 1 > together["IoU of arms"] > 0.4  # one side of them
    found = measure(answering("parts", segments=merged), street, run("segments"), False).scores
    assert found["segments, sides merged"]["mean IoU"] == found["segments"]["IoU of torso"] == 1
    assert found["segments"]["mean IoU"] < 0.75
    assert found["segments, sides merged"]["foreground IoU"] == together["foreground IoU"] == 1
    assert "consistency" not in scores
    dense = run("segments", test_sampling="dense")
    followed = measure(network, street, dense, False).scores["segments"]["consistency"]
    still = answering("frames", segments=lambda g: torch.eye(8)[0].expand(*g["frames"].shape[:2], 8)[..., None, None])
    assert 0.8 < followed < measure(still, street, dense, False).scores["segments"]["consistency"] == 1
    flicker = measure(answering("parts", segments=flickering), street, dense, False).scores["segments"]["consistency"]
    assert flicker == followed  # the background does not count
    assert "consistency" in columns_of(dense) and "consistency" not in columns_of(run("segments"))


def test_true_flow_has_no_error(street):
    found = measure(answering("flow", flow=lambda g: g["flow"]), street, run("flow"), False)
    assert found.scores["flow"]["end-point error"] == 0 < found.scores["flow"]["of no motion"]
    assert found.units == {"end-point error": "pixels", "of no motion": "pixels"}
    still = measure(answering("flow", flow=lambda g: 0 * g["flow"]), street, run("flow"), False).scores["flow"]
    assert still["end-point error"] == still["of no motion"] == found.scores["flow"]["of no motion"]


def test_flow_is_measured_in_the_windows_of_the_run(street):
    fixed = run("flow", next_frames=1, windows="fixed")
    found = measure(answering("fixed_flow", flow=lambda g: g["fixed_flow"]), street, fixed, False).scores["flow"]
    assert found["end-point error"] == 0
    tracked = measure(answering("flow", flow=lambda g: g["flow"]), street, run("flow"), False).scores["flow"]
    assert tracked["end-point error"] == 0 and tracked["of no motion"] != found["of no motion"] > 0
    with pytest.raises(ValueError, match="time_step=2: the true flow is that to the very next frame; measure with 1"):
        measure(answering("flow", flow=lambda g: g["flow"]), street, run("flow", time_step=2), False)


def test_repeating_the_last_frame_scores_what_repeating_it_scores(street):
    def repeated(given):
        return given["frames"][:, :, None].expand(-1, -1, 2, -1, -1, -1)

    kind = run("frames", next_frames=2, time_step=3)
    found = measure(answering("frames", next_frames=repeated), street, kind, False)
    assert found.scores["frames"] == found.scores["frames, last repeated"] and found.units["PSNR"] == "dB"
    assert 5 < found.scores["frames"]["PSNR"] < 60 and found.cases.keys() == {"frames", "frames, last repeated"}
    assert len(found.cases["frames"]["PSNR"]) == len(street.query)  # the mean of each clip
    assert np.mean(found.cases["frames"]["PSNR"]) == pytest.approx(found.scores["frames"]["PSNR"], abs=1e-4)
    steps = [found.scores[f"step {step}"]["SSIM"] for step in (1, 2)]
    assert np.mean(steps) == pytest.approx(found.scores["frames"]["SSIM"], abs=1e-5) and steps[0] > steps[1]
    assert found.scores["frames"]["background error"] > 0
    assert columns_of(kind).keys() > {
        f"{score}, step 2" for score in ("PSNR", "SSIM", "last repeated foreground error")
    }
    assert all(score in found.scores[group] for group, score in columns_of(kind).values())
    knowing = measure(answering("next_frames", next_frames=lambda g: g["next_frames"]), street, kind, False).scores
    assert knowing["frames"]["SSIM"] == 1 and knowing["frames"]["foreground error"] == 0
    assert knowing["frames, last repeated"] == found.scores["frames"]


@dataclass(frozen=True)
class Ahead:
    """Successors in fixed windows of somebody who walks a pixel a frame to the right."""

    columns: np.ndarray  # (n, 3, H, W), somebody in column 8
    key: str = "ahead"

    def __call__(self, indices, count, time_step):
        moved = [np.roll(self.columns[indices], time_step * step, axis=3) for step in range(1, count + 1)]
        return np.stack(moved, axis=1)


@pytest.fixture
def column(new_cache):
    """`column(moving)`: a benchmark of a white column on black, in four frames of 16 × 16, which moves a pixel a frame
    to the right, from the eighth on; or stays in the eighth of boxes that move so."""
    new_cache()

    def make(moving):
        parts = np.zeros((4, 16, 16), np.uint8)
        for t in range(4):
            parts[t, :, 8 + t * moving] = 1
        frames = np.repeat(255 * parts[:, None], 3, axis=1)
        box = np.array([[100.0 + t * (not moving), 50, 16] for t in range(4)], np.float32)
        source = ArrayFrames(frames, parts, truth={"box": box})
        later = None if moving else Ahead(frames)
        tracklet = Tracklet(1, 1, source, later=later)
        return Benchmark((tracklet,), (tracklet,), (tracklet,), "all", "column", "column")

    return make


@pytest.mark.parametrize("windows", ["tracked", "fixed"])
def test_the_person_is_where_it_was_and_where_it_comes_to(column, windows):
    """Two of sixteen columns, both wrong if the last frame is repeated, one of them if nobody is drawn."""
    benchmark, kind = column(windows == "tracked"), run("frames", next_frames=1, windows=windows)

    def drawn(how):
        network = answering("frames", next_frames=lambda given: how(given["frames"][:, :, None]))
        return measure(network, benchmark, kind, False).scores["frames"]

    repeated, nobody = drawn(torch.clone), drawn(torch.zeros_like)
    assert (repeated["foreground error"], repeated["background error"]) == (1, 0)
    assert (nobody["foreground error"], nobody["background error"]) == (0.5, 0)
    assert repeated["PSNR"] == pytest.approx(-10 * np.log10(2 / 16)) == pytest.approx(nobody["PSNR"] - 10 * np.log10(2))


def test_frames_are_judged_from_as_many_starts_as_the_network_has(column):
    def from_the_first(given):  # the first frame's two successors, without error
        return torch.stack([given["frames"][:, 0].roll(step, 3) for step in (1, 2)], dim=1)[:, None]

    network = answering("frames", next_frames=from_the_first)
    found = measure(network, column(True), replace(run("frames", next_frames=2), num_frames=2), False)
    assert found.scores["frames"]["foreground error"] == 0
    assert found.scores["frames, last repeated"]["foreground error"] == 1
    assert found.cases["frames"]["SSIM"] == [1.0]
    more = answering("frames", next_frames=lambda given: torch.zeros(1, 3, 2, 3, 16, 16))
    with pytest.raises(ValueError, match="found shapes .1, 3, 2, 3, 16, 16. and .1, 2, 2, 3, 16, 16."):
        measure(more, column(True), replace(run("frames", next_frames=2), num_frames=2), False)


def test_a_clip_without_the_person_has_no_mean_there(column):
    whole = column(True)
    nobody = ArrayFrames(np.zeros((4, 3, 16, 16), np.uint8), np.zeros((4, 16, 16), np.uint8))
    empty = replace(whole.query[0], source=nobody)
    network = answering("frames", next_frames=lambda given: given["frames"][:, :, None])
    found = measure(network, replace(whole, query=(*whole.query, empty)), run("frames", next_frames=1), False)
    assert found.scores["frames"]["foreground error"] == 1
    assert found.cases["frames"]["foreground error"] == [1.0, None]
    assert found.cases["frames"]["PSNR"] == [pytest.approx(9.0309, abs=1e-4), 100.0]


def test_images_that_are_drawn_again_are_compared_with_themselves(street):
    def same(given):
        return given["frames"]

    found = measure(answering("frames", reconstruction=same), street, run("reconstructions"), False)
    assert found.scores == {"reconstructions": {"PSNR": 100.0, "SSIM": 1.0}} and found.units == {"PSNR": "dB"}
    assert len(found.cases["reconstructions"]["PSNR"]) == 3 * len(street.query)
    grey = answering("frames", reconstruction=lambda g: torch.full_like(g["frames"], 0.5))
    scores = measure(grey, street, run("reconstructions"), False).scores["reconstructions"]
    pixels = [t.frames([len(t) * k // 6 for k in (1, 3, 5)]) / 255 for t in street.query]
    expected = np.mean([-10 * np.log10(((frame - 0.5) ** 2).mean()) for clip in pixels for frame in clip])
    assert scores["PSNR"] == pytest.approx(expected, abs=1e-3) and scores["SSIM"] < 0.3


def test_probes_read_the_gait_off_features_that_hold_it(street):
    """f_M is the truth in other units, with a constant beside; f_B is noise."""

    class Knowing(Network):
        inputs = ("frames", "gait")

        def forward(self, frames, gait):
            middle = gait[:, gait.shape[1] // 2].nan_to_num().float()
            features = {"motion": torch.cat([3 * middle - 1, torch.ones(len(gait), 1)], dim=1)}
            noise = torch.Generator().manual_seed(len(gait))
            features["backbone"] = torch.rand(len(gait), 4, generator=noise)
            return ModelOutput(middle, features | {"global": middle})

    whole = replace(street, query=street.everybody)
    found = measure(Knowing(), whole, run("probes"), False)
    assert found.scores.keys() == {"motion", "backbone"} == found.cases.keys()
    assert min(found.scores["motion"].values()) > 0.95 and max(found.scores["backbone"].values()) < 0.3
    frames = [np.array([len(t) * k // 6 for k in (1, 3, 5)]) for t in whole.query]
    walks = [np.ptp(t.truth("gait", i)[:, 0]) == 0 for t, i in zip(with_gaits(whole.query), frames)]
    errors = found.cases["motion"]
    assert errors.keys() == {"cadence", "stride length", "sine of phase", "cosine of phase"}
    assert {len(values) for values in errors.values()} == {sum(walks)} and 0 < sum(walks) < len(walks)
    assert columns_of(run("probes"))["motion, phase"] == ("motion", "phase")


def test_attributes_are_compared_with_the_annotation(street):
    def attributes(given):
        count = len(given["frames"])
        black = -torch.arange(9.0).expand(count, 9)
        return {"gender": torch.ones(count, 1), "top color": black, "unknown": torch.ones(count, 2)}

    found = measure(answering("frames", attributes=attributes), street, run("attributes"), False)
    assert found.scores.keys() == {"attributes", "attribute gender", "attribute top color"}
    genders = np.array([t.attributes["gender"] for t in street.query])
    known = genders[genders >= 0]
    assert found.scores["attribute gender"]["accuracy"] == pytest.approx((known == 1).mean())
    assert found.cases["attribute top color"]["predicted"] == [0] * len(street.query)
    names = ("attribute gender", "attribute top color")
    mean = np.mean([found.scores[name]["balanced accuracy"] for name in names])
    assert found.scores["attributes"]["balanced accuracy"] == pytest.approx(mean, abs=1e-6)


def test_pseudo_labels_are_right_frame_by_frame_and_on_average(street):
    """A recogniser that is sure of two frames in three that everybody is a man, and never that anybody is a woman."""

    def probabilities(given):
        said = torch.full((*given["frames"].shape[:2], 3), 0.1)
        said[:, (0, 2), 0] = 0.9
        return said

    def attributes(given):
        return {name: torch.zeros(len(given["frames"]), 1) for name in ("personalMale", "personalFemale", "hairBald")}

    network = answering("frames", probabilities=probabilities, attributes=attributes)
    found = measure(network, street, run("pseudo-labels"), False)
    genders = np.array([t.attributes["gender"] for t in street.query])
    men = (genders == 0).mean()
    male = {"frame by frame": 2 / 3 * men + 1 / 3 * (1 - men), "averaged": men}
    for group, accuracy in male.items():  # hairBald is none of MARS's columns
        assert found.scores[group]["accuracy"] == pytest.approx((accuracy + men) / 2, abs=1e-6)
    assert found.cases["gender 1"]["code"] == (genders == 1).astype(int).tolist()
    assert found.cases["gender 0"]["mean"] == [pytest.approx(1.9 / 3, abs=1e-4)] * len(genders)


@pytest.mark.parametrize(
    ("kind", "message"),
    [
        ("pseudo-labels", r"oracle: expected visuals.*probabilities"),
        ("masks", "oracle shows no mask"),
        ("mask-segments", "oracle shows no mask"),
        ("segments", "oracle shows no segments"),
        ("flow", "oracle shows no flow"),
        ("frames", "expected visuals.*next_frames=0 successors, found shapes None and None"),
        ("reconstructions", r"oracle: expected visuals.*reconstruction"),
        ("probes", "oracle has none of the features backbone, appearance, motion"),
        ("attributes", "oracle predicts no attribute that the queries of street have"),
    ],
)
def test_a_network_that_does_not_answer_is_refused(street, kind, message):
    with pytest.raises(ValueError, match=message):
        measure(answering("frames"), street, run(kind), False)
    assert columns_of(run(kind))


def test_in_fixed_windows_the_person_moves_on(street):
    def repeated(given):
        return given["frames"][:, :, None]

    tracked, fixed = (
        measure(answering("frames", next_frames=repeated), street, run("frames", next_frames=1, windows=windows), False)
        for windows in ("tracked", "fixed")
    )
    assert fixed.scores["frames"]["foreground error"] > 1.2 * tracked.scores["frames"]["foreground error"]
    kind = run("frames", next_frames=1, windows="fixed")
    knowing = measure(answering("next_frames", next_frames=lambda g: g["next_frames"]), street, kind, False).scores
    assert knowing["frames"]["SSIM"] == 1 and knowing["frames, last repeated"] == fixed.scores["frames"]
    plain = run("frames", next_frames=1)
    [batch] = batches_of(street.query, answering("frames"), kind)  # nobody looks at the successors
    assert torch.equal(
        batch.next_frames,
        next(iter(batches_of(street.query, answering("frames"), plain))).next_frames,
    )
