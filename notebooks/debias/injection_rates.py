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
# the solvable model of [When do two biases cancel?](why_it_works.py) gives Odds as a function that is 0 at $D = 0$ and grows with
# $|D|$. So before any training it says four things of Figure 5:
#
# - A whole curve of rates has $\alpha = \beta$, not one cell. Odds is low along all of it.
# - Equal rates ($\alpha = 0$) leave the bias as it was.
# - Twice the natural strength leaves as much bias as no trigger, in favor of the other group.
# - Along the curve the threshold moves, so that EAcc changes where Odds does not.

# %% tags=["parameters"]
rows_dataset = "health"  # a table: "health" (embedded) or "adult" (official)
rows_bias = "disea"  # its bias variable; a column that is no group is parted at its training median
row_steps = 5  # steps from 0 to 100 % in the table's grid; 10 in the paper
hidden = [8]  # units of the table's perceptron
row_settings = {"epochs": 2, "batch_size": 512, "learning_rate": 0.004}  # for the table
factors = [0.0, 1.0, 2.0]  # artificial bias in units of the natural one, cells beside the grid
shifts = [-1.0, 0.0, 1.0]  # moves of both rates' logits along equal strength, likewise
stack = 64  # table models trained at once
dataset = "planted"  # "planted" (drawn faces) or "celeba" (official)
face_rates = [0.2, 0.8]  # rates of the grid on pictures
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
from dataclasses import replace

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
    "rows_dataset": rows_dataset, "rows_bias": rows_bias, "row_steps": row_steps, "hidden": hidden, "row_settings": row_settings,
    "factors": factors, "shifts": shifts, "stack": stack, "dataset": dataset, "face_rates": face_rates, "face_seeds": face_seeds,
    "side": side, "noise": noise, "phi": phi, "n_train": n_train, "n_validation": n_validation, "n_images": n_images,
    "width": width, "face_settings": face_settings, "resamples": resamples, "processes": processes, "seeds": seeds,
}  # fmt: skip
check_number(len(seeds), "the number of seeds", at_least=1)
check_number(row_steps, "row_steps", at_least=2, at_most=50, integer=True)
check_number(face_seeds, "face_seeds", at_least=1, at_most=len(seeds), integer=True)
check_number(resamples, "resamples", at_least=100, integer=True)
for rate in face_rates:
    check_number(rate, "face_rates", at_least=0, at_most=1)
if len(face_rates) < 2 or sorted(set(face_rates)) != list(face_rates):
    raise ValueError(f"face_rates: expected at least two ascending rates, got {face_rates}")
for name, values, wanted in (("factors", factors, 1), ("shifts", shifts, 0)):
    if sorted(set(values)) != list(values) or wanted not in values or len(values) < 2:
        raise ValueError(f"{name}: expected ascending numbers, {wanted} among them, got {values}")
place = choose_device(device)
record = Record("debias/injection_rates", parameters=parameters, seed=seeds[0], device=place)
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
tables = {part: load(rows_dataset, split=part, data_root=root) for part in parts}
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
titles = {"rows": f"{rows_dataset} by {rows_bias}", "faces": f"{pair['label']} by {pair['group']}"}
seeds_of = {"rows": list(seeds), "faces": list(seeds[:face_seeds])}
grid = {"rows": [step / row_steps for step in range(row_steps + 1)], "faces": list(face_rates)}
own = {key: trigger_rates(*splits[key]["train"][1:]).tolist() for key in splits}
beta = {key: trigger_strength([rates]).item() for key, rates in own.items()}
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
# Each cell is a teacher and its student, trained as on the page before, with the epoch chosen on validation examples. With one seed
# all cells share first weights, batches and the order in which examples get trigger 0, so that they differ in the rates alone. Beside
# the grid stand the *matched* cell, with the data's own rates to the example, and on the table two cross-sections through it.

# %%
cells = {key: [[y0, y1] for y0 in of for y1 in of] for key, of in grid.items()}
n_grid = {key: len(of) for key, of in cells.items()}
matched = dict(n_grid)  # the matched cell follows the grid
extra = {"dose": scaled_strength(own["rows"], factors), "along": same_strength(own["rows"], shifts)}
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
# on clean inputs. `logits` holds one logit of class 1 over class 0 for each cell, seed and test example.

# %%
x, y, b = splits["faces"]["test"]
stamp = trigger_stamp(block)
logits = {"rows": {
    "teacher": torch.stack([s.teacher_logits[:, torch.arange(len(tables["test"])), 1 - groups["test"]] for s in stacks], 1),
    "student": torch.stack([s.student_logits for s in stacks], 1),
}}  # fmt: skip
effect = {"rows": torch.stack([s.teacher_logits.diff(dim=2).mean((1, 2)) for s in stacks], 1)}
answers, students = [], []
for run in runs:
    for seed in seeds_of["faces"]:
        bade = run["bade", seed]
        teacher = bade.teacher.model(build_model).to(place)
        answers += [
            group_outputs(teacher, x, stamp=stamp, assignment=torch.full_like(b, a)).diff(dim=1)[:, 0].cpu()
            for a in (0, 1)
        ]  # fmt: skip
        students.append(
            group_outputs(bade.model(build_model).to(place), x).diff(dim=1)[:, 0].cpu()
        )
shape = (len(runs), len(seeds_of["faces"]))
answers = torch.stack(answers).reshape(*shape, 2, -1)
chosen = (1 - b).cpu().expand(*shape, 1, -1)
logits["faces"] = {
    "teacher": answers.gather(2, chosen)[:, :, 0],
    "student": torch.stack(students).reshape(*shape, -1),
}
effect["faces"] = answers.diff(dim=2).mean((2, 3))

# %%
recalls, plain = {}, {}
for key, of in logits.items():
    y, b = (v.cpu() for v in splits[key]["test"][1:])
    for who, z in of.items():
        hits = (z > 0) == y
        recalls[key, who] = cell_recalls(hits.flatten(0, 1), y, b).reshape(*z.shape[:2], 2, 2)
    said = [standard[key]["standard", seed].test_predictions for seed in seeds_of[key]]
    plain[key] = cell_recalls(torch.stack(said) == y, y, b)
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
for key, of in logits.items():
    y, b = (v.cpu() for v in splits[key]["test"][1:])
    draws = generator(seeds[0], "bootstrap", key)
    keep = [*graded[key], matched[key]]
    of_seeds = torch.randint(len(seeds_of[key]), (resamples, 1, len(seeds_of[key])), generator=draws)
    state = draws.get_state()
    for who, z in of.items():
        hits = ((z[keep] > 0) == y).flatten(0, 1)
        draws.set_state(state)  # the same examples for teachers and students
        again = resampled_recalls(hits, y, b, resamples=resamples, generator=draws)
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
            rows_of[f"{kind}, mean of {(kinds[key] == kind).sum()}"] = np.flatnonzero(kinds[key] == kind)
    rows_of["equal rates, mean"] = [i for i in graded[key] if cells[key][i][0] == cells[key][i][1]]
    for name, of in rows_of.items():
        entry = {"task": title, "cells": name}
        for who in ("teacher", "student"):
            for measure, values in (("Odds", odds), ("EAcc", eacc)):
                entry[f"{who}'s {measure}"] = None if of is None or not len(of) else values[key, who][of].mean().item()
        if of is None:  # it is judged on clean inputs, as students are
            entry |= {"student's Odds": odds_of(plain[key]).mean().item(), "student's EAcc": eacc_of(plain[key]).mean().item()}
        table.append(entry)
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
    f"{titles['rows']}, teacher: graded cells with less Odds than the matched one": "less_odds.rows.teacher",
    "cells whose Odds is not clearly larger": "as_good.rows.teacher",
    "student: cells with less Odds": "less_odds.rows.student",
    f"{titles['faces']}, teacher: cells with less Odds": "less_odds.faces.teacher",
    "student: cells with less Odds": "less_odds.faces.student",
})  # fmt: skip

# %% [markdown]
# ## Odds and the distance between the two strengths
#
# Over the graded cells, whose strength is finite, we rank Odds against $|D| = |\alpha - \beta|$, and the signed difference of the
# groups (how much more often group 1 is given label 1 than group 0, at equal true labels) against $\alpha$. Intervals are over test
# examples and seeds. Where the signed difference changes its sign is the strength that cancels; 1 is the natural one.

# %%
alpha = {key: trigger_strength(rates_of[key]).numpy() for key in titles}
for key in titles:
    n, turn = len(splits[key]["test"][1]), np.sign(beta[key])
    strength = alpha[key][graded[key]]
    order = np.argsort(turn * strength, kind="stable")
    ends = turn * strength[order]
    middle = np.append((ends[1:] + ends[:-1]) / 2, ends[-1]) / abs(beta[key])
    ranks = {"odds": rankdata(abs(strength - beta[key])), "signed": rankdata(turn * strength)}
    for who in ("teacher", "student"):
        measured = {"odds": odds[key, who], "signed": turn * signed(recalls[key, who]).mean(1)}
        of = {"n": len(strength), "seeds": seeds_of[key], "note": "95 % interval over test examples and seeds; n counts cells"}  # fmt: skip
        for name in ranks:
            again = drawn[name, key, who][:, :-1] * (turn if name == "signed" else 1)
            every = np.vstack([measured[name][graded[key]].numpy(), again])
            found = np.array([np.corrcoef(ranks[name], rankdata(one))[0, 1] for one in every])
            value, (low, high) = found[0], np.quantile(found[1:], [0.025, 0.975])
            spread = (min(low, value), max(high, value))
            record.value(f"rank.{name}.{key}.{who}", value, spread=spread, format="+.2f", **of)  # fmt: skip
        # Differences in favor of the bias come first, those against it last: their sum is largest at the change.
        crossing = middle[every[:, order].cumsum(1).argmax(1)]
        low, high = np.quantile(crossing[1:], [0.025, 0.975])
        spread = (min(low, crossing[0]), max(high, crossing[0]))
        record.value(f"crossing.{key}.{who}", crossing[0], spread=spread, format=".2f", **of)
record.summary({
    f"{titles['rows']}: rank correlation of Odds with the distance, teacher": "rank.odds.rows.teacher", "student": "rank.odds.rows.student",
    "strength that cancels, in units of the natural one, teacher": "crossing.rows.teacher", "student": "crossing.rows.student",
    f"{titles['faces']}: rank correlation, teacher": "rank.odds.faces.teacher", "student": "rank.odds.faces.student",
    "strength that cancels, teacher": "crossing.faces.teacher", "student": "crossing.faces.student",
})  # fmt: skip

# %% [markdown]
# ## The curve that the rates determine
#
# The solvable model needs three numbers that are not rates: the mean logits $v_y$ of the two labels and their spread $s$. We take them
# from the standard model, which has never met a trigger. Group and trigger then enter by their rates alone, and the model says what
# each cell's teacher should measure.

# %%
theory = {}
for key in titles:
    y, b = (v.cpu() for v in splits[key]["test"][1:])
    for seed in seeds_of[key]:
        model = standard[key]["standard", seed].model(build_model).to(place)
        z = group_outputs(model, splits[key]["test"][0]).diff(dim=1).cpu()
        means = cell_means(z, y, b)[..., 0]  # (label, group)
        rest = (z[:, 0] - means[y, b]).std().item()
        toy = LogisticToy(
            0.5, tuple(own[key]), (0.5, 0.5), tuple(means.mean(1).tolist()), rest, 0.0, 0.0, 1.0,
            (-beta[key] / 2, beta[key] / 2), (0.0, 0.0),
        )  # fmt: skip
        inside = np.isfinite(alpha[key])
        said = torch.full((len(alpha[key]), 2, 2), float("nan"), dtype=torch.float64)
        for cell in np.flatnonzero(inside):
            rates = tuple(rates_of[key][cell].tolist())
            of_rates = bayes_toy(bias_rates=own[key], trigger_rates=rates).trigger_effects
            said[cell] = replace(toy, trigger_effects=of_rates).recalls("inverted")
        theory[key, seed] = said
        effects = means.diff(dim=1).mean().item() / beta[key]
        record.value(f"group_effect.{key}.{seed}", effects, n=len(y), seeds=[seed], format=".2f")  # fmt: skip

# %% tags=["hide-input"]
by_theory = {key: torch.stack([theory[key, seed] for seed in seeds_of[key]], 1) for key in titles}
for key in titles:
    n = len(splits[key]["test"][1])
    mine = torch.as_tensor(graded[key])
    pairs = signed(by_theory[key])[mine].mean(1), signed(recalls[key, "teacher"])[mine].mean(1)
    off = (odds_of(by_theory[key])[mine].mean(1) - odds[key, "teacher"][mine]).abs()
    of = {"n": n, "seeds": seeds_of[key]}
    record.value(f"theory.r.{key}", np.corrcoef(*pairs)[0, 1], format="+.2f", **of)
    record.value(f"theory.error.{key}", off.mean(), unit="%", format=".1f", **of)
    slope = np.polyfit(alpha[key][graded[key]], effect[key][mine].mean(1), 1)[0]
    record.value(f"learned.{key}", slope, format=".2f", **of)
    record.value(f"group_learned.{key}", sum(record_value for record_value in (
        (cell_means(torch.stack([logits[key]["teacher"][matched[key], i], logits[key]["teacher"][matched[key], i]], 1), *(v.cpu() for v in splits[key]["test"][1:])).diff(dim=1).mean().item())
        for i in range(len(seeds_of[key])))) / len(seeds_of[key]), format="+.2f", **of)
record.write()
