"""Generators that are linear in their latents, from the principal components of each class, and a linear classifier."""

from __future__ import annotations

import torch
from sklearn.linear_model import LogisticRegression
from torch import Tensor, nn

from blindspots import checks


class PrincipalGenerator(nn.Module):
    """Per class: the mean image plus latents times scaled principal components, at a given contrast around gray.

    At full contrast images are clamped to [0, 1]. At a low one they stay inside, and the generator is linear.
    """

    def __init__(self, means: Tensor, components: Tensor, shape: tuple[int, ...], contrast: float) -> None:
        super().__init__()
        self.register_buffer("means", means)
        self.register_buffer("components", components)
        self.latent_size, self.shape, self.contrast = components.shape[1], shape, contrast

    def decode(self, latents: Tensor, labels: Tensor) -> Tensor:
        """Return images (N, C, H, W) in [0, 1] of latents (N, D) and classes (N,)."""
        images = self.means[labels] + torch.einsum("nd,ndp->np", latents, self.components[labels])
        return (0.5 + self.contrast * (images - 0.5)).clamp(0.0, 1.0).reshape(-1, *self.shape)

    def forward(self, latents: Tensor, labels: Tensor) -> Tensor:
        """Return the images, as `decode`."""
        return self.decode(latents, labels)


class LinearReader(nn.Module):
    """Logits W x' + b of the image x' whose contrast around gray was lowered to x."""

    def __init__(self, weight: Tensor, bias: Tensor, contrast: float) -> None:
        super().__init__()
        self.register_buffer("weight", weight)
        self.register_buffer("bias", bias)
        self.contrast = contrast

    def forward(self, images: Tensor) -> Tensor:
        """Return logits (N, K) of images (N, C, H, W) in [0, 1]."""
        return (0.5 + (images.flatten(1) - 0.5) / self.contrast) @ self.weight.T + self.bias


def principal_generator(
    images: Tensor, labels: Tensor, *, n_classes: int, latent_size: int, contrast: float = 1.0
) -> PrincipalGenerator:
    """Return a generator whose latents are standard normal along the first principal components of each class.

    Args:
        images: (N, C, H, W) in [0, 1], of each class more than D.
        labels: (N,) in [0, K).
        n_classes: K.
        latent_size: D.
        contrast: in (0, 1]; 0.05 keeps every image that a search asks about inside [0, 1].

    Raises:
        TypeError, ValueError: bad images, labels or options, or a class with too few images.
    """
    checks.check_images(images)
    checks.check_labels(labels, len(images), n_classes=n_classes)
    checks.check_number(latent_size, "latent_size", at_least=1, integer=True)
    _check_contrast(contrast)
    counts = torch.bincount(labels, minlength=n_classes)
    if counts.min() <= latent_size:
        short = int(counts.argmin())
        raise ValueError(
            f"labels: expected more than {latent_size} images of each class, got {counts.min()} of {short}"
        )
    means, components = [], []
    for label in range(n_classes):
        own = images[labels == label].flatten(1).double()
        _, values, vectors = torch.linalg.svd(own - own.mean(0), full_matrices=False)
        deviations = values[:latent_size] / (len(own) - 1) ** 0.5
        means.append(own.mean(0))
        components.append(deviations[:, None] * vectors[:latent_size])
    return PrincipalGenerator(
        torch.stack(means).to(images), torch.stack(components).to(images), tuple(images.shape[1:]), contrast
    )


def linear_reader(images: Tensor, labels: Tensor, *, contrast: float = 1.0, penalty: float = 1.0) -> LinearReader:
    """Return multinomial logistic regression, to read the images of a `PrincipalGenerator` of the same contrast.

    Args:
        images: (N, C, H, W) in [0, 1].
        labels: (N,), all of 0 to K - 1, K at least 3.
        contrast: of the generator.
        penalty: weight of the squared norm of the coefficients, > 0.

    Raises:
        TypeError, ValueError: bad images, labels or options.
    """
    checks.check_images(images)
    checks.check_labels(labels, len(images))
    checks.check_number(penalty, "penalty", above=0.0)
    _check_contrast(contrast)
    if sorted(set(labels.tolist())) != list(range(int(labels.max()) + 1)) or labels.max() < 2:
        raise ValueError("labels: expected all of 0 to K - 1 with K at least 3; renumber them")
    fitted = LogisticRegression(C=1.0 / penalty, max_iter=200).fit(images.flatten(1).cpu(), labels.cpu())
    weight, bias = (torch.from_numpy(part).to(images) for part in (fitted.coef_, fitted.intercept_))
    return LinearReader(weight, bias, contrast)


def _check_contrast(contrast: float) -> None:
    checks.check_number(contrast, "contrast", above=0.0)
    if contrast > 1:
        raise ValueError(f"contrast: expected at most 1, got {contrast!r}")
