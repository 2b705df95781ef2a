"""What a loaded data set is."""

import torch

from blindspots.data import Card, ImageSet

CARD = Card(name="tiny", title="", source="", licence="", citation="", origin="planted")


def tiny(n=4):
    return ImageSet(
        images=torch.arange(n, dtype=torch.float32).view(n, 1, 1, 1) / n,
        labels=torch.arange(n),
        class_names=tuple("abcd"),
        card=CARD,
        groups={"odd": torch.arange(n) % 2},
        extras={
            "boxes": torch.arange(2 * n).view(n, 2),
            "order": (1, 2),
            "scale": torch.tensor([1.0, 2.0]),
        },
    )


def test_selecting_rows_takes_images_labels_groups_and_row_extras_alike():
    chosen = tiny().select(torch.tensor([3, 1]))
    assert chosen.images.flatten().tolist() == [0.75, 0.25]
    assert chosen.labels.tolist() == [3, 1]
    assert chosen.groups["odd"].tolist() == [1, 1]
    assert chosen.extras["boxes"].tolist() == [[6, 7], [2, 3]]
    assert chosen.extras["order"] == (1, 2)
    assert chosen.extras["scale"].tolist() == [1.0, 2.0]
