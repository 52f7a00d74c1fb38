"""The loader of PETA's labels and images, and the six groups that AMEM puts its attributes in.

Deng, Luo, Loy, Tang, "Pedestrian attribute recognition at far distance", ACM Multimedia 2014: 19 000 single images from
ten collections (PRID and i-LIDS among them: people of those data sets may be known to whoever learnt from PETA), each a
tracklet of one frame here. Below its folder:

    images/00001.png    in the order of the labels
    PETA.mat            a struct `peta`: data (19000, 4 + 105), of which the first four columns are image, person,
                        collection and the person's number there, the others attributes of 0 and 1; attribute, their 105
                        names; selected_attribute, the data columns (from 1, so that 5 is the first attribute) of the
                        35 that are common enough to be tested on; partion_attribute (so spelt), five random
                        partitions into train (9500), val (1900) and test (7600), as image numbers from 1
"""

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np

from reidlib.data import folders
from reidlib.data.images import ImageFiles
from reidlib.data.matlab import as_vector, read_variable
from reidlib.data.tracklets import Benchmark, Tracklet, fingerprint

SOURCE = "get it from http://mmlab.ie.cuhk.edu.hk/projects/PETA.html"

_COLOURS = "Black Blue Brown Green Grey Orange Pink Purple Red White Yellow"
_ENDINGS = {  # of the names of the 105 attributes, by their beginning
    "personal": "Less15 Less30 Less45 Less60 Larger60 Male Female",
    "hair": f"Bald Long Short {_COLOURS}",
    "upperBody": "Casual Formal Jacket Logo LongSleeve NoSleeve Other Plaid ShortSleeve Suit Sweater ThickStripes "
    f"ThinStripes Tshirt VNeck {_COLOURS}",
    "lowerBody": "Capri Casual Formal HotPants Jeans LongSkirt Plaid ShortSkirt Shorts Suits ThinStripes Trousers "
    f"{_COLOURS}",
    "footwear": f"Boots LeatherShoes Sandals Shoes Sneaker Stocking {_COLOURS}",
    "accessory": "HairBand Hat Headphone Kerchief Muffler Nothing Sunglasses",
    "carrying": "BabyBuggy Backpack Folder LuggageCase MessengerBag Nothing Other PlasticBags ShoppingTro Suitcase "
    "Umbrella",
}
ATTRIBUTES = tuple(f"{beginning}{ending}" for beginning, all_ in _ENDINGS.items() for ending in all_.split())

KEYS = 4  # columns before the attributes
PARTS = ("train", "val", "test")
GROUPS = {  # what an attribute's name begins with -> its group; AMEM lists only examples of carrying under Accessory
    "personal": "Personal",
    "hair": "Hair",
    "upperBody": "UpperBody",
    "lowerBody": "LowerBody",
    "footwear": "Footwear",
    "accessory": "Accessory",
    "carrying": "Accessory",
}


def group(name: str) -> str:
    """The group of one of PETA's attributes; ValueError for a name that begins like none of them."""
    for prefix, title in GROUPS.items():
        if name.startswith(prefix):
            return title
    raise ValueError(f"attribute {name!r}: expected a name that begins with one of {', '.join(GROUPS)}")


def grouped(names: Iterable[str] = ATTRIBUTES) -> dict[str, list[str]]:
    """Attributes by their group, {group: names}, in the order in which they are given; ValueError as `group`."""
    found: dict[str, list[str]] = {}
    for name in names:
        found.setdefault(group(name), []).append(name)
    return found


@dataclass(frozen=True)
class PetaLabels:
    """What PETA.mat says of N images and A attributes.

    codes: int64 (N, A) of 0 and 1. people and collections: int64 (N,). selected: names of those to be tested on.
    partitions: for each, {"train" | "val" | "test": rows from 0}.
    """

    names: tuple[str, ...]
    codes: np.ndarray
    people: np.ndarray
    collections: np.ndarray
    selected: tuple[str, ...]
    partitions: tuple[dict[str, np.ndarray], ...]


def read_labels(path: str | Path) -> PetaLabels:
    """Read PETA.mat. Persons' numbers are moved up by one if somebody's is 0, see `folders.person_numbers`.

    FileNotFoundError or ValueError naming the file and what was expected in it."""
    path = Path(path)
    struct = read_variable(path, "peta", SOURCE, lambda found: {"data", "attribute"} <= {*(found.dtype.names or ())})
    try:
        fields = {name: struct[name][0, 0] for name in struct.dtype.names}
        names = tuple(str(row[0]) for row in fields["attribute"].ravel())
        data = fields["data"].astype(np.int64)
        columns = as_vector(fields["selected_attribute"], "selected_attribute").astype(np.int64) - KEYS - 1
        partitions = tuple(
            {part: as_vector(entry[part][0, 0], part).astype(np.int64) - 1 for part in PARTS}
            for entry in fields["partion_attribute"].ravel()
        )
    except (KeyError, IndexError, TypeError, ValueError) as error:
        raise ValueError(
            f"{path}: expected a struct with PETA's fields ({type(error).__name__}: {error}); {SOURCE}"
        ) from error
    codes = data[:, KEYS:]
    if not names or data.shape[1] != KEYS + len(names) or ((codes != 0) & (codes != 1)).any():
        raise ValueError(
            f"{path}: expected data with 4 columns and one of 0 and 1 for each of {len(names)} attributes, "
            f"found shape {data.shape} with values up to {codes.max(initial=0)}; {SOURCE}"
        )
    for values, limit, what in (
        (columns, len(names), "selected_attribute"),
        *((rows, len(data), "partion_attribute") for parts in partitions for rows in parts.values()),
    ):
        if values.size and not 0 <= values.min() <= values.max() < limit:
            raise ValueError(f"{path}: {what} counts beyond the {limit} there are; {SOURCE}")
    selected = tuple(names[column] for column in columns)
    numbers = folders.person_numbers([str(person) for person in np.unique(data[:, 1])])
    people = np.array([numbers[str(person)] for person in data[:, 1]], np.int64)
    return PetaLabels(names, codes, people, data[:, 2], selected, partitions)


def load(
    root: str | Path,
    partition: int = 0,
    tested: Literal["test", "val"] = "test",
    resolution: tuple[int, int] = (256, 128),
) -> Benchmark:
    """PETA, or whatever lies in its layout, as a benchmark for attribute recognition; images are read when needed.

    partition: 0 to 4. tested: the part that becomes the queries, while the gallery is empty. resolution: (H, W) of the
    frames. An image's camera_id is its collection, its tracklet_id the image's number, its attributes all of the
    file's. The fingerprint covers the labels and these arguments, not the pixels.

    FileNotFoundError or ValueError naming the file at fault; an image that cannot be read is an OSError when
    it is needed.
    """
    if tested not in PARTS[1:]:
        raise ValueError(f"tested={tested!r}: expected 'test' or 'val'")
    root = Path(root)
    labels = read_labels(root / "PETA.mat")
    if not 0 <= partition < len(labels.partitions):
        raise ValueError(f"partition={partition}: expected 0 to {len(labels.partitions) - 1}")
    if empty := [part for part in ("train", tested) if not labels.partitions[partition][part].size]:
        raise ValueError(f"{root / 'PETA.mat'}: the {empty[0]} part of partition {partition} is empty; {SOURCE}")
    images = folders.images(root / "images", f"images such as 00001.png; {SOURCE}")
    if [path.stem for path in images] != [f"{number:05d}" for number in range(1, len(labels.codes) + 1)]:
        raise ValueError(
            f"{root / 'images'}: expected 00001 to {len(labels.codes):05d}, one image for each row of PETA.mat, "
            f"found {len(images)} from {images[0].name} to {images[-1].name}; {SOURCE}"
        )

    def tracklets(part: str) -> tuple[Tracklet, ...]:
        return tuple(
            Tracklet(
                int(labels.people[row]),
                int(labels.collections[row]),
                ImageFiles([images[row]], resolution=resolution),
                row + 1,
                attributes=dict(zip(labels.names, labels.codes[row].tolist())),
            )
            for row in labels.partitions[partition][part].tolist()
        )

    content = folders.spelt(root / "PETA.mat").read_bytes()
    return Benchmark(
        train=tracklets("train"),
        query=tracklets(tested),
        gallery=(),
        protocol="all",
        name=f"PETA partition {partition}",
        fingerprint=fingerprint(content, repr((partition, tested, resolution))),
    )
