"""Reports and the README's tables are written from records."""

from dataclasses import asdict, replace

import pandas as pd
import pytest
from PIL import Image

from reidlib.data.walkers import RENDERER
from reidlib.experiments import Claim, Paper, Row, Run, claims, papers, table_names
from reidlib.experiments.records import FIGURES, Record, write_record
from reidlib.experiments.reports import filled, markdown, measured_papers, write_reports
from reidlib.experiments.tables import half_table

README = FIGURES.parent / "README.md"
CHANCE, COLOUR = Run("chance", "street"), Run("colour_histogram", "street")


@pytest.mark.parametrize("path", [README, *sorted(FIGURES.glob("*/report.md"))], ids=lambda path: path.parent.name)
def test_what_is_committed_is_what_the_records_say(path):
    text = path.read_text()
    assert filled(text) == text, "run `python -m reidlib report`"


def test_every_measured_paper_has_a_whole_report():
    assert {"baseline", "seqmasks"} <= {*measured_papers()}
    for paper in measured_papers():
        text = (FIGURES / paper / "report.md").read_text()
        assert [name for name in table_names(paper) if f"<!-- table {paper}, {name} -->" not in text] == []
        assert (f"<!-- ledger {paper} -->" in text) == (len(claims(paper)) > 0)


def test_the_readme_is_a_front_page():
    assert len(README.read_text().splitlines()) <= 120


@pytest.fixture
def mine(tmp_path, monkeypatch):
    """A folder with a README, and records of two seeds of a paper of two rows, one of them of a former world."""
    stated = [
        Claim(text, where, "I", (("colour", "mAP"),), (("chance", "mAP"),), primary=where == "3.1")
        for text, where in (("colour is above chance", "3.1"), ("the control is, too", "control"))
    ]
    reported = {"I": pd.DataFrame({"mAP": {"chance": 1.0, "colour": 3.5}})}
    placed = {"mAP": ("usual", "mAP")}
    labels = (("I", "chance", CHANCE), ("I", "colour", COLOUR), ("beside", "colour | alone", COLOUR))
    rows = [Row(*label, seeds=2, columns=placed) for label in labels]
    paper = Paper("mine", lambda scale: rows, reported, stated, ["colour is above chance"])
    monkeypatch.setitem(papers._ADDED, "mine", paper)
    monkeypatch.setattr(papers, "_ROWS", {})
    for run, seed, score in ((CHANCE, 0, 0.01), (CHANCE, 1, 0.01), (COLOUR, 0, 0.02), (COLOUR, 1, 0.04)):
        record = Record(
            paper="mine",
            config=asdict(run),
            config_hash=run.hash,
            seed=seed,
            data={"name": "street", "fingerprint": "", "renderer": RENDERER - 1},
            scores={"usual": {"mAP": score}},
            queries={},
            seconds={"data": 0.0, "training": 60.0, "evaluation": 60.0},
            peak_memory_mib=1,
            environment={},
        )
        write_record(record, tmp_path / "figures")
    (tmp_path / "README.md").write_text("Mine: <!-- state mine -->?<!-- end -->, <!-- verdicts mine --><!-- end -->.\n")
    return tmp_path


def test_reports_are_begun_filled_and_then_left_alone(mine):
    figures = mine / "figures"
    readme, report = mine / "README.md", figures / "mine" / "report.md"
    assert [*write_reports(mine, figures)] == [readme, report]
    counted = "of 1 claims, 1 undecided"
    assert readme.read_text() == (
        "Mine: <!-- state mine -->2 of 2 rows measured, under 2 seeds<!-- end -->, "
        f"<!-- verdicts mine -->{counted}<!-- end -->.\n"
    )
    text = report.read_text()
    assert f"3 of 3 measured rows are of worlds as version {RENDERER - 1} of the renderer drew them" in text
    row = "| colour | 3.5 | 3.0 | 2 | 2.0 |"  # of two seeds, whose interval is not shown
    assert row in text and "| colour \\| alone | 3.0 | 2 | 2.0 |" in text
    assert "2 claims, none judged yet on 6 seeds or more.\n\n| " in text
    assert "| colour is above chance | 3.1 | primary | inconclusive | +2.0 (−10.7 to +14.7) | +2.5 | 2 |" in text
    assert "| the control is, too | control |  | inconclusive |" in text
    with Image.open(figures / "mine" / "main-claims.png") as image:
        assert image.format == "PNG"
    assert [*write_reports(mine, figures)] == []


def test_what_is_written_by_hand_stays(mine):
    figures = mine / "figures"
    report = figures / "mine" / "report.md"
    report.write_text("# By hand\n\n<!-- table mine, I -->\nold\n<!-- end -->\n\nThe end.\n")
    assert report in [*write_reports(mine, figures)]
    text = report.read_text()
    assert text.startswith("# By hand\n\n<!-- table mine, I -->\n| ") and "old" not in text and "\nThe end.\n" in text
    assert text.count("<!-- table mine, I -->") == text.count("<!-- table mine, beside -->") == 1


def test_a_report_of_a_paper_without_records_is_kept_up_to_date_too(mine):
    figures = mine / "figures"
    later = figures / "later" / "report.md"
    later.parent.mkdir()
    later.write_text("# Later\n\n<!-- table mine, I -->\nold\n<!-- end -->\n")
    assert later in [*write_reports(mine, figures)]
    text = later.read_text()
    assert text.startswith("# Later\n\n<!-- table mine, I -->\n| ") and "old" not in text
    assert later not in [*write_reports(mine, figures)]


def test_half_the_training_stands_behind_its_table_and_in_the_ledger(mine):
    figures = mine / "figures"
    report = figures / "mine" / "report.md"
    [*write_reports(mine, figures)]
    report.write_text(
        report.read_text().replace("<!-- end -->\n\n## Table beside", "<!-- end -->\n\nBy hand.\n\n## Table beside")
    )
    shorter = [
        Row(half_table("I"), label, replace(run, iterations=1), 6)
        for label, run in (("chance", CHANCE), ("colour", COLOUR))
    ]
    papers.add_rows("mine", shorter)
    assert table_names("mine") == ["I", half_table("I"), "beside"]
    assert [*write_reports(mine, figures)] == [report]
    text = report.read_text()
    places = ["<!-- table mine, I -->", "### Table I, half the training\n\n<!-- table mine, I, half the training -->"]
    places += ["By hand.", "<!-- table mine, beside -->", "<!-- ledger mine -->"]
    assert sorted(places, key=text.index) == places and all(text.count(place) == 1 for place in places)
    assert "| not yet measured |" in text[text.index("<!-- ledger mine -->") :]
    assert [*write_reports(mine, figures)] == []


@pytest.mark.parametrize(
    ("page", "reason"),
    [
        ("<!-- tabel mine -->\n<!-- end -->", "<!-- tabel mine -->: expected `table PAPER, TABLE` or one of"),
        ("<!-- table mine, II -->\n<!-- end -->", "mine has no table 'II'; known: I, beside"),
        ("<!-- state nobody --><!-- end -->", "no paper is called 'nobody'"),
        ("<!-- state mine --> and <!-- state mine --><!-- end -->", "one is not closed"),
    ],
)
def test_places_that_cannot_be_filled_are_named(mine, page, reason):
    with pytest.raises(ValueError, match=reason):
        filled(page, mine / "figures")


def test_markdown_tables():
    frame = pd.DataFrame(
        {
            ("mAP", "reported"): ["", "2"],
            ("mAP", "measured"): ["1.0 ± 0.5", "not yet measured"],
            ("note", ""): ["a", ""],
        },
        index=["one", "two | three"],
    )
    frame["empty", ""] = ""
    assert markdown(frame).splitlines() == [
        "|  | mAP reported | mAP measured | note |",
        "| --- | ---: | ---: | --- |",
        "| one |  | 1.0 ± 0.5 | a |",
        "| two \\| three | 2 | not yet measured |  |",
    ]
