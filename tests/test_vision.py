"""Importing torchvision where its compiled operators load, and where they do not; each case in a process of its own."""

import subprocess
import sys

import pytest

NEEDS_OPERATORS = """
import torch
@torch.library.register_fake("torchvision::nms")
def fake_nms(dets, scores, iou_threshold):
    return dets
@torch.library.register_fake("torchvision::qnms")
def fake_qnms(dets, scores, iou_threshold):
    return dets
"""
BRINGS_OPERATORS = """
import torch
library = torch.library.Library("torchvision", "DEF")
library.define("nms(Tensor dets, Tensor scores, float iou_threshold) -> Tensor")
library.define("qnms(Tensor dets, Tensor scores, float iou_threshold) -> Tensor")
"""


def run(code: str, folder=None) -> subprocess.CompletedProcess:
    first = f"import sys; sys.path.insert(0, {str(folder)!r})\n" if folder else ""
    return subprocess.run([sys.executable, "-c", first + code], capture_output=True, text=True)


def imitation(tmp_path, source: str):
    """A folder with a package that goes by torchvision's name."""
    (tmp_path / "torchvision").mkdir()
    (tmp_path / "torchvision" / "__init__.py").write_text(source)
    return tmp_path


def test_installed_torchvision_gives_models_transforms_and_weights():
    result = run(
        "from reidlib.vision import torchvision\n"
        "from torchvision.transforms import v2\n"
        "from torchvision.models import ResNet18_Weights, resnet18\n"
        "import torch\n"
        "assert v2.functional.resize(torch.zeros(1, 3, 8, 8), [4, 4]).shape == (1, 3, 4, 4)\n"
        "assert sum(p.numel() for p in resnet18().parameters()) == ResNet18_Weights.DEFAULT.meta['num_params']\n"
    )
    assert result.returncode == 0, result.stderr


def test_missing_operators_are_declared_after_the_error(tmp_path):
    code = "from reidlib import vision; assert vision._library is not None; print(vision.torchvision.__file__)"
    result = run(code, imitation(tmp_path, NEEDS_OPERATORS))
    assert result.returncode == 0, result.stderr
    assert str(tmp_path) in result.stdout


def test_present_operators_are_left_alone(tmp_path):
    code = "from reidlib import vision; assert vision._library is None; print(vision.torchvision.__file__)"
    result = run(code, imitation(tmp_path, BRINGS_OPERATORS))
    assert result.returncode == 0, result.stderr
    assert str(tmp_path) in result.stdout


@pytest.mark.parametrize("error", ["RuntimeError('another defect')", "ImportError('no such file')"])
def test_other_errors_pass_through(tmp_path, error):
    result = run("import reidlib.vision", imitation(tmp_path, f"raise {error}"))
    assert result.returncode != 0
    assert error.split("'")[1] in result.stderr
