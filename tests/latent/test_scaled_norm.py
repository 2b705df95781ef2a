"""The scaled norm: root mean square of a row."""

import pytest
import torch

from blindspots.latent import scaled_norm
from blindspots.seeding import generator


def test_it_is_the_root_mean_square():
    assert scaled_norm(torch.tensor([[3.0, 4.0, 0.0, 0.0], [2.0, 2.0, 2.0, 2.0]])).tolist() == [2.5, 2.0]


def test_images_and_single_numbers_are_rows_too():
    images = torch.rand(3, 2, 4, 5, generator=generator(0))
    torch.testing.assert_close(scaled_norm(images), images.square().mean(dim=(1, 2, 3)).sqrt())
    assert scaled_norm(torch.tensor([-2.0, 3.0])).tolist() == [2.0, 3.0]


def test_a_draw_from_the_prior_has_a_norm_of_about_one():
    norms = scaled_norm(torch.randn(2000, 64, generator=generator(0)))
    # E chi_64 / 8 = 0.996; the standard error of the mean of 2000 is 0.002.
    assert norms.mean().item() == pytest.approx(0.996, abs=0.008)


def test_rows_without_entries_are_an_error():
    with pytest.raises(ValueError, match="at least one entry"):
        scaled_norm(torch.zeros(3, 0))
