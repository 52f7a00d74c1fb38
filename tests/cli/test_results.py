"""Tables and claims: as objects, and as text that fits a terminal."""

import json
from dataclasses import asdict

import numpy as np
import pandas as pd
import pytest

from reidlib.cli import text
from reidlib.data.walkers import RENDERER
from reidlib.experiments import Claim, Paper, Row, Run, above, register_paper
from reidlib.experiments.claims import COLUMNS
from reidlib.experiments.records import Record, write_record
from reidlib.papers import PAPERS

CELL = ["paper", "table", "row", "column", "reported", "measured", "low", "high"]
CELL += ["unit", "seeds", "collapsed", "renderer"]
GOOD, BAD = Run("agw", "street"), Run("gaitset", "street", silhouettes=4)


def objects(out):
    return [json.loads(line, parse_constant=pytest.fail) for line in out.splitlines()]


@pytest.fixture
def records(tmp_path):
    """`records(renderer)`: the folder of records of a paper called own, six of one run, two of a collapsed one."""

    def written(renderer=RENDERER):
        def rows(scale):
            return [
                Row("A", "good", GOOD),
                Row("A", "bad", BAD),
                Row("B", "good", GOOD),
                Row("B", "later", Run("x", "y")),
            ]

        claims = [
            above("good is later", "page 2", "B", "good", "later", "mAP"),
            above(
                *("good is better", "page 1", "A", "good", "bad", "mAP"),
                control="bad",
                note="by construction",
                primary=True,
            ),
            Claim("the same", "page 3", "A", (("good", "mAP"),), (("good", "mAP"),), "same", margin=1.5),
        ]
        reported = {"A": pd.DataFrame({"mAP": {"good": 81.5, "bad": 70.0}})}
        register_paper(Paper("own", rows, reported, claims))
        for run, seeds, score, tied in ((GOOD, 6, 0.5, 0.0), (BAD, 2, 0.25, 0.9)):
            for seed in range(seeds):
                scores = {"usual": {"rank-1": score, "mAP": score + 0.01 * seed}}
                settings = {"notes": {"tied": tied}, "seconds": {"training": 60, "evaluation": 0}}
                data = {"name": "street", "fingerprint": "", "renderer": renderer}
                record = Record(
                    "own", asdict(run), run.hash, seed, data, scores, {}, peak_memory_mib=1, environment={}, **settings
                )
                write_record(record, tmp_path)
        return tmp_path

    return written


def test_objects_have_every_number_or_null(run, records):
    folder = records()
    cells = {
        (c["table"], c["row"], c["column"]): c for c in objects(run("tables", "own", "--json", "--figures", folder)[1])
    }
    assert all(list(cell) == CELL for cell in cells.values())
    good, bad, later = (cells[key] for key in (("A", "good", "mAP"), ("A", "bad", "mAP"), ("B", "later", "mAP")))
    assert good["measured"] == pytest.approx(52.5) and good["low"] < 52.5 < good["high"]
    assert (good["reported"], good["seeds"], good["collapsed"], good["unit"]) == (81.5, 6, 0, "percent")
    assert (bad["seeds"], bad["collapsed"], bad["renderer"]) == (2, 2, RENDERER)
    assert (later["reported"], later["measured"], later["low"], later["seeds"]) == (None, None, None, 0)


def test_one_table_can_be_chosen(run, refused, records):
    folder = records()
    out = run("tables", "own", "--table", "B", "--figures", folder)[1]
    assert "own, B" in out and "own, A" not in out
    assert {c["table"] for c in objects(run("tables", "own", "--table", "B", "--json")[1])} == {"B"}
    assert refused("tables", "own", "--table", "C").endswith("own has no table 'C'; known: A, B")


def test_text_says_what_is_measured_what_is_not_and_what_has_collapsed(run, records):
    out = run("tables", "own", "--figures", records())[1]
    a, b = out.split("own, B")
    good, bad = (" ".join(line for line in a.splitlines() if line.startswith(label)) for label in ("good", "bad"))
    assert "81.5" in good and "52.5 ± " in good and "2 of 2" in bad and "2 of 2" not in good
    assert "not yet measured" in b and "worlds as version" not in out


def test_former_worlds_are_said_once(run, records):
    folder = records(RENDERER + 1)
    for verb, what in (("tables", "3 of 3 measured rows"), ("claims", "2 of 2 measured claims")):
        out = " ".join(run(verb, "own", "--figures", folder)[1].split())
        assert out.count(f"{what} are of worlds as version {RENDERER + 1}") == out.count("of worlds as version") == 1


def test_claims_are_summed_up_first_and_primary_ones_shown(run, records):
    out = run("claims", "own", "--figures", records())[1]
    lines = out.splitlines()
    assert lines[0].startswith("own, judged on rendered people: 3 claims, 1 judged on 6 seeds or more: 1 replicating")
    assert any(line.startswith("1 claims mean little") for line in lines)
    at = lines.index("table A, primary")
    verdict, rest = lines[at + 1].split("[")
    assert verdict.split() == ["leaning", "+25.0"] and rest.endswith("  good is better")
    told = "2 seeds; COLLAPSED: bad; reported +11.5; source: page 1; bad; by construction"
    assert lines[at + 2 :] == [f"    {told}", "", "2 claims that are not primary are shown with --all."]


def test_all_claims_are_shown_on_request_the_primary_ones_first(run, records):
    lines = run("claims", "own", "--all", "--figures", records())[1].splitlines()
    heads = [line for line in lines if line.startswith("table ")]
    assert heads == ["table A, primary", "table B, not primary", "table A, not primary"]
    later, same = (next(i for i, line in enumerate(lines) if line.endswith(text)) for text in ("later", "the same"))
    assert lines[later].split() == ["not", "yet", "measured", "good", "is", "later"]
    assert lines[later + 1] == "    source: page 2"
    assert lines[same].split()[:4] == ["replicates", "+0.0", "[+0.0,", "+0.0]"]
    assert lines[same + 1] == "    6 seeds; the same within 1.5; reported +0.0; source: page 3"
    assert not any("--all" in line for line in lines)


def test_objects_have_every_field_of_a_claim(run, records):
    found = {claim["claim"]: claim for claim in objects(run("claims", "own", "--json", "--figures", records())[1])}
    assert all(list(claim) == COLUMNS for claim in found.values()) and len(found) == 3
    better = found["good is better"]
    assert (better["primary"], better["p"], better["holm"], better["robust"]) == (True, None, None, None)
    assert (found["the same"]["primary"], found["the same"]["margin"], found["the same"]["p"]) == (False, 1.5, 0.0)


@pytest.mark.parametrize("options", [[], ["--all"]])
def test_a_ledger_is_not_wider_than_a_hundred_columns(run, options):
    out = run("claims", "seqmasks", *options)[1]
    assert max(map(len, out.splitlines())) <= 100


@pytest.mark.parametrize("paper", PAPERS)
def test_no_line_is_wider_than_a_terminal(run, paper):
    for verb in ("tables", "claims"):
        status, out, error = run(verb, paper)
        assert (status, error) == (0, "")
        assert max(map(len, out.splitlines())) <= 120
        assert "nan" not in out.lower().split()


def test_a_paper_without_records_shows_what_it_reports_and_judges_nothing(run, tmp_path):
    assert "91.6" in run("tables", "sshsp", "--table", "1", "--figures", tmp_path)[1]
    out = run("claims", "sshsp", "--figures", tmp_path)[1]
    assert "not yet measured" in out and "replicates" not in out.split("none judged yet")[0]


def test_folders_of_records_must_exist(refused, tmp_path):
    for verb in ("tables", "claims"):
        assert f"there is no folder {tmp_path}/none" in refused(verb, "baseline", "--figures", tmp_path / "none")


def test_wide_tables_are_cut_into_blocks_with_all_labels():
    rng = np.random.default_rng(0)
    numbers = pd.DataFrame(rng.integers(10, 99, (3, 40)).astype(str), ["a", "b" * 30, " ".join(["long"] * 20)])
    numbers.columns = pd.MultiIndex.from_tuples(
        [(f"column {n // 2}", ("reported", "measured")[n % 2]) for n in range(40)]
    )
    numbers[("column 3", "reported")] = ""
    blocks = [block.splitlines() for block in text.text_table(numbers).split("\n\n")]
    assert len(blocks) > 2 and max(len(line) for block in blocks for line in block) <= 120
    found = {}
    for head, parts, a, b, *longest in blocks:
        assert a.startswith("a ") and b.startswith("b" * 30 + " ") and longest[0].startswith("long long")
        assert sum(line.count("long") for line in longest) == 20
        names = head.replace("column ", "column-").split()
        assert len(parts.split()) == len(a.split()) - 1
        assert parts.count("measured") == len(names)  # parts of one column stay together
        found |= dict.fromkeys(names)
        width = head.index(names[0].replace("-", " ")) + len(names[0])
        assert a[:width].rstrip()[-1].isdigit()  # values end below their heads
    assert list(found) == [f"column-{n}" for n in range(20)]
    values = [value for block in blocks for value in block[2].split()[1:]]
    assert values == [value for value in numbers.iloc[0] if value]
