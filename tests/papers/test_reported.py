"""The reported numbers are the papers': counted by hand, compared with the texts, consistent where the papers are."""

import re
import tomllib
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import reidlib
from reidlib.papers.reported import FOLDER, reported, reported_papers, reported_table, reported_tables, table_note

SHAPES = {  # (rows, columns, empty cells), counted in the papers
    ("seqmasks", "I"): (5, 5, 0),
    ("seqmasks", "II"): (5, 6, 0),
    ("seqmasks", "III"): (4, 7, 0),
    ("seqmasks", "IV"): (5, 5, 0),
    ("gaitmask", "1"): (4, 4, 0),
    ("gaitmask", "2"): (8, 10, 27),
    ("gaitmask", "3"): (4, 1, 0),
    ("amem", "2"): (2, 8, 4),
    ("amem", "3"): (8, 4, 0),
    ("amem", "4"): (6, 4, 0),
    ("amem", "5"): (11, 10, 17),
    ("amem", "Model Size"): (4, 2, 4),
    ("asanet", "I"): (25, 4, 8),
    ("asanet", "II"): (13, 4, 7),
    ("asanet", "III"): (3, 6, 0),
    ("asanet", "IV"): (7, 4, 0),
    ("asanet", "V"): (8, 4, 0),
    ("asanet", "VI"): (4, 4, 0),
    ("asanet", "VII"): (2, 4, 0),
    ("sshsp", "1"): (15, 4, 8),
    ("sshsp", "2"): (13, 3, 10),
    ("sshsp", "3"): (4, 4, 0),
    ("sshsp", "4"): (5, 4, 0),
}
MERGED = ("gaitmask", "1")  # its cells span two lines of the paper
TWO_LEVELS = {("asanet", "I"), ("amem", "4")}  # tables whose rows have a first level, printed once for several
SWITCHES = {  # tables with ticks: what a tick in each column before the numbers stands for, "" for the row's name
    ("gaitmask", "3"): ("", "Re-ranking", "QE"),
    ("asanet", "IV"): ("Identity", "ID-re.", "ID-ir."),
    ("asanet", "V"): ("", "ASRE", "PMI"),
    ("asanet", "VI"): ("", "PMI"),
}
MENDED = {  # letters of a name as the text has it: as it was meant
    "fusionnetworkfinetime": "fusionnetworkfinetune",
    "snipped": "snippet",
    "snippedof": "snippetof",
}
TABLES = pytest.mark.parametrize(("paper", "table"), SHAPES)


def percent_tables() -> list[tuple[str, str]]:
    return [key for key in SHAPES if table_note(*key).kind == "scores"]


def test_papers_and_their_tables_in_order():
    assert reported_papers() == ["seqmasks", "gaitmask", "amem", "asanet", "sshsp"]
    assert [(paper, table) for paper in reported_papers() for table in reported_tables(paper)] == list(SHAPES)
    assert list(reported("asanet")) == ["I", "II", "III", "IV", "V", "VI", "VII"]


def test_every_file_belongs_to_a_table():
    assert {(path.parent.name, path.stem) for path in FOLDER.glob("*/*.csv")} == set(SHAPES)


def test_an_installed_package_holds_the_files():
    project = Path(reidlib.__file__).parents[1] / "pyproject.toml"
    if not project.is_file():
        pytest.skip("the package is installed without its repository")
    patterns = tomllib.loads(project.read_text())["tool"]["setuptools"]["package-data"]["reidlib.papers.reported"]
    packed = {path for pattern in patterns for path in FOLDER.glob(pattern)}
    assert packed == {path for path in FOLDER.rglob("*") if path.suffix in (".csv", ".json")}


@TABLES
def test_shape_and_empty_cells_as_counted_in_the_paper(paper, table):
    cells = reported_table(paper, table)
    assert (*cells.shape, int(cells.isna().sum().sum())) == SHAPES[paper, table]
    assert cells.index.name == "row" and (cells.dtypes == np.float64).all()
    assert cells.index.is_unique and cells.columns.is_unique
    assert all(name == name.strip() and "[" not in name for name in [*cells.index, *cells.columns])


@pytest.mark.parametrize(("paper", "table"), percent_tables())
def test_scores_are_percent(paper, table):
    cells = reported_table(paper, table)
    assert cells.stack().dropna().between(10, 100).all()  # the lowest is an mAP of 10.7
    order = [c for c in cells if c.startswith(("rank-", "MARS rank-"))]
    ranks = cells[order].dropna()
    assert (np.diff(ranks.to_numpy(), axis=1) >= 0).all()  # a CMC never falls


@TABLES
def test_note_of_a_table(paper, table):
    note = table_note(paper, table)
    assert note.caption and note.scores and note.kind in ("scores", "set-up")
    assert note.kind == "set-up" or (note.data and note.protocol)


@pytest.mark.parametrize(
    ("call", "known"),
    [
        (lambda: reported_tables("agw"), "seqmasks, gaitmask, amem, asanet, sshsp"),
        (lambda: reported("agw"), "seqmasks, gaitmask, amem, asanet, sshsp"),
        (lambda: reported_table("gaitmask", "III"), "1, 2, 3"),
        (lambda: table_note("amem", "1"), "2, 3, 4, 5, Model Size"),
    ],
)
def test_unknown_names_list_the_known_ones(call, known):
    with pytest.raises(ValueError, match=f"known: {known}$"):
        call()


# ---------------------------------------------------------------------------------------------------------------------
# Against the texts of the papers


def text_lines(paper: str) -> list[str]:
    """Lines of a paper's text without markup and citations; ticks, empty cells (-) and thousands made uniform."""
    shared = reidlib.shared_folder()
    paths = sorted((shared / "papers").glob(f"{reported_papers().index(paper):03}_*.txt")) if shared else []
    if not paths:
        pytest.skip("the papers' texts are not here (REIDLIB_SHARED)")
    text = paths[0].read_text(encoding="utf-8").replace(r"$\checkmark$", "✓").replace(r"\times", "×")
    text = text.replace("\N{CYRILLIC SMALL LETTER A}", "a")
    text = re.sub(r"</?[bu]>|\[\d+\]|\([^()]* \d{4}\)|[%$]", "", text)
    text = re.sub(r"(?<=\t)[_–](?=[\t\n])", "-", text)
    return re.sub(r"\b(\d+)K\b", r"\g<1>000", text).splitlines()


def body(paper: str, table: str) -> list[str]:
    """The lines below a table's caption, up to the next empty one."""
    lines = text_lines(paper)
    caption = next(i for i, line in enumerate(lines) if re.match(rf"table {table}(\W|$)", line, re.IGNORECASE))
    start = next(i for i in range(caption + 1, len(lines)) if "\t" in lines[i])
    return lines[start : lines.index("", start)]


def label_and_numbers(line: str) -> tuple[list[str], list[str]]:
    """A table's line: the cells before the first number, and the numbers with a dash where one is missing.

    A header has no numbers, even if the extraction left a stray one in it.
    """
    cells = [cell.strip() for cell in line.split("\t")]
    is_number = [bool(re.fullmatch(r"[\d.]+|-", cell)) for cell in cells]
    first = is_number.index(True) if any(is_number) else len(cells)
    numbers = [cell for cell in cells[first:] if cell]
    return cells[:first], numbers if len(numbers) == sum(is_number) else []


def letters(name: str) -> str:
    plain = re.sub(r"\\mathcal|[^a-z0-9]", "", name.lower())
    return MENDED.get(plain, plain)


def in_file(paper: str, table: str) -> list[tuple[str, list[str]]]:
    """Names and cells of a table's rows as they stand in its file, an empty cell as a dash."""
    cells = pd.read_csv(FOLDER / paper / f"{table}.csv", index_col="row", dtype=str).fillna("-")
    return [(name, list(row)) for name, row in zip(cells.index, cells.to_numpy())]


@pytest.mark.parametrize(("paper", "table"), percent_tables())
def test_rows_are_those_of_the_text_in_order(paper, table):
    lines = [label_and_numbers(line) for line in body(paper, table)]
    rows, expected = [row for row in lines if row[1]], in_file(paper, table)
    assert [numbers for _, numbers in rows] == [numbers for _, numbers in expected]
    for (label, _), (name, _) in zip(rows, expected):
        if (paper, table) in SWITCHES:
            parts = zip(SWITCHES[paper, table], label, strict=True)
            assert " + ".join(what if cell == "✓" else cell for what, cell in parts if cell) == name
        elif (paper, table) in TWO_LEVELS:
            assert len(label) == 2 and letters(name).endswith(letters(label[1]))
        else:
            assert letters(label[0]) == letters(name)


@pytest.mark.parametrize(("paper", "table"), [("gaitmask", "1"), ("gaitmask", "2"), ("amem", "2")])
def test_numbers_of_a_set_up_are_those_of_the_text_in_order(paper, table):
    tick = {"✓": "1", "×": "0"}
    tokens = [re.findall(r"(?<![\w-])\d+|✓|(?<=\t)×(?=\t|$)", line) for line in body(paper, table)]
    found = [[tick.get(token, token) for token in line] for line in tokens if line]
    expected = [[cell for cell in cells if cell != "-"] for _, cells in in_file(paper, table)]
    if (paper, table) == MERGED:
        assert expected[::2] == expected[1::2]
        expected = expected[::2]
    assert found[-len(expected) :] == expected  # above them stand numbers of the header


def test_model_sizes_stand_in_the_text():
    text = " ".join(text_lines("amem"))
    for size in ("50.2MB", "67.7MB", "about 90MB increment", "32.6MB when using two 2D-Conv"):
        assert size in text
    sizes = reported_table("amem", "Model Size").stack().dropna()
    assert sizes.tolist() == [50.2, 67.7, 90, 32.6]


# ---------------------------------------------------------------------------------------------------------------------
# Published facts: where tables agree with each other, and where they do not


def test_seqmasks_text_gives_gains_under_clothes_change_for_the_table_not_for_its_own_number():
    clothes = reported_table("seqmasks", "II")["CL excluding"]
    fusion, gait, appearance = (
        clothes[name] for name in ("Fusion Network (end2end)", "Modified GaitSet", "Appearance Baseline")
    )
    assert fusion == 74.891  # the text says 72.891 (+19.86, +29.49)
    assert fusion - gait == pytest.approx(19.86, abs=0.0051) and fusion - appearance == pytest.approx(29.49, abs=0.0051)


def test_seqmasks_table_2_counts_pairs_of_probe_and_gallery_view():
    """50 subjects, 2 probe sequences, 11 probe views, 11 gallery views (10 without the same): how many pairs are right.

    The entries of BG lie on no such grid.
    """
    cells = reported_table("seqmasks", "II").filter(regex="NM|CL").stack()
    pairs = {"including": 50 * 2 * 11 * 11, "excluding": 50 * 2 * 11 * 10}

    def off(row, column):
        total = pairs[column.split()[1]]
        return abs(round(cells[row, column] / 100 * total) / total * 100 - cells[row, column])

    exceptions = {(row, column) for row, column in cells.index if off(row, column) > 0.001}
    finetuned = "Fusion Network (finetune)"
    assert exceptions == {(finetuned, "CL including"), (finetuned, "CL excluding")}
    # Chance would let 23 % of the numbers pass: the grid is 0.0083 or 0.0091 wide, and 0.002 of it counts as a hit.


def test_seqmasks_fusion_row_of_table_3_mixes_two_versions():
    mixed = reported_table("seqmasks", "III").loc["AGFusion"]
    mask_mars, casia_b = reported_table("seqmasks", "I"), reported_table("seqmasks", "II")
    scores = ["rank-1", "rank-5", "rank-10", "mAP"]
    finetuned = mask_mars.loc["Fusion Network (finetune)", scores]
    assert mixed[[f"Mask-MARS {score}" for score in scores]].tolist() == finetuned.tolist()
    end_to_end = casia_b.loc["Fusion Network (end2end)", ["NM including", "BG including", "CL including"]]
    assert mixed[["CASIA-B NM", "CASIA-B BG", "CASIA-B CL"]].tolist() == end_to_end.tolist()


def test_seqmasks_comparators_are_the_numbers_published_for_mars():
    mask_mars, scores = reported_table("seqmasks", "IV"), ["rank-1", "rank-5", "mAP"]
    snippet = reported_table("amem", "5").loc["CSA-CSE", ["MARS rank-1", "MARS rank-5", "MARS mAP"]]
    assert mask_mars.loc["Snippet", scores].tolist() == snippet.tolist()
    with_flow = reported_table("sshsp", "1").loc["Snippet"]
    assert mask_mars.loc["Snippet+OF", [*scores, "rank-20"]].tolist() == with_flow[[*scores, "rank-20"]].tolist()
    stan = reported_table("sshsp", "1").loc["STAN"]
    assert mask_mars.loc["STAN", "rank-1"] == stan["rank-1"]
    assert mask_mars.loc["STAN", "mAP"] == pytest.approx(stan["mAP"], abs=0.11)


@pytest.mark.parametrize(
    ("first", "second"),
    [
        (("seqmasks", "I", "Fusion Network (end2end)"), ("seqmasks", "IV", "Ours (end2end)")),
        (("asanet", "I", "Mixing ASANet-b (Ours)"), ("asanet", "V", "b + ASRE")),
        (("asanet", "I", "Mixing ASANet-a-PMI (Ours)"), ("asanet", "V", "a + ASRE + PMI")),
        (("asanet", "V", "b + ASRE"), ("asanet", "VII", "ASANet-b with BCE loss")),
        (("asanet", "II", "ASANet-b (Ours)"), ("asanet", "VI", "b")),
        (("asanet", "II", "ASANet-b-PMI (Ours)"), ("asanet", "VI", "b + PMI")),
        (("asanet", "I", "Usual AMEM"), ("amem", "3", "Baseline + AEM + MEM (AMEM)")),
        (("asanet", "I", "Usual GLTR"), ("sshsp", "1", "GLTR")),
        (("asanet", "I", "Usual COSAM"), ("sshsp", "1", "COSAM")),
        (("sshsp", "1", "SS-HSP"), ("sshsp", "3", "Basel+Part+Motion+TRB")),
        (("sshsp", "1", "SS-HSP"), ("sshsp", "4", "SS-HSP")),
    ],
)
def test_the_same_model_has_the_same_numbers_in_two_tables(first, second):
    one, other = (reported_table(paper, table).loc[row] for paper, table, row in (first, second))
    assert one.to_dict() == other.to_dict()


def test_amem_tables_agree():
    modules, backbones = reported_table("amem", "3"), reported_table("amem", "4")
    others = reported_table("amem", "5")
    rows = {
        "Baseline": "Baseline (I3D)",
        "Baseline + AEM": "Baseline + AEM",
        "Baseline + MEM": "Baseline + MEM (c=3)",
        "AMEM": "Baseline + AEM + MEM (AMEM)",
    }
    for column, row in rows.items():
        assert backbones.loc["I3D rank-1", column] == modules.loc[row, "rank-1"]
        assert backbones.loc["I3D mAP", column] == modules.loc[row, "mAP"]
    mars = others[[f"MARS {score}" for score in modules.columns]]
    assert mars.loc["Ours (AMEM)"].tolist() == modules.loc["Baseline + AEM + MEM (AMEM)"].tolist()
    assert mars.loc["Baseline"].tolist() == modules.loc["Baseline (I3D)"].tolist()


def test_asanet_cross_data_set_row_repeats_a_number():
    to_duke = reported_table("asanet", "III").loc["Ours"]
    assert to_duke["MARS->Duke mAP"] == to_duke["MARS->Duke rank-1"] == 57.8


def test_what_comparators_leave_empty_stays_empty():
    empty = reported_table("amem", "5").loc["DR-STAN"].isna()
    assert empty.index[empty].tolist() == [
        f"{name} rank-{k}" for name in ("MARS", "iLIDS-VID", "PRID-2011") for k in (5, 20)
    ]
    assert np.isnan(reported_table("asanet", "I").loc["Usual Wu et al.", "mAP"])
    assert np.isnan(reported_table("sshsp", "2").loc["DenseIL", "rank-20"])
    assert reported_table("sshsp", "2").loc["M3D", "rank-5"] == 94.33  # printed with two decimals
