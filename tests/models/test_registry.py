import pytest
import torch

from reidlib.models import create_model, list_models


def test_every_listed_network_builds_at_both_scales_from_keyword_arguments():
    assert list_models() == sorted(list_models())
    assert "agw" in list_models()
    for scale in ("paper", "mini"):
        network = create_model("agw", num_ids=7, scale=scale)
        assert {p.device.type for p in network.parameters()} == {"cpu"}
        assert network.classifier.out_features == 7


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
