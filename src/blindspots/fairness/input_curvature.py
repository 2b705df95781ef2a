"""How strongly the loss bends upwards in the image: the multiplier from which the inner problem is concave there."""

from __future__ import annotations

import torch
from torch import Tensor

from blindspots import checks
from blindspots.borrowed import judged
from blindspots.fairness.robust_surrogate import Losses, cross_entropies
from blindspots.types import Classifier, Scores


def input_curvature(
    model: Classifier,
    images: Tensor,
    labels: Tensor,
    *,
    iterations: int = 30,
    losses: Losses = cross_entropies,
    generator: torch.Generator,
) -> Scores:
    r"""Return the largest eigenvalue of the Hessian of each image's loss in its pixels, (N,), by power iteration.

    l - lambda ||x - x_0||^2 is concave near x where 2 lambda exceeds it. First the eigenvalue r largest in size is
    found, then that of H + |r| I, whose largest belongs to the largest of H.

    Args:
        model: images -> outputs, twice differentiable; borrowed, in evaluation mode. With ReLU the second derivative
            is that of the piece, which says nothing about the kinks between pieces.
        images: (N, C, H, W), any finite values: the point need not be a picture.
        labels: (N,), 0 to K - 1.
        iterations: products with H in each of the two rounds, at least 1. The answer approaches from below.
        losses: one value per image.
        generator: a CPU generator of the first vectors; it is advanced.

    Raises:
        TypeError, ValueError: bad images, labels or options.

    Source: Sinha, Namkoong and Duchi (2018), the condition gamma > L, which asks for this bound at all x.
    """
    checks.check_images(images, unit_range=False)
    checks.check_labels(labels, len(images))
    checks.check_number(iterations, "iterations", at_least=1, integer=True)
    checks.check_generator(generator)
    first = torch.randn(images.shape, generator=generator, dtype=torch.float64).to(images)

    def units(vectors: Tensor) -> Tensor:
        norms = torch.linalg.vector_norm(vectors.flatten(1), dim=1).view(-1, 1, 1, 1)
        return vectors / torch.where(norms > 0, norms, 1.0)

    with judged(model), torch.enable_grad():
        leaf = images.detach().clone().requires_grad_(True)
        (gradient,) = torch.autograd.grad(losses(model(leaf), labels).sum(), leaf, create_graph=True)

        def product(vectors: Tensor) -> Tensor:
            if not gradient.requires_grad:  # a linear loss
                return torch.zeros_like(vectors)
            (found,) = torch.autograd.grad(gradient, leaf, vectors, retain_graph=True, allow_unused=True)
            return torch.zeros_like(vectors) if found is None else found

        largest = torch.zeros(len(images), dtype=images.dtype, device=images.device)
        for shift in (0.0, 1.0):
            added = shift * largest.abs().view(-1, 1, 1, 1)
            vectors = units(first)
            for _ in range(iterations):
                vectors = units(product(vectors) + added * vectors)
            largest = (vectors * product(vectors)).flatten(1).sum(1)
    return largest.detach()
