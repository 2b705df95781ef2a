"""Groups guessed without annotation: a model that amplifies the bias is sure of one group and not of the other."""

from __future__ import annotations

from collections.abc import Callable

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from blindspots.checks import check_labels, check_logits, check_number
from blindspots.debias.group_examples import check_group_examples
from blindspots.debias.group_training import Evaluate, GroupTraining, group_training


def generalized_cross_entropy(logits: Tensor, labels: Tensor, *, q: float) -> Tensor:
    r"""Return the mean of (1 - p_y^q) / q, p_y the probability of the label.

    Its gradient is p_y^q times that of the cross-entropy, so examples the model already gets right, such as those the
    bias helps, count more. As q goes to 0 it becomes the cross-entropy; at q = 1 it is 1 - p_y.

    Args:
        logits: (N, K).
        labels: (N,) integers in [0, K).
        q: in (0, 1].

    Raises:
        TypeError, ValueError: q outside (0, 1], or labels that do not fit the logits.

    Source: Zhang and Sabuncu (2018), Eq. 6; Du et al. (2021), Eq. 5 and 6.
    """
    check_number(q, "q", above=0.0, at_most=1.0)
    check_labels(labels, len(logits), n_classes=logits.shape[1])
    return _powered_loss(logits, labels, q)


def train_bias_amplified(
    model: nn.Module,
    inputs: Tensor,
    labels: Tensor,
    *,
    q: float,
    epochs: int,
    batch_size: int,
    learning_rate: float,
    weight_decay: float = 0.0,
    generator: torch.Generator,
    evaluate: Evaluate | None = None,
    after_epoch: Callable[[dict[str, float]], None] | None = None,
    progress: bool = False,
) -> GroupTraining:
    """Minimize the `generalized_cross_entropy`, changing the model in place; no groups are needed.

    Args:
        model: a module, inputs (n, ...) -> logits (n, K).
        inputs: (N, ...) floats: images (N, C, H, W) in [0, 1] or table rows (N, D).
        labels: (N,) integers, all of 0..K-1.
        q: in (0, 1]; the authors of RNF take 0.2 for Adult, 0.6 for MEPS and 0.3 for CelebA.
        epochs, batch_size, learning_rate, weight_decay, generator, evaluate, after_epoch, progress: as in
            `group_training`.

    Returns:
        GroupTraining with every epoch's record and weights.

    Raises:
        TypeError, ValueError: bad examples or options, before any work.

    Source: Du et al. (2021), "Fairness via Representation Neutralization", Sec. 3.4.
    """
    check_number(q, "q", above=0.0, at_most=1.0)
    examples = check_group_examples(model, inputs, labels, None)

    def step(model: nn.Module, indices: Tensor) -> Tensor:
        rows, targets, _ = examples.batch(indices)
        return _powered_loss(model(rows), targets, q)

    return group_training(
        model, step, len(examples), epochs=epochs, batch_size=batch_size, learning_rate=learning_rate,
        weight_decay=weight_decay, generator=generator, evaluate=evaluate, after_epoch=after_epoch, progress=progress,
    )  # fmt: skip


def proxy_groups(logits: Tensor, labels: Tensor, *, share: float = 0.5) -> Tensor:
    """Split each class by how sure a bias-amplified model is of it, into guessed groups.

    Of the examples of class 1 (the desired outcome) the surest are guessed to be of group 1 (the favored one), the
    others of group 0; of class 0 the surest are guessed to be of group 0.

    Args:
        logits: (N, 2) of the model that `train_bias_amplified` trained, on the training examples.
        labels: (N,) 0 or 1, both occurring at least twice.
        share: of each class, that counts as sure; in (0, 1), rounded to at least one example and to leave at least one.

    Returns:
        (N,) long, 0 or 1, on the device of the logits; ties are broken by the order of the examples.

    Raises:
        TypeError, ValueError: more than two classes, a class with fewer than two examples, or a share outside (0, 1).

    Source: Du et al. (2021), Sec. 3.4 and Algorithm 1.
    Differs from the paper: it chooses the splitting ratio on validation data and does not print it; one half is ours.
    """
    check_logits(logits, len(labels))
    if logits.shape[1] != 2:
        raise ValueError(f"logits: expected two classes, got {logits.shape[1]}; desired and undesired have no others")
    check_labels(labels, len(logits), n_classes=2)
    check_number(share, "share", above=0.0)
    if share >= 1:
        raise ValueError(f"share: expected less than 1, got {share}; both guessed groups need examples")
    labels = labels.to(logits.device)
    guessed = torch.empty(len(labels), dtype=torch.long, device=logits.device)
    for label in (0, 1):
        members = (labels == label).nonzero().squeeze(1)
        if len(members) < 2:
            raise ValueError(f"labels: expected at least two examples of class {label}, got {len(members)}")
        margin = logits[members, label] - logits[members, 1 - label]
        surest = margin.argsort(descending=True, stable=True)
        n_sure = min(max(round(share * len(members)), 1), len(members) - 1)
        guessed[members[surest[:n_sure]]] = label
        guessed[members[surest[n_sure:]]] = 1 - label
    return guessed


def _powered_loss(logits: Tensor, labels: Tensor, q: float) -> Tensor:
    # expm1 keeps the digits of 1 - p^q where p is close to 1.
    return (-torch.expm1(-q * F.cross_entropy(logits, labels.long(), reduction="none")) / q).mean()
