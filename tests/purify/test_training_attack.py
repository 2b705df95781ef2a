"""The attack inside training: exact on linear losses, inside its ball always."""

import pytest
import torch

from blindspots.purify import TrainingAttack
from blindspots.seeding import generator


@pytest.fixture
def weights(draw):
    return draw(3, 2, 4, 5, seed=3) - 0.5


@pytest.fixture
def images(draw):
    return 0.4 + 0.2 * draw(3, 2, 4, 5)


def linear(weights):
    return lambda images: (weights * images).sum((1, 2, 3))


def norms(change, norm):
    return change.flatten(1).norm(dim=1) if norm == "l2" else change.abs().amax((1, 2, 3))


@pytest.mark.parametrize("norm", ["l2", "linf"])
@pytest.mark.parametrize("random_start", [False, True])
def test_a_linear_loss_is_maximized_exactly(images, weights, norm, random_start):
    attack = TrainingAttack(norm=norm, epsilon=0.1, steps=60, step_size=0.05, random_start=random_start)
    found = attack.perturb(images, linear(weights), generator=generator(0)) - images
    best = weights / weights.flatten(1).norm(dim=1).view(-1, 1, 1, 1) if norm == "l2" else weights.sign()
    torch.testing.assert_close(found, 0.1 * best, atol=1e-6, rtol=0)


def test_one_step_from_the_image_has_the_length_asked_for(images, weights):
    attack = TrainingAttack(epsilon=0.3, steps=1, step_size=0.07, random_start=False)
    found = attack.perturb(images, linear(1e-30 * weights), generator=None) - images
    torch.testing.assert_close(found.flatten(1).norm(dim=1), torch.full((3,), 0.07).double())


@pytest.mark.parametrize("norm", ["l2", "linf"])
def test_images_stay_in_the_ball_and_in_range(draw, norm):
    images = draw(6, 3, 5, 5, dtype=torch.float32).round()  # at the edges of the range
    attack = TrainingAttack(norm=norm, epsilon=0.4, steps=3)
    found = attack.perturb(images, lambda x: x.square().sum((1, 2, 3)).sin(), generator=generator(0))
    assert found.min() >= 0 and found.max() <= 1 and found.dtype == torch.float32
    assert (norms(found - images, norm) <= 0.4 * (1 + 1e-6)).all() and not torch.equal(found, images)


@pytest.mark.parametrize("norm", ["l2", "linf"])
def test_the_start_is_uniform_in_the_ball(norm):
    images = torch.full((4000, 1, 1, 2), 0.5)
    attack = TrainingAttack(norm=norm, epsilon=0.1, steps=1, step_size=1e-9)
    lengths = norms(attack.perturb(images, lambda x: 0 * x.sum((1, 2, 3)), generator=generator(0)) - images, norm)
    # Uniform in a disk or square: the squared length has mean 1/2; three standard errors of 4000 draws are 0.014.
    squares = (lengths / 0.1) ** 2
    assert squares.max() <= 1 + 1e-5 and squares.mean().item() == pytest.approx(0.5, abs=0.014)


def test_a_flat_loss_moves_nothing(images):
    attack = TrainingAttack(random_start=False)
    found = attack.perturb(images, lambda x: 0 * x.sum((1, 2, 3)), generator=None)
    assert torch.equal(found, images)


def test_the_start_comes_from_the_generator(images, weights):
    attack = TrainingAttack(steps=1, step_size=1e-3)
    found = [attack.perturb(images, linear(weights), generator=generator(seed)) for seed in (0, 0, 1)]
    assert torch.equal(found[0], found[1]) and not torch.equal(found[0], found[2])


@pytest.mark.parametrize("options", [dict(epsilon=0.2), dict(steps=2), dict(step_size=0.01), dict(norm="linf")])
def test_every_option_changes_the_result(images, options):
    def losses(x):
        return x.square().sum((1, 2, 3)).sin()

    base = TrainingAttack(random_start=False).perturb(images, losses, generator=None)
    changed = TrainingAttack(**dict(random_start=False) | options).perturb(images, losses, generator=None)
    assert not torch.equal(base, changed)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (dict(norm="l1"), "norm: expected one of l2, linf"),
        (dict(epsilon=0), "epsilon: expected a finite number > 0"),
        (dict(steps=0), "steps: expected a finite number >= 1"),
        (dict(step_size=0), "step_size: expected a finite number > 0"),
    ],
)
def test_bad_options_are_named(options, message):
    with pytest.raises(ValueError, match=message):
        TrainingAttack(**options)


def test_a_random_start_needs_a_generator(images, weights):
    with pytest.raises(TypeError, match=r"generator: expected a torch\.Generator"):
        TrainingAttack().perturb(images, linear(weights), generator=None)
