"""Shapes and contracts shared by every kernel.

Letters in shapes mean the same everywhere: N images, C channels, H and W pixels, K classes, D features.
Shapes are checked at run time in the test run only (see tests/conftest.py).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol, runtime_checkable

from jaxtyping import Bool, Float, Int
from torch import Tensor

Images = Float[Tensor, "N C H W"]
Maps = Float[Tensor, "N H W"]
Logits = Float[Tensor, "N K"]
Features = Float[Tensor, "N D"]
Labels = Int[Tensor, " N"]
Scores = Float[Tensor, " N"]
Flags = Bool[Tensor, " N"]
Counts = Int[Tensor, " N"]

Classifier = Callable[[Tensor], Tensor]
"""images (N, C, H, W) in [0, 1] -> logits (N, K); normalisation lives inside the model."""

Distance = Callable[[Tensor, Tensor], Tensor]
"""(images, references) -> (N,), differentiable in the first; lower = closer."""


@runtime_checkable
class FeatureClassifier(Protocol):
    """A classifier whose penultimate layer can be read."""

    def __call__(self, images: Tensor) -> Tensor:
        """Return logits (N, K) for images (N, C, H, W) in [0, 1]."""
        ...

    def encode(self, images: Tensor) -> Tensor:
        """Return the penultimate features (N, D)."""
        ...

    def head(self, features: Tensor) -> Tensor:
        """Return logits (N, K) from features (N, D)."""
        ...


@runtime_checkable
class PreparedDistance(Protocol):
    """A distance to fixed references whose own computations are cached."""

    def __call__(self, images: Tensor) -> Tensor:
        """Return the distances (N,) of images (N, C, H, W) to the prepared references."""
        ...

    def select(self, indices: Tensor) -> PreparedDistance:
        """Return the same for the references at indices (M,) only."""
        ...
