"""The latent search: exact in a linear world, the same in any batch, and honest where it finds nothing."""

import copy

import pytest
import torch

from blindspots.latent import decayed_latents, latent_pgd, margin_over_norm, scaled_norm

OPTIONS = dict(epsilon=0.5, bound=2.5)
FIELDS = ("perturbations", "norms", "success", "run", "n_runs", "steps", "gradient_evaluations", "stalled")


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize("size", [1, 2, 16])
def test_with_two_classes_the_minimum_is_margin_over_norm_to_one_percent(linear_world, size, dtype):
    world = linear_world(size=size, n_classes=2, n=16, dtype=dtype)
    found = latent_pgd(*world, **OPTIONS)
    exact = margin_over_norm(*world, epsilon=0.5)
    reachable = exact < 2.4
    assert (exact[reachable] > 0).sum() >= 4
    torch.testing.assert_close(found.norms[reachable], exact[reachable], rtol=0.01, atol=0)
    assert torch.equal(found.success[exact < 2.49], torch.ones_like(found.success[exact < 2.49]))


def test_with_more_classes_it_is_never_below_the_exact_answer_and_mostly_at_it(linear_world):
    world = linear_world(size=16, n_classes=5, n=40)
    found = latent_pgd(*world, **OPTIONS)
    exact = margin_over_norm(*world, epsilon=0.5)
    standing = exact > 0
    ratios = found.norms[standing] / exact[standing]
    assert standing.sum() >= 5 and (ratios > 1 - 1e-9).all()
    # A run climbs to the class that leads, not to the one that is nearest; restarts make up for most of it.
    assert ratios.median() < 1.01 and ratios.max() < 1.25
    single = latent_pgd(*world, **OPTIONS, restarts=1, random_start=False)
    assert (found.norms <= single.norms * (1 + 1e-9)).all() or found.norms.mean() < single.norms.mean()


def test_the_success_is_what_the_model_says_of_the_returned_points(linear_world):
    model, decode, latents, labels = linear_world(n=20, n_classes=3)
    found = latent_pgd(model, decode, latents, labels, **OPTIONS)
    assert torch.equal(model(decode(found.points, labels)).argmax(1) != labels, found.success)
    torch.testing.assert_close(found.centers, decayed_latents(latents, epsilon=0.5))
    torch.testing.assert_close(scaled_norm(found.perturbations)[found.success], found.norms[found.success])


def test_a_point_that_is_misread_at_the_decayed_latent_scores_zero_at_no_cost(linear_world):
    model, decode, latents, labels = linear_world(n=20)
    found = latent_pgd(model, decode, latents, labels, **OPTIONS)
    wrong = model(decode(found.centers, labels)).argmax(1) != labels
    assert wrong.any() and not wrong.all()
    assert torch.equal(found.norms == 0, wrong) and torch.equal(found.run == 0, wrong)
    assert (found.steps[wrong] == 0).all() and (found.n_runs[wrong] == 0).all() and found.success[wrong].all()


@pytest.mark.parametrize(("mode", "at_once"), [("min", 1), ("min", 4), ("any", 1), ("any", 12)])
def test_batched_and_one_at_a_time_are_the_same(network_world, mode, at_once):
    model, decode, latents, labels = network_world(n=8)
    # Asked row by row the networks round alike in every batch; whatever differs then is ours.
    by_row = lambda images: torch.cat([model(image) for image in images.split(1)])  # noqa: E731
    decode_by_row = lambda latents, labels: torch.cat(  # noqa: E731
        [decode(one, label) for one, label in zip(latents.split(1), labels.split(1), strict=True)]
    )
    options = dict(**OPTIONS, mode=mode, restarts_at_once=at_once, restarts=12 if mode == "any" else 4)
    whole = latent_pgd(by_row, decode_by_row, latents, labels, **options)
    assert (whole.run > 0).any()
    for row in range(8):
        one = latent_pgd(
            by_row, decode_by_row, latents[row : row + 1], labels[row : row + 1], rows=torch.tensor([row]), **options
        )
        for field in FIELDS:
            assert torch.equal(getattr(one, field)[0], getattr(whole, field)[row]), (field, row)


def test_the_networks_of_the_paper_give_the_same_in_any_batch_to_rounding(network_world):
    # Instance norm treats each image alone. What is left is the rounding of matrix products, 1e-16.
    model, decode, latents, labels = network_world(n=8)
    whole = latent_pgd(model, decode, latents, labels, **OPTIONS, restarts=4)
    for other in (
        latent_pgd(model, decode, latents, labels, **OPTIONS, restarts=4, batch_size=3),
        latent_pgd(model, decode, latents.flip(0), labels.flip(0), **OPTIONS, restarts=4, rows=torch.arange(8).flip(0)),
    ):
        flip = not torch.equal(other.centers, whole.centers)
        for field in FIELDS:
            found = getattr(other, field).flip(0) if flip else getattr(other, field)
            torch.testing.assert_close(found, getattr(whole, field), rtol=1e-9, atol=1e-9)


def test_batch_norm_in_training_mode_is_judged_in_evaluation_mode_and_left_as_found(network_world):
    model, decode, latents, labels = network_world()
    model = torch.nn.Sequential(torch.nn.BatchNorm2d(1, dtype=torch.float64), torch.nn.Dropout(), model).train()
    before = copy.deepcopy(model.state_dict())
    given = latents.clone()
    first = latent_pgd(model, decode, latents, labels, **OPTIONS, restarts=2)
    second = latent_pgd(model, decode, latents, labels, **OPTIONS, restarts=2)
    assert torch.equal(first.perturbations, second.perturbations)
    assert model.training and decode.training and torch.equal(latents, given)
    assert all(torch.equal(value, before[name]) for name, value in model.state_dict().items())
    assert all(weight.grad is None for weight in [*model.parameters(), *decode.parameters()])


def test_mode_any_finds_within_the_bound_and_stops(network_world):
    model, decode, latents, labels = network_world(n=30)
    smallest = latent_pgd(model, decode, latents, labels, **OPTIONS)
    some = latent_pgd(model, decode, latents, labels, epsilon=0.5, bound=2.5, mode="any")
    assert torch.equal(smallest.success, some.success)
    assert (some.norms[some.success] <= 2.5 * (1 + 1e-12)).all()
    assert (some.norms >= smallest.norms - 1e-9).all() and (some.norms > smallest.norms + 1e-3).any()
    assert (some.n_runs <= smallest.n_runs).all()
    tight = latent_pgd(model, decode, latents, labels, epsilon=0.5, bound=0.05, mode="any")
    # What was found nearer than the bound must not be missed by much, and what is farther cannot be found.
    assert not tight.success[smallest.norms > 0.06].any()


def test_what_is_not_found_is_infinite_and_keeps_its_last_attempt(linear_world):
    world = linear_world(n=20, n_classes=2)
    exact = margin_over_norm(*world, epsilon=0.5)
    bound = exact[exact > 0].median().item()
    found = latent_pgd(*world, epsilon=0.5, bound=bound)
    beyond = exact > bound * 1.01
    assert beyond.any() and torch.equal(found.censored[beyond], torch.ones_like(found.censored[beyond]))
    assert found.norms[beyond].isinf().all() and (found.run[beyond] == -1).all() and (found.n_runs[beyond] == 13).all()
    lengths = scaled_norm(found.perturbations)[beyond]
    assert (lengths > 0).all() and (lengths <= bound * (1 + 1e-9)).all() and found.norms.mean().isinf()


def test_a_dead_generator_is_stalled_and_censored(linear_world):
    model, decode, latents, labels = linear_world(n=8, n_classes=4)
    dead = lambda latents, labels: decode(0 * latents, labels)  # noqa: E731
    found = latent_pgd(model, dead, latents, labels, **OPTIONS)
    standing = model(dead(latents, labels)).argmax(1) == labels
    assert standing.any() and torch.equal(found.stalled, standing) and torch.equal(found.censored, standing)
    assert found.norms[standing].isinf().all() and (found.steps == 0).all()


def test_a_classifier_that_is_wrong_everywhere_has_nothing_to_search(linear_world):
    _, decode, latents, labels = linear_world(n=6)
    wrong = lambda images: torch.tensor([[0.0, 0.0, 0.0, 1.0]]).double() + 0 * images.sum((1, 2, 3))[:, None]  # noqa: E731
    found = latent_pgd(wrong, decode, latents, labels, **OPTIONS)
    assert (found.norms == 0).all() and found.success.all() and (found.run == 0).all() and (found.n_runs == 0).all()


def test_seed_and_epsilon_matter_and_one_seed_is_one_answer(network_world):
    world = network_world(n=8)
    first = latent_pgd(*world, **OPTIONS, restarts=3)
    assert torch.equal(first.perturbations, latent_pgd(*world, **OPTIONS, restarts=3).perturbations)
    assert not torch.equal(first.perturbations, latent_pgd(*world, **OPTIONS, restarts=3, seed=1).perturbations)
    assert not torch.equal(first.norms, latent_pgd(*world, epsilon=0, bound=2.5, restarts=3).norms)
    shorter = latent_pgd(*world, **OPTIONS, restarts=3, bisections=0, center_run=False)
    assert shorter.norms[shorter.success].sum() > first.norms[shorter.success].sum()


def test_a_confident_classifier_is_searched_as_well(linear_world):
    # In float32 the softmax of such logits is 0 and 1, and so is the gradient of J by its definition.
    model, decode, latents, labels = linear_world(n_classes=2, n=8, scale=1e4, dtype=torch.float32)
    found = latent_pgd(model, decode, latents, labels, **OPTIONS)
    exact = margin_over_norm(model, decode, latents, labels, epsilon=0.5)
    near = exact < 2.4
    assert near.any() and not found.stalled.any()
    torch.testing.assert_close(found.norms[near], exact[near], rtol=0.01, atol=0)


@pytest.mark.parametrize(
    ("change", "error", "message"),
    [
        (dict(latents=torch.full((8, 6), float("nan")).double()), ValueError, "latents: expected finite"),
        (dict(labels=torch.zeros(3).long()), ValueError, "labels: expected shape"),
        (dict(mode="most"), ValueError, "mode: expected one of"),
        (dict(bound=-1), ValueError, "bound"),
        (dict(epsilon=-1), ValueError, "epsilon"),
        (dict(restarts_at_once=0), ValueError, "restarts_at_once"),
        (dict(rows=torch.zeros(8)), TypeError, "rows"),
        (dict(decode=lambda latents, labels: torch.full((8, 1, 4, 4), float("nan"))), ValueError, "decoded images"),
    ],
)
def test_messages(linear_world, change, error, message):
    model, decode, latents, labels = linear_world()
    given = dict(model=model, decode=decode, latents=latents, labels=labels % 3) | OPTIONS | change
    with pytest.raises(error, match=message):
        latent_pgd(**given)


def test_a_class_that_the_model_does_not_have_is_an_error(linear_world):
    model, decode, latents, labels = linear_world()
    with pytest.raises(ValueError, match="labels: expected classes from 0 to 1"):
        latent_pgd(lambda images: model(images)[:, :2], decode, latents, labels, **OPTIONS)
