"""Training several seeds of the tables' perceptron: one after another, stacked, and in parallel processes.

Every way trains the same five models on the same batches: standard training, Adam, one epoch of 2,560 rows in batches
of 128, two hidden layers of `units` (512 in the paper) and a linear output. Before the clock starts, the ways have to
agree in float64: parallel processes to the last bit, the stacked models to 1e-8, because they add in another order.

Processes are started once and wait; their start, which a short training does not earn back, is measured by itself.
A stacked model is one call for all seeds (`torch.func.vmap`), so it saves calls where those cost more than the
arithmetic: with few units, and on a GPU. The processor time tells the two one-process ways apart on a busy machine too.
"""

import functools
import math
import multiprocessing
import os
import time
from concurrent.futures import ProcessPoolExecutor

import pytest
import torch
import torch.nn.functional as F

from blindspots.debias import erm
from blindspots.models import mlp
from blindspots.seeding import generator

SEEDS = range(5)
N_ROWS, BATCH_SIZE, LEARNING_RATE, EPOCHS = 2560, 128, 1e-4, 1
N_PROCESSES = min(len(SEEDS), len(os.sched_getaffinity(0)))
SIZES = [(units, columns) for columns in (9, 104) for units in (16, 128, 512)]  # columns of health and of Adult


@functools.cache
def table(columns):
    """Return rows (N, columns), labels and groups: a linear task in noise."""
    draws = generator(0, columns)
    rows = torch.randn(N_ROWS, columns, generator=draws, dtype=torch.float64)
    labels = (rows[:, 0] + torch.randn(N_ROWS, generator=draws) > 0).long()
    return rows, labels, torch.randint(0, 2, (N_ROWS,), generator=draws)


def jobs(units, columns, dtype):
    """Return the arguments of `erm` for every seed; model and generator are new each time."""
    rows, labels, groups = table(columns)
    options = {"epochs": EPOCHS, "batch_size": BATCH_SIZE, "learning_rate": LEARNING_RATE}
    return [
        (
            (mlp(columns, 2, hidden=(units, units), seed=seed).to(dtype), rows.to(dtype), labels, groups),
            {**options, "generator": generator(seed)},
        )
        for seed in SEEDS
    ]


def one_after_another(jobs):
    return [erm(*data, **options).states[-1] for data, options in jobs]


def in_processes(jobs, pool):
    """Hand one seed to each process; what comes back is the last epoch's weights."""
    waiting = [pool.submit(erm, *data, **options) for data, options in jobs]
    return [result.result().states[-1] for result in waiting]


def stacked(jobs):
    """Train all models as one whose weights have a leading axis for the seeds."""
    models = [data[0] for data, _ in jobs]
    _, rows, labels, _ = jobs[0][0]
    draws = [options["generator"] for _, options in jobs]
    weights, buffers = torch.func.stack_module_state(models)
    weights = {name: value.detach().requires_grad_(True) for name, value in weights.items()}

    def loss(weights, buffers, rows, labels):
        return F.cross_entropy(torch.func.functional_call(models[0], (weights, buffers), rows), labels)

    losses = torch.func.vmap(loss)
    stepper = torch.optim.Adam(weights.values(), lr=LEARNING_RATE, fused=True)
    for one in draws:
        torch.randint(2**62, (), generator=one)  # the loop's seed for dropout, so that the orders are the same
    for _ in range(EPOCHS):
        orders = torch.stack([torch.randperm(len(rows), generator=one) for one in draws])
        for batch in orders.tensor_split(math.ceil(len(rows) / BATCH_SIZE), dim=1):
            stepper.zero_grad(set_to_none=True)
            losses(weights, buffers, rows[batch], labels[batch]).sum().backward()
            stepper.step()
    return [
        {name: value[place].detach() for name, value in {**weights, **buffers}.items()} for place in range(len(models))
    ]


@pytest.fixture(scope="module")
def pool():
    """Start the processes, one thread each, and wait until all have imported what they need."""
    context = multiprocessing.get_context("spawn")
    started = time.perf_counter()
    with ProcessPoolExecutor(N_PROCESSES, context, initializer=torch.set_num_threads, initargs=(1,)) as processes:
        in_processes(jobs(16, 9, torch.float32)[:N_PROCESSES], processes)
        processes.seconds_to_start = time.perf_counter() - started
        yield processes


def assert_same(found, expected, atol):
    for ours, theirs in zip(found, expected, strict=True):
        assert set(ours) == set(theirs)
        for name, value in theirs.items():
            torch.testing.assert_close(ours[name], value, rtol=0, atol=atol)


def timed(benchmark, way, train, units, columns, note="", **info):
    """Time the training alone; a round gets models and generators of its own."""
    benchmark.group = f"{len(SEEDS)} seeds of {units} units, {columns} columns"
    benchmark.extra_info.update(contestant=way, **info)
    processor_times = []

    def setup():
        return (jobs(units, columns, torch.float32),), {}

    def train_and_count(jobs):
        started = time.process_time()
        train(jobs)
        processor_times.append(time.process_time() - started)

    benchmark.pedantic(train_and_count, setup=setup, rounds=3 if units == 512 else 5, warmup_rounds=1)
    benchmark.extra_info["note"] = note or f"{1e3 * min(processor_times):.0f} ms of processor time at best"


def moved(states, units, columns):
    """Return how far the weights are from where they began, at most: a way that trains nothing agrees with nothing."""
    starts = [data[0].state_dict() for data, _ in jobs(units, columns, torch.float64)]
    return min(
        max((state[name] - start[name]).abs().max().item() for name in state)
        for state, start in zip(states, starts, strict=True)
    )


@pytest.mark.parametrize(("units", "columns"), SIZES)
def test_one_after_another(benchmark, units, columns):
    states = one_after_another(jobs(units, columns, torch.float64))
    assert moved(states, units, columns) > LEARNING_RATE
    timed(benchmark, "one after another", one_after_another, units, columns)


@pytest.mark.parametrize(("units", "columns"), SIZES)
def test_stacked(benchmark, units, columns):
    expected = one_after_another(jobs(units, columns, torch.float64))
    assert_same(stacked(jobs(units, columns, torch.float64)), expected, atol=1e-8)
    timed(benchmark, "stacked", stacked, units, columns)


@pytest.mark.parametrize(("units", "columns"), SIZES)
def test_in_parallel_processes(benchmark, pool, units, columns):
    expected = one_after_another(jobs(units, columns, torch.float64))
    assert_same(in_processes(jobs(units, columns, torch.float64), pool), expected, atol=0)
    note = f"{N_PROCESSES} processes, {pool.seconds_to_start:.1f} s to start them"
    timed(benchmark, "parallel processes", functools.partial(in_processes, pool=pool), units, columns, note, ours=True)
