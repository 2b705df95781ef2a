"""Attackers who know the defense: a purifier and a model as one classifier that any attack can differentiate."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor, nn

from blindspots import checks
from blindspots.purify.straight_through import straight_through
from blindspots.purify.tikhonov import tikhonov_split
from blindspots.types import Classifier, Images, Logits

BACKWARDS = ("identity", "low_pass", "unrolled", "exact")

Purify = Callable[[Tensor], Tensor]
"""images (N, C, H, W) in [0, 1] -> images of the same shape, in [0, 1]."""


class Defended(nn.Module):
    """A classifier made by `defended`: images (N, C, H, W) in [0, 1] -> logits (N, K) of the purified images.

    A module, so that an attack finds the model inside it, and puts it in evaluation mode and back.
    """

    def __init__(self, model: Classifier, purify: Purify, backward: str | Purify, samples: int) -> None:
        super().__init__()
        self.model = model
        self.purify = purify
        self.backward_pass = backward
        self.samples = samples

    def forward(self, images: Tensor) -> Logits:
        """Return the mean over the samples of the model's logits on purified images."""
        if self.samples == 1:
            return self.model(self.purified(images))
        return torch.stack([self.model(self.purified(images)) for _ in range(self.samples)]).mean(dim=0)

    def purified(self, images: Tensor) -> Images:
        """Return what the defense makes of images, with the gradient of the chosen backward pass."""
        if not (images.requires_grad and torch.is_grad_enabled()):
            with torch.no_grad():
                return self._checked(self.purify(images), images)
        if self.backward_pass in ("exact", "unrolled"):
            found = self.purify(images) if self.backward_pass == "exact" else self.purify.unrolled(images)
            if not found.requires_grad:
                raise ValueError(
                    "purify: expected images that depend on the given ones differentiably, got images without a "
                    'gradient; use backward="identity"'
                )
            return self._checked(found, images)
        with torch.no_grad():
            values = self._checked(self.purify(images.detach()), images)
        if self.backward_pass == "identity":
            return straight_through(values, images)
        if self.backward_pass == "low_pass":
            split = getattr(self.purify, "low_and_high", tikhonov_split)
            return straight_through(values, split(images)[0])
        return straight_through(values, self._checked(self.backward_pass(images), images, "backward"))

    @staticmethod
    def _checked(found: object, images: Images, name: str = "purify") -> Images:
        if not isinstance(found, Tensor) or found.shape != images.shape:
            got = tuple(found.shape) if isinstance(found, Tensor) else type(found).__name__
            raise ValueError(
                f"{name}: expected images {tuple(images.shape)}, as given, got {got}; a defense that answers with "
                "something else than images cannot be used here"
            )
        return found


def defended(model: Classifier, purify: Purify, *, backward: str | Purify = "identity", samples: int = 1) -> Defended:
    r"""Join a purifier and a model to one classifier, which an attack can follow as if nothing were hidden.

    The forward pass is the true defense, logits = model(purify(x)), to the bit. What the gradient does at the
    purifier, which has none or hides it, is chosen by `backward` (BPDA):
        "identity": as if purify(x) = x;
        "low_pass": as if purify(x) = x_low, the part that `tikhonov_split` keeps: of the purifier's own weight
            and pad, where it has `low_and_high`, else of the defaults;
        "unrolled": through the iterations of its solver; `purify.unrolled(x)` has the values of purify(x);
        "exact": through purify itself, where it is differentiable;
        a callable: as if purify were that function, differentiable, images -> images.

    A purifier that draws at random, from a generator it holds, is asked `samples` times and the logits are
    averaged (EOT). So the gradient is the mean gradient, exactly for losses that are linear in the logits, such
    as a margin. An attack on the average is judged on the average: to judge it on the true defense, which draws
    once, ask `defended(model, purify)` about the attacked images.

    Args:
        model: images in [0, 1] -> logits (N, K).
        purify: images (N, C, H, W) in [0, 1] -> images of the same shape.
        backward: see above.
        samples: draws to average, at least 1; more than 1 for randomized purifiers only.

    Returns:
        Defended, a Classifier for any attack. It holds no copy: model and purify are the given ones.

    Raises:
        TypeError, ValueError: an unknown backward, "unrolled" for a purifier without `unrolled`, bad samples.
            When asked: a purifier that changes the shape, or has no gradient under "exact".

    Source: Athalye, Carlini and Wagner (2018), Section 4: BPDA and EOT. P1 assumes an attacker who "cannot
    extract gradient information" and has "no awareness of the transformation itself".
    Differs from the paper: P1 attacks the model alone and never these.
    """
    for name, value in (("model", model), ("purify", purify)):
        if not callable(value):
            raise TypeError(f"{name}: expected a callable, got {type(value).__name__}")
    if not callable(backward):
        checks.check_choice(backward, "backward", BACKWARDS)
    if backward == "unrolled" and not callable(getattr(purify, "unrolled", None)):
        raise ValueError(
            "backward: expected another one than 'unrolled' for a purifier without .unrolled(images), "
            f"got {type(purify).__name__}; use 'identity' or a differentiable function"
        )
    checks.check_number(samples, "samples", at_least=1, integer=True)
    return Defended(model, purify, backward, samples)
