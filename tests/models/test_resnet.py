"""The CIFAR ResNet: published sizes, shortcuts by definition, and published weights with their accuracy."""

import os
from pathlib import Path

import numpy as np
import pytest
import torch

from blindspots.models.evaluation import evaluate_classifier
from blindspots.models.resnet import PaddedShortcut, published_cifar_resnet, resnet

REAL = os.environ.get("BLINDSPOTS_DATA")


def n_parameters(model):
    return sum(parameter.numel() for parameter in model.parameters())


@pytest.mark.parametrize(("depth", "millions"), [(20, 0.27), (32, 0.46), (44, 0.66), (56, 0.85), (110, 1.7)])
def test_the_networks_have_as_many_parameters_as_he_et_al_print(depth, millions):
    # Table 6 of the paper prints two digits (three for none), so half a unit of the last one is the tolerance.
    assert n_parameters(resnet(3, 10, depth=depth, seed=0)) / 1e6 == pytest.approx(
        millions, abs=0.05 if depth == 110 else 0.005
    )


def test_depth_and_width_and_shortcut_change_the_network():
    plain = n_parameters(resnet(3, 10, depth=8, seed=0))
    assert n_parameters(resnet(3, 10, depth=14, seed=0)) > plain
    assert n_parameters(resnet(3, 10, depth=8, width=32, seed=0)) > plain
    # Two projections, 16 -> 32 and 32 -> 64 channels, each with a scale and an offset per channel.
    assert n_parameters(resnet(3, 10, depth=8, shortcut="B", seed=0)) == plain + 16 * 32 + 2 * 32 + 32 * 64 + 2 * 64


def test_the_padded_shortcut_skips_pixels_and_centers_the_channels():
    maps = torch.arange(2 * 9, dtype=torch.float32).reshape(1, 2, 3, 3)
    shortened = PaddedShortcut(2, 4, 2)(maps)
    assert shortened.shape == (1, 4, 2, 2)
    assert torch.equal(shortened[:, 1:3], maps[..., ::2, ::2])
    assert shortened[:, [0, 3]].abs().sum() == 0


@pytest.mark.parametrize(
    ("options", "message"),
    [({"depth": 21}, r"depth: expected 6n \+ 2"), ({"depth": 2}, "depth: expected a finite number >= 8"),
     ({"shortcut": "C"}, "shortcut: expected one of A, B"), ({"width": 0}, "width")],
)  # fmt: skip
def test_options_out_of_range_are_refused(options, message):
    with pytest.raises(ValueError, match=message):
        resnet(3, 10, **options, seed=0)


def published_layout(model):
    """Rename a model's state to the published files' keys, which count no batches in old versions."""
    state = {}
    for name, value in model.state_dict().items():
        if name not in ("mean", "std") and "num_batches" not in name:
            state["module." + name.removeprefix("features.").replace("classifier.", "linear.")] = value
    return {"state_dict": state, "best_prec1": 10.0}


def test_a_file_in_the_published_layout_loads_with_its_depth(tmp_path):
    source = resnet(3, 10, depth=14, mean=(0.485, 0.456, 0.406), std=(0.229, 0.224, 0.225), seed=5)
    torch.save(published_layout(source), tmp_path / "resnet14.th")
    loaded = published_cifar_resnet(tmp_path / "resnet14.th")
    images = torch.rand(2, 3, 32, 32, generator=torch.Generator().manual_seed(0))
    assert loaded.spec["depth"] == 14
    assert torch.equal(loaded(images), source(images))


def test_other_weights_are_refused(tmp_path):
    torch.save({"state_dict": {"module.conv1.weight": torch.zeros(1)}}, tmp_path / "other.th")
    with pytest.raises(ValueError, match="expected the weights of a CIFAR ResNet"):
        published_cifar_resnet(tmp_path / "other.th")


def test_a_missing_file_says_so(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"no file .*absent\.th"):
        published_cifar_resnet(tmp_path / "absent.th")


@pytest.mark.skipif(REAL is None, reason="needs BLINDSPOTS_DATA with CIFAR-10 and weights/cifar10_resnet20.th")
def test_published_resnet20_reaches_its_published_accuracy_on_original_images():
    root = Path(REAL)
    weights, images_file = (
        root / "weights" / "cifar10_resnet20.th",
        root / "cifar10" / "cifar10_lossless_test_first1017.npz",
    )
    if not (weights.is_file() and images_file.is_file()):
        pytest.skip(f"no {weights.name} or {images_file.name} under BLINDSPOTS_DATA")
    with np.load(images_file) as stored:
        images = torch.from_numpy(stored["images"]).permute(0, 3, 1, 2).float() / 255
        labels = torch.from_numpy(stored["labels"]).long()
    # Published: 91.7 % on 10,000 test images; on 1,017 of them one standard error is 0.9 points, and three are allowed.
    assert evaluate_classifier(published_cifar_resnet(weights), images, labels).accuracy == pytest.approx(
        0.917, abs=0.027
    )
