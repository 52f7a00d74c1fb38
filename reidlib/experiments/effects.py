"""What lies behind verdicts: a comparison under each seed alone, and how much of a gain its control keeps.

Papers of this field usually train once. `seed_differences` says what such a paper would have reported of a comparison;
`control_gains` what would have been called a mechanism's gain, and what of it needs no mechanism.
"""

from pathlib import Path

import numpy as np
import pandas as pd

from reidlib.experiments.claims import measured_cells, under_shared_seeds
from reidlib.experiments.papers import find_paper
from reidlib.experiments.records import FIGURES


def seed_differences(paper: str, figures: Path = FIGURES) -> pd.DataFrame:
    """What each seed alone says of a paper's claims that one sum of cells is above another.

    Columns: paper, claim, seed, difference (left minus right, in the unit of the claim's ledger); one line for each
    claim and seed that all its cells share. ValueError for an unknown paper.
    """
    stated = [claim for claim in find_paper(paper).claims if claim.kind == "above"]
    cells = measured_cells(paper, {claim.table for claim in stated}, figures)
    lines = []
    for claim in stated:
        sides = ([cells[claim.table, *cell] for cell in side] for side in (claim.left, claim.right))
        _, seeds, (left, right) = under_shared_seeds(*sides)
        differences = left.sum(axis=0) - right.sum(axis=0)
        lines += [(paper, claim.text, seed, difference) for seed, difference in zip(seeds, differences)]
    return pd.DataFrame(lines, columns=["paper", "claim", "seed", "difference"])


def control_gains(paper: str, figures: Path = FIGURES) -> pd.DataFrame:
    """Gains of one row over another, and what the control that the claim names gains over the same row.

    Columns: paper, claim, primary, gain, control (means over the seeds that all three rows share, in the unit of the
    claim's ledger), seeds; one line for each claim of one cell above another that names a control, where all three are
    measured. ValueError for an unknown paper.
    """
    stated = [
        claim
        for claim in find_paper(paper).claims
        if claim.kind == "above" and claim.control and len(claim.left) == len(claim.right) == 1
    ]
    cells = measured_cells(paper, {claim.table for claim in stated}, figures)
    lines = []
    for claim in stated:
        labels = (claim.left[0][0], claim.right[0][0], claim.control)
        _, seeds, (scores,) = under_shared_seeds([cells[claim.table, label, claim.left[0][1]] for label in labels])
        if seeds:
            row, other, control = scores.mean(axis=1)
            lines.append((paper, claim.text, claim.primary, row - other, control - other, len(seeds)))
    return pd.DataFrame(lines, columns=["paper", "claim", "primary", "gain", "control", "seeds"])


def opposite_share(differences: pd.DataFrame, min_seeds: int) -> pd.DataFrame:
    """How often one seed alone would have said the opposite of all of them.

    differences: of `seed_differences`. Columns: paper, claim, difference (mean over seeds), deviation (standard, of one
    seed), opposite (share of the seeds whose difference has not the mean's sign), seeds; claims with fewer than
    min_seeds are left out.
    """
    lines = [
        (paper, claim, d.mean(), d.std(ddof=1), float(np.mean(np.sign(d) != np.sign(d.mean()))), len(d))
        for (paper, claim), d in differences.groupby(["paper", "claim"], sort=False)["difference"]
        if len(d) >= min_seeds
    ]
    return pd.DataFrame(lines, columns=["paper", "claim", "difference", "deviation", "opposite", "seeds"])
