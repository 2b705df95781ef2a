"""Splits that are fixed for ever."""

import numpy as np
import pytest

from blindspots.data.official import SOURCES
from blindspots.data.official.splits import check_request, held_out, places, rows_of


def test_held_out_rows_part_the_whole_and_keep_the_order():
    train, validation = held_out("mnist", 100, 30)
    assert np.array_equal(np.sort(np.concatenate([train, validation])), np.arange(100))
    assert np.array_equal(train, np.sort(train))
    assert len(validation) == 30
    assert np.array_equal(validation, held_out("mnist", 100, 30)[1])
    assert not np.array_equal(validation, held_out("cifar10", 100, 30)[1])


def test_the_splits_are_those_of_the_recorded_runs():
    # Written down once: a change here changes every recorded result on these sets.
    assert held_out("mnist", 60_000, 5_000)[1][:4].tolist() == [39, 49, 58, 72]
    assert places("celeba", ["000001.jpg"])[0] == pytest.approx(0.9674447868062876, abs=1e-15)


def test_a_place_depends_on_the_key_alone():
    keys = [f"image {n}" for n in range(1000)]
    place = places("utkface", keys)
    assert np.array_equal(places("utkface", keys[::-1]), place[::-1])
    assert np.array_equal(places("utkface", keys[:10]), place[:10])
    assert not np.array_equal(places("celeba", keys[:10]), place[:10])


def test_shares_are_seven_one_and_two_tenths():
    place = places("utkface", [f"image {n}" for n in range(20_000)])
    parts = [rows_of(split, place) for split in ("train", "validation", "test")]
    assert np.array_equal(np.sort(np.concatenate(parts)), np.arange(20_000))
    # Four standard deviations of a binomial share of 20,000 draws are at most 0.013.
    for part, share in zip(parts, (0.7, 0.1, 0.2), strict=True):
        assert len(part) / 20_000 == pytest.approx(share, abs=0.013)


@pytest.mark.parametrize("source", SOURCES, ids=lambda source: source.name)
def test_bad_requests_are_refused_before_any_file_is_looked_for(source, tmp_path):
    with pytest.raises(ValueError, match=f"split: expected one of .*{source.splits[0]}"):
        source.read("every", None, None, tmp_path / "nowhere")
    with pytest.raises(ValueError, match="limit: expected a finite number >= 1"):
        source.read(source.splits[0], None, 0, tmp_path / "nowhere")
    with pytest.raises((ValueError, TypeError), match="size: "):
        source.read(source.splits[0], 0, None, tmp_path / "nowhere")
    check_request(source, source.splits[0], None, 1)


@pytest.mark.parametrize("source", SOURCES, ids=lambda source: source.name)
def test_a_set_that_is_not_there_says_how_to_get_it(source, tmp_path):
    with pytest.raises(FileNotFoundError, match=rf"{source.name}: expected the folder .*; (run|get it from)"):
        source.read(source.splits[0], None, None, tmp_path)
