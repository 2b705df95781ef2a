"""Against every subset of a small set, and against the published greedy algorithm written from its paper."""

import itertools

import pytest
import torch

from blindspots.criticism import median_bandwidth, select_prototypes


def draw(*shape, seed=0):
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def gaussian(features, bandwidth):
    return torch.exp(-torch.cdist(features, features).square() / (2 * bandwidth**2))


def random_kernel(n, seed):
    """A positive definite matrix that no Gaussian makes: entries of both signs, an uneven diagonal."""
    half = draw(n, n + 3, seed=seed)
    return half @ half.T / n


def published_objective(kernel, subset):
    """P4 Eq. 3, from its definition."""
    subset = list(subset)
    n, size = len(kernel), len(subset)
    return 2 / (n * size) * kernel[:, subset].sum() - kernel[subset][:, subset].sum() / size**2


def published_greedy(kernel, n):
    """Kim et al., Algorithm 1: as long as examples are wanted, add the one whose set has the largest J."""
    chosen = []
    for _ in range(n):
        others = [index for index in range(len(kernel)) if index not in chosen]
        chosen.append(max(others, key=lambda index: published_objective(kernel, chosen + [index]).item()))
    return chosen


@pytest.mark.parametrize("seed", range(6))
def test_random_kernels_give_the_selections_of_the_published_greedy(seed):
    kernel = random_kernel(30, seed)
    selection = select_prototypes(kernel, 12, kernel="precomputed")
    assert selection.indices.tolist() == published_greedy(kernel, 12) and selection.bandwidth is None


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("bandwidth", [None, 0.4, 3.0])
def test_gaussian_kernels_give_the_selections_of_the_published_greedy(seed, bandwidth):
    features = draw(40, 3, seed=seed)
    used = median_bandwidth(features) if bandwidth is None else bandwidth
    selection = select_prototypes(features, 15, bandwidth=bandwidth)
    assert selection.indices.tolist() == published_greedy(gaussian(features, used), 15)
    assert selection.bandwidth == used


def test_the_first_pick_is_the_best_of_all_single_examples():
    kernel = random_kernel(12, 3)
    best = max(range(12), key=lambda index: published_objective(kernel, [index]).item())
    assert select_prototypes(kernel, 1, kernel="precomputed").indices.tolist() == [best]


@pytest.mark.parametrize("seed", range(5))
def test_separated_groups_give_the_best_of_all_subsets(seed):
    # Three tight groups: the best subset of three takes one of each, and greedy cannot miss it. Within a group the
    # members differ by 0.05 widths, so that subsets of the same shape differ in the fourth digit only.
    centers = torch.tensor([[0.0, 0.0], [9.0, 0.0], [0.0, 9.0]], dtype=torch.float64)
    features = centers.repeat_interleave(4, 0) + 0.3 * draw(12, 2, seed=seed)
    kernel = gaussian(features, 1.0)
    selection = select_prototypes(features, 3, bandwidth=1.0)
    best = max(itertools.combinations(range(12), 3), key=lambda subset: published_objective(kernel, subset).item())
    assert sorted(selection.indices.tolist()) == list(best)
    assert sorted(index // 4 for index in best) == [0, 1, 2]


@pytest.mark.parametrize("seed", range(8))
def test_greedy_is_never_above_the_best_of_all_subsets_and_often_reaches_it(seed):
    features = draw(12, 2, seed=seed)
    kernel = gaussian(features, 1.0)
    reached = select_prototypes(features, 4, bandwidth=1.0).objective.tolist()
    best = [
        max(published_objective(kernel, subset).item() for subset in itertools.combinations(range(12), n))
        for n in (1, 2, 3, 4)
    ]
    assert all(ours <= most + 1e-12 for ours, most in zip(reached, best, strict=True))
    assert reached[0] == pytest.approx(best[0], abs=1e-12)
    # Of four, the best pair need not hold the best single example; what greedy leaves is a small part of what it has
    # gained since its first pick.
    assert best[3] - reached[3] < 0.1 * (best[3] - best[0])


def test_objective_and_discrepancy_are_what_they_say():
    features = draw(25, 4, seed=9)
    kernel = gaussian(features, 1.5)
    selection = select_prototypes(features, 10, bandwidth=1.5)
    for size in range(1, 11):
        chosen = selection.indices[:size].tolist()
        assert selection.objective[size - 1].item() == pytest.approx(published_objective(kernel, chosen).item())
        weights = torch.full((25,), 1 / 25, dtype=torch.float64)
        weights[chosen] -= 1 / size
        assert selection.squared_mmd[size - 1].item() == pytest.approx((weights @ kernel @ weights).item())
    torch.testing.assert_close(selection.column_means, kernel.mean(0), rtol=0, atol=1e-14)


def test_all_examples_as_prototypes_leave_no_discrepancy():
    selection = select_prototypes(draw(9, 2), 9)
    assert sorted(selection.indices.tolist()) == list(range(9))
    assert selection.squared_mmd[-1].item() == pytest.approx(0.0, abs=1e-14)


def test_a_smaller_selection_is_the_beginning_of_a_larger_one():
    features = draw(50, 5)
    assert torch.equal(select_prototypes(features, 20).indices[:7], select_prototypes(features, 7).indices)


def test_order_place_and_precision_of_the_features_do_not_matter():
    features = draw(60, 4, seed=2)
    expected = select_prototypes(features, 10, bandwidth=2.0).indices
    order = torch.randperm(60, generator=torch.Generator().manual_seed(1))
    assert torch.equal(order[select_prototypes(features[order], 10, bandwidth=2.0).indices], expected)
    assert torch.equal(select_prototypes(features + 1e4, 10, bandwidth=2.0).indices, expected)
    assert torch.equal(select_prototypes(8 * features, 10, bandwidth=16.0).indices, expected)
    single = features.float()
    assert torch.equal(select_prototypes(single, 10).indices, select_prototypes(single.double(), 10).indices)


def test_the_width_decides():
    features = draw(60, 4, seed=2)
    narrow, wide = (select_prototypes(features, 10, bandwidth=width).indices for width in (0.3, 5.0))
    assert not torch.equal(narrow, wide)


def test_of_duplicates_the_first_is_picked_and_the_next_only_when_it_pays():
    features = torch.tensor([[0.0], [0.0], [0.0], [0.0], [9.0], [9.0]])
    assert select_prototypes(features, 6, bandwidth=1.0).indices.tolist() == [0, 4, 1, 2, 5, 3]


def test_inputs_are_left_as_found_and_a_graph_is_not_followed():
    features = draw(10, 3).requires_grad_(True)
    copy = features.detach().clone()
    selection = select_prototypes(features, 3)
    assert torch.equal(features.detach(), copy) and features.grad is None
    assert not selection.objective.requires_grad and not selection.column_means.requires_grad


@pytest.mark.parametrize(
    ("n", "options", "error", "message"),
    [
        (11, {}, ValueError, "n: expected at most one prototype per example, got n = 11 for 10 examples"),
        (0, {}, ValueError, "n: expected a finite number >= 1, got 0"),
        (2, dict(bandwidth=0.0), ValueError, "bandwidth: expected a finite number > 0, got 0.0"),
        (2, dict(kernel="linear"), ValueError, "kernel: expected one of rbf, precomputed"),
    ],
)
def test_bad_options_are_named(n, options, error, message):
    with pytest.raises(error, match=message):
        select_prototypes(draw(10, 3), n, **options)


def test_a_class_of_copies_needs_a_width():
    with pytest.raises(ValueError, match="features: expected fewer than half of the pairs to coincide"):
        select_prototypes(torch.ones(10, 3), 2)
    assert select_prototypes(torch.ones(10, 3), 2, bandwidth=1.0).indices.tolist() == [0, 1]
