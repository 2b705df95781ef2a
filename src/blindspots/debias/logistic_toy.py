"""A toy of BaDe that can be solved by hand: a Gaussian feature, a group, a trigger, and a logit linear in all three."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, fields, replace

import torch
from torch import Tensor

from blindspots.checks import check_choice, check_generator, check_number
from blindspots.debias.group_cells import check_groups
from blindspots.debias.group_metrics import eacc_of, odds_of

TRIGGERS = ("none", "assigned", "inverted", "same", "all_0", "all_1")

Pair = tuple[float, float]


@dataclass(frozen=True)
class LogisticToy:
    r"""A distribution of (X, B, A, Y) and a linear classifier of it, with closed forms of its rates.

    The distribution: P(Y = 1) = prior; B and A are independent given Y, with P(B = 0 | Y = y) = bias_rates[y] and
    P(A = 0 | Y = y) = trigger_rates[y]; X given Y = y, B = b is Gaussian with mean feature_means[y] + group_shift b and
    standard deviation feature_std, and does not depend on A. The classifier says 1 where its logit is > 0,

        logit(x, b, a) = intercept + weight x + bias_effects[b] + trigger_effects[a],

    the last term left out where there is no trigger. Given y, b and a the logit is Gaussian too, so that every rate is
    a value of the normal distribution function Phi. Group and trigger shift the logit by

        coef_B = bias_effects[1] - bias_effects[0] + weight group_shift,
        coef_A = trigger_effects[1] - trigger_effects[0],

    and the inverted trigger a = 1 - b leaves their difference D = coef_A - coef_B of it:

        Odds = (100 / 2) sum_y | Phi((v_y + D/2) / s) - Phi((v_y - D/2) / s) |,   s = |weight| feature_std,

    with v_y the mean logit of label y between the groups and between the triggers. It is 0 where coef_A = coef_B and
    grows with |D|; of the trigger, D and the mean of its two effects matter, and nothing else.

    Attributes:
        prior: P(Y = 1), in (0, 1).
        bias_rates, trigger_rates: shares in (0, 1) of group 0 and trigger 0 by label (0, 1).
        feature_means: by label; group_shift is added for group 1 and makes X a proxy of the group.
        feature_std: > 0, in units of X.
        intercept, weight, bias_effects, trigger_effects: the classifier's, in units of the logit; weight is not 0.

    Raises:
        TypeError, ValueError: a number out of its range, or pairs of another length.

    Source: P3, Sec. 4.1 (D_backdoor, D_balance) and Eq. 3; the toy itself is not in the paper. It is a model in which
        Eq. 3 holds exactly, and shows what it needs: effects that add up in the logit, and equal coefficients.
    """

    prior: float
    bias_rates: Pair
    trigger_rates: Pair
    feature_means: Pair
    feature_std: float
    group_shift: float
    intercept: float
    weight: float
    bias_effects: Pair
    trigger_effects: Pair

    def __post_init__(self) -> None:
        for spec in fields(self):
            values = getattr(self, spec.name)
            if spec.type == "Pair" and (not isinstance(values, Sequence) or len(values) != 2):
                raise ValueError(f"{spec.name}: expected two numbers, got {values!r}")
            for value in values if spec.type == "Pair" else [values]:
                check_number(value, spec.name)
                if (spec.name.endswith("_rates") or spec.name == "prior") and not 0 < value < 1:
                    raise ValueError(f"{spec.name}: expected a share in (0, 1), got {value!r}")
        check_number(self.feature_std, "feature_std", above=0.0)
        if not self.weight:
            raise ValueError("weight: expected a number other than 0, got 0; the rates would not be smooth")

    @property
    def coef_bias(self) -> float:
        """Return what group 1 has over group 0 in the logit, its shift of X included."""
        return self.bias_effects[1] - self.bias_effects[0] + self.weight * self.group_shift

    @property
    def coef_trigger(self) -> float:
        """Return what trigger 1 has over trigger 0 in the logit."""
        return self.trigger_effects[1] - self.trigger_effects[0]

    def with_coef_trigger(self, value: float) -> LogisticToy:
        """Return the same toy with another coefficient of the trigger, the mean of its two effects kept."""
        check_number(value, "value")
        middle = sum(self.trigger_effects) / 2
        return replace(self, trigger_effects=(middle - value / 2, middle + value / 2))

    def recalls(self, triggers: str) -> Tensor:
        """Return the shares (2, 2) of right predictions, float64: row b, column y (TNR, TPR).

        Args:
            triggers: "none"; "assigned", drawn by `trigger_rates`; "inverted", a = 1 - b; "same", a = b; "all_0" or
                "all_1".
        """
        check_choice(triggers, "triggers", TRIGGERS)
        means = torch.tensor(self.feature_means, dtype=torch.float64)
        shifts = torch.tensor([0.0, self.group_shift], dtype=torch.float64)
        effects = torch.tensor(self.bias_effects, dtype=torch.float64)
        logits = self.intercept + self.weight * (means + shifts[:, None]) + effects[:, None]  # (b, y)
        # Which share of each group and label carries each trigger: (a, b, y).
        share_0 = {
            "none": torch.zeros(2, 2), "all_0": torch.ones(2, 2), "all_1": torch.zeros(2, 2),
            "same": torch.tensor([[1.0, 1.0], [0.0, 0.0]]), "inverted": torch.tensor([[0.0, 0.0], [1.0, 1.0]]),
            "assigned": torch.tensor(self.trigger_rates, dtype=torch.float64).expand(2, 2),
        }[triggers].double()  # fmt: skip
        added = (0.0, 0.0) if triggers == "none" else self.trigger_effects
        says_1 = sum(
            share * self._above_zero(logits + effect)
            for share, effect in zip((share_0, 1 - share_0), added, strict=True)
        )
        return torch.stack([1 - says_1[:, 0], says_1[:, 1]], dim=1)

    def odds(self, triggers: str) -> float:
        """Return the equalized odds difference in percent; triggers as in `recalls`."""
        return odds_of(self.recalls(triggers)).item()

    def eacc(self, triggers: str) -> float:
        """Return the equalized accuracy in percent; triggers as in `recalls`."""
        return eacc_of(self.recalls(triggers)).item()

    def residual_odds(self, differences: Tensor) -> Tensor:
        """Return Odds in percent with inverted triggers, as a function of D = coef_A - coef_B.

        Args:
            differences: (...) finite values of D; the toy's own `coef_trigger` does not enter.

        Returns:
            (...) float64, even in D, 0 at 0 and growing with |D|.
        """
        half = differences.double() / 2
        middle = self.intercept + sum(self.bias_effects) / 2 + sum(self.trigger_effects) / 2
        odds = torch.zeros_like(half)
        for mean in self.feature_means:
            between = middle + self.weight * (mean + self.group_shift / 2)
            odds += 50 * (self._above_zero(between + half) - self._above_zero(between - half)).abs()
        return odds

    def predict(self, features: Tensor, groups: Tensor, triggers: Tensor | None = None) -> Tensor:
        """Return the classes (N,) that the classifier gives to features (N,), groups (N,) and triggers (N,) or none."""
        check_groups(groups, len(features))
        logits = self.intercept + self.weight * features.double() + torch.tensor(self.bias_effects).double()[groups]
        if triggers is not None:
            check_groups(triggers, len(features), name="triggers")
            logits = logits + torch.tensor(self.trigger_effects).double()[triggers]
        return (logits > 0).long()

    def sample(self, n: int, *, generator: torch.Generator) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        """Draw n examples: features (n,) float64, labels (n,), groups (n,) and assigned triggers (n,), 0 or 1."""
        check_number(n, "n", at_least=1, integer=True)
        check_generator(generator)
        uniform = torch.rand(3, n, generator=generator, dtype=torch.float64)
        labels = (uniform[0] < self.prior).long()
        groups, triggers = (
            (draws >= torch.tensor(rates, dtype=torch.float64)[labels]).long()
            for draws, rates in zip(uniform[1:], (self.bias_rates, self.trigger_rates), strict=True)
        )
        noise = torch.randn(n, generator=generator, dtype=torch.float64)
        means = torch.tensor(self.feature_means, dtype=torch.float64)[labels] + self.group_shift * groups
        return means + self.feature_std * noise, labels, groups, triggers

    def _above_zero(self, logits: Tensor) -> Tensor:
        """Return the chance that a Gaussian logit of these means is > 0."""
        return torch.special.ndtr(logits / (abs(self.weight) * self.feature_std))


def bayes_toy(
    *,
    prior: float = 0.5,
    bias_rates: Pair = (0.7, 0.3),
    trigger_rates: Pair | None = None,
    feature_means: Pair = (-1.0, 1.0),
    feature_std: float = 1.0,
    group_shift: float = 0.0,
) -> LogisticToy:
    """Return the toy whose classifier is the best one of its distribution: the posterior's logit, which is linear.

    By Bayes' rule the effects are bias_effects[b] = log P(B = b | Y = 1) / P(B = b | Y = 0), less weight group_shift b,
    and trigger_effects[a] likewise for A; they add, since A, B and the noise of X are independent given Y. It is what a
    logistic regression comes to on many examples of D_backdoor. With the trigger rates of the paper, TAR(y) =
    P(B = 0 | Y = y), both coefficients are equal and inversion drives Odds to 0.

    Args:
        prior, bias_rates, feature_means, feature_std, group_shift: as in `LogisticToy`; the two means differ.
        trigger_rates: None for the bias rates, as in the paper.

    Raises:
        TypeError, ValueError: as in `LogisticToy`.
    """
    trigger_rates = bias_rates if trigger_rates is None else trigger_rates
    plain = LogisticToy(
        prior, bias_rates, trigger_rates, feature_means, feature_std, group_shift, 0.0, 1.0, (0.0, 0.0), (0.0, 0.0)
    )
    if feature_means[0] == feature_means[1]:
        raise ValueError(f"feature_means: expected two that differ, got {feature_means!r}; X would tell nothing")
    weight = (feature_means[1] - feature_means[0]) / feature_std**2
    bias_effects = _log_ratios(bias_rates)
    return replace(
        plain,
        intercept=math.log(prior / (1 - prior)) - weight * sum(feature_means) / 2,
        weight=weight,
        bias_effects=(bias_effects[0], bias_effects[1] - weight * group_shift),
        trigger_effects=_log_ratios(trigger_rates),
    )


def _log_ratios(rates: Pair) -> Pair:
    """Return log P(0 | Y = 1) / P(0 | Y = 0) and the same of 1, from shares of 0 by label."""
    return math.log(rates[1] / rates[0]), math.log((1 - rates[1]) / (1 - rates[0]))
