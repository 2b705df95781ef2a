"""What a debiasing page prints of a task's rows: values, results, one row against the others, epochs, costs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from blindspots.reports.pareto import undominated
from blindspots.reports.record import Record

if TYPE_CHECKING:
    from blindspots.debias.method_rows import MethodRow

Rows = Mapping[str, "MethodRow"]
"""A task's rows by method, of one call of `method_rows`."""

Printed = Mapping[str, tuple[float, float]]
"""A paper's Odds and EAcc by method."""

MEASURES = {"odds": "Odds", "eacc": "EAcc"}


def record_rows(
    record: Record,
    task: str,
    rows: Rows,
    *,
    names: Mapping[str, str],
    n: int,
    subject: str = "bade",
    reference: str = "standard",
) -> None:
    """Record what claims and sentences need of a task's rows, under keys that end in the task's name.

    "odds", "eacc", "accuracy", "if_fair" (low and high) and "cost" (training time, times the reference's) by method;
    "rival" (the best of the others), "better" and "worse" (how many of the others the subject's paired interval
    leaves on either side) by measure; "like_fair" (rows that a fair model explains) and "front" (undominated methods).
    `leave_out_rows` is its counterpart for a task that the run does not train.

    Args:
        record: of the run.
        task: in lower case, part of the keys.
        rows: by method, the subject and the reference among them.
        names: of the methods, as printed.
        n: test examples.
        subject, reference: the row that is compared, and the one whose training time is 1.

    Raises:
        ValueError: no such row, or keys in use.
    """
    _check_rows(rows, subject, reference)
    seeds = rows[reference].seeds

    def note(key: str, value: Any, **options: Any) -> None:
        record.value(key, value, **({"n": n, "seeds": seeds} | options))

    percent = {"unit": "%", "format": ".2f"}
    for method, row in rows.items():
        for measure in MEASURES:
            value, (low, high) = getattr(row, measure), getattr(row, f"{measure}_interval")
            note(
                f"{measure}.{task}.{method}", value, spread=(min(low, value), max(high, value)),
                by_seed=getattr(row, f"{measure}_by_seed"), note="95 % bootstrap interval over test examples and seeds",
                **percent,
            )  # fmt: skip
        note(f"accuracy.{task}.{method}", row.accuracy, **percent)
        for end, value in zip(("low", "high"), row.odds_if_fair, strict=True):
            note(f"if_fair.{task}.{method}.{end}", value, **percent)
        note(f"cost.{task}.{method}", row.seconds / rows[reference].seconds, n=None, format=".2f")
    rivals = [row for method, row in rows.items() if method != subject]
    note(f"rival.odds.{task}", min(row.odds for row in rivals), **percent)
    note(f"rival.eacc.{task}", max(row.eacc for row in rivals), **percent)
    sides = [_sides(rows[subject], row) for row in rivals]
    for place, measure in enumerate(MEASURES):
        for side, sign in (("better", 1), ("worse", -1)):
            note(f"{side}.{measure}.{task}", sum(side_of[place] == sign for side_of in sides))
    note(f"like_fair.{task}", sum(row.odds <= row.odds_if_fair[1] for row in rows.values()))
    note(f"front.{task}", ", ".join(names[method] for method in front(rows)))


def leave_out_rows(record: Record, task: str, methods: Sequence[str], reason: str) -> None:
    """Record that a task was not trained in this run, under the keys that claims about its rows ask for.

    Args:
        record, task: as in `record_rows`.
        methods: that the task would have.
        reason: why it was not.

    Raises:
        ValueError: an empty reason, or keys in use.
    """
    for method in methods:
        for name in (*MEASURES, "accuracy"):
            record.not_attempted(f"{name}.{task}.{method}", reason)
        for end in ("low", "high"):
            record.not_attempted(f"if_fair.{task}.{method}.{end}", reason)
    for measure in MEASURES:
        record.not_attempted(f"rival.{measure}.{task}", reason)


def record_means(
    record: Record, tasks: Mapping[str, Rows], *, names: Mapping[str, str], printed: Mapping[str, Printed]
) -> list[dict[str, Any]]:
    """Record each method's mean over tasks, and its distance from the paper's over the same ones; return their table.

    Keys are "mean.<measure>.<method>", the mean with its range over seeds, and "gap.mean.<measure>.<method>", that
    less the paper's. One task has no mean: the keys then say that it is not attempted, and the table has one line.

    Args:
        record: of the run.
        tasks: rows by task, of the same methods and seeds.
        names: of the methods, as printed.
        printed: the paper's, for each of the tasks.
    """
    table, percent = [], {"n": None, "unit": "%"}
    first = next(iter(tasks.values()))
    for method in first:
        line: dict[str, Any] = {"method": names[method]}
        for place, (measure, title) in enumerate(MEASURES.items()):
            key = f"mean.{measure}.{method}"
            if len(tasks) == 1:
                for name in (key, f"gap.{key}"):
                    record.not_attempted(name, f"this run has one of the tasks, {next(iter(tasks))}")
                continue
            by_task = [getattr(rows[method], f"{measure}_by_seed") for rows in tasks.values()]
            values = [sum(of_seed) / len(tasks) for of_seed in zip(*by_task, strict=True)]
            theirs = sum(printed[task][method][place] for task in tasks) / len(tasks)
            seeds = first[method].seeds
            ours = record.by_seed(key, dict(zip(seeds, values, strict=True)), format=".2f", **percent)
            note = f"{ours:.2f} against {theirs:.2f}, means over {', '.join(tasks)}"
            record.value(f"gap.{key}", ours - theirs, seeds=seeds, format="+.2f", note=note, **percent)
            line[title] = f"{ours:.2f} ({min(values):.2f} to {max(values):.2f})"
            line[f"paper's {title}"] = f"{theirs:.2f}"
        table.append(line)
    return (
        table if len(tasks) > 1 else [{"method": "all", "mean": f"this run has one of the tasks, {next(iter(tasks))}"}]
    )


def front(rows: Rows) -> list[str]:
    """Return the methods whose mean no other beats in both Odds and EAcc."""
    kept = undominated([row.odds for row in rows.values()], [row.eacc for row in rows.values()])
    return [method for method, stays in zip(rows, kept, strict=True) if stays]


def result_table(rows: Rows, *, names: Mapping[str, str], printed: Printed) -> list[dict[str, Any]]:
    """Return a row per method: means with intervals, the paper's numbers, a fair model's Odds, accuracy.

    Args:
        rows: by method.
        names: of the methods, as printed.
        printed: the paper's; a method it lacks has none.
    """
    return [
        {
            "method": names[method],
            "Odds": "{:.2f} [{:.2f}, {:.2f}]".format(row.odds, *row.odds_interval),
            "paper's": printed.get(method, (None, None))[0],
            "a fair one's": "{:.1f} to {:.1f}".format(*row.odds_if_fair),
            "EAcc": "{:.2f} [{:.2f}, {:.2f}]".format(row.eacc, *row.eacc_interval),
            "paper's EAcc": printed.get(method, (None, None))[1],
            "accuracy": row.accuracy,
        }
        for method, row in rows.items()
    ]  # fmt: skip


def grid_table(
    tasks: Mapping[str, Rows], measure: str, *, names: Mapping[str, str], printed: Mapping[str, Printed]
) -> list[dict[str, Any]]:
    """Return a row per method and a column per task: one measure with its interval, and the paper's in parentheses.

    Args:
        tasks: rows by task, of the same methods.
        measure: "odds" or "eacc".
        names: of the methods, as printed.
        printed: the paper's, by task.
    """
    place = list(MEASURES).index(measure)
    table = []
    for method in next(iter(tasks.values())):
        cells = {"method": names[method]}
        for task, rows in tasks.items():
            row = rows[method]
            low, high = getattr(row, f"{measure}_interval")
            cells[task] = f"{getattr(row, measure):.2f} [{low:.1f}, {high:.1f}]"
            if method in printed.get(task, {}):
                cells[task] += f" ({printed[task][method][place]:.2f})"
        table.append(cells)
    return table


def against_table(
    rows: Rows, *, names: Mapping[str, str], printed: Printed, subject: str = "bade"
) -> list[dict[str, Any]]:
    """Return a row per other method: the subject's measures less the other's, paired, and which intervals leave 0 out.

    Args:
        rows, names, printed: as in `result_table`.
        subject: the row that the others are taken from.
    """
    _check_rows(rows, subject)
    table = []
    for method, row in rows.items():
        if method == subject:
            continue
        sides = dict(zip(MEASURES.values(), _sides(rows[subject], row), strict=True))
        theirs = printed.get(method)
        gaps = [a - b for a, b in zip(printed[subject], theirs, strict=True)] if theirs else [None, None]
        table.append(
            {
                f"{names[subject]} minus": names[method],
                "Odds": "{:+.2f} [{:+.2f}, {:+.2f}]".format(*rows[subject].minus(row, "odds")),
                "paper's": gaps[0],
                "EAcc": "{:+.2f} [{:+.2f}, {:+.2f}]".format(*rows[subject].minus(row, "eacc")),
                "paper's EAcc": gaps[1],
                "better in": " and ".join(name for name, side in sides.items() if side == 1) or "-",
                "worse in": " and ".join(name for name, side in sides.items() if side == -1) or "-",
            }
        )  # fmt: skip
    return table


def selection_table(rows: Rows, leaked: Rows, *, names: Mapping[str, str]) -> list[dict[str, Any]]:
    """Return a row per method: its measures with the epoch chosen on validation, and on test.

    Args:
        rows, leaked: of `method_rows` with the one and the other choice, the same methods.
        names: of the methods, as printed.
    """
    if list(rows) != list(leaked):
        raise ValueError(f"leaked: expected the methods {', '.join(rows)}; got {', '.join(leaked)}")
    return [
        {"method": names[method]}
        | {
            f"{title}, by {by}": getattr(chosen[method], measure)
            for measure, title in MEASURES.items()
            for by, chosen in (("validation", rows), ("test", leaked))
        }
        for method in rows
    ]


def cost_table(rows: Rows, *, names: Mapping[str, str], reference: str = "standard") -> list[dict[str, Any]]:
    """Return a row per method: seconds of training, of all settings tried, and the first in units of the reference's.

    Args:
        rows, names: as in `result_table`.
        reference: the row whose training time is 1.
    """
    _check_rows(rows, reference)
    unit = rows[reference].seconds
    return [
        {"method": names[method], "training": row.seconds, "all": row.search_seconds,
         f"times {names[reference].lower()}": row.seconds / unit}
        for method, row in rows.items()
    ]  # fmt: skip


def _sides(subject: MethodRow, other: MethodRow) -> tuple[int, int]:
    """Return for Odds and EAcc whether the subject is clearly better (1), clearly worse (-1) or neither (0)."""
    odds, eacc = (subject.minus(other, measure) for measure in MEASURES)
    return (odds[2] < 0) - (odds[1] > 0), (eacc[1] > 0) - (eacc[2] < 0)


def _check_rows(rows: Rows, *wanted: str) -> None:
    for method in wanted:
        if method not in rows:
            raise ValueError(f"rows: expected {method!r} among them, got {', '.join(rows) or 'none'}")
