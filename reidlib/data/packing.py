"""What is computed once for every frame, in one array of the user's cache folder."""

from collections.abc import Callable, Sequence

import joblib
import numpy as np
from filelock import FileLock
from tqdm.auto import tqdm

from reidlib import cache_folder
from reidlib.data.tracklets import Rows, fingerprint


def pack_rows(
    kind: str,
    key: str,
    readers: Sequence[Callable[[], np.ndarray]],
    lengths: Sequence[int],
    shape: tuple[int, ...],
    title: str,
    workers: int | None = None,
    progress: bool = True,
    dtype: type[np.number] = np.uint8,
) -> list[Rows]:
    """The arrays that the readers give, (n, *shape) of n = `lengths`, computed once and memory-mapped.

    kind: a folder of the cache. key: a hash that decides the bytes. The readers are called, in `workers` processes (by
    default one for each core), unless there is a file of this key already. It is written beside its final place and
    renamed when complete. title: of the progress bar. dtype: of what is kept.
    """
    stops = np.cumsum(lengths).tolist()
    path = cache_folder() / kind / f"{fingerprint(key, repr((list(lengths), shape)))}.npy"
    path.parent.mkdir(parents=True, exist_ok=True)
    with FileLock(f"{path}.lock"):
        if not path.exists():
            part = path.with_suffix(".part")
            array = np.lib.format.open_memmap(part, "w+", dtype, (stops[-1], *shape))
            tasks = (joblib.delayed(reader)() for reader in readers)
            results = joblib.Parallel(workers or joblib.cpu_count(), return_as="generator")(tasks)
            bar = tqdm(results, title, len(readers), unit="sequence", disable=not progress, leave=False)
            for values, stop, length in zip(bar, stops, lengths):  # the bar first, so that it ends
                array[stop - length : stop] = values
            array.flush()
            part.rename(path)
    array = np.load(path, mmap_mode="r")
    return [Rows(array, stop - length, stop) for stop, length in zip(stops, lengths)]
