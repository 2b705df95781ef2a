"""The rectified error: counts by hand, the printed tables rebuilt, thresholds, panels, messages."""

import os

import pytest
import torch

from blindspots.criticism import label_set_error, rectified_error, rectify, vote_breakdown, votes_on
from blindspots.criticism.reported_tables import ALL_FIVE, TABLE_1
from blindspots.data import load
from blindspots.seeding import generator

NAN = float("nan")
LABELS = torch.zeros(8).long()
PREDICTIONS = torch.tensor([1, 1, 1, 1, 0, 0, 0, 0])
VOTES = torch.full((8, 5), NAN)
VOTES[0], VOTES[1], VOTES[2] = torch.ones(5), torch.tensor([1.0, 1, 0, 1, 1]), torch.tensor([0.0, 1, 0, 0, 0])
VOTES[3] = 0.0


def test_four_of_five_make_a_mistake_right():
    found = rectified_error(PREDICTIONS, LABELS, VOTES)
    assert (found.error, found.rectified, found.rescued) == pytest.approx((50, 25, 50))
    assert found.breakdown.shares.tolist() == [25, 25, 0, 0, 25, 25]
    assert (found.n_images, found.n_mistakes, found.n_judged) == (8, 4, 4)


def test_the_sweep_holds_every_threshold():
    found = rectified_error(PREDICTIONS, LABELS, VOTES)
    assert found.sweep.tolist() == pytest.approx([12.5, 25, 25, 25, 37.5])
    for agree in range(1, 6):
        assert rectified_error(PREDICTIONS, LABELS, VOTES, agree=agree).rectified == pytest.approx(
            found.sweep[agree - 1].item()
        )


@pytest.mark.parametrize("row", [0, 1])
def test_votes_with_the_printed_shares_give_the_printed_table(row):
    reported = TABLE_1[row]
    n, mistakes = 50_000, round(500 * reported.error)
    rescued, all_five = round(500 * (reported.error - reported.rectified)), ALL_FIVE[reported.name] / 100
    votes = torch.zeros(n, 5)
    votes[:rescued, :4] = 1.0
    votes[: round(all_five * mistakes)] = 1.0
    predictions = (torch.arange(n) < mistakes).long()
    found = rectified_error(predictions, torch.zeros(n).long(), votes)
    assert found.error == pytest.approx(reported.error, abs=0.005)
    assert found.rectified == pytest.approx(reported.rectified, abs=0.005)
    assert found.breakdown.shares[5].item() == pytest.approx(ALL_FIVE[reported.name], abs=0.005)


def test_a_panel_of_another_size_and_votes_by_many_workers():
    votes = torch.full((8, 12), NAN)
    for row in range(4):
        votes[row, 2 * row : 2 * row + 5] = VOTES[row]
    found, narrow = (rectified_error(PREDICTIONS, LABELS, given) for given in (votes, VOTES))
    assert found.sweep.tolist() == narrow.sweep.tolist()
    three = rectified_error(PREDICTIONS, LABELS, VOTES, panel=3, agree=3)
    # rows with 5, 4, 1 and 0 yes of 5 accept with 1, C(4,3)/C(5,3), 0 and 0
    assert three.rectified == pytest.approx(50 * (1 - 1.4 / 4))


def test_it_agrees_with_the_acceptance_of_each_image():
    acceptance = (VOTES.nansum(1) >= 4).double()
    found = rectified_error(PREDICTIONS, LABELS, VOTES, generator=generator(0))
    other = rectify(PREDICTIONS, LABELS, acceptance)
    assert (found.rectified, found.bounds) == (other.rectified, other.bounds)


def test_intervals_hold_the_value_and_follow_the_seed():
    many = [tensor.repeat(50, *[1] * (tensor.ndim - 1)) for tensor in (PREDICTIONS, LABELS, VOTES)]
    found = rectified_error(*many, generator=generator(0))
    assert found.sweep_intervals.shape == (5, 2)
    assert (found.sweep_intervals[:, 0] < found.sweep).all() and (found.sweep < found.sweep_intervals[:, 1]).all()
    assert found.interval == tuple(found.sweep_intervals[3].tolist())
    assert torch.equal(found.sweep_intervals, rectified_error(*many, generator=generator(0)).sweep_intervals)
    assert not torch.equal(found.sweep_intervals, rectified_error(*many, generator=generator(1)).sweep_intervals)
    narrow = rectified_error(*many, level=0.5, generator=generator(0)).interval
    assert found.interval[0] < narrow[0] < narrow[1] < found.interval[1]
    few = rectified_error(*many, resamples=20, generator=generator(0))
    assert few.interval != found.interval and few.rectified == found.rectified


def test_unjudged_mistakes_are_taken_to_be_like_the_others_and_bounded():
    votes = VOTES.clone()
    votes[3, 0] = NAN
    found = rectified_error(PREDICTIONS, LABELS, votes)
    assert (found.n_judged, found.breakdown.n_unjudged) == (3, 1)
    assert found.rectified == pytest.approx(50 / 3) and found.bounds == pytest.approx((12.5, 25))


def test_a_model_without_mistakes():
    found = rectified_error(LABELS, LABELS, VOTES, generator=generator(0))
    assert found.error == found.rectified == 0 and found.sweep.tolist() == [0] * 5
    assert found.breakdown.shares.isnan().all() and found.interval == (0, 0)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"votes": VOTES[:7]}, "one row for each of the 8 predictions, got 7; look the rows up with votes_on"),
        ({"votes": 5 * VOTES}, "expected 0 .no., 1 .yes. or NaN"),
        ({"asked": torch.tensor([1, 2, 1, 1, 0, 0, 0, 0])}, "got class 2 where 1 is predicted in row 1"),
        ({"asked": PREDICTIONS[:3]}, "asked: expected shape"),
        ({"labels": LABELS + 5, "n_classes": 5}, "labels: expected classes from 0 to 4"),
        ({"predictions": PREDICTIONS + 5, "n_classes": 5}, "predictions: expected classes from 0 to 4"),
        ({"labels": LABELS.float()}, "labels: expected an integer tensor"),
        ({"agree": 6}, "agree"),
        ({"agree": 0}, "agree"),
        ({"panel": 7, "agree": 4}, "a panel has 7 people, no mistake more than 5 answers"),
        ({"level": 0.0}, "level"),
    ],
)
def test_votes_that_do_not_match_are_named(options, message):
    given = {"predictions": PREDICTIONS, "labels": LABELS, "votes": VOTES} | options
    subjects = [given.pop(name) for name in ("predictions", "labels", "votes")]
    with pytest.raises((TypeError, ValueError), match=message):
        rectified_error(*subjects, **given)


def test_asked_classes_of_right_predictions_and_unasked_rows_do_not_matter():
    votes = VOTES.clone()
    votes[3] = NAN
    asked = torch.tensor([1, 1, 1, 9, 7, 0, 0, 0])
    assert rectified_error(PREDICTIONS, LABELS, votes, asked=asked).n_judged == 3


@pytest.mark.skipif(not os.environ.get("BLINDSPOTS_DATA"), reason="BLINDSPOTS_DATA is not set")
def test_the_published_votes_give_the_figures_worked_out_apart():
    labels = load("imagenet_labels", split="validation")
    if labels.predicted is None:
        pytest.skip("imagenet_val_labels_and_cv_pred.csv.gz is not at hand")
    raters = labels.raters
    found = []
    for maybe_counts in (False, True):
        votes = votes_on(labels.predicted, raters.images, raters.labels, raters.votes(maybe_counts=maybe_counts))
        found.append(rectified_error(labels.predicted, labels.original, votes, n_classes=1000))
    assert (found[0].n_mistakes, found[0].n_judged) == (13_634, 8_802)
    assert found[0].error == pytest.approx(27.27, abs=0.005)
    shares = (found[0].breakdown.shares / 100).tolist()
    assert shares == pytest.approx([0.563, 0.153, 0.092, 0.069, 0.061, 0.063], abs=0.001)
    assert [one.rectified for one in found] == pytest.approx([23.9, 20.7], abs=0.05)
    real = label_set_error(labels.predicted, labels.real)
    assert real.n_judged == 46_837 and real.error == pytest.approx(22.39, abs=0.005)
    control = vote_breakdown(votes_on(labels.original, raters.images, raters.labels, raters.votes()))
    assert control.at_least[4].item() == pytest.approx(29.8, abs=0.05)
