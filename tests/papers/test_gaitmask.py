"""GaitMask: the loss, the schedules of Table 1, and that every reported row has a run."""

from dataclasses import replace
from types import SimpleNamespace

import pytest
import torch

from reidlib.data import export, walkers
from reidlib.experiments import Setting, rows_of
from reidlib.experiments.features import load_features
from reidlib.experiments.sources import PRETRAINING_SEED
from reidlib.losses import batch_all_triplet_loss
from reidlib.models import create_model
from reidlib.papers.gaitmask import claims, systems
from reidlib.papers.gaitmask import rows as gaitmask
from reidlib.papers.gaitmask.training import training
from reidlib.papers.recipes import CHOSEN, GAIT, best
from reidlib.papers.reported import reported_table


def rows(scale="mini"):
    return {(row.table, row.label): row for row in rows_of("gaitmask", scale)}


def parts_of(run):
    """The runs whose weights a run takes."""
    assert all(part.fills and not part.frozen for part in run.parts)
    return [part.run for part in run.parts]


def test_the_loss_is_every_strip_s():
    torch.manual_seed(0)
    model = create_model("gaitmask", scale="mini").eval()
    batch = SimpleNamespace(
        silhouettes=(torch.rand(6, 6, 32, 22) > 0.5).float(), labels=torch.tensor([0, 0, 3, 3, 4, 4])
    )
    loss = training(Setting(model, gaitmask.ON_YARD, None)).objective(model, batch)["network"]["triplet"]
    strips = model(silhouettes=batch.silhouettes).features["strips"]
    one_by_one = [batch_all_triplet_loss(strips[:, p], batch.labels, margin=0.2) for p in range(strips.shape[1])]
    torch.testing.assert_close(loss, torch.stack(one_by_one).mean())


def test_at_paper_scale_the_setting_is_that_of_table_1():
    numbers = reported_table("gaitmask", "1")
    for name in ("GaitGL", "GaitMask"):
        then = rows("paper")["3", name].run
        [first] = parts_of(then)
        assert (first.data, then.data, first.scale, then.scale) == ("oumvlp", "hid", "paper", "paper")
        for run, label, drop in ((first, f"OUMVLP {name}", 150_000), (then, f"CASIA-B and CASIA-E {name}", 10_000)):
            found = (run.iterations, run.silhouettes, run.ids_per_batch, run.clips_per_id)
            assert found == tuple(numbers.loc[label])
            model = torch.nn.Linear(1, 1)
            plan = training(Setting(model, run, None))
            schedule = plan.schedules["network"]
            assert (schedule(drop - 1), schedule(drop)) == (1.0, pytest.approx(0.1))
            assert plan.optimisers["network"].defaults["lr"] == 1e-4
        assert first.model == then.model == name.lower()


@pytest.mark.parametrize("scale", ["mini", "paper"])
def test_every_reported_accuracy_has_a_run(scale):
    measured = {label for table, label in rows(scale) if table == "3"}
    assert set(reported_table("gaitmask", "3").index) <= measured


def test_what_follows_the_features_needs_no_training():
    found = rows()
    gaitgl, gaitmask_ = found["3", "GaitGL"].run, found["3", "GaitMask"].run
    for step in (" + Re-ranking", " + QE", " + Re-ranking + QE"):
        run = found["3", f"GaitGL{step}"].run
        assert run.training == "" and parts_of(run) == [gaitgl]
        assert (run.rerank is not None, run.expansion is not None) == ("Re-ranking" in step, "QE" in step)
        if "Re-ranking" in step:
            published = found["3", f"control: GaitGL{step}, as published"]
            assert published.run.rerank == systems.PUBLISHED and parts_of(published.run) == [gaitgl]
            assert (published.run.expansion or {"own_share": 0})["own_share"] == 0 and published.seeds == 10
    both = found["3", "GaitGL+GaitMask + Re-ranking + QE"].run
    assert both.training == "" and parts_of(both) == [gaitgl, gaitmask_] and both.model == "ensemble"
    assert [name for name, _ in both.model_options["members"]] == ["gaitgl", "gaitmask"]


def test_controls_differ_in_one_thing(differing):
    found = rows()
    gaitgl, masked = found["3", "GaitGL"].run, found["3", "GaitMask"].run
    for label in ("without masks", "with fixed halves", "with two independent masks"):
        control = found["3", f"control: GaitMask {label}"].run
        assert differing(control, masked) == {"model_options", "parts"}
        assert differing(parts_of(control)[0], parts_of(masked)[0]) == {"model_options"}
    ablated = {
        "GMCL-A": {"last": "add"},
        "GMCL-B": {"earlier": "global"},
        "global branch": {"last": "global", "earlier": "global"},
    }
    for what, options in ablated.items():
        assert found["3", f"control: GaitMask, {what} alone"].run.model_options == options
    for label, quality in (("shuffled silhouettes", "shuffled"), ("one silhouette repeated", "still")):
        control = found["3", f"control: GaitGL, {label}"].run
        assert differing(control, gaitgl) == {"data_options", "parts"}
        assert differing(parts_of(control)[0], parts_of(gaitgl)[0]) == {"data_options"}
        for run in (control, *parts_of(control)):
            assert run.data_options == (systems.CROWD if run.data == "crowd" else {}) | {"silhouettes": quality}
    for name, run in (("GaitGL", gaitgl), ("GaitMask", masked)):
        scratch = found["3", f"control: {name} from scratch"].run
        assert {"parts", "iterations"} <= differing(scratch, run) <= {"parts", "iterations", *CHOSEN}
        assert scratch.iterations == 2 * run.iterations
        assert [getattr(scratch, what) for what in CHOSEN] == [getattr(parts_of(run)[0], what) for what in CHOSEN]


@pytest.mark.parametrize("scale", ["mini", "paper"])
def test_two_networks_of_a_kind_see_the_same_people_and_have_other_weights(scale, differing):
    gaitgl, again = parts_of(rows(scale)["3", "control: GaitGL+GaitGL"].run)
    assert gaitgl == rows(scale)["3", "GaitGL"].run
    assert differing(again, gaitgl) == {"draw", "parts"}
    assert differing(again.parts[0], gaitgl.parts[0]) == {"run"}  # the same seed, which draws the data
    assert differing(parts_of(again)[0], parts_of(gaitgl)[0]) == {"draw"}


def test_both_networks_are_trained_alike(differing):
    found = rows()
    for table, how in (("3", ""), ("laboratory", " after a first training")):
        gaitgl, gaitmask_ = (found[table, f"{name}{how}"].run for name in ("GaitGL", "GaitMask"))
        assert differing(gaitmask_, gaitgl) - {*CHOSEN} == {"model", "parts"}
        assert differing(parts_of(gaitmask_)[0], parts_of(gaitgl)[0]) - {*CHOSEN} == {"model"}


def test_networks_and_what_follows_their_features_are_there_at_half_length():
    found = rows()
    for label in [label for table, label in found if table == "3" and ("control" not in label or "GaitGL+" in label)]:
        whole, half = found["3", label].run, found["3, half the training", label].run
        assert [2 * r.iterations for r in (half, *parts_of(half))] == [r.iterations for r in (whole, *parts_of(whole))]


def test_choices_are_made_on_training_identities_of_worlds_that_no_table_shows():
    choices = [row for (table, _), row in rows().items() if table.startswith("choices")]
    assert {row.run.data for row in choices} == {"yard_validation", "lab_validation"}
    assert min(row.first_seed for row in choices) >= 1000
    assert {p.data for row in choices for p in parts_of(row.run)} <= {"crowd", "yard_validation"}
    others = [row for (table, _), row in rows().items() if not table.startswith("choices")]
    assert max(row.first_seed + row.seeds for row in others if row.table != "crowd") <= 1000


@pytest.mark.parametrize("name", ["GaitGL", "GaitMask"])
@pytest.mark.parametrize("label", ["yard, {}", "yard, {} from scratch", "lab, {}"])
def test_the_setting_is_the_best_of_those_tried(name, label, differing):
    found, label = rows(), label.format(name)
    tried = [row for (table, of), row in found.items() if table == "choices" and of.startswith(f"{label}, rate")]
    assert sorted({row.run.learning_rate for row in tried}) == list(GAIT.rates)
    used = {
        f"yard, {name}": found["3", name].run,
        f"yard, {name} from scratch": found["3", f"control: {name} from scratch"].run,
        f"lab, {name}": found["laboratory", f"{name} after a first training"].run,
    }[label]
    same = [row for row in tried if differing(row.run, used) <= {"data", "iterations", "parts", "setups"}]
    assert len(same) == 1  # it is one of them
    if not (chosen := best("gaitmask", tried)):
        pytest.skip(f"gaitmask, table choices: not all rows of {label} are measured yet")
    assert chosen == same[0]


def test_expansion_and_re_ranking_are_the_best_of_those_tried_together():
    tried = [row for (table, _), row in rows().items() if table == "choices, search" and row.run.expansion]
    assert all(row.run.expansion["relative"] and row.run.rerank for row in tried)
    same = [row for row in tried if (row.run.expansion, row.run.rerank) == (systems.EXPANSION, systems.RERANK)]
    assert len(same) == 1  # it is one of them
    if not (chosen := best("gaitmask", tried)):
        pytest.skip("gaitmask, table choices, search: not all rows are measured yet")
    assert chosen == same[0]


def starts(run):
    """The first trainings of the networks that a run searches with, by what names their weights."""
    networks = [run] if run.training else parts_of(run)
    return {(part.run.hash, part.seed) for network in networks for part in network.parts}


def test_claims_say_where_the_luck_of_one_first_training_matters():
    found, apart = rows(), []
    for claim in claims.CLAIMS:
        left, right = ([starts(found[claim.table, row].run) for row, _ in side] for side in (claim.left, claim.right))
        apart.append(any(one != other for one in left for other in right))
        assert (claims.ONE_START in claim.note) == apart[-1], claim.text
    assert {*apart} == {True, False}
    longer = {claim.note for claim in claims.CLAIMS if claim.text.startswith("training elsewhere first helps")}
    assert longer == {f"{systems.FIRST + systems.THEN} iterations against {2 * systems.THEN}; {claims.ONE_START}"}


def test_what_networks_start_from_is_trained_once_on_people_that_no_table_shows():
    found = rows()
    starts = {part.seed for row in found.values() for part in row.run.parts if part.run.data == "crowd"}
    shown = {seed for (table, _), row in found.items() if table != "crowd" for seed in row.all_seeds}
    assert starts == {PRETRAINING_SEED} and PRETRAINING_SEED not in shown
    before = found["crowd", "GaitGL"]
    [part] = found["3", "GaitGL"].run.parts
    assert (before.run, before.first_seed, before.seeds) == (part.run, part.seed, 1)


def test_the_table_by_views_has_the_laboratory_s_runs_and_all_of_casia_b_s_views():
    found = rows()
    labels = [label for table, label in found if table == "laboratory"]
    shown = [label.removeprefix("control: ") for label in labels]
    assert {"GaitGL from scratch", "GaitMask from scratch", "GaitSet from scratch", "GaitBase from scratch"} <= {*shown}
    for label, name in zip(labels, shown):
        assert name.endswith(" after a first training" if starts(found["laboratory", label].run) else " from scratch")
        for condition in ("nm", "bg", "cl"):
            row = found["laboratory, view by view", f"{condition.upper()}, {name}"]
            assert row.run == found["laboratory", label].run
            assert list(row.columns)[:-1] == [f"{view}°" for view in range(0, 181, 18)]
            assert row.columns["36°"] == (condition, "probe 36") and row.columns["mean"] == (condition, "excluding")


def test_what_follows_the_features_is_chosen_at_mini_scale_and_published_at_paper_scale():
    for scale, own_share, neighbours in (("mini", 0.5, (4, 2)), ("paper", 0.0, (20, 6))):
        run = rows(scale)["3", "GaitGL+GaitMask + Re-ranking + QE"].run
        assert run.expansion == systems.EXPANSION | {"own_share": own_share}
        assert run.rerank == systems.RERANK | dict(zip(("k1", "k2"), neighbours))


def test_features_are_compared_as_they_are():
    runs = [row.run for scale in ("mini", "paper") for row in rows(scale).values()]
    assert {run.metric for start in runs for run in (start, *(part.run for part in start.parts))} == {"euclidean"}


@pytest.mark.parametrize(("name", "numbers"), [("GaitGL", 256), ("GaitMask", 128)])
def test_one_step_of_each_training_at_paper_scale_from_the_command_line(
    name, numbers, tmp_path, monkeypatch, reproduced
):
    monkeypatch.setenv("REIDLIB_CACHE", str(tmp_path / "rendered"))
    small = {"num_ids": 6, "resolution": (64, 44), "silhouette_size": (64, 44), "workers": 1, "progress": False}
    export.oumvlp(walkers.crowd(0, **small), tmp_path / "oumvlp", progress=False)
    export.hid(walkers.yard(0, **small), tmp_path / "hid", progress=False)
    brief = {"iterations": 1, "ids_per_batch": 2, "clips_per_id": 2, "silhouettes": 6, "precision": "no"}
    row = rows("paper")["3", name]
    run = replace(row.run, parts=(replace(row.run.parts[0], run=replace(parts_of(row.run)[0], **brief)),), **brief)
    row = replace(row, run=run, keep_features=True)
    record = reproduced("gaitmask", row, {data: tmp_path / data for data in ("oumvlp", "hid")})
    features = load_features(tmp_path / "figures" / "gaitmask" / "features" / f"{run.hash}-s0.npz")
    assert features.query_features.shape[1] == 64 * numbers
    assert 0 <= record.scores["usual"]["rank-1"] <= 1
    assert record.seconds["training"] > 0 and record.seconds["parts"] > 0


@pytest.mark.parametrize(("name", "numbers"), [("GaitGL", 256), ("GaitMask", 128)])
def test_a_walk_of_64_silhouettes_at_paper_scale(name, numbers):
    run = rows("paper")["3", name].run
    with torch.device("meta"):
        network = create_model(run.model, num_ids=5, scale="paper", **run.model_options).eval()
        assert network(silhouettes=torch.empty(1, run.silhouettes, 64, 44)).features["strips"].shape == (1, 64, numbers)
    assert run.silhouettes == 64
