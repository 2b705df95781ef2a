"""How an attack moves an explanation, and how much of that is the question's doing and not the attack's."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from blindspots import checks
from blindspots.criticism.explanation_overlap import ExplanationOverlap, explanation_overlap
from blindspots.criticism.kept_explanations import kept_explanations
from blindspots.criticism.lime_explain import Explanation, lime_explain
from blindspots.criticism.superpixels import check_image, check_segments
from blindspots.types import Classifier


@dataclass(frozen=True)
class ExplanationShift:
    """Explanations of one image before and after an attack, with the same superpixels.

    Attributes:
        clean: of the image, for all classes.
        attacked: of the attacked image, for all classes, with the same samples shown and hidden.
        redrawn: of the image again, with other samples.
        moved: the label's on the image against the prediction's under attack, the pair of P4's Figure 5.
        same_label: the label's before and after the attack.
        same_prediction: the prediction's before and after the attack: the question stays, the attack is added.
        noise: the label's on the image with two draws of samples, all else alike: what no attack would do.
        noise_prediction: the same for the prediction, which is unlikely on the clean image and so harder to explain.
    """

    clean: Explanation
    attacked: Explanation
    redrawn: Explanation
    moved: ExplanationOverlap
    same_label: ExplanationOverlap
    same_prediction: ExplanationOverlap
    noise: ExplanationOverlap
    noise_prediction: ExplanationOverlap


def explanation_shift(
    model: Classifier,
    image: Tensor,
    attacked: Tensor,
    label: int,
    prediction: int,
    *,
    segments: Tensor,
    generator: torch.Generator,
    n_samples: int = 1000,
    mode: str = "paper",
    n_features: int | None = None,
    n_superpixels: int = 8,
    hide: str | float | Tensor = "mean",
    batch_size: int | None = None,
    keep: bool = False,
) -> ExplanationShift:
    """Explain an image and its attacked version and compare the explanations' top superpixels.

    Figure 5 compares two explanations that differ in two things: the image, and the class that is explained. The
    other comparisons change one of them at a time, or neither.

    Args:
        model: images (N, C, H, W) in [0, 1] -> logits (N, K).
        image: (C, H, W) in [0, 1].
        attacked: (C, H, W) in [0, 1], the same image under attack.
        label: the true class.
        prediction: the class predicted under attack, another than the label.
        segments: (H, W), superpixels of the image; they serve the attacked one too.
        generator: a CPU generator that draws two sets of samples.
        n_samples, mode, n_features, hide, batch_size: see `lime_explain`.
        n_superpixels: size of the tops that are compared, at least 1.
        keep: put the explanations into the cache, or take them from there if the same ones were made before, so that
            an interrupted run goes on where it stopped; needs a torch.nn.Module.

    Returns:
        ExplanationShift.

    Raises:
        TypeError, ValueError: as `lime_explain`; images of different size, a prediction that is the label.

    Source: P4 Sec. 3.2, Fig. 5. Differs from the paper: it shows one pair and measures nothing.
    """
    check_image(image)
    check_image(attacked)
    checks.check_same_shape(image, attacked, "image", "attacked")
    n_pieces = check_segments(segments, *image.shape[1:])
    checks.check_number(n_samples, "n_samples", at_least=2, integer=True)
    checks.check_generator(generator)
    if label == prediction:
        raise ValueError(f"prediction: expected another class than the label, got {label} for both; attack the image")
    draws = [torch.rand(n_samples, n_pieces, generator=generator) < 0.5 for _ in range(2)]
    for masks in draws:
        masks[0] = True
    options = {"segments": segments, "mode": mode, "n_features": n_features, "hide": hide, "batch_size": batch_size}

    def explain() -> list[Explanation]:
        pairs = ((image, draws[0]), (attacked, draws[0]), (image, draws[1]))
        return [lime_explain(model, shown, masks=masks, **options) for shown, masks in pairs]

    if keep:
        color = [hide] if isinstance(hide, Tensor) else []
        settings = {"mode": mode, "n_features": n_features, "hide": "tensor" if color else hide}
        clean, moved, redrawn = kept_explanations(explain, model, [image, attacked, segments, *draws, *color], settings)
    else:
        clean, moved, redrawn = explain()
    top = {"n_superpixels": n_superpixels}
    return ExplanationShift(
        clean=clean,
        attacked=moved,
        redrawn=redrawn,
        moved=explanation_overlap(clean, moved, label, prediction, **top),
        same_label=explanation_overlap(clean, moved, label, label, **top),
        same_prediction=explanation_overlap(clean, moved, prediction, prediction, **top),
        noise=explanation_overlap(clean, redrawn, label, label, **top),
        noise_prediction=explanation_overlap(clean, redrawn, prediction, prediction, **top),
    )
