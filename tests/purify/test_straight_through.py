"""Values of one function, gradient of another, both to the last bit."""

import pytest
import torch

from blindspots.purify import straight_through


def test_values_are_the_first_and_the_gradient_the_seconds(draw):
    images = draw(2, 1, 3, 4, dtype=torch.float32).requires_grad_(True)
    # Adding and subtracting the image would round here; the value has to be the quantized one exactly.
    quantized = (images.detach() * 3).round() / 3
    passed = straight_through(quantized, images.square())
    assert torch.equal(passed, quantized)
    weights = draw(2, 1, 3, 4, seed=1, dtype=torch.float32)
    (gradient,) = torch.autograd.grad((weights * passed).sum(), images)
    torch.testing.assert_close(gradient, 2 * images * weights)


def test_no_gradient_goes_to_the_values(draw):
    values, surrogate = (draw(1, 1, 2, 2, seed=seed).requires_grad_(True) for seed in (0, 1))
    passed = straight_through(values, surrogate)
    assert torch.autograd.grad(passed.sum(), values, allow_unused=True, retain_graph=True) == (None,)
    assert torch.equal(torch.autograd.grad(passed.sum(), surrogate)[0], torch.ones(1, 1, 2, 2).double())


def test_a_change_of_the_result_leaves_the_values_alone(draw):
    values = draw(1, 1, 2, 2)
    before = values.clone()
    straight_through(values, values).zero_()
    assert torch.equal(values, before)


def test_another_shape_is_refused(draw):
    with pytest.raises(ValueError, match="surrogate: expected the shape of values"):
        straight_through(draw(1, 1, 2, 2), draw(1, 1, 2, 3))
