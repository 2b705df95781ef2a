"""A small biased table: one feature tells the label with noise, another tells the group almost surely."""

import pytest
import torch

from blindspots.models import mlp
from blindspots.seeding import generator


def make_biased_rows(n=400, seed=0, share=0.85):
    """Return rows (n, 3), labels and groups with P(group = label) = share."""
    draws = generator(seed, "biased rows")
    labels = (torch.arange(n) % 2)[torch.randperm(n, generator=draws)]
    same = torch.rand(n, generator=draws) < share
    groups = torch.where(same, labels, 1 - labels)
    noise = torch.randn(n, 3, generator=draws)
    rows = torch.stack([labels - 0.5 + 0.6 * noise[:, 0], groups - 0.5 + 0.2 * noise[:, 1], noise[:, 2]], dim=1)
    return rows, labels, groups


def odds_difference(model, rows, labels, groups):
    """Return the mean over the classes of the gap between the groups' rates, in percent, by a plain loop."""
    with torch.no_grad():
        right = model(rows).argmax(1) == labels
    gaps = []
    for label in labels.unique().tolist():
        rates = [right[(labels == label) & (groups == group)].double().mean().item() for group in (0, 1)]
        gaps.append(100 * abs(rates[0] - rates[1]))
    return sum(gaps) / len(gaps)


class Listening(torch.nn.Module):
    """A perceptron of three features that writes down what it is shown in training: the first feature, a number."""

    def __init__(self):
        super().__init__()
        self.inner = mlp(3, 2, hidden=(4,), seed=0)
        self.seen = []

    def forward(self, inputs):
        if self.training:
            self.seen.append(inputs[:, 0].long())
        return self.inner(inputs)


@pytest.fixture
def listening():
    return Listening()


@pytest.fixture
def biased_rows():
    return make_biased_rows


@pytest.fixture
def odds_of():
    return odds_difference
