"""Accepted mistakes: exact cases, the plain bootstrap, laws, messages."""

import math

import pytest
import torch

from blindspots.criticism import rectify
from blindspots.seeding import generator

NAN = float("nan")
LABELS = torch.tensor([0, 1, 2, 3, 4, 5, 6, 7, 8, 9])
WRONG = torch.tensor([1, 0, 3, 2, 4, 5, 6, 7, 8, 9])


def test_an_exact_case_with_bounds():
    acceptance = torch.tensor([1.0, 0.5, 0.0, NAN] + [NAN] * 6)
    found = rectify(WRONG, LABELS, acceptance)
    assert (found.n_images, found.n_mistakes, found.n_judged) == (10, 4, 3)
    assert found.error == pytest.approx(40) and found.rescued == pytest.approx(50)
    assert found.rectified == pytest.approx(20)
    # 1.5 of the mistakes are taken back, and the unjudged one either is or is not
    assert found.bounds == pytest.approx((15, 25))
    assert found.interval is None


def test_all_accepted_is_no_error_and_none_accepted_the_old_one():
    for value, left in ((1.0, 0.0), (0.0, 40.0)):
        found = rectify(WRONG, LABELS, torch.full((10,), value), generator=generator(0))
        assert found.rectified == pytest.approx(left) and found.bounds == pytest.approx((left, left))
        if value:
            assert found.interval == (0.0, 0.0)


def test_without_mistakes_there_is_nothing_to_take_back():
    found = rectify(LABELS, LABELS, torch.full((10,), NAN), generator=generator(0))
    assert (found.error, found.rectified, found.interval) == (0, 0, (0, 0)) and math.isnan(found.rescued)


def test_acceptance_of_right_predictions_is_not_read():
    acceptance = torch.tensor([1.0, 0, 1, 0] + [0.5] * 6)
    other = torch.tensor([1.0, 0, 1, 0] + [NAN] * 6)
    assert rectify(WRONG, LABELS, acceptance) == rectify(WRONG, LABELS, other)


def planted(n=400):
    draws = generator(0, "planted")
    labels = torch.zeros(n).long()
    predictions = (torch.rand(n, generator=draws) < 0.4).long()
    acceptance = (torch.randint(0, 4, (n,), generator=draws) / 3).double()
    acceptance[torch.rand(n, generator=draws) < 0.3] = NAN
    return predictions, labels, acceptance


def test_the_interval_is_that_of_images_drawn_one_by_one():
    predictions, labels, acceptance = planted()
    found = rectify(predictions, labels, acceptance, resamples=20_000, generator=generator(1)).interval
    rows = torch.randint(0, 400, (20_000, 400), generator=generator(2))
    mistakes = (predictions != labels)[rows]
    judged = mistakes & ~acceptance.isnan()[rows]
    accepted = (acceptance.nan_to_num(0)[rows] * judged).sum(1) / judged.sum(1)
    errors = 100 * mistakes.double().mean(1) * (1 - accepted)
    expected = torch.quantile(errors, torch.tensor([0.025, 0.975], dtype=torch.float64))
    # quantiles of 20,000 draws with a spread of about 2 points have a standard error near 0.03
    assert found == pytest.approx(expected.tolist(), abs=0.15)
    assert found[1] - found[0] > 5


def test_seeds_level_and_resamples_matter():
    given = planted()
    first, again = (rectify(*given, generator=generator(3)).interval for _ in range(2))
    assert first == again
    assert rectify(*given, generator=generator(4)).interval != first
    narrow = rectify(*given, level=0.5, generator=generator(3)).interval
    assert first[0] < narrow[0] < narrow[1] < first[1]
    assert rectify(*given, resamples=10, generator=generator(3)).interval != first


@pytest.mark.parametrize(
    ("predictions", "labels", "acceptance", "options", "message"),
    [
        (WRONG[:9], LABELS, torch.ones(10), {}, "predictions: expected shape"),
        (WRONG, LABELS, torch.ones(9), {}, "look the values up with votes_on"),
        (WRONG, LABELS, torch.full((10,), 1.5), {}, "acceptance: expected 0 to 1, or NaN for not judged, got 1.5"),
        (WRONG, LABELS, torch.ones(10).long(), {}, "acceptance: expected a float tensor"),
        (WRONG, LABELS, torch.full((10,), NAN), {}, "some of the 4 mistakes, got none"),
        (WRONG, LABELS, torch.ones(10), {"n_classes": 9}, "labels: expected classes from 0 to 8"),
        (WRONG, LABELS - 1, torch.ones(10), {}, "labels: expected classes from 0"),
        (WRONG, LABELS, torch.ones(10), {"level": 1.0}, "level"),
        (WRONG, LABELS, torch.ones(10), {"resamples": 0}, "resamples"),
        (WRONG, LABELS, torch.ones(10), {"generator": 3}, "generator"),
    ],
)
def test_what_does_not_match_is_named(predictions, labels, acceptance, options, message):
    with pytest.raises((TypeError, ValueError), match=message):
        rectify(predictions, labels, acceptance, **options)
