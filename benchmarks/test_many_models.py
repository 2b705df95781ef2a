"""Fifty models of Algorithm 4.2: one after another, and stacked; and Algorithm 4.1 with attacks one at a time or many.

Every way of Algorithm 4.2 makes the same few steps of the same fifty small networks on the same drawn images, from one
image per step, as the algorithm is printed, to 64. Before the clock starts, the ways have to agree in float64 to 1e-10,
and in float32 to 1e-4 for the first fifty steps. Stacked, one call serves all models (`torch.func.vmap`), which saves
calls where these cost more than arithmetic; with few models, or many large images per step, there is nothing to save,
and the stacked convolutions, grouped by model, are slower than plain ones. Processor times tell the ways apart on a
busy machine too.

Algorithm 4.1 attacks one image after each step. Attacking a block of them after its steps is another algorithm by a few
steps; with a learning rate of nearly 0 both have to give the same images. Rates of success are printed beside times.
"""

import copy
import functools
import time

import pytest
import torch
import torch.nn.functional as F

from blindspots.attacks import pgd_l2_until_flipped
from blindspots.fairness import WeightedImages, drawn_descent, generate_adversarial_dataset
from blindspots.models import small_cnn
from blindspots.seeding import generator

N_MODELS, N_IMAGES, N_CLASSES, LEARNING_RATE = 50, 256, 10, 0.01
CURVE = [(size, batch) for size in (16, 32) for batch in (1, 4, 16, 64)]
STEPS = {1: 8, 4: 4, 16: 2, 64: 1}
ATTACK = functools.partial(pgd_l2_until_flipped, step_size=0.1, steps=20)


def model_of(dtype):
    """Return a network as the experiments use it: no batch statistics, 24,000 weights."""
    return small_cnn(3, N_CLASSES, width=16, norm="group", seed=0).to(dtype)


@functools.cache
def images_of(size):
    draws = generator(0, "images", size)
    images = torch.rand(N_IMAGES, 3, size, size, generator=draws, dtype=torch.float64)
    return images, torch.randint(0, N_CLASSES, (N_IMAGES,), generator=draws)


def work(size, batch, dtype, *, steps=None, n_models=N_MODELS):
    """Return models, images, labels and drawn rows."""
    images, labels = images_of(size)
    rows = torch.randint(0, N_IMAGES, (n_models, steps or STEPS[batch], batch), generator=generator(1))
    return [model_of(dtype)] * n_models, images.to(dtype), labels, rows


def torch_sgd(models, images, labels, rows):
    """Train one model after another as anybody would."""
    states = []
    for given, own in zip(models, rows, strict=True):
        model = copy.deepcopy(given)
        stepper = torch.optim.SGD(model.parameters(), lr=LEARNING_RATE)
        for batch in own:
            stepper.zero_grad()
            F.cross_entropy(model(images[batch]), labels[batch]).backward()
            stepper.step()
        states.append({name: value.detach() for name, value in model.state_dict().items()})
    return states


def ours(models, images, labels, rows, *, path):
    def make_factors(n_models):
        return lambda losses, rows: torch.ones_like(losses)

    made = drawn_descent(models, images, labels, rows, make_factors, learning_rate=LEARNING_RATE, path=path)
    return made.states


WAYS = {
    "one after another, torch.optim.SGD": torch_sgd,
    "one after another, our loop": functools.partial(ours, path="one_by_one"),
    "stacked": functools.partial(ours, path="stacked"),
}


def assert_same(found, expected, atol):
    for ours, theirs in zip(found, expected, strict=True):
        assert set(ours) == set(theirs)
        for name, value in theirs.items():
            torch.testing.assert_close(ours[name], value, rtol=0, atol=atol)


def moved(states, start):
    """Return how far the weights are from where they began, at least over models: no way may do nothing."""
    first = start.state_dict()
    return min(max((state[name] - first[name]).abs().max().item() for name in state) for state in states)


@functools.cache
def expected_of(size, batch):
    given = work(size, batch, torch.float64)
    states = torch_sgd(*given)
    assert moved(states, given[0][0]) > 1e-5
    return states


def timed(benchmark, work, arguments, note, rounds):
    """Time the work; the note gets its best processor time."""
    processor_times = []

    def counted(*arguments):
        started = time.process_time()
        work(*arguments)
        processor_times.append(time.process_time() - started)

    benchmark.pedantic(counted, args=arguments, rounds=rounds, warmup_rounds=1)
    benchmark.extra_info["note"] = f"{note}; {1e3 * min(processor_times):.0f} ms of processor time at best"


@pytest.mark.parametrize(("size", "batch"), CURVE)
@pytest.mark.parametrize("way", WAYS)
def test_fifty_models(benchmark, way, size, batch):
    train = WAYS[way]
    assert_same(train(*work(size, batch, torch.float64)), expected_of(size, batch), atol=1e-10)
    if (size, batch) == (16, 1):
        fifty_steps = work(size, batch, torch.float32, steps=50, n_models=4)
        assert_same(train(*fifty_steps), torch_sgd(*fifty_steps), atol=1e-4)
    benchmark.group = f"{N_MODELS} models, {size} px, {batch} per step"
    benchmark.extra_info.update(contestant=way, ours=way == "stacked")
    if way.endswith("SGD") and (size, batch) == (16, 1):
        benchmark.extra_info["goal"] = "3x"
    timed(benchmark, train, work(size, batch, torch.float32), f"{STEPS[batch]} steps", 3 if size * batch > 500 else 7)


@pytest.mark.parametrize("n_models", [3, 10])
@pytest.mark.parametrize("way", WAYS)
def test_fewer_models(benchmark, way, n_models):
    given = work(16, 1, torch.float64, n_models=n_models)
    assert_same(WAYS[way](*given), torch_sgd(*given), atol=1e-10)
    benchmark.group = f"{n_models} models, 16 px, 1 per step"
    benchmark.extra_info.update(contestant=way, ours=way == "stacked")
    timed(benchmark, WAYS[way], work(16, 1, torch.float32, n_models=n_models, steps=40), "40 steps", 5)


@pytest.mark.parametrize("at_once", [1, 8, 64])
def test_adversarial_set(benchmark, at_once):
    images, labels = images_of(32)
    options = dict(rounds=1, learning_rate=LEARNING_RATE, batch_size=1)

    def grow(dtype, at_once, **changes):
        data = WeightedImages(images[:64].to(dtype), labels[:64], torch.ones(64, dtype=torch.float64))
        chosen = options | changes
        return generate_adversarial_dataset(
            model_of(dtype), data, ATTACK, attack_batch_size=at_once, generator=generator(0), **chosen
        )

    still = [grow(torch.float64, size, learning_rate=1e-12).images for size in (1, at_once)]
    torch.testing.assert_close(still[1], still[0], rtol=0, atol=1e-8)
    made = grow(torch.float32, at_once)
    benchmark.group = "adversarial set, 64 images of 32 px"
    benchmark.extra_info.update(contestant=f"{at_once} attacked at once", ours=at_once == 64)
    timed(benchmark, grow, (torch.float32, at_once), f"{100 * made.success_rates[0]:.0f} % turned", 7)
