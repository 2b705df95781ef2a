"""What every classifier of the package shares: normalization inside, features, a head, and errors at the door."""

import pytest
import torch
from torch import nn

from blindspots.models.split import SplitClassifier, channel_statistics, seeded_construction
from blindspots.types import FeatureClassifier


def linear_classifier(mean, std):
    model = SplitClassifier(
        nn.Flatten(),
        nn.Linear(12, 2),
        input_shape=(3, None, None),
        mean=mean,
        std=std,
        spec={"name": "linear"},
        min_side=2,
    )
    with torch.no_grad():
        model.classifier.weight.fill_(1.0)
        model.classifier.bias.zero_()
    return model


def made(seed):
    with seeded_construction(seed):
        return linear_classifier((0.5,), (0.25,))


def test_normalization_is_inside_and_exact():
    with torch.random.fork_rng(devices=[]):
        model = linear_classifier((0.1, 0.2, 0.3), (0.5, 0.25, 1.0))
    images = torch.full((1, 3, 2, 2), 0.6)
    # Four pixels of each channel, summed: 4 * ((0.6-0.1)/0.5 + (0.6-0.2)/0.25 + (0.6-0.3)/1).
    assert model(images)[0, 0].item() == pytest.approx(4 * (1.0 + 1.6 + 0.3), rel=1e-6)


def test_forward_is_the_head_of_the_features_and_the_contract_holds():
    model = made(0)
    images = torch.rand(3, 3, 2, 2, generator=torch.Generator().manual_seed(0))
    assert torch.equal(model(images), model.head(model.encode(images)))
    assert isinstance(model, FeatureClassifier)


def test_the_model_computes_in_double_precision_when_asked():
    model = made(0).double()
    assert (
        model(torch.rand(1, 3, 2, 2, dtype=torch.float64, generator=torch.Generator().manual_seed(0))).dtype
        == torch.float64
    )


@pytest.mark.parametrize("shape", [(3, 2, 2), (1, 1, 2, 2), (1, 3), (1, 3, 2, 2, 2)])
def test_other_shapes_are_refused_by_name(shape):
    with pytest.raises(ValueError, match=r"images: expected shape \(N, 3, H, W\) for this linear"):
        made(0)(torch.zeros(shape))


def test_images_below_the_smallest_side_are_refused():
    with pytest.raises(ValueError, match=r"sides of at least 2 pixels.*got 2x1"):
        made(0)(torch.zeros(1, 3, 2, 1))


def test_the_same_seed_gives_the_same_bits_and_another_does_not():
    with seeded_construction(3):
        first = nn.Linear(4, 4)
    with seeded_construction(3):
        again = nn.Linear(4, 4)
    with seeded_construction(4):
        other = nn.Linear(4, 4)
    assert torch.equal(first.weight, again.weight)
    assert not torch.equal(first.weight, other.weight)


def test_the_global_generator_is_put_back_even_after_an_error():
    before = torch.random.get_rng_state()
    with pytest.raises(RuntimeError, match="planned"), seeded_construction(0):
        torch.rand(3)
        raise RuntimeError("planned")
    assert torch.equal(before, torch.random.get_rng_state())


def test_a_seed_that_is_no_integer_is_refused():
    with pytest.raises(TypeError, match="seed: expected an integer"), seeded_construction(0.5):
        pass


@pytest.mark.parametrize(
    ("mean", "std", "message"),
    [
        ((0.1, 0.2), (1.0,), "mean: expected 1 or 3 numbers"),
        ((0.1,), (1.0, 1.0), "std: expected 1 or 3 numbers"),
        ((0.1,), (0.0,), "std: expected finite numbers > 0"),
        ((float("nan"),), (1.0,), "mean: expected finite numbers"),
    ],
)
def test_statistics_that_cannot_normalize_are_refused(mean, std, message):
    with pytest.raises(ValueError, match=message):
        channel_statistics(mean, std, 3)
