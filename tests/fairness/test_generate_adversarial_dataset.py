"""Algorithm 4.1 against the printed loop, its bookkeeping, resuming, and what goes wrong."""

import math
from functools import partial

import pytest
import torch
import torch.nn.functional as F

from blindspots.attacks import NamedAttack, l2_one_step, perceptual_attack, pgd_l2_until_flipped, ssim_one_step
from blindspots.attacks.result import AttackResult
from blindspots.fairness.generate_adversarial_dataset import generate_adversarial_dataset
from blindspots.fairness.weighted_images import WeightedImages
from blindspots.perception import ssim_distance
from blindspots.seeding import generator

PGD = partial(pgd_l2_until_flipped, step_size=0.15, steps=5)


def grown(model, data, attack=PGD, seed=0, **options):
    chosen = dict(rounds=2, learning_rate=0.05) | options
    return generate_adversarial_dataset(model, data, attack, generator=generator(seed), **chosen)


def printed_loop(model, data, attack, draws, *, rounds, learning_rate, factor):
    """Algorithm 4.1 line by line, with lists."""
    items = [(image, label, 1.0) for image, label in zip(data.images, data.labels, strict=True)]
    n = len(items)
    stepper = torch.optim.SGD(model.parameters(), lr=learning_rate)
    for k in range(1, rounds + 1):
        weights = torch.tensor([weight for _, _, weight in items], dtype=torch.float64)
        chosen = [items[row] for row in torch.multinomial(weights, n, replacement=True, generator=draws).tolist()]
        for i, (image, label, weight) in enumerate(chosen, start=1):
            stepper.zero_grad()
            (factor(weight, weights) * F.cross_entropy(model(image[None]), label[None])).backward()
            stepper.step()
            stepper.zero_grad()
            items.append((attack(model, image[None], label[None]).images[0], label, (k - 1) * n + i))
    return items, model


@pytest.mark.parametrize(
    ("weighting", "factor", "learning_rate"),
    [
        ("sampling_only", lambda weight, weights: 1.0, 0.05),
        ("normalized", lambda weight, weights: weight / weights.mean().item(), 0.02),
        ("literal", lambda weight, weights: weight, 0.0005),
    ],
)
def test_it_is_the_printed_loop(network, task, flat_weights, weighting, factor, learning_rate):
    data = task()
    options = dict(rounds=2, learning_rate=learning_rate)
    made = grown(network(), data, weighting=weighting, **options)
    items, model = printed_loop(network(), data, PGD, generator(0), factor=factor, **options)
    torch.testing.assert_close(made.images, torch.stack([image for image, _, _ in items]), rtol=0, atol=1e-12)
    assert made.labels.tolist() == [label.item() for _, label, _ in items]
    assert made.weights.tolist() == [weight for _, _, weight in items]
    torch.testing.assert_close(flat_weights(made.state), flat_weights(model.state_dict()), rtol=0, atol=1e-12)


def test_the_books_are_right(network, task):
    data, model = task(), network()
    made = grown(model, data, rounds=3)
    n = len(data.images)
    assert made.images.shape == (4 * n, 1, 8, 8) and torch.equal(made.images[:n], data.images)
    assert made.weights.tolist() == [1.0] * n + [float(place) for place in range(1, 3 * n + 1)]
    assert made.rounds.tolist() == [k for k in range(4) for _ in range(n)]
    assert torch.equal(made.parents[:n], torch.arange(n)) and torch.equal(made.origins[:n], torch.arange(n))
    later = made.rounds > 0
    assert (made.parents[later] < made.rounds[later] * n).all(), "nobody descends from the same round"
    assert torch.equal(made.origins, made.origins[made.parents])
    assert (made.rounds[made.parents[made.rounds == 3]] > 0).any(), "attacked items are attacked again"
    assert torch.equal(made.labels, data.labels[made.origins])
    moved = (made.images - made.images[made.parents]).flatten(1).norm(dim=1)
    assert (moved[later & ~made.already_wrong & made.success] > 0).all() and (moved[made.already_wrong] == 0).all()
    assert not made.success[:n].any() and not made.already_wrong[:n].any()
    for k, rate in enumerate(made.success_rates, start=1):
        right = (made.rounds == k) & ~made.already_wrong
        assert rate == pytest.approx(made.success[right].double().mean().item())
    assert not made.never_succeeded
    assert made.losses.shape == (3, n) and made.losses.isfinite().all() and len(made.seconds) == 3


def test_weights_of_late_items_dominate_as_computed(network, task):
    # The share of originals among draws after k rounds is N / (N + kN (kN + 1) / 2).
    made = grown(network(), task(), rounds=2)
    n = 12
    assert (made.weights[:n].sum() / made.weights.sum()).item() == pytest.approx(n / (n + 2 * n * (2 * n + 1) / 2))


@pytest.mark.parametrize(
    "attack",
    [
        partial(perceptual_attack, distance=ssim_distance, step_size=0.5, steps=5),
        partial(ssim_one_step, epsilon=2.0),
        partial(l2_one_step, epsilon=0.5),
    ],
    ids=["perceptual", "ssim", "l2"],
)
def test_it_takes_any_attack_of_the_package(network, task, attack):
    made = grown(network(), task(), attack=attack, rounds=1)
    assert (made.images[12:] != made.images[made.parents[12:]]).flatten(1).any(1).sum() > 3
    assert made.gradient_evaluations > 0


def test_a_named_attack_is_run_and_its_settings_are_told_apart(network, task, tmp_path):
    def named(steps):
        run = partial(pgd_l2_until_flipped, step_size=0.15, steps=steps)
        return NamedAttack(lambda model, images, labels: run(model, images, labels), settings={"steps": steps})

    file = tmp_path / "grown.pt"
    made = grown(network(), task(), attack=named(5), rounds=1, progress_file=file)
    assert torch.equal(made.images, grown(network(), task(), rounds=1).images)
    again = grown(network(), task(), attack=named(5), rounds=1, progress_file=file)
    assert torch.equal(made.images, again.images) and made.seconds == again.seconds, "nothing was done anew"
    with pytest.raises(ValueError, match=r"progress_file: .* got that of other data, networks or options"):
        grown(network(), task(), attack=named(4), rounds=1, progress_file=file)


def test_batches_average_the_steps_and_attack_together(network, task, flat_weights):
    data, model = task(), network()
    made = grown(network(), data, rounds=1, batch_size=4)
    draws = generator(0)
    rows = torch.multinomial(torch.ones(12, dtype=torch.float64), 12, replacement=True, generator=draws)
    stepper = torch.optim.SGD(model.parameters(), lr=0.05)
    for place, batch in enumerate(rows.split(4)):
        stepper.zero_grad()
        F.cross_entropy(model(data.images[batch]), data.labels[batch]).backward()
        stepper.step()
        attacked = PGD(model, data.images[batch], data.labels[batch]).images
        block = slice(12 + 4 * place, 16 + 4 * place)
        torch.testing.assert_close(made.images[block], attacked, rtol=0, atol=1e-12)
    torch.testing.assert_close(flat_weights(made.state), flat_weights(model.state_dict()), rtol=0, atol=1e-12)
    assert made.losses.shape == (1, 3)


def test_attacking_more_at_once_changes_the_attacks_only(network, task, flat_weights):
    sizes = []

    def watched(model, images, labels):
        sizes.append(len(images))
        return PGD(model, images, labels)

    one, many = (
        grown(network(), task(), attack=watched, rounds=1, attack_batch_size=size, learning_rate=1e-6)
        for size in (1, 5)
    )
    assert sizes == [1] * 12 + [5, 5, 2]
    assert torch.equal(flat_weights(one.state), flat_weights(many.state))
    torch.testing.assert_close(one.images, many.images, rtol=0, atol=1e-4)
    assert one.gradient_evaluations == many.gradient_evaluations


def test_inputs_are_left_as_they_were(network, task):
    data, model = task(), network(norm="batch")
    model.train()
    before, images = {name: value.clone() for name, value in model.state_dict().items()}, data.images.clone()
    made = grown(model, data, rounds=1)
    assert model.training and all(value.grad is None for value in model.parameters())
    assert all(torch.equal(value, before[name]) for name, value in model.state_dict().items())
    assert torch.equal(data.images, images)
    running = [name for name in before if "running" in name]
    assert running and all(torch.equal(made.state[name], before[name]) for name in running), "evaluation mode"


def test_the_seed_decides(network, task):
    first, again, other = (grown(network(), task(), rounds=1, seed=seed) for seed in (0, 0, 1))
    assert torch.equal(first.images, again.images) and torch.equal(first.parents, again.parents)
    assert not torch.equal(first.parents, other.parents)


def test_an_interrupted_run_ends_with_the_same_bits(network, task, tmp_path, flat_weights):
    whole = grown(network(), task(), rounds=2)
    file, calls = tmp_path / "grown.pt", []

    def failing(model, images, labels):
        calls.append(len(images))
        if len(calls) == 18:
            raise KeyboardInterrupt
        return PGD(model, images, labels)

    with pytest.raises(KeyboardInterrupt):
        grown(network(), task(), attack=failing, rounds=2, progress_file=file)
    taken_up = grown(network(), task(), attack=failing, rounds=2, progress_file=file)
    assert len(calls) == 18 + 12, "the first round of 12 was kept, and only the second is made again"
    for name in ("images", "labels", "weights", "origins", "parents", "already_wrong", "success", "losses"):
        assert torch.equal(getattr(whole, name), getattr(taken_up, name)), name
    assert torch.equal(flat_weights(whole.state), flat_weights(taken_up.state))
    assert whole.gradient_evaluations == taken_up.gradient_evaluations
    with pytest.raises(ValueError, match=r"progress_file: .* got that of other data, networks or options"):
        grown(network(), task(), attack=failing, rounds=2, learning_rate=0.01, progress_file=file)


def idle(model, images, labels):
    zeros = torch.zeros(len(images), dtype=torch.long)
    with torch.no_grad():
        wrong = model(images).argmax(1) != labels
    return AttackResult(images.clone(), wrong, zeros, zeros, zeros.double())


def test_an_attack_that_never_succeeds_is_reported(network, task):
    with pytest.warns(UserWarning, match=r"attack: turned none of .* rightly classified images in 2 rounds"):
        made = grown(network(), task(), attack=idle, learning_rate=1e-4)
    assert made.never_succeeded and set(made.success_rates) == {0.0}
    assert made.already_wrong.any(), "those that were wrong before count for nothing"


def test_literal_weights_overflow_and_the_reason_is_told(task):
    # Linear layers one after another: the products of their weights run away instead of dying, as ReLUs may.
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        layers = [torch.nn.Linear(64, 16), torch.nn.Linear(16, 16), torch.nn.Linear(16, 3)]
    deep = torch.nn.Sequential(torch.nn.Flatten(), *layers)
    data = task(dtype=torch.float32)
    with pytest.raises(ValueError, match=r"diverged at step .* 'literal', whose longest steps are .*sampling_only"):
        grown(deep, data, rounds=5, learning_rate=0.1, weighting="literal")
    assert grown(deep, data, rounds=1, learning_rate=0.1).losses.isfinite().all()


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (dict(rounds=0), "rounds: expected a finite number >= 1"),
        (dict(learning_rate=0.0), "learning_rate: expected a finite number > 0"),
        (dict(weighting="equal"), "weighting: expected one of sampling_only, literal, normalized"),
        (dict(batch_size=0), "batch_size: expected"),
        (dict(batch_size=4, attack_batch_size=6), "attack_batch_size: expected a multiple of batch_size 4, got 6"),
    ],
)
def test_bad_options_are_named(network, task, options, message):
    with pytest.raises(ValueError, match=message):
        grown(network(), task(), **options)


def test_bad_data_models_and_attacks_are_named(network, task):
    data = task()
    with pytest.raises(ValueError, match=r"data.labels: expected classes from 0 to 2"):
        grown(network(), WeightedImages(data.images, data.labels + 1, data.weights))
    with pytest.raises(ValueError, match=r"data.images: expected finite"):
        grown(network(), WeightedImages(data.images * math.nan, data.labels, data.weights))
    with pytest.raises(ValueError, match="model: expected parameters that require gradients"):
        grown(network().requires_grad_(False), data)

    def unclipped(model, images, labels):
        found = idle(model, images, labels)
        return AttackResult(images + 2.0, found.success, found.steps, found.gradient_evaluations, found.distances)

    with pytest.raises(ValueError, match=r"attack: images: expected values in \[0, 1\]"):
        grown(network(), data, attack=unclipped)
