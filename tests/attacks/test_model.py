"""A borrowed model comes back as it was."""

import pytest
import torch

from blindspots.attacks.model import judged


def test_each_submodule_gets_its_own_mode_back(small_network):
    model = small_network().train()
    model[1].eval()
    with judged(model):
        assert not any(module.training for module in model.modules())
    assert model.training and not model[1].training and model[3].training


def test_modes_come_back_after_an_error(small_network):
    model = small_network().train()
    with pytest.raises(RuntimeError, match="inside"), judged(model):
        raise RuntimeError("inside")
    assert all(module.training for module in model.modules())


def test_a_plain_callable_is_left_alone():
    with judged(torch.sin):
        assert torch.sin(torch.zeros(1)).item() == 0
