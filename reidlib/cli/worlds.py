"""The verbs of rendered data: `render` and `export`."""

import argparse
from collections.abc import Callable
from pathlib import Path

from reidlib.cli import options

BENCHMARKS = ("street", "campus", "pair", "lab", "crowd", "yard", "stills")
LAYOUTS = {  # name -> the function of `walkers` whose result is written so, its options, the loader that reads it
    "mars": ("street", {"junk": True}, "mars.load"),
    "mask_mars": ("street", {"junk": True}, "mask_mars.load"),
    "duke_video": ("campus", {}, "duke_video.load"),
    "ilids_vid": ("pair_splits", {}, "ilids_vid.load"),
    "prid2011": ("pair_splits", {}, "prid2011.load"),
    "casia_b": ("lab", {}, "casia_b.load"),
    "oumvlp": ("crowd", {}, "oumvlp.load"),
    "casia_e": ("yard", {}, "casia_e.load"),
    "hid": ("yard", {}, "casia_e.load_hid"),
    "market1501": ("stills", {"junk": True}, "market1501.load"),
    "peta": ("stills", {}, "peta.load"),
}


def add_verbs(verb) -> None:
    """Add the verbs with their options."""
    add = verb("render", _render, "Render a benchmark into the cache, and a contact sheet of it if asked.").add_argument
    add("benchmark", choices=BENCHMARKS)
    _add_size(add)
    add("--sheet", type=Path, metavar="PNG", help="Write a contact sheet here.")

    add = verb("export", _export, "Write a rendered benchmark in the on-disk layout of its model.").add_argument
    add("folder", type=Path, help="A folder that does not exist yet.")
    add("--layout", choices=LAYOUTS, default="mars", help="The layout of a data set; it decides the benchmark, too.")
    add("--rgb", type=Path, metavar="DIR", help="For casia_b, a second folder for the colour frames.")
    _add_size(add)


def _add_size(add: Callable) -> None:
    """The options of every rendered benchmark; it has defaults of its own for the sizes."""
    add("--seed", type=int, default=0)
    add("--resolution", type=options.resolution, metavar="HxW")
    add("--num-ids", type=options.positive)


def _sized(chosen: argparse.Namespace) -> dict:
    """The sizes that were given."""
    sizes = {"resolution": chosen.resolution, "num_ids": chosen.num_ids}
    return {name: size for name, size in sizes.items() if size is not None}


def _render(chosen: argparse.Namespace) -> None:
    from reidlib.data import walkers

    benchmark = getattr(walkers, chosen.benchmark)(chosen.seed, **_sized(chosen))
    sizes = {part: len(getattr(benchmark, part)) for part in ("train", "query", "gallery")}
    print(f"{benchmark.name}, seed {chosen.seed}, content {benchmark.fingerprint}: {sizes} tracklets")
    if chosen.sheet:
        from reidlib import plots

        people = {}
        for tracklet in benchmark.train:
            people.setdefault(tracklet.person_id, []).append(tracklet)
        shown = [found[i % len(found)] for i, found in enumerate(people.values())][:30]  # now this camera, now that
        images = [tracklet.frames([len(tracklet) // 2])[0] for tracklet in shown]
        print(f"wrote {plots.save(plots.contact_sheet(images, columns=10), chosen.sheet)}")


def _export(chosen: argparse.Namespace) -> None:
    from reidlib.data import export, walkers

    if chosen.rgb and chosen.layout != "casia_b":
        raise ValueError(f"--rgb {chosen.rgb} is for --layout casia_b, whose main folder holds silhouettes")
    export.refuse_existing(chosen.folder, chosen.rgb)
    name, settings, loader = LAYOUTS[chosen.layout]
    content = getattr(walkers, name)(chosen.seed, **settings, **_sized(chosen))
    getattr(export, chosen.layout)(content, chosen.folder, **({"rgb": chosen.rgb} if chosen.rgb else {}))
    more = f", rgb={str(chosen.rgb)!r}, cut=False" if chosen.rgb else ""
    benchmark = name.removesuffix("_splits")
    print(f"wrote {chosen.folder}, {benchmark} in the layout {chosen.layout}; ", end="")
    print(f"`{loader}({str(chosen.folder)!r}{more})` of reidlib.data reads it")
