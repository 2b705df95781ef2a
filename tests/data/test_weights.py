"""Weights are reached through the data layer under the names they always had."""

import pytest

from blindspots import weight_files
from blindspots.data import weights


@pytest.mark.parametrize("name", weights.__all__)
def test_every_name_is_that_of_the_base_module(name):
    assert getattr(weights, name) is getattr(weight_files, name)
