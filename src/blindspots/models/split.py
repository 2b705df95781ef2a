"""The one shape of our classifiers: normalization, a feature extractor and a head, in that order.

Every architecture of the package is this module around its own layers, so that each takes [0, 1], shows its
penultimate features, and can be rebuilt from the JSON-able `spec` it carries.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor, nn

from blindspots.checks import check_number
from blindspots.seeding import derive_seed

IMAGENET_MEAN = (0.485, 0.456, 0.406)
IMAGENET_STD = (0.229, 0.224, 0.225)


class SplitClassifier(nn.Module):
    """A classifier of images or tables whose forward pass is head(encode(images)).

    Args:
        features: layers from normalized inputs to features (N, D).
        classifier: layers from features (N, D) to logits (N, K).
        input_shape: (C, None, None) for images with C channels, (F,) for inputs that are flattened to F numbers.
        mean: one number per channel (or feature), or one for all; subtracted from the inputs.
        std: likewise, > 0; divides them afterwards.
        min_side: the smallest height or width the layers can take, in pixels.
        spec: the JSON-able description `build_model` rebuilds the architecture from.
    """

    def __init__(
        self,
        features: nn.Module,
        classifier: nn.Module,
        *,
        input_shape: tuple[int | None, ...],
        mean: Sequence[float],
        std: Sequence[float],
        spec: dict[str, Any],
        min_side: int = 1,
    ) -> None:
        super().__init__()
        self.features = features
        self.classifier = classifier
        self.input_shape = input_shape
        self.min_side = min_side
        self.spec = spec
        trailing = (1,) * (len(input_shape) - 1)
        self.register_buffer("mean", torch.tensor(list(mean)).reshape(-1, *trailing))
        self.register_buffer("std", torch.tensor(list(std)).reshape(-1, *trailing))

    def encode(self, images: Tensor) -> Tensor:
        """Return the penultimate features (N, D) of images (N, C, H, W) in [0, 1], or of table rows (N, F)."""
        inputs = images.flatten(1) if len(self.input_shape) == 1 else images
        wanted = self.input_shape
        if inputs.ndim != len(wanted) + 1 or inputs.shape[1] != wanted[0]:
            image_like = f"(N, {wanted[0]}, H, W)"
            expected = image_like if len(wanted) == 3 else f"(N, {wanted[0]}) or images of that many values"
            raise ValueError(
                f"images: expected shape {expected} for this {self.spec['name']}, got {tuple(images.shape)}; "
                "build the model for these inputs"
            )
        if len(wanted) == 3 and min(inputs.shape[-2:]) < self.min_side:
            raise ValueError(
                f"images: expected sides of at least {self.min_side} pixels for this {self.spec['name']}, "
                f"got {inputs.shape[-2]}x{inputs.shape[-1]}; use larger images"
            )
        return self.features((inputs - self.mean) / self.std)

    def head(self, features: Tensor) -> Tensor:
        """Return logits (N, K) from features (N, D)."""
        return self.classifier(features)

    def forward(self, images: Tensor) -> Tensor:
        """Return logits (N, K)."""
        return self.head(self.encode(images))


@contextmanager
def seeded_construction(seed: int) -> Iterator[None]:
    """Let layers draw their first weights from a seed; the global generator is as before afterwards.

    Layers initialize themselves from torch's global CPU generator and take no other. Its state is put aside, seeded
    and put back; the generators of accelerators are not touched.
    """
    check_number(seed, "seed", integer=True)
    with torch.random.fork_rng(devices=[]):
        torch.default_generator.manual_seed(derive_seed(seed, "weights"))
        yield


def channel_statistics(mean: Sequence[float], std: Sequence[float], n_channels: int) -> tuple[list[float], list[float]]:
    """Check the numbers that normalize inputs and return both as lists, for a spec.

    Raises:
        ValueError: neither one number nor one per channel, not finite, or a deviation that is not > 0.
    """
    lists = []
    for name, values in (("mean", mean), ("std", std)):
        numbers = [float(value) for value in values]
        if len(numbers) not in (1, n_channels):
            raise ValueError(f"{name}: expected 1 or {n_channels} numbers, one per channel, got {len(numbers)}")
        if not all(math.isfinite(number) and (name == "mean" or number > 0) for number in numbers):
            raise ValueError(f"{name}: expected finite numbers{' > 0' if name == 'std' else ''}, got {numbers}")
        lists.append(numbers)
    return lists[0], lists[1]
