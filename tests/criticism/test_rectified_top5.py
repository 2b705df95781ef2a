"""The rectified top-5 error by hand in both readings."""

import pytest
import torch

from blindspots.criticism import any_of_shown, rectified_error, rectified_top5_error, votes_on
from blindspots.seeding import generator

NAN = float("nan")
LABELS = torch.tensor([0, 0, 0, 0])
SHOWN = torch.tensor([[0, 1, 2], [1, 0, 2], [1, 2, 3], [3, 2, 1]])
YES, NO = torch.ones(5), torch.zeros(5)


def test_the_two_readings_by_hand():
    votes = torch.stack([YES, NO, YES, NO])
    found = rectified_top5_error(SHOWN, LABELS, votes)
    assert (found.top1_error, found.top5_error, found.error) == (75, 50, 50)
    assert found.rectified == pytest.approx(25)
    wide = rectified_top5_error(SHOWN, LABELS, votes, reading="top1")
    # image 1 shows its label and is rejected all the same
    assert (wide.error, wide.n_judged) == (75, 3) and wide.rectified == pytest.approx(50)


def test_one_class_shown_is_the_rectified_error():
    draws = generator(0)
    labels, shown = (torch.randint(0, 3, size, generator=draws) for size in ((60,), (60, 1)))
    votes = torch.randint(0, 2, (60, 5), generator=draws).float()
    for agree in (2, 4):
        plain = rectified_error(shown[:, 0], labels, votes, agree=agree, generator=generator(1))
        for reading in ("top1", "top5"):
            found = rectified_top5_error(shown, labels, votes, agree=agree, reading=reading, generator=generator(1))
            assert found.rectified == pytest.approx(plain.rectified)
            assert found.bounds == pytest.approx(plain.bounds)
    assert found.interval[0] < found.rectified < found.interval[1]


def test_a_right_first_class_is_never_judged():
    votes = torch.stack([torch.full((5,), NAN), NO, YES, NO])
    assert rectified_top5_error(SHOWN, LABELS, votes, reading="top1").n_judged == 3


def test_votes_on_each_class_join_to_votes_on_the_five():
    images, labels = torch.tensor([2, 2, 2, 3, 3, 3]), torch.tensor([1, 2, 3, 3, 2, 1])
    answers = torch.zeros(6, 5)
    answers[0, :2], answers[1, 2:] = 1.0, 1.0
    votes = any_of_shown(votes_on(SHOWN, images, labels, answers))
    found = rectified_top5_error(SHOWN, LABELS, votes)
    assert (found.n_judged, found.rectified) == (2, pytest.approx(25))


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"reading": "top3"}, "reading"),
        ({"agree": 9}, "agree"),
        ({"shown": LABELS}, r"shown: expected classes \(N, P\)"),
        ({"shown": torch.zeros(4, 3).long()}, r"different classes in a row, got \[0, 0, 0\] in row 0"),
        ({"votes": torch.ones(3, 5)}, "one row for each of the 4 predictions"),
        ({"n_classes": 3}, "expected classes from 0 to 2"),
        ({"panel": 6}, "an image counts if it has 6 answers"),
    ],
)
def test_bad_input_is_named(options, message):
    given = {"shown": SHOWN, "labels": LABELS, "votes": torch.ones(4, 5)} | options
    subjects = [given.pop(name) for name in ("shown", "labels", "votes")]
    with pytest.raises((TypeError, ValueError), match=message):
        rectified_top5_error(*subjects, **given)
