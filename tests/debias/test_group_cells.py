"""Cells: counted as defined, and the empty one is named."""

import pytest
import torch

from blindspots.debias.group_cells import check_both_groups, check_groups, count_cells
from blindspots.seeding import generator

LABELS = torch.tensor([0, 1, 2, 0, 1, 2, 2])
GROUPS = torch.tensor([0, 0, 0, 1, 1, 1, 1])


def test_counts_are_those_of_a_loop():
    draws = generator(0)
    labels, groups = (torch.randint(0, top, (200,), generator=draws) for top in (4, 2))
    expected = [[int(((labels == y) & (groups == g)).sum()) for y in range(4)] for g in (0, 1)]
    assert count_cells(labels, groups).tolist() == expected
    assert torch.equal(count_cells(labels.int(), groups.to(torch.uint8), n_classes=4), count_cells(labels, groups))


def test_one_class_is_taken_for_the_first_of_two():
    with pytest.raises(ValueError, match="every class from 0 to 1, got none of class 1"):
        count_cells(torch.zeros(4).long(), torch.tensor([0, 1, 0, 1]))


def test_one_group_alone_passes_where_it_may():
    check_groups(torch.ones(3).long(), 3)
    with pytest.raises(ValueError, match="groups: expected examples of both groups, got group 1 only"):
        check_both_groups(torch.ones(3).long(), 3)


@pytest.mark.parametrize(
    ("labels", "groups", "n_classes", "error", "message"),
    [
        (LABELS, GROUPS, 4, ValueError, "labels: expected every class from 0 to 3, got none of class 3"),
        (LABELS, GROUPS, 2, ValueError, "labels: expected classes from 0 to 1"),
        (LABELS, GROUPS, 1, ValueError, "n_classes: expected a finite number >= 2"),
        (LABELS[:4], GROUPS[:4], None, ValueError, "none with label 1 in group 1 and none with label 2 in group 1"),
        (LABELS[:3], GROUPS[:3], None, ValueError, "groups: expected examples of both groups, got group 0 only"),
        (LABELS, LABELS, None, ValueError, "groups: expected two values, 0 and 1, got values from 0 to 2; map"),
        (LABELS, GROUPS - 1, None, ValueError, "groups: expected two values, 0 and 1, got values from -1 to 0"),
        (LABELS, GROUPS[:5], None, ValueError, r"groups: expected shape \(7,\)"),
        (LABELS, GROUPS.float(), None, TypeError, "groups: expected an integer tensor of 0 and 1"),
        (LABELS, GROUPS.bool(), None, TypeError, "groups: expected an integer tensor of 0 and 1"),
        (LABELS, GROUPS.tolist(), None, TypeError, "groups: expected an integer tensor"),
        (LABELS.float(), GROUPS, None, TypeError, "labels: expected an integer tensor"),
        (LABELS[:0], GROUPS[:0], None, ValueError, "labels: expected an integer tensor"),
    ],
)
def test_bad_cells_are_refused(labels, groups, n_classes, error, message):
    with pytest.raises(error, match=message):
        count_cells(labels, groups, n_classes=n_classes)
