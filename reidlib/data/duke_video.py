"""The loader of DukeMTMC-VideoReID, and of everything in its layout.

Wu, Lin, Dong, Yan, Ouyang, Yang, "Exploit the unknown gradually: one-shot video-based person re-identification by
stepwise learning", CVPR 2018, from the recordings of Ristani, Solera, Zou, Cucchiara, Tomasi (2016). The images were
withdrawn by their owners in 2019. Below its folder, a part, a person, a tracklet, frames:

    train/0001/0003/0001_C6_F0099_X30823.jpg   702 persons, 2196 tracklets. The name: person, camera, frame of the
                                               tracklet, frame of the recording; an older edition lacks the underscores
    query/…                                    702 other persons, a tracklet each
    gallery/…                                  these 702 and 408 persons seen by one camera only, who match no query;
                                               2636 tracklets, the queries among them
    duke_attributes.csv                        optional, see `reidlib.data.attributes`

A person has exactly one tracklet under each camera. Tracklet folders are numbered through all persons; the editions
count differently, so attributes are joined by person and camera.

Two set-ups: "mixing", the gallery as it lies there, which is what is commonly reported on this data set; "usual",
after MARS's habit, leaves the queries out of it (1934 tracklets).
"""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Literal

from reidlib.data import attributes as attribute_files
from reidlib.data import folders
from reidlib.data.images import ImageFiles
from reidlib.data.tracklets import Benchmark, Tracklet, complete, fingerprint, outline

SOURCE = "see https://github.com/Yu-Wu/DukeMTMC-VideoReID for the data set (its images were withdrawn in 2019)"

_NAME = re.compile(r"(\d{4})_?C(\d+)_?F(\d+)_?X(\d+)\.\w+")


def load(
    root: str | Path,
    setup: Literal["mixing", "usual"] = "mixing",
    attributes: str | Path | None = None,
    resolution: tuple[int, int] = (256, 128),
) -> Benchmark:
    """DukeMTMC-VideoReID, or whatever lies in its layout, as a benchmark; images are read when they are needed.

    setup: see the top of this file; queries that the folder gallery lacks are added to it for "mixing".
    attributes: the annotation file; duke_attributes.csv in `root` by default, where that exists. resolution: (H, W)
    of the frames. The fingerprint covers persons, cameras and numbers of frames, the attributes, and these
    arguments, not the pixels.

    FileNotFoundError or ValueError naming the file or folder at fault; broken images are dealt with as in
    `ImageFiles`.
    """
    if setup not in ("mixing", "usual"):
        raise ValueError(f"setup={setup!r}: expected 'mixing' or 'usual'")
    root = Path(root)
    attributes = attribute_files.annotation(attributes, root / "duke_attributes.csv", attribute_files.DUKE)
    train, query, gallery = (list(_read_part(root / part, resolution)) for part in ("train", "query", "gallery"))
    for part, tracklets in (("train", train), ("query", query)):
        if tracklets[0].person_id == 0:
            raise ValueError(f"{root / part}: expected persons from 0001 on, found 0000, a distractor; {SOURCE}")
    if attributes is not None:
        train, query, gallery = (
            attribute_files.join_attributes(part, attributes, attribute_files.DUKE) for part in (train, query, gallery)
        )
    queries = {(t.person_id, t.camera_id): t for t in query}
    others = [t for t in gallery if (t.person_id, t.camera_id) not in queries]
    gallery = others if setup == "usual" else sorted([*others, *query], key=lambda t: (t.person_id, t.camera_id))
    benchmark = Benchmark(
        tuple(train),
        tuple(query),
        tuple(gallery),
        protocol="cross-camera",
        name=f"DukeMTMC-VideoReID {setup}",
        fingerprint=fingerprint(
            *map(outline, (train, query, gallery)),
            b"" if attributes is None else attributes.read_bytes(),
            repr(resolution),
        ),
    )
    return complete(benchmark, root, f"with setup='usual' the queries are no gallery, are others there? {SOURCE}")


def _read_part(folder: Path, resolution: tuple[int, int]) -> Iterator[Tracklet]:
    """The tracklets of train, query or gallery, by person and camera."""
    for place in folders.subfolders(folder, f"a folder for each person, such as 0001; {SOURCE}"):
        (person,) = folders.match(r"(\d{4})", place, "0001")
        found = {}
        for inner in folders.subfolders(place, f"a folder for each tracklet, such as 0003; {SOURCE}"):
            (number,) = folders.match(r"(\d+)", inner, "0003")
            paths = folders.images(inner, f"frames such as {person}_C6_F0099_X30823.jpg; {SOURCE}")
            camera = _camera(paths, person)
            if camera in found:
                raise ValueError(
                    f"{inner}: expected one tracklet of person {int(person)} under camera {camera}, "
                    f"found tracklet {found[camera].tracklet_id} as well; {SOURCE}"
                )
            found[camera] = Tracklet(int(person), camera, ImageFiles(paths, resolution=resolution), int(number))
        yield from (found[camera] for camera in sorted(found))


def _camera(paths: list[Path], person: str) -> int:
    """The one camera that the names of a tracklet's frames tell."""
    names = [_NAME.fullmatch(path.name) for path in paths]
    for path, name in zip(paths, names):
        if name is None or name[1] != person or name[2] != names[0][2]:
            raise ValueError(
                f"{path.parent}: expected frames of person {person} by one camera, named like "
                f"{person}_C6_F0099_X30823.jpg, found {path.name!r}; {SOURCE}"
            )
    return int(names[0][2])
