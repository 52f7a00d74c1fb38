"""Time and memory of the evaluation functions at the size of MARS.

    python tests/benchmarks/evaluation_speed.py [--repeats 5]

prints a Markdown table for 1980 queries, 9330 gallery entries and 2048-d float32 features: the best of the
repeats, and by how much the process's peak memory rose above what it held before the call (Linux only;
results included). The number of threads is that of NumPy's BLAS (OPENBLAS_NUM_THREADS).
"""

import argparse
import os
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np

from reidlib.evaluation import (
    average_query_expansion,
    cluster_query_expansion,
    k_reciprocal_rerank,
    pairwise_distances,
    retrieval_scores,
)

QUERIES, GALLERY, DISTRACTORS, IDENTITIES, CAMERAS, DIMS = 1980, 9330, 3248, 634, 6, 2048


def mars_like() -> tuple[np.ndarray, np.ndarray, dict[str, np.ndarray]]:
    """Features that cluster by identity, hard enough for a wide spread of ranks, and their labels."""
    rng = np.random.default_rng(0)
    labels = {
        "query_ids": rng.integers(1, IDENTITIES + 1, QUERIES),
        "gallery_ids": np.concatenate(
            [np.zeros(DISTRACTORS, int), rng.integers(1, IDENTITIES + 1, GALLERY - DISTRACTORS)]
        ),
        "query_cameras": rng.integers(1, CAMERAS + 1, QUERIES),
        "gallery_cameras": rng.integers(1, CAMERAS + 1, GALLERY),
    }
    centres = rng.standard_normal((IDENTITIES + 1, DIMS), dtype=np.float32)
    centres[0] = 0  # distractors have nothing in common

    def features(ids: np.ndarray) -> np.ndarray:
        return centres[ids] + 2 * rng.standard_normal((len(ids), DIMS), dtype=np.float32)

    return features(labels["query_ids"]), features(labels["gallery_ids"]), labels


def python_loop(distances, query_ids, gallery_ids, query_cameras, gallery_cameras) -> float:
    """mAP as a plain loop over queries with a full sort: what is usually written."""
    total, valid = 0.0, 0
    for row, identity, camera in zip(distances, query_ids, query_cameras):
        order = np.argsort(row)
        same = gallery_ids[order] == identity
        same = same[~(same & (gallery_cameras[order] == camera))]
        if same.any():
            total += (same.cumsum()[same] / (np.flatnonzero(same) + 1)).mean()
            valid += 1
    return total / valid


def added_memory(call: Callable) -> float | None:
    """Peak resident memory during the call minus that before it, in MiB."""
    reset, status = Path("/proc/self/clear_refs"), Path("/proc/self/status")

    def read(field: str) -> int:
        return next(int(line.split()[1]) for line in status.read_text().splitlines() if line.startswith(field))

    try:
        reset.write_text("5")  # forgets the peak so far
        before = read("VmRSS")
        result = call()  # kept until the peak is read
        return (read("VmHWM") - before) / 1024
    except (OSError, StopIteration):
        return None
    finally:
        result = None  # noqa: F841


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--repeats", type=int, default=5)
    repeats = parser.parse_args().repeats
    query, gallery, labels = mars_like()
    everything = np.concatenate([query, gallery])
    distances = pairwise_distances(query, gallery)
    rows = {
        "matrix product, 1980 × 9330": lambda: query @ gallery.T,
        "`pairwise_distances`, euclidean": lambda: pairwise_distances(query, gallery),
        "`pairwise_distances`, cosine": lambda: pairwise_distances(query, gallery, "cosine"),
        "one pass over the distances (`min`)": lambda: distances.min(),
        "`retrieval_scores`": lambda: retrieval_scores(distances, **labels),
        "the same mAP, Python loop": lambda: python_loop(distances, **labels),
        "matrix product, 11310 × 11310": lambda: everything @ everything.copy().T,  # a copy: NumPy would halve X @ X.T
        "`k_reciprocal_rerank`": lambda: k_reciprocal_rerank(query, gallery),
        "`average_query_expansion`, k = 5": lambda: average_query_expansion(query, gallery, k=5, alpha=3.0),
        "`cluster_query_expansion`": lambda: cluster_query_expansion(query, gallery, threshold=100.0),
    }
    print(
        f"{os.cpu_count()} cores, OPENBLAS_NUM_THREADS={os.environ.get('OPENBLAS_NUM_THREADS', 'unset')}, ",
        end="",
    )
    scores = retrieval_scores(distances, **labels)
    print(f"mAP {scores.mean_ap:.4f}, by the Python loop {python_loop(distances, **labels):.4f}\n")
    print("| | seconds | added peak memory, MiB |\n|---|---:|---:|")
    for name, call in rows.items():
        seconds = []
        for _ in range(repeats):
            start = time.perf_counter()
            call()
            seconds.append(time.perf_counter() - start)
        memory = added_memory(call)
        print(f"| {name} | {min(seconds):.3f} | {'' if memory is None else f'{memory:.0f}'} |", flush=True)


if __name__ == "__main__":
    main()
