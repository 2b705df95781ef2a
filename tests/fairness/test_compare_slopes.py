"""The comparison of slopes against scipy, by hand, and at P0's printed statistic."""

import pytest
import torch

from blindspots.fairness.compare_slopes import compare_slopes
from blindspots.seeding import generator


def samples(n_a=50, n_b=50, gap=0.002, seed=0):
    draws = generator(seed)
    first = 0.02 + 0.003 * torch.randn(n_a, generator=draws, dtype=torch.float64)
    return first, 0.02 + gap + 0.006 * torch.randn(n_b, generator=draws, dtype=torch.float64)


def at_statistic(t, n, test):
    """Return slopes whose t statistic is exactly this."""
    a, b = samples(n, n)
    now = compare_slopes(a, b, test=test)
    return a, b + t * now.standard_error - now.difference


def test_they_equal_scipy():
    stats = pytest.importorskip("scipy.stats")
    a, b = samples()
    more = samples(50, 37)[1]
    for test, other, theirs in (
        ("paired", b, stats.ttest_rel(b, a, alternative="greater")),
        ("pooled", more, stats.ttest_ind(more, a, alternative="greater")),
        ("welch", more, stats.ttest_ind(more, a, equal_var=False, alternative="greater")),
    ):
        ours = compare_slopes(a, other, test=test)
        assert ours.statistic.item() == pytest.approx(theirs.statistic, rel=1e-10)
        assert ours.p_value.item() == pytest.approx(theirs.pvalue, rel=1e-9)
        assert ours.degrees.item() == pytest.approx(theirs.df, rel=1e-10)
        assert ours.test == test


def test_the_printed_statistic_is_paired():
    printed = {
        test: compare_slopes(*at_statistic(3.852, 50, test), test=test) for test in ("paired", "welch", "pooled")
    }
    assert all(one.statistic.item() == pytest.approx(3.852) for one in printed.values())
    assert f"{printed['paired'].p_value.item():.5f}" == "0.00017" and printed["paired"].degrees == 49
    assert f"{printed['pooled'].p_value.item():.6f}" == "0.000105" and printed["pooled"].degrees == 98
    assert f"{printed['pooled'].two_sided.item():.5f}" == "0.00021"
    assert 49 < printed["welch"].degrees < 98


def test_two_pairs_by_hand():
    # Differences 1 and 3: mean 2, standard error 1, t = 2 at one degree.
    found = compare_slopes(torch.tensor([0.0, 1.0]), torch.tensor([1.0, 4.0]))
    assert found.difference.item() == pytest.approx(2) and found.statistic.item() == pytest.approx(2)
    assert found.p_value.item() == pytest.approx(0.5 - torch.atan(torch.tensor(2.0)).item() / torch.pi)


def test_it_is_one_sided_and_knows_which_side():
    a, b = samples()
    for test in ("paired", "welch", "pooled"):
        forward, backward = compare_slopes(a, b, test=test), compare_slopes(b, a, test=test)
        assert forward.p_value.item() == pytest.approx(1 - backward.p_value.item())
        assert forward.two_sided.item() == pytest.approx(2 * min(forward.p_value, backward.p_value).item())


def test_pairs_matter_to_the_paired_test_only():
    a, b = samples()
    b = a + 0.1 * b
    shuffled = b[torch.randperm(50, generator=generator(3))]
    assert compare_slopes(a, b).statistic > 1.5 * compare_slopes(a, shuffled).statistic
    for test in ("welch", "pooled"):
        both = [compare_slopes(a, other, test=test).statistic.item() for other in (b, shuffled)]
        assert both[0] == pytest.approx(both[1])


def test_many_comparisons_at_once_are_each_alone():
    pairs = [samples(seed=seed) for seed in range(5)]
    for test in ("paired", "welch", "pooled"):
        together = compare_slopes(*(torch.stack(side) for side in zip(*pairs, strict=True)), test=test)
        for row, pair in enumerate(pairs):
            alone = compare_slopes(*pair, test=test)
            torch.testing.assert_close(together.p_value[row], alone.p_value, rtol=1e-12, atol=0)
            torch.testing.assert_close(together.degrees[row], alone.degrees, rtol=1e-12, atol=0)


@pytest.mark.parametrize(
    ("a", "b", "options", "error", "message"),
    [
        (samples()[0], samples(50, 40)[1], {}, ValueError, "b: expected 50 slopes, one for each of a, got 40"),
        (samples()[0][:1], samples()[1][:1], {}, ValueError, r"a: expected \(n,\) or \(R, n\) with n >= 2"),
        (torch.tensor([0.1, float("nan")]), torch.tensor([0.1, 0.2]), {}, ValueError, "a: expected finite"),
        (torch.tensor([1, 2]), torch.tensor([0.1, 0.2]), {}, TypeError, "a: expected a float tensor"),
        (samples()[0], samples()[0] + 0.1, {}, ValueError, "a, b: expected differences b - a that vary"),
        (torch.full((3,), 0.1), torch.full((3,), 0.2), {"test": "welch"}, ValueError, "expected slopes that vary"),
        (samples()[0][None], samples()[1], {}, ValueError, "b: expected as many comparisons as a"),
        (samples()[0], samples()[1], {"test": "z"}, ValueError, "test: expected one of paired, welch, pooled"),
    ],
)
def test_bad_input_is_named(a, b, options, error, message):
    with pytest.raises(error, match=message):
        compare_slopes(a, b, **options)
