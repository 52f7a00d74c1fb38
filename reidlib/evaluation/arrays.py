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
    if not np.isfinite([array.min(), array.max()]).all():  # NaN is both; a sum could overflow
        raise ValueError(f"{name} holds values that are not finite; look for NaN or overflow in the network's output")
    return array


def feature_pair(names: tuple[str, str], a, b, dims: int = 2) -> tuple[np.ndarray, np.ndarray]:
    """Two sets of features of equal size per row, in their common precision."""
    a, b = features(names[0], a, dims), features(names[1], b, dims)
    if a.shape[1:] != b.shape[1:]:
        raise ValueError(f"{names[0]} and {names[1]} differ in feature shape: {a.shape[1:]} and {b.shape[1:]}")
    kind = np.result_type(a, b)
    return a.astype(kind, copy=False), b.astype(kind, copy=False)


def flat(values) -> np.ndarray:
    """The values as one dimension if they are a single row or column, as .mat files hold lists; else as they are."""
    array = to_numpy(values)
    return array.ravel() if array.ndim == 2 and 1 in array.shape else array


def labels(name: str, values, length: int | None = None) -> np.ndarray:
    """One integer an item, (length,), (1, length) or (length, 1): identities, cameras or views."""
    array = flat(values)
    wrong_length = array.ndim != 1 or length not in (None, len(array))
    if wrong_length or (array.size and not np.issubdtype(array.dtype, np.integer)):
        wanted = "integers, one an item" if length is None else f"{length} integers"
        raise ValueError(f"{name} must be {wanted}; it has shape {np.shape(values)} and type {array.dtype}")
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


def shaped(name: str, values, shape: str) -> np.ndarray:
    """The values in a shape written as "(N, 2, H, W)", where letters stand for any size above 0."""
    array = to_numpy(values)
    sizes = shape.strip("(,)").split(", ")
    fits = [size == int(wanted) if wanted.isdigit() else size > 0 for size, wanted in zip(array.shape, sizes)]
    if array.ndim != len(sizes) or not all(fits):
        raise ValueError(f"{name} must have the shape {shape}, without an empty dimension; its shape is {array.shape}")
    return array


def codes(name: str, values, shape: str, number: float, missing: bool = False) -> np.ndarray:
    """Integers from 0 to number − 1 (int64), from integers or booleans; below 0 too where some may be `missing`."""
    array = shaped(name, values, shape)
    if array.dtype != bool and not np.issubdtype(array.dtype, np.integer):
        raise ValueError(f"{name} must hold integers; its type is {array.dtype}")
    array = array.astype(np.int64)
    wrong = (array >= number) | ((array < 0) & (not missing))
    if wrong.any():
        unknown = ", or below 0 where it is not known" if missing else ""
        raise ValueError(f"{name} must hold integers from 0 to {number - 1}{unknown}; it holds {array[wrong][0]}")
    return array


def one_channel(values) -> np.ndarray:
    """(N, H, W) of (N, 1, H, W); anything else as it is."""
    array = to_numpy(values)
    return array[:, 0] if array.ndim == 4 and array.shape[1] == 1 else array


def silhouettes(name: str, values) -> np.ndarray:
    """Maps of what is foreground, (N, H, W) or (N, 1, H, W), from booleans or 0 and 1: bool (N, H, W)."""
    array = shaped(name, one_channel(values), "(N, H, W)")
    if array.dtype != bool and not np.isin(array, (0, 1)).all():
        raise ValueError(f"{name} must hold booleans, or 0 and 1; it ranges from {array.min()} to {array.max()}")
    return array.astype(bool)


def fractions(name: str, values, shape: str) -> np.ndarray:
    """Numbers in [0, 1], as float64."""
    array = shaped(name, values, shape).astype(np.float64)
    if not ((array >= 0) & (array <= 1)).all():  # NaN is neither
        raise ValueError(
            f"{name} must lie in [0, 1]; it ranges from {array.min()} to {array.max()} (divide bytes by 255, clip the "
            "output of a network)"
        )
    return array


def flow_at(name: str, values, valid: np.ndarray) -> np.ndarray:
    """Optical flow (N, 2, H, W) in pixels, float64, finite where `valid` (N, H, W), and 0 elsewhere."""
    frames, height, width = valid.shape
    array = shaped(name, values, f"({frames}, 2, {height}, {width})")
    array = np.where(valid[:, None], array, 0).astype(np.float64)
    if not np.isfinite(array).all():
        raise ValueError(f"{name} holds values that are not finite at valid pixels; leave them out with `valid`")
    return array


def same_shape(names: tuple[str, str], a: np.ndarray, b: np.ndarray) -> None:
    """Refuses two arrays that differ in shape."""
    if a.shape != b.shape:
        raise ValueError(f"{names[0]} and {names[1]} must have the same shape; they have {a.shape} and {b.shape}")


def mean(values: np.ndarray) -> float:
    """The mean; NaN of nothing."""
    return float(values.mean()) if len(values) else float("nan")


def one_of(name: str, value: str, known: tuple[str, ...]) -> None:
    """Refuses a value that is not among the known ones, and lists them."""
    if value not in known:
        raise ValueError(f"{name}={value!r} is not known; choose one of {', '.join(map(repr, known))}")
