"""Activations are those of the layers asked for, and the network is as it was afterwards."""

import pytest
import torch
from torch import nn

from blindspots.perception import layer_features


def state(model):
    return (
        [module.training for module in model.modules()],
        [len(module._forward_hooks) for module in model.modules()],
        [value.clone() for value in model.state_dict().values()],
        [parameter.grad for parameter in model.parameters()],
    )


def test_named_layers_come_in_the_order_asked_and_are_not_changed_in_place(draw, small_network):
    model, images = small_network(), draw(2, 3, 8, 8)
    normalized, convolved = layer_features(model, ["1", "0"])(images)
    torch.testing.assert_close(convolved, model[0](images))
    torch.testing.assert_close(normalized, model[1](model[0](images)))  # a ReLU in place follows
    assert normalized.min() < 0


def test_without_names_the_last_maps_of_each_size_come_finest_first(draw, small_network):
    model, images = small_network(), draw(2, 3, 8, 8)
    activations = layer_features(model)(images)
    assert [tuple(layer.shape[1:]) for layer in activations] == [(6, 8, 8), (8, 4, 4), (8, 2, 2)]
    torch.testing.assert_close(activations[0], model[:3](images))
    torch.testing.assert_close(activations[1], model[:7](images))
    torch.testing.assert_close(activations[2], model[:8](images))


def test_activations_are_differentiable_in_the_images(draw, small_network):
    images = draw(1, 3, 8, 8).requires_grad_(True)
    for names in (None, ["0", "4"]):
        total = sum(layer.square().sum() for layer in layer_features(small_network(), names)(images))
        (gradient,) = torch.autograd.grad(total, images)
        assert gradient.abs().amax() > 0


def test_the_model_is_left_as_it_was_also_after_an_error(draw, small_network):
    model = small_network().train()
    model[1].eval()
    before = state(model)
    layer_features(model)(draw(2, 3, 8, 8))
    layer_features(model, ["4"])(draw(2, 3, 8, 8))
    with pytest.raises(RuntimeError):
        layer_features(model)(draw(2, 5, 8, 8))
    after = state(model)
    assert before[:2] == after[:2] and before[3] == after[3]
    assert all(torch.equal(a, b) for a, b in zip(before[2], after[2], strict=True))


def test_a_batch_of_one_has_the_activations_it_has_in_a_batch(draw, small_network):
    features, images = layer_features(small_network().train()), draw(3, 3, 8, 8)
    for together, alone in zip(features(images), features(images[1:2]), strict=True):
        torch.testing.assert_close(alone[0], together[1])


def test_bad_names_are_told(small_network):
    model = small_network()
    for names, message in (
        ("0", "expected a list of module names, got the text '0'"),
        ([], "expected at least one module"),
        (["0", "0"], "each once"),
        (["0", "head"], r"expected modules of the model \(0, 1, .* got 'head'"),
    ):
        with pytest.raises(ValueError, match=message):
            layer_features(model, names)


def test_modules_that_give_no_maps_are_told(draw):
    images = draw(2, 1, 4, 4)
    model = nn.Sequential(nn.Flatten(), nn.Identity()).double()
    with pytest.raises(ValueError, match=r"expected modules that give maps .* pass names"):
        layer_features(model)(images)
    assert [layer.shape for layer in layer_features(model, ["0"])(images)] == [(2, 16)]
    model.spare = nn.Identity()
    model.forward = lambda x: x
    with pytest.raises(ValueError, match="expected one output tensor of 'spare', got none"):
        layer_features(model, ["spare"])(images)
