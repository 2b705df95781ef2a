"""The gradient of the loss with respect to the images, which every attack here follows."""

from __future__ import annotations

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


def loss_gradient(
    model: Classifier, images: Tensor, labels: Tensor, *, stop_above: float | int | None = None
) -> tuple[Images, Flags]:
    """Return the gradient of each image's cross-entropy with respect to the image, and which images stopped.

    The model's mode, parameters and their `.grad` stay as they were; images need not require a gradient. The
    loss is taken in float64, since in float32 the gradient of a confident network rounds to 0.

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
    with judged(model), torch.enable_grad():
        leaf = images.detach().clone().requires_grad_(True)
        logits = model(leaf)
        checks.check_logits(logits, images.shape[0])
        checks.check_labels(labels, images.shape[0], n_classes=logits.shape[1])
        if not logits.requires_grad:
            raise ValueError(
                "model: expected logits that depend on the images differentiably, got logits without a "
                "gradient; remove torch.no_grad or detach from the model"
            )
        labels = labels.long()
        if stop_above is None:
            stopped = torch.zeros_like(labels, dtype=torch.bool)
        else:
            stopped = logit_margin(logits.detach(), labels) > stop_above
        if stopped.all():
            return torch.zeros_like(images), stopped
        going = ~stopped
        loss = torch.nn.functional.cross_entropy(logits[going].double(), labels[going], reduction="sum")
        (gradient,) = torch.autograd.grad(loss, leaf)
    checks.check_finite(gradient, "the model's gradient")
    return gradient, stopped


def unit_vectors(vectors: Images) -> tuple[Images, Flags]:
    """Return vectors / ||vectors||_2 per image, and which (N,) were exactly 0 and stay 0.

    Dividing by the largest entry first keeps the squares of tiny gradients inside float32's range.
    """
    peaks = vectors.abs().amax(dim=(1, 2, 3), keepdim=True)
    zero = peaks == 0
    scaled = vectors / torch.where(zero, 1.0, peaks)
    lengths = torch.linalg.vector_norm(scaled, dim=(1, 2, 3), keepdim=True)
    return scaled / torch.where(zero, 1.0, lengths), zero.flatten()
