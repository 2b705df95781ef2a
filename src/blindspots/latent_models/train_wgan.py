"""Wasserstein training of a generator against a critic, with an early word on generators that died."""

from __future__ import annotations

import sys
import time
import warnings
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor
from tqdm import tqdm

from blindspots.checks import check_images, check_number
from blindspots.kept_state import keep_state, kept_state
from blindspots.latent_models.wgan_networks import WganCritic, WganGenerator
from blindspots.models.evaluation import evaluating
from blindspots.seeding import generator as make_generator

_N_PROBES = 64  # fixed latents whose images are watched
_DEAD = 0.02  # of the real images' spread: below at the end, all latents give one image
_CLOSED = 1e-4  # below after a quarter of the steps, no gradient will open it
_BORN_DEAD = 1e-6  # untrained generators have little spread too, but one that lives has more than this
_TRIAL = 0.25  # share of the steps


@dataclass(frozen=True)
class WganRecord:
    """After `step` generator steps: the critic's distance (mean real - mean generated score), the generator's spread
    relative to that of the real images, and seconds since the start or the last resumption.
    """

    step: int
    distance: float
    spread: float
    seconds: float


@dataclass(frozen=True)
class WganTraining:
    """How a training went. `dead`: the generator's images hardly differ; training may have stopped early, after
    `steps`.

    `spread` is the root of the mean variance of pixels over 64 generated images, divided by that of the real ones.
    """

    history: tuple[WganRecord, ...]
    steps: int
    spread: float
    dead: bool
    seconds: float

    def as_dict(self) -> dict[str, Any]:
        """Return the same as JSON-able values."""
        return asdict(self) | {"history": [asdict(record) for record in self.history]}

    @classmethod
    def from_dict(cls, values: dict[str, Any]) -> WganTraining:
        """Return what `as_dict` was made from."""
        return cls(**(values | {"history": tuple(WganRecord(**record) for record in values["history"])}))


def image_spread(images: Tensor) -> float:
    """Return the root of the mean over pixels of the variance over images (N, C, H, W); 0 where all are equal."""
    return images.double().var(0, unbiased=False).mean().sqrt().item()


def train_wgan(
    generator: WganGenerator,
    critic: WganCritic,
    images: Tensor,
    *,
    steps: int,
    critic_steps: int = 5,
    batch_size: int = 64,
    learning_rate: float = 1e-3,
    averaging: float = 0.0,
    seed: int,
    record_every: int | None = None,
    progress: bool = True,
    progress_file: str | Path | None = None,
    digest: str = "",
) -> WganTraining:
    r"""Train a generator of the images of one class, changing both networks in place.

    The critic f maximizes mean f(x) - mean f(G(l)) over real images x and latents l ~ N(0, I), `critic_steps` times
    per step of the generator, which maximizes mean f(G(l)); both by RMSprop. The spectral norms of the critic's layers
    stand for the Lipschitz constraint.

    A generator whose images of different latents hardly differ is dead, and a warning says so. The ReLU before the last
    convolution, of one channel for gray images, can close for all inputs, and then no gradient opens it: about two of
    five first weights do that. Training stops where it is closed after a quarter of the steps, and does not begin
    where it is closed before the first.

    Args:
        generator, critic: for images of this shape.
        images: (N, C, H, W) in [0, 1], of one class; at least two.
        steps: of the generator.
        critic_steps: of the critic before each of them.
        batch_size: real, and generated, images per step; real ones are drawn with replacement.
        learning_rate: of both.
        averaging: decay in [0, 1) of an exponential average of the generator's weights, which the generator gets at
            the end; 0 keeps the last weights.
        seed: decides batches and latents.
        record_every: generator steps between records; None for a twentieth of the steps.
        progress: show a bar once training has taken three seconds.
        progress_file: written at each record; where it is there already, training goes on from it. Removed at the end.
        digest: says which training the file belongs to (see `keep_state`).

    Returns:
        WganTraining; the networks are in evaluation mode.

    Raises:
        TypeError, ValueError: bad networks, images or options; a progress file of another training; or scores that are
            not finite.

    Source: P2, as reconstructed (papers.md 3.4): RMSprop 1e-3, five critic steps, no averaging.
    Differs from the paper: gradients of the critic are cleared before each of its steps (there they add up over five).
        Weight averaging is ours.
    """
    _check(generator, critic, images, averaging)
    for name, value in {"steps": steps, "critic_steps": critic_steps, "batch_size": batch_size}.items():
        check_number(value, name, at_least=1, integer=True)
    check_number(learning_rate, "learning_rate", above=0.0)
    record_every = max(1, steps // 20) if record_every is None else record_every
    check_number(record_every, "record_every", at_least=1, integer=True)
    run = _Run(generator, critic, images, learning_rate, averaging, seed)
    kept = None if progress_file is None else kept_state(progress_file, digest)
    history = run.restore(kept) if kept is not None else []
    started, before = time.perf_counter(), history[-1].seconds if history else 0.0
    done = history[-1].step if history else 0
    dead = not done and run.spread() < _BORN_DEAD
    with evaluating(generator), evaluating(critic), _bar(steps, done, progress) as bar:
        while done < steps and not dead:
            critic.train()
            for _ in range(critic_steps):
                distance = run.critic_step(batch_size)
            run.generator_step(batch_size)
            done += 1
            bar.update()
            if done % record_every and done < steps:
                continue
            record = WganRecord(done, distance.item(), run.spread(), before + time.perf_counter() - started)
            if not torch.isfinite(distance):
                raise ValueError(f"learning_rate: training diverged at {learning_rate:g} in step {done}; lower it")
            history.append(record)
            bar.set_postfix_str(f"distance {record.distance:.3g}, spread {record.spread:.2f}", refresh=False)
            dead = record.spread < _CLOSED and done >= _TRIAL * steps
            if progress_file is not None and done < steps and not dead:
                keep_state(progress_file, digest, run.state(history))
    run.finish()
    dead = dead or run.spread() < _DEAD
    if dead:
        warnings.warn(
            f"the generator is dead after {done} of {steps} steps: its images of different latents differ by "
            f"{run.spread():.1%} of what real ones do; train with another seed",
            stacklevel=2,
        )
    if progress_file is not None:
        Path(progress_file).unlink(missing_ok=True)
    return WganTraining(tuple(history), done, run.spread(), dead, history[-1].seconds if history else 0.0)


class _Run:
    """What a training carries from step to step."""

    def __init__(
        self, generator: WganGenerator, critic: WganCritic, images: Tensor, rate: float, averaging: float, seed: int
    ) -> None:
        self.generator, self.critic, self.averaging = generator, critic, averaging
        parameter = next(generator.parameters())
        # Channels last: the same sums, a third faster on a CPU with so few channels.
        for model in (generator, critic):
            model.to(memory_format=torch.channels_last)
        self.images = images.to(parameter).contiguous(memory_format=torch.channels_last)
        self.draws = make_generator(seed, "wgan")
        self.optimizers = [torch.optim.RMSprop(model.parameters(), lr=rate) for model in (generator, critic)]
        self.average = {name: value.detach().clone() for name, value in generator.state_dict().items()}
        self.n_steps = 0
        probes = torch.randn(_N_PROBES, generator.latent_size, generator=make_generator(seed, "probes"))
        self.probes, self.real_spread = probes.to(parameter), image_spread(images)

    def latents(self, n: int) -> Tensor:
        return torch.randn(n, self.generator.latent_size, generator=self.draws).to(self.images)

    def critic_step(self, n: int) -> Tensor:
        chosen = torch.randint(len(self.images), (n,), generator=self.draws).to(self.images.device)
        with torch.no_grad():
            made = self.generator(self.latents(n))
        self.optimizers[1].zero_grad(set_to_none=True)
        # One pass over both halves: the power iteration of the norms then runs once per step.
        real, generated = self.critic(torch.cat([self.images[chosen], made])).chunk(2)
        distance = real.mean() - generated.mean()
        (-distance).backward()
        self.optimizers[1].step()
        return distance.detach()

    def generator_step(self, n: int) -> None:
        self.optimizers[0].zero_grad(set_to_none=True)
        self.critic.requires_grad_(False)
        (-self.critic(self.generator(self.latents(n))).mean()).backward()
        self.critic.requires_grad_(True)
        self.optimizers[0].step()
        self.n_steps += 1
        # The first steps count less, or the first weights would stay in the average.
        decay = min(self.averaging, self.n_steps / (self.n_steps + 10))
        with torch.no_grad():
            for name, value in self.generator.state_dict().items():
                self.average[name].lerp_(value, 1 - decay)

    def spread(self) -> float:
        with torch.no_grad():
            return image_spread(self.generator(self.probes)) / self.real_spread

    def finish(self) -> None:
        if self.averaging:
            self.generator.load_state_dict(self.average)
        for model, optimizer in zip((self.generator, self.critic), self.optimizers, strict=True):
            optimizer.zero_grad(set_to_none=True)
            model.eval().to(memory_format=torch.contiguous_format)

    def state(self, history: list[WganRecord]) -> dict[str, Any]:
        return {
            "models": [self.generator.state_dict(), self.critic.state_dict()],
            "optimizers": [optimizer.state_dict() for optimizer in self.optimizers],
            "average": self.average, "steps": self.n_steps, "draws": self.draws.get_state(),
            "history": [asdict(record) for record in history],
        }  # fmt: skip

    def restore(self, state: dict[str, Any]) -> list[WganRecord]:
        for model, kept in zip((self.generator, self.critic), state["models"], strict=True):
            model.load_state_dict(kept)
        for optimizer, kept in zip(self.optimizers, state["optimizers"], strict=True):
            optimizer.load_state_dict(kept)
        self.average = {name: value.to(self.average[name]) for name, value in state["average"].items()}
        self.n_steps = state["steps"]
        self.draws.set_state(state["draws"])
        return [WganRecord(**record) for record in state["history"]]


def _check(generator: WganGenerator, critic: WganCritic, images: Tensor, averaging: float) -> None:
    if not isinstance(generator, WganGenerator):
        raise TypeError(f"generator: expected a WganGenerator, got {type(generator).__name__}")
    if not isinstance(critic, WganCritic):
        raise TypeError(f"critic: expected a WganCritic, got {type(critic).__name__}")
    check_images(images)
    for name, model in {"generator": generator, "critic": critic}.items():
        if tuple(images.shape[1:]) != model.image_shape:
            raise ValueError(f"{name}: expected one for images {tuple(images.shape[1:])}, got {model.image_shape}")
    if len(images) < 2 or image_spread(images) == 0:
        raise ValueError(f"images: expected at least 2 that differ, got {len(images)}; nothing could be learned")
    check_number(averaging, "averaging", at_least=0.0, at_most=0.9999)


def _bar(steps: int, done: int, shown: bool) -> tqdm:
    terminal = sys.stderr.isatty()
    return tqdm(
        total=steps, initial=done, desc="GAN", unit="step", disable=not shown, delay=3, leave=False,
        mininterval=0.2 if terminal else 15.0, maxinterval=0.5 if terminal else 60.0, dynamic_ncols=terminal,
    )  # fmt: skip
