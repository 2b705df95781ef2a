"""Networks whose gradient bends but never jumps: the digit network of Sinha et al., and a perceptron of its kind."""

from __future__ import annotations

from torch import nn

from blindspots.checks import check_number
from blindspots.models.split import SplitClassifier, seeded_construction


def elu_cnn(in_channels: int, n_classes: int, *, side: int, width: int = 64, seed: int) -> SplitClassifier:
    """Build three convolutions, 8x8, 6x6 and 5x5, with `width`, 2 `width` and 2 `width` filters and ELU, and a head.

    The first two have stride 2, and only the first is padded: 28 pixels become 14, 5 and 1. ELU has a continuous first
    derivative, where ReLU's jumps, so the loss's gradient in the image is Lipschitz, which a certificate needs.

    Args:
        in_channels: C of the images (N, C, side, side).
        n_classes: K, at least 2.
        side: of the square images in pixels, at least 28.
        width: filters of the first convolution.
        seed: decides the first weights.

    Returns:
        SplitClassifier in evaluation mode, on the CPU, float32. Images are not normalized.

    Raises:
        ValueError: a size that is too small.

    Source: Sinha, Namkoong and Duchi (2018), their digit experiment.
    Differs from the paper: it states the filters' sizes and ELU only; strides, padding and width are those of the
    small network of the cleverhans library, on which their code builds.
    """
    check_number(in_channels, "in_channels", at_least=1, integer=True)
    check_number(n_classes, "n_classes", at_least=2, integer=True)
    check_number(side, "side", at_least=28, integer=True)
    check_number(width, "width", at_least=1, integer=True)
    left = (((side - 2) // 2 + 1 - 6) // 2 + 1) - 4
    with seeded_construction(seed):
        features = nn.Sequential(
            nn.Conv2d(in_channels, width, 8, stride=2, padding=3), nn.ELU(),
            nn.Conv2d(width, 2 * width, 6, stride=2), nn.ELU(),
            nn.Conv2d(2 * width, 2 * width, 5), nn.ELU(), nn.Flatten(),
        )  # fmt: skip
        classifier = nn.Linear(2 * width * left * left, n_classes)
    spec = {"name": "elu_cnn", "in_channels": in_channels, "n_classes": n_classes, "side": side, "width": width}
    return SplitClassifier(
        features, classifier, input_shape=(in_channels, None, None), mean=(0.0,), std=(1.0,), spec=spec, min_side=side
    ).eval()


def elu_perceptron(n_features: int, n_classes: int, *, hidden: int = 64, seed: int) -> SplitClassifier:
    """Build logits = V elu(W x + b) + c, small enough that its loss's smoothness has a bound on paper.

    Args:
        n_features: F of the rows (N, F); images whose C H W equals it are flattened.
        n_classes: K, at least 2.
        hidden: rows of W.
        seed: decides the first weights.

    Returns:
        SplitClassifier in evaluation mode, on the CPU, float32; W is `features[0].weight`, V `classifier.weight`.
        Inputs are not normalized.

    Raises:
        ValueError: a size that is too small.
    """
    check_number(n_features, "n_features", at_least=1, integer=True)
    check_number(n_classes, "n_classes", at_least=2, integer=True)
    check_number(hidden, "hidden", at_least=1, integer=True)
    with seeded_construction(seed):
        features = nn.Sequential(nn.Linear(n_features, hidden), nn.ELU())
        classifier = nn.Linear(hidden, n_classes)
    spec = {"name": "elu_perceptron", "n_features": n_features, "n_classes": n_classes, "hidden": hidden}
    return SplitClassifier(features, classifier, input_shape=(n_features,), mean=(0.0,), std=(1.0,), spec=spec).eval()
