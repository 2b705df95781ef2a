"""The cached form of a distance: it equals the direct one, encodes once and can leave images behind."""

from dataclasses import dataclass, field

import pytest
import torch

from blindspots.perception.encoded import EncodedDistance
from blindspots.types import PreparedDistance


@dataclass(frozen=True)
class Squared(EncodedDistance):
    """The squared difference of the squares, and a log of what was encoded."""

    log: list = field(default_factory=list)

    @property
    def name(self):
        return "squared"

    def encode(self, images):
        self.log.append((images.shape[0], torch.is_grad_enabled()))
        return (images.square(),)

    def compare(self, images, references):
        return (images[0] - references[0]).square().sum(dim=(1, 2, 3))


def test_both_forms_give_the_distance(draw, noise, obeys_the_contract):
    images = draw(4, 2, 5, 6)
    references = images + 0.1 * noise(4, 2, 5, 6)
    obeys_the_contract(Squared(), images, references, tolerance=1e-12)
    expected = (images**2 - references**2).pow(2).flatten(1).sum(1)
    torch.testing.assert_close(Squared()(images, references), expected)


def test_references_are_encoded_once_and_without_a_graph(draw):
    distance = Squared()
    prepared = distance.prepare(draw(3, 1, 4, 4))
    for _ in range(3):
        prepared(draw(3, 1, 4, 4))
    assert distance.log == [(3, False), (3, True), (3, True), (3, True)]
    assert not prepared.encoding[0].requires_grad


def test_references_get_a_gradient_when_they_ask_for_one(draw, noise):
    images, references = draw(2, 1, 4, 4), noise(2, 1, 4, 4).requires_grad_(True)
    (gradient,) = torch.autograd.grad(Squared()(images, references).sum(), references)
    torch.testing.assert_close(gradient, 4 * references * (references**2 - images**2))


def test_the_prepared_form_follows_the_protocol(draw):
    assert isinstance(Squared().prepare(draw(1, 1, 4, 4)), PreparedDistance)


def test_another_dtype_than_prepared_is_refused(draw):
    prepared = Squared().prepare(draw(2, 1, 4, 4))
    with pytest.raises(ValueError, match=r"torch.float64 on cpu, as prepared, got \(2, 1, 4, 4\) torch.float32"):
        prepared(draw(2, 1, 4, 4).float())
