"""Against every subset of a small set, against the paper's greedy, and against the quirks of the published code."""

import itertools
from dataclasses import replace

import pytest
import torch

from blindspots.criticism import select_criticisms, select_prototypes

PROTOTYPES = torch.tensor([2, 7, 11])


def draw(*shape, seed=0):
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def gaussian(features, bandwidth):
    return torch.exp(-torch.cdist(features, features).square() / (2 * bandwidth**2))


def random_kernel(n, seed, *, unit_diagonal=False):
    half = draw(n, n + 3, seed=seed)
    kernel = half @ half.T / n
    if unit_diagonal:
        scale = kernel.diagonal().rsqrt()
        kernel = scale[:, None] * kernel * scale
    return (kernel + kernel.T) / 2


def published_objective(kernel, prototypes, subset, weight):
    subset = list(subset)
    gaps = (kernel.mean(0) - kernel[prototypes].mean(0)).abs()[subset].sum()
    return gaps + (weight * torch.logdet(kernel[subset][:, subset]) if weight else 0.0)


def published_greedy(kernel, prototypes, n, weight):
    """Kim et al., Algorithm 2: add the example whose set has the largest objective, from the definition."""
    chosen = []
    for _ in range(n):
        others = [index for index in range(len(kernel)) if index not in chosen + prototypes.tolist()]
        values = {c: published_objective(kernel, prototypes, chosen + [c], weight).item() for c in others}
        chosen.append(max(values, key=values.get))
    return chosen


def published_code(kernel, prototypes, n):
    """The picks of the authors' program: the first subtracts log k(c, c), later ones add the log of a Schur complement
    taken with an inverse.
    """
    gaps = (kernel.mean(0) - kernel[prototypes].mean(0)).abs()
    chosen = []
    for _ in range(n):
        scores = gaps - kernel.diagonal().log()
        if chosen:
            inverse = torch.linalg.inv(kernel[chosen][:, chosen])
            schur = kernel.diagonal() - (kernel[chosen] * (inverse @ kernel[chosen])).sum(0)
            scores = gaps + schur.abs().log()
        scores[chosen + prototypes.tolist()] = float("-inf")
        chosen.append(scores.argmax().item())
    return chosen


@pytest.mark.parametrize("seed", range(6))
@pytest.mark.parametrize("weight", [1.0, 0.1, 1e-5])
def test_random_kernels_give_the_selections_of_the_published_greedy(seed, weight):
    kernel = random_kernel(30, seed)
    found = select_criticisms(kernel, PROTOTYPES, 10, weight=weight, kernel="precomputed")
    assert found.indices.tolist() == published_greedy(kernel, PROTOTYPES, 10, weight)


@pytest.mark.parametrize("seed", range(6))
def test_unit_diagonals_give_the_selections_of_the_published_code(seed):
    kernel = random_kernel(30, seed, unit_diagonal=True)
    found = select_criticisms(kernel, PROTOTYPES, 12, kernel="precomputed")
    assert found.indices.tolist() == published_code(kernel, PROTOTYPES, 12)
    features = draw(40, 5, seed=seed)
    found = select_criticisms(features, PROTOTYPES, 12, bandwidth=1.5)
    assert found.indices.tolist() == published_code(gaussian(features, 1.5), PROTOTYPES, 12)


def test_the_first_pick_of_an_uneven_kernel_follows_the_objective_and_not_the_code():
    differ = 0
    for seed in range(10):
        kernel = random_kernel(20, seed)
        first = select_criticisms(kernel, PROTOTYPES, 1, kernel="precomputed").indices.tolist()
        assert first == published_greedy(kernel, PROTOTYPES, 1, 1.0)
        differ += first != published_code(kernel, PROTOTYPES, 1)
    assert differ > 0


@pytest.mark.parametrize("seed", range(5))
def test_without_a_regularizer_the_best_of_all_subsets_is_found(seed):
    features = draw(12, 2, seed=seed)
    kernel = gaussian(features, 1.0)
    found = select_criticisms(features, PROTOTYPES, 3, regularizer="none", bandwidth=1.0)
    others = [index for index in range(12) if index not in PROTOTYPES.tolist()]
    values = {s: published_objective(kernel, PROTOTYPES, s, 0).item() for s in itertools.combinations(others, 3)}
    best = max(values, key=values.get)
    assert sorted(found.indices.tolist()) == list(best)
    assert found.objective[-1].item() == pytest.approx(values[best])


def test_separated_groups_give_the_best_of_all_subsets_with_a_determinant():
    # Four tight groups, both prototypes in the first, which is then shown too often, and the others too seldom: one
    # criticism of each beats two of one, whose determinant is nearly 0.
    centers = torch.tensor([[0.0, 0.0], [9.0, 0.0], [0.0, 9.0], [9.0, 9.0]], dtype=torch.float64)
    for seed in range(4):
        features = centers.repeat_interleave(3, 0) + 0.2 * draw(12, 2, seed=seed)
        kernel, prototypes = gaussian(features, 1.0), torch.tensor([0, 1])
        found = select_criticisms(features, prototypes, 4, bandwidth=1.0)
        subsets = itertools.combinations(range(2, 12), 4)
        best = max(subsets, key=lambda subset: published_objective(kernel, prototypes, subset, 1.0).item())
        assert sorted(index // 3 for index in found.indices.tolist()) == [0, 1, 2, 3]
        assert sorted(found.indices.tolist()) == list(best)


def test_the_iterative_rule_counts_criticisms_as_prototypes():
    features = draw(30, 3, seed=4)
    kernel, counted, expected = gaussian(features, 1.0), PROTOTYPES.tolist(), []
    for _ in range(8):
        gaps = (kernel.mean(0) - kernel[counted].mean(0)).abs()
        gaps[counted] = float("-inf")
        expected.append(gaps.argmax().item())
        counted.append(expected[-1])
    options = dict(regularizer="iterative", bandwidth=1.0)
    assert select_criticisms(features, PROTOTYPES, 8, **options).indices.tolist() == expected


def test_the_objective_is_that_of_the_picks():
    features = draw(30, 3, seed=4)
    kernel = gaussian(features, 1.0)
    found = select_criticisms(features, PROTOTYPES, 6, weight=0.3, bandwidth=1.0)
    for size in range(1, 7):
        expected = published_objective(kernel, PROTOTYPES, found.indices[:size].tolist(), 0.3).item()
        assert found.objective[size - 1].item() == pytest.approx(expected, rel=1e-9)
    assert found.squared_mmd is None


def test_a_selection_and_its_indices_give_the_same():
    features = draw(80, 4)
    prototypes = select_prototypes(features, 6, bandwidth=1.3)
    expected = select_criticisms(features, prototypes.indices, 9, bandwidth=1.3)
    for found in (
        select_criticisms(features, prototypes, 9),
        select_criticisms(features, prototypes, 9, bandwidth=1.3),
    ):
        assert torch.equal(found.indices, expected.indices) and found.bandwidth == 1.3
    # Another width than the selection's takes its own column means.
    other = select_criticisms(features, prototypes, 9, bandwidth=0.5)
    assert torch.equal(other.indices, select_criticisms(features, prototypes.indices, 9, bandwidth=0.5).indices)
    precomputed = gaussian(features, 1.3)
    same = select_criticisms(
        precomputed, select_prototypes(precomputed, 6, kernel="precomputed"), 9, kernel="precomputed"
    )
    assert torch.equal(same.indices, expected.indices)


def test_every_option_changes_the_result():
    features = draw(60, 2, seed=8)
    prototypes = select_prototypes(features, 4)
    base = select_criticisms(features, prototypes, 8).indices.tolist()
    for options in (dict(regularizer="none"), dict(regularizer="iterative"), dict(weight=1e-3), dict(bandwidth=0.2)):
        assert select_criticisms(features, prototypes, 8, **options).indices.tolist() != base, options


def test_criticisms_are_no_prototypes_and_come_once():
    features = draw(20, 3)
    prototypes = select_prototypes(features, 8)
    for regularizer in ("logdet", "none", "iterative"):
        found = select_criticisms(features, prototypes, 12, regularizer=regularizer).indices.tolist()
        assert sorted(found + prototypes.indices.tolist()) == list(range(20))


def test_duplicates_run_out_with_a_determinant_and_are_named():
    features = draw(6, 2).repeat(2, 1)
    prototypes = torch.tensor([0])
    # 11 examples are left, of 6 places; the prototype's own copy is a distinct criticism of it.
    assert len(select_criticisms(features, prototypes, 6, bandwidth=1.0).indices.unique()) == 6
    with pytest.raises(ValueError, match=r"n: expected at most 6 criticisms, the distinct examples .* got 7; ask for"):
        select_criticisms(features, prototypes, 7, bandwidth=1.0)
    assert len(select_criticisms(features, prototypes, 11, regularizer="none", bandwidth=1.0).indices) == 11


@pytest.mark.parametrize(
    ("prototypes", "n", "options", "error", "message"),
    [
        (torch.tensor([]).long(), 2, {}, ValueError, r"prototypes: expected .* M >= 1, got \(0,\)"),
        (torch.tensor([0.0]), 2, {}, TypeError, "prototypes: expected integer indices"),
        (torch.tensor([10]), 2, {}, ValueError, "prototypes: expected indices from 0 to 9, got values from 10"),
        (torch.tensor([1, 1]), 2, {}, ValueError, "prototypes: expected each example once, got an index twice"),
        (torch.tensor([0, 1]), 9, {}, ValueError, "n: expected at most 8 criticisms, the examples that are no proto"),
        (torch.tensor([0]), 0, {}, ValueError, "n: expected a finite number >= 1"),
        (torch.tensor([0]), 2, dict(regularizer="ridge"), ValueError, "regularizer: expected one of logdet, none, it"),
        (torch.tensor([0]), 2, dict(weight=0.0), ValueError, "weight: expected a finite number > 0"),
        (torch.tensor([0]), 2, dict(bandwidth=0), ValueError, "bandwidth: expected a finite number > 0"),
    ],
)
def test_bad_arguments_are_named(prototypes, n, options, error, message):
    with pytest.raises(error, match=message):
        select_criticisms(draw(10, 3), prototypes, n, **options)


def test_a_selection_from_other_features_is_named():
    features = draw(30, 3)
    prototypes = select_prototypes(features, 4)
    for other in (draw(30, 3, seed=1), torch.cat([features, features[:1]]), features.flip(0)):
        with pytest.raises(ValueError, match="prototypes: expected a Selection from these features"):
            select_criticisms(other, prototypes, 3)
    with pytest.raises(ValueError, match="bandwidth: expected None with kernel='precomputed'"):
        select_criticisms(torch.eye(30), replace(prototypes, bandwidth=2.0), 3, kernel="precomputed")
