import pytest
import torch

from reidlib.models import Network, create_model, list_models, register, registry

OPTIONS = {
    "arm": {"groups": {"Personal": ["personalMale"]}},
    "ensemble": {"members": [("agw", {}), ("gaitset", {})]},
}


@pytest.mark.parametrize("name", list_models())
def test_every_listed_network_builds_at_both_scales_from_keyword_arguments(name):
    sizes = {}
    for scale in ("paper", "mini"):
        network = create_model(name, num_ids=7, scale=scale, **OPTIONS.get(name, {}))
        assert isinstance(network, Network) and not network.for_retrieval().training
        assert {p.device.type for p in network.parameters()} <= {"cpu"}
        sizes[scale] = sum(p.numel() for p in network.parameters())
    assert sizes["mini"] < sizes["paper"] or sizes["mini"] == sizes["paper"] == 0 or name == "efficientnet_lite0"


def test_a_network_of_one_s_own_is_known_by_its_name(monkeypatch):
    monkeypatch.setattr(registry, "_NETWORKS", dict(registry._NETWORKS))

    class Mine(Network):
        def __init__(self, *, num_ids, scale):
            super().__init__()
            self.classifier = torch.nn.Linear(3, num_ids)

    assert register("mine")(Mine) is Mine and "mine" in list_models()
    assert create_model("mine", num_ids=4).classifier.out_features == 4
    register("mine")(Mine)  # a file that is run again
    with pytest.raises(ValueError, match="a network is called 'agw' already.*choose another name"):
        register("agw")(Mine)
    with pytest.raises(TypeError, match="inherits from reidlib.models.Network"):
        register("other")(torch.nn.Linear)


def test_paper_is_the_default_scale():
    with torch.device("meta"):
        assert create_model("agw", num_ids=3).backbone.channels == 2048


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        ({"name": "agv", "num_ids": 3}, ValueError, "'agv'.*known networks: .*agw"),
        ({"name": "agw", "num_ids": 3, "scale": "tiny"}, ValueError, "'tiny'.*known scales: paper, mini"),
        (
            {"name": "agw", "num_ids": 3, "fusion": "b"},
            TypeError,
            "no option fusion; its options: num_ids, weights",
        ),
        ({"name": "agw"}, TypeError, "needs num_ids"),
    ],
)
def test_what_is_not_known_is_refused_with_what_is(arguments, error, message):
    with pytest.raises(error, match=message):
        create_model(**arguments)
