"""The one place that imports torchvision: `from reidlib.vision import torchvision`.

A CPU-only torch beside the default torchvision wheel cannot load torchvision's compiled operators, and importing
torchvision then stops at "operator torchvision::nms does not exist". Models, transforms and weights need none of
those operators; declaring the two schemas that torchvision looks up lets the import pass. This is done only after
that very error: declaring an operator that does exist terminates the process.
"""

import importlib
import sys

import torch

_MISSING_OPERATOR = "operator torchvision::nms does not exist"
_library: torch.library.Library | None = None  # the declarations live as long as this object does


def _import_torchvision():
    global _library
    try:
        return importlib.import_module("torchvision")
    except RuntimeError as error:
        if _MISSING_OPERATOR not in str(error):
            raise
    for name in [name for name in sys.modules if name.split(".")[0] == "torchvision"]:
        del sys.modules[name]  # half-imported modules of the failed attempt
    _library = torch.library.Library("torchvision", "DEF")
    _library.define("nms(Tensor dets, Tensor scores, float iou_threshold) -> Tensor")
    _library.define("qnms(Tensor dets, Tensor scores, float iou_threshold) -> Tensor")
    return importlib.import_module("torchvision")


torchvision = _import_torchvision()
