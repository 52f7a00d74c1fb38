import pytest
import torch

from reidlib.models import create_model


@pytest.fixture(scope="module")
def mini():
    torch.manual_seed(0)
    return create_model("gaitbase", num_ids=5, scale="mini")


def test_paper_scale_has_the_release_s_number_of_parameters(count):
    """7.3 million, with the classifiers of CASIA-B's 74 identities."""
    with torch.device("meta"):
        network = create_model("gaitbase", num_ids=74)
    stem = 9 * 64 + 2 * 64
    blocks = 0
    for inputs, width, projected in ((64, 64, False), (64, 128, True), (128, 256, True), (256, 512, True)):
        blocks += 9 * (inputs + width) * width + 4 * width + projected * (inputs * width + 2 * width)
    head = 16 * 512 * 256 + 2 * 16 * 256 + 16 * 256 * 74
    assert count(network) == stem + blocks + head == 7_305_408


def test_paper_scale_gives_16_strips_of_256_for_64x44():
    with torch.device("meta"):
        network = create_model("gaitbase", num_ids=74)
        output = network(silhouettes=torch.empty(2, 5, 64, 44))
    assert output.features["strips"].shape == (2, 16, 256) and output.embedding.shape == (2, 16 * 256)
    assert output.logits["strips"].shape == (2, 16, 74)


def test_mini_gives_8_strips_of_64_for_32x22_in_whatever_order(mini, random_silhouettes):
    network = mini.for_retrieval()
    silhouettes = random_silhouettes(3, 4, 32, 22)
    output = network(silhouettes=silhouettes)
    assert output.features["strips"].shape == (3, 8, 64) and output.logits == {}
    torch.testing.assert_close(network(silhouettes=silhouettes[:, [2, 0, 3, 1]]).embedding, output.embedding)


def test_a_strip_s_logits_are_cosines_of_what_it_is_normalised_to(mini, random_silhouettes):
    output = mini.train()(silhouettes=random_silhouettes(6, 2, 32, 22))
    strips = output.features["strips"]
    normalised = (strips - strips.mean(0)) / (strips.var(0, unbiased=False) + 1e-5).sqrt()
    weight = mini.classifier.weight[3, :, 2]
    expected = torch.cosine_similarity(normalised[4, 3], weight, dim=0)
    torch.testing.assert_close(output.logits["strips"][4, 3, 2], expected, atol=1e-5, rtol=1e-4)
    assert output.logits["strips"].abs().max() <= 1 + 1e-6


def test_silhouettes_of_another_height_are_refused(mini):
    with pytest.raises(ValueError, match=r"\(1, 2, 40, 22\) give maps of 10 rows.*32×22 at scale mini"):
        mini(silhouettes=torch.zeros(1, 2, 40, 22))
