"""Ceilings over what was reached, on a linear model where all is exact, and on a small network."""

import pytest
import torch

from blindspots.data import load
from blindspots.fairness.perceptron_smoothness import perceptron_smoothness
from blindspots.models import elu_perceptron
from blindspots.seeding import generator
from blindspots.studies.certificate_trial import certificate_trial

OPTIONS = dict(weight=0.5, weights=[0.2, 1.0, 3.0], radii=[0.5, 1.0], bounds=[0.0, 0.1, 0.5, 2.0], steps=8,
               fine_steps=40, seed=0)  # fmt: skip


@pytest.fixture(autouse=True)
def own_cache(monkeypatch, tmp_path):
    monkeypatch.setenv("BLINDSPOTS_CACHE", str(tmp_path))


@pytest.fixture(scope="module")
def digits():
    found = load("digits", split="test", limit=30)
    return found.images, found.labels


class Flat(torch.nn.Module):
    """Two logits, 0 and w . x."""

    def __init__(self):
        super().__init__()
        draws = generator(0)
        self.weights = torch.nn.Parameter(torch.randn(784, generator=draws) / 28)

    def forward(self, images):
        score = images.flatten(1) @ self.weights
        return torch.stack([torch.zeros_like(score), score], 1)


def test_on_a_linear_model_ceilings_hold_and_touch(digits):
    images, labels = digits[0], digits[1] % 2
    model = Flat()
    found = certificate_trial(model, images, labels, smoothness=(model.weights.square().sum() / 4).item(), **OPTIONS)
    assert found.weights.tolist() == [0.2, 0.5, 1.0, 3.0] and found.balls.shape == (2, 3)
    assert (found.concave == 1).all()
    assert (found.fine >= found.short - 1e-9).all() and torch.allclose(found.fine, found.short, atol=1e-3)
    assert (found.ceilings >= found.attained[:, None] - 1e-5).all()
    assert found.ceilings[0].max() >= found.clean[0] and found.attained[0] == pytest.approx(found.clean[0].item())
    there = certificate_trial(
        model, images, labels, **(OPTIONS | dict(bounds=[found.moved[1, 0].item()], fine_steps=200))
    )
    assert there.ceilings[0, 1].item() == pytest.approx(there.attained.item(), rel=1e-4)
    assert there.ceilings[0, 3].isnan()


def test_on_a_network_only_the_proven_ceiling_is_sure(digits):
    model = elu_perceptron(784, 10, hidden=8, seed=0)
    smooth = perceptron_smoothness(model.features[0].weight, model.classifier.weight)
    found = certificate_trial(model, *digits, smoothness=smooth, **OPTIONS)
    assert (found.ceilings[:, 3] >= found.attained - 1e-6).all()
    assert (found.ceilings[:, 2] <= found.ceilings[:, 1] + 1e-12).all()
    assert (found.ceilings[:, 0] <= found.ceilings[:, 1] + 1e-9).all()
    assert (found.attained >= found.reached - 1e-9).all() and (found.attained.diff() >= 0).all()
    assert (found.moved[:, 0].diff() <= 1e-6).all(), "a dearer distance moves the images less"
    again = certificate_trial(model, *digits, smoothness=smooth, **OPTIONS)
    assert torch.equal(found.ceilings, again.ceilings)


def test_every_option_counts(digits):
    model = elu_perceptron(784, 10, hidden=8, seed=0)
    base = certificate_trial(model, *digits, **OPTIONS)
    for change in (dict(weight=0.2), dict(weights=[0.1]), dict(radii=[2.0]), dict(bounds=[1.0]), dict(steps=2),
                   dict(fine_steps=2, steps=2), dict(starts=1, fine_steps=3, steps=1)):  # fmt: skip
        other = certificate_trial(model, *digits, **(OPTIONS | change))
        parts = [getattr(base, name) for name in ("ceilings", "short", "fine", "balls", "moved")]
        others = [getattr(other, name) for name in ("ceilings", "short", "fine", "balls", "moved")]
        assert any(a.shape != b.shape or not torch.equal(a.nan_to_num(), b.nan_to_num())
                   for a, b in zip(parts, others, strict=True)), change  # fmt: skip
    with pytest.raises(ValueError, match="labels: expected shape"):
        certificate_trial(model, digits[0], digits[1][:3], **OPTIONS)
