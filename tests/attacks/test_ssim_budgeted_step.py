"""The SSIM-budgeted step spends its budget."""

import pytest
import torch

from blindspots.attacks import ssim_budgeted_step, ssim_one_step
from blindspots.perception import ssim_distance, ssim_hessian_product


@pytest.mark.parametrize("padding", ["same", "valid"])
@pytest.mark.parametrize("channels", [1, 3])
def test_the_realized_distance_tends_to_the_bound(small_network, draw, padding, channels):
    model, images, labels = small_network(channels=channels), draw(3, channels, 20, 20), torch.tensor([0, 1, 2])
    errors = []
    for bound in (1e-3, 1e-5, 1e-7):
        result = ssim_budgeted_step(model, images, labels, bound=bound, padding=padding)
        torch.testing.assert_close(result.distances, ssim_distance(result.images, images, padding=padding))
        errors.append((result.distances / bound - 1).abs())
    # The third-order term goes with the square root of the bound: a factor of 10 for each step here; 3 leaves room
    # for images where it is small by chance and for the solve's 1e-5.
    assert (errors[0] < 0.1).all() and (errors[2] < 1e-3).all()
    assert (errors[2] * 3 < errors[1]).all() and (errors[1] * 3 < errors[0]).all()


def test_the_second_order_cost_is_the_bound(small_network, draw):
    images = draw(2, 1, 20, 20)
    result = ssim_budgeted_step(small_network(), images, torch.tensor([0, 1]), bound=0.3)
    change = result.images - images
    cost = 0.5 * (change * ssim_hessian_product(images, change)).sum(dim=(1, 2, 3))
    # The solve ends at a residual of 1e-5.
    torch.testing.assert_close(cost, torch.full((2,), 0.3, dtype=torch.float64), rtol=1e-4, atol=0)


def test_no_direction_of_equal_cost_gains_more(linear_model, draw):
    images, weight = draw(1, 1, 16, 16), draw(1, 16, 16, seed=4) - 0.5
    change = ssim_budgeted_step(linear_model(weight, 0.0), images, torch.tensor([0]), bound=1e-4).images - images
    for seed in range(3):
        other = change + 0.1 * change.std() * (draw(1, 1, 16, 16, seed=seed + 10) - 0.5)
        cost = [(step * ssim_hessian_product(images, step)).sum() for step in (change, other)]
        assert (weight * change).sum() > (weight * other).sum() * (cost[0] / cost[1]).sqrt()


def test_its_direction_is_that_of_the_one_step_attack(small_network, draw):
    model, images, labels = small_network(), draw(1, 1, 20, 20), torch.tensor([0])
    one = ssim_one_step(model, images, labels, epsilon=1, clip=False).images - images
    ours = ssim_budgeted_step(model, images, labels, bound=0.01).images - images
    assert torch.nn.functional.cosine_similarity(one.flatten(), ours.flatten(), 0) > 1 - 1e-9


def test_clipping_is_the_clamp_of_the_free_step_and_off_by_default(small_network, draw):
    model, images, labels = small_network(), draw(2, 1, 16, 16).round(), torch.tensor([0, 1])
    free = ssim_budgeted_step(model, images, labels, bound=0.05)
    assert free.images.min() < 0
    assert torch.equal(ssim_budgeted_step(model, images, labels, bound=0.05, clip=True).images, free.images.clamp(0, 1))


def test_every_option_changes_the_result(small_network, draw):
    model, images, labels = small_network(), draw(1, 1, 24, 24).round(), torch.tensor([0])
    base = ssim_budgeted_step(model, images, labels, bound=0.05).images
    for options in (
        dict(bound=0.02), dict(clip=True), dict(window_size=7), dict(sigma=2.0), dict(padding="valid"),
        dict(damping=0.1), dict(tolerance=0.3), dict(max_iterations=4),
    ):  # fmt: skip
        other = ssim_budgeted_step(model, images, labels, **(dict(bound=0.05) | options)).images
        assert (other - base).abs().max() > 1e-4, options


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (dict(bound=0.0), "bound: expected a finite number > 0"),
        (dict(bound=0.1, padding="valid", window_size=17), "images: expected sides of at least 17 pixels"),
        (dict(bound=0.1, damping=-0.1), "damping: expected a finite number >= 0"),
    ],
)
def test_bad_options_are_named(small_network, draw, options, message):
    with pytest.raises(ValueError, match=message):
        ssim_budgeted_step(small_network(), draw(1, 1, 16, 16), torch.tensor([0]), **options)
