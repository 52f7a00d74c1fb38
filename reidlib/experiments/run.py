"""What is to be run: a table is rows, a row is a run, and a run is everything but the seed that decides a number."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field, fields, replace

from reidlib.experiments.records import config_hash
from reidlib.experiments.trainings import find_training
from reidlib.models.pretrained import weights_digest


@dataclass(frozen=True)
class Part:
    """A run that is trained before another one, and what the other takes from it.

    into: the submodule that takes the weights, "" for the whole network (an ensemble's parts are its members, in their
    order). out_of: the submodule of the trained network whose weights are taken, "" for all of it. whole: take all
    weights, not only those that are kept for retrieval. frozen: these weights are not trained further, and their
    normalisation keeps its statistics. seed: what it is trained under, whatever the other run's seed, so that networks
    of all seeds start from the same weights, as published ones start from those of ImageNet; None for the same seed.
    beside: the name under which the other's training function gets the trained network, frozen, which then is not in
    the other network at all (a perceptual loss, a teacher). labels: the attributes that the trained network predicts,
    from as many frames as the other run's clips have, take the place of those that the training tracklets have; what
    the other run's data options do to attributes is done to them.
    """

    run: "Run"
    into: str = ""
    out_of: str = ""
    whole: bool = False
    frozen: bool = False
    beside: str = ""
    labels: bool = False
    seed: int | None = None

    def __post_init__(self):
        """The run may be given as it is read from a record, as a dictionary."""
        if isinstance(self.run, Mapping):
            object.__setattr__(self, "run", Run(**self.run))

    @property
    def fills(self) -> bool:
        """Whether its weights go into the network."""
        return not (self.beside or self.labels)

    def choices(self) -> dict:
        """The run's network, data and all that differs from the defaults."""
        plain = Part(self.run)
        changed = {
            f.name: getattr(self, f.name) for f in fields(self) if getattr(self, f.name) != getattr(plain, f.name)
        }
        return self.run.choices() | changed


@dataclass(frozen=True)
class Run:
    """Everything but the seed that decides a measured number. The seed draws the data, where they are rendered, and
    the weights.

    model, scale, model_options: of `create_model`. data, data_options: of `open_benchmark`. test_data,
    test_data_options: other data that the trained network is measured on. training: the name of a registered training,
    see `reidlib.experiments.trainings`; "" for networks that are not trained. training_options: what else it needs.
    parts: runs that are trained before, whose weights this one starts from (or is made of, if it has no training), see
    `Part`. draw: tells apart networks that are trained alike on one seed's data, with other weights and batches.

    evaluation: what is measured, one name or several of `reidlib.experiments.evaluations`; () for a pre-training that
    is only a part. setups: the galleries of retrieval, "usual" (without the queries) and "mixing" (with them).
    conditions: of the probes of cross-view evaluation ("nm", "bg", "cl", or "all"). metric: "cosine", "euclidean" or
    "30 strips", what ranks the gallery. expansion, rerank: what `RetrievalFeatures.distances` does before it is ranked,
    None for nothing.

    ids_per_batch, clips_per_id: P and K of a training batch. num_frames, silhouettes: how many frames and how many
    aligned silhouettes each clip has, in training and in testing; either may be 0. masks: give the person's masks to a
    network that can use them but does not need them. sampling, stride: of training clips, as in
    `reidlib.data.clips.sample`; test_sampling: "even" or "dense". next_frames, time_step: how many successors of each
    frame a clip has, and how many frames they lie apart; windows: "tracked", each in its own box that follows the
    person, or "fixed", all in the box of the frame that they follow (rendered data only). truth: rendered ground truth
    that the objective needs, by name. erasing, crop, flip: the probability of each change of a training clip.
    precision: "bf16" or "no", as in `reidlib.training.fit`.
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
    masks: bool = False
    erasing: float = 0.0
    crop: float = 1.0
    precision: str = "bf16"
    metric: str = "cosine"
    silhouettes: int = 0
    evaluation: str | tuple[str, ...] = "retrieval"
    training_options: Mapping = field(default_factory=dict)
    parts: tuple["Part | Run", ...] = ()
    draw: int = 0
    expansion: Mapping | None = None
    rerank: Mapping | None = None
    conditions: tuple[str, ...] = ()
    flip: float = 0.5
    sampling: str = "random"
    stride: int = 1
    test_sampling: str = "even"
    next_frames: int = 0
    time_step: int = 1
    truth: tuple[str, ...] = ()
    test_data: str = ""
    test_data_options: Mapping = field(default_factory=dict)
    windows: str = "tracked"

    def __post_init__(self):
        """Runs among the parts become `Part`s; all may also be given as they are read from a record, with lists."""
        for name in ("setups", "conditions", "truth"):
            object.__setattr__(self, name, tuple(getattr(self, name)))
        if not isinstance(self.evaluation, str):
            object.__setattr__(self, "evaluation", tuple(self.evaluation))

        def part(value: "Part | Run | Mapping") -> Part:
            if isinstance(value, Part):
                return value
            if isinstance(value, Mapping) and "run" in value:
                return Part(**value)
            return Part(value)

        object.__setattr__(self, "parts", tuple(map(part, self.parts)))

    @property
    def hash(self) -> str:
        """What the run's records are called after: the hash of network, data and all that differs from the defaults.

        New fields with defaults keep existing hashes. A default that is changed later does not pass unnoticed, because
        records hold the whole configuration. Weights of the package itself that the run starts from are named with the
        digest of their content: where they were trained anew, what was measured before is no record of the run.
        """
        return config_hash(self.choices())

    def choices(self) -> dict:
        """Network, data and all that differs from the defaults, for the parts likewise; conditions are named "setups",
        and trainings as they are in older records."""
        plain = Run(self.model, self.data)
        values = {f.name: getattr(self, f.name) for f in fields(self) if f.name != "parts"}
        changed = {name: v for name, v in values.items() if json.dumps(v) != json.dumps(getattr(plain, name))}
        if "conditions" in changed and "setups" not in changed:
            changed["setups"] = changed.pop("conditions")
        if digest := weights_digest(self.model_options.get("weights")):
            name = self.model_options["weights"]
            changed["model_options"] = {**self.model_options, "weights": f"{name} {digest}"}
        if self.training:
            changed["training"] = find_training(self.training).recorded_as
        parts = {"parts": [part.choices() for part in self.parts]} if self.parts else {}
        return {"model": self.model, "data": self.data, **changed, **parts}

    @property
    def evaluations(self) -> tuple[str, ...]:
        """The names of all that is measured."""
        return (self.evaluation,) if isinstance(self.evaluation, str) else tuple(self.evaluation)

    @property
    def weights(self) -> dict[str, str]:
        """The package's own weights that the run and its parts start from, {name: digest of their content}."""
        name = self.model_options.get("weights")
        own = {name: digest} if (digest := weights_digest(name)) else {}
        return own | {name: digest for part in self.parts for name, digest in part.run.weights.items()}

    @property
    def sources(self) -> set[str]:
        """The names of all data that the run and its parts need."""
        own = {self.data, self.test_data} - {""}
        return own.union(*(part.run.sources for part in self.parts))

    def of_parts(self, *parts: "Part | Run") -> "Run":
        """The same run without training of its own: it takes the weights of its parts, and searches with them."""
        return replace(self, training="", iterations=0, learning_rate=0.0, crop=1.0, parts=parts)

    def in_world(self, **data_options) -> "Run":
        """The same run, and its parts on the same data, with these settings of the data changed."""
        parts = (
            replace(part, run=part.run.in_world(**data_options)) if part.run.data == self.data else part
            for part in self.parts
        )
        return replace(self, data_options={**self.data_options, **data_options}, parts=tuple(parts))


@dataclass(frozen=True)
class Row:
    """A row of a table: its label, the run behind it and how many seeds it takes, from `first_seed` on.

    keep_features: write the test features of seed 0 beside the records. keep_network: write the network of seed 0, see
    `reidlib.experiments.networks`. columns: where the table's columns are found in a record, {column: (group, score)},
    the group being a set-up or a condition; by default every score under its own name. A table over several data sets
    has a row of one label for each of them, with other columns. paper: whose records hold the run, if it is another
    paper's. keep_backbone: the name under which the backbone of the first seed becomes weights of the package, one of
    `reidlib.models.pretrained.NAMES`.
    """

    table: str
    label: str
    run: Run
    seeds: int = 6
    keep_features: bool = False
    columns: Mapping[str, tuple[str, str]] = field(default_factory=dict)
    keep_network: bool = False
    paper: str = ""
    first_seed: int = 0
    keep_backbone: str = ""

    @property
    def all_seeds(self) -> range:
        """The seeds that the row takes."""
        return range(self.first_seed, self.first_seed + self.seeds)
