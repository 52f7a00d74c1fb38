"""What is to be run: a table is rows, a row is a run, and a run is everything but the seed that decides a number."""

import importlib.util
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from types import ModuleType

from reidlib.papers.records import config_hash

PAPERS = ("baseline", "seqmasks", "gaitmask", "amem", "asanet", "sshsp")  # modules of this package, once written


@dataclass(frozen=True)
class Run:
    """Everything but the seed that decides a measured number. The seed draws the data, where they are rendered, and
    the weights.

    model, scale, model_options: of `create_model`. data, data_options: of `open_benchmark`. training: a function of
    the paper's module that gives `fit` its objective, optimisers and schedules; "" for networks that are not trained.
    evaluation, setups: what is scored. "retrieval" gives CMC, mAP and mINP for the galleries "usual" (without the
    queries) and "mixing" (with them), "cross-view" rank-1 over pairs of views, for the probes of each condition ("nm",
    "bg", "cl") or for "all".
    ids_per_batch, clips_per_id: P and K of a training batch. num_frames, silhouettes: how many frames and how many
    aligned silhouettes each clip has, in training and in testing; either may be 0.
    precision: "bf16" or "no", of `fit`. metric: "cosine" or "euclidean", what ranks the gallery.
    training_options: what else the paper's training function needs.
    parts: runs of the same paper, trained before, whose weights this one starts from, or which it only joins if it has
    no training of its own. Members of an `ensemble` are its parts, in their order.
    draw: tells apart networks that are trained alike on one seed's data, with other weights and batches.
    expansion, rerank: what `TestFeatures.scores` does to the features and distances of retrieval, None for nothing.
    """

    model: str
    data: str
    training: str = ""
    scale: str = "mini"
    model_options: Mapping = field(default_factory=dict)
    data_options: Mapping = field(default_factory=dict)
    setups: tuple[str, ...] = ("usual",)
    iterations: int = 0
    learning_rate: float = 0.0
    ids_per_batch: int = 8
    clips_per_id: int = 2
    num_frames: int = 8
    masks: bool = False  # the person's masks with the frames
    erasing: float = 0.0  # probability of random erasing
    crop: float = 1.0  # probability of a random crop
    precision: str = "bf16"
    metric: str = "cosine"
    silhouettes: int = 0
    evaluation: str = "retrieval"
    training_options: Mapping = field(default_factory=dict)
    parts: tuple["Run", ...] = ()
    draw: int = 0
    expansion: Mapping | None = None
    rerank: Mapping | None = None

    def __post_init__(self):
        """Parts may be given as they are read from a record, as dictionaries."""
        parts = tuple(part if isinstance(part, Run) else Run(**part) for part in self.parts)
        object.__setattr__(self, "parts", parts)

    @property
    def hash(self) -> str:
        """What the run's records are called after: the hash of network, data and all that differs from the defaults.

        A field that is added later renames no record; a default that is changed later does not pass unnoticed, because
        records hold the whole configuration.
        """
        return config_hash(self._choices())

    def _choices(self) -> dict:
        """Network, data and all that differs from the defaults, for the parts likewise."""
        plain, whole = asdict(Run(self.model, self.data)), asdict(self)
        changed = {name: value for name, value in whole.items() if json.dumps(value) != json.dumps(plain[name])}
        parts = {"parts": [part._choices() for part in self.parts]} if self.parts else {}
        return {"model": self.model, "data": self.data, **changed, **parts}

    def of_parts(self, *parts: "Run") -> "Run":
        """The same run without training of its own: it takes the weights of its parts, and searches with them."""
        return replace(self, training="", iterations=0, learning_rate=0.0, crop=1.0, parts=parts)

    def in_world(self, **data_options) -> "Run":
        """The same run, and its parts on the same data, with these settings of the data changed."""
        parts = tuple(part.in_world(**data_options) if part.data == self.data else part for part in self.parts)
        return replace(self, data_options={**self.data_options, **data_options}, parts=parts)


@dataclass(frozen=True)
class Row:
    """A row of a table: its label, the run behind it and how many seeds it takes.

    columns: where the table's columns are found in a record, {column: (set-up, score)}; by default every score under
    its own name. A table over several data sets has a row of one label for each of them, with other columns.
    """

    table: str
    label: str
    run: Run
    seeds: int = 6
    keep_features: bool = False  # write the test features of seed 0 beside the records
    columns: Mapping[str, tuple[str, str]] = field(default_factory=dict)


def paper_module(name: str) -> ModuleType | None:
    """The module that defines a paper's rows and claims, None before it is written. ValueError for no paper's name."""
    if name not in PAPERS:
        raise ValueError(f"no paper is called {name!r}; known: {', '.join(PAPERS)}")
    module = f"{__package__}.{name}"
    return importlib.import_module(module) if importlib.util.find_spec(module) else None


def rows_of(paper: str, scale: str = "mini") -> list[Row]:
    """The rows of a paper's tables that can be run at a scale, "mini" or "paper". ValueError for no paper's name."""
    module = paper_module(paper)
    return module.rows(scale) if module else []
