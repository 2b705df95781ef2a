"""The loop trains on what it is given in place of each batch, measures it, and gives the weights back if it fails."""

import copy

import pytest
import torch
import torch.nn.functional as F

from blindspots.fairness.robust_surrogate import cross_entropies
from blindspots.fairness.worst_case_training import WorstCaseLost, trained_weights, worst_case_training
from blindspots.models import build_model

OPTIONS = {"epochs": 2, "batch_size": 4, "learning_rate": 0.1, "optimizer": "sgd", "losses": cross_entropies}


@pytest.fixture
def task():
    draws = torch.Generator().manual_seed(0)
    model = build_model({"name": "small_cnn", "in_channels": 1, "n_classes": 3, "width": 4, "norm": "group"}, seed=0)
    return model, torch.rand(12, 1, 8, 8, generator=draws), torch.randint(3, (12,), generator=draws)


def darker(batch, targets):
    return 0.5 * batch, (batch.flatten(1).sum(1), targets.float())


def test_it_descends_the_loss_of_the_changed_images(task):
    model, images, labels = task
    by_hand = copy.deepcopy(model)
    columns = worst_case_training(model, images, labels, darker, **OPTIONS, generator=torch.Generator().manual_seed(1))
    order, means = torch.Generator().manual_seed(1), []
    for _ in range(2):
        seen = []
        for rows in torch.randperm(12, generator=order).split(4):
            loss = F.cross_entropy(by_hand(0.5 * images[rows]), labels[rows])
            gradients = torch.autograd.grad(loss, list(by_hand.parameters()))
            with torch.no_grad():
                for value, gradient in zip(by_hand.parameters(), gradients, strict=True):
                    value -= 0.1 * gradient
            seen.append(loss.item())
        means.append(sum(seen) / 3)
    for mine, theirs in zip(model.parameters(), by_hand.parameters(), strict=True):
        torch.testing.assert_close(mine, theirs, rtol=1e-5, atol=1e-7)
    losses, brightness, classes, seconds = columns
    assert losses == pytest.approx(means, rel=1e-5)
    assert brightness == pytest.approx([images.flatten(1).sum(1).mean().item()] * 2, rel=1e-5)
    assert classes == pytest.approx([labels.float().mean().item()] * 2) and len(seconds) == 2


def test_a_lost_worst_case_gives_the_first_weights_back_and_says_what_to_do(task):
    model, images, labels = task
    before, calls = copy.deepcopy(model.state_dict()), []

    def lost(batch, targets):
        calls.append(len(batch))
        if len(calls) > 4:
            raise WorstCaseLost("answers are not finite")
        return batch, ()

    with pytest.raises(ValueError, match=r"training diverged in epoch 2 at 0.1 .*; weigh it; the model has its first"):
        worst_case_training(model, images, labels, lost, **OPTIONS, generator=torch.Generator(), advice="weigh it")
    assert calls == [4] * 5
    assert all(torch.equal(value, before[name]) for name, value in model.state_dict().items())


def test_another_error_passes_unchanged(task):
    def wrong(batch, targets):
        raise ValueError("attack: of another shape")

    with pytest.raises(ValueError, match=r"^attack: of another shape$"):
        worst_case_training(*task, wrong, **OPTIONS, generator=torch.Generator())


def test_a_model_without_weights_to_train_is_refused(task):
    model, images, labels = task
    assert len(trained_weights(model)) == len(list(model.parameters()))
    with pytest.raises(ValueError, match="model: expected parameters that require gradients"):
        worst_case_training(
            model.requires_grad_(False), images, labels, darker, **OPTIONS, generator=torch.Generator()
        )  # fmt: skip
