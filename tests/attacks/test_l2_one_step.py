"""The one-step L2 baseline on a linear model."""

import pytest
import torch

from blindspots.attacks import l2_one_step


def test_it_steps_along_the_weight_of_a_linear_model(linear_model, draw):
    images, weight = draw(2, 1, 6, 6), draw(1, 6, 6, seed=2) - 0.5
    result = l2_one_step(linear_model(weight, 0.1), images, torch.tensor([0, 1]), epsilon=0.05)
    # Label 0 is left by going up the weight, label 1 by going down.
    signs = torch.tensor([1.0, -1.0], dtype=torch.float64).view(2, 1, 1, 1)
    torch.testing.assert_close(result.images, images + 0.05 * signs * weight / weight.norm())
    torch.testing.assert_close(result.distances, torch.full((2,), 0.05, dtype=torch.float64))


@pytest.mark.parametrize(("epsilon", "flips"), [(0.099, False), (0.101, True)])
def test_success_turns_at_the_exact_boundary(linear_model, epsilon, flips):
    weight = torch.ones(1, 4, 4, dtype=torch.float64)
    images = torch.full((1, 1, 4, 4), 0.5, dtype=torch.float64)
    # The norm of the weight is 4, so the boundary is 0.4 / 4 = 0.1 away.
    result = l2_one_step(linear_model(weight, -8.4), images, torch.tensor([0]), epsilon=epsilon)
    assert result.success.item() is flips


def test_clip_and_epsilon_change_the_result(small_network, draw):
    model, images, labels = small_network(), draw(2, 1, 12, 12), torch.tensor([0, 1])
    base = l2_one_step(model, images, labels, epsilon=4)
    free = l2_one_step(model, images, labels, epsilon=4, clip=False)
    assert torch.equal(base.images, free.images.clamp(0, 1)) and not torch.equal(base.images, free.images)
    assert not torch.equal(base.images, l2_one_step(model, images, labels, epsilon=2).images)
    torch.testing.assert_close(free.distances, torch.full((2,), 4.0, dtype=torch.float64))
    assert (base.distances < 4).all()


def test_a_bad_epsilon_is_named(small_network, draw):
    with pytest.raises(ValueError, match="epsilon: expected a finite number > 0, got -1"):
        l2_one_step(small_network(), draw(1, 1, 12, 12), torch.tensor([0]), epsilon=-1)
