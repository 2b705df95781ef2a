"""Units of [-1, 1] and of [0, 1]: the paper's settings, and the way back."""

import pytest

from blindspots.latent import symmetric_range_length, unit_range_length


@pytest.mark.parametrize(("theirs", "ours"), [(0.8, 0.4), (0.6, 0.3), (0.05, 0.025), (1.2, 0.6), (0, 0)])
def test_the_papers_settings(theirs, ours):
    assert unit_range_length(theirs) == pytest.approx(ours)
    assert symmetric_range_length(unit_range_length(theirs)) == theirs


def test_messages():
    with pytest.raises(ValueError, match="length"):
        unit_range_length(-1)
    with pytest.raises(TypeError, match="length"):
        symmetric_range_length(True)
