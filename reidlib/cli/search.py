"""The verb that looks for people in videos: `search`."""

import argparse
from pathlib import Path

from reidlib.cli import options


def add_verbs(verb) -> None:
    """Add the verb with its options."""
    add = verb(
        "search", _search, "Follow the people in videos of fixed cameras; show who looks like whom."
    ).add_argument
    add("videos", nargs="+", type=Path, metavar="VIDEO")
    add("--out", type=Path, required=True, metavar="DIR", help="Write into this folder, outside the repository.")
    add(
        "--network",
        default="efficientnet_lite0",
        metavar="NAME|FILE|PAPER/TABLE/ROW",
        help="The network that describes people: efficientnet_lite0, resnet50, colour_histogram, gradient_histogram; "
        "a file that `reproduce` kept, or the row that it is kept of.",
    )
    add("--top", type=options.positive, default=8, metavar="K", help="Show K entries of each ranked list.")
    add("--all", action="store_true", help="Search short, standing, hardly visible and odd-shaped tracklets as well.")
    add(
        "--query",
        metavar="CROP|TRACKLET",
        help="Search only for this person: an image file, or the number of a tracklet in tracks.csv of an earlier "
        "search of the same videos, as VIDEO:TRACKLET (2:7, the second video's seventh) where there are several.",
    )
    add(
        "--tracks",
        nargs="+",
        default=[],
        type=Path,
        metavar="MOT.txt",
        help="Take the boxes of another tracker, one file for each video in order, in place of our own tracks: lines "
        "of frame (from 1), id, left, top, width, height.",
    )
    add(
        "--min-height",
        type=float,
        default=0.06,
        metavar="SHARE",
        help="Follow people of at least this share of the picture's height, and never below 24 pixels (default: "
        "%(default)s).",
    )
    options.add_files(add)


def _search(chosen: argparse.Namespace) -> None:
    options.outside_the_repository("--out", chosen.out)
    if chosen.out.exists() and not chosen.out.is_dir():
        raise ValueError(f"--out {chosen.out} is a file; give a folder")
    from reidlib import search

    options.run_files(chosen.files)
    found = search.search(
        chosen.videos, chosen.network, chosen.all, chosen.query, chosen.min_height, tracks=chosen.tracks
    )
    followed = len(found.tracklets) - found.image
    print(f"{followed} tracklets in {len(chosen.videos)} videos, {len(found.queries)} searched for")
    for path in search.write(found, chosen.videos, chosen.out, chosen.top):
        print(f"wrote {path}")
