"""Sizes that print a share, counted by hand; significance against statsmodels and by search."""

import pytest
from statsmodels.stats.proportion import proportions_ztest

from blindspots.criticism.printed_shares import pooled_z, significant_size, sizes_that_print


def test_sizes_by_hand():
    assert sizes_that_print([50], at_most=5) == (2, 4)
    assert sizes_that_print([33], at_most=6) == (3, 6)
    assert sizes_that_print([78, 44], at_most=10) == (9,)  # 7 and 4 of 9
    assert sizes_that_print([90, 20], at_most=20) == (10, 20)
    assert sizes_that_print([90, 20], at_most=9) == ()
    assert 9 in sizes_that_print([80, 40], at_most=9, slack=5.0) and sizes_that_print([0, 100], at_most=2) == (1, 2)


def test_z_is_that_of_statsmodels():
    z, p = proportions_ztest([7, 2], [9, 10])
    found = pooled_z(7, 9, 2, 10)
    assert (found.z, found.p) == (pytest.approx(z), pytest.approx(p))
    assert pooled_z(2, 10, 7, 9).z == pytest.approx(-z)
    assert (pooled_z(0, 5, 0, 9).z, pooled_z(5, 5, 9, 9).p) == (0.0, 1.0)


@pytest.mark.parametrize(("a", "b"), [(78, 20), (78, 53), (44, 90), (55, 50)])
def test_the_smallest_significant_size_is_the_first_of_a_search(a, b):
    n = significant_size(a, b)
    assert pooled_z(a / 100 * n, n, b / 100 * n, n).p < 0.05
    assert pooled_z(a / 100 * (n - 1), n - 1, b / 100 * (n - 1), n - 1).p >= 0.05


def test_level_and_bound_matter():
    assert significant_size(78, 53, alpha=0.001) > significant_size(78, 53)
    assert significant_size(51, 50, at_most=100) is None and significant_size(40, 40) is None


def test_bad_arguments_are_named():
    with pytest.raises(ValueError, match="percents: expected at least one, got none"):
        sizes_that_print([], at_most=5)
    with pytest.raises(ValueError, match="percents: expected a finite number"):
        sizes_that_print([101], at_most=5)
    with pytest.raises(ValueError, match="count_b: expected a finite number"):
        pooled_z(1, 2, 3, 2)
    with pytest.raises(ValueError, match="alpha: expected a finite number"):
        significant_size(10, 20, alpha=0.0)
