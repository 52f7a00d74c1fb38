"""A ledger of claims in a few numbers and two sentences, and as a table for reading."""

from dataclasses import dataclass

import pandas as pd
from pandas.io.formats.style import Styler

from reidlib.evaluation.statistics import MIN_SEEDS
from reidlib.experiments.claims import DECIDED, FAMILY_WISE, expected_false_verdicts
from reidlib.experiments.tables import POINTS, decimals


@dataclass(frozen=True)
class Tally:
    """Of so many claims, how many are judged (on six seeds or more), with which verdict."""

    claims: int
    judged: int
    replicating: int
    contradicted: int
    inconclusive: int


@dataclass(frozen=True)
class Summary:
    """What a ledger says of all claims and of the primary ones; `str` gives sentences.

    false_verdicts: how many verdicts would be false if no claim held and none was reversed. Of the primary claims:
    holm, how many verdicts survive Holm's procedure; both_lengths, how many are measured after half the training as
    well, of which robust; detectable, the median of the differences (points) that inconclusive ones could have seen,
    None without any.
    """

    every: Tally
    primary: Tally
    false_verdicts: float
    holm: int
    both_lengths: int
    robust: int
    detectable: float | None

    def __str__(self) -> str:
        if not self.every.judged:
            return f"{self.every.claims} claims, none judged yet on {MIN_SEEDS} seeds or more."
        text = f"{self.every.claims} claims, {self.every.judged} judged on {MIN_SEEDS} seeds or more: "
        text += f"{_counted(self.every)}. Were no claim true and none reversed, {self.false_verdicts:.1f} verdicts "
        text += "would be false all the same."
        if self.primary.claims:
            text += f" {self.primary.claims} claims are primary, {self.primary.judged} of them judged: "
            text += f"{_counted(self.primary)}; {self.holm} verdicts survive Holm's procedure over the primary claims "
            text += f"at {100 * FAMILY_WISE:.0f} %"
            if self.both_lengths:
                text += f"; of {self.both_lengths} measured after half the training as well, {self.robust} robust"
            text += "."
        if self.detectable is not None:
            text += f" Inconclusive primary claims could have seen {self.detectable:.1f} points (median)."
        return text


def summary(ledger: pd.DataFrame) -> Summary:
    """The numbers of a ledger of `claims`; of an empty one all are 0."""
    primary = ledger[ledger["primary"]]
    unsure = primary[(primary["verdict"] == "inconclusive") & (primary["unit"] == POINTS)]
    detectable = unsure["detectable"].median()
    return Summary(
        every=_tally(ledger),
        primary=_tally(primary),
        false_verdicts=expected_false_verdicts(ledger),
        holm=int(primary["holm"].isin(DECIDED).sum()),
        both_lengths=int(primary["robust"].notna().sum()),
        robust=int(primary["robust"].eq(True).sum()),
        detectable=None if pd.isna(detectable) else float(detectable),
    )


def _tally(ledger: pd.DataFrame) -> Tally:
    judged = ledger[ledger["seeds"] >= MIN_SEEDS]
    counts = [int((judged["verdict"] == verdict).sum()) for verdict in (*DECIDED, "inconclusive")]
    return Tally(len(ledger), len(judged), *counts)


def _counted(tally: Tally) -> str:
    return f"{tally.replicating} replicating, {tally.contradicted} contradicted, {tally.inconclusive} inconclusive"


def wide_ledger(ledger: pd.DataFrame) -> pd.DataFrame:
    """A ledger as texts, one line a claim: what it says and where, whether it is primary, its verdict, the one that
    Holm's procedure leaves and the one after half the training; the difference (left minus right) with its interval
    beside the reported one; seeds, what they could have detected, and what is to be noted.

    Differences are in points where no other unit is named. Columns without any text are left out.
    """
    shown = pd.DataFrame(
        {
            "claim": ledger["claim"],
            "where": ledger["source"],
            "primary": ledger["primary"].map({True: "primary", False: ""}),
            "verdict": ledger["verdict"],
            "Holm": ledger["holm"],
            "half the training": [_half(claim) for claim in ledger.itertuples()],
            "measured": [_difference(claim) for claim in ledger.itertuples()],
            "reported": [_number(value) for value in ledger["reported"]],
            "seeds": [str(count) if count else "" for count in ledger["seeds"]],
            "detectable": [_number(claim.detectable, claim.unit).lstrip("+") for claim in ledger.itertuples()],
            "margin": [_number(claim.margin, claim.unit).lstrip("+") for claim in ledger.itertuples()],
            "control": ledger["control"],
            "note": ledger["note"],
            "collapsed": ledger["collapsed"],
        }
    ).fillna("")
    return shown.loc[:, (shown != "").any()]


def styled_ledger(ledger: pd.DataFrame) -> Styler:
    """`wide_ledger` for a notebook."""
    return Styler(wide_ledger(ledger), cell_ids=False).hide(axis="index")


def _half(claim) -> str:
    """The verdict after half the training, and whether it is the same."""
    if claim.robust is None:
        return claim.half_verdict if isinstance(claim.half_verdict, str) else ""
    agreement = "robust" if claim.robust else "not robust"
    return f"{agreement}: {claim.half_verdict} ({_number(claim.half_difference, claim.unit)})"


def _difference(claim) -> str:
    if pd.isna(claim.difference):
        return ""
    found = (claim.difference, claim.low, claim.high)
    number, low, high = (_signed(value, decimals(claim.unit, found)) for value in found)
    interval = f" ({low} to {high})" if low else ""
    return number + interval + ("" if claim.unit == POINTS else f" {claim.unit}")


def _number(value: float, unit: str = POINTS) -> str:
    return _signed(value, decimals(unit, [value]))


def _signed(value: float, digits: int) -> str:
    return "" if pd.isna(value) else f"{value:+.{digits}f}".replace("-", "−")
