"""Causes of failure: one image for each case, and that the cases part the failures."""

import pytest
import torch

from blindspots.purify import FAILURE_CAUSES, failure_causes
from blindspots.seeding import generator


def test_each_case_is_told_from_the_others():
    # right, misread anyway, broken by purifying, still attacked, new answer, right although misread before
    labels = torch.zeros(6, dtype=torch.long)
    found = failure_causes(
        labels,
        clean=torch.tensor([0, 1, 0, 0, 0, 1]),
        attacked=torch.tensor([1, 1, 1, 2, 2, 1]),
        purified_clean=torch.tensor([0, 1, 1, 0, 0, 0]),
        purified=torch.tensor([0, 1, 1, 2, 1, 0]),
    )
    assert list(found) == list(FAILURE_CAUSES)
    assert [flags.nonzero().flatten().tolist() for flags in found.values()] == [[1], [2], [3], [4]]


def test_the_causes_part_the_failures():
    answers = torch.randint(4, (5, 200), generator=generator(0))
    labels, clean, attacked, purified_clean, purified = answers
    found = failure_causes(labels, clean=clean, attacked=attacked, purified_clean=purified_clean, purified=purified)
    together = torch.stack(list(found.values()))
    assert torch.equal(together.sum(0), (purified != labels).long())
    assert together.any(1).all()


def test_answers_that_do_not_fit_are_refused():
    labels = torch.zeros(3, dtype=torch.long)
    with pytest.raises(ValueError, match="attacked: expected shape"):
        failure_causes(labels, clean=labels, attacked=labels[:2], purified_clean=labels, purified=labels)
    with pytest.raises((TypeError, ValueError), match="purified"):
        failure_causes(labels, clean=labels, attacked=labels, purified_clean=labels, purified=labels.float())
