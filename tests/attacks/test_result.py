"""Success and distances are computed from the images themselves."""

import dataclasses

import pytest
import torch

from blindspots.attacks.result import AttackResult, l2_distances, linf_distances, misclassified


def test_misclassified_asks_the_model_and_a_tie_does_not_count():
    logits = torch.tensor([[2.0, 1.0], [1.0, 2.0], [1.0, 1.0]])
    images = torch.zeros(3, 1, 2, 2)
    assert misclassified(lambda batch: logits, images, torch.tensor([0, 0, 0])).tolist() == [False, True, False]


def test_misclassified_uses_the_evaluation_mode(small_network, draw):
    model, images = small_network().train(), draw(4, 1, 8, 8)
    expected = small_network()(images).argmax(1) != 0
    assert torch.equal(misclassified(model, images, torch.zeros(4, dtype=torch.long)), expected)
    assert model.training


def test_distances_are_per_image(draw):
    images, others = draw(3, 2, 4, 4), draw(3, 2, 4, 4, seed=1)
    expected = [(a - b).norm().item() for a, b in zip(images, others, strict=True)]
    assert l2_distances(images, others).tolist() == pytest.approx(expected)
    expected = [(a - b).abs().max().item() for a, b in zip(images, others, strict=True)]
    assert linf_distances(images, others).tolist() == pytest.approx(expected)


def test_a_result_cannot_be_changed():
    one = torch.ones(1)
    result = AttackResult(torch.zeros(1, 1, 2, 2), one.bool(), one.long(), one.long(), one)
    assert result.stalled is None
    with pytest.raises(dataclasses.FrozenInstanceError):
        result.images = one
