"""The closed form of the Hessian against automatic differentiation."""

import pytest
import torch

from blindspots.perception import ssim_distance, ssim_hessian_diagonal, ssim_hessian_product

CASES = [(padding, channels) for padding in ("same", "valid") for channels in (1, 3)]


def explicit(images, **options):
    """Return H by applying the product to every unit vector."""
    size = images[0].numel()
    units = torch.eye(size, dtype=images.dtype).view(size, *images.shape[1:])
    return ssim_hessian_product(images.expand(size, -1, -1, -1), units, **options).view(size, size)


@pytest.mark.parametrize(("padding", "channels"), CASES)
def test_product_is_the_hessian_of_the_distance(draw, noise, dense_hessian, padding, channels):
    images, vectors = draw(2, channels, 7, 9), noise(2, channels, 7, 9)
    options = dict(window_size=5, padding=padding)
    expected = (dense_hessian(images, **options) @ vectors.flatten(1)[..., None])[..., 0].view_as(vectors)
    # Entries of H reach 100 on the dark part, where a = 1e4; autograd's own rounding is about 1e-12 of that.
    torch.testing.assert_close(ssim_hessian_product(images, vectors, **options), expected, rtol=1e-9, atol=1e-9)


def test_product_is_the_hessian_for_the_standard_window_and_another_range(draw, noise, dense_hessian):
    images, vectors = 2 * draw(1, 1, 12, 13), noise(1, 1, 12, 13)
    expected = (dense_hessian(images, data_range=2.0) @ vectors.flatten(1)[..., None]).view_as(vectors)
    ours = ssim_hessian_product(images, vectors, data_range=2.0)
    torch.testing.assert_close(ours, expected, rtol=1e-9, atol=1e-9)


@pytest.mark.parametrize(("padding", "channels"), CASES)
def test_hessian_is_symmetric_and_positive_definite(draw, padding, channels):
    hessian = explicit(draw(1, channels, 8, 9), window_size=5, padding=padding)
    torch.testing.assert_close(hessian, hessian.mT, rtol=0, atol=1e-13)
    values = torch.linalg.eigvalsh(hessian)
    # Never negative beyond rounding (1e-15 of the largest), and no direction is free.
    assert values.min() > 0


def test_diagonal_is_that_of_the_explicit_matrix(draw):
    images = draw(1, 3, 8, 9)
    for options in (dict(window_size=5), dict(window_size=5, padding="valid")):
        ours = ssim_hessian_diagonal(images, **options)
        torch.testing.assert_close(ours.flatten(), explicit(images, **options).diag())


@pytest.mark.parametrize("padding", ["same", "valid"])
def test_product_is_the_central_difference_of_the_gradient(draw, noise, padding):
    images, vectors = draw(2, 1, 14, 14), noise(2, 1, 14, 14)

    def gradient(shift):
        moved = (images + shift * vectors).requires_grad_(True)
        return torch.autograd.grad(ssim_distance(moved, images, padding=padding).sum(), moved)[0]

    step = 1e-6
    difference = (gradient(step) - gradient(-step)) / (2 * step)
    ours = ssim_hessian_product(images, vectors, padding=padding)
    # The third derivative, of order 1e4 x H on the dark part, times step^2; and rounding 1e-16 / step.
    assert (difference - ours).norm() < 1e-5 * ours.norm()


def test_the_gradient_at_the_image_itself_vanishes(draw):
    images = draw(1, 3, 14, 14).requires_grad_(True)
    (gradient,) = torch.autograd.grad(ssim_distance(images, images.detach()).sum(), images)
    # Differences of terms of order 1; 1e-12 leaves room for a = 1e4.
    assert gradient.abs().max() < 1e-12


def test_channels_do_not_mix(draw, noise):
    images, vectors = draw(1, 3, 12, 12), noise(1, 3, 12, 12)
    vectors[:, 1:] = 0
    assert ssim_hessian_product(images, vectors)[:, 1:].abs().max() == 0


@pytest.mark.parametrize("value", [0.0, 0.5, 1.0])
def test_constant_images_have_a_positive_definite_hessian(value):
    images = torch.full((1, 1, 8, 8), value, dtype=torch.float64)
    for padding in ("same", "valid"):
        assert torch.linalg.eigvalsh(explicit(images, window_size=5, padding=padding)).min() > 0


def test_single_color_images_match_autograd(noise, dense_hessian):
    images = torch.tensor([0.8, 0.1, 0.0], dtype=torch.float64).view(1, 3, 1, 1).expand(1, 3, 7, 7).contiguous()
    vectors = noise(1, 3, 7, 7)
    expected = (dense_hessian(images, window_size=5) @ vectors.flatten(1)[..., None]).view_as(vectors)
    torch.testing.assert_close(ssim_hessian_product(images, vectors, window_size=5), expected, rtol=1e-9, atol=1e-9)


def test_every_option_and_the_dtype_count(draw, noise):
    images, vectors = draw(1, 1, 16, 16), noise(1, 1, 16, 16)
    base = ssim_hessian_product(images, vectors)
    for options in (dict(window_size=7), dict(sigma=2.0), dict(data_range=2.0), dict(padding="valid")):
        assert (ssim_hessian_product(images, vectors, **options) - base).norm() > 1e-2 * base.norm(), options
    single = ssim_hessian_product(images.float(), vectors.float())
    assert single.dtype == torch.float32
    # Variances of bright flat parts carry 1e-7 / C2 = 1e-4 of relative rounding in float32.
    assert (single.double() - base).norm() < 1e-3 * base.norm()


def test_inputs_are_left_alone_and_need_no_gradient(draw, noise):
    images, vectors = draw(1, 1, 12, 12).requires_grad_(True), noise(1, 1, 12, 12)
    before = images.detach().clone(), vectors.clone()
    assert not ssim_hessian_product(images, vectors).requires_grad
    assert torch.equal(images.detach(), before[0]) and torch.equal(vectors, before[1]) and images.grad is None


def test_bad_vectors_are_named(draw):
    images = draw(1, 1, 12, 12)
    with pytest.raises(ValueError, match="vectors: expected the shape of images"):
        ssim_hessian_product(images, images[:, :, :6])
    with pytest.raises(ValueError, match="vectors: expected finite values"):
        ssim_hessian_product(images, images / 0)
    with pytest.raises(ValueError, match="images: expected sides of at least 13 pixels"):
        ssim_hessian_diagonal(images, padding="valid", window_size=13)
