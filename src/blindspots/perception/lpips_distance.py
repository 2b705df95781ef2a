"""LPIPS: learned perceptual image patch similarity."""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from importlib import resources
from pathlib import Path

import torch
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

BACKBONES = {
    "alex": ("alexnet-owt-7be5be79.pth",),
    "vgg": ("vgg16-397923af.pth",),
    "squeeze": ("squeezenet1_1-lpips-features.pth", "squeezenet1_1-b8a52dc0.pth"),
}
"""The files of torchvision whose feature layers each network takes, in the order in which they are looked for."""

_MIN_SIDES = {"alex": 31, "vgg": 16, "squeeze": 17}


@dataclass(frozen=True, eq=False)
class LPIPSDistance(EncodedDistance):
    """LPIPS with one network; made by `lpips_distance`.

    Attributes:
        net: "alex", "vgg" or "squeeze".
        network: the frozen `lpips.LPIPS`.
    """

    net: str
    network: nn.Module

    @property
    def name(self) -> str:
        """The name of the distance."""
        return "lpips"

    def check(self, images: Tensor, name: str) -> None:
        """Raise unless images are finite, gray or RGB, and large enough for the network."""
        checks.check_images(images, name, unit_range=False, min_side=_MIN_SIDES[self.net])
        check_colors(images, name)

    def encode(self, images: Tensor) -> Encoding:
        """Return each layer's activations, (N, C, H, W), divided by their length over the channels."""
        inputs = prepare_input(self.network, images)
        layers = self.network.net(self.network.scaling_layer(2.0 * inputs - 1.0))
        lengths = [torch.linalg.vector_norm(layer, dim=1, keepdim=True) for layer in layers]
        return tuple(layer / (length + 1e-10) for layer, length in zip(layers, lengths, strict=True))

    def compare(self, images: Encoding, references: Encoding) -> Tensor:
        """Return the sum over layers of the mean over pixels of the weighted squared differences."""
        total = images[0].new_zeros(images[0].shape[0])
        for layer, reference, head in zip(images, references, self.network.lins, strict=True):
            weight = head.model[-1].weight.flatten().to(layer)
            total = total + torch.einsum("nchw,c->n", (layer - reference).square(), weight) / layer[0, 0].numel()
        return total


def lpips_distance(
    net: str = "alex", *, weights: Weights | None = None, data_root: str | Path | None = None
) -> LPIPSDistance:
    r"""Make the LPIPS distance, version 0.1 with its linear heads.

        d(x, y) = sum over layers of mean over pixels of sum_c w_c (phi_c(x) - phi_c(y))^2
    with phi the activations, divided by their length over the channels, and w the learned heads, which come
    with the lpips package. The network below them is torchvision's and has to be at hand; nothing is
    downloaded.

    Args:
        net: "alex" (what papers report unless they say otherwise), "vgg" or "squeeze". Each has values of
            its own: do not compare across networks.
        weights: the network's weights: a path, or tensors by name, of torchvision's whole network or of its
            feature layers alone. None = looked for in `<data root>/weights`, then in torch hub's cache.
        data_root: None = the environment variable BLINDSPOTS_DATA, which may be unset.

    Returns:
        A distance (images, references) -> (N,) with `prepare`. Images are (N, 3, H, W), RGB, any finite
        values, [0, 1] for the usual reading, or (N, 1, H, W), gray; sides of at least 31, 16 or 17 pixels for
        alex, vgg and squeeze. At least 0; 0 = the same activations.

    Raises:
        FileNotFoundError: no weights; the message says what to get, how large, under which licence, and where
            to put it.
        ValueError: an unknown net, or a file that is damaged or made for another network.

    Source: Zhang, Isola, Efros, Shechtman and Wang (2018). P0 Table 3.1 prints it times 1000.
    Differs from the paper: nothing in the values. Where a layer is silent at a pixel the gradient is 0; the
    package's is not a number.
    """
    checks.check_choice(net, "net", tuple(BACKBONES))
    state = torchvision_features(read_state(weights, BACKBONES[net], data_root=data_root))
    network = network_without_weights(lambda: _construct(net))
    filled = {f"scaling_layer.{name}": value for name, value in _input_scaling().items()}
    for name in network.net.state_dict():
        _, layer = name.split(".", 1)  # "slice2.3.weight" is torchvision's "3.weight"
        if layer in state:
            filled[f"net.{name}"] = state[layer]
    for name, value in _heads(net).items():
        filled[name] = filled[name.replace("lin", "lins.", 1)] = value
    return LPIPSDistance(net, fill(network, filled))


def _construct(net: str) -> nn.Module:
    import lpips

    with warnings.catch_warnings():  # lpips asks torchvision for no weights in a way that is out of date
        warnings.simplefilter("ignore")
        return lpips.LPIPS(pretrained=False, net=net, pnet_rand=True, verbose=False)


def _heads(net: str) -> dict[str, Tensor]:
    with resources.as_file(resources.files("lpips") / "weights" / "v0.1" / f"{net}.pth") as file:
        return read_state(file, ())


def _input_scaling() -> dict[str, Tensor]:
    from lpips.lpips import ScalingLayer

    return ScalingLayer().state_dict()
