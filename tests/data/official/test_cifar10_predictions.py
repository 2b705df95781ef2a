"""Predictions of published models and the votes beside them."""

import json

import numpy as np
import pytest

from blindspots.data import load
from blindspots.data.official.cifar10_predictions import read_cifar10_predictions

ROWS = {"vgg": [3, 8, 8, 0], "alexnet": [3, 1, 8, 9]}
FOLDER, FILE = "cifar10", "cifar10_test_model_predictions.npz"


@pytest.fixture
def root(tmp_path):
    (tmp_path / FOLDER).mkdir()
    np.savez(tmp_path / FOLDER / FILE, **{name: np.array(row, np.uint8) for name, row in ROWS.items()})
    votes = {"given": 3, "guessed": 1, "neither": 0, "both": 1}
    items = [{"id": n, "given_original_label": 7, "our_guessed_label": 5, "mturk": votes} for n in (1, 3)]
    (tmp_path / FOLDER / "cleanlab_cifar10_mturk.json").write_text(json.dumps(items))
    return tmp_path


def test_rows_are_models_in_alphabetical_order(root):
    found = load("cifar10_predictions", split="test", data_root=root)
    assert found.models == ("alexnet", "vgg") and len(found) == 4
    assert found.predictions.tolist() == [ROWS["alexnet"], ROWS["vgg"]]
    assert found.card.origin == "mirror" and "2 models" in found.card.notes


def test_the_votes_lie_beside_them(root):
    checked = load("cifar10_predictions", split="test", data_root=root).checked
    assert checked["image"].tolist() == [1, 3]
    assert checked.iloc[0].to_dict() == {
        "image": 1,
        "given": 7,
        "guessed": 5,
        "votes_given": 3,
        "votes_guessed": 1,
        "votes_both": 1,
        "votes_neither": 0,
    }
    (root / FOLDER / "cleanlab_cifar10_mturk.json").unlink()
    assert load("cifar10_predictions", split="test", data_root=root).checked is None


def test_limit_keeps_the_first_images(root):
    found = read_cifar10_predictions("test", None, 2, root)
    assert found.predictions.shape == (2, 2) and found.checked["image"].tolist() == [1]


@pytest.mark.parametrize(
    "rows",
    [{"a": [1, 2], "b": [1]}, {"a": [1.0, 2.0]}, {"a": [1, 10]}, {"a": [[1, 2]]}, {}],
    ids=["lengths", "fractions", "class 10", "a table", "nothing"],
)
def test_other_arrays_are_refused(rows, root):
    np.savez(root / FOLDER / FILE, **{name: np.array(row) for name, row in rows.items()})
    with pytest.raises(ValueError, match="one class 0 to 9 for each image"):
        read_cifar10_predictions("test", None, None, root)


def test_half_written_files_are_named(root):
    file = root / FOLDER / FILE
    file.write_bytes(file.read_bytes()[:-30])
    with pytest.raises(ValueError, match="half-written"):
        read_cifar10_predictions("test", None, None, root)


def test_other_votes_are_refused(root):
    (root / FOLDER / "cleanlab_cifar10_mturk.json").write_text('[{"id": 3}]')
    with pytest.raises(ValueError, match="given and guessed label"):
        read_cifar10_predictions("test", None, None, root)


def test_without_the_predictions_the_message_says_where_to_get_them(root):
    (root / FOLDER / FILE).unlink()
    with pytest.raises(FileNotFoundError, match="modestyachts"):
        read_cifar10_predictions("test", None, None, root)
