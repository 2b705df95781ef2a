"""Shapes annotated in the package are enforced in the test run only; the global generator must stay untouched."""

import importlib.util

import pytest
import torch
from jaxtyping import install_import_hook

if importlib.util.find_spec("beartype") is not None:
    install_import_hook(["blindspots.perception", "blindspots.attacks", "blindspots.purify"], "beartype.beartype")


@pytest.fixture(autouse=True)
def global_generator_untouched():
    """Fail a test whose code draws from torch's global generator."""
    before = torch.random.get_rng_state()
    yield
    assert torch.equal(before, torch.random.get_rng_state()), "the global random generator was used"
