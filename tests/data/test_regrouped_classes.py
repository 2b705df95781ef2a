"""Coarser classes: which image gets which label, what is left out, and what is refused."""

from dataclasses import replace

import pytest
import torch

from blindspots.data import Card, ImageSet, load, regrouped_classes

CARD = Card(name="tiny", title="", source="", licence="", citation="", origin="planted", sha256="abc", notes=("small",))
GROUPS = {"first": ["d", "a"], "second": ["c"]}


def tiny():
    return ImageSet(
        images=torch.arange(6, dtype=torch.float32).view(6, 1, 1, 1) / 6,
        labels=torch.tensor([0, 1, 2, 3, 2, 0]),
        class_names=tuple("abcd"),
        card=CARD,
        groups={"odd": torch.arange(6) % 2},
        extras={"row": torch.arange(6)},
    )


def test_each_image_gets_its_group_and_keeps_its_class():
    found = regrouped_classes(tiny(), GROUPS)
    assert found.labels.tolist() == [0, 1, 0, 1, 0] and found.class_names == ("first", "second")
    assert found.extras["row"].tolist() == [0, 2, 3, 4, 5], "class b is in no group"
    assert (found.images.flatten() * 6).round().tolist() == [0, 2, 3, 4, 5]
    names = [found.group_names["class"][index] for index in found.groups["class"]]
    assert names == ["a", "c", "d", "c", "a"] and found.groups["odd"].tolist() == [0, 0, 1, 0, 1]


def test_the_order_of_the_groups_is_that_of_the_labels():
    one = regrouped_classes(tiny(), GROUPS)
    other = regrouped_classes(tiny(), dict(reversed(GROUPS.items())))
    assert torch.equal(one.labels, 1 - other.labels) and torch.equal(one.images, other.images)


def test_the_card_says_what_was_joined_and_the_given_set_stays():
    given = tiny()
    card = regrouped_classes(given, GROUPS).card
    assert card.notes == ("small", "classes joined: first = d, a; second = c") and card.sha256 == "abc"
    assert given.labels.tolist() == [0, 1, 2, 3, 2, 0] and set(given.groups) == {"odd"}


def test_an_embedded_set_in_two_groups():
    photos = load("photos", split="test", size=32, limit=40)
    found = regrouped_classes(photos, {"made": ["temple", "rocket"], "grown": ["flower", "cat"]})
    assert len(found) == 16 and torch.bincount(found.labels).tolist() == [8, 8]


@pytest.mark.parametrize(
    ("groups", "message"),
    [
        ({"one": ["a"]}, "two or more"),
        ({"one": ["a"], "two": []}, "two or more"),
        ({"one": "ab", "two": ["c"]}, "a list of class names"),
        ({"one": ["a"], "two": ["z"]}, "the unknown z"),
        ({"one": ["a", "b"], "two": ["b"]}, "b more than once"),
    ],
)
def test_groups_that_do_not_fit_are_refused(groups, message):
    with pytest.raises(ValueError, match=f"groups: .*{message}"):
        regrouped_classes(tiny(), groups)


def test_a_set_that_cannot_be_grouped_is_refused():
    with pytest.raises(ValueError, match=r"expected some of the classes b, c, got none"):
        regrouped_classes(tiny().select(torch.tensor([0, 3])), {"one": ["b"], "two": ["c"]})
    twice = replace(tiny(), groups={"class": torch.zeros(6, dtype=torch.long)})
    with pytest.raises(ValueError, match='without a group named "class"'):
        regrouped_classes(twice, GROUPS)
