"""Networks, one file each. `create_model(name, …)` builds any of them from keyword arguments alone."""

from reidlib.models.network import Network
from reidlib.models.output import ModelOutput
from reidlib.models.registry import create_model, list_models, register

__all__ = ["ModelOutput", "Network", "create_model", "list_models", "register"]
