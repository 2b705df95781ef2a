"""Each direction meets each measure, walks its own way, and says where it did not get there."""

import pytest
import torch

from blindspots.attacks import STRENGTH_DIRECTIONS, attack_to_strength, pgd_l2_until_flipped, ssim_one_step
from blindspots.perception import SSIMDistance, ssim_distance

ONES = torch.ones(1, 4, 4, dtype=torch.float64)
GRAY = torch.full((1, 1, 4, 4), 0.5, dtype=torch.float64)


def seeded(seed=0):
    return torch.Generator().manual_seed(seed)


@pytest.fixture
def task(small_network, draw):
    model = small_network(channels=3, n_classes=4)
    images = 0.2 + 0.6 * draw(5, 3, 12, 12).sigmoid()
    labels = model(images).argmax(1)
    return model, images, labels


def run(name, task, strength, measure, **options):
    given = {"distance": SSIMDistance(window_size=5), "window_size": 5, "steps": 400, "generator": seeded()}
    return attack_to_strength(name, *task, strength=strength, measure=measure, **{**given, **options})


@pytest.mark.parametrize("name", STRENGTH_DIRECTIONS)
@pytest.mark.parametrize(("measure", "strength"), [("l2", 0.33), ("relative", 0.02), ("distance", 0.004)])
def test_every_direction_meets_every_measure(name, measure, strength, task):
    _, images, _ = task
    made = run(name, task, strength, measure)
    change = made.images - images
    by_hand = {
        "l2": change.flatten(1).norm(dim=1),
        "relative": change.flatten(1).norm(dim=1) / images.flatten(1).norm(dim=1),
        "distance": ssim_distance(made.images, images, window_size=5),
    }[measure]
    assert made.reached.all()
    torch.testing.assert_close(made.strengths, by_hand)
    # The last of 12 halvings of a step leaves a part of 2^-12 of it.
    assert (by_hand >= strength).all() and (by_hand < 1.02 * strength).all()
    assert made.images.min() >= 0 and made.images.max() <= 1


def test_the_margin_is_just_exceeded_on_a_linear_model(linear_model):
    made = attack_to_strength(
        "pgd", linear_model(ONES, -8.3), GRAY, torch.tensor([0]), strength=0.5, measure="margin", step_size=0.03
    )
    # The margin is -0.3 and rises by 4 per unit of length: 0.2 in length meets 0.5.
    assert made.distances.item() == pytest.approx(0.2, abs=0.03 / 2**11)
    assert made.strengths.item() > 0.5 and made.success.item()
    assert made.steps.item() == 7 == made.gradient_evaluations.item()
    paper = pgd_l2_until_flipped(linear_model(ONES, -8.3), GRAY, torch.tensor([0]), step_size=0.03, confidence=0.5)
    assert paper.steps.item() == 7  # the same path, without shortening the last step


def test_an_image_beyond_the_margin_is_left_alone_but_meets_a_length(linear_model):
    model, labels = linear_model(ONES, -7.9), torch.tensor([0])
    left = attack_to_strength("pgd", model, GRAY, labels, strength=0, measure="margin")
    assert torch.equal(left.images, GRAY) and left.steps.item() == 0 and left.reached.item()
    moved = attack_to_strength("pgd", model, GRAY, labels, strength=0.1)
    assert moved.distances.item() == pytest.approx(0.1, abs=1e-4)


def test_directions_are_those_of_their_attacks(task):
    model, images, labels = task
    newton = ssim_one_step(model, images, labels, epsilon=0.1, window_size=5, clip=False).images - images
    made = run("ssim", task, 0.1, "l2").images - images
    cosine = torch.nn.functional.cosine_similarity(made.flatten(1), newton.flatten(1))
    assert (cosine > 0.9999).all()
    free, plain = (run(n, task, 0.3, "l2", weight=0.0).images for n in ("perceptual", "pgd"))
    torch.testing.assert_close(free, plain)  # without the distance Algorithm 3.1 is PGD
    bound = run("perceptual", task, 0.3, "l2", weight=50.0).images
    near, far = (ssim_distance(x, images, window_size=5).mean() for x in (bound, plain))
    assert near < far


def test_noise_is_its_generators_and_raises_the_loss_less(task):
    model, _, labels = task
    first, again = (run("noise", task, 0.3, "l2").images for _ in range(2))
    other = run("noise", task, 0.3, "l2", generator=seeded(1)).images
    assert torch.equal(first, again) and not torch.equal(first, other)
    attacked = run("pgd", task, 0.3, "l2").images
    losses = [torch.nn.functional.cross_entropy(model(x), labels) for x in (first, attacked)]
    assert losses[0] < losses[1]


def test_what_falls_short_is_told(task, linear_model):
    short = run("pgd", task, 0.5, "l2", steps=3)
    assert not short.reached.any() and (short.steps == 3).all()
    assert (short.strengths < 0.1).all()
    flat = linear_model(torch.zeros_like(ONES), -1.0)
    still = attack_to_strength("pgd", flat, GRAY, torch.tensor([0]), strength=0.1)
    assert still.stalled.item() and not still.reached.item() and torch.equal(still.images, GRAY)


def test_an_image_does_not_depend_on_its_companions(task):
    model, images, labels = task
    all_at_once = run("perceptual", task, 0.5, "margin")
    alone = run("perceptual", (model, images[2:3], labels[2:3]), 0.5, "margin")
    torch.testing.assert_close(all_at_once.images[2:3], alone.images)


@pytest.mark.parametrize(
    ("name", "options", "message"),
    [
        ("fgsm", {}, "name: expected one of"),
        ("pgd", {"measure": "linf"}, "measure: expected one of"),
        ("pgd", {"strength": 0}, "strength: expected"),
        ("perceptual", {"distance": None}, "distance: expected one for the direction perceptual"),
        ("pgd", {"distance": None, "measure": "distance"}, "distance: expected one for"),
        ("noise", {"generator": None}, "generator: expected"),
    ],
)
def test_bad_arguments_are_named(name, options, message, task):
    with pytest.raises((TypeError, ValueError), match=message):
        run(name, task, **{"strength": 0.1, "measure": "l2", **options})
