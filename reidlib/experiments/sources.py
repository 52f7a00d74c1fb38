"""Data by name, as runs ask for them: rendered ones from a seed, recorded ones from a folder that the user names."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import partial
from pathlib import Path

from reidlib import cache_folder
from reidlib.data import (
    Benchmark,
    Tracklet,
    casia_b,
    casia_e,
    duke_video,
    half_split,
    ilids_vid,
    market1501,
    mars,
    mask_mars,
    oumvlp,
    peta,
    prid2011,
    validation_split,
    walkers,
)
from reidlib.data.batches import PIXELS
from reidlib.data.gait import gait_validation_split
from reidlib.data.images import preload
from reidlib.data.labels import with_attributes
from reidlib.data.masks import with_masks, with_silhouettes
from reidlib.data.silhouettes import SIZE
from reidlib.data.tracklets import fingerprint
from reidlib.experiments.clips import inputs_of
from reidlib.experiments.run import Run
from reidlib.models import Network

SILHOUETTES = (32, 22)  # height and width of aligned silhouettes in rendered worlds
RESOLUTIONS = {"mini": (64, 32), "paper": (256, 128)}  # of frames, by the scale of the network that looks at them
SIZES = {"mini": SILHOUETTES, "paper": SIZE}  # of aligned silhouettes, likewise
CHANGES = ("masks", "silhouettes", "attributes")  # options of all data, see `open_benchmark`
HELD_OUT = 1 / 3  # share of the training identities that a validation split searches
PRETRAINING_SEED, PRETRAINING_WORLDS = 7001, 3  # the first of the seeds that nothing else uses, and worlds to train on


def _pair(seed: int, world: int = 0, **options) -> Benchmark:
    """The ten splits of one pair of cameras are its seeds; world: another pair."""
    return walkers.pair(world, split=seed, **options)


def _mask_street(seed: int, progress: bool, **options) -> Benchmark:
    """The street as Mask-MARS is made of MARS: tracklets with enough effective masks."""
    street = walkers.street(seed, junk=True, progress=progress, **options)
    return mask_mars.screen(street, street.fingerprint, progress=progress)


def _pretraining(seed: int, progress: bool, **options) -> Benchmark:
    """Everybody's images of three worlds of `stills`, to train on, and a fourth world, to search. No seed of `stills`
    below `PRETRAINING_SEED` is used, and none twice. Identities are numbered on from world to world."""
    first = PRETRAINING_SEED + (PRETRAINING_WORLDS + 1) * seed
    worlds, people = [], 0
    for number in range(first, first + PRETRAINING_WORLDS + 1):
        world = walkers.stills(number, progress=progress, **options)
        worlds.append(world.map(partial(_numbered_on, people), f"identities from {people + 1} on"))
        people = max(tracklet.person_id for tracklet in worlds[-1].everybody)
    *shown, searched = worlds
    train = tuple(tracklet for world in shown for tracklet in world.everybody if tracklet.person_id > 0)
    content = fingerprint(*(world.fingerprint for world in worlds))
    return replace(searched, train=train, name="pretraining", fingerprint=content)


def _numbered_on(people: int, tracklet: Tracklet) -> Tracklet:
    """The tracklet with its identity numbered after so many others; distractors stay what they are."""
    return replace(tracklet, person_id=people + tracklet.person_id) if tracklet.person_id > 0 else tracklet


def _mask_mars(root: Path, seed: int, progress: bool, **options) -> Benchmark:
    return with_silhouettes(mask_mars.load(root, progress=progress, **options), "true", progress=progress)


def _casia_b_colour(root: Path, seed: int, progress: bool, **options) -> Benchmark:
    """CASIA-B with its colour frames: silhouettes in `root`/silhouettes, frames in `root`/rgb."""
    return casia_b.load(root / "silhouettes", root / "rgb", progress=progress, **options)


def _mars_edges(root: Path, seed: int, progress: bool, annotated: bool = False, **options) -> Benchmark:
    """Half of the identities to train on; annotated: with the attributes of `root`/tracks.csv."""
    if annotated:
        options["attributes"] = root / "tracks.csv"
    person = (64, 0, 192, 256)  # left, upper, right, lower: the edge maps are square, with empty margins
    tracklets = mars.read_tracklets(root / "bbox_train", **{"resolution": (64, 32), "crop": person} | options)
    return half_split(preload(tracklets, progress), seed, "mars_edges")


def _folder(root: Path, seed: int, progress: bool, **options) -> Benchmark:
    from reidlib.data import folder

    return folder.load(root, **options)


_WORLDS: dict[str, Callable[..., Benchmark]] = {  # (seed, progress=…, **options)
    "street": partial(walkers.street, junk=True),
    "mask_street": _mask_street,
    "campus": walkers.campus,
    "pair": _pair,
    "lab": walkers.lab,
    "crowd": walkers.crowd,
    "yard": walkers.yard,
    "stills": partial(walkers.stills, junk=True),
    "pretraining": _pretraining,
}
_GAIT = ("lab", "crowd", "yard")
_RECORDED: dict[str, Callable[..., Benchmark]] = {  # (root, seed, progress, **options)
    "mars": lambda root, seed, progress, **options: mars.load(root, junk=True, **options),
    "mars_edges": _mars_edges,
    "mask_mars": _mask_mars,
    "folder": _folder,
    "duke_video": lambda root, seed, progress, **options: duke_video.load(root, **options),
    "ilids_vid": lambda root, seed, progress, **options: ilids_vid.load(root, split=seed, **options),
    "prid2011": lambda root, seed, progress, **options: prid2011.load(root, split=seed, **options),
    "casia_b": lambda root, seed, progress, **options: casia_b.load(root, progress=progress, **options),
    "casia_b_colour": _casia_b_colour,
    "oumvlp": lambda root, seed, progress, **options: oumvlp.load(root, progress=progress, **options),
    "casia_e": lambda root, seed, progress, **options: casia_e.load(root, progress=progress, **options),
    "hid": lambda root, seed, progress, **options: casia_e.load_hid(root, progress=progress, **options),
    "peta": lambda root, seed, progress, **options: peta.load(root, partition=seed % 5, **options),
    "market1501": lambda root, seed, progress, **options: market1501.load(root, junk=True, **options),
}
_SILHOUETTES_ALONE = ("casia_b", "oumvlp", "casia_e", "hid")  # their frames are their aligned silhouettes
RENDERED = (*_WORLDS, *(f"{name}_validation" for name in _WORLDS))


def open_benchmark(
    name: str, seed: int, roots: Mapping[str, Path], options: Mapping | None = None, progress: bool = True
) -> Benchmark:
    """The benchmark called `name`, with junk in the gallery, where the scores leave it out.

    A rendered world's name with "_validation" is made of its training identities alone, a third of them to search.
    seed: draws rendered data, and the halves of a collection without a split; it is the number of the split where there
    are ten, or of PETA's five partitions, counted round. roots: {name: folder} of recorded data. options: further
    arguments of the function that loads or renders them, for `pair` also "world", which draws others; all data take
    masks and silhouettes, qualities of `reidlib.data.masks`, and attributes, a way of `reidlib.data.labels`. progress:
    show a bar.
    Raises ValueError for an unknown name, FileNotFoundError for recorded data whose folder was not given.
    """
    options = dict(options or {})
    changes = {what: options.pop(what) for what in CHANGES if what in options}
    world = name.removesuffix("_validation")
    if world in _WORLDS:
        benchmark = _rendered(world, seed, options, progress)
        if world == "mask_street":
            changes = {"silhouettes": "true"} | changes
        elif world in _GAIT and changes.get("silhouettes") == "true":  # those that the world has
            del changes["silhouettes"]
    elif name not in _RECORDED:
        raise ValueError(f"no data are called {name!r}; known: {', '.join([*RENDERED, *_RECORDED])}")
    elif name not in roots:
        raise FileNotFoundError(f"{name} is recorded data: say where it lies with --data {name}=DIR")
    else:
        benchmark = _RECORDED[name](roots[name], seed, progress, **options)
    if "silhouettes" in changes:
        size = SILHOUETTES if world in _WORLDS else SIZE
        benchmark = with_silhouettes(benchmark, changes["silhouettes"], size, progress)
    benchmark = with_masks(benchmark, changes.get("masks", "true"), progress)
    benchmark = with_attributes(benchmark, changes.get("attributes", "true"), seed)
    if world == name:
        return benchmark
    split = gait_validation_split if world in _GAIT else validation_split
    return split(benchmark, fraction=HELD_OUT)


_opened: dict[str, Benchmark] = {}  # the rendered worlds that were opened last, a run's own and its parts'
KEPT = 2


def _rendered(world: str, seed: int, options: Mapping, progress: bool) -> Benchmark:
    """A rendered world. The last two stay in memory: runs on one world follow one another, and drawing its people and
    their walks anew takes up to a fifth of a run, even where its frames lie in the cache."""
    key = repr((world, seed, sorted(options.items()), cache_folder()))
    if (found := _opened.pop(key, None)) is None:
        while len(_opened) >= KEPT:
            del _opened[next(iter(_opened))]
        found = _WORLDS[world](seed, progress=progress, **options)
    _opened[key] = found
    return found


def open_for(
    network: Network, run: Run, name: str, seed: int, roots: Mapping[str, Path], progress: bool = True
) -> Benchmark:
    """Data as a network looks at them that is the result of `run`.

    The run's own data are made with its options, others as they are by default, recorded ones at the resolution of the
    run's scale (`RESOLUTIONS`, `SIZES`). Silhouettes are aligned to that size where the network looks at them and the
    data have none of it. The other arguments are those of `open_benchmark`, and so are the errors; ValueError beside
    for what the network looks at and the data lack.
    """
    own = {run.data: run.data_options, run.test_data: run.test_data_options}
    options = dict(own.get(name, {}))
    if name in _RECORDED:
        size = {"size": SIZES[run.scale]} if name in _SILHOUETTES_ALONE else {"resolution": RESOLUTIONS[run.scale]}
        options = size | options
    benchmark = open_benchmark(name, seed, roots, options, progress)
    looked_at, size, tracklet = inputs_of(network, run), SIZES[run.scale], benchmark.everybody[0]
    if "silhouettes" in looked_at and name not in own and _aligned_size(tracklet) != size:
        if tracklet.masks([0]) is None:
            raise ValueError(f"{run.model} looks at silhouettes: {name} has neither them nor masks to make them of")
        benchmark = with_silhouettes(benchmark, "true", size, progress)
    if "masks" in looked_at and tracklet.masks([0]) is None:
        raise ValueError(f"{run.model} looks at masks, which {name} does not have")
    for truth in (what for what in looked_at if what not in PIXELS):
        try:
            tracklet.truth(truth, [0])
        except KeyError as error:
            raise ValueError(f"{run.model} looks at {truth}, which {name} does not have: {error.args[0]}") from error
    return benchmark


def _aligned_size(tracklet: Tracklet) -> tuple[int, ...] | None:
    aligned = tracklet.silhouettes([0])
    return None if aligned is None else aligned.shape[1:]
