"""The command line: `python -m reidlib VERB …`. Heavy imports wait until a verb needs them."""

import argparse
import json
import os
import subprocess
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
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


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command and give its exit status: 2, after a line that says what is wrong, for mistakes in the input."""
    chosen = _parser().parse_args(arguments)
    try:
        return chosen.command(chosen) or 0
    except BrokenPipeError:  # the reader of our output, `head` for instance, has seen enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except (ValueError, OSError, FloatingPointError) as error:
        print(f"reidlib {chosen.verb}: {error}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print("\nstopped; finished runs have their records, and the one at work its checkpoint", file=sys.stderr)
        return 130


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="reidlib", description="Video person re-identification and gait recognition.")
    verbs = parser.add_subparsers(dest="verb", required=True, metavar="VERB")

    def verb(name: str, command, description: str) -> argparse.ArgumentParser:
        added = verbs.add_parser(name, help=description, description=description)
        added.set_defaults(command=command)
        return added

    add = verb("reproduce", _reproduce, "Measure the runs of a paper's tables that have no record yet.").add_argument
    add("paper", help="a paper's name, such as baseline")
    add("--table", help="only this table, as `tables` names it")
    add("--rows", nargs="+", metavar="LABEL", help="only these rows")
    add("--seeds", type=_positive, metavar="K", help="at most K seeds a row")
    add("--scale", choices=("mini", "paper"), default="mini", help="mini: rendered data; paper: the published setting")
    add("--fresh", action="store_true", help="measure again, from scratch, what has a record")
    add("--data", action="append", default=[], type=_named_folder, metavar="NAME=DIR", help="where recorded data lie")
    add(
        "--pictures",
        type=Path,
        metavar="DIR",
        help="write ranked lists of each measured run here (outside the repository)",
    )

    add = verb("tables", _tables, "Show a paper's tables from the records.").add_argument
    add("paper", nargs="?", default="baseline")
    add("--scale", choices=("mini", "paper"), default="mini", help="as in reproduce")
    add("--json", action="store_true", help="one object for every cell")

    add = verb("claims", _claims, "Show what a paper claims and what the records say of it.").add_argument
    add("paper")
    add("--json", action="store_true", help="one object for every claim")

    add = verb("render", _render, "Render a benchmark into the cache, and a contact sheet of it if asked.").add_argument
    add("benchmark", choices=BENCHMARKS)
    _add_size(add)
    add("--sheet", type=Path, metavar="PNG", help="write a contact sheet here")

    add = verb("export", _export, "Write a rendered benchmark in the on-disk layout of its model.").add_argument
    add("folder", type=Path, help="a folder that does not exist yet")
    add("--layout", choices=LAYOUTS, default="mars", help="a data set's; this chooses the benchmark, too")
    add("--rgb", type=Path, metavar="DIR", help="casia_b: a second folder, for the colour frames")
    _add_size(add)

    add = verb("evaluate", _evaluate, "Score features that you computed yourself.").add_argument
    add("features", type=Path, help=".npz with query_features, query_ids, query_cameras and the same for gallery")
    add("--protocol", choices=("cross-camera", "all"), default="cross-camera")
    add("--metric", choices=("cosine", "euclidean"), default="cosine")
    add("--average-precision", choices=("step", "trapezoid"), default="step")
    add("--rerank", action="store_true", help="k-reciprocal re-ranking first (on normalised features if cosine)")

    add = verb(
        "search", _search, "Follow the people in videos of fixed cameras; show who looks like whom."
    ).add_argument
    add("videos", nargs="+", type=Path, metavar="VIDEO")
    add("--out", type=Path, required=True, metavar="DIR", help="a folder outside the repository")
    add("--network", default="efficientnet_lite0", help="features: efficientnet_lite0, resnet50, colour_histogram …")
    add("--top", type=_positive, default=8, metavar="K", help="how many of each ranked list")
    add("--all", action="store_true", help="search short, standing, hardly visible and odd-shaped tracklets as well")
    add(
        "--query",
        metavar="CROP|TRACKLET",
        help="search only for this person: an image file, or the number of a tracklet in tracks.csv of an earlier "
        "search of the same videos, as VIDEO:TRACKLET (2:7, the second video's seventh) where there are several",
    )
    add(
        "--tracks",
        nargs="+",
        default=[],
        type=Path,
        metavar="MOT.txt",
        help="boxes of another tracker, one file for each video in order, instead of our own tracks: lines of frame "
        "(from 1), id, left, top, width, height",
    )
    add(
        "--min-height",
        type=float,
        default=0.06,
        metavar="SHARE",
        help="of a person, as a share of the picture's height, and never below 24 pixels (default: %(default)s)",
    )

    add = verb("notebooks", _notebooks, "Run every notebook, in reading order and in place.").add_argument
    add("names", nargs="*", help="only these (00_tour …)")
    return parser


def _add_size(add: Callable) -> None:
    """The options of every rendered benchmark; it has defaults of its own for the sizes."""
    add("--seed", type=int, default=0)
    add("--resolution", type=_resolution, metavar="HxW")
    add("--num-ids", type=_positive)


def _named_folder(text: str) -> tuple[str, Path]:
    name, _, folder = text.partition("=")
    if not folder:
        raise argparse.ArgumentTypeError(f"{text!r}: expected NAME=DIR, for instance mars=/data/MARS")
    path = Path(folder).expanduser()
    if not path.is_dir():
        raise argparse.ArgumentTypeError(f"{text!r}: there is no folder {folder}")
    return name, path


def _positive(text: str) -> int:
    if not text.isdigit() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"{text!r}: expected a whole number from 1 on")
    return int(text)


def _resolution(text: str) -> tuple[int, int]:
    height, _, width = text.partition("x")
    if not (height.isdigit() and width.isdigit() and int(height) and int(width)):
        raise argparse.ArgumentTypeError(f"{text!r}: expected HEIGHTxWIDTH, for instance 128x64")
    return int(height), int(width)


def _reproduce(chosen: argparse.Namespace) -> None:
    import torch
    from tqdm import tqdm

    from reidlib.papers.rows import rows_of
    from reidlib.papers.runs import reproduce
    from reidlib.papers.sources import RENDERED
    from reidlib.training import CheckpointError

    rows = rows_of(chosen.paper, chosen.scale)
    roots = dict(chosen.data)
    if chosen.pictures:
        _outside_the_repository("--pictures", chosen.pictures)
    for what, value, known in (
        ("table", [chosen.table] if chosen.table else [], {row.table for row in rows}),
        ("row", chosen.rows or [], {row.label for row in rows}),
        ("data", roots, {row.run.data for row in rows} - {*RENDERED}),
    ):
        if unknown := set(value) - known:
            raise ValueError(f"{chosen.paper} has no {what} {sorted(unknown)}; known: {sorted(known)}")
    rows = [r for r in rows if chosen.table in (None, r.table) and (not chosen.rows or r.label in chosen.rows)]
    if not torch.cuda.is_available():
        torch.set_num_threads(1)  # two processes of one thread are faster than one of two

    def report(row, record) -> None:
        texts = [
            f"{setup} {name} {100 * scores[name]:.1f}"
            for setup, scores in record.scores.items()
            for name in ("rank-1", "mAP", "including", "excluding")
            if name in scores
        ]
        tqdm.write(f"{row.table} · {row.label} · seed {record.seed}: {', '.join(texts)}; {record.minutes:.1f} min")

    ready = [row for row in rows if row.run.data in (*RENDERED, *roots)]
    for name in sorted({row.run.data for row in rows} - {row.run.data for row in ready}):
        print(f"left out what needs recorded data: say where they lie with --data {name}=DIR")
    try:
        done = reproduce(chosen.paper, ready, chosen.seeds, roots, chosen.fresh, chosen.pictures, report=report)
    except CheckpointError as error:
        raise ValueError(str(error)) from error
    finally:
        if torch.distributed.is_initialized():  # under `accelerate launch`
            torch.distributed.destroy_process_group()
    print(f"{done} runs measured; everything asked for has a record" if ready else "nothing to measure")


def _tables(chosen: argparse.Namespace) -> None:
    from reidlib.papers import table, table_names, wide_table

    cells = {name: table(chosen.paper, name, chosen.scale) for name in table_names(chosen.paper, chosen.scale)}
    for name, frame in cells.items():
        if chosen.json:
            _print_objects(frame.drop(columns=["minutes", "measurable"]))
        else:
            print(f"\n{chosen.paper}, {name} (percent; measured: mean ± half of the 95 % interval over seeds)")
            print(wide_table(frame).to_string(na_rep=""))


def _claims(chosen: argparse.Namespace) -> None:
    from reidlib.papers import claims

    ledger = claims(chosen.paper)
    if chosen.json:
        _print_objects(ledger)
    else:
        shown = ledger.drop(columns=["paper", "kind"]).fillna({"control": "", "note": ""}).round(1)
        print(shown.to_string(index=False, na_rep="") if len(ledger) else "no claims are written yet")


def _print_objects(frame) -> None:
    """One JSON object a line; NaN becomes null."""
    for line in frame.to_dict("records"):
        print(json.dumps({key: None if value != value else value for key, value in line.items()}))


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
    name, options, loader = LAYOUTS[chosen.layout]
    content = getattr(walkers, name)(chosen.seed, **options, **_sized(chosen))
    getattr(export, chosen.layout)(content, chosen.folder, **({"rgb": chosen.rgb} if chosen.rgb else {}))
    more = f", rgb={str(chosen.rgb)!r}, cut=False" if chosen.rgb else ""
    benchmark = name.removesuffix("_splits")
    print(f"wrote {chosen.folder}, {benchmark} in the layout {chosen.layout}; ", end="")
    print(f"`{loader}({str(chosen.folder)!r}{more})` of reidlib.data reads it")


def _evaluate(chosen: argparse.Namespace) -> None:
    from reidlib.papers.features import load_features

    features = load_features(chosen.features)
    scores = features.scores(
        chosen.protocol, chosen.metric, chosen.average_precision, rerank={} if chosen.rerank else None
    )
    summary = {f"rank-{k}": round(100 * value, 2) for k, value in scores.cmc.items()}
    summary |= {"mAP": round(100 * scores.mean_ap, 2), "mINP": round(100 * scores.mean_inp, 2)}
    summary |= {"protocol": scores.protocol, "average precision": scores.average_precision_kind, **scores.counts}
    print(json.dumps(summary))


def _search(chosen: argparse.Namespace) -> None:
    _outside_the_repository("--out", chosen.out)
    if chosen.out.exists() and not chosen.out.is_dir():
        raise ValueError(f"--out {chosen.out} is a file; give a folder")
    from reidlib import search

    found = search.search(
        chosen.videos, chosen.network, chosen.all, chosen.query, chosen.min_height, tracks=chosen.tracks
    )
    followed = len(found.tracklets) - found.image
    print(f"{followed} tracklets in {len(chosen.videos)} videos, {len(found.queries)} searched for")
    for path in search.write(found, chosen.videos, chosen.out, chosen.top):
        print(f"wrote {path}")


def _outside_the_repository(option: str, folder: Path) -> None:
    if folder.resolve().is_relative_to(ROOT):
        raise ValueError(f"{option} {folder} lies in the repository, where pictures of people do not belong")


def _notebooks(chosen: argparse.Namespace) -> int:
    notebooks = sorted((ROOT / "notebooks").glob("*.ipynb"))
    if unknown := set(chosen.names) - {path.stem for path in notebooks}:
        known = ", ".join(path.stem for path in notebooks) or "none"
        raise ValueError(f"no notebook is called {', '.join(sorted(unknown))}; known: {known}")
    notebooks = [path for path in notebooks if not chosen.names or path.stem in chosen.names]
    for number, path in enumerate(notebooks, start=1):
        print(f"[{number}/{len(notebooks)}] {path.name}", flush=True)
        command = [sys.executable, "-m", "nbconvert", "--to", "notebook", "--execute", "--inplace"]
        command += ["--ExecutePreprocessor.store_widget_state=False", str(path)]
        if status := subprocess.run(command).returncode:
            return status
    return 0
