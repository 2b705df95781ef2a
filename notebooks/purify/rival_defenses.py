# %% [markdown]
# # Does ACSR beat the other purifiers, and at what price?
#
# ```{admonition} The claim
# :class: tip
# ACSR "outperforms current state-of-the-art input transformation methods based on image transformation and on sparse code
# image reconstruction" (P1, {cite}`silva2022`, Discussion), as Tables 3 and 4 show.
# ```
#
# ## The rivals
#
# The paper compares ACSR with seven defenses and takes their settings from the work of {cite:t}`sun2019`. Each changes
# the image before the network reads it; two ask the network several times and average.
#
# | defense | what it does to an image |
# |---|---|
# | MagNet {cite}`meng2017` | passes it through an autoencoder trained on noisy images |
# | PixelDefend {cite}`song2018` | replaces each pixel by the likeliest one near it, given those before it |
# | TVM {cite}`guo2018` | drops half of the values, fills them in with the least total variation |
# | Quilting {cite}`guo2018` | rebuilds it from patches of clean images |
# | Crop-Ens {cite}`guo2018` | averages the answers to 30 random crops |
# | PD-Ens {cite}`prakash2018` | moves random pixels, shrinks wavelets, averages the answers to 10 such images |
# | STL {cite}`sun2019` | keeps the smooth part, codes the rest with the dictionary of its stratum |
# | ACSR | the same with the dictionary of its semantic cluster |
#
# We add JPEG {cite}`das2018`, fewer gray levels, and one control that matters: the *low-pass*, which keeps the smooth part of
# STL and ACSR and has no dictionary at all. What ACSR gives beyond it is what its clusters, dictionaries and codes give.
#
# For a defense $d$, the share of the lost accuracy that comes back under an attack is
#
# ```{math}
# :label: eq-rivals-share
# s_d = \frac{a_d - a_\text{none}}{a_\text{clean} - a_\text{none}},
# ```
#
# with $a_d$ the accuracy behind the defense, $a_\text{none}$ that without one and $a_\text{clean}$ that on clean images without one.

# %% tags=["parameters"]
common = {  # settings of every study below, unless it has its own
    "dataset": "photos", "skip": 0, "network": {"name": "small_cnn", "width": 12},
    "baseline": {"name": "small_cnn", "width": 8}, "epochs": 4, "learning_rate": 0.1,
    "max_clusters": 1, "n_filters": 4, "images_per_cluster": 2,
    "dictionary_iterations": 2, "robust_epochs": 1}  # fmt: skip
studies = {  # images, sizes and columns of each table
    "table_3": {"side": 32, "n_train": 300, "n_robust": 60, "n_images": 10},
    "pixels": {"dataset": "digits", "side": None, "n_train": 200, "n_robust": 40,
               "n_images": 3},
    "table_4_64": {"side": 64, "n_train": 100, "n_robust": 20, "n_images": 6},
    "table_4_128": {"side": 128, "n_train": 60, "n_robust": 20, "n_images": 6,
                    "columns": ["none", "CW"], "dictionary_iterations": 1}}  # fmt: skip
data_root = ""  # folder of official data; empty: BLINDSPOTS_DATA
lmbda = 0.05  # weight of the l1 term of STL and ACSR
robust_steps = 3  # PGD steps in robust semantic training
n_strata = 2  # strata of STL
stratum_epochs = 1  # passes of its denoising autoencoder
magnet_epochs = 2  # passes of MagNet's autoencoder
density = {"width": 8, "layers": 2, "epochs": 1, "n_train": 100}  # PixelDefend's PixelCNN
n_patches = 2000  # clean patches that quilting chooses from
steps = 20  # of BIM, DeepFool and each search of CW
search_steps = 4  # values that CW tries for its constant
resamples = 500  # of the bootstrap
seeds = [0]  # the first decides networks, what is fitted, draws and the bootstrap
keep_rows = False  # keep attacked images, so that an interrupted run goes on
device = "auto"  # "auto", "cpu" or "cuda"

# %% tags=["hide-input"]
import pandas as pd
import torch
from statsmodels.stats.proportion import proportion_confint
from torch.nn.functional import interpolate

from blindspots.attacks import compare_attacks, strength_table_attacks
from blindspots.cache import cached_tensors
from blindspots.data import load
from blindspots.devices import choose_device
from blindspots.models import (
    autoencoder,
    compute_features,
    train_autoencoder,
    trained_classifier,
)
from blindspots.purify import (
    DEFENSES,
    TrainingAttack,
    fit_acsr,
    fit_quilting,
    fit_stl,
    pixel_deflection,
    reported_cells,
    rival_defenses,
    trained_magnet,
    trained_pixel_cnn,
    try_defenses,
)
from blindspots.reports import Record
from blindspots.reports.figures import forest
from blindspots.reports.images import image_grid
from blindspots.reports.trade_off import pareto_front, trade_off
from blindspots.seeding import generator

parameters = {
    "common": common, "studies": studies, "lmbda": lmbda, "robust_steps": robust_steps, "n_strata": n_strata,
    "stratum_epochs": stratum_epochs, "magnet_epochs": magnet_epochs, "density": density, "n_patches": n_patches,
    "steps": steps, "search_steps": search_steps, "resamples": resamples, "seeds": seeds, "keep_rows": keep_rows,
}  # fmt: skip
seed = seeds[0]
record = Record("purify/rival_defenses", parameters=parameters, seed=seed)
place = choose_device(device)
columns = {"none": "clean", "FGSM .08": "fgsm_08", "FGSM .04": "fgsm_04"}
columns |= {"BIM": "bim", "DeepFool": "deepfool", "CW": "cw"}
titles = {
    "table_3": "Table 3",
    "pixels": "PixelDefend's table",
    "table_4_64": "Table 4, 64",
    "table_4_128": "Table 4, 128",
}
rows_of = {
    "table_3": ["none", "MagNet", "STL", "ACSR", "low-pass", "JPEG", "bit depth"],
    "pixels": list(DEFENSES),
    "table_4_64": [
        "none",
        "TVM",
        "Quilting",
        "Crop-Ens",
        "PD-Ens",
        "STL",
        "ACSR",
        "low-pass",
        "JPEG",
    ],
}
rows_of["table_4_128"] = rows_of["table_4_64"]
extras = ["none", "ACSR", "low-pass", "JPEG", "bit depth"]  # no rivals of the paper's
keys = {name: name.lower().replace(" ", "_").replace("-", "_") for name in DEFENSES}

# %% [markdown]
# ## Four studies
#
# Table 3 stands at 32 pixels, Table 4 at 64 and 128. PixelDefend asks its density once for each value of each pixel, too slow for
# as many images as the other rows have. It gets a study of its own with fewer images, in which every other
# defense has a row too, so that it has neighbors.

# %%
labs = {}
for name, own in studies.items():
    lab = {**common, "columns": list(columns), **own}
    cut, place_of = {"train": lab["n_train"], "test": lab["skip"] + lab["n_images"]}, {}
    for split, limit in cut.items():
        part = load(
            lab["dataset"], split=split, size=lab["side"], limit=limit,
            data_root=data_root or None,
        )  # fmt: skip
        record.add_data(part)
        place_of[split] = part.images.to(place), part.labels.to(place), part.card.sha256
        n_classes = len(part.class_names)
    lab["x"], lab["y"], lab["sha"] = place_of["train"]
    lab["images"], lab["labels"] = (part[lab["skip"] :] for part in place_of["test"][:2])
    for role in ("network", "baseline"):
        spec = {"n_classes": n_classes, **lab[role]}
        if spec["name"] != "torchvision_classifier":
            spec["in_channels"] = lab["x"].shape[1]
        lab[role], _ = trained_classifier(
            spec, lab["x"], lab["y"], data_sha256=lab["sha"], epochs=lab["epochs"],
            batch_size=32, learning_rate=lab["learning_rate"], seed=seed, device=place,
        )  # fmt: skip
    labs[name] = lab
    record.value(f"n_images.{name}", lab["n_images"], n=None)

# %% [markdown]
# ACSR is fitted as in the chapter on purification. STL has strata in place of semantic clusters: $k$-means on the latents of
# a denoising autoencoder at 64 pixels. Both learn as many filters with the same $\lambda$.

# %%
for lab in labs.values():
    few, truths = lab["x"][: lab["n_robust"]], lab["y"][: lab["n_robust"]]
    lab["acsr"] = fit_acsr(
        lab["baseline"], few, truths, features=compute_features, seed=seed,
        data_sha256=lab["sha"], max_clusters=lab["max_clusters"], lmbda=lmbda,
        n_filters=lab["n_filters"], images_per_cluster=lab["images_per_cluster"],
        dictionary_iterations=lab["dictionary_iterations"], epochs=lab["robust_epochs"],
        attack=TrainingAttack(steps=robust_steps), batch_size=50,
    ).purifier  # fmt: skip
    shown = interpolate(few, size=(64, 64), mode="bilinear", antialias=True).clamp(0, 1)
    dae = autoencoder(few.shape[1], side=64, n_latents=32, width=8, seed=seed).to(place)
    options = dict(epochs=stratum_epochs, batch_size=16, noise=0.1, seed=seed)
    entry = cached_tensors(
        "denoising-autoencoder",
        lambda: train_autoencoder(dae, shown, **options) and dae.state_dict(),
        parameters=options | {"spec": dae.spec, "n": len(few), "device": place.type},
        data=lab["sha"], sources=[autoencoder, train_autoencoder],
    )  # fmt: skip
    dae.load_state_dict(entry.tensors)
    lab["stl"] = fit_stl(
        few, dae.encode, n_strata=n_strata, lmbda=lmbda, n_filters=lab["n_filters"],
        images_per_stratum=4 * lab["images_per_cluster"], data_sha256=lab["sha"], seed=seed,
        dictionary_iterations=lab["dictionary_iterations"],
    )  # fmt: skip

# %%
for name, lab in labs.items():
    x, gray, fitted = lab["x"], lab["x"].shape[1] == 1, {}
    if "MagNet" in rows_of[name]:
        fitted["magnet"] = trained_magnet(
            x, seed=seed, epochs=magnet_epochs, noise=0.1 if gray else 0.025, batch_size=16,
            learning_rate=0.02, data_sha256=lab["sha"],
        )  # fmt: skip
    if "PixelDefend" in rows_of[name]:
        options = {key: density[key] for key in ("width", "layers", "epochs")}
        fitted["density"], bits = trained_pixel_cnn(
            x[: density["n_train"]], seed=seed, batch_size=16, learning_rate=0.003,
            data_sha256=lab["sha"], **options,
        )  # fmt: skip
        record.value(
            "density.bits", bits[-1], n=density["n_train"], unit="bits", format=".2f"
        )
    if "Quilting" in rows_of[name]:
        luck = generator(seed, "patches")
        fitted["quilting"] = fit_quilting(x, n_patches=n_patches, generator=luck)
    lab["deflections"] = min(200, x[0, 0].numel() // 20)
    lab["defenses"] = rival_defenses(
        rows_of[name], acsr=lab["acsr"], stl=lab["stl"], deflections=lab["deflections"],
        epsilon=32 / 255 if gray else 16 / 255, **fitted,
    )  # fmt: skip

# %% [markdown]
# ### Settings
#
# What each rival was published with, and what it has here. The paper gives no setting of any rival.

# %% tags=["hide-input"]
said = {}
for name in ("table_4_64", "table_3", "pixels"):
    for defense, made in labs[name]["defenses"].items():
        if defense != "none":
            said.setdefault(
                defense, {"defense": defense, "source": made.source, "published": made.published,
                          "here": made.here, "study": titles[name]},
            )  # fmt: skip
record.table(
    "settings", [said[name] for name in DEFENSES if name in said],
    caption="Each defense, where it comes from, its published settings, and its settings here in the study named last.",
)  # fmt: skip

# %% [markdown]
# ## Every defense against every attack
#
# Attacks and strengths are those of the chapter on purification: relative, 0.08 and 0.04, made against the network, which stands
# for VGG-16, without the defense. An image that the network misreads anyway is not attacked and counts as an error unless a
# defense mends it.

# %%
attacks = strength_table_attacks(steps=steps, search_steps=search_steps)
for lab in labs.values():
    images, labels = lab["images"], lab["labels"]
    lab["right"], found = compare_attacks(
        lab["network"], images, labels, measures={}, keep={} if keep_rows else None,
        attacks={a: attacks[a] for a in lab["columns"] if a != "none"},
    )  # fmt: skip
    lab["batches"] = {"none": images}
    for attack, row in found.items():
        lab["batches"][attack] = images.clone()
        lab["batches"][attack][lab["right"]] = row.images
    lab["trial"] = try_defenses(
        lab["network"], lab["batches"], labels, lab["defenses"], seed=seed
    )

# %% [markdown]
# Each cell has Wilson's 95 % interval; the share that comes back has one from the bootstrap over images.


# %%
def interval(values, point):
    low, high = values.double().quantile(torch.tensor([0.025, 0.975]).double()).tolist()
    return min(low, point), max(high, point)


# %%
for name, lab in labs.items():
    trial, n = lab["trial"], lab["n_images"]
    draws = torch.randint(n, (resamples, n), generator=generator(seed, "bootstrap"))
    lab["picks"] = torch.cat([torch.arange(n)[None], draws])
    means = {
        key: flags.double()[lab["picks"]].mean(1) for key, flags in trial.right.items()
    }
    before = means["none", "none"]
    lost = max(before[0] - means["none", a][0] for a in lab["batches"])
    record.value(f"at_stake.{name}", round(n * lost.item()), n=n)
    for (defense, attack), mean in means.items():
        cell, value = f"{name}.{keys[defense]}.{columns[attack]}", mean[0].item()
        spread = proportion_confint(round(value * n), n, method="wilson")
        options = dict(n=n, spread=spread, note="95 % interval of Wilson", format=".1%")
        record.value(f"accuracy.{cell}", value, **options)
        if attack == "none":
            record.value(f"clean_change.{cell}", mean[0] - before[0], n=n, format="+.3f")
            continue
        hit = means["none", attack]
        taken, back = (before - hit).clamp_min(0), mean - hit
        options = dict(n=n, note="95 % bootstrap interval over images", format=".2f")
        if defense == "none":
            share = taken / before.clamp_min(1 / n)
            key = f"taken.{name}.{columns[attack]}"
        else:
            share = torch.where(taken > 0, back / taken.clamp_min(1e-9), 0.0)
            key = f"recovered.{cell}"
        record.value(key, share[0], spread=interval(share[1:], share[0].item()), **options)

# %% tags=["hide-input"]
tables = {}
for name, lab in labs.items():
    tables[name] = []
    for defense in lab["defenses"]:
        row = {"defense": defense}
        for attack in lab["batches"]:
            k = int(lab["trial"].right[defense, attack].sum())
            low, high = proportion_confint(k, lab["n_images"], method="wilson")
            row["clean" if attack == "none" else attack] = (
                f"{100 * k / lab['n_images']:.0f} [{100 * low:.0f}, {100 * high:.0f}]"
            )
        tables[name].append(row)
record.table(
    "table_3", tables["table_3"],
    caption=f"Table 3 at 32 pixels: accuracy in % with 95 % intervals, {labs['table_3']['n_images']} images. PixelDefend has its row below; "
    "low-pass, JPEG and bit depth are ours.",
)  # fmt: skip

# %% tags=["hide-input"]
record.table(
    "pixels", tables["pixels"],
    caption=f"PixelDefend and its neighbors: accuracy in % with 95 % intervals, {labs['pixels']['n_images']} images of {labs['pixels']['dataset']}.",
)  # fmt: skip

# %% [markdown]
# Read this table with what is at stake in it. No attack takes more than {record}`purify/rival_defenses#at_stake.pixels` of its
# {record}`purify/rival_defenses#n_images.pixels` images, and a share of so few that come back says little. In Table 3 the most is
# {record}`purify/rival_defenses#at_stake.table_3` of {record}`purify/rival_defenses#n_images.table_3` images. The strengths are relative to the
# length of an image, and digits fall to them less often than patches of photographs do at the quick profile.
#
# The density behind PixelDefend is a small gated PixelCNN, not PixelCNN++. On its training images it needs
# {record}`purify/rival_defenses#density.bits` per value; noise would need 8.

# %% tags=["hide-input"]
record.table(
    "table_4_64", tables["table_4_64"],
    caption=f"Table 4 at 64 pixels: accuracy in % with 95 % intervals, {labs['table_4_64']['n_images']} photograph patches.",
)  # fmt: skip

# %% tags=["hide-input"]
record.table(
    "table_4_128", tables["table_4_128"],
    caption=f"Table 4 at 128 pixels: accuracy in % with 95 % intervals, {labs['table_4_128']['n_images']} photograph patches. Of this half of the "
    "paper's table only the column under CW survives in the text we have.",
)  # fmt: skip

# %% [markdown]
# ## Who wins
#
# For every column: the best row of the paper, the best row here, and ACSR minus the best rival of that table, image by image.
# The best rival is chosen on the same images, which favors the rival a little. Low-pass, JPEG and bit depth are not
# counted as rivals here.

# %%
printed = {(c.table, c.attack, c.defense): c.value for c in reported_cells(3, 4)}
rows = []
for name, lab in labs.items():
    trial, rivals = lab["trial"], [d for d in lab["defenses"] if d not in extras]
    for attack in lab["batches"]:
        best = max(rivals, key=lambda d, t=trial, a=attack: t.accuracy(d, a))
        gap = trial.right["ACSR", attack].double() - trial.right[best, attack].double()
        gaps = gap[lab["picks"]].mean(1)
        low, high = interval(gaps[1:], gaps[0].item())
        cell, n = f"{name}.{columns[attack]}", lab["n_images"]
        record.value(f"best_rival.{cell}", trial.accuracy(best, attack), n=n, format=".1%")
        options = dict(spread=(low, high), note="95 % bootstrap interval", format="+.3f")
        record.value(f"lead.{cell}", gaps[0], n=n, **options)
        column = attack.replace(" .0", " 0.0") if attack != "none" else "clean"
        there = {
            d: v
            for (t, a, d), v in printed.items()
            if (t, a) == (int(name[6]) if name[:5] == "table" else 3, column)
            and d != "none"
        }
        if name == "table_4_128":
            there = {"ACSR": 1.0} if attack == "CW" else {}
        at_top = max([*rivals, "ACSR"], key=lambda d, t=trial, a=attack: t.accuracy(d, a))
        printed_best = max(there, key=there.get) if there else "not readable"
        here = "tie with ACSR" if gaps[0] == 0 else at_top
        rows.append({
            "study": titles[name], "column": attack.replace("none", "clean"),
            "best in the paper": printed_best, "best here": here, "best rival": best,
            "ACSR minus it": gaps[0].item(), "low": low, "high": high,
        })  # fmt: skip

# %% tags=["hide-input"]
signed = dict.fromkeys(["ACSR minus it", "low", "high"], "+.2f")
winners = pd.DataFrame(rows)
record.table(
    "winners", winners, formats=signed,
    caption="Best defense of each column in the paper and here; difference in accuracy between ACSR and the best rival, with 95 % "
    "bootstrap intervals over images. Whether the paper's text agrees with its own table is the subject of the chapter on granularity.",
)  # fmt: skip

# %% [markdown]
# ## ACSR against each of them, over all attacks
#
# One number for each defense: the difference in accuracy under attack, averaged over the attacks of the table, image by
# image. Here our additions count.


# %%
def struck(lab, defense):
    flags = [lab["trial"].right[defense, a].double() for a in lab["batches"] if a != "none"]
    return torch.stack(flags).mean(0)


leads, over = {}, {}
for name, lab in labs.items():
    mine, n = struck(lab, "ACSR"), lab["n_images"]
    for defense in lab["defenses"]:
        gaps = (mine - struck(lab, defense))[lab["picks"]].mean(1)
        value, spread = gaps[0].item(), interval(gaps[1:], gaps[0].item())
        if defense != "ACSR":
            leads[name, defense] = (value, *spread)
            options = dict(spread=spread, note="95 % bootstrap interval", format="+.3f")
            record.value(f"over.{name}.{keys[defense]}", value, n=n, **options)
        mean = struck(lab, defense).mean()
        record.value(f"attacked.{name}.{keys[defense]}", mean, n=n, format=".1%")
    rivals = [d for d in lab["defenses"] if d not in extras]
    record.value(
        f"least_over.{name}", min(leads[name, d][0] for d in rivals), n=n, format="+.3f"
    )
    best = min(rivals, key=lambda d, s=name: leads[s, d][0])
    record.value(f"best_rival.{name}.attacked", struck(lab, best).mean(), n=n, format=".1%")
    record.value(f"least_low.{name}", leads[name, best][1], n=n, format="+.3f")
    record.value(f"best_rival_name.{name}", best, n=n)

# %% tags=["hide-input"]
for name, key in (("table_3", "leads_32"), ("table_4_64", "leads_64")):
    shown = {defense: v for (study, defense), v in leads.items() if study == name}
    over[key] = dict(
        figure=forest(shown, label="accuracy under attack, ACSR minus the other", references={"no difference": 0.0}, format="+.2f"),
        caption=f"ACSR minus each other defense at {labs[name]['side']} pixels: accuracy averaged over the attacks, with 95 % bootstrap intervals over "
        "images. Look at the row of the low-pass: what clusters, dictionaries and codes add to the smooth part.",
        alt="One row per defense, difference and interval: "
        + "; ".join(f"{d} {v:+.2f} ({low:+.2f} to {high:+.2f})" for d, (v, low, high) in shown.items()) + ".",
        n=labs[name]["n_images"],
    )  # fmt: skip
kept = over["leads_32"]
record.figure(
    kept["figure"], "leads_32", caption=kept["caption"], alt=kept["alt"], n=kept["n"]
)

# %% tags=["hide-input"]
kept = over["leads_64"]
record.figure(
    kept["figure"], "leads_64", caption=kept["caption"], alt=kept["alt"], n=kept["n"]
)

# %% [markdown]
# At 32 pixels ACSR differs from the low-pass alone by {record}`purify/rival_defenses#over.table_3.low_pass` in accuracy under attack,
# at 64 pixels by {record}`purify/rival_defenses#over.table_4_64.low_pass`. From STL, which has the same codes and other groups
# of images, it differs by {record}`purify/rival_defenses#over.table_3.stl` and {record}`purify/rival_defenses#over.table_4_64.stl`. The
# rival nearest to it is {record}`purify/rival_defenses#best_rival_name.table_3` at 32 and
# {record}`purify/rival_defenses#best_rival_name.table_4_64` at 64 pixels. ACSR minus JPEG, which has nothing to learn, is
# {record}`purify/rival_defenses#over.table_3.jpeg` and {record}`purify/rival_defenses#over.table_4_64.jpeg`.
#
# ## What each costs
#
# Time per image of the defended answer, purification and classification together, in batches of up to 50 images: the median
# over the columns of a table. Fitting is not counted. One machine, {record}`purify/rival_defenses#threads` thread or threads of the
# CPU where no GPU is used; other machines and other work on this one give other times.

# %%
record.value("threads", torch.get_num_threads(), n=None)
record.value("zero", 0.0, n=None, note="a bound that an interval is held against")
rows, points, psnrs = [], {}, {}
for defense in DEFENSES:
    row = {"defense": defense}
    for name, lab in labs.items():
        time = psnr = None
        if defense in lab["defenses"]:
            trial, hit, n = lab["trial"], lab["right"], lab["n_images"]
            time = trial.milliseconds(defense)
            record.value(f"ms.{name}.{keys[defense]}", time, n=n, unit="ms", format=".3g")
            points[name, defense] = (time, struck(lab, defense).mean().item())
            if (defense, "CW") in trial.images:
                error = trial.images[defense, "CW"][hit] - lab["images"][hit]
                psnr = -10 * error.square().mean().clamp_min(1e-12).log10().item()
        row[f"{titles[name]}: ms"] = time
        if name == "table_4_64":
            row["PSNR under CW, 64"] = psnrs[defense] = psnr
    rows.append(row)
record.table(
    "cost", rows, units={"PSNR under CW, 64": "dB"},
    formats=dict.fromkeys([f"{title}: ms" for title in titles.values()], ".3g")
    | {"PSNR under CW, 64": ".1f"},
    caption="Time per image in each study, in ms, and PSNR to the clean image of what is left of CW at 64 pixels. "
    "An ensemble has no image, so no PSNR.",
)  # fmt: skip

# %%
washed = [value for d, value in psnrs.items() if d != "none" and value is not None]
record.value("purifiers", len(washed), n=None)
record.value("moved_more", sum(value < psnrs["none"] for value in washed), n=len(washed))
fronts, fast = {}, {}
for name, lab in labs.items():
    of = {d: point for (study, d), point in points.items() if study == name}
    fronts[name] = pareto_front(of)
    words = ", ".join(f"{d} ({of[d][1]:.0%}, {of[d][0]:.3g} ms)" for d in fronts[name])
    record.value(f"front.{name}", words, n=lab["n_images"])
    better = [d for d in of if of[d][0] < of["ACSR"][0] and of[d][1] >= of["ACSR"][1]]
    record.value(f"front_words.{name}", "is" if not better else "is not", n=lab["n_images"])
    fast[name] = ", ".join(better).replace("none", "no defense") or "nothing else"
    record.value(f"faster_as_good.{name}", fast[name], n=lab["n_images"])
    record.value(f"acsr_on_front.{name}", "ACSR" in fronts[name], n=lab["n_images"])

# %% tags=["hide-input"]
drawn = {}
for name in ("table_4_64", "pixels"):
    lab, shown = labs[name], {}
    for defense in lab["defenses"]:
        means = struck(lab, defense)[lab["picks"]].mean(1)
        time, value = points[name, defense]
        shown[defense] = (time, value, *interval(means[1:], value))
    drawn[name] = dict(
        figure=trade_off(shown, cost_label="time per image, ms (logarithmic)", value_label="accuracy under attack"),
        caption=f"{titles[name]}: accuracy averaged over the attacks, with 95 % bootstrap intervals, against time per image, "
        f"{torch.get_num_threads()} thread(s). The line joins the defenses that no other beats in both. Look for ACSR's distance to it.",
        alt="Points, accuracy at time per image: " + "; ".join(f"{d} {p[1]:.2f} at {p[0]:.3g} ms" for d, p in shown.items())
        + f". On the front: {', '.join(fronts[name])}.",
        n=lab["n_images"],
    )  # fmt: skip
kept = drawn["table_4_64"]
record.figure(
    kept["figure"], "cost_64", caption=kept["caption"], alt=kept["alt"], n=kept["n"]
)

# %% [markdown]
# At 64 pixels ACSR {record}`purify/rival_defenses#front_words.table_4_64` on the front. Faster and at least as accurate under attack
# are: {record}`purify/rival_defenses#faster_as_good.table_4_64`. At 32 pixels: {record}`purify/rival_defenses#faster_as_good.table_3`.
# The front at 64 pixels is {record}`purify/rival_defenses#front.table_4_64`.

# %% tags=["hide-input"]
kept = drawn["pixels"]
record.figure(
    kept["figure"], "cost_pixels", caption=kept["caption"], alt=kept["alt"], n=kept["n"]
)

# %% [markdown]
# PixelDefend takes {record}`purify/rival_defenses#ms.pixels.pixeldefend` per image, ACSR
# {record}`purify/rival_defenses#ms.pixels.acsr` and JPEG {record}`purify/rival_defenses#ms.pixels.jpeg`. Its time grows with the number
# of values of an image, one after the other, whatever the batch.
#
# ## One image through all of them


# %% tags=["hide-input"]
pages = {}
for name, per_row in (("table_4_64", 5), ("pixels", 6)):
    lab = labs[name]
    fell = lab["right"].cpu() & ~lab["trial"].right["none", "CW"]
    pick = int((fell if fell.any() else lab["right"].cpu()).nonzero()[0, 0])
    shown = [d for d in lab["defenses"] if d != "none"]
    hit, trial = lab["batches"]["CW"][pick], lab["trial"]
    cells = {"clean": lab["images"][pick], "attacked": hit}
    cells |= {d: trial.images[d, "CW"][pick] for d in shown if (d, "CW") in trial.images}
    luck = generator(seed, "shown")
    cells["PD, 1 run"] = pixel_deflection(
        hit[None], deflections=lab["deflections"], generator=luck
    )[0]
    if name == "table_4_64":
        side = round(lab["images"].shape[-1] * 90 / 224)
        cells["one crop"] = lab["batches"]["CW"][pick][:, side // 2 :, side // 2 :][
            :, :side, :side
        ]
    psnrs = {
        d: -10 * (v - cells["clean"]).square().mean().clamp_min(1e-12).log10().item()
        for d, v in cells.items() if d not in ("clean", "one crop")
    }  # fmt: skip
    order = list(cells)
    order += [None] * (-len(order) % per_row)
    grid = [order[k : k + per_row] for k in range(0, len(order), per_row)]
    notes = [
        ["" if d is None else f"{d} {psnrs[d]:.0f} dB" if d in psnrs else d for d in row]
        for row in grid
    ]
    pages[name] = dict(
        figure=image_grid([[None if d is None else cells[d] for d in row] for row in grid], notes=notes),
        caption=f"An image under CW ({titles[name]}) and what each defense makes of it, with the PSNR to the clean image. Of the "
        "ensembles a single run of pixel deflection is shown, and in color a single crop, enlarged. Compare the attacked image with the purified ones: which of them moved the image more than the attack did?",
        alt=f"{len(cells)} pictures of one image. PSNR to the clean one: " + "; ".join(f"{d} {v:.1f} dB" for d, v in psnrs.items()) + ".",
        n=1,
    )  # fmt: skip
kept = pages["table_4_64"]
record.figure(kept["figure"], "pictures_64", caption=kept["caption"], alt=kept["alt"], n=1)

# %% tags=["hide-input"]
kept = pages["pixels"]
record.figure(
    kept["figure"], "pictures_pixels", caption=kept["caption"], alt=kept["alt"], n=1
)

# %% [markdown]
# Of the {record}`purify/rival_defenses#purifiers` purifiers at 64 pixels, {record}`purify/rival_defenses#moved_more` leave the images farther from
# the clean ones than CW had moved them, in mean squared error. What helps against CW need not restore an image; it has to bring it back over a
# boundary that lies near.
#
# ## Table 4 at 128 pixels
#
# The clean accuracy of this half cannot be read in the text we have, so its rows are judged as the paper's ratio of each rival to
# ACSR.

# %%
lab, rows = labs["table_4_128"], []
top = max(lab["trial"].accuracy("ACSR", "CW"), 1 / lab["n_images"])
for defense in lab["defenses"]:
    ratio = lab["trial"].accuracy(defense, "CW") / top
    record.value(
        f"ratio.table_4_128.{keys[defense]}", ratio, n=lab["n_images"], format=".2f"
    )
    rows.append({"defense": defense, "accuracy over that of ACSR": ratio})
record.table("ratios", rows, caption="Accuracy under CW at 128 pixels over that of ACSR.")

# %% [markdown]
# ## What holds
#
# ```{claims}
# :notebook: purify/rival_defenses
# ```

# %% tags=["remove-cell"]
record.write()
record.claims_table()

# %% [markdown]
# ## Differs from the paper, and why
#
# - **Networks and images.** As in the chapter on purification. Table 4's ten classes of ImageNet are not named in the paper;
#   patches of ten photographs stand in for them, at the real profile too.
# - **PixelDefend** has a study of its own: gray digits at the quick profile, CIFAR-10 at the real one, with a small PixelCNN and few images. Its
#   cells of Table 3 are judged there.
# - **MagNet** reforms and refuses nothing, because every row of the paper's tables classifies every image. Its autoencoder is trained
#   in fewer epochs with smaller batches.
# - **STL** has strata by a small denoising autoencoder, few dictionaries, and the $\lambda$ of ACSR here.
# - **Crop-Ens and PD-Ens** average probabilities; 200 pixels are moved, as published for larger images, but no more than
#   one in twenty, and no map of activations weights them.
# - **Quilting** takes the nearest of fewer patches.
# - **Attackers** do not know the defense, as in the paper. The chapter on adaptive attacks is about those who do.
# - **Low-pass, JPEG, bit depth, time, intervals and paired differences** are ours.
#
# ## Exercises
#
# ```{exercise}
# :label: ex-rivals-best
# Ten rivals are all as good as ACSR, and each accuracy is measured on 50 images of its own. Which sign do you expect of ACSR minus
# the best rival, and what does pairing by image change?
# ```
#
# ```{solution} ex-rivals-best
# :class: dropdown
# A negative one: the largest of ten noisy numbers lies above their common mean, by about 1.5 standard errors. On the same images the errors
# are shared and cancel in the difference, so the excess shrinks, but it does not vanish as long as the rivals differ on some image.
# ```
#
# ```{exercise}
# :label: ex-rivals-front
# A defense lies on the Pareto front. Does that make it better than one that does not?
# ```
#
# ```{solution} ex-rivals-front
# :class: dropdown
# Not than every one. It says that nothing is as fast and as accurate. The undefended network lies on the front, being the fastest.
# Whether two neighbors on the front differ at all is a matter of the intervals.
# ```
