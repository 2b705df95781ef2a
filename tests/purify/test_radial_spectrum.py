"""The radial spectrum: a wave is in its ring, white noise is flat, and the energy adds up."""

import math

import pytest
import torch

from blindspots.purify import radial_spectrum
from blindspots.seeding import generator


@pytest.mark.parametrize("cycles", [2, 5, 8])
@pytest.mark.parametrize("down", [True, False])
def test_a_wave_is_found_at_its_frequency_in_any_direction(cycles, down):
    wave = torch.cos(2 * math.pi * cycles * torch.arange(32, dtype=torch.float64) / 32)
    image = (wave[:, None] if down else wave[None]).expand(1, 2, 32, 32).contiguous() + 0.5
    frequencies, energies = radial_spectrum(image, n_bins=8)
    width = 0.5 / 8
    top = energies[0].argmax()
    assert abs(frequencies[top] - cycles / 32) <= width / 2 + 1e-12
    assert energies[0, top] > 1e6 * energies[0].sum().sub(energies[0, top]).abs()


def test_white_noise_has_its_variance_everywhere():
    noise = 0.3 * torch.randn(200, 1, 16, 16, generator=generator(0), dtype=torch.float64)
    energies = radial_spectrum(noise, n_bins=6)[1].mean(0)
    # The smallest ring holds 8 of the 256 frequencies: 1600 squares, so 3.5 % is one standard deviation.
    torch.testing.assert_close(energies, torch.full_like(energies, 0.09), rtol=0.12, atol=0)


def test_one_ring_holds_the_variance():
    images = torch.rand(3, 3, 9, 14, generator=generator(1), dtype=torch.float64)
    frequencies, energies = radial_spectrum(images, n_bins=1)
    centered = images - images.mean(dim=(2, 3), keepdim=True)
    expected = centered.square().sum(dim=(2, 3)).mean(1) / (9 * 14 - 1)
    torch.testing.assert_close(energies[:, 0], expected)
    assert frequencies.tolist() == [0.25]


def test_rings_without_a_frequency_are_left_out_and_a_constant_has_no_energy():
    frequencies, energies = radial_spectrum(torch.full((2, 1, 4, 4), 0.7), n_bins=12)
    assert len(frequencies) == energies.shape[1] < 12
    assert energies.max() < 1e-12


def test_a_ramp_has_no_fine_detail_once_tapered_and_noise_keeps_its_variance():
    ramp = torch.linspace(0, 1, 32, dtype=torch.float64).expand(1, 1, 32, 32).contiguous()
    plain, tapered = (radial_spectrum(ramp, taper=taper)[1][0] for taper in (False, True))
    assert tapered[-1] < 1e-2 * plain[-1]
    noise = 0.3 * torch.randn(200, 1, 16, 16, generator=generator(0), dtype=torch.float64)
    energies = radial_spectrum(noise, n_bins=6, taper=True)[1].mean(0)
    # The mean is taken out before the taper, so the smallest ring lacks some of it.
    torch.testing.assert_close(energies[1:], torch.full_like(energies[1:], 0.09), rtol=0.12, atol=0)


def test_bad_arguments_are_named():
    with pytest.raises(ValueError, match="n_bins"):
        radial_spectrum(torch.rand(1, 1, 8, 8, generator=generator(0)), n_bins=0)
    with pytest.raises(ValueError, match="images"):
        radial_spectrum(torch.full((1, 1, 8, 8), float("nan")))
