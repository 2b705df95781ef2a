"""What follows from P4's printed numbers, against the figures worked out apart, and against statsmodels."""

import pytest
from scipy import stats
from statsmodels.stats import proportion

from blindspots.criticism import (
    binomial_size,
    conditions_chi2,
    exact_shares,
    flipped_share,
    largest_pair,
    rescued_share,
    two_proportion_z,
)
from blindspots.criticism.reported_tables import (
    ACCEPTED_ATTACKS,
    ALL_FIVE,
    ATTACKED_ACCURACY,
    TABLE_1,
    TABLE_2,
    TABLE_3,
)
from blindspots.purify import grim

MEANS, SDS = [row.mean for row in TABLE_3], [row.sd for row in TABLE_3]


def test_the_share_of_accepted_mistakes_behind_table_1():
    shares = {row.name: rescued_share(row.error, row.rectified) for row in TABLE_1}
    expected = {"ResNet-18": 0.4288, "ResNet-101": 0.5826, "DenseNet-121": 0.4371, "DenseNet-161": 0.5243}
    assert shares == {name: pytest.approx(share, abs=5e-5) for name, share in expected.items()}
    for name, four in (("ResNet-101", 18.5), ("ResNet-18", 15.7)):
        assert exact_shares([100 * shares[name], ALL_FIVE[name]]) == pytest.approx((four, ALL_FIVE[name]), abs=0.05)


def test_the_attacked_percentages_are_of_the_flipped_images():
    found = [flipped_share(*ATTACKED_ACCURACY, row.error, row.rectified) for row in TABLE_2]
    assert found == pytest.approx([22.00, 30.80], abs=0.005)
    # the text prints 22.01: a difference that two rounded table cells can make
    assert found == pytest.approx(list(ACCEPTED_ATTACKS.values()), abs=0.015)


def test_only_one_number_of_judged_images_prints_both_percentages():
    sizes = [set(grim(value, rule="rounded")) for value in ACCEPTED_ATTACKS.values()]
    assert sizes[0] & sizes[1] == {854}
    # and the accuracies are of no subset of twenty classes with fifty images
    assert not any(1000 in grim(value) for value in ATTACKED_ACCURACY)


def test_the_significance_of_table_3():
    first = two_proportion_z(MEANS[0], SDS[0], MEANS[1], SDS[1])
    assert (first.z, first.p) == pytest.approx((1.40, 0.16), abs=0.005)
    assert two_proportion_z(MEANS[0], SDS[0], MEANS[6], SDS[6]).z == pytest.approx(1.59, abs=0.005)
    most = largest_pair(MEANS, SDS)
    assert (most.first, most.second) == (0, 2)
    assert (most.test.z, most.test.p) == pytest.approx((1.68, 0.093), abs=0.0005)
    found = conditions_chi2(MEANS, SDS)
    assert found.degrees == 6 and found.total == pytest.approx(1655, abs=1)
    assert found.chi2 == pytest.approx(4.57, abs=0.005) and found.p > 0.5


def test_implied_sizes_print_their_standard_deviation():
    for mean, sd in zip(MEANS, SDS, strict=True):
        n = binomial_size(mean, sd)
        assert 100 * (mean / 100 * (1 - mean / 100) / n) ** 0.5 == pytest.approx(sd)
        assert 230 < n < 245


def test_z_and_chi2_agree_with_statsmodels():
    counts, sizes = [45, 60, 81], [100, 110, 120]
    percents = [100 * count / size for count, size in zip(counts, sizes, strict=True)]
    sds = [(share * (100 - share) / size) ** 0.5 for share, size in zip(percents, sizes, strict=True)]
    chi2, p, _ = proportion.proportions_chisquare(counts, sizes)
    found = conditions_chi2(percents, sds)
    assert (found.chi2, found.p) == pytest.approx((chi2, p)) and found.sizes == pytest.approx(sizes)
    z, p = proportion.test_proportions_2indep(45, 100, 60, 110, method="wald")[:2]
    found = two_proportion_z(percents[0], sds[0], percents[1], sds[1])
    assert (found.z, found.p) == pytest.approx((z, p))


def test_z_is_antisymmetric_and_p_that_of_a_normal():
    forth, back = two_proportion_z(60.0, 3.0, 50.0, 4.0), two_proportion_z(50.0, 4.0, 60.0, 3.0)
    assert (forth.z, forth.p) == (2.0, pytest.approx(2 * stats.norm.sf(2))) and (back.z, back.p) == (-2.0, forth.p)
    assert two_proportion_z(50.0, 3.0, 50.0, 4.0).p == 1


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: rescued_share(0.0, 0.0), "error"),
        (lambda: rescued_share(10.0, 11.0), "rectified"),
        (lambda: flipped_share(10.0, 20.0, 90.0, 80.0), "attacked_accuracy: expected less than clean_accuracy"),
        (lambda: flipped_share(77.0, 8.0, 80.0, 90.0), "rectified"),
        (lambda: exact_shares([10.0, 20.0]), "do not rise"),
        (lambda: binomial_size(100.0, 3.0), "percent: expected a share below 100"),
        (lambda: binomial_size(50.0, 0.0), "sd"),
        (lambda: two_proportion_z(50.0, 0.0, 50.0, 1.0), "sd_a"),
        (lambda: conditions_chi2([50.0], [3.0]), "at least two"),
        (lambda: largest_pair([50.0, 40.0], [3.0]), "got 1 for 2 percents"),
    ],
)
def test_bad_input_is_named(call, message):
    with pytest.raises(ValueError, match=message):
        call()
