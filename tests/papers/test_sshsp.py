"""SS-HSP: the losses of both stages, that rows hold what the paper reports, and that controls differ in one thing."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from reidlib.data import export, walkers
from reidlib.data.batches import ClipBatch
from reidlib.experiments import Row, Setting, rows_of
from reidlib.experiments.evaluations import columns_of
from reidlib.experiments.features import load_features
from reidlib.experiments.records import records_of
from reidlib.experiments.sources import open_benchmark
from reidlib.experiments.train import Resources, train
from reidlib.losses import batch_hard_triplet_loss, identity_loss
from reidlib.losses.parsing import concentration_loss, reconstruction_loss
from reidlib.losses.splines import ThinPlateSpline
from reidlib.models import create_model
from reidlib.models.part_motion import Parts, back_warp, positions
from reidlib.papers.recipes import best, search
from reidlib.papers.reported import reported_table
from reidlib.papers.sshsp import claims as names
from reidlib.papers.sshsp import rows as sshsp
from reidlib.papers.sshsp import training
from reidlib.papers.sshsp.training import ADDED_TERMS, PAPER_TERMS

SIZE = (64, 32)
QUIET = Resources(progress=False)


def rows(scale="mini"):
    return {(row.table, row.label): row.run for row in rows_of("sshsp", scale)}


@pytest.fixture
def batch():
    torch.manual_seed(1)
    four = torch.arange(4)
    return ClipBatch(
        frames=torch.rand(4, 2, 3, 64, 32),
        next_frames=torch.rand(4, 2, 1, 3, 64, 32),
        labels=torch.tensor([0, 0, 3, 3]),
        **{"tracklets": four, "person_ids": four, "camera_ids": four, "views": four, "conditions": ("",) * 4},
    )


def test_all_of_stage_1_learns_and_its_terms_are_weighed_once(batch):
    model = create_model("parsing", scale="mini")
    plan = training.parsing_training(Setting(model, replace(sshsp.PARSING, iterations=2), None))
    terms = plan.objective(model, batch)["network"]
    assert terms.keys() == {*PAPER_TERMS, *ADDED_TERMS} and plan.weights["network"] == ADDED_TERMS
    parameters = plan.optimisers["network"].param_groups[0]["params"]
    gradients = torch.autograd.grad(sum(terms.values()), parameters)
    assert len(gradients) == len(list(model.parameters())) and all(g.isfinite().all() and g.any() for g in gradients)


def test_either_frame_of_a_pair_is_foreseen_and_the_prior_binds_the_one_whose_box_it_is(batch, monkeypatch):
    model = create_model("parsing", scale="mini").eval()
    boxed, other = batch.frames.flatten(0, 1), batch.next_frames[:, :, 0].flatten(0, 1)
    pairs, pair, bound = [], model.pair, []
    monkeypatch.setattr(model, "pair", lambda *frames: pairs.append(frames) or pair(*frames))
    monkeypatch.setattr(training, "prior_loss", lambda maps, prior: bound.append(maps) or maps.sum())
    torch.manual_seed(0)
    training.parsing_losses(model, batch, ("prior",))
    [(frames, following)], [maps] = pairs, bound
    turned = [torch.equal(frame, b) for frame, b in zip(frames, other)]
    assert {*turned} == {True, False}
    for i, of_other in enumerate(turned):
        assert torch.equal(frames[i], (other if of_other else boxed)[i])
        assert torch.equal(following[i], (boxed if of_other else other)[i])
    torch.testing.assert_close(maps, model.segmentation(boxed).maps, rtol=1e-3, atol=1e-4)


def test_terms_can_be_left_out_and_unknown_ones_are_refused(batch):
    model = create_model("parsing", scale="mini")
    run = replace(
        sshsp.PARSING, iterations=2, training_options={"terms": ("concentration", "prior"), "anchored": False}
    )
    plan = training.parsing_training(Setting(model, run, None))
    assert list(plan.objective(model, batch)["network"]) == ["concentration", "prior"]
    assert plan.weights == {"network": {"prior": ADDED_TERMS["prior"]}}
    for options in ({"terms": ("x",)}, {"weights": {"x": 2.0}}):
        with pytest.raises(ValueError, match="terms=.'x'.: expected some of"):
            training.parsing_training(Setting(model, replace(run, training_options=options), None))


def test_terms_can_be_given_other_weights(batch):
    model, options = create_model("parsing", scale="mini"), {"weights": {"reconstruction": 5.0, "prior": 1.0}}
    plan = training.parsing_training(Setting(model, replace(sshsp.PARSING, training_options=options), None))
    assert plan.weights == {"network": {**ADDED_TERMS, "reconstruction": 5.0, "prior": 1.0}}


def test_equation_8_in_pixels_is_1024_times_that_in_half_heights():
    maps = training.body_prior(3)[None]
    places = positions(*SIZE, maps)
    in_pixels = concentration_loss(maps, places * 32)  # half of 64
    assert in_pixels.item() == pytest.approx(sshsp.SQUARED_PIXELS * concentration_loss(maps, places).item(), rel=1e-4)


def test_pixels_count_as_much_as_perceptual_maps_at_first(new_cache):
    """On rendered people, of networks that have learned nothing: one has twice as much as another."""
    new_cache()
    people = walkers.street(0, num_ids=10, workers=1, progress=False).train[:8]
    frames, following = (torch.from_numpy(np.concatenate([t.frames([i]) for t in people])) / 255 for i in (3, 5))
    judge = create_model("perceptual", scale="mini", weights="walkers").eval()
    times = []
    for seed in range(8):
        torch.manual_seed(seed)
        with torch.no_grad():
            predicted = create_model("parsing", scale="mini").pair(frames, following).predicted
            perceptual = reconstruction_loss(predicted, following, judge.maps)
            times.append(perceptual / reconstruction_loss(predicted, following, lambda image: [image]))
    assert torch.stack(times).log().mean().exp().item() == pytest.approx(sshsp.PIXELS_COUNT, rel=0.25)


def test_equation_7_is_zero_for_parts_that_move_with_the_frame(monkeypatch):
    """Deformed frames whose maps, shifts and affines are what the spline makes of them; then each of them moved."""
    torch.manual_seed(0)
    spline = ThinPlateSpline.draw(2, 0.5)
    monkeypatch.setattr(ThinPlateSpline, "draw", lambda *arguments: spline)
    z = positions(*SIZE, torch.zeros(()))
    there = spline.points(z.flatten(1).mT.expand(2, -1, -1)).mT.unflatten(2, SIZE)
    maps = torch.stack([z[0], z[1], z[0] * z[1]]).softmax(0).expand(2, -1, -1, -1)
    shifts, affines = 0.3 * torch.rand(2, 2, 2), torch.eye(2) + 0.1 * torch.randn(2, 2, 2, 2)
    deformed = Parts(back_warp(maps, there), shifts, affines)
    found = Parts(maps, spline.points(shifts), spline.jacobian(shifts) @ affines)

    def loss(deformed):
        return float(training.equivariance_loss(lambda frames: deformed, torch.rand(2, 3, *SIZE), found))

    assert loss(deformed) == pytest.approx(0, abs=1e-6)
    assert loss(deformed._replace(maps=maps.flip(1))) > 0.01
    assert loss(deformed._replace(shifts=shifts + 0.1)) > 0.01
    assert loss(deformed._replace(affines=affines + 0.1)) > 0.01


def test_colours_change_and_places_do_not():
    torch.manual_seed(0)
    frames = torch.zeros(20, 3, 8, 8)
    frames[:, 0, 2:4] = 0.5
    changed = training.recoloured(frames)
    assert changed.shape == frames.shape and changed.min() >= 0 and changed.max() <= 1
    assert (changed[:, :, 2:4] - changed[:, :, 2:3, :1]).abs().max() < 1e-6 and changed[:, 0, 2].std() > 0.01


def test_the_prior_is_a_person_whose_parts_lie_one_above_another():
    prior, plain = training.body_prior(6), training.body_prior(6, anchored=False)
    for maps in (prior, plain):
        torch.testing.assert_close(maps.sum(0), torch.ones(SIZE))
        assert maps[-1, 0, 0] > 0.95 and maps[-1, 32, 16] < 0.2
    torch.testing.assert_close(prior[-1], plain[-1])
    y = positions(*SIZE, prior)[1]
    centres = (prior[:-1] * y).sum((1, 2)) / prior[:-1].sum((1, 2))
    assert (centres.diff() > 0.1).all() and torch.equal(plain[0], plain[5])


def test_the_photometric_error_is_that_of_each_flow():
    frames = torch.rand(1, 3, *SIZE)
    z = positions(*SIZE, frames)
    right = z + torch.tensor([2 * 2 / 64, 0.0])[:, None, None]  # two pixels
    pair = training.Pair(None, None, torch.stack([z, right])[None], None, None)
    errors = training._errors(frames, frames.roll(-2, 3), pair)
    assert errors.shape == (1, 3, *SIZE)
    assert errors[:, 1, :, :-2].max() < 1e-4 < 0.1 < errors[:, 0].mean()
    torch.testing.assert_close(errors[:, 0], errors[:, 2], rtol=0, atol=1e-4)  # neither moves


def test_stage_2_has_the_mean_identification_loss_and_a_triplet_loss_of_all_features(batch):
    model = create_model("sshsp", num_ids=5, num_frames=2, scale="mini").eval()
    terms = training.whole_losses(model, batch, ("identity", "triplet"))["network"]
    output = model(frames=batch.frames, next_frames=batch.next_frames)
    each = [identity_loss(output.logits[name], batch.labels) for name in output.features if name != "motion"]
    assert len(each) == 8
    torch.testing.assert_close(terms["identity"], torch.stack(each).mean())
    torch.testing.assert_close(terms["triplet"], batch_hard_triplet_loss(output.embedding, batch.labels, 0.3))
    for name in ("identity", "triplet"):
        assert list(training.whole_losses(model, batch, (name,))["network"]) == [name]


def test_at_paper_scale_the_setting_is_section_4_1_s():
    run = rows("paper")["1", names.WHOLE]
    assert (run.ids_per_batch, run.clips_per_id, run.num_frames, run.learning_rate) == (16, 4, 8, 3e-4)
    assert (run.erasing, run.flip, run.model_options["num_frames"], run.windows, run.time_step) == (
        0.3,
        0.5,
        8,
        "tracked",
        1,
    )
    [part] = run.parts
    assert (part.into, part.out_of, part.frozen) == ("segmentation", "segmentation", False)
    assert part.run.training_options["terms"] == PAPER_TERMS and part.run.model_options == {"visibility": "learned"}
    for stage, one, drops in (("parsing", part.run, (40, 80)), ("whole", run, (150, 300))):
        epochs = training.EPOCHS[stage][0]
        assert one.iterations == epochs * (8298 // 64)
        plan = training._plan(Setting(torch.nn.Linear(1, 1), one, None), stage, None, {})
        schedule = plan.schedules["network"]
        for number, drop in enumerate(drops):
            at = one.iterations * drop // epochs
            assert (schedule(at - 1), schedule(at)) == pytest.approx((0.1**number, 0.1 ** (number + 1)))
        assert plan.optimisers["network"].defaults["weight_decay"] == 5e-4
    [judge] = part.run.parts
    assert judge.beside == "perceptual" and judge.run.model_options["network"] == "vgg19"


@pytest.mark.parametrize("scale", ["mini", "paper"])
@pytest.mark.parametrize("table", ["1", "2", "3", "4"])
def test_every_reported_cell_has_a_run_but_those_of_other_systems(table, scale):
    numbers = reported_table("sshsp", table)
    runs = {row.label: {*(row.columns or columns_of(row.run))} for row in rows_of("sshsp", scale) if row.table == table}
    for label in numbers.index:
        assert label in runs if table in ("3", "4") or label == names.WHOLE else label not in runs
        if label in runs:
            assert runs[label] == set(numbers.columns)


def test_cells_of_claims_are_measured_under_six_seeds_or_more_but_for_longer_trainings():
    seeds = {(row.table, row.label): row.seeds for row in rows_of("sshsp")}
    for claim in names.CLAIMS:
        fewest = 3 if claim.table == names.LENGTH else 6
        assert min(seeds[claim.table, label] for label, _ in (*claim.left, *claim.right)) >= fewest
        assert not claim.control or (claim.table, claim.control) in seeds
    texts = [claim.text for claim in names.CLAIMS]
    assert len(set(texts)) == len(texts) and {*names.MAIN} <= {*texts}


def test_headline_rows_of_table_3_and_their_controls_have_ten_seeds():
    seeds = {row.label: row.seeds for row in rows_of("sshsp") if row.table == "3"}
    for claim in (c for c in names.PAPER if c.table == "3"):
        assert {seeds[label] for label in (claim.left[0][0], claim.right[0][0], claim.control)} == {10}


def test_a_control_differs_from_what_it_controls_in_one_thing(differing):
    found = rows()
    of_parts = found["3", names.PART]
    for label in (names.STRIPES, names.ELLIPSE, names.RANDOM, names.TRUE):
        assert differing(found["3", label], of_parts) == {"model_options", "parts"}
        assert {**found["3", label].model_options, "parts": 0} == {**of_parts.model_options, "parts": 0}
    assert differing(found["3", names.LITERAL_PARTS], of_parts) == {"parts"}
    for label in (names.ZERO, names.MEAN, names.SHUFFLED, names.LITERAL):
        assert differing(found["3", label], found["3", names.MOTION]) == {"model_options"}
    assert differing(found["3", names.FIXED], found["3", names.MOTION]) == {"windows"}
    assert differing(found["3", names.ALONE], found["3", names.RELATION]) == {"model_options"}
    assert differing(found["3", names.TUNED], found["3", names.RELATION]) == {"parts", "evaluation"}
    assert differing(found["4", names.MOTIONLESS_NO_TRI], found["4", names.MOTIONLESS]) == {"training_options"}
    assert (
        found["1", names.WHOLE] == found["3", names.RELATION] == found["4", names.WHOLE] == found["Figure 4a", "K = 6"]
    )


def test_a_control_of_stage_1_differs_in_one_thing(differing):
    found = rows()
    trained = {label: run.parts[0].run for (table, label), run in found.items() if table == names.TAKES and run.parts}
    for label, other, fields in (
        (names.TRACKED_APART, names.TRACKED, {"time_step", "learning_rate"}),
        (names.PAPER_LOSSES, names.TRACKED_APART, {"windows"}),
        (names.GEO_IN_PIXELS, names.PAPER_LOSSES, {"training_options"}),
        (names.DETACHED, names.PAPER_LOSSES, {"model_options"}),
        (names.PIXELS, names.ALL, {"training_options", "parts"}),
    ):
        assert differing(trained[label], trained[other]) == fields
    for parts in (names.ALL, names.ONLY_ELLIPSE):
        as_it_is = found["parts, disturbances", f"{parts}, as it is"]
        assert as_it_is == found[names.TAKES, parts]
        for world in ("nothing in the way", "true boxes", "nothing in the way, true boxes"):
            calm = found["parts, disturbances", f"{parts}, {world}"]
            assert differing(as_it_is, calm) == {"test_data", "test_data_options"} and calm.parts == as_it_is.parts
    assert found[names.AFTER, names.STAGE_2] == found["3", names.TUNED]


def test_what_is_measured_through_time_was_trained_before():
    found = rows()
    lasting = {label: run for (table, label), run in found.items() if table == names.LASTING}
    assert lasting.keys() == {names.TRACKED, names.PAPER_LOSSES, names.ALL, names.ONLY_ELLIPSE}
    for label, run in lasting.items():
        assert run.parts == found[names.TAKES, label].parts and run.test_sampling == "dense"


def test_every_system_starts_from_the_parts_that_the_table_of_stage_1_measures():
    found = rows()
    [taken] = found["1", names.WHOLE].parts
    [measured] = found[names.TAKES, names.ALL].parts
    assert taken.frozen and taken.run == measured.run == sshsp.parsing()
    assert found["3", names.BASEL].parts == found["3", names.STRIPES].parts == ()
    for k in (2, 4, 8):
        run = found["Figure 4a", f"K = {k}"]
        assert run.parts[0].run.model_options["num_parts"] == run.model_options["num_parts"] == k
        narrow = found["Figure 4a, one descriptor width", f"K = {k}"].model_options["width"] * (k + 3)
        assert narrow == pytest.approx(sshsp.WIDTH * sshsp.FEATURES, rel=0.03)
        t = found["Figure 4b", f"T = {k}"]
        assert t.num_frames == t.model_options["num_frames"] == k


def test_the_width_of_the_descriptor_at_mini_scale():
    model = create_model("sshsp", num_ids=3, num_frames=1, scale="mini").eval()
    output = model(frames=torch.rand(1, 1, 3, 64, 32), next_frames=torch.rand(1, 1, 1, 3, 64, 32))
    assert output.embedding.shape == (1, sshsp.WIDTH * sshsp.FEATURES)


def test_what_primary_claims_compare_in_tables_3_and_4_is_measured_at_half_length_too():
    found = rows()
    for table in ("3", "4"):
        primary = [claim for claim in names.CLAIMS if claim.primary and claim.table == table]
        compared = {label for claim in primary for label, _ in (*claim.left, *claim.right)}
        assert compared == {label for name, label in found if name == f"{table}, half the training"}
        for label in compared:
            half, usual = found[f"{table}, half the training", label], found[table, label]
            assert half.iterations == usual.iterations // 2
            assert [p.run.iterations for p in half.parts] == [p.run.iterations // 2 for p in usual.parts]


@pytest.mark.parametrize("name", sshsp.SYSTEMS)
def test_the_setting_is_the_best_of_those_tried(name, differing):
    run = sshsp.whole(name)
    searched = sshsp.whole(name, first=sshsp.parsing(learning_rate=sshsp.RATE_BEFORE))
    tried = search("choices", name, searched, sshsp.SEARCHED, columns=sshsp.SCORES)
    assert all(row in rows_of("sshsp") for row in tried)
    if not (found := best("sshsp", tried)):
        pytest.skip(f"sshsp, table choices: not all rows of {name} are measured yet")
    assert differing(found.run, run) <= {"data", "iterations", "parts"}


@pytest.mark.parametrize(
    ("start", "chosen", "rates"),
    [
        ("", sshsp.PARSING.learning_rate, sshsp.PARTS_RATES),
        (f"{names.PAPER_LOSSES}, ", sshsp.PAPER_RATE, sshsp.PARTS_RATES),
        (f"{names.TRACKED}, ", sshsp.LITERAL_RATE, (1e-4, *sshsp.PARTS_RATES)),
    ],
)
def test_the_rate_of_stage_1_is_the_best_of_those_tried(start, chosen, rates):
    group, score = sshsp.OF_PARTS[names.BOTH[0]]
    tried = {f"{start}rate {rate:g}": rate for rate in rates}
    found = {}
    for row in rows_of("sshsp"):
        if row.table == "choices, parts" and row.label in tried:
            records = records_of("sshsp", row)
            if len(records) < row.seeds:
                pytest.skip(f"sshsp, table choices, parts: {row.label} is not measured yet")
            assert row.run.parts[0].run.learning_rate == tried[row.label]
            found[tried[row.label]] = sum(record.scores[group][score] for record in records)
    assert found.keys() == {*rates} and max(found, key=found.get) == chosen


SHORT = {"iterations": 2, "ids_per_batch": 2, "data_options": {"num_ids": 10, "workers": 1}}


def short(run):
    """The run on a street of ten people, for two iterations, without the package's weights."""
    options = {name: value for name, value in run.model_options.items() if name != "weights"}
    parts = tuple(replace(part, run=short(part.run)) for part in run.parts)
    trained = SHORT if run.training else {"data_options": SHORT["data_options"]}
    return replace(run, model_options=options, parts=parts, **trained)


@pytest.mark.parametrize("tuned", [False, True])
def test_both_stages_train_and_a_frozen_segmentation_stays(new_cache, tuned):
    new_cache()
    run = short(sshsp.whole(tuned=tuned))
    street = open_benchmark(run.data, 0, {}, run.data_options, progress=False)
    first = train(run.parts[0].run, 0, street, QUIET).model.segmentation.state_dict()
    then = train(run, 0, street, QUIET).model.segmentation.state_dict()
    assert all(torch.equal(first[name], then[name]) for name in first) != tuned


def test_what_stage_1_learned_is_measured_by_segments_flow_and_frames(new_cache):
    from reidlib.experiments.evaluations import measure

    new_cache()
    run = short(sshsp.measured(sshsp.parsing()))
    street = open_benchmark(run.data, 0, {}, run.data_options, progress=False)
    street = replace(street, query=street.query[:3])
    network = train(run, 0, street, QUIET).model.for_retrieval()
    scores = measure(network, street, run, False).scores
    assert {"segments", "segments, sides merged", "flow", "frames", "frames, last repeated"} == scores.keys()
    assert 0 <= scores["segments, sides merged"]["foreground IoU"] < 1 and scores["flow"]["of no motion"] > 0


@pytest.mark.parametrize(("data", "table"), [("mars", "1"), ("ilids_vid", "2")])
def test_a_step_of_each_stage_at_paper_scale_from_the_command_line(data, table, tmp_path, monkeypatch, reproduced):
    small = {"num_ids": 10, "resolution": (32, 16), "workers": 1, "progress": False}
    render, layout = {"mars": (walkers.street, export.mars), "ilids_vid": (walkers.pair_splits, export.ilids_vid)}[data]
    monkeypatch.setenv("REIDLIB_CACHE", str(tmp_path / "rendered"))
    layout(render(0, **small), tmp_path / data, progress=False)
    read = open_benchmark(data, 0, {data: tmp_path / data}, {"resolution": (256, 128)}, progress=False)
    assert read.train[0].frames([0]).shape == (1, 3, 256, 128)
    brief = {"iterations": 1, "ids_per_batch": 2, "num_frames": 1, "precision": "no"}
    whole = rows("paper")[table, f"{names.WHOLE}, without VGG-19"]
    [part] = whole.parts
    [judge] = part.run.parts
    judge = replace(judge, run=replace(judge.run, model_options={"network": "resnet"}))
    first = replace(part, run=replace(part.run, clips_per_id=1, parts=(judge,), **brief))
    run = replace(whole, clips_per_id=2, model_options={"num_frames": 1}, parts=(first,), **brief)
    row = Row(table, names.WHOLE, run, seeds=1, keep_features=True)
    record = reproduced("sshsp", row, {data: tmp_path / data})
    features = load_features(tmp_path / "figures" / "sshsp" / "features" / f"{run.hash}-s0.npz")
    assert np.isfinite(features.query_features).all() and np.isfinite(features.gallery_features).all()
    [kept] = (tmp_path / "cache" / "runs").glob(f"{first.run.hash}-s0.*weights.pt")  # of stage 1
    assert all(values.isfinite().all() for values in torch.load(kept, weights_only=True)["weights"].values())
    assert 0 <= record.scores["usual"]["rank-1"] <= 1
    assert record.seconds["training"] > 0 and record.seconds["parts"] > 0
    relations = 9 * 7 * 32 * (256 + 1)  # to seven other frames, which a clip of one frame has not
    assert record.costs["parameters"] == 32_778_486 - relations
