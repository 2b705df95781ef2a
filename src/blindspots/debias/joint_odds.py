"""Odds of several bias variables: of each by itself, and jointly over all combinations of their groups."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from blindspots.checks import check_generator, check_labels, check_number
from blindspots.debias.several_biases import check_several_groups

Interval = tuple[float, float]


@dataclass(frozen=True)
class JointOdds:
    """Odds in percent over several models (seeds), with 95 % intervals over examples and models.

    Attributes:
        odds: mean over models, of each variable.
        intervals: of these means.
        mean: over the variables, and `mean_interval`.
        joint: the largest difference of recalls between two joint groups, averaged over the labels; mean over models.
        joint_interval: of it.
        joint_if_fair: what the joint Odds of one model would measure if all joint groups had its pooled recalls. A
            maximum of many noisy shares is large by chance, so compare with this.
        joint_groups: of the 2^V, how many have enough examples of every label.
        draws, joint_draws: (resamples, V) and (resamples,) float64. Calls with the same examples, number of models and
            seed of the generator share their resamples, so that differences of draws are paired.
    """

    odds: tuple[float, ...]
    intervals: tuple[Interval, ...]
    mean: float
    mean_interval: Interval
    joint: float
    joint_interval: Interval
    joint_if_fair: Interval
    joint_groups: int
    draws: Tensor
    joint_draws: Tensor


def joint_odds(
    predictions: Tensor,
    labels: Tensor,
    groups: Tensor,
    *,
    smallest: int = 5,
    resamples: int = 1000,
    generator: torch.Generator,
) -> JointOdds:
    """Measure Odds of each bias variable and of their combinations, for one or more models on the same examples.

    Examples are drawn again within their joint cell (label and joint group), models with replacement.

    Args:
        predictions: (M, N) integers in [0, K), a row for each model (seed).
        labels: (N,) integers in [0, K).
        groups: (N, V) integers 0 or 1; V at most 6.
        smallest: examples of each label that a joint group needs to be compared; at least two groups must have them.
        resamples: at least 100.
        generator: a CPU generator, advanced.

    Raises:
        TypeError, ValueError: a wrong kind, shape or value, an empty cell of a variable, fewer than two joint groups
            with enough examples.

    Source: P3, Eq. 1 for one variable. The joint form is ours; the paper measures several variables nowhere.
    """
    check_number(smallest, "smallest", at_least=1, integer=True)
    check_number(resamples, "resamples", at_least=100, integer=True)
    check_generator(generator)
    n_variables = check_several_groups(labels, groups)
    check_number(n_variables, "groups: variables", at_most=6, integer=True)
    if not isinstance(predictions, Tensor) or predictions.ndim != 2 or predictions.shape[1] != len(labels):
        got = tuple(predictions.shape) if isinstance(predictions, Tensor) else type(predictions).__name__
        raise ValueError(f"predictions: expected shape (M, {len(labels)}), a row for each model, got {got}")
    n_classes = max(2, int(labels.max()) + 1)
    check_labels(predictions.flatten(), predictions.numel(), n_classes=n_classes, name="predictions")
    labels, groups, predictions = labels.cpu().long(), groups.cpu().long(), predictions.cpu()
    joint = (groups * 2 ** torch.arange(n_variables)).sum(1)
    n_joint = 2**n_variables
    cells = joint * n_classes + labels
    counts = torch.bincount(cells, minlength=n_joint * n_classes).double().reshape(n_joint, n_classes)
    enough = (counts >= smallest).all(1)
    if enough.sum() < 2:
        raise ValueError(
            f"smallest: expected two joint groups at least with {smallest} examples of each label, got "
            f"{int(enough.sum())}; lower it, take more examples or fewer variables"
        )
    hits = torch.zeros(len(predictions), counts.numel(), dtype=torch.float64)
    hits.index_add_(1, cells, (predictions == labels).double())
    hits = hits.reshape(len(predictions), n_joint, n_classes)
    rates = torch.where(counts > 0, hits / counts.clamp(min=1), torch.zeros_like(hits))

    shape = (resamples, *hits.shape)
    drawn = torch.binomial(counts.expand(shape).clone(), rates.expand(shape).clone(), generator=generator)
    chosen = torch.randint(len(hits), (resamples, len(hits)), generator=generator)
    pooled = (hits.sum(1) / counts.sum(0))[:, None].expand_as(hits)
    fair = torch.binomial(counts.expand(shape).clone(), pooled.expand(shape).clone(), generator=generator)

    single, of_all = _single(hits, counts, n_variables), _joint(hits, counts, enough)
    single_draws = _of_models(_single(drawn, counts, n_variables), chosen)
    joint_draws = _of_models(_joint(drawn, counts, enough)[..., None], chosen)[:, 0]
    odds = tuple(single.mean(0).tolist())
    fair_low, fair_high = zip(*(_interval(column) for column in _joint(fair, counts, enough).unbind(1)), strict=True)
    return JointOdds(
        odds=odds, intervals=tuple(_interval(column) for column in single_draws.unbind(1)),
        mean=sum(odds) / n_variables, mean_interval=_interval(single_draws.mean(1)),
        joint=of_all.mean().item(), joint_interval=_interval(joint_draws),
        joint_if_fair=(sum(fair_low) / len(hits), sum(fair_high) / len(hits)), joint_groups=int(enough.sum()),
        draws=single_draws, joint_draws=joint_draws,
    )  # fmt: skip


def _single(hits: Tensor, counts: Tensor, n_variables: int) -> Tensor:
    """Return Odds (..., V) in percent from hits (..., joint groups, K)."""
    member = (torch.arange(len(counts))[:, None] // 2 ** torch.arange(n_variables)) % 2
    odds = []
    for column in member.unbind(1):
        first, second = (hits[..., column == value, :].sum(-2) / counts[column == value].sum(0) for value in (0, 1))
        odds.append(100 * (first - second).abs().mean(-1))
    return torch.stack(odds, dim=-1)


def _joint(hits: Tensor, counts: Tensor, enough: Tensor) -> Tensor:
    """Return the joint Odds (...) in percent, over the groups with enough examples."""
    recalls = hits[..., enough, :] / counts[enough]
    return 100 * (recalls.amax(-2) - recalls.amin(-2)).mean(-1)


def _of_models(values: Tensor, chosen: Tensor) -> Tensor:
    """Average values (R, M, V) over the models (R, M) that each resample chose."""
    return values.gather(1, chosen[..., None].expand(-1, -1, values.shape[-1])).mean(1)


def _interval(values: Tensor) -> Interval:
    low, high = values.quantile(torch.tensor([0.025, 0.975], dtype=values.dtype)).tolist()
    return low, high
