"""One generator per class, behind the interface of a class-conditional model."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor, nn

from blindspots.checks import check_number
from blindspots.latent_models.encode_by_optimization import encode_by_optimization
from blindspots.latent_models.encoder_network import LatentEncoder
from blindspots.latent_models.wgan_networks import WganGenerator
from blindspots.seeding import generator as make_generator


class GanFamily(nn.Module):
    """Generators by class; `decode` and `encode` take each row to the generator of its label.

    Args:
        generators: by label, of one latent size and image shape; some classes may have none.
        n_classes: K, as many labels as the classifiers know.
        encoder: a trained network; None encodes by optimization.
        refine: with an encoder, let its answer be one more start of the optimization.
        restarts, steps, learning_rate, seed: of `encode_by_optimization`; the same starts at every call. With an
            encoder that is not refined they are not used.

    Raises:
        ValueError: no generators, generators that do not go together, or a label outside [0, K).
    """

    def __init__(
        self, generators: Mapping[int, WganGenerator], *, n_classes: int, encoder: LatentEncoder | None = None,
        refine: bool = False, restarts: int = 4, steps: int = 40, learning_rate: float = 0.1, seed: int = 0,
    ) -> None:  # fmt: skip
        super().__init__()
        check_number(n_classes, "n_classes", at_least=1, integer=True)
        if not generators or not all(0 <= label < n_classes for label in generators):
            raise ValueError(f"generators: expected labels in [0, {n_classes}), got {sorted(generators)}")
        kinds = {(network.latent_size, network.image_shape) for network in generators.values()}
        if len(kinds) > 1:
            raise ValueError(f"generators: expected one latent size and image shape, got {sorted(kinds)}")
        self.latent_size, self.image_shape = kinds.pop()
        self.classes, self.n_classes = tuple(sorted(generators)), n_classes
        self.generators = nn.ModuleDict({str(label): generators[label] for label in self.classes})
        self.encoder, self.refine = encoder, refine
        self.restarts, self.steps, self.learning_rate, self.seed = restarts, steps, learning_rate, seed

    def decode(self, latents: Tensor, labels: Tensor) -> Tensor:
        """Return images (N, C, H, W) in [0, 1] of latents (N, D) and classes (N,), differentiable in the latents.

        Raises:
            ValueError: a label without a generator.
        """
        present = labels.unique().tolist()
        self._check(present)
        if len(present) == 1:
            return self.generators[str(present[0])](latents)
        rows = [(labels == label).nonzero().squeeze(1) for label in present]
        made = [self.generators[str(label)](latents[own]) for label, own in zip(present, rows, strict=True)]
        return torch.cat(made)[torch.cat(rows).argsort()]

    def encode(self, images: Tensor, labels: Tensor) -> Tensor:
        """Return latents (N, D) of images (N, C, H, W) in [0, 1] of classes (N,), without gradients.

        Raises:
            ValueError: a label without a generator, or bad images.
        """
        self._check(labels.unique().tolist())
        first = None
        if self.encoder is not None:
            with torch.no_grad():
                first = self.encoder(images, labels)
            if not self.refine:
                return first
        return encode_by_optimization(
            self.decode, images, labels, latent_size=self.latent_size, restarts=self.restarts, steps=self.steps,
            learning_rate=self.learning_rate, first=first, generator=make_generator(self.seed, "encode"),
        ).latents  # fmt: skip

    def _check(self, present: list[int]) -> None:
        if unknown := [label for label in present if label not in self.classes]:
            raise ValueError(
                f"labels: expected classes among {list(self.classes)}, got {unknown}; train their GANs too"
            )
