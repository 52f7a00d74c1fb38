"""Training and feature extraction for any network, objective and loader."""

from reidlib.training.checkpoints import CheckpointError
from reidlib.training.distributed import gather
from reidlib.training.features import extract_features, outputs
from reidlib.training.fit import FitResult, fit
from reidlib.training.precision import used_precision
from reidlib.training.schedules import constant, cosine, multistep, one_cycle, with_warmup

__all__ = [
    "CheckpointError",
    "FitResult",
    "constant",
    "cosine",
    "extract_features",
    "fit",
    "gather",
    "multistep",
    "one_cycle",
    "outputs",
    "used_precision",
    "with_warmup",
]
