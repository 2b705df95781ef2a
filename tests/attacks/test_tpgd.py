"""TPGD on a linear model, and against the divergence itself."""

import pytest
import torch

from blindspots.attacks import tpgd


def test_it_goes_to_the_corner_its_noise_points_to_on_a_linear_model(linear_model, draw):
    weight, images = 0.1 * (draw(1, 4, 4, seed=2) - 0.5), 0.3 + 0.4 * draw(4, 1, 4, 4)
    noise = torch.randn(images.shape, generator=torch.Generator().manual_seed(3), dtype=torch.float64)
    sides = (noise * weight).sum(dim=(1, 2, 3)).sign()
    assert sides.unique().numel() == 2
    result = tpgd(
        linear_model(weight, 0.0), images, torch.tensor([0, 0, 1, 1]), epsilon=0.05,
        generator=torch.Generator().manual_seed(3),
    )  # fmt: skip
    # The divergence grows on both sides of the clean margin, and 10 steps of epsilon / 4 are enough.
    torch.testing.assert_close(result.images, images + 0.05 * sides.view(4, 1, 1, 1) * weight.sign())
    assert result.steps.tolist() == [10] * 4 == result.gradient_evaluations.tolist()


def test_the_first_step_follows_the_gradient_of_the_divergence(small_network, draw):
    model, images = small_network(channels=3), 0.3 + 0.4 * draw(2, 3, 12, 12)
    start = images + 0.01 * torch.randn(images.shape, generator=torch.Generator().manual_seed(1), dtype=torch.float64)
    leaf = start.clone().requires_grad_(True)
    clean = torch.softmax(model(images), 1).detach()
    divergence = torch.nn.functional.kl_div(torch.log_softmax(model(leaf), 1), clean, reduction="sum")
    (gradient,) = torch.autograd.grad(divergence, leaf)
    result = tpgd(
        model, images, torch.tensor([0, 1]), epsilon=0.1, steps=1, step_size=0.02, start_noise=0.01,
        generator=torch.Generator().manual_seed(1),
    )  # fmt: skip
    torch.testing.assert_close(result.images, start + 0.02 * gradient.sign())


def test_labels_play_no_part_but_in_the_success(small_network, draw):
    model, images = small_network(channels=3), draw(3, 3, 12, 12)
    labels = model(images).argmax(1)
    first, second = (
        tpgd(model, images, chosen, epsilon=0.01, generator=torch.Generator().manual_seed(0))
        for chosen in (labels, (labels + 1) % 4)
    )
    assert torch.equal(first.images, second.images) and second.success.any()


def test_without_noise_there_is_no_gradient(small_network, draw):
    model, images = small_network(channels=3), draw(2, 3, 12, 12)
    result = tpgd(
        lambda batch: 0.0 * model(batch), images, torch.tensor([0, 1]), epsilon=0.1, generator=None, start_noise=0
    )
    assert torch.equal(result.images, images) and result.stalled.all() and (result.steps == 0).all()


def test_results_stay_in_the_ball_and_in_the_range(small_network, draw):
    images = draw(2, 3, 12, 12).round()
    result = tpgd(
        small_network(channels=3), images, torch.tensor([0, 1]), epsilon=0.1, step_size=0.3, start_noise=1.0,
        generator=torch.Generator().manual_seed(0),
    )  # fmt: skip
    assert result.images.min() >= 0 and result.images.max() <= 1
    assert (result.distances <= 0.1 + 1e-12).all()
    torch.testing.assert_close(result.distances, (result.images - images).abs().amax(dim=(1, 2, 3)))


@pytest.mark.parametrize(
    ("options", "error", "message"),
    [
        (dict(epsilon=0.0), ValueError, "epsilon: expected a finite number > 0"),
        (dict(steps=0), ValueError, "steps: expected a finite number >= 1"),
        (dict(step_size=0), ValueError, "step_size: expected a finite number > 0"),
        (dict(start_noise=-1), ValueError, "start_noise: expected a finite number >= 0"),
        (dict(generator=None), TypeError, r"generator: expected a torch\.Generator"),
    ],
)
def test_bad_options_are_named(small_network, draw, options, error, message):
    base = dict(epsilon=0.1, generator=torch.Generator())
    with pytest.raises(error, match=message):
        tpgd(small_network(channels=3), draw(1, 3, 12, 12), torch.tensor([0]), **(base | options))
