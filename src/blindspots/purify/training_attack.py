"""The attack inside adversarial training: a few projected gradient steps up any loss, for a whole batch."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor

from blindspots import checks
from blindspots.types import Images

NORMS = ("l2", "linf")


def _per_image(values: Tensor) -> Tensor:
    return values.view(-1, 1, 1, 1)


@dataclass(frozen=True)
class TrainingAttack:
    r"""Projected gradient ascent in a ball around each image, for a fixed number of steps.

        x <- P(x + step_size d(g)),     g the gradient of the image's loss,
    d(g) = g / ||g||_2 or sign g, and P the projection to the ball and then to [0, 1]. It never stops early and
    says nothing about success, since training only wants the images.

    Attributes:
        norm: "l2" or "linf".
        epsilon: radius of the ball, in units of the [0, 1] range, > 0.
        steps: at least 1.
        step_size: length of a step in the norm, > 0; None for 2.5 epsilon / steps.
        random_start: start at a point drawn uniformly from the ball, else at the image.

    Source: P1, Robust Semantic Training: 10 steps in an l2 ball of 0.3. Madry et al. (2018).
    Differs from the paper: it gives no step size; 2.5 epsilon / steps lets an image cross its ball, as in Madry
    et al.
    """

    norm: str = "l2"
    epsilon: float | int = 0.3
    steps: int = 10
    step_size: float | int | None = None
    random_start: bool = True

    def __post_init__(self) -> None:
        """Check the options.

        Raises:
            TypeError, ValueError: one is of another kind or out of range.
        """
        checks.check_choice(self.norm, "norm", NORMS)
        checks.check_number(self.epsilon, "epsilon", above=0.0)
        checks.check_number(self.steps, "steps", at_least=1, integer=True)
        if self.step_size is not None:
            checks.check_number(self.step_size, "step_size", above=0.0)

    def perturb(
        self, images: Images, losses: Callable[[Tensor], Tensor], *, generator: torch.Generator | None
    ) -> Images:
        """Return images near the given ones with a larger loss.

        Args:
            images: (N, C, H, W) in [0, 1]; taken as constants.
            losses: images (N, C, H, W) -> (N,), differentiable; each of its own image only.
            generator: CPU generator of the start; needed if it is random.

        Returns:
            (N, C, H, W) in [0, 1], at most epsilon away. An image whose gradient is exactly 0 stays where it is.
        """
        originals = images.detach()
        length = 2.5 * self.epsilon / self.steps if self.step_size is None else self.step_size
        moved = originals
        if self.random_start:
            checks.check_generator(generator)
            moved = self._project(originals + self._start(originals, generator), originals)
        for _ in range(self.steps):
            leaf = moved.detach().requires_grad_(True)
            with torch.enable_grad():
                (gradient,) = torch.autograd.grad(losses(leaf).sum(), leaf)
            if self.norm == "linf":
                direction = gradient.sign()
            else:
                tiny = torch.finfo(gradient.dtype).tiny
                direction = gradient / _per_image(gradient.abs().amax((1, 2, 3)).clamp_min(tiny))
                norms = torch.linalg.vector_norm(direction, dim=(1, 2, 3))
                direction = direction / _per_image(norms.clamp_min(tiny))
            moved = self._project(leaf.detach() + length * direction, originals)
        return moved

    def _start(self, images: Images, generator: torch.Generator) -> Images:
        n, size = len(images), images[0].numel()
        if self.norm == "linf":
            noise = (2.0 * torch.rand(n, size, generator=generator) - 1.0) * self.epsilon
        else:
            # The first n coordinates of a point on the sphere in n + 2 dimensions are uniform in the ball.
            normal = torch.randn(n, size + 2, generator=generator)
            noise = self.epsilon * (normal / torch.linalg.vector_norm(normal, dim=1, keepdim=True))[:, :size]
        return noise.view(images.shape).to(images)

    def _project(self, moved: Images, originals: Images) -> Images:
        change = moved - originals
        if self.norm == "linf":
            change = change.clamp(-self.epsilon, self.epsilon)
        else:
            lengths = torch.linalg.vector_norm(change, dim=(1, 2, 3)).clamp_min(torch.finfo(change.dtype).tiny)
            change = change * _per_image((self.epsilon / lengths).clamp_max(1.0))
        return (originals + change).clamp(0.0, 1.0)
