"""Figures from results: each function takes arrays, tracklets or tables and gives a matplotlib figure."""

import textwrap
from collections.abc import Mapping, Sequence
from io import BytesIO
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import seaborn as sns
from matplotlib.axes import Axes
from matplotlib.colors import hsv_to_rgb
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from PIL import Image
from scipy import stats

from reidlib.data import Tracklet

RIGHT, WRONG, NEUTRAL = "#2a9d4a", "#d1383d", "#8a8a8a"
DARK, PALE = "#264653", "#c4c4c4"
DPI = 100
LEVELS, SHARE = 8, 2e-5  # of 255, and of the pixels: what two machines may draw differently in one picture


def save(figure: Figure, path: Path) -> Path:
    """Write a figure as PNG (100 dpi), making the folder if needed; gives the path.

    A file that shows the same picture already is left as it is, so that it changes only if what it shows does.
    """
    path, drawn = Path(path), BytesIO()
    figure.savefig(drawn, format="png", dpi=DPI, bbox_inches="tight", metadata={"Software": None})
    if not (path.exists() and same_picture(path.read_bytes(), drawn.getvalue())):
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(drawn.getvalue())
    return path


def same_picture(one: bytes, other: bytes) -> bool:
    """Whether two PNG files show the same but for rounding: equal sizes, and at most 2 in 100,000 pixels with a channel
    that differs by more than 8 of 255 levels. What is no picture is not the same as anything."""
    try:
        pixels = [np.asarray(Image.open(BytesIO(content)).convert("RGBA"), np.int16) for content in (one, other)]
    except (OSError, SyntaxError):  # of PIL, for broken files
        return False
    if pixels[0].shape != pixels[1].shape:
        return False
    return bool((np.abs(pixels[0] - pixels[1]).max(axis=-1) > LEVELS).mean() <= SHARE)


def show_image(axes: Axes, image: np.ndarray, title: str = "", edge: str | None = None) -> None:
    """Draw one uint8 image, colour (3, H, W) or grey (H, W), without ticks; `edge` is the colour of its frame."""
    axes.imshow(image.transpose(1, 2, 0) if image.ndim == 3 else image, cmap=None if image.ndim == 3 else "gray")
    axes.set(xticks=[], yticks=[])
    if title:
        axes.set_title(title, fontsize=7)
    for spine in axes.spines.values():
        spine.set(visible=edge is not None, color=edge, linewidth=3)


def contact_sheet(
    images: Sequence[np.ndarray], columns: int = 12, titles: Sequence[str] | None = None, width: float = 0.8
) -> Figure:
    """Images of one size, uint8 (n, 3, H, W), n ≥ 1, in rows of `columns`, each `width` inches wide; a title each."""
    rows = -(-len(images) // columns)
    height = width * images[0].shape[-2] / images[0].shape[-1]
    size = (columns * width, rows * (height + (0.22 if titles else 0)))
    figure, grid = plt.subplots(rows, columns, figsize=size, squeeze=False, layout="constrained")
    for axes in grid.flat:
        axes.axis("off")
    for i, (image, axes) in enumerate(zip(images, grid.flat)):
        axes.axis("on")
        show_image(axes, image, titles[i] if titles else "")
    return figure


def tracklet_rows(tracklets: Sequence[Tracklet], frames: int = 7, width: float = 0.7) -> Figure:
    """Evenly spaced frames of each tracklet, one tracklet a row."""
    chosen = [np.linspace(0, len(t) - 1, frames).round().astype(int) for t in tracklets]
    images = np.concatenate([t.frames(indices) for t, indices in zip(tracklets, chosen)])
    titles = [
        f"id {t.person_id}, cam {t.camera_id}" if column == 0 else f"frame {indices[column]}"
        for t, indices in zip(tracklets, chosen)
        for column in range(frames)
    ]
    return contact_sheet(images, columns=frames, titles=titles, width=width)


def walk_sheet(tracklets: Sequence[Tracklet], columns: int, frame: int = 0, width: float = 0.6) -> Figure:
    """One frame of each tracklet above its aligned silhouette, in rows of `columns`; titles are the condition, what its
    hyphens part in lines of their own, and the view."""
    images = []
    for t in tracklets:
        colour, silhouette = t.frames([frame])[0], t.silhouettes([frame])[0]
        rows, places = (np.arange(n) * m // n for n, m in zip(colour.shape[1:], silhouette.shape))
        white = np.broadcast_to(255 * silhouette[rows][:, places], colour.shape)
        images.append(np.concatenate([colour, white], axis=1))
    titles = [f"{t.condition}-{t.view}°".replace("-", "\n") for t in tracklets]
    return contact_sheet(images, columns=columns, titles=titles, width=width)


def masked_frames(frames: np.ndarray, masks: np.ndarray, titles: Sequence[str] | None = None) -> Figure:
    """Frames, uint8 (n, 3, H, W), in a row above the same with all darkened but the masks (n, 1, H, W) of 0 and 1."""
    person = np.where(masks > 0, frames, frames // 4)
    return contact_sheet([*frames, *person], len(frames), titles and [*titles, *[""] * len(frames)])


def truth_row(tracklet: Tracklet, frame: int) -> Figure:
    """One frame of a rendered tracklet and its truth: silhouette, part map, visible joints, flow to the next frame."""
    image, parts = tracklet.frames([frame])[0], tracklet.truth("parts", [frame])[0]
    joints, flow = tracklet.truth("joints", [frame])[0], tracklet.truth("flow", [frame])[0]
    figure, grid = plt.subplots(1, 5, figsize=(5 * 1.3, 2.9), layout="constrained")
    show_image(grid[0], image, "frame")
    show_image(grid[1], (parts > 0).astype(np.uint8), "silhouette")
    show_image(grid[2], image // 3, "parts")
    grid[2].imshow(np.ma.masked_equal(parts, 0), cmap="tab20", vmin=1, vmax=20, interpolation="nearest")
    show_image(grid[3], image // 2 + 100, "joints")
    seen = joints[joints[:, 2] > 0]
    grid[3].scatter(seen[:, 0], seen[:, 1], s=8, color=WRONG)
    show_image(grid[4], flow_colours(flow), "flow")
    key = grid[4].inset_axes((0.62, 0.01, 0.37, 0.2))
    show_image(key, flow_wheel())
    return figure


def flow_colours(flow: np.ndarray) -> np.ndarray:
    """Optical flow (2, H, W), x and y in pixels, as uint8 RGB (3, H, W): hue is the direction, saturation the speed.

    Right is red and the fastest pixel fully saturated; what stands still is white.
    """
    speed = np.hypot(*flow)
    hue = (np.arctan2(flow[1], flow[0]) / (2 * np.pi)) % 1
    colours = hsv_to_rgb(np.stack([hue, speed / max(speed.max(), 1e-6), np.ones_like(hue)], axis=-1))
    return (255 * colours).astype(np.uint8).transpose(2, 0, 1)


def flow_wheel(size: int = 64) -> np.ndarray:
    """The key to `flow_colours`: the colour of every direction and speed up to the fastest, uint8 (3, size, size)."""
    y, x = np.mgrid[-1 : 1 : size * 1j, -1 : 1 : size * 1j]
    inside = np.hypot(x, y) <= 1
    return np.where(inside, flow_colours(np.stack([x, y]) * inside), 255).astype(np.uint8)


def joint_angles(angles: Mapping[str, Mapping[str, np.ndarray]], phase: np.ndarray) -> Figure:
    """Joint angles over a gait cycle, {person: {joint: radians (n,)}}: one panel a joint, one line a person.

    phase: (n,) cycles.
    """
    joints = list(next(iter(angles.values())))
    figure, grid = plt.subplots(1, len(joints), figsize=(3 * len(joints), 2.6), layout="constrained", squeeze=False)
    for joint, axes in zip(joints, grid[0]):
        for person, curves in angles.items():
            axes.plot(100 * phase, np.rad2deg(curves[joint]), label=person)
        axes.set(title=joint, xlabel="gait cycle (%)", ylabel="degrees, flexion positive")
    grid[0, -1].legend(fontsize=7)
    return figure


def ranked_list(query: Tracklet, gallery: Sequence[Tracklet], order: np.ndarray, length: int = 10) -> Figure:
    """The query and its `length` nearest gallery tracklets: green frames for the same person, red for others.

    order: indices of the gallery entries that count, nearest first, at least one.
    """
    shown = [int(index) for index in order[:length]]
    figure, grid = plt.subplots(1, len(shown) + 1, figsize=(0.7 * (len(shown) + 1), 1.8), layout="constrained")
    show_image(grid[0], query.frames([len(query) // 2])[0], f"query\ncam {query.camera_id}", NEUTRAL)
    for rank, (index, axes) in enumerate(zip(shown, grid[1:]), start=1):
        tracklet = gallery[index]
        edge = RIGHT if tracklet.person_id == query.person_id else WRONG
        show_image(axes, tracklet.frames([len(tracklet) // 2])[0], f"{rank}\ncam {tracklet.camera_id}", edge)
    return figure


def first_answers(queries: Sequence[Tracklet], answers: Mapping[str, Sequence[Tracklet]]) -> Figure:
    """Queries side by side, and below each what is at rank 1 by name: green frames for the same person, red for others.

    answers: a gallery tracklet for each query, by name, which stands before its row.
    """
    shape = len(answers) + 1, len(queries)
    size = (0.75 * shape[1] + 0.8, 1.6 * shape[0])
    figure, grid = plt.subplots(*shape, figsize=size, squeeze=False, layout="constrained")
    for row, (name, tracklets) in enumerate({"query": queries, **answers}.items()):
        grid[row, 0].set_ylabel(name, fontsize=7)
        for query, tracklet, axes in zip(queries, tracklets, grid[row]):
            edge = NEUTRAL if row == 0 else RIGHT if tracklet.person_id == query.person_id else WRONG
            show_image(axes, tracklet.frames([len(tracklet) // 2])[0], f"cam {tracklet.camera_id}", edge)
    return figure


def embedding_map(points: np.ndarray, person_ids: np.ndarray, groups: np.ndarray, group: str = "camera") -> Figure:
    """A 2-D map (n, 2) of features: one colour a person, by ids (n,), one marker a `group`, by its names (n,)."""
    frame = pd.DataFrame({"x": points[:, 0], "y": points[:, 1], "person": person_ids.astype(str), group: groups})
    figure, axes = plt.subplots(figsize=(6, 5), layout="constrained")
    palette = sns.color_palette("husl", frame["person"].nunique())
    sns.scatterplot(frame, x="x", y="y", hue="person", style=group, palette=palette, legend=False, s=45, ax=axes)
    axes.set(xticks=[], yticks=[], xlabel="", ylabel="", title=f"one colour a person, one marker a {group}")
    return figure


def cmc_curves(first_match_ranks: Mapping[str, np.ndarray], longest: int = 20) -> Figure:
    """Cumulative matching characteristics by name, from each query's rank of the first match (0: not valid)."""
    figure, axes = plt.subplots(figsize=(5.5, 3.6), layout="constrained")
    ranks = np.arange(1, longest + 1)
    for name, first in first_match_ranks.items():
        valid = np.asarray(first)[np.asarray(first) > 0]
        axes.step(ranks, 100 * (valid[:, None] <= ranks).mean(axis=0), where="mid", label=name)
    axes.set(xlabel="rank", ylabel="queries with a match up to this rank (%)", ylim=(0, 101), xlim=(1, longest))
    axes.legend(loc="lower right")
    return figure


def loss_history(history: pd.DataFrame) -> Figure:
    """Loss terms (above 0) over iterations, one line a term; `history` has a column "iteration" and one a term."""
    figure, axes = plt.subplots(figsize=(5.5, 3), layout="constrained")
    for term in history.columns.drop("iteration"):
        axes.plot(history["iteration"], history[term], label=term)
    axes.set(xlabel="iteration", ylabel="loss", yscale="log")
    figure.legend(loc="outside right upper", fontsize=8)
    return figure


def score_intervals(rows: pd.DataFrame, score: str) -> Figure:
    """Mean and interval of one score for every row of a table, in percent.

    rows: cells of `reidlib.papers.table` (row, column, measured, low, high); drawn are those whose column is `score`.
    Without an interval (one seed) the mean is drawn alone.
    """
    rows = rows[rows["column"] == score].dropna(subset="measured")
    figure, axes = plt.subplots(figsize=(8.5, 0.3 * len(rows) + 1), layout="constrained")
    spread = np.stack([rows["measured"] - rows["low"], rows["high"] - rows["measured"]])
    axes.errorbar(rows["measured"], range(len(rows)), xerr=np.nan_to_num(spread), fmt="o", color=DARK, capsize=3)
    axes.set(yticks=range(len(rows)), yticklabels=rows["row"], xlabel=f"{score} (%), mean and 95 % interval over seeds")
    axes.invert_yaxis()
    axes.set_xlim(*_within_percent(*axes.get_xlim()))
    axes.grid(axis="x", alpha=0.3)
    return figure


def score_grid(scores: pd.DataFrame) -> Figure:
    """Scores in percent as numbers on colours, methods from top to bottom, worlds from left to right; what is missing
    (nan) stays white."""
    figure, axes = plt.subplots(figsize=(1.5 + 0.75 * scores.shape[1], 0.8 + 0.35 * len(scores)), layout="constrained")
    sns.heatmap(scores, annot=True, fmt=".0f", vmin=0, vmax=100, cmap="viridis", cbar=False, linewidths=1, ax=axes)
    axes.set(xlabel="", ylabel="")
    axes.xaxis.tick_top()
    axes.tick_params(length=0, rotation=0, labelsize=8)
    return figure


def sweep_lines(cells: pd.DataFrame, columns: Sequence[str]) -> Figure:
    """Scores in percent over a setting that was swept: one panel for each of the columns, one line a system.

    cells: of `reidlib.papers.table`, whose rows are called "<system>, <setting>"; settings are drawn in their order.
    Means have their intervals where there is more than one seed; what is not yet measured is left out.
    """
    systems, settings = zip(*(row.rsplit(", ", 1) for row in cells["row"]))
    cells = cells.assign(system=systems, place=pd.factorize(np.array(settings))[0])
    figure, grid = plt.subplots(1, len(columns), figsize=(3.2 * len(columns), 3.4), layout="constrained", squeeze=False)
    for column, axes in zip(columns, grid[0]):
        for system, group in cells[cells["column"] == column].groupby("system", sort=False):
            spread = np.stack([group["measured"] - group["low"], group["high"] - group["measured"]])
            axes.errorbar(group["place"], group["measured"], np.nan_to_num(spread), marker="o", capsize=3, label=system)
        axes.set_xticks(range(len({*settings})), dict.fromkeys(settings), rotation=30, ha="right")
        axes.set(title=column, ylabel="%", ylim=_within_percent(*axes.get_ylim()))
        axes.grid(axis="y", alpha=0.3)
    figure.legend(*grid[0, 0].get_legend_handles_labels(), loc="outside lower center", ncols=3, fontsize=7)
    return figure


def channel_attention(gates: Mapping[str, Mapping[str, np.ndarray]]) -> Figure:
    """What gates do to the channels of each modality, {modality: {condition: gates (B, d) in [0, 1]}}.

    One panel a modality, one line a condition: the mean gate of each channel over the clips, channels sorted by that of
    the first condition. Lines that part show that the module reacts to the condition.
    """
    figure, grid = plt.subplots(
        1, len(gates), figsize=(3 * len(gates), 2.8), layout="constrained", squeeze=False, sharey=True
    )
    for (modality, conditions), axes in zip(gates.items(), grid[0]):
        order = next(iter(conditions.values())).mean(axis=0).argsort()
        for condition, values in conditions.items():
            axes.plot(values.mean(axis=0)[order], label=condition, linewidth=1)
        axes.set(title=modality, xlabel="channel, sorted")
    grid[0, 0].set_ylabel("gate, mean over clips")
    grid[0, -1].legend()
    return figure


VERDICTS = {"replicates": RIGHT, "contradicted": WRONG, "leaning": DARK, "inconclusive": NEUTRAL}


def claim_intervals(ledger: pd.DataFrame) -> Figure:
    """The differences behind the verdicts, in points: one line a claim, coloured by its verdict.

    ledger: of `reidlib.papers.claims`. A dot has the measured difference and its interval, a cross the difference in
    the paper's own numbers. Beyond ±1 the axis is logarithmic. Claims that are not yet measured have no dot.
    """
    few = len(ledger) <= 12
    size = (9, 0.38 * len(ledger) + 1) if few else (7.5, 0.16 * len(ledger) + 1)
    figure, axes = plt.subplots(figsize=size, layout="constrained")
    for place, claim in enumerate(ledger.itertuples()):
        axes.plot(claim.reported, place, "x", color="black", markersize=4)
        colour = VERDICTS.get(claim.verdict, NEUTRAL)
        axes.plot(claim.difference, place, "o", color=colour, markersize=4)
        axes.plot([claim.low, claim.high], [place, place], color=colour)
    _claim_axes(axes, ledger["claim"], few)
    axes.set_xlabel("points, measured (dot) and reported (cross)")
    return figure


def verdicts_before_and_after(comparison: pd.DataFrame) -> Figure:
    """What primary claims were worth before and are worth now: one line a claim, in points, as in `claim_intervals`.

    comparison: of `reidlib.experiments.former.compare_verdicts`. The interval before is grey and stands above the one
    after, which has the colour of its verdict. What was or is not measured is left out.
    """
    primary = comparison[comparison["primary"]]
    figure, axes = plt.subplots(figsize=(9, 0.36 * len(primary) + 1), layout="constrained")
    for place, claim in enumerate(primary.itertuples()):
        before, after = (claim.low_before, claim.high_before), (claim.low_after, claim.high_after)
        colour = VERDICTS.get(claim.after, NEUTRAL)
        axes.plot(claim.difference_before, place - 0.17, "o", color=PALE, markersize=4)
        axes.plot(before, [place - 0.17] * 2, color=PALE)
        axes.plot(claim.difference_after, place + 0.17, "o", color=colour, markersize=5)
        axes.plot(after, [place + 0.17] * 2, color=colour, linewidth=2)
    _claim_axes(axes, primary["claim"], wrapped=True)
    axes.set_xlabel("points; light grey above: before")
    return figure


def gains_and_controls(gains: pd.DataFrame) -> Figure:
    """Gains in points, and what of them a control has as well: one line a claim.

    gains: of `reidlib.experiments.effects.control_gains`. The grey bar is what the control gains over the same row, the
    green or red one what the mechanism adds to or takes from that; the dot is the whole gain.
    """
    figure, axes = plt.subplots(figsize=(9, 0.4 * len(gains) + 1), layout="constrained")
    own = gains["gain"] - gains["control"]
    places = range(len(gains))
    axes.barh(places, gains["control"], height=0.5, color=PALE, label="the control's")
    axes.barh(places, own, 0.5, gains["control"], color=np.where(own > 0, RIGHT, WRONG), label="the mechanism's own")
    axes.plot(gains["gain"], places, "o", color="black", markersize=4, label="the gain")
    axes.axvline(0, color="black", linewidth=0.6)
    axes.set_yticks(places, [textwrap.fill(text, 60) for text in gains["claim"]], fontsize=8)
    axes.set(xlabel="points", ylim=(len(gains) - 0.5, -0.5))
    figure.legend(loc="outside lower center", ncols=3, fontsize=7)
    return figure


def reported_gains(ledger: pd.DataFrame, resolved: float) -> Figure:
    """The sizes of the differences that papers report, in points on a logarithmic axis: one line a paper, one dot a
    claim, a bar at their median.

    ledger: of `reidlib.papers.claims`, several one below the other. Differences the other way than the paper says are
    red; those of 0 stand at the left edge, 0.05. resolved: a difference in points, marked by a line.
    """
    known = ledger.dropna(subset="reported")
    papers = list(dict.fromkeys(known["paper"]))
    figure, axes = plt.subplots(figsize=(7, 0.5 * len(papers) + 1), layout="constrained")
    for place, paper in enumerate(papers):
        found = known.loc[known["paper"] == paper, "reported"].to_numpy()
        sizes = np.maximum(np.abs(found), 0.05)
        beside = place + 0.5 * (np.arange(len(found)) / max(len(found) - 1, 1) - 0.5)
        axes.scatter(sizes, beside, s=10, color=np.where(found < 0, WRONG, DARK), alpha=0.8)
        axes.plot([np.median(sizes)] * 2, [place - 0.35, place + 0.35], color="black")
    axes.axvline(resolved, color=NEUTRAL, linestyle="--")
    axes.set_xscale("log")
    points = [x for x in (0.1, 0.3, 1, 3, 10, 30) if x < axes.get_xlim()[1]]
    axes.set_xticks(points, [f"{x:g}" for x in points])
    axes.set_yticks(range(len(papers)), papers)
    axes.set(xlabel="reported difference, points", ylim=(len(papers) - 0.5, -0.5))
    return figure


def single_runs(shares: pd.DataFrame) -> Figure:
    """How often one training would have said the opposite of all of them, over the size of the difference.

    shares: of `reidlib.experiments.effects.opposite_share`. The line is what a normal distribution with the median
    deviation says.
    """
    figure, axes = plt.subplots(figsize=(5, 3), layout="constrained")
    sizes, deviation = shares["difference"].abs(), shares["deviation"].median()
    axes.plot(sizes, 100 * shares["opposite"], "o", color=DARK, markersize=4, label="measured, one dot a claim")
    at = np.linspace(0, max(sizes.max(), 1), 200)
    axes.plot(at, 100 * stats.norm.sf(at / deviation), color=NEUTRAL, label=f"one seed deviates by {deviation:.1f}")
    axes.set(xlabel="difference, mean over seeds, points", ylabel="trainings that say the opposite, %")
    axes.legend(fontsize=8)
    return figure


def _within_percent(low: float, high: float) -> tuple[float, float]:
    """Limits of an axis that leave out what no score can be; an interval of two seeds may reach far beyond."""
    return max(low, -3), min(high, 103)


def _claim_axes(axes: Axes, texts: Sequence[str], wrapped: bool) -> None:
    """A line for each claim, the first at the top, over points that are logarithmic beyond ±1; verdicts' colours."""
    axes.axvline(0, color="black", linewidth=0.6)
    axes.set_xscale("symlog", linthresh=1)
    low, high = axes.get_xlim()
    points = [x for x in (-30, -10, -3, -1, 0, 1, 3, 10, 30) if low < x < high]
    axes.set_xticks(points, [f"{x:+d}" if x else "0" for x in points], fontsize=8)
    labels = [textwrap.fill(text, 60) if wrapped else text for text in texts]
    axes.set_yticks(range(len(labels)), labels, fontsize=8 if wrapped else 6)
    axes.set_ylim(len(labels) - 0.5, -0.5)
    keys = [Line2D([], [], color=colour, marker="o", label=verdict) for verdict, colour in VERDICTS.items()]
    axes.figure.legend(handles=keys, loc="outside lower center", ncols=len(keys), fontsize=7)
