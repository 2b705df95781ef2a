"""The distance between a network's activations: LPIPS without learned weights, for any network."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from blindspots.perception.encoded import EncodedDistance, Encoding
from blindspots.types import Features


def stacked_features(activations: Sequence[Tensor], *, normalize: bool = True) -> Features:
    r"""Return the activations of all layers as one row per image, scaled so that layers count alike.

    A layer's vector at each pixel is divided by its length over the channels, the layer by sqrt(H W), and the
    layers are put side by side. Then the squared distance between two rows is the sum over layers of the mean
    over pixels of the squared distances between unit vectors.

    Args:
        activations: one tensor per layer, (N, C, H, W), or (N, D), which counts as one pixel.
        normalize: divide by the length over the channels. False keeps the strength of an activation.

    Returns:
        (N, D), D the number of activations in all layers. A pixel without any activation stays 0, and so does
        its gradient.

    Raises:
        ValueError: no layer, a layer of another shape, or layers with different numbers of images.

    Source: Laidlaw, Singla and Feizi (2021), Sec. 3, after Zhang et al. (2018).
    """
    _check_activations(activations)
    rows = []
    for layer in activations:
        pixels = math.prod(layer.shape[2:])
        if normalize:
            lengths = torch.linalg.vector_norm(layer, dim=1, keepdim=True)
            layer = layer / torch.where(lengths > 0, lengths, 1.0)
        rows.append(layer.flatten(1) / math.sqrt(pixels))
    return torch.cat(rows, dim=1)


def _check_activations(activations: object) -> None:
    if not isinstance(activations, list | tuple) or not activations:
        raise ValueError(
            "features: expected a function that returns a list of layer activations, got "
            f"{type(activations).__name__}{' without any' if isinstance(activations, list | tuple) else ''}; "
            "see layer_features"
        )
    n = len(activations[0]) if isinstance(activations[0], Tensor) else "N"
    for number, layer in enumerate(activations):
        if not isinstance(layer, Tensor) or layer.ndim not in (2, 4) or layer.shape[0] != n:
            got = tuple(layer.shape) if isinstance(layer, Tensor) else type(layer).__name__
            raise ValueError(
                f"features: expected layer {number} as ({n}, C, H, W) or ({n}, D), got {got}; choose other layers"
            )


@dataclass(frozen=True)
class FeatureDistance(EncodedDistance):
    """The Euclidean distance between `stacked_features`; made by `feature_distance`.

    Attributes:
        features: images (N, C, H, W) -> list of layer activations.
        normalize: see `stacked_features`.
    """

    features: Callable[[Tensor], Sequence[Tensor]]
    normalize: bool = True

    @property
    def name(self) -> str:
        """The name of the distance."""
        return "features"

    def encode(self, images: Tensor) -> Encoding:
        """Return the stacked features of images."""
        activations = self.features(images)
        _check_activations(activations)
        return (stacked_features(activations, normalize=self.normalize),)

    def compare(self, images: Encoding, references: Encoding) -> Tensor:
        """Return the length of the difference; its gradient is 0 where it is 0."""
        return torch.linalg.vector_norm(images[0] - references[0], dim=1)


def feature_distance(
    features: Callable[[Tensor], Sequence[Tensor]], *, normalize: bool = True
) -> FeatureDistance:
    r"""Make the perceptual distance that a network's own activations define; it needs no weights of its own.

        d(x, y) = || phi(x) - phi(y) ||_2,   phi = `stacked_features` of features(.)
    It is a metric on what the network sees: 0 also for different images with the same activations.

    Args:
        features: images (N, C, H, W) -> list of layer activations, differentiable; see `layer_features`. The
            attacked network itself is the usual choice where no other is at hand.
        normalize: see `stacked_features`. With True a distance is at most 2 sqrt(number of layers).

    Returns:
        A distance (images, references) -> (N,), at least 0, with `prepare`; the square root of LPIPS without
        learned weights. Its gradient is 0 at images equal to their references.

    Raises:
        TypeError: features cannot be called, or normalize is no truth value.

    Source: Laidlaw, Singla and Feizi (2021), Sec. 3.
    Differs from the paper: a pixel without any activation is left at 0 instead of being divided by 1e-10.
    """
    if not callable(features):
        raise TypeError(
            f"features: expected a function images -> list of activations, got {type(features).__name__}; "
            "make one with layer_features"
        )
    if not isinstance(normalize, bool):
        raise TypeError(f"normalize: expected True or False, got {normalize!r}")
    return FeatureDistance(features, normalize)
