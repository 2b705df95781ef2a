# %% [markdown]
# # Two attacks are comparable only at the same confidence or at the same distance
#
# ```{admonition} The claim
# :class: tip
# The perceptual attack is less perceptible than every other attack (P0, {cite}`hua2021`, Section 3.2). The paper varies the
# confidence of its own attack only, and compares each attack at the one distance where it happens to stop.
# ```
#
# ## What the paper compares, and what we compare
#
# Table 3.1 of the paper has one row for each rival and three for its own attack. Two things vary at once from row to row:
# how far an attack goes past the decision boundary, and how much it may change the image. So we ask two questions that
# the table cannot answer.
#
# - **Matched confidence.** Every attack is asked for the same margin $a$ between the logits, the margin at which
#   {eq}`eq-perceptual-attack` of [the previous notebook](perceptual_attack) stops. How perceptible are the images that
#   reach it?
# - **Matched distance.** For each distance $d$, which share of the images does an attack flip at a distance of at most $d$?
#   With $d_i$ the distance of image $i$, infinite where the attack fails, this is
#
# ```{math}
# :label: eq-success-at-distance
# S(d) = \frac1n \sum_{i=1}^{n} \mathbf 1[d_i \le d] .
# ```
#
# An attack that flips only easy images cannot hide behind small averages here: $S$ never exceeds its success rate. PPGD and
# LPA are given a bound in advance; they run at several, and each image counts at the smallest distance that one of them
# reached. None of the attacks minimizes the two judges, GMSD and HaarPSI {cite}`reisenhofer2018`.

# %% tags=["parameters"]
dataset = "photos"  # "photos" (embedded) or "imagenet_compatible" (official)
data_root = ""  # folder of official data; empty: BLINDSPOTS_DATA
side = 64  # side of the images attacked, pixels
n_images = 8  # test images; those classified correctly are attacked
skip = 0  # test images passed over before those
distance = "ssim"  # c0 of the perceptual attack: "ssim", "features", "lpips" or "pieapp"
confidences = [0.0, 1.0, 5.0]  # margins in logits; the first is 0
bounds = [0.25, 0.5]  # of PPGD and LPA, distance in the network's features
timed_bound = 0.5  # the bound whose time counts, the paper's
steps = 40  # most steps of PGD and of both perceptual attacks
perc_steps = 15  # steps of PerC-AL
ppgd_steps = 6  # steps of PPGD
lpa_steps = 5  # steps in each of LPA's five rounds
seeds = [0, 1]  # one classifier is trained for each (photos)
epochs = 2  # passes over the training patches (photos)
batch_size = 32  # patches per training step (photos)
width = 8  # channels of the network's first layer (photos)
architecture = "squeezenet1_1"  # ImageNet classifier (official data)
weights = "squeezenet1_1-imagenet-onnxzoo.pth"  # its weights, in the data root
second_architecture = ""  # ImageNet classifier that transfer is tried on; empty: none
second_weights = ""  # its weights
lpips_net = "squeeze"  # network of LPIPS
chunk = 20  # images in one batch
keep_rows = (
    False  # keep each finished row, so that an interrupted run goes on with the next
)
device = "auto"  # "auto", "cpu" or "cuda"

# %% tags=["hide-input"]
import numpy as np
import pandas as pd

from blindspots.attacks import (
    NamedAttack,
    compare_attacks,
    lagrangian_perceptual_attack,
    normalized_perceptual_attack,
    perc_al,
    perceptual_attack,
    perceptual_pgd,
    pgd_l2_until_flipped,
)
from blindspots.data import load
from blindspots.data.weights import find_weight
from blindspots.devices import choose_device
from blindspots.models import predict, torchvision_classifier, trained_classifier
from blindspots.perception import (
    JUDGES,
    SSIMDistance,
    feature_distance,
    layer_features,
    lpips_distance,
    pieapp_distance,
)
from blindspots.reports import Record
from blindspots.reports.figures import bars, curves_with_bands
from blindspots.seeding import generator

parameters = {
    "dataset": dataset, "side": side, "n_images": n_images, "skip": skip, "distance": distance,
    "confidences": confidences, "bounds": bounds, "timed_bound": timed_bound,
    "steps": steps, "perc_steps": perc_steps, "ppgd_steps": ppgd_steps,
    "lpa_steps": lpa_steps, "seeds": seeds, "epochs": epochs, "batch_size": batch_size,
    "width": width, "architecture": architecture, "weights": weights,
    "second_architecture": second_architecture, "second_weights": second_weights,
    "lpips_net": lpips_net, "chunk": chunk, "keep_rows": keep_rows,
}  # fmt: skip
record = Record("attacks/fair_comparison", parameters=parameters, seed=seeds[0])
place = choose_device(device)
root = data_root or None

# %% [markdown]
# ## Networks and a second reader
#
# One network for each seed is attacked. The next seed's network reads the same images: does the attack transfer to it?

# %%
test = load(dataset, split="test", size=side, limit=skip + n_images, data_root=root)
record.add_data(test)
images, labels = test.images[skip:].to(place), test.labels[skip:].to(place)
models, readers = {}, {}
if dataset == "photos":
    train = load(dataset, split="train", size=side)
    record.add_data(train)
    spec = {"name": "small_cnn", "in_channels": 3, "n_classes": 10, "width": width}
    for seed in seeds:
        models[seed], _ = trained_classifier(
            spec, train.images, train.labels, data_sha256=train.card.sha256, device=place,
            epochs=epochs, batch_size=batch_size, learning_rate=0.1, seed=seed,
        )  # fmt: skip
    following = seeds[1:] + seeds[:1] if len(seeds) > 1 else []
    readers = {seed: models[other] for seed, other in zip(seeds, following, strict=False)}
else:
    path = find_weight(weights, data_root=root)
    models[seeds[0]] = torchvision_classifier(architecture, weights=path).to(place)
    if second_architecture:
        path = find_weight(second_weights, data_root=root)
        second = torchvision_classifier(second_architecture, weights=path).to(place)
        readers[seeds[0]] = second

# %% [markdown]
# ## Six attacks, asked for the same margins
#
# Ours is Algorithm 3.1; "unit gradients" is the variant that scales both of its gradients to length 1. LPA has no
# confidence of its own: it stops at the first flip inside its bound, whatever it is asked. It runs once for each bound
# and counts wherever its images reach the margin.

# %%
makers = {
    "ssim": lambda model: SSIMDistance(),
    "features": lambda model: feature_distance(layer_features(model)),
    "lpips": lambda model: lpips_distance(lpips_net, data_root=root),
    "pieapp": lambda model: pieapp_distance(data_root=root),
}
costs = {seed: makers[distance](model) for seed, model in models.items()}
plans = {seed: {} for seed in models}
for seed, plan in plans.items():
    c0, sees = costs[seed], layer_features(models[seed])
    for a in confidences:
        plan["PerC-AL", a, None] = NamedAttack(
            lambda m, x, y, a=a: perc_al(m, x, y, steps=perc_steps, confidence=a),
            ("ciede2000",), {"attack": "perc_al", "confidence": a, "steps": perc_steps},
        )  # fmt: skip
        plan["PGD", a, None] = NamedAttack(
            lambda m, x, y, a=a: pgd_l2_until_flipped(m, x, y, steps=steps, confidence=a),
            settings={"attack": "pgd_l2_until_flipped", "confidence": a, "steps": steps},
        )
        for name, attack in (
            ("ours", perceptual_attack), ("unit gradients", normalized_perceptual_attack)
        ):  # fmt: skip
            plan[name, a, None] = NamedAttack(
                lambda m, x, y, a=a, attack=attack, c0=c0: attack(
                    m, x, y, c0, steps=steps, confidence=a
                ),
                (distance,),
                {"attack": attack.__name__, "distance": distance, "confidence": a,
                 "steps": steps},
            )  # fmt: skip

# %%
for seed, plan in plans.items():
    sees = layer_features(models[seed])
    for bound in bounds:
        plan["LPA", 0.0, bound] = NamedAttack(
            lambda m, x, y, bound=bound, sees=sees, seed=seed: lagrangian_perceptual_attack(
                m, x, y, features=sees, bound=bound, steps=lpa_steps,
                generator=generator(seed, "LPA"),
            ), ("features",), {"attack": "lagrangian_perceptual_attack", "bound": bound,
                               "features": "layer_features", "steps": lpa_steps, "seed": seed,
                               "stream": "LPA"},
        )  # fmt: skip
    for a, bound in [(a, max(bounds)) for a in confidences[1:]] + [
        (0.0, b) for b in bounds
    ]:
        plan["PPGD", a, bound] = NamedAttack(
            lambda m, x, y, a=a, bound=bound, sees=sees: perceptual_pgd(
                m, x, y, features=sees, bound=bound, steps=ppgd_steps, confidence=a
            ), ("features",), {"attack": "perceptual_pgd", "features": "layer_features",
                               "bound": bound, "confidence": a, "steps": ppgd_steps},
        )  # fmt: skip

# %%
judges = {name: JUDGES[name] for name in ("gmsd", "haarpsi")}
parts, spent, n_correct = [], [], {}
keep = {"lpips_net": lpips_net} if keep_rows else None
for seed, model in models.items():
    correct, rows = compare_attacks(
        model, images, labels, plans[seed], measures=judges, chunk=chunk, keep=keep
    )
    n_correct[seed] = int(correct.sum())
    truths, seen = labels[correct].cpu(), readers.get(seed)
    if seen is not None:
        reads = (predict(seen, images[correct], batch_size=chunk).cpu() == truths).numpy()
    for (attack, a, bound), row in rows.items():
        frame = pd.DataFrame({
            "seed": seed, "attack": attack, "asked": a, "bound": bound,
            "image": range(n_correct[seed]), "margin": row.margins.cpu(),
            "gmsd": row.distances["gmsd"].cpu(), "haarpsi": row.distances["haarpsi"].cpu(),
            "rounded": row.rounded_success.cpu(),
        })  # fmt: skip
        if seen is not None:
            now = predict(seen, row.images, batch_size=chunk).cpu()
            frame["moved"] = np.where(reads, (now != truths).numpy(), np.nan)
        parts.append(frame)
        spent.append({
            "seed": seed, "attack": attack, "asked": a, "bound": bound,
            "seconds": row.seconds, "gradients": row.gradient_evaluations.sum().item(),
            "flipped": row.success.sum().item(),
        })  # fmt: skip
runs, spent = pd.concat(parts, ignore_index=True), pd.DataFrame(spent)
record.by_seed("counts.correct", n_correct, n=len(images), format=".1f")
order = ["PerC-AL", "PGD", "PPGD", "LPA", "ours", "unit gradients"]

# %% [markdown]
# ## Matched distance
#
# {eq}`eq-success-at-distance` for every attack, asked for no margin. Higher is stronger at the same distance; further to
# the left is less perceptible at the same success.

# %%
nearest = {
    judge: runs[(runs.asked == 0) & (runs.margin > 0)]
    .groupby(["seed", "attack", "image"])[judge].min()
    for judge in judges
}  # fmt: skip
curves = {}
for judge, best in nearest.items():
    low, high = best[best > 0].quantile([0.02, 0.98])
    points = []
    for attack in order:
        for seed in seeds[: len(models)]:
            mine = best[
                best.index.isin([(seed, attack, i) for i in range(n_correct[seed])])
            ]
            for d in np.geomspace(low, high, 25):
                share = float((mine <= d).sum() / n_correct[seed])
                points.append({"seed": seed, "attack": attack, "d": d, "share": share})
    curves[judge] = pd.DataFrame(points)

# %% tags=["hide-input"]
words = {"gmsd": "GMSD", "haarpsi": "1 - HaarPSI"}
for judge, curve in curves.items():
    ends = curve[curve.d == curve.d.max()].groupby("attack").share.mean()
    middle = sorted(curve.d.unique())[12]
    halfway = curve[curve.d == middle].groupby("attack").share.mean()
    record.figure(
        curves_with_bands(
            curve,
            x="d",
            y="share",
            hue="attack",
            x_scale="log",
            x_label=f"{words[judge]} to the original",
            y_label="share of correct images flipped",
        ),
        f"distance_{judge}",
        caption=f"Share of images flipped at a distance of at most the one on the axis, judged by {words[judge]}; the band spans "
        "the networks. The higher curve buys more flips for the same distance.",
        alt=f"Six rising curves. Shares at a distance of {middle:.3g} and at {curve.d.max():.3g}: "
        + "; ".join(f"{name} {halfway[name]:.2f} and {ends[name]:.2f}" for name in order)
        + ".",
        n=sum(n_correct.values()),
    )

# %% [markdown]
# We read the curves at one distance, the median that PGD needs. The best rival at that distance is found among the
# attacks of the paper's table.

# %%
place_d = nearest["gmsd"].xs("PGD", level="attack").median()
record.value("matched.distance", place_d, n=sum(n_correct.values()), format=".2g")
at = {}
for attack in order:
    mine = nearest["gmsd"]
    mine = mine[mine.index.get_level_values("attack") == attack]
    at[attack] = {
        seed: float(
            (mine[mine.index.get_level_values("seed") == seed] <= place_d).sum() / n
        )
        for seed, n in n_correct.items()
    }
names = {"ours": "ours", "unit gradients": "unit", "PGD": "pgd", "PerC-AL": "perc_al",
         "PPGD": "ppgd", "LPA": "lpa"}  # fmt: skip
matched = {
    attack: record.by_seed(f"matched.{key}", at[attack], n=max(n_correct.values()))
    for attack, key in names.items()
}
rivals = ("PerC-AL", "PGD", "PPGD", "LPA")
winner = max(rivals, key=matched.get)
record.by_seed("matched.best_other", at[winner], n=max(n_correct.values()), note=winner)
record.value("matched.best_name", winner, n=None)
record.summary({
    "GMSD at which we read the curves": "matched.distance",
    "flipped by the perceptual attack": "matched.ours",
    "flipped by its variant with unit gradients": "matched.unit",
    "flipped by the best rival": "matched.best_other",
})  # fmt: skip

# %% [markdown]
# At a GMSD of {record}`attacks/fair_comparison#matched.distance` the perceptual attack flips
# {record}`attacks/fair_comparison#matched.ours|.0%` of the images, the best rival
# ({record}`attacks/fair_comparison#matched.best_name`) {record}`attacks/fair_comparison#matched.best_other|.0%`, and the
# variant with unit gradients {record}`attacks/fair_comparison#matched.unit|.0%`.
#
# ## Matched confidence
#
# Now each attack is asked for the same margins. We count the images that reach the margin, and judge those.

# %%
table = []
for a in confidences:
    for attack in order:
        asked = 0.0 if attack == "LPA" else a
        mine = runs[(runs.attack == attack) & (runs.asked == asked)]
        if attack in ("PPGD", "LPA"):
            mine = mine[mine.bound == max(bounds)]
        past = mine[mine.margin > a]
        moved = past["moved"].mean() if "moved" in past and len(past) else None
        row = {"margin asked": a, "attack": attack, "reached": len(past) / len(mine)}
        row |= {words[j]: past[j].mean() if len(past) else None for j in judges}
        row["of these flipped in 8 bits"] = past.rounded.mean() if len(past) else None
        row["of these misread by the second network"] = None if pd.isna(moved) else moved
        table.append(row)
table = pd.DataFrame(table).astype(object)
record.table(
    "confidence", table.where(table.notna(), None).to_dict("records"),
    formats={"reached": ".0%", "of these flipped in 8 bits": ".0%",
             "of these misread by the second network": ".0%"},
    caption="All attacks asked for the same margin; PPGD and LPA at their largest bound. "
    "Images of all networks together.",
)  # fmt: skip

# %% [markdown]
# The averages of two rows are over different images. So for the pair that the paper sets side by side, its attack and PGD,
# we average over the images that both carry past the margin.

# %%
for a in confidences:
    means, n_shared, alone = {"PGD": {}, "ours": {}}, 0, ""
    for seed in n_correct:
        mine = runs[(runs.seed == seed) & (runs.asked == a)].set_index("image")
        pair = {name: mine[mine.attack == name] for name in means}
        both = (pair["PGD"].margin > a) & (pair["ours"].margin > a)
        n_shared += int(both.sum())
        if not both.any():
            both, alone = both | True, f"seed {seed}: no shared image, so all of them"
        for name in means:
            means[name][seed] = pair[name].gmsd[both].mean()
    for name, values in means.items():
        key = f"confidence_a{a:g}.{names[name]}"
        record.by_seed(key, values, n=max(n_shared, 1), note=alone, format=".3g")
record.summary({
    f"GMSD of {word}, margin {a:g}": f"confidence_a{a:g}.{names[name]}"
    for a in confidences for name, word in (("PGD", "PGD"), ("ours", "ours"))
})  # fmt: skip

# %% [markdown]
# This is the row that the paper lacks. At margin 5, PGD has a GMSD of {record}`attacks/fair_comparison#confidence_a5.pgd`
# and the perceptual attack {record}`attacks/fair_comparison#confidence_a5.ours`; at margin 0 they have
# {record}`attacks/fair_comparison#confidence_a0.pgd` and {record}`attacks/fair_comparison#confidence_a0.ours`. Compare the
# difference within a margin with that between margins: which moves the distance more, the attack or the confidence asked
# of it? In Table 3.1 both change at once.
#
# ## Transfer and rounding
#
# Does a flip survive as a picture of 8 bits, and does another network fall for it? More margin should help with both. All
# attacked images count here, flipped or not; for transfer, those that the second network read correctly before.

# %%
kept = []
for a in confidences:
    for attack in order:
        asked = 0.0 if attack == "LPA" else a
        mine = runs[(runs.attack == attack) & (runs.asked == asked)]
        if attack in ("PPGD", "LPA"):
            mine = mine[mine.bound == max(bounds)]
        line = {"asked": a, "attack": attack, "8 bits": mine.rounded.mean()}
        kept.append(line | {"second": mine["moved"].mean() if "moved" in mine else np.nan})
kept = pd.DataFrame(kept)
shown = kept.melt(["asked", "attack"], ["8 bits", "second"], "what").dropna()
ours_n = {"n": sum(n_correct.values()), "seeds": seeds[: len(models)]}
for a in confidences:
    share = kept[(kept.asked == a) & (kept.attack == "PGD")]["8 bits"].iloc[0]
    record.value(f"rounded.pgd_a{a:g}", share, format=".2f", **ours_n)

# %% tags=["hide-input"]
to_second = "second" in set(shown.what)
transfer = shown[shown.what == ("second" if to_second else "8 bits")]
which = "misread by the second network" if to_second else "flipped in 8 bits"
said = "; ".join(
    f"{name}: "
    + ", ".join(f"{row.value:.2f} at {row.asked:g}" for row in part.itertuples())
    for name, part in transfer.groupby("attack", sort=False)
)
record.figure(
    curves_with_bands(
        transfer,
        x="asked",
        y="value",
        hue="attack",
        x_label="margin asked for, logits",
        y_label="share misread by the second" if to_second else "share flipped in 8 bits",
    ),
    "transfer",
    caption=f"Share of attacked images {which}, over the margin that the attack was asked for. LPA cannot be asked for one, so "
    "its line is level.",
    alt=f"Six lines over the margin. {said}.",
    n=sum(n_correct.values()),
)

# %% [markdown]
# ## What a success costs
#
# Seconds and gradients of the network for one flipped image at margin 0, failures included. PPGD and LPA count at the
# paper's bound. Their time goes mostly into the features, PerC-AL's into the color difference and a second look at each
# candidate, so gradients of the network alone understate them.

# %%
paid = spent[(spent.asked == 0) & (spent.bound.isna() | (spent.bound == timed_bound))]
paid = paid.assign(
    seconds=paid.seconds / paid.flipped.clip(lower=1),
    gradients=paid.gradients / paid.flipped.clip(lower=1),
)
for attack, key in names.items():
    mine = paid[paid.attack == attack].set_index("seed")
    at_seed = {"n": max(n_correct.values())}
    record.by_seed(f"seconds.{key}", mine.seconds.to_dict(), unit="s", **at_seed)
    record.by_seed(f"gradients.{key}", mine.gradients.to_dict(), format=".0f", **at_seed)
cost = paid.groupby("attack", sort=False)[["seconds", "gradients"]].mean()
fastest = cost.seconds[["PerC-AL", "PPGD", "LPA"]].idxmin()
record.value(
    "seconds.fastest_rival", cost.seconds[fastest], unit="s", note=fastest, **ours_n
)
record.table(
    "cost", cost.reset_index(), caption="Seconds and gradients of the network per flip."
)

# %% tags=["hide-input"]
ordered = cost.seconds.sort_values()
record.figure(
    bars(ordered.to_dict(), label="seconds for one flipped image"),
    "cost",
    caption="Time for one flipped image on this machine, failures included. What fails still takes all its steps.",
    alt="Horizontal bars of seconds: "
    + ", ".join(
        f"{name} {value:.3f} ({cost.gradients[name]:.0f} gradients)"
        for name, value in ordered.items()
    )
    + ".",
    n=sum(n_correct.values()),
)

# %% [markdown]
# ## What holds
#
# ```{claims}
# :notebook: attacks/fair_comparison
# ```

# %% tags=["remove-cell"]
record.write()
record.claims_table()

# %% [markdown]
# ## Differs from the paper, and why
#
# - **The comparison itself.** The paper has no PGD with a confidence, no matched distance, no transfer, and prints no time.
# - **Bounds.** The paper runs PPGD and LPA at one bound. Here each image counts at the best of several, which favors them.
# - **Distance.** The embedded run minimizes $1 - \mathrm{SSIM}$ in place of PieAPP; LPIPS and PieAPP take its place in the
#   real and the paper profile.
# - **Networks.** The band spans networks trained from different seeds. On official data there is one network, and no band.
# - **Fewer steps** for PerC-AL, PPGD and LPA than their authors take, except in the paper profile.
# - **Success at a margin** is counted on the returned images: an attack that was asked for a margin and missed it is not
#   counted at that margin, though it may have flipped the image.
#
# ## Exercises
#
# ```{exercise}
# :label: ex-selection
# Two attacks have the same $S(d)$ up to $d^\star$, and the first one flips nothing beyond. Show that its mean distance over
# flipped images is the smaller one. Which row of Table 3.1 could profit from this?
# ```
#
# ```{solution} ex-selection
# :class: dropdown
# The mean over flipped images is the mean of the distribution $S / S(\infty)$. Below $d^\star$ both flip the same images at
# the same distances; the second adds images with distances above $d^\star$, each larger than every one before, so its mean
# grows. In the paper only PPGD and LPA fail, so only they could profit; in our quick run it is Algorithm 3.1 itself.
# ```
#
# ```{exercise}
# :label: ex-best-of-bounds
# Taking the best of several bounds for each image favors PPGD and LPA. Change `bounds` to `[0.5]` and compare the curves.
# Why does a single bound give a steep curve?
# ```
#
# ```{solution} ex-best-of-bounds
# :class: dropdown
# With one bound the attack uses all of it on every image, easy or hard, so the distances lie close together and the curve
# rises within a narrow range. Smaller bounds move the easy images to the left.
# ```
