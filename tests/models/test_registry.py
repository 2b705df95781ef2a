"""Laws of every architecture, and rebuilding a model from the spec it carries."""

import json

import pytest
import torch

from blindspots.models.registry import BUILDERS, build_model

SPECS = {
    "small_cnn": {"name": "small_cnn", "in_channels": 3, "n_classes": 5, "width": 4},
    "small_cnn_group": {"name": "small_cnn", "in_channels": 3, "n_classes": 5, "width": 4, "norm": "group"},
    "small_cnn_none": {"name": "small_cnn", "in_channels": 3, "n_classes": 5, "width": 4, "norm": "none"},
    "resnet": {"name": "resnet", "in_channels": 3, "n_classes": 5, "depth": 8, "width": 4},
    "resnet_b": {"name": "resnet", "in_channels": 3, "n_classes": 5, "depth": 8, "width": 4, "shortcut": "B"},
    "wide_resnet": {
        "name": "wide_resnet",
        "in_channels": 3,
        "n_classes": 5,
        "depth": 10,
        "width_factor": 1,
        "dropout": 0.3,
    },
    "small_vit": {"name": "small_vit", "n_classes": 5, "side": 16, "width": 8, "heads": 2},
    "small_swin": {"name": "small_swin", "n_classes": 5, "width": 8},
    "mlp": {"name": "mlp", "n_features": 768, "n_classes": 5, "hidden": [8, 6]},
}


def some_images(n=4):
    return torch.rand(n, 3, 16, 16, generator=torch.Generator().manual_seed(0))


@pytest.fixture(params=SPECS)
def spec(request):
    return SPECS[request.param]


def test_every_builder_has_its_laws_checked_here_or_in_its_own_file():
    assert {entry["name"] for entry in SPECS.values()} | {"autoencoder", "torchvision_classifier"} == set(BUILDERS)


def test_logits_are_the_head_of_the_features(spec):
    model = build_model(spec, seed=0)
    features = model.encode(some_images())
    assert features.ndim == 2
    assert model.head(features).shape == (4, 5)
    assert torch.equal(model.head(features), model(some_images()))


def test_a_batch_of_one_equals_the_same_image_in_a_batch(spec):
    model = build_model(spec, seed=0).double()  # in float64, so that only a real dependence could show
    images = some_images().double()
    alone = torch.cat([model(image[None]) for image in images])
    assert torch.allclose(alone, model(images), rtol=1e-10, atol=1e-12)


def test_permuting_the_batch_permutes_the_logits(spec):
    model, order = build_model(spec, seed=0).double(), torch.tensor([2, 0, 3, 1])
    images = some_images().double()
    assert torch.allclose(model(images)[order], model(images[order]), rtol=1e-10, atol=1e-12)


def test_the_same_seed_gives_the_same_bits_and_another_does_not(spec):
    first, again, other = (build_model(spec, seed=seed).state_dict() for seed in (0, 0, 1))
    assert all(torch.equal(first[name], again[name]) for name in first)
    assert any(not torch.equal(first[name], other[name]) for name in first)


def test_models_come_in_evaluation_mode_and_leave_running_statistics_alone(spec):
    model = build_model(spec, seed=0)
    before = {name: value.clone() for name, value in model.state_dict().items()}
    assert not any(part.training for part in model.modules())
    model(some_images())
    assert all(torch.equal(before[name], value) for name, value in model.state_dict().items())


def test_the_carried_spec_is_json_and_rebuilds_the_same_architecture(spec):
    model = build_model(spec, seed=0)
    rebuilt = build_model(json.loads(json.dumps(model.spec)), seed=0)
    assert rebuilt.spec == model.spec
    assert torch.equal(rebuilt(some_images()), model(some_images()))


def test_mean_and_std_change_the_answer(spec):
    many = [0.1, 2.0, 2.0] if spec["name"] != "mlp" else [0.1, 2.0, 2.0] * 256  # one scale for all, group norm undoes
    plain, moved, scaled = (
        build_model({**spec, **options}, seed=0)(some_images()) for options in ({}, {"mean": [0.1]}, {"std": many})
    )
    assert not torch.allclose(plain, moved)
    assert not torch.allclose(plain, scaled)


def test_the_gradient_to_the_images_is_finite_and_not_zero(spec):
    images = some_images().requires_grad_()
    (gradient,) = torch.autograd.grad(build_model(spec, seed=0)(images)[:, 0].sum(), images)
    assert torch.isfinite(gradient).all()
    assert (gradient.flatten(1).abs().sum(1) > 0).all()


def test_a_spec_that_is_no_mapping_is_refused():
    with pytest.raises(TypeError, match="spec: expected a mapping"):
        build_model("small_cnn", seed=0)


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({}, "expected a name among small_cnn, .*got None"),
        ({"name": "large_cnn"}, "expected a name among small_cnn, .*got 'large_cnn'"),
        ({"name": "mlp", "n_features": 3, "n_classes": 2, "widht": 3}, "expected options of mlp among n_features"),
        ({"name": "mlp", "n_features": 3, "n_classes": 2, "seed": 3}, "expected options of mlp.*got seed"),
        ({"name": "mlp", "n_features": 3}, "got no n_classes"),
    ],
)
def test_a_wrong_spec_says_what_is_known(wrong, message):
    with pytest.raises(ValueError, match=message):
        build_model(wrong, seed=0)
