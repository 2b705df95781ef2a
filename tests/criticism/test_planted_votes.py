"""A planted crowd: its rates, who is asked, and that the worker model finds them again."""

import pytest
import torch

from blindspots.criticism import dawid_skene, planted_votes
from blindspots.seeding import generator

TRUTH = torch.arange(4000) % 4 == 0
HITS, ALARMS = torch.tensor([1.0, 0.9, 0.6, 0.8]), torch.tensor([0.0, 0.1, 0.3, 0.05])


def test_every_worker_answers_at_the_planted_rates():
    votes = planted_votes(TRUTH, HITS, ALARMS, per_question=4, generator=generator(0))
    assert not votes.isnan().any() and set(votes.unique().tolist()) == {0.0, 1.0}
    # three standard deviations of a share of 1000 and of 3000 answers
    assert votes[TRUTH].mean(0).tolist() == pytest.approx(HITS.tolist(), abs=0.047)
    assert votes[~TRUTH].mean(0).tolist() == pytest.approx(ALARMS.tolist(), abs=0.026)
    assert votes[TRUTH, 0].min() == 1 and votes[~TRUTH, 0].max() == 0


def test_each_question_gets_as_many_answers_as_asked_for_and_all_workers_are_asked_alike():
    votes = planted_votes(TRUTH, HITS, ALARMS, per_question=3, generator=generator(0))
    asked = ~votes.isnan()
    assert (asked.sum(1) == 3).all()
    assert asked.double().mean(0).tolist() == pytest.approx([0.75] * 4, abs=0.021)


def test_the_same_seed_draws_the_same_votes_in_the_dtype_of_the_rates():
    first, again = (
        planted_votes(TRUTH, HITS.double(), ALARMS.double(), per_question=2, generator=generator(5)) for _ in range(2)
    )
    assert first.dtype == torch.float64 and torch.equal(first.nan_to_num(-1), again.nan_to_num(-1))


def test_the_worker_model_finds_the_planted_rates():
    votes = planted_votes(TRUTH, HITS, ALARMS, per_question=4, generator=generator(1))
    rates = dawid_skene(votes).rates
    assert rates[:, 1, 1].tolist() == pytest.approx(HITS.tolist(), abs=0.05)
    assert rates[:, 0, 1].tolist() == pytest.approx(ALARMS.tolist(), abs=0.05)


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"truth": TRUTH.float()}, "truth: expected a bool tensor"),
        ({"truth": TRUTH[:0]}, "truth: expected a bool tensor"),
        ({"hits": [0.5]}, "hits"),
        ({"hits": HITS + 0.5}, "hits: expected rates from 0 to 1, got 1.1 to 1.5"),
        ({"false_alarms": ALARMS[:3]}, "hits"),
        ({"false_alarms": ALARMS.log()}, "false_alarms: expected rates from 0 to 1"),
        ({"per_question": 5}, "per_question"),
        ({"generator": 0}, "generator"),
    ],
)
def test_bad_input_is_named(changed, message):
    given = {"truth": TRUTH, "hits": HITS, "false_alarms": ALARMS, "per_question": 4, "generator": generator(0)}
    given |= changed
    with pytest.raises((TypeError, ValueError), match=message):
        planted_votes(given.pop("truth"), given.pop("hits"), given.pop("false_alarms"), **given)
