# %% [markdown]
# # A saliency map moves as far as the image does
#
# ```{admonition} The claim
# :class: tip
# The perceptual attack with confidence 0 changes a saliency map less than every other attack, and so it induces the smallest
# change in human attention (P0, {cite}`hua2021`, Table 3.2 and Figure 3.4).
# ```
#
# ## What the paper says, and what takes EGNet's place
#
# A saliency map $S(x) \in [0, 1]^{H \times W}$ says how much each pixel draws the eye. The paper computes it with EGNet
# {cite}`zhao2019` before and after each attack and reports four distances between the two maps:
#
# ```{math}
# :label: eq-saliency-distances
# \lVert S(x') - S(x) \rVert_1, \quad \lVert S(x') - S(x) \rVert_2, \quad
# \lVert S(x') - S(x) \rVert_\infty, \quad 1 - \mathrm{SSIM}\bigl(S(x'), S(x)\bigr) .
# ```
#
# EGNet's code has no license and its weights are a separate download, so this book cannot ship it. Two classical maps take
# its place; they have no weights and are defined by a formula.
#
# - **Spectral residual** {cite}`hou2007`: what the log spectrum of the gray image exceeds its own local mean by, sent
#   back with the original phase. It asks what is *unusual* in the image, at a width of 64 pixels.
# - **Fine-grained** {cite}`montabone2010`: differences between a pixel and the mean of squares around it, of six sizes,
#   at full resolution. It asks what *stands out from its surroundings*.
#
# Both read brightness only and know no objects. They react to texture where EGNet, trained on people's outlines of objects,
# may not. So the numbers of Table 3.2 cannot be compared; its order of the attacks can.

# %% tags=["parameters"]
dataset = "photos"  # "photos" (embedded) or "imagenet_compatible" (official)
data_root = ""  # folder of official data; empty: BLINDSPOTS_DATA
side = 64  # side of the images attacked, pixels
n_images = 16  # test images for each seed; those read correctly are attacked
skip = 0  # test images passed over before those
distance_name = "ssim"  # what our attack minimizes: "ssim", "features", "lpips" or "pieapp"
confidences = [0, 1, 5]  # margins in logits that our attack and PGD have to exceed
steps = 100  # most steps of our attack and of PGD
perc_steps = 40  # steps of PerC-AL
bound = 0.5  # radius of PPGD and LPA, in units of the feature distance
ppgd_steps = 20  # steps of PPGD
lpa_steps = 10  # steps in each of LPA's five rounds
seeds = [0]  # one classifier is trained for each (photos)
epochs = 5  # passes over the training patches (photos)
batch_size = 32  # patches per training step (photos)
width = 8  # channels of the network's first layer (photos)
architecture = "squeezenet1_1"  # network of the official data, by torchvision's name
weights = "squeezenet1_1-imagenet-onnxzoo.pth"  # its weights, in the data root
fewest = 4  # images that all rows must fool for the table to keep to these
chunk = 20  # images in one batch
keep_rows = (
    False  # keep each finished row, so that an interrupted run goes on with the next
)
device = "auto"  # "auto", "cpu" or "cuda"

# %% tags=["hide-input"]
import pandas as pd
import torch

from blindspots.attacks import compare_attacks, table_3_1_attacks
from blindspots.data import load
from blindspots.data.weights import find_weight
from blindspots.devices import choose_device
from blindspots.models import torchvision_classifier, trained_classifier
from blindspots.perception import (
    SSIMDistance,
    feature_distance,
    layer_features,
    lpips_distance,
    pieapp_distance,
    saliency_distances,
    saliency_map,
)
from blindspots.reports import Record
from blindspots.reports.figures import curves_with_bands, forest
from blindspots.reports.images import image_grid

parameters = {
    "dataset": dataset, "side": side, "n_images": n_images, "skip": skip,
    "distance_name": distance_name, "confidences": confidences, "steps": steps,
    "perc_steps": perc_steps, "bound": bound, "ppgd_steps": ppgd_steps, "lpa_steps": lpa_steps,
    "seeds": seeds, "epochs": epochs, "batch_size": batch_size, "width": width,
    "architecture": architecture, "weights": weights, "fewest": fewest, "chunk": chunk, "keep_rows": keep_rows,
}  # fmt: skip
record = Record("attacks/saliency", parameters=parameters, seed=seeds[0])
place = choose_device(device)
root = data_root or None

# %% [markdown]
# ## Images, classifiers, attacks

# %%
test = load(dataset, split="test", size=side, limit=skip + n_images, data_root=root)
record.add_data(test)
images, labels = test.images[skip:].to(place), test.labels[skip:].to(place)
models = {}
if dataset == "photos":
    train = load(dataset, split="train", size=side)
    record.add_data(train)
    spec = {"name": "small_cnn", "in_channels": 3, "n_classes": 10, "width": width}
    for seed in seeds:
        models[seed], _ = trained_classifier(
            spec, train.images, train.labels, data_sha256=train.card.sha256, device=place,
            epochs=epochs, batch_size=batch_size, learning_rate=0.1, seed=seed,
        )  # fmt: skip
else:
    path = find_weight(weights, data_root=root)
    models[seeds[0]] = torchvision_classifier(architecture, weights=path).to(place)

# %%
distances = {
    "ssim": lambda model: SSIMDistance(),
    "features": lambda model: feature_distance(layer_features(model)),
    "lpips": lambda model: lpips_distance("squeeze", data_root=root),
    "pieapp": lambda model: pieapp_distance(data_root=root),
}
outcomes, originals = {}, {}
keep = {"lpips_net": "squeeze"} if keep_rows else None
for seed, model in models.items():
    attacks = table_3_1_attacks(
        distances[distance_name](model), distance_name, layer_features(model), seed=seed,
        confidences=confidences, steps=steps, perc_steps=perc_steps, bound=bound,
        ppgd_steps=ppgd_steps, lpa_steps=lpa_steps,
    )  # fmt: skip
    correct, outcomes[seed] = compare_attacks(
        model, images, labels, attacks, measures={}, chunk=chunk, keep=keep
    )
    originals[seed] = images[correct]
keys = {name: name.lower().replace("-", "_").replace(" a=", "_") for name in attacks}
paper_rows = [name for name in keys if not name.startswith("PGD ")]

# %% [markdown]
# ## Which images are compared
#
# An attack that gives up leaves the image and its map nearly as they were. Averages over all images would reward it. So the
# table compares the images that all seven rows fool, as the attacks return them, which is what the paper measures. Where fewer than
# {record}`attacks/saliency#fewest` images are left, it takes all attacked images and its caption says so.

# %%
shared = {
    seed: torch.stack([found[name].success for name in paper_rows]).all(0)
    for seed, found in outcomes.items()
}
attacked_n = sum(len(batch) for batch in originals.values())
fooled_n = sum(int(both.sum()) for both in shared.values())
if fooled_n < fewest:
    shared = {seed: torch.ones_like(both) for seed, both in shared.items()}
which = "images that all seven rows fool" if fooled_n >= fewest else "all attacked images"
shared_n = fooled_n if fooled_n >= fewest else attacked_n

# %%
record.value("fewest", fewest, n=None)
record.value("attacked", attacked_n, n=n_images * len(models), seeds=seeds)
record.value("fooled_by_all", fooled_n, n=attacked_n, seeds=seeds)
record.value("compared", shared_n, n=attacked_n, seeds=seeds, note=which)
for name in paper_rows:
    rates = {seed: found[name].success.float().mean() for seed, found in outcomes.items()}
    record.by_seed(f"success.{keys[name]}", rates, n=attacked_n, format=".1%")
record.summary({
    "images read correctly and attacked, over all seeds": "attacked",
    "of these fooled by all seven rows": "fooled_by_all",
    "of these compared": "compared",
})  # fmt: skip

# %%
methods = {"spectral_residual": "spectral residual", "fine_grained": "fine-grained"}
columns = {"l1": "L1", "l2": "L2", "linf": "Linf", "ssim": "1 - SSIM"}
rows = []
for seed, found in outcomes.items():
    for method in methods:
        before = saliency_map(originals[seed], method=method)
        for name, outcome in found.items():
            after = saliency_map(outcome.images, method=method)
            moved = saliency_distances(after, before)
            for index in range(len(before)):
                row = {"seed": seed, "method": method, "attack": name}
                row |= {
                    "shared": bool(shared[seed][index]),
                    "L2 of the image": outcome.distances["L2"][index].item(),
                }
                rows.append(row | {c: getattr(moved, c)[index].item() for c in columns})
changes = pd.DataFrame(rows)

# %% [markdown]
# ## Table 3.2

# %%
common = changes[changes.shared]
per_seed = common.groupby(["method", "attack", "seed"])[list(columns)].mean()
table = per_seed.groupby(["method", "attack"]).mean()
for method, name in table.index:
    for column in columns:
        values = per_seed.loc[method, name][column].to_dict()
        record.by_seed(f"{method}.{column}.{keys[name]}", values, n=shared_n, format=".4g")
others = [name for name in paper_rows if name != paper_rows[4]]
for method in methods:
    for column in columns:
        least = table.loc[method].loc[others, column].idxmin()
        record.by_seed(
            f"{method}.{column}.best_other", per_seed.loc[method, least][column].to_dict(),
            n=shared_n, note=f"the smallest of the other six, {least}", format=".4g",
        )  # fmt: skip

# %%
for method, part in common.groupby("method"):
    of = {name: part[part.attack == name].set_index("seed").l2 for name in paper_rows}
    less = of[paper_rows[4]].reset_index(drop=True) < of["PGD"].reset_index(drop=True)
    shares = less.groupby(of["PGD"].index).mean().to_dict()
    record.by_seed(f"{method}.less_than_pgd", shares, n=shared_n, format=".0%")

# %%
shown = table.loc["spectral_residual"].loc[list(keys)].reset_index()
record.table(
    "spectral_residual",
    shown.rename(columns=columns),
    caption="Table 3.2 with spectral residual maps: mean distances between the maps before and after each attack, over "
    f"{which}, and PGD with the confidences that the paper gives to its own method.",
)

# %%
shown = table.loc["fine_grained"].loc[list(keys)].reset_index()
record.table(
    "fine_grained",
    shown.rename(columns=columns),
    caption="Table 3.2 with fine-grained maps, on the same images.",
)

# %% tags=["hide-input"]
bars_of = {
    name: common[(common.attack == name) & (common.method == "spectral_residual")].l2
    for name in keys
}
means = table.loc["spectral_residual"].l2
intervals = {
    name: (
        means[name], min(v.quantile(0.25), means[name]), max(v.quantile(0.75), means[name])
    )
    for name, v in bars_of.items()
}  # fmt: skip
record.figure(
    forest(intervals, label="L2 distance between spectral residual maps", format=".2f"),
    "distances",
    caption="How far each attack moves the spectral residual map: mean and, as a line, the middle half of the images compared "
    f"({which}). Compare rows of the same confidence.",
    alt="One row per attack, mean L2 distance between maps: "
    + ", ".join(f"{name} {value[0]:.2f}" for name, value in intervals.items())
    + ".",
    n=shared_n,
    seed=seeds[0],
)  # fmt: skip

# %% [markdown]
# By spectral residual maps our attack with $a = 0$ moves the map by
# {record}`attacks/saliency#spectral_residual.l2.ours_0` in $L_2$, the smallest of the other six rows by
# {record}`attacks/saliency#spectral_residual.l2.best_other`; by fine-grained maps the two are
# {record}`attacks/saliency#fine_grained.l2.ours_0` and {record}`attacks/saliency#fine_grained.l2.best_other`. Image by image
# ours moves the map less than PGD in {record}`attacks/saliency#spectral_residual.less_than_pgd|.0%` and
# {record}`attacks/saliency#fine_grained.less_than_pgd|.0%` of the cases. Half would be a draw; with so few images the verdicts
# below on which of the two comes first can turn with the sample. At equal
# confidence PGD stands beside it: {record}`attacks/saliency#spectral_residual.l2.pgd_1` against
# {record}`attacks/saliency#spectral_residual.l2.ours_1` for $a = 1$,
# {record}`attacks/saliency#spectral_residual.l2.pgd_5` against
# {record}`attacks/saliency#spectral_residual.l2.ours_5` for $a = 5$.
#
# ## Does the map measure more than the size of the change?
#
# Table 3.2 ranks attacks nearly as Table 3.1 does by the length of the change. We set the two side by side, one point per
# attack, and take the rank correlation over all images and attacks.

# %%
correlation = {
    method: part.groupby("seed")[["L2 of the image", "l2"]].corr("spearman").iloc[::2, 1]
    for method, part in changes.groupby("method")
}
for method, values in correlation.items():
    record.by_seed(
        f"{method}.rank_correlation",
        values.droplevel(1).to_dict(),
        n=attacked_n,
        format=".2f",
    )
record.summary({
    "rank correlation, length of the change and spectral residual": "spectral_residual.rank_correlation",
    "the same, fine-grained": "fine_grained.rank_correlation",
})  # fmt: skip

# %% tags=["hide-input"]
ranked = (
    common.groupby(["method", "attack"])[["L2 of the image", "l2"]].mean().reset_index()
)
ranked["series"] = ranked.method.map(methods)
said = "; ".join(
    f"{name}: "
    + ", ".join(
        f"{r.attack} {r.l2:.2f} at {r[1]:.2f}"
        for r in part.rename(columns={"L2 of the image": "x"})[
            ["x", "attack", "l2"]
        ].itertuples(index=True)
    )
    for name, part in ranked.sort_values("L2 of the image").groupby("series")
)
record.figure(
    curves_with_bands(
        ranked, x="L2 of the image", y="l2", hue="series",
        x_label="L2 length of the change of the image", y_label="L2 distance between maps",
    ),
    "strength",
    caption="Mean distance between maps over mean length of the change, one mark per attack. Where the marks rise together, "
    "the map has little to say beyond the length.",
    alt=f"Two lines of marks. Map distance at image distance: {said}.",
    n=shared_n,
    seed=seeds[0],
)  # fmt: skip

# %% [markdown]
# ## Where the map peaks
#
# Figure 3.4 shows an image in which PPGD shifts the attention from one group of mushrooms to another. We count how often the
# largest value of the map moves by more than an eighth of the image's side.

# %%
rows = []
for method, words in methods.items():
    row = {"map": words}
    for name in paper_rows:
        shares = {}
        for seed, found in outcomes.items():
            maps = [originals[seed], found[name].images]
            flat = [saliency_map(m, method=method).flatten(1).argmax(1) for m in maps]
            peaks = [torch.stack([f // side, f % side], 1).float() for f in flat]
            jump = (peaks[0] - peaks[1]).norm(dim=1) > side / 8
            if shared[seed].any():
                shares[seed] = jump[shared[seed]].float().mean()
        key = f"{method}.peak_moved.{keys[name]}"
        row[name] = record.by_seed(key, shares, n=shared_n, format=".0%")
    rows.append(row)
record.table(
    "peaks",
    rows,
    caption="Share of images whose largest saliency moves by more than an eighth of the side.",
    formats=dict.fromkeys(paper_rows, ".0%"),
)

# %% tags=["hide-input"]
seed = next((s for s in seeds if shared[s].any()), seeds[0])
pick = shared[seed].nonzero()[:2, 0] if shared[seed].any() else torch.arange(2)
names = ["PerC-AL", "PPGD", "LPA", paper_rows[4], paper_rows[-1]]
cells, notes, said = [], [], []
for index in pick.tolist():
    batch = torch.stack(
        [
            originals[seed][index],
            *[outcomes[seed][n].images[index] for n in names],
        ]
    )
    cells.append(list(batch))
    notes.append([""] * len(batch))
    for method in methods:
        maps = saliency_map(batch, method=method)
        away = saliency_distances(maps, maps[:1].expand_as(maps).contiguous()).l2
        cells.append(list(maps))
        notes.append(["", *[f"L2 {value:.2f}" for value in away[1:]]])
        said.append(
            f"{methods[method]} "
            + ", ".join(f"{n} {v:.2f}" for n, v in zip(names, away[1:], strict=True))
        )
record.figure(
    image_grid(
        cells, column_titles=["original", *names], notes=notes,
        row_titles=["image", "spectral", "fine-grained"] * len(pick),
    ),
    "maps",
    caption="Figure 3.4: images and their saliency maps before and after, white = most salient; below each map its L2 "
    "distance to the original's. Look for a bright place that appears or goes.",
    alt=f"{len(cells)} rows of {len(names) + 1} pictures: an image, its spectral residual map, its fine-grained map, for "
    f"{len(pick)} images. Distances to the first map: " + "; ".join(said) + ".",
    n=len(pick),
    seed=seed,
)  # fmt: skip

# %% [markdown]
# What a person looks at, these maps do not tell. They say which attack changes the statistics of brightness least.
#
# ## What holds
#
# ```{claims}
# :notebook: attacks/saliency
# ```

# %% tags=["remove-cell"]
record.write()
record.claims_table()

# %% [markdown]
# ## Differs from the paper, and why
#
# - **EGNet.** Replaced by two classical maps, because its code has no license and its weights are not at hand. The numbers of
#   the table are therefore not attempted; the orderings are judged once for each map.
# - **Images.** The table averages over images that all seven rows fool, where there are enough. The paper's attacks succeed on nearly all images, so
#   it need not choose; our own attack with raw gradients gives up where the network is sure.
# - **8 bits.** Images are not rounded here; [the next notebook](input_defenses) shows that rounding alone can undo an attack.
# - **Size.** $L_1$ and $L_2$ grow with the number of pixels; at 64 by 64 they are smaller than at 299 by 299.
# - **Network and distance.** Quick: a small network on patches of photographs and $1 - \mathrm{SSIM}$. Real: an ImageNet
#   network and LPIPS. PieAPP is for the paper profile.
# - **1 - SSIM between maps** is a measure of Table 3.2 and, at the quick profile, what our attack minimizes between images.
#   It is taken between maps here, so it is not the attack's own measure, but it is of its family.
# - **PGD with confidence** and the comparison with the length of the change are ours.
#
# ## Exercises
#
# ```{exercise}
# :label: ex-stretch
# Each map is stretched to fill $[0, 1]$. Show that multiplying the image by $c > 0$ leaves the spectral residual map as it
# is. Which change of the image can then never be seen by it?
# ```
#
# ```{solution} ex-stretch
# :class: dropdown
# The log amplitude rises by $\log c$ everywhere, so does its local mean; the residual and the phase stay. A change of overall
# contrast is invisible to the map, however plain it is to a person.
# ```
#
# ```{exercise}
# :label: ex-one-pixel
# A single pixel of a flat gray image is raised by $1/255$. What does the spectral residual map show, and what does it say
# about $L_\infty$ between maps?
# ```
#
# ```{solution} ex-one-pixel
# :class: dropdown
# That pixel is all the contrast there is, so after stretching it has saliency 1, where the flat image had 0. Near flat images
# $L_\infty$ between stretched maps is 1 for changes that no one sees. Distances between maps say nothing about images without
# contrast.
# ```
