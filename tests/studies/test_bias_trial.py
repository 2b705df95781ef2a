"""A strong planted bias is learned and shown; without one nothing is."""

import pytest
import torch

from blindspots.criticism.exemplars_by_method import EXEMPLAR_METHODS
from blindspots.studies.bias_trial import bias_trial
from blindspots.studies.biased_pictures import biased_faces

SPEC = {"name": "small_cnn", "in_channels": 3, "n_classes": 2, "width": 4}
TRAINING = {"epochs": 3, "batch_size": 32, "learning_rate": 0.01, "optimizer": "adam"}


@pytest.fixture(scope="module")
def trial(tmp_path_factory):
    shares = {"hat": (0.5, 0.05)}
    train = biased_faces(300, shares, size=16, noise=0.2, seed=0)
    test = biased_faces(200, shares, size=16, noise=0.2, seed=1)
    options = {**TRAINING, "directory": tmp_path_factory.mktemp("cache")}
    return (
        bias_trial(train, test, targets=[1], spec=SPEC, training=options, n_shown=[10, 20], seed=0),
        train,
        test,
        options,
    )


def test_the_planted_attribute_is_shown_by_what_the_model_gets_wrong(trial):
    found, _, test, _ = trial
    assert found.accuracy > 0.6 and found.test is test
    assert found.steps[1].shape == (100,) and found.steps[1].max() <= 11
    skews = found.skews("hat", 1, 10)
    assert tuple(skews) == EXEMPLAR_METHODS
    for skew in skews.values():
        assert skew.n_prototypes == skew.n_criticisms == 10
        assert skew.class_share == pytest.approx(test.share("hat", 1))
    assert skews["probability"].gap > 0.3
    assert found.skews("hat", 1, 20)["probability"].n_criticisms == 20


def test_the_seed_decides_and_the_cache_gives_the_same(trial):
    found, train, test, options = trial
    again = bias_trial(train, test, targets=[1], spec=SPEC, training=options, n_shown=[10, 20], seed=0)
    assert torch.equal(again.steps[1], found.steps[1])
    for method in EXEMPLAR_METHODS:
        assert torch.equal(again.exemplars[1, 20][method].shown, found.exemplars[1, 20][method].shown)
    other = bias_trial(train, test, targets=[1], spec=SPEC, training=options, n_shown=[10, 20], seed=2)
    assert not torch.equal(other.steps[1], found.steps[1])


def test_bad_arguments_are_named(trial):
    _, train, test, options = trial
    with pytest.raises(ValueError, match="n_shown: expected at least one number"):
        bias_trial(train, test, targets=[1], n_shown=[], spec=SPEC, training=options, seed=0)
    with pytest.raises(ValueError, match="targets: expected at least one class"):
        bias_trial(train, test, targets=[], spec=SPEC, training=options, seed=0)
    with pytest.raises(ValueError, match="targets: expected classes with test pictures, got 5"):
        bias_trial(train, test, targets=[5], spec=SPEC, training=options, seed=0)
    with pytest.raises(ValueError, match=r"class 1 \(100 pictures\): "):
        bias_trial(train, test, targets=[1], spec=SPEC, training=options, n_shown=[60], seed=0)
