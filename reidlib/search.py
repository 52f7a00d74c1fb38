"""Search videos for people: who, among everybody that walks in them, looks like whom.

Videos of fixed cameras → tracklets (`reidlib.data.footage`) → features of a network → cosine distances → ranked lists.
Nobody is named: every tracklet is a query in turn, or one that is asked for, and what is shown is appearance that is
alike, not identity.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from matplotlib.figure import Figure
from torch import nn

from reidlib import plots
from reidlib.data.batches import PIXELS, evaluation_batches
from reidlib.data.footage import MIN_HEIGHT, MIN_ROWS, FootageTracklet, follow, open_video
from reidlib.data.footage.foreground import Background
from reidlib.data.footage.image import IMAGE, image_tracklet
from reidlib.data.silhouettes import MIN_PIXELS, align
from reidlib.evaluation import pairwise_distances
from reidlib.experiments.clips import batches_of, inputs_of
from reidlib.experiments.networks import READY, KeptNetwork, find_network
from reidlib.experiments.sources import RESOLUTIONS, SIZES
from reidlib.training import extract_features

INSIDE = {"colour_histogram"}  # does better inside the silhouette; the others on the whole box, or take no masks
UNUSABLE = {"few pixels", "short", "standing", "not upright"}  # flags of what is not searched, as much is nobody
NUM_FRAMES = 8  # of each tracklet
CROPS = (128, 64)  # height and width at which networks with weights of their own see people
ROWS = 10  # queries on one sheet
_NUMBER = re.compile(r"(\d+:)?\d+")  # of a tracklet, and of its video


@dataclass(frozen=True)
class Found:
    """What a search gives. tracklets: all N, the last of them the query if that is an image. distances: (N, N),
    infinite where two cannot be compared, see `compare`. queries: the tracklets that were searched for."""

    tracklets: tuple[FootageTracklet, ...]
    distances: np.ndarray
    queries: tuple[int, ...]

    @property
    def image(self) -> bool:
        """Whether the query is an image."""
        return self.tracklets[-1].camera_id == IMAGE

    def ranking(self, query: int) -> np.ndarray:
        """The tracklets that can be the person of this one, the most alike first."""
        order = self.distances[query].argsort(kind="stable")
        return order[np.isfinite(self.distances[query][order])]


def search(
    videos: Sequence[str | Path],
    network: str = "efficientnet_lite0",
    flagged: bool = False,
    query: str | Path | None = None,
    min_height: float = MIN_HEIGHT,
    tracks: Sequence[str | Path] = (),
    progress: bool = True,
) -> Found:
    """Follow everybody in the videos, whose numbers from 1 become the camera, and compare all with all, or with one.

    network: as in `reidlib.experiments.networks.find_network`. A network that a run has trained sees people at its own
    resolution. flagged: search tracklets with flags of `UNUSABLE` as well. query: the only one to search for, an image
    file of a person, or the number of a tracklet as an earlier search of the same videos wrote it, "VIDEO:TRACKLET"
    where there are several videos; it is searched for whatever its flags. min_height, tracks: as in `everybody`. Errors
    and warnings are those of `everybody`; ValueError if nobody walks in any of the videos, the query is neither an
    image of one person nor a tracklet, there is no such network, its weights cannot be had, or it looks at what videos
    do not show.
    """
    kept = find_network(network)
    check_inputs(kept)
    resolution = CROPS if network in READY else RESOLUTIONS[kept.run.scale]
    asked = None
    if query is not None and not _NUMBER.fullmatch(str(query)):
        asked = image_tracklet(query, resolution)
    tracklets = everybody(videos, min_height, tracks, progress, resolution)
    chosen = usable(tracklets, flagged)
    if not chosen:
        raise ValueError(
            f"nobody was followed in {', '.join(map(str, videos))}: {len(tracklets)} tracklets, all flagged as "
            f"{', '.join(sorted(UNUSABLE))} (--all takes them too). Expected people who walk through the picture of a "
            f"fixed camera, at least {min_height:g} of its height (--min-height) and {MIN_ROWS} pixels high"
        )
    queries = chosen
    if asked is not None:
        tracklets, queries = (*tracklets, asked), (len(tracklets),)
    elif query is not None:
        queries = (_numbered(str(query), tracklets, len(videos)),)
    if network in READY:
        features = describe(tracklets, kept.network, network in INSIDE, progress)
    else:
        features, described = describe_as_trained(tracklets, kept, progress)
        chosen, queries = (tuple(i for i in some if described[i]) for some in (chosen, queries))
    found = Found(tracklets, compare(tracklets, sorted({*chosen, *queries}), features), queries)
    if query is not None and not (queries and len(found.ranking(queries[0]))):
        raise ValueError(f"--query {query}: nobody else is searched who is not seen at the same time; see --all")
    return found


def everybody(
    videos: Sequence[str | Path],
    min_height: float = MIN_HEIGHT,
    tracks: Sequence[str | Path] = (),
    progress: bool = True,
    resolution: tuple[int, int] = CROPS,
) -> tuple[FootageTracklet, ...]:
    """Everybody who walks in the videos; resolution, errors and warnings are those of `follow`.

    min_height: of a person, as a share of the picture's height, in (0, 1). tracks: files of boxes in the MOT format,
    one for each video in order, that take the place of our tracker's; none if empty. ValueError for other numbers.
    """
    if not 0 < min_height < 1:
        raise ValueError(f"min_height={min_height:g}: expected a share of the picture's height, between 0 and 1")
    if tracks and len(tracks) != len(videos):
        raise ValueError(
            f"{len(tracks)} files of tracks for {len(videos)} videos; give one for each video, in the videos' order"
        )
    how = {"min_height": min_height, "resolution": resolution, "progress": progress}
    return tuple(
        tracklet
        for camera, video in enumerate(videos, start=1)
        for tracklet in follow(video, camera, tracks=tracks[camera - 1] if tracks else None, **how)
    )


def usable(tracklets: Sequence[FootageTracklet], flagged: bool = False) -> tuple[int, ...]:
    """Which tracklets are searched: those without flags of `UNUSABLE`, or all of them, if `flagged`."""
    return tuple(i for i, t in enumerate(tracklets) if flagged or not UNUSABLE & {*t.flags})


def _numbered(text: str, tracklets: Sequence[FootageTracklet], videos: int) -> int:
    """Which tracklet "TRACKLET" or "VIDEO:TRACKLET" is."""
    video, _, number = text.rpartition(":")
    if not video and videos > 1:
        raise ValueError(f"--query {text}: which of the {videos} videos? Give VIDEO:TRACKLET, for instance 1:{text}")
    for i, tracklet in enumerate(tracklets):
        if (tracklet.camera_id, tracklet.tracklet_id) == (int(video or 1), int(number)):
            return i
    known = ", ".join(f"{t.camera_id}:{t.tracklet_id}" for t in tracklets)
    raise ValueError(f"--query {text}: there is no such tracklet; known, as VIDEO:TRACKLET: {known}")


def retrieval_network(name: str) -> nn.Module:
    """The network of this name, with its weights, ready for `describe`. ValueError if there is none of the name."""
    return find_network(name).network


def check_inputs(kept: KeptNetwork) -> None:
    """ValueError for a network that looks at ground truth, which only rendered data have."""
    if unseen := [name for name in inputs_of(kept.network, kept.run) if name not in PIXELS]:
        raise ValueError(
            f"{kept.run.model} looks at {' and '.join(unseen)}, which videos do not show; choose a network that does "
            f"with {', '.join(PIXELS)}"
        )


def describe(tracklets: Sequence[FootageTracklet], model: nn.Module, masks: bool, progress: bool = True) -> np.ndarray:
    """One feature for each of N tracklets, float32 (N, D), of `NUM_FRAMES` evenly spaced frames.

    masks: let the network look inside the silhouette only, where it can.
    """
    inputs = (*model.inputs, *(name for name in model.optional_inputs if masks and name == "masks"))
    batches = evaluation_batches(tracklets, num_frames=NUM_FRAMES, batch_size=8, masks="masks" in inputs)
    return extract_features(model, batches, inputs=inputs, precision="no", progress=progress).numpy()


def describe_as_trained(
    tracklets: Sequence[FootageTracklet], kept: KeptNetwork, progress: bool = True
) -> tuple[np.ndarray, np.ndarray]:
    """One feature for each of N tracklets, float32 (N, D), of clips as in the tests of the network's run; and which are
    described, bool (N,): where nothing but silhouettes that are too small was found, the feature is 0 if it looks at
    them.
    """
    model, run, described = kept.network, kept.run, np.ones(len(tracklets), bool)
    shown = list(tracklets)
    if "silhouettes" in inputs_of(model, run):
        shown = [_with_silhouettes(tracklet, SIZES[run.scale]) for tracklet in tracklets]
        described = np.array([tracklet is not None for tracklet in shown])
    if not described.any():
        raise ValueError(f"{run.model} looks at silhouettes, and all {len(tracklets)} tracklets' are too small")
    batches = batches_of([tracklet for tracklet in shown if tracklet is not None], model, run)
    found = extract_features(
        model, batches, inputs=inputs_of(model, run), precision=run.precision, progress=progress
    ).numpy()
    features = np.zeros((len(tracklets), found.shape[1]), np.float32)
    features[described] = found
    return features, described


def _with_silhouettes(tracklet: FootageTracklet, size: tuple[int, int]) -> FootageTracklet | None:
    """The tracklet with its masks aligned; None if none of them is large enough."""
    masks = tracklet.masks()[:, 0]
    if (masks > 0).sum((1, 2)).max() < MIN_PIXELS:
        return None
    return replace(tracklet, aligned=align(masks, size))


def compare(tracklets: Sequence[FootageTracklet], chosen: Sequence[int], features: np.ndarray) -> np.ndarray:
    """Cosine distances (N, N) of features (N, D) among the chosen tracklets; infinite for all others, for a tracklet
    and itself, and for two that are seen at the same time in one video, who cannot be one person."""
    distances = pairwise_distances(features, features, "cosine")
    first, last = np.array([(t.numbers[0], t.numbers[-1]) for t in tracklets]).T
    camera = np.array([t.camera_id for t in tracklets])
    together = (first[:, None] <= last) & (first <= last[:, None]) & (camera[:, None] == camera)
    left_out = ~np.isin(np.arange(len(tracklets)), chosen)
    return np.where(together | left_out | left_out[:, None], np.inf, distances)


def write(found: Found, videos: Sequence[str | Path], folder: Path, top: int = 8) -> list[Path]:
    """Write tracks.csv, ranking.csv, an overview of each video and the ranked sheets; gives their paths.

    top: how many of each ranked list.
    """
    folder.mkdir(parents=True, exist_ok=True)
    paths = [folder / "tracks.csv", folder / "ranking.csv"]
    track_table(found.tracklets).to_csv(paths[0], index=False)
    ranking_table(found, top).to_csv(paths[1], index=False)
    figures = {}
    for camera, video in enumerate(videos, start=1):
        own = [t for t in found.tracklets if t.camera_id == camera]
        figures[f"overview-{camera}.png"] = overview(still(video), own)
    for start in range(0, len(found.queries), ROWS):
        queries = found.queries[start : start + ROWS]
        figures[f"ranked-{start // ROWS + 1}.png"] = ranked_sheet(found, queries, top)
    for name, figure in figures.items():
        paths.append(plots.save(figure, folder / name))
        plt.close(figure)
    return paths


def track_table(tracklets: Sequence[FootageTracklet]) -> pd.DataFrame:
    """Every box in a video: video, tracklet, frame (from 1, as in the MOT format), seconds, left, top, width, height in
    pixels."""
    tables = []
    for t in (t for t in tracklets if t.camera_id != IMAGE):
        table = pd.DataFrame(t.boxes.round(1), columns=["left", "top", "width", "height"])
        table.insert(0, "seconds", t.times.round(3))
        table.insert(0, "frame", t.numbers + 1)
        table.insert(0, "tracklet", t.tracklet_id)
        table.insert(0, "video", t.video)
        tables.append(table.assign(flags="; ".join(t.flags)))
    return pd.concat(tables, ignore_index=True)


def ranking_table(found: Found, top: int) -> pd.DataFrame:
    """The ranked lists: video and tracklet of the query, rank from 1, video and tracklet found, cosine distance."""
    rows = [
        {
            "query video": found.tracklets[query].video,
            "query tracklet": found.tracklets[query].tracklet_id,
            "rank": rank,
            "video": found.tracklets[i].video,
            "tracklet": found.tracklets[i].tracklet_id,
            "distance": round(float(found.distances[query, i]), 4),
        }
        for query in found.queries
        for rank, i in enumerate(found.ranking(query)[:top], start=1)
    ]
    return pd.DataFrame(rows, columns=["query video", "query tracklet", "rank", "video", "tracklet", "distance"])


def ranked_sheet(found: Found, queries: Sequence[int], top: int = 8) -> Figure:
    """One row a query: itself, then the tracklets that look most like it, with distance, video, time and flags.

    Where identities are known (above 0), the frame of the picture is green for the same person and red for another.
    """
    size = (0.9 * (top + 1), 2.2 * len(queries))
    figure, grid = plt.subplots(len(queries), top + 1, figsize=size, squeeze=False, layout="constrained")
    for row, query in zip(grid, queries):
        one = found.tracklets[query]
        _show(row[0], one, "query", plots.NEUTRAL)
        for axes in row[1:]:
            axes.axis("off")
        for axes, i in zip(row[1:], found.ranking(query)[:top]):
            other = found.tracklets[i]
            same = plots.RIGHT if other.person_id == one.person_id else plots.WRONG
            axes.axis("on")
            _show(axes, other, f"{found.distances[query, i]:.2f}", same if one.person_id > 0 else None)
    return figure


def overview(picture: np.ndarray, tracklets: Sequence[FootageTracklet]) -> Figure:
    """The ways of the tracklets' feet over a still picture of the place, uint8 (3, H, W), numbered on the way."""
    height, width = picture.shape[1:]
    figure, axes = plt.subplots(figsize=(6, 6 * height / width + 0.3), layout="constrained")
    plots.show_image(axes, picture, "where they walked; numbers are tracklets", plots.NEUTRAL)
    for i, (t, colour) in enumerate(zip(tracklets, plt.cm.hsv(np.linspace(0, 0.9, max(len(tracklets), 1))))):
        x, y = t.boxes[:, 0] + t.boxes[:, 2] / 2, t.boxes[:, 1] + t.boxes[:, 3]
        axes.plot(
            x.clip(0, width - 1),
            y.clip(0, height - 1),
            color=colour,
            linewidth=1.5,
            linestyle=":" if UNUSABLE & {*t.flags} else "-",
        )
        at = len(x) * (1 + i % 7) // 8  # not all in one place
        axes.annotate(str(t.tracklet_id), (x[at], y[at]), color="white", fontsize=8, backgroundcolor=colour)
    return figure


def boxes_in(picture: np.ndarray, tracklets: Sequence[FootageTracklet], number: int) -> Figure:
    """One frame, uint8 (3, H, W), and the boxes of whoever is followed in it; `number` is the frame's, from 0."""
    height, width = picture.shape[1:]
    figure, axes = plt.subplots(figsize=(3.6, 3.6 * height / width + 0.3), layout="constrained")
    plots.show_image(axes, picture, f"frame {number}")
    for t in tracklets:
        for left, top, wide, high in t.boxes[t.numbers == number]:
            axes.add_patch(plt.Rectangle((left - 0.5, top - 0.5), wide, high, fill=False, color=plots.RIGHT))
            axes.annotate(str(t.tracklet_id), (left, top - 3), color="white", fontsize=9)
    return figure


def still(video: str | Path) -> np.ndarray:
    """The empty place: the background of a video, RGB uint8 (3, H, W)."""
    opened = open_video(video)
    return Background(opened.samples(), opened.fps).picture[..., ::-1].transpose(2, 0, 1)


def _show(axes: plt.Axes, tracklet: FootageTracklet, title: str, edge: str | None) -> None:
    start, end = tracklet.seconds
    where = tracklet.video if len(tracklet.video) <= 16 else f"{tracklet.video[:13]}…"
    lines = [f"{title} · no. {tracklet.tracklet_id}", where, f"{start:.0f} to {end:.0f} s", *tracklet.flags[:2]]
    plots.show_image(axes, tracklet.frames([len(tracklet) // 2])[0], "\n".join(lines), edge)
