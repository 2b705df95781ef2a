"""torchvision's two vision transformers in sizes for small images: ViT, and Swin with its shifted windows."""

from __future__ import annotations

from collections.abc import Sequence

from torch import Tensor, nn

from blindspots.checks import check_number
from blindspots.models.split import SplitClassifier, channel_statistics, seeded_construction


class SquareImages(nn.Module):
    """A network whose positions fit one image size, with an error that says so."""

    def __init__(self, network: nn.Module, side: int) -> None:
        super().__init__()
        self.network = network
        self.side = side

    def forward(self, images: Tensor) -> Tensor:
        """Return features (N, D) of images (N, 3, side, side)."""
        if images.shape[-2:] != (self.side, self.side):
            height, width = images.shape[-2:]
            raise ValueError(
                f"images: expected {self.side}x{self.side} pixels for this small_vit, got {height}x{width}; its "
                "positions are learned, so build it with the side of these images"
            )
        return self.network(images)


def small_vit(
    n_classes: int,
    *,
    side: int,
    patch: int = 4,
    depth: int = 2,
    width: int = 32,
    heads: int = 4,
    mean: Sequence[float] = (0.5,),
    std: Sequence[float] = (0.25,),
    seed: int,
) -> SplitClassifier:
    """Build a vision transformer: patches as tokens, a class token, learned positions, `depth` layers of attention.

    Args:
        n_classes: K, at least 2.
        side: of the square images (N, 3, side, side), a multiple of `patch`.
        patch: side of a patch in pixels (16 in ViT-B/16).
        depth: layers (12 there).
        width: numbers per token, a multiple of `heads` (768 there); the features have as many. The perceptrons of the
            layers are four times as wide.
        heads: of the attention (12 there).
        mean, std: normalize images in [0, 1]; one number, or one per channel.
        seed: decides the first weights.

    Returns:
        SplitClassifier in evaluation mode, on the CPU, float32.

    Raises:
        ValueError: a size that is too small, or one that another does not divide.

    Source: Dosovitskiy et al. (2021), An Image is Worth 16x16 Words, Sec. 3.1; torchvision's implementation.
    Differs from the paper: the head is drawn at random, where torchvision starts it at zero.
    """
    from torchvision.models import VisionTransformer

    _check_sizes(n_classes=n_classes, side=side, patch=patch, depth=depth, width=width, heads=heads)
    if side % patch:
        raise ValueError(f"side: expected a multiple of the patch of {patch} pixels, got {side}")
    if width % heads:
        raise ValueError(f"width: expected a multiple of {heads} heads, got {width}")
    means, deviations = channel_statistics(mean, std, 3)
    with seeded_construction(seed):
        network = VisionTransformer(side, patch, depth, heads, width, 4 * width, num_classes=n_classes)
        network.heads = nn.Identity()
        classifier = nn.Linear(width, n_classes)
    spec = {
        "name": "small_vit", "n_classes": n_classes, "side": side, "patch": patch, "depth": depth, "width": width,
        "heads": heads, "mean": means, "std": deviations,
    }  # fmt: skip
    return SplitClassifier(
        SquareImages(network, side), classifier, input_shape=(3, None, None), mean=means, std=deviations, spec=spec
    ).eval()


def small_swin(
    n_classes: int,
    *,
    patch: int = 2,
    depths: Sequence[int] = (1, 1),
    width: int = 16,
    heads: int = 2,
    window: int = 4,
    mean: Sequence[float] = (0.5,),
    std: Sequence[float] = (0.25,),
    seed: int,
) -> SplitClassifier:
    """Build a Swin transformer: attention within windows, which shift from layer to layer; patches merge by stages.

    Args:
        n_classes: K, at least 2.
        patch: side of a patch in pixels (4 in Swin-T). Images (N, 3, H, W) may have any size from a patch upwards.
        depths: layers of each stage (2, 2, 6, 2 there), two layers at least in all. Every second one shifts.
        width: numbers per patch in the first stage, a multiple of `heads` (96 there); each further stage has twice as
            many, the last being D of the features.
        heads: of the attention in the first stage (3 there); each further stage has twice as many.
        window: side of a window in patches, at least 2 (7 there).
        mean, std: normalize images in [0, 1]; one number, or one per channel.
        seed: decides the first weights.

    Returns:
        SplitClassifier in evaluation mode, on the CPU, float32.

    Raises:
        ValueError: a size that is too small, or one that another does not divide.

    Source: Liu et al. (2021), Swin Transformer, Sec. 3; torchvision's implementation.
    Differs from the paper: no layers are left out at random in training (stochastic depth).
    """
    from torchvision.models import SwinTransformer

    _check_sizes(n_classes=n_classes, patch=patch, width=width, heads=heads, window=window)
    depths = list(depths)
    for depth in depths:
        check_number(depth, "depths", at_least=1, integer=True)
    if sum(depths) < 2:
        raise ValueError(f"depths: expected two layers at least in all, got {depths}")
    if width % heads:
        raise ValueError(f"width: expected a multiple of {heads} heads, got {width}")
    means, deviations = channel_statistics(mean, std, 3)
    with seeded_construction(seed):
        network = SwinTransformer(
            [patch, patch], width, depths, [heads * 2**stage for stage in range(len(depths))], [window, window],
            stochastic_depth_prob=0.0, num_classes=n_classes,
        )  # fmt: skip
        network.head = nn.Identity()
        classifier = nn.Linear(width * 2 ** (len(depths) - 1), n_classes)
    spec = {
        "name": "small_swin", "n_classes": n_classes, "patch": patch, "depths": depths, "width": width, "heads": heads,
        "window": window, "mean": means, "std": deviations,
    }  # fmt: skip
    return SplitClassifier(
        network, classifier, input_shape=(3, None, None), mean=means, std=deviations, spec=spec, min_side=patch
    ).eval()


def _check_sizes(**sizes: int) -> None:
    least = {"n_classes": 2, "window": 2}
    for name, value in sizes.items():
        check_number(value, name, at_least=least.get(name, 1), integer=True)
