"""Body parts on real footage: does a network of SS-HSP's first stage, trained on rendered people, find real ones?

    python tests/benchmarks/parts_on_footage.py [NETWORK] [--shared DIR]

prints the foreground IoU of a kept network with the silhouettes that background subtraction finds, on the tracklets of
the KTH walking clips and of `vtest.avi` below DIR/data/footage (see `footage_scores.py`): of everything that is not the
segment which agrees best with the background, on four frames of each tracklet. Beside it that of an upright ellipse
which knows no frame, and the network's own with the true silhouettes of rendered people. Numbers only, no picture.
NETWORK: PAPER/TABLE/ROW or a file, by default the network of all losses.
"""

import argparse
import json
import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from reidlib import search, shared_folder
from reidlib.data import Benchmark, Tracklet
from reidlib.experiments import Run, rows_of
from reidlib.experiments.evaluations import measure
from reidlib.experiments.evaluations.segments import MERGED
from reidlib.experiments.networks import KeptNetwork, find_network
from reidlib.experiments.sources import RESOLUTIONS
from reidlib.experiments.train import Resources, build
from reidlib.models import Network
from reidlib.papers.sshsp import claims as names


def scores(kept: KeptNetwork, recordings: dict[str, Sequence[Path]]) -> dict:
    """Foreground IoU of a network on each of the recordings, {name: videos}, beside that of the ellipse; how many
    tracklets were followed there; and the network's IoU in its record."""
    run = next(row.run for row in rows_of("sshsp") if (row.table, row.label) == (names.TAKES, names.ONLY_ELLIPSE))
    ellipse, found = build(run, 1, Resources()).for_retrieval(), {}
    for name, videos in recordings.items():
        tracklets = search.everybody(videos, progress=False, resolution=RESOLUTIONS[kept.run.scale])
        usable = [tracklets[number] for number in search.usable(tracklets)]
        found[name] = {
            "tracklets": len(usable),
            "network": foreground_iou(kept.network, kept.run, usable),
            "ellipse": foreground_iou(ellipse, run, usable),
        }
    return found | {"rendered people": kept.scores.get(MERGED, {}).get("foreground IoU")}


def foreground_iou(network: Network, run: Run, tracklets: Sequence[Tracklet]) -> float:
    """As the evaluation "segments" measures it, the tracklets' masks being the truth; recorded boxes follow people."""
    people = Benchmark((), tuple(tracklets), (), "all", "footage", "")
    run = replace(run, evaluation="segments", windows="tracked")
    return measure(network, people, run, progress=False).scores[MERGED]["foreground IoU"]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("network", nargs="?", default=f"sshsp/{names.TAKES}/{names.ALL}")
    parser.add_argument("--shared", type=Path, default=shared_folder(), help="default: $REIDLIB_SHARED or ../shared")
    options = parser.parse_args()
    folder = options.shared and options.shared / "data" / "footage"
    if folder is None or not folder.is_dir():
        sys.exit("the recordings are not here: say where with --shared DIR; nothing was measured")
    try:
        kept = find_network(options.network)
    except (FileNotFoundError, ValueError) as error:
        sys.exit(f"{error}; nothing was measured")
    recordings = {"KTH": sorted((folder / "kth_walking").glob("*.avi")), "vtest": [folder / "vtest.avi"]}
    print(json.dumps(scores(kept, recordings), indent=1))


if __name__ == "__main__":
    main()
