"""MMD-critic without an n x n array against the published greedy on scikit-learn's kernel, and its memory.

The peer is the algorithm as its authors published it, written plainly: the whole kernel from scikit-learn, fancy
indexing of it at every step, and an inverse of the selected block at every step, which their program takes for
prototypes too and does not use there. A second peer leaves that idle inverse out. "total" is from the features to the
picks; "greedy" is the steps alone, with the kernel, or on our side its exact column means, already there. "total" takes
our means in float32 first and makes those exact that a pick depends on; "greedy" shows what that adds to the steps.
Selections must be identical, in float64, before the clock starts.

The ratio of the totals falls with the dimension D, which decides how long products of features take, on both sides: we
take half of them, and in float32. At D = 256 they and the reading of the features are most of our time.

The memory is that of a fresh process at n = 20,000, where a kernel matrix takes 3.2 GB: the highest resident size less
that after the imports.
"""

import functools
import subprocess
import sys

import numpy as np
import pytest
import torch
from sklearn.metrics.pairwise import rbf_kernel

from blindspots.criticism import select_criticisms, select_prototypes
from blindspots.criticism.kernels import GaussianKernel
from blindspots.criticism.select_prototypes import greedy
from blindspots.criticism.settled_means import SettledMeans

N, PROTOTYPES, CRITICISMS = 10_000, 200, 50
PEER, LEAN = "published greedy, scikit-learn's kernel", "the same without its idle inverse"
SETTLING = "ours, which makes rough means exact on the way"
MEMORY_GOAL_MB = 300


@functools.cache
def clouds(n, dimensions):
    """Return features (n, D) in ten overlapping clouds, in float64."""
    generator = torch.Generator().manual_seed(0)
    centers = torch.randn(10, dimensions, generator=generator, dtype=torch.float64)
    return centers[torch.arange(n) % 10] + torch.randn(n, dimensions, generator=generator, dtype=torch.float64)


def sklearn_kernel(features, bandwidth):
    return rbf_kernel(features.numpy(), gamma=1 / (2 * bandwidth**2))


def published_prototypes(kernel, n, *, idle_inverse):
    """Return the picks of Kim et al., Algorithm 1, with the work that the authors' program does for each."""
    total = 2 * kernel.sum(axis=0) / len(kernel)
    selected = np.array([], dtype=int)
    for _ in range(n):
        candidates = np.setdiff1d(np.arange(len(kernel)), selected)
        near = kernel[selected, :][:, candidates].sum(axis=0)
        scores = total[candidates] - (2 * near + np.diagonal(kernel)[candidates]) / (len(selected) + 1)
        selected = np.append(selected, candidates[scores.argmax()])
        if idle_inverse:
            np.linalg.inv(kernel[selected, :][:, selected])
    return selected


def published_criticisms(kernel, prototypes, n):
    """Return the picks of Algorithm 2 with the log-determinant, as the authors' program takes it."""
    outside = np.setdiff1d(np.arange(len(kernel)), prototypes)
    means = kernel.sum(axis=0) / len(kernel)
    selected, inverse = np.array([], dtype=int), None
    for _ in range(n):
        candidates = np.setdiff1d(outside, selected)
        near = kernel[prototypes, :][:, candidates].sum(axis=0) / len(prototypes)
        scores, diagonal = np.abs(means[candidates] - near), np.diagonal(kernel)[candidates]
        if inverse is None:
            scores = scores - np.log(np.abs(diagonal))
        else:
            across = kernel[selected, :][:, candidates]
            scores = scores + np.log(np.abs(diagonal - (across * (inverse @ across)).sum(axis=0)))
        selected = np.append(selected, candidates[scores.argmax()])
        inverse = np.linalg.inv(kernel[selected, :][:, selected])
    return selected


@functools.cache
def peer_picks(dimensions, bandwidth):
    """Return the peer's prototypes and criticisms; its two versions pick the same."""
    kernel = sklearn_kernel(clouds(N, dimensions), bandwidth)
    prototypes = published_prototypes(kernel, PROTOTYPES, idle_inverse=True)
    return prototypes.tolist(), published_criticisms(kernel, prototypes, CRITICISMS).tolist()


def assert_the_same_picks(features, ours):
    prototypes, criticisms = peer_picks(features.shape[1], ours.bandwidth)
    assert ours.indices.tolist() == prototypes
    assert select_criticisms(features, ours, CRITICISMS).indices.tolist() == criticisms


@pytest.mark.parametrize("contestant", ["ours", PEER, LEAN])
@pytest.mark.parametrize("dimensions", [32, 64, 256])
def test_total(benchmark, dimensions, contestant):
    features = clouds(N, dimensions)
    ours = select_prototypes(features, PROTOTYPES)
    if contestant == "ours":
        assert_the_same_picks(features, ours)

        def work():
            return select_prototypes(features, PROTOTYPES, bandwidth=ours.bandwidth)
    else:

        def work():
            kernel = sklearn_kernel(features, ours.bandwidth)
            return published_prototypes(kernel, PROTOTYPES, idle_inverse=contestant == PEER)

    benchmark.group = f"total, n = {N}, D = {dimensions}, {PROTOTYPES} prototypes"
    benchmark.extra_info.update(
        contestant=contestant, ours=contestant == "ours", goal="goal 5x" if contestant == PEER else ""
    )
    benchmark.pedantic(work, rounds=7 if contestant == "ours" else 3, warmup_rounds=1)


@pytest.mark.parametrize("contestant", ["ours", SETTLING, PEER, LEAN])
def test_greedy_steps(benchmark, contestant):
    features = clouds(N, 64)
    ours = select_prototypes(features, PROTOTYPES)
    if contestant in ("ours", SETTLING):
        kernel = GaussianKernel(features, ours.bandwidth)
        means = (kernel.column_means(), 0.0) if contestant == "ours" else kernel.rough_column_means()

        def work():
            return greedy(kernel, SettledMeans(kernel, *means), PROTOTYPES)

        assert work()[0].tolist() == peer_picks(64, ours.bandwidth)[0]
    else:
        kernel = sklearn_kernel(features, ours.bandwidth)
        work = functools.partial(published_prototypes, kernel, PROTOTYPES, idle_inverse=contestant == PEER)
    benchmark.group = f"greedy steps, n = {N}, D = 64, {PROTOTYPES} prototypes"
    benchmark.extra_info.update(
        contestant=contestant, ours=contestant == "ours", goal="goal 15x" if contestant == PEER else ""
    )
    benchmark.pedantic(work, rounds=3 if contestant in (PEER, LEAN) else 7, warmup_rounds=1)


@pytest.mark.parametrize("contestant", ["ours", PEER])
def test_criticisms(benchmark, contestant):
    features = clouds(N, 64)
    ours = select_prototypes(features, PROTOTYPES)
    if contestant == "ours":
        assert_the_same_picks(features, ours)
        work = functools.partial(select_criticisms, features, ours, CRITICISMS)
    else:
        kernel = sklearn_kernel(features, ours.bandwidth)
        work = functools.partial(published_criticisms, kernel, ours.indices.numpy(), CRITICISMS)
    benchmark.group = f"criticisms, n = {N}, D = 64, {CRITICISMS} after {PROTOTYPES} prototypes"
    benchmark.extra_info.update(
        contestant=contestant, ours=contestant == "ours", note="" if contestant == "ours" else "kernel already there"
    )
    benchmark.pedantic(work, rounds=7 if contestant == "ours" else 3, warmup_rounds=1)


FRESH_PROCESS = """
import sys, torch
from blindspots.criticism import select_criticisms, select_prototypes

def resident_mb(which):
    with open("/proc/self/status") as status:
        return next(int(line.split()[1]) for line in status if line.startswith(which)) / 1024

torch.set_num_threads(1)
n, dimensions = int(sys.argv[1]), int(sys.argv[2])
before = resident_mb("VmRSS:")
features = torch.randn(n, dimensions, generator=torch.Generator().manual_seed(0))
prototypes = select_prototypes(features, 200)
criticisms = select_criticisms(features, prototypes, 200)
assert len(prototypes.indices.unique()) == len(criticisms.indices.unique()) == 200
print(resident_mb("VmHWM:") - before)
"""


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="reads /proc")
@pytest.mark.parametrize("dimensions", [64, 256])
def test_memory_of_a_fresh_process(benchmark, dimensions):
    n, used = 20_000, []

    def work():
        command = [sys.executable, "-c", FRESH_PROCESS, str(n), str(dimensions)]
        used.append(float(subprocess.run(command, check=True, capture_output=True, text=True).stdout))

    benchmark.group = f"memory, n = {n}, D = {dimensions}, 200 prototypes and 200 criticisms"
    benchmark.pedantic(work, rounds=2)
    benchmark.extra_info.update(
        contestant="ours", ours=True, goal=f"goal {MEMORY_GOAL_MB} MB",
        note=f"{max(used):.0f} MB above the imports, features in float32 among them; the time is a whole process",
    )  # fmt: skip
    assert max(used) < MEMORY_GOAL_MB
