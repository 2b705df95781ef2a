"""LIME in library mode against the lime package: one photograph of 224x224, the same superpixels, masks and classifier.

The overhead is what LIME does beside asking the classifier: the classifier of that row reads 196 pixels of an image and
costs next to nothing. The rows with a resnet18 (random weights, fewer samples) show what is left of it where a network
takes most of the time. Weights of all five classes have to agree within 1e-6 before the clock starts. Both sides get
the superpixels made beforehand, float32 pixels and batches of 50; the last row has each side's own batches, the
package's of 10. Its progress bar is taken out.
"""

import functools

import numpy as np
import pytest
import skimage.data
import torch
import torchvision

from blindspots.criticism import lime_explain, slic_superpixels
from blindspots.seeding import generator

lime_image = pytest.importorskip("lime.lime_image", reason="the peer is an extra: pip install blindspots[oracles]")

N_CLASSES, SEED = 5, 0
SAME, OWN = (50, 50), (None, 10)  # images at a time: ours, the package's


@functools.cache
def photograph():
    pixels = torch.tensor(skimage.data.astronaut()[:448:2, 40:488:2] / 255.0)
    return pixels.permute(2, 0, 1).float().contiguous()


@functools.cache
def superpixels():
    return slic_superpixels(photograph(), n_segments=60)


@functools.cache
def cheap_model():
    weights = 0.1 * torch.randn(3 * 14 * 14, N_CLASSES, generator=generator(1))
    return lambda images: images[:, :, ::16, ::16].flatten(1) @ weights


@functools.cache
def network():
    with torch.random.fork_rng():
        torch.manual_seed(0)
        model = torchvision.models.resnet18(weights=None, num_classes=N_CLASSES)
    return model.eval()


def drawn_masks(n_samples):
    """Return the masks that the package draws from its seed."""
    n_superpixels = int(superpixels().max()) + 1
    masks = np.random.RandomState(SEED).randint(0, 2, n_samples * n_superpixels).reshape(n_samples, n_superpixels)
    masks[0] = 1
    return torch.from_numpy(masks).bool()


def ours(model, n_samples, n_features, batch_size):
    return lime_explain(
        model,
        photograph(),
        segments=superpixels(),
        masks=drawn_masks(n_samples),
        mode="library",
        n_features=n_features,
        batch_size=batch_size,
    ).weights


def packages(model, n_samples, n_features, batch_size):
    def probabilities(images):
        with torch.no_grad():
            return model(torch.from_numpy(images).permute(0, 3, 1, 2)).softmax(dim=1).numpy()

    explained = lime_image.LimeImageExplainer(random_state=SEED).explain_instance(
        photograph().permute(1, 2, 0).contiguous().numpy(),
        probabilities,
        top_labels=N_CLASSES,
        num_features=n_features or 100_000,
        num_samples=n_samples,
        batch_size=batch_size,
        segmentation_fn=lambda _: superpixels().numpy(),
        random_seed=SEED,
    )
    weights = torch.zeros(N_CLASSES, int(superpixels().max()) + 1)
    for label, pairs in explained.local_exp.items():
        for number, weight in pairs:
            weights[label, number] = weight
    return weights


WORK = [
    # name, model, samples, superpixels kept, batches, rounds of ours, of the peer, goal
    ("overhead, all superpixels kept", cheap_model, 1000, None, SAME, 9, 3, "goal 5x"),
    ("overhead, 8 superpixels kept", cheap_model, 1000, 8, SAME, 9, 3, "goal 5x"),
    ("overhead, 5 superpixels kept", cheap_model, 1000, 5, SAME, 9, 3, "goal 5x"),
    ("with a resnet18", network, 100, None, SAME, 2, 2, "no goal: the network decides"),
    ("with a resnet18, batches of each side's own", network, 100, None, OWN, 2, 2, "no goal: the network decides"),
]


@pytest.mark.parametrize("contestant", ["ours", "lime package"])
@pytest.mark.parametrize("work", WORK, ids=[row[0] for row in WORK])
def test_explanation(benchmark, monkeypatch, work, contestant):
    name, make, n_samples, n_features, (our_batch, peer_batch), our_rounds, peer_rounds, goal = work
    monkeypatch.setattr(lime_image, "tqdm", lambda rows: rows)
    model = make()
    if contestant == "ours":
        torch.testing.assert_close(
            ours(model, n_samples, n_features, our_batch),
            packages(model, n_samples, n_features, peer_batch),
            rtol=0,
            atol=1e-6,
        )
    benchmark.group = f"LIME, {n_samples} samples, {name}"
    benchmark.extra_info.update(contestant=contestant, ours=contestant == "ours")
    if contestant != "ours":
        benchmark.extra_info["goal"] = goal
    mine = contestant == "ours"
    run, rounds, batch_size = (ours, our_rounds, our_batch) if mine else (packages, peer_rounds, peer_batch)
    benchmark.pedantic(run, (model, n_samples, n_features, batch_size), rounds=rounds, warmup_rounds=1)
