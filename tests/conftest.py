"""Shapes annotated in the package are enforced in the test run only; the global generator must stay untouched."""

import importlib.util
import os

# Workers of pytest-xdist share the cores: with a thread per core each, they and the processes they start wait for one
# another, and the suite takes several times as long. Set before torch is imported, so that child processes get it too.
if "PYTEST_XDIST_WORKER" in os.environ:
    os.environ.setdefault("OMP_NUM_THREADS", "1")

import pytest
import torch
from jaxtyping import install_import_hook

if importlib.util.find_spec("beartype") is not None:
    checked = ("perception", "attacks", "purify", "criticism", "fairness", "latent")
    install_import_hook([f"blindspots.{name}" for name in checked], "beartype.beartype")


@pytest.fixture(autouse=True)
def global_generator_untouched():
    """Fail a test whose code draws from torch's global generator."""
    before = torch.random.get_rng_state()
    yield
    assert torch.equal(before, torch.random.get_rng_state()), "the global random generator was used"
