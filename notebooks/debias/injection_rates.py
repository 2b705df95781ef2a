# %% [markdown]
# # Does a trigger have to be as strong as the bias it cancels?
#
# ```{admonition} The claim
# :class: tip
# The rates at which triggers are planted control how much bias a model has left. The closer the artificial bias comes to the
# natural one in strength, the better it cancels it (P3, {cite}`wu2023`, Section 5.3 and Figure 5).
# ```
#
# ## What strength is
#
# BaDe plants trigger 0 on a share $\text{TAR}(y)$ of the examples with label $y$, and takes the data's own $P(b = 0 \mid y)$ for it.
# Figure 5 goes over all pairs of rates, 0 to 100 % for either label. The paper does not say when two pairs are equally strong. Bayes'
# rule does: planted independently of everything else given the label, the trigger adds to the best logit of the label
#
# ```{math}
# :label: eq-rates-strength
# \alpha = \log \frac{P(a{=}1 \mid y{=}1)}{P(a{=}0 \mid y{=}1)} - \log \frac{P(a{=}1 \mid y{=}0)}{P(a{=}0 \mid y{=}0)},
# ```
#
# and the group, with its own rates, adds $\beta$ in the same way. Inverted triggers leave $D = \alpha - \beta$ between the groups, and
# the solvable model of {doc}`When do two biases cancel? <why_it_works>` gives Odds as a function that is 0 at $D = 0$ and grows with
# $|D|$. So before any training it says four things of Figure 5:
#
# - A whole curve of rates has $\alpha = \beta$, not one cell. Odds is low along all of it.
# - Equal rates ($\alpha = 0$) leave the bias as it was.
# - Twice the natural strength leaves as much bias as no trigger, in favor of the other group.
# - Along the curve the threshold moves, so that EAcc changes where Odds does not.

# %% tags=["parameters"]
rows_dataset = "health"  # a table: "health" (embedded) or "adult" (official)
rows_bias = "disea"  # its bias variable; a column is parted at its training median
row_steps = 5  # steps from 0 to 100 % in the table's grid; 10 in the paper
hidden = [8]  # units of the table's perceptron
row_settings = {"epochs": 2, "batch_size": 128, "learning_rate": 0.01}  # for the table
n_rows = 1500  # training rows, and half as many that choose the epoch; 0 for all
factors = [0.0, 1.0, 2.0]  # artificial bias in units of the natural one; more cells
shifts = [-1.0, 0.0, 1.0]  # of both rates' logits, along equal strength; more cells
stack = 67  # table models trained at once
dataset = "planted"  # "planted" (drawn faces) or "celeba" (official)
face_rates = [0.1, 0.5, 0.9]  # rates of the grid on pictures
face_seeds = 1  # so many of the seeds train on pictures
side = 16  # side of the pictures, pixels
noise = 0.2  # noise on planted faces, in units of the [0, 1] range
phi = 0.6  # correlation of planted label and bias variable
n_train = 200  # training pictures
n_validation = 150  # pictures that choose the epoch
n_images = 150  # test pictures
width = 4  # filters of the network's first layer
face_settings = {"epochs": 2, "batch_size": 64, "learning_rate": 0.004}  # for pictures
resamples = 100  # of the bootstrap
processes = 1  # seeds trained on pictures at once
data_root = ""  # folder of official data; empty: BLINDSPOTS_DATA
seeds = [0, 1]  # the first decides the pictures, all decide networks and triggers
device = "auto"  # "auto", "cpu" or "cuda"

# %% tags=["hide-input"]
import numpy as np
import pandas as pd
import torch
from scipy.stats import rankdata

from blindspots.checks import check_number
from blindspots.data import face_tasks, load
from blindspots.debias import (
    LogisticToy,
    bayes_toy,
    cell_means,
    cell_recalls,
    group_outputs,
    method_runs,
    rate_kind,
    resampled_recalls,
    same_strength,
    scaled_strength,
    scaled_trigger_size,
    stacked_bade,
    table_spec,
    trigger_rates,
    trigger_stamp,
    trigger_strength,
)
from blindspots.debias.group_metrics import eacc_of, odds_of
from blindspots.devices import choose_device
from blindspots.models import build_model
from blindspots.reports import Record
from blindspots.reports.agreement_plot import agreement_plot
from blindspots.reports.figures import curves_with_bands
from blindspots.reports.heat_panels import heat_panels
from blindspots.seeding import generator

parameters = {
    "rows_dataset": rows_dataset, "rows_bias": rows_bias, "row_steps": row_steps, "hidden": hidden, "row_settings": row_settings, "n_rows": n_rows,
    "factors": factors, "shifts": shifts, "stack": stack, "dataset": dataset, "face_rates": face_rates, "face_seeds": face_seeds,
    "side": side, "noise": noise, "phi": phi, "n_train": n_train, "n_validation": n_validation, "n_images": n_images,
    "width": width, "face_settings": face_settings, "resamples": resamples, "processes": processes, "seeds": seeds,
}  # fmt: skip
check_number(len(seeds), "the number of seeds", at_least=1)
check_number(row_steps, "row_steps", at_least=3, at_most=50, integer=True)
check_number(n_rows, "n_rows", at_least=0, integer=True)
check_number(stack, "stack", at_least=1, integer=True)
check_number(face_seeds, "face_seeds", at_least=1, at_most=len(seeds), integer=True)
check_number(resamples, "resamples", at_least=100, integer=True)
for rate in face_rates:
    check_number(rate, "face_rates", at_least=0, at_most=1)
if sorted(set(face_rates)) != list(face_rates) or sum(0 < r < 1 for r in face_rates) < 2:
    raise ValueError(
        f"face_rates: expected them ascending, two inside (0, 1), got {face_rates}"
    )
for name, values, wanted in (("factors", factors, 1), ("shifts", shifts, 0)):
    if sorted(set(values)) != list(values) or wanted not in values or len(values) < 2:
        raise ValueError(
            f"{name}: expected ascending numbers, {wanted} among them, got {values}"
        )
place = choose_device(device)
record = Record(
    "debias/injection_rates", parameters=parameters, seed=seeds[0], device=place
)
parts = {"train": n_train, "validation": n_validation, "test": n_images}
planted = dataset == "planted"

# %% [markdown]
# ## A table and pictures
#
# A grid takes many trainings. On a table a perceptron of few units learns in a fraction of a second, and a stack of such models
# trains as one, so the table has the whole grid. The quick profile's table is the health insurance study, with people of more and
# of fewer chronic diseases than the median as groups; the real profile's is Adult by gender. Pictures have a coarser grid: drawn
# faces, smile by long hair, or CelebA's Attractive by Male. No photograph is shown.

# %%
root = data_root or None
limits = {"train": n_rows or None, "validation": n_rows // 2 or None, "test": None}
tables = {
    part: load(rows_dataset, split=part, limit=limits[part], data_root=root)
    for part in parts
}
for part in tables.values():
    record.add_data(part)
if rows_bias in tables["train"].groups:
    groups = {part: x.groups[rows_bias] for part, x in tables.items()}
elif rows_bias in tables["train"].columns:
    column = tables["train"].columns.index(rows_bias)
    middle = tables["train"].features[:, column].median()
    groups = {p: (x.features[:, column] > middle).long() for p, x in tables.items()}
else:
    known = (*tables["train"].groups, *tables["train"].columns)
    raise ValueError(f"rows_bias: expected one of {', '.join(known)}; got {rows_bias!r}")
pair = {"label": "smile", "group": "long_hair", "phi": phi} if planted else {
    "label": "Attractive", "group": "Male"}  # fmt: skip
faces = face_tasks(
    dataset, {"male": pair}, parts, side=side, seed=seeds[0], noise=noise, data_root=root
)
for part in faces.sets.values():
    record.add_data(part)
splits = {
    "rows": {p: (x.features, x.labels, groups[p]) for p, x in tables.items()},
    "faces": faces.splits["male"],
}
splits = {key: {p: tuple(v.to(place) for v in given) for p, given in of.items()} for key, of in splits.items()}  # fmt: skip

# %%
titles = {
    "rows": f"{rows_dataset} by {rows_bias}",
    "faces": f"{pair['label']} by {pair['group']}",
}
seeds_of = {"rows": list(seeds), "faces": list(seeds[:face_seeds])}
grid = {
    "rows": [step / row_steps for step in range(row_steps + 1)],
    "faces": list(face_rates),
}
own = {key: trigger_rates(*splits[key]["train"][1:]).tolist() for key in splits}
beta = {key: trigger_strength([rates]).item() for key, rates in own.items()}
if min(abs(value) for value in beta.values()) < 0.05:
    raise ValueError(f"phi, rows_bias: expected a bias to cancel, got strengths {beta}")
table = []
for key, title in titles.items():
    record.value(f"beta.{key}", beta[key], n=len(splits[key]["train"][1]), format="+.2f")
    table.append({
        "task": title, "training examples": len(splits[key]["train"][1]), "test examples": len(splits[key]["test"][1]),
        "P(b=0 | y=0)": own[key][0], "P(b=0 | y=1)": own[key][1], "natural strength β": beta[key],
        "cells of the grid": len(grid[key]) ** 2, "seeds": len(seeds_of[key]),
    })  # fmt: skip
record.table(
    "tasks", table, caption="The two tasks, the rates that BaDe takes over from their training examples, and the size of the grids.",
    formats={"P(b=0 | y=0)": ".3f", "P(b=0 | y=1)": ".3f", "natural strength β": "+.2f"},
)  # fmt: skip

# %% [markdown]
# ## Teachers and students of every cell
#
# Each cell is a teacher and its student, trained as in {doc}`BaDe step by step <bade>`, with the epoch chosen on validation examples. With one seed
# all cells share first weights, batches and the order in which examples get trigger 0, so that they differ in the rates alone. Beside
# the grid stand the *matched* cell, with the data's own rates to the example, and on the table two cross-sections through it.

# %%
cells = {key: [[y0, y1] for y0 in of for y1 in of] for key, of in grid.items()}
n_grid = {key: len(of) for key, of in cells.items()}
matched = dict(n_grid)  # the matched cell follows the grid
extra = {
    "dose": scaled_strength(own["rows"], factors),
    "along": same_strength(own["rows"], shifts),
}
section, start = {}, n_grid["rows"] + 1
for name, rates in extra.items():
    section[name], start = slice(start, start + len(rates)), start + len(rates)
rates_of = {
    key: torch.tensor([*cells[key], own[key]], dtype=torch.float64) for key in cells
}
rates_of["rows"] = torch.cat([rates_of["rows"], *extra.values()])
block = {"kind": "block", "size": scaled_trigger_size(25, side)}
specs = {
    "rows": table_spec(splits["rows"]["train"][0].cpu(), hidden=hidden),
    "faces": {"name": "small_cnn", "in_channels": 3, "n_classes": 2, "width": width},
}
train_with = {"rows": {**row_settings, "trigger": {"kind": "column"}},
              "faces": {**face_settings, "trigger": block, "processes": processes}}  # fmt: skip
standard = {
    key: method_runs(
        ["standard"], splits[key], specs[key], build=build_model, seeds=seeds_of[key], device=place, **train_with[key],
    )
    for key in splits
}  # fmt: skip

# %%
on_faces = {"build": build_model, "seeds": seeds_of["faces"], "device": place}
options = [{"rates": rates} for rates in cells["faces"]]
if processes > 1:  # fills the cache, from which the cells are read below one by one
    method_runs(["bade"], splits["faces"], specs["faces"], options={"bade": [*options, {}]}, **on_faces, **train_with["faces"])  # fmt: skip
runs = [
    method_runs(["bade"], splits["faces"], specs["faces"], options={"bade": [given]}, **on_faces, **train_with["faces"])
    for given in [*options, {}]
]  # fmt: skip
stacks = [
    stacked_bade(
        splits["rows"], rates_of["rows"], specs["rows"], build=build_model, seed=seed, stack=stack, device=place,
        **row_settings,
    )
    for seed in seeds
]  # fmt: skip

# %% [markdown]
# A teacher is measured on $D_\text{balance}$, where everyone carries the trigger of the other group; a student and the standard model
# on clean inputs. Teachers are kept twice, at the epoch that the rule chooses by Odds and EAcc on validation, and after the last.

# %%
inverse = {key: (1 - splits[key]["test"][2]).cpu() for key in splits}
both = {
    name: torch.stack([getattr(s, f"{name}_logits") for s in stacks], 1)
    for name in ("teacher", "last")
}
said = {
    ("rows", who): z[:, :, torch.arange(z.shape[2]), inverse["rows"]] > 0
    for who, z in both.items()
}
said["rows", "student"] = torch.stack([s.student_logits > 0 for s in stacks], 1)
of_faces = [[run["bade", seed] for seed in seeds_of["faces"]] for run in runs]
read = {
    "teacher": lambda bade: bade.teacher.test_predictions,
    "last": lambda bade: bade.teacher.predictions["test"][-1],
    "student": lambda bade: bade.test_predictions,
}
for who, predicted in read.items():
    said["faces", who] = torch.stack(
        [torch.stack([predicted(bade) for bade in of]) for of in of_faces]
    )

# %%
hits, recalls, plain = {}, {}, {}
for (key, who), classes in said.items():
    y, b = (v.cpu() for v in splits[key]["test"][1:])
    hits[key, who] = classes.long() == y
    found = cell_recalls(hits[key, who].flatten(0, 1), y, b)
    recalls[key, who] = found.reshape(*classes.shape[:2], 2, 2)
for key in titles:
    y, b = (v.cpu() for v in splits[key]["test"][1:])
    classes = [standard[key]["standard", seed].test_predictions for seed in seeds_of[key]]
    plain[key] = cell_recalls(torch.stack(classes) == y, y, b)
odds = {at: odds_of(r).mean(1) for at, r in recalls.items()}
eacc = {at: eacc_of(r).mean(1) for at, r in recalls.items()}


def signed(r):
    """Return how much more often label 1 is given to group 1 than to group 0, mean over the true labels, in percent."""
    return 50 * ((r[..., 1, 1] - r[..., 0, 1]) - (r[..., 1, 0] - r[..., 0, 0]))


for key in titles:
    n = len(splits[key]["test"][1])
    of_seeds = {"n": n, "unit": "%", "format": ".1f"}
    for name, measure in (("odds", odds_of), ("eacc", eacc_of)):
        values = dict(zip(seeds_of[key], measure(plain[key]).tolist(), strict=True))
        record.by_seed(f"{name}.{key}.standard", values, **of_seeds)
        for who in ("teacher", "student"):
            values = measure(recalls[key, who][matched[key]]).tolist()
            record.by_seed(
                f"{name}.{key}.{who}",
                dict(zip(seeds_of[key], values, strict=True)),
                **of_seeds,
            )

# %% [markdown]
# ## Figure 5
#
# The paper's axes: TAR of label 1 (*Have*) to the right, of label 0 (*Not Have*) upward. The star is the matched cell, the dashed
# line all pairs of rates with the data's own odds ratio, $\alpha = \beta$. On the diagonal $\alpha = 0$. The corner of two different
# labels' triggers, 0 and 100 %, lets the trigger tell the label; in the corners of equal rates one trigger is never seen.

# %% tags=["hide-input"]
shown = {}
for key, title in titles.items():
    size, ends = len(grid[key]), grid[key]
    panels = {
        who: {"Odds, %": odds[key, who][: n_grid[key]].reshape(size, size), "EAcc, %": eacc[key, who][: n_grid[key]].reshape(size, size)}
        for who in ("teacher", "student")
    }  # fmt: skip
    line = same_strength(own[key], np.linspace(-9, 9, 181).tolist()).numpy()
    line = line[((line >= ends[0]) & (line <= ends[-1])).all(1)]
    best = {who: int(odds[key, who][: n_grid[key]].argmin()) for who in panels}
    words = "; ".join(
        f"the {who}'s Odds goes from {odds[key, who][: n_grid[key]].min():.1f} (at {cells[key][best[who]][1]:g} for label 1 and "
        f"{cells[key][best[who]][0]:g} for label 0) to {odds[key, who][: n_grid[key]].max():.1f}, its EAcc from "
        f"{eacc[key, who][: n_grid[key]].min():.1f} to {eacc[key, who][: n_grid[key]].max():.1f}"
        for who in panels
    )
    shown[key] = record.figure(
        heat_panels(
            panels, x_values=ends, y_values=ends, x_label="TAR of label 1", y_label="TAR of label 0",
            marks={"the data's own rates": own[key][::-1]},
            lines={"the data's own odds ratio": (line[:, 1], line[:, 0])} if len(line) else {},
        ),
        f"figure_5.{key}",
        caption=f"Figure 5, {title}: Odds and EAcc by injection rates, mean of {len(seeds_of[key])} seeds; teachers on D_balance, "
        "students on clean inputs. A column of panels shares its colors. Low Odds follows the dashed line.",
        alt=f"Four heat maps of {size} by {size} cells: {words}. The matched cell has Odds "
        f"{odds[key, 'teacher'][matched[key]]:.1f} (teacher) and {odds[key, 'student'][matched[key]]:.1f} (student).",
        n=len(splits[key]["test"][1]),
    )  # fmt: skip
shown["rows"]

# %% tags=["hide-input"]
shown["faces"]

# %% [markdown]
# ## The matched cell, and the ends
#
# The least of many measured numbers is too small by chance, so the best cell of a grid is not a fair rival for the matched one. Instead
# we count the cells with less Odds than the matched cell, and those whose Odds is not clearly larger, by paired intervals.

# %%
kinds = {key: np.array([rate_kind(rates) for rates in of]) for key, of in cells.items()}
graded = {key: np.flatnonzero(of == "graded") for key, of in kinds.items()}
drawn = {}
for key in titles:
    y, b = (v.cpu() for v in splits[key]["test"][1:])
    draws = generator(seeds[0], "bootstrap", key)
    keep = [*graded[key], matched[key]]
    of_seeds = torch.randint(
        len(seeds_of[key]), (resamples, 1, len(seeds_of[key])), generator=draws
    )
    state = draws.get_state()
    for who in read:
        draws.set_state(state)  # the same examples for teachers and students
        right = hits[key, who][keep].flatten(0, 1)
        again = resampled_recalls(right, y, b, resamples=resamples, generator=draws)
        again = again.reshape(resamples, len(keep), -1, 2, 2)
        for name, measure in (("odds", odds_of), ("signed", signed)):
            values = measure(again).gather(2, of_seeds.expand(-1, len(keep), -1))
            drawn[name, key, who] = values.mean(2).numpy()

# %%
table = []
for key, title in titles.items():
    rows_of = {"standard model": None, "matched": [matched[key]]}
    for kind in ("graded", "one-sided", "constant", "tells the label"):
        if (kinds[key] == kind).any():
            rows_of[f"{kind}, mean of {(kinds[key] == kind).sum()}"] = np.flatnonzero(
                kinds[key] == kind
            )
    rows_of["equal rates, mean"] = [
        i for i in graded[key] if cells[key][i][0] == cells[key][i][1]
    ]
    for name, of in rows_of.items():
        entry = {"task": title, "cells": name}
        for who in ("teacher", "student"):
            for measure, values in (("Odds", odds), ("EAcc", eacc)):
                entry[f"{who}'s {measure}"] = (
                    None
                    if of is None or not len(of)
                    else values[key, who][of].mean().item()
                )
        if of is None:  # it is judged on clean inputs, as students are
            entry |= {
                "student's Odds": odds_of(plain[key]).mean().item(),
                "student's EAcc": eacc_of(plain[key]).mean().item(),
            }
        table.append(entry)

# %% tags=["hide-input"]
record.table(
    "kinds", table, units={name: "%" for name in table[0] if name[-4:] in ("Odds", "EAcc")},
    formats={name: ".1f" for name in table[0] if name[-4:] in ("Odds", "EAcc")},
    caption="Odds and EAcc by kind of cell, mean over cells and seeds. Graded: both triggers with both labels. One-sided: one label has "
    "a single trigger. Constant: one trigger for all. Tells the label: each trigger has its label. The standard model stands with "
    "the students, on clean inputs.",
)  # fmt: skip

# %%
for key in titles:
    n = len(splits[key]["test"][1])
    for who in ("teacher", "student"):
        mine = odds[key, who][graded[key]]
        of = {"n": n, "seeds": seeds_of[key], "format": ".1%"}
        less = (mine < odds[key, who][matched[key]]).double().mean()
        record.value(f"less_odds.{key}.{who}", less, **of)
        more = (eacc[key, who][graded[key]] > eacc[key, who][matched[key]]).double().mean()
        record.value(f"more_eacc.{key}.{who}", more, **of)
        apart = drawn["odds", key, who][:, :-1] - drawn["odds", key, who][:, -1:]
        as_good = np.quantile(apart, 0.025, axis=0) <= 0
        record.value(f"as_good.{key}.{who}", as_good.mean(), **of)
        points = {"n": n, "seeds": seeds_of[key], "unit": "%", "format": ".1f"}
        record.value(f"least_odds.{key}.{who}", mine.min(), **points)
        lost = eacc[key, who][matched[key]] - eacc[key, who][graded[key]].max()
        record.value(f"eacc_to_best.{key}.{who}", lost, **{**points, "format": "+.1f"})
        record.value(f"range.{key}.{who}", mine.max() - mine.min(), **points)
record.summary({
    f"{titles['rows']}: graded cells with less Odds than the matched one, teachers": "less_odds.rows.teacher",
    f"{titles['rows']}: the same, students": "less_odds.rows.student",
    f"{titles['rows']}: cells whose Odds is not clearly larger, teachers": "as_good.rows.teacher",
    f"{titles['faces']}: cells with less Odds, teachers": "less_odds.faces.teacher",
    f"{titles['faces']}: the same, students": "less_odds.faces.student",
})  # fmt: skip

# %% [markdown]
# ## Odds and the distance between the two strengths
#
# Over the graded cells, whose strength is finite, we rank Odds against $|D| = |\alpha - \beta|$, and the signed difference of the
# groups (how much more often group 1 is given label 1 than group 0, at equal true labels) against $\alpha$. Intervals are over test
# examples and seeds. Where the signed difference changes its sign is the strength that cancels; 1 is the natural one.

# %%
alpha = {key: trigger_strength(rates_of[key]).numpy() for key in titles}
names = {"teacher": "teacher", "last": "teacher, last epoch", "student": "student"}
distances = []
for key, title in titles.items():
    turn, cut = np.sign(beta[key]), graded[key]
    strength = turn * alpha[key][cut]
    order = np.argsort(strength, kind="stable")
    ends = np.append(strength[order], strength[order][-1])
    between = (ends[1:] + ends[:-1]) / 2 / abs(beta[key])
    ranks = {"odds": rankdata(abs(strength - abs(beta[key]))), "signed": rankdata(strength)}
    for who, name in names.items():
        entry = {"task": title, "model": name}
        measured = {"odds": odds[key, who], "signed": signed(recalls[key, who]).mean(1)}
        found = {}
        for what, rank in ranks.items():
            every = np.vstack([measured[what][cut].numpy(), drawn[what, key, who][:, :-1]])
            every = turn * every if what == "signed" else every
            with np.errstate(invalid="ignore"):  # no ranks where all cells are alike: 0
                r = [np.corrcoef(rank, rankdata(one))[0, 1] for one in every]
            found[f"rank.{what}"] = np.nan_to_num(r)
        # Differences in favor of the bias come first: their sum is largest where they end.
        found["crossing"] = between[every[:, order].cumsum(1).argmax(1)]
        for what, values in found.items():
            value, (low, high) = values[0], np.quantile(values[1:], [0.025, 0.975])
            record.value(
                f"{what}.{key}.{who}", value, n=len(cut), seeds=seeds_of[key], format=".2f",
                spread=(min(low, value), max(high, value)), note="95 % interval; n counts cells",
            )  # fmt: skip
            entry[what] = f"{value:.2f} [{low:.2f}, {high:.2f}]"
        distances.append(entry)

# %% tags=["hide-input"]
record.table(
    "distances",
    [{"task": e["task"], "model": e["model"], "Odds with distance": e["rank.odds"], "difference with strength": e["rank.signed"],
      "strength that cancels": e["crossing"]} for e in distances],
    caption="Over the graded cells: rank correlation of Odds with the distance of the two strengths, of the signed difference of the "
    "groups with the strength, in the direction of the bias, and the strength that cancels in units of the natural one; in "
    "brackets 95 % intervals over test examples and seeds.",
)  # fmt: skip

# %% [markdown]
# On the table, Odds of the teachers ranks with the distance at {record}`debias/injection_rates#rank.odds.rows.teacher`, of the students
# at {record}`debias/injection_rates#rank.odds.rows.student`; the signed difference ranks with the strength at
# {record}`debias/injection_rates#rank.signed.rows.teacher` and {record}`debias/injection_rates#rank.signed.rows.student`. Teachers
# cancel at {record}`debias/injection_rates#crossing.rows.teacher` times the natural strength and students at
# {record}`debias/injection_rates#crossing.rows.student`. After the last epoch the teachers' figures are
# {record}`debias/injection_rates#rank.odds.rows.last` and {record}`debias/injection_rates#crossing.rows.last`: an epoch that is chosen for
# little Odds may be an early one, in which a strong trigger is not learned yet. The grid on pictures is coarse, and the strength that
# cancels can only be read as lying between two of its cells.
#
# ## The curve that the rates determine
#
# The solvable model needs three numbers that are not rates: the mean logits $v_y$ of the two labels and their spread $s$. We take
# them from the standard model, which has never met a trigger. Group and trigger then enter by their rates alone, and the model
# says what each cell's teacher should measure.

# %%
theory = {}
for key in titles:
    y, b = (v.cpu() for v in splits[key]["test"][1:])
    of_seeds, shares = [], {}
    for seed in seeds_of[key]:
        model = standard[key]["standard", seed].model(build_model).to(place)
        z = group_outputs(model, splits[key]["test"][0]).diff(dim=1).cpu()
        means = cell_means(z, y, b)[..., 0]  # by label and group
        rest = (z[:, 0] - means[y, b]).std().item()
        shares[seed] = means.diff(dim=1).mean().item() / beta[key]
        labels, effects = tuple(means.mean(1).tolist()), (-beta[key] / 2, beta[key] / 2)
        of_cells = torch.full((len(alpha[key]), 2, 2), torch.nan, dtype=torch.float64)
        for cell in np.flatnonzero(np.isfinite(alpha[key])):
            rates = tuple(rates_of[key][cell].tolist())
            by_rates = bayes_toy(
                bias_rates=tuple(own[key]), trigger_rates=rates
            ).trigger_effects
            of_cells[cell] = LogisticToy(
                0.5, tuple(own[key]), rates, labels, rest, 0.0, 0.0, 1.0, effects, by_rates,
            ).recalls("inverted")  # fmt: skip
        of_seeds.append(of_cells)
    theory[key] = torch.stack(of_seeds, 1)
    record.by_seed(f"group_share.{key}", shares, n=len(y), format=".2f")

# %%
x, y, b = splits["faces"]["test"]
stamp = trigger_stamp(block)
moved = []
for of in of_faces:
    for bade in of:
        teacher = bade.teacher.model(build_model).to(place)
        z = [
            group_outputs(teacher, x, stamp=stamp, assignment=torch.full_like(b, a))
            for a in (0, 1)
        ]
        moved.append((z[1] - z[0]).diff(dim=1).mean().item())
effect = {("rows", who): z.diff(dim=3).mean((2, 3)).mean(1) for who, z in both.items()}
effect["faces", "teacher"] = torch.tensor(moved).reshape(len(of_faces), -1).mean(1)
for (key, who), values in effect.items():
    inside = np.isfinite(alpha[key])
    slope = np.polyfit(alpha[key][inside], values[inside], 1)[0]
    record.value(
        f"learned.{key}.{who}",
        slope,
        n=int(inside.sum()),
        seeds=seeds_of[key],
        format=".2f",
    )

# %%
for key in titles:
    mine, n = torch.as_tensor(graded[key]), len(splits[key]["test"][1])
    expected = theory[key][mine].mean(1)
    for who in ("teacher", "last"):
        measured = signed(recalls[key, who])[mine].mean(1)
        of = {"n": len(mine), "seeds": seeds_of[key], "note": "n counts cells"}
        together = np.corrcoef(signed(expected), measured)[0, 1]
        record.value(f"theory.r.{key}.{who}", together, format="+.2f", **of)
        off = (odds_of(theory[key])[mine].mean(1) - odds[key, who][mine]).abs().mean()
        record.value(f"theory.error.{key}.{who}", off, unit="%", format=".1f", **of)
record.summary({
    f"{titles['rows']}: learned effect of the trigger over α, chosen epoch": "learned.rows.teacher",
    "after the last epoch": "learned.rows.last",
    f"{titles['faces']}: chosen epoch": "learned.faces.teacher",
    f"{titles['rows']}: the standard model's effect of the group over β": "group_share.rows",
    f"{titles['faces']}: the same": "group_share.faces",
    f"{titles['rows']}: model against measured signed difference, correlation after the last epoch": "theory.r.rows.last",
    "mean error of its Odds": "theory.error.rows.last",
    f"{titles['faces']}: correlation after the last epoch": "theory.r.faces.last",
    "mean error of its Odds there": "theory.error.faces.last",
})  # fmt: skip

# %% tags=["hide-input"]
points, names = (
    [],
    {"teacher": "teacher", "last": "teacher, last epoch", "student": "student"},
)
key = "rows"
steps = 0.5 if len(graded[key]) > 30 else 1.0
distance = (
    np.round((alpha[key][graded[key]] - beta[key]) * np.sign(beta[key]) / steps) * steps
)
for name, values in {
    "solvable model": odds_of(theory[key]),
    **{names[who]: odds_of(recalls[key, who]) for who in names},
}.items():
    for cell, at in zip(graded[key], distance, strict=True):
        points += [
            {"D": at, "Odds": value, "of": name} for value in [values[cell].mean().item()]
        ]
points = pd.DataFrame(points)
near = (
    points.assign(D=points.D.clip(-2, 2).round()).groupby(["of", "D"]).Odds.mean().unstack()
)
record.figure(
    curves_with_bands(points, x="D", y="Odds", hue="of", x_label="strength of the trigger minus strength of the group, in the direction of the bias",
                      y_label="Odds, %", references={"standard model": odds_of(plain[key]).mean().item()}),
    "distance",
    caption=f"{titles[key]}: Odds of the graded cells by the distance D between artificial and natural bias, in bins of {steps:g}; mean "
    "and range over cells. At the left the trigger is too weak or turned around, at the right too strong.",
    alt="Curves over D; mean Odds at D about " + "; ".join(
        f"{name}: " + ", ".join(f"{at:g} {value:.0f}" for at, value in row.dropna().items()) for name, row in near.iterrows()) + ".",
    n=len(splits[key]["test"][1]),
)  # fmt: skip

# %% tags=["hide-input"]
panels = {
    title: {names[who]: list(zip(signed(theory[key])[graded[key]].mean(1).tolist(), signed(recalls[key, who])[graded[key]].mean(1).tolist(), strict=True))
            for who in ("teacher", "last")}
    for key, title in titles.items()
}  # fmt: skip
record.figure(
    agreement_plot(panels, x_label="foreseen difference, %", y_label="measured difference, %"), "theory",
    caption="The signed difference between the groups in each graded cell, as the solvable model foresees it from the rates and the "
    "standard model, and as measured on teachers; mean over seeds. On the dashed line they agree.",
    alt="Two panels of points. " + " ".join(
        f"{title}: from {min(p[0] for p in of[names['last']]):.0f} to {max(p[0] for p in of[names['last']]):.0f} foreseen, "
        f"{min(p[1] for p in of[names['last']]):.0f} to {max(p[1] for p in of[names['last']]):.0f} measured after the last epoch, "
        f"{min(p[1] for p in of[names['teacher']]):.0f} to {max(p[1] for p in of[names['teacher']]):.0f} in the chosen one."
        for title, of in panels.items()),
    n=sum(len(of) for of in graded.values()),
)  # fmt: skip

# %% [markdown]
# A teacher that has learned all that the rates say has a trigger effect of $\alpha$, and the ratio of the two is 1. It is
# {record}`debias/injection_rates#learned.rows.last` on the table after the last epoch and
# {record}`debias/injection_rates#learned.rows.teacher` in the chosen one, {record}`debias/injection_rates#learned.faces.teacher` on
# pictures. The group is another matter. The standard model's two groups differ by
# {record}`debias/injection_rates#group_share.rows` of $\beta$ on the table and {record}`debias/injection_rates#group_share.faces` of
# it on pictures. Where that is below 1, because the group cannot be read in every input, the matched trigger is stronger than the
# bias that the model has, and cancels too much.
#
# ## Too weak, right, too strong
#
# The first cross-section keeps the mean of the two rates' logits and multiplies the natural strength. 0 is no artificial bias, 1 the
# matched cell, 2 twice the natural strength. Odds has no sign; we show the differences of the groups' true positive and true
# negative rates with theirs.

# %%
dose = []
for who in ("teacher", "last", "student"):
    of = recalls["rows", who][section["dose"]]
    for factor, at_seeds in zip(factors, of, strict=True):
        name = f"{factor:g}".replace("-", "minus_").replace(".", "_")
        values = odds_of(at_seeds).tolist()
        record.by_seed(
            f"dose.odds.{who}.at_{name}", dict(zip(seeds, values, strict=True)),
            n=len(tables["test"]), unit="%", format=".1f",
        )  # fmt: skip
        for seed, r in zip(seeds, 100 * at_seeds, strict=True):
            entry = {"model": names[who], "factor": factor, "seed": seed}
            entry |= {"TPR": (r[1, 1] - r[0, 1]).item(), "TNR": (r[1, 0] - r[0, 0]).item()}
            dose.append(
                entry | {"Odds": odds_of(r / 100).item(), "EAcc": eacc_of(r / 100).item()}
            )
dose = pd.DataFrame(dose)
means = dose.groupby(["model", "factor"], sort=False).mean(numeric_only=True).reset_index()
record.table(
    "dose", means.drop(columns="seed"), units=dict.fromkeys(("TPR", "TNR", "Odds", "EAcc"), "%"),
    formats=dict.fromkeys(("TPR", "TNR"), "+.1f") | {"Odds": ".1f", "EAcc": ".1f", "factor": "g"},
    caption=f"{titles['rows']}: artificial bias as a multiple of the natural one; differences of true positive and true negative rates, "
    "group 1 minus group 0, with Odds and EAcc, mean over seeds.",
)  # fmt: skip

# %% tags=["hide-input"]
long = dose.melt(["model", "factor", "seed"], ["TPR", "TNR"], "rate", "difference")
long = long[long.model != names["last"]]
long["of"] = long.rate + ", " + long.model
ends = long.groupby(["of", "factor"], sort=False).difference.mean().unstack()
record.figure(
    curves_with_bands(long, x="factor", y="difference", hue="of", x_label="artificial bias, in units of the natural one",
                      y_label="group 1 minus group 0, %", references={"fair": 0.0}),
    "dose",
    caption=f"{titles['rows']}: signed differences between the groups' true positive and true negative rates against the strength of the "
    "trigger; bands from the smallest to the largest seed. Past the crossing the other group is favored.",
    alt="Curves of signed differences: " + "; ".join(
        f"{name} from {row.iloc[0]:+.0f} at {row.index[0]:g} by {row[1.0]:+.0f} at 1 to {row.iloc[-1]:+.0f} at {row.index[-1]:g}"
        for name, row in ends.iterrows()) + ".",
    n=len(tables["test"]),
)  # fmt: skip

# %% [markdown]
# ## Along equal strength
#
# The second cross-section goes along the dashed line of Figure 5: both rates' logits move together, so that the odds ratio stays the
# data's. At 0 is the matched cell.

# %%
along = []
for who, name in {"teacher": "teacher", "student": "student"}.items():
    for shift, at_seeds in zip(shifts, recalls["rows", who][section["along"]], strict=True):
        for seed, r in zip(seeds, at_seeds, strict=True):
            for measure, value in (("Odds", odds_of(r)), ("EAcc", eacc_of(r))):
                along.append(
                    {
                        "shift": shift,
                        "seed": seed,
                        "of": f"{measure}, {name}",
                        "percent": value.item(),
                    }
                )
along = pd.DataFrame(along)
lines = along.groupby(["of", "shift"], sort=False).percent.mean().unstack()
for name, row in lines.iterrows():
    measure, who = name.lower().split(", ")
    record.value(
        f"along.{measure}.{who}", row.max() - row.min(), n=len(tables["test"]), seeds=seeds, unit="%", format=".1f",
    )  # fmt: skip
spread = odds["rows", "teacher"][graded["rows"]]
across = spread.max() - spread.min()
_ = record.value("across.odds.teacher", across, n=len(tables["test"]), seeds=seeds, unit="%", format=".1f")  # fmt: skip

# %% tags=["hide-input"]
record.figure(
    curves_with_bands(along, x="shift", y="percent", hue="of", x_label="shift of both rates' logits (trigger 0 rarer at the left)", y_label="%"),
    "along",
    caption=f"{titles['rows']}: Odds and EAcc along rates of the data's own odds ratio; bands from the smallest to the largest seed. The "
    "matched cell, at 0, is one of many.",
    alt="Four curves over the shift: " + "; ".join(
        f"{name} " + ", ".join(f"{value:.1f} at {at:g}" for at, value in row.items()) for name, row in lines.iterrows()) + ".",
    n=len(tables["test"]),
)  # fmt: skip

# %% [markdown]
# Along this line the teachers' Odds moves by {record}`debias/injection_rates#along.odds.teacher`, over all graded cells by
# {record}`debias/injection_rates#across.odds.teacher`; their EAcc moves by {record}`debias/injection_rates#along.eacc.teacher`. What
# BaDe has to match is one number, the odds ratio, and not two rates.
#
# ## What holds
#
# ```{claims}
# :notebook: debias/injection_rates
# ```

# %% tags=["remove-cell"]
record.write()
record.claims_table()

# %% [markdown]
# ## Differs from the paper, and why
#
# - **Data and network.** The paper's grids are of CelebA, Attractive and Gray_Hair by Male, with ResNet18 and five runs a cell: 1,210
#   trainings and as many distillations. Here the whole grid is a table's, with a perceptron of few units, and pictures have a
#   coarser one. Gray_Hair is left out: the part of CelebA at hand has too few gray-haired women to measure a rate.
# - **Whose Odds.** The paper does not say whether its heat maps are of teachers or of students. We show both.
# - **Strength.** The paper leaves the word open. We take the log odds ratio, and show what follows from it.
# - **Shared draws.** With one seed all cells share first weights, batches and the order in which examples get trigger 0.
# - **The epoch** is chosen on validation examples; the last epoch stands beside it, since choosing by Odds hides what rates do.
# - **Intervals**, signs, the cross-sections and the solvable model's curve are ours.
#
# ## Exercises
#
# ```{exercise}
# :label: ex-rates-swap
# Exchange the two triggers: $\text{TAR}(y)$ becomes $1 - \text{TAR}(y)$ for both labels. What happens to $\alpha$, where does the cell go in
# Figure 5, and is the figure symmetric under this move?
# ```
#
# ```{solution} ex-rates-swap
# :class: dropdown
# $\alpha$ changes its sign, and the cell goes to its mirror image through the middle of the square. The figure is not symmetric,
# because the test still gives trigger 0 to group 1 and trigger 1 to group 0: the trigger now pulls with the bias instead of against it,
# and $|D|$ goes from $|\alpha - \beta|$ to $|\alpha + \beta|$.
# ```
#
# ```{exercise}
# :label: ex-rates-extreme
# A data set has $P(b = 0 \mid y = 1) = 0.98$ and $P(b = 0 \mid y = 0) = 0.9$. Which rates of the same strength would you plant to have as
# many examples as possible that show what the trigger does?
# ```
#
# ```{solution} ex-rates-extreme
# :class: dropdown
# The logits are 3.89 and 2.20, and the odds ratio depends on their difference, 1.69, alone. Moved to be opposite, they are 0.85 and
# -0.85, which are rates of 0.70 and 0.30. Both triggers are then frequent with both labels, while the data's own rates leave
# 2 % of one label for trigger 1.
# ```
