"""A multilayer perceptron for tables, or for images flattened to numbers."""

from __future__ import annotations

from collections.abc import Sequence

from torch import nn

from blindspots.checks import check_number
from blindspots.models.split import SplitClassifier, channel_statistics, seeded_construction


def mlp(
    n_features: int,
    n_classes: int,
    *,
    hidden: Sequence[int] = (512, 512),
    mean: Sequence[float] = (0.0,),
    std: Sequence[float] = (1.0,),
    seed: int,
) -> SplitClassifier:
    """Build a perceptron: a linear layer and a ReLU for each entry of `hidden`, then a linear head.

    Args:
        n_features: F of the rows (N, F); images whose C H W equals it are flattened.
        n_classes: K, at least 2.
        hidden: units of each hidden layer, at least one layer; the last is D of the features.
        mean: subtracted from the inputs; one number, or one per feature (a table's column means).
        std: divides them; > 0.
        seed: decides the first weights.

    Returns:
        SplitClassifier in evaluation mode, on the CPU, float32.

    Raises:
        ValueError: a size that is too small, no hidden layer, or statistics of another length.
    """
    check_number(n_features, "n_features", at_least=1, integer=True)
    check_number(n_classes, "n_classes", at_least=2, integer=True)
    sizes = [int(units) for units in hidden]
    if not sizes:
        raise ValueError("hidden: expected at least one layer, got none; a linear model has no penultimate features")
    for units in sizes:
        check_number(units, "hidden", at_least=1, integer=True)
    means, deviations = channel_statistics(mean, std, n_features)
    layers: list[nn.Module] = []
    with seeded_construction(seed):
        for inputs, outputs in zip([n_features, *sizes], sizes, strict=False):
            layers += [nn.Linear(inputs, outputs), nn.ReLU()]
        classifier = nn.Linear(sizes[-1], n_classes)
    spec = {
        "name": "mlp", "n_features": n_features, "n_classes": n_classes, "hidden": sizes, "mean": means,
        "std": deviations,
    }  # fmt: skip
    return SplitClassifier(
        nn.Sequential(*layers), classifier, input_shape=(n_features,), mean=means, std=deviations, spec=spec
    ).eval()
