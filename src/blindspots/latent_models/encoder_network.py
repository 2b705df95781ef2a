"""An encoder for a generator that has none: a network trained on pairs of drawn latents and their images."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from blindspots.checks import check_number
from blindspots.models.optimization import EpochRecord, fit
from blindspots.models.split import seeded_construction


class LatentEncoder(nn.Module):
    """Strided convolutions and linear layers from images (N, C, H, W) and classes (N,) to latents (N, D)."""

    def __init__(self, maps: nn.Module, head: nn.Module, *, n_classes: int, spec: dict[str, Any]) -> None:
        super().__init__()
        self.maps, self.head, self.n_classes, self.spec = maps, head, n_classes, spec

    def forward(self, images: Tensor, labels: Tensor) -> Tensor:
        """Return latents (N, D) of images in [0, 1]."""
        maps = self.maps(2 * images - 1)
        return self.head(torch.cat([maps, F.one_hot(labels, self.n_classes).to(maps)], dim=1))


def latent_encoder(
    in_channels: int, n_classes: int, *, side: int, latent_size: int, width: int = 16, hidden: int = 128, seed: int
) -> LatentEncoder:
    """Build an encoder: convolutions of stride 2 until at most 8 pixels a side are left, and two linear layers.

    Args:
        in_channels, side: C, and the pixels of the square images; an even side of at least 8.
        n_classes: K, at least 1.
        latent_size: D.
        width: filters of the first convolution; they double, to four times as many at most.
        hidden: neurons before the latents.
        seed: decides the first weights.

    Returns:
        LatentEncoder in evaluation mode.
    """
    numbers = {"in_channels": in_channels, "n_classes": n_classes, "latent_size": latent_size, "width": width}
    for name, value in (numbers | {"hidden": hidden}).items():
        check_number(value, name, at_least=1, integer=True)
    check_number(side, "side", at_least=8, integer=True)
    with seeded_construction(seed):
        layers: list[nn.Module] = []
        channels, filters, left = in_channels, width, side
        while left > 8 or not layers:
            layers += [nn.Conv2d(channels, filters, 4, stride=2, padding=1), nn.ReLU()]
            channels, filters, left = filters, min(2 * filters, 4 * width), left // 2
        head = nn.Sequential(
            nn.Linear(channels * left**2 + n_classes, hidden), nn.ReLU(), nn.Linear(hidden, latent_size)
        )
    spec = {
        "name": "latent_encoder", "in_channels": in_channels, "n_classes": n_classes, "side": side,
        "latent_size": latent_size, "width": width, "hidden": hidden,
    }  # fmt: skip
    return LatentEncoder(nn.Sequential(*layers, nn.Flatten()), head, n_classes=n_classes, spec=spec).eval()


def train_encoder(
    encoder: LatentEncoder,
    decode: Callable[[Tensor, Tensor], Tensor],
    *,
    classes: Sequence[int],
    n_pairs: int = 4096,
    epochs: int = 10,
    batch_size: int = 64,
    learning_rate: float = 3e-3,
    image_weight: float = 1.0,
    seed: int,
    progress: bool = True,
) -> tuple[EpochRecord, ...]:
    """Train an encoder on pairs (l, decode(l, y)), l ~ N(0, I), y from the classes, changing it in place.

    Minimizes the mean over pairs of ||E(x) - l||^2 / D + w ||decode(E(x), y) - x||^2 / ||x - mean x||^2 by Adam with a
    one-cycle learning rate. The first term alone shrinks what the image does not decide toward 0; the second asks that
    the image comes back.

    Args:
        encoder: from `latent_encoder`.
        decode: latents (n, D) and classes (n,) -> images, differentiable; left as it is.
        classes: labels that decode knows, drawn with equal shares.
        n_pairs: how many pairs each epoch visits; new ones are drawn in each.
        epochs, batch_size, learning_rate, progress: as in `fit`.
        image_weight: w >= 0; 0 needs no gradients through the decoder and trains faster.
        seed: decides latents and classes.

    Returns:
        One EpochRecord per epoch; its loss is the sum above.

    Raises:
        TypeError, ValueError: bad options, or training that diverged.
    """
    if not isinstance(encoder, LatentEncoder):
        raise TypeError(f"encoder: expected a LatentEncoder, got {type(encoder).__name__}")
    if not classes or not all(0 <= label < encoder.n_classes for label in classes):
        raise ValueError(f"classes: expected labels in [0, {encoder.n_classes}), got {list(classes)}")
    check_number(image_weight, "image_weight", at_least=0.0)
    latent_size = encoder.spec["latent_size"]
    parameter = next(encoder.parameters())
    known = torch.tensor(list(classes), device=parameter.device)

    def batch_loss(indices: Tensor, draws: torch.Generator) -> Tensor:
        latents = torch.randn(len(indices), latent_size, generator=draws).to(parameter)
        labels = known[torch.randint(len(known), (len(indices),), generator=draws).to(known.device)]
        with torch.no_grad():
            images = decode(latents, labels)
        found = encoder(images, labels)
        loss = F.mse_loss(found, latents)
        if image_weight:
            spread = (images - images.mean(0)).square().mean().clamp_min(1e-12)
            loss = loss + image_weight * F.mse_loss(decode(found, labels), images) / spread
        return loss

    return fit(
        encoder, n_pairs, batch_loss, epochs=epochs, batch_size=batch_size, seed=seed, learning_rate=learning_rate,
        weight_decay=0.0, optimizer="adam", schedule="one_cycle", progress=progress, description="encoder",
    )  # fmt: skip
