"""Votes of models with known choices."""

import pytest
import torch

from blindspots.criticism import model_votes, rectified_error
from blindspots.seeding import generator

IMAGES = torch.rand(7, 1, 2, 2, generator=generator(0))
CLASSES = torch.tensor([0, 1, 2, 3, 0, 1, 2])


def constant(*logits):
    return lambda images: torch.tensor([logits]).expand(len(images), -1)


def test_a_yes_is_a_class_among_the_first_choices():
    models = [constant(3.0, 2.0, 1.0, 0.0), constant(0.0, 0.0, 9.0, 5.0)]
    found = model_votes(models, IMAGES, CLASSES)
    assert found[:, 0].tolist() == [1, 0, 0, 0, 1, 0, 0] and found[:, 1].tolist() == [0, 0, 1, 0, 0, 0, 1]
    wide = model_votes(models, IMAGES, CLASSES, top=2)
    assert wide[:, 0].tolist() == [1, 1, 0, 0, 1, 1, 0] and wide[:, 1].tolist() == [0, 0, 1, 1, 0, 0, 1]
    assert model_votes(models, IMAGES, CLASSES, top=4).all()


def test_batches_change_nothing_and_rows_belong_to_their_images():
    weights = torch.randn(4, 4, generator=generator(1))

    def model(images):
        return images.flatten(1) @ weights

    whole = model_votes([model], IMAGES, CLASSES, top=2)
    assert 0 < whole.sum() < 7 and torch.equal(whole, model_votes([model], IMAGES, CLASSES, top=2, batch_size=3))
    order = torch.tensor([4, 2, 6, 0, 1, 5, 3])
    assert torch.equal(whole[order], model_votes([model], IMAGES[order], CLASSES[order], top=2))


def test_the_votes_rectify_an_error():
    yes, no = constant(0.0, 9.0), constant(9.0, 0.0)
    predictions, labels = torch.ones(4).long(), torch.tensor([0, 0, 1, 1])
    for panel, left in (([yes] * 4 + [no], 0), ([yes] * 3 + [no] * 2, 50)):
        votes = model_votes(panel, IMAGES[:4], predictions)
        assert rectified_error(predictions, labels, votes).rectified == pytest.approx(left)


def test_a_module_is_judged_in_evaluation_mode_and_left_as_found():
    module = torch.nn.Sequential(torch.nn.Flatten(), torch.nn.Dropout(0.9))
    module.train()
    expected = (IMAGES.flatten(1).argmax(1) == CLASSES).float()
    assert torch.equal(model_votes([module], IMAGES, CLASSES)[:, 0], expected) and module.training


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"models": []}, "models: expected at least one"),
        ({"classes": CLASSES + 1}, "classes: expected classes from 0 to 3"),
        ({"classes": CLASSES[:3]}, "classes: expected shape"),
        ({"images": 3 * IMAGES + 1}, "expected values in"),
        ({"top": 0}, "top"),
        ({"top": 5}, "top"),
        ({"batch_size": 0}, "batch_size"),
        ({"models": [lambda images: images]}, "expected logits"),
    ],
)
def test_bad_input_is_named(change, message):
    given = {"models": [constant(3.0, 2.0, 1.0, 0.0)], "images": IMAGES, "classes": CLASSES} | change
    subjects = [given.pop(name) for name in ("models", "images", "classes")]
    with pytest.raises(ValueError, match=message):
        model_votes(*subjects, **given)
