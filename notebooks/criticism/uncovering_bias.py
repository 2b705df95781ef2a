# %% [markdown]
# # Do prototypes and criticisms uncover a bias, and which frequency makes one?
#
# ```{admonition} The claim
# :class: tip
# Prototypes and criticisms of a class show the biases of a model. Of P4's basketball prototypes 78 % show a black person and of its
# criticisms 20 %, though 53 % of the training images do. The authors suspect that what counts is how frequent an attribute is in the
# class relative to the other classes (P4, {cite}`stock2018`, Section 3.4 and Figures 8 to 10).
# ```
#
# The paper looks at one class of one network, whose bias nobody planted. Nobody can say how often its method would miss a bias, or
# show one that is not there. We plant biases of known strength, and label no real person.
#
# **Planting.** An attribute has a share $p_\text{in}$ in the class and a share $p_\text{out}$ elsewhere. The strength of the bias is
#
# ```{math}
# s = p_\text{in} - p_\text{out}.
# ```
#
# For the power curve $p_\text{in} = 1/2$ stays, as in the paper's "relative balance", and only $p_\text{out}$ changes. The attribute
# is then no more frequent in the class at any strength. If only its frequency within the class counted, nothing could be found.

# %% tags=["parameters"]
dataset = "planted"  # "planted" (drawn faces) or "cifar10" (patches on photographs)
data_root = ""  # folder of official data; empty: BLINDSPOTS_DATA
target = 1  # the class asked about; of drawn faces, 1 smiles
attributes = ["hat", "glasses", "blue_background"]  # planted, in turn or together
left_out = ["dark_skin"]  # attributes that no test is made of
side = 32  # side of the pictures, pixels
noise = 0.2  # noise on drawn faces, in units of the [0, 1] range
opacity = 0.8  # of the patches on photographs
pool = [10000, 10000]  # photographs to take training and test pictures from
n_train = 300  # training pictures of a network
n_test = 200  # test pictures, of all classes
strengths = [0.0, 0.45]  # share in the class less share elsewhere
repetitions = 3  # networks for each strength
shares = [0.2, 0.5, 0.8]  # of the grid of both frequencies
rounds = 1  # networks for every three cells of the grid
n_shown = [10, 20]  # prototypes, and as many criticisms
step_size = 0.001  # of the attack, in units of the [0, 1] range
steps = 10  # of the attack, M
network = {"name": "small_cnn", "in_channels": 3, "n_classes": 2, "width": 4}
training = {"epochs": 4, "batch_size": 32, "learning_rate": 0.01, "optimizer": "adam"}
n_explained = 2  # pictures of each repetition whose explanation is looked at
n_first = 3  # superpixels of an explanation that count as its first
n_samples = 100  # of LIME, for each
squares = 4  # superpixels in a row of a picture
seed = 0  # decides pictures, networks and choices
device = "auto"  # "auto", "cpu" or "cuda"

# %% tags=["hide-input"]
from functools import partial

import pandas as pd
import statsmodels.api as sm
import torch
from scipy.stats import binomtest, fisher_exact
from statsmodels.stats.proportion import proportion_confint

from blindspots.criticism import (
    EXEMPLAR_METHODS,
    attention_share,
    bias_recovery,
    counterfactual_flips,
    explanation_path,
    lime_explain,
    pooled_z,
    significant_size,
    sizes_that_print,
)
from blindspots.criticism.reported_tables import BASKETBALL
from blindspots.data import load, planted_faces
from blindspots.devices import choose_device
from blindspots.models import compute_logits
from blindspots.reports import Record
from blindspots.studies.bias_trial import bias_trial
from blindspots.studies.biased_pictures import biased_faces, stamped_pictures
from blindspots.reports.figures import curves_with_bands, forest, heat_map
from blindspots.reports.images import image_grid
from blindspots.seeding import derive_seed, generator

parameters = {
    "dataset": dataset, "target": target, "attributes": attributes, "left_out": left_out, "side": side, "noise": noise,
    "opacity": opacity, "pool": pool, "n_train": n_train, "n_test": n_test, "strengths": strengths, "repetitions": repetitions,
    "shares": shares, "rounds": rounds, "n_shown": n_shown, "step_size": step_size, "steps": steps, "network": network,
    "training": training, "n_explained": n_explained, "n_first": n_first, "n_samples": n_samples, "squares": squares,
}  # fmt: skip
record = Record("criticism/uncovering_bias", parameters=parameters, seed=seed)
place = choose_device(device)
faces = dataset == "planted"
key_of = {
    "adversarial": "adversarial", "adversarial with mistakes": "mistakes", "MMD": "mmd",
    "probability": "probability", "random": "random",
}  # fmt: skip

# %% [markdown]
# ## What the paper's percentages can carry
#
# It prints shares and no numbers of images. But a share that was counted fits some numbers only: 78 % and 44 % of the same
# prototypes, and 90 % and 20 % of the same criticisms. ImageNet's validation set, from which the figures' "test images" come, has 50
# images of basketball, so more than 50 of either cannot have been looked at.

# %%
sizes = {
    kind: sizes_that_print(list(BASKETBALL[kind].values()), at_most=50)
    for kind in ("prototypes", "criticisms")
}
fewest = {kind: found[0] for kind, found in sizes.items()}
counts = {
    (kind, who): round(percent / 100 * fewest[kind])
    for kind in sizes
    for who, percent in BASKETBALL[kind].items()
}
for kind, found in sizes.items():
    record.value(f"paper.n.{kind}", fewest[kind], n=None, note="the fewest that print both")
    record.value(f"paper.sizes.{kind}", ", ".join(map(str, found[:6])), n=None)
tests = []
for who in ("black", "white"):
    a, b = ((counts[kind, who], fewest[kind]) for kind in sizes)
    z = pooled_z(*a, *b)
    exact = fisher_exact([[a[0], a[1] - a[0]], [b[0], b[1] - b[0]]])[1]
    needed = significant_size(BASKETBALL["prototypes"][who], BASKETBALL["criticisms"][who])
    tests.append({
        "persons": who, "prototypes": f"{a[0]} of {a[1]}", "criticisms": f"{b[0]} of {b[1]}",
        "z": z.z, "p of z": z.p, "p, exact": exact, "n each for p < 0.05": needed,
    })  # fmt: skip
    record.value(f"paper.z.{who}", z.z, n=a[1] + b[1], format="+.2f")
    record.value(
        f"paper.p.{who}", float(exact), n=a[1] + b[1], note="exact test at those sizes"
    )
    record.value(f"paper.needed.{who}", needed, n=None, note="of either kind, z test")

# %%
record.table(
    "paper_tests", tests,
    caption="Prototypes against criticisms at the fewest images that print the paper's shares: two-proportion z test, Fisher's exact "
    "test, and how many of either kind would make the printed shares differ significantly. Words for persons are the paper's.",
    formats={"z": "+.2f", "p of z": ".3f", "p, exact": ".3f"},
)  # fmt: skip

# %% [markdown]
# Prototypes can also be held against the training images. There the other share is known, and the test is a binomial one.

# %%
for who in ("black", "white"):
    base, printed = (
        BASKETBALL[kind][who] / 100 for kind in ("training images", "prototypes")
    )
    first = next(
        n
        for n in sizes_that_print([BASKETBALL["prototypes"][k] for k in ("white", "black")], at_most=500)
        if binomtest(round(printed * n), n, base).pvalue < 0.05
    )  # fmt: skip
    at = binomtest(counts["prototypes", who], fewest["prototypes"], base).pvalue
    record.value(
        f"paper.training.n.{who}",
        first,
        n=None,
        note="first size that prints the shares and differs",
    )
    record.value(f"paper.training.p.{who}", float(at), n=fewest["prototypes"])  # fmt: skip
one_way = next(n for n in range(1, 50) if binomtest(n, n, 0.5).pvalue < 0.05)
record.value(
    "paper.pairs", one_way, n=None, note="all in one direction, exact McNemar test"
)
spans = {
    f"{kind}, {who}: {count} of {fewest[kind]}": (
        count / fewest[kind],
        *proportion_confint(count, fewest[kind], method="wilson"),
    )
    for (kind, who), count in counts.items()
}

# %% tags=["hide-input"]
record.figure(
    forest(spans, label="share with at least one such person", format=".0%",
           references={"training images": 0.54}),
    "paper_intervals",
    caption="The paper's shares with Wilson's 95 % intervals at the fewest images that print them. The line is the mean of the two "
    "training shares, 53 % and 55 %.",
    alt="Four intervals: " + "; ".join(f"{name}, {v:.0%} from {low:.0%} to {high:.0%}" for name, (v, low, high) in spans.items()) + ".",
)  # fmt: skip

# %% [markdown]
# The shares fit {record}`criticism/uncovering_bias#paper.n.prototypes` prototypes and
# {record}`criticism/uncovering_bias#paper.n.criticisms` criticisms, and some larger numbers
# ({record}`criticism/uncovering_bias#paper.sizes.prototypes`; {record}`criticism/uncovering_bias#paper.sizes.criticisms`). At the
# fewest, the exact test of prototypes against criticisms has p = {record}`criticism/uncovering_bias#paper.p.black` for one attribute
# and p = {record}`criticism/uncovering_bias#paper.p.white` for the other. Against the training images, prototypes alone are
# first significant at {record}`criticism/uncovering_bias#paper.training.n.black` images for the first and at
# {record}`criticism/uncovering_bias#paper.training.n.white` for the second. A "reduced subset" that was chosen to be shown makes any
# p-value too small. Figure 8's pairs would need to be {record}`criticism/uncovering_bias#paper.pairs` in one direction, drawn without
# looking at the answers; the paper's were sought on the Internet.
#
# ## Networks with a planted bias
#
# At the quick profile a drawn face smiles or not, and a hat, glasses or a blue background is planted. Noise makes the smile hard to
# read, so that there is a use for a hint. The real profile stamps colored patches on CIFAR-10 photographs. Every repetition has its
# own pictures and its own network. Test pictures have the shares of the training pictures, as the paper's do.

# %%
if faces:
    example = planted_faces(n_test, seed=derive_seed(seed, "example"), size=side)
    record.add_data(example)
    made = dict.fromkeys(("train", "test"), partial(biased_faces, size=side, noise=noise))
else:
    made = {}
    for part, n in zip(("train", "test"), pool, strict=True):
        photographs = load(dataset, split=part, limit=n, data_root=data_root or None)
        record.add_data(photographs)
        made[part] = partial(stamped_pictures, photographs, target=target, opacity=opacity)
options = {
    "spec": network, "training": training, "n_shown": n_shown, "step_size": step_size,
    "steps": steps, "device": place,
}  # fmt: skip
planted, trials = {}, {}
for strength in strengths:
    for r in range(repetitions):
        name = attributes[r % len(attributes)]
        pair = {name: (0.5, 0.5 - strength)}
        draw = partial(derive_seed, seed, "power", round(1000 * strength), r)
        train = made["train"](n_train, pair, seed=draw("train"))
        test = made["test"](n_test, pair, counterparts=True, seed=draw("test"))
        planted[strength, r] = name
        trials[strength, r] = bias_trial(train, test, targets=[target], seed=draw("network"), **options)  # fmt: skip
weakest, strongest = min(strengths), max(strengths)
for which, strength in (("fair", weakest), ("biased", strongest)):
    values = [trials[strength, r].accuracy for r in range(repetitions)]
    mean = sum(values) / len(values)
    record.value(f"accuracy.{which}", mean, n=n_test, spread=(min(values), max(values)), spread_kind="range", format=".1%")  # fmt: skip

# %% [markdown]
# ## How strong must a bias be before the exemplars show it?
#
# Each method shows some prototypes and as many criticisms of the class. The bias is recovered if the attribute is more frequent
# among the prototypes and Fisher's exact test has p < 0.05. At strength 0 every significant gap is a false alarm.
#
# - **adversarial**: prototypes withstand ten steps, criticisms flip at the first; what is wrong from the start is not shown.
# - **adversarial with mistakes**: the paper's words, "misclassified after one step", also fit pictures that are wrong from the start.
# - **MMD**, **probability** (above 0.9, below 0.1) and **random** as in Table 3.
#
# Beside them stands a test that needs no exemplars: the same picture with the attribute and without it, and McNemar's test of the
# answers that change.

# %%
power = {
    n: bias_recovery(
        strengths,
        lambda s, r, n=n: trials[s, r].skews(planted[s, r], target, n),
        n_repetitions=repetitions,
    )
    for n in n_shown
}
flips = {}
for (strength, r), trial in trials.items():
    name, test = planted[strength, r], trial.test
    for where, rows in (
        ("class", test.labels == target),
        ("elsewhere", test.labels != target),
    ):
        flips[strength, r, where] = counterfactual_flips(
            trial.model, test.images[rows].to(place), test.counterparts[name][rows].to(place),
            test.attributes[name][rows], target_class=target,
        )  # fmt: skip
curve = [
    {"strength": p.strength, "method": p.method, "power": p.power, "shown": n}
    for n, points in power.items()
    for p in points
]
for strength in strengths:
    told = [flips[strength, r, "class"] for r in range(repetitions)]
    hits = sum(f.p_value < 0.05 and (strength == 0 or f.n_gained > f.n_lost) for f in told)
    for n in n_shown:
        curve.append({"strength": strength, "method": "pairs", "power": hits / repetitions, "shown": n})  # fmt: skip
curve = pd.DataFrame(curve)

# %%
table = []
for n, points in power.items():
    for p in points:
        of = [trials[p.strength, r].skews(planted[p.strength, r], target, n)[p.method] for r in range(repetitions)]  # fmt: skip
        table.append({
            "shown": f"{n} + {n}", "method": p.method, "strength": p.strength, "recovered": p.power,
            "interval": "[{:.2f}, {:.2f}]".format(*p.interval), "gap": p.mean_gap,
            "in prototypes": sum(s.prototype_share for s in of) / len(of),
            "in criticisms": sum(s.criticism_share for s in of) / len(of), "in the class": p.mean_class_share,
        })  # fmt: skip
        if p.strength == strongest:
            key, gaps = key_of[p.method], [s.gap for s in of]
            record.value(f"power.{n}.{key}", p.power, n=repetitions, spread=p.interval, format=".2f", note="Wilson's 95 % interval")  # fmt: skip
            record.value(f"gap.{n}.{key}", p.mean_gap, n=repetitions, spread=(min(gaps), max(gaps)), spread_kind="range", format="+.2f")  # fmt: skip
            for kind in ("prototypes", "criticisms"):
                record.value(f"{kind}.{n}.{key}", table[-1][f"in {kind}"], n=n * repetitions, format=".1%")  # fmt: skip
for key in ("adversarial", "mistakes", "mmd", "probability", "random"):
    words = next(word for word, short in key_of.items() if short == key)
    mine = curve[
        (curve.method == words) & (curve.strength > 0) & (curve.shown == n_shown[-1])
    ]
    record.value(f"power.mean.{key}", mine.power.mean(), n=len(mine) * repetitions, format=".2f")  # fmt: skip
mine = curve[(curve.method == "pairs") & (curve.shown == n_shown[-1])]
record.value("power.pairs", mine[mine.strength == strongest].power.item(), n=repetitions, format=".2f")  # fmt: skip
_ = record.value("power.mean.pairs", mine[mine.strength > 0].power.mean(), n=repetitions, format=".2f")  # fmt: skip

# %%
record.table(
    "power", table,
    caption=f"How often each method recovers the planted attribute, of {repetitions} networks for each strength, with Wilson's 95 % "
    "interval; the mean gap of prototypes less criticisms; the attribute's mean shares.",
    formats=dict.fromkeys(("strength", "recovered", "gap", "in prototypes", "in criticisms", "in the class"), ".2f"),
)  # fmt: skip

# %% tags=["hide-input"]
shown = curve[curve.shown == n_shown[-1]]
ends = shown[shown.strength == strongest].set_index("method").power
record.figure(
    curves_with_bands(shown, x="strength", y="power", hue="method", x_label="strength, share in the class less share elsewhere",
                      y_label="share of networks"), "power_curve",
    caption=f"Share of networks whose planted attribute is recovered from {n_shown[-1]} prototypes and {n_shown[-1]} criticisms, and "
    "from pairs of pictures. At strength 0 it is the share of false alarms.",
    alt=f"One rising or flat line per method; at strength {strongest:g}: " + ", ".join(f"{k} {v:.2f}" for k, v in ends.items()) + ".",
    n=repetitions,
)  # fmt: skip

# %% [markdown]
# At strength {record}`criticism/uncovering_bias#strongest` and with {record}`criticism/uncovering_bias#few` exemplars of either
# kind, about as many as the paper can have shown, the adversarial method recovers the bias of
# {record}`criticism/uncovering_bias#power.10.adversarial` of the networks when mistakes are left out, and of
# {record}`criticism/uncovering_bias#power.10.mistakes` when they count. MMD-critic recovers
# {record}`criticism/uncovering_bias#power.10.mmd`, the probability {record}`criticism/uncovering_bias#power.10.probability`, chance
# {record}`criticism/uncovering_bias#power.10.random`. With {record}`criticism/uncovering_bias#more` of either kind the five are
# {record}`criticism/uncovering_bias#power.20.adversarial`, {record}`criticism/uncovering_bias#power.20.mistakes`,
# {record}`criticism/uncovering_bias#power.20.mmd`, {record}`criticism/uncovering_bias#power.20.probability` and
# {record}`criticism/uncovering_bias#power.20.random`; pairs {record}`criticism/uncovering_bias#power.pairs`. Where the model errs
# says most of what it leans on, and the strict reading of the adversarial method leaves just these pictures out. Pairs ask the
# model itself: what they find at strength 0 is what it took from chance in few training pictures.

# %%
record.value("strongest", strongest, n=None, format=".2f")
record.value("few", n_shown[0], n=None)
record.value("more", n_shown[-1], n=None)
record.value("literal.share", sum(
    t.exemplars[target, n_shown[0]]["adversarial"].n_literal_criticisms for t in trials.values()
) / len(trials) / n_shown[0], n=len(trials), format=".1%")  # fmt: skip
record.summary({
    "adversarial criticisms that do flip at the first step": "literal.share",
    "gap, adversarial with mistakes": f"gap.{n_shown[0]}.mistakes",
    "gap, probability": f"gap.{n_shown[0]}.probability",
    "gap, MMD": f"gap.{n_shown[0]}.mmd",
})  # fmt: skip

# %% [markdown]
# ## What is shown of the class
#
# The paper's Figure 9 with drawn faces, or photographs with patches: prototypes above, criticisms below, of one network with the
# strongest bias. The attribute is written below each picture.

# %% tags=["hide-input"]
trial, name = trials[strongest, 0], planted[strongest, 0]
mine = trial.test.labels == target
pictures, has = trial.test.images[mine], trial.test.attributes[name][mine]
of = trial.exemplars[target, n_shown[0]]["adversarial with mistakes"]
rows = [of.prototypes[:8], of.criticisms[:8]]
said = [["yes" if has[i] else "no" for i in row] for row in rows]
words = name.replace("_", " ")
record.figure(
    image_grid([[pictures[i] for i in row] for row in rows], row_titles=["prototypes", "criticisms"], notes=said), "exemplars",
    caption=f"Adversarial prototypes and criticisms, mistakes counted, of the class; below each, whether it has the planted attribute "
    f"({words}). Half of the class has it; all else varies by chance.",
    alt=f"Two rows of eight pictures. With {words}: {said[0].count('yes')} of the prototypes and {said[1].count('yes')} of the "
    "criticisms.",
    n=16,
)  # fmt: skip

# %% [markdown]
# ## The same picture with one attribute changed
#
# The paper's Figure 8 pairs different photographs. A planted attribute can be put on and taken off. We count, over the pictures of
# the class, how often the model says the class with the attribute and without it; and the same over the pictures of all other
# classes, where it is a wrong answer. The paper's Figure 10a is of this second kind: street lamps before a blue sky, called traffic
# lights.

# %%
moved = []
for strength in strengths:
    row = {"strength": strength}
    for where in ("class", "elsewhere"):
        of = [flips[strength, r, where] for r in range(repetitions)]
        for label, field in (
            ("with", "class_rate_with"),
            ("without", "class_rate_without"),
            ("changed", "flip_rate"),
        ):
            row[f"{where}, {label}"] = sum(getattr(f, field) for f in of) / len(of)
    moved.append(row)
    if strength == strongest:
        total = sum(len(flips[strength, r, "class"].flipped) for r in range(repetitions))
        for where in ("class", "elsewhere"):
            for label in ("with", "without", "changed"):
                record.value(
                    f"pairs.{where}.{label}",
                    row[f"{where}, {label}"],
                    n=total,
                    format=".1%",
                )
for where in ("class", "elsewhere"):
    record.value(
        f"pairs.{where}.fair", moved[0][f"{where}, changed"], n=n_test, format=".1%"
    )

# %%
record.table(
    "pairs", moved,
    caption="Share of pictures called the class, with the attribute and without it, of the class's own pictures and of all others, and "
    "share whose answer changes; means over networks.",
    formats=dict.fromkeys(moved[0], ".2f"),
)  # fmt: skip

# %% tags=["hide-input"]
test = trial.test
inside = ((test.labels == target) & test.attributes[name]).nonzero().flatten()[:4]
outside = ((test.labels != target) & ~test.attributes[name]).nonzero().flatten()[:4]
at = torch.cat([inside, outside])
sides = test.images[at], test.counterparts[name][at]
first = [
    torch.where(test.attributes[name][i], sides[0][k], sides[1][k])
    for k, i in enumerate(at)
]
second = [
    torch.where(test.attributes[name][i], sides[1][k], sides[0][k])
    for k, i in enumerate(at)
]
answers = [
    ["class" if c == target else "other" for c in compute_logits(trial.model, torch.stack(row)).argmax(1)]
    for row in (first, second)
]  # fmt: skip
record.figure(
    image_grid([first, second], row_titles=[f"with {words}", "without"], notes=answers,
               column_titles=["class"] * len(inside) + ["other"] * len(outside)), "pair_pictures",
    caption="Pairs that differ in the planted attribute only, and below each what the network with the strongest bias says. The first "
    "four belong to the class, the others do not; they are the first of the test pictures, not chosen.",
    alt=f"Two rows of {len(at)} pictures. Called the class with {words}: {answers[0].count('class')}; without: "
    f"{answers[1].count('class')}.",
    n=len(at),
)  # fmt: skip

# %% [markdown]
# At the strongest bias the model calls {record}`criticism/uncovering_bias#pairs.class.with` of the class's pictures the class with the
# attribute and {record}`criticism/uncovering_bias#pairs.class.without` without it. Of the other pictures it calls
# {record}`criticism/uncovering_bias#pairs.elsewhere.with` the class with the attribute and
# {record}`criticism/uncovering_bias#pairs.elsewhere.without` without it.
#
# ## What is shown when nothing was planted
#
# Every network meets attributes that were left as they fall, with one half in every class. We make the same test of each. A method
# that alarms on more than one in twenty shows biases that are not there, or that have another cause.

# %%
alarms = []
for (strength, r), trial in trials.items():
    for name in trial.test.attributes:
        if name != planted[strength, r] and name not in left_out:
            for method, skew in trial.skews(name, target, n_shown[-1]).items():
                alarms.append({"method": method, "attribute": name, "alarm": skew.recovers(0), "gap": skew.gap})  # fmt: skip
alarms = pd.DataFrame(alarms)
bars_of = {}
for method, part in alarms.groupby("method", sort=False):
    low, high = proportion_confint(part.alarm.sum(), len(part), method="wilson")
    rate = float(part.alarm.mean())
    bars_of[method] = (rate, min(low, rate), max(high, rate))
    record.value(f"alarms.{key_of[method]}", rate, n=len(part), spread=bars_of[method][1:], format=".1%",
                 note="Wilson's 95 % interval")  # fmt: skip
told = alarms[alarms.method != "random"].groupby("attribute")
worst = told.alarm.mean().sort_values(ascending=False)
record.value(
    "alarms.worst",
    float(worst.iloc[0]),
    n=len(told.get_group(worst.index[0])),
    format=".1%",
)
_ = record.value("alarms.worst.name", worst.index[0].replace("_", " "), n=None)

# %% tags=["hide-input"]
record.figure(
    forest(bars_of, label="share of unplanted attributes with p < 0.05", format=".1%", references={"0.05": 0.05}), "alarms",
    caption=f"False alarms of each method with {n_shown[-1]} prototypes and {n_shown[-1]} criticisms, with Wilson's 95 % intervals "
    "over networks and attributes.",
    alt="False alarms: " + "; ".join(f"{k} {v:.1%}" for k, (v, _, _) in bars_of.items()) + ".",
    n=len(alarms) // len(bars_of),
)  # fmt: skip

# %% [markdown]
# The four methods that look at the model or its features alarm most for one attribute,
# {record}`criticism/uncovering_bias#alarms.worst.name`: in {record}`criticism/uncovering_bias#alarms.worst` of the cases. An
# attribute can be rare among criticisms without any bias in frequency, because it makes the class easier to see, or stands out itself. A skew is a
# question to the model and no answer.
#
# ## Frequent in the class, or more frequent than elsewhere?
#
# The authors' hypothesis has two readings of "frequent". We plant three attributes at once, with all pairs of shares from a grid. A
# gap of prototypes less criticisms is then explained by two numbers:
#
# ```{math}
# \text{gap} = \alpha + \beta_\text{rel} (p_\text{in} - p_\text{out}) + \beta_\text{abs} (p_\text{in} - \tfrac12) .
# ```
#
# If only the frequency within the class counts, $\beta_\text{rel} = 0$. If only the relative one counts, $\beta_\text{abs} = 0$.
# On the diagonal of the grid the attribute is as frequent elsewhere, so there is nothing to learn from it.

# %%
cells = [(a, b) for a in shares for b in shares]
targets = [1, 0] if faces else [target]
points = []
for k in range(rounds * len(shares)):
    turn, start = divmod(k, len(shares))
    picks = cells[start * len(shares) : (start + 1) * len(shares)]
    picks = [picks[(j + turn) % len(shares)] for j in range(len(shares))]
    pairs = dict(zip(attributes, picks, strict=True))
    draw = partial(derive_seed, seed, "grid", k)
    train = made["train"](n_train, pairs, seed=draw("train"))
    test = made["test"](n_test, pairs, counterparts=True, seed=draw("test"))
    trial = bias_trial(train, test, targets=targets, seed=draw("network"), **options)
    for c in targets:
        rows = test.labels == c
        for name in pairs:
            inside, outside = train.share(name, c), train.share(name, c, elsewhere=True)
            effect = counterfactual_flips(trial.model, test.images[rows].to(place), test.counterparts[name][rows].to(place),
                                          test.attributes[name][rows], target_class=c)  # fmt: skip
            row = {
                "network": k,
                "class": c,
                "in": inside,
                "relative": inside - outside,
                "absolute": inside - 0.5,
            }
            row["pair"] = (round(inside, 1), round(outside, 1))
            row["the model, pairs"] = effect.class_rate_with - effect.class_rate_without
            gaps = {m: skew.gap for m, skew in trial.skews(name, c, n_shown[-1]).items()}
            points.append(row | gaps)
points = pd.DataFrame(points)

# %%
slopes, short = {}, key_of | {"the model, pairs": "pairs"}
design = sm.add_constant(points[["relative", "absolute"]])
for method in (*EXEMPLAR_METHODS, "the model, pairs"):
    fit = sm.OLS(points[method], design).fit()
    spans = fit.conf_int()
    for kind in ("relative", "absolute"):
        value, (low, high) = fit.params[kind], spans.loc[kind]
        slopes[f"{method}, {kind}"] = (value, low, high)
        record.value(f"slope.{kind}.{short[method]}", value, n=len(points), spread=(low, high), format="+.2f",
                     note="95 % interval of least squares")  # fmt: skip
diagonal = points[points.relative.abs() < 0.02]
high, low = (diagonal[side_of * diagonal.absolute > 0.1] for side_of in (1, -1))
for method in ("adversarial with mistakes", "probability"):
    record.value(f"equal.{key_of[method]}", float(high[method].mean() - low[method].mean()), n=len(high) + len(low), format="+.2f",
                 note="mean gap where both shares are high less where both are low")  # fmt: skip

# %% tags=["hide-input"]
record.figure(
    forest(slopes, label="points of gap per point of frequency", format="+.2f", references={"none": 0.0}), "slopes",
    caption="Slopes of the gap against the relative and the absolute frequency, for each method and for the model's own answers to "
    "pairs, with 95 % intervals.",
    alt="Slopes: " + "; ".join(f"{k} {v:+.2f} from {a:+.2f} to {b:+.2f}" for k, (v, a, b) in slopes.items()) + ".",
    n=len(points),
)  # fmt: skip

# %% tags=["hide-input"]
means = points.groupby("pair")["adversarial with mistakes"].mean()
grid = [[means.get((a, b), float("nan")) for b in shares] for a in shares]
record.figure(
    heat_map(grid, row_labels=[f"{a:g}" for a in shares], column_labels=[f"{b:g}" for b in shares], row_title="share in the class",
             column_title="share elsewhere", label="mean gap", format="+.2f", diverging=True), "grid",
    caption="Mean gap of the adversarial method, mistakes counted, by the attribute's share in the class and elsewhere. On the "
    "diagonal the two are equal.",
    alt="Three by three mean gaps, rows by the share in the class: " + "; ".join(
        f"{a:g}: " + ", ".join(f"{v:+.2f}" for v in row) for a, row in zip(shares, grid, strict=True)) + ".",
    n=len(points),
)  # fmt: skip

# %% [markdown]
# For the adversarial method with mistakes the slope is {record}`criticism/uncovering_bias#slope.relative.mistakes` for the relative
# frequency and {record}`criticism/uncovering_bias#slope.absolute.mistakes` for the absolute one; for the probability
# {record}`criticism/uncovering_bias#slope.relative.probability` and
# {record}`criticism/uncovering_bias#slope.absolute.probability`. The model's own answers to pairs have
# {record}`criticism/uncovering_bias#slope.relative.pairs` and {record}`criticism/uncovering_bias#slope.absolute.pairs`. Where both
# shares are high the gap is larger than where both are low by {record}`criticism/uncovering_bias#equal.mistakes` and, for the
# probability, {record}`criticism/uncovering_bias#equal.probability`.
#
# ## What the explanation uncovers first
#
# The paper's Figure 10b uncovers a basketball image superpixel by superpixel, and reads a bias from what comes first. We ask LIME
# about pictures of the class with the attribute, and measure how much of the first {record}`criticism/uncovering_bias#path.first`
# superpixels lies on the attribute. The same pictures are explained for a network without a planted bias. Superpixels are squares,
# since pictures of this size fall apart into few others; they are hidden behind gray, since their own mean color would still show
# the color of a hat.

# %%
line = torch.arange(side) * squares // side
pieces = (line[:, None] * squares + line).to(place)
found, paths = {"biased": [], "fair": [], "area": []}, {}
for r in range(repetitions):
    test, name = trials[strongest, r].test, planted[strongest, r]
    chosen = ((test.labels == target) & test.attributes[name]).nonzero().flatten()
    for i in chosen[:n_explained].tolist():
        image = test.images[i].to(place)
        on = (test.images[i] - test.counterparts[name][i]).abs().amax(0) > 0.1
        found["area"].append(on.double().mean().item())
        for which, strength in (("biased", strongest), ("fair", weakest)):
            explanation = lime_explain(
                trials[strength, r].model, image, segments=pieces, n_samples=n_samples, mode="library", hide=0.5,
                generator=generator(seed, "lime", r, i),
            )  # fmt: skip
            share = attention_share(
                explanation, target, on.to(place), n_superpixels=n_first
            )
            found[which].append(share)
            if (r, i) == (0, chosen[0]):
                picture = test.images[i]
                paths[which] = explanation_path(image, explanation, target, n_superpixels=6, background=0.5)  # fmt: skip

# %%
record.value("path.first", n_first, n=None)
told_first = {which: values[0] for which, values in found.items()}
for which, values in found.items():
    kept = [v for v in values if v == v]  # NaN where no superpixel speaks for the class
    mean = sum(kept) / len(kept)
    record.value(f"path.{which}", mean, n=len(kept), spread=(min(kept), max(kept)), spread_kind="range", format=".1%")  # fmt: skip

# %% tags=["hide-input"]
length = min(len(path.images) for path in paths.values())
record.figure(
    image_grid([[picture, *path.images[1:length]] for path in paths.values()], row_titles=list(paths),
               column_titles=["picture", *(f"{k}" for k in range(1, length))]), "path",
    caption="A picture uncovered square by square, the one that speaks most for the class first, for a network with the strongest bias "
    "and for one without.",
    alt=f"Two rows of {length} pictures. On the attribute lie {told_first['biased']:.0%} of the first {n_first} squares for the biased "
    f"network and {told_first['fair']:.0%} for the fair one; the attribute covers {told_first['area']:.0%} of the picture.",
    n=1,
)  # fmt: skip

# %% [markdown]
# Of the first superpixels {record}`criticism/uncovering_bias#path.biased` lie on the attribute for the biased network and
# {record}`criticism/uncovering_bias#path.fair` for the fair one; the attribute covers {record}`criticism/uncovering_bias#path.area`
# of a picture.
#
# ## What holds
#
# ```{claims}
# :notebook: criticism/uncovering_bias
# ```

# %% tags=["remove-cell"]
record.write()
record.claims_table()

# %% [markdown]
# ## Differs from the paper, and why
#
# - **Data.** Nobody's race is labeled, so the class is not basketball. Quick: drawn faces that smile or not. Real: CIFAR-10
#   photographs with colored patches. Both have known biases, which the paper's network has not.
# - **Network.** Small ones, trained here, in place of a ResNet-101; two or ten classes in place of a thousand. With two, "other
#   classes" is one.
# - **The strict and the loose reading** of adversarial criticisms stand side by side, since the paper does not say whether pictures
#   that are wrong from the start are among them.
# - **Which of many.** Where more pictures qualify than are shown, chance decides; where fewer do, the next best are shown.
# - **Tests, intervals, strength 0, pairs of pictures and the grid** are ours. The three attributes of a grid network share it, and the
#   intervals of least squares take their gaps as independent.
# - **Explanations** are of squares hidden behind gray, by LIME as its library has it.
# - **Figures.** Drawn faces, or photographs of things; the paper's Figures 8 to 10 show people.
#
# ## Exercises
#
# ```{exercise}
# :label: ex-bias-pairs
# A study finds nine pairs of photographs that differ in one attribute, and the model changes its answer in the same direction in all
# of them. The pairs were kept because the answers differ. What does the p-value of the exact test say?
# ```
#
# ```{solution} ex-bias-pairs
# :class: dropdown
# Nothing about the model in general. The test supposes that pairs were drawn without looking at the answers. Among many pairs a
# model without a bias changes its answer in some, half of them in each direction; who looks for one direction finds nine. The number
# of pairs that were looked at must be told.
# ```
#
# ```{exercise}
# :label: ex-bias-easy
# Beards cover the mouth in some drawn faces, equally often in both classes. Why may faces with a beard be frequent among criticisms
# of the smile, and how can one tell that from a bias of the model?
# ```
#
# ```{solution} ex-bias-easy
# :class: dropdown
# A smile under a beard is harder to see, so the model is less sure and easier to flip. The attribute changes how much evidence there
# is, and is itself no evidence. Pairs tell the two apart if both classes are looked at: a bias moves answers towards one class in
# both, a hidden mouth moves them away from the right class in each.
# ```
