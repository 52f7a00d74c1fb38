"""What the functions of this room accept, NumPy arrays, lists or torch tensors, checked before use."""

import numpy as np
import torch


def to_numpy(values) -> np.ndarray:
    """The values as a NumPy array on the CPU, without gradients; half precision becomes float32."""
    if isinstance(values, torch.Tensor):
        values = values.detach().cpu()
        values = (values.float() if values.dtype in (torch.bfloat16, torch.float16) else values).numpy()
    values = np.asarray(values)
    return values.astype(np.float32) if values.dtype == np.float16 else values


def as_given(result: np.ndarray, *inputs):
    """The result as a tensor on the device of the first tensor among the inputs; without one, as it is."""
    for given in inputs:
        if isinstance(given, torch.Tensor):
            return torch.from_numpy(np.ascontiguousarray(result)).to(given.device)
    return result


def features(name: str, values, dims: int = 2) -> np.ndarray:
    """Features as float32 or float64 (kept; anything else becomes float32), at least one row, all finite."""
    array = to_numpy(values)
    if array.ndim != dims or 0 in array.shape:
        raise ValueError(f"{name} must have {dims} non-empty dimensions, one feature a row; its shape is {array.shape}")
    if array.dtype not in (np.float32, np.float64):
        array = array.astype(np.float32)
    if not np.isfinite(array.sum(axis=-1)).all():
        raise ValueError(f"{name} holds values that are not finite; look for NaN or overflow in the network's output")
    return array


def feature_pair(names: tuple[str, str], a, b, dims: int = 2) -> tuple[np.ndarray, np.ndarray]:
    """Two sets of features of equal size per row, in their common precision."""
    a, b = features(names[0], a, dims), features(names[1], b, dims)
    if a.shape[1:] != b.shape[1:]:
        raise ValueError(f"{names[0]} and {names[1]} differ in feature shape: {a.shape[1:]} and {b.shape[1:]}")
    kind = np.result_type(a, b)
    return a.astype(kind, copy=False), b.astype(kind, copy=False)


def labels(name: str, values, length: int) -> np.ndarray:
    """One integer an item: identities, cameras or views."""
    array = to_numpy(values)
    if array.shape != (length,) or not np.issubdtype(array.dtype, np.integer):
        raise ValueError(f"{name} must be {length} integers; it has shape {array.shape} and type {array.dtype}")
    return array.astype(np.int64)


def distance_matrix(values, num_queries: int, num_gallery: int) -> np.ndarray:
    """A non-empty matrix (Q, G) of floating-point distances without NaN."""
    array = to_numpy(values)
    if num_queries == 0 or num_gallery == 0:
        raise ValueError(f"nothing to rank: {num_queries} queries and {num_gallery} gallery entries")
    if array.shape != (num_queries, num_gallery):
        raise ValueError(
            f"distances must have one row a query and one column a gallery entry, "
            f"({num_queries}, {num_gallery}); the shape is {array.shape}"
        )
    if array.dtype not in (np.float32, np.float64):
        array = array.astype(np.float64)
    if np.isnan(array.min()):
        raise ValueError("distances hold NaN; look for NaN or overflow in the features they come from")
    return array


def one_of(name: str, value: str, known: tuple[str, ...]) -> None:
    """Refuses a value that is not among the known ones, and lists them."""
    if value not in known:
        raise ValueError(f"{name}={value!r} is not known; choose one of {', '.join(map(repr, known))}")
