"""Seq-Masks: the equations, the systems, and that every reported row that can be measured has a run."""

from dataclasses import replace

import pytest
import torch

from reidlib.data import export, walkers
from reidlib.data.batches import ClipBatch
from reidlib.experiments import Setting, rows_of
from reidlib.experiments import table as table_of
from reidlib.experiments.evaluations import columns_of
from reidlib.experiments.sources import open_benchmark
from reidlib.experiments.train import Resources, train
from reidlib.losses import batch_all_triplet_loss, batch_hard_triplet_loss, identity_loss
from reidlib.models import create_model
from reidlib.papers.recipes import APPEARANCE, CHOSEN, GAIT, best, final, search
from reidlib.papers.reported import reported_table, reported_tables
from reidlib.papers.seqmasks import claims as seqmasks_claims
from reidlib.papers.seqmasks import rows as seqmasks
from reidlib.papers.seqmasks.training import objective, training

COMPARATORS = {
    ("IV", "STAN"),
    ("IV", "Snippet"),
    ("IV", "Snippet+OF"),
}  # other systems
CHOICES = [("choices, street", seqmasks.WILD), ("choices, laboratory", seqmasks.LABORATORY)]


@pytest.fixture
def batch():
    torch.manual_seed(1)
    six = torch.arange(6)
    return ClipBatch(
        frames=torch.rand(6, 2, 3, 64, 32),
        masks=(torch.rand(6, 2, 1, 64, 32) > 0.5).float(),
        silhouettes=(torch.rand(6, 4, 32, 22) > 0.5).float(),
        labels=torch.tensor([0, 0, 3, 3, 4, 4]),
        **{"tracklets": six, "person_ids": six, "camera_ids": six, "views": six, "conditions": ("",) * 6},
    )


def new(run, num_ids):
    """The run's network, randomly initialised."""
    options = {name: value for name, value in run.model_options.items() if name != "weights"}
    return create_model(run.model, num_ids=num_ids, scale="mini", **options)


def network(name, **options):
    torch.manual_seed(0)
    run = seqmasks.system(seqmasks.WILD, name, **options)
    return new(run, 5)


def test_the_terms_are_those_of_equations_1_and_2(batch):
    model = network("Fusion Network (end2end)")
    terms = objective(model, batch)["network"]
    output = model(frames=batch.frames, masks=batch.masks, silhouettes=batch.silhouettes)
    f, y = output.features, batch.labels
    expected = {
        "global triplet": batch_hard_triplet_loss(f["global"], y, None),
        "foreground triplet": batch_hard_triplet_loss(f["foreground"], y, None),
        "fusion triplet": batch_hard_triplet_loss(output.embedding, y, None),
        "gait_main triplet": batch_all_triplet_loss(f["gait_main"], y, 0.2),
        "gait_mgp triplet": batch_all_triplet_loss(f["gait_mgp"], y, 0.2),
    }
    expected |= {f"{name} identity": identity_loss(logits, y) for name, logits in output.logits.items()}
    assert set(output.logits) == {"global", "foreground", "gait_main", "gait_mgp"}  # the fusion has no softmax
    assert terms.keys() == expected.keys()
    for name, value in expected.items():
        torch.testing.assert_close(terms[name], value, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("name", seqmasks.SYSTEMS)
def test_equation_3_weighs_each_term_once_and_all_parameters_learn(name, batch):
    model = network(name)
    run = replace(seqmasks.system(seqmasks.WILD, name), training_options={"lambdas": (2.0, 3.0, 5.0)})
    plan = training(Setting(model, run, None))
    terms = objective(model, batch)["network"]
    weights = plan.weights["network"]
    assert weights.keys() == terms.keys()
    of = {"fusion": 2.0, "global": 3.0, "foreground": 3.0, "gait_main": 5.0, "gait_mgp": 5.0}
    assert all(weight == of[term.split()[0]] for term, weight in weights.items())
    parameters = plan.optimisers["network"].param_groups[0]["params"]
    gradients = torch.autograd.grad(sum(terms.values()), parameters)
    assert len(gradients) == len(list(model.parameters())) and all(g.isfinite().all() for g in gradients)


def test_without_lambdas_all_terms_count_the_same():
    assert not training(Setting(network("AGConcat"), seqmasks.WILD, None)).weights


def test_the_finetuned_network_starts_from_both_parts():
    run = seqmasks.finetuned(seqmasks.WILD)
    whole = new(run, 5)
    found = set()
    for part in (part.run for part in run.parts):
        weights = new(part, 5).for_retrieval().state_dict()
        assert not whole.load_state_dict(weights, strict=False).unexpected_keys
        assert not found & weights.keys() - {"normalize.mean", "normalize.std"}
        found |= weights.keys()
    left = whole.state_dict().keys() - found
    assert {name.split(".")[0] for name in left if "classifiers" not in name} == {"fusion"}
    alone = [row.run for row in rows_of("seqmasks") if row.table == "I" and row.label in list(seqmasks.SYSTEMS)[1:3]]
    assert [replace(part.run, iterations=300) for part in run.parts] == alone
    assert {part.run.iterations for part in run.parts} == {200} and run.iterations == 100  # as many as end to end


@pytest.mark.parametrize("name", ["AGConcat", "GGConcat"])
def test_no_loss_sees_the_branches_of_a_joined_system_together(name, batch):
    model = network(name)
    terms = objective(model, batch)["network"]
    of_gait = sum(value for term, value in terms.items() if term.startswith("gait"))
    for loss, others in ((of_gait, False), (sum(terms.values()) - of_gait, True)):
        parameters = [p for label, p in model.named_parameters() if label.startswith("gait.") == others]
        gradients = torch.autograd.grad(loss, parameters, allow_unused=True, retain_graph=True)
        assert all(gradient is None or not gradient.any() for gradient in gradients)


@pytest.mark.parametrize("name", ["AGConcat", "GGConcat"])
def test_a_joined_system_is_its_parts_side_by_side(name, batch):
    run = seqmasks.joined(seqmasks.WILD, name, gait_weight=3.0)
    assert run.training == "" and run.model_options["gait_weight"] == 3.0
    whole = new(run, 1)
    parts = []
    for part in (part.run for part in run.parts):
        torch.manual_seed(0)
        network = new(part, 5).for_retrieval()
        assert not whole.load_state_dict(network.state_dict(), strict=False).unexpected_keys
        parts.append(network(**batch.inputs(network.inputs)).embedding)
    output = whole.for_retrieval()(**batch.inputs(whole.inputs))
    torch.testing.assert_close(output.embedding, torch.cat([parts[0], 3 * parts[1]], dim=1))


@pytest.mark.parametrize("scale", ["mini", "paper"])
@pytest.mark.parametrize("table", reported_tables("seqmasks"))
def test_every_reported_cell_has_a_run_but_those_of_other_systems(table, scale):
    numbers = reported_table("seqmasks", table)
    runs = {}
    for row in rows_of("seqmasks", scale):
        if row.table == table:
            runs.setdefault(row.label, set()).update(row.columns or columns_of(row.run))
    for label in numbers.index:
        if (table, label) not in COMPARATORS:
            assert runs[label] == set(numbers.columns)
    assert not {label for name, label in COMPARATORS if name == table} & runs.keys()


def test_rows_under_claims_have_six_seeds_and_those_of_headline_tables_ten():
    seeds = {(row.table, row.label): row.seeds for row in rows_of("seqmasks")}
    for claim in seqmasks_claims.CLAIMS:
        assert min(seeds[claim.table, label] for label, _ in (*claim.left, *claim.right)) >= 6
    for claim in seqmasks_claims.PAPER:
        if claim.table in ("I", "II"):
            assert {seeds[claim.table, label] for label, _ in (*claim.left, *claim.right)} == {10}
            assert not claim.control or seeds[claim.table, claim.control] == 10


def test_choices_are_made_on_training_identities_of_worlds_that_no_table_shows():
    choices = [row for row in rows_of("seqmasks") if row.table.startswith("choices")]
    assert {row.run.data for row in choices} == {"mask_street_validation", "lab_validation"}
    shown = {seed for row in rows_of("seqmasks") if row not in choices for seed in row.all_seeds}
    assert not shown & {seed for row in choices for seed in row.all_seeds}
    (chosen,) = (row.run for row in choices if row.label == "as chosen")
    assert chosen == replace(seqmasks.system(seqmasks.WILD, seqmasks.WHOLE), data="mask_street_validation")


@pytest.mark.parametrize("name", seqmasks.FINALISTS)
def test_the_finalists_are_the_two_best_rates_of_those_tried_on_the_street(name, differing):
    run = seqmasks.system(seqmasks.WILD, name)
    recipe = GAIT if name == seqmasks.GAIT else APPEARANCE
    tried = search("choices, street", name, run, recipe, columns=seqmasks.MARS_SCORES)
    assert all(row in rows_of("seqmasks") for row in tried)
    assert [differing(row.run, run) for row in tried].count({"data", "iterations"}) == 1  # it is one of them
    better = [best("seqmasks", [row for row in tried if row.run.learning_rate == rate]) for rate in recipe.rates]
    assert None not in better
    first = best("seqmasks", better)
    second = best("seqmasks", [row for row in better if row != first])
    assert seqmasks.FINALISTS[name] == tuple(
        tuple(getattr(row.run, field) for field in CHOSEN) for row in (first, second)
    )


@pytest.mark.parametrize(("table", "base"), CHOICES)
@pytest.mark.parametrize("name", seqmasks.FINALISTS)
def test_the_setting_is_the_better_of_the_finalists(table, base, name, differing):
    columns = seqmasks.MARS_SCORES if base is seqmasks.WILD else {}
    run = seqmasks.system(base, name)
    finalists = final(table, name, run, seqmasks.FINALISTS[name], columns=columns)
    assert all(row in rows_of("seqmasks") for row in finalists)
    if not (found := best("seqmasks", finalists)):
        pytest.skip(f"seqmasks, table {table}: not all rows of {name} are measured yet")
    assert differing(found.run, run) == {"data"}


@pytest.mark.parametrize(("table", "base"), CHOICES)
def test_the_tuned_weight_is_the_best_of_those_tried(table, base):
    """By the mean over the scores on which Table I (rank-1, mAP) or II (each condition, other angles) is judged."""
    wanted = {"mask_street": ("rank-1", "mAP"), "lab": seqmasks_claims.EXCLUDING}[base.data]
    cells = table_of("seqmasks", table)
    tried = cells[cells["row"].str.startswith("concatenation") & cells["column"].isin(wanted)]
    means = tried.groupby("row")["measured"].mean()
    assert len(means) == 6
    if means.isna().any():
        pytest.skip(f"seqmasks, table {table}: not all concatenations are measured yet")
    assert means.idxmax() == f"concatenation, gait × {seqmasks.GAIT_WEIGHTS[base.data]:g}"


def test_tables_i_and_ii_are_measured_at_half_length_too(differing):
    rows = {(row.table, row.label): row.run for row in rows_of("seqmasks")}
    for table in ("I", "II"):
        labels = [label for name, label in rows if name == f"{table}, half the training"]
        stated = [claim for claim in seqmasks_claims.PAPER if claim.table == table]
        needed = {label for claim in stated for label, _ in (*claim.left, *claim.right)}
        assert needed | {claim.control for claim in stated} - {""} <= {*labels}
        for label in labels:
            assert differing(rows[table, label], rows[f"{table}, half the training", label]) <= {"iterations", "parts"}


def test_sweeps_hold_the_run_of_the_paper_s_own_table():
    rows = {(row.table, row.label): row for row in rows_of("seqmasks")}
    for name in ("Appearance Baseline + Foreground Branch", "Modified GaitSet", "Fusion Network (end2end)"):
        assert rows["clothes", f"{name}, severity 0.75"].run == rows["II", name].run
        assert rows["masks, street", f"{name}, masks true"].run == rows["I", name].run


def test_a_control_differs_from_what_it_controls_in_one_thing(differing):
    rows = {(row.table, row.label): row.run for row in rows_of("seqmasks")}
    for table in ("I", "II"):
        whole = rows[table, "Fusion Network (end2end)"]
        constant = rows[table, seqmasks.CONSTANT]
        assert differing(constant, whole) == {"data_options", "silhouettes"}
        assert constant.silhouettes == 1  # all K are the same one, which is tested of the set pooling
        assert differing(rows[table, seqmasks.ONE], whole) == {"silhouettes"}
        assert differing(rows[table, seqmasks.IDENTITY], whole) == {"model_options"}
        assert differing(rows[table, seqmasks.TUNED], rows[table, seqmasks.PLAIN]) == {"model_options"}
        assert differing(rows[table, "control: fusion without its gate"], whole) == {"model_options"}
        appearance = rows[table, "Appearance Baseline + Foreground Branch"]
        ones = rows[table, "control: foreground branch with an all-ones mask"]
        assert differing(ones, appearance) == {"data_options"}


def test_gaits_matter_where_fusion_adds_more_than_in_the_twin_world():
    claims = [claim for claim in seqmasks_claims.CLAIMS if claim.table.startswith("twin")]
    assert {claim.table for claim in claims} == {"twin streets", "twin laboratories"}
    claim = claims[0]
    gains = {"as it is": (50.0, 40.0), "one gait": (43.0, 41.0)}  # of fusion, of appearance with foreground
    names = (seqmasks.WHOLE, seqmasks.FOREGROUND)
    scores = {f"{n}, {world}": score for world, pair in gains.items() for n, score in zip(names, pair)}
    left, right = (sum(scores[row] for row, _ in side) for side in (claim.left, claim.right))
    assert left - right == (50 - 40) - (43 - 41)


@pytest.mark.usefixtures("without_workers")
def test_one_step_at_paper_scale_on_exports_in_the_layouts_of_mars_and_casia_b(tmp_path, monkeypatch):
    monkeypatch.setenv("REIDLIB_CACHE", str(tmp_path / "cache"))
    small = {"resolution": (32, 16), "workers": 1, "progress": False}
    export.mars(walkers.street(0, num_ids=10, **small), tmp_path / "mask_mars", progress=False, masks=True)
    lab = walkers.lab(0, num_ids=4, **small)
    folder = tmp_path / "casia_b_colour"
    folder.mkdir()
    export.casia_b(lab, folder / "silhouettes", rgb=folder / "rgb", progress=False)
    shorter = {"iterations": 1, "ids_per_batch": 2, "clips_per_id": 2, "num_frames": 2, "silhouettes": 3}
    for row in rows_of("seqmasks", "paper"):
        if (row.table, row.label) not in (("I", seqmasks.WHOLE), ("II", seqmasks.WHOLE)):
            continue
        options = {name: value for name, value in row.run.model_options.items() if name != "weights"}
        run = replace(row.run, model_options=options, precision="no", **shorter)
        data = {"mask_mars": {}, "casia_b_colour": {"cut": False}}[run.data]
        benchmark = open_benchmark(run.data, 0, {run.data: tmp_path / run.data}, data, progress=False)
        clip = benchmark.train[0]
        assert clip.frames([0]).shape == (1, 3, 256, 128)
        assert clip.silhouettes([0]).shape == (1, 64, 44)
        network = train(run, 0, benchmark, Resources(progress=False)).model.for_retrieval()
        frames, masks = (torch.from_numpy(part).float()[None] for part in (clip.frames([0, 1]), clip.masks([0, 1])))
        silhouettes = torch.from_numpy(clip.silhouettes([0, 1, 2]))[None]
        output = network(frames=frames / 255, masks=masks, silhouettes=silhouettes)
        assert output.embedding.shape == (1, 1536) and output.embedding.isfinite().all()
