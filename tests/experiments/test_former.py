"""Former verdicts beside present ones, on small ledgers by hand."""

import pandas as pd
import pytest

from reidlib.experiments import FIGURES, claims
from reidlib.experiments.former import compare_verdicts, read_verdicts, write_verdicts

COLUMNS = ["claim", "verdict", "difference", "low", "high", "seeds"]
OLD = [("a, x", "replicates", 3.0, 1.0, 5.0, 6), ("gone", "leaning", 1.0, 0.5, 1.5, 3)]
NEW = [("new", "not yet measured", None, None, None, 0), ("a, x", "inconclusive", 0.5, -1.0, 2.0, 10)]


def ledger(lines, primary=False, unit="points"):
    return pd.DataFrame(lines, columns=COLUMNS).assign(primary=primary, unit=unit, source="s")


def test_verdicts_are_kept_with_their_regime(tmp_path):
    path = tmp_path / "former.csv"
    write_verdicts(ledger(OLD), path, "six hundred iterations, random start")
    assert path.read_text().splitlines()[:3] == [
        "# six hundred iterations, random start",
        "claim,verdict,difference,low,high,seeds",
        '"a, x",replicates,3.000,1.000,5.000,6',
    ]
    pd.testing.assert_frame_equal(read_verdicts(path), ledger(OLD)[COLUMNS])


def test_claims_are_joined_by_their_texts():
    found = compare_verdicts(ledger(OLD), ledger(NEW, primary=[False, True]))
    assert found["claim"].tolist() == ["new", "a, x", "gone"]
    assert found["primary"].tolist() == [False, True, False]
    new, both, gone = found.to_dict("records")
    assert pd.isna(new["before"]) and new["after"] == "not yet measured" and pd.isna(new["difference_before"])
    assert (both["before"], both["after"]) == ("replicates", "inconclusive")
    assert [both[f"{name}_before"] for name in ("difference", "low", "high")] == [3, 1, 5]
    assert [both[f"{name}_after"] for name in ("difference", "low", "high")] == [0.5, -1, 2]
    assert gone["before"] == "leaning" and pd.isna(gone["after"]) and pd.isna(gone["low_after"])


def test_what_cannot_be_kept_read_or_joined_is_refused(tmp_path):
    with pytest.raises(ValueError, match="must be in points; some are in dB"):
        write_verdicts(ledger(OLD, unit="dB"), tmp_path / "x.csv", "regime")
    with pytest.raises(ValueError, match="one line"):
        write_verdicts(ledger(OLD), tmp_path / "x.csv", "regime\nmore")
    (tmp_path / "x.csv").write_text("# regime\nclaim,verdict\na,replicates\n")
    with pytest.raises(ValueError, match=r"x\.csv is no file of former verdicts"):
        read_verdicts(tmp_path / "x.csv")
    with pytest.raises(ValueError, match="before: the claim 'gone' stands twice"):
        compare_verdicts(ledger([*OLD, OLD[1]]), ledger(NEW))


@pytest.mark.parametrize("path", sorted(FIGURES.glob("*/verdicts-*.csv")), ids=lambda path: path.parent.name)
def test_most_primary_claims_were_judged_in_the_former_regime_too(path):
    found = compare_verdicts(read_verdicts(path), claims(path.parent.name))
    assert found.loc[found["primary"], "before"].notna().mean() > 0.5  # some claims are new, their twins apart
