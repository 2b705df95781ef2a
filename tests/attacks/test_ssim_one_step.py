"""P0 Eq. 3.4 on models whose gradient is known."""

import pytest
import torch

from blindspots.attacks import l2_one_step, ssim_one_step
from blindspots.perception import ssim_distance, ssim_hessian_dense


@pytest.mark.parametrize("padding", ["same", "valid"])
@pytest.mark.parametrize("channels", [1, 3])
def test_the_step_is_the_dense_solve_of_a_linear_models_weight(linear_model, draw, padding, channels):
    images, weight = draw(2, channels, 14, 14), draw(channels, 14, 14, seed=5) - 0.5
    result = ssim_one_step(
        linear_model(weight, 0.0), images, torch.tensor([0, 0]), epsilon=3, clip=False, padding=padding, tolerance=1e-10
    )
    direction = torch.linalg.solve(ssim_hessian_dense(images, padding=padding), weight.flatten().expand(2, -1))
    expected = images + (3 * direction / direction.norm(dim=1, keepdim=True)).view_as(images)
    # Residual 1e-10 times the condition number.
    torch.testing.assert_close(result.images, expected, rtol=0, atol=1e-5)
    torch.testing.assert_close(result.distances, ssim_distance(result.images, images, padding=padding))
    assert result.solver.converged.all() and result.steps.tolist() == [1, 1]


def test_the_step_has_the_length_asked_for_and_raises_the_loss(small_network, draw):
    model, images = small_network(), draw(4, 1, 20, 20)
    labels = model(images).argmax(1)
    result = ssim_one_step(model, images, labels, epsilon=0.01, clip=False)
    torch.testing.assert_close((result.images - images).flatten(1).norm(dim=1), torch.full((4,), 0.01).double())
    loss = torch.nn.functional.cross_entropy
    before, after = (loss(model(batch), labels, reduction="none") for batch in (images, result.images))
    assert (after > before).all()


def test_clipping_is_the_clamp_of_the_free_step(small_network, draw):
    model, images, labels = small_network(), draw(2, 1, 16, 16), torch.tensor([0, 1])
    free = ssim_one_step(model, images, labels, epsilon=5, clip=False)
    clipped = ssim_one_step(model, images, labels, epsilon=5)
    assert torch.equal(clipped.images, free.images.clamp(0, 1))
    torch.testing.assert_close(clipped.distances, ssim_distance(clipped.images, images))


def test_it_keeps_more_structure_than_the_l2_step_of_the_same_length(small_network, draw):
    images = draw(3, 1, 28, 28)
    images[..., :10] = 0.0
    labels = torch.tensor([0, 1, 2])
    model = small_network()
    ours, theirs = (attack(model, images, labels, epsilon=0.5, clip=False) for attack in (ssim_one_step, l2_one_step))
    assert (ours.distances < ssim_distance(theirs.images, images)).all()


def test_images_already_misclassified_step_too(small_network, draw):
    model, images = small_network(), draw(2, 1, 16, 16)
    labels = (model(images).argmax(1) + 1) % 4
    result = ssim_one_step(model, images, labels, epsilon=0.01)
    assert result.success.all() and result.steps.tolist() == [1, 1] and (result.distances > 0).all()


def test_every_option_changes_the_result(small_network, draw):
    model, images, labels = small_network(), draw(1, 1, 24, 24), torch.tensor([0])
    base = ssim_one_step(model, images, labels, epsilon=2).images
    for options in (
        dict(epsilon=1), dict(clip=False), dict(window_size=7), dict(sigma=2.0), dict(padding="valid"),
        dict(damping=0.1), dict(tolerance=0.3), dict(max_iterations=4),
    ):  # fmt: skip
        other = ssim_one_step(model, images, labels, **(dict(epsilon=2) | options)).images
        assert (other - base).abs().max() > 1e-4, options


def test_an_unfinished_solve_is_told(small_network, draw):
    result = ssim_one_step(small_network(), draw(1, 1, 24, 24), torch.tensor([0]), epsilon=2, max_iterations=2)
    assert not result.solver.converged.any() and (result.solver.residual > 1e-5).all()


def test_bad_options_are_named_before_the_model_is_asked(draw):
    def model(images):
        raise AssertionError("the model was asked")

    images, labels = draw(1, 1, 16, 16), torch.tensor([0])
    for options, message in (
        (dict(epsilon=0), "epsilon: expected a finite number > 0"),
        (dict(epsilon=1, window_size=8), "window_size: expected an odd number"),
        (dict(epsilon=1, padding="valid", window_size=17), "images: expected sides of at least 17 pixels, got 16x16"),
        (dict(epsilon=1, damping=-1), "damping: expected a finite number >= 0"),
        (dict(epsilon=1, tolerance=0), "tolerance: expected a finite number > 0"),
        (dict(epsilon=1, max_iterations=0), "max_iterations: expected a finite number >= 1"),
    ):
        with pytest.raises(ValueError, match=message):
            ssim_one_step(model, images, labels, **options)
