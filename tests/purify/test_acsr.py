"""The purifier of P1, stage III: put together by hand, piece by piece, and every ablation's switch."""

import sys

import pytest
import torch

from blindspots.purify import acsr_purifier, cbpdn, tikhonov_split
from blindspots.seeding import generator

LMBDA = 0.02


class Centers:
    """The least that stands for semantic clusters: a center each, Euclidean distance."""

    def __init__(self, centers):
        self.centers = centers

    def __len__(self):
        return len(self.centers)

    def mahalanobis(self, features):
        return torch.cdist(features, self.centers)

    def assign(self, features):
        return self.mahalanobis(features).argmin(dim=1)


def brightness(images):
    return images.mean(dim=(2, 3))[:, :1]


def unit_filters(draw, m, c, side, seed):
    filters = draw(m, c, side, side, seed=seed) - 0.5
    return filters / filters.flatten(1).norm(dim=1).view(-1, 1, 1, 1)


@pytest.fixture
def clusters():
    """Dark images belong to cluster 0, bright ones to cluster 2; nothing is near cluster 1."""
    return Centers(torch.tensor([[0.3], [9.0], [0.7]], dtype=torch.float64))


@pytest.fixture
def dictionaries(draw):
    return [unit_filters(draw, m, 3, side, seed) for m, side, seed in ((5, 4, 1), (3, 4, 2), (6, 3, 3))]


@pytest.fixture
def images(draw):
    """Dark, bright, dark, bright, dark."""
    base = torch.tensor([0.1, 0.5, 0.1, 0.5, 0.1], dtype=torch.float64).view(-1, 1, 1, 1)
    return base + 0.4 * draw(5, 3, 12, 10)


def by_hand(image, dictionary, **options):
    low, high = tikhonov_split(image, weight=5.0, pad=16)
    fit = cbpdn(high, dictionary, LMBDA, **options)
    return (low + fit.synthesize()).clamp(0, 1), fit


def test_each_image_is_rebuilt_from_the_dictionary_of_its_nearest_cluster(images, clusters, dictionaries):
    purify = acsr_purifier(brightness, clusters, dictionaries, lmbda=LMBDA)
    found = purify.in_detail(images)
    assert found.cluster.tolist() == [0, 2, 0, 2, 0]
    for index, which in enumerate(found.cluster.tolist()):
        expected, fit = by_hand(images[index : index + 1], dictionaries[which])
        torch.testing.assert_close(found.images[index : index + 1], expected)
        assert found.nonzero[index].item() == pytest.approx((fit.codes != 0).double().mean().item())
        assert found.iterations[index] == fit.iterations and found.converged[index] == fit.converged
    assert found.nonzero.min() > 0 and found.nonzero.max() < 1
    assert torch.equal(purify(images), found.images)
    assert found.seconds > 0


def test_the_parts_add_up(images, clusters, dictionaries):
    found = acsr_purifier(brightness, clusters, dictionaries, lmbda=LMBDA).in_detail(images)
    torch.testing.assert_close(found.low + found.high, images)
    assert torch.equal((found.low + found.reconstructed).clamp(0, 1), found.images)


def test_a_weight_of_l1_that_forbids_every_coefficient_leaves_the_low_frequencies(images, clusters, dictionaries):
    found = acsr_purifier(brightness, clusters, dictionaries, lmbda=1e3).in_detail(images)
    assert not found.reconstructed.any() and not found.nonzero.any()
    assert torch.equal(found.images, tikhonov_split(images)[0].clamp(0, 1))


def test_a_dictionary_that_says_everything_gives_the_image_back(images):
    # One filter of one pixel per channel, of which each image needs all: only the shrinking by lmbda is left.
    everything = torch.eye(3, dtype=torch.float64).view(3, 3, 1, 1)
    found = acsr_purifier(None, None, [everything], lmbda=1e-3, tolerance=1e-7, max_iterations=5000)(images)
    torch.testing.assert_close(found, images, atol=1.01e-3, rtol=0)


def test_given_clusters_are_taken(images, dictionaries):
    given = torch.tensor([1, 1, 0, 2, 0])
    found = acsr_purifier(None, None, dictionaries, lmbda=LMBDA, choose=given).in_detail(images)
    assert torch.equal(found.cluster, given)
    torch.testing.assert_close(found.images[:1], by_hand(images[:1], dictionaries[1])[0])
    with pytest.raises(ValueError, match="images: expected 5, as many as clusters were given for, got 2"):
        acsr_purifier(None, None, dictionaries, choose=given)(images[:2])


def test_given_clusters_are_copied(images, dictionaries):
    given = torch.tensor([1, 1, 0, 2, 0])
    purify = acsr_purifier(None, None, dictionaries, lmbda=LMBDA, choose=given)
    given.zero_()
    assert purify.in_detail(images).cluster.tolist() == [1, 1, 0, 2, 0]


def test_random_clusters_come_from_the_generator_anew_each_time(images, dictionaries):
    many = images.repeat(8, 1, 1, 1)

    def draws(seed):
        purify = acsr_purifier(None, None, dictionaries, lmbda=5.0, choose="random", generator=generator(seed))
        return [purify.in_detail(many).cluster for _ in range(2)]

    first, second = draws(0)
    assert not torch.equal(first, second) and set(first.tolist()) == {0, 1, 2}
    again = draws(0)
    assert torch.equal(again[0], first) and torch.equal(again[1], second)
    assert not torch.equal(draws(1)[0], first)


def test_one_dictionary_needs_neither_features_nor_clusters(images, clusters, dictionaries):
    alone = acsr_purifier(None, None, dictionaries[:1], lmbda=LMBDA)
    assert torch.equal(
        alone(images), acsr_purifier(brightness, clusters, dictionaries[:1], lmbda=LMBDA).in_detail(images).images
    )
    torch.testing.assert_close(alone(images)[1:2], by_hand(images[1:2], dictionaries[0])[0])


@pytest.mark.parametrize(
    "options",
    [
        dict(lmbda=0.05), dict(tikhonov=1.0), dict(pad=0), dict(max_iterations=3), dict(tolerance=1e-6),
        dict(choose=torch.ones(5, dtype=torch.long)),
    ],
)  # fmt: skip
def test_every_option_changes_the_result(images, clusters, dictionaries, options):
    base = acsr_purifier(brightness, clusters, dictionaries, lmbda=LMBDA)(images)
    assert not torch.equal(
        acsr_purifier(brightness, clusters, dictionaries, **dict(lmbda=LMBDA) | options)(images), base
    )


def test_an_image_alone_is_the_same_image_in_a_batch(images, clusters, dictionaries, monkeypatch):
    purify = acsr_purifier(brightness, clusters, dictionaries, lmbda=LMBDA)
    together = purify(images)
    for index in range(len(images)):
        torch.testing.assert_close(purify(images[index : index + 1]), together[index : index + 1])
    monkeypatch.setattr(sys.modules["blindspots.purify.acsr"], "_CHUNK_CODES", 1)
    torch.testing.assert_close(purify(images), together)


def test_filters_of_one_channel_code_each_channel_alone(images, draw):
    dictionary = unit_filters(draw, 4, 1, 3, 5)
    found = acsr_purifier(None, None, [dictionary], lmbda=LMBDA).in_detail(images)
    expected, fit = by_hand(images, dictionary)
    torch.testing.assert_close(found.images, expected)
    torch.testing.assert_close(found.nonzero, (fit.codes != 0).flatten(1).double().mean(1))


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_dtype_and_inputs_are_kept(images, clusters, dictionaries, dtype):
    images = images.to(dtype)
    before = images.clone()
    purify = acsr_purifier(lambda x: brightness(x).double(), clusters, dictionaries, lmbda=LMBDA)
    result = purify(images.requires_grad_(True))
    assert result.dtype == dtype and not result.requires_grad
    assert torch.equal(images, before)


def test_the_model_is_asked_in_evaluation_mode_and_left_as_it_was(images, clusters, dictionaries):
    class Encoder(torch.nn.Module):
        def __init__(self):
            super().__init__()
            self.drop = torch.nn.Dropout(0.9)

        def encode(self, images):
            return self.drop(brightness(images))

    model = Encoder().train()
    found = acsr_purifier(model.encode, clusters, dictionaries, lmbda=LMBDA).in_detail(images)
    assert found.cluster.tolist() == [0, 2, 0, 2, 0]
    assert model.training and model.drop.training


def test_unrolled_has_the_values_of_the_purifier(images, clusters, dictionaries):
    purify = acsr_purifier(brightness, clusters, dictionaries, lmbda=LMBDA)
    leaf = images.clone().requires_grad_(True)
    unrolled = purify.unrolled(leaf)
    assert unrolled.requires_grad and torch.equal(unrolled, purify(images))


def test_the_gradient_of_unrolled_predicts_what_the_purifier_does(images, clusters, dictionaries, draw):
    # Solved to the end, true and unrolled codes agree, so finite differences of the true purifier are the test. The
    # step stays within one linear piece of the thresholds for most directions, not for all: hence 2 %.
    options = dict(tolerance=1e-9, max_iterations=20000, unrolled_iterations=2000)
    purify = acsr_purifier(brightness, clusters, dictionaries, lmbda=LMBDA, **options)
    weights, direction = draw(5, 3, 12, 10, seed=8) - 0.5, draw(5, 3, 12, 10, seed=9) - 0.5
    leaf = images.clone().requires_grad_(True)
    (gradient,) = torch.autograd.grad((weights * purify.unrolled(leaf)).sum(), leaf)
    step = 1e-5
    up, down = ((weights * purify(images + sign * step * direction)).sum() for sign in (1, -1))
    assert (gradient * direction).sum().item() == pytest.approx(((up - down) / (2 * step)).item(), rel=0.02)


def test_the_number_of_unrolled_iterations_changes_the_gradient(images, clusters, dictionaries):
    def gradient(iterations):
        purify = acsr_purifier(brightness, clusters, dictionaries, lmbda=LMBDA, unrolled_iterations=iterations)
        leaf = images.clone().requires_grad_(True)
        return torch.autograd.grad(purify.unrolled(leaf).square().sum(), leaf)[0]

    assert not torch.equal(gradient(2), gradient(30))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (dict(dictionaries=[]), "dictionaries: expected at least one, got none"),
        (dict(dictionaries=[torch.ones(2, 3, 3)]), r"dictionaries\[0\]: expected shape"),
        (dict(dictionaries=[torch.ones(2, 3, 3, 3)] * 2), "dictionaries: expected 3, one per cluster, or a single one"),
        (dict(lmbda=0), "lmbda: expected a finite number > 0"),
        (dict(tikhonov=0), "tikhonov: expected a finite number > 0"),
        (dict(pad=-1), "pad: expected a finite number >= 0"),
        (dict(max_iterations=0), "max_iterations: expected"),
        (dict(tolerance=0), "tolerance: expected"),
        (dict(unrolled_iterations=0), "unrolled_iterations: expected"),
        (dict(choose="oracle"), "choose: expected one of nearest, random; got 'oracle'"),
        (dict(choose=torch.tensor([3])), "choose: expected classes from 0 to 2"),
        (dict(generator=torch.Generator()), "generator: expected None"),
        (dict(encode=lambda images: images), r"encode: expected features \(5, D\), got \(5, 3, 12, 10\)"),
    ],
)
def test_bad_arguments_are_named(images, clusters, dictionaries, change, message):
    call = dict(encode=brightness, clusters=clusters, dictionaries=dictionaries) | change
    with pytest.raises(ValueError, match=message):
        acsr_purifier(call.pop("encode"), call.pop("clusters"), call.pop("dictionaries"), **call)(images)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (dict(choose="random"), "generator: expected a torch.Generator"),
        (dict(encode=None), "encode: expected images -> features"),
        (dict(clusters=None), "clusters: expected semantic clusters"),
    ],
)
def test_what_is_missing_is_named(clusters, dictionaries, change, message):
    call = dict(encode=brightness, clusters=clusters, dictionaries=dictionaries) | change
    with pytest.raises(TypeError, match=message):
        acsr_purifier(call.pop("encode"), call.pop("clusters"), call.pop("dictionaries"), **call)
