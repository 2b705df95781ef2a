"""The preconditioners are symmetric positive definite and do what their formulas say."""

import torch

from blindspots.perception.preconditioner import CoarsePreconditioner, DiagonalPreconditioner
from blindspots.perception.ssim_hessian import ssim_curvature
from blindspots.perception.window import gaussian_window


def matrix_of(preconditioner, height, width):
    units = torch.eye(height * width, dtype=torch.float64).view(-1, 1, height, width)
    return torch.stack([preconditioner(unit, torch.empty_like(unit)).flatten() for unit in units])


def curvature_of(images):
    window = gaussian_window(*images.shape[-2:], dtype=torch.float64)
    curvature = ssim_curvature(window, images, 1.0)
    return window, curvature.coupling.flatten(0, 1), curvature.diagonal.flatten(0, 1)


def test_diagonal_preconditioner_divides(draw):
    _, _, diagonal = curvature_of(draw(2, 1, 12, 12))
    residuals = torch.ones_like(diagonal)
    torch.testing.assert_close(DiagonalPreconditioner(diagonal)(residuals, residuals.clone()), 1 / diagonal)
    second = DiagonalPreconditioner(diagonal).select(torch.tensor([1]))(residuals[1:], residuals[1:].clone())
    torch.testing.assert_close(second, 1 / diagonal[1:])


def test_coarse_preconditioner_is_symmetric_positive_definite(draw):
    images = draw(1, 1, 20, 27)
    matrix = matrix_of(CoarsePreconditioner(*curvature_of(images)), 20, 27)
    torch.testing.assert_close(matrix, matrix.mT, rtol=0, atol=1e-12)
    assert torch.linalg.eigvalsh(matrix).min() > 0


def test_coarse_preconditioner_inverts_the_system_on_blocks(draw):
    # For a residual A Z y the correction alone gives back Z y up to what the diagonal part adds off the blocks:
    # in the inner product with Z^T A it is exact.
    window, coupling, diagonal = curvature_of(draw(1, 1, 16, 16))
    preconditioner = CoarsePreconditioner(window, coupling, diagonal)
    corner = torch.zeros(1, 16, 16, dtype=torch.float64)
    corner[:, :8, :8] = 1.0
    dense = window.dense()
    system = dense.mT @ (coupling.flatten()[:, None] * dense) + torch.diag(diagonal.flatten())
    blocks = torch.nn.functional.one_hot(torch.arange(16) // 8, 2).double()
    blocks = torch.kron(blocks, blocks)
    coarse = torch.linalg.inv(blocks.mT @ system @ blocks)
    dominant = 1 / preconditioner._inverse.flatten()
    expected = torch.diag(1 / dominant) + blocks @ (
        coarse - torch.linalg.inv(blocks.mT @ torch.diag(dominant) @ blocks)
    ) @ blocks.mT
    torch.testing.assert_close(matrix_of(preconditioner, 16, 16), expected, rtol=1e-9, atol=1e-12)


def test_a_coarse_matrix_that_is_not_positive_leaves_the_diagonal_alone(draw):
    window, coupling, diagonal = curvature_of(draw(2, 1, 16, 16))
    coupling = coupling.clone()
    coupling[0] = -1e6
    preconditioner = CoarsePreconditioner(window, coupling, diagonal)
    ones = torch.ones_like(diagonal)
    result = preconditioner(ones, torch.empty_like(ones))
    torch.testing.assert_close(result[0], 1 / diagonal[0])
    assert not torch.allclose(result[1], 1 / diagonal[1])
    torch.testing.assert_close(preconditioner.select(torch.tensor([1]))(ones[1:], ones[1:].clone()), result[1:])
