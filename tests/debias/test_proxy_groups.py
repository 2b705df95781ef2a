"""The generalized cross-entropy amplifies the bias, and confidence splits the classes as the paper says."""

import pytest
import torch
import torch.nn.functional as F

from blindspots.debias.group_training import GroupTraining
from blindspots.debias.proxy_groups import generalized_cross_entropy, proxy_groups, train_bias_amplified
from blindspots.models import mlp
from blindspots.seeding import generator

LOGITS = torch.randn(12, 3, generator=generator(0), dtype=torch.float64)
LABELS = torch.arange(12) % 3
SETTINGS = {"epochs": 3, "batch_size": 64, "learning_rate": 0.01}


def weights(result):
    return torch.cat([parameter.detach().flatten() for parameter in result.model.parameters()])


def test_the_loss_by_its_definition_and_limits():
    chances = LOGITS.softmax(1)[torch.arange(12), LABELS]
    for q in (0.2, 0.7, 1.0):
        assert generalized_cross_entropy(LOGITS, LABELS, q=q).item() == pytest.approx(
            ((1 - chances**q) / q).mean().item(), rel=1e-12
        )
    near = generalized_cross_entropy(LOGITS, LABELS, q=1e-9)
    assert near.item() == pytest.approx(F.cross_entropy(LOGITS, LABELS).item(), rel=1e-7)


@pytest.mark.parametrize("q", [0.2, 1.0])
def test_its_gradient_is_that_of_the_cross_entropy_times_a_power_of_the_chance(q):
    for row, label in zip(LOGITS, LABELS, strict=True):
        logits = row[None].clone().requires_grad_(True)
        ours = torch.autograd.grad(generalized_cross_entropy(logits, label[None], q=q), logits)[0]
        theirs = torch.autograd.grad(F.cross_entropy(logits, label[None]), logits)[0]
        assert torch.allclose(ours, row.softmax(0)[label] ** q * theirs)


def test_sure_examples_keep_their_digits():
    logits = torch.tensor([[30.0, 0.0]], dtype=torch.float64)
    assert generalized_cross_entropy(logits, torch.tensor([0]), q=0.5).item() == pytest.approx(9.3576e-14, rel=1e-4)


def test_groups_are_split_by_confidence_within_each_class():
    logits = torch.tensor([[0.0, 4.0], [0.0, 3.0], [0.0, -1.0], [0.0, 1.0], [2.0, 0.0], [-1.0, 0.0]])
    labels = torch.tensor([1, 1, 1, 1, 0, 0])
    assert proxy_groups(logits, labels).tolist() == [1, 1, 0, 0, 0, 1]
    assert proxy_groups(logits, labels, share=0.25).tolist() == [1, 0, 0, 0, 0, 1]
    assert proxy_groups(logits, labels, share=0.999).tolist() == [1, 1, 0, 1, 0, 1]


def test_ties_are_broken_by_order():
    assert proxy_groups(torch.zeros(4, 2), torch.tensor([1, 0, 1, 0])).tolist() == [1, 0, 0, 1]


def test_on_a_biased_table_the_guesses_find_the_rare_group(biased_rows):
    rows, labels, groups = biased_rows(1000)
    model = mlp(3, 2, hidden=(16,), seed=0)
    settings = SETTINGS | {"epochs": 10}
    result = train_bias_amplified(model, rows, labels, q=0.6, generator=generator(0), **settings)
    assert isinstance(result, GroupTraining)
    with torch.no_grad():
        right = proxy_groups(model(rows), labels, share=0.85) == groups
    # In each class about 15 % are of the other group, and as many are guessed to be: chance would find 15 % of them.
    assert right[labels != groups].double().mean() > 0.5


def test_options_and_seeds_change_the_outcome(biased_rows):
    rows, labels, _ = biased_rows(60)

    def result(seed=0, q=0.6, **options):
        model = mlp(3, 2, hidden=(8,), seed=0)
        return weights(train_bias_amplified(model, rows, labels, q=q, generator=generator(seed), **SETTINGS | options))

    assert torch.equal(result(), result())
    for changed in ({"seed": 1}, {"q": 0.3}, {"weight_decay": 0.1}):
        assert not torch.equal(result(), result(**changed))


def test_bad_arguments_are_refused(biased_rows):
    rows, labels, _ = biased_rows(20)
    model = mlp(3, 2, hidden=(8,), seed=0)
    for q in (0.0, 1.5):
        with pytest.raises(ValueError, match="q: expected a finite number > 0 and <= 1"):
            generalized_cross_entropy(LOGITS, LABELS, q=q)
        with pytest.raises(ValueError, match="q: expected a finite number > 0 and <= 1"):
            train_bias_amplified(model, rows, labels, q=q, generator=generator(0), **SETTINGS)
    with pytest.raises(ValueError, match="labels: expected every class from 0 to 1, got none of class 0"):
        train_bias_amplified(model, rows, labels.clamp(min=1), q=0.5, generator=generator(0), **SETTINGS)
    with pytest.raises(ValueError, match="labels: expected classes from 0 to 2"):
        generalized_cross_entropy(LOGITS, LABELS + 1, q=0.5)
    two = LOGITS[:, :2]
    for arguments, options, message in (
        ((LOGITS, LABELS), {}, "logits: expected two classes, got 3"),
        ((two, LABELS), {}, "labels: expected classes from 0 to 1"),
        ((two, LABELS.clamp(max=1)), {"share": 0.0}, "share: expected a finite number > 0"),
        ((two, LABELS.clamp(max=1)), {"share": 1.0}, "share: expected less than 1"),
        ((two[:3], torch.tensor([0, 1, 1])), {}, "labels: expected at least two examples of class 0, got 1"),
    ):
        with pytest.raises(ValueError, match=message):
            proxy_groups(*arguments, **options)
