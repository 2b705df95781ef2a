"""The standard attacks: equal to foolbox's images, exact on linear models, and without its side effects."""

import logging
import warnings

import foolbox
import pytest
import torch

from blindspots.attacks import STANDARD_ATTACKS, standard_attack, tpgd

CASES = {
    # name, norm, epsilon, our options, foolbox's class and options
    "fgsm linf": ("fgsm", "linf", 0.03, {}, foolbox.attacks.LinfFastGradientAttack, {}),
    "fgsm l2": ("fgsm", "l2", 0.5, {}, foolbox.attacks.L2FastGradientAttack, {}),
    "bim linf": ("bim", "linf", 0.03, dict(steps=4), foolbox.attacks.LinfBasicIterativeAttack, dict(steps=4)),
    "bim l2": (
        "bim", "l2", 0.5, dict(step_size=0.2), foolbox.attacks.L2BasicIterativeAttack, dict(abs_stepsize=0.2),
    ),
    "pgd linf": ("pgd", "linf", 0.03, dict(steps=5), foolbox.attacks.LinfProjectedGradientDescentAttack, dict(steps=5)),
    "pgd l2": ("pgd", "l2", 0.5, dict(steps=5), foolbox.attacks.L2ProjectedGradientDescentAttack, dict(steps=5)),
    "deepfool l2": ("deepfool", "l2", None, {}, foolbox.attacks.L2DeepFoolAttack, {}),
    "deepfool l2 clipped": ("deepfool", "l2", 0.2, dict(candidates=2), foolbox.attacks.L2DeepFoolAttack,
                            dict(candidates=2)),
    "deepfool linf": ("deepfool", "linf", None, dict(overshoot=0.1), foolbox.attacks.LinfDeepFoolAttack,
                      dict(overshoot=0.1)),
    "cw": (
        "cw", "l2", None, dict(steps=30, step_size=0.05, search_steps=4, initial_constant=1.0, confidence=0.1),
        foolbox.attacks.L2CarliniWagnerAttack,
        dict(steps=30, stepsize=0.05, binary_search_steps=4, initial_const=1.0, confidence=0.1),
    ),
}  # fmt: skip
EVERY = [(name, "l2" if name == "cw" else "linf") for name in STANDARD_ATTACKS]


def run(name, model, images, labels, *, norm, seed=0, **options):
    options = dict(epsilon=None if name in ("deepfool", "cw") else 0.05) | options
    if name == "cw":
        options = dict(steps=20, search_steps=3, step_size=0.05, initial_constant=1.0) | options
    generator = torch.Generator().manual_seed(seed)
    return standard_attack(name, model, images, labels, norm=norm, generator=generator, **options)


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize("case", CASES)
def test_images_are_those_of_foolbox(case, small_network, draw, dtype):
    name, norm, epsilon, options, attack, theirs = CASES[case]
    model, images = small_network(channels=3, dtype=dtype), draw(4, 3, 12, 12, dtype=dtype)
    labels = model(images).argmax(1)
    generator = torch.Generator().manual_seed(5)
    result = standard_attack(name, model, images, labels, epsilon=epsilon, norm=norm, generator=generator, **options)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(5)
        wrapped = foolbox.PyTorchModel(small_network(channels=3, dtype=dtype), bounds=(0, 1))
        _, expected, success = attack(**theirs)(wrapped, images, labels, epsilons=epsilon)
    assert result.images.dtype == dtype and (result.images - images).abs().max() > 1e-3
    assert (result.success == success).all() and (name != "cw" or success.all())
    torch.testing.assert_close(result.images, expected, rtol=0, atol=1e-6)


@pytest.mark.parametrize("name", ["fgsm", "bim", "pgd"])
def test_linf_attacks_reach_the_corner_of_the_ball_on_a_linear_model(name, linear_model, draw):
    weight, images = draw(1, 4, 4, seed=2) - 0.5, draw(2, 1, 4, 4)
    result = run(name, linear_model(weight, 0.0), images, torch.tensor([0, 1]), norm="linf", epsilon=0.05)
    signs = torch.tensor([1.0, -1.0]).view(2, 1, 1, 1) * weight.sign()
    # pgd's 40 steps of epsilon / 30 reach the corner from any start in the ball but for its far side: 2 epsilon.
    if name == "pgd":
        assert (result.images - images - 0.05 * signs).abs().max() <= 0.05 * (2 - 40 / 30) + 1e-9
    else:
        torch.testing.assert_close(result.images, images + 0.05 * signs)
        torch.testing.assert_close(result.distances, torch.full((2,), 0.05, dtype=torch.float64))


@pytest.mark.parametrize("overshoot", [0.02, 0.2])
def test_deepfool_crosses_the_boundary_of_a_linear_model_by_its_overshoot(linear_model, draw, overshoot):
    weight, images = draw(1, 4, 4, seed=2) - 0.5, 0.4 + 0.1 * draw(1, 1, 4, 4)
    gap = 0.1 * weight.norm().item()
    model = linear_model(weight, -(images[0] * weight).sum().item() - gap)
    result = run("deepfool", model, images, torch.tensor([0]), norm="l2", overshoot=overshoot)
    # foolbox adds 1e-4 to the distance.
    expected = images + (1 + overshoot) * (0.1 + 1e-4) * weight / weight.norm()
    torch.testing.assert_close(result.images, expected, rtol=0, atol=1e-6)
    assert result.success.item() and result.steps.item() == 1
    assert result.gradient_evaluations.item() == 2, "one to step and one to see that it is over"
    assert result.distances.item() == pytest.approx((1 + overshoot) * 0.1001, abs=1e-6)


def test_deepfool_counts_the_steps_of_each_image(linear_model, draw):
    weight, images = draw(1, 4, 4, seed=2) - 0.5, 0.4 + 0.1 * draw(2, 1, 4, 4)
    model = linear_model(weight, 0.0)
    labels = model(images).argmax(1)
    labels[1] = 1 - labels[1]
    result = run("deepfool", model, images, labels, norm="l2")
    assert result.steps.tolist() == [1, 0] and torch.equal(result.images[1], images[1])


def test_carlini_wagner_comes_close_to_the_boundary_of_a_linear_model(linear_model, draw):
    weight, images = draw(1, 4, 4, seed=2) - 0.5, 0.4 + 0.1 * draw(1, 1, 4, 4)
    model = linear_model(weight, -(images[0] * weight).sum().item() - 0.1 * weight.norm().item())
    result = run("cw", model, images, torch.tensor([0]), norm="l2", steps=200, step_size=0.01)
    assert result.success.item() and 0.1 < result.distances.item() < 0.11
    assert torch.equal(result.steps, result.gradient_evaluations) and 200 < result.steps.item() <= 600


def test_carlini_wagner_returns_the_original_where_it_finds_nothing(linear_model, draw):
    weight, images = torch.ones(1, 4, 4, dtype=torch.float64), draw(2, 1, 4, 4)
    # No image in [0, 1] flips label 1, except that the black image has a margin of exactly 0.
    result = run("cw", linear_model(weight, 0.5), images, torch.tensor([1, 1]), norm="l2")
    assert torch.equal(result.images, images) and not result.success.any() and (result.distances == 0).all()
    # Black itself would flip here, but the few small steps do not get there.
    result = run("cw", linear_model(weight, -0.1), images, torch.tensor([1, 1]), norm="l2", steps=2, search_steps=1)
    assert torch.equal(result.images, images) and not result.success.any()


@pytest.mark.parametrize(("name", "norm"), EVERY)
def test_model_inputs_and_the_surroundings_are_left_as_found(name, norm, small_network, draw):
    model, images = small_network(channels=3).train(), draw(3, 3, 12, 12)
    model[1].eval()
    labels = torch.tensor([0, 1, 2])
    state = {key: value.clone() for key, value in model.state_dict().items()}
    modes = [module.training for module in model.modules()]
    handlers = list(logging.root.handlers)
    copies = images.clone(), labels.clone()
    with warnings.catch_warnings(), torch.no_grad():
        warnings.simplefilter("error")
        result = run(name, model, images, labels, norm=norm)
    assert [module.training for module in model.modules()] == modes
    assert all(torch.equal(value, state[key]) for key, value in model.state_dict().items())
    assert all(parameter.grad is None and parameter.requires_grad for parameter in model.parameters())
    assert torch.equal(images, copies[0]) and torch.equal(labels, copies[1])
    assert logging.root.handlers == handlers
    assert not result.images.requires_grad and result.images.min() >= 0 and result.images.max() <= 1
    assert torch.equal(result.success, model.eval()(result.images).argmax(1) != labels)
    for options in (dict(), dict(labels=labels.int())):
        again = run(name, model, images, **(dict(labels=labels) | options), norm=norm)
        assert torch.equal(again.images, result.images) and again.steps.dtype == torch.long


@pytest.mark.parametrize(("name", "norm"), [pair for pair in EVERY if pair[0] != "cw"])
def test_a_batch_of_one_gives_what_it_gives_in_a_batch(name, norm, small_network, draw):
    model, images = small_network(channels=3), draw(3, 3, 12, 12)
    labels = model(images).argmax(1)
    fixed = dict(norm=norm) | (dict(random_start=False) if name == "pgd" else {})
    together = run(name, model, images, labels, **fixed)
    for index in range(1 if name == "tpgd" else 3):  # the noise of tpgd depends on the place in the batch
        alone = run(name, model, images[index : index + 1], labels[index : index + 1], **fixed)
        torch.testing.assert_close(alone.images[0], together.images[index], rtol=0, atol=1e-9)


def test_a_plain_callable_is_a_model_too(small_network, draw):
    network, images = small_network(channels=3), draw(2, 3, 12, 12)
    labels = network(images).argmax(1)
    expected = run("bim", network, images, labels, norm="linf").images
    assert torch.equal(run("bim", lambda batch: network(batch), images, labels, norm="linf").images, expected)


@pytest.mark.parametrize(("name", "norm"), [("fgsm", "linf"), ("fgsm", "l2"), ("pgd", "linf"), ("pgd", "l2")])
def test_random_starts_come_from_the_generator_and_lie_in_the_ball(name, norm, small_network, draw):
    model, images = small_network(channels=3), 0.3 + 0.4 * draw(2, 3, 12, 12)
    labels = model(images).argmax(1)
    first, again, other = (
        run(name, model, images, labels, norm=norm, random_start=True, seed=seed, epsilon=0.1).images
        for seed in (0, 0, 1)
    )
    assert torch.equal(first, again) and not torch.equal(first, other)
    change = (first - images).flatten(1)
    assert (change.abs().amax(1) if norm == "linf" else change.norm(dim=1)).max() <= 0.1 + 1e-9
    fixed = [run(name, model, images, labels, norm=norm, random_start=False, seed=seed).images for seed in (0, 1)]
    assert torch.equal(*fixed)


@pytest.mark.parametrize(
    ("name", "options"),
    [
        ("bim", dict(steps=2)), ("bim", dict(step_size=0.001)), ("bim", dict(epsilon=0.01)), ("bim", dict(norm="l2")),
        ("pgd", dict(steps=2)), ("pgd", dict(step_size=0.001)), ("fgsm", dict(random_start=True)),
        ("deepfool", dict(steps=1)), ("deepfool", dict(candidates=2)), ("deepfool", dict(overshoot=0.3)),
        ("deepfool", dict(epsilon=0.01)), ("cw", dict(steps=5)), ("cw", dict(step_size=0.01)),
        ("cw", dict(confidence=0.3)), ("cw", dict(search_steps=1)), ("cw", dict(initial_constant=0.3)),
        ("tpgd", dict(steps=2)), ("tpgd", dict(step_size=0.001)), ("tpgd", dict(random_start=False)),
    ],
)  # fmt: skip
def test_every_option_changes_the_result(name, options, small_network, draw):
    model, images = small_network(channels=3), draw(4, 3, 12, 12)
    labels, norm = model(images).argmax(1), "l2" if name == "cw" else "linf"
    base = run(name, model, images, labels, norm=norm)
    other = run(name, model, images, labels, **(dict(norm=norm) | options))
    fewer = not torch.equal(other.gradient_evaluations, base.gradient_evaluations)
    # One step, and one rival, are enough for deepfool on this network; what they save is gradients.
    assert (other.images - base.images).abs().max() > 1e-5 or (name == "deepfool" and fewer)


def test_tpgd_is_the_attack_of_that_name(small_network, draw):
    model, images = small_network(channels=3), draw(2, 3, 12, 12)
    labels = model(images).argmax(1)
    expected = tpgd(model, images, labels, epsilon=0.05, generator=torch.Generator().manual_seed(0))
    assert torch.equal(run("tpgd", model, images, labels, norm="linf").images, expected.images)


@pytest.mark.parametrize(
    ("name", "options", "message"),
    [
        ("apgd", dict(), "name: expected one of fgsm, bim, pgd, deepfool, cw, tpgd; got 'apgd'"),
        ("cw", dict(norm="linf"), "norm: expected one of l2; got 'linf'"),
        ("tpgd", dict(norm="l2"), "norm: expected one of linf; got 'l2'"),
        ("pgd", dict(epsilon=None), "epsilon: expected a radius for pgd, got None"),
        ("pgd", dict(epsilon=0.0), "epsilon: expected a finite number > 0"),
        ("fgsm", dict(steps=3), "steps: expected None, because fgsm does not take it, got 3"),
        ("deepfool", dict(step_size=0.1), "step_size: expected None, because deepfool"),
        ("bim", dict(overshoot=0.1), "overshoot: expected None, because bim"),
        ("bim", dict(steps=0), "steps: expected a finite number >= 1"),
        ("bim", dict(step_size=0), "step_size: expected a finite number > 0"),
        ("deepfool", dict(candidates=1), "candidates: expected a finite number >= 2"),
        ("deepfool", dict(overshoot=-1), "overshoot: expected a finite number >= 0"),
        ("cw", dict(norm="l2", confidence=-1), "confidence: expected a finite number >= 0"),
        ("cw", dict(norm="l2", search_steps=0), "search_steps: expected a finite number >= 1"),
        ("cw", dict(norm="l2", initial_constant=0), "initial_constant: expected a finite number > 0"),
    ],
)
def test_bad_options_are_named(name, options, message, small_network, draw):
    with pytest.raises(ValueError, match=message):
        run(name, small_network(channels=3), draw(1, 3, 12, 12), torch.tensor([0]), **(dict(norm="linf") | options))


@pytest.mark.parametrize("name", ["pgd", "tpgd"])
def test_a_missing_generator_is_named(name, small_network, draw):
    with pytest.raises(TypeError, match=r"generator: expected a torch\.Generator, got NoneType"):
        standard_attack(
            name, small_network(channels=3), draw(1, 3, 12, 12), torch.tensor([0]), epsilon=0.1, norm="linf"
        )


@pytest.mark.parametrize(("name", "norm"), EVERY)
def test_bad_models_images_and_labels_are_named(name, norm, small_network, draw):
    model, images = small_network(channels=3), draw(2, 3, 12, 12)
    with pytest.raises(ValueError, match=r"images: .*\[0, 1\].*divide 8-bit"):
        run(name, model, 255 * images, torch.tensor([0, 1]), norm=norm)
    with pytest.raises(ValueError, match="labels: expected classes from 0 to 3"):
        run(name, model, images, torch.tensor([0, 4]), norm=norm)
    with pytest.raises(ValueError, match=r"model: expected logits \(2, K\)"):
        run(name, lambda batch: batch, images, torch.tensor([0, 1]), norm=norm)
    with pytest.raises(ValueError, match=r"model: .*remove torch\.no_grad or detach"):
        run(name, lambda batch: batch.detach().flatten(1), images, torch.tensor([0, 1]), norm=norm)


@pytest.mark.parametrize("spoiled", [float("nan"), float("inf"), float("-inf")])
def test_a_gradient_that_is_not_finite_is_named(spoiled, small_network, draw):
    network, images = small_network(channels=3), draw(2, 3, 12, 12)

    class Spoiled(torch.autograd.Function):
        @staticmethod
        def forward(ctx, batch):
            return batch.clone()

        @staticmethod
        def backward(ctx, gradient):
            gradient = gradient.clone()
            gradient[1, 2, 3, 4] = spoiled
            return gradient

    with pytest.raises(ValueError, match="the model's gradient: expected finite values"):
        run("bim", lambda batch: network(Spoiled.apply(batch)), images, torch.tensor([0, 1]), norm="linf")
