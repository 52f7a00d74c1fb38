"""A ledger's numbers and sentences, counted by hand."""

import pandas as pd

from reidlib.experiments import claims
from reidlib.experiments.summary import Tally, summary, wide_ledger

COLUMNS = ["verdict", "seeds", "primary", "holm", "robust", "detectable", "unit"]
LINES = [
    ("replicates", 10, True, "replicates", True, None, "points"),
    ("replicates", 10, True, "inconclusive", False, None, "points"),
    ("contradicted", 6, True, "contradicted", None, None, "points"),
    ("inconclusive", 6, True, "inconclusive", False, 2.0, "points"),
    ("inconclusive", 6, True, "inconclusive", None, 5.0, "points"),
    ("inconclusive", 6, True, "inconclusive", None, 0.1, "dB"),
    ("inconclusive", 6, False, None, True, 90.0, "points"),
    ("leaning", 3, True, None, None, None, "points"),
    ("inconclusive", 3, False, None, None, 70.0, "points"),
    ("not yet measured", 0, True, None, None, None, "points"),
]


def ledger(lines):
    types = {"robust": object, "primary": bool, "detectable": float}
    return pd.DataFrame(lines, columns=COLUMNS).astype(types)


def test_a_ledger_in_numbers():
    found = summary(ledger(LINES))
    assert found.every == Tally(claims=10, judged=7, replicating=2, contradicted=1, inconclusive=4)
    assert found.primary == Tally(claims=8, judged=6, replicating=2, contradicted=1, inconclusive=3)
    assert (found.holm, found.both_lengths, found.robust) == (2, 3, 1)
    assert found.false_verdicts == 0.05 * 7 and found.detectable == 3.5


def test_a_ledger_in_sentences():
    assert str(summary(ledger(LINES))) == (
        "10 claims, 7 judged on 6 seeds or more: 2 replicating, 1 contradicted, 4 inconclusive. Were no claim "
        "true and none reversed, 0.4 verdicts would be false all the same. 8 claims are primary, 6 of them judged: "
        "2 replicating, 1 contradicted, 3 inconclusive; 2 verdicts survive Holm's procedure over the primary "
        "claims at 5 %; of 3 measured after half the training as well, 1 robust. Inconclusive primary claims could "
        "have seen 3.5 points (median)."
    )
    assert str(summary(ledger(LINES[6:7]))).endswith("0.1 verdicts would be false all the same.")
    assert str(summary(ledger(LINES[7:]))) == "3 claims, none judged yet on 6 seeds or more."


def test_a_paper_without_claims_has_a_summary():
    assert str(summary(claims("pretraining"))) == "0 claims, none judged yet on 6 seeds or more."


def test_a_ledger_as_a_table_for_reading():
    nothing = {"holm": None, "half_verdict": None, "half_difference": float("nan"), "robust": None, "note": None}
    nothing |= {"margin": float("nan"), "control": None, "collapsed": None, "source": "Table 3", "kind": "above"}
    both = {"holm": "inconclusive", "half_verdict": "replicates", "half_difference": 0.8, "robust": True}
    lines = [
        {"claim": "it helps", "primary": True, "verdict": "replicates", "difference": 1.24, "low": 0.5, "high": 2.0}
        | {"reported": 3.0, "seeds": 6, "detectable": 0.75, "unit": "points"}
        | both,
        {
            "claim": "likeness",
            "primary": False,
            "verdict": "leaning",
            "difference": -0.0212,
            "low": -0.1,
            "high": 0.0612,
        }
        | {"reported": float("nan"), "seeds": 3, "detectable": 0.0234, "unit": "correlation"},
        {"claim": "later", "primary": False, "verdict": "not yet measured", "difference": float("nan"), "seeds": 0}
        | {"low": float("nan"), "high": float("nan"), "reported": 0.5, "detectable": float("nan"), "unit": "points"},
    ]
    found = wide_ledger(pd.DataFrame([nothing | line for line in lines]).astype({"robust": object}))
    assert not {"margin", "control", "note", "collapsed"} & {*found.columns}  # nothing stands in them
    assert found["measured"].tolist() == ["+1.2 (+0.5 to +2.0)", "−0.021 (−0.100 to +0.061) correlation", ""]
    assert found["reported"].tolist() == ["+3.0", "", "+0.5"] and found["seeds"].tolist() == ["6", "3", ""]
    assert found["detectable"].tolist() == ["0.8", "0.023", ""]
    assert found["half the training"].tolist() == ["robust: replicates (+0.8)", "", ""]
    assert found["primary"].tolist() == ["primary", "", ""]
