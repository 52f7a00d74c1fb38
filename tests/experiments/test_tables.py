"""Tables are computed from records."""

import json
import re
import sys
from dataclasses import asdict, replace
from math import sqrt

import pandas as pd
import pytest

from reidlib.data.walkers import RENDERER
from reidlib.experiments import Row, Run
from reidlib.experiments.evaluations.retrieval import SCORES
from reidlib.experiments.records import FIGURES, Record, records_of, write_record
from reidlib.experiments.tables import decimals, world_note
from reidlib.papers import styled_table, table, table_names, wide_table
from reidlib.papers.baseline.rows import rows
from reidlib.papers.reported import reported_papers, reported_table, reported_tables

tables = sys.modules["reidlib.experiments.tables"]

COLUMNS = ["paper", "table", "row", "column", "reported", "measured", "low", "high", "unit", "seeds", "collapsed"]
COLUMNS += ["minutes", "renderer", "measurable"]


def write(row, seed, figures, first, second=0.0, paper="baseline", names=SCORES, renderer=RENDERER, **more):
    """A record whose scores of the first set-up or condition are all `first`, of the second `second` (fractions)."""
    values = dict(zip(row.run.conditions or row.run.setups, (first, second)))
    record = Record(
        paper=paper,
        config=asdict(row.run),
        config_hash=row.run.hash,
        seed=seed,
        data={"name": "street", "fingerprint": "", "renderer": renderer},
        scores={setup: dict.fromkeys(names, value) for setup, value in values.items()},
        queries={},
        seconds={"data": 100.0, "training": 60.0 * seed, "evaluation": 30.0, "parts": 30.0},
        peak_memory_mib=1,
        environment={},
        **more,
    )
    return write_record(record, figures)


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
        return {f"{names[s]} {pairs}": (s, pairs) for s in run.conditions for pairs in ("including", "excluding")}
    prefix = {"usual": "", "mixing": "mixing "}
    return {prefix[setup] + score: (setup, score) for setup in run.setups for score in SCORES}


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
    assert list(wide.columns[:6]) == [*SCORES, "mixing rank-1"]
    assert list(wide.columns[-2:]) == ["seeds", "minutes a run"]
    first, second, third = (wide.loc[row.label] for row in three_rows)
    assert (first["mAP"], first["mixing mAP"], first["seeds"]) == ("2.0 ± 2.5", "12.0 ± 2.5", "3")
    assert (second["mAP"], second["minutes a run"]) == ("50.0", "5.0")
    assert third["mAP"] == "not yet measured" and third["minutes a run"] == third["seeds"] == ""
    assert not wide.isna().any(axis=None) and "nan" not in wide.to_string().lower()


@pytest.mark.parametrize(
    ("unit", "values", "expected"),
    [
        ("percent", (0.2, 93.1), 1),
        ("points", (-0.04,), 1),
        ("dB", (23.461, 9.0), 1),
        ("pixels", (9.99, 0.1), 2),
        ("correlation", (-0.227, 0.225, float("nan")), 3),
        ("distance", (0.00012,), 3),
        ("distance", (), 1),
        ("distance", (0.0,), 1),
    ],
)
def test_numbers_in_other_units_have_three_digits(unit, values, expected):
    assert decimals(unit, values) == expected


def test_a_column_has_the_decimals_of_its_largest_number():
    cells = pd.DataFrame(
        [("a", "similarity", 0.83125, "SSIM"), ("b", "similarity", 0.0004, "SSIM"), ("a", "rank-1", 0.8, "percent")],
        columns=["row", "column", "measured", "unit"],
    ).assign(reported=float("nan"), low=float("nan"), high=float("nan"), seeds=1, collapsed=0, minutes=1.0)
    wide = wide_table(cells.assign(renderer=0, measurable=True))
    assert wide["similarity"].tolist() == ["0.831", "0.000"] and wide.loc["a", "rank-1"] == "0.8"


@pytest.fixture
def seqmasks(tmp_path, monkeypatch):
    """Tables I and III of SeqMasks with a row of ours in each, and records of two data sets behind one of them."""
    appearance = Row("I", "Appearance Baseline", Run("agw", "street"))
    control = Row("I", "control: all-ones mask", Run("agw", "campus"))
    parts = {"Mask-MARS mAP": ("usual", "mAP")}, {"CASIA-B CL": ("cl", "including")}
    on_street = Row("III", "AGFusion", Run("chance", "street"), columns=parts[0])
    on_lab = Row("III", "AGFusion", Run("chance", "lab", evaluation="cross-view", conditions=("cl",)), columns=parts[1])
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
    assert wide.loc["AGFusion", ("CASIA-B CL", "measured")] == "42.5"  # of two seeds
    assert wide.loc["AGConcat", ("CASIA-B CL", "reported")] == "68.785"
    assert wide.loc["AGConcat", ("CASIA-B CL", "measured")] == ""
    assert (wide.loc["AGFusion", ("seeds", "")], wide.loc["AGConcat", ("seeds", "")]) == ("2", "")


def test_the_best_is_bold_and_what_is_only_reported_is_grey(seqmasks):
    html = styled_table(table("seqmasks", "I", figures=seqmasks)).to_html()
    bold, grey = (re.search(rf"([^}}]*) {{\n *{style};", html)[1] for style in ("font-weight: bold", "color: gray"))
    assert "row0_col" in bold and "row2_col" in grey and "row0_col" not in grey and "row5_col" not in grey


@pytest.mark.parametrize("paper", reported_papers())
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
    row, *_ = rows("paper")
    write(row, 0, tmp_path, 0.8, 0.7)
    assert cell(table("baseline", name, "paper", tmp_path), row, "mixing mAP")["measured"] == pytest.approx(70)


def test_rows_of_two_renderers_are_told_apart_and_never_mixed(three_rows, tmp_path):
    assert world_note(table("baseline", "street", figures=tmp_path)) == ""
    first, second, _ = three_rows
    for seed in range(4):
        path = write(first, seed, tmp_path, 0.5, renderer=1)
        (path.parent / "renderer-1").mkdir(exist_ok=True)
        path.replace(path.parent / "renderer-1" / path.name)
    for seed, score in enumerate((0.01, 0.02, 0.03)):
        write(first, seed, tmp_path, score)
    cells = table("baseline", "street", figures=tmp_path)
    found = cell(cells, first, "mAP")
    assert (found["measured"], found["seeds"], found["renderer"]) == (50, 4, 1)  # four of one against three of another
    assert cell(cells, second, "mAP")["renderer"] == RENDERER
    assert wide_table(cells)["renderer"].tolist()[:3] == ["1", f"{RENDERER}", ""]
    assert world_note(cells).startswith("1 of 2 measured rows are of worlds as version 1 of the renderer drew them")


def test_among_equals_a_row_is_of_the_worlds_that_most_of_its_table_are_of(three_rows, tmp_path):
    first, second, third = three_rows
    for row, seed in ((second, 4), (third, 0)):  # one record of either version; the first row has three of the newer
        path = write(row, seed, tmp_path, 0.9, renderer=1)
        (path.parent / "renderer-1").mkdir(exist_ok=True)
        path.replace(path.parent / "renderer-1" / path.name)
    write(second, 4, tmp_path, 0.5)
    write(third, 0, tmp_path, 0.4)
    cells = table("baseline", "street", figures=tmp_path)
    assert {cell(cells, row, "mAP")["renderer"] for row in three_rows} == {RENDERER}
    for seed in range(3):
        path = write(first, seed, tmp_path, 0.8, renderer=1)
        path.replace(path.parent / "renderer-1" / path.name)
    cells = table("baseline", "street", figures=tmp_path)
    assert {cell(cells, row, "mAP")["renderer"] for row in three_rows} == {1}


def test_a_collapsed_network_is_flagged(three_rows, tmp_path):
    assert "collapsed" not in wide_table(table("baseline", "street", figures=tmp_path))
    write(three_rows[0], 1, tmp_path, 0.02, 0.12, notes={"tied": 0.9})
    cells = table("baseline", "street", figures=tmp_path)
    assert cell(cells, three_rows[0], "mAP")["collapsed"] == 1
    assert wide_table(cells)["collapsed"].tolist()[:2] == ["1 of 3", ""]


def test_scores_keep_their_unit(tmp_path, monkeypatch):
    row = Row(
        "frames", "copy", Run("chance", "street"), columns={"PSNR": ("frames", "PSNR"), "SSIM": ("frames", "SSIM")}
    )
    monkeypatch.setattr(tables, "rows_of", lambda paper, scale: [row])
    path = write(row, 0, tmp_path, 0.0, units={"PSNR": "dB"})
    content = json.loads(path.read_text())
    content["scores"] = {"frames": {"PSNR": 21.5, "SSIM": 0.8}}
    path.write_text(json.dumps(content))
    cells = table("baseline", "frames", figures=tmp_path).set_index("column")
    assert (cells.loc["PSNR", "measured"], cells.loc["PSNR", "unit"]) == (21.5, "dB")
    assert (cells.loc["SSIM", "measured"], cells.loc["SSIM", "unit"]) == (80, "percent")


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
