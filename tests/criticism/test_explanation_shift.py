"""The shift of an explanation: a linear model whose answer is known, agreement with the parts, messages."""

import pytest
import torch

from blindspots.criticism import explanation_overlap, explanation_shift, lime_explain
from blindspots.criticism.hidden_images import hiding_fill
from blindspots.seeding import generator

OPTIONS = {"n_samples": 300, "n_superpixels": 4}


def attack(image, weights, label, prediction):
    return (image + 0.05 * (weights[prediction] - weights[label]).sign()).clamp(0, 1)


@pytest.fixture
def linear(linear_weights):
    """Return a linear model small enough for its probabilities to be nearly linear too."""
    return lambda images: 0.01 * torch.einsum("nchw,kchw->nk", images.double(), linear_weights)


def test_a_linear_models_explanations_are_those_of_its_weights(photograph, segments, linear, linear_weights):
    attacked = attack(photograph, linear_weights, 0, 1)
    found = explanation_shift(linear, photograph, attacked, 0, 1, segments=segments, generator=generator(0), **OPTIONS)
    n_pieces = int(segments.max()) + 1
    for explained, image in ((found.clean, photograph), (found.attacked, attacked)):
        change = image - hiding_fill(image, segments)
        # against the mean class, since probabilities of all classes add up to 1
        against = 0.01 * (linear_weights[1] - linear_weights.mean(0)) * change
        true = torch.stack([against[:, segments == s].sum() for s in range(n_pieces)]) / 4
        assert torch.corrcoef(torch.stack([explained.weights_of(1), true]))[0, 1] > 0.99
    assert found.noise.superpixels >= found.moved.superpixels


def test_it_equals_its_parts(photograph, segments, linear_model, linear_weights):
    attacked = attack(photograph, linear_weights, 0, 1)
    for mode in ("paper", "library"):
        options = OPTIONS | {"mode": mode, "n_features": 6}
        found = explanation_shift(
            linear_model, photograph, attacked, 0, 1, segments=segments, generator=generator(3), **options
        )
        same = {"segments": segments, "mode": mode, "n_features": 6}
        clean = lime_explain(linear_model, photograph, masks=found.clean.masks, **same)
        after = lime_explain(linear_model, attacked, masks=found.clean.masks, **same)
        again = lime_explain(linear_model, photograph, masks=found.redrawn.masks, **same)
        assert not torch.equal(found.clean.masks, found.redrawn.masks)
        assert torch.equal(found.attacked.masks, found.clean.masks)
        for one, other in ((found.clean, clean), (found.attacked, after), (found.redrawn, again)):
            assert torch.equal(one.weights, other.weights)
        assert found.moved == explanation_overlap(clean, after, 0, 1, n_superpixels=4)
        assert found.same_label == explanation_overlap(clean, after, 0, 0, n_superpixels=4)
        assert found.same_prediction == explanation_overlap(clean, after, 1, 1, n_superpixels=4)
        assert found.noise == explanation_overlap(clean, again, 0, 0, n_superpixels=4)
        assert found.noise_prediction == explanation_overlap(clean, again, 1, 1, n_superpixels=4)


def test_without_an_attack_only_the_question_moves(photograph, segments, linear_model):
    found = explanation_shift(
        linear_model, photograph, photograph, 0, 2, segments=segments, generator=generator(0), **OPTIONS
    )
    assert found.same_label.superpixels == found.same_prediction.superpixels == 1
    assert found.moved.superpixels < 1


def test_bad_input_is_named(photograph, segments, linear_model):
    given = {"segments": segments, "generator": generator(0), **OPTIONS}
    with pytest.raises(ValueError, match="another class than the label"):
        explanation_shift(linear_model, photograph, photograph, 1, 1, **given)
    with pytest.raises(ValueError, match="attacked"):
        explanation_shift(linear_model, photograph, photograph[:, :20], 0, 1, **given)
    with pytest.raises(TypeError, match="generator"):
        explanation_shift(linear_model, photograph, photograph, 0, 1, **(given | {"generator": None}))
    with pytest.raises(ValueError, match="n_superpixels"):
        explanation_shift(linear_model, photograph, photograph, 0, 1, **(given | {"n_superpixels": 0}))
