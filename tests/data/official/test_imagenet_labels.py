"""Reassessed ImageNet labels: answers as votes, optional files, damaged files."""

import gzip

import numpy as np
import pytest
import torch

from blindspots.data import load
from blindspots.data.official.imagenet_labels import original_labels, read_imagenet_labels


def test_answers_are_no_maybe_yes_or_not_asked(imagenet_labels):
    labels = load("imagenet_labels", split="validation", data_root=imagenet_labels)
    assert labels.real == ((), (970, 795), (3,), (4, 5))
    assert labels.raters.images.tolist() == [1, 1, 3]
    assert labels.raters.labels.tolist() == [970, 3, 5]
    assert labels.raters.answers.tolist() == [[2, 1, -1], [-1, -1, 0], [2, 2, -1]]
    assert labels.raters.raters.tolist() == [7, 8, 9]


def test_votes_are_one_zero_or_not_a_number(imagenet_labels):
    raters = read_imagenet_labels("validation", None, None, imagenet_labels).raters
    assert torch.nansum(raters.votes(), dim=1).tolist() == [1.0, 0.0, 2.0]
    assert torch.nansum(raters.votes(maybe_counts=True), dim=1).tolist() == [2.0, 0.0, 2.0]
    assert torch.isfinite(raters.votes()).sum(dim=1).tolist() == [2, 1, 2]


def test_optional_files_are_read_where_they_are(imagenet_labels):
    labels = read_imagenet_labels("validation", None, None, imagenet_labels)
    assert labels.original.tolist() == [65, 970, 3, 9]
    assert labels.predicted.tolist() == [57, 795, 3, 4]
    assert labels.checked.iloc[0].tolist() == [1, 970, 795, 3, 1, 1, 0]
    errors = labels.published_errors.set_index(["model", "size"])
    assert list(errors.columns) == ["error", "top5_error", "real_error", "real_top5_error"]
    assert len(errors) == 3 and errors.loc[("a", 224)].tolist() == [10.5, 3.0, 7.25, 2.0]
    assert errors.loc[("a", 288)].tolist() == [9.5, 2.5, 6.25, 1.5]
    assert labels.golden is None


def test_without_optional_files_the_rest_still_loads(imagenet_labels):
    for file in (imagenet_labels / "imagenet_labels").iterdir():
        if file.name not in ("real.json", "raters.npz"):
            file.unlink()
    labels = read_imagenet_labels("validation", None, None, imagenet_labels)
    assert labels.original is labels.predicted is labels.checked is labels.published_errors is None


def test_archives_may_begin_with_real(imagenet_labels):
    folder = imagenet_labels / "imagenet_labels"
    first = read_imagenet_labels("validation", None, None, imagenet_labels)
    (folder / "raters.npz").rename(folder / "real_raters.npz")
    (folder / "real_golden.npz").write_bytes((folder / "real_raters.npz").read_bytes())
    second = read_imagenet_labels("validation", None, None, imagenet_labels)
    assert second.card.sha256 == first.card.sha256
    assert torch.equal(second.golden.answers, first.raters.answers)


def test_limit_keeps_the_first_images_and_their_questions(imagenet_labels):
    labels = read_imagenet_labels("validation", None, 2, imagenet_labels)
    assert len(labels) == 2
    assert labels.raters.images.tolist() == [1, 1]
    assert len(labels.original) == 2
    assert len(read_imagenet_labels("validation", None, 1, imagenet_labels).checked) == 0


def test_missing_files_are_named(imagenet_labels):
    (imagenet_labels / "imagenet_labels/raters.npz").unlink()
    with pytest.raises(FileNotFoundError, match=r"expected raters.npz"):
        read_imagenet_labels("validation", None, None, imagenet_labels)


def _with_arrays(change):
    def damage(folder):
        with np.load(folder / "raters.npz") as stored:
            arrays = dict(stored)
        change(arrays)
        np.savez(folder / "raters.npz", **arrays)

    return damage


def _cut(name, n_bytes):
    return lambda folder: (folder / name).write_bytes((folder / name).read_bytes()[:n_bytes])


@pytest.mark.parametrize(
    ("damage", "message"),
    [
        (_cut("real.json", 12), r"whole JSON in .*real\.json"),
        (lambda folder: (folder / "real.json").write_text("[[1000]]"), "labels 0 to 999"),
        (_cut("raters.npz", 300), r"a NumPy archive .*raters\.npz"),
        (_cut("imagenet_val_labels_and_cv_pred.csv.gz", 40), "packed rows of val_id"),
        (_cut("cleanlab_imagenet_mturk.json", 40), "whole JSON"),
        (_with_arrays(lambda arrays: arrays.update(ids=np.arange(2))), r"tensor \(R, Q, 3\)"),
        (_with_arrays(lambda arrays: arrays["tensor"][0, 0].fill(1)), "at most one answer"),
        (_with_arrays(lambda arrays: arrays["info"].__setitem__((0, 0), "x.JPEG")), "info of file name"),
        (_with_arrays(lambda arrays: arrays["info"].__setitem__((0, 1), "1000")), "images 1 to 4, labels"),
    ],
    ids=["json", "label", "archive", "packed", "votes", "ids", "answers", "name", "class"],
)
def test_a_damaged_file_says_what_is_wrong(damage, message, imagenet_labels):
    damage(imagenet_labels / "imagenet_labels")
    with pytest.raises(ValueError, match=message):
        read_imagenet_labels("validation", None, None, imagenet_labels)


def test_original_labels_by_image_and_synset(imagenet_labels):
    by_image, by_synset = original_labels(imagenet_labels)
    assert by_image == {1: 65, 2: 970, 3: 3, 4: 9}
    assert by_synset == {"n1": 65, "n2": 970, "n3": 3, "n4": 9}
    file = imagenet_labels / "imagenet_labels" / "imagenet_val_labels_and_cv_pred.csv.gz"
    with gzip.open(file, "rt") as stream:
        text = stream.read()
    with gzip.open(file, "wt") as stream:
        stream.write(text.replace("n4", "n3"))
    with pytest.raises(ValueError, match=r"one label of a synset.*3 and 9 for n3"):
        original_labels(imagenet_labels)
    file.unlink()
    assert original_labels(imagenet_labels) is None


def test_answers_about_some_images_are_counted_anew(imagenet_labels):
    raters = read_imagenet_labels("validation", None, None, imagenet_labels).raters
    some = raters.about(torch.tensor([3, 0, 1]))
    assert some.images.tolist() == [2, 2, 0]
    assert some.labels.tolist() == [970, 3, 5]
    assert some.answers.tolist() == [[2, 1, -1], [-1, -1, 0], [2, 2, -1]]
    assert len(raters.about(torch.tensor([0]))) == 0
