"""The two networks' shapes, their first weights, and a gradient that does not jump."""

import pytest
import torch

from blindspots.models.elu_networks import elu_cnn, elu_perceptron
from blindspots.seeding import generator


@pytest.mark.parametrize(("side", "left"), [(28, 1), (32, 2)])
def test_the_convolutions_leave_what_their_strides_say(side, left):
    model = elu_cnn(3, 10, side=side, width=4, seed=0)
    images = torch.rand(2, 3, side, side, generator=generator(0))
    assert model.encode(images).shape == (2, 8 * left * left) and model(images).shape == (2, 10)
    assert [tuple(layer.kernel_size) for layer in model.features if hasattr(layer, "kernel_size")] == [
        (8, 8), (6, 6), (5, 5),
    ]  # fmt: skip


def test_the_perceptron_is_its_formula():
    model = elu_perceptron(12, 3, hidden=5, seed=0)
    images = torch.rand(4, 3, 2, 2, generator=generator(0))
    first, second = model.features[0], model.classifier
    inner = images.flatten(1) @ first.weight.T + first.bias
    elu = torch.where(inner > 0, inner, inner.exp() - 1)
    torch.testing.assert_close(model(images), elu @ second.weight.T + second.bias)


@pytest.mark.parametrize("make", [lambda s: elu_cnn(1, 4, side=28, width=2, seed=s),
                                  lambda s: elu_perceptron(784, 4, hidden=6, seed=s)])  # fmt: skip
def test_the_seed_decides_the_weights_and_the_gradient_is_continuous(make):
    images = torch.rand(3, 1, 28, 28, generator=generator(1))
    assert torch.equal(make(0)(images), make(0)(images)) and not torch.equal(make(0)(images), make(1)(images))
    model = make(0).double()
    line = torch.linspace(-2, 2, 4001, dtype=torch.float64)
    points = (images[:1].double() + line.view(-1, 1, 1, 1)).requires_grad_(True)
    (slopes,) = torch.autograd.grad(model(points)[:, 0].sum(), points)
    jumps = slopes.flatten(1).sum(1).diff().abs()
    assert jumps.max() < 0.05 * (slopes.flatten(1).sum(1).max() - slopes.flatten(1).sum(1).min())


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: elu_cnn(1, 10, side=27, seed=0), "side: expected a finite number >= 28"),
        (lambda: elu_cnn(1, 10, side=28, width=0, seed=0), "width: expected"),
        (lambda: elu_perceptron(4, 1, seed=0), "n_classes: expected"),
        (lambda: elu_perceptron(4, 2, hidden=0, seed=0), "hidden: expected"),
    ],
)
def test_sizes_out_of_range_are_refused(call, message):
    with pytest.raises(ValueError, match=message):
        call()
