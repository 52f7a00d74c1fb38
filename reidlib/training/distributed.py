"""One process or many: sharing a batch, gathering features, averaging gradients.

Started with `accelerate launch` (on several CPUs `torchrun`), every process takes its share of each batch.
Nothing here does anything when there is one process. Averaging gradients by hand, in place of a wrapper
around the network, serves several optimisers and parameters outside the network alike.
"""

import dataclasses
from collections.abc import Callable, Iterable, Mapping
from typing import Any

import torch
import torch.distributed as dist
import torch.distributed.nn.functional  # before there is a group: imported later, its defaults keep that one alive
from accelerate import PartialState
from accelerate.utils import parse_flag_from_env
from torch import Tensor, nn


def start_processes() -> PartialState:
    """This process's device and rank, and on the first call the connection to the other processes, if there
    are any.

    On the CPU where there is no other device, or with `ACCELERATE_USE_CPU=1`.
    """
    return PartialState(cpu=parse_flag_from_env("ACCELERATE_USE_CPU") or not torch.accelerator.is_available())


def num_processes() -> int:
    """How many processes train together."""
    return dist.get_world_size() if dist.is_initialized() else 1


class _Gather(torch.autograd.Function):
    """Concatenation over processes; the gradient that each process sees is summed over processes."""

    @staticmethod
    def forward(ctx, local: Tensor) -> Tensor:
        parts = [torch.empty_like(local) for _ in range(num_processes())]
        dist.all_gather(parts, local.contiguous())
        return torch.cat(parts)

    @staticmethod
    def backward(ctx, gradient: Tensor) -> Tensor:
        gradient = gradient.contiguous()
        dist.all_reduce(gradient)
        return gradient.chunk(num_processes())[dist.get_rank()]


def gather(local: Tensor) -> Tensor:
    """The tensors (b, ...) of all processes as one (b · processes, ...), in the order of the whole batch.

    For losses that mine within the batch: call it on features and on labels. Gradients flow back to the
    process that a feature came from, so that together with averaged gradients the result is that of one
    process.
    """
    return local if num_processes() == 1 else _Gather.apply(local)


def share_of_batch(batch: Any, device: torch.device) -> Any:
    """This process's share of a batch, tensors moved to `device`: of B items, which the processes must
    divide, the consecutive ones.

    batch: a tensor (B, ...), a sequence of B strings, or dataclasses, mappings, tuples and lists of them.
    ValueError if B cannot be divided.
    """

    def share(leaf: Tensor | tuple | list) -> Tensor | tuple | list:
        if (count := num_processes()) > 1:
            size, rest = divmod(len(leaf), count)
            if rest:
                raise ValueError(f"a batch of {len(leaf)} cannot be shared by {count} processes; choose a multiple")
            leaf = leaf[dist.get_rank() * size :][:size]
        return leaf.to(device, non_blocking=True) if isinstance(leaf, Tensor) else leaf

    return _map_leaves(share, batch)


def _map_leaves(function: Callable, batch: Any) -> Any:
    """`function` applied to every tensor and sequence of strings in a batch; other values stay."""
    if dataclasses.is_dataclass(batch):
        values = {field.name: _map_leaves(function, getattr(batch, field.name)) for field in dataclasses.fields(batch)}
        return dataclasses.replace(batch, **values)
    if isinstance(batch, Mapping):
        return {key: _map_leaves(function, value) for key, value in batch.items()}
    if isinstance(batch, tuple | list) and not all(isinstance(value, str) for value in batch):
        return type(batch)(_map_leaves(function, value) for value in batch)
    return function(batch) if isinstance(batch, Tensor | tuple | list) else batch


@torch.no_grad()
def average(tensors: Iterable[Tensor]) -> None:
    """Replace each tensor by its mean over processes, in one exchange."""
    tensors = list(tensors)
    if num_processes() == 1 or not tensors:
        return
    flat = torch.cat([tensor.flatten() for tensor in tensors])
    dist.all_reduce(flat)
    flat /= num_processes()
    for tensor, mean in zip(tensors, flat.split([tensor.numel() for tensor in tensors])):
        tensor.copy_(mean.view_as(tensor))


def average_gradients(parameters: Iterable[nn.Parameter]) -> None:
    """Average the gradients that are there."""
    average(parameter.grad for parameter in parameters if parameter.grad is not None)


def average_buffers(modules: Iterable[nn.Module]) -> None:
    """Average floating-point buffers: the running statistics of batch normalisation, each process having
    its own.

    They are linear in the batch statistics, so averaging them now and then equals averaging in every
    iteration.
    """
    average(buffer for module in modules for buffer in module.buffers() if buffer.is_floating_point())


def broadcast(modules: Iterable[nn.Module]) -> None:
    """Give every process the parameters and buffers of the first."""
    if num_processes() > 1:
        for module in modules:
            for tensor in module.state_dict().values():
                dist.broadcast(tensor, src=0)


def gather_objects(value: Any) -> list[Any]:
    """The values of all processes, in order."""
    values = [value] * num_processes()
    if num_processes() > 1:
        dist.all_gather_object(values, value)
    return values


def first_of_all(value: Any) -> Any:
    """The value that the first of the processes has; waits for them all."""
    return gather_objects(value)[0]
