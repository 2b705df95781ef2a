"""How much group and trigger move a logit, alone and together: what Eq. 3 needs of a network, measured."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from blindspots.checks import check_finite, check_labels
from blindspots.debias.group_cells import count_cells


@dataclass(frozen=True)
class LogitEffects:
    r"""The effects of group b and trigger a on logits z(b, a), in units of the logit.

    With the four logits of one input, z(b, a) = mean + (b - 1/2) bias + (a - 1/2) trigger + (b - 1/2)(a - 1/2)
    interaction, exactly. Inverted triggers compare z(1, 0) with z(0, 1), and their difference is bias - trigger,
    whatever the interaction.

    Attributes:
        mean: (N,) mean of the four.
        bias: (N,) z(1, a) - z(0, a), mean over a.
        trigger: (N,) z(b, 1) - z(b, 0), mean over b.
        interaction: (N,) z(1, 1) - z(1, 0) - z(0, 1) + z(0, 0); 0 where the two effects add up.
    """

    mean: Tensor
    bias: Tensor
    trigger: Tensor
    interaction: Tensor

    @property
    def additive_share(self) -> float:
        """Return the share in [0, 1] of the squared moves of the logits about their means that needs no interaction.

        1 where nothing moves.
        """
        apart = (self.bias.double().square() + self.trigger.double().square()).sum()
        together = self.interaction.double().square().sum() / 4
        total = apart + together
        return 1.0 if total == 0 else (apart / total).item()


def logit_effects(logits: Tensor) -> LogitEffects:
    """Return the effects of group and trigger on logits.

    Args:
        logits: (N, 2, 2) floats: of input n with group b and trigger a, a logit for class 1 over class 0.

    Raises:
        TypeError, ValueError: another kind or shape, no inputs, or values that are not finite.

    Source: P3, Eq. 3 asks for P(y | X, b = 1, a = 0) = P(y | X, b = 0, a = 1), which holds where bias = trigger. The
        decomposition is that of a two-way table of one observation a cell; the paper has none.
    """
    if not isinstance(logits, Tensor) or not logits.is_floating_point():
        kind = logits.dtype if isinstance(logits, Tensor) else type(logits).__name__
        raise TypeError(f"logits: expected a float tensor, got {kind}")
    if logits.ndim != 3 or logits.shape[1:] != (2, 2) or not len(logits):
        raise ValueError(f"logits: expected shape (N, 2, 2) by group and trigger, got {tuple(logits.shape)}")
    check_finite(logits, "logits")
    by_group, by_trigger = logits.mean(2), logits.mean(1)
    return LogitEffects(
        mean=logits.mean((1, 2)),
        bias=by_group[:, 1] - by_group[:, 0],
        trigger=by_trigger[:, 1] - by_trigger[:, 0],
        interaction=logits[:, 1, 1] - logits[:, 1, 0] - logits[:, 0, 1] + logits[:, 0, 0],
    )


def cell_means(values: Tensor, labels: Tensor, groups: Tensor) -> Tensor:
    """Return the means of values over the inputs of each label and group.

    For pictures no one can show with the other group: what is compared is then one group's mean with the other's, at
    the same label. It holds whatever else differs between the groups.

    Args:
        values: (N, A) floats, for instance logits of each input with each of A triggers.
        labels: (N,) integers in [0, K).
        groups: (N,) integers 0 or 1.

    Returns:
        (K, 2, A): by label, group and trigger; for K labels and A = 2, what `logit_effects` takes.

    Raises:
        TypeError, ValueError: a wrong kind or shape, or an empty cell.
    """
    if not isinstance(values, Tensor) or values.ndim != 2 or not values.is_floating_point():
        got = f"{values.dtype} {tuple(values.shape)}" if isinstance(values, Tensor) else type(values).__name__
        raise ValueError(f"values: expected a float tensor (N, A), got {got}")
    check_labels(labels, len(values))
    counts = count_cells(labels, groups).to(values.device)
    cells = (labels.long() * 2 + groups.long()).to(values.device)
    sums = torch.zeros(counts.numel(), values.shape[1], dtype=values.dtype, device=values.device)
    sums.index_add_(0, cells, values)
    return sums.reshape(counts.shape[1], 2, -1) / counts.T[..., None].to(values)
