"""The path: one superpixel more at a time, in order, from nothing to the attention image."""

import pytest
import torch

from blindspots.criticism import attention_image, explanation_path, lime_explain, superpixel_order
from blindspots.criticism.hidden_images import hiding_fill
from blindspots.seeding import generator


@pytest.fixture(scope="module")
def explanation(photograph, segments, linear_model):
    return lime_explain(linear_model, photograph, segments=segments, n_samples=120, generator=generator(0))


def test_every_step_uncovers_the_next_superpixel_and_nothing_else(photograph, segments, explanation):
    path = explanation_path(photograph, explanation, 1)
    assert torch.equal(path.superpixels, superpixel_order(explanation, 1)) and len(path.superpixels) >= 3
    assert (path.weights.diff() <= 0).all() and (path.weights > 0).all()
    assert not path.images[0].any() and path.shown[0] == 0
    for step, number in enumerate(path.superpixels):
        inside = segments == number
        before, after = path.images[step], path.images[step + 1]
        assert torch.equal(after[:, inside], photograph[:, inside]) and torch.equal(
            after[:, ~inside], before[:, ~inside]
        )
        grown = float(path.shown[step + 1] - path.shown[step])
        assert grown == pytest.approx(inside.double().mean().item())


def test_it_ends_at_the_attention_image(photograph, explanation):
    path = explanation_path(photograph, explanation, 2, n_superpixels=3)
    assert len(path.images) == 4
    assert torch.equal(path.images[-1], attention_image(photograph, explanation, 2, n_superpixels=3))


def test_background_and_sign(photograph, segments, explanation):
    mean = explanation_path(photograph, explanation, 1, background="mean")
    assert torch.equal(mean.images[0], hiding_fill(photograph, segments))
    whole = explanation_path(photograph, explanation, 1, positive_only=False)
    assert len(whole.superpixels) == int(segments.max()) + 1 and whole.weights.min() < 0
    assert torch.equal(whole.images[-1], photograph) and whole.shown[-1] == 1


def test_the_classifier_rises_along_the_path(photograph, linear_model, explanation):
    path = explanation_path(photograph, explanation, 1, background="mean")
    probabilities = linear_model(path.images).softmax(dim=1)[:, 1]
    assert probabilities[-1] > probabilities[0]


def test_bad_input_is_named(photograph, segments, explanation):
    with pytest.raises(ValueError, match="n_superpixels"):
        explanation_path(photograph, explanation, 1, n_superpixels=0)
    with pytest.raises(ValueError, match="explained classes"):
        explanation_path(photograph, explanation, 9)
    with pytest.raises(ValueError, match="segments: expected the image's"):
        explanation_path(photograph[:, 1:], explanation, 1)

    def indifferent(images):
        return torch.zeros(len(images), 2, dtype=images.dtype)

    flat = lime_explain(indifferent, photograph, segments=segments, n_samples=40, generator=generator(0), n_features=5)
    with pytest.raises(ValueError, match="expected a class that some superpixel speaks for, got none for class 0"):
        explanation_path(photograph, flat, 0)
