"""Votes looked up by image and class, made of counts, and joined over the classes shown."""

import pytest
import torch

from blindspots.criticism import any_of_shown, panel_shares, votes_from_counts, votes_on

NAN = float("nan")
IMAGES = torch.tensor([2, 0, 0, 1])
LABELS = torch.tensor([5, 3, 7, 3])
ANSWERS = torch.tensor([[1.0, 0.0], [0.0, NAN], [1.0, 1.0], [0.0, 1.0]])


def same(first, second):
    torch.testing.assert_close(first, second, rtol=0, atol=0, equal_nan=True)


def test_the_answers_on_the_predicted_class_are_found():
    found = votes_on(torch.tensor([7, 4, 5]), IMAGES, LABELS, ANSWERS)
    same(found, torch.tensor([[1.0, 1.0], [NAN, NAN], [1.0, 0.0]]))


def test_a_number_for_each_question_and_several_classes_for_each_image():
    values = torch.tensor([0.1, 0.2, 0.3, 0.4], dtype=torch.float64)
    same(votes_on(torch.tensor([3, 3, 9]), IMAGES, LABELS, values), values.new_tensor([0.2, 0.4, NAN]))
    shown = torch.tensor([[3, 7], [1, 3], [5, 0]])
    found = votes_on(shown, IMAGES, LABELS, ANSWERS)
    assert found.shape == (3, 2, 2)
    for column in range(2):
        same(found[:, column], votes_on(shown[:, column], IMAGES, LABELS, ANSWERS))


def test_lookup_equals_a_loop_on_random_questions():
    draws = torch.Generator().manual_seed(0)
    keys = torch.randperm(30 * 12, generator=draws)[:150]
    images, labels = keys // 12, keys % 12
    answers = torch.rand(150, 3, generator=draws)
    predictions = torch.randint(0, 12, (30,), generator=draws)
    found = votes_on(predictions, images, labels, answers)
    asked = 0
    for image, label in enumerate(predictions.tolist()):
        rows = ((images == image) & (labels == label)).nonzero().flatten()
        asked += len(rows)
        same(found[image], answers[rows[0]] if len(rows) else torch.full((3,), NAN))
    assert 0 < asked < 30


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"images": torch.tensor([2, 0, 0, 3])}, "images: expected 0 to 2"),
        ({"labels": torch.tensor([5, 3, 3, 3])}, "two about image 0 and class 3"),
        ({"labels": torch.tensor([5, 3, -1, 3])}, "labels: expected classes from 0"),
        ({"labels": LABELS[:3]}, r"labels: expected shape \(4,\)"),
        ({"answers": ANSWERS.long()}, "answers: expected floats"),
        ({"predictions": torch.zeros(2, 2, 2).long()}, r"predictions: expected classes \(N,\)"),
    ],
)
def test_questions_that_do_not_fit_are_named(change, message):
    given = {"predictions": torch.tensor([7, 3, 5]), "images": IMAGES, "labels": LABELS, "answers": ANSWERS}
    with pytest.raises((TypeError, ValueError), match=message):
        votes_on(*(given | change).values())


def test_counts_become_votes():
    found = votes_from_counts(torch.tensor([2, 0, 1]), torch.tensor([3, 1, 1]))
    same(found, torch.tensor([[1.0, 1, 0], [0, NAN, NAN], [1, NAN, NAN]]))
    assert panel_shares(found, panel=1)[:, 1].tolist() == pytest.approx([2 / 3, 0, 1])


def test_more_yes_than_people_is_an_error():
    with pytest.raises(ValueError, match="got 4 of 3 in row=1"):
        votes_from_counts(torch.tensor([1, 4]), torch.tensor([3, 3]))


def test_one_yes_is_enough_and_an_open_question_stays_open():
    votes = torch.tensor([[[1.0, 0, NAN, NAN], [NAN, 0, 0, NAN]]])
    same(any_of_shown(votes), torch.tensor([[1.0, 0.0, NAN, NAN]]))
    same(any_of_shown(votes, missing="no"), torch.tensor([[1.0, 0.0, 0.0, NAN]]))
    with pytest.raises(ValueError, match="missing"):
        any_of_shown(votes, missing="maybe")
    with pytest.raises(ValueError, match="N, P, R"):
        any_of_shown(votes[0])
