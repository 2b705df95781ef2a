"""Every model is a point, every training a cross at its mean, and single marks are named."""

import matplotlib.collections as collections
import numpy as np
import pytest
from scipy import stats

from blindspots.reports.point_plane import point_plane

LABELS = {"x_label": "accuracy", "y_label": "slope"}


def test_points_and_crosses_lie_where_they_should():
    first, second = np.array([[0.8, 0.02], [0.9, 0.04], [0.7, 0.03]]), np.array([[0.5, 0.1]])
    axes = point_plane({"PGD": [first, second], "noise": [first + 0.01]}, **LABELS).axes[0]
    scattered = [c for c in axes.collections if isinstance(c, collections.PathCollection)]
    assert [len(c.get_offsets()) for c in scattered] == [4, 3]
    assert np.allclose(scattered[0].get_offsets(), np.concatenate([first, second]))
    spans = [c.get_segments()[0] for c in axes.collections if isinstance(c, collections.LineCollection)]
    low, high = stats.t.interval(0.95, 2, loc=0.8, scale=stats.sem(first[:, 0]))
    assert np.allclose(spans[0], [[low, 0.03], [high, 0.03]])
    assert np.allclose(spans[2], [[0.5, 0.1], [0.5, 0.1]])  # one model has no interval


def test_single_marks_are_named():
    axes = point_plane({"PGD": [[(0.8, 0.02), (0.7, 0.03)]]}, marks={"pretrained": (0.9, 0.01)}, **LABELS).axes[0]
    assert [text.get_text() for text in axes.texts] == ["pretrained"]


@pytest.mark.parametrize("series", [{}, {"PGD": []}, {"PGD": [[0.1, 0.2]]}, {"PGD": [[(0.1, float("nan"))]]}])
def test_bad_series_are_refused(series):
    with pytest.raises(ValueError, match="series: expected"):
        point_plane(series, **LABELS)
