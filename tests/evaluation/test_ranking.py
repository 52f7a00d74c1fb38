"""The parts that retrieval scores are made of."""

import numpy as np
import pytest

from reidlib.evaluation.ranking import (
    MatchRanks,
    inverse_negative_penalty,
    match_ranks,
    same_identity_pairs,
    step_average_precision,
    trapezoid_average_precision,
)


def test_same_identity_pairs_are_all_pairs_of_real_identities():
    rng = np.random.default_rng(0)
    for _ in range(200):
        queries = rng.integers(-1, 4, int(rng.integers(0, 6)))
        gallery = rng.integers(-1, 4, int(rng.integers(0, 9)))
        ours = list(zip(*same_identity_pairs(queries, gallery)))
        expected = [(q, g) for q in range(len(queries)) for g in range(len(gallery)) if queries[q] == gallery[g] > 0]
        assert sorted(ours) == expected
        assert [q for q, _ in ours] == [q for q, _ in expected]


def ranks_of(*lists):
    """MatchRanks of one query a list."""
    query = np.repeat(np.arange(len(lists)), [len(ranks) for ranks in lists])
    place = np.concatenate([np.arange(1, len(ranks) + 1) for ranks in lists])
    return MatchRanks(query, place, np.concatenate(lists).astype(int), np.array([len(ranks) for ranks in lists]))


def test_both_average_precisions_by_hand():
    ranks = ranks_of([1, 3], [], [2])
    np.testing.assert_allclose(step_average_precision(ranks), [(1 + 2 / 3) / 2, np.nan, 1 / 2])
    # The trapezoid starts at precision 1; before rank 3 the precision is 1/2, before rank 2 it is 0.
    np.testing.assert_allclose(
        trapezoid_average_precision(ranks), [((1 + 1) / 2 + (1 / 2 + 2 / 3) / 2) / 2, np.nan, (0 + 1 / 2) / 2]
    )
    np.testing.assert_allclose(inverse_negative_penalty(ranks), [2 / 3, np.nan, 1 / 2])
    assert ranks.first.tolist() == [1, 0, 2]
    assert ranks.last.tolist() == [3, 0, 2]


@pytest.mark.parametrize("precision", [step_average_precision, trapezoid_average_precision])
def test_average_precision_is_one_only_for_a_perfect_ranking(precision):
    assert precision(ranks_of([1, 2, 3, 4])).tolist() == [1.0]
    assert precision(ranks_of([1, 2, 3, 5]))[0] < 1


def test_an_infinitely_far_match_comes_after_the_wrong_answers_but_not_after_what_is_left_out():
    distances = np.array([[np.inf, np.inf, np.inf, 1.0]])  # match, left out, junk, wrong
    queries, entries, counted = np.array([0, 0]), np.array([0, 1]), np.array([True, False])
    ranks = match_ranks(distances, queries, entries, counted, junk=np.array([False, False, True, False]))
    assert ranks.rank.tolist() == [2]
