"""From a run and a seed to a trained network, with the parts that it starts from. A part is trained once."""

import math
from collections.abc import Mapping
from contextlib import nullcontext
from dataclasses import dataclass, field, replace
from pathlib import Path

import torch
from filelock import FileLock
from torch import Tensor

from reidlib import cache_folder
from reidlib.data import Benchmark
from reidlib.data.batches import train_batches
from reidlib.data.labels import relabelled, with_attributes
from reidlib.data.transforms import Chain, RandomCrop, RandomErasing, RandomFlip
from reidlib.experiments.clips import answers, clip_content
from reidlib.experiments.run import Part, Run
from reidlib.experiments.sources import open_benchmark
from reidlib.experiments.trainings import Setting, find_training
from reidlib.models import Network, create_model
from reidlib.models.ensemble import Ensemble
from reidlib.training import FitResult, distributed, fit
from reidlib.training.fit import WATCHED


@dataclass(frozen=True)
class Resources:
    """What a run is measured with. roots: folders of recorded data by name, as in `open_benchmark`. weights: a file in
    place of the ImageNet weights that would be downloaded. progress: show bars."""

    roots: Mapping[str, Path] = field(default_factory=dict)
    weights: Path | None = None
    progress: bool = True


@dataclass(frozen=True)
class Trained:
    """A run's network, as training leaves it. seconds: of its own training. part_seconds: of its parts' and theirs.
    watched: see `Record`."""

    model: Network
    seconds: float = 0.0
    part_seconds: float = 0.0
    watched: Mapping[str, float] = field(default_factory=dict)


def train(
    run: Run, seed: int, benchmark: Benchmark, resources: Resources | None = None, checkpoint: Path | None = None
) -> Trained:
    """The run's network, trained under a seed or, if that was done before as a part of another run, as it was kept.

    Everything random is set by `seed` and the run's `draw`. checkpoint: a file, from which training goes on if it
    exists. ValueError for parts that do not fit, or do not cover a network that is not trained.
    """
    resources = resources or Resources()
    if (kept := weights_file(run, seed, benchmark)).exists() and run.training:
        content = torch.load(kept, weights_only=True)
        model = build(run, benchmark.num_ids, resources)
        model.load_state_dict(content["weights"])
        return Trained(model, content["seconds"], content["part_seconds"], content["watched"])
    parts = [(part, _trained_part(part, run, seed, benchmark, resources)) for part in run.parts]
    once = {part.run.hash: trained for part, trained in parts}  # several parts may be of one run
    part_seconds = sum(trained.seconds + trained.part_seconds for trained in once.values())
    randomness = seed + 1000 * run.draw
    torch.manual_seed(randomness)
    model = build(run, benchmark.num_ids if run.training else 1, resources)
    covered = _fill(model, run, parts)
    if not run.training:
        needed = model.for_retrieval().state_dict().keys()
        if run.parts and (missing := needed - covered):
            raise ValueError(f"{run.model} is not trained, and none of its parts has weights for {sorted(missing)[0]}")
        return Trained(model, part_seconds=part_seconds)
    for part, trained in parts:
        if part.labels:
            labelling = replace(part.run, num_frames=run.num_frames)
            benchmark = predicted_attributes(trained.model, labelling, benchmark, resources.progress)
            benchmark = with_attributes(benchmark, run.data_options.get("attributes", "true"), seed)
    beside = {part.beside: _frozen(trained.model) for part, trained in parts if part.beside}
    plan = find_training(run.training).function(Setting(model, run, benchmark, beside))
    clips = clip_content(model, run)
    transform = Chain((RandomCrop(probability=run.crop), RandomFlip(run.flip), RandomErasing(run.erasing)))
    result = fit(
        model,
        plan.objective,
        batches=lambda start: train_batches(
            benchmark.train,
            ids_per_batch=run.ids_per_batch,
            clips_per_id=run.clips_per_id,
            iterations=run.iterations,
            seed=randomness,
            start=start,
            transform=transform if clips["num_frames"] else None,
            sampling=run.sampling,
            stride=run.stride,
            workers=0 if run.scale == "mini" else 8,
            **clips,
        ),
        iterations=run.iterations,
        optimisers=plan.optimisers,
        schedules=plan.schedules,
        weights=plan.weights,
        precision=run.precision,
        checkpoint=checkpoint,
        progress=resources.progress,
    )
    return Trained(model, result.seconds, part_seconds, _watched(result))


def build(run: Run, num_ids: int, resources: Resources) -> Network:
    """The run's network before training."""
    options = run.model_options if resources.weights is None else _from_file(run.model_options, resources.weights)
    return create_model(run.model, scale=run.scale, num_ids=num_ids, **options)


def _from_file(options: Mapping, file: Path) -> dict:
    """A network's options with a file in place of ImageNet weights, in those of an ensemble's members as well."""
    changed = dict(options)
    if changed.get("weights") == "imagenet":
        changed["weights"] = file
    if "members" in changed:
        changed["members"] = [(name, _from_file(how, file)) for name, how in changed["members"]]
    return changed


def _fill(model: Network, run: Run, parts: list[tuple[Part, Trained]]) -> set[str]:
    """Put the parts' weights into the network, and freeze those that are to be; gives the names of what was filled."""
    covered = set()
    for number, (part, trained) in enumerate(parts):
        if not part.fills:
            continue
        source = trained.model if part.whole else trained.model.for_retrieval()
        weights = source.get_submodule(part.out_of).state_dict()
        place = part.into or (f"members.{number}" if isinstance(model, Ensemble) else "")
        target = model.get_submodule(place)
        try:
            unknown = target.load_state_dict(weights, strict=False).unexpected_keys
        except RuntimeError as error:  # shapes that differ
            raise ValueError(f"{run.model} cannot take the weights of its part {part.run.model}: {error}") from error
        if unknown:
            raise ValueError(f"{run.model} has no place for {unknown[0]}, the weights of a part that it starts from")
        if part.frozen:
            parameters = dict(target.named_parameters())
            for name in weights.keys() & parameters.keys():
                parameters[name].requires_grad_(False)
        covered |= {f"{place}.{name}".lstrip(".") for name in weights}
    return covered


def _trained_part(part: Part, run: Run, seed: int, benchmark: Benchmark, resources: Resources) -> Trained:
    """A part, trained on the run's own benchmark or on its own; kept for all that start from it."""
    own, seed, same = part.run, _seed(part, seed), part.seed in (None, seed)
    data = benchmark
    if not same or (own.data, own.data_options) != (run.data, run.data_options):
        data = open_benchmark(own.data, seed, resources.roots, own.data_options, resources.progress)
    main = distributed.start_processes().is_main_process
    with FileLock(run_file(own, seed, "lock")) if main else nullcontext():
        done = distributed.first_of_all(weights_file(own, seed, data).exists())
        checkpoint = run_file(own, seed, f"{data.fingerprint}.pt")
        trained = train(own, seed, data, resources, checkpoint)
        if main and not done and own.training:
            keep_weights(trained, weights_file(own, seed, data))
            checkpoint.unlink(missing_ok=True)
    return trained


def _seed(part: Part, seed: int) -> int:
    """What a part of a run of `seed` is trained under."""
    return seed if part.seed is None else part.seed


def predicted_attributes(network: Network, run: Run, benchmark: Benchmark, progress: bool = True) -> Benchmark:
    """The benchmark with the attributes that a network, trained by `run`, predicts for the training tracklets: the code
    of the highest score, or for attributes with one score whether it is above 0. ValueError if it predicts none."""
    codes: dict[str, list[int]] = {}
    for _, output in answers(network, benchmark.train, replace(run, test_sampling="even"), progress):
        for name, scores in output.attributes.items():
            found = scores.argmax(1) if scores.shape[1] > 1 else scores[:, 0] > 0
            codes.setdefault(name, []).extend(found.long().tolist())
    if not codes:
        raise ValueError(f"{run.model} predicts no attributes, so that it cannot label {benchmark.name}")
    labels = {t: {name: codes[name][i] for name in codes} for i, t in enumerate(benchmark.train)}
    return relabelled(benchmark, labels, f"attributes predicted by {run.hash}")


def _frozen(network: Network) -> Network:
    """The trained network as it stands beside another: without gradients, in evaluation mode."""
    return network.for_retrieval().requires_grad_(False).to(distributed.start_processes().device)


def _watched(result: FitResult) -> dict[str, float]:
    """The mean of each watched term over the last tenth of training."""
    tail = math.ceil(result.iterations / 10)
    found = {name: values[-tail:] for name, values in result.history.items() if name.startswith(f"{WATCHED}/")}
    return {name.removeprefix(f"{WATCHED}/"): round(sum(v) / len(v), 5) for name, v in found.items()}


def weights_file(run: Run, seed: int, benchmark: Benchmark) -> Path:
    """Where a part's weights are kept in the cache."""
    return run_file(run, seed, f"{benchmark.fingerprint}.weights.pt")


def keep_weights(trained: Trained, path: Path) -> None:
    """Write a part's weights, and how long they took, in one atomic step."""
    scratch = path.with_suffix(".unfinished")
    weights: dict[str, Tensor] = trained.model.state_dict()
    content = {"weights": weights, "seconds": trained.seconds, "part_seconds": trained.part_seconds}
    torch.save(content | {"watched": dict(trained.watched)}, scratch)
    scratch.replace(path)


def run_file(run: Run, seed: int, suffix: str) -> Path:
    """A file in the cache that belongs to one run: its lock ("lock"), a checkpoint ("….pt") or its weights."""
    folder = cache_folder() / "runs"
    folder.mkdir(parents=True, exist_ok=True)
    return folder / f"{run.hash}-s{seed}.{suffix}"


def forget(run: Run, seed: int, before: float) -> None:
    """Delete checkpoints and kept weights of a run and of its parts that are older than a time in seconds."""
    for part in run.parts:
        forget(part.run, _seed(part, seed), before)
    for file in run_file(run, seed, "").parent.glob(f"{run.hash}-s{seed}.*.pt"):
        if file.stat().st_mtime < before:
            file.unlink()
