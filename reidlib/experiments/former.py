"""Verdicts of a former regime beside the present ones: what a claim was worth before the experiments were changed."""

from pathlib import Path

import pandas as pd

COLUMNS = ["claim", "verdict", "difference", "low", "high", "seeds"]
NUMBERS = ["difference", "low", "high"]


def write_verdicts(ledger: pd.DataFrame, path: Path, regime: str) -> None:
    """Keep a ledger of `claims` as a CSV file of claim, verdict, difference, low, high (percent points) and seeds.

    regime: one line that says how the numbers came about, the file's first.
    ValueError if it has several lines, or if a difference has another unit than points.
    """
    if "\n" in regime:
        raise ValueError(f"the regime must be one line; got {regime!r}")
    if other := {*ledger["unit"]} - {"points"}:
        raise ValueError(f"{path}: differences must be in points; some are in {', '.join(sorted(other))}")
    path.write_text(f"# {regime}\n" + ledger[COLUMNS].to_csv(index=False, float_format="%.3f"), encoding="utf-8")


def read_verdicts(path: Path) -> pd.DataFrame:
    """The lines of a file of `write_verdicts`. ValueError if it is none, naming it."""
    found = pd.read_csv(path, header=1)
    if list(found.columns) != COLUMNS:
        raise ValueError(
            f"{path} is no file of former verdicts: expected a line that names the regime, then the columns "
            f"{', '.join(COLUMNS)}; found {', '.join(found.columns)}. Restore it with git"
        )
    return found


def compare_verdicts(former: pd.DataFrame, ledger: pd.DataFrame) -> pd.DataFrame:
    """Former and present verdicts, joined by the claims' texts, in the ledger's order, dropped claims last.

    former: of `read_verdicts`; ledger: of `claims`. Columns: claim, primary (False for a claim that is stated no more),
    before, after (the verdicts, missing where the claim is not stated), difference_before, low_before, high_before,
    difference_after, low_after, high_after (points, NaN where there are none). ValueError if a claim stands twice.
    """
    sides = {"before": former.set_index("claim"), "after": ledger.set_index("claim")}
    for side, frame in sides.items():
        if not frame.index.is_unique:
            raise ValueError(f"{side}: the claim {frame.index[frame.index.duplicated()][0]!r} stands twice")
    order = sides["after"].index.append(sides["before"].index.difference(sides["after"].index, sort=False))
    sides = {side: frame.reindex(order) for side, frame in sides.items()}
    joined = {"primary": sides["after"]["primary"].eq(True)}
    joined |= {side: frame["verdict"] for side, frame in sides.items()}
    joined |= {f"{name}_{side}": frame[name] for side, frame in sides.items() for name in NUMBERS}
    return pd.DataFrame(joined).rename_axis("claim").reset_index()
