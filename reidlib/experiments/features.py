"""Features of a test split: computed by a network, kept in a file, scored, and looked at as ranked lists."""

import hashlib
import zipfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
import torch

from reidlib import plots
from reidlib.data import Benchmark, Tracklet
from reidlib.evaluation import (
    RetrievalScores,
    cluster_query_expansion,
    k_reciprocal_rerank,
    pairwise_distances,
    retrieval_scores,
    strip_distances,
)
from reidlib.evaluation.arrays import feature_pair
from reidlib.evaluation.distances import unit_rows
from reidlib.experiments.clips import batches_of, clip_content, inputs_of
from reidlib.experiments.run import Run
from reidlib.models import Network
from reidlib.training import extract_features

OTHER_NAMES = {  # of the arrays in a file, as they are usual elsewhere
    "query_features": "qf",
    "query_ids": "q_pids",
    "query_cameras": "q_camids",
    "gallery_features": "gf",
    "gallery_ids": "g_pids",
    "gallery_cameras": "g_camids",
}
REMEMBERED = 3  # networks whose features are kept in memory
_EMBEDDED: dict[str, "RetrievalFeatures"] = {}


@dataclass(frozen=True)
class RetrievalFeatures:
    """Embeddings of queries and gallery: what `python -m reidlib evaluate` reads from a .npz file.

    query_features (Q, D) and gallery_features (G, D) float; ids and cameras integers (Q,) and (G,). An identity
    of 0 is a distractor, below 0 junk.
    """

    query_features: np.ndarray
    query_ids: np.ndarray
    query_cameras: np.ndarray
    gallery_features: np.ndarray
    gallery_ids: np.ndarray
    gallery_cameras: np.ndarray

    def mixing(self) -> "RetrievalFeatures":
        """The same with the queries in the gallery, after its own entries."""
        joined = {
            f"gallery_{what}": np.concatenate([getattr(self, f"gallery_{what}"), getattr(self, f"query_{what}")])
            for what in ("features", "ids", "cameras")
        }
        return RetrievalFeatures(self.query_features, self.query_ids, self.query_cameras, **joined)

    def distances(
        self, metric: str = "cosine", *, expansion: Mapping | None = None, rerank: Mapping | None = None
    ) -> np.ndarray:
        """Distances (Q, G) between queries and gallery, refined by what is not None.

        metric: "cosine" or "euclidean"; with "cosine" features are brought to unit length before each step. "30 strips"
        says that features are 30 strips joined, and takes the mean over the strips' Euclidean distances. expansion:
        arguments of `cluster_query_expansion`, which comes first. rerank: arguments of `k_reciprocal_rerank`, {} for
        the usual ones. Both see all queries together. ValueError for strips that do not divide the features, or that
        are to be refined.
        """
        names = "query_features", "gallery_features"
        query, gallery = feature_pair(names, self.query_features, self.gallery_features)
        if metric.endswith(" strips"):
            if expansion is not None or rerank is not None:
                raise ValueError(f"metric={metric!r} is neither expanded nor re-ranked; leave that out")
            return _by_strips(query, gallery, metric)
        if expansion is not None:
            query, gallery = cluster_query_expansion(*as_compared(query, gallery, metric), **expansion)
        if rerank is None:
            return pairwise_distances(query, gallery, metric)
        return k_reciprocal_rerank(*as_compared(query, gallery, metric), **rerank)

    def scores(
        self,
        protocol: str,
        metric: str = "cosine",
        average_precision: str = "step",
        *,
        expansion: Mapping | None = None,
        rerank: Mapping | None = None,
    ) -> RetrievalScores:
        """`retrieval_scores` of the `distances`; protocol and average_precision are explained there.

        ValueError if no query has a true match that counts, or as `retrieval_scores`.
        """
        distances = self.distances(metric, expansion=expansion, rerank=rerank)
        scores = retrieval_scores(
            distances,
            self.query_ids,
            self.gallery_ids,
            self.query_cameras,
            self.gallery_cameras,
            protocol=protocol,
            average_precision=average_precision,
        )
        if not scores.valid.any():
            raise ValueError(
                f"none of {len(scores.valid)} queries has a true match that counts under the protocol "
                f"{protocol!r}: look at the identities and cameras, or choose another protocol"
            )
        return scores

    def ranking(self, query: int, protocol: str, metric: str = "cosine") -> np.ndarray:
        """Gallery entries that count for query number `query` (from 0), nearest first; at most (G,) integers."""
        order = pairwise_distances(self.query_features[[query]], self.gallery_features, metric)[0].argsort()
        counted = self.gallery_ids >= 0
        if protocol == "cross-camera":
            same_camera = self.gallery_cameras == self.query_cameras[query]
            counted &= ~((self.gallery_ids == self.query_ids[query]) & same_camera)
        return order[counted[order]]


def _by_strips(query: np.ndarray, gallery: np.ndarray, metric: str) -> np.ndarray:
    """`strip_distances` of features (Q, P·D) and (G, P·D) whose P strips the metric counts."""
    count = metric.removesuffix(" strips")
    if not count.isdigit() or not int(count) or query.shape[1] % int(count):
        raise ValueError(
            f"metric={metric!r}: expected a number of strips that divides the {query.shape[1]} of a feature"
        )
    return strip_distances(*(features.reshape(len(features), int(count), -1) for features in (query, gallery)))


def as_compared(query: np.ndarray, gallery: np.ndarray, metric: str) -> tuple[np.ndarray, np.ndarray]:
    """Features whose Euclidean distances rank as the metric does: of unit length for "cosine"."""
    if metric != "cosine":
        return query, gallery
    return tuple(unit_rows(features) for features in (query, gallery))


def embed(network: Network, benchmark: Benchmark, run: Run, progress: bool = True) -> RetrievalFeatures:
    """Features of all queries and gallery tracklets, of clips as the run asks for them in testing.

    What was computed last is kept in memory, so that runs that search with one network in several ways embed once.
    """
    key = _key(network, benchmark, run)
    if key not in _EMBEDDED:
        while len(_EMBEDDED) >= REMEMBERED:
            del _EMBEDDED[next(iter(_EMBEDDED))]

        def features(tracklets: Sequence[Tracklet], name: str) -> dict[str, np.ndarray]:
            batches, inputs = batches_of(tracklets, network, run), inputs_of(network, run)
            found = extract_features(network, batches, inputs=inputs, precision=run.precision, progress=progress)
            return {
                f"{name}_features": found.numpy(),
                f"{name}_ids": np.array([t.person_id for t in tracklets]),
                f"{name}_cameras": np.array([t.camera_id for t in tracklets]),
            }

        _EMBEDDED[key] = RetrievalFeatures(
            **features(benchmark.query, "query"), **features(benchmark.gallery, "gallery")
        )
    return _EMBEDDED[key]


def _key(network: Network, benchmark: Benchmark, run: Run) -> str:
    """What decides the features: the network with its weights, the data, and the clips."""
    digest = hashlib.sha256(repr((run.model, run.scale, sorted(run.model_options.items()))).encode())
    digest.update(repr((benchmark.fingerprint, len(benchmark.query), run.precision, run.test_sampling)).encode())
    digest.update(repr((inputs_of(network, run), sorted(clip_content(network, run).items()))).encode())
    for name, value in network.state_dict().items():
        digest.update(name.encode() + value.detach().cpu().contiguous().flatten().view(torch.uint8).numpy().tobytes())
    return digest.hexdigest()


def tied_share(features: RetrievalFeatures) -> float:
    """The share of test tracklets whose feature is that of another query, or of another in the gallery: where it is
    large, the network has collapsed. Features tie if all their numbers agree to a thousandth of the largest magnitude.
    (A gallery may hold the queries themselves, so the two are not compared with one another.)"""
    parts = features.query_features, features.gallery_features
    largest = max(np.finfo(np.float32).tiny, *(np.abs(part).max(initial=0) for part in parts))
    counts = [np.unique(np.round(part / largest * 1000), axis=0, return_counts=True)[1] for part in parts]
    return float(sum(count[count > 1].sum() for count in counts) / sum(map(len, parts)))


def draw_ranked_lists(
    features: RetrievalFeatures, benchmark: Benchmark, folder: Path, metric: str = "cosine", count: int = 4
) -> None:
    """Write the nearest gallery tracklets of `count` evenly spaced queries as `folder`/query-N.png."""
    for i in np.linspace(0, len(benchmark.query) - 1, count).astype(int):
        order = features.ranking(i, benchmark.protocol, metric)
        figure = plots.ranked_list(benchmark.query[i], benchmark.gallery, order)
        plots.save(figure, folder / f"query-{i}.png")
        plt.close(figure)


def save_features(features: RetrievalFeatures, path: Path, precision: type[np.floating] = np.float16) -> None:
    """Write features into a .npz file, with as few bits as identities and cameras need.

    precision: of the features; ValueError for features too large for it.
    """

    def packed(name: str, values: np.ndarray) -> np.ndarray:
        if not name.endswith("features"):
            fitting = (t for t in (np.int16, np.int32, np.int64) if (values.astype(t) == values).all())
            return values.astype(next(fitting))
        with np.errstate(over="ignore"):
            found = values.astype(precision)
        if (np.isinf(found) & np.isfinite(values)).any():
            raise ValueError(f"{path}: {name} are up to {np.abs(values).max():g}, too large for {precision.__name__}")
        return found

    path.parent.mkdir(parents=True, exist_ok=True)
    np.savez_compressed(path, **{name: packed(name, values) for name, values in vars(features).items()})


def load_features(path: Path) -> RetrievalFeatures:
    """Read a .npz file of features, under our names or all under `OTHER_NAMES`; they become float32. ValueError naming
    the file and what does not fit."""
    ours, theirs = list(OTHER_NAMES), list(OTHER_NAMES.values())
    try:
        with np.load(path) as file:
            found = {name: file[name] for name in (*ours, *theirs) if name in file.files}
    except (OSError, ValueError, TypeError, EOFError, zipfile.BadZipFile) as error:
        way_out = f"write it with numpy.savez(path, {'=…, '.join(ours)}=…)"
        raise ValueError(f"{path} cannot be read as .npz ({error}); {way_out}") from error
    names = theirs if found.keys() & {*theirs} else ours
    if found.keys() - {*names}:
        raise ValueError(
            f"{path} mixes spellings ({', '.join(found)}); expected {', '.join(ours)} or {', '.join(theirs)}"
        )
    if missing := [name for name in names if name not in found]:
        expected = " or ".join(map(", ".join, [names] if found else [ours, theirs]))
        raise ValueError(f"{path} lacks {', '.join(missing)}; expected {expected}")
    arrays = dict(zip(ours, (found[name] for name in names)))
    for side in ("query", "gallery"):
        features, ids, cameras = (arrays[f"{side}_{what}"] for what in ("features", "ids", "cameras"))
        for what, values in (("ids", ids), ("cameras", cameras)):
            if values.ndim != 1 or values.dtype.kind not in "iu":
                raise ValueError(
                    f"{path}: {side}_{what} is {values.dtype} of shape {values.shape}; expected integers (N,)"
                )
        if features.ndim != 2 or not len(features) == len(ids) == len(cameras):
            raise ValueError(
                f"{path}: {side}_features has shape {features.shape}; expected (N, D) with as many {side}_ids "
                f"and {side}_cameras, of which there are {len(ids)} and {len(cameras)}"
            )
        arrays[f"{side}_features"] = features.astype(np.float32)
    return RetrievalFeatures(**arrays)
