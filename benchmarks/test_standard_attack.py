"""`standard_attack` against foolbox called directly, on 64 images of 32 pixels.

The peer is what a user of foolbox writes: its model around ours, its attack, and its verdict on the attacked images.
Ours adds the checks of the arguments, the loan of the model, a generator of its own for the random start, and counts;
it may cost a tenth more. It saves the gradients of the parameters. The shortest attack on the smallest network shows
the overhead best. Before the clock starts the images are compared, to 1e-6, with the same random start on both sides.
The classifiers are drawn at random, which cost what trained ones cost.
"""

import functools

import foolbox
import pytest
import skimage.data
import skimage.transform
import torch

from blindspots.attacks import standard_attack
from blindspots.models.small_cnn import small_cnn
from blindspots.models.torchvision_models import torchvision_classifier

N, SIDE, SEED = 64, 32, 5
# name, norm, epsilon, our options, foolbox's class and options
ATTACKS = {
    "fgsm": ("fgsm", "linf", 0.03, {}, foolbox.attacks.LinfFastGradientAttack, {}),
    "bim": ("bim", "linf", 0.03, {}, foolbox.attacks.LinfBasicIterativeAttack, {}),
    "pgd": ("pgd", "linf", 0.03, {}, foolbox.attacks.LinfProjectedGradientDescentAttack, {}),
    "pgd l2": ("pgd", "l2", 0.5, {}, foolbox.attacks.L2ProjectedGradientDescentAttack, {}),
    "deepfool": ("deepfool", "l2", None, dict(steps=5), foolbox.attacks.L2DeepFoolAttack, dict(steps=5)),
    "cw": (
        "cw", "l2", None, dict(steps=20, search_steps=2, step_size=0.05, initial_constant=1.0),
        foolbox.attacks.L2CarliniWagnerAttack,
        dict(steps=20, binary_search_steps=2, stepsize=0.05, initial_const=1.0),
    ),
}  # fmt: skip
DIRECT = "foolbox, called directly"
WORK = [*(("small_cnn", case) for case in ATTACKS), ("resnet18", "fgsm"), ("resnet18", "bim")]
CASES = [(name, case, contestant) for name, case in WORK for contestant in ("ours", DIRECT)]


@functools.cache
def work(name, dtype):
    """Return a classifier, crops of photographs and their predicted classes."""
    if name == "small_cnn":
        model = small_cnn(3, 10, seed=0).eval().to(dtype)
    else:
        model = torchvision_classifier(name, n_classes=10, seed=0).eval().to(dtype)
    images = []
    for photo in ("astronaut", "coffee", "chelsea", "rocket"):
        pixels = getattr(skimage.data, photo)()
        pixels = skimage.transform.resize(pixels, (4 * SIDE, 4 * SIDE), anti_aliasing=True)
        tiles = torch.tensor(pixels).permute(2, 0, 1).unfold(1, SIDE, SIDE).unfold(2, SIDE, SIDE)
        images.append(tiles.permute(1, 2, 0, 3, 4).flatten(0, 1))
    images = torch.cat(images).clamp(0, 1).contiguous().to(dtype)
    with torch.no_grad():
        labels = model(images).argmax(1)
    return model, images, labels


def ours(case, model, images, labels):
    """Return the attacked images and whether they flipped."""
    name, norm, epsilon, options, _, _ = ATTACKS[case]
    generator = torch.Generator().manual_seed(SEED)
    result = standard_attack(name, model, images, labels, epsilon=epsilon, norm=norm, generator=generator, **options)
    return result.images, result.success


def direct(case, model, images, labels):
    """The same from foolbox; its random start comes from torch's global generator."""
    _, _, epsilon, _, attack, options = ATTACKS[case]
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(SEED)
        _, attacked, success = attack(**options)(
            foolbox.PyTorchModel(model, bounds=(0, 1)), images, labels, epsilons=epsilon
        )
    return attacked, success


CONTESTANTS = {"ours": ours, DIRECT: direct}


@pytest.mark.parametrize(("name", "case", "contestant"), CASES)
def test_standard_attack(benchmark, name, case, contestant):
    subjects = work(name, torch.float32)
    if contestant == "ours":
        found, expected = ours(case, *subjects), direct(case, *subjects)
        assert (found[0] - subjects[1]).abs().max() > 1e-3 and torch.equal(found[1], expected[1])
        # Where cw finds nothing foolbox returns a black image, and ours the original.
        kept = expected[1] if case == "cw" else torch.ones_like(expected[1])
        assert kept.sum() > N / 2 and (found[0] - expected[0])[kept].abs().max() <= 1e-6
    attack = functools.partial(CONTESTANTS[contestant], case)
    benchmark.group = f"{case}, {name}, {N} images, {SIDE} pixels"
    benchmark.extra_info.update(
        contestant=contestant,
        ours=contestant == "ours",
        goal="goal over 0.91x (ours under 10 % more)" if contestant == DIRECT else "",
        note=f"{attack(*subjects)[1].sum()} of {N} flipped",
    )
    rounds = {"fgsm": 21, "cw": 9, "bim": 9}.get(case, 5) if name == "small_cnn" else 5
    benchmark.pedantic(attack, subjects, rounds=rounds)
