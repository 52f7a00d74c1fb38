"""Runs: from a configuration and a seed to a record. Whatever is missing is measured, once, by whichever process comes first."""

import importlib
import resource
import sys
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from types import ModuleType

import numpy as np
import torch
from filelock import FileLock, Timeout
from torch import nn
from tqdm.auto import tqdm

from reidlib import cache_folder, plots
from reidlib.data import Benchmark, Tracklet
from reidlib.data.batches import test_batches, train_batches
from reidlib.data.transforms import Chain, RandomCrop, RandomErasing, RandomFlip
from reidlib.evaluation import RetrievalScores, k_reciprocal_rerank, pairwise_distances, retrieval_scores
from reidlib.models import create_model
from reidlib.papers.records import (
    FIGURES,
    Record,
    config_hash,
    environment,
    read_record,
    record_path,
    score_entry,
    write_record,
)
from reidlib.papers.sources import open_benchmark
from reidlib.training import extract_features, fit

PAPERS = ("baseline",)  # each is a module of this package
TEST_CLIPS = 32  # clips in a batch of evaluation


@dataclass(frozen=True)
class Run:
    """Everything but the seed that decides a measured number. The seed draws the data (where they are rendered) and the weights.

    model, scale, model_options: of `create_model`. data, data_options: of `open_benchmark`. training: a function of the
    paper's module that gives `fit` its objective, optimisers and schedules; "" for networks that are not trained.
    setups: which galleries are scored, "usual" (without the queries) and "mixing" (with them).
    """

    model: str
    data: str
    training: str = ""
    scale: str = "mini"
    model_options: Mapping = field(default_factory=dict)
    data_options: Mapping = field(default_factory=dict)
    setups: tuple[str, ...] = ("usual",)
    iterations: int = 0
    learning_rate: float = 0.0
    ids_per_batch: int = 8
    clips_per_id: int = 2
    num_frames: int = 8
    masks: bool = False
    erasing: float = 0.0  # probability of random erasing
    precision: str = "bf16"
    metric: str = "cosine"

    @property
    def hash(self) -> str:
        return config_hash(asdict(self))


@dataclass(frozen=True)
class Row:
    """A row of a table: its label, the run behind it and how many seeds it takes."""

    table: str
    label: str
    run: Run
    seeds: int = 6
    keep_features: bool = False  # write the test features of seed 0 beside the records


@dataclass(frozen=True)
class TestFeatures:
    """Embeddings of a test split: what `reidlib evaluate` reads from a .npz file.

    query_features (Q, D) and gallery_features (G, D) float, ids and cameras as integers (Q,) and (G,).
    """

    query_features: np.ndarray
    query_ids: np.ndarray
    query_cameras: np.ndarray
    gallery_features: np.ndarray
    gallery_ids: np.ndarray
    gallery_cameras: np.ndarray

    def mixing(self) -> "TestFeatures":
        """The same with the queries in the gallery, after its own entries."""
        joined = {
            f"gallery_{what}": np.concatenate([getattr(self, f"gallery_{what}"), getattr(self, f"query_{what}")])
            for what in ("features", "ids", "cameras")
        }
        return TestFeatures(self.query_features, self.query_ids, self.query_cameras, **joined)

    def scores(
        self, protocol: str, metric: str = "cosine", rerank: bool = False, **options
    ) -> RetrievalScores:
        """`retrieval_scores` of these features; rerank: by k-reciprocal neighbours first, on unit features if cosine."""
        query, gallery = self.query_features, self.gallery_features
        if not rerank:
            distances = pairwise_distances(query, gallery, metric)
        elif metric == "cosine":
            distances = k_reciprocal_rerank(*(f / np.linalg.norm(f, axis=1, keepdims=True) for f in (query, gallery)))
        else:
            distances = k_reciprocal_rerank(query, gallery)
        return retrieval_scores(
            distances, self.query_ids, self.gallery_ids, self.query_cameras, self.gallery_cameras, protocol=protocol, **options
        )

    def ranking(self, query: int, protocol: str, metric: str = "cosine") -> np.ndarray:
        """Gallery entries (at most G,) that count for one query, nearest first."""
        order = pairwise_distances(self.query_features[[query]], self.gallery_features, metric)[0].argsort()
        counted = self.gallery_ids >= 0
        if protocol == "cross-camera":
            same_camera = self.gallery_cameras == self.query_cameras[query]
            counted &= ~((self.gallery_ids == self.query_ids[query]) & same_camera)
        return order[counted[order]]


def paper_module(name: str) -> ModuleType:
    """The module that defines a paper's rows. ValueError for a name that is none."""
    if name not in PAPERS:
        raise ValueError(f"no paper is called {name!r}; known: {', '.join(PAPERS)}")
    return importlib.import_module(f"reidlib.papers.{name}")


def train(
    paper: str, run: Run, seed: int, benchmark: Benchmark, checkpoint: Path | None = None, progress: bool = True
) -> tuple[nn.Module, float]:
    """The run's network, trained where the run says so (or taken up at its checkpoint), and the seconds it took.

    Gives it ready for retrieval. Everything random is set by `seed`.
    """
    torch.manual_seed(seed)
    options = dict(run.model_options)
    if not run.training:
        return create_model(run.model, scale=run.scale, num_ids=1, **options).for_retrieval(), 0.0
    model = create_model(run.model, scale=run.scale, num_ids=benchmark.num_ids, **options)
    result = fit(
        model,
        batches=lambda start: train_batches(
            benchmark.train,
            ids_per_batch=run.ids_per_batch,
            clips_per_id=run.clips_per_id,
            num_frames=run.num_frames,
            iterations=run.iterations,
            seed=seed,
            start=start,
            masks=run.masks,
            transform=Chain((RandomCrop(), RandomFlip(), RandomErasing(run.erasing))),
            workers=0 if run.scale == "mini" else 8,
        ),
        iterations=run.iterations,
        precision=run.precision,
        checkpoint=checkpoint,
        progress=progress,
        **getattr(paper_module(paper), run.training)(model, run, benchmark.num_ids),
    )
    return model.for_retrieval(), result.seconds


def embed(model: nn.Module, run: Run, benchmark: Benchmark, progress: bool = True) -> TestFeatures:
    """Features of all queries and gallery tracklets, one clip of evenly spaced frames each."""

    def features(tracklets: Sequence[Tracklet], name: str) -> dict[str, np.ndarray]:
        batches = test_batches(tracklets, num_frames=run.num_frames, batch_size=TEST_CLIPS, masks=run.masks)
        found = extract_features(model, batches, precision=run.precision, progress=progress)
        return {
            f"{name}_features": found.float().cpu().numpy(),
            f"{name}_ids": np.array([t.person_id for t in tracklets]),
            f"{name}_cameras": np.array([t.camera_id for t in tracklets]),
        }

    return TestFeatures(**features(benchmark.query, "query"), **features(benchmark.gallery, "gallery"))


def execute(
    paper: str,
    row: Row,
    seed: int,
    roots: Mapping[str, Path],
    figures: Path = FIGURES,
    pictures: Path | None = None,
    progress: bool = True,
) -> Record:
    """Measure one run and write its record; a run that was killed goes on from its checkpoint.

    pictures: a folder for ranked lists of four queries.
    """
    run = row.run
    started = time.monotonic()
    benchmark = open_benchmark(run.data, seed, roots, run.data_options, progress)
    opened = time.monotonic()
    checkpoint = run_file(run, seed, "pt")
    model, training_seconds = train(paper, run, seed, benchmark, checkpoint, progress)
    evaluation_started = time.monotonic()
    features = embed(model, run, benchmark, progress)
    scores, queries = {}, {}
    for setup in run.setups:
        setting = features.mixing() if setup == "mixing" else features
        scores[setup], queries[setup] = score_entry(setting.scores(benchmark.protocol, run.metric), features.query_ids)
    record = Record(
        paper=paper,
        config=asdict(run),
        config_hash=run.hash,
        seed=seed,
        data={"name": benchmark.name, "fingerprint": benchmark.fingerprint},
        scores=scores,
        queries=queries,
        seconds={
            "data": round(opened - started, 1),
            "training": round(training_seconds, 1),
            "evaluation": round(time.monotonic() - evaluation_started, 1),
        },
        peak_memory_mib=round(peak_memory_mib()),
        environment=environment(),
    )
    if pictures is not None:
        draw_ranked_lists(features, benchmark, run, pictures / f"{run.hash}-s{seed}")
    if row.keep_features and seed == 0:
        save_features(features, figures / paper / "features" / f"{run.hash}-s0.npz")
    write_record(record, figures)
    checkpoint.unlink(missing_ok=True)
    return record


def draw_ranked_lists(features: TestFeatures, benchmark: Benchmark, run: Run, folder: Path, count: int = 4) -> None:
    """Write the nearest gallery tracklets of `count` evenly spaced queries as pictures."""
    for i in np.linspace(0, len(benchmark.query) - 1, count).astype(int):
        order = features.ranking(i, benchmark.protocol, run.metric)
        plots.save(plots.ranked_list(benchmark.query[i], benchmark.gallery, order), folder / f"query-{i}.png")


def save_features(features: TestFeatures, path: Path) -> None:
    """Write features as float16 with their labels."""
    path.parent.mkdir(parents=True, exist_ok=True)
    arrays = {name: a.astype(np.float16) if a.dtype.kind == "f" else a.astype(np.int16) for name, a in vars(features).items()}
    np.savez_compressed(path, **arrays)


def load_features(path: Path) -> TestFeatures:
    """Read a .npz file of features. ValueError naming the file and what is missing or does not fit."""
    names = tuple(TestFeatures.__dataclass_fields__)
    try:
        with np.load(path) as file:
            arrays = {name: file[name] for name in names if name in file.files}
    except (OSError, ValueError) as error:
        raise ValueError(f"{path} cannot be read as .npz ({error}); write it with numpy.savez({', '.join(names)})") from error
    if missing := set(names) - arrays.keys():
        raise ValueError(f"{path} lacks {', '.join(sorted(missing))}; expected {', '.join(names)}")
    for side in ("query", "gallery"):
        sizes = {len(arrays[f"{side}_{what}"]) for what in ("features", "ids", "cameras")}
        if len(sizes) > 1 or arrays[f"{side}_features"].ndim != 2:
            raise ValueError(f"{path}: {side}_features must be (N, D) with N {side}_ids and {side}_cameras")
    arrays |= {name: a.astype(np.float32) for name, a in arrays.items() if name.endswith("features")}
    return TestFeatures(**arrays)


def reproduce(
    paper: str,
    rows: Iterable[Row],
    seeds: int | None = None,
    roots: Mapping[str, Path] | None = None,
    fresh: bool = False,
    pictures: Path | None = None,
    figures: Path = FIGURES,
    report: Callable[[Row, Record], None] = lambda row, record: None,
) -> int:
    """Measure every row under every seed that has no record yet; gives how many runs this process did.

    seeds: at most that many of each row's. fresh: measure again even where there is a record. Several processes may do
    this at once: each run is locked while it is measured, and the others take the next; all wait until nothing is
    missing. report: called with each new record.
    """
    started = time.time()
    jobs = {(row.run.hash, seed): (row, seed) for row in rows for seed in range(min(row.seeds, seeds or row.seeds))}

    def missing(row: Row, seed: int) -> bool:
        path = record_path(paper, row.run.hash, seed, figures)
        return not path.exists() or (fresh and path.stat().st_mtime < started)

    done = 0
    with tqdm(total=len(jobs), desc=f"runs of {paper}", unit="run") as bar:
        while open_jobs := [job for job in jobs.values() if missing(*job)]:
            bar.update(len(jobs) - len(open_jobs) - bar.n)
            if not any(_try(paper, *job, missing, roots or {}, pictures, figures, report) for job in open_jobs):
                time.sleep(1)  # others measure what is left
            else:
                done += 1
        bar.update(len(jobs) - bar.n)
    return done


def _try(paper, row, seed, missing, roots, pictures, figures, report) -> bool:
    """Measure one run unless another process is at it or has just finished it; says whether it did."""
    lock = FileLock(run_file(row.run, seed, "lock"), timeout=0)
    try:
        with lock:
            if not missing(row, seed):
                return False
            report(row, execute(paper, row, seed, roots, figures, pictures))
            return True
    except Timeout:
        return False


def run_file(run: Run, seed: int, suffix: str) -> Path:
    """A file in the cache that belongs to one run: its checkpoint ("pt") or its lock ("lock")."""
    folder = cache_folder() / "runs"
    folder.mkdir(parents=True, exist_ok=True)
    return folder / f"{run.hash}-s{seed}.{suffix}"


def peak_memory_mib() -> float:
    """The largest memory this process has had, in MiB (the arrays of earlier runs included)."""
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak / (1024 if sys.platform != "darwin" else 1024**2)


def records_of(paper: str, row: Row, figures: Path = FIGURES) -> list[Record]:
    """The records that there are for a row, by seed."""
    paths = [record_path(paper, row.run.hash, seed, figures) for seed in range(row.seeds)]
    return [read_record(path) for path in paths if path.exists()]
