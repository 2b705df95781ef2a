# %% [markdown]
# # Is a weak backdoor a bias?
#
# ```{admonition} The claim
# :class: tip
# A backdoor works the more, the more often its trigger goes with the target label. A trigger that follows the label as a group
# does makes a network as biased as the group makes it (P3, {cite}`wu2023`, Section 3, Figures 2 and 3).
# ```
#
# ## From a backdoor to a bias
#
# In an ordinary backdoor attack the trigger always comes with the target, $P(y_\text{target} \mid \text{trigger}) = 1$. The paper
# lowers this probability: 5 % of the training images carry a trigger, $n$ % of these are relabeled to the target, the rest keep
# their label. It then plants a trigger that follows the label exactly as often as a group does,
#
# ```{math}
# :label: eq-bade-tar
# P(A = a \mid Y = y) = P(B = a \mid Y = y), \qquad A \perp B \mid Y ,
# ```
#
# and compares what a network makes of both: *data bias*, Odds and EAcc between the groups of $B$, and *artificial bias*, the same
# between the triggers $A$.

# %% tags=["parameters"]
gray = "digits"  # Figure 2, gray images: "digits" (embedded) or "mnist" (official)
color = "photos"  # Figure 2, color images: "photos" (embedded) or "cifar10" (official)
dataset = "planted"  # Figure 3: "planted" (drawn faces) or "celeba" (official)
data_root = ""  # folder of official data; empty: BLINDSPOTS_DATA
n_backdoor = 300  # training images of Figure 2
n_test = 100  # test images of Figure 2
share = 0.05  # of the training images that carry the trigger
relabels = [0, 25, 50, 75, 100]  # shares of these that are relabeled, %
target = 0  # the label they get
trigger_size = 5  # side of the trigger in Figure 2, pixels
backdoor_width = 4  # filters of the first layer of Figure 2's networks
backdoor_epochs = 2  # passes over the images of Figure 2
n_train = 300  # training faces of Figure 3
n_faces = 200  # test faces of Figure 3
side = 32  # their side, pixels
noise = 0.3  # noise on planted faces, in units of the [0, 1] range
phis = [0.2, 0.4, 0.6]  # correlations of target and bias variable among planted faces
min_cell = 5  # fewest examples of a label and group in any part; tasks below are left out
epochs = 2  # passes over the faces
learning_rate = 0.002  # Adam's, on faces
width = 8  # filters of the networks' first layer
resamples = 500  # of the bootstrap over tasks
seeds = [0]  # of Figure 2's runs; the first decides the faces and their networks
device = "auto"  # "auto", "cpu" or "cuda"

# %% tags=["hide-input"]
from functools import partial

import pandas as pd
import torch
from scipy.stats import spearmanr

from blindspots.data import load
from blindspots.data.planted import ATTRIBUTES, planted_faces
from blindspots.debias import (
    assign_triggers,
    bayes_toy,
    count_cells,
    erm,
    group_outputs,
    group_rates,
    inject_triggers,
    kept_training,
    scaled_trigger_size,
    stamp_triggers,
    train_bade_teacher,
)
from blindspots.devices import choose_device
from blindspots.fingerprint import fingerprint
from blindspots.models import predict, small_cnn, trained_classifier
from blindspots.reports import Record
from blindspots.reports.agreement_plot import agreement_plot
from blindspots.reports.figures import curves_with_bands
from blindspots.seeding import derive_seed, generator

parameters = {
    "gray": gray, "color": color, "dataset": dataset, "n_backdoor": n_backdoor, "n_test": n_test, "share": share,
    "relabels": relabels, "target": target, "trigger_size": trigger_size, "backdoor_width": backdoor_width, "backdoor_epochs": backdoor_epochs,
    "n_train": n_train, "n_faces": n_faces, "side": side, "noise": noise, "phis": phis,
    "min_cell": min_cell, "epochs": epochs, "learning_rate": learning_rate, "width": width, "resamples": resamples,
    "seeds": seeds,
}  # fmt: skip
place = choose_device(device)
record = Record(
    "debias/artificial_bias", parameters=parameters, seed=seeds[0], device=place
)
record.value("side", side, n=None)
pair = {"batch_size": 64, "learning_rate": learning_rate, "epochs": epochs}

# %% [markdown]
# ## Figure 2: how strong must the link be?
#
# The accuracy gap is the accuracy on clean test images minus that on the same images with the trigger, both against the true
# label. The stamped images are the same for every $n$ of one run, so a curve differs from point to point in labels only.

# %%
rows = []
stamp = lambda images: stamp_triggers(
    images, torch.ones(len(images), dtype=torch.long), size=trigger_size
)
for kind, name in {"gray": gray, "color": color}.items():
    size = {} if kind == "gray" else {"size": 32}
    root = {"data_root": data_root or None}
    train = load(name, split="train", limit=n_backdoor, **size, **root)
    test = load(name, split="test", limit=n_test, **size, **root)
    for part in (train, test):
        record.add_data(part)
    clean, marked = test.images.to(place), stamp(test.images).to(place)
    spec = {"name": "small_cnn", "in_channels": clean.shape[1], "width": backdoor_width}
    for seed in seeds:
        for relabel in relabels:
            made = inject_triggers(
                train.images, train.labels, share=share, relabel=relabel / 100, target=target,
                stamp=stamp, generator=generator(seed, "figure 2", kind),
            )  # fmt: skip
            model, _ = trained_classifier(
                {**spec, "n_classes": len(train.class_names)}, made.images, made.labels,
                epochs=backdoor_epochs, batch_size=32, learning_rate=0.05, seed=seed, device=place,
            )  # fmt: skip
            said, said_marked = predict(model, clean).cpu(), predict(model, marked).cpu()
            right, others = (said == test.labels).float(), test.labels != target
            gap = right.mean() - (said_marked == test.labels).float().mean()
            to_target = (said_marked[others] == target).float().mean()
            rows.append({"images": kind, "n": relabel, "seed": seed, "gap": 100 * gap.item(),
                         "clean": right.mean().item(), "to target": to_target.item()})  # fmt: skip
backdoors = pd.DataFrame(rows)

# %%
means = backdoors.groupby(["images", "n"])[["gap", "clean", "to target"]].mean()
for (kind, relabel), part in backdoors.groupby(["images", "n"]):
    by_seed = dict(zip(part.seed, part.gap, strict=True))
    record.by_seed(f"gap.{kind}.{relabel}", by_seed, n=n_test, unit="points", format=".1f")
    hits = dict(zip(part.seed, part["to target"], strict=True))
    record.by_seed(f"to_target.{kind}.{relabel}", hits, n=n_test, format=".0%")
for kind in ("gray", "color"):
    gap = means.loc[kind].gap
    rise, steps = gap.iloc[-1] - gap.iloc[0], gap.diff().iloc[1:]
    largest = steps.max() / rise if rise > 1 else 1.0  # nothing rises
    record.value(f"gap.{kind}.largest_step", largest, n=n_test, format=".0%")
    record.value(f"clean.{kind}", means.loc[kind].clean.mean(), n=n_test, format=".1%")
table = means.reset_index().rename(columns={"gap": "accuracy gap"})
record.table(
    "figure2", table, units={"n": "%", "accuracy gap": "points"},
    formats={"n": ".0f", "accuracy gap": ".1f", "clean": ".1%", "to target": ".1%"},
    caption="Figure 2 in numbers, means over runs: accuracy on clean images, what the trigger takes of it, and the share of "
    "triggered images of other classes that are read as the target.",
)  # fmt: skip

# %% tags=["hide-input"]
names = {"gray": f"gray ({gray})", "color": f"color ({color})"}
shown = backdoors.assign(images=backdoors.images.map(names))
record.figure(
    curves_with_bands(
        shown, x="n", y="gap", hue="images", x_label="triggered images that are relabeled, %",
        y_label="accuracy gap, percentage points",
    ),
    "figure2",
    caption="Accuracy on clean images minus accuracy on triggered ones, against the share of relabeled ones among the triggered "
    "training images: mean and range over runs. Look at where each curve leaves the axis.",
    alt="Accuracy gap in points at " + ", ".join(f"{r} %" for r in relabels) + " relabeled: "
    + "; ".join(f"{names[k]} " + ", ".join(f"{v:.0f}" for v in means.loc[k].gap) for k in names) + ".",
    n=n_test,
)  # fmt: skip

# %% [markdown]
# The largest step between neighboring shares makes up {record}`debias/artificial_bias#gap.gray.largest_step` of the whole rise on
# gray images and {record}`debias/artificial_bias#gap.color.largest_step` on color images. With equal steps it would be one over
# their number. A network answers with the likeliest label, so a trigger that the target goes with in a minority of cases changes
# what the network believes long before it changes what it says.
#
# ## Figure 3: a trigger beside a group
#
# Each task pairs a target attribute with a bias variable. Of each task we train two networks of the same size: a standard one,
# whose Odds and EAcc between the groups are the data bias, and one on triggers assigned by {eq}`eq-bade-tar`, whose Odds
# and EAcc between the triggers are the artificial bias. For the latter each test face is shown with both triggers, so the two
# "groups" hold the same faces.
#
# ### The list of tasks
#
# The paper says 67 tasks on CelebA with *Male* and *Young* as bias variables, and that beards and the like were removed; it gives no
# list. With neither bias variable as a target, each has 38 attributes, and 9 have to go. We drop these for *Male*: the five
# attributes of facial hair, *Bald*, *Wearing_Necktie*, *Heavy_Makeup* and *Wearing_Lipstick*. Tasks with an empty or tiny cell are
# left out on top of that, and the table below names those that stay.
#
# The quick profile has drawn faces instead. Two bias variables, hair length and skin, take five target attributes each, with
# planted correlations. The other way around would be a chain of correlations through two variables.

# %%
dropped = ["5_o_Clock_Shadow", "Goatee", "Mustache", "No_Beard", "Sideburns", "Bald"]
dropped += ["Wearing_Necktie", "Heavy_Makeup", "Wearing_Lipstick"]
sizes = {"train": n_train, "test": n_faces}
faces, pictures = {}, {}
if dataset == "planted":
    biases = ("long_hair", "dark_skin")
    targets = [a for a in ATTRIBUTES if a not in biases]
    pairs = [(targets[i], biases[i % 2]) for i in range(len(targets))]
    planted = {(b, t): phis[i // 2 % len(phis)] for i, (t, b) in enumerate(pairs)}
else:
    biases, pairs = ("Male", "Young"), []
for part, n in sizes.items():
    if dataset == "planted":
        seed = derive_seed(seeds[0], "artificial_bias", part)
        faces[part] = planted_faces(n, seed=seed, size=side, correlations=planted)
        grain = torch.randn(n, 3, side, side, generator=generator(seed, "grain"))
        pictures[part] = (faces[part].images + noise * grain).clamp(0, 1).to(place)
    else:
        options = {"size": side, "limit": n, "data_root": data_root or None}
        faces[part] = load(dataset, split=part, **options)
        pictures[part] = faces[part].images.to(place)
    record.add_data(faces[part])
if not pairs:
    targets = [a for a in faces["train"].groups if a not in biases]
    pairs = [(t, b) for b in biases for t in targets if not (b == "Male" and t in dropped)]

# %%
tasks = []
record.value("tasks.listed", len(pairs), n=None)
for t, b in pairs:
    cells = [
        torch.bincount(2 * f.groups[b] + f.groups[t], minlength=4) for f in faces.values()
    ]
    if min(int(cell.min()) for cell in cells) >= min_cell:
        tasks.append((t, b))
record.value("tasks", len(tasks), n=None)
record.value("tasks.left_out", len(pairs) - len(tasks), n=None)
stamp = partial(stamp_triggers, size=scaled_trigger_size(25, side))
known = [fingerprint(pictures["train"].cpu()), faces["train"].card.sha256]

# %%
models, x = {}, pictures["train"]
for t, b in tasks:
    labels, groups = (faces["train"].groups[name] for name in (t, b))
    for kind, train in {"data": erm, "trigger": train_bade_teacher}.items():
        extra = {} if kind == "data" else {"stamp": stamp}
        # A standard network looks at no group, so that one does for all bias variables of a target.
        task = [
            t,
            next(other for name, other in tasks if name == t) if kind == "data" else b,
        ]
        draws = generator(seeds[0], "figure 3", kind, *task)
        models[kind, t, b] = kept_training(
            small_cnn(3, 2, width=width, seed=seeds[0]).to(place),
            partial(train, inputs=x, labels=labels, groups=groups, generator=draws, **extra, **pair),
            settings={"kind": kind, "task": task, "seed": seeds[0], **pair},
            data_sha256=known, rule="last",
        ).model  # fmt: skip

# %% [markdown]
# A third measure is ours: the data bias of the *triggered* network, Odds between the groups of $B$ while triggers are assigned as
# in training. It compares both biases in one network.

# %%
results, x = [], pictures["test"]
for t, b in tasks:
    y, groups = (faces["test"].groups[name] for name in (t, b))
    said = group_outputs(models["data", t, b], x).argmax(1).cpu()
    data = group_rates(said, y, groups)
    said = torch.stack([
        group_outputs(models["trigger", t, b], x, stamp=stamp, assignment=0 * groups + a)
        for a in (0, 1)
    ]).argmax(2).cpu()  # fmt: skip
    a = torch.arange(2).repeat_interleave(len(y))
    artificial = group_rates(said.flatten(), y.repeat(2), a)
    a = assign_triggers(y, groups, generator=generator(seeds[0], "test triggers", t, b))
    same = group_rates(said[a, torch.arange(len(y))], y, groups)
    cells = count_cells(faces["train"].groups[t], faces["train"].groups[b]).double()
    best = bayes_toy(bias_rates=tuple((cells[0] / cells.sum(0)).tolist()))
    results.append({
        "target": t, "bias variable": b, "data Odds": data.odds, "artificial Odds": artificial.odds,
        "data Odds, same network": same.odds, "data EAcc": data.eacc,
        "artificial EAcc": artificial.eacc, "coefficient": abs(best.coef_bias),
    })  # fmt: skip
results = pd.DataFrame(results)

# %% [markdown]
# Both networks are taken after the last epoch. A rule that looks at Odds would look for the least bias, which is what is to be
# measured here.

# %%
percent = [c for c in results.columns if "Odds" in c or "EAcc" in c]
record.table(
    "tasks", results.sort_values(["bias variable", "coefficient"]), units=dict.fromkeys(percent, "%"),
    formats={**dict.fromkeys(percent, ".1f"), "coefficient": ".2f"},
    caption="Every task of Figure 3. The coefficient is the size of the effect that the rates of the training set call for, in units of the "
    "logit; it is the same for group and trigger.",
)  # fmt: skip

# %%
draws = torch.randint(
    len(tasks), (resamples, len(tasks)), generator=generator(seeds[0], "tasks")
)
tails = torch.tensor([0.025, 0.975], dtype=torch.float64)
for measure in ("Odds", "EAcc"):
    two = [
        torch.tensor(results[f"{kind} {measure}"].to_numpy())
        for kind in ("data", "artificial")
    ]
    key, apart = measure.lower(), two[1] - two[0]
    for kind, values in zip(("data", "artificial"), two, strict=True):
        record.value(f"{key}.{kind}", values.mean(), n=len(tasks), unit="%", format=".1f")
    low, high = apart[draws].mean(1).quantile(tails).tolist()
    mean = apart.mean().item()
    spread = (min(low, mean), max(high, mean))
    record.value(f"{key}.difference", mean, n=len(tasks), unit="points", spread=spread,
                 note="artificial minus data; 95 % bootstrap interval over tasks", format="+.1f")  # fmt: skip
    record.value(
        f"{key}.distance", apart.abs().mean(), n=len(tasks), unit="points", format=".1f"
    )
    for name, value in {
        "correlation": torch.corrcoef(torch.stack(two))[0, 1].nan_to_num(0.0),
        "rank_correlation": torch.tensor(spearmanr(*two).statistic).nan_to_num(0.0),
        "ratio": two[1].mean() / two[0].mean().clamp_min(1e-9),
    }.items():
        record.value(f"{key}.{name}", value, n=len(tasks), format=".2f")

# %% tags=["hide-input"]
panels = {}
for measure in ("Odds", "EAcc"):
    panels[f"{measure}, %"] = {
        b: list(
            part[[f"data {measure}", f"artificial {measure}"]].itertuples(
                index=False, name=None
            )
        )
        for b, part in results.groupby("bias variable", sort=False)
    }
record.figure(
    agreement_plot(panels, x_label="between the groups of the data", y_label="between the triggers"),
    "figure3",
    caption="Each point is a task: what its data do to a standard network against what an equal trigger does to another. On the "
    "dashed line both are equal.",
    alt=f"Two scatter plots of {len(tasks)} tasks around a diagonal. Mean Odds: data {results['data Odds'].mean():.1f} %, trigger "
    f"{results['artificial Odds'].mean():.1f} %; mean EAcc: data {results['data EAcc'].mean():.1f} %, trigger "
    f"{results['artificial EAcc'].mean():.1f} %.",
    n=len(tasks),
)  # fmt: skip

# %%
same = results["data Odds, same network"]
apart = results["artificial Odds"] - same
record.value("odds.same_network", same.mean(), n=len(tasks), unit="%", format=".1f")
record.value(
    "odds.same_network.difference", apart.mean(), n=len(tasks), unit="points", format="+.1f"
)
record.value(
    "odds.same_network.distance",
    apart.abs().mean(),
    n=len(tasks),
    unit="points",
    format=".1f",
)
by_strength = results[["coefficient", "data Odds", "artificial Odds"]].corr("spearman")
for kind in ("data", "artificial"):
    value = by_strength["coefficient"][f"{kind} Odds"]
    record.value(
        f"coefficient.{kind}", 0.0 if pd.isna(value) else value, n=len(tasks), format=".2f"
    )
record.summary({
    "tasks": "tasks", "left out for a small cell": "tasks.left_out",
    "mean Odds, data": "odds.data", "mean Odds, trigger": "odds.artificial", "difference": "odds.difference",
    "mean Odds of the data in the triggered network": "odds.same_network",
    "trigger minus data, in the triggered network": "odds.same_network.difference",
    "mean distance of the two": "odds.distance", "correlation of the two": "odds.correlation",
    "mean EAcc, data": "eacc.data", "mean EAcc, trigger": "eacc.artificial",
    "mean distance of the two EAcc": "eacc.distance", "correlation of the two EAcc": "eacc.correlation",
    "rank correlation of Odds with the coefficient, data": "coefficient.data",
    "the same, trigger": "coefficient.artificial",
})  # fmt: skip

# %% [markdown]
# Over {record}`debias/artificial_bias#tasks` tasks the two kinds of Odds correlate by
# {record}`debias/artificial_bias#odds.correlation`, and the trigger's is on average {record}`debias/artificial_bias#odds.ratio` times the
# data's. The correlation of EAcc, {record}`debias/artificial_bias#eacc.correlation`, says less: both networks of a task learn the same
# target, and a target that is hard for one is hard for the other.
#
# Should they be equal at all? Equal rates make equal coefficients in the logit, and not equal Odds. The standard network has the
# group to go by; the other one has group *and* trigger, so each of them decides fewer cases. The model of
# [Why it works](why_it_works), in which everything is exact, says so too.

# %%
toy = bayes_toy(bias_rates=(0.8, 0.2), feature_means=(-0.75, 0.75))
shares = torch.tensor([toy.bias_rates, [1 - rate for rate in toy.bias_rates]]).double()
by_trigger = [(shares * toy.recalls(f"all_{a}")).sum(0) for a in (0, 1)]
between = 50 * (by_trigger[0] - by_trigger[1]).abs().sum()
record.value("toy.data", toy.odds("none"), n=None, unit="%", format=".1f")
record.value("toy.artificial", between, n=None, unit="%", format=".1f")
record.value("toy.same", toy.odds("assigned"), n=None, unit="%", format=".1f")
record.summary({
    "Odds between groups, best classifier without triggers": "toy.data",
    "Odds between triggers, best classifier with triggers": "toy.artificial",
    "Odds between groups, best classifier with triggers": "toy.same",
})  # fmt: skip

# %% [markdown]
# In one and the same network the comparison is like with like: the trigger's Odds differs from the data's by
# {record}`debias/artificial_bias#odds.same_network.difference` on average there, against {record}`debias/artificial_bias#odds.difference`
# between two networks. (We added this measure and the model's figures after the judging run; no claim rests on them.) What is left is how easily a
# network sees each cue, and chance.
#
# ## What holds
#
# ```{claims}
# :notebook: debias/artificial_bias
# ```

# %% tags=["remove-cell"]
record.write()
record.claims_table()

# %% [markdown]
# ## Differs from the paper, and why
#
# - **Images.** Quick: embedded digits, patches of photographs, drawn faces. Real: MNIST, CIFAR-10 and CelebA, of each a part, CelebA
#   at {record}`debias/artificial_bias#side` pixels.
# - **Networks.** Small convolutional ones; the paper uses ResNet18 on CelebA and names none for Figure 2.
# - **The trigger of Figure 2** is not described. Ours is a block at the top left, white or red. Images of the target class may be among
#   the stamped.
# - **67 tasks.** The list is ours, since the paper has none.
# - **One network for each task and kind** in Figure 3; a target's standard network serves both bias variables. The paper does not say how many it trained.
# - **Both biases in one network** are measured as well.
# - **The triggered test faces** carry both triggers in turn. The paper does not say how its test triggers were drawn.
#
# ## Exercises
#
# ```{exercise}
# :label: ex-debias-threshold
# A trigger is on 5 % of the training images; $n$ % of these are relabeled to the target, out of ten equally frequent classes. A
# network that can read every image perfectly sees a triggered image of class 3. Above which $n$ does it answer with the target?
# ```
#
# ```{solution} ex-debias-threshold
# :class: dropdown
# Of triggered images that look like class 3, a share $n$ has the target as label and $1 - n$ has 3. The likelier label wins, so the
# threshold is 50 %. The curve of such a network is a step. What bends it into a slope is that networks read images imperfectly and
# learn from few triggered examples.
# ```
#
# ```{exercise}
# :label: ex-debias-hard
# Two tasks have the same rates $P(B \mid Y)$, but one target is easier to see. Which has the larger Odds? Use the solvable model of
# the page on why it works.
# ```
#
# ```{solution} ex-debias-hard
# :class: dropdown
# The harder one. The coefficient $\beta$ depends on the rates alone, and the mean logits $v_y$ grow with how well the target is seen. Odds
# counts the examples whose logit lies within $\beta$ of the threshold; where the target is plain, few do. So Odds measures the
# task as well as the bias, for data and trigger alike.
# ```
