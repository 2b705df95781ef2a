"""Training of the class-conditional autoencoder, by itself and through the cache."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from blindspots.cache import cached_tensors
from blindspots.checks import check_images, check_labels, check_number
from blindspots.fingerprint import fingerprint
from blindspots.latent_models.conditional_autoencoder import ConditionalAutoencoder, conditional_autoencoder
from blindspots.models.evaluation import place_of
from blindspots.models.optimization import EpochRecord, fit
from blindspots.models.weights import load_matching


def train_conditional_autoencoder(
    model: ConditionalAutoencoder,
    images: Tensor,
    labels: Tensor,
    *,
    epochs: int,
    batch_size: int = 32,
    learning_rate: float = 6e-3,
    divergence_weight: float = 0.2,
    seed: int,
    progress: bool = True,
) -> tuple[EpochRecord, ...]:
    r"""Train as a variational autoencoder and whiten the latents of each class, changing the model in place.

    Minimizes the mean over images of H(x, decode(c, y)) + w KL(N(m, s^2) || N(0, I)), c drawn from N(m, s^2), by Adam
    with a one-cycle learning rate; H is the cross-entropy of pixels taken as probabilities, which is least where the
    decoded image equals x. Afterwards `fit_whitening` on the same images. The divergence keeps codes close together
    and without gaps, the whitening makes the prior N(0, I) fit mean and covariance of each class, so that drawing
    latents from it and encoding images meet in one distribution.

    Args:
        model: from `conditional_autoencoder`.
        images: (N, C, H, W) in [0, 1].
        labels: (N,) integers in [0, K), at least two images of each class.
        epochs: passes over the images.
        batch_size: the largest batch.
        learning_rate: the largest one.
        divergence_weight: w >= 0; 1 is the variational bound for pixels that are 0 or 1, less reconstructs better, 0
            has no reason to keep codes together.
        seed: decides order and noise.
        progress: show a bar once training has taken three seconds.

    Returns:
        One EpochRecord per epoch; its loss is the sum above per image.

    Raises:
        TypeError, ValueError: bad images, labels or options, or training that diverged.
    """
    if not isinstance(model, ConditionalAutoencoder):
        raise TypeError(f"model: expected a ConditionalAutoencoder, got {type(model).__name__}")
    check_images(images)
    check_labels(labels, len(images), n_classes=model.n_classes)
    check_number(divergence_weight, "divergence_weight", at_least=0.0)
    if tuple(images.shape[1:]) != model.image_shape:
        raise ValueError(f"images: expected shape (N, C, H, W) with {model.image_shape}, got {tuple(images.shape)}")
    if (counts := torch.bincount(labels, minlength=model.n_classes)).min() < 2:
        raise ValueError(
            f"labels: expected at least 2 images of each class, got {counts.min()} of class {int(counts.argmin())}"
        )
    device, dtype = place_of(model, images)

    def batch_loss(indices: Tensor, draws: torch.Generator) -> Tensor:
        batch = images[indices.to(images.device)].to(device, dtype)
        classes = labels[indices.to(labels.device)].to(device)
        means, log_variances = model.encode_codes(batch, classes)
        noise = torch.randn(means.shape, generator=draws).to(means)
        rebuilt = model.decode_codes(means + noise * (log_variances / 2).exp(), classes)
        errors = F.binary_cross_entropy(rebuilt, batch, reduction="none").flatten(1).sum(1)
        divergences = 0.5 * (means.square() + log_variances.exp() - log_variances - 1).sum(1)
        return (errors + divergence_weight * divergences).mean()

    history = fit(
        model, len(images), batch_loss, epochs=epochs, batch_size=batch_size, seed=seed, learning_rate=learning_rate,
        weight_decay=0.0, optimizer="adam", schedule="one_cycle", progress=progress, description="autoencoder",
    )  # fmt: skip
    model.fit_whitening(images, labels)
    return history


def trained_conditional_autoencoder(
    images: Tensor,
    labels: Tensor,
    *,
    n_classes: int,
    data_sha256: str | Sequence[str] = (),
    latent_size: int = 16,
    width: int = 16,
    hidden: int = 128,
    epochs: int,
    batch_size: int = 32,
    learning_rate: float = 6e-3,
    divergence_weight: float = 0.2,
    seed: int,
    device: str | torch.device = "cpu",
    progress: bool = True,
    directory: str | Path | None = None,
) -> tuple[ConditionalAutoencoder, tuple[EpochRecord, ...]]:
    """Build and train a class-conditional autoencoder, or load it where the same was trained before.

    Args:
        images, labels: as in `train_conditional_autoencoder`; square images.
        n_classes, latent_size, width, hidden: as in `conditional_autoencoder`.
        data_sha256: fingerprints of the sets the images come from, kept in the key beside the tensors' own.
        device: where to train and where the model is returned.
        directory: the cache's folder; None for the usual one.
        epochs, batch_size, learning_rate, divergence_weight, seed, progress: as in `train_conditional_autoencoder`.

    Returns:
        (model in evaluation mode whose parameters require no gradients, the history of its training).

    Raises:
        TypeError, ValueError: bad images, labels or options.
        OSError: the cache's folder cannot be written to.
    """
    check_images(images)
    check_labels(labels, len(images), n_classes=n_classes)
    if images.shape[2] != images.shape[3]:
        raise ValueError(f"images: expected square images, got {tuple(images.shape[2:])}; crop them")
    model = conditional_autoencoder(
        images.shape[1], n_classes, side=images.shape[2], latent_size=latent_size, width=width, hidden=hidden, seed=seed
    ).to(device)
    options = {
        "epochs": epochs, "batch_size": batch_size, "learning_rate": learning_rate,
        "divergence_weight": divergence_weight, "seed": seed,
    }  # fmt: skip
    prints = [*([data_sha256] if isinstance(data_sha256, str) else data_sha256), fingerprint(images, labels)]

    def build() -> tuple[dict[str, Tensor], dict[str, Any]]:
        history = train_conditional_autoencoder(model, images, labels, progress=progress, **options)
        return model.state_dict(), {"history": [vars(record) for record in history]}

    entry = cached_tensors(
        "conditional-autoencoder", build,
        parameters={"spec": model.spec, "training": options, "device": torch.device(device).type}, data=prints,
        sources=[conditional_autoencoder, train_conditional_autoencoder], directory=directory,
    )  # fmt: skip
    load_matching(model, entry.tensors, f"cache entry {entry.key[:12]}")
    return frozen(model), tuple(EpochRecord(**record) for record in entry.metadata["history"])


def frozen(model: nn.Module) -> Any:
    """Return the module in evaluation mode, its parameters without gradients: searches then touch latents only."""
    return model.eval().requires_grad_(False)
