"""Toy faces with planted attributes."""

import pytest
import torch

from blindspots.data import fingerprint, load
from blindspots.data.planted import ATTRIBUTES, flip_attribute, phi_coefficient, planted_faces


def test_a_chosen_correlation_and_prevalence_are_in_the_groups():
    faces = planted_faces(
        400, seed=1, size=16, correlations={("glasses", "smile"): 0.6}, prevalences={"hat": 0.25}
    )
    # half a face in one cell of 400 moves phi by 0.5 / (400 * 0.25)
    assert phi_coefficient(faces.groups["glasses"], faces.groups["smile"]) == pytest.approx(0.6, abs=0.0051)
    assert faces.groups["hat"].sum() == 100
    assert abs(phi_coefficient(faces.groups["hat"], faces.groups["smile"])) < 4 / 400**0.5


def test_the_label_is_the_chosen_attribute():
    faces = planted_faces(30, seed=0, size=16, label="lipstick")
    assert torch.equal(faces.labels, faces.groups["lipstick"])
    assert faces.class_names == ("no lipstick", "lipstick")
    assert torch.equal(planted_faces(30, seed=0, size=16).labels, faces.groups["smile"])


def test_groups_are_the_columns_of_the_attributes():
    faces = planted_faces(20, seed=0, size=16)
    assert set(faces.groups) == set(ATTRIBUTES) and len(ATTRIBUTES) >= 10
    for column, name in enumerate(ATTRIBUTES):
        assert torch.equal(faces.groups[name], faces.extras["attributes"][:, column].long())
        assert len(faces.group_names[name]) == 2


def test_the_same_seed_gives_the_same_bits_and_another_seed_others():
    first, again, other = (planted_faces(20, seed=seed, size=32) for seed in (5, 5, 6))
    assert torch.equal(first.images, again.images) and first.card.sha256 == again.card.sha256
    assert first.card.sha256 != other.card.sha256


def test_a_correlation_changes_attributes_and_not_the_people():
    plain = planted_faces(50, seed=2, size=16)
    tied = planted_faces(50, seed=2, size=16, correlations={("hat", "beard"): 0.8})
    assert torch.equal(plain.extras["variations"], tied.extras["variations"])
    assert not torch.equal(plain.extras["attributes"], tied.extras["attributes"])


def test_flipping_an_attribute_twice_gives_the_faces_back():
    faces = planted_faces(15, seed=3, size=32)
    once = flip_attribute(faces, "smile")
    assert torch.equal(once.labels, 1 - faces.labels)
    assert torch.equal(once.groups["hat"], faces.groups["hat"])
    assert ((once.images - faces.images).abs().flatten(1).amax(1) > 0.05).all()
    assert once.card.sha256 != faces.card.sha256
    assert torch.equal(flip_attribute(once, "smile").images, faces.images)


def test_flipping_works_on_selected_rows_and_leaves_the_original_alone():
    faces = planted_faces(40, seed=3, size=32)
    before = fingerprint(faces.images, faces.extras["attributes"])
    chosen = faces.select(torch.tensor([7, 2]))
    flipped = flip_attribute(flip_attribute(chosen, "glasses"), "glasses")
    # drawn in other company: float32 rounding
    torch.testing.assert_close(flipped.images, faces.images[[7, 2]], atol=1e-5, rtol=0)
    assert fingerprint(faces.images, faces.extras["attributes"]) == before


def test_the_loader_draws_independent_attributes_and_the_same_faces_whatever_the_limit():
    few, more = (load("toy_faces", split="validation", size=32, limit=limit) for limit in (3, 140))
    assert torch.equal(few.images, more.images[:3])
    everything = load("toy_faces", split="train", size=32)
    assert everything.labels.float().mean() == 0.5
    assert abs(phi_coefficient(everything.groups["glasses"], everything.groups["smile"])) < 4 / 2000**0.5


def test_a_linear_probe_learns_every_attribute():
    # ridge regression on pixels; bushy eyebrows are one pixel high at this size, so a bound below the others'
    train, test = (load("toy_faces", split=split, size=32) for split in ("train", "test"))
    inputs, probes = (
        torch.cat([faces.images.flatten(1), torch.ones(len(faces), 1)], 1).double()
        for faces in (train, test)
    )
    targets = 2 * train.extras["attributes"].double() - 1
    gram = inputs @ inputs.T + 3 * torch.eye(len(train), dtype=torch.float64)
    scores = probes @ (inputs.T @ torch.linalg.solve(gram, targets))
    accuracy = ((scores > 0) == test.extras["attributes"]).double().mean(0)
    assert accuracy.min() > 0.85 and accuracy.median() > 0.98


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"n": 0}, "n: expected a finite number >= 1"),
        ({"size": 8}, "size: expected a finite number >= 16"),
        ({"label": "joy"}, "label: expected one of long_hair, .*; got 'joy'"),
        ({"correlations": {("hat", "joy"): 0.5}}, "correlations: expected one of long_hair, .*; got 'joy'"),
        ({"correlations": {("hat", "smile"): 0.9}, "prevalences": {"hat": 0.1}}, "expected a phi in"),
    ],
)
def test_requests_that_make_no_sense_are_refused(options, message):
    with pytest.raises(ValueError, match=message):
        planted_faces(**{"n": 20, "seed": 0, "size": 16, **options})


def test_other_images_are_not_flipped():
    with pytest.raises(ValueError, match="faces: expected toy faces with their attributes, got 'digits'"):
        flip_attribute(load("digits", split="test", limit=2), "smile")
