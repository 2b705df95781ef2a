"""The latent search with images and restarts together against one image and one start at a time.

The peer is the same search as a plain loop over images and starts. The networks have the sizes of P2's for MNIST, with
instance norm, and random weights, which cost what trained ones cost; the bounds are chosen so that what is found lies
about as deep in the ball as with trained ones. Schedules: "in turn" is the published one, whose ball shrinks after
every run, so that only images go together; "side by side" makes all runs in the full ball, images and restarts
together; in mode "any" the runs of an image do not depend on each other. Before the clock starts, all are run in
float64: the same successes from the same runs, in mode "min" the same number of steps, perturbations equal to 1e-12.
Processor times tell the ways apart on a busy machine too.
"""

import functools
import time

import pytest
import torch
from torch import nn

from blindspots.latent import decayed_latents, latent_pgd, scaled_norm
from blindspots.latent.objective import lead_direction, misread
from blindspots.latent.row_streams import row_normals, row_uniforms

N, SIZE, STEPS, STEP_SIZE, RESTARTS, BISECTIONS = 20, 64, 50, 0.05, 12, 10
SEED = 3


class Generator(nn.Module):
    """P2's generator for a digit: linear to 32 x 4 x 4, three times upsampled and convolved twice, cut to 28 pixels."""

    def __init__(self):
        super().__init__()
        self.first, layers, channels = nn.Linear(SIZE, 32 * 16), [], 32
        for width in (16, 8, 1):
            layers += [
                nn.Upsample(scale_factor=2, mode="bilinear"), nn.Conv2d(channels, width, 3, padding=1), nn.ReLU(),
                nn.Conv2d(width, width, 3, padding=1), nn.ReLU(),
            ]  # fmt: skip
            channels = width
        self.layers = nn.Sequential(*layers[:-1])

    def forward(self, latents, labels):
        maps = self.layers(self.first(latents).reshape(-1, 32, 4, 4))[:, :, 2:-2, 2:-2]
        return torch.sigmoid(maps)


class Classifier(nn.Module):
    """P2's classifier of unit type 0: convolution, ReLU, instance norm, twice per width; maximum; linear."""

    def __init__(self):
        super().__init__()
        layers, channels = [nn.ZeroPad2d(2)], 1
        for width in (8, 16, 32):
            for source in (channels, width):
                layers += [nn.Conv2d(source, width, 3, padding=1), nn.ReLU(), nn.InstanceNorm2d(width)]
            layers.append(nn.MaxPool2d(2))
            channels = width
        self.layers = nn.Sequential(*layers, nn.Flatten(), nn.Linear(32 * 16, 10))

    def forward(self, images):
        return self.layers(images)


@functools.cache
def work(dtype):
    """Return classifier, generator, latents and, for labels, what is predicted at the decayed latents."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(SEED)
        model, decode = Classifier().double(), Generator().double()
        # torch's own scale would leave the generator with one image for all latents.
        for layer in decode.modules():
            if isinstance(layer, nn.Linear | nn.Conv2d):
                nn.init.kaiming_normal_(layer.weight, nonlinearity="relu")
    latents = row_normals(torch.arange(N), SIZE, seed=0)
    with torch.no_grad():
        labels = model(decode(decayed_latents(latents, epsilon=0.5), None)).argmax(1)
    for network in (model, decode):
        network.to(dtype).requires_grad_(False)
    return model, decode, latents.to(dtype), labels


def flips(model, decode, point, label):
    with torch.no_grad():
        return bool(misread(model(decode(point, label)), label))


def one_run(model, decode, center, label, change, radius):
    """Return the last change, whether it is misread, and the steps made."""
    for step in range(STEPS + 1):
        leaf = (center + change).requires_grad_(True)
        logits = model(decode(leaf, label))
        found = bool(misread(logits.detach(), label))
        if found or step == STEPS:
            return change, found, step
        (gradient,) = torch.autograd.grad(logits, leaf, lead_direction(logits, label).to(logits.dtype))
        change = change + radius * STEP_SIZE * gradient / scaled_norm(gradient)
        if scaled_norm(change) > radius:
            change = change * radius / scaled_norm(change)


def one_at_a_time(model, decode, latents, labels, *, mode, bound, at_once):
    """Return perturbations, the run each is from, and the steps made, by loops over images and starts."""
    rows = []
    for row, (center, label) in enumerate(
        zip(decayed_latents(latents, epsilon=0.5).split(1), labels.split(1), strict=True)
    ):
        best, found_in, radius, total = torch.zeros_like(center), -1, center.new_tensor(bound), 0
        if flips(model, decode, center, label):
            rows.append((best, 0, 0))
            continue
        stream, ball = torch.tensor([row]), radius
        for run in range(1, RESTARTS + 2):
            if mode == "any" and found_in > 0:
                break
            if (run - 1) % at_once == 0 or run > RESTARTS:
                ball = radius
            start = torch.zeros_like(center)
            if run <= RESTARTS:
                normal = row_normals(stream, SIZE, seed=0, names=("start", run)).to(center)
                share = row_uniforms(stream, seed=0, names=("start radius", run)).to(center)
                start = normal / scaled_norm(normal) * share * ball
            change, found, steps = one_run(model, decode, center, label, start, ball)
            total += steps
            if run == 1:
                best = change
            if not found:
                continue
            low, high = 0.0, 1.0
            for _ in range(BISECTIONS if mode == "min" else 0):
                middle = (low + high) / 2
                if flips(model, decode, center + middle * change, label):
                    high = middle
                else:
                    low = middle
            change = high * change
            if found_in < 0 or scaled_norm(change) < radius * (1 - 1e-6):
                best, found_in, radius = change, run, scaled_norm(change)
        rows.append((best, found_in, total))
    perturbations, runs, steps = zip(*rows, strict=True)
    return torch.cat(perturbations), torch.tensor(runs), torch.tensor(steps)


def ours(model, decode, latents, labels, *, mode, bound, at_once, rows=None):
    found = latent_pgd(
        model, decode, latents, labels, epsilon=0.5, bound=bound, mode=mode, steps=STEPS, step_size=STEP_SIZE,
        restarts=RESTARTS, bisections=BISECTIONS, restarts_at_once=at_once, rows=rows,
    )  # fmt: skip
    return found.perturbations, found.run, found.steps


def ours_one_at_a_time(model, decode, latents, labels, **options):
    parts = [
        ours(model, decode, latents[row : row + 1], labels[row : row + 1], rows=torch.tensor([row]), **options)
        for row in range(N)
    ]
    return tuple(torch.cat(pieces) for pieces in zip(*parts, strict=True))


PEER = "one image and one start at a time"
CONTESTANTS = {"ours": ours, PEER: one_at_a_time, "ours, one image at a time": ours_one_at_a_time}
SCHEDULES = {
    "min, runs in turn": dict(mode="min", bound=0.4, at_once=1),
    "min, runs side by side": dict(mode="min", bound=0.4, at_once=RESTARTS),
    "any, runs side by side": dict(mode="any", bound=0.05, at_once=4),
}


@functools.cache
def expected_of(schedule):
    return one_at_a_time(*work(torch.float64), **SCHEDULES[schedule])


CASES = [
    (schedule, contestant)
    for schedule in SCHEDULES
    for contestant in CONTESTANTS
    if contestant in ("ours", PEER) or schedule == "min, runs side by side"
]


@pytest.mark.parametrize(("schedule", "contestant"), CASES)
def test_latent_search(benchmark, schedule, contestant):
    search = functools.partial(CONTESTANTS[contestant], **SCHEDULES[schedule])
    expected_changes, expected_runs, expected_steps = expected_of(schedule)
    changes, runs, steps = expected_of(schedule) if contestant == PEER else search(*work(torch.float64))
    assert torch.equal(runs, expected_runs) and (runs > 0).any()
    torch.testing.assert_close(changes, expected_changes, rtol=0, atol=1e-12)
    if schedule.startswith("min"):
        assert torch.equal(steps, expected_steps)
    benchmark.group = f"{schedule}, {N} images, {RESTARTS} restarts, float32"
    benchmark.extra_info.update(
        contestant=contestant,
        ours=contestant == "ours",
        goal="goal 2x" if contestant == PEER else "",
        note=f"{int((runs >= 0).sum())} of {N} found, {expected_steps.double().mean():.0f} steps an image",
    )
    processor_times = []

    def counted(*arguments):
        started = time.process_time()
        search(*arguments)
        processor_times.append(time.process_time() - started)

    benchmark.pedantic(counted, work(torch.float32), rounds=3 if contestant == "ours" else 1, warmup_rounds=0)
    benchmark.extra_info["note"] += f"; {min(processor_times):.1f} s of processor time at best"
