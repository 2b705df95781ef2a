"""Signals with a planted dictionary."""

import pytest
import torch

from blindspots.data import load
from blindspots.data.planted import planted_signals, synthesize


def synthesize_by_hand(codes, dictionary):
    """Add every filter at every coefficient, wrapping around the border."""
    n, _, height, width = codes.shape
    _, channels, h, w = dictionary.shape
    signals = torch.zeros(n, channels, height, width, dtype=torch.float64)
    for image, m, i, j in codes.nonzero().tolist():
        rows = (torch.arange(i, i + h) % height).view(-1, 1)
        columns = (torch.arange(j, j + w) % width).view(1, -1)
        signals[image, :, rows, columns] += codes[image, m, i, j].double() * dictionary[m].double()
    return signals


@pytest.mark.parametrize("channels", [1, 3])
def test_signals_are_the_filters_put_where_the_codes_say(channels):
    drawn = planted_signals(3, seed=0, size=20, filter_size=5, channels=channels, density=0.01)
    assert drawn.signals.shape == (3, channels, 20, 20) and drawn.codes.shape == (3, 8, 20, 20)
    by_hand = synthesize_by_hand(drawn.codes, drawn.dictionary)
    # float32 rounding of values of some units: half of 2^-23 each
    torch.testing.assert_close(drawn.signals.double(), by_hand, atol=1e-6, rtol=0)
    torch.testing.assert_close(synthesize(drawn.codes, drawn.dictionary), drawn.signals, atol=1e-6, rtol=0)


def test_filters_wrap_around_the_border():
    codes = torch.zeros(1, 1, 6, 6)
    codes[0, 0, 5, 5] = 1.0
    signal = synthesize(codes, torch.tensor([[[[1.0, 2.0], [3.0, 4.0]]]]))[0, 0]
    assert signal[5, 5] == pytest.approx(1) and signal[5, 0] == pytest.approx(2)
    assert signal[0, 5] == pytest.approx(3) and signal[0, 0] == pytest.approx(4)


def test_codes_and_filters_that_do_not_fit_are_refused():
    with pytest.raises(ValueError, match="codes, dictionary: expected"):
        synthesize(torch.zeros(1, 2, 6, 6), torch.ones(3, 1, 2, 2))
    with pytest.raises(ValueError, match="dictionary: expected filters no larger than the signal"):
        synthesize(torch.zeros(1, 1, 6, 6), torch.ones(1, 1, 7, 7))


def test_filters_have_unit_norm_no_mean_and_differ():
    dictionary = planted_signals(1, seed=2, n_filters=12, filter_size=9).dictionary.flatten(1)
    torch.testing.assert_close(dictionary.norm(dim=1), torch.ones(12))
    assert dictionary.mean(1).abs().max() < 1e-6
    likeness = (dictionary @ dictionary.T).abs() - torch.eye(12)
    assert likeness.max() < 0.95


@pytest.mark.parametrize(("density", "count"), [(0.01, 82), (0.05, 410), (1e-6, 1)])
def test_every_signal_has_the_asked_number_of_coefficients(density, count):
    codes = planted_signals(4, seed=1, density=density).codes
    assert (codes != 0).flatten(1).sum(1).tolist() == [count] * 4
    sizes = codes[codes != 0].abs()
    assert sizes.min() >= 0.5 and sizes.max() <= 1.5


def test_noise_has_the_asked_size_and_leaves_the_codes_alone():
    quiet, loud = (planted_signals(8, seed=4, noise=noise) for noise in (0.0, 0.3))
    assert torch.equal(quiet.codes, loud.codes)
    # 8192 draws: four standard errors of a standard deviation are 3 %
    assert (loud.signals - quiet.signals).std().item() == pytest.approx(0.3, rel=0.031)


def test_a_given_dictionary_is_used_at_unit_norm():
    given = 3 * planted_signals(1, seed=9, n_filters=3, filter_size=4, channels=2).dictionary
    drawn = planted_signals(2, seed=0, dictionary=given)
    torch.testing.assert_close(drawn.dictionary, given / 3)
    assert drawn.signals.shape[1] == 2 and drawn.codes.shape[1] == 3


def test_the_same_seed_gives_the_same_bits_and_another_seed_others():
    first, again, other = (planted_signals(2, seed=seed, noise=0.1) for seed in (0, 0, 1))
    assert first.card.sha256 == again.card.sha256 != other.card.sha256
    assert torch.equal(first.signals, again.signals)


def test_the_splits_of_the_loader_share_one_dictionary():
    train, test = (load("convolutional_signals", split=split, size=24) for split in ("train", "test"))
    assert torch.equal(train.dictionary, test.dictionary)
    assert train.signals.shape == (32, 1, 24, 24)
    assert not torch.equal(train.codes[:16], test.codes)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"filter_size": 33}, "filter_size: expected at most the signal's side 32, got filters of 33x33"),
        ({"density": 0.0}, "density: expected a finite number > 0"),
        ({"density": 1.5}, "density: expected .* <= 1"),
        ({"noise": -0.1}, "noise: expected a finite number >= 0"),
        ({"n": 0}, "n: expected a finite number >= 1"),
        (
            {"dictionary": torch.ones(2, 1, 3, 3), "n_filters": 4},
            "n_filters: expected None with a dictionary",
        ),
        (
            {"dictionary": torch.ones(3, 3)},
            r"dictionary: expected float filters \(M, C, h, w\), got \(3, 3\)",
        ),
        ({"dictionary": torch.zeros(1, 1, 3, 3)}, "dictionary: expected filters that are not all zero"),
    ],
)
def test_requests_that_make_no_sense_are_refused(options, message):
    with pytest.raises(ValueError, match=message):
        planted_signals(**{"n": 2, "seed": 0, **options})
