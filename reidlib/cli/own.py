"""The verbs for features of your own: `embed` computes them, `evaluate` scores them."""

import argparse
import json
from pathlib import Path

from reidlib.cli import options


def add_verbs(verb) -> None:
    """Add the verbs with their options."""
    add = verb("embed", _embed, "Compute the features of queries and gallery, for `evaluate` to read.").add_argument
    add(
        "--network",
        required=True,
        metavar="FILE|PAPER/TABLE/ROW|NAME",
        help="The network: a file that `reproduce` kept, the row that it is kept of, or the name of one that is ready "
        "as it is, such as efficientnet_lite0 or one of your own (--with).",
    )
    add(
        "--data",
        required=True,
        type=_source,
        metavar="NAME[=DIR]",
        help="The data: a rendered benchmark, such as street, or recorded data and where they lie. Those that the "
        "network was trained on are made with the same options.",
    )
    add("--out", required=True, type=_npz, metavar="FEATURES.npz", help="Write the features into this file.")
    add("--seed", type=int, default=0, metavar="N", help="The seed of rendered data, or the number of the split.")
    add(
        "--part",
        choices=("test", "train"),
        default="test",
        help="test takes the queries and the gallery, train the training people, searched among themselves.",
    )
    options.add_figures(add)
    options.add_files(add)

    add = verb("evaluate", _evaluate, "Score features that you computed yourself, or that `embed` did.").add_argument
    add(
        "features",
        type=Path,
        help="A file .npz with query_features, query_ids, query_cameras and the same for gallery; or with qf, q_pids, "
        "q_camids, gf, g_pids, g_camids.",
    )
    add("--protocol", choices=("cross-camera", "all"), default="cross-camera")
    add("--metric", choices=("cosine", "euclidean"), default="cosine")
    add("--average-precision", choices=("step", "trapezoid"), default="step")
    add("--rerank", action="store_true", help="Re-rank k-reciprocally first (normalised features if cosine).")


def _source(text: str) -> tuple[str, Path | None]:
    name, equals, _ = text.partition("=")
    return options.named_folder(text) if equals else (name, None)


def _npz(text: str) -> Path:
    if not text.endswith(".npz"):
        raise argparse.ArgumentTypeError(f"{text!r}: expected a file that ends in .npz")
    return Path(text)


def _embed(chosen: argparse.Namespace) -> None:
    import numpy as np

    from reidlib.experiments.evaluations.retrieval import on_training_people
    from reidlib.experiments.features import embed, save_features
    from reidlib.experiments.networks import find_network
    from reidlib.experiments.sources import RENDERED, open_for

    options.run_files(chosen.files)
    kept = find_network(chosen.network, chosen.figures)
    name, root = chosen.data
    if root and name in RENDERED:
        raise ValueError(f"--data {name}={root}: {name} is rendered, so it lies nowhere; give --data {name}")
    benchmark = open_for(kept.network, kept.run, name, chosen.seed, {name: root} if root else {})
    if chosen.part == "train":
        benchmark = on_training_people(benchmark)
    features = embed(kept.network, benchmark, kept.run)
    save_features(features, chosen.out, np.float32)
    (queries, width), gallery = features.query_features.shape, len(features.gallery_features)
    count = f"{queries} queries and {gallery} gallery tracklets of {benchmark.name}"
    print(f"wrote {chosen.out}: {count}, {width} numbers each")
    how = f"--protocol {benchmark.protocol} --metric {kept.run.metric}"
    print(f"`python -m reidlib evaluate {chosen.out} {how}` scores it as the network's run does")


def _evaluate(chosen: argparse.Namespace) -> None:
    from reidlib.experiments.features import load_features

    features = load_features(chosen.features)
    scores = features.scores(
        chosen.protocol, chosen.metric, chosen.average_precision, rerank={} if chosen.rerank else None
    )
    summary = {f"rank-{k}": round(100 * value, 2) for k, value in scores.cmc.items()}
    summary |= {"mAP": round(100 * scores.mean_ap, 2), "mINP": round(100 * scores.mean_inp, 2)}
    summary |= {"protocol": scores.protocol, "average precision": scores.average_precision_kind, **scores.counts}
    print(json.dumps(summary))
