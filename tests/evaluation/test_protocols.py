"""Retrieval and cross-view scores against brute force, hand-computed cases and invariants."""

import math

import numpy as np
import pytest
import torch

from reidlib.evaluation import cross_view_accuracy, retrieval_scores
from reidlib.evaluation.statistics import identity_bootstrap

TOPK = (1, 2, 5)


def oracle(distances, query_ids, gallery_ids, query_cameras, gallery_cameras, protocol, kind):
    """One query after the other, walking down its ranked list as the definitions say."""
    hits, precisions, penalties, firsts = [], [], [], []
    for row, identity, camera in zip(distances, query_ids, query_cameras):
        ranking = []
        for distance, other, other_camera in zip(row, gallery_ids, gallery_cameras):
            same = other == identity and identity > 0
            if other < 0 or (protocol == "cross-camera" and same and other_camera == camera):
                continue
            ranking.append((float(distance), bool(same)))
        ranking.sort()  # at equal distance False, a wrong answer, comes first
        relevant = sum(same for _, same in ranking)
        if relevant == 0:
            precisions.append(math.nan)
            firsts.append(0)
            continue
        found, old_recall, old_precision, area, steps, first, last = 0, 0.0, 1.0, 0.0, 0.0, 0, 0
        for rank, (_, same) in enumerate(ranking, start=1):
            found += same
            recall, precision = found / relevant, found / rank
            area += (recall - old_recall) * (old_precision + precision) / 2
            steps += same * precision / relevant
            old_recall, old_precision = recall, precision
            if same:
                first, last = first or rank, rank
        hits.append([first <= k for k in TOPK])
        precisions.append(steps if kind == "step" else area)
        penalties.append(relevant / last)
        firsts.append(first)
    return hits, precisions, penalties, firsts


def random_case(rng, queries, gallery):
    """Few identities, cameras and distances: ties, junk and queries without a match are common."""
    distances = rng.integers(0, rng.integers(1, 6), (queries, gallery)).astype(rng.choice(["f4", "f8"]))
    if rng.random() < 0.5:
        distances += rng.standard_normal(distances.shape).astype(distances.dtype)
    distances[rng.random(distances.shape) < 0.05] = np.inf
    cameras = int(rng.integers(1, 4))
    junk = rng.random() < 0.05
    return (
        distances,
        rng.choice([-1, 1, 2, 3] if rng.random() < 0.1 else [1, 2, 3], queries),
        np.full(gallery, -1) if junk else rng.integers(-1, 4, gallery),
        rng.integers(0, cameras, queries),
        rng.integers(0, cameras, gallery),
    )


def check(case, protocol, kind):
    scores = retrieval_scores(*case, protocol=protocol, average_precision=kind, topk=TOPK)
    hits, precisions, penalties, firsts = oracle(*case, protocol, kind)
    np.testing.assert_allclose(scores.average_precision, precisions, rtol=1e-12)
    np.testing.assert_array_equal(scores.first_match_rank, firsts)
    np.testing.assert_array_equal(scores.valid, np.array(firsts) > 0)
    mean = [math.nan] * len(TOPK) if not hits else np.mean(hits, axis=0)
    np.testing.assert_allclose([scores.cmc[k] for k in TOPK], mean, rtol=1e-12)
    np.testing.assert_allclose(scores.mean_inp, np.mean(penalties) if penalties else math.nan, rtol=1e-12)
    valid = [value for value in precisions if not math.isnan(value)]
    np.testing.assert_allclose(scores.mean_ap, np.mean(valid) if valid else math.nan, rtol=1e-12)
    return scores


@pytest.mark.parametrize("protocol", ["cross-camera", "all"])
@pytest.mark.parametrize("kind", ["step", "trapezoid"])
def test_small_random_cases_agree_with_brute_force(protocol, kind):
    rng = np.random.default_rng(0)
    valid = []
    for _ in range(3000):
        case = random_case(rng, int(rng.integers(1, 5)), int(rng.integers(1, 9)))
        valid += check(case, protocol, kind).valid.tolist()
    assert 0.2 < np.mean(valid) < 0.8  # many queries have a match, and many have none


@pytest.mark.parametrize("protocol", ["cross-camera", "all"])
def test_more_queries_than_one_block_agree_with_brute_force(protocol):
    check(random_case(np.random.default_rng(1), 150, 90), protocol, "step")


def test_hand_computed_case():
    # Ranking: own camera (left out), wrong, match, distractor, junk (left out), match: ranks 2 and 4.
    case = [[1, 2, 3, 4, 5, 6]], [5], [5, 8, 5, 0, -1, 5], [1], [1, 1, 2, 2, 3, 3]
    step = retrieval_scores(*case, protocol="cross-camera", average_precision="step")
    assert step.cmc == {1: 0.0, 5: 1.0, 10: 1.0, 20: 1.0}
    assert step.mean_ap == pytest.approx((1 / 2 + 2 / 4) / 2)
    assert step.mean_inp == pytest.approx(2 / 4)
    assert step.first_match_rank.tolist() == [2]
    assert step.counts == {"queries": 1, "valid": 1, "gallery": 6, "distractors": 1, "junk": 1}
    assert (step.protocol, step.average_precision_kind) == ("cross-camera", "step")
    area = retrieval_scores(*case, protocol="cross-camera", average_precision="trapezoid")
    assert area.mean_ap == pytest.approx(((0 + 1 / 2) / 2 + (1 / 3 + 2 / 4) / 2) / 2)
    everything = retrieval_scores(*case, protocol="all")
    assert everything.mean_ap == pytest.approx((1 / 1 + 2 / 3 + 3 / 5) / 3)


def test_distractors_and_junk_make_no_query_valid():
    scores = retrieval_scores(np.zeros((2, 2)), [5, -1], [0, -1], [1, 1], [2, 2])
    assert not scores.valid.any()
    assert math.isnan(scores.mean_ap)
    assert math.isnan(scores.cmc[1])


def test_a_single_camera_has_no_cross_camera_match():
    distances = np.random.default_rng(0).random((3, 5))
    case = distances, [1, 2, 3], [1, 2, 3, 1, 2], [4] * 3, [4] * 5
    assert retrieval_scores(*case, protocol="cross-camera").counts["valid"] == 0
    assert retrieval_scores(*case, protocol="all").counts["valid"] == 3


def test_equal_distances_get_the_worst_rank_whatever_the_gallery_order():
    rng = np.random.default_rng(2)
    ids = np.repeat([1, 2, 3, 4], 5)
    for _ in range(20):
        order = rng.permutation(20)
        scores = retrieval_scores(np.ones((1, 20)), [2], ids[order], [1], [2] * 20)
        assert scores.first_match_rank.tolist() == [16]
        assert scores.mean_inp == pytest.approx(5 / 20)


def test_scores_do_not_depend_on_gallery_order_or_on_the_scale_of_distances():
    rng = np.random.default_rng(3)
    distances = rng.integers(0, 20, (40, 60)).astype(float)
    labels = rng.integers(1, 9, 40), rng.integers(-1, 9, 60), rng.integers(1, 4, 40), rng.integers(1, 4, 60)
    expected = retrieval_scores(distances, *labels)
    assert expected.counts["valid"] > 30
    order = rng.permutation(60)
    moved = retrieval_scores(distances[:, order], labels[0], labels[1][order], labels[2], labels[3][order])
    scaled = retrieval_scores(distances * 4 - 1, *labels)
    for scores in (moved, scaled):
        np.testing.assert_array_equal(scores.average_precision, expected.average_precision)
        assert scores.cmc == expected.cmc


def test_junk_changes_nothing_and_close_distractors_do():
    rng = np.random.default_rng(4)
    distances, ids, cameras = rng.random((30, 50)), rng.integers(1, 9, 80), rng.integers(1, 4, 80)
    labels = ids[:30], ids[30:], cameras[:30], cameras[30:]
    more = np.concatenate([distances, np.zeros((30, 7))], axis=1)

    def with_seven(identity):
        extra = np.concatenate([labels[1], np.full(7, identity)])
        return retrieval_scores(more, labels[0], extra, labels[2], np.concatenate([labels[3], np.full(7, 2)]))

    before = retrieval_scores(distances, *labels)
    np.testing.assert_array_equal(with_seven(-1).average_precision, before.average_precision)
    behind = with_seven(0).first_match_rank
    np.testing.assert_array_equal(behind[before.valid], before.first_match_rank[before.valid] + 7)


def test_the_input_matrix_is_left_alone():
    distances = np.random.default_rng(5).random((4, 6))
    kept = distances.copy()
    retrieval_scores(distances, [1, 2, 1, 2], [1, 2, -1, 0, 1, 2], [1] * 4, [2] * 6)
    cross_view_accuracy(distances, [1, 2, 1, 2], [1, 2, -1, 0, 1, 2], [0] * 4, [0, 90] * 3)
    np.testing.assert_array_equal(distances, kept)


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64, torch.bfloat16])
def test_tensors_give_the_scores_of_arrays(dtype):
    rng = np.random.default_rng(6)
    distances = rng.random((30, 40))
    labels = rng.integers(1, 9, 30), rng.integers(-1, 9, 40), rng.integers(1, 4, 30), rng.integers(1, 4, 40)
    tensor = torch.from_numpy(distances).to(dtype).requires_grad_()
    ours = retrieval_scores(tensor, *[torch.from_numpy(label) for label in labels])
    expected = retrieval_scores(tensor.detach().float().numpy(), *labels)
    np.testing.assert_array_equal(ours.average_precision, expected.average_precision)
    assert ours.cmc == expected.cmc
    views = cross_view_accuracy(tensor, *[torch.from_numpy(label) for label in labels])
    expected = cross_view_accuracy(tensor.detach().float().numpy(), *labels)
    np.testing.assert_array_equal(views.matrix, expected.matrix)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"protocol": "market"}, "protocol='market'.*'cross-camera', 'all'"),
        ({"average_precision": "area"}, "average_precision='area'.*'step', 'trapezoid'"),
        ({"topk": (0, 1)}, "topk"),
        ({"distances": np.zeros((2, 4))}, r"\(2, 3\).*\(2, 4\)"),
        ({"distances": np.array([[0, 1, 2], [0, np.nan, 1]])}, "NaN"),
        ({"distances": np.zeros((2, 0)), "gallery_ids": [], "gallery_cameras": []}, "nothing to rank"),
        ({"distances": np.zeros((0, 3)), "query_ids": [], "query_cameras": []}, "nothing to rank"),
        ({"query_cameras": [1]}, "query_cameras must be 2 integers"),
        ({"query_ids": [[1, 2], [1, 2]]}, r"query_ids must be integers, one an item; it has shape \(2, 2\)"),
        ({"gallery_ids": [1.0, 2.0, 2.0]}, "gallery_ids must be integers, one an item.*float64"),
        ({"query_ids": 1}, "query_ids must be integers"),
        ({"gallery_cameras": np.ones((3, 2), int)}, r"gallery_cameras must be 3 integers; it has shape \(3, 2\)"),
        ({"gallery_cameras": [1.5, 2.0, 3.0]}, "gallery_cameras must be 3 integers"),
    ],
)
def test_bad_input_is_refused(change, message):
    case = {
        "distances": np.zeros((2, 3)),
        "query_ids": [1, 2],
        "gallery_ids": [1, 2, 2],
        "query_cameras": [1, 1],
        "gallery_cameras": [2, 2, 2],
    }
    with pytest.raises(ValueError, match=message):
        retrieval_scores(**{**case, **change})


def test_identities_counted_from_zero_are_refused_for_queries_and_distractors_are_not():
    distances, cameras = np.array([[0.0, 1.0, 2.0]]), ([1], [2, 2, 2])
    for call in (retrieval_scores, cross_view_accuracy):
        with pytest.raises(ValueError, match=r"query_ids holds identity 0 in 1 of 1 queries.*distractor.*add 1"):
            call(distances, [0], [0, 1, 2], *cameras)
        assert call(distances, [1], [1, 2, 3], *cameras).first_match_rank.ravel().tolist() == [1]
        assert call(distances, [1], [0, 1, 2], *cameras).first_match_rank.ravel().tolist() == [2]


@pytest.mark.parametrize("shape", [(1, -1), (-1, 1), (-1,)])
@pytest.mark.parametrize("kind", [np.asarray, torch.from_numpy])
def test_labels_may_be_rows_or_columns_as_in_mat_files(shape, kind):
    rng = np.random.default_rng(9)
    distances = rng.random((7, 9))
    labels = [rng.integers(1, 4, length).astype("u1") for length in (7, 9, 7, 9)]
    reshaped = [kind(label.reshape(shape)) for label in labels]
    for call in (retrieval_scores, cross_view_accuracy):
        expected, found = call(distances, *labels), call(distances, *reshaped)
        np.testing.assert_array_equal(found.first_match_rank, expected.first_match_rank)
    precision = retrieval_scores(distances, *labels).average_precision
    assert identity_bootstrap(precision, reshaped[0]) == identity_bootstrap(precision, labels[0])


def cross_view_oracle(distances, query_ids, gallery_ids, query_views, gallery_views):
    rows = sorted({v for v, identity in zip(query_views, query_ids) if identity > 0})
    columns = sorted({v for v, identity in zip(gallery_views, gallery_ids) if identity >= 0})
    matrix = np.full((len(rows), len(columns)), math.nan)
    for r, row_view in enumerate(rows):
        for c, column_view in enumerate(columns):
            right, possible, probes = 0, 0, 0
            for q in range(len(query_ids)):
                if query_views[q] != row_view or query_ids[q] <= 0:
                    continue
                entries = [
                    (distances[q][g], gallery_ids[g] == query_ids[q])
                    for g in range(len(gallery_ids))
                    if gallery_views[g] == column_view and gallery_ids[g] >= 0
                ]
                probes += 1
                right += min(entries)[1]
                possible += any(same for _, same in entries)
            if possible:
                matrix[r, c] = right / probes
    return rows, columns, matrix


def first_match_rank_oracle(distances, query_ids, gallery_ids, query_views, gallery_views, columns):
    """For each query and column, the place of the first true match in a sorted list, wrong answers first at ties."""
    ranks = np.zeros((len(query_ids), len(columns)), int)
    for q, c in np.ndindex(*ranks.shape):
        entries = sorted(
            (distances[q][g], gallery_ids[g] == query_ids[q])
            for g in range(len(gallery_ids))
            if gallery_views[g] == columns[c] and gallery_ids[g] >= 0
        )
        if query_ids[q] > 0:
            ranks[q, c] = next((place for place, (_, same) in enumerate(entries, start=1) if same), 0)
    return ranks.tolist()


def test_cross_view_accuracy_agrees_with_brute_force():
    rng = np.random.default_rng(7)
    for _ in range(800):
        queries, gallery = int(rng.integers(1, 7)), int(rng.integers(1, 10))
        case = (
            rng.integers(0, 4, (queries, gallery)).astype(float),
            np.append(rng.choice([-1, 1, 2, 3], queries - 1), 1),
            np.append(rng.integers(-1, 4, gallery - 1), 1),
            rng.integers(0, 3, queries) * 90,
            rng.integers(0, 3, gallery) * 90,
        )
        scores = cross_view_accuracy(*case)
        rows, columns, matrix = cross_view_oracle(*case)
        assert scores.first_match_rank.tolist() == first_match_rank_oracle(*case, columns)
        assert scores.query_views.tolist() == rows
        assert scores.gallery_views.tolist() == columns
        np.testing.assert_allclose(scores.matrix, matrix)
        cells = {(r, c): matrix[i, j] for i, r in enumerate(rows) for j, c in enumerate(columns)}
        for mean, wanted in (
            (scores.including, [x for x in cells.values() if not math.isnan(x)]),
            (scores.excluding, [x for (r, c), x in cells.items() if r != c and not math.isnan(x)]),
        ):
            np.testing.assert_allclose(mean, np.mean(wanted) if wanted else math.nan)


def test_a_complete_gait_data_set_pools_to_the_mean_of_its_view_pairs():
    rng = np.random.default_rng(8)
    views = np.arange(0, 181, 18)  # CASIA-B: 11 views, here 10 identities with 2 probes and 4 gallery sequences
    query_ids, query_views = np.repeat(np.arange(1, 11), 22), np.tile(views, 20)
    gallery_ids, gallery_views = np.repeat(np.arange(1, 11), 44), np.tile(views, 40)
    distances = rng.random((220, 440)) - 0.4 * (query_ids[:, None] == gallery_ids)
    scores = cross_view_accuracy(distances, query_ids, gallery_ids, query_views, gallery_views)
    assert scores.matrix.shape == (11, 11)
    assert (scores.reachable == 1).all()
    assert scores.including * 220 * 11 == pytest.approx(round(scores.including * 220 * 11))
    assert scores.excluding * 220 * 10 == pytest.approx(round(scores.excluding * 220 * 10))
    assert 0.1 < scores.including < 1


def test_a_missing_gallery_sequence_counts_as_wrong_and_shows_in_reachable():
    scores = cross_view_accuracy(np.array([[0.0, 1.0], [1.0, 0.0]]), [1, 2], [1, 3], [0, 0], [0, 0])
    assert scores.matrix.tolist() == [[0.5]]
    assert scores.reachable.tolist() == [[0.5]]
    assert math.isnan(scores.excluding)


@pytest.mark.parametrize(
    ("gallery_ids", "distances", "message"),
    [
        ([-1, -1], np.zeros((1, 2)), "all junk"),
        ([1, 2], np.full((1, 2), np.nan), "NaN"),
        ([], np.zeros((1, 0)), "0 gal"),
    ],
)
def test_bad_cross_view_input_is_refused(gallery_ids, distances, message):
    with pytest.raises(ValueError, match=message):
        cross_view_accuracy(distances, [1], gallery_ids, [0], [0] * len(gallery_ids))
