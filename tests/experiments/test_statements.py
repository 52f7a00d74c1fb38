"""Claims as they are written down."""

import pytest

from reidlib.experiments.statements import Claim, above, above_at_lengths, above_each, best_each

CELLS = ("", "", "T", (("a", "x"),), (("b", "x"),))


def test_a_claim_for_each_of_several_columns():
    one, other = above_each(("x", "y"), "better", "s", "T", "a", "b", note="n")
    assert (one.text, other.text) == ("better, x", "better, y")
    assert other.left == (("a", "y"),) and other.right == (("b", "y"),) and other.note == "n" and other.kind == "above"
    [best] = best_each(("x",), "best", "s", "T", "a", (row for row in "bc"))
    assert best.kind == "best" and best.left == (("a", "x"),) and best.right == (("b", "x"), ("c", "x"))


def test_a_claim_for_each_length_of_training():
    short, long = above_at_lengths((2, 4), "better", "s", "T", "a", "b", "x", note="n")
    assert (short.text, long.text) == ("after 2 iterations better, x", "after 4 iterations better, x")
    assert long.left == (("a, 4 iterations", "x"),) and long.right == (("b, 4 iterations", "x"),) and long.note == "n"


def test_one_column_is_primary():
    claims = above_each("xyz", "better", "s", "T", "a", "b", primary="y")
    assert [claim.primary for claim in claims] == [False, True, False]
    claims = best_each("xyz", "best", "s", "T", "a", "bc", primary="z")
    assert [claim.primary for claim in claims] == [False, False, True]
    assert not any(claim.primary for claim in above_each("xyz", "better", "s", "T", "a", "b"))
    assert above("better", "s", "T", "a", "b", "x", primary=True).primary
    with pytest.raises(ValueError, match="the primary column 'w' is none of x, y, z"):
        above_each("xyz", "better", "s", "T", "a", "b", primary="w")


def test_a_margin_is_stated_where_and_only_where_it_counts():
    assert Claim(*CELLS, kind="same", margin=2.0).margin == 2
    for margin in (None, 0.0, -1.0):
        with pytest.raises(ValueError, match="state the margin"):
            Claim(*CELLS, kind="same", margin=margin)
    with pytest.raises(ValueError, match="only claims of the kind 'same' have a margin; this is 'above'"):
        Claim(*CELLS, margin=1.0)
