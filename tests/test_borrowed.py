"""A borrowed network is in evaluation mode inside, and as it was found outside."""

import torch

from blindspots.borrowed import judged


def test_a_network_in_training_mode_is_in_evaluation_mode_inside_only():
    network = torch.nn.Sequential(torch.nn.Dropout(0.5), torch.nn.Identity()).train()
    network[1].eval()
    with judged(network):
        assert torch.equal(network(torch.ones(3)), torch.ones(3))
    assert network.training and network[0].training and not network[1].training
