# %% [markdown]
# # Does the distance to a cluster add anything to adversarial training?
#
# ```{admonition} The claim
# :class: tip
# Robust semantic training adds the distance from the clean cluster to the loss of adversarial training. It raises the accuracy
# under PGD, from adversarially trained weights and from random ones; from TRADES weights it is best in every column, and on
# clean images better than the undefended network (P1, {cite}`silva2022`, Table 1).
# ```
#
# ## What the paper says, and what we add
#
# Stage i clusters the features $R(x)$ of a baseline network within each class; cluster $j$ has a mean $\mu_j$ and a
# covariance $\sigma_j$. Stage ii trains a second network on attacked images $x'$ and holds their features at the cluster of
# the clean image, with weight $\alpha$ on a Mahalanobis distance:
#
# ```{math}
# :label: eq-rst
# \min_\theta \; \mathbb{E}\, \max_{\lVert x' - x \rVert_2 \le \epsilon} \ell\bigl(f(x'), y\bigr) + \lambda \lVert \theta \rVert_2^2
# + \alpha \sqrt{\bigl(R(x') - \mu\bigr)^\top \sigma^{-1} \bigl(R(x') - \mu\bigr)} .
# ```
#
# Without the last term this is adversarial training {cite}`madry2018`, PGDAT in the paper's table. The name in parentheses in
# each row says where the weights come from. The paper gives $\epsilon = 0.3$ and ten steps, and neither $\alpha$ nor the
# epochs nor the settings of any attack in the table.
#
# We add four things: an interval on every cell; for each row with pretrained weights the control *PGDAT continued for as
# long*, and runs from random weights with as many epochs in all; an undefended network under PGD at full strength; and a
# count of how often clean and attacked images are matched with the same cluster, which is what stage iii needs.

# %% tags=["parameters"]
dataset = "photos"  # "photos" (embedded) or "cifar10" (official)
data_root = ""  # folder of official data; empty: BLINDSPOTS_DATA
n_train = 200  # training images, of the baseline and of adversarial training
n_images = 20  # test images for each seed; each seed has its own
skip = 0  # test images passed over before those
seeds = [0]  # every network is trained once for each
network = "small_cnn"  # "small_cnn" or "wide_resnet"
width = 4  # channels of the first layer (small_cnn), or the factor k (wide_resnet)
depth = 32  # layers (wide_resnet)
baseline_epochs = 3  # passes of the baseline's training
epochs = 2  # passes of each adversarial training
batch_size = 32  # images per step
learning_rate = 0.1  # the largest of the schedule
epsilon = 0.3  # l2 radius of training and test, in units of the [0, 1] range
tpgd_epsilon = 0.006  # l-infinity radius of TPGD, likewise
train_steps = 3  # steps of the attack in training
test_steps = 10  # steps of PGD, BIM and TPGD in the table
cw_steps = 20  # steps in each search of CW
search_steps = 3  # searches of CW
strong_steps = 20  # steps of PGD at full strength
restarts = 1  # its random starts
radii = [0.3, 1.2]  # l2 radii of the last figure on attacks
max_clusters = 4  # most clusters in a class
alpha = 0.1  # weight of the distance
alphas = [0.0, 0.1]  # weights of the sweep, the first 0
chunk = 100  # images in one batch of an attack
device = "auto"  # "auto", "cpu" or "cuda"

# %% tags=["hide-input"]
import pandas as pd
import torch
from statsmodels.stats.proportion import proportion_confint

from blindspots.attacks import robust_table_attacks, standard_attack
from blindspots.data import load
from blindspots.devices import choose_device
from blindspots.models import build_model, trained_classifier
from blindspots.purify import (
    TrainingAttack,
    cluster_agreement,
    fit_semantic_clusters,
    trained_robust_classifier,
)
from blindspots.reports import Record
from blindspots.reports.figures import bars, curves_with_bands, forest
from blindspots.reports.paired_gain import paired_gain
from blindspots.seeding import generator

parameters = {
    "dataset": dataset, "n_train": n_train, "n_images": n_images, "skip": skip, "seeds": seeds,
    "network": network, "width": width, "depth": depth, "baseline_epochs": baseline_epochs,
    "epochs": epochs, "batch_size": batch_size, "learning_rate": learning_rate, "epsilon": epsilon,
    "tpgd_epsilon": tpgd_epsilon, "train_steps": train_steps, "test_steps": test_steps,
    "cw_steps": cw_steps, "search_steps": search_steps, "strong_steps": strong_steps,
    "restarts": restarts, "radii": radii, "max_clusters": max_clusters, "alpha": alpha,
    "alphas": alphas, "chunk": chunk,
}  # fmt: skip
record = Record("purify/robust_semantic_training", parameters=parameters, seed=seeds[0])
place = choose_device(device)
root = data_root or None

# %% [markdown]
# ## Images, baselines, clusters
#
# Each seed trains all its networks on the same images and judges them on test images of its own. Clusters are sought in the
# baseline's features and fitted with shrunken covariances; the paper's pseudo-inverse follows in the section on alignment, and
# plain Euclidean distance is in the record.

# %%
side = {"size": 32} if dataset == "photos" else {}
train = load(dataset, split="train", limit=n_train, data_root=root, **side)
last = skip + n_images * len(seeds)
test = load(dataset, split="test", limit=last, data_root=root, **side)
held = load(dataset, split="validation", limit=2 * n_images, data_root=root, **side)
for part in (train, test, held):
    record.add_data(part)
x, y = train.images.to(place), train.labels.to(place)
own_test = {}
for index, seed in enumerate(seeds):
    mine = slice(skip + index * n_images, skip + (index + 1) * n_images)
    own_test[seed] = test.images[mine].to(place), test.labels[mine].to(place)
total = n_images * len(seeds)


# %%
@torch.inference_mode()
def encoded(model, images):
    return torch.cat([model.encode(part) for part in images.split(500)])


spec = {"name": network, "in_channels": 3, "n_classes": 10}
spec |= (
    {"width": width} if network == "small_cnn" else {"depth": depth, "width_factor": width}
)
models, clusters = {}, {}
rules = {
    "ledoit_wolf": "shrunken",
    "paper_pinv": "pseudo-inverse",
    "euclidean": "Euclidean",
}
for seed in seeds:
    baseline, _ = trained_classifier(
        spec, x, y, data_sha256=train.card.sha256, device=place, epochs=baseline_epochs,
        batch_size=batch_size, learning_rate=learning_rate, seed=seed,
    )  # fmt: skip
    models[seed] = {"none": baseline, "random": build_model(spec, seed=seed).to(place)}
    features = encoded(baseline, x).clone()
    for rule in rules:
        clusters[seed, rule] = fit_semantic_clusters(
            features,
            y,
            max_clusters=max_clusters,
            covariance=rule,
            generator=generator(seed),
        )

# %%
found = {seed: len(clusters[seed, "ledoit_wolf"]) for seed in seeds}
record.by_seed("clusters", found, n=n_train, format=".1f")
record.value("dimensions", features.shape[1], n=None)
small = {s: (clusters[s, "ledoit_wolf"].sizes <= features.shape[1]).float() for s in seeds}
record.by_seed(
    "clusters.too_small", {s: v.mean() for s, v in small.items()}, n=n_train, format=".0%"
)
record.summary({
    "clusters, over all classes": "clusters",
    "dimensions of the features": "dimensions",
    "clusters with no more images than dimensions": "clusters.too_small",
})  # fmt: skip

# %% [markdown]
# ## All trainings
#
# A row is a start, a weight of the distance and a length. PGDAT is the same training with weight 0, so that the distance is
# measured on the way and changes nothing. Rows marked "long" start from random weights and have the epochs of both
# stages of a pretrained row.

# %%
plan = {  # row: (start, weight of the distance, length in units of `epochs`)
    "pgdat_random": ("random", 0.0, 1), "rst_random": ("random", alpha, 1),
    "pgdat_pgdat": ("pgdat_random", 0.0, 1), "rst_pgdat": ("pgdat_random", alpha, 1),
    "pgdat_trades": ("trades", 0.0, 1), "rst_trades": ("trades", alpha, 1),
    "pgdat_baseline": ("none", 0.0, 1), "rst_baseline": ("none", alpha, 1),
    "pgdat_random_long": ("random", 0.0, 2), "rst_random_long": ("random", alpha, 2),
}  # fmt: skip
common = {
    "data_sha256": train.card.sha256, "batch_size": batch_size, "learning_rate": learning_rate,
    "attack": TrainingAttack(epsilon=epsilon, steps=train_steps),
}  # fmt: skip
histories = {}
for seed in seeds:
    mine, known = models[seed], clusters[seed, "ledoit_wolf"]
    mine["trades"], _ = trained_robust_classifier(
        mine["random"], x, y, semantic=False, objective="trades", epochs=epochs, seed=seed, **common
    )  # fmt: skip
    for row, (start, weight, length) in plan.items():
        mine[row], result = trained_robust_classifier(
            mine[start], x, y, known.members, known, alpha=weight, epochs=length * epochs,
            seed=seed, **common,
        )  # fmt: skip
        histories[seed, row] = result.history

# %% tags=["hide-input"]
names = {
    "none": "No defense", "rst_pgdat": "PGDAT+RST (PGDAT)", "pgdat_pgdat": "PGDAT (PGDAT)",
    "rst_random": "PGDAT+RST (random)", "pgdat_random": "PGDAT (random)",
    "rst_trades": "PGDAT+RST (TRADES)",
}  # fmt: skip
six = list(names)
names |= {
    "pgdat_trades": "PGDAT (TRADES)", "trades": "TRADES (random)",
    "rst_baseline": "PGDAT+RST (baseline)", "pgdat_baseline": "PGDAT (baseline)",
    "rst_random_long": "PGDAT+RST (random), long", "pgdat_random_long": "PGDAT (random), long",
}  # fmt: skip
columns = {"clean": "no attack", "pgd": "PGD", "cw": "CW", "bim": "BIM", "tpgd": "TPGD"}


# %% [markdown]
# ## Table 1
#
# PGD, CW and BIM stay within the l2 radius of training, TPGD within an l-infinity ball about as large. The attacks see the
# network that they attack. The share in each cell counts all test images, misread ones included; its interval is Wilson's,
# over images and seeds.

# %%
right, attacked = {}, {}
for seed in seeds:
    attacks = robust_table_attacks(
        epsilon=epsilon, tpgd_epsilon=tpgd_epsilon, steps=test_steps, cw_steps=cw_steps,
        search_steps=search_steps, seed=seed,
    )  # fmt: skip
    images, labels = own_test[seed]
    parts = list(zip(images.split(chunk), labels.split(chunk), strict=True))
    for row in names:
        model = models[seed][row]
        with torch.inference_mode():
            clean = [model(a).argmax(1) == b for a, b in parts]
        right[seed, row, "clean"] = torch.cat(clean)
        for name, attack in attacks.items():
            results = [attack.run(model, a, b) for a, b in parts]
            right[seed, row, name.lower()] = torch.cat([~r.success for r in results])
            if name == "PGD":
                attacked[seed, row] = torch.cat([r.images for r in results])

# %%
table, cells = [], {}
for row, words in names.items():
    line = {"training (weights from)": words}
    for column, title in columns.items():
        hits = {seed: right[seed, row, column].float().mean().item() for seed in seeds}
        mean = sum(hits.values()) / len(hits)
        low, high = proportion_confint(round(mean * total), total, method="wilson")
        cells[row, column] = record.value(
            f"{row}.{column}", mean, n=total, seeds=seeds, by_seed=list(hits.values()),
            spread=(min(low, mean), max(high, mean)), note="95 % Wilson interval", format=".1%",
        )  # fmt: skip
        line[title] = f"{100 * mean:.1f} ({100 * low:.0f} to {100 * high:.0f})"
    table.append(line)
most = {c: max(cells[row, c] for row in six) for c in columns}
for row in six:
    firsts = sum(cells[row, c] >= most[c] for c in columns) / len(columns)
    record.value(f"best.{row}", firsts, n=len(columns), seeds=seeds, format=".0%")
record.table("table_1", table, caption="Table 1: accuracy in percent with 95 % intervals. The first six rows are the paper's; the others are ours.")  # fmt: skip

# %% [markdown]
# Undefended, the network reads {record}`purify/robust_semantic_training#none.clean|.0%` of the clean images and
# {record}`purify/robust_semantic_training#none.pgd|.0%` under PGD. RST from PGDAT weights keeps
# {record}`purify/robust_semantic_training#rst_pgdat.pgd|.0%`, PGDAT continued from the same weights
# {record}`purify/robust_semantic_training#pgdat_pgdat.pgd|.0%`. RST from TRADES weights is first, alone or with
# others, in {record}`purify/robust_semantic_training#best.rst_trades|.0%` of the columns.
#
# ## What the distance adds, on the same images
#
# The intervals of two cells overlap long before their difference is uncertain, because both networks read the same images.
# So we count the images that only one of the two reads correctly, and take the interval of Agresti and Min (2005) for
# the difference. It speaks of other test images, not of other trainings; the seeds do that.

# %%
pairs = {
    "pgdat": ("rst_pgdat", "pgdat_pgdat", "RST, from PGDAT weights"),
    "random": ("rst_random", "pgdat_random", "RST, from random weights"),
    "trades": ("rst_trades", "pgdat_trades", "RST, from TRADES weights"),
    "baseline": ("rst_baseline", "pgdat_baseline", "RST, from baseline weights"),
    "random_long": ("rst_random_long", "pgdat_random_long", "RST, random weights, long"),
    "epochs": ("pgdat_pgdat", "pgdat_random", "PGDAT continued, against stopped"),
    "compute": ("rst_pgdat", "rst_random_long", "RST: PGDAT weights, against long"),
}
paired = {}
for key, (one, other, _) in pairs.items():
    for column in columns:
        flags = [
            torch.cat([right[s, row, column].cpu() for s in seeds]) for row in (one, other)
        ]
        gain = paired[key, column] = paired_gain(*flags)
        each = [
            paired_gain(right[s, one, column], right[s, other, column]).value for s in seeds
        ]
        record.value(
            f"gain.{key}.{column}", gain.value, n=total, seeds=seeds, by_seed=each,
            spread=(gain.low, gain.high), note="paired 95 % interval", format="+.1%",
        )  # fmt: skip
        record.value(
            f"gain.{key}.{column}.low", gain.low, n=total, seeds=seeds, format="+.1%"
        )

# %%
clear = [
    g.low > 0 or g.high < 0 for (key, _), g in paired.items() if key in list(pairs)[:5]
]
record.value("gain.clear", sum(clear), n=len(clear), seeds=seeds)
record.value("gain.pairs", len(clear), n=None)
record.summary({
    "differences between RST and PGDAT, five starts and five columns": "gain.pairs",
    "of these with an interval that leaves out zero": "gain.clear",
})  # fmt: skip

# %% tags=["hide-input"]
rows = []
for key, (_, _, words) in pairs.items():
    line = {"difference": words}
    for column, title in columns.items():
        gain = paired[key, column]
        line[title] = (
            f"{100 * gain.value:+.1f} ({100 * gain.low:+.0f} to {100 * gain.high:+.0f})"
        )
    rows.append(line)
record.table(
    "gains",
    rows,
    caption="Differences in accuracy on the same images, in percentage points with paired 95 % intervals. The first "
    "five rows are RST minus PGDAT from the same weights for the same epochs.",
)

# %% tags=["hide-input"]
shown = {
    words: tuple(100 * v for v in (paired[key, "pgd"].value, paired[key, "pgd"].low, paired[key, "pgd"].high))
    for key, (_, _, words) in pairs.items()
}  # fmt: skip
shown = {name: (v, min(low, v), max(high, v)) for name, (v, low, high) in shown.items()}
record.figure(
    forest(
        shown, label="difference in accuracy under PGD, percentage points",
        references={"no difference": 0.0}, format="+.1f",
    ),
    "gains",
    caption="What each change adds under PGD, on the same test images, with paired 95 % intervals. Look for intervals "
    "that do not reach the dashed line.",
    alt="One row per comparison, percentage points with interval: "
    + "; ".join(f"{name} {v:+.1f} ({low:+.1f} to {high:+.1f})" for name, (v, low, high) in shown.items())
    + ".",
    n=total,
    seed=seeds[0],
)  # fmt: skip

# %% [markdown]
# Under PGD, RST changes the accuracy by {record}`purify/robust_semantic_training#gain.pgdat.pgd` from PGDAT weights and by
# {record}`purify/robust_semantic_training#gain.random.pgd` from random ones. The paper prints +0.69 and +1.44 points. Of the
# {record}`purify/robust_semantic_training#gain.pairs` differences between RST and PGDAT, over five starts and five columns,
# {record}`purify/robust_semantic_training#gain.clear` have an interval that leaves out zero. Simply training on, without any
# distance, changes it by {record}`purify/robust_semantic_training#gain.epochs.pgd`: a pretrained row has had both stages, and
# a row from random weights one. At equal compute, pretrained weights instead of random ones change RST by
# {record}`purify/robust_semantic_training#gain.compute.pgd`.
#
# Differences as small as the paper's need many images. Two networks that disagree on a tenth of the images show +0.69 points
# clear of zero on about 8,000 of them, close to all that CIFAR-10 has, and that is for one training of each.
#
# ## The undefended network under full strength
#
# The paper's undefended network keeps 27.68 % under PGD, a third of its clean accuracy. We give PGD more steps and restarts,
# and count an image as read only if no run fools it.

# %%
strong = ["none", "pgdat_pgdat", "rst_pgdat"]
rows = []
for row in strong:
    full = {}
    for seed in seeds:
        images, labels = own_test[seed]
        kept = right[seed, row, "pgd"]
        for start in range(restarts):
            again = standard_attack(
                "pgd", models[seed][row], images, labels, epsilon=epsilon, norm="l2",
                steps=strong_steps, generator=generator(seed, "restart", start),
            )  # fmt: skip
            kept = kept & ~again.success
        full[seed] = kept.float().mean()
    mean = record.by_seed(f"{row}.pgd_full", full, n=total, format=".1%")
    rows.append({"training (weights from)": names[row], "clean": cells[row, "clean"],
                 "PGD, table": cells[row, "pgd"], "PGD, full": mean})  # fmt: skip
    weakness = record.value(f"{row}.pgd_weakness", cells[row, "pgd"] - mean, n=total, seeds=seeds, format=".1%")  # fmt: skip
    share = mean / cells[row, "clean"] if cells[row, "clean"] else 0.0
    record.value(f"{row}.pgd_full_share", share, n=total, seeds=seeds, format=".0%")
record.table("full_strength", rows, caption="Accuracy on clean images, under the table's PGD and under PGD at full strength, at the same radius.", formats={key: ".1%" for key in list(rows[0])[1:]})  # fmt: skip

# %% tags=["hide-input"]
curve = []
for row in strong:
    for seed in seeds:
        images, labels = own_test[seed]
        at = {"row": row, "seed": seed}
        clean = right[seed, row, "clean"].float().mean().item()
        curve.append(at | {"radius": 0.0, "accuracy": clean})
        for radius in radii:
            hit = standard_attack(
                "pgd", models[seed][row], images, labels, epsilon=radius, norm="l2", steps=20,
                step_size=radius / 8, generator=generator(seed, "radius"),
            )  # fmt: skip
            kept = 1 - hit.success.float().mean().item()
            curve.append(at | {"radius": radius, "accuracy": kept})
curve = pd.DataFrame(curve)
curve["training"] = curve.row.map(names)
means = curve.groupby(["training", "radius"], sort=False).accuracy.mean()
record.figure(
    curves_with_bands(
        curve, x="radius", y="accuracy", hue="training", y_label="accuracy",
        x_label="l2 radius of PGD, in units of the [0, 1] range",
    ),
    "radius",
    caption="Accuracy under PGD of 20 steps over its radius; the band spans the seeds. The radius of training is "
    f"{epsilon:g}: look at how far beyond it each network holds.",
    alt="Curves over the radius, one per network. "
    + "; ".join(
        f"{name}: " + ", ".join(f"{v:.2f} at {r:g}" for r, v in means[name].items())
        for name in means.index.levels[0]
    )
    + ".",
    n=total,
    seed=seeds[0],
)  # fmt: skip

# %% [markdown]
# At full strength {record}`purify/robust_semantic_training#none.pgd_full|.0%` of the undefended answers are still right,
# {record}`purify/robust_semantic_training#none.pgd_full_share|.0%` of the clean accuracy. The table's ten steps are weaker by
# {record}`purify/robust_semantic_training#none.pgd_weakness`. A small network on few images is smooth, and the same radius hurts
# it less than a wide ResNet; the number says what this network does and does not settle what the paper's would.
#
# ## How far attacked images are from their cluster
#
# The distance in {eq}`eq-rst`, averaged over the attacked training images of each epoch. PGDAT is measured in the same way
# and trained without it.

# %% tags=["hide-input"]
rows = [
    {"epoch": index + 1, "distance": epoch.distance, "training": names[row]}
    for (_, row), history in histories.items()
    if row in ("pgdat_pgdat", "rst_pgdat", "pgdat_random", "rst_random")
    for index, epoch in enumerate(history)
]  # fmt: skip
frame = pd.DataFrame(rows)
ends = frame.groupby(["training", "epoch"], sort=False).distance.mean()
record.figure(
    curves_with_bands(
        frame, x="epoch", y="distance", hue="training", x_label="epoch",
        y_label="Mahalanobis distance, own cluster", y_scale="log",
    ),
    "distance",
    caption="Mean distance of attacked training images to the cluster of the clean image, over the epochs; the band spans "
    "the seeds. Compare the two curves of each start: they differ by the semantic term alone.",
    alt="Curves over epochs, first and last value: "
    + "; ".join(f"{name} {ends[name].iloc[0]:.1f} to {ends[name].iloc[-1]:.1f}" for name in ends.index.levels[0])
    + ".",
    n=n_train,
    seed=seeds[0],
)  # fmt: skip

# %%
for row in names:
    far = {}
    for seed in seeds:
        known = clusters[seed, "ledoit_wolf"]
        own = known.assign(encoded(models[seed]["none"], own_test[seed][0]))
        moved = encoded(models[seed][row], attacked[seed, row])
        far[seed] = known.mahalanobis_to(moved, own).mean()
    record.by_seed(f"distance.{row}", far, n=total, format=".1f")
record.summary({
    "attacked test images to the clean image's cluster, no defense": "distance.none",
    "PGDAT (PGDAT)": "distance.pgdat_pgdat",
    "PGDAT+RST (PGDAT)": "distance.rst_pgdat",
    "PGDAT (baseline)": "distance.pgdat_baseline",
    "PGDAT+RST (baseline)": "distance.rst_baseline",
})  # fmt: skip

# %% [markdown]
# On attacked test images the distance is {record}`purify/robust_semantic_training#distance.rst_pgdat` for RST and
# {record}`purify/robust_semantic_training#distance.pgdat_pgdat` for PGDAT, both from PGDAT weights. A network from random
# weights has axes of its own: its features mean nothing to the baseline's clusters until the distance teaches it.
#
# ## Are clean and attacked images matched with the same cluster?
#
# Stage iii picks the dictionary of the cluster that is nearest to $R_{rob}(x')$, and the clusters are the baseline's. Three
# shares tell whether that can work. *Same*: clean and attacked features of one encoder fall into one cluster. *Reference*:
# attacked features fall into the cluster of the baseline's clean features. *Class*: into some cluster of the right class. An
# encoder that sends every image to one cluster agrees with itself fully; so agreement beyond chance stands beside it
# (Cohen's kappa), and the number of clusters in use.

# %%
encoders = ["none", "pgdat_baseline", "rst_baseline", "pgdat_pgdat", "rst_pgdat", "rst_random", "rst_trades"]  # fmt: skip
shares = []
for seed in seeds:
    images, labels = own_test[seed]
    for rule in rules:
        known = clusters[seed, rule]
        own = known.assign(encoded(models[seed]["none"], images))
        for row in encoders:
            model = models[seed][row]
            for who, source in (("own", row), ("transfer", "none")):
                there = encoded(model, attacked[seed, source])
                found = cluster_agreement(known, encoded(model, images), there, own, labels)
                shares.append({
                    "rule": rule, "row": row, "attack": who, "seed": seed, "same": found.same,
                    "beyond_chance": found.beyond_chance, "reference": found.reference,
                    "right_class": found.right_class, "used": found.n_used / len(known),
                })  # fmt: skip
shares = pd.DataFrame(shares)
measures = ["same", "beyond_chance", "reference", "right_class", "used"]
for (rule, row, who), part in shares.groupby(["rule", "row", "attack"]):
    for measure in measures:
        values = part.set_index("seed")[measure].to_dict()
        record.by_seed(f"align.{rule}.{row}.{who}.{measure}", values, n=total, format=".2f")

# %% tags=["hide-input"]
heads = {
    "same": "same", "beyond_chance": "beyond chance", "reference": "reference",
    "right_class": "class", "used": "clusters used",
}  # fmt: skip
means = shares.groupby(["rule", "row", "attack"])[measures].mean()
lines = [
    {"distance": rules[rule], "encoder": names[row]}
    | {heads[m]: means.loc[(rule, row, "own"), m] for m in measures}
    for rule in ("ledoit_wolf", "paper_pinv")
    for row in encoders
]
record.table(
    "alignment",
    lines,
    caption="Matching of clean and attacked images, each encoder under PGD on itself, means over seeds: shares of images, "
    "kappa, and the share of the clusters that attacked images are sent to.",
    formats={heads[m]: ".2f" for m in measures},
)

# %% tags=["hide-input"]
lines = [
    {"distance": rules[rule], "encoder": names[row]}
    | {heads[m]: means.loc[(rule, row, "transfer"), m] for m in measures}
    for rule in ("ledoit_wolf", "paper_pinv")
    for row in encoders
]
record.table(
    "transfer",
    lines,
    caption="The same where the attack was made on the undefended network, as in stage iii: this is what the purifier meets.",
    formats={heads[m]: ".2f" for m in measures},
)

# %% tags=["hide-input"]
shown = {
    f"{names[row]}, {word}": means.loc[(rule, row, "transfer"), "reference"]
    for row in ("none", "pgdat_pgdat", "rst_pgdat", "rst_baseline")
    for rule, word in (("ledoit_wolf", "shrunken"), ("paper_pinv", "pinv"))
}
record.figure(
    bars(shown, label="share matched with the clean image's cluster", format=".2f"),
    "alignment",
    caption="How often an image attacked on the undefended network is matched with the cluster of its clean original, by "
    "encoder and by covariance (shrunken, or the paper's pseudo-inverse).",
    alt="Bars, share of images: " + ", ".join(f"{name} {v:.2f}" for name, v in shown.items()) + ".",
    n=total,
    seed=seeds[0],
)  # fmt: skip

# %% [markdown]
# With shrunken covariances the baseline gives clean and attacked images the same cluster in
# {record}`purify/robust_semantic_training#align.ledoit_wolf.none.own.same|.0%` of the cases, PGDAT in
# {record}`purify/robust_semantic_training#align.ledoit_wolf.pgdat_pgdat.own.same|.0%`, RST from the same weights in
# {record}`purify/robust_semantic_training#align.ledoit_wolf.rst_pgdat.own.same|.0%`. But *same* is only half of what stage iii
# needs. The clean image's own cluster is found by
# {record}`purify/robust_semantic_training#align.ledoit_wolf.none.transfer.reference|.0%` with the baseline's features, although
# the attack was aimed at them, by {record}`purify/robust_semantic_training#align.ledoit_wolf.rst_pgdat.transfer.reference|.0%`
# with RST's from PGDAT weights, and by
# {record}`purify/robust_semantic_training#align.ledoit_wolf.rst_baseline.transfer.reference|.0%` with RST's from the baseline's.
#
# PGDAT from the same weights, whose axes are not the baseline's, finds it in
# {record}`purify/robust_semantic_training#align.ledoit_wolf.pgdat_pgdat.transfer.reference|.0%`. What the semantic term can buy is
# features that the baseline's clusters read; *same* alone does not show it, since an encoder that sends its images to few
# clusters agrees with itself. PGDAT uses {record}`purify/robust_semantic_training#align.ledoit_wolf.pgdat_pgdat.own.used|.0%` of
# the clusters, RST {record}`purify/robust_semantic_training#align.ledoit_wolf.rst_pgdat.own.used|.0%`.
#
# With the pseudo-inverse RST's images use
# {record}`purify/robust_semantic_training#align.paper_pinv.rst_pgdat.own.used|.0%` of the clusters, and *same* is
# {record}`purify/robust_semantic_training#align.paper_pinv.rst_pgdat.own.same|.0%`. Almost everything falls into a cluster of few
# images, and only {record}`purify/robust_semantic_training#align.paper_pinv.none.own.right_class|.0%` of the attacked images are
# matched with a cluster of their class even by the baseline. Agreement of this kind says nothing.
#
# ## How much distance?
#
# The paper names no $\alpha$. We train from PGDAT weights with several, and look at images held out for this, not at the
# test images.

# %%
seed = seeds[0]
known, sweep = clusters[seed, "ledoit_wolf"], []
images, labels = held.images.to(place), held.labels.to(place)
pgd = robust_table_attacks(epsilon=epsilon, steps=test_steps, seed=seed)["PGD"].run
for weight in alphas:
    model, result = trained_robust_classifier(
        models[seed]["pgdat_random"], x, y, known.members, known, alpha=weight, epochs=epochs,
        seed=seed, **common,
    )  # fmt: skip
    with torch.inference_mode():
        clean = (model(images).argmax(1) == labels).float().mean().item()
    kept = 1 - pgd(model, images, labels).success.float().mean().item()
    sweep.append({"alpha": weight, "clean": clean, "PGD": kept, "distance": result.history[-1].distance})  # fmt: skip
best = max(sweep, key=lambda line: line["PGD"])
spread = max(line["PGD"] for line in sweep) - min(line["PGD"] for line in sweep)
record.value("sweep.best_alpha", float(best["alpha"]), n=len(held), format=".3g")
record.value("sweep.range", spread, n=len(held), format=".1%")
record.value("alpha", alpha, n=None, format=".3g")
record.table("alpha", sweep, caption="Weights of the distance, RST from PGDAT weights, on held-out images; the distance is that of the last epoch.", formats={"clean": ".1%", "PGD": ".1%"})  # fmt: skip

# %% tags=["hide-input"]
frame = pd.DataFrame(sweep).melt("alpha", ["clean", "PGD"], "images", "accuracy")
record.figure(
    curves_with_bands(
        frame, x="alpha", y="accuracy", hue="images", x_label="weight of the distance, alpha",
        y_label="accuracy, held-out images"
    ),
    "alpha",
    caption="Accuracy on held-out images over the weight of the distance, from PGDAT weights; 0 is PGDAT.",
    alt="Two curves over alpha. "
    + "; ".join(f"alpha {l['alpha']:g}: clean {l['clean']:.2f}, PGD {l['PGD']:.2f}" for l in sweep)  # noqa: E741
    + ".",
    n=len(held),
    seed=seed,
)  # fmt: skip

# %% [markdown]
# On held-out images PGD leaves most at $\alpha$ = {record}`purify/robust_semantic_training#sweep.best_alpha`; all weights lie
# within {record}`purify/robust_semantic_training#sweep.range` of each other. The table uses
# {record}`purify/robust_semantic_training#alpha`, fixed before any run that judges.
#
# ## What holds
#
# ```{claims}
# :notebook: purify/robust_semantic_training
# ```

# %% tags=["remove-cell"]
record.write()
record.claims_table()

# %% [markdown]
# ## Differs from the paper, and why
#
# - **Network, images, epochs.** The quick profile trains a network of three convolutions on patches of photographs for a few
#   epochs, the real profile on a part of CIFAR-10; WRN-32-10 is for the paper profile. There is no augmentation.
# - **Attacks.** The table states no setting. PGD, CW and BIM stay in the l2 ball of training; CW is drawn back to it, since
#   without a radius it fools nearly everything. TPGD is defined for l-infinity and gets a ball of about the same size.
#   A library's default of 8/255 would be a radius of 1.7 in l2 and no test of training with 0.3.
# - **Covariance.** Shrunken by default, because a cluster with fewer images than dimensions has no inverse. The paper's
#   pseudo-inverse is shown beside it.
# - **TRADES** {cite}`zhang2019`. The paper's reference points to another work; we take TRADES itself, with weight 6.
# - **Alpha** is not given. It was chosen before the runs that judge; the sweep uses held-out images.
# - **Controls.** PGDAT continued from TRADES and baseline weights, and long runs from random weights, are ours.
# - **Clusters of one or two images** get the mean variance of all clusters, since no shrinkage can be estimated from them.
#   A first run of this chapter lacked this for two images, and RST lost accuracy by it. The run shown has other pictures and
#   other seeds; the rules of the claims are the same.
# - **Intervals** are ours; the paper prints one number per cell.
#
# ## Exercises
#
# ```{exercise}
# :label: ex-rst-matched
# A table compares "A, then B" with "B alone", and B had the same epochs in both rows. Name two reasons other than A's merit
# for which the first row may be better. Which rows of this chapter separate them?
# ```
#
# ```{solution} ex-rst-matched
# :class: dropdown
# It has had more updates in all, and its schedule had two warm starts. "PGDAT continued, against stopped" shows what more of
# the same gives; the long rows give the updates in one schedule. Only what remains against both is A's.
# ```
#
# ```{exercise}
# :label: ex-rst-collapse
# An encoder maps every image to the same point. Which values have *same*, *beyond chance*, *reference* and *clusters used*?
# What is the semantic term then?
# ```
#
# ```{solution} ex-rst-collapse
# :class: dropdown
# *Same* is 1, *beyond chance* 0, *reference* the share of images whose cluster happens to be that one, and one cluster is used.
# The semantic term is not small: the point can be near one mean only. That is what keeps training with a proper covariance
# from collapsing. With the pseudo-inverse a cluster of few images has no distance in most directions.
# ```
