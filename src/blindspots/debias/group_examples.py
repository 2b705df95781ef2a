"""The examples a rival method trains on, checked once: inputs with labels and two groups, no cell empty."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from blindspots.borrowed import judged
from blindspots.checks import check_finite, check_labels, check_logits
from blindspots.debias.group_cells import check_group_inputs, count_cells

N_GROUPS = 2
ROWS_AT_ONCE = 512


@dataclass(frozen=True)
class GroupExamples:
    """Checked examples: inputs where they lie, labels and groups beside the model.

    Attributes:
        inputs: (N, ...) floats.
        labels: (N,) long, every class from 0 to n_classes - 1 in both groups.
        groups: (N,) long, 0 or 1; None where no group is known.
        n_classes: K, the number of the model's logits.
        device: the device the model computes on.
        dtype: the float type it computes in.
    """

    inputs: Tensor
    labels: Tensor
    groups: Tensor | None
    n_classes: int
    device: torch.device
    dtype: torch.dtype

    def __len__(self) -> int:
        return len(self.labels)

    def batch(self, indices: Tensor) -> tuple[Tensor, Tensor, Tensor | None]:
        """Return inputs, labels and groups of examples by index (B,), beside the model."""
        rows = self.inputs[indices.to(self.inputs.device)].to(self.device, self.dtype)
        here = indices.to(self.device)
        return rows, self.labels[here], None if self.groups is None else self.groups[here]

    def apply(self, module: nn.Module, function: Callable[[Tensor], Tensor]) -> Tensor:
        """Return what a function of a module answers on all inputs, in evaluation mode, without gradients.

        Args:
            module: what is put into evaluation mode meanwhile.
            function: inputs (B, ...) -> (B, ...), for instance `module.encode`.
        """
        with judged(module), torch.no_grad():
            return torch.cat([function(self.batch(rows)[0]) for rows in torch.arange(len(self)).split(ROWS_AT_ONCE)])

    def count_features(self, model: nn.Module) -> int:
        """Return D of a classifier's features (n, D), or raise if it does not show them.

        Raises:
            TypeError: a model without `encode` or `head`.
        """
        for name in ("encode", "head"):
            if not callable(getattr(model, name, None)):
                raise TypeError(
                    f"model: expected one with .encode(inputs) and .head(features), got {type(model).__name__} without "
                    f".{name}; take one of blindspots.models or wrap it"
                )
        with judged(model), torch.no_grad():
            return model.encode(self.batch(torch.zeros(1, dtype=torch.long))[0]).flatten(1).shape[1]


def check_group_examples(model: nn.Module, inputs: Tensor, labels: Tensor, groups: Tensor | None) -> GroupExamples:
    """Raise unless a classifier can be trained and judged by group on these examples, and return them.

    Args:
        model: a module, inputs (n, ...) -> logits (n, K).
        inputs: (N, ...) finite floats; images (N, C, H, W) in [0, 1] or table rows (N, D).
        labels: (N,) integers; every class 0..K-1 occurs.
        groups: (N,) integers 0 and 1; both occur, in every class. None for a method that needs none.

    Raises:
        TypeError, ValueError: a bad kind, shape or range; labels that do not cover the model's classes; one group only
            or more than two; a class that one group has no example of.
    """
    if not isinstance(model, nn.Module):
        raise TypeError(f"model: expected a torch module to train, got {type(model).__name__}")
    check_group_inputs(inputs)
    check_finite(inputs, "inputs")
    check_labels(labels, len(inputs))
    parameter = next(model.parameters(), inputs)
    with judged(model), torch.no_grad():
        logits = model(inputs[:1].to(parameter.device, parameter.dtype))
    check_logits(logits, 1)
    n_classes = logits.shape[1]
    check_labels(labels, len(inputs), n_classes=n_classes)
    _check_cover(torch.bincount(labels.long(), minlength=n_classes))
    if groups is not None:
        count_cells(labels, groups, n_classes=n_classes)
    place = {"device": parameter.device, "dtype": torch.long}
    return GroupExamples(
        inputs=inputs, labels=labels.to(**place), groups=None if groups is None else groups.to(**place),
        n_classes=n_classes, device=parameter.device, dtype=parameter.dtype,
    )  # fmt: skip


def _check_cover(counts: Tensor) -> None:
    missing = (counts == 0).nonzero().squeeze(1).tolist()
    if missing:
        raise ValueError(
            f"labels: expected every class from 0 to {len(counts) - 1}, got none of class "
            f"{', '.join(map(str, missing))}; use a model with as many logits as there are classes"
        )
