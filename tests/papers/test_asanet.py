"""ASA-Net: the objective and its state, the systems, and that every reported row that can be measured has a run."""

from dataclasses import replace

import pytest
import torch
import torch.nn.functional as F

from reidlib.data import export, walkers
from reidlib.data.attributes import DUKE, MARS
from reidlib.data.batches import ClipBatch
from reidlib.experiments import Setting, rows_of
from reidlib.experiments.evaluations import columns_of
from reidlib.experiments.execute import execute
from reidlib.experiments.run import Row
from reidlib.experiments.train import Resources
from reidlib.losses import attribute_loss, center_loss, identity_loss, pmi_triplets, weighted_triplet_loss
from reidlib.losses.attributes import binary_targets
from reidlib.losses.pmi import pull_loss
from reidlib.models import create_model
from reidlib.models.asanet import MARS_IRRELEVANT, MARS_RELEVANT
from reidlib.papers.asanet import claims as asanet_claims
from reidlib.papers.asanet import rows as asanet
from reidlib.papers.asanet import systems
from reidlib.papers.asanet.training import ASANetObjective, training, true_pose_and_motion
from reidlib.papers.recipes import best
from reidlib.papers.reported import reported_table, reported_tables


@pytest.fixture
def batch():
    torch.manual_seed(1)
    eight = torch.arange(8)
    attributes = {name: eight % count for name, count in MARS_RELEVANT + MARS_IRRELEVANT}
    return ClipBatch(
        frames=torch.rand(8, 2, 3, 64, 32),
        labels=torch.tensor([0, 0, 0, 0, 3, 3, 3, 3]),
        attributes=attributes,
        **{"tracklets": eight, "person_ids": eight, "camera_ids": eight, "views": 45 * eight, "conditions": ("",) * 8},
    )


def new(run, num_ids=5):
    """The run's network, randomly initialised."""
    torch.manual_seed(0)
    options = {name: value for name, value in run.model_options.items() if name != "weights"}
    return create_model(run.model, num_ids=num_ids, scale=run.scale, **options)


def plan_of(model, run, num_ids=5):
    class Data:
        pass

    Data.num_ids = num_ids
    torch.manual_seed(2)
    return training(Setting(model, run, Data))


def test_the_terms_are_those_of_equation_19(batch):
    run = systems.system(systems.STREET, pmi="attributes")
    model = new(run).eval()
    objective = plan_of(model, run).objective
    losses = objective(model, batch)
    out = model(frames=batch.frames)
    final, labels = out.features["final"], batch.labels
    expected = {
        "identity": identity_loss(out.logits["final"], labels),
        "triplet": weighted_triplet_loss(final, labels),
        "center": center_loss(final, labels, objective.center.centers),
        "attributes": attribute_loss(out.attributes, batch.attributes),
        "pmi": 0.005 * pmi_triplets(final, out.features["irrelevant"], labels).loss,
    }
    assert losses["network"].keys() == expected.keys()
    for name, value in expected.items():
        torch.testing.assert_close(losses["network"][name], value, rtol=1e-4, atol=1e-6)
    assert losses["centers"].keys() == {"center"}


def test_the_weights_of_either_reading(batch):
    run = systems.system(systems.STREET)
    model = new(run)
    assert plan_of(model, run).weights == {"network": {"center": 0.0005, "attributes": 1.5}}
    printed = plan_of(model, replace(run, training_options={"reading": "printed"})).weights["network"]
    assert printed["center"] == 1.5
    outputs = model(frames=batch.frames).attributes
    mean = attribute_loss(outputs, batch.attributes).item()
    binary = {name: binary_targets(batch.attributes[name], scores.shape[1]) for name, scores in outputs.items()}
    summed = sum(
        F.binary_cross_entropy_with_logits(scores, binary[name].float(), reduction="sum").item()
        for name, scores in outputs.items()
    )
    clips = 32 / len(batch)  # of the paper's batch, as this one is only a part of it
    assert printed["attributes"] * mean == pytest.approx(0.0005 * summed * clips, rel=1e-4)
    without = plan_of(model, replace(run, training_options={"attributes": False}))
    assert without.weights == {"network": {"center": 0.0005}}
    assert "attributes" not in without.objective(model, batch)["network"]


def test_centres_have_their_own_sgd():
    run = systems.system(systems.STREET)
    plan = plan_of(new(run), run)
    assert plan.optimisers["centers"].param_groups[0]["params"] == [plan.objective.center.centers]
    assert plan.optimisers["centers"].defaults["lr"] == 0.5
    assert (plan.optimisers["network"].defaults["weight_decay"], plan.optimisers["network"].defaults["lr"]) == (
        5e-4,
        3e-3,
    )


def weight_of_pmi(objective, model, batch):
    return objective(model, batch)["watched"]["pmi weight"].item()


def test_the_weight_of_pmi_rises_once_attributes_are_accurate_and_a_checkpoint_keeps_it(batch):
    run = systems.system(systems.STREET, pmi="attributes")
    model = new(run).eval()
    objective = ASANetObjective(5, 128, pmi="attributes", pmi_factor=10)
    assert weight_of_pmi(objective, model, batch) == pytest.approx(0.05)
    assert not objective.state_dict()["accurate"]
    unknown = replace(batch, attributes={name: torch.full_like(v, -1) for name, v in batch.attributes.items()})
    assert weight_of_pmi(objective, model, unknown) == pytest.approx(0.1)  # a loss of 0
    assert weight_of_pmi(objective, model, batch) == pytest.approx(0.1)  # and stays
    again = ASANetObjective(5, 128, pmi="attributes", pmi_factor=10)
    again.load_state_dict(objective.state_dict())
    assert weight_of_pmi(again, model, batch) == pytest.approx(0.1)


def test_pairs_by_the_truth_are_those_of_view_and_motion(batch):
    described = true_pose_and_motion(batch)
    assert described.shape == (8, 7)
    still = replace(batch, attributes={"motion": torch.zeros(8, dtype=torch.long)})
    distances = torch.cdist(true_pose_and_motion(still), true_pose_and_motion(still))
    assert distances[0].argmax() == 4 and distances[0, 4] == pytest.approx(2)  # the opposite view
    moving = torch.cdist(described, described)
    assert moving[0, 1] ** 2 == pytest.approx(float(distances[0, 1] ** 2 + 2), rel=1e-4)
    with pytest.raises(ValueError, match="needs the annotated motion"):
        true_pose_and_motion(replace(batch, attributes={}))


def test_controls_of_pmi_pair_and_pull_as_they_say(batch):
    plans = {pmi: systems.system(systems.STREET, "a", pmi=pmi) for pmi in ("attributes", "random", "truth", "pull")}
    model = new(plans["truth"]).eval()
    out = model(frames=batch.frames)
    final, predicted, true = out.features["final"], out.features["irrelevant"], true_pose_and_motion(batch)

    def term(pmi, seed=0):
        plan = plan_of(model, plans[pmi])
        torch.manual_seed(seed)
        return plan.objective(model, batch)["network"]["pmi"]

    expected = {
        "attributes": pmi_triplets(final, predicted, batch.labels).loss,
        "truth": pmi_triplets(final, true, batch.labels).loss,
        "pull": pull_loss(final, predicted, batch.labels),
    }
    for pmi, value in expected.items():
        torch.testing.assert_close(term(pmi), 0.005 * value, rtol=1e-4, atol=1e-7)
    assert len({round(value.item(), 7) for value in expected.values()}) == 3
    assert term("random", 0) == term("random", 0) and len({term("random", seed).item() for seed in range(4)}) > 1
    term("truth").backward()
    assert model.fusion.identity["identity"].weight.grad is not None
    with pytest.raises(ValueError, match="pmi='poses': expected one of"):
        ASANetObjective(5, 128, pmi="poses")


def runs_of(scale="mini"):
    found = {}
    for row in rows_of("asanet", scale):
        found.setdefault((row.table, row.label), []).append(row)
    return found


@pytest.mark.parametrize("scale", ["mini", "paper"])
@pytest.mark.parametrize("table", reported_tables("asanet"))
def test_every_reported_cell_of_the_paper_s_own_systems_has_a_run(table, scale):
    numbers, found = reported_table("asanet", table), runs_of(scale)
    own = [name for name in numbers.index if "Ours" in name or table in ("IV", "V", "VI", "VII")]
    assert own
    for name in own:
        columns = {c for row in found[table, name] for c in (row.columns or columns_of(row.run))}
        assert columns == set(numbers.columns)
    measured = {(name, row) for name, row in found if name == table and row in numbers.index and row not in own}
    comparators = {
        "I": {"Usual STA", "Usual COSAM", "Mixing AP3D", "Mixing TCLNet"},  # in the set-up in which they are reported
        "II": {"STA"},
    }
    assert measured == {(table, row) for row in comparators.get(table, ()) if scale == "mini"}


def test_systems_that_several_tables_show_are_one_run():
    rows = {key: found[0].run.hash for key, found in runs_of().items()}
    assert rows["V", "b + ASRE"] == rows["I", "Usual ASANet-b (Ours)"] == rows["VII", "ASANet-b with BCE loss"]
    assert rows["V", "a + ASRE + PMI"] == rows["I", "Mixing ASANet-a-PMI (Ours)"]
    assert rows["VI", "b + PMI"] == rows["II", "ASANet-b-PMI (Ours)"]
    assert rows["Figure 7", "with PMI triplet loss"] == rows["V", "b + ASRE + PMI"]
    assert len({rows["V", name] for name in reported_table("asanet", "V").index}) == 8


def test_table_iii_searches_with_the_networks_of_the_other_data():
    found = runs_of()
    there, back = (row.run for row in found["III", "Ours"])
    assert (there.data, there.test_data, back.data, back.test_data) == ("street", "campus", "campus", "street")
    assert there.parts[0].run.hash == found["I", "Usual ASANet-b (Ours)"][0].run.hash
    assert back.parts[0].run.hash == found["VI", "a + PMI"][0].run.hash
    assert there.iterations == back.iterations == 0


def test_heads_have_the_columns_of_the_data():
    found = runs_of()
    for table, label, columns in (("I", "Usual ASANet-b (Ours)", 41 + 11), ("II", "ASANet-b (Ours)", 33 + 11)):
        branches = new(found[table, label][0].run).attributes
        assert sum(sum(branch.counts) for branch in branches.values()) == columns


def test_controls_differ_in_one_thing(differing):
    run = {key: found[0].run for key, found in runs_of().items()}
    b, a_pmi = run["V", "b + ASRE"], run["V", "a + ASRE + PMI"]
    for label in (asanet_claims.UNIFORM, asanet_claims.FED_IDENTITY):
        assert differing(run["V", label], b) == {"model_options"}
    for label in (asanet_claims.RANDOM, asanet_claims.PULL, asanet_claims.TRUTH):
        assert differing(run["V", label], a_pmi) == {"training_options"}
    for label in (asanet_claims.PERMUTED, asanet_claims.SHUFFLED):
        assert differing(run["VII", label], b) == {"data_options"}
    assert differing(run["VII", asanet_claims.WITHOUT], b) == {"training_options", "evaluation"}
    strong, usual = run[asanet_claims.STRONG, "PMI"], run["λ_PMI", "a + ASRE + PMI × 100"]
    assert strong == usual and differing(strong, a_pmi) == {"training_options"}
    assert run["λ_cent and λ_BCE", "b + ASRE, swapped"] == b


def test_seeds_are_those_of_the_design():
    seeds = {key: {row.seeds for row in found} for key, found in runs_of().items()}
    assert all(seeds[key] == {10} for key in seeds if key[0] in ("I", "II") and "Ours" in key[1])
    assert all(seeds["I", f"Usual {name}"] == {10} for name in (asanet_claims.BASELINE, asanet_claims.AVERAGED))
    for claim in asanet_claims.CLAIMS:
        least = 3 if claim.table == "length" else 6  # the longest trainings take eight times as long as the shortest
        assert all(min(seeds[claim.table, row]) >= least for row, _ in (*claim.left, *claim.right))
    assert seeds["VII", asanet_claims.WITH] == seeds["VII", asanet_claims.WITHOUT] == {20}


def test_headline_tables_are_measured_at_half_length_too(differing):
    found = runs_of()
    for table in ("I", "II", "VII"):
        labels = {label for name, label in found if name == table}
        assert labels == {label for name, label in found if name == f"{table}, half the training"}
        for label in labels:
            half, whole = found[f"{table}, half the training", label][0].run, found[table, label][0].run
            assert differing(half, whole) == {"iterations"} and half.iterations == whole.iterations // 2


def chosen(rows):
    """The best of rows that were tried; the test is skipped while one of them lacks a seed."""
    if (found := best("asanet", rows)) is None:
        pytest.skip(f"asanet, table choices: not all rows like {rows[0].label} are measured yet")
    return found


@pytest.mark.parametrize("base", [systems.STREET, systems.CAMPUS])
def test_the_rate_is_the_best_of_those_tried(base, differing):
    for name, run in asanet.searched(base).items():
        rows = [row for row in rows_of("asanet") if row.label.startswith(f"{base.data}, {name}, rate")]
        tried = [differing(row.run, run) for row in rows]
        assert len(rows) == 3 and tried.count({"data", "iterations", "evaluation"}) == 1
        assert run.learning_rate == systems.RATES[base.data][name]
        assert chosen(rows).run.learning_rate == run.learning_rate


@pytest.mark.parametrize("model", systems.COMPARATORS)
def test_networks_without_attributes_are_searched_too(model, differing):
    name = systems.COMPARATORS[model]
    rows = [row for row in rows_of("asanet") if row.label.startswith(f"street, {name}, rate")]
    run = systems.plain(model)
    assert len(rows) == 6
    assert {row.run.model for row in rows_of("asanet") if row.label in (f"Usual {name}", f"Mixing {name}")} == {model}
    assert [differing(r.run, run) for r in rows].count({"data", "iterations", "evaluation"}) == 1
    assert differing(chosen(rows).run, run) == {"data", "iterations", "evaluation"}


def test_the_paper_s_setting_at_paper_scale():
    run = runs_of("paper")["I", "Usual ASANet-a-PMI (Ours)"][0].run
    found = (run.ids_per_batch, run.clips_per_id, run.num_frames, run.learning_rate, run.sampling)
    assert found == (8, 4, 6, 3e-4, "random") and run.data == "mars" and run.erasing > 0
    run = replace(run, iterations=700)
    with torch.device("meta"):
        model = new(run)
        schedule = training(Setting(model, run, type("Data", (), {"num_ids": 5}))).schedules["network"]
    rates = [schedule(epoch) for epoch in (99, 100, 249, 250, 349, 350, 699)]
    assert rates == pytest.approx([1, 0.1, 0.1, 0.01, 0.01, 0.001, 0.001])


@pytest.mark.usefixtures("own_weights")
@pytest.mark.parametrize(
    "run",
    [
        systems.system(systems.STREET, pmi="attributes"),
        systems.system(systems.STREET, bce=False),
        systems.system(systems.STREET, "a", asre=False),
        systems.system(systems.STREET, "none", pmi="attributes", branches=("identity",)),
    ],
)
def test_a_few_iterations_on_a_tiny_street(run, new_cache, tmp_path):
    new_cache()
    options = {name: value for name, value in run.model_options.items() if name != "weights"}
    shorter = {"iterations": 2, "ids_per_batch": 2, "clips_per_id": 3, "num_frames": 2}
    run = replace(run, model_options=options, **shorter).in_world(num_ids=10, workers=1)
    record = execute("asanet", Row("I", "tiny", run), 0, Resources(progress=False), figures=tmp_path)
    wanted = {group for group, _ in columns_of(run).values() if group != "mask" and group != "mask, segments"}
    assert wanted <= record.scores.keys()
    assert ("mask relevant" in record.scores) == ("masks" in run.evaluations)
    if "masks" in run.evaluations:
        assert {"mask irrelevant, segments", "centred Gaussian", "masks alike"} <= record.scores.keys()
    if "attributes" in run.evaluations:
        assert {"accuracy", "balanced accuracy", "F1"} <= record.scores["attribute motion"].keys()


@pytest.mark.parametrize(("world", "data"), [("street", "mars"), ("campus", "duke_video")])
def test_one_step_at_paper_scale_from_the_command_line_with_the_real_attribute_columns(
    world, data, tmp_path, monkeypatch, reproduced
):
    monkeypatch.setenv("REIDLIB_CACHE", str(tmp_path / "rendered"))
    rendered = getattr(walkers, world)(0, num_ids=10, resolution=(32, 16), workers=1, progress=False)
    {"mars": export.mars, "duke_video": export.duke_video}[data](rendered, tmp_path / data, progress=False)
    table = {"mars": "I", "duke_video": "II"}[data]
    row = next(row for row in rows_of("asanet", "paper") if row.table == table and "PMI" in row.label)
    options = {name: value for name, value in row.run.model_options.items() if name != "weights"}
    brief = {"iterations": 1, "ids_per_batch": 2, "clips_per_id": 2, "num_frames": 1, "precision": "no"}
    run = replace(row.run, model_options=options, evaluation="attributes", **brief)
    record = reproduced("asanet", replace(row, run=run, seeds=1, columns={}), {data: tmp_path / data})
    schema = {"mars": MARS, "duke_video": DUKE}[data]
    columns = {f"attribute {column.name}" for column in (*schema.id_relevant, *schema.id_irrelevant)}
    assert record.scores.keys() == {"attributes", *columns}
