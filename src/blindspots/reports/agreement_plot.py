"""Two measurements of the same things against each other, with the line on which they would agree."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib.figure import Figure

from blindspots.reports.style import MARKERS, PALETTE, SOFT, new_figure, theme

Pairs = Sequence[tuple[float, float]]


def agreement_plot(
    panels: Mapping[str, Mapping[str, Pairs]], *, x_label: str, y_label: str, height: float = 3.6
) -> Figure:
    """Plot pairs of numbers as points, one square panel for each measure, with the diagonal.

    Args:
        panels: by title, then by name of the series: pairs (x, y), both in the same unit. Series of the same name look
            alike in all panels.
        x_label, y_label: what the two are; they apply to every panel.
        height: inches.

    Raises:
        ValueError: no panel, a panel without points, or numbers that are not finite.
    """
    if not panels:
        raise ValueError("panels: expected at least one, got none")
    points: dict[str, dict[str, np.ndarray]] = {}
    for title, series in panels.items():
        points[title] = {name: np.asarray(pairs, dtype=float).reshape(-1, 2) for name, pairs in series.items()}
        everything = [values for values in points[title].values() if len(values)]
        if not everything or not np.isfinite(np.concatenate(everything)).all():
            raise ValueError(f"panels: expected finite pairs in {title!r}, got {series!r}")
    names = list(dict.fromkeys(name for series in points.values() for name in series))
    with theme():
        figure = new_figure(height=height)
        for axes, (title, series) in zip(
            figure.subplots(1, len(points), squeeze=False)[0], points.items(), strict=True
        ):
            for name, values in series.items():
                look = names.index(name) % len(PALETTE)
                axes.scatter(*values.T, s=26, color=PALETTE[look], marker=MARKERS[look], label=name, alpha=0.85)
            both = np.concatenate(list(series.values()))
            room = 0.06 * (both.max() - both.min() or 1.0)
            low, high = both.min() - room, both.max() + room
            axes.plot([low, high], [low, high], color=SOFT, linestyle=(0, (4, 3)), linewidth=1.2, zorder=1)
            axes.set(title=title, xlabel=x_label, ylabel=y_label, xlim=(low, high), ylim=(low, high))
            axes.set_aspect("equal")
            axes.grid(True)
        if len(names) > 1:
            handles, found = figure.axes[0].get_legend_handles_labels()
            figure.legend(handles, found, loc="outside upper center", ncols=4)
    return figure
