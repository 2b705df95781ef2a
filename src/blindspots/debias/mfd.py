"""MFD: a student whose features of each class and group are distributed as the teacher's features of that class."""

from __future__ import annotations

from collections.abc import Callable

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from blindspots.checks import check_generator, check_labels, check_number
from blindspots.debias.group_cells import check_groups, count_cells
from blindspots.debias.group_examples import N_GROUPS, check_group_examples
from blindspots.debias.group_training import Evaluate, GroupTraining, group_training

SMALLEST_SQUARED_DISTANCE = 1e-12  # the authors' floor: the expansion of a square can round to a negative number


def mfd_loss(
    features: Tensor, teacher_features: Tensor, labels: Tensor, groups: Tensor, *, sigma: float = 1.0
) -> Tensor:
    r"""Return the sum over classes and groups of the squared maximum mean discrepancy of student from teacher.

    With the teacher's features T_y of a batch's examples of class y, and the student's S_yg of class y and group g,
        L = sum_{y, g} [ mean k(T_y, T_y) + mean k(S_yg, S_yg) - 2 mean k(T_y, S_yg) ],
        k(a, b) = exp(-||a - b||^2 / (2 sigma m)),   m = mean_{i, j} ||t_i - s_j||^2 over the whole batch,
    where the teacher's features and m are constants to the gradient. The means are over all pairs, an example with
    itself included (the biased estimate). A class and group that the batch has no example of contributes nothing.

    Args:
        features: (N, ...) the student's, flattened to (N, D).
        teacher_features: the teacher's for the same examples, of the same shape.
        labels: (N,) integers from 0.
        groups: (N,) 0 or 1.
        sigma: scales the bandwidth; > 0.

    Returns:
        A scalar >= 0 up to rounding; it comes without the factor lambda_f / 2 (see `mfd`).

    Raises:
        TypeError, ValueError: features of different shapes, bad labels or groups, or sigma <= 0.

    Source: Jung et al. (2021), "Fair Feature Distillation for Visual Recognition", and the authors' code
        (trainer/kd_mfd.py, MIT), from which the bandwidth, the biased means and the empty cells are taken.
    Differs from the paper: each kernel of a batch is evaluated once and averaged over its cells, which gives the same.
    """
    check_number(sigma, "sigma", above=0.0)
    if features.shape != teacher_features.shape:
        raise ValueError(
            f"teacher_features: expected the student's shape {tuple(features.shape)}, got "
            f"{tuple(teacher_features.shape)}; both need the same number of features to be compared"
        )
    check_labels(labels, len(features))
    check_groups(groups, len(features))
    return _discrepancy(features, teacher_features, labels, groups, int(labels.max()) + 1, sigma)


def balanced_batches(
    labels: Tensor, groups: Tensor, *, batch_size: int, generator: torch.Generator
) -> tuple[Tensor, ...]:
    """Draw one epoch of batches that hold equally many examples of each class and group.

    The largest cell (a class in a group) is gone through once, without what does not fill a last batch; the others are
    gone through again, in a new order each time, until they have as many.

    Args:
        labels: (N,) integers from 0, every class in both groups.
        groups: (N,) 0 or 1.
        batch_size: the largest batch, at least 2 K; rounded down to a multiple of it.
        generator: a CPU generator; decides the order, and is advanced.

    Returns:
        Long indices of each batch, all of one length, on the CPU.

    Raises:
        TypeError, ValueError: bad labels or groups (see `count_cells`), or a batch with no room for every cell.

    Source: the code of Jung et al. (data_handler/custom_loader.py), used by all their commands for MFD ("labelwise").
    """
    check_generator(generator)
    counts = count_cells(labels, groups).T
    check_number(batch_size, "batch_size", at_least=counts.numel(), integer=True)
    share = batch_size // counts.numel()
    n_batches = max(int(counts.max()) // share, 1)
    cell = labels.cpu().long() * N_GROUPS + groups.cpu().long()
    columns = []
    for index, count in enumerate(counts.flatten().tolist()):
        members = (cell == index).nonzero().squeeze(1)
        rounds = -(-share * n_batches // count)
        drawn = torch.cat([members[torch.randperm(count, generator=generator)] for _ in range(rounds)])
        columns.append(drawn[: share * n_batches].reshape(n_batches, share))
    return torch.cat(columns, dim=1).unbind()


def mfd(
    model: nn.Module,
    inputs: Tensor,
    labels: Tensor,
    groups: Tensor,
    *,
    teacher: nn.Module,
    feature_weight: float = 3.0,
    sigma: float = 1.0,
    balanced: bool = True,
    epochs: int,
    batch_size: int,
    learning_rate: float,
    weight_decay: float = 0.0,
    generator: torch.Generator,
    evaluate: Evaluate | None = None,
    after_epoch: Callable[[dict[str, float]], None] | None = None,
    progress: bool = False,
) -> GroupTraining:
    r"""Minimize cross-entropy + (lambda_f / 2) `mfd_loss` of a student's features, changing it in place.

    Args:
        model: the student, a classifier with `encode` (inputs -> features (n, D)) and `head` (-> logits (n, K)).
        inputs: (N, ...) floats: images (N, C, H, W) in [0, 1] or table rows (N, D).
        labels: (N,) integers, all of 0..K-1.
        groups: (N,) 0 or 1, both in every class.
        teacher: a trained classifier with as many features, usually of the same architecture and trained by `erm`;
            asked once for all inputs, in evaluation mode, and left as it was.
        feature_weight: lambda_f, >= 0; the authors' 3 for UTKFace and CIFAR-10S and 7 for CelebA.
        sigma: scales the kernel's bandwidth (see `mfd_loss`); > 0.
        balanced: take `balanced_batches`, as the authors do, which alone already lessens the bias (with
            `feature_weight` 0 it is oversampling) and makes an epoch longer than one of `erm`; False takes every
            example once, in batches that may lack a class and group.
        epochs, batch_size, learning_rate, weight_decay, generator, evaluate, after_epoch, progress: as in
            `group_training`. The authors train 50 epochs with batches of 128 and Adam at 1e-3.

    Returns:
        GroupTraining with every epoch's record and weights of the student; "loss" is the sum of both terms.

    Raises:
        TypeError, ValueError: bad examples (see `check_group_examples`), a model or teacher without features or with
            different numbers of them, or bad options, before any work.

    Source: Jung et al. (2021), "Fair Feature Distillation for Visual Recognition", and the authors' code and
        commands; P3, Sec. 5.1.2.
    Differs from the paper: the authors' code can add a distillation loss of the logits, which their commands give the
        weight 0 and we leave out; they also crop and flip images. P3 states neither lambda_f nor how it draws batches.
    """
    check_number(feature_weight, "feature_weight", at_least=0.0)
    check_number(sigma, "sigma", above=0.0)
    examples = check_group_examples(model, inputs, labels, groups)
    n_features = examples.count_features(model)
    if not isinstance(teacher, nn.Module):
        raise TypeError(f"teacher: expected a trained torch module, got {type(teacher).__name__}")
    if not callable(getattr(teacher, "encode", None)):
        raise TypeError(f"teacher: expected one with .encode(inputs), got {type(teacher).__name__}")
    if balanced:
        n_cells = examples.n_classes * N_GROUPS
        check_number(batch_size, "batch_size", at_least=n_cells, integer=True)
        batch_size -= batch_size % n_cells  # so that the loop cuts an epoch where one balanced batch ends
    wanted = examples.apply(teacher, teacher.encode).flatten(1)
    if wanted.shape[1] != n_features:
        raise ValueError(
            f"teacher: expected as many features as the student's {n_features}, got {wanted.shape[1]}; take the same "
            "architecture for both"
        )

    def step(model: nn.Module, indices: Tensor) -> Tensor:
        rows, targets, members = examples.batch(indices)
        features = model.encode(rows)
        loss = F.cross_entropy(model.head(features), targets)
        of_teacher = wanted[indices.to(wanted.device)]
        return loss + feature_weight / 2 * _discrepancy(
            features, of_teacher, targets, members, examples.n_classes, sigma
        )

    def draw(draws: torch.Generator) -> Tensor:
        return torch.cat(balanced_batches(labels, groups, batch_size=batch_size, generator=draws))

    return group_training(
        model, step, len(examples), epochs=epochs, batch_size=batch_size, learning_rate=learning_rate,
        weight_decay=weight_decay, generator=generator, draw=draw if balanced else None, evaluate=evaluate,
        after_epoch=after_epoch, progress=progress,
    )  # fmt: skip


def _discrepancy(
    features: Tensor, teacher_features: Tensor, labels: Tensor, groups: Tensor, n_classes: int, sigma: float
) -> Tensor:
    """Return `mfd_loss` of checked arguments, without reading from the device."""
    student, teacher = features.flatten(1), teacher_features.flatten(1).detach()
    across = _squared_distances(teacher, student)
    rate = -1 / (2 * sigma * across.mean().detach())
    of_class = F.one_hot(labels.long(), n_classes).to(student)
    of_cell = F.one_hot(labels.long() * N_GROUPS + groups.long(), n_classes * N_GROUPS).to(student)
    in_class, in_cell = (members.sum(0).clamp(min=1) for members in (of_class, of_cell))
    present = (of_cell.sum(0) > 0).to(student).reshape(n_classes, N_GROUPS)
    # Means of a kernel over two sets are m^T K m' with their indicator vectors; those of a set with itself need only
    # the diagonal of M^T K M.
    within_teacher = _mean_within((rate * _squared_distances(teacher, teacher)).exp(), of_class, in_class)
    within_student = _mean_within((rate * _squared_distances(student, student)).exp(), of_cell, in_cell)
    sums = of_class.T @ (rate * across).exp() @ of_cell
    means = (sums / in_class[:, None] / in_cell).reshape(n_classes, n_classes, N_GROUPS)
    matching = means.diagonal().T  # (K, 2): a class of the teacher with the same class of the student
    terms = within_teacher[:, None] + within_student.reshape(n_classes, N_GROUPS) - 2 * matching
    return (present * terms).sum()


def _mean_within(kernel: Tensor, members: Tensor, counts: Tensor) -> Tensor:
    return ((kernel @ members) * members).sum(0) / counts.square()


def _squared_distances(first: Tensor, second: Tensor) -> Tensor:
    squares = first.square().sum(1)[:, None] + second.square().sum(1) - 2 * first @ second.T
    return squares.clamp(min=SMALLEST_SQUARED_DISTANCE)
