"""Models as points in a plane of two measurements, with a cross at the mean of each training."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from matplotlib.figure import Figure
from scipy.stats import t as student

from blindspots.reports.style import INK, MARKERS, PALETTE, new_figure, theme


def point_plane(
    series: Mapping[str, Sequence[Any]],
    *,
    x_label: str,
    y_label: str,
    marks: Mapping[str, tuple[float, float]] | None = None,
    height: float = 4.4,
) -> Figure:
    """Plot every model as a small point and every training's mean as a cross that spans its 95 % intervals.

    Args:
        series: by name, such as an attack: its trainings, each (S, 2) pairs (x, y), one per model. The intervals are
            Student's, over models; a training of one model has none.
        x_label, y_label: what the two are, with units.
        marks: single points that are named beside them, for instance the pretrained model.
        height: inches.

    Raises:
        ValueError: no series, a series without trainings, or numbers that are not finite pairs.
    """
    groups: dict[str, list[np.ndarray]] = {}
    for name, trainings in series.items():
        groups[name] = [np.asarray(pairs, dtype=float) for pairs in trainings]
        fits = all(g.ndim == 2 and g.shape[1] == 2 and len(g) and np.isfinite(g).all() for g in groups[name])
        if not groups[name] or not fits:
            raise ValueError(f"series: expected trainings of finite pairs (S, 2) in {name!r}, got {trainings!r}")
    if not groups:
        raise ValueError("series: expected at least one, got none")
    with theme():
        figure = new_figure(height=height)
        axes = figure.subplots()
        axes.set(xlabel=x_label, ylabel=y_label)
        axes.grid(True)
        for index, (name, trainings) in enumerate(groups.items()):
            color, marker = PALETTE[index % len(PALETTE)], MARKERS[(index + index // len(PALETTE)) % len(MARKERS)]
            every = np.concatenate(trainings)
            axes.scatter(*every.T, s=11, color=color, marker=marker, alpha=0.7, linewidths=0, label=name)
            for pairs in trainings:
                (x, y), reach = pairs.mean(0), _half_widths(pairs)
                axes.errorbar(x, y, xerr=reach[0], yerr=reach[1], color=color, linewidth=1.6, zorder=3)
        for name, (x, y) in (marks or {}).items():
            axes.plot(x, y, marker="*", markersize=12, color=INK, linestyle="none", zorder=4)
            axes.annotate(name, (x, y), xytext=(6, 6), textcoords="offset points", fontsize=9, color=INK)
        figure.legend(loc="outside upper center", ncols=4, markerscale=2.0)
    return figure


def _half_widths(pairs: np.ndarray) -> np.ndarray:
    """Return half the 95 % interval of the mean of each coordinate, 0 for one pair."""
    if len(pairs) < 2:
        return np.zeros(2)
    return student.ppf(0.975, len(pairs) - 1) * pairs.std(0, ddof=1) / np.sqrt(len(pairs))
