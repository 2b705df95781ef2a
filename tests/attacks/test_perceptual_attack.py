"""P0 Algorithm 3.1: where it stops, to the step, and what it asks of a distance."""

import math

import pytest
import torch
from torch.nn.functional import cross_entropy

from blindspots.attacks import perceptual_attack, round_to_eight_bits
from blindspots.perception import ssim_distance

ONES = torch.ones(1, 4, 4, dtype=torch.float64)
GRAY = torch.full((1, 1, 4, 4), 0.5, dtype=torch.float64)


def half_square(images, references):
    return 0.5 * (images - references).square().sum(dim=(1, 2, 3))


class Prepared:
    """Half the squared L2 distance that records what is asked of it."""

    def __init__(self):
        self.calls = []

    def __call__(self, images, references):
        raise AssertionError("the prepared form should be used")

    def prepare(self, references):
        self.calls.append(("prepare", references.shape[0]))
        return PreparedHalfSquare(self, references)


class PreparedHalfSquare:
    def __init__(self, parent, references):
        self.parent, self.references = parent, references

    def __call__(self, images):
        self.parent.calls.append(("ask", images.shape[0]))
        return half_square(images, self.references)

    def select(self, indices):
        self.parent.calls.append(("select", indices.tolist()))
        return PreparedHalfSquare(self.parent, self.references[indices])


@pytest.mark.parametrize("offset", [-8.15, -8.62, -9.05])
@pytest.mark.parametrize("weight", [0.0, 1.0, 3.0])
@pytest.mark.parametrize("confidence", [0, 0.3])
def test_it_stops_at_the_step_of_the_scalar_recursion(linear_model, offset, weight, confidence):
    # With weight vector ONES, x = 0.5 + t in every pixel, margin m = 8 + offset + 16 t, loss log(1 + e^m):
    # t <- t + step_size (sigmoid(m) - weight t).
    t, expected = 0.0, 0
    while expected < 40:
        margin = 8 + offset + 16 * t
        if margin > confidence:
            break
        t += 0.03 * (1 / (1 + math.exp(-margin)) - weight * t)
        expected += 1
    result = perceptual_attack(
        linear_model(ONES, offset), GRAY, torch.tensor([0]), half_square,
        step_size=0.03, weight=weight, confidence=confidence, steps=40,
    )  # fmt: skip
    assert 1 <= expected <= 40 and result.steps.item() == expected == result.gradient_evaluations.item()
    torch.testing.assert_close(result.images, GRAY + t, rtol=0, atol=1e-12)
    assert result.distances.item() == pytest.approx(8 * t * t)
    assert result.success.item() == (8 + offset + 16 * t > 0)


def test_each_step_is_the_equation(small_network, draw):
    model, images, labels = small_network(channels=3), draw(3, 3, 12, 12), torch.tensor([0, 1, 2])
    labels = model(images).argmax(1)
    result = perceptual_attack(model, images, labels, ssim_distance, step_size=0.5, weight=2.0, steps=1)
    leaf = images.clone().requires_grad_(True)
    (ascent,) = torch.autograd.grad(cross_entropy(model(leaf), labels, reduction="sum"), leaf)
    (pull,) = torch.autograd.grad(ssim_distance(leaf, images).sum(), leaf)
    torch.testing.assert_close(result.images, (images + 0.5 * (ascent - 2.0 * pull)).clamp(0, 1))
    norms = torch.stack([ascent.flatten(1).norm(dim=1), pull.flatten(1).norm(dim=1)], dim=1)
    torch.testing.assert_close(result.gradient_norms, norms[None])


def test_the_margin_must_be_exceeded_not_met():
    def model(images):
        margin = images[:, 0, 0, 0] - 0.5
        return torch.stack([torch.zeros_like(margin), margin], dim=1)

    # At the start the margin is exactly 0: the image goes on. Half the slope of the loss is one step's length.
    result = perceptual_attack(model, GRAY, torch.tensor([0]), half_square, step_size=0.25)
    assert result.steps.item() == 1 and result.success.item()
    assert result.images[0, 0, 0, 0].item() == 0.5 + 0.25 * 0.5


def test_the_last_step_is_checked_too(linear_model):
    options = dict(step_size=0.03, weight=0.0)
    free = perceptual_attack(linear_model(ONES, -8.4), GRAY, torch.tensor([0]), half_square, **options)
    needed = free.steps.item()
    for steps, success in ((needed, True), (needed - 1, False)):
        result = perceptual_attack(
            linear_model(ONES, -8.4), GRAY, torch.tensor([0]), half_square, steps=steps, **options
        )
        assert result.steps.item() == steps and result.success.item() is success
        assert result.gradient_norms.shape == (steps, 1, 2)


def test_misclassified_images_return_unchanged_unless_the_margin_is_too_small(linear_model):
    model, labels = linear_model(ONES, -7.9), torch.tensor([0])
    result = perceptual_attack(model, GRAY, labels, half_square)
    assert torch.equal(result.images, GRAY) and result.success.item() and not result.stalled.item()
    assert result.steps.item() == 0 and result.gradient_evaluations.item() == 0
    assert result.gradient_norms.isnan().all()
    assert perceptual_attack(model, GRAY, labels, half_square, confidence=1.0).steps.item() > 0


def test_flipped_images_leave_the_batch_and_references_are_prepared_once(linear_model):
    images = GRAY.repeat(3, 1, 1, 1)
    images[0] -= 0.02
    images[1] += 0.5 / 16
    sizes = []

    class Counting(torch.nn.Module):
        def __init__(self):
            super().__init__()
            self.inner = linear_model(ONES, -8.3)

        def forward(self, batch):
            sizes.append(batch.shape[0])
            return self.inner(batch)

    distance = Prepared()
    result = perceptual_attack(Counting(), images, torch.tensor([0, 0, 0]), distance, step_size=0.03)
    plain = perceptual_attack(
        linear_model(ONES, -8.3), images, torch.tensor([0, 0, 0]), half_square, step_size=0.03
    )
    assert torch.equal(result.images, plain.images) and torch.equal(result.distances, plain.distances)
    first, other, last = result.steps.tolist()
    assert other == 0 and 0 < last < first
    assert sizes == [3] + last * [2] + (first - last) * [1] + [3, 3]
    asked = last * [("ask", 2)] + [("select", [0])] + (first - last) * [("ask", 1)] + [("ask", 3)]
    assert distance.calls == [("prepare", 3), ("select", [0, 2]), *asked]
    active = ~result.gradient_norms.isnan().any(dim=2)
    assert torch.equal(active.sum(dim=0), result.steps)


def test_an_image_that_a_step_no_longer_changes_stops(linear_model):
    # At 1 in every pixel the margin is still -0.5.
    model = linear_model(ONES, -16.5)
    result = perceptual_attack(model, GRAY, torch.tensor([0]), half_square, step_size=20, weight=0, steps=100)
    assert torch.equal(result.images, torch.ones_like(GRAY)) and not result.success.item()
    assert result.stalled.item() and result.steps.item() + 1 == result.gradient_evaluations.item() < 100


def test_rounding_is_judged_apart():
    def model(images):
        margin = images[:, 0, 0, 0] - 127.2 / 255
        return torch.stack([torch.zeros_like(margin), margin], dim=1)

    # A step of half a thousandth is an eighth of a level: it flips at 127.25 levels, which rounds to 127.
    image = torch.full_like(GRAY, 127 / 255)
    result = perceptual_attack(model, image, torch.tensor([0]), half_square, step_size=1e-3)
    assert result.success.item() and not result.rounded_success.item()
    assert model(round_to_eight_bits(result.images)).argmax() == 0


def test_every_option_changes_the_result(small_network, draw):
    model, images = small_network(channels=3), draw(3, 3, 16, 16)
    images[:, :, :6] = images[:, :, :6].round()
    labels = model(images).argmax(1)
    base = perceptual_attack(model, images, labels, ssim_distance, step_size=2.0)
    assert base.success.all()
    for options in (
        dict(step_size=1.0), dict(weight=0.0), dict(confidence=0.3), dict(steps=1), dict(clip=False),
    ):  # fmt: skip
        other = perceptual_attack(model, images, labels, ssim_distance, **(dict(step_size=2.0) | options))
        assert (other.images - base.images).abs().max() > 1e-4, options
    other = perceptual_attack(model, images, labels, half_square, step_size=2.0)
    assert (other.images - base.images).abs().max() > 1e-4


def test_a_distance_in_training_mode_is_judged_and_comes_back(small_network, draw):
    class Encoder(torch.nn.Module):
        def __init__(self):
            super().__init__()
            self.network = small_network(channels=3)

        def forward(self, images, references):
            return (self.network(images) - self.network(references)).square().sum(dim=1)

    model, images, labels = small_network(channels=3), draw(2, 3, 16, 16), torch.tensor([0, 1])
    distance = Encoder().train()
    first = perceptual_attack(model, images, labels, distance, steps=3)
    second = perceptual_attack(model, images, labels, distance.eval(), steps=3)
    assert torch.equal(first.images, second.images)
    distance.train()
    perceptual_attack(model, images, labels, distance, steps=1)
    assert distance.training and all(parameter.grad is None for parameter in distance.parameters())


@pytest.mark.parametrize(
    ("distance", "message"),
    [
        (lambda a, b: (a - b).square().mean(), r"distance: expected one distance per image \(1,\)"),
        (lambda a, b: (a - b).detach().sum(dim=(1, 2, 3)), "distance: .*remove torch.no_grad"),
        (lambda a, b: (a - b).square().sum(dim=(1, 2, 3)).sqrt(), "distance: expected a finite gradient"),
        (lambda a, b: (a - b).sum(dim=(1, 2, 3)) / 0.0, "the distance: expected finite"),
    ],
)
def test_bad_distances_are_named(small_network, draw, distance, message):
    model, images = small_network(), draw(1, 1, 12, 12)
    with pytest.raises(ValueError, match=message):
        perceptual_attack(model, images, model(images).argmax(1), distance)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (dict(step_size=0.0), "step_size: expected a finite number > 0"),
        (dict(weight=-1.0), "weight: expected a finite number >= 0"),
        (dict(confidence=-1.0), "confidence: expected a finite number >= 0"),
        (dict(steps=0), "steps: expected a finite number >= 1"),
    ],
)
def test_bad_options_are_named(small_network, draw, options, message):
    with pytest.raises(ValueError, match=message):
        perceptual_attack(small_network(), draw(1, 1, 12, 12), torch.tensor([0]), half_square, **options)
