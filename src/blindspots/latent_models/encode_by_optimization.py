"""Latents of an image by descent on its reconstruction error, for generators that have no encoder."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor

from blindspots.checks import check_generator, check_images, check_labels, check_number


@dataclass(frozen=True)
class OptimizedLatents:
    """Latents (N, D), the mean squared error per pixel (N,) of what they decode to, and that of each restart (N, R)."""

    latents: Tensor
    errors: Tensor
    restart_errors: Tensor


def encode_by_optimization(
    decode: Callable[[Tensor, Tensor], Tensor],
    images: Tensor,
    labels: Tensor,
    *,
    latent_size: int,
    restarts: int = 4,
    steps: int = 40,
    learning_rate: float = 0.1,
    batch_size: int = 64,
    first: Tensor | None = None,
    generator: torch.Generator,
) -> OptimizedLatents:
    """Minimize ||decode(l, y) - x||^2 over l by Adam from several starts, all images and starts at once.

    The starts are drawn from N(0, I) once and are the same for every image, so that what an image is encoded to does
    not depend on its neighbors. Of all steps of all restarts, the latents of least error are returned.

    Args:
        decode: latents (n, D) and classes (n,) -> images (n, C, H, W), differentiable in the latents, each image from
            its own latents only.
        images: (N, C, H, W) in [0, 1].
        labels: (N,) classes.
        latent_size: D.
        restarts: R >= 1.
        steps: of Adam, >= 1.
        learning_rate: of Adam.
        batch_size: images at once, each with all its restarts; bounds the memory and does not change the answer beyond
            rounding.
        first: (N, D), one more start for each image, such as an encoder network's answer; its error comes first.
        generator: a CPU generator for the other starts.

    Returns:
        OptimizedLatents, on the images' device and of their dtype.

    Raises:
        TypeError, ValueError: bad images, labels or options, or a decoder that returns another shape.

    Source: P2, as reconstructed (papers.md 3.4): mean squared error, 4 restarts, 40 Adam steps, learning rate 0.1.
    """
    check_images(images)
    check_labels(labels, len(images))
    numbers = {"latent_size": latent_size, "restarts": restarts, "steps": steps, "batch_size": batch_size}
    for name, value in numbers.items():
        check_number(value, name, at_least=1, integer=True)
    check_number(learning_rate, "learning_rate", above=0.0)
    check_generator(generator)
    if first is not None and first.shape != (len(images), latent_size):
        raise ValueError(f"first: expected latents {(len(images), latent_size)}, got {tuple(first.shape)}")
    starts = torch.randn(restarts, latent_size, generator=generator).to(images).expand(len(images), -1, -1)
    if first is not None:
        starts = torch.cat([first.detach().to(images)[:, None], starts], dim=1)
    parts = [
        _encode(decode, part, classes, begin, steps, learning_rate)
        for part, classes, begin in zip(*(rows.split(batch_size) for rows in (images, labels, starts)), strict=True)
    ]
    latents, errors = (torch.cat(given) for given in zip(*parts, strict=True))
    best = errors.argmin(1)
    every = torch.arange(len(images), device=images.device)
    return OptimizedLatents(latents[every, best], errors[every, best], errors)


def _encode(
    decode: Callable[[Tensor, Tensor], Tensor], images: Tensor, labels: Tensor, starts: Tensor, steps: int, rate: float
) -> tuple[Tensor, Tensor]:
    """Return the best latents (n, R, D) of each image and restart, and their errors (n, R)."""
    n, restarts = starts.shape[:2]
    targets = images.repeat_interleave(restarts, 0)
    classes = labels.repeat_interleave(restarts, 0)
    latents = starts.flatten(0, 1).clone().requires_grad_(True)
    optimizer = torch.optim.Adam([latents], lr=rate)
    best_latents = latents.detach().clone()
    best = torch.full((n * restarts,), float("inf"), dtype=images.dtype, device=images.device)
    for step in range(steps + 1):
        with torch.set_grad_enabled(step < steps):
            decoded = decode(latents, classes)
            if decoded.shape != targets.shape:
                raise ValueError(
                    f"decode: expected images {tuple(targets.shape)} of latents {tuple(latents.shape)}, "
                    f"got {tuple(decoded.shape)}; give the decoder of these images"
                )
            errors = (decoded - targets).square().flatten(1).mean(1)
        better = errors.detach() < best
        best = torch.where(better, errors.detach(), best)
        best_latents = torch.where(better[:, None], latents.detach(), best_latents)
        if step < steps:
            # The gradient of a sum: each image's own, whatever else is in the batch.
            (latents.grad,) = torch.autograd.grad(errors.sum(), latents)
            optimizer.step()
    return best_latents.reshape(n, restarts, -1), best.reshape(n, restarts)
