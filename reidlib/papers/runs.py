"""Runs: from a configuration and a seed to a record. What is missing is measured once, by whoever comes first."""

import resource
import sys
import time
from collections.abc import Callable, Iterable, Mapping
from contextlib import ExitStack, nullcontext, suppress
from dataclasses import asdict
from pathlib import Path

import torch
from filelock import FileLock, Timeout
from torch import Tensor, nn
from tqdm.auto import tqdm

from reidlib import cache_folder
from reidlib.data import Benchmark
from reidlib.data.batches import train_batches
from reidlib.data.transforms import Chain, RandomCrop, RandomErasing, RandomFlip
from reidlib.models import create_model
from reidlib.models.ensemble import Ensemble
from reidlib.papers.features import draw_ranked_lists, embed, save_features
from reidlib.papers.records import (
    FIGURES,
    Record,
    environment,
    read_record,
    record_path,
    write_record,
)
from reidlib.papers.rows import Row, Run, paper_module, rows_of
from reidlib.papers.scoring import cross_view_entries, retrieval_entries
from reidlib.papers.sources import open_benchmark
from reidlib.training import distributed, fit


def train(
    paper: str,
    run: Run,
    seed: int,
    benchmark: Benchmark,
    checkpoint: Path | None = None,
    progress: bool = True,
    roots: Mapping[str, Path] | None = None,
) -> tuple[nn.Module, float]:
    """The run's network ready for retrieval, and the seconds that its training took (0 without training).

    Everything random is set by `seed` and the run's `draw`. checkpoint: a file, from which training goes on if it
    exists. The network starts from the weights of its parts, whose own seconds do not count. roots: where recorded data
    of parts lie that are trained on others than `benchmark`.
    """
    parts = []
    for part in run.parts:
        data = _data_of(part, run, seed, benchmark, roots, progress)
        parts.append(_part_weights(paper, part, seed, data, progress, roots))
    randomness = seed + 1000 * run.draw
    torch.manual_seed(randomness)
    num_ids = benchmark.num_ids if run.training else 1
    model = create_model(run.model, scale=run.scale, num_ids=num_ids, **run.model_options)
    covered = set()
    for number, weights in enumerate(parts):
        place = f"members.{number}" if isinstance(model, Ensemble) else ""
        if unknown := model.get_submodule(place).load_state_dict(weights, strict=False).unexpected_keys:
            raise ValueError(f"{run.model} has no place for {unknown[0]}, the weights of a part that it starts from")
        covered |= {f"{place}.{name}".lstrip(".") for name in weights}
    if not run.training:
        network = model.for_retrieval()
        if parts and (missing := network.state_dict().keys() - covered):
            raise ValueError(f"{run.model} is not trained, and none of its parts has weights for {sorted(missing)[0]}")
        return network, 0.0
    augmentation = Chain((RandomCrop(probability=run.crop), RandomFlip(), RandomErasing(run.erasing)))
    result = fit(
        model,
        batches=lambda start: train_batches(
            benchmark.train,
            ids_per_batch=run.ids_per_batch,
            clips_per_id=run.clips_per_id,
            num_frames=run.num_frames,
            iterations=run.iterations,
            seed=randomness,
            start=start,
            masks=run.masks,
            silhouettes=run.silhouettes,
            transform=augmentation if run.num_frames else None,
            workers=0 if run.scale == "mini" else 8,
        ),
        iterations=run.iterations,
        precision=run.precision,
        checkpoint=checkpoint,
        progress=progress,
        **getattr(paper_module(paper), run.training)(model, run, benchmark.num_ids),
    )
    return model.for_retrieval(), result.seconds


def _data_of(
    part: Run, run: Run, seed: int, benchmark: Benchmark, roots: Mapping[str, Path] | None, progress: bool
) -> Benchmark:
    """What a part is trained on: the run's own benchmark, or another one."""
    if (part.data, part.data_options) == (run.data, run.data_options):
        return benchmark
    return open_benchmark(part.data, seed, roots or {}, part.data_options, progress)


def _part_weights(
    paper: str, run: Run, seed: int, benchmark: Benchmark, progress: bool, roots: Mapping[str, Path] | None
) -> dict[str, Tensor]:
    """The weights of a part: those that were kept when it was measured, else it is trained now."""
    path = _weights_file(run, seed, benchmark)
    main = distributed.start_processes().is_main_process
    with FileLock(run_file(run, seed, "lock")) if main else nullcontext():
        if not _first_of_all(path.exists()):
            checkpoint = run_file(run, seed, f"{benchmark.fingerprint}.pt")
            model, _ = train(paper, run, seed, benchmark, checkpoint, progress, roots)
            if main:
                _keep_weights(model, path)
                checkpoint.unlink(missing_ok=True)
            _first_of_all(None)  # the others wait for the file
    return torch.load(path, weights_only=True)


def _weights_file(run: Run, seed: int, benchmark: Benchmark) -> Path:
    return run_file(run, seed, f"{benchmark.fingerprint}.weights.pt")


def _keep_weights(model: nn.Module, path: Path) -> None:
    scratch = path.with_suffix(".unfinished")
    torch.save(model.state_dict(), scratch)
    scratch.replace(path)


def execute(
    paper: str,
    row: Row,
    seed: int,
    roots: Mapping[str, Path],
    *,
    figures: Path = FIGURES,
    pictures: Path | None = None,
    progress: bool = True,
) -> Record:
    """Measure one run and write its record; a run that was killed in training goes on from its checkpoint.

    roots: folders of recorded data, as in `open_benchmark`. figures: the folder that holds the records of all papers.
    pictures: a folder for ranked lists of four queries. The checkpoint lies in the cache and belongs to these very
    data: where the rendered ones have changed since, the run starts again.
    """
    run = row.run
    started = time.monotonic()
    benchmark = open_benchmark(run.data, seed, roots, run.data_options, progress)
    data_seconds = time.monotonic() - started
    checkpoint = run_file(run, seed, f"{benchmark.fingerprint}.pt")
    model, training_seconds = train(paper, run, seed, benchmark, checkpoint, progress, roots)
    main = distributed.start_processes().is_main_process
    if main and any(run in other.run.parts for other in rows_of(paper, run.scale)):
        _keep_weights(model, _weights_file(run, seed, benchmark))
    started = time.monotonic()
    features = embed(
        model,
        benchmark,
        num_frames=run.num_frames,
        masks=run.masks,
        silhouettes=run.silhouettes,
        precision=run.precision,
        progress=progress,
    )
    entries = {"retrieval": retrieval_entries, "cross-view": cross_view_entries}[run.evaluation]
    scores, queries = entries(features, benchmark, run.setups, run.metric, expansion=run.expansion, rerank=run.rerank)
    record = Record(
        paper=paper,
        config=asdict(run),
        config_hash=run.hash,
        seed=seed,
        data={"name": benchmark.name, "fingerprint": benchmark.fingerprint},
        scores=scores,
        queries=queries,
        seconds={
            "data": round(data_seconds, 1),
            "training": round(training_seconds, 1),
            "evaluation": round(time.monotonic() - started, 1),
        },
        peak_memory_mib=round(peak_memory_mib()),
        environment=environment(),
    )
    if not main:
        return record
    if pictures is not None:
        draw_ranked_lists(features, benchmark, pictures / f"{run.hash}-s{seed}", run.metric)
    if row.keep_features and seed == 0:
        save_features(features, figures / paper / "features" / f"{run.hash}-s0.npz")
    write_record(record, figures)
    checkpoint.unlink(missing_ok=True)
    return record


def reproduce(
    paper: str,
    rows: Iterable[Row],
    seeds: int | None = None,
    roots: Mapping[str, Path] | None = None,
    fresh: bool = False,
    pictures: Path | None = None,
    figures: Path = FIGURES,
    report: Callable[[Row, Record], None] = lambda row, record: None,
    progress: bool = True,
) -> int:
    """Measure every row under every seed that has no record yet; gives how many runs this process did.

    A run that several rows share is measured once, for the first of them. seeds: at most that many of each row's, from
    seed 0 on. fresh: measure from scratch, parts included, even where there is a record. report: called with each new
    record. The other arguments are those of `execute`.

    The command may be started several times at once: each run is locked while it is measured, and the others take the
    next; all wait until nothing is missing. Processes of one `accelerate launch` measure every run together.
    """
    started = time.time()
    main = distributed.start_processes().is_main_process
    jobs: dict[tuple[str, int], tuple[Row, int]] = {}  # by what names a record
    for row in rows:
        for seed in range(row.seeds)[:seeds]:
            jobs.setdefault((row.run.hash, seed), (row, seed))

    def missing(row: Row, seed: int) -> bool:
        path = record_path(paper, row.run.hash, seed, figures)
        return not path.exists() or (fresh and path.stat().st_mtime < started)

    def measure(row: Row, seed: int) -> bool:
        """Measure one run unless somebody else is at it, or has just finished it; says whether it was done here."""
        with ExitStack() as held:
            free = False
            if main:
                with suppress(Timeout):
                    held.enter_context(FileLock(run_file(row.run, seed, "lock")).acquire(timeout=0))
                    free = missing(row, seed)
            if free and fresh:
                _forget(row.run, seed, before=started)
            if not _first_of_all(free):
                return False
            record = execute(paper, row, seed, roots or {}, figures=figures, pictures=pictures, progress=progress)
            if main:
                report(row, record)
            return True

    done = 0
    with tqdm(total=len(jobs), desc=f"runs of {paper}", unit="run", disable=not (progress and main)) as bar:
        while open_jobs := _first_of_all([key for key, job in jobs.items() if missing(*job)]):
            bar.update(len(jobs) - len(open_jobs) - bar.n)
            if any(measure(*jobs[key]) for key in open_jobs):
                done += 1
            else:
                time.sleep(1)  # others are measuring what is left
        bar.update(len(jobs) - bar.n)
    return done


def _forget(run: Run, seed: int, before: float) -> None:
    """Delete checkpoints and kept weights of a run and of its parts that are older than a time in seconds."""
    for part in run.parts:
        _forget(part, seed, before)
    for file in run_file(run, seed, "").parent.glob(f"{run.hash}-s{seed}.*.pt"):
        if file.stat().st_mtime < before:
            file.unlink()


def _first_of_all(value):
    """The value that the first of the processes has that train together (`accelerate launch`); waits for them all."""
    return distributed.gather_objects(value)[0]


def records_of(paper: str, row: Row, figures: Path = FIGURES) -> list[Record]:
    """The records that there are for a row, by seed."""
    paths = [record_path(paper, row.run.hash, seed, figures) for seed in range(row.seeds)]
    return [read_record(path) for path in paths if path.exists()]


def run_file(run: Run, seed: int, suffix: str) -> Path:
    """A file in the cache that belongs to one run: its lock ("lock") or a checkpoint ("….pt")."""
    folder = cache_folder() / "runs"
    folder.mkdir(parents=True, exist_ok=True)
    return folder / f"{run.hash}-s{seed}.{suffix}"


def peak_memory_mib() -> float:
    """The largest memory that this process has had, in MiB, earlier runs included."""
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak / (1024 if sys.platform != "darwin" else 1024**2)
