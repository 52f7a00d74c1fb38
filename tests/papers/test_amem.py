"""AMEM: the equations, the systems, and that every reported row that can be measured has a run."""

import math
from dataclasses import replace

import pytest
import torch

from reidlib.data import export, peta, walkers
from reidlib.data.attributes import MARS
from reidlib.data.batches import ClipBatch
from reidlib.data.walkers.worlds.annotations import PETA_RENDERED
from reidlib.experiments import Part, Setting, rows_of
from reidlib.experiments.evaluations import columns_of, measure
from reidlib.experiments.sources import open_benchmark
from reidlib.experiments.train import Resources, train
from reidlib.losses import batch_hard_triplet_loss, identity_loss
from reidlib.models import create_model
from reidlib.papers.amem import claims as amem_claims
from reidlib.papers.amem import rows as amem
from reidlib.papers.amem import systems
from reidlib.papers.amem.training import (
    Objective,
    TextureObjective,
    attribute_loss,
    fooling_loss,
    squared_error,
    training,
)
from reidlib.papers.recipes import CHOSEN, best, search
from reidlib.papers.reported import reported_table
from reidlib.training import fit

GROUPS = {"Hair": ["hairLong"], "Personal": ["personalMale"]}
COMPARATORS = {"CNN+XQDA", "RQEN", "CSA-CSE", "DR-STAN", "3D PersonVLAD", "STMP", "SCAN"}  # other systems


def rows(scale="mini"):
    return {(row.table, row.label): row for row in rows_of("amem", scale)}


@pytest.fixture
def batch():
    torch.manual_seed(1)
    four = torch.arange(4)
    return ClipBatch(
        frames=torch.rand(4, 8, 3, 64, 32),
        labels=torch.tensor([0, 0, 3, 3]),
        attributes={"hairLong": torch.tensor([0, 1, 1, -1]), "personalMale": torch.tensor([1, 1, 0, 0])},
        **{"tracklets": four, "person_ids": four, "camera_ids": four, "views": four, "conditions": ("",) * 4},
    )


def network(**options):
    torch.manual_seed(0)
    return create_model("amem", num_ids=5, scale="mini", **{"groups": GROUPS, **options})


def plan(model, **options):
    return training(Setting(model, replace(systems.WILD, training_options=options), None))


def test_equations_1_to_3_by_hand():
    scores = {"hat": torch.tensor([[2.0], [-1.0]]), "bag": torch.tensor([[0.5], [3.0]])}
    codes = {"hat": torch.tensor([1, 0]), "bag": torch.tensor([0, -1])}

    def probability(x):
        return 1 / (1 + math.exp(-x))

    hat = -(math.log(probability(2.0)) + math.log(1 - probability(-1.0))) / 2
    bag = -math.log(1 - probability(0.5))  # the second is not known
    assert attribute_loss(scores, codes).item() == pytest.approx(hat + bag)
    colours = {"colour": torch.tensor([[1.0, 0.0, 0.0]])}
    expected = -math.log(math.e / (math.e + 2))
    assert attribute_loss(colours, {"colour": torch.tensor([0])}).item() == pytest.approx(expected)
    assert attribute_loss(colours, {"colour": torch.tensor([-1])}) == 0


def test_squared_errors_are_means_over_pixels_and_sums_over_steps():
    made, true = torch.zeros(2, 3, 1, 2, 2), torch.ones(2, 3, 1, 2, 2)
    true[:, 1] = 2.0
    assert squared_error(made, true) == 1 + 4 + 1


def test_fooling_pays_where_the_discriminator_says_real():
    def mean(images):
        return images.flatten(1).mean(1)

    sure, caught = (fooling_loss(mean, torch.full((2, 3, 1, 1), value)).item() for value in (3.0, -3.0))
    assert sure == pytest.approx(math.log(1 + math.exp(-3))) and caught == pytest.approx(math.log(1 + math.exp(3)))


def test_the_terms_are_those_of_equations_5_to_7_and_two_optimisers_train_them(batch):
    model = network()
    found = plan(model)
    torch.manual_seed(3)
    losses = found.objective(model, batch)
    torch.manual_seed(3)
    maps = model.maps(batch.frames)
    output = model.describe(maps)
    start, true = found.objective.start_and_targets(batch)
    made, textures = model.foresight(start, maps["motion"], 3)
    expected = {
        "identity": identity_loss(output.logits["global"], batch.labels, 0.0),
        "triplet": batch_hard_triplet_loss(output.features["global"], batch.labels, 0.2),
        "attributes": attribute_loss(output.attributes, batch.attributes),
        "pixels": squared_error(made, true),
        "textures": squared_error(textures, model.foresight.textures(true)),
    }
    for name, value in expected.items():
        torch.testing.assert_close(losses["network"][name], value, rtol=1e-3, atol=1e-4)
    assert losses["network"].keys() - expected.keys() == {"adversarial"}
    watched = {name: losses["network"][name] for name in ("pixels", "textures", "adversarial")} | losses["adversary"]
    assert losses["watched"].keys() > watched.keys()
    for name, value in watched.items():  # so that records hold them
        assert losses["watched"][name] == value and not losses["watched"][name].requires_grad
    assert losses["adversary"].keys() == {"discriminator"} and losses["adversary"]["discriminator"] > 0
    assert found.weights["network"] == {
        "attributes": 0.1,
        "pixels": 10.0,
        "textures": 10.0,
        "adversarial": 10.0,  # the paper's, where a run names no weight
    }
    network_parameters, adversary = (o.param_groups[0]["params"] for o in found.optimisers.values())
    fixed = {id(p) for p in model.foresight.texture.encoder.parameters()} | {id(model.descriptor.neck.bias)}
    assert {id(p) for p in network_parameters} == {id(p) for p in model.parameters()} - fixed
    assert {id(p) for p in adversary} == {id(p) for p in found.objective.parameters()}


def test_what_the_texture_autoencoder_is_trained_for_is_watched(batch):
    torch.manual_seed(0)
    losses = TextureObjective("mini")(create_model("tae", scale="mini"), batch)
    assert losses["network"].keys() == {"pixels", "adversarial"} and losses["adversary"].keys() == {"discriminator"}
    assert losses["watched"].keys() == {"pixels", "adversarial", "discriminator", "variation of pictures"}
    assert losses["watched"]["pixels"] == losses["network"]["pixels"] > 0


@pytest.mark.parametrize("rounds", [1, 4])
def test_the_start_is_drawn_so_that_the_clip_holds_what_follows_but_its_last_frame(batch, rounds):
    numbered = torch.arange(8.0)[None, :, None, None, None].expand(4, -1, 3, 2, 2)
    objective, seen = Objective("mini", rounds), set()
    for _ in range(40):
        start, true = objective.start_and_targets(replace(batch, frames=numbered))
        first = start[:, 0, 0, 0]
        assert torch.equal(true[:, :, 0, 0, 0], first[:, None] + torch.arange(1, rounds + 1))
        seen |= {*first.tolist()}
    assert seen == {*map(float, range(8 - rounds - 1))}  # 0 < t < T - c, counted from 1


def test_controls_repeat_the_frame_or_mix_the_order_and_fixed_windows_come_with_the_batch(batch):
    numbered = torch.arange(8.0)[None, :, None, None, None].expand(4, -1, 3, 2, 2)
    start, true = Objective("mini", target="current").start_and_targets(replace(batch, frames=numbered))
    assert torch.equal(true, start[:, None].expand_as(true))
    start, true = Objective("mini", target="shuffled").start_and_targets(replace(batch, frames=numbered))
    shown = torch.cat([start[:, None], true], dim=1)[:, :, 0, 0, 0]
    assert all(len({*clip}) == 4 for clip in shown.tolist())
    assert any(clip != list(range(int(clip[0]), int(clip[0]) + 4)) for clip in shown.tolist())
    later = numbered[:, :, None].expand(-1, -1, 4, -1, -1, -1) + 100
    start, true = Objective("mini").start_and_targets(replace(batch, frames=numbered, next_frames=later))
    assert torch.equal(true, start[:, None].expand(-1, 3, -1, -1, -1) + 100)
    with pytest.raises(ValueError, match="clips of 4 frames: foreseeing 3 needs 5"):
        Objective("mini").start_and_targets(replace(batch, frames=numbered[:, :4]))
    with pytest.raises(ValueError, match="expected one of"):
        Objective("mini", target="past")


@pytest.mark.parametrize(
    ("options", "terms"),
    [
        ({"motion": False}, {"attributes"}),
        ({"appearance": False, "groups": None}, {"pixels", "textures", "adversarial"}),
        ({"groups": None, "foresee": False}, set()),
    ],
)
def test_a_branch_that_is_not_there_or_not_taught_has_no_term(batch, options, terms):
    model = network(**options)
    found = plan(model)
    losses = found.objective(model, batch)
    assert losses["network"].keys() == {"identity", "triplet"} | terms
    assert found.optimisers.keys() == losses.keys() - {"watched"}
    assert losses["watched"].keys() >= {*terms} - {"attributes"}
    assert found.weights["network"].keys() <= losses["network"].keys()


def test_the_encoder_stays_and_the_rest_is_trained(batch):
    model = network()
    before = {name: value.clone() for name, value in model.state_dict().items()}
    found = plan(model)
    fit(
        model,
        found.objective,
        lambda start: iter([batch] * 2),
        iterations=2,
        optimisers=found.optimisers,
        weights=found.weights,
        precision="no",
        progress=False,
    )
    changed = {name for name, value in model.state_dict().items() if not torch.equal(value, before[name])}
    assert not any(name.startswith(("foresight.texture.encoder", "normalize")) for name in changed)
    parts = ("backbone", "branches.appearance", "branches.motion", "attributes", "foresight.embedding", "descriptor")
    for part in (*parts, "foresight.texture.decoder", "descriptor.classifier"):
        assert any(name.startswith(part) for name in changed), part


@pytest.mark.parametrize("scale", ["mini", "paper"])
@pytest.mark.parametrize("table", ["3", "4", "5"])
def test_every_reported_cell_has_a_run_but_those_of_other_systems(table, scale):
    numbers = reported_table("amem", table)
    runs = {}
    for row in rows_of("amem", scale):
        if row.table == table:
            runs.setdefault(row.label, set()).update(row.columns or columns_of(row.run))
    for label in numbers.index:
        if label not in COMPARATORS:
            measured = set(numbers.columns[numbers.loc[label].notna()])
            if label in ("3D-NLA", "M3D"):
                measured = {column for column in measured if column.startswith("MARS")}
            assert measured <= runs[label]


def test_claims_are_of_cells_that_are_measured_and_headlines_have_ten_seeds():
    cells = {}
    for row in rows_of("amem"):
        for column in row.columns or columns_of(row.run):
            cells[row.table, row.label, column] = row.seeds
    for claim in amem_claims.CLAIMS:
        for label, column in (*claim.left, *claim.right):
            few = claim.table in ("4", amem_claims.OVERFITTING, amem_claims.PROBES, amem_claims.LENGTH)
            assert cells[claim.table, label, column] >= (3 if few else 6)
    texts = [claim.text for claim in amem_claims.CLAIMS]
    assert {*amem_claims.MAIN} <= {*texts}
    headline = [amem.BASELINE, amem.AEM, amem.MEM, amem.AMEM]
    controls = [label for table, label in rows() if table == "3" and label.startswith("control")]
    assert len(controls) == 6
    decisive = [amem.ONE_ALONE, amem.BOTH_ALONE, amem.PERMUTED, amem.CURRENT]
    assert {cells["3", label, "mAP"] for label in headline + decisive} == {10}
    assert {cells["3", label, "mAP"] for label in {*controls} - {*decisive}} == {6}
    assert {seeds for (table, *_), seeds in cells.items() if table == amem.TWINS} == {10}


def test_a_control_differs_from_what_it_controls_in_one_thing(differing):
    found = {label: row.run for (table, label), row in rows().items() if table == "3"}
    for label, system, field in (
        (amem.PERMUTED, amem.AEM, {"data_options"}),
        (amem.SHUFFLED, amem.AEM, {"data_options"}),
        (amem.CURRENT, amem.MEM, {"training_options"}),
        (amem.DISORDER, amem.MEM, {"training_options"}),
    ):
        assert differing(found[label], found[system]) == field
    for label, system in ((amem.ONE_ALONE, amem.AEM), (amem.ONE_ALONE, amem.MEM), (amem.BOTH_ALONE, amem.AMEM)):
        taught = {"parts"} | ({"training_options"} if found[system].training_options else set())
        assert differing(found[label], found[system]) == {"model_options"} | taught
        sizes = []
        for run in (found[label], found[system]):
            options = {name: value for name, value in run.model_options.items() if name != "weights"}
            model = create_model("amem", num_ids=5, scale="mini", **options).for_retrieval()
            sizes.append(sum(p.numel() for p in model.parameters()))
        assert sizes[0] == sizes[1]


def test_parts_are_the_auxiliaries_and_pseudo_labels_are_all_that_is_rendered_of_peta():
    [arm, tae] = rows()["3", amem.AMEM].run.parts
    assert arm == Part(systems.ARM, labels=True, seed=systems.AUXILIARY_SEED)
    assert tae == Part(systems.TAE, into="foresight.texture", seed=systems.AUXILIARY_SEED)
    auxiliary = {table: row for (table, label), row in rows().items() if label in ("ARM on stills", "TAE on stills")}
    for table, run in (("attributes", systems.ARM), ("textures", systems.TAE)):
        assert (auxiliary[table].run, *auxiliary[table].all_seeds) == (run, systems.AUXILIARY_SEED)
    others = [row for (table, _), row in rows().items() if table not in auxiliary]
    assert {seed for row in others for seed in row.all_seeds} <= {*range(10), *range(1000, 1002)}
    groups = rows()["3", amem.AMEM].run.model_options["groups"]
    assert sorted(name for names in groups.values() for name in names) == sorted(PETA_RENDERED) and len(groups) == 6
    [arm, tae] = rows("paper")["3", amem.AMEM].run.parts
    assert arm.seed is tae.seed is None
    assert (arm.run.data, tae.run.data) == ("peta", "market1501")
    assert arm.run.model_options["groups"] == peta.grouped()
    true = [name for names in amem.TRUE_GROUPS.values() for name in names]
    assert sorted(true) == sorted(a.name for a in MARS.id_relevant)


def test_pictures_are_of_the_networks_in_the_tables():
    found = rows()
    for c in (1, 2, 3, 4):
        run = found["Figure 4", amem.mem(c)].run
        assert {part.run.hash for part in run.parts} == {found["3", amem.mem(c)].run.hash} and run.training == ""
        assert (run.evaluation, run.next_frames, run.model_options["pictures"]) == ("frames", c, c)


def test_other_measurements_are_of_the_networks_in_the_tables():
    found = rows()
    same = {
        (amem.PROBES, amem.BASELINE): ("3", amem.BASELINE),
        (amem.PROBES, amem.AMEM): ("3", amem.AMEM),
        (amem.PROBES, amem.BOTH_ALONE): ("3", amem.BOTH_ALONE),
    }
    assert same.keys() == {key for key in found if key[0] == amem.PROBES}
    for key, other in same.items():
        [part] = found[key].run.parts
        assert part == Part(found[other].run) and (found[key].run.training, found[key].run.evaluation) == ("", "probes")
        features = {feature for feature, _ in found[key].columns.values()}
        assert features == ({"backbone"} if key[1] == amem.BASELINE else {"backbone", "appearance", "motion"})
    baselines = {r.label: r.run for r in rows_of("amem") if r.table == "4" and {*r.columns} == {"Baseline"}}
    for name in ("R3D", "P3D", "I3D"):
        row = found[amem.OVERFITTING, name]
        assert row.run.parts == (Part(baselines[f"{name} mAP"]),) and row.run.setups == ("usual", "training people")
        assert row.columns["training people rank-1"] == ("training people", "rank-1")


def test_runs_that_are_one_are_trained_once():
    found = rows()
    assert found[amem.BRANCHES, "inception block"].run == found["3", amem.AMEM].run
    assert found[amem.TWINS, f"{amem.MEM}, as it is"].run.hash == found["3", amem.MEM].run.hash


def test_rows_in_fixed_windows_see_the_same_clips(differing):
    found = rows()
    baseline, motion, repeats = (
        found[amem.FIXED, label].run for label in (amem.FIXED_BASELINE, amem.FIXED_MEM, amem.FIXED_CURRENT)
    )
    assert differing(baseline, found["3", amem.BASELINE].run) == {"windows", "next_frames"}
    assert differing(motion, repeats) == {"training_options"}
    assert differing(baseline, motion) == {"model", "model_options", "parts", "training_options"}


def test_comparators_have_a_setting_of_their_own_and_other_backbones_that_of_i3d(differing):
    found = {row.label: row.run for row in rows_of("amem") if row.table == "5" and "MARS mAP" in row.columns}
    for name, model in amem.COMPARED.items():
        run = found[name]
        chosen = (run.learning_rate, run.ids_per_batch, run.clips_per_id)
        assert run.model == model and chosen == systems.SETTINGS[name]
        assert differing(run, found["Baseline"]) <= {"model", "model_options", *CHOSEN}
    table_4 = {row.label: row.run for row in rows_of("amem") if row.table == "4" and {*row.columns} == {"AMEM"}}
    for name in ("R3D", "P3D"):
        assert not differing(table_4[f"{name} mAP"], table_4["I3D mAP"]) & {*CHOSEN}
    unsearched = [claim for claim in amem_claims.CLAIMS if claim.text.startswith("I3D is above")]
    assert len(unsearched) == 4 and not any(claim.primary for claim in unsearched)
    assert all("rate and batch" in claim.note for claim in unsearched)


@pytest.mark.parametrize("name", systems.SETTINGS)
def test_the_setting_is_the_best_of_those_tried(name, differing):
    run = rows()["5" if name in amem.COMPARED else "3", name].run
    tried = search("choices", name, run, systems.VIDEO_RECIPE, columns=amem.SCORES)
    assert all(row in rows_of("amem") for row in tried)
    if not (found := best("amem", tried)):
        pytest.skip(f"amem: not all rows of {name} are measured yet")
    assert differing(found.run, run) <= {"data", "iterations", "parts"}


def test_auxiliaries_and_the_whole_train_on_rendered_worlds(new_cache):
    new_cache()
    small = {"num_ids": 10, "workers": 1}
    shorter = {"iterations": 1, "ids_per_batch": 2, "clips_per_id": 2, "precision": "no"}
    whole = rows()["3", amem.AMEM].run
    options = {name: value for name, value in whole.model_options.items() if name != "weights"}
    parts = []
    for part in whole.parts:
        own = {name: value for name, value in part.run.model_options.items() if name != "weights"}
        run = replace(part.run, model_options=own, data_options=small, **shorter)
        parts.append(replace(part, run=run))
    run = replace(whole, model_options=options, data_options=small, parts=tuple(parts), **shorter)
    street = open_benchmark("street", 0, {}, small, progress=False)
    trained = train(run, 0, street, Resources(progress=False))
    assert trained.watched.keys() >= {"triplet distance", "variation of pictures"} and trained.part_seconds > 0
    looked_at = systems.pictures(run, 2)
    model = train(looked_at, 0, street, Resources(progress=False)).model.for_retrieval()
    frames = torch.from_numpy(street.query[0].frames(range(8))).float()[None] / 255
    assert model(frames=frames).visuals["next_frames"].shape == (1, 5, 2, 3, 64, 32)
    found = measure(model, street, looked_at, progress=False).scores
    assert found.keys() >= {"frames", "step 1", "step 2, last repeated"}
    probed = systems.looked_at(run, evaluation="probes")
    model = train(probed, 0, street, Resources(progress=False)).model.for_retrieval()
    assert measure(model, street, probed, progress=False).scores.keys() == {"backbone", "appearance", "motion"}


@pytest.mark.usefixtures("without_workers")
def test_paper_rows_train_on_exports_in_the_layouts_of_mars_peta_and_market_1501(tmp_path, monkeypatch):
    """One step of each training, by networks of mini scale."""
    monkeypatch.setenv("REIDLIB_CACHE", str(tmp_path / "cache"))
    small = {"num_ids": 10, "resolution": (32, 16), "workers": 1, "progress": False}
    stills = walkers.stills(0, **small)
    roots = {name: tmp_path / name for name in ("mars", "peta", "market1501")}
    export.mars(walkers.street(0, **small), roots["mars"], progress=False)
    export.peta(stills, roots["peta"], progress=False)
    export.market1501(stills, roots["market1501"], progress=False)
    shorter = {"scale": "mini", "iterations": 1, "ids_per_batch": 2, "clips_per_id": 2, "precision": "no"}
    resolution = {"resolution": (64, 32)}

    def short(run, **more):
        options = {name: value for name, value in run.model_options.items() if name != "weights"}
        options |= {"groups": peta.grouped(PETA_RENDERED)} if "groups" in options else {}  # an export has no others
        return replace(run, model_options=options, data_options=resolution, **shorter, **more)

    run = rows("paper")["3", amem.AMEM].run
    run = short(run, parts=tuple(replace(part, run=short(part.run)) for part in run.parts))
    benchmark = open_benchmark("mars", 0, roots, resolution, progress=False)
    trained = train(run, 0, benchmark, Resources(roots, progress=False))
    assert {part.run.data for part in run.parts} == {"peta", "market1501"} and trained.part_seconds > 0
    assert trained.watched["variation of pictures"] > 0


def test_pictures_are_made_with_all_that_was_trained_but_the_classifier():
    motion = systems.system(systems.WILD, rounds=3)
    run = systems.pictures(motion, 3)
    trained = create_model("amem", num_ids=7, scale="mini", **motion.model_options | {"weights": None})
    model = create_model("amem", num_ids=1, scale="mini", **run.model_options)
    for part in run.parts:
        model.get_submodule(part.into).load_state_dict(trained.get_submodule(part.out_of).state_dict())
    mine, theirs = model.state_dict(), trained.state_dict()
    assert {name for name in mine if not torch.equal(mine[name], theirs[name])} == {"descriptor.classifier.weight"}
