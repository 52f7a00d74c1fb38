"""Tables are computed from records."""

from dataclasses import asdict, replace
from math import sqrt

import pytest

from reidlib.papers import table, table_names, tables, wide_table
from reidlib.papers.baseline import rows
from reidlib.papers.records import FIGURES, Record, write_record
from reidlib.papers.runs import records_of

COLUMNS = ["paper", "table", "row", "column", "reported", "measured", "low", "high", "seeds", "minutes"]


def write(row, seed, figures, first, second=0.0):
    """A record whose scores of the first set-up are all `first`, of the second `second` (fractions)."""
    values = dict(zip(row.run.setups, (first, second)))
    record = Record(
        paper="baseline",
        config=asdict(row.run),
        config_hash=row.run.hash,
        seed=seed,
        data={"name": "street", "fingerprint": ""},
        scores={setup: dict.fromkeys(tables.SCORES, value) for setup, value in values.items()},
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


def test_every_row_and_score_has_its_cell(tmp_path):
    for name in table_names("baseline"):
        cells = table("baseline", name, figures=tmp_path)
        expected = {
            (row.label, f"{'mixing ' if setup == 'mixing' else ''}{score}")
            for row in rows("mini")
            if row.table == name
            for setup in row.run.setups
            for score in tables.SCORES
        }
        found = list(zip(cells["row"], cells["column"]))
        assert set(found) == expected and len(found) == len(expected)


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


def test_paper_scale_has_its_own_tables(tmp_path):
    assert table_names("baseline")[0] == "street"
    [name] = table_names("baseline", "paper")
    [row] = rows("paper")
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
        for number, setup in enumerate(row.run.setups):
            for score in tables.SCORES:
                values = [record.scores[setup][score] for record in records]
                column = f"{setup} {score}" if number else score
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
