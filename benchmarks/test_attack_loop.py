"""Algorithm 3.1 on 64 images at once against one image at a time, at 32 and at 64 pixels.

The peer is the algorithm as the paper prints it: one image, one joint gradient of loss and distance, the reference's
features computed in each step, a return at the flip; then, as ours, the distance of the result and whether it flipped.
At 32 pixels a third line calls ours image by image, to tell what the batch gains from what the loop gains. Before the
clock starts ours and the peer are run in float64: the same steps for every image, images equal to 1e-9. The classifiers
are drawn at random and the distance is LPIPS's form on a random AlexNet, which cost what trained ones cost; the step
sizes are chosen so that the images stop after 1 to some tens of steps.
"""

import functools

import pytest
import skimage.data
import skimage.transform
import torch
import torch.nn.functional as F
from torchvision.models import alexnet

from blindspots.attacks import perceptual_attack
from blindspots.models.small_cnn import small_cnn
from blindspots.models.torchvision_models import torchvision_classifier
from blindspots.perception import feature_distance

N, STEPS = 64, 100


def alexnet_distance(dtype):
    """Return LPIPS's form on AlexNet's five rectified layers; it keeps the references' features once prepared."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(1)
        layers = alexnet(weights=None).features.eval().to(dtype).requires_grad_(False)

    def activations(maps):
        kept = []
        for layer in layers[:-1]:
            rectifies = isinstance(layer, torch.nn.ReLU)
            maps = F.relu(maps) if rectifies else layer(maps)
            if rectifies:
                kept.append(maps)
        return kept

    return feature_distance(activations)


def crops(side):
    """Return 64 crops of photographs, (64, 3, side, side)."""
    images = []
    for name in ("astronaut", "coffee", "chelsea", "rocket"):
        photo = skimage.transform.resize(getattr(skimage.data, name)(), (4 * side, 4 * side), anti_aliasing=True)
        photo = torch.tensor(photo).permute(2, 0, 1)
        images += [
            photo[:, row : row + side, column : column + side]
            for row in range(0, 4 * side, side)
            for column in range(0, 4 * side, side)
        ]
    return torch.stack(images).clamp(0, 1).contiguous()


def classifier(name, dtype):
    if name == "small_cnn":
        return small_cnn(3, 10, seed=0).eval().to(dtype)
    return torchvision_classifier("resnet18", n_classes=10, seed=0).eval().to(dtype)


def one_at_a_time(model, images, labels, distance, *, step_size, steps):
    """Return the attacked images, their steps, distances and success by Algorithm 3.1 as printed."""
    parts = []
    for image, label in zip(images.split(1), labels.split(1), strict=True):
        z, count = image.clone(), 0
        for _ in range(steps):
            leaf = z.clone().requires_grad_(True)
            logits = model(leaf)
            others = logits.detach().scatter(1, label[:, None], float("-inf"))
            if others.max() - logits[0, label] > 0:
                break
            objective = F.cross_entropy(logits, label) - distance(leaf, image).sum()
            (step,) = torch.autograd.grad(objective, leaf)
            z, count = (z + step_size * step).clamp(0, 1), count + 1
        with torch.no_grad():
            parts.append((z, torch.tensor([count]), distance(z, image), model(z).argmax(1) != label))
    return gather(parts)


def gather(parts):
    return tuple(torch.cat(pieces) for pieces in zip(*parts, strict=True))


def ours(model, images, labels, distance, *, step_size, steps):
    result = perceptual_attack(model, images, labels, distance, step_size=step_size, steps=steps)
    return result.images, result.steps, result.distances, result.success


def ours_one_at_a_time(model, images, labels, distance, **options):
    pairs = zip(images.split(1), labels.split(1), strict=True)
    return gather([ours(model, image, label, distance, **options) for image, label in pairs])


PEER = "one image at a time, as printed"
CONTESTANTS = {"ours": ours, PEER: one_at_a_time, "ours, one image at a time": ours_one_at_a_time}
STEP_SIZES = {("small_cnn", 32): 0.3, ("resnet18", 32): 0.05, ("small_cnn", 64): 3.0, ("resnet18", 64): 0.4}
CASES = [
    (name, side, contestant)
    for name, side in STEP_SIZES
    for contestant in CONTESTANTS
    if side == 32 or contestant in ("ours", PEER)
]


@functools.cache
def work(name, side, dtype):
    model = classifier(name, dtype)
    images = crops(side).to(dtype)
    with torch.no_grad():
        labels = model(images).argmax(1)
    return model, images, labels, alexnet_distance(dtype)


@pytest.mark.parametrize(("name", "side", "contestant"), CASES)
def test_attack_loop(benchmark, name, side, contestant):
    options = dict(step_size=STEP_SIZES[name, side], steps=STEPS)
    attack = functools.partial(CONTESTANTS[contestant], **options)
    if contestant == "ours":
        found = attack(*work(name, side, torch.float64))
        expected = one_at_a_time(*work(name, side, torch.float64), **options)
        assert torch.equal(found[1], expected[1]) and torch.equal(found[3], expected[3]) and found[3].all()
        assert (found[0] - expected[0]).abs().max() < 1e-9 and (found[2] - expected[2]).abs().max() < 1e-9
    steps = attack(*work(name, side, torch.float32))[1]
    benchmark.group = f"{name}, {N} images, {side} pixels, float32"
    benchmark.extra_info.update(
        contestant=contestant,
        ours=contestant == "ours",
        goal="goal 4x" if contestant == PEER and side == 32 else "",
        note=f"steps {steps.min()} to {steps.max()}, median {steps.median()}",
    )
    rounds = 5 if contestant == "ours" else {32: 2, 64: 1}[side]
    benchmark.pedantic(attack, work(name, side, torch.float32), rounds=rounds)
