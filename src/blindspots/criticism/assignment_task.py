"""P4's human study with a computed subject: to which of six groups of six images does a new image belong?"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

from blindspots import checks
from blindspots.criticism.inputs import check_features, check_indices

SUBJECTS = ("nearest", "mean")
_TASKS_AT_ONCE = 128
Showing = Mapping[int, Tensor]
"""The rows shown for each class, as many for one as for another."""


@dataclass(frozen=True)
class AssignmentResult:
    """What the subject answered, task by task, the same tasks under every condition.

    Attributes:
        rates: by condition, the share of tasks answered correctly, in [0, 1].
        intervals: by condition, the lower and upper end of the bootstrap interval.
        correct: by condition, (T,), whether each task was answered correctly.
        targets: (T,), the row of each task's image.
        classes: (T, G), the classes of each task's groups, in the order shown.
        chance: 1 / G.
        level: of the intervals.
        replicates: by condition, (R,), the bootstrapped rates; a replicate takes the same targets everywhere.
    """

    rates: dict[str, float]
    intervals: dict[str, tuple[float, float]]
    correct: dict[str, Bool[Tensor, " T"]] = field(repr=False)
    targets: Int[Tensor, " T"] = field(repr=False)
    classes: Int[Tensor, "T G"] = field(repr=False)
    chance: float
    level: float
    replicates: dict[str, Float[Tensor, " R"]] = field(repr=False)

    def difference(self, first: str, second: str) -> tuple[float, float, float]:
        """Return the rate of the first condition less that of the second, and its paired bootstrap interval."""
        for name, condition in (("first", first), ("second", second)):
            checks.check_choice(condition, name, tuple(self.rates))
        low, high = _interval(self.replicates[first] - self.replicates[second], self.level)
        return self.rates[first] - self.rates[second], low, high


def assignment_task(
    features: Tensor,
    labels: Tensor,
    conditions: Mapping[str, Sequence[Showing]],
    *,
    n_tasks: int = 1000,
    n_groups: int = 6,
    subject: str = "nearest",
    n_replicates: int = 1000,
    level: float = 0.95,
    generator: torch.Generator,
) -> AssignmentResult:
    r"""Let a computed subject assign images to groups of exemplars, under several ways to choose these.

    For each task n_groups classes are drawn, one of them is the target's, and the target is one of its examples that no
    condition shows. The subject sees features only and answers, with d the Euclidean distance,
        argmin over the groups g of   min_{e in g} d(target, e)   or   mean_{e in g} d(target, e),
    the first group of equal ones, their order being random. Every condition gets the same tasks.

    Args:
        features: (N, D), the space in which the subject looks; it need not be that in which exemplars were chosen.
        labels: (N,), classes, 0-based.
        conditions: by name, one showing or several (draws of a random choice; task t gets the t-th in turn): rows shown
            (M,) by class, for n_groups classes at least, the same classes and M in all showings.
        n_tasks: T, at least 1.
        n_groups: G, at least 2. P4: 6.
        subject: "nearest", the nearest-prototype rule by which MMD-critic was evaluated, or "mean".
        n_replicates: R of the bootstrap over targets, at least 1.
        level: of the intervals, in (0, 1).
        generator: CPU generator of the tasks and the bootstrap.

    Returns:
        AssignmentResult. Its intervals say how the rates vary with the targets, given what is shown (tasks with one
        target stay together); how they vary with what is shown is for several showings, or seeds, to say.

    Raises:
        TypeError, ValueError: bad features, labels or options; showings whose classes or sizes differ, that show an
            example under another class, or that leave a class without a target; fewer classes than groups.

    Source: P4 Section 3.3 and Table 3 (six classes, six images each, 1,600 answers).
    Differs from the paper: the subjects there are people. A rate here measures how well the exemplars represent their
    classes in a feature space, and not what people understand.
    """
    check_features(features)
    checks.check_labels(labels, len(features))
    checks.check_number(n_tasks, "n_tasks", at_least=1, integer=True)
    checks.check_number(n_groups, "n_groups", at_least=2, integer=True)
    checks.check_choice(subject, "subject", SUBJECTS)
    checks.check_number(n_replicates, "n_replicates", at_least=1, integer=True)
    checks.check_number(level, "level", above=0.0, at_most=1.0)
    checks.check_generator(generator)
    place = features.device
    own = labels.to(place)
    names, shown = _checked_showings(conditions, own, n_groups)
    pools = _targets(own, names, shown)
    targets, groups = _tasks(pools, n_tasks, n_groups, generator)
    cluster, resampled = _resampled(targets, n_replicates, generator)
    targets, groups = targets.to(place), groups.to(place)
    answers = {}
    for condition, draws in shown.items():
        chosen = _answers(features.detach().double(), targets, groups, draws, subject)
        answers[condition] = groups.gather(1, chosen[:, None])[:, 0] == _places(own[targets], names)
    sizes = resampled @ torch.bincount(cluster).double()
    replicates = {
        name: resampled @ torch.bincount(cluster, weights=right.cpu().double()) / sizes
        for name, right in answers.items()
    }
    return AssignmentResult(
        rates={name: right.double().mean().item() for name, right in answers.items()},
        intervals={name: _interval(values, level) for name, values in replicates.items()},
        correct=answers,
        targets=targets,
        classes=torch.tensor(names, device=place)[groups],
        chance=1.0 / n_groups,
        level=level,
        replicates=replicates,
    )


def _checked_showings(
    conditions: Mapping[str, Sequence[Showing]], labels: Tensor, n_groups: int
) -> tuple[list[int], dict[str, Tensor]]:
    """Return the classes shown, ascending, and by condition the rows shown (S, K, M)."""
    if not conditions or not all(len(showings) for showings in conditions.values()):
        raise ValueError("conditions: expected at least one, with at least one showing each, got none; choose some")
    names = sorted(next(iter(conditions.values()))[0])
    if len(names) < n_groups:
        raise ValueError(
            f"n_groups: expected at most {len(names)}, the classes that are shown, got {n_groups}; show more classes"
        )
    shown, size = {}, None
    for condition, showings in conditions.items():
        for showing in showings:
            if sorted(showing) != names:
                raise ValueError(
                    f"conditions[{condition!r}]: expected the classes {names} in every showing, got {sorted(showing)}"
                )
            for name, rows in showing.items():
                what = f"conditions[{condition!r}][{name}]"
                check_indices(rows, len(labels), what)
                size = len(rows) if size is None else size
                if len(rows) != size:
                    raise ValueError(f"{what}: expected {size} rows, as others show, got {len(rows)}; show as many")
                if not (labels[rows.to(labels.device)] == name).all():
                    raise ValueError(f"{what}: expected examples of class {name}, got others; check the indices")
        rows = [torch.stack([showing[name].to(labels.device).long() for name in names]) for showing in showings]
        shown[condition] = torch.stack(rows)
    return names, shown


def _targets(labels: Tensor, names: list[int], shown: Mapping[str, Tensor]) -> list[Tensor]:
    """Return, class by class, the rows that no condition shows."""
    free = torch.ones_like(labels, dtype=torch.bool)
    for rows in shown.values():
        free[rows.flatten()] = False
    pools = [(free & (labels == name)).nonzero().flatten().cpu() for name in names]
    for name, pool in zip(names, pools, strict=True):
        if len(pool) == 0:
            raise ValueError(f"labels: expected an example of class {name} that is not shown, got none; show fewer")
    return pools


def _tasks(
    pools: list[Tensor], n_tasks: int, n_groups: int, generator: torch.Generator
) -> tuple[Int[Tensor, " T"], Int[Tensor, "T G"]]:
    """Return the targets and the groups, as places in the list of classes, of each task."""
    orders = torch.rand(n_tasks, len(pools), generator=generator).argsort(dim=1)
    groups = orders[:, :n_groups]
    # The order is random, so any place in it is a random one of the groups.
    own = groups.gather(1, torch.randint(n_groups, (n_tasks, 1), generator=generator))[:, 0]
    shares = torch.rand(n_tasks, generator=generator, dtype=torch.float64)
    targets = [
        pools[place][int(share * len(pools[place]))] for place, share in zip(own.tolist(), shares.tolist(), strict=True)
    ]
    return torch.stack(targets), groups


def _answers(features: Tensor, targets: Tensor, groups: Tensor, draws: Tensor, subject: str) -> Int[Tensor, " T"]:
    """Return the group (T,), 0 to G - 1, that the subject picks in each task."""
    answers = []
    for first in range(0, len(targets), _TASKS_AT_ONCE):
        here = slice(first, first + _TASKS_AT_ONCE)
        turn = torch.arange(first, first + len(targets[here]), device=targets.device) % len(draws)
        exemplars = features[draws[turn[:, None], groups[here]]]  # (t, G, M, D)
        distances = torch.linalg.vector_norm(exemplars - features[targets[here], None, None], dim=-1)
        pooled = distances.amin(dim=2) if subject == "nearest" else distances.mean(dim=2)
        answers.append(pooled.argmin(dim=1))
    return torch.cat(answers)


def _places(labels: Tensor, names: list[int]) -> Tensor:
    return torch.searchsorted(torch.tensor(names, device=labels.device, dtype=labels.dtype), labels)


def _resampled(
    targets: Tensor, n_replicates: int, generator: torch.Generator
) -> tuple[Int[Tensor, " T"], Float[Tensor, "R U"]]:
    """Return each task's target, 0 to U - 1, and how often each target was drawn in each replicate."""
    _, cluster = targets.unique(return_inverse=True)
    n_clusters = int(cluster.max()) + 1
    drawn = torch.randint(n_clusters, (n_replicates, n_clusters), generator=generator)
    counts = torch.zeros(n_replicates, n_clusters, dtype=torch.float64)
    return cluster, counts.scatter_add_(1, drawn, torch.ones_like(drawn, dtype=torch.float64))


def _interval(values: Tensor, level: float) -> tuple[float, float]:
    tails = torch.tensor([(1 - level) / 2, (1 + level) / 2], dtype=values.dtype)
    low, high = values.quantile(tails).tolist()
    return low, high
