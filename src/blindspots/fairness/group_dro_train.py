"""Group DRO: the control that knows the countries and trains for the worst of them."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from blindspots import checks
from blindspots.fairness.drawn_descent import Descent, Factors
from blindspots.fairness.dro_train import ON_DIVERGENCE, check_many, descent_in_parts, draw_for_each
from blindspots.fairness.group_balanced import group_balanced, group_sizes
from blindspots.fairness.weighted_images import LabeledImages, why_diverged


class _GroupWeights:
    """q of S models: raised where a group's loss is high, and what it makes of a batch's images."""

    def __init__(self, n_models: int, groups: Tensor, n_groups: int, step_size: float) -> None:
        self.groups, self.n_groups, self.step_size = groups, n_groups, step_size
        self.logarithms = torch.zeros(n_models, n_groups, dtype=torch.float64)

    def __call__(self, losses: Tensor, rows: Tensor) -> Tensor:
        groups, each = self.groups[rows].to(losses.device), losses.double()
        sums = torch.zeros(len(rows), self.n_groups, dtype=torch.float64, device=losses.device)
        counts = sums.scatter_add(1, groups, torch.ones_like(each))
        means = sums.scatter_add(1, groups, each) / counts.clamp_min(1)
        # q in logarithms: a product of thousands of exponentials would overflow.
        self.logarithms = torch.log_softmax(self.logarithms.to(losses.device) + self.step_size * means, 1)
        share = rows.shape[1] / counts.gather(1, groups)
        return self.logarithms.exp().gather(1, groups) * share


def group_dro_train(
    models: Sequence[nn.Module],
    data: LabeledImages,
    groups: Tensor,
    *,
    steps: int,
    learning_rate: float | int,
    group_step_size: float | int = 0.01,
    batch_size: int = 1,
    generators: Sequence[torch.Generator],
    path: str | None = None,
    models_at_once: int | None = None,
    on_divergence: str = "raise",
    progress: bool = False,
) -> Descent:
    r"""Minimize the worst group's loss by Sagawa et al.'s online algorithm, for each generator one model.

        draw groups uniformly, an image of each; with l_g the mean loss of the batch's images of group g,
        q_g <- q_g exp(group_step_size l_g) for the groups drawn, then q <- q / sum q,     q = 1 / G at first
        theta <- theta - learning_rate sum_g q_g grad l_g
    As q sums to 1, steps are about 1 / G of those of `dro_train` at the same learning rate.

    Args:
        models: where each training starts, S modules of one architecture, which stay as they are.
        data: its .images (N, C, H, W) in [0, 1] and .labels (N,), for instance an ImageSet.
        groups: (N,) integers 0 to G - 1, all of them, G at least 2.
        steps: updates, at least 1.
        learning_rate: > 0.
        group_step_size: > 0; their default is 0.01.
        batch_size: images per update; 1 is the algorithm as they print it.
        generators: S CPU generators; each is advanced.
        path, models_at_once, on_divergence, progress: as in `dro_train_many`.

    Returns:
        Descent; `load` gives a model its weights.

    Raises:
        TypeError, ValueError: bad images, labels, groups or options; one group only; training that diverged.

    Source: Sagawa, Koh, Hashimoto and Liang (2020), Algorithm 1. P0 has no such control.
    Differs from the paper: they train with momentum, weight decay and decay of the rate on top; a batch here may hold
    several groups, whose weights then rise in one step.
    """
    balanced = group_balanced(data, groups)
    n_groups = len(group_sizes(groups, len(data.images)))
    checks.check_number(group_step_size, "group_step_size", above=0.0)
    check_many(models, [data], generators, steps=steps, batch_size=batch_size, models_at_once=models_at_once)
    checks.check_choice(on_divergence, "on_divergence", ON_DIVERGENCE)
    rows = draw_for_each([balanced.weights], steps, batch_size, generators)
    own = groups.long().cpu()

    def make_factors(n_models: int) -> Factors:
        return _GroupWeights(n_models, own, n_groups, float(group_step_size))

    made = descent_in_parts(
        models, data.images, data.labels, rows, make_factors, learning_rate=learning_rate, path=path,
        models_at_once=models_at_once, progress=progress,
    )  # fmt: skip
    if on_divergence == "raise":
        for place, step in enumerate(made.diverged_at):
            if step is not None:
                reason = why_diverged(torch.ones(1), "sampling_only", learning_rate, step)
                raise ValueError(f"{reason} (model {place})")
    return made
