"""Data by name, as runs ask for them: rendered ones from a seed, recorded ones from a folder that the user names."""

from collections.abc import Callable, Mapping
from pathlib import Path

from reidlib.data import Benchmark, half_split, mars, validation_split, walkers
from reidlib.data.images import preload


def _street(seed: int, root: Path | None, options: Mapping, progress: bool) -> Benchmark:
    return walkers.street(seed, junk=True, progress=progress, **options)


def _street_validation(seed: int, root: Path | None, options: Mapping, progress: bool) -> Benchmark:
    return validation_split(_street(seed, root, options, progress), fraction=1 / 3)


def _mars(seed: int, root: Path, options: Mapping, progress: bool) -> Benchmark:
    return mars.load(root, junk=True, **options)


def _mars_edges(seed: int, root: Path, options: Mapping, progress: bool) -> Benchmark:
    person = (64, 0, 192, 256)  # left, upper, right, lower: the edge maps are square, with empty margins
    tracklets = mars.read_tracklets(root / "bbox_train", **{"resolution": (64, 32), "crop": person} | options)
    return half_split(preload(tracklets, progress), seed, "mars_edges")


_SOURCES: dict[str, Callable[[int, Path | None, Mapping, bool], Benchmark]] = {
    "street": _street,
    "street_validation": _street_validation,
    "mars": _mars,
    "mars_edges": _mars_edges,
}
RENDERED = ("street", "street_validation")


def open_benchmark(
    name: str, seed: int, roots: Mapping[str, Path], options: Mapping | None = None, progress: bool = True
) -> Benchmark:
    """The benchmark called `name`, with junk in the gallery, where the scores leave it out.

    seed: draws rendered data, and the halves of a collection without a split. roots: {name: folder} of recorded data.
    options: further arguments of the function that loads or renders them. progress: show a bar.
    Raises ValueError for an unknown name, FileNotFoundError for recorded data whose folder was not given.
    """
    if name not in _SOURCES:
        raise ValueError(f"no data are called {name!r}; known: {', '.join(_SOURCES)}")
    if name not in RENDERED and name not in roots:
        raise FileNotFoundError(f"{name} is recorded data: say where it lies with --data {name}=DIR")
    return _SOURCES[name](seed, roots.get(name), options or {}, progress)
