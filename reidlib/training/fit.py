"""The training loop: any network, any objective, any loader."""

import time
from collections.abc import Callable, Iterable, Mapping
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn
from torch.optim import Optimizer
from tqdm.auto import tqdm

from reidlib.training import checkpoints, distributed
from reidlib.training.checkpoints import CheckpointError
from reidlib.training.precision import Precision, autocast, used_precision
from reidlib.training.schedules import Schedule, constant

Losses = Mapping[str, Mapping[str, Tensor]]  # {group: {term: scalar}}
Objective = Callable[[nn.Module, Any], Losses]
WATCHED = "watched"  # the group of terms that no optimiser sees

_READ_EVERY = 10  # iterations between two looks at the loss terms: each look waits for the device


@dataclass
class FitResult:
    """What training did. history: {"group/term": unweighted value in every iteration}, averaged over
    processes.

    seconds: spent in training, those before an interruption included.
    """

    history: dict[str, list[float]] = field(default_factory=dict)
    seconds: float = 0.0

    @property
    def iterations(self) -> int:
        """How many iterations the network has been trained for."""
        return max((len(values) for values in self.history.values()), default=0)


def fit(
    model: nn.Module,
    objective: Objective,
    batches: Callable[..., Iterable[Any]],
    *,
    iterations: int,
    optimisers: Mapping[str, Optimizer],
    schedules: Mapping[str, Schedule] | None = None,
    weights: Mapping[str, Mapping[str, float]] | None = None,
    precision: Precision = "bf16",
    checkpoint: str | Path | None = None,
    checkpoint_every: int = 200,
    progress: bool = True,
) -> FitResult:
    """Train `model` in place for `iterations` batches.

    objective: `(model, batch) -> {group: {term: scalar}}`. A group stands for an optimiser: each group's weighted sum
    of terms is differentiated with respect to the parameters of that group's optimiser only, all groups before any
    optimiser steps. Terms of a group called "watched" are recorded and nothing else. An objective with parameters of
    its own (class centres, an adversary) is an `nn.Module`; it is moved, checkpointed and shared with the model.
    batches: `batches(start=i)` gives batch i and those after it, for instance `functools.partial(train_batches,
    tracklets, …)`. Batch i must depend on i only and leave the global random generators alone. A batch is a tensor, or
    a dataclass, mapping or tuple of tensors. optimisers: {group: optimiser}. schedules: {group: schedule} on its
    initial learning rate; constant by default. weights: {group: {term: factor}}; 1 by default. precision: "bf16"
    computes model and objective under autocast where the device computes bfloat16 natively (losses of `reidlib.losses`
    stay in float32), and in float32 elsewhere. checkpoint: a file. Where it exists, training goes on from it, otherwise
    it starts; it is written every `checkpoint_every` iterations and at the end. A run that was killed and started again
    ends with the weights that it would have had, bit for bit on the same processor and number of threads, if model and
    batches are built alike. progress: show a bar with the loss terms.

    Devices and processes come from Accelerate (`accelerate launch`, `torchrun`): every process takes its
    share of each batch and gradients are averaged; an objective that mines in the batch calls
    `reidlib.training.gather`.

    Raises ValueError for groups, terms or parameters that do not fit together or batches that end early,
    FloatingPointError naming term and iteration for a loss that is not finite, CheckpointError for a
    checkpoint that is damaged or belongs to another run.
    """
    run = _Run(model, objective, optimisers, schedules or {}, weights or {}, precision)
    path = None if checkpoint is None else Path(checkpoint)
    if path is not None and path.exists():
        states = run.load(path, iterations)
    else:
        states = None
        distributed.broadcast(run.modules.values())
    start = run.result.iterations
    bar = tqdm(
        total=iterations,
        initial=start,
        desc=type(model).__name__,
        disable=not (progress and run.processes.is_main_process),
    )
    with closing(bar):
        source = iter(batches(start=start) if start < iterations else ())
        if states is not None:
            checkpoints.restore_random_states(states)
        for iteration in range(start, iterations):
            try:
                batch = next(source)
            except StopIteration:
                raise ValueError(f"batches end after {iteration} of {iterations} iterations") from None
            run.step(iteration, batch)
            done = iteration + 1
            save = done % checkpoint_every == 0 or done == iterations
            if save or done % _READ_EVERY == 0:
                run.read_losses(bar)
            if save and path is not None:
                run.save(path)
        distributed.average_buffers(run.modules.values())
    return run.result


def training_mode(module: nn.Module) -> None:
    """Training mode for a module, but not for those inside it whose parameters are all frozen: there, normalisation
    keeps the statistics that it has, and nothing is dropped."""
    module.train()
    for part in module.modules():
        parameters = list(part.parameters())
        if parameters and not any(p.requires_grad for p in parameters):
            part.eval()


class _Run:
    """The state of a training run and what happens to it."""

    def __init__(
        self,
        model: nn.Module,
        objective: Objective,
        optimisers: Mapping[str, Optimizer],
        schedules: Mapping[str, Schedule],
        weights: Mapping[str, Mapping[str, float]],
        precision: str,
    ):
        for name, groups in (("schedules", schedules), ("weights", weights)):
            if unknown := groups.keys() - optimisers.keys():
                raise ValueError(f"{name} for {sorted(unknown)}, but the optimisers are {sorted(optimisers)}")
        self.processes = distributed.start_processes()
        used_precision(precision, self.processes.device)  # refuses what is no precision
        self.model, self.objective, self.optimisers = model, objective, optimisers
        self.schedules, self.weights, self.precision = schedules, weights, precision
        self.modules = {"model": model}
        if isinstance(objective, nn.Module):
            self.modules["objective"] = objective
        for module in self.modules.values():
            module.to(self.processes.device)
            training_mode(module)
        self.parameters = self._parameters()
        for optimiser in optimisers.values():
            for settings in optimiser.param_groups:
                settings.setdefault("initial_lr", settings["lr"])
        self.result = FitResult()
        self.unread: list[Tensor] = []  # loss terms (terms,) of the iterations since the last look
        self.terms: list[str] = []
        self.clock = time.monotonic()

    def _parameters(self) -> dict[str, list[nn.Parameter]]:
        """Each optimiser's trainable parameters, checked to be disjoint and of model or objective."""
        free = {id(p) for module in self.modules.values() for p in module.parameters()}
        chosen: dict[str, list[nn.Parameter]] = {}
        for group, optimiser in self.optimisers.items():
            chosen[group] = [p for settings in optimiser.param_groups for p in settings["params"] if p.requires_grad]
            if not {id(p) for p in chosen[group]} <= free:
                raise ValueError(
                    f"the optimiser of {group!r} has parameters of another optimiser, or of neither model "
                    "nor objective (an objective with parameters must be an nn.Module)"
                )
            free -= {id(p) for p in chosen[group]}
        return chosen

    def step(self, iteration: int, batch: Any) -> None:
        """One iteration: losses, gradients of every group, then all optimisers."""
        device = self.processes.device
        batch = distributed.share_of_batch(batch, device)
        with autocast(self.precision, device):
            losses = self.objective(self.model, batch)
        self._note(losses)
        groups = list(self.optimisers)
        for group in groups:
            self.optimisers[group].zero_grad(set_to_none=True)
        for group in groups:
            factors = self.weights.get(group, {})
            total = sum(factors.get(term, 1.0) * value for term, value in losses[group].items())
            total.backward(inputs=self.parameters[group], retain_graph=group != groups[-1])
        distributed.average_gradients(p for group in groups for p in self.parameters[group])
        for group, optimiser in self.optimisers.items():
            factor = self.schedules.get(group, constant)(iteration)
            for settings in optimiser.param_groups:
                settings["lr"] = factor * settings["initial_lr"]
            optimiser.step()

    def _note(self, losses: Losses) -> None:
        """Keep the loss terms for `read_losses`; ValueError for unexpected groups or terms."""
        if losses.keys() - {WATCHED} != self.optimisers.keys():
            raise ValueError(
                f"the objective gives groups {sorted(losses)}, the optimisers are {sorted(self.optimisers)}"
            )
        terms = [f"{group}/{term}" for group in losses for term in losses[group]]
        if not self.terms:
            unknown = {f"{g}/{term}" for g in self.weights for term in self.weights[g]} - set(terms)
            if unknown:
                raise ValueError(f"weights for {sorted(unknown)}, but the objective gives {terms}")
            self.terms = terms
        if terms != self.terms:
            raise ValueError(f"the objective gave the terms {self.terms} before and {terms} now")
        self.unread.append(torch.stack([v.detach().float() for group in losses.values() for v in group.values()]))

    def read_losses(self, bar: tqdm) -> None:
        """Bring noted terms into the history and onto the bar; FloatingPointError if one is not finite."""
        values = torch.stack(self.unread)
        distributed.average([values])
        rows = values.tolist()
        for row in rows:
            for term, value in zip(self.terms, row):
                if not abs(value) < float("inf"):
                    raise FloatingPointError(
                        f"{term} is {value} in iteration {self.result.iterations}: look at the batch, lower "
                        'the learning rate, or try precision="no"'
                    )
            for term, value in zip(self.terms, row):
                self.result.history.setdefault(term, []).append(value)
        self.unread = []
        now = time.monotonic()
        self.result.seconds += now - self.clock
        self.clock = now
        bar.set_postfix({term: f"{value:.3f}" for term, value in zip(self.terms, rows[-1])}, refresh=False)
        bar.update(len(rows))

    def save(self, path: Path) -> None:
        """Write a checkpoint of the state after the last iteration."""
        distributed.average_buffers(self.modules.values())
        states = distributed.gather_objects(checkpoints.random_states())
        if self.processes.is_main_process:
            contents = {
                "modules": {name: module.state_dict() for name, module in self.modules.items()},
                "optimisers": {group: optimiser.state_dict() for group, optimiser in self.optimisers.items()},
                "random_states": states,
                "history": self.result.history,
                "seconds": self.result.seconds,
            }
            checkpoints.save_checkpoint(path, contents)

    def load(self, path: Path, iterations: int) -> dict[str, Any]:
        """Take over the state of a checkpoint; gives the random states, to be set just before the loop."""
        contents = checkpoints.load_checkpoint(path)
        try:
            for name, module in self.modules.items():
                module.load_state_dict(contents["modules"][name])
            for group, optimiser in self.optimisers.items():
                optimiser.load_state_dict(contents["optimisers"][group])
            states = contents["random_states"][self.processes.process_index]
        except (KeyError, IndexError, ValueError, RuntimeError) as error:
            reason = f"belongs to another network, objective or number of processes ({error})"
            raise CheckpointError(checkpoints.unusable(path, reason)) from error
        self.result = FitResult(contents["history"], contents["seconds"])
        if self.result.iterations > iterations:
            reason = f"has {self.result.iterations} iterations, more than the {iterations} asked for"
            raise CheckpointError(checkpoints.unusable(path, reason))
        return states
