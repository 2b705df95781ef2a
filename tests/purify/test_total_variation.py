"""Total variation: solutions known in closed form, another solver, and which values were dropped."""

import pytest
import torch

from blindspots.purify import fit_total_variation, total_variation
from blindspots.seeding import generator


def two_halves(low=0.2, high=0.8, side=12):
    image = torch.full((1, 1, side, side), low, dtype=torch.float64)
    image[..., side // 2 :] = high
    return image


def objective(fits, images, mask, weight):
    """Return the sum as the docstring prints it, written another way."""
    below, right = torch.zeros_like(fits), torch.zeros_like(fits)
    below[..., :-1, :] = fits[..., 1:, :] - fits[..., :-1, :]
    right[..., :-1] = fits[..., 1:] - fits[..., :-1]
    misfit = (mask * (fits - images) ** 2).sum((1, 2, 3))
    return misfit / 2 + weight * (below**2 + right**2).sqrt().sum((1, 2, 3))


@pytest.mark.parametrize("weight", [0.03, 0.6])
def test_two_halves_move_towards_each_other_by_the_analytic_amount(weight):
    # A half of 12 x 6 pixels moved by t gains weight * 12 per unit of edge and pays (1/2) 72 t^2: t = weight / 6.
    image = two_halves()
    fit = fit_total_variation(image, torch.ones_like(image), weight=weight, tolerance=1e-7, max_iterations=5000)
    assert fit.converged.all()
    torch.testing.assert_close(fit.images, two_halves(0.2 + weight / 6, 0.8 - weight / 6), atol=1e-5, rtol=0)


def test_a_large_weight_leaves_the_mean(draw):
    image = draw(1, 2, 8, 8)
    fit = fit_total_variation(image, torch.ones_like(image), weight=50.0, tolerance=1e-6, max_iterations=5000)
    torch.testing.assert_close(fit.images, image.mean((2, 3), keepdim=True).expand_as(image), atol=1e-4, rtol=0)


def test_dropped_values_of_a_flat_image_come_back_exactly():
    image = torch.full((2, 3, 9, 11), 0.4, dtype=torch.float64)
    torch.testing.assert_close(total_variation(image, keep=0.3, generator=generator(0)), image)


def test_a_dropped_spike_is_filled_in_from_around():
    image, mask = torch.full((1, 1, 9, 9), 0.3, dtype=torch.float64), torch.ones(1, 1, 9, 9, dtype=torch.float64)
    image[0, 0, 4, 4], mask[0, 0, 4, 4] = 1.0, 0.0
    fit = fit_total_variation(image, mask)
    torch.testing.assert_close(fit.images, torch.full_like(image, 0.3), atol=1e-3, rtol=0)


def test_no_small_change_of_the_solution_is_better(draw):
    images = draw(2, 1, 7, 8)
    mask = (draw(2, 1, 7, 8, seed=1) < 0.6).double()
    fit = fit_total_variation(images, mask, weight=0.05, tolerance=1e-8, max_iterations=20000)
    torch.testing.assert_close(fit.objective, objective(fit.images, images, mask, 0.05))
    for seed in range(20):
        for size in (1e-1, 1e-2, 1e-3):
            moved = fit.images + size * (draw(2, 1, 7, 8, seed=2 + seed) - 0.5)
            assert (objective(moved, images, mask, 0.05) > fit.objective - 1e-7).all()


@pytest.mark.parametrize("keep", [0.5, 1.0])
def test_the_default_tolerance_comes_close_to_the_minimum(photograph, keep):
    image = photograph(48)
    mask = (torch.rand(image.shape, generator=generator(3)) < keep).double()
    best = fit_total_variation(image, mask, tolerance=1e-6, max_iterations=5000)
    fit = fit_total_variation(image, mask)
    assert fit.converged.all() and best.converged.all()
    assert 0 <= fit.objective / best.objective - 1 < 2e-3
    single = fit_total_variation(image.float(), mask.float())
    torch.testing.assert_close(single.objective.double(), fit.objective, rtol=1e-4, atol=0)


@pytest.mark.parametrize("weight", [0.03, 0.1])
def test_without_dropping_it_is_the_solution_of_chambolles_algorithm(photograph, weight):
    restoration = pytest.importorskip("skimage.restoration")
    image = photograph(48, channels=1)
    ours = fit_total_variation(image, torch.ones_like(image), weight=weight, tolerance=1e-5, max_iterations=5000)
    dual = restoration.denoise_tv_chambolle(image[0, 0].numpy(), weight=weight, eps=1e-9, max_num_iter=5000)
    theirs = torch.as_tensor(dual)[None, None]
    # Its dual descent is the slower one: after 5000 iterations its objective is still above ours, by about 1e-4.
    assert 0 < objective(theirs, image, torch.ones_like(image), weight) / ours.objective - 1 < 3e-4
    assert (ours.images - theirs).abs().max() < 3e-3


def test_values_are_dropped_one_by_one_with_the_given_probability(draw):
    # With a tiny weight kept values stay and dropped ones move.
    images = draw(1, 3, 40, 40)
    moved = (total_variation(images, weight=1e-4, keep=0.7, generator=generator(1)) - images).abs() > 2e-3
    assert moved.double().mean().item() == pytest.approx(0.3, abs=0.03)  # 4800 draws: one sd is 0.007
    assert (moved[:, 0] != moved[:, 1]).any() and (moved[:, 1] != moved[:, 2]).any()


def test_an_image_alone_is_the_same_image_in_a_batch(draw):
    images, mask = draw(3, 2, 10, 12), (draw(3, 2, 10, 12, seed=1) < 0.5).double()
    images[1] *= 0.1
    together = fit_total_variation(images, mask)
    for index in range(3):
        alone = fit_total_variation(images[index : index + 1], mask[index : index + 1])
        torch.testing.assert_close(alone.images[0], together.images[index], atol=1e-12, rtol=0)
        assert alone.iterations.item() == together.iterations[index]
    assert len(set(together.iterations.tolist())) > 1
    first = total_variation(images[:1], generator=generator(4))
    torch.testing.assert_close(total_variation(images, generator=generator(4))[:1], first)


def test_the_seed_decides_and_every_option_matters(draw):
    images = draw(1, 1, 16, 16)
    base = total_variation(images, generator=generator(0))
    assert torch.equal(base, total_variation(images, generator=generator(0)))
    for options in (dict(weight=0.1), dict(keep=0.8), dict(tolerance=1e-1), dict(max_iterations=3)):
        assert not torch.equal(base, total_variation(images, generator=generator(0), **options)), options
    assert not torch.equal(base, total_variation(images, generator=generator(1)))


def test_keeping_everything_draws_nothing(draw):
    draws = generator(5)
    before = draws.get_state()
    total_variation(draw(1, 1, 8, 8), keep=1, generator=draws)
    assert torch.equal(draws.get_state(), before)


@pytest.mark.parametrize("dtype", [torch.float16, torch.float32, torch.float64])
def test_dtype_range_and_input_are_kept(draw, dtype):
    images = draw(2, 1, 8, 8, dtype=dtype)
    before = images.clone()
    result = total_variation(images.requires_grad_(True), generator=generator(0))
    assert result.dtype == dtype and not result.requires_grad and torch.equal(images, before)
    assert result.min() >= 0 and result.max() <= 1


def test_too_few_iterations_are_reported(draw):
    images = draw(1, 1, 8, 8)
    fit = fit_total_variation(images, torch.ones_like(images), tolerance=1e-9, max_iterations=7)
    assert fit.iterations.item() == 7 and not fit.converged.item()


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (dict(weight=0), "weight: expected a finite number > 0"),
        (dict(keep=0), "keep: expected a finite number > 0 and <= 1"),
        (dict(keep=1.5), "keep: expected"),
        (dict(tolerance=0.0), "tolerance: expected a finite number > 0"),
        (dict(max_iterations=0), "max_iterations: expected a finite number >= 1"),
    ],
)
def test_bad_options_are_named(draw, options, message):
    with pytest.raises(ValueError, match=message):
        total_variation(draw(1, 1, 4, 4), generator=generator(0), **options)


def test_a_mask_that_is_not_one_is_refused(draw):
    images = draw(1, 1, 4, 4)
    with pytest.raises(ValueError, match="mask: expected only 0 and 1"):
        fit_total_variation(images, images)
    with pytest.raises(ValueError, match="mask: expected the shape of images"):
        fit_total_variation(images, images[:, :, :2])
