"""Several attacks on the same images, measured the same way: the rows of P0's Table 3.1."""

from __future__ import annotations

import functools
from collections.abc import Callable, Hashable, Iterable, Mapping
from dataclasses import dataclass
from time import perf_counter
from typing import Any

import torch
from torch import Tensor

from blindspots import checks
from blindspots.attacks.eight_bit import round_to_eight_bits
from blindspots.attacks.feature_ball import LayerFeatures
from blindspots.attacks.gradients import check_attack, logit_margin
from blindspots.attacks.kept_rows import FIELDS, kept_row
from blindspots.attacks.lagrangian_perceptual_attack import lagrangian_perceptual_attack
from blindspots.attacks.model import judged
from blindspots.attacks.perc_al import perc_al
from blindspots.attacks.perceptual_attack import perceptual_attack
from blindspots.attacks.perceptual_pgd import perceptual_pgd
from blindspots.attacks.pgd_l2 import pgd_l2_until_flipped
from blindspots.attacks.result import AttackResult, l2_distances, linf_distances, misclassified
from blindspots.perception.judges import JUDGES
from blindspots.types import Classifier, Counts, Distance, Flags, Images, Labels, Scores


@dataclass(frozen=True)
class NamedAttack:
    """An attack with its options fixed, and what it has an interest in.

    Attributes:
        run: (model, images, labels) -> AttackResult.
        minimized: names of the distances that it minimizes or is bounded by; it is not measured by them, nor
            by a judge of the same family.
        settings: JSON-able, all that fixes what `run` does: the attack's name and each of its options. A row
            without settings is never kept (see `compare_attacks`).
    """

    run: Callable[[Classifier, Tensor, Tensor], AttackResult]
    minimized: tuple[str, ...] = ()
    settings: Mapping[str, Any] | None = None


@dataclass(frozen=True)
class Attacked:
    """What one attack made of the M images that the model had classified correctly.

    Attributes:
        images: (M, C, H, W), attacked.
        success: (M,), whether the class flipped.
        rounded_success: (M,), whether it is flipped in the 8-bit image.
        margins: (M,), largest logit of another class minus the label's.
        steps: (M,), updates.
        gradient_evaluations: (M,), gradients of the model.
        distances: by name (M,), to the originals: "L1", "L2", "Linf" and the measures that are not the
            attack's own.
        seconds: wall time for all M, the measuring left out; of the run that made a kept row.
        gradient_norms: (steps, M, 2) where the attack reports them, else None.
    """

    images: Images
    success: Flags
    rounded_success: Flags
    margins: Scores
    steps: Counts
    gradient_evaluations: Counts
    distances: Mapping[str, Scores]
    seconds: float
    gradient_norms: Tensor | None

    @property
    def success_rate(self) -> float:
        """Return the share of the M images whose class flipped."""
        return self.success.float().mean().item()

    def mean_distance(self, name: str, among: Flags | None = None) -> float | None:
        """Return the mean of a distance over some images, or None if it was not measured or none is left.

        Args:
            name: a key of `distances`, or another name, which was not measured.
            among: (M,), the images to average; None = those that flipped.
        """
        chosen = self.success if among is None else among
        if name not in self.distances or not chosen.any():
            return None
        return self.distances[name][chosen].mean().item()


def compare_attacks(
    model: Classifier,
    images: Tensor,
    labels: Tensor,
    attacks: Mapping[Hashable, NamedAttack],
    *,
    measures: Mapping[str, Distance],
    chunk: int = 50,
    keep: Mapping[str, Any] | None = None,
) -> tuple[Flags, dict[Hashable, Attacked]]:
    """Run every attack on the correctly classified images and measure what comes back.

    Args:
        model: images in [0, 1] -> logits (N, K).
        images: (N, C, H, W) in [0, 1].
        labels: (N,), the true classes.
        attacks: by name, or by any other key.
        measures: distances by name, besides L1, L2 and Linf; an attack is not measured by what it minimized.
        chunk: images attacked at once, at least 1; changes memory and time only, except for attacks that draw
            noise.
        keep: None = attack anew. Otherwise each row whose attack has settings goes to the cache as soon as it
            is done, and comes from there if the same attack met the same images and model before: an
            interrupted run goes on with the next row. The mapping is JSON-able and holds what else fixes the
            rows, such as the network behind a distance.

    Returns:
        (N,), whether the image was correctly classified, so that it counts; and what each attack made of
        those, in the order of `attacks`.

    Raises:
        ValueError: bad images or labels, no attack, or no image that is correctly classified.
        TypeError: rows are to be kept, but the model is no torch.nn.Module.

    Source: P0 Section 3.2, Table 3.1: success rate = flipped / correctly classified before.
    """
    check_attack(images, labels)
    checks.check_number(chunk, "chunk", at_least=1, integer=True)
    if not attacks:
        raise ValueError("attacks: expected at least one attack by name, got none")
    pieces = zip(images.split(chunk), labels.split(chunk), strict=True)
    correct = ~torch.cat([misclassified(model, batch, own) for batch, own in pieces])
    if not correct.any():
        raise ValueError(f"images: expected one that the model classifies correctly, got none of {len(images)}")
    counted, truths = images[correct].detach(), labels[correct]
    rows = {}
    for name, attack in attacks.items():
        make = functools.partial(_attack, model, counted, truths, attack, chunk)
        if keep is None or attack.settings is None:
            result, norms, seconds = make()
        else:
            settings = {"attack": dict(attack.settings), "also": dict(keep), "chunk": chunk}
            result, norms, seconds = kept_row(make, model, counted, truths, settings)
        rows[name] = _measured(model, counted, truths, attack, result, norms, seconds, measures, chunk)
    return correct, rows


def _attack(
    model: Classifier, images: Images, labels: Labels, attack: NamedAttack, chunk: int
) -> tuple[AttackResult, Tensor | None, float]:
    results, seconds = [], 0.0
    for batch, own in zip(images.split(chunk), labels.split(chunk), strict=True):
        started = perf_counter()
        result = attack.run(model, batch, own)
        result.success.any().item()  # waits for the device
        seconds += perf_counter() - started
        results.append(result)
    norms = [getattr(result, "gradient_norms", None) for result in results]
    joined = AttackResult(**{field: torch.cat([getattr(result, field) for result in results]) for field in FIELDS})
    return joined, None if None in norms else torch.cat(norms, dim=1), seconds


def _measured(
    model: Classifier,
    images: Images,
    labels: Labels,
    attack: NamedAttack,
    result: AttackResult,
    norms: Tensor | None,
    seconds: float,
    measures: Mapping[str, Distance],
    chunk: int,
) -> Attacked:
    margins, rounded = [], []
    distances: dict[str, list[Tensor]] = {}
    held_out = held_out_measures(measures, attack.minimized)
    for batch, changed, own in zip(images.split(chunk), result.images.split(chunk), labels.split(chunk), strict=True):
        with judged(model), torch.no_grad():
            margins.append(logit_margin(model(changed), own.long()))
            for name, measure in held_out.items():
                distances.setdefault(name, []).append(measure(changed, batch))
        rounded.append(misclassified(model, round_to_eight_bits(changed), own))
        for name, values in _norms(changed, batch).items():
            distances.setdefault(name, []).append(values)
    return Attacked(
        images=result.images,
        success=result.success,
        rounded_success=torch.cat(rounded),
        margins=torch.cat(margins),
        steps=result.steps,
        gradient_evaluations=result.gradient_evaluations,
        distances={name: torch.cat(values) for name, values in distances.items()},
        seconds=seconds,
        gradient_norms=norms,
    )


def _norms(images: Images, references: Images) -> dict[str, Scores]:
    l1 = (images - references).abs().flatten(1).sum(dim=1)
    return {"L1": l1, "L2": l2_distances(images, references), "Linf": linf_distances(images, references)}


def held_out_measures(measures: Mapping[str, Distance], minimized: Iterable[str]) -> dict[str, Distance]:
    """Return the measures that an attack has no interest in: not its own, nor a judge of the same family."""
    own = set(minimized)
    families = {JUDGES[name].family for name in own if name in JUDGES}
    return {
        name: measure
        for name, measure in measures.items()
        if name not in own and not (name in JUDGES and JUDGES[name].family in families)
    }


def table_3_1_attacks(
    distance: Distance,
    minimized: str,
    features: LayerFeatures,
    *,
    confidences: Iterable[float] = (0.0, 1.0, 5.0),
    steps: int = 100,
    perc_steps: int = 1000,
    bound: float = 0.5,
    ppgd_steps: int = 40,
    lpa_steps: int = 40,
    start_noise: float = 0.01,
    seed: int,
) -> dict[str, NamedAttack]:
    """Return the attacks of P0's Table 3.1, in its order, and the row it lacks: PGD with the same confidences.

    Args:
        distance: c0 of Algorithm 3.1.
        minimized: the name of that distance, for `NamedAttack`.
        features: what PPGD and LPA see with, `layer_features` of the attacked model in the settings of a kept
            row; they are bounded by the distance named "features".
        confidences: P0's a; PGD and Algorithm 3.1 take each.
        steps: most steps of PGD and Algorithm 3.1.
        perc_steps: steps of PerC-AL.
        bound: of PPGD and LPA.
        ppgd_steps: steps of PPGD.
        lpa_steps: steps of each of LPA's five rounds.
        start_noise: of LPA.
        seed: of that noise; each chunk of images gets the same.

    Returns:
        By name: "PerC-AL", "PGD", "PPGD", "LPA", "ours a=..." and "PGD a=..." (a > 0).
    """

    def lpa(model: Classifier, images: Tensor, labels: Tensor) -> AttackResult:
        return lagrangian_perceptual_attack(
            model, images, labels, features=features, bound=bound, steps=lpa_steps, start_noise=start_noise,
            generator=torch.Generator().manual_seed(seed),
        )  # fmt: skip

    def ours(confidence: float) -> NamedAttack:
        return NamedAttack(
            lambda model, images, labels: perceptual_attack(
                model, images, labels, distance, confidence=confidence, steps=steps
            ),
            (minimized,),
            {"attack": "perceptual_attack", "distance": minimized, "confidence": confidence, "steps": steps},
        )

    def pgd(confidence: float) -> NamedAttack:
        return NamedAttack(
            lambda model, images, labels: pgd_l2_until_flipped(
                model, images, labels, confidence=confidence, steps=steps
            ),
            settings={"attack": "pgd_l2_until_flipped", "confidence": confidence, "steps": steps},
        )

    confidences = tuple(float(a) for a in confidences)
    ball = {"features": "layer_features", "bound": bound}
    return {
        "PerC-AL": NamedAttack(
            lambda m, x, y: perc_al(m, x, y, steps=perc_steps), ("ciede2000",),
            {"attack": "perc_al", "confidence": 0.0, "steps": perc_steps},
        ),
        "PGD": pgd(0.0),
        "PPGD": NamedAttack(
            lambda m, x, y: perceptual_pgd(m, x, y, features=features, bound=bound, steps=ppgd_steps), ("features",),
            {"attack": "perceptual_pgd", **ball, "confidence": 1.0, "steps": ppgd_steps},
        ),
        "LPA": NamedAttack(
            lpa, ("features",),
            {"attack": "lagrangian_perceptual_attack", **ball, "steps": lpa_steps, "start_noise": start_noise,
             "seed": seed},
        ),
        **{f"ours a={a:g}": ours(a) for a in confidences},
        **{f"PGD a={a:g}": pgd(a) for a in confidences if a > 0},
    }  # fmt: skip
