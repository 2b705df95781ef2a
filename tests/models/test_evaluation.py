"""Evaluation: exact accuracies, batches that do not matter, and no mark left on the model."""

import pytest
import torch

from blindspots.models.evaluation import (
    compute_features,
    compute_logits,
    evaluate_classifier,
    evaluating,
    place_of,
    predict,
)
from blindspots.models.small_cnn import small_cnn


def brightness(images):
    """Logits whose larger one says whether the mean pixel is above one half."""
    bright = images.mean((1, 2, 3))
    return torch.stack([0.5 - bright, bright - 0.5], dim=1)


GRAYS = torch.tensor([0.1, 0.9, 0.2, 0.8, 0.7]).reshape(-1, 1, 1, 1).expand(-1, 1, 4, 4).clone()


def test_the_accuracy_of_a_known_rule_is_exact():
    result = evaluate_classifier(brightness, GRAYS, torch.tensor([0, 1, 0, 0, 0]))
    assert result.accuracy == 0.6
    assert result.n == 5
    assert result.predictions.tolist() == [0, 1, 0, 1, 1]
    assert torch.equal(result.logits, brightness(GRAYS))


def test_equal_logits_choose_the_first_class():
    assert predict(lambda images: torch.zeros(len(images), 3), GRAYS).tolist() == [0] * 5


@pytest.mark.parametrize("batch_size", [1, 2, 5, 100])
def test_the_batch_size_does_not_change_the_answer(batch_size):
    model = small_cnn(1, 3, width=4, seed=0).double()
    assert torch.allclose(compute_logits(model, GRAYS, batch_size=batch_size), model(GRAYS.double()), atol=1e-12)
    assert torch.allclose(
        compute_features(model, GRAYS, batch_size=batch_size), model.encode(GRAYS.double()), atol=1e-12
    )


def test_batches_are_no_larger_than_asked_for():
    sizes = []

    def watched(images):
        sizes.append(len(images))
        return brightness(images)

    compute_logits(watched, GRAYS, batch_size=2)
    assert sizes == [2, 2, 1]


def test_every_part_keeps_the_mode_it_had_and_statistics_stay():
    model = small_cnn(1, 3, width=4, seed=0).train()
    model.features[1].eval()
    before = {name: value.clone() for name, value in model.state_dict().items()}
    modes = [part.training for part in model.modules()]
    evaluate_classifier(model, GRAYS, torch.tensor([0, 1, 0, 0, 0]))
    predict(model, GRAYS)
    compute_features(model, GRAYS)
    assert [part.training for part in model.modules()] == modes
    assert all(torch.equal(before[name], value) for name, value in model.state_dict().items())
    assert all(parameter.grad is None for parameter in model.parameters())


def test_the_mode_comes_back_after_an_error():
    model = small_cnn(1, 3, width=4, seed=0).train()
    with pytest.raises(RuntimeError, match="planned"), evaluating(model):
        assert not model.training
        raise RuntimeError("planned")
    assert model.training


def test_logits_carry_no_gradient():
    assert not compute_logits(small_cnn(1, 3, width=4, seed=0), GRAYS).requires_grad


def test_the_dtype_is_the_models():
    model = small_cnn(1, 3, width=4, seed=0).double()
    assert place_of(model, GRAYS) == (torch.device("cpu"), torch.float64)
    assert place_of(brightness, GRAYS) == (torch.device("cpu"), torch.float32)
    assert compute_logits(model, GRAYS).dtype == torch.float64


@pytest.mark.parametrize(
    ("images", "labels", "error", "message"),
    [
        (GRAYS * 255, [0] * 5, ValueError, r"images: expected values in \[0, 1\]"),
        (GRAYS[:0], [], ValueError, "at least one image"),
        (GRAYS[0], [0], ValueError, r"expected shape \(N, C, H, W\)"),
        (GRAYS * float("nan"), [0] * 5, ValueError, "finite values"),
        (GRAYS.byte(), [0] * 5, TypeError, "expected a float tensor"),
        (GRAYS, [0] * 4, ValueError, r"labels: expected shape \(5,\)"),
        (GRAYS, [0, 0, 0, 0, 2], ValueError, "labels: expected classes from 0 to 1"),
        (GRAYS, [0, 0, 0, 0, -1], ValueError, "labels: expected classes from 0"),
        (torch.zeros(2, 3).long(), [0, 0], TypeError, "images: expected a float tensor"),
        (torch.zeros(0, 3), [], ValueError, "at least one row"),
    ],
)
def test_bad_images_and_labels_are_refused(images, labels, error, message):
    with pytest.raises(error, match=message):
        evaluate_classifier(brightness, images, torch.tensor(labels, dtype=torch.long))


def test_bad_models_and_batches_are_refused():
    with pytest.raises(ValueError, match="model: expected finite logits"):
        compute_logits(lambda images: torch.full((len(images), 2), float("nan")), GRAYS)
    with pytest.raises(ValueError, match=r"model: expected logits \(5, K\)"):
        compute_logits(lambda images: images, GRAYS)
    with pytest.raises(TypeError, match=r"model: expected one with \.encode"):
        compute_features(brightness, GRAYS)
    with pytest.raises(ValueError, match="batch_size: expected a finite number >= 1"):
        predict(brightness, GRAYS, batch_size=0)
