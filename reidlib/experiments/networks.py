"""Trained networks that are kept with the records: `load_network` gives one back, ready for retrieval.

A file `figures/<paper>/networks/<configuration hash>-s0.safetensors` holds the weights in half precision, and in its
metadata the configuration, the data and the scores of the record. Nothing in it is run when it is read.
"""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path

from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file

from reidlib.experiments.papers import rows_of
from reidlib.experiments.records import FIGURES, Record
from reidlib.experiments.run import Run
from reidlib.models import Network, create_model
from reidlib.models.pretrained import save_weights
from reidlib.models.registry import own_models

READY = {  # networks that are ready as they are: name -> name and options of `create_model`
    "efficientnet_lite0": ("efficientnet_lite0", {"weights": "imagenet"}),
    "resnet50": ("agw", {"weights": "imagenet"}),
    "colour_histogram": ("colour_histogram", {}),
    "gradient_histogram": ("gradient_histogram", {}),
}
NUM_FRAMES, NUM_SILHOUETTES = 8, 30  # of each tracklet, for networks that no run has trained
LARGEST = 2_000_000  # bytes of a file


@dataclass(frozen=True)
class KeptNetwork:
    """A network from its file, the run that it is the result of, and its record's paper, seed, data and scores."""

    network: Network
    run: Run
    paper: str
    seed: int
    data: Mapping
    scores: Mapping[str, Mapping]


def network_path(paper: str, run: Run, figures: Path = FIGURES) -> Path:
    """Where the network of a run under seed 0 lies, or will lie."""
    return figures / paper / "networks" / f"{run.hash}-s0.safetensors"


def write_network(network: Network, run: Run, record: Record, figures: Path = FIGURES) -> Path:
    """Write a network that is ready for retrieval, in one atomic step. ValueError if it is larger than 2 MB, which is
    too much for a repository."""
    path = network_path(record.paper, run, figures)
    path.parent.mkdir(parents=True, exist_ok=True)
    halves = {
        name: (value.half() if value.is_floating_point() else value).cpu().contiguous()
        for name, value in network.state_dict().items()
    }
    known = {"run": asdict(run), "paper": record.paper, "seed": record.seed, "data": record.data}
    scratch = path.with_suffix(".part")
    save_file(halves, scratch, metadata={"reidlib": json.dumps(known | {"scores": record.scores})})
    if (size := scratch.stat().st_size) > LARGEST:
        scratch.unlink()
        raise ValueError(f"{run.model} takes {size} bytes, {path} may have {LARGEST}: keep a smaller network")
    scratch.replace(path)
    return path


def write_backbone(network: Network, name: str, record: Record) -> Path:
    """Make a network's backbone the weights of the package that are called `name`, with its record's run, data and
    scores; see `reidlib.models.pretrained`."""
    wanted = ("paper", "config_hash", "seed", "data", "scores", "environment")
    known = {"run": record.config} | {field: getattr(record, field) for field in wanted}
    return save_weights(network.backbone, name, {"reidlib": json.dumps(known)})


def read_network(path: str | Path) -> KeptNetwork:
    """A network from the file that `write_network` wrote. FileNotFoundError or ValueError naming the file and the way
    out if there is none, or it is another file."""
    path = Path(path)
    if not path.is_file():
        raise FileNotFoundError(f"{path}: there is no such file; networks are kept by `python -m reidlib reproduce`")
    try:
        with safe_open(path, "pt") as file:
            known = json.loads((file.metadata() or {})["reidlib"])
            weights = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118 (no mapping)
        run = Run(**known.pop("run"))
        options = {name: value for name, value in run.model_options.items() if name != "weights"}
        network = create_model(run.model, scale=run.scale, num_ids=1, **options).for_retrieval()
        wanted = network.state_dict()
        network.load_state_dict({name: value.to(wanted[name].dtype) for name, value in weights.items()})
    except (SafetensorError, KeyError, ValueError, TypeError, RuntimeError) as error:
        raise ValueError(
            f"{path} is no network of this package ({type(error).__name__}: {str(error)[:300]}); restore it with git, "
            "or delete it and run `python -m reidlib reproduce` to train it again"
        ) from error
    return KeptNetwork(network, run, **known)


def find_network(name: str, figures: Path = FIGURES) -> KeptNetwork:
    """The network that a name stands for: a file that `write_network` wrote; PAPER/TABLE/ROW, of which it is kept; or
    one that is ready as it is, of `READY` or registered beside the package's, at paper scale.

    ValueError or FileNotFoundError as `read_network` and `load_network`, or naming what can be named.
    """
    if name in READY or name in own_models():
        model, options = READY.get(name, (name, {}))
        network = create_model(model, scale="paper", num_ids=1, **options).for_retrieval()
        silhouettes = NUM_SILHOUETTES if "silhouettes" in network.inputs else 0
        run = Run(model, "", scale="paper", num_frames=NUM_FRAMES, silhouettes=silhouettes, precision="no")
        return KeptNetwork(network, run, "", 0, {}, {})
    if name.endswith(".safetensors") or Path(name).is_file():
        return read_network(name)
    if name.count("/") < 2:
        raise ValueError(
            f"no network is called {name!r}; known: {', '.join([*READY, *own_models()])}. Expected one of them, a file "
            "of `python -m reidlib reproduce` (.safetensors), or PAPER/TABLE/ROW, whose network is kept"
        )
    return read_network(row_network(*name.split("/", 2), figures))


def load_network(paper: str, table: str, label: str, figures: Path = FIGURES) -> Network:
    """The network of seed 0 behind a row of a paper's table, ready for retrieval.

    ValueError for no row, naming those that there are; FileNotFoundError where a row's network is not kept.
    """
    return read_network(row_network(paper, table, label, figures)).network


def row_network(paper: str, table: str, label: str, figures: Path = FIGURES) -> Path:
    """The file of a row's network; errors as in `load_network`."""
    rows = [row for row in rows_of(paper) if row.table == table and row.label == label]
    kept = [f"{row.table} / {row.label}" for row in rows_of(paper) if row.keep_network]
    if not rows:
        raise ValueError(f"{paper} has no row {label!r} in a table {table!r}; networks are kept of {'; '.join(kept)}")
    for path in (network_path(row.paper or paper, row.run, figures) for row in rows):
        if path.exists():
            return path
    raise FileNotFoundError(
        f"the network of {paper}, table {table}, {label!r} is not kept; networks are kept of "
        f"{'; '.join(kept) or 'none'}"
    )
