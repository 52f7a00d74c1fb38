"""Networks, one file each. `create_model(name, …)` builds any of them from keyword arguments alone."""

from reidlib.models.output import ModelOutput
from reidlib.models.registry import create_model, list_models

__all__ = ["ModelOutput", "create_model", "list_models"]
