"""What the kernels here ask of latents, labels and decoders, and how they ask a decoder and a classifier."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

import torch
from torch import Tensor

from blindspots import checks
from blindspots.borrowed import judged
from blindspots.types import Classifier

Decoder = Callable[[Tensor, Tensor], Tensor]
"""(latents (N, D), labels (N,)) -> images (N, C, H, W) in [0, 1]: one generative model per class, or one that is told
the class. A decoder without classes ignores its labels: lambda latents, labels: generator(latents). Each image depends
on its own row alone. A torch.nn.Module is asked in evaluation mode."""


def check_latents(latents: Tensor, name: str = "latents") -> None:
    """Raise unless latents is a finite float tensor (N, D) with at least one row and one column."""
    if not isinstance(latents, Tensor):
        raise TypeError(f"{name}: expected a torch tensor (N, D), got {type(latents).__name__}; use torch.as_tensor")
    if latents.ndim != 2 or latents.numel() == 0:
        raise ValueError(f"{name}: expected shape (N, D) with N, D >= 1, got {tuple(latents.shape)}; flatten them")
    if not latents.is_floating_point():
        raise TypeError(f"{name}: expected a float tensor, got {latents.dtype}; convert with .float()")
    checks.check_finite(latents, name)


def check_subjects(latents: Tensor, labels: Tensor, batch_size: int) -> None:
    """Raise unless latents (N, D) have labels (N,), and batch_size is a positive integer."""
    check_latents(latents)
    checks.check_labels(labels, len(latents))
    checks.check_number(batch_size, "batch_size", at_least=1, integer=True)


def check_rows(rows: Tensor | None, n: int, device: torch.device) -> Tensor:
    """Return the numbers (N,) of the rows' random streams: those given, else 0 to N - 1."""
    if rows is None:
        return torch.arange(n, device=device)
    checks.check_labels(rows, n, name="rows")
    return rows


@contextmanager
def both_judged(model: Classifier, decode: Decoder) -> Iterator[None]:
    """Borrow classifier and decoder: evaluation mode inside, as they were found afterwards."""
    with judged(model), judged_decoder(decode):
        yield


@contextmanager
def judged_decoder(decode: Decoder) -> Iterator[None]:
    """Borrow a decoder, or the module whose method it is, such as `autoencoder.decode`."""
    with judged(getattr(decode, "__self__", decode)):
        yield


def decoded(decode: Decoder, latents: Tensor, labels: Tensor) -> Tensor:
    """Return the images of latents without a graph, checked to be (N, C, H, W) in [0, 1]."""
    with torch.no_grad():
        images = decode(latents, labels)
    if not isinstance(images, Tensor) or images.ndim != 4 or len(images) != len(latents):
        got = tuple(images.shape) if isinstance(images, Tensor) else type(images).__name__
        raise ValueError(
            f"decode: expected images ({len(latents)}, C, H, W) from (latents, labels), got {got}; wrap it"
        )
    checks.check_images(images, "decoded images")
    return images
