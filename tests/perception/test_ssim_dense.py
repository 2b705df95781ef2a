"""The explicit Hessian against autograd and against the matrix-free product."""

import pytest
import torch

from blindspots.perception import ssim_hessian_dense, ssim_hessian_product


@pytest.mark.parametrize("padding", ["same", "valid"])
@pytest.mark.parametrize("channels", [1, 3])
def test_it_is_the_hessian_by_automatic_differentiation(draw, dense_hessian, padding, channels):
    images = draw(2, channels, 7, 8)
    options = dict(window_size=5, padding=padding)
    ours = ssim_hessian_dense(images, **options)
    # Entries reach 100; autograd's own rounding is 1e-12 of that.
    torch.testing.assert_close(ours, dense_hessian(images, **options), rtol=1e-9, atol=1e-9)
    assert torch.equal(ours, ours.mT)


def test_it_agrees_with_the_matrix_free_product(draw, noise):
    images, vectors = draw(3, 3, 14, 12), noise(3, 3, 14, 12)
    product = (ssim_hessian_dense(images, sigma=1.2) @ vectors.flatten(1)[..., None]).view_as(vectors)
    torch.testing.assert_close(product, ssim_hessian_product(images, vectors, sigma=1.2))


def test_images_too_large_for_a_matrix_are_refused(draw):
    with pytest.raises(ValueError, match=r"at most 4,096 values.*got 4,225; use ssim_hessian_product"):
        ssim_hessian_dense(draw(1, 1, 65, 65))
    assert ssim_hessian_dense(draw(1, 1, 12, 12, dtype=torch.float32)).dtype == torch.float32


def test_every_option_changes_the_matrix(draw):
    images = draw(1, 1, 12, 12)
    base = ssim_hessian_dense(images)
    for options in (dict(window_size=7), dict(sigma=2.0), dict(data_range=2.0), dict(padding="valid")):
        assert (ssim_hessian_dense(images, **options) - base).norm() > 1e-2 * base.norm(), options
