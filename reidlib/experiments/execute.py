"""Runs: from a configuration and a seed to a record. What is missing is measured once, by whoever comes first."""

import json
import resource
import sys
import time
import warnings
from collections.abc import Callable, Iterable
from contextlib import ExitStack, suppress
from dataclasses import asdict
from pathlib import Path

from filelock import FileLock, Timeout
from tqdm.auto import tqdm

from reidlib.experiments.costs import costs
from reidlib.experiments.evaluations import measure
from reidlib.experiments.features import draw_ranked_lists, embed, save_features
from reidlib.experiments.networks import network_path, write_backbone, write_network
from reidlib.experiments.papers import list_papers, rows_of
from reidlib.experiments.records import (
    FIGURES,
    Record,
    environment,
    record_path,
    records_by_renderer,
    write_record,
)
from reidlib.experiments.run import Part, Row, Run
from reidlib.experiments.sources import open_benchmark
from reidlib.experiments.train import Resources, forget, keep_weights, run_file, train, weights_file
from reidlib.models.pretrained import weights_path
from reidlib.training import distributed


def execute(
    paper: str,
    row: Row,
    seed: int,
    resources: Resources | None = None,
    *,
    figures: Path = FIGURES,
    pictures: Path | None = None,
) -> Record:
    """Measure one run and write its record; a run that was killed in training goes on from its checkpoint.

    figures: the folder that holds the records of all papers. pictures: a folder for ranked lists of four queries. The
    checkpoint lies in the cache and belongs to these very data: where the rendered ones have changed since, the run
    starts again.
    """
    run, resources = row.run, resources or Resources()
    started = time.monotonic()
    benchmark = open_benchmark(run.data, seed, resources.roots, run.data_options, resources.progress)
    tested = benchmark
    if run.test_data:
        tested = open_benchmark(run.test_data, seed, resources.roots, run.test_data_options, resources.progress)
    data_seconds = time.monotonic() - started
    checkpoint = run_file(run, seed, f"{benchmark.fingerprint}.pt")
    trained = train(run, seed, benchmark, resources, checkpoint)
    main = distributed.start_processes().is_main_process
    if main and run.training and _is_part(run) and not (kept := weights_file(run, seed, benchmark)).exists():
        keep_weights(trained, kept)
    started = time.monotonic()
    network = trained.model.for_retrieval()
    found = measure(network, tested, run, resources.progress)
    data = {"name": tested.name, "fingerprint": tested.fingerprint, "renderer": tested.renderer}
    if run.test_data:
        data["trained on"] = {"name": benchmark.name, "fingerprint": benchmark.fingerprint}
    if run.weights:
        data["weights"] = run.weights
    record = Record(
        paper=row.paper or paper,
        config=asdict(run),
        config_hash=run.hash,
        seed=seed,
        data=data,
        scores=found.scores,
        queries=found.cases,
        seconds={
            "data": round(data_seconds, 1),
            "training": round(trained.seconds, 1),
            "parts": round(trained.part_seconds, 1),
            "evaluation": round(time.monotonic() - started, 1),
        },
        peak_memory_mib=round(peak_memory_mib()),
        environment=environment(run.precision),
        units=found.units,
        costs=costs(network, tested, run),
        watched=trained.watched,
        notes=found.notes,
    )
    if not main:
        return record
    if pictures is not None:
        features = embed(network, tested, run, resources.progress)
        draw_ranked_lists(features, tested, pictures / f"{run.hash}-s{seed}", run.metric)
    if row.keep_features and seed == 0:
        features = embed(network, tested, run, resources.progress)
        save_features(features, figures / record.paper / "features" / f"{run.hash}-s0.npz")
    if row.keep_network and seed == 0:
        write_network(network, run, record, figures)
    if _gives_weights(row, seed, figures):
        write_backbone(network, row.keep_backbone, record)
    write_record(record, figures)
    checkpoint.unlink(missing_ok=True)
    return record


def reproduce(
    paper: str,
    rows: Iterable[Row],
    seeds: int | None = None,
    resources: Resources | None = None,
    *,
    fresh: bool = False,
    pictures: Path | None = None,
    figures: Path = FIGURES,
    report: Callable[[Row, Record], None] = lambda row, record: None,
) -> int:
    """Measure every row under every seed that has no record yet; gives how many runs this process did.

    A run that several rows share is measured once, for the first of them. A record of a world that a former version of
    the renderer drew counts, unless the row keeps its network and there is none. seeds: at most that many of each
    row's, from its first on. fresh: measure from scratch, parts included, even where there is a record. report: called
    with each new record. The other arguments are those of `execute`.

    The command may be started several times at once: each run is locked while it is measured, and the others take the
    next; all wait until nothing is missing. Runs are taken seed by seed, so that whoever stops early has whole tables
    of fewer seeds, and world by world. Processes of one `accelerate launch` measure every run together.
    """
    started, resources = time.time(), resources or Resources()
    main = distributed.start_processes().is_main_process
    jobs: dict[tuple[str, int], tuple[Row, int]] = {}  # by what names a record
    for row in rows:
        for seed in row.all_seeds[:seeds]:
            known = jobs.setdefault((row.run.hash, seed), (row, seed))
            if row.keep_network and not known[0].keep_network:
                jobs[row.run.hash, seed] = row, seed
    jobs = dict(sorted(jobs.items(), key=lambda job: _order(*job[1])))

    def missing(row: Row, seed: int) -> bool:
        place = row.paper or paper
        path = record_path(place, row.run.hash, seed, figures)
        if row.keep_network and seed == 0 and not network_path(place, row.run, figures).exists():
            return True
        if _gives_weights(row, seed, figures) and not weights_path(row.keep_backbone).exists():
            return True
        if fresh:
            return not path.exists() or path.stat().st_mtime < started
        return not path.exists() and seed not in former.get((row.run.hash, place), ())

    former: dict[tuple[str, str], set[int]] = {}  # seeds of records, by run and paper
    drawn: dict[tuple, str] = {}  # fingerprints of the worlds behind the records
    for row in {(row.run.hash, row.paper, row.all_seeds): row for row, _ in jobs.values()}.values():
        records = [record for found in records_by_renderer(paper, row, figures).values() for record in found]
        former.setdefault((row.run.hash, row.paper or paper), set()).update(record.seed for record in records)
        drawn |= {_world(record): record.data["fingerprint"] for record in records}
    different: set[str] = set()

    def measure_one(row: Row, seed: int) -> bool:
        """Measure one run unless somebody else is at it, or has just finished it; says whether it was done here."""
        with ExitStack() as held:
            free = False
            if main:
                with suppress(Timeout):
                    held.enter_context(FileLock(run_file(row.run, seed, "lock")).acquire(timeout=0))
                    free = missing(row, seed)
            if free and fresh:
                forget(row.run, seed, before=started)
            if not distributed.first_of_all(free):
                return False
            record = execute(paper, row, seed, resources, figures=figures, pictures=pictures)
            if main:
                report(row, record)
                if drawn.get(_world(record), record.data["fingerprint"]) != record.data["fingerprint"]:
                    different.add(f"{record.data['name']} of seed {record.seed}")
            return True

    done = 0
    with tqdm(total=len(jobs), desc=f"runs of {paper}", unit="run", disable=not (resources.progress and main)) as bar:
        while open_jobs := distributed.first_of_all([key for key, job in jobs.items() if missing(*job)]):
            bar.update(len(jobs) - len(open_jobs) - bar.n)
            if any(measure_one(*jobs[key]) for key in open_jobs):
                done += 1
            else:
                time.sleep(1)  # others are measuring what is left
        bar.update(len(jobs) - bar.n)
    if different:
        warnings.warn(
            f"this machine draws {', '.join(sorted(different))} differently than the machine of the other records does "
            "(their fingerprints differ): numbers measured here are of other pixels, and a row is of one machine only "
            "if all of it is measured again with --fresh",
            stacklevel=2,
        )
    return done


def _order(row: Row, seed: int) -> tuple:
    """Sorts runs by seed and then by the world that they look at."""
    return seed, row.run.data, repr(sorted(row.run.data_options.items()))


def _gives_weights(row: Row, seed: int, figures: Path) -> bool:
    """Whether a run's backbone becomes weights of the package: only where its record is one of the package, too."""
    return bool(row.keep_backbone) and seed == row.first_seed and figures == FIGURES


def _world(record: Record) -> tuple:
    """What a world's bytes depend on: its name, settings and seed, and the renderer's version."""
    config = record.config
    data = (
        (config["test_data"], config["test_data_options"])
        if config.get("test_data")
        else (
            config["data"],
            config["data_options"],
        )
    )
    return json.dumps(data, sort_keys=True), record.seed, record.renderer


def _is_part(run: Run) -> bool:
    """Whether a row of any paper has this run among its parts, or theirs."""

    def inside(parts: Iterable[Part]) -> bool:
        return any(part.run == run or inside(part.run.parts) for part in parts)

    return any(inside(row.run.parts) for paper in list_papers() for row in rows_of(paper, run.scale))


def peak_memory_mib() -> float:
    """The largest memory that this process has had, in MiB, earlier runs included."""
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak / (1024 if sys.platform != "darwin" else 1024**2)
