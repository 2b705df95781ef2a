"""Whether a generative model can be used: errors, accuracies by a classifier that is held out, diversity, death."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from blindspots.checks import check_generator, check_images, check_labels, check_number
from blindspots.latent_models.generative_model import GenerativeModel
from blindspots.latent_models.train_wgan import image_spread
from blindspots.models.evaluation import predict
from blindspots.types import Classifier

_DEAD = 0.02  # of the spread of real images


@dataclass(frozen=True)
class GenerativeQuality:
    """Measured on n real images and as many generated ones, class by class.

    Attributes:
        n: real images; as many of each class are generated.
        classes: labels measured, in order.
        generation_accuracy: share of generated images that the judge gives their class.
        reconstruction_accuracy: the same for reconstructions of the real ones.
        real_accuracy: the judge's accuracy on the real ones, the most to be expected of the two.
        class_accuracies: generation accuracy of each class.
        reconstruction_error: mean squared error per pixel, in squared [0, 1] units.
        relative_error: the same divided by the variance of the pixels of a class around its mean image; 1 is what the
            class's mean image would have.
        spreads: spread of each class's generated images divided by that of its real ones; 1 is as diverse.
        squared_mmd: mean over classes of the unbiased squared maximum mean discrepancy between generated and real
            images, Gaussian kernel with the median distance of the real ones; 0 is no difference, and it may be below.
        latent_norm: mean of ||l||_2 / sqrt(D) of the encoded images, 1 for draws of the prior.
        latent_deviation: standard deviation of all coordinates of the encoded images, 1 for draws of the prior.
        dead: classes whose generated images hardly differ.
    """

    n: int
    classes: tuple[int, ...]
    generation_accuracy: float
    reconstruction_accuracy: float
    real_accuracy: float
    class_accuracies: tuple[float, ...]
    reconstruction_error: float
    relative_error: float
    spreads: tuple[float, ...]
    squared_mmd: float
    latent_norm: float
    latent_deviation: float
    dead: tuple[int, ...]


def generative_quality(
    model: GenerativeModel,
    judge: Classifier,
    images: Tensor,
    labels: Tensor,
    *,
    batch_size: int = 256,
    generator: torch.Generator,
) -> GenerativeQuality:
    """Measure a generative model on real images that it was not trained on.

    Args:
        model: decodes and encodes these classes.
        judge: a classifier that takes no part in the study, images (n, C, H, W) -> logits.
        images: (N, C, H, W) in [0, 1].
        labels: (N,); at least two images of each class that occurs.
        batch_size: images at once.
        generator: a CPU generator for the latents.

    Returns:
        GenerativeQuality.

    Raises:
        TypeError, ValueError: something that is no generative model, bad images or labels, a class with one image.
    """
    if not isinstance(model, GenerativeModel):
        raise TypeError(
            f"model: expected decode, encode, latent_size, n_classes, classes, image_shape; got {type(model).__name__}"
        )
    check_images(images)
    check_labels(labels, len(images), n_classes=model.n_classes)
    check_number(batch_size, "batch_size", at_least=1, integer=True)
    check_generator(generator)
    classes = tuple(labels.unique().tolist())
    for label in classes:
        if (labels == label).sum() < 2:
            raise ValueError(f"labels: expected at least 2 images of each class, got 1 of class {label}")
    drawn = torch.randn(len(images), model.latent_size, generator=generator).to(images)
    made, rebuilt, latents = [], [], []
    for part, classes_of, draws in zip(*(rows.split(batch_size) for rows in (images, labels, drawn)), strict=True):
        latents.append(model.encode(part, classes_of).detach())
        with torch.no_grad():
            rebuilt.append(model.decode(latents[-1], classes_of))
            made.append(model.decode(draws, classes_of))
    generated, reconstructed, codes = torch.cat(made), torch.cat(rebuilt), torch.cat(latents)
    right = [
        (predict(judge, given.clamp(0, 1), batch_size=batch_size) == labels).double()
        for given in (generated, reconstructed, images)
    ]
    errors = (reconstructed - images).square().flatten(1).mean(1).double()
    own = [labels == label for label in classes]
    spreads = [image_spread(generated[rows]) / max(image_spread(images[rows]), 1e-12) for rows in own]
    variance = sum(image_spread(images[rows]) ** 2 * rows.sum().item() for rows in own) / len(images)
    return GenerativeQuality(
        n=len(images),
        classes=classes,
        generation_accuracy=right[0].mean().item(),
        reconstruction_accuracy=right[1].mean().item(),
        real_accuracy=right[2].mean().item(),
        class_accuracies=tuple(right[0][rows].mean().item() for rows in own),
        reconstruction_error=errors.mean().item(),
        relative_error=errors.mean().item() / max(variance, 1e-12),
        spreads=tuple(spreads),
        squared_mmd=sum(squared_mmd(generated[rows], images[rows]) for rows in own) / len(own),
        latent_norm=(codes.double().norm(dim=1) / codes.shape[1] ** 0.5).mean().item(),
        latent_deviation=codes.double().std().item(),
        dead=tuple(label for label, spread in zip(classes, spreads, strict=True) if spread < _DEAD),
    )


def squared_mmd(images: Tensor, references: Tensor) -> float:
    """Return the unbiased squared maximum mean discrepancy with a Gaussian kernel.

    The kernel is exp(-||a - b||^2 / (2 s^2)), s the median distance of two references.

    Args:
        images: (N, C, H, W), at least two.
        references: (M, C, H, W), at least two.

    Source: Gretton et al. (2012), Lemma 6.
    """
    first, second = images.double().flatten(1), references.double().flatten(1)
    within = torch.cdist(second, second)
    off = ~torch.eye(len(second), dtype=torch.bool, device=within.device)
    scale = 2 * within[off].median().clamp_min(1e-12).square()

    def mean_kernel(distances: Tensor, same: bool) -> Tensor:
        kernel = (-distances.square() / scale).exp()
        n, m = kernel.shape
        return (kernel.sum() - kernel.diagonal().sum()) / (n * (n - 1)) if same else kernel.sum() / (n * m)

    one, two = mean_kernel(torch.cdist(first, first), True), mean_kernel(within, True)
    return (one + two - 2 * mean_kernel(torch.cdist(first, second), False)).item()
