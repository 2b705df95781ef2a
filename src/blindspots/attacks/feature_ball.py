"""The neighborhood that the neural perceptual threat model allows: a ball in the space of layer activations."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from blindspots import checks
from blindspots.perception.feature_distance import stacked_features
from blindspots.types import Features, Images, Scores

LayerFeatures = Callable[[Tensor], Sequence[Tensor]]
"""images (N, C, H, W) -> activations of several layers, each (N, c, h, w), differentiable in the images."""

_HALVINGS = 10
_INSIDE = 1e-6  # without any overshoot, rounding would decide whether a projected image is inside


def flat_features(features: LayerFeatures, images: Tensor) -> Features:
    r"""Return each image's activations as one vector, between which LPIPS without weights is a Euclidean distance.

    In each layer the c channels at a position are divided by their L2 norm, and the layer by sqrt(h w).

    Args:
        features: images -> activations, each (N, c, h, w).
        images: (N, C, H, W).

    Returns:
        (N, D), D the sum of c h w over the layers. Its squared norm is at most the number of layers.

    Source: Laidlaw, Singla and Feizi (2021), Eq. 1; see `blindspots.perception.stacked_features`.
    """
    return stacked_features(features(images))


def _check_features(features: LayerFeatures, images: Images) -> None:
    with torch.no_grad():
        layers = features(images)
    sound = isinstance(layers, Sequence) and len(layers) > 0
    sound = sound and all(isinstance(layer, Tensor) and layer.ndim == 4 for layer in layers)
    if not sound or any(layer.shape[0] != images.shape[0] for layer in layers):
        got = type(layers).__name__
        if isinstance(layers, Sequence):
            got += f" of {[tuple(x.shape) if isinstance(x, Tensor) else type(x).__name__ for x in layers]}"
        raise ValueError(
            f"features: expected a list of activations ({images.shape[0]}, c, h, w), got {got}; "
            "return one tensor per layer, with its positions"
        )
    for layer in layers:
        checks.check_finite(layer, "the features")


@dataclass(frozen=True)
class FeatureBall:
    """All images within a distance of their centers, in the layers of a network.

    Attributes:
        features: images -> activations, each (N, c, h, w).
        centers: (N, C, H, W), in [0, 1].
        center_features: (N, D), `flat_features` of the centers.
        bound: the radius, in the units of the distance.
    """

    features: LayerFeatures
    centers: Images
    center_features: Features
    bound: float | int

    @classmethod
    def around(cls, centers: Tensor, features: LayerFeatures, bound: float | int) -> FeatureBall:
        """Return the ball about images (N, C, H, W).

        Raises:
            ValueError: features that do not return a list of finite activations (N, c, h, w), or bound <= 0.
        """
        checks.check_number(bound, "bound", above=0.0)
        _check_features(features, centers)
        with torch.no_grad():
            return cls(features, centers, flat_features(features, centers), bound)

    def select(self, indices: Tensor) -> FeatureBall:
        """Return the ball about the centers at indices (M,) only."""
        return FeatureBall(self.features, self.centers[indices], self.center_features[indices], self.bound)

    def distances(self, images: Images) -> Scores:
        """Return the distances (N,) of images to their centers."""
        with torch.no_grad():
            return torch.linalg.vector_norm(flat_features(self.features, images) - self.center_features, dim=1)

    def measure(self, images: Images) -> tuple[Features, Scores, Images]:
        """Return flat features (N, D), distances (N,), and their gradients (N, C, H, W), 0 inside the ball.

        Raises:
            ValueError: features that do not depend on the images, or a gradient that is not finite.
        """
        with torch.enable_grad():
            leaf = images.detach().clone().requires_grad_(True)
            flat = flat_features(self.features, leaf)
            distances = torch.linalg.vector_norm(flat - self.center_features, dim=1)
            outside = distances.detach() > self.bound
            gradients = torch.zeros_like(leaf)
            if outside.any():
                check_differentiable_features(flat)
                (gradients,) = torch.autograd.grad(distances[outside].sum(), leaf)
        checks.check_finite(gradients, "the features' gradient")
        return flat.detach(), distances.detach(), gradients

    def project(self, images: Images, *, overshoot: float | int = 0.1, max_iterations: int = 10) -> Images:
        r"""Bring images into the ball by Newton steps along the gradient of the distance d, then by bisection.

            x <- clamp(x - (1 + o)(d(x) - bound + o) grad d / ||grad d||_2^2)       while d(x) > bound,
        o = overshoot. So images outside land well inside, with o = 0.1 and bound 0.5 at 0.39 or less where d is
        linear. What is
        still outside after max_iterations is bisected 10 times between its center and where it stood before.

        Args:
            images: (N, C, H, W), in [0, 1].
            overshoot: o, in units of the distance and as a share of the step both, >= 0; well below bound, or
                the steps pass the center and bisection has to do the work.
            max_iterations: most Newton steps.

        Returns:
            (N, C, H, W), in [0, 1] and within the bound; images inside as they were.

        Source: the released code of Laidlaw, Singla and Feizi (2021). Differs from it: the bisection returns
        its last point inside, where theirs returns its last point; it starts from the image, where theirs
        starts from the last Newton iterate; and images already inside take no part in it.
        """
        projected = images.clone()
        outside = torch.arange(images.shape[0], device=images.device)
        ball = self
        for _ in range(max_iterations):
            _, distances, gradients = ball.measure(projected[outside])
            left = (distances > self.bound).nonzero().squeeze(1)
            if left.numel() == 0:
                return projected
            outside, ball, gradients = outside[left], ball.select(left), gradients[left]
            excess = (1.0 + overshoot) * (distances[left] - self.bound + max(overshoot, _INSIDE * self.bound))
            squares = gradients.square().sum(dim=(1, 2, 3))
            lengths = torch.where(squares > 0, excess / torch.where(squares > 0, squares, 1.0), 0.0)
            moved = projected[outside] - lengths[:, None, None, None] * gradients
            projected[outside] = moved.clamp(0.0, 1.0)
        left = (ball.distances(projected[outside]) > self.bound).nonzero().squeeze(1)
        if left.numel() > 0:
            outside = outside[left]
            projected[outside] = ball.select(left).bisect(images[outside])
        return projected

    def bisect(self, images: Images) -> Images:
        """Return the last point inside the ball on the way from each center to its image, to 1/1024 of the way."""
        shares = images.new_zeros(images.shape[0])
        for halving in range(1, _HALVINGS + 1):
            tried = shares + 0.5**halving
            inside = self.distances(self._between(images, tried)) <= self.bound
            shares = torch.where(inside, tried, shares)
        return self._between(images, shares)

    def _between(self, images: Images, shares: Scores) -> Images:
        return torch.lerp(self.centers, images, shares[:, None, None, None])


def check_differentiable_features(flat: Tensor) -> None:
    """Raise unless features carry a gradient back to the images."""
    if not flat.requires_grad:
        raise ValueError(
            "features: expected activations that depend on the images differentiably, got activations without "
            "a gradient; remove torch.no_grad or detach from them"
        )


def noisy_start(images: Images, start_noise: float | int, generator: torch.Generator | None) -> Images:
    """Return images plus Gaussian noise of a standard deviation, drawn on the CPU and clamped to [0, 1].

    Raises:
        TypeError, ValueError: noise < 0, or noise > 0 without a CPU generator.
    """
    checks.check_number(start_noise, "start_noise", at_least=0.0)
    if start_noise == 0:
        return images.clone()
    checks.check_generator(generator)
    noise = torch.randn(images.shape, generator=generator, dtype=torch.float64)
    return (images + start_noise * noise.to(images)).clamp(0.0, 1.0)
