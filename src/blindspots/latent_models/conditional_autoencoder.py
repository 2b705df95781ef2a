"""A class-conditional autoencoder whose latents, class by class, have mean 0 and covariance I."""

from __future__ import annotations

from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from blindspots.checks import check_images, check_labels, check_number
from blindspots.models.split import seeded_construction

_WIDEST = 64


class ConditionalAutoencoder(nn.Module):
    """An encoder and a decoder that both know the class, with an affine map per class between them.

    The networks work with codes (N, D). What the outside sees are latents, l = W_y (c - m_y), where m_y and W_y center
    and whiten the codes of class y (`fit_whitening`); before that they are 0 and I.
    """

    def __init__(
        self, encoder: nn.Module, decoder: nn.Module, *, latent_size: int, n_classes: int,
        image_shape: tuple[int, int, int], spec: dict[str, Any],
    ) -> None:  # fmt: skip
        super().__init__()
        self.encoder_maps = encoder
        hidden = spec["hidden"]
        with torch.no_grad():
            n_maps = encoder(torch.zeros(1, *image_shape)).shape[1]
        self.encoder_hidden = nn.Linear(n_maps + n_classes, hidden)
        self.encoder_codes = nn.Linear(hidden, 2 * latent_size)
        self.decoder = decoder
        self.classes = tuple(range(n_classes))
        self.latent_size, self.n_classes, self.image_shape, self.spec = latent_size, n_classes, image_shape, spec
        self.register_buffer("centers", torch.zeros(n_classes, latent_size))
        self.register_buffer("whitening", torch.eye(latent_size).repeat(n_classes, 1, 1))
        self.register_buffer("coloring", torch.eye(latent_size).repeat(n_classes, 1, 1))

    def encode_codes(self, images: Tensor, labels: Tensor) -> tuple[Tensor, Tensor]:
        """Return means and log variances (N, D) of the codes of images (N, C, H, W) in [0, 1] and classes (N,)."""
        if images.ndim != 4 or tuple(images.shape[1:]) != self.image_shape:
            raise ValueError(
                f"images: expected shape (N, {', '.join(map(str, self.image_shape))}) for this autoencoder, "
                f"got {tuple(images.shape)}; build it for these images"
            )
        maps = self.encoder_maps(2 * images - 1)
        hidden = F.relu(self.encoder_hidden(torch.cat([maps, self._one_hot(labels, maps)], dim=1)))
        means, log_variances = self.encoder_codes(hidden).chunk(2, dim=1)
        return means, log_variances.clamp(-12.0, 4.0)

    def decode_codes(self, codes: Tensor, labels: Tensor) -> Tensor:
        """Return images in [0, 1] of codes (N, D) and classes (N,)."""
        return torch.sigmoid(self.decoder(torch.cat([codes, self._one_hot(labels, codes)], dim=1)))

    def encode(self, images: Tensor, labels: Tensor) -> Tensor:
        """Return latents (N, D), the whitened means of the codes."""
        means = self.encode_codes(images, labels)[0]
        return torch.einsum("nij,nj->ni", self.whitening[labels], means - self.centers[labels])

    def decode(self, latents: Tensor, labels: Tensor) -> Tensor:
        """Return images (N, C, H, W) in [0, 1] of latents (N, D) and classes (N,)."""
        return self.decode_codes(
            self.centers[labels] + torch.einsum("nij,nj->ni", self.coloring[labels], latents), labels
        )

    def forward(self, images: Tensor, labels: Tensor) -> Tensor:
        """Return the reconstruction, the shape of images."""
        return self.decode_codes(self.encode_codes(images, labels)[0], labels)

    @torch.no_grad()
    def fit_whitening(self, images: Tensor, labels: Tensor, *, batch_size: int = 256) -> None:
        """Set each class's affine map so that the latents of these images have mean 0 and covariance I.

        The whitening is the symmetric one, C_y^(-1/2), which turns codes as little as possible. Deviations along an
        axis are raised to a thousandth of the class's largest, so that a code nobody uses is not blown up.

        Args:
            images: (N, C, H, W) in [0, 1], at least two of each class; more than D of each for full covariances.
            labels: (N,) integers in [0, K).
            batch_size: images per forward pass.

        Raises:
            ValueError: bad images or labels, or a class with fewer than two images.
        """
        check_images(images)
        check_labels(labels, len(images), n_classes=self.n_classes)
        counts = torch.bincount(labels, minlength=self.n_classes)
        if counts.min() < 2:
            short = int(counts.argmin())
            raise ValueError(f"labels: expected at least 2 images of each class, got {counts.min()} of class {short}")
        device, dtype = self.centers.device, self.centers.dtype
        codes = torch.cat([
            self.encode_codes(part.to(device, dtype), classes.to(device))[0]
            for part, classes in zip(images.split(batch_size), labels.split(batch_size), strict=True)
        ]).double()  # fmt: skip
        for label in range(self.n_classes):
            own = codes[labels.to(device) == label]
            center = own.mean(0)
            covariance = (own - center).T @ (own - center) / (len(own) - 1)
            values, vectors = torch.linalg.eigh(covariance)
            deviations = values.clamp_min(0).sqrt()
            deviations = deviations.clamp_min(max(1e-3 * deviations.max().item(), 1e-6))
            self.centers[label] = center.to(dtype)
            self.whitening[label] = (vectors / deviations @ vectors.T).to(dtype)
            self.coloring[label] = (vectors * deviations @ vectors.T).to(dtype)

    def _one_hot(self, labels: Tensor, like: Tensor) -> Tensor:
        return F.one_hot(labels, self.n_classes).to(like)


def conditional_autoencoder(
    in_channels: int, n_classes: int, *, side: int, latent_size: int = 16, width: int = 16, hidden: int = 128, seed: int
) -> ConditionalAutoencoder:
    """Build a class-conditional autoencoder: strided convolutions, linear layers, and sub-pixel convolutions.

    The side is halved two times, at 64 pixels three and at 128 four, so that maps of 7 or 8 pixels (16 of a small
    even side) remain; channels double from `width` to at most 64.

    Args:
        in_channels: C of the images (N, C, side, side).
        n_classes: K, at least 1.
        side: a multiple of 4 pixels (of 8 from 64 on, of 16 from 128 on).
        latent_size: D.
        width: filters of the first convolution.
        hidden: neurons between maps and codes, on both ways.
        seed: decides the first weights.

    Returns:
        ConditionalAutoencoder in evaluation mode, on the CPU, float32.

    Raises:
        ValueError: a size that is too small, or a side that cannot be halved so often.
    """
    numbers = {"in_channels": in_channels, "n_classes": n_classes, "latent_size": latent_size, "width": width}
    for name, value in (numbers | {"hidden": hidden}).items():
        check_number(value, name, at_least=1, integer=True)
    check_number(side, "side", at_least=8, integer=True)
    halvings = 2 if side < 64 else 3 if side < 128 else 4
    if side % 2**halvings:
        raise ValueError(f"side: expected a multiple of {2**halvings} pixels, got {side}; pad or crop the images")
    widths = [min(width * 2**step, max(_WIDEST, width)) for step in range(halvings)]
    small = side // 2**halvings
    with seeded_construction(seed):
        encoder: list[nn.Module] = []
        channels = in_channels
        for filters in widths:
            encoder += [nn.Conv2d(channels, filters, 4, stride=2, padding=1), nn.ReLU()]
            channels = filters
        decoder: list[nn.Module] = [
            nn.Linear(latent_size + n_classes, hidden), nn.ReLU(),
            nn.Linear(hidden, channels * small * small), nn.ReLU(), nn.Unflatten(1, (channels, small, small)),
        ]  # fmt: skip
        for filters in [*reversed(widths[:-1]), in_channels]:
            decoder += [nn.Conv2d(channels, 4 * filters, 3, padding=1), nn.PixelShuffle(2), nn.ReLU()]
            channels = filters
        spec = {
            "name": "conditional_autoencoder", "in_channels": in_channels, "n_classes": n_classes, "side": side,
            "latent_size": latent_size, "width": width, "hidden": hidden,
        }  # fmt: skip
        model = ConditionalAutoencoder(
            nn.Sequential(*encoder, nn.Flatten()), nn.Sequential(*decoder[:-1]), latent_size=latent_size,
            n_classes=n_classes, image_shape=(in_channels, side, side), spec=spec,
        )  # fmt: skip
    return model.eval()
