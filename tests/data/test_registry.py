"""One loader by name."""

import dataclasses
import time

import pytest
import torch

from blindspots.data import catalogue, describe, fingerprint, load

WITHOUT_DOWNLOAD = [source.name for source in catalogue() if source.tier != "official"]
IMAGES = [name for name in WITHOUT_DOWNLOAD if name not in ("health", "convolutional_signals")]


def tensors(loaded):
    for part in dataclasses.fields(loaded):
        value = getattr(loaded, part.name)
        for item in (value[key] for key in sorted(value)) if isinstance(value, dict) else [value]:
            if isinstance(item, torch.Tensor):
                yield item


def test_catalogue_lists_distinct_names_in_the_order_of_the_tiers():
    names = [source.name for source in catalogue()]
    assert len(set(names)) == len(names)
    assert {"digits", "photos", "faces-25", "health"} <= set(names)
    tiers = [source.tier for source in catalogue()]
    assert tiers == sorted(tiers, key=("embedded", "planted", "official").index)


def test_every_source_says_what_it_is():
    for source in catalogue():
        assert source.title and source.summary and source.licence and source.splits, source.name


def test_an_unknown_name_is_refused_with_the_closest_one():
    with pytest.raises(ValueError, match=r"name: expected one of digits, .*; did you mean 'digits'\?"):
        load("digit", split="train")


def test_a_name_that_is_not_text_is_refused():
    with pytest.raises(TypeError, match="name: expected the name of a data set, got int 3"):
        describe(3)


def test_an_unknown_split_is_refused_with_the_known_ones():
    with pytest.raises(ValueError, match="expected one of train, validation, test for 'digits'; got 'dev'"):
        load("digits", split="dev")


def test_a_size_the_set_does_not_have_is_refused_with_those_it_has():
    with pytest.raises(ValueError, match="size: expected one of 32, 64, 128 pixels for 'photos'; got 48"):
        load("photos", split="test", size=48)


def test_a_size_for_a_table_is_refused():
    with pytest.raises(ValueError, match="size: 'health' has no image size, got 32; leave it out"):
        load("health", split="test", size=32)


@pytest.mark.parametrize(
    ("limit", "error"), [(0, ValueError), (-3, ValueError), (2.0, TypeError), (True, TypeError)]
)
def test_a_limit_that_is_no_positive_integer_is_refused(limit, error):
    with pytest.raises(error, match="limit: expected"):
        load("digits", split="test", limit=limit)


@pytest.mark.parametrize("name", WITHOUT_DOWNLOAD)
def test_the_card_names_split_origin_and_fingerprint(name):
    loaded = load(name, split="test", limit=7)
    assert loaded.card.split == "test"
    assert loaded.card.origin == describe(name).tier
    assert loaded.card.sha256 == fingerprint(*tensors(loaded))
    assert len(loaded) == 7
    assert loaded.card.licence and loaded.card.citation and loaded.card.source


@pytest.mark.parametrize("name", WITHOUT_DOWNLOAD)
def test_splits_differ_and_a_limit_is_the_start_of_the_split(name):
    first, again, other = (
        load(name, split=s, limit=n) for s, n in (("test", 12), ("test", 5), ("train", 12))
    )
    main = next(name for name in ("images", "features", "signals") if hasattr(first, name))
    assert torch.equal(getattr(first, main)[:5], getattr(again, main))
    if hasattr(first, "labels"):
        assert torch.equal(first.labels[:5], again.labels)
    assert first.card.sha256 != other.card.sha256
    assert not torch.equal(getattr(first, main), getattr(other, main))


@pytest.mark.parametrize("name", WITHOUT_DOWNLOAD)
def test_what_a_caller_does_to_the_tensors_changes_no_later_load(name):
    spoiled = load(name, split="test", limit=3)
    before = spoiled.card.sha256
    for tensor in tensors(spoiled):
        tensor.zero_()
    assert load(name, split="test", limit=3).card.sha256 == before


@pytest.mark.parametrize("name", IMAGES)
def test_images_are_float32_in_the_unit_range_at_every_size(name):
    for size in describe(name).sizes or (None,):
        loaded = load(name, split="test", size=size, limit=4)
        assert loaded.images.dtype == torch.float32
        assert loaded.images.min() >= 0 and loaded.images.max() <= 1
        if size is not None:
            assert loaded.images.shape[-2:] == (size, size)


def test_loading_is_quick():
    # generous: about 1.2 s and 0.8 s on one slow core
    for name, budget in (("digits", 6.0), ("photos", 6.0)):
        started = time.perf_counter()
        load(name, split="train")
        assert time.perf_counter() - started < budget, name
