"""From published answers to votes: one row for each prediction that is to be judged."""

from __future__ import annotations

import math

import torch
from jaxtyping import Float
from torch import Tensor

from blindspots import checks

MISSING = ("unknown", "no")


def votes_on(predictions: Tensor, images: Tensor, labels: Tensor, answers: Tensor) -> Tensor:
    """Return the answers to "does the predicted class fit this image" for every image.

    Args:
        predictions: (N,), the class predicted for image 0 to N - 1; or (N, P), the P classes shown with it.
        images: (Q,), which image a question was about, 0 to N - 1.
        labels: (Q,), which class it asked about; no (image, class) twice.
        answers: (Q, R) floats with NaN = not asked, or (Q,), one number for each question such as the
            posterior of `dawid_skene`.

    Returns:
        (N, R) or (N,) (with P shown classes (N, P, R) or (N, P)), in the dtype of answers; NaN in all columns
        where nobody was asked about the predicted class.

    Raises:
        TypeError, ValueError: tensors of the wrong kind or length, a question about an image that has no
            prediction, a question asked twice.

    Source: P4 Sec. 3.1, with published votes in place of new ones.
    """
    if not isinstance(predictions, Tensor) or predictions.ndim not in (1, 2) or predictions.numel() == 0:
        got = tuple(predictions.shape) if isinstance(predictions, Tensor) else type(predictions).__name__
        raise ValueError(f"predictions: expected classes (N,) or (N, P), got {got}; take the argmax of the logits")
    checks.check_labels(predictions.flatten(), predictions.numel(), name="predictions")
    if not isinstance(answers, Tensor) or not answers.is_floating_point() or answers.ndim not in (1, 2):
        got = f"{answers.dtype} {tuple(answers.shape)}" if isinstance(answers, Tensor) else type(answers).__name__
        raise TypeError(f"answers: expected floats (Q, R) or (Q,) with NaN for not asked, got {got}")
    if len(answers) == 0:
        raise ValueError("answers: expected at least one question, got none")
    n_images = len(predictions)
    checks.check_labels(images, len(answers), name="images")
    checks.check_labels(labels, len(answers), name="labels")
    if int(images.max()) >= n_images:
        raise ValueError(
            f"images: expected 0 to {n_images - 1}, the images that have a prediction, got {int(images.max())}; "
            "leave the other questions out"
        )
    n_classes = 1 + max(int(predictions.max()), int(labels.max()))
    keys, order = (images.long() * n_classes + labels.long()).sort()
    twice = (keys[1:] == keys[:-1]).nonzero()
    if len(twice):
        image, label = divmod(int(keys[twice[0]]), n_classes)
        raise ValueError(
            f"labels: expected one question for each image and class, got two about image {image} and class "
            f"{label}; put their answers in one row"
        )
    rows = torch.arange(n_images, device=predictions.device)
    wanted = predictions.long() + n_classes * (rows if predictions.ndim == 1 else rows[:, None])
    place = torch.searchsorted(keys, wanted).clamp_max(len(keys) - 1)
    asked = keys[place] == wanted
    found = answers[order[place]]
    return torch.where(asked.view(asked.shape + (1,) * (found.ndim - asked.ndim)), found, math.nan)


def votes_from_counts(yes: Tensor, asked: Tensor) -> Float[Tensor, "N R"]:
    """Return votes (N, R) with the given numbers of yes among those asked, R the most people asked.

    Args:
        yes: (N,) integers, people who chose or accepted the class.
        asked: (N,) integers, people asked; at least `yes`.

    Returns:
        (N, R) in float32: first the ones, then the zeros, then NaN. A column is no worker.

    Raises:
        TypeError, ValueError: counts of different length, negative, or more yes than asked.

    Differs from the paper: people who chose one of ten classes (CIFAR-10H) were not asked whether a given
    class is relevant, so a "yes" made of a choice is a stricter answer than the paper's.
    """
    checks.check_labels(asked, len(asked) if isinstance(asked, Tensor) else 0, name="asked")
    checks.check_labels(yes, len(asked), name="yes")
    if (yes > asked).any():
        row = int((yes > asked).nonzero()[0])
        raise ValueError(f"yes: expected at most the number asked, got {int(yes[row])} of {int(asked[row])} in {row=}")
    columns = torch.arange(max(int(asked.max()), 1), device=asked.device)
    votes = (columns < yes[:, None]).float()
    return votes.masked_fill(columns >= asked[:, None], math.nan)


def any_of_shown(votes: Tensor, *, missing: str = "unknown") -> Float[Tensor, "N R"]:
    """Return whether a worker accepts any of the classes shown with an image.

    Args:
        votes: (N, P, R), a worker's answer to each of the P classes, 1 = yes, 0 = no, NaN = not asked.
        missing: "unknown" gives NaN where a worker said no to some classes and was not asked about the others;
            "no" takes an unasked class for a no, unless nothing at all was asked. Under "unknown" a yes is
            known more often than a no, so rates come out too high; under "no" too low.

    Returns:
        (N, R), 1 = yes to at least one, 0 = to none, NaN = not known.

    Raises:
        TypeError, ValueError: bad votes, or an unknown word for missing.

    Source: P4 Sec. 3.1, the top-5 question. Differs from the paper: its workers answered once for five classes.
    """
    checks.check_choice(missing, "missing", MISSING)
    if not isinstance(votes, Tensor) or not votes.is_floating_point() or votes.ndim != 3:
        got = tuple(votes.shape) if isinstance(votes, Tensor) else type(votes).__name__
        raise ValueError(f"votes: expected floats (N, P, R), got {got}; see votes_on with the shown classes (N, P)")
    accepted = (votes == 1).any(dim=1)
    unasked = votes.isnan()
    unknown = ~accepted & (unasked.any(dim=1) if missing == "unknown" else unasked.all(dim=1))
    return accepted.to(votes.dtype).masked_fill(unknown, math.nan)
