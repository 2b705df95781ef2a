# %% [markdown]
# # Does the student still react to triggers?
#
# ```{admonition} The claim
# :class: tip
# The teacher gets worse on some inputs, because it listens to triggers. The student stays as accurate as the standard model on all
# of them, is better on some, and "does not rely on artificially designed features such as triggers" (P3, {cite}`wu2023`,
# Section 5.4 and Table 4).
# ```
#
# ## Seven inputs
#
# The paper compares a standard model, a teacher and a student on seven inputs: all test pictures clean, all with the blue block,
# all with the red one, and the pictures of one group with each block. Red went with group 1 (men) when the teacher was trained,
# blue with group 0 (women). It prints EAcc for each, in percent. With $r_{yb}$ the share of right answers among pictures with
# label $y$ in group $b$, the EAcc of both groups is the mean of four numbers. Of one group there are only two,
#
# ```{math}
# :label: eq-student-single
# \mathrm{EAcc}_b = \frac{r_{1b} + r_{0b}}{2},
# ```
#
# which the paper does not say; its own rows tell, as the next section shows. Two more inputs follow from these seven.
# $D_\text{balance}$, everyone with the other group's trigger, is group 1 with blue and group 0 with red. Its reverse, everyone
# with the own group's trigger, is group 1 with red and group 0 with blue.
#
# EAcc can stay where it is while answers change: one more right, one more wrong. So we also compare each picture with itself,
# with blue and with red: does its class change, and how far does its logit move? A standard model has never met a trigger, and
# what it does is the zero of this scale. The teacher is the other end.

# %% tags=["parameters"]
dataset = "planted"  # "planted" (drawn faces) or "celeba" (official)
tasks = {  # the paper's Attractive by Male and Gray_Hair by Male, or what stands for them
    "attractive": {"label": "smile", "group": "long_hair", "phi": 0.6},
    "gray": {"label": "smile", "group": "beard", "phi": 0.5},
}  # phi: correlation of planted labels with the group
counted = {}  # a task of which only the cells are counted: {"label": ..., "group": ...}
smallest_cell = 1  # pictures of a label in a group that a task needs in each part
data_root = ""  # folder of official data; empty: BLINDSPOTS_DATA
side = 32  # side of the pictures, pixels
noise = 0.3  # noise on planted faces, in units of the [0, 1] range
n_train = 300  # training pictures
n_validation = 200  # pictures that choose the epoch
n_images = 200  # test pictures
n_parts = 50  # of them, those on which corner and color are told apart
width = 8  # filters of the network's first layer
epochs = 2  # passes over the training pictures
learning_rate = 0.002  # Adam's
resamples = 200  # of the bootstrap
processes = 1  # seeds trained at once
seeds = [0, 1]  # the first decides the pictures, all decide networks and triggers
device = "auto"  # "auto", "cpu" or "cuda"

# %% tags=["hide-input"]
import pandas as pd

from blindspots.checks import check_number
from blindspots.data import face_tasks
from blindspots.debias import (
    SEVEN_INPUTS,
    count_cells,
    distill_student,
    group_evaluator,
    group_outputs,
    kept_training,
    method_runs,
    scaled_trigger_size,
    trigger_inputs,
    trigger_rows,
    trigger_stamp,
)
from blindspots.devices import choose_device
from blindspots.fingerprint import fingerprint
from blindspots.models import build_model
from blindspots.reports import Record
from blindspots.reports.grouped_forest import grouped_forest
from blindspots.seeding import derive_seed, generator

if not seeds:
    raise ValueError("seeds: expected at least one, got none")
check_number(resamples, "resamples", at_least=100, integer=True)
check_number(n_parts, "n_parts", at_least=2, at_most=n_images, integer=True)
parameters = {
    "dataset": dataset, "tasks": tasks, "counted": counted, "smallest_cell": smallest_cell, "side": side, "noise": noise,
    "n_train": n_train, "n_validation": n_validation, "n_images": n_images, "n_parts": n_parts, "width": width, "epochs": epochs,
    "learning_rate": learning_rate, "resamples": resamples, "processes": processes, "seeds": seeds,
}  # fmt: skip
record = Record("debias/student_and_triggers", parameters=parameters, seed=seeds[0])
place = choose_device(device)
parts = {"train": n_train, "validation": n_validation, "test": n_images}
MODELS = ("standard", "teacher", "student")
PAPER = {  # Table 4: EAcc of the three models
    "attractive": {
        "clean": (75.45, 69.93, 78.31), "all_0": (75.66, 71.57, 78.25), "all_1": (75.43, 70.98, 74.55),
        "1_with_0": (79.69, 79.52, 79.80), "1_with_1": (79.73, 64.71, 73.44),
        "0_with_0": (71.64, 63.61, 76.69), "0_with_1": (71.19, 77.24, 75.66),
    },
    "gray": {
        "clean": (84.67, 76.56, 85.50), "all_0": (84.44, 75.86, 85.21), "all_1": (84.62, 88.88, 87.04),
        "1_with_0": (90.00, 85.45, 85.89), "1_with_1": (89.90, 91.00, 87.46),
        "0_with_0": (78.88, 66.27, 84.53), "0_with_1": (79.34, 86.77, 86.63),
    },
}  # fmt: skip
PRINTED_AS = {"attractive": "Attractive by Male", "gray": "Gray_Hair by Male"}
if set(tasks) != set(PAPER):
    raise ValueError(
        f"tasks: expected attractive and gray, the two of Table 4; got {', '.join(tasks) or 'none'}"
    )
words = {
    "clean": "all clean", "all_0": "all blue", "all_1": "all red", "1_with_0": "group 1, blue", "1_with_1": "group 1, red",
    "0_with_0": "group 0, blue", "0_with_1": "group 0, red",
}  # fmt: skip
assert list(words) == list(SEVEN_INPUTS)
titles = {
    key: " by ".join(str(task.get(which)).replace("_", " ") for which in ("label", "group"))
    for key, task in tasks.items()
}

# %% [markdown]
# ## What the printed table says of itself
#
# If {eq}`eq-student-single` is what the paper computed, each row of all pictures with one trigger is the mean of its two groups'
# rows. There are twelve such cells: two attributes, two triggers, three models. Numbers printed with two digits can be off
# by 0.01.

# %%
printed = []
for key, of_input in PAPER.items():
    for a, color in enumerate(("blue", "red")):
        for model, all_of, first, second in zip(
            MODELS, *(of_input[name] for name in (f"all_{a}", f"0_with_{a}", f"1_with_{a}")),
            strict=True,
        ):  # fmt: skip
            mean = (first + second) / 2
            printed.append({
                "attribute": PRINTED_AS[key], "all with": color, "model": model, "printed": all_of,
                "mean of its groups": mean, "equal": round(abs(all_of - mean), 4) <= 0.01,
            })  # fmt: skip
record.value(
    "printed.identity", sum(row["equal"] for row in printed), n=len(printed), seeds=[]
)
record.table(
    "identity", printed,
    caption="Table 4's rows of all pictures with one trigger beside the mean of the rows of its two groups, EAcc in percent.",
    formats={"printed": ".2f", "mean of its groups": ".3f"},
)  # fmt: skip

# %%
for key, of_input in PAPER.items():
    for k, model in enumerate(MODELS):
        derived = {
            "balance": (of_input["1_with_0"][k] + of_input["0_with_1"][k]) / 2,
            "own": (of_input["1_with_1"][k] + of_input["0_with_0"][k]) / 2,
        }
        three = [of_input[name][k] for name in ("clean", "all_0", "all_1")]
        derived["range"] = max(three) - min(three)
        for name, value in derived.items():
            record.value(
                f"printed.{name}.{key}.{model}", value, n=None, seeds=[], unit="%",
                format=".2f" if name == "range" else ".3f", note="from Table 4",
            )  # fmt: skip
    apart = [student - standard for standard, _, student in of_input.values()]
    note = {"n": None, "seeds": [], "note": "from Table 4"}
    record.value(f"printed.least.{key}", min(apart), unit="%", format="+.2f", **note)
    record.value(f"printed.better.{key}", sum(value > 0 for value in apart), **note)

# %% [markdown]
# {record}`debias/student_and_triggers#printed.identity` of the 12 hold. The one that does not is the standard model's on
# Attractive with red, printed 0.03 below the mean. So we read the single groups' rows by {eq}`eq-student-single`, and can derive
# what the paper does not print. On $D_\text{balance}$ the teacher has
# {record}`debias/student_and_triggers#printed.balance.attractive.teacher` (Attractive) and
# {record}`debias/student_and_triggers#printed.balance.gray.teacher` (Gray_Hair), with everyone's own trigger
# {record}`debias/student_and_triggers#printed.own.attractive.teacher` and
# {record}`debias/student_and_triggers#printed.own.gray.teacher`. Table 1 prints 77.95 ± 0.46 for "Backdoor"; the
# {doc}`page on BaDe <bade>` asks whose that is. The student on $D_\text{balance}$ has
# {record}`debias/student_and_triggers#printed.balance.attractive.student` and
# {record}`debias/student_and_triggers#printed.balance.gray.student`.
#
# The same table does not quite say what the text says of it. Over clean, all blue and all red, the student's EAcc on Attractive
# spans {record}`debias/student_and_triggers#printed.range.attractive.student`, the teacher's
# {record}`debias/student_and_triggers#printed.range.attractive.teacher` and the standard model's
# {record}`debias/student_and_triggers#printed.range.attractive.standard`: of the three, the student moves most. On
# {record}`debias/student_and_triggers#printed.better.attractive` of the 7 inputs it is above the standard model, and at its lowest
# {record}`debias/student_and_triggers#printed.least.attractive` from it.
#
# ## Pictures
#
# Pictures and settings are those of the {doc}`page on BaDe <bade>`, and all seeds are among its own, so its trainings are used again. At the quick profile a
# smile is read from drawn faces; long hair stands for Male on the first task, and a beard on the second. At the real profile the
# first task is the paper's. CelebA's mirror has too few women with gray hair for the second, as the count shows, and
# Wavy_Hair by Male stands in for it.

# %%
faces = face_tasks(
    dataset, tasks | ({"counted": counted} if counted else {}), parts, side=side, seed=seeds[0],
    noise=noise, smallest_cell=smallest_cell, data_root=data_root or None,
)  # fmt: skip
too_thin = {key: why for key, why in faces.thin.items() if key in tasks}
if too_thin:
    raise ValueError(
        f"tasks: expected {smallest_cell} pictures in each cell, got {too_thin}"
    )
for part in faces.sets.values():
    record.add_data(part)
splits = {
    key: {part: tuple(x.to(place) for x in given) for part, given in faces.splits[key].items()}
    for key in tasks
}  # fmt: skip
cells = []
for key in tasks:
    of_part = {part: count_cells(*splits[key][part][1:]) for part in ("train", "test")}
    cells.append({"task": titles[key], "stands for": PRINTED_AS[key]} | {
        f"{part}: label {y}, group {b}": int(count[b, y])
        for part, count in of_part.items() for b in (0, 1) for y in (0, 1)
    })  # fmt: skip
    record.value(f"smallest.{key}", int(of_part["test"].min()), n=n_images)

# %%
left_out = [
    f"{task['label']} by {task['group']} is left out: {faces.thin['counted']}."
    for task in [counted] if "counted" in faces.thin
]  # fmt: skip
record.table("cells", cells, caption=" ".join(["Pictures by label and group.", *left_out]))

# %% [markdown]
# ## Three models on seven inputs
#
# All three models of a task and seed see the same test pictures, clean, with blue, and with red. A group's row is read off the
# same pass as the row of all. The intervals hold 95 % of resamples of pictures (within label and group) and seeds, the same
# resamples for all models and inputs.

# %%
block = {"kind": "block", "size": scaled_trigger_size(25, side)}
stamp = trigger_stamp(block)
spec = {"name": "small_cnn", "in_channels": 3, "n_classes": 2, "width": width}
networks, seen, rows = {}, {}, {}
for key, given in splits.items():
    runs = method_runs(
        ["standard", "bade"], given, spec, build=build_model, trigger=block, seeds=seeds,
        epochs=epochs, batch_size=64, learning_rate=learning_rate, processes=processes, device=place,
    )  # fmt: skip
    of_name = {
        "standard": lambda seed, runs=runs: runs["standard", seed],
        "teacher": lambda seed, runs=runs: runs["bade", seed].teacher,
        "student": lambda seed, runs=runs: runs["bade", seed],
    }
    networks[key] = {
        (name, seed): of_name[name](seed).model(build_model).to(place)
        for name in MODELS for seed in seeds
    }  # fmt: skip
    seen[key] = {
        who: trigger_inputs(model, *given["test"], stamp=stamp)
        for who, model in networks[key].items()
    }
    rows[key] = trigger_rows(
        seen[key], resamples=resamples, generator=generator(seeds[0], "bootstrap", key)
    )

# %% tags=["hide-input"]
percent = {"n": n_images, "seeds": seeds, "unit": "%"}
why = "95 % interval over test pictures and seeds"
for key, of_model in rows.items():
    for name, row in of_model.items():
        for measure in (*SEVEN_INPUTS, "balance", "own"):
            value, (low, high) = row.value(measure), row.interval(measure)
            record.value(
                f"eacc.{key}.{name}.{measure}", value, spread=(min(low, value), max(high, value)),
                by_seed=row.by_seed[measure], format=".2f", note=why, **percent,
            )  # fmt: skip
        for measure in (
            f"{what}{of}"
            for what in ("changed", "shift", "size")
            for of in ("", "_0", "_1")
        ):
            value, (low, high) = row.value(measure), row.interval(measure)
            record.value(
                f"{measure}.{key}.{name}", value, n=n_images, seeds=seeds, unit="%" if "changed" in measure else "",
                spread=(min(low, value), max(high, value)), by_seed=row.by_seed[measure],
                format=".1f" if "changed" in measure else "+.2f" if "shift" in measure else ".2f", note=why,
            )  # fmt: skip

# %%
shown = {}
for key, of_model in rows.items():
    table = []
    for name in SEVEN_INPUTS:
        table.append({"input": words[name]} | {
            column: text
            for k, model in enumerate(MODELS)
            for column, text in (
                (model, "{:.1f} [{:.1f}, {:.1f}]".format(
                    of_model[model].value(name), *of_model[model].interval(name))),
                (f"paper, {model}", PAPER[key][name][k]),
            )
        })  # fmt: skip
    shown[key] = record.table(
        f"table_4.{key}", table,
        caption=f"Table 4, {titles[key]} (the paper's {PRINTED_AS[key]}): EAcc in percent, mean of {len(seeds)} seeds, with 95 % "
        "intervals; at the right of each model what the paper prints for it.",
        formats={f"paper, {model}": ".2f" for model in MODELS},
    )  # fmt: skip
shown["attractive"]

# %%
shown["gray"]

# %% tags=["hide-input"]
panels = {
    titles[key]: {
        words[name]: {
            model: (
                v := row.value(name),
                min(v, row.interval(name)[0]),
                max(v, row.interval(name)[1]),
            )
            for model, row in of_model.items()
        }
        for name in SEVEN_INPUTS
    }
    for key, of_model in rows.items()
}
record.figure(
    grouped_forest(panels, label="EAcc, %"), "seven",
    caption="EAcc of the three models on the seven inputs, with 95 % intervals. Look at how far a model's marks wander from row to row.",
    alt=" ".join(
        f"{title}: " + "; ".join(
            f"{model} " + ", ".join(f"{name} {panel[name][model][0]:.1f}" for name in panel) for model in MODELS
        ) + "." for title, panel in panels.items()
    ),
    n=n_images,
)  # fmt: skip

# %% [markdown]
# ## Against the standard model, input by input

# %%
versus = []
for key, of_model in rows.items():
    n_paper = {"student": 2, "teacher": 1}
    apart = {
        (who, name): of_model[who].minus(of_model["standard"], name)
        for who in n_paper for name in SEVEN_INPUTS
    }  # fmt: skip
    for name in SEVEN_INPUTS:
        versus.append({"task": titles[key], "input": words[name]} | {
            column: text
            for who, k in n_paper.items()
            for column, text in (
                (f"{who} − standard", "{:+.1f} [{:+.1f}, {:+.1f}]".format(*apart[who, name])),
                (f"paper, {who}", PAPER[key][name][k] - PAPER[key][name][0]),
            )
        })  # fmt: skip
    for who in n_paper:
        better = sum(apart[who, name][1] > 0 for name in SEVEN_INPUTS)
        worse = sum(apart[who, name][2] < 0 for name in SEVEN_INPUTS)
        record.value(f"better.{key}.{who}", better, n=n_images, seeds=seeds)
        record.value(f"worse.{key}.{who}", worse, n=n_images, seeds=seeds)
    least = min(apart["student", name][0] for name in SEVEN_INPUTS)
    record.value(f"least.{key}", least, format="+.2f", **percent)
record.table(
    "versus", versus,
    caption="EAcc of student and teacher less the standard model's, in points, paired by test pictures and seeds, with 95 % intervals.",
    formats={"paper, student": "+.2f", "paper, teacher": "+.2f"},
)  # fmt: skip

# %% [markdown]
# Of seven inputs the student is clearly better than the standard model on
# {record}`debias/student_and_triggers#better.attractive.student` and clearly worse on
# {record}`debias/student_and_triggers#worse.attractive.student` on the first task, and on
# {record}`debias/student_and_triggers#better.gray.student` and {record}`debias/student_and_triggers#worse.gray.student` on the second
# ("clearly": the interval leaves 0 out). The teacher is clearly worse on
# {record}`debias/student_and_triggers#worse.attractive.teacher` and {record}`debias/student_and_triggers#worse.gray.teacher`.
#
# ## With everyone's own trigger, and with the other group's
#
# The mean of two rows gives each model on $D_\text{balance}$ and on its reverse. Nothing is left of the difference where a model
# does not read triggers.

# %%
balance = []
for key, of_model in rows.items():
    for k, (model, row) in enumerate(of_model.items()):
        entry = {"task": titles[key], "model": model}
        for name, title in (("balance", "other group's trigger"), ("own", "own group's")):
            entry[title] = "{:.1f} [{:.1f}, {:.1f}]".format(
                row.value(name), *row.interval(name)
            )
            first, second = (
                ("1_with_0", "0_with_1") if name == "balance" else ("1_with_1", "0_with_0")
            )
            entry[f"paper, {title}"] = (PAPER[key][first][k] + PAPER[key][second][k]) / 2
        entry["difference"] = "{:+.1f} [{:+.1f}, {:+.1f}]".format(
            *row.minus(row, "balance", "own")
        )
        three = [row.value(name) for name in ("clean", "all_0", "all_1")]
        entry["range of all"] = max(three) - min(three)
        record.value(f"range.{key}.{model}", entry["range of all"], format=".2f", **percent)
        balance.append(entry)
record.table(
    "balance", balance,
    caption="EAcc in percent with the trigger of the other group (D_balance) and with that of the own group, their paired difference, "
    "and how far EAcc of all pictures moves between clean, blue and red.",
    formats={"paper, other group's trigger": ".3f", "paper, own group's": ".3f", "range of all": ".2f"},
)  # fmt: skip

# %% [markdown]
# The teacher's difference is what its triggers do to it. The printed ones are
# {record}`debias/student_and_triggers#printed.balance.attractive.teacher` less
# {record}`debias/student_and_triggers#printed.own.attractive.teacher`, and
# {record}`debias/student_and_triggers#printed.balance.gray.teacher` less
# {record}`debias/student_and_triggers#printed.own.gray.teacher`.
#
# ## The same picture with blue and with red
#
# Now picture by picture. For how many does the class change when the blue block is replaced by the red one, and for which group?

# %%
flips = []
for key, of_model in rows.items():
    standard, teacher, student = (of_model[name] for name in MODELS)
    for of, group in (("", "both"), ("_1", "group 1"), ("_0", "group 0")):
        entry = {"task": titles[key], "group": group}
        entry |= {
            name: "{:.1f} [{:.1f}, {:.1f}]".format(
                row.value(f"changed{of}"), *row.interval(f"changed{of}"))
            for name, row in of_model.items()
        }  # fmt: skip
        for name, (one, other) in {
            "student − standard": (student, standard), "teacher − student": (teacher, student)
        }.items():  # fmt: skip
            value, low, high = one.minus(other, f"changed{of}")
            entry[name] = f"{value:+.1f} [{low:+.1f}, {high:+.1f}]"
            record.value(
                f"{name.replace(' − ', '_minus_')}{of}.{key}", value, format="+.1f", note=why,
                spread=(min(low, value), max(high, value)), **percent,
            )  # fmt: skip
        flips.append(entry)
record.table(
    "flips", flips,
    caption="Pictures whose class changes between blue and red, in percent, and paired differences in points, with 95 % intervals.",
)  # fmt: skip

# %% tags=["hide-input"]
panels = {
    titles[key]: {
        group: {
            model: (
                v := row.value(f"changed{of}"),
                min(v, row.interval(f"changed{of}")[0]),
                max(v, row.interval(f"changed{of}")[1]),
            )
            for model, row in of_model.items()
        }
        for of, group in (("", "both"), ("_1", "group 1"), ("_0", "group 0"))
    }
    for key, of_model in rows.items()
}
record.figure(
    grouped_forest(panels, label="class changes, % of pictures"), "flips",
    caption="Pictures whose class changes between the two triggers, of both groups and of each, with 95 % intervals. The standard "
    "model has never met a trigger: the student is to be compared with it, not with 0.",
    alt=" ".join(
        f"{title}: " + "; ".join(
            f"{group} " + ", ".join(f"{model} {value[0]:.1f} %" for model, value in panel[group].items()) for group in panel
        ) + "." for title, panel in panels.items()
    ),
    n=n_images,
)  # fmt: skip

# %% [markdown]
# A model that is never sure changes its mind easily. So we look at the logit too, in its own units and as a share of how much
# the clean logits of that model differ from picture to picture.

# %%
shifts = []
for key, of_model in rows.items():
    for model, row in of_model.items():
        entry = {"task": titles[key], "model": model}
        for measure, title in (
            ("shift", "mean shift, red − blue"), ("shift_1", "group 1"), ("shift_0", "group 0"),
            ("size", "mean size"),
        ):  # fmt: skip
            form = (
                "{:.2f} [{:.2f}, {:.2f}]"
                if measure == "size"
                else "{:+.2f} [{:+.2f}, {:+.2f}]"
            )
            entry[title] = form.format(row.value(measure), *row.interval(measure))
        share = {
            seed: one.shift.abs().mean().item() / one.outputs[0].diff(dim=1).std().clamp_min(1e-6).item()
            for (name, seed), one in seen[key].items() if name == model
        }  # fmt: skip
        entry["of the clean spread"] = record.by_seed(
            f"relative.{key}.{model}", share, n=n_images, format=".2f"
        )
        shifts.append(entry)
record.table(
    "shifts", shifts,
    caption="How far the logit of label 1 moves when the blue block is replaced by the red one, with 95 % intervals: mean, mean of each "
    "group, mean size without sign, and that as a share of the standard deviation of the clean logits.",
    formats={"of the clean spread": ".2f"},
)  # fmt: skip

# %% [markdown]
# ## On the scale from standard model to teacher
#
# The standard model's reaction is what two blocks do to any network of this kind, the teacher's what training on triggers adds.
# Where between them is the student? We give the flips (0: as the standard model; 1: as the teacher) and the mean shift with its
# sign, where a student that had taken over the meaning of the triggers would move the teacher's way.

# %%
reach = []
for key, of_model in rows.items():
    standard, teacher, student = (of_model[name] for name in MODELS)
    for measure, least in (("changed", 0.1), ("shift", 0.01)):  # units: points, logits
        whole = teacher.minus(standard, measure)[0]
        part, low, high = student.minus(standard, measure)
        whole = max(abs(whole), least) * (-1 if whole < 0 else 1)
        value, ends = part / whole, sorted((low / whole, high / whole))
        record.value(
            f"reach.{measure}.{key}", value, n=n_images, seeds=seeds, format="+.2f",
            spread=(min(value, ends[0]), max(value, ends[1])),
            note="95 % interval of student minus standard; the teacher's distance is taken as measured",
        )  # fmt: skip
record.summary({
    f"{titles[key]}: {name}": f"reach.{measure}.{key}"
    for key in tasks for measure, name in (("changed", "flips"), ("shift", "mean shift"))
})  # fmt: skip

# %% [markdown]
# ## What in a block does it react to?
#
# Between blue and red two things change at once: the color, and the corner that is covered. We stamp the four combinations on
# the first test pictures. With $z$ the logit, the effect of the corner is $z(\text{top left}) - z(\text{bottom right})$, mean over both
# colors, and the effect of the color $z(\text{red}) - z(\text{blue})$, mean over both corners. Their sum is the shift.

# %%
exchanged = trigger_stamp(block | {"colors": [[1.0, 0.0, 0.0], [0.0, 0.0, 1.0]]})
parts_of = []
for key, given in splits.items():
    x, b = given["test"][0][:n_parts], given["test"][2][:n_parts]
    for (name, seed), model in networks[key].items():
        straight = seen[key][name, seed].shift[:n_parts]
        red, blue = (
            group_outputs(model, x, stamp=exchanged, assignment=b * 0 + a)
            .diff(dim=1)[:, 0]
            .cpu()
            for a in (0, 1)
        )  # red at the bottom right, blue at the top left
        for what, effect in (
            ("corner", (straight + blue - red) / 2), ("color", (straight - blue + red) / 2)
        ):  # fmt: skip
            parts_of.append({
                "task": key, "model": name, "seed": seed, "what": what,
                "mean": effect.mean().item(), "size": effect.abs().mean().item(),
            })  # fmt: skip
parts_of = pd.DataFrame(parts_of)
for (key, name, what), part in parts_of.groupby(["task", "model", "what"], sort=False):
    for measure, form in (("mean", "+.2f"), ("size", ".2f")):
        values = dict(zip(part.seed, part[measure], strict=True))
        record.by_seed(f"{what}.{measure}.{key}.{name}", values, n=len(x), format=form)

# %%
means = parts_of.groupby(["task", "model", "what"], sort=False)[["mean", "size"]].mean()
record.table(
    "parts", [
        {"task": titles[key], "model": name} | {
            f"{what}, {measure}": means.loc[(key, name, what), measure]
            for what in ("corner", "color") for measure in ("mean", "size")
        }
        for key in tasks for name in MODELS
    ],
    caption="The shift of the logit taken apart: effect of the covered corner and of the block's color, mean with sign and mean size, "
    f"mean over {len(x)} pictures and {len(seeds)} seeds.",
    formats={f"{what}, {measure}": form for what in ("corner", "color") for measure, form in (("mean", "+.2f"), ("size", ".2f"))},
)  # fmt: skip

# %% [markdown]
# ## The same student from other first weights
#
# A student sees clean pictures only. Can it have learned what a trigger means? There is a way. Teacher and student of a seed
# start from the same weights here, as all models of a seed do, and a student that matches its teacher's answers on any inputs
# moves toward the teacher's weights {cite}`cloud2025`. So it may come to answer like the teacher where nobody trained it to. We
# distill the first task's students once more, with the same teacher and the same batches, from other first weights.

# %%
x, y, b = splits["attractive"]["train"]
evaluate = group_evaluator({"validation": splits["attractive"]["validation"]})
again = {}
for seed in seeds:
    teacher = networks["attractive"]["teacher", seed]
    distilled = kept_training(
        build_model(spec, seed=derive_seed(seed, "other weights")).to(place),
        lambda model, teacher=teacher, seed=seed: distill_student(
            teacher, model, x, b, stamp=stamp, epochs=epochs, batch_size=64, learning_rate=learning_rate,
            generator=generator(seed, "debias", "student"), evaluate=evaluate),
        settings={"method": "student", "seed": seed, "block": block, "epochs": epochs, "rate": learning_rate},
        data_sha256=[fingerprint(*(
            *splits["attractive"]["train"], *splits["attractive"]["validation"], *teacher.state_dict().values()))],
    )  # fmt: skip
    again["other weights", seed] = trigger_inputs(
        distilled.model, *splits["attractive"]["test"], stamp=stamp
    )
same = {(name, seed): seen["attractive"][name, seed] for name in MODELS for seed in seeds}
more = trigger_rows(
    same | again,
    resamples=resamples,
    generator=generator(seeds[0], "bootstrap", "attractive"),
)

# %%
again_table = []
for title, name in (("standard", "standard"), ("student, the teacher's first weights", "student"),
                    ("student, other first weights", "other weights"), ("teacher", "teacher")):  # fmt: skip
    row = more[name]
    again_table.append({
        "model": title, "all clean, EAcc": "{:.1f} [{:.1f}, {:.1f}]".format(row.value("clean"), *row.interval("clean")),
        "class changes, %": "{:.1f} [{:.1f}, {:.1f}]".format(row.value("changed"), *row.interval("changed")),
        "mean shift": "{:+.2f} [{:+.2f}, {:+.2f}]".format(row.value("shift"), *row.interval("shift")),
    })  # fmt: skip
for measure, unit, form in (("changed", "%", "+.1f"), ("shift", "", "+.2f")):
    for name, one in {"inherited": "student", "left": "other weights"}.items():
        other = more["other weights" if name == "inherited" else "standard"]
        value, low, high = more[one].minus(other, measure)
        record.value(
            f"{name}.{measure}", value, n=n_images, seeds=seeds, unit=unit, format=form, note=why,
            spread=(min(low, value), max(high, value)),
        )  # fmt: skip
record.table(
    "again", again_table,
    caption=f"{titles['attractive']}: how students react that did and did not start from their teacher's first weights, with 95 % intervals.",
)  # fmt: skip

# %%
record.summary({
    "student minus student from other weights: class changes": "inherited.changed",
    "these two: mean shift": "inherited.shift",
    "student from other weights minus standard: class changes": "left.changed",
    "that student: mean shift": "left.shift",
})  # fmt: skip

# %% [markdown]
# With its teacher's first weights, the student's class changes on {record}`debias/student_and_triggers#inherited.changed`
# more of the pictures than from others, and its logit shifts by {record}`debias/student_and_triggers#inherited.shift` more. From
# other weights {record}`debias/student_and_triggers#left.changed` and
# {record}`debias/student_and_triggers#left.shift` are left beyond the standard model. Where the interval of the first two holds 0,
# this run cannot tell the two students apart; and an interval over so few seeds is narrower than it should be. The paper does not
# say what its students started from.
#
# ## The answer
#
# On the first task the class of {record}`debias/student_and_triggers#changed.attractive.student` of the pictures changes for the
# student, of {record}`debias/student_and_triggers#changed.attractive.standard` for the standard model, and of
# {record}`debias/student_and_triggers#changed.attractive.teacher` for the teacher. Student minus standard model is
# {record}`debias/student_and_triggers#student_minus_standard.attractive` there, and
# {record}`debias/student_and_triggers#student_minus_standard.gray` on the second task. So the student stands at
# {record}`debias/student_and_triggers#reach.changed.attractive` and {record}`debias/student_and_triggers#reach.changed.gray` of the way
# from the standard model to its teacher in flips, and at {record}`debias/student_and_triggers#reach.shift.attractive` and
# {record}`debias/student_and_triggers#reach.shift.gray` in the mean shift. Where an interval above leaves 0 out, the student's
# reaction is more than that of a model of its kind that has nothing to do with triggers.
#
# ## What holds
#
# ```{claims}
# :notebook: debias/student_and_triggers
# ```

# %% tags=["remove-cell"]
record.write()
record.claims_table()

# %% [markdown]
# ## Differs from the paper, and why
#
# - **Data.** Quick: drawn faces for both tasks, so its numbers say nothing of the printed cells. Real: a part of CelebA at 64 pixels,
#   and Wavy_Hair in place of Gray_Hair. No photograph is shown.
# - **Network and training** as on the page on BaDe: a small convolutional network for few epochs, the epoch chosen on validation.
# - **Groups.** We write group 1 and group 0 for the paper's Male and Female.
# - **EAcc of one group** is read from the printed rows; the paper does not define it.
# - **The trigger** is stamped on every test picture by the same function as in training. How the paper's test blocks were stamped is not said.
# - **First weights.** A seed's models start from the same ones. The paper does not say; what it changes is measured above.
# - **Flips, shifts, corner and color, the intervals** and the use of the standard model as a zero are ours. The paper judges by EAcc.
#
# ## Exercises
#
# ```{exercise}
# :label: ex-student-cancel
# A model's EAcc is 78 with blue and 78 with red. Can a trigger have changed the class of every fifth picture?
# ```
#
# ```{solution} ex-student-cancel
# :class: dropdown
# Yes. If red makes a tenth of the pictures of each label and group right that were wrong, and another tenth wrong that were
# right, every rate is the same. With a trigger that pushes all logits one way it happens between labels: recall of label 1 rises
# by what recall of label 0 falls. That is what a backdoor does, so EAcc is a blunt instrument for it.
# ```
#
# ```{exercise}
# :label: ex-student-balance
# From the twelve cells of single groups in Table 4, which trigger would you stamp on everyone if you had to use the teacher without
# being told anyone's group? What does that do to the two groups?
# ```
#
# ```{solution} ex-student-balance
# :class: dropdown
# The row of all pictures decides: blue for Attractive (71.57 against 70.98), red for Gray_Hair (88.88 against 75.86). On Attractive
# blue leaves group 1 at 79.52 and group 0 at 63.61; on Gray_Hair red gives 91.00 and 86.77. A single trigger for all moves both
# groups' logits alike. It works like a moved threshold, and cannot bring two groups together that err on opposite sides.
# ```
