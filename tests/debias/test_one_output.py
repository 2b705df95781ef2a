"""A head of one number on a classifier's features."""

import pytest
import torch
from torch import nn

from blindspots.debias.one_output import one_output
from blindspots.models import mlp, small_cnn

IMAGES = torch.rand(5, 3, 16, 16, generator=torch.Generator().manual_seed(0))


def test_it_answers_with_one_number_near_the_start():
    model = one_output(small_cnn(3, 2, width=4, seed=0), start=0.5, seed=0)
    with torch.no_grad():
        outputs = model(IMAGES)
    assert outputs.shape == (5, 1)
    # 0.1 / sqrt(D) times features of order 1 moves the answer by about 0.1.
    assert (outputs - 0.5).abs().max() < 0.3


def test_the_features_stay_those_of_the_classifier():
    before = small_cnn(3, 2, width=4, seed=0)
    after = one_output(small_cnn(3, 2, width=4, seed=0), seed=1)
    with torch.no_grad():
        assert torch.equal(before.encode(IMAGES), after.encode(IMAGES))


def test_the_seed_decides_the_head_and_nothing_else_is_drawn():
    heads = [one_output(mlp(3, 2, hidden=(4,), seed=0), seed=seed).classifier.weight for seed in (0, 0, 1)]
    assert torch.equal(heads[0], heads[1]) and not torch.equal(heads[0], heads[2])


def test_it_keeps_the_dtype():
    assert one_output(mlp(3, 2, hidden=(4,), seed=0).double(), seed=0).classifier.weight.dtype == torch.float64


@pytest.mark.parametrize("model", [nn.Linear(3, 2), nn.Sequential(nn.Linear(3, 2))])
def test_a_model_without_such_a_head_is_refused(model):
    with pytest.raises(TypeError, match="with a linear head"):
        one_output(model, seed=0)
