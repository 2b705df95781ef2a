"""Conventional severity and robust accuracy: exact for a linear model, against foolbox for a network."""

import pytest
import torch

from blindspots.attacks import standard_attack
from blindspots.latent import adversarial_severity, robust_accuracy
from blindspots.seeding import generator

FIELDS = ("images", "success", "steps", "gradient_evaluations", "distances", "run")


@pytest.fixture
def linear_images(linear_world):
    """Return (classifier, images, labels) with two classes, and the smallest changes in both norms."""
    model, decode, latents, labels = linear_world(n=20, n_classes=2)
    images = decode(latents, labels).detach()
    logits, weight = model(images).detach(), model.weight.detach()
    leads = logits.gather(1, labels[:, None])[:, 0] - logits.gather(1, 1 - labels[:, None])[:, 0]
    slope = (weight[0] - weight[1]).abs()
    exact = {"scaled_l2": leads / slope.norm() / 4, "linf": leads / slope.sum()}
    return model, images, labels, {norm: value.clamp_min(0) for norm, value in exact.items()}


@pytest.mark.parametrize("norm", ["scaled_l2", "linf"])
def test_with_two_classes_the_severity_is_margin_over_norm(linear_images, norm):
    model, images, labels, exact = linear_images
    found = adversarial_severity(model, images, labels, bound=0.3, norm=norm, restarts=4)
    assert found.success.all() and (exact[norm] > 0).sum() >= 5 and found.summary.n_zero > 0
    torch.testing.assert_close(found.severities, exact[norm], rtol=0.01, atol=0)
    changed = found.images - images
    size = changed.flatten(1).square().mean(1).sqrt() if norm == "scaled_l2" else changed.abs().amax((1, 2, 3))
    torch.testing.assert_close(found.distances, size)
    assert torch.equal(model(found.images).argmax(1) != labels, found.success)


@pytest.mark.parametrize("norm", ["scaled_l2", "linf"])
def test_robust_accuracy_is_the_share_beyond_the_bound(linear_images, norm):
    model, images, labels, exact = linear_images
    bound = exact[norm][exact[norm] > 0].median().item() * 1.001
    found = robust_accuracy(model, images, labels, bound=bound, norm=norm)
    assert torch.equal(found.robust, exact[norm] > bound)
    assert found.accuracy == found.robust.double().mean().item() and found.interval[0] < found.accuracy
    assert found.severities[found.robust].isinf().all() and found.summary.n_censored == int(found.robust.sum())


@pytest.mark.parametrize(("norm", "foolbox_norm"), [("scaled_l2", "l2"), ("linf", "linf")])
def test_it_finds_what_foolbox_finds(network_world, norm, foolbox_norm):
    model, _, _, labels = network_world(n=30)
    images = torch.rand(30, 1, 8, 8, generator=generator(0), dtype=torch.float64)
    labels = model(images).argmax(1).detach()
    bound = 0.01 if norm == "scaled_l2" else 0.02
    ours = robust_accuracy(model, images, labels, bound=bound, norm=norm)
    theirs = standard_attack(
        "pgd", model, images, labels, norm=foolbox_norm, epsilon=bound * 8 if norm == "scaled_l2" else bound, steps=50,
        random_start=False,
    )  # fmt: skip
    assert 0 < ours.accuracy < 1
    # Another objective and another schedule: all but a few of 30 images agree.
    assert (ours.success != theirs.success).sum() <= 3


def test_changed_images_stay_in_range_unless_asked_not_to():
    def first_pixel(images):
        score = images[:, 0, 0, 0] + images[:, 0, 0, 1] - 1.9
        return torch.stack([-score, score], dim=1)

    images = torch.tensor([0.5, 1.0]).double().expand(1, 1, 1, 2)
    label = torch.zeros(1, dtype=torch.long)
    inside = adversarial_severity(first_pixel, images, label, bound=0.8, restarts=6)
    outside = adversarial_severity(first_pixel, images, label, bound=0.8, restarts=6, clip=False)
    assert inside.images.max() <= 1 and outside.images.max() > 1
    assert inside.distances.item() == pytest.approx(0.4 / 2**0.5, rel=0.01)
    assert outside.distances.item() == pytest.approx(0.4 / 2, rel=0.01)


def test_returned_images_are_in_range_to_the_last_bit():
    def brightness(images):
        score = images.mean(dim=(1, 2, 3)) - 0.999
        return torch.stack([-score, score], dim=1)

    images = torch.rand(50, 3, 5, 5, generator=generator(0))
    found = adversarial_severity(
        brightness, images, torch.zeros(50).long(), bound=1.0, norm="linf", restarts=1, steps=30
    )
    assert found.images.max() <= 1 and found.images.min() >= 0 and found.success.any()
    assert torch.equal(brightness(found.images).argmax(1) == 1, found.success)


def test_any_batch_gives_the_same(linear_images):
    model, images, labels, _ = linear_images
    by_row = lambda images: torch.cat([model(image) for image in images.split(1)])  # noqa: E731
    options = dict(bound=0.3, restarts=3)
    whole = adversarial_severity(by_row, images, labels, **options)
    for batch_size in (1, 7):
        other = adversarial_severity(by_row, images, labels, **options, batch_size=batch_size)
        assert all(torch.equal(getattr(other, field), getattr(whole, field)) for field in FIELDS)
    last = adversarial_severity(by_row, images[5:6], labels[5:6], rows=torch.tensor([5]), **options)
    assert torch.equal(last.images[0], whole.images[5])


def test_a_search_that_never_succeeds_is_censored(linear_images):
    model, images, labels, exact = linear_images
    bound = exact["scaled_l2"][exact["scaled_l2"] > 0].min().item() / 2
    found = adversarial_severity(model, images, labels, bound=bound, restarts=2)
    assert found.summary.n_censored == int((exact["scaled_l2"] > 0).sum())
    flat = robust_accuracy(lambda images: 0 * model(images), images, labels, bound=0.3)
    assert flat.accuracy == 1 and flat.stalled.all()


def test_options_reach_the_search(network_world):
    model, decode, latents, labels = network_world()
    images = decode(latents, labels).detach()
    labels = model(images).argmax(1)
    base = dict(bound=0.3, restarts=2)
    first = adversarial_severity(model, images, labels, **base)
    for change in (
        dict(seed=1), dict(steps=3), dict(step_size=0.2), dict(bisections=1), dict(center_run=False), dict(norm="linf"),
        dict(random_start=False), dict(restarts=3), dict(rows=torch.arange(6) + 9), dict(bound=0.2),
    ):  # fmt: skip
        assert not torch.equal(first.images, adversarial_severity(model, images, labels, **(base | change)).images), (
            change
        )
    one = robust_accuracy(model, images, labels, bound=0.3)
    for change in (dict(steps=1), dict(step_size=0.3), dict(random_start=True)):
        assert not torch.equal(one.images, robust_accuracy(model, images, labels, **(dict(bound=0.3) | change)).images)
    random = [robust_accuracy(model, images, labels, bound=0.3, random_start=True, seed=seed) for seed in (0, 1)]
    assert not torch.equal(random[0].images, random[1].images)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (dict(norm="l1"), "norm: expected one of"),
        (dict(images=torch.full((2, 1, 2, 2), float("nan"))), "images: expected finite"),
        (dict(labels=torch.zeros(3).long()), "labels: expected shape"),
        (dict(bound=0), "bound"),
        (dict(model=lambda images: images.flatten(1) * float("nan")), "finite logits"),
    ],
)
def test_messages(change, message):
    given = dict(
        model=lambda images: images.flatten(1), images=torch.rand(2, 1, 2, 2, generator=generator(0)),
        labels=torch.zeros(2).long(), bound=0.1,
    ) | change  # fmt: skip
    for metric in (adversarial_severity, robust_accuracy):
        with pytest.raises(ValueError, match=message):
            metric(**given)
