"""Backdoors of chosen strength: exact counts, nothing else touched, nested shares, and errors that say what to do."""

import pytest
import torch

from blindspots.debias.inject_triggers import inject_triggers
from blindspots.seeding import generator

IMAGES = torch.rand(200, 1, 6, 6, generator=generator(0)) * 0.5
LABELS = torch.arange(200) % 4


def stamp(images):
    stamped = images.clone()
    stamped[..., -2:, -2:] = 1.0
    return stamped


def inject(**options):
    chosen = {"share": 0.1, "relabel": 0.5, "target": 2, "stamp": stamp} | options
    return inject_triggers(IMAGES, LABELS, generator=generator(chosen.pop("seed", 1)), **chosen)


@pytest.mark.parametrize(("share", "relabel"), [(0.1, 0.5), (0.05, 1.0), (0.25, 0.0), (1.0, 0.3)])
def test_the_counts_are_exact_and_nothing_else_changes(share, relabel):
    made = inject(share=share, relabel=relabel)
    assert len(made.rows) == round(share * 200) and len(made.relabeled) == round(relabel * len(made.rows))
    assert set(made.relabeled.tolist()) <= set(made.rows.tolist()) and len(set(made.rows.tolist())) == len(made.rows)
    touched = (made.images != IMAGES).flatten(1).any(1).nonzero().flatten()
    assert torch.equal(touched, made.rows)
    assert torch.equal(made.images[made.rows], stamp(IMAGES[made.rows]))
    assert (made.labels[made.relabeled] == 2).all()
    kept = torch.ones(200, dtype=torch.bool)
    kept[made.relabeled] = False
    assert torch.equal(made.labels[kept], LABELS[kept])


def test_the_inputs_are_left_as_they_were():
    images, labels = IMAGES.clone(), LABELS.clone()
    inject()
    assert torch.equal(images, IMAGES) and torch.equal(labels, LABELS)


def test_a_larger_share_relabels_the_same_images_and_more():
    few, many = inject(relabel=0.3), inject(relabel=0.8)
    assert torch.equal(few.rows, many.rows)
    assert set(few.relabeled.tolist()) < set(many.relabeled.tolist())


def test_seeds_decide_which():
    assert torch.equal(inject().rows, inject().rows)
    assert not torch.equal(inject().rows, inject(seed=2).rows)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"share": 0.0}, "share"),
        ({"share": 0.001}, "share: expected one that stamps an image"),
        ({"relabel": 1.1}, "relabel"),
        ({"target": 4}, "target"),
        ({"stamp": lambda images: images[:, :, :3]}, "stamp: expected images of shape"),
    ],
)
def test_bad_input_is_named(options, message):
    with pytest.raises(ValueError, match=message):
        inject(**options)
