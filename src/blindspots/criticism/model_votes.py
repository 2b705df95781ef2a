"""A panel of models in place of a panel of people: whether other networks find a class relevant."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from jaxtyping import Float
from torch import Tensor

from blindspots import checks
from blindspots.borrowed import judged
from blindspots.types import Classifier


def model_votes(
    models: Sequence[Classifier], images: Tensor, classes: Tensor, *, top: int = 1, batch_size: int = 256
) -> Float[Tensor, "N R"]:
    """Return whether each model of a panel finds the given class among its first choices.

    The votes go where people's votes go, such as into `rectified_error`. What they say about images attacked on
    one model depends on the panel: models that learned from the same data share its mistakes and some of the
    attack, so their consent bounds nothing. Leave the attacked model out, and name the panel beside the number.

    Args:
        models: R classifiers, images (N, C, H, W) in [0, 1] -> logits (N, K).
        images: (N, C, H, W) in [0, 1].
        classes: (N,), the class asked about with each image, such as the attacked model's prediction.
        top: a model says yes if the class is among its `top` first choices, 1 to K; at K it always does.
        batch_size: images a model sees at a time.

    Returns:
        (N, R) in the dtype of images, 1 = yes, 0 = no.

    Raises:
        TypeError, ValueError: no model, bad images, classes that a model does not have, an option out of range.

    Differs from the paper: P4 Sec. 3.2 asks five people. This is a computed stand-in and measures the consent
    of models, not what people see.
    """
    checks.check_images(images)
    checks.check_number(top, "top", at_least=1, integer=True)
    checks.check_number(batch_size, "batch_size", at_least=1, integer=True)
    if not len(models):
        raise ValueError("models: expected at least one classifier, got none")
    checks.check_labels(classes, len(images), name="classes")
    columns = []
    for model in models:
        parts = []
        with judged(model), torch.no_grad():
            for batch, wanted in zip(images.split(batch_size), classes.long().split(batch_size), strict=True):
                logits = model(batch)
                checks.check_logits(logits, len(batch))
                checks.check_labels(wanted, len(batch), n_classes=logits.shape[1], name="classes")
                checks.check_number(top, "top", at_most=logits.shape[1], integer=True)
                first = logits.topk(top, dim=1).indices
                parts.append((first == wanted[:, None]).any(dim=1))
        columns.append(torch.cat(parts))
    return torch.stack(columns, dim=1).to(images.dtype)
