"""Small vision transformers: torchvision's own network inside, sizes as asked, and errors that say what to do.

The laws that every architecture obeys are checked in test_registry.py.
"""

import pytest
import torch
from torchvision.models import SwinTransformer, VisionTransformer

from blindspots.models.small_transformers import small_swin, small_vit

IMAGES = torch.rand(2, 3, 16, 16, generator=torch.Generator().manual_seed(0))


def test_the_vit_is_torchvisions_with_our_head():
    model = small_vit(3, side=16, depth=1, width=8, heads=2, seed=0)
    with torch.random.fork_rng(devices=[]):
        theirs = VisionTransformer(16, 4, 1, 2, 8, 32, num_classes=3).eval()
    state = dict(model.features.network.state_dict())
    state |= {f"heads.head.{name}": value for name, value in model.classifier.state_dict().items()}
    theirs.load_state_dict(state)
    assert torch.allclose(model(IMAGES), theirs((IMAGES - 0.5) / 0.25), atol=1e-6)


def test_the_swin_is_torchvisions_with_our_head():
    model = small_swin(3, depths=(2, 1), width=8, heads=2, window=4, seed=0)
    with torch.random.fork_rng(devices=[]):
        theirs = SwinTransformer([2, 2], 8, [2, 1], [2, 4], [4, 4], num_classes=3).eval()
    state = dict(model.features.state_dict())
    state |= {f"head.{name}": value for name, value in model.classifier.state_dict().items()}
    theirs.load_state_dict(state)
    assert torch.allclose(model(IMAGES), theirs((IMAGES - 0.5) / 0.25), atol=1e-6)


def test_the_features_are_as_wide_as_the_last_stage():
    assert small_vit(2, side=16, width=24, heads=4, seed=0).encode(IMAGES).shape == (2, 24)
    assert small_swin(2, width=8, depths=(1, 1, 1), seed=0).encode(IMAGES).shape == (2, 32)


def test_training_mode_has_no_chance_in_it():
    for model in (small_vit(2, side=16, seed=0), small_swin(2, seed=0)):
        assert torch.allclose(model.train()(IMAGES), model.eval()(IMAGES), atol=1e-6)


def test_a_vit_names_the_size_it_was_built_for():
    with pytest.raises(ValueError, match=r"images: expected 16x16 pixels .*got 32x32"):
        small_vit(2, side=16, seed=0)(torch.zeros(1, 3, 32, 32))


def test_a_swin_takes_images_of_other_sizes():
    assert small_swin(2, seed=0)(torch.zeros(1, 3, 20, 34)).shape == (1, 2)


@pytest.mark.parametrize(
    ("build", "options", "message"),
    [
        (small_vit, {"side": 18}, "side: expected a multiple of the patch of 4"),
        (small_vit, {"side": 16, "width": 30}, "width: expected a multiple of 4 heads"),
        (small_vit, {"side": 16, "depth": 0}, "depth"),
        (small_swin, {"width": 15}, "width: expected a multiple of 2 heads"),
        (small_swin, {"window": 1}, "window"),
        (small_swin, {"depths": (1,)}, "depths: expected two layers"),
        (small_swin, {"depths": (1, 0)}, "depths"),
    ],
)
def test_sizes_that_do_not_fit_are_refused(build, options, message):
    with pytest.raises(ValueError, match=message):
        build(2, **options, seed=0)
