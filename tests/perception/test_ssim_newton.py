"""Newton directions against the dense solve."""

import pytest
import torch
from torch.nn.functional import cosine_similarity

from blindspots.perception import ssim_hessian_dense, ssim_hessian_product, ssim_newton_direction


def dense_solution(images, gradients, *, damping=0.0, **options):
    hessian = ssim_hessian_dense(images, **options)
    diagonal = hessian.diagonal(dim1=1, dim2=2)
    hessian = hessian + damping * torch.diag_embed(diagonal.mean(1, keepdim=True).expand_as(diagonal))
    return torch.linalg.solve(hessian, gradients.flatten(1)).view_as(gradients)


def relative_residuals(images, gradients, direction, **options):
    left = ssim_hessian_product(images, direction, **options) - gradients
    return left.flatten(1).norm(dim=1) / gradients.flatten(1).norm(dim=1)


@pytest.mark.parametrize("padding", ["same", "valid"])
@pytest.mark.parametrize("shape", [(3, 1, 28, 28), (2, 3, 20, 24), (2, 1, 13, 17), (2, 1, 44, 20), (1, 1, 24, 60)])
@pytest.mark.parametrize("damping", [0, 0.01])
def test_it_equals_the_dense_solve(draw, noise, padding, shape, damping):
    # From 44 pixels on the coarse correction, and from 60 the blocked products, take part.
    images, gradients = draw(*shape), noise(*shape)
    solved = ssim_newton_direction(
        images, gradients, damping=damping, padding=padding, tolerance=1e-11, max_iterations=2000
    )
    expected = dense_solution(images, gradients, damping=damping, padding=padding)
    assert solved.converged.all() and (solved.residual <= 1e-11).all()
    # The residual times the condition number, below 1e7 here.
    assert ((solved.direction - expected).flatten(1).norm(dim=1) < 1e-5 * expected.flatten(1).norm(dim=1)).all()


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize("padding", ["same", "valid"])
@pytest.mark.parametrize("side", [20, 42])
def test_default_tolerance_points_where_the_dense_solve_does(draw, noise, dtype, padding, side):
    images, gradients = draw(2, 1, side, side), noise(2, 1, side, side)
    solved = ssim_newton_direction(images.to(dtype), gradients.to(dtype), padding=padding)
    assert solved.direction.dtype == dtype and solved.residual.dtype == dtype
    assert solved.converged.all() and (solved.iterations < 300).all()
    expected = dense_solution(images, gradients, padding=padding)
    cosines = cosine_similarity(solved.direction.double().flatten(1), expected.flatten(1))
    assert (cosines > 0.99999).all()


@pytest.mark.parametrize("shape", [(2, 1, 28, 28), (2, 3, 100, 61)])
def test_the_reported_residual_is_that_of_the_answer(draw, noise, shape):
    images, gradients = draw(*shape), noise(*shape)
    gradients[0, -1] *= 1e-3
    for max_iterations in (4, 300):
        solved = ssim_newton_direction(images, gradients, max_iterations=max_iterations)
        torch.testing.assert_close(
            solved.residual, relative_residuals(images, gradients, solved.direction), rtol=1e-6, atol=1e-12
        )
        assert torch.equal(solved.converged, solved.residual <= 1e-5)


def test_non_convergence_is_told(draw, noise):
    solved = ssim_newton_direction(draw(2, 1, 28, 28), noise(2, 1, 28, 28), max_iterations=3)
    assert not solved.converged.any()
    assert (solved.residual > 1e-5).all() and torch.equal(solved.iterations, torch.tensor([3, 3]))


def test_an_impossible_tolerance_ends_and_is_told(draw, noise):
    images, gradients = draw(1, 1, 28, 28, dtype=torch.float32), noise(1, 1, 28, 28, dtype=torch.float32)
    solved = ssim_newton_direction(images, gradients, tolerance=1e-12, max_iterations=5000)
    assert not solved.converged.any() and solved.iterations.item() < 1000
    # What float32 allows: 6e-8 times the ratio of the largest to the smallest curvature met by the answer.
    assert solved.residual.item() < 1e-4


@pytest.mark.parametrize("shape", [(5, 1, 28, 28), (4, 3, 60, 50)])
def test_a_batch_of_one_gives_what_it_gives_in_a_batch(draw, noise, shape):
    images, gradients = draw(*shape), noise(*shape)
    images[0] = 0.5
    images[1] *= 0.1
    together = ssim_newton_direction(images, gradients)
    assert together.iterations.unique().numel() > 1, "the images should need different numbers of iterations"
    for index in range(shape[0]):
        alone = ssim_newton_direction(images[index : index + 1], gradients[index : index + 1])
        assert alone.iterations[0] == together.iterations[index]
        # The same iterations in float64; only the order of sums inside matrix products may differ.
        torch.testing.assert_close(alone.direction[0], together.direction[index], rtol=1e-7, atol=1e-9)


def test_permuting_the_batch_permutes_the_result(draw, noise):
    images, gradients = draw(4, 1, 28, 28), noise(4, 1, 28, 28)
    order = torch.tensor([2, 0, 3, 1])
    direct, permuted = ssim_newton_direction(images, gradients), ssim_newton_direction(images[order], gradients[order])
    torch.testing.assert_close(permuted.direction, direct.direction[order], rtol=1e-7, atol=1e-9)


def test_many_images_solved_in_chunks_agree_with_one_chunk(draw, noise, monkeypatch):
    images, gradients = draw(6, 1, 28, 28), noise(6, 1, 28, 28)
    whole = ssim_newton_direction(images, gradients)
    monkeypatch.setattr("blindspots.perception.ssim_newton._CHUNK_VALUES", 2 * 28 * 28)
    pieces = ssim_newton_direction(images, gradients)
    torch.testing.assert_close(pieces.direction, whole.direction, rtol=1e-7, atol=1e-9)
    assert torch.equal(pieces.iterations, whole.iterations)


def test_a_zero_gradient_gives_a_zero_direction(draw, noise):
    images, gradients = draw(3, 3, 28, 28), noise(3, 3, 28, 28)
    gradients[1] = 0
    gradients[2, 0] = 0
    solved = ssim_newton_direction(images, gradients)
    assert solved.direction[1].abs().max() == 0 and solved.residual[1] == 0 and solved.iterations[1] == 0
    assert solved.direction[2, 0].abs().max() == 0 and solved.direction[2, 1].abs().max() > 0
    assert solved.converged.all()


@pytest.mark.parametrize("scale", [1e-30, 1e20])
def test_the_scale_of_the_gradient_only_scales_the_direction(draw, noise, scale):
    images, gradients = draw(1, 1, 28, 28, dtype=torch.float32), noise(1, 1, 28, 28, dtype=torch.float32)
    base, scaled = ssim_newton_direction(images, gradients), ssim_newton_direction(images, scale * gradients)
    assert scaled.converged.all()
    # The scaled gradient rounds differently in float32, and CG ends at 1e-5.
    spread = base.direction.std().item()
    torch.testing.assert_close(scaled.direction / scale, base.direction, rtol=1e-3, atol=1e-3 * spread)


def test_the_direction_beats_others_at_equal_second_order_cost(draw, noise):
    images, gradients = draw(1, 1, 28, 28), noise(1, 1, 28, 28)

    def gain(direction):
        cost = (direction * ssim_hessian_product(images, direction)).sum()
        return (gradients * direction).sum() / cost.sqrt()

    best = gain(ssim_newton_direction(images, gradients).direction)
    assert best > gain(gradients)
    for seed in range(3):
        assert best > gain(gradients + 0.1 * noise(1, 1, 28, 28, seed=seed + 10))


@pytest.mark.parametrize("value", [0.0, 0.5, 1.0])
@pytest.mark.parametrize("side", [1, 4, 28, 60])
def test_constant_and_tiny_images_are_solved(noise, value, side):
    images, gradients = torch.full((1, 1, side, side), value, dtype=torch.float64), noise(1, 1, side, side)
    solved = ssim_newton_direction(images, gradients, max_iterations=1000)
    assert solved.converged.all()
    assert relative_residuals(images, gradients, solved.direction).max() <= 1e-5


def test_every_option_changes_the_direction(draw, noise):
    images, gradients = draw(1, 1, 28, 28), noise(1, 1, 28, 28)
    base = ssim_newton_direction(images, gradients).direction
    for options in (
        dict(window_size=7), dict(sigma=2.0), dict(data_range=2.0), dict(padding="valid"), dict(damping=0.1),
        dict(tolerance=0.1), dict(max_iterations=4),
    ):  # fmt: skip
        other = ssim_newton_direction(images, gradients, **options).direction
        assert (other - base).norm() > 1e-3 * base.norm(), options


def test_inputs_are_left_alone(draw, noise):
    images, gradients = draw(2, 1, 28, 28).requires_grad_(True), noise(2, 1, 28, 28)
    before = images.detach().clone(), gradients.clone()
    assert not ssim_newton_direction(images, gradients).direction.requires_grad
    assert torch.equal(images.detach(), before[0]) and torch.equal(gradients, before[1]) and images.grad is None


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (dict(damping=-1.0), "damping: expected a finite number >= 0"),
        (dict(tolerance=0.0), "tolerance: expected a finite number > 0"),
        (dict(max_iterations=0), "max_iterations: expected a finite number >= 1"),
        (dict(padding="valid", window_size=29), "images: expected sides of at least 29 pixels"),
        (dict(window_size=4), "window_size: expected an odd number"),
    ],
)
def test_bad_options_are_named(draw, options, message):
    images = draw(1, 1, 28, 28)
    with pytest.raises(ValueError, match=message):
        ssim_newton_direction(images, images, **options)


def test_bad_gradients_are_named(draw):
    images = draw(2, 1, 28, 28)
    with pytest.raises(ValueError, match="gradients: expected the shape of images"):
        ssim_newton_direction(images, images[:1])
    with pytest.raises(ValueError, match="gradients: expected the dtype of images"):
        ssim_newton_direction(images, images.float())
    with pytest.raises(ValueError, match="gradients: expected finite values"):
        ssim_newton_direction(images, images * float("nan"))


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device")
@pytest.mark.parametrize("side", [28, 128])
def test_a_gpu_gives_what_the_cpu_gives(draw, noise, side):
    images, gradients = draw(3, 3, side, side), noise(3, 3, side, side)
    here, there = ssim_newton_direction(images, gradients), ssim_newton_direction(images.cuda(), gradients.cuda())
    assert there.direction.is_cuda
    # Both end at a relative residual of 1e-5.
    assert (cosine_similarity(here.direction.flatten(1), there.direction.cpu().flatten(1)) > 0.99999).all()
