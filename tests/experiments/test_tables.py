"""Tables are computed from records."""

import re
from dataclasses import asdict, replace
from math import sqrt

import pandas as pd
import pytest
from reidlib.papers.records import FIGURES, Record, write_record
from reidlib.papers.rows import PAPERS, Row, Run
from reidlib.papers.runs import records_of

from reidlib.papers import styled_table, table, table_names, tables, wide_table
from reidlib.papers.baseline import rows
from reidlib.papers.reported import reported_table, reported_tables

COLUMNS = ["paper", "table", "row", "column", "reported", "measured", "low", "high", "seeds", "minutes", "measurable"]


def write(row, seed, figures, first, second=0.0, paper="baseline", names=tables.SCORES):
    """A record whose scores of the first set-up are all `first`, of the second `second` (fractions)."""
    values = dict(zip(row.run.setups, (first, second)))
    record = Record(
        paper=paper,
        config=asdict(row.run),
        config_hash=row.run.hash,
        seed=seed,
        data={"name": "street", "fingerprint": ""},
        scores={setup: dict.fromkeys(names, value) for setup, value in values.items()},
        queries={},
        seconds={"data": 100.0, "training": 60.0 * seed, "evaluation": 60.0},
        peak_memory_mib=1,
        environment={},
    )
    write_record(record, figures)


def cell(cells, row, column):
    [found] = cells[(cells["row"] == row.label) & (cells["column"] == column)].to_dict("records")
    return found


@pytest.fixture
def three_rows(tmp_path):
    """The first three rows of the street: with three seeds, with one, with none."""
    first, second, third, *_ = rows("mini")
    for seed, score in enumerate((0.01, 0.02, 0.03)):
        write(first, seed, tmp_path, score, score + 0.1)
    write(second, 4, tmp_path, 0.5)
    return first, second, third


def test_mean_and_interval_of_the_seeds_in_percent(three_rows, tmp_path):
    cells = table("baseline", "street", figures=tmp_path)
    assert list(cells.columns) == COLUMNS
    found = cell(cells, three_rows[0], "mAP")
    half = 4.302653 / sqrt(3)  # t of 2 degrees of freedom, standard deviation 1
    assert found["measured"] == pytest.approx(2)
    assert (found["low"], found["high"]) == (pytest.approx(2 - half), pytest.approx(2 + half))
    assert (found["seeds"], found["minutes"]) == (3, pytest.approx(2))
    assert cell(cells, three_rows[0], "mixing rank-1")["measured"] == pytest.approx(12)


def test_one_seed_has_no_interval_and_none_no_mean(three_rows, tmp_path):
    cells = table("baseline", "street", figures=tmp_path)
    one, none = (cell(cells, row, "rank-1") for row in three_rows[1:])
    assert (one["measured"], one["seeds"], one["minutes"]) == (50, 1, 5)
    assert one["low"] != one["low"] and one["high"] != one["high"]
    assert none["seeds"] == 0
    assert all(none[name] != none[name] for name in ("reported", "measured", "low", "high", "minutes"))


def places(run):
    """{column: (set-up, score)} of a run, by the plainest way."""
    if run.evaluation == "cross-view":
        names = {"nm": "NM", "bg": "BG", "cl": "CL", "all": "all"}
        return {f"{names[s]} {pairs}": (s, pairs) for s in run.setups for pairs in ("including", "excluding")}
    prefix = {"usual": "", "mixing": "mixing "}
    return {prefix[setup] + score: (setup, score) for setup in run.setups for score in tables.SCORES}


def test_every_row_and_score_has_its_cell(tmp_path):
    for name in table_names("baseline"):
        cells = table("baseline", name, figures=tmp_path)
        expected = {(row.label, column) for row in rows("mini") if row.table == name for column in places(row.run)}
        found = list(zip(cells["row"], cells["column"]))
        assert set(found) == expected and len(found) == len(expected)
        assert cells["measurable"].all() and cells["reported"].isna().all()


def test_records_beyond_the_row_s_seeds_do_not_count(three_rows, tmp_path):
    row = three_rows[1]
    write(row, row.seeds, tmp_path, 0.9)
    assert cell(table("baseline", "street", figures=tmp_path), row, "mAP")["measured"] == 50


def test_wide_table(three_rows, tmp_path):
    wide = wide_table(table("baseline", "street", figures=tmp_path))
    assert list(wide.index) == [row.label for row in rows("mini") if row.table == "street"]
    assert list(wide.columns[:6]) == [*tables.SCORES, "mixing rank-1"]
    assert list(wide.columns[-2:]) == ["seeds", "minutes a run"]
    first, second, third = (wide.loc[row.label] for row in three_rows)
    assert (first["mAP"], first["mixing mAP"], first["seeds"]) == ("2.0 ± 2.5", "12.0 ± 2.5", 3)
    assert (second["mAP"], second["minutes a run"]) == ("50.0", 5.0)
    assert third["mAP"] == "not yet measured"


@pytest.fixture
def seqmasks(tmp_path, monkeypatch):
    """Tables I and III of SeqMasks with a row of ours in each, and records of two data sets behind one of them."""
    appearance = Row("I", "Appearance Baseline", Run("agw", "street"))
    control = Row("I", "control: all-ones mask", Run("agw", "campus"))
    parts = {"Mask-MARS mAP": ("usual", "mAP")}, {"CASIA-B CL": ("cl", "including")}
    on_street = Row("III", "AGFusion", Run("chance", "street"), columns=parts[0])
    on_lab = Row("III", "AGFusion", Run("chance", "lab", evaluation="cross-view", setups=("cl",)), columns=parts[1])
    monkeypatch.setattr(tables, "rows_of", lambda paper, scale: [appearance, control, on_street, on_lab])
    for seed, score in enumerate((0.9, 0.8)):
        write(appearance, seed, tmp_path, score, paper="seqmasks")
        write(on_street, seed, tmp_path, score, paper="seqmasks")
        write(on_lab, seed, tmp_path, score / 2, paper="seqmasks", names=("including", "excluding"))
    return tmp_path


def test_what_the_paper_reports_stands_beside_what_is_measured(seqmasks):
    cells = table("seqmasks", "I", figures=seqmasks).set_index(["row", "column"])
    assert cells.loc[("Appearance Baseline", "rank-10")][["reported", "seeds"]].tolist() == [95.9, 0]
    found = cells.loc[("Appearance Baseline", "mAP")]
    assert (found["reported"], found["measured"], found["seeds"]) == (78.9, pytest.approx(85), 2)
    gait = cells.loc[("Modified GaitSet", "mAP")]
    assert (gait["reported"], gait["seeds"], gait["measurable"]) == (10.7, 0, False)
    control = cells.loc[("control: all-ones mask", "mAP")]
    assert control["measurable"] and control[["reported", "measured"]].isna().all()
    assert table_names("seqmasks") == ["I", "II", "III", "IV"]


def test_a_row_over_two_data_sets_is_one_line(seqmasks):
    cells = table("seqmasks", "III", figures=seqmasks)
    line = cells[cells["row"] == "AGFusion"].set_index("column")
    assert line["measured"].dropna().to_dict() == pytest.approx({"Mask-MARS mAP": 85, "CASIA-B CL": 42.5})
    assert line.loc["CASIA-B CL", "reported"] == 75.95
    wide = wide_table(cells)
    assert wide.loc["AGFusion", ("CASIA-B CL", "measured")].startswith("42.5 ± ")
    assert wide.loc["AGConcat", ("CASIA-B CL", "reported")] == "68.785"
    assert wide.loc["AGConcat", ("CASIA-B CL", "measured")] == ""
    assert (wide.loc["AGFusion", ("seeds", "")], wide.loc["AGConcat", ("seeds", "")]) == (2, 0)


def test_the_best_is_bold_and_what_is_only_reported_is_grey(seqmasks):
    html = styled_table(table("seqmasks", "I", figures=seqmasks)).to_html()
    bold, grey = (re.search(rf"([^}}]*) {{\n *{style};", html)[1] for style in ("font-weight: bold", "color: gray"))
    assert "row0_col" in bold and "row2_col" in grey and "row0_col" not in grey and "row5_col" not in grey


@pytest.mark.parametrize("paper", [paper for paper in PAPERS if paper != "baseline"])
def test_a_paper_shows_all_that_it_reports(paper, tmp_path):
    for name in reported_tables(paper):
        cells, numbers = table(paper, name, figures=tmp_path), reported_table(paper, name)
        found = cells.pivot(index="row", columns="column", values="reported")
        pd.testing.assert_frame_equal(
            found.loc[numbers.index, numbers.columns], numbers, check_names=False, check_like=False
        )
        assert cells["measured"].isna().all() and not cells["seeds"].any()


def test_paper_scale_has_its_own_tables(tmp_path):
    assert table_names("baseline")[0] == "street"
    name, _ = table_names("baseline", "paper")
    row, _ = rows("paper")
    write(row, 0, tmp_path, 0.8, 0.7)
    assert cell(table("baseline", name, "paper", tmp_path), row, "mixing mAP")["measured"] == pytest.approx(70)


def test_unknown_names_list_the_known_ones():
    with pytest.raises(ValueError, match="baseline has no table 'V'; known: street, .*real edge maps"):
        table("baseline", "V")
    with pytest.raises(ValueError, match="no paper is called 'x'; known: baseline"):
        table("x", "V")


def mean_scores(figures):
    """{(row, column): (mean of the recorded scores in percent, number of records)}, by the plainest way."""
    found = {}
    for row in rows("mini"):
        records = records_of("baseline", row, figures)
        for column, (setup, score) in places(row.run).items():
            values = [record.scores[setup][score] for record in records]
            found[row.table, row.label, column] = (sum(values) * 100 / len(values) if values else None, len(values))
    return found


@pytest.mark.parametrize("committed", [False, True])
def test_every_cell_is_the_mean_of_its_records(three_rows, tmp_path, committed):
    figures = FIGURES if committed else tmp_path
    expected = mean_scores(figures)
    for name in table_names("baseline"):
        for c in table("baseline", name, figures=figures).itertuples():
            mean, seeds = expected.pop((name, c.row, c.column))
            assert c.seeds == seeds
            assert (c.measured != c.measured) if mean is None else c.measured == pytest.approx(mean)
    assert not expected


def test_a_changed_configuration_has_no_records(three_rows, tmp_path):
    row = replace(three_rows[0], run=replace(three_rows[0].run, num_frames=4))
    assert len(records_of("baseline", three_rows[0], tmp_path)) == 3
    assert records_of("baseline", row, tmp_path) == []


@pytest.mark.parametrize("name", ["street", "twin worlds", "real edge maps"])
def test_the_numbers_in_the_readme_are_the_records(name):
    readme = (FIGURES.parent / "README.md").read_text()
    for label, row in wide_table(table("baseline", name)).iterrows():
        assert f"| {label} | {row['rank-1']} | {row['mAP']} | {row['mINP']} |" in readme


@pytest.mark.parametrize("world", ["campus", "pair", "stills", "yard"])
def test_the_worlds_numbers_in_the_readme_are_the_records(world):
    readme = (FIGURES.parent / "README.md").read_text()
    shown = re.findall(rf"^\| {world}: (.+?) \| (.+?) \| (.+?) \| (.+?) \| (\d+) \|$", readme, re.M)
    wide = wide_table(table("baseline", world))
    assert {label for label, *_ in shown} >= {label for label in wide.index if label in ("AGW baseline", "GaitSet")}
    for label, *numbers in shown:
        assert numbers == wide.loc[label, ["rank-1", "mAP", "mINP", "seeds"]].astype(str).tolist()


@pytest.mark.parametrize("name", ["lab", "twin laboratories"])
def test_the_laboratory_s_numbers_in_the_readme_are_the_records(name):
    readme = (FIGURES.parent / "README.md").read_text()
    columns = [f"{condition} {pairs}" for pairs in ("including", "excluding") for condition in ("NM", "BG", "CL")]
    wide = wide_table(table("baseline", name))
    for label in wide.index:
        if "as it is" not in label:
            assert f"| {label} | {' | '.join(wide.loc[label, columns])} | {wide.loc[label, 'seeds']} |" in readme


def test_seqmasks_numbers_in_the_readme_are_the_records():
    readme = (FIGURES.parent / "README.md").read_text()
    shown = re.search(r"<!-- seqmasks -->(.*?)<!-- end -->", readme, re.S)[1]
    cells = {}
    for name in ("I", "II"):
        for cell in table("seqmasks", name).itertuples():
            cells[name, cell.row, cell.column] = f"{cell.measured:.1f} ± {(cell.high - cell.low) / 2:.1f}"
    columns = [("I", "rank-1"), ("I", "mAP"), *(("II", f"{condition} excluding") for condition in ("NM", "BG", "CL"))]
    rows = re.findall(r"^\| (.+?) \| (.+) \| \d \|$", shown, re.M)
    assert len(rows) == 6
    for label, numbers in rows:
        assert numbers.split(" | ") == [cells[name, label, column] for name, column in columns]
