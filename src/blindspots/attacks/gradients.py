"""The gradient of a loss with respect to the images, which every attack here follows."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

from blindspots import checks
from blindspots.attacks.model import judged
from blindspots.types import Classifier, Flags, Images, Labels, Logits, Scores


def check_attack(images: Tensor, labels: Tensor) -> None:
    """Raise unless images (N, C, H, W) lie in [0, 1] and labels (N,) are classes; the number of classes comes
    later.
    """
    checks.check_images(images)
    checks.check_labels(labels, images.shape[0])


def logit_margin(logits: Logits, labels: Labels) -> Scores:
    """Return the largest logit of another class minus the label's logit (N,); > 0 = misclassified."""
    own = logits.gather(1, labels[:, None]).squeeze(1)
    others = logits.scatter(1, labels[:, None], float("-inf"))
    return others.amax(dim=1) - own


def check_differentiable(logits: Tensor) -> None:
    """Raise unless a model's logits carry a gradient back to the images."""
    if not logits.requires_grad:
        raise ValueError(
            "model: expected logits that depend on the images differentiably, got logits without a "
            "gradient; remove torch.no_grad or detach from the model"
        )


def input_gradient(
    model: Classifier, images: Tensor, labels: Tensor, losses: Callable[[Tensor], Tensor]
) -> tuple[Images, Logits]:
    """Return the gradient of losses(logits).sum() with respect to the images, and the logits without a graph.

    The model's mode, parameters and their `.grad` stay as they were; images need not require a gradient.

    Args:
        model: images -> logits (N, K).
        images: (N, C, H, W).
        labels: (N,), 0 to K - 1; only checked.
        losses: logits (N, K) -> any number of losses, each of one image; with none the gradient is 0 and is
            not taken.

    Returns:
        (N, C, H, W), in the dtype of images, and (N, K).

    Raises:
        ValueError: the model returns no finite logits (N, K), ignores the images, or a label is not below K.
    """
    with judged(model), torch.enable_grad():
        leaf = images.detach().clone().requires_grad_(True)
        logits = model(leaf)
        checks.check_logits(logits, images.shape[0])
        checks.check_labels(labels, images.shape[0], n_classes=logits.shape[1])
        check_differentiable(logits)
        values = losses(logits)
        if values.numel() == 0:
            return torch.zeros_like(images), logits.detach()
        (gradient,) = torch.autograd.grad(values.sum(), leaf)
    checks.check_finite(gradient, "the model's gradient")
    return gradient, logits.detach()


def loss_gradient(
    model: Classifier, images: Tensor, labels: Tensor, *, stop_above: float | int | None = None
) -> tuple[Images, Flags]:
    """Return the gradient of each image's cross-entropy with respect to the image, and which images stopped.

    The model is borrowed as by `input_gradient`. The loss is taken in float64, since in float32 the gradient
    of a confident network rounds to 0.

    Args:
        model: images -> logits (N, K).
        images: (N, C, H, W).
        labels: (N,), 0 to K - 1.
        stop_above: images whose `logit_margin` exceeds it stop: no gradient is taken for them. None: none
            stop.

    Returns:
        (N, C, H, W), one gradient per image (not their mean), in the dtype of images, 0 where it stopped; and
        (N,), whether it stopped.

    Raises:
        ValueError: the model returns no finite logits (N, K), ignores the images, or a label is not below K.
    """

    def stopped_at(logits: Tensor) -> Tensor:
        if stop_above is None:
            return torch.zeros_like(labels, dtype=torch.bool)
        return logit_margin(logits, labels.long()) > stop_above

    def losses(logits: Tensor) -> Tensor:
        going = ~stopped_at(logits.detach())
        return torch.nn.functional.cross_entropy(logits[going].double(), labels[going].long(), reduction="none")

    gradient, logits = input_gradient(model, images, labels, losses)
    return gradient, stopped_at(logits)


def margin_gradient(
    model: Classifier, images: Tensor, labels: Tensor, *, ceiling: float | int | Tensor | None = None
) -> tuple[Images, Scores]:
    """Return the gradient of min(`logit_margin`, ceiling) with respect to each image, and the margins.

    Args:
        model: images -> logits (N, K), borrowed as by `input_gradient`.
        images: (N, C, H, W).
        labels: (N,), 0 to K - 1.
        ceiling: margin above which the gradient is 0 and is not taken, in logits, one for all or one per
            image (N,); None: there is none.

    Returns:
        (N, C, H, W), in the dtype of images; and (N,), the margins, not limited by the ceiling.

    Raises:
        ValueError: the model returns no finite logits (N, K), ignores the images, or a label is not below K.
    """

    def losses(logits: Tensor) -> Tensor:
        margins = logit_margin(logits, labels.long())
        return margins if ceiling is None else margins[margins.detach() <= ceiling]

    gradient, logits = input_gradient(model, images, labels, losses)
    return gradient, logit_margin(logits, labels.long())


def unit_vectors(vectors: Images) -> tuple[Images, Flags]:
    """Return vectors / ||vectors||_2 per image, and which (N,) were exactly 0 and stay 0.

    Dividing by the largest entry first keeps the squares of tiny gradients inside float32's range.
    """
    peaks = vectors.abs().amax(dim=(1, 2, 3), keepdim=True)
    zero = peaks == 0
    scaled = vectors / torch.where(zero, 1.0, peaks)
    lengths = torch.linalg.vector_norm(scaled, dim=(1, 2, 3), keepdim=True)
    return scaled / torch.where(zero, 1.0, lengths), zero.flatten()
