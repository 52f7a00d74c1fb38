"""What lies behind verdicts, from scores of a made-up table with hand-computed differences."""

from types import SimpleNamespace

import pandas as pd
import pytest

from reidlib.experiments.claims import MeasuredCell
from reidlib.experiments.effects import control_gains, opposite_share, seed_differences
from reidlib.experiments.statements import Claim, above
from reidlib.experiments.tables import FRACTION

CLAIMS = (
    above("a above b", "", "T", "a", "b", "mAP", control="c", primary=True),
    above("c above b", "", "T", "c", "b", "mAP"),
    Claim("a and b alike", "", "T", (("a", "mAP"),), (("b", "mAP"),), kind="same", margin=1.0, control="c"),
    above("d above b", "", "T", "d", "b", "mAP", control="c"),
)


@pytest.fixture(autouse=True)
def measured(monkeypatch):
    """a, b and c under three, four and three seeds in one version's worlds; d is not measured."""
    scores = {"a": (50, 51, 46), "b": (45, 47, 48, 90), "c": (47, 48, 47), "d": ()}
    cells = {
        ("T", row, "mAP"): MeasuredCell({2: dict(enumerate(found))}, FRACTION, "") for row, found in scores.items()
    }
    monkeypatch.setattr("reidlib.experiments.effects.measured_cells", lambda paper, tables, figures: cells)
    monkeypatch.setattr("reidlib.experiments.effects.find_paper", lambda name: SimpleNamespace(claims=CLAIMS))


def test_differences_under_each_seed_that_all_cells_share():
    found = seed_differences("seqmasks")
    assert [*found["seed"]] == [0, 1, 2] * 2 and {*found["paper"]} == {"seqmasks"}
    assert found.loc[found["claim"] == "a above b", "difference"].tolist() == pytest.approx([5, 4, -2])
    assert found.loc[found["claim"] == "c above b", "difference"].tolist() == pytest.approx([2, 1, -1])


def test_a_control_s_gain_stands_beside_the_whole_gain():
    [line] = control_gains("seqmasks").to_dict("records")  # the others name no control, or lack a row
    assert line["claim"] == "a above b" and line["primary"] and line["seeds"] == 3
    assert (line["gain"], line["control"]) == pytest.approx((7 / 3, 2 / 3))


def test_how_often_a_seed_says_the_opposite():
    found = opposite_share(seed_differences("seqmasks"), min_seeds=3)
    assert found["difference"].tolist() == pytest.approx([7 / 3, 2 / 3])
    assert found["opposite"].tolist() == pytest.approx([1 / 3, 1 / 3])
    assert found["deviation"].tolist() == pytest.approx([pd.Series([5, 4, -2]).std(), pd.Series([2, 1, -1]).std()])
    assert opposite_share(seed_differences("seqmasks"), min_seeds=4).empty
