"""The small network: its pooling against torch's, its options, and models that vmap can stack."""

import pytest
import torch
import torch.nn.functional as F
from torch.func import functional_call, stack_module_state, vmap

from blindspots.models.small_cnn import QuadrantMean, small_cnn


@pytest.mark.parametrize("size", [(4, 4), (7, 7), (5, 8), (1, 1), (2, 3)])
def test_quadrant_means_equal_adaptive_pooling_to_two_by_two(size):
    maps = torch.rand(2, 3, *size, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    assert torch.allclose(QuadrantMean()(maps), F.adaptive_avg_pool2d(maps, 2).flatten(1), atol=1e-12)


def test_features_are_sixteen_times_the_width_at_any_size():
    model = small_cnn(1, 10, width=8, seed=0)
    assert model.encode(torch.zeros(2, 1, 28, 28)).shape == (2, 128)
    assert model.encode(torch.zeros(2, 1, 4, 33)).shape == (2, 128)


def test_the_norm_decides_which_buffers_there_are():
    buffers = {
        norm: [name for name, _ in small_cnn(1, 2, norm=norm, seed=0).named_buffers() if "running" in name]
        for norm in ("batch", "group", "none")
    }
    assert len(buffers["batch"]) == 6
    assert buffers["group"] == buffers["none"] == []


def test_group_normalization_answers_alike_in_training_and_evaluation():
    model, images = (
        small_cnn(1, 2, norm="group", seed=0),
        torch.rand(2, 1, 8, 8, generator=torch.Generator().manual_seed(0)),
    )
    assert torch.equal(model.train()(images), model.eval()(images))


def test_stacked_models_under_vmap_answer_like_each_alone():
    models = [small_cnn(1, 3, width=4, norm="group", seed=seed) for seed in range(3)]
    images = torch.rand(2, 1, 8, 8, generator=torch.Generator().manual_seed(0))
    parameters, buffers = stack_module_state(models)
    together = vmap(lambda p, b: functional_call(models[0], (p, b), (images,)))(parameters, buffers)
    assert torch.allclose(together, torch.stack([model(images) for model in models]), atol=1e-5)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"in_channels": 0}, "in_channels: expected a finite number >= 1"),
        ({"n_classes": 1}, "n_classes: expected a finite number >= 2"),
        ({"width": 0}, "width: expected a finite number >= 1"),
        ({"norm": "layer"}, "norm: expected one of batch, group, none"),
        ({"width": 6, "norm": "group"}, "width: expected a multiple of 4"),
        ({"std": (0.0,)}, "std: expected finite numbers > 0"),
    ],
)
def test_options_out_of_range_are_refused(options, message):
    with pytest.raises(ValueError, match=message):
        small_cnn(**({"in_channels": 1, "n_classes": 2} | options), seed=0)
