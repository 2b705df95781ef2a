"""Effects of group and trigger on logits: planted effects come back, and Eq. 3's gap is their difference."""

import pytest
import torch

from blindspots.debias.logistic_toy import bayes_toy
from blindspots.debias.logit_effects import cell_means, logit_effects
from blindspots.seeding import generator


def planted(mean, bias, trigger, interaction):
    sign = torch.tensor([-0.5, 0.5], dtype=torch.float64)
    b, a = sign[:, None], sign[None, :]
    parts = [value[:, None, None] for value in (mean, bias, trigger, interaction)]
    return parts[0] + b * parts[1] + a * parts[2] + a * b * parts[3]


def draws(*shape, seed=0):
    return torch.randn(*shape, generator=generator(seed), dtype=torch.float64)


def test_planted_effects_come_back():
    given = draws(4, 50)
    found = logit_effects(planted(*given))
    for value, wanted in zip((found.mean, found.bias, found.trigger, found.interaction), given, strict=True):
        assert torch.allclose(value, wanted)


def test_the_gap_of_inverted_triggers_is_bias_less_trigger_whatever_the_interaction():
    logits = draws(50, 2, 2)
    found = logit_effects(logits)
    assert found.interaction.abs().min() > 1e-3
    assert torch.allclose(logits[:, 1, 0] - logits[:, 0, 1], found.bias - found.trigger)


def test_the_additive_share_is_the_r_squared_of_a_regression_within_inputs():
    logits = draws(30, 2, 2)
    centered = logits - logits.mean((1, 2), keepdim=True)
    found = logit_effects(logits)
    sign = torch.tensor([-0.5, 0.5], dtype=torch.float64)
    fitted = found.bias[:, None, None] * sign[:, None] + found.trigger[:, None, None] * sign[None, :]
    wanted = 1 - (centered - fitted).square().sum() / centered.square().sum()
    assert found.additive_share == pytest.approx(wanted.item())


def test_a_logit_linear_in_group_and_trigger_is_additive_and_one_that_never_moves_too():
    given = draws(3, 20)
    assert logit_effects(planted(*given, torch.zeros(20).double())).additive_share == pytest.approx(1, abs=1e-12)
    assert logit_effects(torch.ones(3, 2, 2)).additive_share == 1.0
    only_together = planted(*torch.zeros(3, 20).double(), given[0])
    assert logit_effects(only_together).additive_share == pytest.approx(0, abs=1e-12)


def test_the_toy_has_the_coefficients_that_are_measured():
    toy = bayes_toy(bias_rates=(0.8, 0.3), trigger_rates=(0.6, 0.5), group_shift=0.5)
    features = draws(20)
    both = [
        [toy.intercept + toy.weight * (features + toy.group_shift * b) + toy.bias_effects[b] + toy.trigger_effects[a]
         for a in (0, 1)] for b in (0, 1)
    ]  # fmt: skip
    found = logit_effects(torch.stack([torch.stack(row, 1) for row in both], 1))
    assert torch.allclose(found.bias, torch.full((20,), toy.coef_bias).double())
    assert torch.allclose(found.trigger, torch.full((20,), toy.coef_trigger).double())


def test_cell_means_are_those_of_a_loop_and_do_not_depend_on_the_order():
    values, labels = draws(60, 2), torch.arange(60) % 3
    groups = (torch.arange(60) // 3) % 2
    found = cell_means(values, labels, groups)
    assert found.shape == (3, 2, 2)
    for label in range(3):
        for group in range(2):
            assert torch.allclose(found[label, group], values[(labels == label) & (groups == group)].mean(0))
    order = torch.randperm(60, generator=generator(1))
    assert torch.allclose(cell_means(values[order], labels[order], groups[order]), found)


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_the_dtype_is_kept(dtype):
    logits = torch.ones(3, 2, 2, dtype=dtype)
    assert logit_effects(logits).bias.dtype == dtype
    assert (
        cell_means(torch.ones(4, 2, dtype=dtype), torch.tensor([0, 0, 1, 1]), torch.tensor([0, 1, 0, 1])).dtype == dtype
    )


def test_bad_input_is_named():
    with pytest.raises(ValueError, match=r"logits: expected shape \(N, 2, 2\)"):
        logit_effects(torch.zeros(3, 2))
    with pytest.raises(TypeError, match="logits: expected a float tensor"):
        logit_effects(torch.zeros(3, 2, 2).long())
    with pytest.raises(ValueError, match="logits"):
        logit_effects(torch.full((1, 2, 2), float("nan")))
    with pytest.raises(ValueError, match="values: expected a float tensor"):
        cell_means(torch.zeros(4), torch.zeros(4).long(), torch.zeros(4).long())
    with pytest.raises(ValueError):
        cell_means(torch.zeros(4, 2), torch.tensor([0, 0, 1, 1]), torch.tensor([0, 1, 1, 1]))
