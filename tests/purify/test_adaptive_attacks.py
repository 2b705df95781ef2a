"""Attackers who know the defense: equal to the plain attack where there is no defense, and stronger where there is."""

import pytest
import torch

from blindspots.attacks import pgd_l2_until_flipped, standard_attack
from blindspots.purify import acsr_purifier, bit_depth, defended, deflect_pixels, jpeg, tikhonov_split
from blindspots.seeding import generator

LABELS = torch.tensor([0, 1, 0, 1, 0, 1])


class Linear(torch.nn.Module):
    """Logits (-s, s) with s = w . (x - 1/2), in float64."""

    def __init__(self, weights):
        super().__init__()
        self.weights = torch.nn.Parameter(weights.flatten())

    def forward(self, images):
        score = (images - 0.5).flatten(1) @ self.weights
        return torch.stack([-score, score], dim=1)


@pytest.fixture
def model(draw):
    return Linear(draw(3, 6, 6, seed=4) - 0.5)


@pytest.fixture
def images(model, draw):
    """Six images, alternately of class 0 and 1, each half a unit of the score inside its class."""
    weights = model.weights.detach().view(3, 6, 6)
    base = 0.5 + 0.3 * (draw(6, 3, 6, 6) - 0.5)
    score = ((base - 0.5) * weights).sum((1, 2, 3))
    wanted = torch.where(LABELS == 1, 0.5, -0.5)
    return base + ((wanted - score) / weights.square().sum()).view(-1, 1, 1, 1) * weights


def gradient_of(classifier, images, columns=1):
    leaf = images.clone().requires_grad_(True)
    return torch.autograd.grad(classifier(leaf)[:, columns].sum(), leaf)[0]


def attack(classifier, images):
    return pgd_l2_until_flipped(classifier, images, LABELS, step_size=0.05, steps=40)


def test_without_a_defense_it_is_the_plain_attack(model, images):
    plain, known = attack(model, images), attack(defended(model, lambda x: x), images)
    assert plain.success.all()
    for name in ("images", "success", "steps", "gradient_evaluations"):
        assert torch.equal(getattr(plain, name), getattr(known, name)), name


@pytest.mark.parametrize("backward", ["identity", "low_pass", lambda x: x.square()])
def test_the_forward_pass_is_the_true_defense_to_the_bit(model, images, backward):
    classifier = defended(model, lambda x: jpeg(x, quality=50), backward=backward)
    expected = model(jpeg(images, quality=50))
    assert torch.equal(classifier(images), expected)
    assert torch.equal(classifier(images.clone().requires_grad_(True)), expected)
    assert torch.equal(classifier.purified(images), jpeg(images, quality=50))


def test_knowing_the_defense_breaks_a_quantizer_that_hides_its_gradient(model, images):
    def quantize(x):
        return (x * 4).round() / 4  # differentiable in name: the slope is 0

    hidden = attack(defended(model, quantize, backward="exact"), images)
    correct = ~hidden.success | (hidden.steps > 0)
    # The plain gradient is exactly 0: the attack stands still, and what was classified correctly stays so.
    assert hidden.stalled[correct].all() and torch.equal(hidden.images, images)
    known = attack(defended(model, quantize, backward="identity"), images)
    assert known.success.all() and not hidden.success.all()
    assert (quantize(known.images).sub(0.5).flatten(1) @ model.weights).sign().eq(1 - 2 * LABELS).all()


def test_the_identity_backward_is_the_models_gradient_at_the_purified_image(images, draw):
    first, second = draw(108, 5, seed=1) - 0.5, draw(5, 3, seed=2) - 0.5

    def network(x):
        return (x.flatten(1) @ first).tanh() @ second

    found = gradient_of(defended(network, lambda x: bit_depth(x, bits=3)), images)
    torch.testing.assert_close(found, gradient_of(network, bit_depth(images, bits=3)))
    assert not torch.allclose(found, gradient_of(network, images))


def test_the_low_pass_backward_smooths_the_gradient(model, images):
    found = gradient_of(defended(model, lambda x: bit_depth(x, bits=3), backward="low_pass"), images)
    leaf = images.clone().requires_grad_(True)
    (expected,) = torch.autograd.grad(model(tikhonov_split(leaf)[0])[:, 1].sum(), leaf)
    torch.testing.assert_close(found, expected)
    assert not torch.allclose(found, gradient_of(model, images))


def filters(draw):
    atoms = draw(4, 3, 3, 3, seed=3) - 0.5
    return atoms / atoms.flatten(1).norm(dim=1).view(-1, 1, 1, 1)


def test_the_low_pass_backward_takes_the_purifiers_own_split(model, images, draw):
    purify = acsr_purifier(None, None, [filters(draw)], lmbda=0.05, tikhonov=0.5, pad=2)
    leaf = images.clone().requires_grad_(True)
    (expected,) = torch.autograd.grad(model(tikhonov_split(leaf, weight=0.5, pad=2)[0])[:, 1].sum(), leaf)
    torch.testing.assert_close(gradient_of(defended(model, purify, backward="low_pass"), images), expected)


def test_the_unrolled_backward_goes_through_the_solver(model, images, draw):
    purify = acsr_purifier(None, None, [filters(draw)], lmbda=0.05)
    classifier = defended(model, purify, backward="unrolled")
    leaf = images.clone().requires_grad_(True)
    logits = classifier(leaf)
    assert torch.equal(logits, model(purify(images)))
    (expected,) = torch.autograd.grad(model(purify.unrolled(leaf))[:, 1].sum(), leaf)
    torch.testing.assert_close(gradient_of(classifier, images), expected)
    others = [gradient_of(defended(model, purify, backward=name), images) for name in ("identity", "low_pass")]
    assert not any(torch.allclose(expected, other) for other in others)


def test_the_unrolled_attacker_needs_the_least_change_against_acsr(model, images, draw):
    # A linear model: the gradient decides everything. The one that follows the solver is the defense's own, to the
    # accuracy of the iterations, so the boundary is nearer along it than along what stands in for it.
    purify = acsr_purifier(None, None, [filters(draw)], lmbda=0.05)
    lengths = {}
    for backward in ("identity", "low_pass", "unrolled"):
        result = pgd_l2_until_flipped(
            defended(model, purify, backward=backward), images, LABELS, step_size=0.01, steps=300
        )
        assert result.success.all()
        lengths[backward] = result.distances.mean().item()
    assert lengths["unrolled"] < min(lengths["identity"], lengths["low_pass"])


def test_averaging_gives_the_mean_gradient_of_the_draws(model, images, draw):
    masks = (draw(5, 3, 6, 6, seed=6) < 0.5).double()

    def blanking():
        turn = iter(masks)
        return lambda x: x * next(turn)

    found = gradient_of(defended(model, blanking(), backward="exact", samples=5), images)
    weights = model.weights.detach().view(3, 6, 6)
    torch.testing.assert_close(found, (masks.mean(0) * weights).expand(6, -1, -1, -1))
    logits = defended(model, blanking(), samples=5)(images)
    torch.testing.assert_close(logits, torch.stack([model(images * mask) for mask in masks]).mean(0))


def test_a_randomized_purifier_draws_anew_for_each_sample(model, images):
    def classifier(samples):
        draws = generator(0)
        return defended(model, lambda x: deflect_pixels(x, deflections=20, generator=draws), samples=samples)

    draws = generator(0)
    singles = [model(deflect_pixels(images, deflections=20, generator=draws)) for _ in range(3)]
    assert not torch.equal(singles[0], singles[1])
    torch.testing.assert_close(classifier(3)(images), torch.stack(singles).mean(0))
    assert torch.equal(classifier(1)(images), singles[0])


def test_it_can_be_given_to_foolboxs_attacks(model, images):
    classifier = defended(model, lambda x: bit_depth(x, bits=4))
    result = standard_attack("bim", classifier, images, LABELS, epsilon=1.0, norm="l2", steps=10)
    assert result.success.all()
    assert torch.equal(result.success, classifier(result.images).argmax(1) != LABELS)


def test_the_model_is_left_as_it_was(model, images):
    network = torch.nn.Sequential(torch.nn.Dropout(0.9), model).train()
    before = model.weights.detach().clone()
    result = attack(defended(network, lambda x: bit_depth(x, bits=5)), images)
    assert torch.equal(result.images, attack(defended(model, lambda x: bit_depth(x, bits=5)), images).images)
    assert all(part.training for part in network.modules())
    assert torch.equal(model.weights, before) and model.weights.grad is None


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (dict(backward="straight"), "backward: expected one of identity, low_pass, unrolled, exact; got 'straight'"),
        (dict(backward="unrolled"), "backward: expected another one than 'unrolled' for a purifier without"),
        (dict(samples=0), "samples: expected a finite number >= 1"),
    ],
)
def test_bad_options_are_named(model, options, message):
    with pytest.raises(ValueError, match=message):
        defended(model, lambda x: x, **options)


def test_what_cannot_be_followed_is_named(model, images):
    leaf = images.clone().requires_grad_(True)
    with pytest.raises(ValueError, match=r"purify: expected images that depend on the given ones"):
        defended(model, lambda x: x.detach(), backward="exact")(leaf)
    with pytest.raises(ValueError, match=r"purify: expected images \(6, 3, 6, 6\), as given, got \(6, 3\)"):
        defended(model, lambda x: x.mean((2, 3)))(images)
    with pytest.raises(ValueError, match=r"backward: expected images \(6, 3, 6, 6\), as given, got"):
        defended(model, lambda x: x, backward=lambda x: x[:, :1])(leaf)
