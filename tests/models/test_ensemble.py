import pytest
import torch

from reidlib.models import create_model

MEMBERS = [("gaitgl", {"layout": "casia_b"}), ("gaitmask", {"drop": 0.5})]


@pytest.fixture(scope="module")
def ensemble():
    torch.manual_seed(0)
    return create_model("ensemble", num_ids=4, members=MEMBERS, scale="mini")


def test_features_are_the_members_side_by_side(ensemble):
    silhouettes = (torch.rand(3, 6, 32, 22) > 0.5).float()
    found = ensemble.for_retrieval()
    with torch.no_grad():
        embedding = found(silhouettes=silhouettes).embedding
        one, other = (member(silhouettes=silhouettes).embedding for member in found.members)
    torch.testing.assert_close(embedding, torch.cat([one, other], dim=1))
    # so that squared distances are the sum of the members' own
    apart = sum(torch.cdist(x, x).square() for x in (one, other))
    torch.testing.assert_close(torch.cdist(embedding, embedding).square(), apart, rtol=1e-3, atol=1e-4)


def test_for_retrieval_drops_what_members_drop(ensemble):
    assert ensemble.training and ensemble.members[0].classifier is not None
    found = ensemble.for_retrieval()
    assert not found.training and found.members[0].classifier is None
    assert ensemble.members[0].classifier is not None
    assert found.members[1].trunk.layers[0].masked.drop == 0.5
