"""What is not known is kept apart from what is."""

import math

import numpy as np
import pytest
import torch

from blindspots.latent import summarize_censored


def test_complete_values_have_their_ordinary_summary():
    values = torch.tensor([0.0, 0.4, 1.0, 0.7, 0.2])
    found = summarize_censored(values, bound=2.5)
    assert found.complete and (found.n, found.n_censored, found.n_zero) == (5, 0, 1)
    assert found.mean_found == found.mean_at_least == pytest.approx(values.mean().item())
    assert found.sd_found == pytest.approx(values.std().item())
    assert found.quartiles == pytest.approx(np.quantile(values.double().numpy(), [0.25, 0.5, 0.75]))


def test_censored_values_never_enter_the_mean_silently():
    found = summarize_censored(torch.tensor([0.2, 0.4, torch.inf, torch.inf]), bound=1.0)
    assert (found.n, found.n_censored, found.complete) == (4, 2, False)
    assert found.mean_found == pytest.approx(0.3) and found.mean_at_least == pytest.approx(0.65)
    assert found.quartiles[0] == pytest.approx(0.35) and found.quartiles[1:] == (math.inf, math.inf)
    assert not hasattr(found, "mean")


def test_a_median_that_is_known_stays_known():
    found = summarize_censored(torch.tensor([0.1, 0.2, 0.3, torch.inf, torch.inf]), bound=1.0)
    assert found.quartiles == (pytest.approx(0.2), pytest.approx(0.3), math.inf)


def test_if_nothing_was_found_there_is_no_mean():
    found = summarize_censored(torch.full((3,), torch.inf), bound=0.3)
    assert math.isnan(found.mean_found) and math.isnan(found.sd_found) and found.mean_at_least == pytest.approx(0.3)
    assert found.quartiles == (math.inf,) * 3 and found.n_censored == 3


@pytest.mark.parametrize("values", [[], [float("nan")], [-0.1], [[0.1]]])
def test_messages(values):
    with pytest.raises(ValueError, match="values: expected at least one number >= 0"):
        summarize_censored(torch.tensor(values), bound=1.0)
