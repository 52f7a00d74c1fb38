"""Claims are judged from records, by hand-computed differences."""

import sys
from dataclasses import asdict
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from reidlib.evaluation import power
from reidlib.experiments import Row, Run, rows_of
from reidlib.experiments.claims import claims as claims_of
from reidlib.experiments.claims import expected_false_verdicts, judge
from reidlib.experiments.papers import find_paper
from reidlib.experiments.records import Record, write_record
from reidlib.experiments.statements import Claim, above
from reidlib.experiments.tables import half_table
from reidlib.papers import PAPERS
from reidlib.papers.reported import reported_papers, reported_table

MODULE = sys.modules["reidlib.experiments.claims"]  # the package gives the function of that name
TABLES = sys.modules["reidlib.experiments.tables"]

NOTHING = Claim("", "", "T", (("a", "x"),), (("b", "x"),))
SAME = Claim("", "", "T", (("a", "x"),), (("b", "x"),), kind="same", margin=1.0)
BEST = Claim("", "", "T", (("a", "x"),), (("b", "x"), ("c", "x")), kind="best")
NOISE = np.array([0.1, -0.2, 0.3, -0.1, 0.2, -0.3])


def interval(differences):
    half = stats.t.ppf(0.975, len(differences) - 1) * np.std(differences, ddof=1) / np.sqrt(len(differences))
    return np.mean(differences) - half, np.mean(differences) + half


def test_a_difference_is_paired_by_seed():
    base = np.array([10.0, 50, 30, 90, 70, 20])
    found = judge(NOTHING, (base + 1 + NOISE)[None], base[None])
    assert found["verdict"] == "replicates" and found["seeds"] == 6 and found["detectable"] is None
    assert found["difference"] == pytest.approx(1)
    assert (found["low"], found["high"]) == pytest.approx(interval(1 + NOISE))


@pytest.mark.parametrize(
    ("claim", "shift", "verdict"),
    [
        (NOTHING, -1.0, "contradicted"),
        (NOTHING, 0.05, "inconclusive"),
        (SAME, 0.2, "replicates"),
        (SAME, 3.0, "contradicted"),
        (SAME, 1.0, "inconclusive"),
    ],
)
def test_verdicts(claim, shift, verdict):
    base = np.full(6, 40.0)
    found = judge(claim, (base + shift + NOISE)[None], base[None])
    assert found["verdict"] == verdict
    assert (found["detectable"] is not None) == (verdict == "inconclusive")
    assert (found["p"] < 0.05) == (verdict != "inconclusive")


def test_what_could_have_been_seen_is_a_difference_or_a_margin():
    base = np.full(6, 40.0)
    rows = (base + NOISE)[None], base[None]
    assert judge(NOTHING, *rows)["detectable"] == pytest.approx(power.smallest_detectable_difference(NOISE, 0 * NOISE))
    rows = (base + 1 + NOISE)[None], base[None]
    assert judge(SAME, *rows)["detectable"] == pytest.approx(power.smallest_detectable_margin(NOISE, 0 * NOISE))


def test_the_best_is_held_against_the_closest():
    base = np.full((1, 6), 40.0) + NOISE
    others = np.vstack([base - 5, base - 2])
    found = judge(BEST, base + 0.3 * NOISE, others)
    assert found["verdict"] == "replicates" and found["difference"] == pytest.approx(2)
    assert judge(BEST, base, np.vstack([base - 5, base + 2 + NOISE]))["verdict"] == "contradicted"


def test_cells_of_a_side_are_added():
    claim = Claim("", "", "T", (("a", "in"), ("b", "ex")), (("a", "ex"), ("b", "in")))
    left = np.array([[90.0, 91, 92], [50, 50, 50]])
    right = np.array([[80.0, 81, 82], [55, 55, 55]])
    found = judge(claim, left, right)
    assert found["difference"] == pytest.approx(5) and found["verdict"] == "leaning" and found["seeds"] == 3
    assert found["p"] is None


def test_without_a_common_seed_nothing_is_judged():
    found = judge(NOTHING, np.zeros((1, 0)), np.zeros((1, 0)))
    assert found["verdict"] == "not yet measured" and found["seeds"] == 0 and found["difference"] is None
    one = judge(NOTHING, np.array([[2.0]]), np.array([[1.0]]))
    assert one["difference"] == 1 and one["low"] is None and one["verdict"] == "inconclusive"


@pytest.fixture
def paper(tmp_path, monkeypatch):
    """The paper "seqmasks" with two rows of its Table I and one claim: records of seeds 0 to 5, and of 1 to 5."""
    rows = [
        Row("I", label, Run("chance", "street", iterations=number))
        for number, label in enumerate(("Appearance Baseline", "Modified GaitSet"))
    ]
    write_records(rows, tmp_path)
    module = SimpleNamespace(
        reported={"I": reported_table("seqmasks", "I")},
        claims=(above("gait is worse", "Table I", "I", rows[0].label, rows[1].label, "mAP", control="none"),),
    )
    monkeypatch.setattr(MODULE, "rows_of", lambda name: rows)
    monkeypatch.setattr(MODULE, "find_paper", lambda name: module)
    monkeypatch.setattr(TABLES, "find_paper", lambda name: module)
    return tmp_path


def write_records(rows, figures, renderer=0, seeds=(range(6), range(1, 6)), scores=(0.8, 0.3), notes=None):
    """Records of all scores, which grow by a point from seed to seed."""
    for row, chosen, score in zip(rows, seeds, scores):
        for seed in chosen:
            values = dict.fromkeys(("rank-1", "rank-5", "rank-20", "mAP", "mINP"), score + seed / 100)
            empty = {"data": {"renderer": renderer}, "queries": {}, "peak_memory_mib": 1, "environment": {}}
            seconds = {"data": 0, "training": 1, "evaluation": 1}
            record = Record(
                paper="seqmasks", config=asdict(row.run), config_hash=row.run.hash, seed=seed,
                scores={"usual": values}, seconds=seconds, notes=notes or {}, **empty,
            )  # fmt: skip
            path = write_record(record, figures)
            if renderer == 1:
                (path.parent / "renderer-1").mkdir(exist_ok=True)
                path.replace(path.parent / "renderer-1" / path.name)


def test_a_ledger_is_made_of_records(paper):
    [line] = claims_of("seqmasks", paper).to_dict("records")
    assert line["seeds"] == 5 and line["verdict"] == "leaning"
    assert line["difference"] == pytest.approx(50)
    assert line["reported"] == pytest.approx(78.9 - 10.7)  # the paper's own Table I
    assert (line["paper"], line["claim"], line["source"], line["control"]) == (
        "seqmasks", "gait is worse", "Table I", "none",
    )  # fmt: skip


def test_worlds_of_two_renderers_are_never_mixed(paper):
    rows = MODULE.rows_of("seqmasks")
    write_records(rows, paper, 2, seeds=(range(6), range(3)), scores=(0.5, 0.6))
    write_records(rows, paper, 1, seeds=(range(4), range(4)), scores=(0.9, 0.5))
    [line] = claims_of("seqmasks", paper).to_dict("records")
    assert (line["renderer"], line["seeds"]) == (1, 4)  # three seeds of the newer worlds, four of the older
    assert line["difference"] == pytest.approx(40)
    write_records(rows, paper, 2, seeds=(range(6), range(4)), scores=(0.5, 0.6))
    [line] = claims_of("seqmasks", paper).to_dict("records")
    assert (line["renderer"], line["seeds"]) == (2, 4) and line["difference"] == pytest.approx(-10)


def test_a_collapsed_row_is_named(paper):
    rows = MODULE.rows_of("seqmasks")
    assert claims_of("seqmasks", paper)["collapsed"].isna().all()
    write_records(rows, paper, seeds=((), (2,)), notes={"tied": 0.9})
    assert claims_of("seqmasks", paper)["collapsed"].tolist() == [rows[1].label]


def test_the_margin_is_the_claim_s(paper):
    base = np.full(6, 40.0)
    wide = Claim("", "", "T", (("a", "x"),), (("b", "x"),), kind="same", margin=5.0)
    assert judge(wide, (base + 3 + NOISE)[None], base[None])["verdict"] == "replicates"
    assert judge(SAME, (base + 3 + NOISE)[None], base[None])["verdict"] == "contradicted"


def test_a_claim_about_cells_that_no_run_measures_is_refused(paper, monkeypatch):
    wrong = SimpleNamespace(claims=(above("", "", "I", "Appearance Baseline", "nobody", "mAP"),))
    monkeypatch.setattr(MODULE, "find_paper", lambda name: wrong)
    with pytest.raises(ValueError, match="seqmasks, table I: no run of ours measures 'mAP' of 'nobody'"):
        claims_of("seqmasks", paper)


def scored(rows, figures, **scores):
    """Records of each row (by its label) whose every score is given, in percent, seed by seed."""
    for row in rows:
        for seed, score in enumerate(scores[row.label]):
            write_records([row], figures, seeds=([seed],), scores=(score / 100 - seed / 100,))


@pytest.fixture
def two_lengths(tmp_path, monkeypatch):
    """A paper of rows a, b, c in Table T, of which a and b are in the table of half the training; six seeds."""
    rows = [Row("T", label, Run("chance", "street", iterations=100 + n)) for n, label in enumerate("abc")]
    half = [Row(half_table("T"), row.label, Run("chance", "street", iterations=50 + n)) for n, row in enumerate(rows)]
    paper = SimpleNamespace(reported=None, claims=())
    monkeypatch.setattr(MODULE, "rows_of", lambda name: [*rows, *half[:2]])
    monkeypatch.setattr(MODULE, "find_paper", lambda name: paper)
    monkeypatch.setattr(TABLES, "find_paper", lambda name: paper)
    scored(rows, tmp_path, a=50 + NOISE, b=40 - NOISE, c=49.8 - NOISE)
    return SimpleNamespace(paper=paper, rows=rows, half=half, figures=tmp_path)


def test_a_claim_is_judged_at_two_lengths(two_lengths):
    two_lengths.paper.claims = (above("ab", "", "T", "a", "b", "mAP"), above("ac", "", "T", "a", "c", "mAP"))
    ab, ac = claims_of("seqmasks", two_lengths.figures).to_dict("records")
    assert ab["half_verdict"] == "not yet measured" and ab["robust"] is None
    assert pd.isna(ac["half_verdict"]) and ac["robust"] is None  # its rows are not all in the other table
    for shift, verdict, robust in ((5, "replicates", True), (0, "inconclusive", False), (-5, "contradicted", False)):
        scored(two_lengths.half[:2], two_lengths.figures, a=30 + shift + NOISE, b=30 - NOISE)
        ab = claims_of("seqmasks", two_lengths.figures).to_dict("records")[0]
        assert (ab["verdict"], ab["half_verdict"], ab["robust"]) == ("replicates", verdict, robust)
        assert ab["difference"] == pytest.approx(10) and ab["half_difference"] == pytest.approx(shift)


def test_inconclusive_twice_is_not_robust(two_lengths):
    two_lengths.paper.claims = (above("aa", "", "T", "a", "a", "mAP"),)
    scored(two_lengths.half[:1], two_lengths.figures, a=30 + NOISE)
    [line] = claims_of("seqmasks", two_lengths.figures).to_dict("records")
    assert line["verdict"] == line["half_verdict"] == "inconclusive" and line["robust"] is False


def test_whether_a_verdict_is_robust_is_open_with_few_seeds_at_half_the_length(two_lengths):
    two_lengths.paper.claims = (above("ab", "", "T", "a", "b", "mAP"),)
    write_records(two_lengths.half[:2], two_lengths.figures, seeds=(range(3),) * 2)
    [line] = claims_of("seqmasks", two_lengths.figures).to_dict("records")
    assert line["half_verdict"] in ("leaning", "inconclusive") and line["robust"] is None


def test_worlds_of_two_renderers_are_not_compared_between_lengths(two_lengths):
    two_lengths.paper.claims = (above("ab", "", "T", "a", "b", "mAP"),)
    write_records(two_lengths.half[:2], two_lengths.figures, renderer=2, seeds=(range(6),) * 2)
    [line] = claims_of("seqmasks", two_lengths.figures).to_dict("records")
    assert line["half_verdict"] == "replicates" and line["robust"] is None


def test_holm_is_over_the_primary_claims(two_lengths):
    """ac: differences 0.2 + 2 · noise; mean 0.2, p = 0.35, so it is raised such that p = 0.03."""
    scored(two_lengths.rows[2:], two_lengths.figures, c=49.42 - NOISE)
    marked = [above(text, "", "T", "a", other, "mAP", primary=True) for text, other in (("ab", "b"), ("ac", "c"))]
    two_lengths.paper.claims = (*marked, above("plain", "", "T", "a", "c", "mAP"))
    lines = claims_of("seqmasks", two_lengths.figures).to_dict("records")
    p = stats.ttest_1samp(0.58 + 2 * NOISE, 0).pvalue
    assert 0.025 < p < 0.05
    assert [line["p"] for line in lines[1:]] == pytest.approx([p, p])
    assert [line["verdict"] for line in lines] == ["replicates"] * 3
    assert [line["holm"] for line in lines[:2]] == ["replicates", "replicates"] and pd.isna(lines[2]["holm"])
    later = above("later", "", "T", "a", "a", "mAP", primary=True)  # an undecided one more: 2 p is above 0.05
    two_lengths.paper.claims = (*marked, later)
    ledger = claims_of("seqmasks", two_lengths.figures)
    assert ledger["holm"].tolist() == ["replicates", "inconclusive", "inconclusive"]
    assert ledger["verdict"].tolist() == ["replicates", "replicates", "inconclusive"]


def test_a_primary_claim_that_is_not_judged_yet_counts_in_its_family(two_lengths):
    scored(two_lengths.rows[2:], two_lengths.figures, c=49.42 - NOISE)
    claim = above("ac", "", "T", "a", "c", "mAP", primary=True)
    two_lengths.paper.claims = (claim,)
    assert claims_of("seqmasks", two_lengths.figures)["holm"].tolist() == ["replicates"]
    later = above("later", "", half_table("T"), "a", "b", "mAP", primary=True)
    two_lengths.paper.claims = (claim, later)
    first, second = claims_of("seqmasks", two_lengths.figures)["holm"]
    assert first == "inconclusive" and pd.isna(second)


@pytest.mark.parametrize("name", PAPERS)
def test_every_paper_has_a_ledger_that_can_be_judged(name):
    ledger = claims_of(name)
    assert list(ledger.columns[:9]) == [
        "paper", "claim", "source", "verdict", "difference", "low", "high", "seeds", "control",
    ]  # fmt: skip
    verdicts = {"replicates", "contradicted", "inconclusive", "leaning", "not yet measured"}
    assert set(ledger["verdict"]) <= verdicts
    assert ledger["claim"].is_unique
    if name not in reported_papers():
        assert ledger["reported"].isna().all()


@pytest.mark.parametrize("name", [paper for paper in PAPERS if find_paper(paper).claims])
def test_a_paper_s_main_claims_are_primary_and_no_sentence_has_two(name):
    primary = [claim for claim in find_paper(name).claims if claim.primary]
    assert {*find_paper(name).main_claims} <= {claim.text for claim in primary}
    sentences = [(claim.text.rsplit(", ", 1)[0], claim.table) for claim in primary]
    assert len(sentences) == len({*sentences}) > 0


@pytest.mark.parametrize("name", [paper for paper in PAPERS if find_paper(paper).claims])
def test_a_claim_s_control_is_a_row_of_its_table(name):
    rows = {(row.table, row.label) for row in rows_of(name)}
    for claim in find_paper(name).claims:
        assert not claim.control or (claim.table, claim.control) in rows, claim.text


def test_false_verdicts_are_expected_of_those_from_six_seeds():
    assert expected_false_verdicts(pd.DataFrame({"seeds": [6, 8, 3, 0]})) == pytest.approx(0.1)
