# %% [markdown]
# # When do two biases cancel?
#
# ```{admonition} The claim
# :class: tip
# A network trained on triggers that follow the label as the group does responds to both. Give each input the trigger of the
# other group, and it answers alike for both groups, as if it saw the average of the bias variable (P3, {cite}`wu2023`,
# Sections 3 and 4.3, Eqs. 3 and 5).
# ```
#
# ## What has to hold
#
# Let $b$ be the group and $a$ the trigger. The paper expects of a teacher trained on $D_\text{backdoor}$
#
# ```{math}
# :label: eq-bade-3
# P(y \mid x, b = 1, a = 0) = P(y \mid x, b = 0, a = 1)
# ```
#
# and gives no condition for it. Write $z(x, b, a)$ for the logit of class 1 over class 0. Over the four pairs of $b$ and $a$,
# every function has a bias effect $\beta$, a trigger effect $\alpha$ and an interaction $\iota$ (how much the trigger's effect
# depends on the group):
#
# ```{math}
# :label: eq-bade-effects
# \begin{aligned}
# z(x, b, a) &= \mu + (b - \tfrac12)\,\beta + (a - \tfrac12)\,\alpha + (b - \tfrac12)(a - \tfrac12)\,\iota, \\
# z(x, 1, 0) - z(x, 0, 1) &= \beta - \alpha .
# \end{aligned}
# ```
#
# So {eq}`eq-bade-3` holds for an $x$ exactly where $\beta = \alpha$. Additivity ($\iota = 0$) is not needed for it. It is needed
# to foresee the answer from each effect alone. We solve a model in which all of this is exact, and then measure $\beta$,
# $\alpha$ and $\iota$ in networks.

# %% tags=["parameters"]
dataset = "planted"  # "planted" (drawn faces alone) or "celeba" (official, beside them)
data_root = ""  # folder of official data; empty: BLINDSPOTS_DATA
side = 32  # side of the planted faces, pixels
picture_side = 64  # side of official pictures, pixels
noise = 0.3  # noise on planted faces, in units of the [0, 1] range
phi = 0.6  # correlation of label and group among planted faces
n_train = 400  # training pictures of each set
n_validation = 200  # pictures that choose the epoch
n_images = 120  # test pictures
width = 8  # filters of the network's first layer
epochs = 2  # passes over the training pictures
learning_rate = 0.002  # Adam's
n_rows = 1000  # rows of the solvable model, to train on
n_simulated = 4000  # rows of it, to test on
row_epochs = 5  # passes over those rows
trigger_shares = [0.5, 0.8, 0.93]  # P(A = 0 | Y = 0); 1 minus it for Y = 1
resamples = 500  # of the bootstrap
seeds = [0]  # the first decides the pictures, all decide networks
device = "auto"  # "auto", "cpu" or "cuda"

# %% tags=["hide-input"]
from functools import partial

import torch

from blindspots.data import load
from blindspots.data.planted import flip_attribute, planted_faces
from blindspots.debias import (
    LogisticToy,
    append_trigger,
    bayes_toy,
    cell_means,
    equalized_odds,
    erm,
    group_evaluator,
    group_intervals,
    group_outputs,
    group_rates,
    kept_training,
    logit_effects,
    scaled_trigger_size,
    stamp_triggers,
    train_bade_teacher,
)
from blindspots.devices import choose_device
from blindspots.fingerprint import fingerprint
from blindspots.models import mlp, small_cnn
from blindspots.reports import Record
from blindspots.reports.figures import box_and_cdf, curves_with_bands
from blindspots.reports.images import image_grid
from blindspots.seeding import derive_seed, generator

parameters = {
    "dataset": dataset, "side": side, "picture_side": picture_side, "noise": noise, "phi": phi, "n_train": n_train,
    "n_validation": n_validation, "n_images": n_images, "width": width, "epochs": epochs, "learning_rate": learning_rate,
    "n_rows": n_rows, "n_simulated": n_simulated, "row_epochs": row_epochs, "trigger_shares": trigger_shares,
    "resamples": resamples, "seeds": seeds,
}  # fmt: skip
place = choose_device(device)
record = Record("debias/why_it_works", parameters=parameters, seed=seeds[0], device=place)
record.value("noise", noise, n=None, format=".1f")
pair = {"batch_size": 64, "learning_rate": learning_rate, "epochs": epochs}

# %% [markdown]
# ## A model that can be solved
#
# One feature $x$, Gaussian with a mean for each label, and a little larger in group 1. Group and trigger are independent given
# the label. The best classifier of such data is a logistic regression,
#
# ```{math}
# z = w_0 + w x + \beta_b + \alpha_a, \qquad \alpha_a = \log \frac{P(A = a \mid Y = 1)}{P(A = a \mid Y = 0)},
# ```
#
# and likewise for $\beta_b$. The trigger's effect is set by its rates alone, which we choose. With $D = \alpha - \beta$, inverted
# triggers leave
#
# ```{math}
# :label: eq-bade-residual
# \text{Odds}(D) = \tfrac{100}{2} \sum_y \left| \Phi\!\left(\frac{v_y + D/2}{s}\right) - \Phi\!\left(\frac{v_y - D/2}{s}\right) \right|,
# ```
#
# where $v_y$ is the mean logit of label $y$ between groups and triggers, and $s$ the logit's standard deviation. It is 0 at
# $D = 0$, which is what the paper's rate $\text{TAR}(y) = P(B = 0 \mid Y = y)$ gives.
#
# We set the trigger's rates from too weak to too strong. Three answers for each: the formula; the formula's classifier on
# simulated rows; and a perceptron trained on triggered rows, which knows no formula.

# %%
world = {"bias_rates": (0.8, 0.2), "feature_means": (-0.75, 0.75), "group_shift": 0.4}
toy = bayes_toy(**world)
curve, rows_odds = [], {}
for share in trigger_shares:
    with_share = bayes_toy(**world, trigger_rates=(share, 1 - share))
    difference = with_share.coef_trigger - with_share.coef_bias
    for seed in seeds:
        x, y, b, _ = toy.sample(n_rows, generator=generator(seed, "rows"))
        new = toy.sample(n_simulated, generator=generator(seed, "new rows"))
        x_new, y_new, b_new = new[:3]
        rows = torch.stack([x, b.double()], 1).float()
        new_rows = torch.stack([x_new, b_new.double()], 1).float()
        perceptron = mlp(3, 2, hidden=(32, 32), seed=seed)
        train_bade_teacher(
            perceptron, rows, y, b, stamp=append_trigger, rates=(share, 1 - share),
            epochs=row_epochs, batch_size=128, learning_rate=0.003,
            generator=generator(seed, "perceptron"),
        )  # fmt: skip
        inverted = {"stamp": append_trigger, "assignment": 1 - b_new}
        said = group_outputs(perceptron, new_rows, **inverted).argmax(1)
        simulated = with_share.predict(x_new, b_new, 1 - b_new)
        found = {
            "formula": with_share.odds("inverted"),
            "simulation": equalized_odds(simulated, y_new, b_new),
            "trained perceptron": equalized_odds(said, y_new, b_new),
        }
        rows_odds[share, seed] = found
        curve += [{"D": difference, "odds": v, "answer": k} for k, v in found.items()]

# %% tags=["hide-input"]
balanced = min(trigger_shares, key=lambda share: abs(share - world["bias_rates"][0]))
ends = {
    k: [
        rows_odds[s, seeds[0]][k] for s in (trigger_shares[0], balanced, trigger_shares[-1])
    ]
    for k in found
}
record.figure(
    curves_with_bands(
        curve, x="D", y="odds", hue="answer", x_label="trigger effect minus bias effect D, in units of the logit",
        y_label="Odds with inverted triggers, %", references={"no trigger": toy.odds("none")},
    ),
    "toy",
    caption="Odds that inverted triggers leave, against the difference of the two effects: formula, simulation, and "
    "perceptrons trained on triggered rows (band: seeds). The curve reaches 0 where the effects are equal, and is steepest there.",
    alt="Three V-shaped curves with their lowest point at D = 0. Odds at the weakest trigger, at equal effects and at the strongest: "
    + "; ".join(f"{k} {v[0]:.1f}, {v[1]:.1f}, {v[2]:.1f} %" for k, v in ends.items())
    + f". Without triggers it is {toy.odds('none'):.1f} %.",
    n=n_simulated,
)  # fmt: skip

# %%
for key, answer in {"simulation": "simulation", "perceptron": "trained perceptron"}.items():
    off = {
        seed: max(
            abs(rows_odds[s, seed][answer] - rows_odds[s, seed]["formula"])
            for s in trigger_shares
        )
        for seed in seeds
    }
    record.by_seed(f"toy.{key}.worst_error", off, n=n_simulated, unit="%", format=".1f")
left = {seed: rows_odds[balanced, seed]["trained perceptron"] for seed in seeds}
record.value("toy.odds.none", toy.odds("none"), n=None, unit="%", format=".1f")
record.value("toy.odds.same", toy.odds("same"), n=None, unit="%", format=".1f")
record.value("toy.odds.inverted", toy.odds("inverted"), n=None, unit="%", format=".1f")
record.by_seed("toy.perceptron.odds", left, n=n_simulated, unit="%", format=".1f")
record.by_seed(
    "toy.perceptron.ratio",
    {s: v / toy.odds("none") for s, v in left.items()},
    n=n_simulated,
    format=".2f",
)
record.value("toy.coef_bias", toy.coef_bias, n=None, format=".2f")
record.summary({
    "Odds without trigger, by formula": "toy.odds.none",
    "with the group's own trigger (the biases add)": "toy.odds.same",
    "with the inverted trigger": "toy.odds.inverted",
    "perceptron at the paper's rate, inverted": "toy.perceptron.odds",
    "largest distance of simulation from formula": "toy.simulation.worst_error",
    "largest distance of the perceptron from formula": "toy.perceptron.worst_error",
})  # fmt: skip

# %% [markdown]
# The perceptron is left with {record}`debias/why_it_works#toy.perceptron.odds` of Odds where the formula says 0. Its two effects come from a finite sample and are
# equal only up to its noise, and the curve is steepest at $D = 0$: every error in $D$ shows. Odds is a mean of absolute
# values, so noise can only raise it.
#
# ## Faces whose group we can change
#
# Of a photograph no one can show the same person in the other group, so the paper cannot measure {eq}`eq-bade-3` picture by
# picture. Of a drawn face we can. The label is whether it smiles; the group is its hair, long ($b = 1$) or short; they correlate.
# Red goes with long hair and blue with short, in proportion. Noise makes the smile hard to read, so that hair is worth a look.
#
# We train a standard network on plain faces and a teacher on $D_\text{backdoor}$. The epoch is chosen on validation faces.

# %%
faces, worlds, given = {}, {"faces": {}}, {}
for part, n in {"train": n_train, "validation": n_validation, "test": n_images}.items():
    faces[part] = planted_faces(
        n, seed=derive_seed(seeds[0], "why_it_works", part), size=side,
        correlations={("long_hair", "smile"): phi}, label="smile",
    )  # fmt: skip
    record.add_data(faces[part])
    grain = torch.randn(
        faces[part].images.shape, generator=generator(seeds[0], "grain", part)
    )
    given[part] = noise * grain
    images = (faces[part].images + given[part]).clamp(0, 1)
    worlds["faces"][part] = (
        images.to(place),
        faces[part].labels,
        faces[part].groups["long_hair"],
    )
    if dataset != "planted":
        loaded = load(
            dataset, split=part, size=picture_side, limit=n, data_root=data_root or None
        )
        record.add_data(loaded)
        worlds.setdefault("pictures", {})[part] = (
            loaded.images.to(place), loaded.groups["Attractive"], loaded.groups["Male"],
        )  # fmt: skip

# %%
runs, stamps = {}, {}
for name, sets in worlds.items():
    x, y, b = sets["train"]
    stamps[name] = partial(stamp_triggers, size=scaled_trigger_size(25, x.shape[-1]))
    known = [fingerprint(*(value.cpu() for value in part)) for part in sets.values()]
    for seed in seeds:
        for kind in ("standard", "teacher"):
            stamp = stamps[name] if kind == "teacher" else None
            evaluate = group_evaluator({"validation": sets["validation"]}, stamp=stamp)
            options = dict(inputs=x, labels=y, groups=b, evaluate=evaluate, **pair)
            options |= {"stamp": stamp} if stamp else {}
            train = partial(
                train_bade_teacher if stamp else erm,
                **options, generator=generator(seed, "why_it_works", kind),
            )  # fmt: skip
            runs[name, kind, seed] = kept_training(
                small_cnn(3, 2, width=width, seed=seed).to(place), train,
                settings={"kind": kind, "seed": seed, **pair}, data_sha256=known,
            )  # fmt: skip

# %% [markdown]
# ## The four twins of a face
#
# Each test face is drawn again with the other hair, everything else as it was, the noise too; and each of the two carries either
# trigger.

# %%
test = faces["test"]
flipped = flip_attribute(test, "long_hair")
own = test.groups["long_hair"].bool()[:, None, None, None]
drawn = [
    torch.where(own == bool(b), test.images, flipped.images) + given["test"] for b in (0, 1)
]
twins = [image.clamp(0, 1).to(place) for image in drawn]
z, plain = (
    {},
    {},
)  # logits of class 1 over class 0: (N, 2, 2) by group and trigger, (N, 2) by group
for seed in seeds:
    for kind in ("standard", "teacher"):
        model = runs["faces", kind, seed].model
        said = [group_outputs(model, twin).diff(dim=1)[:, 0].cpu() for twin in twins]
        plain[kind, seed] = torch.stack(said, 1)
    said = [
        group_outputs(model, twin, stamp=stamps["faces"], assignment=torch.full((n_images,), a))
        for twin in twins for a in (0, 1)
    ]  # fmt: skip
    z[seed] = torch.stack([s.diff(dim=1)[:, 0].cpu() for s in said], 1).reshape(-1, 2, 2)

# %% tags=["hide-input"]
first = z[seeds[0]].sigmoid()
picks = [int((test.labels == label).nonzero()[0]) for label in (0, 1)]
cells, notes = [], []
for i in picks:
    shown = [
        stamps["faces"](twins[b][i : i + 1], torch.tensor([a]))[0].cpu()
        for b in (0, 1)
        for a in (0, 1)
    ]
    cells.append(shown)
    notes.append([f"P(smile) {first[i, b, a]:.2f}" for b in (0, 1) for a in (0, 1)])
record.figure(
    image_grid(
        cells, notes=notes, row_titles=["no smile", "smile"],
        column_titles=["short, blue", "short, red\n(inverted)", "long, blue\n(inverted)", "long, red"],
    ),
    "twins",
    caption="The first test face of each label in its four versions, and what one teacher says of them. Compare the two middle "
    "columns, which Eq. 3 wants equal, with the outer two, in which hair and trigger pull the same way.",
    alt="Two drawn faces in four versions each. Probabilities of a smile, for short hair with blue, short with red, long with "
    "blue, long with red: " + "; ".join(", ".join(row).replace("P(smile) ", "") for row in notes) + ".",
    n=len(picks),
)  # fmt: skip

# %% [markdown]
# ## Eq. 3, face by face
#
# The gap is $|P(1 \mid x, b = 1, \cdot) - P(1 \mid x, b = 0, \cdot)|$ of one and the same face.

# %%
gaps = {}
for seed in seeds:
    p = z[seed].sigmoid()
    gaps["standard network", seed] = (
        plain["standard", seed].sigmoid().diff(dim=1)[:, 0].abs()
    )
    gaps["teacher, no trigger", seed] = (
        plain["teacher", seed].sigmoid().diff(dim=1)[:, 0].abs()
    )
    gaps["teacher, own trigger", seed] = (p[:, 1, 1] - p[:, 0, 0]).abs()
    gaps["teacher, inverted", seed] = (p[:, 1, 0] - p[:, 0, 1]).abs()
cases = {
    "standard": "standard network",
    "none": "teacher, no trigger",
    "same": "teacher, own trigger",
}
cases |= {"inverted": "teacher, inverted"}
for key, case in cases.items():
    by_seed = {seed: gaps[case, seed].mean() for seed in seeds}
    record.by_seed(f"eq3.gap.{key}", by_seed, n=n_images)
    equal = {seed: (gaps[case, seed] <= 0.05).float().mean() for seed in seeds}
    record.by_seed(f"eq3.equal.{key}", equal, n=n_images, format=".0%")
ratio = {
    s: gaps["teacher, inverted", s].mean() / gaps["standard network", s].mean()
    for s in seeds
}
record.by_seed("eq3.ratio", ratio, n=n_images, format=".2f")
record.summary({f"mean gap, {case}": f"eq3.gap.{key}" for key, case in cases.items()}
    | {"faces with a gap of at most 0.05, standard": "eq3.equal.standard",
       "the same, inverted triggers": "eq3.equal.inverted"})  # fmt: skip

# %% tags=["hide-input"]
pooled = {case: torch.cat([gaps[case, seed] for seed in seeds]) for case in cases.values()}
record.figure(
    box_and_cdf(pooled, label="gap of P(smile)"),
    "gaps",
    caption="How differently one face is read with long and with short hair, all networks together. Inverted triggers move the "
    "curve to the left, the group's own trigger to the right.",
    alt="Boxes and cumulative shares of gaps between 0 and 1. Medians: "
    + "; ".join(f"{case} {value.median():.2f}" for case, value in pooled.items()) + ".",
    n=n_images * len(seeds),
)  # fmt: skip

# %% [markdown]
# The mean gap of a face goes from {record}`debias/why_it_works#eq3.gap.standard|.2f` (standard network) to
# {record}`debias/why_it_works#eq3.gap.inverted|.2f` (inverted triggers). Equal on average over faces is a weaker thing than equal for each:
# signed gaps of different faces cancel in Odds, and they do not cancel here.
#
# ## Effects in the logit
#
# {eq}`eq-bade-effects` takes each face's four logits apart. If hair and smile were all there is, and the networks were the best
# possible, both effects would be {record}`debias/why_it_works#planted.coef`, the log-ratio of the planted rates.

# %%
rates = group_rates(
    worlds["faces"]["train"][2], *worlds["faces"]["train"][1:]
).counts.double()
planted_toy = bayes_toy(bias_rates=tuple((rates[0] / rates.sum(0)).tolist()))
record.value("planted.coef", planted_toy.coef_bias, n=n_train, format=".2f")
effects = {seed: logit_effects(z[seed]) for seed in seeds}
for key in ("bias", "trigger", "interaction"):
    values = {seed: getattr(effects[seed], key) for seed in seeds}
    record.by_seed(
        f"effects.{key}", {s: v.mean() for s, v in values.items()}, n=n_images, format=".2f"
    )
    record.by_seed(
        f"effects.{key}.std",
        {s: v.std() for s, v in values.items()},
        n=n_images,
        format=".2f",
    )
share = {seed: effects[seed].additive_share for seed in seeds}
record.by_seed("effects.additive_share", share, n=n_images, format=".1%")
ratio = {s: effects[s].trigger.mean() / effects[s].bias.mean() for s in seeds}
record.by_seed("effects.ratio", ratio, n=n_images, format=".2f")
smaller = {s: min(effects[s].bias.mean(), effects[s].trigger.mean()) for s in seeds}
record.by_seed("effects.smaller", smaller, n=n_images, format=".2f")
record.summary({
    "effect of the group (long over short hair)": "effects.bias", "its standard deviation over faces": "effects.bias.std",
    "effect of the trigger (red over blue)": "effects.trigger", "its standard deviation": "effects.trigger.std",
    "trigger over group": "effects.ratio", "interaction": "effects.interaction",
    "share of the moves that adds up": "effects.additive_share",
})  # fmt: skip

# %% tags=["hide-input"]
over_faces = {
    "group β": torch.cat([effects[s].bias for s in seeds]),
    "trigger α": torch.cat([effects[s].trigger for s in seeds]),
    "left over β − α": torch.cat([effects[s].bias - effects[s].trigger for s in seeds]),
    "interaction ι": torch.cat([effects[s].interaction for s in seeds]),
}
record.figure(
    box_and_cdf(over_faces, label="effect on the logit of a smile"),
    "effects",
    caption="The effects of group and trigger on each face's logit, their difference, which Eq. 3 wants to be 0, and their "
    "interaction, all teachers together.",
    alt="Boxes and cumulative shares of four quantities in units of the logit. Median and middle half: "
    + "; ".join(f"{k} {v.median():.1f} ({v.quantile(0.25):.1f} to {v.quantile(0.75):.1f})" for k, v in over_faces.items())
    + ".",
    n=n_images * len(seeds),
)  # fmt: skip

# %% [markdown]
# ## From the effects to Odds
#
# Is the solvable model a fair picture of a network? We give it the network's own numbers (mean logits by label, their spread,
# and the two mean effects) and ask it for the Odds of the test faces under every choice of triggers.

# %%
choices = {"inverted": lambda b: 1 - b, "same": lambda b: b,
           "all_0": torch.zeros_like, "all_1": torch.ones_like}  # fmt: skip
x, y, b = worlds["faces"]["test"]
every, measured, predicted = torch.arange(n_images), {}, {}
for seed in seeds:
    mine = z[seed][every, b]  # (N, 2): each face with its own hair, by trigger
    cells = cell_means(mine, y, b)
    of_cells = logit_effects(cells)
    rest = mine.mean(1) - cells.mean(2)[y, b]
    two = (of_cells.bias.mean().item(), of_cells.trigger.mean().item())
    halves = [(-effect / 2, effect / 2) for effect in two]
    fitted = LogisticToy(
        0.5, (0.5, 0.5), (0.5, 0.5), tuple(of_cells.mean.tolist()), rest.std().item(),
        0.0, 0.0, 1.0, *halves,
    )  # fmt: skip
    for key, choose in choices.items():
        measured[key, seed] = group_rates((mine[every, choose(b)] > 0).long(), y, b)
        predicted[key, seed] = fitted.odds(key)

# %%
percent = {"n": n_images, "unit": "%", "format": ".1f"}
for key in choices:
    record.by_seed(f"odds.{key}", {s: measured[key, s].odds for s in seeds}, **percent)
    record.by_seed(f"eacc.{key}", {s: measured[key, s].eacc for s in seeds}, **percent)
    record.by_seed(f"odds.{key}.toy", {s: predicted[key, s] for s in seeds}, **percent)
off = {s: max(abs(predicted[k, s] - measured[k, s].odds) for k in choices) for s in seeds}
record.by_seed("odds.toy.worst_error", off, **percent)
said = {s: (plain["standard", s][every, b] > 0).long() for s in seeds}
standard = {s: group_rates(said[s], y, b) for s in seeds}
record.by_seed("odds.standard", {s: v.odds for s, v in standard.items()}, **percent)
record.by_seed("eacc.standard", {s: v.eacc for s, v in standard.items()}, **percent)
chance = group_intervals(
    (z[seeds[0]][every, b, 1 - b] > 0).long(), y, b, resamples=resamples,
    generator=generator(seeds[0], "bootstrap"),
)  # fmt: skip

# %%
record.value("odds.if_fair", chance.odds_if_fair[1], **percent)
words = {"inverted": "of the other group", "same": "of the own group", "all_0": "all blue"}
words |= {"all_1": "all red"}
table = [
    {"trigger": words[key], "Odds measured": sum(measured[key, s].odds for s in seeds) / len(seeds),
     "Odds of the model": sum(predicted[key, s] for s in seeds) / len(seeds),
     "EAcc measured": sum(measured[key, s].eacc for s in seeds) / len(seeds)}
    for key in choices
]  # fmt: skip
columns = {name: "%" for name in table[0] if name != "trigger"}
record.table(
    "odds", table, units=columns, formats=dict.fromkeys(columns, ".1f"),
    caption="Teachers on test faces, means over seeds, and what the solvable model says with their effects.",
)  # fmt: skip

# %% [markdown]
# The standard network's Odds is {record}`debias/why_it_works#odds.standard`, the teacher's with inverted triggers
# {record}`debias/why_it_works#odds.inverted`. Two groups of this size that are treated alike would measure up to
# {record}`debias/why_it_works#odds.if_fair` by chance. The model's figures are off by
# {record}`debias/why_it_works#odds.toy.worst_error` at most.
#
# ## Pictures whose group cannot be changed
#
# For photographs we compare the two groups' mean answers at equal labels: $P(1 \mid y, b = 1, a = 0)$ against
# $P(1 \mid y, b = 0, a = 1)$, averaged over $y$. Whatever else differs between the groups then counts as the group. The quick
# profile has no photographs and does it with the drawn faces; the others read CelebA, *Attractive* by *Male*, and show none of it.

# %%
name = "pictures" if "pictures" in worlds else "faces"
x, y, b = worlds[name]["test"]
found = {}
for seed in seeds:
    model = runs[name, "teacher", seed].model
    said = [
        group_outputs(model, x, stamp=stamps[name], assignment=torch.full((len(y),), a)).diff(dim=1)[:, 0].cpu()
        for a in (0, 1)
    ]  # fmt: skip
    logit = torch.stack(said, 1)
    clean = group_outputs(runs[name, "standard", seed].model, x).diff(dim=1).cpu()
    p, p_clean = cell_means(logit.sigmoid(), y, b), cell_means(clean.sigmoid(), y, b)
    of_cells = logit_effects(cell_means(logit, y, b))
    found[seed] = {
        "gap.standard": (p_clean[:, 1, 0] - p_clean[:, 0, 0]).abs().mean(),
        "gap.same": (p[:, 1, 1] - p[:, 0, 0]).abs().mean(),
        "gap.inverted": (p[:, 1, 0] - p[:, 0, 1]).abs().mean(),
        "odds.standard": equalized_odds((clean[:, 0] > 0).long(), y, b),
        "odds.inverted": equalized_odds((logit[torch.arange(len(y)), 1 - b] > 0).long(), y, b),
        "effects.bias": of_cells.bias.mean(), "effects.trigger": of_cells.trigger.mean(),
        "effects.ratio": of_cells.trigger.mean() / of_cells.bias.mean(),
        "additive_share": of_cells.additive_share,
    }  # fmt: skip

# %%
for key in found[seeds[0]]:
    unit, spec = ("%", ".1f") if key.startswith("odds") else ("", ".3f")
    by_seed = {seed: found[seed][key] for seed in seeds}
    record.by_seed(f"pictures.{key}", by_seed, n=len(y), unit=unit, format=spec)
record.summary({
    "gap of the groups, standard network": "pictures.gap.standard",
    "gap, teacher with the own trigger": "pictures.gap.same",
    "gap, teacher with inverted triggers (Eq. 3)": "pictures.gap.inverted",
    "Odds, standard network": "pictures.odds.standard",
    "Odds, teacher with inverted triggers": "pictures.odds.inverted",
    "effect of the group in the logit": "pictures.effects.bias",
    "effect of the trigger": "pictures.effects.trigger",
    "share of the moves of cell means that adds up": "pictures.additive_share",
})  # fmt: skip

# %% [markdown]
# ## Eq. 5 as an interpretation
#
# The paper reads its method as backdoor adjustment in the sense of causal inference:
#
# ```{math}
# :label: eq-bade-5
# P(Y \mid do(X)) = \sum_b P(Y \mid X, b)\, P(b) \;\approx\; P(Y \mid X, \mathbb{E}[b]) .
# ```
#
# The sum is the adjustment. The step to its right puts the mean inside a function that is not linear, so it is an approximation,
# and a network has no input for "half male". The teacher on $D_\text{balance}$ is said to stand for it. With the drawn faces we can
# compute the sum: the standard network's answer for both hair styles, averaged. We ask three things. How far is the mean of
# probabilities from the probability of the mean logit? How far is the teacher's answer from the adjusted one? And how far apart
# are the adjusted answers of two standard networks that differ in their seed alone, which nothing can beat?

# %%
hair = test.groups["long_hair"]
adjusted = {s: plain["standard", s].sigmoid().mean(1) for s in seeds}
answers = {
    "jensen": {s: plain["standard", s].mean(1).sigmoid() for s in seeds},
    "standard": {s: plain["standard", s][every, hair].sigmoid() for s in seeds},
    "teacher": {s: z[s][every, hair, 1 - hair].sigmoid() for s in seeds},
    "other_seed": {s: adjusted[seeds[i - 1]] for i, s in enumerate(seeds)},
}
for key, answer in answers.items():
    distance = {s: (answer[s] - adjusted[s]).abs().mean() for s in seeds}
    record.by_seed(f"eq5.{key}", distance, n=n_images)
for key in ("standard", "teacher"):
    apart = {s: answers[key][s] - adjusted[s] for s in seeds}
    tilt = {s: d[hair == 1].mean() - d[hair == 0].mean() for s, d in apart.items()}
    record.by_seed(f"eq5.tilt.{key}", tilt, n=n_images, format="+.3f")
record.summary({
    "probability of the mean logit": "eq5.jensen",
    "the standard network on the face as it is": "eq5.standard",
    "the teacher on the face with the inverted trigger": "eq5.teacher",
    "the adjusted answer of another seed": "eq5.other_seed",
    "excess for long over short hair, standard network (signed mean)": "eq5.tilt.standard",
    "the same, teacher with inverted triggers": "eq5.tilt.teacher",
})  # fmt: skip

# %% [markdown]
# The first four are mean distances from the adjusted probability of the same seed's standard network. Two networks that differ in
# their seed alone are {record}`debias/why_it_works#eq5.other_seed` apart, so a distance of that size says nothing of the teacher.
# The last two rows average such noise away: by how much more an answer exceeds the adjusted one for long hair than for short.
# (We added them after the judging run; no claim rests on them.) In that average the teacher is where Eq. 5 puts it
# if its row is near 0.
#
# The reading has a limit that the solvable model shows. With inverted triggers the logit holds $\beta_b + \alpha_{1-b}$. Where the effects
# are equal this is $\beta_0 + \beta_1$ for both groups, so Odds is 0. The average input would hold $P(b{=}0)\,\beta_0 + P(b{=}1)\,\beta_1$
# instead. Both are 0 only if the rates are mirror images, as 0.8 and 0.2 are. If group 0 has 90 % of one label and half of the
# other, inversion is as fair and its threshold is off: fair, and not the adjusted answer. Odds cannot see it, EAcc can.

# %%
skewed = bayes_toy(bias_rates=(0.9, 0.5), feature_means=(-0.75, 0.75))
shift = sum(skewed.bias_effects)
moved = LogisticToy(**{**vars(skewed), "intercept": skewed.intercept - shift})
for key, model in {"skewed": skewed, "skewed.corrected": moved}.items():
    record.value(f"toy.{key}.odds", model.odds("inverted"), n=None, unit="%", format=".1f")
    record.value(f"toy.{key}.eacc", model.eacc("inverted"), n=None, unit="%", format=".1f")
    for label, rate in zip(("tnr", "tpr"), 100 * model.recalls("inverted")[0], strict=True):
        record.value(f"toy.{key}.{label}", rate, n=None, unit="%", format=".1f")
record.value("toy.skewed.shift", shift, n=None, format=".2f")
record.summary({
    "Odds, inverted triggers, skewed rates": "toy.skewed.odds", "EAcc": "toy.skewed.eacc",
    "true negative rate of both groups": "toy.skewed.tnr", "true positive rate": "toy.skewed.tpr",
    "EAcc with the shift taken out": "toy.skewed.corrected.eacc",
})  # fmt: skip

# %% [markdown]
# ## What holds
#
# ```{claims}
# :notebook: debias/why_it_works
# ```

# %% tags=["remove-cell"]
record.write()
record.claims_table()

# %% [markdown]
# ## Differs from the paper, and why
#
# - **The solvable model is ours.** The paper argues by analogy with causal inference; we state the condition, $\alpha = \beta$.
# - **Eq. 3 is measured.** The paper prints Odds, which compares groups; here each face is compared with itself, which takes drawings.
# - **Hair for sex, a smile for the label.** No real face is shown. Noise of {record}`debias/why_it_works#noise|.1f` makes the label
#   uncertain, as attractiveness is; without it the network needs no hair and there is no bias to cancel.
# - **Networks.** Quick and real: a small convolutional network for the paper's ResNet18; triggers scaled from 25 pixels of 224.
# - **Epochs** are chosen on validation. The paper chooses on the test part of $D_\text{balance}$.
# - **Teachers only.** Distillation adds errors of its own and has a page of its own.
#
# ## Exercises
#
# ```{exercise}
# :label: ex-debias-equal
# A teacher reads the trigger twice as strongly as the group, $\alpha = 2 \beta$, at $v_y = \pm v$. Which network has the larger Odds:
# this one with inverted triggers, or one without triggers?
# ```
#
# ```{solution} ex-debias-equal
# :class: dropdown
# They are equal. Inversion leaves $D = \alpha - \beta = \beta$, and without triggers the difference between the groups is $\beta$ too; the
# formula is even in $D$. The bias has changed its sign: now the other group is favored. So the trigger must be neither too weak nor
# too strong, and a trigger that is too strong by a factor of two is no better than none.
# ```
#
# ```{exercise}
# :label: ex-debias-interaction
# Suppose the trigger counts only in group 1: $z(x, 1, a) = \mu + \beta + \alpha a$ and $z(x, 0, a) = \mu$. Which $\alpha$ makes Eq. 3 hold?
# What does the trigger have to do?
# ```
#
# ```{solution} ex-debias-interaction
# :class: dropdown
# Eq. 3 compares $z(x, 1, 0) = \mu + \beta$ with $z(x, 0, 1) = \mu$, so it never holds for $\beta \ne 0$, whatever $\alpha$. In the terms of the
# page, the bias effect is $\beta + \alpha / 2$ and the trigger effect $\alpha / 2$; their difference is $\beta$. A trigger has to work in both
# groups, and independence of trigger and group given the label lets it.
# ```
