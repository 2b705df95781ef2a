"""Distances that encode each image alone and then compare the encodings: the references' can be kept."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass

import torch
from torch import Tensor

from blindspots import checks
from blindspots.types import Scores

Encoding = tuple[Tensor, ...]
"""What a distance computes from images alone; every tensor has the images along its first axis."""


class EncodedDistance(ABC):
    """A distance d(x, y) = compare(encode(x), encode(y)), callable on (images, references) -> (N,).

    An attack asks for the distance to the same references at every step: `prepare` encodes them once. Both
    ways give the same numbers. A distance is made by its factory and has no state that a call changes.
    """

    @property
    @abstractmethod
    def name(self) -> str:
        """The name of the distance, under which `held_out` knows it."""

    @abstractmethod
    def encode(self, images: Tensor) -> Encoding:
        """Return the encodings of checked images (N, C, H, W), differentiable."""

    @abstractmethod
    def compare(self, images: Encoding, references: Encoding) -> Tensor:
        """Return the distances (N,) between two encodings of the same images' shape."""

    def check(self, images: Tensor, name: str) -> None:
        """Raise unless images (N, C, H, W) are finite floats that the distance can measure."""
        checks.check_images(images, name, unit_range=False)

    def __call__(self, images: Tensor, references: Tensor) -> Scores:
        """Return the distances (N,) of images to references (N, C, H, W), in the dtype of images.

        Raises:
            TypeError, ValueError: bad images, or references of another shape, dtype or device.
        """
        self.check(images, "images")
        self.check(references, "references")
        checks.check_same_shape(images, references, "images", "references")
        return self.compare(self.encode(images), self._encode_references(references)).to(images.dtype)

    def prepare(self, references: Tensor) -> PreparedEncoding:
        """Return the distance to these references (N, C, H, W), which are encoded now and never again.

        Raises:
            TypeError, ValueError: bad references.
        """
        self.check(references, "references")
        references = references.detach()
        return PreparedEncoding(
            self, self._encode_references(references), references.shape, references.dtype, references.device
        )

    def _encode_references(self, references: Tensor) -> Encoding:
        """Encode without a graph unless the caller wants a gradient for the references too."""
        with torch.set_grad_enabled(torch.is_grad_enabled() and references.requires_grad):
            return self.encode(references)


@dataclass(frozen=True)
class PreparedEncoding:
    """A distance to fixed references whose encodings are kept.

    Attributes:
        distance: what compares the encodings.
        encoding: of the references, each tensor with the N references along its first axis.
        shape: (N, C, H, W) of the references.
        dtype: of the references.
        device: of the references.
    """

    distance: EncodedDistance
    encoding: Encoding
    shape: torch.Size
    dtype: torch.dtype
    device: torch.device

    def __call__(self, images: Tensor) -> Scores:
        """Return the distances (N,) of images (N, C, H, W) to the references, in their order.

        Only shape, dtype and device are checked: a loop calls this at every step, and reading values would
        make a GPU wait.

        Raises:
            ValueError: images of another shape, dtype or device than the references.
        """
        if (images.shape, images.dtype, images.device) != (self.shape, self.dtype, self.device):
            raise ValueError(
                f"images: expected {tuple(self.shape)} {self.dtype} on {self.device}, as prepared, got "
                f"{tuple(images.shape)} {images.dtype} on {images.device}; use select for fewer, or prepare again"
            )
        return self.distance.compare(self.distance.encode(images), self.encoding).to(images.dtype)

    def select(self, indices: Tensor) -> PreparedEncoding:
        """Return the distance to the references at indices only: integers (M,), or flags (N,) that keep M.

        Raises:
            ValueError: nothing is left.
        """
        encoding = tuple(part[indices] for part in self.encoding)
        n_left = int(encoding[0].shape[0])
        if n_left == 0:
            raise ValueError("indices: expected at least one reference to keep, got none; stop the loop before")
        shape = torch.Size((n_left, *self.shape[1:]))
        return PreparedEncoding(self.distance, encoding, shape, self.dtype, self.device)
