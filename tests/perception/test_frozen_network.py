"""Networks are built without drawing, filled completely or not at all, and frozen."""

import pytest
import torch
from torch import nn

from blindspots.perception.frozen_network import (
    fill,
    network_without_weights,
    prepare_input,
    read_state,
    torchvision_features,
)


def build():
    return nn.Sequential(nn.Conv2d(3, 4, 3), nn.ReLU())


def state():
    return {"0.weight": torch.ones(4, 3, 3, 3), "0.bias": torch.zeros(4)}


def test_a_filled_network_computes_and_is_frozen():
    network = fill(network_without_weights(build).train(), state())
    assert not network.training and not any(parameter.requires_grad for parameter in network.parameters())
    torch.testing.assert_close(network(torch.ones(1, 3, 3, 3)), torch.full((1, 4, 1, 1), 27.0))


@pytest.mark.parametrize(
    "change", [{"0.bias": None}, {"0.bias": torch.zeros(5)}, {"1.weight": torch.zeros(1)}], ids=str
)
def test_a_state_of_another_network_is_refused(change):
    other = {name: value for name, value in (state() | change).items() if value is not None}
    with pytest.raises(ValueError, match=r"expected exactly the 2 tensors .* got others: (0\.bias|1\.weight)"):
        fill(network_without_weights(build), other)


def test_inputs_meet_a_network_of_their_dtype_and_gray_becomes_color():
    network = fill(network_without_weights(build), state())
    double, single, half = torch.float64, torch.float32, torch.float16
    for dtype, inside in ((double, double), (single, single), (half, single)):
        inputs = prepare_input(network, torch.ones(2, 1, 4, 4, dtype=dtype))
        assert inputs.shape == (2, 3, 4, 4) and inputs.dtype == inside == network[0].weight.dtype


def test_states_come_from_a_mapping_a_path_or_the_first_known_file(no_weights_anywhere):
    torch.save(state(), no_weights_anywhere / "second.pth")
    for weights, names in (
        (state(), ()),
        (no_weights_anywhere / "second.pth", ()),
        (str(no_weights_anywhere / "second.pth"), ()),
        (None, ("first.pth", "second.pth")),
    ):
        assert read_state(weights, names).keys() == state().keys()
    with pytest.raises(FileNotFoundError, match=r"expected last\.pth in"):
        read_state(None, ("first.pth", "last.pth"))
    torch.save([1, 2], no_weights_anywhere / "list.pth")
    with pytest.raises(ValueError, match=r"expected tensors by name in .*list\.pth, got list of other kinds"):
        read_state(no_weights_anywhere / "list.pth", ())


def test_feature_layers_are_taken_out_of_a_whole_state():
    whole = {"features.0.weight": torch.ones(1), "classifier.weight": torch.zeros(1)}
    assert torchvision_features(whole).keys() == {"0.weight"}
    assert torchvision_features({"0.weight": torch.ones(1)}).keys() == {"0.weight"}
