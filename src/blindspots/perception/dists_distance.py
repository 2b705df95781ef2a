"""DISTS: deep image structure and texture similarity."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from blindspots import checks
from blindspots.perception.encoded import EncodedDistance, Encoding
from blindspots.perception.frozen_network import (
    Weights,
    check_colors,
    fill,
    network_without_weights,
    prepare_input,
    read_state,
    torchvision_features,
)

FILE_NAME = "dists_weights.pt"
BACKBONE = "vgg16-397923af.pth"
_CHANNELS = (3, 64, 128, 256, 512, 512)
_LAYERS = ("3", "8", "15", "22", "29")
_SIDE = 256


@dataclass(frozen=True, eq=False)
class DISTSDistance(EncodedDistance):
    """DISTS; made by `dists_distance`.

    Attributes:
        loss: `piq`'s DISTS around the frozen network.
    """

    loss: nn.Module

    @property
    def name(self) -> str:
        """The name of the distance."""
        return "dists"

    def check(self, images: Tensor, name: str) -> None:
        """Raise unless images are finite, gray or RGB."""
        checks.check_images(images, name, unit_range=False)
        check_colors(images, name)

    def encode(self, images: Tensor) -> Encoding:
        """Return the image, at most 256 pixels at its shorter side, and its activations at five layers."""
        inputs = prepare_input(self.loss, images)
        _forget_other_kernels(self.loss, inputs)
        if min(inputs.shape[-2:]) > _SIDE:
            factor = _SIDE / min(inputs.shape[-2:])
            inputs = F.interpolate(inputs, scale_factor=factor, recompute_scale_factor=False, mode="bilinear")
        return tuple(self.loss.get_features(inputs))

    def compare(self, images: Encoding, references: Encoding) -> Tensor:
        """Return 1 - the weighted sum of the structure and texture similarities."""
        similarities = self.loss.compute_distance(list(images), list(references))
        pairs = zip(similarities, self.loss.weights, strict=True)
        return 1.0 - torch.cat([(part * weight.to(part)).mean(dim=(2, 3)) for part, weight in pairs], dim=1).sum(1)


def dists_distance(
    *,
    weights: Weights | None = None,
    backbone: Weights | None = None,
    data_root: str | Path | None = None,
) -> DISTSDistance:
    """Make the DISTS distance over VGG-16.

    Args:
        weights: the metric's own weights "alpha" and "beta": a path, or tensors by name. None =
            dists_weights.pt in `<data root>/weights`, then in torch hub's cache; nothing is downloaded.
        backbone: the weights of torchvision's VGG-16, whole or its feature layers: likewise; None =
            vgg16-397923af.pth.
        data_root: None = the environment variable BLINDSPOTS_DATA, which may be unset.

    Returns:
        A distance (images, references) -> (N,) with `prepare`. Images are (N, 3, H, W), RGB, any finite values,
        [0, 1] for the usual reading, or (N, 1, H, W), gray; images whose shorter side exceeds 256 pixels are
        made smaller first. In [0, 1] for images in [0, 1]; 0 = identical.

    Raises:
        FileNotFoundError: weights are missing; the message says what to get, how large, under which licence,
            and where to put it.
        ValueError: a file that is damaged or made for another network.

    Source: Ding, Ma, Wang and Simoncelli (2020), through piq. P0 Table 3.1 prints it times 1000.
    Differs from the paper: nothing.
    """
    own = read_state(weights, (FILE_NAME,), data_root=data_root)
    shape = (1, sum(_CHANNELS), 1, 1)
    for name in ("alpha", "beta"):
        if name not in own or tuple(own[name].shape) != shape:
            got = tuple(own[name].shape) if name in own else "none"
            raise ValueError(f"weights: expected {name} of shape {shape}, got {got}; use {FILE_NAME} of piq")
    state = torchvision_features(read_state(backbone, (BACKBONE,), data_root=data_root))
    network = fill(network_without_weights(_construct), state)
    parts = [part.detach() for name in ("alpha", "beta") for part in own[name].split(_CHANNELS, dim=1)]
    return DISTSDistance(_around(network, parts))


def _construct() -> nn.Module:
    from torchvision.models import vgg16

    return vgg16(weights=None).features


def _around(network: nn.Module, parts: list[Tensor]) -> nn.Module:
    """Return piq's DISTS around a network that is there; its own constructor would download one."""
    import piq
    from piq.perceptual import ContentLoss

    loss = piq.DISTS.__new__(piq.DISTS)
    ContentLoss.__init__(
        loss, network, layers=_LAYERS, weights=parts, replace_pooling=True, reduction="none",
        normalize_features=False, allow_layers_weights_mismatch=True,
    )  # fmt: skip
    return loss.eval()


def _forget_other_kernels(loss: nn.Module, inputs: Tensor) -> None:
    """Let piq's pooling layers make their kernel anew if the one they keep is of another dtype or device."""
    for module in loss.modules():
        kernel = getattr(module, "kernel", None)
        if isinstance(kernel, Tensor) and (kernel.dtype, kernel.device) != (inputs.dtype, inputs.device):
            module.kernel = None
