"""Semantic clusters: planted ones are found, distances follow their definition, and too few samples are no trap."""

import numpy as np
import pytest
import torch
from sklearn.covariance import LedoitWolf

from blindspots.purify import fit_semantic_clusters
from blindspots.seeding import generator

RULES = ("ledoit_wolf", "paper_pinv", "euclidean")


def gaussians(sizes, d, seed, *, spread=1.0, distance=10.0, dtype=torch.float64):
    """Return samples of Gaussian clusters of unit covariance around means that the dimension alone decides."""
    means = distance * torch.randn(len(sizes), d, generator=generator(d, "means"), dtype=torch.float64)
    which = torch.repeat_interleave(torch.arange(len(sizes)), torch.tensor(sizes))
    noise = torch.randn(len(which), d, generator=generator(seed, "noise"), dtype=torch.float64)
    return (means[which] + spread * noise).to(dtype), which


def fit(features, labels, **options):
    return fit_semantic_clusters(features, labels, **(dict(generator=generator(0)) | options))


@pytest.fixture
def two_classes():
    """Return features (120, 5) of five planted clusters, the class (two, three clusters) and the cluster of each."""
    features, which = gaussians([20, 30, 10, 40, 20], 5, seed=1)
    order = torch.randperm(120, generator=generator(5))
    return features[order], (which >= 2).long()[order], which[order]


def test_planted_clusters_are_found_within_their_classes(two_classes):
    features, labels, which = two_classes
    clusters = fit(features, labels)
    assert len(clusters) == 5 and clusters.classes.tolist() == [0, 0, 1, 1, 1]
    pairs = set(zip(clusters.members.tolist(), which.tolist(), strict=True))
    assert len(pairs) == 5
    assert torch.equal(clusters.sizes, clusters.members.bincount())
    for index in range(5):
        torch.testing.assert_close(clusters.means[index], features[clusters.members == index].mean(0))
    assert torch.equal(clusters.classes[clusters.members], labels)
    assert torch.equal(clusters.assign(features), clusters.members)
    fresh, truth = gaussians([50] * 5, 5, seed=2)
    assert set(zip(clusters.assign(fresh).tolist(), truth.tolist(), strict=True)) == pairs


def test_the_curve_is_the_within_cluster_sum_of_squares(two_classes):
    features, labels, _ = two_classes
    clusters = fit(features, labels, max_clusters=6)
    for label in (0, 1):
        mine = features[labels == label]
        curve = clusters.wcss[label]
        assert len(curve) == 6 and list(curve) == sorted(curve, reverse=True)
        assert curve[0] == pytest.approx((mine - mine.mean(0)).square().sum().item())
        psi = int((clusters.classes == label).sum())
        rest = (features - clusters.means[clusters.members])[labels == label].square().sum().item()
        assert curve[psi - 1] == pytest.approx(rest)


@pytest.mark.parametrize("rule", RULES)
def test_covariances_and_distances_follow_their_definition(two_classes, rule):
    features, labels, _ = two_classes
    clusters = fit(features, labels, covariance=rule)
    queries = features[:7] + 0.3
    for index in range(len(clusters)):
        mine = features[clusters.members == index].numpy()
        expected = {
            "ledoit_wolf": LedoitWolf().fit(mine).covariance_,
            "paper_pinv": np.cov(mine.T, bias=True),
            "euclidean": np.eye(5),
        }[rule]
        np.testing.assert_allclose(clusters.covariances[index].numpy(), expected, rtol=1e-4, atol=1e-4)
        difference = (queries - clusters.means[index]).numpy()
        squared = np.einsum("nd,de,ne->n", difference, np.linalg.inv(clusters.covariances[index].numpy()), difference)
        np.testing.assert_allclose(clusters.mahalanobis(queries)[:, index].numpy(), np.sqrt(squared + 1e-6))
        determinant = np.linalg.slogdet(clusters.covariances[index].numpy())[1] if rule == "ledoit_wolf" else 0.0
        np.testing.assert_allclose(clusters.log_determinants[index].item(), determinant, atol=1e-9)
        np.testing.assert_allclose(clusters.scores(queries)[:, index].numpy(), squared + determinant)


def test_the_score_is_the_log_density_of_a_gaussian(two_classes):
    features, labels, _ = two_classes
    clusters = fit(features, labels)
    density = torch.distributions.MultivariateNormal(clusters.means, clusters.covariances)
    exact = -2 * density.log_prob(features[:9, None]) - 5 * torch.log(torch.tensor(2 * torch.pi, dtype=torch.float64))
    torch.testing.assert_close(clusters.scores(features[:9]), exact)


def selection_rates(rule, distance):
    """Return, for four clusters of 20, 40, 80 and 400 samples in 64 dimensions, how often fresh ones find their own."""
    features, labels = gaussians([20, 40, 80, 400], 64, seed=3, distance=distance)
    fresh, truth = gaussians([100] * 4, 64, seed=4, distance=distance)
    right = fit(features, labels, max_clusters=1, covariance=rule).assign(fresh) == truth
    return [right[truth == index].double().mean().item() for index in range(4)]


def test_the_pseudo_inverse_prefers_the_smallest_cluster_and_the_others_the_right_one():
    # Means 11 standard deviations apart, that is about as far as two samples of one cluster.
    assert selection_rates("ledoit_wolf", 1.0) == selection_rates("euclidean", 1.0) == [1.0] * 4
    rates = selection_rates("paper_pinv", 1.0)
    assert rates[0] == 1.0 and max(rates[1:]) <= 0.01
    # Where clusters are much farther apart than wide, the span of 20 samples is enough to tell some of them apart.
    assert selection_rates("paper_pinv", 3.0)[3] > 0.5


@pytest.mark.parametrize("rule", RULES)
def test_clusters_with_fewer_samples_than_dimensions_are_fitted(rule):
    features, labels = gaussians([5, 9], 40, seed=6)
    clusters = fit(features, labels, max_clusters=1, covariance=rule)
    assert clusters.precisions.isfinite().all() and clusters.mahalanobis(features).isfinite().all()
    if rule == "paper_pinv":
        # n samples of one cluster span n - 1 directions, in which their squared distances sum to n (n - 1).
        inside = clusters.mahalanobis(features[:5])[:, 0].square()
        torch.testing.assert_close(inside.sum().item(), 5.0 * 4.0, rtol=1e-5, atol=0)
    else:
        assert torch.linalg.eigvalsh(clusters.precisions).min() > 0
        assert torch.equal(clusters.assign(features), labels)


def test_a_class_with_one_image_is_a_cluster_with_the_usual_variance():
    features, labels = gaussians([30, 1, 20], 6, seed=7)
    clusters = fit(features, labels, max_clusters=1)
    assert clusters.sizes.tolist() == [30, 1, 20]
    within = (features - clusters.means[clusters.members]).square().mean()
    torch.testing.assert_close(clusters.covariances[1], within * torch.eye(6, dtype=torch.float64))
    fresh, truth = gaussians([100] * 3, 6, seed=8)
    assert torch.equal(clusters.assign(fresh), truth)
    paper = fit(features, labels, max_clusters=1, covariance="paper_pinv")
    assert not paper.precisions[1].any() and (paper.assign(fresh) == 1).all()
    assert torch.equal(fit(features, labels, max_clusters=1, covariance="euclidean").assign(fresh), truth)


def test_an_outlier_that_becomes_a_cluster_of_one_sample_is_kept():
    features, _ = gaussians([50, 1], 6, seed=7, distance=30.0)
    clusters = fit(features, torch.zeros(51, dtype=torch.long))
    assert sorted(clusters.sizes.tolist()) == [1, 50]
    assert torch.equal(clusters.assign(features), clusters.members)


@pytest.mark.parametrize("rule", RULES)
def test_identical_features_are_one_cluster(rule):
    features, labels = gaussians([12, 12], 4, seed=9)
    features[labels == 0] = features[0].clone()
    clusters = fit(features, labels, covariance=rule)
    assert (clusters.classes == 0).sum() == 1 and clusters.wcss[0] == pytest.approx([0.0])
    assert clusters.mahalanobis(features).isfinite().all()


def test_a_cluster_of_two_samples_is_round_and_not_absurdly_far_from_a_third():
    draws = torch.randn(40, 16, generator=generator(0), dtype=torch.float64)
    features, labels = torch.cat([draws[:38], draws[38:] + 20.0]), torch.tensor([0] * 38 + [1] * 2)
    clusters = fit_semantic_clusters(features, labels, max_clusters=1, generator=generator(1))
    variance = (features - clusters.means[labels]).square().mean()
    torch.testing.assert_close(clusters.covariances[1], variance * torch.eye(16).double())
    third = clusters.means[1:] + torch.randn(1, 16, generator=generator(2), dtype=torch.float64)
    assert clusters.mahalanobis(third)[0, 1] < 2 * clusters.mahalanobis(features)[:38, 0].max()


def test_identical_features_everywhere_are_refused_by_ledoit_wolf_only():
    features, labels = torch.ones(6, 3) * 0.1, torch.tensor([0, 0, 0, 1, 1, 1])
    with pytest.raises(ValueError, match="features: expected some spread within a cluster, got identical"):
        fit(features, labels)
    clusters = fit(features, labels, covariance="euclidean")
    assert len(clusters) == 2 and clusters.mahalanobis(features).max() < 2e-3


def test_a_feature_that_never_varies_leaves_the_distance_finite(two_classes):
    features, labels, _ = two_classes
    features = torch.cat([features, torch.zeros_like(features[:, :1])], dim=1)
    clusters = fit(features, labels)
    assert clusters.mahalanobis(features).isfinite().all()
    assert torch.equal(clusters.assign(features), clusters.members)


@pytest.mark.parametrize("rule", RULES)
def test_the_distance_is_differentiable_at_a_mean_too(two_classes, rule):
    features, labels, _ = two_classes
    clusters = fit(features, labels, covariance=rule)
    queries = (features[:3] + 0.1).requires_grad_(True)
    assert torch.autograd.gradcheck(clusters.mahalanobis, queries)
    at_mean = clusters.means[:1].clone().requires_grad_(True)
    (gradient,) = torch.autograd.grad(clusters.mahalanobis(at_mean)[0, 0], at_mean)
    assert not gradient.any()


def test_the_distance_to_ones_own_cluster_is_that_entry_of_all_distances(two_classes):
    features, labels, _ = two_classes
    clusters = fit(features, labels)
    queries = features.clone().requires_grad_(True)
    own = clusters.mahalanobis_to(queries, clusters.members)
    torch.testing.assert_close(own, clusters.mahalanobis(queries).gather(1, clusters.members[:, None])[:, 0])
    assert torch.autograd.grad(own.sum(), queries)[0].any(dim=1).all()
    with pytest.raises(ValueError, match="clusters: expected classes from 0 to 4"):
        clusters.mahalanobis_to(features, clusters.members + 1)


def test_every_option_matters(two_classes):
    features, labels, _ = two_classes
    assert len(fit(features, labels, max_clusters=1)) == 2
    assert all(len(curve) == 4 for curve in fit(features, labels, max_clusters=4).wcss.values())
    distances = [fit(features, labels, covariance=rule).mahalanobis(features) for rule in RULES]
    assert not torch.allclose(distances[0], distances[1]) and not torch.allclose(distances[0], distances[2])


def test_the_seed_decides(draw):
    # Without clusters to be found, k-means ends where it starts.
    features, labels = draw(80, 4), torch.zeros(80, dtype=torch.long)
    one, same = fit(features, labels), fit(features, labels)
    assert torch.equal(one.members, same.members)
    assert any(fit(features, labels, generator=generator(seed)).wcss != one.wcss for seed in range(1, 5))


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_dtype_and_inputs_are_kept(two_classes, dtype):
    features, labels = two_classes[0].to(dtype).requires_grad_(True), two_classes[1]
    before = features.detach().clone()
    clusters = fit(features, labels)
    assert clusters.means.dtype == clusters.precisions.dtype == clusters.log_determinants.dtype == dtype
    assert clusters.mahalanobis(features).dtype == clusters.scores(features).dtype == dtype
    half = clusters.mahalanobis(features.half())
    assert half.dtype == torch.float16 and half.isfinite().all()
    assert torch.equal(features, before) and not clusters.means.requires_grad


def test_classes_may_be_missing_and_no_query_is_a_query(two_classes):
    features, labels, _ = two_classes
    clusters = fit(features, 3 * labels + 1)
    assert clusters.classes.unique().tolist() == [1, 4] and set(clusters.wcss) == {1, 4}
    assert clusters.mahalanobis(features[:0]).shape == (0, 5) and clusters.assign(features[:0]).shape == (0,)


@pytest.mark.parametrize(
    ("change", "error", "message"),
    [
        (dict(features=torch.ones(4, 3, 2)), ValueError, r"features: expected float features \(N, D\), got"),
        (dict(features=torch.ones(4, 3).long()), ValueError, "features: expected float features"),
        (dict(features=torch.ones(0, 3)), ValueError, "features: expected at least one sample"),
        (dict(features=torch.full((4, 3), float("inf"))), ValueError, "features: expected finite values"),
        (dict(labels=torch.zeros(3, dtype=torch.long)), ValueError, r"labels: expected shape \(4,\)"),
        (dict(labels=torch.zeros(4)), TypeError, "labels: expected an integer tensor"),
        (dict(max_clusters=0), ValueError, "max_clusters: expected a finite number >= 1"),
        (dict(covariance="pinv"), ValueError, "covariance: expected one of ledoit_wolf, paper_pinv, euclidean"),
    ],
)
def test_bad_arguments_are_named(draw, change, error, message):
    call = dict(features=draw(4, 3), labels=torch.zeros(4, dtype=torch.long)) | change
    with pytest.raises(error, match=message):
        fit(call.pop("features"), call.pop("labels"), **call)


def test_features_of_another_layer_are_refused(two_classes):
    clusters = fit(*two_classes[:2])
    with pytest.raises(ValueError, match=r"features: expected \(N, 5\), as the clusters were fitted on"):
        clusters.assign(torch.ones(2, 6))
