"""Parts: where their weights go, which of them, frozen or beside; labels of their making."""

import json
from dataclasses import asdict, replace

import numpy as np
import pytest
import torch

from reidlib.data.batches import train_batches
from reidlib.data.clips import evenly_spaced
from reidlib.experiments import Part, Plan, Run, register_training, trainings
from reidlib.experiments.sources import open_benchmark
from reidlib.experiments.train import Resources, build, train
from reidlib.models import ModelOutput, Network, create_model, registry

QUIET = Resources(progress=False)
STREET = {"num_ids": 10, "workers": 1}


@pytest.fixture
def part(tiny_row, new_cache):
    """A run of three iterations."""
    new_cache()
    return tiny_row(seeds=1).run


@pytest.fixture
def street(part):
    return open_benchmark("street", 0, {}, STREET, progress=False)


@pytest.fixture
def register(monkeypatch):
    """`register(network class)`, `register(training function)`: known for the time of a test, by their names."""
    monkeypatch.setattr(registry, "_NETWORKS", dict(registry._NETWORKS))
    monkeypatch.setattr(trainings, "_TRAININGS", dict(trainings._TRAININGS))

    def make(what):
        return (registry.register if isinstance(what, type) else register_training)(what.__name__)(what)

    return make


def test_a_joined_network_that_its_parts_do_not_fit_or_cover_is_refused(part, street):
    whole = replace(part, model="seqmasks", parts=(part,), training="", iterations=0)
    with pytest.raises(ValueError, match="seqmasks has no place for"):
        train(whole, 0, street, QUIET)
    backbone = Part(part, into="backbone", out_of="backbone")
    with pytest.raises(ValueError, match="agw is not trained, and none of its parts has weights for"):
        train(replace(part, parts=(backbone,), training="", iterations=0), 0, street, QUIET)


def test_a_run_in_another_world_takes_its_parts_along():
    part = Run("agw", "street", "baseline/agw")
    elsewhere = replace(part, data="campus")
    there = replace(part, parts=(Part(part, frozen=True), elsewhere)).in_world(same_gait=True)
    assert there.data_options == there.parts[0].run.data_options == {"same_gait": True}
    assert there.parts[0].frozen and there.parts[1] == Part(elsewhere)


def test_a_part_may_be_trained_on_other_data(part, street, monkeypatch):
    seen = []

    def spy(tracklets, **options):
        seen.append(tracklets)
        return train_batches(tracklets, **options)

    monkeypatch.setattr("reidlib.experiments.train.train_batches", spy)
    other = replace(part, data="stills", data_options={"num_ids": 10, "workers": 1}, num_frames=1)
    train(replace(part, parts=(other,)), 0, street, QUIET)
    stills = open_benchmark("stills", 0, {}, other.data_options, progress=False)
    assert [[t.person_id for t in tracklets] for tracklets in seen] == [
        [t.person_id for t in benchmark.train] for benchmark in (stills, street)
    ]


def test_an_ensemble_takes_the_weights_of_its_members(part, street):
    members = (part, replace(part, draw=1))
    joined = replace(part.of_parts(*members), model="ensemble", model_options={"members": [("agw", {})] * 2})
    trained = train(joined, 0, street, QUIET)
    assert trained.seconds == 0
    for member, run in zip(trained.model.members, members):
        alone = train(run, 0, street, QUIET).model.state_dict()
        assert all(torch.equal(value, alone[name]) for name, value in member.for_retrieval().state_dict().items())


def test_a_file_takes_the_place_of_imagenet_weights_in_an_ensemble_as_well(tmp_path, register):
    class recorder(Network):
        inputs = ("frames",)

        def __init__(self, *, num_ids, scale, weights=None):
            super().__init__()
            self.given = weights

    register(recorder)
    options = [{"weights": "imagenet"}, {"weights": "walkers"}, {}]
    ensemble = Run("ensemble", "street", model_options={"members": [("recorder", how) for how in options]})
    file = tmp_path / "resnet50.pth"
    for given, taken in ((None, "imagenet"), (file, file)):
        found = [member.given for member in build(ensemble, 1, Resources(weights=given)).members]
        assert found == [taken, "walkers", None]
        assert build(Run("recorder", "street", model_options=options[0]), 1, Resources(weights=given)).given == taken


class pair(Network):
    """Two AGWs that see the same clips."""

    def __init__(self, *, num_ids, scale):
        super().__init__()
        self.first, self.second = (create_model("agw", num_ids=num_ids, scale=scale) for _ in range(2))

    def forward(self, frames):
        first, second = self.first(frames), self.second(frames)
        return ModelOutput(first.embedding, {"first": first.features["global"], "second": second.features["global"]})


def squares(setting):
    """A training that makes all features small."""

    def objective(model, batch):
        features = model(**batch.inputs(model.inputs)).features
        return {"network": {name: value.square().mean() for name, value in features.items()}}

    optimiser = torch.optim.SGD(setting.model.parameters(), lr=setting.run.learning_rate)
    return Plan(objective, {"network": optimiser})


@pytest.mark.parametrize("frozen", [False, True])
@pytest.mark.parametrize("whole", [False, True])
def test_a_part_fills_a_submodule(part, street, register, whole, frozen):
    register(pair), register(squares)
    filled = Part(part, into="second", whole=whole, frozen=frozen)
    trained = train(replace(part, model="pair", training="squares", parts=(filled,)), 0, street, QUIET)
    expected = train(part, 0, street, QUIET).model.state_dict()
    found = trained.model.second.state_dict()
    assert torch.equal(found["classifier.weight"], expected["classifier.weight"]) == whole  # no loss reaches it
    kept = expected.keys() - {"classifier.weight"}
    if frozen:
        assert all(torch.equal(found[name], expected[name]) for name in kept)  # running statistics as well
    else:
        changed = {name for name in kept if not torch.equal(found[name], expected[name])}
        assert {"backbone.conv1.weight", "backbone.bn1.running_mean"} <= changed
    assert trained.part_seconds > 0 and not torch.equal(found["pool.p"], trained.model.first.state_dict()["pool.p"])


def test_a_part_gives_a_submodule_of_its_own(part, street):
    backbone = Part(part, into="backbone", out_of="backbone")
    start = replace(part, model="nonlocal3d", parts=(backbone,), iterations=1, learning_rate=0.0)
    with pytest.raises(ValueError, match="nonlocal3d has no place for non_local"):
        train(start, 0, street, QUIET)
    stem = Part(part, into="backbone.conv1", out_of="backbone.conv1")
    trained = train(replace(start, parts=(stem,)), 0, street, QUIET).model.state_dict()
    expected = train(part, 0, street, QUIET).model.state_dict()
    assert torch.equal(trained["backbone.conv1.weight"], expected["backbone.conv1.weight"])
    assert not torch.equal(trained["backbone.layer1.0.conv1.weight"], expected["backbone.layer1.0.conv1.weight"])


def test_shapes_that_differ_are_named(part, street):
    other = replace(part, data_options=STREET | {"num_ids": 14})
    with pytest.raises(ValueError, match="(?s)agw cannot take the weights of its part agw.*classifier"):
        train(replace(part, parts=(Part(other, whole=True),)), 0, street, QUIET)


def test_a_part_may_stand_beside_the_network(part, street, register):
    seen = []

    def beside(setting):
        seen.append(setting.beside)
        return squares(setting)

    register(pair), register(beside)
    run = replace(part, model="pair", training="beside", parts=(Part(part, beside="teacher"),))
    trained = train(run, 0, street, QUIET)
    [networks] = seen
    teacher, expected = networks["teacher"], train(part, 0, street, QUIET).model.for_retrieval().state_dict()
    assert not teacher.training and not any(p.requires_grad for p in teacher.parameters())
    assert all(torch.equal(value, expected[name]) for name, value in teacher.state_dict().items())
    start = train(replace(run, parts=(), learning_rate=0.0), 0, street, QUIET).model.first.pool.p
    assert start == 3.0 and trained.model.first.pool.p != 3.0


def test_a_part_may_label_the_training_tracklets(part, street, register, monkeypatch):
    class labeller(Network):
        """Says "bright" of clips whose mean is above a half, and how many of four colours they have."""

        def __init__(self, *, num_ids, scale):
            super().__init__()
            self.scale = torch.nn.Parameter(torch.ones(()))

        def forward(self, frames):
            mean = self.scale * frames.mean((1, 2, 3, 4))[:, None]
            attributes = {"bright": mean - 0.4, "level": -(mean - torch.arange(4) / 4).abs()}
            return ModelOutput(mean, {"first": mean}, attributes=attributes)

    batches = []

    def reads(setting):
        plan = squares(setting)

        def objective(model, batch):
            batches.append(batch)
            return plan.objective(model, batch)

        return replace(plan, objective=objective)

    register(labeller), register(pair), register(squares), register(reads)
    teacher = replace(part, model="labeller", training="squares", iterations=1, learning_rate=0.0, num_frames=1)
    run = replace(part, model="pair", training="reads", parts=(Part(teacher, labels=True),))
    train(run, 0, street, QUIET)
    assert {frozenset(batch.attributes) for batch in batches} == {frozenset({"bright", "level"})}
    for batch in batches:
        for position, bright, level in zip(batch.tracklets.tolist(), *batch.attributes.values()):
            frames = street.train[position].frames(evenly_spaced(len(street.train[position]), part.num_frames))
            assert bright == int(frames.mean() / 255 > 0.4)
            assert level == np.abs(frames.mean() / 255 - np.arange(4) / 4).argmin()
    assert street.train[0].attributes.keys() > {"gender"}  # the benchmark itself keeps its own
    said = {position: codes for batch in batches for position, *codes in _labels(batch)}
    batches.clear()
    train(run.in_world(attributes="permuted"), 0, street, QUIET)  # what is done to attributes is done to these
    exchanged = {position: codes for batch in batches for position, *codes in _labels(batch)}
    assert said != exchanged


def _labels(batch):
    return zip(batch.tracklets.tolist(), *(codes.tolist() for codes in batch.attributes.values()))


def test_the_time_of_a_part_that_gives_several_submodules_counts_once(part, street):
    once, twice = (
        train(replace(part, iterations=1, parts=tuple(Part(part, into=n, out_of=n) for n in names)), 0, street, QUIET)
        for names in (("backbone",), ("backbone", "pool"))
    )
    kept = train(part, 0, street, QUIET).seconds
    assert once.part_seconds == twice.part_seconds == kept


def test_a_network_that_predicts_nothing_cannot_label(part, street):
    with pytest.raises(ValueError, match="agw predicts no attributes"):
        train(replace(part, parts=(Part(part, labels=True),)), 0, street, QUIET)


def test_configurations_with_parts_survive_json(part):
    changes = ({"into": "x"}, {"frozen": True}, {"beside": "x"}, {"labels": True})
    runs = [replace(part, parts=(chosen,)) for chosen in (part, *(Part(part, **change) for change in changes))]
    assert [Run(**json.loads(json.dumps(asdict(run)))).hash for run in runs] == [run.hash for run in runs]
    assert len({run.hash for run in runs}) == 5
    assert replace(part, parts=(Part(part),)).hash == runs[0].hash  # a run among the parts is a part without more
