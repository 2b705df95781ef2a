"""What every attack promises, run over all of them."""

import pytest
import torch

from blindspots.attacks import (
    AttackResult,
    iterated_fgsm,
    l2_one_step,
    lagrangian_perceptual_attack,
    normalized_perceptual_attack,
    perc_al,
    perceptual_attack,
    perceptual_pgd,
    pgd_l2_until_flipped,
    ssim_budgeted_step,
    ssim_one_step,
)
from blindspots.perception import ssim_distance


def two_layers(images):
    """Return activations as an attack in feature space wants them: the pixels and their differences, and a constant."""
    side = torch.ones_like(images[:, :1])
    return [torch.cat([images, side], dim=1), torch.cat([images[..., 1:] - images[..., :-1], side[..., 1:]], dim=1)]


IN_FEATURES = dict(features=two_layers, bound=0.5, steps=6)
ATTACKS = {
    "ssim_one_step": (ssim_one_step, dict(epsilon=2)),
    "ssim_budgeted_step": (ssim_budgeted_step, dict(bound=0.01)),
    "l2_one_step": (l2_one_step, dict(epsilon=2)),
    "pgd_l2_until_flipped": (pgd_l2_until_flipped, dict(steps=6)),
    "iterated_fgsm": (iterated_fgsm, dict(step_size=0.01, steps=6)),
    "perc_al": (perc_al, dict(steps=12)),
    "perceptual_pgd": (perceptual_pgd, dict(confidence=0.5, **IN_FEATURES)),
    "lagrangian_perceptual_attack": (lagrangian_perceptual_attack, dict(start_noise=0.0, **IN_FEATURES)),
    "fast": (lagrangian_perceptual_attack, dict(start_noise=0.0, fast=True, **IN_FEATURES)),
    "perceptual_attack": (perceptual_attack, dict(distance=ssim_distance, steps=6, confidence=5.0)),
    "normalized_perceptual_attack": (
        normalized_perceptual_attack, dict(distance=ssim_distance, steps=6, confidence=5.0),
    ),
}  # fmt: skip
every_attack = pytest.mark.parametrize("name", ATTACKS)
ON_THE_MARGIN = ("perceptual_pgd", "lagrangian_perceptual_attack", "fast")
CLIPS = [name for name in ATTACKS if name not in ("iterated_fgsm", "perc_al", *ON_THE_MARGIN)]
NORMALIZES = [name for name in ATTACKS if name != "perceptual_attack"]


def run(name, model, images, labels, **options):
    attack, defaults = ATTACKS[name]
    return attack(model, images, labels, **(defaults | options))


@every_attack
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_shapes_dtypes_and_recomputed_success(name, small_network, draw, dtype):
    model, images = small_network(channels=3, dtype=dtype), draw(5, 3, 16, 18, dtype=dtype)
    labels = model(images).argmax(1).detach()
    result = run(name, model, images, labels)
    assert isinstance(result, AttackResult)
    assert result.images.shape == images.shape and result.images.dtype == dtype
    assert not result.images.requires_grad and result.distances.dtype == dtype
    assert torch.equal(result.success, model(result.images).argmax(1) != labels)
    assert (result.steps >= 1).all() and (result.gradient_evaluations >= 1).all()
    if name not in ("perc_al", "lagrangian_perceptual_attack"):
        assert torch.equal(result.gradient_evaluations, result.steps)
    assert (result.distances > 0).all() and not result.stalled.any()


@pytest.mark.parametrize("name", CLIPS)
def test_clipped_results_stay_in_the_unit_range_and_others_may_leave_it(name, small_network, draw):
    model, images = small_network(channels=3), draw(3, 3, 16, 16).round()
    labels = model(images).argmax(1)
    clipped = run(name, model, images, labels, clip=True).images
    assert clipped.min() >= 0 and clipped.max() <= 1
    free = run(name, model, images, labels, clip=False).images
    assert free.min() < 0 or free.max() > 1


@every_attack
def test_a_batch_of_one_gives_what_it_gives_in_a_batch(name, small_network, draw):
    model, images = small_network(channels=3), draw(4, 3, 16, 16)
    labels = torch.tensor([0, 1, 2, 3])
    together = run(name, model, images, labels)
    for index in range(4):
        alone = run(name, model, images[index : index + 1], labels[index : index + 1])
        # float64; the SSIM solve ends at 1e-5, so a different order of sums shows well below that.
        torch.testing.assert_close(alone.images[0], together.images[index], rtol=0, atol=1e-7)
        assert alone.steps[0] == together.steps[index] and alone.success[0] == together.success[index]


@every_attack
@pytest.mark.parametrize("training", [True, False])
def test_model_inputs_and_modes_are_left_as_found(name, small_network, draw, training):
    model, images, labels = small_network(channels=3).train(training), draw(3, 3, 16, 16), torch.tensor([0, 1, 2])
    model[1].eval()
    state = {key: value.clone() for key, value in model.state_dict().items()}
    modes = [module.training for module in model.modules()]
    copies = images.clone(), labels.clone()
    run(name, model, images, labels)
    assert [module.training for module in model.modules()] == modes
    assert all(torch.equal(value, state[key]) for key, value in model.state_dict().items())
    assert all(parameter.grad is None and parameter.requires_grad for parameter in model.parameters())
    assert not any(module._forward_hooks or module._backward_hooks for module in model.modules())
    assert torch.equal(images, copies[0]) and torch.equal(labels, copies[1]) and not images.requires_grad


@every_attack
def test_it_works_under_no_grad_and_with_images_that_require_a_gradient(name, small_network, draw):
    model, images, labels = small_network(channels=3), draw(2, 3, 16, 16), torch.tensor([0, 1])
    expected = run(name, model, images, labels).images
    with torch.no_grad():
        assert torch.equal(run(name, model, images, labels).images, expected)
    leaf = images.clone().requires_grad_(True)
    result = run(name, model, leaf, labels).images
    assert torch.equal(result, expected) and leaf.grad is None and not result.requires_grad


@every_attack
def test_int32_labels_are_taken(name, small_network, draw):
    model, images, labels = small_network(channels=3), draw(2, 3, 16, 16), torch.tensor([0, 1])
    assert torch.equal(run(name, model, images, labels.int()).images, run(name, model, images, labels).images)


@every_attack
def test_an_image_without_a_gradient_comes_back_unchanged_and_marked(name, draw):
    def flat_for_bright_images(images):
        score = (images - 0.5).clamp_max(0).sum(dim=(1, 2, 3)) / 3
        return torch.stack([torch.zeros_like(score), -score - 1], dim=1)

    images = draw(2, 3, 16, 16)
    images[1] = 0.75
    result = run(name, flat_for_bright_images, images, torch.tensor([1, 0]))
    assert result.stalled.tolist() == [False, True]
    assert torch.equal(result.images[1], images[1]) and result.distances[1] == 0
    assert result.steps[1] == 0 and result.gradient_evaluations[1] == 1 and not result.success[1]


@pytest.mark.parametrize("name", NORMALIZES)
@pytest.mark.parametrize(("scale", "stalls"), [(40.0, False), (2000.0, True)])
def test_a_confident_network_has_a_direction_in_single_precision(name, linear_model, draw, scale, stalls):
    images = draw(1, 3, 16, 16, dtype=torch.float32)
    model = linear_model(torch.full((3, 16, 16), -scale / 768), -scale)
    # The other class has about exp(-60): nothing beside 1 in float32. exp(-3000) is 0 in float64 too.
    assert torch.softmax(model(images), 1)[0, 0].item() == 1.0
    assert run(name, model, images, torch.tensor([0])).stalled.item() is (stalls and name not in ON_THE_MARGIN)


@every_attack
@pytest.mark.parametrize(
    ("images", "labels", "error", "message"),
    [
        (torch.full((2, 3, 16, 16), 128.0), torch.tensor([0, 1]), ValueError, r"images: .*\[0, 1\].*divide 8-bit"),
        (torch.full((2, 3, 16, 16), float("nan")), torch.tensor([0, 1]), ValueError, "images: expected finite"),
        (torch.zeros(0, 3, 16, 16), torch.tensor([], dtype=torch.long), ValueError, "images: expected at least one"),
        (torch.zeros(1, 16, 16), torch.tensor([0]), ValueError, r"images: expected shape \(N, C, H, W\)"),
        (torch.zeros(2, 3, 16, 16).byte(), torch.tensor([0, 1]), TypeError, "images: expected a float tensor"),
        (torch.zeros(2, 3, 16, 16), torch.tensor([0, 4]), ValueError, "labels: expected classes from 0 to 3"),
        (torch.zeros(2, 3, 16, 16), torch.tensor([0, -1]), ValueError, "labels: expected classes from 0"),
        (torch.zeros(2, 3, 16, 16), torch.tensor([0]), ValueError, r"labels: expected shape \(2,\)"),
        (torch.zeros(2, 3, 16, 16), torch.tensor([0.0, 1.0]), TypeError, "labels: expected an integer tensor"),
    ],
)
def test_bad_images_and_labels_are_named(name, small_network, images, labels, error, message):
    with pytest.raises(error, match=message):
        run(name, small_network(channels=3, dtype=torch.float32), images, labels)


@every_attack
def test_models_that_are_none_are_named(name, draw):
    images, labels = draw(2, 3, 16, 16), torch.tensor([0, 1])
    with pytest.raises(ValueError, match=r"model: expected logits \(2, K\)"):
        run(name, lambda batch: batch, images, labels)
    with pytest.raises(ValueError, match="model: expected finite logits"):
        run(name, lambda batch: batch.flatten(1) * float("nan"), images, labels)
    with pytest.raises(ValueError, match=r"model: .*depend on the images.*remove torch.no_grad or detach"):
        run(name, lambda batch: batch.detach().flatten(1), images, labels)


@every_attack
def test_the_mode_is_restored_after_an_error(name, small_network, draw):
    model = small_network(channels=3).train()
    with pytest.raises(ValueError, match="labels: expected classes from 0 to 3"):
        run(name, model, draw(1, 3, 16, 16), torch.tensor([9]))
    assert all(module.training for module in model.modules())


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device")
@every_attack
def test_a_gpu_gives_what_the_cpu_gives(name, small_network, draw):
    model, images, labels = small_network(channels=3), draw(3, 3, 64, 64), torch.tensor([0, 1, 2])
    here = run(name, model, images, labels)
    there = run(name, model.cuda(), images.cuda(), labels.cuda())
    assert there.images.is_cuda and there.success.is_cuda
    # The SSIM solves end at a relative residual of 1e-5.
    torch.testing.assert_close(there.images.cpu(), here.images, rtol=0, atol=1e-4)
